#include "analysis/diff_match_similar.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"

#define AHEAD     24 /* objects before whose turn what is compared is asked for */
#define NOT_ASKED UINT32_MAX

struct child {
    uint64_t key;
    ouro_node node;
};

struct children {
    struct child *items; /* owned */
    size_t count, capacity;
};

struct similar {
    struct ouro_diff_match *match;
    const struct ouro_heap_model *before, *after;
    const ouro_node *before_parent, *after_parent;
    struct {
        uint32_t shape; /* of after, or NOT_ASKED */
        bool alike;
    } *compared; /* owned; by shape of before: with which it was compared last */
    struct children left, right;
};

static void join_similar(struct similar *s, ouro_node x, ouro_node y)
{
    struct ouro_diff_match *match = s->match;
    if (match->to_after[x] != OURO_NODE_NONE || match->to_before[y] != OURO_NODE_NONE ||
        ouro_diff_side_type(match->before, x) != ouro_diff_side_type(match->after, y))
        return;
    match->to_after[x] = y;
    match->to_before[y] = x;
}

/* What references of one name from a and b refer to: only the tree of paths is gone down. */
static inline void join_held(struct similar *s, ouro_node a, ouro_node b, ouro_node x, ouro_node y)
{
    if (x != OURO_NODE_NONE && y != OURO_NODE_NONE && x != a && y != b && s->before_parent[x] == a && s->after_parent[y] == b)
        join_similar(s, x, y);
}

/* --- Part by part, where both have the same parts */

static bool same_text(const struct similar *s, uint32_t left, uint32_t right)
{
    size_t l, r;
    const char *a = ouro_snapshot_string(s->before->snapshot, left, &l), *b = ouro_snapshot_string(s->after->snapshot, right, &r);
    return a && b ? l == r && !memcmp(a, b, l) : a == b;
}

static bool compare_parts(const struct similar *s, const struct ouro_heap_shape *left, const struct ouro_heap_shape *right)
{
    if (left->part_count != right->part_count)
        return false;
    for (uint32_t i = 0; i < left->part_count; i++) {
        const struct ouro_part *a = &left->parts[i], *b = &right->parts[i];
        if (a->kind != b->kind || a->edge_class != b->edge_class || !same_text(s, a->name, b->name))
            return false;
    }
    return true;
}

static bool are_alike(struct similar *s, const struct ouro_heap_shape *left, const struct ouro_heap_shape *right)
{
    uint32_t from = (uint32_t)(left - s->before->shapes), to = (uint32_t)(right - s->after->shapes);
    if (s->compared[from].shape != to) {
        s->compared[from].shape = to;
        s->compared[from].alike = compare_parts(s, left, right);
    }
    return s->compared[from].alike;
}

static bool is_weak(const struct ouro_part *part, unsigned place)
{
    return ouro_part_slot_class(part->kind, part->edge_class, place) == OURO_EDGE_WEAK;
}

/* The n-th from the front, or from the back (frames: the outermost is the oldest). */
static void match_by_index(struct similar *s, const struct ouro_part_walk *l, const struct ouro_part_walk *r)
{
    uint64_t count = l->item_count < r->item_count ? l->item_count : r->item_count;
    bool back = l->part->kind == OURO_PART_NAMED || l->part->kind == OURO_PART_ITEMS_DOWN;
    const ouro_node *x = s->before->heap.slots + l->first + (back ? l->item_count - count : 0);
    const ouro_node *y = s->after->heap.slots + r->first + (back ? r->item_count - count : 0);
    for (uint64_t i = 0; i < count; i++)
        join_held(s, l->node, r->node, x[i], y[i]);
}

static bool equal_keys(const struct similar *s, ouro_node x, ouro_node y)
{
    if (x == OURO_NODE_NONE || y == OURO_NODE_NONE)
        return false;
    if (ouro_value_has(s->before, x) && ouro_value_has(s->after, y)) {
        size_t l, r;
        uint32_t left = ouro_heap_model_type(s->before, x), right = ouro_heap_model_type(s->after, y);
        const unsigned char *a = ouro_value_raw(s->before, x, &l), *b = ouro_value_raw(s->after, y, &r);
        return left < s->before->type_count && right < s->after->type_count &&
               s->before->types[left].value_kind == s->after->types[right].value_kind && l == r && !memcmp(a, b, l);
    }
    uint64_t key = ouro_diff_value_key(s->before, x);
    return key && key == ouro_diff_value_key(s->after, y);
}

