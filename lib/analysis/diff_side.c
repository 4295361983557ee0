#include "analysis/diff_side.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "base/hash.h"
#include "base/large.h"

#define KEY_DEPTH_MAX 3
#define KEY_ITEMS_MAX 8

/* Names what the object holds in the tree of paths. */
static bool name_held(struct ouro_diff_side *side, ouro_node v)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, side->model, v);
    while (ouro_slot_walk_next(&walk, &slot)) {
        ouro_node to = slot.target;
        if (to == OURO_NODE_NONE || side->search.parent[to] != v || to == v || slot.edge_class == OURO_EDGE_WEAK ||
            side->signature[to])
            continue;
        uint32_t found = ouro_diff_labels_step(&side->labels, side->signature[v], &slot);
        if (found == OURO_SIGNATURE_NONE)
            return false;
        side->signature[to] = found;
    }
    return true;
}

/* What its holder didn't name is a root, or nothing reaches it. */
static bool name_itself(struct ouro_diff_side *side, ouro_node v)
{
    if (side->signature[v])
        return true;
    uint32_t found = side->search.parent[v] == v
                         ? ouro_diff_labels_root(&side->labels, v)
                         : ouro_diff_names_child(side->labels.names, OURO_SIGNATURE_EMPTY, side->labels.unreached);
    if (found != OURO_SIGNATURE_NONE)
        side->signature[v] = found;
    return found != OURO_SIGNATURE_NONE;
}

uint32_t ouro_diff_side_find_signature(struct ouro_diff_side *side, ouro_node node)
{
    const ouro_node *parent = side->search.parent;
    ouro_node v = node;
    side->unnamed.count = 0;
    for (; !side->signature[v] && parent[v] != v && parent[v] != OURO_NODE_NONE; v = parent[v]) {
        ouro_node *holder = OURO_VEC_ADD(&side->unnamed);
        if (!holder)
            return OURO_SIGNATURE_NONE;
        *holder = parent[v];
    }
    while (side->unnamed.count) {
        v = side->unnamed.items[--side->unnamed.count];
        if (!name_itself(side, v) || !name_held(side, v))
            return OURO_SIGNATURE_NONE;
    }
    return name_itself(side, node) ? side->signature[node] : OURO_SIGNATURE_NONE;
}

/* Where paths from native references and garbage begin, behind all that has a name. */
static bool name_nameless(struct ouro_diff_side *side)
{
    const struct ouro_path_search *search = &side->search;
    struct ouro_diff_names *names = side->labels.names;
    uint32_t native = ouro_diff_names_child(names, OURO_SIGNATURE_EMPTY, side->labels.native);
    uint32_t garbage = ouro_diff_names_child(names, OURO_SIGNATURE_EMPTY, side->labels.garbage);
    for (ouro_node i = search->named_count; i < search->found_count; i++)
        if (search->parent[search->queue[i]] == search->queue[i])
            side->signature[search->queue[i]] = i < search->native_count ? native : garbage;
    return native != OURO_SIGNATURE_NONE && garbage != OURO_SIGNATURE_NONE;
}

/* --- The whole */

/* All but names. */
static enum ouro_status search(struct ouro_diff_side *side, struct ouro_heap_model *model, bool paths, struct ouro_err *err)
{
    memset(side, 0, sizeof *side);
    side->model = model;
    OURO_TRY(ouro_heap_model_load(model, OURO_DIFF_COLUMNS, err));
    if (paths) {
        OURO_TRY(ouro_path_search_init(&side->search, model, err));
        side->has_search = true;
        OURO_TRY(ouro_path_search_run(&side->search, NULL, 0, err));
        OURO_TRY(ouro_roots_init_found(&side->roots, model, &side->collector, side->search.found, err));
        side->has_collector = true;
    } else {
        OURO_TRY(ouro_collector_init(&side->collector, model, err));
        side->has_collector = true;
        OURO_TRY(ouro_roots_init(&side->roots, model, &side->collector, err));
    }
    side->has_roots = true;
    OURO_TRY(ouro_histogram_init(&side->types, model, NULL, NULL, NULL, err));
    if (paths)
        ouro_path_search_extend(&side->search, &side->roots);
    return OURO_OK;
}

