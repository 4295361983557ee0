#include "analysis/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/lookup.h"
#include "analysis/syscall.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/map.h"

#define KIND_CELL 0x40u /* co_localspluskinds: CO_FAST_CELL, CO_FAST_FREE (Include/internal/pycore_code.h, 3.11 on) */
#define KIND_FREE 0x80u

#define TEXT(literal) ((struct ouro_stack_text){(const unsigned char *)(literal), sizeof(literal) - 1})

static bool text_is(struct ouro_stack_text text, const char *literal)
{
    return text.size == strlen(literal) && !memcmp(text.bytes, literal, text.size);
}

static struct ouro_stack_text string_text(const struct ouro_heap_model *model, uint32_t string)
{
    size_t size = 0;
    const char *text = ouro_snapshot_string(model->snapshot, string, &size);
    return text ? (struct ouro_stack_text){(const unsigned char *)text, size} : TEXT("");
}

/* The value of a str, or of what is named; empty when there is none. */
static struct ouro_stack_text value_text(const struct ouro_heap_model *model, ouro_node node, unsigned kind)
{
    if (node >= model->heap.count || !ouro_value_has(model, node) ||
        model->types[ouro_heap_model_type(model, node)].value_kind != kind)
        return TEXT("");
    struct ouro_stack_text text;
    text.bytes = ouro_value_raw(model, node, &text.size);
    return text;
}

static bool is_builtin(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    return node < model->heap.count && ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "builtins", name);
}

static bool is_pseudo_frame(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO &&
           ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "", "<frame>");
}

static bool is_generator(const struct ouro_heap_model *model, ouro_node node)
{
    return is_builtin(model, node, "generator") || is_builtin(model, node, "coroutine") ||
           is_builtin(model, node, "async_generator");
}

/* --- One frame. */

/* "name (file:line)", as pseudo frames, functions and code objects carry it; under --values none the name alone. */
static void split_name(struct ouro_stack_text text, struct ouro_stack_text *name, struct ouro_stack_text *file,
                       uint32_t *line)
{
    size_t end = text.size, digits, open;
    uint64_t number = 0;
    *name = text;
    if (end < 2 || text.bytes[end - 1] != ')')
        return;
    for (digits = end - 1; digits && text.bytes[digits - 1] >= '0' && text.bytes[digits - 1] <= '9'; digits--)
        ;
    if (!digits || digits == end - 1 || text.bytes[digits - 1] != ':')
        return;
    for (size_t i = digits; i < end - 1 && number <= UINT32_MAX; i++)
        number = number * 10 + (text.bytes[i] - '0');
    for (open = 1; open + 1 < digits && (text.bytes[open] != '(' || text.bytes[open - 1] != ' '); open++)
        ;
    if (open + 1 >= digits)
        return;
    *name = (struct ouro_stack_text){text.bytes, open - 1};
    *file = (struct ouro_stack_text){text.bytes + open + 1, digits - 1 - (open + 1)};
    *line = number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* What follows the last dot. */
static struct ouro_stack_text last_component(struct ouro_stack_text name)
{
    for (size_t i = name.size; i--;)
        if (name.bytes[i] == '.')
            return (struct ouro_stack_text){name.bytes + i + 1, name.size - i - 1};
    return name;
}

/* The weak field of a frame that lies in a generator; its name alone could be that of a local variable. */
static ouro_node frames_generator(const struct ouro_heap_model *model, ouro_node node)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    if (!shape->part_count || shape->parts[0].kind != OURO_PART_FIELD || shape->parts[0].edge_class != OURO_EDGE_WEAK ||
        !text_is(string_text(model, shape->parts[0].name), "generator") ||
        model->heap.slot_begin[node] == model->heap.slot_begin[node + 1])
        return OURO_NODE_NONE;
    return model->heap.slots[model->heap.slot_begin[node]];
}

/* A generator in the middle of its work shows its traverse no locals: then the pseudo frame has them. */
static bool has_own_locals(const struct ouro_heap_model *model, ouro_node node)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    return shape->part_count > 1 && shape->parts[1].kind == OURO_PART_FIELD;
}

