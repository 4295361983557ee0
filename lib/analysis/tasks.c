#include "analysis/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/task_waits.h"
#include "analysis/value.h"
#include "base/guard.h"

#define WRAPPERS_MAX 4 /* awaitables around awaitables */

struct finding {
    struct ouro_tasks *tasks;
    const struct ouro_heap_model *model;
    const struct ouro_async *async;
    struct ouro_map holders; /* by what holds a thread's frame: which of stacks.frames */
    struct ouro_map awaited; /* coroutines that are part of a task's stack: nothing awaits one twice */
    uint64_t frame_budget;
    bool has_lines;
};

const char *ouro_task_state_name(enum ouro_task_state state)
{
    static const char *const names[] = {
        [OURO_TASK_WAITING] = "waiting",         [OURO_TASK_READY] = "ready to run", [OURO_TASK_RUNNING] = "running",
        [OURO_TASK_NOT_STARTED] = "not started", [OURO_TASK_UNKNOWN] = "unknown",
    };
    return names[state];
}

const char *ouro_task_wait_name(enum ouro_task_wait_kind kind)
{
    static const char *const names[] = {
        [OURO_TASK_WAIT_NOTHING] = "nothing",   [OURO_TASK_WAIT_TASK] = "task",   [OURO_TASK_WAIT_LOCK] = "lock",
        [OURO_TASK_WAIT_QUEUE] = "queue",       [OURO_TASK_WAIT_SLEEP] = "sleep", [OURO_TASK_WAIT_IO] = "io",
        [OURO_TASK_WAIT_EXECUTOR] = "executor", [OURO_TASK_WAIT_FUTURE] = "future", [OURO_TASK_WAIT_OTHER] = "other",
    };
    return names[kind];
}

uint32_t ouro_tasks_find(const struct ouro_tasks *tasks, ouro_node node)
{
    uint64_t *found = node == OURO_NODE_NONE ? NULL : ouro_map_find(&tasks->by_node, node);
    return found ? (uint32_t)*found : OURO_TASK_NONE;
}

void ouro_task_add_name(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    int64_t number = ouro_async_int(&tasks->async, task->name, -1);
    size_t size;
    if (number >= 0) {
        ouro_buf_addf(out, "Task-%lld", (long long)number);
    } else if (task->name < model->heap.count && ouro_value_has(model, task->name)) {
        const unsigned char *text = ouro_value_raw(model, task->name, &size);
        ouro_buf_add(out, text, size);
    }
}

/* --- Where it stands. */

/* A pure Python future says so itself; of C's the state is a number that no snapshot has, but only a done one has a result or
 * an exception, and a task is as done as its coroutine. */
static bool is_done(const struct finding *f, ouro_node task, ouro_node coroutine)
{
    ouro_node state = ouro_async_attribute(f->async, task, "_state");
    if (state != OURO_NODE_NONE)
        return !ouro_async_is_text(f->async, state, "PENDING");
    if (ouro_async_attribute(f->async, task, "_result") != OURO_NODE_NONE ||
        ouro_async_attribute(f->async, task, "_exception") != OURO_NODE_NONE)
        return true;
    if (!(ouro_async_kind(f->async, coroutine) & OURO_ASYNC_COROUTINE))
        return coroutine == OURO_NODE_NONE;
    if (ouro_snapshot_line(f->model->snapshot, coroutine))
        return false;
    struct ouro_stack_frame frame;
    ouro_stack_frame_read(&frame, f->model, coroutine);
    return frame.holder == coroutine && ouro_heap_model_field(f->model, coroutine, "f_func") == OURO_NODE_NONE;
}

/* The coroutine, generator or future inside of awaitables that stand for it. */
static ouro_node unwrap(const struct finding *f, ouro_node node)
{
    for (unsigned i = 0; i < WRAPPERS_MAX && ouro_async_kind(f->async, node) & OURO_ASYNC_WRAPPER; i++) {
        ouro_node inside = ouro_async_attribute(f->async, node, "_GeneratorWrapper__wrapped");
        node = inside != OURO_NODE_NONE ? inside : ouro_async_content(f->async, node);
    }
    return node;
}

static ouro_node awaited_by_frame(const struct finding *f, const struct ouro_stack_frame *frame)
{
    uint64_t count;
    const ouro_node *values = ouro_stack_frame_values(f->model, frame, &count);
    if (frame->state != OURO_RUN_AWAITING && (frame->state != OURO_RUN_UNKNOWN || f->has_lines))
        return OURO_NODE_NONE;
    while (count && values[count - 1] == OURO_NODE_NONE)
        count--;
    return count ? values[count - 1] : OURO_NODE_NONE;
}

