#include "capture/shape.h"

#include <stdlib.h>

void ouro_shapes_init(struct ouro_shapes *shapes, struct ouro_snapshot_writer *writer)
{
    memset(shapes, 0, sizeof *shapes);
    shapes->writer = writer;
    pthread_mutex_init(&shapes->lock, NULL);
}

void ouro_shapes_fini(struct ouro_shapes *shapes)
{
    ouro_map_fini(&shapes->by_variant);
    ouro_map_fini(&shapes->bare);
    pthread_mutex_destroy(&shapes->lock);
}

void ouro_shape_builder_part(void *context, enum ouro_slots kind, enum ouro_class edge_class, const char *name)
{
    struct ouro_shape_builder *builder = context;
    struct ouro_part *part = OURO_VEC_ADD(&builder->parts);
    if (!part) {
        builder->failed = true;
        return;
    }
    part->kind = (uint8_t)kind;
    part->edge_class = (uint8_t)edge_class;
    part->name = ouro_snapshot_writer_string(builder->shapes->writer, name, strlen(name));
}

/* While its parts are listed, an object's slots go nowhere. */
struct describing {
    struct ouro_shape_builder builder; /* first: the context of ouro_shape_builder_part */
    bool (*is_namespace)(void *context, ouro_addr dict);
    void *context;
};

static bool describing_is_namespace(void *context, ouro_addr dict)
{
    struct describing *describing = context;
    return describing->is_namespace(describing->context, dict);
}

#define FIXED_MAX 0xffffffu
#define RUNS_MAX 0xfeu

static uint64_t pack(uint32_t shape, const struct ouro_part *parts, size_t part_count)
{
    uint64_t fixed = 0, runs = 0;
    for (size_t i = 0; i < part_count; i++) {
        runs += ouro_part_repeats(parts[i].kind);
        fixed += !ouro_part_repeats(parts[i].kind) && parts[i].kind != OURO_PART_TYPE;
    }
    if (shape == UINT32_MAX || fixed > FIXED_MAX || runs > RUNS_MAX)
        return UINT64_MAX;
    return shape | fixed << 32 | runs << 56;
}

static uint64_t build(struct ouro_shapes *shapes, struct ouro_visitor *visitor, const struct ouro_type *type,
                      uint32_t type_index, ouro_addr object)
{
    struct describing describing = {
        .builder = {.shapes = shapes}, .is_namespace = visitor->is_namespace, .context = visitor->context};
    struct ouro_visitor describer = {.python = visitor->python,
                                     .context = &describing,
                                     .part = ouro_shape_builder_part,
                                     .is_namespace = describing_is_namespace,
                                     .interpreter = visitor->interpreter,
                                     .sandbox = visitor->sandbox};
    ouro_visit(&describer, type, object);
    uint64_t known = UINT64_MAX;
    if (!describing.builder.failed)
        known = pack(ouro_snapshot_writer_shape(shapes->writer, type_index, describing.builder.parts.items,
                                                (uint32_t)describing.builder.parts.count),
                     describing.builder.parts.items, describing.builder.parts.count);
    free(describing.builder.parts.items);
    if (known == UINT64_MAX)
        shapes->failed = true;
    return known;
}

uint64_t ouro_shapes_get_bare(struct ouro_shapes *shapes, const struct ouro_type *type, uint32_t type_index)
{
    uint64_t known = UINT64_MAX;
    bool added;
    pthread_mutex_lock(&shapes->lock);
    uint64_t *place = ouro_map_put(&shapes->bare, type->addr, &added);
    if (place && added)
        *place = pack(ouro_snapshot_writer_shape(shapes->writer, type_index, NULL, 0), NULL, 0);
    if (place)
        known = *place;
    if (known == UINT64_MAX)
        shapes->failed = true;
    pthread_mutex_unlock(&shapes->lock);
    return known;
}

uint64_t ouro_shapes_get(struct ouro_shapes *shapes, struct ouro_visitor *visitor, struct ouro_type *type,
                         uint32_t type_index, ouro_addr object, uint64_t variant)
{
    uint64_t known = UINT64_MAX;
    pthread_mutex_lock(&shapes->lock);
    if (!type->varies) {
        if (type->user == UINT64_MAX)
            __atomic_store_n(&type->user, build(shapes, visitor, type, type_index, object), __ATOMIC_RELEASE);
        known = type->user;
    } else {
        bool added;
        uint64_t key = (variant ^ type->addr * UINT64_C(0x9e3779b97f4a7c15)) & ~(UINT64_C(1) << 63);
        uint64_t *place = ouro_map_put(&shapes->by_variant, key, &added);
        if (place && added)
            *place = build(shapes, visitor, type, type_index, object);
        if (place)
            known = *place;
        else
            shapes->failed = true;
    }
    pthread_mutex_unlock(&shapes->lock);
    return known;
}
