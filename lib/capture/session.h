/* One look at a process: it is found, stopped, copied and let go on; then its objects are walked. What a dump and a doctor share.
 * Or one look at a core: then nobody is stopped, and what would be copied is mapped.
 *
 * The target stands still only while its pages are copied; everything is interpreted afterwards, from the copy. */
#ifndef OURO_CAPTURE_SESSION_H
#define OURO_CAPTURE_SESSION_H

#include <signal.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "capture/budget.h"
#include "capture/walk.h"
#include "target/core.h"
#include "target/guardian.h"
#include "target/image.h"
#include "target/module.h"
#include "target/process.h"

/* How the memory of a process is read. */
enum ouro_session_mode {
    OURO_SESSION_AUTO,  /* whichever suits; the session says which and why */
    OURO_SESSION_PAUSE, /* it stands still while it is read */
    OURO_SESSION_FORK,  /* a copy that the kernel makes of it is read, while it runs on */
    OURO_SESSION_LIVE,  /* it runs while it is read: what was read is not of one moment */
};
/* "auto", "pause", "fork", "live": also what the snapshot says. */
const char *ouro_session_mode_name(enum ouro_session_mode mode);

enum ouro_session_phase {
    OURO_SESSION_PREPARE,
    OURO_SESSION_COPY,
    OURO_SESSION_WALK,
    OURO_SESSION_WRITE, /* what is made of it */
};

struct ouro_session_options {
    pid_t pid; /* unless there is a core */
    enum ouro_session_mode mode;
    uint64_t start_ticks; /* of the process that is meant (process.h); 0: whichever has the pid */
    const char *core; /* the path of a core file; NULL: a live process */
    struct ouro_core_options core_options;
    bool self_check; /* compare every object that a visitor visits with what its type's own code says */
    bool no_sandbox; /* never run a type's code in the sandbox: what it would tell is approximate */
    bool names_only; /* note only keys of namespaces (walk.h) */
    uint64_t memory_bytes; /* what this process may have in memory beside 1/64 of what is copied; 0: three quarters of what is available */
    bool whole_values;     /* texts of any length will be written: room for them */
    bool background;       /* lowers the priority of the calling thread for good, as soon as nobody stands still for it */
    unsigned thread_count; /* 0: as many as there are processors, at most OURO_SESSION_THREADS_MAX */
    uint64_t max_pause_ns; /* a copy that it would stand still for longer is not made so; 0: no matter */
    uint64_t timeout_ns;   /* for stopping all threads, and for a running collection to end; 0: OURO_SESSION_TIMEOUT_NS */
    const volatile sig_atomic_t *cancel; /* may be NULL: set it to give up */
    void (*progress)(void *context, enum ouro_session_phase phase, double part); /* may be NULL; from any thread */
    void *progress_context;
};
#define OURO_SESSION_THREADS_MAX 4u
#define OURO_SESSION_TIMEOUT_NS UINT64_C(10000000000)

/* Whether types' own code could be run. */
enum ouro_session_sandbox {
    OURO_SESSION_SANDBOX_YES,
    OURO_SESSION_SANDBOX_NONE, /* there is none: built without, or no memory for it */
    OURO_SESSION_SANDBOX_OFF,  /* the caller didn't want it */
};
/* "yes", "none", "off": also what the snapshot says. */
const char *ouro_session_sandbox_name(enum ouro_session_sandbox sandbox);

