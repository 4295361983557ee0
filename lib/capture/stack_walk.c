#include "capture/stack_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "capture/emit.h"
#include "cpython/chain.h"
#include "cpython/dict.h"
#include "cpython/finalizer.h"
#include "cpython/lock.h"
#include "cpython/value.h"
#include "target/lazy.h"

/* What a type's objects are to this walk. */
enum kind {
    KIND_PLAIN = 1, /* opened within OURO_STACK_LEVELS */
    KIND_LEAF,      /* never opened: types, modules */
    KIND_CODE,
    KIND_FUNCTION,
    KIND_WAITING,   /* generators, futures and the like: followed as far as they lead */
    KIND_FRAME,     /* of these (objects): but not its module's names, nor who called it */
    KIND_FUTURE,    /* of these: lists and tuples in it only group */
    KIND_SELECTOR,  /* of these: its dict of files, too */
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

#define BASES_MAX 64u
#define REGISTRY_BYTES (UINT64_C(16) << 20) /* a set of some hundred thousand tasks */

static enum kind kind_of(struct ouro_stack_walk *walk, const struct ouro_type *type)
{
    static const char *const futures[] = {"_asyncio.Future", "_asyncio.Task", "asyncio.futures.Future", "asyncio.tasks.Task",
                                          "concurrent.futures._base.Future", "concurrent.futures.thread._WorkItem",
                                          "asyncio.base_events.BaseEventLoop", "asyncio.events.Handle", "selectors.SelectorKey"};
    static const char *const waiting[] = {
        "builtins.cell", "builtins.method", "functools.partial", "builtins.coroutine_wrapper", "builtins.async_generator_asend",
        "builtins.async_generator_athrow", "builtins.anext_awaitable", "builtins.async_generator_wrapped_value",
        "_asyncio.FutureIter", "_asyncio.TaskStepMethWrapper", "_asyncio.TaskWakeupMethWrapper"};
    if (type->suspends || type->named == OURO_NAMED_BUILTIN) /* the lock whose __exit__ a with statement keeps */
        return KIND_WAITING;
    if (type->addr == walk->python->frame_type)
        return KIND_FRAME;
    if (type->named == OURO_NAMED_CODE)
        return KIND_CODE;
    if (type->named == OURO_NAMED_FUNCTION)
        return KIND_FUNCTION;
    if (type->flags & OURO_FLAG_TYPE || type->named == OURO_NAMED_MODULE)
        return KIND_LEAF;
    for (unsigned depth = 0; type && depth < BASES_MAX; depth++) {
        char full[OURO_TYPE_NAME_MAX];
        snprintf(full, sizeof full, "%s.%s", type->module ? type->module : "", type->name ? type->name : "");
        if (is_one_of(full, futures, sizeof futures / sizeof *futures))
            return KIND_FUTURE;
        if (strcmp(full, "selectors._BaseSelectorImpl") == 0)
            return KIND_SELECTOR;
        if (!depth && is_one_of(full, waiting, sizeof waiting / sizeof *waiting))
            return KIND_WAITING;
        if (!(type->flags & OURO_FLAG_HEAPTYPE))
            break;
        type = type->base ? ouro_type_cached(walk->python, &walk->types, type->base) : NULL;
    }
    return KIND_PLAIN;
}

static bool push(struct ouro_stack_walk *walk, uint32_t index)
{
    uint32_t *place = OURO_VEC_ADD(&walk->queue);
    if (!place) {
        walk->out_of_memory = true;
        return false;
    }
    *place = index;
    return walk->objects.items[index].queued = true;
}

static void mark(struct ouro_stack_walk *walk, ouro_addr addr, unsigned level, bool plain);
static uint64_t word(const struct ouro_stack_walk *walk, ouro_addr object, int32_t at);

/* What a type derives from: by its chain of tp_base, and where that is not all, by its __mro__. */
static void mark_bases(struct ouro_stack_walk *walk, const struct ouro_type *type)
{
    const ouro_addr addr = type->addr;
    uint64_t length = 1, count = 0;
    ouro_python_tuple(walk->python, word(walk, addr, walk->python->layout->tp_mro), &count);
    while (type && type->base && length < BASES_MAX) {
        type = ouro_type_cached(walk->python, &walk->types, type->base);
        length++;
    }
    if (count <= length)
        return;
    mark(walk, addr, OURO_STACK_LEVELS, false);
    uint64_t *place = ouro_map_find(&walk->by_addr, addr);
    if (place && !walk->objects.items[*place].with_mro) {
        walk->objects.items[*place].with_mro = true;
        if (!walk->objects.items[*place].queued)
            push(walk, (uint32_t)*place);
    }
}

static enum kind cached_kind(struct ouro_stack_walk *walk, const struct ouro_type *type)
{
    bool added;
    uint64_t *place = ouro_map_put(&walk->kinds, type->addr, &added);
    if (!place) {
        walk->out_of_memory = true;
        return KIND_LEAF;
    }
    if (!added)
        return (enum kind)*place;
    enum kind kind = kind_of(walk, type);
    if ((place = ouro_map_find(&walk->kinds, type->addr)))
        *place = kind;
    mark_bases(walk, type);
    return kind;
}

/* An object that was found at a level (0: the value of a local variable itself). */
static void mark(struct ouro_stack_walk *walk, ouro_addr addr, unsigned level, bool plain)
{
    struct ouro_python *python = walk->python;
    if (!addr || addr & 7)
        return;
    uint64_t *place = ouro_map_find(&walk->by_addr, addr);
    if (place) {
        struct ouro_stack_object *object = &walk->objects.items[*place];
        bool better = level < object->level || (plain && !object->plain);
        object->level = level < object->level ? (uint8_t)level : object->level;
        object->plain = object->plain || plain;
        if (better && !object->queued)
            push(walk, (uint32_t)*place);
        return;
    }
    if (walk->objects.count >= OURO_STACK_OBJECTS_MAX) {
        walk->left_out_count++;
        return;
    }
    const unsigned char *head = ouro_image_at(python->image, addr, 16);
    struct ouro_type *type =
        head ? ouro_type_cached(python, &walk->types, ouro_load_u64(head + python->layout->ob_type)) : NULL;
    if (!type) {
        ouro_python_count_unreadable(python, head ? OURO_UNREADABLE_TYPE : OURO_UNREADABLE_ADDRESS);
        return;
    }
    uint32_t index = (uint32_t)walk->objects.count;
    struct ouro_stack_object *object = OURO_VEC_ADD(&walk->objects);
    if (object && (place = ouro_map_put(&walk->by_addr, addr, NULL))) {
        *object = (struct ouro_stack_object){.addr = addr, .type = type, .level = (uint8_t)level, .plain = plain};
        *place = index;
        push(walk, index);
    } else {
        walk->objects.count = index;
        walk->out_of_memory = true;
    }
}

static void add_addr(struct ouro_stack_walk *walk, void *vec, ouro_addr addr)
{
    __typeof__(walk->targets) *list = vec;
    ouro_addr *place = OURO_VEC_ADD(list);
    if (place)
        *place = addr;
    else
        walk->out_of_memory = true;
}

static void on_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct ouro_stack_walk *walk = context;
    for (size_t i = 0; i < count; i++)
        add_addr(walk, &walk->targets, targets[i]);
}

