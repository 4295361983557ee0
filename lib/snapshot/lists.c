/* Collector order and borrowed references: lists of nodes beside the columns. */
#include <stdlib.h>

#include "base/cursor.h"
#include "snapshot/snapshot.h"

static enum ouro_status bad(const struct ouro_block *block, struct ouro_err *err)
{
    return ouro_err_set(err, OURO_BADDATA, "the block of %s at byte %llu holds something else",
                        ouro_section_name(block->section), (unsigned long long)block->offset);
}

static enum ouro_status no_memory(struct ouro_err *err)
{
    return ouro_err_set(err, OURO_NOMEM, "no memory for the collector's lists");
}

/* Lists while they grow. */
struct lists {
    struct ouro_heap_gc_list *items;
    size_t *capacities;
    size_t count, capacity, capacity_count;
};

static struct ouro_heap_gc_list *find_list(struct lists *lists, uint64_t interpreter, unsigned generation,
                                           size_t **capacity)
{
    for (size_t i = 0; i < lists->count; i++)
        if (lists->items[i].interpreter == interpreter && lists->items[i].generation == generation) {
            *capacity = &lists->capacities[i];
            return &lists->items[i];
        }
    if (lists->count == lists->capacity_count &&
        !ouro_vec_grow((void **)&lists->capacities, &lists->capacity_count, sizeof *lists->capacities))
        return NULL;
    struct ouro_heap_gc_list *list = OURO_VEC_ADD(lists);
    if (!list)
        return NULL;
    list->interpreter = interpreter;
    list->generation = generation;
    *capacity = &lists->capacities[lists->count - 1];
    **capacity = 0;
    return list;
}

static enum ouro_status load_gc_block(struct lists *lists, const struct ouro_heap *heap, const struct ouro_block *block,
                                      struct ouro_block_reader *reader, bool gaps_allowed, struct ouro_err *err)
{
    const unsigned char *raw = NULL;
    OURO_TRY(ouro_block_load(reader, block, NULL, &raw, err));
    struct ouro_cursor cursor = ouro_cursor_of(raw, block->raw_bytes);
    uint64_t interpreter = ouro_cursor_varint(&cursor), generation = ouro_cursor_varint(&cursor);
    if (cursor.failed || generation > 3 || block->count > ouro_cursor_left(&cursor))
        return bad(block, err);
    size_t *capacity = NULL;
    struct ouro_heap_gc_list *list = find_list(lists, interpreter, (unsigned)generation, &capacity);
    if (!list)
        return no_memory(err);
    if (block->first != list->count && !(gaps_allowed && block->first > list->count))
        return bad(block, err);
    while (*capacity - list->count < block->count)
        if (!ouro_vec_grow((void **)&list->nodes, capacity, sizeof *list->nodes))
            return no_memory(err);
    uint64_t node = 0;
    size_t added = 0;
    for (; added < block->count; added++) {
        node += (uint64_t)ouro_unzigzag(ouro_cursor_varint(&cursor));
        if (cursor.failed || node >= heap->count)
            return bad(block, err);
        list->nodes[list->count + added] = (ouro_node)node;
    }
    if (ouro_cursor_left(&cursor))
        return bad(block, err);
    list->count += added;
    return OURO_OK;
}

static int compare_lists(const void *a, const void *b)
{
    const struct ouro_heap_gc_list *x = a, *y = b;
    if (x->interpreter != y->interpreter)
        return x->interpreter < y->interpreter ? -1 : 1;
    return (x->generation > y->generation) - (x->generation < y->generation);
}

