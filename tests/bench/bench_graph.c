/* Components, dominators with retained sizes and the simulated collection of a snapshot, ours and the peers'.
 *
 *     bench_graph SNAPSHOT [ROUNDS]
 * Prints one JSON object. Each measurement is a process of its own, which reads the same graph from a file: so its peak
 * memory is its own. They take turns; the first round is not counted: it pays for memory that was never touched.
 *
 *     bench_graph --all SNAPSHOT
 * One process that does everything, as `ouro types --retained` and components: seconds by step, peak memory. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/retained.h"
#include "base/large.h"
#include "graph/components.h"
#include "graph/dominators.h"
#include "peers.h"

#define ROUNDS_MAX 20

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status) {
        fprintf(stderr, "bench_graph: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

static uint64_t peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

/* --- The graph as a file: node_count, root, edge_count, begin, targets, sizes. */

static void transfer(int fd, void *data, size_t size, bool out)
{
    for (char *at = data; size;) {
        size_t part = size < 1u << 30 ? size : 1u << 30;
        ssize_t done = out ? write(fd, at, part) : read(fd, at, part);
        if (done <= 0)
            fail("bench_graph: graph file");
        at += done;
        size -= (size_t)done;
    }
}

static void transfer_graph(int fd, struct bench_graph *graph, bool out)
{
    transfer(fd, graph->begin, ((size_t)graph->node_count + 1) * sizeof *graph->begin, out);
    transfer(fd, graph->targets, graph->edge_count * sizeof *graph->targets, out);
    transfer(fd, graph->sizes, graph->node_count * sizeof *graph->sizes, out);
}

static void read_graph(int fd, struct bench_graph *graph)
{
    uint64_t head[3];
    if (lseek(fd, 0, SEEK_SET))
        fail("lseek");
    transfer(fd, head, sizeof head, false);
    *graph = (struct bench_graph){.node_count = (uint32_t)head[0], .root = (uint32_t)head[1], .edge_count = head[2]};
    graph->begin = ouro_large_new((size_t)graph->node_count + 1, sizeof *graph->begin);
    graph->targets = ouro_large_new(graph->edge_count, sizeof *graph->targets);
    graph->sizes = ouro_large_new(graph->node_count, sizeof *graph->sizes);
    if (!graph->begin || !graph->targets || !graph->sizes)
        fail("bench_graph: graph");
    transfer_graph(fd, graph, false);
}

void bench_graph_free_rows(struct bench_graph *graph)
{
    free(graph->begin);
    free(graph->targets);
    graph->begin = NULL;
    graph->targets = NULL;
}

/* --- Ours, on the same terms. */

static struct ouro_csr rows(const struct bench_graph *graph)
{
    return (struct ouro_csr){graph->node_count, graph->edge_count, graph->begin, graph->targets};
}

static struct bench_answer our_components(struct bench_graph *graph)
{
    struct ouro_csr csr = rows(graph);
    struct bench_answer answer = {1e9, 0};
    for (int i = 0; i < BENCH_REPEATS; i++) {
        struct ouro_components components;
        double started = bench_now();
        must(ouro_components_init(&components, &csr), &(struct ouro_err){.msg = "components"});
        double seconds = bench_now() - started;
        if (seconds < answer.seconds)
            answer.seconds = seconds;
        answer.check = components.component_count;
        ouro_components_fini(&components);
    }
    return answer;
}

static struct bench_answer our_dominators(struct bench_graph *graph)
{
    struct ouro_csr csr = rows(graph);
    struct ouro_dominators dominators;
    double started = bench_now();
    must(ouro_dominators_init_taking(&dominators, &csr, graph->root), &(struct ouro_err){.msg = "dominators"});
    ouro_dominators_retained(&dominators, graph->sizes, graph->sizes);
    struct bench_answer answer = {bench_now() - started, 0};
    for (uint32_t v = 0; v < graph->node_count; v++)
        if (dominators.idom[v] != OURO_NODE_NONE)
            answer.check += bench_mix(v, dominators.idom[v]);
    return answer;
}

static const struct measurement {
    const char *name;
    struct bench_answer (*run)(struct bench_graph *graph);
} measurements[] = {
    {"components",        our_components         },
    {"dominators",        our_dominators         },
#ifdef HAVE_BOOST
    {"boost_components",  bench_boost_components },
    {"boost_dominators",  bench_boost_dominators },
#endif
#ifdef HAVE_IGRAPH
    {"igraph_components", bench_igraph_components},
    {"igraph_dominators", bench_igraph_dominators},
#endif
};

#define MEASUREMENT_COUNT (sizeof measurements / sizeof *measurements)

struct result {
    struct bench_answer answer;
    uint64_t peak_bytes;
};

