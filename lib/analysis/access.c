#include "analysis/access.h"

#include <string.h>

#include "analysis/lookup.h"
#include "analysis/native_field.h"
#include "analysis/value.h"

#define BASES_MAX       64
#define MRO_MAX         2000
#define LABEL_BYTES_MAX 298 /* of a label of the file; longer names are cut there */

static bool is_name(struct ouro_name name, const char *text)
{
    return name.size == strlen(text) && !memcmp(name.bytes, text, name.size);
}

static struct ouro_name name_of(const char *text)
{
    return (struct ouro_name){text, strlen(text)};
}

static struct ouro_access result(enum ouro_access_kind kind, ouro_node node)
{
    return (struct ouro_access){kind, node};
}

static struct ouro_access found(ouro_node node)
{
    return result(node == OURO_NODE_NONE ? OURO_ACCESS_ABSENT : OURO_ACCESS_FOUND, node);
}

/* --- Classes */

ouro_node ouro_access_class(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = node < model->heap.count ? ouro_heap_model_type(model, node) : OURO_TYPE_NONE;
    ouro_node class = type < model->type_count ? model->types[type].node : OURO_NODE_NONE;
    return class < model->heap.count ? class : OURO_NODE_NONE;
}

bool ouro_access_is_kind(const struct ouro_heap_model *model, ouro_node node, const char *module, const char *name)
{
    uint32_t type = node < model->heap.count ? ouro_heap_model_type(model, node) : OURO_TYPE_NONE;
    for (unsigned depth = 0; type < model->type_count && depth < BASES_MAX; depth++, type = model->types[type].base)
        if (!strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
            !strcmp(ouro_heap_model_type_module(model, type, NULL), module))
            return true;
    return false;
}

static bool is_exactly(const struct ouro_heap_model *model, ouro_node node, const char *module, const char *name)
{
    uint32_t type = node < model->heap.count ? ouro_heap_model_type(model, node) : OURO_TYPE_NONE;
    return type < model->type_count && !strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
           !strcmp(ouro_heap_model_type_module(model, type, NULL), module);
}

bool ouro_access_is_class(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_access_is_kind(model, node, "builtins", "type");
}

static ouro_node field(const struct ouro_heap_model *model, ouro_node node, const char *label)
{
    return ouro_heap_model_field(model, node, label);
}

/* The classes of an MRO, one after the other. Where the file has none, the chain of tp_base. */
struct mro {
    const struct ouro_heap_model *model;
    uint64_t begin, left; /* a tuple's items lie from the last to the first */
    uint32_t base;
    unsigned depth;
    ouro_node class;
    bool has_tuple;
};

static void mro_begin(struct mro *mro, const struct ouro_heap_model *model, ouro_node class)
{
    ouro_node tuple = field(model, class, "__mro__");
    *mro = (struct mro){.model = model, .class = class, .base = OURO_TYPE_NONE};
    if (tuple < model->heap.count) {
        uint64_t count = model->heap.slot_begin[tuple + 1] - model->heap.slot_begin[tuple];
        mro->has_tuple = true;
        mro->begin = model->heap.slot_begin[tuple] + (count > MRO_MAX ? count - MRO_MAX : 0);
        mro->left = count > MRO_MAX ? MRO_MAX : count;
        return;
    }
    for (uint32_t t = 0; class < model->heap.count && t < model->type_count; t++)
        if (model->types[t].node == class)
            mro->base = t;
}

static bool mro_next(struct mro *mro, ouro_node *class)
{
    const struct ouro_heap_model *model = mro->model;
    if (mro->has_tuple) {
        if (!mro->left)
            return false;
        *class = model->heap.slots[mro->begin + --mro->left];
        return true;
    }
    if (!mro->depth++) {
        *class = mro->class;
        return true;
    }
    if (mro->base >= model->type_count || mro->depth > BASES_MAX)
        return false;
    mro->base = model->types[mro->base].base;
    *class = mro->base < model->type_count ? model->types[mro->base].node : OURO_NODE_NONE;
    return mro->base < model->type_count;
}

