#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "graph/components.h"

#define SMALL 24

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

/* The definition: two nodes are in one component when each reaches the other. */
static void check_against_the_definition(const struct ouro_csr *csr, const struct ouro_components *components)
{
    uint8_t reaches[SMALL][SMALL] = {{0}};
    ouro_node n = csr->node_count;
    for (ouro_node v = 0; v < n; v++) {
        reaches[v][v] = 1;
        for (uint64_t i = csr->begin[v]; i < csr->begin[v + 1]; i++)
            reaches[v][csr->targets[i]] = 1;
    }
    for (ouro_node k = 0; k < n; k++)
        for (ouro_node v = 0; v < n; v++)
            for (ouro_node w = 0; w < n; w++)
                reaches[v][w] |= reaches[v][k] && reaches[k][w];
    uint8_t used[SMALL] = {0};
    ouro_node count = 0;
    for (ouro_node v = 0; v < n; v++) {
        ck_assert_uint_lt(components->component[v], components->component_count);
        count += !used[components->component[v]];
        used[components->component[v]] = 1;
        for (ouro_node w = 0; w < n; w++) {
            bool same = components->component[v] == components->component[w];
            ck_assert_int_eq(same, reaches[v][w] && reaches[w][v]);
            if (reaches[v][w] && !same)
                ck_assert_uint_gt(components->component[v], components->component[w]);
        }
    }
    ck_assert_uint_eq(count, components->component_count);
}

START_TEST(components_of_random_graphs_are_those_of_the_definition)
{
    for (unsigned seed = 1; seed <= 3000; seed++) {
        struct ouro_csr_edge edges[4 * SMALL];
        random_state = seed;
        ouro_node n = 1 + random_below(SMALL);
        uint32_t m = random_below(3 * n + 1);
        for (uint32_t i = 0; i < m; i++)
            edges[i] = (struct ouro_csr_edge){random_below(n), random_below(n)};
        struct ouro_csr csr;
        struct ouro_components components;
        ck_assert_int_eq(ouro_csr_build(&csr, n, edges, m), OURO_OK);
        ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
        check_against_the_definition(&csr, &components);
        ouro_components_fini(&components);
        ouro_csr_fini(&csr);
    }
}
END_TEST

START_TEST(no_nodes_have_no_components)
{
    struct ouro_csr csr;
    struct ouro_components components;
    ck_assert_int_eq(ouro_csr_build(&csr, 0, NULL, 0), OURO_OK);
    ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
    ck_assert_uint_eq(components.component_count, 0);
    ouro_components_fini(&components);
    ouro_csr_fini(&csr);
}
END_TEST

/* A path of ten million nodes; with `closed`, a ring. */
static void check_line(bool closed)
{
    const ouro_node n = 10000000;
    struct ouro_csr csr;
    struct ouro_components components;
    ck_assert_int_eq(ouro_csr_init(&csr, n, closed ? n : n - 1), OURO_OK);
    for (ouro_node v = 0; v < n; v++) {
        csr.begin[v] = v;
        if (v < csr.edge_count)
            csr.targets[v] = v + 1 < n ? v + 1 : 0;
    }
    csr.begin[n] = csr.edge_count;
    ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
    ck_assert_uint_eq(components.component_count, closed ? 1 : n);
    ouro_node wrong = 0;
    for (ouro_node v = 0; v < n; v++)
        wrong += components.component[v] != (closed ? 0 : n - 1 - v);
    ck_assert_uint_eq(wrong, 0);
    ouro_components_fini(&components);
    ouro_csr_fini(&csr);
}

START_TEST(a_path_of_ten_million_nodes_has_as_many_components)
{
    check_line(false);
}
END_TEST

START_TEST(a_ring_of_ten_million_nodes_is_one_component)
{
    check_line(true);
}
END_TEST

START_TEST(a_node_with_a_million_edges_to_itself_is_one_component)
{
    struct ouro_csr csr;
    struct ouro_components components;
    ck_assert_int_eq(ouro_csr_init(&csr, 2, 1000001), OURO_OK);
    memset(csr.targets, 0, 1000001 * sizeof *csr.targets);
    csr.begin[1] = 1000000;
    csr.begin[2] = 1000001;
    ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
    ck_assert_uint_eq(components.component_count, 2);
    ck_assert_uint_eq(components.component[0], 0);
    ouro_components_fini(&components);
    ouro_csr_fini(&csr);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph components");
    TCase *tests = tcase_create("components");
    tcase_add_test(tests, components_of_random_graphs_are_those_of_the_definition);
    tcase_add_test(tests, no_nodes_have_no_components);
    tcase_add_test(tests, a_path_of_ten_million_nodes_has_as_many_components);
    tcase_add_test(tests, a_ring_of_ten_million_nodes_is_one_component);
    tcase_add_test(tests, a_node_with_a_million_edges_to_itself_is_one_component);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
