/* The pictures of a snapshot, whatever it holds. */
#include <graphviz/cgraph.h>

#include "base/guard.h"
#include "analysis/cycle_objects.h"
#include "render/page.h"
#include "render/picture.h"
#include "whole.h"

#define STARTS 4u

struct pictures {
    struct ouro_heap_model *model;
    const struct ouro_collector *collector;
    const struct ouro_roots *roots;
    struct ouro_retained *retained;
    struct ouro_out *out;
    bool written;
    ouro_node starts[STARTS];
    size_t start_count;
};

/* Takes the drawing; what is written is read back by libcgraph. */
static enum ouro_status finish(const struct pictures *pictures, struct ouro_drawing *drawing, struct ouro_err *err)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf bytes = {0};
    size_t nodes = ouro_drawing_node_count(drawing), edges = ouro_drawing_edge_count(drawing);
    pictures->out->buf.size = 0;
    enum ouro_status status =
        pictures->written ? ouro_drawing_write(drawing, OURO_DRAWING_DOT, &bytes, err)
                          : ouro_drawing_failed(drawing) ? OURO_NOMEM : OURO_OK;
    ouro_drawing_free(drawing);
    if (status != OURO_OK || !pictures->written)
        return status;
    Agraph_t *graph = agmemread(ouro_buf_text(&bytes));
    bool same = graph && (size_t)agnnodes(graph) == nodes && (size_t)agnedges(graph) == edges;
    if (graph)
        agclose(graph);
    return same ? OURO_OK : ouro_err_set(err, OURO_INVAL, "what is written does not read back: %s", ouro_buf_text(&bytes));
}

static enum ouro_status ask_around(const struct pictures *pictures, struct ouro_err *err)
{
    static const char *const ignored[] = {"type", NULL};
    for (unsigned i = 0; i < 8; i += pictures->written ? 1 : 3) { /* some, where each allocation fails once */
        OURO_GUARD(ouro_neighbourhood_fini) struct ouro_neighbourhood found = {0};
        const struct ouro_neighbourhood_query query = {
            .direction = i & 1 ? OURO_NEIGHBOURHOOD_REFERRERS : OURO_NEIGHBOURHOOD_REFERENTS,
            .starts = pictures->starts, .start_count = pictures->start_count, .depth_max = 4,
            .too_many = i & 2 ? 3 : 0, .ignored_types = i & 2 ? ignored : NULL, .hidden = i & 4, .node_budget = i & 4 ? 12 : 0};
        const struct ouro_picture_options options = {"*e", i & 1, i & 2, i, pictures->retained, 4};
        struct ouro_drawing *drawing;
        OURO_TRY(ouro_neighbourhood_init(&found, pictures->model, &query, err));
        OURO_TRY(ouro_page_neighbourhood_text(pictures->out, pictures->model, &found, query.direction, 80, err));
        ouro_page_neighbourhood_json(pictures->out, pictures->model, &found, query.direction);
        if (pictures->out->buf.failed)
            return OURO_NOMEM;
        OURO_TRY(ouro_picture_neighbourhood(&drawing, pictures->model, &found, query.direction, &options, err));
        OURO_TRY(finish(pictures, drawing, err));
    }
    return OURO_OK;
}

static enum ouro_status ask_chains(const struct pictures *pictures, struct ouro_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        OURO_GUARD(ouro_chains_fini) struct ouro_chains chains = {0};
        const struct ouro_chain_query query = {.nodes = pictures->starts, .count = pictures->start_count,
                                               .to = i ? "*t*" : NULL, .depth_max = 20, .node_budget = i ? 3 : 0};
        OURO_TRY(ouro_chains_init(&chains, pictures->model, &query, err));
        ouro_page_chains_text(pictures->out, pictures->model, &chains, &query, 80);
        ouro_page_chains_json(pictures->out, pictures->model, &chains, &query);
        if (pictures->out->buf.failed)
            return OURO_NOMEM;
        pictures->out->buf.size = 0;
    }
    return OURO_OK;
}

