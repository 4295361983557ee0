#include "analysis/waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/brief.h"
#include "analysis/info.h"
#include "analysis/lookup.h"
#include "analysis/syscall.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/map.h"

#define MEANING_FRAMES_MAX 16 /* frames of the library that one wait goes through */
#define GUESS_SLOTS_MAX    256 /* of an object that a local variable holds */

static bool text_is(struct ouro_stack_text text, const char *literal)
{
    return text.size == strlen(literal) && !memcmp(text.bytes, literal, text.size);
}

static bool text_ends(struct ouro_stack_text text, const char *literal)
{
    size_t size = strlen(literal);
    return text.size >= size && !memcmp(text.bytes + text.size - size, literal, size);
}

static bool derives_from(const struct ouro_heap_model *model, ouro_node node, const char *module, const char *name)
{
    return node < model->heap.count && ouro_lookup_derives(model, ouro_heap_model_type(model, node), module, name);
}

static bool is_builtin(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    return node < model->heap.count && ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "builtins", name);
}

/* What an instance has by this name itself: among its inline values, in its dict, or among its dict's shared keys. */
static ouro_node attribute(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    char label[64];
    snprintf(label, sizeof label, ".%s", name);
    ouro_node found = ouro_heap_model_field(model, node, label);
    if (found != OURO_NODE_NONE)
        return found;
    ouro_node dict = ouro_heap_model_field(model, node, "__dict__");
    found = ouro_heap_model_field(model, dict, label);
    return found != OURO_NODE_NONE ? found : ouro_lookup_entry(model, dict, name);
}

/* A positive int of at most 64 bits; 0: none. */
static uint64_t number(const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    uint64_t value = 0;
    if (node >= model->heap.count || !ouro_value_has(model, node) ||
        model->types[ouro_heap_model_type(model, node)].value_kind != OURO_VALUE_INT)
        return 0;
    const unsigned char *bytes = ouro_value_raw(model, node, &size);
    if (!size || size > 9 || bytes[size - 1] & 0x80 || (size == 9 && bytes[8]))
        return 0;
    for (size_t i = size; i--;)
        value = value << 8 | bytes[i];
    return value;
}

/* --- Which thread is meant. */

struct finder {
    struct ouro_waits *waits;
    const struct ouro_stacks *stacks;
    const struct ouro_heap_model *model;
    struct ouro_map idents;  /* of an interpreter's thread: index + 1 */
    struct ouro_map ends;    /* by lock or handle that a thread's end frees: index + 1 */
    struct ouro_map holders; /* by lock: index + 1 of who is inside of `with` */
    struct ouro_map exits, enters; /* __exit__ and __enter__ by the __dict__ of a class */
    uint32_t *marks;         /* owned; by thread */
};

static uint64_t ident_key(uint64_t ident, uint64_t interpreter)
{
    uint64_t key = ident ^ interpreter * UINT64_C(0x9e3779b97f4a7c15);
    return key == UINT64_MAX ? 0 : key;
}

static uint32_t thread_by_ident(const struct finder *finder, uint64_t ident, uint64_t interpreter)
{
    uint64_t *found = ident ? ouro_map_find(&finder->idents, ident_key(ident, interpreter)) : NULL;
    return found ? (uint32_t)*found - 1 : OURO_THREAD_NONE;
}

/* The first one stays. */
static bool put_first(struct ouro_map *map, uint64_t key, uint64_t value)
{
    bool added;
    uint64_t *place = ouro_map_put(map, key, &added);
    if (place && added)
        *place = value;
    return place != NULL;
}

/* The Thread object is `self` of the outermost frame, Thread._bootstrap. */
static ouro_node thread_object(const struct finder *finder, const struct ouro_stack_thread *thread)
{
    const struct ouro_stack_frame *frame = ouro_stacks_frame(finder->stacks, thread, thread->frame_count - 1);
    ouro_node self = frame && text_is(frame->name, "_bootstrap")
                         ? ouro_stack_frame_local(finder->model, frame, "self")
                         : OURO_NODE_NONE;
    return derives_from(finder->model, self, "threading", "Thread") ? self : OURO_NODE_NONE;
}

