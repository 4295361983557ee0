#include "analysis/diff.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "analysis/unexplained.h"
#include "base/guard.h"

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

/* --- By type */

static int compare_types(const void *x, const void *y, void *context)
{
    const struct ouro_diff_type_row *a = x, *b = y;
    int64_t left = (int64_t)a->after_bytes - (int64_t)a->before_bytes, right = (int64_t)b->after_bytes - (int64_t)b->before_bytes;
    if (left != right)
        return left < right ? 1 : -1;
    left = (int64_t)a->after_count - (int64_t)a->before_count;
    right = (int64_t)b->after_count - (int64_t)b->before_count;
    return left != right ? (left < right ? 1 : -1) : ouro_diff_names_compare_labels(context, a->type, b->type);
}

static enum ouro_status add_types(struct ouro_diff *diff, const struct ouro_diff_side *side, bool after, struct ouro_map *rows,
                                  const char *pattern)
{
    for (size_t i = 0; i < side->types.count; i++) {
        const struct ouro_histogram_row *from = &side->types.items[i];
        uint32_t id = from->type < side->model->type_count ? from->type : side->model->type_count;
        bool added;
        if (!ouro_pattern_type(side->model, from->type, pattern))
            continue;
        uint64_t *place = ouro_map_put(rows, side->labels.of_type[id], &added);
        struct ouro_diff_type_row *row = !place ? NULL : added ? OURO_VEC_ADD(&diff->types) : &diff->types.items[*place];
        if (!row)
            return OURO_NOMEM;
        if (added) {
            *place = diff->types.count - 1;
            row->type = side->labels.of_type[id];
            row->before_type = row->after_type = OURO_TYPE_NONE;
        }
        *(after ? &row->after_type : &row->before_type) = from->type;
        *(after ? &row->after_count : &row->before_count) += from->count;
        *(after ? &row->after_bytes : &row->before_bytes) += from->shallow_bytes;
    }
    return OURO_OK;
}

static enum ouro_status compare_all_types(struct ouro_diff *diff, const struct ouro_diff_options *options)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map rows = {0};
    struct ouro_diff_types *types = &diff->types;
    OURO_TRY(add_types(diff, diff->before, false, &rows, options->type));
    OURO_TRY(add_types(diff, diff->after, true, &rows, options->type));
    size_t kept = 0;
    for (size_t i = 0; i < types->count; i++) {
        const struct ouro_diff_type_row *row = &types->items[i];
        if (row->before_count == row->after_count && row->before_bytes == row->after_bytes)
            continue;
        bool gone = row->after_type == OURO_TYPE_NONE && row->before_type != OURO_TYPE_NONE;
        if (ouro_suppressions_match(options->suppressions, gone ? diff->before->model : diff->after->model,
                                    gone ? row->before_type : row->after_type, NULL)) {
            types->suppressed.rows++;
            types->suppressed.count += (int64_t)row->after_count - (int64_t)row->before_count;
            types->suppressed.bytes += (int64_t)row->after_bytes - (int64_t)row->before_bytes;
            continue;
        }
        types->items[kept++] = *row;
    }
    types->count = kept;
    if (kept)
        qsort_r(types->items, kept, sizeof *types->items, compare_types, diff->after->labels.names);
    return OURO_OK;
}

/* --- By object */

static uint64_t traffic(const struct ouro_diff_object_row *row)
{
    return row->new_count[0] + row->new_count[1] + row->gone_count[0] + row->gone_count[1];
}

static int compare_objects(const void *x, const void *y, void *context)
{
    const struct ouro_diff_object_row *a = x, *b = y;
    uint64_t left = traffic(a), right = traffic(b);
    return left != right ? (left < right ? 1 : -1) : ouro_diff_names_compare_labels(context, a->type, b->type);
}

typedef uint64_t verdict_counts[OURO_DIFF_VERDICT_COUNT];