static void join_items(struct similar *s, const struct ouro_part_walk *l, const struct ouro_part_walk *r, uint64_t i, uint64_t j)
{
    unsigned width = l->part->kind == OURO_PART_LINKS ? 2 : l->width; /* a link's type has no name */
    for (unsigned place = 0; place < width; place++)
        if (!is_weak(l->part, place))
            join_held(s, l->node, r->node, s->before->heap.slots[l->first + i * l->width + place],
                      s->after->heap.slots[r->first + j * r->width + place]);
}

/* Of the walk's i-th item. */
static ouro_node key_of(const struct ouro_heap_model *model, const struct ouro_part_walk *walk, uint64_t i)
{
    return model->heap.slots[walk->first + i * walk->width + (walk->width == 2)];
}

static bool holds_one(const struct ouro_heap_model *model, const struct ouro_part_walk *walk, const ouro_node *parent, uint64_t i)
{
    const ouro_node *slots = model->heap.slots + walk->first + i * walk->width;
    for (unsigned place = 0; place < walk->width; place++)
        if (slots[place] != OURO_NODE_NONE && parent[slots[place]] == walk->node)
            return true;
    return false;
}

/* Mostly keys stand in the same order; behind the first that doesn't they are looked up. Of equal ones the first counts. */
static enum ouro_status match_by_key(struct similar *s, const struct ouro_part_walk *l, const struct ouro_part_walk *r)
{
    uint64_t same = 0;
    while (same < l->item_count && same < r->item_count &&
           equal_keys(s, key_of(s->before, l, same), key_of(s->after, r, same))) {
        join_items(s, l, r, same, same);
        same++;
    }
    if (same == l->item_count || same == r->item_count)
        return OURO_OK;
    OURO_GUARD(ouro_map_fini) struct ouro_map map = {0};
    for (uint64_t i = l->item_count; i-- > same;) {
        uint64_t key = holds_one(s->before, l, s->before_parent, i) ? ouro_diff_value_key(s->before, key_of(s->before, l, i)) : 0;
        uint64_t *item = key ? ouro_map_put(&map, key, NULL) : NULL;
        if (key && !item)
            return OURO_NOMEM;
        if (item)
            *item = i;
    }
    for (uint64_t j = same; map.count && j < r->item_count; j++) {
        uint64_t key = holds_one(s->after, r, s->after_parent, j) ? ouro_diff_value_key(s->after, key_of(s->after, r, j)) : 0;
        uint64_t *item = key ? ouro_map_find(&map, key) : NULL;
        if (item)
            join_items(s, l, r, *item, j);
    }
    return OURO_OK;
}

static enum ouro_status match_part(struct similar *s, const struct ouro_part_walk *l, const struct ouro_part_walk *r)
{
    switch (l->part->kind) {
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
    case OURO_PART_LINKS:
    case OURO_PART_ELEMENTS:
    case OURO_PART_KEYS:
        return match_by_key(s, l, r);
    default:
        if (!is_weak(l->part, 0))
            match_by_index(s, l, r);
        return OURO_OK;
    }
}

static enum ouro_status match_parts(struct similar *s, ouro_node a, ouro_node b)
{
    const struct ouro_part *left = ouro_heap_model_shape(s->before, a)->parts, *right = ouro_heap_model_shape(s->after, b)->parts;
    struct ouro_part_walk l, r;
    ouro_part_walk_begin(&l, s->before, a);
    ouro_part_walk_begin(&r, s->after, b);
    bool more = ouro_part_walk_next(&l) && ouro_part_walk_next(&r);
    while (more) {
        if (l.part - left < r.part - right) { /* the other's has no items */
            more = ouro_part_walk_next(&l);
        } else if (l.part - left > r.part - right) {
            more = ouro_part_walk_next(&r);
        } else {
            OURO_TRY(match_part(s, &l, &r));
            more = ouro_part_walk_next(&l) && ouro_part_walk_next(&r);
        }
    }
    return OURO_OK;
}

