#include "analysis/garbage.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/schedule.h"
#include "base/guard.h"
#include "base/large.h"
#include "base/map.h"
#include "graph/reach.h"

struct work {
    struct ouro_garbage *garbage;
    struct ouro_heap_model *model;
    struct ouro_collector *full; /* of all generations */
    const struct ouro_roots *roots;
    struct ouro_err *err;
};

static enum ouro_status add(struct ouro_garbage_set *set, const struct ouro_heap_model *model, ouro_node node)
{
    ouro_node *item = OURO_VEC_ADD(set);
    if (!item)
        return OURO_NOMEM;
    *item = node;
    set->bytes += ouro_heap_model_bytes(model, node);
    return OURO_OK;
}

static enum ouro_status count_types(struct ouro_garbage_set *set, struct ouro_heap_model *model, struct ouro_err *err)
{
    OURO_TRY(ouro_histogram_init_of(&set->types, model, set->items, set->count, err));
    ouro_histogram_sort(&set->types, model, OURO_HISTOGRAM_BY_SIZE);
    return OURO_OK;
}

/* --- What is freed: reached from what is collected, and from nothing that stays. */

#define STAYS 1u
#define GOES  2u

struct spread {
    const struct ouro_heap_model *model;
    const struct ouro_roots *roots;
    const uint8_t *marks;
    uint32_t *holders; /* by node: references from what stays */
};

static inline void spread_to(struct ouro_reach *reach, ouro_node target)
{
    if (!(reach->marks[target] & STAYS))
        ouro_reach_add(reach, target);
}

/* Where a root reaches, nothing is to be found out. */
static void expand(void *context, ouro_node node, struct ouro_reach *reach)
{
    const struct spread *spread = context;
    if (!(spread->roots->marks[node] & OURO_ROOTED))
        OURO_EACH_TARGET(spread->model, node, OURO_CLASS_OWNED, spread_to, reach);
}

static inline void count_holder(struct spread *spread, ouro_node target)
{
    spread->holders[target] += spread->holders[target] != UINT32_MAX;
}

/* Something is freed: what it was the last to hold goes too. */
struct release {
    struct ouro_reach *reach;
    struct spread *spread;
};

static bool is_loose(const struct spread *spread, ouro_node node)
{
    return spread->marks[node] & STAYS && !(spread->roots->marks[node] & OURO_ROOTED);
}

static inline void release_target(struct release *release, ouro_node target)
{
    if (is_loose(release->spread, target) && release->spread->holders[target] && !--release->spread->holders[target])
        ouro_reach_add(release->reach, target);
}

static void expand_released(void *context, ouro_node node, struct ouro_reach *reach)
{
    struct release release = {reach, context};
    OURO_EACH_TARGET(release.spread->model, node, OURO_CLASS_OWNED, release_target, &release);
}

/* What was taken out for a legacy finalizer's sake, and only collectable objects hold: its count falls to 0 when these
 * are cleared, and so on from there. marks: such nodes get GOES besides STAYS. */
static enum ouro_status find_released(struct work *work, const struct ouro_collector *collector, struct spread *spread,
                                      uint8_t *marks)
{
    ouro_node count = work->model->heap.count;
    OURO_FREE uint32_t *holders = ouro_large_new_zeroed((size_t)count + 1, sizeof *holders);
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    if (!holders)
        return OURO_NOMEM;
    OURO_TRY(ouro_reach_init(&reach, count, marks, GOES));
    spread->holders = holders;
    for (ouro_node v = 0; v < count; v++)
        if (is_loose(spread, v))
            OURO_EACH_TARGET(work->model, v, OURO_CLASS_OWNED, count_holder, spread);
    for (ouro_node v = 0; v < count; v++)
        if (collector->marks[v] & OURO_GC_UNCOLLECTABLE && !holders[v])
            ouro_reach_add(&reach, v);
    ouro_reach_run(&reach, expand_released, spread);
    return OURO_OK;
}

/* marks becomes 1 for what the collection frees. */
static enum ouro_status find_freed(struct work *work, const struct ouro_collector *collector, uint8_t *marks)
{
    const struct ouro_heap_model *model = work->model;
    struct spread spread = {model, work->roots, marks, NULL};
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    OURO_TRY(ouro_reach_init(&reach, model->heap.count, marks, STAYS));
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (work->roots->marks[v] & OURO_ROOTED)
            marks[v] |= STAYS;
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (ouro_collector_unreachable(work->full, v) && !ouro_collector_collectable(collector, v))
            ouro_reach_add(&reach, v);
    ouro_reach_run(&reach, expand, &spread);
    if (collector->uncollectable_count)
        OURO_TRY(find_released(work, collector, &spread, marks));
    reach.bit = GOES;
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (ouro_collector_collectable(collector, v))
            ouro_reach_add(&reach, v);
    ouro_reach_run(&reach, expand, &spread);
    for (ouro_node v = 0; v < model->heap.count; v++) {
        marks[v] = (marks[v] & GOES) != 0;
        work->garbage->freed_count += marks[v];
        work->garbage->freed_bytes += marks[v] ? ouro_heap_model_bytes(model, v) : 0;
    }
    return OURO_OK;
}

