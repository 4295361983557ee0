/* A copy of a process that neither the process nor anybody else notices. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "target/available.h"
#include "target/guardian.h"
#include "target/image.h"

#define TIMEOUT_NS UINT64_C(20000000000)
#define LONG_MS    60000
#define SHORT_NS   600000000
#define ROUNDS     3

static struct ouro_err err;

static struct ouro_guardian *must_start(pid_t pid)
{
    const struct ouro_guardian_options options = {.pid = pid};
    struct ouro_guardian *guardian;
    ASSERT_OK(ouro_guardian_start(&guardian, &options, &err));
    return guardian;
}

static struct ouro_guardian_copy must_copy(struct ouro_guardian *guardian)
{
    struct ouro_guardian_copy copy;
    ASSERT_OK(ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, &err));
    ck_assert_int_gt(copy.pid, 0);
    return copy;
}

/* How many processes have this parent, zombies too. */
static int children_of(pid_t pid)
{
    int count = 0;
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; processes && (entry = readdir(processes));)
        count += atoi(entry->d_name) > 0 && status_of(atoi(entry->d_name), "PPid") == pid;
    if (processes)
        closedir(processes);
    return count;
}

/* --- Each blocking system call, made by the only thread, which therefore is the one that works for us. */

enum call {
    READ, FUTEX, FUTEX_TIMED, NANOSLEEP, CLOCK_NANOSLEEP, SELECT, PSELECT, POLL, PPOLL, EPOLL, ACCEPT, WAIT4, SIGTIMEDWAIT, MSGRCV,
    PAUSE, SIGSUSPEND, SPIN, CALLS
};
static const int numbers[CALLS] = {
    SYS_read, SYS_futex, SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_select, SYS_pselect6, SYS_poll, SYS_ppoll,
    SYS_epoll_wait, SYS_accept, SYS_wait4, SYS_rt_sigtimedwait, SYS_msgrcv, SYS_pause, SYS_rt_sigsuspend, -1,
};

static enum call call;
static int listener, queue;
static atomic_int child_signals, user_signals;

static void on_child(int number)
{
    (void)number;
    child_signals++;
}

static void on_user(int number)
{
    (void)number;
    user_signals++;
}

