/* Loads columns into flat arrays, chunk by chunk, several threads side by side.
 *
 * Two phases, since the place of a chunk's slots and values depends on how many the chunks before have: the first reads
 * all but edges and values and counts, the second puts those into place. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "snapshot/salvage.h"
#include "snapshot/stream.h"

#define THREADS_MAX     64u
#define THREADS_DEFAULT 4u
#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

/* Counts of objects whose shape has two repeated parts or more, by chunk: values[begin[i] .. begin[i + 1]) of nodes[i].
 */
struct counts_span {
    ouro_node *nodes;
    size_t count, capacity;
    size_t *begin;
    size_t begin_count, begin_capacity;
    uint64_t *values;
    size_t value_count, value_capacity;
};

struct ouro_heap_counts {
    struct counts_span *spans; /* as many as chunks and gaps */
    size_t span_count;
    ouro_node *span_first; /* number of each span's first object, ascending */
};

struct loader {
    const struct ouro_snapshot *snapshot;
    struct ouro_heap *heap;
    unsigned columns;
    uint32_t needed; /* columns of the file, a bit each */
    bool salvage;
    struct ouro_span *spans;
    size_t span_count;
    bool (*work)(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader, struct ouro_err *err,
                 enum ouro_status *status);
    _Atomic size_t next;
    _Atomic bool stop;
    _Atomic uint64_t beyond_limit;
    pthread_mutex_t lock;
    enum ouro_status status;
    struct ouro_err *err;
};

/* Large arrays on huge pages: a fault for each 4 KiB would cost more than decoding. */
static void *array_new(uint64_t count, size_t item_bytes)
{
    if (count > (SIZE_MAX - HUGE_PAGE_BYTES) / item_bytes)
        return NULL;
    size_t size = count * item_bytes;
    if (size < 2 * HUGE_PAGE_BYTES)
        return malloc(size ? size : 1);
    size = (size + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);
    void *array = aligned_alloc(HUGE_PAGE_BYTES, size);
    if (array)
        madvise(array, size, MADV_HUGEPAGE);
    return array;
}

static struct ouro_stream stream_of(const struct loader *loader, const struct ouro_span *span, enum ouro_column column,
                                    struct ouro_block_reader *reader, struct ouro_err *err)
{
    const struct ouro_block *blocks = loader->snapshot->columns.items;
    return (struct ouro_stream){
        .reader = reader,
        .next = blocks + span->chunk->begin[column],
        .last = blocks + span->chunk->begin[column + 1],
        .err = err,
    };
}

static bool has(const struct ouro_span *span, enum ouro_column column)
{
    return span->chunk->columns >> column & 1;
}

static uint64_t raw_bytes(const struct loader *loader, const struct ouro_span *span, enum ouro_column column)
{
    uint64_t bytes = 0;
    for (size_t i = span->chunk->begin[column]; i < span->chunk->begin[column + 1]; i++)
        bytes += loader->snapshot->columns.items[i].raw_bytes;
    return bytes;
}

static enum ouro_status bad_column(const struct ouro_span *span, enum ouro_column column, const char *what,
                                   struct ouro_err *err)
{
    return ouro_err_set(err, OURO_BADDATA, "the %s of the objects from %u on %s",
                        ouro_section_name(OURO_SECTION_COLUMN + column), span->first, what);
}

/* What a stream that failed or has something left means. */
static enum ouro_status stream_end(struct ouro_stream *stream, bool good, const struct ouro_span *span,
                                   enum ouro_column column, struct ouro_err *err)
{
    if (good && ouro_stream_ended(stream))
        return OURO_OK;
    if (!good && stream->status != OURO_BADDATA)
        return stream->status;
    return bad_column(span, column, good ? "are more than they should be" : "are damaged", err);
}

#define DEFINE_LOAD(name, type, get)                                                                           \
    static enum ouro_status name(struct loader *loader, const struct ouro_span *span, enum ouro_column column, \
                                 type *out, struct ouro_block_reader *reader, struct ouro_err *err)            \
    {                                                                                                          \
        if (!has(span, column)) {                                                                              \
            memset(out + span->first, 0, span->count * sizeof *out);                                           \
            return OURO_OK;                                                                                    \
        }                                                                                                      \
        struct ouro_stream stream = stream_of(loader, span, column, reader, err);                              \
        return stream_end(&stream, get(&stream, out + span->first, span->count), span, column, err);           \
    }