static void reverse_frames(struct ouro_stack_frame *frames, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct ouro_stack_frame swap = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = swap;
    }
}

/* From the coroutine inwards; what is at the end of it that has no frame is kept in wait_via. */
static enum ouro_status follow_awaits(struct finding *f, struct ouro_task *task)
{
    ouro_node node = unwrap(f, task->coroutine);
    while (ouro_async_kind(f->async, node) & OURO_ASYNC_COROUTINE) {
        bool added;
        if (!ouro_map_put(&f->awaited, node, &added))
            return OURO_NOMEM;
        if (!added)
            return OURO_OK;
        struct ouro_stack_frame *frame = OURO_VEC_ADD(&f->tasks->frames);
        if (!frame)
            return OURO_NOMEM;
        ouro_stack_frame_read(frame, f->model, node);
        if (!frame->qualname.size)
            frame->qualname = frame->name;
        task->frame_count++;
        node = unwrap(f, awaited_by_frame(f, frame));
    }
    task->wait_via = node;
    return OURO_OK;
}

/* Of a task that runs: its thread's frames, from the innermost to that of its coroutine. */
static enum ouro_status copy_frames(struct finding *f, struct ouro_task *task, const struct ouro_stack_frame *outermost)
{
    const struct ouro_stacks *stacks = f->tasks->stacks;
    uint64_t *found = ouro_map_find(&f->holders, outermost->holder);
    for (size_t t = 0; found && t < stacks->threads.count; t++) {
        const struct ouro_stack_thread *thread = &stacks->threads.items[t];
        if (*found < thread->first_frame || *found - thread->first_frame >= thread->frame_count)
            continue;
        task->thread = (uint32_t)t;
        if (*found - thread->first_frame >= f->frame_budget) {
            f->tasks->cut = true;
            return OURO_OK;
        }
        f->tasks->frames.count = task->first_frame;
        task->frame_count = 0;
        for (size_t i = thread->first_frame; i <= *found; i++, f->frame_budget--) {
            struct ouro_stack_frame *frame = OURO_VEC_ADD(&f->tasks->frames);
            if (!frame)
                return OURO_NOMEM;
            *frame = stacks->frames.items[i];
            task->frame_count++;
        }
        break;
    }
    return OURO_OK;
}

/* Whether it handles its own cancellation, or a pure Python task says that it was asked to end. */
static bool is_cancelling(const struct finding *f, const struct ouro_task *task)
{
    if (ouro_async_int(f->async, ouro_async_attribute(f->async, task->node, "_num_cancels_requested"), 0) > 0 ||
        ouro_async_is_true(f->async, ouro_async_attribute(f->async, task->node, "_must_cancel")))
        return true;
    for (size_t i = 0; task->state != OURO_TASK_RUNNING && i < task->frame_count; i++) {
        ouro_node generator = f->tasks->frames.items[task->first_frame + i].node;
        static const char *const labels[] = {"exc_value", "gi_exc_value"};
        for (size_t k = 0; k < sizeof labels / sizeof *labels; k++)
            if (ouro_async_kind(f->async, ouro_heap_model_field(f->model, generator, labels[k])) & OURO_ASYNC_CANCELLED)
                return true;
    }
    return false;
}

static enum ouro_status find_stack(struct finding *f, struct ouro_task *task)
{
    task->first_frame = f->tasks->frames.count;
    OURO_TRY(follow_awaits(f, task));
    struct ouro_stack_frame *frames = f->tasks->frames.items + task->first_frame;
    uint32_t state = task->frame_count ? frames[0].state : OURO_RUN_UNKNOWN;
    if (state == OURO_RUN_EXECUTING ||
        (state == OURO_RUN_UNKNOWN && task->frame_count && ouro_map_find(&f->holders, frames[0].holder))) {
        struct ouro_stack_frame outermost = frames[0];
        task->state = OURO_TASK_RUNNING;
        task->wait_via = OURO_NODE_NONE;
        reverse_frames(frames, task->frame_count);
        return copy_frames(f, task, &outermost);
    }
    reverse_frames(frames, task->frame_count);
    /* Unknown until its waiter is looked at. */
    task->state = state == OURO_RUN_CREATED                                   ? OURO_TASK_NOT_STARTED
                  : task->waiter == OURO_NODE_NONE && task->frame_count       ? OURO_TASK_READY
                                                                              : OURO_TASK_UNKNOWN;
    return OURO_OK;
}

/* --- Whether what it waits for still has to come: then the future has the task's wakeup among its callbacks. */

struct waking {
    struct finding *f;
    ouro_node future;
    uint64_t budget;
};

