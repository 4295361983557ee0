#include "target/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/guard.h"
#include "target/registers.h"

#define STATES_MAX 65536u /* threads whose state is read before a stop */
#define SPIN_NS    UINT64_C(300000)
#define SLICE_NS   UINT64_C(100000000) /* how long all are held for one that does not stop; doubled each time */

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
    state->syscall = state->leaving = -1;
    read_file(task, tid, "stat", text, sizeof text);
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (open && close && open < close) {
        snprintf(state->comm, sizeof state->comm, "%.*s", (int)(close - open - 1), open + 1);
        state->state = close[1] ? close[2] : '?';
    }
}

static DIR *open_tasks(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    return opendir(path);
}

/* While they run: their names, and what becomes of those that can't be looked at once they are stopped. */
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

/* Why a thread can't be seized: it just ended (then it is passed over), or somebody is in the way. */
static enum ouro_status seize_failed(struct ouro_stop *stop, DIR *tasks, const char *name, int failure,
                                     struct ouro_err *err)
{
    struct ouro_thread_state state;
    if (failure == ESRCH || find(stop, (pid_t)atoi(name))) /* a listing may show a thread twice */
        return OURO_OK;
    memset(&state, 0, sizeof state);
    read_state(dirfd(tasks), name, &state);
    if (state.state == 'Z' || state.state == 'X' || state.state == '?') { /* ended threads can't be seized: EPERM */
        stop->dead_leader = stop->dead_leader || (state.state == 'Z' && state.tid == stop->pid);
        return OURO_OK;
    }
    if (failure == EPERM)
        return ouro_process_denied(stop->pid, err);
    return ouro_err_sys(err, failure, "can't seize thread %s of process %d", name, (int)stop->pid);
}

/* How many threads the kernel counts: that many links has the folder, beside its own two. */
static uint64_t count_threads(DIR *tasks)
{
    struct stat stat_buf;
    return fstat(dirfd(tasks), &stat_buf) || stat_buf.st_nlink < 2 ? 0 : (uint64_t)stat_buf.st_nlink - 2;
}

/* Where we may, whom we wake up does not take the processor from us before we have woken all of them, which a nice value does not grant.
 * For nothing that waits: who is waited for might need this processor. */
static bool begin_waking(void)
{
    const struct sched_param first = {.sched_priority = 1};
    return sched_getscheduler(0) == SCHED_OTHER && sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

static void end_waking(bool begun)
{
    const struct sched_param none = {.sched_priority = 0};
    if (begun)
        sched_setscheduler(0, SCHED_OTHER, &none);
}

/* Seizes what is not seized yet and asks it to stop. *fresh: how many were new; *total: how many there are. */
static enum ouro_status seize_new(struct ouro_stop *stop, size_t *fresh, uint64_t *total, struct ouro_err *err)
{
    DIR *tasks = open_tasks(stop->pid);
    enum ouro_status status = OURO_OK;
    size_t first = stop->count, next = 0;
    *fresh = *total = 0;
    if (!tasks)
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)stop->pid);
    for (struct dirent *entry; status == OURO_OK && (entry = readdir(tasks));) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid <= 0 || (stop->only && tid != stop->only))
            continue;
        if (next < first && stop->items[next].tid == tid) { /* the listing keeps its order */
            next++;
            continue;
        }
        if (first && find(stop, tid))
            continue;
        if (ptrace(PTRACE_SEIZE, tid, NULL, NULL)) {
            status = seize_failed(stop, tasks, entry->d_name, errno, err);
            continue;
        }
        struct ouro_stop_thread *thread = OURO_VEC_ADD(stop);
        if (!thread) { /* the kernel detaches it when the keeper ends */
            stop->left = true;
            status = ouro_err_set(err, OURO_NOMEM, "no memory for the list of threads");
            break;
        }
        thread->tid = tid;
        ++*fresh;
    }
    *total = count_threads(tasks);
    closedir(tasks);
    if (*fresh && !stop->started_ns) {
        if (stop->work)
            stop->work(stop->work_context, OURO_STOP_SOON);
        stop->started_ns = ouro_clock_ns();
    }
    bool waking = first < stop->count && begin_waking();
    for (size_t i = first; i < stop->count; i++)
        ptrace(PTRACE_INTERRUPT, stop->items[i].tid, NULL, NULL);
    end_waking(waking);
    return status;
}

