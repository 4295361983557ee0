#include "snapshot/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <zlib.h>

#include "base/map.h"
#include "snapshot/block.h"
#include "snapshot/output.h"
#include "snapshot/snapshot.h"

#define PENDING_BYTES (UINT64_C(4) << 20) /* encoded table blocks kept before they are written */

/* Records of one section that no block has yet. */
struct table {
    enum ouro_section section;
    struct ouro_buf pending;
    uint32_t first, count; /* number of the first pending record; how many */
};

struct meta_item {
    char *key;            /* owned, terminated */
    unsigned char *value; /* owned */
    size_t size;
    bool pending;
};

/* The collector list that is being written, and how long each has become. */
struct gc_list {
    uint64_t interpreter;
    unsigned generation;
    uint64_t count;
};

struct borrowed {
    ouro_node node;
    uint64_t slot;
};

struct ouro_snapshot_writer {
    pthread_mutex_t lock;
    struct ouro_output output;
    enum ouro_codec codec;
    enum ouro_status status;   /* what went wrong first in a function that returns no status */
    struct ouro_blocks blocks; /* encoded, to be written before anything else */
    struct ouro_buf toc;
    uint32_t object_count;
    bool meta_written;
    int spool; /* and 1; 0: none */

    struct table strings, types, shapes;
    struct ouro_buf string_bytes;
    struct {
        struct string_place {
            size_t offset, size;
        } * items;
        size_t count, capacity;
    } string_places;
    struct ouro_map string_map; /* hash to index + 1; a hash that is taken by another string is rehashed */
    uint64_t string_seed;
    struct {
        ouro_node *items;
        size_t count, capacity;
    } type_nodes;
    uint32_t shape_count;
    struct {
        struct meta_item *items;
        size_t count, capacity;
    } meta;
    struct {
        struct ouro_interpreter_record *items;
        size_t count, capacity;
    } interpreters;
    struct {
        struct ouro_thread_record *items;
        size_t count, capacity;
    } threads;
    struct {
        struct gc_list *items;
        size_t count, capacity;
    } gc_lists;
    struct {
        struct ouro_buf bytes;
        uint32_t list, first, count; /* list: which of gc_lists */
        ouro_node last;
    } gc;
    struct {
        struct borrowed *items;
        size_t count, capacity;
    } borrowed;
    struct {
        struct ouro_line_record *items;
        size_t count, capacity;
    } lines;
    struct {
        struct ouro_lock_record *items;
        size_t count, capacity;
    } locks;
    struct {
        struct ouro_wait_record *items;
        size_t count, capacity;
    } waits;
};

static void put(struct ouro_buf *buf, uint64_t value)
{
    if (ouro_buf_reserve(buf, OURO_VARINT_MAX_BYTES))
        buf->size = (size_t)(ouro_varint_write(buf->data + buf->size, value) - buf->data);
}

static void put_node(struct ouro_buf *buf, ouro_node node)
{
    put(buf, node == OURO_NODE_NONE ? 0 : (uint64_t)node + 1);
}

static void put_bytes(struct ouro_buf *buf, const void *bytes, size_t size)
{
    put(buf, size);
    ouro_buf_add(buf, bytes, size);
}

static void fail(struct ouro_snapshot_writer *writer, enum ouro_status status)
{
    if (!writer->status)
        writer->status = status;
}

/* One table block of `size` raw bytes, to be written before the next chunk. */
static void emit(struct ouro_snapshot_writer *writer, enum ouro_section section, uint32_t first, uint32_t count,
                 const void *raw, size_t size)
{
    struct ouro_block block = {.section = (uint8_t)section, .part_count = 1, .first = first, .count = count};
    enum ouro_status status = ouro_blocks_add(&writer->blocks, &block, raw, size, writer->codec);
    if (status)
        fail(writer, status);
}

static void table_flush(struct ouro_snapshot_writer *writer, struct table *table)
{
    if (table->pending.failed)
        fail(writer, OURO_NOMEM);
    if (!table->count)
        return;
    emit(writer, table->section, table->first, table->count, table->pending.data, table->pending.size);
    table->first += table->count;
    table->count = 0;
    table->pending.size = 0;
}