static enum ouro_status find_threads(struct finder *finder)
{
    for (size_t t = 0; t < finder->stacks->threads.count; t++) {
        const struct ouro_stack_thread *thread = &finder->stacks->threads.items[t];
        ouro_node object = thread_object(finder, thread);
        const ouro_node ends[] = {attribute(finder->model, object, "_tstate_lock"),
                                  attribute(finder->model, object, "_handle")};
        if (!put_first(&finder->idents, ident_key(thread->record->ident, thread->record->interpreter), t + 1))
            return OURO_NOMEM;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            if (ends[i] != OURO_NODE_NONE && !is_builtin(finder->model, ends[i], "NoneType") &&
                !put_first(&finder->ends, ends[i], t + 1))
                return OURO_NOMEM;
    }
    return OURO_OK;
}

/* --- Who is inside of `with lock:`. */

enum with_step { STEP_NONE, STEP_ENTER, STEP_EXIT };

static bool has_name(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    struct ouro_stack_text text;
    if (node >= model->heap.count || !ouro_value_has(model, node) ||
        model->types[ouro_heap_model_type(model, node)].value_kind != OURO_VALUE_NAME)
        return false;
    text.bytes = ouro_value_raw(model, node, &text.size);
    for (size_t i = 1; i < text.size; i++) /* "Condition.__exit__ (file:line)" */
        if (text.bytes[i] == '(' && text.bytes[i - 1] == ' ')
            text.size = i - 1;
    return text_ends(text, name);
}

/* What a bound method on the stack is. */
static enum with_step bound_step(const struct ouro_heap_model *model, ouro_node value, ouro_node *self)
{
    bool is_method = is_builtin(model, value, "method");
    if (!is_method && !is_builtin(model, value, "builtin_function_or_method"))
        return STEP_NONE;
    *self = ouro_heap_model_field(model, value, "__self__");
    if (is_method)
        value = ouro_heap_model_field(model, value, "__func__");
    return has_name(model, value, "__exit__") ? STEP_EXIT : has_name(model, value, "__enter__") ? STEP_ENTER : STEP_NONE;
}

/* Of a class whose names were not captured (OURO_META_SCOPE): by the name of the function itself. */
static bool is_method_named(const struct ouro_heap_model *model, uint32_t type, ouro_node method, const char *name)
{
    size_t size;
    if (ouro_heap_model_field(model, model->types[type].node, "__dict__") < model->heap.count)
        return false;
    ouro_node of = ouro_heap_model_field(model, method, "__name__");
    if (is_builtin(model, method, "function") || of >= model->heap.count || !ouro_value_has(model, of))
        return has_name(model, method, name);
    const unsigned char *text = ouro_value_raw(model, of, &size);
    return size == strlen(name) && !memcmp(text, name, size);
}

/* The lock that leaving this object frees. */
static ouro_node lock_of(const struct ouro_heap_model *model, ouro_node object)
{
    return derives_from(model, object, "threading", "Condition") ? attribute(model, object, "_lock") : object;
}

/* One entry of the value stack: `with` keeps either the bound __exit__, or (3.14 on, LOAD_SPECIAL) the class's and behind it
 * the object; while __enter__ runs, that lies above, likewise. Returns how many values it takes. */
static unsigned read_step(struct finder *finder, const ouro_node *values, uint64_t left, enum with_step *step,
                          ouro_node *self)
{
    const struct ouro_heap_model *model = finder->model;
    *self = OURO_NODE_NONE;
    *step = bound_step(model, values[0], self);
    if (*step != STEP_NONE || left < 2 || values[1] >= model->heap.count ||
        !(is_builtin(model, values[0], "method_descriptor") || is_builtin(model, values[0], "function")))
        return 1;
    uint32_t type = ouro_heap_model_type(model, values[1]);
    if (type >= model->type_count)
        return 1;
    if (ouro_lookup_method(model, type, "__exit__", &finder->exits) == values[0] ||
        is_method_named(model, type, values[0], "__exit__"))
        *step = STEP_EXIT;
    else if (ouro_lookup_method(model, type, "__enter__", &finder->enters) == values[0] ||
             is_method_named(model, type, values[0], "__enter__"))
        *step = STEP_ENTER;
    else
        return 1;
    *self = values[1];
    return 2;
}

