/* str objects: where their characters are, and as UTF-8. */
#ifndef OURO_CPYTHON_TEXT_H
#define OURO_CPYTHON_TEXT_H

#include "cpython/python.h"

struct ouro_str {
    const unsigned char *data; /* borrowed from the image; as many characters as could be read in place */
    uint64_t length;           /* characters there */
    uint64_t full_length;      /* characters that the str has */
    unsigned kind;             /* bytes a character: 1, 2, 4 */
    bool ascii;
};

/* False when there is no str at addr (its type is not asked: the caller knows). */
bool ouro_str_read(const struct ouro_python *python, ouro_addr addr, struct ouro_str *str);
/* As UTF-8 (lone surrogates as three bytes each) into out; at most `capacity` bytes, never half a character. */
size_t ouro_str_utf8(const struct ouro_str *str, unsigned char *out, size_t capacity, bool *cut);

#endif
