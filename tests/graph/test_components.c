#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "graph/components.h"
#include "graphs.h"

#define SMALL 24

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
    ouro_node count = 0, wrong = 0;
    for (ouro_node v = 0; v < n; v++) {
        ck_assert_uint_lt(components->component[v], components->component_count);
        count += !used[components->component[v]];
        used[components->component[v]] = 1;
        for (ouro_node w = 0; w < n; w++) {
            bool same = components->component[v] == components->component[w];
            wrong += same != (reaches[v][w] && reaches[w][v]);
            wrong += reaches[v][w] && components->component[v] < components->component[w];
        }
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(count, components->component_count);
}

START_TEST(components_of_random_graphs_are_those_of_the_definition)
{
    graphs_seed("components_of_random_graphs_are_those_of_the_definition");
    for (int round = 0; round < 3000; round++) {
        struct ouro_csr csr;
        struct ouro_components components;
        ouro_node nodes = 1 + graphs_random_below(SMALL);
        graphs_random(&csr, nodes, graphs_random_below(3 * nodes + 1));
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

static void check_line(bool closed)
{
    const ouro_node n = GRAPHS_LARGE;
    struct ouro_csr csr;
    struct ouro_components components;
    graphs_path(&csr, n, closed);
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

START_TEST(a_star_of_ten_million_nodes_is_as_many_or_one)
{
    for (int mutual = 0; mutual < 2; mutual++) {
        struct ouro_csr csr;
        struct ouro_components components;
        graphs_star(&csr, GRAPHS_LARGE, mutual);
        ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
        ck_assert_uint_eq(components.component_count, mutual ? 1 : GRAPHS_LARGE);
        ck_assert_uint_eq(components.component[0], mutual ? 0 : GRAPHS_LARGE - 1);
        ouro_components_fini(&components);
        ouro_csr_fini(&csr);
    }
}
END_TEST

START_TEST(a_million_edges_to_itself_are_no_cycle_with_others)
{
    struct ouro_csr csr;
    struct ouro_components components;
    graphs_parallel(&csr, 1000000);
    ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
    ck_assert_uint_eq(components.component_count, 1);
    ouro_components_fini(&components);
    csr.begin[2] = csr.begin[1]; /* nothing leads back */
    ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_OK);
    ck_assert_uint_eq(components.component_count, 2);
    ck_assert_uint_eq(components.component[0], 1);
    ck_assert_uint_eq(components.component[1], 0);
    ouro_components_fini(&components);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(a_node_with_too_many_edges_is_refused)
{
    uint64_t begin[] = {0, UINT64_C(1) << 31};
    struct ouro_csr csr = {.node_count = 1, .edge_count = begin[1], .begin = begin}; /* never looked at further */
    struct ouro_components components;
    ck_assert_int_eq(ouro_components_init(&components, &csr), OURO_INVAL);
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
    tcase_add_test(tests, a_star_of_ten_million_nodes_is_as_many_or_one);
    tcase_add_test(tests, a_million_edges_to_itself_are_no_cycle_with_others);
    tcase_add_test(tests, a_node_with_too_many_edges_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