static void add_verdicts(struct ouro_diff_object_row *row, const verdict_counts counts, bool after)
{
    uint64_t *came = after ? row->new_count : row->gone_count;
    came[0] += counts[OURO_DIFF_NEW_CERTAIN];
    came[1] += counts[OURO_DIFF_NEW_PROBABLE];
    row->survived_count[0] += after ? counts[OURO_DIFF_SURVIVED_CERTAIN] : 0; /* survivors count once */
    row->survived_count[1] += after ? counts[OURO_DIFF_SURVIVED_PROBABLE] : 0;
}

static enum ouro_status count_objects(struct ouro_diff *diff, struct ouro_map *rows, bool after, const char *pattern)
{
    const struct ouro_diff_side *side = after ? diff->after : diff->before;
    const uint8_t *verdicts = after ? diff->match.after_verdict : diff->match.before_verdict;
    OURO_FREE uint32_t *row_of = malloc(((size_t)side->model->type_count + 1) * sizeof *row_of);
    if (!row_of)
        return OURO_NOMEM;
    for (uint32_t type = 0; type <= side->model->type_count; type++) {
        uint32_t id = type < side->model->type_count ? type : OURO_TYPE_NONE;
        bool added;
        row_of[type] = UINT32_MAX;
        if (ouro_heap_model_type_flags(side->model, id) & OURO_TYPE_PSEUDO || !ouro_pattern_type(side->model, id, pattern))
            continue;
        uint64_t *place = ouro_map_put(rows, side->labels.of_type[type], &added);
        struct ouro_diff_object_row *row = place && added ? OURO_VEC_ADD(&diff->objects) : NULL;
        if (!place || (added && !row))
            return OURO_NOMEM;
        if (added) {
            *place = diff->objects.count - 1;
            row->type = side->labels.of_type[type];
        }
        row_of[type] = (uint32_t)*place;
    }
    const uint32_t *shapes = side->model->heap.shape, shape_count = side->model->shape_count;
    OURO_FREE verdict_counts *counts = calloc((size_t)shape_count + 1, sizeof *counts);
    if (!counts)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < side->model->heap.count; v++)
        counts[shapes[v] < shape_count ? shapes[v] : shape_count][verdicts[v]] += !ouro_diff_side_is_pseudo(side, v);
    for (uint32_t i = 0; i <= shape_count; i++) {
        uint32_t type = side->model->shapes[i].type;
        uint32_t row = row_of[type < side->model->type_count ? type : side->model->type_count];
        if (row == UINT32_MAX)
            continue;
        add_verdicts(&diff->objects.items[row], counts[i], after);
        add_verdicts(&diff->objects.total, counts[i], after);
    }
    return OURO_OK;
}

static enum ouro_status compare_all_objects(struct ouro_diff *diff, const char *pattern)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map rows = {0};
    struct ouro_diff_objects *objects = &diff->objects;
    OURO_TRY(count_objects(diff, &rows, false, pattern));
    OURO_TRY(count_objects(diff, &rows, true, pattern));
    size_t kept = 0;
    for (size_t i = 0; i < objects->count; i++)
        if (traffic(&objects->items[i]))
            objects->items[kept++] = objects->items[i];
    objects->count = kept;
    if (kept)
        qsort_r(objects->items, kept, sizeof *objects->items, compare_objects, diff->after->labels.names);
    return OURO_OK;
}

/* --- What happened in between */

static bool same_text(const struct ouro_diff *diff, const char *key)
{
    size_t a_size, b_size;
    const char *a = ouro_snapshot_meta(diff->before->model->snapshot, key, &a_size);
    const char *b = ouro_snapshot_meta(diff->after->model->snapshot, key, &b_size);
    return !a || !b || (a_size == b_size && !memcmp(a, b, a_size));
}

static struct ouro_diff_collections *collections_of(struct ouro_diff_between *between, uint64_t interpreter)
{
    for (size_t i = 0; i < between->count; i++)
        if (between->items[i].interpreter == interpreter)
            return &between->items[i];
    struct ouro_diff_collections *fresh = OURO_VEC_ADD(between);
    if (fresh)
        fresh->interpreter = interpreter;
    return fresh;
}

