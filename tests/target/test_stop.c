#include <check.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "target/image.h"

#define THREADS 50

static struct shared *common; /* the child's, for its threads */

static void counting_threads(struct shared *shared)
{
    for (int i = 1; i < THREADS; i++)
        child_thread(count_up, &shared->counters[i]);
    child_count(shared);
}

static void four_counting_threads(struct shared *shared)
{
    for (int i = 1; i < 4; i++)
        child_thread(count_up, &shared->counters[i]);
    child_count(shared);
}

static void read_counters(const struct shared *shared, long *out)
{
    for (int i = 0; i < COUNTERS; i++)
        out[i] = shared->counters[i];
}

/* Long enough for a thread that still runs to be seen: ours is on a processor for 20 ms. */
static void work(void)
{
    struct timespec used;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_sec == 0 && used.tv_nsec < 20000000);
    uint64_t start = now_ns();
    while (now_ns() - start < 5000000)
        continue;
}

static void all_go_on(const struct shared *shared, const long *before, int count)
{
    for (int i = 0; i < count; i++)
        AWAIT(shared->counters[i] > before[i]);
}

START_TEST(none_of_fifty_threads_advances_while_stopped_and_all_do_after)
{
    struct child child = child_start(counting_threads);
    struct ouro_process *process = must_open(child.pid);
    long before[COUNTERS], after[COUNTERS];
    size_t count;
    for (int i = 0; i < THREADS; i++)
        AWAIT(child.shared->counters[i] > 0);
    ck_assert_uint_eq(ouro_process_stopped_ns(process), 0);
    must_stop(process);
    read_counters(child.shared, before);
    ck_assert(all_threads_are(child.pid, 't'));
    work();
    read_counters(child.shared, after);
    ck_assert_mem_eq(before, after, sizeof before);
    ouro_process_threads(process, &count);
    ck_assert_uint_eq(count, THREADS);
    ck_assert_uint_gt(ouro_process_stopped_ns(process), 5000000);
    ouro_process_resume(process);
    uint64_t lasted = ouro_process_stopped_ns(process);
    all_go_on(child.shared, before, THREADS);
    ck_assert_uint_eq(ouro_process_stopped_ns(process), lasted);
    ouro_process_close(process);
    ck_assert_int_eq(status_of(child.pid, "TracerPid"), 0);
    child_end(&child);
}
END_TEST

START_TEST(stopping_and_resuming_twice_is_as_once_and_close_resumes)
{
    struct child child = child_start(counting_threads);
    struct ouro_process *process = must_open(child.pid);
    long before[COUNTERS], after[COUNTERS];
    for (int round = 0; round < 3; round++) {
        must_stop(process);
        must_stop(process);
        read_counters(child.shared, before);
        work();
        read_counters(child.shared, after);
        ck_assert_mem_eq(before, after, sizeof before);
        ouro_process_resume(process);
        ouro_process_resume(process);
        all_go_on(child.shared, before, THREADS);
    }
    must_stop(process);
    read_counters(child.shared, before);
    ouro_process_close(process);
    ouro_process_close(NULL);
    all_go_on(child.shared, before, THREADS);
    child_end(&child);
}
END_TEST

static void *resume_it(void *process)
{
    ouro_process_resume(process);
    return NULL;
}

START_TEST(another_thread_of_ours_may_resume)
{
    int priority = getpriority(PRIO_PROCESS, 0);
    struct child child = child_start(child_count);
    struct ouro_process *process = must_open(child.pid);
    must_stop(process);
    long before[COUNTERS];
    read_counters(child.shared, before);
    pthread_join(child_thread(resume_it, process), NULL);
    all_go_on(child.shared, before, 1);
    ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), priority); /* ours while it stood still only */
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void *beget(void *generation)
{
    pthread_attr_t attr;
    pthread_t thread;
    long mine = ++common->counters[(intptr_t)generation];
    (void)mine;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 256 << 10);
    while (pthread_create(&thread, &attr, beget, generation))
        continue;
    return NULL;
}

/* Four lines of threads, each of which starts the next and ends. */
static void begetting_threads(struct shared *shared)
{
    common = shared;
    for (intptr_t i = 0; i < 4; i++)
        beget((void *)i);
    child_rest(shared);
}

