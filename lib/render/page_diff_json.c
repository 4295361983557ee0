#include <inttypes.h>
#include <string.h>

#include "analysis/pattern.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/page_diff.h"
#include "render/page_path.h"

struct writing {
    struct ouro_json json;
    const struct ouro_page_diff *page;
    const struct ouro_diff *diff;
    struct ouro_buf text;
};

static void write_label(struct writing *w, const char *key, uint32_t label)
{
    w->text.size = 0;
    ouro_diff_names_add_label(w->page->names, label, &w->text);
    ouro_json_buf(&w->json, key, &w->text);
}

/* A count or a size: before, after, change. */
static void write_change(struct writing *w, const char *key, uint64_t before, uint64_t after)
{
    ouro_json_object(&w->json, key);
    ouro_json_uint(&w->json, "before", before);
    ouro_json_uint(&w->json, "after", after);
    ouro_json_int(&w->json, "change", (int64_t)after - (int64_t)before);
    ouro_json_end(&w->json);
}

static void write_noise(struct writing *w, const char *key, const struct ouro_diff_noise *noise)
{
    ouro_json_object(&w->json, key);
    ouro_json_uint(&w->json, "rows", noise->rows);
    ouro_json_int(&w->json, "count_change", noise->count);
    ouro_json_int(&w->json, "bytes_change", noise->bytes);
    ouro_json_end(&w->json);
}

static void write_head(struct writing *w)
{
    const struct ouro_diff_between *between = &w->diff->between;
    const struct ouro_histogram *before = &w->diff->before->types, *after = &w->diff->after->types;
    ouro_json_string(&w->json, "ouro", "diff");
    ouro_json_uint(&w->json, "version", 1);
    ouro_json_array(&w->json, "snapshots");
    for (size_t i = 0; i < w->page->file_count; i++)
        ouro_json_string(&w->json, NULL, w->page->files[i]);
    ouro_json_end(&w->json);
    ouro_json_bool(&w->json, "reordered", w->page->reordered);
    ouro_json_bool(&w->json, "same_process", between->same_process);
    ouro_json_bool(&w->json, "same_program", between->same_program);
    ouro_json_bool(&w->json, "same_python", between->same_python);
    ouro_json_bool(&w->json, "damaged", ouro_snapshot_damaged(w->diff->before->model->snapshot) ||
                     ouro_snapshot_damaged(w->diff->after->model->snapshot));
    ouro_json_bool(&w->json, "consistent", !ouro_diff_is_torn(w->diff));
    if (between->has_seconds)
        ouro_json_int(&w->json, "milliseconds", (int64_t)(between->seconds * 1000));
    ouro_json_object(&w->json, "totals");
    write_change(w, "count", before->object_count, after->object_count);
    write_change(w, "bytes", before->shallow_bytes, after->shallow_bytes);
    ouro_json_end(&w->json);
}

/* --- By path */

