#include "target/image.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/guard.h"
#include "target/image_files.h"
#include "target/lazy.h"
#include "target/window.h"

#define TASK_PAGES       128u   /* 512 KiB: what a thread copies at a time */
#define SPINS            10000u /* some 200 microseconds */
#define PAGEMAP_ENTRIES  8192u
#define SLACK_PAGES      1024u /* room for pages that appear between plan and stop, beside 2 % */
#define SMALL_FILE_BYTES (UINT64_C(64) << 20)
#define PAGEMAP_PRESENT  (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED  (UINT64_C(1) << 62)
#define PAGEMAP_FILE     (UINT64_C(1) << 61)
#define PAGES_MAX        (UINT32_MAX - 1)
#define RUNNING_ROUNDS_MAX 4u /* of copying a process that runs, each with more room */
#define FROM_FILE        1u /* low bit of a page's address while it is not yet read: its file has it */
#define UNREADABLE       2u
#define KEPT             4u /* it was read before (ouro_image_kept) */
#define SCAN_BYTES       (UINT64_C(1) << 30) /* what is listed before the time is looked at again */

/* What each of the copying threads shares. */
struct copying {
    struct ouro_image *image;
    pid_t pid;
    uint32_t ready;                          /* atomic: pages that are listed */
    bool listed;                             /* atomic: all are */
    uint32_t next_task;                      /* atomic */
    uint64_t copied_bytes, unreadable_bytes; /* atomic */
    bool gone;                               /* atomic: the target ended */
    bool late;                               /* atomic: the deadline passed */
    uint64_t deadline_ns;                    /* 0: none */
};

/* PAGEMAP_SCAN of Linux 6.7, which older headers lack: lists ranges that are there, and is quick with terabytes of
 * holes. */
struct region {
    uint64_t start, end, categories;
};
struct region_scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define REGION_SCAN    _IOWR('f', 16, struct region_scan)
#define REGION_FILE    UINT64_C(4)
#define REGION_PRESENT UINT64_C(8)
#define REGION_SWAPPED UINT64_C(16)
#define REGIONS_MAX    512u

struct scan {
    int pagemap;     /* -1: can't be read */
    bool no_regions; /* this kernel has no PAGEMAP_SCAN */
    uint64_t swap_budget_bytes, swapped_bytes, swap_skipped_bytes;
    /* Pages [addr, addr + count pages) that belong into the image; flag: 0 or FROM_FILE. */
    void (*visit)(void *context, ouro_addr addr, uint64_t count, unsigned flag);
    void *context;
    struct ouro_image_missing *missing; /* NULL: only counting */
    struct copying *copying;            /* NULL: only counting */
};

static bool is_late(struct copying *copying)
{
    if (!copying || !copying->deadline_ns)
        return false;
    if (ouro_clock_ns() >= copying->deadline_ns)
        __atomic_store_n(&copying->late, true, __ATOMIC_RELAXED);
    return __atomic_load_n(&copying->late, __ATOMIC_RELAXED);
}

bool ouro_image_is_copied(const struct ouro_mapping *mapping)
{
    static const char *const kernel[] = {"[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]"};
    for (size_t i = 0; i < sizeof kernel / sizeof *kernel; i++)
        if (strcmp(mapping->path, kernel[i]) == 0)
            return false;
    return mapping->readable && !mapping->shared && !mapping->uffd && !mapping->device;
}

static void add_missing(struct ouro_image_missing *missing, ouro_addr addr, uint64_t count)
{
    ouro_addr end = addr + (count << OURO_PAGE_BITS);
    if (missing->count && missing->items[missing->count - 1].end == addr) {
        missing->items[missing->count - 1].end = end;
        return;
    }
    struct ouro_image_range *range = OURO_VEC_ADD(missing);
    if (range)
        *range = (struct ouro_image_range){addr, end};
    else
        missing->overflow = true;
}

static void visit_swapped(struct scan *scan, ouro_addr addr, uint64_t count)
{
    uint64_t room = (scan->swap_budget_bytes - scan->swapped_bytes) >> OURO_PAGE_BITS;
    uint64_t taken = count < room ? count : room;
    if (taken)
        scan->visit(scan->context, addr, taken, 0);
    scan->swapped_bytes += taken << OURO_PAGE_BITS;
    scan->swap_skipped_bytes += (count - taken) << OURO_PAGE_BITS;
    if (count > taken && scan->missing)
        add_missing(scan->missing, addr + (taken << OURO_PAGE_BITS), count - taken);
}

