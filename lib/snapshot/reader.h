/* Reads a snapshot. Nothing in the file is trusted: every count is held against the bytes that carry it.
 *
 * Opening reads the table of contents (or, when the end of the file is damaged, finds the blocks by scanning) and the tables
 * (meta, strings, types, shapes, interpreters, threads). Columns are read by ouro_heap_load, only those asked for. */
#ifndef OURO_SNAPSHOT_READER_H
#define OURO_SNAPSHOT_READER_H

#include "base/err.h"
#include "snapshot/schema.h"

struct ouro_snapshot;

enum ouro_open_flag {
    OURO_OPEN_SALVAGE = 1, /* a damaged file is read up to (and around) its damage; else OURO_BADDATA */
};

/* OURO_GONE: no such file. OURO_BADDATA: not a snapshot, or damaged (err: where). OURO_UNSUPPORTED: a newer version, or a
 * codec that this build lacks. */
enum ouro_status ouro_snapshot_open(struct ouro_snapshot **snapshot, const char *path, unsigned flags,
                                    struct ouro_err *err);
/* The same of an open descriptor, which is taken in any case. Messages name no file. */
enum ouro_status ouro_snapshot_open_fd(struct ouro_snapshot **snapshot, int fd, unsigned flags, struct ouro_err *err);
void ouro_snapshot_close(struct ouro_snapshot *snapshot);

/* All borrowed from the snapshot. Strings are terminated; *size (may be NULL) tells about NULs inside. */
const char *ouro_snapshot_string(const struct ouro_snapshot *snapshot, uint32_t index, size_t *size);
uint32_t ouro_snapshot_string_count(const struct ouro_snapshot *snapshot);
/* NULL when there is no such key. */
const char *ouro_snapshot_meta(const struct ouro_snapshot *snapshot, const char *key, size_t *size);
uint64_t ouro_snapshot_meta_u64(const struct ouro_snapshot *snapshot, const char *key, uint64_t otherwise);
/* The i-th pair; false behind the last. */
bool ouro_snapshot_meta_each(const struct ouro_snapshot *snapshot, size_t i, const char **key, const char **value,
                             size_t *size);
const struct ouro_type_record *ouro_snapshot_types(const struct ouro_snapshot *snapshot, uint32_t *count);
const struct ouro_shape *ouro_snapshot_shapes(const struct ouro_snapshot *snapshot, uint32_t *count);
const struct ouro_interpreter_record *ouro_snapshot_interpreters(const struct ouro_snapshot *snapshot, size_t *count);
const struct ouro_thread_record *ouro_snapshot_threads(const struct ouro_snapshot *snapshot, size_t *count);
/* Ascending by node, none twice. */
const struct ouro_line_record *ouro_snapshot_lines(const struct ouro_snapshot *snapshot, size_t *count);
const struct ouro_lock_record *ouro_snapshot_locks(const struct ouro_snapshot *snapshot, size_t *count);
/* That of a node, or NULL. O(log). */
const struct ouro_line_record *ouro_snapshot_line(const struct ouro_snapshot *snapshot, ouro_node node);
const struct ouro_lock_record *ouro_snapshot_lock(const struct ouro_snapshot *snapshot, ouro_node node);
/* In any order; a thread at most once. */
const struct ouro_wait_record *ouro_snapshot_waits(const struct ouro_snapshot *snapshot, size_t *count);
ouro_node ouro_snapshot_object_count(const struct ouro_snapshot *snapshot);
uint64_t ouro_snapshot_file_bytes(const struct ouro_snapshot *snapshot);
/* Whether anything was left out because of damage (only after OURO_OPEN_SALVAGE). */
bool ouro_snapshot_damaged(const struct ouro_snapshot *snapshot);

