/* What a row of cycles looks like, written with the names of the source. */
#include <stdlib.h>
#include <string.h>

#include "analysis/cycles.h"
#include "base/guard.h"
#include "base/large.h"

#define HOPS_MAX  12u /* of a text */
#define TRIES_MAX 64u /* searches of the example for an instance of a reference */
#define WORK_MAX  UINT64_C(10000000) /* slots and members looked at for one row; only its first text may take more */

/* A search within one knot. */
struct search {
    struct ouro_cycles *cycles;
    enum ouro_layer layer;
    uint64_t work;
};

/* A slot of `from` that leads to the member `to`; false when there is none. */
static bool find_slot(const struct search *s, uint32_t from, uint32_t to, struct ouro_slot *slot)
{
    const struct ouro_cyclic *cyclic = &s->cycles->cyclic;
    struct ouro_slot_walk walk;
    ouro_slot_walk_begin(&walk, cyclic->model, cyclic->members[from].node);
    while (ouro_slot_walk_next(&walk, slot))
        if (slot->edge_class != OURO_EDGE_WEAK && ouro_cyclic_target(cyclic, s->layer, from, slot->target) == to)
            return true;
    return false;
}

static uint64_t slots_of(const struct search *s, uint32_t member)
{
    const struct ouro_heap *heap = &s->cycles->model->heap;
    ouro_node node = s->cycles->cyclic.members[member].node;
    return heap->slot_begin[node + 1] - heap->slot_begin[node];
}

/* Breadth first, slots in their order; fills parent backwards from `to`. Those reached are queue[0 .. result). */
static size_t search_way(struct search *s, uint32_t from, uint32_t to)
{
    const struct ouro_cyclic *cyclic = &s->cycles->cyclic;
    uint32_t *queue = s->cycles->queue, *parent = s->cycles->parent;
    size_t end = 0;
    queue[end++] = from;
    parent[from] = from;
    for (size_t at = 0; at < end && parent[to] == UINT32_MAX; at++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        ouro_slot_walk_begin(&walk, cyclic->model, cyclic->members[queue[at]].node);
        while (ouro_slot_walk_next(&walk, &slot)) {
            uint32_t next = slot.edge_class == OURO_EDGE_WEAK
                                ? UINT32_MAX
                                : ouro_cyclic_target(cyclic, s->layer, queue[at], slot.target);
            if (next == UINT32_MAX || parent[next] != UINT32_MAX)
                continue;
            parent[next] = queue[at];
            queue[end++] = next;
        }
        s->work += 1 + slots_of(s, queue[at]);
    }
    return end;
}

static enum ouro_status add_hop(struct ouro_cycle_texts *texts, uint32_t name)
{
    uint32_t *hop = OURO_VEC_ADD(&texts->hops);
    if (!hop)
        return OURO_NOMEM;
    *hop = name;
    return OURO_OK;
}

/* Hops of the way that parent tells from `from` to `to`, without those into what the hop before names. *own: whether an
 * object of the layer is on it. */
static enum ouro_status add_way(const struct search *s, uint32_t from, uint32_t to, struct ouro_cycle_texts *texts,
                                size_t *length, bool *own)
{
    const uint32_t *parent = s->cycles->parent;
    size_t count = 1;
    for (uint32_t m = to; m != from; m = parent[m])
        count++;
    OURO_FREE uint32_t *way = malloc(count * sizeof *way);
    if (!way)
        return OURO_NOMEM;
    uint32_t m = to;
    for (size_t i = count; i-- > 0; m = parent[m])
        way[i] = m;
    *length = count;
    for (size_t i = 0; i < count; i++)
        *own |= s->cycles->cyclic.members[way[i]].layer == s->layer;
    for (size_t i = 0; i + 1 < count; i++) {
        struct ouro_slot slot;
        if (!find_slot(s, way[i], way[i + 1], &slot))
            continue;
        uint32_t source = ouro_cycle_names_reached(&s->cycles->names, way[i], &slot);
        if (source == OURO_NAME_NONE)
            return OURO_NOMEM;
        if (source != s->cycles->names.name_of[way[i + 1]])
            OURO_TRY(add_hop(texts, source));
    }
    return OURO_OK;
}

