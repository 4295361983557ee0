#include "analysis/path_tree.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/large.h"
#include "base/map.h"

#define NONE UINT32_MAX
#define JOINED_BYTES_MAX 200

/* An object on a path, numbered in the order in which the search found them. */
struct place {
    ouro_node node;
    uint32_t parent; /* NONE: the row above is none */
    uint32_t next;   /* of the same group */
    uint32_t example;
    uint64_t count, bytes;
    bool own, begins, through, seen; /* through: part of how its parent's row goes on, with no row of its own */
};

struct group {
    uint32_t first, last; /* places, linked by next */
    struct ouro_slot steps[2];
    unsigned step_count;
    bool folds;
    uint32_t type;
    uint64_t object_count, own_count, count, bytes;
    uint32_t example;
    size_t key_begin, key_size;
    size_t text_begin, text_size; /* of those at the top */
    size_t depth;
};

struct groups {
    struct group *items;
    size_t count, capacity;
};

struct growing {
    struct ouro_path_tree *tree;
    struct ouro_path_finder *finder;
    const struct ouro_heap_model *model;
    const struct ouro_path_tree_query *query;
    uint32_t *place_of; /* by object */
    struct place *places;
    uint32_t place_count;
    struct groups found, waiting; /* of one row; the stack */
    struct ouro_map by_key;
    struct ouro_buf keys, label;
    struct ouro_notation_step step;
};

static void growing_fini(struct growing *growing)
{
    free(growing->place_of);
    free(growing->places);
    free(growing->found.items);
    free(growing->waiting.items);
    ouro_map_fini(&growing->by_key);
    ouro_buf_fini(&growing->keys);
    ouro_buf_fini(&growing->label);
    ouro_notation_step_fini(&growing->step);
}

/* --- The instances, and what is on their paths */

struct instances {
    ouro_node *items;
    size_t count, capacity;
};

static void instances_fini(struct instances *instances)
{
    free(instances->items);
}

static enum ouro_status find_instances(struct growing *growing, struct instances *instances, struct ouro_err *err)
{
    const struct ouro_heap_model *model = growing->model;
    OURO_FREE uint8_t *matches = calloc((size_t)model->type_count + 1, 1);
    if (!matches)
        return OURO_NOMEM;
    for (uint32_t i = 0; i < model->type_count; i++)
        matches[i] = ouro_pattern_type(model, i, growing->query->type);
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        if (type >= model->type_count || !matches[type] || model->heap.flags[v] & OURO_OBJECT_PSEUDO)
            continue;
        ouro_node *place = OURO_VEC_ADD(instances);
        if (!place)
            return OURO_NOMEM;
        *place = v;
        growing->tree->instance_bytes += ouro_heap_model_bytes(model, v);
    }
    growing->tree->instance_count = instances->count;
    if (!instances->count)
        return ouro_err_set(err, OURO_GONE, "no object of a type \"%.100s\"", growing->query->type);
    return OURO_OK;
}

static bool is_field(const struct ouro_heap_model *model, const struct ouro_slot *slot, const char *name)
{
    const char *text = ouro_snapshot_string(model->snapshot, slot->part->name, NULL);
    return slot->part->kind == OURO_PART_FIELD && text && !strcmp(text, name);
}

/* A __dict__, or the frame object of a thread's frame: what stands in it is reached by way of its holder. */
static bool is_through(const struct growing *growing, const struct place *place, const struct place *holder)
{
    const struct ouro_heap_model *model = growing->model;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    bool frame = model->heap.flags[holder->node] & OURO_OBJECT_PSEUDO;
    uint32_t shape = model->heap.shape[holder->node];
    if (place->own || (!frame && (shape >= model->shape_count || !growing->finder->search.shapes[shape].count)))
        return false;
    ouro_slot_walk_begin(&walk, model, holder->node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target == place->node && is_field(model, &slot, frame ? "frame" : "__dict__"))
            return true;
    return false;
}

