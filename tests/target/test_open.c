#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#define NOBODY 65534

static enum ouro_status open_status(pid_t pid, struct ouro_err *err)
{
    struct ouro_process *process;
    memset(err, 0, sizeof *err);
    enum ouro_status status = ouro_process_open(&process, pid, err);
    ck_assert((status == OURO_OK) == (process != NULL));
    ck_assert((status == OURO_OK) == !*err->msg);
    ouro_process_close(process);
    return status;
}

static void resting(struct shared *shared)
{
    prctl(PR_SET_NAME, "name (of) it");
    child_rest(shared);
}

START_TEST(an_open_process_tells_who_it_is)
{
    time_t before = time(NULL);
    struct child child = child_start(resting);
    struct ouro_process *process = must_open(child.pid);
    size_t size;
    char self[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, self, sizeof self);
    close(fd);
    ck_assert_int_eq(ouro_process_pid(process), child.pid);
    ck_assert_str_eq(ouro_process_name(process), "name (of) it");
    const char *command = ouro_process_command(process, &size);
    ck_assert_int_eq((ssize_t)size + 1, got);
    ck_assert_mem_eq(command, self, size);
    ck_assert_uint_gt(ouro_process_start_ticks(process), 0);
    /* btime is cut to seconds, and may be a little off where clocks were set. */
    ck_assert(ouro_process_start_time(process) > (double)before - 5 &&
              ouro_process_start_time(process) < (double)before + 30);
    ouro_process_close(process);
    child_end(&child);
}
END_TEST

START_TEST(no_such_process_and_ourselves_are_refused_in_words)
{
    struct ouro_err err;
    ck_assert_int_eq(open_status(0x7ffffffe, &err), OURO_GONE);
    ck_assert_str_eq(err.msg, "there is no process 2147483646");
    ck_assert_int_eq(open_status(-1, &err), OURO_GONE);
    ck_assert_int_eq(open_status(0, &err), OURO_GONE);
    ck_assert_int_eq(open_status(getpid(), &err), OURO_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.msg, "itself"));
}
END_TEST

START_TEST(a_zombie_is_refused_in_words)
{
    struct ouro_err err;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    AWAIT(state_of(pid) == 'Z');
    ck_assert_int_eq(open_status(pid, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "zombie"));
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(open_status(pid, &err), OURO_GONE);
}
END_TEST

static void *note_tid(void *shared_pointer)
{
    struct shared *shared = shared_pointer;
    shared->results[0] = syscall(SYS_gettid);
    child_rest(shared);
    return NULL;
}

static void two_threads(struct shared *shared)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, note_tid, shared))
        _exit(99);
    for (;;)
        pause();
}

START_TEST(the_id_of_a_thread_is_refused_and_its_process_named)
{
    struct ouro_err err;
    char number[16];
    struct child child = child_start(two_threads);
    ck_assert_int_eq(open_status((pid_t)child.shared->results[0], &err), OURO_INVAL);
    snprintf(number, sizeof number, "process %d", (int)child.pid);
    ck_assert_msg(strstr(err.msg, "thread of") && strstr(err.msg, number), "%s", err.msg);
    ck_assert_int_eq(open_status(child.pid, &err), OURO_OK);
    child_end(&child);
}
END_TEST

static pid_t to_open;

static void become_nobody(void)
{
    if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
        _exit(96);
}

static void opening_nobody(struct shared *shared)
{
    become_nobody();
    struct ouro_process *process;
    shared->results[0] = ouro_process_open(&process, to_open, &shared->err);
    ouro_process_close(process);
    child_rest(shared);
}

static bool is_root(void)
{
    if (geteuid() == 0)
        return true;
    skip("only root can become somebody else");
    return false;
}

START_TEST(a_process_of_another_user_is_denied_and_the_remedy_said)
{
    struct ouro_err err;
    if (!is_root()) {
        ck_assert_int_eq(open_status(1, &err), OURO_DENIED);
        ck_assert_msg(strstr(err.msg, "uid 0") && strstr(err.msg, "sudo"), "%s", err.msg);
        return;
    }
    struct child child = child_start(resting);
    to_open = child.pid;
    struct child opener = child_start(opening_nobody);
    ck_assert_int_eq(opener.shared->results[0], OURO_DENIED);
    const char *msg = opener.shared->err.msg;
    ck_assert_msg(strstr(msg, "belongs to uid 0") && strstr(msg, "we are uid 65534") && strstr(msg, "sudo"), "%s", msg);
    child_end(&opener);
    child_end(&child);
}
END_TEST

static void not_dumpable(struct shared *shared)
{
    become_nobody(); /* which alone takes it away */
    prctl(PR_SET_DUMPABLE, 0);
    child_rest(shared);
}

