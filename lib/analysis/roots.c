#include "analysis/roots.h"

#include <stdlib.h>
#include <string.h>

#include "base/ahead.h"
#include "base/bits.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/large.h"
#include "graph/reach.h"

#define AHEAD 32 /* references before whose turn the counts of what they refer to are asked for */

static bool is_lost(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.shape[node] >= model->shape_count;
}

static inline void count_one(uint32_t *counts, ouro_node target)
{
    counts[target] += counts[target] != UINT32_MAX;
}

static void take_borrowed_off(void *context, const struct ouro_slot *slot)
{
    uint32_t *counts = context;
    if (slot->edge_class != OURO_EDGE_WEAK && counts[slot->target])
        counts[slot->target]--;
}

static inline void take_off(uint32_t *counts, ouro_node target)
{
    counts[target] -= counts[target] != UINT32_MAX;
}

/* All slots as they stand; then those that own nothing are taken off, which few shapes have. */
static void count_known(uint32_t *counts, const struct ouro_heap_model *model)
{
    const struct ouro_heap *heap = &model->heap;
    for (uint64_t i = 0, count = heap->slot_begin[heap->count]; i < count; i++) {
        if (count - i > AHEAD && heap->slots[i + AHEAD] != OURO_NODE_NONE)
            ouro_ahead(&counts[heap->slots[i + AHEAD]]);
        if (heap->slots[i] != OURO_NODE_NONE)
            count_one(counts, heap->slots[i]);
    }
    for (ouro_node v = 0; v < heap->count; v++)
        if (ouro_heap_model_shape(model, v)->classes & ~OURO_CLASS_OWNED)
            OURO_EACH_TARGET(model, v, ~OURO_CLASS_OWNED, take_off, counts);
}

/* In place: from the number of known references to what of the count they leave unexplained. */
static void explain(struct ouro_roots *roots)
{
    const struct ouro_heap_model *model = roots->model;
    uint32_t *counts = roots->unexplained;
    count_known(counts, model);
    ouro_heap_model_each_borrowed(model, take_borrowed_off, counts);
    roots->deficit_example = OURO_NODE_NONE;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint64_t known = counts[v], count = model->heap.refcount[v];
        counts[v] = 0;
        if (model->heap.flags[v] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO) || (model->heap.lost_count && is_lost(model, v)))
            continue;
        if (count > known) {
            counts[v] = count - known > UINT32_MAX ? UINT32_MAX : (uint32_t)(count - known);
            roots->unexplained_count++;
        } else if (count < known) {
            roots->deficit_example = roots->deficit_count++ ? roots->deficit_example : v;
            roots->tracked_deficit_count += ouro_heap_model_generation(model, v) >= 0;
        }
    }
}

static inline void reach_target(struct ouro_reach *reach, ouro_node target)
{
    ouro_reach_add(reach, target);
}

static void expand(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct ouro_heap_model *model = context;
    OURO_EACH_TARGET(model, node, OURO_CLASS_OWNED, reach_target, reach);
}

static inline void reach_unrooted(struct ouro_reach *reach, ouro_node target)
{
    if (!(reach->marks[target] & OURO_ROOTED))
        ouro_reach_add(reach, target);
}

static void expand_unrooted(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct ouro_heap_model *model = context;
    OURO_EACH_TARGET(model, node, OURO_CLASS_OWNED, reach_unrooted, reach);
}

static bool is_named_root(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO && model->root_type != OURO_TYPE_NONE &&
           ouro_heap_model_type(model, node) == model->root_type;
}

/* What no root reaches so far, ascending. */
struct rest {
    ouro_node *items; /* owned */
    size_t count, capacity;
};

static void rest_fini(struct rest *rest)
{
    free(rest->items);
}

