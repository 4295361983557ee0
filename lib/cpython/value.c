#include "cpython/value.h"

#include <stdio.h>

#include "cpython/dict.h"
#include "cpython/text.h"

#define DIGIT_BITS 30 /* PYLONG_BITS_IN_DIGIT on every 64-bit platform */
#define NAME_MAX_BYTES 1024

/* The digits of an int, their number, its sign; false if it can't be read. */
static bool digits_of(const struct ouro_python *python, ouro_addr object, const unsigned char **digits, uint64_t *count,
                      bool *negative)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, object, 24);
    if (!bytes)
        return false;
    int32_t at = layout->long_digits;
    if (layout->long_tag >= 0) {
        uint64_t tag = ouro_load_u64(bytes + layout->long_tag);
        *count = (tag & 3) == 1 ? 0 : tag >> 3;
        *negative = (tag & 3) == 2;
        at = layout->long_tag_digits;
    } else {
        int64_t size = (int64_t)ouro_load_u64(bytes + layout->ob_size);
        *negative = size < 0;
        *count = size < 0 ? 0 - (uint64_t)size : (uint64_t)size;
    }
    if (*count > (uint64_t)python->image->page_count << OURO_PAGE_BITS)
        return false;
    *digits = *count ? ouro_image_at(python->image, object + (ouro_addr)at, *count * 4) : bytes;
    return *digits != NULL;
}

uint64_t ouro_value_u64(struct ouro_python *python, ouro_addr object)
{
    const unsigned char *digits;
    uint64_t count, value = 0;
    bool negative;
    if (!digits_of(python, object, &digits, &count, &negative) || negative || count > 3)
        return UINT64_MAX;
    for (uint64_t i = count; i--;) {
        if (value >> (64 - DIGIT_BITS))
            return UINT64_MAX;
        value = value << DIGIT_BITS | ouro_load_u32(digits + 4 * i);
    }
    return value;
}

/* Two's complement, little-endian, as short as it can be. */
static bool write_int(const struct ouro_python *python, ouro_addr object, size_t limit, struct ouro_buf *out, bool *cut)
{
    const unsigned char *digits;
    uint64_t count;
    bool negative;
    if (!digits_of(python, object, &digits, &count, &negative))
        return false;
    if (count * DIGIT_BITS / 8 + 2 > limit) {
        *cut = true; /* no digits rather than wrong ones */
        return true;
    }
    size_t start = out->size;
    uint64_t bits = 0;
    unsigned have = 0, carry = negative;
    unsigned char last = 0;
    for (uint64_t i = 0; i < count || have > 0;) {
        if (have < 8 && i < count) {
            bits |= (uint64_t)ouro_load_u32(digits + 4 * i++) << have;
            have += DIGIT_BITS;
        }
        unsigned byte = bits & 255;
        bits >>= 8;
        have = have > 8 ? have - 8 : 0;
        if (negative) {
            byte = (~byte & 255) + carry;
            carry = byte >> 8;
        }
        last = (unsigned char)byte;
        ouro_buf_add_byte(out, last);
    }
    if (out->size > start && (last >> 7) != (unsigned)negative)
        ouro_buf_add_byte(out, negative ? 255 : 0);
    while (out->size > start) {
        unsigned char top = out->data[out->size - 1];
        unsigned char below = out->size - start > 1 ? out->data[out->size - 2] : 0;
        bool spare = (top == 0 && !(below >> 7)) || (top == 255 && out->size - start > 1 && below >> 7);
        if (!spare)
            break;
        out->size--;
    }
    return true;
}

static bool write_str(const struct ouro_python *python, ouro_addr object, size_t limit, struct ouro_buf *out, bool *cut)
{
    struct ouro_str str;
    if (!object || !ouro_str_read(python, object, &str))
        return false;
    size_t most = str.ascii ? (size_t)str.length : (size_t)str.length * 4; /* UTF-8 of one character */
    if (most > limit)
        most = limit;
    if (!ouro_buf_reserve(out, most))
        return false;
    bool more = false;
    out->size += ouro_str_utf8(&str, out->data + out->size, most, &more);
    *cut = *cut || more;
    return true;
}

