#include "analysis/path_answer.h"

#include <stdlib.h>
#include <string.h>

#define HOLDERS_MAX 8

enum ouro_status ouro_path_finder_init(struct ouro_path_finder *finder, struct ouro_heap_model *model,
                                       struct ouro_err *err)
{
    memset(finder, 0, sizeof *finder);
    finder->model = model;
    return ouro_path_search_init(&finder->search, model, err);
}

void ouro_path_finder_fini(struct ouro_path_finder *finder)
{
    ouro_path_search_fini(&finder->search);
    if (finder->has_roots)
        ouro_roots_fini(&finder->roots);
    if (finder->has_collector)
        ouro_collector_fini(&finder->collector);
    memset(finder, 0, sizeof *finder);
}

static enum ouro_status extend(struct ouro_path_finder *finder, struct ouro_err *err)
{
    if (!finder->has_collector) {
        OURO_TRY(ouro_heap_model_load(finder->model, OURO_COLLECTOR_COLUMNS, err));
        OURO_TRY(ouro_collector_init(&finder->collector, finder->model, err));
        finder->has_collector = true;
    }
    if (!finder->has_roots) {
        OURO_TRY(ouro_roots_init(&finder->roots, finder->model, &finder->collector, err));
        finder->has_roots = true;
    }
    ouro_path_search_extend(&finder->search, &finder->roots);
    return OURO_OK;
}

enum ouro_status ouro_path_finder_run(struct ouro_path_finder *finder, const ouro_node *targets, size_t count,
                                      struct ouro_err *err)
{
    OURO_TRY(ouro_path_search_run(&finder->search, targets, count, err));
    for (size_t i = 0; targets && i < count; i++)
        if (!ouro_path_search_found(&finder->search, targets[i]))
            return extend(finder, err);
    return !targets && finder->search.found_count < finder->model->heap.count ? extend(finder, err) : OURO_OK;
}

/* The next path to the object, if it is found. */
static enum ouro_status add_path(struct ouro_path_answer *answer, const struct ouro_path_finder *finder,
                                 struct ouro_err *err)
{
    struct ouro_path_item *item = OURO_VEC_ADD(answer);
    if (!item)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for paths");
    enum ouro_status status = ouro_path_init(&item->path, &finder->search, answer->node, err);
    if (status == OURO_OK)
        status = ouro_path_text_init(&item->text, &finder->search, &item->path, err);
    return status;
}

static enum ouro_status add_others(struct ouro_path_answer *answer, struct ouro_path_finder *finder, size_t most,
                                   struct ouro_err *err)
{
    bool named = answer->items[0].path.root < OURO_PATH_NATIVE;
    while (answer->count < most) {
        OURO_TRY(ouro_path_close(&finder->search, &answer->items[answer->count - 1].path, err));
        OURO_TRY(ouro_path_search_run(&finder->search, &answer->node, 1, err));
        if (!named && !ouro_path_search_found(&finder->search, answer->node))
            OURO_TRY(extend(finder, err));
        if (!ouro_path_search_found(&finder->search, answer->node)) {
            answer->exhausted = true;
            return OURO_OK;
        }
        OURO_TRY(add_path(answer, finder, err));
    }
    return OURO_OK;
}

static enum ouro_status fill(struct ouro_path_answer *answer, struct ouro_path_finder *finder, size_t most,
                             struct ouro_err *err)
{
    if (most > 1)
        OURO_TRY(ouro_path_finder_run(finder, &answer->node, 1, err));
    if (ouro_path_search_found(&finder->search, answer->node))
        OURO_TRY(add_path(answer, finder, err));
    if (most > 1 && answer->count) {
        enum ouro_status status = add_others(answer, finder, most, err);
        ouro_path_open_all(&finder->search);
        OURO_TRY(status);
    }
    if (!answer->count || answer->items[0].path.root == OURO_PATH_GARBAGE)
        return ouro_neighbours_init(&answer->holders, finder->model, answer->node, HOLDERS_MAX, err);
    return OURO_OK;
}

enum ouro_status ouro_path_answer_init(struct ouro_path_answer *answer, struct ouro_path_finder *finder, ouro_node node,
                                       size_t most, struct ouro_err *err)
{
    memset(answer, 0, sizeof *answer);
    answer->node = node;
    enum ouro_status status = fill(answer, finder, most, err);
    if (status != OURO_OK)
        ouro_path_answer_fini(answer);
    return status;
}

void ouro_path_answer_fini(struct ouro_path_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        ouro_path_fini(&answer->items[i].path);
        ouro_path_text_fini(&answer->items[i].text);
    }
    free(answer->items);
    ouro_neighbours_fini(&answer->holders);
    memset(answer, 0, sizeof *answer);
}