ouro_node ouro_access_in_mro(const struct ouro_heap_model *model, ouro_node class, struct ouro_name name,
                             ouro_node *owner)
{
    struct mro mro;
    ouro_node at;
    mro_begin(&mro, model, class);
    while (mro_next(&mro, &at)) {
        ouro_node value = ouro_access_in_dict(model, field(model, at, "__dict__"), name);
        if (value == OURO_NODE_NONE)
            continue;
        if (owner)
            *owner = at;
        return value;
    }
    return OURO_NODE_NONE;
}

bool ouro_access_overrides(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    ouro_node method = ouro_access_in_mro(model, ouro_access_class(model, node), name_of(name), NULL);
    return method != OURO_NODE_NONE && !is_exactly(model, method, "builtins", "wrapper_descriptor") &&
           !is_exactly(model, method, "builtins", "method_descriptor");
}

/* --- Dicts and labels */

/* Whether the part is a field labelled ".name" (with the dot) or "name". */
static bool is_labelled(const struct ouro_heap_model *model, const struct ouro_part *part, struct ouro_name name,
                        bool dot)
{
    size_t size;
    const char *label = part->kind == OURO_PART_FIELD ? ouro_snapshot_string(model->snapshot, part->name, &size) : NULL;
    if (!label || size < dot || (dot && *label != '.'))
        return false;
    bool cut = size >= LABEL_BYTES_MAX && name.size > size - dot;
    return (size - dot == name.size || cut) && !memcmp(label + dot, name.bytes, size - dot);
}

static bool is_str(const struct ouro_heap_model *model, ouro_node key, struct ouro_name name)
{
    if (key >= model->heap.count || !ouro_value_has(model, key) || model->heap.flags[key] & OURO_OBJECT_VALUE_CUT)
        return false;
    uint32_t type = ouro_heap_model_type(model, key);
    size_t size;
    const unsigned char *bytes = ouro_value_raw(model, key, &size);
    return model->types[type].value_kind == OURO_VALUE_STR && size == name.size &&
           (!size || !memcmp(bytes, name.bytes, size));
}

bool ouro_access_is_split(const struct ouro_heap_model *model, ouro_node dict)
{
    if (!is_exactly(model, dict, "builtins", "dict"))
        return false;
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, dict);
    return shape->part_count && shape->parts[0].kind == OURO_PART_FIELD;
}

ouro_node ouro_access_in_dict(const struct ouro_heap_model *model, ouro_node dict, struct ouro_name name)
{
    if (dict >= model->heap.count)
        return OURO_NODE_NONE;
    bool split = ouro_access_is_split(model, dict);
    const ouro_node *slots = model->heap.slots;
    struct ouro_part_walk walk;
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk)) {
        if (split && slots[walk.first] != OURO_NODE_NONE && is_labelled(model, walk.part, name, true))
            return slots[walk.first];
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++)
            if (slots[walk.first + 2 * i] != OURO_NODE_NONE && is_str(model, slots[walk.first + 2 * i + 1], name))
                return slots[walk.first + 2 * i];
    }
    return OURO_NODE_NONE;
}

/* The field ".name" behind `skip` others of that label, of C code or not as `native` says; *exists: whether there is
 * one, filled or not. */
static ouro_node dotted_field(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name, unsigned skip,
                              bool native, bool *exists)
{
    struct ouro_part_walk walk;
    *exists = false;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk)) {
        if (!is_labelled(model, walk.part, name, true) || (skip && skip--))
            continue;
        if (native && !ouro_lookup_is_native(model, node, walk.part, name.bytes, name.size))
            continue;
        *exists = true;
        return model->heap.slots[walk.first];
    }
    return OURO_NODE_NONE;
}

