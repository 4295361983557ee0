#include "async_heap.h"

static uint32_t shape(struct tiny *tiny, const char *module, const char *name, unsigned value_kind, const char *const *fields, unsigned kind)
{
    struct ouro_part parts[12] = {{0}};
    size_t count = 0;
    for (; *fields; fields++)
        parts[count++] = (struct ouro_part){.kind = OURO_PART_FIELD, .name = tiny_string(tiny, *fields)};
    parts[count++].kind = (uint8_t)kind;
    parts[count].kind = OURO_PART_KIND_COUNT;
    return tiny_shape(tiny, tiny_type(tiny, module, name, OURO_TYPE_GC, value_kind), parts);
}
#define NONE OURO_PART_KIND_COUNT
#define SHAPE(module, name, kind, last, ...) \
    shape(tiny, module, name, kind, (const char *const[]){__VA_ARGS__ NULL}, last)

void async_heap_begin(struct async_heap *heap, struct tiny *tiny, enum ouro_codec codec)
{
    tiny_begin_with(tiny, codec);
    heap->task = SHAPE("_asyncio", "Task", OURO_VALUE_NONE, NONE, ".+0x80", "._coro", ".+0x78", "._fut_waiter", "._loop", ".+0x18",
                 ".+0x20", ".+0x28", );
    heap->future = SHAPE("_asyncio", "Future", OURO_VALUE_NONE, NONE, "._loop", ".+0x18", ".+0x20", ".+0x28", );
    heap->wakeup = SHAPE("_asyncio", "TaskWakeupMethWrapper", OURO_VALUE_NONE, NONE, ".__self__", );
    heap->coroutine = SHAPE("builtins", "coroutine", OURO_VALUE_NONE, OURO_PART_STACK, "__name__", "f_func", "f_code", );
    heap->context = SHAPE("_contextvars", "Context", OURO_VALUE_NONE, NONE, );
    heap->list = SHAPE("builtins", "list", OURO_VALUE_NONE, OURO_PART_ITEMS, );
    heap->tuple = SHAPE("builtins", "tuple", OURO_VALUE_NONE, OURO_PART_ITEMS, );
    heap->deque = SHAPE("collections", "deque", OURO_VALUE_NONE, OURO_PART_ITEMS, );
    heap->function = SHAPE("builtins", "function", OURO_VALUE_NAME, NONE, "__code__", "__closure__", );
    heap->method = SHAPE("builtins", "method", OURO_VALUE_NONE, NONE, "__func__", "__self__", );
    heap->code = SHAPE("builtins", "code", OURO_VALUE_NAME, NONE, "co_names", "co_name", );
    heap->cell = SHAPE("builtins", "cell", OURO_VALUE_NONE, NONE, "cell_contents", );
    heap->text = SHAPE("builtins", "str", OURO_VALUE_STR, NONE, );
    heap->lock = SHAPE("asyncio.locks", "Lock", OURO_VALUE_NONE, NONE, "._waiters", "._locked", );
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

void async_heap_random(struct tiny *tiny, uint64_t seed, unsigned count, enum ouro_codec codec)
{
    struct async_heap h;
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) + seed;
    async_heap_begin(&h, tiny, codec);
    const uint32_t shapes[] = {h.task,     h.task,  h.future, h.wakeup, h.coroutine, h.context, h.list,
                               h.function, h.tuple, h.cell,   h.lock,   h.deque,     h.method,  h.code};
    const unsigned fields[] = {8, 8, 4, 1, 3, 0, 0, 2, 0, 1, 2, 0, 2, 2};
    for (unsigned i = 0; i < count; i++) {
        size_t kind = next_random(&state) % (sizeof shapes / sizeof *shapes);
        uint32_t of = shapes[kind];
        bool repeats = of == h.coroutine || of == h.list || of == h.tuple || of == h.deque;
        unsigned run = repeats ? next_random(&state) % 5 : 0;
        ouro_node slots[16];
        tiny_object(tiny, of, 64, 1, 0);
        if (repeats)
            tiny_count(tiny, run);
        for (unsigned k = 0; k < fields[kind] + run; k++)
            slots[k] = next_random(&state) % 8 ? (ouro_node)(next_random(&state) % count) : OURO_NODE_NONE;
        tiny_slots(tiny, slots, fields[kind] + run);
    }
}
