/* Chains of references, as objgraph finds and draws them: the shortest from a module in sys.modules to an object, or the
 * shortest from an object to one of a type.
 *
 * Unlike paths (path.h) they count every reference: an instance, its __dict__ and the value are three objects and two
 * steps. References that gc.get_referents gives are preferred; others are used where there is no chain without them.
 * Of equally long chains the one from the first module, by the first reference, in the order of the file. */
#ifndef OURO_ANALYSIS_CHAIN_H
#define OURO_ANALYSIS_CHAIN_H

#include "analysis/neighbourhood.h"

struct ouro_chain_query {
    const ouro_node *nodes; /* borrowed; no node twice */
    size_t count;
    const char *to;         /* TYPE: forward from each node to the nearest other object of it; NULL: from modules to the nodes */
    uint32_t depth_max;     /* references of a chain */
    size_t node_budget;     /* objects: no chain is begun behind it; the nodes left are counted; 0: any number */
};

struct ouro_chains {
    struct ouro_neighbourhood objects; /* of all chains; depth: references to the node asked about; that is a start */
    struct ouro_chain {
        ouro_node node;      /* which was asked about */
        size_t begin, count; /* of steps, in the direction of the references; 1: the object itself, nothing was found */
    } *items; /* owned; as far as the budget goes; in the order of the query, but those found only by other references last */
    size_t count, capacity;
    struct ouro_chain_steps {
        struct ouro_chain_step {
            uint32_t node, edge; /* indexes among objects; edge: the one that leads here, UINT32_MAX of the first */
        } *items; /* owned */
        size_t count, capacity;
    } steps;
    size_t found_count;
};

/* Loads what it needs. One search over all references from modules to all nodes; with `to` one for each node. 17 bytes an
 * object while it runs. OURO_INVAL: a node is none. */
enum ouro_status ouro_chains_init(struct ouro_chains *chains, struct ouro_heap_model *model,
                                  const struct ouro_chain_query *query, struct ouro_err *err);
void ouro_chains_fini(struct ouro_chains *chains);

#endif
