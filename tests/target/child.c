#include "child.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared *shared_new(void)
{
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pipe(shared->pipes[i]), 0);
    return shared;
}

struct child child_start(void (*body)(struct shared *shared))
{
    struct child child = {.shared = shared_new()};
    child.pid = fork();
    ck_assert_int_ge(child.pid, 0);
    if (child.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* siblings trace it too, which Yama would forbid */
        body(child.shared);
        _exit(0);
    }
    AWAIT(child.shared->ready);
    return child;
}

void child_end(struct child *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, __WALL); /* what a stop has reaped already is no child any more */
}

void child_rest(struct shared *shared)
{
    shared->ready = 1;
    for (;;)
        pause();
}

void child_count(struct shared *shared)
{
    shared->ready = 1;
    count_up(&shared->counters[0]);
}

void child_await_step(struct shared *shared, int step)
{
    while (shared->step < step)
        nap();
}

void child_await_go(struct shared *shared)
{
    shared->ready = 1;
    child_await_step(shared, 1);
}

pthread_t child_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, argument))
        _exit(99);
    return thread;
}

void *count_up(void *counter)
{
    for (;;)
        ++*(atomic_long *)counter;
}

struct ouro_process *must_open(pid_t pid)
{
    struct ouro_process *process;
    struct ouro_err err = {0};
    ASSERT_OK(ouro_process_open(&process, pid, &err));
    return process;
}

void must_stop(struct ouro_process *process)
{
    struct ouro_err err = {0};
    ASSERT_OK(ouro_process_stop(process, UINT64_C(20000000000), &err));
}

static bool read_text(const char *path, char *out, size_t capacity)
{
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(out, 1, capacity - 1, file) : 0;
    out[got] = 0;
    if (file)
        fclose(file);
    return got > 0;
}

static char state_in(const char *path)
{
    char text[1024];
    const char *close = read_text(path, text, sizeof text) ? strrchr(text, ')') : NULL;
    return close && close[1] ? close[2] : 0;
}

char state_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return state_in(path);
}

bool is_gone(pid_t pid)
{
    char state = state_of(pid);
    return !state || state == 'Z';
}

long status_of(pid_t pid, const char *name)
{
    char path[64], text[8192], key[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    snprintf(key, sizeof key, "\n%s:", name);
    const char *line = read_text(path, text, sizeof text) ? strstr(text, key) : NULL;
    return line ? strtol(line + strlen(key), NULL, 10) : -1;
}

bool all_threads_are(pid_t pid, char state)
{
    char path[300];
    bool all = true;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, entry->d_name);
        char found = state_in(path);
        all = all && (found == state || found == 'Z' || found == 'X' || !found);
    }
    if (tasks)
        closedir(tasks);
    return tasks && all;
}

long syscall_of(pid_t tid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)tid);
    return read_text(path, text, sizeof text) && text[0] >= '0' && text[0] <= '9' ? strtol(text, NULL, 10) : -1;
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void nap(void)
{
    poll(NULL, 0, 1);
}

int skip(const char *why)
{
    printf("skip: %s\n", why);
    fflush(stdout);
    return 0;
}
