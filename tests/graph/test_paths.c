#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "graph/paths.h"
#include "graphs.h"

#define SMALL 24

/* Distances by the definition: as many rounds over all edges as there are nodes. */
static void measure_slowly(const struct ouro_csr *csr, const uint8_t *is_source, uint32_t *distance)
{
    for (ouro_node v = 0; v < csr->node_count; v++)
        distance[v] = is_source[v] ? 0 : OURO_PATHS_FAR;
    for (ouro_node round = 0; round < csr->node_count; round++)
        for (ouro_node v = 0; v < csr->node_count; v++)
            for (uint64_t i = csr->begin[v]; distance[v] != OURO_PATHS_FAR && i < csr->begin[v + 1]; i++)
                if (distance[csr->targets[i]] > distance[v] + 1)
                    distance[csr->targets[i]] = distance[v] + 1;
}

static bool has_edge(const struct ouro_csr *csr, ouro_node from, ouro_node to)
{
    for (uint64_t i = csr->begin[from]; i < csr->begin[from + 1]; i++)
        if (csr->targets[i] == to)
            return true;
    return false;
}

static void check_path(const struct ouro_csr *csr, const struct ouro_paths *paths, const uint8_t *is_source,
                       ouro_node node)
{
    ouro_node path[SMALL];
    uint32_t length = paths->distance[node];
    ouro_paths_read(paths, node, path);
    ck_assert(is_source[path[0]]);
    ck_assert_uint_eq(path[length], node);
    for (uint32_t i = 0; i < length; i++) {
        ck_assert_uint_eq(paths->distance[path[i]], i);
        ck_assert(has_edge(csr, path[i], path[i + 1]));
    }
}

static void check_all(const struct ouro_csr *csr, const uint8_t *is_source, const struct ouro_paths *paths,
                      uint32_t limit)
{
    uint32_t expected[SMALL];
    ouro_node reached = 0;
    measure_slowly(csr, is_source, expected);
    for (ouro_node v = 0; v < csr->node_count; v++) {
        if (expected[v] > limit)
            expected[v] = OURO_PATHS_FAR;
        ck_assert_uint_eq(paths->distance[v], expected[v]);
        if (expected[v] == OURO_PATHS_FAR || is_source[v])
            ck_assert_uint_eq(paths->parent[v], OURO_NODE_NONE);
        if (expected[v] == OURO_PATHS_FAR)
            continue;
        reached++;
        check_path(csr, paths, is_source, v);
    }
    ck_assert_uint_eq(paths->reached_count, reached);
}

START_TEST(paths_in_random_graphs_are_as_short_as_the_definition)
{
    graphs_seed("paths_in_random_graphs_are_as_short_as_the_definition");
    for (int round = 0; round < 3000; round++) {
        ouro_node nodes = 1 + graphs_random_below(SMALL), sources[4];
        uint8_t is_source[SMALL] = {0};
        uint32_t source_count = graphs_random_below(5);
        uint32_t limit = graphs_random_below(2) ? OURO_PATHS_FAR : graphs_random_below(5);
        struct ouro_csr csr;
        struct ouro_paths paths, again;
        graphs_random(&csr, nodes, graphs_random_below(3 * SMALL));
        for (uint32_t i = 0; i < source_count; i++)
            is_source[sources[i] = graphs_random_below(nodes)] = 1;
        ck_assert_int_eq(ouro_paths_init(&paths, &csr, sources, source_count, limit, OURO_NODE_NONE), OURO_OK);
        check_all(&csr, is_source, &paths, limit);

        /* With a target: its path is the same one. */
        ouro_node target = graphs_random_below(nodes);
        ck_assert_int_eq(ouro_paths_init(&again, &csr, sources, source_count, limit, target), OURO_OK);
        ck_assert_uint_eq(again.distance[target], paths.distance[target]);
        ouro_node path[SMALL], path_again[SMALL];
        ouro_paths_read(&paths, target, path);
        ouro_paths_read(&again, target, path_again);
        ck_assert_mem_eq(path, path_again, (paths.distance[target] + 1) * sizeof *path);
        ouro_paths_fini(&again);
        ouro_paths_fini(&paths);
        ouro_csr_fini(&csr);
    }
}
END_TEST

