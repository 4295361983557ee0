/* A live process: open, stop, read, resume.
 *
 * Opening touches nothing. Stopping seizes every thread (PTRACE_SEIZE, PTRACE_INTERRUPT), so the target sees no signal;
 * a thread that was stopped by SIGSTOP before stays stopped afterwards. Closing resumes. The kernel detaches us from
 * everything when we die, so a killed dumper leaves a running target. Knows nothing of Python. */
#ifndef OURO_TARGET_PROCESS_H
#define OURO_TARGET_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"
#include "target/maps.h"
#include "target/space.h"

#define OURO_THREAD_ARGUMENTS 6

/* What a thread did when it was stopped, or when the core was written. */
struct ouro_thread_state {
    pid_t tid;
    char comm[64]; /* as it is: may hold any byte but NUL */
    char state;    /* 'S': slept in a system call; 'R': not; 'T': stood still already, by a signal. Where registers could not
                    * be read, what /proc had said before: 'D', 'Z' ... as well; '?' unknown */
    int syscall;   /* the system call it slept in; -1: none, or not to be seen */
    int leaving;   /* the system call that had ended, but from which it had not come back; -1: none */
    uint64_t arguments[OURO_THREAD_ARGUMENTS]; /* of either */
    ouro_addr stack; /* its stack pointer; 0: not to be seen */
    ouro_addr base;  /* of its FS segment, which is pthread_self(); 0: not to be seen */
};

struct ouro_process;

/* When work that needs a stop is called. */
enum ouro_stop_moment {
    OURO_STOP_SOON,  /* right before, while all still runs: a rehearsal, so that what the work touches is in that processor's caches */
    OURO_STOP_BEGUN, /* all stand still, and their registers are read next: for setting other threads to work */
    OURO_STOP_WORK,  /* the work itself; when it returns, all go on */
};

/* OURO_GONE: no such process, or a zombie. OURO_DENIED: err says which of uid, ptrace_scope, capability or dumpable is
 * in the way, and the remedy; another tracer is found by the first stop. OURO_INVAL: the id of a thread.
 * OURO_UNSUPPORTED: a 32-bit process, a kernel thread, or ourselves. */
enum ouro_status ouro_process_open(struct ouro_process **process, pid_t pid, struct ouro_err *err);
/* Resumes if stopped. NULL allowed. */
void ouro_process_close(struct ouro_process *process);

pid_t ouro_process_pid(const struct ouro_process *process);
/* Tells one program that a process executes from the next (execve): made of where its code and its stack begin. 0: not to be seen.
 * Takes no memory. */
uint64_t ouro_process_program(pid_t pid);
/* Start time in clock ticks since boot (field 22 of stat): with the pid it names a process for good. */
uint64_t ouro_process_start_ticks(const struct ouro_process *process);
/* The same as seconds since the epoch. */
double ouro_process_start_time(const struct ouro_process *process);
/* The command line, arguments joined by a NUL each. Borrowed. *size may be 0. */
const char *ouro_process_command(const struct ouro_process *process, size_t *size);
/* The short name (comm) of the process. Borrowed. */
const char *ouro_process_name(const struct ouro_process *process);
/* Reads through process_vm_readv; works on a running target too. Borrowed from the process. */
const struct ouro_space *ouro_process_space(const struct ouro_process *process);

/* Stops every thread, also those that are being created meanwhile. Records thread states first. While one does not stop
 * (vfork, an uninterruptible wait) the others are let go again and again, until timeout_ns have passed: OURO_LIMIT.
 * OURO_GONE when the target ends. OURO_DENIED as open, or another tracer, which err names. Where we may, the calling
 * thread (and what it starts) has the highest priority until the resume: on a busy machine the stop is many times
 * shorter. */
enum ouro_status ouro_process_stop(struct ouro_process *process, uint64_t timeout_ns, struct ouro_err *err);
/* From now on no attempt to stop holds threads longer than this for one that does not stop; 0: as it was at first. */
void ouro_process_hold_at_most(struct ouro_process *process, uint64_t ns);
/* Stops it only for the time of `work`, which another thread calls at each of these moments: shorter than stop and resume. */
enum ouro_status ouro_process_stop_for(struct ouro_process *process, uint64_t timeout_ns,
                                       void (*work)(void *context, enum ouro_stop_moment moment), void *context, struct ouro_err *err);
/* Records what /proc says of the threads, without stopping any: what a stop would do first. */
void ouro_process_look(struct ouro_process *process);
/* Lets every thread go on; idempotent. */
void ouro_process_resume(struct ouro_process *process);
/* How long the last stop lasted (or lasts), from the first thread stopped to the last released. 0: never stopped. */
uint64_t ouro_process_stopped_ns(const struct ouro_process *process);
/* The threads as seen at the last stop. Borrowed until the next stop. */
const struct ouro_thread_state *ouro_process_threads(const struct ouro_process *process, size_t *count);

#endif
