/* Cycles as the objects that they are made of, to be drawn: those through one object, or all that its component has. */
#ifndef OURO_ANALYSIS_CYCLE_OBJECTS_H
#define OURO_ANALYSIS_CYCLE_OBJECTS_H

#include "analysis/cyclic.h"
#include "analysis/neighbourhood.h"

/* The shortest cycle through each reference of the object that leads back to it, shortest first, `most` at most, as far as
 * `budget` (0: any number) objects reach; a cycle that is too long alone is folded in the middle. The object's references whose
 * cycles are not drawn are counted in its more_count. depth: steps from the object. Nothing is added when it lies on no
 * cycle. O(references of the component) each, less when many cycles are short; 12 bytes a member while it runs. */
enum ouro_status ouro_cycle_objects_through(struct ouro_neighbourhood *result, const struct ouro_cyclic *cyclic,
                                            ouro_node node, size_t most, size_t budget, struct ouro_err *err);

/* The objects of its strongly connected component, nearest first, `budget` at most (0: all), with all references among them; those to
 * members that are not drawn are counted in more_count. *member_count (may be NULL): all of them. */
enum ouro_status ouro_cycle_objects_component(struct ouro_neighbourhood *result, const struct ouro_cyclic *cyclic,
                                              ouro_node node, size_t budget, uint64_t *member_count, struct ouro_err *err);

#endif
