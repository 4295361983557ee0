/* asyncio's objects in a heap: which of them a type stands for, their attributes, and the callbacks of futures. Types are told by module and name, their own or of a class that they derive from: those of the
 * standard library only, never a program's. */
#ifndef OURO_ANALYSIS_ASYNC_OBJECTS_H
#define OURO_ANALYSIS_ASYNC_OBJECTS_H

#include "analysis/heap_model.h"

enum ouro_async_kind {
    OURO_ASYNC_FUTURE = 1 << 0, /* tasks included */
    OURO_ASYNC_TASK = 1 << 1,
    OURO_ASYNC_CONCURRENT = 1 << 2, /* concurrent.futures.Future */
    OURO_ASYNC_HANDLE = 1 << 3,     /* timers included */
    OURO_ASYNC_TIMER = 1 << 4,
    OURO_ASYNC_QUEUE = 1 << 5,
    OURO_ASYNC_LOCK = 1 << 6,
    OURO_ASYNC_EVENT = 1 << 7,
    OURO_ASYNC_CONDITION = 1 << 8,
    OURO_ASYNC_SEMAPHORE = 1 << 9,
    OURO_ASYNC_COROUTINE = 1 << 10, /* and generators of both kinds: what has a frame of its own */
    OURO_ASYNC_WRAPPER = 1 << 11,   /* an awaitable around a coroutine or future */
    OURO_ASYNC_METHOD = 1 << 12,    /* of any kind: has __self__ */
    OURO_ASYNC_PARTIAL = 1 << 13,
    OURO_ASYNC_FUNCTION = 1 << 14,
    OURO_ASYNC_TUPLE = 1 << 15,
    OURO_ASYNC_LIST = 1 << 16, /* deque, set and dict included: one more step to whom it belongs */
    OURO_ASYNC_CELL = 1 << 17,
    OURO_ASYNC_CONTEXT = 1 << 18,
    OURO_ASYNC_CANCELLED = 1 << 19, /* CancelledError */
    OURO_ASYNC_WORK_ITEM = 1 << 20, /* of an executor of threads */
    OURO_ASYNC_TIMEOUT = 1 << 21,   /* asyncio.timeout() */
    OURO_ASYNC_WAKEUP = 1 << 22,    /* _asyncio's own callables: TaskWakeupMethWrapper, ... */
    OURO_ASYNC_READER = 1 << 23,    /* asyncio.StreamReader */
    OURO_ASYNC_FRAME = 1 << 24,     /* frame objects and pseudo frames */
    OURO_ASYNC_CODE = 1 << 25,
    OURO_ASYNC_LOOP = 1 << 26,
};
/* What tasks wait at, with a container of futures in it. */
#define OURO_ASYNC_PRIMITIVE                                                                                           \
    (OURO_ASYNC_QUEUE | OURO_ASYNC_LOCK | OURO_ASYNC_EVENT | OURO_ASYNC_CONDITION | OURO_ASYNC_SEMAPHORE)

struct ouro_async {
    const struct ouro_heap_model *model; /* borrowed */
    uint32_t *kinds;                     /* owned; by type */
};

/* The columns that it needs. */
#define OURO_ASYNC_COLUMNS (OURO_HEAP_ADDR | OURO_HEAP_SHAPE | OURO_HEAP_FLAGS | OURO_HEAP_SLOTS | OURO_HEAP_VALUES)

/* OURO_NOMEM. 4 bytes a type. */
enum ouro_status ouro_async_init(struct ouro_async *async, const struct ouro_heap_model *model);
void ouro_async_fini(struct ouro_async *async);

/* Bits of enum ouro_async_kind; 0 of OURO_NODE_NONE, too. */
static inline uint32_t ouro_async_kind(const struct ouro_async *async, ouro_node node)
{
    if (node >= async->model->heap.count)
        return 0;
    uint32_t type = ouro_heap_model_type(async->model, node);
    return type < async->model->type_count ? async->kinds[type] : 0;
}

/* An instance's attribute: of a slot or an inline value, else of its __dict__. OURO_NODE_NONE: not there. name without a dot.
 * Of a __dict__ so many entries are looked at. */
#define OURO_ASYNC_ATTRIBUTES_MAX 1024
ouro_node ouro_async_attribute(const struct ouro_async *async, ouro_node node, const char *name);
/* The name of the object's attribute that this slot holds, without its dot, or NULL. Borrowed. */
const unsigned char *ouro_async_slot_name(const struct ouro_async *async, const struct ouro_slot *slot, size_t *size);
/* The first slot that holds anything but the type. */
ouro_node ouro_async_content(const struct ouro_async *async, ouro_node node);
/* Whether it is a str (or what else has a text) of just these characters; of a bool whether it is true. */
bool ouro_async_is_text(const struct ouro_async *async, ouro_node node, const char *text);
bool ouro_async_is_true(const struct ouro_async *async, ouro_node node);
/* A small int's value; `otherwise` when it is none. */
int64_t ouro_async_int(const struct ouro_async *async, ouro_node node, int64_t otherwise);
/* Whether the code object names that attribute, method or global (co_names); of OURO_NODE_NONE false. */
bool ouro_async_code_names(const struct ouro_async *async, ouro_node code, const unsigned char *name, size_t size);
/* The i-th of a tuple, in Python's order; OURO_NODE_NONE behind its end. */
ouro_node ouro_async_tuple_item(const struct ouro_async *async, ouro_node tuple, uint64_t i);
uint64_t ouro_async_tuple_size(const struct ouro_async *async, ouro_node tuple);

/* --- Futures of all kinds. */
/* Calls visit for each done-callback, and for each task that 3.14's awaited_by names (is_awaiter), until it says false. */
typedef bool ouro_async_visit(void *context, ouro_node node, bool is_awaiter);
void ouro_async_each_callback(const struct ouro_async *async, ouro_node future, ouro_async_visit *visit, void *context);
/* Of a future that is done: whether it has a result or an exception; it was cancelled otherwise. */
bool ouro_async_has_outcome(const struct ouro_async *async, ouro_node future);
/* A task's name, a str or the number behind "Task-" (3.13 on), or OURO_NODE_NONE. */
ouro_node ouro_async_task_name(const struct ouro_async *async, ouro_node task);

#endif