/* Whether a frame further in has given the lock back for as long as it waits: Condition.wait. */
static bool is_released(const struct finder *finder, const struct ouro_stack_thread *thread, size_t before,
                        ouro_node lock)
{
    for (size_t i = 0; i < before && i < MEANING_FRAMES_MAX; i++) {
        const struct ouro_stack_frame *frame = ouro_stacks_frame(finder->stacks, thread, i);
        if (!text_is(frame->name, "wait"))
            continue;
        ouro_node self = ouro_stack_frame_local(finder->model, frame, "self");
        if (derives_from(finder->model, self, "threading", "Condition") &&
            attribute(finder->model, self, "_lock") == lock)
            return true;
    }
    return false;
}

static enum ouro_status find_held_by(struct finder *finder, size_t t, size_t i)
{
    const struct ouro_stack_thread *thread = &finder->stacks->threads.items[t];
    uint64_t count;
    const ouro_node *values =
        ouro_stack_frame_values(finder->model, ouro_stacks_frame(finder->stacks, thread, i), &count);
    for (uint64_t v = 0; v < count;) {
        enum with_step step, next;
        ouro_node self, entered;
        v += read_step(finder, values + v, count - v, &step, &self);
        if (step != STEP_EXIT || self == OURO_NODE_NONE)
            continue;
        if (v < count) {
            read_step(finder, values + v, count - v, &next, &entered);
            if (next == STEP_ENTER && entered == self)
                continue;
        }
        ouro_node lock = lock_of(finder->model, self);
        if (lock == OURO_NODE_NONE || is_released(finder, thread, i, lock))
            continue;
        if (!put_first(&finder->holders, lock, t + 1))
            return OURO_NOMEM;
    }
    return OURO_OK;
}

static enum ouro_status find_holders(struct finder *finder)
{
    for (size_t t = 0; t < finder->stacks->threads.count; t++)
        for (size_t i = 0; i < finder->stacks->threads.items[t].frame_count; i++)
            OURO_TRY(find_held_by(finder, t, i));
    return OURO_OK;
}

/* --- What a wait means. */

struct rule {
    const char *function, *module, *type, *call;
    bool idle; /* to wait there is what a thread does that has nothing to do */
};

static const struct rule rules[] = {
    {"wait", "threading", "Condition", "Condition.wait", true},
    {"wait_for", "threading", "Condition", "Condition.wait_for", true},
    {"__enter__", "threading", "Condition", "Condition.acquire", false},
    {"wait", "threading", "Event", "Event.wait", true},
    {"acquire", "threading", "Semaphore", "Semaphore.acquire", false},
    {"wait", "threading", "Barrier", "Barrier.wait", false},
    {"_wait", "threading", "Barrier", "Barrier.wait", false},
    {"_enter", "threading", "Barrier", "Barrier.wait", false},
    {"get", "queue", "Queue", "Queue.get", true},
    {"put", "queue", "Queue", "Queue.put", false},
    {"join", "queue", "Queue", "Queue.join", false},
    {"join", "threading", "Thread", "Thread.join", false},
    {"_wait_for_tstate_lock", "threading", "Thread", "Thread.join", false},
    {"start", "threading", "Thread", "Thread.start", false},
    {"result", "concurrent.futures._base", "Future", "Future.result", false},
    {"exception", "concurrent.futures._base", "Future", "Future.exception", false},
    {"acquire", "_frozen_importlib", "_ModuleLock", "import", false},
    {"acquire", "importlib._bootstrap", "_ModuleLock", "import", false},
};

/* Functions without self that only wait for something inside. */
static const struct {
    const char *function, *file, *call;
} functions[] = {
    {"_shutdown", "threading.py", "threading._shutdown"},
    {"wait", "concurrent/futures/_base.py", "concurrent.futures.wait"},
    {"as_completed", "concurrent/futures/_base.py", "concurrent.futures.as_completed"},
};

static const struct rule *find_rule(const struct ouro_heap_model *model, const struct ouro_stack_frame *frame,
                                    ouro_node *self)
{
    *self = OURO_NODE_NONE;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!text_is(frame->name, rules[i].function))
            continue;
        if (*self == OURO_NODE_NONE)
            *self = ouro_stack_frame_local(model, frame, "self");
        if (derives_from(model, *self, rules[i].module, rules[i].type))
            return &rules[i];
    }
    return NULL;
}