enum ouro_heap_columns {
    OURO_HEAP_ADDR = 1,
    OURO_HEAP_SHAPE = 2,
    OURO_HEAP_SIZE = 4,
    OURO_HEAP_REFCOUNT = 8,
    OURO_HEAP_FLAGS = 16,
    OURO_HEAP_SLOTS = 32, /* implies SHAPE */
    OURO_HEAP_NATIVE = 64,
    OURO_HEAP_INTERP = 128,
    OURO_HEAP_VALUES = 256, /* implies FLAGS */
    OURO_HEAP_GC_ORDER = 512,
    OURO_HEAP_ALL = 1023,
};

/* Flat arrays by node; those not asked for are NULL. In a salvaged file objects whose chunk is lost have shape UINT32_MAX,
 * no slots, size 0, and `lost_count` counts them. Their addresses, where lost too, are odd and keep the order: no lookup of a
 * real address finds them. */
struct ouro_heap {
    const struct ouro_snapshot *snapshot; /* borrowed */
    ouro_node count;
    bool damaged;             /* salvaged: something was left out */
    ouro_node lost_count;
    uint64_t lost_slot_count; /* slots emptied because what they refer to lies beyond the end of a cut file */
    ouro_addr *addr;
    uint32_t *shape;
    uint64_t *size;      /* bytes */
    uint64_t *refcount;
    uint16_t *flags;     /* enum ouro_object_flag */
    uint64_t *native;    /* bytes; NULL also when no object has any */
    uint32_t *interp;    /* id; NULL also when there is one interpreter only */
    /* All slots including empty ones (OURO_NODE_NONE) and TYPE parts (the type's node): those of node v are
     * slots[slot_begin[v] .. slot_begin[v + 1]), in the order of its shape's parts. */
    uint64_t *slot_begin; /* count + 1 */
    ouro_node *slots;
    /* Counts of the repeated parts of shapes that have two or more of them; ouro_heap_part_counts finds them. */
    struct ouro_heap_counts *counts; /* owned */
    /* Values: bytes values[value_begin[v] .. value_begin[v + 1]); nothing where OURO_OBJECT_VALUE is not set. */
    uint64_t *value_begin; /* count + 1 */
    unsigned char *values;
    /* Collector lists, one after the other: interpreter, generation (3: permanent), nodes. */
    struct ouro_heap_gc_list {
        uint64_t interpreter;
        unsigned generation;
        ouro_node *nodes; /* owned */
        size_t count;
    } *gc_lists;
    size_t gc_list_count;
    /* Borrowed slots: pairs (node, index among all its slots), ascending. */
    struct ouro_heap_borrowed {
        ouro_node node;
        uint32_t slot;
    } *borrowed;
    size_t borrowed_count;
};

/* Every target is below count (else OURO_BADDATA), every shape valid. thread_count 0: as many as processors, at most 4. */
enum ouro_status ouro_heap_load(struct ouro_heap *heap, const struct ouro_snapshot *snapshot, unsigned columns,
                                unsigned thread_count, struct ouro_err *err);
void ouro_heap_fini(struct ouro_heap *heap);
/* Frees the arrays of these columns. Those of SHAPE must outlive SLOTS', FLAGS' VALUES'. */
void ouro_heap_drop(struct ouro_heap *heap, unsigned columns);

/* The counts of node's repeated parts into counts[0 .. n) (as many as its shape has repeated parts, `capacity` at most);
 * returns n. O(1) or O(log) for shapes with several. */
uint32_t ouro_heap_part_counts(const struct ouro_heap *heap, ouro_node node, uint64_t *counts, uint32_t capacity);

/* Checks a file block by block: header, sizes, checksum, decompression, and, when all of that is good, contents; calls
 * report (may be NULL) for each block and each damage. OURO_OK: whole. OURO_BADDATA: damaged, err says how at first.
 * *good and *bad (may be NULL) count the blocks that are whole and the damages. */
struct ouro_verify_report {
    uint64_t offset, stored_bytes, raw_bytes;
    const char *section; /* its name */
    uint32_t first, count;
    const char *codec;
    const char *damage;  /* NULL: good */
};
enum ouro_status ouro_snapshot_verify(const char *path, void (*report)(void *context, const struct ouro_verify_report *),
                                      void *context, uint64_t *good, uint64_t *bad, struct ouro_err *err);

#endif
