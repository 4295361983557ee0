#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/finder.h"
#include "analysis/value.h"

/* --- Attributes */

static void add_hint_vars(struct ouro_finder *finder, const struct ouro_finder_value *value, struct ouro_name name)
{
    ouro_buf_add_text(ouro_finder_words(finder), "vars(");
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), ")[");
    ouro_finder_add_name(finder, name);
    ouro_buf_add_byte(ouro_finder_words(finder), ']');
}

/* "app.User.name is a property: ..." and what the instance holds by a like name. */
static enum ouro_status fail_property(struct ouro_finder *finder, const struct ouro_step *step,
                                      const struct ouro_finder_value *value, struct ouro_name name)
{
    char like[128];
    struct ouro_buf *out = ouro_finder_words(finder);
    ouro_finder_add_type_name(finder, value->node);
    ouro_buf_add_byte(out, '.');
    ouro_buf_add(out, name.bytes, name.size);
    ouro_buf_add_text(out, " is a property: reading it would run code");
    for (int under = 1; under <= 2 && name.size + 2 < sizeof like; under++) {
        size_t type_size;
        const char *type =
            ouro_heap_model_type_name(finder->model, ouro_heap_model_type(finder->model, value->node), &type_size);
        const char *last = memrchr(type, '.', type_size);
        last = last ? last + 1 : type;
        int size = under == 1 ? snprintf(like, sizeof like, "_%.*s", (int)name.size, name.bytes)
                              : snprintf(like, sizeof like, "_%s__%.*s", last, (int)name.size, name.bytes);
        if (size < 0 || (size_t)size >= sizeof like)
            continue;
        struct ouro_name holds = {like, (size_t)size};
        struct ouro_access attribute = ouro_access_find(finder->model, value->node, holds, false);
        if (attribute.kind != OURO_ACCESS_FOUND)
            continue;
        ouro_buf_add_text(out, "; ");
        if (ouro_access_of_instance(finder->model, value->node, holds) != OURO_NODE_NONE) {
            add_hint_vars(finder, value, holds);
        } else {
            ouro_finder_add_expression(finder, value);
            ouro_buf_add_byte(out, '.');
            ouro_buf_add(out, holds.bytes, holds.size);
        }
        ouro_buf_add_text(out, " is what the instance holds");
        break;
    }
    return ouro_finder_fail(finder, step, OURO_INVAL, "%s", "");
}

static void add_member(struct ouro_finder *finder, const struct ouro_finder_value *value, struct ouro_name name)
{
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_byte(ouro_finder_words(finder), '.');
    ouro_buf_add(ouro_finder_words(finder), name.bytes,
                 name.size < OURO_FINDER_SHOWN_BYTES ? name.size : OURO_FINDER_SHOWN_BYTES);
}

static enum ouro_status fail_absent(struct ouro_finder *finder, const struct ouro_step *step,
                                    const struct ouro_finder_value *value, struct ouro_name name, bool asks)
{
    bool module = ouro_access_is_kind(finder->model, value->node, "builtins", "module");
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), " is ");
    ouro_finder_add_kind(finder, value->node);
    ouro_buf_add_text(ouro_finder_words(finder), "; it has no attribute ");
    ouro_finder_add_name(finder, name);
    if (asks)
        return ouro_finder_fail(finder, step, OURO_INVAL, " of its own, and %s would run",
                                module ? "the module's __getattr__" : "its class's __getattr__");
    ouro_finder_add_near_names(finder, value->node, name);
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

static enum ouro_status fail_method(struct ouro_finder *finder, const struct ouro_step *step,
                                    const struct ouro_finder_value *value, struct ouro_name name, ouro_node method)
{
    const struct ouro_heap_model *model = finder->model;
    struct ouro_buf *out = ouro_finder_words(finder);
    ouro_node class = ouro_access_class(model, value->node), dict;
    add_member(finder, value, name);
    ouro_buf_add_text(out, " is a method, bound anew each time that it is asked for; its function is ");
    if (ouro_access_is_class(model, value->node) && ouro_access_has_namespace(model, value->node, &dict) &&
        ouro_access_in_dict(model, dict, name) == method) {
        add_hint_vars(finder, value, name);
    } else if (ouro_access_find(model, class, name, true).kind == OURO_ACCESS_FOUND) {
        ouro_buf_add_text(out, "type(");
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(out, ").");
        ouro_buf_add(out, name.bytes, name.size);
    } else {
        ouro_buf_addf(out, "0x%" PRIx64, model->heap.addr[method]);
    }
    return ouro_finder_fail(finder, step, OURO_INVAL, "%s", "");
}