static void write_trend(struct writing *w, const struct ouro_diff_trend_row *row)
{
    ouro_json_string(&w->json, "trend", ouro_diff_trend_name(row->kind));
    ouro_json_array(&w->json, "steps");
    for (size_t i = 0; i < w->page->trend->step_count; i++) {
        ouro_json_object(&w->json, NULL);
        ouro_json_int(&w->json, "count_change", row->counts[i]);
        ouro_json_int(&w->json, "bytes_change", row->bytes[i]);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

static void write_length(struct writing *w, const char *key, int64_t length)
{
    if (length < 0)
        ouro_json_null(&w->json, key);
    else
        ouro_json_int(&w->json, key, length);
}

static void write_container(struct writing *w, const struct ouro_diff_path_row *row)
{
    const struct ouro_diff_side *side = row->in_before ? w->diff->before : w->diff->after;
    ouro_json_object(&w->json, "container");
    ouro_json_addr(&w->json, "addr", side->model->heap.addr[row->container]);
    write_label(w, "type", ouro_diff_side_type(side, row->container));
    ouro_json_bool(&w->json, "is_container", row->container_holds);
    write_length(w, "length_before", row->length_before);
    write_length(w, "length_after", row->length_after);
    ouro_json_uint(&w->json, "others", row->container_count ? row->container_count - 1 : 0);
    ouro_page_path_one(&w->json, side->model, &row->path);
    ouro_json_end(&w->json);
}

static void write_details(struct writing *w, const struct ouro_diff_path_row *row)
{
    const struct ouro_heap_model *model = (row->in_before ? w->diff->before : w->diff->after)->model;
    if (row->container != OURO_NODE_NONE)
        write_container(w, row);
    else
        ouro_json_null(&w->json, "container");
    ouro_json_array(&w->json, "types");
    for (size_t i = 0; i < row->type_count; i++) {
        ouro_json_object(&w->json, NULL);
        write_label(w, "type", row->types[i].type);
        ouro_json_int(&w->json, "count_change", row->types[i].count);
        ouro_json_int(&w->json, "bytes_change", row->types[i].bytes);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
    ouro_json_array(&w->json, "examples");
    for (size_t i = 0; i < row->example_count; i++) {
        ouro_json_object(&w->json, NULL);
        ouro_json_addr(&w->json, "addr", model->heap.addr[row->examples[i]]);
        w->text.size = 0;
        ouro_diff_paths_add_example(&w->diff->paths, row, i, &w->text);
        ouro_json_buf(&w->json, "text", &w->text);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

static void write_path_row(struct writing *w, const struct ouro_diff_path_row *row)
{
    const struct ouro_diff_trend_row *trend =
        w->page->trend ? ouro_diff_trend_find(w->page->trend, row->signature, row->type) : NULL;
    ouro_json_object(&w->json, NULL);
    w->text.size = 0;
    ouro_diff_paths_add(&w->diff->paths, row, &w->text);
    ouro_json_buf(&w->json, "path", &w->text);
    write_label(w, "type", row->type);
    ouro_json_string(&w->json, "root", ouro_diff_root_name(row->root));
    ouro_json_int(&w->json, "count_change", ouro_diff_path_count(row));
    ouro_json_int(&w->json, "bytes_change", ouro_diff_path_bytes(row));
    ouro_json_uint(&w->json, "new_count", row->new_count);
    ouro_json_uint(&w->json, "new_bytes", row->new_bytes);
    ouro_json_uint(&w->json, "gone_count", row->gone_count);
    ouro_json_uint(&w->json, "gone_bytes", row->gone_bytes);
    ouro_json_int(&w->json, "resized_bytes", row->resized_bytes);
    if (trend)
        write_trend(w, trend);
    if (row->detailed)
        write_details(w, row);
    ouro_json_end(&w->json);
}

static void write_paths(struct writing *w)
{
    const struct ouro_diff_paths *paths = &w->diff->paths;
    struct ouro_diff_noise left = {0};
    size_t shown = 0;
    ouro_json_uint(&w->json, "threshold", paths->threshold);
    ouro_json_array(&w->json, "paths");
    for (size_t i = 0; i < paths->rows.count && !w->json.out->sys_errno; i++) {
        const struct ouro_diff_path_row *row = &paths->rows.items[i];
        if (!ouro_diff_paths_is_shown(paths, row))
            continue;
        if (!w->page->limit || shown++ < w->page->limit) {
            write_path_row(w, row);
            continue;
        }
        left.rows++;
        left.count += ouro_diff_path_count(row);
        left.bytes += ouro_diff_path_bytes(row);
    }
    ouro_json_end(&w->json);
    write_noise(w, "below_threshold", &paths->noise);
    write_noise(w, "suppressed", &paths->suppressed);
    write_noise(w, "below_limit", &left);
}

static void write_trends(struct writing *w)
{
    const struct ouro_diff_trend *trend = w->page->trend;
    ouro_json_array(&w->json, "trends");
    for (size_t i = 0; i < trend->count; i++) {
        const struct ouro_diff_trend_row *row = &trend->items[i];
        bool path = row->signature != OURO_SIGNATURE_NONE;
        if (row->most < w->diff->paths.threshold || !(path ? w->page->paths : w->page->types))
            continue;
        ouro_json_object(&w->json, NULL);
        if (path) {
            w->text.size = 0;
            ouro_diff_names_add(w->page->names, row->signature, &w->text);
            ouro_buf_add_text(&w->text, " -> ");
            ouro_diff_names_add_label(w->page->names, row->type, &w->text);
            ouro_json_buf(&w->json, "path", &w->text);
            ouro_json_string(&w->json, "root", ouro_diff_root_name(row->root));
        }
        write_label(w, "type", row->type);
        ouro_json_int(&w->json, "count_change", row->total_count);
        ouro_json_int(&w->json, "bytes_change", row->total_bytes);
        write_trend(w, row);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

/* --- By type, by object */

static void write_types(struct writing *w)
{
    const struct ouro_diff_types *types = &w->diff->types;
    struct ouro_diff_noise left = {0};
    ouro_json_array(&w->json, "types");
    for (size_t i = 0; i < types->count; i++) {
        const struct ouro_diff_type_row *row = &types->items[i];
        if (w->page->limit && i >= w->page->limit) {
            left.rows++;
            left.count += (int64_t)row->after_count - (int64_t)row->before_count;
            left.bytes += (int64_t)row->after_bytes - (int64_t)row->before_bytes;
            continue;
        }
        ouro_json_object(&w->json, NULL);
        write_label(w, "type", row->type);
        write_change(w, "count", row->before_count, row->after_count);
        write_change(w, "bytes", row->before_bytes, row->after_bytes);
        ouro_json_string(&w->json, "state", !row->before_count ? "new" : !row->after_count ? "gone" : "both");
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
    write_noise(w, "types_suppressed", &types->suppressed);
    write_noise(w, "types_below_limit", &left);
}

static void write_counts(struct writing *w, const char *key, const uint64_t counts[2])
{
    ouro_json_object(&w->json, key);
    ouro_json_uint(&w->json, "certain", counts[0]);
    ouro_json_uint(&w->json, "probable", counts[1]);
    ouro_json_end(&w->json);
}

static void write_object_row(struct writing *w, const struct ouro_diff_object_row *row)
{
    write_counts(w, "new", row->new_count);
    write_counts(w, "gone", row->gone_count);
    write_counts(w, "survived", row->survived_count);
}

static void write_each_object(struct writing *w, bool after)
{
    const struct ouro_diff_side *side = after ? w->diff->after : w->diff->before;
    const uint8_t *verdicts = after ? w->diff->match.after_verdict : w->diff->match.before_verdict;
    for (ouro_node v = 0; v < side->model->heap.count && !w->json.out->sys_errno; v++) {
        enum ouro_diff_verdict verdict = verdicts[v];
        bool came = verdict == OURO_DIFF_NEW_CERTAIN || verdict == OURO_DIFF_NEW_PROBABLE;
        uint32_t type = ouro_heap_model_type(side->model, v);
        if (ouro_diff_side_is_pseudo(side, v) || (!after && !came) || !ouro_pattern_type(side->model, type, w->page->type))
            continue;
        ouro_json_object(&w->json, NULL);
        ouro_json_addr(&w->json, "addr", side->model->heap.addr[v]);
        write_label(w, "type", ouro_diff_side_type(side, v));
        ouro_json_string(&w->json, "verdict", !came ? "survived" : after ? "new" : "gone");
        ouro_json_bool(&w->json, "certain", verdict == OURO_DIFF_NEW_CERTAIN || verdict == OURO_DIFF_SURVIVED_CERTAIN);
        ouro_json_end(&w->json);
    }
}

static void write_objects(struct writing *w)
{
    const struct ouro_diff_objects *objects = &w->diff->objects;
    if (!w->diff->has_objects) {
        ouro_json_null(&w->json, "objects");
        return;
    }
    ouro_json_object(&w->json, "objects");
    write_object_row(w, &objects->total);
    ouro_json_uint(&w->json, "reused_addresses", w->diff->match.reused_count);
    ouro_json_array(&w->json, "types");
    for (size_t i = 0; i < objects->count && (!w->page->limit || i < w->page->limit); i++) {
        ouro_json_object(&w->json, NULL);
        write_label(w, "type", objects->items[i].type);
        write_object_row(w, &objects->items[i]);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
    if (w->page->each_object) {
        ouro_json_array(&w->json, "each");
        write_each_object(w, false);
        write_each_object(w, true);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

/* --- Retained, and in between */

static void write_retained(struct writing *w)
{
    ouro_json_array(&w->json, "retained");
    for (size_t i = 0; w->diff->has_retained && i < w->diff->retained.count; i++) {
        const struct ouro_diff_retained_row *row = &w->diff->retained.items[i];
        ouro_json_object(&w->json, NULL);
        ouro_json_uint(&w->json, "level", row->level);
        ouro_json_string(&w->json, "kind", !row->level ? "all" : row->is_group ? "group" : "object");
        if (row->level)
            write_label(w, "type", row->type);
        if (row->node != OURO_NODE_NONE)
            ouro_json_addr(&w->json, row->is_group ? "example" : "addr", w->diff->after->model->heap.addr[row->node]);
        write_change(w, "count", row->before_count, row->after_count);
        write_change(w, "bytes", row->before_bytes, row->after_bytes);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

static void write_between(struct writing *w)
{
    const struct ouro_diff_between *between = &w->diff->between;
    ouro_json_object(&w->json, "garbage");
    write_change(w, "count", between->garbage_before, between->garbage_after);
    write_change(w, "bytes", between->garbage_bytes_before, between->garbage_bytes_after);
    ouro_json_end(&w->json);
    ouro_json_array(&w->json, "unexplained");
    for (size_t i = 0; i < w->diff->unexplained.count; i++) {
        ouro_json_object(&w->json, NULL);
        write_label(w, "type", w->diff->unexplained.items[i].type);
        write_change(w, "references", w->diff->unexplained.items[i].before_count, w->diff->unexplained.items[i].after_count);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
    ouro_json_array(&w->json, "interpreters");
    for (size_t i = 0; i < between->count; i++) {
        const struct ouro_diff_collections *row = &between->items[i];
        ouro_json_object(&w->json, NULL);
        ouro_json_uint(&w->json, "id", row->interpreter);
        ouro_json_string(&w->json, "state", !row->in_before ? "new" : !row->in_after ? "gone" : "both");
        ouro_json_array(&w->json, "collections");
        for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++)
            ouro_json_int(&w->json, NULL, row->collections[g]);
        ouro_json_end(&w->json);
        ouro_json_int(&w->json, "collected", row->collected);
        ouro_json_int(&w->json, "uncollectable", row->uncollectable);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

void ouro_page_diff_json(struct ouro_out *out, const struct ouro_page_diff *page)
{
    struct writing w = {.page = page, .diff = page->diff};
    ouro_json_init(&w.json, out);
    ouro_json_object(&w.json, NULL);
    write_head(&w);
    if (page->paths)
        write_paths(&w);
    if (page->trend)
        write_trends(&w);
    if (page->types)
        write_types(&w);
    if (page->retained)
        write_retained(&w);
    if (page->objects)
        write_objects(&w);
    write_between(&w);
    if (page->more_json)
        page->more_json(page->context, &w.json);
    ouro_json_end(&w.json);
    out->buf.failed |= w.text.failed;
    ouro_buf_fini(&w.text);
}