static bool write_bytes(const struct ouro_python *python, ouro_addr object, size_t limit, struct ouro_buf *out, bool *cut)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *head = ouro_image_at(python->image, object, (uint64_t)layout->bytes_sval);
    if (!head)
        return false;
    uint64_t size = ouro_load_u64(head + layout->ob_size);
    *cut = size > limit;
    if (*cut)
        size = limit;
    const unsigned char *bytes = size ? ouro_image_at(python->image, object + (ouro_addr)layout->bytes_sval, size) : head;
    if (!bytes)
        return false;
    ouro_buf_add(out, bytes, size);
    return true;
}

void ouro_value_write_code(struct ouro_python *python, ouro_addr code, ouro_addr qualname, bool bare_names, uint32_t line,
                           struct ouro_buf *out)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, code, (uint64_t)layout->code_adaptive);
    bool cut = false;
    if (!bytes) {
        write_str(python, qualname, NAME_MAX_BYTES, out, &cut);
        return;
    }
    if (!qualname)
        qualname = ouro_load_u64(bytes + layout->code_qualname);
    write_str(python, qualname, NAME_MAX_BYTES, out, &cut);
    if (bare_names)
        return;
    ouro_buf_add_text(out, " (");
    write_str(python, ouro_load_u64(bytes + layout->code_filename), NAME_MAX_BYTES, out, &cut);
    ouro_buf_addf(out, ":%u)", line ? line : ouro_load_u32(bytes + layout->code_firstlineno));
}

static bool write_name(struct ouro_python *python, const struct ouro_type *type, ouro_addr object, bool bare_names,
                       struct ouro_buf *out)
{
    const struct ouro_layout *layout = python->layout;
    bool cut = false;
    switch ((enum ouro_named)type->named) {
    case OURO_NAMED_FUNCTION:
        ouro_value_write_code(python, ouro_python_word(python, object + (ouro_addr)layout->function_code),
                              ouro_python_word(python, object + (ouro_addr)layout->function_qualname), bare_names, 0, out);
        return true;
    case OURO_NAMED_CODE:
        ouro_value_write_code(python, object, 0, bare_names, 0, out);
        return true;
    case OURO_NAMED_BUILTIN: {
        char name[256] = "";
        ouro_addr definition = ouro_python_word(python, object + (ouro_addr)layout->cfunction_ml), at = 0;
        if (ouro_space_read(&python->image->space, definition + (ouro_addr)layout->methoddef_name, &at, 8) != OURO_OK ||
            ouro_space_read_text(&python->image->space, at, name, sizeof name) != OURO_OK)
            return false;
        ouro_buf_add_text(out, name);
        return true;
    }
    case OURO_NAMED_TYPE: {
        char name[OURO_TYPE_NAME_MAX];
        if (!ouro_type_full_name(python, object, name, sizeof name))
            return false;
        ouro_buf_add_text(out, name);
        return true;
    }
    case OURO_NAMED_MODULE: {
        ouro_addr dict = ouro_python_word(python, object + (ouro_addr)layout->module_dict);
        ouro_addr name = ouro_python_dict_get(python, dict, "__name__");
        return write_str(python, name, NAME_MAX_BYTES, out, &cut);
    }
    case OURO_NAMED_NOT:
        break;
    }
    return false;
}

bool ouro_value_write(struct ouro_python *python, const struct ouro_type *type, ouro_addr object, size_t limit,
                      bool bare_names, struct ouro_buf *out, bool *cut)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes;
    *cut = false;
    switch ((enum ouro_value)type->value) {
    case OURO_OF_STR:
        return write_str(python, object, limit, out, cut);
    case OURO_OF_BYTES:
        return write_bytes(python, object, limit, out, cut);
    case OURO_OF_INT:
        return write_int(python, object, limit, out, cut);
    case OURO_OF_FLOAT:
    case OURO_OF_COMPLEX: {
        size_t size = type->value == OURO_OF_FLOAT ? 8 : 16;
        int32_t at = type->value == OURO_OF_FLOAT ? layout->float_fval : layout->complex_cval;
        bytes = ouro_image_at(python->image, object + (ouro_addr)at, size);
        if (bytes)
            ouro_buf_add(out, bytes, size);
        return bytes != NULL;
    }
    case OURO_OF_BOOL:
        ouro_buf_add_byte(out, object == python->true_object);
        return true;
    case OURO_OF_NONE:
        return true;
    case OURO_OF_NAME:
        return write_name(python, type, object, bare_names, out);
    case OURO_OF_NOTHING:
        break;
    }
    return false;
}
