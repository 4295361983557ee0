/* Shapes of objects as they are met: a table from (type, variant) to the snapshot's shape. Thread-safe. */
#ifndef OURO_CAPTURE_SHAPE_H
#define OURO_CAPTURE_SHAPE_H

#include "base/map.h"
#include "capture/walk.h"
#include "snapshot/writer.h"

struct ouro_shapes {
    struct ouro_snapshot_writer *writer; /* borrowed; all calls that add tables are made under the lock */
    pthread_mutex_t lock;
    struct ouro_map by_variant, bare;
    bool failed;
};

/* Collects parts, interning their names. */
struct ouro_shape_builder {
    struct ouro_shapes *shapes;
    struct { struct ouro_part *items; size_t count, capacity; } parts;
    bool failed;
};

void ouro_shapes_init(struct ouro_shapes *shapes, struct ouro_snapshot_writer *writer);
void ouro_shapes_fini(struct ouro_shapes *shapes);
/* A shape's number and what its objects deliver, in one word. UINT64_MAX: none could be made. */
#define OURO_SHAPE_NUMBER(known) ((uint32_t)(known))
#define OURO_SHAPE_FIXED(known) ((uint32_t)((known) >> 32 & 0xffffff)) /* slots of single parts, TYPE parts not counted */
#define OURO_SHAPE_RUNS(known) ((uint32_t)((known) >> 56))             /* repeated parts */

/* The shape of an object; `visitor` is the caller's own, its callbacks are replaced for the time of the call. */
uint64_t ouro_shapes_get(struct ouro_shapes *shapes, struct ouro_visitor *visitor, struct ouro_type *type,
                         uint32_t type_index, ouro_addr object, uint64_t variant);
/* The shape of a type's objects whose slots are left out. */
uint64_t ouro_shapes_get_bare(struct ouro_shapes *shapes, const struct ouro_type *type, uint32_t type_index);
void ouro_shape_builder_part(void *builder, enum ouro_slots kind, enum ouro_class edge_class, const char *name);

#endif
