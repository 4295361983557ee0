#include "analysis/cycle_advice.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"

#define SIZE_MAX_  6u    /* names of a set that is proven to be smallest */
#define CYCLES_MAX 2000u /* cycles that a set must hit */
#define BASES_MAX  64u   /* of a type, from the file: may run in circles */
#define LABEL_NONE UINT32_MAX
/* Work, in references looked at (searches) and names (proofs): for a row so much for each of its references, and more
 * from what all rows share. */
#define WORK_TIMES  32u
#define EXTRA_MAX   UINT64_C(50000000)
#define PROOF_MAX   UINT64_C(5000000)
#define SHARED_MAX  UINT64_C(1000000000)

#define VEC(type)               \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

/* A name that references of the row have. */
struct label {
    struct ouro_cycle_cut cut;
    unsigned cost;
    bool is_cut, is_chosen;
    size_t cycle; /* of those met, the last that has it; counted from 1 */
};

struct edge {
    uint32_t to, label;
};

/* The row's references in numbers of its own. */
struct row_graph {
    const struct ouro_cycles *cycles;
    const struct ouro_cycle_row *row;
    uint32_t node_count;
    uint32_t *members;   /* by number */
    uint32_t *number_of; /* by member: cycles->queue, of which only this row's are written */
    uint64_t *begin;
    VEC(struct edge) edges;
    VEC(struct label) labels;
    struct ouro_map label_of;
    /* For searching. */
    uint8_t *state;
    uint32_t *stack;
    uint64_t *next;
    uint64_t work, work_max, proof_work, proof_max;
    unsigned least; /* names that a set needs: smaller ones were tried with fewer cycles */
    /* Cycles met: their labels, each once. */
    VEC(uint32_t) met;
    VEC(size_t) met_begin;
};

static void row_graph_fini(struct row_graph *g)
{
    free(g->members);
    free(g->begin);
    free(g->edges.items);
    free(g->labels.items);
    ouro_map_fini(&g->label_of);
    free(g->state);
    free(g->stack);
    free(g->next);
    free(g->met.items);
    free(g->met_begin.items);
}

const char *ouro_cut_name(enum ouro_cut how)
{
    static const char *const names[] = {
        [OURO_CUT_ATTRIBUTE] = "attribute", [OURO_CUT_METHOD] = "method",       [OURO_CUT_ITEMS] = "items",
        [OURO_CUT_CACHE] = "cache",         [OURO_CUT_TRACEBACK] = "traceback", [OURO_CUT_LOCAL] = "local",
        [OURO_CUT_CLOSURE] = "closure",     [OURO_CUT_CLASS] = "class",         [OURO_CUT_FIXED] = "fixed",
    };
    return names[how];
}

static bool is_named(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name)
{
    return !strcmp(ouro_heap_model_type_name(model, type, NULL), name) &&
           !strcmp(ouro_heap_model_type_module(model, type, NULL), module);
}

static bool label_begins(const struct ouro_cycle_names *names, uint32_t name, const char *text)
{
    const struct ouro_cycle_label *label = &names->labels.items[names->names.items[name].label];
    size_t size = strlen(text);
    return label->size >= size && !memcmp(names->texts.data + label->begin, text, size);
}

/* The step right at the owner of a reached name: ".employees" of "Department.employees[*]". */
static uint32_t first_step(const struct ouro_cycle_names *names, uint32_t name)
{
    while (names->names.items[name].holder != OURO_NAME_NONE &&
           names->names.items[names->names.items[name].holder].holder != OURO_NAME_NONE)
        name = names->names.items[name].holder;
    return name;
}

