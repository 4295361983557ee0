#include "analysis/dominator_tree.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "base/large.h"
#include "base/map.h"

/* A node below a row. */
struct item {
    ouro_node node;
    ouro_node holder;  /* which of the row's objects dominates it; OURO_NODE_NONE below a section */
    ouro_node through; /* as in struct ouro_dominator_row */
};

struct items {
    struct item *items; /* owned */
    size_t count, capacity;
};

/* A row to come. */
struct entry {
    struct ouro_dominator_row row;
    ouro_node holder;
    struct items members; /* groups that may be expanded: who they are; sections: what stands below */
};

struct builder {
    struct ouro_dominator_tree *tree;
    const struct ouro_heap_model *model;
    const struct ouro_roots *roots;
    const struct ouro_retained *retained;
    const struct ouro_dominator_query *query;
    uint32_t *begin;     /* the children of v in the tree are children[begin[v] .. begin[v + 1]) */
    ouro_node *children;
    uint32_t *objects;   /* by node: as ouro_retained_count_objects */
    uint8_t *has_dict;   /* by shape: a field of it is called __dict__ */
    uint32_t dict_name;  /* index of that string */
    struct items below;  /* of the row that is being expanded */
    struct {
        struct entry *items;
        size_t count, capacity;
    } chosen, pending; /* chosen: rows below it; pending: a stack */
    struct ouro_buf text;
};

static void builder_fini(struct builder *builder)
{
    free(builder->begin);
    free(builder->children);
    free(builder->objects);
    free(builder->has_dict);
    free(builder->below.items);
    for (size_t i = 0; i < builder->chosen.count; i++)
        free(builder->chosen.items[i].members.items);
    free(builder->chosen.items);
    for (size_t i = 0; i < builder->pending.count; i++)
        free(builder->pending.items[i].members.items);
    free(builder->pending.items);
    ouro_buf_fini(&builder->text);
}

/* --- The whole tree: children by node. */

static enum ouro_status link_children(struct builder *builder)
{
    const struct ouro_dominators *dominators = &builder->retained->dominators;
    size_t nodes = dominators->node_count;
    builder->begin = ouro_large_new_zeroed(nodes + 2, sizeof *builder->begin);
    builder->children = ouro_large_new(nodes, sizeof *builder->children);
    builder->objects = ouro_large_new(nodes, sizeof *builder->objects);
    if (!builder->begin || !builder->children || !builder->objects)
        return OURO_NOMEM;
    ouro_retained_count_objects(builder->retained, builder->model, builder->objects);
    uint32_t *end = builder->begin + 1; /* so that begin is right when all are placed */
    for (size_t v = 0; v < nodes; v++)
        if (dominators->idom[v] != OURO_NODE_NONE)
            end[(size_t)dominators->idom[v] + 1]++;
    for (size_t v = 1; v <= nodes; v++)
        end[v] += end[v - 1];
    for (size_t v = 0; v < nodes; v++)
        if (dominators->idom[v] != OURO_NODE_NONE)
            builder->children[end[dominators->idom[v]]++] = (ouro_node)v;
    return OURO_OK;
}

/* Which shapes have a __dict__. */
static enum ouro_status find_dicts(struct builder *builder)
{
    const struct ouro_heap_model *model = builder->model;
    uint32_t count = ouro_snapshot_string_count(model->snapshot);
    builder->has_dict = calloc((size_t)model->shape_count + 1, 1);
    if (!builder->has_dict)
        return OURO_NOMEM;
    builder->dict_name = UINT32_MAX;
    for (uint32_t i = 0; i < count && builder->dict_name == UINT32_MAX; i++)
        if (!strcmp(ouro_snapshot_string(model->snapshot, i, NULL), "__dict__"))
            builder->dict_name = i;
    for (uint32_t i = 0; i < model->shape_count; i++)
        for (uint32_t p = 0; p < model->shapes[i].part_count; p++) {
            const struct ouro_part *part = &model->shapes[i].parts[p];
            builder->has_dict[i] |= part->kind == OURO_PART_FIELD && part->name == builder->dict_name &&
                                    part->edge_class != OURO_EDGE_WEAK;
        }
    return OURO_OK;
}

