#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/guard.h"
#include "child.h"
#include "target/still.h"

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
    child_await_go(shared);
    child_thread(rest, NULL);
    shared->done = 1;
    child_rest(shared);
}

/* Two, one after the other. */
struct looks {
    struct ouro_still before, after;
};

static void looks_fini(struct looks *looks)
{
    ouro_still_fini(&looks->before);
    ouro_still_fini(&looks->after);
}

static bool same_at_both(struct looks *looks, pid_t pid)
{
    ouro_still_look(&looks->before, pid);
    ouro_still_look(&looks->after, pid);
    return ouro_still_same(&looks->before, &looks->after);
}

START_TEST(who_sleeps_stands_still_but_is_held_by_nobody)
{
    OURO_GUARD(looks_fini) struct looks looks = {0};
    struct child child = child_start(child_rest);
    AWAIT(state_of(child.pid) == 'S');
    AWAIT(same_at_both(&looks, child.pid));
    ck_assert(!looks.before.failed && looks.before.count == 1 && looks.before.items[0].tid == child.pid);
    ck_assert(!ouro_still_is_held(&looks.before));
    child_end(&child);
}
END_TEST

START_TEST(who_counts_does_not_stand_still)
{
    OURO_GUARD(looks_fini) struct looks looks = {0};
    struct child child = child_start(child_count);
    for (int round = 0; round < 20; round++) {
        ouro_still_look(&looks.before, child.pid);
        long count = child.shared->counters[0];
        AWAIT(child.shared->counters[0] > count);
        ouro_still_look(&looks.after, child.pid);
        ck_assert(!ouro_still_same(&looks.before, &looks.after));
        ck_assert(!ouro_still_is_held(&looks.after));
    }
    child_end(&child);
}
END_TEST

START_TEST(who_is_stopped_is_held_until_it_goes_on)
{
    OURO_GUARD(looks_fini) struct looks looks = {0};
    struct child child = child_start(child_count);
    kill(child.pid, SIGSTOP);
    AWAIT(state_of(child.pid) == 'T');
    ck_assert(same_at_both(&looks, child.pid) && ouro_still_is_held(&looks.before));
    long count = child.shared->counters[0];
    kill(child.pid, SIGCONT);
    AWAIT(child.shared->counters[0] > count);
    kill(child.pid, SIGSTOP); /* held at both looks, but it ran in between */
    AWAIT(state_of(child.pid) == 'T');
    ouro_still_look(&looks.after, child.pid);
    ck_assert(ouro_still_is_held(&looks.after) && !ouro_still_same(&looks.before, &looks.after));
    child_end(&child);
}
END_TEST

START_TEST(a_thread_that_came_is_noticed)
{
    OURO_GUARD(looks_fini) struct looks looks = {0};
    struct child child = child_start(sleeping);
    ouro_still_look(&looks.before, child.pid);
    child.shared->step = 1;
    AWAIT(child.shared->done);
    ouro_still_look(&looks.after, child.pid);
    ck_assert_uint_eq(looks.after.count, looks.before.count + 1);
    ck_assert(!ouro_still_same(&looks.before, &looks.after));
    child_end(&child);
    ouro_still_look(&looks.after, child.pid);
    ck_assert(looks.after.failed && !ouro_still_same(&looks.before, &looks.after) && !ouro_still_is_held(&looks.after));
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
