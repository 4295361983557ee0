#include "capture/walk.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "capture/collection.h"
#include "capture/walk_bits.h"
#include "cpython/check.h"
#include "cpython/dict.h"
#include "cpython/value.h"
#include "target/window.h"

#define BASES_MAX   64u
#define STACK_ITEMS 65536u      /* of each thread; what does not fit waits in `todo` */
#define REGION_WORDS 4096u      /* of `todo` that a thread takes at a time: 2 MiB of image */
#define FOLLOW_VISITS 2048u     /* how often the window follows the budget */

struct worker {
    struct ouro_walk *walk;
    struct ouro_visitor visitor;
    struct ouro_type_cache types;
    struct pending {
        ouro_addr addr;
        const struct ouro_type *type;
    } *stack; /* owned */
    size_t stack_count;
    unsigned visit_count;
    size_t *next_region; /* shared */
    bool *overflowed;    /* shared: some bit of `todo` was set during the sweep */
    bool *backward;      /* shared: from the last region to the first */
};

static bool set_bit(uint64_t *bits, uint64_t bit)
{
    uint64_t mask = UINT64_C(1) << (bit & 63);
    return !(__atomic_fetch_or(&bits[bit >> 6], mask, __ATOMIC_RELAXED) & mask);
}

/* Looks at what may be an object, and marks it. Who is the first to do so sees to it that it is visited. */
static void mark_object(struct worker *worker, ouro_addr target, uint64_t offset)
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
    if (!set_bit(walk->marked, bit))
        return;
    if (walk->bounded)
        __atomic_fetch_and(&walk->todo[bit >> 6], ~(UINT64_C(1) << (bit & 63)), __ATOMIC_RELAXED);
    if (!type->op_count)
        return;
    if (worker->stack_count < STACK_ITEMS) {
        worker->stack[worker->stack_count++] = (struct pending){target, type};
    } else {
        set_bit(walk->todo, bit);
        __atomic_store_n(worker->overflowed, true, __ATOMIC_RELAXED);
    }
}

static void mark_target(struct worker *worker, ouro_addr target)
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
        set_bit(walk->todo, bit);
        __atomic_store_n(worker->overflowed, true, __ATOMIC_RELAXED);
        return;
    }
    mark_object(worker, target, offset);
}

static void mark_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct worker *worker = context;
    for (size_t i = 0; i < count; i++)
        if (targets[i])
            mark_target(worker, targets[i]);
}

static void note(struct ouro_walk *walk, ouro_addr addr, bool *fresh)
{
    uint64_t offset = ouro_image_offset(walk->image, addr);
    *fresh = false;
    if (offset == UINT64_MAX)
        return;
    uint64_t cell = ouro_walk_cell(ouro_walk_bit(offset));
    if (!(__atomic_load_n(&walk->noted[cell >> 6], __ATOMIC_RELAXED) >> (cell & 63) & 1))
        *fresh = set_bit(walk->noted, cell);
}

static void note_key(void *context, ouro_addr key, bool of_namespace)
{
    struct worker *worker = context;
    bool fresh;
    if (of_namespace || !worker->walk->names_only)
        note(worker->walk, key, &fresh);
}

/* Its keys are attribute names: noted at once, for the dict itself may have been visited before anybody knew that. */
static void note_namespace(void *context, ouro_addr dict)
{
    struct worker *worker = context;
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
    struct worker *worker = context;
    return ouro_walk_noted(worker->walk, dict);
}

#define ROUNDS_MAX 16 /* of marking, each without the visitors that the one before found wrong */

/* Compares an object of each type, or some, with what the type's own code says. */
static void check(struct worker *worker, const struct ouro_type *type, ouro_addr object)
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
static void note_file(struct worker *worker, ouro_addr code)
{
    const struct ouro_walk *walk = worker->walk;
    if (!walk->names_only)
        note_key(worker, ouro_python_word(walk->python, code + (ouro_addr)walk->python->layout->code_filename), false);
}

static inline void visit(struct worker *worker, const struct ouro_type *type, ouro_addr object)
{
    if (__builtin_expect(type->named == OURO_NAMED_CODE, 0))
        note_file(worker, object);
    if (__builtin_expect(__atomic_load_n(&type->checks, __ATOMIC_RELAXED) < worker->walk->checks_per_type, 0))
        check(worker, type, object);
    ouro_visit(&worker->visitor, type, object);
    if (__builtin_expect(worker->walk->bounded && ++worker->visit_count % FOLLOW_VISITS == 0, 0))
        ouro_window_make_room(worker->walk->image->window, 0);
}

static void drain(struct worker *worker)
{
    while (worker->stack_count) {
        struct pending next = worker->stack[--worker->stack_count];
        visit(worker, next.type, next.addr);
    }
}

