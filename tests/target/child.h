/* Children whose memory and threads the tests know. */
#ifndef TESTS_TARGET_CHILD_H
#define TESTS_TARGET_CHILD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "target/process.h"

#define PAGE     4096u
#define COUNTERS 64

/* What test and child see of each other. */
struct shared {
    atomic_int ready, step, done;
    atomic_long counters[COUNTERS];
    _Atomic(uintptr_t) addr[32];
    atomic_long results[32];
    int pipes[8][2];
    struct ouro_err err;
};

struct child {
    pid_t pid;
    struct shared *shared;
};

/* Runs body in a forked child, which is killed when the test ends. */
struct child child_start(void (*body)(struct shared *shared));
void child_end(struct child *child);
/* In the child: says that it is ready, and stands still until it is killed. */
void child_rest(struct shared *shared) __attribute__((noreturn));
/* The same, but it counts in counters[0]. */
void child_count(struct shared *shared) __attribute__((noreturn));
/* In the child: waits until the test set `step` to at least this. */
void child_await_step(struct shared *shared, int step);
/* In the child: says that it is ready, and waits for step 1. */
void child_await_go(struct shared *shared);
/* One thread more; a process that can have none ends with 99. */
pthread_t child_thread(void *(*body)(void *), void *argument);
/* Such a body: counts in this atomic_long for ever. */
void *count_up(void *counter) __attribute__((noreturn));

struct shared *shared_new(void);
struct ouro_process *must_open(pid_t pid);
void must_stop(struct ouro_process *process);

/* The state letter of a process or thread; 0: gone. */
char state_of(pid_t pid);
/* Whether it has ended; it stays a zombie where nobody reaps it. */
bool is_gone(pid_t pid);
/* A number of /proc/PID/status; -1: none. */
long status_of(pid_t pid, const char *name);
bool all_threads_are(pid_t pid, char state);
/* The system call that a thread is blocked in; -1: none or running. */
long syscall_of(pid_t tid);
uint64_t now_ns(void);
void nap(void);
int skip(const char *why);

/* Waits for evidence, at most half a minute. */
#define AWAIT(condition)                                                                                         \
    do {                                                                                                         \
        uint64_t await_start_ = now_ns();                                                                        \
        while (!(condition)) {                                                                                   \
            ck_assert_msg(now_ns() - await_start_ < UINT64_C(30000000000), "waited in vain for %s", #condition); \
            nap();                                                                                               \
        }                                                                                                        \
    } while (0)

#define ASSERT_OK(expr)                                                                                           \
    do {                                                                                                          \
        enum ouro_status assert_status_ = (expr);                                                                 \
        ck_assert_msg(assert_status_ == OURO_OK, "%s: %s: %s", #expr, ouro_status_name(assert_status_), err.msg); \
    } while (0)

#endif
