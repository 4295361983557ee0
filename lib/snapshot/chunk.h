/* Columns of a run of consecutive objects, encoded one object after the other.
 *
 * A chunk holds at most OURO_CHUNK_OBJECTS objects. Workers fill chunks side by side; a finished chunk is independent of
 * all others, becomes blocks (ouro_blocks_add_chunk) and is appended to the file in the order of its objects.
 * The adders are inline: they run once for every edge of a heap. */
#ifndef OURO_SNAPSHOT_CHUNK_H
#define OURO_SNAPSHOT_CHUNK_H

#include "base/buf.h"
#include "base/varint.h"
#include "snapshot/schema.h"

#define OURO_CHUNK_OBJECTS 65536u

enum ouro_column {
    OURO_COLUMN_ADDR,     /* varint((addr - previous) / 8), previous starts at 0 in each chunk; addresses are 8-aligned */
    OURO_COLUMN_SHAPE,    /* varint(shape) */
    OURO_COLUMN_SIZE,     /* varint(bytes) */
    OURO_COLUMN_REFCOUNT, /* varint(count), 0 for immortal objects */
    OURO_COLUMN_FLAGS,    /* varint(enum ouro_object_flag) */
    OURO_COLUMN_COUNTS,   /* for each repeated part of the shape: varint(n) */
    OURO_COLUMN_EDGES,    /* for each stored slot: varint(0) if empty, else varint(1 + zigzag(target - base)); base: below */
    OURO_COLUMN_NATIVE,   /* varint(bytes) */
    OURO_COLUMN_INTERP,   /* varint(interpreter's id) */
    OURO_COLUMN_VALUE_SIZES, /* for each object with OURO_OBJECT_VALUE: varint(bytes) */
    OURO_COLUMN_VALUES,   /* the bytes of those values, one after the other */
    OURO_COLUMN_COUNT
};

struct ouro_chunk {
    ouro_node first;                         /* number of its first object */
    uint32_t count;                          /* objects so far */
    ouro_addr last_addr;
    uint64_t slot_count;                     /* stored slots so far */
    unsigned run_width, run_place;           /* of the repeated part that is being filled; 0: none */
    ouro_node run_previous[OURO_PART_WIDTH_MAX];
    uint32_t nonzero;                        /* bit per column: any number in it differs from 0 (docs/FORMAT.md) */
    struct ouro_buf columns[OURO_COLUMN_COUNT];
};

/* Empties the chunk, keeping its memory, for objects from `first` on. */
void ouro_chunk_begin(struct ouro_chunk *chunk, ouro_node first);
void ouro_chunk_fini(struct ouro_chunk *chunk);
/* Whether memory ran out in any adder since begin. */
bool ouro_chunk_failed(const struct ouro_chunk *chunk);

static inline void ouro_chunk_put(struct ouro_chunk *chunk, enum ouro_column column, uint64_t value)
{
    struct ouro_buf *buf = &chunk->columns[column];
    if (buf->capacity - buf->size < OURO_VARINT_MAX_BYTES && !ouro_buf_reserve(buf, OURO_VARINT_MAX_BYTES))
        return;
    if (value)
        chunk->nonzero |= 1u << column;
    if (value < 0x80)
        buf->data[buf->size++] = (unsigned char)value;
    else
        buf->size = (size_t)(ouro_varint_write(buf->data + buf->size, value) - buf->data);
}

/* Begins the next object; its counts, edges and value follow in any order among the columns, in order within each. */
static inline void ouro_chunk_object(struct ouro_chunk *chunk, ouro_addr addr, uint32_t shape, uint64_t size_bytes,
                                     uint64_t native_bytes, uint64_t refcount, uint32_t flags, uint64_t interp)
{
    ouro_chunk_put(chunk, OURO_COLUMN_ADDR, (addr - chunk->last_addr) >> 3);
    chunk->last_addr = addr;
    ouro_chunk_put(chunk, OURO_COLUMN_SHAPE, shape);
    ouro_chunk_put(chunk, OURO_COLUMN_SIZE, size_bytes);
    ouro_chunk_put(chunk, OURO_COLUMN_REFCOUNT, refcount);
    ouro_chunk_put(chunk, OURO_COLUMN_FLAGS, flags);
    ouro_chunk_put(chunk, OURO_COLUMN_NATIVE, native_bytes);
    ouro_chunk_put(chunk, OURO_COLUMN_INTERP, interp);
    chunk->count++;
}

/* The next slots of the current object (number `node`) belong to a repeated part with items of `width` slots, until its
 * ouro_chunk_part_count. Their targets are told from those of the item before, which is near more often than the object. */
static inline void ouro_chunk_run(struct ouro_chunk *chunk, ouro_node node, unsigned width)
{
    chunk->run_width = width;
    chunk->run_place = 0;
    for (unsigned i = 0; i < OURO_PART_WIDTH_MAX; i++)
        chunk->run_previous[i] = node;
}

/* How many items the next repeated part of the current object has. */
static inline void ouro_chunk_part_count(struct ouro_chunk *chunk, uint64_t count)
{
    ouro_chunk_put(chunk, OURO_COLUMN_COUNTS, count);
    chunk->run_width = 0;
}

/* The next stored slot of the current object (number `node`): a target or OURO_NODE_NONE. */
static inline void ouro_chunk_slot(struct ouro_chunk *chunk, ouro_node node, ouro_node target)
{
    ouro_node base = node;
    chunk->slot_count++;
    if (chunk->run_width) {
        unsigned place = chunk->run_place;
        base = chunk->run_previous[place];
        if (target != OURO_NODE_NONE)
            chunk->run_previous[place] = target;
        chunk->run_place = place + 1 == chunk->run_width ? 0 : place + 1;
    }
    ouro_chunk_put(chunk, OURO_COLUMN_EDGES,
                   target == OURO_NODE_NONE ? 0 : 1 + ouro_zigzag((int64_t)target - (int64_t)base));
}

static inline void ouro_chunk_value(struct ouro_chunk *chunk, const void *bytes, size_t size)
{
    ouro_chunk_put(chunk, OURO_COLUMN_VALUE_SIZES, size);
    ouro_buf_add(&chunk->columns[OURO_COLUMN_VALUES], bytes, size);
}

#endif
