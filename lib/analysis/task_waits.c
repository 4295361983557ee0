/* What tasks wait for. Between a task and those that it waits for lie *points*: futures that somebody completes, futures of
 * executors, locks and queues. A graph of tasks and points is built in the direction of waiting, and each task's part
 * of it read off. */
#include "analysis/task_waits.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/async_leads.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/map.h"

#define FRAME_VALUES_MAX 4096 /* of one value stack */

/* What can complete a point without a task's doing. */
enum point_flag {
    POINT_ANY = 1,       /* one of what it waits for is enough */
    POINT_TIMER = 2,     /* a timer will */
    POINT_IO = 4,        /* a selector's handle will */
    POINT_SCHEDULED = 8, /* some other handle will */
    POINT_LOCKED = 16,   /* a Lock that is taken */
    POINT_WAITED = 32,   /* a task waits for it: it is a waiter */
    POINT_PUTTER = 64,   /* of a queue that is full */
};

struct point {
    ouro_node node;
    uint8_t flags;
    ouro_node holder;    /* who else has it, or the handle, or the work item */
    ouro_node key;       /* of POINT_IO: the selector's; else the attribute's name where it is an entry */
    uint32_t label;      /* else of the attribute: a string */
};

struct waits {
    struct ouro_tasks *tasks;
    const struct ouro_heap_model *model;
    const struct ouro_async *async;
    struct ouro_leads leads;
    struct ouro_map points_by_node, handles; /* handles: a selector's key by its handle */
    struct {
        struct point *items; /* owned */
        size_t count, capacity;
    } points;
    struct {
        struct ouro_csr_edge *items; /* owned; from a task (below tasks.count) or point (behind) to what it waits for */
        size_t count, capacity;
    } edges;
    struct ouro_csr csr;
    bool failed;
};

/* --- The graph. */

static uint32_t task_count(const struct waits *w)
{
    return (uint32_t)w->tasks->tasks.count;
}

static struct point *point_at(const struct waits *w, ouro_node v)
{
    return v < task_count(w) || v - task_count(w) >= w->points.count ? NULL : &w->points.items[v - task_count(w)];
}

static uint32_t find_point(const struct waits *w, ouro_node node)
{
    uint64_t *found = node == OURO_NODE_NONE ? NULL : ouro_map_find(&w->points_by_node, node);
    return found ? (uint32_t)*found : OURO_NODE_NONE;
}

static uint32_t add_point(struct waits *w, ouro_node node)
{
    bool added;
    uint64_t *index = ouro_map_put(&w->points_by_node, node, &added);
    struct point *point = index && added ? OURO_VEC_ADD(&w->points) : NULL;
    if (!index || (added && !point)) {
        w->failed = true;
        return OURO_NODE_NONE;
    }
    if (added) {
        *index = task_count(w) + w->points.count - 1;
        *point = (struct point){node, 0, OURO_NODE_NONE, OURO_NODE_NONE, 0};
    }
    return (uint32_t)*index;
}

static void add_edge(struct waits *w, uint32_t from, uint32_t to)
{
    struct ouro_csr_edge *edge = from == OURO_NODE_NONE || to == OURO_NODE_NONE ? NULL : OURO_VEC_ADD(&w->edges);
    if (edge)
        *edge = (struct ouro_csr_edge){from, to};
    else if (from != OURO_NODE_NONE && to != OURO_NODE_NONE)
        w->failed = true;
}

/* Where a method of what tasks wait at has made the future: known even where the list of who waits there is too long to have
 * been captured. */
