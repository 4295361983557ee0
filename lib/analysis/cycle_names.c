#include "analysis/cycle_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "base/large.h"

#define DEPTH_MAX  6                   /* containers below containers */
#define NAME_MAX_  512u                /* bytes of a name: it is read once for each object and each reference */
#define RECORD_MAX 16u                 /* a dict with at most so many entries is a record: its keys are names */
enum { CONTAINER = 1, GENERATOR = 2 }; /* in names->containers */

#define CONFLICTING (OURO_NAME_NONE - 1)

static uint64_t hash_of(const unsigned char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash == UINT64_MAX ? 0 : hash;
}

/* The number of a text; OURO_NAME_NONE: out of memory. */
static uint32_t intern(struct ouro_cycle_names *names, const void *bytes, size_t size)
{
    for (uint64_t key = hash_of(bytes, size);; key = key + 1 == UINT64_MAX ? 0 : key + 1) {
        bool added;
        uint64_t *label = ouro_map_put(&names->label_of, key, &added);
        if (!label)
            return OURO_NAME_NONE;
        if (!added) {
            const struct ouro_cycle_label *there = &names->labels.items[*label];
            if (there->size == size && (!size || !memcmp(names->texts.data + there->begin, bytes, size)))
                return (uint32_t)*label;
            continue;
        }
        *label = names->labels.count; /* before anything fails: the entry must not point astray */
        struct ouro_cycle_label *fresh = OURO_VEC_ADD(&names->labels);
        if (!fresh)
            return OURO_NAME_NONE;
        fresh->begin = names->texts.size;
        ouro_buf_add(&names->texts, bytes, size);
        fresh->size = names->texts.failed ? 0 : size;
        return names->texts.failed ? OURO_NAME_NONE : (uint32_t)*label;
    }
}

static uint32_t intern_text(struct ouro_cycle_names *names, const char *text)
{
    return intern(names, text, strlen(text));
}

/* How much of a name is used: whole characters. */
static size_t cut_size(const void *bytes, size_t size)
{
    const unsigned char *text = bytes;
    if (size <= NAME_MAX_)
        return size;
    for (size = NAME_MAX_; size > NAME_MAX_ - 4 && (text[size] & 0xc0) == 0x80; size--)
        ;
    return size;
}

static const char *part_name(const struct ouro_heap_model *model, const struct ouro_part *part, size_t *size)
{
    const char *text = ouro_snapshot_string(model->snapshot, part->name, size);
    if (!text)
        *size = 0;
    return text ? text : "";
}

static bool is_field(const struct ouro_heap_model *model, const struct ouro_slot *slot, const char *name)
{
    size_t size;
    return slot->part->kind == OURO_PART_FIELD && !strcmp(part_name(model, slot->part, &size), name);
}

/* The bytes of a name value: "outer.<locals>.f (file:line)". */
static const unsigned char *name_value(const struct ouro_heap_model *model, ouro_node node, size_t *size)
{
    *size = 0;
    if (node == OURO_NODE_NONE || !ouro_value_has(model, node) ||
        model->types[ouro_heap_model_type(model, node)].value_kind != OURO_VALUE_NAME)
        return NULL;
    const unsigned char *bytes = ouro_value_raw(model, node, size);
    return *size ? bytes : NULL;
}

/* A generator's own: up to 3.10 its code has the bare name only. NULL: it has none, or none of use. */
static const unsigned char *qualified_name(const struct ouro_heap_model *model, ouro_node node, size_t *size)
{
    ouro_node text = ouro_heap_model_field(model, node, "__qualname__");
    uint32_t type = text == OURO_NODE_NONE ? OURO_TYPE_NONE : ouro_heap_model_type(model, text);
    if (type >= model->type_count || model->types[type].value_kind != OURO_VALUE_STR || !ouro_value_has(model, text))
        return NULL;
    const unsigned char *bytes = ouro_value_raw(model, text, size);
    *size = cut_size(bytes, *size);
    return *size ? bytes : NULL;
}

