#include "analysis/diff_match.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_match_similar.h"
#include "analysis/lookup.h"
#include "analysis/value.h"
#include "base/ahead.h"
#include "base/guard.h"
#include "base/hash.h"
#include "base/large.h"

#define REFERENTS_LOOKED_AT 16u
#define PRIVATE_REFERENCES  3u
#define AHEAD               24 /* objects before whose turn what is compared is asked for */

/* Which of its references a holder holds an object by: of the holder that was asked about last. */
struct places {
    const struct ouro_diff_side *side;
    ouro_node holder;
    struct ouro_map of; /* by object: the upper half of ouro_diff_slot_key */
};

struct matching {
    struct ouro_diff_match *match;
    const struct ouro_heap_model *before, *after;
    struct places before_places, after_places;
    bool incremental, failed; /* failed: out of memory */
};

static bool same_meta(const struct ouro_heap_model *a, const struct ouro_heap_model *b, const char *key, bool needed)
{
    const char *left = ouro_snapshot_meta(a->snapshot, key, NULL), *right = ouro_snapshot_meta(b->snapshot, key, NULL);
    return left && right ? !strcmp(left, right) : !needed && !left && !right;
}

bool ouro_diff_same_process(const struct ouro_heap_model *before, const struct ouro_heap_model *after)
{
    return same_meta(before, after, OURO_META_PID, true) && same_meta(before, after, "process.start_ticks", true) &&
           same_meta(before, after, "hash.seed", false) && same_meta(before, after, OURO_META_HOST, false) &&
           same_meta(before, after, OURO_META_PYTHON, false);
}

static void join(struct ouro_diff_match *match, ouro_node a, ouro_node b)
{
    match->to_after[a] = b;
    match->to_before[b] = a;
}

/* --- Roots and frames, which have no addresses */

/* For a map, which reserves UINT64_MAX. */
static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = ouro_hash_mix(hash, more);
    return hash == UINT64_MAX ? 0 : hash;
}

static uint64_t pseudo_key(const struct ouro_heap_model *model, ouro_node v)
{
    size_t size = 0;
    const unsigned char *text = ouro_value_has(model, v) ? ouro_value_raw(model, v, &size) : NULL;
    uint64_t hash = mix(5, model->heap.interp ? model->heap.interp[v] : 0);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ text[i]) * UINT64_C(0x100000001b3);
    return mix(hash, size);
}

/* Calls what it finds by key: roots, and their frames counted from the outermost. before: fills the map; after: looks up. */
static bool each_pseudo(struct matching *m, struct ouro_map *map, bool after)
{
    const struct ouro_heap_model *model = after ? m->after : m->before;
    for (ouro_node v = model->heap.count; v-- && model->heap.flags[v] & OURO_OBJECT_PSEUDO;) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot = {.target = v};
        if (ouro_heap_model_type(model, v) != model->root_type)
            continue;
        uint64_t root = pseudo_key(model, v), key = root;
        ouro_slot_walk_begin(&walk, model, v);
        do {
            if (slot.target != v) {
                if (slot.target == OURO_NODE_NONE || slot.part->kind != OURO_PART_NAMED ||
                    !(model->heap.flags[slot.target] & OURO_OBJECT_PSEUDO))
                    continue;
                key = mix(root, slot.item_count - slot.item);
            }
            bool added;
            uint64_t *there = after ? ouro_map_find(map, key) : ouro_map_put(map, key, &added);
            if (!after && !there)
                return false;
            if (!after)
                *there = added ? slot.target : OURO_NODE_NONE;
            else if (there && *there != OURO_NODE_NONE) {
                join(m->match, (ouro_node)*there, slot.target);
                *there = OURO_NODE_NONE;
            }
        } while (ouro_slot_walk_next(&walk, &slot));
    }
    return true;
}