DEFINE_LOAD(load_u64, uint64_t, ouro_stream_get_u64)
DEFINE_LOAD(load_u32, uint32_t, ouro_stream_get_u32)
DEFINE_LOAD(load_u16, uint16_t, ouro_stream_get_u16)

static enum ouro_status load_addr(struct loader *loader, const struct ouro_span *span, struct ouro_block_reader *reader,
                                  struct ouro_err *err)
{
    ouro_addr *addr = loader->heap->addr + span->first, last = 0;
    OURO_TRY(load_u64(loader, span, OURO_COLUMN_ADDR, loader->heap->addr, reader, err));
    for (uint32_t i = 0; i < span->count; i++) {
        uint64_t delta = addr[i];
        if ((!delta && i) || delta > (UINT64_MAX - last) >> 3)
            return bad_column(span, OURO_COLUMN_ADDR, "do not ascend", err);
        addr[i] = last += delta << 3;
    }
    return OURO_OK;
}

static enum ouro_status load_shapes(struct loader *loader, const struct ouro_span *span,
                                    struct ouro_block_reader *reader, struct ouro_err *err)
{
    const struct ouro_snapshot *snapshot = loader->snapshot;
    const uint32_t *shape = loader->heap->shape + span->first;
    OURO_TRY(load_u32(loader, span, OURO_COLUMN_SHAPE, loader->heap->shape, reader, err));
    for (uint32_t i = 0; i < span->count; i++)
        if (shape[i] >= snapshot->layouts.count || snapshot->layouts.items[shape[i]].lost)
            return bad_column(span, OURO_COLUMN_SHAPE, "are not among the shapes", err);
    return OURO_OK;
}

static enum ouro_status load_flags(struct loader *loader, const struct ouro_span *span,
                                   struct ouro_block_reader *reader, struct ouro_err *err)
{
    const uint16_t *flags = loader->heap->flags + span->first;
    OURO_TRY(load_u16(loader, span, OURO_COLUMN_FLAGS, loader->heap->flags, reader, err));
    for (uint32_t i = 0; i < span->count; i++)
        if ((flags[i] & OURO_OBJECT_GC_MASK) > 4)
            return bad_column(span, OURO_COLUMN_FLAGS, "name a generation that there is not", err);
    return OURO_OK;
}

/* The counts of one object with several repeated parts: kept, since nothing else tells them. */
static bool keep_counts(struct counts_span *counts, ouro_node node, const struct ouro_shape *shape,
                        struct ouro_stream *stream, uint64_t limit, uint64_t *stored)
{
    if (counts->count == counts->capacity &&
        !ouro_vec_grow((void **)&counts->nodes, &counts->capacity, sizeof *counts->nodes))
        goto no_memory;
    if (counts->begin_count == counts->begin_capacity &&
        !ouro_vec_grow((void **)&counts->begin, &counts->begin_capacity, sizeof *counts->begin))
        goto no_memory;
    counts->nodes[counts->count++] = node;
    counts->begin[counts->begin_count++] = counts->value_count;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        uint64_t count;
        unsigned width = ouro_part_width(shape->parts[i].kind);
        if (!ouro_part_repeats(shape->parts[i].kind))
            continue;
        if (!ouro_stream_get(stream, &count))
            return false;
        if (count > limit || (*stored += count * width) > limit) {
            stream->status = OURO_BADDATA;
            return false;
        }
        if (counts->value_count == counts->value_capacity &&
            !ouro_vec_grow((void **)&counts->values, &counts->value_capacity, sizeof *counts->values))
            goto no_memory;
        counts->values[counts->value_count++] = count;
    }
    return true;
no_memory:
    stream->status = OURO_NOMEM;
    return false;
}

/* The number of slots of each object into slot_begin[v + 1], not yet summed up. Stored slots are carried by at least a
 * byte each, so the bytes bound what hostile counts can ask for. */
