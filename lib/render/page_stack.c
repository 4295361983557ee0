#include "render/page_stack.h"

#include <inttypes.h>
#include <stdio.h>

#include "analysis/brief.h"
#include "analysis/syscall.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/sentence.h"
#include "render/table.h"
#include "render/text.h"

#define NAME_BYTES_MAX 120 /* expressions that are longer help nobody at a glance */

static const struct ouro_heap_model *model_of(const struct ouro_page_stack *page)
{
    return page->waits->stacks->model;
}

static const struct ouro_stack_thread *thread_of(const struct ouro_page_stack *page, size_t thread)
{
    return &page->waits->stacks->threads.items[thread];
}

static bool is_consistent(const struct ouro_heap_model *model)
{
    const char *consistent = ouro_snapshot_meta(model->snapshot, OURO_META_CONSISTENT, NULL);
    return !consistent || !strcmp(consistent, "1");
}

bool ouro_page_stack_shows(const struct ouro_page_stack *page, size_t thread)
{
    const struct ouro_stack_thread *it = thread_of(page, thread);
    char tid[24];
    if (!page->thread)
        return true;
    snprintf(tid, sizeof tid, "%" PRIu64, it->record->native_id);
    return !strcmp(page->thread, tid) ||
           (it->name.size == strlen(page->thread) && !memcmp(it->name.bytes, page->thread, it->name.size));
}

/* --- Text. */

static void write_line(struct ouro_out *out, struct ouro_buf *text)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf escaped = {0};
    ouro_text_add_buf(&escaped, text);
    ouro_buf_add_byte(&escaped, '\n');
    escaped.failed |= text->failed;
    ouro_out_buf(out, &escaped);
    text->size = 0;
}

static void write_header(struct ouro_out *out, const struct ouro_page_stack *page, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_heap_model *model = model_of(page);
    size_t size, count = page->waits->stacks->threads.count;
    const char *meta = ouro_snapshot_meta(model->snapshot, OURO_META_NAME, &size);
    ouro_buf_addf(&text, "process %" PRIu64, ouro_snapshot_meta_u64(model->snapshot, OURO_META_PID, 0));
    if (meta && size) {
        ouro_buf_add_text(&text, " (");
        ouro_buf_add(&text, meta, size);
        ouro_buf_add_byte(&text, ')');
    }
    meta = ouro_snapshot_meta(model->snapshot, OURO_META_PYTHON, &size);
    if (meta && size) {
        ouro_buf_add_text(&text, ", CPython ");
        ouro_buf_add(&text, meta, size);
    }
    ouro_buf_addf(&text, ", %zu %s", count, count == 1 ? "thread" : "threads");
    const char *mode = ouro_snapshot_meta(model->snapshot, OURO_META_MODE, &size);
    if (mode && size == 4 && memcmp(mode, "live", 4) == 0)
        ouro_buf_add_text(&text, ", not stopped");
    else if (ouro_snapshot_meta(model->snapshot, OURO_META_PAUSE_NS, &size))
        ouro_buf_addf(&text, ", stood still for %.1f ms",
                      (double)ouro_snapshot_meta_u64(model->snapshot, OURO_META_PAUSE_NS, 0) / 1e6);
    ouro_sentence_write_under(out, &text, width, "", "");
    text.size = 0;
    if (!is_consistent(model)) {
        meta = ouro_snapshot_meta(model->snapshot, OURO_META_INCONSISTENT, &size);
        if (meta) {
            ouro_buf_add_text(&text, "not all is of one moment: ");
            ouro_buf_add(&text, meta, size);
        } else {
            ouro_buf_add_text(&text, "captured without stopping it: a stack may mix what was at different moments");
        }
        ouro_sentence_write(out, &text, width);
    }
    text.size = 0;
    uint64_t left_out = ouro_snapshot_meta_u64(model->snapshot, OURO_META_LEFT_OUT, 0);
    if (left_out) {
        ouro_buf_addf(&text, "%" PRIu64 " objects or pages found no room: some values and tasks are missing", left_out);
        ouro_sentence_write(out, &text, width);
    }
    text.size = 0;
    if (!page->waits->stacks->has_lines) {
        ouro_buf_add_text(&text, "written by an ouro that stored no lines: they are those of the frames' names");
        ouro_sentence_write(out, &text, width);
    }
    text.size = 0;
    if (ouro_snapshot_damaged(model->snapshot)) {
        ouro_buf_add_text(&text, "the file is damaged: threads and frames may be missing");
        ouro_sentence_write(out, &text, width);
    }
}

