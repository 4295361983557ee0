#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ouro_buf_fini(struct ouro_buf *buf)
{
    free(buf->data);
    memset(buf, 0, sizeof *buf);
}

bool ouro_buf_reserve(struct ouro_buf *buf, size_t more)
{
    if (buf->capacity - buf->size >= more)
        return true;
    size_t want = buf->capacity < 64 ? 64 : buf->capacity;
    while (want - buf->size < more) {
        if (want > SIZE_MAX / 2) {
            buf->failed = true;
            return false;
        }
        want *= 2;
    }
    unsigned char *data = realloc(buf->data, want);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = want;
    return true;
}

void ouro_buf_add(struct ouro_buf *buf, const void *bytes, size_t size)
{
    if (size && ouro_buf_reserve(buf, size)) {
        memcpy(buf->data + buf->size, bytes, size);
        buf->size += size;
    }
}

void ouro_buf_add_text(struct ouro_buf *buf, const char *text)
{
    ouro_buf_add(buf, text, strlen(text));
}

void ouro_buf_addf(struct ouro_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !ouro_buf_reserve(buf, (size_t)length + 1)) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf((char *)buf->data + buf->size, (size_t)length + 1, format, args);
    va_end(args);
    buf->size += (size_t)length;
}

const char *ouro_buf_text(struct ouro_buf *buf)
{
    if (!ouro_buf_reserve(buf, 1))
        return "";
    buf->data[buf->size] = 0;
    return (const char *)buf->data;
}

bool ouro_vec_grow(void **items, size_t *capacity, size_t item_bytes)
{
    size_t want = *capacity ? *capacity * 2 : 16;
    if (want > SIZE_MAX / item_bytes / 2)
        return false;
    void *grown = realloc(*items, want * item_bytes);
    if (!grown)
        return false;
    *items = grown;
    *capacity = want;
    return true;
}