static enum ouro_status count_slots(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                                    struct ouro_err *err)
{
    const struct ouro_snapshot *snapshot = loader->snapshot;
    const uint32_t *shapes = loader->heap->shape;
    uint64_t *slot_count = loader->heap->slot_begin + 1;
    uint64_t limit = raw_bytes(loader, span, OURO_COLUMN_EDGES), stored_sum = 0, types_sum = 0;
    bool counted = has(span, OURO_COLUMN_COUNTS), good = true;
    struct ouro_stream stream = stream_of(loader, span, OURO_COLUMN_COUNTS, reader, err);
    for (ouro_node node = span->first; good && node - span->first < span->count; node++) {
        const struct ouro_shape_layout *layout = &snapshot->layouts.items[shapes[node]];
        uint64_t stored = layout->fixed, count = 0;
        if (counted && layout->repeat_count == 1) {
            good = ouro_stream_get(&stream, &count);
            if (count > limit)
                return bad_column(span, OURO_COLUMN_COUNTS, "are larger than the bytes for them", err);
            stored += count * layout->width;
        } else if (counted && layout->repeat_count) {
            good = keep_counts(&loader->heap->counts->spans[span - loader->spans], node,
                               &snapshot->shapes.items[shapes[node]], &stream, limit, &stored);
        }
        stored_sum += stored;
        if (stored_sum > limit)
            return bad_column(span, OURO_COLUMN_EDGES, "are fewer than shapes and counts say", err);
        slot_count[node] = stored + layout->type_count;
        types_sum += layout->type_count;
    }
    if (!good && stream.status == OURO_NOMEM)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the counts of objects");
    if (counted)
        OURO_TRY(stream_end(&stream, good, span, OURO_COLUMN_COUNTS, err));
    span->slot_count = stored_sum + types_sum;
    return OURO_OK;
}

/* The size of each object's value into value_begin[v + 1], not yet summed up. */
static enum ouro_status count_values(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                                     struct ouro_err *err)
{
    const uint16_t *flags = loader->heap->flags;
    uint64_t *value_bytes = loader->heap->value_begin + 1;
    uint64_t limit = raw_bytes(loader, span, OURO_COLUMN_VALUES), sum = 0;
    bool sized = has(span, OURO_COLUMN_VALUE_SIZES), good = true;
    struct ouro_stream stream = stream_of(loader, span, OURO_COLUMN_VALUE_SIZES, reader, err);
    for (ouro_node node = span->first; node - span->first < span->count; node++) {
        uint64_t bytes = 0;
        if (sized && (flags[node] & OURO_OBJECT_VALUE) && !(good = ouro_stream_get(&stream, &bytes)))
            break;
        if (bytes > limit - sum)
            return bad_column(span, OURO_COLUMN_VALUES, "are fewer than their sizes say", err);
        value_bytes[node] = bytes;
        sum += bytes;
    }
    if (sized)
        OURO_TRY(stream_end(&stream, good, span, OURO_COLUMN_VALUE_SIZES, err));
    if (sum != limit)
        return bad_column(span, OURO_COLUMN_VALUES, "are more than their sizes say", err);
    span->value_count = sum;
    return OURO_OK;
}

/* First phase: all but edges and values. */
static enum ouro_status load_columns(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                                     struct ouro_err *err)
{
    struct ouro_heap *heap = loader->heap;
    if (heap->addr) {
        enum ouro_status status = span->chunk->lost >> OURO_COLUMN_ADDR & 1
                                      ? bad_column(span, OURO_COLUMN_ADDR, "are lost", err)
                                      : load_addr(loader, span, reader, err);
        span->addr_lost = status != OURO_OK;
        OURO_TRY(status);
    }
    if (span->chunk->lost & loader->needed)
        return ouro_err_set(err, OURO_BADDATA, "columns of the objects from %u on are lost", span->first);
    if (heap->shape)
        OURO_TRY(load_shapes(loader, span, reader, err));
    if (heap->size)
        OURO_TRY(load_u64(loader, span, OURO_COLUMN_SIZE, heap->size, reader, err));
    if (heap->refcount)
        OURO_TRY(load_u64(loader, span, OURO_COLUMN_REFCOUNT, heap->refcount, reader, err));
    if (heap->flags)
        OURO_TRY(load_flags(loader, span, reader, err));
    if (heap->native)
        OURO_TRY(load_u64(loader, span, OURO_COLUMN_NATIVE, heap->native, reader, err));
    if (heap->interp)
        OURO_TRY(load_u32(loader, span, OURO_COLUMN_INTERP, heap->interp, reader, err));
    if (heap->slot_begin)
        OURO_TRY(count_slots(loader, span, reader, err));
    if (heap->value_begin)
        OURO_TRY(count_values(loader, span, reader, err));
    return OURO_OK;
}

