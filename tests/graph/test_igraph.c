/* Random graphs, sparse and dense, against igraph. */
#include <stdio.h>
#ifdef HAVE_IGRAPH
#include <check.h>
#include <stdlib.h>

#include "graphs.h"
#include "second.h"

#define NODES_MAX 400

START_TEST(random_graphs_are_as_igraph_says)
{
    struct second_counts counts = {0};
    graphs_seed("random_graphs_are_as_igraph_says");
    for (int round = 0; round < 1000; round++) {
        struct ouro_csr csr;
        uint64_t sizes[NODES_MAX];
        ouro_node nodes = 1 + graphs_random_below(NODES_MAX);
        graphs_random(&csr, nodes, graphs_random_below(4 * nodes + 1));
        for (ouro_node v = 0; v < nodes; v++)
            sizes[v] = graphs_random_below(1000);
        const char *difference = second_compare(&csr, graphs_random_below(nodes), sizes, &counts);
        if (difference)
            ck_abort_msg("round %d: %s", round, difference);
        ouro_csr_fini(&csr);
    }
    /* Neither lone nodes nor one lump. */
    ck_assert_uint_gt(counts.reached, counts.nodes / 4);
    ck_assert_uint_lt(counts.reached, counts.nodes);
    ck_assert_uint_gt(counts.components, counts.nodes / 10);
    ck_assert_uint_lt(counts.components, counts.nodes - counts.nodes / 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph igraph");
    TCase *tests = tcase_create("igraph");
    tcase_add_test(tests, random_graphs_are_as_igraph_says);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#else
int main(void)
{
    puts("skipped: this build has no igraph (libigraph-dev)");
    return 77;
}
#endif
