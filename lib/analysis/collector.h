/* The collector's computation, offline: what gc.collect() would find unreachable.
 *
 * As update_refs, subtract_refs and move_unreachable do (CPython 3.11 Modules/gcmodule.c, 3.13 Python/gc.c), one
 * interpreter at a time: only its candidates (tracked, not permanent, not immortal), only traversed references that own
 * a count. Two deviations, both towards "reachable", so that nothing alive is ever called unreachable: slots of
 * approximate objects are followed but never subtracted, and an object whose count is smaller than the references to it
 * (a wrong layout, a torn object: an inconsistency) is taken as reachable.
 *
 * A collection of a younger generation has fewer candidates; everything older is outside and keeps what it refers to.
 * The incremental collector of 3.14.0 to 3.14.4 does so for generation 0; what its generation 1 takes up can't be told.
 */
#ifndef OURO_ANALYSIS_COLLECTOR_H
#define OURO_ANALYSIS_COLLECTOR_H

#include "analysis/heap_model.h"

/* Bits of marks. */
#define OURO_GC_CANDIDATE     1u
#define OURO_GC_REACHABLE     2u /* a candidate that the collector keeps */
#define OURO_GC_UNREACHABLE   4u
#define OURO_GC_UNCOLLECTABLE 8u  /* unreachable, but a legacy finalizer (tp_del) keeps it from being freed */
#define OURO_GC_CLEARED       16u /* as the scope says */
#define OURO_GC_ORDERED       32u /* ouro_collection_order has met it */

/* Whose candidates: zero-initialised is a collection of generation 0. */
struct ouro_collector_scope {
    unsigned generation; /* the oldest one that takes part */
    /* What if: the answers to these are no collection's. */
    bool frozen;              /* the permanent generation takes part */
    bool guessed;             /* what approximate objects seem to refer to is subtracted as well */
    const ouro_node *cleared; /* these objects refer to nothing any more; borrowed */
    size_t cleared_count;
};

struct ouro_collector {
    uint8_t *marks; /* owned; by node */
    uint64_t candidate_count, unreachable_count, unreachable_bytes;
    uint64_t uncollectable_count, uncollectable_bytes; /* of the unreachable */
    uint64_t inconsistent_count;                       /* counts smaller than the references */
    ouro_node inconsistent_example;                    /* one of them, or OURO_NODE_NONE */
};

/* The columns that ouro_collector_init needs (it loads them itself). */
#define OURO_COLLECTOR_COLUMNS                                                                                      \
    (OURO_HEAP_SLOTS | OURO_HEAP_SHAPE | OURO_HEAP_FLAGS | OURO_HEAP_REFCOUNT | OURO_HEAP_INTERP | OURO_HEAP_SIZE | \
     OURO_HEAP_NATIVE)

/* 5 bytes a node while it runs and 4 for the search, 1 afterwards. O(objects + references). */
enum ouro_status ouro_collector_init(struct ouro_collector *collector, struct ouro_heap_model *model,
                                     struct ouro_err *err);
void ouro_collector_fini(struct ouro_collector *collector);
/* The same for other candidates; ouro_collector_init is generation 2. */
enum ouro_status ouro_collector_init_scope(struct ouro_collector *collector, struct ouro_heap_model *model,
                                           const struct ouro_collector_scope *scope, struct ouro_err *err);

/* As ouro_collector_init, where it is known what named roots reach: found has the bits (base/bits.h) of that. Only the rest is looked at. Holds as long as the counts of all that is tracked are as large as the known references
 * (ouro_roots.tracked_deficit_count 0), of which none is borrowed: on the way from a root to a candidate the last reference
 * that is not subtracted then leaves its target a count, and from there on the collector goes the same way. 1 byte an object, 4 for
 * each of the rest. */
enum ouro_status ouro_collector_init_found(struct ouro_collector *collector, struct ouro_heap_model *model, const uint64_t *found,
                                           struct ouro_err *err);

static inline bool ouro_collector_unreachable(const struct ouro_collector *collector, ouro_node node)
{
    return collector->marks[node] & OURO_GC_UNREACHABLE;
}

/* Unreachable, and the collector would free it. */
static inline bool ouro_collector_collectable(const struct ouro_collector *collector, ouro_node node)
{
    return (collector->marks[node] & (OURO_GC_UNREACHABLE | OURO_GC_UNCOLLECTABLE)) == OURO_GC_UNREACHABLE;
}

/* The unreachable objects in the order of the collector's lists, interpreter by interpreter: that in which it runs
 * finalizers, and in which DEBUG_COLLECTABLE and DEBUG_UNCOLLECTABLE print. */
struct ouro_collection_order {
    ouro_node *items; /* owned: collectable ones, then uncollectable ones */
    size_t count, collectable_count;
    uint64_t unlisted_count; /* of no list in the file, though tracked: at the ends of their parts */
};

/* Loads GC_ORDER. 4 bytes an unreachable object. generation: that of the collector's scope. */
enum ouro_status ouro_collection_order_init(struct ouro_collection_order *order, struct ouro_collector *collector,
                                            struct ouro_heap_model *model, unsigned generation, struct ouro_err *err);
void ouro_collection_order_fini(struct ouro_collection_order *order);

#endif