static const struct counts_span *find_counts(const struct ouro_heap *heap, ouro_node node, size_t *index)
{
    const struct ouro_heap_counts *counts = heap->counts;
    size_t low = 0, high = counts ? counts->span_count : 0;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (counts->span_first[middle] <= node)
            low = middle;
        else
            high = middle;
    }
    if (low == high)
        return NULL;
    const struct counts_span *span = &counts->spans[low];
    low = 0;
    high = span->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (span->nodes[middle] < node)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return low < span->count && span->nodes[low] == node ? span : NULL;
}

void ouro_heap_type_positions(const struct ouro_heap *heap, ouro_node node, uint64_t stored,
                              uint64_t positions[OURO_SHAPE_TYPE_PARTS_MAX])
{
    const struct ouro_shape_layout *layout = &heap->snapshot->layouts.items[heap->shape[node]];
    if (layout->types_first || stored == layout->fixed) {
        for (unsigned i = 0; i < layout->type_count; i++)
            positions[i] = layout->type_before[i];
        return;
    }
    if (layout->types_last) {
        for (unsigned i = 0; i < layout->type_count; i++)
            positions[i] = stored - layout->fixed + layout->type_before[i];
        return;
    }
    const struct ouro_shape *shape = &heap->snapshot->shapes.items[heap->shape[node]];
    size_t index = 0;
    const struct counts_span *span = layout->width ? NULL : find_counts(heap, node, &index);
    const uint64_t *counts = span ? span->values + span->begin[index] : NULL;
    uint64_t single = layout->width ? (stored - layout->fixed) / layout->width : 0, at = 0;
    for (uint32_t i = 0, types = 0; i < shape->part_count && types < layout->type_count; i++) {
        unsigned kind = shape->parts[i].kind;
        if (kind == OURO_PART_TYPE)
            positions[types++] = at;
        else
            at += ouro_part_repeats(kind) ? (counts ? *counts++ : single) * ouro_part_width(kind) : 1;
    }
}

/* An object with repeated parts: part by part. */
static bool load_parts(const struct ouro_heap *heap, struct ouro_stream *stream, ouro_node node, uint64_t stored,
                       ouro_node *out, uint64_t *beyond)
{
    const struct ouro_snapshot *snapshot = heap->snapshot;
    const struct ouro_shape *shape = &snapshot->shapes.items[heap->shape[node]];
    const struct ouro_shape_layout *layout = &snapshot->layouts.items[heap->shape[node]];
    size_t index = 0;
    const struct counts_span *span = layout->width ? NULL : find_counts(heap, node, &index);
    const uint64_t *counts = span ? span->values + span->begin[index] : NULL;
    uint64_t single = layout->width ? (stored - layout->fixed) / layout->width : 0;
    uint32_t i = 0;
    while (i < shape->part_count) {
        unsigned kind = shape->parts[i].kind;
        if (kind == OURO_PART_TYPE) {
            *out++ = snapshot->types.items[shape->type].node;
            i++;
        } else if (ouro_part_repeats(kind)) {
            unsigned width = ouro_part_width(kind);
            uint64_t items = counts ? *counts++ : single;
            if (!ouro_stream_get_run(stream, out, items, width, node, heap->count, beyond))
                return false;
            out += items * width;
            i++;
        } else {
            uint32_t first = i;
            while (i < shape->part_count && shape->parts[i].kind != OURO_PART_TYPE &&
                   !ouro_part_repeats(shape->parts[i].kind))
                i++;
            if (!ouro_stream_get_slots(stream, out, i - first, node, heap->count, beyond))
                return false;
            out += i - first;
        }
    }
    return true;
}

