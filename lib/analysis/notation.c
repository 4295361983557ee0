#include "analysis/notation.h"

#include <stdio.h>

#include "analysis/attribute.h"
#include "analysis/literal.h"
#include "analysis/lookup.h"
#include "analysis/notation_parts.h"
#include "analysis/value.h"

void ouro_notation_init(struct ouro_notation *notation, const struct ouro_heap_model *model)
{
    *notation = (struct ouro_notation){.model = model, .modules = OURO_NODE_NONE};
    for (ouro_node v = model->heap.count; v-- && model->heap.flags[v] & OURO_OBJECT_PSEUDO;)
        if (ouro_heap_model_type(model, v) == model->root_type && !(model->heap.interp && model->heap.interp[v])) {
            ouro_node modules = ouro_heap_model_field(model, v, "sys.modules");
            if (modules != OURO_NODE_NONE)
                notation->modules = modules;
        }
}

void ouro_notation_step_fini(struct ouro_notation_step *step)
{
    ouro_buf_fini(&step->before);
    ouro_buf_fini(&step->after);
}

/* --- Words */

void ouro_notation_words(const struct ouro_notation *notation, const struct ouro_slot *slot,
                         struct ouro_notation_step *step)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf label = {0};
    ouro_label_add(&label, notation->model, slot);
    const unsigned char *text = label.data;
    size_t size = label.size;
    if (size > 2 && text[0] == '<' && text[size - 1] == '>') {
        text++;
        size -= 2;
    } else if (size > 1 && text[0] == '.') {
        text++;
        size--;
    }
    step->before.size = step->after.size = 0;
    ouro_buf_add_text(&step->after, " -> <");
    if (size)
        ouro_buf_add(&step->after, text, size);
    ouro_buf_add_byte(&step->after, '>');
    step->after.failed |= label.failed;
    step->taken = 1;
    step->exact = false;
    step->words = true;
}

/* --- Items of containers */

/* Whether subscription, iteration, ... of the holder's class is that of the interpreter's own type that it derives from. */
static bool has_own(const struct ouro_notation *notation, ouro_node holder, const char *method, const char *module,
                    const char *name)
{
    struct ouro_attribute found;
    ouro_node class = ouro_attribute_class(notation->model, holder);
    return ouro_attribute_find(notation->model, class, method, &found) == OURO_ATTRIBUTE_YES &&
           ouro_attribute_is_class(notation->model, found.owner, module, name);
}

/* A builtin by its name, another by way of its module. */
bool ouro_notation_add_base(const struct ouro_notation *notation, const char *module, const char *name, struct ouro_buf *out)
{
    const struct ouro_heap_model *model = notation->model;
    if (!strcmp(module, "builtins")) {
        ouro_buf_add_text(out, name);
        return true;
    }
    for (uint32_t i = 0; i < model->type_count; i++)
        if (ouro_lookup_is_type(model, i, module, name))
            return ouro_notation_add_class(notation, model->types[i].node, out);
    return false;
}

/* `X[i]`, or `list.__getitem__(X, i)` where a class has a way of its own. */
static bool add_item(const struct ouro_notation *notation, const struct ouro_slot *slot, const char *module,
                     const char *name, uint64_t index, struct ouro_notation_step *step)
{
    if (has_own(notation, slot->node, "__getitem__", module, name)) {
        ouro_buf_addf(&step->after, "[%llu]", (unsigned long long)index);
        return true;
    }
    if (!ouro_notation_add_base(notation, module, name, &step->before))
        return false;
    ouro_buf_add_text(&step->before, ".__getitem__(");
    ouro_buf_addf(&step->after, ", %llu)", (unsigned long long)index);
    return true;
}

/* Real fields behind those that len() counts have a name only. */
static bool is_visible(const struct ouro_notation *notation, ouro_node holder, uint64_t index)
{
    const struct ouro_heap_model *model = notation->model;
    struct ouro_attribute found;
    size_t size;
    ouro_node class = ouro_attribute_class(model, holder);
    if (ouro_attribute_find(model, class, "n_sequence_fields", &found) != OURO_ATTRIBUTE_YES ||
        !ouro_value_has(model, found.value))
        return false;
    const unsigned char *bytes = ouro_value_raw(model, found.value, &size);
    return size && index < bytes[0];
}

static bool item_step(const struct ouro_notation *notation, const struct ouro_slot *slot,
                      struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    uint32_t type = ouro_heap_model_type(model, slot->node);
    bool down = slot->part->kind == OURO_PART_ITEMS_DOWN;
    uint64_t index = down ? slot->item_count - 1 - slot->item : slot->item;
    if (model->heap.flags[slot->node] & OURO_OBJECT_TORN)
        return false;
    if (down && ouro_attribute_derives(model, type, "builtins", "list"))
        return add_item(notation, slot, "builtins", "list", index, step);
    if (ouro_attribute_derives(model, type, "builtins", "tuple") && (down || is_visible(notation, slot->node, index)))
        return add_item(notation, slot, "builtins", "tuple", index, step);
    if (ouro_attribute_derives(model, type, "collections", "deque"))
        return add_item(notation, slot, "collections", "deque", index, step);
    return false;
}