/* In a process of its own, by exec: what this one holds doesn't count. */
static struct result measure(size_t which, int graph_fd)
{
    char name[16], fd_text[16];
    struct result result;
    int fds[2];
    snprintf(name, sizeof name, "%zu", which);
    snprintf(fd_text, sizeof fd_text, "%d", graph_fd);
    if (pipe(fds))
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (!child) {
        dup2(fds[1], STDOUT_FILENO);
        execl("/proc/self/exe", "bench_graph", "--measure", name, fd_text, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    transfer(fds[0], &result, sizeof result, false);
    close(fds[0]);
    int status;
    waitpid(child, &status, 0);
    return result;
}

static int run_measurement(size_t which, int graph_fd)
{
    struct bench_graph graph;
    read_graph(graph_fd, &graph);
    struct result result = {.answer = measurements[which].run(&graph)};
    result.peak_bytes = peak_bytes();
    transfer(STDOUT_FILENO, &result, sizeof result, true);
    return 0;
}

/* Everything in this one process; what a step doesn't need of the heap is dropped, as the commands do it. */
static int run_all(const char *path)
{
    struct ouro_err err = {0};
    struct ouro_heap_model model;
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_csr csr;
    struct ouro_components components;
    struct ouro_retained retained;
    double at[6] = {bench_now()};
    must(ouro_heap_model_open(&model, path, 0, &err), &err);
    must(ouro_heap_model_load(&model, OURO_COLLECTOR_COLUMNS | OURO_HEAP_ADDR, &err), &err);
    at[1] = bench_now();
    must(ouro_collector_init(&collector, &model, &err), &err);
    at[2] = bench_now();
    must(ouro_roots_init(&roots, &model, &collector, &err), &err);
    ouro_heap_model_drop(&model, OURO_HEAP_ADDR | OURO_HEAP_REFCOUNT);
    must(ouro_roots_graph(&roots, &csr, &err), &err);
    ouro_heap_model_drop(&model, OURO_HEAP_SLOTS);
    at[3] = bench_now();
    must(ouro_components_init(&components, &csr), &(struct ouro_err){.msg = "components"});
    ouro_node component_count = components.component_count;
    uint64_t edge_count = csr.edge_count;
    ouro_components_fini(&components);
    at[4] = bench_now();
    must(ouro_retained_init_taking(&retained, &roots, &csr, &err), &err);
    at[5] = bench_now();
    printf("{\"nodes\": %u, \"edges\": %llu, \"components\": %u, \"retained\": %llu, \"load_s\": %.2f, "
           "\"collector_s\": %.2f, \"roots_s\": %.2f, \"components_s\": %.2f, \"dominators_s\": %.2f, "
           "\"peak_bytes\": %llu}\n",
           retained.super_root + 1, (unsigned long long)edge_count, component_count,
           (unsigned long long)retained.bytes[retained.super_root], at[1] - at[0], at[2] - at[1], at[3] - at[2],
           at[4] - at[3], at[5] - at[4], (unsigned long long)peak_bytes());
    ouro_retained_fini(&retained);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of values[1 .. rounds]. */
static double median(double *values, int rounds)
{
    qsort(values + 1, (size_t)rounds, sizeof *values, compare);
    return values[1 + (rounds - 1) / 2];
}

static void print_measurements(int graph_fd, int rounds)
{
    static double seconds[MEASUREMENT_COUNT][ROUNDS_MAX + 1];
    struct result last[MEASUREMENT_COUNT];
    for (int i = 0; i <= rounds; i++)
        for (size_t m = 0; m < MEASUREMENT_COUNT; m++) {
            last[m] = measure(m, graph_fd);
            seconds[m][i] = last[m].answer.seconds;
        }
    for (size_t m = 0; m < MEASUREMENT_COUNT; m++)
        printf(", \"%s\": {\"seconds\": %.4f, \"peak_bytes\": %llu, \"check\": %llu}", measurements[m].name,
               median(seconds[m], rounds), (unsigned long long)last[m].peak_bytes,
               (unsigned long long)last[m].answer.check);
}

/* The collector, several times; then the graph goes to the file. */
static void load(const char *path, int rounds, int graph_fd)
{
    struct ouro_err err = {0};
    struct ouro_heap_model model;
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_csr csr;
    double seconds[ROUNDS_MAX + 1];
    must(ouro_heap_model_open(&model, path, 0, &err), &err);
    must(ouro_heap_model_load(&model, OURO_COLLECTOR_COLUMNS | OURO_HEAP_ADDR, &err), &err);
    for (int i = 0; i <= rounds; i++) {
        double started = bench_now();
        must(ouro_collector_init(&collector, &model, &err), &err);
        seconds[i] = bench_now() - started;
        if (i < rounds)
            ouro_collector_fini(&collector);
    }
    must(ouro_roots_init(&roots, &model, &collector, &err), &err);
    must(ouro_roots_graph(&roots, &csr, &err), &err);
    struct bench_graph graph = {csr.node_count, ouro_roots_super_root(&roots),           csr.edge_count, csr.begin,
                                csr.targets,    ouro_large_new_zeroed(csr.node_count, 8)};
    for (ouro_node v = 0; v < model.heap.count; v++)
        graph.sizes[v] = ouro_heap_model_bytes(&model, v);
    uint64_t head[] = {graph.node_count, graph.root, graph.edge_count};
    transfer(graph_fd, head, sizeof head, true);
    transfer_graph(graph_fd, &graph, true);
    printf("{\"nodes\": %u, \"edges\": %llu, \"collection_s\": %.4f", graph.node_count,
           (unsigned long long)graph.edge_count, median(seconds, rounds));
    free(graph.sizes);
    ouro_csr_fini(&csr);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--measure"))
        return run_measurement((size_t)atoi(argv[2]), atoi(argv[3]));
    if (argc == 3 && !strcmp(argv[1], "--all"))
        return run_all(argv[2]);
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_graph SNAPSHOT [ROUNDS] | --all SNAPSHOT\n");
        return 2;
    }
    char path[] = "bench_graph.XXXXXX";
    int graph_fd = mkstemp(path);
    if (graph_fd < 0 || unlink(path))
        fail(path);
    load(argv[1], rounds, graph_fd);
    print_measurements(graph_fd, rounds);
    printf("}\n");
    return 0;
}
