#include <inttypes.h>
#include <time.h>

#include "base/guard.h"
#include "render/page.h"
#include "render/sentence.h"
#include "render/table.h"
#include "render/text.h"

/* Of more threads than fit on a page, the first: they are in the order of ouro stack. */
#define THREADS_SHOWN 40

static const char *meta(const struct ouro_heap_model *model, const char *key, size_t *size)
{
    const char *text = ouro_snapshot_meta(model->snapshot, key, size);
    return text && *size ? text : NULL;
}

static void add_row(struct ouro_table *table, const char *name, struct ouro_buf *value)
{
    ouro_table_string(table, name);
    ouro_table_buf(table, value);
    value->size = 0;
}

static void add_meta_row(struct ouro_table *table, const struct ouro_heap_model *model, const char *name,
                         const char *key)
{
    size_t size;
    const char *text = meta(model, key, &size);
    if (text) {
        ouro_table_string(table, name);
        ouro_table_text(table, text, size);
    }
}

/* Arguments lie apart by NULs. */
static void add_command_line(struct ouro_table *table, const struct ouro_heap_model *model, struct ouro_buf *text)
{
    size_t size;
    const char *line = meta(model, OURO_META_COMMAND, &size);
    if (!line)
        return;
    while (size && !line[size - 1])
        size--;
    for (size_t i = 0; i < size; i++)
        ouro_buf_add_byte(text, line[i] ? (unsigned char)line[i] : ' ');
    add_row(table, "command line", text);
}

