#include "capture/emitter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpython/finalizer.h"
#include "cpython/value.h"
#include "target/window.h"

#define FINALIZED_BIT 1u /* of _gc_prev */
#define UNTRACKED_FIRST 8u /* beside the bits of OURO_OBJECT_GC_MASK */
#define ORDER_BATCH 65536u
#define FOLLOW_OBJECTS 512u /* how often the window follows the budget */
#define CHUNK_WORDS ((size_t)(16u << 20) / 512) /* 16 MiB of the image */

static unsigned generation_of(const struct ouro_emit *emit, ouro_node node)
{
    return emit->generations[node / 2] >> node % 2 * 4 & 15;
}

static void add_generation(struct ouro_emit *emit, ouro_node node, unsigned bits)
{
    emit->generations[node / 2] |= (unsigned char)(bits << node % 2 * 4);
}

static void set_generation(struct ouro_emit *emit, ouro_node node, unsigned bits)
{
    emit->generations[node / 2] &= (unsigned char)(0xf0 >> node % 2 * 4);
    add_generation(emit, node, bits);
}

void ouro_emitter_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct ouro_emitter *emitter = context;
    const struct ouro_walk *walk = emitter->emit->walk;
    emitter->fixed += emitter->in_run ? 0 : (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        ouro_node target = OURO_NODE_NONE;
        if (targets[i]) {
            target = ouro_walk_node(walk, targets[i]);
            if (target == OURO_NODE_NONE)
                emitter->lost = emitter->lost || !walk->limited;
            else
                emitter->totals.edge_count++;
        }
        ouro_chunk_slot(&emitter->chunk, emitter->node, target);
        emitter->last_target = target;
    }
}

static void on_borrowed(void *context)
{
    struct ouro_emitter *emitter = context;
    if (emitter->last_target == OURO_NODE_NONE)
        return;
    uint64_t *place = OURO_VEC_ADD(&emitter->borrowed);
    if (place)
        *place = emitter->chunk.slot_count - emitter->first_slot - 1;
    else
        emitter->emit->walk->out_of_memory = true;
}

static void on_run_begin(void *context, unsigned width)
{
    struct ouro_emitter *emitter = context;
    emitter->in_run = true;
    ouro_chunk_run(&emitter->chunk, emitter->node, width);
}

static void on_run(void *context, uint64_t count)
{
    struct ouro_emitter *emitter = context;
    emitter->in_run = false;
    emitter->runs++;
    ouro_chunk_part_count(&emitter->chunk, count);
}

static bool is_namespace(void *context, ouro_addr dict)
{
    struct ouro_emitter *emitter = context;
    return ouro_walk_noted(emitter->emit->walk, dict);
}

static uint32_t type_index(struct ouro_emit *emit, ouro_addr type)
{
    const uint64_t *index = ouro_map_find(&emit->type_index, type);
    return index ? (uint32_t)*index : UINT32_MAX;
}

static uint64_t shape_of(struct ouro_emitter *emitter, struct ouro_type *type, ouro_addr addr)
{
    uint64_t known = __atomic_load_n(&type->user, __ATOMIC_ACQUIRE);
    if (known != UINT64_MAX)
        return known;
    struct ouro_emit *emit = emitter->emit;
    if (!type->varies)
        return ouro_shapes_get(&emit->shapes, &emitter->visitor, type, type_index(emit, type->addr), addr, 0);
    uint64_t variant = ouro_visit_variant(&emitter->visitor, type, addr);
    uint64_t key = variant * 31 + type->addr;
    unsigned slot = (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> 54) & (OURO_SHAPE_CACHE_SLOTS - 1);
    if (emitter->shape_cache[slot].key != key) {
        emitter->shape_cache[slot].shape =
            ouro_shapes_get(&emit->shapes, &emitter->visitor, type, type_index(emit, type->addr), addr, variant);
        emitter->shape_cache[slot].key = key;
    }
    return emitter->shape_cache[slot].shape;
}

