#include "analysis/diff_paths.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/guard.h"
#include "base/large.h"

#define THRESHOLD_BYTES (UINT64_C(32) << 10)
#define KEY_BYTES       256u
#define CHAIN_SLOTS     64u
#define MANY_ATTRIBUTES 10u /* new ones of one namespace share a row */

const char *ouro_diff_root_name(enum ouro_diff_root root)
{
    static const char *const names[] = {"named", "native", "interpreter", "garbage", "nothing"};
    return names[root];
}

struct counting {
    struct ouro_diff_paths *paths;
    struct ouro_diff_names *names;
    struct ouro_map row_of; /* by signature and type */
    struct ouro_map row_of_holder[2]; /* by holder that has a match: the row of its newcomers; [0] before, [1] after */
};

static struct ouro_diff_side *side_of(const struct ouro_diff_paths *paths, bool after)
{
    return after ? paths->match->after : paths->match->before;
}

static ouro_node partner(const struct ouro_diff_paths *paths, bool after, ouro_node node)
{
    return after ? paths->match->to_before[node] : paths->match->to_after[node];
}

static struct ouro_diff_arrivals *arrivals_of(struct ouro_diff_paths *paths, bool after)
{
    return after ? &paths->after : &paths->before;
}

static enum ouro_diff_root kind_of(const struct ouro_diff_side *side, uint32_t signature)
{
    const struct ouro_diff_signature *items = side->labels.names->signatures.items;
    while (signature && items[signature].parent)
        signature = items[signature].parent;
    uint32_t label = items[signature].label;
    return label == side->labels.native        ? OURO_DIFF_ROOT_NATIVE
           : label == side->labels.garbage     ? OURO_DIFF_ROOT_GARBAGE
           : label == side->labels.unreached   ? OURO_DIFF_ROOT_NOTHING
           : label == side->labels.interpreter ? OURO_DIFF_ROOT_INTERPRETER
                                               : OURO_DIFF_ROOT_NAMED;
}

/* The row's number; UINT32_MAX: out of memory. */
static uint32_t find_row(struct counting *c, const struct ouro_diff_side *side, uint32_t signature, uint32_t type)
{
    bool added;
    uint64_t *row = ouro_map_put(&c->row_of, (uint64_t)signature << 32 | type, &added);
    if (!row)
        return UINT32_MAX;
    if (!added)
        return (uint32_t)*row;
    *row = c->paths->rows.count;
    struct ouro_diff_path_row *fresh = OURO_VEC_ADD(&c->paths->rows);
    if (!fresh)
        return UINT32_MAX;
    fresh->signature = signature;
    fresh->type = type;
    fresh->root = kind_of(side, signature);
    fresh->container = fresh->container_before = OURO_NODE_NONE;
    return (uint32_t)*row;
}

static bool arrive(struct ouro_diff_arrivals *arrivals, ouro_node v)
{
    ouro_node *fresh = OURO_VEC_ADD(arrivals);
    if (fresh)
        *fresh = v;
    return fresh;
}

static enum ouro_status find_arrived(struct ouro_diff_arrivals *arrivals, const struct ouro_diff_paths *paths, bool after)
{
    const struct ouro_diff_side *side = side_of(paths, after);
    const struct ouro_path_search *search = &side->search;
    const ouro_node *partners = after ? paths->match->to_before : paths->match->to_after, count = side->model->heap.count;
    OURO_FREE uint64_t *arrived = ouro_bits_new(count);
    if (!arrived)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < count; v++)
        ouro_bits_add(arrived, v, partners[v] == OURO_NODE_NONE);
    for (ouro_node i = 0; i < search->found_count; i++)
        if (ouro_bits_has(arrived, search->queue[i]) && !arrive(arrivals, search->queue[i]))
            return OURO_NOMEM;
    for (ouro_node v = 0; search->found_count < count && v < count; v++)
        if (ouro_bits_has(arrived, v) && search->parent[v] == OURO_NODE_NONE && !arrive(arrivals, v))
            return OURO_NOMEM;
    return OURO_OK;
}