/* Where locals and code are: each step leads on at most once, so that no circle holds us. */
static void find_holder(struct ouro_stack_frame *frame, const struct ouro_heap_model *model)
{
    ouro_node node = frame->node, generator = OURO_NODE_NONE;
    frame->holder = node;
    if (is_pseudo_frame(model, node)) {
        generator = frames_generator(model, node);
        if (generator != OURO_NODE_NONE && has_own_locals(model, node))
            return;
        if (generator != OURO_NODE_NONE)
            frame->holder = generator;
        else if (ouro_heap_model_field(model, node, "f_code") == OURO_NODE_NONE &&
                 is_builtin(model, ouro_heap_model_field(model, node, "frame"), "frame"))
            frame->holder = ouro_heap_model_field(model, node, "frame");
    }
    if (is_generator(model, frame->holder)) { /* up to 3.10 it has a frame object */
        ouro_node inside = OURO_NODE_NONE;
        static const char *const labels[] = {"gi_frame", "cr_frame", "ag_frame"};
        for (size_t i = 0; i < sizeof labels / sizeof *labels && inside == OURO_NODE_NONE; i++)
            inside = ouro_heap_model_field(model, frame->holder, labels[i]);
        if (is_builtin(model, inside, "frame"))
            frame->holder = inside;
    }
}

static void find_code(struct ouro_stack_frame *frame, const struct ouro_heap_model *model)
{
    static const char *const labels[] = {"f_code", "gi_code", "cr_code", "ag_code"};
    const ouro_node places[] = {frame->holder, frame->node, frames_generator(model, frame->node)};
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        for (size_t i = 0; i < sizeof labels / sizeof *labels && frame->code == OURO_NODE_NONE; i++) {
            ouro_node code = ouro_heap_model_field(model, places[p], labels[i]);
            if (is_builtin(model, code, "code"))
                frame->code = code;
        }
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        ouro_node function = ouro_heap_model_field(model, places[p], "f_func");
        if (frame->function == OURO_NODE_NONE && is_builtin(model, function, "function"))
            frame->function = function;
    }
}

/* A str that the file holds whole: under --values short long ones are cut, but the names of code objects are not. */
static struct ouro_stack_text whole_text(const struct ouro_heap_model *model, ouro_node node, const char *label,
                                         struct ouro_stack_text otherwise)
{
    ouro_node text = ouro_heap_model_field(model, node, label);
    bool cut = text != OURO_NODE_NONE && model->heap.flags[text] & OURO_OBJECT_VALUE_CUT;
    struct ouro_stack_text value = value_text(model, text, OURO_VALUE_STR);
    return !value.size || (cut && otherwise.size > value.size) ? otherwise : value;
}

static void find_names(struct ouro_stack_frame *frame, const struct ouro_heap_model *model)
{
    struct ouro_stack_text whole = TEXT(""), file = TEXT("");
    uint32_t line = 0, ignored;
    if (frame->code != OURO_NODE_NONE) {
        split_name(value_text(model, frame->code, OURO_VALUE_NAME), &whole, &file, &ignored);
        bool has_qualname = ouro_heap_model_field(model, frame->code, "co_qualname") != OURO_NODE_NONE;
        frame->name = whole_text(model, frame->code, "co_name", last_component(whole));
        frame->qualname = has_qualname ? whole_text(model, frame->code, "co_qualname", whole) : TEXT("");
        frame->file = whole_text(model, frame->code, "co_filename", file);
    }
    if (is_pseudo_frame(model, frame->node)) {
        split_name(value_text(model, frame->node, OURO_VALUE_NAME), &whole, &file, &line);
        if (!frame->name.size)
            frame->name = last_component(whole);
        if (!frame->qualname.size && frame->code == OURO_NODE_NONE)
            frame->qualname = whole;
        if (!frame->file.size)
            frame->file = file;
        frame->line = line;
    }
}