static bool is_small_file(const struct ouro_mapping *mapping)
{
    return mapping->inode && mapping->writable && mapping->end - mapping->start <= SMALL_FILE_BYTES;
}

/* Whether pages of this kind belong into the image, and where their bytes come from: see the head of image.h. */
static void visit_pages(struct scan *scan, const struct ouro_mapping *mapping, ouro_addr addr, uint64_t count,
                        uint64_t categories)
{
    bool present = categories & REGION_PRESENT;
    if (categories & REGION_SWAPPED)
        visit_swapped(scan, addr, count);
    else if (present && (!(categories & REGION_FILE) || is_small_file(mapping)))
        scan->visit(scan->context, addr, count, 0);
    else if (!present && is_small_file(mapping))
        scan->visit(scan->context, addr, count, FROM_FILE);
}

static bool is_gone(const struct copying *copying)
{
    return copying && __atomic_load_n(&copying->gone, __ATOMIC_RELAXED);
}

/* Its memory is gone: to take all mappings as whole then would only list holes, terabytes of them. */
static bool has_ended(struct scan *scan)
{
    if (scan->copying)
        __atomic_store_n(&scan->copying->gone, true, __ATOMIC_RELAXED);
    return true;
}

static bool scan_regions(struct scan *scan, const struct ouro_mapping *mapping)
{
    struct region regions[REGIONS_MAX];
    struct region_scan query = {
        .size = sizeof query,
        .start = mapping->start,
        .vec = (uint64_t)(uintptr_t)regions,
        .vec_len = REGIONS_MAX,
        .category_anyof_mask = REGION_PRESENT | REGION_SWAPPED,
        .return_mask = REGION_PRESENT | REGION_SWAPPED | REGION_FILE,
    };
    ouro_addr seen = mapping->start;
    uint64_t piece = scan->copying && scan->copying->deadline_ns ? SCAN_BYTES : UINT64_MAX;
    while (query.start < mapping->end && !is_late(scan->copying)) {
        query.end = mapping->end - query.start < piece ? mapping->end : query.start + piece;
        int count = ioctl(scan->pagemap, REGION_SCAN, &query);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == ESRCH && has_ended(scan);
        for (int i = 0; i < count; i++) {
            if (regions[i].start > seen)
                visit_pages(scan, mapping, seen, (regions[i].start - seen) >> OURO_PAGE_BITS, 0);
            visit_pages(scan, mapping, regions[i].start, (regions[i].end - regions[i].start) >> OURO_PAGE_BITS,
                        regions[i].categories);
            seen = regions[i].end;
        }
        if (query.walk_end <= query.start)
            break;
        piece = count || piece > UINT64_MAX / 2 ? piece : 2 * piece; /* holes are passed over quickly */
        query.start = query.walk_end;
    }
    if (seen < mapping->end)
        visit_pages(scan, mapping, seen, (mapping->end - seen) >> OURO_PAGE_BITS, 0);
    return true;
}

static uint64_t categories_of(uint64_t entry)
{
    return (entry & PAGEMAP_PRESENT ? REGION_PRESENT : 0) | (entry & PAGEMAP_SWAPPED ? REGION_SWAPPED : 0) |
           (entry & PAGEMAP_FILE ? REGION_FILE : 0);
}

static void scan_mapping(struct scan *scan, const struct ouro_mapping *mapping)
{
    uint64_t entries[PAGEMAP_ENTRIES];
    if (!ouro_image_is_copied(mapping))
        return;
    if (scan->pagemap >= 0 && !scan->no_regions) {
        if (scan_regions(scan, mapping))
            return;
        scan->no_regions = true; /* the first call says so, before anything was visited */
    }
    for (ouro_addr addr = mapping->start; addr < mapping->end && !is_late(scan->copying);) {
        size_t left = (size_t)((mapping->end - addr) >> OURO_PAGE_BITS);
        size_t want = left < PAGEMAP_ENTRIES ? left : PAGEMAP_ENTRIES;
        ssize_t got = scan->pagemap < 0 ? -1
                                        : pread(scan->pagemap, entries, want * sizeof *entries,
                                                (off_t)((addr >> OURO_PAGE_BITS) * sizeof *entries));
        if (!got && has_ended(scan))
            return;
        size_t count = got > 0 ? (size_t)got / sizeof *entries : 0;
        if (!count) { /* no pagemap: anonymous memory and what may have been written, whole */
            if (mapping->inode && !is_small_file(mapping))
                return;
            count = want;
            for (size_t i = 0; i < count; i++)
                entries[i] = PAGEMAP_PRESENT;
        }
        for (size_t i = 0; i < count; i++, addr += OURO_PAGE_BYTES)
            visit_pages(scan, mapping, addr, 1, categories_of(entries[i]));
    }
}

