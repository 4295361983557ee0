/* OBJECT|TYPE arguments: the objects that they stand for. */
#ifndef OURO_SRC_NODES_H
#define OURO_SRC_NODES_H

#include "analysis/heap_model.h"

struct ouro_nodes {
    ouro_node *items; /* owned; no node twice */
    size_t count, capacity;
};
void ouro_nodes_fini(struct ouro_nodes *nodes);

/* Adds the object, or, where the argument is a type's name (too), the first `limit` (0: all) objects of the type by address; says how many were left. 0, or the exit
 * status after having complained. `path`: the snapshot's. The model needs OURO_OBJECT_COLUMNS (object.h). */
int ouro_nodes_add(struct ouro_nodes *nodes, const char *command, struct ouro_heap_model *model, const char *path,
                   const char *text, uint64_t limit);

#endif