static enum ouro_status match_pseudo(struct matching *m)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map map = {0};
    return each_pseudo(m, &map, false) && each_pseudo(m, &map, true) ? OURO_OK : OURO_NOMEM;
}

/* --- One process: what two objects at one address have in common */

enum evidence {
    OTHER_CERTAIN,
    OTHER_PROBABLE,
    SAME_PROBABLE,
    SAME_CERTAIN,
    IF_HOLDER, /* probably the same if its holder is */
    IF_PLACE,  /* and holds it by the same reference */
};
#define PENDING OURO_DIFF_VERDICT_COUNT /* behind the verdicts: evidence that waits for the holder */

static bool is_heap_type(const struct ouro_heap_model *model, uint32_t type)
{
    return ouro_heap_model_type_flags(model, type) & OURO_TYPE_HEAP;
}

static bool is_scalar(unsigned kind)
{
    return kind == OURO_VALUE_STR || kind == OURO_VALUE_BYTES || kind == OURO_VALUE_INT || kind == OURO_VALUE_FLOAT ||
           kind == OURO_VALUE_COMPLEX || kind == OURO_VALUE_BOOL || kind == OURO_VALUE_NULL;
}

static bool equal_values(const struct matching *m, ouro_node a, ouro_node b)
{
    size_t left_size, right_size;
    const unsigned char *left = ouro_value_raw(m->before, a, &left_size), *right = ouro_value_raw(m->after, b, &right_size);
    return left_size == right_size && !memcmp(left, right, left_size);
}

static ouro_addr addr_of(const struct ouro_heap_model *model, ouro_node node)
{
    return node == OURO_NODE_NONE ? 0 : model->heap.addr[node];
}

/* All of a tuple's items, or those that are looked at of another object: how many are the same. */
static uint64_t count_common(const struct matching *m, ouro_node a, ouro_node b, uint64_t *looked_at)
{
    const struct ouro_heap *left = &m->before->heap, *right = &m->after->heap;
    uint64_t a_count = left->slot_begin[a + 1] - left->slot_begin[a], common = 0;
    uint64_t b_count = right->slot_begin[b + 1] - right->slot_begin[b];
    *looked_at = a_count < b_count ? a_count : b_count;
    for (uint64_t i = 0; i < *looked_at; i++)
        common += addr_of(m->before, left->slots[left->slot_begin[a] + i]) ==
                  addr_of(m->after, right->slots[right->slot_begin[b] + i]);
    return common;
}

/* Its holder survived, or it has none, and had none. */
static bool shares_holder(const struct matching *m, ouro_node a, ouro_node b)
{
    ouro_node left = ouro_diff_side_holder(m->match->before, a), right = ouro_diff_side_holder(m->match->after, b);
    if ((left == OURO_NODE_NONE || left == a) && (right == OURO_NODE_NONE || right == b))
        return true; /* native code, in both */
    return left != OURO_NODE_NONE && right != OURO_NODE_NONE && left != a && right != b && m->match->to_after[left] == right;
}

/* Indices move, what a set has in which place is chance. */
static bool is_place(const struct ouro_slot *slot)
{
    unsigned kind = slot->part->kind;
    return kind == OURO_PART_FIELD || kind == OURO_PART_NAMESPACE || kind == OURO_PART_NAMESPACE_ANY ||
           kind == OURO_PART_ENTRIES || kind == OURO_PART_ENTRIES_STR || kind == OURO_PART_NAMED;
}

static bool list_places(struct places *places, ouro_node holder)
{
    const struct ouro_diff_side *side = places->side;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_map_fini(&places->of);
    places->holder = OURO_NODE_NONE;
    ouro_slot_walk_begin(&walk, side->model, holder);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target == OURO_NODE_NONE || slot.target == holder || slot.edge_class == OURO_EDGE_WEAK ||
            ouro_diff_side_holder(side, slot.target) != holder)
            continue;
        bool added;
        uint64_t *place = ouro_map_put(&places->of, slot.target, &added);
        if (!place)
            return false;
        if (added)
            *place = is_place(&slot) ? ouro_diff_slot_key(side->model, &slot) >> 32 : 0;
    }
    places->holder = holder;
    return true;
}