/* found: as of ouro_roots_init_found, or NULL. */
static enum ouro_status find_named(struct ouro_roots *roots, struct ouro_reach *reach, const uint64_t *found, struct rest *rest)
{
    const struct ouro_heap_model *model = roots->model;
    ouro_node first = model->heap.count; /* all roots lie among the pseudo objects at the end, but for those of a damaged file */
    while (first && (model->heap.lost_count || model->heap.flags[first - 1] & OURO_OBJECT_PSEUDO))
        first--;
    for (ouro_node v = first; v < model->heap.count; v++)
        roots->named_count += is_named_root(model, v);
    roots->named = malloc(roots->named_count * sizeof *roots->named + 1);
    if (!roots->named)
        return OURO_NOMEM;
    roots->named_count = 0;
    for (ouro_node v = 0; found && v < model->heap.count; v++)
        roots->marks[v] = ouro_bits_has(found, v) ? OURO_ROOTED : 0;
    for (ouro_node v = first; v < model->heap.count; v++)
        if (is_named_root(model, v)) {
            roots->named[roots->named_count++] = v;
            ouro_reach_add(reach, v);
        }
    ouro_reach_run(reach, expand, (void *)model);
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (roots->marks[v]) {
            roots->marks[v] = OURO_ROOTED | OURO_NAMED;
            continue;
        }
        ouro_node *fresh = OURO_VEC_ADD(rest);
        if (!fresh)
            return OURO_NOMEM;
        *fresh = v;
    }
    return OURO_OK;
}

static bool only_native_keeps(const struct ouro_roots *roots, ouro_node node)
{
    const struct ouro_heap_model *model = roots->model;
    if (roots->marks[node] & OURO_ROOTED || ouro_collector_unreachable(roots->collector, node))
        return false;
    return roots->unexplained[node] ||
           (model->heap.flags[node] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO)) == OURO_OBJECT_IMMORTAL;
}

static enum ouro_status find_native(struct ouro_roots *roots, struct ouro_reach *reach, const struct rest *rest)
{
    const struct ouro_heap_model *model = roots->model;
    for (size_t i = 0; i < rest->count; i++)
        roots->native_count += only_native_keeps(roots, rest->items[i]);
    roots->native = malloc(roots->native_count * sizeof *roots->native + 1);
    if (!roots->native)
        return OURO_NOMEM;
    roots->native_count = 0;
    for (size_t i = 0; i < rest->count; i++)
        if (only_native_keeps(roots, rest->items[i]))
            roots->native[roots->native_count++] = rest->items[i];
    /* Only now, so that one native root hides no other. */
    for (ouro_node i = 0; i < roots->native_count; i++)
        ouro_reach_add(reach, roots->native[i]);
    ouro_reach_run(reach, expand, (void *)model);
    return OURO_OK;
}

static enum ouro_status find_garbage(struct ouro_roots *roots, struct ouro_reach *reach, const struct rest *rest)
{
    const struct ouro_heap_model *model = roots->model;
    roots->garbage = malloc(roots->collector->unreachable_count * sizeof *roots->garbage + 1);
    if (!roots->garbage)
        return OURO_NOMEM;
    reach->bit = OURO_WITH_GARBAGE;
    for (ouro_node v = 0; roots->garbage_count < roots->collector->unreachable_count && v < model->heap.count; v++)
        if (ouro_collector_unreachable(roots->collector, v)) {
            roots->garbage[roots->garbage_count++] = v;
            reach_unrooted(reach, v);
        }
    ouro_reach_run(reach, expand_unrooted, (void *)model);
    for (size_t i = 0; i < rest->count; i++) {
        ouro_node v = rest->items[i];
        if (roots->marks[v] & OURO_WITH_GARBAGE) {
            roots->with_garbage_count++;
            roots->with_garbage_bytes += ouro_heap_model_bytes(model, v);
        } else if (!roots->marks[v] && !is_lost(model, v)) {
            roots->lone_count++;
            roots->lone_bytes += ouro_heap_model_bytes(model, v);
        }
    }
    return OURO_OK;
}

static enum ouro_status begin(struct ouro_roots *roots, struct ouro_heap_model *model, struct ouro_err *err)
{
    memset(roots, 0, sizeof *roots);
    roots->model = model;
    OURO_TRY(ouro_heap_model_load(model, OURO_COLLECTOR_COLUMNS | OURO_HEAP_ADDR, err));
    ouro_node count = model->heap.count;
    roots->marks = ouro_large_new_zeroed((size_t)count + 1, 1);
    roots->unexplained = ouro_large_new_zeroed((size_t)count + 1, sizeof *roots->unexplained);
    if (!roots->marks || !roots->unexplained)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for %lu objects", (unsigned long)count);
    explain(roots);
    return OURO_OK;
}