/* `[*X][i]`, or by the base's own iteration. */
static bool add_iterated(const struct ouro_notation *notation, const struct ouro_slot *slot, const char *module,
                         const char *name, const char *method, uint64_t index, struct ouro_notation_step *step)
{
    ouro_buf_add_text(&step->before, "[*");
    if (has_own(notation, slot->node, "__iter__", module, name)) {
        ouro_buf_addf(&step->after, "][%llu]", (unsigned long long)index);
        return true;
    }
    if (!ouro_notation_add_base(notation, module, name, &step->before))
        return false;
    ouro_buf_addf(&step->before, ".%s(", method);
    ouro_buf_addf(&step->after, ")][%llu]", (unsigned long long)index);
    return true;
}

static bool element_step(const struct ouro_notation *notation, const struct ouro_slot *slot,
                         struct ouro_notation_step *step)
{
    static const char *const names[] = {"set", "frozenset"};
    uint32_t type = ouro_heap_model_type(notation->model, slot->node);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ouro_attribute_derives(notation->model, type, "builtins", names[i]))
            return add_iterated(notation, slot, "builtins", names[i], "__iter__", slot->item, step);
    return false;
}

static bool is_exactly(const struct ouro_heap_model *model, ouro_node node, const char *module, const char *name)
{
    return node < model->heap.count && ouro_lookup_is_type(model, ouro_heap_model_type(model, node), module, name);
}

/* Entries of a dict, in the order in which dict's own views give them. */
bool ouro_notation_entry(const struct ouro_notation *notation, const struct ouro_slot *slot, bool exact_dict,
                         struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node dict = slot->node;
    exact_dict |= is_exactly(model, dict, "builtins", "dict") || is_exactly(model, dict, "builtins", "frozendict");
    if (!exact_dict && !(ouro_heap_model_type_flags(model, ouro_heap_model_type(model, dict)) & OURO_TYPE_DICT))
        return false;
    bool by_key = slot->place == 0 && (slot->part->kind == OURO_PART_FIELD || slot->key != OURO_NODE_NONE);
    if (by_key) {
        bool plain = exact_dict || has_own(notation, dict, "__getitem__", "builtins", "dict");
        size_t before = step->after.size;
        ouro_buf_add_text(&step->after, plain ? "[" : ", ");
        if (slot->part->kind == OURO_PART_FIELD ? ouro_notation_field_literal(notation, slot, &step->after)
                                                : ouro_literal_add(&step->after, model, slot->key)) {
            if (!plain)
                ouro_buf_add_text(&step->before, "dict.__getitem__(");
            ouro_buf_add_text(&step->after, plain ? "]" : ")");
            return true;
        }
        step->after.size = before;
    }
    if (slot->part->kind == OURO_PART_FIELD || model->heap.flags[dict] & OURO_OBJECT_TORN)
        return false;
    const char *view = slot->place == 0 ? "values" : "keys";
    if (exact_dict && slot->place) {
        ouro_buf_add_text(&step->before, "[*");
        ouro_buf_addf(&step->after, "][%llu]", (unsigned long long)slot->item);
    } else if (exact_dict) {
        ouro_buf_add_text(&step->before, "[*");
        ouro_buf_addf(&step->after, ".values()][%llu]", (unsigned long long)slot->item);
    } else {
        ouro_buf_addf(&step->before, "[*dict.%s(", view);
        ouro_buf_addf(&step->after, ")][%llu]", (unsigned long long)slot->item);
    }
    return true;
}

static bool keys_step(const struct ouro_notation *notation, const struct ouro_slot *slot, struct ouro_notation_step *step)
{
    uint32_t type = ouro_heap_model_type(notation->model, slot->node);
    return ouro_attribute_derives(notation->model, type, "collections", "OrderedDict") &&
           add_iterated(notation, slot, "collections", "OrderedDict", "__iter__", slot->item, step);
}

/* --- One step */

static bool part_step(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                      struct ouro_notation_step *step)
{
    switch (slots->part->kind) {
    case OURO_PART_TYPE:
        ouro_buf_add_text(&step->before, "type(");
        ouro_buf_add_byte(&step->after, ')');
        return true;
    case OURO_PART_FIELD:
        return ouro_notation_field(notation, slots, count, in_thread, step);
    case OURO_PART_ITEMS:
    case OURO_PART_ITEMS_DOWN:
        return item_step(notation, slots, step);
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
        return ouro_notation_entry(notation, slots, false, step);
    case OURO_PART_ELEMENTS:
        return element_step(notation, slots, step);
    case OURO_PART_KEYS:
        return keys_step(notation, slots, step);
    case OURO_PART_STACK:
        return ouro_notation_stack(notation, slots, step);
    default:
        return false;
    }
}

