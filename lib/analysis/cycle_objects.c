#include "analysis/cycle_objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

#define NONE UINT32_MAX

/* A breadth-first search among the members of one component. */
struct search {
    const struct ouro_cyclic *cyclic;
    enum ouro_layer layer;
    uint32_t start;
    uint32_t *parent; /* owned; by member: the one before, itself for sources, or NONE */
    uint32_t *queue;  /* owned */
    uint32_t *index;  /* owned; by member: its index among the nodes, or NONE */
    size_t head, tail;
};

static void search_fini(struct search *search)
{
    free(search->parent);
    free(search->queue);
    free(search->index);
}

static bool find_member(struct search *search, ouro_node node)
{
    const struct ouro_cyclic *cyclic = search->cyclic;
    if (node >= cyclic->model->heap.count || cyclic->member_of[node] == NONE)
        return false;
    search->start = cyclic->member_of[node];
    search->layer = (enum ouro_layer)cyclic->members[search->start].layer;
    return search->layer < OURO_LAYER_COUNT;
}

static enum ouro_status search_init(struct search *search, struct ouro_err *err)
{
    size_t count = (size_t)search->cyclic->member_count + 1;
    search->parent = malloc(count * sizeof *search->parent);
    search->queue = malloc(count * sizeof *search->queue);
    search->index = malloc(count * sizeof *search->index);
    if (!search->parent || !search->queue || !search->index)
        return ouro_err_set(err, OURO_NOMEM, "no memory to look for cycles among %zu objects", count - 1);
    memset(search->parent, 0xff, count * sizeof *search->parent);
    memset(search->index, 0xff, count * sizeof *search->index);
    return OURO_OK;
}

/* Calls visit for each owned reference of a member to a member of the component, until it returns true. */
static bool each_target(const struct search *search, uint32_t member, bool (*visit)(void *context, uint32_t target),
                        void *context)
{
    const struct ouro_cyclic *cyclic = search->cyclic;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, cyclic->model, cyclic->members[member].node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target >= cyclic->model->heap.count || slot.edge_class == OURO_EDGE_WEAK)
            continue;
        uint32_t target = ouro_cyclic_target(cyclic, search->layer, member, slot.target);
        if (target != NONE && visit(context, target))
            return true;
    }
    return false;
}

struct reach {
    struct search *search;
    uint32_t from;
};

static bool reach(void *context, uint32_t target)
{
    struct reach *step = context;
    struct search *search = step->search;
    if (search->parent[target] == NONE) {
        search->parent[target] = step->from;
        search->queue[search->tail++] = target;
    }
    return target == search->start;
}

/* The members met are forgotten again: only their part of parent is touched. */
static void forget(struct search *search)
{
    for (size_t i = 0; i < search->tail; i++)
        search->parent[search->queue[i]] = NONE;
    search->head = search->tail = 0;
}

struct cycle {
    uint32_t *members; /* owned: behind the object, in order */
    size_t count;
    bool too_long; /* it was not looked for to its end */
};

/* From a target of the object back to it, by the shortest way, if that has at most so many other members. */
static bool find_cycle(struct search *search, uint32_t first, size_t longest, struct cycle *cycle)
{
    *cycle = (struct cycle){.too_long = true};
    if (first == search->start) { /* it refers to itself */
        cycle->too_long = false;
        return true;
    }
    search->parent[first] = first;
    search->queue[search->tail++] = first;
    bool found = false;
    size_t length = 1, level_end = search->tail;
    while (!found && search->head < search->tail) {
        if (search->head == level_end) {
            level_end = search->tail;
            if (++length > longest)
                break;
        }
        struct reach step = {search, search->queue[search->head++]};
        found = each_target(search, step.from, reach, &step);
    }
    cycle->too_long = !found;
    for (uint32_t at = found ? search->parent[search->start] : NONE; at != NONE; at = search->parent[at]) {
        cycle->count++;
        if (at == first)
            break;
    }
    cycle->members = calloc(cycle->count + 1, sizeof *cycle->members);
    size_t left = cycle->count;
    for (uint32_t at = found ? search->parent[search->start] : NONE; left && cycle->members; at = search->parent[at])
        cycle->members[--left] = at;
    forget(search);
    return cycle->members != NULL;
}

/* Of a huge container the first. */
#define TARGETS_MAX 256

struct targets {
    uint32_t *items; /* owned */
    size_t count, capacity;
    uint64_t left; /* references to further ones */
    bool failed;
};

