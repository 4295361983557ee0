#include "analysis/cycles.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/hash.h"
#include "base/large.h"

#define ALIKE_LEAST     8 /* references of a pattern that may join one that is nearly the same */
#define ALIKE_PERCENT   80
#define CACHE_DEPTH_MAX 4   /* cache, its dict, a key, its arguments */
#define CACHE_WORK      8u   /* looks at each slot of a component */
#define CACHED_SHARE    16u  /* of a class's component, one in so many is held by the cache */
#define LOOKED_AT_MAX   64u /* patterns that share a reference and are compared */

/* A kind of reference met anywhere. */
struct kind {
    uint32_t source, target;
    uint32_t seen_in;       /* the knot that was looked at last, counted from 1 */
    uint64_t count;         /* in there */
    uint32_t first_pattern; /* of those kept that have it: a list through uses */
};

struct use {
    uint32_t pattern, next; /* next: index into uses, UINT32_MAX: none */
};

/* Knots that have exactly the same kinds of references. */
struct pattern {
    enum ouro_layer layer;
    bool unreachable;
    uint64_t names_hash;
    size_t begin, count; /* in pool: kinds, ascending */
    uint32_t next;       /* of the same hash, UINT32_MAX: none */
    uint32_t row;        /* the row it went into, once decided */
    uint32_t example_knot, example_size;
    uint64_t overlap; /* with the pattern that is being placed */
};

struct knot {
    enum ouro_layer layer;
    uint32_t component, pattern;
};

struct pooled {
    uint32_t kind;
    uint64_t count;
};

#define VEC(type)               \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

struct folding {
    struct ouro_cycles *cycles;
    const struct ouro_collector *collector;
    unsigned flags;
    VEC(struct kind) kinds;
    VEC(struct pattern) patterns;
    VEC(struct knot) knots;
    VEC(struct use) uses;
    VEC(struct pooled) pool;
    VEC(uint32_t) met; /* kinds of the knot at hand */
    struct ouro_map kind_of, pattern_of;
    uint32_t knot_number;
    uint32_t cache_type; /* functools._lru_cache_wrapper */
};

static void folding_fini(struct folding *f)
{
    free(f->kinds.items);
    free(f->patterns.items);
    free(f->knots.items);
    free(f->uses.items);
    free(f->pool.items);
    free(f->met.items);
    ouro_map_fini(&f->kind_of);
    ouro_map_fini(&f->pattern_of);
}

static enum ouro_status meet(struct folding *f, uint32_t source, uint32_t target)
{
    bool added;
    uint64_t *index = ouro_map_put(&f->kind_of, (uint64_t)source << 32 | target, &added);
    if (!index)
        return OURO_NOMEM;
    if (added) {
        *index = f->kinds.count;
        struct kind *fresh = OURO_VEC_ADD(&f->kinds);
        if (!fresh)
            return OURO_NOMEM;
        *fresh = (struct kind){.source = source, .target = target, .first_pattern = UINT32_MAX};
    }
    struct kind *kind = &f->kinds.items[*index];
    if (kind->seen_in != f->knot_number) {
        uint32_t *met = OURO_VEC_ADD(&f->met);
        if (!met)
            return OURO_NOMEM;
        *met = (uint32_t)*index;
        kind->seen_in = f->knot_number;
        kind->count = 0;
    }
    kind->count++;
    return OURO_OK;
}

