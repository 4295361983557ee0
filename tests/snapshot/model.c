#include "model.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* libcheck's own asserts report every line they pass: too slow for each slot of a heap. */
#define expect(good)                           \
    do {                                       \
        if (!(good))                           \
            ck_abort_msg("not so: %s", #good); \
    } while (0)

uint64_t model_random(struct model *model)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    return model->random ^= model->random << 17;
}

/* Small mostly, but every length of a varint sometimes. */
static uint64_t any_number(struct model *model, bool plain)
{
    uint64_t r = model_random(model);
    return plain ? 0 : r % 4 ? r >> 8 & 0x7f : model_random(model) >> (r >> 8 & 63);
}

static void add_shapes(struct model *model)
{
    model->type_count = 20;
    for (uint32_t i = 0; i < model->type_count; i++)
        model->types[i] = (struct ouro_type_record){
            .addr = 0x5500000 + 0x100 * i,
            .node = OURO_NODE_NONE,
            .flags = i & 7,
            .value_kind = i % 9,
            .basicsize = 16 + 8 * i,
            .itemsize = i % 3 ? 0 : 8,
            .base = i ? (uint32_t)(model_random(model) % i) : UINT32_MAX,
        };
    /* One shape without parts, one of each kind alone, then mixtures with the type's own slot anywhere. */
    model->shapes[model->shape_count++].type = 0;
    for (uint32_t kind = 0; kind < OURO_PART_KIND_COUNT; kind++) {
        struct model_shape *shape = &model->shapes[model->shape_count++];
        shape->type = kind;
        shape->part_count = 1;
        shape->parts[0] = (struct ouro_part){.kind = (uint8_t)kind, .edge_class = (uint8_t)(kind % 3), .name = kind};
    }
    while (model->shape_count < MODEL_SHAPES_MAX) {
        struct model_shape *shape = &model->shapes[model->shape_count++];
        shape->type = (uint32_t)(model_random(model) % model->type_count);
        shape->part_count = (uint32_t)(1 + model_random(model) % MODEL_PARTS_MAX);
        for (uint32_t i = 0, types = 0; i < shape->part_count; i++) {
            uint64_t r = model_random(model);
            uint8_t kind = (uint8_t)(r % OURO_PART_KIND_COUNT);
            if (r >> 16 & 1)
                kind = OURO_PART_FIELD;
            if ((r >> 17 & 3) == 0 && types < 4)
                kind = OURO_PART_TYPE;
            if (kind == OURO_PART_TYPE && ++types > 4)
                kind = OURO_PART_FIELD;
            shape->parts[i] = (struct ouro_part){
                .kind = kind, .edge_class = (uint8_t)((r >> 24) % 3), .name = (uint32_t)(r >> 32) % 40};
        }
    }
}

static void add_slots(struct model *model, struct model_object *object, uint64_t giant, uint32_t object_count,
                      bool plain)
{
    const struct model_shape *shape = &model->shapes[object->shape];
    unsigned repeated = 0;
    object->slot = model->slots.count;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        unsigned kind = shape->parts[i].kind;
        uint64_t slots = kind == OURO_PART_TYPE ? 0 : 1;
        if (ouro_part_repeats(kind)) {
            uint64_t r = model_random(model), count = plain ? 0 : r % 32 ? r % 5 : r % 200;
            if (giant && !repeated)
                count = giant;
            object->counts[repeated++] = count;
            slots = count * ouro_part_width(kind);
        }
        for (uint64_t j = 0; j < slots; j++) {
            uint64_t r = model_random(model);
            ouro_node *slot = OURO_VEC_ADD(&model->slots);
            expect((slot) != NULL);
            *slot = plain || r % 8 == 0 ? OURO_NODE_NONE : (ouro_node)((r >> 8) % object_count);
        }
    }
    object->slot_count = model->slots.count - object->slot;
}

static void add_value(struct model *model, struct model_object *object)
{
    uint64_t r = model_random(model);
    object->flags |= OURO_OBJECT_VALUE;
    object->value = model->values.size;
    object->value_bytes = r % 64 ? r % 20 : r % 3000;
    for (size_t i = 0; i < object->value_bytes; i++)
        ouro_buf_add_byte(&model->values, (unsigned char)model_random(model));
}

