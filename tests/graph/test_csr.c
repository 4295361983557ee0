#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "graph/csr.h"
#include "graph/reach.h"

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

static void seed_random(const char *test)
{
    const char *given = getenv("OURO_TEST_SEED");
    random_state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("%s: OURO_TEST_SEED=%llu\n", test, (unsigned long long)random_state);
}

START_TEST(rows_keep_order_and_repeats)
{
    struct ouro_csr_edge edges[] = {{2, 1}, {0, 2}, {2, 0}, {2, 1}, {0, 0}};
    struct ouro_csr csr;
    ck_assert_int_eq(ouro_csr_build(&csr, 3, edges, 5), OURO_OK);
    uint64_t begin[] = {0, 2, 2, 5};
    ouro_node targets[] = {2, 0, 1, 0, 1};
    ck_assert_mem_eq(csr.begin, begin, sizeof begin);
    ck_assert_mem_eq(csr.targets, targets, sizeof targets);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(an_edge_outside_is_refused)
{
    struct ouro_csr csr;
    struct ouro_csr_edge to = {0, 3}, from = {3, 0};
    ck_assert_int_eq(ouro_csr_build(&csr, 3, &to, 1), OURO_INVAL);
    ck_assert_int_eq(ouro_csr_build(&csr, 3, &from, 1), OURO_INVAL);
    ck_assert_int_eq(ouro_csr_build(&csr, 0, NULL, 0), OURO_OK);
    ck_assert_uint_eq(csr.begin[0], 0);
    ouro_csr_fini(&csr);
}
END_TEST

START_TEST(reversing_twice_gives_the_same_edges)
{
    seed_random("reversing_twice_gives_the_same_edges");
    for (int round = 0; round < 200; round++) {
        uint32_t nodes = 1 + random_below(20), count = random_below(60);
        struct ouro_csr_edge edges[60];
        unsigned matrix[20][20] = {{0}};
        for (uint32_t i = 0; i < count; i++) {
            edges[i] = (struct ouro_csr_edge){random_below(nodes), random_below(nodes)};
            matrix[edges[i].from][edges[i].to]++;
        }
        struct ouro_csr csr, reverse;
        ck_assert_int_eq(ouro_csr_build(&csr, nodes, edges, count), OURO_OK);
        ck_assert_int_eq(ouro_csr_reverse(&reverse, &csr), OURO_OK);
        for (ouro_node v = 0; v < nodes; v++)
            for (uint64_t i = reverse.begin[v]; i < reverse.begin[v + 1]; i++) {
                ck_assert_uint_gt(matrix[reverse.targets[i]][v], 0);
                matrix[reverse.targets[i]][v]--;
            }
        ck_assert_uint_eq(reverse.begin[nodes], count);
        ouro_csr_fini(&csr);
        ouro_csr_fini(&reverse);
    }
}
END_TEST

START_TEST(reach_marks_what_paths_lead_to)
{
    seed_random("reach_marks_what_paths_lead_to");
    for (int round = 0; round < 300; round++) {
        uint32_t nodes = 1 + random_below(24), count = random_below(40);
        struct ouro_csr_edge edges[40];
        uint8_t path[24][24] = {{0}}, marks[24] = {0};
        for (uint32_t i = 0; i < count; i++) {
            edges[i] = (struct ouro_csr_edge){random_below(nodes), random_below(nodes)};
            path[edges[i].from][edges[i].to] = 1;
        }
        for (uint32_t k = 0; k < nodes; k++)
            for (uint32_t i = 0; i < nodes; i++)
                for (uint32_t j = 0; j < nodes; j++)
                    path[i][j] |= path[i][k] & path[k][j];
        uint32_t from[2] = {random_below(nodes), random_below(nodes)};
        struct ouro_csr csr;
        struct ouro_reach reach;
        ck_assert_int_eq(ouro_csr_build(&csr, nodes, edges, count), OURO_OK);
        ck_assert_int_eq(ouro_reach_init(&reach, nodes, marks, 4), OURO_OK);
        ouro_reach_add(&reach, from[0]);
        ouro_reach_add(&reach, from[1]);
        ouro_reach_add(&reach, OURO_NODE_NONE);
        ouro_reach_run_csr(&reach, &csr);
        uint64_t expected = 0;
        for (uint32_t v = 0; v < nodes; v++) {
            bool yes = v == from[0] || v == from[1] || path[from[0]][v] || path[from[1]][v];
            ck_assert_int_eq(marks[v], yes ? 4 : 0);
            expected += yes;
        }
        ck_assert_uint_eq(reach.count, expected);
        ouro_reach_fini(&reach);
        ouro_csr_fini(&csr);
    }
}
END_TEST

START_TEST(a_mark_that_is_there_ends_the_search)
{
    struct ouro_csr_edge edges[] = {{0, 1}, {1, 2}};
    uint8_t marks[3] = {0, 1, 0};
    struct ouro_csr csr;
    struct ouro_reach reach;
    ck_assert_int_eq(ouro_csr_build(&csr, 3, edges, 2), OURO_OK);
    ck_assert_int_eq(ouro_reach_init(&reach, 3, marks, 1), OURO_OK);
    ouro_reach_add(&reach, 0);
    ouro_reach_run_csr(&reach, &csr);
    ck_assert_int_eq(marks[2], 0);
    ouro_reach_fini(&reach);
    ouro_csr_fini(&csr);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csr");
    TCase *tcase = tcase_create("csr");
    tcase_add_test(tcase, rows_keep_order_and_repeats);
    tcase_add_test(tcase, an_edge_outside_is_refused);
    tcase_add_test(tcase, reversing_twice_gives_the_same_edges);
    tcase_add_test(tcase, reach_marks_what_paths_lead_to);
    tcase_add_test(tcase, a_mark_that_is_there_ends_the_search);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