/* The lock or handle that the innermost frame of the library waits for, where nothing native told. */
static ouro_node infer_node(const struct ouro_heap_model *model, const struct ouro_stack_frame *frame,
                            const struct rule *rule, ouro_node self)
{
    if (!strcmp(rule->call, "Condition.wait"))
        return ouro_stack_frame_local(model, frame, "waiter");
    if (!strcmp(rule->call, "Condition.acquire"))
        return attribute(model, self, "_lock");
    if (!strcmp(rule->call, "Thread.join")) {
        ouro_node lock = attribute(model, self, "_tstate_lock");
        return lock != OURO_NODE_NONE ? lock : attribute(model, self, "_handle");
    }
    return OURO_NODE_NONE;
}

/* Whose end or release a rule's object says. */
static void find_meant(const struct finder *finder, size_t t, const struct rule *rule, ouro_node self)
{
    struct ouro_wait *wait = &finder->waits->items[t];
    uint64_t interpreter = finder->stacks->threads.items[t].record->interpreter;
    const char *name = !strcmp(rule->call, "Thread.join") ? "_ident" : !strcmp(rule->call, "import") ? "owner" : NULL;
    uint32_t owner =
        name ? thread_by_ident(finder, number(finder->model, attribute(finder->model, self, name)), interpreter)
             : OURO_THREAD_NONE;
    if (owner != OURO_THREAD_NONE) {
        wait->owner = owner;
        wait->owner_certain = true;
    }
}

/* From the innermost frame outwards, as long as they are the library's own; the outermost of them is what the program called. */
static void find_meaning(const struct finder *finder, size_t t)
{
    const struct ouro_stack_thread *thread = &finder->stacks->threads.items[t];
    struct ouro_wait *wait = &finder->waits->items[t];
    for (size_t i = 0; i < thread->frame_count && i < MEANING_FRAMES_MAX; i++) {
        const struct ouro_stack_frame *frame = ouro_stacks_frame(finder->stacks, thread, i);
        ouro_node self;
        const struct rule *rule = find_rule(finder->model, frame, &self);
        if (rule) {
            if (wait->inferred && !i)
                wait->node = infer_node(finder->model, frame, rule, self);
            wait->call = rule->call;
            wait->through = self;
            wait->alarming = !rule->idle;
            find_meant(finder, t, rule, self);
            continue;
        }
        size_t f = 0, count = sizeof functions / sizeof *functions;
        while (f < count && !(text_is(frame->name, functions[f].function) && text_ends(frame->file, functions[f].file)))
            f++;
        if (f == count)
            break;
        wait->call = functions[f].call;
        wait->through = OURO_NODE_NONE;
        wait->alarming = false;
    }
    if (!wait->call)
        wait->alarming = true;
}

static void begin_wait(const struct finder *finder, size_t t, bool has_facts)
{
    const struct ouro_stack_thread *thread = &finder->stacks->threads.items[t];
    struct ouro_wait *wait = &finder->waits->items[t];
    *wait = (struct ouro_wait){.kind = OURO_WAIT_OTHER,
                               .node = OURO_NODE_NONE,
                               .through = OURO_NODE_NONE,
                               .owner = OURO_THREAD_NONE,
                               .deadlock = OURO_THREAD_NONE};
    if (thread->wait) {
        wait->kind = thread->wait->kind;
        wait->node = thread->wait->node < finder->model->heap.count ? thread->wait->node : OURO_NODE_NONE;
    }
    /* Without a word of the native side, the frames are believed of a thread that sleeps in the right system call. */
    bool sleeps = thread->record->syscall == OURO_SYSCALL_FUTEX || thread->record->syscall < 0;
    if (wait->kind == OURO_WAIT_OTHER && (thread->wait || !has_facts) && thread->record->state != 'R' && sleeps)
        wait->inferred = true;
    if (wait->kind == OURO_WAIT_LOCK || wait->kind == OURO_WAIT_THREAD || wait->inferred)
        find_meaning(finder, t);
    if (wait->call && !strcmp(wait->call, "Thread.join")) {
        wait->kind = OURO_WAIT_THREAD; /* up to 3.12 a lock stands for the thread's end */
    } else if (wait->inferred && wait->call) {
        wait->kind = OURO_WAIT_LOCK;
    } else if (wait->inferred) {
        wait->inferred = wait->alarming = false;
        wait->node = OURO_NODE_NONE;
    }
}

