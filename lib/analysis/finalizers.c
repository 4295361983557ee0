#include "analysis/finalizers.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/lookup.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/large.h"
#include "base/map.h"

const char *ouro_finalizer_kind_name(unsigned kind)
{
    static const char *const names[] = {
        [OURO_FINALIZER_WEAKREF] = "weakref_callback",
        [OURO_FINALIZER_WEAKREF_FINALIZE] = "weakref_finalize",
        [OURO_FINALIZER_DEL] = "del",
        [OURO_FINALIZER_GENERATOR] = "generator",
        [OURO_FINALIZER_COROUTINE] = "coroutine",
        [OURO_FINALIZER_ASYNC_GENERATOR] = "async_generator",
        [OURO_FINALIZER_NATIVE] = "native",
        [OURO_FINALIZER_LEGACY] = "legacy",
    };
    return names[kind];
}

const char *ouro_finalizer_stage_name(unsigned stage)
{
    static const char *const names[] = {"callback", "finalizer", "when_freed"};
    return names[stage];
}

/* --- What a type's tp_finalize is. */

enum type_kind { /* beyond enum ouro_finalizer_kind */
                 UNKNOWN = 0xff,
                 NOTHING = 0xfe,
};

struct finding {
    struct ouro_finalizers *finalizers;
    struct ouro_heap_model *model;
    const struct ouro_collector *collector;
    const struct ouro_collection_order *order;
    const uint8_t *freed;
    uint8_t *kinds;       /* owned; by type */
    ouro_node *callables; /* owned; by type: its __del__ */
    struct ouro_map known; /* by __dict__: its __del__ */
};

static uint8_t kind_of_type(struct finding *finding, uint32_t type)
{
    const struct ouro_heap_model *model = finding->model;
    if (type >= model->type_count || !(model->types[type].flags & OURO_TYPE_FINALIZE))
        return NOTHING;
    if (finding->kinds[type] != UNKNOWN)
        return finding->kinds[type];
    uint8_t kind = OURO_FINALIZER_NATIVE;
    if (ouro_lookup_is_type(model, type, "builtins", "generator"))
        kind = OURO_FINALIZER_GENERATOR;
    else if (ouro_lookup_is_type(model, type, "builtins", "coroutine"))
        kind = OURO_FINALIZER_COROUTINE;
    else if (ouro_lookup_is_type(model, type, "builtins", "async_generator"))
        kind = OURO_FINALIZER_ASYNC_GENERATOR;
    else {
        /* A type of C with tp_finalize has a __del__ too, a wrapper around it. */
        ouro_node method = ouro_lookup_method(model, type, "__del__", &finding->known);
        bool is_wrapper = method != OURO_NODE_NONE && ouro_lookup_is_type(model, ouro_heap_model_type(model, method),
                                                                          "builtins", "wrapper_descriptor");
        if (model->types[type].flags & OURO_TYPE_FINALIZE_SLOT_PY || (method != OURO_NODE_NONE && !is_wrapper)) {
            kind = OURO_FINALIZER_DEL;
            finding->callables[type] = is_wrapper ? OURO_NODE_NONE : method;
        }
    }
    return finding->kinds[type] = kind;
}

static bool is_generator_kind(uint8_t kind)
{
    return kind >= OURO_FINALIZER_GENERATOR && kind <= OURO_FINALIZER_ASYNC_GENERATOR;
}

static enum ouro_status add(struct finding *finding, struct ouro_finalizer finalizer)
{
    struct ouro_finalizer *item = OURO_VEC_ADD(finding->finalizers);
    if (!item)
        return OURO_NOMEM;
    *item = finalizer;
    finding->finalizers->kind_count[finalizer.kind]++;
    return OURO_OK;
}

static enum ouro_status add_finalize(struct finding *finding, ouro_node node, uint8_t stage)
{
    uint32_t type = ouro_heap_model_type(finding->model, node);
    uint8_t kind = kind_of_type(finding, type);
    if (kind == NOTHING && ouro_heap_model_type_flags(finding->model, type) & OURO_TYPE_DEL)
        kind = OURO_FINALIZER_LEGACY;
    if (kind == NOTHING)
        return OURO_OK;
    if (is_generator_kind(kind) && !(finding->model->heap.flags[node] & OURO_OBJECT_IN_TRY)) {
        finding->finalizers->idle_count++;
        return OURO_OK;
    }
    return add(finding, (struct ouro_finalizer){.node = node,
                                                .weakref = OURO_NODE_NONE,
                                                .callable = kind == OURO_FINALIZER_DEL ? finding->callables[type]
                                                                                       : OURO_NODE_NONE,
                                                .stage = stage,
                                                .kind = kind});
}

