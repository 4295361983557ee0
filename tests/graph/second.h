/* What igraph says of a graph, held against what lib/graph says. Only where igraph is (HAVE_IGRAPH). */
#ifndef OURO_TEST_SECOND_H
#define OURO_TEST_SECOND_H

#include "graph/csr.h"

/* What was compared. */
struct second_counts {
    uint64_t nodes, reached, components;
};

/* Components; dominators and retained sizes below root, sizes by node. NULL: all agree; else in words what doesn't, in
 * static storage. */
const char *second_compare(const struct ouro_csr *csr, ouro_node root, const uint64_t *sizes,
                           struct second_counts *counts);

#endif
