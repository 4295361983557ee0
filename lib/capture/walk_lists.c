#include "capture/walk_lists.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "capture/collection.h"
#include "capture/walk_bits.h"
#include "target/window.h"

struct listing {
    struct ouro_walk *walk;
    struct ouro_walk_worker *worker;
    struct ouro_tracked *tracked;
    uint64_t *listed; /* bits: what stands in some list already */
    bool later;       /* only listed: visited when its interpreter's turn comes */
    size_t published; /* atomic: items that the follower may visit */
    size_t followed;  /* atomic: items that it has visited, where it is waited for */
    bool ended;       /* atomic: no more will come */
    enum ouro_status status;
};

#define PUBLISH_ITEMS 65536u /* far enough behind that both do not write the same cache lines */

static size_t publish_items(const struct ouro_walk *walk)
{
    return walk->bounded ? OURO_TRACKED_BATCH : PUBLISH_ITEMS;
}

/* With a window the list is not read far ahead of who visits it: else each would bring the same pages. */
static void publish(struct listing *listing)
{
    const struct ouro_walk *walk = listing->walk;
    __atomic_store_n(&listing->published, listing->tracked->count, __ATOMIC_RELEASE);
    ouro_window_make_room(walk->image->window, 0);
    while (walk->bounded && !ouro_walk_cancelled(walk) &&
           __atomic_load_n(&listing->followed, __ATOMIC_ACQUIRE) + 2 * publish_items(walk) < listing->tracked->count)
        sched_yield();
}

static enum ouro_status spool_failed(struct ouro_walk *walk)
{
    walk->spool_errno = errno;
    return OURO_SYS;
}

/* What stands in a list without being an object of a type that we know is left out. */
static bool add_tracked(void *context, ouro_addr object)
{
    struct listing *listing = context;
    struct ouro_walk *walk = listing->walk;
    struct ouro_tracked *tracked = listing->tracked;
    uint64_t offset = ouro_image_offset(walk->image, object);
    const unsigned char *head = offset & 7 ? NULL : ouro_image_at(walk->image, object, 16);
    struct ouro_type *type =
        head ? ouro_type_cached(walk->python, &listing->worker->types, ouro_load_u64(head + walk->python->layout->ob_type))
             : NULL;
    if (!type) {
        ouro_python_count_unreadable(walk->python, head ? OURO_UNREADABLE_TYPE : OURO_UNREADABLE_LIST);
        return head != NULL;
    }
    uint64_t bit = ouro_walk_bit(offset), cell = ouro_walk_cell(bit);
    if (ouro_walk_is_set(listing->listed, cell) || tracked->count == tracked->capacity) {
        ouro_python_count_unreadable(walk->python, OURO_UNREADABLE_LIST); /* a list that bites its own tail */
        return false;
    }
    listing->listed[cell >> 6] |= UINT64_C(1) << (cell & 63);
    /* Where it was marked before, somebody who refers to it was visited, and it with him. */
    if (ouro_walk_set_bit(walk->marked, bit) && !listing->later)
        ouro_walk_set_bit(walk->todo, bit);
    if (ouro_tracked_add(tracked, object) != OURO_OK) {
        listing->status = spool_failed(walk);
        return false;
    }
    if (tracked->count % publish_items(walk) == 0)
        publish(listing);
    return true;
}

#define FOLLOW_ITEMS 1024u

struct following {
    struct listing *listing;
    struct ouro_walk_worker *worker;
};

/* Visits what is being listed, as it comes. What is left when the list has ended is swept by all. */
static void *follow(void *argument)
{
    struct following *following = argument;
    struct listing *listing = following->listing;
    struct ouro_walk *walk = listing->walk;
    ouro_addr buffer[FOLLOW_ITEMS];
    size_t i = 0;
    while (!__atomic_load_n(&listing->ended, __ATOMIC_ACQUIRE) && !ouro_walk_cancelled(walk)) {
        size_t published = __atomic_load_n(&listing->published, __ATOMIC_ACQUIRE);
        size_t count = published - i > FOLLOW_ITEMS ? FOLLOW_ITEMS : published - i;
        const ouro_addr *items = ouro_tracked_read(listing->tracked, i, count, buffer);
        if (!count)
            sched_yield();
        for (size_t k = 0; items && k < count; k++) { /* what could not be read is swept with the rest */
            uint64_t bit = ouro_walk_bit(ouro_image_offset(walk->image, items[k]));
            uint64_t mask = UINT64_C(1) << (bit & 63);
            if (__atomic_fetch_and(&walk->todo[bit >> 6], ~mask, __ATOMIC_RELAXED) & mask)
                ouro_walk_worker_visit(following->worker, bit);
        }
        i += count;
        __atomic_store_n(&listing->followed, i, __ATOMIC_RELEASE);
    }
    return NULL;
}

