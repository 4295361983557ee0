#include "target/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"

#define CODE_64      0x33 /* the code segment of 64-bit programs */
#define NO_STACK     16   /* below the least address that can be mapped */
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define STEPS_MAX    64 /* stops on the way of one system call */
#define PIECE_BYTES  65536u
#define MASK_BYTES   8 /* of the kernel's signal sets */

/* Of Linux 5.13 and 6.4, which older headers lack. */
#define GET_RSEQ     0x420f
#define GET_DISPATCH 0x4211
struct rseq_configuration {
    uint64_t pointer;
    uint32_t size, signature, flags, pad;
};
struct dispatch_configuration {
    uint64_t mode, selector, offset, size;
};

/* A thread that works for us. */
struct worker {
    struct ouro_stop *stop;
    struct ouro_stop_thread *thread;
    struct user_regs_struct registers;
    uint64_t mask;
    struct ouro_inject_copy *copy; /* is filled in as it appears */
    ouro_addr at;
    bool behind; /* it stands at the stop behind its call */
    pid_t early; /* a tracee that stopped before we asked: the copy */
};

static bool read_target(pid_t tid, ouro_addr addr, void *out, size_t size)
{
    struct iovec to = {out, size}, from = {(void *)(uintptr_t)addr, size};
    return process_vm_readv(tid, &to, 1, &from, 1, 0) == (ssize_t)size;
}

/* Looks for "syscall", if it can be followed by "ret": then a copy that should ever run faults at once. */
static bool find_in(pid_t pid, const struct ouro_mapping *mapping, unsigned char *piece, ouro_addr *any, ouro_addr *best)
{
    for (ouro_addr addr = mapping->start; addr < mapping->end; addr += PIECE_BYTES - 2) {
        uint64_t left = mapping->end - addr;
        size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        if (!read_target(pid, addr, piece, size))
            return false;
        for (const unsigned char *p = piece; (p = memchr(p, 0x0f, (size_t)(piece + size - p))); p++) {
            size_t rest = (size_t)(piece + size - p);
            if (rest < 2 || p[1] != 0x05)
                continue;
            *any = *any ? *any : addr + (uint64_t)(p - piece);
            if (rest > 2 && p[2] == 0xc3) {
                *best = addr + (uint64_t)(p - piece);
                return true;
            }
        }
    }
    return false;
}

static int rank(const struct ouro_mapping *mapping)
{
    if (!mapping->executable || !mapping->readable || mapping->device || strcmp(mapping->path, "[vsyscall]") == 0)
        return -1;
    return strstr(mapping->path, "/libc.so") || strstr(mapping->path, "/libc-") ? 0
           : strcmp(mapping->path, "[vdso]") == 0                              ? 1
           : mapping->inode                                                    ? 2
                                                                               : -1;
}

enum ouro_status ouro_inject_find(pid_t pid, ouro_addr *at, struct ouro_err *err)
{
    struct ouro_maps maps;
    ouro_addr any = 0, best = 0;
    OURO_FREE unsigned char *piece = malloc(PIECE_BYTES);
    if (!piece)
        return ouro_err_set(err, OURO_NOMEM, "no memory");
    OURO_TRY(ouro_maps_read(&maps, pid, false, err));
    for (int wanted = 0; wanted < 3 && !best && (wanted < 2 || !any); wanted++)
        for (size_t i = 0; i < maps.count && !best; i++)
            if (rank(&maps.items[i]) == wanted)
                find_in(pid, &maps.items[i], piece, &any, &best);
    ouro_maps_fini(&maps);
    *at = best ? best : any;
    return *at ? OURO_OK : ouro_err_set(err, OURO_UNSUPPORTED, "process %d has no system call instruction", (int)pid);
}

int ouro_inject_seccomp(pid_t pid, pid_t tid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = 0;
    const char *line = strstr(text, "\nSeccomp:");
    return line ? atoi(line + strlen("\nSeccomp:")) : -1;
}

/* Whether it stands inside of a restartable sequence: with other registers the kernel would no longer see that it has to begin
 * that again (rseq(2)). */