/* --- Callbacks. */

struct callback {
    ouro_node referent, weakref, function;
    uint64_t rank; /* of the referent among the unreachable, or its number where it has none */
    uint64_t age;  /* of the weak reference: a larger one is younger */
    bool unsure;
};

struct callbacks {
    struct callback *items; /* owned */
    size_t count, capacity;
};

/* A weak reference's referent and callback. */
static bool read_weakref(const struct ouro_heap_model *model, ouro_node weakref, struct callback *callback)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    *callback = (struct callback){.referent = OURO_NODE_NONE,
                                  .weakref = weakref,
                                  .function = ouro_heap_model_field(model, weakref, "__callback__")};
    if (callback->function == OURO_NODE_NONE)
        return false;
    ouro_slot_walk_begin(&walk, model, weakref);
    while (callback->referent == OURO_NODE_NONE && ouro_slot_walk_next(&walk, &slot))
        if (slot.edge_class == OURO_EDGE_WEAK)
            callback->referent = slot.target;
    return callback->referent != OURO_NODE_NONE;
}

/* Those that would be called: the referent goes, the weak reference stays. */
static enum ouro_status find_callbacks(struct finding *finding, struct callbacks *callbacks)
{
    const struct ouro_heap_model *model = finding->model;
    OURO_FREE uint8_t *is_weakref = calloc((size_t)model->shape_count + 1, 1);
    if (!is_weakref)
        return OURO_NOMEM;
    for (uint32_t i = 0; i < model->shape_count; i++)
        is_weakref[i] = (ouro_heap_model_type_flags(model, model->shapes[i].type) & OURO_TYPE_WEAKREF) != 0;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        struct callback callback;
        uint32_t shape = model->heap.shape[v];
        if (shape >= model->shape_count || !is_weakref[shape] || ouro_collector_collectable(finding->collector, v) ||
            !read_weakref(model, v, &callback) || !finding->freed[callback.referent])
            continue;
        /* One that hangs off the garbage and is freed with it may go first. */
        if (finding->freed[v] && !ouro_collector_collectable(finding->collector, callback.referent))
            continue;
        struct callback *item = OURO_VEC_ADD(callbacks);
        if (!item)
            return OURO_NOMEM;
        *item = callback;
    }
    return OURO_OK;
}

/* The lists from the oldest objects on. Numbers by node, of those that `wanted` marks. */
static void number_ages(const struct ouro_heap_model *model, uint32_t *numbers)
{
    static const unsigned oldest_first[] = {3, 2, 1, 0};
    uint32_t age = 1;
    for (size_t g = 0; g < sizeof oldest_first / sizeof *oldest_first; g++)
        for (size_t l = 0; l < model->heap.gc_list_count; l++) {
            const struct ouro_heap_gc_list *list = &model->heap.gc_lists[l];
            for (size_t i = 0; list->generation == oldest_first[g] && i < list->count; i++)
                numbers[list->nodes[i]] = age++;
        }
}

static int compare_callbacks(const void *a, const void *b)
{
    const struct callback *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    if (left->age != right->age)
        return left->age > right->age ? -1 : 1;
    return left->weakref < right->weakref ? -1 : 1;
}

static bool is_old(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_heap_model_generation(model, node) != 0;
}

/* Collections move objects about in their lists. One old reference is surely older than all young ones, two are not
 * surely in the order of their ages. */
static void find_unsure(const struct ouro_heap_model *model, struct callbacks *callbacks)
{
    for (size_t i = 1; i < callbacks->count; i++) {
        struct callback *before = &callbacks->items[i - 1], *behind = &callbacks->items[i];
        if (before->referent == behind->referent && is_old(model, before->weakref) && is_old(model, behind->weakref))
            before->unsure = behind->unsure = true;
    }
}

static enum ouro_status sort_callbacks(struct finding *finding, struct callbacks *callbacks)
{
    size_t count = finding->model->heap.count;
    OURO_FREE uint32_t *numbers = ouro_large_new_zeroed(count + 1, sizeof *numbers);
    if (!numbers)
        return OURO_NOMEM;
    number_ages(finding->model, numbers);
    for (size_t i = 0; i < callbacks->count; i++)
        callbacks->items[i].age = numbers[callbacks->items[i].weakref];
    memset(numbers, 0, count * sizeof *numbers);
    for (size_t i = 0; i < finding->order->count; i++)
        numbers[finding->order->items[i]] = (uint32_t)i + 1;
    for (size_t i = 0; i < callbacks->count; i++) {
        struct callback *callback = &callbacks->items[i];
        callback->rank =
            numbers[callback->referent] ? numbers[callback->referent] : finding->order->count + 1 + callback->referent;
    }
    qsort(callbacks->items, callbacks->count, sizeof *callbacks->items, compare_callbacks);
    find_unsure(finding->model, callbacks);
    return OURO_OK;
}

