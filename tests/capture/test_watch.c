#include <check.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/watch.h"

#define S UINT64_C(1000000000)
#define M (UINT64_C(1) << 20)

static struct ouro_err err;

static void ck_duration(const char *text, uint64_t expected)
{
    uint64_t ns = 0;
    size_t place;
    ck_assert_msg(ouro_watch_duration_parse(text, S / 10, &ns, &place, &err) == OURO_OK, "%s: %s", text, err.msg);
    ck_assert_msg(ns == expected, "%s", text);
}

START_TEST(durations_have_a_number_and_a_unit)
{
    ck_duration("10s", 10 * S);
    ck_duration("5m", 300 * S);
    ck_duration("1h", 3600 * S);
    ck_duration("2d", 2 * 86400 * S);
    ck_duration("1.5h", 5400 * S);
    ck_duration("0.25s", S / 4);
    ck_duration("250ms", S / 4);
    ck_duration("1500.5ms", 3 * S / 2 + S / 2000);
}
END_TEST

START_TEST(a_wrong_duration_is_pointed_at)
{
    static const struct { const char *text; size_t place; } cases[] = {
        {"", 0}, {"10", 2}, {"s", 0}, {"-1s", 0}, {"10w", 2}, {"1h5", 2}, {"1h 5m", 2}, {"0s", 0}, {"0.05s", 0},
        {"1e3s", 1}, {"1.s", 1}, {"inf", 0}, {"0x10s", 1}, {"99999999999999999999999999h", 0}, {"1,5h", 1}, {"99ms", 0}, {"500m5", 4},
        {"500mss", 5}, {"500Ms", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t ns = 7;
        size_t place = 99;
        ck_assert_msg(ouro_watch_duration_parse(cases[i].text, S / 10, &ns, &place, &err) == OURO_INVAL, "%s", cases[i].text);
        ck_assert_msg(place == cases[i].place && *err.msg && ns == 7, "%s: at %zu", cases[i].text, place);
    }
}
END_TEST

static void ck_line(const char *text, enum ouro_watch_line_kind kind, double amount)
{
    struct ouro_watch_line line;
    size_t place;
    ck_assert_msg(ouro_watch_line_parse(text, &line, &place, &err) == OURO_OK, "%s: %s", text, err.msg);
    ck_assert_msg(line.kind == kind && line.amount == amount && !line.crossed, "%s: %g", text, line.amount);
}

START_TEST(lines_are_amounts_or_growth)
{
    ck_line("rss>2G", OURO_WATCH_ABOVE, 2048.0 * M);
    ck_line("rss > 1.5GiB", OURO_WATCH_ABOVE, 1536.0 * M);
    ck_line(" rss>512 ", OURO_WATCH_ABOVE, 512);
    ck_line("rss>512B", OURO_WATCH_ABOVE, 512);
    ck_line("rss+20%", OURO_WATCH_GROWN_PERCENT, 20);
    ck_line("rss+500M", OURO_WATCH_GROWN_BYTES, 500.0 * M);
    ck_line("rss+4K", OURO_WATCH_GROWN_BYTES, 4096);
    ck_line("rss>1TB", OURO_WATCH_ABOVE, 1048576.0 * M);
}
END_TEST

START_TEST(a_wrong_line_is_pointed_at)
{
    static const struct { const char *text; size_t place; } cases[] = {
        {"", 0}, {"rss", 3}, {"vms>2G", 0}, {"rss<2G", 3}, {"rss>", 4}, {"rss>G", 4}, {"rss>2X", 5}, {"rss>2G!", 6},
        {"rss>20%", 6}, {"rss+-20%", 4}, {"rss>0", 4}, {"rss+20%%", 7}, {"rss>=2G", 4}, {"rss>1e9", 5},
        {"rss>99999999999999999999T", 4}, {"rss>2Gi", 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ouro_watch_line line;
        size_t place = 99;
        ck_assert_msg(ouro_watch_line_parse(cases[i].text, &line, &place, &err) == OURO_INVAL, "%s", cases[i].text);
        ck_assert_msg(place == cases[i].place && *err.msg, "%s: at %zu", cases[i].text, place);
    }
}
END_TEST

static void take(struct ouro_watch *watch, enum ouro_watch_reason expected, uint64_t begin_ns, uint64_t end_ns, uint64_t rss)
{
    ck_assert_int_eq(ouro_watch_decide(watch, begin_ns, rss), expected);
    ouro_watch_taken(watch, end_ns, rss);
}

START_TEST(the_first_is_taken_at_once_and_then_on_the_interval)
{
    struct ouro_watch watch = {.every_ns = 10 * S, .count = 3};
    take(&watch, OURO_WATCH_FIRST, 100 * S, 101 * S, 0);
    ck_assert_int_eq(ouro_watch_decide(&watch, 111 * S - 1, 0), OURO_WATCH_WAIT);
    take(&watch, OURO_WATCH_INTERVAL, 111 * S, 113 * S, 0);
    ck_assert_uint_eq(watch.next_ns, 121 * S); /* it does not drift with what a snapshot takes */
    take(&watch, OURO_WATCH_INTERVAL, 122 * S, 123 * S, 0);
    ck_assert_int_eq(ouro_watch_decide(&watch, 131 * S, 0), OURO_WATCH_ENOUGH);
}
END_TEST

START_TEST(intervals_that_a_snapshot_took_are_left_out)
{
    struct ouro_watch watch = {.every_ns = 10 * S};
    take(&watch, OURO_WATCH_FIRST, 0, 0, 0);
    take(&watch, OURO_WATCH_INTERVAL, 10 * S, 35 * S, 0);
    ck_assert_uint_eq(watch.next_ns, 40 * S);
    take(&watch, OURO_WATCH_INTERVAL, 40 * S, 50 * S, 0); /* ends exactly when the next was due */
    ck_assert_uint_eq(watch.next_ns, 60 * S);
}
END_TEST

START_TEST(a_line_is_told_once_until_memory_is_well_below_it)
{
    struct ouro_watch watch = {.line_count = 1, .lines = {{.kind = OURO_WATCH_ABOVE, .amount = 100.0 * M}}};
    take(&watch, OURO_WATCH_FIRST, 0, 0, 50 * M);
    ck_assert_int_eq(ouro_watch_decide(&watch, 1 * S, 100 * M), OURO_WATCH_WAIT);
    take(&watch, OURO_WATCH_LINE, 2 * S, 2 * S, 101 * M);
    ck_assert_int_eq(ouro_watch_decide(&watch, 3 * S, 150 * M), OURO_WATCH_WAIT);
    ck_assert_int_eq(ouro_watch_decide(&watch, 4 * S, 99 * M), OURO_WATCH_WAIT);
    ck_assert_int_eq(ouro_watch_decide(&watch, 5 * S, 101 * M), OURO_WATCH_WAIT);
    ck_assert_int_eq(ouro_watch_decide(&watch, 6 * S, 90 * M), OURO_WATCH_WAIT);
    take(&watch, OURO_WATCH_LINE, 7 * S, 7 * S, 101 * M);
}
END_TEST

START_TEST(who_is_above_the_line_already_has_not_crossed_it)
{
    struct ouro_watch watch = {.line_count = 1, .lines = {{.kind = OURO_WATCH_ABOVE, .amount = 100.0 * M}}};
    take(&watch, OURO_WATCH_FIRST, 0, 0, 200 * M);
    ck_assert_int_eq(ouro_watch_decide(&watch, 1 * S, 201 * M), OURO_WATCH_WAIT);
}
END_TEST

START_TEST(growth_is_since_the_last_snapshot)
{
    struct ouro_watch watch = {.line_count = 1, .lines = {{.kind = OURO_WATCH_GROWN_PERCENT, .amount = 20}}};
    take(&watch, OURO_WATCH_FIRST, 0, 0, 100 * M);
    ck_assert_int_eq(ouro_watch_decide(&watch, 1 * S, 119 * M), OURO_WATCH_WAIT);
    take(&watch, OURO_WATCH_LINE, 2 * S, 2 * S, 120 * M);
    ck_assert_int_eq(ouro_watch_decide(&watch, 3 * S, 143 * M), OURO_WATCH_WAIT);
    take(&watch, OURO_WATCH_LINE, 4 * S, 4 * S, 144 * M);
    watch.lines[0] = (struct ouro_watch_line){.kind = OURO_WATCH_GROWN_BYTES, .amount = 10.0 * M};
    ck_assert_int_eq(ouro_watch_decide(&watch, 5 * S, 154 * M - 1), OURO_WATCH_WAIT);
    ck_assert_int_eq(ouro_watch_decide(&watch, 5 * S, 154 * M), OURO_WATCH_LINE);
}
END_TEST

START_TEST(lines_and_an_interval_go_together)
{
    struct ouro_watch watch = {.every_ns = 10 * S, .line_count = 2,
                               .lines = {{.kind = OURO_WATCH_ABOVE, .amount = 100.0 * M},
                                         {.kind = OURO_WATCH_GROWN_PERCENT, .amount = 50}}};
    take(&watch, OURO_WATCH_FIRST, 0, 0, 60 * M);
    take(&watch, OURO_WATCH_LINE, 4 * S, 5 * S, 90 * M);
    ck_assert_uint_eq(watch.line, 1);
    ck_assert_uint_eq(watch.next_ns, 10 * S);
    take(&watch, OURO_WATCH_INTERVAL, 10 * S, 10 * S, 95 * M);
    take(&watch, OURO_WATCH_LINE, 20 * S, 20 * S, 101 * M); /* both: the line says more, and the interval has had its own */
    ck_assert_uint_eq(watch.line, 0);
    ck_assert_int_eq(ouro_watch_decide(&watch, 21 * S, 101 * M), OURO_WATCH_WAIT);
}
END_TEST

START_TEST(without_an_interval_or_a_line_one_is_enough)
{
    struct ouro_watch watch = {.count = 0};
    take(&watch, OURO_WATCH_FIRST, 0, 0, M);
    ck_assert_int_eq(ouro_watch_decide(&watch, 1, M), OURO_WATCH_ENOUGH);
}
END_TEST

START_TEST(there_is_room_when_what_is_kept_stays_free)
{
    ck_assert(ouro_watch_has_room(100, 90, 10));
    ck_assert(!ouro_watch_has_room(100, 90, 11));
    ck_assert(!ouro_watch_has_room(80, 90, 0));
    ck_assert(ouro_watch_has_room(0, 0, 0));
    ck_assert(!ouro_watch_has_room(UINT64_MAX - 1, UINT64_MAX, 0));
    ck_assert(!ouro_watch_has_room(10, 5, UINT64_MAX));
}
END_TEST

START_TEST(a_process_is_looked_at_until_it_has_ended)
{
    struct ouro_watch_look me, again, gone;
    int pipes[2];
    ck_assert_int_eq(ouro_watch_look(getpid(), &me, &err), OURO_OK);
    ck_assert_int_eq(ouro_watch_look(getpid(), &again, &err), OURO_OK);
    ck_assert(me.start_ticks && me.start_ticks == again.start_ticks && me.rss_bytes > 100000 && me.rss_bytes < 1024 * M);
    ck_assert(!pipe(pipes));
    pid_t child = fork();
    if (!child) {
        close(pipes[1]);
        _exit((int)read(pipes[0], &me, 1));
    }
    ck_assert_int_eq(ouro_watch_look(child, &gone, &err), OURO_OK);
    close(pipes[1]);
    siginfo_t info;
    ck_assert(!waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    ck_assert_int_eq(ouro_watch_look(child, &gone, &err), OURO_GONE); /* a zombie */
    waitpid(child, NULL, 0);
    ck_assert_int_eq(ouro_watch_look(child, &gone, &err), OURO_GONE);
    close(pipes[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *tcase = tcase_create("watch");
    tcase_add_test(tcase, durations_have_a_number_and_a_unit);
    tcase_add_test(tcase, a_wrong_duration_is_pointed_at);
    tcase_add_test(tcase, lines_are_amounts_or_growth);
    tcase_add_test(tcase, a_wrong_line_is_pointed_at);
    tcase_add_test(tcase, the_first_is_taken_at_once_and_then_on_the_interval);
    tcase_add_test(tcase, intervals_that_a_snapshot_took_are_left_out);
    tcase_add_test(tcase, a_line_is_told_once_until_memory_is_well_below_it);
    tcase_add_test(tcase, who_is_above_the_line_already_has_not_crossed_it);
    tcase_add_test(tcase, growth_is_since_the_last_snapshot);
    tcase_add_test(tcase, lines_and_an_interval_go_together);
    tcase_add_test(tcase, without_an_interval_or_a_line_one_is_enough);
    tcase_add_test(tcase, there_is_room_when_what_is_kept_stays_free);
    tcase_add_test(tcase, a_process_is_looked_at_until_it_has_ended);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