static enum ouro_status begin_list(struct ouro_walk *walk, const struct ouro_interpreter *interpreter, unsigned list,
                                   struct ouro_tracked **made)
{
    struct ouro_tracked *tracked = *made = OURO_VEC_ADD(&walk->tracked);
    if (!tracked)
        return OURO_NOMEM;
    tracked->interpreter = interpreter->id;
    tracked->list = list;
    /* As many as could be: a head and an object take 32 bytes. */
    size_t capacity = (size_t)walk->image->page_count * (OURO_PAGE_BYTES / 32) + 1;
    return ouro_tracked_init(tracked, capacity, walk->spool, walk->spool_end);
}

/* Whatever came of it, the list has ended. */
static enum ouro_status end_list(struct listing *listing, enum ouro_status status)
{
    struct ouro_walk *walk = listing->walk;
    if (status == OURO_OK)
        status = listing->status;
    if (status == OURO_OK && ouro_tracked_end(listing->tracked) != OURO_OK)
        status = spool_failed(walk);
    walk->spool_end = ouro_tracked_spool_end(listing->tracked);
    return status;
}

static enum ouro_status list_one(struct ouro_walk *walk, const struct ouro_interpreter *interpreter, unsigned list,
                                 struct ouro_walk_worker *workers, uint64_t *listed, bool later)
{
    struct ouro_tracked *tracked;
    OURO_TRY(begin_list(walk, interpreter, list, &tracked));
    struct listing listing = {.walk = walk, .worker = &workers[0], .tracked = tracked, .listed = listed, .later = later};
    struct following following = {.listing = &listing, .worker = &workers[1]};
    pthread_t thread;
    bool followed = walk->thread_count > 1 && !later && pthread_create(&thread, NULL, follow, &following) == 0;
    uint64_t broken = walk->python->unreadable[OURO_UNREADABLE_LIST];
    if (!followed)
        listing.followed = SIZE_MAX - 4 * PUBLISH_ITEMS; /* nobody is waited for */
    ouro_python_each_tracked(walk->python, interpreter, list, add_tracked, &listing);
    walk->broken_count += walk->python->unreadable[OURO_UNREADABLE_LIST] != broken;
    __atomic_store_n(&listing.ended, true, __ATOMIC_RELEASE);
    if (followed)
        pthread_join(thread, NULL);
    return end_list(&listing, OURO_OK);
}

enum ouro_status ouro_walk_list_tracked(struct ouro_walk *walk, const struct ouro_interpreter *interpreter,
                                        struct ouro_walk_worker *workers, bool later)
{
    uint64_t *listed = ouro_walk_map_bits(walk, ouro_walk_cell_words(walk), sizeof *listed);
    enum ouro_status status = listed ? OURO_OK : OURO_NOMEM;
    for (unsigned list = 0; list < 4 && status == OURO_OK; list++)
        status = list_one(walk, interpreter, list, workers, listed, later);
    ouro_walk_unmap_bits(listed, ouro_walk_cell_words(walk), sizeof *listed);
    return status;
}

/* What is behind the place where a list breaks off: whose it was is not known, nor its generation. */
static enum ouro_status complete_torn(struct ouro_walk *walk, const struct ouro_interpreter *interpreter,
                                      struct ouro_walk_worker *workers, uint64_t *listed, bool later)
{
    struct ouro_tracked *tracked;
    if (later)
        return OURO_OK;
    OURO_TRY(begin_list(walk, interpreter, 2, &tracked));
    tracked->completed = true;
    struct listing listing = {.walk = walk, .worker = &workers[0], .tracked = tracked, .listed = listed,
                              .followed = SIZE_MAX - 4 * PUBLISH_ITEMS};
    return end_list(&listing, ouro_collection_scan(walk->python, listed, add_tracked, &listing));
}

#define READ_ITEMS 4096u

