#include "analysis/async_objects.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/lookup.h"
#include "analysis/value.h"

#define BASES_MAX 64  /* classes that a type derives from, one by one */
#define MRO_MAX   256
#define NAMES_MAX 1024

static const struct known_type {
    const char *module, *name;
    uint32_t kind;
} known_types[] = {
    {"_asyncio",                  "Future",                OURO_ASYNC_FUTURE                                          },
    {"asyncio.futures",           "Future",                OURO_ASYNC_FUTURE                                          },
    {"_asyncio",                  "Task",                  OURO_ASYNC_FUTURE | OURO_ASYNC_TASK                        },
    {"asyncio.tasks",             "Task",                  OURO_ASYNC_FUTURE | OURO_ASYNC_TASK                        },
    {"concurrent.futures._base",  "Future",                OURO_ASYNC_CONCURRENT                                      },
    {"concurrent.futures.thread", "_WorkItem",             OURO_ASYNC_WORK_ITEM                                       },
    {"asyncio.events",            "Handle",                OURO_ASYNC_HANDLE                                          },
    {"asyncio.events",            "TimerHandle",           OURO_ASYNC_HANDLE | OURO_ASYNC_TIMER                       },
    {"asyncio.queues",            "Queue",                 OURO_ASYNC_QUEUE                                           },
    {"asyncio.locks",             "Lock",                  OURO_ASYNC_LOCK                                            },
    {"asyncio.locks",             "Event",                 OURO_ASYNC_EVENT                                           },
    {"asyncio.locks",             "Condition",             OURO_ASYNC_CONDITION                                       },
    {"asyncio.locks",             "Semaphore",             OURO_ASYNC_SEMAPHORE                                       },
    {"asyncio.timeouts",          "Timeout",               OURO_ASYNC_TIMEOUT                                         },
    {"asyncio.events",            "AbstractEventLoop",     OURO_ASYNC_LOOP                                            },
    {"asyncio.base_events",       "BaseEventLoop",         OURO_ASYNC_LOOP                                            },
    {"asyncio.streams",           "StreamReader",          OURO_ASYNC_READER                                          },
    {"asyncio.exceptions",        "CancelledError",        OURO_ASYNC_CANCELLED                                       },
    {"builtins",                  "coroutine",             OURO_ASYNC_COROUTINE                                       },
    {"builtins",                  "generator",             OURO_ASYNC_COROUTINE                                       },
    {"builtins",                  "async_generator",       OURO_ASYNC_COROUTINE                                       },
    {"builtins",                  "coroutine_wrapper",     OURO_ASYNC_WRAPPER                                         },
    {"builtins",                  "async_generator_asend", OURO_ASYNC_WRAPPER                                         },
    {"builtins",                  "async_generator_athrow", OURO_ASYNC_WRAPPER                                        },
    {"builtins",                  "anext_awaitable",       OURO_ASYNC_WRAPPER                                         },
    {"_asyncio",                  "FutureIter",            OURO_ASYNC_WRAPPER                                         },
    {"types",                     "_GeneratorWrapper",     OURO_ASYNC_WRAPPER                                         },
    {"builtins",                  "method",                OURO_ASYNC_METHOD                                          },
    {"builtins",                  "builtin_function_or_method", OURO_ASYNC_METHOD                                     },
    {"builtins",                  "TaskWakeupMethWrapper", OURO_ASYNC_WAKEUP                                          },
    {"builtins",                  "TaskStepMethWrapper",   OURO_ASYNC_WAKEUP                                          },
    {"_asyncio",                  "TaskWakeupMethWrapper", OURO_ASYNC_WAKEUP                                          },
    {"_asyncio",                  "TaskStepMethWrapper",   OURO_ASYNC_WAKEUP                                          },
    {"functools",                 "partial",               OURO_ASYNC_PARTIAL                                         },
    {"builtins",                  "function",              OURO_ASYNC_FUNCTION                                        },
    {"builtins",                  "tuple",                 OURO_ASYNC_TUPLE                                           },
    {"builtins",                  "list",                  OURO_ASYNC_LIST                                            },
    {"builtins",                  "set",                   OURO_ASYNC_LIST                                            },
    {"builtins",                  "dict",                  OURO_ASYNC_LIST                                            },
    {"collections",               "deque",                 OURO_ASYNC_LIST                                            },
    {"builtins",                  "cell",                  OURO_ASYNC_CELL                                            },
    {"builtins",                  "frame",                 OURO_ASYNC_FRAME                                           },
    {"",                          "<frame>",               OURO_ASYNC_FRAME                                           },
    {"builtins",                  "code",                  OURO_ASYNC_CODE                                            },
    {"_contextvars",              "Context",               OURO_ASYNC_CONTEXT                                         },
    {"builtins",                  "Context",               OURO_ASYNC_CONTEXT                                         },
};
#define KNOWN_TYPE_COUNT (sizeof known_types / sizeof *known_types)

