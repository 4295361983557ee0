/* The tasks of asyncio: where each stands, what it waits for, and who waits for whom.
 *
 * A task is an object of _asyncio.Task, asyncio.tasks.Task or a class that derives from one of them. Its stack goes from its
 * coroutine inwards along what each coroutine awaits; of a task that runs it is the part of the thread's frames from its
 * coroutine on. What it waits for is a task itself, or a future; of a future all that can complete it is looked for: tasks,
 * through the done-callbacks that lead to it (async_leads.h); locks and queues it is queued at, and who holds those; timers,
 * files that a selector watches, executors.
 *
 * A lock's holder: a coroutine inside of `async with lock` keeps its __aexit__ on the value stack. Who only called acquire()
 * is not known.
 *
 * Memory: about 200 bytes a task, 120 a frame, 40 for each future that a task waits for. O(objects + their slots), because
 * whoever holds a future is looked for among all; without tasks O(objects). */
#ifndef OURO_ANALYSIS_TASKS_H
#define OURO_ANALYSIS_TASKS_H

#include "analysis/async_objects.h"
#include "analysis/stacks.h"
#include "base/buf.h"
#include "base/map.h"

#define OURO_TASK_NONE UINT32_MAX

enum ouro_task_state {
    OURO_TASK_WAITING,
    OURO_TASK_READY,       /* its loop will run it in its next round */
    OURO_TASK_RUNNING,     /* a thread is inside of it */
    OURO_TASK_NOT_STARTED,
    OURO_TASK_UNKNOWN,     /* of a file that does not tell */
};

enum ouro_task_wait_kind {
    OURO_TASK_WAIT_NOTHING, /* it does not wait */
    OURO_TASK_WAIT_TASK,    /* for tasks, directly or through futures that they complete */
    OURO_TASK_WAIT_LOCK,    /* Lock, Condition, Semaphore, Event */
    OURO_TASK_WAIT_QUEUE,
    OURO_TASK_WAIT_SLEEP,   /* a timer */
    OURO_TASK_WAIT_IO,      /* a file, a pipe, a socket */
    OURO_TASK_WAIT_EXECUTOR,
    OURO_TASK_WAIT_FUTURE,  /* a future of which nothing else is known */
    OURO_TASK_WAIT_OTHER,   /* a future that some other object holds, or something that is no future */
};

struct ouro_task {
    ouro_node node;
    ouro_node name;      /* a str, the int behind "Task-", or OURO_NODE_NONE */
    ouro_node loop, coroutine;
    ouro_node waiter;    /* the future or task that will wake it up, or OURO_NODE_NONE */
    enum ouro_task_state state;
    bool cancelling;     /* it was asked to end: as far as its state shows it */
    bool timed;          /* a timer will end its waiting: asyncio.timeout(), wait_for */
    uint32_t thread;     /* that runs its loop: index into ouro_stacks.threads, or OURO_TASK_NONE */
    size_t first_frame, frame_count; /* of ouro_tasks.frames: innermost first */
    enum ouro_task_wait_kind wait;
    ouro_node wait_node; /* the task, future, lock, queue, ... or OURO_NODE_NONE */
    ouro_node wait_via;  /* what else says something: who holds the future, a selector's key, an executor's item */
    ouro_node wait_key;  /* of who holds it: the attribute's name, a str; or OURO_NODE_NONE */
    uint32_t wait_label; /* else the string that names it */
    int64_t wait_number; /* a file's number or -1 */
    bool wait_any;       /* one of those waited for is enough */
    bool wait_put;       /* of a queue: to put something in */
    size_t first_awaited, awaited_count;   /* of ouro_tasks.awaited: tasks it waits for */
    size_t first_awaiter, awaiter_count;   /* of ouro_tasks.awaiters: tasks that wait for it */
    uint32_t deadlock;   /* index of the deadlock it is part of or waits behind, or OURO_TASK_NONE */
    bool behind;         /* not part of it */
};

/* Tasks none of which can go on before another does. */
struct ouro_task_deadlock {
    size_t first, count; /* of ouro_tasks.members: a circle, each waiting for the next, the last for the first */
    size_t stuck_count;  /* tasks that are part of it; more than `count` where several circles hang together */
    size_t behind_count; /* tasks that wait for one of them without being part of it */
};

struct ouro_tasks {
    const struct ouro_stacks *stacks; /* borrowed */
    struct ouro_async async;          /* owned */
    struct {
        struct ouro_task *items; /* owned; those that are not done, in the order of their addresses */
        size_t count, capacity;
    } tasks;
    uint64_t done_count;
    struct {
        struct ouro_stack_frame *items; /* owned */
        size_t count, capacity;
    } frames;
    struct {
        uint32_t *items; /* owned; indexes of tasks */
        size_t count, capacity;
    } awaited, awaiters, members;
    struct {
        struct ouro_task_deadlock *items; /* owned; by their first task */
        size_t count, capacity;
    } deadlocks;
    struct {
        ouro_node *items; /* owned; ascending */
        size_t count, capacity;
    } loops;
    struct ouro_map by_node; /* of those that are not done: index by node */
    bool cut;                /* there was more to say about who waits for whom than there was room for */
};

#define OURO_TASKS_COLUMNS OURO_STACKS_COLUMNS

/* Loads its columns. OURO_NOMEM. */
enum ouro_status ouro_tasks_init(struct ouro_tasks *tasks, struct ouro_heap_model *model,
                                 const struct ouro_stacks *stacks, struct ouro_err *err);
void ouro_tasks_fini(struct ouro_tasks *tasks);

/* The index of a task that is not done, or OURO_TASK_NONE. */
uint32_t ouro_tasks_find(const struct ouro_tasks *tasks, ouro_node node);
/* "waiting", "ready to run", "running", "not started", "unknown"; "task", "lock", ... */
const char *ouro_task_state_name(enum ouro_task_state state);
const char *ouro_task_wait_name(enum ouro_task_wait_kind kind);
/* Its name as it is, not escaped; "" where it is not known. */
void ouro_task_add_name(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task);
/* What it waits for, in words without addresses where nobody needs them: "get() of asyncio.queues.Queue 0x7f..". */
void ouro_task_add_wait(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task);

#endif
