/* How fast a snapshot is written and loaded: a synthetic heap with 3.4 references an object, in the mix of sizes and
 * distances that real ones have. Prints one figure a line; nothing is judged here.
 *
 *     bench_snapshot FILE [OBJECTS [CODEC [VALUES]]] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snapshot/block.h"
#include "snapshot/reader.h"
#include "snapshot/snapshot.h"

static uint64_t state = 88172645463325252u;

static uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static double clock_seconds(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double now(void)
{
    return clock_seconds(CLOCK_MONOTONIC);
}

/* Tells more than the wall clock on a machine that has other things to do. */
static double cpu(void)
{
    return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status) {
        fprintf(stderr, "bench_snapshot: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

#define SHAPES 2000u

static void add_shapes(struct ouro_snapshot_writer *writer)
{
    for (uint32_t i = 0; i < SHAPES; i++) {
        char name[32];
        int size = snprintf(name, sizeof name, "Type%u", i);
        struct ouro_type_record type = {.addr = 0x10000 + 16 * i, .node = i, .base = UINT32_MAX};
        type.name = ouro_snapshot_writer_string(writer, name, (size_t)size);
        uint32_t number = ouro_snapshot_writer_type(writer, &type);
        struct ouro_part parts[8] = {0};
        uint32_t count = 0;
        if (i % 4 == 0)
            parts[count++].kind = OURO_PART_ITEMS_DOWN;
        for (uint32_t j = 0; j < i % 4; j++)
            parts[count++].kind = OURO_PART_FIELD;
        if (i % 2)
            parts[count++].kind = OURO_PART_TYPE;
        ouro_snapshot_writer_shape(writer, number, parts, count);
    }
}

/* Near ones mostly, as an allocator gives them; some to a few favourites (types, None, small ints), some anywhere. */
static ouro_node target(ouro_node node, ouro_node count)
{
    uint64_t r = random_u64();
    if (r % 16 < 9)
        return (ouro_node)((node + (r >> 8) % 512 + count - 256) % count);
    return r % 16 < 12 ? (ouro_node)((r >> 8) % 300 % count) : (ouro_node)((r >> 8) % count);
}

static uint64_t write_file(const char *path, ouro_node count, enum ouro_codec codec, bool values)
{
    struct ouro_snapshot_writer *writer;
    struct ouro_err err = {0};
    struct ouro_chunk chunk = {0};
    struct ouro_blocks blocks = {0};
    uint64_t edges = 0, bytes = 0;
    double encode = 0, compress = 0, started = now();
    ouro_addr addr = 0x7f0000000000;
    must(ouro_snapshot_writer_open(&writer, path, true, codec, &err), &err);
    add_shapes(writer);
    for (ouro_node first = 0; first < count; first += chunk.count) {
        double begin = now();
        ouro_chunk_begin(&chunk, first);
        for (ouro_node node = first; node < count && node - first < OURO_CHUNK_OBJECTS; node++) {
            uint64_t r = random_u64();
            uint32_t shape = (uint32_t)(r % 8 ? (r >> 8) % 40 : (r >> 8) % SHAPES);
            uint32_t items = (uint32_t)((r >> 40) % 13), slots = shape % 4 ? shape % 4 : items;
            addr += 16 * (1 + (r >> 20) % 8);
            ouro_chunk_object(&chunk, addr, shape, 56 + 8 * slots, 0, 1 + (r >> 30) % 3, 3 | (values ? 8 : 0), 0);
            if (shape % 4 == 0)
                ouro_chunk_run(&chunk, node, 1);
            for (uint32_t i = 0; i < slots; i++)
                ouro_chunk_slot(&chunk, node, target(node, count));
            if (shape % 4 == 0)
                ouro_chunk_part_count(&chunk, items);
            edges += slots + shape % 2;
            if (values)
                ouro_chunk_value(&chunk, &"attribute_name_0123"[r % 10], 9);
        }
        double middle = now();
        must(ouro_blocks_add_chunk(&blocks, &chunk, codec), &err);
        for (unsigned i = 0; i < OURO_COLUMN_COUNT; i++)
            bytes += chunk.columns[i].size;
        encode += middle - begin;
        compress += now() - middle;
        must(ouro_snapshot_writer_append(writer, &blocks, &err), &err);
    }
    uint64_t file_bytes;
    must(ouro_snapshot_writer_commit(writer, &file_bytes, &err), &err);
    ouro_snapshot_writer_close(writer);
    ouro_chunk_fini(&chunk);
    ouro_blocks_fini(&blocks);
    printf("objects            %u\nreferences         %llu (%.2f per object)\n", count, (unsigned long long)edges,
           (double)edges / count);
    printf("raw                %.2f bytes per object\nfile               %.2f bytes per object, %llu bytes\n",
           (double)bytes / count, (double)file_bytes / count, (unsigned long long)file_bytes);
    printf("encode             %.1f M objects/s (with making them up)\n", count / encode / 1e6);
    printf("compress, 1 thread %.1f M objects/s, %.0f MB/s\n", count / compress / 1e6, (double)bytes / compress / 1e6);
    printf("write in all       %.2f s\n", now() - started);
    return bytes;
}

static void decompress_all(const struct ouro_snapshot *snapshot)
{
    struct ouro_block_reader reader = {.fd = snapshot->fd};
    struct ouro_err err;
    const unsigned char *raw;
    for (size_t i = 0; i < snapshot->blocks.count; i++)
        must(ouro_block_load(&reader, &snapshot->blocks.items[i], NULL, &raw, &err), &err);
    ouro_block_reader_fini(&reader);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_snapshot FILE [OBJECTS [CODEC [VALUES]]]\n");
        return 2;
    }
    ouro_node count = argc > 2 ? (ouro_node)strtoul(argv[2], NULL, 10) : 5000000;
    enum ouro_codec codec = argc > 3 ? (enum ouro_codec)atoi(argv[3]) : ouro_codec_default();
    write_file(argv[1], count, codec, argc > 4 && atoi(argv[4]));
    struct ouro_err err = {0};
    struct ouro_snapshot *snapshot;
    for (int round = 0; round < 3; round++) {
        double begin = now();
        must(ouro_snapshot_open(&snapshot, argv[1], 0, &err), &err);
        double opened = now();
        double used = cpu();
        decompress_all(snapshot);
        printf("open               %.4f s\nread + decompress  %.3f s, 1 thread, %.3f s of CPU\n", opened - begin,
               now() - opened, cpu() - used);
        for (unsigned threads = 1; threads <= 2; threads++) {
            struct ouro_heap heap;
            begin = now();
            used = cpu();
            must(ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, threads, &err), &err);
            double seconds = now() - begin;
            printf("load, %u threads    %.3f s: %.1f M objects/s, %.1f M references/s, %.3f s of CPU\n", threads,
                   seconds, count / seconds / 1e6, (double)heap.slot_begin[count] / seconds / 1e6, cpu() - used);
            ouro_heap_fini(&heap);
        }
        ouro_snapshot_close(snapshot);
    }
    return 0;
}