/* The object's __dict__, or OURO_NODE_NONE. */
static ouro_node dict_of(const struct builder *builder, ouro_node node)
{
    const struct ouro_heap_model *model = builder->model;
    if (node >= model->heap.count || model->heap.shape[node] >= model->shape_count ||
        !builder->has_dict[model->heap.shape[node]])
        return OURO_NODE_NONE;
    struct ouro_part_walk walk;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk))
        if (walk.part->kind == OURO_PART_FIELD && walk.part->name == builder->dict_name) {
            ouro_node dict = model->heap.slots[walk.first];
            bool is_dict =
                dict != OURO_NODE_NONE &&
                ouro_heap_model_type_flags(model, ouro_heap_model_type(model, dict)) & OURO_TYPE_DICT;
            return is_dict ? dict : OURO_NODE_NONE;
        }
    return OURO_NODE_NONE;
}

/* The same if nothing else holds it: it goes with the object and gets no row. */
static ouro_node own_dict_of(const struct builder *builder, ouro_node node)
{
    ouro_node dict = dict_of(builder, node);
    return dict != OURO_NODE_NONE && builder->retained->dominators.idom[dict] == node ? dict : OURO_NODE_NONE;
}

static uint64_t shallow_of(const struct builder *builder, ouro_node node)
{
    ouro_node dict = own_dict_of(builder, node);
    return (node < builder->model->heap.count ? ouro_heap_model_bytes(builder->model, node) : 0) +
           (dict != OURO_NODE_NONE ? ouro_heap_model_bytes(builder->model, dict) : 0);
}

/* --- What stands below a row. */

static enum ouro_status add_item(struct items *items, ouro_node node, ouro_node holder, ouro_node through)
{
    struct item *item = OURO_VEC_ADD(items);
    if (!item)
        return OURO_NOMEM;
    *item = (struct item){node, holder, through};
    return OURO_OK;
}

static enum ouro_status add_children(const struct builder *builder, struct items *items, ouro_node node)
{
    ouro_node dict = own_dict_of(builder, node);
    for (uint32_t i = builder->begin[node]; i < builder->begin[node + 1]; i++)
        if (builder->children[i] != dict)
            OURO_TRY(add_item(items, builder->children[i], node, OURO_NODE_NONE));
    if (dict == OURO_NODE_NONE)
        return OURO_OK;
    for (uint32_t i = builder->begin[dict]; i < builder->begin[dict + 1]; i++)
        OURO_TRY(add_item(items, builder->children[i], node, dict));
    return OURO_OK;
}

/* Of a child of the super-root. */
static enum ouro_dominator_section section_of_child(const struct builder *builder, ouro_node node)
{
    if (node == ouro_roots_garbage_node(builder->roots))
        return OURO_DOMINATOR_GARBAGE;
    return node < builder->model->heap.count && builder->roots->marks[node] & OURO_NAMED ? OURO_DOMINATOR_NAMED
                                                                                         : OURO_DOMINATOR_NATIVE;
}

static enum ouro_dominator_section section_of(const struct builder *builder, ouro_node node)
{
    const ouro_node *idom = builder->retained->dominators.idom;
    if (idom[node] == OURO_NODE_NONE)
        return OURO_DOMINATOR_UNREACHED;
    while (idom[node] != builder->retained->super_root)
        node = idom[node];
    return section_of_child(builder, node);
}