static enum ouro_cut how_to_cut(const struct ouro_cycles *cycles, uint32_t source, ouro_node target)
{
    const struct ouro_cycle_names *names = &cycles->names;
    const struct ouro_heap_model *model = cycles->model;
    uint32_t owner = ouro_cycle_names_owner(names, source), step = first_step(names, source);
    uint32_t type = names->names.items[owner].type;
    if (is_named(model, type, "functools", "_lru_cache_wrapper"))
        return label_begins(names, step, ".__") ? OURO_CUT_FIXED : OURO_CUT_CACHE;
    if (is_named(model, type, "builtins", "function"))
        return label_begins(names, step, ".__closure__") ? OURO_CUT_CLOSURE
               : label_begins(names, step, ".__")        ? OURO_CUT_FIXED
                                                         : OURO_CUT_ATTRIBUTE;
    if (is_named(model, type, "builtins", "cell"))
        return OURO_CUT_CLOSURE;
    if (is_named(model, type, "builtins", "frame") || is_named(model, type, "builtins", "generator") ||
        is_named(model, type, "builtins", "coroutine") || is_named(model, type, "builtins", "async_generator"))
        return label_begins(names, step, ".f_") || label_begins(names, step, ".<stack>") ||
                       label_begins(names, step, ".gi_") || label_begins(names, step, ".cr_") ||
                       label_begins(names, step, ".ag_") || label_begins(names, step, ".__")
                   ? OURO_CUT_FIXED
                   : OURO_CUT_LOCAL;
    if (label_begins(names, step, ".__traceback__"))
        return OURO_CUT_TRACEBACK;
    ouro_node example = names->names.items[owner].example;
    if (cycles->cyclic.kinds[example])
        return is_named(model, ouro_heap_model_type(model, target), "functools", "_lru_cache_wrapper") ? OURO_CUT_CACHE
                                                                                                       : OURO_CUT_CLASS;
    if (!(ouro_heap_model_type_flags(model, type) & OURO_TYPE_HEAP) && !names->names.items[owner].container)
        return label_begins(names, step, "[") ? OURO_CUT_ITEMS : OURO_CUT_FIXED;
    if (label_begins(names, step, ".__class__") || label_begins(names, step, ".__context__") ||
        label_begins(names, step, ".__cause__"))
        return OURO_CUT_FIXED;
    if (is_named(model, ouro_heap_model_type(model, target), "builtins", "method"))
        return OURO_CUT_METHOD;
    /* One step from its owner it is an attribute; behind a container, items. */
    return step == source && !label_begins(names, source, "[") ? OURO_CUT_ATTRIBUTE : OURO_CUT_ITEMS;
}

static uint32_t label_of(struct row_graph *g, uint32_t source, ouro_node target)
{
    bool added;
    uint64_t *index = ouro_map_put(&g->label_of, source, &added);
    if (!index)
        return LABEL_NONE;
    if (added) {
        *index = g->labels.count;
        struct label *fresh = OURO_VEC_ADD(&g->labels);
        if (!fresh)
            return LABEL_NONE;
        fresh->cut.source = source;
        fresh->cut.base = OURO_NODE_NONE;
        fresh->cut.name_count = 1;
        fresh->cut.how = how_to_cut(g->cycles, source, target);
    }
    g->labels.items[*index].cut.reference_count++;
    return (uint32_t)*index;
}

/* Nobody could cut that, and it would only hide what can be. */
static bool is_own_of_class(const struct row_graph *g, uint32_t source, ouro_node target)
{
    return g->row->layer != OURO_LAYER_PLAIN && g->cycles->cyclic.kinds[target] & OURO_KIND_CLASS &&
           ouro_cycle_names_is_structure(&g->cycles->names, source);
}

static enum ouro_status add_edges(struct row_graph *g, struct ouro_cycles *cycles, uint32_t number)
{
    uint32_t from = g->members[number];
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, cycles->model, cycles->cyclic.members[from].node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        uint32_t to = slot.edge_class == OURO_EDGE_WEAK
                          ? UINT32_MAX
                          : ouro_cyclic_target(&cycles->cyclic, g->row->layer, from, slot.target);
        if (to == UINT32_MAX)
            continue;
        uint32_t source = ouro_cycle_names_reached(&cycles->names, from, &slot), label = LABEL_NONE;
        if (source == OURO_NAME_NONE)
            return OURO_NOMEM;
        if (is_own_of_class(g, source, slot.target))
            continue;
        if (source != cycles->names.name_of[to] && (label = label_of(g, source, slot.target)) == LABEL_NONE)
            return OURO_NOMEM;
        struct edge *edge = OURO_VEC_ADD(&g->edges);
        if (!edge)
            return OURO_NOMEM;
        *edge = (struct edge){g->number_of[to], label};
    }
    return OURO_OK;
}

