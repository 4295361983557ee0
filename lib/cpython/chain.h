/* Chains in memory that may bite themselves: what ran while it was read, or is damaged. */
#ifndef OURO_CPYTHON_CHAIN_H
#define OURO_CPYTHON_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

/* Begins as zeroes. */
struct ouro_chain {
    ouro_addr mark;
    uint64_t count, turn;
};

/* Whether this link, the next of a chain, was met before. Told before three times as many links as there are have been met (Brent's
 * algorithm: compare with the link at the last power of two). */
static inline bool ouro_chain_repeats(struct ouro_chain *chain, ouro_addr link)
{
    if (chain->count && link == chain->mark)
        return true;
    if (chain->count++ == chain->turn) {
        chain->mark = link;
        chain->turn = 2 * chain->turn + 1;
    }
    return false;
}

/* How many links there are before the first that stands in the chain a second time; UINT64_MAX: none does. next: 0 behind the last. */
static inline uint64_t ouro_chain_length(ouro_addr first, ouro_addr (*next)(const void *context, ouro_addr link), const void *context)
{
    struct ouro_chain chain = {0};
    uint64_t ring = 1, before = 0;
    ouro_addr link = first;
    while (link && !ouro_chain_repeats(&chain, link))
        link = next(context, link);
    if (!link)
        return UINT64_MAX;
    for (ouro_addr at = next(context, link); at != link; at = next(context, at))
        ring++;
    ouro_addr ahead = first;
    for (uint64_t i = 0; i < ring; i++)
        ahead = next(context, ahead);
    for (ouro_addr at = first; at != ahead; at = next(context, at), ahead = next(context, ahead))
        before++;
    return before + ring;
}

#endif
