/* What lies around objects, as objgraph draws it: what they refer to, or what refers to them, a few steps far.
 *
 * Breadth-first from the start objects. Of each object that is not too deep the references are taken in the order in which
 * gc.get_referents gives them, repeats included, or its referrers in that of gc.get_referrers: the order of the collector's
 * lists, modules in sys.modules before all others, behind them by address what the collector does not list (frames, roots,
 * what it does not track). The first `too_many` are drawn, the others counted. References of one object to another are one
 * edge with their labels. Nothing is left out without being counted. */
#ifndef OURO_ANALYSIS_NEIGHBOURHOOD_H
#define OURO_ANALYSIS_NEIGHBOURHOOD_H

#include "analysis/heap_model.h"
#include "base/buf.h"

enum ouro_neighbourhood_direction {
    OURO_NEIGHBOURHOOD_REFERENTS,
    OURO_NEIGHBOURHOOD_REFERRERS, /* modules in sys.modules are not followed further */
};

struct ouro_neighbourhood_query {
    enum ouro_neighbourhood_direction direction;
    const ouro_node *starts; /* borrowed; no node twice */
    size_t start_count;
    uint32_t depth_max;
    uint32_t too_many;          /* references, or referrers, of each object; 0: no limit */
    bool hidden;                /* referents: those too that gc.get_referents does not give; referrers have them always */
    const char *filter;         /* neighbours must be of this TYPE (pattern.h); NULL: any */
    const char *const *ignored_types; /* TYPEs that are left out, silently as objgraph does; NULL-terminated or NULL */
    const ouro_node *ignored;   /* objects that are left out likewise; borrowed */
    size_t ignored_count;
    uint32_t node_budget;       /* objects drawn at most, the start objects always; 0: no limit */
};

#define OURO_NEIGHBOURHOOD_LABELS 4u /* of one edge; further ones are counted */

struct ouro_neighbourhood_node {
    ouro_node node;
    uint32_t depth;
    bool start, module; /* module: a value of sys.modules */
    uint64_t more_count; /* references, or referrers, that are not drawn */
};

struct ouro_neighbourhood_edge {
    uint32_t from, to;          /* who refers to whom: indexes of nodes */
    size_t label, label_size;   /* into labels: one on a line */
    enum ouro_edge_class edge_class; /* of its first reference */
};

/* A way of many objects of which only the ends are drawn. */
struct ouro_neighbourhood_fold {
    uint32_t from, to;
    uint64_t count; /* objects between them */
};

struct ouro_neighbourhood {
    struct ouro_neighbourhood_nodes {
        struct ouro_neighbourhood_node *items; /* owned */
        size_t count, capacity;
    } nodes; /* in the order in which they were met: the start objects first */
    struct ouro_neighbourhood_edges {
        struct ouro_neighbourhood_edge *items; /* owned */
        size_t count, capacity;
    } edges;
    struct ouro_neighbourhood_folds {
        struct ouro_neighbourhood_fold *items; /* owned */
        size_t count, capacity;
    } folds;
    uint64_t unplaced_count; /* start objects that there was no room for */
    struct ouro_buf labels;
};

/* Loads what it needs. Referents: O(references of what is drawn). Referrers: one pass over all references for each step, 5 bytes
 * an object while it runs. OURO_INVAL: a start object is none. */
enum ouro_status ouro_neighbourhood_init(struct ouro_neighbourhood *neighbourhood, struct ouro_heap_model *model,
                                         const struct ouro_neighbourhood_query *query, struct ouro_err *err);
void ouro_neighbourhood_fini(struct ouro_neighbourhood *neighbourhood);

/* Sets the bit of each object that is a value of a sys.modules, of any interpreter; `bits` has one for each object. Needs FLAGS,
 * SLOTS and VALUES. */
void ouro_neighbourhood_find_modules(const struct ouro_heap_model *model, uint8_t *bits);

/* For who finds nodes in another way. Adds a node and gives its index; UINT32_MAX: out of memory. */
uint32_t ouro_neighbourhood_add(struct ouro_neighbourhood *neighbourhood, ouro_node node, uint32_t depth);
/* Adds an edge with the labels of all references of these classes (bits 1 << enum ouro_edge_class) between two nodes; false: out
 * of memory. O(slots of the first). Needs what labels need. */
bool ouro_neighbourhood_connect(struct ouro_neighbourhood *neighbourhood, const struct ouro_heap_model *model,
                                uint32_t from, uint32_t to, unsigned classes);

#endif