/* All registers that a compiler would let us have; true when none changed while *flag was 0. */
static bool registers_keep(atomic_int *flag)
{
    uint64_t good = 0;
    __asm__ volatile("mov $0x1108, %%r8\n mov $0x1109, %%r9\n mov $0x1110, %%r10\n mov $0x1111, %%r11\n mov $0x1112, %%r12\n"
                     "mov $0x1113, %%r13\n mov $0x1114, %%r14\n mov $0x1115, %%r15\n mov $0x1101, %%rcx\n mov $0x1102, %%rdx\n"
                     "mov $0x1103, %%rsi\n mov $0x1104, %%rdi\n movq %%r8, %%xmm7\n"
                     "1: cmpl $0, (%%rax)\n je 1b\n"
                     "movq %%xmm7, %%rbx\n cmp $0x1108, %%rbx\n mov $0, %%rbx\n jne 2f\n"
                     "cmp $0x1108, %%r8\n jne 2f\n cmp $0x1109, %%r9\n jne 2f\n cmp $0x1110, %%r10\n jne 2f\n"
                     "cmp $0x1111, %%r11\n jne 2f\n cmp $0x1112, %%r12\n jne 2f\n cmp $0x1113, %%r13\n jne 2f\n"
                     "cmp $0x1114, %%r14\n jne 2f\n cmp $0x1115, %%r15\n jne 2f\n cmp $0x1101, %%rcx\n jne 2f\n"
                     "cmp $0x1102, %%rdx\n jne 2f\n cmp $0x1103, %%rsi\n jne 2f\n cmp $0x1104, %%rdi\n jne 2f\n"
                     "mov $1, %%rbx\n 2:\n"
                     : "=&b"(good)
                     : "a"(flag)
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm7", "memory", "cc");
    return good == 1;
}

static bool timed(struct shared *shared)
{
    int fd = shared->pipes[2][0];
    struct timespec time = {.tv_nsec = SHORT_NS};
    struct timeval interval = {.tv_usec = SHORT_NS / 1000};
    struct pollfd item = {.fd = fd, .events = POLLIN};
    sigset_t mask;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    sigfillset(&mask);
    sigdelset(&mask, SIGUSR1);
    switch (call) {
    case NANOSLEEP:
        return syscall(SYS_nanosleep, &time, NULL) == 0;
    case CLOCK_NANOSLEEP:
        clock_gettime(CLOCK_MONOTONIC, &time);
        time.tv_nsec += SHORT_NS;
        time.tv_sec += time.tv_nsec / 1000000000;
        time.tv_nsec %= 1000000000;
        return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == 0;
    case FUTEX_TIMED:
        return syscall(SYS_futex, &shared->done, FUTEX_WAIT, 0, &time, NULL, 0) == -1 && errno == ETIMEDOUT;
    case SELECT:
        return syscall(SYS_select, fd + 1, &set, NULL, NULL, &interval) == 0;
    case PSELECT:
        return pselect(fd + 1, &set, NULL, NULL, &time, &mask) == 0;
    case POLL:
        return syscall(SYS_poll, &item, 1, SHORT_NS / 1000000) == 0;
    default:
        return ppoll(&item, 1, &time, &mask) == 0;
    }
}

static bool blocked(struct shared *shared)
{
    struct timespec time = {.tv_sec = LONG_MS / 1000};
    struct epoll_event event = {.events = EPOLLIN};
    sigset_t set;
    char byte;
    int status, result;
    struct {
        long type;
        char text[1];
    } message;
    uint64_t start = now_ns();
    switch (call) {
    case READ:
        return read(shared->pipes[0][0], &byte, 1) == 1 && byte == 'r';
    case FUTEX:
        return syscall(SYS_futex, &shared->done, FUTEX_WAIT, 0, NULL, NULL, 0) == 0;
    case EPOLL:
        status = epoll_create1(0);
        epoll_ctl(status, EPOLL_CTL_ADD, shared->pipes[0][0], &event);
        do
            result = (int)syscall(SYS_epoll_wait, status, &event, 1, LONG_MS);
        while (result < 0 && errno == EINTR); /* any stop ends it so */
        return result == 1;
    case ACCEPT:
        return accept(listener, NULL, NULL) >= 0;
    case WAIT4:
        return waitpid(-1, &status, 0) == (pid_t)shared->results[5] && WIFEXITED(status) && WEXITSTATUS(status) == 5;
    case SIGTIMEDWAIT:
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        do
            result = sigtimedwait(&set, NULL, &time);
        while (result < 0 && errno == EINTR);
        return result == SIGUSR1;
    case MSGRCV:
        return msgrcv(queue, &message, 1, 0, 0) == 1 && message.text[0] == 'm';
    case PAUSE:
        return syscall(SYS_pause) == -1 && errno == EINTR && user_signals == 1;
    case SIGSUSPEND:
        sigfillset(&set);
        sigdelset(&set, SIGUSR1);
        return sigsuspend(&set) == -1 && errno == EINTR && user_signals == 1;
    case SPIN:
        return registers_keep(&shared->done);
    default:
        return timed(shared) && now_ns() - start >= SHORT_NS;
    }
}

static void caller(struct shared *shared)
{
    sigset_t mask, before, after, pending;
    char byte;
    signal(SIGCHLD, on_child);
    signal(SIGUSR1, on_user);
    signal(SIGUSR2, on_user);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    if (call == SIGTIMEDWAIT || call == SIGSUSPEND)
        sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_SETMASK, &mask, &before);
    raise(SIGUSR2); /* stays pending through all that follows */
    if (call == WAIT4) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(read(shared->pipes[1][0], &byte, 1) == 1 ? 5 : 6);
        shared->results[5] = pid;
    }
    shared->ready = 1;
    bool good = blocked(shared);
    int number = errno;
    sigprocmask(SIG_SETMASK, NULL, &after);
    sigpending(&pending);
    shared->results[1] = memcmp(&mask, &after, 8) == 0 && sigismember(&pending, SIGUSR2) == 1;
    shared->results[2] = child_signals;
    shared->results[3] = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    shared->results[0] = good ? 1 : -1000 - number;
    child_rest(shared);
}

