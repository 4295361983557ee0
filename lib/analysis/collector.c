#include "analysis/collector.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"
#include "graph/reach.h"

/* Counts are clamped to 31 bits: more references than that, 4 bytes each, no snapshot holds. */
struct subtraction {
    const struct ouro_heap_model *model;
    const struct ouro_collector *collector;
    int32_t *gc_refs;
    uint32_t interp; /* of the object whose slots are subtracted */
};

static bool is_candidate(const struct ouro_heap_model *model, ouro_node node)
{
    int generation = ouro_heap_model_generation(model, node);
    return generation >= 0 && generation < OURO_GENERATION_COUNT &&
           !(model->heap.flags[node] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO | OURO_OBJECT_UNTRACKED_FIRST));
}

static void update_refs(struct ouro_collector *collector, const struct ouro_heap_model *model, int32_t *gc_refs)
{
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (!is_candidate(model, v))
            continue;
        uint64_t count = model->heap.refcount[v];
        gc_refs[v] = count > INT32_MAX ? INT32_MAX : (int32_t)count;
        collector->marks[v] = OURO_GC_CANDIDATE;
        collector->candidate_count++;
    }
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
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (!marks[v] || model->heap.flags[v] & OURO_OBJECT_APPROXIMATE)
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
        heap->flags[slot->node] & OURO_OBJECT_APPROXIMATE)
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
    if (e->reach->marks[target] == OURO_GC_CANDIDATE &&
        (!e->model->heap.interp || e->model->heap.interp[target] == e->interp))
        ouro_reach_add(e->reach, target);
}

static void expand(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct ouro_heap_model *model = context;
    struct expansion e = {model, reach, model->heap.interp ? model->heap.interp[node] : 0};
    OURO_EACH_TARGET(model, node, OURO_CLASS_TRAVERSED, keep_candidate, &e);
}

static void find_inconsistent(struct ouro_collector *collector, ouro_node node)
{
    if (!collector->inconsistent_count++)
        collector->inconsistent_example = node;
}

/* move_unreachable: what has references from outside, and all that is reached from there, stays. */
static enum ouro_status mark_reachable(struct ouro_collector *collector, const struct ouro_heap_model *model,
                                       const int32_t *gc_refs)
{
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    OURO_TRY(ouro_reach_init(&reach, model->heap.count, collector->marks, OURO_GC_REACHABLE));
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (!(collector->marks[v] & OURO_GC_CANDIDATE) || (!gc_refs[v] && !(model->heap.flags[v] & OURO_OBJECT_UNASKED)))
            continue;
        if (gc_refs[v] < 0 && !(model->heap.flags[v] & OURO_OBJECT_UNASKED))
            find_inconsistent(collector, v);
        if (!(collector->marks[v] & OURO_GC_REACHABLE)) {
            ouro_reach_add(&reach, v);
            ouro_reach_run(&reach, expand, (void *)model);
        }
    }
    return OURO_OK;
}

enum ouro_status ouro_collector_init(struct ouro_collector *collector, struct ouro_heap_model *model,
                                     struct ouro_err *err)
{
    memset(collector, 0, sizeof *collector);
    collector->inconsistent_example = OURO_NODE_NONE;
    OURO_TRY(ouro_heap_model_load(model, OURO_COLLECTOR_COLUMNS, err));
    size_t count = model->heap.count;
    OURO_FREE int32_t *gc_refs = ouro_large_new_zeroed(count + 1, sizeof *gc_refs);
    collector->marks = ouro_large_new_zeroed(count + 1, 1);
    enum ouro_status status = OURO_NOMEM;
    if (gc_refs && collector->marks) {
        struct subtraction s = {.model = model, .collector = collector, .gc_refs = gc_refs};
        update_refs(collector, model, gc_refs);
        subtract_refs(&s);
        ouro_heap_model_each_borrowed(model, add_borrowed_back, &s);
        status = mark_reachable(collector, model, gc_refs);
    }
    if (status != OURO_OK) {
        ouro_collector_fini(collector);
        return ouro_err_set(err, status, "out of memory for %zu objects", count);
    }
    for (ouro_node v = 0; v < count; v++)
        if (collector->marks[v] == OURO_GC_CANDIDATE) {
            collector->marks[v] |= OURO_GC_UNREACHABLE;
            collector->unreachable_count++;
            collector->unreachable_bytes += ouro_heap_model_bytes(model, v);
        }
    return OURO_OK;
}

void ouro_collector_fini(struct ouro_collector *collector)
{
    free(collector->marks);
    memset(collector, 0, sizeof *collector);
}
