/* What tasks wait for, in words. */
#include <inttypes.h>
#include <string.h>

#include "analysis/lookup.h"
#include "analysis/tasks.h"
#include "analysis/value.h"

#define NAMES_MAX 3     /* tasks that are named */
#define TEXT_BYTES 64   /* of a value */

static void add_type(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    const char *name = ouro_heap_model_type_name(model, ouro_heap_model_type(model, node), &size);
    ouro_buf_add(out, name, size);
}

static void add_tasks(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    if (task->awaited_count > NAMES_MAX)
        ouro_buf_addf(out, "%s%zu tasks: ", task->wait_any ? "any of " : "", task->awaited_count);
    else
        ouro_buf_add_text(out, task->awaited_count == 1 ? "task " : task->wait_any ? "any of tasks " : "tasks ");
    for (size_t i = 0; i < task->awaited_count && i < NAMES_MAX; i++) {
        const struct ouro_task *other = &tasks->tasks.items[tasks->awaited.items[task->first_awaited + i]];
        ouro_buf_add_text(out, i ? ", " : "");
        ouro_task_add_name(out, tasks, other);
        if (other->name == OURO_NODE_NONE)
            ouro_buf_addf(out, "0x%" PRIx64, tasks->stacks->model->heap.addr[other->node]);
    }
    if (task->awaited_count > NAMES_MAX)
        ouro_buf_add_text(out, ", ...");
}

static const struct ouro_stack_frame *innermost(const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    return task->frame_count ? &tasks->frames.items[task->first_frame] : NULL;
}

static bool text_is(struct ouro_stack_text text, const char *literal)
{
    return text.size == strlen(literal) && !memcmp(text.bytes, literal, text.size);
}

/* sleep() has the delay among its variables; when it began nobody knows. */
static void add_sleep(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    const struct ouro_stack_frame *frame = innermost(tasks, task);
    ouro_node delay = frame && text_is(frame->name, "sleep") ? ouro_stack_frame_local(model, frame, "delay")
                                                             : OURO_NODE_NONE;
    if (delay == OURO_NODE_NONE || !ouro_value_has(model, delay)) {
        ouro_buf_add_text(out, frame && text_is(frame->name, "sleep") ? "sleep" : "a timer");
        return;
    }
    ouro_buf_add_text(out, "sleep(");
    ouro_value_add(out, model, delay, TEXT_BYTES);
    ouro_buf_add_byte(out, ')');
}

static void add_lock(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    uint32_t kind = ouro_async_kind(&tasks->async, task->wait_node);
    add_type(out, model, task->wait_node);
    ouro_buf_addf(out, "%s 0x%" PRIx64, kind & (OURO_ASYNC_EVENT | OURO_ASYNC_CONDITION) ? ".wait" : ".acquire",
                  model->heap.addr[task->wait_node]);
    if (!task->awaited_count) {
        if (kind & OURO_ASYNC_LOCK)
            ouro_buf_add_text(out, ", held by: unknown");
        return;
    }
    ouro_buf_add_text(out, kind & OURO_ASYNC_LOCK ? ", held by " : ", of which some is held by ");
    add_tasks(out, tasks, task);
}

static void add_io(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    ouro_node object = task->wait_via;
    if (task->wait_number >= 0)
        ouro_buf_addf(out, "file descriptor %" PRId64, task->wait_number);
    else
        ouro_buf_add_text(out, "a file");
    if (object == OURO_NODE_NONE)
        return;
    if (ouro_async_tuple_size(&tasks->async, object) >= 2) /* a selector's key: the object that was registered */
        object = ouro_async_tuple_item(&tasks->async, object, 0);
    if (object == OURO_NODE_NONE || ouro_async_int(&tasks->async, object, -1) >= 0)
        return;
    ouro_buf_add_text(out, " of ");
    add_type(out, model, object);
    ouro_buf_addf(out, " 0x%" PRIx64, model->heap.addr[object]);
}

static void add_executor(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    ouro_node state = ouro_async_attribute(&tasks->async, task->wait_node, "_state");
    ouro_buf_add_text(out, "an executor");
    if (ouro_async_is_text(&tasks->async, state, "RUNNING"))
        ouro_buf_add_text(out, " that runs");
    else if (ouro_async_is_text(&tasks->async, state, "PENDING"))
        ouro_buf_add_text(out, task->wait_via == OURO_NODE_NONE ? "" : " that has yet to run");
    ouro_node function = ouro_async_attribute(&tasks->async, task->wait_via, "fn");
    if (function == OURO_NODE_NONE) /* 3.14 on: a pair of function, arguments; ... */
        function = ouro_async_tuple_item(&tasks->async, ouro_async_attribute(&tasks->async, task->wait_via, "task"), 0);
    if (function != OURO_NODE_NONE) {
        ouro_buf_add_byte(out, ' ');
        ouro_lookup_add_callable(out, model, function);
    }
}

static void add_other(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    size_t size = 0;
    const unsigned char *name = (const unsigned char *)"";
    ouro_buf_add_text(out, "a future of ");
    add_type(out, model, task->wait_via);
    if (task->wait_key != OURO_NODE_NONE) {
        name = ouro_value_raw(model, task->wait_key, &size);
        ouro_buf_add_byte(out, '.');
    } else {
        const char *label = task->wait_label ? ouro_snapshot_string(model->snapshot, task->wait_label, &size) : NULL;
        name = label ? (const unsigned char *)label : name;
    }
    ouro_buf_add(out, name, size < TEXT_BYTES ? size : TEXT_BYTES);
    ouro_buf_addf(out, " (0x%" PRIx64 ")", model->heap.addr[task->wait_via]);
}

void ouro_task_add_wait(struct ouro_buf *out, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    const struct ouro_heap_model *model = tasks->stacks->model;
    switch (task->wait) {
    case OURO_TASK_WAIT_TASK:
        add_tasks(out, tasks, task);
        break;
    case OURO_TASK_WAIT_LOCK:
        add_lock(out, tasks, task);
        break;
    case OURO_TASK_WAIT_QUEUE:
        add_type(out, model, task->wait_node);
        ouro_buf_addf(out, ".%s 0x%" PRIx64, task->wait_put ? "put" : "get", model->heap.addr[task->wait_node]);
        break;
    case OURO_TASK_WAIT_SLEEP:
        add_sleep(out, tasks, task);
        break;
    case OURO_TASK_WAIT_IO:
        add_io(out, tasks, task);
        break;
    case OURO_TASK_WAIT_EXECUTOR:
        add_executor(out, tasks, task);
        break;
    case OURO_TASK_WAIT_OTHER:
        if (task->wait_via != OURO_NODE_NONE) {
            add_other(out, tasks, task);
            break;
        }
        /* fall through */
    case OURO_TASK_WAIT_FUTURE:
        ouro_buf_add_text(out, "a future");
        if (task->wait_node != OURO_NODE_NONE)
            ouro_buf_addf(out, " (0x%" PRIx64 ")", model->heap.addr[task->wait_node]);
        break;
    case OURO_TASK_WAIT_NOTHING:
        break;
    }
}
