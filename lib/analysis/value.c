#include "analysis/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define INT_BYTES_MAX 2048

static void add_hex(struct ouro_buf *out, char letter, uint32_t value, int digits)
{
    ouro_buf_addf(out, "\\%c%0*x", letter, digits, value);
}

/* True when it was one of the characters that repr treats alike in str and bytes. */
static bool add_common(struct ouro_buf *out, uint32_t code, char quote)
{
    char letter = code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : 0;
    if (code == (unsigned char)quote || code == '\\')
        letter = (char)code;
    if (!letter)
        return false;
    ouro_buf_add_byte(out, '\\');
    ouro_buf_add_byte(out, (unsigned char)letter);
    return true;
}

static char quote_for(const unsigned char *bytes, size_t size)
{
    return size && memchr(bytes, '\'', size) && !memchr(bytes, '"', size) ? '"' : '\'';
}

static void add_end(struct ouro_buf *out, char quote, bool cut)
{
    if (cut)
        ouro_buf_add_text(out, "...");
    ouro_buf_add_byte(out, (unsigned char)quote);
    if (cut)
        ouro_buf_add_text(out, " (cut)");
}

void ouro_value_str(struct ouro_buf *out, const unsigned char *bytes, size_t size, size_t most, bool cut)
{
    if (size > most) {
        /* Not in the middle of a character. */
        for (size = most; size && (bytes[size] & 0xc0) == 0x80; size--)
            ;
        cut = true;
    }
    char quote = quote_for(bytes, size);
    ouro_buf_add_byte(out, (unsigned char)quote);
    for (size_t i = 0, length; i < size; i += length) {
        size_t plain = i;
        while (plain < size && bytes[plain] >= 0x20 && bytes[plain] < 0x7f && bytes[plain] != '\\' &&
               bytes[plain] != (unsigned char)quote)
            plain++;
        ouro_buf_add(out, bytes + i, plain - i);
        if ((i = plain) == size)
            break;
        uint32_t code = ouro_utf8_next(bytes + i, size - i, &length);
        if (code == OURO_UTF8_INVALID)
            add_hex(out, 'x', bytes[i], 2);
        else if (add_common(out, code, quote))
            continue;
        else if (ouro_utf8_is_printable(code))
            ouro_buf_add(out, bytes + i, length);
        else if (code < 0x100)
            add_hex(out, 'x', code, 2);
        else if (code < 0x10000)
            add_hex(out, 'u', code, 4);
        else
            add_hex(out, 'U', code, 8);
    }
    add_end(out, quote, cut);
}

void ouro_value_bytes(struct ouro_buf *out, const unsigned char *bytes, size_t size, size_t most, bool cut)
{
    if (size > most) {
        size = most;
        cut = true;
    }
    char quote = quote_for(bytes, size);
    ouro_buf_add_byte(out, 'b');
    ouro_buf_add_byte(out, (unsigned char)quote);
    for (size_t i = 0; i < size; i++) {
        if (add_common(out, bytes[i], quote))
            continue;
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
            ouro_buf_add_byte(out, bytes[i]);
        else
            add_hex(out, 'x', bytes[i], 2);
    }
    add_end(out, quote, cut);
}

static void add_big_int(struct ouro_buf *out, const unsigned char *bytes, size_t size, bool negative)
{
    uint32_t words[INT_BYTES_MAX / 4 + 1] = {0}, groups[INT_BYTES_MAX * 8 / 29 + 2];
    size_t word_count = (size + 3) / 4, group_count = 0;
    unsigned carry = negative; /* the magnitude: all bits turned round, plus one */
    for (size_t i = 0; i < size; i++) {
        unsigned byte = (negative ? (unsigned char)~bytes[i] : bytes[i]) + carry;
        words[i / 4] |= (byte & 0xff) << (8 * (i % 4));
        carry = byte >> 8;
    }
    if (carry)
        words[word_count++] = 1; /* -2**(8 * size); room for it is kept above */
    while (word_count && !words[word_count - 1])
        word_count--;
    while (word_count) {
        uint64_t rest = 0;
        for (size_t i = word_count; i--;) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / 1000000000u);
            rest %= 1000000000u;
        }
        groups[group_count++] = (uint32_t)rest;
        while (word_count && !words[word_count - 1])
            word_count--;
    }
    ouro_buf_addf(out, "%s%u", negative ? "-" : "", group_count ? groups[group_count - 1] : 0);
    for (size_t i = group_count; i > 1; i--)
        ouro_buf_addf(out, "%09u", groups[i - 2]);
}

static void add_int(struct ouro_buf *out, uint64_t value, bool negative)
{
    char digits[21];
    size_t at = sizeof digits;
    uint64_t magnitude = negative ? -value : value;
    do
        digits[--at] = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    if (negative)
        digits[--at] = '-';
    ouro_buf_add(out, digits + at, sizeof digits - at);
}

void ouro_value_int(struct ouro_buf *out, const unsigned char *bytes, size_t size, bool cut)
{
    bool negative = size && bytes[size - 1] & 0x80;
    if (cut) {
        ouro_buf_addf(out, "<int of more than %zu bits>", size * 8);
    } else if (size > INT_BYTES_MAX) {
        ouro_buf_addf(out, "<int of about %zu bits>", size * 8);
    } else if (size > 8) {
        add_big_int(out, bytes, size, negative);
    } else {
        uint64_t value = negative ? UINT64_MAX : 0;
        for (size_t i = size; i--;)
            value = value << 8 | bytes[i];
        add_int(out, value, negative);
    }
}

