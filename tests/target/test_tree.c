#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "target/tree.h"

START_TEST(a_stat_line_is_read_whatever_the_name_holds)
{
    struct ouro_tree_process process;
    const char *rest = " 7 8 9 0 -1 4194560 110 0 0 0 0 0 0 0 20 0 1 0 6161 2543616 250";
    const struct {
        const char *head, *name;
    } cases[] = {{"12 (sh) S", "sh"},      {"12 (a) S 3 (b) R", "a) S 3 (b"}, {"12 (()) R", "()"},
                 {"12 (x\ny z) D", "x\ny z"}, {"12 () Z", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s%s", cases[i].head, rest);
        ck_assert(ouro_tree_parse_stat(line, &process));
        ck_assert_int_eq(process.pid, 12);
        ck_assert_int_eq(process.parent, 7);
        ck_assert_uint_eq(process.start_ticks, 6161);
        ck_assert_str_eq(process.name, cases[i].name);
    }
}
END_TEST

START_TEST(what_is_no_stat_line_is_refused)
{
    struct ouro_tree_process process;
    const char *const lines[] = {"", "12", "12 (sh", "12 sh) S 1", ")(", "0 (sh) S 1 2", "-4 (sh) S 1",
                                 "12 (sh) S -1 1", "12 (sh)", "12 (sh) S", "12 (sh) S 7 8 9", "99999999999 (sh) S 1 2"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(!ouro_tree_parse_stat(lines[i], &process), "%s", lines[i]);
}
END_TEST

static void build(struct ouro_tree *tree, const struct ouro_tree_process *processes, size_t count, pid_t pid)
{
    struct ouro_tree_process *copy = malloc(count * sizeof *copy);
    struct ouro_err err;
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, processes, count * sizeof *copy);
    ASSERT_OK(ouro_tree_build(tree, copy, count, pid, &err));
    free(copy);
}

START_TEST(each_process_stands_before_those_below_it)
{
    static const struct ouro_tree_process processes[] = {
        {.pid = 40, .parent = 5},  {.pid = 5, .parent = 1},  {.pid = 9, .parent = 40}, {.pid = 6, .parent = 1},
        {.pid = 30, .parent = 5},  {.pid = 1, .parent = 0},  {.pid = 8, .parent = 6},  {.pid = 31, .parent = 30},
    };
    static const struct {
        pid_t pid;
        unsigned depth;
    } expected[] = {{5, 0}, {30, 1}, {31, 2}, {40, 1}, {9, 2}};
    struct ouro_tree tree;
    build(&tree, processes, sizeof processes / sizeof *processes, 5);
    ck_assert_uint_eq(tree.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < tree.count; i++) {
        ck_assert_int_eq(tree.items[i].pid, expected[i].pid);
        ck_assert_uint_eq(tree.items[i].depth, expected[i].depth);
    }
    ouro_tree_fini(&tree);
}
END_TEST

/* 20 ended, and its number went to another process before that one's stat was read. */
START_TEST(a_process_is_no_child_of_one_that_began_later)
{
    static const struct ouro_tree_process processes[] = {
        {.pid = 20, .parent = 1, .start_ticks = 500},
        {.pid = 21, .parent = 20, .start_ticks = 100},
        {.pid = 22, .parent = 20, .start_ticks = 500},
        {.pid = 23, .parent = 21, .start_ticks = 600},
    };
    struct ouro_tree tree;
    build(&tree, processes, sizeof processes / sizeof *processes, 20);
    ck_assert_uint_eq(tree.count, 2);
    ck_assert_int_eq(tree.items[1].pid, 22);
    ouro_tree_fini(&tree);
}
END_TEST

START_TEST(processes_that_seem_to_be_their_own_ancestors_are_met_once)
{
    static const struct ouro_tree_process processes[] = {
        {.pid = 3, .parent = 4}, {.pid = 4, .parent = 3}, {.pid = 5, .parent = 5}, {.pid = 6, .parent = 4},
    };
    struct ouro_tree tree;
    build(&tree, processes, sizeof processes / sizeof *processes, 3);
    ck_assert_uint_eq(tree.count, 3);
    ouro_tree_fini(&tree);
    build(&tree, processes, sizeof processes / sizeof *processes, 5);
    ck_assert_uint_eq(tree.count, 1);
    ouro_tree_fini(&tree);
}
END_TEST

START_TEST(a_long_chain_needs_no_stack)
{
    enum { COUNT = 200000 };
    struct ouro_tree_process *chain = calloc(COUNT, sizeof *chain);
    struct ouro_tree tree;
    struct ouro_err err;
    ck_assert_ptr_nonnull(chain);
    for (int i = 0; i < COUNT; i++)
        chain[i] = (struct ouro_tree_process){.pid = i + 1, .parent = i};
    ASSERT_OK(ouro_tree_build(&tree, chain, COUNT, 1, &err));
    ck_assert_uint_eq(tree.count, COUNT);
    ck_assert_uint_eq(tree.items[COUNT - 1].depth, COUNT - 1);
    ouro_tree_fini(&tree);
    ck_assert_int_eq(ouro_tree_build(&tree, chain, COUNT, COUNT + 1, &err), OURO_GONE);
    free(chain);
}
END_TEST

START_TEST(children_are_found_and_whether_they_live)
{
    struct ouro_tree tree;
    struct ouro_err err;
    struct child child = child_start(child_rest);
    ASSERT_OK(ouro_tree_read(&tree, getpid(), &err));
    ck_assert_int_eq(tree.items[0].pid, getpid());
    const struct ouro_tree_process *found = NULL;
    for (size_t i = 0; i < tree.count; i++)
        if (tree.items[i].pid == child.pid)
            found = &tree.items[i];
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(found->parent, getpid());
    ck_assert_uint_eq(found->depth, 1);
    ck_assert(ouro_tree_lives(found));
    struct ouro_tree_process other = *found;
    other.start_ticks++;
    ck_assert_msg(!ouro_tree_lives(&other), "another process with its number is not it");
    siginfo_t info;
    ck_assert_int_eq(kill(child.pid, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_msg(!ouro_tree_lives(found), "a zombie does not live");
    child_end(&child);
    ck_assert(!ouro_tree_lives(found));
    ouro_tree_fini(&tree);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: tree");
    TCase *tcase = tcase_create("tree");
    tcase_add_test(tcase, a_stat_line_is_read_whatever_the_name_holds);
    tcase_add_test(tcase, what_is_no_stat_line_is_refused);
    tcase_add_test(tcase, each_process_stands_before_those_below_it);
    tcase_add_test(tcase, a_process_is_no_child_of_one_that_began_later);
    tcase_add_test(tcase, processes_that_seem_to_be_their_own_ancestors_are_met_once);
    tcase_add_test(tcase, a_long_chain_needs_no_stack);
    tcase_add_test(tcase, children_are_found_and_whether_they_live);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
