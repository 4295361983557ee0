#include "target/lazy.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/guard.h"

#define PAGES_MAX  (UINT32_MAX - 1)
#define RUN_PAGES_MAX 32u
#define CHUNK_RUNS 16u /* what a thread copies at a time: some 10 us */
#define CHUNKS_TO_SHARE 8u /* fewer are copied before another thread wakes up */
#define PATIENCE_NS UINT64_C(15000) /* with a chunk that the other thread is at */
#define ENTRIES ((size_t)1 << (OURO_IMAGE_TOP_BITS - OURO_PAGE_BITS))

/* Reading flags of mappings costs milliseconds for each GB; who has no userfaultfd needs none. */
static bool may_have_uffd(pid_t pid)
{
    char path[64], link[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *fds = opendir(path);
    bool found = false;
    for (struct dirent *entry; fds && !found && (entry = readdir(fds));) {
        ssize_t size = readlinkat(dirfd(fds), entry->d_name, link, sizeof link - 1);
        link[size > 0 ? size : 0] = 0;
        found = strstr(link, "userfaultfd") != NULL;
    }
    if (fds)
        closedir(fds);
    return found;
}

static enum ouro_status add_regions(struct ouro_lazy *lazy, const struct ouro_maps *maps, struct ouro_err *err)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct ouro_mapping *mapping = &maps->items[i];
        if (!ouro_image_is_copied(mapping) || mapping->end >> 47)
            continue;
        struct ouro_lazy_region *region = OURO_VEC_ADD(lazy);
        if (!region)
            return ouro_err_set(err, OURO_NOMEM, "no memory for the list of mappings");
        *region = (struct ouro_lazy_region){.start = mapping->start,
                                            .end = mapping->end,
                                            .constant = mapping->inode && !mapping->writable};
        lazy->page_total += (mapping->end - mapping->start) >> OURO_PAGE_BITS;
    }
    /* What a page's number can't say: a sanitizer's shadow of everything, for instance. */
    while (lazy->page_total > PAGES_MAX) {
        size_t largest = 0;
        for (size_t i = 1; i < lazy->count; i++)
            if (lazy->items[i].end - lazy->items[i].start > lazy->items[largest].end - lazy->items[largest].start)
                largest = i;
        lazy->page_total -= (lazy->items[largest].end - lazy->items[largest].start) >> OURO_PAGE_BITS;
        memmove(&lazy->items[largest], &lazy->items[largest + 1],
                (--lazy->count - largest) * sizeof *lazy->items);
    }
    uint32_t page = 0;
    for (size_t i = 0; i < lazy->count; i++) {
        lazy->items[i].first_page = page;
        page += (uint32_t)((lazy->items[i].end - lazy->items[i].start) >> OURO_PAGE_BITS);
    }
    return OURO_OK;
}

