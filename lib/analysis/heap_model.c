#include "analysis/heap_model.h"

#include <stdlib.h>
#include <string.h>

static const struct ouro_part no_parts[1]; /* where a list of none begins: no arithmetic on NULL */

static enum ouro_status describe_shape(struct ouro_heap_shape *described, const struct ouro_shape *shape,
                                       struct ouro_err *err)
{
    *described = (struct ouro_heap_shape){.parts = shape->part_count ? shape->parts : no_parts,
                                          .part_count = shape->part_count,
                                          .type = shape->type};
    for (uint32_t i = 0; i < shape->part_count; i++) {
        const struct ouro_part *part = &shape->parts[i];
        unsigned width = ouro_part_width(part->kind);
        for (unsigned place = 0; place < width; place++)
            described->classes |= (uint8_t)(1u << ouro_part_slot_class(part->kind, part->edge_class, place));
        if (ouro_part_repeats(part->kind)) {
            described->repeated_count++;
            described->repeated_width = (uint8_t)width;
        } else {
            described->fixed_count += width;
        }
    }
    if (described->repeated_count > OURO_REPEATED_PARTS_MAX)
        return ouro_err_set(err, OURO_BADDATA, "a shape with %u repeated parts; at most %u are possible",
                            described->repeated_count, OURO_REPEATED_PARTS_MAX);
    return OURO_OK;
}

static bool is_type(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name)
{
    return !strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
           !strcmp(ouro_heap_model_type_module(model, type, NULL), module);
}

static enum ouro_status read_tables(struct ouro_heap_model *model, struct ouro_err *err)
{
    const struct ouro_shape *shapes = ouro_snapshot_shapes(model->snapshot, &model->shape_count);
    model->types = ouro_snapshot_types(model->snapshot, &model->type_count);
    model->shapes = calloc((size_t)model->shape_count + 1, sizeof *model->shapes);
    if (!model->shapes)
        return ouro_err_set(err, OURO_NOMEM, "out of memory");
    for (uint32_t i = 0; i < model->shape_count; i++)
        OURO_TRY(describe_shape(&model->shapes[i], &shapes[i], err));
    model->shapes[model->shape_count].type = OURO_TYPE_NONE;
    model->shapes[model->shape_count].parts = no_parts;
    model->tuple_type = model->root_type = OURO_TYPE_NONE;
    for (uint32_t i = 0; i < model->type_count; i++) {
        if (model->types[i].flags & OURO_TYPE_PSEUDO && is_type(model, i, "", "<root>"))
            model->root_type = i;
        else if (is_type(model, i, "builtins", "tuple"))
            model->tuple_type = i;
    }
    return OURO_OK;
}

static enum ouro_status begin(struct ouro_heap_model *model, enum ouro_status status, struct ouro_err *err)
{
    if (status == OURO_OK) {
        model->heap.snapshot = model->snapshot;
        model->heap.count = ouro_snapshot_object_count(model->snapshot);
        status = read_tables(model, err);
    }
    if (status != OURO_OK)
        ouro_heap_model_close(model);
    return status;
}

enum ouro_status ouro_heap_model_open(struct ouro_heap_model *model, const char *path, unsigned open_flags,
                                      struct ouro_err *err)
{
    memset(model, 0, sizeof *model);
    return begin(model, ouro_snapshot_open(&model->snapshot, path, open_flags, err), err);
}

enum ouro_status ouro_heap_model_open_fd(struct ouro_heap_model *model, int fd, struct ouro_err *err)
{
    memset(model, 0, sizeof *model);
    return begin(model, ouro_snapshot_open_fd(&model->snapshot, fd, 0, err), err);
}

void ouro_heap_model_close(struct ouro_heap_model *model)
{
    ouro_heap_fini(&model->heap);
    free(model->shapes);
    if (model->snapshot)
        ouro_snapshot_close(model->snapshot);
    memset(model, 0, sizeof *model);
}

/* What the loaded heap has and ours has not changes hands; the rest stays with `loaded` and is freed with it. */
#define TAKE(field)                                                                                                    \
    do {                                                                                                               \
        if (!heap->field) {                                                                                            \
            heap->field = loaded->field;                                                                               \
            loaded->field = NULL;                                                                                      \
        }                                                                                                              \
    } while (0)

static void take_columns(struct ouro_heap *heap, struct ouro_heap *loaded)
{
    TAKE(addr);
    TAKE(shape);
    TAKE(size);
    TAKE(refcount);
    TAKE(flags);
    TAKE(native);
    TAKE(interp);
    TAKE(slot_begin);
    TAKE(slots);
    TAKE(counts);
    TAKE(value_begin);
    TAKE(values);
    if (!heap->gc_lists) {
        TAKE(gc_lists);
        heap->gc_list_count = loaded->gc_list_count;
        loaded->gc_list_count = 0;
    }
    if (!heap->borrowed) {
        TAKE(borrowed);
        heap->borrowed_count = loaded->borrowed_count;
        loaded->borrowed_count = 0;
    }
    if (loaded->lost_count > heap->lost_count)
        heap->lost_count = loaded->lost_count;
}