/* A generator that is in no frame has a name of its own, which may have been set to anything: only where its code has none. */
static void find_generator_name(struct ouro_stack_frame *frame, const struct ouro_heap_model *model)
{
    ouro_node generator = is_generator(model, frame->node) ? frame->node : frames_generator(model, frame->node);
    if (frame->qualname.size || generator == OURO_NODE_NONE || !is_generator(model, generator))
        return;
    struct ouro_stack_text text =
        value_text(model, ouro_heap_model_field(model, generator, "__qualname__"), OURO_VALUE_STR);
    struct ouro_stack_text last = last_component(text);
    if (last.size == frame->name.size && !memcmp(last.bytes, frame->name.bytes, last.size))
        frame->qualname = text;
}

bool ouro_stack_frame_read(struct ouro_stack_frame *frame, const struct ouro_heap_model *model, ouro_node node)
{
    *frame = (struct ouro_stack_frame){.node = node,
                                       .holder = node,
                                       .code = OURO_NODE_NONE,
                                       .function = OURO_NODE_NONE,
                                       .name = TEXT(""),
                                       .qualname = TEXT(""),
                                       .file = TEXT("")};
    frame->torn = node >= model->heap.count; /* a thread has it, but nobody knows where */
    if (frame->torn)
        return false;
    find_holder(frame, model);
    find_code(frame, model);
    find_names(frame, model);
    find_generator_name(frame, model);
    const ouro_node places[] = {frame->holder, frames_generator(model, node), node}; /* the best one last */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct ouro_line_record *line = ouro_snapshot_line(model->snapshot, places[i]);
        if (line) {
            frame->line = line->line;
            frame->state = line->state;
        }
    }
    frame->torn = (model->heap.flags[node] | model->heap.flags[frame->holder]) & OURO_OBJECT_TORN;
    return frame->code != OURO_NODE_NONE || frame->name.size;
}

/* --- Its local variables. */

static uint64_t tuple_count(const struct ouro_heap_model *model, ouro_node tuple)
{
    return tuple < model->heap.count ? model->heap.slot_begin[tuple + 1] - model->heap.slot_begin[tuple] : 0;
}

void ouro_local_walk_begin(struct ouro_local_walk *walk, const struct ouro_heap_model *model,
                           const struct ouro_stack_frame *frame)
{
    memset(walk, 0, sizeof *walk);
    walk->model = model;
    walk->before = TEXT("");
    walk->kinds = TEXT("");
    if (frame->code != OURO_NODE_NONE) {
        walk->kinds =
            value_text(model, ouro_heap_model_field(model, frame->code, "co_localspluskinds"), OURO_VALUE_BYTES);
        walk->cell_count = tuple_count(model, ouro_heap_model_field(model, frame->code, "co_cellvars")) +
                           tuple_count(model, ouro_heap_model_field(model, frame->code, "co_freevars"));
    }
    if (frame->holder < model->heap.count)
        ouro_part_walk_begin(&walk->parts, model, frame->holder);
}

/* Local variables follow a fixed field: f_code behind f_func in what holds a frame from 3.11 on, f_trace behind f_locals in
 * frame objects up to 3.10, "generator" in a pseudo frame that adds to a running generator's. */
static bool begins(const struct ouro_local_walk *walk, struct ouro_stack_text name)
{
    return (text_is(name, "f_code") && text_is(walk->before, "f_func")) ||
           (text_is(name, "f_trace") && text_is(walk->before, "f_locals")) ||
           (text_is(name, "generator") && walk->parts.part->edge_class == OURO_EDGE_WEAK && !walk->before.size);
}

/* A variable that inner functions share lies in a cell. One that just holds a cell is shown as such, where the code
 * tells the two apart. */
static ouro_node open_cell(const struct ouro_local_walk *walk, ouro_node node)
{
    if (!is_builtin(walk->model, node, "cell"))
        return node;
    if (walk->index < walk->kinds.size && !(walk->kinds.bytes[walk->index] & (KIND_CELL | KIND_FREE)))
        return node;
    return ouro_heap_model_field(walk->model, node, "cell_contents");
}