static enum ouro_status fail_attribute(struct ouro_finder *finder, const struct ouro_step *step,
                                       const struct ouro_finder_value *value, struct ouro_name name,
                                       const struct ouro_access *attribute)
{
    struct ouro_buf *out = ouro_finder_words(finder);
    switch (attribute->kind) {
    case OURO_ACCESS_ABSENT:
    case OURO_ACCESS_GETATTR:
        return fail_absent(finder, step, value, name, attribute->kind == OURO_ACCESS_GETATTR);
    case OURO_ACCESS_PROPERTY:
        return fail_property(finder, step, value, name);
    case OURO_ACCESS_EMPTY:
        add_member(finder, value, name);
        return ouro_finder_fail(finder, step, OURO_GONE, " is a slot that holds nothing");
    case OURO_ACCESS_METHOD:
        return fail_method(finder, step, value, name, attribute->node);
    case OURO_ACCESS_DESCRIPTOR:
        add_member(finder, value, name);
        ouro_buf_add_text(out, " is what ");
        ouro_finder_add_kind(finder, attribute->node);
        return ouro_finder_fail(finder, step, OURO_INVAL, " makes of it, which would run code");
    case OURO_ACCESS_GETATTRIBUTE:
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(out, " is ");
        ouro_finder_add_kind(finder, value->node);
        ouro_buf_add_text(out,
                          ", whose class has a __getattribute__ that would run; past it: object.__getattribute__(");
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(out, ", ");
        ouro_finder_add_name(finder, name);
        return ouro_finder_fail(finder, step, OURO_INVAL, ")");
    case OURO_ACCESS_FOREIGN:
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(out, " is ");
        ouro_finder_add_kind(finder, value->node);
        return ouro_finder_fail(finder, step, OURO_INVAL, ", which looks its attributes up in a way of its own");
    case OURO_ACCESS_COMPUTED:
        add_member(finder, value, name);
        return ouro_finder_fail(finder, step, OURO_INVAL,
                                " is made by native code when it is asked for, or not in the snapshot");
    default:
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_BADDATA, ": its class is not in the snapshot");
    }
}

enum ouro_status ouro_finder_put_locals(struct ouro_finder *finder, struct ouro_finder_value *value,
                                        const struct ouro_step *step, ouro_node frame)
{
    ouro_node body = ouro_access_body_locals(finder->model, frame);
    if (body != OURO_NODE_NONE)
        return ouro_finder_put(finder, value, step, body);
    *value = (struct ouro_finder_value){OURO_FINDER_LOCALS, frame, OURO_NODE_NONE, step->begin, step->end};
    return OURO_OK;
}

enum ouro_status ouro_finder_take_attribute(struct ouro_finder *finder, const struct ouro_step *step,
                                            struct ouro_finder_value *value, struct ouro_name name, bool own_lookup)
{
    struct ouro_access attribute = ouro_access_find(finder->model, value->node, name, own_lookup);
    switch (attribute.kind) {
    case OURO_ACCESS_FOUND:
        return ouro_finder_put(finder, value, step, attribute.node);
    case OURO_ACCESS_NAMESPACE:
        *value = (struct ouro_finder_value){OURO_FINDER_NAMESPACE, value->node, attribute.node, step->begin, step->end};
        return OURO_OK;
    case OURO_ACCESS_FRAME:
        *value = (struct ouro_finder_value){OURO_FINDER_GENERATOR_FRAME, attribute.node, OURO_NODE_NONE, step->begin,
                                            step->end};
        return OURO_OK;
    case OURO_ACCESS_LOCALS:
        return ouro_finder_put_locals(finder, value, step, attribute.node);
    default:
        return fail_attribute(finder, step, value, name, &attribute);
    }
}

