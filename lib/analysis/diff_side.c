#include "analysis/diff_side.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "base/large.h"

#define KEY_DEPTH_MAX 3
#define KEY_ITEMS_MAX 8

/* Indices move, what a set has in which place is chance. */
static bool is_place(const struct ouro_slot *slot)
{
    unsigned kind = slot->part->kind;
    return kind == OURO_PART_FIELD || kind == OURO_PART_NAMESPACE || kind == OURO_PART_NAMESPACE_ANY ||
           kind == OURO_PART_ENTRIES || kind == OURO_PART_ENTRIES_STR || kind == OURO_PART_NAMED;
}

/* Names what the object holds in the tree of paths. */
static bool name_held(struct ouro_diff_side *side, ouro_node v)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, side->model, v);
    while (ouro_slot_walk_next(&walk, &slot)) {
        ouro_node to = slot.target;
        if (to == OURO_NODE_NONE || side->search.parent[to] != v || to == v || slot.edge_class == OURO_EDGE_WEAK ||
            side->signature[to] != OURO_SIGNATURE_NONE)
            continue;
        side->signature[to] = ouro_diff_labels_step(&side->labels, side->signature[v], &slot);
        side->place[to] = is_place(&slot) ? (uint32_t)(ouro_diff_slot_key(side->model, &slot) >> 32) : 0;
        if (side->signature[to] == OURO_SIGNATURE_NONE)
            return false;
    }
    return true;
}

#define AHEAD 24 /* objects before whose turn what they hold is asked for */

static void look_ahead(const struct ouro_diff_side *side, ouro_node done)
{
    const ouro_node *queue = side->search.queue + done;
    if (side->search.found_count - done <= AHEAD)
        return;
    ouro_heap_model_ahead(side->model, queue[AHEAD]);
    ouro_heap_model_ahead_slots(side->model, queue[2 * AHEAD / 3]);
    ouro_heap_model_ahead_targets(side->model, queue[AHEAD / 3], side->search.parent, sizeof *side->search.parent);
    ouro_heap_model_ahead_targets(side->model, queue[AHEAD / 3], side->signature, sizeof *side->signature);
}

/* Where paths begin goes first: a thread's frames stand before it in the queue. */
static bool name_beginnings(struct ouro_diff_side *side, uint32_t native, uint32_t garbage)
{
    const struct ouro_path_search *search = &side->search;
    for (ouro_node i = 0; i < search->found_count; i++) {
        ouro_node v = search->queue[i];
        if (search->parent[v] != v)
            continue;
        side->signature[v] = i >= search->native_count  ? garbage
                             : i >= search->named_count ? native
                                                        : ouro_diff_labels_root(&side->labels, v);
        if (side->signature[v] == OURO_SIGNATURE_NONE || !name_held(side, v))
            return false;
    }
    return true;
}

static enum ouro_status name_objects(struct ouro_diff_side *side)
{
    const struct ouro_path_search *search = &side->search;
    struct ouro_diff_names *names = side->labels.names;
    uint32_t native = ouro_diff_names_child(names, OURO_SIGNATURE_EMPTY, side->labels.native);
    uint32_t garbage = ouro_diff_names_child(names, OURO_SIGNATURE_EMPTY, side->labels.garbage);
    uint32_t unreached = ouro_diff_names_child(names, OURO_SIGNATURE_EMPTY, side->labels.unreached);
    size_t count = side->model->heap.count;
    if (native == OURO_SIGNATURE_NONE || garbage == OURO_SIGNATURE_NONE || unreached == OURO_SIGNATURE_NONE)
        return OURO_NOMEM;
    memset(side->signature, 0xff, count * sizeof *side->signature);
    if (!name_beginnings(side, native, garbage))
        return OURO_NOMEM;
    for (ouro_node i = 0; i < search->found_count; i++) {
        ouro_node v = search->queue[i];
        look_ahead(side, i);
        if (search->parent[v] != v && side->signature[v] != OURO_SIGNATURE_NONE && !name_held(side, v))
            return OURO_NOMEM;
    }
    for (bool more = true; more;) { /* what a thread holds that something else holds: rare */
        more = false;
        for (ouro_node i = 0; i < search->found_count; i++) {
            ouro_node v = search->queue[i], holder = search->parent[v];
            if (side->signature[v] != OURO_SIGNATURE_NONE || side->signature[holder] == OURO_SIGNATURE_NONE)
                continue;
            if (!name_held(side, holder))
                return OURO_NOMEM;
            more |= side->signature[v] != OURO_SIGNATURE_NONE;
        }
    }
    for (size_t v = 0; v < count; v++)
        if (side->signature[v] == OURO_SIGNATURE_NONE)
            side->signature[v] = unreached;
    return OURO_OK;
}