/* The bytes of `pending` from `start` on are one more record. A block that is full goes without it. */
static void table_added(struct ouro_snapshot_writer *writer, struct table *table, size_t start)
{
    struct ouro_buf *pending = &table->pending;
    if (pending->failed) {
        fail(writer, OURO_NOMEM);
        return;
    }
    if (pending->size > OURO_BLOCK_RAW_BYTES && table->count) {
        size_t size = pending->size - start;
        pending->size = start;
        table_flush(writer, table);
        memmove(pending->data, pending->data + start, size);
        pending->size = size;
    }
    table->count++;
}

static enum ouro_status write_blocks(struct ouro_snapshot_writer *writer, struct ouro_blocks *blocks,
                                     struct ouro_err *err)
{
    for (size_t i = 0; i < blocks->count; i++)
        ouro_buf_add(&writer->toc, blocks->bytes.data + blocks->items[i].offset + 8, OURO_TOC_ENTRY_BYTES);
    if (writer->toc.failed)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the table of contents");
    OURO_TRY(ouro_output_write(&writer->output, blocks->bytes.data, blocks->bytes.size, err));
    blocks->bytes.size = 0;
    blocks->count = 0;
    return OURO_OK;
}

static void flush_meta(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_META};
    for (size_t i = 0; i < writer->meta.count; i++) {
        struct meta_item *item = &writer->meta.items[i];
        if (!item->pending)
            continue;
        size_t start = table.pending.size;
        put_bytes(&table.pending, item->key, strlen(item->key));
        put_bytes(&table.pending, item->value, item->size);
        table_added(writer, &table, start);
        item->pending = false;
    }
    table_flush(writer, &table);
    ouro_buf_fini(&table.pending);
}

static enum ouro_status failed_before(const struct ouro_snapshot_writer *writer, struct ouro_err *err)
{
    if (writer->status == OURO_NOMEM)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the tables of the snapshot");
    if (writer->status)
        return ouro_err_set(err, writer->status, "a table of the snapshot is too large");
    return OURO_OK;
}

/* Everything that a reader needs for the chunk that comes next. */
static enum ouro_status flush_tables(struct ouro_snapshot_writer *writer, struct ouro_err *err)
{
    if (!writer->meta_written)
        flush_meta(writer);
    writer->meta_written = true;
    table_flush(writer, &writer->strings);
    table_flush(writer, &writer->types);
    table_flush(writer, &writer->shapes);
    OURO_TRY(failed_before(writer, err));
    return write_blocks(writer, &writer->blocks, err);
}

/* path: NULL for memory. */
static enum ouro_status open_writer(struct ouro_snapshot_writer **result, const char *path, bool overwrite,
                                    enum ouro_codec codec, struct ouro_err *err)
{
    *result = NULL;
    struct ouro_snapshot_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return ouro_err_set(err, OURO_NOMEM, "no memory for a snapshot");
    pthread_mutex_init(&writer->lock, NULL);
    writer->codec = codec;
    writer->strings.section = OURO_SECTION_STRINGS;
    writer->types.section = OURO_SECTION_TYPES;
    writer->shapes.section = OURO_SECTION_SHAPES;
    /* Strings come from a target that may be hostile: their hashes must not be predictable. */
    if (getrandom(&writer->string_seed, sizeof writer->string_seed, GRND_NONBLOCK) < 0)
        writer->string_seed = (uint64_t)(uintptr_t)writer;
    unsigned char header[OURO_FILE_HEADER_BYTES];
    memcpy(header, ouro_file_magic, sizeof ouro_file_magic);
    ouro_store_u32(header + 8, OURO_FORMAT_VERSION);
    ouro_store_u32(header + 12, (uint32_t)crc32(0, header, 12));
    enum ouro_status status = path ? ouro_output_open(&writer->output, path, overwrite, err)
                                   : ouro_output_open_memory(&writer->output, err);
    if (!status)
        status = ouro_output_write(&writer->output, header, sizeof header, err);
    ouro_snapshot_writer_string(writer, "", 0);
    if (!status)
        status = failed_before(writer, err);
    if (status) {
        ouro_snapshot_writer_close(writer);
        return status;
    }
    *result = writer;
    return OURO_OK;
}

enum ouro_status ouro_snapshot_writer_open(struct ouro_snapshot_writer **writer, const char *path, bool overwrite,
                                           enum ouro_codec codec, struct ouro_err *err)
{
    return open_writer(writer, path, overwrite, codec, err);
}