static enum ouro_status build(struct row_graph *g, struct ouro_cycles *cycles)
{
    const struct ouro_cyclic_layer *lists = &cycles->cyclic.layers[g->row->layer];
    const uint32_t *knots = cycles->knots + g->row->knot_begin;
    for (uint64_t k = 0; k < g->row->knot_count; k++)
        g->node_count += lists->begin[knots[k] + 1] - lists->begin[knots[k]];
    g->members = ouro_large_new((size_t)g->node_count + 1, sizeof *g->members);
    g->begin = ouro_large_new((size_t)g->node_count + 1, sizeof *g->begin);
    g->state = ouro_large_new((size_t)g->node_count + 1, 1);
    g->stack = ouro_large_new((size_t)g->node_count + 1, sizeof *g->stack);
    g->next = ouro_large_new((size_t)g->node_count + 1, sizeof *g->next);
    if (!g->members || !g->begin || !g->state || !g->stack || !g->next)
        return OURO_NOMEM;
    uint32_t n = 0;
    for (uint64_t k = 0; k < g->row->knot_count; k++)
        for (uint32_t i = lists->begin[knots[k]]; i < lists->begin[knots[k] + 1]; i++) {
            g->number_of[lists->members[i]] = n;
            g->members[n++] = lists->members[i];
        }
    for (uint32_t i = 0; i < n; i++) {
        g->begin[i] = g->edges.count;
        OURO_TRY(add_edges(g, cycles, i));
    }
    g->begin[n] = g->edges.count;
    return OURO_OK;
}

/* --- Costs */

/* By label: how many objects its references lead to, and of how many of them all counts are theirs. */
static enum ouro_status count_targets(struct row_graph *g)
{
    const struct ouro_heap_model *model = g->cycles->model;
    OURO_FREE uint32_t *here = ouro_large_new_zeroed((size_t)g->node_count + 1, sizeof *here);
    OURO_FREE uint64_t *by_label = calloc(g->labels.count + 2, sizeof *by_label);
    OURO_FREE uint32_t *targets = ouro_large_new(g->edges.count + 1, sizeof *targets);
    if (!here || !by_label || !targets)
        return OURO_NOMEM;
    for (size_t i = 0; i < g->edges.count; i++)
        if (g->edges.items[i].label != LABEL_NONE)
            by_label[g->edges.items[i].label + 1]++;
    for (size_t i = 0; i < g->labels.count; i++)
        by_label[i + 1] += by_label[i];
    for (size_t i = 0; i < g->edges.count; i++)
        if (g->edges.items[i].label != LABEL_NONE)
            targets[by_label[g->edges.items[i].label]++] = g->edges.items[i].to;
    for (size_t l = 0, first = 0; l < g->labels.count; first = by_label[l++]) {
        struct ouro_cycle_cut *cut = &g->labels.items[l].cut;
        for (size_t i = first; i < by_label[l]; i++)
            cut->target_count += !here[targets[i]]++;
        for (size_t i = first; i < by_label[l]; i++) {
            ouro_node node = g->cycles->cyclic.members[g->members[targets[i]]].node;
            cut->lonely_count += here[targets[i]] && here[targets[i]] >= model->heap.refcount[node] &&
                                 !(model->heap.flags[node] & OURO_OBJECT_IMMORTAL);
            here[targets[i]] = 0;
        }
    }
    return OURO_OK;
}

static bool is_class_owned(const struct row_graph *g, const struct label *label)
{
    uint32_t owner = ouro_cycle_names_owner(&g->cycles->names, label->cut.source);
    return g->cycles->cyclic.kinds[g->cycles->names.names.items[owner].example] & OURO_KIND_CLASS;
}