static uint32_t kind_by_name(const struct ouro_heap_model *model, uint32_t type)
{
    const char *name = ouro_heap_model_type_name(model, type, NULL);
    for (size_t i = 0; i < KNOWN_TYPE_COUNT; i++)
        if (!strcmp(known_types[i].name, name) &&
            !strcmp(known_types[i].module, ouro_heap_model_type_module(model, type, NULL)))
            return known_types[i].kind;
    /* Where _contextvars is not what the type says it is of. */
    return !strcmp(name, "Context") && strstr(ouro_heap_model_type_module(model, type, NULL), "contextvars")
               ? OURO_ASYNC_CONTEXT
               : 0;
}

/* A class by the text of its value: "asyncio.tasks.Task". */
static uint32_t kind_by_value(const struct ouro_heap_model *model, ouro_node class)
{
    size_t size;
    const unsigned char *text = ouro_value_raw(model, class, &size);
    for (size_t i = 0; i < KNOWN_TYPE_COUNT; i++) {
        size_t module = strlen(known_types[i].module), name = strlen(known_types[i].name);
        if (size == module + 1 + name && text[module] == '.' && !memcmp(text, known_types[i].module, module) &&
            !memcmp(text + module + 1, known_types[i].name, name))
            return known_types[i].kind;
    }
    return 0;
}

/* Classes need not be the base by layout (tp_base) of those that derive from them: the MRO has them all. */
static uint32_t kind_by_mro(const struct ouro_async *async, ouro_node class)
{
    uint32_t kind = 0;
    ouro_node mro = ouro_heap_model_field(async->model, class, "__mro__");
    uint64_t count = mro == OURO_NODE_NONE ? 0 : ouro_async_tuple_size(async, mro);
    for (uint64_t i = 0; i < count && i < MRO_MAX; i++) {
        ouro_node base = ouro_async_tuple_item(async, mro, i);
        if (base != OURO_NODE_NONE)
            kind |= kind_by_value(async->model, base);
    }
    return kind;
}

enum ouro_status ouro_async_init(struct ouro_async *async, const struct ouro_heap_model *model)
{
    async->model = model;
    async->kinds = calloc(model->type_count + 1, sizeof *async->kinds);
    if (!async->kinds)
        return OURO_NOMEM;
    for (uint32_t type = 0; type < model->type_count; type++)
        async->kinds[type] = kind_by_name(model, type);
    for (uint32_t type = 0; type < model->type_count; type++) {
        uint32_t kind = async->kinds[type], base = model->types[type].base;
        if (kind)
            continue; /* a base of its own is none of the others */
        for (unsigned i = 0; i < BASES_MAX && base < model->type_count; i++, base = model->types[base].base)
            kind |= kind_by_name(model, base);
        if (!kind && model->types[type].flags & OURO_TYPE_HEAP)
            kind = kind_by_mro(async, model->types[type].node);
        async->kinds[type] = kind;
    }
    return OURO_OK;
}

