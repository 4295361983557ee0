/* Stopping and resuming all threads of a process through ptrace.
 *
 * A thread of our own, the keeper, does all of it and lives from the stop to the resume: ptrace knows tracers by
 * thread, so any thread may ask for the resume; and only the end of its tracer detaches a thread that does not stop (in
 * vfork, in a dead network file system), which would otherwise stop later, when nobody waits for it.
 *
 * PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, a group stop (SIGSTOP) is kept, and a signal that arrives while
 * we wait is handed on at the resume. No option is set, so the target lives on whatever happens to us: the kernel
 * detaches everything of a tracer that dies. */
#ifndef OURO_TARGET_STOP_H
#define OURO_TARGET_STOP_H

#include <pthread.h>
#include <semaphore.h>

#include "target/process.h"

struct ouro_stop_thread {
    pid_t tid;
    int wait_status; /* of the stop */
    int signal;      /* to be delivered at the resume; 0: none */
    bool stopped;    /* waited for; else only seized and interrupted */
    bool gone;
};

struct ouro_stop {
    pid_t pid;
    struct ouro_stop_thread *items; /* owned; those that are seized */
    size_t count, capacity;
    struct ouro_thread_state *states; /* owned; of the last stop */
    size_t state_count, state_capacity, state_next;
    uint64_t started_ns, ended_ns, deadline_ns;
    pthread_t keeper;
    pid_t keeper_tid, caller_tid;
    pid_t late_tid; /* the thread that an attempt gave up for; 0: none */
    int caller_nice; /* what it is given back at the resume */
    bool hurried;
    sem_t ready, release;
    /* What the keeper does during the stop, before it ends it by itself; NULL: it waits. */
    void (*work)(void *context, enum ouro_stop_moment moment);
    void *work_context;
    /* With work, may be NULL: what the keeper does when all go on again, with the same context. It still is the tracer of
     * processes that the work attached. */
    void (*after)(void *context);
    pid_t only;           /* no other thread than this is stopped; 0: all */
    uint64_t hold_max_ns; /* an attempt to stop holds them no longer for one that does not; 0: a slice of the time */
    enum ouro_status status; /* of the attempt to stop; set before `ready` is posted */
    struct ouro_err *err;    /* borrowed during ouro_stop_all */
    bool kept;               /* the keeper lives, and everything is stopped */
    bool dead_leader;        /* the main thread ended before the others; it stays a zombie until they end */
    bool left;               /* threads that only the keeper's end detaches */
};

/* The address of `stop` stays the same while threads are stopped. A stop while stopped resumes first. */
enum ouro_status ouro_stop_all(struct ouro_stop *stop, pid_t pid, uint64_t timeout_ns, struct ouro_err *err);
/* Only records what /proc says of the threads; none is stopped. */
void ouro_stop_look(struct ouro_stop *stop, pid_t pid);
/* Stops, does the work in the thread that stopped, and resumes: no other thread has to be woken meanwhile, which takes longer than
 * little work does. The work is called at each of the moments; OURO_STOP_SOON comes with every attempt to stop. */
enum ouro_status ouro_stop_for(struct ouro_stop *stop, pid_t pid, uint64_t timeout_ns,
                               void (*work)(void *context, enum ouro_stop_moment moment), void *context, struct ouro_err *err);
void ouro_stop_resume(struct ouro_stop *stop);
uint64_t ouro_stop_duration_ns(const struct ouro_stop *stop);
void ouro_stop_fini(struct ouro_stop *stop);

/* Says why a process can't be traced: reads /proc. Always an error. */
enum ouro_status ouro_process_denied(pid_t pid, struct ouro_err *err);

#endif
