/* Paths to objects, merged into one graph. */
#include <stdlib.h>

#include "base/guard.h"
#include "render/picture.h"
#include "render/text.h"

/* Expressions that stand below the picture. */
#define EXPRESSIONS_SHOWN 10

/* sys.modules and its dict go without saying: the module comes first. */
#define STEPS_TO_MODULE 2u

struct merge {
    const struct ouro_heap_model *model;
    struct ouro_neighbourhood *result;
    uint32_t *index_of; /* owned; by object */
};

static uint32_t add_object(struct merge *merge, ouro_node node, uint32_t depth)
{
    struct ouro_neighbourhood *result = merge->result;
    uint32_t *index = &merge->index_of[node];
    if (*index == UINT32_MAX)
        *index = ouro_neighbourhood_add(result, node, depth);
    else if (result->nodes.items[*index].depth > depth)
        result->nodes.items[*index].depth = depth;
    return *index;
}

static bool has_edge(const struct ouro_neighbourhood *result, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < result->edges.count; i++)
        if (result->edges.items[i].from == from && result->edges.items[i].to == to)
            return true;
    return false;
}

static bool add_fold(struct ouro_neighbourhood *result, uint32_t from, uint32_t to, uint64_t count)
{
    for (size_t i = 0; i < result->folds.count; i++)
        if (result->folds.items[i].from == from && result->folds.items[i].to == to)
            return true;
    struct ouro_neighbourhood_fold *fold = OURO_VEC_ADD(&result->folds);
    if (fold)
        *fold = (struct ouro_neighbourhood_fold){from, to, count};
    return fold != NULL;
}

static ouro_node node_at(const struct ouro_path *path, size_t i)
{
    return i ? path->steps[i - 1].target : path->first;
}

static bool add_path(struct merge *merge, const struct ouro_path *path, size_t budget)
{
    size_t first = path->root == OURO_PATH_MODULE && path->count >= STEPS_TO_MODULE ? STEPS_TO_MODULE : 0;
    size_t count = path->count + 1 - first; /* objects */
    size_t kept = budget && count > budget ? (budget > 4 ? budget : 4) : count;
    uint32_t before = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        bool folded = kept < count && i == kept / 2;
        i += folded ? count - kept : 0;
        uint32_t index = add_object(merge, node_at(path, first + i), (uint32_t)(count - 1 - i));
        if (index == UINT32_MAX)
            return false;
        if (!i)
            merge->result->nodes.items[index].module = path->root == OURO_PATH_MODULE;
        else if (folded ? !add_fold(merge->result, before, index, count - kept)
                        : !has_edge(merge->result, before, index) &&
                              !ouro_neighbourhood_connect(merge->result, merge->model, before, index, OURO_CLASS_OWNED))
            return false;
        before = index;
    }
    return true;
}

static bool add_answer(struct merge *merge, const struct ouro_path_answer *answer, size_t budget)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (budget && merge->result->nodes.count >= budget)
            merge->result->unplaced_count++;
        else if (!add_path(merge, &answer->items[i].path, budget))
            return false;
    }
    if (answer->count && merge->index_of[answer->node] == UINT32_MAX)
        return true; /* no room for it */
    uint32_t index = add_object(merge, answer->node, 0);
    if (index == UINT32_MAX)
        return false;
    merge->result->nodes.items[index].start = true;
    return true;
}

static void add_expressions(struct ouro_drawing *drawing, const struct ouro_path_answer *answers, size_t count,
                            struct ouro_buf *text)
{
    for (size_t i = 0; i < count && i < EXPRESSIONS_SHOWN; i++) {
        if (!answers[i].count)
            continue;
        if (text->size)
            ouro_buf_add_byte(text, '\n');
        ouro_buf_add(text, answers[i].items[0].text.expression.data, answers[i].items[0].text.expression.size);
    }
    if (count > EXPRESSIONS_SHOWN)
        ouro_buf_addf(text, "\n... %zu more", count - EXPRESSIONS_SHOWN);
    ouro_drawing_text(drawing, "label", text->data, text->size);
}

enum ouro_status ouro_picture_paths(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                    const struct ouro_path_answer *answers, size_t count, size_t budget,
                                    const struct ouro_picture_options *options, struct ouro_err *err)
{
    OURO_GUARD(ouro_neighbourhood_fini) struct ouro_neighbourhood merged = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    OURO_FREE uint32_t *index_of = malloc(((size_t)model->heap.count + 1) * sizeof *index_of);
    struct merge merge = {model, &merged, index_of};
    bool good = index_of != NULL;
    if (good)
        memset(index_of, 0xff, ((size_t)model->heap.count + 1) * sizeof *index_of);
    for (size_t i = 0; i < count && good; i++)
        good = add_answer(&merge, &answers[i], budget);
    if (!good)
        return ouro_err_set(err, OURO_NOMEM, "no memory for a picture of paths");
    struct ouro_picture_options deep = *options;
    for (size_t i = 0; i < merged.nodes.count; i++)
        if (merged.nodes.items[i].depth > deep.depth_max)
            deep.depth_max = merged.nodes.items[i].depth;
    OURO_TRY(ouro_picture_neighbourhood(drawing, model, &merged, OURO_NEIGHBOURHOOD_REFERRERS, &deep, err));
    add_expressions(*drawing, answers, count, &text);
    if (!text.failed)
        return OURO_OK;
    ouro_drawing_free(*drawing);
    *drawing = NULL;
    return ouro_err_set(err, OURO_NOMEM, "no memory for a picture of paths");
}
