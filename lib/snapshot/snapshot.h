/* An opened snapshot, as the reader's files share it. Internal to lib/snapshot. */
#ifndef OURO_SNAPSHOT_SNAPSHOT_H
#define OURO_SNAPSHOT_SNAPSHOT_H

#include "snapshot/block.h"
#include "snapshot/reader.h"

#define OURO_SHAPE_TYPE_PARTS_MAX 4u    /* TYPE parts of one shape: they make slots that no byte of the file carries */
#define OURO_META_PAIRS_MAX       4096u /* in a file, replaced ones too */

/* What loading needs to know of a shape, per object in O(1). */
struct ouro_shape_layout {
    uint32_t fixed;        /* stored slots of single parts */
    uint32_t repeat_count; /* repeated parts */
    uint32_t width;        /* of the only repeated part, else 0 */
    uint8_t type_count;
    bool lost;                                       /* salvaged: nobody knows what it was */
    bool types_first;                                /* all repeated parts follow the last TYPE part */
    bool types_last;                                 /* all repeated parts come before the first TYPE part */
    uint32_t type_before[OURO_SHAPE_TYPE_PARTS_MAX]; /* fixed slots before each TYPE part */
};

/* Consecutive objects and where their columns are. */
struct ouro_snapshot_chunk {
    uint32_t first, count;
    uint16_t columns;                    /* those it has, a bit each */
    uint16_t lost;                       /* those that it has and the file has not (salvaged) */
    size_t begin[OURO_COLUMN_COUNT + 1]; /* the blocks of column c: snapshot->columns[begin[c] .. begin[c + 1]) */
};

#define OURO_VEC(type)          \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

struct ouro_snapshot_string {
    size_t offset;
    uint32_t size;
};

struct ouro_snapshot_meta_item {
    size_t key, value; /* offsets into meta_bytes */
    size_t size;
};

struct ouro_snapshot {
    int fd; /* owned */
    uint64_t file_bytes;
    bool salvage, damaged;
    ouro_node object_count;
    OURO_VEC(struct ouro_block) blocks;          /* all, in the order of the file */
    OURO_VEC(struct ouro_block) columns;         /* by chunk, column, part */
    OURO_VEC(struct ouro_snapshot_chunk) chunks; /* ascending, not overlapping */
    struct ouro_buf string_bytes, meta_bytes;
    OURO_VEC(struct ouro_snapshot_string) strings;
    OURO_VEC(struct ouro_snapshot_meta_item) meta;
    uint32_t meta_pairs; /* read, with those that others replaced */
    OURO_VEC(struct ouro_type_record) types;
    OURO_VEC(struct ouro_shape) shapes;
    OURO_VEC(struct ouro_shape_layout) layouts; /* as many as shapes */
    OURO_VEC(struct ouro_part) parts;
    OURO_VEC(struct ouro_interpreter_record) interpreters;
    OURO_VEC(struct ouro_thread_record) threads;
    OURO_VEC(struct ouro_line_record) lines;
    OURO_VEC(struct ouro_lock_record) locks;
    OURO_VEC(struct ouro_wait_record) waits;
};

/* Reads the header (version) of a file. */
enum ouro_status ouro_snapshot_read_header(int fd, uint64_t file_bytes, struct ouro_err *err);
/* Reads trailer and table of contents into snapshot->blocks, which begin at OURO_FILE_HEADER_BYTES and touch each
 * other. */
enum ouro_status ouro_snapshot_read_toc(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                        struct ouro_err *err);
/* Reads snapshot->blocks by looking for their magic. */
enum ouro_status ouro_snapshot_scan(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                    struct ouro_err *err);
/* Reads all tables that open needs. In salvage: what can be read, `damaged` tells about the rest. */
enum ouro_status ouro_snapshot_read_tables(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                           struct ouro_err *err);

/* In salvage notes the damage and yields OURO_OK, else yields status; OURO_NOMEM and OURO_SYS are never passed over. */
enum ouro_status ouro_snapshot_damage(struct ouro_snapshot *snapshot, enum ouro_status status);

/* Reads the blocks of collector order into heap->gc_lists. */
enum ouro_status ouro_heap_load_gc_order(struct ouro_heap *heap, struct ouro_block_reader *reader, bool *damaged,
                                         struct ouro_err *err);
/* Reads the blocks of borrowed references; the slots are there. */
enum ouro_status ouro_heap_load_borrowed(struct ouro_heap *heap, struct ouro_block_reader *reader, bool *damaged,
                                         struct ouro_err *err);
/* Where the TYPE parts of a node with `stored` stored slots are: so many stored slots come before each. */
void ouro_heap_type_positions(const struct ouro_heap *heap, ouro_node node, uint64_t stored,
                              uint64_t positions[OURO_SHAPE_TYPE_PARTS_MAX]);

#endif
