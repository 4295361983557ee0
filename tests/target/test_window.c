#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "target/image.h"
#include "target/window.h"

#include "../../src/faults.h" /* the handler that the program has */

#define PAGES   6000u /* of the child */
#define HOLE    7u    /* each such page was never touched */
#define SMALLEST 1u   /* bytes: the window takes as many chunks as it needs at least */
#define THREADS 4u

static unsigned char pattern(uintptr_t addr)
{
    return (unsigned char)((addr / PAGE * 31 + addr % PAGE * 7 + addr / PAGE / 255) % 255 + 1);
}

static void process_with_many_pages(struct shared *shared)
{
    unsigned char *start = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char path[] = "/tmp/ouro-window-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    if (start == MAP_FAILED || fd < 0)
        _exit(98);
    madvise(start, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < (size_t)PAGES * PAGE; i++)
        if (i / PAGE % HOLE)
            start[i] = pattern((uintptr_t)start + i);
    unsigned char bytes[PAGE];
    for (unsigned page = 0; page < 8; page++) {
        memset(bytes, (int)page + 1, PAGE);
        if (write(fd, bytes, page == 7 ? 100 : PAGE) < 0)
            _exit(98);
    }
    unsigned char *file = mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        _exit(98);
    memset(file + 2 * PAGE, 99, PAGE); /* the others stay the file's */
    shared->addr[0] = (uintptr_t)start;
    shared->addr[1] = (uintptr_t)file;
    child_await_go(shared);
    munmap(start + PAGE * (PAGES / 2), PAGE * 100);
    shared->done = 1;
    for (;;)
        pause();
}

static void capture(struct ouro_image *image, struct ouro_process *process, uint64_t window_bytes)
{
    const struct ouro_image_options options = {.window_bytes = window_bytes};
    struct ouro_err err = {0};
    ASSERT_OK(ouro_image_plan(image, process, &options, &err));
    ASSERT_OK(ouro_image_copy(image, process, &options, &err));
    ASSERT_OK(ouro_image_finish(image, process, &err));
}

static void catch_faults(void)
{
    ouro_faults_catch();
    ouro_faults_catch(); /* once is enough, twice no harm */
    ck_assert(ouro_window_is_possible());
}

struct reader {
    const struct ouro_image *plain, *window;
    unsigned seed;
    size_t differences;
};

static void *read_at_random(void *context)
{
    struct reader *reader = context;
    size_t size = (size_t)reader->plain->page_count * PAGE;
    for (unsigned i = 0; i < 6000; i++) {
        size_t at = ((size_t)rand_r(&reader->seed) * 4096 + (size_t)rand_r(&reader->seed) % 4096) % size;
        size_t piece = (size_t)rand_r(&reader->seed) % (i % 100 ? 64 : 3 * PAGE);
        ouro_addr addr = ouro_image_addr(reader->plain, at);
        if (!ouro_image_at(reader->plain, addr, piece))
            piece = 1; /* it would reach into a hole */
        const unsigned char *same = ouro_image_at(reader->window, addr, piece);
        reader->differences += !same || memcmp(reader->plain->bytes + at, same, piece) != 0;
    }
    return NULL;
}

START_TEST(random_reads_of_several_threads_are_what_a_plain_copy_says)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image plain, window;
    struct reader readers[THREADS];
    pthread_t threads[THREADS];
    struct ouro_err err = {0};
    catch_faults();
    capture(&plain, process, 0);
    capture(&window, process, SMALLEST);
    ck_assert_uint_eq(plain.copied_bytes, window.copied_bytes);
    ck_assert_uint_eq(plain.page_count + 1, window.page_count); /* one behind the end of a file is left out of the copy */
    for (unsigned i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){&plain, &window, i + 1, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_at_random, &readers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(readers[i].differences, 0);
    }
    ASSERT_OK(ouro_window_check(window.window, &err));
    ck_assert_uint_gt(ouro_window_load_count(window.window), 2 * window.page_count * PAGE / ouro_window_chunk_bytes(window.window));
    ck_assert_uint_le(ouro_window_unreadable_bytes(window.window), PAGE);
    ouro_image_fini(&window);
    ouro_image_fini(&plain);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(pages_that_nobody_wrote_to_come_from_the_file)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    catch_faults();
    capture(&image, process, SMALLEST);
    for (unsigned page = 0; page < 8; page++) {
        const unsigned char *bytes = ouro_image_at(&image, child.shared->addr[1] + page * PAGE, PAGE);
        ck_assert_ptr_nonnull(bytes);
        ck_assert_uint_eq(bytes[0], page == 2 ? 99 : page + 1);
        ck_assert_uint_eq(bytes[PAGE - 1], page == 2 ? 99 : page == 7 ? 0 : page + 1);
    }
    /* The ninth begins behind the end of the file: to touch it would be a fault in the process too. */
    const unsigned char *ninth = ouro_image_at(&image, child.shared->addr[1] + 8 * PAGE, 1);
    ck_assert(ninth && *ninth == 0);
    ck_assert_uint_eq(ouro_window_unreadable_bytes(image.window), PAGE);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

/* Resident bytes between two addresses of ours. */
static size_t resident(const unsigned char *start, size_t size)
{
    unsigned char *pages = malloc(size / PAGE);
    size_t count = 0;
    ck_assert_int_eq(mincore((void *)(uintptr_t)start, size, pages), 0);
    for (size_t i = 0; i < size / PAGE; i++)
        count += pages[i] & 1;
    free(pages);
    return count * PAGE;
}