static ouro_node plain_field(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name, bool *exists)
{
    struct ouro_part_walk walk;
    *exists = false;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk))
        if (is_labelled(model, walk.part, name, false)) {
            *exists = true;
            if (model->heap.slots[walk.first] != OURO_NODE_NONE)
                return model->heap.slots[walk.first];
        }
    return OURO_NODE_NONE;
}

/* How many classes of the MRO, before `until` (OURO_NODE_NONE: in all), have a slot of this name. Slots lie in that
 * order in front of inline values. */
static unsigned count_slots(const struct ouro_heap_model *model, ouro_node class, struct ouro_name name,
                            ouro_node until)
{
    struct mro mro;
    ouro_node at;
    unsigned slots = 0;
    mro_begin(&mro, model, class);
    while (mro_next(&mro, &at) && at != until) {
        ouro_node value = ouro_access_in_dict(model, field(model, at, "__dict__"), name);
        slots += value != OURO_NODE_NONE && is_exactly(model, value, "builtins", "member_descriptor");
    }
    return slots;
}

/* --- Instances */

bool ouro_access_has_namespace(const struct ouro_heap_model *model, ouro_node node, ouro_node *dict)
{
    bool exists;
    *dict = plain_field(model, node, name_of("__dict__"), &exists);
    return exists;
}

ouro_node ouro_access_of_instance(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name)
{
    ouro_node dict;
    bool exists;
    if (!ouro_access_has_namespace(model, node, &dict))
        return OURO_NODE_NONE;
    ouro_node value = ouro_access_in_dict(model, dict, name);
    if (value != OURO_NODE_NONE || ouro_access_is_class(model, node))
        return value;
    return dotted_field(model, node, name, count_slots(model, ouro_access_class(model, node), name, OURO_NODE_NONE),
                        false, &exists);
}

/* --- Descriptors */

enum descriptor { IS_NONE, IS_METHOD, IS_STATIC, IS_OTHER, IS_MEMBER, IS_GETSET, IS_PROPERTY, IS_TUPLE_FIELD, IS_DATA };

static bool is_data(enum descriptor kind)
{
    return kind >= IS_MEMBER;
}

/* What kind of descriptor it is on access through an instance. */
static enum descriptor classify(const struct ouro_heap_model *model, ouro_node node)
{
    static const struct {
        const char *module, *name;
        enum descriptor kind;
    } known[] = {
        {"builtins",     "function",               IS_METHOD     },
        {"builtins",     "classmethod",            IS_METHOD     },
        {"builtins",     "method_descriptor",      IS_METHOD     },
        {"builtins",     "wrapper_descriptor",     IS_METHOD     },
        {"builtins",     "staticmethod",           IS_STATIC     },
        {"builtins",     "classmethod_descriptor", IS_METHOD     },
        {"builtins",     "member_descriptor",      IS_MEMBER     },
        {"builtins",     "getset_descriptor",      IS_GETSET     },
        {"builtins",     "property",               IS_PROPERTY   },
        {"functools",    "_lru_cache_wrapper",     IS_METHOD     },
        {"_collections", "_tuplegetter",           IS_TUPLE_FIELD},
        {"collections",  "_tuplegetter",           IS_TUPLE_FIELD},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_exactly(model, node, known[i].module, known[i].name))
            return known[i].kind;
    ouro_node class = ouro_access_class(model, node);
    uint32_t flags = node < model->heap.count ? model->types[ouro_heap_model_type(model, node)].flags : 0;
    if (flags & OURO_TYPE_DESCR_SET || ouro_access_in_mro(model, class, name_of("__set__"), NULL) != OURO_NODE_NONE ||
        ouro_access_in_mro(model, class, name_of("__delete__"), NULL) != OURO_NODE_NONE)
        return ouro_access_is_kind(model, node, "builtins", "property") ? IS_PROPERTY : IS_DATA;
    bool gets = flags & OURO_TYPE_DESCR_GET || ouro_access_in_mro(model, class, name_of("__get__"), NULL) != OURO_NODE_NONE;
    return gets ? IS_OTHER : IS_NONE;
}

