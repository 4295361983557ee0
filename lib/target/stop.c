#include "target/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"

#define STATES_MAX 4096u /* threads whose state is read before a stop */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t read_file(int task, const char *tid, const char *name, char *out, size_t capacity)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", tid, name);
    OURO_CLOSE int fd = openat(task, path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, capacity - 1);
    out[got > 0 ? got : 0] = 0;
    return got > 0 ? (size_t)got : 0;
}

static void read_state(int task, const char *tid, struct ouro_thread_state *state)
{
    char text[512];
    state->tid = (pid_t)atoi(tid);
    state->state = '?';
    state->syscall = -1;
    read_file(task, tid, "stat", text, sizeof text);
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (open && close && open < close) {
        snprintf(state->comm, sizeof state->comm, "%.*s", (int)(close - open - 1), open + 1);
        state->state = close[1] ? close[2] : '?';
    }
    if (read_file(task, tid, "syscall", text, sizeof text) && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')))
        state->syscall = atoi(text);
}

static DIR *open_tasks(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    return opendir(path);
}

/* While they run: of a thread that ptrace stopped, /proc tells only that. */
static void read_states(struct ouro_stop *stop)
{
    DIR *tasks = open_tasks(stop->pid);
    stop->state_count = 0;
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.' || stop->state_count == STATES_MAX)
            continue;
        if (stop->state_count == stop->state_capacity &&
            !ouro_vec_grow((void **)&stop->states, &stop->state_capacity, sizeof *stop->states))
            break;
        struct ouro_thread_state *state = &stop->states[stop->state_count++];
        memset(state, 0, sizeof *state);
        read_state(dirfd(tasks), entry->d_name, state);
    }
    if (tasks)
        closedir(tasks);
}

static struct ouro_stop_thread *find(struct ouro_stop *stop, pid_t tid)
{
    for (size_t i = 0; i < stop->count; i++)
        if (stop->items[i].tid == tid)
            return &stop->items[i];
    return NULL;
}

/* Seizes what is not seized yet and asks it to stop. *fresh: how many were new. */
static enum ouro_status seize_new(struct ouro_stop *stop, size_t *fresh, struct ouro_err *err)
{
    DIR *tasks = open_tasks(stop->pid);
    enum ouro_status status = OURO_OK;
    size_t first = stop->count;
    *fresh = 0;
    if (!tasks)
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)stop->pid);
    for (struct dirent *entry; status == OURO_OK && (entry = readdir(tasks));) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid <= 0 || (first && find(stop, tid)))
            continue;
        if (ptrace(PTRACE_SEIZE, tid, NULL, NULL)) {
            if (errno == ESRCH)
                continue; /* it ended between the listing and now */
            if (errno == EPERM)
                status = ouro_process_denied(stop->pid, err);
            else
                status = ouro_err_sys(err, errno, "can't seize thread %d of process %d", (int)tid, (int)stop->pid);
            break;
        }
        struct ouro_stop_thread *thread = OURO_VEC_ADD(stop);
        if (!thread) {
            ptrace(PTRACE_DETACH, tid, NULL, NULL); /* not stopped: the kernel refuses, and detaches when we exit */
            status = ouro_err_set(err, OURO_NOMEM, "no memory for the list of threads");
            break;
        }
        thread->tid = tid;
        ++*fresh;
    }
    closedir(tasks);
    if (*fresh && !stop->started_ns)
        stop->started_ns = now_ns();
    for (size_t i = first; i < stop->count; i++)
        ptrace(PTRACE_INTERRUPT, stop->items[i].tid, NULL, NULL);
    return status;
}

/* What a thread reported. A signal on its way is kept for the resume; the stop is as good as the one we asked for (the interrupt
 * that is still pending ends with the detach). */
static void note_stop(struct ouro_stop_thread *thread, int wait_status)
{
    if (WIFEXITED(wait_status) || WIFSIGNALED(wait_status)) {
        thread->gone = true;
        return;
    }
    thread->stopped = true;
    if (WIFSTOPPED(wait_status) && wait_status >> 16 == 0)
        thread->signal = WSTOPSIG(wait_status);
}