static bool note_target(void *context, uint32_t target)
{
    struct targets *targets = context;
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i] == target)
            return false;
    if (targets->count == TARGETS_MAX) {
        targets->left++;
        return false;
    }
    uint32_t *item = OURO_VEC_ADD(targets);
    if (item)
        *item = target;
    targets->failed |= !item;
    return targets->failed;
}

static int by_length(const void *a, const void *b)
{
    const struct cycle *x = a, *y = b;
    if (x->too_long != y->too_long)
        return x->too_long ? 1 : -1;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    for (size_t i = 0; i < x->count; i++)
        if (x->members[i] != y->members[i])
            return x->members[i] < y->members[i] ? -1 : 1;
    return 0;
}

static bool has_edge(const struct ouro_neighbourhood *result, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < result->edges.count; i++)
        if (result->edges.items[i].from == from && result->edges.items[i].to == to)
            return true;
    return false;
}

/* The members [skipped, skipped + skip_count) of the cycle are folded. */
static enum ouro_status add_cycle(struct ouro_neighbourhood *result, struct search *search, const struct cycle *cycle,
                                  size_t skipped, size_t skip_count)
{
    const struct ouro_cyclic *cyclic = search->cyclic;
    uint32_t before = search->index[search->start];
    for (size_t i = 0; i <= cycle->count; i++) {
        bool folded = skip_count && i == skipped;
        i += folded ? skip_count : 0;
        uint32_t member = i < cycle->count ? cycle->members[i] : search->start;
        if (search->index[member] == NONE)
            search->index[member] = ouro_neighbourhood_add(result, cyclic->members[member].node, (uint32_t)i + 1);
        uint32_t index = search->index[member];
        if (index == NONE)
            return OURO_NOMEM;
        struct ouro_neighbourhood_fold *fold = folded ? OURO_VEC_ADD(&result->folds) : NULL;
        if (fold)
            *fold = (struct ouro_neighbourhood_fold){before, index, skip_count};
        if (folded ? !fold
                   : !has_edge(result, before, index) &&
                         !ouro_neighbourhood_connect(result, cyclic->model, before, index, OURO_CLASS_OWNED))
            return OURO_NOMEM;
        before = index;
    }
    return OURO_OK;
}