static enum ouro_status load_slots(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                                   struct ouro_err *err)
{
    const struct ouro_snapshot *snapshot = loader->snapshot;
    struct ouro_heap *heap = loader->heap;
    uint64_t beyond_limit = 0, *beyond = loader->salvage ? &beyond_limit : NULL;
    uint64_t *begin = heap->slot_begin;
    struct ouro_stream stream = stream_of(loader, span, OURO_COLUMN_EDGES, reader, err);
    bool good = true;
    uint64_t slot = span->slot_base;
    for (ouro_node node = span->first; node - span->first < span->count; node++) {
        uint32_t shape = heap->shape[node];
        const struct ouro_shape_layout *layout = &snapshot->layouts.items[shape];
        ouro_node *out = heap->slots + slot;
        uint64_t count = begin[node + 1];
        begin[node + 1] = slot += count;
        if (!good)
            continue;
        uint64_t stored = count - layout->type_count, done = 0;
        if (stored != layout->fixed) {
            good = load_parts(heap, &stream, node, stored, out, beyond);
            continue;
        }
        if (layout->type_count) {
            uint64_t positions[OURO_SHAPE_TYPE_PARTS_MAX];
            ouro_heap_type_positions(heap, node, stored, positions);
            for (unsigned i = 0; good && i < layout->type_count; i++) {
                good = ouro_stream_get_slots(&stream, out, positions[i] - done, node, heap->count, beyond);
                out += positions[i] - done;
                done = positions[i];
                *out++ = snapshot->types.items[snapshot->shapes.items[shape].type].node;
            }
        }
        good = good && ouro_stream_get_slots(&stream, out, stored - done, node, heap->count, beyond);
    }
    if (beyond_limit)
        atomic_fetch_add(&loader->beyond_limit, beyond_limit);
    return stream_end(&stream, good, span, OURO_COLUMN_EDGES, err);
}

static enum ouro_status load_values(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                                    struct ouro_err *err)
{
    struct ouro_heap *heap = loader->heap;
    uint64_t at = span->value_base;
    for (ouro_node node = span->first; node - span->first < span->count; node++)
        heap->value_begin[node + 1] = at += heap->value_begin[node + 1];
    unsigned char *out = heap->values + span->value_base;
    for (size_t i = span->chunk->begin[OURO_COLUMN_VALUES]; i < span->chunk->begin[OURO_COLUMN_VALUES + 1]; i++) {
        const struct ouro_block *block = &loader->snapshot->columns.items[i];
        const unsigned char *raw = NULL;
        OURO_TRY(ouro_block_load(reader, block, out, &raw, err));
        out += block->raw_bytes;
    }
    return OURO_OK;
}

static bool first_phase(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                        struct ouro_err *err, enum ouro_status *status)
{
    *status = OURO_BADDATA;
    if (span->chunk)
        *status = load_columns(loader, span, reader, err);
    else
        span->addr_lost = true;
    return *status == OURO_OK;
}

static bool second_phase(struct loader *loader, struct ouro_span *span, struct ouro_block_reader *reader,
                         struct ouro_err *err, enum ouro_status *status)
{
    *status = OURO_OK;
    if (span->lost)
        return true; /* ouro_spans_settle() sets where its slots and values would begin */
    if (loader->heap->slot_begin)
        *status = load_slots(loader, span, reader, err);
    if (loader->heap->value_begin && !*status)
        *status = load_values(loader, span, reader, err);
    return *status == OURO_OK;
}

static void *worker(void *argument)
{
    struct loader *loader = argument;
    struct ouro_block_reader reader = {.fd = loader->snapshot->fd};
    while (!atomic_load(&loader->stop)) {
        size_t i = atomic_fetch_add(&loader->next, 1);
        if (i >= loader->span_count)
            break;
        struct ouro_err err = {0};
        enum ouro_status status = OURO_OK;
        if (loader->work(loader, &loader->spans[i], &reader, &err, &status))
            continue;
        if (loader->salvage && status == OURO_BADDATA) {
            ouro_span_lose(&loader->spans[i], loader->heap);
            continue;
        }
        pthread_mutex_lock(&loader->lock);
        if (!loader->status) {
            loader->status = status;
            if (loader->err)
                *loader->err = err;
        }
        pthread_mutex_unlock(&loader->lock);
        atomic_store(&loader->stop, true);
    }
    ouro_block_reader_fini(&reader);
    return NULL;
}