/* Of a thread that began after the others were looked at. */
static struct ouro_thread_state *add_state(struct ouro_stop *stop, pid_t tid)
{
    char path[64];
    if (stop->state_count == stop->state_capacity &&
        !ouro_vec_grow((void **)&stop->states, &stop->state_capacity, sizeof *stop->states))
        return NULL;
    struct ouro_thread_state *state = &stop->states[stop->state_count++];
    memset(state, 0, sizeof *state);
    state->tid = tid;
    state->state = '?';
    state->syscall = state->leaving = -1;
    snprintf(path, sizeof path, "/proc/%d/task", (int)stop->pid);
    OURO_CLOSE int tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof path, "%d", (int)tid);
    size_t size = tasks < 0 ? 0 : read_file(tasks, path, "comm", state->comm, sizeof state->comm);
    if (size && state->comm[size - 1] == '\n')
        state->comm[size - 1] = 0;
    return state;
}

/* Where the state of a thread is kept. As a rule both lists have the order of the folder: the next is behind the last. */
static struct ouro_thread_state *state_of(struct ouro_stop *stop, pid_t tid)
{
    for (size_t n = 0; n < stop->state_count; n++) {
        size_t i = (stop->state_next + n) % stop->state_count;
        if (stop->states[i].tid == tid) {
            stop->state_next = i + 1;
            return &stop->states[i];
        }
    }
    return add_state(stop, tid);
}

/* What the thread was in when it stopped: of one that stands still /proc does not tell that. */
static void look(struct ouro_stop *stop, const struct ouro_stop_thread *thread)
{
    struct ouro_thread_state *state = state_of(stop, thread->tid);
    struct user_regs_struct registers;
    if (!state || ptrace(PTRACE_GETREGS, state->tid, NULL, &registers))
        return;
    ouro_registers_tell(&registers, state);
    if (state->syscall == SYS_restart_syscall) {
        unsigned char code[OURO_REGISTERS_CODE_BYTES];
        struct iovec to = {code, sizeof code}, from = {(void *)(uintptr_t)(registers.rip - sizeof code), sizeof code};
        bool whole = process_vm_readv(state->tid, &to, 1, &from, 1, 0) == (ssize_t)sizeof code;
        int number = whole ? ouro_registers_restarted(code, sizeof code) : -1;
        state->syscall = number >= 0 ? number : state->syscall;
    }
    if (thread->wait_status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(thread->wait_status) != SIGTRAP)
        state->state = 'T';
}

static void look_at_all(struct ouro_stop *stop)
{
    for (size_t i = 0; i < stop->count; i++)
        if (stop->items[i].stopped)
            look(stop, &stop->items[i]);
}

/* What a thread reported. A signal on its way is kept for the resume; the stop is as good as the one we asked for (the
 * interrupt that is still pending ends with the detach). */
static void note_stop(struct ouro_stop_thread *thread, int wait_status)
{
    if (WIFEXITED(wait_status) || WIFSIGNALED(wait_status)) {
        thread->gone = true;
        return;
    }
    thread->stopped = true;
    thread->wait_status = wait_status;
    if (WIFSTOPPED(wait_status) && wait_status >> 16 == 0)
        thread->signal = WSTOPSIG(wait_status);
}

static char letter_of(const struct ouro_stop *stop, pid_t tid)
{
    struct ouro_thread_state state = {.state = '?', .syscall = -1, .leaving = -1};
    DIR *tasks = open_tasks(stop->pid);
    char name[16];
    snprintf(name, sizeof name, "%d", (int)tid);
    if (tasks) {
        read_state(dirfd(tasks), name, &state);
        closedir(tasks);
    }
    return state.state;
}

static enum ouro_status did_not_stop(struct ouro_stop *stop, pid_t tid, struct ouro_err *err)
{
    char letter = letter_of(stop, tid), where[64] = "", path[64];
    stop->late_tid = tid;
    if (letter != 'D')
        return ouro_err_set(err, OURO_LIMIT, "thread %d of process %d did not stop in time: its state is %c", (int)tid,
                            (int)stop->pid, letter);
    snprintf(path, sizeof path, "/proc/%d/task", (int)stop->pid);
    OURO_CLOSE int tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof path, "%d", (int)tid);
    if (tasks >= 0)
        read_file(tasks, path, "wchan", where, sizeof where);
    bool named = where[0] && strcmp(where, "0") != 0;
    return ouro_err_set(err, OURO_LIMIT, "thread %d of process %d did not stop in time: its state is D (uninterruptible: %s%s%s)",
                        (int)tid, (int)stop->pid,
                        strstr(where, "oom") ? "its cgroup has no memory left"
                                             : "in a device or network file system, or in vfork",
                        named ? "; in the kernel: " : "", named ? where : "");
}

/* Most threads stop within microseconds: at first we only step aside; then naps, which the kernel makes some 50 us more, a little longer
 * each. The last that was woken comes first: when it stands, so do nearly all others, and are asked once only. */
