#include "graph/dominators.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"

/* Preorder numbers count from 1, so that 0 is "not reached". */
struct search {
    uint32_t *number; /* by node */
    uint32_t *parent; /* by number */
    uint32_t reached;
};

/* Depth-first search; fills dominators->order, search->number (zeroed by the caller) and parent. 12 bytes a node. */
static enum ouro_status number_nodes(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root,
                                     struct search *search)
{
    OURO_FREE ouro_node *stack = ouro_large_new(csr->node_count, sizeof *stack);
    OURO_FREE uint64_t *next = ouro_large_new(csr->node_count, sizeof *next);
    if (!stack || !next)
        return OURO_NOMEM;
    size_t depth = 1;
    uint32_t count = 1;
    search->number[root] = 1;
    search->parent[1] = 0;
    dominators->order[0] = root;
    stack[0] = root;
    next[0] = csr->begin[root];
    while (depth) {
        ouro_node v = stack[depth - 1];
        uint64_t i = next[depth - 1], end = csr->begin[v + 1];
        while (i < end && search->number[csr->targets[i]])
            i++;
        if (i == end) {
            depth--;
            continue;
        }
        next[depth - 1] = i + 1;
        ouro_node w = csr->targets[i];
        dominators->order[count] = w;
        search->number[w] = ++count;
        search->parent[count] = search->number[v];
        stack[depth] = w;
        next[depth++] = csr->begin[w];
    }
    search->reached = count;
    return OURO_OK;
}

/* Predecessor lists in preorder numbers, so that the main loop runs nearly sequentially and no reverse graph is needed.
 * Those of number i are sources[begin[i - 1] .. begin[i]). */
struct predecessors {
    uint64_t *begin;
    uint32_t *sources;
};

static enum ouro_status predecessors_init(struct predecessors *preds, const struct ouro_dominators *dominators,
                                          const struct ouro_csr *csr, const struct search *search)
{
    uint32_t reached = search->reached;
    uint64_t edges = 0;
    preds->begin = ouro_large_new_zeroed((size_t)reached + 2, sizeof *preds->begin);
    if (!preds->begin)
        return OURO_NOMEM;
    for (uint32_t i = 0; i < reached; i++) {
        ouro_node v = dominators->order[i];
        edges += csr->begin[v + 1] - csr->begin[v];
        for (uint64_t j = csr->begin[v]; j < csr->begin[v + 1]; j++)
            preds->begin[search->number[csr->targets[j]]]++;
    }
    preds->sources = ouro_large_new(edges, sizeof *preds->sources);
    if (!preds->sources)
        return OURO_NOMEM;
    uint64_t sum = 0;
    for (size_t i = 0; i <= reached; i++) {
        uint64_t count = preds->begin[i];
        preds->begin[i] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < reached; i++) {
        ouro_node v = dominators->order[i];
        for (uint64_t j = csr->begin[v]; j < csr->begin[v + 1]; j++)
            preds->sources[preds->begin[search->number[csr->targets[j]]]++] = i + 1;
    }
    return OURO_OK; /* begin[i] is now the end of list i and so the start of list i + 1 */
}

struct forest {
    uint32_t *ancestor, *label, *stack;
};

/* The least semidominator on v's path below the processed part (numbers > last), with path compression. */
static inline uint32_t evaluate(struct forest *forest, uint32_t v, uint32_t last)
{
    if (v <= last)
        return v;
    uint32_t *ancestor = forest->ancestor, *label = forest->label, u = v;
    size_t depth = 0;
    while (ancestor[u] > last) {
        forest->stack[depth++] = u;
        u = ancestor[u];
    }
    while (depth) {
        uint32_t w = forest->stack[--depth], a = ancestor[w];
        if (label[a] < label[w])
            label[w] = label[a];
        ancestor[w] = ancestor[a];
    }
    return label[v];
}