/* Two ways to 4, by 1 and by 2; two sources that reach 3. */
START_TEST(of_equally_short_paths_the_first_in_order_is_taken)
{
    struct ouro_csr_edge edges[] = {
        {0, 2},
        {0, 1},
        {1, 4},
        {2, 4},
        {5, 3},
        {0, 3}
    };
    ouro_node forth[] = {0, 5}, back[] = {5, 0, 5};
    struct ouro_csr csr;
    struct ouro_paths paths;
    ck_assert_int_eq(ouro_csr_build(&csr, 6, edges, 6), OURO_OK);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, forth, 2, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_OK);
    ck_assert_uint_eq(paths.parent[4], 2);
    ck_assert_uint_eq(paths.parent[3], 0);
    ouro_paths_fini(&paths);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, back, 3, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_OK);
    ck_assert_uint_eq(paths.parent[3], 5);
    ck_assert_uint_eq(paths.reached_count, 6);
    ouro_paths_fini(&paths);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(the_search_ends_at_its_target)
{
    struct ouro_csr csr;
    struct ouro_paths paths;
    ouro_node source = 0;
    graphs_path(&csr, 1000, false);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, &source, 1, OURO_PATHS_FAR, 10), OURO_OK);
    ck_assert_uint_eq(paths.reached_count, 11);
    ck_assert_uint_eq(paths.distance[10], 10);
    ck_assert_uint_eq(paths.distance[11], OURO_PATHS_FAR);
    ouro_paths_fini(&paths);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, &source, 1, OURO_PATHS_FAR, 0), OURO_OK);
    ck_assert_uint_eq(paths.reached_count, 1);
    ouro_paths_fini(&paths);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(nodes_that_are_none_are_refused)
{
    struct ouro_csr csr;
    struct ouro_paths paths;
    ouro_node sources[] = {0, 2};
    graphs_path(&csr, 2, false);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, sources, 2, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_INVAL);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, sources, 1, OURO_PATHS_FAR, 2), OURO_INVAL);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, NULL, 0, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_OK);
    ck_assert_uint_eq(paths.reached_count, 0);
    ouro_paths_fini(&paths);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(a_path_of_ten_million_nodes_is_as_long)
{
    struct ouro_csr csr;
    struct ouro_paths paths;
    ouro_node source = 0, wrong = 0;
    graphs_path(&csr, GRAPHS_LARGE, true);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, &source, 1, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_OK);
    for (ouro_node v = 0; v < GRAPHS_LARGE; v++)
        wrong += paths.distance[v] != v || paths.parent[v] != (v ? v - 1 : OURO_NODE_NONE);
    ck_assert_uint_eq(wrong, 0);
    ouro_node *path = malloc(GRAPHS_LARGE * sizeof *path);
    ouro_paths_read(&paths, GRAPHS_LARGE - 1, path);
    for (ouro_node v = 0; v < GRAPHS_LARGE; v++)
        wrong += path[v] != v;
    ck_assert_uint_eq(wrong, 0);
    free(path);
    ouro_paths_fini(&paths);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(a_node_with_ten_million_edges_is_one_step_from_all)
{
    struct ouro_csr csr;
    struct ouro_paths paths;
    ouro_node source = GRAPHS_LARGE - 1, wrong = 0;
    graphs_star(&csr, GRAPHS_LARGE, true);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, &source, 1, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_OK);
    for (ouro_node v = 0; v < GRAPHS_LARGE; v++)
        wrong += paths.distance[v] != (v == source ? 0 : v ? 2 : 1);
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(paths.reached_count, GRAPHS_LARGE);
    ouro_paths_fini(&paths);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, &source, 1, 1, OURO_NODE_NONE), OURO_OK);
    ck_assert_uint_eq(paths.reached_count, 2);
    ouro_paths_fini(&paths);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(a_million_parallel_edges_are_one_step)
{
    struct ouro_csr csr;
    struct ouro_paths paths;
    ouro_node source = 0;
    graphs_parallel(&csr, 1000000);
    ck_assert_int_eq(ouro_paths_init(&paths, &csr, &source, 1, OURO_PATHS_FAR, OURO_NODE_NONE), OURO_OK);
    ck_assert_uint_eq(paths.distance[1], 1);
    ck_assert_uint_eq(paths.reached_count, 2);
    ouro_paths_fini(&paths);
    ouro_csr_fini(&csr);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph paths");
    TCase *tests = tcase_create("paths");
    tcase_add_test(tests, paths_in_random_graphs_are_as_short_as_the_definition);
    tcase_add_test(tests, of_equally_short_paths_the_first_in_order_is_taken);
    tcase_add_test(tests, the_search_ends_at_its_target);
    tcase_add_test(tests, nodes_that_are_none_are_refused);
    tcase_add_test(tests, a_path_of_ten_million_nodes_is_as_long);
    tcase_add_test(tests, a_node_with_ten_million_edges_is_one_step_from_all);
    tcase_add_test(tests, a_million_parallel_edges_are_one_step);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
