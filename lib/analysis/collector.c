#include "analysis/collector.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/large.h"
#include "graph/reach.h"

#define KEPT_TOGETHER 256u /* so that there is something to look ahead to */

/* What is looked at: all objects, or candidates that named roots don't reach, ascending. */
struct rest {
    const uint64_t *found; /* borrowed; bits: what they reach; NULL: all */
    ouro_node *items;       /* owned */
    size_t count, capacity;
};

static inline size_t rest_count(const struct rest *rest, const struct ouro_heap_model *model)
{
    return rest->found ? rest->count : model->heap.count;
}

static inline ouro_node rest_node(const struct rest *rest, size_t i)
{
    return rest->found ? rest->items[i] : (ouro_node)i;
}

/* Counts are clamped to 31 bits: more references than that, 4 bytes each, no snapshot holds. */
struct subtraction {
    const struct ouro_heap_model *model;
    const struct ouro_collector *collector;
    const struct ouro_collector_scope *scope;
    const struct rest *rest;
    int32_t *gc_refs;
    uint32_t interp; /* of the object whose slots are subtracted */
};

static bool is_candidate(const struct ouro_heap_model *model, const struct ouro_collector_scope *scope, ouro_node node)
{
    int generation = ouro_heap_model_generation(model, node);
    return generation >= 0 &&
           (generation <= (int)scope->generation || (scope->frozen && generation == OURO_GENERATION_COUNT)) &&
           !(model->heap.flags[node] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO | OURO_OBJECT_UNTRACKED_FIRST));
}

static bool update_refs(struct ouro_collector *collector, const struct ouro_heap_model *model,
                        const struct ouro_collector_scope *scope, struct rest *rest, int32_t *gc_refs)
{
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (!is_candidate(model, scope, v))
            continue;
        collector->candidate_count++;
        collector->marks[v] = OURO_GC_CANDIDATE;
        if (rest->found) {
            if (ouro_bits_has(rest->found, v)) {
                collector->marks[v] |= OURO_GC_REACHABLE;
                continue;
            }
            ouro_node *fresh = OURO_VEC_ADD(rest);
            if (!fresh)
                return false;
            *fresh = v;
        }
        uint64_t count = model->heap.refcount[v];
        gc_refs[v] = count > INT32_MAX ? INT32_MAX : (int32_t)count;
    }
    for (size_t i = 0; i < scope->cleared_count; i++)
        if (scope->cleared[i] < model->heap.count)
            collector->marks[scope->cleared[i]] |= OURO_GC_CLEARED;
    return true;
}

/* The counts of what is no candidate go astray too; nobody looks at them, and the loop needs no test. Unsigned, because
 * they may wrap. */
static inline void subtract_one(uint32_t *gc_refs, ouro_node target)
{
    gc_refs[target]--;
}

static inline void subtract_within(struct subtraction *s, ouro_node target)
{
    if (s->model->heap.interp[target] == s->interp)
        s->gc_refs[target]--;
}

static void subtract_refs(struct subtraction *s)
{
    const struct ouro_heap_model *model = s->model;
    const uint8_t *marks = s->collector->marks;
    for (size_t i = 0; i < rest_count(s->rest, model); i++) {
        ouro_node v = rest_node(s->rest, i);
        if (!marks[v] || (model->heap.flags[v] & OURO_OBJECT_APPROXIMATE && !s->scope->guessed))
            continue;
        if (model->heap.interp) {
            s->interp = model->heap.interp[v];
            OURO_EACH_TARGET(model, v, OURO_CLASS_TRAVERSED, subtract_within, s);
        } else {
            OURO_EACH_TARGET(model, v, OURO_CLASS_TRAVERSED, subtract_one, (uint32_t *)s->gc_refs);
        }
    }
}