static enum ouro_status meet_references(struct folding *f, enum ouro_layer layer, uint32_t component)
{
    const struct ouro_cyclic *cyclic = &f->cycles->cyclic;
    const struct ouro_cyclic_layer *lists = &cyclic->layers[layer];
    struct ouro_cycle_names *names = &f->cycles->names;
    f->met.count = 0;
    f->knot_number++;
    for (uint32_t i = lists->begin[component]; i < lists->begin[component + 1]; i++) {
        uint32_t from = lists->members[i];
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        ouro_slot_walk_begin(&walk, cyclic->model, cyclic->members[from].node);
        while (ouro_slot_walk_next(&walk, &slot)) {
            uint32_t to =
                slot.edge_class == OURO_EDGE_WEAK ? UINT32_MAX : ouro_cyclic_target(cyclic, layer, from, slot.target);
            if (to == UINT32_MAX)
                continue;
            uint32_t source = ouro_cycle_names_reached(names, from, &slot);
            if (source == OURO_NAME_NONE)
                return OURO_NOMEM;
            if (source != names->name_of[to])
                OURO_TRY(meet(f, source, names->name_of[to]));
        }
    }
    return OURO_OK;
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static bool is_pattern(const struct folding *f, const struct pattern *pattern, enum ouro_layer layer, bool unreachable)
{
    if (pattern->layer != layer || pattern->unreachable != unreachable || pattern->count != f->met.count)
        return false;
    for (size_t i = 0; i < pattern->count; i++)
        if (f->pool.items[pattern->begin + i].kind != f->met.items[i])
            return false;
    return true;
}

/* Of the names that its references lead to, in whatever order. */
static bool hash_names(struct folding *f, uint64_t *sum)
{
    uint32_t last = OURO_NAME_NONE;
    OURO_FREE uint32_t *owners = malloc(f->met.count * sizeof *owners + 1);
    if (!owners)
        return false;
    *sum = 0;
    for (size_t i = 0; i < f->met.count; i++)
        owners[i] = ouro_cycle_names_owner(&f->cycles->names, f->kinds.items[f->met.items[i]].target);
    qsort(owners, f->met.count, sizeof *owners, by_number);
    for (size_t i = 0; i < f->met.count; i++)
        if (owners[i] != last)
            *sum += ouro_hash_mix(1, last = owners[i]);
    return true;
}

/* The pattern of the references just met; UINT32_MAX: out of memory. */
static uint32_t find_pattern(struct folding *f, enum ouro_layer layer, bool unreachable)
{
    uint64_t hash = (uint64_t)layer * 2 + unreachable;
    if (f->met.count)
        qsort(f->met.items, f->met.count, sizeof *f->met.items, by_number);
    for (size_t i = 0; i < f->met.count; i++)
        hash = ouro_hash_mix(hash, f->met.items[i]);
    bool added;
    uint64_t names_hash, *first = ouro_map_put(&f->pattern_of, hash == UINT64_MAX ? 0 : hash, &added);
    if (!first)
        return UINT32_MAX;
    for (uint32_t p = added ? UINT32_MAX : (uint32_t)*first; p != UINT32_MAX; p = f->patterns.items[p].next)
        if (is_pattern(f, &f->patterns.items[p], layer, unreachable))
            return p;
    struct pattern *fresh = hash_names(f, &names_hash) ? OURO_VEC_ADD(&f->patterns) : NULL;
    if (!fresh)
        return UINT32_MAX;
    *fresh = (struct pattern){.layer = layer,
                              .unreachable = unreachable,
                              .names_hash = names_hash,
                              .begin = f->pool.count,
                              .count = f->met.count,
                              .next = added ? UINT32_MAX : (uint32_t)*first,
                              .row = UINT32_MAX,
                              .example_size = UINT32_MAX};
    *first = f->patterns.count - 1;
    for (size_t i = 0; i < f->met.count; i++) {
        struct pooled *pooled = OURO_VEC_ADD(&f->pool);
        if (!pooled)
            return UINT32_MAX;
        pooled->kind = f->met.items[i];
    }
    return (uint32_t)*first;
}

static enum ouro_status add_knot(struct folding *f, enum ouro_layer layer, uint32_t component, bool unreachable)
{
    OURO_TRY(ouro_cycle_names_component(&f->cycles->names, layer, component));
    OURO_TRY(meet_references(f, layer, component));
    uint32_t index = find_pattern(f, layer, unreachable);
    struct knot *knot = index == UINT32_MAX ? NULL : OURO_VEC_ADD(&f->knots);
    if (!knot)
        return OURO_NOMEM;
    *knot = (struct knot){layer, component, index};
    struct pattern *pattern = &f->patterns.items[index];
    const struct ouro_cyclic_layer *lists = &f->cycles->cyclic.layers[layer];
    uint32_t size = lists->begin[component + 1] - lists->begin[component];
    for (size_t i = 0; i < pattern->count; i++)
        f->pool.items[pattern->begin + i].count += f->kinds.items[f->pool.items[pattern->begin + i].kind].count;
    if (size < pattern->example_size) {
        pattern->example_size = size;
        pattern->example_knot = component;
    }
    return OURO_OK;
}

/* What of the component no earlier layer has, and whether the collector would find it. */
struct content {
    uint64_t object_count, bytes, approximate_count;
    bool unreachable;
};

static struct content content_of(const struct folding *f, enum ouro_layer layer, uint32_t component)
{
    const struct ouro_cyclic *cyclic = &f->cycles->cyclic;
    const struct ouro_cyclic_layer *lists = &cyclic->layers[layer];
    const struct ouro_heap_model *model = f->cycles->model;
    struct content content = {0};
    for (uint32_t i = lists->begin[component]; i < lists->begin[component + 1]; i++) {
        const struct ouro_cyclic_member *member = &cyclic->members[lists->members[i]];
        content.unreachable |= ouro_collector_unreachable(f->collector, member->node);
        if (member->layer != layer)
            continue;
        content.object_count++;
        content.bytes += ouro_heap_model_bytes(model, member->node);
        content.approximate_count += (model->heap.flags[member->node] & OURO_OBJECT_APPROXIMATE) != 0;
    }
    return content;
}

static bool is_class_namespace(const struct ouro_slot *slot)
{
    return slot->part->kind == OURO_PART_NAMESPACE || slot->part->kind == OURO_PART_NAMESPACE_ANY;
}

/* Instances, of classes in the component, that a cache holds: as arguments, results, or in the key of several
 * arguments. What the keys hold together is met again and again: no more slots than `left` are looked at. */
static uint64_t count_cached(const struct folding *f, uint32_t wrapper, uint64_t *left)
{
    const struct ouro_cyclic *cyclic = &f->cycles->cyclic;
    uint32_t stack[CACHE_DEPTH_MAX];
    struct ouro_slot_walk walks[CACHE_DEPTH_MAX];
    unsigned depth = 1;
    uint64_t count = 0;
    stack[0] = wrapper;
    ouro_slot_walk_begin(&walks[0], cyclic->model, cyclic->members[wrapper].node);
    while (depth && *left) {
        struct ouro_slot slot;
        --*left;
        if (!ouro_slot_walk_next(&walks[depth - 1], &slot)) {
            depth--;
            continue;
        }
        uint32_t to = slot.edge_class == OURO_EDGE_WEAK
                          ? UINT32_MAX
                          : ouro_cyclic_target(cyclic, OURO_LAYER_CLASSES, stack[depth - 1], slot.target);
        if (to == UINT32_MAX || cyclic->kinds[slot.target] || slot.part->kind == OURO_PART_TYPE)
            continue;
        uint32_t type = ouro_heap_model_type(cyclic->model, slot.target);
        ouro_node class = type < cyclic->model->type_count ? cyclic->model->types[type].node : OURO_NODE_NONE;
        if (class != OURO_NODE_NONE && ouro_cyclic_target(cyclic, OURO_LAYER_CLASSES, to, class) != UINT32_MAX)
            count++;
        else if (depth < CACHE_DEPTH_MAX) {
            stack[depth] = to;
            ouro_slot_walk_begin(&walks[depth++], cyclic->model, slot.target);
        }
    }
    return count;
}

/* functools.lru_cache on a method: the class has the cache, the cache its instances. No program is made like that on
 * purpose, so where that is what the component is about, it is no structure to fold away. */
static bool is_method_cache(const struct folding *f, uint32_t component)
{
    const struct ouro_cyclic *cyclic = &f->cycles->cyclic;
    const struct ouro_heap_model *model = f->cycles->model;
    const struct ouro_cyclic_layer *lists = &cyclic->layers[OURO_LAYER_CLASSES];
    uint64_t cached = 0, left = 0;
    if (f->cache_type == OURO_TYPE_NONE)
        return false;
    for (uint32_t i = lists->begin[component]; i < lists->begin[component + 1]; i++) {
        ouro_node node = cyclic->members[lists->members[i]].node;
        left += CACHE_WORK * (1 + model->heap.slot_begin[node + 1] - model->heap.slot_begin[node]);
    }
    for (uint32_t i = lists->begin[component]; i < lists->begin[component + 1]; i++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        ouro_slot_walk_begin(&walk, model, cyclic->members[lists->members[i]].node);
        while (ouro_slot_walk_next(&walk, &slot)) {
            if (!is_class_namespace(&slot) || slot.place || slot.target == OURO_NODE_NONE ||
                ouro_heap_model_type(model, slot.target) != f->cache_type)
                continue;
            uint32_t wrapper = ouro_cyclic_target(cyclic, OURO_LAYER_CLASSES, lists->members[i], slot.target);
            if (wrapper != UINT32_MAX)
                cached += count_cached(f, wrapper, &left);
        }
    }
    return cached * CACHED_SHARE >= lists->begin[component + 1] - lists->begin[component];
}

static bool is_structure(const struct folding *f, enum ouro_layer layer, uint32_t component)
{
    return layer == OURO_LAYER_ALL || (layer == OURO_LAYER_CLASSES && !is_method_cache(f, component));
}

static enum ouro_status add_knots(struct folding *f)
{
    struct ouro_cycles *cycles = f->cycles;
    for (unsigned layer = 0; layer < OURO_LAYER_COUNT; layer++)
        for (uint32_t c = 0; c < cycles->cyclic.layers[layer].component_count; c++) {
            struct content content = content_of(f, layer, c);
            if (!content.object_count ||
                (content.unreachable ? f->flags & OURO_CYCLES_REACHABLE : f->flags & OURO_CYCLES_GARBAGE))
                continue;
            if (!content.unreachable && !(f->flags & OURO_CYCLES_ALL) && is_structure(f, layer, c)) {
                cycles->folded_knot_count++;
                cycles->folded_object_count += content.object_count;
                cycles->folded_bytes += content.bytes;
                continue;
            }
            OURO_TRY(add_knot(f, layer, c, content.unreachable));
        }
    return OURO_OK;
}

/* --- From patterns to rows */

/* Those with more references first: others may be part of them. */
static int by_references(const void *a, const void *b, void *context)
{
    const struct folding *f = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    size_t l = f->patterns.items[left].count, r = f->patterns.items[right].count;
    return l != r ? (l < r ? 1 : -1) : (left > right) - (left < right);
}

/* Whether a pattern, `overlap` of whose references `kept` has too, is the same to a reader. */
static bool joins(const struct pattern *pattern, const struct pattern *kept)
{
    if (pattern->layer != kept->layer || pattern->unreachable != kept->unreachable)
        return false;
    if (kept->overlap == pattern->count && pattern->names_hash == kept->names_hash)
        return true;
    return pattern->count >= ALIKE_LEAST && kept->overlap * 100 >= pattern->count * ALIKE_PERCENT;
}

/* A kept pattern that it can join, the one with the largest overlap; UINT32_MAX: none. */
static uint32_t find_host(struct folding *f, uint32_t index)
{
    struct pattern *pattern = &f->patterns.items[index];
    uint32_t best = UINT32_MAX;
    for (unsigned pass = 0; pass < 2; pass++) /* count, then choose and clear */
        for (size_t i = 0; i < pattern->count; i++) {
            unsigned looked_at = 0;
            for (uint32_t u = f->kinds.items[f->pool.items[pattern->begin + i].kind].first_pattern;
                 u != UINT32_MAX && looked_at < LOOKED_AT_MAX; u = f->uses.items[u].next, looked_at++) {
                struct pattern *kept = &f->patterns.items[f->uses.items[u].pattern];
                if (!pass) {
                    kept->overlap++;
                    continue;
                }
                if (kept->overlap && joins(pattern, kept) &&
                    (best == UINT32_MAX || kept->overlap > f->patterns.items[best].overlap))
                    best = f->uses.items[u].pattern;
            }
        }
    for (size_t i = 0; i < pattern->count; i++) {
        unsigned looked_at = 0;
        for (uint32_t u = f->kinds.items[f->pool.items[pattern->begin + i].kind].first_pattern;
             u != UINT32_MAX && looked_at < LOOKED_AT_MAX; u = f->uses.items[u].next, looked_at++)
            f->patterns.items[f->uses.items[u].pattern].overlap = 0;
    }
    return best;
}

static enum ouro_status keep(struct folding *f, uint32_t index)
{
    struct pattern *pattern = &f->patterns.items[index];
    struct ouro_cycle_row *row = OURO_VEC_ADD(&f->cycles->rows);
    if (!row)
        return OURO_NOMEM;
    pattern->row = (uint32_t)f->cycles->rows.count - 1;
    *row = (struct ouro_cycle_row){.layer = pattern->layer,
                                   .unreachable = pattern->unreachable,
                                   .example_knot = pattern->example_knot,
                                   .example = OURO_NODE_NONE};
    for (size_t i = 0; i < pattern->count; i++) {
        struct kind *kind = &f->kinds.items[f->pool.items[pattern->begin + i].kind];
        struct use *use = OURO_VEC_ADD(&f->uses);
        if (!use)
            return OURO_NOMEM;
        *use = (struct use){index, kind->first_pattern};
        kind->first_pattern = (uint32_t)f->uses.count - 1;
    }
    return OURO_OK;
}

static enum ouro_status make_rows(struct folding *f)
{
    size_t count = f->patterns.count;
    OURO_FREE uint32_t *order = malloc(count * sizeof *order + 1);
    if (!order)
        return OURO_NOMEM;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, by_references, f);
    for (size_t i = 0; i < count; i++) {
        uint32_t host = find_host(f, order[i]);
        if (host == UINT32_MAX)
            OURO_TRY(keep(f, order[i]));
        else
            f->patterns.items[order[i]].row = f->patterns.items[host].row;
    }
    return OURO_OK;
}

