/* FIELD parts: what objects have by name. */
#include <string.h>

#include "analysis/attribute.h"
#include "analysis/literal.h"
#include "analysis/lookup.h"
#include "analysis/native_field.h"
#include "analysis/notation_parts.h"
#include "analysis/value.h"

#define NAME_BYTES_MAX 290 /* the capture cuts names a little behind */
#define BASES_MAX      200

static bool is_exactly(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    return node < model->heap.count && ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "builtins", name);
}

static const char *label_of(const struct ouro_notation *notation, const struct ouro_slot *slot, size_t *size)
{
    const char *label = ouro_snapshot_string(notation->model->snapshot, slot->part->name, size);
    if (!label)
        *size = 0;
    return label ? label : "";
}

/* A name as far as a label may tell it: not cut, and none that stands for one which could not be read. */
static bool is_whole_name(const char *name, size_t size)
{
    return size && size < NAME_BYTES_MAX && !(name[0] == '<' && name[size - 1] == '>');
}

bool ouro_notation_field_literal(const struct ouro_notation *notation, const struct ouro_slot *slot, struct ouro_buf *out)
{
    size_t size;
    const char *label = label_of(notation, slot, &size);
    if (size < 2 || label[0] != '.' || !is_whole_name(label + 1, size - 1) ||
        !is_exactly(notation->model, slot->node, "dict"))
        return false;
    ouro_value_str(out, (const unsigned char *)label + 1, size - 1, SIZE_MAX, false);
    return true;
}

/* --- Attributes */

/* An attribute that the interpreter's own lookup finds: in the instance's __dict__, or by a descriptor of the class. */
static bool add_plain(const struct ouro_notation *notation, ouro_node class, const char *name, size_t size,
                      struct ouro_notation_step *step)
{
    if (!ouro_attribute_is_plain_name(name, size))
        return false;
    if (ouro_attribute_is_generic(notation->model, class)) {
        ouro_buf_add_byte(&step->after, '.');
        ouro_buf_add(&step->after, name, size);
        return true;
    }
    ouro_buf_add_text(&step->before, "object.__getattribute__(");
    ouro_buf_add_text(&step->after, ", '");
    ouro_buf_add(&step->after, name, size);
    ouro_buf_add_text(&step->after, "')");
    return true;
}

/* The lookup of names that may not be terminated where they end. */
static enum ouro_attribute_answer find(const struct ouro_notation *notation, ouro_node class, const char *name, size_t size,
                                       struct ouro_attribute *found)
{
    char text[NAME_BYTES_MAX + 1];
    if (size >= sizeof text || memchr(name, 0, size))
        return OURO_ATTRIBUTE_NOT_KNOWN;
    memcpy(text, name, size);
    text[size] = 0;
    return ouro_attribute_find(notation->model, class, text, found);
}

/* What is left of the way to an entry of __dict__ where plain access gives something else. */
static bool add_by_dict(const struct ouro_notation *notation, ouro_node class, bool exact_dict, bool values,
                        const struct ouro_buf *inside, struct ouro_notation_step *step)
{
    if (!ouro_attribute_has_own_dict(notation->model, class))
        return false;
    bool generic = ouro_attribute_is_generic(notation->model, class);
    step->before.failed |= inside->failed;
    ouro_buf_add_text(&step->before, values ? "[*" : "");
    ouro_buf_add_text(&step->before, !exact_dict ? values ? "dict.values(" : "dict.__getitem__(" : "");
    ouro_buf_add_text(&step->before, generic ? "vars(" : "object.__getattribute__(");
    ouro_buf_add_text(&step->after, generic ? ")" : ", '__dict__')");
    if (values) {
        ouro_buf_add_text(&step->after, exact_dict ? ".values()][" : ")][");
        ouro_buf_add(&step->after, inside->data, inside->size);
        ouro_buf_add_byte(&step->after, ']');
    } else {
        ouro_buf_add_text(&step->after, exact_dict ? "[" : ", ");
        ouro_buf_add(&step->after, inside->data, inside->size);
        ouro_buf_add_text(&step->after, exact_dict ? "]" : ")");
    }
    return true;
}

/* 3.15 on: a module's lazy imports turn into what they stand for when they are accessed. */
static bool turns_when_accessed(const struct ouro_notation *notation, ouro_node value)
{
    size_t size;
    const char *name = ouro_heap_model_type_name(notation->model, ouro_heap_model_type(notation->model, value), &size);
    return !strcmp(name, "lazy_import") || !strcmp(name, "LazyImportType");
}