/* Zero-initialised is closed. Must stay where it is while open. */
struct ouro_session {
    struct ouro_session_options options; /* with its defaults filled in, and a core's pid */
    struct ouro_process *process;        /* this or the core is open */
    struct ouro_process *source;         /* whose pages are read: the process itself, or its copy */
    struct ouro_guardian *guardian;      /* of the copy; may be NULL */
    struct ouro_guardian_copy forked;
    struct ouro_core *core;
    struct ouro_maps maps;
    struct ouro_modules modules;
    struct ouro_runtime runtime;
    struct ouro_image image;
    struct ouro_python python;
    struct ouro_walk walk;
    struct ouro_budget budget;
    /* May be set before the copy: gives a file, borrowed until the close, for lists that shall not be in memory; -1: none. */
    int (*spool)(void *context);
    void *spool_context;
    enum ouro_session_sandbox sandbox;
    char no_sandbox_reason[128]; /* with SANDBOX_NONE */
    enum ouro_session_mode mode; /* that was taken; not of a core */
    char mode_reason[200];       /* why this one, where nobody asked for it; "": it was asked for */
    double captured_at;          /* seconds since the epoch; of a core: when its file was last written to */
    uint64_t pause_ns;
    uint64_t reap_ns;    /* of fork mode: how long it stood still once more, to take leave of the copy; after ouro_mode_release */
    bool collecting;     /* it was inside of a collection: a core, or one that did not end */
    unsigned stop_count; /* more than one when a collection was running */
    bool stacks_only;    /* stack.h */
    char inconsistent[252]; /* why what was read is not of one moment; "": it is */
    uint64_t program;       /* which one it runs: ouro_process_program */
    struct ouro_live *live; /* owned; live.h */
    uint64_t left_out_count; /* with stacks_only: objects that found no room */
};

/* Finds the process (opens the core) and its runtime; nothing is stopped. Whatever the result, what was recognised stands in the session, which
 * has to be closed. OURO_GONE: no such process or file. OURO_DENIED, OURO_UNSUPPORTED, OURO_BADDATA: can't be read, err says why
 * and what to do. */
enum ouro_status ouro_session_open(struct ouro_session *session, const struct ouro_session_options *options,
                                   struct ouro_err *err);
/* Stops it between two collections, copies it (or has the kernel copy it), lets it go on. Where the copy would be more than the memory
 * allows (budget.h), it is read while the walk and what follows ask for it; then it stands still, or the kernel's copy is kept, until
 * ouro_session_release. OURO_LIMIT: it could not be stopped for too long, or it would have to stand still for longer than it may, or
 * there is too little memory. OURO_GONE, OURO_DENIED, OURO_CANCELLED. In the mode AUTO one that can't be
 * stopped is read as it runs (live.h). A process that executes another program meanwhile is looked at anew.
 * However this ends, the target goes on. A core may be from inside of a collection, and so may a process be that stays
 * in one (a finalizer that waits for ever; at the latest when the time is over): `collecting` then, and the walk completes what the
 * collector's lists lack (collection.h). */
enum ouro_status ouro_session_copy(struct ouro_session *session, struct ouro_err *err);
/* Marks and numbers all objects of the copy. OURO_BADDATA: it is not as CPython should be. */
enum ouro_status ouro_session_walk(struct ouro_session *session, struct ouro_err *err);
/* Nothing more will be read from it: whoever was kept for that goes on. Idempotent; OURO_GONE or OURO_NOMEM when something that was asked for
 * could not be read. */
enum ouro_status ouro_session_release(struct ouro_session *session, struct ouro_err *err);
void ouro_session_close(struct ouro_session *session);

/* What is known of the process. Borrowed; names and command lines may be empty. */
const char *ouro_session_name(const struct ouro_session *session);
const char *ouro_session_command(const struct ouro_session *session, size_t *size);
const struct ouro_thread_state *ouro_session_threads(const struct ouro_session *session, size_t *count);
const struct ouro_space *ouro_session_space(const struct ouro_session *session);

void ouro_session_progress(const struct ouro_session *session, enum ouro_session_phase phase, double part);
enum ouro_status ouro_session_check_cancel(const struct ouro_session *session, struct ouro_err *err);

/* "module.name" of a type, builtins without their module. */
void ouro_session_add_type_name(struct ouro_buf *out, const struct ouro_type *type);

#endif