static void add_made(struct waits *w, const struct ouro_task *task, uint32_t from)
{
    static const char *const made[] = {"getter", "putter", "fut"};
    const struct ouro_stack_frame *frame = task->frame_count ? &w->tasks->frames.items[task->first_frame] : NULL;
    ouro_node self = frame ? ouro_stack_frame_local(w->model, frame, "self") : OURO_NODE_NONE;
    bool is_made = false;
    if (from == OURO_NODE_NONE || !(ouro_async_kind(w->async, self) & OURO_ASYNC_PRIMITIVE))
        return;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        is_made |= ouro_stack_frame_local(w->model, frame, made[i]) == task->waiter;
    uint32_t to = is_made ? add_point(w, self) : OURO_NODE_NONE;
    if (to == OURO_NODE_NONE)
        return;
    struct point *point = point_at(w, from);
    point->holder = self;
    point->flags |= ouro_stack_frame_local(w->model, frame, "putter") == task->waiter ? POINT_PUTTER : 0;
    add_edge(w, from, to);
}

static void add_waiters(struct waits *w)
{
    for (uint32_t i = 0; i < task_count(w); i++) {
        const struct ouro_task *task = &w->tasks->tasks.items[i];
        if (task->state != OURO_TASK_WAITING)
            continue;
        if (ouro_async_kind(w->async, task->waiter) & OURO_ASYNC_TASK) {
            uint32_t other = ouro_tasks_find(w->tasks, task->waiter);
            add_edge(w, i, other == OURO_TASK_NONE ? OURO_NODE_NONE : other);
            continue;
        }
        uint32_t point = add_point(w, task->waiter);
        add_edge(w, i, point);
        if (point == OURO_NODE_NONE)
            continue;
        struct point *it = point_at(w, point);
        if (!(it->flags & POINT_WAITED)) {
            it->flags |= POINT_WAITED;
            add_made(w, task, point);
        }
    }
}

/* --- Done-callbacks. */

struct completing {
    struct waits *w;
    ouro_node future;
    uint32_t from; /* its node in the graph, OURO_NODE_NONE until it is needed */
    uint64_t budget;
};

static void add_leads(struct completing *c, ouro_node callable, ouro_node arguments)
{
    struct waits *w = c->w;
    const struct ouro_lead *leads;
    size_t count;
    w->failed |= ouro_leads_find(&w->leads, callable, arguments, &leads, &count) != OURO_OK;
    for (size_t i = 0; i < count; i++) {
        if (leads[i].target == c->future)
            continue;
        if (c->from == OURO_NODE_NONE)
            c->from = add_point(w, c->future);
        uint32_t target = add_point(w, leads[i].target);
        add_edge(w, target, c->from);
        if (target != OURO_NODE_NONE && leads[i].any)
            point_at(w, target)->flags |= POINT_ANY;
    }
}

static bool complete(void *context, ouro_node callback, bool is_awaiter)
{
    struct completing *c = context;
    if (!c->budget) {
        c->w->tasks->cut = true;
        return false;
    }
    c->budget--;
    if (!is_awaiter && callback != OURO_NODE_NONE)
        add_leads(c, callback, OURO_NODE_NONE);
    return !c->w->failed;
}

static bool is_selected_handle(const struct waits *w, ouro_node handle, ouro_node *key)
{
    uint64_t *found = ouro_map_find(&w->handles, handle);
    if (found)
        *key = (ouro_node)*found;
    return found != NULL;
}

/* Loop by loop, the handles of files that its selector watches. */
static void find_selected(struct waits *w)
{
    for (size_t i = 0; i < w->tasks->loops.count && !w->failed; i++) {
        ouro_node selector = ouro_async_attribute(w->async, w->tasks->loops.items[i], "_selector");
        ouro_node keys = ouro_async_attribute(w->async, selector, "_fd_to_key");
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        if (!(ouro_async_kind(w->async, keys) & OURO_ASYNC_LIST))
            continue;
        ouro_slot_walk_begin(&walk, w->model, keys);
        while (ouro_slot_walk_next(&walk, &slot)) {
            ouro_node data = slot.place || slot.target == OURO_NODE_NONE
                                 ? OURO_NODE_NONE
                                 : ouro_async_tuple_item(w->async, slot.target, 3);
            for (unsigned side = 0; data != OURO_NODE_NONE && side < 2; side++) {
                ouro_node handle = ouro_async_tuple_item(w->async, data, side);
                if (!(ouro_async_kind(w->async, handle) & OURO_ASYNC_HANDLE))
                    continue;
                uint64_t *key = ouro_map_put(&w->handles, handle, NULL);
                w->failed |= !key;
                if (key)
                    *key = slot.target;
            }
        }
    }
}

