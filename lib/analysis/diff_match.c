#include "analysis/diff_match.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_match_process.h"
#include "analysis/diff_match_similar.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/hash.h"
#include "base/large.h"

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
static bool each_pseudo(struct ouro_diff_match *match, struct ouro_map *map, bool after)
{
    const struct ouro_heap_model *model = after ? match->after->model : match->before->model;
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
                match->to_after[*there] = slot.target;
                match->to_before[slot.target] = (ouro_node)*there;
                *there = OURO_NODE_NONE;
            }
        } while (ouro_slot_walk_next(&walk, &slot));
    }
    return true;
}

static enum ouro_status match_pseudo(struct ouro_diff_match *match)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map map = {0};
    return each_pseudo(match, &map, false) && each_pseudo(match, &map, true) ? OURO_OK : OURO_NOMEM;
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
    match->to_after = ouro_large_new(before_count, sizeof *match->to_after);
    match->to_before = ouro_large_new(after_count, sizeof *match->to_before);
    enum ouro_status status = match->to_after && match->to_before ? OURO_OK : OURO_NOMEM;
    if (status == OURO_OK) {
        memset(match->to_after, 0xff, before_count * sizeof *match->to_after);
        memset(match->to_before, 0xff, after_count * sizeof *match->to_before);
        status = match_pseudo(match);
    }
    if (status == OURO_OK)
        status = match->same_process ? ouro_diff_match_process(match) : ouro_diff_match_similar(match);
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
