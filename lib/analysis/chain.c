#include "analysis/chain.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "base/guard.h"

#define NONE UINT32_MAX
/* Chains have no more references than this, whatever is asked for. */
#define DEPTH_MOST 1000000u

struct search {
    struct ouro_chains *chains;
    const struct ouro_heap_model *model;
    const struct ouro_chain_query *query;
    ouro_node *parent;   /* owned; who it was found from, itself for beginnings, OURO_NODE_NONE: not found */
    ouro_node *queue;    /* owned */
    uint32_t *index_of;  /* owned; among objects, or NONE */
    uint32_t *edge_into; /* owned; the edge last added to it, or NONE */
    uint8_t *modules;    /* owned; a bit each, as the next */
    uint8_t *wanted;     /* owned */
    uint8_t *type_meant; /* owned; by type, the last for lost objects; of query->to */
    ouro_node tail, wanted_count;
    unsigned classes;
};

static void search_fini(struct search *search)
{
    free(search->parent);
    free(search->queue);
    free(search->index_of);
    free(search->edge_into);
    free(search->modules);
    free(search->wanted);
    free(search->type_meant);
}

static bool bit(const uint8_t *bits, ouro_node node)
{
    return bits[node >> 3] >> (node & 7) & 1;
}

static enum ouro_status prepare(struct search *search, struct ouro_heap_model *model, struct ouro_err *err)
{
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_ALL & ~(unsigned)OURO_HEAP_GC_ORDER, err));
    size_t count = model->heap.count;
    for (size_t i = 0; i < search->query->count; i++)
        if (search->query->nodes[i] >= count)
            return ouro_err_set(err, OURO_INVAL, "no object has the number %lu", (unsigned long)search->query->nodes[i]);
    search->parent = malloc((count + 1) * sizeof *search->parent);
    search->queue = malloc((count + 1) * sizeof *search->queue);
    search->index_of = malloc((count + 1) * sizeof *search->index_of);
    search->edge_into = malloc((count + 1) * sizeof *search->edge_into);
    search->modules = calloc(count / 8 + 1, 1);
    search->wanted = calloc(count / 8 + 1, 1);
    search->type_meant = calloc((size_t)model->type_count + 1, 1);
    if (!search->parent || !search->queue || !search->index_of || !search->edge_into || !search->modules || !search->wanted ||
        !search->type_meant)
        return ouro_err_set(err, OURO_NOMEM, "no memory to look for chains among %zu objects", count);
    memset(search->parent, 0xff, (count + 1) * sizeof *search->parent);
    memset(search->index_of, 0xff, (count + 1) * sizeof *search->index_of);
    memset(search->edge_into, 0xff, (count + 1) * sizeof *search->edge_into);
    ouro_neighbourhood_find_modules(model, search->modules);
    for (uint32_t i = 0; search->query->to && i <= model->type_count; i++)
        search->type_meant[i] = ouro_pattern_type(model, i < model->type_count ? i : OURO_TYPE_NONE, search->query->to);
    return OURO_OK;
}

static bool is_meant(const struct search *search, ouro_node node)
{
    if (!search->query->to)
        return bit(search->wanted, node);
    uint32_t type = ouro_heap_model_type(search->model, node);
    return search->type_meant[type < search->model->type_count ? type : search->model->type_count];
}

/* Forgets what was found; `first` (or all modules) are beginnings. */
static void begin(struct search *search, ouro_node first)
{
    for (ouro_node i = 0; i < search->tail; i++)
        search->parent[search->queue[i]] = OURO_NODE_NONE;
    search->tail = 0;
    for (ouro_node v = first == OURO_NODE_NONE ? 0 : first; v < search->model->heap.count; v++) {
        if (first == OURO_NODE_NONE && !bit(search->modules, v))
            continue;
        search->parent[v] = v;
        search->queue[search->tail++] = v;
        if (first != OURO_NODE_NONE)
            return;
        if (bit(search->wanted, v))
            search->wanted_count--;
    }
}

struct step {
    struct search *search;
    ouro_node from, met; /* met: the first that was looked for */
};

static inline void visit(struct step *step, ouro_node target)
{
    struct search *search = step->search;
    if (target >= search->model->heap.count || search->parent[target] != OURO_NODE_NONE)
        return;
    search->parent[target] = step->from;
    search->queue[search->tail++] = target;
    if (!is_meant(search, target))
        return;
    if (step->met == OURO_NODE_NONE)
        step->met = target;
    search->wanted_count -= !search->query->to;
}

/* From the beginnings until all that is wanted was met, or, for a type, the first. */
static ouro_node run(struct search *search)
{
    struct step step = {.search = search, .met = OURO_NODE_NONE};
    ouro_node head = 0, level_end = search->tail;
    for (uint32_t depth = 0; head < search->tail; head++) {
        if (search->query->to ? step.met != OURO_NODE_NONE : !search->wanted_count)
            break;
        if (head == level_end) {
            level_end = search->tail;
            depth++;
        }
        if (depth >= search->query->depth_max || depth >= DEPTH_MOST)
            break;
        step.from = search->queue[head];
        OURO_EACH_TARGET(search->model, step.from, search->classes, visit, &step);
    }
    return step.met;
}

static uint32_t add_object(struct search *search, ouro_node node, uint32_t depth)
{
    struct ouro_neighbourhood *objects = &search->chains->objects;
    uint32_t *index = &search->index_of[node];
    if (*index == NONE && (*index = ouro_neighbourhood_add(objects, node, depth)) != NONE)
        objects->nodes.items[*index].module = bit(search->modules, node);
    if (*index != NONE && objects->nodes.items[*index].depth > depth)
        objects->nodes.items[*index].depth = depth;
    return *index;
}