static void find_owner(const struct finder *finder, size_t t)
{
    struct ouro_wait *wait = &finder->waits->items[t];
    if (wait->node == OURO_NODE_NONE || wait->owner != OURO_THREAD_NONE)
        return;
    const struct ouro_lock_record *lock = ouro_snapshot_lock(finder->model->snapshot, wait->node);
    uint64_t interpreter = finder->stacks->threads.items[t].record->interpreter;
    uint32_t owner = lock ? thread_by_ident(finder, lock->owner, interpreter) : OURO_THREAD_NONE;
    uint64_t *end = ouro_map_find(&finder->ends, wait->node), *holder = ouro_map_find(&finder->holders, wait->node);
    if (end)
        wait->kind = OURO_WAIT_THREAD;
    if (owner == OURO_THREAD_NONE && (end || holder))
        owner = (uint32_t)(end ? *end : *holder) - 1;
    wait->owner = owner;
    wait->owner_certain = owner != OURO_THREAD_NONE;
}

/* --- Guesses: of a lock that was taken by acquire() the only other thread that has it among its local variables, or in an object
 * there, and does not wait for it itself. */

#define GUESS_NOBODY 0u /* else index + 1 */
#define GUESS_SEVERAL UINT64_MAX

static void guess_one(const struct finder *finder, struct ouro_map *wanted, ouro_node node, uint32_t thread)
{
    uint64_t *guess = node == OURO_NODE_NONE ? NULL : ouro_map_find(wanted, node);
    if (guess && finder->waits->items[thread].node != node && *guess != thread + 1)
        *guess = *guess == GUESS_NOBODY ? thread + 1 : GUESS_SEVERAL;
}

/* What an object refers to, as far as that is few. */
static void guess_inside(const struct finder *finder, struct ouro_map *wanted, ouro_node node, uint32_t thread)
{
    const struct ouro_heap *heap = &finder->model->heap;
    uint64_t end = heap->slot_begin[node + 1];
    if (end - heap->slot_begin[node] > GUESS_SLOTS_MAX)
        end = heap->slot_begin[node] + GUESS_SLOTS_MAX;
    for (uint64_t i = heap->slot_begin[node]; i < end; i++)
        guess_one(finder, wanted, heap->slots[i], thread);
}

static void guess_by_frame(const struct finder *finder, struct ouro_map *wanted, const struct ouro_stack_frame *frame,
                           uint32_t thread)
{
    struct ouro_local_walk walk;
    struct ouro_stack_local local;
    ouro_local_walk_begin(&walk, finder->model, frame);
    while (ouro_local_walk_next(&walk, &local)) {
        ouro_node dict = ouro_heap_model_field(finder->model, local.node, "__dict__");
        guess_one(finder, wanted, local.node, thread);
        guess_inside(finder, wanted, local.node, thread);
        if (dict != OURO_NODE_NONE)
            guess_inside(finder, wanted, dict, thread);
    }
}

static enum ouro_status guess_owners(struct finder *finder)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map wanted = {0};
    const struct ouro_stacks *stacks = finder->stacks;
    struct ouro_wait *waits = finder->waits->items;
    for (size_t t = 0; t < stacks->threads.count; t++)
        if (waits[t].kind == OURO_WAIT_LOCK && !waits[t].call && waits[t].owner == OURO_THREAD_NONE &&
            waits[t].node != OURO_NODE_NONE && !ouro_map_put(&wanted, waits[t].node, NULL))
            return OURO_NOMEM;
    if (!wanted.count)
        return OURO_OK;
    for (size_t t = 0; t < stacks->threads.count; t++)
        for (size_t i = 0; i < stacks->threads.items[t].frame_count; i++)
            guess_by_frame(finder, &wanted, ouro_stacks_frame(stacks, &stacks->threads.items[t], i), (uint32_t)t);
    for (size_t t = 0; t < stacks->threads.count; t++) {
        uint64_t *guess = waits[t].owner == OURO_THREAD_NONE && !waits[t].call && waits[t].node != OURO_NODE_NONE
                              ? ouro_map_find(&wanted, waits[t].node)
                              : NULL;
        if (guess && *guess != GUESS_NOBODY && *guess != GUESS_SEVERAL)
            waits[t].owner = (uint32_t)*guess - 1;
    }
    return OURO_OK;
}

