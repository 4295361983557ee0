#include "target/guardian.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/guard.h"
#include "target/headroom.h"
#include "target/image.h"
#include "target/inject.h"

#define THREADS_MAX    65536u
#define LOOK_MS        100 /* how often it is looked whether the target runs another program */
#define TRIES          50  /* to find a thread at which no signal arrives */
#define REAP_NS        UINT64_C(20000000)    /* how long an attempt to reap may hold threads for one that does not stop */
#define REAP_NAP_NS    UINT64_C(1000000)     /* between attempts at first, doubled up to a second */
#define ANSWER_NS      UINT64_C(10000000000) /* beyond the time for the stop */
#define SOCKET         0                     /* in the guardian */
#define TARGET         1                     /* its pidfd */

enum command_kind {
    COPY = 'c',
    DROP = 'd',
};

/* What goes to the guardian; the answer is the kind, when it is done. */
struct command {
    uint32_t kind, anyway;
    uint64_t timeout_ns, hold_max_ns;
};

/* What both processes see. Written by the guardian before it answers. */
struct shared {
    enum ouro_status status;
    struct ouro_err err;
    pid_t copy;
    uint64_t stopped_ns, reap_ns;
    double at;
    size_t thread_count;
    struct ouro_thread_state threads[THREADS_MAX]; /* only those that are used cost memory */
    unsigned char kept[];
};

struct ouro_guardian {
    struct ouro_guardian_options options;
    pid_t pid;
    int socket, target; /* target: a pidfd; -1: the kernel has none */
    ouro_addr at;       /* of a syscall instruction */
    struct shared *shared;
    size_t shared_bytes;
    struct {
        struct ouro_image_kept *items; /* owned; bytes are in `shared` */
        size_t count, capacity;
    } kept;
    bool broken;   /* it did not answer, or ended */
    bool standing; /* a copy may be there */
    /* Only in the guardian. */
    struct ouro_stop stop;
    struct ouro_inject_copy copy;
    uint64_t program; /* that was copied */
    bool drop_asked, anyway;
};

/* --- In the guardian */

static bool target_ended(void)
{
    struct pollfd poller = {.fd = TARGET, .events = POLLIN};
    return poll(&poller, 1, 0) > 0 && poller.revents & (POLLIN | POLLNVAL);
}

static void keep_ranges(struct ouro_guardian *guardian)
{
    for (size_t i = 0; i < guardian->kept.count; i++) {
        const struct ouro_image_kept *range = &guardian->kept.items[i];
        unsigned char *to = (unsigned char *)(uintptr_t)range->bytes;
        for (ouro_addr addr = range->start; addr < range->end;) {
            size_t left = (size_t)(range->end - addr);
            struct iovec local = {to + (addr - range->start), left}, remote = {(void *)(uintptr_t)addr, left};
            ssize_t got = process_vm_readv(guardian->options.pid, &local, 1, &remote, 1, 0);
            size_t pages = got > 0 ? (size_t)got & ~(OURO_PAGE_BYTES - 1) : 0;
            addr += pages ? pages : OURO_PAGE_BYTES; /* passes over one that can't be read */
        }
    }
}

/* While all stand still. */
static void copy_target(void *context, enum ouro_stop_moment moment)
{
    struct ouro_guardian *guardian = context;
    struct shared *shared = guardian->shared;
    if (moment != OURO_STOP_WORK)
        return;
    shared->at = ouro_clock_date();
    if (!guardian->anyway && guardian->options.accept && !guardian->options.accept(guardian->options.context))
        return;
    keep_ranges(guardian);
    shared->status = ouro_inject_clone(&guardian->stop, guardian->at, &guardian->copy, &shared->err);
}

static void answer(enum command_kind kind)
{
    unsigned char byte = (unsigned char)kind;
    send(SOCKET, &byte, 1, MSG_NOSIGNAL);
}

/* The kernel shall take the copy before anything else when memory runs out. */
static void offer_to_oom(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    OURO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)!write(fd, "1000", 4);
}

/* Until we are told to end it, or nobody is there who could, or the target is no longer what was copied. */
static void stand(struct ouro_guardian *guardian)
{
    struct pollfd poller[2] = {{.fd = SOCKET, .events = POLLIN}, {.fd = TARGET, .events = POLLIN}};
    struct command command;
    for (;;) {
        poll(poller, 2, LOOK_MS);
        if (poller[0].revents) {
            ssize_t got = recv(SOCKET, &command, sizeof command, 0);
            guardian->drop_asked = got == (ssize_t)sizeof command && command.kind == DROP;
            return;
        }
        if (poller[1].revents & POLLNVAL)
            poller[1].fd = -1;
        else if (poller[1].revents)
            return;
        if (ouro_process_program(guardian->options.pid) != guardian->program)
            return;
    }
}