/* 0: one of many, or nothing holds it. What one holder holds is mostly asked about one after the other. */
static uint64_t place_of(struct places *places, ouro_node node, bool *failed)
{
    ouro_node holder = ouro_diff_side_holder(places->side, node);
    if (holder == OURO_NODE_NONE || holder == node)
        return 0;
    if (places->holder != holder && !list_places(places, holder)) {
        *failed = true;
        return 0;
    }
    const uint64_t *place = ouro_map_find(&places->of, node);
    return place ? *place : 0;
}

static bool has_same_place(struct matching *m, ouro_node a, ouro_node b)
{
    uint64_t place = place_of(&m->after_places, b, &m->failed);
    return place && place_of(&m->before_places, a, &m->failed) == place;
}

/* Few others refer to it: what is shared by all objects of a kind tells none from the others. */
static bool is_private(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.refcount[node] <= PRIVATE_REFERENCES && !(model->heap.flags[node] & OURO_OBJECT_IMMORTAL);
}

static bool is_equal_referent(const struct matching *m, ouro_node x, ouro_node y)
{
    if (addr_of(m->before, x) != addr_of(m->after, y))
        return false;
    return !(m->before->heap.flags[x] & m->after->heap.flags[y] & OURO_OBJECT_VALUE) || equal_values(m, x, y);
}

/* Of its own referents, but for its class, how many are the same: the first ones, from the front. */
static unsigned count_referents(const struct matching *m, ouro_node a, ouro_node b, unsigned *private)
{
    struct ouro_part_walk left, right;
    unsigned looked_at = 0, same = 0;
    *private = 0;
    ouro_part_walk_begin(&left, m->before, a);
    ouro_part_walk_begin(&right, m->after, b);
    while (ouro_part_walk_next(&left) && ouro_part_walk_next(&right)) {
        if (left.part->kind == OURO_PART_TYPE || right.part->kind == OURO_PART_TYPE)
            continue;
        uint64_t l = left.item_count * left.width, r = right.item_count * right.width;
        bool down = left.part->kind == OURO_PART_ITEMS_DOWN && right.part->kind == OURO_PART_ITEMS_DOWN;
        for (uint64_t i = 0; i < l && i < r && looked_at < REFERENTS_LOOKED_AT; i++, looked_at++) {
            ouro_node x = m->before->heap.slots[left.first + (down ? l - 1 - i : i)];
            ouro_node y = m->after->heap.slots[right.first + (down ? r - 1 - i : i)];
            if (x == OURO_NODE_NONE || y == OURO_NODE_NONE || !is_private(m->before, x) || !is_private(m->after, y))
                continue;
            ++*private;
            same += is_equal_referent(m, x, y);
        }
    }
    return same;
}

/* Most of its own referents speak for it; with a holder that survived one does, or the reference by which that held it. */
static enum evidence by_referents(const struct matching *m, ouro_node a, ouro_node b)
{
    unsigned private, same = count_referents(m, a, b, &private);
    return 2 * same > private ? SAME_PROBABLE : same || !private ? IF_HOLDER : IF_PLACE;
}

/* -1 when its generation says that it is another one, 1 when nothing is said. */
static int by_generation(const struct matching *m, ouro_node a, ouro_node b)
{
    int before = ouro_heap_model_generation(m->before, a), after = ouro_heap_model_generation(m->after, b);
    uint32_t type = ouro_heap_model_type(m->after, b);
    if (m->incremental || before < 1 || after < 0 || after >= before)
        return 1;
    if (before == 3 && after == 2)
        return 1; /* gc.unfreeze() */
    /* The collector stops tracking dicts without containers; when they get one they begin anew. */
    return ouro_heap_model_type_flags(m->after, type) & OURO_TYPE_DICT ? 1 : -1;
}