/* Chains from modules are a tree: at most one edge leads to an object. */
static uint32_t add_edge(struct search *search, uint32_t from, uint32_t to)
{
    struct ouro_neighbourhood *objects = &search->chains->objects;
    uint32_t *into = &search->edge_into[objects->nodes.items[to].node];
    if (*into != NONE && objects->edges.items[*into].from == from)
        return *into;
    for (uint32_t i = 0; search->query->to && i < objects->edges.count; i++)
        if (objects->edges.items[i].from == from && objects->edges.items[i].to == to)
            return i;
    if (!ouro_neighbourhood_connect(objects, search->model, from, to, search->classes))
        return NONE;
    return *into = (uint32_t)(objects->edges.count - 1);
}

/* The chain that ends at `last`, as it was found. */
static bool add_chain(struct search *search, ouro_node asked, ouro_node last)
{
    struct ouro_chains *chains = search->chains;
    struct ouro_chain *chain = OURO_VEC_ADD(chains);
    if (!chain)
        return false;
    *chain = (struct ouro_chain){.node = asked, .begin = chains->steps.count};
    size_t count = 1;
    for (ouro_node at = last; search->parent[at] != at && search->parent[at] != OURO_NODE_NONE; at = search->parent[at])
        count++;
    for (size_t i = 0; i < count; i++)
        if (!OURO_VEC_ADD(&chains->steps))
            return false;
    chain->count = count;
    struct ouro_chain_step *steps = &chains->steps.items[chain->begin];
    bool forward = search->query->to != NULL;
    ouro_node at = last;
    for (size_t i = count; i-- > 0; at = search->parent[at]) {
        steps[i].node = add_object(search, at, (uint32_t)(forward ? i : count - 1 - i));
        if (steps[i].node == NONE)
            return false;
    }
    chains->objects.nodes.items[search->index_of[asked]].start = true;
    steps[0].edge = NONE;
    for (size_t i = 1; i < count; i++)
        if ((steps[i].edge = add_edge(search, steps[i - 1].node, steps[i].node)) == NONE)
            return false;
    return true;
}

/* Whether there is room; counts the node where not. */
static bool has_room(struct search *search, size_t i)
{
    size_t budget = search->query->node_budget;
    bool room = !budget || !i || search->chains->objects.nodes.count < budget;
    search->chains->objects.unplaced_count += !room;
    return room;
}

static bool find_forward(struct search *search)
{
    for (size_t i = 0; i < search->query->count; i++) {
        ouro_node node = search->query->nodes[i], met = OURO_NODE_NONE;
        if (!has_room(search, i))
            continue;
        for (int hidden = 0; hidden < 2 && met == OURO_NODE_NONE; hidden++) {
            search->classes = hidden ? OURO_CLASS_OWNED : OURO_CLASS_TRAVERSED;
            begin(search, node);
            met = run(search);
        }
        search->chains->found_count += met != OURO_NODE_NONE;
        if (!add_chain(search, node, met == OURO_NODE_NONE ? node : met))
            return false;
    }
    return true;
}

/* Marks those that were not found. */
static void want_missing(struct search *search)
{
    memset(search->wanted, 0, (size_t)search->model->heap.count / 8 + 1);
    search->wanted_count = 0;
    for (size_t i = 0; i < search->query->count; i++) {
        ouro_node node = search->query->nodes[i];
        if (search->parent[node] != OURO_NODE_NONE)
            continue;
        search->wanted[node >> 3] = (uint8_t)(search->wanted[node >> 3] | 1u << (node & 7));
        search->wanted_count++;
    }
}

/* The chains of those that are not marked, or of those that are. */
static bool add_chains(struct search *search, bool marked)
{
    for (size_t i = 0; i < search->query->count; i++) {
        ouro_node node = search->query->nodes[i];
        if (bit(search->wanted, node) != marked || !has_room(search, i))
            continue;
        search->chains->found_count += search->parent[node] != OURO_NODE_NONE;
        if (!add_chain(search, node, node))
            return false;
    }
    return true;
}

/* Two searches; the second, with all references, for what is left by the first. */
static bool find_from_modules(struct search *search)
{
    search->classes = OURO_CLASS_TRAVERSED;
    want_missing(search);
    begin(search, OURO_NODE_NONE);
    run(search);
    want_missing(search);
    if (!add_chains(search, false))
        return false;
    if (!search->wanted_count)
        return true;
    search->classes = OURO_CLASS_OWNED;
    begin(search, OURO_NODE_NONE);
    run(search);
    return add_chains(search, true);
}

enum ouro_status ouro_chains_init(struct ouro_chains *chains, struct ouro_heap_model *model,
                                  const struct ouro_chain_query *query, struct ouro_err *err)
{
    memset(chains, 0, sizeof *chains);
    OURO_GUARD(search_fini) struct search search = {.chains = chains, .model = model, .query = query};
    enum ouro_status status = prepare(&search, model, err);
    if (status == OURO_OK && !(query->to ? find_forward(&search) : find_from_modules(&search)))
        status = ouro_err_set(err, OURO_NOMEM, "no memory for chains of references");
    if (status != OURO_OK)
        ouro_chains_fini(chains);
    return status;
}

void ouro_chains_fini(struct ouro_chains *chains)
{
    ouro_neighbourhood_fini(&chains->objects);
    free(chains->items);
    free(chains->steps.items);
    memset(chains, 0, sizeof *chains);
}