static enum ouro_status sort_out(struct work *work, const struct ouro_collection_order *order, const uint8_t *freed)
{
    struct ouro_garbage *garbage = work->garbage;
    garbage->unlisted_count = order->unlisted_count;
    for (size_t i = 0; i < order->count; i++)
        OURO_TRY(add(&garbage->unreachable, work->model, order->items[i]));
    for (size_t i = order->collectable_count; i < order->count; i++) {
        ouro_node node = order->items[i];
        bool goes = freed[node];
        OURO_TRY(add(goes ? &garbage->released : &garbage->uncollectable, work->model, node));
        if (!goes && ouro_heap_model_type_flags(work->model, ouro_heap_model_type(work->model, node)) & OURO_TYPE_DEL)
            garbage->legacy_count++;
    }
    OURO_TRY(count_types(&garbage->unreachable, work->model, work->err));
    OURO_TRY(count_types(&garbage->released, work->model, work->err));
    return count_types(&garbage->uncollectable, work->model, work->err);
}

static enum ouro_status look_at_collection(struct work *work, struct ouro_collector *collector)
{
    OURO_GUARD(ouro_collection_order_fini) struct ouro_collection_order order = {0};
    OURO_TRY(ouro_collection_order_init(&order, collector, work->model, work->garbage->generation, work->err));
    OURO_FREE uint8_t *freed = ouro_large_new_zeroed((size_t)work->model->heap.count + 1, 1);
    if (!freed)
        return OURO_NOMEM;
    OURO_TRY(find_freed(work, collector, freed));
    OURO_TRY(sort_out(work, &order, freed));
    return ouro_finalizers_init(&work->garbage->finalizers, work->model, collector, &order, freed, work->err);
}

static bool is_predictable(const struct ouro_heap_model *model, unsigned generation)
{
    const char *kind = ouro_snapshot_meta(model->snapshot, OURO_META_COLLECTOR, NULL);
    return generation != 1 || !kind || strcmp(kind, "incremental") != 0;
}

static enum ouro_status look_at_generations(struct work *work)
{
    struct ouro_garbage *garbage = work->garbage;
    for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++) {
        struct ouro_garbage_generation *found = &garbage->generations[g];
        OURO_GUARD(ouro_collector_fini) struct ouro_collector young = {0};
        struct ouro_collector *collector = g == OURO_GENERATION_COUNT - 1 ? work->full : &young;
        const struct ouro_collector_scope scope = {.generation = g};
        found->predictable = is_predictable(work->model, g);
        if (!found->predictable)
            continue;
        if (collector == &young)
            OURO_TRY(ouro_collector_init_scope(&young, work->model, &scope, work->err));
        found->count = collector->unreachable_count;
        found->bytes = collector->unreachable_bytes;
        if (g == garbage->generation)
            OURO_TRY(look_at_collection(work, collector));
    }
    return OURO_OK;
}

/* --- What would be garbage but for something. */

/* What is unreachable in this scope beyond what is so anyway. */
static enum ouro_status find_beyond(struct work *work, const struct ouro_collector_scope *scope,
                                    struct ouro_garbage_set *set)
{
    OURO_GUARD(ouro_collector_fini) struct ouro_collector collector = {0};
    OURO_TRY(ouro_collector_init_scope(&collector, work->model, scope, work->err));
    for (ouro_node v = 0; v < work->model->heap.count; v++)
        if (ouro_collector_unreachable(&collector, v) && !ouro_collector_unreachable(work->full, v))
            OURO_TRY(add(set, work->model, v));
    return count_types(set, work->model, work->err);
}

static bool is_frozen(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_heap_model_generation(model, node) == OURO_GENERATION_COUNT &&
           !(model->heap.flags[node] & OURO_OBJECT_IMMORTAL);
}

static enum ouro_status find_frozen(struct work *work)
{
    const struct ouro_collector_scope scope = {.generation = OURO_GENERATION_COUNT - 1, .frozen = true};
    struct ouro_garbage_set *set = &work->garbage->frozen;
    ouro_node v = 0;
    while (v < work->model->heap.count && !is_frozen(work->model, v))
        v++;
    if (v == work->model->heap.count)
        return OURO_OK;
    OURO_TRY(find_beyond(work, &scope, set));
    for (size_t i = 0; i < set->count; i++)
        work->garbage->frozen_count += is_frozen(work->model, set->items[i]);
    return OURO_OK;
}