static void on_part(void *context, enum ouro_slots kind, enum ouro_class edge_class, const char *name)
{
    static const char *const skipped[] = {"f_back", "f_builtins", "f_globals"};
    struct ouro_stack_walk *walk = context;
    (void)edge_class;
    /* Fields come in the order of their slots, and those of functions in front of any run. */
    if (kind == OURO_SLOTS_FIELD) {
        if (strcmp(name, "__closure__") == 0)
            walk->closure_slot = walk->slot_count;
        if (strcmp(name, "co_names") == 0)
            walk->names_slot = walk->slot_count;
        if (is_one_of(name, skipped, sizeof skipped / sizeof *skipped) && walk->slot_count < 64)
            walk->skipped_slots |= UINT64_C(1) << walk->slot_count;
        walk->slot_count++;
    }
}

static void on_namespace(void *context, ouro_addr dict)
{
    struct ouro_stack_walk *walk = context;
    add_addr(walk, &walk->namespaces, dict);
    add_addr(walk, &walk->noted, dict);
}

static void on_key(void *context, ouro_addr key, bool of_namespace)
{
    struct ouro_stack_walk *walk = context;
    (void)of_namespace;
    add_addr(walk, &walk->noted, key);
}

static bool is_namespace(void *context, ouro_addr dict)
{
    struct ouro_stack_walk *walk = context;
    const uint64_t *place = ouro_map_find(&walk->by_addr, dict);
    return place && walk->objects.items[*place].noted;
}