/* A handle is no future, but does the same. */
static void add_handle(struct waits *w, ouro_node handle, uint32_t kind)
{
    ouro_node callback = ouro_async_attribute(w->async, handle, "_callback"), key = OURO_NODE_NONE;
    ouro_node arguments = ouro_async_attribute(w->async, handle, "_args"), self;
    const struct ouro_lead *leads;
    size_t count;
    if (ouro_async_is_true(w->async, ouro_async_attribute(w->async, handle, "_cancelled")))
        return;
    self = ouro_heap_model_field(w->model, callback, "__self__");
    if (kind & OURO_ASYNC_TIMER && ouro_async_kind(w->async, self) & OURO_ASYNC_TIMEOUT) {
        uint32_t task = ouro_tasks_find(w->tasks, ouro_async_attribute(w->async, self, "_task"));
        if (task != OURO_TASK_NONE)
            w->tasks->tasks.items[task].timed = true;
        return;
    }
    w->failed |= ouro_leads_find(&w->leads, callback, arguments, &leads, &count) != OURO_OK;
    uint8_t flag = kind & OURO_ASYNC_TIMER ? POINT_TIMER : is_selected_handle(w, handle, &key) ? POINT_IO : POINT_SCHEDULED;
    for (size_t i = 0; i < count; i++) {
        struct point *point = point_at(w, find_point(w, leads[i].target));
        if (!point)
            continue;
        if (point->holder == OURO_NODE_NONE || flag == POINT_IO) {
            point->holder = handle;
            point->key = key;
        }
        point->flags |= flag;
    }
}

/* --- What tasks queue at. */

static void add_queued(struct waits *w, ouro_node primitive, const char *attribute, bool putters)
{
    ouro_node list = ouro_async_attribute(w->async, primitive, attribute);
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (!(ouro_async_kind(w->async, list) & OURO_ASYNC_LIST))
        return;
    ouro_slot_walk_begin(&walk, w->model, list);
    while (ouro_slot_walk_next(&walk, &slot) && !w->failed) {
        uint32_t from = find_point(w, slot.target);
        struct point *waiter = point_at(w, from);
        if (!waiter || slot.part->kind == OURO_PART_TYPE || slot.place || waiter->holder == primitive)
            continue;
        uint32_t to = add_point(w, primitive);
        waiter = point_at(w, from); /* it may have moved */
        waiter->holder = primitive;
        waiter->flags |= putters ? POINT_PUTTER : 0;
        add_edge(w, from, to);
    }
}

static void add_primitive(struct waits *w, ouro_node node, uint32_t kind)
{
    if (kind & OURO_ASYNC_QUEUE) {
        add_queued(w, node, "_getters", false);
        add_queued(w, node, "_putters", true);
        return;
    }
    add_queued(w, node, "_waiters", false);
    struct point *point = point_at(w, find_point(w, node));
    if (point && kind & OURO_ASYNC_LOCK && ouro_async_is_true(w->async, ouro_async_attribute(w->async, node, "_locked")))
        point->flags |= POINT_LOCKED;
    if (point && !(kind & OURO_ASYNC_LOCK))
        point->flags |= POINT_ANY;
}

static void add_work_item(struct waits *w, ouro_node item)
{
    struct point *point = point_at(w, find_point(w, ouro_async_attribute(w->async, item, "future")));
    if (point && point->holder == OURO_NODE_NONE)
        point->holder = item;
}

/* --- Who holds locks. */

static bool is_exit(const struct waits *w, ouro_node function)
{
    ouro_node name = ouro_heap_model_field(w->model, ouro_heap_model_field(w->model, function, "__code__"), "co_name");
    return ouro_async_is_text(w->async, name, "__aexit__");
}