static int open_pagemap(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void count_pages(void *context, ouro_addr addr, uint64_t count, unsigned flag)
{
    uint64_t *pages = context;
    (void)addr;
    (void)flag;
    *pages += count;
}

struct touch {
    unsigned char *start;
    size_t size;
};

static void *touch_range(void *argument)
{
    const struct touch *touch = argument;
#ifdef MADV_POPULATE_WRITE
    if (!touch->size || madvise(touch->start, touch->size, MADV_POPULATE_WRITE) == 0)
        return NULL;
#endif
    for (size_t i = 0; i < touch->size; i += OURO_PAGE_BYTES)
        ((volatile unsigned char *)touch->start)[i] = 0;
    return NULL;
}

/* By two threads: the first touch of memory costs more than its copy. */
static void touch(unsigned char *start, size_t size, unsigned thread_count)
{
    size_t half = thread_count > 1 ? size / 2 & ~((size_t)(2u << 20) - 1) : 0;
    struct touch first = {start, half}, second = {start + half, size - half};
    pthread_t thread;
    bool started = half && pthread_create(&thread, NULL, touch_range, &first) == 0;
    touch_range(&second);
    if (started)
        pthread_join(thread, NULL);
    else
        touch_range(&first);
}

static unsigned threads_of(const struct ouro_image_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (options && options->thread_count)
        return options->thread_count > 8 ? 8 : options->thread_count;
    return processors > 1 ? 2 : 1;
}

static bool maps_have_uffd(const struct ouro_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        if (maps->items[i].uffd)
            return true;
    return false;
}

static enum ouro_status reserve(struct ouro_image *image, uint64_t pages, unsigned thread_count, struct ouro_err *err)
{
    if (pages > PAGES_MAX)
        return ouro_err_set(err, OURO_LIMIT, "the target has more than %u pages of memory", PAGES_MAX);
    image->reserve_bytes = (size_t)pages << OURO_PAGE_BITS;
    image->reserve = mmap(NULL, image->reserve_bytes, image->window_bytes ? PROT_NONE : PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (image->reserve == MAP_FAILED) {
        image->reserve = NULL;
        return ouro_err_sys(err, ENOMEM, "no memory for a copy of %llu MiB",
                            (unsigned long long)(image->reserve_bytes >> 20));
    }
    image->page_addr =
        mmap(NULL, pages * sizeof *image->page_addr, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image->page_addr == MAP_FAILED) {
        image->page_addr = NULL;
        return ouro_err_sys(err, ENOMEM, "no memory for the list of %llu pages", (unsigned long long)pages);
    }
    image->bytes = image->reserve;
    if (!image->window_bytes) {
        madvise(image->reserve, image->reserve_bytes, MADV_HUGEPAGE);
        touch(image->reserve, image->reserve_bytes, thread_count);
        image->touched_bytes = image->reserve_bytes;
    }
    touch((unsigned char *)image->page_addr, pages * sizeof *image->page_addr, 1);
    image->page_capacity = (uint32_t)pages;
    return OURO_OK;
}

static void count_all(pid_t pid, const struct ouro_maps *maps, uint64_t *pages)
{
    OURO_CLOSE int pagemap = open_pagemap(pid);
    struct scan scan = {.pagemap = pagemap, .swap_budget_bytes = UINT64_MAX, .visit = count_pages, .context = pages};
    for (size_t i = 0; i < maps->count; i++)
        scan_mapping(&scan, &maps->items[i]);
}

enum ouro_status ouro_image_count(const struct ouro_process *process, uint64_t *bytes, struct ouro_err *err)
{
    struct ouro_maps maps;
    uint64_t pages = 0;
    OURO_TRY(ouro_maps_read(&maps, ouro_process_pid(process), true, err));
    count_all(ouro_process_pid(process), &maps, &pages);
    ouro_maps_fini(&maps);
    *bytes = pages << OURO_PAGE_BITS;
    return OURO_OK;
}

enum ouro_status ouro_image_plan(struct ouro_image *image, const struct ouro_process *process,
                                 const struct ouro_image_options *options, struct ouro_err *err)
{
    pid_t pid = ouro_process_pid(process);
    struct ouro_maps maps;
    uint64_t pages = 0;
    memset(image, 0, sizeof *image);
    image->files = calloc(1, sizeof *image->files);
    image->top = calloc(OURO_IMAGE_TOP_COUNT, sizeof *image->top);
    if (!image->files || !image->top)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
    OURO_TRY(ouro_maps_read(&maps, pid, true, err));
    image->uffd = maps_have_uffd(&maps);
    ouro_image_files_open(image->files, pid, &maps);
    count_all(pid, &maps, &pages);
    ouro_maps_fini(&maps);
    image->window_bytes = options ? options->window_bytes : 0;
    image->source = pid;
    return reserve(image, pages + pages / 50 + SLACK_PAGES, threads_of(options), err);
}

/* More pages appeared than there is room for: a larger place; its new part is touched as it is filled. */
static enum ouro_status grow(struct ouro_image *image, struct ouro_err *err)
{
    uint64_t pages = (uint64_t)image->page_capacity + image->dropped_pages + SLACK_PAGES;
    size_t size = (size_t)pages << OURO_PAGE_BITS;
    if (pages > PAGES_MAX)
        return ouro_err_set(err, OURO_LIMIT, "the target has more than %u pages of memory", PAGES_MAX);
    void *bytes = mremap(image->reserve, image->reserve_bytes, size, MREMAP_MAYMOVE);
    if (bytes == MAP_FAILED)
        return ouro_err_sys(err, errno, "no memory for a copy of %zu MiB", size >> 20);
    image->reserve = bytes;
    image->bytes = bytes;
    image->reserve_bytes = size;
    void *list = mremap(image->page_addr, image->page_capacity * sizeof *image->page_addr,
                        pages * sizeof *image->page_addr, MREMAP_MAYMOVE);
    if (list == MAP_FAILED)
        return ouro_err_sys(err, errno, "no memory for the list of %llu pages", (unsigned long long)pages);
    image->page_addr = list;
    image->page_capacity = (uint32_t)pages;
    return OURO_OK;
}

static void list_pages(void *context, ouro_addr addr, uint64_t count, unsigned flag)
{
    struct copying *copying = context;
    struct ouro_image *image = copying->image;
    uint32_t at = image->page_count, room = image->page_capacity - at;
    uint32_t taken = count < room ? (uint32_t)count : room;
    image->dropped_pages += count - taken;
    if (count > taken) /* unless it is copied again */
        add_missing(&image->missing, addr + ((uint64_t)taken << OURO_PAGE_BITS), count - taken);
    for (uint32_t i = 0; i < taken; i++)
        image->page_addr[at + i] = (addr + ((uint64_t)i << OURO_PAGE_BITS)) | flag;
    image->page_count = at + taken;
    if (at / TASK_PAGES != image->page_count / TASK_PAGES)
        __atomic_store_n(&copying->ready, image->page_count / TASK_PAGES * TASK_PAGES, __ATOMIC_RELEASE);
}

/* One read call for pages [first, end), which follow each other in the copy; where it stops short, page by page. */
static void copy_pages(struct copying *copying, uint32_t first, uint32_t end)
{
    struct ouro_image *image = copying->image;
    struct iovec remote[TASK_PAGES];
    unsigned count = 0;
    for (uint32_t i = first; i < end; i++) {
        ouro_addr addr = image->page_addr[i];
        if (count && (ouro_addr)(uintptr_t)remote[count - 1].iov_base + remote[count - 1].iov_len == addr)
            remote[count - 1].iov_len += OURO_PAGE_BYTES;
        else
            remote[count++] = (struct iovec){(void *)(uintptr_t)addr, OURO_PAGE_BYTES};
    }
    size_t size = (size_t)(end - first) << OURO_PAGE_BITS;
    struct iovec local = {image->reserve + ((size_t)first << OURO_PAGE_BITS), size};
    ssize_t got = process_vm_readv(copying->pid, &local, 1, remote, count, 0);
    if (got < 0 && errno == ESRCH) {
        __atomic_store_n(&copying->gone, true, __ATOMIC_RELAXED);
        return;
    }
    size_t done = got < 0 ? 0 : (size_t)got;
    for (uint32_t i = first + (uint32_t)(done >> OURO_PAGE_BITS); i < end; i++) {
        struct iovec one = {image->reserve + ((size_t)i << OURO_PAGE_BITS), OURO_PAGE_BYTES};
        struct iovec from = {(void *)(uintptr_t)image->page_addr[i], OURO_PAGE_BYTES};
        got = process_vm_readv(copying->pid, &one, 1, &from, 1, 0);
        if (got < 0 && errno == ESRCH)
            __atomic_store_n(&copying->gone, true, __ATOMIC_RELAXED);
        if (got != (ssize_t)OURO_PAGE_BYTES) {
            memset(one.iov_base, 0, OURO_PAGE_BYTES);
            image->page_addr[i] |= UNREADABLE;
            __atomic_fetch_add(&copying->unreadable_bytes, OURO_PAGE_BYTES, __ATOMIC_RELAXED);
            size -= OURO_PAGE_BYTES;
        }
    }
    __atomic_fetch_add(&copying->copied_bytes, size, __ATOMIC_RELAXED);
}

static void *copy_tasks(void *argument)
{
    struct copying *copying = argument;
    struct ouro_image *image = copying->image;
    for (;;) {
        uint32_t task = __atomic_fetch_add(&copying->next_task, 1, __ATOMIC_RELAXED);
        uint64_t first = (uint64_t)task * TASK_PAGES, end = first + TASK_PAGES;
        for (unsigned spins = 0; __atomic_load_n(&copying->ready, __ATOMIC_ACQUIRE) < end &&
                                 !__atomic_load_n(&copying->listed, __ATOMIC_ACQUIRE);
             spins++) { /* the list is being made; a yield may last milliseconds on a busy machine */
            if (spins < SPINS)
                __builtin_ia32_pause();
            else
                sched_yield();
        }
        uint32_t ready = __atomic_load_n(&copying->ready, __ATOMIC_ACQUIRE);
        if (first >= ready || __atomic_load_n(&copying->gone, __ATOMIC_RELAXED) || is_late(copying))
            return NULL;
        if (end > ready)
            end = ready;
        for (uint32_t i = (uint32_t)first; i < end;) {
            uint32_t behind = i;
            while (behind < end && !(image->page_addr[behind] & (FROM_FILE | KEPT)))
                behind++;
            if (behind > i)
                copy_pages(copying, i, behind);
            i = behind > i ? behind : i + 1;
        }
    }
}

static void visit_kept(struct scan *scan, const struct ouro_image_kept *kept)
{
    scan->visit(scan->context, kept->start, (kept->end - kept->start) >> OURO_PAGE_BITS, KEPT);
}

/* A range that the process does not have at all becomes a mapping of the image. */
static enum ouro_status add_kept_mapping(struct ouro_maps *maps, size_t at, const struct ouro_image_kept *kept,
                                         struct ouro_err *err)
{
    if (!OURO_VEC_ADD(maps))
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of mappings");
    memmove(&maps->items[at + 1], &maps->items[at], (maps->count - 1 - at) * sizeof *maps->items);
    maps->items[at] = (struct ouro_mapping){
        .start = kept->start, .end = kept->end, .readable = true, .writable = true, .unforked = true, .path = ""};
    return OURO_OK;
}

/* All mappings by address, and instead of or between them what is kept. One that is kept in part only was changed since then,
 * and is taken as the process has it. */
static enum ouro_status scan_all(struct scan *scan, struct ouro_maps *maps, const struct ouro_image_options *options,
                                 struct ouro_err *err)
{
    size_t kept_count = options ? options->kept_count : 0, next = 0;
    for (size_t i = 0; (i < maps->count || next < kept_count) && !is_late(scan->copying) && !is_gone(scan->copying); i++) {
        const struct ouro_image_kept *kept = next < kept_count ? &options->kept[next] : NULL;
        const struct ouro_mapping *mapping = i < maps->count ? &maps->items[i] : NULL;
        if (mapping && kept && mapping->start < kept->end && kept->start < mapping->end) {
            next++;
            if (mapping->start == kept->start && mapping->end == kept->end)
                visit_kept(scan, kept);
            else
                scan_mapping(scan, mapping);
        } else if (kept && (!mapping || kept->end <= mapping->start)) {
            OURO_TRY(add_kept_mapping(maps, i, kept, err));
            visit_kept(scan, kept);
            next++;
        } else {
            scan_mapping(scan, mapping);
        }
    }
    return OURO_OK;
}

static enum ouro_status list_all(struct ouro_image *image, struct copying *copying,
                                 const struct ouro_image_options *options, struct ouro_err *err)
{
    OURO_CLOSE int pagemap = open_pagemap(copying->pid);
    struct scan scan = {
        .pagemap = pagemap,
        .swap_budget_bytes =
            options && options->swap_budget_bytes ? options->swap_budget_bytes : OURO_IMAGE_SWAP_BUDGET,
        .visit = list_pages,
        .context = copying,
        .missing = &image->missing,
        .copying = copying,
    };
    if (!image->maps.count)
        OURO_TRY(ouro_maps_read(&image->maps, copying->pid, image->uffd, err));
    OURO_TRY(scan_all(&scan, &image->maps, options, err));
    image->swapped_bytes = scan.swapped_bytes;
    image->swap_skipped_bytes = scan.swap_skipped_bytes;
    return OURO_OK;
}

/* Lists the pages and copies them as the list grows. The other threads start while the mappings are read. */
static enum ouro_status copy_once(struct ouro_image *image, pid_t pid, const struct ouro_image_options *options,
                                  struct ouro_err *err)
{
    struct copying copying = {.image = image, .pid = pid, .deadline_ns = options ? options->deadline_ns : 0};
    unsigned thread_count = threads_of(options), started = 0;
    pthread_t threads[8];
    image->page_count = 0;
    image->dropped_pages = 0;
    image->missing.count = 0;
    for (unsigned i = 1; i < thread_count; i++)
        if (pthread_create(&threads[started], NULL, copy_tasks, &copying) == 0)
            started++;
    enum ouro_status status = list_all(image, &copying, options, err);
    __atomic_store_n(&copying.ready, image->page_count, __ATOMIC_RELEASE);
    __atomic_store_n(&copying.listed, true, __ATOMIC_RELEASE);
    copy_tasks(&copying);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    image->copied_bytes = copying.copied_bytes;
    image->unreadable_bytes = copying.unreadable_bytes;
    if (status == OURO_OK && copying.gone)
        return ouro_err_set(err, OURO_GONE, "process %d ended while it was copied", (int)pid);
    image->late = copying.late;
    if (status == OURO_OK && copying.late)
        return ouro_err_set(err, OURO_LIMIT, "process %d could not be copied in time", (int)pid);
    return status;
}

/* What was read before: copied into the image, or, for a window, remembered. */
static void fill_kept(struct ouro_image *image, const struct ouro_image_options *options)
{
    size_t next = 0;
    for (uint32_t i = 0; options && i < image->page_count && next < options->kept_count; i++) {
        if (!(image->page_addr[i] & KEPT))
            continue;
        ouro_addr addr = image->page_addr[i] &= ~(ouro_addr)KEPT;
        while (next < options->kept_count && options->kept[next].end <= addr)
            next++;
        if (next < options->kept_count && !image->window_bytes)
            memcpy(image->reserve + ((size_t)i << OURO_PAGE_BITS), options->kept[next].bytes + (addr - options->kept[next].start),
                   OURO_PAGE_BYTES);
    }
    image->kept = options ? options->kept : NULL;
    image->kept_count = options ? options->kept_count : 0;
}

/* For a window: which pages there are. */
static enum ouro_status list_once(struct ouro_image *image, pid_t pid, const struct ouro_image_options *options,
                                  struct ouro_err *err)
{
    struct copying copying = {.image = image, .pid = pid};
    image->page_count = 0;
    image->dropped_pages = 0;
    image->missing.count = 0;
    OURO_TRY(list_all(image, &copying, options, err));
    /* Of one that has ended meanwhile there are no pages, or not all. */
    unsigned char byte;
    const ouro_addr first = image->page_count ? image->page_addr[0] & ~(ouro_addr)(OURO_PAGE_BYTES - 1) : 0;
    struct iovec local = {&byte, 1}, remote = {(void *)(uintptr_t)first, 1};
    if (!image->page_count || (process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 && errno == ESRCH))
        return ouro_err_set(err, OURO_GONE, "process %d ended while it was copied", (int)pid);
    return OURO_OK;
}

enum ouro_status ouro_image_copy(struct ouro_image *image, const struct ouro_process *process,
                                 const struct ouro_image_options *options, struct ouro_err *err)
{
    bool running = options && options->running;
    pid_t pid = image->source = ouro_process_pid(process);
    for (unsigned round = 1;; round++) {
        if (round == 1 || running)
            ouro_maps_fini(&image->maps);
        OURO_TRY(image->window_bytes ? list_once(image, pid, options, err) : copy_once(image, pid, options, err));
        if (!image->dropped_pages) {
            fill_kept(image, options);
            return OURO_OK;
        }
        if (running && round == RUNNING_ROUNDS_MAX) { /* it grows faster than we follow */
            image->unreadable_bytes += image->dropped_pages << OURO_PAGE_BITS;
            return OURO_OK;
        }
        OURO_TRY(grow(image, err));
    }
}

/* Pages of writable file mappings that nobody touched yet are what their file says. */
static void read_file_pages(struct ouro_image *image)
{
    const struct ouro_mapping *mapping = NULL;
    int fd = -1;
    for (uint32_t i = 0; i < image->page_count; i++) {
        if (!(image->page_addr[i] & FROM_FILE))
            continue;
        ouro_addr addr = image->page_addr[i] & ~(ouro_addr)(FROM_FILE | UNREADABLE);
        unsigned char *to = image->reserve + ((size_t)i << OURO_PAGE_BITS);
        if (!mapping || addr < mapping->start || addr >= mapping->end) {
            mapping = ouro_maps_find(&image->maps, addr);
            fd = mapping ? ouro_image_files_find(image->files, mapping) : -1;
        }
        ssize_t got = fd < 0 ? -1 : pread(fd, to, OURO_PAGE_BYTES, (off_t)(mapping->offset + (addr - mapping->start)));
        if (got > 0) { /* behind the end of the file a page holds zeroes */
            memset(to + got, 0, OURO_PAGE_BYTES - (size_t)got);
            image->page_addr[i] = addr;
            image->file_bytes += OURO_PAGE_BYTES;
        } else {
            memset(to, 0, OURO_PAGE_BYTES);
            image->page_addr[i] = addr | UNREADABLE;
            image->unreadable_bytes += fd < 0 ? OURO_PAGE_BYTES : 0;
        }
    }
}

/* Takes pages out that could not be read, so that what lies behind one another in the copy does so in the target. */
static void drop_unreadable(struct ouro_image *image)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < image->page_count; i++) {
        if (image->page_addr[i] & UNREADABLE) {
            add_missing(&image->missing, image->page_addr[i] & ~(ouro_addr)(OURO_PAGE_BYTES - 1), 1);
            continue;
        }
        if (kept != i) {
            image->page_addr[kept] = image->page_addr[i];
            memcpy(image->reserve + ((size_t)kept << OURO_PAGE_BITS), image->reserve + ((size_t)i << OURO_PAGE_BITS),
                   OURO_PAGE_BYTES);
        }
        kept++;
    }
    image->page_count = kept;
}