/* Attributes that are made up while a program runs are one row: how many of each namespace are new. */
static bool count_attributes(const struct ouro_diff_paths *paths, bool after, const struct ouro_diff_arrivals *arrivals,
                             struct ouro_map *counts)
{
    struct ouro_diff_side *side = side_of(paths, after);
    for (size_t i = 0; i < arrivals->count; i++) {
        ouro_node v = arrivals->items[i], holder = ouro_diff_side_holder(side, v);
        if (holder == v || holder == OURO_NODE_NONE || partner(paths, after, holder) == OURO_NODE_NONE)
            continue;
        const struct ouro_heap_shape *shape = ouro_heap_model_shape(side->model, holder);
        if (!shape->part_count ||
            (shape->parts[0].kind != OURO_PART_NAMESPACE && shape->parts[0].kind != OURO_PART_NAMESPACE_ANY))
            continue;
        uint32_t its = ouro_diff_side_signature(side, v), above = ouro_diff_side_signature(side, holder);
        uint64_t *count = its == above ? NULL : ouro_map_put(counts, holder, NULL);
        if (its == OURO_SIGNATURE_NONE || above == OURO_SIGNATURE_NONE || (its != above && !count))
            return false;
        if (count)
            ++*count;
    }
    return true;
}

static uint32_t signature_of_newcomer(struct counting *c, bool after, const struct ouro_map *attributes, ouro_node v)
{
    struct ouro_diff_side *side = side_of(c->paths, after);
    ouro_node holder = ouro_diff_side_holder(side, v);
    uint32_t signature = ouro_diff_side_signature(side, v);
    if (holder == OURO_NODE_NONE || signature == OURO_SIGNATURE_NONE)
        return signature;
    if (holder == v)
        return ouro_diff_side_is_pseudo(side, v) && side->model->heap.interp && side->model->heap.interp[v]
                   ? ouro_diff_names_child(c->names, OURO_SIGNATURE_EMPTY, side->labels.interpreter)
                   : signature;
    uint64_t *count = ouro_map_find(attributes, holder);
    return count && *count >= MANY_ATTRIBUTES
               ? ouro_diff_names_child(c->names, ouro_diff_side_signature(side, holder), side->labels.any_attribute)
               : signature;
}

/* Of a newcomer: it has its signature. */
static bool is_key(const struct ouro_diff_side *side, ouro_node v)
{
    return side->labels.names->signatures.items[side->signature[v]].label == side->labels.key;
}

/* Keys count where what stands behind them does, as far as that came too; unless it is they that hold much. */
static void join_keys(struct counting *c, bool after)
{
    const struct ouro_diff_side *side = side_of(c->paths, after);
    struct ouro_diff_arrivals *arrivals = arrivals_of(c->paths, after);
    for (size_t i = 0; i < arrivals->newcomers.count; i++) {
        struct ouro_diff_newcomer *newcomer = &arrivals->newcomers.items[i];
        ouro_node holder = side->search.parent[newcomer->node];
        uint64_t *row = is_key(side, newcomer->node) && holder != OURO_NODE_NONE && newcomer->bytes <= KEY_BYTES
                            ? ouro_map_find(&c->row_of_holder[after], holder)
                            : NULL;
        if (row)
            newcomer->row = (uint32_t)*row;
    }
}

static enum ouro_status add_newcomer(struct counting *c, bool after, const struct ouro_map *attributes, ouro_node v)
{
    const struct ouro_diff_side *side = side_of(c->paths, after);
    struct ouro_diff_arrivals *arrivals = arrivals_of(c->paths, after);
    uint32_t signature = signature_of_newcomer(c, after, attributes, v), type = ouro_diff_side_type(side, v);
    if (signature == OURO_SIGNATURE_NONE)
        return OURO_NOMEM;
    if (kind_of(side, signature) == OURO_DIFF_ROOT_INTERPRETER)
        type = 0; /* all of it in one row: label 0 is empty */
    uint32_t row = find_row(c, side, signature, type);
    struct ouro_diff_newcomer *fresh = row == UINT32_MAX ? NULL : OURO_VEC_ADD(&arrivals->newcomers);
    if (!fresh || arrivals->newcomers.count >= UINT32_MAX)
        return OURO_NOMEM;
    *fresh = (struct ouro_diff_newcomer){.node = v, .row = row};
    arrivals->owner[v] = (uint32_t)arrivals->newcomers.count;
    ouro_node holder = side->search.parent[v];
    if (holder == OURO_NODE_NONE || holder == v || is_key(side, v))
        return OURO_OK;
    bool added;
    uint64_t *place = ouro_map_put(&c->row_of_holder[after], holder, &added);
    if (!place)
        return OURO_NOMEM;
    if (added)
        *place = row;
    return OURO_OK;
}