static enum ouro_status add_collections(struct ouro_diff *diff, bool after)
{
    size_t count;
    int64_t sign = after ? 1 : -1;
    const struct ouro_heap_model *model = (after ? diff->after : diff->before)->model;
    const struct ouro_interpreter_record *records = ouro_snapshot_interpreters(model->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        struct ouro_diff_collections *row = collections_of(&diff->between, records[i].id);
        if (!row)
            return OURO_NOMEM;
        *(after ? &row->in_after : &row->in_before) = true;
        for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++) {
            row->collections[g] += sign * (int64_t)records[i].collections[g];
            row->collected += sign * (int64_t)records[i].collected[g];
            row->uncollectable += sign * (int64_t)records[i].uncollectable[g];
        }
    }
    return OURO_OK;
}

static enum ouro_status look_between(struct ouro_diff *diff)
{
    struct ouro_diff_between *between = &diff->between;
    const char *before = ouro_snapshot_meta(diff->before->model->snapshot, OURO_META_TIME, NULL);
    const char *after = ouro_snapshot_meta(diff->after->model->snapshot, OURO_META_TIME, NULL);
    between->has_seconds = before && after;
    if (between->has_seconds)
        between->seconds = strtod(after, NULL) - strtod(before, NULL);
    between->same_process = ouro_diff_same_process(diff->before->model, diff->after->model);
    between->same_program = same_text(diff, OURO_META_COMMAND) && same_text(diff, OURO_META_NAME);
    between->same_python = same_text(diff, OURO_META_PYTHON);
    between->garbage_before = diff->before->collector.unreachable_count;
    between->garbage_after = diff->after->collector.unreachable_count;
    between->garbage_bytes_before = diff->before->collector.unreachable_bytes;
    between->garbage_bytes_after = diff->after->collector.unreachable_bytes;
    OURO_TRY(add_collections(diff, false));
    return add_collections(diff, true);
}

/* --- References that nothing explains */

static int compare_unexplained(const void *x, const void *y, void *context)
{
    const struct ouro_diff_unexplained_row *a = x, *b = y;
    uint64_t left = a->after_count - a->before_count, right = b->after_count - b->before_count;
    return left != right ? (left < right ? 1 : -1) : ouro_diff_names_compare_labels(context, a->type, b->type);
}

static enum ouro_status compare_unexplained_counts(struct ouro_diff *diff)
{
    struct ouro_unexplained rows[2] = {{0}, {0}};
    struct ouro_diff_side *sides[2] = {diff->before, diff->after};
    enum ouro_status status = OURO_OK;
    for (unsigned i = 0; i < 2 && status == OURO_OK; i++)
        status = ouro_unexplained_init(&rows[i], &sides[i]->roots, NULL);
    for (size_t i = 0; i < rows[1].count && status == OURO_OK; i++) {
        struct ouro_diff_unexplained_row row = {.type = diff->after->labels.of_type[rows[1].items[i].type],
                                                .after_count = rows[1].items[i].reference_count,
                                                .node = rows[1].items[i].most};
        for (size_t j = 0; j < rows[0].count; j++)
            if (diff->before->labels.of_type[rows[0].items[j].type] == row.type)
                row.before_count += rows[0].items[j].reference_count;
        if (row.after_count <= row.before_count || row.after_count - row.before_count < OURO_UNEXPLAINED_OBJECTS)
            continue;
        struct ouro_diff_unexplained_row *fresh = OURO_VEC_ADD(&diff->unexplained);
        if (fresh)
            *fresh = row;
        else
            status = OURO_NOMEM;
    }
    ouro_unexplained_fini(&rows[0]);
    ouro_unexplained_fini(&rows[1]);
    if (diff->unexplained.count)
        qsort_r(diff->unexplained.items, diff->unexplained.count, sizeof *diff->unexplained.items, compare_unexplained,
                diff->after->labels.names);
    return status;
}

/* --- The dominators of one side, which nothing but the last part of a comparison waits for: in a thread of its own */

struct retaining {
    struct ouro_diff_side *side;
    pthread_t thread;
    bool started;
    enum ouro_status status;
    struct ouro_err err;
};