static bool in_sequence(pid_t tid, const struct user_regs_struct *registers)
{
    struct rseq_configuration rseq = {0};
    struct {
        uint32_t version, flags;
        uint64_t start, size, abort;
    } section;
    uint64_t at;
    if (ptrace(GET_RSEQ, tid, (void *)sizeof rseq, &rseq) <= 0 || !rseq.pointer)
        return false;
    if (!read_target(tid, rseq.pointer + 8, &at, sizeof at))
        return true;
    return at && (!read_target(tid, at, &section, sizeof section) || registers->rip - section.start < section.size);
}

static bool is_dispatched(pid_t tid)
{
    struct dispatch_configuration dispatch = {0};
    return ptrace(GET_DISPATCH, tid, (void *)sizeof dispatch, &dispatch) == 0 && dispatch.mode;
}

/* Calls that wait with another signal mask: kernels before 5.2 do not tell both masks. */
static bool waits_with_mask(const struct user_regs_struct *registers)
{
    static const int calls[] = {SYS_rt_sigsuspend, SYS_ppoll, SYS_pselect6, SYS_epoll_pwait};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if ((long)registers->orig_rax == calls[i])
            return true;
    return (long)registers->orig_rax > SYS_rseq; /* epoll_pwait2, io_uring_enter, io_pgetevents */
}

/* What stands in the way of those threads that do not suit. */
struct obstacles {
    bool busy, ended;
};

static bool suits(pid_t pid, struct worker *worker, struct ouro_stop_thread *thread, bool picky, ouro_addr at,
                  struct obstacles *obstacles)
{
    unsigned char code[2];
    if (!thread->stopped || thread->gone)
        return false;
    if (thread->signal) { /* it would be lost: a signal can be handed on only from the stop that told of it */
        obstacles->busy = true;
        return false;
    }
    worker->thread = thread;
    if (ptrace(PTRACE_GETREGS, thread->tid, NULL, &worker->registers)) {
        obstacles->ended = true;
        return false;
    }
    if (worker->registers.cs != CODE_64)
        return false;
    if (picky && waits_with_mask(&worker->registers))
        return false;
    if (in_sequence(thread->tid, &worker->registers)) {
        obstacles->busy = true;
        return false;
    }
    int seccomp = ouro_inject_seccomp(pid, thread->tid);
    obstacles->ended = obstacles->ended || seccomp < 0;
    return seccomp == 0 && !is_dispatched(thread->tid) &&
           read_target(thread->tid, at, code, sizeof code) && code[0] == 0x0f && code[1] == 0x05;
}

static enum ouro_status choose(struct ouro_stop *stop, ouro_addr at, struct worker *worker, struct ouro_err *err)
{
    struct obstacles obstacles = {0};
    for (int picky = 1; picky >= 0; picky--)
        for (size_t i = 0; i < stop->count; i++)
            if (suits(stop->pid, worker, &stop->items[i], picky, at, &obstacles))
                return OURO_OK;
    if (obstacles.ended)
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)stop->pid);
    if (obstacles.busy)
        return ouro_err_set(err, OURO_LIMIT, "a signal arrives at each thread of process %d at this moment", (int)stop->pid);
    return ouro_err_set(err, OURO_UNSUPPORTED,
                        "no thread of process %d can make a system call for us: seccomp filters, or code that is not 64-bit",
                        (int)stop->pid);
}

/* What another of our tracees reports meanwhile: the copy its first stop, and when the target is killed each thread its end. Who
 * waited for the main thread alone would wait for ever: it is told of last. */
static void note_other(struct worker *worker, pid_t pid, int wait_status)
{
    if (WIFSTOPPED(wait_status)) {
        worker->early = pid;
        return;
    }
    for (size_t i = 0; i < worker->stop->count; i++)
        if (worker->stop->items[i].tid == pid)
            worker->stop->items[i].gone = true;
    if (worker->early == pid)
        worker->early = 0;
}

/* The next report of this tracee. False: it ended. */
static bool await(struct worker *worker, pid_t pid, int *wait_status)
{
    for (;;) {
        pid_t got = waitpid(-1, wait_status, __WALL | __WNOTHREAD);
        if (got == pid)
            return WIFSTOPPED(*wait_status);
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0)
            note_other(worker, got, *wait_status);
    }
}


/* Lets it run to its next stop. False: it ended. */
static bool step(struct worker *worker, enum __ptrace_request how, int signal, int *wait_status)
{
    if (worker->thread->gone) /* which was told while we waited for the copy */
        return false;
    /* An error means that it is being killed, which is told next. */
    ptrace(how, worker->thread->tid, NULL, (void *)(uintptr_t)signal);
    if (await(worker, worker->thread->tid, wait_status))
        return true;
    worker->thread->gone = true;
    return false;
}

