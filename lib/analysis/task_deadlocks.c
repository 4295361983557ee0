/* Circles of waiting. First what can go on by itself, or waits for something that can, is taken away: the least fixed point of
 * "all that it waits for can go on" (or one of it, where one is enough). In what is left everything waits for something that
 * is left: its strongly connected components of more than one node (or with an edge to itself) are deadlocks, the rest waits
 * behind these. O(nodes + edges), 40 bytes a node while it runs. */
#include <stdlib.h>
#include <string.h>

#include "analysis/task_waits.h"
#include "base/guard.h"
#include "graph/components.h"

struct circles {
    struct ouro_tasks *tasks;
    const struct ouro_task_graph *graph;
    uint8_t *stuck;              /* owned; by node */
    struct ouro_csr csr;         /* of what is stuck */
    struct ouro_components components;
    uint32_t *deadlocks;         /* owned; by component: its deadlock plus one; 0 none */
    ouro_node *queue, *parent;   /* owned; by node */
    ouro_node *first_task;       /* owned; by component */
    bool *circular;              /* owned; by component */
};

static enum ouro_status find_stuck(struct circles *c)
{
    const struct ouro_task_graph *graph = c->graph;
    OURO_GUARD(ouro_csr_fini) struct ouro_csr back = {0};
    OURO_FREE uint64_t *left = calloc((size_t)graph->node_count + 1, sizeof *left);
    struct ouro_csr forward = {0};
    if (!left)
        return OURO_NOMEM;
    OURO_TRY(ouro_csr_build(&forward, graph->node_count, graph->edges, graph->edge_count));
    enum ouro_status status = ouro_csr_reverse(&back, &forward);
    ouro_csr_fini(&forward);
    OURO_TRY(status);
    for (size_t i = 0; i < graph->edge_count; i++)
        left[graph->edges[i].from]++;
    size_t count = 0;
    for (ouro_node v = 0; v < graph->node_count; v++) {
        c->stuck[v] = !graph->free[v];
        if (graph->free[v])
            c->queue[count++] = v;
    }
    while (count) {
        ouro_node v = c->queue[--count];
        for (uint64_t e = back.begin[v]; e < back.begin[v + 1]; e++) {
            ouro_node waiting = back.targets[e];
            if (!c->stuck[waiting] || (--left[waiting] && !graph->any[waiting]))
                continue;
            c->stuck[waiting] = 0;
            c->queue[count++] = waiting;
        }
    }
    return OURO_OK;
}

static enum ouro_status find_components(struct circles *c)
{
    const struct ouro_task_graph *graph = c->graph;
    size_t count = 0;
    OURO_FREE struct ouro_csr_edge *edges = malloc((graph->edge_count + 1) * sizeof *edges);
    if (!edges)
        return OURO_NOMEM;
    for (size_t i = 0; i < graph->edge_count; i++)
        if (c->stuck[graph->edges[i].from] && c->stuck[graph->edges[i].to])
            edges[count++] = graph->edges[i];
    OURO_TRY(ouro_csr_build(&c->csr, graph->node_count, edges, count));
    return ouro_components_init(&c->components, &c->csr);
}

/* The shortest way from the deadlock's first task back to it, into members. */
static enum ouro_status find_circle(struct circles *c, ouro_node first, struct ouro_task_deadlock *deadlock)
{
    ouro_node count = 0, last = OURO_NODE_NONE;
    c->queue[count++] = first;
    c->parent[first] = first;
    for (ouro_node at = 0; at < count && last == OURO_NODE_NONE; at++) {
        ouro_node v = c->queue[at];
        for (uint64_t e = c->csr.begin[v]; e < c->csr.begin[v + 1]; e++) {
            ouro_node next = c->csr.targets[e];
            if (next == first) {
                last = v;
                break;
            }
            if (c->components.component[next] != c->components.component[first] || c->parent[next] != OURO_NODE_NONE)
                continue;
            c->parent[next] = v;
            c->queue[count++] = next;
        }
    }
    deadlock->first = c->tasks->members.count;
    for (ouro_node v = last; v != OURO_NODE_NONE; v = v == first ? OURO_NODE_NONE : c->parent[v]) {
        uint32_t *member = v < c->tasks->tasks.count ? OURO_VEC_ADD(&c->tasks->members) : NULL;
        if (v < c->tasks->tasks.count && !member)
            return OURO_NOMEM;
        if (member)
            *member = v;
        deadlock->count += member != NULL;
    }
    /* From the first on, in the order of waiting. */
    uint32_t *members = c->tasks->members.items + deadlock->first;
    for (size_t i = 0; i < deadlock->count / 2; i++) {
        uint32_t swap = members[i];
        members[i] = members[deadlock->count - 1 - i];
        members[deadlock->count - 1 - i] = swap;
    }
    return OURO_OK;
}

