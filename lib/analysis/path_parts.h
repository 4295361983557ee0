/* What path.c and path_search.c both ask of a snapshot and of a search. */
#ifndef OURO_ANALYSIS_PATH_PARTS_H
#define OURO_ANALYSIS_PATH_PARTS_H

#include "analysis/path.h"

/* A field of that name that is owned. */
bool ouro_path_is_named(const struct ouro_heap_model *model, const struct ouro_part *part, const char *name);
/* As ouro_heap_model_field, of what the node owns. */
ouro_node ouro_path_owned_field(const struct ouro_heap_model *model, ouro_node node, const char *name);
bool ouro_path_is_root(const struct ouro_heap_model *model, ouro_node node);
/* slot: among all slots of `from`. */
bool ouro_path_is_closed_at(const struct ouro_path_search *search, ouro_node from, uint64_t slot);

static inline bool ouro_path_is_pseudo(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO;
}

static inline bool ouro_path_is_closed(const struct ouro_path_search *search, const struct ouro_slot *slot)
{
    return search->count && ouro_path_is_closed_at(search, slot->node, slot->index);
}

#endif
