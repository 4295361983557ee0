#include "analysis/diff_retained.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"

/* Of one node in a dominator tree, ascending. */
struct children {
    ouro_node *items; /* owned */
    size_t count, capacity;
};

#define BLOCK 32

/* Among so many at once: almost always there is none. */
static inline bool has_child(const ouro_node idom[BLOCK], ouro_node node)
{
    unsigned any = 0;
    for (unsigned i = 0; i < BLOCK; i++)
        any |= idom[i] == node;
    return any;
}

/* A pass over the tree: few nodes are ever asked for, and an index of all would cost more than dozens of passes. */
static enum ouro_status list_children(struct children *children, const struct ouro_retained *retained, ouro_node node)
{
    const struct ouro_dominators *tree = &retained->dominators;
    children->count = 0;
    for (size_t v = 0; node != OURO_NODE_NONE && v < tree->node_count; v++) {
        while (v % BLOCK == 0 && tree->node_count - v > BLOCK && !has_child(tree->idom + v, node))
            v += BLOCK;
        if (tree->idom[v] != node)
            continue;
        ouro_node *fresh = OURO_VEC_ADD(children);
        if (!fresh)
            return OURO_NOMEM;
        *fresh = (ouro_node)v;
    }
    return OURO_OK;
}

struct growing {
    struct ouro_diff_retained *out;
    const struct ouro_diff_match *match;
    struct children before, after; /* of the row that is followed */
    uint64_t least; /* bytes */
    struct {
        struct ouro_diff_retained_row *items;
        size_t count, capacity;
    } chosen, pending; /* chosen: below the row that is followed; pending: a stack */
    struct ouro_map group_of; /* by type */
};

static int64_t change_of(const struct ouro_diff_retained_row *row)
{
    return (int64_t)row->after_bytes - (int64_t)row->before_bytes;
}

/* Objects, and what stands for what only native code holds, by the object. */
static ouro_node real(const struct ouro_diff_side *side, ouro_node node)
{
    ouro_node count = side->model->heap.count;
    return node < count ? node : node < ouro_roots_garbage_node(&side->roots) ? side->roots.native[node - count] : OURO_NODE_NONE;
}

static struct ouro_diff_retained_row *group(struct growing *g, uint32_t type)
{
    bool added;
    uint64_t *place = ouro_map_put(&g->group_of, type, &added);
    if (!place)
        return NULL;
    if (!added)
        return &g->chosen.items[*place];
    *place = g->chosen.count;
    struct ouro_diff_retained_row *fresh = OURO_VEC_ADD(&g->chosen);
    if (fresh)
        *fresh = (struct ouro_diff_retained_row){.is_group = true, .type = type, .node = OURO_NODE_NONE,
                                                 .node_before = OURO_NODE_NONE};
    return fresh;
}

/* node: in the tree of one side; grouped: it has no match, or that is somewhere else. */
static enum ouro_status add_to_group(struct growing *g, const struct ouro_diff_side *side, ouro_node node, bool after)
{
    ouro_node object = real(side, node);
    uint32_t type = object == OURO_NODE_NONE ? side->labels.garbage : ouro_diff_side_type(side, object);
    struct ouro_diff_retained_row *row = group(g, type);
    if (!row)
        return OURO_NOMEM;
    *(after ? &row->after_count : &row->before_count) += 1;
    *(after ? &row->after_bytes : &row->before_bytes) += side->retained.bytes[node];
    if (after && row->node == OURO_NODE_NONE)
        row->node = object;
    return OURO_OK;
}

static enum ouro_status choose_below(struct growing *g, const struct ouro_diff_retained_row *above, ouro_node a, ouro_node b)
{
    const struct ouro_diff_side *before = g->match->before, *after = g->match->after;
    g->chosen.count = 0;
    ouro_map_fini(&g->group_of);
    OURO_TRY(list_children(&g->before, &before->retained, a));
    OURO_TRY(list_children(&g->after, &after->retained, b));
    for (size_t i = 0; i < g->after.count; i++) {
        ouro_node child = g->after.items[i];
        ouro_node object = real(after, child), there = object == OURO_NODE_NONE ? object : g->match->to_before[object];
        if (there == OURO_NODE_NONE || before->retained.dominators.idom[there] == OURO_NODE_NONE) {
            OURO_TRY(add_to_group(g, after, child, true));
            continue;
        }
        uint64_t old = before->retained.bytes[there], new = after->retained.bytes[child];
        if (new <= old || new - old < g->least)
            continue;
        struct ouro_diff_retained_row *row = OURO_VEC_ADD(&g->chosen);
        if (!row)
            return OURO_NOMEM;
        *row = (struct ouro_diff_retained_row){.level = above->level + 1, .type = ouro_diff_side_type(after, object),
                                               .node = object, .node_before = there, .before_count = 1, .after_count = 1,
                                               .before_bytes = old, .after_bytes = new};
    }
    for (size_t i = 0; i < g->before.count; i++) {
        ouro_node object = real(before, g->before.items[i]);
        if (object == OURO_NODE_NONE || g->match->to_after[object] == OURO_NODE_NONE)
            OURO_TRY(add_to_group(g, before, g->before.items[i], false));
    }
    return OURO_OK;
}