static void *reserve(uint64_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static enum ouro_status read_lazy(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    unsigned char *to = out;
    while (size) {
        size_t piece = OURO_PAGE_BYTES - (size_t)(addr & (OURO_PAGE_BYTES - 1));
        if (piece > size)
            piece = size;
        const unsigned char *at = ouro_image_at(space->context, addr, piece);
        if (!at)
            return OURO_FAULT;
        memcpy(to, at, piece);
        addr += piece;
        to += piece;
        size -= piece;
    }
    return OURO_OK;
}

enum ouro_status ouro_image_open_lazy(struct ouro_image *image, const struct ouro_process *process, struct ouro_err *err)
{
    pid_t pid = ouro_process_pid(process);
    memset(image, 0, sizeof *image);
    image->top = calloc(OURO_IMAGE_TOP_COUNT, sizeof *image->top);
    struct ouro_lazy *lazy = image->lazy = calloc(1, sizeof *image->lazy);
    if (!image->top || !image->lazy)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
    lazy->process = process;
    lazy->range_bytes = OURO_LAZY_RANGE_BYTES;
    OURO_TRY(ouro_maps_read(&image->maps, pid, may_have_uffd(pid), err));
    OURO_TRY(add_regions(lazy, &image->maps, err));
    if (!lazy->page_total)
        return ouro_err_set(err, OURO_GONE, "process %d ended: it has no memory", (int)pid);
    image->reserve_bytes = (size_t)lazy->page_total << OURO_PAGE_BITS;
    image->reserve = reserve(image->reserve_bytes);
    image->page_addr = reserve(lazy->page_total * sizeof *image->page_addr);
    if (!image->reserve || !image->page_addr)
        return ouro_err_sys(err, ENOMEM, "no address space for %llu MiB",
                            (unsigned long long)(image->reserve_bytes >> 20));
    image->page_count = image->page_capacity = (uint32_t)lazy->page_total;
    image->bytes = image->reserve;
    image->space = (struct ouro_space){.read = read_lazy, .context = image};
    return OURO_OK;
}

static const struct ouro_lazy_region *region_of(const struct ouro_lazy *lazy, ouro_addr addr)
{
    size_t low = 0, high = lazy->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lazy->items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < lazy->count && lazy->items[low].start <= addr ? &lazy->items[low] : NULL;
}

static uint32_t page_in(const struct ouro_lazy_region *region, ouro_addr addr)
{
    return region->first_page + (uint32_t)((addr - region->start) >> OURO_PAGE_BITS);
}

/* The page's bytes are there. The arrays are the image's own memory, whoever looks at it. */
static bool add_page(const struct ouro_image *image, ouro_addr addr, uint32_t page)
{
    struct ouro_lazy *lazy = image->lazy;
    uint32_t **entries = &image->top[addr >> OURO_IMAGE_TOP_BITS], *place;
    if (!*entries)
        *entries = calloc(ENTRIES, sizeof **entries);
    if (!*entries || !(place = OURO_VEC_ADD(&lazy->pages))) {
        lazy->out_of_memory = true;
        return false;
    }
    *place = page;
    image->page_addr[page] = addr;
    (*entries)[addr >> OURO_PAGE_BITS & (ENTRIES - 1)] = page + 1;
    return true;
}

uint32_t ouro_image_fetch(const struct ouro_image *image, ouro_addr addr)
{
    struct ouro_lazy *lazy = image->lazy;
    addr &= ~(ouro_addr)(OURO_PAGE_BYTES - 1);
    const struct ouro_lazy_region *region = region_of(lazy, addr);
    if (!region) {
        lazy->outside_count += addr >= OURO_PAGE_BYTES;
        return UINT32_MAX;
    }
    if (lazy->pages.count >= OURO_LAZY_PAGES_MAX) {
        lazy->refused_count++;
        return UINT32_MAX;
    }
    uint32_t page = page_in(region, addr);
    unsigned char *to = image->reserve + ((size_t)page << OURO_PAGE_BITS);
    if (ouro_space_read(ouro_process_space(lazy->process), addr, to, OURO_PAGE_BYTES) != OURO_OK) {
        lazy->unreadable_count++;
        return UINT32_MAX;
    }
    if (!add_page(image, addr, page))
        return UINT32_MAX;
    lazy->late_count += lazy->sealed && !region->constant;
    return page;
}

bool ouro_image_fetch_range(const struct ouro_image *image, ouro_addr addr, uint64_t size)
{
    if (size > image->lazy->range_bytes)
        return false;
    for (ouro_addr page = addr & ~(ouro_addr)(OURO_PAGE_BYTES - 1); page < addr + size; page += OURO_PAGE_BYTES)
        if (ouro_image_page(image, page) == UINT32_MAX)
            return false;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The numbers of the pages that are here, ascending; malloc'ed. */
static uint32_t *sorted_pages(const struct ouro_lazy *lazy)
{
    uint32_t *pages = malloc((lazy->pages.count + 1) * sizeof *pages);
    if (pages && lazy->pages.count) {
        memcpy(pages, lazy->pages.items, lazy->pages.count * sizeof *pages);
        qsort(pages, lazy->pages.count, sizeof *pages, by_number);
    }
    return pages;
}

static void free_helper(struct ouro_lazy_helper *helper);

static void drop_copied(struct ouro_lazy *lazy)
{
    free_helper(lazy->helper);
    lazy->helper = NULL;
    if (lazy->copied)
        munmap(lazy->copied, lazy->copied_bytes);
    lazy->copied = NULL;
}

#define HUGE_BYTES ((size_t)2 << 20)

/* What is copied during the stop lies close together, and is there beforehand: its place by address is all over the address space, and
 * each page would cost a look into page tables that are in no cache. */
static enum ouro_status make_room(struct ouro_lazy *lazy, struct ouro_err *err)
{
    drop_copied(lazy);
    lazy->copied_bytes = (((size_t)lazy->plan.page_count << OURO_PAGE_BITS) + HUGE_BYTES) & ~(HUGE_BYTES - 1);
    lazy->copied = reserve(lazy->copied_bytes);
    if (!lazy->copied)
        return ouro_err_set(err, OURO_NOMEM, "no memory for %zu pages", lazy->plan.page_count);
    madvise(lazy->copied, lazy->copied_bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < lazy->plan.page_count; i++)
        ((volatile unsigned char *)lazy->copied)[i << OURO_PAGE_BITS] = 0;
    return OURO_OK;
}

enum ouro_status ouro_lazy_plan(struct ouro_image *image, const struct ouro_image *from, struct ouro_err *err)
{
    struct ouro_lazy *lazy = image->lazy;
    OURO_FREE uint32_t *pages = sorted_pages(from->lazy);
    if (!pages)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of pages");
    lazy->plan.count = lazy->plan.page_count = 0;
    for (size_t i = 0; i < from->lazy->pages.count; i++) {
        ouro_addr addr = from->page_addr[pages[i]];
        const struct ouro_lazy_region *region = region_of(lazy, addr);
        if (!region || region->constant)
            continue;
        uint32_t page = page_in(region, addr);
        struct ouro_lazy_run *run = lazy->plan.count ? &lazy->plan.items[lazy->plan.count - 1] : NULL;
        if (!run || run->addr + ((ouro_addr)run->count << OURO_PAGE_BITS) != addr || run->page + run->count != page ||
            run->count == RUN_PAGES_MAX) {
            if (!(run = OURO_VEC_ADD(&lazy->plan)))
                return ouro_err_set(err, OURO_NOMEM, "no memory for the list of pages");
            *run = (struct ouro_lazy_run){.addr = addr, .page = page, .copied = lazy->plan.page_count};
        }
        run->count++;
        lazy->plan.page_count++;
    }
    return make_room(lazy, err);
}

/* Marks in the list of addresses that a page could not be read. */
static void note_unreadable(struct ouro_image *image, const struct ouro_lazy_run *run, uint32_t i)
{
    image->page_addr[run->page + i] = 1;
    image->lazy->unreadable_count++;
}

/* The rest of a run, from its page `i` on, page by page. */
static enum ouro_status copy_rest(struct ouro_image *image, const struct ouro_lazy_run *run, uint32_t i)
{
    const struct ouro_space *space = ouro_process_space(image->lazy->process);
    for (; i < run->count; i++) {
        enum ouro_status status =
            ouro_space_read(space, run->addr + ((ouro_addr)i << OURO_PAGE_BITS),
                            image->lazy->copied + ((run->copied + i) << OURO_PAGE_BITS), OURO_PAGE_BYTES);
        if (status == OURO_GONE)
            return status;
        if (status != OURO_OK)
            note_unreadable(image, run, i);
    }
    return OURO_OK;
}

/* One read of several runs to their places in `copied`. As process_vm_readv. */
static ssize_t read_runs(const struct ouro_lazy *lazy, unsigned char *copied, const struct ouro_lazy_run *runs, size_t count)
{
    struct iovec remote[CHUNK_RUNS];
    const struct ouro_lazy_run *last = &runs[count - 1];
    struct iovec local = {copied + (runs->copied << OURO_PAGE_BITS),
                          (last->copied + last->count - runs->copied) << OURO_PAGE_BITS};
    for (size_t i = 0; i < count; i++)
        remote[i] = (struct iovec){(void *)(uintptr_t)runs[i].addr, (size_t)runs[i].count << OURO_PAGE_BITS};
    return process_vm_readv(ouro_process_pid(lazy->process), &local, 1, remote, count, 0);
}

/* *done: how many of the runs are finished. */
static enum ouro_status copy_runs(struct ouro_image *image, const struct ouro_lazy_run *runs, size_t count, size_t *done)
{
    ssize_t got = read_runs(image->lazy, image->lazy->copied, runs, count);
    if (got < 0 && errno == ESRCH)
        return OURO_GONE;
    size_t left = got < 0 ? 0 : (size_t)got;
    for (*done = 0; *done < count && left >= (size_t)runs[*done].count << OURO_PAGE_BITS; ++*done)
        left -= (size_t)runs[*done].count << OURO_PAGE_BITS;
    return *done == count ? OURO_OK
                          : copy_rest(image, &runs[(*done)++], (uint32_t)(left >> OURO_PAGE_BITS));
}

static size_t chunk_count(const struct ouro_lazy *lazy)
{
    return (lazy->plan.count + CHUNK_RUNS - 1) / CHUNK_RUNS;
}

/* Its runs, and how many these are. */
static const struct ouro_lazy_run *chunk_runs(const struct ouro_lazy *lazy, size_t chunk, size_t *count)
{
    size_t left = lazy->plan.count - chunk * CHUNK_RUNS;
    *count = left < CHUNK_RUNS ? left : CHUNK_RUNS;
    return &lazy->plan.items[chunk * CHUNK_RUNS];
}

static enum ouro_status copy_chunk(struct ouro_image *image, size_t chunk)
{
    size_t count, done;
    const struct ouro_lazy_run *runs = chunk_runs(image->lazy, chunk, &count);
    for (size_t i = 0; i < count; i += done)
        OURO_TRY(copy_runs(image, &runs[i], count - i, &done));
    return OURO_OK;
}

/* Who copies a chunk. */
enum chunk { CHUNK_FREE, CHUNK_OURS, CHUNK_HELPED /* the helper is at it */, CHUNK_DONE /* by the helper */ };

struct ouro_lazy_helper {
    pthread_t thread;
    sem_t ready, go;
    const struct ouro_lazy *lazy;
    unsigned char *copied; /* owned (mapped): as that of the image, with the chunks that the helper did */
    bool over, ended;
    unsigned char chunks[]; /* enum chunk each; both threads compare and swap */
};

static bool turn(struct ouro_lazy_helper *helper, size_t chunk, enum chunk from, enum chunk to)
{
    unsigned char expected = (unsigned char)from;
    return __atomic_compare_exchange_n(&helper->chunks[chunk], &expected, (unsigned char)to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* Whether the chunk can be read as a whole. */
static bool help_with(const struct ouro_lazy_helper *helper, size_t chunk)
{
    const struct ouro_lazy *lazy = helper->lazy;
    size_t count;
    const struct ouro_lazy_run *runs = chunk_runs(lazy, chunk, &count), *last = &runs[count - 1];
    return read_runs(lazy, helper->copied, runs, count) ==
           (ssize_t)((last->copied + last->count - runs->copied) << OURO_PAGE_BITS);
}

/* It comes from the end, and the other thread from the beginning: each reads on where it was. */
static void *help(void *argument)
{
    struct ouro_lazy_helper *helper = argument;
    size_t chunk = chunk_count(helper->lazy);
    for (size_t i = chunk; i--;) /* a rehearsal; it makes the memory be there, too */
        help_with(helper, i);
    sem_post(&helper->ready);
    while (sem_wait(&helper->go))
        continue; /* a signal handler of the program ran */
    while (!__atomic_load_n(&helper->over, __ATOMIC_RELAXED) && chunk-- && turn(helper, chunk, CHUNK_FREE, CHUNK_HELPED))
        turn(helper, chunk, CHUNK_HELPED, help_with(helper, chunk) ? CHUNK_DONE : CHUNK_FREE);
    return NULL;
}

/* From here on it touches nothing. */
static void end_helper(struct ouro_lazy_helper *helper)
{
    if (!helper || helper->ended)
        return;
    __atomic_store_n(&helper->over, true, __ATOMIC_RELAXED);
    sem_post(&helper->go);
    pthread_join(helper->thread, NULL);
    helper->ended = true;
}

static void free_helper(struct ouro_lazy_helper *helper)
{
    if (!helper)
        return;
    end_helper(helper);
    munmap(helper->copied, helper->lazy->copied_bytes);
    sem_destroy(&helper->ready);
    sem_destroy(&helper->go);
    free(helper);
}

/* NULL: there is none; then the keeper copies everything. */
static struct ouro_lazy_helper *new_helper(const struct ouro_lazy *lazy)
{
    size_t count = chunk_count(lazy);
    if (count < CHUNKS_TO_SHARE || sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return NULL;
    struct ouro_lazy_helper *helper = calloc(1, sizeof *helper + count);
    if (!helper || !(helper->copied = reserve(lazy->copied_bytes))) {
        free(helper);
        return NULL;
    }
    madvise(helper->copied, lazy->copied_bytes, MADV_HUGEPAGE);
    helper->lazy = lazy;
    sem_init(&helper->ready, 0, 0);
    sem_init(&helper->go, 0, 0);
    helper->ended = pthread_create(&helper->thread, NULL, help, helper) != 0;
    if (helper->ended) {
        free_helper(helper);
        return NULL;
    }
    return helper;
}

void ouro_lazy_rehearse(const struct ouro_image *image)
{
    struct ouro_lazy *lazy = image->lazy;
    bool helped = lazy->helper; /* since an attempt to stop that failed */
    if (!helped)
        lazy->helper = new_helper(lazy);
    for (size_t i = 0, count; i < chunk_count(lazy); i++) {
        const struct ouro_lazy_run *runs = chunk_runs(lazy, i, &count);
        read_runs(lazy, lazy->copied, runs, count);
    }
    while (!helped && lazy->helper && sem_wait(&lazy->helper->ready))
        continue; /* a signal handler of the program ran */
}

void ouro_lazy_begin(const struct ouro_image *image)
{
    if (image->lazy->helper)
        sem_post(&image->lazy->helper->go);
}

/* Whether the helper did the chunk. Otherwise it is ours now: also one that it is at and does not come to an end with. */
static bool was_helped(struct ouro_lazy_helper *helper, size_t chunk)
{
    const uint64_t now_ns = helper ? ouro_clock_ns() : 0;
    while (helper && !turn(helper, chunk, CHUNK_FREE, CHUNK_OURS)) {
        if (__atomic_load_n(&helper->chunks[chunk], __ATOMIC_ACQUIRE) == CHUNK_DONE)
            return true;
        if (ouro_clock_ns() - now_ns > PATIENCE_NS && turn(helper, chunk, CHUNK_HELPED, CHUNK_OURS))
            return false;
    }
    return false;
}

enum ouro_status ouro_lazy_copy(struct ouro_image *image, struct ouro_err *err)
{
    const struct ouro_lazy *lazy = image->lazy;
    for (size_t i = 0; i < chunk_count(lazy); i++)
        if (!was_helped(lazy->helper, i) && copy_chunk(image, i) != OURO_OK)
            return ouro_err_set(err, OURO_GONE, "process %d ended while it was read",
                                (int)ouro_process_pid(lazy->process));
    return OURO_OK;
}

enum ouro_status ouro_lazy_finish(struct ouro_image *image, struct ouro_err *err)
{
    struct ouro_lazy *lazy = image->lazy;
    end_helper(lazy->helper);
    for (size_t i = 0; i < lazy->plan.count; i++) {
        const struct ouro_lazy_run *run = &lazy->plan.items[i];
        bool helped = lazy->helper && lazy->helper->chunks[i / CHUNK_RUNS] == CHUNK_DONE;
        memcpy(image->reserve + ((size_t)run->page << OURO_PAGE_BITS),
               (helped ? lazy->helper->copied : lazy->copied) + (run->copied << OURO_PAGE_BITS),
               (size_t)run->count << OURO_PAGE_BITS);
        for (uint32_t k = 0; k < run->count; k++)
            if (image->page_addr[run->page + k] != 1 &&
                !add_page(image, run->addr + ((ouro_addr)k << OURO_PAGE_BITS), run->page + k))
                return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
    }
    drop_copied(lazy);
    image->copied_bytes = (uint64_t)lazy->pages.count << OURO_PAGE_BITS;
    return OURO_OK;
}

enum ouro_status ouro_lazy_compact(const struct ouro_image *image, struct ouro_image *compact, struct ouro_err *err)
{
    const struct ouro_lazy *lazy = image->lazy;
    size_t count = lazy->pages.count;
    memset(compact, 0, sizeof *compact);
    OURO_FREE uint32_t *pages = sorted_pages(lazy);
    compact->top = calloc(OURO_IMAGE_TOP_COUNT, sizeof *compact->top);
    compact->reserve_bytes = (count + 1) << OURO_PAGE_BITS;
    compact->reserve = reserve(compact->reserve_bytes);
    compact->page_capacity = (uint32_t)count + 1;
    compact->page_addr = reserve(compact->page_capacity * sizeof *compact->page_addr);
    if (!pages || !compact->top || !compact->reserve || !compact->page_addr)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the copy");
    compact->bytes = compact->reserve;
    compact->page_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        compact->page_addr[i] = image->page_addr[pages[i]];
        memcpy(compact->reserve + (i << OURO_PAGE_BITS), image->bytes + ((size_t)pages[i] << OURO_PAGE_BITS),
               OURO_PAGE_BYTES);
    }
    compact->copied_bytes = (uint64_t)count << OURO_PAGE_BITS;
    return ouro_image_index(compact, err);
}

void ouro_lazy_free(struct ouro_lazy *lazy)
{
    if (!lazy)
        return;
    free(lazy->items);
    free(lazy->pages.items);
    free(lazy->plan.items);
    drop_copied(lazy);
    free(lazy);
}
