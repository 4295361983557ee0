/* System calls that a stopped thread of the target makes for us: a copy of the process by clone, and its reaping by wait4.
 *
 * All threads stand still, stopped by the calling thread (stop.h). One of them gets other registers and runs the one
 * instruction `syscall` that its own libraries hold, up to a stop as PTRACE_INTERRUPT makes it; there registers and signal mask are put
 * back, and the kernel begins an interrupted system call again exactly as after any other stop. No byte of the target's memory is
 * written.
 *
 * The copy shares files and working directory with the target instead of holding copies of them, ends without a signal to its
 * parent (exit signal 0: waitpid and SIGCHLD never tell of it, only wait4 with __WALL or __WCLONE does), and has never run: it
 * stands before its first instruction, with a stack pointer that leads nowhere, and the kernel kills it when its tracer ends. */
#ifndef OURO_TARGET_INJECT_H
#define OURO_TARGET_INJECT_H

#include "target/stop.h"

struct ouro_inject_copy {
    pid_t pid;   /* as we see it; the calling thread is its tracer */
    pid_t inner; /* as the target sees it: what reaping needs; 0: there is nothing to be reaped */
};

/* The address of a syscall instruction in executable mappings of the process; best one that a return follows. OURO_UNSUPPORTED: none. */
enum ouro_status ouro_inject_find(pid_t pid, ouro_addr *at, struct ouro_err *err);
/* OURO_UNSUPPORTED: no thread can be used (each is under a seccomp filter, in 32-bit code ...); nothing was changed. OURO_LIMIT:
 * none at this moment (each has a signal in hand). OURO_GONE: the target ended. OURO_SYS, OURO_NOMEM: the kernel refused. */
enum ouro_status ouro_inject_clone(struct ouro_stop *stop, ouro_addr at, struct ouro_inject_copy *copy,
                                   struct ouro_err *err);
/* *reaped: it is no zombie any more. Errors as above. */
enum ouro_status ouro_inject_reap(struct ouro_stop *stop, ouro_addr at, pid_t inner, bool *reaped, struct ouro_err *err);
/* The number behind "Seccomp:" of a thread: 0 when it is under no filter; -1: not to be seen. */
int ouro_inject_seccomp(pid_t pid, pid_t tid);

#endif
