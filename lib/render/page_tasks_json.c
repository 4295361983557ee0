#include "base/guard.h"
#include "render/page.h"
#include "render/page_stack.h"
#include "render/page_tasks.h"

static void put_node(struct ouro_json *json, const char *key, const struct ouro_tasks *tasks, ouro_node node)
{
    if (node == OURO_NODE_NONE)
        ouro_json_null(json, key);
    else
        ouro_json_addr(json, key, tasks->stacks->model->heap.addr[node]);
}

static void put_tasks(struct ouro_json *json, const char *key, const struct ouro_tasks *tasks, const uint32_t *items,
                      size_t count)
{
    ouro_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        put_node(json, NULL, tasks, tasks->tasks.items[items[i]].node);
    ouro_json_end(json);
}

static void put_wait(struct ouro_json *json, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (task->wait == OURO_TASK_WAIT_NOTHING) {
        ouro_json_null(json, "waits_for");
        return;
    }
    ouro_json_object(json, "waits_for");
    ouro_json_string(json, "kind", ouro_task_wait_name(task->wait));
    put_node(json, "addr", tasks, task->wait_node);
    put_node(json, "future", tasks, task->waiter);
    put_tasks(json, "tasks", tasks, tasks->awaited.items + task->first_awaited, task->awaited_count);
    if (task->wait_any)
        ouro_json_bool(json, "any", true);
    if (task->wait == OURO_TASK_WAIT_IO && task->wait_number >= 0)
        ouro_json_int(json, "fd", task->wait_number);
    if (task->wait_via != OURO_NODE_NONE)
        put_node(json, "holder", tasks, task->wait_via);
    ouro_task_add_wait(&text, tasks, task);
    ouro_json_buf(json, "text", &text);
    ouro_json_end(json);
}

static void put_task(struct ouro_json *json, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_object(json, NULL);
    put_node(json, "addr", tasks, task->node);
    ouro_task_add_name(&text, tasks, task);
    if (task->name == OURO_NODE_NONE)
        ouro_json_null(json, "name");
    else
        ouro_json_buf(json, "name", &text);
    ouro_json_string(json, "state", ouro_task_state_name(task->state));
    ouro_json_bool(json, "cancelling", task->cancelling);
    ouro_json_bool(json, "timeout", task->timed);
    put_node(json, "loop", tasks, task->loop);
    if (task->thread == OURO_TASK_NONE)
        ouro_json_null(json, "thread");
    else
        ouro_json_uint(json, "thread", tasks->stacks->threads.items[task->thread].record->native_id);
    put_node(json, "coroutine", tasks, task->coroutine);
    ouro_json_array(json, "stack");
    for (size_t i = 0; i < task->frame_count; i++) {
        const struct ouro_stack_frame *frame = &tasks->frames.items[task->first_frame + i];
        ouro_json_object(json, NULL);
        ouro_json_uint(json, "index", i);
        ouro_page_frame_fields(json, tasks->stacks->model, frame);
        ouro_json_end(json);
    }
    ouro_json_end(json);
    put_wait(json, tasks, task);
    put_tasks(json, "awaited_by", tasks, tasks->awaiters.items + task->first_awaiter, task->awaiter_count);
    if (task->deadlock != OURO_TASK_NONE)
        ouro_json_string(json, "deadlock", task->behind ? "behind" : "part");
    ouro_json_end(json);
}

void ouro_page_tasks_json(struct ouro_json *json, const struct ouro_tasks *tasks)
{
    ouro_json_array(json, "tasks");
    for (size_t i = 0; i < tasks->tasks.count; i++)
        put_task(json, tasks, &tasks->tasks.items[i]);
    ouro_json_end(json);
}

void ouro_page_task_deadlocks_json(struct ouro_json *json, const struct ouro_tasks *tasks)
{
    for (size_t i = 0; i < tasks->deadlocks.count; i++) {
        const struct ouro_task_deadlock *deadlock = &tasks->deadlocks.items[i];
        ouro_json_array(json, NULL);
        for (size_t m = 0; m < deadlock->count; m++) {
            const struct ouro_task *task = &tasks->tasks.items[tasks->members.items[deadlock->first + m]];
            ouro_json_object(json, NULL);
            put_node(json, "task", tasks, task->node);
            put_wait(json, tasks, task);
            ouro_json_end(json);
        }
        ouro_json_end(json);
    }
}
