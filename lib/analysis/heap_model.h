/* A snapshot opened for questions: its tables, and of its columns those that somebody asked for.
 *
 * Also how to walk an object's slots: part by part (fast, for whole heaps) or slot by slot (with all a label needs).
 * Nothing in the file is trusted further than reader.h promises. Objects lost to damage have no type and no slots. */
#ifndef OURO_ANALYSIS_HEAP_MODEL_H
#define OURO_ANALYSIS_HEAP_MODEL_H

#include "base/ahead.h"
#include "base/err.h"
#include "graph/reach.h"
#include "snapshot/reader.h"

/* A shape may have this many repeated parts; a file with more is refused. */
#define OURO_REPEATED_PARTS_MAX 64
#define OURO_TYPE_NONE UINT32_MAX
/* Objects lost to damage are given pseudo addresses from here on: their own is lost too. */
#define OURO_LOST_BASE (OURO_PSEUDO_BASE + (UINT64_C(1) << 40))

struct ouro_heap_shape {
    const struct ouro_part *parts; /* borrowed from the snapshot */
    uint32_t part_count;
    uint32_t type;           /* index into types, or OURO_TYPE_NONE for lost objects */
    uint32_t fixed_count;    /* slots of its single parts */
    uint32_t repeated_count; /* parts that repeat */
    uint8_t repeated_width;  /* slots per item, where one part repeats */
    uint8_t classes;         /* bit per enum ouro_edge_class that a slot of it can have */
};

struct ouro_heap_model {
    struct ouro_snapshot *snapshot; /* owned */
    struct ouro_heap heap;          /* columns loaded so far; count is always set */
    unsigned columns;               /* enum ouro_heap_columns loaded */
    struct ouro_heap_shape *shapes; /* owned; shape_count + 1: the last is that of lost objects */
    uint32_t shape_count;
    const struct ouro_type_record *types; /* borrowed */
    uint32_t type_count;
    uint32_t tuple_type, root_type; /* indexes or OURO_TYPE_NONE */
};

/* open_flags: enum ouro_open_flag. Errors: those of ouro_snapshot_open. */
enum ouro_status ouro_heap_model_open(struct ouro_heap_model *model, const char *path, unsigned open_flags,
                                      struct ouro_err *err);
/* Takes the descriptor, in any case: a snapshot that no folder has (ouro_snapshot_writer_take_fd). */
enum ouro_status ouro_heap_model_open_fd(struct ouro_heap_model *model, int fd, struct ouro_err *err);
void ouro_heap_model_close(struct ouro_heap_model *model);
/* Loads those of the columns that are not there yet. One call for all that is needed is cheaper than several. */
enum ouro_status ouro_heap_model_load(struct ouro_heap_model *model, unsigned columns, struct ouro_err *err);
/* Gives up columns whose memory is wanted for something else; loading them again reads the file again. SHAPE stays while
 * SLOTS do, FLAGS while VALUES do. */
void ouro_heap_model_drop(struct ouro_heap_model *model, unsigned columns);

/* Of a type (OURO_TYPE_NONE: "<lost>"). Borrowed. The module is "" where there is none. */
const char *ouro_heap_model_type_name(const struct ouro_heap_model *model, uint32_t type, size_t *size);
const char *ouro_heap_model_type_module(const struct ouro_heap_model *model, uint32_t type, size_t *size);
/* A key for maps (of a real type): the same for types of the same module and name, and for all whose names are lost. */
static inline uint64_t ouro_heap_model_type_key(const struct ouro_heap_model *model, uint32_t type)
{
    uint64_t key = (uint64_t)model->types[type].module << 32 | model->types[type].name;
    return key == UINT64_MAX ? UINT64_MAX - 2 : key; /* map.h reserves that one */
}
/* The object at exactly this address (needs ADDR), or OURO_NODE_NONE. O(log); O(objects) after losses. */
ouro_node ouro_heap_model_find(const struct ouro_heap_model *model, ouro_addr addr);

static inline const struct ouro_heap_shape *ouro_heap_model_shape(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t shape = model->heap.shape[node];
    return &model->shapes[shape < model->shape_count ? shape : model->shape_count];
}

static inline uint32_t ouro_heap_model_type(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_heap_model_shape(model, node)->type;
}

static inline unsigned ouro_heap_model_type_flags(const struct ouro_heap_model *model, uint32_t type)
{
    return type < model->type_count ? model->types[type].flags : 0;
}