static enum ouro_status root_attribute(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value)
{
    if (ouro_finder_step_is(finder, step, "frames")) {
        value->kind = OURO_FINDER_FRAMES;
        value->end = step->end;
        return OURO_OK;
    }
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), " is a root; it has no ");
    ouro_finder_add_step_text(finder, step);
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

enum ouro_status ouro_finder_attribute_step(struct ouro_finder *finder, const struct ouro_step *step,
                                            struct ouro_finder_value *value)
{
    struct ouro_name name = {finder->expression->text + step->name, step->name_size};
    switch (value->kind) {
    case OURO_FINDER_OBJECT:
        return ouro_finder_is_pseudo(finder->model, value->node)
                   ? ouro_finder_frame_attribute(finder, step, value)
                   : ouro_finder_take_attribute(finder, step, value, name, true);
    case OURO_FINDER_ROOT:
        return root_attribute(finder, step, value);
    case OURO_FINDER_GENERATOR_FRAME:
        if (ouro_finder_step_is(finder, step, "f_locals"))
            return ouro_finder_put_locals(finder, value, step, value->node);
        if (ouro_finder_step_is(finder, step, "f_code"))
            return ouro_finder_put(finder, value, step, ouro_heap_model_field(finder->model, value->node, "f_code"));
        if (ouro_finder_step_is(finder, step, "f_globals"))
            return ouro_finder_put(finder, value, step,
                                   ouro_heap_model_field(finder->model,
                                                         ouro_heap_model_field(finder->model, value->node, "f_func"),
                                                         "__globals__"));
        /* fall through */
    default:
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(ouro_finder_words(finder), " is made when it is asked for; it has no attribute ");
        ouro_finder_add_name(finder, name);
        return ouro_finder_fail(finder, step, OURO_GONE, " in the snapshot");
    }
}

/* --- Other steps */

/* vars(x)['name'], where there may be no object for vars(x). */
static enum ouro_status namespace_item(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value)
{
    if (ouro_finder_is_text(finder, step->literal)) {
        ouro_node found =
            ouro_access_of_instance(finder->model, value->node, ouro_finder_literal_name(finder, step->literal));
        if (found != OURO_NODE_NONE)
            return ouro_finder_put(finder, value, step, found);
    }
    struct ouro_finder_entry entry = {OURO_NODE_NONE, 0};
    if (value->dict != OURO_NODE_NONE && ouro_finder_embedding_object(finder->model, value->dict) == OURO_NODE_NONE) {
        entry = ouro_finder_find_entry(finder, value->dict, step->literal);
        return entry.value != OURO_NODE_NONE ? ouro_finder_put(finder, value, step, entry.value)
                                             : ouro_finder_fail_key(finder, step, value, value->dict, &entry);
    }
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), " has no ");
    ouro_finder_add_step_text(finder, step);
    if (ouro_finder_is_text(finder, step->literal))
        ouro_finder_add_near_names(finder, value->node, ouro_finder_literal_name(finder, step->literal));
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

/* --- Items */

/* Whether it is an instance of the class whose method the step means, if it means one's. Words if not. */
static bool is_of_base(struct ouro_finder *finder, const struct ouro_step *step, const struct ouro_finder_value *value,
                       ouro_node node)
{
    static const char *const modules[] = {"builtins", "collections"};
    char base[16];
    snprintf(base, sizeof base, "%.*s", (int)step->base_size, finder->expression->text + step->base);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (!step->base_size || ouro_access_is_kind(finder->model, node, modules[i], base))
            return true;
    ouro_finder_add_expression(finder, value);
    ouro_buf_addf(ouro_finder_words(finder), " is no %s", base);
    return false;
}