/* The label of the native field that an attribute gives, where it is another than its name. NULL: none. */
static const char *label_for(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name)
{
    static const char *const codes[] = {"gi_code", "cr_code", "ag_code"};
    static const char *const frames[] = {"gi_frame", "cr_frame", "ag_frame"};
    bool exists;
    for (size_t i = 0; i < 3; i++) {
        if (is_name(name, codes[i]))
            return plain_field(model, node, name_of("f_code"), &exists) != OURO_NODE_NONE ? "f_code" : "gi_code";
        if (is_name(name, frames[i])) {
            plain_field(model, node, name_of("gi_frame"), &exists);
            return exists ? "gi_frame" : "frame";
        }
    }
    for (size_t i = 0; i < ouro_native_field_count; i++) {
        const struct ouro_native_field *known = &ouro_native_fields[i];
        if (!is_name(name, known->attribute) || !strcmp(known->label, known->attribute) ||
            !ouro_access_is_kind(model, node, known->module, known->type))
            continue;
        plain_field(model, node, name_of(known->label), &exists);
        if (exists)
            return known->label;
    }
    return NULL;
}

/* Native fields that read as None while they hold nothing; others are made when asked for. */
static bool is_none_when_empty(struct ouro_name name)
{
    static const char *const names[] = {"__defaults__",  "__kwdefaults__", "__closure__",  "__cause__", "__context__",
                                        "__traceback__", "tb_next",        "__annotate__", "__self__",  "__callback__",
                                        "fget",          "fset",           "fdel",         "__doc__",   "f_trace"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_name(name, names[i]))
            return true;
    return false;
}

static ouro_node find_none(const struct ouro_heap_model *model)
{
    for (uint32_t t = 0; t < model->type_count; t++)
        if (model->types[t].value_kind == OURO_VALUE_NULL)
            for (ouro_node v = 0; v < model->heap.count; v++)
                if (ouro_heap_model_type(model, v) == t)
                    return v;
    return OURO_NODE_NONE;
}

/* What the last of a suspended generator's value stack is, when it waits there; until 3.10 its frame object has that.
 */
static struct ouro_access awaited(const struct ouro_heap_model *model, ouro_node node)
{
    const struct ouro_line_record *line = ouro_snapshot_line(model->snapshot, node);
    ouro_node frame = field(model, node, "gi_frame"), holder = frame == OURO_NODE_NONE ? node : frame;
    uint64_t depth;
    if (line && line->state != OURO_RUN_UNKNOWN && line->state != OURO_RUN_AWAITING)
        return found(find_none(model));
    ouro_access_stack(model, holder, 0, &depth);
    if (!line || line->state == OURO_RUN_UNKNOWN || !depth)
        return result(OURO_ACCESS_COMPUTED, OURO_NODE_NONE);
    return found(ouro_access_stack(model, holder, depth - 1, NULL));
}