/* --- Reference by reference, where the parts differ: a dict that became one of another layout */

static bool list_children(const struct ouro_diff_side *side, ouro_node holder, struct children *children)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    children->count = 0;
    ouro_slot_walk_begin(&walk, side->model, holder);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target == OURO_NODE_NONE || slot.edge_class == OURO_EDGE_WEAK || slot.target == holder ||
            side->search.parent[slot.target] != holder)
            continue;
        uint64_t key = ouro_diff_slot_key(side->model, &slot);
        struct child *child = key ? OURO_VEC_ADD(children) : NULL;
        if (key && !child)
            return false;
        if (child)
            *child = (struct child){key == UINT64_MAX ? 1 : key, slot.target};
    }
    return true;
}

static enum ouro_status match_children(struct similar *s, ouro_node a, ouro_node b)
{
    struct children *left = &s->left, *right = &s->right;
    if (!list_children(s->match->before, a, left) || !list_children(s->match->after, b, right))
        return OURO_NOMEM;
    size_t same = 0;
    while (same < left->count && same < right->count && left->items[same].key == right->items[same].key) {
        join_similar(s, left->items[same].node, right->items[same].node);
        same++;
    }
    if (same == left->count || same == right->count)
        return OURO_OK;
    OURO_GUARD(ouro_map_fini) struct ouro_map map = {0};
    for (size_t i = left->count; i-- > same;) { /* of equal keys the first one stays */
        uint64_t *place = ouro_map_put(&map, left->items[i].key, NULL);
        if (!place)
            return OURO_NOMEM;
        *place = left->items[i].node;
    }
    for (size_t i = same; i < right->count; i++) {
        uint64_t *place = ouro_map_find(&map, right->items[i].key);
        if (place)
            join_similar(s, (ouro_node)*place, right->items[i].node);
    }
    return OURO_OK;
}

/* --- The whole */

/* What has a match is mostly known some objects before its turn. */
static void look_ahead(const struct similar *s, ouro_node done)
{
    const struct ouro_path_search *before = &s->match->before->search, *after = &s->match->after->search;
    const ouro_node *queue = after->queue + done, *to_before = s->match->to_before;
    if (after->found_count - done <= AHEAD)
        return;
    ouro_node far = queue[AHEAD], half = queue[2 * AHEAD / 3], near = queue[AHEAD / 3];
    ouro_heap_model_ahead(s->after, far);
    if (to_before[far] != OURO_NODE_NONE)
        ouro_heap_model_ahead(s->before, to_before[far]);
    ouro_heap_model_ahead_slots(s->after, half);
    if (to_before[half] != OURO_NODE_NONE)
        ouro_heap_model_ahead_slots(s->before, to_before[half]);
    if (to_before[near] == OURO_NODE_NONE)
        return;
    ouro_heap_model_ahead_targets(s->after, near, after->parent, sizeof *after->parent);
    ouro_heap_model_ahead_targets(s->before, to_before[near], before->parent, sizeof *before->parent);
}

enum ouro_status ouro_diff_match_similar(struct ouro_diff_match *match)
{
    const struct ouro_path_search *search = &match->after->search;
    struct similar s = {.match = match, .before = match->before->model, .after = match->after->model,
                        .before_parent = match->before->search.parent, .after_parent = search->parent};
    s.compared = malloc(((size_t)s.before->shape_count + 1) * sizeof *s.compared);
    enum ouro_status status = s.compared ? OURO_OK : OURO_NOMEM;
    for (uint32_t i = 0; s.compared && i <= s.before->shape_count; i++)
        s.compared[i].shape = NOT_ASKED;
    for (ouro_node i = 0; i < search->found_count && status == OURO_OK; i++) {
        ouro_node b = search->queue[i], a = match->to_before[b];
        look_ahead(&s, i);
        if (a == OURO_NODE_NONE)
            continue;
        status = are_alike(&s, ouro_heap_model_shape(s.before, a), ouro_heap_model_shape(s.after, b)) ? match_parts(&s, a, b)
                                                                                                     : match_children(&s, a, b);
    }
    free(s.compared);
    free(s.left.items);
    free(s.right.items);
    return status;
}
