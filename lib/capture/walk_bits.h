/* The bitmaps of a walk: where their memory comes from, how large they are. Internal to lib/capture. */
#ifndef OURO_CAPTURE_WALK_BITS_H
#define OURO_CAPTURE_WALK_BITS_H

#include "capture/walk.h"

/* Zeroes; NULL: no memory. With a window all of it is touched at once, after the window made room: what comes little by little can't be
 * foreseen. */
void *ouro_walk_map_bits(const struct ouro_walk *walk, size_t words, size_t word_bytes);
/* NULL allowed. */
void ouro_walk_unmap_bits(void *bits, size_t words, size_t word_bytes);

/* Words of a bitmap of cells. */
static inline size_t ouro_walk_cell_words(const struct ouro_walk *walk)
{
    return walk->word_count / 2; /* a page has 8 words of marks */
}

static inline size_t ouro_walk_counted_words(const struct ouro_walk *walk)
{
    return walk->word_count / OURO_WALK_COUNTED + 1;
}

/* Whether it was clear. Threads may set bits of one word at the same time. */
static inline bool ouro_walk_set_bit(uint64_t *bits, uint64_t bit)
{
    uint64_t mask = UINT64_C(1) << (bit & 63);
    return !(__atomic_fetch_or(&bits[bit >> 6], mask, __ATOMIC_RELAXED) & mask);
}

#endif