static void add_time(struct ouro_buf *text, const char *seconds)
{
    time_t when = (time_t)strtoll(seconds, NULL, 10);
    struct tm tm;
    char buffer[64];
    if (gmtime_r(&when, &tm) && strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M:%S UTC", &tm))
        ouro_buf_add_text(text, buffer);
}

static void write_process(struct ouro_out *out, const struct ouro_heap_model *model, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t size;
    ouro_table_init(&table);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    const char *name = meta(model, OURO_META_NAME, &size);
    ouro_buf_addf(&text, "%" PRIu64, ouro_snapshot_meta_u64(model->snapshot, OURO_META_PID, 0));
    if (name) {
        ouro_buf_addf(&text, " (");
        ouro_buf_add(&text, name, size);
        ouro_buf_add_byte(&text, ')');
    }
    add_row(&table, "process", &text);
    add_command_line(&table, model, &text);
    add_meta_row(&table, model, "host", OURO_META_HOST);
    add_meta_row(&table, model, "core", OURO_META_CORE);
    const char *python = meta(model, OURO_META_PYTHON, &size);
    if (python) {
        ouro_buf_add_text(&text, "CPython ");
        ouro_buf_add(&text, python, size);
        add_row(&table, "python", &text);
    }
    if (meta(model, OURO_META_TIME, &size)) {
        add_time(&text, meta(model, OURO_META_TIME, &size));
        const char *mode = meta(model, OURO_META_MODE, &size);
        bool live = mode && size == 4 && !memcmp(mode, "live", 4), forked = mode && size == 4 && !memcmp(mode, "fork", 4);
        if (live)
            ouro_buf_add_text(&text, ", it was not stopped");
        else if (meta(model, OURO_META_PAUSE_NS, &size))
            ouro_buf_addf(&text, ", the target stood still for %.1f ms",
                          (double)ouro_snapshot_meta_u64(model->snapshot, OURO_META_PAUSE_NS, 0) / 1e6);
        if (forked)
            ouro_buf_add_text(&text, " (fork)");
        add_row(&table, "captured", &text);
    }
    add_meta_row(&table, model, "values", OURO_META_VALUES);
    if (meta(model, OURO_META_COPIED_BYTES, &size)) {
        ouro_text_add_size(&text, ouro_snapshot_meta_u64(model->snapshot, OURO_META_COPIED_BYTES, 0));
        add_row(&table, "memory read", &text);
    }
    ouro_text_add_size(&text, ouro_snapshot_file_bytes(model->snapshot));
    add_row(&table, "file", &text);
    ouro_table_write(&table, out, width, 0);
}

/* How far the references are to be believed, in a few words; the findings have more. */
static void add_exactness(struct ouro_buf *text, const struct ouro_info *info)
{
    if (info->exact)
        ouro_buf_add_text(text, ", exact");
    if (info->approximate_count) {
        ouro_buf_add_text(text, ", those of ");
        ouro_text_add_count(text, info->approximate_count);
        ouro_buf_addf(text, " %s of %" PRIu64 " %s approximate", info->approximate_count == 1 ? "object" : "objects",
                      info->approximate_type_count, info->approximate_type_count == 1 ? "type" : "types");
    }
    if (info->checked_count > info->check_impossible_count) {
        ouro_buf_add_text(text, " (");
        ouro_text_add_count(text, info->checked_count - info->check_impossible_count);
        ouro_buf_add_text(text, " objects compared)");
    }
}

static void write_totals(struct ouro_out *out, const struct ouro_info *info, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_text_add_count(&text, info->object_count);
    ouro_buf_add_text(&text, ", ");
    ouro_text_add_size(&text, info->size_bytes + info->native_bytes);
    if (info->native_bytes) {
        ouro_buf_add_text(&text, " (");
        ouro_text_add_size(&text, info->native_bytes);
        ouro_buf_add_text(&text, " of it native)");
    }
    add_row(&table, "objects", &text);
    ouro_text_add_count(&text, info->types.count);
    add_row(&table, "types", &text);
    ouro_text_add_count(&text, info->reference_count);
    add_exactness(&text, info);
    add_row(&table, "references", &text);
    ouro_text_add_count(&text, info->root_count);
    ouro_buf_add_text(&text, " named, ");
    ouro_text_add_count(&text, info->frame_count);
    ouro_buf_add_text(&text, info->frame_count == 1 ? " frame" : " frames");
    add_row(&table, "roots", &text);
    ouro_text_add_count(&text, info->immortal_count);
    add_row(&table, "immortal", &text);
    ouro_text_add_count(&text, info->unreachable_count);
    if (info->unreachable_count) {
        ouro_buf_add_text(&text, ", ");
        ouro_text_add_size(&text, info->unreachable_bytes);
    }
    add_row(&table, "unreachable", &text);
    ouro_table_write(&table, out, width, 0);
}

void ouro_page_collector_text(struct ouro_out *out, const struct ouro_interpreter_record *it, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    static const char *const titles[] = {"gen",  "tracked",   "count",        "threshold",
                                         "runs", "collected", "uncollectable"};
    ouro_out_addf(out, "\nCollector of interpreter %" PRIu64 ": %s%s, %" PRIu64 " frozen\n", it->id,
                  it->gc_enabled ? "enabled" : "disabled", it->gc_collecting ? ", collecting" : "", it->frozen);
    ouro_table_init(&table);
    for (size_t t = 0; t < sizeof titles / sizeof *titles; t++)
        ouro_table_column(&table, titles[t], OURO_TABLE_RIGHT);
    for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++) {
        char text[32];
        ouro_table_count(&table, g);
        ouro_table_count(&table, it->tracked[g]);
        snprintf(text, sizeof text, "%" PRId64, it->count[g]);
        ouro_table_string(&table, text);
        ouro_table_count(&table, it->threshold[g]);
        ouro_table_count(&table, it->collections[g]);
        ouro_table_count(&table, it->collected[g]);
        ouro_table_count(&table, it->uncollectable[g]);
    }
    ouro_table_write(&table, out, width, 2);
}

static void write_collectors(struct ouro_out *out, const struct ouro_heap_model *model, size_t width)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(model->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        ouro_page_collector_text(out, &interpreters[i], width);
}

/* The innermost frame: "serve (service.py:133)". */
static void add_place(struct ouro_buf *text, const struct ouro_stacks *stacks, const struct ouro_stack_thread *thread)
{
    const struct ouro_stack_frame *frame = ouro_stacks_frame(stacks, thread, 0);
    if (!frame)
        return;
    const unsigned char *slash = frame->file.size ? memrchr(frame->file.bytes, '/', frame->file.size) : NULL;
    const unsigned char *file = slash ? slash + 1 : frame->file.bytes;
    ouro_buf_add(text, frame->qualname.bytes, frame->qualname.size);
    ouro_buf_add_text(text, " (");
    ouro_buf_add(text, file, (size_t)(frame->file.bytes + frame->file.size - file));
    if (frame->line)
        ouro_buf_addf(text, ":%" PRIu32, frame->line);
    ouro_buf_add_byte(text, ')');
}