static enum evidence compare(const struct matching *m, ouro_node a, ouro_node b)
{
    uint32_t before = ouro_heap_model_type(m->before, a), after = ouro_heap_model_type(m->after, b);
    unsigned a_flags = m->before->heap.flags[a], b_flags = m->after->heap.flags[b];
    if (before >= m->before->type_count || after >= m->after->type_count)
        return OTHER_PROBABLE; /* lost to damage */
    const struct ouro_type_record *left = &m->before->types[before], *right = &m->after->types[after];
    if (left->addr != right->addr ||
        ouro_diff_side_type(m->match->before, a) != ouro_diff_side_type(m->match->after, b)) /* __class__ can be assigned */
        return is_heap_type(m->before, before) && is_heap_type(m->after, after) && left->basicsize == right->basicsize
                   ? OTHER_PROBABLE
                   : OTHER_CERTAIN;
    unsigned kind = right->value_kind;
    bool values = is_scalar(kind) && a_flags & b_flags & OURO_OBJECT_VALUE;
    if (values && !equal_values(m, a, b))
        return (a_flags | b_flags) & OURO_OBJECT_VALUE_CUT ? OTHER_PROBABLE : OTHER_CERTAIN;
    if (a_flags & OURO_OBJECT_FINALIZED && !(b_flags & OURO_OBJECT_FINALIZED))
        return OTHER_CERTAIN;
    if (after == m->after->tuple_type && before == m->before->tuple_type) {
        uint64_t count, common = count_common(m, a, b, &count);
        bool whole = !((a_flags | b_flags) & OURO_OBJECT_TORN);
        if (common != count || m->before->heap.size[a] != m->after->heap.size[b])
            return whole ? OTHER_CERTAIN : OTHER_PROBABLE;
        return a_flags & b_flags & OURO_OBJECT_IMMORTAL ? SAME_CERTAIN : SAME_PROBABLE;
    }
    if (by_generation(m, a, b) < 0)
        return OTHER_CERTAIN;
    if (a_flags & b_flags & OURO_OBJECT_IMMORTAL)
        return SAME_CERTAIN;
    if (values)
        return SAME_PROBABLE;
    return by_referents(m, a, b);
}

static void settle(struct ouro_diff_match *match, ouro_node a, ouro_node b, enum evidence evidence)
{
    if (evidence >= SAME_PROBABLE) {
        join(match, a, b);
        match->before_verdict[a] = match->after_verdict[b] =
            evidence == SAME_CERTAIN ? OURO_DIFF_SURVIVED_CERTAIN : OURO_DIFF_SURVIVED_PROBABLE;
        return;
    }
    match->to_before[b] = OURO_NODE_NONE;
    match->before_verdict[a] = match->after_verdict[b] =
        evidence == OTHER_CERTAIN ? OURO_DIFF_NEW_CERTAIN : OURO_DIFF_NEW_PROBABLE;
    match->reused_count++;
}

/* In the order of addresses, so that memory is read as it lies. What depends on the holder is only marked. */
static void compare_addresses(struct matching *m)
{
    const struct ouro_heap *before = &m->before->heap, *after = &m->after->heap;
    for (ouro_node a = 0, b = 0; a < before->count && b < after->count;) {
        if (before->flags[a] & OURO_OBJECT_PSEUDO || after->flags[b] & OURO_OBJECT_PSEUDO)
            break;
        if (before->addr[a] == after->addr[b]) {
            enum evidence evidence = compare(m, a, b);
            if (evidence >= IF_HOLDER) {
                m->match->to_before[b] = a;
                m->match->after_verdict[b] = PENDING + evidence;
            } else {
                settle(m->match, a, b, evidence);
            }
            a++;
            b++;
        } else if (before->addr[a] < after->addr[b]) {
            a++;
        } else {
            b++;
        }
    }
}