static enum ouro_status fill_sections(const struct builder *builder, struct entry *sections)
{
    const struct ouro_heap_model *model = builder->model;
    ouro_node super_root = builder->retained->super_root;
    struct items *below[OURO_DOMINATOR_SECTION_COUNT];
    for (unsigned i = 0; i < OURO_DOMINATOR_SECTION_COUNT; i++)
        below[i] = &sections[i].members;
    for (uint32_t i = builder->begin[super_root]; i < builder->begin[super_root + 1]; i++) {
        ouro_node v = builder->children[i];
        struct items *items = below[section_of_child(builder, v)];
        if (v < model->heap.count)
            OURO_TRY(add_item(items, v, OURO_NODE_NONE, OURO_NODE_NONE));
        else
            for (uint32_t j = builder->begin[v]; j < builder->begin[v + 1]; j++)
                OURO_TRY(add_item(items, builder->children[j], OURO_NODE_NONE,
                                  v == ouro_roots_garbage_node(builder->roots) ? OURO_NODE_NONE : v));
    }
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (builder->retained->dominators.idom[v] == OURO_NODE_NONE && model->heap.shape[v] < model->shape_count)
            OURO_TRY(add_item(below[OURO_DOMINATOR_UNREACHED], v, OURO_NODE_NONE, OURO_NODE_NONE));
    return OURO_OK;
}

static struct ouro_dominator_row empty_row(enum ouro_dominator_kind kind)
{
    return (struct ouro_dominator_row){
        .kind = kind,
        .type = OURO_TYPE_NONE,
        .parent = SIZE_MAX,
        .node = OURO_NODE_NONE,
        .dict = OURO_NODE_NONE,
        .through = OURO_NODE_NONE,
        .owner = OURO_NODE_NONE,
    };
}

static void add_to_row(const struct builder *builder, struct ouro_dominator_row *row, ouro_node node)
{
    row->count++;
    row->retained_bytes += builder->retained->bytes[node];
    row->shallow_bytes += shallow_of(builder, node);
    row->object_count += builder->objects[node];
}

static struct entry object_entry(const struct builder *builder, const struct item *item)
{
    struct entry entry = {.row = empty_row(OURO_DOMINATOR_OBJECT), .holder = item->holder};
    entry.row.node = item->node;
    entry.row.through = item->through;
    entry.row.dict = own_dict_of(builder, item->node);
    if (item->node < builder->model->heap.count)
        entry.row.type = ouro_heap_model_type(builder->model, item->node);
    add_to_row(builder, &entry.row, item->node);
    return entry;
}

static enum ouro_status push(struct builder *builder, struct entry *entry)
{
    struct entry *place = OURO_VEC_ADD(&builder->pending);
    if (!place)
        return OURO_NOMEM;
    *place = *entry;
    entry->members = (struct items){0};
    return OURO_OK;
}

static enum ouro_status choose_entry(struct builder *builder, const struct entry *entry)
{
    struct entry *place = OURO_VEC_ADD(&builder->chosen);
    if (!place)
        return OURO_NOMEM;
    *place = *entry;
    return OURO_OK;
}

/* --- Which of them are shown. */