static void *retain(void *context)
{
    struct retaining *r = context;
    r->status = ouro_diff_side_retain(r->side, &r->err);
    return NULL;
}

static void retain_begin(struct retaining *r, struct ouro_diff_side *side)
{
    *r = (struct retaining){.side = side};
    r->started = pthread_create(&r->thread, NULL, retain, r) == 0;
}

static enum ouro_status retain_end(struct retaining *r, struct ouro_err *err)
{
    if (r->started)
        pthread_join(r->thread, NULL);
    else
        retain(r);
    if (r->status != OURO_OK && err)
        *err = r->err;
    return r->status;
}

/* --- The whole */

static enum ouro_status compare_matched(struct ouro_diff *diff, const struct ouro_diff_options *options, struct ouro_err *err)
{
    OURO_TRY(ouro_diff_match_init(&diff->match, diff->before, diff->after, err));
    diff->has_match = true;
    if (options->paths) {
        OURO_TRY(ouro_diff_paths_init(&diff->paths, &diff->match, options->threshold, options->suppressions, err));
        diff->has_paths = true;
    }
    if (options->objects && diff->match.same_process) {
        if (compare_all_objects(diff, options->type) != OURO_OK)
            return ouro_err_set(err, OURO_NOMEM, "out of memory for a comparison by object");
        diff->has_objects = true;
    }
    return OURO_OK;
}

/* All that needs no dominators. */
static enum ouro_status compare(struct ouro_diff *diff, const struct ouro_diff_options *options, struct ouro_err *err)
{
    enum ouro_status status = compare_all_types(diff, options);
    if (status == OURO_OK)
        status = look_between(diff);
    if (status == OURO_OK)
        status = compare_unexplained_counts(diff);
    if (status != OURO_OK)
        return ouro_err_set(err, status, "out of memory for a comparison by type");
    return options->paths || options->objects || options->retained ? compare_matched(diff, options, err) : OURO_OK;
}

static enum ouro_status init(struct ouro_diff *diff, const struct ouro_diff_options *options, struct ouro_err *err)
{
    struct retaining sides[2];
    for (int i = 0; i < 2 && options->retained; i++)
        retain_begin(&sides[i], i ? diff->after : diff->before);
    enum ouro_status status = compare(diff, options, err);
    for (int i = 0; i < 2 && options->retained; i++) {
        enum ouro_status ended = retain_end(&sides[i], status == OURO_OK ? err : NULL);
        status = status == OURO_OK ? ended : status;
    }
    OURO_TRY(status);
    if (options->retained) {
        uint64_t threshold = diff->has_paths ? diff->paths.threshold : options->threshold == UINT64_MAX ? 32 << 10 : options->threshold;
        OURO_TRY(ouro_diff_retained_init(&diff->retained, &diff->match, threshold, err));
        diff->has_retained = true;
    }
    return OURO_OK;
}

enum ouro_status ouro_diff_init(struct ouro_diff *diff, struct ouro_diff_side *before, struct ouro_diff_side *after,
                                const struct ouro_diff_options *options, struct ouro_err *err)
{
    memset(diff, 0, sizeof *diff);
    diff->before = before;
    diff->after = after;
    enum ouro_status status = init(diff, options, err);
    if (status != OURO_OK)
        ouro_diff_fini(diff);
    return status;
}

static bool is_torn(const struct ouro_diff_side *side)
{
    size_t size;
    const char *consistent = ouro_snapshot_meta(side->model->snapshot, OURO_META_CONSISTENT, &size);
    return consistent && (size != 1 || *consistent != '1');
}

bool ouro_diff_is_torn(const struct ouro_diff *diff)
{
    return is_torn(diff->before) || is_torn(diff->after);
}

void ouro_diff_fini(struct ouro_diff *diff)
{
    if (diff->has_retained)
        ouro_diff_retained_fini(&diff->retained);
    if (diff->has_paths)
        ouro_diff_paths_fini(&diff->paths);
    if (diff->has_match)
        ouro_diff_match_fini(&diff->match);
    free(diff->types.items);
    free(diff->objects.items);
    free(diff->between.items);
    free(diff->unexplained.items);
    memset(diff, 0, sizeof *diff);
}

