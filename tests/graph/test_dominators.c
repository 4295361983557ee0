#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/dominators.h"

#define SMALL 24

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

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
    const char *given = getenv("OURO_TEST_SEED");
    random_state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("random_graphs_agree_with_the_definition: OURO_TEST_SEED=%llu\n", (unsigned long long)random_state);
    for (int round = 0; round < 3000; round++) {
        uint32_t nodes = 1 + random_below(SMALL), count = random_below(3 * SMALL), root = random_below(nodes);
        struct ouro_csr_edge edges[3 * SMALL];
        uint64_t shallow[SMALL];
        for (uint32_t i = 0; i < count; i++)
            edges[i] = (struct ouro_csr_edge){random_below(nodes), random_below(nodes)};
        for (uint32_t v = 0; v < nodes; v++)
            shallow[v] = 1 + random_below(1000);
        struct ouro_csr csr;
        struct ouro_dominators dominators;
        ck_assert_int_eq(ouro_csr_build(&csr, nodes, edges, count), OURO_OK);
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

START_TEST(a_path_of_a_million_nodes)
{
    enum { COUNT = 1000000 };
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    uint64_t *sizes = malloc(COUNT * sizeof *sizes);
    /* Each node also points back at the first: the paths that SEMI-NCA compresses are as long as they get. */
    ck_assert_int_eq(ouro_csr_init(&csr, COUNT, 2 * (COUNT - 1)), OURO_OK);
    for (uint32_t v = 0; v < COUNT; v++) {
        csr.begin[v] = 2 * (uint64_t)v;
        sizes[v] = 1;
        if (v < COUNT - 1) {
            csr.targets[2 * v] = v + 1;
            csr.targets[2 * v + 1] = v / 2;
        }
    }
    csr.begin[COUNT] = csr.edge_count;
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 0), OURO_OK);
    ouro_dominators_retained(&dominators, sizes, sizes);
    for (uint32_t v = 1; v < COUNT; v++) {
        ck_assert(dominators.idom[v] == v - 1);
        ck_assert(sizes[v] == COUNT - v);
    }
    free(sizes);
    ouro_dominators_fini(&dominators);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(a_star_of_a_million_nodes)
{
    enum { COUNT = 1000000 };
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    uint64_t *sizes = malloc(COUNT * sizeof *sizes);
    ck_assert_int_eq(ouro_csr_init(&csr, COUNT, 2 * (COUNT - 1)), OURO_OK);
    for (uint32_t v = 1; v < COUNT; v++) {
        csr.targets[v - 1] = v;
        csr.begin[v] = COUNT - 2 + (uint64_t)v;
        csr.targets[COUNT - 2 + v] = 0;
    }
    csr.begin[COUNT] = csr.edge_count;
    for (uint32_t v = 0; v < COUNT; v++)
        sizes[v] = 8;
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 0), OURO_OK);
    ouro_dominators_retained(&dominators, sizes, sizes);
    ck_assert_uint_eq(sizes[0], 8 * (uint64_t)COUNT);
    for (uint32_t v = 1; v < COUNT; v++)
        ck_assert(dominators.idom[v] == 0 && sizes[v] == 8);
    free(sizes);
    ouro_dominators_fini(&dominators);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(a_root_that_is_no_node_is_refused)
{
    struct ouro_csr csr;
    struct ouro_dominators dominators;
    ck_assert_int_eq(ouro_csr_build(&csr, 2, NULL, 0), OURO_OK);
    ck_assert_int_eq(ouro_dominators_init(&dominators, &csr, 2), OURO_INVAL);
    ouro_csr_fini(&csr);
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
    tcase_add_test(tcase, a_path_of_a_million_nodes);
    tcase_add_test(tcase, a_star_of_a_million_nodes);
    tcase_add_test(tcase, a_root_that_is_no_node_is_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