static int by_start(const void *a, const void *b)
{
    const struct ouro_image_range *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

static bool is_missing(const struct ouro_image_missing *missing, ouro_addr addr)
{
    size_t low = 0, high = missing->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (missing->items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return missing->overflow || (low < missing->count && missing->items[low].start <= addr);
}

/* The part of a read that lies in the page at addr: from the copy, the file, or a hole of anonymous memory. */
static enum ouro_status read_in_page(const struct ouro_image *image, ouro_addr addr, unsigned char *out, size_t size)
{
    const unsigned char *copied = ouro_image_at(image, addr, size);
    if (copied) {
        memcpy(out, copied, size);
        return OURO_OK;
    }
    const struct ouro_mapping *mapping = ouro_maps_find(&image->maps, addr);
    if (!mapping || !ouro_image_is_copied(mapping) || !image->files || is_missing(&image->missing, addr))
        return OURO_FAULT;
    if (!mapping->inode) {
        memset(out, 0, size);
        return OURO_OK;
    }
    int fd = ouro_image_files_find(image->files, mapping);
    if (fd >= 0) {
        uint64_t offset = mapping->offset + (addr - mapping->start);
        unsigned char first; /* of the page: one that begins behind the file's end is not there */
        ssize_t got = pread(fd, out, size, (off_t)offset);
        if (got >= 0 && (size_t)got < size) {
            if (pread(fd, &first, 1, (off_t)(offset & ~(uint64_t)(OURO_PAGE_BYTES - 1))) != 1)
                return OURO_FAULT;
            memset(out + got, 0, size - (size_t)got);
        }
        return got >= 0 ? OURO_OK : OURO_FAULT;
    }
    if (mapping->writable || image->files->borrowed)
        return OURO_FAULT;
    /* No file to be had: constants do not change, so the target itself may be asked still. */
    struct iovec local = {out, size}, remote = {(void *)(uintptr_t)addr, size};
    return process_vm_readv(image->files->pid, &local, 1, &remote, 1, 0) == (ssize_t)size ? OURO_OK : OURO_FAULT;
}

static enum ouro_status read_image(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    unsigned char *to = out;
    if (addr + size < addr)
        return OURO_FAULT;
    while (size) {
        size_t piece = OURO_PAGE_BYTES - (size_t)(addr & (OURO_PAGE_BYTES - 1));
        if (piece > size)
            piece = size;
        OURO_TRY(read_in_page(space->context, addr, to, piece));
        addr += piece;
        to += piece;
        size -= piece;
    }
    return OURO_OK;
}

enum ouro_status ouro_image_index(struct ouro_image *image, struct ouro_err *err)
{
    image->space = (struct ouro_space){.read = read_image, .context = image};
    size_t entry_count = (size_t)1 << (OURO_IMAGE_TOP_BITS - OURO_PAGE_BITS);
    for (uint32_t i = 0; i < image->page_count; i++) {
        ouro_addr addr = image->page_addr[i] &= ~(ouro_addr)(OURO_PAGE_BYTES - 1);
        uint32_t **entries = addr >> 47 ? NULL : &image->top[addr >> OURO_IMAGE_TOP_BITS];
        if (!entries)
            continue;
        if (!*entries && !(*entries = calloc(entry_count, sizeof **entries)))
            return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
        (*entries)[addr >> OURO_PAGE_BITS & (entry_count - 1)] = i + 1;
    }
    return OURO_OK;
}

/* Gives back what was touched in vain. */
static void trim(struct ouro_image *image)
{
    size_t used = (size_t)image->page_count << OURO_PAGE_BITS;
    if (used < image->reserve_bytes)
        munmap(image->reserve + used, image->reserve_bytes - used);
    image->reserve_bytes = used;
    size_t list = ((size_t)image->page_count * sizeof *image->page_addr + OURO_PAGE_BYTES - 1) & ~(OURO_PAGE_BYTES - 1);
    size_t whole =
        ((size_t)image->page_capacity * sizeof *image->page_addr + OURO_PAGE_BYTES - 1) & ~(OURO_PAGE_BYTES - 1);
    if (list < whole)
        munmap((unsigned char *)image->page_addr + list, whole - list);
    image->page_capacity = image->page_count;
}

static enum ouro_status open_window(struct ouro_image *image, struct ouro_err *err)
{
    uint64_t *from_file = calloc((size_t)image->page_count / 64 + 1, sizeof *from_file);
    if (!from_file)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
    for (uint32_t i = 0; i < image->page_count; i++) {
        bool file = image->page_addr[i] & FROM_FILE;
        from_file[i >> 6] |= (uint64_t)file << (i & 63);
        *(file ? &image->file_bytes : &image->copied_bytes) += OURO_PAGE_BYTES;
    }
    OURO_TRY(ouro_image_index(image, err)); /* which takes the flags off the addresses */
    return ouro_window_open(image, image->source, image->window_bytes, from_file, err);
}

enum ouro_status ouro_image_finish(struct ouro_image *image, const struct ouro_process *process, struct ouro_err *err)
{
    ouro_image_files_open(image->files, ouro_process_pid(process), &image->maps); /* those that came after the plan */
    if (!image->window_bytes) {
        read_file_pages(image);
        drop_unreadable(image);
    }
    if (image->missing.count)
        qsort(image->missing.items, image->missing.count, sizeof *image->missing.items, by_start);
    trim(image);
    return image->window_bytes ? open_window(image, err) : ouro_image_index(image, err);
}

enum ouro_status ouro_image_of_bytes(struct ouro_image *image, ouro_addr addr, const void *data, size_t size,
                                     struct ouro_err *err)
{
    uint64_t pages = ((uint64_t)size + OURO_PAGE_BYTES - 1) >> OURO_PAGE_BITS;
    memset(image, 0, sizeof *image);
    if (addr & (OURO_PAGE_BYTES - 1) || !size)
        return ouro_err_set(err, OURO_INVAL, "an image begins at a page");
    image->top = calloc(OURO_IMAGE_TOP_COUNT, sizeof *image->top);
    if (!image->top)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
    OURO_TRY(reserve(image, pages, 1, err));
    memcpy(image->reserve, data, size);
    image->page_count = (uint32_t)pages;
    for (uint32_t i = 0; i < pages; i++)
        image->page_addr[i] = addr + ((uint64_t)i << OURO_PAGE_BITS);
    return ouro_image_index(image, err);
}

void ouro_image_fini(struct ouro_image *image)
{
    ouro_lazy_free(image->lazy);
    ouro_window_close(image->window);
    for (size_t i = 0; image->top && i < OURO_IMAGE_TOP_COUNT; i++)
        free(image->top[i]);
    free(image->top);
    if (image->reserve && image->reserve_bytes)
        munmap(image->reserve, image->reserve_bytes);
    if (image->page_addr && image->page_capacity)
        munmap(image->page_addr, image->page_capacity * sizeof *image->page_addr);
    if (image->files)
        ouro_image_files_close(image->files);
    free(image->files);
    free(image->missing.items);
    ouro_maps_fini(&image->maps);
    memset(image, 0, sizeof *image);
}
