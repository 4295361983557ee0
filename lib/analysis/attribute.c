#include "analysis/attribute.h"

#include <string.h>

#include "analysis/lookup.h"
#include "analysis/value.h"

#define MRO_MAX 2000 /* classes of an MRO, which may be any tuple */

ouro_node ouro_attribute_class(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(model, node);
    return type < model->type_count ? model->types[type].node : OURO_NODE_NONE;
}

static bool is_key(const struct ouro_heap_model *model, ouro_node key, const char *name, size_t size)
{
    uint32_t type = ouro_heap_model_type(model, key);
    if (type >= model->type_count || model->types[type].value_kind != OURO_VALUE_STR ||
        model->heap.flags[key] & OURO_OBJECT_VALUE_CUT)
        return false;
    size_t stored;
    const unsigned char *bytes = ouro_value_raw(model, key, &stored);
    return stored == size && !memcmp(bytes, name, size);
}

/* Of a class's own __dict__. */
static enum ouro_attribute_answer find_own(const struct ouro_heap_model *model, ouro_node class, const char *name,
                                           ouro_node *value)
{
    size_t size = strlen(name);
    struct ouro_part_walk walk;
    ouro_node dict = class < model->heap.count ? ouro_heap_model_field(model, class, "__dict__") : OURO_NODE_NONE;
    if (dict == OURO_NODE_NONE || model->heap.flags[dict] & OURO_OBJECT_TORN)
        return OURO_ATTRIBUTE_NOT_KNOWN;
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk)) {
        if (walk.part->kind == OURO_PART_FIELD)
            return OURO_ATTRIBUTE_NOT_KNOWN; /* keys shared with others: no class's */
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++) {
            const ouro_node *item = &model->heap.slots[walk.first + 2 * i];
            if (item[0] == OURO_NODE_NONE || item[1] == OURO_NODE_NONE)
                continue;
            if (is_key(model, item[1], name, size)) {
                *value = item[0];
                return OURO_ATTRIBUTE_YES;
            }
        }
    }
    return OURO_ATTRIBUTE_NO;
}

enum ouro_attribute_answer ouro_attribute_find(const struct ouro_heap_model *model, ouro_node class, const char *name,
                                               struct ouro_attribute *found)
{
    ouro_node mro = ouro_heap_model_field(model, class, "__mro__");
    if (mro == OURO_NODE_NONE)
        return OURO_ATTRIBUTE_NOT_KNOWN;
    /* A tuple's items lie from the last to the first. */
    uint64_t begin = model->heap.slot_begin[mro], end = model->heap.slot_begin[mro + 1];
    if (begin == end || end - begin > MRO_MAX)
        return OURO_ATTRIBUTE_NOT_KNOWN;
    for (uint64_t i = end; i-- > begin;) {
        found->owner = model->heap.slots[i];
        enum ouro_attribute_answer answer = find_own(model, found->owner, name, &found->value);
        if (answer != OURO_ATTRIBUTE_NO)
            return answer;
    }
    return OURO_ATTRIBUTE_NO;
}

/* A class's text is its full name. Those of the interpreter's builtins module are static: what they own they do not report. */
static bool has_name(const struct ouro_heap_model *model, ouro_node class, const char *module, const char *name)
{
    size_t size, module_size = strlen(module), name_size = strlen(name);
    if (class >= model->heap.count || !ouro_value_has(model, class))
        return false;
    const unsigned char *text = ouro_value_raw(model, class, &size);
    return size == module_size + 1 + name_size && !memcmp(text, module, module_size) && text[module_size] == '.' &&
           !memcmp(text + module_size + 1, name, name_size);
}

static bool is_static(const struct ouro_heap_model *model, ouro_node class)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, class);
    for (uint32_t i = 0; i < shape->part_count; i++) {
        const char *name = ouro_snapshot_string(model->snapshot, shape->parts[i].name, NULL);
        if (shape->parts[i].kind == OURO_PART_FIELD && name && !strcmp(name, "__mro__"))
            return shape->parts[i].edge_class == OURO_EDGE_HIDDEN;
    }
    return false;
}

bool ouro_attribute_is_class(const struct ouro_heap_model *model, ouro_node class, const char *module, const char *name)
{
    return has_name(model, class, module, name) && (strcmp(module, "builtins") || is_static(model, class));
}

bool ouro_attribute_derives(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name)
{
    if (type >= model->type_count)
        return false;
    if (ouro_lookup_is_type(model, type, module, name))
        return true;
    ouro_node class = model->types[type].node;
    ouro_node mro = ouro_heap_model_field(model, class, "__mro__");
    if (mro == OURO_NODE_NONE)
        return false;
    uint64_t begin = model->heap.slot_begin[mro], end = model->heap.slot_begin[mro + 1];
    for (uint64_t i = begin; i < end && i - begin < MRO_MAX; i++)
        if (ouro_attribute_is_class(model, model->heap.slots[i], module, name))
            return true;
    return false;
}