static bool frame_is(const struct waits *w, const struct ouro_stack_frame *frame, const char *name, ouro_node self)
{
    return frame->name.size == strlen(name) && !memcmp(frame->name.bytes, name, frame->name.size) &&
           ouro_stack_frame_local(w->model, frame, "self") == self;
}

/* Inside of __aenter__ (of the last `async with`) it does not have it yet, nor while Condition.wait has given it away. frames:
 * from that of the `async with` inwards, so downwards. */
static bool has_it(const struct waits *w, const struct ouro_task *task, size_t at, ouro_node object, bool is_last)
{
    const struct ouro_stack_frame *frames = w->tasks->frames.items + task->first_frame;
    if (is_last && at && frame_is(w, &frames[at - 1], "__aenter__", object))
        return false;
    for (size_t i = at < 4 ? 0 : at - 4; i < at; i++) /* wait_for(condition.wait()) and its like are further away */
        if (frame_is(w, &frames[i], "wait", object))
            return false;
    return true;
}

static void add_holder(struct waits *w, uint32_t task, size_t at, ouro_node object, bool is_last)
{
    uint32_t kind = ouro_async_kind(w->async, object);
    if (!(kind & (OURO_ASYNC_LOCK | OURO_ASYNC_CONDITION | OURO_ASYNC_SEMAPHORE)))
        return;
    ouro_node lock = kind & OURO_ASYNC_CONDITION ? ouro_async_attribute(w->async, object, "_lock") : object;
    uint32_t node = find_point(w, lock);
    struct point *point = point_at(w, node);
    if (!point || (ouro_async_kind(w->async, lock) & OURO_ASYNC_LOCK && !(point->flags & POINT_LOCKED)))
        return;
    if (has_it(w, &w->tasks->tasks.items[task], at, object, is_last))
        add_edge(w, node, task);
}

/* Whose __aexit__ is there: the value stack has the bound method, or (3.14 on) the function and on top of it the object. */
static ouro_node exited(const struct waits *w, const ouro_node *values, uint64_t count, uint64_t at)
{
    uint32_t kind = ouro_async_kind(w->async, values[at]);
    if (kind & OURO_ASYNC_METHOD) {
        ouro_node function = ouro_heap_model_field(w->model, values[at], "__func__");
        return function != OURO_NODE_NONE && is_exit(w, function)
                   ? ouro_heap_model_field(w->model, values[at], "__self__")
                   : OURO_NODE_NONE;
    }
    return kind & OURO_ASYNC_FUNCTION && at + 1 < count && is_exit(w, values[at]) ? values[at + 1] : OURO_NODE_NONE;
}

static void add_holders(struct waits *w)
{
    for (uint32_t t = 0; t < task_count(w) && !w->failed; t++)
        for (size_t i = 0; i < w->tasks->tasks.items[t].frame_count; i++) {
            const struct ouro_task *task = &w->tasks->tasks.items[t];
            uint64_t count;
            bool is_last = true;
            const ouro_node *values =
                ouro_stack_frame_values(w->model, &w->tasks->frames.items[task->first_frame + i], &count);
            for (uint64_t k = count < FRAME_VALUES_MAX ? count : FRAME_VALUES_MAX; k--;) {
                ouro_node object = exited(w, values, count, k);
                if (object == OURO_NODE_NONE)
                    continue;
                add_holder(w, t, i, object, is_last);
                is_last = false;
            }
        }
}

/* --- Everything that the heap has of these. */

static void add_futures(struct waits *w)
{
    struct completing c = {w, OURO_NODE_NONE, OURO_NODE_NONE, 64 * (uint64_t)w->model->heap.count};
    for (ouro_node v = 0; v < w->model->heap.count && !w->failed; v++) {
        uint32_t kind = ouro_async_kind(w->async, v);
        if (!(kind & (OURO_ASYNC_FUTURE | OURO_ASYNC_CONCURRENT)))
            continue;
        uint32_t task = kind & OURO_ASYNC_TASK ? ouro_tasks_find(w->tasks, v) : OURO_TASK_NONE;
        if (kind & OURO_ASYNC_TASK && task == OURO_TASK_NONE)
            continue; /* done */
        c.future = v;
        c.from = task == OURO_TASK_NONE ? find_point(w, v) : task;
        ouro_async_each_callback(w->async, v, complete, &c);
    }
}