/* Needs FLAGS: which generation's list, -1 not tracked, 3 permanent. */
static inline int ouro_heap_model_generation(const struct ouro_heap_model *model, ouro_node node)
{
    return (int)(model->heap.flags[node] & OURO_OBJECT_GC_MASK) - 1;
}

static inline uint64_t ouro_heap_model_bytes(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.size[node] + (model->heap.native ? model->heap.native[node] : 0);
}

/* --- Part by part (needs SLOTS). */
struct ouro_part_walk {
    const struct ouro_heap_model *model; /* borrowed */
    const struct ouro_part *next, *end;
    uint64_t at, slots_end; /* of heap.slots */
    ouro_node node;
    uint32_t repeated, repeated_known;
    /* The current part: item_count items of width slots each, from slots[first] on. */
    const struct ouro_part *part;
    uint64_t first, item_count;
    unsigned width;
    uint64_t counts[OURO_REPEATED_PARTS_MAX];
};

static inline void ouro_part_walk_begin(struct ouro_part_walk *walk, const struct ouro_heap_model *model,
                                        ouro_node node)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    walk->model = model;
    walk->next = shape->parts;
    walk->end = shape->parts + shape->part_count;
    walk->at = model->heap.slot_begin[node];
    walk->slots_end = model->heap.slot_begin[node + 1];
    walk->node = node;
    walk->repeated = 0;
    walk->repeated_known = shape->repeated_count;
    uint64_t slot_count = walk->slots_end - walk->at;
    if (shape->repeated_count == 1)
        walk->counts[0] =
            slot_count < shape->fixed_count ? 0 : (slot_count - shape->fixed_count) / shape->repeated_width;
    else if (shape->repeated_count > 1)
        walk->repeated_known = ouro_heap_part_counts(&model->heap, node, walk->counts, OURO_REPEATED_PARTS_MAX);
}

/* Moves to the next part that has slots; false behind the last. */
static inline bool ouro_part_walk_next(struct ouro_part_walk *walk)
{
    while (walk->next < walk->end) {
        const struct ouro_part *part = walk->part = walk->next++;
        unsigned width = ouro_part_width(part->kind);
        uint64_t count = 1, left = walk->slots_end - walk->at;
        if (ouro_part_repeats(part->kind)) {
            count = walk->repeated < walk->repeated_known ? walk->counts[walk->repeated] : 0;
            walk->repeated++;
        }
        if (!count || !width)
            continue;
        if (count > left / width)
            return false;
        walk->first = walk->at;
        walk->item_count = count;
        walk->width = width;
        walk->at += count * width;
        return true;
    }
    return false;
}

/* Calls visit(target) for each slot of the classes in `classes` (bits 1 << enum ouro_edge_class) that holds a node. A
 * macro, because it is the innermost loop of everything; `visit` is the name of an inline function or macro taking
 * (context, target). */
#define OURO_EACH_TARGET(model, node, classes_wanted, visit, context)                                                  \
    do {                                                                                                               \
        const struct ouro_heap *heap_ = &(model)->heap;                                                                \
        const struct ouro_heap_shape *shape_ = ouro_heap_model_shape(model, node);                                     \
        if (!(shape_->classes & ~(classes_wanted))) {                                                                  \
            for (uint64_t i_ = heap_->slot_begin[node]; i_ < heap_->slot_begin[(node) + 1]; i_++)                      \
                if (heap_->slots[i_] != OURO_NODE_NONE)                                                                \
                    visit(context, heap_->slots[i_]);                                                                  \
        } else if (shape_->classes & (classes_wanted)) {                                                               \
            struct ouro_part_walk walk_;                                                                               \
            ouro_part_walk_begin(&walk_, model, node);                                                                 \
            while (ouro_part_walk_next(&walk_))                                                                        \
                for (unsigned place_ = 0; place_ < walk_.width; place_++) {                                            \
                    if (!((classes_wanted) & 1u << ouro_part_slot_class(walk_.part->kind, walk_.part->edge_class,      \
                                                                        place_)))                                      \
                        continue;                                                                                      \
                    for (uint64_t i_ = 0; i_ < walk_.item_count; i_++)                                                 \
                        if (heap_->slots[walk_.first + i_ * walk_.width + place_] != OURO_NODE_NONE)                   \
                            visit(context, heap_->slots[walk_.first + i_ * walk_.width + place_]);                     \
                }                                                                                                      \
        }                                                                                                              \
    } while (0)