START_TEST(no_more_is_there_at_a_time_than_was_allowed_also_after_a_resize)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    const size_t most = 4u << 20, less = 2u << 20;
    size_t sum = 0;
    catch_faults();
    capture(&image, process, most);
    size_t size = (size_t)image.page_count * PAGE;
    ck_assert_uint_gt(size, 4 * most);
    for (size_t i = 0; i < size; i += PAGE)
        sum += image.bytes[i];
    ck_assert_uint_gt(sum, 0);
    ck_assert_uint_le(resident(image.bytes, size), most);
    ck_assert_uint_gt(resident(image.bytes, size), most / 2);
    ouro_window_resize(image.window, less);
    ck_assert_uint_le(resident(image.bytes, size), less);
    for (size_t i = 0; i < size; i += PAGE)
        sum -= image.bytes[i];
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_le(resident(image.bytes, size), less);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(what_is_touched_again_and_again_is_not_read_again)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    unsigned long sum = 0;
    catch_faults();
    capture(&image, process, SMALLEST);
    size_t size = (size_t)image.page_count * PAGE, chunk = ouro_window_chunk_bytes(image.window);
    for (size_t i = 0; i < size; i += 64)
        sum += image.bytes[i] + image.bytes[0];
    ck_assert_uint_gt(sum, 0);
    ck_assert_uint_eq(ouro_window_load_count(image.window), (size + chunk - 1) / chunk);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(pages_that_vanish_are_zeroes_and_counted_once)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    struct ouro_err err = {0};
    const ouro_addr start = child.shared->addr[0], gone = start + PAGE * (PAGES / 2);
    unsigned expected = 0;
    catch_faults();
    capture(&image, process, SMALLEST);
    child.shared->step = 1;
    AWAIT(child.shared->done);
    for (int round = 0; round < 2; round++)
        for (unsigned page = 0; page < PAGES; page++) {
            ouro_addr addr = start + page * PAGE;
            const unsigned char *bytes = ouro_image_at(&image, addr, PAGE);
            ck_assert(!bytes == !(page % HOLE));
            if (bytes)
                ck_assert_uint_eq(bytes[5], addr >= gone && addr < gone + 100 * PAGE ? 0 : pattern(addr + 5));
        }
    for (unsigned page = 0; page < 100; page++)
        expected += (PAGES / 2 + page) % HOLE != 0;
    ck_assert_uint_eq(ouro_window_unreadable_bytes(image.window), expected * PAGE);
    ASSERT_OK(ouro_window_check(image.window, &err));
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(a_source_that_ended_is_zeroes_and_said)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    struct ouro_err err = {0};
    catch_faults();
    capture(&image, process, SMALLEST);
    const ouro_addr start = child.shared->addr[0];
    ck_assert_uint_eq(ouro_image_at(&image, start + PAGE, 1)[0], pattern(start + PAGE));
    ck_assert(!ouro_window_failed(image.window));
    child_end(&child);
    ck_assert_uint_eq(ouro_image_at(&image, start + (PAGES - 2) * PAGE, 1)[0], 0);
    ck_assert(ouro_window_failed(image.window));
    ck_assert_int_eq(ouro_window_check(image.window, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "ended while it was read"));
    ouro_image_fini(&image);
    ouro_process_close(process);
}
END_TEST

static volatile unsigned char *forbidden;

static void exit_with_42(int number)
{
    _exit(number == SIGSEGV ? 42 : 43);
}

/* How a process ends that touches what is no window's. */
static int status_of_fault(bool caught_before)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, caught_before ? exit_with_42 : SIG_DFL);
        ouro_faults_catch();
        forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *forbidden = 1;
        _exit(0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(other_faults_go_to_who_caught_them_before)
{
    int status = status_of_fault(true);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
    status = status_of_fault(false);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
}
END_TEST

START_TEST(without_a_handler_there_is_no_window)
{
    struct child child = child_start(process_with_many_pages);
    struct ouro_process *process = must_open(child.pid);
    const struct ouro_image_options options = {.window_bytes = SMALLEST};
    struct ouro_image image;
    struct ouro_err err = {0};
    ck_assert(!ouro_window_is_possible());
    ASSERT_OK(ouro_image_plan(&image, process, &options, &err));
    ASSERT_OK(ouro_image_copy(&image, process, &options, &err));
    ck_assert_int_eq(ouro_image_finish(&image, process, &err), OURO_UNSUPPORTED);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: window");
    TCase *tests = tcase_create("window");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, random_reads_of_several_threads_are_what_a_plain_copy_says);
    tcase_add_test(tests, pages_that_nobody_wrote_to_come_from_the_file);
    tcase_add_test(tests, no_more_is_there_at_a_time_than_was_allowed_also_after_a_resize);
    tcase_add_test(tests, what_is_touched_again_and_again_is_not_read_again);
    tcase_add_test(tests, pages_that_vanish_are_zeroes_and_counted_once);
    tcase_add_test(tests, a_source_that_ended_is_zeroes_and_said);
    tcase_add_test(tests, other_faults_go_to_who_caught_them_before);
    tcase_add_test(tests, without_a_handler_there_is_no_window);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