enum ouro_status ouro_finder_object_item(struct ouro_finder *finder, const struct ouro_step *step,
                                         struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node node = value->node, dict = ouro_finder_mapping_of(model, node);
    bool is_mapping = ouro_finder_is_dict(model, dict);
    if (ouro_finder_is_pseudo(model, node) || (!is_mapping && !ouro_finder_is_sequence(model, node))) {
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(ouro_finder_words(finder), " is ");
        ouro_finder_add_kind(finder, node);
        return ouro_finder_fail(finder, step, OURO_INVAL,
                                ouro_access_overrides(model, node, "__getitem__")
                                    ? "; its __getitem__ would run"
                                    : "; it has no items that are objects of their own");
    }
    if (!is_of_base(finder, step, value, node))
        return ouro_finder_fail(finder, step, OURO_INVAL, "%s", "");
    if (!step->base_size && ouro_access_overrides(model, node, "__getitem__")) {
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(ouro_finder_words(finder), " is ");
        ouro_finder_add_kind(finder, node);
        ouro_buf_add_text(ouro_finder_words(finder), ", whose __getitem__ would run; past it: ");
        ouro_buf_add_text(ouro_finder_words(finder), is_mapping                                             ? "dict"
                                                     : ouro_access_is_kind(model, node, "builtins", "list") ? "list"
                                                                                                            : "tuple");
        ouro_buf_add_text(ouro_finder_words(finder), ".__getitem__(");
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(ouro_finder_words(finder), ", ");
        ouro_finder_add_step_text(finder, step);
        return ouro_finder_fail(finder, step, OURO_INVAL, ")");
    }
    if (!is_mapping)
        return ouro_finder_sequence_item(finder, step, value);
    ouro_node owner = ouro_finder_embedding_object(model, dict);
    if (owner != OURO_NODE_NONE) {
        *value = (struct ouro_finder_value){OURO_FINDER_NAMESPACE, owner, dict, value->begin, value->end};
        return namespace_item(finder, step, value);
    }
    struct ouro_finder_entry entry = ouro_finder_find_entry(finder, dict, step->literal);
    return entry.value != OURO_NODE_NONE ? ouro_finder_put(finder, value, step, entry.value)
                                         : ouro_finder_fail_key(finder, step, value, dict, &entry);
}

enum ouro_status ouro_finder_item_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value)
{
    switch (value->kind) {
    case OURO_FINDER_OBJECT:
        return ouro_finder_object_item(finder, step, value);
    case OURO_FINDER_NAMESPACE:
        return namespace_item(finder, step, value);
    case OURO_FINDER_LOCALS:
        return ouro_finder_local_item(finder, step, value);
    case OURO_FINDER_FRAMES:
        return ouro_finder_frame_item(finder, step, value);
    case OURO_FINDER_CURRENT_FRAMES:
        return ouro_finder_current_frame(finder, step, value);
    case OURO_FINDER_UNPACKED:
    case OURO_FINDER_VALUES:
    case OURO_FINDER_KEYS:
    case OURO_FINDER_TABLE_VALUES:
    case OURO_FINDER_TABLE_KEYS:
        return ouro_finder_unpacked_item(finder, step, value);
    default:
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_GONE, " has no items");
    }
}

/* X[Y] with a key that is an object: it itself, or an equal text or number. */
enum ouro_status ouro_finder_lookup_step(struct ouro_finder *finder, const struct ouro_step *step,
                                         struct ouro_finder_value *value, const struct ouro_finder_value *key)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node dict = value->kind == OURO_FINDER_NAMESPACE ? value->dict
                     : value->kind == OURO_FINDER_OBJECT  ? ouro_finder_mapping_of(model, value->node)
                                                          : OURO_NODE_NONE;
    struct ouro_part_walk walk;
    if (key->kind != OURO_FINDER_OBJECT || !ouro_finder_is_dict(model, dict) ||
        ouro_access_overrides(model, dict, "__getitem__")) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_INVAL, ": a dict and an object as its key were expected");
    }
    size_t size, other_size;
    const unsigned char *bytes = ouro_value_raw(model, key->node, &size);
    unsigned kind = model->types[ouro_heap_model_type(model, key->node)].value_kind;
    bool by_value = ouro_value_has(model, key->node) && kind != OURO_VALUE_NAME &&
                    !(model->heap.flags[key->node] & OURO_OBJECT_VALUE_CUT);
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk))
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++) {
            ouro_node other = model->heap.slots[walk.first + 2 * i + 1];
            if (other >= model->heap.count)
                continue;
            const unsigned char *other_bytes = ouro_value_raw(model, other, &other_size);
            bool same = by_value && ouro_value_has(model, other) && size == other_size &&
                        !(model->heap.flags[other] & OURO_OBJECT_VALUE_CUT) &&
                        model->types[ouro_heap_model_type(model, other)].value_kind == kind &&
                        !memcmp(bytes, other_bytes, size);
            if (other == key->node || same)
                return ouro_finder_put(finder, value, step, model->heap.slots[walk.first + 2 * i]);
        }
    ouro_finder_add_expression(finder, value);
    ouro_buf_addf(ouro_finder_words(finder), " is a dict with %" PRIu64 " keys; none is ",
                  ouro_finder_count_entries(model, dict));
    ouro_finder_add_expression(finder, key);
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