/* Without the " (file:line)" behind it. */
static size_t bare_size(const unsigned char *bytes, size_t size)
{
    for (size_t i = size; i > 2; i--)
        if (bytes[i - 1] == '(' && bytes[i - 2] == ' ')
            return bytes[size - 1] == ')' ? i - 2 : size;
    return size;
}

static bool is_builtin(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name)
{
    return !strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
           !strcmp(ouro_heap_model_type_module(model, type, NULL), module);
}

/* Objects that are called by something they refer to. */
static const struct {
    const char *module, *type, *field, *open, *close;
} called_by[] = {
    {"builtins",  "generator",          "gi_code",     "<generator ",       ">"}, /* up to 3.11; then it is its frame's */
    {"builtins",  "generator",          "f_code",      "<generator ",       ">"},
    {"builtins",  "coroutine",          "gi_code",     "<coroutine ",       ">"},
    {"builtins",  "coroutine",          "f_code",      "<coroutine ",       ">"},
    {"builtins",  "async_generator",    "gi_code",     "<async_generator ", ">"},
    {"builtins",  "async_generator",    "f_code",      "<async_generator ", ">"},
    {"builtins",  "frame",              "f_code",      "<frame ",           ">"},
    {"builtins",  "method",             "__func__",    "",                  "" },
    {"functools", "_lru_cache_wrapper", "__wrapped__", "lru_cache(",        ")"},
};

/* The name's text into scratch; what tells it from others of the same text behind it, from *shown on. */
static void describe(struct ouro_cycle_names *names, ouro_node node, size_t *shown)
{
    const struct ouro_heap_model *model = names->cyclic->model;
    uint32_t type = ouro_heap_model_type(model, node);
    struct ouro_buf *out = &names->scratch;
    size_t size, type_size;
    const unsigned char *value = name_value(model, node, &size);
    const char *open = "", *close = "";
    out->size = 0;
    if (value && names->cyclic->kinds[node] & OURO_KIND_CLASS) {
        open = "<class ", close = ">";
    } else if (value && names->cyclic->kinds[node] & OURO_KIND_MODULE) {
        open = "<module ", close = ">";
    } else if (!value) {
        for (size_t i = 0; !value && i < sizeof called_by / sizeof *called_by; i++)
            if (is_builtin(model, type, called_by[i].module, called_by[i].type)) {
                value = name_value(model, ouro_heap_model_field(model, node, called_by[i].field), &size);
                open = called_by[i].open, close = called_by[i].close;
            }
    }
    const char *name = ouro_heap_model_type_name(model, type, &type_size);
    if (value) {
        size_t text_size = 0;
        bool generator = type < model->type_count && names->containers[type] == GENERATOR;
        const unsigned char *text = generator ? qualified_name(model, node, &text_size) : NULL;
        ouro_buf_add_text(out, open);
        ouro_buf_add(out, text ? text : value,
                     text ? text_size : bare_size(value, cut_size(value, size)));
        ouro_buf_add_text(out, close);
    } else {
        ouro_buf_add(out, name, cut_size(name, type_size));
    }
    *shown = out->size;
    ouro_buf_add_byte(out, 0);
    if (value && size > 2 * NAME_MAX_) { /* where it is from stands at the end */
        ouro_buf_add(out, value, NAME_MAX_);
        ouro_buf_add(out, value + size - NAME_MAX_, NAME_MAX_);
        ouro_buf_addf(out, "%zu", size);
    } else {
        ouro_buf_add(out, value, value ? size : 0);
    }
    ouro_buf_add_byte(out, 0);
    if (type < model->type_count) /* in the file's strings, equal ones are one */
        ouro_buf_addf(out, "%" PRIu32 " %" PRIu32, model->types[type].name, model->types[type].module);
}

