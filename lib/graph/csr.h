/* A directed graph in compressed sparse rows: the targets of node v are targets[begin[v] .. begin[v + 1]).
 *
 * Nodes are dense uint32 numbers, edges keep their order and repeats, offsets are 64 bits wide. 8 bytes a node and 4 an
 * edge. Knows nothing of what the nodes are. */
#ifndef OURO_GRAPH_CSR_H
#define OURO_GRAPH_CSR_H

#include <stdint.h>

#include "base/err.h"
#include "base/types.h"

struct ouro_csr {
    ouro_node node_count;
    uint64_t edge_count;
    uint64_t *begin;    /* owned; node_count + 1 */
    ouro_node *targets; /* owned */
};

struct ouro_csr_edge {
    ouro_node from, to;
};

/* Takes the memory: begin zeroed, targets not. For callers that fill the rows themselves. OURO_NOMEM. */
enum ouro_status ouro_csr_init(struct ouro_csr *csr, ouro_node node_count, uint64_t edge_count);
void ouro_csr_fini(struct ouro_csr *csr);

/* From edges in any order; those of one node keep theirs. OURO_INVAL: an edge outside [0, node_count). O(nodes +
 * edges). */
enum ouro_status ouro_csr_build(struct ouro_csr *csr, ouro_node node_count, const struct ouro_csr_edge *edges,
                                uint64_t edge_count);
/* The same edges the other way round; the sources of each node ascend. O(nodes + edges). */
enum ouro_status ouro_csr_reverse(struct ouro_csr *reverse, const struct ouro_csr *csr);

#endif