/* An instance of the reference in the row's example; false when it has none. */
static bool find_instance(struct search *s, const struct ouro_cycle_row *row,
                          const struct ouro_cycle_reference *reference, uint32_t *from, uint32_t *to)
{
    struct ouro_cycles *cycles = s->cycles;
    const struct ouro_cyclic_layer *lists = &cycles->cyclic.layers[row->layer];
    for (uint32_t i = lists->begin[row->example_knot]; i < lists->begin[row->example_knot + 1]; i++) {
        struct ouro_slot_walk walk;
        struct ouro_slot slot;
        *from = lists->members[i];
        s->work++;
        if (ouro_cycle_names_owner(&cycles->names, cycles->names.name_of[*from]) !=
            ouro_cycle_names_owner(&cycles->names, reference->source))
            continue;
        s->work += slots_of(s, *from);
        ouro_slot_walk_begin(&walk, cycles->model, cycles->cyclic.members[*from].node);
        while (ouro_slot_walk_next(&walk, &slot)) {
            *to = slot.edge_class == OURO_EDGE_WEAK
                      ? UINT32_MAX
                      : ouro_cyclic_target(&cycles->cyclic, row->layer, *from, slot.target);
            if (*to != UINT32_MAX && cycles->names.name_of[*to] == reference->target &&
                ouro_cycle_names_reached(&cycles->names, *from, &slot) == reference->source)
                return true;
        }
    }
    return false;
}

/* How many objects of the row each name of its own stands for, how many references each reached one. */
static enum ouro_status count_names(const struct search *s, const struct ouro_cycle_row *row, struct ouro_map *counts)
{
    uint64_t ignored = 0;
    for (size_t i = row->reference_begin; i < row->reference_begin + row->reference_count; i++) {
        const struct ouro_cycle_reference *reference = &s->cycles->references.items[i];
        if (s->cycles->names.names.items[reference->source].holder == OURO_NAME_NONE)
            continue;
        uint64_t *count = ouro_map_put(counts, reference->source, NULL);
        if (!count)
            return OURO_NOMEM;
        *count += reference->count;
    }
    const struct ouro_cyclic_layer *lists = &s->cycles->cyclic.layers[row->layer];
    for (uint64_t k = row->knot_begin; k < row->knot_begin + row->knot_count; k++)
        for (uint32_t i = lists->begin[s->cycles->knots[k]]; i < lists->begin[s->cycles->knots[k] + 1]; i++) {
            uint64_t *count = ouro_cycle_names_is_owner(&s->cycles->names, lists->members[i])
                                  ? ouro_map_put(counts, s->cycles->names.name_of[lists->members[i]], NULL)
                                  : &ignored;
            if (!count)
                return OURO_NOMEM;
            ++*count;
        }
    return OURO_OK;
}

static uint64_t count_in(const struct ouro_map *counts, uint32_t name)
{
    const uint64_t *found = ouro_map_find(counts, name);
    return found ? *found : 0;
}

/* Where a reader would begin: with the owner of which there are fewest, the department before its employees; then with
 * the rarer reference, the child before the parent. */
static size_t first_hop(const struct search *s, const struct ouro_map *counts, const uint32_t *hops, size_t count)
{
    size_t best = 0;
    uint64_t best_owners = UINT64_MAX, best_references = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t owners = count_in(counts, ouro_cycle_names_owner(&s->cycles->names, hops[i]));
        uint64_t references = count_in(counts, hops[i]);
        if (owners > best_owners || (owners == best_owners && references > best_references))
            continue;
        if (owners < best_owners || references < best_references ||
            ouro_cycle_names_compare(&s->cycles->names, hops[i], hops[best]) < 0) {
            best = i;
            best_owners = owners;
            best_references = references;
        }
    }
    return best;
}

/* A ring of a thousand nodes is one "Node.next". */
static size_t period_of(const uint32_t *hops, size_t count)
{
    for (size_t period = 1; period <= count / 2; period++) {
        size_t i = period;
        if (count % period)
            continue;
        while (i < count && hops[i] == hops[i - period])
            i++;
        if (i == count)
            return period;
    }
    return count;
}

static enum ouro_status rotate(const struct search *s, const struct ouro_map *counts, struct ouro_cycle_texts *texts,
                               size_t begin)
{
    uint32_t *hops = texts->hops.items + begin;
    size_t count = texts->hops.count - begin, period = period_of(hops, count);
    size_t first = first_hop(s, counts, hops, period);
    OURO_FREE uint32_t *copy = malloc(period * sizeof *copy + 1);
    if (!copy)
        return OURO_NOMEM;
    for (size_t i = 0; i < period; i++)
        copy[i] = hops[(first + i) % period];
    memcpy(hops, copy, period * sizeof *hops);
    texts->hops.count = begin + period;
    return OURO_OK;
}