enum ouro_status ouro_snapshot_writer_open_memory(struct ouro_snapshot_writer **writer, enum ouro_codec codec,
                                                  struct ouro_err *err)
{
    return open_writer(writer, NULL, false, codec, err);
}

int ouro_snapshot_writer_take_fd(struct ouro_snapshot_writer *writer)
{
    int fd = writer->output.fd;
    writer->output.fd = -1;
    return fd;
}

int ouro_snapshot_writer_spool(struct ouro_snapshot_writer *writer)
{
    if (!writer->spool)
        writer->spool = ouro_output_spool(&writer->output) + 1;
    return writer->spool - 1;
}

void ouro_snapshot_writer_close(struct ouro_snapshot_writer *writer)
{
    if (!writer)
        return;
    if (writer->spool)
        close(writer->spool - 1);
    ouro_output_close(&writer->output);
    ouro_blocks_fini(&writer->blocks);
    ouro_buf_fini(&writer->toc);
    ouro_buf_fini(&writer->strings.pending);
    ouro_buf_fini(&writer->types.pending);
    ouro_buf_fini(&writer->shapes.pending);
    ouro_buf_fini(&writer->string_bytes);
    ouro_buf_fini(&writer->gc.bytes);
    ouro_map_fini(&writer->string_map);
    for (size_t i = 0; i < writer->meta.count; i++) {
        free(writer->meta.items[i].key);
        free(writer->meta.items[i].value);
    }
    free(writer->meta.items);
    free(writer->string_places.items);
    free(writer->type_nodes.items);
    free(writer->interpreters.items);
    free(writer->threads.items);
    free(writer->gc_lists.items);
    free(writer->borrowed.items);
    free(writer->lines.items);
    free(writer->locks.items);
    free(writer->waits.items);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

/* Chunks must follow each other without gaps: object numbers are positions. */
static enum ouro_status count_objects(struct ouro_snapshot_writer *writer, const struct ouro_blocks *blocks,
                                      struct ouro_err *err)
{
    for (size_t i = 0; i < blocks->count; i++) {
        const struct ouro_blocks_entry *entry = &blocks->items[i];
        if (entry->section != OURO_SECTION_COLUMN + OURO_COLUMN_ADDR || entry->part)
            continue;
        if (entry->first != writer->object_count)
            return ouro_err_set(err, OURO_INVAL, "objects from %u on were appended where number %u was due",
                                entry->first, writer->object_count);
        if (entry->count >= OURO_NODE_NONE - writer->object_count)
            return ouro_err_set(err, OURO_LIMIT, "more objects than a snapshot can number");
        writer->object_count += entry->count;
    }
    return OURO_OK;
}

enum ouro_status ouro_snapshot_writer_append(struct ouro_snapshot_writer *writer, struct ouro_blocks *blocks,
                                             struct ouro_err *err)
{
    pthread_mutex_lock(&writer->lock);
    enum ouro_status status = count_objects(writer, blocks, err);
    if (!status)
        status = flush_tables(writer, err);
    if (!status)
        status = write_blocks(writer, blocks, err);
    pthread_mutex_unlock(&writer->lock);
    return status;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Folded multiplication, eight bytes a step, as wyhash does. */
static uint64_t hash_of(const unsigned char *text, size_t size, uint64_t seed)
{
    uint64_t hash = seed ^ UINT64_C(0xa0761d6478bd642f), last = 0;
    size_t i = 0;
    for (; size - i >= 8; i += 8)
        hash = mix(hash ^ ouro_load_u64(text + i), UINT64_C(0xe7037ed1a0b428db) ^ seed);
    for (unsigned shift = 0; i < size; i++, shift += 8)
        last |= (uint64_t)text[i] << shift;
    return mix(hash ^ last, UINT64_C(0x8ebc6af09c88c6e3) ^ size) &
           ~UINT64_C(1); /* odd ones (and the reserved key) are free */
}

static uint32_t add_string(struct ouro_snapshot_writer *writer, const char *text, size_t size)
{
    if (size > OURO_STRING_MAX_BYTES)
        size = OURO_STRING_MAX_BYTES;
    uint64_t hash = hash_of((const unsigned char *)text, size, writer->string_seed);
    for (uint64_t *index; (index = ouro_map_find(&writer->string_map, hash));
         hash = mix(hash + 2, UINT64_C(0x9e3779b97f4a7c15)) & ~UINT64_C(1)) {
        const struct string_place *there = &writer->string_places.items[*index - 1];
        if (there->size == size && !memcmp(writer->string_bytes.data + there->offset, text, size))
            return (uint32_t)(*index - 1);
    }
    if (writer->string_places.count >= UINT32_MAX - 1) {
        fail(writer, OURO_LIMIT);
        return 0;
    }
    size_t offset = writer->string_bytes.size, start = writer->strings.pending.size;
    /* One byte more than needed: the empty string then has an address too. */
    if (!ouro_buf_reserve(&writer->string_bytes, size + 1)) {
        fail(writer, OURO_NOMEM);
        return 0;
    }
    uint64_t *index = ouro_map_put(&writer->string_map, hash, NULL);
    struct string_place *place = index ? OURO_VEC_ADD(&writer->string_places) : NULL;
    if (!place) {
        /* An index without its place would be followed by the next look-up. */
        if (index)
            *index = 1;
        fail(writer, OURO_NOMEM);
        return 0;
    }
    *place = (struct string_place){.offset = offset, .size = size};
    *index = writer->string_places.count;
    ouro_buf_add(&writer->string_bytes, text, size);
    put_bytes(&writer->strings.pending, text, size);
    table_added(writer, &writer->strings, start);
    return (uint32_t)(*index - 1);
}

uint32_t ouro_snapshot_writer_string(struct ouro_snapshot_writer *writer, const char *text, size_t size)
{
    pthread_mutex_lock(&writer->lock);
    uint32_t index = add_string(writer, text, size);
    pthread_mutex_unlock(&writer->lock);
    return index;
}

static struct meta_item *meta_item(struct ouro_snapshot_writer *writer, const char *key)
{
    size_t size = strnlen(key, OURO_STRING_MAX_BYTES);
    for (size_t i = 0; i < writer->meta.count; i++)
        if (!strncmp(writer->meta.items[i].key, key, size) && !writer->meta.items[i].key[size])
            return &writer->meta.items[i];
    /* Each may be written twice: before the first chunk and at the end. */
    if (writer->meta.count >= OURO_META_PAIRS_MAX / 2) {
        fail(writer, OURO_LIMIT);
        return NULL;
    }
    struct meta_item *item = OURO_VEC_ADD(&writer->meta);
    if (item && !(item->key = strndup(key, size))) {
        writer->meta.count--;
        return NULL;
    }
    return item;
}

void ouro_snapshot_writer_meta(struct ouro_snapshot_writer *writer, const char *key, const char *value, size_t size)
{
    if (size > OURO_STRING_MAX_BYTES)
        size = OURO_STRING_MAX_BYTES;
    unsigned char *copy = malloc(size + 1);
    pthread_mutex_lock(&writer->lock);
    struct meta_item *item = copy ? meta_item(writer, key) : NULL;
    if (item) {
        memcpy(copy, value, size);
        free(item->value);
        item->value = copy;
        item->size = size;
        item->pending = true;
    } else {
        free(copy);
        fail(writer, OURO_NOMEM);
    }
    pthread_mutex_unlock(&writer->lock);
}

void ouro_snapshot_writer_meta_u64(struct ouro_snapshot_writer *writer, const char *key, uint64_t value)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    ouro_snapshot_writer_meta(writer, key, text, (size_t)size);
}

uint32_t ouro_snapshot_writer_type(struct ouro_snapshot_writer *writer, const struct ouro_type_record *type)
{
    pthread_mutex_lock(&writer->lock);
    uint32_t index = UINT32_MAX;
    struct ouro_buf *to = &writer->types.pending;
    size_t start = to->size;
    ouro_node *node = writer->type_nodes.count < UINT32_MAX - 1 ? OURO_VEC_ADD(&writer->type_nodes) : NULL;
    if (node) {
        *node = type->node;
        put(to, type->addr);
        put(to, type->name);
        put(to, type->module);
        put(to, type->flags);
        put(to, type->value_kind);
        put(to, type->basicsize);
        put(to, type->itemsize);
        put(to, type->base == UINT32_MAX ? 0 : (uint64_t)type->base + 1);
        table_added(writer, &writer->types, start);
        index = (uint32_t)(writer->type_nodes.count - 1);
    } else {
        fail(writer, OURO_NOMEM);
    }
    pthread_mutex_unlock(&writer->lock);
    return index;
}

void ouro_snapshot_writer_type_node(struct ouro_snapshot_writer *writer, uint32_t type, ouro_node node)
{
    pthread_mutex_lock(&writer->lock);
    if (type < writer->type_nodes.count)
        writer->type_nodes.items[type] = node;
    pthread_mutex_unlock(&writer->lock);
}

uint32_t ouro_snapshot_writer_shape(struct ouro_snapshot_writer *writer, uint32_t type, const struct ouro_part *parts,
                                    uint32_t part_count)
{
    pthread_mutex_lock(&writer->lock);
    struct ouro_buf *to = &writer->shapes.pending;
    size_t start = to->size;
    put(to, type);
    put(to, part_count);
    for (uint32_t i = 0; i < part_count; i++) {
        ouro_buf_add_byte(to, parts[i].kind);
        ouro_buf_add_byte(to, parts[i].edge_class);
        put(to, parts[i].name);
    }
    table_added(writer, &writer->shapes, start);
    uint32_t index = to->failed || writer->shape_count >= UINT32_MAX - 1 ? UINT32_MAX : writer->shape_count++;
    pthread_mutex_unlock(&writer->lock);
    return index;
}

/* Records that wait for the commit, with their vectors. */
#define DEFINE_ADD(name, vector)                                                                                       \
    enum ouro_status ouro_snapshot_writer_##name(struct ouro_snapshot_writer *writer,                                  \
                                                 const struct ouro_##name##_record *record)                            \
    {                                                                                                                  \
        pthread_mutex_lock(&writer->lock);                                                                             \
        struct ouro_##name##_record *place = OURO_VEC_ADD(&writer->vector);                                            \
        if (place)                                                                                                     \
            *place = *record;                                                                                          \
        pthread_mutex_unlock(&writer->lock);                                                                           \
        return place ? OURO_OK : OURO_NOMEM;                                                                           \
    }

DEFINE_ADD(interpreter, interpreters)
DEFINE_ADD(thread, threads)
DEFINE_ADD(line, lines)
DEFINE_ADD(lock, locks)
DEFINE_ADD(wait, waits)

/* Ends the block of the current list. The next one begins anew: blocks of a list stand alone. */
static void gc_flush(struct ouro_snapshot_writer *writer)
{
    if (writer->gc.bytes.failed)
        fail(writer, OURO_NOMEM);
    if (writer->gc.count)
        emit(writer, OURO_SECTION_GC_ORDER, writer->gc.first, writer->gc.count, writer->gc.bytes.data,
             writer->gc.bytes.size);
    writer->gc.bytes.size = 0;
    writer->gc.count = 0;
}

static void gc_begin(struct ouro_snapshot_writer *writer)
{
    const struct gc_list *list = &writer->gc_lists.items[writer->gc.list];
    writer->gc.first = (uint32_t)list->count;
    writer->gc.last = 0;
    put(&writer->gc.bytes, list->interpreter);
    put(&writer->gc.bytes, list->generation);
}

static struct gc_list *gc_list(struct ouro_snapshot_writer *writer, uint64_t interpreter, unsigned generation)
{
    for (size_t i = 0; i < writer->gc_lists.count; i++)
        if (writer->gc_lists.items[i].interpreter == interpreter && writer->gc_lists.items[i].generation == generation)
            return &writer->gc_lists.items[i];
    struct gc_list *list = OURO_VEC_ADD(&writer->gc_lists);
    if (list) {
        list->interpreter = interpreter;
        list->generation = generation;
    }
    return list;
}

static enum ouro_status gc_add(struct ouro_snapshot_writer *writer, uint64_t interpreter, unsigned generation,
                               const ouro_node *nodes, size_t count, struct ouro_err *err)
{
    struct gc_list *list = gc_list(writer, interpreter, generation);
    if (!list)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the collector's lists");
    if (count > UINT32_MAX - list->count)
        return ouro_err_set(err, OURO_LIMIT, "a collector list is longer than a snapshot can hold");
    uint32_t number = (uint32_t)(list - writer->gc_lists.items);
    if (number != writer->gc.list)
        gc_flush(writer);
    writer->gc.list = number;
    for (size_t i = 0; i < count; i++) {
        if (!writer->gc.count)
            gc_begin(writer);
        put(&writer->gc.bytes, ouro_zigzag((int64_t)nodes[i] - (int64_t)writer->gc.last));
        writer->gc.last = nodes[i];
        writer->gc.count++;
        list->count++;
        if (writer->gc.bytes.size >= OURO_BLOCK_RAW_BYTES - OURO_VARINT_MAX_BYTES)
            gc_flush(writer);
    }
    OURO_TRY(failed_before(writer, err));
    return writer->blocks.bytes.size > PENDING_BYTES ? flush_tables(writer, err) : OURO_OK;
}

enum ouro_status ouro_snapshot_writer_gc_order(struct ouro_snapshot_writer *writer, uint64_t interpreter,
                                               unsigned generation, const ouro_node *nodes, size_t count,
                                               struct ouro_err *err)
{
    pthread_mutex_lock(&writer->lock);
    enum ouro_status status = gc_add(writer, interpreter, generation, nodes, count, err);
    pthread_mutex_unlock(&writer->lock);
    return status;
}

enum ouro_status ouro_snapshot_writer_borrowed(struct ouro_snapshot_writer *writer, ouro_node node, uint64_t slot)
{
    pthread_mutex_lock(&writer->lock);
    struct borrowed *item = OURO_VEC_ADD(&writer->borrowed);
    if (item)
        *item = (struct borrowed){.node = node, .slot = slot};
    pthread_mutex_unlock(&writer->lock);
    return item ? OURO_OK : OURO_NOMEM;
}

static void flush_type_nodes(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_TYPE_NODES};
    for (size_t i = 0; i < writer->type_nodes.count; i++) {
        size_t start = table.pending.size;
        put_node(&table.pending, writer->type_nodes.items[i]);
        table_added(writer, &table, start);
    }
    table_flush(writer, &table);
    ouro_buf_fini(&table.pending);
}

