/* A heap made up from a seed, in memory; written as a snapshot and held against what the reader gives back. */
#ifndef TESTS_SNAPSHOT_MODEL_H
#define TESTS_SNAPSHOT_MODEL_H

#include "snapshot/reader.h"
#include "snapshot/writer.h"

#define MODEL_PARTS_MAX  9u
#define MODEL_SHAPES_MAX 64u

struct model_shape {
    uint32_t type, part_count;
    struct ouro_part parts[MODEL_PARTS_MAX];
};

struct model_object {
    ouro_addr addr;
    uint32_t shape, flags, interp;
    uint64_t size, native, refcount;
    uint64_t counts[MODEL_PARTS_MAX]; /* of its repeated parts */
    size_t slot, slot_count;          /* stored slots: model->slots[slot .. slot + slot_count) */
    size_t value, value_bytes;
};

struct model {
    uint64_t seed, random;
    uint32_t type_count, shape_count;
    struct ouro_type_record types[MODEL_SHAPES_MAX];
    struct model_shape shapes[MODEL_SHAPES_MAX];
    struct {
        struct model_object *items;
        size_t count, capacity;
    } objects;
    struct {
        ouro_node *items;
        size_t count, capacity;
    } slots;
    struct {
        struct {
            ouro_node node;
            uint64_t slot;
        } * items;
        size_t count, capacity;
    } borrowed;
    struct ouro_buf values;
    uint32_t chunk_objects; /* how many objects a chunk gets */
    uint32_t interpreter_count, thread_count;
};

struct model_options {
    uint32_t objects;
    uint32_t chunk_objects;
    uint64_t giant_slots; /* slots of one container; 0: none */
    uint32_t interpreters;
    bool values, plain; /* plain: only zeroes where zeroes are possible */
};

void model_init(struct model *model, uint64_t seed, const struct model_options *options);
void model_fini(struct model *model);
uint64_t model_random(struct model *model);

/* Writes it; the status of what failed first. */
enum ouro_status model_write(const struct model *model, const char *path, bool overwrite, enum ouro_codec codec,
                             struct ouro_err *err);
/* Into memory: the descriptor, which is the caller's; -1 and err. */
int model_write_memory(const struct model *model, enum ouro_codec codec, struct ouro_err *err);
/* Whether the whole file, as loaded with `threads` threads, is the model; ck_asserts. */
void model_check(const struct model *model, const char *path, unsigned threads);
/* Whether what a damaged file still gives agrees with the model; ck_asserts. Returns how many objects are left. */
ouro_node model_check_salvaged(const struct model *model, const struct ouro_snapshot *snapshot,
                               const struct ouro_heap *heap);
/* All slots of an object, TYPE parts included, as the reader should give them. */
size_t model_slots(const struct model *model, ouro_node node, ouro_node *out, size_t capacity);

/* A name in a folder of the test's own, which exit removes. */
const char *test_path(const char *name);
unsigned char *test_read_file(const char *path, size_t *size);
void test_write_file(const char *path, const void *bytes, size_t size);
/* The folder of the sources, for golden files. */
const char *test_source_dir(void);

#endif