/* Of frame objects and generators. */
static bool frame_attribute(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name,
                            struct ouro_access *out)
{
    static const char *const awaiting[] = {"gi_yieldfrom", "cr_await", "ag_await"};
    for (size_t i = 0; i < 3; i++)
        if (is_name(name, awaiting[i])) {
            *out = awaited(model, node);
            return true;
        }
    if (is_name(name, "gi_frame") || is_name(name, "cr_frame") || is_name(name, "ag_frame")) {
        const struct ouro_line_record *line = ouro_snapshot_line(model->snapshot, node);
        const char *label = label_for(model, node, name);
        ouro_node frame = field(model, node, label);
        bool finished = !line && field(model, node, "f_code") == OURO_NODE_NONE;
        *out = frame != OURO_NODE_NONE                  ? found(frame)
               : !strcmp(label, "gi_frame") || finished ? found(find_none(model))
                                                        : result(OURO_ACCESS_FRAME, node);
        return true;
    }
    if (!ouro_access_is_kind(model, node, "builtins", "frame"))
        return false;
    ouro_node holder = node;
    bool exists;
    plain_field(model, node, name_of("f_code"), &exists);
    if (!exists && !is_name(name, "f_back") && !is_name(name, "f_trace"))
        holder = ouro_access_frame(model, node);
    if (is_name(name, "f_locals")) {
        *out = result(OURO_ACCESS_LOCALS, holder);
        return true;
    }
    bool globals = is_name(name, "f_globals"), builtins = is_name(name, "f_builtins");
    ouro_node value = plain_field(model, holder, name, &exists);
    if (!exists && (globals || builtins))
        value = field(model, field(model, holder, "f_func"), globals ? "__globals__" : "__builtins__");
    if (value == OURO_NODE_NONE && is_name(name, "f_code"))
        value = field(model, field(model, holder, "generator"), "f_code");
    if (!globals && !builtins && !is_name(name, "f_code"))
        return false;
    *out = value == OURO_NODE_NONE ? result(OURO_ACCESS_COMPUTED, value) : found(value);
    return true;
}

/* getset descriptors of type: what they give lies in the class's own dict, or in a field. */
static struct ouro_access class_field(const struct ouro_heap_model *model, ouro_node class, struct ouro_name name)
{
    bool exists;
    ouro_node dict = field(model, class, "__dict__");
    ouro_node value = is_name(name, "__doc__") || is_name(name, "__module__")
                          ? OURO_NODE_NONE
                          : plain_field(model, class, name, &exists);
    if (value == OURO_NODE_NONE)
        value = ouro_access_in_dict(model, dict, name);
    if (value == OURO_NODE_NONE && is_name(name, "__annotations__"))
        value = ouro_access_in_dict(model, dict, name_of("__annotations_cache__"));
    if (value != OURO_NODE_NONE && classify(model, value) != IS_NONE)
        return result(OURO_ACCESS_COMPUTED, value);
    return value == OURO_NODE_NONE ? result(OURO_ACCESS_COMPUTED, value) : found(value);
}

/* The i-th item of a tuple, by the position of a name in another tuple. */
static struct ouro_access tuple_field(const struct ouro_heap_model *model, ouro_node node, const char *names_of,
                                      struct ouro_name name)
{
    ouro_node names = ouro_access_in_mro(model, ouro_access_class(model, node), name_of(names_of), NULL);
    struct ouro_part_walk walk;
    uint64_t position = UINT64_MAX;
    if (names < model->heap.count) {
        ouro_part_walk_begin(&walk, model, names);
        while (position == UINT64_MAX && ouro_part_walk_next(&walk))
            for (uint64_t i = 0; ouro_part_repeats(walk.part->kind) && walk.width == 1 && i < walk.item_count; i++)
                if (is_str(model, model->heap.slots[walk.first + i], name))
                    position = walk.part->kind == OURO_PART_ITEMS_DOWN ? walk.item_count - 1 - i : i;
    }
    ouro_part_walk_begin(&walk, model, node);
    while (position != UINT64_MAX && ouro_part_walk_next(&walk)) {
        bool down = walk.part->kind == OURO_PART_ITEMS_DOWN;
        if ((down || walk.part->kind == OURO_PART_ITEMS) && position < walk.item_count)
            return found(model->heap.slots[walk.first + (down ? walk.item_count - 1 - position : position)]);
    }
    return result(OURO_ACCESS_COMPUTED, OURO_NODE_NONE);
}

/* What a descriptor of `owner` reads: a slot of the class, or the field of that name that C code lays out. */
static ouro_node described_field(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name,
                                 ouro_node owner, bool *exists)
{
    unsigned skip = owner == OURO_NODE_NONE ? 0 : count_slots(model, ouro_access_class(model, node), name, owner);
    return dotted_field(model, node, name, skip, field(model, owner, "__slots__") == OURO_NODE_NONE, exists);
}

