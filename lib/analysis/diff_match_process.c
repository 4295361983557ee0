#include "analysis/diff_match_process.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/ahead.h"
#include "base/bits.h"
#include "base/guard.h"
#include "base/large.h"

#define REFERENTS_LOOKED_AT 16u
#define PRIVATE_REFERENCES  3u
#define AHEAD               24 /* objects before whose turn what is compared is asked for */
#define STRETCHES           4  /* threads: beside them run those that find dominators */
#define BLOCK               64 /* flags looked at together */

/* Which of its references a holder holds an object by: of the holder that was asked about last. */
struct places {
    const struct ouro_diff_side *side;
    ouro_node holder;
    struct ouro_map of; /* by object: the upper half of ouro_diff_slot_key */
};

/* What is asked of an object's type and slots, by shape. */
struct kind {
    ouro_addr type_addr;
    uint32_t type, label;
    int32_t type_at; /* which of the slots refers to its type: from the front, ~n from the back, or NOWHERE */
    bool lost, scalar, tuple, dict;
    bool simple;     /* its slots stand in the order in which they are compared, or, `down`, against it */
    bool down;
};
#define NOWHERE INT32_MAX

struct matching {
    struct ouro_diff_match *match;
    const struct ouro_heap_model *before, *after;
    struct kind *before_kinds, *after_kinds; /* owned; by shape, and one of lost objects */
    uint32_t *alike; /* by shape of before: that of after which was last found to have such parts, and 1 */
    struct places before_places, after_places;
    uint64_t *before_private, *after_private; /* owned; bits: few others refer to it */
    uint64_t *waiting; /* owned; bits, of after: no verdict yet; then: evidence that waits for the holder */
    ouro_node waiting_count;
    uint64_t reused_count;
    bool incremental, failed; /* failed: out of memory */
};

/* What one thread compares: the objects of both sides that lie between two addresses. */
struct stretch {
    struct matching own; /* what is counted, and alike; all else is everybody's */
    ouro_node a, a_end, b, b_end;
    void (*stage)(struct stretch *stretch);
    pthread_t thread;
    bool started;
};

/* --- What two objects at one address have in common */

enum evidence {
    OTHER_CERTAIN,
    OTHER_PROBABLE,
    SAME_PROBABLE,
    SAME_CERTAIN,
    IF_HOLDER, /* probably the same if its holder is */
    IF_PLACE,  /* and holds it by the same reference */
};
#define PENDING OURO_DIFF_VERDICT_COUNT /* behind the verdicts: evidence that waits for the holder */

static bool is_scalar(unsigned kind)
{
    return kind == OURO_VALUE_STR || kind == OURO_VALUE_BYTES || kind == OURO_VALUE_INT || kind == OURO_VALUE_FLOAT ||
           kind == OURO_VALUE_COMPLEX || kind == OURO_VALUE_BOOL || kind == OURO_VALUE_NULL;
}

static void find_order(struct kind *kind, const struct ouro_heap_shape *shape)
{
    uint32_t slots = 0, runs = 0, others = 0, types = 0;
    kind->type_at = NOWHERE;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        const struct ouro_part *part = &shape->parts[i];
        if (part->kind == OURO_PART_TYPE) {
            kind->type_at = runs ? ~(int32_t)(shape->fixed_count - slots) : (int32_t)slots;
            types++;
        } else {
            others++;
        }
        kind->down |= part->kind == OURO_PART_ITEMS_DOWN;
        if (ouro_part_repeats(part->kind))
            runs++;
        else
            slots += ouro_part_width(part->kind);
    }
    kind->simple = runs <= 1 && types <= 1 && (!kind->down || others == 1);
}

static struct kind *list_kinds(const struct ouro_diff_side *side)
{
    const struct ouro_heap_model *model = side->model;
    struct kind *kinds = calloc((size_t)model->shape_count + 1, sizeof *kinds);
    for (uint32_t i = 0; kinds && i <= model->shape_count; i++) {
        uint32_t type = model->shapes[i].type;
        kinds[i].type = type;
        kinds[i].lost = type >= model->type_count;
        kinds[i].label = side->labels.of_type[kinds[i].lost ? model->type_count : type];
        if (kinds[i].lost)
            continue;
        kinds[i].type_addr = model->types[type].addr;
        kinds[i].scalar = is_scalar(model->types[type].value_kind);
        kinds[i].tuple = type == model->tuple_type;
        kinds[i].dict = model->types[type].flags & OURO_TYPE_DICT;
        find_order(&kinds[i], &model->shapes[i]);
    }
    return kinds;
}