/* Once all go on again, by the thread that is the copy's tracer. */
static void hold(void *context)
{
    struct ouro_guardian *guardian = context;
    struct shared *shared = guardian->shared;
    int wait_status;
    if (!guardian->copy.pid)
        return;
    shared->copy = guardian->copy.pid;
    shared->stopped_ns = ouro_stop_duration_ns(&guardian->stop);
    shared->thread_count = guardian->stop.state_count < THREADS_MAX ? guardian->stop.state_count : THREADS_MAX;
    memcpy(shared->threads, guardian->stop.states, shared->thread_count * sizeof *shared->threads);
    answer(COPY);
    offer_to_oom(guardian->copy.pid);
    if (!guardian->stop.left) /* else somebody waits for the end of this thread: the target died */
        stand(guardian);
    kill(guardian->copy.pid, SIGKILL);
    while (waitpid(guardian->copy.pid, &wait_status, __WALL) == guardian->copy.pid && WIFSTOPPED(wait_status))
        continue;
}

struct reaping {
    struct ouro_guardian *guardian;
    ouro_addr at;
    bool reaped;
};

static void reap_in_target(void *context, enum ouro_stop_moment moment)
{
    struct reaping *reaping = context;
    if (moment != OURO_STOP_WORK)
        return;
    ouro_inject_reap(&reaping->guardian->stop, reaping->at, reaping->guardian->copy.inner, &reaping->reaped, NULL);
}

/* Any thread may do it; the others need not stand still for that. */
static bool reap_by_any(struct reaping *reaping)
{
    pid_t pid = reaping->guardian->options.pid;
    struct ouro_stop *stop = &reaping->guardian->stop;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && !reaping->reaped && (entry = readdir(tasks));) {
        stop->only = (pid_t)atoi(entry->d_name);
        if (stop->only > 0 && ouro_inject_seccomp(pid, stop->only) == 0 &&
            ouro_stop_for(stop, pid, REAP_NS, reap_in_target, reaping, NULL) == OURO_OK && reaping->reaped)
            reaping->guardian->shared->reap_ns = ouro_stop_duration_ns(stop);
    }
    if (tasks)
        closedir(tasks);
    stop->only = 0;
    return reaping->reaped;
}

/* Again and again: a thread may be in vfork, somebody else may trace the target, it may have got a filter. */
static void reap(struct ouro_guardian *guardian)
{
    struct reaping reaping = {.guardian = guardian};
    guardian->shared->reap_ns = 0;
    guardian->stop.after = NULL;
    guardian->stop.hold_max_ns = REAP_NS;
    for (uint64_t nap = REAP_NAP_NS; guardian->copy.inner && !target_ended(); nap = nap < 500000000u ? 2 * nap : nap) {
        if (ouro_inject_find(guardian->options.pid, &reaping.at, NULL) == OURO_OK && reap_by_any(&reaping))
            break;
        ouro_clock_nap(nap);
    }
    guardian->copy = (struct ouro_inject_copy){0};
}

static void make_copy(struct ouro_guardian *guardian, const struct command *command)
{
    struct shared *shared = guardian->shared;
    struct ouro_stop *stop = &guardian->stop;
    guardian->drop_asked = false;
    guardian->anyway = command->anyway;
    for (int i = 0; i < TRIES; i++) {
        shared->status = OURO_OK;
        shared->copy = 0;
        shared->stopped_ns = 0;
        guardian->program = ouro_process_program(guardian->options.pid);
        stop->after = hold;
        stop->hold_max_ns = command->hold_max_ns;
        enum ouro_status status =
            ouro_stop_for(stop, guardian->options.pid, command->timeout_ns, copy_target, guardian, &shared->err);
        bool again = status == OURO_OK && shared->status == OURO_LIMIT;
        if (shared->copy) {
            reap(guardian);
            if (guardian->drop_asked)
                answer(DROP);
            return;
        }
        shared->stopped_ns = ouro_stop_duration_ns(stop);
        shared->status = status == OURO_OK ? shared->status : status;
        if (!again)
            break;
        ouro_clock_nap(REAP_NAP_NS);
    }
    answer(COPY);
}

static void lower_oom_score(void)
{
    char text[32] = "";
    OURO_CLOSE int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0 || write(fd, "-1000", 5) == 5)
        return;
    if (pread(fd, text, sizeof text - 1, 0) > 0 && atoi(text) > 0)
        (void)!write(fd, "0", 1);
}

