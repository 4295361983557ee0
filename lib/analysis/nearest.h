/* Near misses: which of many names somebody may have meant. */
#ifndef OURO_ANALYSIS_NEAREST_H
#define OURO_ANALYSIS_NEAREST_H

#include "analysis/heap_model.h"
#include "base/buf.h"

#define OURO_NEAREST_COUNT 3

/* The best so far, nearest first; of equally near ones the first in the order of bytes. */
struct ouro_nearest {
    const char *wanted; /* borrowed */
    size_t wanted_size;
    uint64_t budget; /* steps of comparisons that are left: dicts may have millions of keys */
    struct ouro_near {
        char text[128]; /* what was compared */
        size_t size;
        unsigned distance;
        ouro_node key; /* or OURO_NODE_NONE, for a name */
    } items[OURO_NEAREST_COUNT];
    size_t count;
};

void ouro_nearest_begin(struct ouro_nearest *nearest, const char *wanted, size_t size);
/* `key`: the object that it is the text of, shown as it is shown elsewhere; OURO_NODE_NONE: a name. The bytes are
 * copied. False when nothing further is looked at. */
bool ouro_nearest_offer(struct ouro_nearest *nearest, const char *bytes, size_t size, ouro_node key);
/* " (near: 'a', 'b')", or nothing. */
void ouro_nearest_add(struct ouro_buf *out, const struct ouro_nearest *nearest, const struct ouro_heap_model *model);

/* How many insertions, deletions, changes and exchanges of neighbours lead from one to the other, letters of either
 * case alike; more than `most`: most + 1. Both at most OURO_NEAREST_BYTES_MAX. */
#define OURO_NEAREST_BYTES_MAX 120
unsigned ouro_nearest_distance(const char *a, size_t a_size, const char *b, size_t b_size, unsigned most);

#endif