/* "<_thread.lock 0x7f..>, sys.modules['app'].LOCK": what a thread waits for, and where that is. */
static void add_wait(struct ouro_buf *text, const struct ouro_page_stack *page, size_t thread)
{
    const struct ouro_wait *wait = &page->waits->items[thread];
    ouro_wait_add(text, page->waits, thread);
    struct ouro_stack_text name =
        ouro_wait_names_get(page->names, wait->through != OURO_NODE_NONE ? wait->through : wait->node);
    bool is_self = wait->call && name.size && name.bytes[0] == '<'; /* of a frame of the library's: says nothing new */
    if (name.size && name.size <= NAME_BYTES_MAX && !is_self) {
        ouro_buf_add_text(text, " at ");
        ouro_buf_add(text, name.bytes, name.size);
    }
}

static void write_deadlock(struct ouro_out *out, const struct ouro_page_stack *page,
                           const struct ouro_deadlock *deadlock, size_t width)
{
    const struct ouro_waits *waits = page->waits;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (deadlock->count == 1)
        ouro_out_text(out, "\nDeadlock: a thread waits for itself\n");
    else
        ouro_out_addf(out, "\nDeadlock of %zu threads\n", deadlock->count);
    for (size_t i = 0; i < deadlock->count; i++) {
        uint32_t thread = waits->members[deadlock->first + i];
        text.size = 0;
        ouro_waits_add_thread(&text, waits, thread);
        ouro_buf_add_text(&text, " waits for ");
        add_wait(&text, page, thread);
        if (deadlock->count == 1) {
            ouro_buf_add_text(&text, ", which it has itself");
        } else if (waits->items[thread].kind == OURO_WAIT_THREAD) {
            ouro_buf_add_text(&text, ", the end of ");
            ouro_waits_add_thread(&text, waits, waits->items[thread].owner);
        } else {
            ouro_buf_add_text(&text, ", held by ");
            ouro_waits_add_thread(&text, waits, waits->items[thread].owner);
        }
        ouro_sentence_write(out, &text, width);
    }
    if (deadlock->behind_count)
        ouro_out_addf(out, "    %zu more %s for them\n", deadlock->behind_count,
                      deadlock->behind_count == 1 ? "thread waits" : "threads wait");
}

static void write_summary(struct ouro_out *out, const struct ouro_page_stack *page, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_waits *waits = page->waits;
    bool any = false;
    for (size_t i = 0; i < waits->deadlocks.count; i++)
        write_deadlock(out, page, &waits->deadlocks.items[i], width);
    if (page->tasks)
        ouro_page_task_deadlocks_text(out, page->tasks->tasks, width);
    for (size_t i = 0; i < waits->hangs.count; i++) {
        if (waits->hangs.items[i].kind == OURO_HANG_DEADLOCK)
            continue;
        ouro_out_text(out, any ? "" : "\nWorth a look\n");
        any = true;
        text.size = 0;
        ouro_hang_add(&text, waits, &waits->hangs.items[i]);
        ouro_sentence_write(out, &text, width);
    }
}