static uint32_t shape_of(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t shape = model->heap.shape[node];
    return shape < model->shape_count ? shape : model->shape_count;
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
static void find_private(const struct ouro_heap *heap, uint64_t *private, ouro_node begin, ouro_node end)
{
    for (ouro_node v = begin; v < end; v++)
        ouro_bits_add(private, v,
                      heap->refcount[v] <= PRIVATE_REFERENCES &&
                          !(heap->flags[v] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO)));
}

/* Of an object's own referents, but for its class: how many were compared, how many of these were private, and are the same. */
struct referents {
    unsigned looked_at, private, same;
};

static inline void count_referent(const struct matching *m, struct referents *r, ouro_node x, ouro_node y)
{
    r->looked_at++;
    if (x == OURO_NODE_NONE || y == OURO_NODE_NONE || !ouro_bits_has(m->before_private, x) || !ouro_bits_has(m->after_private, y))
        return;
    r->private++;
    r->same += m->match->to_after[x] == y;
}

/* Part by part: the first ones, from the front. */
static void count_by_part(const struct matching *m, struct referents *referents, ouro_node a, ouro_node b)
{
    struct ouro_part_walk left, right;
    ouro_part_walk_begin(&left, m->before, a);
    ouro_part_walk_begin(&right, m->after, b);
    while (ouro_part_walk_next(&left) && ouro_part_walk_next(&right)) {
        if (left.part->kind == OURO_PART_TYPE || right.part->kind == OURO_PART_TYPE)
            continue;
        uint64_t l = left.item_count * left.width, r = right.item_count * right.width;
        bool down = left.part->kind == OURO_PART_ITEMS_DOWN && right.part->kind == OURO_PART_ITEMS_DOWN;
        for (uint64_t i = 0; i < l && i < r && referents->looked_at < REFERENTS_LOOKED_AT; i++)
            count_referent(m, referents, m->before->heap.slots[left.first + (down ? l - 1 - i : i)],
                           m->after->heap.slots[right.first + (down ? r - 1 - i : i)]);
    }
}

static bool has_such_parts(const struct matching *m, uint32_t left, uint32_t right)
{
    const struct ouro_heap_shape *before = &m->before->shapes[left], *after = &m->after->shapes[right];
    if (m->alike[left] == right + 1)
        return true;
    bool alike = before->part_count == after->part_count && m->before_kinds[left].simple && m->after_kinds[right].simple;
    for (uint32_t i = 0; alike && i < before->part_count; i++)
        alike = before->parts[i].kind == after->parts[i].kind;
    if (alike)
        m->alike[left] = right + 1;
    return alike;
}

/* Most objects have the same parts, and as many, as they had: then slot by slot. */
static void count_referents(const struct matching *m, struct referents *referents, ouro_node a, ouro_node b)
{
    const struct ouro_heap *before = &m->before->heap, *after = &m->after->heap;
    uint64_t count = before->slot_begin[a + 1] - before->slot_begin[a];
    uint32_t left = shape_of(m->before, a), right = shape_of(m->after, b);
    *referents = (struct referents){.looked_at = 0};
    if (after->slot_begin[b + 1] - after->slot_begin[b] != count || !has_such_parts(m, left, right)) {
        count_by_part(m, referents, a, b);
        return;
    }
    const struct kind *kind = &m->before_kinds[left];
    const ouro_node *x = before->slots + before->slot_begin[a], *y = after->slots + after->slot_begin[b];
    uint64_t type_at = kind->type_at >= 0 ? (uint64_t)kind->type_at : count - (uint64_t)~kind->type_at;
    for (uint64_t i = 0; i < count && referents->looked_at < REFERENTS_LOOKED_AT; i++) {
        uint64_t slot = kind->down ? count - 1 - i : i;
        if (slot != type_at)
            count_referent(m, referents, x[slot], y[slot]);
    }
}

/* Most of its own referents speak for it; with a holder that survived one does, or the reference by which that held it. */
static enum evidence by_referents(const struct matching *m, ouro_node a, ouro_node b)
{
    struct referents r;
    count_referents(m, &r, a, b);
    return 2 * r.same > r.private ? SAME_PROBABLE : r.same || !r.private ? IF_HOLDER : IF_PLACE;
}

/* Whether its generation says that it is another one. */
static bool is_younger(const struct matching *m, const struct kind *kind, ouro_node a, ouro_node b)
{
    int before = ouro_heap_model_generation(m->before, a), after = ouro_heap_model_generation(m->after, b);
    if (m->incremental || before < 1 || after < 0 || after >= before)
        return false;
    if (before == 3 && after == 2)
        return false; /* gc.unfreeze() */
    return !kind->dict; /* The collector stops tracking dicts without containers; when they get one they begin anew. */
}