static uint64_t word(const struct ouro_stack_walk *walk, ouro_addr object, int32_t at)
{
    return ouro_python_word(walk->python, object + (ouro_addr)at);
}

/* Whether one operation of its type leads to few things, as far as this can be told without looking at them. */
static bool is_few(const struct ouro_stack_walk *walk, const struct ouro_op *op, const struct ouro_type *type, ouro_addr object)
{
    const struct ouro_layout *layout = walk->python->layout;
    struct ouro_keys keys;
    switch ((enum ouro_op_kind)op->kind) {
    case OURO_OP_LIST:
    case OURO_OP_TUPLE:
    case OURO_OP_DEQUE:
    case OURO_OP_SCAN_ITEMS:
        return word(walk, object, layout->ob_size) <= OURO_STACK_ITEMS;
    case OURO_OP_STRUCTSEQ:
        return type->basicsize <= 8 * OURO_STACK_ITEMS;
    case OURO_OP_DICT:
        return ouro_keys_measure(walk->python, word(walk, object, layout->dict_keys), &keys) &&
               keys.entry_count <= 2 * OURO_STACK_ITEMS;
    case OURO_OP_SET:
        return word(walk, object, layout->set_mask) < 4 * OURO_STACK_ITEMS;
    case OURO_OP_ODICT_NODES:
        return word(walk, object, layout->dict_used) <= OURO_STACK_ITEMS;
    case OURO_OP_LRU_LINKS:
    case OURO_OP_TEE_VALUES:
    case OURO_OP_MODULE_STATE:
    case OURO_OP_CAPSULE:
    case OURO_OP_TYPE_OBJECT:
    case OURO_OP_RUN:
        return false;
    default:
        return true;
    }
}

static bool opens(struct ouro_stack_walk *walk, const struct ouro_stack_object *object, enum kind kind)
{
    const struct ouro_type *type = object->type;
    if (kind == KIND_LEAF)
        return object->with_mro;
    if (kind == KIND_FUTURE || kind == KIND_SELECTOR || kind == KIND_CODE || kind == KIND_WAITING || kind == KIND_FRAME)
        return true;
    if (object->level >= OURO_STACK_LEVELS && !object->plain)
        return false;
    if (type->basicsize > 8 * 8 * OURO_STACK_ITEMS)
        return false;
    for (uint32_t i = 0; i < type->op_count; i++)
        if (!is_few(walk, &type->ops[i], type, object->addr))
            return false;
    return true;
}

static bool is_grouping(const struct ouro_stack_walk *walk, ouro_addr object, bool dicts)
{
    const struct ouro_type *type = ouro_type_get(walk->python, word(walk, object, walk->python->layout->ob_type));
    return type && type->flags & (OURO_FLAG_LIST | OURO_FLAG_TUPLE | (dicts ? OURO_FLAG_DICT : 0));
}

static bool is_in(const ouro_addr *items, size_t count, ouro_addr wanted)
{
    for (size_t i = 0; i < count; i++)
        if (items[i] == wanted)
            return true;
    return false;
}

/* with_names: what a callback names tells which attributes of its object it uses. */
static void mark_code(struct ouro_stack_walk *walk, ouro_addr code, bool with_names)
{
    const struct ouro_layout *layout = walk->python->layout;
    const int32_t names[] = {layout->code_filename, layout->code_name, layout->code_qualname};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i] >= 0)
            mark(walk, word(walk, code, names[i]), OURO_STACK_LEVELS, false);
    add_addr(walk, &walk->noted, word(walk, code, layout->code_filename)); /* as ouro_walk_noted */
    if (with_names && walk->names_slot < walk->targets.count)
        mark(walk, walk->targets.items[walk->names_slot], OURO_STACK_LEVELS, true);
}

