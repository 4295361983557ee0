/* Dominators and retained sizes.
 *
 * SEMI-NCA (Loukas Georgiadis, "Linear-time algorithms for dominators and related problems", Princeton 2005, section
 * 2.3), iterative throughout. Quadratic in theory, on heaps as good as linear. Memory: 8 bytes a node for the result;
 * 20 bytes a node besides while it runs, taken before the first visit; and for each edge to a node that was visited before
 * its source 8 bytes, taken as they are met, 12 while they are sorted, 4 then. */
#ifndef OURO_GRAPH_DOMINATORS_H
#define OURO_GRAPH_DOMINATORS_H

#include "graph/csr.h"

struct ouro_dominators {
    ouro_node node_count;
    ouro_node reached_count;
    ouro_node
        *idom; /* owned; by node: the immediate dominator; OURO_NODE_NONE for the root and what it doesn't reach */
    ouro_node *order; /* owned; the reached nodes, root first, each behind its dominator (depth-first preorder) */
};

/* OURO_INVAL: root is no node. OURO_LIMIT: 2^32 edges or more. OURO_NOMEM. */
enum ouro_status ouro_dominators_init(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root);
/* The same, and the graph is taken: freed as soon as it is no longer needed, or before this fails. Its bytes and the
 * last phase's are then never held together. */
enum ouro_status ouro_dominators_init_taking(struct ouro_dominators *dominators, struct ouro_csr *csr, ouro_node root);
void ouro_dominators_fini(struct ouro_dominators *dominators);

/* retained[v]: the sum of shallow[w] over all w that v dominates, itself included; of unreached nodes their own. Both
 * are arrays of node_count and may be the same. O(nodes). */
void ouro_dominators_retained(const struct ouro_dominators *dominators, const uint64_t *shallow, uint64_t *retained);

#endif
