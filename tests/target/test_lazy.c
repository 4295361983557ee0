#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "target/lazy.h"

#define PAGES 600u /* every other one of them is asked for: as many runs, enough for two threads */
#define TIMEOUT_NS UINT64_C(20000000000)

enum { START }; /* of shared->addr */

static _Atomic long *map_pages(struct shared *shared)
{
    unsigned char *start = mmap(NULL, (2 * PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        _exit(98);
    shared->addr[START] = (uintptr_t)start;
    return (_Atomic long *)(void *)start;
}

static _Atomic long *word_of(_Atomic long *start, unsigned page)
{
    return start + (size_t)2 * page * PAGE / sizeof *start;
}

/* At each moment, the first so many words are one ahead of the others. */
static void counting_through_pages(struct shared *shared)
{
    _Atomic long *start = map_pages(shared);
    for (long round = 1;; round++) {
        for (unsigned page = 0; page < PAGES; page++)
            *word_of(start, page) = round;
        shared->ready = 1;
    }
}

/* Numbered pages, of which some are gone when the test says so. */
static void losing_pages(struct shared *shared)
{
    _Atomic long *start = map_pages(shared);
    for (unsigned page = 0; page < PAGES; page++)
        *word_of(start, page) = page + 1;
    shared->ready = 1;
    child_await_step(shared, 1);
    for (unsigned page = 0; page < PAGES; page += 50)
        munmap((void *)(uintptr_t)word_of(start, page), PAGE);
    shared->done = 1;
    child_rest(shared);
}

struct copying {
    struct child child;
    struct ouro_process *process;
    struct ouro_image learned, image;
    enum ouro_status status;
    struct ouro_err err;
    bool helped;
};

static ouro_addr addr_of(const struct copying *copying, unsigned page)
{
    return copying->child.shared->addr[START] + (ouro_addr)2 * page * PAGE;
}

static long word_at(const struct copying *copying, const struct ouro_image *image, unsigned page)
{
    const unsigned char *at = ouro_image_at(image, addr_of(copying, page), sizeof(long));
    long word = -1;
    if (at)
        memcpy(&word, at, sizeof word);
    return word;
}

static void plan(struct copying *copying)
{
    struct ouro_err err = {0};
    ASSERT_OK(ouro_image_open_lazy(&copying->learned, copying->process, &err));
    for (unsigned page = 0; page < PAGES; page++)
        ck_assert_int_ge(word_at(copying, &copying->learned, page), 0);
    ASSERT_OK(ouro_image_open_lazy(&copying->image, copying->process, &err));
    ASSERT_OK(ouro_lazy_plan(&copying->image, &copying->learned, &err));
}

static void unplan(struct copying *copying)
{
    ouro_image_fini(&copying->image);
    ouro_image_fini(&copying->learned);
}

static void work(void *context, enum ouro_stop_moment moment)
{
    struct copying *copying = context;
    if (moment == OURO_STOP_SOON)
        ouro_lazy_rehearse(&copying->image);
    else if (moment == OURO_STOP_BEGUN && copying->helped)
        ouro_lazy_begin(&copying->image);
    else if (moment == OURO_STOP_WORK)
        copying->status = ouro_lazy_copy(&copying->image, &copying->err);
}

static void copy(struct copying *copying)
{
    struct ouro_err err = {0};
    ASSERT_OK(ouro_process_stop_for(copying->process, TIMEOUT_NS, work, copying, &err));
    ck_assert_int_eq(copying->status, OURO_OK);
    ASSERT_OK(ouro_lazy_finish(&copying->image, &err));
    copying->image.lazy->sealed = true;
}

START_TEST(pages_that_two_threads_copy_are_of_one_moment)
{
    struct copying copying = {.child = child_start(counting_through_pages), .helped = _i % 2 == 0};
    copying.process = must_open(copying.child.pid);
    for (int round = 0; round < 20; round++) {
        plan(&copying);
        copy(&copying);
        unsigned behind = 0;
        long first = word_at(&copying, &copying.image, 0);
        ck_assert_int_gt(first, 0);
        for (unsigned page = 1; page < PAGES; page++) {
            long word = word_at(&copying, &copying.image, page);
            ck_assert_msg(word == (behind ? first - 1 : first) || (!behind && word == first - 1),
                          "page %u has %ld, the first has %ld and page %u was the first behind it", page, word, first, behind);
            behind = !behind && word != first ? page : behind;
        }
        ck_assert_uint_eq(copying.image.lazy->late_count, 0);
        unplan(&copying);
    }
    ouro_process_close(copying.process);
    child_end(&copying.child);
}
END_TEST

START_TEST(pages_that_went_before_the_stop_are_missing_and_the_others_are_there)
{
    struct copying copying = {.child = child_start(losing_pages), .helped = _i % 2 == 0};
    copying.process = must_open(copying.child.pid);
    plan(&copying);
    copying.child.shared->step = 1;
    AWAIT(copying.child.shared->done);
    copy(&copying);
    ck_assert_uint_eq(copying.image.lazy->unreadable_count, PAGES / 50);
    for (unsigned page = 0; page < PAGES; page++)
        ck_assert_int_eq(word_at(&copying, &copying.image, page), page % 50 ? (long)page + 1 : -1);
    ck_assert_uint_eq(copying.image.lazy->late_count, 0);
    unplan(&copying);
    ouro_process_close(copying.process);
    child_end(&copying.child);
}
END_TEST

START_TEST(a_rehearsal_without_a_stop_leaves_nothing_behind)
{
    struct copying copying = {.child = child_start(losing_pages)};
    copying.process = must_open(copying.child.pid);
    for (int round = 0; round < 20; round++) {
        plan(&copying);
        for (int attempt = 0; attempt < 1 + round % 3; attempt++)
            ouro_lazy_rehearse(&copying.image);
        unplan(&copying);
    }
    ck_assert_int_eq(status_of(getpid(), "Threads"), 1);
    ouro_process_close(copying.process);
    child_end(&copying.child);
}
END_TEST

START_TEST(a_process_that_ends_before_the_copy_is_gone)
{
    struct ouro_err err = {0};
    struct copying copying = {.child = child_start(losing_pages)};
    copying.process = must_open(copying.child.pid);
    plan(&copying);
    ouro_lazy_rehearse(&copying.image);
    child_end(&copying.child);
    ouro_lazy_begin(&copying.image);
    ck_assert_int_eq(ouro_lazy_copy(&copying.image, &err), OURO_GONE);
    unplan(&copying);
    ouro_process_close(copying.process);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lazy");
    TCase *tests = tcase_create("lazy");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, pages_that_two_threads_copy_are_of_one_moment, 0, 2);
    tcase_add_loop_test(tests, pages_that_went_before_the_stop_are_missing_and_the_others_are_there, 0, 2);
    tcase_add_test(tests, a_rehearsal_without_a_stop_leaves_nothing_behind);
    tcase_add_test(tests, a_process_that_ends_before_the_copy_is_gone);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