static int by_frequency(const void *a, const void *b)
{
    const struct ouro_cycle_reference *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    return (left->target > right->target) - (left->target < right->target);
}

/* Patterns by row, and of each row's patterns the references added up. */
static enum ouro_status add_references(struct folding *f)
{
    struct ouro_cycles *cycles = f->cycles;
    size_t row_count = cycles->rows.count, pattern_count = f->patterns.count;
    OURO_FREE size_t *begin = calloc(row_count + 2, sizeof *begin);
    OURO_FREE uint32_t *patterns = malloc(pattern_count * sizeof *patterns + 1);
    OURO_FREE size_t *place_of =
        calloc(f->kinds.count + 1, sizeof *place_of); /* in references, + 1; 0: not in this row */
    if (!begin || !patterns || !place_of)
        return OURO_NOMEM;
    for (size_t i = 0; i < pattern_count; i++)
        begin[f->patterns.items[i].row + 2]++;
    for (size_t i = 0; i < row_count; i++)
        begin[i + 2] += begin[i + 1];
    for (size_t i = 0; i < pattern_count; i++)
        patterns[begin[f->patterns.items[i].row + 1]++] = (uint32_t)i;
    for (size_t r = 0; r < row_count; r++) {
        struct ouro_cycle_row *row = &cycles->rows.items[r];
        row->reference_begin = cycles->references.count;
        for (size_t i = begin[r]; i < begin[r + 1]; i++) {
            const struct pattern *pattern = &f->patterns.items[patterns[i]];
            for (size_t j = pattern->begin; j < pattern->begin + pattern->count; j++) {
                const struct pooled *pooled = &f->pool.items[j];
                size_t *place = &place_of[pooled->kind];
                if (*place <= row->reference_begin) {
                    struct ouro_cycle_reference *fresh = OURO_VEC_ADD(&cycles->references);
                    if (!fresh)
                        return OURO_NOMEM;
                    fresh->source = f->kinds.items[pooled->kind].source;
                    fresh->target = f->kinds.items[pooled->kind].target;
                    *place = cycles->references.count;
                }
                cycles->references.items[*place - 1].count += pooled->count;
            }
        }
        row->reference_count = cycles->references.count - row->reference_begin;
        if (row->reference_count)
            qsort(cycles->references.items + row->reference_begin, row->reference_count,
                  sizeof *cycles->references.items, by_frequency);
    }
    return OURO_OK;
}