bool ouro_local_walk_next(struct ouro_local_walk *walk, struct ouro_stack_local *local)
{
    while (ouro_part_walk_next(&walk->parts)) {
        if (walk->parts.part->kind != OURO_PART_FIELD) {
            if (walk->inside && walk->parts.part->kind == OURO_PART_STACK)
                return false;
            continue;
        }
        struct ouro_stack_text name = string_text(walk->model, walk->parts.part->name);
        if (!walk->inside) {
            walk->inside = begins(walk, name);
            walk->before = name;
            continue;
        }
        ouro_node node = open_cell(walk, walk->model->heap.slots[walk->parts.first]);
        walk->index++;
        if (node >= walk->model->heap.count)
            continue;
        *local = (struct ouro_stack_local){name, node};
        return true;
    }
    return false;
}

ouro_node ouro_stack_frame_local(const struct ouro_heap_model *model, const struct ouro_stack_frame *frame,
                                 const char *name)
{
    struct ouro_local_walk walk;
    struct ouro_stack_local local;
    ouro_local_walk_begin(&walk, model, frame);
    while (ouro_local_walk_next(&walk, &local))
        if (text_is(local.name, name))
            return local.node;
    return OURO_NODE_NONE;
}

const ouro_node *ouro_stack_frame_values(const struct ouro_heap_model *model, const struct ouro_stack_frame *frame,
                                         uint64_t *count)
{
    const ouro_node places[] = {frame->node, frame->holder}; /* a pseudo frame may know what its frame object doesn't show */
    *count = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places && places[i] < model->heap.count; i++) {
        struct ouro_part_walk walk;
        ouro_part_walk_begin(&walk, model, places[i]);
        while (ouro_part_walk_next(&walk))
            if (walk.part->kind == OURO_PART_STACK) {
                *count = walk.item_count;
                return model->heap.slots + walk.first;
            }
    }
    return NULL;
}

/* --- All threads. */

const char *ouro_thread_state_name(enum ouro_thread_activity state)
{
    static const char *const names[] = {
        [OURO_THREAD_UNKNOWN] = "unknown",
        [OURO_THREAD_RUNNING] = "running",
        [OURO_THREAD_WAITING_GIL] = "waiting for the GIL",
        [OURO_THREAD_WAITING_LOCK] = "waiting for a lock",
        [OURO_THREAD_WAITING_THREAD] = "waiting for a thread's end",
        [OURO_THREAD_IN_SYSCALL] = "in a system call",
        [OURO_THREAD_SLEEPING] = "sleeping",
        [OURO_THREAD_STOPPED] = "stopped",
        [OURO_THREAD_UNINTERRUPTIBLE] = "uninterruptible",
    };
    return names[state];
}

static enum ouro_thread_activity state_of(const struct ouro_stack_thread *thread)
{
    uint32_t waits = thread->wait ? thread->wait->kind : OURO_WAIT_OTHER;
    switch (thread->record->state) {
    case 'T':
    case 't':
        return OURO_THREAD_STOPPED;
    case 'D':
        return OURO_THREAD_UNINTERRUPTIBLE;
    default:
        break;
    }
    if (waits == OURO_WAIT_LOCK)
        return OURO_THREAD_WAITING_LOCK;
    if (waits == OURO_WAIT_GIL)
        return OURO_THREAD_WAITING_GIL;
    if (waits == OURO_WAIT_THREAD)
        return OURO_THREAD_WAITING_THREAD;
    if (thread->record->state == 'R')
        return OURO_THREAD_RUNNING;
    if (thread->record->syscall == OURO_SYSCALL_NANOSLEEP || thread->record->syscall == OURO_SYSCALL_CLOCK_NANOSLEEP)
        return OURO_THREAD_SLEEPING;
    if (thread->record->syscall >= 0)
        return OURO_THREAD_IN_SYSCALL;
    return thread->record->state == 'S' || thread->record->state == 'I' ? OURO_THREAD_SLEEPING : OURO_THREAD_UNKNOWN;
}