/* Marks all that are on a path, then numbers them. */
static enum ouro_status find_places(struct growing *growing, const struct instances *instances)
{
    const struct ouro_path_search *search = &growing->finder->search;
    ouro_node nodes = growing->model->heap.count;
    growing->place_of = ouro_large_new(nodes, sizeof *growing->place_of);
    if (!growing->place_of)
        return OURO_NOMEM;
    memset(growing->place_of, 0xff, nodes * sizeof *growing->place_of);
    for (size_t i = 0; i < instances->count; i++) {
        ouro_node node = instances->items[i];
        if (!ouro_path_search_found(search, node)) {
            growing->tree->unreached_count++;
            growing->tree->unreached_bytes += ouro_heap_model_bytes(growing->model, node);
            continue;
        }
        for (; growing->place_of[node] == NONE; node = search->parent[node]) {
            growing->place_of[node] = 0;
            growing->place_count++;
        }
    }
    growing->places = calloc((size_t)growing->place_count + 1, sizeof *growing->places);
    if (!growing->places)
        return OURO_NOMEM;
    growing->place_count = 0;
    for (ouro_node i = 0; i < search->found_count; i++)
        if (growing->place_of[search->queue[i]] != NONE) {
            ouro_node node = search->queue[i];
            growing->place_of[node] = growing->place_count;
            growing->places[growing->place_count++] =
                (struct place){.node = node,
                               .parent = NONE,
                               .next = NONE,
                               .example = NONE,
                               .begins = i < search->begin_count || search->parent[node] == node};
        }
    for (size_t i = 0; i < instances->count; i++) {
        struct place *place = ouro_path_search_found(search, instances->items[i])
                                  ? &growing->places[growing->place_of[instances->items[i]]]
                                  : NULL;
        if (!place)
            continue;
        place->own = true;
        place->count = 1;
        place->bytes = ouro_heap_model_bytes(growing->model, place->node);
        place->example = growing->place_of[place->node];
    }
    return OURO_OK;
}

/* Sums, from what was found last to what was found first. Beginnings have rows of their own. */
static void add_up(struct growing *growing)
{
    const struct ouro_path_search *search = &growing->finder->search;
    for (uint32_t i = growing->place_count; i--;) {
        struct place *place = &growing->places[i];
        ouro_node parent = search->parent[place->node];
        if (parent == place->node)
            continue;
        struct place *above = &growing->places[growing->place_of[parent]];
        place->through = is_through(growing, place, above);
        if (place->begins && !place->through)
            continue;
        place->parent = growing->place_of[parent];
        above->count += place->count;
        above->bytes += place->bytes;
        if (place->example != NONE && !above->own)
            above->example = place->example;
    }
}

/* --- Groups of one row's places below */

static uint64_t hash(const unsigned char *bytes, size_t size)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * UINT64_C(1099511628211);
    return (value ^ value >> 32) & INT64_MAX;
}

/* Whether places like this one differ from each other by index or key. */
static bool folds(const struct ouro_slot *slot, bool attribute)
{
    switch (slot->part->kind) {
    case OURO_PART_FIELD:
    case OURO_PART_TYPE:
        return false;
    default:
        return !attribute || slot->place;
    }
}

static void add_key(struct growing *growing, const struct ouro_slot *slot, bool attribute, uint32_t type)
{
    size_t size;
    ouro_buf_addf(&growing->keys, "%u %u ", type, slot->place);
    if (!folds(slot, attribute)) {
        growing->label.size = 0;
        ouro_label_add(&growing->label, growing->model, slot);
        ouro_buf_add(&growing->keys, growing->label.data, growing->label.size);
        return;
    }
    const char *name = ouro_snapshot_string(growing->model->snapshot, slot->part->name, &size);
    ouro_buf_addf(&growing->keys, "%u ", slot->part->kind);
    if (name)
        ouro_buf_add(&growing->keys, name, size);
}

static void join(struct growing *growing, struct group *group, uint32_t place_index)
{
    struct place *place = &growing->places[place_index];
    if (group->first == NONE)
        group->first = place_index;
    else
        growing->places[group->last].next = place_index;
    group->last = place_index;
    group->object_count++;
    group->own_count += place->own;
    group->count += place->count;
    group->bytes += place->bytes;
    if (group->example == NONE)
        group->example = place->example;
}