/* A borrowed reference was subtracted though it owns no count. */
static void add_borrowed_back(void *context, const struct ouro_slot *slot)
{
    struct subtraction *s = context;
    const struct ouro_heap *heap = &s->model->heap;
    if (slot->edge_class != OURO_EDGE_TRAVERSED || !s->collector->marks[slot->node] ||
        (heap->flags[slot->node] & OURO_OBJECT_APPROXIMATE && !s->scope->guessed))
        return;
    if (!heap->interp || heap->interp[slot->node] == heap->interp[slot->target])
        s->gc_refs[slot->target]++;
}

struct expansion {
    const struct ouro_heap_model *model;
    struct ouro_reach *reach;
    uint32_t interp;
};

static inline void keep_candidate(struct expansion *e, ouro_node target)
{
    if ((e->reach->marks[target] & ~OURO_GC_CLEARED) == OURO_GC_CANDIDATE &&
        (!e->model->heap.interp || e->model->heap.interp[target] == e->interp))
        ouro_reach_add(e->reach, target);
}

static void expand(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct ouro_heap_model *model = context;
    struct expansion e = {model, reach, model->heap.interp ? model->heap.interp[node] : 0};
    if (!(reach->marks[node] & OURO_GC_CLEARED))
        OURO_EACH_TARGET(model, node, OURO_CLASS_TRAVERSED, keep_candidate, &e);
}

static void find_inconsistent(struct ouro_collector *collector, ouro_node node)
{
    if (!collector->inconsistent_count++)
        collector->inconsistent_example = node;
}

/* move_unreachable: what has references from outside, and all that is reached from there, stays. */
static enum ouro_status mark_reachable(struct ouro_collector *collector, const struct ouro_heap_model *model,
                                       const struct rest *rest, const int32_t *gc_refs)
{
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    OURO_TRY(ouro_reach_init(&reach, model->heap.count, collector->marks, OURO_GC_REACHABLE));
    reach.ahead = ouro_heap_model_reach_ahead;
    for (size_t i = 0; i < rest_count(rest, model); i++) {
        ouro_node v = rest_node(rest, i);
        if (!(collector->marks[v] & OURO_GC_CANDIDATE) ||
            (!gc_refs[v] && !(model->heap.flags[v] & OURO_OBJECT_UNASKED)))
            continue;
        if (gc_refs[v] < 0 && !(model->heap.flags[v] & OURO_OBJECT_UNASKED))
            find_inconsistent(collector, v);
        if (!(collector->marks[v] & OURO_GC_REACHABLE)) {
            ouro_reach_add(&reach, v);
            if (reach.depth >= KEPT_TOGETHER)
                ouro_reach_run(&reach, expand, (void *)model);
        }
    }
    ouro_reach_run(&reach, expand, (void *)model);
    return OURO_OK;
}

static void find_unreachable(struct ouro_collector *collector, const struct ouro_heap_model *model, const struct rest *rest)
{
    for (size_t i = 0; i < rest_count(rest, model); i++) {
        ouro_node v = rest_node(rest, i);
        if ((collector->marks[v] & (OURO_GC_CANDIDATE | OURO_GC_REACHABLE)) != OURO_GC_CANDIDATE)
            continue;
        collector->marks[v] |= OURO_GC_UNREACHABLE;
        collector->unreachable_count++;
        collector->unreachable_bytes += ouro_heap_model_bytes(model, v);
    }
}

static inline void move_target(struct expansion *e, ouro_node target)
{
    if (e->reach->marks[target] & OURO_GC_UNREACHABLE &&
        (!e->model->heap.interp || e->model->heap.interp[target] == e->interp))
        ouro_reach_add(e->reach, target);
}

static void expand_legacy(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct ouro_heap_model *model = context;
    struct expansion e = {model, reach, model->heap.interp ? model->heap.interp[node] : 0};
    OURO_EACH_TARGET(model, node, OURO_CLASS_TRAVERSED, move_target, &e);
}

static bool has_legacy_finalizer(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_heap_model_type_flags(model, ouro_heap_model_type(model, node)) & OURO_TYPE_DEL;
}

