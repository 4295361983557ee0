#include "capture/budget.h"

#include "target/available.h"

#define MIB              (UINT64_C(1) << 20)
#define BASE_BYTES       (6 * MIB)  /* types, shapes, names, libraries, beside what the process has already; and a part of the pages */
#define BASE_MORE_BYTES  (30 * MIB) /* up to this: large programs have thousands of types */
#define THREAD_BYTES     (3 * MIB)  /* a stack of things to visit, a sandbox; and a part for columns and compressed blocks of a chunk */
#define THREAD_MORE_BYTES (8 * MIB)
#define PART             16u
#define SURPRISE_BYTES   (12 * MIB) /* what learning about one type in a sandbox may take for a moment, among others */
#define TEXTS_BYTES      (32 * MIB) /* of a thread, where texts are written whole: a chunk of them, and its blocks */
#define TEXT_BYTES       (48 * MIB) /* the longest text that is written (emit.h), and its blocks */
#define OBJECT_BYTES     32u        /* of an object at least, in most programs */
#define TRACKED_BYTES    64u        /* of one that is tracked, with its head */

struct needs {
    uint64_t fixed;     /* in any case */
    uint64_t marking, emission; /* beside the window */
    uint64_t plain;     /* all, without one */
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void count_needs(struct needs *needs, const struct ouro_budget_request *request, unsigned threads, uint64_t resident)
{
    const uint64_t pages = request->copy_bytes + request->copy_bytes / 50 + MIB; /* it may grow until it is stopped */
    const uint64_t part = pages / PART, thread = THREAD_BYTES + smaller(part, THREAD_MORE_BYTES);
    const uint64_t index = pages / 341 + MIB, lists = request->spooled ? 0 : pages / TRACKED_BYTES * 8;
    needs->fixed = resident + BASE_BYTES + smaller(4 * part, BASE_MORE_BYTES) + index + threads * thread;
    if (request->whole_values)
        needs->fixed += TEXT_BYTES + threads * TEXTS_BYTES;
    needs->marking = needs->fixed + 2 * (pages / 64) + 2 * (pages / 128) + lists;
    needs->emission = needs->fixed + pages / 64 + pages / 512 + pages / 128 + pages / OBJECT_BYTES / 2 + lists;
    needs->plain = needs->fixed + pages + pages / 32 + pages / 64 + pages / 128 + pages / TRACKED_BYTES * 8;
}

static uint64_t reserve_of(uint64_t limit)
{
    return larger(limit / 16, SURPRISE_BYTES);
}

/* The least limit that is enough for one thread. */
static uint64_t least_limit(const struct ouro_budget_request *request, uint64_t resident)
{
    struct needs needs;
    count_needs(&needs, request, 1, resident);
    uint64_t most = larger(needs.marking, needs.emission) + OURO_WINDOW_BYTES_MIN - request->copy_bytes / 64;
    uint64_t limit = most + most / 15;
    return larger(limit, most + reserve_of(0)) + 2 * MIB; /* the next time it may take a little more */
}

enum ouro_status ouro_budget_plan(struct ouro_budget *budget, const struct ouro_budget_request *request, struct ouro_err *err)
{
    const uint64_t resident = ouro_resident_bytes(), available = ouro_available_bytes();
    struct needs needs;
    budget->limit_bytes = request->limit_bytes     ? request->limit_bytes
                          : available < UINT64_MAX ? available / 4 * 3
                                                   : UINT64_MAX / 2;
    budget->most_bytes = budget->limit_bytes + request->copy_bytes / 64;
    budget->reserve_bytes = reserve_of(budget->limit_bytes);
    budget->thread_count = request->thread_count;
    budget->window_bytes = 0;
    count_needs(&needs, request, request->thread_count, resident);
    if (needs.plain <= budget->most_bytes || (!request->limit_bytes && !ouro_window_is_possible()))
        return OURO_OK;
    if (!ouro_window_is_possible())
        return ouro_err_set(err, OURO_UNSUPPORTED, "memory can't be limited here: nobody catches the faults of a window");
    /* Rather fewer threads than a window of less than a quarter. */
    const uint64_t wanted = larger(budget->limit_bytes / 4, budget->reserve_bytes + OURO_WINDOW_BYTES_MIN);
    while (budget->thread_count > 1 && larger(needs.marking, needs.emission) + wanted > budget->most_bytes)
        count_needs(&needs, request, --budget->thread_count, resident);
    const uint64_t taken = larger(needs.marking, needs.emission) + budget->reserve_bytes;
    if (taken + OURO_WINDOW_BYTES_MIN <= budget->most_bytes) {
        budget->window_bytes = budget->most_bytes - taken;
        return OURO_OK;
    }
    const unsigned long long least = (least_limit(request, resident) + MIB - 1) / MIB, copy = request->copy_bytes / MIB,
                             limit = budget->limit_bytes / MIB;
    if (!request->limit_bytes)
        return ouro_err_set(err, OURO_LIMIT, "too little memory is available: of %llu MiB at least %lluM would have to be taken for a process "
                            "of %llu MiB (--memory %lluM insists)", limit / 3 * 4, least, copy, least);
    return ouro_err_set(err, OURO_LIMIT, "--memory %lluM: at least %lluM is needed for a process of %llu MiB", limit, least, copy);
}

static void follow(void *context, size_t more)
{
    const struct ouro_budget *budget = context;
    const uint64_t resident = ouro_resident_bytes(), there = ouro_window_there_bytes(budget->window);
    const uint64_t others = more + (resident > there ? resident - there : 0);
    const uint64_t most = budget->most_bytes > budget->reserve_bytes ? budget->most_bytes - budget->reserve_bytes : 0;
    ouro_window_resize(budget->window, others + OURO_WINDOW_BYTES_MIN < most ? most - others : OURO_WINDOW_BYTES_MIN);
}

void ouro_budget_pace(struct ouro_budget *budget, struct ouro_window *window)
{
    budget->window = window;
    ouro_window_set_pace(window, follow, budget);
}
