/* The collector's computation, offline: what gc.collect() would find unreachable.
 *
 * As update_refs, subtract_refs and move_unreachable do (CPython 3.11 Modules/gcmodule.c, 3.13 Python/gc.c), one
 * interpreter at a time: only its candidates (tracked, not permanent, not immortal), only traversed references that own
 * a count. Two deviations, both towards "reachable", so that nothing alive is ever called unreachable: slots of
 * approximate objects are followed but never subtracted, and an object whose count is smaller than the references to it
 * (a wrong layout, a torn object: an inconsistency) is taken as reachable. */
#ifndef OURO_ANALYSIS_COLLECTOR_H
#define OURO_ANALYSIS_COLLECTOR_H

#include "analysis/heap_model.h"

/* Bits of marks. */
#define OURO_GC_CANDIDATE   1u
#define OURO_GC_REACHABLE   2u /* a candidate that the collector keeps */
#define OURO_GC_UNREACHABLE 4u

struct ouro_collector {
    uint8_t *marks; /* owned; by node */
    uint64_t candidate_count, unreachable_count, unreachable_bytes;
    uint64_t inconsistent_count; /* counts smaller than the references */
    ouro_node inconsistent_example; /* one of them, or OURO_NODE_NONE */
};

/* The columns that ouro_collector_init needs (it loads them itself). */
#define OURO_COLLECTOR_COLUMNS                                                                                         \
    (OURO_HEAP_SLOTS | OURO_HEAP_SHAPE | OURO_HEAP_FLAGS | OURO_HEAP_REFCOUNT | OURO_HEAP_INTERP | OURO_HEAP_SIZE |    \
     OURO_HEAP_NATIVE)

/* 5 bytes a node while it runs and 4 for the search, 1 afterwards. O(objects + references). */
enum ouro_status ouro_collector_init(struct ouro_collector *collector, struct ouro_heap_model *model,
                                     struct ouro_err *err);
void ouro_collector_fini(struct ouro_collector *collector);

static inline bool ouro_collector_unreachable(const struct ouro_collector *collector, ouro_node node)
{
    return collector->marks[node] & OURO_GC_UNREACHABLE;
}

#endif
