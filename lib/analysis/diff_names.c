#include "analysis/diff_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/attribute.h"
#include "analysis/value.h"
#include "base/guard.h"

#define LABEL_BYTES_MAX 200u

static uint64_t hash_of(const unsigned char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash == UINT64_MAX ? 0 : hash;
}

enum ouro_status ouro_diff_names_init(struct ouro_diff_names *names)
{
    memset(names, 0, sizeof *names);
    struct ouro_diff_signature *empty = OURO_VEC_ADD(&names->signatures);
    if (!empty || ouro_diff_names_label(names, "", 0) == UINT32_MAX) {
        ouro_diff_names_fini(names);
        return OURO_NOMEM;
    }
    empty->parent = OURO_SIGNATURE_NONE;
    return OURO_OK;
}

void ouro_diff_names_fini(struct ouro_diff_names *names)
{
    free(names->labels.items);
    free(names->signatures.items);
    ouro_buf_fini(&names->texts);
    ouro_buf_fini(&names->scratch);
    ouro_map_fini(&names->label_of);
    ouro_map_fini(&names->child_of);
    memset(names, 0, sizeof *names);
}

uint32_t ouro_diff_names_label(struct ouro_diff_names *names, const void *bytes, size_t size)
{
    for (uint64_t key = hash_of(bytes, size);; key = key + 1 == UINT64_MAX ? 0 : key + 1) {
        bool added;
        uint64_t *label = ouro_map_put(&names->label_of, key, &added);
        if (!label)
            return UINT32_MAX;
        if (!added) {
            const struct ouro_diff_label *there = &names->labels.items[*label];
            if (there->size == size && (!size || !memcmp(names->texts.data + there->begin, bytes, size)))
                return (uint32_t)*label;
            continue;
        }
        *label = names->labels.count;
        struct ouro_diff_label *fresh = OURO_VEC_ADD(&names->labels);
        if (!fresh)
            return UINT32_MAX;
        fresh->begin = names->texts.size;
        ouro_buf_add(&names->texts, bytes, size);
        fresh->size = names->texts.failed ? 0 : size;
        return names->texts.failed ? UINT32_MAX : (uint32_t)(names->labels.count - 1);
    }
}

uint32_t ouro_diff_names_child(struct ouro_diff_names *names, uint32_t signature, uint32_t label)
{
    if (signature == OURO_SIGNATURE_NONE || label == UINT32_MAX)
        return OURO_SIGNATURE_NONE;
    const struct ouro_diff_signature *above = &names->signatures.items[signature];
    if (above->depth >= OURO_SIGNATURE_DEPTH)
        return signature;
    if (above->depth > 1 && above->label == label && names->signatures.items[above->parent].label == label)
        return signature; /* .next.next.next */
    bool added;
    uint64_t *child = ouro_map_put(&names->child_of, (uint64_t)signature << 32 | label, &added);
    if (!child)
        return OURO_SIGNATURE_NONE;
    if (!added)
        return (uint32_t)*child;
    uint32_t depth = above->depth + 1;
    *child = names->signatures.count;
    struct ouro_diff_signature *fresh = OURO_VEC_ADD(&names->signatures);
    if (!fresh || names->signatures.count >= UINT32_MAX)
        return OURO_SIGNATURE_NONE;
    *fresh = (struct ouro_diff_signature){signature, label, depth};
    return (uint32_t)(names->signatures.count - 1);
}

void ouro_diff_names_add_label(const struct ouro_diff_names *names, uint32_t label, struct ouro_buf *out)
{
    const struct ouro_diff_label *text = &names->labels.items[label];
    if (text->size)
        ouro_buf_add(out, names->texts.data + text->begin, text->size);
}

static size_t steps_of(const struct ouro_diff_names *names, uint32_t signature, uint32_t steps[OURO_SIGNATURE_DEPTH + 1])
{
    size_t count = 0;
    for (; signature && count <= OURO_SIGNATURE_DEPTH; signature = names->signatures.items[signature].parent)
        steps[count++] = names->signatures.items[signature].label;
    return count;
}

void ouro_diff_names_add(const struct ouro_diff_names *names, uint32_t signature, struct ouro_buf *out)
{
    uint32_t steps[OURO_SIGNATURE_DEPTH + 1];
    size_t count = steps_of(names, signature, steps);
    while (count)
        ouro_diff_names_add_label(names, steps[--count], out);
}