/* --- Circles. Each thread waits for one at most: a walk along the owners meets itself, or what an earlier walk has met. */

static void take_circle(struct finder *finder, uint32_t thread, size_t *member_count, struct ouro_deadlock *deadlock)
{
    struct ouro_waits *waits = finder->waits;
    uint32_t index = (uint32_t)(waits->deadlocks.count - 1), t = thread;
    deadlock->first = *member_count;
    do {
        waits->members[(*member_count)++] = t;
        waits->items[t].deadlock = index;
        t = waits->items[t].owner;
    } while (t != thread);
    deadlock->count = *member_count - deadlock->first;
}

static enum ouro_status find_deadlocks(struct finder *finder)
{
    struct ouro_waits *waits = finder->waits;
    size_t count = finder->stacks->threads.count, member_count = 0;
    for (uint32_t start = 0; start < count; start++) {
        uint32_t t = start, found;
        while (t != OURO_THREAD_NONE && !finder->marks[t]) {
            finder->marks[t] = start + 1;
            t = waits->items[t].owner_certain ? waits->items[t].owner : OURO_THREAD_NONE;
        }
        if (t != OURO_THREAD_NONE && finder->marks[t] == start + 1 && waits->items[t].deadlock == OURO_THREAD_NONE) {
            struct ouro_deadlock *deadlock = OURO_VEC_ADD(&waits->deadlocks);
            if (!deadlock)
                return OURO_NOMEM;
            take_circle(finder, t, &member_count, deadlock);
        }
        found = t == OURO_THREAD_NONE ? OURO_THREAD_NONE : waits->items[t].deadlock;
        for (t = start; found != OURO_THREAD_NONE && waits->items[t].deadlock == OURO_THREAD_NONE;
             t = waits->items[t].owner) {
            waits->items[t].deadlock = found;
            waits->items[t].behind = true;
            waits->deadlocks.items[found].behind_count++;
        }
    }
    return OURO_OK;
}

/* --- What looks hung. */

static enum ouro_status add_hang(struct ouro_waits *waits, enum ouro_hang_kind kind, uint32_t index, size_t count)
{
    struct ouro_hang *hang = OURO_VEC_ADD(&waits->hangs);
    if (!hang)
        return OURO_NOMEM;
    *hang = (struct ouro_hang){kind, index, count};
    return OURO_OK;
}

/* Threads that others wait for: how many end at each of those that wait for nobody. */
static enum ouro_status find_blockers(struct finder *finder)
{
    struct ouro_waits *waits = finder->waits;
    size_t count = finder->stacks->threads.count;
    memset(finder->marks, 0, count * sizeof *finder->marks);
    for (size_t t = 0; t < count; t++)
        if (waits->items[t].deadlock == OURO_THREAD_NONE && waits->items[t].owner_certain &&
            waits->items[t].kind == OURO_WAIT_LOCK)
            finder->marks[waits->items[t].owner]++;
    for (size_t t = 0; t < count; t++)
        if (finder->marks[t] && waits->items[t].deadlock == OURO_THREAD_NONE)
            OURO_TRY(add_hang(waits, OURO_HANG_LOCKED, (uint32_t)t, finder->marks[t]));
    return OURO_OK;
}

static enum ouro_status find_gil_trouble(struct finder *finder)
{
    const struct ouro_stacks *stacks = finder->stacks;
    size_t interpreter_count;
    const struct ouro_interpreter_record *interpreters =
        ouro_snapshot_interpreters(finder->model->snapshot, &interpreter_count);
    for (size_t i = 0; i < interpreter_count; i++) {
        uint32_t holder = OURO_THREAD_NONE, collecting = OURO_THREAD_NONE;
        uint64_t collector = ouro_info_collecting_thread(finder->model->snapshot, interpreters[i].id);
        size_t waiting = 0;
        for (size_t t = 0; t < stacks->threads.count; t++) {
            const struct ouro_stack_thread *thread = &stacks->threads.items[t];
            if (thread->record->interpreter != interpreters[i].id)
                continue;
            waiting += finder->waits->items[t].kind == OURO_WAIT_GIL;
            if (thread->record->holds_gil)
                holder = (uint32_t)t;
            if (collector && thread->record->native_id == collector)
                collecting = (uint32_t)t;
        }
        if (interpreters[i].gc_collecting)
            OURO_TRY(add_hang(finder->waits, OURO_HANG_COLLECTING, collecting, waiting));
        else if (holder != OURO_THREAD_NONE && waiting &&
                 (stacks->threads.items[holder].record->syscall >= 0 ||
                  stacks->threads.items[holder].record->state == 'S' ||
                  stacks->threads.items[holder].record->state == 'D'))
            OURO_TRY(add_hang(finder->waits, OURO_HANG_GIL, holder, waiting));
    }
    return OURO_OK;
}

