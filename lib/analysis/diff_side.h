/* One of the snapshots that are compared: who holds what, and what it amounts to. */
#ifndef OURO_ANALYSIS_DIFF_SIDE_H
#define OURO_ANALYSIS_DIFF_SIDE_H

#include "analysis/diff_names.h"
#include "analysis/histogram.h"
#include "analysis/retained.h"

#define OURO_DIFF_COLUMNS (OURO_NOTATION_COLUMNS | OURO_COLLECTOR_COLUMNS | OURO_HEAP_GC_ORDER)

struct ouro_diff_side {
    struct ouro_heap_model *model; /* borrowed */
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_path_search search; /* has found everything that is reached: each object's holder */
    struct ouro_diff_labels labels;
    uint32_t *signature; /* owned; by object, as far as they were asked for (0: not yet) */
    struct {
        ouro_node *items; /* owned */
        size_t count, capacity;
    } unnamed; /* holders on the way up, while a signature is found */
    struct ouro_histogram types;
    struct ouro_retained retained; /* only when asked for */
    bool has_collector, has_roots, has_search, has_retained;
};

/* Loads the columns; 22 bytes an object stay, without paths (for a comparison by type only) 6. O(objects + references). */
enum ouro_status ouro_diff_side_init(struct ouro_diff_side *side, struct ouro_heap_model *model,
                                     struct ouro_diff_names *names, bool paths, struct ouro_err *err);
/* Both of a comparison, each in a thread of its own. On failure neither is there, and *failed says whose it is. */
enum ouro_status ouro_diff_sides_init(struct ouro_diff_side *const sides[2], struct ouro_heap_model *const models[2],
                                      struct ouro_diff_names *names, bool paths, unsigned *failed, struct ouro_err *err);
/* One dominator pass; 16 bytes an object stay. Nothing when it is there already. Leaves all but `retained` alone, so that it may
 * run beside whatever else is done with the side. */
enum ouro_status ouro_diff_side_retain(struct ouro_diff_side *side, struct ouro_err *err);
void ouro_diff_side_fini(struct ouro_diff_side *side);

/* How an object is reached (of a side with paths); OURO_SIGNATURE_NONE: out of memory. Found when it is first asked for, with
 * those of all that its holders hold: O(references of holders that nobody asked for before). */
uint32_t ouro_diff_side_find_signature(struct ouro_diff_side *side, ouro_node node);
static inline uint32_t ouro_diff_side_signature(struct ouro_diff_side *side, ouro_node node)
{
    return side->signature[node] ? side->signature[node] : ouro_diff_side_find_signature(side, node);
}

/* Who holds it in the tree of shortest paths; itself where a path begins, OURO_NODE_NONE when nothing reaches it. */
static inline ouro_node ouro_diff_side_holder(const struct ouro_diff_side *side, ouro_node node)
{
    return side->search.parent[node];
}

static inline bool ouro_diff_side_is_pseudo(const struct ouro_diff_side *side, ouro_node node)
{
    return side->model->heap.flags[node] & OURO_OBJECT_PSEUDO;
}

/* Its type's "module.name", a label. */
static inline uint32_t ouro_diff_side_type(const struct ouro_diff_side *side, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(side->model, node);
    return side->labels.of_type[type < side->model->type_count ? type : side->model->type_count];
}

/* Of a scalar's value or a small tuple of such, the same in any snapshot; 0: it has none. */
uint64_t ouro_diff_value_key(const struct ouro_heap_model *model, ouro_node node);
/* How the reference from a holder differs from its others, in any snapshot: a hash of the attribute's name, of the key's value or
 * of the index. 0: it can't be told. */
uint64_t ouro_diff_slot_key(const struct ouro_heap_model *model, const struct ouro_slot *slot);
/* How many items a container has, -1 for what is none. */
int64_t ouro_diff_length(const struct ouro_heap_model *model, ouro_node node);

#endif