static enum ouro_status add_frames(struct ouro_stacks *stacks, struct ouro_stack_thread *thread, uint64_t *budget)
{
    const struct ouro_heap_model *model = stacks->model;
    struct ouro_part_walk walk;
    thread->first_frame = stacks->frames.count;
    if (thread->record->root >= model->heap.count)
        return OURO_OK;
    ouro_part_walk_begin(&walk, model, thread->record->root);
    while (ouro_part_walk_next(&walk)) {
        if (walk.part->kind != OURO_PART_NAMED || !text_is(string_text(model, walk.part->name), "frames"))
            continue;
        for (uint64_t i = 0; i < walk.item_count && *budget; i++, --*budget) {
            struct ouro_stack_frame *frame = OURO_VEC_ADD(&stacks->frames);
            if (!frame)
                return OURO_NOMEM;
            thread->torn |= !ouro_stack_frame_read(frame, model, model->heap.slots[walk.first + i]) || frame->torn;
            thread->frame_count++;
        }
    }
    thread->torn |= (model->heap.flags[thread->record->root] & OURO_OBJECT_TORN) != 0;
    return OURO_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct ouro_stack_thread *left = a, *right = b;
    const struct ouro_thread_record *l = left->record, *r = right->record;
    if (l->interpreter != r->interpreter)
        return l->interpreter < r->interpreter ? -1 : 1;
    if (left->is_main != right->is_main)
        return left->is_main ? -1 : 1;
    if (l->native_id != r->native_id)
        return l->native_id < r->native_id ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

static enum ouro_status add_threads(struct ouro_stacks *stacks)
{
    const struct ouro_heap_model *model = stacks->model;
    size_t count, wait_count;
    const struct ouro_thread_record *records = ouro_snapshot_threads(model->snapshot, &count);
    const struct ouro_wait_record *waits = ouro_snapshot_waits(model->snapshot, &wait_count);
    uint64_t budget = model->heap.count; /* a frame belongs to one thread */
    uint64_t pid = ouro_snapshot_meta_u64(model->snapshot, OURO_META_PID, 0);
    for (size_t i = 0; i < count; i++) {
        struct ouro_stack_thread *thread = OURO_VEC_ADD(&stacks->threads);
        if (!thread)
            return OURO_NOMEM;
        thread->record = &records[i];
        thread->index = (uint32_t)i;
        thread->name = string_text(model, records[i].name);
        thread->comm = string_text(model, records[i].comm);
        thread->is_main = pid && records[i].native_id ? records[i].native_id == pid : text_is(thread->name, "MainThread");
    }
    for (size_t i = 0; i < wait_count; i++)
        if (waits[i].thread < count)
            stacks->threads.items[waits[i].thread].wait = &waits[i];
    if (count)
        qsort(stacks->threads.items, count, sizeof *stacks->threads.items, by_place);
    for (size_t i = 0; i < count; i++) {
        stacks->threads.items[i].state = state_of(&stacks->threads.items[i]);
        OURO_TRY(add_frames(stacks, &stacks->threads.items[i], &budget));
    }
    return OURO_OK;
}

/* --- Qualified names up to 3.10: those of the functions that have the code. A function that wraps() another has the other's
 * name, so that its last part must be the code's own. */

static enum ouro_status find_functions(const struct ouro_heap_model *model, struct ouro_map *by_code)
{
    uint32_t function_type = OURO_TYPE_NONE;
    for (uint32_t i = 0; i < model->type_count && function_type == OURO_TYPE_NONE; i++)
        if (ouro_lookup_is_type(model, i, "builtins", "function"))
            function_type = i;
    if (function_type == OURO_TYPE_NONE)
        return OURO_OK;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (ouro_heap_model_type(model, v) != function_type)
            continue;
        ouro_node code = ouro_heap_model_field(model, v, "__code__");
        uint64_t *found = code == OURO_NODE_NONE ? NULL : ouro_map_find(by_code, code);
        if (!found || *found != OURO_NODE_NONE)
            continue;
        struct ouro_stack_text qualname =
            value_text(model, ouro_heap_model_field(model, v, "__qualname__"), OURO_VALUE_STR);
        struct ouro_stack_text last = last_component(qualname);
        struct ouro_stack_text name = value_text(model, ouro_heap_model_field(model, code, "co_name"), OURO_VALUE_STR);
        if (last.size && last.size == name.size && !memcmp(last.bytes, name.bytes, name.size))
            *found = v;
    }
    return OURO_OK;
}