static int compare_items(const void *a, const void *b, void *context)
{
    const uint64_t *bytes = context;
    const struct item *left = a, *right = b;
    if (bytes[left->node] != bytes[right->node])
        return bytes[left->node] < bytes[right->node] ? 1 : -1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static int compare_entries(const void *a, const void *b)
{
    const struct ouro_dominator_row *left = &((const struct entry *)a)->row, *right = &((const struct entry *)b)->row;
    if (left->retained_bytes != right->retained_bytes)
        return left->retained_bytes < right->retained_bytes ? 1 : -1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static size_t at_most(const struct builder *builder, size_t count)
{
    size_t most = builder->query->child_count;
    return most && count > most ? most : count;
}

/* The large ones to the front and into chosen; how many. */
static enum ouro_status choose_single(struct builder *builder, size_t *chosen)
{
    struct items *below = &builder->below;
    size_t large = 0;
    for (size_t i = 0; i < below->count; i++)
        if (builder->retained->bytes[below->items[i].node] >= builder->tree->retained_min) {
            struct item item = below->items[i];
            below->items[i] = below->items[large];
            below->items[large++] = item;
        }
    if (large)
        qsort_r(below->items, large, sizeof *below->items, compare_items, builder->retained->bytes);
    *chosen = at_most(builder, large);
    for (size_t i = 0; i < *chosen; i++) {
        struct entry entry = object_entry(builder, &below->items[i]);
        OURO_TRY(choose_entry(builder, &entry));
    }
    return OURO_OK;
}

/* Roots and frames are no type's objects: each is a group of its own. */
static uint64_t group_key(const struct builder *builder, ouro_node node, bool by_module)
{
    const struct ouro_heap_model *model = builder->model;
    uint32_t type = node < model->heap.count ? ouro_heap_model_type(model, node) : OURO_TYPE_NONE;
    if (node >= model->heap.count || model->heap.flags[node] & OURO_OBJECT_PSEUDO)
        return UINT64_C(1) << 63 | node;
    if (type == OURO_TYPE_NONE)
        return UINT64_MAX - 1;
    return by_module ? model->types[type].module : ouro_heap_model_type_key(model, type);
}

/* below[first ..) as groups into chosen, from `*groups_begin` on; group_of: by item of below. */
static enum ouro_status make_groups(struct builder *builder, size_t first, size_t groups_begin, uint32_t *group_of)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map groups = {0};
    const uint64_t *bytes = builder->retained->bytes;
    bool by_module = builder->query->grouping == OURO_DOMINATOR_GROUP_MODULE;
    for (size_t i = first; i < builder->below.count; i++) {
        const struct item *item = &builder->below.items[i];
        bool added;
        uint64_t *group = ouro_map_put(&groups, group_key(builder, item->node, by_module), &added);
        if (!group)
            return OURO_NOMEM;
        if (added) {
            *group = builder->chosen.count;
            struct entry entry = {.row = empty_row(OURO_DOMINATOR_GROUP), .holder = item->holder};
            entry.row.node = item->node;
            entry.row.through = item->through;
            OURO_TRY(choose_entry(builder, &entry));
        }
        struct ouro_dominator_row *row = &builder->chosen.items[*group].row;
        if (bytes[item->node] > bytes[row->node] || (bytes[item->node] == bytes[row->node] && item->node < row->node))
            row->node = item->node;
        add_to_row(builder, row, item->node);
        group_of[i] = (uint32_t)(*group - groups_begin);
    }
    return OURO_OK;
}

/* Of the groups from groups_begin on those that are large remain, the largest first. `least`: members of a group. */
static void keep_large_groups(struct builder *builder, size_t groups_begin, uint64_t least)
{
    size_t count = builder->chosen.count - groups_begin, kept = 0;
    if (!count)
        return;
    struct entry *groups = builder->chosen.items + groups_begin;
    for (size_t i = 0; i < count; i++)
        if (groups[i].row.retained_bytes >= builder->tree->retained_min && groups[i].row.count >= least)
            groups[kept++] = groups[i];
    if (kept)
        qsort(groups, kept, sizeof *groups, compare_entries);
    builder->chosen.count = groups_begin + at_most(builder, kept);
    for (size_t i = groups_begin; i < builder->chosen.count; i++) {
        struct ouro_dominator_row *row = &builder->chosen.items[i].row;
        row->through = OURO_NODE_NONE;
        if (row->node < builder->model->heap.count)
            row->type = ouro_heap_model_type(builder->model, row->node);
    }
}

/* Members of the groups that remain, as they are wanted when a group is expanded; groups of one become objects. */
static enum ouro_status fill_groups(struct builder *builder, const uint32_t *group_of, const uint32_t *old_group)
{
    size_t count = builder->chosen.count;
    size_t old_count = builder->below.count;
    OURO_FREE uint32_t *new_group = malloc(old_count * sizeof *new_group + 1);
    if (!new_group)
        return OURO_NOMEM;
    memset(new_group, 0xff, old_count * sizeof *new_group);
    for (size_t i = 0; i < count; i++)
        new_group[old_group[i]] = (uint32_t)i;
    for (size_t i = 0; i < builder->below.count; i++)
        if (new_group[group_of[i]] != UINT32_MAX) {
            const struct item *item = &builder->below.items[i];
            OURO_TRY(add_item(&builder->chosen.items[new_group[group_of[i]]].members, item->node, item->holder,
                              item->through));
        }
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &builder->chosen.items[i];
        if (entry->members.count != 1)
            continue;
        struct item item = entry->members.items[0];
        free(entry->members.items);
        *entry = object_entry(builder, &item);
    }
    return OURO_OK;
}