static bool counts(const struct ouro_diff_side *side, ouro_node v)
{
    return !ouro_diff_side_is_pseudo(side, v);
}

/* Who came (or went), and which newcomer each of them belongs to. */
static enum ouro_status collect(struct counting *c, bool after)
{
    const struct ouro_diff_side *side = side_of(c->paths, after);
    struct ouro_diff_arrivals *arrivals = arrivals_of(c->paths, after);
    OURO_GUARD(ouro_map_fini) struct ouro_map attributes = {0};
    arrivals->owner = calloc((size_t)side->model->heap.count + 1, sizeof *arrivals->owner); /* zero pages, until they are needed */
    if (!arrivals->owner)
        return OURO_NOMEM;
    OURO_TRY(find_arrived(arrivals, c->paths, after));
    if (!count_attributes(c->paths, after, arrivals, &attributes))
        return OURO_NOMEM;
    for (size_t i = 0; i < arrivals->count; i++) /* a thread's frames stand before it in the queue */
        if (ouro_diff_side_holder(side, arrivals->items[i]) == arrivals->items[i])
            OURO_TRY(add_newcomer(c, after, &attributes, arrivals->items[i]));
    for (size_t i = 0; i < arrivals->count; i++) {
        ouro_node v = arrivals->items[i], holder = ouro_diff_side_holder(side, v);
        if (holder == v)
            continue;
        if (holder != OURO_NODE_NONE && arrivals->owner[holder])
            arrivals->owner[v] = arrivals->owner[holder];
        else
            OURO_TRY(add_newcomer(c, after, &attributes, v));
    }
    for (size_t i = 0; i < arrivals->count; i++) {
        ouro_node v = arrivals->items[i];
        if (!counts(side, v))
            continue;
        struct ouro_diff_newcomer *newcomer = &arrivals->newcomers.items[arrivals->owner[v] - 1];
        newcomer->count++;
        newcomer->bytes += ouro_heap_model_bytes(side->model, v);
    }
    join_keys(c, after);
    for (size_t i = 0; i < arrivals->newcomers.count; i++) {
        const struct ouro_diff_newcomer *newcomer = &arrivals->newcomers.items[i];
        struct ouro_diff_path_row *row = &c->paths->rows.items[newcomer->row];
        *(after ? &row->new_count : &row->gone_count) += newcomer->count;
        *(after ? &row->new_bytes : &row->gone_bytes) += newcomer->bytes;
        *(after ? &row->newcomer_count : &row->leaver_count) += 1;
    }
    return OURO_OK;
}

/* A container that got a larger table grew by what it holds. */
static uint32_t row_of_resized(struct counting *c, bool after, ouro_node a, ouro_node b)
{
    struct ouro_diff_side *side = side_of(c->paths, after);
    ouro_node node = after ? b : a;
    uint64_t *came = ouro_map_find(&c->row_of_holder[1], b), *went = ouro_map_find(&c->row_of_holder[0], a);
    if (came && went && *came != *went)
        came = went = NULL;
    if (came || went)
        return (uint32_t)(came ? *came : *went);
    uint32_t signature = ouro_diff_side_signature(side, node);
    return signature == OURO_SIGNATURE_NONE ? UINT32_MAX : find_row(c, side, signature, ouro_diff_side_type(side, node));
}