static void set_costs(struct row_graph *g)
{
    static const unsigned base[] = {
        [OURO_CUT_ATTRIBUTE] = 0, [OURO_CUT_METHOD] = 10, [OURO_CUT_ITEMS] = 20,
        [OURO_CUT_CACHE] = 30,    [OURO_CUT_LOCAL] = 40,  [OURO_CUT_TRACEBACK] = 50,
        [OURO_CUT_CLOSURE] = 50,  [OURO_CUT_CLASS] = 100, [OURO_CUT_FIXED] = 200,
    };
    for (size_t i = 0; i < g->labels.count; i++) {
        struct label *label = &g->labels.items[i];
        label->cost = base[label->cut.how];
        if (label->cut.lonely_count) /* weakening would free them */
            label->cost += g->row->unreachable ? 1 : 5;
        if (label->cut.target_count >= label->cut.reference_count) /* leads on rather than back */
            label->cost += 2;
        if (is_class_owned(g, label)) /* the cache itself is what can be changed */
            label->cost++;
    }
}

/* --- Cycles that are left */

/* A cycle without the labels that are cut: its labels are added to what was met. *found tells. */
static enum ouro_status take_cycle(struct row_graph *g, size_t from, size_t depth, uint32_t last_label)
{
    size_t *begin = OURO_VEC_ADD(&g->met_begin);
    if (!begin)
        return OURO_NOMEM;
    *begin = g->met.count;
    for (size_t i = from; i < depth; i++) {
        uint32_t label = i + 1 < depth ? g->edges.items[g->next[i] - 1].label : last_label;
        if (label == LABEL_NONE || g->labels.items[label].cycle == g->met_begin.count)
            continue;
        g->labels.items[label].cycle = g->met_begin.count;
        uint32_t *met = OURO_VEC_ADD(&g->met);
        if (!met)
            return OURO_NOMEM;
        *met = label;
    }
    return OURO_OK;
}

enum { UNSEEN, OPEN, DONE };

static enum ouro_status search_from(struct row_graph *g, uint32_t start, bool *found)
{
    size_t depth = 1;
    g->stack[0] = start;
    g->next[0] = g->begin[start];
    g->state[start] = OPEN;
    while (depth) {
        uint32_t v = g->stack[depth - 1];
        uint64_t i = g->next[depth - 1]++;
        if (i == g->begin[v + 1]) {
            g->state[v] = DONE;
            depth--;
            continue;
        }
        const struct edge *edge = &g->edges.items[i];
        g->work++;
        if (edge->label != LABEL_NONE && g->labels.items[edge->label].is_cut)
            continue;
        if (g->state[edge->to] == OPEN) {
            size_t from = depth;
            while (g->stack[from - 1] != edge->to)
                from--;
            *found = true;
            return take_cycle(g, from - 1, depth, edge->label);
        }
        if (g->state[edge->to] == UNSEEN) {
            g->state[edge->to] = OPEN;
            g->stack[depth] = edge->to;
            g->next[depth++] = g->begin[edge->to];
        }
    }
    return OURO_OK;
}

static enum ouro_status find_cycle(struct row_graph *g, bool *found)
{
    *found = false;
    memset(g->state, UNSEEN, g->node_count);
    g->work += g->node_count;
    for (uint32_t v = 0; v < g->node_count && !*found; v++)
        if (g->state[v] == UNSEEN)
            OURO_TRY(search_from(g, v, found));
    return OURO_OK;
}

/* --- The smallest set that hits all cycles met */

struct hitting {
    struct row_graph *g;
    uint32_t chosen[SIZE_MAX_], best[SIZE_MAX_];
    unsigned best_cost;
    bool found;
};

static const uint32_t *cycle_labels(const struct row_graph *g, size_t which, size_t *count)
{
    size_t begin = g->met_begin.items[which];
    size_t end = which + 1 < g->met_begin.count ? g->met_begin.items[which + 1] : g->met.count;
    *count = end - begin;
    return *count ? g->met.items + begin : NULL;
}

static bool is_hit(struct row_graph *g, size_t which)
{
    size_t count, i = 0;
    const uint32_t *labels = cycle_labels(g, which, &count);
    while (i < count && !g->labels.items[labels[i]].is_chosen)
        i++;
    g->proof_work += i + 1;
    return i < count;
}

