/* How long a process stands still for who stops all its threads and reads a page for each, and does nothing else.
 *
 * usage: bench_stop PID ROUNDS; prints JSON: medians in nanoseconds, from the first thread interrupted to the last let go.
 * one_by_one: each thread is seized, interrupted and waited for in turn. together: all are seized beforehand, then interrupted,
 * then waited for. */
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 4096
#define PAGE 4096

static pid_t tids[THREADS_MAX];
static uint64_t stacks[THREADS_MAX]; /* a page of each thread's stack */
static size_t count;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static uint64_t stack_of(pid_t pid, const char *tid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/syscall", (int)pid, tid);
    FILE *file = fopen(path, "re");
    if (file && !fgets(text, sizeof text, file))
        text[0] = 0;
    if (file)
        fclose(file);
    char *last = strrchr(text, ' ');
    while (last && last > text && last[-1] != ' ')
        last--;
    return last ? strtoull(last, NULL, 16) & ~(uint64_t)(PAGE - 1) : 0;
}

static void list(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        fail(path);
    count = 0;
    for (struct dirent *entry; (entry = readdir(tasks));)
        if (entry->d_name[0] != '.' && count < THREADS_MAX) {
            stacks[count] = stack_of(pid, entry->d_name);
            tids[count++] = (pid_t)atoi(entry->d_name);
        }
    closedir(tasks);
}

static void await(pid_t tid)
{
    int status;
    if (waitpid(tid, &status, __WALL) != tid)
        fail("waitpid");
}

static void seize(pid_t tid)
{
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
        fail("PTRACE_SEIZE");
}

static uint64_t stop(bool together)
{
    static unsigned char page[PAGE];
    for (size_t i = 0; together && i < count; i++)
        seize(tids[i]);
    uint64_t start = now_ns();
    for (size_t i = 0; i < count; i++) {
        if (!together)
            seize(tids[i]);
        ptrace(PTRACE_INTERRUPT, tids[i], NULL, NULL);
        if (!together)
            await(tids[i]);
    }
    for (size_t i = 0; together && i < count; i++)
        await(tids[i]);
    for (size_t i = 0; i < count; i++) {
        struct iovec local = {page, sizeof page}, remote = {(void *)(uintptr_t)stacks[i], sizeof page};
        if (stacks[i] && process_vm_readv(tids[i], &local, 1, &remote, 1, 0) != (ssize_t)sizeof page)
            fail("process_vm_readv");
    }
    for (size_t i = 0; i < count; i++)
        if (ptrace(PTRACE_DETACH, tids[i], NULL, NULL))
            fail("PTRACE_DETACH");
    return now_ns() - start;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    pid_t pid = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
    size_t rounds = argc > 2 ? (size_t)atoi(argv[2]) : 1;
    uint64_t *times = calloc(rounds, sizeof *times);
    if (!pid || !rounds || !times)
        return EXIT_FAILURE;
    (void)!setpriority(PRIO_PROCESS, 0, -20); /* as ouro does where it may */
    list(pid);
    printf("{\"threads\": %zu", count);
    for (int together = 0; together < 2; together++) {
        for (size_t i = 0; i < rounds; i++)
            times[i] = stop(together);
        qsort(times, rounds, sizeof *times, by_value);
        printf(", \"%s_ns\": %" PRIu64, together ? "together" : "one_by_one", times[rounds / 2]);
    }
    printf("}\n");
    free(times);
    return 0;
}