static struct ouro_access member(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name,
                                 ouro_node owner)
{
    bool exists;
    ouro_node value = described_field(model, node, name, owner, &exists);
    if (exists)
        return value == OURO_NODE_NONE ? result(OURO_ACCESS_EMPTY, value) : found(value);
    const char *label = label_for(model, node, name);
    value = plain_field(model, node, label ? name_of(label) : name, &exists);
    if (value != OURO_NODE_NONE)
        return found(value);
    if (exists)
        return found(find_none(model));
    if (is_name(name, "__wrapped__")) /* of classmethod and staticmethod, another name of their function */
        return found(field(model, node, "__func__"));
    return tuple_field(model, node, "__match_args__", name);
}

/* What a data descriptor of its class gives for an object. */
static struct ouro_access read_data(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name,
                                    ouro_node descriptor, enum descriptor kind, ouro_node owner)
{
    struct ouro_access out;
    bool exists;
    if (kind == IS_PROPERTY)
        return result(OURO_ACCESS_PROPERTY, descriptor);
    if (kind == IS_DATA)
        return result(OURO_ACCESS_DESCRIPTOR, descriptor);
    if (kind == IS_TUPLE_FIELD)
        return tuple_field(model, node, "_fields", name);
    if (is_name(name, "__dict__")) {
        ouro_node dict;
        if (!ouro_access_has_namespace(model, node, &dict))
            return result(OURO_ACCESS_COMPUTED, OURO_NODE_NONE);
        return result(OURO_ACCESS_NAMESPACE, dict);
    }
    if (is_name(name, "__class__"))
        return found(ouro_access_class(model, node));
    if (frame_attribute(model, node, name, &out))
        return out;
    if (is_name(name, "__objclass__") && ouro_access_is_kind(model, node, "builtins", "method-wrapper"))
        return found(field(model, field(model, node, "__objclass__"), "__objclass__")); /* that field is its descriptor */
    if (kind == IS_MEMBER)
        return member(model, node, name, owner);
    if (ouro_access_is_class(model, node)) {
        ouro_node own = described_field(model, node, name, owner, &exists); /* of a metaclass in C */
        return own == OURO_NODE_NONE ? class_field(model, node, name) : found(own);
    }
    if (is_name(name, "mapping")) /* of dict views: a new proxy each time */
        return result(OURO_ACCESS_COMPUTED, OURO_NODE_NONE);
    if (is_name(name, "obj") && ouro_access_is_kind(model, node, "builtins", "memoryview"))
        node = field(model, node, "mbuf"); /* several views share one */
    const char *label = label_for(model, node, name);
    ouro_node value = plain_field(model, node, label ? name_of(label) : name, &exists);
    if (value == OURO_NODE_NONE && !exists && kind == IS_GETSET)
        value = described_field(model, node, name, owner, &(bool){false});
    if (value != OURO_NODE_NONE)
        return found(value);
    return exists && is_none_when_empty(name) ? found(find_none(model)) : result(OURO_ACCESS_COMPUTED, value);
}

/* A member of an Enum class; what the class dict has by its name depends on the version. */
static ouro_node enum_member(const struct ouro_heap_model *model, ouro_node class, struct ouro_name name)
{
    uint32_t type = ouro_heap_model_type(model, class);
    const char *module = ouro_heap_model_type_module(model, type, NULL);
    if (strcmp(module, "enum"))
        return OURO_NODE_NONE;
    ouro_node members = ouro_access_in_dict(model, field(model, class, "__dict__"), name_of("_member_map_"));
    return ouro_access_in_dict(model, members, name);
}

