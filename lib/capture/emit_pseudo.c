#include "capture/emitter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* The pseudo objects' shapes hang off two types of their own. */
struct pseudo_types {
    uint32_t root, frame;
};

static struct pseudo_types write_pseudo_types(struct ouro_emit *emit)
{
    struct ouro_type_record record = {.node = OURO_NODE_NONE,
                                      .flags = OURO_TYPE_PSEUDO,
                                      .value_kind = OURO_VALUE_NAME,
                                      .base = UINT32_MAX};
    struct pseudo_types types;
    record.name = ouro_snapshot_writer_string(emit->writer, "<root>", 6);
    types.root = ouro_snapshot_writer_type(emit->writer, &record);
    record.name = ouro_snapshot_writer_string(emit->writer, "<frame>", 7);
    types.frame = ouro_snapshot_writer_type(emit->writer, &record);
    return types;
}

static bool never_namespace(void *context, ouro_addr dict)
{
    (void)context;
    (void)dict;
    return false;
}

/* The slots of a frame that a thread runs, or of one inside a generator that its tp_traverse leaves out. */
static void visit_pseudo_frame(struct ouro_visitor *visitor, const struct ouro_pseudo *pseudo)
{
    if (!pseudo->generator) {
        ouro_visit_frame(visitor, pseudo->frame, true);
    } else {
        if (visitor->part)
            visitor->part(visitor->context, OURO_SLOTS_FIELD, OURO_CLASS_WEAK, "generator");
        if (visitor->slots)
            visitor->slots(visitor->context, &pseudo->generator, 1);
        ouro_visit_frame_rest(visitor, pseudo->frame, pseudo->running);
    }
    ouro_visit_end(visitor);
}

static uint32_t pseudo_shape(struct ouro_emit *emit, const struct pseudo_types *types, const struct ouro_pseudo *pseudo)
{
    struct ouro_shape_builder builder = {.shapes = &emit->shapes};
    bool frame = pseudo->kind == OURO_PSEUDO_FRAME;
    uint64_t *place = NULL;
    bool added = true;
    if (frame || pseudo->kind == OURO_PSEUDO_THREAD) { /* many with the same parts */
        ouro_addr code =
            ouro_python_word(emit->walk->python, pseudo->frame + (ouro_addr)emit->walk->python->layout->iframe_code);
        uint64_t key = (frame ? code * 8 + 1 + 2 * (pseudo->generator != 0) + 4 * pseudo->running : 0) |
                       UINT64_C(1) << 63;
        place = ouro_map_put(&emit->shapes.by_variant, key, &added);
        if (place && !added)
            return (uint32_t)*place;
    }
    if (frame) {
        struct ouro_visitor visitor = {.python = emit->walk->python,
                                       .context = &builder,
                                       .part = ouro_shape_builder_part,
                                       .is_namespace = never_namespace};
        visit_pseudo_frame(&visitor, pseudo);
    }
    for (size_t i = 0; i < pseudo->field_count; i++)
        ouro_shape_builder_part(&builder, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED,
                                emit->walk->fields.items[pseudo->first_field + i].label);
    if (pseudo->kind == OURO_PSEUDO_THREAD)
        ouro_shape_builder_part(&builder, OURO_SLOTS_NAMED, OURO_CLASS_TRAVERSED, "frames");
    if (pseudo->kind == OURO_PSEUDO_STATIC_TYPES)
        ouro_shape_builder_part(&builder, OURO_SLOTS_NAMED, OURO_CLASS_TRAVERSED, "types");
    uint32_t shape = builder.failed ? UINT32_MAX
                                    : ouro_snapshot_writer_shape(emit->writer, frame ? types->frame : types->root,
                                                                 builder.parts.items, (uint32_t)builder.parts.count);
    free(builder.parts.items);
    if (place)
        *place = shape;
    return shape;
}

static void put_thread_frames(struct ouro_emitter *emitter, const struct ouro_pseudo *pseudo)
{
    ouro_node first = emitter->emit->walk->object_count;
    ouro_chunk_run(&emitter->chunk, emitter->node, 1);
    for (size_t i = 0; i < pseudo->frame_count; i++) {
        emitter->totals.edge_count++;
        ouro_chunk_slot(&emitter->chunk, emitter->node, first + (ouro_node)(pseudo->first_frame + i));
    }
    ouro_chunk_part_count(&emitter->chunk, pseudo->frame_count);
}

