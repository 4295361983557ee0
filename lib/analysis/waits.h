/* What threads wait for, who has it, and where that goes round in a circle.
 *
 * What a thread sleeps for natively (a lock object, a thread's end) stands in the snapshot; the frames tell what it means in
 * Python: Condition.wait of a Condition, Queue.get of a Queue. Who has a lock: an RLock says so itself. A plain Lock does not;
 * a thread inside of `with lock:` (or `with condition:`) keeps the lock's __exit__ on its value stack, and so has it for
 * certain, unless Condition.wait has given it back meanwhile. Of acquire() without `with` nothing is left behind.
 *
 * Files without the section `waits` are served by the frames alone, which is then said (`inferred`). */
#ifndef OURO_ANALYSIS_WAITS_H
#define OURO_ANALYSIS_WAITS_H

#include "analysis/stacks.h"
#include "base/buf.h"

#define OURO_THREAD_NONE UINT32_MAX

struct ouro_wait {
    uint32_t kind;       /* enum ouro_wait_kind; OURO_WAIT_OTHER: for nothing that is known here */
    ouro_node node;      /* the lock object or thread handle, or OURO_NODE_NONE */
    ouro_node through;   /* the Queue, Condition, Event, Thread, ... or OURO_NODE_NONE */
    const char *call;    /* "Queue.get", of `through`; NULL: the lock itself is waited for */
    uint32_t owner;      /* who must do something: index into ouro_stacks.threads, or OURO_THREAD_NONE */
    bool owner_certain;  /* else it is a guess: that thread alone deals with the lock */
    bool inferred;       /* known by the frames only */
    bool alarming;       /* a lock or a join; not: a queue or an event that is empty for good reasons */
    uint32_t deadlock;   /* index of the deadlock it is part of or waits behind, or OURO_THREAD_NONE */
    bool behind;         /* not part of it */
};

/* Threads that wait for each other: each for the next, the last for the first. One thread that waits for itself, too. */
struct ouro_deadlock {
    size_t first, count; /* of ouro_waits.members */
    size_t behind_count; /* threads that wait for one of them without being part of it */
};

enum ouro_hang_kind {
    OURO_HANG_DEADLOCK,   /* index: which one */
    OURO_HANG_LOCKED,     /* `count` threads wait for a lock of thread `index`, which is no part of a deadlock */
    OURO_HANG_GIL,        /* thread `index` has the GIL in a system call or in native code, `count` others want it */
    OURO_HANG_COLLECTING, /* thread `index` (or none) runs the collector, `count` others want the GIL */
    OURO_HANG_ALL_WAIT,   /* all `count` threads wait, none can go on by itself */
};
struct ouro_hang {
    enum ouro_hang_kind kind;
    uint32_t index;
    size_t count;
};

struct ouro_waits {
    const struct ouro_stacks *stacks; /* borrowed */
    struct ouro_wait *items;          /* owned; by thread as in stacks->threads */
    struct {
        struct ouro_deadlock *items; /* owned; by their first thread */
        size_t count, capacity;
    } deadlocks;
    uint32_t *members; /* owned; threads of the deadlocks */
    struct {
        struct ouro_hang *items; /* owned; most certain first */
        size_t count, capacity;
    } hangs;
};

/* 64 bytes a thread, and 16 for each lock that frames hold or wait for. O(threads + frames and their value stacks). */
enum ouro_status ouro_waits_init(struct ouro_waits *waits, const struct ouro_stacks *stacks, struct ouro_err *err);
void ouro_waits_fini(struct ouro_waits *waits);

/* What the thread does, with what frames tell taken in. */
enum ouro_thread_activity ouro_waits_state(const struct ouro_waits *waits, size_t thread);
/* "Queue.get of <queue.Queue 0x7f..>", "<_thread.lock 0x7f..>"; nothing where nothing is known. */
void ouro_wait_add(struct ouro_buf *out, const struct ouro_waits *waits, size_t thread);
/* "worker-3 (27523)", of OURO_THREAD_NONE "unknown". */
void ouro_waits_add_thread(struct ouro_buf *out, const struct ouro_waits *waits, uint32_t thread);
/* One sentence. */
void ouro_hang_add(struct ouro_buf *out, const struct ouro_waits *waits, const struct ouro_hang *hang);

#endif
