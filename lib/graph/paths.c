#include "graph/paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"

/* Everything reached, in that order, is the queue; it is never longer than there are nodes. */
struct search {
    struct ouro_paths *paths;
    ouro_node *queue;
    ouro_node target;
};

/* Whether the search is over. */
static inline bool reach(struct search *search, ouro_node node, ouro_node parent, uint32_t distance)
{
    struct ouro_paths *paths = search->paths;
    if (paths->distance[node] != OURO_PATHS_FAR)
        return false;
    paths->distance[node] = distance;
    paths->parent[node] = parent;
    search->queue[paths->reached_count++] = node;
    return node == search->target;
}

static void run(struct search *search, const struct ouro_csr *csr, const ouro_node *sources, ouro_node source_count,
                uint32_t distance_limit)
{
    struct ouro_paths *paths = search->paths;
    for (ouro_node i = 0; i < source_count; i++)
        if (reach(search, sources[i], OURO_NODE_NONE, 0))
            return;
    for (ouro_node i = 0; i < paths->reached_count; i++) {
        ouro_node v = search->queue[i];
        uint32_t distance = paths->distance[v];
        if (distance >= distance_limit)
            return;
        for (uint64_t j = csr->begin[v]; j < csr->begin[v + 1]; j++)
            if (reach(search, csr->targets[j], v, distance + 1))
                return;
    }
}

enum ouro_status ouro_paths_init(struct ouro_paths *paths, const struct ouro_csr *csr, const ouro_node *sources,
                                 ouro_node source_count, uint32_t distance_limit, ouro_node target)
{
    memset(paths, 0, sizeof *paths);
    if (target >= csr->node_count && target != OURO_NODE_NONE)
        return OURO_INVAL;
    for (ouro_node i = 0; i < source_count; i++)
        if (sources[i] >= csr->node_count)
            return OURO_INVAL;
    OURO_FREE ouro_node *queue = ouro_large_new(csr->node_count, sizeof *queue);
    paths->distance = ouro_large_new(csr->node_count, sizeof *paths->distance);
    paths->parent = ouro_large_new(csr->node_count, sizeof *paths->parent);
    if (!queue || !paths->distance || !paths->parent) {
        ouro_paths_fini(paths);
        return OURO_NOMEM;
    }
    _Static_assert(OURO_PATHS_FAR == UINT32_MAX && OURO_NODE_NONE == UINT32_MAX, "both are all ones");
    memset(paths->distance, 0xff, csr->node_count * sizeof *paths->distance);
    memset(paths->parent, 0xff, csr->node_count * sizeof *paths->parent);
    paths->node_count = csr->node_count;
    struct search search = {.paths = paths, .queue = queue, .target = target};
    run(&search, csr, sources, source_count, distance_limit);
    return OURO_OK;
}

void ouro_paths_fini(struct ouro_paths *paths)
{
    free(paths->distance);
    free(paths->parent);
    memset(paths, 0, sizeof *paths);
}

void ouro_paths_read(const struct ouro_paths *paths, ouro_node node, ouro_node *path)
{
    for (uint32_t i = paths->distance[node] + 1; i > 0; i--) {
        path[i - 1] = node;
        node = paths->parent[node];
    }
}
