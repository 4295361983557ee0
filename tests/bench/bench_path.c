/* How long a path query takes, against one breadth-first pass over the same graph.
 *
 *     bench_path FILE [ROUNDS]
 * The object asked for is the one found last: nothing ends early. The pass keeps parents and a queue, and no more. Prints one
 * JSON object with the medians; the first round is not counted: it pays for memory that was never touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analysis/path_tree.h"
#include "base/large.h"

#define ROUNDS_MAX 100

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status) {
        fprintf(stderr, "bench_path: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

struct pass {
    ouro_node *parent, *queue, found, from;
};

static inline void visit(struct pass *pass, ouro_node target)
{
    if (pass->parent[target] == OURO_NODE_NONE) {
        pass->parent[target] = pass->from;
        pass->queue[pass->found++] = target;
    }
}

/* From all <root> objects; the last one found. */
static ouro_node search(const struct ouro_heap_model *model, struct pass *pass)
{
    memset(pass->parent, 0xff, model->heap.count * sizeof *pass->parent);
    pass->found = 0;
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (model->heap.flags[v] & OURO_OBJECT_PSEUDO && ouro_heap_model_type(model, v) == model->root_type) {
            pass->from = v;
            visit(pass, v);
        }
    for (ouro_node i = 0; i < pass->found; i++) {
        pass->from = pass->queue[i];
        OURO_EACH_TARGET(model, pass->from, OURO_CLASS_OWNED, visit, pass);
    }
    return pass->found ? pass->queue[pass->found - 1] : 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_path FILE [ROUNDS]\n");
        return 2;
    }
    struct ouro_err err = {0};
    struct ouro_heap_model model;
    struct ouro_path_finder finder;
    double one[ROUNDS_MAX + 1], query[ROUNDS_MAX + 1];
    must(ouro_heap_model_open(&model, argv[1], 0, &err), &err);
    must(ouro_heap_model_load(&model, OURO_NOTATION_COLUMNS, &err), &err);
    struct pass pass = {.parent = ouro_large_new(model.heap.count, sizeof(ouro_node)),
                        .queue = ouro_large_new(model.heap.count, sizeof(ouro_node))};
    must(pass.parent && pass.queue ? OURO_OK : OURO_NOMEM, &err);
    must(ouro_path_finder_init(&finder, &model, &err), &err);
    must(ouro_path_search_run(&finder.search, NULL, 0, &err), &err);
    ouro_node last = finder.search.queue[finder.search.found_count - 1];
    ouro_path_finder_fini(&finder);
    size_t length = 0;
    for (int i = 0; i <= rounds; i++) {
        double started = now();
        search(&model, &pass);
        one[i] = now() - started;
        started = now();
        must(ouro_path_finder_init(&finder, &model, &err), &err);
        must(ouro_path_finder_run(&finder, &last, 1, &err), &err);
        struct ouro_path_answer answer;
        must(ouro_path_answer_init(&answer, &finder, last, 1, &err), &err);
        length = answer.count ? answer.items[0].path.count : 0;
        ouro_path_answer_fini(&answer);
        ouro_path_finder_fini(&finder);
        query[i] = now() - started;
    }
    qsort(one + 1, (size_t)rounds, sizeof *one, compare);
    qsort(query + 1, (size_t)rounds, sizeof *query, compare);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"objects\": %u, \"slots\": %llu, \"found\": %u, \"pass_s\": %.4f, \"query_s\": %.4f, \"length\": %zu, \"peak_bytes\": "
           "%llu}\n",
           model.heap.count, (unsigned long long)model.heap.slot_begin[model.heap.count], pass.found,
           one[1 + (rounds - 1) / 2], query[1 + (rounds - 1) / 2], length, (unsigned long long)usage.ru_maxrss * 1024);
    free(pass.parent);
    free(pass.queue);
    ouro_heap_model_close(&model);
    return 0;
}
