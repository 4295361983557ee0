/* When the collector would run by itself, by its thresholds and counts.
 *
 * gc_select_generation, gc_collect_generations (CPython 3.8 to 3.11 Modules/gcmodule.c, 3.12 on Python/gc.c): with one
 * allocation more than threshold 0 the oldest generation whose count is above its threshold is collected; generation 2
 * only when what survived since the last full collection is a quarter of what that one left. */
#ifndef OURO_ANALYSIS_SCHEDULE_H
#define OURO_ANALYSIS_SCHEDULE_H

#include "analysis/heap_model.h"
#include "base/buf.h"

#define OURO_GC_DEBUG_STATS         1u /* CPython 3.11 Modules/gcmodule.c, 3.13 pycore_gc.h: _PyGC_DEBUG_... */
#define OURO_GC_DEBUG_COLLECTABLE   2u
#define OURO_GC_DEBUG_UNCOLLECTABLE 4u
#define OURO_GC_DEBUG_SAVEALL       32u

enum ouro_schedule_kind {
    OURO_SCHEDULE_DISABLED,   /* gc.disable() */
    OURO_SCHEDULE_NEVER,      /* threshold 0 is 0 */
    OURO_SCHEDULE_COLLECTING, /* one was running */
    OURO_SCHEDULE_WAITING,
};

struct ouro_schedule {
    enum ouro_schedule_kind kind;
    bool incremental;     /* no generations: each collection takes up a part of the older objects */
    uint64_t allocations; /* more than are freed, until the next one */
    unsigned generation;  /* the one that it is of */
    uint64_t until_full;  /* collections of generation 1 after which a full one is due; 0: it is */
    uint64_t survivors;   /* that are missing to the quarter; 0: none */
};

void ouro_schedule_of(struct ouro_schedule *schedule, const struct ouro_heap_model *model,
                      const struct ouro_interpreter_record *interpreter);
/* "disabled", "never", "collecting", "waiting" */
const char *ouro_schedule_kind_name(enum ouro_schedule_kind kind);
/* One sentence or two, without a full stop. */
void ouro_schedule_describe(struct ouro_buf *out, const struct ouro_schedule *schedule);

#endif