static uint32_t own_name(struct ouro_cycle_names *names, ouro_node node, bool container)
{
    size_t shown = 0;
    bool added;
    describe(names, node, &shown);
    if (names->scratch.failed)
        return OURO_NAME_NONE;
    uint32_t identity = intern(names, names->scratch.data, names->scratch.size);
    uint32_t text = intern(names, names->scratch.data, shown);
    uint64_t *name =
        identity == OURO_NAME_NONE || text == OURO_NAME_NONE ? NULL : ouro_map_put(&names->own, identity, &added);
    if (!name)
        return OURO_NAME_NONE;
    if (!added)
        return (uint32_t)*name;
    *name = OURO_NAME_NONE;
    struct ouro_cycle_name *fresh = OURO_VEC_ADD(&names->names);
    if (!fresh)
        return OURO_NAME_NONE;
    *fresh = (struct ouro_cycle_name){.holder = OURO_NAME_NONE,
                                      .label = text,
                                      .type = ouro_heap_model_type(names->cyclic->model, node),
                                      .example = node,
                                      .container = container};
    *name = names->names.count - 1;
    return (uint32_t)*name;
}

/* --- Labels */

static bool is_identifier(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = bytes[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && c != '_' && c < 0x80 && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return size > 0 && size <= OURO_LABEL_KEY_BYTES;
}

/* .key or, of a record, ['key']; [*] where the key is no name. */
static uint32_t key_label(struct ouro_cycle_names *names, ouro_node key, bool attribute)
{
    const struct ouro_heap_model *model = names->cyclic->model;
    if (key == OURO_NODE_NONE || !ouro_value_has(model, key))
        return names->item_label;
    bool added;
    uint64_t *known = ouro_map_put(&names->value_label, (uint64_t)key << 1 | attribute, &added);
    if (!known)
        return OURO_NAME_NONE;
    if (!added)
        return (uint32_t)*known;
    size_t size;
    const unsigned char *bytes = ouro_value_raw(model, key, &size);
    *known = names->item_label;
    if (model->types[ouro_heap_model_type(model, key)].value_kind == OURO_VALUE_STR && is_identifier(bytes, size) &&
        !(model->heap.flags[key] & OURO_OBJECT_VALUE_CUT)) {
        names->scratch.size = 0;
        ouro_buf_add_text(&names->scratch, attribute ? "." : "['");
        ouro_buf_add(&names->scratch, bytes, size);
        ouro_buf_add_text(&names->scratch, attribute ? "" : "']");
        *known = names->scratch.failed ? OURO_NAME_NONE : intern(names, names->scratch.data, names->scratch.size);
    }
    return (uint32_t)*known;
}

static uint32_t field_label(struct ouro_cycle_names *names, const struct ouro_slot *slot, const char *behind)
{
    size_t size;
    const char *text = part_name(names->cyclic->model, slot->part, &size);
    names->scratch.size = 0;
    if (!size || !strchr(".[<", text[0]))
        ouro_buf_add_byte(&names->scratch, '.');
    ouro_buf_add(&names->scratch, text, cut_size(text, size));
    ouro_buf_add_text(&names->scratch, cut_size(text, size) < size ? "..." : "");
    ouro_buf_add_text(&names->scratch, behind);
    return names->scratch.failed ? OURO_NAME_NONE : intern(names, names->scratch.data, names->scratch.size);
}

/* What the source calls the cell that a slot of a function's closure refers to. */
static uint32_t free_variable_label(struct ouro_cycle_names *names, ouro_node function, const struct ouro_slot *slot)
{
    const struct ouro_heap_model *model = names->cyclic->model;
    uint64_t index = slot->part->kind == OURO_PART_ITEMS ? slot->item : slot->item_count - 1 - slot->item;
    ouro_node name = ouro_cyclic_free_variable(model, function, index, slot->item_count);
    size_t size;
    if (name == OURO_NODE_NONE || !ouro_value_has(model, name))
        return names->item_label;
    const unsigned char *bytes = ouro_value_raw(model, name, &size);
    if (!is_identifier(bytes, size))
        return names->item_label;
    names->scratch.size = 0;
    ouro_buf_add_byte(&names->scratch, '[');
    ouro_buf_add(&names->scratch, bytes, size);
    ouro_buf_add_byte(&names->scratch, ']');
    return names->scratch.failed ? OURO_NAME_NONE : intern(names, names->scratch.data, names->scratch.size);
}

static bool is_closure(const struct ouro_cycle_names *names, const struct ouro_cycle_name *name)
{
    static const char text[] = ".__closure__";
    const struct ouro_cycle_label *label = &names->labels.items[name->label];
    return name->holder != OURO_NAME_NONE && label->size == sizeof text - 1 &&
           !memcmp(names->texts.data + label->begin, text, sizeof text - 1);
}

static uint32_t label_of(struct ouro_cycle_names *names, const struct ouro_cycle_name *name,
                         const struct ouro_slot *slot)
{
    const struct ouro_heap_model *model = names->cyclic->model;
    switch (slot->part->kind) {
    case OURO_PART_FIELD:
        if (name->holder != OURO_NAME_NONE && is_field(model, slot, "cell_contents"))
            return names->empty_label;
        if (is_field(model, slot, "gi_frame"))
            return names->empty_label;
        if (is_field(model, slot, "__dict__") && slot->target != OURO_NODE_NONE &&
            is_builtin(model, ouro_heap_model_type(model, slot->target), "builtins", "dict"))
            return names->empty_label;
        return field_label(names, slot, "");
    case OURO_PART_TYPE:
        return intern_text(names, ".__class__");
    case OURO_PART_ITEMS:
    case OURO_PART_ITEMS_DOWN:
        return is_closure(names, name) ? free_variable_label(names, name->example, slot) : names->item_label;
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
        if (slot->place == 1)
            return names->key_label;
        return name->container && slot->item_count <= RECORD_MAX ? key_label(names, slot->key, false)
                                                                 : names->item_label;
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
        return slot->place == 1 ? names->key_label : key_label(names, slot->key, true);
    case OURO_PART_KEYS:
        return names->key_label;
    case OURO_PART_ELEMENTS:
        return names->element_label;
    case OURO_PART_STACK:
        return intern_text(names, ".<stack>");
    case OURO_PART_LINKS:
        return slot->place == 0   ? names->key_label
               : slot->place == 1 ? intern_text(names, "<result>")
                                  : intern_text(names, "<type of link>");
    default: /* FOUND, NAMED */
        return field_label(names, slot, "[*]");
    }
}

uint32_t ouro_cycle_names_reached(struct ouro_cycle_names *names, uint32_t from, const struct ouro_slot *slot)
{
    uint32_t holder = names->name_of[from];
    uint32_t label = label_of(names, &names->names.items[holder], slot);
    if (label == OURO_NAME_NONE || label == names->empty_label)
        return label == OURO_NAME_NONE ? OURO_NAME_NONE : holder;
    bool added;
    uint64_t *name = ouro_map_put(&names->reached, (uint64_t)holder << 32 | label, &added);
    if (!name)
        return OURO_NAME_NONE;
    if (!added)
        return (uint32_t)*name;
    *name = OURO_NAME_NONE;
    struct ouro_cycle_name *fresh = OURO_VEC_ADD(&names->names);
    if (!fresh)
        return OURO_NAME_NONE;
    *fresh = (struct ouro_cycle_name){.holder = holder,
                                      .label = label,
                                      .type = OURO_TYPE_NONE,
                                      .example = names->cyclic->members[from].node,
                                      .depth = (uint8_t)(names->names.items[holder].depth + 1)};
    *name = names->names.count - 1;
    return (uint32_t)*name;
}

/* --- Naming a component */

static bool is_container(const struct ouro_cycle_names *names, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(names->cyclic->model, node);
    return type < names->cyclic->model->type_count && names->containers[type] == CONTAINER;
}

bool ouro_cycle_names_is_owner(const struct ouro_cycle_names *names, uint32_t member)
{
    const struct ouro_cycle_name *name = &names->names.items[names->name_of[member]];
    ouro_node node = names->cyclic->members[member].node;
    if (name->holder != OURO_NAME_NONE)
        return false;
    if (name->container)
        return true;
    uint32_t type = ouro_heap_model_type(names->cyclic->model, node);
    bool frame = is_builtin(names->cyclic->model, type, "builtins", "frame");
    return !is_container(names, node) && (!frame || name->type == type);
}

/* What the members in list[0 .. count) propose for those they hold; the proposed ones are added to `list` behind
 * them. */
static enum ouro_status propose(struct ouro_cycle_names *names, enum ouro_layer layer, const uint32_t *from,
                                size_t count, uint32_t *proposed, size_t *proposed_count)
{
    const struct ouro_cyclic *cyclic = names->cyclic;
    for (size_t i = 0; i < count; i++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        if (names->names.items[names->name_of[from[i]]].depth >= DEPTH_MAX)
            continue;
        ouro_slot_walk_begin(&walk, cyclic->model, cyclic->members[from[i]].node);
        while (ouro_slot_walk_next(&walk, &slot)) {
            uint32_t to = slot.edge_class == OURO_EDGE_WEAK ? UINT32_MAX
                                                            : ouro_cyclic_target(cyclic, layer, from[i], slot.target);
            if (to == UINT32_MAX || names->name_of[to] != OURO_NAME_NONE)
                continue;
            uint32_t name = ouro_cycle_names_reached(names, from[i], &slot);
            if (name == OURO_NAME_NONE)
                return OURO_NOMEM;
            if (names->proposal[to] == OURO_NAME_NONE)
                proposed[(*proposed_count)++] = to;
            else if (names->proposal[to] != name)
                name = CONFLICTING;
            names->proposal[to] = name;
        }
    }
    return OURO_OK;
}

/* From those with a name of their own, round by round, to the containers below. `list` has room for all members. */
static enum ouro_status name_containers(struct ouro_cycle_names *names, enum ouro_layer layer, uint32_t *list,
                                        size_t named)
{
    for (size_t begin = 0, end = named; begin < end;) {
        size_t fresh = 0;
        OURO_TRY(propose(names, layer, list + begin, end - begin, list + end, &fresh));
        for (size_t i = end; i < end + fresh; i++) {
            uint32_t name = names->proposal[list[i]];
            if (name == CONFLICTING)
                name = own_name(names, names->cyclic->members[list[i]].node, true);
            if (name == OURO_NAME_NONE)
                return OURO_NOMEM;
            names->name_of[list[i]] = name;
        }
        begin = end;
        end += fresh;
    }
    return OURO_OK;
}

/* Up to 3.10 a generator's locals are in a frame object of its own: that goes by the generator's name. */
static enum ouro_status name_frame(struct ouro_cycle_names *names, enum ouro_layer layer, uint32_t generator)
{
    const struct ouro_cyclic *cyclic = names->cyclic;
    ouro_node node = cyclic->members[generator].node;
    uint32_t type = ouro_heap_model_type(cyclic->model, node);
    if (type >= cyclic->model->type_count || names->containers[type] != GENERATOR)
        return OURO_OK;
    ouro_node frame = ouro_heap_model_field(cyclic->model, node, "gi_frame");
    uint32_t member = ouro_cyclic_target(cyclic, layer, generator, frame);
    if (member == UINT32_MAX || names->name_of[member] != OURO_NAME_NONE)
        return OURO_OK;
    names->name_of[member] = own_name(names, node, false);
    return names->name_of[member] == OURO_NAME_NONE ? OURO_NOMEM : OURO_OK;
}

enum ouro_status ouro_cycle_names_component(struct ouro_cycle_names *names, enum ouro_layer layer, uint32_t component)
{
    const struct ouro_cyclic *cyclic = names->cyclic;
    const struct ouro_cyclic_layer *lists = &cyclic->layers[layer];
    const uint32_t *members = lists->members + lists->begin[component];
    size_t count = lists->begin[component + 1] - lists->begin[component], named = 0;
    OURO_FREE uint32_t *list = malloc(count * sizeof *list + 1);
    if (!list)
        return OURO_NOMEM;
    for (size_t i = 0; i < count; i++)
        OURO_TRY(name_frame(names, layer, members[i]));
    for (size_t i = 0; i < count; i++) {
        uint32_t *name = &names->name_of[members[i]];
        ouro_node node = cyclic->members[members[i]].node;
        if (*name == OURO_NAME_NONE && !is_container(names, node) &&
            (*name = own_name(names, node, false)) == OURO_NAME_NONE)
            return OURO_NOMEM;
        if (*name != OURO_NAME_NONE)
            list[named++] = members[i];
    }
    OURO_TRY(name_containers(names, layer, list, named));
    for (size_t i = 0; i < count; i++) {
        uint32_t *name = &names->name_of[members[i]];
        if (*name == OURO_NAME_NONE)
            *name = own_name(names, cyclic->members[members[i]].node, true);
        if (*name == OURO_NAME_NONE)
            return OURO_NOMEM;
    }
    return OURO_OK;
}

/* --- The whole */

static enum ouro_status prepare(struct ouro_cycle_names *names)
{
    static const struct {
        const char *module, *name;
    } containers[] = {
        {"builtins",    "dict"        },
        {"builtins",    "list"        },
        {"builtins",    "tuple"       },
        {"builtins",    "set"         },
        {"builtins",    "frozenset"   },
        {"builtins",    "cell"        },
        {"builtins",    "mappingproxy"},
        {"collections", "deque"       },
        {"collections", "OrderedDict" },
        {"collections", "defaultdict" }
    };
    const struct ouro_heap_model *model = names->cyclic->model;
    size_t bytes = (size_t)names->cyclic->member_count * sizeof *names->name_of;
    names->name_of = ouro_large_new((size_t)names->cyclic->member_count + 1, sizeof *names->name_of);
    names->proposal = ouro_large_new((size_t)names->cyclic->member_count + 1, sizeof *names->proposal);
    names->containers = calloc((size_t)model->type_count + 1, 1);
    if (!names->name_of || !names->proposal || !names->containers)
        return OURO_NOMEM;
    memset(names->name_of, 0xff, bytes);
    memset(names->proposal, 0xff, bytes);
    for (uint32_t i = 0; i < model->type_count; i++)
        for (size_t j = 0; j < sizeof containers / sizeof *containers; j++)
            if (is_builtin(model, i, containers[j].module, containers[j].name))
                names->containers[i] = CONTAINER;
    for (uint32_t i = 0; i < model->type_count; i++)
        if (is_builtin(model, i, "builtins", "generator") || is_builtin(model, i, "builtins", "coroutine") ||
            is_builtin(model, i, "builtins", "async_generator"))
            names->containers[i] = GENERATOR;
    names->empty_label = intern_text(names, "");
    names->item_label = intern_text(names, "[*]");
    names->element_label = intern_text(names, "<element>");
    names->key_label = intern_text(names, "<key>");
    return names->empty_label == OURO_NAME_NONE || names->item_label == OURO_NAME_NONE ||
                   names->element_label == OURO_NAME_NONE || names->key_label == OURO_NAME_NONE
               ? OURO_NOMEM
               : OURO_OK;
}

enum ouro_status ouro_cycle_names_init(struct ouro_cycle_names *names, const struct ouro_cyclic *cyclic,
                                       struct ouro_heap_model *model, struct ouro_err *err)
{
    memset(names, 0, sizeof *names);
    names->cyclic = cyclic;
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_SLOTS | OURO_HEAP_VALUES | OURO_HEAP_FLAGS | OURO_HEAP_ADDR, err));
    enum ouro_status status = prepare(names);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_cycle_names_fini(names);
    return ouro_err_set(err, status, "out of memory for the names of what is on cycles");
}