/* Ascending, as the pending ones are a stack. */
static int compare_rows(const void *x, const void *y)
{
    const struct ouro_diff_retained_row *left = x, *right = y;
    int64_t l = change_of(left), r = change_of(right);
    if (l != r)
        return l > r ? 1 : -1;
    if (left->is_group != right->is_group)
        return left->is_group ? -1 : 1;
    return left->node != right->node ? (left->node < right->node ? 1 : -1) : (left->type < right->type) - (left->type > right->type);
}

static enum ouro_status follow(struct growing *g, const struct ouro_diff_retained_row *above)
{
    const struct ouro_diff_side *before = g->match->before, *after = g->match->after;
    ouro_node a = above->level ? above->node_before : before->retained.super_root;
    ouro_node b = above->level ? above->node : after->retained.super_root;
    if (above->is_group || above->level >= OURO_DIFF_LEVELS)
        return OURO_OK;
    OURO_TRY(choose_below(g, above, a, b));
    if (!g->chosen.count)
        return OURO_OK;
    qsort(g->chosen.items, g->chosen.count, sizeof *g->chosen.items, compare_rows);
    for (size_t i = 0; i < g->chosen.count; i++) {
        struct ouro_diff_retained_row row = g->chosen.items[i];
        row.level = above->level + 1;
        if (change_of(&row) < (int64_t)g->least)
            continue;
        struct ouro_diff_retained_row *pending = OURO_VEC_ADD(&g->pending);
        if (!pending)
            return OURO_NOMEM;
        *pending = row;
    }
    return OURO_OK;
}

static uint64_t total(const struct ouro_diff_side *side)
{
    return side->types.shallow_bytes;
}

static enum ouro_status grow(struct growing *g, uint64_t threshold)
{
    const struct ouro_diff_side *before = g->match->before, *after = g->match->after;
    struct ouro_diff_retained_row *whole = OURO_VEC_ADD(&g->pending);
    if (!whole)
        return OURO_NOMEM;
    *whole = (struct ouro_diff_retained_row){.node = OURO_NODE_NONE, .node_before = OURO_NODE_NONE,
                                             .before_count = before->types.object_count,
                                             .after_count = after->types.object_count, .before_bytes = total(before),
                                             .after_bytes = total(after)};
    int64_t change = change_of(whole);
    g->least = change / 10 > (int64_t)threshold ? (uint64_t)(change / 10) : threshold;
    g->least = g->least ? g->least : 1;
    while (g->pending.count) {
        struct ouro_diff_retained_row row = g->pending.items[--g->pending.count];
        struct ouro_diff_retained_row *out = OURO_VEC_ADD(g->out);
        if (!out)
            return OURO_NOMEM;
        *out = row;
        OURO_TRY(follow(g, &row));
    }
    return OURO_OK;
}

enum ouro_status ouro_diff_retained_init(struct ouro_diff_retained *retained, const struct ouro_diff_match *match,
                                         uint64_t threshold, struct ouro_err *err)
{
    memset(retained, 0, sizeof *retained);
    struct growing growing = {.out = retained, .match = match};
    enum ouro_status status = grow(&growing, threshold);
    free(growing.before.items);
    free(growing.after.items);
    free(growing.chosen.items);
    free(growing.pending.items);
    ouro_map_fini(&growing.group_of);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_diff_retained_fini(retained);
    return ouro_err_set(err, status, "out of memory for what grew in the dominator tree");
}

void ouro_diff_retained_fini(struct ouro_diff_retained *retained)
{
    free(retained->items);
    memset(retained, 0, sizeof *retained);
}