/* All spans through `work`. Threads that can't be started are done without. */
static enum ouro_status run(struct loader *loader, unsigned thread_count,
                            bool (*work)(struct loader *loader, struct ouro_span *span,
                                         struct ouro_block_reader *reader, struct ouro_err *err,
                                         enum ouro_status *status))
{
    pthread_t threads[THREADS_MAX];
    unsigned started = 0;
    loader->work = work;
    atomic_store(&loader->next, 0);
    while (started + 1 < thread_count && started + 1 < loader->span_count &&
           !pthread_create(&threads[started], NULL, worker, loader))
        started++;
    worker(loader);
    while (started)
        pthread_join(threads[--started], NULL);
    return loader->status;
}

static unsigned default_thread_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    unsigned count = (unsigned)CPU_COUNT(&set);
    return count < THREADS_DEFAULT ? count : THREADS_DEFAULT;
}

static bool find_spans(struct loader *loader)
{
    const struct ouro_snapshot *snapshot = loader->snapshot;
    loader->spans = calloc(snapshot->chunks.count * 2 + 1, sizeof *loader->spans);
    if (!loader->spans)
        return false;
    ouro_node due = 0;
    for (size_t i = 0; i < snapshot->chunks.count; i++) {
        const struct ouro_snapshot_chunk *chunk = &snapshot->chunks.items[i];
        if (chunk->first > due)
            loader->spans[loader->span_count++] = (struct ouro_span){.first = due, .count = chunk->first - due};
        loader->spans[loader->span_count++] =
            (struct ouro_span){.first = chunk->first, .count = chunk->count, .chunk = chunk};
        due = chunk->first + chunk->count;
    }
    return true;
}

static bool any_chunk_has(const struct ouro_snapshot *snapshot, enum ouro_column column)
{
    for (size_t i = 0; i < snapshot->chunks.count; i++)
        if (snapshot->chunks.items[i].columns >> column & 1)
            return true;
    return false;
}

static struct ouro_heap_counts *counts_new(const struct loader *loader)
{
    struct ouro_heap_counts *counts = calloc(1, sizeof *counts);
    if (!counts)
        return NULL;
    counts->spans = calloc(loader->span_count + 1, sizeof *counts->spans);
    counts->span_first = calloc(loader->span_count + 1, sizeof *counts->span_first);
    if (!counts->spans || !counts->span_first) {
        free(counts->spans);
        free(counts->span_first);
        free(counts);
        return NULL;
    }
    counts->span_count = loader->span_count;
    for (size_t i = 0; i < loader->span_count; i++)
        counts->span_first[i] = loader->spans[i].first;
    return counts;
}

static bool allocate(struct loader *loader)
{
    struct ouro_heap *heap = loader->heap;
    unsigned columns = loader->columns;
    uint64_t count = heap->count;
    bool good = true;
#define TAKE(flag, member, items) \
    if (columns & (flag))         \
    good = good && (heap->member = array_new(items, sizeof *heap->member))
    TAKE(OURO_HEAP_ADDR, addr, count);
    TAKE(OURO_HEAP_SHAPE, shape, count);
    TAKE(OURO_HEAP_SIZE, size, count);
    TAKE(OURO_HEAP_REFCOUNT, refcount, count);
    TAKE(OURO_HEAP_FLAGS, flags, count);
    if (any_chunk_has(loader->snapshot, OURO_COLUMN_NATIVE))
        TAKE(OURO_HEAP_NATIVE, native, count);
    if (any_chunk_has(loader->snapshot, OURO_COLUMN_INTERP))
        TAKE(OURO_HEAP_INTERP, interp, count);
    TAKE(OURO_HEAP_SLOTS, slot_begin, count + 1);
    TAKE(OURO_HEAP_VALUES, value_begin, count + 1);
#undef TAKE
    if (columns & OURO_HEAP_SLOTS)
        good = good && (heap->counts = counts_new(loader));
    if (good && heap->slot_begin)
        heap->slot_begin[0] = 0;
    if (good && heap->value_begin)
        heap->value_begin[0] = 0;
    return good;
}