static enum ouro_status find_qualnames(struct ouro_stacks *stacks)
{
    const struct ouro_heap_model *model = stacks->model;
    OURO_GUARD(ouro_map_fini) struct ouro_map by_code = {0};
    for (size_t i = 0; i < stacks->frames.count; i++) {
        const struct ouro_stack_frame *frame = &stacks->frames.items[i];
        if (frame->qualname.size || frame->code == OURO_NODE_NONE)
            continue;
        uint64_t *function = ouro_map_put(&by_code, frame->code, NULL);
        if (!function)
            return OURO_NOMEM;
        *function = OURO_NODE_NONE;
    }
    if (by_code.count)
        OURO_TRY(find_functions(model, &by_code));
    for (size_t i = 0; i < stacks->frames.count; i++) {
        struct ouro_stack_frame *frame = &stacks->frames.items[i];
        if (frame->qualname.size)
            continue;
        uint64_t *function = frame->code == OURO_NODE_NONE ? NULL : ouro_map_find(&by_code, frame->code);
        frame->qualname = frame->name;
        if (function && *function != OURO_NODE_NONE)
            frame->qualname =
                value_text(model, ouro_heap_model_field(model, (ouro_node)*function, "__qualname__"), OURO_VALUE_STR);
    }
    return OURO_OK;
}

enum ouro_status ouro_stacks_init(struct ouro_stacks *stacks, struct ouro_heap_model *model, struct ouro_err *err)
{
    size_t line_count;
    memset(stacks, 0, sizeof *stacks);
    OURO_TRY(ouro_heap_model_load(model, OURO_STACKS_COLUMNS, err));
    stacks->model = model;
    ouro_snapshot_lines(model->snapshot, &line_count);
    stacks->has_lines = line_count > 0;
    enum ouro_status status = add_threads(stacks);
    if (status == OURO_OK)
        status = find_qualnames(stacks);
    if (status != OURO_OK) {
        ouro_stacks_fini(stacks);
        return ouro_err_set(err, status, "out of memory for the stacks");
    }
    return OURO_OK;
}

void ouro_stacks_fini(struct ouro_stacks *stacks)
{
    free(stacks->threads.items);
    free(stacks->frames.items);
    memset(stacks, 0, sizeof *stacks);
}

/* --- Threads that stand at the same places. */

static bool same_text(struct ouro_stack_text left, struct ouro_stack_text right)
{
    return left.size == right.size && !memcmp(left.bytes, right.bytes, left.size);
}

static bool same_stack(const struct ouro_stacks *stacks, size_t left, size_t right)
{
    const struct ouro_stack_thread *l = &stacks->threads.items[left], *r = &stacks->threads.items[right];
    if (l->frame_count != r->frame_count)
        return false;
    for (size_t i = 0; i < l->frame_count; i++) {
        const struct ouro_stack_frame *a = ouro_stacks_frame(stacks, l, i), *b = ouro_stacks_frame(stacks, r, i);
        if (a->code != b->code || a->line != b->line || !same_text(a->qualname, b->qualname) ||
            !same_text(a->file, b->file))
            return false;
    }
    return true;
}

enum ouro_status ouro_stacks_group(const struct ouro_stacks *stacks, uint32_t *leaders)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map by_hash = {0};
    for (size_t t = 0; t < stacks->threads.count; t++) {
        const struct ouro_stack_thread *thread = &stacks->threads.items[t];
        uint64_t hash = thread->frame_count;
        for (size_t i = 0; i < thread->frame_count; i++) {
            const struct ouro_stack_frame *frame = ouro_stacks_frame(stacks, thread, i);
            hash = (hash ^ frame->code) * UINT64_C(0x9e3779b97f4a7c15);
            hash = (hash ^ frame->line ^ hash >> 32) * UINT64_C(0xff51afd7ed558ccd);
        }
        bool added;
        uint64_t *leader = ouro_map_put(&by_hash, hash == UINT64_MAX ? 0 : hash, &added);
        if (!leader)
            return OURO_NOMEM;
        if (added)
            *leader = t;
        leaders[t] = (uint32_t)(same_stack(stacks, *leader, t) ? *leader : t);
    }
    return OURO_OK;
}
