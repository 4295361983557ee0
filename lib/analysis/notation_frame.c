/* Frames and generators: locals, code, value stacks. */
#include <string.h>

#include "analysis/lookup.h"
#include "analysis/notation_parts.h"
#include "analysis/value.h"

#define NAME_BYTES_MAX 290
#define KIND_CELL      0xc0 /* CO_FAST_CELL, CO_FAST_FREE (pycore_code.h) */
#define KIND_HIDDEN    0x10 /* CO_FAST_HIDDEN: 3.12 on, of comprehensions made part of a class's or module's body */

static bool is_exactly(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    return node < model->heap.count && ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "builtins", name);
}

static bool is_pseudo_frame(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO && ouro_heap_model_type(model, node) != model->root_type;
}

bool ouro_notation_is_frame(const struct ouro_heap_model *model, ouro_node node)
{
    return is_pseudo_frame(model, node) || is_exactly(model, node, "frame");
}

/* "gi", "cr", "ag", or NULL. */
static const char *prefix_of(const struct ouro_heap_model *model, ouro_node node)
{
    return is_exactly(model, node, "generator")         ? "gi"
           : is_exactly(model, node, "coroutine")       ? "cr"
           : is_exactly(model, node, "async_generator") ? "ag"
                                                        : NULL;
}

static bool is_named(const struct ouro_heap_model *model, const struct ouro_part *part, const char *name)
{
    const char *text = ouro_snapshot_string(model->snapshot, part->name, NULL);
    return part->kind == OURO_PART_FIELD && text && !strcmp(text, name);
}

/* The parts that are local variables: behind f_code of the contents from 3.11 on, behind f_trace of the frame objects before. A
 * variable may have the name of such a field; what the interpreter has comes first. */
static void find_locals(const struct ouro_heap_model *model, ouro_node node, uint32_t *first, uint32_t *end)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    *first = *end = 0;
    for (uint32_t i = 0; i < shape->part_count && !*first; i++) {
        bool contents = i >= 3 && is_named(model, &shape->parts[i], "f_code") &&
                        is_named(model, &shape->parts[i - 1], "f_func") &&
                        is_named(model, &shape->parts[i - 2], "f_locals") && is_named(model, &shape->parts[i - 3], "frame");
        bool object = i == 5 && is_named(model, &shape->parts[0], "f_back") && is_named(model, &shape->parts[1], "f_code") &&
                      is_named(model, &shape->parts[5], "f_trace");
        bool generator = i == 0 && is_named(model, &shape->parts[0], "generator") && is_pseudo_frame(model, node);
        if (contents || object || generator)
            *first = i + 1;
    }
    if (!*first)
        return;
    for (*end = *first; *end < shape->part_count && shape->parts[*end].kind == OURO_PART_FIELD;)
        ++*end;
}

static ouro_node field_before(const struct ouro_heap_model *model, ouro_node node, const char *name, uint32_t end)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    for (uint32_t i = 0; i < end && i < shape->part_count; i++)
        if (is_named(model, &shape->parts[i], name)) /* single ones and nothing else stand before */
            return model->heap.slots[model->heap.slot_begin[node] + i];
    return OURO_NODE_NONE;
}

/* Which variable: its kind as co_localspluskinds has it, or made up of the tables before 3.11. False where it is not known. */
static bool kind_of(const struct ouro_heap_model *model, ouro_node node, uint32_t index, uint32_t first, unsigned *kind)
{
    size_t size;
    ouro_node code = field_before(model, node, "f_code", first);
    ouro_node kinds = code == OURO_NODE_NONE ? code : ouro_heap_model_field(model, code, "co_localspluskinds");
    ouro_node names = code == OURO_NODE_NONE ? code : ouro_heap_model_field(model, code, "co_varnames");
    if (kinds != OURO_NODE_NONE && ouro_value_has(model, kinds)) {
        const unsigned char *bytes = ouro_value_raw(model, kinds, &size);
        *kind = index < size ? bytes[index] : 0;
        return index < size;
    }
    if (kinds != OURO_NODE_NONE || names == OURO_NODE_NONE)
        return false;
    *kind = index < model->heap.slot_begin[names + 1] - model->heap.slot_begin[names] ? 0x20 : KIND_CELL;
    return true;
}

/* Whether another variable of the same name has a value too. */
static bool is_ambiguous(const struct ouro_heap_model *model, ouro_node node, uint32_t part, uint32_t first, uint32_t end)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    for (uint32_t i = first; i < end; i++)
        if (i != part && shape->parts[i].name == shape->parts[part].name)
            return true;
    return false;
}

