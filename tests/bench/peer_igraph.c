/* igraph. */
#include <igraph.h>
#include <stdio.h>
#include <stdlib.h>

#include "peers.h"

static void must(igraph_error_t error)
{
    if (error != IGRAPH_SUCCESS) {
        fprintf(stderr, "bench_graph: igraph: %s\n", igraph_strerror(error));
        exit(1);
    }
}

static void build(igraph_t *g, struct bench_graph *graph)
{
    igraph_vector_int_t edges;
    must(igraph_vector_int_init(&edges, (igraph_integer_t)(2 * graph->edge_count)));
    for (uint32_t v = 0; v < graph->node_count; v++)
        for (uint64_t i = graph->begin[v]; i < graph->begin[v + 1]; i++) {
            VECTOR(edges)[2 * i] = v;
            VECTOR(edges)[2 * i + 1] = graph->targets[i];
        }
    bench_graph_free_rows(graph);
    must(igraph_create(g, &edges, graph->node_count, IGRAPH_DIRECTED));
    igraph_vector_int_destroy(&edges);
}

struct bench_answer bench_igraph_components(struct bench_graph *graph)
{
    igraph_t g;
    igraph_vector_int_t component;
    igraph_integer_t count;
    build(&g, graph);
    double started = bench_now();
    must(igraph_vector_int_init(&component, 0));
    must(igraph_connected_components(&g, &component, NULL, &count, IGRAPH_STRONG));
    struct bench_answer answer = {bench_now() - started, (uint64_t)count};
    igraph_vector_int_destroy(&component);
    igraph_destroy(&g);
    return answer;
}

struct bench_answer bench_igraph_dominators(struct bench_graph *graph)
{
    igraph_t g;
    igraph_vector_int_t idom;
    build(&g, graph);
    double started = bench_now();
    must(igraph_vector_int_init(&idom, 0));
    must(igraph_dominator_tree(&g, graph->root, &idom, NULL, NULL, IGRAPH_OUT));
    struct bench_answer answer = {bench_now() - started, 0};
    for (uint32_t v = 0; v < graph->node_count; v++)
        if (VECTOR(idom)[v] >= 0) /* the root and what it doesn't reach are negative */
            answer.check += bench_mix(v, (uint32_t)VECTOR(idom)[v]);
    igraph_vector_int_destroy(&idom);
    igraph_destroy(&g);
    return answer;
}
