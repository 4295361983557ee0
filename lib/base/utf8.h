/* UTF-8 from outside, with lone surrogates as three bytes each ("WTF-8"), as Python strings may hold them. */
#ifndef OURO_BASE_UTF8_H
#define OURO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OURO_UTF8_INVALID UINT32_MAX

/* The code point at `at` (left > 0), surrogates included, and its length. OURO_UTF8_INVALID and length 1 for a byte that
 * begins no character. */
uint32_t ouro_utf8_next(const unsigned char *at, size_t left, size_t *length);

/* What str.isprintable of Python accepts, as far as blocks go: no control, format (bidi marks too), surrogate, private or
 * separator character but the space. Unassigned ones pass. */
bool ouro_utf8_is_printable(uint32_t code);

/* Columns on a terminal: 0 for combining marks, 2 for wide East Asian ones and emoji, else 1. */
unsigned ouro_utf8_width(uint32_t code);

#endif
