#include "analysis/value.h"

#include <string.h>

#define TUPLE_ITEMS_MAX 8
#define TUPLE_DEPTH_MAX 3

static void add_decimal(struct ouro_buf *out, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do
        digits[sizeof digits - ++count] = (char)('0' + value % 10);
    while (value /= 10);
    ouro_buf_add(out, digits + sizeof digits - count, count);
}

static void add_hex(struct ouro_buf *out, uint64_t value)
{
    char digits[16];
    size_t at = sizeof digits;
    do
        digits[--at] = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    ouro_buf_add(out, digits + at, sizeof digits - at);
}

static void add_index(struct ouro_buf *out, uint64_t index)
{
    ouro_buf_add_byte(out, '[');
    add_decimal(out, index);
    ouro_buf_add_byte(out, ']');
}

static void add_unknown(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    const char *name = ouro_heap_model_type_name(model, ouro_heap_model_type(model, node), &size);
    ouro_buf_add(out, name, size);
    ouro_buf_add(out, " #0x", 4);
    add_hex(out, model->heap.addr[node]);
}

static bool is_scalar(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(model, node);
    return ouro_value_has(model, node) && model->types[type].value_kind != OURO_VALUE_NAME;
}

static void add_key(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key, unsigned depth);

/* A tuple is a key as often as a scalar (caches keyed by arguments). Items lie in the file from the last to the
 * first. */
static bool add_tuple(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key, unsigned depth)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, key);
    if (shape->type != model->tuple_type || shape->type == OURO_TYPE_NONE || depth >= TUPLE_DEPTH_MAX ||
        shape->part_count != 1)
        return false;
    bool down = shape->parts[0].kind == OURO_PART_ITEMS_DOWN;
    uint64_t begin = model->heap.slot_begin[key], count = model->heap.slot_begin[key + 1] - begin;
    if (!down && shape->parts[0].kind != OURO_PART_ITEMS)
        return false;
    ouro_buf_add_byte(out, '(');
    for (uint64_t i = 0; i < count; i++) {
        ouro_node item = model->heap.slots[begin + (down ? count - 1 - i : i)];
        if (i)
            ouro_buf_add_text(out, ", ");
        if (i == TUPLE_ITEMS_MAX) {
            ouro_buf_add_text(out, "...");
            break;
        }
        add_key(out, model, item, depth + 1);
    }
    ouro_buf_add_text(out, count == 1 ? ",)" : ")");
    return true;
}

static void add_key(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key, unsigned depth)
{
    if (key == OURO_NODE_NONE)
        ouro_buf_add_byte(out, '?');
    else if (is_scalar(model, key) && ouro_value_add(out, model, key, OURO_LABEL_KEY_BYTES))
        return;
    else if (!add_tuple(out, model, key, depth))
        add_unknown(out, model, key);
}

void ouro_label_key(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key)
{
    add_key(out, model, key, 0);
}

static void add_wrapped(struct ouro_buf *out, const struct ouro_heap_model *model, const char *open, ouro_node key,
                        const char *close)
{
    ouro_buf_add_text(out, open);
    add_key(out, model, key, 0);
    ouro_buf_add_text(out, close);
}

static bool is_identifier(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = bytes[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && c != '_' && c < 0x80 && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return size > 0;
}

/* The value behind a key of a __dict__: an attribute, as long as its name can be one. */
static void add_attribute(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key)
{
    if (key != OURO_NODE_NONE && is_scalar(model, key) && !(model->heap.flags[key] & OURO_OBJECT_VALUE_CUT) &&
        model->types[ouro_heap_model_type(model, key)].value_kind == OURO_VALUE_STR) {
        size_t size;
        const unsigned char *bytes = ouro_value_raw(model, key, &size);
        if (size <= OURO_LABEL_KEY_BYTES && is_identifier(bytes, size)) {
            ouro_buf_add_byte(out, '.');
            ouro_buf_add(out, bytes, size);
            return;
        }
    }
    add_wrapped(out, model, "[", key, "]");
}

static void add_name(struct ouro_buf *out, const struct ouro_heap_model *model, const struct ouro_part *part)
{
    size_t size;
    const char *name = ouro_snapshot_string(model->snapshot, part->name, &size);
    if (name)
        ouro_buf_add(out, name, size);
}

void ouro_label_add(struct ouro_buf *out, const struct ouro_heap_model *model, const struct ouro_slot *slot)
{
    const struct ouro_part *part = slot->part;
    switch (part->kind) {
    case OURO_PART_TYPE:
        if (!part->name) {
            ouro_buf_add_text(out, "__class__");
            break;
        }
        /* fall through */
    case OURO_PART_FIELD:
        add_name(out, model, part);
        break;
    case OURO_PART_ITEMS:
        add_index(out, slot->item);
        break;
    case OURO_PART_ITEMS_DOWN:
        add_index(out, slot->item_count - 1 - slot->item);
        break;
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
        if (slot->place == 1)
            add_wrapped(out, model, "<key ", slot->target, ">");
        else if (part->kind == OURO_PART_NAMESPACE || part->kind == OURO_PART_NAMESPACE_ANY)
            add_attribute(out, model, slot->key);
        else
            add_wrapped(out, model, "[", slot->key, "]");
        break;
    case OURO_PART_KEYS:
        add_wrapped(out, model, "<key ", slot->target, ">");
        break;
    case OURO_PART_ELEMENTS:
        add_wrapped(out, model, "<element ", slot->target, ">");
        break;
    case OURO_PART_STACK:
        ouro_buf_add_text(out, "<stack");
        add_index(out, slot->item);
        ouro_buf_add_byte(out, '>');
        break;
    case OURO_PART_LINKS:
        if (slot->place == 0)
            add_wrapped(out, model, "<key ", slot->target, ">");
        else if (slot->place == 1)
            add_wrapped(out, model, "<result for ", slot->key, ">");
        else
            ouro_buf_add_text(out, "<type of link>");
        break;
    default: /* FOUND, NAMED */
        add_name(out, model, part);
        add_index(out, slot->item);
        break;
    }
}