/* What the object's slots hold, now in walk->targets. */
static void mark_targets(struct ouro_stack_walk *walk, const struct ouro_stack_object *object, enum kind kind)
{
    const struct ouro_stack_object own = *object; /* the list of objects grows */
    const struct ouro_layout *layout = walk->python->layout;
    bool deeper = kind == KIND_PLAIN && !own.plain && !own.noted;
    if (kind == KIND_CODE) {
        mark_code(walk, own.addr, own.plain);
        return;
    }
    if (kind == KIND_LEAF) {
        mark(walk, word(walk, own.addr, layout->tp_mro), OURO_STACK_LEVELS, true);
        return;
    }
    if (kind == KIND_FUNCTION) {
        mark(walk, word(walk, own.addr, layout->function_code), OURO_STACK_LEVELS, true);
        if (walk->closure_slot < walk->targets.count)
            mark(walk, walk->targets.items[walk->closure_slot], own.level, true);
        return;
    }
    for (size_t i = 0; i < walk->targets.count; i++) {
        ouro_addr target = walk->targets.items[i];
        if (kind == KIND_FRAME && i < 64 && walk->skipped_slots >> i & 1)
            continue;
        bool namespace = is_in(walk->namespaces.items, walk->namespaces.count, target);
        bool dicts = kind == KIND_SELECTOR || (own.plain && own.noted);
        bool plain = target && (kind == KIND_FUTURE || dicts || own.plain) && is_grouping(walk, target, dicts);
        plain |= namespace && (kind == KIND_FUTURE || kind == KIND_SELECTOR);
        unsigned level = own.level + (deeper && !namespace);
        if (own.noted && kind == KIND_PLAIN) /* a __dict__ is no level of its own, but its values are */
            level = own.level + 1;
        mark(walk, target, level, plain);
        uint64_t *place = namespace ? ouro_map_find(&walk->by_addr, target) : NULL;
        if (place && !walk->objects.items[*place].noted) {
            walk->objects.items[*place].noted = true;
            if (!walk->objects.items[*place].queued)
                push(walk, (uint32_t)*place);
        }
    }
}

static void begin_visit(struct ouro_stack_walk *walk, bool parts)
{
    walk->targets.count = walk->namespaces.count = walk->slot_count = 0;
    walk->closure_slot = walk->names_slot = SIZE_MAX;
    if (parts)
        walk->skipped_slots = 0;
    walk->visitor.slots = parts ? NULL : on_slots;
    walk->visitor.part = parts ? on_part : NULL;
}

/* What writing the object down reads beside its slots. */
static void touch(struct ouro_stack_walk *walk, const struct ouro_stack_object *object)
{
    bool flag;
    uint64_t native;
    struct ouro_python *python = walk->python;
    ouro_type_sizeof(python, &walk->visitor.sandbox, object->type, object->addr, &native, &flag);
    walk->scratch.size = 0;
    if (object->type->value)
        ouro_value_write(python, object->type, object->addr, OURO_VALUE_KEY_BYTES, false, &walk->scratch, &flag);
    if (object->type->gc)
        ouro_python_word(python, object->addr - 8);
    struct ouro_execution execution;
    uint64_t owner, count;
    if (object->type->waitable)
        ouro_lock_is_locked(python, object->type, object->addr, &owner, &count);
    if (object->type->executes)
        ouro_execution_find(python, object->type, object->addr, &execution);
    if (object->type->suspends)
        ouro_finalizer_in_try(python, object->addr);
}

static void look_at(struct ouro_stack_walk *walk, uint32_t index)
{
    const struct ouro_type *type = walk->objects.items[index].type;
    enum kind kind = cached_kind(walk, type); /* may make the list longer */
    struct ouro_stack_object *object = &walk->objects.items[index];
    object->queued = false;
    if (!object->open) {
        touch(walk, object);
        object->open = opens(walk, object, kind);
    }
    if (!object->open || !type->op_count)
        return;
    if (type->varies)
        ouro_visit_variant(&walk->visitor, type, object->addr);
    begin_visit(walk, true);
    ouro_visit(&walk->visitor, type, object->addr);
    size_t closure = walk->closure_slot, names = walk->names_slot;
    begin_visit(walk, false);
    walk->closure_slot = closure;
    walk->names_slot = names;
    ouro_visit(&walk->visitor, type, object->addr);
    mark_targets(walk, object, kind);
}