static void add_others(struct waits *w)
{
    for (ouro_node v = 0; v < w->model->heap.count && !w->failed; v++) {
        uint32_t kind = ouro_async_kind(w->async, v);
        if (kind & OURO_ASYNC_HANDLE)
            add_handle(w, v, kind);
        else if (kind & OURO_ASYNC_PRIMITIVE)
            add_primitive(w, v, kind);
        else if (kind & OURO_ASYNC_WORK_ITEM)
            add_work_item(w, v);
    }
}

/* Futures of which nothing is known yet: whoever holds one, or holds the container that does. The first by address. */

static bool is_lone(const struct waits *w, uint32_t v)
{
    const struct point *point = point_at(w, v);
    return point->flags & POINT_WAITED && point->holder == OURO_NODE_NONE && w->csr.begin[v] == w->csr.begin[v + 1];
}

/* Nothing changes where the slot is no attribute: a __dict__, whose entry is known by now, or an item. */
static void name_attribute(const struct waits *w, struct point *point, const struct ouro_slot *slot)
{
    size_t size;
    if (!ouro_async_slot_name(w->async, slot, &size))
        return;
    point->key = slot->key;
    point->label = slot->part->kind == OURO_PART_FIELD ? slot->part->name : 0;
}

static void hold(struct waits *w, struct point *point, ouro_node holder, const struct ouro_slot *slot)
{
    if (point->holder != OURO_NODE_NONE)
        return;
    point->holder = holder;
    name_attribute(w, point, slot);
}

/* What only knows of the future because it waits for it, or was called with it. */
#define BYSTANDERS                                                                                                     \
    (OURO_ASYNC_TASK | OURO_ASYNC_COROUTINE | OURO_ASYNC_FRAME | OURO_ASYNC_WRAPPER | OURO_ASYNC_HANDLE |              \
     OURO_ASYNC_METHOD | OURO_ASYNC_PARTIAL | OURO_ASYNC_CELL | OURO_ASYNC_FUNCTION | OURO_ASYNC_TUPLE |               \
     OURO_ASYNC_CONTEXT | OURO_ASYNC_WAKEUP)

/* Points by the future or container that leads to them: lists in one array, the last added first. */
struct wanted {
    struct ouro_map heads; /* index of the first link, plus one */
    struct {
        struct wanted_link {
            uint32_t point;
            uint32_t uses; /* of the first: containers that hold it */
            size_t next;   /* index plus one */
        } *items; /* owned */
        size_t count, capacity;
    } links;
};

static void wanted_fini(struct wanted *wanted)
{
    ouro_map_fini(&wanted->heads);
    free(wanted->links.items);
}

static void want(struct waits *w, struct wanted *wanted, ouro_node node, uint32_t point)
{
    uint64_t *head = ouro_map_put(&wanted->heads, node, NULL);
    struct wanted_link *link = head ? OURO_VEC_ADD(&wanted->links) : NULL;
    w->failed |= !link;
    if (!link)
        return;
    *link = (struct wanted_link){point, 0, *head};
    *head = wanted->links.count;
}

#define CONTAINERS_MAX 3 /* a deque in a dict, in a __dict__ */
#define HOLDERS_MAX    3 /* containers that hold the same, by address */

