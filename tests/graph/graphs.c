#include "graphs.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

void graphs_seed(const char *test)
{
    const char *given = getenv("OURO_TEST_SEED");
    random_state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("%s: OURO_TEST_SEED=%llu\n", test, (unsigned long long)random_state);
}

uint32_t graphs_random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

void graphs_random(struct ouro_csr *csr, ouro_node nodes, uint32_t count)
{
    struct ouro_csr_edge *edges = malloc((count + 1) * sizeof *edges);
    for (uint32_t i = 0; i < count; i++)
        edges[i] = (struct ouro_csr_edge){graphs_random_below(nodes), graphs_random_below(nodes)};
    ck_assert_int_eq(ouro_csr_build(csr, nodes, edges, count), OURO_OK);
    free(edges);
}

void graphs_path(struct ouro_csr *csr, ouro_node nodes, bool closed)
{
    ck_assert_int_eq(ouro_csr_init(csr, nodes, nodes - 1 + closed), OURO_OK);
    for (ouro_node v = 0; v < nodes; v++) {
        csr->begin[v] = v;
        if (v < csr->edge_count)
            csr->targets[v] = v + 1 < nodes ? v + 1 : 0;
    }
    csr->begin[nodes] = csr->edge_count;
}

void graphs_star(struct ouro_csr *csr, ouro_node nodes, bool mutual)
{
    uint64_t rays = nodes - 1;
    ck_assert_int_eq(ouro_csr_init(csr, nodes, rays << mutual), OURO_OK);
    for (ouro_node v = 1; v < nodes; v++) {
        csr->targets[v - 1] = v;
        csr->begin[v] = rays + (mutual ? v - 1 : 0);
        if (mutual)
            csr->targets[rays + v - 1] = 0;
    }
    csr->begin[nodes] = csr->edge_count;
}

void graphs_parallel(struct ouro_csr *csr, uint32_t repeats)
{
    ck_assert_int_eq(ouro_csr_init(csr, 2, 3 * (uint64_t)repeats), OURO_OK);
    for (uint32_t i = 0; i < repeats; i++) {
        csr->targets[2 * (uint64_t)i] = 0;
        csr->targets[2 * (uint64_t)i + 1] = 1;
        csr->targets[2 * (uint64_t)repeats + i] = 0;
    }
    csr->begin[1] = 2 * (uint64_t)repeats;
    csr->begin[2] = csr->edge_count;
}