static void drain(struct ouro_stack_walk *walk)
{
    for (size_t i = 0; i < walk->queue.count && !walk->out_of_memory; i++) {
        if (walk->tick && !(i & 63))
            walk->tick(walk->tick_context);
        look_at(walk, walk->queue.items[i]);
    }
    walk->queue.count = 0;
}

/* struct llist_node: next, prev; the head stands in the list. */
static void mark_list(struct ouro_stack_walk *walk, ouro_addr head)
{
    ouro_addr node = walk->lists.known ? ouro_python_word(walk->python, head) : 0;
    struct ouro_chain chain = {0};
    while (node && node != head && !ouro_chain_repeats(&chain, node)) {
        mark(walk, node - walk->lists.node, 0, false);
        node = node & 7 ? 0 : ouro_python_word(walk->python, node);
    }
}

static void on_thread(void *context, const struct ouro_interpreter *interpreter, const struct ouro_thread *thread)
{
    struct ouro_stack_walk *walk = context;
    (void)interpreter;
    walk->frame_count = 0;
    walk->in_thread = true; /* from now on fields are a thread's */
    mark_list(walk, thread->addr + walk->lists.of_thread);
}

static void on_field(void *context, const char *label, ouro_addr target)
{
    struct ouro_stack_walk *walk = context;
    (void)label;
    if (walk->in_thread)
        mark(walk, target, OURO_STACK_LEVELS, false);
}

static void on_root(void *context, const char *name)
{
    struct ouro_stack_walk *walk = context;
    (void)name;
    walk->in_thread = false;
}

static void visit_frame(struct ouro_stack_walk *walk, ouro_addr frame, ouro_addr generator, bool running)
{
    if (!generator)
        ouro_visit_frame(&walk->visitor, frame, true);
    else
        ouro_visit_frame_rest(&walk->visitor, frame, running);
    ouro_visit_end(&walk->visitor);
}

static void on_frame(void *context, ouro_addr frame, ouro_addr code, struct ouro_execution execution, ouro_addr generator,
                     bool running)
{
    struct ouro_stack_walk *walk = context;
    unsigned level = walk->frame_count++ < OURO_STACK_DEEP_FRAMES ? 0 : OURO_STACK_LEVELS;
    walk->scratch.size = 0;
    ouro_value_write_code(walk->python, code, 0, false, execution.line, &walk->scratch);
    if (walk->tick)
        walk->tick(walk->tick_context);
    begin_visit(walk, true);
    visit_frame(walk, frame, generator, running);
    begin_visit(walk, false);
    visit_frame(walk, frame, generator, running);
    mark(walk, code, OURO_STACK_LEVELS, false);
    mark(walk, generator, level, false);
    for (size_t i = 0; i < walk->targets.count; i++)
        mark(walk, walk->targets.items[i], level, false);
}

static void on_torn(void *context)
{
    struct ouro_stack_walk *walk = context;
    walk->torn_count++;
}

/* A set of tasks, or of weak references to them, whose number matters not; also what a WeakSet keeps of those added meanwhile. */
static void mark_registry(struct ouro_stack_walk *walk, ouro_addr registry, unsigned depth)
{
    const unsigned char *head = ouro_image_at(walk->python->image, registry, 16);
    struct ouro_type *type =
        head ? ouro_type_cached(walk->python, &walk->types, ouro_load_u64(head + walk->python->layout->ob_type)) : NULL;
    if (!type || depth > 3)
        return;
    begin_visit(walk, false);
    ouro_visit(&walk->visitor, type, registry);
    size_t count = walk->targets.count;
    ouro_addr *found = malloc((count + 1) * sizeof *found);
    if (!found) {
        walk->out_of_memory = true;
        return;
    }
    if (count)
        memcpy(found, walk->targets.items, count * sizeof *found);
    for (size_t i = 0; i < count && !walk->out_of_memory; i++) {
        head = found[i] && !(found[i] & 7) ? ouro_image_at(walk->python->image, found[i], 16) : NULL;
        const struct ouro_type *of =
            head ? ouro_type_cached(walk->python, &walk->types, ouro_load_u64(head + walk->python->layout->ob_type)) : NULL;
        if (!of)
            continue;
        if (of->weakref) {
            ouro_addr task = word(walk, found[i], walk->python->layout->weakref_object);
            if (task != walk->python->none)
                mark(walk, task, 0, false);
        } else if (cached_kind(walk, of) == KIND_FUTURE) {
            mark(walk, found[i], 0, false);
        } else if (of->flags & OURO_FLAG_DICT || strcmp(of->name ? of->name : "", "set") == 0) {
            mark_registry(walk, found[i], depth + 1);
        }
    }
    free(found);
}