static enum ouro_status choose_groups(struct builder *builder)
{
    OURO_FREE uint32_t *group_of = malloc(builder->below.count * sizeof *group_of + 1);
    if (!group_of)
        return OURO_NOMEM;
    OURO_TRY(make_groups(builder, 0, 0, group_of));
    /* Where each stood before the sort, by its largest member, which no two share. */
    OURO_GUARD(ouro_map_fini) struct ouro_map stood = {0};
    for (size_t i = 0; i < builder->chosen.count; i++) {
        uint64_t *place = ouro_map_put(&stood, builder->chosen.items[i].row.node, NULL);
        if (!place)
            return OURO_NOMEM;
        *place = i;
    }
    keep_large_groups(builder, 0, 1);
    OURO_FREE uint32_t *old_group = malloc(builder->chosen.count * sizeof *old_group + 1);
    if (!old_group)
        return OURO_NOMEM;
    for (size_t i = 0; i < builder->chosen.count; i++)
        old_group[i] = (uint32_t)*ouro_map_find(&stood, builder->chosen.items[i].row.node);
    return fill_groups(builder, group_of, old_group);
}

static enum ouro_status choose_small(struct builder *builder)
{
    size_t single;
    OURO_TRY(choose_single(builder, &single));
    OURO_FREE uint32_t *group_of = malloc(builder->below.count * sizeof *group_of + 1);
    if (!group_of)
        return OURO_NOMEM;
    if (builder->query->grouping == OURO_DOMINATOR_GROUP_SMALL && single < builder->below.count) {
        OURO_TRY(make_groups(builder, single, single, group_of));
        keep_large_groups(builder, single, 2);
    }
    return OURO_OK;
}

static enum ouro_status choose_rest(struct builder *builder)
{
    struct entry rest = {.row = empty_row(OURO_DOMINATOR_REST), .holder = OURO_NODE_NONE};
    if (!builder->chosen.count)
        return OURO_OK;
    for (size_t i = 0; i < builder->below.count; i++)
        add_to_row(builder, &rest.row, builder->below.items[i].node);
    for (size_t i = 0; i < builder->chosen.count; i++) {
        const struct ouro_dominator_row *row = &builder->chosen.items[i].row;
        rest.row.count -= row->count;
        rest.row.retained_bytes -= row->retained_bytes;
        rest.row.shallow_bytes -= row->shallow_bytes;
        rest.row.object_count -= row->object_count;
    }
    return rest.row.count ? choose_entry(builder, &rest) : OURO_OK;
}

/* --- Labels. */

bool ouro_dominator_slot(const struct ouro_heap_model *model, ouro_node holder, ouro_node node, struct ouro_slot *slot)
{
    struct ouro_slot_walk walk;
    if (holder >= model->heap.count)
        return false;
    ouro_slot_walk_begin(&walk, model, holder);
    while (ouro_slot_walk_next(&walk, slot))
        if (slot->target == node && slot->edge_class != OURO_EDGE_WEAK)
            return true;
    return false;
}

static void set_label(struct builder *builder, struct ouro_dominator_row *row)
{
    row->label = builder->tree->labels.size;
    row->label_size = builder->text.size;
    ouro_buf_add(&builder->tree->labels, builder->text.data, builder->text.size);
}

