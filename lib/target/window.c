#include "target/window.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/image_files.h"

#define CHUNK_PAGES    32u /* 128 KiB: reading less is slower, reading more reads more in vain */
#define CHUNKS_LEAST   32u /* of a small window: an instruction can touch four, a thread has some at work */
#define CHUNKS_MOST    8192u /* each may be two of the 65530 mappings that a process may have */
#define CHUNK_PAGES_LEAST 4u
#define PACE_FAULTS    8u
#define READ_RUNS      64u
#define WINDOWS_MAX    4u
#define NONE           UINT32_MAX

enum state { ABSENT, LOADING, YOUNG, OLD };

/* Chunks of one age, the oldest first. */
struct queue {
    uint32_t first, last, count;
};

struct ouro_window {
    struct ouro_image *image; /* borrowed; it owns us */
    pid_t source;
    unsigned char *start; /* of the image's bytes */
    size_t size, chunk_bytes;
    unsigned chunk_bits;
    uint32_t chunk_count, capacity; /* capacity: of those that may be there */
    pthread_mutex_t lock;           /* around the rest */
    struct chunk {
        uint32_t previous, next;
        uint8_t state; /* atomic for who only looks */
    } *chunks; /* owned */
    struct queue young, old;
    uint32_t there; /* loading ones too; atomic for who only looks */
    uint64_t load_count;
    uint64_t *from_file, *unreadable; /* owned: a bit a page; unreadable ones are atomic */
    uint64_t unreadable_bytes;        /* atomic */
    bool gone, out_of_memory;         /* atomic */
    void (*pace)(void *context, size_t more); /* may be NULL */
    void *pace_context;
    unsigned fault_count; /* atomic */
};

/* Faults are of the whole process, and so is this. */
static struct ouro_window *windows[WINDOWS_MAX]; /* atomic */
static bool allowed; /* atomic */

static void push(struct ouro_window *window, struct queue *queue, uint32_t chunk)
{
    window->chunks[chunk].previous = queue->last;
    window->chunks[chunk].next = NONE;
    if (queue->last == NONE)
        queue->first = chunk;
    else
        window->chunks[queue->last].next = chunk;
    queue->last = chunk;
    queue->count++;
}

static void take(struct ouro_window *window, struct queue *queue, uint32_t chunk)
{
    const struct chunk *taken = &window->chunks[chunk];
    if (taken->previous == NONE)
        queue->first = taken->next;
    else
        window->chunks[taken->previous].next = taken->next;
    if (taken->next == NONE)
        queue->last = taken->previous;
    else
        window->chunks[taken->next].previous = taken->previous;
    queue->count--;
}

static void set_state(struct ouro_window *window, uint32_t chunk, enum state state)
{
    __atomic_store_n(&window->chunks[chunk].state, (uint8_t)state, __ATOMIC_RELAXED);
}

static unsigned char *place_of(const struct ouro_window *window, uint32_t chunk)
{
    return window->start + (size_t)chunk * window->chunk_bytes;
}

static size_t size_of(const struct ouro_window *window, uint32_t chunk)
{
    size_t left = window->size - (size_t)chunk * window->chunk_bytes;
    return left < window->chunk_bytes ? left : window->chunk_bytes;
}

/* Keeps about a third old. What can't be made inaccessible stays young, behind the others. */
static void age(struct ouro_window *window)
{
    while (window->young.count > 2 * window->old.count + 2) {
        uint32_t chunk = window->young.first;
        take(window, &window->young, chunk);
        if (mprotect(place_of(window, chunk), size_of(window, chunk), PROT_NONE)) {
            push(window, &window->young, chunk);
            return;
        }
        set_state(window, chunk, OLD);
        push(window, &window->old, chunk);
    }
}

