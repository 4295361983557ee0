#include "analysis/neighbourhood.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "analysis/value.h"
#include "base/guard.h"

#define UNKNOWN UINT32_MAX

/* A referrer that may be drawn, with its place in the order of the collector's lists. */
struct candidate {
    ouro_node node;
    uint32_t rank;
};

/* Of an object whose referrers are looked for: the best candidates, sorted, and how many there are. */
struct expansion {
    uint32_t index; /* among the nodes */
    struct candidate *items; /* owned */
    size_t count, capacity;
    uint64_t total;
    ouro_node last; /* the referrer that was met last: a holder with several references counts once */
};

/* References of one object: those that may be drawn, in their order, and how many there are. */
struct references {
    struct reference {
        struct ouro_slot slot;
        uint32_t index;     /* of the target among the nodes; UNKNOWN: no room for it */
        size_t order, edge; /* its place; that of the first reference to the same target */
    } *items; /* owned */
    size_t count, capacity;
    uint64_t total;
};

struct search {
    struct ouro_neighbourhood *result;
    const struct ouro_heap_model *model;
    const struct ouro_neighbourhood_query *query;
    uint32_t *index_of; /* owned; by object: its index among the nodes, or UNKNOWN */
    uint32_t *rank;     /* owned; by object; only for referrers */
    uint8_t *type_out;  /* owned; by type (the last: lost objects): left out */
    uint8_t *left_out;  /* owned; a bit for each object that is left out by itself, and below: modules */
    uint8_t *modules;   /* owned */
    size_t most;        /* candidates worth keeping */
};

static void search_fini(struct search *search)
{
    free(search->index_of);
    free(search->rank);
    free(search->type_out);
    free(search->left_out);
    free(search->modules);
}

static bool bit(const uint8_t *bits, ouro_node node)
{
    return bits[node >> 3] >> (node & 7) & 1;
}

static void set_bit(uint8_t *bits, ouro_node node)
{
    bits[node >> 3] = (uint8_t)(bits[node >> 3] | 1u << (node & 7));
}

static void find_types(struct search *search)
{
    const struct ouro_neighbourhood_query *query = search->query;
    for (uint32_t i = 0; i <= search->model->type_count; i++) {
        uint32_t type = i < search->model->type_count ? i : OURO_TYPE_NONE;
        search->type_out[i] = !ouro_pattern_type(search->model, type, query->filter);
        for (const char *const *name = query->ignored_types; name && *name; name++)
            search->type_out[i] |= ouro_pattern_type(search->model, type, *name);
    }
}

void ouro_neighbourhood_find_modules(const struct ouro_heap_model *model, uint8_t *bits)
{
    static const char wanted[] = "sys.modules";
    for (ouro_node v = 0; v < model->heap.count && model->root_type != OURO_TYPE_NONE; v++) {
        size_t size;
        if (ouro_heap_model_type(model, v) != model->root_type)
            continue;
        const unsigned char *name = ouro_value_raw(model, v, &size);
        if (size < sizeof wanted - 1 || memcmp(name + size - (sizeof wanted - 1), wanted, sizeof wanted - 1))
            continue;
        ouro_node dict = ouro_heap_model_field(model, v, wanted);
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        if (dict >= model->heap.count)
            continue;
        ouro_slot_walk_begin(&walk, model, dict);
        while (ouro_slot_walk_next(&walk, &slot))
            if (slot.target < model->heap.count && slot.key != OURO_NODE_NONE)
                set_bit(bits, slot.target);
    }
}

static void find_ranks(struct search *search)
{
    const struct ouro_heap *heap = &search->model->heap;
    uint32_t rank = 0;
    memset(search->rank, 0xff, heap->count * sizeof *search->rank);
    for (ouro_node v = 0; v < heap->count; v++) /* where the search ends: nobody wants to miss the module */
        if (bit(search->modules, v))
            search->rank[v] = rank++;
    for (size_t i = 0; i < heap->gc_list_count; i++)
        for (size_t j = 0; j < heap->gc_lists[i].count; j++)
            if (search->rank[heap->gc_lists[i].nodes[j]] == UINT32_MAX)
                search->rank[heap->gc_lists[i].nodes[j]] = rank++;
    for (ouro_node v = 0; v < heap->count; v++)
        if (search->rank[v] == UINT32_MAX)
            search->rank[v] = rank++;
}

