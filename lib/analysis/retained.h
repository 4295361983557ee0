/* Retained sizes of all objects: what would go if the object went, by dominators under the implicit super-root. */
#ifndef OURO_ANALYSIS_RETAINED_H
#define OURO_ANALYSIS_RETAINED_H

#include "analysis/roots.h"
#include "graph/dominators.h"

struct ouro_retained {
    struct ouro_dominators dominators; /* over objects, virtual roots and the super-root */
    uint64_t *bytes;                   /* owned; by node: sizes and native bytes of all it dominates */
    ouro_node super_root;
};

/* The graph of roots is built, used and freed. */
enum ouro_status ouro_retained_init(struct ouro_retained *retained, const struct ouro_roots *roots,
                                    struct ouro_err *err);
/* The same of a graph that ouro_roots_graph made: it is taken, and freed before the last phase or before this fails.
 * Of the heap it uses SIZE and NATIVE only. */
enum ouro_status ouro_retained_init_taking(struct ouro_retained *retained, const struct ouro_roots *roots,
                                           struct ouro_csr *graph, struct ouro_err *err);
void ouro_retained_fini(struct ouro_retained *retained);

/* The dominator that is an object or a root; OURO_NODE_NONE where only the super-root dominates or nothing reaches
 * it. */
static inline ouro_node ouro_retained_idom(const struct ouro_retained *retained, ouro_node node)
{
    ouro_node idom = retained->dominators.idom[node];
    return idom == retained->super_root ? OURO_NODE_NONE : idom;
}

/* counts[v]: the objects that v dominates, and itself; roots, frames and what is lost to damage count nothing. counts:
 * super_root + 1 of them. O(nodes). */
void ouro_retained_count_objects(const struct ouro_retained *retained, const struct ouro_heap_model *model,
                                 uint32_t *counts);

/* Sums by group: bytes[group_of[v]] gets what v retains, unless a dominator of v is of the same group (it has counted
 * it). A lower bound of what the group retains: what several of it share, and nothing else reaches, is in no member's
 * subtree. group_of: by object, a number below group_count or UINT32_MAX for none; bytes: group_count, zeroed here.
 * 12 bytes a node while it runs. */
enum ouro_status ouro_retained_by_group(const struct ouro_retained *retained, const uint32_t *group_of,
                                        ouro_node object_count, uint64_t *bytes, uint32_t group_count);

/* Exactly what one group retains together: the bytes of all that the roots reach only through it, and its own. One
 * traversal of all objects and references; 5 bytes an object while it runs. */
enum ouro_status ouro_retained_exact(const struct ouro_roots *roots, const uint32_t *group_of, uint32_t group,
                                     uint64_t *bytes);

#endif