/* containers: gathers those that hold one; an instance settles it. */
static void find_holders_in(struct waits *w, ouro_node v, struct wanted *wanted, struct wanted *containers)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    uint32_t kind = ouro_async_kind(w->async, v);
    if (kind & BYSTANDERS || w->model->heap.flags[v] & OURO_OBJECT_PSEUDO)
        return;
    ouro_slot_walk_begin(&walk, w->model, v);
    while (ouro_slot_walk_next(&walk, &slot) && !w->failed) {
        uint64_t *head = slot.target == OURO_NODE_NONE || slot.edge_class == OURO_EDGE_WEAK
                             ? NULL
                             : ouro_map_find(&wanted->heads, slot.target);
        if (!head || !*head)
            continue;
        bool is_container = kind & OURO_ASYNC_LIST;
        if (is_container && wanted->links.items[*head - 1].uses++ >= HOLDERS_MAX)
            continue;
        for (size_t at = (size_t)*head; at && !w->failed; at = wanted->links.items[at - 1].next) {
            uint32_t index = wanted->links.items[at - 1].point;
            struct point *point = point_at(w, index);
            if (!is_container)
                hold(w, point, v, &slot);
            else
                want(w, containers, v, index);
            if (is_container && point->holder == OURO_NODE_NONE)
                name_attribute(w, point, &slot);
        }
    }
}

static void find_holders(struct waits *w)
{
    struct wanted rounds[CONTAINERS_MAX + 2] = {{.links = {0}}};
    for (uint32_t i = 0; i < w->points.count; i++)
        if (is_lone(w, task_count(w) + i))
            want(w, &rounds[0], w->points.items[i].node, task_count(w) + i);
    for (unsigned round = 0; round <= CONTAINERS_MAX && rounds[round].links.count && !w->failed; round++)
        for (ouro_node v = 0; v < w->model->heap.count && !w->failed; v++)
            find_holders_in(w, v, &rounds[round], &rounds[round + 1]);
    for (unsigned round = 0; round < CONTAINERS_MAX + 2; round++)
        wanted_fini(&rounds[round]);
}

/* --- Each task's part. */

struct reading {
    struct waits *w;
    uint32_t *queue, *seen; /* owned; by node of the graph: whose search has seen it, plus one */
    uint32_t count;
    uint64_t budget;
    uint32_t executor, primitive, other; /* the first of each kind on the way, or OURO_NODE_NONE */
    uint8_t flags;                       /* of all points on the way */
    bool by_task, by_holder, any;
};

static void read_successors(struct reading *r, struct ouro_task *task, uint32_t v, bool is_lock)
{
    struct waits *w = r->w;
    uint32_t index = (uint32_t)(task - w->tasks->tasks.items);
    for (uint64_t e = w->csr.begin[v]; e < w->csr.begin[v + 1]; e++) {
        uint32_t next = w->csr.targets[e];
        if (!r->budget) {
            w->tasks->cut = true;
            return;
        }
        r->budget--;
        if (r->seen[next] == index + 1)
            continue;
        r->seen[next] = index + 1;
        if (next >= task_count(w)) {
            r->queue[r->count++] = next;
            continue;
        }
        uint32_t *awaited = OURO_VEC_ADD(&w->tasks->awaited);
        w->failed |= !awaited;
        if (awaited)
            *awaited = next;
        task->awaited_count += awaited != NULL;
        r->by_task |= !is_lock;
        r->by_holder |= is_lock;
    }
}

static void read_point(struct reading *r, struct ouro_task *task, uint32_t v)
{
    struct point *point = point_at(r->w, v);
    uint32_t kind = ouro_async_kind(r->w->async, point->node);
    r->flags |= point->flags;
    r->any |= point->flags & POINT_ANY && r->w->csr.begin[v + 1] - r->w->csr.begin[v] > 1;
    if (kind & OURO_ASYNC_CONCURRENT && r->executor == OURO_NODE_NONE)
        r->executor = v;
    else if (kind & OURO_ASYNC_PRIMITIVE && r->primitive == OURO_NODE_NONE)
        r->primitive = v;
    else if (point->holder != OURO_NODE_NONE && r->other == OURO_NODE_NONE)
        r->other = v;
    read_successors(r, task, v, kind & (OURO_ASYNC_LOCK | OURO_ASYNC_SEMAPHORE));
}

static int64_t file_of(const struct waits *w, ouro_node holder)
{
    static const char *const names[] = {"_sock_fd", "_fileno"};
    ouro_node transport = ouro_async_attribute(w->async, holder, "_transport");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t file = ouro_async_int(
            w->async, ouro_async_attribute(w->async, transport == OURO_NODE_NONE ? holder : transport, names[i]), -1);
        if (file >= 0)
            return file;
    }
    return -1;
}