static bool add_instance_name(const struct ouro_notation *notation, ouro_node holder, ouro_node value, const char *name,
                              size_t size, bool exact_dict, struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node class = ouro_attribute_class(model, holder);
    struct ouro_attribute found;
    if (ouro_attribute_is_plain_name(name, size) && !turns_when_accessed(notation, value)) {
        enum ouro_attribute_answer answer = find(notation, class, name, size, &found);
        if (answer == OURO_ATTRIBUTE_NO ||
            (answer == OURO_ATTRIBUTE_YES && !ouro_attribute_is_data_descriptor(model, found.value)))
            return add_plain(notation, class, name, size, step);
    }
    OURO_GUARD(ouro_buf_fini) struct ouro_buf literal = {0};
    ouro_value_str(&literal, (const unsigned char *)name, size, SIZE_MAX, false);
    return add_by_dict(notation, class, exact_dict, false, &literal, step);
}

/* What `C.name` gives of a class is what stands in its __dict__: nothing binds. */
static bool is_given_unbound(const struct ouro_heap_model *model, ouro_node value)
{
    static const char *const names[] = {"function",          "property",           "member_descriptor",
                                        "getset_descriptor", "method_descriptor", "wrapper_descriptor"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_exactly(model, value, names[i]))
            return true;
    return !ouro_attribute_has_get(model, value);
}

static bool add_class_name(const struct ouro_notation *notation, ouro_node holder, ouro_node value, const char *name,
                           size_t size, struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node meta = ouro_attribute_class(model, holder);
    struct ouro_attribute found, own;
    bool generic = ouro_attribute_is_generic(model, meta);
    if (generic && ouro_attribute_is_plain_name(name, size)) {
        enum ouro_attribute_answer answer = find(notation, meta, name, size, &found);
        bool in_the_way = answer == OURO_ATTRIBUTE_NOT_KNOWN ||
                          (answer == OURO_ATTRIBUTE_YES && ouro_attribute_is_data_descriptor(model, found.value));
        if (!in_the_way && find(notation, holder, name, size, &own) == OURO_ATTRIBUTE_YES && own.owner == holder &&
            own.value == value && is_given_unbound(model, value)) {
            ouro_buf_add_byte(&step->after, '.');
            ouro_buf_add(&step->after, name, size);
            return true;
        }
    }
    generic &= ouro_attribute_has_own_dict(model, meta);
    ouro_buf_add_text(&step->before, generic ? "vars(" : "vars(type)['__dict__'].__get__(");
    ouro_buf_add_text(&step->after, ")[");
    ouro_value_str(&step->after, (const unsigned char *)name, size, SIZE_MAX, false);
    ouro_buf_add_byte(&step->after, ']');
    return true;
}

static bool is_class(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_attribute_derives(model, ouro_heap_model_type(model, node), "builtins", "type");
}

/* holder -> its __dict__ -> value. */
static bool attribute_step(const struct ouro_notation *notation, const struct ouro_slot *slots,
                           struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    const struct ouro_slot *entry = &slots[1];
    ouro_node holder = slots[0].node, value = entry->target;
    bool exact_dict = is_exactly(model, entry->node, "dict"), of_class = is_class(model, holder);
    size_t size;
    const char *name = NULL;
    step->taken = 2;
    if (entry->part->kind == OURO_PART_FIELD) {
        name = label_of(notation, entry, &size);
        if (size < 2 || name[0] != '.' || !is_whole_name(++name, --size))
            return false;
    } else if (entry->place == 0 && entry->key != OURO_NODE_NONE && is_exactly(model, entry->key, "str") &&
               ouro_value_has(model, entry->key) && !(model->heap.flags[entry->key] & OURO_OBJECT_VALUE_CUT)) {
        name = (const char *)ouro_value_raw(model, entry->key, &size);
        if (size > OURO_LITERAL_BYTES_MAX)
            name = NULL;
    }
    if (name)
        return of_class ? add_class_name(notation, holder, value, name, size, step)
                        : add_instance_name(notation, holder, value, name, size, exact_dict, step);
    if (entry->part->kind == OURO_PART_FIELD || model->heap.flags[entry->node] & OURO_OBJECT_TORN)
        return false;
    if (of_class) { /* a key of a class's: whose values all have names */
        bool plain = ouro_attribute_is_generic(model, ouro_attribute_class(model, holder)) &&
                     ouro_attribute_has_own_dict(model, ouro_attribute_class(model, holder));
        ouro_buf_add_text(&step->before, plain ? "[*vars(" : "[*vars(type)['__dict__'].__get__(");
        ouro_buf_addf(&step->after, ")][%llu]", (unsigned long long)entry->item);
        return entry->place == 1 && exact_dict;
    }
    if (entry->place)
        return false;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf inside = {0};
    ouro_node class = ouro_attribute_class(model, holder);
    if (entry->key != OURO_NODE_NONE && ouro_literal_add(&inside, model, entry->key))
        return add_by_dict(notation, class, exact_dict, false, &inside, step);
    ouro_buf_addf(&inside, "%llu", (unsigned long long)entry->item);
    return add_by_dict(notation, class, exact_dict, true, &inside, step);
}

