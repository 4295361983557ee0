/* One object's surroundings: what it refers to, what refers to it, and how far that explains its reference count. */
#ifndef OURO_ANALYSIS_NEIGHBOURS_H
#define OURO_ANALYSIS_NEIGHBOURS_H

#include "analysis/heap_model.h"

struct ouro_slots {
    struct ouro_slot *items; /* owned */
    size_t count, capacity;
    uint64_t total; /* may be more than were kept */
};

struct ouro_neighbours {
    ouro_node node;
    struct ouro_slots referents; /* filled slots, weak ones included, in the order of the file */
    struct ouro_slots referrers; /* slots of others (and its own) that hold the node */
    struct ouro_slots weak_references; /* of referrers: those of weak reference objects */
    uint64_t owned_count;        /* references to it that own a count */
    uint64_t borrowed_count, weak_count;
};

/* At most `most` of each are kept, 0: all. O(references of the whole heap). Loads SLOTS and what labels need. */
enum ouro_status ouro_neighbours_init(struct ouro_neighbours *neighbours, struct ouro_heap_model *model, ouro_node node,
                                      size_t most, struct ouro_err *err);
void ouro_neighbours_fini(struct ouro_neighbours *neighbours);

#endif
