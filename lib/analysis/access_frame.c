/* What frames hold: their variables and value stacks, wherever a version keeps them. */
#include <string.h>

#include "analysis/access.h"
#include "analysis/lookup.h"
#include "analysis/value.h"

/* Where a frame's variables begin among its parts: behind f_code of a frame of 3.11 on, behind f_trace of a frame
 * object of earlier versions, behind the generator that a running frame belongs to. SIZE_MAX: it has none of its own.
 */
static size_t first_local(const struct ouro_heap_model *model, ouro_node frame)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, frame);
    size_t behind_trace = SIZE_MAX;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        const struct ouro_part *part = &shape->parts[i];
        if (ouro_lookup_is_labelled(model, part, "generator") && !i && part->edge_class == OURO_EDGE_WEAK)
            return 1;
        if (ouro_lookup_is_labelled(model, part, "f_code") && i &&
            ouro_lookup_is_labelled(model, &shape->parts[i - 1], "f_func"))
            return i + 1;
        if (ouro_lookup_is_labelled(model, part, "f_trace") && behind_trace == SIZE_MAX)
            behind_trace = i + 1;
    }
    return behind_trace;
}

/* Which of its variables are cells: bits 0x40 and 0x80 of co_localspluskinds; all that look so where nobody says. */
static bool is_cell(const struct ouro_heap_model *model, ouro_node frame, size_t local, ouro_node target)
{
    if (target >= model->heap.count ||
        !ouro_lookup_is_type(model, ouro_heap_model_type(model, target), "builtins", "cell"))
        return false;
    ouro_node kinds = ouro_heap_model_field(model, ouro_heap_model_field(model, frame, "f_code"), "co_localspluskinds");
    size_t size;
    if (kinds >= model->heap.count || !ouro_value_has(model, kinds))
        return true;
    const unsigned char *bytes = ouro_value_raw(model, kinds, &size);
    return local >= size || bytes[local] & 0xc0;
}

static void each_local(const struct ouro_heap_model *model, ouro_node frame, bool cells,
                       void (*visit)(void *context, struct ouro_name name, ouro_node target), void *context)
{
    size_t first = frame < model->heap.count ? first_local(model, frame) : SIZE_MAX;
    struct ouro_part_walk walk;
    bool any = false;
    if (first == SIZE_MAX)
        return;
    const struct ouro_part *parts = ouro_heap_model_shape(model, frame)->parts;
    ouro_part_walk_begin(&walk, model, frame);
    while (ouro_part_walk_next(&walk)) {
        size_t at = (size_t)(walk.part - parts);
        if (at < first)
            continue;
        if (walk.part->kind != OURO_PART_FIELD)
            break;
        any = true;
        size_t size;
        const char *label = ouro_snapshot_string(model->snapshot, walk.part->name, &size);
        ouro_node target = model->heap.slots[walk.first];
        if (!cells && is_cell(model, frame, at - first, target))
            target = ouro_heap_model_field(model, target, "cell_contents");
        if (label && target != OURO_NODE_NONE)
            visit(context, (struct ouro_name){label, size}, target);
    }
    ouro_node generator = any ? OURO_NODE_NONE : ouro_heap_model_field(model, frame, "generator");
    if (generator != OURO_NODE_NONE && ouro_heap_model_field(model, generator, "generator") == OURO_NODE_NONE)
        each_local(model, generator, cells, visit, context); /* at most once: a generator has no field of that name */
}

ouro_node ouro_access_body_locals(const struct ouro_heap_model *model, ouro_node frame)
{
    size_t first = frame < model->heap.count ? first_local(model, frame) : SIZE_MAX;
    if (first == SIZE_MAX)
        return OURO_NODE_NONE;
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, frame);
    for (size_t i = first; i < shape->part_count && shape->parts[i].kind == OURO_PART_FIELD; i++)
        if (!ouro_lookup_is_labelled(model, &shape->parts[i], "__class__") &&
            !ouro_lookup_is_labelled(model, &shape->parts[i], "__classdict__"))
            return OURO_NODE_NONE;
    return ouro_heap_model_field(model, frame, "f_locals");
}

void ouro_access_each_local(const struct ouro_heap_model *model, ouro_node frame,
                            void (*visit)(void *context, struct ouro_name name, ouro_node target), void *context)
{
    each_local(model, frame, false, visit, context);
}

struct wanted {
    struct ouro_name name;
    ouro_node found;
};

static void take_wanted(void *context, struct ouro_name name, ouro_node target)
{
    struct wanted *wanted = context;
    if (wanted->found == OURO_NODE_NONE && name.size == wanted->name.size &&
        !memcmp(name.bytes, wanted->name.bytes, name.size))
        wanted->found = target;
}

ouro_node ouro_access_local(const struct ouro_heap_model *model, ouro_node frame, struct ouro_name name, bool cell)
{
    struct wanted wanted = {name, OURO_NODE_NONE};
    each_local(model, frame, cell, take_wanted, &wanted);
    if (wanted.found != OURO_NODE_NONE)
        return wanted.found;
    /* Of the body of a module or class the variables are a namespace. */
    return ouro_access_in_dict(model, ouro_heap_model_field(model, frame, "f_locals"), name);
}

ouro_node ouro_access_stack(const struct ouro_heap_model *model, ouro_node frame, uint64_t n, uint64_t *depth)
{
    struct ouro_part_walk walk;
    if (depth)
        *depth = 0;
    if (frame >= model->heap.count)
        return OURO_NODE_NONE;
    ouro_part_walk_begin(&walk, model, frame);
    while (ouro_part_walk_next(&walk))
        if (walk.part->kind == OURO_PART_STACK) {
            if (depth)
                *depth = walk.item_count;
            return n < walk.item_count ? model->heap.slots[walk.first + n] : OURO_NODE_NONE;
        }
    return OURO_NODE_NONE;
}

ouro_node ouro_access_frame(const struct ouro_heap_model *model, ouro_node frame)
{
    const struct ouro_heap *heap = &model->heap;
    if (first_local(model, frame) != SIZE_MAX && ouro_heap_model_field(model, frame, "f_code") != OURO_NODE_NONE)
        return frame;
    for (ouro_node v = 0; v < heap->count; v++)
        for (uint64_t i = heap->slot_begin[v]; i < heap->slot_begin[v + 1]; i++)
            if (heap->slots[i] == frame && v != frame && ouro_heap_model_field(model, v, "frame") == frame &&
                first_local(model, v) != SIZE_MAX)
                return v;
    return frame;
}