static enum ouro_status collect_resized(struct counting *c)
{
    struct ouro_diff_side *before = side_of(c->paths, false), *after = side_of(c->paths, true);
    for (ouro_node b = 0; b < after->model->heap.count; b++) {
        ouro_node a = c->paths->match->to_before[b];
        if (a == OURO_NODE_NONE)
            continue;
        uint64_t old = ouro_heap_model_bytes(before->model, a), new = ouro_heap_model_bytes(after->model, b);
        if (old == new || !counts(after, b) || !counts(before, a))
            continue;
        uint32_t left = row_of_resized(c, false, a, b), right = row_of_resized(c, true, a, b);
        uint32_t was = ouro_diff_side_signature(before, a), is = ouro_diff_side_signature(after, b);
        struct ouro_diff_resized *resized = OURO_VEC_ADD(&c->paths->resized);
        if (left == UINT32_MAX || right == UINT32_MAX || was == OURO_SIGNATURE_NONE || is == OURO_SIGNATURE_NONE || !resized)
            return OURO_NOMEM;
        *resized = (struct ouro_diff_resized){a, b};
        if (was != is) /* it moved: all of its change is where it is now */
            left = right = left < right ? left : right;
        c->paths->rows.items[left].resized_bytes -= (int64_t)old;
        c->paths->rows.items[right].resized_bytes += (int64_t)new;
    }
    return OURO_OK;
}

/* --- Order */

static int compare_rows(const void *x, const void *y, void *context)
{
    const struct ouro_diff_names *names = context;
    const struct ouro_diff_path_row *left = x, *right = y;
    bool left_lost = left->root >= OURO_DIFF_ROOT_GARBAGE, right_lost = right->root >= OURO_DIFF_ROOT_GARBAGE;
    if (left_lost != right_lost)
        return left_lost ? 1 : -1;
    int64_t l = ouro_diff_path_bytes(left), r = ouro_diff_path_bytes(right);
    if (l != r)
        return l < r ? 1 : -1;
    l = ouro_diff_path_count(left);
    r = ouro_diff_path_count(right);
    if (l != r)
        return l < r ? 1 : -1;
    int order = ouro_diff_names_compare(names, left->signature, right->signature);
    return order ? order : ouro_diff_names_compare_labels(names, left->type, right->type);
}

static bool is_builtin(const struct ouro_heap_model *model, ouro_node v)
{
    uint32_t type = ouro_heap_model_type(model, v);
    return type < model->type_count && (!strcmp(ouro_heap_model_type_module(model, type, NULL), "builtins") ||
                                        !(ouro_heap_model_type_flags(model, type) & OURO_TYPE_HEAP));
}

/* Of what the object itself holds, of the same newcomer's. */
static ouro_node largest_below(const struct ouro_diff_side *side, const uint32_t *owner, ouro_node v)
{
    const struct ouro_heap_model *model = side->model;
    ouro_node best = OURO_NODE_NONE;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, v);
    for (unsigned looked = 0; looked < CHAIN_SLOTS && ouro_slot_walk_next(&walk, &slot); looked++) {
        ouro_node to = slot.target;
        if (to == OURO_NODE_NONE || to == v || side->search.parent[to] != v || owner[to] != owner[v] ||
            !(ouro_heap_model_shape(model, to)->classes & OURO_CLASS_OWNED))
            continue;
        if (best == OURO_NODE_NONE || ouro_heap_model_bytes(model, to) > ouro_heap_model_bytes(model, best))
            best = to;
    }
    return best;
}