/* The shortest cycle through an instance of the reference. */
static enum ouro_status add_cycle(struct search *s, const struct ouro_map *counts, uint32_t source, uint32_t from,
                                  uint32_t to, struct ouro_cycle_texts *texts)
{
    size_t begin = texts->hops.count, length = 1;
    bool own = false;
    size_t reached = search_way(s, to, from);
    enum ouro_status status = add_hop(texts, source);
    if (status == OURO_OK)
        status = add_way(s, to, from, texts, &length, &own);
    for (size_t i = 0; i < reached; i++)
        s->cycles->parent[s->cycles->queue[i]] = UINT32_MAX;
    OURO_TRY(status);
    OURO_TRY(rotate(s, counts, texts, begin));
    struct ouro_cycle_text *text = OURO_VEC_ADD(&texts->cycles);
    if (!text)
        return OURO_NOMEM;
    *text = (struct ouro_cycle_text){begin, texts->hops.count - begin, !own, length};
    for (size_t i = begin; s->layer != OURO_LAYER_PLAIN && i < texts->hops.count; i++)
        text->aside |= ouro_cycle_names_is_structure(&s->cycles->names, texts->hops.items[i]);
    return OURO_OK;
}

static bool says_less(const struct ouro_cycle_text *a, const struct ouro_cycle_text *b)
{
    return a->aside != b->aside ? a->aside : a->count > b->count;
}

/* The shortest first: it says most. Few, so that insertion will do; those alike keep their order. */
static void sort_texts(struct ouro_cycle_texts *texts)
{
    for (size_t i = 1; i < texts->cycles.count; i++) {
        struct ouro_cycle_text text = texts->cycles.items[i];
        size_t j = i;
        for (; j && says_less(&texts->cycles.items[j - 1], &text); j--)
            texts->cycles.items[j] = texts->cycles.items[j - 1];
        texts->cycles.items[j] = text;
    }
}

static enum ouro_status describe(struct search *s, const struct ouro_cycle_row *row, size_t most,
                                 struct ouro_cycle_texts *texts)
{
    const struct ouro_cycle_reference *references =
        row->reference_count ? s->cycles->references.items + row->reference_begin : NULL;
    OURO_GUARD(ouro_map_fini) struct ouro_map counts = {0};
    OURO_GUARD(ouro_map_fini) struct ouro_map covered = {0}; /* sources that a text names */
    unsigned tries = 0;
    OURO_TRY(count_names(s, row, &counts));
    for (size_t i = 0; i < row->reference_count; i++) {
        uint32_t from, to;
        if (ouro_map_find(&covered, references[i].source))
            continue;
        if (texts->cycles.count >= most || tries++ >= TRIES_MAX || (texts->cycles.count && s->work > WORK_MAX) ||
            !find_instance(s, row, &references[i], &from, &to)) {
            texts->uncovered++;
            continue;
        }
        size_t begin = texts->hops.count;
        OURO_TRY(add_cycle(s, &counts, references[i].source, from, to, texts));
        for (size_t h = begin; h < texts->hops.count; h++)
            if (!ouro_map_put(&covered, texts->hops.items[h], NULL))
                return OURO_NOMEM;
    }
    sort_texts(texts);
    return OURO_OK;
}

enum ouro_status ouro_cycles_prepare_search(struct ouro_cycles *cycles)
{
    size_t count = (size_t)cycles->cyclic.member_count + 1;
    if (cycles->parent)
        return OURO_OK;
    free(cycles->queue);
    cycles->queue = ouro_large_new_zeroed(count, sizeof *cycles->queue);
    cycles->parent = ouro_large_new(count, sizeof *cycles->parent);
    if (!cycles->queue || !cycles->parent) {
        free(cycles->parent);
        cycles->parent = NULL;
        return OURO_NOMEM;
    }
    memset(cycles->parent, 0xff, count * sizeof *cycles->parent);
    return OURO_OK;
}

enum ouro_status ouro_cycles_describe(struct ouro_cycles *cycles, const struct ouro_cycle_row *row, size_t most,
                                      struct ouro_cycle_texts *texts)
{
    struct search search = {.cycles = cycles, .layer = row->layer};
    memset(texts, 0, sizeof *texts);
    OURO_TRY(ouro_cycles_prepare_search(cycles));
    enum ouro_status status = describe(&search, row, most, texts);
    if (status != OURO_OK)
        ouro_cycle_texts_fini(texts);
    return status;
}

void ouro_cycle_texts_fini(struct ouro_cycle_texts *texts)
{
    free(texts->hops.items);
    free(texts->cycles.items);
    memset(texts, 0, sizeof *texts);
}

void ouro_cycles_add_text(const struct ouro_cycles *cycles, const struct ouro_cycle_texts *texts, size_t which,
                          struct ouro_buf *out)
{
    const struct ouro_cycle_text *text = &texts->cycles.items[which];
    for (size_t i = 0; i < text->count && i < HOPS_MAX; i++) {
        if (i)
            ouro_buf_add_text(out, " -> ");
        ouro_cycle_names_add(&cycles->names, texts->hops.items[text->begin + i], out);
    }
    if (text->count > HOPS_MAX)
        ouro_buf_addf(out, " -> ... (%zu more)", text->count - HOPS_MAX);
}