void model_init(struct model *model, uint64_t seed, const struct model_options *options)
{
    memset(model, 0, sizeof *model);
    model->seed = seed;
    model->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    model->chunk_objects = options->chunk_objects;
    model->interpreter_count = options->interpreters;
    model->thread_count = options->interpreters * 2;
    add_shapes(model);
    ouro_addr addr = 0x10000;
    for (uint32_t i = 0; i < options->objects; i++) {
        struct model_object *object = OURO_VEC_ADD(&model->objects);
        expect((object) != NULL);
        uint64_t r = model_random(model);
        addr += 8 * (1 + (r % 16 ? r % 20 : model_random(model) >> 40));
        /* The last ones are pseudo objects. */
        if (i == options->objects - options->objects / 10 && addr < OURO_PSEUDO_BASE)
            addr = OURO_PSEUDO_BASE;
        object->addr = addr;
        object->shape = options->plain ? 0 : (uint32_t)((r >> 32) % model->shape_count);
        object->size = any_number(model, options->plain);
        object->refcount = any_number(model, options->plain);
        object->native = (r >> 20) % 4 ? 0 : any_number(model, options->plain);
        object->interp = (uint32_t)(options->interpreters ? (r >> 24) % options->interpreters : 0);
        object->flags =
            options->plain ? 0 : (uint32_t)((r >> 28) % 5 | (addr >= OURO_PSEUDO_BASE ? OURO_OBJECT_PSEUDO : 0));
        if (options->giant_slots && i == options->objects / 2)
            object->shape = 1 + OURO_PART_ENTRIES;
        add_slots(model, object, options->giant_slots && i == options->objects / 2 ? options->giant_slots : 0,
                  options->objects, options->plain);
        if (options->values && (r >> 40) % 3)
            add_value(model, object);
        if (object->slot_count && (r >> 44) % 8 == 0) {
            typeof(model->borrowed.items) item = OURO_VEC_ADD(&model->borrowed);
            expect((item) != NULL);
            item->node = i;
            item->slot = model_random(model) % object->slot_count;
        }
    }
    for (uint32_t i = 0; i < model->type_count && options->objects; i++)
        if (i % 4)
            model->types[i].node = (ouro_node)(model_random(model) % options->objects);
}

void model_fini(struct model *model)
{
    free(model->objects.items);
    free(model->slots.items);
    free(model->borrowed.items);
    ouro_buf_fini(&model->values);
}

/* What the strings of the model are: 0 is the empty one. */
static size_t string_of(uint32_t index, char *text, size_t capacity)
{
    if (!index)
        return 0;
    return (size_t)snprintf(text, capacity, "name \xc3\xa9 %u%.*s", index, (int)(index % 30),
                            "..............................");
}

static struct ouro_interpreter_record interpreter_of(const struct model *model, uint32_t i)
{
    struct ouro_interpreter_record record = {.id = i, .gc_enabled = 1, .gc_debug = i * 3, .frozen = i * 1000};
    for (unsigned j = 0; j < OURO_GENERATION_COUNT; j++) {
        record.threshold[j] = 700 >> j;
        record.count[j] = (int64_t)j - 1;
        record.collections[j] = UINT64_C(1) << (20 * j);
        record.collected[j] = j;
        record.uncollectable[j] = 2 * j;
        record.tracked[j] = 5 + j;
    }
    record.long_lived_total = -5;
    record.long_lived_pending = INT64_MAX;
    record.garbage = model->objects.count ? 0 : OURO_NODE_NONE;
    record.callbacks = OURO_NODE_NONE;
    return record;
}

static struct ouro_thread_record thread_of(const struct model *model, uint32_t i)
{
    return (struct ouro_thread_record){
        .interpreter = i % (model->interpreter_count ? model->interpreter_count : 1),
        .ident = UINT64_MAX - i,
        .native_id = 1000 + i,
        .name = i,
        .comm = i + 1,
        .state = "RSDT?"[i % 5],
        .syscall = (int64_t)i - 1,
        .holds_gil = i == 0,
        .root = model->objects.count ? (ouro_node)(model->objects.count - 1) : OURO_NODE_NONE,
    };
}

/* Where there are threads every seventh object has a line, every eleventh is a locked lock; every second thread waits. */
#define LINE_EVERY 7
#define LOCK_EVERY 11

static bool has_line(const struct model *model, ouro_node node)
{
    return model->thread_count && node % LINE_EVERY == 0;
}

static bool has_lock(const struct model *model, ouro_node node)
{
    return model->thread_count && node % LOCK_EVERY == 0;
}

