#include "render/text.h"

#include "base/utf8.h"

void ouro_text_add(struct ouro_buf *out, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0, length; i < size; i += length) {
        uint32_t code = ouro_utf8_next(at + i, size - i, &length);
        if (code == OURO_UTF8_INVALID)
            ouro_buf_addf(out, "\\x%02x", at[i]);
        else if (ouro_utf8_is_printable(code))
            ouro_buf_add(out, at + i, length);
        else if (code == '\n' || code == '\t' || code == '\r')
            ouro_buf_addf(out, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
        else
            ouro_buf_addf(out, code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
    }
}

void ouro_text_add_buf(struct ouro_buf *out, const struct ouro_buf *text)
{
    out->failed |= text->failed;
    ouro_text_add(out, text->data, text->size);
}

size_t ouro_text_width(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t width = 0;
    for (size_t i = 0, length; i < size; i += length) {
        uint32_t code = ouro_utf8_next(at + i, size - i, &length);
        width += code == OURO_UTF8_INVALID ? 1 : ouro_utf8_width(code);
    }
    return width;
}

size_t ouro_text_fit(const void *bytes, size_t size, size_t width)
{
    const unsigned char *at = bytes;
    size_t used = 0, i = 0;
    for (size_t length; i < size; i += length) {
        uint32_t code = ouro_utf8_next(at + i, size - i, &length);
        used += code == OURO_UTF8_INVALID ? 1 : ouro_utf8_width(code);
        if (used > width)
            break;
    }
    return i;
}

void ouro_text_add_size(struct ouro_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    if (unit)
        ouro_buf_addf(out, "%.1f %s", value, units[unit]);
    else
        ouro_buf_addf(out, "%llu B", (unsigned long long)bytes);
}

void ouro_text_add_count(struct ouro_buf *out, uint64_t count)
{
    char digits[32];
    size_t at = sizeof digits, written = 0;
    do {
        if (written && written % 3 == 0)
            digits[--at] = ',';
        digits[--at] = (char)('0' + count % 10);
        written++;
    } while (count /= 10);
    ouro_buf_add(out, digits + at, sizeof digits - at);
}
