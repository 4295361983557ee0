#include "capture/walk_worker.h"

#include <stdlib.h>

#include "capture/walk_bits.h"
#include "cpython/check.h"
#include "cpython/dict.h"
#include "target/window.h"

#define STACK_ITEMS 65536u      /* of each thread; what does not fit waits in `todo` */
#define REGION_WORDS 4096u      /* of `todo` that a thread takes at a time: 2 MiB of image */
#define FOLLOW_VISITS 2048u     /* how often the window follows the budget */

/* Who is the first to mark it sees to it that it is visited. */
static void mark_object(struct ouro_walk_worker *worker, ouro_addr target, uint64_t offset)
{
    struct ouro_walk *walk = worker->walk;
    const uint64_t bit = ouro_walk_bit(offset);
    const unsigned char *head = (offset & (OURO_PAGE_BYTES - 1)) <= OURO_PAGE_BYTES - 16
                                    ? walk->image->bytes + offset
                                    : ouro_image_at(walk->image, target, 16);
    struct ouro_type *type =
        head ? ouro_type_cached(walk->python, &worker->types, ouro_load_u64(head + walk->python->layout->ob_type)) : NULL;
    if (!type) {
        ouro_python_count_unreadable(walk->python, head ? OURO_UNREADABLE_TYPE : OURO_UNREADABLE_OBJECT);
        return;
    }
    if (!ouro_walk_set_bit(walk->marked, bit))
        return;
    if (walk->bounded)
        __atomic_fetch_and(&walk->todo[bit >> 6], ~(UINT64_C(1) << (bit & 63)), __ATOMIC_RELAXED);
    if (!type->op_count)
        return;
    if (worker->stack_count < STACK_ITEMS) {
        worker->stack[worker->stack_count++] = (struct ouro_walk_pending){target, type};
    } else {
        ouro_walk_set_bit(walk->todo, bit);
        __atomic_store_n(worker->overflowed, true, __ATOMIC_RELAXED);
    }
}

void ouro_walk_worker_mark(struct ouro_walk_worker *worker, ouro_addr target)
{
    struct ouro_walk *walk = worker->walk;
    uint64_t offset = ouro_image_offset(walk->image, target);
    if (offset == UINT64_MAX || offset & 7) {
        ouro_python_count_unreadable(walk->python, target & 7 ? OURO_UNREADABLE_ALIGN : OURO_UNREADABLE_ADDRESS);
        return;
    }
    uint64_t bit = ouro_walk_bit(offset);
    if (__atomic_load_n(&walk->marked[bit >> 6], __ATOMIC_RELAXED) >> (bit & 63) & 1)
        return;
    if (walk->bounded && !ouro_window_has(walk->image->window, offset)) { /* looked at when its region's turn comes */
        ouro_walk_set_bit(walk->todo, bit);
        __atomic_store_n(worker->overflowed, true, __ATOMIC_RELAXED);
        return;
    }
    mark_object(worker, target, offset);
}

static void mark_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct ouro_walk_worker *worker = context;
    for (size_t i = 0; i < count; i++)
        if (targets[i])
            ouro_walk_worker_mark(worker, targets[i]);
}

static void note(struct ouro_walk *walk, ouro_addr addr, bool *fresh)
{
    uint64_t offset = ouro_image_offset(walk->image, addr);
    *fresh = false;
    if (offset == UINT64_MAX)
        return;
    uint64_t cell = ouro_walk_cell(ouro_walk_bit(offset));
    if (!(__atomic_load_n(&walk->noted[cell >> 6], __ATOMIC_RELAXED) >> (cell & 63) & 1))
        *fresh = ouro_walk_set_bit(walk->noted, cell);
}

static void note_key(void *context, ouro_addr key, bool of_namespace)
{
    struct ouro_walk_worker *worker = context;
    bool fresh;
    if (of_namespace || !worker->walk->names_only)
        note(worker->walk, key, &fresh);
}

/* Its keys are attribute names: noted at once, for the dict itself may have been visited before anybody knew that. */
static void note_namespace(void *context, ouro_addr dict)
{
    struct ouro_walk_worker *worker = context;
    struct ouro_walk *walk = worker->walk;
    const struct ouro_layout *layout = walk->python->layout;
    bool fresh;
    note(walk, dict, &fresh);
    if (!fresh || !walk->names_only)
        return;
    struct ouro_keys keys;
    if (!ouro_keys_read(walk->python, ouro_python_word(walk->python, dict + (ouro_addr)layout->dict_keys), &keys))
        return;
    for (uint64_t i = 0; i < keys.entry_count; i++)
        if (ouro_keys_key(&keys, i))
            note(walk, ouro_keys_key(&keys, i), &fresh);
}

static bool noted(void *context, ouro_addr dict)
{
    struct ouro_walk_worker *worker = context;
    return ouro_walk_noted(worker->walk, dict);
}