/* [*X], X.values(), X.keys(), set.__iter__(X), dict.values(X), dict.keys(X). */
enum ouro_status ouro_finder_view_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node node = value->kind == OURO_FINDER_NAMESPACE ? value->dict : value->node;
    bool unpack = step->kind == OURO_STEP_UNPACK || step->kind == OURO_STEP_ITER;
    if (step->kind == OURO_STEP_UNPACK && value->kind >= OURO_FINDER_UNPACKED &&
        value->kind <= OURO_FINDER_TABLE_KEYS) {
        value->begin = step->begin;
        value->end = step->end;
        return OURO_OK;
    }
    if (value->kind == OURO_FINDER_NAMESPACE && node == OURO_NODE_NONE) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_BADDATA, ": the order of its attributes is not in the snapshot");
    }
    bool good = value->kind == OURO_FINDER_OBJECT || value->kind == OURO_FINDER_NAMESPACE;
    bool dict = good && ouro_finder_is_dict(model, ouro_finder_mapping_of(model, node));
    bool set = good && (ouro_access_is_kind(model, node, "builtins", "set") ||
                        ouro_access_is_kind(model, node, "builtins", "frozenset"));
    if (!dict && !(unpack && good && (set || ouro_finder_is_sequence(model, node)))) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_INVAL,
                                unpack ? " is nothing whose items are known without running code" : " is no dict");
    }
    if (!is_of_base(finder, step, value, node))
        return ouro_finder_fail(finder, step, OURO_INVAL, "%s", "");
    if (!step->base_size && ouro_access_overrides(model, node,
                                                  unpack                           ? "__iter__"
                                                  : step->kind == OURO_STEP_VALUES ? "values"
                                                                                   : "keys")) {
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(ouro_finder_words(finder), " is ");
        ouro_finder_add_kind(finder, node);
        return ouro_finder_fail(finder, step, OURO_INVAL,
                                ", whose class has its own way to go through it, which would run");
    }
    bool by_table = step->base_size == 4 && !memcmp(finder->expression->text + step->base, "dict", 4);
    enum ouro_finder_kind kind = step->kind == OURO_STEP_VALUES
                                     ? by_table ? OURO_FINDER_TABLE_VALUES : OURO_FINDER_VALUES
                                 : by_table                     ? OURO_FINDER_TABLE_KEYS
                                 : step->kind == OURO_STEP_KEYS ? OURO_FINDER_KEYS
                                                                : OURO_FINDER_UNPACKED;
    *value = (struct ouro_finder_value){kind, node, OURO_NODE_NONE, step->begin, step->end};
    return OURO_OK;
}

enum ouro_status ouro_finder_vars_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value)
{
    ouro_node dict;
    if (value->kind == OURO_FINDER_OBJECT && !ouro_finder_is_pseudo(finder->model, value->node) &&
        ouro_access_has_namespace(finder->model, value->node, &dict)) {
        *value = (struct ouro_finder_value){OURO_FINDER_NAMESPACE, value->node, dict, step->begin, step->end};
        return OURO_OK;
    }
    ouro_finder_add_expression(finder, value);
    if (value->kind != OURO_FINDER_OBJECT)
        return ouro_finder_fail(finder, step, OURO_GONE, " is no object");
    ouro_buf_add_text(ouro_finder_words(finder), " is ");
    ouro_finder_add_kind(finder, value->node);
    return ouro_finder_fail(finder, step, OURO_GONE, "; it has no __dict__");
}