/* Forgets the oldest chunk; false: there is none. */
static bool forget_one(struct ouro_window *window)
{
    struct queue *queue = window->old.count ? &window->old : &window->young;
    uint32_t chunk = queue->first;
    if (!queue->count)
        return false;
    take(window, queue, chunk);
    if (mmap(place_of(window, chunk), size_of(window, chunk), PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
        push(window, queue, chunk);
        return false;
    }
    set_state(window, chunk, ABSENT);
    __atomic_store_n(&window->there, window->there - 1, __ATOMIC_RELAXED);
    return true;
}

static bool is_set(const uint64_t *bits, uint32_t page)
{
    return bits && bits[page >> 6] >> (page & 63) & 1;
}

static void give_up_page(struct ouro_window *window, uint32_t page, unsigned char *to)
{
    uint64_t mask = UINT64_C(1) << (page & 63);
    memset(to, 0, OURO_PAGE_BYTES);
    if (!(__atomic_fetch_or(&window->unreadable[page >> 6], mask, __ATOMIC_RELAXED) & mask))
        __atomic_fetch_add(&window->unreadable_bytes, OURO_PAGE_BYTES, __ATOMIC_RELAXED);
}

/* A page that nobody wrote to is what its file says; behind the end of the file it holds zeroes. */
static void read_from_file(struct ouro_window *window, uint32_t page, unsigned char *to)
{
    const struct ouro_image *image = window->image;
    ouro_addr addr = image->page_addr[page];
    const struct ouro_mapping *mapping = ouro_maps_find(&image->maps, addr);
    int fd = mapping ? ouro_image_files_find(image->files, mapping) : -1;
    ssize_t got = fd < 0 ? -1 : pread(fd, to, OURO_PAGE_BYTES, (off_t)(mapping->offset + (addr - mapping->start)));
    if (got > 0)
        memset(to + got, 0, OURO_PAGE_BYTES - (size_t)got);
    else
        give_up_page(window, page, to);
}

static ssize_t read_source(struct ouro_window *window, void *to, size_t size, const struct iovec *remote, size_t count)
{
    struct iovec local = {to, size};
    if (__atomic_load_n(&window->gone, __ATOMIC_RELAXED))
        return -1;
    ssize_t got = process_vm_readv(window->source, &local, 1, remote, count, 0);
    if (got < 0 && errno == ESRCH)
        __atomic_store_n(&window->gone, true, __ATOMIC_RELAXED);
    return got;
}

/* Pages [first, end), none from a file: in one call, and page by page where that stops short. */
static void read_pages(struct ouro_window *window, uint32_t first, uint32_t end, unsigned char *to)
{
    const ouro_addr *addr = window->image->page_addr;
    while (first < end) {
        struct iovec remote[READ_RUNS];
        size_t count = 0;
        uint32_t behind = first;
        for (; behind < end; behind++) {
            if (count && addr[behind] == addr[behind - 1] + OURO_PAGE_BYTES)
                remote[count - 1].iov_len += OURO_PAGE_BYTES;
            else if (count < READ_RUNS)
                remote[count++] = (struct iovec){(void *)(uintptr_t)addr[behind], OURO_PAGE_BYTES};
            else
                break;
        }
        ssize_t got = read_source(window, to, (size_t)(behind - first) << OURO_PAGE_BITS, remote, count);
        uint32_t done = got < 0 ? 0 : (uint32_t)((size_t)got >> OURO_PAGE_BITS);
        to += (size_t)done << OURO_PAGE_BITS;
        for (first += done; first < behind; first++, to += OURO_PAGE_BYTES) {
            struct iovec one = {(void *)(uintptr_t)addr[first], OURO_PAGE_BYTES};
            if (read_source(window, to, OURO_PAGE_BYTES, &one, 1) != (ssize_t)OURO_PAGE_BYTES)
                give_up_page(window, first, to);
        }
    }
}

/* Few ranges, if any. NULL: it was not read before. */
static const unsigned char *find_kept(const struct ouro_window *window, uint32_t page)
{
    const struct ouro_image *image = window->image;
    ouro_addr addr = image->page_addr[page];
    for (size_t i = 0; i < image->kept_count; i++)
        if (addr >= image->kept[i].start && addr < image->kept[i].end)
            return image->kept[i].bytes + (addr - image->kept[i].start);
    return NULL;
}

static void fill(struct ouro_window *window, uint32_t chunk, unsigned char *to)
{
    uint32_t first = (uint32_t)((size_t)chunk * window->chunk_bytes >> OURO_PAGE_BITS);
    uint32_t end = first + (uint32_t)(size_of(window, chunk) >> OURO_PAGE_BITS);
    for (uint32_t i = first; i < end;) {
        uint32_t behind = i;
        const unsigned char *kept = NULL;
        while (behind < end && !is_set(window->from_file, behind) && !(kept = find_kept(window, behind)))
            behind++;
        read_pages(window, i, behind, to + ((size_t)(i - first) << OURO_PAGE_BITS));
        i = behind;
        if (kept)
            memcpy(to + ((size_t)(i++ - first) << OURO_PAGE_BITS), kept, OURO_PAGE_BYTES);
        for (; i < end && is_set(window->from_file, i); i++)
            read_from_file(window, i, to + ((size_t)(i - first) << OURO_PAGE_BITS));
    }
}

static void *map_scratch(size_t size)
{
    void *scratch =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
    return scratch == MAP_FAILED ? NULL : scratch;
}

/* The lock is held, but not while it reads. */
static bool load(struct ouro_window *window, uint32_t chunk)
{
    size_t size = size_of(window, chunk);
    set_state(window, chunk, LOADING);
    while (window->there >= window->capacity && forget_one(window))
        continue;
    __atomic_store_n(&window->there, window->there + 1, __ATOMIC_RELAXED);
    window->load_count++;
    void *scratch = map_scratch(size);
    while (!scratch && forget_one(window))
        scratch = map_scratch(size);
    if (scratch) {
        pthread_mutex_unlock(&window->lock);
        fill(window, chunk, scratch);
        pthread_mutex_lock(&window->lock);
    }
    bool there = scratch && mremap(scratch, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place_of(window, chunk)) != MAP_FAILED;
    if (!there) { /* zeroes instead, and whoever checks is told */
        if (scratch)
            munmap(scratch, size);
        __atomic_store_n(&window->out_of_memory, true, __ATOMIC_RELAXED);
        there = mprotect(place_of(window, chunk), size, PROT_READ | PROT_WRITE) == 0;
    }
    set_state(window, chunk, there ? YOUNG : ABSENT);
    if (there)
        push(window, &window->young, chunk);
    else
        __atomic_store_n(&window->there, window->there - 1, __ATOMIC_RELAXED);
    age(window);
    return there;
}

/* What was touched may be touched again, or false. */
static bool bring(struct ouro_window *window, uint32_t chunk)
{
    bool there = true;
    if (window->pace && __atomic_fetch_add(&window->fault_count, 1, __ATOMIC_RELAXED) % PACE_FAULTS == 0)
        window->pace(window->pace_context, 0);
    pthread_mutex_lock(&window->lock);
    while (window->chunks[chunk].state == LOADING) { /* by another thread */
        pthread_mutex_unlock(&window->lock);
        sched_yield();
        pthread_mutex_lock(&window->lock);
    }
    if (window->chunks[chunk].state == OLD) {
        there = mprotect(place_of(window, chunk), size_of(window, chunk), PROT_READ | PROT_WRITE) == 0;
        take(window, &window->old, chunk);
        set_state(window, chunk, YOUNG);
        push(window, &window->young, chunk);
        age(window);
    } else if (window->chunks[chunk].state == ABSENT) {
        there = load(window, chunk);
    }
    pthread_mutex_unlock(&window->lock);
    return there;
}

bool ouro_window_bring(const void *touched)
{
    const unsigned char *address = touched;
    for (unsigned i = 0; i < WINDOWS_MAX; i++) {
        struct ouro_window *window = __atomic_load_n(&windows[i], __ATOMIC_ACQUIRE);
        if (window && address >= window->start && address < window->start + window->size)
            return bring(window, (uint32_t)((size_t)(address - window->start) / window->chunk_bytes));
    }
    return false;
}

void ouro_window_allow(void)
{
    __atomic_store_n(&allowed, true, __ATOMIC_RELEASE);
}

bool ouro_window_is_possible(void)
{
    return __atomic_load_n(&allowed, __ATOMIC_ACQUIRE);
}

static void measure(struct ouro_window *window, size_t bytes)
{
    size_t capacity = bytes / window->chunk_bytes;
    window->capacity = capacity < CHUNKS_LEAST ? CHUNKS_LEAST : capacity > 2 * CHUNKS_MOST ? 2 * CHUNKS_MOST : (uint32_t)capacity;
}

static size_t chunk_bytes_for(size_t bytes)
{
    size_t chunk = CHUNK_PAGES * OURO_PAGE_BYTES;
    while (bytes / chunk > CHUNKS_MOST)
        chunk *= 2;
    while (bytes / chunk < 2 * CHUNKS_LEAST && chunk > CHUNK_PAGES_LEAST * OURO_PAGE_BYTES)
        chunk /= 2;
    return chunk;
}

static bool enlist(struct ouro_window *window)
{
    for (unsigned i = 0; i < WINDOWS_MAX; i++) {
        struct ouro_window *none = NULL;
        if (__atomic_compare_exchange_n(&windows[i], &none, window, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

enum ouro_status ouro_window_open(struct ouro_image *image, pid_t source, size_t bytes, uint64_t *from_file,
                                  struct ouro_err *err)
{
    struct ouro_window *window = calloc(1, sizeof *window);
    if (!window) {
        free(from_file);
        return ouro_err_set(err, OURO_NOMEM, "no memory for a window");
    }
    image->window = window;
    pthread_mutex_init(&window->lock, NULL);
    window->image = image;
    window->source = source;
    window->from_file = from_file;
    window->start = image->reserve;
    window->size = (size_t)image->page_count << OURO_PAGE_BITS;
    window->chunk_bytes = chunk_bytes_for(bytes);
    window->chunk_bits = (unsigned)__builtin_ctzl(window->chunk_bytes);
    window->chunk_count = (uint32_t)((window->size + window->chunk_bytes - 1) / window->chunk_bytes);
    window->young = window->old = (struct queue){NONE, NONE, 0};
    measure(window, bytes);
    window->chunks = calloc((size_t)window->chunk_count + 1, sizeof *window->chunks);
    window->unreadable = calloc((size_t)image->page_count / 64 + 1, sizeof *window->unreadable);
    if (!window->chunks || !window->unreadable)
        return ouro_err_set(err, OURO_NOMEM, "no memory for a window");
    if (!ouro_window_is_possible())
        return ouro_err_set(err, OURO_UNSUPPORTED, "nobody catches the faults of a window");
    return enlist(window) ? OURO_OK : ouro_err_set(err, OURO_LIMIT, "too many windows are open");
}

void ouro_window_close(struct ouro_window *window)
{
    if (!window)
        return;
    for (unsigned i = 0; i < WINDOWS_MAX; i++) {
        struct ouro_window *ours = window;
        __atomic_compare_exchange_n(&windows[i], &ours, NULL, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    pthread_mutex_destroy(&window->lock);
    free(window->chunks);
    free(window->from_file);
    free(window->unreadable);
    free(window);
}

void ouro_window_set_pace(struct ouro_window *window, void (*pace)(void *context, size_t more), void *context)
{
    window->pace = pace;
    window->pace_context = context;
}

void ouro_window_make_room(struct ouro_window *window, size_t bytes)
{
    if (window && window->pace)
        window->pace(window->pace_context, bytes);
}

void ouro_window_resize(struct ouro_window *window, size_t bytes)
{
    pthread_mutex_lock(&window->lock);
    measure(window, bytes);
    while (window->there > window->capacity && forget_one(window))
        continue;
    pthread_mutex_unlock(&window->lock);
}

bool ouro_window_has(const struct ouro_window *window, uint64_t offset)
{
    return __atomic_load_n(&window->chunks[offset >> window->chunk_bits].state, __ATOMIC_RELAXED) >= YOUNG;
}

size_t ouro_window_there_bytes(const struct ouro_window *window)
{
    return (size_t)__atomic_load_n(&window->there, __ATOMIC_RELAXED) * window->chunk_bytes;
}

bool ouro_window_failed(const struct ouro_window *window)
{
    return window && (__atomic_load_n(&window->gone, __ATOMIC_RELAXED) ||
                      __atomic_load_n(&window->out_of_memory, __ATOMIC_RELAXED));
}

/* It may have ended unnoticed, when nothing was asked for since. */
static void probe(struct ouro_window *window)
{
    unsigned char byte;
    const struct iovec remote = {(void *)(uintptr_t)window->image->page_addr[0], 1};
    if (window->image->page_count)
        read_source(window, &byte, 1, &remote, 1);
}

enum ouro_status ouro_window_check(struct ouro_window *window, struct ouro_err *err)
{
    if (!window)
        return OURO_OK;
    probe(window);
    if (!ouro_window_failed(window))
        return OURO_OK;
    if (__atomic_load_n(&window->gone, __ATOMIC_RELAXED))
        return ouro_err_set(err, OURO_GONE, "process %d ended while it was read", (int)window->source);
    return ouro_err_set(err, OURO_NOMEM, "no memory for the pages that are read at a time");
}

uint64_t ouro_window_unreadable_bytes(const struct ouro_window *window)
{
    return __atomic_load_n(&window->unreadable_bytes, __ATOMIC_RELAXED);
}

uint64_t ouro_window_load_count(const struct ouro_window *window)
{
    return window->load_count;
}

size_t ouro_window_chunk_bytes(const struct ouro_window *window)
{
    return window->chunk_bytes;
}