static enum ouro_status init(struct ouro_diff_side *side, struct ouro_diff_names *names, bool paths, struct ouro_err *err)
{
    struct ouro_heap_model *model = side->model;
    OURO_TRY(ouro_heap_model_load(model, OURO_DIFF_COLUMNS, err));
    OURO_TRY(ouro_collector_init(&side->collector, model, err));
    side->has_collector = true;
    if (paths) {
        OURO_TRY(ouro_path_search_init(&side->search, model, err));
        side->has_search = true;
        OURO_TRY(ouro_path_search_run(&side->search, NULL, 0, err));
    }
    OURO_TRY(ouro_roots_init_found(&side->roots, model, &side->collector, side->search.parent, err));
    side->has_roots = true;
    OURO_TRY(ouro_histogram_init(&side->types, model, NULL, NULL, NULL, err));
    if (ouro_diff_labels_init(&side->labels, names, model) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for the names of %u types", model->type_count);
    if (!paths)
        return OURO_OK;
    ouro_path_search_extend(&side->search, &side->roots);
    side->signature = ouro_large_new(model->heap.count, sizeof *side->signature);
    side->place = ouro_large_new_zeroed(model->heap.count, sizeof *side->place);
    if (!side->signature || !side->place || name_objects(side) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for how %lu objects are reached",
                            (unsigned long)model->heap.count);
    return OURO_OK;
}

enum ouro_status ouro_diff_side_init(struct ouro_diff_side *side, struct ouro_heap_model *model,
                                     struct ouro_diff_names *names, bool paths, struct ouro_err *err)
{
    memset(side, 0, sizeof *side);
    side->model = model;
    enum ouro_status status = init(side, names, paths, err);
    if (status != OURO_OK)
        ouro_diff_side_fini(side);
    return status;
}

enum ouro_status ouro_diff_side_retain(struct ouro_diff_side *side, struct ouro_err *err)
{
    if (side->has_retained)
        return OURO_OK;
    OURO_TRY(ouro_retained_init(&side->retained, &side->roots, err));
    side->has_retained = true;
    return OURO_OK;
}

void ouro_diff_side_fini(struct ouro_diff_side *side)
{
    if (side->has_retained)
        ouro_retained_fini(&side->retained);
    if (side->has_search)
        ouro_path_search_fini(&side->search);
    if (side->has_roots)
        ouro_roots_fini(&side->roots);
    if (side->has_collector)
        ouro_collector_fini(&side->collector);
    ouro_histogram_fini(&side->types);
    ouro_diff_labels_fini(&side->labels);
    free(side->signature);
    free(side->place);
    memset(side, 0, sizeof *side);
}

/* --- Both */

struct preparing {
    struct ouro_diff_side *side;
    struct ouro_heap_model *model;
    struct ouro_diff_names *names;
    bool paths, retained;
    enum ouro_status status;
    struct ouro_err err;
};

static void *prepare(void *context)
{
    struct preparing *p = context;
    p->status = ouro_diff_side_init(p->side, p->model, p->names, p->paths, &p->err);
    if (p->status == OURO_OK && p->retained && (p->status = ouro_diff_side_retain(p->side, &p->err)) != OURO_OK)
        ouro_diff_side_fini(p->side);
    return NULL;
}

/* As if it had been named with these names from the beginning. */
static enum ouro_status rename_side(struct ouro_diff_side *side, struct ouro_diff_names *names)
{
    const struct ouro_diff_names *own = side->labels.names;
    OURO_FREE uint32_t *labels = malloc((own->labels.count + 1) * sizeof *labels);
    OURO_FREE uint32_t *signatures = malloc((own->signatures.count + 1) * sizeof *signatures);
    if (!labels || !signatures)
        return OURO_NOMEM;
    OURO_TRY(ouro_diff_names_join(names, own, labels, signatures));
    for (size_t v = 0; side->signature && v < side->model->heap.count; v++)
        side->signature[v] = signatures[side->signature[v]];
    ouro_diff_labels_rename(&side->labels, names, labels);
    return OURO_OK;
}

enum ouro_status ouro_diff_sides_init(struct ouro_diff_side *const sides[2], struct ouro_heap_model *const models[2],
                                      struct ouro_diff_names *names, bool paths, bool retained, unsigned *failed,
                                      struct ouro_err *err)
{
    OURO_GUARD(ouro_diff_names_fini) struct ouro_diff_names own = {.scratch = {0}}; /* of the second, until both are there */
    struct preparing first = {.side = sides[0], .model = models[0], .names = names, .paths = paths, .retained = retained};
    struct preparing second = first;
    second.side = sides[1];
    second.model = models[1];
    second.names = &own;
    *failed = 1;
    if (ouro_diff_names_init(&own) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for names");
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, prepare, &second) == 0;
    prepare(&first);
    if (started)
        pthread_join(thread, NULL);
    else if (first.status == OURO_OK)
        prepare(&second);
    else
        second.status = first.status;
    if (first.status == OURO_OK && second.status == OURO_OK) {
        second.status = rename_side(sides[1], names);
        if (second.status == OURO_OK)
            return OURO_OK;
        ouro_diff_side_fini(sides[1]);
        ouro_err_set(&second.err, second.status, "out of memory for names");
    } else if (started && second.status == OURO_OK) {
        ouro_diff_side_fini(sides[1]);
    }
    *failed = first.status == OURO_OK;
    if (*failed)
        ouro_diff_side_fini(sides[0]);
    if (err)
        *err = *failed ? second.err : first.err;
    return *failed ? second.status : first.status;
}

/* --- What tells references apart */

static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return mix(hash, size);
}