/* What of the object's value goes into the file: flags to add. */
static uint32_t put_value(struct ouro_emitter *emitter, const struct ouro_type *type, ouro_addr addr, bool key)
{
    struct ouro_emit *emit = emitter->emit;
    bool names_only = emit->values == OURO_VALUES_NONE;
    size_t limit = emit->values == OURO_VALUES_FULL ? OURO_VALUE_FULL_BYTES
                   : key                            ? OURO_VALUE_KEY_BYTES
                                                    : OURO_VALUE_SHORT_BYTES;
    if (!type->value || (names_only && type->value != OURO_OF_NAME && !(type->value == OURO_OF_STR && key)))
        return 0;
    if (names_only)
        limit = OURO_VALUE_KEY_BYTES;
    bool cut;
    emitter->value.size = 0;
    if (!ouro_value_write(emit->walk->python, type, addr, limit, names_only, &emitter->value, &cut))
        return 0;
    ouro_chunk_value(&emitter->chunk, emitter->value.data, emitter->value.size);
    return OURO_OBJECT_VALUE | (cut ? OURO_OBJECT_VALUE_CUT : 0);
}

void ouro_emitter_put_line(struct ouro_emitter *emitter, const struct ouro_execution *execution)
{
    const struct ouro_line_record record = {
        .node = emitter->node, .line = execution->line, .state = (uint32_t)execution->state};
    if (ouro_snapshot_writer_line(emitter->emit->writer, &record) != OURO_OK)
        emitter->emit->walk->out_of_memory = true;
}

static void put_execution(struct ouro_emitter *emitter, const struct ouro_type *type, ouro_addr addr)
{
    struct ouro_execution execution;
    if (ouro_execution_find(emitter->emit->walk->python, type, addr, &execution))
        ouro_emitter_put_line(emitter, &execution);
}

static void put_lock(struct ouro_emitter *emitter, const struct ouro_type *type, ouro_addr addr)
{
    struct ouro_emit *emit = emitter->emit;
    struct ouro_lock_record record = {.node = emitter->node};
    ouro_futexes_meet(&emit->waits, type, addr, emitter->node);
    if (ouro_lock_is_locked(emit->walk->python, type, addr, &record.owner, &record.count) &&
        ouro_snapshot_writer_lock(emit->writer, &record) != OURO_OK)
        emit->walk->out_of_memory = true;
}

static uint64_t refcount_of(const struct ouro_layout *layout, const unsigned char *head, uint32_t *flags)
{
    uint64_t count = ouro_load_u64(head + layout->ob_refcnt);
    if (!layout->immortal)
        return count;
    if ((int32_t)(uint32_t)count < 0) {
        *flags |= OURO_OBJECT_IMMORTAL;
        return 0;
    }
    return (uint32_t)count;
}

/* The slots of an object. Where memory is damaged, what it delivers may not be what others of its shape did: such an object gets
 * no references at all, and says so. False then. */
static bool put_slots(struct ouro_emitter *emitter, const struct ouro_type *type, ouro_addr addr, uint64_t shape)
{
    struct ouro_chunk *chunk = &emitter->chunk;
    size_t edges = chunk->columns[OURO_COLUMN_EDGES].size, counts = chunk->columns[OURO_COLUMN_COUNTS].size;
    uint64_t slots = chunk->slot_count, edge_count = emitter->totals.edge_count;
    emitter->fixed = emitter->runs = 0;
    emitter->in_run = false;
    if (type->op_count)
        ouro_visit(&emitter->visitor, type, addr);
    if (emitter->fixed == OURO_SHAPE_FIXED(shape) && emitter->runs == OURO_SHAPE_RUNS(shape))
        return true;
    chunk->columns[OURO_COLUMN_EDGES].size = edges;
    chunk->columns[OURO_COLUMN_COUNTS].size = counts;
    chunk->slot_count = slots;
    emitter->totals.edge_count = edge_count;
    chunk->run_width = 0;
    for (uint32_t i = 0; i < OURO_SHAPE_FIXED(shape); i++)
        ouro_chunk_slot(chunk, emitter->node, OURO_NODE_NONE);
    for (uint32_t i = 0; i < OURO_SHAPE_RUNS(shape); i++)
        ouro_chunk_part_count(chunk, 0);
    return false;
}