/* An object that a reader would look up: one with a name of its own. */
static ouro_node example_of(const struct ouro_cycles *cycles, const struct ouro_cycle_row *row)
{
    const struct ouro_cyclic_layer *lists = &cycles->cyclic.layers[row->layer];
    ouro_node first = OURO_NODE_NONE;
    for (uint32_t i = lists->begin[row->example_knot]; i < lists->begin[row->example_knot + 1]; i++) {
        const struct ouro_cyclic_member *member = &cycles->cyclic.members[lists->members[i]];
        if (member->layer != row->layer)
            continue;
        if (first == OURO_NODE_NONE)
            first = member->node;
        if (ouro_cycle_names_is_owner(&cycles->names, lists->members[i]))
            return member->node;
    }
    return first;
}

static enum ouro_status add_contents(struct folding *f)
{
    struct ouro_cycles *cycles = f->cycles;
    cycles->knots = malloc(f->knots.count * sizeof *cycles->knots + 1);
    if (!cycles->knots)
        return OURO_NOMEM;
    for (size_t i = 0; i < f->knots.count; i++)
        cycles->rows.items[f->patterns.items[f->knots.items[i].pattern].row].knot_count++;
    size_t sum = 0;
    for (size_t r = 0; r < cycles->rows.count; r++) {
        cycles->rows.items[r].knot_begin = sum;
        sum += cycles->rows.items[r].knot_count;
        cycles->rows.items[r].knot_count = 0;
    }
    for (size_t i = 0; i < f->knots.count; i++) {
        const struct knot *knot = &f->knots.items[i];
        struct ouro_cycle_row *row = &cycles->rows.items[f->patterns.items[knot->pattern].row];
        struct content content = content_of(f, knot->layer, knot->component);
        cycles->knots[row->knot_begin + row->knot_count++] = knot->component;
        row->object_count += content.object_count;
        row->shallow_bytes += content.bytes;
        row->approximate_count += content.approximate_count;
    }
    for (size_t r = 0; r < cycles->rows.count; r++)
        cycles->rows.items[r].example = example_of(cycles, &cycles->rows.items[r]);
    return OURO_OK;
}