void ouro_async_fini(struct ouro_async *async)
{
    free(async->kinds);
    memset(async, 0, sizeof *async);
}

/* --- Attributes and values. */

bool ouro_async_is_text(const struct ouro_async *async, ouro_node node, const char *text)
{
    const struct ouro_heap_model *model = async->model;
    size_t size;
    if (node >= model->heap.count || !ouro_value_has(model, node) || model->heap.flags[node] & OURO_OBJECT_VALUE_CUT)
        return false;
    const unsigned char *bytes = ouro_value_raw(model, node, &size);
    return size == strlen(text) && !memcmp(bytes, text, size);
}

static unsigned value_kind(const struct ouro_async *async, ouro_node node)
{
    uint32_t type = node < async->model->heap.count ? ouro_heap_model_type(async->model, node) : OURO_TYPE_NONE;
    if (type >= async->model->type_count || !ouro_value_has(async->model, node))
        return OURO_VALUE_NONE;
    return async->model->types[type].value_kind;
}

bool ouro_async_is_true(const struct ouro_async *async, ouro_node node)
{
    size_t size;
    if (value_kind(async, node) != OURO_VALUE_BOOL)
        return false;
    const unsigned char *bytes = ouro_value_raw(async->model, node, &size);
    return size && bytes[0];
}

int64_t ouro_async_int(const struct ouro_async *async, ouro_node node, int64_t otherwise)
{
    size_t size;
    if (value_kind(async, node) != OURO_VALUE_INT || async->model->heap.flags[node] & OURO_OBJECT_VALUE_CUT)
        return otherwise;
    const unsigned char *bytes = ouro_value_raw(async->model, node, &size);
    if (size > 8)
        return otherwise;
    uint64_t value = size && bytes[size - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = size; i--;)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

const unsigned char *ouro_async_slot_name(const struct ouro_async *async, const struct ouro_slot *slot, size_t *size)
{
    const struct ouro_heap_model *model = async->model;
    if (slot->part->kind == OURO_PART_FIELD) {
        const char *name = ouro_snapshot_string(model->snapshot, slot->part->name, size);
        if (!name || *name != '.' || *size < 2 || name[1] == '+')
            return NULL;
        --*size;
        return (const unsigned char *)name + 1;
    }
    if ((slot->part->kind != OURO_PART_NAMESPACE && slot->part->kind != OURO_PART_NAMESPACE_ANY) || slot->place ||
        slot->key >= model->heap.count)
        return NULL;
    return value_kind(async, slot->key) == OURO_VALUE_STR ? ouro_value_raw(model, slot->key, size) : NULL;
}

static ouro_node find_named(const struct ouro_async *async, ouro_node node, const char *name)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    size_t wanted = strlen(name), size, seen = 0;
    ouro_slot_walk_begin(&walk, async->model, node);
    while (ouro_slot_walk_next(&walk, &slot) && seen++ < 2 * OURO_ASYNC_ATTRIBUTES_MAX) {
        const unsigned char *label = slot.target == OURO_NODE_NONE ? NULL : ouro_async_slot_name(async, &slot, &size);
        if (label && size == wanted && !memcmp(label, name, size))
            return slot.target;
    }
    return OURO_NODE_NONE;
}

ouro_node ouro_async_attribute(const struct ouro_async *async, ouro_node node, const char *name)
{
    if (node >= async->model->heap.count)
        return OURO_NODE_NONE;
    ouro_node found = find_named(async, node, name);
    if (found != OURO_NODE_NONE)
        return found;
    ouro_node dict = ouro_heap_model_field(async->model, node, "__dict__");
    return dict == OURO_NODE_NONE ? dict : find_named(async, dict, name);
}