START_TEST(threads_that_are_created_meanwhile_are_stopped_too)
{
    struct child child = child_start(begetting_threads);
    struct ouro_process *process = must_open(child.pid);
    for (int round = 0; round < 50; round++) {
        long before[COUNTERS], after[COUNTERS];
        must_stop(process);
        read_counters(child.shared, before);
        ck_assert(all_threads_are(child.pid, 't'));
        for (int i = 0; i < 200; i++)
            read_counters(child.shared, after);
        ck_assert_mem_eq(before, after, sizeof before);
        ouro_process_resume(process);
        all_go_on(child.shared, before, 4);
    }
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(what_sigstop_stopped_stays_stopped)
{
    struct child child = child_start(counting_threads);
    struct ouro_process *process = must_open(child.pid);
    size_t count;
    kill(child.pid, SIGSTOP);
    AWAIT(all_threads_are(child.pid, 'T'));
    long before[COUNTERS], after[COUNTERS];
    read_counters(child.shared, before);
    must_stop(process);
    const struct ouro_thread_state *states = ouro_process_threads(process, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(states[i].state, 'T');
    ck_assert(all_threads_are(child.pid, 't'));
    ouro_process_resume(process);
    AWAIT(all_threads_are(child.pid, 'T'));
    work();
    read_counters(child.shared, after);
    ck_assert_mem_eq(before, after, sizeof before);
    kill(child.pid, SIGCONT);
    all_go_on(child.shared, before, THREADS);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(sigstop_and_sigcont_sent_while_stopped_take_effect_after)
{
    struct child child = child_start(child_count);
    struct ouro_process *process = must_open(child.pid);
    must_stop(process);
    kill(child.pid, SIGSTOP);
    ouro_process_resume(process);
    AWAIT(state_of(child.pid) == 'T');
    must_stop(process);
    kill(child.pid, SIGCONT);
    long before[COUNTERS];
    read_counters(child.shared, before);
    ouro_process_resume(process);
    all_go_on(child.shared, before, 1);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void note_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    common->counters[1 + (number != SIGUSR1)]++;
    if (number != SIGUSR1)
        common->results[0] += info->si_value.sival_int;
}

static void listening_process(struct shared *shared)
{
    struct sigaction action = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    common = shared;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    child_thread(count_up, &shared->counters[3]);
    child_count(shared);
}

START_TEST(a_signal_sent_while_stopped_arrives_once)
{
    struct child child = child_start(listening_process);
    struct ouro_process *process = must_open(child.pid);
    for (int round = 1; round <= 20; round++) {
        must_stop(process);
        kill(child.pid, SIGUSR1);
        work();
        ck_assert_int_eq(child.shared->counters[1], round - 1);
        ouro_process_resume(process);
        AWAIT(child.shared->counters[1] >= round);
        ck_assert_int_eq(child.shared->counters[1], round);
    }
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

/* So that some arrive between our seizing a thread and its stop; queued ones carry a value and are never merged. */
START_TEST(no_signal_sent_around_a_stop_is_lost_or_doubled)
{
    struct child child = child_start(listening_process);
    struct ouro_process *process = must_open(child.pid);
    long sum = 0;
    for (int round = 1; round <= 300; round++) {
        sigqueue(child.pid, SIGRTMIN, (union sigval){.sival_int = round});
        must_stop(process);
        sigqueue(child.pid, SIGRTMIN, (union sigval){.sival_int = 1000 * round});
        ouro_process_resume(process);
        sum += 1001 * round;
    }
    AWAIT(child.shared->counters[2] >= 600);
    ck_assert_int_eq(child.shared->counters[2], 600);
    ck_assert_int_eq(child.shared->results[0], sum);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(a_target_that_is_killed_while_stopped_is_gone)
{
    struct child child = child_start(four_counting_threads);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_image image;
    struct ouro_err err = {0};
    unsigned char byte;
    ASSERT_OK(ouro_image_plan(&image, process, NULL, &err));
    must_stop(process);
    kill(child.pid, SIGKILL);
    AWAIT(is_gone(child.pid));
    ck_assert_int_eq(ouro_image_copy(&image, process, NULL, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "ended"));
    ck_assert_int_eq(ouro_space_read(ouro_process_space(process), (ouro_addr)(uintptr_t)&byte, &byte, 1), OURO_GONE);
    ouro_process_resume(process);
    ck_assert_int_eq(ouro_process_stop(process, 1000000000, &err), OURO_GONE);
    ouro_image_fini(&image);
    ouro_process_close(process);
    child_end(&child);
    ck_assert_int_eq(state_of(child.pid), 0); /* nothing of ours keeps it as a zombie */
}
END_TEST

static void *kill_it(void *pid)
{
    kill((pid_t)(intptr_t)pid, SIGKILL);
    return NULL;
}

START_TEST(a_target_that_dies_at_any_moment_does_not_hang_us)
{
    for (int round = 0; round < 30; round++) {
        struct child child = child_start(four_counting_threads);
        struct ouro_process *process = must_open(child.pid);
        struct ouro_image image;
        struct ouro_err err = {0};
        enum ouro_status status = ouro_image_plan(&image, process, NULL, &err);
        pthread_t killer;
        if (round % 2)
            killer = child_thread(kill_it, (void *)(intptr_t)child.pid);
        if (status == OURO_OK)
            status = ouro_process_stop(process, UINT64_C(20000000000), &err);
        if (round % 2 == 0)
            killer = child_thread(kill_it, (void *)(intptr_t)child.pid);
        if (status == OURO_OK)
            status = ouro_image_copy(&image, process, NULL, &err);
        ck_assert_msg(status == OURO_OK || status == OURO_GONE, "%s: %s", ouro_status_name(status), err.msg);
        ouro_process_resume(process);
        pthread_join(killer, NULL);
        ouro_image_fini(&image);
        ouro_process_close(process);
        child_end(&child);
    }
}
END_TEST

static void *wait_in_vfork(void *shared_pointer)
{
    struct shared *shared = shared_pointer;
    shared->results[1] = syscall(SYS_gettid);
    pid_t pid = vfork();
    if (pid == 0) {
        char byte;
        ssize_t got = read(shared->pipes[0][0], &byte, 1);
        _exit(got == 1 ? 7 : 8);
    }
    int status;
    shared->results[0] = waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -1;
    shared->done = 1;
    return NULL;
}

static void vforking_process(struct shared *shared)
{
    child_thread(wait_in_vfork, shared);
    child_count(shared);
}

START_TEST(a_thread_in_vfork_is_given_up_in_time_and_everything_goes_on)
{
    struct child child = child_start(vforking_process);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_err err = {0};
    long before[COUNTERS];
    AWAIT(child.shared->results[1] && state_of((pid_t)child.shared->results[1]) == 'D');
    for (int round = 0; round < 3; round++) {
        uint64_t start_ns = now_ns();
        read_counters(child.shared, before);
        ck_assert_int_eq(ouro_process_stop(process, 300000000, &err), OURO_LIMIT);
        ck_assert_uint_ge(now_ns() - start_ns, 300000000);
        ck_assert_uint_lt(now_ns() - start_ns, UINT64_C(10000000000));
        ck_assert_ptr_nonnull(strstr(err.msg, "did not stop in time"));
        all_go_on(child.shared, before, 1);
        ck_assert_int_eq(status_of((pid_t)child.shared->results[1], "TracerPid"), 0);
    }
    ck_assert_int_eq(write(child.shared->pipes[0][1], "x", 1), 1);
    AWAIT(child.shared->done); /* it is not held by what we asked of it then */
    ck_assert_int_eq(child.shared->results[0], 7);
    must_stop(process);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void *end_vfork(void *shared)
{
    nap();
    while (write(((struct shared *)shared)->pipes[0][1], "x", 1) != 1)
        continue;
    return NULL;
}

START_TEST(a_vfork_that_ends_in_time_only_delays_the_stop)
{
    struct child child = child_start(vforking_process);
    struct ouro_process *process = must_open(child.pid);
    AWAIT(child.shared->results[1] && state_of((pid_t)child.shared->results[1]) == 'D');
    pthread_t ender = child_thread(end_vfork, child.shared);
    must_stop(process);
    pthread_join(ender, NULL);
    ck_assert(all_threads_are(child.pid, 't'));
    ouro_process_close(process);
    AWAIT(child.shared->done);
    child_end(&child);
}
END_TEST

/* What the work finds at each moment. */
struct found {
    pid_t pid;
    int policy[3], nice[3], calls[3];
    bool stands[3];
};

static void find_out(void *context, enum ouro_stop_moment moment)
{
    struct found *found = context;
    found->policy[moment] = sched_getscheduler(0);
    found->nice[moment] = getpriority(PRIO_PROCESS, 0);
    found->stands[moment] = all_threads_are(found->pid, 't');
    found->calls[moment]++;
}

/* What it waits for might need this processor. */
START_TEST(work_is_done_at_its_moments_and_not_with_real_time_priority)
{
    struct ouro_err err = {0};
    struct child child = child_start(counting_threads);
    struct ouro_process *process = must_open(child.pid);
    struct found found = {.pid = child.pid};
    int policy = sched_getscheduler(0), nice = getpriority(PRIO_PROCESS, 0);
    ASSERT_OK(ouro_process_stop_for(process, UINT64_C(20000000000), find_out, &found, &err));
    for (int moment = OURO_STOP_SOON; moment <= OURO_STOP_WORK; moment++) {
        ck_assert_msg(found.calls[moment] == 1 || (found.calls[moment] && moment == OURO_STOP_SOON), "moment %d: %d calls", moment,
                      found.calls[moment]); /* an attempt to stop that took too long was followed by another */
        ck_assert_int_eq(found.policy[moment], policy);
        ck_assert_int_eq(found.nice[moment], found.nice[OURO_STOP_SOON]);
        ck_assert_int_eq(found.stands[moment], moment != OURO_STOP_SOON);
    }
    ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), nice);
    long before[COUNTERS];
    read_counters(child.shared, before);
    for (int i = 0; i < THREADS; i++)
        AWAIT(child.shared->counters[i] > before[i]);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static pid_t target_of_tracer;

static void holding_tracer(struct shared *shared)
{
    must_stop(must_open(target_of_tracer));
    child_rest(shared);
}

START_TEST(a_tracer_that_is_killed_leaves_a_running_target)
{
    struct child child = child_start(counting_threads);
    target_of_tracer = child.pid;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct child tracer = child_start(holding_tracer);
    long before[COUNTERS];
    AWAIT(all_threads_are(child.pid, 't'));
    read_counters(child.shared, before);
    child_end(&tracer);
    all_go_on(child.shared, before, THREADS);
    AWAIT(status_of(child.pid, "TracerPid") == 0);
    ck_assert_int_ne(state_of(child.pid), 't');
    child_end(&child);
}
END_TEST

START_TEST(another_tracer_is_named)
{
    struct child child = child_start(child_count);
    target_of_tracer = child.pid;
    struct child tracer = child_start(holding_tracer);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_err err = {0};
    char number[16], name[16];
    long holder = status_of(child.pid, "TracerPid"); /* the tracing thread, of the tracer's */
    ck_assert_int_eq(status_of((pid_t)holder, "Tgid"), tracer.pid);
    snprintf(number, sizeof number, "%d", (int)tracer.pid);
    prctl(PR_GET_NAME, name);
    ck_assert_int_eq(ouro_process_stop(process, 1000000000, &err), OURO_DENIED);
    ck_assert_msg(strstr(err.msg, "traced by") && strstr(err.msg, number) && strstr(err.msg, name), "%s", err.msg);
    ck_assert_int_eq(state_of(child.pid), 't');
    ouro_process_close(process);
    child_end(&tracer);
    child_end(&child);
}
END_TEST

/* Blocked system calls: each thread notes its id, blocks, and notes the result. */
enum { CALL_SLEEP, CALL_READ, CALL_FUTEX, CALL_POLL, CALL_SELECT, CALL_ACCEPT, CALL_WAIT, CALL_COUNT };

static atomic_int futex_word;
static int listener;

static long blocked_call(struct shared *shared, int call)
{
    char byte;
    int status;
    switch (call) {
    case CALL_SLEEP: { /* not a wait of the test: nanosleep is among the calls that a stop must not cut short */
        struct timespec time = {.tv_nsec = 700000000};
        uint64_t start_ns = now_ns();
        int result = nanosleep(&time, NULL);
        return result == 0 && now_ns() - start_ns >= 700000000;
    }
    case CALL_READ:
        return read(shared->pipes[1][0], &byte, 1) == 1 && byte == 'r';
    case CALL_FUTEX:
        return syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0;
    case CALL_POLL: {
        struct pollfd item = {.fd = shared->pipes[2][0], .events = POLLIN};
        return poll(&item, 1, 60000) == 1 && item.revents == POLLIN;
    }
    case CALL_SELECT: {
        fd_set set;
        struct timeval time = {.tv_sec = 60};
        FD_ZERO(&set);
        FD_SET(shared->pipes[3][0], &set);
        return select(shared->pipes[3][0] + 1, &set, NULL, NULL, &time) == 1 && FD_ISSET(shared->pipes[3][0], &set);
    }
    case CALL_ACCEPT:
        return accept(listener, NULL, NULL) >= 0;
    default:
        return waitpid((pid_t)shared->results[20], &status, 0) == (pid_t)shared->results[20] &&
               WEXITSTATUS(status) == 5;
    }
}

static void *block(void *argument)
{
    int call = (int)(intptr_t)argument;
    common->results[10 + call] = syscall(SYS_gettid);
    common->results[call] = blocked_call(common, call) ? 1 : -errno - 1000;
    return NULL;
}

static void blocking_process(struct shared *shared)
{
    char byte;
    common = shared;
    pid_t pid = fork();
    if (pid == 0) {
        ssize_t got = read(shared->pipes[4][0], &byte, 1);
        _exit(got == 1 ? 5 : 6);
    }
    shared->results[20] = pid;
    for (intptr_t i = 0; i < CALL_COUNT; i++)
        child_thread(block, (void *)i);
    child_await_go(shared);
    syscall(SYS_futex, &futex_word, FUTEX_WAKE, 1, NULL, NULL, 0);
    for (;;)
        pause();
}

START_TEST(blocked_system_calls_give_their_results_after_a_stop)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t size = sizeof name;
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(sa_family_t)),
                     0); /* a name of the kernel's choice */
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    struct child child = child_start(blocking_process);
    struct shared *shared = child.shared;
    struct ouro_process *process = must_open(child.pid);
    for (int i = 0; i < CALL_COUNT; i++)
        AWAIT(shared->results[10 + i] && (shared->results[i] || (state_of((pid_t)shared->results[10 + i]) == 'S' &&
                                                                 syscall_of((pid_t)shared->results[10 + i]) >= 0)));
    for (int round = 0; round < 5; round++) {
        must_stop(process);
        ck_assert(all_threads_are(child.pid, 't'));
        ouro_process_resume(process);
    }
    for (int i = CALL_READ; i < CALL_COUNT; i++)
        ck_assert_int_eq(shared->results[i], 0);
    must_stop(process); /* some get what they wait for while they are stopped */
    ck_assert_int_eq(write(shared->pipes[1][1], "r", 1), 1);
    ck_assert_int_eq(write(shared->pipes[2][1], "r", 1), 1);
    ck_assert_int_eq(write(shared->pipes[4][1], "r", 1), 1);
    ouro_process_resume(process);
    ck_assert_int_eq(write(shared->pipes[3][1], "r", 1), 1);
    int caller = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(caller, (struct sockaddr *)&name, size), 0);
    for (int i = 0; i < CALL_COUNT; i++) {
        if (i == CALL_FUTEX) { /* who is not back in it yet would not be woken */
            AWAIT(syscall_of((pid_t)shared->results[10 + i]) == SYS_futex);
            shared->step = 1;
        }
        AWAIT(shared->results[i]);
        ck_assert_msg(shared->results[i] == 1, "call %d: %ld", i, (long)shared->results[i]);
    }
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void *named_reader(void *shared_pointer)
{
    struct shared *shared = shared_pointer;
    char byte;
    prctl(PR_SET_NAME, "a) (b\xff");
    shared->addr[0] = (uintptr_t)pthread_self();
    shared->addr[1] = (uintptr_t)&byte;
    shared->results[0] = syscall(SYS_gettid);
    return read(shared->pipes[0][0], &byte, 1) == 1 ? shared : NULL;
}

static void named_process(struct shared *shared)
{
    child_thread(named_reader, shared);
    child_count(shared);
}

START_TEST(states_tell_what_each_thread_did_before_the_stop)
{
    struct child child = child_start(named_process);
    struct ouro_process *process = must_open(child.pid);
    size_t count;
    AWAIT(child.shared->results[0] && syscall_of((pid_t)child.shared->results[0]) == SYS_read);
    must_stop(process);
    const struct ouro_thread_state *states = ouro_process_threads(process, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(states[0].tid, child.pid);
    ck_assert_int_eq(states[0].state, 'R');
    ck_assert_int_eq(states[0].syscall, -1);
    ck_assert_int_eq(states[1].tid, child.shared->results[0]);
    ck_assert_int_eq(states[1].state, 'S');
    ck_assert_int_eq(states[1].syscall, SYS_read);
    ck_assert_uint_eq(states[1].arguments[0], (uint64_t)child.shared->pipes[0][0]);
    ck_assert_uint_eq(states[1].arguments[1], child.shared->addr[1]);
    ck_assert_uint_eq(states[1].arguments[2], 1);
    ck_assert_uint_eq(states[1].base, child.shared->addr[0]);
    ck_assert_uint_le(states[1].stack, child.shared->addr[1]);
    ck_assert_uint_gt(states[0].stack, 0);
    ck_assert_str_eq(states[1].comm, "a) (b\xff");
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

static void *poller(void *shared_pointer)
{
    struct shared *shared = shared_pointer;
    struct pollfd nothing = {.fd = -1};
    shared->results[0] = syscall(SYS_gettid);
    return poll(&nothing, 1, 3600000) ? shared : NULL;
}

static void *timed_waiter(void *shared_pointer)
{
    struct shared *shared = shared_pointer;
    const struct timespec hour = {.tv_sec = 3600};
    shared->results[1] = syscall(SYS_gettid);
    return syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, &hour, NULL, 0) ? shared : NULL;
}

static void *sleeper(void *shared_pointer)
{
    struct shared *shared = shared_pointer;
    const struct timespec hour = {.tv_sec = 3600};
    shared->results[2] = syscall(SYS_gettid);
    return nanosleep(&hour, NULL) ? shared : NULL;
}

static void timed_process(struct shared *shared)
{
    child_thread(poller, shared);
    child_thread(timed_waiter, shared);
    child_thread(sleeper, shared);
    child_count(shared);
}

static const struct ouro_thread_state *state_of_thread(const struct ouro_process *process, long tid)
{
    size_t count;
    const struct ouro_thread_state *states = ouro_process_threads(process, &count);
    for (size_t i = 0; i < count; i++)
        if (states[i].tid == tid)
            return &states[i];
    ck_abort_msg("no state of thread %ld", tid);
}

START_TEST(calls_with_a_timeout_keep_their_arguments_and_mostly_their_numbers_through_stops)
{
    struct child child = child_start(timed_process);
    struct ouro_process *process = must_open(child.pid);
    const atomic_long *tids = child.shared->results;
    static const int calls[] = {SYS_poll, SYS_futex, SYS_clock_nanosleep};
    for (unsigned i = 0; i < 3; i++)
        AWAIT(tids[i] && syscall_of((pid_t)tids[i]) == calls[i]);
    for (unsigned round = 0; round < 3; round++) {
        must_stop(process);
        for (unsigned i = 0; i < 3; i++) {
            const struct ouro_thread_state *state = state_of_thread(process, tids[i]);
            ck_assert_int_eq(state->state, 'S');
            /* syscall(3) has its number in no instruction. */
            ck_assert_int_eq(state->syscall, i == 1 && round ? SYS_restart_syscall : calls[i]);
        }
        ck_assert_uint_eq(state_of_thread(process, tids[1])->arguments[0], (uint64_t)(uintptr_t)&futex_word);
        ouro_process_resume(process);
        for (unsigned i = 0; i < 3; i++)
            AWAIT(syscall_of((pid_t)tids[i]) == SYS_restart_syscall);
    }
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: stop");
    TCase *tests = tcase_create("stop");
    tcase_add_test(tests, none_of_fifty_threads_advances_while_stopped_and_all_do_after);
    tcase_add_test(tests, stopping_and_resuming_twice_is_as_once_and_close_resumes);
    tcase_add_test(tests, another_thread_of_ours_may_resume);
    tcase_add_test(tests, threads_that_are_created_meanwhile_are_stopped_too);
    tcase_add_test(tests, what_sigstop_stopped_stays_stopped);
    tcase_add_test(tests, sigstop_and_sigcont_sent_while_stopped_take_effect_after);
    tcase_add_test(tests, a_signal_sent_while_stopped_arrives_once);
    tcase_add_test(tests, no_signal_sent_around_a_stop_is_lost_or_doubled);
    tcase_add_test(tests, a_target_that_is_killed_while_stopped_is_gone);
    tcase_add_test(tests, a_target_that_dies_at_any_moment_does_not_hang_us);
    tcase_add_test(tests, a_thread_in_vfork_is_given_up_in_time_and_everything_goes_on);
    tcase_add_test(tests, a_vfork_that_ends_in_time_only_delays_the_stop);
    tcase_add_test(tests, work_is_done_at_its_moments_and_not_with_real_time_priority);
    tcase_add_test(tests, a_tracer_that_is_killed_leaves_a_running_target);
    tcase_add_test(tests, another_tracer_is_named);
    tcase_add_test(tests, blocked_system_calls_give_their_results_after_a_stop);
    tcase_add_test(tests, states_tell_what_each_thread_did_before_the_stop);
    tcase_add_test(tests, calls_with_a_timeout_keep_their_arguments_and_mostly_their_numbers_through_stops);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