int ouro_diff_names_compare_labels(const struct ouro_diff_names *names, uint32_t a, uint32_t b)
{
    const struct ouro_diff_label *left = &names->labels.items[a], *right = &names->labels.items[b];
    size_t size = left->size < right->size ? left->size : right->size;
    int order = size ? memcmp(names->texts.data + left->begin, names->texts.data + right->begin, size) : 0;
    return order ? order : (left->size > right->size) - (left->size < right->size);
}

int ouro_diff_names_compare(const struct ouro_diff_names *names, uint32_t a, uint32_t b)
{
    uint32_t left[OURO_SIGNATURE_DEPTH + 1], right[OURO_SIGNATURE_DEPTH + 1];
    size_t l = steps_of(names, a, left), r = steps_of(names, b, right);
    for (; l && r; l--, r--) {
        int order = ouro_diff_names_compare_labels(names, left[l - 1], right[r - 1]);
        if (order)
            return order;
    }
    return (l > r) - (l < r);
}

/* --- One snapshot's */

static uint32_t intern_text(struct ouro_diff_labels *labels, const char *text)
{
    return ouro_diff_names_label(labels->names, text, strlen(text));
}

static uint32_t intern_scratch(struct ouro_diff_labels *labels)
{
    struct ouro_buf *scratch = &labels->names->scratch;
    uint32_t label = scratch->failed ? UINT32_MAX
                                     : ouro_diff_names_label(labels->names, scratch->data ? scratch->data : (unsigned char *)"",
                                                             scratch->size);
    scratch->size = 0;
    return label;
}

static uint32_t label_of_type(struct ouro_diff_labels *labels, uint32_t type)
{
    struct ouro_buf *scratch = &labels->names->scratch;
    size_t size;
    const char *text = ouro_heap_model_type_module(labels->model, type, &size);
    if (size && strcmp(text, "builtins")) {
        ouro_buf_add(scratch, text, size);
        ouro_buf_add_byte(scratch, '.');
    }
    text = ouro_heap_model_type_name(labels->model, type, &size);
    ouro_buf_add(scratch, text, size);
    return intern_scratch(labels);
}

static bool find_modules(struct ouro_diff_labels *labels)
{
    const struct ouro_heap_model *model = labels->model;
    for (ouro_node v = model->heap.count; v-- && model->heap.flags[v] & OURO_OBJECT_PSEUDO;) {
        ouro_node modules = ouro_heap_model_type(model, v) == model->root_type
                                ? ouro_heap_model_field(model, v, "sys.modules")
                                : OURO_NODE_NONE;
        if (modules != OURO_NODE_NONE && !ouro_map_put(&labels->modules, modules, NULL))
            return false;
    }
    return true;
}

enum ouro_status ouro_diff_labels_init(struct ouro_diff_labels *labels, struct ouro_diff_names *names,
                                       const struct ouro_heap_model *model)
{
    memset(labels, 0, sizeof *labels);
    labels->names = names;
    labels->model = model;
    size_t strings = ouro_snapshot_string_count(model->snapshot);
    labels->of_field = malloc((strings + 1) * sizeof *labels->of_field);
    labels->of_type = malloc(((size_t)model->type_count + 1) * sizeof *labels->of_type);
    bool good = labels->of_field && labels->of_type && find_modules(labels);
    if (good)
        memset(labels->of_field, 0xff, (strings + 1) * sizeof *labels->of_field);
    for (uint32_t i = 0; good && i <= model->type_count; i++)
        good = (labels->of_type[i] = label_of_type(labels, i < model->type_count ? i : OURO_TYPE_NONE)) != UINT32_MAX;
    const struct {
        uint32_t *label;
        const char *text;
    } fixed[] = {{&labels->item, "[*]"}, {&labels->key, " -> <key>"}, {&labels->result, " -> <cached result>"},
                 {&labels->element, "[*]"}, {&labels->any_attribute, ".*"}, {&labels->native, "<C reference>"},
                 {&labels->garbage, "<garbage>"}, {&labels->unreached, "<not reached>"},
                 {&labels->interpreter, "<interpreter *>"}};
    for (size_t i = 0; good && i < sizeof fixed / sizeof *fixed; i++)
        good = (*fixed[i].label = intern_text(labels, fixed[i].text)) != UINT32_MAX;
    if (good)
        return OURO_OK;
    ouro_diff_labels_fini(labels);
    return OURO_NOMEM;
}