static enum ouro_status add_unsuppressed(const struct ouro_diff *diff, bool after, struct ouro_suppressions *suppressions,
                                         int64_t *count, int64_t *bytes)
{
    const struct ouro_diff_side *side = after ? diff->after : diff->before;
    const struct ouro_diff_arrivals *arrivals = after ? &diff->paths.after : &diff->paths.before;
    uint32_t types = side->model->type_count;
    OURO_FREE uint8_t *left_out = calloc((size_t)types + 1, 1);
    if (!left_out)
        return OURO_NOMEM;
    for (uint32_t i = 0; i <= types; i++)
        left_out[i] = ouro_suppressions_match(suppressions, side->model, i < types ? i : OURO_TYPE_NONE, NULL);
    for (size_t i = 0; i < arrivals->count; i++) {
        ouro_node v = arrivals->items[i];
        uint32_t type = ouro_heap_model_type(side->model, v);
        if (ouro_diff_side_is_pseudo(side, v) || left_out[type < types ? type : types])
            continue;
        uint32_t row = arrivals->newcomers.items[arrivals->owner[v] - 1].row;
        if (row != UINT32_MAX && diff->paths.rows.items[row].suppressed)
            continue;
        *count += after ? 1 : -1;
        *bytes += (after ? 1 : -1) * (int64_t)ouro_heap_model_bytes(side->model, v);
    }
    return OURO_OK;
}

enum ouro_status ouro_diff_unsuppressed(const struct ouro_diff *diff, struct ouro_suppressions *suppressions, int64_t *count,
                                        int64_t *bytes)
{
    *count = *bytes = 0;
    OURO_TRY(add_unsuppressed(diff, false, suppressions, count, bytes));
    OURO_TRY(add_unsuppressed(diff, true, suppressions, count, bytes));
    for (size_t i = 0; i < diff->paths.rows.count; i++)
        *bytes += diff->paths.rows.items[i].suppressed ? 0 : diff->paths.rows.items[i].resized_bytes;
    return OURO_OK;
}

/* --- More than two */

const char *ouro_diff_trend_name(enum ouro_diff_trend_kind kind)
{
    static const char *const names[] = {"every step", "once", "came and went", "some steps", "shrank"};
    return names[kind];
}

static enum ouro_status add_step(struct ouro_diff_trend *trend, size_t step, uint32_t signature, uint32_t type,
                                 enum ouro_diff_root root, int64_t count, int64_t bytes)
{
    bool added;
    uint64_t *place = ouro_map_put(&trend->row_of, (uint64_t)signature << 32 | type, &added);
    if (!place)
        return OURO_NOMEM;
    if (added) {
        *place = trend->count;
        struct ouro_diff_trend_row *fresh = OURO_VEC_ADD(trend);
        if (!fresh)
            return OURO_NOMEM;
        *fresh = (struct ouro_diff_trend_row){.signature = signature, .type = type, .root = root};
        fresh->bytes = calloc(trend->step_count, sizeof *fresh->bytes);
        fresh->counts = calloc(trend->step_count, sizeof *fresh->counts);
        if (!fresh->bytes || !fresh->counts)
            return OURO_NOMEM;
    }
    struct ouro_diff_trend_row *row = &trend->items[*place];
    row->bytes[step] += bytes;
    row->counts[step] += count;
    return OURO_OK;
}

enum ouro_status ouro_diff_trend_add(struct ouro_diff_trend *trend, size_t step, const struct ouro_diff *diff)
{
    for (size_t i = 0; diff->has_paths && i < diff->paths.rows.count; i++) {
        const struct ouro_diff_path_row *row = &diff->paths.rows.items[i];
        if (!row->suppressed)
            OURO_TRY(add_step(trend, step, row->signature, row->type, row->root, ouro_diff_path_count(row),
                              ouro_diff_path_bytes(row)));
    }
    for (size_t i = 0; i < diff->types.count; i++) {
        const struct ouro_diff_type_row *row = &diff->types.items[i];
        OURO_TRY(add_step(trend, step, OURO_SIGNATURE_NONE - 1, row->type, OURO_DIFF_ROOT_NAMED,
                          (int64_t)row->after_count - (int64_t)row->before_count,
                          (int64_t)row->after_bytes - (int64_t)row->before_bytes));
    }
    return OURO_OK;
}

