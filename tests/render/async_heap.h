/* Types of asyncio for tiny snapshots, and heaps in which objects of them refer to each other at random. */
#ifndef OURO_TESTS_ASYNC_HEAP_H
#define OURO_TESTS_ASYNC_HEAP_H

#include "../analysis/tiny.h"

/* Shapes, with their fields in order. */
struct async_heap {
    uint32_t task;      /* context, coroutine, name, waiter, loop, callback, its context, list of callbacks */
    uint32_t future;    /* loop, callback, its context, list of callbacks */
    uint32_t wakeup;    /* task */
    uint32_t coroutine; /* name, function, code, value stack */
    uint32_t context, list, tuple, deque;
    uint32_t function;  /* code, closure */
    uint32_t method;    /* function, self */
    uint32_t code;      /* names, name */
    uint32_t cell, text;
    uint32_t lock;      /* waiters, whether it is locked */
};

void async_heap_begin(struct async_heap *heap, struct tiny *tiny, enum ouro_codec codec);
/* Begins and adds the objects; the file is not committed. */
void async_heap_random(struct tiny *tiny, uint64_t seed, unsigned count, enum ouro_codec codec);

#endif