/* --- Slots and values that lie in the object */

static bool is_member(const struct ouro_notation *notation, ouro_node descriptor, ouro_node of, const char *name, size_t size)
{
    const struct ouro_heap_model *model = notation->model;
    size_t stored;
    if (!is_exactly(model, descriptor, "member_descriptor") && !is_exactly(model, descriptor, "getset_descriptor"))
        return false;
    ouro_node text = ouro_heap_model_field(model, descriptor, "__name__");
    if (text == OURO_NODE_NONE || ouro_heap_model_field(model, descriptor, "__objclass__") != of)
        return false;
    if (!ouro_value_has(model, text))
        return true; /* under --values none; that the name is in the class is known */
    const unsigned char *bytes = ouro_value_raw(model, text, &stored);
    return stored == size && !memcmp(bytes, name, size);
}

/* Whether its class has the attribute, and C code answers: versions before keep the same field to themselves. */
static bool has_member(const struct ouro_notation *notation, ouro_node holder, const char *name)
{
    struct ouro_attribute found;
    ouro_node class = ouro_attribute_class(notation->model, holder);
    return ouro_attribute_find(notation->model, class, name, &found) == OURO_ATTRIBUTE_YES &&
           is_member(notation, found.value, found.owner, name, strlen(name));
}

/* The class whose slot the object's part is: slots come first, from the class itself to its bases; OURO_NODE_NONE. */
static ouro_node class_of_slot(const struct ouro_notation *notation, ouro_node holder, size_t part)
{
    const struct ouro_heap_model *model = notation->model;
    uint32_t type = ouro_heap_model_type(model, holder);
    size_t passed = 0;
    for (unsigned depth = 0; type < model->type_count && depth < BASES_MAX; depth++) {
        ouro_node class = model->types[type].node;
        ouro_node slots = class == OURO_NODE_NONE ? OURO_NODE_NONE : ouro_heap_model_field(model, class, "__slots__");
        if (slots != OURO_NODE_NONE)
            passed += model->heap.slot_begin[slots + 1] - model->heap.slot_begin[slots];
        if (part < passed)
            return class;
        type = model->types[type].base;
    }
    return OURO_NODE_NONE;
}

static bool slot_step(const struct ouro_notation *notation, ouro_node holder, ouro_node of, const char *name, size_t size,
                      struct ouro_notation_step *step)
{
    struct ouro_attribute found;
    ouro_node class = ouro_attribute_class(notation->model, holder);
    if (find(notation, class, name, size, &found) == OURO_ATTRIBUTE_YES && found.owner == of &&
        is_member(notation, found.value, of, name, size) && add_plain(notation, class, name, size, step))
        return true;
    /* Something else has the name: the class's own descriptor still knows. */
    if (find(notation, of, name, size, &found) != OURO_ATTRIBUTE_YES || found.owner != of ||
        !is_member(notation, found.value, of, name, size) || !is_exactly(notation->model, of, "type"))
        return false;
    ouro_buf_add_text(&step->before, "vars(");
    if (!ouro_notation_add_class(notation, of, &step->before))
        return false;
    ouro_buf_add_text(&step->before, ")[");
    ouro_value_str(&step->before, (const unsigned char *)name, size, SIZE_MAX, false);
    ouro_buf_add_text(&step->before, "].__get__(");
    ouro_buf_add_byte(&step->after, ')');
    return true;
}