/* Whether __getattribute__ of the type is the generic lookup, or another of the interpreter's own that begins with it or that
 * makes no difference to what we ask. */
static bool is_trusted(const struct ouro_heap_model *model, ouro_node class)
{
    static const char *const modules[] = {
        "builtins", "types",    "collections", "_collections", "functools",   "_functools", "_io",     "io",
        "_asyncio", "asyncio",  "itertools",   "operator",     "_operator",   "re",         "_sre",    "_struct",
        "_abc",     "datetime", "decimal",     "array",        "_contextvars", "contextvars", "typing", "_typing",
        "_queue",   "_random",  "_socket",     "socket",       "_csv",        "_thread",    "_json",   "_pickle",
        "os",       "posix",    "time",        "sys",          "ast",         "_ast",       "select",  "_sqlite3",
        "sqlite3",  "_weakref", "unittest",    "zlib",         "_hashlib",    "_elementtree",
    };
    static const struct {
        const char *module, *name;
    } others[] = {
        {"_thread", "_local"},         {"builtins", "super"},          {"types", "GenericAlias"},
        {"builtins", "weakproxy"},     {"builtins", "weakcallableproxy"},
    };
    size_t size;
    if (!ouro_value_has(model, class))
        return false;
    const char *text = (const char *)ouro_value_raw(model, class, &size);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has_name(model, class, others[i].module, others[i].name))
            return false;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        size_t length = strlen(modules[i]);
        if (size > length + 1 && !memcmp(text, modules[i], length) && text[length] == '.' &&
            !memchr(text + length + 1, '.', size - length - 1))
            return true;
    }
    return false;
}

bool ouro_attribute_is_generic(const struct ouro_heap_model *model, ouro_node class)
{
    struct ouro_attribute found;
    for (uint32_t i = 0; i < model->type_count; i++) /* older files don't say */
        if (model->types[i].node == class && model->types[i].flags & OURO_TYPE_GENERIC_GETATTR)
            return true;
    if (ouro_attribute_find(model, class, "__getattribute__", &found) != OURO_ATTRIBUTE_YES ||
        !ouro_lookup_is_type(model, ouro_heap_model_type(model, found.value), "builtins", "wrapper_descriptor"))
        return false; /* a function of the program's */
    ouro_node of = ouro_heap_model_field(model, found.value, "__objclass__");
    return of != OURO_NODE_NONE && is_trusted(model, of);
}

static bool type_has(const struct ouro_heap_model *model, ouro_node value, const char *name)
{
    struct ouro_attribute found;
    return ouro_attribute_find(model, ouro_attribute_class(model, value), name, &found) != OURO_ATTRIBUTE_NO;
}

/* Older files don't say. */
static bool type_is(const struct ouro_heap_model *model, ouro_node value, uint32_t flag)
{
    return value < model->heap.count && model->types[ouro_heap_model_type(model, value)].flags & flag;
}

bool ouro_attribute_is_data_descriptor(const struct ouro_heap_model *model, ouro_node value)
{
    return type_is(model, value, OURO_TYPE_DESCR_SET) || type_has(model, value, "__set__") || type_has(model, value, "__delete__");
}

bool ouro_attribute_has_get(const struct ouro_heap_model *model, ouro_node value)
{
    return type_is(model, value, OURO_TYPE_DESCR_GET) || type_has(model, value, "__get__");
}

bool ouro_attribute_has_own_dict(const struct ouro_heap_model *model, ouro_node class)
{
    struct ouro_attribute found;
    if (ouro_attribute_find(model, class, "__dict__", &found) != OURO_ATTRIBUTE_YES)
        return false;
    uint32_t type = ouro_heap_model_type(model, found.value);
    return ouro_lookup_is_type(model, type, "builtins", "getset_descriptor") ||
           ouro_lookup_is_type(model, type, "builtins", "member_descriptor");
}

bool ouro_attribute_is_plain_name(const char *name, size_t size)
{
    static const char *const keywords[] = {
        "False", "None",   "True",  "and",    "as",   "assert", "async",  "await",    "break",  "class", "continue", "def",
        "del",   "elif",   "else",  "except", "for",  "from",   "finally", "global",  "if",     "import", "in",      "is",
        "lambda", "nonlocal", "not", "or",    "pass", "raise",  "return", "try",      "while",  "with",  "yield",
    };
    if (!size || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && !(c >= '0' && c <= '9'))
            return false;
    }
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i]) == size && !memcmp(keywords[i], name, size))
            return false;
    return true;
}