/* The columns of the file that what is asked for is made from. */
static uint32_t needed_columns(unsigned columns)
{
    static const struct {
        unsigned asked;
        uint32_t needed;
    } table[] = {
        {OURO_HEAP_SHAPE,    1u << OURO_COLUMN_SHAPE                                 },
        {OURO_HEAP_SIZE,     1u << OURO_COLUMN_SIZE                                  },
        {OURO_HEAP_REFCOUNT, 1u << OURO_COLUMN_REFCOUNT                              },
        {OURO_HEAP_FLAGS,    1u << OURO_COLUMN_FLAGS                                 },
        {OURO_HEAP_SLOTS,    1u << OURO_COLUMN_COUNTS | 1u << OURO_COLUMN_EDGES      },
        {OURO_HEAP_NATIVE,   1u << OURO_COLUMN_NATIVE                                },
        {OURO_HEAP_INTERP,   1u << OURO_COLUMN_INTERP                                },
        {OURO_HEAP_VALUES,   1u << OURO_COLUMN_VALUE_SIZES | 1u << OURO_COLUMN_VALUES},
    };
    uint32_t needed = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (columns & table[i].asked)
            needed |= table[i].needed;
    return needed;
}

/* Between the phases: where each span's slots and values go, and memory for them. */
static bool place_spans(struct loader *loader)
{
    struct ouro_heap *heap = loader->heap;
    uint64_t slots = 0, values = 0;
    for (size_t i = 0; i < loader->span_count; i++) {
        loader->spans[i].slot_base = slots;
        loader->spans[i].value_base = values;
        slots += loader->spans[i].slot_count;
        values += loader->spans[i].value_count;
    }
    if (heap->slot_begin && !(heap->slots = array_new(slots, sizeof *heap->slots)))
        return false;
    return !heap->value_begin || (heap->values = array_new(values, 1));
}

/* Whether each span begins behind those before. */
static enum ouro_status check_addresses(const struct loader *loader, struct ouro_err *err)
{
    const ouro_addr *addr = loader->heap->addr;
    for (size_t i = 1; i < loader->span_count; i++) {
        const struct ouro_span *span = &loader->spans[i];
        if (addr[span->first] <= addr[span->first - 1])
            return bad_column(span, OURO_COLUMN_ADDR, "do not follow those before", err);
    }
    return OURO_OK;
}

static enum ouro_status load(struct loader *loader, unsigned thread_count, struct ouro_err *err)
{
    struct ouro_heap *heap = loader->heap;
    if (!find_spans(loader) || !allocate(loader))
        return ouro_err_set(err, OURO_NOMEM, "no memory for %u objects", heap->count);
    OURO_TRY(run(loader, thread_count, first_phase));
    if (heap->addr && !loader->salvage)
        OURO_TRY(check_addresses(loader, err));
    if (heap->addr && loader->salvage)
        ouro_spans_settle_addresses(loader->spans, loader->span_count, heap);
    if (!place_spans(loader))
        return ouro_err_set(err, OURO_NOMEM, "no memory for the references of %u objects", heap->count);
    if (heap->slot_begin || heap->value_begin)
        OURO_TRY(run(loader, thread_count, second_phase));
    if (loader->salvage)
        ouro_spans_settle(loader->spans, loader->span_count, heap);
    heap->lost_slot_count = loader->beyond_limit;
    struct ouro_block_reader reader __attribute__((cleanup(ouro_block_reader_fini))) = {.fd = loader->snapshot->fd};
    bool damaged = false;
    if (loader->columns & OURO_HEAP_GC_ORDER)
        OURO_TRY(ouro_heap_load_gc_order(heap, &reader, loader->salvage ? &damaged : NULL, err));
    if (heap->slot_begin)
        OURO_TRY(ouro_heap_load_borrowed(heap, &reader, loader->salvage ? &damaged : NULL, err));
    heap->damaged = damaged || heap->lost_count || heap->lost_slot_count;
    return OURO_OK;
}