static enum ouro_status find_hangs(struct finder *finder)
{
    struct ouro_waits *waits = finder->waits;
    size_t count = finder->stacks->threads.count, stuck = 0, alarming = 0;
    for (size_t i = 0; i < waits->deadlocks.count; i++)
        OURO_TRY(add_hang(waits, OURO_HANG_DEADLOCK, (uint32_t)i, waits->deadlocks.items[i].count));
    OURO_TRY(find_gil_trouble(finder));
    OURO_TRY(find_blockers(finder));
    for (size_t t = 0; t < count; t++) {
        stuck += waits->items[t].kind == OURO_WAIT_LOCK || waits->items[t].kind == OURO_WAIT_THREAD;
        alarming += waits->items[t].alarming;
    }
    if (count && stuck == count && alarming && !waits->deadlocks.count) /* which says it better */
        OURO_TRY(add_hang(waits, OURO_HANG_ALL_WAIT, OURO_THREAD_NONE, count));
    return OURO_OK;
}

static void finder_fini(struct finder *finder)
{
    ouro_map_fini(&finder->idents);
    ouro_map_fini(&finder->ends);
    ouro_map_fini(&finder->holders);
    ouro_map_fini(&finder->exits);
    ouro_map_fini(&finder->enters);
    free(finder->marks);
}

static enum ouro_status find_all(struct finder *finder)
{
    size_t count = finder->stacks->threads.count, wait_count;
    ouro_snapshot_waits(finder->model->snapshot, &wait_count);
    OURO_TRY(find_threads(finder));
    OURO_TRY(find_holders(finder));
    for (size_t t = 0; t < count; t++) {
        begin_wait(finder, t, wait_count > 0);
        find_owner(finder, t);
    }
    OURO_TRY(guess_owners(finder));
    OURO_TRY(find_deadlocks(finder));
    return find_hangs(finder);
}

enum ouro_status ouro_waits_init(struct ouro_waits *waits, const struct ouro_stacks *stacks, struct ouro_err *err)
{
    OURO_GUARD(finder_fini) struct finder finder = {.waits = waits, .stacks = stacks, .model = stacks->model};
    size_t count = stacks->threads.count;
    memset(waits, 0, sizeof *waits);
    waits->stacks = stacks;
    waits->items = calloc(count + 1, sizeof *waits->items);
    waits->members = calloc(count + 1, sizeof *waits->members);
    finder.marks = calloc(count + 1, sizeof *finder.marks);
    enum ouro_status status = waits->items && waits->members && finder.marks ? find_all(&finder) : OURO_NOMEM;
    if (status != OURO_OK) {
        ouro_waits_fini(waits);
        return ouro_err_set(err, status, "out of memory for what threads wait for");
    }
    return OURO_OK;
}

void ouro_waits_fini(struct ouro_waits *waits)
{
    free(waits->items);
    free(waits->members);
    free(waits->deadlocks.items);
    free(waits->hangs.items);
    memset(waits, 0, sizeof *waits);
}

/* --- Words. */

enum ouro_thread_activity ouro_waits_state(const struct ouro_waits *waits, size_t thread)
{
    enum ouro_thread_activity state = waits->stacks->threads.items[thread].state;
    const struct ouro_wait *wait = &waits->items[thread];
    if (state == OURO_THREAD_STOPPED || state == OURO_THREAD_UNINTERRUPTIBLE)
        return state;
    return wait->kind == OURO_WAIT_THREAD ? OURO_THREAD_WAITING_THREAD
           : wait->kind == OURO_WAIT_LOCK ? OURO_THREAD_WAITING_LOCK
                                          : state;
}