/* Labels those of the chosen that `from` refers to: they stand below it, or something else would dominate them. */
static void label_from(struct builder *builder, const struct ouro_map *chosen, ouro_node from)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, builder->model, from);
    while (ouro_slot_walk_next(&walk, &slot)) {
        uint64_t *place = slot.target == OURO_NODE_NONE || slot.edge_class == OURO_EDGE_WEAK
                              ? NULL
                              : ouro_map_find(chosen, slot.target);
        if (!place || builder->chosen.items[*place].row.label_size)
            continue;
        builder->text.size = 0;
        ouro_label_add(&builder->text, builder->model, &slot);
        set_label(builder, &builder->chosen.items[*place].row);
    }
}

/* One scan of each holder finds the labels of all that are chosen below it. */
static enum ouro_status label_objects(struct builder *builder)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map chosen = {0}, seen = {0};
    for (size_t i = 0; i < builder->chosen.count; i++) {
        const struct entry *entry = &builder->chosen.items[i];
        if (entry->row.kind != OURO_DOMINATOR_OBJECT || entry->holder >= builder->model->heap.count)
            continue;
        uint64_t *place = ouro_map_put(&chosen, entry->row.node, NULL);
        if (!place)
            return OURO_NOMEM;
        *place = i;
    }
    for (size_t i = 0; i < builder->chosen.count && chosen.count; i++) {
        ouro_node holder = builder->chosen.items[i].holder;
        bool added;
        if (builder->chosen.items[i].row.kind != OURO_DOMINATOR_OBJECT || holder >= builder->model->heap.count)
            continue;
        if (!ouro_map_put(&seen, holder, &added))
            return OURO_NOMEM;
        if (!added)
            continue;
        label_from(builder, &chosen, holder);
        ouro_node dict = own_dict_of(builder, holder);
        if (dict != OURO_NODE_NONE)
            label_from(builder, &chosen, dict);
    }
    return OURO_OK;
}

static bool add_item_label(struct builder *builder, const struct item *item)
{
    struct ouro_slot slot;
    ouro_node dict = own_dict_of(builder, item->holder);
    if (!ouro_dominator_slot(builder->model, item->holder, item->node, &slot) &&
        !ouro_dominator_slot(builder->model, dict, item->node, &slot))
        return false;
    ouro_label_add(&builder->text, builder->model, &slot);
    return true;
}

/* A group has a label when it is that of every member, each below an object of its own. */
static void label_group(struct builder *builder, struct entry *entry)
{
    size_t first = 0;
    builder->text.size = 0;
    for (size_t i = 0; i < entry->members.count; i++) {
        builder->text.size = first;
        if (!add_item_label(builder, &entry->members.items[i]))
            return;
        if (!i)
            first = builder->text.size;
        else if (builder->text.size != 2 * first ||
                 (first && memcmp(builder->text.data, builder->text.data + first, first) != 0))
            return;
    }
    builder->text.size = first;
    set_label(builder, &entry->row);
}

/* --- Rows. */

static enum ouro_status expand(struct builder *builder, struct entry *entry, size_t parent)
{
    struct items *below = &builder->below;
    if (entry->row.kind == OURO_DOMINATOR_SECTION) {
        free(below->items);
        *below = entry->members;
        entry->members = (struct items){0};
    } else {
        below->count = 0;
        if (entry->row.kind == OURO_DOMINATOR_OBJECT)
            OURO_TRY(add_children(builder, below, entry->row.node));
        for (size_t i = 0; i < entry->members.count; i++)
            OURO_TRY(add_children(builder, below, entry->members.items[i].node));
    }
    builder->chosen.count = 0;
    bool by_group = builder->query->grouping == OURO_DOMINATOR_GROUP_TYPE ||
                    builder->query->grouping == OURO_DOMINATOR_GROUP_MODULE;
    OURO_TRY(by_group ? choose_groups(builder) : choose_small(builder));
    OURO_TRY(choose_rest(builder));
    OURO_TRY(label_objects(builder));
    for (size_t i = builder->chosen.count; i--;) {
        struct entry *chosen = &builder->chosen.items[i];
        if (chosen->row.kind == OURO_DOMINATOR_GROUP && by_group)
            label_group(builder, chosen);
        chosen->row.level = entry->row.level + 1;
        chosen->row.section = entry->row.section;
        chosen->row.parent = parent;
        OURO_TRY(push(builder, chosen));
    }
    builder->chosen.count = 0;
    return OURO_OK;
}