static void give(const struct child *child, const struct sockaddr_un *name, socklen_t name_size)
{
    struct {
        long type;
        char text[1];
    } message = {1, {'m'}};
    switch (call) {
    case READ:
    case EPOLL:
        ck_assert_int_eq(write(child->shared->pipes[0][1], "r", 1), 1);
        break;
    case FUTEX:
        syscall(SYS_futex, &child->shared->done, FUTEX_WAKE, 1, NULL, NULL, 0);
        break;
    case ACCEPT:
        ck_assert_int_eq(connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)name, name_size), 0);
        break;
    case WAIT4:
        ck_assert_int_eq(write(child->shared->pipes[1][1], "r", 1), 1);
        break;
    case MSGRCV:
        ck_assert_int_eq(msgsnd(queue, &message, 1, 0), 0);
        break;
    case SIGTIMEDWAIT:
    case PAUSE:
    case SIGSUSPEND:
        kill(child->pid, SIGUSR1);
        break;
    case SPIN:
        child->shared->done = 1;
        break;
    default:
        break;
    }
}

static bool is_in_call(const struct child *child)
{
    return call == SPIN || syscall_of(child->pid) == numbers[call] || child->shared->results[0];
}

START_TEST(a_blocked_call_of_the_thread_that_works_for_us_gives_its_result)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t size = sizeof name;
    call = (enum call)_i;
    queue = msgget(IPC_PRIVATE, 0600);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    struct child child = child_start(caller);
    struct shared *shared = child.shared;
    int own = call == WAIT4;
    AWAIT(is_in_call(&child));
    struct ouro_guardian *guardian = must_start(child.pid);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t reap_ns;
        struct ouro_guardian_copy copy = must_copy(guardian);
        ck_assert_int_eq(state_of(copy.pid), 't');
        ck_assert_int_eq(status_of(copy.pid, "PPid"), child.pid);
        ck_assert_uint_ge(copy.thread_count, 1);
        ck_assert_int_eq(copy.threads[0].tid, child.pid);
        ck_assert_uint_gt(copy.stopped_ns, 0);
        ouro_guardian_drop(guardian, &reap_ns);
        ck_assert_uint_gt(reap_ns, 0);
        ck_assert_int_eq(children_of(child.pid), own);
    }
    AWAIT(is_in_call(&child)); /* again: neither a waking nor a signal waits for one who is still on the way there */
    give(&child, &name, size);
    AWAIT(shared->results[0]);
    msgctl(queue, IPC_RMID, NULL);
    ck_assert_msg(shared->results[0] == 1, "call %d: %ld", _i, (long)shared->results[0]);
    ck_assert_int_eq(shared->results[1], 1);
    ck_assert_int_eq(shared->results[2], own);
    ck_assert_int_eq(shared->results[3], 1);
    ouro_guardian_end(guardian);
    ck_assert_int_eq(status_of(child.pid, "TracerPid"), 0);
    child_end(&child);
}
END_TEST

/* --- What a copy is */

static unsigned char *place;

static void changing(struct shared *shared)
{
    place = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(place, 'a', 64 * PAGE);
    madvise(place + 16 * PAGE, 4 * PAGE, MADV_DONTFORK);
    madvise(place + 32 * PAGE, 4 * PAGE, MADV_WIPEONFORK);
    shared->addr[0] = (uintptr_t)place;
    shared->ready = 1;
    for (int step = 1;; step++) {
        child_await_step(shared, step);
        memset(place, 'a' + step, 64 * PAGE);
        shared->done = step;
    }
}

static bool all_are(const unsigned char *bytes, size_t size, int value)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