/* Nothing of who forked us is kept open: somebody may wait for the end of a pipe. */
static void arrange_files(const struct ouro_guardian *guardian)
{
    int socket = fcntl(guardian->socket, F_DUPFD, 16);
    int target = guardian->target < 0 ? -1 : fcntl(guardian->target, F_DUPFD, 16);
    if (dup2(socket, SOCKET) < 0)
        _exit(1);
    if (target < 0 || dup2(target, TARGET) < 0)
        close(TARGET);
    if (syscall(SYS_close_range, TARGET + 1, ~0u, 0))
        for (int fd = TARGET + 1; fd < 4096; fd++)
            close(fd);
    if (target < 0) /* so that no other file gets the number */
        fcntl(open("/", O_PATH | O_CLOEXEC), F_DUPFD, TARGET);
}

static void guard(struct ouro_guardian *guardian)
{
    struct command command;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_DFL);
    setsid();
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_NAME, "ouro-guardian");
    (void)!chdir("/");
    arrange_files(guardian);
    lower_oom_score();
    mlockall(MCL_CURRENT | MCL_ONFAULT);
    while (recv(SOCKET, &command, sizeof command, 0) == (ssize_t)sizeof command)
        if (command.kind == COPY)
            make_copy(guardian, &command);
        else
            answer(DROP); /* it ended by itself */
    _exit(0);
}

/* --- In who has it */

static enum ouro_status list_kept(struct ouro_guardian *guardian, const struct ouro_maps *maps, uint64_t *bytes,
                                  struct ouro_err *err)
{
    uint64_t most = guardian->options.kept_bytes_max ? guardian->options.kept_bytes_max : OURO_GUARDIAN_KEPT_BYTES;
    *bytes = 0;
    for (size_t i = 0; i < maps->count; i++) {
        const struct ouro_mapping *mapping = &maps->items[i];
        if (!mapping->unforked || !ouro_image_is_copied(mapping))
            continue;
        struct ouro_image_kept *range = OURO_VEC_ADD(&guardian->kept);
        if (!range)
            return ouro_err_set(err, OURO_NOMEM, "no memory");
        *range = (struct ouro_image_kept){mapping->start, mapping->end, NULL};
        *bytes += mapping->end - mapping->start;
    }
    if (*bytes > most)
        return ouro_err_set(err, OURO_UNSUPPORTED, "%llu MiB of its memory are not in a copy (MADV_DONTFORK)",
                            (unsigned long long)(*bytes >> 20));
    return OURO_OK;
}

