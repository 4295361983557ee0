/* Text for terminals: nothing of the target's that a terminal would obey or that would turn lines round. */
#ifndef OURO_RENDER_TEXT_H
#define OURO_RENDER_TEXT_H

#include "base/buf.h"

/* Adds the bytes (UTF-8, not trusted) with everything that str.isprintable refuses escaped: \n \x1b \u202e \xff.
 * Backslashes stay as they are: values come as repr wrote them. */
void ouro_text_add(struct ouro_buf *out, const void *bytes, size_t size);
void ouro_text_add_buf(struct ouro_buf *out, const struct ouro_buf *text);
/* Columns that an escaped text takes. */
size_t ouro_text_width(const void *bytes, size_t size);
/* The longest prefix of whole characters that fits in `width` columns, in bytes. */
size_t ouro_text_fit(const void *bytes, size_t size, size_t width);

/* 312 B, 4.0 KiB, 1.2 MiB ... */
void ouro_text_add_size(struct ouro_buf *out, uint64_t bytes);
/* 1234567 as 1,234,567 */
void ouro_text_add_count(struct ouro_buf *out, uint64_t count);

#endif