static void look_ahead(const struct matching *m, ouro_node done)
{
    const struct ouro_diff_side *before = m->match->before, *after = m->match->after;
    const ouro_node *queue = after->search.queue + done;
    if (after->search.found_count - done <= AHEAD)
        return;
    ouro_node b = queue[AHEAD];
    ouro_ahead(&m->match->after_verdict[b]);
    b = queue[AHEAD / 2];
    if (m->match->after_verdict[b] < PENDING)
        return;
    ouro_ahead(&after->search.parent[b]);
    ouro_ahead(&m->match->to_before[b]);
    b = queue[AHEAD / 4];
    if (m->match->after_verdict[b] >= PENDING)
        ouro_ahead(&before->search.parent[m->match->to_before[b]]);
}

/* What was marked: its partner stands in to_before until then. */
static void settle_pending(struct matching *m, ouro_node b)
{
    enum evidence evidence = m->match->after_verdict[b] - PENDING;
    ouro_node a = m->match->to_before[b];
    bool same = shares_holder(m, a, b) && (evidence == IF_HOLDER || has_same_place(m, a, b));
    settle(m->match, a, b, same ? SAME_PROBABLE : OTHER_PROBABLE);
}

static enum ouro_status match_addresses(struct matching *m)
{
    const struct ouro_path_search *search = &m->match->after->search;
    const uint8_t *verdict = m->match->after_verdict;
    compare_addresses(m);
    for (ouro_node i = 0; i < search->found_count; i++) { /* holders before what they hold */
        look_ahead(m, i);
        if (verdict[search->queue[i]] >= PENDING)
            settle_pending(m, search->queue[i]);
    }
    for (ouro_node b = 0; b < m->after->heap.count; b++)
        if (verdict[b] >= PENDING)
            settle_pending(m, b);
    return m->failed ? OURO_NOMEM : OURO_OK;
}

/* --- One process: certainty */

static void make_certain(struct matching *m, ouro_node a, ouro_node b)
{
    if (a == OURO_NODE_NONE || b == OURO_NODE_NONE || m->match->to_after[a] != b)
        return;
    m->match->before_verdict[a] = m->match->after_verdict[b] = OURO_DIFF_SURVIVED_CERTAIN;
}

static void make_static_types_certain(struct matching *m)
{
    for (uint32_t i = 0; i < m->after->type_count; i++) {
        ouro_node b = m->after->types[i].node;
        if (b < m->after->heap.count && !is_heap_type(m->after, i) && !(m->after->types[i].flags & OURO_TYPE_PSEUDO))
            make_certain(m, m->match->to_before[b], b);
    }
}

/* What an interpreter's state holds from its beginning to its end. */
static void make_lifelong_certain(struct matching *m)
{
    static const char *const names[] = {"sys.modules", "sys.__dict__", "builtins.__dict__", "interpreter: importlib"};
    for (ouro_node b = m->after->heap.count; b-- && m->after->heap.flags[b] & OURO_OBJECT_PSEUDO;) {
        ouro_node a = m->match->to_before[b];
        for (size_t i = 0; a != OURO_NODE_NONE && i < sizeof names / sizeof *names; i++) {
            ouro_node left = ouro_heap_model_field(m->before, a, names[i]), right = ouro_heap_model_field(m->after, b, names[i]);
            if (left != OURO_NODE_NONE && right != OURO_NODE_NONE)
                make_certain(m, left, right);
        }
    }
}

