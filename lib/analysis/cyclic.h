/* Which objects lie on cycles of owned references, in three layers, and the strongly connected components of each.
 *
 * Nearly everything in a Python process is one component, through instance -> class -> method -> module globals. So
 * references are let in layer by layer, and an object belongs to the first layer in which it lies on a cycle:
 *
 *   plain    no reference to a class, a module or a module's namespace: what a program's own data structures close
 *   classes  references to classes too: a class and its __mro__, a registry of instances in the class
 *   all      every owned reference
 *
 * Components of a later layer also run through objects of an earlier one: those are not counted again. */
#ifndef OURO_ANALYSIS_CYCLIC_H
#define OURO_ANALYSIS_CYCLIC_H

#include "analysis/heap_model.h"

enum ouro_layer { OURO_LAYER_PLAIN, OURO_LAYER_CLASSES, OURO_LAYER_ALL, OURO_LAYER_COUNT };

/* What a layer does not follow, by the kind of the target; bits of ouro_cyclic.kinds. */
#define OURO_KIND_CLASS  1u
#define OURO_KIND_MODULE 2u /* a module or its namespace */

struct ouro_cyclic_member {
    ouro_node node;
    uint8_t layer;                        /* enum ouro_layer: the first with a cycle through it */
    uint32_t component[OURO_LAYER_COUNT]; /* index into that layer's components; UINT32_MAX: on no cycle there */
};

struct ouro_cyclic_layer {
    uint32_t *begin;          /* owned; component_count + 1 */
    uint32_t *members;        /* owned; of component c: indexes of members[begin[c] .. begin[c + 1]), ascending */
    uint32_t component_count; /* only those with a cycle; in the order of their first member */
};

struct ouro_cyclic {
    const struct ouro_heap_model *model; /* borrowed */
    uint8_t *kinds;                      /* owned; by object */
    uint32_t *member_of;                 /* owned; by object: index into members, or UINT32_MAX */
    struct ouro_cyclic_member *members;  /* owned; ascending nodes */
    uint32_t member_count;
    struct ouro_cyclic_layer layers[OURO_LAYER_COUNT];
};

/* Needs SLOTS, SHAPE and VALUES (loads them). 5 bytes an object and 28 a member; besides, while it runs, 24 bytes an
 * object and 4 a reference. O(objects + references). */
enum ouro_status ouro_cyclic_init(struct ouro_cyclic *cyclic, struct ouro_heap_model *model, struct ouro_err *err);
void ouro_cyclic_fini(struct ouro_cyclic *cyclic);

/* The name, a str object, that the source has for cell `index` of `cell_count` in a function's closure; OURO_NODE_NONE:
 * not known. O(1). */
ouro_node ouro_cyclic_free_variable(const struct ouro_heap_model *model, ouro_node function, uint64_t index,
                                    uint64_t cell_count);

/* The member that a slot of `from` refers to within the same component of the layer; UINT32_MAX for all others. */
static inline uint32_t ouro_cyclic_target(const struct ouro_cyclic *cyclic, enum ouro_layer layer, uint32_t from,
                                          ouro_node target)
{
    static const uint8_t closed[OURO_LAYER_COUNT] = {OURO_KIND_CLASS | OURO_KIND_MODULE, OURO_KIND_MODULE, 0};
    if (target == OURO_NODE_NONE || cyclic->member_of[target] == UINT32_MAX || cyclic->kinds[target] & closed[layer])
        return UINT32_MAX;
    uint32_t to = cyclic->member_of[target];
    return cyclic->members[to].component[layer] == cyclic->members[from].component[layer] ? to : UINT32_MAX;
}

#endif
