/* A bounded cursor over bytes that nobody vouches for. Every read is checked; after the first that does not fit,
 * `failed` stays set and all further reads yield 0, so a parser checks once at the end of a record. */
#ifndef OURO_BASE_CURSOR_H
#define OURO_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/varint.h"

struct ouro_cursor {
    const unsigned char *at, *end; /* borrowed */
    bool failed;
};

static inline struct ouro_cursor ouro_cursor_of(const void *data, size_t size)
{
    return (struct ouro_cursor){.at = data, .end = (const unsigned char *)data + size};
}

static inline size_t ouro_cursor_left(const struct ouro_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline uint64_t ouro_cursor_varint(struct ouro_cursor *cursor)
{
    uint64_t value = 0;
    if (cursor->failed || !ouro_varint_read(&cursor->at, cursor->end, &value)) {
        cursor->failed = true;
        return 0;
    }
    return value;
}

/* `size` bytes in place, or NULL. Borrowed from the cursor's data. */
static inline const unsigned char *ouro_cursor_bytes(struct ouro_cursor *cursor, size_t size)
{
    if (cursor->failed || size > ouro_cursor_left(cursor)) {
        cursor->failed = true;
        return NULL;
    }
    const unsigned char *bytes = cursor->at;
    cursor->at += size;
    return bytes;
}

/* Little-endian, `size` of 1 to 8 bytes. */
static inline uint64_t ouro_cursor_uint(struct ouro_cursor *cursor, size_t size)
{
    const unsigned char *bytes = ouro_cursor_bytes(cursor, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* A count of items that take at least `least` bytes each: held against what is left before anybody allocates. */
static inline uint64_t ouro_cursor_count(struct ouro_cursor *cursor, size_t least)
{
    uint64_t count = ouro_cursor_varint(cursor);
    if (count > ouro_cursor_left(cursor) / (least ? least : 1)) {
        cursor->failed = true;
        return 0;
    }
    return count;
}

#endif
