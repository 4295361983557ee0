#include "analysis/brief.h"

#include <string.h>

#include "analysis/lookup.h"
#include "analysis/value.h"

struct writer {
    struct ouro_buf *out;
    const struct ouro_heap_model *model;
    struct ouro_brief_limits limits;
    size_t begin;                             /* of `out` */
    ouro_node open[OURO_BRIEF_DEPTH_MAX + 1]; /* the containers around */
    unsigned depth;
};

enum container { CONTAINER_NONE, CONTAINER_LIST, CONTAINER_TUPLE, CONTAINER_SET, CONTAINER_DICT };

static void add(struct writer *writer, ouro_node node);

static void add_type(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type)
{
    size_t size;
    const char *module = ouro_heap_model_type_module(model, type, &size);
    if (size && strcmp(module, "builtins")) {
        ouro_buf_add(out, module, size);
        ouro_buf_add_byte(out, '.');
    }
    const char *name = ouro_heap_model_type_name(model, type, &size);
    ouro_buf_add(out, name, size);
}

void ouro_brief_add_plain(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, const char *word)
{
    ouro_buf_addf(out, "<%s", word);
    add_type(out, model, ouro_heap_model_type(model, node));
    ouro_buf_addf(out, " 0x%llx>", (unsigned long long)model->heap.addr[node]);
}

static bool is_builtin(const struct ouro_heap_model *model, uint32_t type, const char *name)
{
    return ouro_lookup_is_type(model, type, "builtins", name);
}

/* Of the type or of one that it is derived from. */
static enum container find_container(const struct ouro_heap_model *model, uint32_t type, bool *exact)
{
    static const struct {
        const char *module, *name;
        enum container container;
    } known[] = {
        {"builtins", "list", CONTAINER_LIST},     {"builtins", "tuple", CONTAINER_TUPLE},
        {"builtins", "dict", CONTAINER_DICT},     {"builtins", "set", CONTAINER_SET},
        {"builtins", "frozenset", CONTAINER_SET}, {"collections", "deque", CONTAINER_LIST},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        *exact = i < 4 && ouro_lookup_is_type(model, type, known[i].module, known[i].name);
        if (*exact || ouro_lookup_derives(model, type, known[i].module, known[i].name))
            return known[i].container;
    }
    return CONTAINER_NONE;
}

/* The key of a dict that shares its keys with others: a field named ".key". */
static const char *shared_key(const struct ouro_heap_model *model, const struct ouro_part *part, size_t *size)
{
    const char *name = ouro_snapshot_string(model->snapshot, part->name, size);
    if (!name || !*size || *name != '.')
        return NULL;
    --*size;
    return name + 1;
}

static bool is_item(const struct ouro_heap_model *model, const struct ouro_part *part, enum container container)
{
    size_t size;
    switch (part->kind) {
    case OURO_PART_FIELD:
        return container == CONTAINER_DICT && shared_key(model, part, &size);
    case OURO_PART_ITEMS:
    case OURO_PART_ITEMS_DOWN:
        return container == CONTAINER_LIST || container == CONTAINER_TUPLE;
    case OURO_PART_ELEMENTS:
        return container == CONTAINER_SET;
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
        return container == CONTAINER_DICT;
    default:
        return false;
    }
}

/* False when there is no room for more. */
static bool add_items(struct writer *writer, const struct ouro_part_walk *walk, uint64_t *added)
{
    const ouro_node *slots = writer->model->heap.slots + walk->first;
    bool is_shared = walk->part->kind == OURO_PART_FIELD;
    if (is_shared && slots[0] == OURO_NODE_NONE)
        return true; /* a key that others have */
    for (uint64_t i = 0; i < walk->item_count; i++) {
        uint64_t at = walk->part->kind == OURO_PART_ITEMS_DOWN ? walk->item_count - 1 - i : i;
        if ((*added)++)
            ouro_buf_add_text(writer->out, ", ");
        if (*added > writer->limits.items || writer->out->size - writer->begin > writer->limits.bytes) {
            ouro_buf_add_text(writer->out, "...");
            return false;
        }
        if (is_shared) {
            size_t size;
            const char *key = shared_key(writer->model, walk->part, &size);
            ouro_value_str(writer->out, (const unsigned char *)key, size, writer->limits.text_bytes, false);
        } else if (walk->width == 2) {
            add(writer, slots[2 * at + 1]);
        }
        if (is_shared || walk->width == 2)
            ouro_buf_add_text(writer->out, ": ");
        add(writer, slots[walk->width * at]);
    }
    return true;
}