static enum evidence compare_types(const struct matching *m, const struct kind *left, const struct kind *right)
{
    if (left->lost || right->lost)
        return OTHER_PROBABLE; /* to damage */
    if (left->type_addr == right->type_addr && left->label == right->label)
        return SAME_PROBABLE;
    return ouro_heap_model_type_flags(m->before, left->type) & OURO_TYPE_HEAP &&
                   ouro_heap_model_type_flags(m->after, right->type) & OURO_TYPE_HEAP &&
                   m->before->types[left->type].basicsize == m->after->types[right->type].basicsize
               ? OTHER_PROBABLE /* __class__ can be assigned */
               : OTHER_CERTAIN;
}

static enum evidence compare_tuples(const struct matching *m, ouro_node a, ouro_node b)
{
    unsigned a_flags = m->before->heap.flags[a], b_flags = m->after->heap.flags[b];
    bool whole = !((a_flags | b_flags) & OURO_OBJECT_TORN);
    uint64_t count, common = count_common(m, a, b, &count);
    if (common != count || m->before->heap.size[a] != m->after->heap.size[b])
        return whole ? OTHER_CERTAIN : OTHER_PROBABLE;
    return a_flags & b_flags & OURO_OBJECT_IMMORTAL ? SAME_CERTAIN : SAME_PROBABLE;
}

static enum evidence compare(const struct matching *m, ouro_node a, ouro_node b)
{
    const struct kind *left = &m->before_kinds[shape_of(m->before, a)], *right = &m->after_kinds[shape_of(m->after, b)];
    unsigned a_flags = m->before->heap.flags[a], b_flags = m->after->heap.flags[b];
    enum evidence types = compare_types(m, left, right);
    if (types != SAME_PROBABLE)
        return types;
    bool values = right->scalar && a_flags & b_flags & OURO_OBJECT_VALUE;
    if (values && m->match->to_after[a] != b)
        return (a_flags | b_flags) & OURO_OBJECT_VALUE_CUT ? OTHER_PROBABLE : OTHER_CERTAIN;
    if (a_flags & OURO_OBJECT_FINALIZED && !(b_flags & OURO_OBJECT_FINALIZED))
        return OTHER_CERTAIN;
    if (left->tuple && right->tuple)
        return compare_tuples(m, a, b);
    if (is_younger(m, right, a, b))
        return OTHER_CERTAIN;
    if (a_flags & b_flags & OURO_OBJECT_IMMORTAL)
        return SAME_CERTAIN;
    return values ? SAME_PROBABLE : by_referents(m, a, b);
}

static void settle(struct matching *m, ouro_node a, ouro_node b, enum evidence evidence)
{
    static const enum ouro_diff_verdict verdicts[] = {[OTHER_CERTAIN] = OURO_DIFF_NEW_CERTAIN,
                                                      [OTHER_PROBABLE] = OURO_DIFF_NEW_PROBABLE,
                                                      [SAME_PROBABLE] = OURO_DIFF_SURVIVED_PROBABLE,
                                                      [SAME_CERTAIN] = OURO_DIFF_SURVIVED_CERTAIN};
    bool same = evidence >= SAME_PROBABLE;
    m->match->to_after[a] = same ? b : OURO_NODE_NONE;
    m->match->to_before[b] = same ? a : OURO_NODE_NONE;
    m->reused_count += !same;
    ouro_diff_match_set(m->match, a, b, verdicts[evidence]);
}

static inline void take_evidence(struct matching *m, ouro_node a, ouro_node b, enum evidence evidence)
{
    if (evidence == SAME_PROBABLE && m->match->to_after[a] == b) {
        ouro_diff_match_set(m->match, a, b, OURO_DIFF_SURVIVED_PROBABLE);
        return;
    }
    m->match->after_verdict[b] = PENDING + evidence;
    ouro_bits_add(m->waiting, b, true);
}

/* --- Stages, each of a stretch */

/* Bits of one word are one thread's: rounded to words. */
static ouro_node share_of(ouro_node count, unsigned i, unsigned stretches)
{
    return i == stretches ? count : (ouro_node)((uint64_t)count * i / stretches) & ~(ouro_node)63;
}

static void find_both_private(struct stretch *stretch)
{
    const struct matching *m = &stretch->own;
    find_private(&m->before->heap, m->before_private, stretch->a, stretch->a_end);
    find_private(&m->after->heap, m->after_private, stretch->b, stretch->b_end);
}

