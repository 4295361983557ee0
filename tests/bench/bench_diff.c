/* What a comparison of two snapshots costs, part by part.
 *
 *     bench_diff A B
 * Prints one JSON object: of the parts, of both snapshots, one after the other in one thread, the seconds and those of processor
 * time; and peak memory. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "analysis/diff.h"

static double now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void must(enum ouro_status status, const struct ouro_err *err)
{
    if (status) {
        fprintf(stderr, "bench_diff: %s: %s\n", ouro_status_name(status), err->msg);
        exit(1);
    }
}

/* Prints the part that ends now, and begins the next. */
static void part(const char *name, double since[2])
{
    double at[] = {now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID)};
    printf("\"%s_s\": %.3f, \"%s_processor_s\": %.3f, ", name, at[0] - since[0], name, at[1] - since[1]);
    since[0] = at[0];
    since[1] = at[1];
}

int main(int argc, char **argv)
{
    static struct ouro_heap_model models[2];
    static struct ouro_diff_side sides[2];
    static struct ouro_diff_names names;
    static struct ouro_diff diff;
    struct ouro_err err = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: bench_diff A B\n");
        return 2;
    }
    must(ouro_diff_names_init(&names), &err);
    double since[] = {now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID)};
    for (int i = 0; i < 2; i++) {
        must(ouro_heap_model_open(&models[i], argv[1 + i], 0, &err), &err);
        must(ouro_heap_model_load(&models[i], OURO_DIFF_COLUMNS, &err), &err);
    }
    printf("{\"objects\": [%lu, %lu], ", (unsigned long)models[0].heap.count, (unsigned long)models[1].heap.count);
    part("load", since);
    for (int i = 0; i < 2; i++)
        must(ouro_diff_side_init(&sides[i], &models[i], &names, true, &err), &err);
    part("sides", since); /* collector, roots, shortest paths, signatures */
    for (int i = 0; i < 2; i++)
        must(ouro_diff_side_retain(&sides[i], &err), &err);
    part("dominators", since);
    const struct ouro_diff_options options = {.threshold = UINT64_MAX, .paths = true, .objects = true, .retained = true};
    must(ouro_diff_init(&diff, &sides[0], &sides[1], &options, &err), &err);
    part("compare", since);
    for (size_t i = 0; i < diff.paths.rows.count && i < 10; i++)
        if (ouro_diff_paths_is_shown(&diff.paths, &diff.paths.rows.items[i]))
            must(ouro_diff_paths_detail(&diff.paths, &diff.paths.rows.items[i], &err), &err);
    part("details", since);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("\"signatures\": %zu, \"peak_bytes\": %llu}\n", names.signatures.count, (unsigned long long)usage.ru_maxrss * 1024);
    return 0;
}