void ouro_diff_labels_fini(struct ouro_diff_labels *labels)
{
    free(labels->of_field);
    free(labels->of_type);
    ouro_map_fini(&labels->of_key);
    ouro_map_fini(&labels->modules);
    memset(labels, 0, sizeof *labels);
}

/* As signatures show a name: .x, ['k'] and [shared] as they are, <words> as a step in words, others as attributes. */
static uint32_t label_of_name(struct ouro_diff_labels *labels, uint32_t name, bool many)
{
    struct ouro_buf *scratch = &labels->names->scratch;
    size_t size;
    uint32_t *label = name < ouro_snapshot_string_count(labels->model->snapshot) ? &labels->of_field[name] : NULL;
    if (label && *label != UINT32_MAX)
        return *label;
    const char *text = ouro_snapshot_string(labels->model->snapshot, name, &size);
    if (!text || !size)
        return many ? labels->item : 0;
    size = size > LABEL_BYTES_MAX ? LABEL_BYTES_MAX : size;
    if (*text == '<')
        ouro_buf_add_text(scratch, " -> ");
    else if (*text != '.' && *text != '[')
        ouro_buf_add_byte(scratch, '.');
    for (size_t i = 0; i < size; i++) { /* "callbacks[12]" of a root */
        bool index = i && text[i - 1] == '[' && isdigit((unsigned char)text[i]);
        while (index && i + 1 < size && isdigit((unsigned char)text[i + 1]))
            i++;
        ouro_buf_add_byte(scratch, index ? '*' : (unsigned char)text[i]);
    }
    if (many)
        ouro_buf_add_text(scratch, "[*]");
    uint32_t found = intern_scratch(labels);
    if (label)
        *label = found;
    return found;
}

/* What stands behind a key that is a name: .name, ['app.models']. */
static uint32_t label_of_key(struct ouro_diff_labels *labels, ouro_node key, bool module)
{
    const struct ouro_heap_model *model = labels->model;
    struct ouro_buf *scratch = &labels->names->scratch;
    size_t size;
    uint32_t type = key == OURO_NODE_NONE ? OURO_TYPE_NONE : ouro_heap_model_type(model, key);
    if (type >= model->type_count || model->types[type].value_kind != OURO_VALUE_STR || !ouro_value_has(model, key))
        return labels->item;
    bool added;
    uint64_t *known = ouro_map_put(&labels->of_key, (uint64_t)key << 1 | module, &added);
    if (!known)
        return UINT32_MAX;
    if (!added)
        return (uint32_t)*known;
    const unsigned char *bytes = ouro_value_raw(model, key, &size);
    if (module) {
        ouro_buf_add_byte(scratch, '[');
        ouro_value_str(scratch, bytes, size, LABEL_BYTES_MAX, false);
        ouro_buf_add_byte(scratch, ']');
    } else if (size <= LABEL_BYTES_MAX && ouro_attribute_is_plain_name((const char *)bytes, size)) {
        ouro_buf_add_byte(scratch, '.');
        ouro_buf_add(scratch, bytes, size);
    } else {
        ouro_buf_add_text(scratch, "[*]");
    }
    *known = intern_scratch(labels);
    return (uint32_t)*known;
}

/* Whether the field only repeats what its root is called. */
static bool says_nothing_new(const struct ouro_heap_model *model, const struct ouro_slot *slot)
{
    size_t size, value_size;
    const char *text = ouro_snapshot_string(model->snapshot, slot->part->name, &size);
    if (!text || !(model->heap.flags[slot->node] & OURO_OBJECT_PSEUDO) || !ouro_value_has(model, slot->node))
        return false;
    const unsigned char *value = ouro_value_raw(model, slot->node, &value_size);
    return value_size == size && !memcmp(value, text, size);
}