/* Who stands at the same address: to_before; and has the same value, if it has one: to_after. */
static void pair_addresses(struct stretch *stretch)
{
    struct matching *m = &stretch->own;
    const struct ouro_heap *before = &m->before->heap, *after = &m->after->heap;
    struct ouro_diff_match *match = m->match;
    ouro_node a = stretch->a, b = stretch->b;
    while (a < stretch->a_end && b < stretch->b_end) {
        if (before->addr[a] != after->addr[b]) {
            before->addr[a] < after->addr[b] ? a++ : b++;
            continue;
        }
        match->to_before[b] = a;
        bool values = before->flags[a] & after->flags[b] & OURO_OBJECT_VALUE;
        if (!values || equal_values(m, a, b))
            match->to_after[a] = b;
        if (values && m->after_kinds[shape_of(m->after, b)].scalar) /* asks nothing of others */
            take_evidence(m, a, b, compare(m, a, b));
        a++;
        b++;
    }
}

/* In the order of addresses, so that memory is read as it lies. Partners stay as they are until all are compared: of an
 * object's referents those that lie behind it would else not have been. */
static void compare_pairs(struct stretch *stretch)
{
    struct matching *m = &stretch->own;
    const struct ouro_diff_match *match = m->match;
    const ouro_node *to_before = match->to_before;
    for (ouro_node b = stretch->b; b < stretch->b_end; b++)
        if (to_before[b] != OURO_NODE_NONE && match->after_verdict[b] < OURO_DIFF_SURVIVED_CERTAIN) /* none so far */
            take_evidence(m, to_before[b], b, compare(m, to_before[b], b));
}

/* What depends on the holder is only marked. */
static void settle_pairs(struct stretch *stretch)
{
    struct matching *m = &stretch->own;
    struct ouro_diff_match *match = m->match;
    const ouro_node *to_before = match->to_before, end = stretch->b_end;
    for (ouro_node b = ouro_bits_next(m->waiting, stretch->b, end); b < end;
         b = ouro_bits_next(m->waiting, b + 1, end)) {
        enum evidence evidence = match->after_verdict[b] - PENDING;
        if (evidence >= IF_HOLDER) {
            match->to_after[to_before[b]] = OURO_NODE_NONE;
            m->waiting_count++;
        } else {
            settle(m, to_before[b], b, evidence);
            ouro_bits_remove(m->waiting, b);
        }
    }
}

static void *do_stage(void *context)
{
    struct stretch *stretch = context;
    stretch->stage(stretch);
    return NULL;
}

/* A thread each, and this one; all of them are done when it returns. */
static void run_stage(struct stretch *stretches, void (*stage)(struct stretch *stretch))
{
    for (unsigned i = 0; i < STRETCHES; i++) {
        stretches[i].stage = stage;
        stretches[i].started = i && stretches[i].b < stretches[i].b_end &&
                               !pthread_create(&stretches[i].thread, NULL, do_stage, &stretches[i]);
    }
    for (unsigned i = 0; i < STRETCHES; i++)
        if (!stretches[i].started)
            stage(&stretches[i]);
    for (unsigned i = 0; i < STRETCHES; i++)
        if (stretches[i].started)
            pthread_join(stretches[i].thread, NULL);
}

/* The first pseudo object, whose address means nothing. */
static ouro_node first_pseudo(const struct ouro_heap *heap)
{
    ouro_node first = 0;
    for (ouro_node found = 0; heap->count - first >= BLOCK && !found; first += found ? 0 : BLOCK)
        for (ouro_node i = 0; i < BLOCK; i++)
            found |= heap->flags[first + i] & OURO_OBJECT_PSEUDO;
    while (first < heap->count && !(heap->flags[first] & OURO_OBJECT_PSEUDO))
        first++;
    return first;
}