static enum ouro_status add_members(struct work *work, ouro_node list)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, work->model, list);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target != OURO_NODE_NONE && slot.part->kind != OURO_PART_TYPE)
            OURO_TRY(add(&work->garbage->members, work->model, slot.target));
    return OURO_OK;
}

static enum ouro_status find_members(struct work *work)
{
    size_t count, lists = 0;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(work->model->snapshot, &count);
    OURO_FREE ouro_node *cleared = malloc(count * sizeof *cleared + 1);
    if (!cleared)
        return OURO_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (interpreters[i].garbage < work->model->heap.count) {
            cleared[lists++] = interpreters[i].garbage;
            OURO_TRY(add_members(work, interpreters[i].garbage));
        }
    OURO_TRY(count_types(&work->garbage->members, work->model, work->err));
    if (!work->garbage->members.count)
        return OURO_OK;
    const struct ouro_collector_scope scope = {
        .generation = OURO_GENERATION_COUNT - 1, .cleared = cleared, .cleared_count = lists};
    return find_beyond(work, &scope, &work->garbage->members_hold);
}

static enum ouro_status find_resurrected(struct work *work)
{
    const struct ouro_heap_model *model = work->model;
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (model->heap.flags[v] & OURO_OBJECT_FINALIZED && work->roots->marks[v] & OURO_ROOTED &&
            !ouro_collector_unreachable(work->full, v))
            OURO_TRY(add(&work->garbage->resurrected, model, v));
    return count_types(&work->garbage->resurrected, work->model, work->err);
}

static enum ouro_status find_hidden(struct work *work)
{
    const struct ouro_heap *heap = &work->model->heap;
    const struct ouro_collector_scope scope = {.generation = OURO_GENERATION_COUNT - 1, .guessed = true};
    struct ouro_garbage_set *set = &work->garbage->hidden;
    ouro_node v = 0;
    while (v < heap->count && !(heap->flags[v] & OURO_OBJECT_APPROXIMATE && work->full->marks[v] & OURO_GC_CANDIDATE))
        v++;
    if (v == heap->count)
        return OURO_OK;
    OURO_TRY(find_beyond(work, &scope, set));
    for (size_t i = 0; i < set->count; i++)
        work->garbage->hidden_approximate_count += (heap->flags[set->items[i]] & OURO_OBJECT_APPROXIMATE) != 0;
    return OURO_OK;
}

/* --- What only references of native code keep. */

#define CLAIMED 1u

struct claim {
    const struct ouro_heap_model *model;
    uint64_t bytes;
};

static inline void claim_target(struct ouro_reach *reach, ouro_node target)
{
    ouro_reach_add(reach, target);
}

static void expand_claim(void *context, ouro_node node, struct ouro_reach *reach)
{
    struct claim *claim = context;
    claim->bytes += ouro_heap_model_bytes(claim->model, node);
    OURO_EACH_TARGET(claim->model, node, OURO_CLASS_OWNED, claim_target, reach);
}

static int compare_held(const void *a, const void *b)
{
    const struct ouro_garbage_held *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static bool is_held(const struct work *work, ouro_node node)
{
    return work->full->marks[node] & OURO_GC_CANDIDATE && work->roots->unexplained[node];
}

static enum ouro_status find_held(struct work *work)
{
    const struct ouro_heap_model *model = work->model;
    const struct ouro_roots *roots = work->roots;
    struct claim claim = {model, 0};
    OURO_FREE uint8_t *marks = ouro_large_new_zeroed((size_t)model->heap.count + 1, 1);
    OURO_GUARD(ouro_reach_fini) struct ouro_reach reach = {0};
    if (!marks)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < model->heap.count; v++)
        marks[v] = roots->marks[v] & OURO_NAMED ? CLAIMED : 0;
    OURO_TRY(ouro_reach_init(&reach, model->heap.count, marks, CLAIMED));
    /* What native code keeps that is nothing to the collector (immortal, not tracked) is no leak of its; and it is
     * there anyway. */
    for (ouro_node i = 0; i < roots->native_count; i++)
        if (!is_held(work, roots->native[i]))
            ouro_reach_add(&reach, roots->native[i]);
    ouro_reach_run(&reach, expand_claim, &claim);
    for (ouro_node i = 0; i < roots->native_count; i++) {
        ouro_node node = roots->native[i];
        if (!is_held(work, node))
            continue;
        uint64_t before = reach.count;
        claim.bytes = 0;
        ouro_reach_add(&reach, node);
        ouro_reach_run(&reach, expand_claim, &claim);
        struct ouro_garbage_held *held = OURO_VEC_ADD(&work->garbage->held);
        if (!held)
            return OURO_NOMEM;
        *held = (struct ouro_garbage_held){node, roots->unexplained[node], reach.count - before, claim.bytes};
        work->garbage->held.reach_count += held->reach_count;
        work->garbage->held.bytes += held->bytes;
    }
    if (work->garbage->held.count)
        qsort(work->garbage->held.items, work->garbage->held.count, sizeof *work->garbage->held.items, compare_held);
    return OURO_OK;
}