static struct ouro_line_record line_of(ouro_node node)
{
    return (struct ouro_line_record){.node = node, .line = node * 7919u, .state = node % 6};
}

static struct ouro_lock_record lock_of(ouro_node node)
{
    return (struct ouro_lock_record){.node = node, .owner = node % 2 ? UINT64_MAX - node : 0, .count = 1 + node % 3};
}

static struct ouro_wait_record wait_of(const struct model *model, uint32_t thread)
{
    return (struct ouro_wait_record){
        .thread = thread,
        .kind = thread % 4,
        .node = model->objects.count && thread % 4 ? thread % (ouro_node)model->objects.count : OURO_NODE_NONE,
    };
}

/* In any order: the writer sorts. */
static enum ouro_status write_execution(const struct model *model, struct ouro_snapshot_writer *writer)
{
    for (ouro_node node = (ouro_node)model->objects.count; node--;) {
        struct ouro_line_record line = line_of(node);
        struct ouro_lock_record lock = lock_of(node);
        if (has_line(model, node))
            OURO_TRY(ouro_snapshot_writer_line(writer, &line));
        if (has_lock(model, node))
            OURO_TRY(ouro_snapshot_writer_lock(writer, &lock));
    }
    for (uint32_t i = 0; i < model->thread_count; i += 2) {
        struct ouro_wait_record wait = wait_of(model, i);
        OURO_TRY(ouro_snapshot_writer_wait(writer, &wait));
    }
    return OURO_OK;
}

static void check_execution(const struct model *model, const struct ouro_snapshot *snapshot)
{
    size_t line_count, lock_count, wait_count, objects = model->objects.count, some = model->thread_count ? objects : 0;
    ouro_snapshot_lines(snapshot, &line_count);
    ouro_snapshot_locks(snapshot, &lock_count);
    const struct ouro_wait_record *waits = ouro_snapshot_waits(snapshot, &wait_count);
    expect(line_count == (some + LINE_EVERY - 1) / LINE_EVERY);
    expect(lock_count == (some + LOCK_EVERY - 1) / LOCK_EVERY);
    expect(wait_count == (model->thread_count + 1) / 2);
    for (ouro_node node = 0; node < objects; node++) {
        const struct ouro_line_record *line = ouro_snapshot_line(snapshot, node), line_wanted = line_of(node);
        const struct ouro_lock_record *lock = ouro_snapshot_lock(snapshot, node), lock_wanted = lock_of(node);
        expect((line != NULL) == has_line(model, node));
        expect(!line || (line->node == node && line->line == line_wanted.line && line->state == line_wanted.state));
        expect((lock != NULL) == has_lock(model, node));
        expect(!lock || (lock->node == node && lock->owner == lock_wanted.owner && lock->count == lock_wanted.count));
    }
    for (uint32_t i = 0; i < wait_count; i++) {
        struct ouro_wait_record wanted = wait_of(model, 2 * i);
        expect(waits[i].thread == wanted.thread && waits[i].kind == wanted.kind && waits[i].node == wanted.node);
    }
}

/* The collector list of an interpreter and generation: a walk over all objects with a stride, so that deltas vary. */
static size_t gc_order(const struct model *model, uint32_t interpreter, unsigned generation, ouro_node **nodes)
{
    size_t count = model->objects.count * (generation + 1) / (4 + interpreter);
    *nodes = reallocarray(NULL, count + 1, sizeof **nodes); /* not calloc: test_nomem makes that fail */
    expect((*nodes) != NULL);
    for (size_t i = 0; i < count; i++)
        (*nodes)[i] = (ouro_node)((i * (7919 + interpreter) + generation) % model->objects.count);
    return count;
}

static enum ouro_status write_tables(const struct model *model, struct ouro_snapshot_writer *writer)
{
    char text[96];
    for (uint32_t i = 0; i < 64; i++)
        if (ouro_snapshot_writer_string(writer, text, string_of(i, text, sizeof text)) != i)
            return OURO_NOMEM;
    for (uint32_t i = 0; i < model->type_count; i++) {
        struct ouro_type_record type = model->types[i];
        type.name = i;
        type.module = i % 3;
        type.node = OURO_NODE_NONE;
        if (ouro_snapshot_writer_type(writer, &type) != i)
            return OURO_NOMEM;
    }
    for (uint32_t i = 0; i < model->shape_count; i++)
        if (ouro_snapshot_writer_shape(writer, model->shapes[i].type, model->shapes[i].parts,
                                       model->shapes[i].part_count) != i)
            return OURO_NOMEM;
    ouro_snapshot_writer_meta(writer, "python", "3.11.7", 6);
    ouro_snapshot_writer_meta(writer, "command", "a\0b", 3);
    ouro_snapshot_writer_meta_u64(writer, "pid", 1);
    ouro_snapshot_writer_meta_u64(writer, "seed", model->seed);
    ouro_snapshot_writer_meta_u64(writer, "pid", UINT64_MAX);
    return OURO_OK;
}