static void add_container(struct writer *writer, ouro_node node, enum container container, bool exact)
{
    static const char *const brackets[][2] = {
        [CONTAINER_LIST] = {"[", "]"}, [CONTAINER_TUPLE] = {"(", ")"},
        [CONTAINER_SET] = {"{", "}"},  [CONTAINER_DICT] = {"{", "}"},
    };
    struct ouro_part_walk walk;
    uint64_t added = 0;
    bool known = false; /* an approximate object has parts that tell nothing of items */
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(writer->model, node);
    for (uint32_t i = 0; i < shape->part_count; i++)
        known |= is_item(writer->model, &shape->parts[i], container);
    if (!known && (!exact || shape->part_count)) {
        ouro_brief_add_plain(writer->out, writer->model, node, "");
        return;
    }
    bool wrapped = !exact;
    if (wrapped) {
        add_type(writer->out, writer->model, shape->type);
        if (container != CONTAINER_TUPLE)
            ouro_buf_add_byte(writer->out, '(');
    }
    size_t begin = writer->out->size;
    ouro_buf_add_text(writer->out, brackets[container][0]);
    ouro_part_walk_begin(&walk, writer->model, node);
    while (ouro_part_walk_next(&walk))
        if (is_item(walk.model, walk.part, container) && !add_items(writer, &walk, &added))
            break;
    if (container == CONTAINER_SET && !added && exact) {
        writer->out->size = begin < writer->out->size ? begin : writer->out->size;
        ouro_buf_add_text(writer->out, "set()");
        return;
    }
    ouro_buf_add_text(writer->out, container == CONTAINER_TUPLE && exact && added == 1 ? ",)" : brackets[container][1]);
    if (wrapped && container != CONTAINER_TUPLE)
        ouro_buf_add_byte(writer->out, ')');
}

/* "name" of "name (file:line)": functions and code objects carry where they are defined. */
static void add_name(struct writer *writer, ouro_node node)
{
    size_t size;
    const unsigned char *bytes = ouro_value_raw(writer->model, node, &size);
    for (size_t i = size; i-- > 1;)
        if (bytes[i] == '(' && bytes[i - 1] == ' ') {
            size = i - 1;
            break;
        }
    ouro_buf_add(writer->out, bytes, size);
}

/* Things that are known by their names. */
static bool add_named(struct writer *writer, ouro_node node, uint32_t type)
{
    static const char *const names[] = {"function", "module", "code", "builtin_function_or_method", "method_descriptor",
                                        "wrapper_descriptor"};
    if (type >= writer->model->type_count || writer->model->types[type].value_kind != OURO_VALUE_NAME ||
        !ouro_value_has(writer->model, node) || writer->model->heap.flags[node] & OURO_OBJECT_PSEUDO)
        return false;
    const char *word = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_builtin(writer->model, type, names[i]))
            word = i < 3 ? names[i] : "built-in";
    if (!word)
        word = "class";
    ouro_buf_addf(writer->out, "<%s ", word);
    add_name(writer, node);
    ouro_node self = strcmp(word, "built-in") ? OURO_NODE_NONE : ouro_heap_model_field(writer->model, node, "__self__");
    if (self != OURO_NODE_NONE && !is_builtin(writer->model, ouro_heap_model_type(writer->model, self), "module")) {
        ouro_buf_add_text(writer->out, " of ");
        add(writer, self);
    }
    ouro_buf_add_byte(writer->out, '>');
    return true;
}

static bool add_method(struct writer *writer, ouro_node node, uint32_t type)
{
    if (!is_builtin(writer->model, type, "method"))
        return false;
    ouro_node function = ouro_heap_model_field(writer->model, node, "__func__");
    ouro_node self = ouro_heap_model_field(writer->model, node, "__self__");
    if (function == OURO_NODE_NONE || self == OURO_NODE_NONE)
        return false;
    ouro_buf_add_text(writer->out, "<bound method ");
    if (ouro_value_has(writer->model, function))
        add_name(writer, function);
    else
        ouro_brief_add_plain(writer->out, writer->model, function, "");
    ouro_buf_add_text(writer->out, " of ");
    ouro_brief_add_plain(writer->out, writer->model, self, "");
    ouro_buf_add_byte(writer->out, '>');
    return true;
}

/* A cell is shown by what it holds. */
static bool add_cell(struct writer *writer, ouro_node node, uint32_t type)
{
    if (!is_builtin(writer->model, type, "cell"))
        return false;
    ouro_node content = ouro_heap_model_field(writer->model, node, "cell_contents");
    ouro_buf_add_text(writer->out, content == OURO_NODE_NONE ? "<empty cell>" : "<cell: ");
    if (content != OURO_NODE_NONE) {
        add(writer, content);
        ouro_buf_add_byte(writer->out, '>');
    }
    return true;
}

