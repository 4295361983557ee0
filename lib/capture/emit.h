/* From a numbered walk to a snapshot: every object in address order, then the pseudo objects. */
#ifndef OURO_CAPTURE_EMIT_H
#define OURO_CAPTURE_EMIT_H

#include "capture/walk.h"
#include "emulate/machine.h"
#include "snapshot/writer.h"

enum ouro_values {
    OURO_VALUES_SHORT, /* texts up to OURO_VALUE_SHORT_BYTES, keys up to OURO_VALUE_KEY_BYTES */
    OURO_VALUES_FULL,
    OURO_VALUES_NONE, /* only names of types, modules, functions, attributes */
};
#define OURO_VALUE_SHORT_BYTES 64u
#define OURO_VALUE_KEY_BYTES 256u
#define OURO_VALUE_FULL_BYTES (16u << 20)

struct ouro_emit_totals {
    uint64_t run_failed[OURO_MACHINE_END_COUNT]; /* objects whose type's code could not be run, by reason */
    uint64_t object_count, pseudo_count;
    uint64_t edge_count; /* stored slots that are not empty, those of pseudo objects too */
    uint64_t size_bytes, native_bytes;
    uint64_t approximate_count, estimated_count, torn_count;
};

struct ouro_emit_options {
    enum ouro_values values;
    enum ouro_codec codec;
    const struct ouro_thread_state *thread_states; /* borrowed; what /proc said of the threads */
    size_t thread_state_count;
    void (*progress)(void *context, double part); /* may be NULL; called under a lock, from any thread */
    void *progress_context;
};

enum ouro_status ouro_emit(struct ouro_walk *walk, struct ouro_snapshot_writer *writer,
                           const struct ouro_emit_options *options, struct ouro_emit_totals *totals,
                           struct ouro_err *err);

#endif