static int compare_held_types(const void *a, const void *b, void *context)
{
    const struct ouro_heap_model *model = context;
    const struct ouro_garbage_held_type *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    int order = strcmp(ouro_heap_model_type_module(model, left->type, NULL),
                       ouro_heap_model_type_module(model, right->type, NULL));
    return order ? order
                 : strcmp(ouro_heap_model_type_name(model, left->type, NULL),
                          ouro_heap_model_type_name(model, right->type, NULL));
}

static enum ouro_status count_held_types(struct work *work)
{
    const struct ouro_heap_model *model = work->model;
    struct ouro_garbage *garbage = work->garbage;
    OURO_GUARD(ouro_map_fini) struct ouro_map rows = {0};
    for (size_t i = 0; i < garbage->held.count; i++) {
        const struct ouro_garbage_held *held = &garbage->held.items[i];
        uint32_t type = ouro_heap_model_type(model, held->node);
        bool added;
        if (type >= model->type_count)
            continue;
        uint64_t *row = ouro_map_put(&rows, ouro_heap_model_type_key(model, type), &added);
        if (!row || (added && !OURO_VEC_ADD(&garbage->held_types)))
            return OURO_NOMEM;
        if (added) {
            *row = garbage->held_types.count - 1;
            garbage->held_types.items[*row].type = type;
            garbage->held_types.items[*row].example = held->node;
        }
        struct ouro_garbage_held_type *sum = &garbage->held_types.items[*row];
        sum->count++;
        sum->unexplained += held->unexplained;
        sum->reach_count += held->reach_count;
        sum->bytes += held->bytes;
    }
    if (garbage->held_types.count)
        qsort_r(garbage->held_types.items, garbage->held_types.count, sizeof *garbage->held_types.items,
                compare_held_types, (void *)model);
    return OURO_OK;
}

static enum ouro_status compute(struct work *work)
{
    OURO_TRY(look_at_generations(work));
    OURO_TRY(find_frozen(work));
    OURO_TRY(find_members(work));
    OURO_TRY(find_resurrected(work));
    OURO_TRY(find_hidden(work));
    OURO_TRY(find_held(work));
    return count_held_types(work);
}

enum ouro_status ouro_garbage_init(struct ouro_garbage *garbage, struct ouro_heap_model *model,
                                   struct ouro_collector *collector, const struct ouro_roots *roots,
                                   unsigned generation, struct ouro_err *err)
{
    struct ouro_err own;
    memset(garbage, 0, sizeof *garbage);
    garbage->generation = generation;
    if (generation >= OURO_GENERATION_COUNT)
        return ouro_err_set(err, OURO_INVAL, "there is no generation %u", generation);
    if (!is_predictable(model, generation))
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "what a collection of generation 1 takes up can't be told: the "
                            "collector of this Python is incremental (3.14.0 to 3.14.4)");
    OURO_TRY(ouro_heap_model_load(model, OURO_GARBAGE_COLUMNS, err));
    struct work work = {garbage, model, collector, roots, err ? err : &own};
    work.err->msg[0] = '\0';
    enum ouro_status status = compute(&work);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_garbage_fini(garbage);
    return work.err->msg[0] ? status : ouro_err_set(err, status, "out of memory for what is garbage");
}

static void set_fini(struct ouro_garbage_set *set)
{
    free(set->items);
    ouro_histogram_fini(&set->types);
}

void ouro_garbage_fini(struct ouro_garbage *garbage)
{
    set_fini(&garbage->unreachable);
    set_fini(&garbage->uncollectable);
    set_fini(&garbage->released);
    set_fini(&garbage->frozen);
    set_fini(&garbage->members);
    set_fini(&garbage->members_hold);
    set_fini(&garbage->resurrected);
    set_fini(&garbage->hidden);
    free(garbage->held.items);
    free(garbage->held_types.items);
    ouro_finalizers_fini(&garbage->finalizers);
    memset(garbage, 0, sizeof *garbage);
}

bool ouro_garbage_saves_all(const struct ouro_heap_model *model)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(model->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (interpreters[i].gc_debug & OURO_GC_DEBUG_SAVEALL)
            return true;
    return false;
}
