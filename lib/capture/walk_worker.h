/* One of the threads that mark: it visits objects, marks what they refer to, and sweeps what waits.
 * Internal to lib/capture. */
#ifndef OURO_CAPTURE_WALK_WORKER_H
#define OURO_CAPTURE_WALK_WORKER_H

#include "capture/walk.h"
#include "target/window.h"

struct ouro_walk_worker {
    struct ouro_walk *walk;
    struct ouro_visitor visitor;
    struct ouro_type_cache types;
    struct ouro_walk_pending {
        ouro_addr addr;
        const struct ouro_type *type;
    } *stack; /* owned */
    size_t stack_count;
    unsigned visit_count;
    size_t *next_region; /* shared */
    bool *overflowed;    /* shared: some bit of `todo` was set during the sweep */
    bool *backward;      /* shared: from the last region to the first */
};

/* The worker is zeroes. What is shared is borrowed until ouro_walk_worker_fini. */
enum ouro_status ouro_walk_worker_init(struct ouro_walk_worker *worker, struct ouro_walk *walk, size_t *next_region,
                                       bool *overflowed, bool *backward);
void ouro_walk_worker_fini(struct ouro_walk_worker *worker);
/* Looks at what may be an object, and marks it. It is visited by ouro_walk_worker_drain, or waits in `todo`. */
void ouro_walk_worker_mark(struct ouro_walk_worker *worker, ouro_addr target);
/* Visits what the worker has marked, and what is marked meanwhile. */
void ouro_walk_worker_drain(struct ouro_walk_worker *worker);
/* Visits the object of a bit that was taken out of `todo`; drains. */
void ouro_walk_worker_visit(struct ouro_walk_worker *worker, uint64_t bit);
/* All of the walk's workers, until nothing is left to do. */
enum ouro_status ouro_walk_sweep(struct ouro_walk *walk, struct ouro_walk_worker *workers);

static inline bool ouro_walk_cancelled(const struct ouro_walk *walk)
{
    return (walk->cancel && *walk->cancel) || ouro_window_failed(walk->image->window);
}

#endif