static void put_static_types(struct ouro_emitter *emitter)
{
    const struct ouro_emit *emit = emitter->emit;
    uint64_t count = 0;
    ouro_chunk_run(&emitter->chunk, emitter->node, 1);
    for (size_t i = 0; i < emit->sorted_count; i++) {
        const struct ouro_type *type = emit->sorted_types[i];
        if (type->flags & OURO_FLAG_HEAPTYPE)
            continue;
        ouro_emitter_slots(emitter, &type->addr, 1);
        count++;
    }
    ouro_chunk_part_count(&emitter->chunk, count);
}

static enum ouro_status write_thread(struct ouro_emit *emit, const struct ouro_pseudo *pseudo, ouro_node node)
{
    struct ouro_thread_record record = {
        .interpreter = pseudo->interpreter,
        .ident = pseudo->thread.ident,
        .native_id = pseudo->thread.native_id,
        .name = ouro_snapshot_writer_string(emit->writer, pseudo->thread.name, strlen(pseudo->thread.name)),
        .state = '?',
        .syscall = -1,
        .holds_gil = pseudo->thread.holds_gil,
        .root = node,
    };
    const struct ouro_thread_state *state = ouro_futexes_state(&emit->waits, record.ident, record.native_id);
    if (state) {
        if (!emit->walk->names_only) /* since 3.14 threading gives its names to the system as well */
            record.comm = ouro_snapshot_writer_string(emit->writer, state->comm, strlen(state->comm));
        record.state = state->state;
        record.syscall = state->syscall;
    }
    struct ouro_wait_record wait = {.thread = emit->thread_count++};
    /* Who holds the GIL may sleep for a moment for its mutex, to let go of it. */
    if (state && ouro_futexes_find(&emit->waits, state, &wait) && !(record.holds_gil && wait.kind == OURO_WAIT_GIL)) {
        record.syscall = record.syscall < 0 ? -1 : SYS_futex; /* also of one that was begun again */
        OURO_TRY(ouro_snapshot_writer_wait(emit->writer, &wait));
    }
    return ouro_snapshot_writer_thread(emit->writer, &record);
}

enum ouro_status ouro_emitter_pseudo(struct ouro_emitter *emitter)
{
    struct ouro_emit *emit = emitter->emit;
    struct ouro_walk *walk = emit->walk;
    struct pseudo_types types = write_pseudo_types(emit);
    emitter->node = walk->object_count;
    ouro_chunk_begin(&emitter->chunk, emitter->node);
    for (size_t i = 0; i < walk->pseudo.count; i++) {
        const struct ouro_pseudo *pseudo = &walk->pseudo.items[i];
        uint32_t shape = pseudo_shape(emit, &types, pseudo);
        if (shape == UINT32_MAX)
            return OURO_NOMEM;
        emitter->lost = false;
        emitter->visitor.torn = false;
        ouro_emitter_begin_slots(emitter);
        if (pseudo->kind == OURO_PSEUDO_FRAME) {
            visit_pseudo_frame(&emitter->visitor, pseudo);
            ouro_emitter_put_line(emitter, &pseudo->execution);
        }
        ouro_emitter_put_borrowed(emitter);
        for (size_t f = 0; f < pseudo->field_count; f++)
            ouro_emitter_slots(emitter, &walk->fields.items[pseudo->first_field + f].target, 1);
        if (pseudo->kind == OURO_PSEUDO_THREAD) {
            put_thread_frames(emitter, pseudo);
            OURO_TRY(write_thread(emit, pseudo, emitter->node));
        }
        if (pseudo->kind == OURO_PSEUDO_STATIC_TYPES)
            put_static_types(emitter);
        uint32_t flags = OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE |
                         (emitter->lost || emitter->visitor.torn || pseudo->torn ? OURO_OBJECT_TORN : 0);
        ouro_chunk_value(&emitter->chunk, pseudo->name, strlen(pseudo->name));
        ouro_chunk_object(&emitter->chunk, OURO_PSEUDO_BASE + 8 * (ouro_addr)i, shape, 0, 0, 0, flags,
                          pseudo->interpreter);
        emitter->totals.pseudo_count++;
        emitter->node++;
        if (emitter->chunk.count == OURO_CHUNK_OBJECTS || i + 1 == walk->pseudo.count) {
            OURO_TRY(ouro_chunk_failed(&emitter->chunk) ? OURO_NOMEM
                                                        : ouro_blocks_add_chunk(&emitter->blocks, &emitter->chunk,
                                                                                emit->codec));
            OURO_TRY(ouro_snapshot_writer_append(emit->writer, &emitter->blocks, &emit->err));
            ouro_chunk_begin(&emitter->chunk, emitter->node);
        }
    }
    return OURO_OK;
}