static enum ouro_status wait_stopped(struct ouro_stop *stop, uint64_t deadline_ns, struct ouro_err *err)
{
    uint64_t nap_ns = 20000, polite_ns = ouro_clock_ns() + SPIN_NS;
    for (size_t i = stop->count; i--;) {
        struct ouro_stop_thread *thread = &stop->items[i];
        while (!thread->stopped && !thread->gone) {
            int wait_status;
            pid_t got = waitpid(thread->tid, &wait_status, __WALL | WNOHANG);
            uint64_t now = ouro_clock_ns();
            if (got == thread->tid) {
                note_stop(thread, wait_status);
            } else if (got < 0 && errno == ECHILD) {
                thread->gone = true;
            } else if (now > deadline_ns) {
                return did_not_stop(stop, thread->tid, err);
            } else if (now < polite_ns) {
                sched_yield();
            } else {
                ouro_clock_nap(nap_ns);
                if (nap_ns < 1000000)
                    nap_ns += nap_ns / 4;
            }
        }
    }
    return OURO_OK;
}

static uint64_t count_alive(const struct ouro_stop *stop)
{
    uint64_t alive = 0;
    for (size_t i = 0; i < stop->count; i++)
        alive += !stop->items[i].gone;
    return alive;
}

/* Whether the kernel counts no more than we hold: then nobody is left who could create others, and no second pass is needed. */
static bool holds_all(const struct ouro_stop *stop)
{
    char path[64];
    struct stat stat_buf;
    snprintf(path, sizeof path, "/proc/%d/task", (int)stop->pid);
    uint64_t total = stat(path, &stat_buf) || stat_buf.st_nlink < 2 ? 0 : (uint64_t)stat_buf.st_nlink - 2;
    return total && total == count_alive(stop) + stop->dead_leader;
}

static enum ouro_status stop_threads(struct ouro_stop *stop, uint64_t deadline_ns, struct ouro_err *err)
{
    size_t fresh;
    uint64_t total;
    enum ouro_status status;
    bool whole;
    /* Threads that still run may create others, and a listing passes over some when others end meanwhile: until a pass
     * finds no new one and the kernel counts no more than we hold. */
    do {
        status = seize_new(stop, &fresh, &total, err);
        if (status == OURO_OK && fresh)
            status = wait_stopped(stop, deadline_ns, err);
        whole = stop->only ? true : fresh ? holds_all(stop) : total <= count_alive(stop) + stop->dead_leader;
        if (status == OURO_OK && !fresh && !whole) {
            if (ouro_clock_ns() > deadline_ns)
                return ouro_err_set(err, OURO_LIMIT, "process %d has threads that can't be seized in time",
                                    (int)stop->pid);
            sched_yield(); /* to one that is about to end */
        }
    } while (status == OURO_OK && !whole);
    if (status == OURO_OK && !count_alive(stop))
        status = ouro_err_set(err, OURO_GONE, "process %d ended", (int)stop->pid);
    return status;
}

/* A thread can be detached only while it is stopped. The others (uninterruptible, or dying) the kernel detaches when
 * the keeper ends, and takes back what we asked of them. */
static void let_go(struct ouro_stop *stop)
{
    bool waking = begin_waking();
    for (size_t i = 0; i < stop->count; i++) {
        struct ouro_stop_thread *thread = &stop->items[i];
        int wait_status;
        if (!thread->stopped && !thread->gone && waitpid(thread->tid, &wait_status, __WALL | WNOHANG) == thread->tid)
            note_stop(thread, wait_status);
        if (thread->gone)
            continue;
        if (!thread->stopped || ptrace(PTRACE_DETACH, thread->tid, NULL, (void *)(uintptr_t)thread->signal))
            stop->left = true;
    }
    stop->ended_ns = ouro_clock_ns();
    end_waking(waking);
}

/* Where we may, we and the threads that we start come first while somebody stands still for us. */
static void hurry(struct ouro_stop *stop)
{
    errno = 0;
    stop->caller_tid = gettid();
    stop->caller_nice = getpriority(PRIO_PROCESS, (id_t)stop->caller_tid);
    stop->hurried = !errno && setpriority(PRIO_PROCESS, (id_t)stop->caller_tid, -20) == 0;
}

static void calm_down(struct ouro_stop *stop)
{
    if (stop->hurried)
        setpriority(PRIO_PROCESS, (id_t)stop->caller_tid, stop->caller_nice);
    stop->hurried = false;
}

static void *keep(void *argument)
{
    struct ouro_stop *stop = argument;
    stop->keeper_tid = gettid();
    stop->status = stop_threads(stop, stop->deadline_ns, stop->err);
    if (stop->status == OURO_OK && stop->work)
        stop->work(stop->work_context, OURO_STOP_BEGUN);
    look_at_all(stop);
    if (stop->status == OURO_OK && stop->work)
        stop->work(stop->work_context, OURO_STOP_WORK);
    else
        sem_post(&stop->ready);
    if (stop->status == OURO_OK && !stop->work)
        while (sem_wait(&stop->release))
            continue; /* a signal handler of the program ran in this thread */
    let_go(stop);
    if (stop->status == OURO_OK && stop->work) {
        sem_post(&stop->ready);
        if (stop->after)
            stop->after(stop->work_context);
    }
    return NULL;
}

