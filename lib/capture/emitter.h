/* What the threads that write a snapshot share, and what each has; emit.c has the objects, emit_pseudo.c the rest.
 * Internal to lib/capture. */
#ifndef OURO_CAPTURE_EMITTER_H
#define OURO_CAPTURE_EMITTER_H

#include <pthread.h>

#include "capture/emit.h"
#include "capture/futexes.h"
#include "capture/shape.h"

#define OURO_SHAPE_CACHE_SLOTS 1024u

/* Shared. */
struct ouro_emit {
    struct ouro_walk *walk;
    struct ouro_snapshot_writer *writer;
    enum ouro_values values;
    enum ouro_codec codec;
    struct ouro_shapes shapes;
    unsigned char *generations; /* four bits a node: those of OURO_OBJECT_GC_MASK, and another */
    struct { size_t *items; size_t count, capacity; } cuts; /* first word of each chunk, and one behind the last */
    size_t next_chunk;   /* atomic */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    size_t appended;
    enum ouro_status status;
    struct ouro_err err;
    struct ouro_emit_totals totals;
    void (*progress)(void *context, double part);
    void *progress_context;
    struct ouro_futexes waits;
    uint32_t thread_count; /* written so far */
    struct ouro_type **sorted_types; /* owned: by address */
    size_t sorted_count;
    struct ouro_map type_index; /* type's address -> index among the snapshot's types */
};

/* Of a thread. */
struct ouro_emitter {
    struct ouro_emit *emit; /* borrowed */
    struct ouro_visitor visitor;
    struct ouro_type_cache types;
    struct ouro_chunk chunk;
    struct ouro_blocks blocks;
    struct ouro_buf value;
    struct ouro_emit_totals totals;
    ouro_node node;
    bool lost; /* a target of the current object is no object */
    bool in_run;
    uint32_t fixed, runs; /* delivered for the current object */
    uint64_t first_slot;  /* of the current object */
    ouro_node last_target;
    struct {
        uint64_t *items;
        size_t count, capacity;
    } borrowed; /* slots of the current object */
    struct {
        uint64_t key, shape;
    } shape_cache[OURO_SHAPE_CACHE_SLOTS];
};

/* The visitor's slots of the present object, into the chunk. */
void ouro_emitter_slots(void *context, const ouro_addr *targets, size_t count);
/* Where the present object, a frame or something that executes, stands. */
void ouro_emitter_put_line(struct ouro_emitter *emitter, const struct ouro_execution *execution);
/* The pseudo objects, behind all others; the threads, and what they wait for. One emitter does it, once the objects are
 * written. OURO_NOMEM, or emit->err says why the file could not be written. */
enum ouro_status ouro_emitter_pseudo(struct ouro_emitter *emitter);

static inline void ouro_emitter_begin_slots(struct ouro_emitter *emitter)
{
    emitter->first_slot = emitter->chunk.slot_count;
    emitter->borrowed.count = 0;
}

/* Which of the slots since ouro_emitter_begin_slots hold no reference of their own. */
static inline void ouro_emitter_put_borrowed(struct ouro_emitter *emitter)
{
    for (size_t i = 0; i < emitter->borrowed.count; i++)
        if (ouro_snapshot_writer_borrowed(emitter->emit->writer, emitter->node, emitter->borrowed.items[i]) != OURO_OK)
            emitter->emit->walk->out_of_memory = true;
}

#endif