/* C.name, where the metaclass has no data descriptor of that name. */
static struct ouro_access of_class(const struct ouro_heap_model *model, ouro_node class, struct ouro_name name)
{
    ouro_node value = enum_member(model, class, name);
    if (value != OURO_NODE_NONE)
        return found(value);
    value = ouro_access_in_mro(model, class, name, NULL);
    if (value == OURO_NODE_NONE)
        return found(value);
    if (is_exactly(model, value, "builtins", "classmethod") ||
        is_exactly(model, value, "builtins", "classmethod_descriptor"))
        return result(OURO_ACCESS_METHOD, value);
    switch (classify(model, value)) {
    case IS_STATIC:
        return found(field(model, value, "__func__"));
    case IS_OTHER:
    case IS_DATA:
        /* cached_property.__get__(None, C) is itself, as a partial's is; what others do only they know. */
        if (ouro_access_is_kind(model, value, "functools", "partial") ||
            is_exactly(model, value, "functools", "cached_property"))
            return found(value);
        return result(OURO_ACCESS_DESCRIPTOR, value);
    default:
        return is_exactly(model, value, "builtins", "property") ||
                       !ouro_access_is_kind(model, value, "builtins", "property")
                   ? found(value)
                   : result(OURO_ACCESS_DESCRIPTOR, value);
    }
}

static struct ouro_access of_descriptor(const struct ouro_heap_model *model, ouro_node value)
{
    switch (classify(model, value)) {
    case IS_NONE:
        return found(value);
    case IS_STATIC:
        return found(field(model, value, "__func__"));
    case IS_METHOD:
        return result(OURO_ACCESS_METHOD, value);
    default:
        return result(OURO_ACCESS_DESCRIPTOR, value);
    }
}

static bool is_foreign(const struct ouro_heap_model *model, ouro_node node)
{
    static const char *const proxies[] = {"ProxyType", "CallableProxyType"};
    for (size_t i = 0; i < 2; i++)
        if (ouro_access_is_kind(model, node, "weakref", proxies[i]) ||
            ouro_access_is_kind(model, node, "builtins", i ? "weakcallableproxy" : "weakproxy"))
            return true;
    return ouro_access_is_kind(model, node, "_thread", "_local");
}

struct ouro_access ouro_access_find(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name,
                                    bool own_lookup)
{
    /* A bound method shows what its function has, a generic alias what its origin has. */
    for (unsigned depth = 0; depth < 4; depth++) {
        ouro_node class = ouro_access_class(model, node), owner = OURO_NODE_NONE;
        if (class == OURO_NODE_NONE)
            return result(OURO_ACCESS_UNTOLD, OURO_NODE_NONE);
        if (own_lookup && ouro_access_overrides(model, node, "__getattribute__"))
            return result(OURO_ACCESS_GETATTRIBUTE, OURO_NODE_NONE);
        if (is_foreign(model, node))
            return result(OURO_ACCESS_FOREIGN, OURO_NODE_NONE);
        ouro_node descriptor = ouro_access_in_mro(model, class, name, &owner);
        enum descriptor kind = descriptor == OURO_NODE_NONE ? IS_NONE : classify(model, descriptor);
        if (ouro_access_is_kind(model, node, "builtins", "super") && (!is_data(kind) || is_name(name, "__class__")))
            return result(OURO_ACCESS_FOREIGN, OURO_NODE_NONE);
        if (descriptor != OURO_NODE_NONE && is_data(kind))
            return read_data(model, node, name, descriptor, kind, owner);
        struct ouro_access own = ouro_access_is_class(model, node) ? of_class(model, node, name)
                                                                   : found(ouro_access_of_instance(model, node, name));
        if (own.kind != OURO_ACCESS_ABSENT)
            return own;
        if (descriptor != OURO_NODE_NONE)
            return of_descriptor(model, descriptor);
        bool is_method = ouro_access_is_kind(model, node, "builtins", "method");
        bool is_alias = ouro_access_is_kind(model, node, "types", "GenericAlias") &&
                        !(name.size > 1 && name.bytes[0] == '_' && name.bytes[1] == '_');
        if (is_method || is_alias) {
            node = field(model, node, is_method ? "__func__" : "__origin__");
            if (node != OURO_NODE_NONE)
                continue;
        }
        bool asks = ouro_access_in_mro(model, class, name_of("__getattr__"), NULL) != OURO_NODE_NONE ||
                    (ouro_access_is_kind(model, node, "builtins", "module") &&
                     ouro_access_of_instance(model, node, name_of("__getattr__")) != OURO_NODE_NONE);
        return result(asks ? OURO_ACCESS_GETATTR : OURO_ACCESS_ABSENT, OURO_NODE_NONE);
    }
    return result(OURO_ACCESS_UNTOLD, OURO_NODE_NONE);
}

