/* From a PID, or a core, to a snapshot file: the whole capture. */
#ifndef OURO_CAPTURE_DUMP_H
#define OURO_CAPTURE_DUMP_H

#include "base/err.h"
#include "capture/emit.h"
#include "capture/session.h"

struct ouro_dump_options {
    struct ouro_session_options session; /* its names_only follows from `values` */
    const char *path; /* of the snapshot */
    bool overwrite;
    enum ouro_values values;
    enum ouro_codec codec;
};

/* Zero-initialised is empty. */
struct ouro_dump_result {
    struct ouro_emit_totals totals;
    char version[16];           /* of CPython */
    uint64_t file_bytes, copied_bytes, pause_ns, duration_ns;
    uint64_t reap_ns; /* of fork mode: how long it stood still once more, to take leave of the copy; 0: not yet */
    uint64_t tracked_count, type_count;
    uint64_t approximate_type_count; /* types with approximate objects */
    uint64_t checked_count, check_impossible_count; /* comparisons of objects with their type's own code; those that could not be */
    uint64_t disagreed_type_count; /* types whose native visitor was found wrong, and not used */
    struct ouro_buf disagreed_types; /* owned; their names, sorted, each with a NUL behind it */
    enum ouro_session_sandbox sandbox; /* whether types' own code could be run */
    char no_sandbox_reason[128];
    uint64_t unreadable[OURO_UNREADABLE_COUNT];
    pid_t pid;
    struct ouro_buf core_lacks; /* owned; what the core does not hold (core.h), a sentence each with a NUL behind it */
    bool collecting;            /* it was inside of a garbage collection that did not end, or a core is from there */
    uint64_t completed_count;   /* then: objects that were on no list of the collector's own */
    uint64_t collecting_thread; /* then: the kernel's number of the thread that collects; 0 unknown */
    unsigned stop_count;        /* stops that it took: more than one when a collection was running */
    enum ouro_session_mode mode; /* that was taken; not of a core */
    char mode_reason[200];       /* why this one, where nobody asked for it; "": it was asked for */
    char inconsistent[252];     /* why it is not all of one moment; "": it is */
    bool output_failed;         /* what failed was writing the file, not reading the target */
    bool not_python;            /* with OURO_UNSUPPORTED: a process that could be read, but no CPython */
    uint64_t memory_bytes;       /* the limit that held; of a process */
    uint64_t window_bytes;       /* of memory through which the process was read; 0: it was copied at once */
    uint64_t window_loads_bytes; /* then: what was read of it in all */
    /* Where the time went. */
    uint64_t prepare_ns, finish_ns, walk_ns, write_ns;
};

/* OURO_GONE: no such process, or it ended meanwhile. OURO_DENIED, OURO_UNSUPPORTED: can't be read, err says why and what to do.
 * OURO_INVAL: the file exists. OURO_LIMIT: it could not be stopped for too long. OURO_BADDATA: it is not as CPython
 * should be. OURO_CANCELLED. However it ends, the target goes on and no unfinished file is left. */
enum ouro_status ouro_dump(const struct ouro_dump_options *options, struct ouro_dump_result *result,
                           struct ouro_err *err);
/* Only what threads and tasks stand on, with a stop as short as can be (stack.h), and into memory: *fd is a snapshot
 * (ouro_heap_model_open_fd takes it), and no file appears. A core is captured whole. options->path is of no matter. Errors as above. */
enum ouro_status ouro_dump_stacks(const struct ouro_dump_options *options, struct ouro_dump_result *result, int *fd,
                                  struct ouro_err *err);
void ouro_dump_result_fini(struct ouro_dump_result *result);

#endif
