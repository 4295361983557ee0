#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not libcheck's: make_snapshot runs outside of any test. */
static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "tiny: %s\n", what);
        abort();
    }
}

void tiny_begin(struct tiny *tiny)
{
    tiny_begin_with(tiny, ouro_codec_default());
}

static void begin(struct tiny *tiny)
{
    ouro_chunk_begin(&tiny->chunk, 0);
    ouro_snapshot_writer_meta(tiny->writer, OURO_META_PYTHON, "3.11.7", 6);
    ouro_snapshot_writer_meta_u64(tiny->writer, OURO_META_PID, 4711);
}

void tiny_begin_memory(struct tiny *tiny)
{
    struct ouro_err err = {0};
    memset(tiny, 0, sizeof *tiny);
    tiny->codec = OURO_CODEC_STORED;
    require(ouro_snapshot_writer_open_memory(&tiny->writer, tiny->codec, &err) == OURO_OK, err.msg);
    begin(tiny);
}

void tiny_begin_with(struct tiny *tiny, enum ouro_codec codec)
{
    struct ouro_err err = {0};
    const char *folder = getenv("TMPDIR");
    memset(tiny, 0, sizeof *tiny);
    tiny->codec = codec;
    snprintf(tiny->path, sizeof tiny->path, "%s/ouro-tiny-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(tiny->path);
    require(fd >= 0, tiny->path);
    close(fd);
    require(ouro_snapshot_writer_open(&tiny->writer, tiny->path, true, codec, &err) == OURO_OK, err.msg);
    begin(tiny);
}

uint32_t tiny_string(struct tiny *tiny, const char *text)
{
    return ouro_snapshot_writer_string(tiny->writer, text, strlen(text));
}

uint32_t tiny_type(struct tiny *tiny, const char *module, const char *name, unsigned flags, unsigned value_kind)
{
    struct ouro_type_record type = {
        .addr = flags & OURO_TYPE_PSEUDO ? 0 : 0x1000,
        .node = OURO_NODE_NONE,
        .name = tiny_string(tiny, name),
        .module = tiny_string(tiny, module),
        .flags = flags,
        .value_kind = value_kind,
        .basicsize = 16,
        .base = UINT32_MAX,
    };
    return ouro_snapshot_writer_type(tiny->writer, &type);
}

uint32_t tiny_shape(struct tiny *tiny, uint32_t type, const struct ouro_part *parts)
{
    uint32_t count = 0;
    while (parts[count].kind != OURO_PART_KIND_COUNT)
        count++;
    uint32_t shape = ouro_snapshot_writer_shape(tiny->writer, type, parts, count);
    require(shape < sizeof tiny->shapes / sizeof *tiny->shapes && count <= 32, "too many shapes or parts");
    memcpy(tiny->shapes[shape].parts, parts, count * sizeof *parts);
    tiny->shapes[shape].part_count = count;
    return shape;
}

/* Counts and slots of the last object, as its parts want them. */
static void finish_object(struct tiny *tiny)
{
    const struct tiny_shape *shape = &tiny->shapes[tiny->shape];
    ouro_node node = tiny->next - 1;
    size_t slot = 0;
    unsigned run = 0;
    for (uint32_t i = 0; tiny->next && i < shape->part_count; i++) {
        unsigned kind = shape->parts[i].kind, width = ouro_part_width(kind);
        bool repeats = ouro_part_repeats(kind);
        if (kind == OURO_PART_TYPE)
            continue;
        uint64_t items = !repeats ? 1 : run < tiny->count_count ? tiny->counts[run++] : 0;
        if (repeats)
            ouro_chunk_run(&tiny->chunk, node, width);
        for (uint64_t k = 0; k < items * width; k++, slot++)
            ouro_chunk_slot(&tiny->chunk, node, slot < tiny->slot_count ? tiny->slots[slot] : OURO_NODE_NONE);
        if (repeats)
            ouro_chunk_part_count(&tiny->chunk, items);
    }
    require(slot >= tiny->slot_count && run == tiny->count_count, "slots or counts that the shape has no place for");
    tiny->slot_count = tiny->count_count = 0;
}

/* What the chunk holds goes to the file. */
static void append(struct tiny *tiny)
{
    struct ouro_blocks blocks = {0};
    struct ouro_err err = {0};
    require(!ouro_chunk_failed(&tiny->chunk), "out of memory");
    require(ouro_blocks_add_chunk(&blocks, &tiny->chunk, tiny->codec) == OURO_OK, "no blocks");
    require(ouro_snapshot_writer_append(tiny->writer, &blocks, &err) == OURO_OK, err.msg);
    ouro_blocks_fini(&blocks);
}

ouro_node tiny_object_at(struct tiny *tiny, ouro_addr addr, uint32_t shape, uint64_t size, uint64_t native, uint64_t refcount,
                         unsigned flags, uint64_t interp)
{
    finish_object(tiny);
    if (tiny->chunk.count == OURO_CHUNK_OBJECTS) {
        append(tiny);
        ouro_chunk_begin(&tiny->chunk, tiny->next);
    }
    tiny->shape = shape;
    ouro_chunk_object(&tiny->chunk, addr, shape, size, native, refcount, flags, interp);
    return tiny->next++;
}

ouro_node tiny_object_of(struct tiny *tiny, uint32_t shape, uint64_t size, uint64_t native, uint64_t refcount,
                         unsigned flags, uint64_t interp)
{
    ouro_addr addr = flags & OURO_OBJECT_PSEUDO ? OURO_PSEUDO_BASE + 8 * tiny->next : TINY_BASE + 16 * tiny->next;
    return tiny_object_at(tiny, addr, shape, size, native, refcount, flags, interp);
}

ouro_node tiny_object(struct tiny *tiny, uint32_t shape, uint64_t size, uint64_t refcount, unsigned flags)
{
    return tiny_object_of(tiny, shape, size, 0, refcount, flags, 0);
}

void tiny_count(struct tiny *tiny, uint64_t count)
{
    require(tiny->count_count < sizeof tiny->counts / sizeof *tiny->counts, "too many counts");
    tiny->counts[tiny->count_count++] = count;
}

void tiny_slots(struct tiny *tiny, const ouro_node *slots, size_t count)
{
    require(count <= sizeof tiny->slots / sizeof *tiny->slots - tiny->slot_count, "too many slots");
    memcpy(tiny->slots + tiny->slot_count, slots, count * sizeof *slots);
    tiny->slot_count += count;
}

void tiny_value(struct tiny *tiny, const void *bytes, size_t size)
{
    ouro_chunk_value(&tiny->chunk, bytes, size);
}

void tiny_commit(struct tiny *tiny)
{
    struct ouro_err err = {0};
    uint64_t file_bytes;
    finish_object(tiny);
    append(tiny);
    require(ouro_snapshot_writer_commit(tiny->writer, &file_bytes, &err) == OURO_OK, err.msg);
    tiny->fd = tiny->path[0] ? -1 : ouro_snapshot_writer_take_fd(tiny->writer);
    ouro_snapshot_writer_close(tiny->writer);
    ouro_chunk_fini(&tiny->chunk);
    tiny->writer = NULL;
}

void tiny_open(struct tiny *tiny, struct ouro_heap_model *model)
{
    struct ouro_err err = {0};
    tiny_commit(tiny);
    require((tiny->path[0] ? ouro_heap_model_open(model, tiny->path, 0, &err)
                           : ouro_heap_model_open_fd(model, tiny->fd, &err)) == OURO_OK, err.msg);
    require(ouro_heap_model_load(model, OURO_HEAP_ALL, &err) == OURO_OK, err.msg);
}

void tiny_end(struct tiny *tiny)
{
    if (tiny->path[0])
        unlink(tiny->path);
}
