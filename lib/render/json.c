#include "render/json.h"

#include <assert.h>

#include "base/utf8.h"

void ouro_json_init(struct ouro_json *json, struct ouro_out *out)
{
    memset(json, 0, sizeof *json);
    json->out = out;
}

static void escape_code(struct ouro_buf *out, uint32_t code)
{
    static const char letters[] = "btnvfr"; /* from 8 on; \v is none of JSON's */
    if (code >= 8 && code <= 13 && code != 11)
        ouro_buf_addf(out, "\\%c", letters[code - 8]);
    else if (code < 0x10000)
        ouro_buf_addf(out, "\\u%04x", code);
    else
        ouro_buf_addf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
}

void ouro_json_escape(struct ouro_buf *out, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0, length; i < size; i += length) {
        size_t plain = i;
        while (plain < size && at[plain] >= 0x20 && at[plain] < 0x7f && at[plain] != '"' && at[plain] != '\\')
            plain++;
        ouro_buf_add(out, at + i, plain - i);
        if ((i = plain) == size)
            break;
        uint32_t code = ouro_utf8_next(at + i, size - i, &length);
        if (code == '"' || code == '\\') {
            ouro_buf_add_byte(out, '\\');
            ouro_buf_add_byte(out, (unsigned char)code);
        } else if (code == OURO_UTF8_INVALID) {
            ouro_buf_addf(out, "\\udc%02x", at[i]);
        } else if (ouro_utf8_is_printable(code)) {
            ouro_buf_add(out, at + i, length);
        } else {
            escape_code(out, code);
        }
    }
}

static void begin_value(struct ouro_json *json, const char *key)
{
    struct ouro_buf *buf = &json->out->buf;
    if (!json->depth)
        return;
    if (json->filled[json->depth - 1])
        ouro_buf_add_byte(buf, ',');
    json->filled[json->depth - 1] = true;
    if (key) {
        ouro_buf_add_byte(buf, '"');
        ouro_json_escape(buf, key, strlen(key));
        ouro_buf_add(buf, "\":", 2);
    }
}

static void open_level(struct ouro_json *json, const char *key, bool is_array)
{
    assert(json->depth < OURO_JSON_DEPTH_MAX);
    begin_value(json, key);
    ouro_buf_add_byte(&json->out->buf, is_array ? '[' : '{');
    json->filled[json->depth] = false;
    json->is_array[json->depth++] = is_array;
}

void ouro_json_object(struct ouro_json *json, const char *key)
{
    open_level(json, key, false);
}

void ouro_json_array(struct ouro_json *json, const char *key)
{
    open_level(json, key, true);
}

void ouro_json_end(struct ouro_json *json)
{
    assert(json->depth);
    ouro_buf_add_byte(&json->out->buf, json->is_array[--json->depth] ? ']' : '}');
    if (!json->depth)
        ouro_buf_add_byte(&json->out->buf, '\n');
    ouro_out_check(json->out);
}

void ouro_json_text(struct ouro_json *json, const char *key, const void *bytes, size_t size)
{
    begin_value(json, key);
    ouro_buf_add_byte(&json->out->buf, '"');
    ouro_json_escape(&json->out->buf, bytes, size);
    ouro_buf_add_byte(&json->out->buf, '"');
}

void ouro_json_buf(struct ouro_json *json, const char *key, const struct ouro_buf *text)
{
    json->out->buf.failed |= text->failed;
    ouro_json_text(json, key, text->data, text->size);
}

void ouro_json_string(struct ouro_json *json, const char *key, const char *text)
{
    ouro_json_text(json, key, text, strlen(text));
}

void ouro_json_uint(struct ouro_json *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    ouro_buf_addf(&json->out->buf, "%llu", (unsigned long long)value);
}

void ouro_json_int(struct ouro_json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    ouro_buf_addf(&json->out->buf, "%lld", (long long)value);
}

void ouro_json_bool(struct ouro_json *json, const char *key, bool value)
{
    begin_value(json, key);
    ouro_buf_add_text(&json->out->buf, value ? "true" : "false");
}

void ouro_json_null(struct ouro_json *json, const char *key)
{
    begin_value(json, key);
    ouro_buf_add_text(&json->out->buf, "null");
}

void ouro_json_addr(struct ouro_json *json, const char *key, ouro_addr addr)
{
    begin_value(json, key);
    ouro_buf_addf(&json->out->buf, "\"0x%llx\"", (unsigned long long)addr);
}