/* Joining waits for less than the kernel's end of the thread, with which the last threads are detached. */
static void end_keeper(struct ouro_stop *stop)
{
    char path[64];
    pthread_join(stop->keeper, NULL);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)stop->keeper_tid);
    while (stop->left && access(path, F_OK) == 0)
        sched_yield();
    calm_down(stop);
    sem_destroy(&stop->ready);
    sem_destroy(&stop->release);
    stop->kept = false;
    stop->count = 0;
}

static enum ouro_status attempt(struct ouro_stop *stop, uint64_t deadline_ns, struct ouro_err *err)
{
    stop->count = 0;
    stop->left = stop->dead_leader = false;
    stop->late_tid = 0;
    stop->started_ns = stop->ended_ns = 0;
    stop->deadline_ns = deadline_ns;
    stop->err = err;
    sem_init(&stop->ready, 0, 0);
    sem_init(&stop->release, 0, 0);
    hurry(stop);
    int failure = pthread_create(&stop->keeper, NULL, keep, stop);
    if (failure) {
        calm_down(stop);
        sem_destroy(&stop->ready);
        sem_destroy(&stop->release);
        return ouro_err_sys(err, failure, "no memory for the thread that stops process %d, or too many threads", (int)stop->pid);
    }
    while (sem_wait(&stop->ready))
        continue; /* a signal handler of the program ran */
    if (stop->status == OURO_OK && !stop->work)
        stop->kept = true;
    else
        end_keeper(stop);
    return stop->status;
}

/* A thread in uninterruptible sleep would not stop sooner if all others stood still: they run until it is out of that, or the time is
 * over. false: it is not in such a sleep. */
static bool wait_while_uninterruptible(const struct ouro_stop *stop, uint64_t deadline_ns)
{
    bool waited = false;
    uint64_t nap_ns = 50000;
    while (stop->late_tid && letter_of(stop, stop->late_tid) == 'D' && ouro_clock_ns() < deadline_ns) {
        ouro_clock_nap(nap_ns);
        nap_ns = nap_ns < 5000000 ? 2 * nap_ns : nap_ns;
        waited = true;
    }
    return waited;
}

void ouro_stop_look(struct ouro_stop *stop, pid_t pid)
{
    ouro_stop_resume(stop);
    stop->pid = pid;
    read_states(stop);
}

enum ouro_status ouro_stop_for(struct ouro_stop *stop, pid_t pid, uint64_t timeout_ns,
                               void (*work)(void *context, enum ouro_stop_moment moment), void *context, struct ouro_err *err)
{
    stop->work = work;
    stop->work_context = context;
    enum ouro_status status = ouro_stop_all(stop, pid, timeout_ns, err);
    stop->work = NULL;
    return status;
}

enum ouro_status ouro_stop_all(struct ouro_stop *stop, pid_t pid, uint64_t timeout_ns, struct ouro_err *err)
{
    uint64_t start = ouro_clock_ns(), slice_ns = SLICE_NS;
    if (stop->hold_max_ns && stop->hold_max_ns < slice_ns)
        slice_ns = stop->hold_max_ns;
    ouro_stop_resume(stop);
    stop->pid = pid;
    read_states(stop);
    /* One thread in vfork, and all others would stand still for the whole time: let them run in between. */
    for (;;) {
        uint64_t spent = ouro_clock_ns() - start, left = timeout_ns > spent ? timeout_ns - spent : 0;
        bool last = left <= slice_ns;
        enum ouro_status status = attempt(stop, ouro_clock_ns() + (last ? left : slice_ns), err);
        if (status != OURO_LIMIT || last)
            return status;
        if (wait_while_uninterruptible(stop, start + timeout_ns)) {
            if (ouro_clock_ns() - start >= timeout_ns)
                return status;
            continue; /* it woke up: the next attempt is as short as this one */
        }
        ouro_clock_nap(slice_ns / 4);
        if (!stop->hold_max_ns || 2 * slice_ns <= stop->hold_max_ns)
            slice_ns *= 2;
    }
}

void ouro_stop_resume(struct ouro_stop *stop)
{
    if (!stop->kept)
        return;
    sem_post(&stop->release);
    end_keeper(stop);
}

uint64_t ouro_stop_duration_ns(const struct ouro_stop *stop)
{
    if (!stop->started_ns)
        return 0;
    return (stop->ended_ns ? stop->ended_ns : ouro_clock_ns()) - stop->started_ns;
}

void ouro_stop_fini(struct ouro_stop *stop)
{
    ouro_stop_resume(stop);
    free(stop->items);
    free(stop->states);
    memset(stop, 0, sizeof *stop);
}
