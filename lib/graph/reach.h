/* What can be reached from a set of nodes.
 *
 * The graph is whatever a callback says: a caller whose edges lie elsewhere (in slots of which some do not count) needs
 * no copy of them. Depth-first over an explicit stack that never holds a node twice: 4 bytes a node, taken at the
 * start. */
#ifndef OURO_GRAPH_REACH_H
#define OURO_GRAPH_REACH_H

#include <stdint.h>

#include "base/err.h"
#include "base/types.h"
#include "graph/csr.h"

struct ouro_reach {
    ouro_node node_count;
    uint8_t *marks;   /* borrowed; one byte a node */
    uint8_t bit;      /* set in marks of what is reached */
    ouro_node *stack; /* owned */
    size_t depth;
    uint64_t count;   /* nodes marked so far */
    /* Called for a node some turns before it is expanded, stages 0, 1, 2 (not always all): asks memory for what `expand` will
     * wait for, each stage for what the one before got. NULL: nothing is. */
    void (*ahead)(const void *context, ouro_node node, const struct ouro_reach *reach, unsigned stage);
};

/* marks: node_count bytes that stay the caller's; those that have `bit` set are taken as visited (and so end the
 * search). */
enum ouro_status ouro_reach_init(struct ouro_reach *reach, ouro_node node_count, uint8_t *marks, uint8_t bit);
void ouro_reach_fini(struct ouro_reach *reach);

/* Marks one node and remembers to look at its targets; a node that has the mark, or OURO_NODE_NONE, is skipped. */
static inline void ouro_reach_add(struct ouro_reach *reach, ouro_node node)
{
    if (node >= reach->node_count || reach->marks[node] & reach->bit)
        return;
    reach->marks[node] |= reach->bit;
    reach->stack[reach->depth++] = node;
    reach->count++;
}

/* Marks everything reachable from what was added, in no particular order. `expand` calls ouro_reach_add for each target of the
 * node. */
void ouro_reach_run(struct ouro_reach *reach, void (*expand)(void *context, ouro_node node, struct ouro_reach *reach),
                    void *context);
/* The same over a CSR of node_count nodes. */
void ouro_reach_run_csr(struct ouro_reach *reach, const struct ouro_csr *csr);

#endif