#define CALL_BYTES 2048u /* of a thread's stack, from where it sleeps up to the function that was called from Python */

/* The lock that is waited at, by a call of C whose arguments no frame keeps: the function has it on its stack. */
static void search_call(struct ouro_stack_walk *walk, const struct ouro_thread_state *state, ouro_addr address)
{
    const struct ouro_image *image = walk->python->image;
    const int32_t ob_type = walk->python->layout->ob_type;
    for (unsigned at = 0; at < CALL_BYTES; at += 8) {
        ouro_addr object = ouro_python_word(walk->python, state->stack + at);
        const struct ouro_mapping *mapping = object & 7 ? NULL : ouro_maps_find(&image->maps, object);
        if (!mapping || !mapping->writable || (object - state->stack < (UINT64_C(1) << 20)))
            continue;
        const struct ouro_type *type = ouro_type_cached(walk->python, &walk->types, word(walk, object, ob_type));
        if (type && type->waitable && ouro_waitable_address(walk->python, type, object) == address) {
            mark(walk, object, OURO_STACK_LEVELS, false);
            return;
        }
    }
}

static void find_waits(struct ouro_stack_walk *walk)
{
    struct ouro_map met = {0};
    for (size_t i = 0; i < walk->objects.count; i++) {
        const struct ouro_stack_object *object = &walk->objects.items[i];
        ouro_addr at = object->type->waitable ? ouro_waitable_address(walk->python, object->type, object->addr) : 0;
        if (at && at != UINT64_MAX && !ouro_map_put(&met, at, NULL))
            walk->out_of_memory = true;
    }
    for (size_t i = 0; i < walk->state_count; i++) {
        const struct ouro_thread_state *state = &walk->states[i];
        bool gil, sleeps = state->syscall == SYS_futex || state->syscall == SYS_restart_syscall;
        if (!sleeps || !state->arguments[0])
            continue;
        ouro_addr at = ouro_lock_waits_at(walk->python, state->arguments[0], &gil);
        if (!gil && state->stack && !ouro_map_find(&met, at))
            search_call(walk, state, at);
    }
    ouro_map_fini(&met);
}

static const struct {
    const char *module, *name;
} registry_names[] = {
    {"asyncio.tasks", "_all_tasks"},       /* 3.8 to 3.11 */
    {"asyncio.tasks", "_scheduled_tasks"}, /* 3.12 on */
    {"asyncio.tasks", "_eager_tasks"},
};

#define DEBUG_OFFSETS_MAX 4096

/* struct _Py_AsyncioModuleDebugOffsets of Modules/_asynciomodule.c, the same in 3.14 and 3.15: the module says where things are. */
static void find_lists(struct ouro_stack_walk *walk, struct ouro_python *python, struct ouro_modules *modules)
{
    enum { TASK_NODE = 6, INTERPRETER_HEAD = 8, THREAD_HEAD = 12, COUNT = 13 };
    uint64_t offsets[COUNT], size;
    ouro_addr addr;
    walk->lists.known = false;
    for (size_t i = 0; i < modules->count && !walk->lists.known; i++) {
        if (ouro_module_section(&modules->items[i], ".AsyncioDebug", &addr, &size) != OURO_OK || size < sizeof offsets ||
            ouro_space_read(&python->image->space, addr, offsets, sizeof offsets) != OURO_OK)
            continue;
        walk->lists.node = offsets[TASK_NODE];
        walk->lists.of_interpreter = offsets[INTERPRETER_HEAD];
        walk->lists.of_thread = offsets[THREAD_HEAD];
        walk->lists.known = offsets[TASK_NODE] && offsets[TASK_NODE] < DEBUG_OFFSETS_MAX && offsets[INTERPRETER_HEAD] < 1u << 24 &&
                            offsets[THREAD_HEAD] < 1u << 24;
    }
}