void ouro_cycle_names_fini(struct ouro_cycle_names *names)
{
    free(names->names.items);
    free(names->labels.items);
    ouro_buf_fini(&names->texts);
    ouro_buf_fini(&names->scratch);
    ouro_map_fini(&names->label_of);
    ouro_map_fini(&names->own);
    ouro_map_fini(&names->reached);
    ouro_map_fini(&names->value_label);
    free(names->name_of);
    free(names->proposal);
    free(names->containers);
    memset(names, 0, sizeof *names);
}

uint32_t ouro_cycle_names_owner(const struct ouro_cycle_names *names, uint32_t name)
{
    while (names->names.items[name].holder != OURO_NAME_NONE)
        name = names->names.items[name].holder;
    return name;
}

/* Labels of a name, the last first. */
struct steps {
    uint32_t labels[DEPTH_MAX + 3];
    size_t count;
};

static struct steps steps_of(const struct ouro_cycle_names *names, uint32_t name, bool with_owner)
{
    struct steps steps = {.count = 0};
    for (; name != OURO_NAME_NONE && steps.count < sizeof steps.labels / sizeof *steps.labels;
         name = names->names.items[name].holder)
        if (with_owner || names->names.items[name].holder != OURO_NAME_NONE)
            steps.labels[steps.count++] = names->names.items[name].label;
    return steps;
}

