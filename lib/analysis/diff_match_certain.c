/* Which survivors are certain. */
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_match_process.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/large.h"

struct certainty {
    struct ouro_diff_match *match;
    const struct ouro_heap_model *before, *after;
    bool incremental;
};

static void make_certain(struct certainty *m, ouro_node a, ouro_node b)
{
    if (a == OURO_NODE_NONE || b == OURO_NODE_NONE || m->match->to_after[a] != b)
        return;
    ouro_diff_match_set(m->match, a, b, OURO_DIFF_SURVIVED_CERTAIN);
}

static void make_static_types_certain(struct certainty *m)
{
    for (uint32_t i = 0; i < m->after->type_count; i++) {
        ouro_node b = m->after->types[i].node;
        if (b < m->after->heap.count && !(m->after->types[i].flags & (OURO_TYPE_HEAP | OURO_TYPE_PSEUDO)))
            make_certain(m, m->match->to_before[b], b);
    }
}

/* What an interpreter's state holds from its beginning to its end. */
static void make_lifelong_certain(struct certainty *m)
{
    static const char *const names[] = {"sys.modules", "sys.__dict__", "builtins.__dict__", "interpreter: importlib"};
    for (ouro_node b = m->after->heap.count; b-- && m->after->heap.flags[b] & OURO_OBJECT_PSEUDO;) {
        ouro_node a = m->match->to_before[b];
        for (size_t i = 0; a != OURO_NODE_NONE && i < sizeof names / sizeof *names; i++) {
            ouro_node left = ouro_heap_model_field(m->before, a, names[i]),
                      right = ouro_heap_model_field(m->after, b, names[i]);
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

/* The youngest generation that nothing was moved to in between. gc.freeze() with gc.unfreeze() moves too; it sets the
 * counts back, which collections alone would have left at these values. */
static unsigned closed_generation(const struct certainty *m, uint64_t interpreter)
{
    const struct ouro_interpreter_record *a = interpreter_of(m->before, interpreter),
                                         *b = interpreter_of(m->after, interpreter);
    if (m->incremental || !a || !b || a->gc_collecting || b->gc_collecting || a->collections[1] != b->collections[1] ||
        a->collections[2] != b->collections[2] || a->frozen != b->frozen || a->count[2] != b->count[2] ||
        b->collections[0] < a->collections[0] ||
        (uint64_t)(b->count[1] - a->count[1]) != b->collections[0] - a->collections[0])
        return OURO_GENERATION_COUNT;
    return a->collections[0] == b->collections[0] && b->count[0] >= a->count[0] ? 1 : 2;
}

/* A list that nothing was moved to has only lost objects: what is in it now was in it before, at the same addresses and
 * in the same order. Anything else, and it is not believed. */
static void walk_list(struct certainty *m, const struct ouro_heap_gc_list *list, const uint32_t *place)
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

static enum ouro_status make_listed_certain(struct certainty *m)
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
static enum ouro_status make_items_certain(struct certainty *m)
{
    const struct ouro_heap *after = &m->after->heap;
    const uint8_t *verdict = m->match->after_verdict;
    OURO_FREE ouro_node *stack = NULL;
    size_t depth = 0, capacity = 0;
    for (ouro_node first = 0; first < after->count; first++) {
        if (verdict[first] != OURO_DIFF_SURVIVED_CERTAIN ||
            ouro_heap_model_type(m->after, first) != m->after->tuple_type)
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

enum ouro_status ouro_diff_match_certain(struct ouro_diff_match *match, bool incremental)
{
    struct certainty certainty = {match, match->before->model, match->after->model, incremental}, *m = &certainty;
    make_static_types_certain(m);
    make_lifelong_certain(m);
    OURO_TRY(make_listed_certain(m));
    return make_items_certain(m);
}