/* Which types make up most of what a row's newcomers hold, one below the other. */
static void find_chains(struct counting *c, bool after)
{
    struct ouro_diff_paths *paths = c->paths;
    const struct ouro_diff_side *side = side_of(paths, after);
    struct ouro_diff_arrivals *arrivals = arrivals_of(paths, after);
    for (size_t i = 0; i < arrivals->newcomers.count; i++) {
        /* The first newcomer stands for all; what it holds is looked at once. */
        const struct ouro_diff_newcomer *newcomer = &arrivals->newcomers.items[i];
        struct ouro_diff_path_row *row = &paths->rows.items[newcomer->row];
        ouro_node v = newcomer->node;
        bool tells = after == (row->new_bytes >= row->gone_bytes);
        if (row->chain_count || !tells || ouro_diff_side_type(side, newcomer->node) != row->type || row->root == OURO_DIFF_ROOT_INTERPRETER)
            continue;
        while (row->chain_count < OURO_DIFF_CHAIN) {
            ouro_node best = largest_below(side, arrivals->owner, v);
            if (best == OURO_NODE_NONE || (row->chain_count && !is_builtin(side->model, v)))
                break;
            row->chain[row->chain_count++] = ouro_diff_side_type(side, best);
            v = best;
        }
    }
}

static enum ouro_status settle(struct ouro_diff_paths *paths, uint64_t threshold, struct ouro_suppressions *suppressions)
{
    uint64_t growth = 0;
    for (size_t i = 0; i < paths->rows.count; i++) {
        const struct ouro_diff_path_row *row = &paths->rows.items[i];
        int64_t bytes = ouro_diff_path_bytes(row);
        growth += bytes > 0 ? (uint64_t)bytes : 0;
    }
    paths->threshold = threshold != UINT64_MAX              ? threshold
                       : growth / 100 > THRESHOLD_BYTES ? growth / 100
                                                            : THRESHOLD_BYTES;
    for (size_t i = 0; i < paths->rows.count; i++) {
        struct ouro_diff_path_row *row = &paths->rows.items[i];
        int64_t count = ouro_diff_path_count(row), bytes = ouro_diff_path_bytes(row);
        paths->count += count;
        paths->bytes += bytes;
        OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
        if (suppressions && suppressions->count) {
            ouro_diff_paths_add(paths, row, &text);
            if (text.failed)
                return OURO_NOMEM;
            row->suppressed = ouro_suppressions_match(suppressions, NULL, OURO_TYPE_NONE, ouro_buf_text(&text));
        }
        struct ouro_diff_noise *sum = row->suppressed                             ? &paths->suppressed
                                      : !ouro_diff_paths_is_shown(paths, row) ? &paths->noise
                                                                                  : NULL;
        if (sum && (count || bytes)) {
            sum->rows++;
            sum->count += count;
            sum->bytes += bytes;
        }
    }
    return OURO_OK;
}

static uint32_t row_of_newcomer(const struct ouro_diff_arrivals *arrivals, size_t i)
{
    return arrivals->newcomers.items[i].row;
}

static uint32_t row_of_item(const struct ouro_diff_arrivals *arrivals, size_t i)
{
    return arrivals->newcomers.items[arrivals->owner[arrivals->items[i]] - 1].row;
}

/* What is in no row any more is left out. */
static enum ouro_status group(struct ouro_diff_by_row *out, size_t rows, const struct ouro_diff_arrivals *arrivals, size_t count,
                              uint32_t (*row_of)(const struct ouro_diff_arrivals *arrivals, size_t i))
{
    out->begin = calloc(rows + 2, sizeof *out->begin);
    out->items = malloc((count + 1) * sizeof *out->items);
    if (!out->begin || !out->items)
        return OURO_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (row_of(arrivals, i) < rows)
            out->begin[row_of(arrivals, i) + 2]++;
    for (size_t r = 2; r < rows + 2; r++)
        out->begin[r] += out->begin[r - 1];
    for (size_t i = 0; i < count; i++) /* each row's beginning stands one further until it is filled */
        if (row_of(arrivals, i) < rows)
            out->items[out->begin[row_of(arrivals, i) + 1]++] = (uint32_t)i;
    return OURO_OK;
}