static unsigned cost_of(const struct row_graph *g, const uint32_t *chosen, unsigned size)
{
    unsigned cost = 0;
    for (unsigned i = 0; i < size; i++)
        cost += g->labels.items[chosen[i]].cost;
    return cost;
}

/* Of two that are as good, the later in the alphabet: a row begins with the other, and this one leads back to it. */
static bool closes(const struct row_graph *g, uint32_t label, uint32_t best)
{
    return ouro_cycle_names_compare(&g->cycles->names, g->labels.items[label].cut.source,
                                    g->labels.items[best].cut.source) > 0;
}

/* Depth first over sets of `size` labels, without recursion: at[d] is the label of the first cycle not hit by the d
 * chosen so far that is tried now. */
static void try_size(struct hitting *h, unsigned size)
{
    size_t open[SIZE_MAX_ + 1], at[SIZE_MAX_ + 1];
    unsigned depth = 0;
    open[0] = 0;
    at[0] = 0;
    for (;;) {
        size_t count;
        const uint32_t *labels = cycle_labels(h->g, open[depth], &count);
        if (at[depth])
            h->g->labels.items[h->chosen[depth]].is_chosen = false;
        if (at[depth] == count || h->g->proof_work > h->g->proof_max) {
            if (!depth)
                return;
            depth--;
            continue;
        }
        h->chosen[depth] = labels[at[depth]++];
        h->g->labels.items[h->chosen[depth]].is_chosen = true;
        size_t next = open[depth];
        while (next < h->g->met_begin.count && is_hit(h->g, next))
            next++;
        if (next == h->g->met_begin.count) {
            unsigned cost = cost_of(h->g, h->chosen, depth + 1);
            if (!h->found || cost < h->best_cost ||
                (cost == h->best_cost && !depth && closes(h->g, h->chosen[0], h->best[0]))) {
                h->found = true;
                h->best_cost = cost;
                memcpy(h->best, h->chosen, (depth + 1) * sizeof *h->best);
            }
        } else if (depth + 1 < size) {
            depth++;
            open[depth] = next;
            at[depth] = 0;
        }
    }
}

/* Marks the set as cut; false where the proof was given up. */
static bool cut_smallest(struct row_graph *g)
{
    struct hitting hitting = {.g = g};
    for (unsigned size = g->least; size <= SIZE_MAX_; size++) {
        g->least = size;
        try_size(&hitting, size);
        if (g->proof_work > g->proof_max)
            return false;
        if (!hitting.found)
            continue;
        for (size_t i = 0; i < g->labels.count; i++)
            g->labels.items[i].is_cut = false;
        for (unsigned i = 0; i < size; i++)
            g->labels.items[hitting.best[i]].is_cut = true;
        return true;
    }
    return false;
}

/* The label of the stack's edge at `i`; the last one closes the cycle. */
static uint32_t stack_label(const struct row_graph *g, size_t i, size_t depth, uint32_t last_label)
{
    return i + 1 < depth ? g->edges.items[g->next[i] - 1].label : last_label;
}

/* Cuts the cheapest label of the cycle stack[from .. depth). Returns the depth up to which the stack is a path still; 0:
 * it has no label. */
static size_t cut_cheapest(struct row_graph *g, size_t from, size_t depth, uint32_t last_label)
{
    uint32_t best = LABEL_NONE;
    g->work += depth;
    for (size_t i = from; i < depth; i++) {
        uint32_t label = stack_label(g, i, depth, last_label);
        if (label != LABEL_NONE && (best == LABEL_NONE || g->labels.items[label].cost < g->labels.items[best].cost))
            best = label;
    }
    if (best == LABEL_NONE)
        return 0;
    g->labels.items[best].is_cut = true;
    for (size_t i = 0; i < depth; i++)
        if (stack_label(g, i, depth, last_label) == best)
            return i + 1;
    return depth;
}