static const struct ouro_interpreter_record *interpreter_of(const struct ouro_heap_model *model, uint64_t id)
{
    size_t count;
    const struct ouro_interpreter_record *records = ouro_snapshot_interpreters(model->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (records[i].id == id)
            return &records[i];
    return NULL;
}

/* The youngest generation that nothing was moved to in between. gc.freeze() with gc.unfreeze() moves too; it sets the counts
 * back, which collections alone would have left at these values. */
static unsigned closed_generation(const struct matching *m, uint64_t interpreter)
{
    const struct ouro_interpreter_record *a = interpreter_of(m->before, interpreter), *b = interpreter_of(m->after, interpreter);
    if (m->incremental || !a || !b || a->gc_collecting || b->gc_collecting || a->collections[1] != b->collections[1] ||
        a->collections[2] != b->collections[2] || a->frozen != b->frozen || a->count[2] != b->count[2] ||
        b->collections[0] < a->collections[0] ||
        (uint64_t)(b->count[1] - a->count[1]) != b->collections[0] - a->collections[0])
        return OURO_GENERATION_COUNT;
    return a->collections[0] == b->collections[0] && b->count[0] >= a->count[0] ? 1 : 2;
}

/* A list that nothing was moved to has only lost objects: what is in it now was in it before, at the same addresses and in the
 * same order. Anything else, and it is not believed. */
static void walk_list(struct matching *m, const struct ouro_heap_gc_list *list, const uint32_t *place)
{
    uint32_t last = 0;
    for (size_t i = 0; i < list->count; i++) {
        ouro_node a = m->match->to_before[list->nodes[i]];
        if (a == OURO_NODE_NONE || place[a] <= last)
            return;
        last = place[a];
    }
    for (size_t i = 0; i < list->count; i++)
        make_certain(m, m->match->to_before[list->nodes[i]], list->nodes[i]);
}

static enum ouro_status make_listed_certain(struct matching *m)
{
    const struct ouro_heap *before = &m->before->heap, *after = &m->after->heap;
    OURO_FREE uint32_t *place = NULL;
    for (size_t i = 0; i < after->gc_list_count; i++) {
        const struct ouro_heap_gc_list *list = &after->gc_lists[i];
        if (list->generation >= OURO_GENERATION_COUNT || list->generation < closed_generation(m, list->interpreter))
            continue;
        for (size_t j = 0; j < before->gc_list_count; j++) {
            const struct ouro_heap_gc_list *old = &before->gc_lists[j];
            if (old->interpreter != list->interpreter || old->generation != list->generation)
                continue;
            if (!place && !(place = ouro_large_new(before->count, sizeof *place)))
                return OURO_NOMEM;
            memset(place, 0, before->count * sizeof *place);
            for (size_t k = 0; k < old->count && k + 1 < UINT32_MAX; k++)
                place[old->nodes[k]] = (uint32_t)(k + 1);
            walk_list(m, list, place);
        }
    }
    return OURO_OK;
}

/* A tuple holds the same items all its life. */
static enum ouro_status make_items_certain(struct matching *m)
{
    const struct ouro_heap *after = &m->after->heap;
    const uint8_t *verdict = m->match->after_verdict;
    OURO_FREE ouro_node *stack = NULL;
    size_t depth = 0, capacity = 0;
    for (ouro_node first = 0; first < after->count; first++) {
        if (verdict[first] != OURO_DIFF_SURVIVED_CERTAIN || ouro_heap_model_type(m->after, first) != m->after->tuple_type)
            continue;
        for (ouro_node b = first;; b = stack[--depth]) {
            for (uint64_t i = after->slot_begin[b]; i < after->slot_begin[b + 1]; i++) {
                ouro_node to = after->slots[i];
                if (to == OURO_NODE_NONE || verdict[to] != OURO_DIFF_SURVIVED_PROBABLE)
                    continue;
                make_certain(m, m->match->to_before[to], to);
                if (ouro_heap_model_type(m->after, to) != m->after->tuple_type)
                    continue;
                if (depth == capacity && !ouro_vec_grow((void **)&stack, &capacity, sizeof *stack))
                    return OURO_NOMEM;
                stack[depth++] = to;
            }
            if (!depth)
                break;
        }
    }
    return OURO_OK;
}

static enum ouro_status match_process(struct matching *m)
{
    struct ouro_diff_match *match = m->match;
    const char *kind = ouro_snapshot_meta(m->after->snapshot, OURO_META_COLLECTOR, NULL);
    m->incremental = kind && !strcmp(kind, "incremental");
    match->before_verdict = ouro_large_new_zeroed(m->before->heap.count, 1);
    match->after_verdict = ouro_large_new_zeroed(m->after->heap.count, 1);
    if (!match->before_verdict || !match->after_verdict)
        return OURO_NOMEM;
    if (ouro_snapshot_damaged(m->before->snapshot) || ouro_snapshot_damaged(m->after->snapshot)) { /* what is missing may be lost only */
        memset(match->before_verdict, OURO_DIFF_NEW_PROBABLE, m->before->heap.count);
        memset(match->after_verdict, OURO_DIFF_NEW_PROBABLE, m->after->heap.count);
    }
    m->before_places = (struct places){.side = match->before, .holder = OURO_NODE_NONE};
    m->after_places = (struct places){.side = match->after, .holder = OURO_NODE_NONE};
    enum ouro_status status = match_addresses(m);
    ouro_map_fini(&m->before_places.of);
    ouro_map_fini(&m->after_places.of);
    OURO_TRY(status);
    make_static_types_certain(m);
    make_lifelong_certain(m);
    OURO_TRY(make_listed_certain(m));
    return make_items_certain(m);
}

/* --- The whole */

static bool is_backwards(const struct ouro_diff_side *before, const struct ouro_diff_side *after)
{
    const char *left = ouro_snapshot_meta(before->model->snapshot, OURO_META_TIME, NULL);
    const char *right = ouro_snapshot_meta(after->model->snapshot, OURO_META_TIME, NULL);
    return left && right && strtod(right, NULL) < strtod(left, NULL);
}

static void turn_round(struct ouro_diff_match *match)
{
    struct ouro_diff_match old = *match;
    match->before = old.after;
    match->after = old.before;
    match->to_after = old.to_before;
    match->to_before = old.to_after;
    match->before_verdict = old.after_verdict;
    match->after_verdict = old.before_verdict;
}

enum ouro_status ouro_diff_match_init(struct ouro_diff_match *match, struct ouro_diff_side *before,
                                      struct ouro_diff_side *after, struct ouro_err *err)
{
    if (is_backwards(before, after)) { /* what speaks for and against goes by time */
        OURO_TRY(ouro_diff_match_init(match, after, before, err));
        turn_round(match);
        return OURO_OK;
    }
    memset(match, 0, sizeof *match);
    match->before = before;
    match->after = after;
    match->same_process = ouro_diff_same_process(before->model, after->model);
    size_t before_count = before->model->heap.count, after_count = after->model->heap.count;
    struct matching m = {.match = match, .before = before->model, .after = after->model};
    match->to_after = ouro_large_new(before_count, sizeof *match->to_after);
    match->to_before = ouro_large_new(after_count, sizeof *match->to_before);
    enum ouro_status status = match->to_after && match->to_before ? OURO_OK : OURO_NOMEM;
    if (status == OURO_OK) {
        memset(match->to_after, 0xff, before_count * sizeof *match->to_after);
        memset(match->to_before, 0xff, after_count * sizeof *match->to_before);
        status = match_pseudo(&m);
    }
    if (status == OURO_OK)
        status = match->same_process ? match_process(&m) : ouro_diff_match_similar(match);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_diff_match_fini(match);
    return ouro_err_set(err, status, "out of memory for comparing %zu with %zu objects", before_count, after_count);
}

void ouro_diff_match_fini(struct ouro_diff_match *match)
{
    free(match->to_after);
    free(match->to_before);
    free(match->before_verdict);
    free(match->after_verdict);
    memset(match, 0, sizeof *match);
}
