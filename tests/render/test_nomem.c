/* The N-th allocation fails, for all N, in everything that is ever asked about a snapshot: OURO_NOMEM, and nothing is
 * left behind. Linked with --wrap for each allocator and free. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "async_heap.h"
#include "whole.h"
#include "wild.h"

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER; /* a comparison allocates in several threads */
static long countdown = -1; /* allocations until one fails; negative: none does */
static bool all_fail;       /* from that one on */
static long alive;          /* allocated and not freed */
static bool failed_once;

static bool fails(void)
{
    pthread_mutex_lock(&counting);
    bool fail = countdown == 0;
    countdown -= countdown > 0;
    if (fail) {
        countdown = all_fail ? 0 : -1;
        failed_once = true;
    } else {
        alive++;
    }
    pthread_mutex_unlock(&counting);
    return fail;
}

static void count(long change)
{
    pthread_mutex_lock(&counting);
    alive += change;
    pthread_mutex_unlock(&counting);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    count(-(old != NULL));
    return __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *memory)
{
    count(-(memory != NULL));
    __real_free(memory);
}

static const struct {
    unsigned part;
    long allocations; /* at least, or the test tests nothing */
} parts[] = {
    {WHOLE_INFO,       20},
    {WHOLE_COLLECTOR,  20},
    {WHOLE_GARBAGE,    60},
    {WHOLE_TYPES,      20},
    {WHOLE_DOMINATORS, 50},
    {WHOLE_CYCLES,     60},
    {WHOLE_OBJECTS,    20},
    {WHOLE_EXPORT,     20},
    {WHOLE_STACK,      30},
    {WHOLE_PATHS,      20},
    {WHOLE_PICTURES,   200},
    {WHOLE_DIFF,       60},
    {WHOLE_LEAKS,      60},
};

static struct tiny tiny, other;

/* Without an allocation of its own the loop below would count libcheck's. */
static enum ouro_status run(unsigned part, long n, long *left)
{
    long before = alive;
    failed_once = false;
    countdown = n;
    enum ouro_status status = whole_analysis(tiny.path, 0, part, NULL);
    countdown = -1;
    *left = alive - before;
    return status;
}

/* The file is at tiny.path. */
static void check_file(unsigned long seed, unsigned part, long least)
{
    long left, n = 0;
    wild_write(&other, seed + 1000 + seed / 2 % 2, 24, OURO_CODEC_STORED);
    whole_other = other.path;
    for (bool more = true; more; n++) {
        enum ouro_status status = run(part, n, &left);
        more = failed_once;
        if (status != (more ? OURO_NOMEM : OURO_OK))
            ck_abort_msg("seed %lu, part %u, allocation %ld: %s", seed, part, n, ouro_status_name(status));
        if (left)
            ck_abort_msg("seed %lu, part %u, allocation %ld: %ld are left", seed, part, n, left);
    }
    ck_assert_int_gt(n, least);
    tiny_end(&tiny);
    tiny_end(&other);
}

static void check_part(unsigned long seed, unsigned part, long least)
{
    wild_write(&tiny, seed, 24, OURO_CODEC_STORED);
    check_file(seed, part, least);
}

START_TEST(failed_allocations_for_tasks_are_told_and_leave_nothing)
{
    for (unsigned long seed = 1; seed <= 3; seed++) {
        async_heap_random(&tiny, seed, 120, OURO_CODEC_STORED);
        tiny_commit(&tiny);
        check_file(seed, WHOLE_INFO, 100);
    }
}
END_TEST

START_TEST(each_failed_allocation_is_told_and_leaves_nothing)
{
    for (unsigned long seed = 1; seed <= 4; seed++)
        check_part(seed, parts[_i].part, parts[_i].allocations);
}
END_TEST

START_TEST(nothing_but_failures_is_told_and_leaves_nothing)
{
    all_fail = true;
    for (unsigned long seed = 1; seed <= 2; seed++)
        check_part(seed, parts[_i].part, parts[_i].allocations);
    all_fail = false;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("analysis out of memory");
    TCase *tests = tcase_create("out of memory");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, each_failed_allocation_is_told_and_leaves_nothing, 0,
                        (int)(sizeof parts / sizeof *parts));
    tcase_add_loop_test(tests, nothing_but_failures_is_told_and_leaves_nothing, 0,
                        (int)(sizeof parts / sizeof *parts));
    tcase_add_test(tests, failed_allocations_for_tasks_are_told_and_leave_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
