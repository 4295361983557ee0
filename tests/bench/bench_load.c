/* How fast a snapshot is loaded for analysis, against the bare decompression of the same blocks by as many threads.
 *
 *     bench_load FILE [ROUNDS]
 * Prints one JSON object; the first round is not counted: it pays for memory that was never touched. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snapshot/block.h"
#include "snapshot/reader.h"
#include "snapshot/snapshot.h"

#define ROUNDS_MAX   100
#define THREAD_COUNT 2u

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status) {
        fprintf(stderr, "bench_load: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

struct share {
    const struct ouro_snapshot *snapshot;
    unsigned first;
    uint64_t raw_bytes;
};

/* Every THREAD_COUNT-th block of a column, into the same buffer again and again. */
static void *decompress(void *context)
{
    struct share *share = context;
    struct ouro_block_reader reader = {.fd = share->snapshot->fd};
    struct ouro_err err = {0};
    const unsigned char *raw;
    share->raw_bytes = 0;
    for (size_t i = share->first; i < share->snapshot->columns.count; i += THREAD_COUNT) {
        const struct ouro_block *block = &share->snapshot->columns.items[i];
        must(ouro_block_load(&reader, block, NULL, &raw, &err), &err);
        share->raw_bytes += block->raw_bytes;
    }
    ouro_block_reader_fini(&reader);
    return NULL;
}

static double decompress_all(const struct ouro_snapshot *snapshot, uint64_t *raw_bytes)
{
    struct share shares[THREAD_COUNT];
    pthread_t threads[THREAD_COUNT];
    double started = now();
    for (unsigned i = 0; i < THREAD_COUNT; i++) {
        shares[i] = (struct share){snapshot, i, 0};
        if (pthread_create(&threads[i], NULL, decompress, &shares[i])) {
            fprintf(stderr, "bench_load: no thread\n");
            exit(1);
        }
    }
    *raw_bytes = 0;
    for (unsigned i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
        *raw_bytes += shares[i].raw_bytes;
    }
    return now() - started;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_load FILE [ROUNDS]\n");
        return 2;
    }
    struct ouro_err err = {0};
    struct ouro_snapshot *snapshot;
    double load[ROUNDS_MAX + 1], bare[ROUNDS_MAX + 1];
    uint64_t raw_bytes = 0, slot_count = 0;
    must(ouro_snapshot_open(&snapshot, argv[1], 0, &err), &err);
    for (int i = 0; i <= rounds; i++) {
        struct ouro_heap heap;
        double started = now();
        must(ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, THREAD_COUNT, &err), &err);
        load[i] = now() - started;
        slot_count = heap.slot_begin[heap.count];
        ouro_heap_fini(&heap);
        bare[i] = decompress_all(snapshot, &raw_bytes);
    }
    qsort(load + 1, (size_t)rounds, sizeof *load, compare);
    qsort(bare + 1, (size_t)rounds, sizeof *bare, compare);
    printf("{\"objects\": %u, \"slots\": %llu, \"raw_bytes\": %llu, \"load_s\": %.4f, \"decompress_s\": %.4f}\n",
           ouro_snapshot_object_count(snapshot), (unsigned long long)slot_count, (unsigned long long)raw_bytes,
           load[1 + (rounds - 1) / 2], bare[1 + (rounds - 1) / 2]);
    ouro_snapshot_close(snapshot);
    return 0;
}