static void add_thread_title(struct ouro_buf *text, const struct ouro_page_stack *page, size_t t)
{
    const struct ouro_stack_thread *thread = thread_of(page, t);
    enum ouro_thread_activity state = ouro_waits_state(page->waits, t);
    const char *call = ouro_syscall_name(thread->record->syscall);
    ouro_buf_addf(text, "Thread %" PRIu64, thread->record->native_id);
    if (thread->name.size) {
        ouro_buf_add_text(text, " \"");
        ouro_buf_add(text, thread->name.bytes, thread->name.size);
        ouro_buf_add_byte(text, '"');
    }
    ouro_buf_addf(text, ": %s", ouro_thread_state_name(state));
    if (call && state != OURO_THREAD_RUNNING)
        ouro_buf_addf(text, " (%s)", call);
    else if (thread->record->syscall >= 0 && state != OURO_THREAD_RUNNING)
        ouro_buf_addf(text, " (system call %" PRId64 ")", thread->record->syscall);
    if (thread->record->holds_gil)
        ouro_buf_add_text(text, ", holds the GIL");
}

static void write_wait(struct ouro_out *out, const struct ouro_page_stack *page, size_t t, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_waits *waits = page->waits;
    const struct ouro_wait *wait = &waits->items[t];
    if (wait->kind != OURO_WAIT_LOCK && wait->kind != OURO_WAIT_THREAD)
        return;
    add_wait(&text, page, t);
    if (!text.size)
        return;
    if (wait->owner != OURO_THREAD_NONE) {
        ouro_buf_addf(&text, wait->kind == OURO_WAIT_THREAD ? ", the end of "
                             : wait->owner_certain          ? ", held by "
                                                            : ", perhaps held by ");
        ouro_waits_add_thread(&text, waits, wait->owner);
    } else if (wait->kind == OURO_WAIT_LOCK && !wait->call) {
        ouro_buf_add_text(&text, ", held by: unknown");
    }
    if (wait->deadlock != OURO_THREAD_NONE)
        ouro_buf_add_text(&text, wait->behind ? " (behind a deadlock)" : " (deadlock)");
    ouro_sentence_write_under(out, &text, width, "  waits for ", "            ");
}

void ouro_page_frame_text(struct ouro_out *out, const struct ouro_stack_frame *frame, const char *begin, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf name = {0}, file = {0};
    struct ouro_stack_text function = frame->qualname.size ? frame->qualname : frame->name;
    ouro_text_add(&name, function.bytes, function.size);
    if (!function.size)
        ouro_buf_add_text(&name, "<unknown>");
    ouro_text_add(&file, frame->file.bytes, frame->file.size);
    if (frame->line)
        ouro_buf_addf(&file, file.size ? ":%" PRIu32 : "line %" PRIu32, frame->line);
    /* A path that is too long loses folders from its front. */
    size_t taken = strlen(begin) + ouro_text_width(name.data, name.size) + 3, cut = 0;
    if (frame->torn)
        taken += 7;
    while (width && taken + (cut ? 4 : 0) + ouro_text_width(file.data + cut, file.size - cut) > width) {
        const unsigned char *slash = memchr(file.data + cut, '/', file.size - cut);
        if (!slash)
            break;
        cut = (size_t)(slash + 1 - file.data);
    }
    ouro_out_text(out, begin);
    ouro_out_buf(out, &name);
    if (file.size > cut) {
        ouro_out_text(out, cut ? " (.../" : " (");
        ouro_out_add(out, file.data + cut, file.size - cut);
        ouro_out_text(out, ")");
    }
    out->buf.failed |= file.failed;
    ouro_out_text(out, frame->torn ? " [torn]\n" : "\n");
}

void ouro_page_locals_text(struct ouro_out *out, const struct ouro_heap_model *model,
                           const struct ouro_stack_frame *frame, unsigned indent, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    struct ouro_local_walk walk;
    struct ouro_stack_local local;
    bool any = false;
    ouro_table_init(&table);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_local_walk_begin(&walk, model, frame);
    while (ouro_local_walk_next(&walk, &local)) {
        any = true;
        ouro_table_text(&table, local.name.bytes, local.name.size);
        text.size = 0;
        ouro_buf_addf(&text, "0x%llx", (unsigned long long)model->heap.addr[local.node]);
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_brief_add(&text, model, local.node, NULL);
        ouro_table_buf(&table, &text);
    }
    out->buf.failed |= table.text.failed | text.failed;
    if (any)
        ouro_table_write(&table, out, width, indent);
}