static enum ouro_status ask_cycles(const struct pictures *pictures, struct ouro_err *err)
{
    struct ouro_drawing *drawing;
    OURO_GUARD(ouro_cycles_fini) struct ouro_cycles cycles = {0};
    OURO_TRY(ouro_cycles_init(&cycles, pictures->model, pictures->collector, pictures->retained, OURO_CYCLES_ALL, err));
    for (unsigned i = !pictures->written; i < 2; i++) {
        const struct ouro_picture_cycles picture = {&cycles, i ? 3 : 0, i ? 2 : 0, i ? 5 : 0};
        OURO_TRY(ouro_picture_cycles(&drawing, &picture, err));
        OURO_TRY(finish(pictures, drawing, err));
    }
    for (size_t i = 0; i < (pictures->written ? 2 * pictures->start_count : 2); i++) {
        OURO_GUARD(ouro_neighbourhood_fini) struct ouro_neighbourhood found = {0};
        const struct ouro_picture_options options = {.retained = pictures->retained};
        ouro_node node = pictures->starts[i / 2];
        OURO_TRY(i % 2 ? ouro_cycle_objects_through(&found, &cycles.cyclic, node, 3, i < 4 ? 5 : 0, err)
                       : ouro_cycle_objects_component(&found, &cycles.cyclic, node, i < 4 ? 5 : 0, NULL, err));
        OURO_TRY(ouro_picture_neighbourhood(&drawing, pictures->model, &found, OURO_NEIGHBOURHOOD_REFERENTS, &options, err));
        OURO_TRY(finish(pictures, drawing, err));
    }
    return OURO_OK;
}

static enum ouro_status ask_trees(const struct pictures *pictures, struct ouro_err *err)
{
    struct ouro_drawing *drawing;
    for (unsigned i = 0; i < 4; i += pictures->written ? 1 : 3) {
        static const enum ouro_dominator_grouping groupings[] = {OURO_DOMINATOR_GROUP_SMALL, OURO_DOMINATOR_GROUP_NONE,
                                                                 OURO_DOMINATOR_GROUP_TYPE, OURO_DOMINATOR_GROUP_MODULE};
        const struct ouro_dominator_query query = {
            .top = OURO_NODE_NONE, .depth = i, .child_count = 3, .grouping = groupings[i]};
        OURO_GUARD(ouro_dominator_tree_fini) struct ouro_dominator_tree tree = {0};
        OURO_TRY(ouro_dominator_tree_init(&tree, pictures->model, pictures->roots, pictures->retained, &query, err));
        OURO_TRY(ouro_picture_dominators(&drawing, pictures->model, &tree, query.grouping, err));
        OURO_TRY(finish(pictures, drawing, err));
    }
    return OURO_OK;
}

static void answers_fini(struct ouro_path_answer (*answers)[STARTS])
{
    for (size_t i = 0; i < STARTS; i++)
        ouro_path_answer_fini(&(*answers)[i]);
}

static enum ouro_status ask_paths(const struct pictures *pictures, struct ouro_err *err)
{
    struct ouro_drawing *drawing;
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder = {0};
    OURO_TRY(ouro_path_finder_init(&finder, pictures->model, err));
    OURO_GUARD(answers_fini) struct ouro_path_answer answers[STARTS] = {0};
    for (size_t i = 0; i < (pictures->written ? pictures->start_count : 1); i++)
        OURO_TRY(ouro_path_answer_init(&answers[i], &finder, pictures->starts[i], 3, err));
    for (size_t budget = pictures->written ? 0 : 3; budget < (pictures->written ? 8 : 4); budget += 3) {
        const struct ouro_picture_options options = {0};
        OURO_TRY(ouro_picture_paths(&drawing, pictures->model, answers, pictures->written ? pictures->start_count : 1, budget, &options, err));
        OURO_TRY(finish(pictures, drawing, err));
    }
    OURO_GUARD(ouro_path_tree_fini) struct ouro_path_tree tree = {0};
    const struct ouro_path_tree_query query = {.type = "*", .limit = 3, .depth = 4};
    enum ouro_status status = ouro_path_tree_init(&tree, &finder, &query, err);
    if (status == OURO_GONE)
        return OURO_OK;
    OURO_TRY(status);
    OURO_TRY(ouro_picture_path_tree(&drawing, pictures->model, &tree, query.type, err));
    return finish(pictures, drawing, err);
}

enum ouro_status whole_pictures(struct ouro_heap_model *model, const struct ouro_collector *collector,
                                const struct ouro_roots *roots, struct ouro_retained *retained, struct ouro_out *out,
                                bool written, struct ouro_err *err)
{
    struct pictures pictures = {.model = model, .collector = collector, .roots = roots, .retained = retained, .out = out,
                                .written = written};
    for (ouro_node i = 0; i < STARTS && i < model->heap.count; i++)
        pictures.starts[pictures.start_count++] =
            (ouro_node)((uint64_t)i * model->heap.count / (model->heap.count < STARTS ? model->heap.count : STARTS));
    OURO_TRY(ask_around(&pictures, err));
    OURO_TRY(ask_chains(&pictures, err));
    OURO_TRY(ask_cycles(&pictures, err));
    OURO_TRY(ask_trees(&pictures, err));
    return ask_paths(&pictures, err);
}