static enum ouro_status prepare(struct search *search, struct ouro_heap_model *model, struct ouro_err *err)
{
    const struct ouro_neighbourhood_query *query = search->query;
    bool back = query->direction == OURO_NEIGHBOURHOOD_REFERRERS;
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_ALL & ~(back ? 0u : (unsigned)OURO_HEAP_GC_ORDER), err));
    size_t count = model->heap.count;
    search->index_of = malloc((count + 1) * sizeof *search->index_of);
    search->rank = back ? malloc((count + 1) * sizeof *search->rank) : NULL;
    search->type_out = calloc((size_t)model->type_count + 1, 1);
    search->left_out = calloc(count / 8 + 1, 1);
    search->modules = calloc(count / 8 + 1, 1);
    if (!search->index_of || (back && !search->rank) || !search->type_out || !search->left_out || !search->modules)
        return ouro_err_set(err, OURO_NOMEM, "no memory to look around %zu objects", count);
    memset(search->index_of, 0xff, (count + 1) * sizeof *search->index_of);
    find_types(search);
    ouro_neighbourhood_find_modules(model, search->modules);
    if (back)
        find_ranks(search);
    for (size_t i = 0; i < query->ignored_count; i++)
        if (query->ignored[i] < count)
            set_bit(search->left_out, query->ignored[i]);
    search->most = query->too_many ? query->too_many : query->node_budget ? query->node_budget : SIZE_MAX;
    return OURO_OK;
}

static bool is_left_out(const struct search *search, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(search->model, node);
    uint32_t row = type < search->model->type_count ? type : search->model->type_count;
    return search->type_out[row] || bit(search->left_out, node);
}

/* Keeps the referrer if it is among the best so far. */
static bool add_candidate(struct search *search, struct expansion *expansion, ouro_node node)
{
    uint32_t rank = search->rank[node];
    expansion->total++;
    if (expansion->count == search->most) {
        if (rank >= expansion->items[expansion->count - 1].rank)
            return true;
        expansion->count--;
    }
    if (!OURO_VEC_ADD(expansion))
        return false;
    size_t at = expansion->count - 1;
    for (; search->most != SIZE_MAX && at && expansion->items[at - 1].rank > rank; at--)
        expansion->items[at] = expansion->items[at - 1];
    expansion->items[at] = (struct candidate){node, rank};
    return true;
}

static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool find_referents(struct search *search, ouro_node node, struct references *found)
{
    unsigned classes = search->query->hidden ? OURO_CLASS_OWNED : OURO_CLASS_TRAVERSED;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, search->model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target >= search->model->heap.count || !(classes & 1u << slot.edge_class) ||
            is_left_out(search, slot.target))
            continue;
        if (found->total++ >= search->most)
            continue;
        struct reference *item = OURO_VEC_ADD(found);
        if (!item)
            return false;
        *item = (struct reference){.slot = slot, .index = UNKNOWN, .order = found->count - 1};
    }
    return true;
}

/* All of one step at once: first..last are the nodes of that depth, whose expansions lie in `expansions`. */
static enum ouro_status find_referrers(struct search *search, struct expansion *expansions, uint32_t first, uint32_t last)
{
    const struct ouro_heap_model *model = search->model;
    const struct ouro_heap *heap = &model->heap;
    for (ouro_node v = 0; v < heap->count; v++) {
        for (uint64_t i = heap->slot_begin[v]; i < heap->slot_begin[v + 1]; i++) {
            uint32_t index = heap->slots[i] < heap->count ? search->index_of[heap->slots[i]] : UNKNOWN;
            if (index < first || index > last || expansions[index - first].index != index ||
                expansions[index - first].last == v)
                continue;
            struct expansion *expansion = &expansions[index - first];
            struct ouro_slot slot;
            struct ouro_slot_walk walk;
            bool owned = !(ouro_heap_model_shape(model, v)->classes & ~OURO_CLASS_OWNED);
            ouro_slot_walk_begin(&walk, model, v); /* whether it is no weak reference only */
            while (!owned && ouro_slot_walk_next(&walk, &slot))
                owned = slot.target == heap->slots[i] && slot.edge_class != OURO_EDGE_WEAK;
            expansion->last = v;
            if (owned && !is_left_out(search, v) && !add_candidate(search, expansion, v))
                return OURO_NOMEM;
        }
    }
    return OURO_OK;
}

/* The labels of an edge, reference by reference. */
struct labelling {
    struct ouro_neighbourhood_edge *edge;
    uint64_t count;
};

static void add_label(struct ouro_neighbourhood *result, const struct ouro_heap_model *model, struct labelling *labelling,
                      const struct ouro_slot *slot)
{
    if (!labelling->count)
        labelling->edge->edge_class = slot->edge_class;
    if (labelling->count++ >= OURO_NEIGHBOURHOOD_LABELS)
        return;
    if (labelling->count > 1)
        ouro_buf_add_byte(&result->labels, '\n');
    ouro_label_add(&result->labels, model, slot);
}

