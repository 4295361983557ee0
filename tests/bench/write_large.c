/* Writes a made-up snapshot of any size without holding a heap as large.
 *
 *     write_large FILE MILLIONS_OF_NODES
 * 3.2 references a node. Blocks of a thousand nodes hang at one root; each is a binary tree, most of whose inner nodes
 * also refer to another of the block, and most of whose outer ones to four: nine of ten within the block, most others
 * near, one in a hundred anywhere before, so that most nodes are in one large cycle, and a larger snapshot is a smaller one that
 * grew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/writer.h"

#define BLOCK 1000u
#define BASE  UINT64_C(0x7f0000000000)

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status) {
        fprintf(stderr, "write_large: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

/* The targets of node v of n, n a multiple of BLOCK; how many. */
static unsigned targets_of(ouro_node v, ouro_node n, ouro_node targets[4])
{
    ouro_node place = v % BLOCK, start = v - place;
    unsigned count = 0;
    uint64_t dice = mixed(v);
    for (ouro_node child = 2 * place + 1; child <= 2 * place + 2; child++)
        if (child < BLOCK)
            targets[count++] = start + child;
    if (count && v % 8) {
        targets[count++] = start + (ouro_node)(dice >> 8) % BLOCK;
    } else if (!count && v % 8) {
        for (int i = 0; i < 4; i++, dice = mixed(dice)) {
            unsigned where = dice % 100;
            uint64_t reach = where < 90 ? BLOCK : where < 99 ? 1000 * BLOCK : start + BLOCK;
            uint64_t from = where < 90 ? start : where < 99 ? (start > reach / 2 ? start - reach / 2 : 0) : 0;
            targets[count++] = (ouro_node)((from + (dice >> 8) % reach) % n);
        }
    }
    return count;
}

struct output {
    struct ouro_snapshot_writer *writer;
    struct ouro_chunk chunk;
    struct ouro_blocks blocks;
    ouro_node next;
};

static void flush_chunk(struct output *out)
{
    struct ouro_err err = {0};
    must(ouro_chunk_failed(&out->chunk) ? OURO_NOMEM : OURO_OK, &err);
    must(ouro_blocks_add_chunk(&out->blocks, &out->chunk, ouro_codec_default()), &err);
    must(ouro_snapshot_writer_append(out->writer, &out->blocks, &err), &err);
    ouro_chunk_begin(&out->chunk, out->next);
}

static void add(struct output *out, ouro_addr addr, uint32_t shape, uint64_t size, uint64_t refcount, uint32_t flags)
{
    if (out->chunk.count == OURO_CHUNK_OBJECTS)
        flush_chunk(out);
    ouro_chunk_object(&out->chunk, addr, shape, size, 0, refcount, flags, 0);
    out->next++;
}

static uint32_t add_shape(struct ouro_snapshot_writer *writer, const char *name, unsigned flags, unsigned kind)
{
    struct ouro_type_record type = {
        .addr = flags & OURO_TYPE_PSEUDO ? 0 : BASE - 4096,
        .node = OURO_NODE_NONE,
        .name = ouro_snapshot_writer_string(writer, name, strlen(name)),
        .flags = flags,
        .basicsize = 40,
        .base = UINT32_MAX,
    };
    struct ouro_part part = {.kind = (uint8_t)kind, .name = ouro_snapshot_writer_string(writer, "held", 4)};
    return ouro_snapshot_writer_shape(writer, ouro_snapshot_writer_type(writer, &type), &part, 1);
}

static void write_nodes(struct output *out, ouro_node n, const uint8_t *counts, uint32_t shape)
{
    for (ouro_node v = 0; v < n; v++) {
        ouro_node targets[4];
        unsigned count = targets_of(v, n, targets);
        add(out, BASE + 48 * (uint64_t)v, shape, 40 + 8 * count, counts[v], 3);
        ouro_chunk_run(&out->chunk, v, 1);
        for (unsigned i = 0; i < count; i++)
            ouro_chunk_slot(&out->chunk, v, targets[i]);
        ouro_chunk_part_count(&out->chunk, count);
    }
}

static void write_root(struct output *out, ouro_node n, uint32_t shape)
{
    add(out, OURO_PSEUDO_BASE, shape, 0, 0, OURO_OBJECT_PSEUDO);
    ouro_chunk_run(&out->chunk, n, 1);
    for (ouro_node v = 0; v < n; v += BLOCK)
        ouro_chunk_slot(&out->chunk, n, v);
    ouro_chunk_part_count(&out->chunk, n / BLOCK);
}

int main(int argc, char **argv)
{
    double millions = argc == 3 ? atof(argv[2]) : 0;
    if (millions < 0.001 || millions > 4000) {
        fprintf(stderr, "usage: write_large FILE MILLIONS_OF_NODES\n");
        return 2;
    }
    struct ouro_err err = {0};
    struct output out = {0};
    ouro_node n = (ouro_node)(millions * 1e6) / BLOCK * BLOCK, targets[4];
    uint64_t edges = 0;
    uint8_t *counts = calloc(n, 1); /* the reference counts; none comes near 255 */
    must(counts ? OURO_OK : OURO_NOMEM, &err);
    for (ouro_node v = 0; v < n; v++) {
        unsigned count = targets_of(v, n, targets);
        edges += count;
        for (unsigned i = 0; i < count; i++)
            counts[targets[i]]++;
        counts[v] += v % BLOCK == 0;
    }
    must(ouro_snapshot_writer_open(&out.writer, argv[1], true, ouro_codec_default(), &err), &err);
    ouro_snapshot_writer_meta(out.writer, OURO_META_PYTHON, "3.11.7", 6);
    uint32_t node = add_shape(out.writer, "Node", OURO_TYPE_GC, OURO_PART_ITEMS);
    uint32_t root = add_shape(out.writer, "<root>", OURO_TYPE_PSEUDO, OURO_PART_ITEMS);
    ouro_chunk_begin(&out.chunk, 0);
    write_nodes(&out, n, counts, node);
    write_root(&out, n, root);
    flush_chunk(&out);
    must(ouro_snapshot_writer_commit(out.writer, NULL, &err), &err);
    ouro_snapshot_writer_close(out.writer);
    ouro_blocks_fini(&out.blocks);
    ouro_chunk_fini(&out.chunk);
    free(counts);
    printf("{\"nodes\": %lu, \"edges\": %llu}\n", (unsigned long)n, (unsigned long long)edges);
    return 0;
}
