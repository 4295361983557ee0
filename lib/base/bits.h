/* A bit for each node: an eighth of a byte array, so that of millions of nodes it stays in the caches. Freed with free(). */
#ifndef OURO_BASE_BITS_H
#define OURO_BASE_BITS_H

#include <stdbool.h>
#include <string.h>

#include "base/large.h"
#include "base/types.h"

/* None is set. NULL: out of memory. */
static inline uint64_t *ouro_bits_new(ouro_node count)
{
    return ouro_large_new_zeroed((size_t)count / 64 + 1, sizeof(uint64_t));
}

static inline void ouro_bits_clear(uint64_t *bits, ouro_node count)
{
    memset(bits, 0, ((size_t)count / 64 + 1) * sizeof *bits);
}

static inline bool ouro_bits_has(const uint64_t *bits, ouro_node node)
{
    return bits[node / 64] >> node % 64 & 1;
}

/* Sets it where `set` holds; else it stays as it is. */
static inline void ouro_bits_add(uint64_t *bits, ouro_node node, bool set)
{
    bits[node / 64] |= (uint64_t)set << node % 64;
}

static inline void ouro_bits_remove(uint64_t *bits, ouro_node node)
{
    bits[node / 64] &= ~(UINT64_C(1) << node % 64);
}

/* The first one from `node` on that is set, or count. */
static inline ouro_node ouro_bits_next(const uint64_t *bits, ouro_node node, ouro_node count)
{
    if (node >= count)
        return count;
    ouro_node word = node / 64;
    for (uint64_t left = bits[word] & UINT64_MAX << node % 64;; left = bits[word]) {
        if (left)
            return word * 64 + (ouro_node)__builtin_ctzll(left);
        if (++word > (count - 1) / 64)
            return count;
    }
}

#endif