/* A label that begins with a dot: a slot, a value that lies in the object, or a field that C code names. */
static bool dotted_step(const struct ouro_notation *notation, const struct ouro_slot *slot, const char *name, size_t size,
                        struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node holder = slot->node, class = ouro_attribute_class(model, holder);
    struct ouro_attribute found;
    if (!is_whole_name(name, size) || class == OURO_NODE_NONE)
        return false;
    ouro_node of = class_of_slot(notation, holder, (size_t)(slot->part - ouro_heap_model_shape(model, holder)->parts));
    if (of != OURO_NODE_NONE)
        return slot_step(notation, holder, of, name, size, step);
    bool named = find(notation, class, name, size, &found) == OURO_ATTRIBUTE_YES &&
                 is_member(notation, found.value, found.owner, name, size);
    bool native = ouro_lookup_is_native(model, holder, slot->part, name, size);
    if (named && native)
        return add_plain(notation, class, name, size, step);
    return !native && !named && add_instance_name(notation, holder, slot->target, name, size, true, step);
}

/* --- Fields of the interpreter's own types */

static bool field_by_table(const struct ouro_notation *notation, ouro_node holder, const char *label, size_t size,
                           struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    uint32_t type = ouro_heap_model_type(model, holder);
    ouro_node class = ouro_attribute_class(model, holder);
    for (size_t i = 0; i < ouro_native_field_count; i++) {
        const struct ouro_native_field *field = &ouro_native_fields[i];
        struct ouro_attribute found;
        if (strlen(field->label) != size || memcmp(field->label, label, size) ||
            !ouro_attribute_derives(model, type, field->module, field->type))
            continue;
        const char *name = field->attribute;
        size_t name_size = strlen(name);
        if (ouro_attribute_find(model, class, name, &found) != OURO_ATTRIBUTE_YES ||
            !is_member(notation, found.value, found.owner, name, name_size)) {
            /* A class derived from it has something else by this name. */
            ouro_buf_add_text(&step->before, "vars(");
            if (strcmp(field->module, "builtins") ||
                !ouro_notation_add_base(notation, field->module, field->type, &step->before))
                return false;
            ouro_buf_addf(&step->before, ")['%s'].__get__(", name);
            ouro_buf_add_byte(&step->after, ')');
            return true;
        }
        if (!strcmp(field->type, "GenericAlias") && ouro_lookup_is_type(model, type, "types", "GenericAlias")) {
            ouro_buf_addf(&step->after, ".%s", name); /* which it does not pass on to its origin */
            return true;
        }
        return add_plain(notation, class, name, name_size, step);
    }
    return false;
}

static bool type_field(const struct ouro_notation *notation, ouro_node holder, const char *label,
                       struct ouro_notation_step *step)
{
    static const char *const names[] = {"__mro__", "__bases__", "__base__", "__name__", "__qualname__"};
    const struct ouro_heap_model *model = notation->model;
    ouro_node meta = ouro_attribute_class(model, holder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ouro_attribute found;
        if (strcmp(label, names[i]))
            continue;
        if (ouro_attribute_find(model, meta, label, &found) != OURO_ATTRIBUTE_YES ||
            !ouro_attribute_is_class(model, found.owner, "builtins", "type") || !ouro_attribute_is_generic(model, meta)) {
            ouro_buf_addf(&step->before, "vars(type)['%s'].__get__(", label);
            ouro_buf_add_byte(&step->after, ')');
        } else {
            ouro_buf_addf(&step->after, ".%s", label);
        }
        return true;
    }
    return false;
}

/* An attribute that the instance's __dict__ has too, as functools.update_wrapper leaves it. */
static bool field_in_dict(const struct ouro_notation *notation, const struct ouro_slot *slot, const char *name,
                          struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node dict = ouro_heap_model_field(model, slot->node, "__dict__");
    return dict != OURO_NODE_NONE && ouro_lookup_entry(model, dict, name) == slot->target &&
           add_instance_name(notation, slot->node, slot->target, name, strlen(name), is_exactly(model, dict, "dict"), step);
}

static bool weakref_step(const struct ouro_notation *notation, const struct ouro_slot *slot, const char *label,
                         struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    struct ouro_attribute found;
    uint32_t type = ouro_heap_model_type(model, slot->node);
    ouro_node class = ouro_attribute_class(model, slot->node);
    if (strstr(ouro_heap_model_type_name(model, type, NULL), "roxy"))
        return false; /* it passes everything on to what it refers to */
    const char *name = strcmp(label, "()") ? "__callback__" : "__call__";
    if (ouro_attribute_find(model, class, name, &found) != OURO_ATTRIBUTE_YES)
        return false;
    if (strcmp(label, "()"))
        return !strcmp(label, name) && is_member(notation, found.value, found.owner, name, strlen(name)) &&
               add_plain(notation, class, name, strlen(name), step);
    if (!is_exactly(model, found.value, "wrapper_descriptor"))
        return false;
    ouro_buf_add_text(&step->after, "()");
    return true;
}