/* Asks memory for what a look at the node's slots will need (needs SLOTS): a few nodes before its turn, then for the slots, then,
 * of an array by object, for the items of what the first of them refer to. */
#define OURO_AHEAD_TARGETS 8u
static inline void ouro_heap_model_ahead(const struct ouro_heap_model *model, ouro_node node)
{
    ouro_ahead(&model->heap.slot_begin[node]);
    ouro_ahead(&model->heap.shape[node]);
}

static inline void ouro_heap_model_ahead_slots(const struct ouro_heap_model *model, ouro_node node)
{
    ouro_ahead(&model->heap.slots[model->heap.slot_begin[node]]);
    ouro_ahead(&model->heap.slots[model->heap.slot_begin[node + 1]]);
}

static inline void ouro_heap_model_ahead_targets(const struct ouro_heap_model *model, ouro_node node, const void *items,
                                                 size_t item_bytes)
{
    uint64_t begin = model->heap.slot_begin[node], end = model->heap.slot_begin[node + 1];
    for (uint64_t i = begin; i < end && i < begin + OURO_AHEAD_TARGETS; i++)
        if (model->heap.slots[i] != OURO_NODE_NONE)
            ouro_ahead((const char *)items + model->heap.slots[i] * item_bytes);
}

#define OURO_CLASS_TRAVERSED (1u << OURO_EDGE_TRAVERSED)
#define OURO_CLASS_OWNED     (1u << OURO_EDGE_TRAVERSED | 1u << OURO_EDGE_HIDDEN)

/* --- Slot by slot, in the order of the file. */
struct ouro_slot {
    ouro_node node, target; /* target: OURO_NODE_NONE where the slot is empty */
    ouro_node key;          /* for values of mappings and results of links: the key; else OURO_NODE_NONE */
    enum ouro_edge_class edge_class;
    const struct ouro_part *part; /* borrowed */
    uint64_t item, item_count;
    unsigned place;
    uint64_t index; /* among all slots of the node */
};

struct ouro_slot_walk {
    struct ouro_part_walk parts;
    uint64_t item;
    unsigned place;
    bool in_part;
};

static inline void ouro_slot_walk_begin(struct ouro_slot_walk *walk, const struct ouro_heap_model *model,
                                        ouro_node node)
{
    ouro_part_walk_begin(&walk->parts, model, node);
    walk->in_part = false;
}

/* The next slot, empty ones included; false behind the last. */
static inline bool ouro_slot_walk_next(struct ouro_slot_walk *walk, struct ouro_slot *slot)
{
    struct ouro_part_walk *parts = &walk->parts;
    if (walk->in_part && ++walk->place == parts->width) {
        walk->place = 0;
        walk->in_part = ++walk->item < parts->item_count;
    }
    if (!walk->in_part) {
        if (!ouro_part_walk_next(parts))
            return false;
        walk->in_part = true;
        walk->item = walk->place = 0;
    }
    const ouro_node *item = &parts->model->heap.slots[parts->first + walk->item * parts->width];
    slot->node = parts->node;
    slot->target = item[walk->place];
    slot->part = parts->part;
    slot->edge_class = ouro_part_slot_class(parts->part->kind, parts->part->edge_class, walk->place);
    slot->item = walk->item;
    slot->item_count = parts->item_count;
    slot->place = walk->place;
    slot->index = parts->first + walk->item * parts->width + walk->place - parts->model->heap.slot_begin[parts->node];
    slot->key = OURO_NODE_NONE;
    if (parts->width == 2 && walk->place == 0)
        slot->key = item[1];
    else if (parts->width == 3 && walk->place == 1)
        slot->key = item[0];
    return true;
}

/* What the node's first field of that name refers to, "__base__" for instance; OURO_NODE_NONE: no such field, or nothing in
 * it. Of a node OURO_NODE_NONE too. */
ouro_node ouro_heap_model_field(const struct ouro_heap_model *model, ouro_node node, const char *name);
/* For ouro_reach.ahead, where the context is the model. */
void ouro_heap_model_reach_ahead(const void *model, ouro_node node, const struct ouro_reach *reach, unsigned stage);
/* Calls visit for each borrowed reference (needs SLOTS): owned by nobody's count, though reported. */
void ouro_heap_model_each_borrowed(const struct ouro_heap_model *model,
                                   void (*visit)(void *context, const struct ouro_slot *slot), void *context);

#endif