static void visit_bit(struct worker *worker, uint64_t bit)
{
    struct ouro_walk *walk = worker->walk;
    ouro_addr addr = ouro_image_addr(walk->image, bit << 3);
    if (walk->bounded && !(__atomic_load_n(&walk->marked[bit >> 6], __ATOMIC_RELAXED) >> (bit & 63) & 1)) {
        mark_object(worker, addr, bit << 3);
        drain(worker);
        return;
    }
    struct ouro_type *type = ouro_type_cached(
        walk->python, &worker->types, ouro_python_word(walk->python, addr + (ouro_addr)walk->python->layout->ob_type));
    if (type && type->op_count)
        visit(worker, type, addr);
    drain(worker);
}

static bool cancelled(const struct ouro_walk *walk)
{
    return (walk->cancel && *walk->cancel) || ouro_window_failed(walk->image->window);
}

static void *sweep(void *argument)
{
    struct worker *worker = argument;
    struct ouro_walk *walk = worker->walk;
    for (;;) {
        size_t start = __atomic_fetch_add(worker->next_region, REGION_WORDS, __ATOMIC_RELAXED);
        if (start >= walk->word_count || cancelled(walk))
            return NULL;
        if (*worker->backward)
            start = (walk->word_count - 1) / REGION_WORDS * REGION_WORDS - start;
        size_t end = start + REGION_WORDS < walk->word_count ? start + REGION_WORDS : walk->word_count;
        for (size_t i = start; i < end; i++) {
            if (!__atomic_load_n(&walk->todo[i], __ATOMIC_RELAXED))
                continue;
            uint64_t word = __atomic_exchange_n(&walk->todo[i], 0, __ATOMIC_RELAXED);
            for (; word; word &= word - 1)
                visit_bit(worker, (uint64_t)i << 6 | (unsigned)__builtin_ctzll(word));
        }
    }
}

static enum ouro_status worker_init(struct worker *worker, struct ouro_walk *walk, size_t *next_region, bool *overflowed,
                                    bool *backward)
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

/* Sweeps until nothing is left to do. */
static enum ouro_status sweep_all(struct ouro_walk *walk, struct worker *workers)
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
        if (cancelled(walk))
            return OURO_CANCELLED;
        *workers[0].backward = walk->bounded && !*workers[0].backward; /* chains lead either way */
    } while (*workers[0].overflowed);
    return OURO_OK;
}