/* A step is flat when it changes by less than one part in twenty of the largest. */
static enum ouro_diff_trend_kind kind_of(const struct ouro_diff_trend_row *row, size_t steps)
{
    size_t up = 0, down = 0;
    int64_t flat = (int64_t)(row->most / 20), rise = 0;
    for (size_t i = 0; i < steps; i++) {
        up += row->bytes[i] > flat;
        down += row->bytes[i] < -flat;
        rise += row->bytes[i] > 0 ? row->bytes[i] : 0;
    }
    if (up == steps)
        return OURO_DIFF_TREND_LEAK;
    if (up && down && row->total_bytes < rise / 2)
        return OURO_DIFF_TREND_WAVE;
    if (!up)
        return OURO_DIFF_TREND_SHRINK;
    return up == 1 && !down ? OURO_DIFF_TREND_WARM_UP : OURO_DIFF_TREND_GROWTH;
}

static int compare_trends(const void *x, const void *y, void *context)
{
    const struct ouro_diff_trend_row *a = x, *b = y;
    bool a_lost = a->root >= OURO_DIFF_ROOT_GARBAGE, b_lost = b->root >= OURO_DIFF_ROOT_GARBAGE;
    if (a_lost != b_lost)
        return a_lost ? 1 : -1;
    if ((a->kind == OURO_DIFF_TREND_LEAK) != (b->kind == OURO_DIFF_TREND_LEAK))
        return a->kind == OURO_DIFF_TREND_LEAK ? -1 : 1;
    if (a->total_bytes != b->total_bytes)
        return a->total_bytes < b->total_bytes ? 1 : -1;
    if (a->most != b->most)
        return a->most < b->most ? 1 : -1;
    int order = ouro_diff_names_compare_labels(context, a->type, b->type);
    if (order || a->signature == OURO_SIGNATURE_NONE || b->signature == OURO_SIGNATURE_NONE)
        return order ? order : (a->signature > b->signature) - (a->signature < b->signature);
    return ouro_diff_names_compare(context, a->signature, b->signature);
}

void ouro_diff_trend_settle(struct ouro_diff_trend *trend, const struct ouro_diff_names *names)
{
    for (size_t i = 0; i < trend->count; i++) {
        struct ouro_diff_trend_row *row = &trend->items[i];
        if (row->signature == OURO_SIGNATURE_NONE - 1)
            row->signature = OURO_SIGNATURE_NONE;
        for (size_t step = 0; step < trend->step_count; step++) {
            row->total_bytes += row->bytes[step];
            row->total_count += row->counts[step];
            if ((uint64_t)magnitude(row->bytes[step]) > row->most)
                row->most = (uint64_t)magnitude(row->bytes[step]);
        }
        row->kind = kind_of(row, trend->step_count);
    }
    if (trend->count)
        qsort_r(trend->items, trend->count, sizeof *trend->items, compare_trends, (void *)names);
    ouro_map_fini(&trend->row_of); /* of the old order */
}

const struct ouro_diff_trend_row *ouro_diff_trend_find(const struct ouro_diff_trend *trend, uint32_t signature, uint32_t type)
{
    for (size_t i = 0; i < trend->count; i++)
        if (trend->items[i].signature == signature && trend->items[i].type == type)
            return &trend->items[i];
    return NULL;
}

void ouro_diff_trend_fini(struct ouro_diff_trend *trend)
{
    for (size_t i = 0; i < trend->count; i++) {
        free(trend->items[i].bytes);
        free(trend->items[i].counts);
    }
    free(trend->items);
    ouro_map_fini(&trend->row_of);
    memset(trend, 0, sizeof *trend);
}
