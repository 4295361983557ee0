#include "analysis/largest.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/buf.h"
#include "base/guard.h"

/* Root, sys.modules' dict, module, what it has: what is structure lies no deeper. */
#define DEPTH 5
#define CHILDREN 40
#define NAMES_LOOKED_AT 12

static bool is_kind_of(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    if (node >= model->heap.count)
        return false;
    uint32_t type = ouro_heap_model_type(model, node);
    for (; type < model->type_count; type = model->types[type].base) /* bases form no cycle */
        if (!strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
            !strcmp(ouro_heap_model_type_module(model, type, NULL), "builtins"))
            return true;
    return false;
}

/* A module's dict begins with what the import system puts there. */
static bool is_module_dict(const struct ouro_heap_model *model, ouro_node node)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (!is_kind_of(model, node, "dict"))
        return false;
    ouro_slot_walk_begin(&walk, model, node);
    for (unsigned i = 0; i < 2 * NAMES_LOOKED_AT && ouro_slot_walk_next(&walk, &slot); i++) {
        size_t size = 0;
        const unsigned char *text = slot.key < model->heap.count && ouro_value_has(model, slot.key)
                                        ? ouro_value_raw(model, slot.key, &size) : NULL;
        if (text && size == strlen("__spec__") && !memcmp(text, "__spec__", size))
            return true;
    }
    return false;
}

/* What everybody has, and what says nothing about who holds the memory. */
static bool is_structure(const struct ouro_heap_model *model, const struct ouro_dominator_row *row)
{
    ouro_node node = row->node;
    if (row->kind == OURO_DOMINATOR_SECTION)
        return true;
    if (row->kind == OURO_DOMINATOR_REST)
        return false;
    if (is_kind_of(model, node, "module") || is_module_dict(model, node))
        return true;
    if (row->kind == OURO_DOMINATOR_GROUP) /* one dict or class may hold much, many are just the program */
        return is_kind_of(model, node, "type") ||
               !strcmp(ouro_heap_model_type_module(model, ouro_heap_model_type(model, node), NULL), "builtins");
    /* A root, and what one of the interpreter refers to by itself (sys.modules, builtins). */
    return node >= model->heap.count || model->heap.flags[node] & OURO_OBJECT_PSEUDO ||
           (row->owner != OURO_NODE_NONE && model->heap.flags[row->owner] & OURO_OBJECT_PSEUDO);
}

/* Groups of one type under several parents are one here. */
static bool is_merged(struct ouro_largest *largest, const struct ouro_dominator_row *row)
{
    for (size_t i = 0; row->kind == OURO_DOMINATOR_GROUP && i < largest->count; i++) {
        struct ouro_dominator_row *other = &largest->tree.items[largest->items[i]];
        if (other->kind != row->kind || other->type != row->type || other->section != row->section)
            continue;
        other->count += row->count;
        other->retained_bytes += row->retained_bytes;
        other->shallow_bytes += row->shallow_bytes;
        other->object_count += row->object_count;
        return true;
    }
    return false;
}

struct order {
    const struct ouro_dominator_row *rows;
};

static int by_retained(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    uint64_t l = order->rows[left].retained_bytes, r = order->rows[right].retained_bytes;
    return l != r ? (l < r ? 1 : -1) : (left > right) - (left < right);
}

enum ouro_status ouro_largest_init(struct ouro_largest *largest, struct ouro_heap_model *model,
                                   const struct ouro_roots *roots, const struct ouro_retained *retained, size_t limit,
                                   uint64_t share, struct ouro_err *err)
{
    const struct ouro_dominator_query query = {
        .top = OURO_NODE_NONE,
        .depth = DEPTH,
        .child_count = CHILDREN,
        .share_min = share ? 100.0 / (double)share : 0,
        .grouping = OURO_DOMINATOR_GROUP_SMALL,
    };
    memset(largest, 0, sizeof *largest);
    OURO_TRY(ouro_dominator_tree_init(&largest->tree, model, roots, retained, &query, err));
    struct ouro_dominator_tree *tree = &largest->tree;
    for (size_t i = 0; i < tree->count; i++) {
        const struct ouro_dominator_row *row = &tree->items[i];
        if (row->kind == OURO_DOMINATOR_REST || is_structure(model, row) || row->parent == SIZE_MAX ||
            !is_structure(model, &tree->items[row->parent]) || row->retained_bytes < tree->retained_min ||
            row->section == OURO_DOMINATOR_GARBAGE || is_merged(largest, row))
            continue;
        size_t *item = OURO_VEC_ADD(largest);
        if (!item) {
            ouro_largest_fini(largest);
            return ouro_err_set(err, OURO_NOMEM, "no memory for the largest objects");
        }
        *item = i;
    }
    struct order order = {tree->items};
    if (largest->count)
        qsort_r(largest->items, largest->count, sizeof *largest->items, by_retained, &order);
    if (limit && largest->count > limit)
        largest->count = limit;
    return OURO_OK;
}

enum ouro_status ouro_largest_find_paths(struct ouro_largest *largest, struct ouro_heap_model *model, struct ouro_err *err)
{
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder = {0};
    OURO_FREE ouro_node *nodes = calloc(largest->count + 1, sizeof *nodes);
    largest->paths = calloc(largest->count + 1, sizeof *largest->paths);
    if (!nodes || !largest->paths)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the paths to the largest objects");
    size_t count = 0;
    for (size_t i = 0; i < largest->count; i++)
        if (largest->tree.items[largest->items[i]].kind == OURO_DOMINATOR_OBJECT)
            nodes[count++] = largest->tree.items[largest->items[i]].node;
    OURO_TRY(ouro_path_finder_init(&finder, model, err));
    OURO_TRY(ouro_path_finder_run(&finder, nodes, count, err));
    for (size_t i = 0; i < largest->count; i++)
        if (largest->tree.items[largest->items[i]].kind == OURO_DOMINATOR_OBJECT)
            OURO_TRY(ouro_path_answer_init(&largest->paths[i], &finder, largest->tree.items[largest->items[i]].node, 1, err));
    return OURO_OK;
}

void ouro_largest_fini(struct ouro_largest *largest)
{
    for (size_t i = 0; largest->paths && i < largest->count; i++)
        ouro_path_answer_fini(&largest->paths[i]);
    free(largest->paths);
    ouro_dominator_tree_fini(&largest->tree);
    free(largest->items);
    memset(largest, 0, sizeof *largest);
}