struct listing {
    struct ouro_walk *walk;
    struct worker *worker;
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
    while (walk->bounded && !cancelled(walk) &&
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
    if (set_bit(walk->marked, bit) && !listing->later) /* else somebody who refers to it was visited, and it with him */
        set_bit(walk->todo, bit);
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
    struct worker *worker;
};

/* Visits what is being listed, as it comes. What is left when the list has ended is swept by all. */
static void *follow(void *argument)
{
    struct following *following = argument;
    struct listing *listing = following->listing;
    struct ouro_walk *walk = listing->walk;
    ouro_addr buffer[FOLLOW_ITEMS];
    size_t i = 0;
    while (!__atomic_load_n(&listing->ended, __ATOMIC_ACQUIRE) && !cancelled(walk)) {
        size_t published = __atomic_load_n(&listing->published, __ATOMIC_ACQUIRE);
        size_t count = published - i > FOLLOW_ITEMS ? FOLLOW_ITEMS : published - i;
        const ouro_addr *items = ouro_tracked_read(listing->tracked, i, count, buffer);
        if (!count)
            sched_yield();
        for (size_t k = 0; items && k < count; k++) { /* what could not be read is swept with the rest */
            uint64_t bit = ouro_walk_bit(ouro_image_offset(walk->image, items[k]));
            uint64_t mask = UINT64_C(1) << (bit & 63);
            if (__atomic_fetch_and(&walk->todo[bit >> 6], ~mask, __ATOMIC_RELAXED) & mask)
                visit_bit(following->worker, bit);
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
                                 struct worker *workers, uint64_t *listed, bool later)
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


static enum ouro_status list_tracked(struct ouro_walk *walk, const struct ouro_interpreter *interpreter,
                                     struct worker *workers, bool later)
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
                                      struct worker *workers, uint64_t *listed, bool later)
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

static enum ouro_status each_tracked(struct ouro_walk *walk, const struct ouro_tracked *tracked,
                                     void (*visit)(void *context, const ouro_addr *items, size_t count), void *context)
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

struct marking {
    struct ouro_walk *walk;
    uint64_t *bits;
};

/* What a collection that runs has taken off the lists. */
static enum ouro_status complete_one(struct ouro_walk *walk, const struct ouro_interpreter *interpreter,
                                     struct worker *workers, uint64_t *listed, bool later)
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

static void set_cells(void *context, const ouro_addr *items, size_t count)
{
    const struct marking *marking = context;
    for (size_t i = 0; i < count; i++)
        set_bit(marking->bits, ouro_walk_cell(ouro_walk_bit(ouro_image_offset(marking->walk->image, items[i]))));
}

static void set_bits(void *context, const ouro_addr *items, size_t count)
{
    const struct marking *marking = context;
    for (size_t i = 0; i < count; i++)
        set_bit(marking->bits, ouro_walk_bit(ouro_image_offset(marking->walk->image, items[i])));
}

/* Once all lists are known. */
static enum ouro_status complete_tracked(struct ouro_walk *walk, struct worker *workers)
{
    uint64_t *listed = ouro_walk_map_bits(walk, ouro_walk_cell_words(walk), sizeof *listed);
    enum ouro_status status = listed ? OURO_OK : OURO_NOMEM;
    struct marking marking = {walk, listed};
    for (size_t l = 0; status == OURO_OK && l < walk->tracked.count; l++)
        status = each_tracked(walk, &walk->tracked.items[l], set_cells, &marking);
    for (size_t i = 0; i < walk->python->interpreter_count && status == OURO_OK; i++)
        status = complete_one(walk, &walk->python->interpreters[i], workers, listed, i > 0);
    ouro_walk_unmap_bits(listed, ouro_walk_cell_words(walk), sizeof *listed);
    return status;
}

struct rooting {
    struct ouro_walk *walk;
    struct worker *worker;
    uint64_t interpreter;
    size_t thread; /* the number of the present thread's pseudo object, and 1; 0: none */
    bool skipped; /* the root whose fields come now is left out */
};

static struct ouro_pseudo *add_pseudo(struct rooting *rooting, int kind, const char *name)
{
    struct ouro_walk *walk = rooting->walk;
    struct ouro_pseudo *pseudo = OURO_VEC_ADD(&walk->pseudo);
    if (!pseudo) {
        walk->out_of_memory = true;
        return NULL;
    }
    pseudo->kind = kind;
    pseudo->interpreter = rooting->interpreter;
    pseudo->name = strdup(name);
    pseudo->first_field = walk->fields.count;
    pseudo->first_frame = walk->pseudo.count;
    if (!pseudo->name)
        walk->out_of_memory = true;
    return pseudo;
}

static void on_root(void *context, const char *name)
{
    struct rooting *rooting = context;
    rooting->skipped = rooting->walk->limited;
    if (rooting->skipped)
        return;
    add_pseudo(context, OURO_PSEUDO_ROOT, name);
}

static void on_field(void *context, const char *label, ouro_addr target)
{
    struct rooting *rooting = context;
    struct ouro_walk *walk = rooting->walk;
    if (rooting->skipped)
        return;
    struct ouro_walk_field *field = walk->pseudo.count ? OURO_VEC_ADD(&walk->fields) : NULL;
    if (!field || !(field->label = strdup(label))) {
        walk->out_of_memory = true;
        return;
    }
    field->target = target;
    walk->pseudo.items[walk->pseudo.count - 1].field_count++;
    if (target && !walk->limited)
        mark_target(rooting->worker, target);
}

static void on_thread(void *context, const struct ouro_interpreter *interpreter, const struct ouro_thread *thread)
{
    struct rooting *rooting = context;
    char name[400];
    (void)interpreter;
    rooting->skipped = false;
    bool named = thread->name[0] && !rooting->walk->names_only; /* somebody's text, not a name of the program's */
    if (named)
        snprintf(name, sizeof name, "<Thread '%s' %llu>", thread->name, (unsigned long long)thread->native_id);
    else
        snprintf(name, sizeof name, "<Thread %llu>", (unsigned long long)thread->native_id);
    struct ouro_pseudo *pseudo = add_pseudo(rooting, OURO_PSEUDO_THREAD, name);
    if (!pseudo)
        return;
    rooting->thread = rooting->walk->pseudo.count;
    pseudo->thread = *thread;
    if (!named)
        pseudo->thread.name[0] = 0;
}

static void on_torn(void *context)
{
    struct rooting *rooting = context;
    if (rooting->thread)
        rooting->walk->pseudo.items[rooting->thread - 1].torn = true;
}

static void on_frame(void *context, ouro_addr frame, ouro_addr code, struct ouro_execution execution, ouro_addr generator,
                     bool running)
{
    struct rooting *rooting = context;
    struct ouro_walk *walk = rooting->walk;
    struct ouro_buf name = {0};
    size_t thread = rooting->thread;
    ouro_value_write_code(walk->python, code, 0, walk->names_only, execution.line, &name);
    struct ouro_pseudo *pseudo = add_pseudo(rooting, OURO_PSEUDO_FRAME, ouro_buf_text(&name));
    ouro_buf_fini(&name);
    if (!pseudo || !thread)
        return;
    pseudo->frame = frame;
    pseudo->generator = generator;
    pseudo->running = running;
    pseudo->execution = execution;
    walk->pseudo.items[thread - 1].frame_count++;
    if (walk->limited)
        return;
    struct ouro_visitor *visitor = &rooting->worker->visitor;
    if (!generator) {
        ouro_visit_frame(visitor, frame, true);
    } else {
        mark_target(rooting->worker, generator);
        ouro_visit_frame_rest(visitor, frame, running);
    }
    ouro_visit_end(visitor);
}

static enum ouro_status mark_types(struct ouro_walk *walk, struct worker *workers, size_t *done)
{
    while (*done < walk->python->type_list.count) {
        for (; *done < walk->python->type_list.count; ++*done)
            mark_target(&workers[0], walk->python->type_list.items[*done]->addr);
        drain(&workers[0]);
        OURO_TRY(sweep_all(walk, workers));
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
            OURO_TRY(each_tracked(walk, tracked, add_bits, &noting));
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

static enum ouro_status mark_interpreter(struct ouro_walk *walk, struct worker *workers,
                                         const struct ouro_interpreter *interpreter, bool later, size_t *types_done)
{
    struct rooting rooting = {.walk = walk, .worker = &workers[0], .interpreter = interpreter->id};
    const struct ouro_state_sink sink = {
        .context = &rooting, .root = on_root, .field = on_field, .thread = on_thread, .frame = on_frame, .torn = on_torn};
    struct marking marking = {walk, walk->todo};
    for (size_t l = 0; later && l < walk->tracked.count; l++)
        if (walk->tracked.items[l].interpreter == interpreter->id)
            OURO_TRY(each_tracked(walk, &walk->tracked.items[l], set_bits, &marking));
    for (unsigned i = 0; i < walk->thread_count; i++)
        workers[i].visitor.interpreter = (size_t)(interpreter - walk->python->interpreters);
    ouro_state_each(walk->python, interpreter, &sink);
    drain(&workers[0]);
    OURO_TRY(sweep_all(walk, workers));
    OURO_TRY(mark_types(walk, workers, types_done));
    return walk->out_of_memory ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status mark_all(struct ouro_walk *walk, struct worker *workers)
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
        status = list_tracked(walk, &python->interpreters[i], workers, i > 0);
        struct ouro_gc_state state;
        collecting = collecting || (ouro_state_gc(python, &python->interpreters[i], &state) && state.collecting);
    }
    if (status == OURO_OK && (collecting || (walk->torn && walk->broken_count)))
        status = complete_tracked(walk, workers);
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
    if (status == OURO_OK) { /* static types are held by C */
        struct rooting rooting = {.walk = walk, .worker = &workers[0], .interpreter = python->interpreters[0].id};
        add_pseudo(&rooting, OURO_PSEUDO_STATIC_TYPES, "static types");
    }
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
        set_bit(walk->marked, ouro_walk_bit(offset));
        if (items[i].shallow)
            set_bit(walk->shallow, ouro_walk_bit(offset));
        if (items[i].noted)
            set_bit(walk->noted, ouro_walk_cell(ouro_walk_bit(offset)));
    }
    for (size_t i = 0; i < walk->python->interpreter_count; i++) {
        struct rooting rooting = {.walk = walk, .interpreter = walk->python->interpreters[i].id};
        const struct ouro_state_sink sink = {
            .context = &rooting, .root = on_root, .field = on_field, .thread = on_thread, .frame = on_frame, .torn = on_torn};
        ouro_state_each(walk->python, &walk->python->interpreters[i], &sink);
    }
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
    struct worker *workers = calloc(walk->thread_count, sizeof *workers);
    size_t next_region = 0;
    bool overflowed = false, backward = false;
    enum ouro_status status = workers ? OURO_OK : OURO_NOMEM;
    for (unsigned i = 0; workers && i < walk->thread_count && status == OURO_OK; i++)
        status = worker_init(&workers[i], walk, &next_region, &overflowed, &backward);
    if (status == OURO_OK)
        status = mark_all(walk, workers);
    for (unsigned round = 1; status == OURO_OK && walk->disagreed_count && round < ROUNDS_MAX; round++) {
        status = start_again(walk);
        if (status == OURO_OK)
            status = mark_all(walk, workers);
    }
    for (unsigned i = 0; workers && i < walk->thread_count; i++)
        free(workers[i].stack);
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