enum ouro_status ouro_finder_call_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    bool weak = value->kind == OURO_FINDER_OBJECT &&
                ouro_heap_model_type_flags(model, ouro_heap_model_type(model, value->node)) & OURO_TYPE_WEAKREF;
    if (!weak) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_INVAL, " would be called: nothing but weak references is");
    }
    ouro_slot_walk_begin(&walk, model, value->node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.edge_class == OURO_EDGE_WEAK && slot.target != OURO_NODE_NONE)
            return ouro_finder_put(finder, value, step, slot.target);
    ouro_finder_add_expression(finder, value);
    return ouro_finder_fail(finder, step, OURO_GONE, " is a weak reference to what is gone");
}

/* X -> label, X -> type: the one object that is reached so. */
enum ouro_status ouro_finder_arrow_step(struct ouro_finder *finder, const struct ouro_step *step,
                                        struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    const char *wanted = finder->expression->text + step->name;
    struct ouro_buf text = {0};
    ouro_node found = OURO_NODE_NONE;
    uint64_t count = 0;
    for (int by_type = 0; by_type < 2 && !count && value->kind <= OURO_FINDER_ROOT; by_type++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        ouro_slot_walk_begin(&walk, model, value->node);
        while (ouro_slot_walk_next(&walk, &slot)) {
            if (slot.target >= model->heap.count || slot.target == found)
                continue;
            uint32_t type = ouro_heap_model_type(model, slot.target);
            text.size = 0;
            if (by_type)
                ouro_buf_add_text(&text, ouro_heap_model_type_name(model, type, NULL));
            else
                ouro_label_add(&text, model, &slot);
            bool same = text.size == step->name_size && text.size && !memcmp(text.data, wanted, text.size);
            bool bracketed = !by_type && text.size + 2 == step->name_size && wanted[0] == '<' && text.size &&
                             !memcmp(text.data, wanted + 1, text.size);
            if (same || bracketed) {
                found = slot.target;
                count++;
            }
        }
    }
    finder->no_memory |= text.failed;
    ouro_buf_fini(&text);
    /* Behind the last arrow may stand what it leads to. */
    if (!count && value->kind == OURO_FINDER_OBJECT &&
        ouro_finder_step_is(finder, step,
                            ouro_heap_model_type_name(model, ouro_heap_model_type(model, value->node), NULL)))
        return ouro_finder_put(finder, value, step, value->node);
    if (count == 1)
        return ouro_finder_put(finder, value, step, found);
    ouro_finder_add_expression(finder, value);
    ouro_buf_addf(ouro_finder_words(finder),
                  count ? " refers to %" PRIu64 " different objects by " : " refers to nothing by ", count);
    ouro_finder_add_step_text(finder, step);
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

enum ouro_status ouro_finder_get_step(struct ouro_finder *finder, const struct ouro_step *step,
                                      struct ouro_finder_value *descriptor, const struct ouro_finder_value *object)
{
    if (descriptor->kind != OURO_FINDER_OBJECT || object->kind != OURO_FINDER_OBJECT ||
        ouro_finder_is_pseudo(finder->model, object->node)) {
        ouro_finder_add_expression(finder, descriptor);
        return ouro_finder_fail(finder, step, OURO_INVAL, " is no descriptor of an object");
    }
    struct ouro_access attribute = ouro_access_of_slot(finder->model, object->node, descriptor->node);
    if (attribute.kind == OURO_ACCESS_FOUND)
        return ouro_finder_put(finder, descriptor, step, attribute.node);
    if (attribute.kind == OURO_ACCESS_NAMESPACE) {
        *descriptor =
            (struct ouro_finder_value){OURO_FINDER_NAMESPACE, object->node, attribute.node, step->begin, step->end};
        return OURO_OK;
    }
    ouro_finder_add_expression(finder, descriptor);
    return ouro_finder_fail(finder, step, attribute.kind == OURO_ACCESS_EMPTY ? OURO_GONE : OURO_INVAL, "%s",
                            attribute.kind == OURO_ACCESS_EMPTY
                                ? " is a slot that holds nothing there"
                                : ".__get__ would run code, or gives what is not in the snapshot");
}