void ouro_notation_next(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                        struct ouro_notation_step *step)
{
    step->before.size = step->after.size = 0;
    step->taken = 1;
    step->exact = true;
    step->words = false;
    if (!part_step(notation, slots, count, in_thread, step))
        ouro_notation_words(notation, slots, step);
}

/* --- Texts that grow at both ends */

void ouro_notation_text_fini(struct ouro_notation_text *text)
{
    ouro_buf_fini(&text->front);
    ouro_buf_fini(&text->back);
}

void ouro_notation_text_begin(struct ouro_notation_text *text, const char *root, size_t size, bool exact)
{
    text->front.size = text->back.size = 0;
    text->levels = text->wraps = 0;
    ouro_buf_add(&text->back, root, size);
    text->exact = exact;
}

/* Brackets and dots, also those within a key: too many never hurt. */
static void add_levels(unsigned *levels, const struct ouro_buf *text)
{
    for (size_t i = 0; i < text->size && *levels <= OURO_NOTATION_LEVELS_MAX; i++)
        *levels += text->data[i] == '(' || text->data[i] == '[' || text->data[i] == '.';
}

void ouro_notation_text_step(struct ouro_notation_text *text, const struct ouro_notation_step *step)
{
    add_levels(&text->levels, &step->before);
    add_levels(&text->wraps, &step->before);
    add_levels(&text->levels, &step->after);
    for (size_t i = step->before.size; i--;)
        ouro_buf_add_byte(&text->front, step->before.data[i]);
    if (step->after.size)
        ouro_buf_add(&text->back, step->after.data, step->after.size);
    text->back.failed |= step->before.failed | step->after.failed;
    text->exact &= step->exact;
}

void ouro_notation_text_add(const struct ouro_notation_text *text, struct ouro_buf *out)
{
    for (size_t i = text->front.size; i--;)
        ouro_buf_add_byte(out, text->front.data[i]);
    if (text->back.size)
        ouro_buf_add(out, text->back.data, text->back.size);
    out->failed |= text->front.failed | text->back.failed;
}

/* --- Names of roots and classes */

bool ouro_notation_add_class(const struct ouro_notation *notation, ouro_node class, struct ouro_buf *out)
{
    const struct ouro_heap_model *model = notation->model;
    uint32_t type = 0;
    while (type < model->type_count && model->types[type].node != class)
        type++;
    if (class == OURO_NODE_NONE || type == model->type_count || notation->modules == OURO_NODE_NONE)
        return false;
    size_t module_size, size, before = out->size;
    const char *module = ouro_heap_model_type_module(model, type, &module_size);
    const char *name = ouro_heap_model_type_name(model, type, &size), *end = name + size;
    ouro_node at = ouro_heap_model_field(model, ouro_lookup_entry(model, notation->modules, module), "__dict__");
    if (strcmp(module, "builtins")) {
        ouro_buf_add_text(out, "sys.modules[");
        ouro_value_str(out, (const unsigned char *)module, module_size, SIZE_MAX, false);
        ouro_buf_add_text(out, "].");
    }
    ouro_node found = OURO_NODE_NONE;
    for (const char *part = name; at != OURO_NODE_NONE && part < end;) {
        const char *dot = memchr(part, '.', (size_t)(end - part));
        size_t part_size = (size_t)((dot ? dot : end) - part);
        char text[256];
        if (part_size >= sizeof text || !ouro_attribute_is_plain_name(part, part_size))
            break;
        snprintf(text, sizeof text, "%.*s", (int)part_size, part);
        found = ouro_lookup_entry(model, at, text);
        if (found == OURO_NODE_NONE || !is_exactly(model, found, "builtins", "type"))
            break; /* a metaclass could have its own idea of attributes */
        if (!dot && found == class) {
            ouro_buf_add(out, name, size);
            return true;
        }
        at = dot ? ouro_heap_model_field(model, found, "__dict__") : OURO_NODE_NONE;
        part = dot ? dot + 1 : end;
    }
    out->size = before;
    return false;
}

bool ouro_notation_add_thread(const struct ouro_notation *notation, ouro_node root, struct ouro_buf *out)
{
    size_t count, same = 0, size;
    const struct ouro_thread_record *threads = ouro_snapshot_threads(notation->model->snapshot, &count), *thread = NULL;
    for (size_t i = 0; i < count && !thread; i++)
        if (threads[i].root == root)
            thread = &threads[i];
    if (!thread)
        return false;
    const char *name = ouro_snapshot_string(notation->model->snapshot, thread->name, &size);
    for (size_t i = 0; i < count; i++)
        same += threads[i].name == thread->name;
    ouro_buf_add_text(out, "<Thread");
    if (name && size) {
        ouro_buf_add_byte(out, ' ');
        ouro_value_str(out, (const unsigned char *)name, size, SIZE_MAX, false);
    }
    if (!name || !size || same > 1)
        ouro_buf_addf(out, " %llu", (unsigned long long)thread->native_id);
    ouro_buf_add_byte(out, '>');
    return true;
}