static void write_frames(struct ouro_out *out, const struct ouro_page_stack *page, size_t t, size_t width)
{
    const struct ouro_stack_thread *thread = thread_of(page, t);
    int digits = snprintf(NULL, 0, "%zu", thread->frame_count);
    for (size_t i = 0; i < thread->frame_count; i++) {
        const struct ouro_stack_frame *frame = ouro_stacks_frame(page->waits->stacks, thread, i);
        char begin[40];
        snprintf(begin, sizeof begin, "  #%-*zu ", digits, i);
        ouro_page_frame_text(out, frame, begin, width);
        if (page->with_locals)
            ouro_page_locals_text(out, model_of(page), frame, (unsigned)digits + 6, width);
    }
    if (!thread->frame_count)
        ouro_out_text(out, thread->torn ? "  no frame could be read\n" : "  no Python frames\n");
    else if (thread->torn)
        ouro_out_text(out, "  (some of it could not be read)\n");
}

/* Whether another thread's entry shows this one. */
static bool is_follower(const struct ouro_page_stack *page, size_t t)
{
    return page->leaders && page->leaders[t] != t;
}

static void write_followers(struct ouro_out *out, const struct ouro_page_stack *page, size_t leader, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t count = 0;
    for (size_t t = leader + 1; page->leaders && t < page->waits->stacks->threads.count; t++)
        if (page->leaders[t] == leader && ouro_page_stack_shows(page, t)) {
            ouro_buf_add_text(&text, count++ ? ", " : "");
            ouro_waits_add_thread(&text, page->waits, (uint32_t)t);
        }
    if (!count)
        return;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf whole = {0};
    ouro_buf_addf(&whole, "and %zu more at the same place: ", count);
    ouro_buf_add(&whole, text.data, text.size);
    whole.failed |= text.failed;
    ouro_sentence_write_under(out, &whole, width, "  ", "    ");
}

void ouro_page_stack_text(struct ouro_out *out, const struct ouro_page_stack *page, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_stacks *stacks = page->waits->stacks;
    uint64_t interpreter = 0; /* the main one needs no title */
    write_header(out, page, width);
    write_summary(out, page, width);
    for (size_t t = 0; t < stacks->threads.count; t++) {
        if (is_follower(page, t) || !ouro_page_stack_shows(page, t))
            continue;
        if (thread_of(page, t)->record->interpreter != interpreter) {
            interpreter = thread_of(page, t)->record->interpreter;
            ouro_out_addf(out, "\nInterpreter %" PRIu64 "\n", interpreter);
        }
        add_thread_title(&text, page, t);
        ouro_out_text(out, "\n");
        write_line(out, &text);
        write_followers(out, page, t, width);
        write_wait(out, page, t, width);
        write_frames(out, page, t, width);
    }
    if (page->tasks && ouro_page_tasks_text(out, page->tasks, width) != OURO_OK)
        out->buf.failed = true;
}

/* --- JSON. */

static void put_text(struct ouro_json *json, const char *key, struct ouro_stack_text text)
{
    if (text.size)
        ouro_json_text(json, key, text.bytes, text.size);
    else
        ouro_json_null(json, key);
}

static void put_type(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_page_add_type(&text, model, ouro_heap_model_type(model, node));
    ouro_json_buf(json, "type", &text);
}

