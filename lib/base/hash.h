/* Mixing numbers into a 64-bit hash. Not for keys that somebody may choose. */
#ifndef OURO_BASE_HASH_H
#define OURO_BASE_HASH_H

#include <stdint.h>

static inline uint64_t ouro_hash_mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#endif