static bool end_labels(struct ouro_neighbourhood *result, const struct labelling *labelling)
{
    struct ouro_buf *labels = &result->labels;
    if (labelling->count > OURO_NEIGHBOURHOOD_LABELS)
        ouro_buf_addf(labels, "\n%llu more", (unsigned long long)(labelling->count - OURO_NEIGHBOURHOOD_LABELS));
    labelling->edge->label_size = labels->size - labelling->edge->label;
    return !labels->failed;
}

static bool begin_edge(struct ouro_neighbourhood *result, struct labelling *labelling, uint32_t from, uint32_t to)
{
    struct ouro_neighbourhood_edge *edge = OURO_VEC_ADD(&result->edges);
    if (edge)
        *edge = (struct ouro_neighbourhood_edge){.from = from, .to = to, .label = result->labels.size};
    *labelling = (struct labelling){.edge = edge};
    return edge != NULL;
}

bool ouro_neighbourhood_connect(struct ouro_neighbourhood *neighbourhood, const struct ouro_heap_model *model,
                                uint32_t from, uint32_t to, unsigned classes)
{
    struct labelling labelling;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_node target = neighbourhood->nodes.items[to].node;
    if (!begin_edge(neighbourhood, &labelling, from, to))
        return false;
    ouro_slot_walk_begin(&walk, model, neighbourhood->nodes.items[from].node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target == target && classes & 1u << slot.edge_class)
            add_label(neighbourhood, model, &labelling, &slot);
    return end_labels(neighbourhood, &labelling);
}

uint32_t ouro_neighbourhood_add(struct ouro_neighbourhood *neighbourhood, ouro_node node, uint32_t depth)
{
    struct ouro_neighbourhood_nodes *nodes = &neighbourhood->nodes;
    struct ouro_neighbourhood_node *item = nodes->count < UNKNOWN - 1 ? OURO_VEC_ADD(nodes) : NULL;
    if (!item)
        return UNKNOWN;
    *item = (struct ouro_neighbourhood_node){.node = node, .depth = depth};
    return (uint32_t)(nodes->count - 1);
}

static uint32_t add_node(struct search *search, ouro_node node, uint32_t depth)
{
    uint32_t index = ouro_neighbourhood_add(search->result, node, depth);
    if (index != UNKNOWN)
        search->result->nodes.items[index].module = bit(search->modules, node);
    return search->index_of[node] = index;
}

/* The node's index, a new one as far as the budget goes; UNKNOWN: no room. False: out of memory. */
static bool place(struct search *search, ouro_node node, uint32_t depth, uint32_t *index)
{
    size_t budget = search->query->node_budget;
    *index = search->index_of[node];
    if (*index != UNKNOWN || (budget && search->result->nodes.count >= budget))
        return true;
    return (*index = add_node(search, node, depth)) != UNKNOWN;
}

static enum ouro_status draw_referrers(struct search *search, struct expansion *expansion)
{
    struct ouro_neighbourhood *result = search->result;
    uint32_t depth = result->nodes.items[expansion->index].depth, index;
    uint64_t drawn = 0;
    if (search->most == SIZE_MAX && expansion->count)
        qsort(expansion->items, expansion->count, sizeof *expansion->items, by_rank);
    for (size_t i = 0; i < expansion->count; i++) {
        if (!place(search, expansion->items[i].node, depth + 1, &index))
            return OURO_NOMEM;
        if (index == UNKNOWN)
            continue;
        if (!ouro_neighbourhood_connect(result, search->model, index, expansion->index, OURO_CLASS_OWNED))
            return OURO_NOMEM;
        drawn++;
    }
    result->nodes.items[expansion->index].more_count = expansion->total - drawn;
    return OURO_OK;
}