/* The next byte of the text, -1 behind the last; *at is a place in the label at hand. */
static int next_byte(const struct ouro_cycle_names *names, struct steps *steps, size_t *at)
{
    for (; steps->count; steps->count--, *at = 0) {
        const struct ouro_cycle_label *label = &names->labels.items[steps->labels[steps->count - 1]];
        if (*at < label->size)
            return names->texts.data[label->begin + (*at)++];
    }
    return -1;
}

static void add_steps(const struct ouro_cycle_names *names, uint32_t name, bool with_owner, struct ouro_buf *out)
{
    struct steps steps = steps_of(names, name, with_owner);
    while (steps.count) {
        const struct ouro_cycle_label *label = &names->labels.items[steps.labels[--steps.count]];
        ouro_buf_add(out, names->texts.data + label->begin, label->size);
    }
}

int ouro_cycle_names_compare(const struct ouro_cycle_names *names, uint32_t a, uint32_t b)
{
    struct steps left = steps_of(names, a, true), right = steps_of(names, b, true);
    size_t left_at = 0, right_at = 0;
    for (;;) {
        int l = next_byte(names, &left, &left_at), r = next_byte(names, &right, &right_at);
        if (l != r || l < 0)
            return (l > r) - (l < r);
    }
}

void ouro_cycle_names_add(const struct ouro_cycle_names *names, uint32_t name, struct ouro_buf *out)
{
    add_steps(names, name, true, out);
}

void ouro_cycle_names_add_path(const struct ouro_cycle_names *names, uint32_t name, struct ouro_buf *out)
{
    add_steps(names, name, false, out);
}

void ouro_cycle_names_add_class(const struct ouro_cycle_names *names, ouro_node class, struct ouro_buf *out)
{
    size_t size, begin = 0;
    const unsigned char *bytes = name_value(names->cyclic->model, class, &size);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '.')
            begin = i + 1;
    ouro_buf_add(out, bytes ? bytes + begin : (const unsigned char *)"?", bytes ? size - begin : 1);
}

bool ouro_cycle_names_is_structure(const struct ouro_cycle_names *names, uint32_t name)
{
    static const char *const own[] = {".__mro__[*]", ".__objclass__", ".__closure__[__class__]", ".cell_contents"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        struct steps steps = steps_of(names, name, false);
        const char *text = own[i];
        size_t at = 0;
        int byte;
        while ((byte = next_byte(names, &steps, &at)) >= 0 && *text && byte == *text)
            text++;
        if (byte < 0 && !*text)
            return true;
    }
    return false;
}