static enum ouro_status prepare(struct ouro_guardian *guardian, struct ouro_err *err)
{
    pid_t pid = guardian->options.pid;
    struct ouro_headroom_use use;
    OURO_GUARD(ouro_maps_fini) struct ouro_maps maps = {0};
    uint64_t kept_bytes;
    OURO_TRY(ouro_maps_read(&maps, pid, true, err));
    OURO_TRY(ouro_headroom_use(pid, &use, err));
    OURO_TRY(ouro_headroom_check(pid, &use, &maps, err));
    OURO_TRY(list_kept(guardian, &maps, &kept_bytes, err));
    OURO_TRY(ouro_inject_find(pid, &guardian->at, err));
    guardian->shared_bytes = sizeof *guardian->shared + (size_t)kept_bytes;
    void *shared = mmap(NULL, guardian->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        return ouro_err_sys(err, errno, "no memory to share with the guardian");
    guardian->shared = shared;
    memset(guardian->shared->kept, 0, kept_bytes); /* touched before anybody stands still */
    unsigned char *to = guardian->shared->kept;
    for (size_t i = 0; i < guardian->kept.count; i++) {
        struct ouro_image_kept *range = &guardian->kept.items[i];
        range->bytes = to;
        to += range->end - range->start;
    }
    return OURO_OK;
}

static enum ouro_status start(struct ouro_guardian *guardian, struct ouro_err *err)
{
    int sockets[2];
    OURO_TRY(prepare(guardian, err));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
        return ouro_err_sys(err, errno, "no socket for the guardian");
    guardian->target = (int)syscall(SYS_pidfd_open, guardian->options.pid, 0);
    guardian->socket = sockets[1];
    guardian->pid = fork();
    if (guardian->pid == 0)
        guard(guardian);
    int failure = errno;
    close(sockets[1]);
    guardian->socket = sockets[0];
    if (guardian->target >= 0)
        close(guardian->target);
    return guardian->pid < 0 ? ouro_err_sys(err, failure, "the guardian can't be started") : OURO_OK;
}

enum ouro_status ouro_guardian_start(struct ouro_guardian **out, const struct ouro_guardian_options *options,
                                     struct ouro_err *err)
{
    struct ouro_guardian *guardian = calloc(1, sizeof *guardian);
    *out = NULL;
    if (!guardian)
        return ouro_err_set(err, OURO_NOMEM, "no memory");
    guardian->options = *options;
    guardian->socket = guardian->target = -1;
    enum ouro_status status = start(guardian, err);
    if (status != OURO_OK) {
        ouro_guardian_end(guardian);
        return status;
    }
    *out = guardian;
    return OURO_OK;
}

static bool cancelled(const struct ouro_guardian *guardian)
{
    return guardian->options.cancel && *guardian->options.cancel;
}

static enum ouro_status await_answer(struct ouro_guardian *guardian, enum command_kind kind, uint64_t timeout_ns,
                                     bool cancellable, struct ouro_err *err)
{
    uint64_t deadline = ouro_clock_ns() + timeout_ns;
    struct pollfd poller = {.fd = guardian->socket, .events = POLLIN};
    unsigned char byte = 0;
    int ready;
    do {
        ready = poll(&poller, 1, LOOK_MS);
        if (ready <= 0 && cancellable && cancelled(guardian)) {
            guardian->broken = true;
            return ouro_err_set(err, OURO_CANCELLED, "cancelled");
        }
    } while (ready <= 0 && ouro_clock_ns() < deadline);
    if (ready > 0 && recv(guardian->socket, &byte, 1, 0) == 1 && byte == kind)
        return OURO_OK;
    guardian->broken = true;
    return ready > 0 ? ouro_err_set(err, OURO_GONE, "the guardian of the copy ended")
                     : ouro_err_set(err, OURO_LIMIT, "the guardian of the copy does not answer");
}

static enum ouro_status tell(struct ouro_guardian *guardian, const struct command *command, struct ouro_err *err)
{
    if (!guardian->broken && send(guardian->socket, command, sizeof *command, MSG_NOSIGNAL) == (ssize_t)sizeof *command)
        return OURO_OK;
    guardian->broken = true;
    return ouro_err_set(err, OURO_GONE, "the guardian of the copy ended");
}

enum ouro_status ouro_guardian_copy(struct ouro_guardian *guardian, uint64_t timeout_ns, uint64_t hold_max_ns,
                                    bool anyway, struct ouro_guardian_copy *copy, struct ouro_err *err)
{
    const struct command command = {COPY, anyway, timeout_ns, hold_max_ns};
    const struct shared *shared = guardian->shared;
    memset(copy, 0, sizeof *copy);
    ouro_guardian_drop(guardian, NULL);
    OURO_TRY(tell(guardian, &command, err));
    guardian->standing = true;
    OURO_TRY(await_answer(guardian, COPY, timeout_ns + ANSWER_NS, true, err));
    guardian->standing = shared->copy != 0;
    if (shared->status != OURO_OK) {
        if (err)
            *err = shared->err;
        return shared->status;
    }
    *copy = (struct ouro_guardian_copy){
        .pid = shared->copy,
        .stopped_ns = shared->stopped_ns,
        .at = shared->at,
        .threads = shared->threads,
        .thread_count = shared->thread_count,
        .kept = guardian->kept.items,
        .kept_count = guardian->kept.count,
    };
    return OURO_OK;
}

void ouro_guardian_drop(struct ouro_guardian *guardian, uint64_t *reap_ns)
{
    const struct command command = {.kind = DROP};
    bool done = guardian->standing && tell(guardian, &command, NULL) == OURO_OK &&
                await_answer(guardian, DROP, ANSWER_NS, true, NULL) == OURO_OK;
    if (reap_ns)
        *reap_ns = done ? guardian->shared->reap_ns : 0;
    guardian->standing = false;
}

/* It ends as soon as the socket is closed. When it can't reap yet it stays behind, and we do not wait for that. */
void ouro_guardian_end(struct ouro_guardian *guardian)
{
    if (!guardian)
        return;
    if (guardian->socket >= 0)
        close(guardian->socket);
    uint64_t deadline = ouro_clock_ns() + ANSWER_NS / 5;
    while (guardian->pid > 0 && waitpid(guardian->pid, NULL, WNOHANG) == 0 && ouro_clock_ns() < deadline)
        ouro_clock_nap(200000);
    if (guardian->shared)
        munmap(guardian->shared, guardian->shared_bytes);
    free(guardian->kept.items);
    free(guardian);
}

pid_t ouro_guardian_pid(const struct ouro_guardian *guardian)
{
    return guardian->pid;
}
