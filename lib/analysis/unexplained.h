/* Types whose objects have references that nothing known explains, more than native code usually keeps: what a leaked
 * reference of an extension looks like.
 *
 * Some such references are ordinary: statics of C modules, caches, what is on C stacks. So objects of types that constants
 * are made of (str, int, tuple, code, type, built-in functions ...) only count from OURO_UNEXPLAINED_OF_ONE references of
 * a single object on, others when so many of their type are held that way. Immortal objects, and those that are made so by
 * a huge count (deep-frozen constants of 3.11), have no count that could be explained. */
#ifndef OURO_ANALYSIS_UNEXPLAINED_H
#define OURO_ANALYSIS_UNEXPLAINED_H

#include "analysis/roots.h"

#define OURO_UNEXPLAINED_OBJECTS 100u   /* of one type */
#define OURO_UNEXPLAINED_OF_ONE  10000u /* references of one object */

/* Counts near 10^9 are set by the code generator, not counted (3.11's deep-frozen objects; from 3.12 on: immortal). */
#define OURO_UNEXPLAINED_COUNT_SET (UINT64_C(1) << 28)

/* References to an object that nothing known explains; 0 where its count counts nothing. */
static inline uint32_t ouro_unexplained_count(const struct ouro_roots *roots, ouro_node node)
{
    const struct ouro_heap *heap = &roots->model->heap;
    bool counted = !(heap->flags[node] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO)) &&
                   heap->refcount[node] < OURO_UNEXPLAINED_COUNT_SET;
    return counted ? roots->unexplained[node] : 0;
}

struct ouro_unexplained_row {
    uint32_t type;
    uint64_t object_count;    /* of the type, with at least one such reference */
    uint64_t reference_count; /* of all of them */
    ouro_node most;           /* the object with the most */
    uint64_t most_count;
};

struct ouro_unexplained {
    struct ouro_unexplained_row *items; /* owned; most references first, then by type */
    size_t count, capacity;
};

/* Needs what roots were made with. O(objects); 32 bytes a type while it runs. */
enum ouro_status ouro_unexplained_init(struct ouro_unexplained *unexplained, const struct ouro_roots *roots,
                                       struct ouro_err *err);
void ouro_unexplained_fini(struct ouro_unexplained *unexplained);

#endif