void ouro_value_float(struct ouro_buf *out, double value)
{
    if (isnan(value) || isinf(value)) {
        ouro_buf_add_text(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    /* 15 digits are always kept by a normal double, so fewer are found by dropping zeros; subnormals have fewer. */
    char text[40];
    int digits = value != 0 && fabs(value) < 2.3e-308 ? 1 : 15;
    do
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
    while (strtod(text, NULL) != value && ++digits <= 17);
    char *exponent_at = strchr(text, 'e');
    int exponent = atoi(exponent_at + 1);
    char *start = text;
    if (*start == '-') {
        ouro_buf_add_byte(out, '-');
        start++;
    }
    char mantissa[24];
    int count = 0;
    for (char *p = start; p < exponent_at; p++)
        if (*p != '.')
            mantissa[count++] = *p;
    while (count > 1 && mantissa[count - 1] == '0')
        count--;
    if (exponent < -4 || exponent >= 16) {
        ouro_buf_add_byte(out, (unsigned char)mantissa[0]);
        if (count > 1)
            ouro_buf_addf(out, ".%.*s", count - 1, mantissa + 1);
        ouro_buf_addf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    } else if (exponent < 0) {
        ouro_buf_addf(out, "0.%.*s%.*s", -exponent - 1, "0000", count, mantissa);
    } else if (count <= exponent + 1) {
        ouro_buf_addf(out, "%.*s%.*s.0", count, mantissa, exponent + 1 - count, "0000000000000000");
    } else {
        ouro_buf_addf(out, "%.*s.%.*s", exponent + 1, mantissa, count - exponent - 1, mantissa + exponent + 1);
    }
}

double ouro_value_double(const unsigned char *bytes)
{
    uint64_t bits = 0;
    double value;
    for (size_t i = 8; i--;)
        bits = bits << 8 | bytes[i];
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void add_complex(struct ouro_buf *out, double real, double imaginary)
{
    /* As complex_repr: integral parts without ".0", no parentheses where the real part is +0. */
    struct ouro_buf parts[2] = {{0}};
    bool pure = real == 0 && !signbit(real);
    ouro_value_float(&parts[0], real);
    ouro_value_float(&parts[1], imaginary);
    for (int i = 0; i < 2; i++)
        if (parts[i].size > 2 && !memcmp(parts[i].data + parts[i].size - 2, ".0", 2))
            parts[i].size -= 2;
    if (!pure) {
        ouro_buf_add_byte(out, '(');
        ouro_buf_add(out, parts[0].data, parts[0].size);
        if (parts[1].size && parts[1].data[0] != '-')
            ouro_buf_add_byte(out, '+');
    }
    ouro_buf_add(out, parts[1].data, parts[1].size);
    ouro_buf_add_text(out, pure ? "j" : "j)");
    ouro_buf_fini(&parts[0]);
    ouro_buf_fini(&parts[1]);
}

static unsigned value_kind(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(model, node);
    unsigned kind = type < model->type_count ? model->types[type].value_kind : OURO_VALUE_NONE;
    if (kind == OURO_VALUE_NULL)
        return kind; /* None has no bytes, and nothing to hide */
    return model->heap.flags[node] & OURO_OBJECT_VALUE ? kind : OURO_VALUE_NONE;
}

bool ouro_value_has(const struct ouro_heap_model *model, ouro_node node)
{
    return value_kind(model, node) != OURO_VALUE_NONE;
}

const unsigned char *ouro_value_raw(const struct ouro_heap_model *model, ouro_node node, size_t *size)
{
    *size = 0;
    if (!model->heap.values)
        return (const unsigned char *)"";
    *size = (size_t)(model->heap.value_begin[node + 1] - model->heap.value_begin[node]);
    return model->heap.values + model->heap.value_begin[node];
}

bool ouro_value_add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, size_t most)
{
    unsigned kind = value_kind(model, node);
    bool cut = model->heap.flags[node] & OURO_OBJECT_VALUE_CUT;
    size_t size;
    const unsigned char *bytes = ouro_value_raw(model, node, &size);
    switch (kind) {
    case OURO_VALUE_STR:
        ouro_value_str(out, bytes, size, most, cut);
        return true;
    case OURO_VALUE_BYTES:
        ouro_value_bytes(out, bytes, size, most, cut);
        return true;
    case OURO_VALUE_INT:
        ouro_value_int(out, bytes, size, cut);
        return true;
    case OURO_VALUE_FLOAT:
        if (size != 8)
            return false;
        ouro_value_float(out, ouro_value_double(bytes));
        return true;
    case OURO_VALUE_COMPLEX:
        if (size != 16)
            return false;
        add_complex(out, ouro_value_double(bytes), ouro_value_double(bytes + 8));
        return true;
    case OURO_VALUE_BOOL:
        ouro_buf_add_text(out, size && bytes[0] ? "True" : "False");
        return true;
    case OURO_VALUE_NULL:
        ouro_buf_add_text(out, "None");
        return true;
    case OURO_VALUE_NAME:
        ouro_buf_add(out, bytes, size);
        if (cut)
            ouro_buf_add_text(out, "... (cut)");
        return true;
    default:
        return false;
    }
}