/* The group of this key, new or not; the key is the last of keys. */
static struct group *group_of(struct growing *growing, size_t key_begin)
{
    size_t size = growing->keys.size - key_begin;
    uint64_t key = hash(growing->keys.data + key_begin, size);
    for (;; key++) {
        bool added;
        uint64_t *number = ouro_map_put(&growing->by_key, key, &added);
        if (!number)
            return NULL;
        if (added) {
            struct group *group = OURO_VEC_ADD(&growing->found);
            if (!group)
                return NULL;
            *number = growing->found.count - 1;
            group->first = group->last = group->example = NONE;
            group->key_begin = key_begin;
            group->key_size = size;
            return group;
        }
        struct group *group = &growing->found.items[*number];
        if (group->key_size == size && !memcmp(growing->keys.data + group->key_begin, growing->keys.data + key_begin, size)) {
            growing->keys.size = key_begin;
            return group;
        }
    }
}

/* What lies below one place, by the slots of `node`: itself, or its __dict__ (reached by `first`). */
static enum ouro_status look_below(struct growing *growing, ouro_node node, uint32_t holder, const struct ouro_slot *first)
{
    const struct ouro_heap_model *model = growing->model;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        uint32_t index = slot.target == OURO_NODE_NONE ? NONE : growing->place_of[slot.target];
        struct place *place = index == NONE ? NULL : &growing->places[index];
        if (!place || place->parent != holder || place->seen || slot.edge_class == OURO_EDGE_WEAK)
            continue;
        place->seen = true;
        if (place->through) {
            OURO_TRY(look_below(growing, place->node, index, &slot)); /* once: a __dict__ has none that is */
            continue;
        }
        bool attribute = first && is_field(model, first, "__dict__");
        uint32_t type = ouro_heap_model_type(model, slot.target);
        size_t begin = growing->keys.size;
        add_key(growing, &slot, attribute, type);
        if (growing->keys.failed || growing->label.failed)
            return OURO_NOMEM;
        struct group *group = group_of(growing, begin);
        if (!group)
            return OURO_NOMEM;
        if (group->first == NONE) {
            group->type = type;
            group->folds = folds(&slot, attribute);
            if (first)
                group->steps[group->step_count++] = *first;
            group->steps[group->step_count++] = slot;
        }
        join(growing, group, index);
    }
    return OURO_OK;
}