/* weakref.finalize keeps what it calls in _registry: {self: _Info}. */
static enum ouro_status read_registry(const struct ouro_heap_model *model, struct ouro_map *functions)
{
    for (uint32_t type = 0; type < model->type_count; type++) {
        if (!ouro_lookup_is_type(model, type, "weakref", "finalize"))
            continue;
        ouro_node dict = ouro_heap_model_field(model, model->types[type].node, "__dict__");
        ouro_node registry = ouro_lookup_entry(model, dict, "_registry");
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        if (registry == OURO_NODE_NONE)
            continue;
        ouro_slot_walk_begin(&walk, model, registry);
        while (ouro_slot_walk_next(&walk, &slot)) {
            ouro_node function = slot.place || slot.key == OURO_NODE_NONE
                                     ? OURO_NODE_NONE
                                     : ouro_heap_model_field(model, slot.target, ".func");
            uint64_t *place = function == OURO_NODE_NONE ? NULL : ouro_map_put(functions, slot.key, NULL);
            if (function == OURO_NODE_NONE)
                continue;
            if (!place)
                return OURO_NOMEM;
            *place = function;
        }
    }
    return OURO_OK;
}

static enum ouro_status add_callback(struct finding *finding, const struct callback *callback,
                                     const struct ouro_map *functions)
{
    const struct ouro_heap_model *model = finding->model;
    const uint64_t *function = ouro_map_find(functions, callback->function);
    bool is_finalize =
        function || ouro_lookup_is_type(model, ouro_heap_model_type(model, callback->function), "weakref", "finalize");
    bool is_ordered = ouro_collector_collectable(finding->collector, callback->referent);
    finding->finalizers->unsure_count += callback->unsure && is_ordered;
    return add(finding,
               (struct ouro_finalizer){.node = callback->referent,
                                       .weakref = callback->weakref,
                                       .callable = is_finalize ? function ? (ouro_node)*function : OURO_NODE_NONE
                                                               : callback->function,
                                       .stage = is_ordered ? OURO_FINALIZER_CALLBACK : OURO_FINALIZER_WHEN_FREED,
                                       .kind = is_finalize ? OURO_FINALIZER_WEAKREF_FINALIZE : OURO_FINALIZER_WEAKREF,
                                       .unsure = callback->unsure && is_ordered});
}

/* --- All. */

/* Those whose referent the collector finds, then tp_finalize of what it finds, then what runs when the rest is freed.
 */
static enum ouro_status find_in_order(struct finding *finding, const struct callbacks *callbacks,
                                      const struct ouro_map *functions)
{
    struct ouro_finalizers *finalizers = finding->finalizers;
    const struct ouro_heap_model *model = finding->model;
    size_t i = 0;
    for (; i < callbacks->count && ouro_collector_collectable(finding->collector, callbacks->items[i].referent); i++)
        OURO_TRY(add_callback(finding, &callbacks->items[i], functions));
    for (size_t k = 0; k < finding->order->collectable_count; k++) {
        ouro_node node = finding->order->items[k];
        if (!(model->heap.flags[node] & OURO_OBJECT_FINALIZED))
            OURO_TRY(add_finalize(finding, node, OURO_FINALIZER_FINALIZE));
        else if (kind_of_type(finding, ouro_heap_model_type(model, node)) != NOTHING)
            finalizers->finished[finalizers->finished_count++] = node;
    }
    finalizers->ordered_count = finalizers->count;
    for (; i < callbacks->count; i++)
        OURO_TRY(add_callback(finding, &callbacks->items[i], functions));
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (finding->freed[v] && !ouro_collector_collectable(finding->collector, v) &&
            !(model->heap.flags[v] & OURO_OBJECT_FINALIZED))
            OURO_TRY(add_finalize(finding, v, OURO_FINALIZER_WHEN_FREED));
    return OURO_OK;
}

static enum ouro_status find_all(struct finding *finding, struct callbacks *callbacks, struct ouro_map *functions)
{
    size_t types = (size_t)finding->model->type_count + 1;
    finding->kinds = malloc(types);
    finding->callables = malloc(types * sizeof *finding->callables);
    finding->finalizers->finished = malloc(finding->order->collectable_count * sizeof(ouro_node) + 1);
    if (!finding->kinds || !finding->callables || !finding->finalizers->finished)
        return OURO_NOMEM;
    memset(finding->kinds, UNKNOWN, types);
    memset(finding->callables, 0xff, types * sizeof *finding->callables);
    OURO_TRY(find_callbacks(finding, callbacks));
    if (callbacks->count) {
        OURO_TRY(sort_callbacks(finding, callbacks));
        OURO_TRY(read_registry(finding->model, functions));
    }
    return find_in_order(finding, callbacks, functions);
}