static bool is_wakeup(const struct finding *f, ouro_node callback)
{
    uint32_t kind = ouro_async_kind(f->async, callback);
    ouro_node function = ouro_heap_model_field(f->model, callback, "__func__");
    if (kind & OURO_ASYNC_WAKEUP)
        return true;
    if (!(kind & OURO_ASYNC_METHOD))
        return false;
    if (function == OURO_NODE_NONE)
        return !ouro_value_has(f->model, callback) || ouro_async_is_text(f->async, callback, "task_wakeup");
    ouro_node name = ouro_heap_model_field(f->model, ouro_heap_model_field(f->model, function, "__code__"), "co_name");
    return name == OURO_NODE_NONE || !ouro_value_has(f->model, name) || ouro_async_is_text(f->async, name, "__wakeup");
}

static bool wake(void *context, ouro_node callback, bool is_awaiter)
{
    struct waking *waking = context;
    struct finding *f = waking->f;
    if (!waking->budget--)
        return waking->budget = 0, false;
    if (is_awaiter || callback >= f->model->heap.count || !is_wakeup(f, callback))
        return true;
    ouro_node self = ouro_heap_model_field(f->model, callback, "__self__");
    uint32_t index = ouro_tasks_find(f->tasks, self != OURO_NODE_NONE
                                                   ? self
                                                   : ouro_async_attribute(f->async, callback, "__self__"));
    if (index == OURO_TASK_NONE)
        return true;
    struct ouro_task *task = &f->tasks->tasks.items[index];
    if (task->waiter == waking->future && task->state == OURO_TASK_UNKNOWN)
        task->state = OURO_TASK_WAITING;
    return true;
}

/* Each future that somebody waits for is looked at once, however many wait. */
static enum ouro_status find_waiting(struct finding *f)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map seen = {0};
    struct waking waking = {f, OURO_NODE_NONE, 64 * (uint64_t)f->model->heap.count};
    for (size_t i = 0; i < f->tasks->tasks.count; i++) {
        bool added;
        waking.future = f->tasks->tasks.items[i].waiter;
        if (waking.future == OURO_NODE_NONE)
            continue;
        if (!ouro_map_put(&seen, waking.future, &added))
            return OURO_NOMEM;
        if (added)
            ouro_async_each_callback(f->async, waking.future, wake, &waking);
    }
    for (size_t i = 0; i < f->tasks->tasks.count; i++) {
        struct ouro_task *task = &f->tasks->tasks.items[i];
        bool foreign = !(ouro_async_kind(f->async, task->coroutine) & OURO_ASYNC_COROUTINE);
        if (task->state == OURO_TASK_UNKNOWN && (task->waiter != OURO_NODE_NONE || !foreign)) {
            /* It is done, and the loop has been told. */
            task->state = OURO_TASK_READY;
            task->cancelling |= task->waiter != OURO_NODE_NONE && !ouro_async_has_outcome(f->async, task->waiter);
        }
    }
    return OURO_OK;
}

/* --- Which thread runs a loop. */

static bool is_loop_frame(const struct ouro_stack_frame *frame)
{
    static const char *const names[] = {"run_forever", "_run_once", "run_until_complete"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (frame->name.size == strlen(names[i]) && !memcmp(frame->name.bytes, names[i], frame->name.size))
            return true;
    return false;
}

static uint32_t thread_of_ident(const struct ouro_stacks *stacks, int64_t ident)
{
    for (size_t t = 0; ident && t < stacks->threads.count; t++)
        if (stacks->threads.items[t].record->ident == (uint64_t)ident)
            return (uint32_t)t;
    return OURO_TASK_NONE;
}

static enum ouro_status find_loops(struct finding *f)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map threads = {0};
    struct ouro_tasks *tasks = f->tasks;
    for (size_t i = 0; i < tasks->tasks.count; i++) {
        ouro_node loop = tasks->tasks.items[i].loop;
        bool added;
        uint64_t *thread = loop == OURO_NODE_NONE ? NULL : ouro_map_put(&threads, loop, &added);
        if (loop == OURO_NODE_NONE)
            continue;
        ouro_node *item = !thread ? NULL : added ? OURO_VEC_ADD(&tasks->loops) : &loop;
        if (!item)
            return OURO_NOMEM;
        *item = loop;
        if (added)
            *thread = thread_of_ident(tasks->stacks,
                                      ouro_async_int(f->async, ouro_async_attribute(f->async, loop, "_thread_id"), 0));
    }
    for (size_t t = 0; t < tasks->stacks->threads.count; t++)
        for (size_t i = 0; i < tasks->stacks->threads.items[t].frame_count; i++) {
            const struct ouro_stack_frame *frame = ouro_stacks_frame(tasks->stacks, &tasks->stacks->threads.items[t], i);
            ouro_node self = is_loop_frame(frame) ? ouro_stack_frame_local(f->model, frame, "self") : OURO_NODE_NONE;
            uint64_t *thread = self == OURO_NODE_NONE ? NULL : ouro_map_find(&threads, self);
            if (thread)
                *thread = t;
        }
    for (size_t i = 0; i < tasks->tasks.count; i++) {
        struct ouro_task *task = &tasks->tasks.items[i];
        uint64_t *thread = task->loop == OURO_NODE_NONE ? NULL : ouro_map_find(&threads, task->loop);
        if (thread)
            task->thread = (uint32_t)*thread;
    }
    return OURO_OK;
}