static void emit_object(struct ouro_emitter *emitter, uint64_t bit)
{
    struct ouro_emit *emit = emitter->emit;
    struct ouro_walk *walk = emit->walk;
    struct ouro_python *python = walk->python;
    const struct ouro_layout *layout = python->layout;
    ouro_addr addr = ouro_image_addr(walk->image, bit << 3);
    const unsigned char *head = ouro_image_at(walk->image, addr, 16);
    struct ouro_type *type = ouro_type_cached(python, &emitter->types, ouro_load_u64(head + layout->ob_type));
    const unsigned generation = generation_of(emit, emitter->node);
    uint32_t flags = generation & OURO_OBJECT_GC_MASK;
    flags |= generation & UNTRACKED_FIRST ? OURO_OBJECT_UNTRACKED_FIRST : 0;
    if (walk->added_count)
        emitter->visitor.interpreter = ouro_walk_interpreter(walk, bit);
    uint64_t interpreter = python->interpreters[emitter->visitor.interpreter].id;
    bool shallow = walk->limited && ouro_walk_is_set(walk->shallow, bit);
    uint64_t shape = shallow ? ouro_shapes_get_bare(&emit->shapes, type, type_index(emit, type->addr))
                             : shape_of(emitter, type, addr);
    emitter->lost = false;
    emitter->visitor.torn = emitter->visitor.approximate = false;
    emitter->visitor.end = 0;
    ouro_emitter_begin_slots(emitter);
    bool fits = shallow || put_slots(emitter, type, addr, shape);
    flags |= shallow ? OURO_OBJECT_SHALLOW : 0;
    if (fits)
        ouro_emitter_put_borrowed(emitter);
    bool estimated;
    uint64_t native, size = ouro_type_sizeof(python, &emitter->visitor.sandbox, type, addr, &native, &estimated);
    uint64_t refcount = refcount_of(layout, head, &flags);
    bool noted = (type->value == OURO_OF_STR || type->value == OURO_OF_BYTES) && ouro_walk_is_set(walk->noted, ouro_walk_cell(bit));
    flags |= put_value(emitter, type, addr, noted);
    flags |= noted ? OURO_OBJECT_IS_KEY : 0;
    if (type->gc && (flags & OURO_OBJECT_GC_MASK) && ouro_python_word(python, addr - 8) & FINALIZED_BIT)
        flags |= OURO_OBJECT_FINALIZED;
    flags |= type->suspends && ouro_finalizer_in_try(python, addr) ? OURO_OBJECT_IN_TRY : 0;
    flags |= emitter->visitor.unasked && flags & OURO_OBJECT_GC_MASK ? OURO_OBJECT_UNASKED : 0;
    bool doubtful = emitter->lost && ouro_type_is_taken_at_its_word(type);
    bool approximate = type->approximate || emitter->visitor.approximate || doubtful;
    flags |= approximate ? OURO_OBJECT_APPROXIMATE : 0;
    flags |= estimated ? OURO_OBJECT_SIZE_ESTIMATED : 0;
    flags |= emitter->lost || emitter->visitor.torn || !fits ? OURO_OBJECT_TORN : 0;
    emitter->totals.approximate_count += approximate;
    if (approximate)
        __atomic_store_n(&type->met_approximate, true, __ATOMIC_RELAXED);
    emitter->totals.run_failed[emitter->visitor.end] += emitter->visitor.end != 0;
    emitter->totals.estimated_count += estimated;
    emitter->totals.torn_count += (flags & OURO_OBJECT_TORN) != 0;
    emitter->totals.size_bytes += size;
    emitter->totals.native_bytes += native;
    emitter->totals.object_count++;
    if (type->executes)
        put_execution(emitter, type, addr);
    if (type->waitable)
        put_lock(emitter, type, addr);
    ouro_chunk_object(&emitter->chunk, addr, OURO_SHAPE_NUMBER(shape), size, native, refcount, flags, interpreter);
    emitter->node++;
    if (__builtin_expect(walk->bounded && emitter->node % FOLLOW_OBJECTS == 0, 0))
        ouro_window_make_room(walk->image->window, 0);
}

static void add_totals(struct ouro_emit_totals *to, const struct ouro_emit_totals *from)
{
    to->object_count += from->object_count;
    to->pseudo_count += from->pseudo_count;
    to->edge_count += from->edge_count;
    to->size_bytes += from->size_bytes;
    to->native_bytes += from->native_bytes;
    to->approximate_count += from->approximate_count;
    to->estimated_count += from->estimated_count;
    to->torn_count += from->torn_count;
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++)
        to->run_failed[i] += from->run_failed[i];
}

