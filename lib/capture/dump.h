/* From a PID to a snapshot file: the whole capture.
 *
 * The target stands still only while its pages are copied; everything is interpreted afterwards, from the copy. */
#ifndef OURO_CAPTURE_DUMP_H
#define OURO_CAPTURE_DUMP_H

#include <signal.h>
#include <sys/types.h>

#include "base/err.h"
#include "capture/emit.h"

enum ouro_dump_phase {
    OURO_DUMP_PREPARE,
    OURO_DUMP_COPY,
    OURO_DUMP_WALK,
    OURO_DUMP_WRITE,
};

struct ouro_dump_options {
    bool self_check; /* compare every object that a native visitor visits with what its type's own code says */
    bool no_sandbox; /* never run a type's code in the sandbox: what it would tell is approximate */
    pid_t pid;
    const char *path; /* of the snapshot */
    bool overwrite;
    enum ouro_values values;
    enum ouro_codec codec;
    unsigned thread_count;      /* 0: as many as there are processors, at most OURO_DUMP_THREADS_MAX */
    uint64_t timeout_ns;        /* for stopping all threads, and for a collection to end; 0: OURO_DUMP_TIMEOUT_NS */
    const volatile sig_atomic_t *cancel; /* may be NULL: set it to give up */
    void (*progress)(void *context, enum ouro_dump_phase phase, double part); /* may be NULL; from any thread */
    void *progress_context;
};
#define OURO_DUMP_THREADS_MAX 4u
#define OURO_DUMP_TIMEOUT_NS UINT64_C(10000000000)

struct ouro_dump_result {
    struct ouro_emit_totals totals;
    char version[16];           /* of CPython */
    uint64_t file_bytes, copied_bytes, pause_ns, duration_ns;
    uint64_t tracked_count, type_count;
    uint64_t approximate_type_count; /* types with approximate objects */
    uint64_t checked_count, check_impossible_count; /* objects compared with their type's own code */
    uint64_t disagreed_type_count; /* types whose native visitor was found wrong, and not used */
    bool sandboxed;             /* types' own code could be run */
    uint64_t unreadable[OURO_UNREADABLE_COUNT];
    unsigned stop_count;        /* stops that it took: more than one when a collection was running */
    bool output_failed;         /* what failed was writing the file, not reading the target */
    /* Where the time went. */
    uint64_t prepare_ns, finish_ns, walk_ns, write_ns;
};

/* OURO_GONE: no such process, or it ended meanwhile. OURO_DENIED, OURO_UNSUPPORTED: can't be read, err says why and what to do.
 * OURO_INVAL: the file exists. OURO_LIMIT: it could not be stopped, or kept collecting, for too long. OURO_BADDATA: it is not as CPython
 * should be. OURO_CANCELLED. However it ends, the target goes on and no unfinished file is left. */
enum ouro_status ouro_dump(const struct ouro_dump_options *options, struct ouro_dump_result *result,
                           struct ouro_err *err);

#endif