static enum ouro_status write_objects(const struct model *model, struct ouro_snapshot_writer *writer,
                                      struct ouro_chunk *chunk, struct ouro_blocks *blocks, enum ouro_codec codec,
                                      struct ouro_err *err)
{
    for (size_t first = 0; first < model->objects.count; first += chunk->count) {
        ouro_chunk_begin(chunk, (ouro_node)first);
        for (size_t node = first; node < model->objects.count && node - first < model->chunk_objects; node++) {
            const struct model_object *object = &model->objects.items[node];
            const struct model_shape *shape = &model->shapes[object->shape];
            ouro_chunk_object(chunk, object->addr, object->shape, object->size, object->native, object->refcount,
                              object->flags, object->interp);
            const ouro_node *slot = model->slots.items + object->slot;
            for (uint32_t i = 0, repeated = 0; i < shape->part_count; i++) {
                unsigned kind = shape->parts[i].kind, width = ouro_part_width(kind);
                bool repeats = ouro_part_repeats(kind);
                if (kind == OURO_PART_TYPE)
                    continue;
                if (repeats)
                    ouro_chunk_run(chunk, (ouro_node)node, width);
                uint64_t slots = repeats ? object->counts[repeated] * width : 1;
                for (uint64_t k = 0; k < slots; k++)
                    ouro_chunk_slot(chunk, (ouro_node)node, *slot++);
                if (repeats)
                    ouro_chunk_part_count(chunk, object->counts[repeated++]);
            }
            if (object->flags & OURO_OBJECT_VALUE)
                ouro_chunk_value(chunk, model->values.data + object->value, object->value_bytes);
        }
        OURO_TRY(ouro_blocks_add_chunk(blocks, chunk, codec));
        OURO_TRY(ouro_snapshot_writer_append(writer, blocks, err));
    }
    return OURO_OK;
}

static enum ouro_status write_lists(const struct model *model, struct ouro_snapshot_writer *writer,
                                    struct ouro_err *err)
{
    for (uint32_t i = 0; i < model->type_count; i++)
        ouro_snapshot_writer_type_node(writer, i, model->types[i].node);
    for (uint32_t i = 0; i < model->interpreter_count; i++) {
        struct ouro_interpreter_record record = interpreter_of(model, i);
        OURO_TRY(ouro_snapshot_writer_interpreter(writer, &record));
    }
    for (uint32_t i = 0; i < model->thread_count; i++) {
        struct ouro_thread_record record = thread_of(model, i);
        OURO_TRY(ouro_snapshot_writer_thread(writer, &record));
    }
    OURO_TRY(write_execution(model, writer));
    for (size_t i = model->borrowed.count; i--;) /* in any order */
        OURO_TRY(ouro_snapshot_writer_borrowed(writer, model->borrowed.items[i].node, model->borrowed.items[i].slot));
    for (uint32_t i = 0; i < model->interpreter_count && model->objects.count; i++) {
        for (unsigned generation = 0; generation < 4; generation++) {
            ouro_node *nodes;
            size_t count = gc_order(model, i, generation, &nodes), half = count / 2;
            enum ouro_status status = ouro_snapshot_writer_gc_order(writer, i, generation, nodes, half, err);
            if (!status)
                status = ouro_snapshot_writer_gc_order(writer, i, generation, nodes + half, count - half, err);
            free(nodes);
            OURO_TRY(status);
        }
    }
    return OURO_OK;
}