/* Nobody but what else holds the future, a handle for instance. */
static void classify_lone(const struct reading *r, struct ouro_task *task)
{
    const struct point *point = r->other == OURO_NODE_NONE ? NULL : point_at(r->w, r->other);
    task->wait = point ? OURO_TASK_WAIT_OTHER : OURO_TASK_WAIT_FUTURE;
    if (!point)
        return;
    task->wait_via = point->holder;
    task->wait_key = point->key;
    task->wait_label = point->label;
    if (point->flags & POINT_IO) {
        task->wait = OURO_TASK_WAIT_IO;
        task->wait_via = point->key;
        task->wait_key = OURO_NODE_NONE;
        task->wait_number = ouro_async_int(r->w->async, ouro_async_tuple_item(r->w->async, point->key, 1), -1);
    } else if (point->flags & POINT_TIMER) {
        task->wait = OURO_TASK_WAIT_SLEEP;
    } else if (!(point->flags & POINT_SCHEDULED)) {
        task->wait_number = file_of(r->w, point->holder);
        if (task->wait_number >= 0 || ouro_async_kind(r->w->async, point->holder) & OURO_ASYNC_READER)
            task->wait = OURO_TASK_WAIT_IO;
    }
}

static void classify(const struct reading *r, struct ouro_task *task)
{
    const struct waits *w = r->w;
    task->wait_node = task->waiter;
    task->wait_via = OURO_NODE_NONE;
    task->wait_any = r->any;
    if (r->by_task || r->executor != OURO_NODE_NONE || r->primitive != OURO_NODE_NONE)
        task->timed |= (r->flags & POINT_TIMER) != 0;
    if (r->by_task) {
        task->wait = OURO_TASK_WAIT_TASK;
    } else if (r->primitive != OURO_NODE_NONE) {
        const struct point *point = point_at(w, r->primitive);
        task->wait_node = point->node;
        task->wait =
            ouro_async_kind(w->async, point->node) & OURO_ASYNC_QUEUE ? OURO_TASK_WAIT_QUEUE : OURO_TASK_WAIT_LOCK;
        task->wait_put = (r->flags & POINT_PUTTER) != 0;
    } else if (r->executor != OURO_NODE_NONE) {
        const struct point *point = point_at(w, r->executor);
        task->wait = OURO_TASK_WAIT_EXECUTOR;
        task->wait_node = point->node;
        task->wait_via = point->holder;
    } else {
        classify_lone(r, task);
    }
}