ouro_node ouro_async_content(const struct ouro_async *async, ouro_node node)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (node >= async->model->heap.count)
        return OURO_NODE_NONE;
    ouro_slot_walk_begin(&walk, async->model, node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.part->kind != OURO_PART_TYPE && slot.target != OURO_NODE_NONE)
            return slot.target;
    return OURO_NODE_NONE;
}

/* The run of a tuple's items. */
static bool tuple_items(const struct ouro_async *async, ouro_node tuple, struct ouro_part_walk *walk)
{
    if (tuple >= async->model->heap.count)
        return false;
    ouro_part_walk_begin(walk, async->model, tuple);
    while (ouro_part_walk_next(walk))
        if (walk->part->kind == OURO_PART_ITEMS_DOWN || walk->part->kind == OURO_PART_ITEMS)
            return true;
    return false;
}

ouro_node ouro_async_tuple_item(const struct ouro_async *async, ouro_node tuple, uint64_t i)
{
    struct ouro_part_walk walk;
    if (!tuple_items(async, tuple, &walk) || i >= walk.item_count)
        return OURO_NODE_NONE;
    if (walk.part->kind == OURO_PART_ITEMS_DOWN)
        i = walk.item_count - 1 - i;
    return async->model->heap.slots[walk.first + i];
}

uint64_t ouro_async_tuple_size(const struct ouro_async *async, ouro_node tuple)
{
    struct ouro_part_walk walk;
    return tuple_items(async, tuple, &walk) ? walk.item_count : 0;
}

bool ouro_async_code_names(const struct ouro_async *async, ouro_node code, const unsigned char *name, size_t size)
{
    struct ouro_part_walk walk;
    if (!tuple_items(async, ouro_heap_model_field(async->model, code, "co_names"), &walk))
        return false;
    for (uint64_t i = 0; i < walk.item_count && i < NAMES_MAX; i++) {
        size_t length;
        ouro_node item = async->model->heap.slots[walk.first + i];
        if (value_kind(async, item) != OURO_VALUE_STR)
            continue;
        const unsigned char *text = ouro_value_raw(async->model, item, &length);
        if (length == size && !memcmp(text, name, size))
            return true;
    }
    return false;
}

/* --- Futures. */

/* A list of pairs (callback, context), or (concurrent futures) of callbacks. */
static bool visit_list(const struct ouro_async *async, ouro_node list, ouro_async_visit *visit, void *context)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, async->model, list);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target == OURO_NODE_NONE || slot.part->kind == OURO_PART_TYPE)
            continue;
        bool is_pair = ouro_async_kind(async, slot.target) & OURO_ASYNC_TUPLE;
        if (!visit(context, is_pair ? ouro_async_tuple_item(async, slot.target, 0) : slot.target, false))
            return false;
    }
    return true;
}

static bool visit_awaiters(const struct ouro_async *async, ouro_node node, ouro_async_visit *visit, void *context)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (ouro_async_kind(async, node) & OURO_ASYNC_FUTURE)
        return visit(context, node, true);
    ouro_slot_walk_begin(&walk, async->model, node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (ouro_async_kind(async, slot.target) & OURO_ASYNC_FUTURE && !visit(context, slot.target, true))
            return false;
    return true;
}

static bool is_set(const struct ouro_async *async, ouro_node node)
{
    return ouro_lookup_is_type(async->model, ouro_heap_model_type(async->model, node), "builtins", "set");
}

/* Fields of _asyncio.Future: those without a name are, behind the loop, callback0, its context, the list of further ones, and
 * (3.14 on) who awaits it: a task or a set. Empty ones are not there. */
