#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "graph/dominators.h"
#include "graphs.h"

#define SMALL 24

static void mark_without(const struct ouro_csr *csr, ouro_node v, ouro_node without, uint8_t *marks)
{
    if (v == without || marks[v])
        return;
    marks[v] = 1;
    for (uint64_t i = csr->begin[v]; i < csr->begin[v + 1]; i++)
        mark_without(csr, csr->targets[i], without, marks);
}

/* The definition itself: d dominates v if v can't be reached once d is taken away. */
static void check_against_the_definition(const struct ouro_csr *csr, ouro_node root,
                                         const struct ouro_dominators *dominators, const uint64_t *shallow)
{
    uint8_t reached[SMALL] = {0}, dominates[SMALL][SMALL];
    uint64_t retained[SMALL];
    uint32_t nodes = csr->node_count, reached_count = 0;
    memset(dominates, 0, sizeof dominates);
    mark_without(csr, root, OURO_NODE_NONE, reached);
    for (ouro_node d = 0; d < nodes; d++) {
        uint8_t still[SMALL] = {0};
        reached_count += reached[d];
        mark_without(csr, root, d, still);
        for (ouro_node v = 0; v < nodes; v++)
            dominates[d][v] = reached[d] && reached[v] && !still[v];
    }
    ck_assert_uint_eq(dominators->reached_count, reached_count);
    ouro_dominators_retained(dominators, shallow, retained);
    for (ouro_node v = 0; v < nodes; v++) {
        /* The immediate one is the strict dominator that all other strict ones dominate. */
        ouro_node expected = OURO_NODE_NONE;
        for (ouro_node d = 0; d < nodes; d++) {
            bool nearest = d != v && dominates[d][v];
            for (ouro_node e = 0; nearest && e < nodes; e++)
                nearest = e == v || !dominates[e][v] || dominates[e][d];
            if (nearest)
                expected = d;
        }
        ck_assert_uint_eq(dominators->idom[v], expected);
        uint64_t sum = reached[v] ? 0 : shallow[v];
        for (ouro_node w = 0; w < nodes; w++)
            sum += dominates[v][w] ? shallow[w] : 0;
        ck_assert_uint_eq(retained[v], sum);
    }
}

START_TEST(random_graphs_agree_with_the_definition)
{
    graphs_seed("random_graphs_agree_with_the_definition");
    for (int round = 0; round < 3000; round++) {
        uint32_t nodes = 1 + graphs_random_below(SMALL), root = graphs_random_below(nodes);
        uint64_t shallow[SMALL];
        struct ouro_csr csr;
        struct ouro_dominators dominators;
        graphs_random(&csr, nodes, graphs_random_below(3 * SMALL));
        for (uint32_t v = 0; v < nodes; v++)
            shallow[v] = 1 + graphs_random_below(1000);
        ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, root), OURO_OK);
        check_against_the_definition(&csr, root, &dominators, shallow);
        ouro_dominators_fini(&dominators);
        ouro_csr_fini(&csr);
    }
}
END_TEST

/* Owner 0 -> 1, tree with pointers back to the parent: 1 <-> 2, 1 <-> 3; 100 bytes each. */
START_TEST(a_cycle_below_the_owner_is_retained_by_it)
{
    struct ouro_csr_edge edges[] = {{0, 1}, {1, 2}, {2, 1}, {1, 3}, {3, 1}};
    uint64_t shallow[] = {100, 100, 100, 100}, retained[4];
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    ck_assert_int_eq(ouro_csr_build(&csr, 4, edges, 5), OURO_OK);
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 0), OURO_OK);
    ouro_dominators_retained(&dominators, shallow, retained);
    uint64_t expected[] = {400, 300, 100, 100};
    ck_assert_mem_eq(retained, expected, sizeof expected);
    ouro_dominators_fini(&dominators);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(dominators_of_a_cycle_is_its_entry)
{
    struct ouro_csr_edge edges[] = {{0, 2}, {2, 3}, {3, 1}, {1, 2}, {1, 3}};
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    ck_assert_int_eq(ouro_csr_build(&csr, 4, edges, 5), OURO_OK);
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 0), OURO_OK);
    ouro_node expected[] = {OURO_NODE_NONE, 3, 0, 2};
    ck_assert_mem_eq(dominators.idom, expected, sizeof expected);
    ouro_dominators_fini(&dominators);
    ouro_csr_fini(&csr);
}
END_TEST

/* The flow graph of figure 1 of Lengauer and Tarjan (1979): R A B C D E F G H I J K L. */
START_TEST(the_example_of_lengauer_and_tarjan)
{
    enum { R, A, B, C, D, E, F, G, H, I, J, K, L };
    struct ouro_csr_edge edges[] = {
        {R, A},
        {R, B},
        {R, C},
        {A, D},
        {B, A},
        {B, D},
        {B, E},
        {C, F},
        {C, G},
        {D, L},
        {E, H},
        {F, I},
        {G, I},
        {G, J},
        {H, E},
        {H, K},
        {I, K},
        {J, I},
        {K, I},
        {K, R},
        {L, H}
    };
    ouro_node expected[] = {OURO_NODE_NONE, R, R, R, R, R, C, C, R, R, G, R, D};
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    ck_assert_int_eq(ouro_csr_build(&csr, 13, edges, 21), OURO_OK);
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, R), OURO_OK);
    ck_assert_mem_eq(dominators.idom, expected, sizeof expected);
    ouro_dominators_fini(&dominators);
    ouro_csr_fini(&csr);
}
END_TEST