static enum ouro_status write_all(const struct model *model, struct ouro_snapshot_writer *writer,
                                  enum ouro_codec codec, struct ouro_err *err)
{
    struct ouro_chunk chunk = {0};
    struct ouro_blocks blocks = {0};
    uint64_t file_bytes = 0;
    enum ouro_status status = write_tables(model, writer);
    if (!status)
        status = write_objects(model, writer, &chunk, &blocks, codec, err);
    if (!status)
        status = write_lists(model, writer, err);
    if (!status)
        status = ouro_snapshot_writer_commit(writer, &file_bytes, err);
    ouro_chunk_fini(&chunk);
    ouro_blocks_fini(&blocks);
    return status;
}

enum ouro_status model_write(const struct model *model, const char *path, bool overwrite, enum ouro_codec codec,
                             struct ouro_err *err)
{
    struct ouro_snapshot_writer *writer = NULL;
    enum ouro_status status = ouro_snapshot_writer_open(&writer, path, overwrite, codec, err);
    if (!status)
        status = write_all(model, writer, codec, err);
    ouro_snapshot_writer_close(writer);
    return status;
}

int model_write_memory(const struct model *model, enum ouro_codec codec, struct ouro_err *err)
{
    struct ouro_snapshot_writer *writer = NULL;
    enum ouro_status status = ouro_snapshot_writer_open_memory(&writer, codec, err);
    if (!status)
        status = write_all(model, writer, codec, err);
    int fd = status ? -1 : ouro_snapshot_writer_take_fd(writer);
    ouro_snapshot_writer_close(writer);
    return fd;
}

size_t model_slots(const struct model *model, ouro_node node, ouro_node *out, size_t capacity)
{
    const struct model_object *object = &model->objects.items[node];
    const struct model_shape *shape = &model->shapes[object->shape];
    const ouro_node *from = model->slots.items + object->slot;
    size_t count = 0;
    for (uint32_t i = 0, repeated = 0; i < shape->part_count; i++) {
        unsigned kind = shape->parts[i].kind;
        uint64_t slots = ouro_part_repeats(kind) ? object->counts[repeated++] * ouro_part_width(kind) : 1;
        for (uint64_t j = 0; j < slots; j++, count++) {
            ouro_node slot = kind == OURO_PART_TYPE ? model->types[shape->type].node : *from++;
            if (count < capacity)
                out[count] = slot;
        }
    }
    return count;
}

static void check_tables(const struct model *model, const struct ouro_snapshot *snapshot)
{
    char text[96];
    size_t size;
    expect(ouro_snapshot_string_count(snapshot) == 64);
    for (uint32_t i = 0; i < 64; i++) {
        size_t expected = string_of(i, text, sizeof text);
        const char *string = ouro_snapshot_string(snapshot, i, &size);
        expect(size == expected);
        expect(!memcmp(string, text, size));
        expect(string[size] == 0);
    }
    expect(ouro_snapshot_meta_u64(snapshot, "pid", 0) == UINT64_MAX);
    expect(ouro_snapshot_meta_u64(snapshot, "seed", 0) == model->seed);
    expect(ouro_snapshot_meta_u64(snapshot, "python", 7) == 7);
    expect((ouro_snapshot_meta(snapshot, "absent", NULL)) == NULL);
    expect(!memcmp(ouro_snapshot_meta(snapshot, "command", &size), "a\0b", 4));
    expect(size == 3);
    uint32_t count;
    const struct ouro_type_record *types = ouro_snapshot_types(snapshot, &count);
    expect(count == model->type_count);
    for (uint32_t i = 0; i < count; i++) {
        struct ouro_type_record type = model->types[i];
        type.name = i;
        type.module = i % 3;
        expect(!memcmp(&types[i], &type, sizeof type));
    }
    const struct ouro_shape *shapes = ouro_snapshot_shapes(snapshot, &count);
    expect(count == model->shape_count);
    for (uint32_t i = 0; i < count; i++) {
        expect(shapes[i].type == model->shapes[i].type);
        expect(shapes[i].part_count == model->shapes[i].part_count);
        for (uint32_t j = 0; j < shapes[i].part_count; j++) {
            expect(shapes[i].parts[j].kind == model->shapes[i].parts[j].kind);
            expect(shapes[i].parts[j].edge_class == model->shapes[i].parts[j].edge_class);
            expect(shapes[i].parts[j].name == model->shapes[i].parts[j].name);
        }
    }
}