/* As search_from, but each cycle is cut where it is met, and the search goes on behind the cut. False: given up. */
static bool cut_from(struct row_graph *g, uint32_t start)
{
    size_t depth = 1;
    g->stack[0] = start;
    g->next[0] = g->begin[start];
    g->state[start] = OPEN;
    while (depth && g->work <= g->work_max) {
        uint32_t v = g->stack[depth - 1];
        uint64_t i = g->next[depth - 1]++;
        if (i == g->begin[v + 1]) {
            g->state[v] = DONE;
            depth--;
            continue;
        }
        const struct edge *edge = &g->edges.items[i];
        g->work++;
        if ((edge->label != LABEL_NONE && g->labels.items[edge->label].is_cut) || g->state[edge->to] == DONE)
            continue;
        if (g->state[edge->to] == UNSEEN) {
            g->state[edge->to] = OPEN;
            g->stack[depth] = edge->to;
            g->next[depth++] = g->begin[edge->to];
            continue;
        }
        size_t from = depth;
        while (g->stack[from - 1] != edge->to)
            from--;
        size_t kept = cut_cheapest(g, from - 1, depth, edge->label);
        if (!kept)
            return false;
        while (depth > kept)
            g->state[g->stack[--depth]] = UNSEEN;
    }
    return !depth;
}

