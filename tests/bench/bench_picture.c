/* How long pictures take, and with what: reading the file, the analysis, the layout.
 *
 *     bench_picture FILE
 * Backrefs of an object in the middle of the file, four steps far, and the patterns of cycles; 300 boxes at most, as SVG. Prints
 * one JSON object with seconds. Layouts are done in processes of their own, as the command does. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "render/picture.h"

static struct ouro_err err;
static double begun;

static double lap(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    double now = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9, took = now - begun;
    begun = now;
    return took;
}

static void must(enum ouro_status status)
{
    if (status) {
        fprintf(stderr, "bench_picture: %s: %s\n", ouro_status_name(status), err.msg);
        exit(1);
    }
}

static void lay_out(struct ouro_drawing *drawing)
{
    int status;
    pid_t child = fork();
    if (!child) {
        struct ouro_buf bytes = {0};
        status = ouro_drawing_write(drawing, OURO_DRAWING_SVG, &bytes, &err);
        _exit(status == OURO_UNSUPPORTED ? 0 : (int)status);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        exit(1);
    ouro_drawing_free(drawing);
}

int main(int argc, char **argv)
{
    struct ouro_heap_model model;
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_retained retained;
    struct ouro_neighbourhood around;
    struct ouro_cycles cycles;
    struct ouro_drawing *drawing;
    if (argc != 2)
        return 2;
    lap();
    must(ouro_heap_model_open(&model, argv[1], 0, &err));
    must(ouro_heap_model_load(&model, OURO_HEAP_ALL, &err));
    double load = lap();
    const ouro_node start = model.heap.count / 2;
    const struct ouro_neighbourhood_query query = {.direction = OURO_NEIGHBOURHOOD_REFERRERS, .starts = &start,
                                                   .start_count = 1, .depth_max = 4, .too_many = 10, .node_budget = 300};
    const struct ouro_picture_options options = {.depth_max = 4};
    must(ouro_neighbourhood_init(&around, &model, &query, &err));
    must(ouro_picture_neighbourhood(&drawing, &model, &around, query.direction, &options, &err));
    double backrefs = lap();
    lay_out(drawing);
    double backrefs_layout = lap();
    must(ouro_collector_init(&collector, &model, &err));
    must(ouro_roots_init(&roots, &model, &collector, &err));
    must(ouro_retained_init(&retained, &roots, &err));
    must(ouro_cycles_init(&cycles, &model, &collector, &retained, 0, &err));
    const struct ouro_picture_cycles picture = {&cycles, 10, 30, 300};
    must(ouro_picture_cycles(&drawing, &picture, &err));
    double patterns = lap();
    size_t boxes = ouro_drawing_node_count(drawing);
    lay_out(drawing);
    double patterns_layout = lap();
    printf("{\"objects\": %lu, \"load_s\": %.4f, \"backrefs_s\": %.4f, \"backrefs_boxes\": %zu, \"backrefs_layout_s\": %.4f, "
           "\"cycles_s\": %.4f, \"cycles_boxes\": %zu, \"cycles_layout_s\": %.4f}\n",
           (unsigned long)model.heap.count, load, backrefs, around.nodes.count, backrefs_layout, patterns, boxes, patterns_layout);
    ouro_cycles_fini(&cycles);
    ouro_retained_fini(&retained);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_neighbourhood_fini(&around);
    ouro_heap_model_close(&model);
    return 0;
}
