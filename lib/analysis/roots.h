/* What keeps objects alive, and how far reference counts are explained.
 *
 * The named roots are the `<root>` objects of the file (threads, sys.modules, interpreter state, ...). Here come the
 * others, as virtual nodes numbered behind the file's objects: one for each object that only native code keeps, and one
 * named "garbage" that refers to everything the collector would find. Above all of them stands an implicit super-root.
 *
 * The explanation: count minus all known owned references (traversed and hidden, from every object, frame and root). A
 * rest above zero is what native code, C stacks and statics hold. Never to be mixed with the collector's arithmetic. */
#ifndef OURO_ANALYSIS_ROOTS_H
#define OURO_ANALYSIS_ROOTS_H

#include "analysis/collector.h"
#include "graph/csr.h"

/* Bits of marks. */
#define OURO_ROOTED       1u /* a named or a native root reaches it */
#define OURO_WITH_GARBAGE 2u /* only garbage reaches it (or it is garbage): freed with it */
#define OURO_NAMED        4u /* a named root reaches it */

struct ouro_roots {
    const struct ouro_heap_model *model;      /* borrowed */
    const struct ouro_collector *collector;   /* borrowed */
    uint8_t *marks;                           /* owned; by object */
    uint32_t *unexplained;                    /* owned; by object: references that nothing known holds, clamped */
    ouro_node *named;                         /* owned: the file's <root> objects */
    ouro_node *native;                        /* owned: objects that native roots keep, ascending */
    ouro_node *garbage;                       /* owned: what the garbage root refers to, ascending */
    ouro_node named_count, native_count, garbage_count;
    uint64_t unexplained_count;               /* objects with any */
    uint64_t deficit_count;                   /* objects with fewer counts than references: an inconsistency */
    ouro_node deficit_example;
    uint64_t tracked_deficit_count;           /* of these, what the collector tracks; True and static types often have too few */
    uint64_t with_garbage_count, with_garbage_bytes; /* garbage and what hangs off it alone */
    uint64_t lone_count, lone_bytes;          /* neither rooted nor with garbage: cycles through untracked objects */
    ouro_addr first_addr;                     /* pseudo address of the first virtual node; 8 bytes a node */
};

/* Needs SLOTS, SHAPE, FLAGS, REFCOUNT, SIZE, NATIVE, ADDR (loads what is missing). 5 bytes an object, 4 more while it
 * runs, and 4 for each that no named root reaches. OURO_LIMIT: objects and roots together are more than node numbers. */
enum ouro_status ouro_roots_init(struct ouro_roots *roots, struct ouro_heap_model *model,
                                 const struct ouro_collector *collector, struct ouro_err *err);
/* The same where all that named roots reach is known already: found has the bits of that (base/bits.h). Initialises
 * the collector too (ouro_collector_init_found, where that holds); on failure neither is there. */
enum ouro_status ouro_roots_init_found(struct ouro_roots *roots, struct ouro_heap_model *model, struct ouro_collector *collector,
                                       const uint64_t *found, struct ouro_err *err);
void ouro_roots_fini(struct ouro_roots *roots);

/* Virtual nodes: native roots, then garbage. */
static inline ouro_node ouro_roots_virtual_count(const struct ouro_roots *roots)
{
    return roots->native_count + 1;
}

static inline ouro_node ouro_roots_garbage_node(const struct ouro_roots *roots)
{
    return roots->model->heap.count + roots->native_count;
}

static inline ouro_node ouro_roots_super_root(const struct ouro_roots *roots)
{
    return roots->model->heap.count + ouro_roots_virtual_count(roots);
}

/* What a virtual node refers to. */
static inline const ouro_node *ouro_roots_targets(const struct ouro_roots *roots, ouro_node node, ouro_node *count)
{
    if (node == ouro_roots_garbage_node(roots)) {
        *count = roots->garbage_count;
        return roots->garbage;
    }
    *count = 1;
    return &roots->native[node - roots->model->heap.count];
}

static inline ouro_addr ouro_roots_addr(const struct ouro_roots *roots, ouro_node node)
{
    const struct ouro_heap *heap = &roots->model->heap;
    return node < heap->count ? heap->addr[node] : roots->first_addr + 8 * (ouro_addr)(node - heap->count);
}

/* The node at an address that objects or virtual nodes have, or OURO_NODE_NONE. */
static inline ouro_node ouro_roots_find(const struct ouro_roots *roots, ouro_addr addr)
{
    ouro_addr offset = addr - roots->first_addr;
    if (addr >= roots->first_addr && offset % 8 == 0 && offset / 8 < ouro_roots_virtual_count(roots))
        return roots->model->heap.count + (ouro_node)(offset / 8);
    return ouro_heap_model_find(roots->model, addr);
}

/* The graph of all owned references, objects, then virtual nodes, then the super-root, which refers to all roots. */
enum ouro_status ouro_roots_graph(const struct ouro_roots *roots, struct ouro_csr *csr, struct ouro_err *err);

#endif
