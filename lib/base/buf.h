/* Growable bytes and growable arrays.
 *
 * struct ouro_buf owns its bytes. Growth doubles, so adding is O(1) amortised. A failed growth leaves the contents
 * as they were and sets `failed`, which stays set: a run of adds may be checked once at its end. */
#ifndef OURO_BASE_BUF_H
#define OURO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct ouro_buf {
    unsigned char *data; /* owned; NULL while empty */
    size_t size, capacity;
    bool failed; /* memory ran out at some add */
};

void ouro_buf_fini(struct ouro_buf *buf);
/* Makes room for `more` further bytes; false (and failed) when memory runs out. */
bool ouro_buf_reserve(struct ouro_buf *buf, size_t more);
void ouro_buf_add(struct ouro_buf *buf, const void *bytes, size_t size);
void ouro_buf_addf(struct ouro_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ouro_buf_add_text(struct ouro_buf *buf, const char *text);
/* The contents as a terminated string (the terminator is not part of size); "" when empty or out of memory. */
const char *ouro_buf_text(struct ouro_buf *buf);

static inline void ouro_buf_add_byte(struct ouro_buf *buf, unsigned char byte)
{
    if (buf->size < buf->capacity || ouro_buf_reserve(buf, 1))
        buf->data[buf->size++] = byte;
}

/* Grows any `struct { T *items; size_t count, capacity; }` by one zeroed item; yields a pointer to it or NULL. */
#define OURO_VEC_ADD(vec)                                                                                              \
    ((vec)->count < (vec)->capacity || ouro_vec_grow((void **)&(vec)->items, &(vec)->capacity, sizeof *(vec)->items)   \
         ? (memset(&(vec)->items[(vec)->count], 0, sizeof *(vec)->items), &(vec)->items[(vec)->count++])               \
         : NULL)
bool ouro_vec_grow(void **items, size_t *capacity, size_t item_bytes);

#endif
