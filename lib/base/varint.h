/* LEB128 variable-length integers and zigzag, as in protocol buffers. A uint64 takes at most 10 bytes. */
#ifndef OURO_BASE_VARINT_H
#define OURO_BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define OURO_VARINT_MAX_BYTES 10

static inline uint64_t ouro_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t ouro_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Writes at most OURO_VARINT_MAX_BYTES at `out`; returns the end of what was written. */
static inline unsigned char *ouro_varint_write(unsigned char *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    *out++ = (unsigned char)value;
    return out;
}

/* Reads one varint from [*at, end). On success stores it and moves *at behind it; returns 0 (and moves nothing) when
 * the bytes end too early or the number does not fit in 64 bits. */
static inline int ouro_varint_read(const unsigned char **at, const unsigned char *end, uint64_t *value)
{
    const unsigned char *p = *at;
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (p == end)
            return 0;
        unsigned char byte = *p++;
        if (shift == 63 && byte > 1)
            return 0;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *at = p;
            *value = result;
            return 1;
        }
    }
    return 0;
}

#endif