/* Takes hold of the copy that was made: from here on it dies with us. */
static void hold(struct worker *worker)
{
    unsigned long pid = 0;
    int wait_status;
    if (!worker->copy || ptrace(PTRACE_GETEVENTMSG, worker->thread->tid, NULL, &pid))
        return;
    if (worker->early != (pid_t)pid && !await(worker, (pid_t)pid, &wait_status))
        return; /* killed already, by want of memory */
    worker->early = 0;
    ptrace(PTRACE_SETOPTIONS, (pid_t)pid, NULL, (void *)PTRACE_O_EXITKILL);
    worker->copy->pid = (pid_t)pid;
}

/* A signal that nobody can block (SIGSTOP) may come first: it is handed on, and the thread passes its group stop. Faults of the
 * instruction itself can't be, and would not be survived. */
static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGTRAP || signal == SIGFPE ||
           signal == SIGSYS;
}

/* From where it stands, it shall run to no further than the stop behind the call. */
static enum __ptrace_request towards_end(const struct worker *worker)
{
    ptrace(PTRACE_INTERRUPT, worker->thread->tid, NULL, NULL);
    return PTRACE_CONT;
}

/* Each stop costs a turn on the processor, so there are no more than needed: before the call; of a clone, when there is
 * the copy (or behind the call, when there is none); and the one of PTRACE_INTERRUPT, at which the thread is left. A clone
 * must not be interrupted before, or the kernel would give it up. */
static enum ouro_status run_call(struct worker *worker, bool is_clone)
{
    enum __ptrace_request how = PTRACE_SYSCALL;
    int wait_status, signal = 0;
    bool entered = false;
    worker->behind = false;
    for (int i = 0; i < STEPS_MAX; i++) {
        if (!step(worker, how, signal, &wait_status))
            return OURO_GONE;
        int event = wait_status >> 16;
        signal = 0;
        if (WSTOPSIG(wait_status) == SYSCALL_STOP) {
            how = entered || !is_clone ? towards_end(worker) : PTRACE_SYSCALL;
            entered = true;
        } else if (event == PTRACE_EVENT_CLONE) {
            hold(worker);
            how = towards_end(worker);
        } else if (event == PTRACE_EVENT_STOP && how == PTRACE_CONT) {
            worker->behind = true;
            return OURO_OK;
        } else if (event == 0 && is_fault(WSTOPSIG(wait_status))) {
            return OURO_FAULT;
        } else if (event == 0) {
            signal = WSTOPSIG(wait_status);
        }
    }
    return OURO_FAULT;
}

static enum ouro_status make_call(struct worker *worker, long number, const uint64_t arguments[5], long *result)
{
    struct user_regs_struct registers = worker->registers;
    pid_t tid = worker->thread->tid;
    registers.orig_rax = (unsigned long long)-1; /* the interrupted call is none of the kernel's business meanwhile */
    registers.rax = (unsigned long long)number;
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rdx = arguments[2];
    registers.r10 = arguments[3];
    registers.r8 = arguments[4];
    registers.rip = worker->at;
    if (ptrace(PTRACE_SETREGS, tid, NULL, &registers))
        return OURO_GONE;
    OURO_TRY(run_call(worker, number == SYS_clone));
    if (ptrace(PTRACE_GETREGS, tid, NULL, &registers))
        return OURO_GONE;
    *result = (long)registers.rax;
    return OURO_OK;
}

static bool begin(struct worker *worker, struct ouro_err *err)
{
    pid_t tid = worker->thread->tid;
    uint64_t all = UINT64_MAX;
    if (ptrace(PTRACE_GETSIGMASK, tid, (void *)MASK_BYTES, &worker->mask) == 0 &&
        ptrace(PTRACE_SETOPTIONS, tid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE)) == 0 &&
        ptrace(PTRACE_SETSIGMASK, tid, (void *)MASK_BYTES, &all) == 0)
        return true;
    ouro_err_sys(err, errno, "thread %d can't be prepared for a system call", (int)tid);
    return false;
}

/* As it was. It stands at a stop behind which the kernel looks at the interrupted call as it does after any stop; when something went
 * wrong it has to come to one first. */