static enum ouro_status add_rows(struct builder *builder)
{
    size_t depth = builder->query->depth;
    while (builder->pending.count) {
        struct entry entry = builder->pending.items[--builder->pending.count];
        struct ouro_dominator_row *row = OURO_VEC_ADD(builder->tree);
        enum ouro_status status = row ? OURO_OK : OURO_NOMEM;
        if (row)
            *row = entry.row;
        if (row && (!depth || entry.row.level < depth))
            status = expand(builder, &entry, builder->tree->count - 1);
        free(entry.members.items);
        OURO_TRY(status);
    }
    return OURO_OK;
}

static void set_owner(struct builder *builder, const struct ouro_map *rows, ouro_node node, ouro_node owner)
{
    uint64_t *place = node == OURO_NODE_NONE ? NULL : ouro_map_find(rows, node);
    if (place && builder->tree->items[*place].owner == OURO_NODE_NONE)
        builder->tree->items[*place].owner = owner;
}

/* Of what only the super-root dominates: a module's dict (its functions hold it too), what the interpreter has. */
static enum ouro_status find_owners(struct builder *builder)
{
    const struct ouro_heap_model *model = builder->model;
    OURO_GUARD(ouro_map_fini) struct ouro_map rows = {0};
    for (size_t i = 0; i < builder->tree->count; i++) {
        const struct ouro_dominator_row *row = &builder->tree->items[i];
        if (row->kind != OURO_DOMINATOR_OBJECT || row->node >= model->heap.count ||
            builder->retained->dominators.idom[row->node] != builder->retained->super_root)
            continue;
        uint64_t *place = ouro_map_put(&rows, row->node, NULL);
        if (!place)
            return OURO_NOMEM;
        *place = i;
    }
    for (ouro_node v = 0; rows.count && v < model->heap.count; v++)
        set_owner(builder, &rows, dict_of(builder, v), v);
    for (ouro_node i = 0; rows.count && i < builder->roots->named_count; i++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        ouro_slot_walk_begin(&walk, model, builder->roots->named[i]);
        while (ouro_slot_walk_next(&walk, &slot))
            if (slot.edge_class != OURO_EDGE_WEAK)
                set_owner(builder, &rows, slot.target, slot.node);
    }
    return OURO_OK;
}

/* The sections, or what was asked for, onto the stack. */
static enum ouro_status begin(struct builder *builder)
{
    struct ouro_dominator_tree *tree = builder->tree;
    const struct ouro_dominator_query *query = builder->query;
    struct entry sections[OURO_DOMINATOR_SECTION_COUNT];
    for (unsigned i = 0; i < OURO_DOMINATOR_SECTION_COUNT; i++) {
        sections[i] = (struct entry){.row = empty_row(OURO_DOMINATOR_SECTION), .holder = OURO_NODE_NONE};
        sections[i].row.section = i;
    }
    enum ouro_status status = fill_sections(builder, sections);
    for (unsigned i = 0; i < OURO_DOMINATOR_SECTION_COUNT && status == OURO_OK; i++) {
        struct ouro_dominator_row *row = &sections[i].row;
        for (size_t j = 0; j < sections[i].members.count; j++) {
            row->retained_bytes += builder->retained->bytes[sections[i].members.items[j].node];
            row->object_count += builder->objects[sections[i].members.items[j].node];
        }
        row->count = sections[i].members.count;
        tree->total_bytes += row->retained_bytes;
        tree->object_count += row->object_count;
    }
    uint64_t top_bytes = query->top == OURO_NODE_NONE ? tree->total_bytes : builder->retained->bytes[query->top];
    double least = (double)top_bytes * query->share_min / 100;
    tree->retained_min = least < 0x1p63 ? (uint64_t)least : UINT64_C(1) << 63;
    if (tree->retained_min < query->retained_min)
        tree->retained_min = query->retained_min;
    bool all = query->top == OURO_NODE_NONE;
    for (unsigned i = OURO_DOMINATOR_SECTION_COUNT; i-- && status == OURO_OK;)
        if (all || (i == OURO_DOMINATOR_GARBAGE && query->top == ouro_roots_garbage_node(builder->roots)))
            status = push(builder, &sections[i]);
    if (!all && query->top != ouro_roots_garbage_node(builder->roots) && status == OURO_OK) {
        struct item item = {query->top, OURO_NODE_NONE, OURO_NODE_NONE};
        struct entry entry = object_entry(builder, &item);
        entry.row.section = section_of(builder, query->top);
        status = push(builder, &entry);
    }
    for (unsigned i = 0; i < OURO_DOMINATOR_SECTION_COUNT; i++)
        free(sections[i].members.items);
    return status;
}

