/* Strongly connected components.
 *
 * David J. Pearce, "A space-efficient algorithm for finding strongly connected components", Information Processing
 * Letters 116 (2016), PEA_FIND_SCC3: one depth-first search, iterative. Memory: 4 bytes a node for the result, 8 bytes
 * a node while it runs, all of it taken before the first visit. O(nodes + edges). */
#ifndef OURO_GRAPH_COMPONENTS_H
#define OURO_GRAPH_COMPONENTS_H

#include "graph/csr.h"

struct ouro_components {
    ouro_node node_count;
    ouro_node component_count;
    ouro_node *component; /* owned; by node: number below component_count. An edge from one component to another goes
                             from a higher number to a lower one (reverse topological order). */
};

/* OURO_NOMEM. OURO_INVAL: a node with 2^31 edges or more. */
enum ouro_status ouro_components_init(struct ouro_components *components, const struct ouro_csr *csr);
void ouro_components_fini(struct ouro_components *components);

#endif