static enum ouro_status add_retained(struct ouro_cycles *cycles, const struct ouro_retained *retained)
{
    ouro_node count = cycles->model->heap.count;
    size_t row_count = cycles->rows.count;
    OURO_FREE uint32_t *group_of = ouro_large_new((size_t)count + 1, sizeof *group_of);
    OURO_FREE uint64_t *bytes = malloc(row_count * sizeof *bytes + 1);
    if (!group_of || !bytes)
        return OURO_NOMEM;
    memset(group_of, 0xff, count * sizeof *group_of);
    for (size_t r = 0; r < row_count; r++) {
        const struct ouro_cycle_row *row = &cycles->rows.items[r];
        const struct ouro_cyclic_layer *lists = &cycles->cyclic.layers[row->layer];
        for (size_t k = row->knot_begin; k < row->knot_begin + row->knot_count; k++)
            for (uint32_t i = lists->begin[cycles->knots[k]]; i < lists->begin[cycles->knots[k] + 1]; i++) {
                const struct ouro_cyclic_member *member = &cycles->cyclic.members[lists->members[i]];
                if (member->layer == row->layer)
                    group_of[member->node] = (uint32_t)r;
            }
    }
    OURO_TRY(ouro_retained_by_group(retained, group_of, count, bytes, (uint32_t)row_count));
    for (size_t r = 0; r < row_count; r++)
        cycles->rows.items[r].retained_bytes = bytes[r];
    return OURO_OK;
}

