#include "second.h"

#include <igraph.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/components.h"
#include "graph/dominators.h"

static char words[200];

__attribute__((format(printf, 1, 2))) static const char *say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return words;
}

static void build(igraph_t *graph, const struct ouro_csr *csr)
{
    igraph_vector_int_t edges;
    igraph_vector_int_init(&edges, (igraph_integer_t)(2 * csr->edge_count));
    for (ouro_node v = 0; v < csr->node_count; v++)
        for (uint64_t i = csr->begin[v]; i < csr->begin[v + 1]; i++) {
            VECTOR(edges)[2 * i] = v;
            VECTOR(edges)[2 * i + 1] = csr->targets[i];
        }
    if (igraph_create(graph, &edges, csr->node_count, IGRAPH_DIRECTED) != IGRAPH_SUCCESS)
        abort();
    igraph_vector_int_destroy(&edges);
}

/* The same partition: theirs tells ours and ours tells theirs. */
static const char *compare_components(const igraph_t *graph, const struct ouro_components *ours)
{
    igraph_vector_int_t theirs;
    igraph_integer_t count;
    const char *difference = NULL;
    igraph_vector_int_init(&theirs, 0);
    if (igraph_connected_components(graph, &theirs, NULL, &count, IGRAPH_STRONG) != IGRAPH_SUCCESS)
        abort();
    if ((uint64_t)count != ours->component_count)
        difference = say("%lu components, igraph has %ld", (unsigned long)ours->component_count, (long)count);
    ouro_node *ours_of = malloc(((size_t)count + 1) * sizeof *ours_of);
    memset(ours_of, 0xff, (size_t)count * sizeof *ours_of);
    for (ouro_node v = 0; !difference && v < ours->node_count; v++) {
        ouro_node *known = &ours_of[VECTOR(theirs)[v]];
        if (*known == OURO_NODE_NONE)
            *known = ours->component[v];
        else if (*known != ours->component[v])
            difference = say("node %lu is in another component than igraph says", (unsigned long)v);
    }
    free(ours_of);
    igraph_vector_int_destroy(&theirs);
    return difference;
}

/* Theirs gives no sizes: each node's goes to all that dominate it, one after the other. */
static const char *compare_retained(const igraph_vector_int_t *theirs, const struct ouro_dominators *ours,
                                    const uint64_t *sizes)
{
    ouro_node n = ours->node_count;
    const char *difference = NULL;
    uint64_t *retained = malloc(n * sizeof *retained), *expected = calloc(n, sizeof *expected);
    ouro_dominators_retained(ours, sizes, retained);
    for (ouro_node v = 0; v < n; v++)
        for (igraph_integer_t d = v; d >= 0; d = VECTOR(*theirs)[d])
            expected[d] += sizes[v];
    for (ouro_node v = 0; !difference && v < n; v++)
        if (retained[v] != expected[v])
            difference = say("node %lu retains %llu, by igraph's tree %llu", (unsigned long)v,
                             (unsigned long long)retained[v], (unsigned long long)expected[v]);
    free(retained);
    free(expected);
    return difference;
}

static const char *compare_dominators(const igraph_t *graph, const struct ouro_dominators *ours, ouro_node root,
                                      const uint64_t *sizes)
{
    igraph_vector_int_t theirs;
    const char *difference = NULL;
    igraph_vector_int_init(&theirs, 0);
    if (igraph_dominator_tree(graph, root, &theirs, NULL, NULL, IGRAPH_OUT) != IGRAPH_SUCCESS)
        abort();
    /* Negative: the root, and what it doesn't reach. */
    for (ouro_node v = 0; !difference && v < ours->node_count; v++) {
        igraph_integer_t idom = ours->idom[v] == OURO_NODE_NONE ? -1 : (igraph_integer_t)ours->idom[v];
        if ((VECTOR(theirs)[v] < 0 ? -1 : VECTOR(theirs)[v]) != idom)
            difference = say("the dominator of node %lu is %ld, igraph says %ld", (unsigned long)v, (long)idom,
                             (long)VECTOR(theirs)[v]);
    }
    if (!difference)
        difference = compare_retained(&theirs, ours, sizes);
    igraph_vector_int_destroy(&theirs);
    return difference;
}

const char *second_compare(const struct ouro_csr *csr, ouro_node root, const uint64_t *sizes,
                           struct second_counts *counts)
{
    igraph_t graph;
    struct ouro_components components;
    struct ouro_dominators dominators;
    build(&graph, csr);
    if (ouro_components_init(&components, csr) != OURO_OK || ouro_dominators_init(&dominators, csr, root) != OURO_OK)
        abort();
    counts->nodes += csr->node_count;
    counts->reached += dominators.reached_count;
    counts->components += components.component_count;
    const char *difference = compare_components(&graph, &components);
    if (!difference)
        difference = compare_dominators(&graph, &dominators, root, sizes);
    ouro_components_fini(&components);
    ouro_dominators_fini(&dominators);
    igraph_destroy(&graph);
    return difference;
}