/* The first is the root: what the others retain is told by `retained`, who dominates them by `idom`. */
static void check_large(struct ouro_csr *csr, ouro_node (*idom)(ouro_node v), uint64_t (*retained)(ouro_node v))
{
    struct ouro_dominators dominators;
    ouro_node n = csr->node_count, wrong = 0;
    uint64_t *sizes = malloc(n * sizeof *sizes);
    for (ouro_node v = 0; v < n; v++)
        sizes[v] = 8;
    ck_assert_int_eq(ouro_dominators_init_taking(&dominators, csr, 0), OURO_OK);
    ck_assert_ptr_null(csr->targets);
    ck_assert_uint_eq(dominators.reached_count, n);
    ouro_dominators_retained(&dominators, sizes, sizes);
    for (ouro_node v = 1; v < n; v++)
        wrong += dominators.idom[v] != idom(v) || sizes[v] != retained(v);
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(sizes[0], 8 * (uint64_t)n);
    free(sizes);
    ouro_dominators_fini(&dominators);
}

static ouro_node the_one_before(ouro_node v)
{
    return v - 1;
}

static ouro_node the_first(ouro_node v)
{
    (void)v;
    return 0;
}

static uint64_t all_behind(ouro_node v)
{
    return 8 * (uint64_t)(GRAPHS_LARGE - v);
}

static uint64_t itself(ouro_node v)
{
    (void)v;
    return 8;
}

START_TEST(a_path_of_ten_million_nodes)
{
    struct ouro_csr csr;
    graphs_path(&csr, GRAPHS_LARGE, false);
    check_large(&csr, the_one_before, all_behind);
    graphs_path(&csr, GRAPHS_LARGE, true);
    check_large(&csr, the_one_before, all_behind);
}
END_TEST

/* Each node also points back half its way: the paths that SEMI-NCA compresses are as long as they get. */
START_TEST(a_path_of_ten_million_nodes_that_point_back)
{
    struct ouro_csr csr;
    ck_assert_int_eq(ouro_csr_init(&csr, GRAPHS_LARGE, 2 * (uint64_t)(GRAPHS_LARGE - 1)), OURO_OK);
    for (ouro_node v = 0; v < GRAPHS_LARGE - 1; v++) {
        csr.begin[v] = 2 * (uint64_t)v;
        csr.targets[2 * v] = v + 1;
        csr.targets[2 * v + 1] = v / 2;
    }
    csr.begin[GRAPHS_LARGE - 1] = csr.begin[GRAPHS_LARGE] = csr.edge_count;
    check_large(&csr, the_one_before, all_behind);
}
END_TEST

START_TEST(a_star_of_ten_million_nodes)
{
    struct ouro_csr csr;
    graphs_star(&csr, GRAPHS_LARGE, false);
    check_large(&csr, the_first, itself);
    graphs_star(&csr, GRAPHS_LARGE, true);
    check_large(&csr, the_first, itself);
}
END_TEST

START_TEST(a_million_parallel_edges_and_self_references_change_nothing)
{
    struct ouro_csr csr;
    graphs_parallel(&csr, 1000000);
    check_large(&csr, the_first, itself);
}
END_TEST

START_TEST(a_root_that_is_no_node_is_refused)
{
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    ck_assert_int_eq(ouro_csr_build(&csr, 2, NULL, 0), OURO_OK);
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 2), OURO_INVAL);
    ck_assert_int_eq(ouro_dominators_init_taking(&dominators, &csr, 2), OURO_INVAL);
    ck_assert_ptr_null(csr.begin);
}
END_TEST

START_TEST(more_edges_than_32_bits_number_are_refused)
{
    uint64_t begin[] = {0, UINT64_C(1) << 32};
    struct ouro_csr csr = {.node_count = 1, .edge_count = begin[1], .begin = begin}; /* never looked at further */
    struct ouro_dominators dominators;
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 0), OURO_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dominators");
    TCase *tcase = tcase_create("dominators");
    tcase_add_test(tcase, random_graphs_agree_with_the_definition);
    tcase_add_test(tcase, a_cycle_below_the_owner_is_retained_by_it);
    tcase_add_test(tcase, dominators_of_a_cycle_is_its_entry);
    tcase_add_test(tcase, the_example_of_lengauer_and_tarjan);
    tcase_add_test(tcase, a_path_of_ten_million_nodes);
    tcase_add_test(tcase, a_path_of_ten_million_nodes_that_point_back);
    tcase_add_test(tcase, a_star_of_ten_million_nodes);
    tcase_add_test(tcase, a_million_parallel_edges_and_self_references_change_nothing);
    tcase_add_test(tcase, a_root_that_is_no_node_is_refused);
    tcase_add_test(tcase, more_edges_than_32_bits_number_are_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
