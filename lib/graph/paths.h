/* Shortest paths, in edges, from a set of sources.
 *
 * Breadth-first. Of several shortest paths to a node the first one found stays: sources in the order given, then nodes
 * in the order in which they were reached, edges in the order of their rows; the same graph gives the same paths.
 * Memory: 8 bytes a node for the result, 4 bytes a node while it runs, all of it taken before the first visit. O(nodes
 * + edges), and of the edges only those of nodes that were reached. */
#ifndef OURO_GRAPH_PATHS_H
#define OURO_GRAPH_PATHS_H

#include "graph/csr.h"

#define OURO_PATHS_FAR UINT32_MAX /* the distance of what was not reached */

struct ouro_paths {
    ouro_node node_count;
    ouro_node reached_count; /* sources included */
    uint32_t *distance;      /* owned; by node: edges from the nearest source, or OURO_PATHS_FAR */
    ouro_node *parent;       /* owned; by node: the one before it on its path; OURO_NODE_NONE for sources and what was
                                not reached */
};

/* Nodes further away than distance_limit are not reached; OURO_PATHS_FAR is no limit. The search ends as soon as it has
 * reached `target`: then the others' distances tell only of what was reached before it. OURO_NODE_NONE: it goes on.
 * Sources may repeat. OURO_INVAL: a source, or a target other than OURO_NODE_NONE, is no node. OURO_NOMEM. */
enum ouro_status ouro_paths_init(struct ouro_paths *paths, const struct ouro_csr *csr, const ouro_node *sources,
                                 ouro_node source_count, uint32_t distance_limit, ouro_node target);
void ouro_paths_fini(struct ouro_paths *paths);

/* The path to a node that was reached, its source first: distance[node] + 1 nodes into `path`. */
void ouro_paths_read(const struct ouro_paths *paths, ouro_node node, ouro_node *path);

#endif