static enum ouro_status wait_stopped(struct ouro_stop *stop, uint64_t deadline_ns, struct ouro_err *err)
{
    uint64_t nap_ns = 5000;
    for (size_t i = 0; i < stop->count; i++) {
        struct ouro_stop_thread *thread = &stop->items[i];
        while (!thread->stopped && !thread->gone) {
            int wait_status;
            pid_t got = waitpid(thread->tid, &wait_status, __WALL | WNOHANG);
            if (got == thread->tid) {
                note_stop(thread, wait_status);
            } else if (got < 0 && errno == ECHILD) {
                thread->gone = true;
            } else if (now_ns() > deadline_ns) {
                struct ouro_thread_state state = {.state = '?', .syscall = -1};
                DIR *tasks = open_tasks(stop->pid);
                char tid[16];
                snprintf(tid, sizeof tid, "%d", (int)thread->tid);
                if (tasks) {
                    read_state(dirfd(tasks), tid, &state);
                    closedir(tasks);
                }
                return ouro_err_set(err, OURO_LIMIT,
                                    "thread %d of process %d did not stop in time: its state is %c%s",
                                    (int)thread->tid, (int)stop->pid, state.state,
                                    state.state == 'D' ? " (uninterruptible: in a device or network file system, or in vfork)" : "");
            } else {
                struct timespec nap = {.tv_nsec = (long)nap_ns};
                nanosleep(&nap, NULL);
                if (nap_ns < 1000000)
                    nap_ns *= 2;
            }
        }
    }
    return OURO_OK;
}

enum ouro_status ouro_stop_all(struct ouro_stop *stop, pid_t pid, uint64_t timeout_ns, struct ouro_err *err)
{
    uint64_t deadline = now_ns() + timeout_ns;
    size_t fresh = 1;
    enum ouro_status status = OURO_OK;
    stop->pid = pid;
    stop->count = 0;
    stop->started_ns = stop->ended_ns = 0;
    read_states(stop);
    /* Threads that still run may create others: until a pass over all finds no new one. */
    while (status == OURO_OK && fresh) {
        status = seize_new(stop, &fresh, err);
        if (status == OURO_OK && fresh)
            status = wait_stopped(stop, deadline, err);
    }
    size_t alive = 0;
    for (size_t i = 0; i < stop->count; i++)
        alive += !stop->items[i].gone;
    if (status == OURO_OK && !alive)
        status = ouro_err_set(err, OURO_GONE, "process %d ended", (int)pid);
    if (status != OURO_OK)
        ouro_stop_resume(stop);
    return status;
}

/* A thread can only be detached while it is stopped; one that never stopped (uninterruptible) is waited for a moment, and else
 * stays seized until we end: it runs on, and would stop only for a moment of ours that nobody waits for. */
static void detach(struct ouro_stop_thread *thread)
{
    for (int i = 0; !thread->stopped && !thread->gone && i < 100; i++) {
        int wait_status;
        if (waitpid(thread->tid, &wait_status, __WALL | WNOHANG) == thread->tid) {
            note_stop(thread, wait_status);
        } else {
            struct timespec nap = {.tv_nsec = 100000};
            nanosleep(&nap, NULL);
        }
    }
    if (thread->stopped)
        ptrace(PTRACE_DETACH, thread->tid, NULL, (void *)(uintptr_t)thread->signal);
}

void ouro_stop_resume(struct ouro_stop *stop)
{
    if (!stop->count)
        return;
    for (size_t i = 0; i < stop->count; i++)
        if (stop->items[i].stopped)
            detach(&stop->items[i]);
    stop->ended_ns = now_ns();
    for (size_t i = 0; i < stop->count; i++)
        if (!stop->items[i].stopped)
            detach(&stop->items[i]);
    stop->count = 0;
}

uint64_t ouro_stop_duration_ns(const struct ouro_stop *stop)
{
    if (!stop->started_ns)
        return 0;
    return (stop->ended_ns ? stop->ended_ns : now_ns()) - stop->started_ns;
}

void ouro_stop_fini(struct ouro_stop *stop)
{
    ouro_stop_resume(stop);
    free(stop->items);
    free(stop->states);
    memset(stop, 0, sizeof *stop);
}