static uint32_t find_cache_type(const struct ouro_heap_model *model)
{
    for (uint32_t i = 0; i < model->type_count; i++)
        if (!strcmp(ouro_heap_model_type_name(model, i, NULL), "_lru_cache_wrapper") &&
            !strcmp(ouro_heap_model_type_module(model, i, NULL), "functools"))
            return i;
    return OURO_TYPE_NONE;
}

static enum ouro_status fold(struct folding *f, const struct ouro_retained *retained)
{
    f->cache_type = find_cache_type(f->cycles->model);
    OURO_TRY(add_knots(f));
    OURO_TRY(make_rows(f));
    OURO_TRY(add_references(f));
    OURO_TRY(add_contents(f));
    return retained ? add_retained(f->cycles, retained) : OURO_OK;
}

enum ouro_status ouro_cycles_init(struct ouro_cycles *cycles, struct ouro_heap_model *model,
                                  const struct ouro_collector *collector, const struct ouro_retained *retained,
                                  unsigned flags, struct ouro_err *err)
{
    memset(cycles, 0, sizeof *cycles);
    cycles->model = model;
    OURO_TRY(ouro_heap_model_load(model, OURO_COLLECTOR_COLUMNS, err));
    OURO_TRY(ouro_cyclic_init(&cycles->cyclic, model, err));
    enum ouro_status status = ouro_cycle_names_init(&cycles->names, &cycles->cyclic, model, err);
    if (status == OURO_OK) {
        OURO_GUARD(folding_fini) struct folding folding = {.cycles = cycles, .collector = collector, .flags = flags};
        status = fold(&folding, retained);
        if (status != OURO_OK)
            ouro_err_set(err, status, "out of memory for the patterns of cycles");
    }
    if (status == OURO_OK)
        ouro_cycles_sort(cycles, retained ? OURO_CYCLES_BY_RETAINED : OURO_CYCLES_BY_SIZE);
    else
        ouro_cycles_fini(cycles);
    return status;
}

