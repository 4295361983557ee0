/* Whether a literal and a key are equal. */
#include <math.h>
#include <string.h>

#include "analysis/constant.h"
#include "analysis/lookup.h"
#include "analysis/value.h"

#define TUPLE_COMPARES_MAX 4096 /* items of keys, so that nested tuples of a hostile file come to an end */

/* A number of either side: an int's bytes, or what is no whole number. */
struct number {
    bool whole;
    double real, imaginary;
    size_t size;
    unsigned char bytes[8 + 1024 / 8];
    const unsigned char *at;
};

static size_t shorten(const unsigned char *bytes, size_t size)
{
    while (size > 1 &&
           ((bytes[size - 1] == 0 && !(bytes[size - 2] & 0x80)) || (bytes[size - 1] == 0xff && bytes[size - 2] & 0x80)))
        size--;
    return size == 1 && !bytes[0] ? 0 : size;
}

static void number_of_int(struct number *number, const unsigned char *bytes, size_t size)
{
    number->whole = true;
    number->at = bytes;
    number->size = shorten(bytes, size);
}

/* A whole float is the int that it equals: 53 bits, moved up to 971 further. */
static void number_of_float(struct number *number, double real, double imaginary)
{
    *number = (struct number){.real = real, .imaginary = imaginary};
    if (imaginary != 0 || !isfinite(real) || real != floor(real))
        return;
    int exponent;
    double mantissa = frexp(fabs(real), &exponent);
    uint64_t digits = (uint64_t)ldexp(mantissa, 53);
    int shift = exponent - 53;
    if (shift < 0) {
        digits >>= shift > -64 ? -shift : 63;
        shift = 0;
    }
    size_t size = sizeof number->bytes;
    for (unsigned i = 0; i < 64; i++)
        if (digits >> i & 1)
            number->bytes[((unsigned)shift + i) / 8] |= (unsigned char)(1u << ((unsigned)shift + i) % 8);
    unsigned carry = 1;
    for (size_t i = 0; real < 0 && i < size; i++) {
        carry += (unsigned char)~number->bytes[i];
        number->bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
    number_of_int(number, number->bytes, size);
}

static bool equal_numbers(const struct number *a, const struct number *b)
{
    if (a->whole != b->whole)
        return false;
    if (a->whole)
        return a->size == b->size && !memcmp(a->at, b->at, a->size);
    return a->real == b->real && a->imaginary == b->imaginary;
}

/* Whether objects of this class compare and hash as those of the builtin type that it derives from. */
static bool is_plain(struct ouro_constant_matcher *matcher, uint32_t type)
{
    static const char *const names[] = {"__eq__", "__hash__"};
    const struct ouro_heap_model *model = matcher->model;
    if (!(ouro_heap_model_type_flags(model, type) & OURO_TYPE_HEAP))
        return true;
    if (matcher->type_known == type + 1)
        return matcher->type_plain;
    matcher->type_known = type + 1;
    matcher->type_plain = true;
    for (size_t i = 0; i < 2; i++) {
        struct ouro_map known = {0};
        ouro_node method = ouro_lookup_method(model, type, names[i], &known);
        ouro_map_fini(&known);
        if (method < model->heap.count &&
            strcmp(ouro_heap_model_type_name(model, ouro_heap_model_type(model, method), NULL), "wrapper_descriptor"))
            matcher->type_plain = false;
    }
    return matcher->type_plain;
}

static enum ouro_constant_match match_bytes(const struct ouro_constants *literals, const struct ouro_constant *literal,
                                            const unsigned char *bytes, size_t size, bool cut)
{
    const unsigned char *own = ouro_constant_bytes(literals, literal);
    if (cut && literal->size >= size && (!size || !memcmp(own, bytes, size)))
        return OURO_CONSTANT_UNTOLD;
    return !cut && literal->size == size && (!size || !memcmp(own, bytes, size)) ? OURO_CONSTANT_EQUALS
                                                                                 : OURO_CONSTANT_DIFFERS;
}

/* What a type's values are; tuples and Ellipsis have none of their own. */
static bool can_be(const struct ouro_constant *literal, unsigned kind)
{
    switch (kind) {
    case OURO_VALUE_STR:
        return literal->kind == OURO_CONSTANT_STR;
    case OURO_VALUE_BYTES:
        return literal->kind == OURO_CONSTANT_BYTES;
    case OURO_VALUE_INT:
    case OURO_VALUE_FLOAT:
    case OURO_VALUE_BOOL:
    case OURO_VALUE_COMPLEX:
        return literal->kind == OURO_CONSTANT_INT || literal->kind == OURO_CONSTANT_FLOAT;
    case OURO_VALUE_NULL:
        return literal->kind == OURO_CONSTANT_NONE;
    default:
        return false;
    }
}

static enum ouro_constant_match match_number(const struct ouro_constants *literals, const struct ouro_constant *literal,
                                             unsigned kind, const unsigned char *bytes, size_t size, bool cut)
{
    struct number own = {0}, other = {0};
    if (cut)
        return literal->kind == OURO_CONSTANT_INT && literal->size >= size ? OURO_CONSTANT_UNTOLD
                                                                           : OURO_CONSTANT_DIFFERS;
    if (literal->kind == OURO_CONSTANT_INT)
        number_of_int(&own, ouro_constant_bytes(literals, literal), literal->size);
    else
        number_of_float(&own, literal->real, literal->imaginary);
    if (kind == OURO_VALUE_INT || kind == OURO_VALUE_BOOL)
        number_of_int(&other, bytes, size);
    else if (kind == OURO_VALUE_FLOAT && size == 8)
        number_of_float(&other, ouro_value_double(bytes), 0);
    else if (kind == OURO_VALUE_COMPLEX && size == 16)
        number_of_float(&other, ouro_value_double(bytes), ouro_value_double(bytes + 8));
    else
        return OURO_CONSTANT_UNTOLD;
    return equal_numbers(&own, &other) ? OURO_CONSTANT_EQUALS : OURO_CONSTANT_DIFFERS;
}

static enum ouro_constant_match match_scalar(struct ouro_constant_matcher *matcher, const struct ouro_constant *literal,
                                             ouro_node key)
{
    const struct ouro_heap_model *model = matcher->model;
    uint32_t type = ouro_heap_model_type(model, key);
    if (type >= model->type_count)
        return OURO_CONSTANT_UNTOLD;
    unsigned kind = model->types[type].value_kind;
    if (literal->kind == OURO_CONSTANT_ELLIPSIS)
        return ouro_lookup_is_type(model, type, "builtins", "ellipsis") ? OURO_CONSTANT_EQUALS : OURO_CONSTANT_DIFFERS;
    if (!can_be(literal, kind))
        return OURO_CONSTANT_DIFFERS;
    if (kind == OURO_VALUE_NULL)
        return OURO_CONSTANT_EQUALS;
    if (!is_plain(matcher, type) || !ouro_value_has(model, key))
        return OURO_CONSTANT_UNTOLD;
    size_t size;
    const unsigned char *bytes = ouro_value_raw(model, key, &size);
    bool cut = model->heap.flags[key] & OURO_OBJECT_VALUE_CUT;
    if (kind == OURO_VALUE_STR || kind == OURO_VALUE_BYTES)
        return match_bytes(matcher->literals, literal, bytes, size, cut);
    return match_number(matcher->literals, literal, kind, bytes, size, cut);
}

/* The items of a tuple, when it is one: its one run of items. */
static bool tuple_items(const struct ouro_heap_model *model, ouro_node node, uint64_t *begin, uint64_t *count,
                        bool *down)
{
    uint32_t type = ouro_heap_model_type(model, node);
    for (unsigned depth = 0; type != model->tuple_type; depth++) {
        if (type >= model->type_count || depth == 64)
            return false;
        type = model->types[type].base;
    }
    struct ouro_part_walk walk;
    ouro_part_walk_begin(&walk, model, node);
    *count = 0;
    while (ouro_part_walk_next(&walk))
        if (walk.part->kind == OURO_PART_ITEMS || walk.part->kind == OURO_PART_ITEMS_DOWN) {
            *begin = walk.first;
            *count = walk.item_count;
            *down = walk.part->kind == OURO_PART_ITEMS_DOWN;
            break;
        }
    return true;
}

enum ouro_constant_match ouro_constant_compare(struct ouro_constant_matcher *matcher, uint32_t index, ouro_node key)
{
    const struct ouro_heap_model *model = matcher->model;
    const struct ouro_constants *literals = matcher->literals;
    struct {
        uint64_t begin, count, at;
        bool down;
    } opens[OURO_CONSTANT_DEPTH_MAX + 1];
    size_t depth = 0;
    enum ouro_constant_match result = OURO_CONSTANT_EQUALS;
    const uint32_t end = literals->items[index].end;
    for (uint32_t compared = 0; index < end; index++) {
        const struct ouro_constant *literal = &literals->items[index];
        if (key >= model->heap.count || ++compared > TUPLE_COMPARES_MAX)
            return OURO_CONSTANT_UNTOLD;
        if (literal->kind == OURO_CONSTANT_TUPLE) {
            uint64_t begin = 0, count = 0;
            bool down = false;
            if (!tuple_items(model, key, &begin, &count, &down) || count != literal->count)
                return OURO_CONSTANT_DIFFERS;
            if (!is_plain(matcher, ouro_heap_model_type(model, key)))
                result = OURO_CONSTANT_UNTOLD;
            opens[depth].begin = begin;
            opens[depth].count = count;
            opens[depth].at = 0;
            opens[depth++].down = down;
        } else {
            enum ouro_constant_match match = match_scalar(matcher, literal, key);
            if (match == OURO_CONSTANT_DIFFERS)
                return match;
            result = match == OURO_CONSTANT_UNTOLD ? match : result;
        }
        while (depth && opens[depth - 1].at == opens[depth - 1].count)
            depth--;
        if (depth) {
            uint64_t i = opens[depth - 1].at++;
            key = model->heap
                      .slots[opens[depth - 1].begin + (opens[depth - 1].down ? opens[depth - 1].count - 1 - i : i)];
        }
    }
    return result;
}