static void flush_interpreters(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_INTERPRETERS};
    struct ouro_buf *to = &table.pending;
    for (size_t i = 0; i < writer->interpreters.count; i++) {
        const struct ouro_interpreter_record *record = &writer->interpreters.items[i];
        size_t start = to->size;
        put(to, record->id);
        put(to, record->gc_enabled);
        put(to, record->gc_debug);
        put(to, record->gc_collecting);
        for (unsigned j = 0; j < OURO_GENERATION_COUNT; j++) {
            put(to, record->threshold[j]);
            put(to, ouro_zigzag(record->count[j]));
            put(to, record->collections[j]);
            put(to, record->collected[j]);
            put(to, record->uncollectable[j]);
            put(to, record->tracked[j]);
        }
        put(to, record->frozen);
        put(to, ouro_zigzag(record->long_lived_total));
        put(to, ouro_zigzag(record->long_lived_pending));
        put_node(to, record->garbage);
        put_node(to, record->callbacks);
        table_added(writer, &table, start);
    }
    table_flush(writer, &table);
    ouro_buf_fini(to);
}

static void flush_threads(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_THREADS};
    struct ouro_buf *to = &table.pending;
    for (size_t i = 0; i < writer->threads.count; i++) {
        const struct ouro_thread_record *record = &writer->threads.items[i];
        size_t start = to->size;
        put(to, record->interpreter);
        put(to, record->ident);
        put(to, record->native_id);
        put(to, record->name);
        put(to, record->comm);
        ouro_buf_add_byte(to, (unsigned char)record->state);
        put(to, ouro_zigzag(record->syscall));
        put(to, record->holds_gil);
        put_node(to, record->root);
        table_added(writer, &table, start);
    }
    table_flush(writer, &table);
    ouro_buf_fini(to);
}