/* Lost objects get addresses that are at least their own. */
static void name_lost(struct ouro_heap *heap)
{
    for (ouro_node v = 0; heap->lost_count && v < heap->count; v++)
        if (!heap->addr[v])
            heap->addr[v] = OURO_LOST_BASE + 8 * (ouro_addr)v;
}

enum ouro_status ouro_heap_model_load(struct ouro_heap_model *model, unsigned columns, struct ouro_err *err)
{
    unsigned missing = columns & ~model->columns;
    if (!missing)
        return OURO_OK;
    struct ouro_heap loaded;
    OURO_TRY(ouro_heap_load(&loaded, model->snapshot, missing, 0, err));
    take_columns(&model->heap, &loaded);
    ouro_heap_fini(&loaded);
    if (missing & OURO_HEAP_ADDR)
        name_lost(&model->heap);
    model->columns |= missing;
    if (missing & OURO_HEAP_SLOTS)
        model->columns |= OURO_HEAP_SHAPE;
    if (missing & OURO_HEAP_VALUES)
        model->columns |= OURO_HEAP_FLAGS;
    return OURO_OK;
}

void ouro_heap_model_drop(struct ouro_heap_model *model, unsigned columns)
{
    unsigned kept = model->columns & ~columns;
    if (kept & OURO_HEAP_SLOTS)
        columns &= ~(unsigned)OURO_HEAP_SHAPE;
    if (kept & OURO_HEAP_VALUES)
        columns &= ~(unsigned)OURO_HEAP_FLAGS;
    ouro_heap_drop(&model->heap, columns);
    model->columns &= ~columns;
}

static const char *type_text(const struct ouro_heap_model *model, uint32_t string, size_t *size)
{
    const char *text = ouro_snapshot_string(model->snapshot, string, size);
    if (!text && size)
        *size = 0;
    return text ? text : "";
}

const char *ouro_heap_model_type_name(const struct ouro_heap_model *model, uint32_t type, size_t *size)
{
    if (type >= model->type_count) {
        if (size)
            *size = strlen("<lost>");
        return "<lost>";
    }
    return type_text(model, model->types[type].name, size);
}

const char *ouro_heap_model_type_module(const struct ouro_heap_model *model, uint32_t type, size_t *size)
{
    if (type >= model->type_count) {
        if (size)
            *size = 0;
        return "";
    }
    return type_text(model, model->types[type].module, size);
}

ouro_node ouro_heap_model_find(const struct ouro_heap_model *model, ouro_addr addr)
{
    ouro_node low = 0, high = model->heap.count;
    if (model->heap.lost_count) { /* addresses do not ascend */
        while (low < high && model->heap.addr[low] != addr)
            low++;
        return low < high ? low : OURO_NODE_NONE;
    }
    while (low < high) {
        ouro_node middle = low + (high - low) / 2;
        if (model->heap.addr[middle] < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < model->heap.count && model->heap.addr[low] == addr ? low : OURO_NODE_NONE;
}

ouro_node ouro_heap_model_field(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    struct ouro_part_walk walk;
    if (node >= model->heap.count)
        return OURO_NODE_NONE;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk)) {
        if (walk.part->kind != OURO_PART_FIELD || model->heap.slots[walk.first] == OURO_NODE_NONE)
            continue;
        const char *text = ouro_snapshot_string(model->snapshot, walk.part->name, NULL);
        if (text && !strcmp(text, name))
            return model->heap.slots[walk.first];
    }
    return OURO_NODE_NONE;
}

void ouro_heap_model_reach_ahead(const void *context, ouro_node node, const struct ouro_reach *reach, unsigned stage)
{
    const struct ouro_heap_model *model = context;
    if (stage == 0)
        ouro_heap_model_ahead(model, node);
    else if (stage == 1)
        ouro_heap_model_ahead_slots(model, node);
    else
        ouro_heap_model_ahead_targets(model, node, reach->marks, 1);
}

void ouro_heap_model_each_borrowed(const struct ouro_heap_model *model,
                                   void (*visit)(void *context, const struct ouro_slot *slot), void *context)
{
    const struct ouro_heap_borrowed *borrowed = model->heap.borrowed;
    size_t count = model->heap.borrowed_count;
    for (size_t i = 0; i < count;) {
        ouro_node node = borrowed[i].node;
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        size_t j = i;
        if (node < model->heap.count) {
            /* Both ascend: one walk over the node's slots serves all of its entries. */
            ouro_slot_walk_begin(&walk, model, node);
            while (j < count && borrowed[j].node == node && ouro_slot_walk_next(&walk, &slot)) {
                while (j < count && borrowed[j].node == node && borrowed[j].slot < slot.index)
                    j++;
                if (j < count && borrowed[j].node == node && borrowed[j].slot == slot.index) {
                    if (slot.target != OURO_NODE_NONE)
                        visit(context, &slot);
                    j++;
                }
            }
        }
        while (j < count && borrowed[j].node == node)
            j++;
        i = j;
    }
}