static void dumpable(struct shared *shared)
{
    become_nobody();
    prctl(PR_SET_DUMPABLE, 1);
    child_rest(shared);
}

static int ptrace_scope(void)
{
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    int scope = 0;
    if (file && fscanf(file, "%d", &scope) != 1)
        scope = 0;
    if (file)
        fclose(file);
    return scope;
}

START_TEST(a_process_that_is_not_dumpable_is_denied_and_the_reason_said)
{
    if (!is_root())
        return;
    struct child child = child_start(not_dumpable), other = child_start(dumpable);
    to_open = child.pid;
    struct child opener = child_start(opening_nobody);
    ck_assert_int_eq(opener.shared->results[0], OURO_DENIED);
    int scope = ptrace_scope();
    const char *msg = opener.shared->err.msg, *word = scope == 3 ? "ptrace_scope" : "not dumpable";
    ck_assert_msg(strstr(msg, word) && strstr(msg, scope == 3 ? "boot" : "sudo"), "%s", msg);
    to_open = other.pid;
    struct child second = child_start(opening_nobody);
    ck_assert_msg(second.shared->results[0] == (scope >= 2 ? OURO_DENIED : OURO_OK), "%s", second.shared->err.msg);
    child_end(&opener);
    child_end(&second);
    child_end(&other);
    child_end(&child);
}
END_TEST

/* ELF for the i386: pause(), again and again. */
static const unsigned char elf32[] = {
    0x7f, 'E',  'L', 'F', 1,  1, 1, 0, 0, 0,    0, 0, 0,    0,    0, 0, 2,  0,    3,    0,    1,    0, 0, 0,
    0x54, 0x80, 4,   8,   52, 0, 0, 0, 0, 0,    0, 0, 0,    0,    0, 0, 52, 0,    32,   0,    1,    0, 0, 0,
    0,    0,    0,   0,   1,  0, 0, 0, 0, 0,    0, 0, 0,    0x80, 4, 8, 0,  0x80, 4,    8,    0x5d, 0, 0, 0,
    0x5d, 0,    0,   0,   5,  0, 0, 0, 0, 0x10, 0, 0, 0xb8, 29,   0, 0, 0,  0xcd, 0x80, 0xeb, 0xf7,
};

START_TEST(a_32_bit_process_is_refused_in_words)
{
    char path[] = "/tmp/ouro-test-XXXXXX";
    int fd = mkstemp(path), status;
    struct ouro_err err;
    ck_assert_int_eq(write(fd, elf32, sizeof elf32), sizeof elf32);
    ck_assert_int_eq(fchmod(fd, 0700), 0);
    close(fd);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(path, "thirty-two", (char *)NULL);
        _exit(97);
    }
    char name[64] = "", comm[64];
    snprintf(comm, sizeof comm, "/proc/%d/comm", (int)pid);
    AWAIT(({
        FILE *file = fopen(comm, "re");
        size_t got = file ? fread(name, 1, sizeof name - 1, file) : 0;
        name[got] = 0;
        if (file)
            fclose(file);
        strncmp(name, "ouro-test", 9) == 0 || state_of(pid) == 'Z';
    }));
    if (waitpid(pid, &status, WNOHANG) == pid) {
        skip("this kernel runs no 32-bit programs");
    } else {
        ck_assert_int_eq(open_status(pid, &err), OURO_UNSUPPORTED);
        ck_assert_msg(strstr(err.msg, "32-bit"), "%s", err.msg);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    unlink(path);
}
END_TEST

START_TEST(a_kernel_thread_is_refused_in_words)
{
    struct ouro_err err;
    char target[64];
    if (status_of(2, "PPid") != 0 || geteuid() != 0 || readlink("/proc/2/exe", target, sizeof target) >= 0) {
        skip("no kernel thread to be seen, or not root");
        return;
    }
    ck_assert_int_eq(open_status(2, &err), OURO_UNSUPPORTED);
    ck_assert_msg(strstr(err.msg, "kernel thread"), "%s", err.msg);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: open");
    TCase *tests = tcase_create("open");
    tcase_add_test(tests, an_open_process_tells_who_it_is);
    tcase_add_test(tests, no_such_process_and_ourselves_are_refused_in_words);
    tcase_add_test(tests, a_zombie_is_refused_in_words);
    tcase_add_test(tests, the_id_of_a_thread_is_refused_and_its_process_named);
    tcase_add_test(tests, a_process_of_another_user_is_denied_and_the_remedy_said);
    tcase_add_test(tests, a_process_that_is_not_dumpable_is_denied_and_the_reason_said);
    tcase_add_test(tests, a_32_bit_process_is_refused_in_words);
    tcase_add_test(tests, a_kernel_thread_is_refused_in_words);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
