#include "capture/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/walk_bits.h"
#include "capture/walk_lists.h"
#include "capture/walk_roots.h"
#include "capture/walk_worker.h"
#include "target/window.h"

#define BASES_MAX  64u
#define ROUNDS_MAX 16 /* of marking, each without the visitors that the one before found wrong */

/* The types that were met, and what they are derived from: a base without an object of its own is told too, or a chain
 * of bases would end in front of it. */
static enum ouro_status mark_types(struct ouro_walk *walk, struct ouro_walk_worker *workers, size_t *done)
{
    while (*done < walk->python->type_list.count) {
        for (; *done < walk->python->type_list.count; ++*done) {
            const struct ouro_type *type = walk->python->type_list.items[*done];
            ouro_walk_worker_mark(&workers[0], type->addr);
            ouro_type_get(walk->python, type->base);
        }
        ouro_walk_worker_drain(&workers[0]);
        OURO_TRY(ouro_walk_sweep(walk, workers));
    }
    return OURO_OK;
}

static bool add_bit(struct ouro_walk_added *added, uint64_t bit)
{
    if (added->count == added->capacity &&
        !ouro_vec_grow((void **)&added->bits, &added->capacity, sizeof *added->bits))
        return false;
    added->bits[added->count++] = bit;
    return true;
}