/* Semidominators into semi, from the last number to the second. 16 bytes a node. */
static enum ouro_status find_semidominators(const struct predecessors *preds, const struct search *search,
                                            uint32_t *semi)
{
    uint32_t reached = search->reached;
    OURO_FREE uint32_t *ancestor = ouro_large_new((size_t)reached + 1, sizeof *ancestor);
    OURO_FREE uint32_t *label = ouro_large_new((size_t)reached + 1, sizeof *label);
    OURO_FREE uint32_t *stack = ouro_large_new((size_t)reached + 1, sizeof *stack);
    if (!ancestor || !label || !stack)
        return OURO_NOMEM;
    struct forest forest = {ancestor, label, stack};
    ancestor[0] = label[0] = 0;
    for (uint32_t i = 1; i <= reached; i++) {
        ancestor[i] = search->parent[i];
        label[i] = i;
    }
    for (uint32_t i = reached; i >= 2; i--) {
        uint32_t least = search->parent[i];
        for (uint64_t j = preds->begin[i - 1]; j < preds->begin[i]; j++) {
            uint32_t found = evaluate(&forest, preds->sources[j], i);
            if (found < least)
                least = found;
        }
        semi[i] = label[i] = least;
    }
    return OURO_OK;
}

static enum ouro_status compute(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root)
{
    OURO_FREE uint32_t *number = ouro_large_new_zeroed(csr->node_count, sizeof *number);
    OURO_FREE uint32_t *parent = ouro_large_new((size_t)csr->node_count + 1, sizeof *parent);
    if (!number || !parent)
        return OURO_NOMEM;
    struct search search = {.number = number, .parent = parent};
    OURO_TRY(number_nodes(dominators, csr, root, &search));
    uint32_t reached = dominators->reached_count = search.reached;

    OURO_FREE uint32_t *semi = ouro_large_new((size_t)reached + 1, sizeof *semi);
    if (!semi)
        return OURO_NOMEM;
    struct predecessors preds = {0};
    enum ouro_status status = predecessors_init(&preds, dominators, csr, &search);
    if (status == OURO_OK)
        status = find_semidominators(&preds, &search, semi);
    free(preds.begin);
    free(preds.sources);
    if (status != OURO_OK)
        return status;

    /* The dominator of i is the nearest ancestor in the tree built so far that is not below semi[i]. */
    for (uint32_t i = 2; i <= reached; i++) {
        uint32_t d = parent[i];
        while (d > semi[i])
            d = parent[d];
        parent[i] = d;
    }
    memset(dominators->idom, 0xff, csr->node_count * sizeof *dominators->idom);
    for (uint32_t i = 2; i <= reached; i++)
        dominators->idom[dominators->order[i - 1]] = dominators->order[parent[i] - 1];
    return OURO_OK;
}

enum ouro_status ouro_dominators_init(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root)
{
    memset(dominators, 0, sizeof *dominators);
    if (root >= csr->node_count || csr->node_count == UINT32_MAX)
        return OURO_INVAL;
    dominators->node_count = csr->node_count;
    dominators->idom = ouro_large_new(csr->node_count, sizeof *dominators->idom);
    dominators->order = ouro_large_new(csr->node_count, sizeof *dominators->order);
    enum ouro_status status = OURO_NOMEM;
    if (dominators->idom && dominators->order)
        status = compute(dominators, csr, root);
    if (status != OURO_OK)
        ouro_dominators_fini(dominators);
    return status;
}

void ouro_dominators_fini(struct ouro_dominators *dominators)
{
    free(dominators->idom);
    free(dominators->order);
    memset(dominators, 0, sizeof *dominators);
}

void ouro_dominators_retained(const struct ouro_dominators *dominators, const uint64_t *shallow, uint64_t *retained)
{
    if (retained != shallow)
        memcpy(retained, shallow, dominators->node_count * sizeof *retained);
    for (uint32_t i = dominators->reached_count; i > 1; i--) {
        ouro_node v = dominators->order[i - 1];
        retained[dominators->idom[v]] += retained[v];
    }
}