START_TEST(a_copy_stays_as_the_process_was_with_what_no_child_gets)
{
    struct child child = child_start(changing);
    ouro_addr addr = child.shared->addr[0];
    struct ouro_process *process = must_open(child.pid), *source;
    struct ouro_guardian *guardian = must_start(child.pid);
    for (int step = 0; step < 3; step++) {
        struct ouro_image image;
        ASSERT_OK(ouro_image_plan(&image, process, NULL, &err));
        struct ouro_guardian_copy copy = must_copy(guardian);
        ck_assert_uint_eq(copy.kept_count, 2);
        child.shared->step = step + 1;
        AWAIT(child.shared->done == step + 1); /* the target has written over all of it */
        struct ouro_image_options options = {.kept = copy.kept, .kept_count = copy.kept_count};
        source = must_open(copy.pid);
        ASSERT_OK(ouro_image_copy(&image, source, &options, &err));
        ASSERT_OK(ouro_image_finish(&image, source, &err));
        ouro_process_close(source);
        const unsigned char *bytes = ouro_image_at(&image, addr, 64 * PAGE);
        ck_assert_ptr_nonnull(bytes);
        ck_assert(all_are(bytes, 64 * PAGE, 'a' + step));
        ck_assert_ptr_nonnull(ouro_maps_find(&image.maps, addr + 17 * PAGE));
        ouro_image_fini(&image);
        ouro_guardian_drop(guardian, NULL);
    }
    ouro_guardian_end(guardian);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(a_copy_that_is_late_is_given_up_and_can_be_made_again)
{
    struct child child = child_start(changing);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    struct ouro_image_options options = {.deadline_ns = 1};
    ASSERT_OK(ouro_image_plan(&image, process, NULL, &err));
    ck_assert_int_eq(ouro_image_copy(&image, process, &options, &err), OURO_LIMIT);
    ck_assert(image.late);
    ASSERT_OK(ouro_image_copy(&image, process, NULL, &err));
    ck_assert(!image.late);
    ASSERT_OK(ouro_image_finish(&image, process, &err));
    ck_assert(all_are(ouro_image_at(&image, child.shared->addr[0], 64 * PAGE), 64 * PAGE, 'a'));
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static bool never(void *context)
{
    ++*(atomic_int *)context;
    return false;
}

START_TEST(what_is_not_accepted_is_not_copied_unless_anyway)
{
    struct child child = child_start(child_rest);
    struct shared *seen = shared_new();
    const struct ouro_guardian_options options = {.pid = child.pid, .accept = never, .context = &seen->step};
    struct ouro_guardian *guardian;
    struct ouro_guardian_copy copy;
    ASSERT_OK(ouro_guardian_start(&guardian, &options, &err));
    ASSERT_OK(ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, &err));
    ck_assert_int_eq(copy.pid, 0);
    ck_assert_int_eq(seen->step, 1);
    ck_assert_int_eq(children_of(child.pid), 0);
    ASSERT_OK(ouro_guardian_copy(guardian, TIMEOUT_NS, 0, true, &copy, &err));
    ck_assert_int_gt(copy.pid, 0);
    ck_assert_int_eq(seen->step, 1);
    ouro_guardian_end(guardian);
    AWAIT(children_of(child.pid) == 0);
    child_end(&child);
}
END_TEST

/* --- Targets in trouble */

START_TEST(what_sigstop_stopped_is_copied_and_stays_stopped)
{
    call = READ;
    struct child child = child_start(caller);
    struct ouro_guardian *guardian = must_start(child.pid);
    AWAIT(syscall_of(child.pid) == SYS_read);
    kill(child.pid, SIGSTOP);
    AWAIT(state_of(child.pid) == 'T');
    for (int round = 0; round < ROUNDS; round++) {
        must_copy(guardian);
        AWAIT(state_of(child.pid) == 'T');
        ouro_guardian_drop(guardian, NULL);
        AWAIT(state_of(child.pid) == 'T');
        ck_assert_int_eq(children_of(child.pid), 0);
    }
    give(&child, NULL, 0);
    ck_assert_int_eq(child.shared->results[0], 0);
    kill(child.pid, SIGCONT);
    AWAIT(child.shared->results[0]);
    ck_assert_int_eq(child.shared->results[0], 1);
    ouro_guardian_end(guardian);
    child_end(&child);
}
END_TEST

static struct shared *common;

static void count_signal(int number)
{
    (void)number;
    common->counters[0]++;
}

static void counting_signals(struct shared *shared)
{
    common = shared;
    signal(SIGRTMIN, count_signal);
    signal(SIGCHLD, on_child);
    child_rest(shared);
}

static void *send_signals(void *argument)
{
    pid_t pid = *(pid_t *)argument;
    for (int i = 0; i < 3000; i++) {
        while (sigqueue(pid, SIGRTMIN, (union sigval){0}))
            nap(); /* too many wait */
        sched_yield();
    }
    return NULL;
}

START_TEST(no_signal_is_lost_or_doubled_around_copies)
{
    struct child child = child_start(counting_signals);
    struct ouro_guardian *guardian = must_start(child.pid);
    pthread_t sender;
    ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, &child.pid), 0);
    for (int i = 0; i < 30; i++) {
        must_copy(guardian);
        ouro_guardian_drop(guardian, NULL);
    }
    pthread_join(sender, NULL);
    AWAIT(child.shared->counters[0] >= 3000);
    ck_assert_int_eq(child.shared->counters[0], 3000);
    ouro_guardian_end(guardian);
    child_end(&child);
}
END_TEST

static void filtered(struct shared *shared)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    shared->results[0] = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    child_rest(shared);
}