static void mark_circular(struct circles *c)
{
    for (ouro_node v = 0; v < c->csr.node_count; v++) {
        uint32_t component = c->components.component[v];
        for (uint64_t e = c->csr.begin[v]; e < c->csr.begin[v + 1]; e++)
            c->circular[component] |= c->components.component[c->csr.targets[e]] == component;
    }
    for (size_t i = c->tasks->tasks.count; i--;)
        c->first_task[c->components.component[i]] = (ouro_node)i;
}

static enum ouro_status add_deadlocks(struct circles *c)
{
    for (size_t i = 0; i < c->tasks->tasks.count; i++) {
        uint32_t component = c->components.component[i];
        if (!c->stuck[i] || !c->circular[component])
            continue;
        if (c->first_task[component] == i) {
            struct ouro_task_deadlock *deadlock = OURO_VEC_ADD(&c->tasks->deadlocks);
            if (!deadlock)
                return OURO_NOMEM;
            c->deadlocks[component] = (uint32_t)c->tasks->deadlocks.count;
            OURO_TRY(find_circle(c, (ouro_node)i, deadlock));
        }
        c->tasks->tasks.items[i].deadlock = c->deadlocks[component] - 1;
        c->tasks->deadlocks.items[c->deadlocks[component] - 1].stuck_count++;
    }
    return OURO_OK;
}

/* Components are numbered against the direction of waiting: what one waits for comes before it. by_component: its nodes. */
static enum ouro_status mark_behind(struct circles *c)
{
    ouro_node count = c->components.component_count;
    OURO_FREE ouro_node *begin = calloc((size_t)count + 1, sizeof *begin);
    if (!begin)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < c->csr.node_count; v++)
        begin[c->components.component[v]]++;
    for (ouro_node i = 0, sum = 0; i <= count; i++) {
        ouro_node here = i < count ? begin[i] : 0;
        begin[i] = sum;
        sum += here;
    }
    for (ouro_node v = 0; v < c->csr.node_count; v++)
        c->queue[begin[c->components.component[v]]++] = v;
    for (ouro_node at = 0; at < c->csr.node_count; at++) {
        ouro_node v = c->queue[at];
        uint32_t *mine = &c->deadlocks[c->components.component[v]];
        for (uint64_t e = c->csr.begin[v]; !*mine && e < c->csr.begin[v + 1]; e++)
            *mine = c->deadlocks[c->components.component[c->csr.targets[e]]];
        struct ouro_task *task = v < c->tasks->tasks.count && *mine ? &c->tasks->tasks.items[v] : NULL;
        if (task && task->deadlock == OURO_TASK_NONE) {
            task->deadlock = *mine - 1;
            task->behind = true;
            c->tasks->deadlocks.items[task->deadlock].behind_count++;
        }
    }
    return OURO_OK;
}

static enum ouro_status find(struct circles *c)
{
    size_t count = (size_t)c->graph->node_count + 1;
    c->stuck = calloc(count, sizeof *c->stuck);
    c->queue = calloc(count, sizeof *c->queue);
    c->parent = malloc(count * sizeof *c->parent);
    c->deadlocks = calloc(count, sizeof *c->deadlocks);
    c->first_task = calloc(count, sizeof *c->first_task);
    c->circular = calloc(count, sizeof *c->circular);
    if (!c->stuck || !c->queue || !c->parent || !c->deadlocks || !c->first_task || !c->circular)
        return OURO_NOMEM;
    memset(c->parent, 0xff, count * sizeof *c->parent);
    OURO_TRY(find_stuck(c));
    OURO_TRY(find_components(c));
    mark_circular(c);
    OURO_TRY(add_deadlocks(c));
    return c->tasks->deadlocks.count ? mark_behind(c) : OURO_OK;
}

enum ouro_status ouro_task_deadlocks_find(struct ouro_tasks *tasks, const struct ouro_task_graph *graph)
{
    struct circles c = {.tasks = tasks, .graph = graph};
    enum ouro_status status = find(&c);
    free(c.stuck);
    free(c.queue);
    free(c.parent);
    free(c.deadlocks);
    free(c.first_task);
    free(c.circular);
    ouro_csr_fini(&c.csr);
    ouro_components_fini(&c.components);
    return status;
}
