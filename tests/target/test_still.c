#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/guard.h"
#include "child.h"
#include "target/still.h"

static void *count_up(void *counter)
{
    for (;;)
        ++*(atomic_long *)counter;
    return NULL;
}

static void counting(struct shared *shared)
{
    shared->ready = 1;
    count_up(&shared->counters[0]);
}

static void *rest(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

/* A thread when it is told to. */
static void sleeping(struct shared *shared)
{
    pthread_t thread;
    shared->ready = 1;
    child_await_step(shared, 1);
    pthread_create(&thread, NULL, rest, NULL);
    shared->done = 1;
    child_rest(shared);
}

static void resting(struct shared *shared)
{
    child_rest(shared);
}

START_TEST(who_sleeps_stands_still_but_is_held_by_nobody)
{
    OURO_GUARD(ouro_still_fini) struct ouro_still before = {0};
    OURO_GUARD(ouro_still_fini) struct ouro_still after = {0};
    struct child child = child_start(resting);
    AWAIT(state_of(child.pid) == 'S');
    AWAIT((ouro_still_look(&before, child.pid), ouro_still_look(&after, child.pid), ouro_still_same(&before, &after)));
    ck_assert(!before.failed && before.count == 1 && before.items[0].tid == child.pid);
    ck_assert(!ouro_still_is_held(&before));
    child_end(&child);
}
END_TEST

START_TEST(who_counts_does_not_stand_still)
{
    OURO_GUARD(ouro_still_fini) struct ouro_still before = {0};
    OURO_GUARD(ouro_still_fini) struct ouro_still after = {0};
    struct child child = child_start(counting);
    for (int round = 0; round < 20; round++) {
        ouro_still_look(&before, child.pid);
        long count = child.shared->counters[0];
        AWAIT(child.shared->counters[0] > count);
        ouro_still_look(&after, child.pid);
        ck_assert(!ouro_still_same(&before, &after));
        ck_assert(!ouro_still_is_held(&after));
    }
    child_end(&child);
}
END_TEST

START_TEST(who_is_stopped_is_held_until_it_goes_on)
{
    OURO_GUARD(ouro_still_fini) struct ouro_still before = {0};
    OURO_GUARD(ouro_still_fini) struct ouro_still after = {0};
    struct child child = child_start(counting);
    kill(child.pid, SIGSTOP);
    AWAIT(state_of(child.pid) == 'T');
    ouro_still_look(&before, child.pid);
    ouro_still_look(&after, child.pid);
    ck_assert(ouro_still_is_held(&before) && ouro_still_same(&before, &after));
    long count = child.shared->counters[0];
    kill(child.pid, SIGCONT);
    AWAIT(child.shared->counters[0] > count);
    kill(child.pid, SIGSTOP); /* held at both looks, but it ran in between */
    AWAIT(state_of(child.pid) == 'T');
    ouro_still_look(&after, child.pid);
    ck_assert(ouro_still_is_held(&after) && !ouro_still_same(&before, &after));
    child_end(&child);
}
END_TEST

START_TEST(a_thread_that_came_is_noticed)
{
    OURO_GUARD(ouro_still_fini) struct ouro_still before = {0};
    OURO_GUARD(ouro_still_fini) struct ouro_still after = {0};
    struct child child = child_start(sleeping);
    ouro_still_look(&before, child.pid);
    child.shared->step = 1;
    AWAIT(child.shared->done);
    ouro_still_look(&after, child.pid);
    ck_assert_uint_eq(after.count, before.count + 1);
    ck_assert(!ouro_still_same(&before, &after));
    child_end(&child);
    ouro_still_look(&after, child.pid);
    ck_assert(after.failed && !ouro_still_same(&before, &after) && !ouro_still_is_held(&after));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("still");
    TCase *tests = tcase_create("still");
    tcase_add_test(tests, who_sleeps_stands_still_but_is_held_by_nobody);
    tcase_add_test(tests, who_counts_does_not_stand_still);
    tcase_add_test(tests, who_is_stopped_is_held_until_it_goes_on);
    tcase_add_test(tests, a_thread_that_came_is_noticed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