static int by_target(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int by_edge(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    if (x->edge != y->edge)
        return x->edge < y->edge ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* References to one target become neighbours, where the first of them was. */
static void group(struct references *found)
{
    if (!found->count)
        return;
    qsort(found->items, found->count, sizeof *found->items, by_target);
    for (size_t i = 0; i < found->count; i++)
        found->items[i].edge = i && found->items[i].index == found->items[i - 1].index ? found->items[i - 1].edge
                                                                                    : found->items[i].order;
    qsort(found->items, found->count, sizeof *found->items, by_edge);
}

static enum ouro_status draw_referents(struct search *search, uint32_t index, struct references *found)
{
    struct ouro_neighbourhood *result = search->result;
    uint32_t depth = result->nodes.items[index].depth;
    uint64_t drawn = 0;
    for (size_t i = 0; i < found->count; i++)
        if (!place(search, found->items[i].slot.target, depth + 1, &found->items[i].index))
            return OURO_NOMEM;
    group(found);
    for (size_t i = 0, next; i < found->count; i = next) {
        struct labelling labelling;
        bool room = found->items[i].index != UNKNOWN;
        if (room && !begin_edge(result, &labelling, index, found->items[i].index))
            return OURO_NOMEM;
        for (next = i; next < found->count && found->items[next].edge == found->items[i].edge; next++)
            if (room)
                add_label(result, search->model, &labelling, &found->items[next].slot);
        if (room && !end_labels(result, &labelling))
            return OURO_NOMEM;
        drawn += room ? next - i : 0;
    }
    result->nodes.items[index].more_count = found->total - drawn;
    return OURO_OK;
}

/* The referents of the nodes first..last. */
static enum ouro_status step_down(struct search *search, uint32_t first, uint32_t last)
{
    enum ouro_status status = OURO_OK;
    for (uint32_t index = first; index <= last && !status; index++) {
        struct references found = {0};
        status = find_referents(search, search->result->nodes.items[index].node, &found)
                     ? draw_referents(search, index, &found)
                     : OURO_NOMEM;
        free(found.items);
    }
    return status;
}

/* The referrers of the nodes first..last, but for modules: there the search ends. */
static enum ouro_status step_up(struct search *search, uint32_t first, uint32_t last)
{
    size_t count = (size_t)last - first + 1;
    struct expansion *expansions = calloc(count, sizeof *expansions);
    enum ouro_status status = expansions ? OURO_OK : OURO_NOMEM;
    for (size_t i = 0; i < count && !status; i++) {
        expansions[i].index = search->result->nodes.items[first + i].module ? UNKNOWN : first + (uint32_t)i;
        expansions[i].last = OURO_NODE_NONE;
    }
    if (!status)
        status = find_referrers(search, expansions, first, last);
    for (size_t i = 0; i < count && !status; i++)
        if (expansions[i].index != UNKNOWN)
            status = draw_referrers(search, &expansions[i]);
    for (size_t i = 0; i < count && expansions; i++)
        free(expansions[i].items);
    free(expansions);
    return status;
}

static enum ouro_status run(struct search *search, struct ouro_err *err)
{
    const struct ouro_neighbourhood_query *query = search->query;
    struct ouro_neighbourhood *result = search->result;
    enum ouro_status status = OURO_OK;
    for (size_t i = 0; i < query->start_count; i++) {
        ouro_node node = query->starts[i];
        if (node >= search->model->heap.count)
            return ouro_err_set(err, OURO_INVAL, "no object has the number %lu", (unsigned long)node);
        uint32_t index = search->index_of[node] == UNKNOWN ? add_node(search, node, 0) : search->index_of[node];
        if (index == UNKNOWN)
            return ouro_err_set(err, OURO_NOMEM, "no memory for a picture");
        result->nodes.items[index].start = true;
    }
    uint32_t first = 0;
    for (uint32_t depth = 0; !status && depth < query->depth_max && first < result->nodes.count; depth++) {
        uint32_t last = (uint32_t)result->nodes.count - 1;
        status = query->direction == OURO_NEIGHBOURHOOD_REFERRERS ? step_up(search, first, last)
                                                                   : step_down(search, first, last);
        first = last + 1;
    }
    return status ? ouro_err_set(err, status, "no memory for a picture of %zu objects", result->nodes.count) : OURO_OK;
}

enum ouro_status ouro_neighbourhood_init(struct ouro_neighbourhood *neighbourhood, struct ouro_heap_model *model,
                                         const struct ouro_neighbourhood_query *query, struct ouro_err *err)
{
    memset(neighbourhood, 0, sizeof *neighbourhood);
    OURO_GUARD(search_fini) struct search search = {.result = neighbourhood, .model = model, .query = query};
    enum ouro_status status = prepare(&search, model, err);
    if (status == OURO_OK)
        status = run(&search, err);
    if (status != OURO_OK)
        ouro_neighbourhood_fini(neighbourhood);
    return status;
}

void ouro_neighbourhood_fini(struct ouro_neighbourhood *neighbourhood)
{
    free(neighbourhood->nodes.items);
    free(neighbourhood->edges.items);
    free(neighbourhood->folds.items);
    ouro_buf_fini(&neighbourhood->labels);
    memset(neighbourhood, 0, sizeof *neighbourhood);
}