/* Names are shared, so this is for one thread. */
static enum ouro_status name(struct ouro_diff_side *side, struct ouro_diff_names *names, struct ouro_err *err)
{
    const struct ouro_heap_model *model = side->model;
    if (ouro_diff_labels_init(&side->labels, names, model) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for the names of %u types", model->type_count);
    if (!side->has_search)
        return OURO_OK;
    side->signature = calloc((size_t)model->heap.count + 1, sizeof *side->signature); /* zero pages, until they are needed */
    if (!side->signature || !name_nameless(side))
        return ouro_err_set(err, OURO_NOMEM, "out of memory for how %lu objects are reached", (unsigned long)model->heap.count);
    return OURO_OK;
}

enum ouro_status ouro_diff_side_init(struct ouro_diff_side *side, struct ouro_heap_model *model,
                                     struct ouro_diff_names *names, bool paths, struct ouro_err *err)
{
    enum ouro_status status = search(side, model, paths, err);
    if (status == OURO_OK)
        status = name(side, names, err);
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
    free(side->unnamed.items);
    memset(side, 0, sizeof *side);
}

/* --- Both */

struct searching {
    struct ouro_diff_side *side;
    struct ouro_heap_model *model;
    bool paths;
    enum ouro_status status;
    struct ouro_err err;
};

static void *run(void *context)
{
    struct searching *s = context;
    s->status = search(s->side, s->model, s->paths, &s->err);
    return NULL;
}

enum ouro_status ouro_diff_sides_init(struct ouro_diff_side *const sides[2], struct ouro_heap_model *const models[2],
                                      struct ouro_diff_names *names, bool paths, unsigned *failed, struct ouro_err *err)
{
    struct searching both[] = {{.side = sides[0], .model = models[0], .paths = paths},
                               {.side = sides[1], .model = models[1], .paths = paths}};
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, run, &both[1]) == 0;
    run(&both[0]);
    if (started)
        pthread_join(thread, NULL);
    else
        run(&both[1]);
    for (*failed = 0; *failed < 2; ++*failed) {
        struct searching *one = &both[*failed];
        if (one->status == OURO_OK)
            one->status = name(one->side, names, &one->err);
        if (one->status == OURO_OK)
            continue;
        ouro_diff_side_fini(sides[0]);
        ouro_diff_side_fini(sides[1]);
        if (err)
            *err = one->err;
        return one->status;
    }
    return OURO_OK;
}

/* --- What tells references apart */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return ouro_hash_mix(hash, size);
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
        hash = ouro_hash_mix(hash, item);
    }
    return hash | 1;
}

uint64_t ouro_diff_value_key(const struct ouro_heap_model *model, ouro_node node)
{
    uint64_t hash = hash_value(model, node, 0);
    return hash == UINT64_MAX ? 1 : hash; /* map.h reserves that one */
}

uint64_t ouro_diff_slot_key(const struct ouro_heap_model *model, const struct ouro_slot *slot)
{
    const struct ouro_part *part = slot->part;
    size_t size;
    const char *name = ouro_snapshot_string(model->snapshot, part->name, &size);
    uint64_t value, hash = ouro_hash_mix(slot->place + 1, hash_bytes(part->kind, name ? name : "", name ? size : 0));
    switch (part->kind) {
    case OURO_PART_FIELD:
    case OURO_PART_TYPE:
        return hash | 1;
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
        value = hash_value(model, slot->place ? slot->target : slot->key, 0);
        return value ? ouro_hash_mix(slot->place + 1, value) | 1 : 0;
    case OURO_PART_LINKS:
        value = hash_value(model, slot->place == 1 ? slot->key : slot->target, 0);
        return value && slot->place < 2 ? ouro_hash_mix(hash, value) | 1 : 0;
    case OURO_PART_ELEMENTS:
    case OURO_PART_KEYS:
        value = hash_value(model, slot->target, 0);
        return value ? ouro_hash_mix(hash, value) | 1 : 0;
    case OURO_PART_NAMED: /* frames: the outermost is the oldest */
        return ouro_hash_mix(hash, slot->item_count - slot->item) | 1;
    case OURO_PART_ITEMS_DOWN:
        return ouro_hash_mix(hash, slot->item_count - 1 - slot->item) | 1;
    default:
        return ouro_hash_mix(hash, slot->item) | 1;
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