/* Chunks are made in any order and appended in theirs. */
static void append(struct ouro_emitter *emitter, size_t chunk, enum ouro_status status)
{
    struct ouro_emit *emit = emitter->emit;
    pthread_mutex_lock(&emit->lock);
    while (emit->appended != chunk)
        pthread_cond_wait(&emit->turn, &emit->lock);
    if (emit->status == OURO_OK && status != OURO_OK)
        emit->status = ouro_err_set(&emit->err, status, "no memory for the columns of a chunk");
    if (emit->status == OURO_OK)
        emit->status = ouro_snapshot_writer_append(emit->writer, &emitter->blocks, &emit->err);
    if (emit->status == OURO_OK && ouro_window_failed(emit->walk->image->window))
        emit->status = ouro_window_check(emit->walk->image->window, &emit->err);
    if (emit->walk->cancel && *emit->walk->cancel && emit->status == OURO_OK)
        emit->status = ouro_err_set(&emit->err, OURO_CANCELLED, "cancelled");
    emit->appended++;
    if (emit->progress)
        emit->progress(emit->progress_context, (double)emit->appended / (double)(emit->cuts.count - 1));
    pthread_cond_broadcast(&emit->turn);
    pthread_mutex_unlock(&emit->lock);
}

static void *emit_chunks(void *argument)
{
    struct ouro_emitter *emitter = argument;
    struct ouro_emit *emit = emitter->emit;
    const struct ouro_walk *walk = emit->walk;
    for (;;) {
        size_t chunk = __atomic_fetch_add(&emit->next_chunk, 1, __ATOMIC_RELAXED);
        if (chunk + 1 >= emit->cuts.count)
            break;
        size_t first = emit->cuts.items[chunk], end = emit->cuts.items[chunk + 1];
        enum ouro_status status = __atomic_load_n(&emit->status, __ATOMIC_RELAXED);
        if (status == OURO_OK) {
            emitter->node = (ouro_node)ouro_walk_before(walk, first);
            ouro_chunk_begin(&emitter->chunk, emitter->node);
            for (size_t i = first; i < end; i++)
                for (uint64_t word = ouro_walk_marks(walk, i); word; word &= word - 1)
                    emit_object(emitter, (uint64_t)i << 6 | (unsigned)__builtin_ctzll(word));
            status = ouro_chunk_failed(&emitter->chunk) || emitter->value.failed
                         ? OURO_NOMEM
                         : ouro_blocks_add_chunk(&emitter->blocks, &emitter->chunk, emit->codec);
        }
        append(emitter, chunk, status);
    }
    return NULL;
}

/* Cuts the words of the bitmap into chunks of at most OURO_CHUNK_OBJECTS objects and CHUNK_WORDS words: what is written of a chunk at a
 * time, texts too, is hardly more than it is of memory. */
static enum ouro_status cut(struct ouro_emit *emit)
{
    const struct ouro_walk *walk = emit->walk;
    uint32_t begun = 0, before = 0;
    size_t first = 0;
    size_t *place = OURO_VEC_ADD(&emit->cuts);
    if (!place)
        return OURO_NOMEM;
    for (size_t i = 0; i < walk->word_count; i++) {
        uint32_t behind = before + ouro_walk_popcount(ouro_walk_marks(walk, i)), here = before;
        before = behind;
        first = here == begun ? i : first;
        if (behind - begun <= OURO_CHUNK_OBJECTS && i - first < CHUNK_WORDS)
            continue;
        if (!(place = OURO_VEC_ADD(&emit->cuts)))
            return OURO_NOMEM;
        *place = first = i;
        begun = here;
    }
    if (!(place = OURO_VEC_ADD(&emit->cuts)))
        return OURO_NOMEM;
    *place = walk->word_count;
    return OURO_OK;
}

static int by_address(const void *a, const void *b)
{
    ouro_addr x = (*(struct ouro_type *const *)a)->addr, y = (*(struct ouro_type *const *)b)->addr;
    return x < y ? -1 : x > y;
}

