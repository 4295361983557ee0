/* What a stop and a copy cost, against a bare process_vm_readv of the same pages by two threads into touched memory.
 *
 *     bench_copy PID [ROUNDS]
 * Prints one JSON object: medians in milliseconds, and their ratio. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>

#include "target/image.h"
#include "target/process.h"

#define PIECE_BYTES  (UINT64_C(1) << 20)
#define ROUNDS_MAX   100
#define THREAD_COUNT 2u
#define TIMEOUT_NS   UINT64_C(5000000000)

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status != OURO_OK) {
        fprintf(stderr, "bench_copy: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

struct piece {
    ouro_addr addr;
    uint64_t offset, size;
};

struct bare {
    pid_t pid;
    unsigned char *to;
    struct piece *pieces;
    size_t count, next; /* next: atomic */
};

/* Runs of neighbouring pages that an image holds, in pieces: what the bare copy reads. */
static void list_pieces(struct bare *bare, const struct ouro_image *image)
{
    bare->pieces = calloc(image->page_count, sizeof *bare->pieces);
    for (uint32_t i = 0; bare->pieces && i < image->page_count; i++) {
        struct piece *last = bare->count ? &bare->pieces[bare->count - 1] : NULL;
        if (last && last->addr + last->size == image->page_addr[i] && last->size < PIECE_BYTES)
            last->size += OURO_PAGE_BYTES;
        else
            bare->pieces[bare->count++] =
                (struct piece){image->page_addr[i], (uint64_t)i << OURO_PAGE_BITS, OURO_PAGE_BYTES};
    }
}

static void *copy_bare(void *argument)
{
    struct bare *bare = argument;
    for (;;) {
        size_t i = __atomic_fetch_add(&bare->next, 1, __ATOMIC_RELAXED);
        if (i >= bare->count)
            return NULL;
        struct iovec local = {bare->to + bare->pieces[i].offset, bare->pieces[i].size};
        struct iovec remote = {(void *)(uintptr_t)bare->pieces[i].addr, bare->pieces[i].size};
        if (process_vm_readv(bare->pid, &local, 1, &remote, 1, 0) < 0)
            memset(local.iov_base, 0, local.iov_len); /* read from its file, absent in the target */
    }
}

static double time_bare(struct bare *bare)
{
    pthread_t threads[THREAD_COUNT - 1];
    unsigned started = 0;
    double start = now_ms();
    bare->next = 0;
    for (unsigned i = 1; i < THREAD_COUNT; i++)
        started += pthread_create(&threads[started], NULL, copy_bare, bare) == 0;
    copy_bare(bare);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return now_ms() - start;
}

static double time_ouro(struct ouro_image *image, pid_t pid)
{
    struct ouro_err err = {0};
    struct ouro_process *process;
    const struct ouro_image_options options = {.thread_count = THREAD_COUNT};
    must(ouro_process_open(&process, pid, &err), &err);
    must(ouro_image_plan(image, process, &options, &err), &err);
    must(ouro_process_stop(process, TIMEOUT_NS, &err), &err);
    enum ouro_status status = ouro_image_copy(image, process, &options, &err);
    ouro_process_resume(process);
    must(status, &err);
    must(ouro_image_finish(image, process, &err), &err);
    double pause = (double)ouro_process_stopped_ns(process) / 1e6;
    ouro_process_close(process);
    return pause;
}

int main(int argc, char **argv)
{
    double bare_ms[ROUNDS_MAX], ouro_ms[ROUNDS_MAX];
    pid_t pid = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
    int rounds = argc > 2 ? atoi(argv[2]) : 9;
    if (pid <= 0 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_copy PID [ROUNDS]\n");
        return 2;
    }
    struct ouro_image image;
    struct bare bare = {.pid = pid};
    time_ouro(&image, pid);
    size_t size = (size_t)image.page_count << OURO_PAGE_BITS;
    list_pieces(&bare, &image);
    bare.to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!bare.pieces || bare.to == MAP_FAILED) {
        fprintf(stderr, "bench_copy: no memory\n");
        return 1;
    }
    madvise(bare.to, size, MADV_HUGEPAGE);
    memset(bare.to, 1, size);
    ouro_image_fini(&image);
    for (int i = 0; i < rounds; i++) { /* in turn, so that the machine's other load hits both */
        bare_ms[i] = time_bare(&bare);
        ouro_ms[i] = time_ouro(&image, pid);
        ouro_image_fini(&image);
    }
    double bare_median = median(bare_ms, rounds), ouro_median = median(ouro_ms, rounds);
    printf("{\"bytes\": %zu, \"runs\": %zu, \"bare_ms\": %.3f, \"pause_ms\": %.3f, \"ratio\": %.3f, \"bare_min_ms\": %.3f, \"pause_min_ms\": "
           "%.3f, \"ratio_of_minima\": %.3f}\n",
           size, bare.count, bare_median, ouro_median, ouro_median / bare_median, bare_ms[0], ouro_ms[0], ouro_ms[0] / bare_ms[0]);
    free(bare.pieces);
    munmap(bare.to, size);
    return 0;
}
