#include "analysis/path_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

#define BEGIN_STEPS_MAX 8 /* a root, a dict, a module, its dict; a root, a frame, a frame object */

static enum ouro_path_root root_of(const struct ouro_path_search *search, ouro_node first, const struct ouro_slot *steps,
                                   size_t count)
{
    const struct ouro_heap_model *model = search->model;
    size_t threads;
    if (!ouro_path_is_root(model, first)) {
        /* Beginnings stand in the queue in the order of their kinds. */
        for (ouro_node i = search->native_count; i < search->found_count; i++)
            if (search->queue[i] == first)
                return OURO_PATH_GARBAGE;
        return OURO_PATH_NATIVE;
    }
    const struct ouro_thread_record *records = ouro_snapshot_threads(model->snapshot, &threads);
    for (size_t i = 0; i < threads; i++)
        if (records[i].root == first)
            return OURO_PATH_FRAME;
    if (count && steps[0].part->kind == OURO_PART_NAMED && ouro_path_is_pseudo(model, steps[0].target))
        return OURO_PATH_FRAME;
    return ouro_path_owned_field(model, first, "sys.modules") != OURO_NODE_NONE ? OURO_PATH_MODULE : OURO_PATH_INTERNAL;
}

/* The reference from one object to the next: the first with the plainest notation. `rest`: the steps behind it. */
static bool choose(const struct ouro_path_search *search, ouro_node from, struct ouro_slot *steps, size_t count,
                   struct ouro_notation_step *scratch)
{
    const struct ouro_heap_model *model = search->model;
    ouro_node to = steps->target;
    struct ouro_slot_walk walk;
    struct ouro_slot slot, best = {.target = OURO_NODE_NONE};
    unsigned best_rank = UINT32_MAX;
    ouro_slot_walk_begin(&walk, model, from);
    while (best_rank && ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target != to || slot.edge_class == OURO_EDGE_WEAK || ouro_path_is_closed(search, &slot))
            continue;
        *steps = slot;
        unsigned rank = 3;
        if (!ouro_path_is_pseudo(model, from)) {
            ouro_notation_next(&search->notation, steps, count, false, scratch);
            rank = !scratch->exact ? 3 : scratch->before.size ? 2 : 0;
        }
        if (rank < best_rank) {
            best = slot;
            best_rank = rank;
        }
    }
    *steps = best;
    return best.target != OURO_NODE_NONE;
}

enum ouro_status ouro_path_init(struct ouro_path *path, const struct ouro_path_search *search, ouro_node node,
                                struct ouro_err *err)
{
    *path = (struct ouro_path){.first = node, .last = node};
    if (node >= search->model->heap.count || !ouro_path_search_found(search, node))
        return OURO_OK;
    for (ouro_node v = node; search->parent[v] != v; v = search->parent[v])
        path->count++;
    path->steps = calloc(path->count + 1, sizeof *path->steps);
    if (!path->steps)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for a path of %zu references", path->count);
    OURO_GUARD(ouro_notation_step_fini) struct ouro_notation_step scratch = {.taken = 0};
    for (size_t i = path->count; i--;) {
        path->steps[i].target = path->first;
        path->first = search->parent[path->first];
        if (!choose(search, path->first, &path->steps[i], path->count - i, &scratch)) {
            ouro_path_fini(path);
            return ouro_err_set(err, OURO_INVAL, "a path without its references: the search was changed in between");
        }
    }
    if (scratch.before.failed || scratch.after.failed) { /* then it chose without knowing */
        size_t count = path->count;
        ouro_path_fini(path);
        return ouro_err_set(err, OURO_NOMEM, "out of memory for a path of %zu references", count);
    }
    path->root = root_of(search, path->first, path->steps, path->count);
    return OURO_OK;
}

void ouro_path_fini(struct ouro_path *path)
{
    free(path->steps);
    memset(path, 0, sizeof *path);
}

size_t ouro_path_begin_count(const struct ouro_path *path, const struct ouro_heap_model *model)
{
    size_t count = 1;
    if (path->root == OURO_PATH_FRAME)
        while (count <= path->count && count < BEGIN_STEPS_MAX &&
               (count == 1 ? ouro_path_is_pseudo(model, path->steps[0].target)
                           : ouro_path_is_pseudo(model, path->steps[count - 1].node) &&
                                 ouro_path_is_named(model, path->steps[count - 1].part, "frame")))
            count++;
    else if (path->root == OURO_PATH_MODULE)
        while (count <= path->count && count < 4 &&
               (count != 2 || path->steps[1].place == 0) &&
               (count != 3 || ouro_path_is_named(model, path->steps[2].part, "__dict__")))
            count++;
    return count;
}

enum ouro_status ouro_path_close(struct ouro_path_search *search, const struct ouro_path *path, struct ouro_err *err)
{
    size_t begins = ouro_path_begin_count(path, search->model);
    if (!search->closed)
        search->closed = calloc((size_t)search->model->heap.count + 1, 1);
    if (!search->closed)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for several paths");
    for (size_t i = 0; i + 1 < path->count; i++)
        if (i + 1 >= begins)
            search->closed[path->steps[i].target] = 1;
    if (begins > path->count)
        search->closed_begin = path->last;
    if (begins >= path->count && path->count) {
        struct ouro_path_edge *edge = OURO_VEC_ADD(search);
        if (!edge)
            return ouro_err_set(err, OURO_NOMEM, "out of memory for several paths");
        *edge = (struct ouro_path_edge){path->steps[path->count - 1].node, path->steps[path->count - 1].index};
    }
    return OURO_OK;
}

void ouro_path_open_all(struct ouro_path_search *search)
{
    free(search->closed);
    search->closed = NULL;
    search->count = 0;
    search->closed_begin = OURO_NODE_NONE;
}