enum ouro_status ouro_walk_each_tracked(struct ouro_walk *walk, const struct ouro_tracked *tracked,
                                        void (*visit)(void *context, const ouro_addr *items, size_t count),
                                        void *context)
{
    ouro_addr buffer[READ_ITEMS];
    for (size_t i = 0; i < tracked->count; i += READ_ITEMS) {
        size_t count = tracked->count - i < READ_ITEMS ? tracked->count - i : READ_ITEMS;
        const ouro_addr *items = ouro_tracked_read(tracked, i, count, buffer);
        if (!items)
            return spool_failed(walk);
        visit(context, items, count);
    }
    return OURO_OK;
}

/* What a collection that runs has taken off the lists. */
static enum ouro_status complete_one(struct ouro_walk *walk, const struct ouro_interpreter *interpreter,
                                     struct ouro_walk_worker *workers, uint64_t *listed, bool later)
{
    struct ouro_gc_state state;
    struct ouro_tracked *tracked;
    struct ouro_collection_heads heads = {0};
    bool known = ouro_state_gc(walk->python, interpreter, &state);
    if (walk->broken_count && walk->torn && !(known && state.collecting))
        return complete_torn(walk, interpreter, workers, listed, later);
    if (!known || !state.collecting)
        return OURO_OK;
    struct ouro_walk_collection *collection = OURO_VEC_ADD(&walk->collections);
    if (!collection)
        return OURO_NOMEM;
    collection->interpreter = interpreter->id;
    collection->generation = ouro_state_collected_generation(walk->python, interpreter);
    OURO_TRY(begin_list(walk, interpreter, collection->generation, &tracked));
    tracked->completed = true;
    struct listing listing = {.walk = walk, .worker = &workers[0], .tracked = tracked, .listed = listed, .later = later,
                              .followed = SIZE_MAX - 4 * PUBLISH_ITEMS};
    enum ouro_status status =
        ouro_collection_find_heads(walk->python, interpreter, listed, walk->states, walk->state_count, &heads);
    for (size_t i = 0; status == OURO_OK && i < heads.count; i++) {
        collection->thread = collection->thread ? collection->thread : heads.items[i].thread;
        ouro_python_each_linked(walk->python, interpreter, heads.items[i].addr, add_tracked, &listing);
    }
    collection->linked_count = tracked->count;
    if (status == OURO_OK && !(walk->python->shared_collector && later)) /* the first finds all that is left */
        status = ouro_collection_scan(walk->python, listed, add_tracked, &listing);
    collection->scanned_count = tracked->count - collection->linked_count;
    free(heads.items);
    return end_list(&listing, status);
}

struct marking {
    struct ouro_walk *walk;
    uint64_t *bits;
};

static void set_cells(void *context, const ouro_addr *items, size_t count)
{
    const struct marking *marking = context;
    const struct ouro_image *image = marking->walk->image;
    for (size_t i = 0; i < count; i++)
        ouro_walk_set_bit(marking->bits, ouro_walk_cell(ouro_walk_bit(ouro_image_offset(image, items[i]))));
}

enum ouro_status ouro_walk_complete_tracked(struct ouro_walk *walk, struct ouro_walk_worker *workers)
{
    uint64_t *listed = ouro_walk_map_bits(walk, ouro_walk_cell_words(walk), sizeof *listed);
    enum ouro_status status = listed ? OURO_OK : OURO_NOMEM;
    struct marking marking = {walk, listed};
    for (size_t l = 0; status == OURO_OK && l < walk->tracked.count; l++)
        status = ouro_walk_each_tracked(walk, &walk->tracked.items[l], set_cells, &marking);
    for (size_t i = 0; i < walk->python->interpreter_count && status == OURO_OK; i++)
        status = complete_one(walk, &walk->python->interpreters[i], workers, listed, i > 0);
    ouro_walk_unmap_bits(listed, ouro_walk_cell_words(walk), sizeof *listed);
    return status;
}

static void set_bits(void *context, const ouro_addr *items, size_t count)
{
    const struct marking *marking = context;
    for (size_t i = 0; i < count; i++)
        ouro_walk_set_bit(marking->bits, ouro_walk_bit(ouro_image_offset(marking->walk->image, items[i])));
}

enum ouro_status ouro_walk_take_up_tracked(struct ouro_walk *walk, const struct ouro_interpreter *interpreter)
{
    struct marking marking = {walk, walk->todo};
    for (size_t l = 0; l < walk->tracked.count; l++)
        if (walk->tracked.items[l].interpreter == interpreter->id)
            OURO_TRY(ouro_walk_each_tracked(walk, &walk->tracked.items[l], set_bits, &marking));
    return OURO_OK;
}