START_TEST(a_seccomp_filter_is_refused_and_its_process_lives)
{
    struct child child = child_start(filtered);
    const struct ouro_guardian_options options = {.pid = child.pid};
    struct ouro_guardian *guardian;
    if (child.shared->results[0] != 0) {
        child_end(&child);
        skip("no seccomp here");
        return;
    }
    ck_assert_int_eq(ouro_guardian_start(&guardian, &options, &err), OURO_UNSUPPORTED);
    ck_assert_ptr_null(guardian);
    ck_assert_msg(strstr(err.msg, "seccomp"), "%s", err.msg);
    ck_assert_int_eq(state_of(child.pid), 'S');
    child_end(&child);
}
END_TEST

/* Another filter than at the start, put on while it was looked at: the thread is refused in the stop, too. */
static void filtered_later(struct shared *shared)
{
    child_await_go(shared);
    filtered(shared);
}

START_TEST(a_filter_that_comes_later_is_refused_in_the_stop)
{
    struct child child = child_start(filtered_later);
    struct ouro_guardian *guardian = must_start(child.pid);
    struct ouro_guardian_copy copy;
    child.shared->step = 1;
    AWAIT(status_of(child.pid, "Seccomp") == 2);
    ck_assert_int_eq(ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, &err), OURO_UNSUPPORTED);
    ck_assert_msg(strstr(err.msg, "seccomp"), "%s", err.msg);
    ck_assert_int_eq(children_of(child.pid), 0);
    AWAIT(state_of(child.pid) == 'S');
    ouro_guardian_end(guardian);
    child_end(&child);
}
END_TEST

static void limited(struct shared *shared)
{
    struct rlimit limit = {0, 0};
    if (getuid() == 0 && (setgid(65534) || setuid(65534)))
        _exit(1);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    setrlimit(RLIMIT_NPROC, &limit);
    child_rest(shared);
}

START_TEST(a_kernel_that_makes_no_process_more_is_told_and_does_no_harm)
{
    struct child child = child_start(limited);
    struct ouro_guardian *guardian = must_start(child.pid);
    struct ouro_guardian_copy copy;
    ck_assert_int_eq(ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, &err), OURO_SYS);
    ck_assert_int_eq(err.sys_errno, EAGAIN);
    AWAIT(state_of(child.pid) == 'S');
    ck_assert_int_eq(children_of(child.pid), 0);
    ouro_guardian_end(guardian);
    child_end(&child);
}
END_TEST

START_TEST(a_target_that_dies_takes_its_copy_along)
{
    struct child child = child_start(child_rest);
    struct ouro_guardian *guardian = must_start(child.pid);
    struct ouro_guardian_copy copy = must_copy(guardian);
    child_end(&child);
    AWAIT(is_gone(copy.pid));
    ouro_guardian_drop(guardian, NULL);
    ck_assert_int_eq(ouro_guardian_copy(guardian, UINT64_C(1000000000), 0, false, &copy, &err), OURO_GONE);
    ouro_guardian_end(guardian);
}
END_TEST

static void *kill_it(void *argument)
{
    const struct child *child = argument;
    struct timespec delay = {.tv_nsec = child->shared->step * 50000};
    nanosleep(&delay, NULL); /* any moment is a good one */
    kill(child->pid, SIGKILL);
    return NULL;
}

START_TEST(a_target_that_dies_at_any_moment_leaves_nothing)
{
    for (int i = 0; i < 40; i++) {
        struct child child = child_start(child_rest);
        struct ouro_guardian *guardian = must_start(child.pid);
        struct ouro_guardian_copy copy;
        pthread_t killer;
        child.shared->step = i;
        ck_assert_int_eq(pthread_create(&killer, NULL, kill_it, &child), 0);
        enum ouro_status status = ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, &err);
        ck_assert_msg(status == OURO_OK || status == OURO_GONE, "%s: %s", ouro_status_name(status), err.msg);
        pthread_join(killer, NULL);
        pid_t pid = ouro_guardian_pid(guardian);
        ouro_guardian_drop(guardian, NULL);
        ouro_guardian_end(guardian);
        ck_assert_int_eq(state_of(pid), 0);
        AWAIT(!copy.pid || is_gone(copy.pid));
        child_end(&child);
    }
}
END_TEST

static void executing(struct shared *shared)
{
    char *const command[] = {"sleep", "1000", NULL};
    child_await_go(shared);
    execvp("sleep", command);
    _exit(1);
}

