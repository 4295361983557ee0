/* The code that a collection would run before it frees anything, and in which order.
 *
 * As CPython does (3.11 Modules/gcmodule.c, 3.15 Python/gc.c): first handle_weakrefs, the callbacks of weak references
 * that are not garbage themselves, by the order of their referents in the unreachable list, of one referent the newest
 * first; then finalize_garbage, tp_finalize of each object that it has not run for, in the list's order. What is freed
 * along with the garbage without being the collector's own business has finalizers too; when they run nobody knows.
 *
 * How old a weak reference is the collector's lists tell: exactly among those that no collection has seen, else as far
 * as its moving of objects left them in order. A finalizer may change what those behind it find: the order is that in
 * which they would run if none did. */
#ifndef OURO_ANALYSIS_FINALIZERS_H
#define OURO_ANALYSIS_FINALIZERS_H

#include "analysis/collector.h"
#include "base/buf.h"

enum ouro_finalizer_stage {
    OURO_FINALIZER_CALLBACK,   /* of a weak reference */
    OURO_FINALIZER_FINALIZE,   /* tp_finalize */
    OURO_FINALIZER_WHEN_FREED, /* of what hangs off; in no order */
};

enum ouro_finalizer_kind {
    OURO_FINALIZER_WEAKREF,
    OURO_FINALIZER_WEAKREF_FINALIZE, /* weakref.finalize */
    OURO_FINALIZER_DEL,              /* __del__ in Python */
    OURO_FINALIZER_GENERATOR,        /* suspended inside of a try or with; so the next two */
    OURO_FINALIZER_COROUTINE,
    OURO_FINALIZER_ASYNC_GENERATOR,
    OURO_FINALIZER_NATIVE, /* tp_finalize in C */
    OURO_FINALIZER_LEGACY, /* tp_del of what is freed all the same */
    OURO_FINALIZER_KIND_COUNT
};

struct ouro_finalizer {
    ouro_node node;     /* what is finalized, or the referent */
    ouro_node weakref;  /* whose callback it is, or OURO_NODE_NONE */
    ouro_node callable; /* what is called (of weakref.finalize: its function), or OURO_NODE_NONE */
    uint8_t stage, kind;
    bool unsure; /* one of several callbacks of one object, older than the last collection: they may run in another
                    order */
};

struct ouro_finalizers {
    struct ouro_finalizer *items; /* owned; in order, those without one last */
    size_t count, capacity;
    size_t ordered_count;
    uint64_t unsure_count;
    uint64_t kind_count[OURO_FINALIZER_KIND_COUNT];
    ouro_node *finished; /* owned: garbage whose finalizer has run, so that it runs no more; in list order */
    size_t finished_count;
    uint64_t idle_count; /* generators and coroutines that are closed without running anything */
};

/* The columns that it needs (loads them itself). */
#define OURO_FINALIZERS_COLUMNS (OURO_COLLECTOR_COLUMNS | OURO_HEAP_GC_ORDER | OURO_HEAP_VALUES | OURO_HEAP_ADDR)

/* freed: by object, nonzero for what the collection frees, hanging off or not. 1 byte an object, 4 more where weak
 * references have callbacks, and 16 a finalizer. O(objects). */
enum ouro_status ouro_finalizers_init(struct ouro_finalizers *finalizers, struct ouro_heap_model *model,
                                      const struct ouro_collector *collector, const struct ouro_collection_order *order,
                                      const uint8_t *freed, struct ouro_err *err);
void ouro_finalizers_fini(struct ouro_finalizers *finalizers);

/* The names that --json and tests use. */
const char *ouro_finalizer_kind_name(unsigned kind);
const char *ouro_finalizer_stage_name(unsigned stage);
/* What it would do, in words. */
void ouro_finalizer_describe(struct ouro_buf *out, const struct ouro_heap_model *model,
                             const struct ouro_finalizer *finalizer);

#endif