void ouro_cycles_fini(struct ouro_cycles *cycles)
{
    ouro_cyclic_fini(&cycles->cyclic);
    ouro_cycle_names_fini(&cycles->names);
    free(cycles->rows.items);
    free(cycles->references.items);
    free(cycles->knots);
    free(cycles->queue);
    free(cycles->parent);
    memset(cycles, 0, sizeof *cycles);
}

static uint64_t sort_key(const struct ouro_cycle_row *row, enum ouro_cycles_sort sort)
{
    switch (sort) {
    case OURO_CYCLES_BY_RETAINED:
        return row->retained_bytes;
    case OURO_CYCLES_BY_SIZE:
        return row->shallow_bytes;
    case OURO_CYCLES_BY_COUNT:
        return row->knot_count;
    case OURO_CYCLES_BY_OBJECTS:
        return row->object_count;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct ouro_cycle_row *left = a, *right = b;
    enum ouro_cycles_sort sort = *(enum ouro_cycles_sort *)context;
    uint64_t l = sort_key(left, sort), r = sort_key(right, sort);
    if (l != r)
        return l < r ? 1 : -1;
    if (left->shallow_bytes != right->shallow_bytes)
        return left->shallow_bytes < right->shallow_bytes ? 1 : -1;
    return (left->example > right->example) - (left->example < right->example);
}

void ouro_cycles_sort(struct ouro_cycles *cycles, enum ouro_cycles_sort sort)
{
    if (cycles->rows.count)
        qsort_r(cycles->rows.items, cycles->rows.count, sizeof *cycles->rows.items, compare_rows, &sort);
}