static void put_back(struct worker *worker)
{
    pid_t tid = worker->thread->tid;
    int wait_status, signal = 0;
    if (worker->thread->gone)
        return;
    ptrace(PTRACE_SETREGS, tid, NULL, &worker->registers);
    if (!worker->behind)
        ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    for (int i = 0; i < STEPS_MAX && !worker->behind; i++) {
        if (!step(worker, PTRACE_CONT, signal, &wait_status))
            return;
        signal = wait_status >> 16 == 0 && WSTOPSIG(wait_status) != SYSCALL_STOP ? WSTOPSIG(wait_status) : 0;
        signal = is_fault(signal) ? 0 : signal;
        worker->behind = wait_status >> 16 == PTRACE_EVENT_STOP;
    }
    ptrace(PTRACE_SETREGS, tid, NULL, &worker->registers);
    ptrace(PTRACE_SETSIGMASK, tid, (void *)MASK_BYTES, &worker->mask);
}

static enum ouro_status begin_with(struct ouro_stop *stop, ouro_addr at, struct worker *worker, struct ouro_err *err)
{
    worker->at = at;
    worker->stop = stop;
    OURO_TRY(choose(stop, at, worker, err));
    return begin(worker, err) ? OURO_OK : OURO_GONE;
}

/* When the target is killed inside of the clone, a copy may be that nobody told us of: it is attached to us, and ends here. */
static void end_strays(const struct worker *worker)
{
    int wait_status;
    if (worker->early)
        kill(worker->early, SIGKILL);
    for (int i = 0; i < 1000; i++) {
        pid_t got = waitpid(-1, &wait_status, __WALL | __WNOTHREAD | WNOHANG);
        if (got < 0)
            return;
        if (got > 0 && WIFSTOPPED(wait_status))
            kill(got, SIGKILL);
        else if (got == 0)
            ouro_clock_nap(1000000);
    }
}

static enum ouro_status lost(const struct ouro_stop *stop, enum ouro_status status, struct ouro_err *err)
{
    if (status == OURO_FAULT)
        return ouro_err_set(err, OURO_UNSUPPORTED, "process %d can't run its own system call instruction", (int)stop->pid);
    return ouro_err_set(err, OURO_GONE, "process %d ended", (int)stop->pid);
}

enum ouro_status ouro_inject_clone(struct ouro_stop *stop, ouro_addr at, struct ouro_inject_copy *copy,
                                   struct ouro_err *err)
{
    const uint64_t clone[5] = {CLONE_FILES | CLONE_FS, NO_STACK};
    struct worker worker = {.copy = copy};
    long result = -EAGAIN;
    memset(copy, 0, sizeof *copy);
    OURO_TRY(begin_with(stop, at, &worker, err));
    enum ouro_status status = make_call(&worker, SYS_clone, clone, &result);
    copy->inner = status == OURO_OK && result > 0 ? (pid_t)result : 0;
    if (copy->inner && !copy->pid) { /* it did not live */
        const uint64_t wait[5] = {(uint64_t)copy->inner, 0, __WALL, 0};
        make_call(&worker, SYS_wait4, wait, &result);
        result = -ENOMEM;
        copy->inner = 0;
    }
    put_back(&worker);
    if (status != OURO_OK && copy->pid)
        kill(copy->pid, SIGKILL);
    if (status != OURO_OK && status != OURO_FAULT)
        end_strays(&worker);
    if (status != OURO_OK) {
        copy->pid = 0;
        return lost(stop, status, err);
    }
    if (!copy->pid)
        return ouro_err_sys(err, result < 0 ? (int)-result : ENOMEM, "the kernel makes no copy of process %d", (int)stop->pid);
    return OURO_OK;
}

enum ouro_status ouro_inject_reap(struct ouro_stop *stop, ouro_addr at, pid_t inner, bool *reaped, struct ouro_err *err)
{
    const uint64_t arguments[5] = {(uint64_t)inner, 0, __WALL | WNOHANG, 0};
    struct worker worker = {0};
    long result = 0;
    *reaped = false;
    OURO_TRY(begin_with(stop, at, &worker, err));
    enum ouro_status status = make_call(&worker, SYS_wait4, arguments, &result);
    put_back(&worker);
    *reaped = status == OURO_OK && (result == inner || result == -ECHILD);
    return status == OURO_OK ? OURO_OK : lost(stop, status, err);
}