/* All types, in the order of their addresses: the file does not depend on who met a type first. */
static enum ouro_status write_types(struct ouro_emit *emit)
{
    struct ouro_python *python = emit->walk->python;
    size_t count = python->type_list.count;
    struct ouro_type **types = emit->sorted_types = malloc((count + 1) * sizeof *types);
    if (!types)
        return OURO_NOMEM;
    emit->sorted_count = count;
    if (count)
        memcpy(types, python->type_list.items, count * sizeof *types);
    qsort(types, count, sizeof *types, by_address);
    const ouro_addr of_python = ouro_finalizer_of_python(python);
    enum ouro_status status = OURO_OK;
    for (size_t i = 0; i < count && status == OURO_OK; i++) {
        uint64_t *place = ouro_map_put(&emit->type_index, types[i]->addr, NULL);
        if (place)
            *place = i;
        else
            status = OURO_NOMEM;
    }
    for (size_t i = 0; i < count && status == OURO_OK; i++) {
        const struct ouro_type *type = types[i];
        const char *name = type->name ? type->name : "", *module = type->module ? type->module : "";
        struct ouro_type_record record = {
            .addr = type->addr,
            .node = ouro_walk_node(emit->walk, type->addr),
            .name = ouro_snapshot_writer_string(emit->writer, name, strlen(name)),
            .module = ouro_snapshot_writer_string(emit->writer, module, strlen(module)),
            .flags = (type->flags & OURO_FLAG_HEAPTYPE ? OURO_TYPE_HEAP : 0) | (type->gc ? OURO_TYPE_GC : 0) |
                     (type->finalize ? OURO_TYPE_FINALIZE : 0) | (type->del ? OURO_TYPE_DEL : 0) |
                     (type->approximate ? OURO_TYPE_APPROXIMATE : 0) | (type->weakref ? OURO_TYPE_WEAKREF : 0) |
                     (type->flags & OURO_FLAG_DICT ? OURO_TYPE_DICT : 0) |
                     (type->finalize && type->finalize == of_python ? OURO_TYPE_FINALIZE_SLOT_PY : 0) |
                     (type->generic_getattr ? OURO_TYPE_GENERIC_GETATTR : 0) |
                     (type->descr_get ? OURO_TYPE_DESCR_GET : 0) | (type->descr_set ? OURO_TYPE_DESCR_SET : 0),
            .value_kind = type->value,
            .basicsize = type->basicsize,
            .itemsize = type->itemsize,
            .base = type_index(emit, type->base),
        };
        if (ouro_snapshot_writer_type(emit->writer, &record) == UINT32_MAX)
            status = OURO_NOMEM;
    }
    return status;
}

/* The incremental collector of 3.14.0 to 3.14.4 begins a full collection with untrack_tuples(young): an exact tuple none of whose items
 * may be tracked leaves the list, one after the other, so that those that refer to it may follow. */

static bool may_be_tracked(const struct ouro_emit *emit, struct ouro_emitter *asking, ouro_addr item)
{
    struct ouro_python *python = emit->walk->python;
    const unsigned char *head = ouro_image_at(emit->walk->image, item, 16);
    const struct ouro_type *type =
        head ? ouro_type_cached(python, &asking->types, ouro_load_u64(head + python->layout->ob_type)) : NULL;
    const unsigned char *bytes = type ? ouro_image_at(emit->walk->image, item, type->extent) : NULL;
    if (!bytes || !ouro_type_is_asked(python, &asking->visitor.sandbox, type, item, bytes))
        return !bytes;
    if (type->addr != python->tuple_type)
        return true;
    ouro_node node = ouro_walk_node(emit->walk, item);
    bool left = node != OURO_NODE_NONE && generation_of(emit, node) & UNTRACKED_FIRST;
    return !left && ouro_python_word(python, item - 16);
}

static bool is_untracked_first(const struct ouro_emit *emit, struct ouro_emitter *asking, ouro_addr object)
{
    struct ouro_python *python = emit->walk->python;
    uint64_t count;
    if (ouro_python_word(python, object + (ouro_addr)python->layout->ob_type) != python->tuple_type)
        return false;
    const unsigned char *items = ouro_python_tuple(python, object, &count);
    for (uint64_t i = 0; items && i < count; i++) {
        ouro_addr item = ouro_load_u64(items + 8 * i);
        if (!item || may_be_tracked(emit, asking, item)) /* with a NULL it is not finished */
            return false;
    }
    return items != NULL;
}