static void add_state(struct ouro_buf *text, const struct ouro_waits *waits, size_t t)
{
    const struct ouro_stack_thread *thread = &waits->stacks->threads.items[t];
    if (waits->items[t].deadlock != OURO_THREAD_NONE)
        ouro_buf_add_text(text, waits->items[t].behind ? "behind a deadlock" : "deadlocked");
    else
        ouro_buf_add_text(text, ouro_thread_state_name(ouro_waits_state(waits, t)));
    if (thread->record->holds_gil)
        ouro_buf_add_text(text, ", holds the GIL");
}

static void write_threads(struct ouro_out *out, const struct ouro_page_info *page, size_t width)
{
    const struct ouro_stacks *stacks = page->waits->stacks;
    if (!stacks->threads.count)
        return;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "tid", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "name", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "state", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "in", OURO_TABLE_FLEXIBLE);
    for (size_t t = 0; t < stacks->threads.count && t < THREADS_SHOWN; t++) {
        const struct ouro_stack_thread *thread = &stacks->threads.items[t];
        char number[32];
        snprintf(number, sizeof number, "%" PRIu64, thread->record->native_id);
        ouro_table_string(&table, number);
        struct ouro_stack_text name = thread->name.size ? thread->name : thread->comm;
        ouro_table_text(&table, (const char *)name.bytes, name.size);
        add_state(&text, page->waits, t);
        ouro_table_buf(&table, &text);
        text.size = 0;
        add_place(&text, stacks, thread);
        ouro_table_buf(&table, &text);
        text.size = 0;
    }
    ouro_out_text(out, "\nThreads (`ouro stack` has their frames)\n");
    ouro_table_write(&table, out, width, 2);
    if (stacks->threads.count > THREADS_SHOWN)
        ouro_out_addf(out, "  ... %zu more\n", stacks->threads.count - THREADS_SHOWN);
}

/* A page of dominators that shows a few rows of its tree. */
static struct ouro_page_dominators largest_page(const struct ouro_page_info *page,
                                                const struct ouro_dominator_query *query)
{
    return (struct ouro_page_dominators){page->model, page->roots, &page->largest->tree, query, page->info};
}

static void write_largest(struct ouro_out *out, const struct ouro_page_info *page, size_t width)
{
    const struct ouro_dominator_query query = {.grouping = OURO_DOMINATOR_GROUP_SMALL};
    if (!page->largest || !page->largest->count)
        return;
    const struct ouro_page_dominators rows = largest_page(page, &query);
    ouro_out_text(out, "\nWhat holds the most (`ouro dominators` has all)\n");
    ouro_page_largest_text(out, &rows, page->largest, width);
}

static void write_finding(struct ouro_out *out, const struct ouro_finding *finding, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_buf_add(&text, finding->text.data, finding->text.size);
    if (finding->command)
        ouro_buf_addf(&text, ". More: `%s`", finding->command);
    out->buf.failed |= text.failed;
    ouro_sentence_write(out, &text, width);
}

void ouro_page_info_text(struct ouro_out *out, const struct ouro_page_info *page, size_t width)
{
    const struct ouro_heap_model *model = page->model;
    const struct ouro_info *info = page->info;
    write_process(out, model, width);
    ouro_out_text(out, "\n");
    write_totals(out, info, width);
    write_collectors(out, model, width);
    write_threads(out, page, width);
    ouro_out_text(out, "\nLargest types\n");
    ouro_page_types_text(out, model, &info->types, page->limit, false, width);
    write_largest(out, page, width);
    ouro_out_text(out, "\nWorth a look\n");
    for (size_t i = 0; i < info->findings.count; i++)
        write_finding(out, &info->findings.items[i], width);
    if (!info->findings.count)
        ouro_out_text(out, "  nothing unusual\n");
}