struct ouro_access ouro_access_of_slot(const struct ouro_heap_model *model, ouro_node node, ouro_node descriptor)
{
    enum descriptor kind = classify(model, descriptor);
    ouro_node name_node = field(model, descriptor, "__name__"), owner = field(model, descriptor, "__objclass__");
    size_t size = 0;
    if ((kind != IS_MEMBER && kind != IS_GETSET) || name_node >= model->heap.count || !ouro_value_has(model, name_node))
        return result(kind == IS_PROPERTY ? OURO_ACCESS_PROPERTY : OURO_ACCESS_DESCRIPTOR, descriptor);
    const unsigned char *bytes = ouro_value_raw(model, name_node, &size);
    return read_data(model, node, (struct ouro_name){(const char *)bytes, size}, descriptor, kind, owner);
}

/* --- Names, for near misses */

struct names {
    const struct ouro_heap_model *model;
    size_t left;
    void (*visit)(void *context, struct ouro_name name);
    void *context;
};

static void tell(struct names *names, const char *bytes, size_t size)
{
    if (names->left && size) {
        names->left--;
        names->visit(names->context, (struct ouro_name){bytes, size});
    }
}

static void tell_dict(struct names *names, ouro_node dict)
{
    const struct ouro_heap_model *model = names->model;
    struct ouro_part_walk walk;
    if (dict >= model->heap.count)
        return;
    ouro_part_walk_begin(&walk, model, dict);
    while (names->left && ouro_part_walk_next(&walk)) {
        size_t size;
        const char *label = walk.part->kind == OURO_PART_FIELD && model->heap.slots[walk.first] != OURO_NODE_NONE
                                ? ouro_snapshot_string(model->snapshot, walk.part->name, &size)
                                : NULL;
        if (label && *label == '.')
            tell(names, label + 1, size - 1);
        for (uint64_t i = 0; walk.width == 2 && names->left && i < walk.item_count; i++) {
            ouro_node key = model->heap.slots[walk.first + 2 * i + 1];
            if (key >= model->heap.count || !ouro_value_has(model, key) ||
                model->types[ouro_heap_model_type(model, key)].value_kind != OURO_VALUE_STR)
                continue;
            const char *bytes = (const char *)ouro_value_raw(model, key, &size);
            tell(names, bytes, size);
        }
    }
}

void ouro_access_each_name(const struct ouro_heap_model *model, ouro_node node, size_t most,
                           void (*visit)(void *context, struct ouro_name name), void *context)
{
    struct names names = {model, most, visit, context};
    ouro_node class = ouro_access_class(model, node);
    bool is_class = ouro_access_is_class(model, node);
    if (!is_class) {
        tell_dict(&names, node); /* its own fields that have a name */
        tell_dict(&names, field(model, node, "__dict__"));
    }
    for (unsigned round = 0; round < 2; round++) {
        ouro_node of = round ? class : is_class ? node : OURO_NODE_NONE;
        struct mro mro;
        ouro_node at;
        mro_begin(&mro, model, of);
        while (of != OURO_NODE_NONE && mro_next(&mro, &at))
            tell_dict(&names, field(model, at, "__dict__"));
    }
}