/* Compares an object of each type, or some, with what the type's own code says. */
static void check(struct ouro_walk_worker *worker, const struct ouro_type *type, ouro_addr object)
{
    struct ouro_walk *walk = worker->walk;
    struct ouro_type *own = (struct ouro_type *)type;
    if (__atomic_fetch_add(&own->checks, 1, __ATOMIC_RELAXED) >= walk->checks_per_type ||
        (type->how != OURO_HOW_NATIVE && type->how != OURO_HOW_LEARNED) || !type->gc)
        return;
    enum ouro_check result = ouro_check_object(&worker->visitor, type, object);
    __atomic_fetch_add(&walk->checked_count, 1, __ATOMIC_RELAXED);
    if (result == OURO_CHECK_IMPOSSIBLE)
        __atomic_fetch_add(&walk->impossible_count, 1, __ATOMIC_RELAXED);
    else if (result == OURO_CHECK_DIFFERS && !__atomic_exchange_n(&own->disagreed, true, __ATOMIC_RELAXED))
        __atomic_fetch_add(&walk->disagreed_count, 1, __ATOMIC_RELAXED);
}

/* The file that it is from is kept as whole as a key: stacks are told by it. */
static void note_file(struct ouro_walk_worker *worker, ouro_addr code)
{
    const struct ouro_walk *walk = worker->walk;
    if (!walk->names_only)
        note_key(worker, ouro_python_word(walk->python, code + (ouro_addr)walk->python->layout->code_filename), false);
}

static inline void visit(struct ouro_walk_worker *worker, const struct ouro_type *type, ouro_addr object)
{
    if (__builtin_expect(type->named == OURO_NAMED_CODE, 0))
        note_file(worker, object);
    if (__builtin_expect(__atomic_load_n(&type->checks, __ATOMIC_RELAXED) < worker->walk->checks_per_type, 0))
        check(worker, type, object);
    ouro_visit(&worker->visitor, type, object);
    if (__builtin_expect(worker->walk->bounded && ++worker->visit_count % FOLLOW_VISITS == 0, 0))
        ouro_window_make_room(worker->walk->image->window, 0);
}

void ouro_walk_worker_drain(struct ouro_walk_worker *worker)
{
    while (worker->stack_count) {
        struct ouro_walk_pending next = worker->stack[--worker->stack_count];
        visit(worker, next.type, next.addr);
    }
}

void ouro_walk_worker_visit(struct ouro_walk_worker *worker, uint64_t bit)
{
    struct ouro_walk *walk = worker->walk;
    ouro_addr addr = ouro_image_addr(walk->image, bit << 3);
    if (walk->bounded && !(__atomic_load_n(&walk->marked[bit >> 6], __ATOMIC_RELAXED) >> (bit & 63) & 1)) {
        mark_object(worker, addr, bit << 3);
        ouro_walk_worker_drain(worker);
        return;
    }
    struct ouro_type *type = ouro_type_cached(
        walk->python, &worker->types, ouro_python_word(walk->python, addr + (ouro_addr)walk->python->layout->ob_type));
    if (type && type->op_count)
        visit(worker, type, addr);
    ouro_walk_worker_drain(worker);
}

static void *sweep(void *argument)
{
    struct ouro_walk_worker *worker = argument;
    struct ouro_walk *walk = worker->walk;
    for (;;) {
        size_t start = __atomic_fetch_add(worker->next_region, REGION_WORDS, __ATOMIC_RELAXED);
        if (start >= walk->word_count || ouro_walk_cancelled(walk))
            return NULL;
        if (*worker->backward)
            start = (walk->word_count - 1) / REGION_WORDS * REGION_WORDS - start;
        size_t end = start + REGION_WORDS < walk->word_count ? start + REGION_WORDS : walk->word_count;
        for (size_t i = start; i < end; i++) {
            if (!__atomic_load_n(&walk->todo[i], __ATOMIC_RELAXED))
                continue;
            uint64_t word = __atomic_exchange_n(&walk->todo[i], 0, __ATOMIC_RELAXED);
            for (; word; word &= word - 1)
                ouro_walk_worker_visit(worker, (uint64_t)i << 6 | (unsigned)__builtin_ctzll(word));
        }
    }
}

enum ouro_status ouro_walk_worker_init(struct ouro_walk_worker *worker, struct ouro_walk *walk, size_t *next_region,
                                       bool *overflowed, bool *backward)
{
    worker->walk = walk;
    worker->next_region = next_region;
    worker->overflowed = overflowed;
    worker->backward = backward;
    worker->stack = malloc(STACK_ITEMS * sizeof *worker->stack);
    worker->visitor.python = walk->python;
    worker->visitor.context = worker;
    worker->visitor.slots = mark_slots;
    worker->visitor.key = note_key;
    worker->visitor.namespace_dict = note_namespace;
    worker->visitor.is_namespace = noted;
    return worker->stack ? OURO_OK : OURO_NOMEM;
}

void ouro_walk_worker_fini(struct ouro_walk_worker *worker)
{
    free(worker->stack);
}

enum ouro_status ouro_walk_sweep(struct ouro_walk *walk, struct ouro_walk_worker *workers)
{
    do {
        pthread_t threads[64];
        unsigned started = 0;
        *workers[0].next_region = 0;
        *workers[0].overflowed = false;
        for (unsigned i = 1; i < walk->thread_count; i++) {
            if (pthread_create(&threads[started], NULL, sweep, &workers[i]) != 0)
                break; /* fewer hands do the same work */
            started++;
        }
        sweep(&workers[0]);
        for (unsigned i = 0; i < started; i++)
            pthread_join(threads[i], NULL);
        if (ouro_walk_cancelled(walk))
            return OURO_CANCELLED;
        *workers[0].backward = walk->bounded && !*workers[0].backward; /* chains lead either way */
    } while (*workers[0].overflowed);
    return OURO_OK;
}
