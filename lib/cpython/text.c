#include "cpython/text.h"

#define STATE_KIND(state) ((state) >> 2 & 7)
#define STATE_COMPACT 0x20u
#define STATE_ASCII 0x40u

bool ouro_str_read(const struct ouro_python *python, ouro_addr addr, struct ouro_str *str)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *head = addr & 7 ? NULL : ouro_image_at(python->image, addr, (uint64_t)layout->ascii_sizeof);
    if (!head)
        return false;
    uint32_t state = ouro_load_u32(head + layout->ascii_state);
    str->full_length = str->length = ouro_load_u64(head + layout->ascii_length);
    str->kind = STATE_KIND(state);
    str->ascii = (state & STATE_ASCII) != 0;
    if (str->kind != 1 && str->kind != 2 && str->kind != 4)
        return false;
    if (str->length > (uint64_t)python->image->page_count << OURO_PAGE_BITS)
        return false;
    ouro_addr data = addr + (ouro_addr)(str->ascii ? layout->ascii_sizeof : layout->compact_sizeof);
    if (!(state & STATE_COMPACT))
        data = ouro_python_word(python, addr + (ouro_addr)layout->unicode_data);
    if (!str->length) {
        str->data = head;
        return true;
    }
    str->data = ouro_image_at(python->image, data, str->length * str->kind);
    if (!str->data && str->length > 256) { /* a long one may lack its end (a hole): its beginning serves as well */
        str->length = 256;
        str->data = ouro_image_at(python->image, data, str->length * str->kind);
    }
    return str->data != NULL;
}

static uint32_t character(const struct ouro_str *str, uint64_t i)
{
    if (str->kind == 1)
        return str->data[i];
    if (str->kind == 2)
        return (uint32_t)(str->data[2 * i] | str->data[2 * i + 1] << 8);
    return ouro_load_u32(str->data + 4 * i);
}

size_t ouro_str_utf8(const struct ouro_str *str, unsigned char *out, size_t capacity, bool *cut)
{
    *cut = str->length < str->full_length;
    if (!str->length)
        return 0;
    if (str->ascii) {
        size_t size = str->length < capacity ? (size_t)str->length : capacity;
        if (size)
            memcpy(out, str->data, size);
        *cut = *cut || size < str->length;
        return size;
    }
    size_t size = 0;
    for (uint64_t i = 0; i < str->length; i++) {
        uint32_t c = character(str, i);
        size_t need = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        if (capacity - size < need || c > 0x10ffff) {
            *cut = true;
            break;
        }
        if (need == 1) {
            out[size] = (unsigned char)c;
        } else if (need == 2) {
            out[size] = (unsigned char)(0xc0 | c >> 6);
        } else if (need == 3) {
            out[size] = (unsigned char)(0xe0 | c >> 12);
        } else {
            out[size] = (unsigned char)(0xf0 | c >> 18);
        }
        for (size_t k = 1; k < need; k++)
            out[size + k] = (unsigned char)(0x80 | (c >> (6 * (need - 1 - k)) & 0x3f));
        size += need;
    }
    return size;
}