struct ordering {
    struct ouro_emit *emit;
    struct ouro_tracked *tracked;
    ouro_addr *buffer; /* owned; ORDER_BATCH */
    ouro_node *nodes;  /* owned; ORDER_BATCH */
};

/* Each part of the list in turn. */
static enum ouro_status each_batch(const struct ordering *ordering,
                                   enum ouro_status (*visit)(const struct ordering *, const ouro_addr *, size_t count))
{
    const struct ouro_tracked *tracked = ordering->tracked;
    for (size_t i = 0; i < tracked->count; i += ORDER_BATCH) {
        size_t count = tracked->count - i < ORDER_BATCH ? tracked->count - i : ORDER_BATCH;
        const ouro_addr *items = ouro_tracked_read(tracked, i, count, ordering->buffer);
        if (!items)
            return ouro_err_sys(&ordering->emit->err, errno, "can't read the collector's lists beside the snapshot");
        OURO_TRY(visit(ordering, items, count));
    }
    return OURO_OK;
}

static enum ouro_status find_untracked_first(const struct ordering *ordering, const ouro_addr *items, size_t count)
{
    struct ouro_emit *emit = ordering->emit;
    struct ouro_emitter asking = {.emit = emit};
    for (size_t i = 0; i < count; i++)
        if (is_untracked_first(emit, &asking, items[i]))
            add_generation(emit, ouro_walk_node(emit->walk, items[i]), UNTRACKED_FIRST);
    return OURO_OK;
}

static enum ouro_status write_part(const struct ordering *ordering, const ouro_addr *items, size_t count)
{
    struct ouro_emit *emit = ordering->emit;
    const struct ouro_tracked *tracked = ordering->tracked;
    for (size_t i = 0; i < count; i++) {
        ordering->nodes[i] = ouro_walk_node(emit->walk, items[i]);
        set_generation(emit, ordering->nodes[i], tracked->list + 1);
    }
    return ouro_snapshot_writer_gc_order(emit->writer, tracked->interpreter, tracked->list, ordering->nodes, count, &emit->err);
}

/* The collector's lists in their order, and by it each object's generation. */
static enum ouro_status write_order(struct ouro_emit *emit)
{
    struct ouro_walk *walk = emit->walk;
    struct ordering ordering = {.emit = emit,
                                .buffer = malloc(ORDER_BATCH * sizeof *ordering.buffer),
                                .nodes = malloc(ORDER_BATCH * sizeof *ordering.nodes)};
    enum ouro_status status = ordering.buffer && ordering.nodes ? OURO_OK : OURO_NOMEM;
    for (size_t l = 0; l < walk->tracked.count && status == OURO_OK; l++) {
        struct ouro_tracked *tracked = ordering.tracked = &walk->tracked.items[l];
        status = each_batch(&ordering, write_part);
        if (status == OURO_OK && walk->python->layout->gc_visited_space >= 0 && !tracked->list && !tracked->completed)
            status = each_batch(&ordering, find_untracked_first);
        ouro_tracked_release(tracked); /* its count stays: the interpreter's record wants it */
    }
    free(ordering.buffer);
    free(ordering.nodes);
    return status;
}

static enum ouro_status write_interpreters(struct ouro_emit *emit)
{
    struct ouro_walk *walk = emit->walk;
    for (size_t i = 0; i < walk->python->interpreter_count; i++) {
        struct ouro_interpreter_record record = {.id = walk->python->interpreters[i].id,
                                                 .garbage = OURO_NODE_NONE,
                                                 .callbacks = OURO_NODE_NONE};
        struct ouro_gc_state gc;
        if (ouro_state_gc(walk->python, &walk->python->interpreters[i], &gc)) {
            record.gc_enabled = gc.enabled;
            record.gc_debug = gc.debug;
            record.gc_collecting = gc.collecting;
            memcpy(record.threshold, gc.threshold, sizeof record.threshold);
            memcpy(record.count, gc.count, sizeof record.count);
            memcpy(record.collections, gc.collections, sizeof record.collections);
            memcpy(record.collected, gc.collected, sizeof record.collected);
            memcpy(record.uncollectable, gc.uncollectable, sizeof record.uncollectable);
            record.long_lived_total = gc.long_lived_total;
            record.long_lived_pending = gc.long_lived_pending;
            record.garbage = ouro_walk_node(walk, gc.garbage);
            record.callbacks = ouro_walk_node(walk, gc.callbacks);
        }
        for (size_t l = 0; l < walk->tracked.count; l++) {
            const struct ouro_tracked *tracked = &walk->tracked.items[l];
            if (tracked->interpreter != record.id)
                continue;
            if (tracked->list < OURO_GENERATION_COUNT)
                record.tracked[tracked->list] += tracked->count;
            else
                record.frozen = tracked->count;
        }
        OURO_TRY(ouro_snapshot_writer_interpreter(emit->writer, &record));
    }
    return OURO_OK;
}

