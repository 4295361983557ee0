#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "target/image.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define MADV_GUARD 102 /* MADV_GUARD_INSTALL of Linux 6.13 */

static unsigned char *map(size_t pages, int protection, int flags, int fd)
{
    void *start = mmap(NULL, pages * PAGE, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    if (start == MAP_FAILED)
        _exit(98);
    return start;
}

/* Between two pages that nobody may read, so that the kernel merges it with nothing. */
static unsigned char *map_alone(size_t pages, int flags)
{
    unsigned char *start = map(pages + 2, PROT_NONE, MAP_PRIVATE | flags, -1) + PAGE;
    mprotect(start, pages * PAGE, PROT_READ | PROT_WRITE);
    return start;
}

/* The byte at addr: no two pages alike, and no zeroes. */
static unsigned char pattern(uintptr_t addr)
{
    return (unsigned char)((addr / PAGE * 31 + addr % PAGE * 7) % 255 + 1);
}

static void fill(unsigned char *start, size_t pages)
{
    for (size_t i = 0; i < pages * PAGE; i++)
        start[i] = pattern((uintptr_t)start + i);
}

static void check_pattern(const unsigned char *bytes, ouro_addr addr, size_t size)
{
    size_t same = 0;
    while (same < size && bytes[same] == pattern(addr + same))
        same++;
    ck_assert_msg(same == size, "byte %zu at %llx", same, (unsigned long long)addr);
}

static void check_zero(const unsigned char *bytes, size_t size)
{
    size_t zeroes = 0;
    while (zeroes < size && !bytes[zeroes])
        zeroes++;
    ck_assert_uint_eq(zeroes, size);
}

static void capture(struct ouro_image *image, struct ouro_process *process, const struct ouro_image_options *options)
{
    struct ouro_err err = {0};
    ASSERT_OK(ouro_image_plan(image, process, options, &err));
    must_stop(process);
    ASSERT_OK(ouro_image_copy(image, process, options, &err));
    ouro_process_resume(process);
    ASSERT_OK(ouro_image_finish(image, process, &err));
}

/* What must hold of every image. */
static void check_image(const struct ouro_image *image)
{
    for (uint32_t i = 0; i < image->page_count; i++) {
        ck_assert(i == 0 || image->page_addr[i - 1] < image->page_addr[i]);
        ck_assert_uint_eq(image->page_addr[i] % PAGE, 0);
        ck_assert_uint_eq(ouro_image_page(image, image->page_addr[i]), i);
        ck_assert_uint_eq(ouro_image_addr(image, (uint64_t)i * PAGE + 5), image->page_addr[i] + 5);
        const struct ouro_mapping *mapping = ouro_maps_find(&image->maps, image->page_addr[i]);
        ck_assert(mapping && mapping->readable && !mapping->shared && !mapping->device && !mapping->uffd);
    }
}

#define GUARD 5

/* Pages 0, 1, 3, 6, 7 written; 2, 4 never; 5 written and then closed. */
static void process_with_holes(struct shared *shared)
{
    unsigned char *start = map_alone(8, 0);
    fill(start, 2);
    fill(start + 3 * PAGE, 1);
    fill(start + 5 * PAGE, 3);
    mprotect(start + GUARD * PAGE, PAGE, PROT_NONE);
    shared->addr[0] = (uintptr_t)start;
    unsigned char *open = map(2, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
    fill(open, 2);
    shared->addr[1] = (uintptr_t)open;
    child_rest(shared);
}

START_TEST(pages_holes_and_guards_are_as_in_the_target)
{
    struct child child = child_start(process_with_holes);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    capture(&image, process, NULL);
    ouro_addr start = child.shared->addr[0];
    unsigned char bytes[3 * PAGE];
    check_image(&image);
    for (int page = 0; page < 8; page++) {
        bool there = page == 0 || page == 1 || page == 3 || page >= 6;
        const unsigned char *at = ouro_image_at(&image, start + (unsigned)page * PAGE, PAGE);
        ck_assert_msg(!at == !there, "page %d", page);
        if (at)
            check_pattern(at, start + (unsigned)page * PAGE, PAGE);
        ck_assert_msg((ouro_space_read(&image.space, start + (unsigned)page * PAGE, bytes, PAGE) == OURO_OK) ==
                          (page != GUARD),
                      "page %d", page);
        if (page == 2 || page == 4)
            check_zero(bytes, PAGE);
    }
    /* Straddling reads. */
    const unsigned char *two = ouro_image_at(&image, start + PAGE - 8, 16);
    ck_assert_ptr_nonnull(two);
    check_pattern(two, start + PAGE - 8, 16);
    ck_assert_ptr_nonnull(ouro_image_at(&image, start, 2 * PAGE));
    ck_assert_ptr_null(ouro_image_at(&image, start + 2 * PAGE - 8, 16));
    ck_assert_ptr_null(ouro_image_at(&image, start + 3 * PAGE - 8, 16));
    ck_assert_ptr_null(
        ouro_image_at(&image, start + PAGE, 2 * PAGE + 1)); /* neighbours in the copy, not in the target */
    ck_assert_ptr_null(ouro_image_at(&image, start, 8 * PAGE));
    ck_assert_ptr_null(ouro_image_at(&image, start, UINT64_MAX));
    ck_assert_ptr_nonnull(ouro_image_at(&image, start + 8 * PAGE - 1, 1));
    ck_assert_ptr_null(ouro_image_at(&image, start + 8 * PAGE - 1, 2));
    ck_assert_ptr_null(ouro_image_at(&image, start - 1, 2));
    ck_assert_int_eq(ouro_space_read(&image.space, start + PAGE + 100, bytes, 2 * PAGE), OURO_OK);
    check_pattern(bytes, start + PAGE + 100, PAGE - 100);
    check_zero(bytes + PAGE - 100, PAGE);
    check_pattern(bytes + 2 * PAGE - 100, start + 3 * PAGE, 100);
    ck_assert_int_eq(ouro_space_read(&image.space, start + 4 * PAGE, bytes, PAGE + 1), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(&image.space, start + 8 * PAGE - 4, bytes, 8), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(&image.space, UINT64_MAX - 2, bytes, 8), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(&image.space, 0, bytes, 1), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(&image.space, UINT64_C(1) << 47, bytes, 1), OURO_FAULT);
    ck_assert_uint_eq(ouro_image_offset(&image, UINT64_C(1) << 47), UINT64_MAX);
    ck_assert_uint_eq(ouro_image_offset(&image, UINT64_MAX), UINT64_MAX);
    /* Shared memory is none of it. */
    ck_assert_ptr_null(ouro_image_at(&image, child.shared->addr[1], 1));
    ck_assert_int_eq(ouro_space_read(&image.space, child.shared->addr[1], bytes, 1), OURO_FAULT);
    ck_assert_ptr_null(ouro_image_at(&image, (ouro_addr)(uintptr_t)child.shared, 1));
    ck_assert_uint_eq(image.unreadable_bytes, 0);
    ck_assert_uint_eq(image.missing.count, 0);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static char file_name[] = "/tmp/ouro-test-XXXXXX";
static int file = -1;

/* Five pages and a bit, each byte its offset's pattern. */
static void make_file(void)
{
    unsigned char bytes[5 * PAGE + 100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    file = mkstemp(file_name);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, sizeof bytes), sizeof bytes);
}

static void process_with_file(struct shared *shared)
{
    unsigned char *writable = map(7, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
    unsigned char *constant = map(7, PROT_READ, MAP_PRIVATE, file);
    unsigned char *relocated = map(7, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
    unsigned char *open = map(7, PROT_READ | PROT_WRITE, MAP_SHARED, file);
    writable[0] = 0xee;
    unsigned char *seen = map(7, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
    seen[3 * PAGE + 1] = 0xbb;
    shared->results[0] = seen[PAGE] + constant[PAGE] + open[0]; /* read only: pages of the page cache */
    relocated[2 * PAGE] = 0xdd;
    mprotect(relocated, 7 * PAGE, PROT_READ); /* as relro: written first, then constant */
    shared->addr[0] = (uintptr_t)writable;
    shared->addr[1] = (uintptr_t)constant;
    shared->addr[2] = (uintptr_t)relocated;
    shared->addr[3] = (uintptr_t)open;
    shared->addr[4] = (uintptr_t)seen;
    child_rest(shared);
}

static void check_file(const struct ouro_image *image, ouro_addr start, ouro_addr changed, unsigned char value)
{
    unsigned char bytes[6 * PAGE];
    ck_assert_int_eq(ouro_space_read(&image->space, start, bytes, sizeof bytes), OURO_OK);
    for (size_t i = 0; i < sizeof bytes; i++) {
        unsigned char expected = i >= 5 * PAGE + 100 ? 0 : pattern(i);
        if (changed && start + i == changed)
            expected = value;
        if (bytes[i] != expected)
            ck_abort_msg("offset %zu is %u, not %u", i, bytes[i], expected);
    }
    ck_assert_int_eq(ouro_space_read(&image->space, start + 6 * PAGE, bytes, 1), OURO_FAULT); /* SIGBUS there */
    ck_assert_int_eq(ouro_space_read(&image->space, start + 6 * PAGE - 1, bytes, 2), OURO_FAULT);
}

START_TEST(file_mappings_are_what_was_written_and_else_the_file)
{
    make_file();
    struct child child = child_start(process_with_file);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    capture(&image, process, NULL);
    ouro_addr writable = child.shared->addr[0], constant = child.shared->addr[1], relocated = child.shared->addr[2];
    unsigned char byte;
    check_image(&image);
    for (unsigned page = 0; page < 7; page++) {
        ck_assert_msg(!ouro_image_at(&image, writable + page * PAGE, PAGE) == (page == 6), "page %u", page);
        ck_assert_ptr_null(ouro_image_at(&image, constant + page * PAGE, 1));
        ck_assert_msg(!ouro_image_at(&image, relocated + page * PAGE, PAGE) == (page != 2), "page %u", page);
    }
    ck_assert_ptr_nonnull(ouro_image_at(&image, child.shared->addr[4], 6 * PAGE));
    ck_assert_uint_eq(*ouro_image_at(&image, writable, 1), 0xee);
    ck_assert_uint_eq(*ouro_image_at(&image, relocated + 2 * PAGE, 1), 0xdd);
    ck_assert_uint_ge(image.file_bytes, 3 * PAGE);
    ck_assert_int_eq(ouro_space_read(&image.space, child.shared->addr[3], &byte, 1), OURO_FAULT);
    child_end(&child); /* everything is here: no process is asked */
    unlink(file_name);
    check_file(&image, writable, writable, 0xee);
    check_file(&image, child.shared->addr[4], child.shared->addr[4] + 3 * PAGE + 1, 0xbb);
    check_file(&image, constant, 0, 0);
    check_file(&image, relocated, relocated + 2 * PAGE, 0xdd);
    ouro_image_fini(&image);
    ouro_process_close(process);
}
END_TEST

static void process_with_later_file(struct shared *shared)
{
    child_await_go(shared);
    process_with_file(shared);
}

START_TEST(files_mapped_after_the_plan_are_found_too)
{
    make_file();
    struct child child = child_start(process_with_later_file);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    struct ouro_err err = {0};
    ASSERT_OK(ouro_image_plan(&image, process, NULL, &err));
    child.shared->step = 1;
    AWAIT(child.shared->addr[4]);
    must_stop(process);
    ASSERT_OK(ouro_image_copy(&image, process, NULL, &err));
    ouro_process_resume(process);
    ASSERT_OK(ouro_image_finish(&image, process, &err));
    check_file(&image, child.shared->addr[0], child.shared->addr[0], 0xee);
    check_file(&image, child.shared->addr[1], 0, 0);
    unlink(file_name);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void process_with_large_file(struct shared *shared)
{
    unsigned char *data = map((256u << 20) / PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
    data[7 * PAGE] = 0xcc;
    shared->addr[0] = (uintptr_t)data;
    child_rest(shared);
}

START_TEST(of_a_large_writable_file_mapping_only_what_was_written_is_copied)
{
    make_file();
    ck_assert_int_eq(ftruncate(file, 256 << 20), 0);
    struct child child = child_start(process_with_large_file);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    capture(&image, process, NULL);
    ouro_addr start = child.shared->addr[0];
    unsigned char byte;
    ck_assert_uint_lt(image.page_count, (128u << 20) / PAGE);
    ck_assert_ptr_null(ouro_image_at(&image, start, 1));
    ck_assert_ptr_nonnull(ouro_image_at(&image, start + 7 * PAGE, 1));
    ck_assert_int_eq(ouro_space_read(&image.space, start + 5, &byte, 1), OURO_OK);
    ck_assert_uint_eq(byte, pattern(5));
    unlink(file_name);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void process_with_userfaultfd(struct shared *shared)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    struct uffdio_api api = {.api = UFFD_API};
    unsigned char *start = map_alone(4, 0);
    start[0] = 1;
    struct uffdio_register range = {
        .range = {(uintptr_t)start, 4 * PAGE},
          .mode = UFFDIO_REGISTER_MODE_MISSING
    };
    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range)) {
        shared->results[0] = -1;
        child_rest(shared);
    }
    shared->addr[0] = (uintptr_t)start;
    child_await_go(shared);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    shared->results[1] = poll(&item, 1, 0); /* how many accesses wait for an answer */
    shared->done = 1;
    child_rest(shared);
}

START_TEST(ranges_registered_with_userfaultfd_are_never_touched)
{
    struct child child = child_start(process_with_userfaultfd);
    if (child.shared->results[0]) {
        skip("userfaultfd is not permitted here");
        child_end(&child);
        return;
    }
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    capture(&image, process, NULL);
    unsigned char byte;
    ck_assert(image.uffd);
    for (unsigned page = 0; page < 4; page++) {
        ck_assert_ptr_null(ouro_image_at(&image, child.shared->addr[0] + page * PAGE, 1));
        ck_assert_int_eq(ouro_space_read(&image.space, child.shared->addr[0] + page * PAGE, &byte, 1), OURO_FAULT);
    }
    child.shared->step = 1;
    AWAIT(child.shared->done);
    ck_assert_int_eq(child.shared->results[1], 0);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void process_with_unreadable_page(struct shared *shared)
{
    unsigned char *start = map_alone(5, 0);
    fill(start, 5);
    shared->addr[0] = (uintptr_t)start;
    shared->results[0] = madvise(start + 2 * PAGE, PAGE, MADV_GUARD);
    child_rest(shared);
}

START_TEST(a_page_that_can_not_be_read_is_a_gap_and_no_zeroes)
{
    struct child child = child_start(process_with_unreadable_page);
    if (child.shared->results[0]) {
        skip("this kernel has no guard markers (MADV_GUARD_INSTALL)");
        child_end(&child);
        return;
    }
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    capture(&image, process, NULL);
    ouro_addr start = child.shared->addr[0];
    unsigned char bytes[16];
    check_image(&image);
    ck_assert_uint_eq(image.unreadable_bytes, PAGE);
    ck_assert_ptr_null(ouro_image_at(&image, start + 2 * PAGE, 1));
    ck_assert_ptr_null(ouro_image_at(&image, start + PAGE, 3 * PAGE));
    ck_assert_int_eq(ouro_space_read(&image.space, start + 2 * PAGE + 7, bytes, 1), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(&image.space, start + 2 * PAGE - 8, bytes, 16), OURO_FAULT);
    check_pattern(ouro_image_at(&image, start, 2 * PAGE), start, 2 * PAGE);
    check_pattern(ouro_image_at(&image, start + 3 * PAGE, 2 * PAGE), start + 3 * PAGE, 2 * PAGE);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void process_with_swap(struct shared *shared)
{
    unsigned char *start = map_alone(64, 0);
    fill(start, 64);
    madvise(start, 64 * PAGE, MADV_PAGEOUT);
    int pagemap = open("/proc/self/pagemap", O_RDONLY);
    for (size_t i = 0; i < 64; i++) {
        uint64_t entry = 0;
        if (pread(pagemap, &entry, 8, (off_t)(((uintptr_t)start / PAGE + i) * 8)) == 8)
            shared->results[0] += entry >> 62 & 1;
    }
    shared->addr[0] = (uintptr_t)start;
    child_rest(shared);
}

START_TEST(swapped_pages_are_copied_within_a_budget_and_counted)
{
    struct child child = child_start(process_with_swap);
    if (child.shared->results[0] < 2) {
        skip("no page could be swapped out (no swap space)");
        child_end(&child);
        return;
    }
    struct ouro_process *process = must_open(child.pid);
    const struct ouro_image_options options = {.swap_budget_bytes = PAGE};
    struct ouro_image image;
    capture(&image, process, &options);
    ck_assert_uint_eq(image.swapped_bytes, PAGE);
    ck_assert_uint_ge(image.swap_skipped_bytes, PAGE);
    size_t faults = 0;
    for (unsigned page = 0; page < 64; page++) {
        unsigned char byte;
        faults += ouro_space_read(&image.space, child.shared->addr[0] + page * PAGE, &byte, 1) != OURO_OK;
    }
    ck_assert_uint_gt(faults, 0); /* never zeroes */
    ouro_image_fini(&image);
    capture(&image, process, NULL);
    check_pattern(ouro_image_at(&image, child.shared->addr[0], 64 * PAGE), child.shared->addr[0], 64 * PAGE);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

#define MORE_PAGES 5000u

static void process_that_grows(struct shared *shared)
{
    unsigned char *start = map_alone(MORE_PAGES, 0);
    shared->addr[0] = (uintptr_t)start;
    child_await_go(shared);
    fill(start, MORE_PAGES);
    shared->done = 1;
    child_rest(shared);
}

START_TEST(more_pages_than_planned_find_their_place)
{
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct child child = child_start(process_that_grows);
        struct ouro_process *process = must_open(child.pid);
        const struct ouro_image_options options = {.thread_count = threads};
        struct ouro_image image;
        struct ouro_err err = {0};
        ASSERT_OK(ouro_image_plan(&image, process, &options, &err));
        uint32_t planned = image.page_capacity;
        child.shared->step = 1;
        AWAIT(child.shared->done);
        must_stop(process);
        ASSERT_OK(ouro_image_copy(&image, process, &options, &err));
        ouro_process_resume(process);
        ck_assert_uint_gt(image.page_count, planned); /* else the test proves nothing */
        ASSERT_OK(ouro_image_finish(&image, process, &err));
        check_image(&image);
        check_pattern(ouro_image_at(&image, child.shared->addr[0], MORE_PAGES * PAGE), child.shared->addr[0],
                      MORE_PAGES * PAGE);
        ouro_image_fini(&image);
        ouro_process_close(process);
        child_end(&child);
    }
}
END_TEST

#define SPARSE_PAGES ((UINT64_C(1) << 40) / PAGE)

/* A terabyte of which two pages are there, and what was read but never written. */
static void process_with_much_nothing(struct shared *shared)
{
    unsigned char *start = map_alone(SPARSE_PAGES, MAP_NORESERVE);
    madvise(start, SPARSE_PAGES * PAGE, MADV_NOHUGEPAGE);
    fill(start + 1000 * (size_t)PAGE, 1);
    fill(start + (SPARSE_PAGES - 1) * PAGE, 1);
    shared->addr[0] = (uintptr_t)start;
    child_rest(shared);
}

static size_t present(pid_t pid, ouro_addr start, size_t pages)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < pages; i++) {
        uint64_t entry;
        ck_assert_int_eq(pread(pagemap, &entry, 8, (off_t)((start / PAGE + i) * 8)), 8);
        count += entry >> 63;
    }
    close(pagemap);
    return count;
}

START_TEST(holes_cost_nothing_and_reading_does_not_fill_them)
{
    struct child child = child_start(process_with_much_nothing);
    struct ouro_process *process = must_open(child.pid);
    ouro_addr start = child.shared->addr[0];
    unsigned char bytes[2 * PAGE];
    long rss = status_of(child.pid, "VmRSS"), tables = status_of(child.pid, "VmPTE");
    struct ouro_image image;
    capture(&image, process, NULL);
    ck_assert_uint_lt(image.page_count, 100000);
    check_pattern(ouro_image_at(&image, start + 1000 * PAGE, PAGE), start + 1000 * PAGE, PAGE);
    check_pattern(ouro_image_at(&image, start + (SPARSE_PAGES - 1) * PAGE, PAGE), start + (SPARSE_PAGES - 1) * PAGE,
                  PAGE);
    for (unsigned page = 0; page < 2000; page += 2)
        ck_assert_int_eq(ouro_space_read(&image.space, start + page * PAGE + 100, bytes, sizeof bytes), OURO_OK);
    ck_assert_uint_eq(present(child.pid, start, 2000), 1);
    ck_assert_int_eq(status_of(child.pid, "VmRSS"), rss);
    ck_assert_int_eq(status_of(child.pid, "VmPTE"), tables);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(the_live_space_reads_a_running_target)
{
    struct child child = child_start(process_with_holes);
    struct ouro_process *process = must_open(child.pid);
    const struct ouro_space *space = ouro_process_space(process);
    ouro_addr start = child.shared->addr[0];
    unsigned char bytes[2 * PAGE];
    ck_assert_int_eq(ouro_space_read(space, start + 10, bytes, sizeof bytes - 10), OURO_OK);
    check_pattern(bytes, start + 10, sizeof bytes - 10);
    ck_assert_int_eq(ouro_space_read(space, start + 5 * PAGE - 4, bytes, 8), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(space, 0, bytes, 8), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(space, UINT64_MAX - 4, bytes, 8), OURO_FAULT);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(an_image_of_bytes_reads_as_one_of_a_process)
{
    static unsigned char data[3 * PAGE - 50];
    struct ouro_image image;
    struct ouro_err err = {0};
    unsigned char bytes[100];
    ouro_addr start = 0x7f0012345000;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = pattern(start + i);
    ASSERT_OK(ouro_image_of_bytes(&image, start, data, sizeof data, &err));
    check_pattern(ouro_image_at(&image, start, sizeof data), start, sizeof data);
    ck_assert_ptr_nonnull(ouro_image_at(&image, start, 3 * PAGE));
    ck_assert_ptr_null(ouro_image_at(&image, start, 3 * PAGE + 1));
    ck_assert_ptr_null(ouro_image_at(&image, start - 1, 1));
    ck_assert_int_eq(ouro_space_read(&image.space, start + PAGE - 50, bytes, 100), OURO_OK);
    check_pattern(bytes, start + PAGE - 50, 100);
    ck_assert_int_eq(ouro_space_read(&image.space, start + 3 * PAGE - 50, bytes, 100), OURO_FAULT);
    ouro_image_fini(&image);
    ck_assert_int_eq(ouro_image_of_bytes(&image, start + 1, data, sizeof data, &err), OURO_INVAL);
    ouro_image_fini(&image);
    ck_assert_int_eq(ouro_image_of_bytes(&image, start, data, 0, &err), OURO_INVAL);
    ouro_image_fini(&image);
}
END_TEST

START_TEST(text_is_read_to_its_end_and_no_further)
{
    static unsigned char data[PAGE];
    struct ouro_image image;
    struct ouro_err err = {0};
    char text[16];
    memcpy(data, "short", 6);
    memset(data + 100, 'x', 200);
    memcpy(data + PAGE - 4, "end", 4);
    memcpy(data + PAGE - 80, "open", 4);
    memset(data + PAGE - 76, 'y', 72);
    ASSERT_OK(ouro_image_of_bytes(&image, 0x10000, data, sizeof data, &err));
    ASSERT_OK(ouro_space_read_text(&image.space, 0x10000, text, sizeof text));
    ck_assert_str_eq(text, "short");
    ASSERT_OK(ouro_space_read_text(&image.space, 0x10000 + 100, text, sizeof text));
    ck_assert_str_eq(text, "xxxxxxxxxxxxxxx");
    ASSERT_OK(ouro_space_read_text(&image.space, 0x10000 + PAGE - 4, text, sizeof text)); /* ends where the page does */
    ck_assert_str_eq(text, "end");
    ck_assert_int_eq(ouro_space_read_text(&image.space, 0x10000 + PAGE - 2, text, 3), OURO_OK);
    ck_assert_str_eq(text, "d");
    ck_assert_int_eq(ouro_space_read_text(&image.space, 0x20000, text, sizeof text), OURO_FAULT);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(ouro_space_read_text(&image.space, 0x10000, text, 0), OURO_INVAL);
    ASSERT_OK(ouro_space_read_text(&image.space, 0x10000, text, 1));
    ck_assert_str_eq(text, "");
    ouro_image_fini(&image);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: image");
    TCase *tests = tcase_create("image");
    tcase_add_test(tests, pages_holes_and_guards_are_as_in_the_target);
    tcase_add_test(tests, file_mappings_are_what_was_written_and_else_the_file);
    tcase_add_test(tests, files_mapped_after_the_plan_are_found_too);
    tcase_add_test(tests, of_a_large_writable_file_mapping_only_what_was_written_is_copied);
    tcase_add_test(tests, ranges_registered_with_userfaultfd_are_never_touched);
    tcase_add_test(tests, a_page_that_can_not_be_read_is_a_gap_and_no_zeroes);
    tcase_add_test(tests, swapped_pages_are_copied_within_a_budget_and_counted);
    tcase_add_test(tests, more_pages_than_planned_find_their_place);
    tcase_add_test(tests, holes_cost_nothing_and_reading_does_not_fill_them);
    tcase_add_test(tests, the_live_space_reads_a_running_target);
    tcase_add_test(tests, an_image_of_bytes_reads_as_one_of_a_process);
    tcase_add_test(tests, text_is_read_to_its_end_and_no_further);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