static int compare_lines(const void *a, const void *b)
{
    const struct ouro_line_record *x = a, *y = b;
    return (x->node > y->node) - (x->node < y->node);
}

static void flush_lines(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_LINES};
    struct ouro_buf *to = &table.pending;
    if (writer->lines.count)
        qsort(writer->lines.items, writer->lines.count, sizeof *writer->lines.items, compare_lines);
    for (size_t i = 0; i < writer->lines.count; i++) {
        size_t start = to->size;
        put(to, writer->lines.items[i].node);
        put(to, writer->lines.items[i].line);
        put(to, writer->lines.items[i].state);
        table_added(writer, &table, start);
    }
    table_flush(writer, &table);
    ouro_buf_fini(to);
}

static int compare_locks(const void *a, const void *b)
{
    const struct ouro_lock_record *x = a, *y = b;
    return (x->node > y->node) - (x->node < y->node);
}

static void flush_locks(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_LOCKS};
    struct ouro_buf *to = &table.pending;
    if (writer->locks.count)
        qsort(writer->locks.items, writer->locks.count, sizeof *writer->locks.items, compare_locks);
    for (size_t i = 0; i < writer->locks.count; i++) {
        size_t start = to->size;
        put(to, writer->locks.items[i].node);
        put(to, writer->locks.items[i].owner);
        put(to, writer->locks.items[i].count);
        table_added(writer, &table, start);
    }
    table_flush(writer, &table);
    ouro_buf_fini(to);
}