/* What a view of a dict shows. */
static bool view_step(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count,
                      struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node view = slots[0].node, dict = slots[0].target;
    if (count < 2 || !is_exactly(model, dict, "dict") || slots[1].part->kind == OURO_PART_TYPE ||
        model->heap.flags[dict] & OURO_OBJECT_TORN)
        return false;
    step->taken = 2;
    if (is_exactly(model, view, "mappingproxy"))
        return ouro_notation_entry(notation, &slots[1], true, step);
    bool key = slots[1].place == 1, items = is_exactly(model, view, "dict_items");
    if (slots[1].part->kind == OURO_PART_FIELD || !(items || is_exactly(model, view, key ? "dict_keys" : "dict_values")))
        return has_member(notation, view, "mapping") && (ouro_buf_add_text(&step->after, ".mapping"),
                                                         ouro_notation_entry(notation, &slots[1], true, step));
    ouro_buf_add_text(&step->before, "[*");
    ouro_buf_addf(&step->after, "][%llu]%s", (unsigned long long)slots[1].item, !items ? "" : key ? "[0]" : "[1]");
    return true;
}

static bool special_step(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count,
                         const char *label, size_t size, struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    ouro_node holder = slots[0].node;
    uint32_t type = ouro_heap_model_type(model, holder);
    if (ouro_heap_model_type_flags(model, type) & OURO_TYPE_WEAKREF && (!strcmp(label, "()") || !strcmp(label, "__callback__")))
        return weakref_step(notation, &slots[0], label, step);
    if (is_class(model, holder))
        return type_field(notation, holder, label, step);
    if (!strcmp(label, "mapping"))
        return view_step(notation, slots, count, step);
    if (!strcmp(label, "mbuf") && count > 1) {
        step->taken = 2;
        ouro_buf_add_text(&step->after, ".obj");
        return is_exactly(model, holder, "memoryview") && slots[1].part->kind == OURO_PART_FIELD;
    }
    if (!strcmp(label, "__annotations__")) /* until 3.13 a tuple that the first access makes a dict of */
        return is_exactly(model, holder, "function") && is_exactly(model, slots[0].target, "dict") &&
               (ouro_buf_add_text(&step->after, ".__annotations__"), true);
    if (is_exactly(model, holder, "property") &&
        (!strcmp(label, "__doc__") || (!strcmp(label, "__name__") && has_member(notation, holder, label))))
        return ouro_buf_addf(&step->after, ".%s", label), true;
    if (!strcmp(label, "__wrapped__") || !strcmp(label, "__name__"))
        if (field_in_dict(notation, &slots[0], label, step))
            return true;
    return field_by_table(notation, holder, label, size, step);
}

/* The __dict__ itself. */
static bool dict_step(const struct ouro_notation *notation, ouro_node holder, struct ouro_notation_step *step)
{
    ouro_node class = ouro_attribute_class(notation->model, holder);
    if (is_class(notation->model, holder) || !ouro_attribute_has_own_dict(notation->model, class))
        return false;
    return add_plain(notation, class, "__dict__", strlen("__dict__"), step);
}

bool ouro_notation_field(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                         struct ouro_notation_step *step)
{
    const struct ouro_heap_model *model = notation->model;
    size_t size;
    const char *label = label_of(notation, &slots[0], &size);
    ouro_node holder = slots[0].node;
    if (!size || model->heap.flags[holder] & OURO_OBJECT_APPROXIMATE)
        return false;
    if (ouro_notation_frame(notation, slots, count, in_thread, step))
        return true;
    step->before.size = step->after.size = 0;
    if (ouro_notation_is_frame(model, holder) && in_thread)
        return false;
    if (!strcmp(label, "__dict__")) {
        if (count > 1 && slots[1].part->kind != OURO_PART_TYPE && attribute_step(notation, slots, step))
            return true;
        step->before.size = step->after.size = 0;
        step->taken = 1;
        return dict_step(notation, holder, step);
    }
    if (label[0] == '.') {
        if (is_exactly(model, holder, "dict")) /* one that shares its keys; others have attributes too */
            return ouro_notation_entry(notation, &slots[0], false, step);
        return dotted_step(notation, &slots[0], label + 1, size - 1, step);
    }
    return special_step(notation, slots, count, label, size, step);
}