void ouro_page_frame_fields(struct ouro_json *json, const struct ouro_heap_model *model,
                            const struct ouro_stack_frame *frame)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    struct ouro_local_walk walk;
    struct ouro_stack_local local;
    put_text(json, "function", frame->name);
    put_text(json, "qualname", frame->qualname);
    put_text(json, "file", frame->file);
    if (frame->line)
        ouro_json_uint(json, "line", frame->line);
    else
        ouro_json_null(json, "line");
    if (frame->torn)
        ouro_json_bool(json, "torn", true);
    ouro_json_array(json, "locals");
    ouro_local_walk_begin(&walk, model, frame);
    while (ouro_local_walk_next(&walk, &local)) {
        ouro_json_object(json, NULL);
        ouro_json_text(json, "name", local.name.bytes, local.name.size);
        ouro_json_addr(json, "addr", model->heap.addr[local.node]);
        put_type(json, model, local.node);
        text.size = 0;
        ouro_brief_add(&text, model, local.node, NULL);
        ouro_json_buf(json, "value", &text);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void put_owner(struct ouro_json *json, const struct ouro_waits *waits, const struct ouro_wait *wait)
{
    if (wait->owner == OURO_THREAD_NONE) {
        ouro_json_null(json, "owner");
        return;
    }
    const struct ouro_stack_thread *owner = &waits->stacks->threads.items[wait->owner];
    ouro_json_object(json, "owner");
    ouro_json_uint(json, "tid", owner->record->native_id);
    put_text(json, "name", owner->name);
    ouro_json_bool(json, "certain", wait->owner_certain);
    ouro_json_end(json);
}

static void put_expression(struct ouro_json *json, const char *key, const struct ouro_page_stack *page, ouro_node node)
{
    struct ouro_stack_text text = ouro_wait_names_get(page->names, node);
    put_text(json, key, text);
}

void ouro_page_wait_json(struct ouro_json *json, const char *key, const struct ouro_page_stack *page, size_t thread)
{
    const struct ouro_waits *waits = page->waits;
    const struct ouro_heap_model *model = waits->stacks->model;
    const struct ouro_wait *wait = &waits->items[thread];
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (wait->kind != OURO_WAIT_LOCK && wait->kind != OURO_WAIT_THREAD) {
        ouro_json_null(json, key);
        return;
    }
    ouro_json_object(json, key);
    ouro_json_string(json, "kind", wait->kind == OURO_WAIT_LOCK ? "lock" : "thread");
    if (wait->node != OURO_NODE_NONE) {
        ouro_json_addr(json, "addr", model->heap.addr[wait->node]);
        put_type(json, model, wait->node);
    } else {
        ouro_json_null(json, "addr");
        ouro_json_null(json, "type");
    }
    put_expression(json, "expression", page, wait->node);
    if (wait->call) {
        ouro_wait_add(&text, waits, thread);
        ouro_json_buf(json, "through", &text);
    } else {
        ouro_json_null(json, "through");
    }
    if (wait->through != OURO_NODE_NONE) {
        ouro_json_addr(json, "through_addr", model->heap.addr[wait->through]);
        put_expression(json, "through_expression", page, wait->through);
    }
    if (wait->inferred)
        ouro_json_bool(json, "inferred", true);
    put_owner(json, waits, wait);
    ouro_json_end(json);
}

static void put_thread(struct ouro_json *json, const struct ouro_page_stack *page, size_t t)
{
    const struct ouro_stack_thread *thread = thread_of(page, t);
    const struct ouro_thread_record *record = thread->record;
    ouro_json_object(json, NULL);
    ouro_json_uint(json, "tid", record->native_id);
    ouro_json_uint(json, "ident", record->ident);
    put_text(json, "name", thread->name);
    put_text(json, "kernel_name", thread->comm);
    ouro_json_uint(json, "interpreter", record->interpreter);
    ouro_json_string(json, "state", ouro_thread_state_name(ouro_waits_state(page->waits, t)));
    ouro_json_text(json, "kernel_state", &record->state, record->state ? 1 : 0);
    if (record->syscall >= 0) {
        ouro_json_object(json, "syscall");
        ouro_json_int(json, "number", record->syscall);
        if (ouro_syscall_name(record->syscall))
            ouro_json_string(json, "name", ouro_syscall_name(record->syscall));
        else
            ouro_json_null(json, "name");
        ouro_json_end(json);
    } else {
        ouro_json_null(json, "syscall");
    }
    ouro_json_bool(json, "holds_gil", record->holds_gil);
    if (thread->torn)
        ouro_json_bool(json, "torn", true);
    if (page->leaders && page->leaders[t] != t)
        ouro_json_uint(json, "same_as", thread_of(page, page->leaders[t])->record->native_id);
    ouro_page_wait_json(json, "waits_for", page, t);
    ouro_json_array(json, "frames");
    for (size_t i = 0; i < thread->frame_count; i++) {
        ouro_json_object(json, NULL);
        ouro_json_uint(json, "index", i);
        ouro_page_frame_fields(json, model_of(page), ouro_stacks_frame(page->waits->stacks, thread, i));
        ouro_json_end(json);
    }
    ouro_json_end(json);
    ouro_json_end(json);
}

static void put_deadlocks(struct ouro_json *json, const struct ouro_page_stack *page)
{
    const struct ouro_waits *waits = page->waits;
    ouro_json_array(json, "deadlocks");
    for (size_t i = 0; i < waits->deadlocks.count; i++) {
        const struct ouro_deadlock *deadlock = &waits->deadlocks.items[i];
        ouro_json_array(json, NULL);
        for (size_t m = 0; m < deadlock->count; m++) {
            uint32_t thread = waits->members[deadlock->first + m];
            ouro_json_object(json, NULL);
            ouro_json_uint(json, "thread", waits->stacks->threads.items[thread].record->native_id);
            ouro_page_wait_json(json, "waits_for", page, thread);
            ouro_json_end(json);
        }
        ouro_json_end(json);
    }
    if (page->tasks)
        ouro_page_task_deadlocks_json(json, page->tasks->tasks);
    ouro_json_end(json);
}

static void put_hangs(struct ouro_json *json, const struct ouro_waits *waits)
{
    static const char *const kinds[] = {
        [OURO_HANG_DEADLOCK] = "deadlock", [OURO_HANG_LOCKED] = "locked",     [OURO_HANG_GIL] = "gil",
        [OURO_HANG_COLLECTING] = "collecting", [OURO_HANG_ALL_WAIT] = "all_wait",
    };
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_array(json, "hangs");
    for (size_t i = 0; i < waits->hangs.count; i++) {
        text.size = 0;
        ouro_hang_add(&text, waits, &waits->hangs.items[i]);
        ouro_json_object(json, NULL);
        ouro_json_string(json, "kind", kinds[waits->hangs.items[i].kind]);
        ouro_json_buf(json, "text", &text);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

void ouro_page_stack_json(struct ouro_out *out, const struct ouro_page_stack *page)
{
    const struct ouro_heap_model *model = model_of(page);
    struct ouro_json json;
    size_t size;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "stack");
    ouro_json_uint(&json, "version", 1);
    ouro_json_uint(&json, "pid", ouro_snapshot_meta_u64(model->snapshot, OURO_META_PID, 0));
    const char *python = ouro_snapshot_meta(model->snapshot, OURO_META_PYTHON, &size);
    ouro_json_text(&json, "python", python ? python : "", python ? size : 0);
    ouro_json_bool(&json, "consistent", is_consistent(model));
    const char *why = ouro_snapshot_meta(model->snapshot, OURO_META_INCONSISTENT, &size);
    if (why)
        ouro_json_text(&json, "inconsistent", why, size);
    uint64_t left_out = ouro_snapshot_meta_u64(model->snapshot, OURO_META_LEFT_OUT, 0);
    if (left_out)
        ouro_json_uint(&json, "left_out", left_out);
    if (ouro_snapshot_meta(model->snapshot, OURO_META_PAUSE_NS, &size))
        ouro_json_uint(&json, "pause_ns", ouro_snapshot_meta_u64(model->snapshot, OURO_META_PAUSE_NS, 0));
    else
        ouro_json_null(&json, "pause_ns");
    ouro_json_bool(&json, "has_lines", page->waits->stacks->has_lines);
    ouro_json_array(&json, "threads");
    for (size_t t = 0; t < page->waits->stacks->threads.count; t++)
        if (ouro_page_stack_shows(page, t))
            put_thread(&json, page, t);
    ouro_json_end(&json);
    if (page->tasks) {
        ouro_page_tasks_json(&json, page->tasks->tasks);
    } else {
        ouro_json_array(&json, "tasks");
        ouro_json_end(&json);
    }
    put_deadlocks(&json, page);
    put_hangs(&json, page->waits);
    ouro_json_end(&json);
}