enum ouro_status ouro_finalizers_init(struct ouro_finalizers *finalizers, struct ouro_heap_model *model,
                                      const struct ouro_collector *collector, const struct ouro_collection_order *order,
                                      const uint8_t *freed, struct ouro_err *err)
{
    memset(finalizers, 0, sizeof *finalizers);
    OURO_TRY(ouro_heap_model_load(model, OURO_FINALIZERS_COLUMNS, err));
    struct finding finding = {
        .finalizers = finalizers, .model = model, .collector = collector, .order = order, .freed = freed};
    struct callbacks callbacks = {0};
    struct ouro_map functions = {0};
    enum ouro_status status = find_all(&finding, &callbacks, &functions);
    ouro_map_fini(&functions);
    free(callbacks.items);
    free(finding.kinds);
    free(finding.callables);
    ouro_map_fini(&finding.known);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_finalizers_fini(finalizers);
    return ouro_err_set(err, status, "out of memory for the finalizers");
}

void ouro_finalizers_fini(struct ouro_finalizers *finalizers)
{
    free(finalizers->items);
    free(finalizers->finished);
    memset(finalizers, 0, sizeof *finalizers);
}

/* --- Words. */

/* What the tp_finalize of these types of C does (CPython 3.11: iobase_finalize, FutureObj_finalize, TaskObj_finalize,
 * sock_finalize, ScandirIterator_finalize). */
static const char *describe_native(const struct ouro_heap_model *model, uint32_t type)
{
    static const struct {
        const char *module, *name, *words;
    } known[] = {
        {"_io",      "_IOBase",         "flushes and closes the file"                     },
        {"_asyncio", "Task",            "reports a task that was destroyed but is pending"},
        {"_asyncio", "Future",          "reports an exception that was never retrieved"   },
        {"_socket",  "socket",          "closes the socket"                               },
        {"posix",    "ScandirIterator", "closes the directory"                            },
    };
    /* Bases form no cycle: at most as many steps as there are types. */
    for (uint32_t t = type, steps = 0; t < model->type_count && steps < model->type_count;
         t = model->types[t].base, steps++)
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (ouro_lookup_is_type(model, t, known[i].module, known[i].name))
                return known[i].words;
    return "runs C code (tp_finalize)";
}

static void describe_generator(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node)
{
    ouro_node code = ouro_heap_model_field(model, node, "gi_code");
    if (code == OURO_NODE_NONE)
        code = ouro_heap_model_field(model, node, "f_code");
    ouro_buf_add_text(out, "closes ");
    if (code == OURO_NODE_NONE || !ouro_value_add(out, model, code, OURO_LABEL_KEY_BYTES))
        ouro_buf_add_text(out, "it");
    ouro_buf_add_text(out, ", inside of a try or with");
}

void ouro_finalizer_describe(struct ouro_buf *out, const struct ouro_heap_model *model,
                             const struct ouro_finalizer *finalizer)
{
    switch (finalizer->kind) {
    case OURO_FINALIZER_WEAKREF:
        ouro_buf_add_text(out, "calls ");
        ouro_lookup_add_callable(out, model, finalizer->callable);
        ouro_buf_add_text(out, ", a weak reference's callback");
        break;
    case OURO_FINALIZER_WEAKREF_FINALIZE:
        ouro_buf_add_text(out, "calls ");
        if (finalizer->callable == OURO_NODE_NONE)
            ouro_buf_add_text(out, "what it was made for");
        else
            ouro_lookup_add_callable(out, model, finalizer->callable);
        ouro_buf_add_text(out, ", by weakref.finalize");
        break;
    case OURO_FINALIZER_DEL:
        ouro_buf_add_text(out, "runs ");
        if (finalizer->callable == OURO_NODE_NONE)
            ouro_buf_add_text(out, "its __del__");
        else
            ouro_lookup_add_callable(out, model, finalizer->callable);
        break;
    case OURO_FINALIZER_GENERATOR:
    case OURO_FINALIZER_COROUTINE:
    case OURO_FINALIZER_ASYNC_GENERATOR:
        describe_generator(out, model, finalizer->node);
        break;
    case OURO_FINALIZER_LEGACY:
        ouro_buf_add_text(out, "runs C code (tp_del)");
        break;
    default:
        ouro_buf_add_text(out, describe_native(model, ouro_heap_model_type(model, finalizer->node)));
        break;
    }
}
