#include "analysis/constant.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"

#define DECIMAL_DIGITS_MAX 4300 /* sys.get_int_max_str_digits() */

void ouro_constants_fini(struct ouro_constants *literals)
{
    free(literals->items);
    ouro_buf_fini(&literals->bytes);
    memset(literals, 0, sizeof *literals);
}

struct reader {
    struct ouro_constants *literals;
    const char *text;
    size_t size, at;
    const char *why;
};

static bool fail(struct reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

static int peek(const struct reader *reader, size_t ahead)
{
    return ahead < reader->size - reader->at ? (unsigned char)reader->text[reader->at + ahead] : -1;
}

static void skip_spaces(struct reader *reader)
{
    while (peek(reader, 0) == ' ' || peek(reader, 0) == '\t')
        reader->at++;
}

static struct ouro_constant *add(struct reader *reader, enum ouro_constant_kind kind)
{
    struct ouro_constant *literal = OURO_VEC_ADD(reader->literals);
    if (!literal) {
        reader->literals->bytes.failed = true; /* tells it from what does not parse */
        fail(reader, "out of memory");
        return NULL;
    }
    literal->kind = kind;
    literal->offset = reader->literals->bytes.size;
    literal->end = (uint32_t)reader->literals->count;
    return literal;
}

static bool is_letter(int c)
{
    return c >= 0x80 || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* How many letters of prefix a string has here, or -1 where none begins. */
static int string_prefix(const char *text, size_t size, bool *raw, bool *bytes, bool *formatted)
{
    *raw = *bytes = *formatted = false;
    for (int i = 0; i < 3 && (size_t)i < size; i++) {
        char c = text[i] == '\'' || text[i] == '"' ? text[i] : (char)(text[i] | 0x20);
        if (c == '\'' || c == '"')
            return i;
        if ((c == 'r' && !*raw) || (c == 'b' && !*bytes) || (c == 'u' && i == 0)) {
            *raw |= c == 'r';
            *bytes |= c == 'b';
        } else if ((c == 'f' || c == 't') && !*formatted) {
            *formatted = true;
        } else {
            return -1;
        }
    }
    return -1;
}

static bool begins_word(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size >= length && !memcmp(text, word, length) &&
           (size == length || (!is_letter((unsigned char)text[length]) && (text[length] < '0' || text[length] > '9')));
}

bool ouro_constant_begins(const char *text, size_t size)
{
    bool raw, bytes, formatted;
    if (!size)
        return false;
    if (string_prefix(text, size, &raw, &bytes, &formatted) >= 0)
        return true;
    if (strchr("-+0123456789(", *text) || (*text == '.' && size > 1))
        return true;
    return begins_word(text, size, "None") || begins_word(text, size, "True") || begins_word(text, size, "False") ||
           begins_word(text, size, "Ellipsis");
}

static void add_code(struct ouro_buf *out, uint32_t code)
{
    if (code < 0x80) {
        ouro_buf_add_byte(out, (unsigned char)code);
    } else if (code < 0x800) {
        ouro_buf_add_byte(out, (unsigned char)(0xc0 | code >> 6));
        ouro_buf_add_byte(out, (unsigned char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) { /* lone surrogates too */
        ouro_buf_add_byte(out, (unsigned char)(0xe0 | code >> 12));
        ouro_buf_add_byte(out, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
        ouro_buf_add_byte(out, (unsigned char)(0x80 | (code & 0x3f)));
    } else {
        ouro_buf_add_byte(out, (unsigned char)(0xf0 | code >> 18));
        ouro_buf_add_byte(out, (unsigned char)(0x80 | (code >> 12 & 0x3f)));
        ouro_buf_add_byte(out, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
        ouro_buf_add_byte(out, (unsigned char)(0x80 | (code & 0x3f)));
    }
}

static int digit_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool read_hex(struct reader *reader, unsigned digits, uint32_t *code)
{
    *code = 0;
    for (unsigned i = 0; i < digits; i++, reader->at++) {
        int digit = digit_value(peek(reader, 0));
        if (digit > 15)
            return fail(reader, "too few hexadecimal digits in an escape");
        *code = *code << 4 | (uint32_t)digit;
    }
    return *code <= 0x10ffff || fail(reader, "no character has that number");
}

/* What follows a backslash. Escapes that Python doesn't know keep theirs. */
static bool read_escape(struct reader *reader, bool bytes)
{
    static const char letters[] = "\\'\"abfnrtv", meanings[] = "\\'\"\a\b\f\n\r\t\v";
    struct ouro_buf *out = &reader->literals->bytes;
    int c = peek(reader, 0);
    const char *known = c > 0 ? strchr(letters, c) : NULL;
    uint32_t code = 0;
    if (c < 0)
        return fail(reader, "a string that doesn't end");
    reader->at++;
    if (c == '\n')
        return true;
    if (known) {
        ouro_buf_add_byte(out, (unsigned char)meanings[known - letters]);
        return true;
    }
    if (c >= '0' && c <= '7') {
        code = (uint32_t)(c - '0');
        for (unsigned i = 0; i < 2 && peek(reader, 0) >= '0' && peek(reader, 0) <= '7'; i++)
            code = code * 8 + (uint32_t)(reader->text[reader->at++] - '0');
    } else if (c == 'x') {
        if (!read_hex(reader, 2, &code))
            return false;
    } else if ((c == 'u' || c == 'U') && !bytes) {
        if (!read_hex(reader, c == 'u' ? 4 : 8, &code))
            return false;
    } else if (c == 'N' && !bytes) {
        return fail(reader, "characters by their names are not supported; \\u and four digits are");
    } else {
        ouro_buf_add_byte(out, '\\');
        ouro_buf_add_byte(out, (unsigned char)c);
        return true;
    }
    if (bytes)
        ouro_buf_add_byte(out, (unsigned char)code);
    else
        add_code(out, code);
    return true;
}

/* From the quote on, into bytes. */
static bool read_quoted(struct reader *reader, bool raw, bool bytes)
{
    struct ouro_buf *out = &reader->literals->bytes;
    int quote = peek(reader, 0);
    bool triple = peek(reader, 1) == quote && peek(reader, 2) == quote;
    size_t start = reader->at;
    reader->at += triple ? 3 : 1;
    for (;;) {
        int c = peek(reader, 0);
        if (c < 0 || (c == '\n' && !triple)) {
            reader->at = start;
            return fail(reader, "a string that doesn't end");
        }
        if (c == quote && (!triple || (peek(reader, 1) == quote && peek(reader, 2) == quote))) {
            reader->at += triple ? 3 : 1;
            return true;
        }
        if (bytes && c >= 0x80)
            return fail(reader, "a bytes literal can only hold ASCII characters");
        reader->at++;
        if (c == '\\' && !raw) {
            if (!read_escape(reader, bytes))
                return false;
            continue;
        }
        ouro_buf_add_byte(out, (unsigned char)c);
        if (c == '\\' && peek(reader, 0) >= 0) /* raw: a quote behind a backslash doesn't end it */
            ouro_buf_add_byte(out, (unsigned char)reader->text[reader->at++]);
    }
}

static bool read_string(struct reader *reader)
{
    bool raw, bytes, formatted, more = true;
    int prefix = string_prefix(reader->text + reader->at, reader->size - reader->at, &raw, &bytes, &formatted);
    const bool first = bytes;
    struct ouro_constant *literal = add(reader, bytes ? OURO_CONSTANT_BYTES : OURO_CONSTANT_STR);
    if (!literal)
        return false;
    size_t number = reader->literals->count - 1;
    while (more) {
        if (formatted)
            return fail(reader, "a formatted string is no literal");
        if (bytes != first)
            return fail(reader, "str and bytes can't be joined");
        reader->at += (size_t)prefix;
        if (!read_quoted(reader, raw, bytes))
            return false;
        size_t end = reader->at;
        skip_spaces(reader);
        prefix = string_prefix(reader->text + reader->at, reader->size - reader->at, &raw, &bytes, &formatted);
        more = prefix >= 0;
        if (!more)
            reader->at = end;
    }
    literal = &reader->literals->items[number];
    literal->size = reader->literals->bytes.size - literal->offset;
    return true;
}

/* bytes = bytes * base + digit; little-endian magnitude. */
static void multiply_add(struct ouro_buf *bytes, size_t offset, unsigned base, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = offset; i < bytes->size; i++) {
        carry += bytes->data[i] * base;
        bytes->data[i] = (unsigned char)carry;
        carry >>= 8;
    }
    if (carry)
        ouro_buf_add_byte(bytes, (unsigned char)carry);
}

/* The magnitude from offset on becomes two's complement, as short as it can be. */
static void finish_int(struct ouro_buf *bytes, size_t offset, bool negative)
{
    while (bytes->size > offset && !bytes->data[bytes->size - 1])
        bytes->size--;
    if (bytes->size > offset && bytes->data[bytes->size - 1] & 0x80)
        ouro_buf_add_byte(bytes, 0);
    unsigned carry = 1;
    for (size_t i = offset; negative && i < bytes->size; i++) {
        carry += (unsigned char)~bytes->data[i];
        bytes->data[i] = (unsigned char)carry;
        carry >>= 8;
    }
    size_t size = bytes->size; /* -128 needs one byte */
    if (negative && size > offset + 1 && bytes->data[size - 1] == 0xff && bytes->data[size - 2] & 0x80)
        bytes->size--;
}

static bool read_digits(struct reader *reader, unsigned base, struct ouro_constant *literal, bool negative)
{
    struct ouro_buf *bytes = &reader->literals->bytes;
    size_t offset = literal->offset, digits = 0;
    bool under = false;
    for (; peek(reader, 0) == '_' || digit_value(peek(reader, 0)) < (int)base; reader->at++) {
        int c = peek(reader, 0);
        if (c == '_' && (under || (!digits && base == 10)))
            return fail(reader, "an underscore that stands between no digits");
        under = c == '_';
        if (under)
            continue;
        if (++digits > DECIMAL_DIGITS_MAX)
            return fail(reader, "an int of more than 4300 digits");
        multiply_add(bytes, offset, base, (unsigned)digit_value(c));
    }
    if (!digits || under)
        return fail(reader, "a number without its digits");
    finish_int(bytes, offset, negative);
    literal->size = bytes->size - offset;
    return true;
}

/* Where the float that may be here ends; at itself when it is an int. */
static size_t float_end(const struct reader *reader, bool *imaginary)
{
    size_t i = 0;
    bool is_float = false;
    while ((peek(reader, i) >= '0' && peek(reader, i) <= '9') || peek(reader, i) == '_')
        i++;
    if (peek(reader, i) == '.' && peek(reader, i + 1) != '.') {
        is_float = true;
        i++;
        while ((peek(reader, i) >= '0' && peek(reader, i) <= '9') || peek(reader, i) == '_')
            i++;
    }
    if ((peek(reader, i) | 0x20) == 'e') {
        size_t j = i + 1;
        j += peek(reader, j) == '-' || peek(reader, j) == '+';
        if (peek(reader, j) >= '0' && peek(reader, j) <= '9') {
            is_float = true;
            for (i = j; peek(reader, i) >= '0' && peek(reader, i) <= '9'; i++)
                ;
        }
    }
    *imaginary = (peek(reader, i) | 0x20) == 'j';
    return is_float || *imaginary ? i : 0;
}

static bool read_float(struct reader *reader, size_t length, double *value)
{
    char digits[400];
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        char c = reader->text[reader->at + i];
        if (c == '_')
            continue;
        if (count + 1 == sizeof digits)
            return fail(reader, "a float of too many digits");
        digits[count++] = c;
    }
    digits[count] = 0;
    *value = strtod(digits, NULL);
    reader->at += length;
    return true;
}

/* [-] int, float or imaginary number. */
static bool read_number(struct reader *reader)
{
    bool negative = false, imaginary;
    while (peek(reader, 0) == '-' || peek(reader, 0) == '+') {
        negative ^= peek(reader, 0) == '-';
        reader->at++;
        skip_spaces(reader);
    }
    struct ouro_constant *literal = add(reader, OURO_CONSTANT_INT);
    if (!literal)
        return false;
    static const struct {
        char letter;
        unsigned base;
    } bases[] = {
        {'x', 16},
        {'o', 8 },
        {'b', 2 }
    };
    for (size_t i = 0; i < 3; i++)
        if (peek(reader, 0) == '0' && (peek(reader, 1) | 0x20) == bases[i].letter) {
            reader->at += 2;
            return read_digits(reader, bases[i].base, literal, negative);
        }
    size_t length = float_end(reader, &imaginary);
    if (!length && !imaginary) {
        if (peek(reader, 0) < '0' || peek(reader, 0) > '9')
            return fail(reader, "a number was expected");
        return read_digits(reader, 10, literal, negative);
    }
    double value;
    literal->kind = OURO_CONSTANT_FLOAT;
    if (!read_float(reader, length, &value))
        return false;
    value = negative ? -value : value;
    reader->at += imaginary;
    *(imaginary ? &literal->imaginary : &literal->real) = value;
    return true;
}

static double int_to_double(const struct ouro_constants *literals, const struct ouro_constant *literal)
{
    const unsigned char *bytes = ouro_constant_bytes(literals, literal);
    double value = literal->size && bytes[literal->size - 1] & 0x80 ? -1 : 0;
    for (size_t i = literal->size; i--;)
        value = value * 256 + bytes[i];
    return value;
}

/* A number, and behind it perhaps the imaginary part: 1+2j. */
static bool read_complex(struct reader *reader)
{
    uint32_t first = (uint32_t)reader->literals->count;
    if (!read_number(reader))
        return false;
    size_t end = reader->at;
    skip_spaces(reader);
    if (peek(reader, 0) != '+' && peek(reader, 0) != '-') {
        reader->at = end;
        return true;
    }
    uint32_t second = (uint32_t)reader->literals->count;
    if (!read_number(reader))
        return false;
    struct ouro_constant *a = &reader->literals->items[first], *b = &reader->literals->items[second];
    if (b->kind != OURO_CONSTANT_FLOAT || b->imaginary == 0 || (a->kind == OURO_CONSTANT_FLOAT && a->imaginary != 0))
        return fail(reader, "a sum is no literal");
    double real = a->kind == OURO_CONSTANT_INT ? int_to_double(reader->literals, a) : a->real;
    *a = (struct ouro_constant){.kind = OURO_CONSTANT_FLOAT, .real = real, .imaginary = b->imaginary, .end = first + 1};
    reader->literals->count = second;
    return true;
}

static bool read_word(struct reader *reader, bool *found)
{
    static const struct {
        const char *word;
        enum ouro_constant_kind kind;
        unsigned char value;
    } words[] = {
        {"None",     OURO_CONSTANT_NONE,     0},
        {"True",     OURO_CONSTANT_INT,      1},
        {"False",    OURO_CONSTANT_INT,      0},
        {"Ellipsis", OURO_CONSTANT_ELLIPSIS, 0}
    };
    *found = false;
    if (peek(reader, 0) == '.' && peek(reader, 1) == '.' && peek(reader, 2) == '.') {
        *found = true;
        reader->at += 3;
        return add(reader, OURO_CONSTANT_ELLIPSIS) != NULL;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!begins_word(reader->text + reader->at, reader->size - reader->at, words[i].word))
            continue;
        *found = true;
        reader->at += strlen(words[i].word);
        struct ouro_constant *literal = add(reader, words[i].kind);
        if (literal && words[i].value) {
            ouro_buf_add_byte(&reader->literals->bytes, 1);
            literal->size = 1;
        }
        return literal != NULL;
    }
    return true;
}

static bool read_scalar(struct reader *reader)
{
    bool found;
    int c = peek(reader, 0);
    if (!ouro_constant_begins(reader->text + reader->at, reader->size - reader->at))
        return fail(reader, "a literal was expected: a text in quotes, a number, a tuple, None, True or False");
    if (!read_word(reader, &found))
        return false;
    if (found)
        return true;
    bool is_number = c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9');
    return is_number ? read_complex(reader) : read_string(reader);
}

/* An open parenthesis: a tuple, or a literal in parentheses, which only its end tells. */
struct open {
    uint32_t index, count;
    bool comma;
};

/* Closes the innermost; a lone literal in parentheses takes the tuple's place. */
static void close_tuple(struct reader *reader, const struct open *open)
{
    struct ouro_constants *literals = reader->literals;
    if (open->count == 1 && !open->comma) {
        memmove(&literals->items[open->index], &literals->items[open->index + 1],
                (literals->count - open->index - 1) * sizeof *literals->items);
        literals->count--;
        for (size_t i = open->index; i < literals->count; i++)
            literals->items[i].end--;
        return;
    }
    literals->items[open->index].count = open->count;
    literals->items[open->index].end = (uint32_t)literals->count;
}

static bool read_literal(struct reader *reader)
{
    struct open opens[OURO_CONSTANT_DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        bool complete = true;
        skip_spaces(reader);
        if (peek(reader, 0) == '(') {
            if (depth == OURO_CONSTANT_DEPTH_MAX)
                return fail(reader, "tuples are nested too deep");
            if (!add(reader, OURO_CONSTANT_TUPLE))
                return false;
            opens[depth++] = (struct open){.index = (uint32_t)reader->literals->count - 1};
            reader->at++;
            complete = false;
        } else if (!depth || peek(reader, 0) != ')') {
            if (!read_scalar(reader))
                return false;
        } else {
            complete = false;
        }
        for (;;) {
            if (!depth)
                return true;
            struct open *open = &opens[depth - 1];
            skip_spaces(reader);
            if (complete) {
                open->count++;
                open->comma = peek(reader, 0) == ',';
                reader->at += open->comma;
                skip_spaces(reader);
            }
            if (peek(reader, 0) != ')') {
                if (complete && !open->comma)
                    return fail(reader, "a comma or a closing parenthesis was expected");
                break;
            }
            reader->at++;
            close_tuple(reader, open);
            depth--;
            complete = true;
        }
    }
}

bool ouro_constant_parse(struct ouro_constants *literals, const char *text, size_t size, size_t *at, uint32_t *index,
                         const char **why)
{
    struct reader reader = {.literals = literals, .text = text, .size = size, .at = *at};
    *index = (uint32_t)literals->count;
    bool good = read_literal(&reader);
    if (good && literals->bytes.failed)
        good = fail(&reader, "out of memory");
    *at = reader.at;
    *why = reader.why;
    return good;
}

bool ouro_constant_index(const struct ouro_constants *literals, uint32_t index, int64_t *value)
{
    const struct ouro_constant *literal = &literals->items[index];
    if (literal->kind != OURO_CONSTANT_INT || literal->size > 8)
        return false;
    const unsigned char *bytes = ouro_constant_bytes(literals, literal);
    uint64_t bits = literal->size && bytes[literal->size - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = literal->size; i--;)
        bits = bits << 8 | bytes[i];
    *value = (int64_t)bits;
    return true;
}

void ouro_constant_plain(struct ouro_buf *out, const struct ouro_constants *literals, uint32_t index)
{
    const struct ouro_constant *literal = &literals->items[index];
    const unsigned char *bytes = ouro_constant_bytes(literals, literal);
    if (literal->kind == OURO_CONSTANT_STR || literal->kind == OURO_CONSTANT_BYTES)
        ouro_buf_add(out, bytes, literal->size);
    else if (literal->kind == OURO_CONSTANT_INT)
        ouro_value_int(out, bytes, literal->size, false);
    else if (literal->kind == OURO_CONSTANT_FLOAT)
        ouro_value_float(out, literal->real);
}