static void emitter_init(struct ouro_emitter *emitter, struct ouro_emit *emit)
{
    emitter->emit = emit;
    emitter->visitor.python = emit->walk->python;
    emitter->visitor.context = emitter;
    emitter->visitor.slots = ouro_emitter_slots;
    emitter->visitor.run_begin = on_run_begin;
    emitter->visitor.run = on_run;
    emitter->visitor.is_namespace = is_namespace;
    emitter->visitor.borrowed = on_borrowed;
}

static void emitter_fini(struct ouro_emitter *emitter)
{
    add_totals(&emitter->emit->totals, &emitter->totals);
    ouro_chunk_fini(&emitter->chunk);
    ouro_blocks_fini(&emitter->blocks);
    ouro_buf_fini(&emitter->value);
    free(emitter->borrowed.items);
}

static enum ouro_status emit_objects(struct ouro_emit *emit)
{
    unsigned count = emit->walk->thread_count;
    struct ouro_emitter *emitters = calloc(count, sizeof *emitters);
    pthread_t threads[64];
    unsigned started = 0;
    if (!emitters)
        return OURO_NOMEM;
    for (unsigned i = 0; i < count; i++)
        emitter_init(&emitters[i], emit);
    for (unsigned i = 1; i < count; i++)
        if (pthread_create(&threads[started], NULL, emit_chunks, &emitters[i]) == 0)
            started++;
    emit_chunks(&emitters[0]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    enum ouro_status status = emit->status;
    if (status == OURO_OK)
        status = ouro_emitter_pseudo(&emitters[0]);
    for (unsigned i = 0; i < count; i++)
        emitter_fini(&emitters[i]);
    free(emitters);
    return (emit->shapes.failed || emit->walk->out_of_memory) && status == OURO_OK ? OURO_NOMEM : status;
}

enum ouro_status ouro_emit(struct ouro_walk *walk, struct ouro_snapshot_writer *writer,
                           const struct ouro_emit_options *options, struct ouro_emit_totals *totals,
                           struct ouro_err *err)
{
    struct ouro_emit emit = {
        .walk = walk,
        .writer = writer,
        .values = options->values,
        .codec = options->codec,
        .progress = options->progress,
        .progress_context = options->progress_context,
    };
    pthread_mutex_init(&emit.lock, NULL);
    pthread_cond_init(&emit.turn, NULL);
    ouro_shapes_init(&emit.shapes, writer);
    ouro_window_make_room(walk->image->window, walk->object_count / 2);
    emit.generations = calloc((size_t)walk->object_count / 2 + 1, 1);
    enum ouro_status status = emit.generations ? cut(&emit) : OURO_NOMEM;
    if (status == OURO_OK)
        status = ouro_futexes_init(&emit.waits, walk->python, options->thread_states, options->thread_state_count);
    if (status == OURO_OK)
        status = write_types(&emit);
    if (status == OURO_OK)
        status = write_order(&emit);
    if (status == OURO_OK)
        status = emit_objects(&emit);
    if (status == OURO_OK)
        status = write_interpreters(&emit);
    *totals = emit.totals;
    free(emit.generations);
    free(emit.sorted_types);
    free(emit.cuts.items);
    ouro_map_fini(&emit.type_index);
    ouro_futexes_fini(&emit.waits);
    ouro_shapes_fini(&emit.shapes);
    pthread_cond_destroy(&emit.turn);
    pthread_mutex_destroy(&emit.lock);
    if (ouro_window_failed(walk->image->window))
        return ouro_window_check(walk->image->window, err);
    if (status != OURO_OK)
        return emit.err.msg[0] ? ouro_err_set(err, status, "%s", emit.err.msg)
                               : ouro_err_set(err, status, "no memory for writing the snapshot");
    return OURO_OK;
}