static enum ouro_status read_tasks(struct waits *w)
{
    size_t node_count = (size_t)task_count(w) + w->points.count;
    OURO_FREE uint32_t *queue = calloc(node_count + 1, sizeof *queue);
    OURO_FREE uint32_t *seen = calloc(node_count + 1, sizeof *seen);
    struct reading r = {.w = w, .queue = queue, .seen = seen};
    if (!queue || !seen)
        return OURO_NOMEM;
    r.budget = 64 * (uint64_t)(node_count + w->edges.count) + 1024;
    for (uint32_t i = 0; i < task_count(w) && !w->failed; i++) {
        struct ouro_task *task = &w->tasks->tasks.items[i];
        task->first_awaited = w->tasks->awaited.count;
        if (task->state != OURO_TASK_WAITING)
            continue;
        r.count = 0;
        r.flags = 0;
        r.by_task = r.by_holder = r.any = false;
        r.executor = r.primitive = r.other = OURO_NODE_NONE;
        read_successors(&r, task, i, false);
        for (uint32_t k = 0; k < r.count; k++)
            read_point(&r, task, queue[k]);
        classify(&r, task);
    }
    return w->failed ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status turn_round(struct ouro_tasks *tasks)
{
    size_t at = 0;
    tasks->awaiters.items = calloc(tasks->awaited.count + 1, sizeof *tasks->awaiters.items);
    if (!tasks->awaiters.items)
        return OURO_NOMEM;
    tasks->awaiters.capacity = tasks->awaiters.count = tasks->awaited.count;
    for (size_t i = 0; i < tasks->awaited.count; i++)
        tasks->tasks.items[tasks->awaited.items[i]].awaiter_count++;
    for (size_t i = 0; i < tasks->tasks.count; i++) {
        tasks->tasks.items[i].first_awaiter = at;
        at += tasks->tasks.items[i].awaiter_count;
        tasks->tasks.items[i].awaiter_count = 0;
    }
    for (size_t i = 0; i < tasks->tasks.count; i++)
        for (size_t k = 0; k < tasks->tasks.items[i].awaited_count; k++) {
            struct ouro_task *to = &tasks->tasks.items[tasks->awaited.items[tasks->tasks.items[i].first_awaited + k]];
            tasks->awaiters.items[to->first_awaiter + to->awaiter_count++] = (uint32_t)i;
        }
    return OURO_OK;
}

/* A lock goes on when its holder lets go of it; a semaphore when one of them does, where they are known to be all. Whoever
 * likes can set an event or fill a queue. */
static bool is_free_point(const struct waits *w, uint32_t v)
{
    const struct point *point = point_at(w, v);
    uint32_t kind = ouro_async_kind(w->async, point->node);
    uint64_t holders = w->csr.begin[v + 1] - w->csr.begin[v];
    if (!holders || point->flags & (POINT_TIMER | POINT_IO | POINT_SCHEDULED))
        return true;
    if (kind & OURO_ASYNC_SEMAPHORE)
        return (uint64_t)ouro_async_int(w->async, ouro_async_attribute(w->async, point->node, "_bound_value"), -1) !=
               holders;
    return kind & OURO_ASYNC_CONCURRENT ? point->holder != OURO_NODE_NONE
                                        : kind & OURO_ASYNC_PRIMITIVE && !(kind & OURO_ASYNC_LOCK);
}

static enum ouro_status find_deadlocks(struct waits *w)
{
    ouro_node node_count = (ouro_node)(task_count(w) + w->points.count);
    OURO_FREE uint8_t *any = calloc(node_count + 1, 1);
    OURO_FREE uint8_t *free_nodes = calloc(node_count + 1, 1);
    if (!any || !free_nodes)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < node_count; v++) {
        const struct ouro_task *task = v < task_count(w) ? &w->tasks->tasks.items[v] : NULL;
        any[v] = !task && point_at(w, v)->flags & POINT_ANY;
        free_nodes[v] = task ? task->state != OURO_TASK_WAITING || task->timed || w->csr.begin[v] == w->csr.begin[v + 1]
                             : is_free_point(w, v);
    }
    const struct ouro_task_graph graph = {node_count, w->edges.items, w->edges.count, any, free_nodes};
    return ouro_task_deadlocks_find(w->tasks, &graph);
}

static enum ouro_status find_waits(struct waits *w)
{
    find_selected(w);
    add_waiters(w);
    add_futures(w);
    add_others(w);
    add_holders(w);
    if (w->failed)
        return OURO_NOMEM;
    OURO_TRY(ouro_csr_build(&w->csr, (ouro_node)(task_count(w) + w->points.count), w->edges.items, w->edges.count));
    find_holders(w);
    OURO_TRY(w->failed ? OURO_NOMEM : OURO_OK);
    OURO_TRY(read_tasks(w));
    OURO_TRY(turn_round(w->tasks));
    return find_deadlocks(w);
}

enum ouro_status ouro_task_waits_find(struct ouro_tasks *tasks)
{
    struct waits w = {.tasks = tasks, .model = tasks->stacks->model, .async = &tasks->async};
    ouro_leads_init(&w.leads, &tasks->async);
    enum ouro_status status = find_waits(&w);
    ouro_leads_fini(&w.leads);
    ouro_map_fini(&w.points_by_node);
    ouro_map_fini(&w.handles);
    free(w.points.items);
    free(w.edges.items);
    ouro_csr_fini(&w.csr);
    return status;
}