enum ouro_status ouro_heap_load_gc_order(struct ouro_heap *heap, struct ouro_block_reader *reader, bool *damaged,
                                         struct ouro_err *err)
{
    const struct ouro_snapshot *snapshot = heap->snapshot;
    struct lists lists = {0};
    enum ouro_status status = OURO_OK;
    for (size_t i = 0; i < snapshot->blocks.count && !status; i++) {
        if (snapshot->blocks.items[i].section != OURO_SECTION_GC_ORDER)
            continue;
        status = load_gc_block(&lists, heap, &snapshot->blocks.items[i], reader, damaged != NULL, err);
        if (status == OURO_BADDATA && damaged) {
            *damaged = true;
            status = OURO_OK;
        }
    }
    free(lists.capacities);
    heap->gc_lists = lists.items;
    heap->gc_list_count = lists.count;
    if (lists.count)
        qsort(heap->gc_lists, heap->gc_list_count, sizeof *heap->gc_lists, compare_lists);
    return status;
}

struct borrowed {
    struct ouro_heap_borrowed *items;
    size_t count, capacity;
};

/* A stored slot's number among all slots of its object: TYPE parts come in between. */
static bool place_slot(const struct ouro_heap *heap, ouro_node node, uint64_t stored_slot, uint32_t *slot)
{
    const struct ouro_shape_layout *layout = &heap->snapshot->layouts.items[heap->shape[node]];
    uint64_t stored = heap->slot_begin[node + 1] - heap->slot_begin[node] - layout->type_count, all = stored_slot;
    uint64_t positions[OURO_SHAPE_TYPE_PARTS_MAX];
    if (stored_slot >= stored || stored_slot > UINT32_MAX - OURO_SHAPE_TYPE_PARTS_MAX)
        return false;
    ouro_heap_type_positions(heap, node, stored, positions);
    for (unsigned i = 0; i < layout->type_count; i++)
        all += positions[i] <= stored_slot;
    *slot = (uint32_t)all;
    return true;
}

static enum ouro_status load_borrowed_block(struct borrowed *borrowed, const struct ouro_heap *heap,
                                            const struct ouro_block *block, struct ouro_block_reader *reader,
                                            bool salvage, struct ouro_err *err)
{
    const unsigned char *raw = NULL;
    OURO_TRY(ouro_block_load(reader, block, NULL, &raw, err));
    struct ouro_cursor cursor = ouro_cursor_of(raw, block->raw_bytes);
    uint64_t node = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        uint64_t delta = ouro_cursor_varint(&cursor), stored_slot = ouro_cursor_varint(&cursor);
        if (cursor.failed || delta >= heap->count || (node += delta) >= heap->count)
            return bad(block, err);
        if (heap->shape[node] == UINT32_MAX)
            continue; /* a lost object has no slots */
        struct ouro_heap_borrowed item = {.node = (ouro_node)node};
        const struct ouro_heap_borrowed *last = borrowed->count ? &borrowed->items[borrowed->count - 1] : NULL;
        if (!place_slot(heap, item.node, stored_slot, &item.slot) ||
            (last && (last->node > item.node || (last->node == item.node && last->slot >= item.slot)))) {
            if (!salvage)
                return bad(block, err);
            continue;
        }
        struct ouro_heap_borrowed *place = OURO_VEC_ADD(borrowed);
        if (!place)
            return no_memory(err);
        *place = item;
    }
    return ouro_cursor_left(&cursor) ? bad(block, err) : OURO_OK;
}

enum ouro_status ouro_heap_load_borrowed(struct ouro_heap *heap, struct ouro_block_reader *reader, bool *damaged,
                                         struct ouro_err *err)
{
    const struct ouro_snapshot *snapshot = heap->snapshot;
    struct borrowed borrowed = {0};
    enum ouro_status status = OURO_OK;
    for (size_t i = 0; i < snapshot->blocks.count && !status; i++) {
        if (snapshot->blocks.items[i].section != OURO_SECTION_BORROWED)
            continue;
        status = load_borrowed_block(&borrowed, heap, &snapshot->blocks.items[i], reader, damaged != NULL, err);
        if (status == OURO_BADDATA && damaged) {
            *damaged = true;
            status = OURO_OK;
        }
    }
    heap->borrowed = borrowed.items;
    heap->borrowed_count = borrowed.count;
    return status;
}
