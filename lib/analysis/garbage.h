/* What a collection would find, what of it can't or won't be freed, and what would be garbage if something else did not
 * keep it.
 *
 * Everything beyond the collection itself is found by asking "what if": the collector's computation once more, with the
 * permanent generation among its candidates, with the members of gc.garbage dropped, with the guesses about approximate
 * objects believed. Each of these runs only where there is something to ask about. */
#ifndef OURO_ANALYSIS_GARBAGE_H
#define OURO_ANALYSIS_GARBAGE_H

#include "analysis/finalizers.h"
#include "analysis/histogram.h"
#include "analysis/roots.h"

/* Objects of one fate. */
struct ouro_garbage_set {
    /* Owned; ascending, but what a collection finds in its order, members of a list in that of its slots. */
    ouro_node *items;
    size_t count, capacity;
    uint64_t bytes;
    struct ouro_histogram types; /* by size */
};

struct ouro_garbage_held_type {
    uint32_t type;     /* one of those of this module and name */
    ouro_node example; /* the one with the most bytes */
    uint64_t count, unexplained, reach_count, bytes;
};

/* An object that the collector would find but for references that nobody explains, and what nothing else keeps. */
struct ouro_garbage_held {
    ouro_node node;
    uint32_t unexplained;        /* references */
    uint64_t reach_count, bytes; /* itself included; what several keep together counts at the first */
};

struct ouro_garbage {
    unsigned generation; /* the one asked for */
    /* What a collection of each generation would find, legacy ones included. A prediction is none where the collector
     * is incremental and chooses by itself (generation 1). */
    struct ouro_garbage_generation {
        bool predictable;
        uint64_t count, bytes;
    } generations[OURO_GENERATION_COUNT];
    struct ouro_garbage_set unreachable;   /* all of the generation asked for */
    struct ouro_garbage_set uncollectable; /* of them: legacy finalizers and what they reach; for good */
    uint64_t legacy_count;                 /* of them: those that have such a finalizer themselves */
    struct ouro_garbage_set released;      /* taken out as those are, but freed with what alone holds them */
    uint64_t freed_count, freed_bytes;     /* the collectable and the released ones and what hangs off them alone */
    uint64_t unlisted_count;               /* their place in the order is not known */
    struct ouro_finalizers finalizers;
    /* What keeps others from being garbage. All about full collections. */
    struct ouro_garbage_set frozen;       /* unreachable, were the permanent generation not left out */
    uint64_t frozen_count;                /* of them: in the permanent generation; the others hang on these */
    struct ouro_garbage_set members;      /* of gc.garbage */
    struct ouro_garbage_set members_hold; /* unreachable, were gc.garbage empty (members and what they hold) */
    struct ouro_garbage_set resurrected;  /* reachable, though their finalizer has run */
    struct ouro_garbage_set hidden;       /* unreachable, were the guesses about approximate objects right */
    uint64_t hidden_approximate_count;    /* of them: approximate themselves */
    struct {
        struct ouro_garbage_held *items; /* owned; by bytes, largest first */
        size_t count, capacity;
        uint64_t reach_count, bytes; /* sums */
    } held;
    struct {
        struct ouro_garbage_held_type *items; /* owned; by bytes, largest first */
        size_t count, capacity;
    } held_types;
};

#define OURO_GARBAGE_COLUMNS OURO_FINALIZERS_COLUMNS

/* collector and roots: of a full collection. marks of collector are changed (OURO_GC_ORDERED). Up to 9 bytes an object
 * while it runs, 4 for each that it tells of afterwards. O(objects + references). */
enum ouro_status ouro_garbage_init(struct ouro_garbage *garbage, struct ouro_heap_model *model,
                                   struct ouro_collector *collector, const struct ouro_roots *roots,
                                   unsigned generation, struct ouro_err *err);
void ouro_garbage_fini(struct ouro_garbage *garbage);

/* The state of the members' list: whether DEBUG_SAVEALL is set for any interpreter. */
bool ouro_garbage_saves_all(const struct ouro_heap_model *model);

#endif