enum ouro_status ouro_dominator_tree_init(struct ouro_dominator_tree *tree, struct ouro_heap_model *model,
                                          const struct ouro_roots *roots, const struct ouro_retained *retained,
                                          const struct ouro_dominator_query *query, struct ouro_err *err)
{
    memset(tree, 0, sizeof *tree);
    OURO_TRY(ouro_heap_model_load(model, OURO_DOMINATOR_TREE_COLUMNS, err));
    if (query->top != OURO_NODE_NONE && query->top >= retained->super_root)
        return ouro_err_set(err, OURO_INVAL, "no object has the number %lu", (unsigned long)query->top);
    OURO_GUARD(builder_fini)
    struct builder builder = {.tree = tree, .model = model, .roots = roots, .retained = retained, .query = query};
    enum ouro_status status = link_children(&builder);
    if (status == OURO_OK)
        status = find_dicts(&builder);
    if (status == OURO_OK)
        status = begin(&builder);
    if (status == OURO_OK)
        status = add_rows(&builder);
    if (status == OURO_OK)
        status = find_owners(&builder);
    if (status == OURO_OK && (tree->labels.failed || builder.text.failed))
        status = OURO_NOMEM;
    if (status == OURO_OK)
        return OURO_OK;
    ouro_dominator_tree_fini(tree);
    return ouro_err_set(err, status, "out of memory for the dominator tree of %lu objects",
                        (unsigned long)model->heap.count);
}

void ouro_dominator_tree_fini(struct ouro_dominator_tree *tree)
{
    free(tree->items);
    ouro_buf_fini(&tree->labels);
    memset(tree, 0, sizeof *tree);
}

const char *ouro_dominator_section_name(enum ouro_dominator_section section)
{
    static const char *const names[] = {"named", "native", "garbage", "unreached"};
    return section < OURO_DOMINATOR_SECTION_COUNT ? names[section] : "";
}

enum ouro_status ouro_dominator_chain_init(struct ouro_dominator_chain *chain, const struct ouro_heap_model *model,
                                           const struct ouro_retained *retained, ouro_node node, size_t most,
                                           struct ouro_err *err)
{
    memset(chain, 0, sizeof *chain);
    OURO_FREE uint32_t *counts = ouro_large_new(retained->dominators.node_count, sizeof *counts);
    if (!counts)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for the dominators of an object");
    ouro_retained_count_objects(retained, model, counts);
    chain->object_count = counts[node];
    chain->reached = retained->dominators.idom[node] != OURO_NODE_NONE;
    while ((node = ouro_retained_idom(retained, node)) != OURO_NODE_NONE) {
        ouro_node *item = most && chain->count == most ? NULL : OURO_VEC_ADD(chain);
        chain->total++;
        if (item) {
            *item = node;
        } else if (!most || chain->count < most) {
            ouro_dominator_chain_fini(chain);
            return ouro_err_set(err, OURO_NOMEM, "out of memory for the dominators of an object");
        }
    }
    return OURO_OK;
}

void ouro_dominator_chain_fini(struct ouro_dominator_chain *chain)
{
    free(chain->items);
    memset(chain, 0, sizeof *chain);
}