static int by_count(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void forget_groups(struct growing *growing)
{
    growing->found.count = 0;
    growing->keys.size = 0;
    ouro_map_fini(&growing->by_key);
    memset(&growing->by_key, 0, sizeof growing->by_key);
}

/* The groups below a row's places, the largest first. */
static enum ouro_status find_groups(struct growing *growing, uint32_t first)
{
    forget_groups(growing);
    for (uint32_t i = first; i != NONE; i = growing->places[i].next)
        OURO_TRY(look_below(growing, growing->places[i].node, i, NULL));
    if (growing->found.count)
        qsort(growing->found.items, growing->found.count, sizeof *growing->found.items, by_count);
    return OURO_OK;
}

/* --- Rows */

static void add_step_text(struct growing *growing, const struct group *group, bool in_thread)
{
    struct ouro_buf *texts = &growing->tree->texts;
    const struct ouro_slot *last = &group->steps[group->step_count - 1];
    if (group->folds && group->object_count > 1) {
        bool item = last->part->kind != OURO_PART_FOUND && last->part->kind != OURO_PART_NAMED &&
                    last->part->kind != OURO_PART_STACK && last->part->kind != OURO_PART_LINKS;
        size_t size;
        const char *name = ouro_snapshot_string(growing->model->snapshot, last->part->name, &size);
        if (item && !(ouro_part_width(last->part->kind) == 2 && last->place))
            ouro_buf_add_text(texts, "[*]");
        else if (item)
            ouro_buf_add_text(texts, " -> <key>");
        else if (last->part->kind == OURO_PART_LINKS)
            ouro_buf_add_text(texts, last->place ? " -> <cached result>" : " -> <cached key>");
        else {
            ouro_buf_add_text(texts, " -> <");
            if (last->part->kind == OURO_PART_STACK)
                ouro_buf_add_text(texts, "stack");
            else if (name)
                ouro_buf_add(texts, name, size);
            ouro_buf_add_text(texts, "[*]>");
        }
        return;
    }
    const struct ouro_slot *steps = group->steps;
    size_t count = group->step_count;
    if (count == 2 && is_field(growing->model, steps, "frame")) {
        steps++;
        count--;
    }
    ouro_notation_next(&growing->finder->search.notation, steps, count, in_thread, &growing->step);
    if (!growing->step.before.size && (growing->step.taken == count || growing->step.words)) {
        if (growing->step.after.size)
            ouro_buf_add(texts, growing->step.after.data, growing->step.after.size);
        return;
    }
    growing->label.size = 0;
    ouro_label_add(&growing->label, growing->model, last);
    if (growing->label.size && growing->label.data[0] != '.' && growing->label.data[0] != '[')
        ouro_buf_add_text(texts, " -> ");
    if (growing->label.size)
        ouro_buf_add(texts, growing->label.data, growing->label.size);
}

static void add_examples(const struct growing *growing, const struct group *group, struct ouro_path_tree_row *row)
{
    row->example_count = 0;
    for (uint32_t i = group->first; i != NONE && row->example_count < OURO_PATH_TREE_EXAMPLES; i = growing->places[i].next)
        if (growing->places[i].own)
            row->examples[row->example_count++] = growing->places[i].node;
    if (!row->example_count && group->example != NONE)
        row->examples[row->example_count++] = growing->places[group->example].node;
}

static bool is_frame(const struct growing *growing, const struct group *group)
{
    ouro_node node = growing->places[group->first].node;
    return growing->model->heap.flags[node] & OURO_OBJECT_PSEUDO &&
           ouro_heap_model_type(growing->model, node) != growing->model->root_type;
}

/* A row of the group, and what is below it onto the stack. */
static enum ouro_status add_row(struct growing *growing, struct group group)
{
    struct ouro_path_tree *tree = growing->tree;
    const struct ouro_path_tree_query *query = growing->query;
    unsigned depth_max = query->depth && query->depth < OURO_PATH_TREE_DEPTH_MAX ? query->depth : OURO_PATH_TREE_DEPTH_MAX;
    struct ouro_path_tree_row *row = OURO_VEC_ADD(tree);
    if (!row)
        return OURO_NOMEM;
    row->depth = group.depth;
    row->text_begin = tree->texts.size;
    size_t top_size = group.text_size;
    OURO_FREE unsigned char *top = top_size ? malloc(top_size) : NULL;
    if (top_size && !top)
        return OURO_NOMEM;
    if (top_size) {
        memcpy(top, tree->texts.data + group.text_begin, top_size);
        ouro_buf_add(&tree->texts, top, top_size);
    } else {
        add_step_text(growing, &group, group.text_begin != 0);
    }
    for (;;) {
        bool in_thread = is_frame(growing, &group);
        OURO_TRY(find_groups(growing, group.first));
        bool one = growing->found.count == 1 && !group.own_count && tree->texts.size - row->text_begin < JOINED_BYTES_MAX;
        for (size_t i = 0; i < growing->found.count; i++)
            growing->found.items[i].text_begin = in_thread;
        if (!one)
            break;
        size_t depth = group.depth;
        group = growing->found.items[0];
        group.depth = depth;
        add_step_text(growing, &group, in_thread);
    }
    row->text_size = tree->texts.size - row->text_begin;
    row->type = group.type;
    row->object_count = group.object_count;
    row->count = group.count;
    row->bytes = group.bytes;
    row->own_count = group.own_count;
    add_examples(growing, &group, row);
    size_t shown = query->limit && query->limit < growing->found.count ? query->limit : growing->found.count;
    if (group.depth + 1 >= depth_max)
        shown = 0;
    for (size_t i = shown; i < growing->found.count; i++) {
        row->left_rows++;
        row->left_count += growing->found.items[i].count;
    }
    for (size_t i = shown; i-- > 0;) {
        struct group *below = OURO_VEC_ADD(&growing->waiting);
        if (!below)
            return OURO_NOMEM;
        *below = growing->found.items[i];
        below->depth = group.depth + 1;
    }
    bool failed = growing->step.before.failed || growing->step.after.failed || growing->label.failed;
    return tree->texts.failed || failed ? OURO_NOMEM : OURO_OK;
}

/* Where paths begin: modules, threads' frames, roots, each by its expression; those without a name together, by type. */
static enum ouro_status find_beginnings(struct growing *growing, struct ouro_err *err)
{
    forget_groups(growing);
    for (uint32_t i = 0; i < growing->place_count; i++) {
        struct place *place = &growing->places[i];
        if (!place->begins || place->through || !place->count)
            continue;
        OURO_GUARD(ouro_path_fini) struct ouro_path path;
        OURO_GUARD(ouro_path_text_fini) struct ouro_path_text text;
        memset(&text, 0, sizeof text);
        OURO_TRY(ouro_path_init(&path, &growing->finder->search, place->node, err));
        OURO_TRY(ouro_path_text_init(&text, &growing->finder->search, &path, err));
        bool nameless = path.root == OURO_PATH_NATIVE || path.root == OURO_PATH_GARBAGE;
        const struct ouro_buf *name = path.count || nameless ? &text.expression : &text.root;
        size_t begin = growing->keys.size;
        if (name->size)
            ouro_buf_add(&growing->keys, name->data, name->size);
        if (!nameless)
            ouro_buf_addf(&growing->keys, " %u", i);
        struct group *group = growing->keys.failed ? NULL : group_of(growing, begin);
        if (!group)
            return OURO_NOMEM;
        if (group->first == NONE) {
            group->type = ouro_heap_model_type(growing->model, place->node);
            group->text_begin = growing->tree->texts.size;
            group->text_size = name->size;
            if (name->size)
                ouro_buf_add(&growing->tree->texts, name->data, name->size);
        }
        join(growing, group, i);
    }
    if (growing->tree->texts.failed)
        return OURO_NOMEM;
    if (growing->found.count)
        qsort(growing->found.items, growing->found.count, sizeof *growing->found.items, by_count);
    size_t limit = growing->query->limit;
    size_t shown = limit && limit < growing->found.count ? limit : growing->found.count;
    for (size_t i = shown; i < growing->found.count; i++) {
        growing->tree->left_rows++;
        growing->tree->left_count += growing->found.items[i].count;
    }
    for (size_t i = shown; i-- > 0;) {
        struct group *below = OURO_VEC_ADD(&growing->waiting);
        if (!below)
            return OURO_NOMEM;
        *below = growing->found.items[i];
    }
    return OURO_OK;
}

static enum ouro_status grow(struct growing *growing, struct ouro_err *err)
{
    OURO_GUARD(instances_fini) struct instances instances = {0};
    OURO_TRY(find_instances(growing, &instances, err));
    OURO_TRY(ouro_path_finder_run(growing->finder, instances.items, instances.count, err));
    OURO_TRY(find_places(growing, &instances));
    add_up(growing);
    OURO_TRY(find_beginnings(growing, err));
    while (growing->waiting.count)
        OURO_TRY(add_row(growing, growing->waiting.items[--growing->waiting.count]));
    return OURO_OK;
}

enum ouro_status ouro_path_tree_init(struct ouro_path_tree *tree, struct ouro_path_finder *finder,
                                     const struct ouro_path_tree_query *query, struct ouro_err *err)
{
    struct growing growing = {.tree = tree, .finder = finder, .model = finder->model, .query = query};
    memset(tree, 0, sizeof *tree);
    enum ouro_status status = ouro_heap_model_load(finder->model, OURO_HEAP_SIZE | OURO_HEAP_NATIVE, err);
    if (status == OURO_OK)
        status = grow(&growing, err);
    growing_fini(&growing);
    if (status == OURO_NOMEM)
        ouro_err_set(err, status, "out of memory for the paths to %llu objects", (unsigned long long)tree->instance_count);
    if (status != OURO_OK)
        ouro_path_tree_fini(tree);
    return status;
}

void ouro_path_tree_fini(struct ouro_path_tree *tree)
{
    free(tree->items);
    ouro_buf_fini(&tree->texts);
    memset(tree, 0, sizeof *tree);
}