void ouro_page_doubts_text(struct ouro_out *out, const struct ouro_info *info, size_t width)
{
    bool any = false;
    for (size_t i = 0; i < info->findings.count; i++) {
        if (!ouro_finding_is_doubt(info->findings.items[i].kind))
            continue;
        if (!any)
            ouro_out_text(out, "\nHow far this can be trusted\n");
        any = true;
        ouro_sentence_write(out, &info->findings.items[i].text, width);
    }
}

void ouro_page_doubts_json(struct ouro_json *json, const struct ouro_info *info)
{
    ouro_json_bool(json, "exact", info->exact);
    ouro_json_array(json, "doubts");
    for (size_t i = 0; i < info->findings.count; i++) {
        const struct ouro_finding *finding = &info->findings.items[i];
        if (!ouro_finding_is_doubt(finding->kind))
            continue;
        ouro_json_object(json, NULL);
        ouro_json_string(json, "kind", ouro_finding_name(finding->kind));
        ouro_json_uint(json, "count", finding->count);
        ouro_json_buf(json, "text", &finding->text);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void write_meta_json(struct ouro_json *json, const struct ouro_heap_model *model)
{
    const char *key, *value;
    size_t size;
    ouro_json_object(json, "meta");
    for (size_t i = 0; ouro_snapshot_meta_each(model->snapshot, i, &key, &value, &size); i++)
        ouro_json_text(json, key, value, size);
    ouro_json_end(json);
}

static void write_uints(struct ouro_json *json, const char *key, const uint64_t *values)
{
    ouro_json_array(json, key);
    for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++)
        ouro_json_uint(json, NULL, values[g]);
    ouro_json_end(json);
}

void ouro_page_collector_fields(struct ouro_json *json, const struct ouro_heap_model *model,
                                const struct ouro_interpreter_record *it)
{
    uint64_t thread = ouro_info_collecting_thread(model->snapshot, it->id);
    ouro_json_uint(json, "id", it->id);
    ouro_json_bool(json, "gc_enabled", it->gc_enabled);
    ouro_json_bool(json, "gc_collecting", it->gc_collecting);
    if (it->gc_collecting && thread)
        ouro_json_uint(json, "gc_collecting_thread", thread);
    ouro_json_uint(json, "gc_debug", it->gc_debug);
    write_uints(json, "thresholds", it->threshold);
    ouro_json_array(json, "counts");
    for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++)
        ouro_json_int(json, NULL, it->count[g]);
    ouro_json_end(json);
    write_uints(json, "collections", it->collections);
    write_uints(json, "collected", it->collected);
    write_uints(json, "uncollectable", it->uncollectable);
    write_uints(json, "tracked", it->tracked);
    ouro_json_uint(json, "frozen", it->frozen);
}