/* move_legacy_finalizers and move_legacy_finalizer_reachable. */
static enum ouro_status mark_uncollectable(struct ouro_collector *collector, const struct ouro_heap_model *model)
{
    uint32_t type = 0;
    while (type < model->type_count && !(model->types[type].flags & OURO_TYPE_DEL))
        type++;
    if (type == model->type_count || !collector->unreachable_count)
        return OURO_OK;
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    OURO_TRY(ouro_reach_init(&reach, model->heap.count, collector->marks, OURO_GC_UNCOLLECTABLE));
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (ouro_collector_unreachable(collector, v) && has_legacy_finalizer(model, v))
            ouro_reach_add(&reach, v);
    ouro_reach_run(&reach, expand_legacy, (void *)model);
    collector->uncollectable_count = reach.count;
    for (ouro_node v = 0; reach.count && v < model->heap.count; v++)
        if (collector->marks[v] & OURO_GC_UNCOLLECTABLE)
            collector->uncollectable_bytes += ouro_heap_model_bytes(model, v);
    return OURO_OK;
}

static enum ouro_status init(struct ouro_collector *collector, struct ouro_heap_model *model,
                             const struct ouro_collector_scope *scope, const uint64_t *found, struct ouro_err *err)
{
    memset(collector, 0, sizeof *collector);
    collector->inconsistent_example = OURO_NODE_NONE;
    OURO_TRY(ouro_heap_model_load(model, OURO_COLLECTOR_COLUMNS, err));
    size_t count = model->heap.count;
    /* Zero pages where few will be needed. */
    OURO_FREE int32_t *gc_refs = found ? calloc(count + 1, sizeof *gc_refs) : ouro_large_new_zeroed(count + 1, sizeof *gc_refs);
    collector->marks = ouro_large_new_zeroed(count + 1, 1);
    struct rest rest = {.found = found};
    enum ouro_status status = OURO_NOMEM;
    if (gc_refs && collector->marks && update_refs(collector, model, scope, &rest, gc_refs)) {
        struct subtraction s = {.model = model, .collector = collector, .scope = scope, .rest = &rest, .gc_refs = gc_refs};
        subtract_refs(&s);
        ouro_heap_model_each_borrowed(model, add_borrowed_back, &s);
        status = mark_reachable(collector, model, &rest, gc_refs);
    }
    if (status == OURO_OK) {
        find_unreachable(collector, model, &rest);
        status = mark_uncollectable(collector, model);
    }
    free(rest.items);
    if (status != OURO_OK) {
        ouro_collector_fini(collector);
        return ouro_err_set(err, status, "out of memory for %zu objects", count);
    }
    return OURO_OK;
}

enum ouro_status ouro_collector_init_scope(struct ouro_collector *collector, struct ouro_heap_model *model,
                                           const struct ouro_collector_scope *scope, struct ouro_err *err)
{
    return init(collector, model, scope, NULL, err);
}

static const struct ouro_collector_scope full = {.generation = OURO_GENERATION_COUNT - 1};

enum ouro_status ouro_collector_init(struct ouro_collector *collector, struct ouro_heap_model *model,
                                     struct ouro_err *err)
{
    return init(collector, model, &full, NULL, err);
}

enum ouro_status ouro_collector_init_found(struct ouro_collector *collector, struct ouro_heap_model *model, const uint64_t *found,
                                           struct ouro_err *err)
{
    return init(collector, model, &full, found, err);
}

void ouro_collector_fini(struct ouro_collector *collector)
{
    free(collector->marks);
    memset(collector, 0, sizeof *collector);
}

struct line {
    const struct ouro_heap_gc_list *list;
    unsigned place; /* among those of its interpreter */
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    if (left->list->interpreter != right->list->interpreter)
        return left->list->interpreter < right->list->interpreter ? -1 : 1;
    return left->place < right->place ? -1 : left->place > right->place;
}

/* The lists as gc_list_merge lines them up, interpreter by interpreter: the oldest of the collection, then from the
 * youngest on. */
