#include "analysis/retained.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"

enum ouro_status ouro_retained_init_taking(struct ouro_retained *retained, const struct ouro_roots *roots,
                                           struct ouro_csr *graph, struct ouro_err *err)
{
    const struct ouro_heap_model *model = roots->model;
    memset(retained, 0, sizeof *retained);
    retained->super_root = ouro_roots_super_root(roots);
    enum ouro_status status = ouro_dominators_init_taking(&retained->dominators, graph, retained->super_root);
    if (status == OURO_LIMIT)
        return ouro_err_set(err, status, "more references than this version can find dominators of");
    if (status != OURO_OK)
        return ouro_err_set(err, status, "out of memory for dominators of %lu objects",
                            (unsigned long)model->heap.count);
    retained->bytes = ouro_large_new_zeroed((size_t)retained->super_root + 1, sizeof *retained->bytes);
    if (!retained->bytes) {
        ouro_retained_fini(retained);
        return ouro_err_set(err, OURO_NOMEM, "out of memory for retained sizes");
    }
    for (ouro_node v = 0; v < model->heap.count; v++)
        retained->bytes[v] = ouro_heap_model_bytes(model, v);
    ouro_dominators_retained(&retained->dominators, retained->bytes, retained->bytes);
    return OURO_OK;
}

enum ouro_status ouro_retained_init(struct ouro_retained *retained, const struct ouro_roots *roots,
                                    struct ouro_err *err)
{
    struct ouro_csr graph;
    memset(retained, 0, sizeof *retained);
    OURO_TRY(ouro_roots_graph(roots, &graph, err));
    return ouro_retained_init_taking(retained, roots, &graph, err);
}

void ouro_retained_fini(struct ouro_retained *retained)
{
    ouro_dominators_fini(&retained->dominators);
    free(retained->bytes);
    memset(retained, 0, sizeof *retained);
}

/* The dominator tree as first child and next sibling; children in any order. */
struct tree {
    ouro_node *child, *sibling;
};

static void add_unless_open(uint64_t *bytes, const uint32_t *open, uint32_t group, uint64_t more)
{
    if (group != UINT32_MAX && !open[group])
        bytes[group] += more;
}

/* Down and up the tree; open[g] tells how many dominators of group g lie above. */
static void sum_tree(const struct ouro_retained *retained, const struct tree *tree, ouro_node *stack,
                     const uint32_t *group_of, ouro_node object_count, uint32_t *open, uint64_t *bytes)
{
    size_t depth = 0;
    ouro_node v = retained->super_root;
    for (;;) {
        uint32_t group = v < object_count ? group_of[v] : UINT32_MAX;
        add_unless_open(bytes, open, group, retained->bytes[v]);
        if (tree->child[v] != OURO_NODE_NONE) {
            if (group != UINT32_MAX)
                open[group]++;
            stack[depth++] = v;
            v = tree->child[v];
            continue;
        }
        while (tree->sibling[v] == OURO_NODE_NONE) {
            if (!depth)
                return;
            v = stack[--depth];
            if (v < object_count && group_of[v] != UINT32_MAX)
                open[group_of[v]]--;
        }
        v = tree->sibling[v];
    }
}

enum ouro_status ouro_retained_by_group(const struct ouro_retained *retained, const uint32_t *group_of,
                                        ouro_node object_count, uint64_t *bytes, uint32_t group_count)
{
    const struct ouro_dominators *dominators = &retained->dominators;
    size_t nodes = dominators->node_count;
    OURO_FREE ouro_node *child = ouro_large_new(nodes, sizeof *child);
    OURO_FREE ouro_node *sibling = ouro_large_new(nodes, sizeof *sibling);
    OURO_FREE ouro_node *stack = ouro_large_new(nodes, sizeof *stack);
    OURO_FREE uint32_t *open = calloc((size_t)group_count + 1, sizeof *open);
    if (!child || !sibling || !stack || !open)
        return OURO_NOMEM;
    memset(bytes, 0, group_count * sizeof *bytes);
    memset(child, 0xff, nodes * sizeof *child);
    memset(sibling, 0xff, nodes * sizeof *sibling);
    for (ouro_node i = dominators->reached_count; i > 1; i--) {
        ouro_node v = dominators->order[i - 1], d = dominators->idom[v];
        sibling[v] = child[d];
        child[d] = v;
    }
    struct tree tree = {child, sibling};
    sum_tree(retained, &tree, stack, group_of, object_count, open, bytes);
    /* What nothing reaches retains itself. */
    for (ouro_node v = 0; v < object_count; v++)
        if (dominators->idom[v] == OURO_NODE_NONE && group_of[v] != UINT32_MAX)
            bytes[group_of[v]] += retained->bytes[v];
    return OURO_OK;
}
