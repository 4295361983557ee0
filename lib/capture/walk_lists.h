/* The collector's lists: what stands in them is listed, and visited by another thread as it comes.
 * Internal to lib/capture. */
#ifndef OURO_CAPTURE_WALK_LISTS_H
#define OURO_CAPTURE_WALK_LISTS_H

#include "capture/walk_worker.h"

/* Reads the lists of an interpreter into walk->tracked. later: they are not visited before ouro_walk_take_up_tracked.
 * OURO_SYS: walk->spool_errno says why the spool could not be written. */
enum ouro_status ouro_walk_list_tracked(struct ouro_walk *walk, const struct ouro_interpreter *interpreter,
                                        struct ouro_walk_worker *workers, bool later);
/* Once all lists are known: what a collection that runs has taken off them, and of a target that ran what is behind the place
 * where one breaks off. */
enum ouro_status ouro_walk_complete_tracked(struct ouro_walk *walk, struct ouro_walk_worker *workers);
/* Sees to it that the next sweep visits what was listed for later. */
enum ouro_status ouro_walk_take_up_tracked(struct ouro_walk *walk, const struct ouro_interpreter *interpreter);
/* The items of a list, some at a time; they are borrowed for the call. */
enum ouro_status ouro_walk_each_tracked(struct ouro_walk *walk, const struct ouro_tracked *tracked,
                                        void (*visit)(void *context, const ouro_addr *items, size_t count),
                                        void *context);

#endif