static void check_records(const struct model *model, const struct ouro_snapshot *snapshot)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(snapshot, &count);
    expect(count == model->interpreter_count);
    for (uint32_t i = 0; i < count; i++) {
        struct ouro_interpreter_record record = interpreter_of(model, i);
        expect(interpreters[i].id == record.id);
        expect(interpreters[i].gc_debug == record.gc_debug);
        expect(!memcmp(interpreters[i].count, record.count, sizeof record.count));
        expect(!memcmp(interpreters[i].collections, record.collections, sizeof record.collections));
        expect(!memcmp(interpreters[i].tracked, record.tracked, sizeof record.tracked));
        expect(interpreters[i].frozen == record.frozen);
        expect(interpreters[i].long_lived_total == record.long_lived_total);
        expect(interpreters[i].long_lived_pending == record.long_lived_pending);
        expect(interpreters[i].garbage == record.garbage);
        expect(interpreters[i].callbacks == record.callbacks);
    }
    const struct ouro_thread_record *threads = ouro_snapshot_threads(snapshot, &count);
    expect(count == model->thread_count);
    for (uint32_t i = 0; i < count; i++) {
        struct ouro_thread_record record = thread_of(model, i);
        expect(threads[i].interpreter == record.interpreter);
        expect(threads[i].ident == record.ident);
        expect(threads[i].native_id == record.native_id);
        expect(threads[i].name == record.name);
        expect(threads[i].comm == record.comm);
        expect(threads[i].state == record.state);
        expect(threads[i].syscall == record.syscall);
        expect(threads[i].holds_gil == record.holds_gil);
        expect(threads[i].root == record.root);
    }
    check_execution(model, snapshot);
}

static void check_object(const struct model *model, const struct ouro_heap *heap, ouro_node node)
{
    const struct model_object *object = &model->objects.items[node];
    const struct model_shape *shape = &model->shapes[object->shape];
    expect(heap->addr[node] == object->addr);
    expect(heap->shape[node] == object->shape);
    expect(heap->size[node] == object->size);
    expect(heap->refcount[node] == object->refcount);
    expect(heap->flags[node] == object->flags);
    expect((heap->native ? heap->native[node] : 0) == object->native);
    expect((heap->interp ? heap->interp[node] : 0) == object->interp);
    expect(heap->value_begin[node + 1] - heap->value_begin[node] == object->value_bytes);
    if (object->value_bytes)
        expect(
            !memcmp(heap->values + heap->value_begin[node], model->values.data + object->value, object->value_bytes));
    uint64_t counts[MODEL_PARTS_MAX];
    uint32_t repeated = 0, found = ouro_heap_part_counts(heap, node, counts, MODEL_PARTS_MAX);
    for (uint32_t i = 0; i < shape->part_count; i++)
        repeated += ouro_part_repeats(shape->parts[i].kind);
    expect(found == repeated);
    for (uint32_t i = 0; i < repeated; i++)
        expect(counts[i] == object->counts[i]);
}

/* The slots; in a cut file those that led behind its end are empty. */
static void check_slots(const struct model *model, const struct ouro_heap *heap, ouro_node node, bool types_known)
{
    const struct model_shape *shape = &model->shapes[model->objects.items[node].shape];
    size_t count = model_slots(model, node, NULL, 0);
    ouro_node *slots = calloc(count + 1, sizeof *slots);
    expect((slots) != NULL);
    model_slots(model, node, slots, count);
    expect(heap->slot_begin[node + 1] - heap->slot_begin[node] == count);
    bool has_type = false;
    for (uint32_t i = 0; i < shape->part_count; i++)
        has_type = has_type || shape->parts[i].kind == OURO_PART_TYPE;
    for (size_t i = 0; i < count; i++) {
        ouro_node slot = heap->slots[heap->slot_begin[node] + i];
        if (slot != slots[i] && !(slot == OURO_NODE_NONE && (slots[i] >= heap->count || (has_type && !types_known))))
            ck_abort_msg("seed %llu: slot %zu of object %u is %u, not %u", (unsigned long long)model->seed, i, node,
                         slot, slots[i]);
    }
    free(slots);
}

