/* Tiny snapshots, written object by object, for tests that know the answer. */
#ifndef OURO_TESTS_TINY_H
#define OURO_TESTS_TINY_H

#include "analysis/heap_model.h"
#include "snapshot/writer.h"

#define TINY_BASE UINT64_C(0x7f0000000000)

struct tiny {
    struct ouro_snapshot_writer *writer;
    struct ouro_chunk chunk;
    ouro_node next;
    /* Of the last object, until the next begins: its shape, counts, slots. */
    uint32_t shape;
    uint64_t counts[16];
    unsigned count_count;
    ouro_node slots[16384];
    size_t slot_count;
    struct tiny_shape {
        struct ouro_part parts[32];
        uint32_t part_count;
    } shapes[4096];
    enum ouro_codec codec;
    char path[128]; /* empty: in memory, */
    int fd;         /* from the commit on, until it is opened */
};

/* A new file in the folder of temporary files. Everything here ends the test when it fails. */
void tiny_begin(struct tiny *tiny);
void tiny_begin_with(struct tiny *tiny, enum ouro_codec codec);
/* Without a file, for hundreds of them: none waits for a disk. Has no path, and is opened once. */
void tiny_begin_memory(struct tiny *tiny);
uint32_t tiny_string(struct tiny *tiny, const char *text);
uint32_t tiny_type(struct tiny *tiny, const char *module, const char *name, unsigned flags, unsigned value_kind);
/* Parts end with kind OURO_PART_KIND_COUNT. */
uint32_t tiny_shape(struct tiny *tiny, uint32_t type, const struct ouro_part *parts);
#define TINY_SHAPE(tiny, type, ...)                                                                                    \
    tiny_shape(tiny, type, (const struct ouro_part[]){__VA_ARGS__, {.kind = OURO_PART_KIND_COUNT}})
#define TINY_EMPTY_SHAPE(tiny, type) tiny_shape(tiny, type, (const struct ouro_part[]){{.kind = OURO_PART_KIND_COUNT}})

/* Addresses are TINY_BASE + 16 * number, or OURO_PSEUDO_BASE + 8 * number with OURO_OBJECT_PSEUDO. The counts of
 * repeated parts and the slots (without TYPE parts) follow by tiny_count and tiny_slots. */
ouro_node tiny_object(struct tiny *tiny, uint32_t shape, uint64_t size, uint64_t refcount, unsigned flags);
ouro_node tiny_object_of(struct tiny *tiny, uint32_t shape, uint64_t size, uint64_t native, uint64_t refcount,
                         unsigned flags, uint64_t interp);
/* At another address, above that of the object before. */
ouro_node tiny_object_at(struct tiny *tiny, ouro_addr addr, uint32_t shape, uint64_t size, uint64_t native, uint64_t refcount,
                         unsigned flags, uint64_t interp);
void tiny_count(struct tiny *tiny, uint64_t count);
void tiny_slots(struct tiny *tiny, const ouro_node *slots, size_t count);
#define TINY_SLOTS(tiny, ...)                                                                                          \
    tiny_slots(tiny, (const ouro_node[]){__VA_ARGS__}, sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))
/* Its object needs OURO_OBJECT_VALUE. */
void tiny_value(struct tiny *tiny, const void *bytes, size_t size);

/* Commits; the file stays at tiny->path until tiny_end. */
void tiny_commit(struct tiny *tiny);
/* Commits and opens. */
void tiny_open(struct tiny *tiny, struct ouro_heap_model *model);
void tiny_end(struct tiny *tiny);

#endif