static int by_bit(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

struct noting {
    struct ouro_walk *walk;
    struct ouro_walk_added *added;
    bool failed;
};

static void add_bits(void *context, const ouro_addr *items, size_t count)
{
    struct noting *noting = context;
    for (size_t i = 0; i < count && !noting->failed; i++)
        noting->failed = !add_bit(noting->added, ouro_walk_bit(ouro_image_offset(noting->walk->image, items[i])));
}

/* What an interpreter tracks is its own, whoever was found to refer to it first. */
static enum ouro_status note_tracked(struct ouro_walk *walk, size_t interpreter)
{
    struct ouro_walk_added *added = &walk->added[walk->added_count++];
    const uint64_t id = walk->python->interpreters[interpreter].id;
    struct noting noting = {.walk = walk, .added = added};
    added->interpreter = interpreter;
    for (size_t l = 0; l < walk->tracked.count; l++) {
        const struct ouro_tracked *tracked = &walk->tracked.items[l];
        if (tracked->interpreter == id)
            OURO_TRY(ouro_walk_each_tracked(walk, tracked, add_bits, &noting));
        if (noting.failed)
            return OURO_NOMEM;
    }
    if (added->count)
        qsort(added->bits, added->count, sizeof *added->bits, by_bit);
    return OURO_OK;
}

/* The rest that an interpreter's walk found first. */
static enum ouro_status note_added(struct ouro_walk *walk, size_t interpreter, const uint64_t *before)
{
    struct ouro_walk_added *added = &walk->added[walk->added_count++];
    added->interpreter = interpreter;
    for (size_t i = 0; i < walk->word_count; i++)
        for (uint64_t word = walk->marked[i] & ~before[i]; word; word &= word - 1)
            if (!add_bit(added, (uint64_t)i << 6 | (unsigned)__builtin_ctzll(word)))
                return OURO_NOMEM;
    return OURO_OK;
}

static enum ouro_status mark_interpreter(struct ouro_walk *walk, struct ouro_walk_worker *workers,
                                         const struct ouro_interpreter *interpreter, bool later, size_t *types_done)
{
    if (later)
        OURO_TRY(ouro_walk_take_up_tracked(walk, interpreter));
    for (unsigned i = 0; i < walk->thread_count; i++)
        workers[i].visitor.interpreter = (size_t)(interpreter - walk->python->interpreters);
    ouro_walk_add_roots(walk, &workers[0], interpreter);
    ouro_walk_worker_drain(&workers[0]);
    OURO_TRY(ouro_walk_sweep(walk, workers));
    OURO_TRY(mark_types(walk, workers, types_done));
    return walk->out_of_memory ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status mark_all(struct ouro_walk *walk, struct ouro_walk_worker *workers)
{
    struct ouro_python *python = walk->python;
    size_t types_done = 0;
    size_t bytes = walk->word_count * sizeof *walk->marked;
    uint64_t *before = NULL;
    bool collecting = false;
    enum ouro_status status = OURO_OK;
    if (python->interpreter_count > 1) {
        before = malloc(bytes);
        walk->added = calloc(2 * python->interpreter_count, sizeof *walk->added);
        if (!before || !walk->added)
            status = OURO_NOMEM;
    }
    /* All lists first: who tracks an object is known before anybody's walk reaches it. */
    for (size_t i = 0; i < python->interpreter_count && status == OURO_OK; i++) {
        status = ouro_walk_list_tracked(walk, &python->interpreters[i], workers, i > 0);
        struct ouro_gc_state state;
        collecting = collecting || (ouro_state_gc(python, &python->interpreters[i], &state) && state.collecting);
    }
    if (status == OURO_OK && (collecting || (walk->torn && walk->broken_count)))
        status = ouro_walk_complete_tracked(walk, workers);
    for (size_t i = 0; before && i < python->interpreter_count && status == OURO_OK; i++)
        status = note_tracked(walk, i);
    for (size_t i = 0; i < python->interpreter_count && status == OURO_OK; i++) {
        if (before)
            memcpy(before, walk->marked, bytes);
        status = mark_interpreter(walk, workers, &python->interpreters[i], i > 0, &types_done);
        if (status == OURO_OK && i)
            status = note_added(walk, i, before);
    }
    free(before);
    if (status == OURO_OK)
        ouro_walk_add_static_types(walk);
    return walk->out_of_memory ? OURO_NOMEM : status;
}

enum ouro_status ouro_walk_choose(struct ouro_walk *walk, const struct ouro_walk_choice *items, size_t count,
                                  struct ouro_err *err)
{
    walk->limited = true;
    walk->shallow = ouro_walk_map_bits(walk, walk->word_count, sizeof *walk->shallow);
    if (!walk->shallow)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the walk");
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = ouro_image_offset(walk->image, items[i].addr);
        const struct ouro_type *type = ouro_type_get(
            walk->python, ouro_python_word(walk->python, items[i].addr + (ouro_addr)walk->python->layout->ob_type));
        if (offset == UINT64_MAX || !type)
            continue;
        for (unsigned depth = 0; type->base && depth < BASES_MAX && (type = ouro_type_get(walk->python, type->base)); depth++)
            continue; /* what it is derived from is told too */
        ouro_walk_set_bit(walk->marked, ouro_walk_bit(offset));
        if (items[i].shallow)
            ouro_walk_set_bit(walk->shallow, ouro_walk_bit(offset));
        if (items[i].noted)
            ouro_walk_set_bit(walk->noted, ouro_walk_cell(ouro_walk_bit(offset)));
    }
    for (size_t i = 0; i < walk->python->interpreter_count; i++)
        ouro_walk_add_roots(walk, NULL, &walk->python->interpreters[i]);
    return walk->out_of_memory ? ouro_err_set(err, OURO_NOMEM, "no memory for the walk") : OURO_OK;
}

static void forget_roots(struct ouro_walk *walk)
{
    for (size_t i = 0; i < walk->tracked.count; i++)
        ouro_tracked_release(&walk->tracked.items[i]);
    for (size_t i = 0; i < walk->pseudo.count; i++)
        free(walk->pseudo.items[i].name);
    for (size_t i = 0; i < walk->fields.count; i++)
        free(walk->fields.items[i].label);
    for (size_t i = 0; i < walk->added_count; i++)
        free(walk->added[i].bits);
    free(walk->added);
    walk->added = NULL;
    walk->collections.count = walk->tracked.count = walk->pseudo.count = walk->fields.count = walk->added_count = 0;
}

/* Makes everything as before the first mark, with the types that were found wrong no longer trusted. */
static enum ouro_status start_again(struct ouro_walk *walk)
{
    size_t bytes = walk->word_count * sizeof *walk->marked;
    forget_roots(walk);
    memset(walk->marked, 0, bytes);
    memset(walk->todo, 0, bytes);
    memset(walk->noted, 0, bytes / 2);
    walk->spool_end = 0;
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        walk->python->unreadable[i] = 0;
    for (size_t i = 0; i < walk->python->type_list.count; i++) {
        struct ouro_type *type = walk->python->type_list.items[i];
        if (type->disagreed && type->how != OURO_HOW_INTERPRETED && !ouro_type_distrust(walk->python, type))
            return OURO_NOMEM;
    }
    walk->disagreed_count = walk->broken_count = 0;
    return OURO_OK;
}

enum ouro_status ouro_walk_mark(struct ouro_walk *walk, struct ouro_err *err)
{
    struct ouro_walk_worker *workers = calloc(walk->thread_count, sizeof *workers);
    size_t next_region = 0;
    bool overflowed = false, backward = false;
    enum ouro_status status = workers ? OURO_OK : OURO_NOMEM;
    for (unsigned i = 0; workers && i < walk->thread_count && status == OURO_OK; i++)
        status = ouro_walk_worker_init(&workers[i], walk, &next_region, &overflowed, &backward);
    if (status == OURO_OK)
        status = mark_all(walk, workers);
    for (unsigned round = 1; status == OURO_OK && walk->disagreed_count && round < ROUNDS_MAX; round++) {
        status = start_again(walk);
        if (status == OURO_OK)
            status = mark_all(walk, workers);
    }
    for (unsigned i = 0; workers && i < walk->thread_count; i++)
        ouro_walk_worker_fini(&workers[i]);
    free(workers);
    if (status == OURO_SYS)
        return ouro_err_sys(err, walk->spool_errno, "can't write the collector's lists beside the snapshot");
    if (status == OURO_NOMEM)
        return ouro_err_set(err, status, "no memory for the walk");
    if (ouro_window_failed(walk->image->window))
        return ouro_window_check(walk->image->window, err);
    return status == OURO_CANCELLED ? ouro_err_set(err, status, "cancelled") : status;
}

enum ouro_status ouro_walk_init(struct ouro_walk *walk, struct ouro_python *python, unsigned thread_count,
                                bool names_only, const volatile sig_atomic_t *cancel, struct ouro_err *err)
{
    memset(walk, 0, sizeof *walk);
    walk->python = python;
    walk->image = python->image;
    walk->thread_count = thread_count < 1 ? 1 : thread_count > 64 ? 64 : thread_count;
    walk->names_only = names_only;
    walk->checks_per_type = OURO_WALK_CHECKS;
    walk->cancel = cancel;
    walk->bounded = walk->image->window != NULL;
    walk->spool = -1;
    walk->word_count = (size_t)python->image->page_count * (OURO_PAGE_BYTES / 8 / 64);
    walk->marked = ouro_walk_map_bits(walk, walk->word_count, sizeof *walk->marked);
    walk->todo = ouro_walk_map_bits(walk, walk->word_count, sizeof *walk->todo);
    walk->noted = ouro_walk_map_bits(walk, ouro_walk_cell_words(walk), sizeof *walk->noted);
    if (!walk->marked || !walk->todo || !walk->noted)
        return ouro_err_sys(err, ENOMEM, "no memory for the marks of %u pages", python->image->page_count);
    return OURO_OK;
}

void ouro_walk_fini(struct ouro_walk *walk)
{
    ouro_walk_unmap_bits(walk->marked, walk->word_count, sizeof *walk->marked);
    ouro_walk_unmap_bits(walk->todo, walk->word_count, sizeof *walk->todo);
    ouro_walk_unmap_bits(walk->noted, ouro_walk_cell_words(walk), sizeof *walk->noted);
    ouro_walk_unmap_bits(walk->shallow, walk->word_count, sizeof *walk->shallow);
    ouro_walk_unmap_bits(walk->ranks, walk->word_count, sizeof *walk->ranks);
    ouro_walk_unmap_bits(walk->counts, ouro_walk_counted_words(walk), sizeof *walk->counts);
    forget_roots(walk);
    free(walk->tracked.items);
    free(walk->collections.items);
    free(walk->pseudo.items);
    free(walk->fields.items);
    memset(walk, 0, sizeof *walk);
}