static void write_collectors_json(struct ouro_json *json, const struct ouro_heap_model *model)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(model->snapshot, &count);
    ouro_json_array(json, "interpreters");
    for (size_t i = 0; i < count; i++) {
        ouro_json_object(json, NULL);
        ouro_page_collector_fields(json, model, &interpreters[i]);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void write_place_json(struct ouro_json *json, const struct ouro_stack_frame *frame)
{
    if (!frame) {
        ouro_json_null(json, "in");
        return;
    }
    ouro_json_object(json, "in");
    ouro_json_text(json, "function", (const char *)frame->qualname.bytes, frame->qualname.size);
    ouro_json_text(json, "file", (const char *)frame->file.bytes, frame->file.size);
    if (frame->line)
        ouro_json_uint(json, "line", frame->line);
    else
        ouro_json_null(json, "line");
    ouro_json_end(json);
}

static void write_threads_json(struct ouro_json *json, const struct ouro_waits *waits)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_array(json, "threads");
    for (size_t t = 0; t < waits->stacks->threads.count; t++) {
        const struct ouro_stack_thread *thread = &waits->stacks->threads.items[t];
        const struct ouro_thread_record *record = thread->record;
        ouro_json_object(json, NULL);
        ouro_json_uint(json, "interp", record->interpreter);
        ouro_json_uint(json, "ident", record->ident);
        ouro_json_uint(json, "native_id", record->native_id);
        ouro_json_text(json, "name", (const char *)thread->name.bytes, thread->name.size);
        ouro_json_text(json, "comm", (const char *)thread->comm.bytes, thread->comm.size);
        ouro_json_text(json, "state", &record->state, 1);
        if (record->syscall < 0)
            ouro_json_null(json, "syscall");
        else
            ouro_json_int(json, "syscall", record->syscall);
        ouro_json_bool(json, "holds_gil", record->holds_gil);
        ouro_json_string(json, "doing", ouro_thread_state_name(ouro_waits_state(waits, t)));
        ouro_json_bool(json, "deadlocked", waits->items[t].deadlock != OURO_THREAD_NONE && !waits->items[t].behind);
        text.size = 0;
        ouro_wait_add(&text, waits, t);
        if (text.size)
            ouro_json_buf(json, "waits_for", &text);
        write_place_json(json, ouro_stacks_frame(waits->stacks, thread, 0));
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void write_types_json(struct ouro_json *json, const struct ouro_heap_model *model, const struct ouro_info *info,
                             size_t limit)
{
    ouro_json_array(json, "types");
    for (size_t i = 0; i < info->types.count && (!limit || i < limit); i++) {
        const struct ouro_histogram_row *row = &info->types.items[i];
        size_t size;
        ouro_json_object(json, NULL);
        const char *text = ouro_heap_model_type_name(model, row->type, &size);
        ouro_json_text(json, "type", text, size);
        text = ouro_heap_model_type_module(model, row->type, &size);
        ouro_json_text(json, "module", text, size);
        ouro_json_uint(json, "count", row->count);
        ouro_json_uint(json, "shallow", row->shallow_bytes);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

void ouro_page_info_json(struct ouro_out *out, const struct ouro_page_info *page)
{
    const struct ouro_dominator_query query = {.grouping = OURO_DOMINATOR_GROUP_SMALL};
    const struct ouro_heap_model *model = page->model;
    const struct ouro_info *info = page->info;
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "info");
    ouro_json_uint(&json, "version", 1);
    write_meta_json(&json, model);
    ouro_json_uint(&json, "file_bytes", ouro_snapshot_file_bytes(model->snapshot));
    ouro_json_uint(&json, "objects", info->object_count);
    ouro_json_uint(&json, "size_bytes", info->size_bytes);
    ouro_json_uint(&json, "native_bytes", info->native_bytes);
    ouro_json_uint(&json, "references", info->reference_count);
    ouro_json_uint(&json, "type_count", info->types.count);
    ouro_json_uint(&json, "roots", info->root_count);
    ouro_json_uint(&json, "frames", info->frame_count);
    write_uints(&json, "tracked", info->tracked_count);
    ouro_json_uint(&json, "frozen", info->frozen_count);
    ouro_json_uint(&json, "untracked", info->untracked_count);
    ouro_json_uint(&json, "immortal", info->immortal_count);
    ouro_json_uint(&json, "finalized", info->finalized_count);
    ouro_json_bool(&json, "exact", info->exact);
    ouro_json_uint(&json, "approximate", info->approximate_count);
    ouro_json_uint(&json, "approximate_types", info->approximate_type_count);
    ouro_json_uint(&json, "checked", info->checked_count);
    ouro_json_uint(&json, "check_impossible", info->check_impossible_count);
    ouro_json_uint(&json, "torn", info->torn_count);
    ouro_json_uint(&json, "lost", info->lost_count);
    ouro_json_uint(&json, "unreachable", info->unreachable_count);
    ouro_json_uint(&json, "unreachable_bytes", info->unreachable_bytes);
    write_collectors_json(&json, model);
    write_threads_json(&json, page->waits);
    write_types_json(&json, model, info, page->limit);
    if (page->largest) {
        const struct ouro_page_dominators rows = largest_page(page, &query);
        ouro_page_largest_json(&json, &rows, page->largest);
    }
    ouro_json_array(&json, "findings");
    for (size_t i = 0; i < info->findings.count; i++) {
        const struct ouro_finding *finding = &info->findings.items[i];
        ouro_json_object(&json, NULL);
        ouro_json_string(&json, "kind", ouro_finding_name(finding->kind));
        ouro_json_uint(&json, "count", finding->count);
        ouro_json_buf(&json, "text", &finding->text);
        if (finding->command)
            ouro_json_string(&json, "command", finding->command);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_json_end(&json);
}