void ouro_waits_add_thread(struct ouro_buf *out, const struct ouro_waits *waits, uint32_t thread)
{
    if (thread >= waits->stacks->threads.count) {
        ouro_buf_add_text(out, "unknown");
        return;
    }
    const struct ouro_stack_thread *it = &waits->stacks->threads.items[thread];
    ouro_buf_add(out, it->name.bytes, it->name.size);
    ouro_buf_addf(out, it->name.size ? " (%llu)" : "thread %llu", (unsigned long long)it->record->native_id);
}

void ouro_wait_add(struct ouro_buf *out, const struct ouro_waits *waits, size_t thread)
{
    const struct ouro_heap_model *model = waits->stacks->model;
    const struct ouro_wait *wait = &waits->items[thread];
    if (wait->call) {
        ouro_buf_add_text(out, wait->call);
        if (wait->through != OURO_NODE_NONE)
            ouro_buf_add_text(out, " of ");
    }
    if (wait->through != OURO_NODE_NONE) {
        ouro_node name = wait->call && !strcmp(wait->call, "import") ? attribute(model, wait->through, "name")
                                                                     : OURO_NODE_NONE;
        if (name != OURO_NODE_NONE)
            ouro_brief_add(out, model, name, NULL);
        else
            ouro_brief_add_plain(out, model, wait->through, "");
    } else if (!wait->call && wait->node != OURO_NODE_NONE) {
        ouro_brief_add_plain(out, model, wait->node, "");
    }
}

static void add_deadlock(struct ouro_buf *out, const struct ouro_waits *waits, const struct ouro_deadlock *deadlock)
{
    ouro_buf_add_text(out, "deadlock: ");
    for (size_t i = 0; i < deadlock->count; i++) {
        uint32_t thread = waits->members[deadlock->first + i];
        if (i)
            ouro_buf_add_text(out, i + 1 == deadlock->count ? ", and " : ", ");
        ouro_waits_add_thread(out, waits, thread);
        ouro_buf_add_text(out, " waits for ");
        ouro_wait_add(out, waits, thread);
        ouro_buf_add_text(out, ", which ");
        if (deadlock->count == 1)
            ouro_buf_add_text(out, "it has itself");
        else
            ouro_waits_add_thread(out, waits, waits->items[thread].owner);
        if (deadlock->count > 1)
            ouro_buf_add_text(out, " has");
    }
    if (deadlock->behind_count)
        ouro_buf_addf(out, "; %zu more %s behind", deadlock->behind_count,
                      deadlock->behind_count == 1 ? "thread waits" : "threads wait");
}

static const char *threads_want(size_t count)
{
    return count == 1 ? "1 other thread waits" : "other threads wait";
}

void ouro_hang_add(struct ouro_buf *out, const struct ouro_waits *waits, const struct ouro_hang *hang)
{
    const char *plural = threads_want(hang->count);
    switch (hang->kind) {
    case OURO_HANG_DEADLOCK:
        add_deadlock(out, waits, &waits->deadlocks.items[hang->index]);
        return;
    case OURO_HANG_ALL_WAIT:
        ouro_buf_addf(out, hang->count == 1 ? "the only thread waits for a lock or a thread"
                                            : "all %zu threads wait for locks or for each other",
                      hang->count);
        return;
    case OURO_HANG_COLLECTING:
        ouro_buf_add_text(out, "the collector is at work");
        if (hang->index != OURO_THREAD_NONE) {
            ouro_buf_add_text(out, " in thread ");
            ouro_waits_add_thread(out, waits, hang->index);
        }
        break;
    case OURO_HANG_GIL:
        ouro_waits_add_thread(out, waits, hang->index);
        ouro_buf_add_text(out, waits->stacks->threads.items[hang->index].record->syscall >= 0
                                   ? " holds the GIL in a system call"
                                   : " holds the GIL and sleeps");
        break;
    case OURO_HANG_LOCKED:
        ouro_waits_add_thread(out, waits, hang->index);
        ouro_buf_addf(out, " (%s) has what ", ouro_thread_state_name(ouro_waits_state(waits, hang->index)));
        ouro_buf_addf(out, hang->count == 1 ? "another thread waits for" : "%zu other threads wait for", hang->count);
        return;
    }
    if (hang->count > 1)
        ouro_buf_addf(out, ", and %zu %s for the GIL", hang->count, plural);
    else if (hang->count)
        ouro_buf_addf(out, ", and %s for the GIL", plural);
}