static enum ouro_status find(struct ouro_roots *roots, const uint64_t *found)
{
    ouro_node count = roots->model->heap.count;
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    OURO_GUARD(rest_fini) struct rest rest = {0};
    OURO_TRY(ouro_reach_init(&reach, count, roots->marks, OURO_ROOTED));
    reach.ahead = ouro_heap_model_reach_ahead;
    OURO_TRY(find_named(roots, &reach, found, &rest));
    OURO_TRY(find_native(roots, &reach, &rest));
    OURO_TRY(find_garbage(roots, &reach, &rest));
    ouro_addr last = count ? roots->model->heap.addr[count - 1] : 0;
    roots->first_addr = last < OURO_PSEUDO_BASE ? OURO_PSEUDO_BASE : last + 8;
    if ((uint64_t)count + roots->native_count + 2 >= OURO_NODE_NONE)
        return OURO_LIMIT;
    return OURO_OK;
}

static enum ouro_status finish(struct ouro_roots *roots, const struct ouro_collector *collector, const uint64_t *found,
                               struct ouro_err *err)
{
    roots->collector = collector;
    enum ouro_status status = find(roots, found);
    unsigned long count = roots->model->heap.count;
    if (status == OURO_NOMEM)
        ouro_err_set(err, status, "out of memory for %lu objects", count);
    else if (status != OURO_OK)
        ouro_err_set(err, status, "%lu objects and their roots are more than this version can number", count);
    return status;
}

enum ouro_status ouro_roots_init_found(struct ouro_roots *roots, struct ouro_heap_model *model, struct ouro_collector *collector,
                                       const uint64_t *found, struct ouro_err *err)
{
    memset(collector, 0, sizeof *collector);
    enum ouro_status status = begin(roots, model, err);
    if (status == OURO_OK)
        status = roots->tracked_deficit_count || model->heap.borrowed_count ? ouro_collector_init(collector, model, err)
                                                                    : ouro_collector_init_found(collector, model, found, err);
    if (status == OURO_OK)
        status = finish(roots, collector, found, err);
    if (status != OURO_OK) {
        ouro_collector_fini(collector);
        ouro_roots_fini(roots);
    }
    return status;
}

enum ouro_status ouro_roots_init(struct ouro_roots *roots, struct ouro_heap_model *model,
                                 const struct ouro_collector *collector, struct ouro_err *err)
{
    enum ouro_status status = begin(roots, model, err);
    if (status == OURO_OK)
        status = finish(roots, collector, NULL, err);
    if (status != OURO_OK)
        ouro_roots_fini(roots);
    return status;
}

void ouro_roots_fini(struct ouro_roots *roots)
{
    free(roots->marks);
    free(roots->unexplained);
    free(roots->named);
    free(roots->native);
    free(roots->garbage);
    memset(roots, 0, sizeof *roots);
}

static inline void count_edge(uint64_t *count, ouro_node target)
{
    (void)target;
    ++*count;
}

static inline void add_edge(struct ouro_csr *csr, ouro_node target)
{
    csr->targets[csr->edge_count++] = target;
}

enum ouro_status ouro_roots_graph(const struct ouro_roots *roots, struct ouro_csr *csr, struct ouro_err *err)
{
    const struct ouro_heap_model *model = roots->model;
    ouro_node count = model->heap.count, virtual_count = ouro_roots_virtual_count(roots);
    uint64_t edges = (uint64_t)roots->native_count + roots->garbage_count + roots->named_count + virtual_count;
    for (ouro_node v = 0; v < count; v++)
        OURO_EACH_TARGET(model, v, OURO_CLASS_OWNED, count_edge, &edges);
    if (ouro_csr_init(csr, count + virtual_count + 1, edges) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for a graph of %llu references", (unsigned long long)edges);
    csr->edge_count = 0;
    for (ouro_node v = 0; v < count; v++) {
        csr->begin[v] = csr->edge_count;
        OURO_EACH_TARGET(model, v, OURO_CLASS_OWNED, add_edge, csr);
    }
    for (ouro_node v = count; v < count + virtual_count; v++) {
        ouro_node target_count;
        const ouro_node *targets = ouro_roots_targets(roots, v, &target_count);
        csr->begin[v] = csr->edge_count;
        for (ouro_node i = 0; i < target_count; i++)
            add_edge(csr, targets[i]);
    }
    csr->begin[count + virtual_count] = csr->edge_count;
    for (ouro_node i = 0; i < roots->named_count; i++)
        add_edge(csr, roots->named[i]);
    for (ouro_node i = 0; i < virtual_count; i++)
        add_edge(csr, count + i);
    csr->begin[count + virtual_count + 1] = csr->edge_count;
    return OURO_OK;
}