static enum ouro_status line_up(const struct ouro_heap *heap, unsigned generation, struct line **lines, size_t *count)
{
    *count = 0;
    *lines = malloc(heap->gc_list_count * sizeof **lines + 1);
    if (!*lines)
        return OURO_NOMEM;
    for (size_t l = 0; l < heap->gc_list_count; l++) {
        const struct ouro_heap_gc_list *list = &heap->gc_lists[l];
        if (list->generation <= generation)
            (*lines)[(*count)++] = (struct line){list, list->generation == generation ? 0 : list->generation + 1};
    }
    qsort(*lines, *count, sizeof **lines, compare_lines);
    return OURO_OK;
}

static void take(struct ouro_collection_order *order, struct ouro_collector *collector, ouro_node node, unsigned wanted)
{
    const unsigned bits = OURO_GC_UNREACHABLE | OURO_GC_UNCOLLECTABLE | OURO_GC_ORDERED;
    if ((collector->marks[node] & bits) == wanted) {
        collector->marks[node] |= OURO_GC_ORDERED;
        order->items[order->count++] = node;
    }
}

/* Those of one kind; legacy: those that have such a finalizer themselves. */
static void take_listed(struct ouro_collection_order *order, struct ouro_collector *collector,
                        const struct ouro_heap_model *model, const struct line *lines, size_t line_count, bool legacy)
{
    const struct ouro_heap *heap = &model->heap;
    unsigned wanted = legacy ? OURO_GC_UNREACHABLE | OURO_GC_UNCOLLECTABLE : OURO_GC_UNREACHABLE;
    for (size_t l = 0; l < line_count; l++)
        for (size_t i = 0; i < lines[l].list->count; i++)
            if (!legacy || has_legacy_finalizer(model, lines[l].list->nodes[i]))
                take(order, collector, lines[l].list->nodes[i], wanted);
    size_t listed = order->count;
    for (ouro_node v = 0; order->count < collector->unreachable_count && v < heap->count; v++)
        if (!legacy || has_legacy_finalizer(model, v))
            take(order, collector, v, wanted);
    order->unlisted_count += order->count - listed;
}

static enum ouro_status take_all(struct ouro_collection_order *order, struct ouro_collector *collector,
                                 const struct ouro_heap_model *model, unsigned generation)
{
    OURO_FREE struct line *lines = NULL;
    size_t count;
    order->items = ouro_large_new(collector->unreachable_count + 1, sizeof *order->items);
    if (!order->items)
        return OURO_NOMEM;
    OURO_TRY(line_up(&model->heap, generation, &lines, &count));
    take_listed(order, collector, model, lines, count, false);
    order->collectable_count = order->count;
    if (!collector->uncollectable_count)
        return OURO_OK;
    take_listed(order, collector, model, lines, count, true);
    /* The list grows as it is gone through, as the collector's does. */
    for (size_t i = order->collectable_count; i < order->count; i++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        ouro_slot_walk_begin(&walk, model, order->items[i]);
        while (ouro_slot_walk_next(&walk, &slot))
            if (slot.target != OURO_NODE_NONE && slot.edge_class == OURO_EDGE_TRAVERSED &&
                (!model->heap.interp || model->heap.interp[slot.target] == model->heap.interp[slot.node]))
                take(order, collector, slot.target, OURO_GC_UNREACHABLE | OURO_GC_UNCOLLECTABLE);
    }
    return OURO_OK;
}

enum ouro_status ouro_collection_order_init(struct ouro_collection_order *order, struct ouro_collector *collector,
                                            struct ouro_heap_model *model, unsigned generation, struct ouro_err *err)
{
    memset(order, 0, sizeof *order);
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_GC_ORDER, err));
    enum ouro_status status = take_all(order, collector, model, generation);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_collection_order_fini(order);
    return ouro_err_set(err, status, "out of memory for %llu unreachable objects",
                        (unsigned long long)collector->unreachable_count);
}

void ouro_collection_order_fini(struct ouro_collection_order *order)
{
    free(order->items);
    memset(order, 0, sizeof *order);
}