void ouro_stack_walk_find(struct ouro_stack_walk *walk, struct ouro_python *python, struct ouro_modules *modules)
{
    walk->registry_count = 0;
    find_lists(walk, python, modules);
    for (size_t i = 0; i < python->interpreter_count; i++)
        for (size_t k = 0; k < sizeof registry_names / sizeof *registry_names; k++) {
            ouro_addr found = ouro_state_module_name(python, &python->interpreters[i], registry_names[k].module,
                                                     registry_names[k].name);
            if (found && walk->registry_count < sizeof walk->registries / sizeof *walk->registries)
                walk->registries[walk->registry_count++] = found;
        }
}

enum ouro_status ouro_stack_walk_run(struct ouro_stack_walk *walk, struct ouro_python *python, struct ouro_err *err)
{
    const struct ouro_state_sink sink = {
        .context = walk, .root = on_root, .field = on_field, .thread = on_thread, .frame = on_frame, .torn = on_torn};
    walk->python = python;
    walk->visitor = (struct ouro_visitor){.python = python,
                                          .context = walk,
                                          .is_namespace = is_namespace,
                                          .namespace_dict = on_namespace,
                                          .key = on_key};
    for (size_t i = 0; i < python->interpreter_count; i++) {
        struct ouro_gc_state gc;
        walk->visitor.interpreter = i;
        ouro_state_gc(python, &python->interpreters[i], &gc);
        ouro_state_each(python, &python->interpreters[i], &sink);
        mark_list(walk, python->interpreters[i].addr + walk->lists.of_interpreter);
        drain(walk);
    }
    for (size_t i = 0; i < walk->registry_count; i++) {
        if (python->image->lazy)
            python->image->lazy->range_bytes = REGISTRY_BYTES;
        mark_registry(walk, walk->registries[i], 0);
        if (python->image->lazy)
            python->image->lazy->range_bytes = OURO_LAZY_RANGE_BYTES;
        drain(walk);
    }
    find_waits(walk);
    drain(walk);
    for (size_t i = 0; i < walk->noted.count; i++) {
        uint64_t *place = ouro_map_find(&walk->by_addr, walk->noted.items[i]);
        if (place)
            walk->objects.items[*place].noted = true;
    }
    return walk->out_of_memory || walk->scratch.failed ? ouro_err_set(err, OURO_NOMEM, "no memory for the walk") : OURO_OK;
}

struct ouro_walk_choice *ouro_stack_walk_choices(const struct ouro_stack_walk *walk)
{
    struct ouro_walk_choice *choices = calloc(walk->objects.count + 1, sizeof *choices);
    for (size_t i = 0; choices && i < walk->objects.count; i++) {
        const struct ouro_stack_object *object = &walk->objects.items[i];
        choices[i] = (struct ouro_walk_choice){
            .addr = object->addr, .shallow = !object->open && object->type->op_count, .noted = object->noted};
    }
    return choices;
}

void ouro_stack_walk_clear(struct ouro_stack_walk *walk)
{
    ouro_map_fini(&walk->by_addr);
    ouro_map_fini(&walk->kinds);
    walk->objects.count = walk->queue.count = walk->targets.count = walk->noted.count = walk->namespaces.count = 0;
    memset(&walk->types, 0, sizeof walk->types);
    walk->left_out_count = walk->torn_count = 0;
    walk->out_of_memory = false;
}

void ouro_stack_walk_fini(struct ouro_stack_walk *walk)
{
    ouro_stack_walk_clear(walk);
    free(walk->objects.items);
    free(walk->queue.items);
    free(walk->targets.items);
    free(walk->noted.items);
    free(walk->namespaces.items);
    ouro_buf_fini(&walk->scratch);
    memset(walk, 0, sizeof *walk);
}