START_TEST(another_program_gets_rid_of_the_copy_at_once)
{
    struct child child = child_start(executing);
    struct ouro_guardian *guardian = must_start(child.pid);
    struct ouro_guardian_copy copy = must_copy(guardian);
    child.shared->step = 1;
    AWAIT(state_of(copy.pid) == 0); /* nobody asked for it */
    ck_assert_int_eq(children_of(child.pid), 0);
    ouro_guardian_end(guardian);
    ck_assert_int_eq(state_of(child.pid), 'S');
    child_end(&child);
}
END_TEST

static void vforking(struct shared *shared)
{
    char byte;
    child_await_go(shared);
    pid_t pid = vfork();
    if (pid == 0) {
        shared->step = 2;
        _exit(read(shared->pipes[0][0], &byte, 1) == 1 ? 5 : 6);
    }
    int status;
    shared->results[0] = waitpid(-1, &status, 0) == pid && WEXITSTATUS(status) == 5;
    shared->done = 1;
    child_rest(shared);
}

static void *drop(void *guardian)
{
    ouro_guardian_drop(guardian, NULL);
    return NULL;
}

START_TEST(a_process_in_vfork_is_given_its_time_before_it_reaps)
{
    struct child child = child_start(vforking);
    struct ouro_guardian *guardian = must_start(child.pid);
    struct ouro_guardian_copy copy = must_copy(guardian);
    child.shared->step = 1;
    AWAIT(child.shared->step == 2);
    pthread_t dropping;
    ck_assert_int_eq(pthread_create(&dropping, NULL, drop, guardian), 0);
    AWAIT(state_of(copy.pid) == 'Z');
    ck_assert_int_eq(child.shared->done, 0);
    ck_assert_int_eq(write(child.shared->pipes[0][1], "r", 1), 1);
    AWAIT(child.shared->done);
    ck_assert_int_eq(child.shared->results[0], 1);
    ck_assert_int_eq(pthread_join(dropping, NULL), 0);
    ck_assert_int_eq(state_of(copy.pid), 0);
    ouro_guardian_end(guardian);
    child_end(&child);
}
END_TEST

/* --- The end of who has the guardian */

static pid_t target_of_dumper;

static void dumper(struct shared *shared)
{
    const struct ouro_guardian_options options = {.pid = target_of_dumper};
    struct ouro_guardian *guardian;
    struct ouro_guardian_copy copy;
    if (ouro_guardian_start(&guardian, &options, NULL) != OURO_OK)
        _exit(1);
    shared->results[0] = ouro_guardian_pid(guardian);
    shared->ready = 1;
    for (;; shared->counters[0]++) {
        if (ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, NULL) == OURO_OK)
            shared->results[1] = copy.pid;
        ouro_guardian_drop(guardian, NULL);
    }
}