static int by_number(const void *a, const void *b)
{
    ouro_node left = *(const ouro_node *)a, right = *(const ouro_node *)b;
    return left < right ? -1 : left > right;
}

/* --- All of them. */

static enum ouro_status add_task(struct finding *f, ouro_node node)
{
    struct ouro_tasks *tasks = f->tasks;
    ouro_node coroutine = ouro_async_attribute(f->async, node, "_coro");
    if (is_done(f, node, unwrap(f, coroutine))) {
        tasks->done_count++;
        return OURO_OK;
    }
    uint64_t *index = ouro_map_put(&tasks->by_node, node, NULL);
    struct ouro_task *task = index ? OURO_VEC_ADD(&tasks->tasks) : NULL;
    if (!task)
        return OURO_NOMEM;
    *index = tasks->tasks.count - 1;
    task->node = node;
    task->coroutine = coroutine;
    task->name = ouro_async_task_name(f->async, node);
    task->loop = ouro_async_attribute(f->async, node, "_loop");
    task->waiter = ouro_async_attribute(f->async, node, "_fut_waiter");
    if (!(ouro_async_kind(f->async, task->waiter) & OURO_ASYNC_FUTURE))
        task->waiter = OURO_NODE_NONE; /* None, of a task in Python */
    task->wait_node = task->wait_via = task->wait_key = OURO_NODE_NONE;
    task->wait_number = -1;
    task->thread = task->deadlock = OURO_TASK_NONE;
    OURO_TRY(find_stack(f, task));
    task->cancelling = is_cancelling(f, task);
    return OURO_OK;
}

static enum ouro_status find_all(struct finding *f)
{
    struct ouro_tasks *tasks = f->tasks;
    size_t line_count;
    ouro_snapshot_lines(f->model->snapshot, &line_count);
    f->has_lines = line_count > 0;
    f->frame_budget = 2 * (uint64_t)f->model->heap.count + 16;
    for (size_t i = 0; i < tasks->stacks->frames.count; i++) {
        uint64_t *holder = ouro_map_put(&f->holders, tasks->stacks->frames.items[i].holder, NULL);
        if (!holder)
            return OURO_NOMEM;
        *holder = i;
    }
    for (ouro_node v = 0; v < f->model->heap.count; v++)
        if (ouro_async_kind(f->async, v) & OURO_ASYNC_TASK)
            OURO_TRY(add_task(f, v));
    if (!tasks->tasks.count)
        return OURO_OK;
    OURO_TRY(find_waiting(f));
    OURO_TRY(find_loops(f));
    if (tasks->loops.count)
        qsort(tasks->loops.items, tasks->loops.count, sizeof *tasks->loops.items, by_number);
    return ouro_task_waits_find(tasks);
}

enum ouro_status ouro_tasks_init(struct ouro_tasks *tasks, struct ouro_heap_model *model,
                                 const struct ouro_stacks *stacks, struct ouro_err *err)
{
    struct finding f = {.tasks = tasks, .model = model, .async = &tasks->async};
    memset(tasks, 0, sizeof *tasks);
    tasks->stacks = stacks;
    OURO_TRY(ouro_heap_model_load(model, OURO_TASKS_COLUMNS, err));
    enum ouro_status status = ouro_async_init(&tasks->async, model);
    if (status == OURO_OK)
        status = find_all(&f);
    ouro_map_fini(&f.holders);
    ouro_map_fini(&f.awaited);
    if (status != OURO_OK) {
        ouro_tasks_fini(tasks);
        return ouro_err_set(err, status, "out of memory for the tasks of asyncio");
    }
    return OURO_OK;
}

void ouro_tasks_fini(struct ouro_tasks *tasks)
{
    ouro_async_fini(&tasks->async);
    ouro_map_fini(&tasks->by_node);
    free(tasks->tasks.items);
    free(tasks->frames.items);
    free(tasks->awaited.items);
    free(tasks->awaiters.items);
    free(tasks->members.items);
    free(tasks->deadlocks.items);
    free(tasks->loops.items);
    memset(tasks, 0, sizeof *tasks);
}
