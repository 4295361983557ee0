/* Components, dominators and retained sizes of a snapshot, ours and igraph's; the graph is the one the answers are made
 * on.
 *
 *     compare_igraph SNAPSHOT
 * Prints what was compared as one JSON object. Status 1: they differ, and standard error says where. 77: no igraph. */
#include <stdio.h>
#ifdef HAVE_IGRAPH
#include <stdlib.h>
#include <string.h>

#include "../graph/second.h"
#include "analysis/retained.h"

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status != OURO_OK) {
        fprintf(stderr, "compare_igraph: %s\n", err->msg);
        exit(2);
    }
}

/* What the commands show: retained sizes from the snapshot's roots, the same as of the graph's nodes. */
static const char *compare_shown(const struct ouro_roots *roots, const struct ouro_csr *csr, const uint64_t *sizes)
{
    struct ouro_err err = {0};
    struct ouro_retained shown;
    struct ouro_dominators dominators;
    ouro_node root = ouro_roots_super_root(roots);
    uint64_t *retained = malloc(csr->node_count * sizeof *retained);
    must(ouro_retained_init(&shown, roots, &err), &err);
    must(ouro_dominators_init(&dominators, csr, root), &err);
    ouro_dominators_retained(&dominators, sizes, retained);
    bool same = !memcmp(shown.bytes, retained, csr->node_count * sizeof *retained) &&
                !memcmp(shown.dominators.idom, dominators.idom, csr->node_count * sizeof *dominators.idom);
    free(retained);
    ouro_dominators_fini(&dominators);
    ouro_retained_fini(&shown);
    return same ? NULL : "retained sizes as shown are not those of the graph";
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: compare_igraph SNAPSHOT\n");
        return 2;
    }
    struct ouro_err err = {0};
    struct ouro_heap_model model;
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_csr csr;
    struct second_counts counts = {0};
    must(ouro_heap_model_open(&model, argv[1], 0, &err), &err);
    must(ouro_collector_init(&collector, &model, &err), &err);
    must(ouro_roots_init(&roots, &model, &collector, &err), &err);
    must(ouro_roots_graph(&roots, &csr, &err), &err);
    uint64_t *sizes = calloc(csr.node_count, sizeof *sizes);
    for (ouro_node v = 0; v < model.heap.count; v++)
        sizes[v] = ouro_heap_model_bytes(&model, v);
    const char *difference = second_compare(&csr, ouro_roots_super_root(&roots), sizes, &counts);
    if (!difference)
        difference = compare_shown(&roots, &csr, sizes);
    if (difference)
        fprintf(stderr, "compare_igraph: %s\n", difference);
    printf("{\"nodes\": %llu, \"edges\": %llu, \"reached\": %llu, \"components\": %llu, \"unreachable\": %llu}\n",
           (unsigned long long)counts.nodes, (unsigned long long)csr.edge_count, (unsigned long long)counts.reached,
           (unsigned long long)counts.components, (unsigned long long)collector.unreachable_count);
    free(sizes);
    ouro_csr_fini(&csr);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    return difference != NULL;
}

#else
int main(void)
{
    puts("this build has no igraph (libigraph-dev)");
    return 77;
}
#endif