static void busy(struct shared *shared)
{
    signal(SIGCHLD, on_child);
    child_thread(count_up, &shared->counters[0]);
    shared->ready = 1;
    for (;; shared->counters[1]++) {
        nap();
        if (child_signals || waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
            shared->results[0]++;
    }
}

START_TEST(who_is_killed_at_any_moment_leaves_nothing_behind)
{
    struct child child = child_start(busy);
    unsigned seed = (unsigned)now_ns();
    printf("seed %u\n", seed);
    target_of_dumper = child.pid;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that the guardian's end is to be seen */
    for (int i = 0; i < 40; i++) {
        struct child killed = child_start(dumper);
        pid_t guardian = (pid_t)killed.shared->results[0];
        struct timespec delay = {.tv_nsec = rand_r(&seed) % 3000000};
        nanosleep(&delay, NULL); /* any moment is a good one */
        child_end(&killed);
        AWAIT(waitpid(guardian, NULL, WNOHANG) == guardian);
        ck_assert_int_eq(children_of(child.pid), 0);
        long before[2] = {child.shared->counters[0], child.shared->counters[1]};
        AWAIT(child.shared->counters[0] > before[0] && child.shared->counters[1] > before[1]);
        ck_assert_int_eq(status_of(child.pid, "TracerPid"), 0);
    }
    ck_assert_int_eq(child.shared->results[0], 0);
    child_end(&child);
}
END_TEST

START_TEST(a_guardian_that_is_killed_while_it_holds_a_copy_leaves_a_running_target)
{
    struct child child = child_start(busy);
    struct ouro_guardian *guardian = must_start(child.pid);
    struct ouro_guardian_copy copy = must_copy(guardian);
    kill(ouro_guardian_pid(guardian), SIGKILL);
    AWAIT(is_gone(copy.pid)); /* it does not run; the zombie goes with the target */
    long before = child.shared->counters[1];
    AWAIT(child.shared->counters[1] > before);
    ck_assert_int_eq(ouro_guardian_copy(guardian, TIMEOUT_NS, 0, false, &copy, &err), OURO_GONE);
    ouro_guardian_end(guardian);
    ck_assert_int_eq(child.shared->results[0], 0);
    child_end(&child);
}
END_TEST

/* --- Room */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(the_least_room_of_all_cgroups_above_counts)
{
    char top[] = "/tmp/ouro-cgroup-XXXXXX", folder[64], mounts[512];
    ck_assert_ptr_nonnull(mkdtemp(top));
    snprintf(folder, sizeof folder, "%s/a", top);
    mkdir(folder, 0700);
    snprintf(mounts, sizeof mounts, "30 1 0:1 / /proc rw - proc proc rw\n31 1 0:2 / %s rw shared:4 - cgroup2 cgroup2 rw\n", top);
    ck_assert_uint_eq(ouro_available_in_cgroups("0::/a\n", mounts), UINT64_MAX);
    write_file(folder, "memory.max", "max\n");
    write_file(folder, "memory.current", "5000\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("0::/a\n", mounts), UINT64_MAX);
    write_file(top, "memory.max", "10000\n");
    write_file(top, "memory.current", "7000\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("0::/a\n", mounts), 3000);
    write_file(top, "memory.stat", "anon 5\ninactive_file 1000\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("0::/a\n", mounts), 4000);
    write_file(folder, "memory.max", "5500\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("0::/a\n", mounts), 500);
    write_file(folder, "memory.high", "4000\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("0::/a\n", mounts), 0);
    snprintf(mounts, sizeof mounts, "31 1 0:2 /b %s rw - cgroup cgroup rw,memory", top);
    write_file(folder, "memory.limit_in_bytes", "9223372036854771712\n");
    write_file(folder, "memory.usage_in_bytes", "100\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("5:cpu,memory:/b/a\n0::/\n", mounts), UINT64_MAX);
    write_file(folder, "memory.limit_in_bytes", "300\n");
    ck_assert_uint_eq(ouro_available_in_cgroups("5:cpu,memory:/b/a\n0::/\n", mounts), 200);
    ck_assert_uint_eq(ouro_available_in_cgroups("5:cpu,memoryless:/b/a\n0::/\n", mounts), UINT64_MAX);
    ck_assert_uint_eq(ouro_available_in_cgroups("", ""), UINT64_MAX);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", top);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: guardian");
    TCase *tests = tcase_create("guardian");
    tcase_add_loop_test(tests, a_blocked_call_of_the_thread_that_works_for_us_gives_its_result, 0, CALLS);
    tcase_add_test(tests, a_copy_stays_as_the_process_was_with_what_no_child_gets);
    tcase_add_test(tests, a_copy_that_is_late_is_given_up_and_can_be_made_again);
    tcase_add_test(tests, what_is_not_accepted_is_not_copied_unless_anyway);
    tcase_add_test(tests, what_sigstop_stopped_is_copied_and_stays_stopped);
    tcase_add_test(tests, no_signal_is_lost_or_doubled_around_copies);
    tcase_add_test(tests, a_seccomp_filter_is_refused_and_its_process_lives);
    tcase_add_test(tests, a_filter_that_comes_later_is_refused_in_the_stop);
    tcase_add_test(tests, a_kernel_that_makes_no_process_more_is_told_and_does_no_harm);
    tcase_add_test(tests, a_target_that_dies_takes_its_copy_along);
    tcase_add_test(tests, a_target_that_dies_at_any_moment_leaves_nothing);
    tcase_add_test(tests, another_program_gets_rid_of_the_copy_at_once);
    tcase_add_test(tests, a_process_in_vfork_is_given_its_time_before_it_reaps);
    tcase_add_test(tests, who_is_killed_at_any_moment_leaves_nothing_behind);
    tcase_add_test(tests, a_guardian_that_is_killed_while_it_holds_a_copy_leaves_a_running_target);
    tcase_add_test(tests, the_least_room_of_all_cgroups_above_counts);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
