#include "analysis/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static enum ouro_status keep(struct ouro_slots *slots, const struct ouro_slot *slot, size_t most)
{
    slots->total++;
    if (most && slots->count == most)
        return OURO_OK;
    struct ouro_slot *item = OURO_VEC_ADD(slots);
    if (!item)
        return OURO_NOMEM;
    *item = *slot;
    return OURO_OK;
}

static enum ouro_status find_referents(struct ouro_neighbours *neighbours, const struct ouro_heap_model *model,
                                       size_t most)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, neighbours->node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target != OURO_NODE_NONE)
            OURO_TRY(keep(&neighbours->referents, &slot, most));
    return OURO_OK;
}

static enum ouro_status find_referrers_in(struct ouro_neighbours *neighbours, const struct ouro_heap_model *model,
                                          ouro_node from, size_t most)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, from);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target != neighbours->node)
            continue;
        OURO_TRY(keep(&neighbours->referrers, &slot, most));
        if (slot.edge_class != OURO_EDGE_WEAK) {
            neighbours->owned_count++;
            continue;
        }
        neighbours->weak_count++;
        if (ouro_heap_model_type_flags(model, ouro_heap_model_type(model, from)) & OURO_TYPE_WEAKREF)
            OURO_TRY(keep(&neighbours->weak_references, &slot, most));
    }
    return OURO_OK;
}

static void move_borrowed(void *context, const struct ouro_slot *slot)
{
    struct ouro_neighbours *neighbours = context;
    if (slot->target == neighbours->node && slot->edge_class != OURO_EDGE_WEAK) {
        neighbours->owned_count--;
        neighbours->borrowed_count++;
    }
}

static enum ouro_status find(struct ouro_neighbours *neighbours, const struct ouro_heap_model *model, size_t most)
{
    const struct ouro_heap *heap = &model->heap;
    OURO_TRY(find_referents(neighbours, model, most));
    for (ouro_node v = 0; v < heap->count; v++)
        for (uint64_t i = heap->slot_begin[v]; i < heap->slot_begin[v + 1]; i++)
            if (heap->slots[i] == neighbours->node) {
                OURO_TRY(find_referrers_in(neighbours, model, v, most));
                break;
            }
    ouro_heap_model_each_borrowed(model, move_borrowed, neighbours);
    return OURO_OK;
}

enum ouro_status ouro_neighbours_init(struct ouro_neighbours *neighbours, struct ouro_heap_model *model, ouro_node node,
                                      size_t most, struct ouro_err *err)
{
    memset(neighbours, 0, sizeof *neighbours);
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_ALL & ~OURO_HEAP_GC_ORDER, err));
    if (node >= model->heap.count)
        return ouro_err_set(err, OURO_INVAL, "no object has the number %lu", (unsigned long)node);
    neighbours->node = node;
    enum ouro_status status = find(neighbours, model, most);
    if (status != OURO_OK) {
        ouro_neighbours_fini(neighbours);
        return ouro_err_set(err, status, "out of memory for a list of references");
    }
    return OURO_OK;
}

void ouro_neighbours_fini(struct ouro_neighbours *neighbours)
{
    free(neighbours->referents.items);
    free(neighbours->referrers.items);
    free(neighbours->weak_references.items);
    memset(neighbours, 0, sizeof *neighbours);
}
