/* The same questions put to libraries that people know; for `make bench` only.
 *
 * Each builds its own kind of graph from the rows, times the algorithm alone, and gives a checksum of the answer. */
#ifndef OURO_BENCH_PEERS_H
#define OURO_BENCH_PEERS_H

#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rows as in lib/graph/csr.h. A peer that builds its own graph frees these first, as soon as it has it. */
struct bench_graph {
    uint32_t node_count, root;
    uint64_t edge_count;
    uint64_t *begin;
    uint32_t *targets;
    uint64_t *sizes; /* by node */
};

#define BENCH_REPEATS 5 /* of what takes less than a second: the fastest counts */

struct bench_answer {
    double seconds;
    uint64_t check; /* components: how many; dominators: bench_mix of each node and its dominator */
};

void bench_graph_free_rows(struct bench_graph *graph);

struct bench_answer bench_boost_components(struct bench_graph *graph);
struct bench_answer bench_boost_dominators(struct bench_graph *graph);
struct bench_answer bench_igraph_components(struct bench_graph *graph);
struct bench_answer bench_igraph_dominators(struct bench_graph *graph);

/* Processor time: all of these run in one thread, and what else the machine does is not their affair. */
static inline double bench_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline uint64_t bench_mix(uint32_t node, uint32_t dominator)
{
    uint64_t x = ((uint64_t)node << 32 | dominator) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ (x >> 29);
}

#ifdef __cplusplus
}
#endif

#endif