/* Rows in which nothing changed are dropped; newcomers' numbers of rows follow the new order. */
static enum ouro_status arrange(struct ouro_diff_paths *paths)
{
    size_t count = paths->rows.count;
    OURO_FREE uint32_t *place = malloc((count + 1) * sizeof *place);
    if (!place)
        return OURO_NOMEM;
    for (size_t i = 0; i < count; i++) {
        paths->rows.items[i].length_before = (int64_t)i; /* where it was, until it is detailed */
        place[i] = UINT32_MAX;
    }
    if (count)
        qsort_r(paths->rows.items, count, sizeof *paths->rows.items, compare_rows,
                paths->match->after->labels.names);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct ouro_diff_path_row *row = &paths->rows.items[i];
        if (!ouro_diff_path_count(row) && !ouro_diff_path_bytes(row))
            continue;
        place[row->length_before] = (uint32_t)kept;
        paths->rows.items[kept++] = *row;
    }
    paths->rows.count = kept;
    for (int after = 0; after < 2; after++) {
        struct ouro_diff_arrivals *arrivals = arrivals_of(paths, after);
        for (size_t i = 0; i < arrivals->newcomers.count; i++)
            arrivals->newcomers.items[i].row = place[arrivals->newcomers.items[i].row];
        OURO_TRY(group(&arrivals->newcomers_of, kept, arrivals, arrivals->newcomers.count, row_of_newcomer));
        OURO_TRY(group(&arrivals->items_of, kept, arrivals, arrivals->count, row_of_item));
    }
    return OURO_OK;
}

enum ouro_status ouro_diff_paths_init(struct ouro_diff_paths *paths, const struct ouro_diff_match *match, uint64_t threshold,
                                      struct ouro_suppressions *suppressions, struct ouro_err *err)
{
    memset(paths, 0, sizeof *paths);
    paths->match = match;
    struct counting counting = {.paths = paths, .names = match->after->labels.names};
    enum ouro_status status = collect(&counting, true);
    if (status == OURO_OK)
        status = collect(&counting, false);
    if (status == OURO_OK)
        status = collect_resized(&counting);
    if (status == OURO_OK) {
        find_chains(&counting, true);
        find_chains(&counting, false);
        status = arrange(paths);
    }
    if (status == OURO_OK)
        status = settle(paths, threshold, suppressions);
    ouro_map_fini(&counting.row_of);
    ouro_map_fini(&counting.row_of_holder[0]);
    ouro_map_fini(&counting.row_of_holder[1]);
    if (status != OURO_OK) {
        ouro_diff_paths_fini(paths);
        return ouro_err_set(err, status, "out of memory for what grew");
    }
    return OURO_OK;
}

void ouro_diff_paths_fini(struct ouro_diff_paths *paths)
{
    for (size_t i = 0; i < paths->rows.count; i++) {
        ouro_path_text_fini(&paths->rows.items[i].path.text);
        ouro_path_fini(&paths->rows.items[i].path.path);
    }
    free(paths->rows.items);
    for (int after = 0; after < 2; after++) {
        struct ouro_diff_arrivals *arrivals = arrivals_of(paths, after);
        free(arrivals->newcomers.items);
        free(arrivals->items);
        free(arrivals->owner);
        free(arrivals->newcomers_of.begin);
        free(arrivals->newcomers_of.items);
        free(arrivals->items_of.begin);
        free(arrivals->items_of.items);
    }
    free(paths->resized.items);
    memset(paths, 0, sizeof *paths);
}

bool ouro_diff_paths_is_shown(const struct ouro_diff_paths *paths, const struct ouro_diff_path_row *row)
{
    int64_t bytes = ouro_diff_path_bytes(row);
    return !row->suppressed && (uint64_t)(bytes < 0 ? -bytes : bytes) >= paths->threshold;
}

void ouro_diff_paths_add(const struct ouro_diff_paths *paths, const struct ouro_diff_path_row *row, struct ouro_buf *out)
{
    const struct ouro_diff_names *names = paths->match->after->labels.names;
    ouro_diff_names_add(names, row->signature, out);
    if (row->root == OURO_DIFF_ROOT_INTERPRETER)
        return;
    ouro_buf_add_text(out, " -> ");
    ouro_diff_names_add_label(names, row->type, out);
    for (uint32_t i = 0; i < row->chain_count; i++) {
        ouro_buf_add_text(out, " -> ");
        ouro_diff_names_add_label(names, row->chain[i], out);
    }
}