/* `.frames[*:serve]`: a pseudo frame's value is "serve (file:line)". */
static uint32_t label_of_frame(struct ouro_diff_labels *labels, ouro_node frame)
{
    struct ouro_buf *scratch = &labels->names->scratch;
    size_t size = 0;
    const unsigned char *value = ouro_value_has(labels->model, frame) ? ouro_value_raw(labels->model, frame, &size) : NULL;
    for (size_t i = 0; i + 1 < size; i++)
        if (value[i] == ' ' && value[i + 1] == '(')
            size = i;
    ouro_buf_add_text(scratch, ".frames[*:");
    if (size)
        ouro_buf_add(scratch, value, size > LABEL_BYTES_MAX ? LABEL_BYTES_MAX : size);
    ouro_buf_add_byte(scratch, ']');
    return intern_scratch(labels);
}

static uint32_t label_of_slot(struct ouro_diff_labels *labels, const struct ouro_slot *slot)
{
    const struct ouro_heap_model *model = labels->model;
    const struct ouro_part *part = slot->part;
    switch (part->kind) {
    case OURO_PART_TYPE:
        return intern_text(labels, ".__class__");
    case OURO_PART_FIELD:
        return label_of_name(labels, part->name, false);
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
        return slot->place ? labels->key : label_of_key(labels, slot->key, false);
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
        if (slot->place)
            return labels->key;
        return labels->modules.count && ouro_map_find(&labels->modules, slot->node) ? label_of_key(labels, slot->key, true)
                                                                                    : labels->item;
    case OURO_PART_ITEMS:
    case OURO_PART_ITEMS_DOWN:
        return labels->item;
    case OURO_PART_ELEMENTS:
        return labels->element;
    case OURO_PART_KEYS:
        return labels->key;
    case OURO_PART_LINKS:
        return slot->place == 1 ? labels->result : labels->key;
    case OURO_PART_STACK:
        return intern_text(labels, " -> <stack[*]>");
    case OURO_PART_NAMED:
        if (model->heap.flags[slot->target] & OURO_OBJECT_PSEUDO)
            return label_of_frame(labels, slot->target);
        /* fall through */
    default:
        return label_of_name(labels, part->name, true);
    }
}

uint32_t ouro_diff_labels_step(struct ouro_diff_labels *labels, uint32_t signature, const struct ouro_slot *slot)
{
    if (slot->part->kind == OURO_PART_FIELD) {
        const char *name = ouro_snapshot_string(labels->model->snapshot, slot->part->name, NULL);
        if ((name && !strcmp(name, "__dict__")) || says_nothing_new(labels->model, slot))
            return signature;
    }
    return ouro_diff_names_child(labels->names, signature, label_of_slot(labels, slot));
}

uint32_t ouro_diff_labels_root(struct ouro_diff_labels *labels, ouro_node root)
{
    static const char prefix[] = "interpreter: ", thread[] = "<Thread";
    const struct ouro_heap_model *model = labels->model;
    struct ouro_buf *scratch = &labels->names->scratch;
    size_t size = 0, begin = 0;
    const char *text = ouro_value_has(model, root) ? (const char *)ouro_value_raw(model, root, &size) : "";
    bool other = model->heap.interp && model->heap.interp[root];
    size = size > LABEL_BYTES_MAX ? LABEL_BYTES_MAX : size;
    if (size > sizeof thread - 1 && !memcmp(text, thread, sizeof thread - 1)) {
        /* The kernel's number goes, other numbers are masked: workers are alike. */
        size_t end = size - (text[size - 1] == '>');
        while (end && isdigit((unsigned char)text[end - 1]))
            end--;
        end = end && text[end - 1] == ' ' ? end - 1 : end;
        for (size_t i = 0; i < end; i++)
            if (!isdigit((unsigned char)text[i]))
                ouro_buf_add_byte(scratch, (unsigned char)text[i]);
            else if (!i || !isdigit((unsigned char)text[i - 1]))
                ouro_buf_add_byte(scratch, '*');
        ouro_buf_add_byte(scratch, '>');
    } else {
        if (size >= sizeof prefix - 1 && !memcmp(text, prefix, sizeof prefix - 1))
            begin = sizeof prefix - 1;
        if (other || begin)
            ouro_buf_add_text(scratch, other ? "<interpreter *: " : "<interpreter 0: ");
        ouro_buf_add(scratch, text + begin, size - begin);
        if (other || begin)
            ouro_buf_add_byte(scratch, '>');
        else if (!size)
            ouro_buf_add_text(scratch, "<root>");
    }
    return ouro_diff_names_child(labels->names, OURO_SIGNATURE_EMPTY, intern_scratch(labels));
}