static ouro_node first_at(const struct ouro_heap *heap, ouro_node count, ouro_addr addr)
{
    ouro_node low = 0;
    for (ouro_node high = count; low < high;) {
        ouro_node middle = low + (high - low) / 2;
        if (heap->addr[middle] < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool compare_addresses(struct matching *m)
{
    const struct ouro_heap *before = &m->before->heap, *after = &m->after->heap;
    struct stretch stretches[STRETCHES];
    ouro_node a_count = first_pseudo(before), b_count = first_pseudo(after), a = 0;
    bool good = true;
    for (unsigned i = 0; i < STRETCHES; i++) {
        struct stretch *s = &stretches[i];
        *s = (struct stretch){
            .own = *m, .a = share_of(before->count, i, STRETCHES), .b = share_of(after->count, i, STRETCHES)};
        s->a_end = share_of(before->count, i + 1, STRETCHES);
        s->b_end = share_of(after->count, i + 1, STRETCHES);
        s->own.alike = calloc((size_t)m->before->shape_count + 1, sizeof *s->own.alike);
        good = good && s->own.alike;
    }
    if (good)
        run_stage(stretches, find_both_private);
    for (unsigned i = 0; i < STRETCHES; i++) {
        struct stretch *s = &stretches[i];
        s->b = share_of(b_count, i, STRETCHES);
        s->b_end = share_of(b_count, i + 1, STRETCHES);
        s->a = a;
        s->a_end = a = s->b_end < b_count ? first_at(before, a_count, after->addr[s->b_end]) : a_count;
    }
    if (good) {
        run_stage(stretches, pair_addresses);
        run_stage(stretches, compare_pairs);
        run_stage(stretches, settle_pairs);
    }
    for (unsigned i = 0; i < STRETCHES; i++) {
        m->waiting_count += stretches[i].own.waiting_count;
        m->reused_count += stretches[i].own.reused_count;
        free(stretches[i].own.alike);
    }
    return good;
}

/* Holders before what they hold, what nothing holds last. Owned; NULL: out of memory. */
static ouro_node *list_waiting(const struct matching *m)
{
    const struct ouro_path_search *search = &m->match->after->search;
    ouro_node *items = ouro_large_new(m->waiting_count, sizeof *items), count = 0, all = m->after->heap.count;
    for (ouro_node i = 0; items && i < search->found_count; i++)
        if (ouro_bits_has(m->waiting, search->queue[i])) {
            ouro_bits_remove(m->waiting, search->queue[i]);
            items[count++] = search->queue[i];
        }
    for (ouro_node b = 0; items && count < m->waiting_count && (b = ouro_bits_next(m->waiting, b, all)) < all; b++)
        items[count++] = b;
    return items;
}

/* What settle_pending will ask for. */
static void look_ahead(const struct matching *m, const ouro_node *waiting)
{
    const struct ouro_diff_match *match = m->match;
    ouro_node far = waiting[AHEAD], near = match->to_before[waiting[2 * AHEAD / 3]],
              nearest = match->before->search.parent[match->to_before[waiting[AHEAD / 3]]];
    ouro_ahead(&match->after_verdict[far]);
    ouro_ahead(&match->after->search.parent[far]);
    ouro_ahead(&match->to_before[far]);
    ouro_ahead(&match->before_verdict[near]);
    ouro_ahead(&match->before->search.parent[near]);
    ouro_ahead(&match->to_after[near]);
    if (nearest != OURO_NODE_NONE)
        ouro_ahead(&match->to_after[nearest]);
}

/* What was marked: its partner stands in to_before until then. */
static void settle_pending(struct matching *m, ouro_node b)
{
    enum evidence evidence = m->match->after_verdict[b] - PENDING;
    ouro_node a = m->match->to_before[b];
    bool same = shares_holder(m, a, b) && (evidence == IF_HOLDER || has_same_place(m, a, b));
    settle(m, a, b, same ? SAME_PROBABLE : OTHER_PROBABLE);
}

static enum ouro_status match_addresses(struct matching *m)
{
    m->before_kinds = list_kinds(m->match->before);
    m->after_kinds = list_kinds(m->match->after);
    m->before_private = ouro_bits_new(m->before->heap.count);
    m->after_private = ouro_bits_new(m->after->heap.count);
    m->waiting = ouro_bits_new(m->after->heap.count);
    if (!m->before_kinds || !m->after_kinds || !m->before_private || !m->after_private || !m->waiting ||
        !compare_addresses(m))
        return OURO_NOMEM;
    OURO_FREE ouro_node *waiting = list_waiting(m);
    if (!waiting)
        return OURO_NOMEM;
    for (ouro_node i = 0; i < m->waiting_count; i++) {
        if (m->waiting_count - i > AHEAD)
            look_ahead(m, waiting + i);
        settle_pending(m, waiting[i]);
    }
    m->match->reused_count += m->reused_count;
    return m->failed ? OURO_NOMEM : OURO_OK;
}

static void matching_fini(struct matching *m)
{
    ouro_map_fini(&m->before_places.of);
    ouro_map_fini(&m->after_places.of);
    free(m->before_kinds);
    free(m->after_kinds);
    free(m->before_private);
    free(m->after_private);
    free(m->waiting);
}

enum ouro_status ouro_diff_match_process(struct ouro_diff_match *match)
{
    struct matching matching = {.match = match, .before = match->before->model, .after = match->after->model}, *m = &matching;
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
    matching_fini(m);
    OURO_TRY(status);
    return ouro_diff_match_certain(match, m->incremental);
}
