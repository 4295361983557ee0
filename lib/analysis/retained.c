#include "analysis/retained.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"
#include "graph/reach.h"

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

void ouro_retained_count_objects(const struct ouro_retained *retained, const struct ouro_heap_model *model,
                                 uint32_t *counts)
{
    const struct ouro_dominators *dominators = &retained->dominators;
    ouro_node object_count = model->heap.count;
    memset(counts + object_count, 0, ((size_t)dominators->node_count - object_count) * sizeof *counts);
    for (ouro_node v = 0; v < object_count; v++)
        counts[v] = !(model->heap.flags[v] & OURO_OBJECT_PSEUDO) && model->heap.shape[v] < model->shape_count;
    for (ouro_node i = dominators->reached_count; i > 1; i--) {
        ouro_node v = dominators->order[i - 1];
        counts[dominators->idom[v]] += counts[v];
    }
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

#define OF_GROUP 1u
#define REACHED  2u

static inline void reach_outside(struct ouro_reach *reach, ouro_node target)
{
    if (!(reach->marks[target] & OF_GROUP))
        ouro_reach_add(reach, target);
}

static void expand_outside(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct ouro_heap_model *model = context;
    OURO_EACH_TARGET(model, node, OURO_CLASS_OWNED, reach_outside, reach);
}

static void add_roots(struct ouro_reach *reach, const ouro_node *nodes, ouro_node count)
{
    for (ouro_node i = 0; i < count; i++)
        reach_outside(reach, nodes[i]);
}

enum ouro_status ouro_retained_exact(const struct ouro_roots *roots, const uint32_t *group_of, uint32_t group,
                                     uint64_t *bytes)
{
    const struct ouro_heap_model *model = roots->model;
    ouro_node count = model->heap.count;
    OURO_FREE uint8_t *marks = ouro_large_new_zeroed(count, sizeof *marks);
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    if (!marks)
        return OURO_NOMEM;
    OURO_TRY(ouro_reach_init(&reach, count, marks, REACHED));
    for (ouro_node v = 0; v < count; v++)
        marks[v] = group_of[v] == group ? OF_GROUP : 0;
    add_roots(&reach, roots->named, roots->named_count);
    add_roots(&reach, roots->native, roots->native_count);
    add_roots(&reach, roots->garbage, roots->garbage_count);
    ouro_reach_run(&reach, expand_outside, (void *)model);
    *bytes = 0;
    for (ouro_node v = 0; v < count; v++)
        if (marks[v] & OF_GROUP || (!marks[v] && roots->marks[v] & (OURO_ROOTED | OURO_WITH_GARBAGE)))
            *bytes += ouro_heap_model_bytes(model, v);
    return OURO_OK;
}
