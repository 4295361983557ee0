/* The roots of an interpreter and the frames of its threads, as pseudo objects. Internal to lib/capture. */
#ifndef OURO_CAPTURE_WALK_ROOTS_H
#define OURO_CAPTURE_WALK_ROOTS_H

#include "capture/walk_worker.h"

/* Adds them to walk->pseudo, and the worker marks what they refer to; of a limited walk (worker is NULL) only threads
 * and frames, and nothing is marked. Where memory runs out, walk->out_of_memory is set. */
void ouro_walk_add_roots(struct ouro_walk *walk, struct ouro_walk_worker *worker,
                         const struct ouro_interpreter *interpreter);
/* The root of the types that C holds. */
void ouro_walk_add_static_types(struct ouro_walk *walk);

#endif