/* The shortest of them, as far as the budget reaches; *drawn: how many. */
static enum ouro_status add_cycles(struct ouro_neighbourhood *result, struct search *search, const struct cycle *cycles,
                                   size_t count, size_t budget, size_t *drawn)
{
    for (*drawn = 0; *drawn < count && !cycles[*drawn].too_long; ++*drawn) {
        const struct cycle *cycle = &cycles[*drawn];
        size_t skip = 0;
        if (budget && cycle->count > budget - (result->nodes.count < budget ? result->nodes.count : budget)) {
            if (*drawn)
                break;
            skip = cycle->count - (budget > 3 ? budget - 1 : 2);
        }
        OURO_TRY(add_cycle(result, search, cycle, (cycle->count - skip) / 2, skip));
    }
    return OURO_OK;
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Only the `most` shortest matter: others need not be followed further than those are long. */
static enum ouro_status search_cycles(struct search *search, const struct targets *targets, size_t most,
                                      struct cycle *cycles)
{
    OURO_FREE size_t *lengths = calloc(targets->count + 1, sizeof *lengths);
    size_t found = 0;
    for (size_t i = 0; i < targets->count && lengths; i++) {
        size_t longest = most && found >= most ? lengths[most - 1] : SIZE_MAX;
        if (!find_cycle(search, targets->items[i], longest, &cycles[i]))
            return OURO_NOMEM;
        if (cycles[i].too_long)
            continue;
        lengths[found++] = cycles[i].count;
        qsort(lengths, found, sizeof *lengths, by_size);
    }
    return lengths ? OURO_OK : OURO_NOMEM;
}

static enum ouro_status find_cycles(struct ouro_neighbourhood *result, struct search *search, size_t most, size_t budget)
{
    struct targets targets = {0};
    each_target(search, search->start, note_target, &targets);
    struct cycle *cycles = calloc(targets.count + 1, sizeof *cycles);
    size_t drawn = 0, wanted = most && most < targets.count ? most : targets.count;
    enum ouro_status status = targets.failed || !cycles ? OURO_NOMEM : search_cycles(search, &targets, most, cycles);
    if (!status && targets.count)
        qsort(cycles, targets.count, sizeof *cycles, by_length);
    search->index[search->start] = status ? NONE : ouro_neighbourhood_add(result, search->cyclic->members[search->start].node, 0);
    if (!status && search->index[search->start] == NONE)
        status = OURO_NOMEM;
    if (!status)
        status = add_cycles(result, search, cycles, wanted, budget, &drawn);
    if (!status) {
        result->nodes.items[0].start = true;
        result->nodes.items[0].more_count = targets.left + (targets.count - drawn);
    }
    for (size_t i = 0; cycles && i < targets.count; i++)
        free(cycles[i].members);
    free(cycles);
    free(targets.items);
    return status;
}

enum ouro_status ouro_cycle_objects_through(struct ouro_neighbourhood *result, const struct ouro_cyclic *cyclic,
                                            ouro_node node, size_t most, size_t budget, struct ouro_err *err)
{
    OURO_GUARD(search_fini) struct search search = {.cyclic = cyclic};
    memset(result, 0, sizeof *result);
    if (!find_member(&search, node))
        return OURO_OK;
    OURO_TRY(search_init(&search, err));
    enum ouro_status status = find_cycles(result, &search, most, budget);
    if (status != OURO_OK)
        ouro_neighbourhood_fini(result);
    return status ? ouro_err_set(err, status, "no memory for the cycles of an object") : OURO_OK;
}

/* --- a whole component */

struct grow {
    struct search *search;
    struct ouro_neighbourhood *result;
    size_t budget;
    uint32_t from;
    bool failed, connecting;
};

static bool grow(void *context, uint32_t target)
{
    struct grow *grow = context;
    struct search *search = grow->search;
    struct ouro_neighbourhood *result = grow->result;
    uint32_t from = search->index[grow->from];
    if (grow->connecting && search->index[target] == NONE) {
        result->nodes.items[from].more_count++;
    } else if (grow->connecting) {
        if (search->parent[target] != grow->from) /* several references to one are one edge */
            grow->failed |= !ouro_neighbourhood_connect(result, search->cyclic->model, from, search->index[target],
                                                        OURO_CLASS_OWNED);
        search->parent[target] = grow->from;
    } else if (search->index[target] == NONE && (!grow->budget || result->nodes.count < grow->budget)) {
        search->index[target] = ouro_neighbourhood_add(result, search->cyclic->members[target].node,
                                                       result->nodes.items[from].depth + 1);
        grow->failed |= search->index[target] == NONE;
        search->queue[search->tail++] = target;
    }
    return grow->failed;
}

static enum ouro_status grow_component(struct ouro_neighbourhood *result, struct search *search, size_t budget)
{
    struct grow step = {.search = search, .result = result, .budget = budget};
    search->index[search->start] = ouro_neighbourhood_add(result, search->cyclic->members[search->start].node, 0);
    if (search->index[search->start] == NONE)
        return OURO_NOMEM;
    result->nodes.items[0].start = true;
    search->queue[search->tail++] = search->start;
    while (search->head < search->tail && !step.failed) {
        step.from = search->queue[search->head++];
        each_target(search, step.from, grow, &step);
    }
    step.connecting = true;
    for (size_t i = 0; i < search->tail && !step.failed; i++) {
        step.from = search->queue[i];
        each_target(search, step.from, grow, &step);
    }
    return step.failed ? OURO_NOMEM : OURO_OK;
}

enum ouro_status ouro_cycle_objects_component(struct ouro_neighbourhood *result, const struct ouro_cyclic *cyclic,
                                              ouro_node node, size_t budget, uint64_t *member_count, struct ouro_err *err)
{
    OURO_GUARD(search_fini) struct search search = {.cyclic = cyclic};
    memset(result, 0, sizeof *result);
    if (member_count)
        *member_count = 0;
    if (!find_member(&search, node))
        return OURO_OK;
    const struct ouro_cyclic_layer *layer = &cyclic->layers[search.layer];
    uint32_t component = cyclic->members[search.start].component[search.layer];
    if (member_count)
        *member_count = layer->begin[component + 1] - layer->begin[component];
    OURO_TRY(search_init(&search, err));
    enum ouro_status status = grow_component(result, &search, budget);
    if (status != OURO_OK)
        ouro_neighbourhood_fini(result);
    return status ? ouro_err_set(err, status, "no memory for the objects of a component") : OURO_OK;
}
