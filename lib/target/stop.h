/* Stopping and resuming all threads of a process through ptrace.
 *
 * PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, a group stop (SIGSTOP) is kept, and a signal that arrives while we wait
 * is handed on at the resume. No option is set, so the target lives on whatever happens to us: the kernel detaches everything
 * of a tracer that dies. All calls of one ouro_stop come from one thread (ptrace knows tracers by thread). */
#ifndef OURO_TARGET_STOP_H
#define OURO_TARGET_STOP_H

#include "target/process.h"

struct ouro_stop_thread {
    pid_t tid;
    int signal;   /* to be delivered at the resume; 0: none */
    bool stopped; /* waited for; else only seized and interrupted */
    bool gone;
};

struct ouro_stop {
    pid_t pid;
    struct ouro_stop_thread *items; /* owned; those that are seized */
    size_t count, capacity;
    struct ouro_thread_state *states; /* owned; as seen before the last stop */
    size_t state_count, state_capacity;
    uint64_t started_ns, ended_ns;
};

enum ouro_status ouro_stop_all(struct ouro_stop *stop, pid_t pid, uint64_t timeout_ns, struct ouro_err *err);
void ouro_stop_resume(struct ouro_stop *stop);
uint64_t ouro_stop_duration_ns(const struct ouro_stop *stop);
void ouro_stop_fini(struct ouro_stop *stop);

/* Says why a process can't be traced: reads /proc. Always an error. */
enum ouro_status ouro_process_denied(pid_t pid, struct ouro_err *err);

#endif
