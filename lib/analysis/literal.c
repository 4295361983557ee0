#include "analysis/literal.h"

#include <math.h>

#include "analysis/lookup.h"
#include "analysis/value.h"
#include "base/utf8.h"

#define INT_BYTES_MAX 1000 /* the interpreter reads 4300 digits at most */
#define TUPLE_ITEMS_MAX 64
#define TUPLE_DEPTH_MAX 8

/* Of exactly this type: others may compare as they like. */
static bool is_builtin(const struct ouro_heap_model *model, uint32_t type)
{
    static const char *const names[] = {"str", "bytes", "int", "float", "complex", "bool", "NoneType"};
    if (strcmp(ouro_heap_model_type_module(model, type, NULL), "builtins"))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(ouro_heap_model_type_name(model, type, NULL), names[i]))
            return true;
    return false;
}

static bool is_whole_text(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0, length; i < size; i += length)
        if (ouro_utf8_next(bytes + i, size - i, &length) == OURO_UTF8_INVALID)
            return false;
    return true;
}

static bool is_finite(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i += 8) {
        double value;
        memcpy(&value, bytes + i, sizeof value);
        if (!isfinite(value))
            return false;
    }
    return true;
}

static bool add_scalar(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key)
{
    size_t size;
    uint32_t type = ouro_heap_model_type(model, key);
    const unsigned char *bytes = ouro_value_raw(model, key, &size);
    if (!ouro_value_has(model, key) || model->heap.flags[key] & OURO_OBJECT_VALUE_CUT)
        return false;
    switch (model->types[type].value_kind) {
    case OURO_VALUE_STR:
        if (size > OURO_LITERAL_BYTES_MAX || !is_whole_text(bytes, size))
            return false;
        break;
    case OURO_VALUE_BYTES:
        if (size > OURO_LITERAL_BYTES_MAX)
            return false;
        break;
    case OURO_VALUE_INT:
        if (size > INT_BYTES_MAX)
            return false;
        break;
    case OURO_VALUE_FLOAT:
    case OURO_VALUE_COMPLEX:
        if (!is_finite(bytes, size))
            return false;
        break;
    case OURO_VALUE_BOOL:
    case OURO_VALUE_NULL:
        break;
    default:
        return false;
    }
    return ouro_value_add(out, model, key, SIZE_MAX);
}

static bool add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key, unsigned depth)
{
    uint32_t type = key < model->heap.count ? ouro_heap_model_type(model, key) : OURO_TYPE_NONE;
    if (type >= model->type_count)
        return false;
    if (is_builtin(model, type))
        return add_scalar(out, model, key);
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, key);
    if (type != model->tuple_type || depth == TUPLE_DEPTH_MAX || shape->part_count != 1 ||
        shape->parts[0].kind != OURO_PART_ITEMS_DOWN || model->heap.flags[key] & OURO_OBJECT_TORN)
        return false;
    uint64_t begin = model->heap.slot_begin[key], end = model->heap.slot_begin[key + 1];
    if (end - begin > TUPLE_ITEMS_MAX)
        return false;
    ouro_buf_add_byte(out, '(');
    for (uint64_t i = end; i-- > begin;) {
        if (i + 1 < end)
            ouro_buf_add_text(out, ", ");
        if (!add(out, model, model->heap.slots[i], depth + 1))
            return false;
    }
    ouro_buf_add_text(out, end - begin == 1 ? ",)" : ")");
    return true;
}

bool ouro_literal_add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key)
{
    size_t before = out->size;
    if (add(out, model, key, 0) && out->size - before <= 8 * OURO_LITERAL_BYTES_MAX)
        return true;
    out->size = before;
    return false;
}