static void each_native(const struct ouro_async *async, ouro_node future, ouro_async_visit *visit, void *context)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_node previous = OURO_NODE_NONE;
    bool behind_loop = false, going = true;
    ouro_slot_walk_begin(&walk, async->model, future);
    while (going && ouro_slot_walk_next(&walk, &slot)) {
        const char *name = slot.part->kind == OURO_PART_FIELD
                               ? ouro_snapshot_string(async->model->snapshot, slot.part->name, NULL)
                               : NULL;
        if (!name || slot.target == OURO_NODE_NONE)
            continue;
        bool unnamed = !strncmp(name, ".+0x", 4);
        uint32_t kind = ouro_async_kind(async, slot.target);
        if (behind_loop && unnamed) {
            if (kind & OURO_ASYNC_CONTEXT && previous != OURO_NODE_NONE)
                going = visit(context, previous, false);
            else if (kind & OURO_ASYNC_TASK || is_set(async, slot.target))
                going = visit_awaiters(async, slot.target, visit, context);
            else if (kind & OURO_ASYNC_LIST)
                going = visit_list(async, slot.target, visit, context);
        }
        previous = unnamed ? slot.target : OURO_NODE_NONE;
        behind_loop |= !strcmp(name, "._loop");
    }
}

void ouro_async_each_callback(const struct ouro_async *async, ouro_node future, ouro_async_visit *visit, void *context)
{
    bool concurrent = ouro_async_kind(async, future) & OURO_ASYNC_CONCURRENT;
    ouro_node list = ouro_async_attribute(async, future, concurrent ? "_done_callbacks" : "_callbacks");
    if (ouro_async_kind(async, list) & OURO_ASYNC_LIST && !visit_list(async, list, visit, context))
        return;
    if (concurrent)
        return;
    ouro_node awaiters = ouro_async_attribute(async, future, "_Future__asyncio_awaited_by");
    if (awaiters == OURO_NODE_NONE || visit_awaiters(async, awaiters, visit, context))
        each_native(async, future, visit, context);
}

/* A pure Python future says how it ended. Of C's, builds whose code is too different for its fields to be recognised have a result
 * without a name: anything that none of the others can be. */
bool ouro_async_has_outcome(const struct ouro_async *async, ouro_node future)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    bool behind_loop = false;
    ouro_node state = ouro_async_attribute(async, future, "_state");
    if (state != OURO_NODE_NONE || future >= async->model->heap.count)
        return !ouro_async_is_text(async, state, "CANCELLED");
    ouro_slot_walk_begin(&walk, async->model, future);
    while (ouro_slot_walk_next(&walk, &slot)) {
        const char *name = slot.part->kind == OURO_PART_FIELD
                               ? ouro_snapshot_string(async->model->snapshot, slot.part->name, NULL)
                               : NULL;
        if (!name || slot.target == OURO_NODE_NONE)
            continue;
        uint32_t other = OURO_ASYNC_CONTEXT | OURO_ASYNC_TASK | OURO_ASYNC_LIST;
        if (!strcmp(name, "._result") || !strcmp(name, "._exception") ||
            (behind_loop && !strncmp(name, ".+0x", 4) && !(ouro_async_kind(async, slot.target) & other)))
            return true;
        behind_loop |= !strcmp(name, "._loop");
    }
    return false;
}

ouro_node ouro_async_task_name(const struct ouro_async *async, ouro_node task)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    bool behind_coro = false;
    ouro_node name = ouro_async_attribute(async, task, "_name");
    if (name != OURO_NODE_NONE || task >= async->model->heap.count)
        return name;
    /* _asyncio.Task visits: context, coroutine, name, what it waits for, the loop. */
    ouro_slot_walk_begin(&walk, async->model, task);
    while (ouro_slot_walk_next(&walk, &slot)) {
        const char *label = slot.part->kind == OURO_PART_FIELD
                                ? ouro_snapshot_string(async->model->snapshot, slot.part->name, NULL)
                                : "";
        if (!label || slot.target == OURO_NODE_NONE)
            continue;
        if (behind_coro && strncmp(label, ".+0x", 4))
            break;
        unsigned kind = value_kind(async, slot.target);
        if (behind_coro && (kind == OURO_VALUE_STR || kind == OURO_VALUE_INT))
            return slot.target;
        behind_coro |= !strcmp(label, "._coro");
    }
    return OURO_NODE_NONE;
}
