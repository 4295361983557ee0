/* The first page about a snapshot: what it is of, how much, and what is worth a look. */
#ifndef OURO_ANALYSIS_INFO_H
#define OURO_ANALYSIS_INFO_H

#include "analysis/histogram.h"
#include "analysis/roots.h"
#include "analysis/tasks.h"
#include "analysis/waits.h"
#include "base/buf.h"

enum ouro_finding_kind {
    OURO_FINDING_DAMAGED,           /* parts of the file are lost */
    OURO_FINDING_NOT_STOPPED,       /* captured from a running process */
    OURO_FINDING_COLLECTING,        /* the collector was at work */
    OURO_FINDING_INCONSISTENT,      /* counts smaller than the references that were found */
    OURO_FINDING_UNREADABLE,        /* references left out, by reason */
    OURO_FINDING_CORE_MISSING,      /* what the core did not hold */
    OURO_FINDING_TORN,              /* objects of which a part could not be read */
    OURO_FINDING_GARBAGE,           /* unreachable, waiting for the collector */
    OURO_FINDING_COLLECTOR_OFF,     /* gc.disable() */
    OURO_FINDING_UNCOLLECTABLE,     /* gc.garbage holds something */
    OURO_FINDING_SAVEALL,           /* gc.DEBUG_SAVEALL keeps all garbage */
    OURO_FINDING_FROZEN,            /* gc.freeze() was called */
    OURO_FINDING_APPROXIMATE,       /* types that the generic visitor read */
    OURO_FINDING_RUN_FAILED,        /* objects whose type's code could not be run, by reason */
    OURO_FINDING_DISAGREED,         /* types whose visitor differed from the type's own code, and was not used */
    OURO_FINDING_ESTIMATED,         /* sizes by tp_basicsize only */
    OURO_FINDING_HUNG,              /* threads that can't go on, and why (waits.h); one for each reason */
    OURO_FINDING_UNEXPLAINED,       /* reference counts that nothing known explains (unexplained.h); one for each type */
};

struct ouro_finding {
    enum ouro_finding_kind kind;
    uint64_t count;
    struct ouro_buf text; /* one sentence, UTF-8, not yet escaped for any medium */
    const char *command;  /* what shows more: "ouro garbage"; NULL: nothing does */
};

struct ouro_info {
    uint64_t object_count, root_count, frame_count, reference_count; /* references: owned ones */
    uint64_t size_bytes, native_bytes;
    uint64_t tracked_count[OURO_GENERATION_COUNT], frozen_count, untracked_count;
    uint64_t immortal_count, finalized_count, approximate_count, torn_count, estimated_count, lost_count;
    uint64_t inconsistent_count, unreachable_count, unreachable_bytes;
    uint64_t approximate_type_count;
    uint64_t checked_count, check_impossible_count; /* compared with their types' own code; 0 in old snapshots */
    bool exact; /* all references were read, and none was guessed */
    struct ouro_histogram types; /* by size */
    struct ouro_findings {
        struct ouro_finding *items; /* owned */
        size_t count, capacity;
    } findings;
};

/* The name that --json and tests use ("garbage", "collector_off", ...). */
const char *ouro_finding_name(enum ouro_finding_kind kind);
/* Adds, in front of the others, what looks hung. */
enum ouro_status ouro_info_add_hangs(struct ouro_info *info, const struct ouro_waits *waits,
                                     const struct ouro_tasks *tasks, struct ouro_err *err);
/* Adds the findings that need roots. */
enum ouro_status ouro_info_add_unexplained(struct ouro_info *info, const struct ouro_roots *roots, struct ouro_err *err);
/* Whether it says how far the rest can be believed, and not what is worth a look by itself. */
bool ouro_finding_is_doubt(enum ouro_finding_kind kind);

/* Loads what the collector's computation needs. Python 3.12 and 3.13 move immortal objects to the permanent generation
 * by themselves: those are no finding. */
enum ouro_status ouro_info_init(struct ouro_info *info, struct ouro_heap_model *model, struct ouro_err *err);
/* The same where the collector's computation (of a full collection) is there already. */
enum ouro_status ouro_info_init_with(struct ouro_info *info, struct ouro_heap_model *model,
                                     const struct ouro_collector *collector, struct ouro_err *err);
void ouro_info_fini(struct ouro_info *info);

/* The kernel's number of the thread that was inside a collection of that interpreter; 0: none was, or unknown. */
uint64_t ouro_info_collecting_thread(const struct ouro_snapshot *snapshot, uint64_t interpreter);

#endif