enum ouro_status ouro_heap_load(struct ouro_heap *heap, const struct ouro_snapshot *snapshot, unsigned columns,
                                unsigned thread_count, struct ouro_err *err)
{
    memset(heap, 0, sizeof *heap);
    heap->snapshot = snapshot;
    heap->count = snapshot->object_count;
    if (columns & OURO_HEAP_SLOTS)
        columns |= OURO_HEAP_SHAPE;
    if (columns & OURO_HEAP_VALUES)
        columns |= OURO_HEAP_FLAGS;
    struct loader loader = {
        .snapshot = snapshot,
        .heap = heap,
        .columns = columns,
        .needed = needed_columns(columns),
        .salvage = snapshot->salvage,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .err = err,
    };
    if (!thread_count)
        thread_count = default_thread_count();
    enum ouro_status status = load(&loader, thread_count < THREADS_MAX ? thread_count : THREADS_MAX, err);
    pthread_mutex_destroy(&loader.lock);
    free(loader.spans);
    if (status)
        ouro_heap_fini(heap);
    return status;
}

static void counts_free(struct ouro_heap_counts *counts)
{
    for (size_t i = 0; counts && i < counts->span_count; i++) {
        free(counts->spans[i].nodes);
        free(counts->spans[i].begin);
        free(counts->spans[i].values);
    }
    if (counts) {
        free(counts->spans);
        free(counts->span_first);
    }
    free(counts);
}

#define DROP(member)         \
    do {                     \
        free(heap->member);  \
        heap->member = NULL; \
    } while (0)

static void drop_slots(struct ouro_heap *heap)
{
    DROP(slot_begin);
    DROP(slots);
    counts_free(heap->counts);
    heap->counts = NULL;
    DROP(borrowed);
    heap->borrowed_count = 0;
}

static void drop_gc_lists(struct ouro_heap *heap)
{
    for (size_t i = 0; i < heap->gc_list_count; i++)
        free(heap->gc_lists[i].nodes);
    DROP(gc_lists);
    heap->gc_list_count = 0;
}

void ouro_heap_drop(struct ouro_heap *heap, unsigned columns)
{
    if (columns & OURO_HEAP_ADDR)
        DROP(addr);
    if (columns & OURO_HEAP_SHAPE)
        DROP(shape);
    if (columns & OURO_HEAP_SIZE)
        DROP(size);
    if (columns & OURO_HEAP_REFCOUNT)
        DROP(refcount);
    if (columns & OURO_HEAP_FLAGS)
        DROP(flags);
    if (columns & OURO_HEAP_SLOTS)
        drop_slots(heap);
    if (columns & OURO_HEAP_NATIVE)
        DROP(native);
    if (columns & OURO_HEAP_INTERP)
        DROP(interp);
    if (columns & OURO_HEAP_VALUES) {
        DROP(value_begin);
        DROP(values);
    }
    if (columns & OURO_HEAP_GC_ORDER)
        drop_gc_lists(heap);
}
#undef DROP

void ouro_heap_fini(struct ouro_heap *heap)
{
    ouro_heap_drop(heap, OURO_HEAP_ALL);
    memset(heap, 0, sizeof *heap);
}

uint32_t ouro_heap_part_counts(const struct ouro_heap *heap, ouro_node node, uint64_t *counts, uint32_t capacity)
{
    if (!heap->slot_begin || node >= heap->count || heap->shape[node] == UINT32_MAX)
        return 0;
    const struct ouro_shape_layout *layout = &heap->snapshot->layouts.items[heap->shape[node]];
    uint64_t stored = heap->slot_begin[node + 1] - heap->slot_begin[node] - layout->type_count;
    uint32_t filled = layout->repeat_count < capacity ? layout->repeat_count : capacity;
    size_t index = 0;
    const struct counts_span *span = layout->repeat_count > 1 ? find_counts(heap, node, &index) : NULL;
    if (span)
        memcpy(counts, span->values + span->begin[index], filled * sizeof *counts);
    else if (filled)
        memset(counts, 0, filled * sizeof *counts);
    if (filled && layout->repeat_count == 1)
        counts[0] = (stored - layout->fixed) / layout->width;
    return layout->repeat_count;
}