static bool local_step(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, uint32_t part,
                       uint32_t first, uint32_t end, const char *how, struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    size_t size;
    const char *name = ouro_snapshot_string(model->snapshot, slots[0].part->name, &size);
    unsigned kind;
    ouro_node locals = field_before(model, slots[0].node, "f_locals", first);
    bool cell = is_exactly(model, slots[0].target, "cell");
    if (!name || !size || size >= NAME_BYTES_MAX || (name[0] == '<' && name[size - 1] == '>') ||
        is_ambiguous(model, slots[0].node, part, first, end))
        return false;
    /* The locals of a class's or module's body are elsewhere. Functions' frame objects of before 3.11 have a dict of copies
     * there. */
    if (locals != OURO_NODE_NONE && is_named(model, &ouro_heap_model_shape(model, slots[0].node)->parts[first - 1], "f_code"))
        return false;
    bool known = kind_of(model, slots[0].node, part - first, first, &kind);
    if (known ? kind & KIND_HIDDEN : cell)
        return false;
    if (cell && kind & KIND_CELL) {
        if (count < 2 || !is_named(model, slots[1].part, "cell_contents"))
            return false;
        step->taken = 2;
    }
    ouro_buf_addf(&step->after, "%s[", how);
    ouro_value_str(&step->after, (const unsigned char *)name, size, SIZE_MAX, false);
    ouro_buf_add_byte(&step->after, ']');
    return true;
}

/* A body's own dict: modules and classes have no variables but __class__ and its like. */
static bool has_body_dict(const struct ouro_heap_model *model, ouro_node node, uint32_t first, uint32_t end)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    for (uint32_t i = first; i < end; i++) {
        const char *name = ouro_snapshot_string(model->snapshot, shape->parts[i].name, NULL);
        if (!name || (strcmp(name, "__class__") && strcmp(name, "__classdict__")))
            return false;
    }
    return true;
}

bool ouro_notation_frame(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                         struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node node = slots[0].node;
    const char *prefix = prefix_of(model, node);
    bool frame = ouro_notation_is_frame(model, node);
    uint32_t first, end, part = (uint32_t)(slots[0].part - ouro_heap_model_shape(model, node)->parts);
    if (!prefix && !frame)
        return false;
    find_locals(model, node, &first, &end);
    if (first && part >= first && part < end) {
        struct ouro_buf how = {0};
        if (prefix)
            ouro_buf_addf(&how, ".%s_frame", prefix);
        ouro_buf_add_text(&how, in_thread ? ".locals" : ".f_locals");
        bool written = local_step(notation, slots, count, part, first, end, ouro_buf_text(&how), step);
        step->after.failed |= how.failed;
        ouro_buf_fini(&how);
        return written;
    }
    const char *label = ouro_snapshot_string(model->snapshot, slots[0].part->name, NULL);
    if (!label)
        return false;
    if (!strcmp(label, "f_locals") && frame && has_body_dict(model, node, first, end))
        return ouro_buf_add_text(&step->after, in_thread ? ".locals" : ".f_locals"), true;
    if (!strcmp(label, "f_code") && (prefix || frame)) {
        if (prefix)
            ouro_buf_addf(&step->after, ".%s_code", prefix);
        else
            ouro_buf_add_text(&step->after, ".f_code");
        return true;
    }
    if (!strcmp(label, "frame") && prefix)
        return ouro_buf_addf(&step->after, ".%s_frame", prefix), true;
    if (!strcmp(label, "frame") && in_thread)
        return true; /* it is what the thread's frame stands for */
    static const char *const plain[] = {"f_back", "f_globals", "f_builtins", "f_trace"};
    for (size_t i = 0; in_thread && i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(label, plain[i]) && is_exactly(model, node, "frame"))
            return ouro_buf_addf(&step->after, ".%s", label), true;
    /* What a suspended coroutine waits for is the last of its frame's value stack. */
    if (prefix && !strcmp(label, "gi_frame") && count > 1 && slots[1].part->kind == OURO_PART_STACK &&
        slots[1].item + 1 == slots[1].item_count) {
        const struct ouro_line_record *line = ouro_snapshot_line(model->snapshot, node);
        if (line && line->state == OURO_RUN_AWAITING) {
            step->taken = 2;
            ouro_buf_addf(&step->after, ".%s_%s", prefix, strcmp(prefix, "gi") ? "await" : "yieldfrom");
            return true;
        }
    }
    return false;
}

bool ouro_notation_stack(const struct ouro_notation *notation, const struct ouro_slot *slot, struct ouro_notation_step *step)
{
    const char *prefix = prefix_of(notation->model, slot->node);
    const struct ouro_line_record *line = ouro_snapshot_line(notation->model->snapshot, slot->node);
    if (!prefix || !line || line->state != OURO_RUN_AWAITING || slot->item + 1 != slot->item_count)
        return false;
    ouro_buf_addf(&step->after, ".%s_%s", prefix, strcmp(prefix, "gi") ? "await" : "yieldfrom");
    return true;
}