/* By the arguments that it was made with. */
static bool add_exception(struct writer *writer, ouro_node node, uint32_t type)
{
    ouro_node args = ouro_heap_model_field(writer->model, node, "args");
    bool exact;
    if (args >= writer->model->heap.count || !ouro_lookup_derives(writer->model, type, "builtins", "BaseException") ||
        find_container(writer->model, ouro_heap_model_type(writer->model, args), &exact) != CONTAINER_TUPLE)
        return false;
    struct ouro_part_walk walk;
    uint64_t added = 0;
    add_type(writer->out, writer->model, type);
    ouro_buf_add_byte(writer->out, '(');
    ouro_part_walk_begin(&walk, writer->model, args);
    while (ouro_part_walk_next(&walk))
        if (is_item(walk.model, walk.part, CONTAINER_TUPLE) && !add_items(writer, &walk, &added))
            break;
    ouro_buf_add_byte(writer->out, ')');
    return true;
}

/* Generators and coroutines have names of their own. */
static bool add_generator(struct writer *writer, ouro_node node, uint32_t type)
{
    if (!is_builtin(writer->model, type, "generator") && !is_builtin(writer->model, type, "coroutine") &&
        !is_builtin(writer->model, type, "async_generator"))
        return false;
    ouro_node name = ouro_heap_model_field(writer->model, node, "__qualname__");
    size_t size;
    if (name >= writer->model->heap.count || !ouro_value_has(writer->model, name) ||
        writer->model->types[ouro_heap_model_type(writer->model, name)].value_kind != OURO_VALUE_STR)
        return false;
    const unsigned char *text = ouro_value_raw(writer->model, name, &size);
    ouro_buf_add_byte(writer->out, '<');
    add_type(writer->out, writer->model, type);
    ouro_buf_add_byte(writer->out, ' ');
    ouro_buf_add(writer->out, text, size);
    ouro_buf_addf(writer->out, " 0x%llx>", (unsigned long long)writer->model->heap.addr[node]);
    return true;
}

/* Below the depth that is shown, and what is being shown already. */
static bool add_closed(struct writer *writer, ouro_node node, enum container container, bool exact)
{
    static const char *const closed[] = {"", "[...]", "(...)", "{...}", "{...}"};
    bool again = false;
    for (unsigned i = 0; i < writer->depth; i++)
        again |= writer->open[i] == node;
    if (!again && writer->depth < writer->limits.depth)
        return false;
    if (container != CONTAINER_NONE && exact &&
        (again || writer->model->heap.slot_begin[node + 1] > writer->model->heap.slot_begin[node]))
        ouro_buf_add_text(writer->out, closed[container]);
    else if (container != CONTAINER_NONE && exact)
        return false; /* empty: nothing to open */
    else
        ouro_brief_add_plain(writer->out, writer->model, node, "");
    return true;
}

/* A container of which nothing but itself was captured. */
static void add_shallow(struct writer *writer, ouro_node node)
{
    const struct ouro_heap *heap = &writer->model->heap;
    ouro_brief_add_plain(writer->out, writer->model, node, "");
    if (heap->size && writer->out->size && writer->out->data[writer->out->size - 1] == '>') {
        writer->out->size--;
        ouro_buf_addf(writer->out, " of %llu bytes>", (unsigned long long)heap->size[node]);
    }
}

static void add(struct writer *writer, ouro_node node)
{
    const struct ouro_heap_model *model = writer->model;
    if (node >= model->heap.count) {
        ouro_buf_add_text(writer->out, "<NULL>");
        return;
    }
    uint32_t type = ouro_heap_model_type(model, node);
    bool exact, named = type < model->type_count && model->types[type].value_kind == OURO_VALUE_NAME;
    if (!named && ouro_value_add(writer->out, model, node, writer->limits.text_bytes))
        return;
    if (model->heap.flags[node] & OURO_OBJECT_PSEUDO && ouro_value_has(model, node)) {
        ouro_value_add(writer->out, model, node, writer->limits.text_bytes);
        return;
    }
    enum container container = find_container(model, type, &exact);
    if (add_closed(writer, node, container, exact))
        return;
    writer->open[writer->depth++] = node;
    if (container != CONTAINER_NONE && model->heap.flags[node] & OURO_OBJECT_SHALLOW)
        add_shallow(writer, node);
    else if (container != CONTAINER_NONE)
        add_container(writer, node, container, exact);
    else if (!add_named(writer, node, type) && !add_method(writer, node, type) && !add_cell(writer, node, type) &&
             !add_exception(writer, node, type) && !add_generator(writer, node, type))
        ouro_brief_add_plain(writer->out, model, node, ouro_snapshot_lock(model->snapshot, node) ? "locked " : "");
    writer->depth--;
}

void ouro_brief_add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node,
                    const struct ouro_brief_limits *limits)
{
    struct writer writer = {.out = out, .model = model, .limits = limits ? *limits : OURO_BRIEF_SHORT, .begin = out->size};
    if (writer.limits.depth > OURO_BRIEF_DEPTH_MAX)
        writer.limits.depth = OURO_BRIEF_DEPTH_MAX;
    add(&writer, node);
}