static void flush_waits(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_WAITS};
    struct ouro_buf *to = &table.pending;
    for (size_t i = 0; i < writer->waits.count; i++) {
        size_t start = to->size;
        put(to, writer->waits.items[i].thread);
        put(to, writer->waits.items[i].kind);
        put_node(to, writer->waits.items[i].node);
        table_added(writer, &table, start);
    }
    table_flush(writer, &table);
    ouro_buf_fini(to);
}

static int compare_borrowed(const void *a, const void *b)
{
    const struct borrowed *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Node numbers as differences within a block: the first record of each has the number itself. */
static void flush_borrowed(struct ouro_snapshot_writer *writer)
{
    struct table table = {.section = OURO_SECTION_BORROWED};
    ouro_node last = 0;
    if (writer->borrowed.count > UINT32_MAX)
        fail(writer, OURO_LIMIT);
    if (writer->borrowed.count)
        qsort(writer->borrowed.items, writer->borrowed.count, sizeof *writer->borrowed.items, compare_borrowed);
    for (size_t i = 0; i < writer->borrowed.count; i++) {
        const struct borrowed *item = &writer->borrowed.items[i];
        if (table.pending.size + 2 * OURO_VARINT_MAX_BYTES > OURO_BLOCK_RAW_BYTES) {
            table_flush(writer, &table);
            last = 0;
        }
        size_t start = table.pending.size;
        put(&table.pending, item->node - last);
        put(&table.pending, item->slot);
        table_added(writer, &table, start);
        last = item->node;
    }
    table_flush(writer, &table);
    ouro_buf_fini(&table.pending);
}

/* The table of contents, which lists all blocks but itself, and the trailer, which says where it is. */
static enum ouro_status write_toc(struct ouro_snapshot_writer *writer, struct ouro_err *err)
{
    uint64_t offset = writer->output.size_bytes, entries = writer->toc.size / OURO_TOC_ENTRY_BYTES;
    if (writer->toc.size > OURO_BLOCK_RAW_LIMIT)
        return ouro_err_set(err, OURO_LIMIT, "the snapshot has more blocks than its table of contents can list");
    emit(writer, OURO_SECTION_TOC, 0, (uint32_t)entries, writer->toc.data, writer->toc.size);
    OURO_TRY(failed_before(writer, err));
    uint64_t size = writer->blocks.bytes.size;
    OURO_TRY(ouro_output_write(&writer->output, writer->blocks.bytes.data, size, err));
    unsigned char trailer[OURO_TRAILER_BYTES];
    ouro_store_u64(trailer, offset);
    ouro_store_u64(trailer + 8, size);
    ouro_store_u32(trailer + 16, writer->object_count);
    ouro_store_u32(trailer + 20, (uint32_t)crc32(0, trailer, 20));
    memcpy(trailer + 24, ouro_trailer_magic, sizeof ouro_trailer_magic);
    return ouro_output_write(&writer->output, trailer, sizeof trailer, err);
}

enum ouro_status ouro_snapshot_writer_commit(struct ouro_snapshot_writer *writer, uint64_t *file_bytes,
                                             struct ouro_err *err)
{
    gc_flush(writer);
    table_flush(writer, &writer->strings);
    table_flush(writer, &writer->types);
    table_flush(writer, &writer->shapes);
    flush_type_nodes(writer);
    flush_interpreters(writer);
    flush_threads(writer);
    flush_borrowed(writer);
    flush_lines(writer);
    flush_locks(writer);
    flush_waits(writer);
    flush_meta(writer);
    OURO_TRY(failed_before(writer, err));
    OURO_TRY(write_blocks(writer, &writer->blocks, err));
    OURO_TRY(write_toc(writer, err));
    OURO_TRY(ouro_output_commit(&writer->output, err));
    if (file_bytes)
        *file_bytes = writer->output.size_bytes;
    return OURO_OK;
}