/* On top of what is cut already: all cycles, in one search. */
static bool cut_the_rest(struct row_graph *g)
{
    memset(g->state, UNSEEN, g->node_count);
    g->work_max += g->work; /* as much once more */
    for (uint32_t v = 0; v < g->node_count; v++)
        if (g->state[v] == UNSEEN && !cut_from(g, v))
            return false;
    return true;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

/* What this row may do, and afterwards what it did beyond its own share. */
static void begin_work(struct row_graph *g)
{
    uint64_t left = SHARED_MAX - at_most(g->cycles->advice_work, SHARED_MAX);
    uint64_t own = WORK_TIMES * (UINT64_C(64) + g->node_count + g->edges.count);
    g->work = g->proof_work = 0;
    g->least = 1;
    g->work_max = own + at_most(EXTRA_MAX, left);
    g->proof_max = own + at_most(PROOF_MAX, left);
}

static void end_work(const struct row_graph *g, struct ouro_cycles *cycles)
{
    uint64_t own = WORK_TIMES * (UINT64_C(64) + g->node_count + g->edges.count);
    cycles->advice_work += g->work - at_most(g->work, own) + g->proof_work - at_most(g->proof_work, own);
}

static enum ouro_status break_all(struct row_graph *g, struct ouro_cycle_advice *advice)
{
    advice->smallest = true;
    for (;;) {
        bool found;
        size_t count = 0;
        OURO_TRY(find_cycle(g, &found));
        if (!found) {
            advice->complete = true;
            return OURO_OK;
        }
        cycle_labels(g, g->met_begin.count - 1, &count);
        if (!count) {
            advice->smallest = false;
            return OURO_OK;
        }
        if (g->work > g->work_max || g->met_begin.count > CYCLES_MAX || !cut_smallest(g)) {
            advice->smallest = false;
            advice->complete = cut_the_rest(g);
            return OURO_OK;
        }
    }
}

/* Whether freeing the object runs a finalizer; a suspended generator's only if it is inside of a try or with. */
static bool finalizes(const struct ouro_heap_model *model, ouro_node node)
{
    static const char *const generators[] = {"generator", "coroutine", "async_generator"};
    uint32_t type = ouro_heap_model_type(model, node);
    if (!(ouro_heap_model_type_flags(model, type) & (OURO_TYPE_FINALIZE | OURO_TYPE_DEL)) ||
        model->heap.flags[node] & OURO_OBJECT_FINALIZED)
        return false;
    for (size_t i = 0; i < sizeof generators / sizeof *generators; i++)
        if (is_named(model, type, "builtins", generators[i]))
            return model->heap.flags[node] & OURO_OBJECT_IN_TRY;
    return true;
}

static enum ouro_status count_finalizers(const struct row_graph *g, struct ouro_cycle_advice *advice, struct ouro_map *types)
{
    const struct ouro_heap_model *model = g->cycles->model;
    advice->finalizer_type = OURO_TYPE_NONE;
    for (uint32_t i = 0; i < g->node_count; i++) {
        ouro_node v = g->cycles->cyclic.members[g->members[i]].node;
        uint32_t type = ouro_heap_model_type(model, v);
        if (!finalizes(model, v))
            continue;
        advice->finalizer_count++;
        if (advice->finalizer_type == OURO_TYPE_NONE)
            advice->finalizer_type = type;
        if (!ouro_map_put(types, type, NULL))
            return OURO_NOMEM;
    }
    advice->finalizer_type_count = types->count;
    return OURO_OK;
}

static int by_cost(const void *a, const void *b)
{
    const struct ouro_cycle_cut *left = a, *right = b;
    if (left->how != right->how)
        return left->how < right->how ? -1 : 1;
    return (left->source > right->source) - (left->source < right->source);
}

static enum ouro_status take_cuts(const struct row_graph *g, struct ouro_cycle_advice *advice)
{
    for (size_t i = 0; i < g->labels.count; i++) {
        struct ouro_cycle_cut *cut = g->labels.items[i].is_cut ? OURO_VEC_ADD(&advice->cuts) : NULL;
        if (cut)
            *cut = g->labels.items[i].cut;
        else if (g->labels.items[i].is_cut)
            return OURO_NOMEM;
    }
    if (advice->cuts.count)
        qsort(advice->cuts.items, advice->cuts.count, sizeof *advice->cuts.items, by_cost);
    return OURO_OK;
}

/* --- The same attribute of several classes */

/* The base that the owner's class has below object; the class itself when it has none. */
static ouro_node root_base(const struct ouro_heap_model *model, uint32_t type)
{
    ouro_node class = model->types[type].node;
    for (unsigned i = 0; i < BASES_MAX; i++) {
        ouro_node base = ouro_heap_model_field(model, class, "__base__");
        if (base == OURO_NODE_NONE || ouro_heap_model_field(model, base, "__base__") == OURO_NODE_NONE) /* object */
            break;
        class = base;
    }
    return class;
}

/* The nearest class that both inherit from, or are. */
static ouro_node common_base(const struct ouro_heap_model *model, ouro_node a, ouro_node b)
{
    for (unsigned i = 0; i < BASES_MAX && a != OURO_NODE_NONE; i++) {
        ouro_node base = b;
        for (unsigned j = 0; j < BASES_MAX && base != OURO_NODE_NONE; j++) {
            if (base == a)
                return a;
            base = ouro_heap_model_field(model, base, "__base__");
        }
        a = ouro_heap_model_field(model, a, "__base__");
    }
    return a;
}

static ouro_node class_of(const struct ouro_cycles *cycles, uint32_t source)
{
    return cycles->model->types[cycles->names.names.items[ouro_cycle_names_owner(&cycles->names, source)].type].node;
}

/* Which label stands for label l: the first with the same base and path. UINT32_MAX: out of memory. */
static uint32_t merged_label(const struct row_graph *g, uint32_t l, struct ouro_map *first_of, struct ouro_buf *path)
{
    const struct ouro_cycle_names *names = &g->cycles->names;
    const struct ouro_cycle_cut *cut = &g->labels.items[l].cut;
    uint32_t type = names->names.items[ouro_cycle_names_owner(names, cut->source)].type;
    if (cut->how > OURO_CUT_ITEMS || !(ouro_heap_model_type_flags(g->cycles->model, type) & OURO_TYPE_HEAP))
        return l;
    ouro_node base = root_base(g->cycles->model, type);
    uint64_t hash = base;
    if (base == OURO_NODE_NONE)
        return l;
    path->size = 0;
    ouro_cycle_names_add_path(names, cut->source, path);
    for (size_t i = 0; i < path->size; i++)
        hash = (hash ^ path->data[i]) * UINT64_C(0x100000001b3);
    bool added;
    uint64_t *first = path->failed ? NULL : ouro_map_put(first_of, hash & ~(UINT64_C(1) << 63), &added);
    if (!first)
        return UINT32_MAX;
    if (added)
        *first = l;
    return (uint32_t)*first;
}

/* Lets one label stand for each attribute; *merged tells whether any did. */
static enum ouro_status merge_labels(struct row_graph *g, bool *merged)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map first_of = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf path = {0};
    OURO_FREE uint32_t *stands_for = malloc(g->labels.count * sizeof *stands_for + 1);
    if (!stands_for)
        return OURO_NOMEM;
    *merged = false;
    for (uint32_t l = 0; l < g->labels.count; l++) {
        struct label *label = &g->labels.items[l];
        label->is_cut = false;
        stands_for[l] = merged_label(g, l, &first_of, &path);
        if (stands_for[l] == UINT32_MAX)
            return OURO_NOMEM;
        if (stands_for[l] == l)
            continue;
        struct ouro_cycle_cut *first = &g->labels.items[stands_for[l]].cut;
        *merged = true;
        if (first->base == OURO_NODE_NONE)
            first->base = class_of(g->cycles, first->source);
        first->base = common_base(g->cycles->model, first->base, class_of(g->cycles, label->cut.source));
        first->name_count++;
        first->reference_count += label->cut.reference_count;
    }
    for (size_t i = 0; i < g->labels.count; i++)
        g->labels.items[i].cut.target_count = g->labels.items[i].cut.lonely_count = 0;
    for (size_t i = 0; i < g->edges.count; i++)
        if (g->edges.items[i].label != LABEL_NONE)
            g->edges.items[i].label = stands_for[g->edges.items[i].label];
    for (size_t i = 0; i < g->labels.count; i++)
        g->labels.items[i].cycle = 0;
    g->met.count = g->met_begin.count = 0;
    return OURO_OK;
}

