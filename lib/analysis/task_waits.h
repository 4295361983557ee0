/* Part of tasks.c: what tasks wait for and who waits for whom, once they and their frames are known. */
#ifndef OURO_ANALYSIS_TASK_WAITS_H
#define OURO_ANALYSIS_TASK_WAITS_H

#include "analysis/tasks.h"
#include "graph/csr.h"

/* Fills in everything from `wait` on of all tasks, awaited, awaiters, deadlocks and members. OURO_NOMEM. */
enum ouro_status ouro_task_waits_find(struct ouro_tasks *tasks);
/* Deadlocks among tasks [0, task_count) and the points behind them. edges: who waits for what. any: by node, one of what it
 * waits for is enough; free: by node, it can go on by itself. */
struct ouro_task_graph {
    ouro_node node_count;
    const struct ouro_csr_edge *edges; /* borrowed */
    size_t edge_count;
    const uint8_t *any, *free; /* borrowed */
};
enum ouro_status ouro_task_deadlocks_find(struct ouro_tasks *tasks, const struct ouro_task_graph *graph);

#endif
