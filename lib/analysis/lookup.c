#include "analysis/lookup.h"

#include <string.h>

#include "analysis/value.h"

#define INSIDE_MAX 4    /* partials of partials of bound methods ... */
#define MRO_MAX    2000 /* classes of an MRO, which may be any tuple */

bool ouro_lookup_is_labelled(const struct ouro_heap_model *model, const struct ouro_part *part, const char *label)
{
    size_t size;
    const char *name = part->kind == OURO_PART_FIELD ? ouro_snapshot_string(model->snapshot, part->name, &size) : NULL;
    return name && size == strlen(label) && !memcmp(name, label, size);
}

/* Whether the class's instances share a key of this name. */
static bool has_shared_key(const struct ouro_heap_model *model, ouro_node class, const char *name, size_t size)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (class >= model->heap.count)
        return false;
    ouro_slot_walk_begin(&walk, model, class);
    while (ouro_slot_walk_next(&walk, &slot)) {
        size_t stored;
        if (slot.part->kind != OURO_PART_KEYS || slot.target == OURO_NODE_NONE)
            continue;
        const unsigned char *bytes = ouro_value_raw(model, slot.target, &stored);
        if (stored == size && !memcmp(bytes, name, size) && !(model->heap.flags[slot.target] & OURO_OBJECT_VALUE_CUT))
            return true;
    }
    return false;
}

bool ouro_lookup_is_native(const struct ouro_heap_model *model, ouro_node node, const struct ouro_part *part,
                           const char *name, size_t size)
{
    /* subtype_traverse: values that lie in the object, then its __dict__, then what its base has. */
    for (const struct ouro_part *before = ouro_heap_model_shape(model, node)->parts; before < part; before++)
        if (ouro_lookup_is_labelled(model, before, "__dict__"))
            return true;
    uint32_t type = ouro_heap_model_type(model, node);
    return !has_shared_key(model, type < model->type_count ? model->types[type].node : OURO_NODE_NONE, name, size);
}

static bool is_text(const struct ouro_heap_model *model, ouro_node node, const char *text)
{
    size_t size;
    if (node == OURO_NODE_NONE || !ouro_value_has(model, node) || model->heap.flags[node] & OURO_OBJECT_VALUE_CUT ||
        model->types[ouro_heap_model_type(model, node)].value_kind != OURO_VALUE_STR)
        return false;
    const unsigned char *bytes = ouro_value_raw(model, node, &size);
    return size == strlen(text) && !memcmp(bytes, text, size);
}

ouro_node ouro_lookup_entry(const struct ouro_heap_model *model, ouro_node dict, const char *key)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (dict >= model->heap.count)
        return OURO_NODE_NONE;
    ouro_slot_walk_begin(&walk, model, dict);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.place == 0 && slot.key != OURO_NODE_NONE && slot.target != OURO_NODE_NONE &&
            is_text(model, slot.key, key))
            return slot.target;
    return OURO_NODE_NONE;
}

bool ouro_lookup_is_type(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name)
{
    return !strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
           !strcmp(ouro_heap_model_type_module(model, type, NULL), module);
}

/* As ouro_lookup_entry, of a class's __dict__. */
static ouro_node lookup_in_class(const struct ouro_heap_model *model, ouro_node class, const char *name,
                                 struct ouro_map *known)
{
    ouro_node dict = ouro_heap_model_field(model, class, "__dict__");
    bool added = true;
    uint64_t *found = dict < model->heap.count ? ouro_map_put(known, dict, &added) : NULL;
    if (!added)
        return (ouro_node)*found;
    ouro_node entry = ouro_lookup_entry(model, dict, name);
    if (found)
        *found = entry;
    return entry;
}

ouro_node ouro_lookup_method(const struct ouro_heap_model *model, uint32_t type, const char *name,
                             struct ouro_map *known)
{
    ouro_node node = type < model->type_count ? model->types[type].node : OURO_NODE_NONE;
    ouro_node mro = ouro_heap_model_field(model, node, "__mro__");
    if (mro == OURO_NODE_NONE)
        return lookup_in_class(model, node, name, known);
    /* A tuple's items lie from the last to the first. */
    uint64_t begin = model->heap.slot_begin[mro], end = model->heap.slot_begin[mro + 1];
    if (end - begin > MRO_MAX)
        begin = end - MRO_MAX;
    for (uint64_t i = end; i-- > begin;) {
        ouro_node found = lookup_in_class(model, model->heap.slots[i], name, known);
        if (found != OURO_NODE_NONE)
            return found;
    }
    return OURO_NODE_NONE;
}

/* A class's value is "module.qualname". */
static bool is_class(const struct ouro_heap_model *model, ouro_node node, const char *module, const char *name)
{
    size_t size, split = strlen(module);
    if (node >= model->heap.count || !ouro_value_has(model, node) ||
        model->types[ouro_heap_model_type(model, node)].value_kind != OURO_VALUE_NAME)
        return false;
    const unsigned char *text = ouro_value_raw(model, node, &size);
    return size == split + 1 + strlen(name) && !memcmp(text, module, split) && text[split] == '.' &&
           !memcmp(text + split + 1, name, size - split - 1);
}

bool ouro_lookup_derives(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name)
{
    uint32_t first = type, last = type;
    for (unsigned i = 0; type < model->type_count && i < MRO_MAX; i++, type = model->types[type].base) {
        if (ouro_lookup_is_type(model, type, module, name))
            return true;
        last = type;
    }
    /* A class may have others than those of the chain. */
    if (last >= model->type_count || !(model->types[first].flags & OURO_TYPE_HEAP))
        return false;
    ouro_node mro = ouro_heap_model_field(model, model->types[first].node, "__mro__");
    if (mro >= model->heap.count)
        mro = ouro_heap_model_field(model, model->types[last].node, "__mro__");
    if (mro >= model->heap.count)
        return false;
    for (uint64_t i = model->heap.slot_begin[mro], n = 0; i < model->heap.slot_begin[mro + 1] && n < MRO_MAX; i++, n++)
        if (is_class(model, model->heap.slots[i], module, name))
            return true;
    return false;
}

static void add_type(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    const char *name = ouro_heap_model_type_name(model, ouro_heap_model_type(model, node), &size);
    ouro_buf_add(out, name, size);
}

void ouro_lookup_add_callable(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node callable)
{
    ouro_node self = OURO_NODE_NONE;
    for (unsigned depth = 0; callable < model->heap.count && depth < INSIDE_MAX; depth++) {
        uint32_t type = ouro_heap_model_type(model, callable);
        bool is_method = ouro_lookup_is_type(model, type, "builtins", "method");
        ouro_node inside = is_method ? ouro_heap_model_field(model, callable, "__func__")
                           : ouro_lookup_is_type(model, type, "functools", "partial")
                               ? ouro_heap_model_field(model, callable, "func")
                               : OURO_NODE_NONE;
        if (inside == OURO_NODE_NONE)
            break;
        self = is_method ? ouro_heap_model_field(model, callable, "__self__") : self;
        callable = inside;
    }
    if (callable >= model->heap.count) {
        ouro_buf_add_text(out, "?");
    } else if (!ouro_value_add(out, model, callable, OURO_LABEL_KEY_BYTES)) {
        ouro_buf_add_text(out, "an object of type ");
        add_type(out, model, callable);
    }
    if (self != OURO_NODE_NONE) {
        ouro_buf_add_text(out, " of a ");
        add_type(out, model, self);
    }
}