static void check_lists(const struct model *model, const struct ouro_heap *heap)
{
    expect(heap->gc_list_count == (model->objects.count ? model->interpreter_count * 4 : 0));
    for (size_t i = 0; i < heap->gc_list_count; i++) {
        ouro_node *nodes;
        expect(heap->gc_lists[i].interpreter == i / 4);
        expect(heap->gc_lists[i].generation == i % 4);
        size_t count = gc_order(model, (uint32_t)(i / 4), (unsigned)(i % 4), &nodes);
        expect(heap->gc_lists[i].count == count);
        if (count)
            expect(!memcmp(heap->gc_lists[i].nodes, nodes, count * sizeof *nodes));
        free(nodes);
    }
    expect(heap->borrowed_count == model->borrowed.count);
    for (size_t i = 0; i < heap->borrowed_count; i++) {
        /* The slot's number counts TYPE parts, the model's does not. */
        ouro_node node = model->borrowed.items[i].node;
        const struct model_shape *shape = &model->shapes[model->objects.items[node].shape];
        uint64_t stored = 0, all = 0, wanted = model->borrowed.items[i].slot;
        for (uint32_t j = 0, repeated = 0; j < shape->part_count; j++) {
            unsigned kind = shape->parts[j].kind;
            uint64_t slots = 1;
            if (ouro_part_repeats(kind))
                slots = model->objects.items[node].counts[repeated++] * ouro_part_width(kind);
            if (kind != OURO_PART_TYPE && wanted < stored + slots) {
                all += wanted - stored;
                break;
            }
            stored += kind == OURO_PART_TYPE ? 0 : slots;
            all += slots;
        }
        expect(heap->borrowed[i].node == node);
        expect(heap->borrowed[i].slot == all);
    }
}

void model_check(const struct model *model, const char *path, unsigned threads)
{
    struct ouro_snapshot *snapshot = NULL;
    struct ouro_heap heap;
    struct ouro_err err = {0};
    enum ouro_status status = ouro_snapshot_open(&snapshot, path, 0, &err);
    ck_assert_msg(!status, "open: %s: %s", ouro_status_name(status), err.msg);
    expect(!ouro_snapshot_damaged(snapshot));
    expect(ouro_snapshot_object_count(snapshot) == model->objects.count);
    check_tables(model, snapshot);
    check_records(model, snapshot);
    status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, threads, &err);
    ck_assert_msg(!status, "load: %s: %s", ouro_status_name(status), err.msg);
    expect(heap.count == model->objects.count);
    expect(!heap.damaged && !heap.lost_count && !heap.lost_slot_count);
    for (ouro_node node = 0; node < heap.count; node++) {
        check_object(model, &heap, node);
        check_slots(model, &heap, node, true);
    }
    check_lists(model, &heap);
    ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
}

ouro_node model_check_salvaged(const struct model *model, const struct ouro_snapshot *snapshot,
                               const struct ouro_heap *heap)
{
    ouro_node left = 0;
    uint32_t type_count;
    const struct ouro_type_record *types = ouro_snapshot_types(snapshot, &type_count);
    bool types_known = type_count >= model->type_count;
    for (uint32_t i = 0; types_known && i < model->type_count; i++)
        types_known = types[i].node == model->types[i].node;
    expect(heap->count <= model->objects.count);
    for (ouro_node node = 0; node < heap->count; node++) {
        if (node)
            expect(heap->addr[node] >= heap->addr[node - 1]);
        if (heap->shape[node] == UINT32_MAX) {
            expect(heap->slot_begin[node + 1] == heap->slot_begin[node]);
            expect(heap->value_begin[node + 1] == heap->value_begin[node]);
            continue;
        }
        check_object(model, heap, node);
        check_slots(model, heap, node, types_known);
        left++;
    }
    expect(left + heap->lost_count == heap->count);
    for (size_t i = 0; i < heap->borrowed_count; i++) {
        ouro_node node = heap->borrowed[i].node;
        expect(heap->borrowed[i].slot < heap->slot_begin[node + 1] - heap->slot_begin[node]);
    }
    return left;
}

static char folder[64];
static pid_t folder_owner;

static void remove_folder(void)
{
    if (folder_owner != getpid())
        return;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder);
}

const char *test_path(const char *name)
{
    static char path[256];
    if (!*folder) {
        strcpy(folder, "/tmp/ouro-test-XXXXXX");
        if (!mkdtemp(folder))
            abort(); /* not ck_assert: main makes it, so that all tests share it */
        folder_owner = getpid();
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

unsigned char *test_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "can't open %s", path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    expect((bytes) != NULL);
    expect(fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

void test_write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "can't create %s", path);
    expect(fwrite(bytes, 1, size, file) == size);
    expect(fclose(file) == 0);
}

const char *test_source_dir(void)
{
    const char *dir = getenv("top_srcdir");
    return dir ? dir : ".";
}