/* Of a scalar's value or a tuple of such; 0: it has none. */
static uint64_t hash_value(const struct ouro_heap_model *model, ouro_node node, unsigned depth)
{
    uint32_t type = node == OURO_NODE_NONE ? OURO_TYPE_NONE : ouro_heap_model_type(model, node);
    size_t size;
    if (type >= model->type_count)
        return 0;
    if (ouro_value_has(model, node)) {
        const unsigned char *bytes = ouro_value_raw(model, node, &size);
        return hash_bytes(model->types[type].value_kind + 1, bytes, size) | 1;
    }
    uint64_t begin = model->heap.slot_begin[node], count = model->heap.slot_begin[node + 1] - begin;
    if (type != model->tuple_type || depth >= KEY_DEPTH_MAX || count > KEY_ITEMS_MAX)
        return 0;
    uint64_t hash = 77;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t item = hash_value(model, model->heap.slots[begin + i], depth + 1);
        if (!item)
            return 0;
        hash = mix(hash, item);
    }
    return hash | 1;
}

uint64_t ouro_diff_slot_key(const struct ouro_heap_model *model, const struct ouro_slot *slot)
{
    const struct ouro_part *part = slot->part;
    size_t size;
    const char *name = ouro_snapshot_string(model->snapshot, part->name, &size);
    uint64_t value, hash = mix(slot->place + 1, hash_bytes(part->kind, name ? name : "", name ? size : 0));
    switch (part->kind) {
    case OURO_PART_FIELD:
    case OURO_PART_TYPE:
        return hash | 1;
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
        value = hash_value(model, slot->place ? slot->target : slot->key, 0);
        return value ? mix(slot->place + 1, value) | 1 : 0;
    case OURO_PART_LINKS:
        value = hash_value(model, slot->place == 1 ? slot->key : slot->target, 0);
        return value && slot->place < 2 ? mix(hash, value) | 1 : 0;
    case OURO_PART_ELEMENTS:
    case OURO_PART_KEYS:
        value = hash_value(model, slot->target, 0);
        return value ? mix(hash, value) | 1 : 0;
    case OURO_PART_NAMED: /* frames: the outermost is the oldest */
        return mix(hash, slot->item_count - slot->item) | 1;
    case OURO_PART_ITEMS_DOWN:
        return mix(hash, slot->item_count - 1 - slot->item) | 1;
    default:
        return mix(hash, slot->item) | 1;
    }
}

int64_t ouro_diff_length(const struct ouro_heap_model *model, ouro_node node)
{
    if (node >= model->heap.count || model->heap.flags[node] & OURO_OBJECT_PSEUDO)
        return -1;
    int64_t length = -1, keys = -1;
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    bool counts = false;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        unsigned kind = shape->parts[i].kind;
        counts |= kind >= OURO_PART_ITEMS && kind <= OURO_PART_ELEMENTS;
        counts |= kind == OURO_PART_LINKS || kind == OURO_PART_NAMESPACE_ANY;
    }
    if (!counts)
        return -1;
    struct ouro_part_walk walk;
    length = 0;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk)) {
        if (!ouro_part_repeats(walk.part->kind) || walk.part->kind == OURO_PART_STACK || walk.part->kind == OURO_PART_FOUND ||
            walk.part->kind == OURO_PART_NAMED)
            continue;
        int64_t filled = 0;
        for (uint64_t i = 0; i < walk.item_count; i++)
            filled += model->heap.slots[walk.first + i * walk.width] != OURO_NODE_NONE;
        if (walk.part->kind == OURO_PART_KEYS)
            keys = filled; /* an OrderedDict's, which are its entries' too */
        else
            length += filled;
    }
    return length ? length : keys > 0 ? keys : length;
}