static enum ouro_status advise(struct row_graph *g, struct ouro_cycles *cycles, struct ouro_cycle_advice *advice)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map types = {0};
    OURO_TRY(build(g, cycles));
    OURO_TRY(count_targets(g));
    set_costs(g);
    begin_work(g);
    OURO_TRY(break_all(g, advice));
    end_work(g, cycles);
    OURO_TRY(take_cuts(g, advice));
    if (!advice->cuts.count)
        advice->complete = advice->smallest = false;
    bool merged = false;
    if (advice->cuts.count > 1)
        OURO_TRY(merge_labels(g, &merged));
    if (merged) {
        OURO_GUARD(ouro_cycle_advice_fini) struct ouro_cycle_advice by_base = {0};
        OURO_TRY(count_targets(g));
        set_costs(g);
        begin_work(g);
        OURO_TRY(break_all(g, &by_base));
        end_work(g, cycles);
        OURO_TRY(take_cuts(g, &by_base));
        if (by_base.complete && (!advice->complete || by_base.cuts.count < advice->cuts.count)) {
            struct ouro_cycle_advice other = *advice;
            *advice = by_base;
            by_base = other; /* freed */
        }
    }
    return count_finalizers(g, advice, &types);
}

void ouro_cycle_cut_add(const struct ouro_cycle_cut *cut, const struct ouro_cycles *cycles, struct ouro_buf *out)
{
    if (cut->base == OURO_NODE_NONE) {
        ouro_cycle_names_add(&cycles->names, cut->source, out);
        return;
    }
    ouro_cycle_names_add_class(&cycles->names, cut->base, out);
    ouro_cycle_names_add_path(&cycles->names, cut->source, out);
}

enum ouro_status ouro_cycle_advice_init(struct ouro_cycle_advice *advice, struct ouro_cycles *cycles,
                                        const struct ouro_cycle_row *row)
{
    memset(advice, 0, sizeof *advice);
    OURO_TRY(ouro_cycles_prepare_search(cycles));
    OURO_GUARD(row_graph_fini) struct row_graph graph = {.cycles = cycles, .row = row, .number_of = cycles->queue};
    enum ouro_status status = advise(&graph, cycles, advice);
    if (status != OURO_OK)
        ouro_cycle_advice_fini(advice);
    return status;
}

void ouro_cycle_advice_fini(struct ouro_cycle_advice *advice)
{
    free(advice->cuts.items);
    memset(advice, 0, sizeof *advice);
}
