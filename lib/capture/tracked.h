/* The objects of one list of the collector, in its order: in memory, 8 bytes each, or in a file, where the memory for them is bounded. */
#ifndef OURO_CAPTURE_TRACKED_H
#define OURO_CAPTURE_TRACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"

#define OURO_TRACKED_BATCH 8192u /* items that are written at a time, where there is a file */

struct ouro_tracked {
    uint64_t interpreter;
    unsigned list; /* 0-2 generation, 3 permanent */
    bool completed; /* on no list of the collector's own: what a collection works on (collection.h) */
    size_t count, capacity;
    ouro_addr *items;  /* owned (mapped): all of them; with a file the last batch */
    int spool;         /* borrowed: a file for lists; -1: none */
    uint64_t spool_at; /* where this one begins in it */
};

/* An empty list for at most `capacity` items. spool: -1, or a file that is written from spool_at on; lists in one file are made one after
 * the other. Only what is used of the memory is ever touched. */
enum ouro_status ouro_tracked_init(struct ouro_tracked *tracked, size_t capacity, int spool, uint64_t spool_at);
/* Gives the list back, but not its count. */
void ouro_tracked_release(struct ouro_tracked *tracked);
/* Adds one; there is room. OURO_SYS: the file could not be written; errno says why. Behind every OURO_TRACKED_BATCH items all that was
 * added may be read by another thread, which has to be told so. */
enum ouro_status ouro_tracked_add(struct ouro_tracked *tracked, ouro_addr object);
/* No more will come. */
enum ouro_status ouro_tracked_end(struct ouro_tracked *tracked);
/* The items [first, first + count), in place or in `buffer`, which has room for them; NULL: the file could not be read. They have been
 * added, and the list has ended or they are of a whole batch. */
const ouro_addr *ouro_tracked_read(const struct ouro_tracked *tracked, size_t first, size_t count, ouro_addr *buffer);
/* Where the next list may begin in the file. */
uint64_t ouro_tracked_spool_end(const struct ouro_tracked *tracked);

#endif
