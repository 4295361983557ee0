#include "analysis/selection.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "analysis/unexplained.h"
#include "analysis/value.h"
#include "base/buf.h"
#include "base/guard.h"

struct ouro_selection_query ouro_selection_query_all(void)
{
    return (struct ouro_selection_query){.size_max = UINT64_MAX, .generation = OURO_SELECTION_ANY_GENERATION};
}

struct choice {
    const struct ouro_heap_model *model;
    const struct ouro_selection_query *query;
    const struct ouro_collector *collector;
    const struct ouro_roots *roots;
    const struct ouro_retained *retained;
    uint8_t *type_matches; /* by type; lost objects last */
    struct ouro_buf text;
};

static void match_types(struct choice *choice)
{
    const struct ouro_heap_model *model = choice->model;
    for (uint32_t i = 0; i <= model->type_count; i++) {
        uint32_t id = i < model->type_count ? i : OURO_TYPE_NONE;
        bool pseudo = ouro_heap_model_type_flags(model, id) & OURO_TYPE_PSEUDO;
        choice->type_matches[i] = (!pseudo || choice->query->type) &&
                                  ouro_pattern_type(model, id, choice->query->type) &&
                                  ouro_pattern_module(model, id, choice->query->module);
    }
}

/* The text itself or the value as it is shown. */
static bool value_matches(struct choice *choice, ouro_node node)
{
    const struct ouro_heap_model *model = choice->model;
    const char *pattern = choice->query->value;
    size_t size;
    choice->text.size = 0;
    if (!ouro_value_has(model, node))
        return false;
    const unsigned char *bytes = ouro_value_raw(model, node, &size);
    unsigned kind = model->types[ouro_heap_model_type(model, node)].value_kind;
    if (kind == OURO_VALUE_STR || kind == OURO_VALUE_BYTES) {
        ouro_buf_add(&choice->text, bytes, size);
        if (!fnmatch(pattern, ouro_buf_text(&choice->text), 0))
            return true;
        choice->text.size = 0;
    }
    return ouro_value_add(&choice->text, model, node, SIZE_MAX) && !fnmatch(pattern, ouro_buf_text(&choice->text), 0);
}

static bool matches(struct choice *choice, ouro_node node)
{
    const struct ouro_heap_model *model = choice->model;
    const struct ouro_selection_query *query = choice->query;
    uint32_t type = ouro_heap_model_type(model, node);
    if (!choice->type_matches[type < model->type_count ? type : model->type_count])
        return false;
    unsigned flags = model->heap.flags[node];
    uint64_t bytes = ouro_heap_model_bytes(model, node);
    if (bytes < query->size_min || bytes > query->size_max)
        return false;
    if (query->retained_min && choice->retained->bytes[node] < query->retained_min)
        return false;
    if (query->has_refcount && (flags & OURO_OBJECT_IMMORTAL || model->heap.refcount[node] != query->refcount))
        return false;
    if (query->generation != OURO_SELECTION_ANY_GENERATION &&
        ouro_heap_model_generation(model, node) != query->generation)
        return false;
    if (query->approximate && !(flags & OURO_OBJECT_APPROXIMATE))
        return false;
    if (query->unreachable && !ouro_collector_unreachable(choice->collector, node))
        return false;
    if (query->unexplained_min && ouro_unexplained_count(choice->roots, node) < query->unexplained_min)
        return false;
    return !query->value || value_matches(choice, node);
}

static uint64_t sort_key(const struct choice *choice, ouro_node node)
{
    switch (choice->query->sort) {
    case OURO_SELECTION_BY_SIZE:
        return ouro_heap_model_bytes(choice->model, node);
    case OURO_SELECTION_BY_REFCOUNT:
        return choice->model->heap.refcount[node];
    case OURO_SELECTION_BY_RETAINED:
        return choice->retained->bytes[node];
    case OURO_SELECTION_BY_UNEXPLAINED:
        return ouro_unexplained_count(choice->roots, node);
    case OURO_SELECTION_BY_TYPE:
    case OURO_SELECTION_BY_ADDRESS:
        break;
    }
    return 0;
}

static int compare_types(const struct ouro_heap_model *model, uint32_t left, uint32_t right)
{
    if (left == right)
        return 0;
    int order = strcmp(ouro_heap_model_type_module(model, left, NULL), ouro_heap_model_type_module(model, right, NULL));
    return order ? order
                 : strcmp(ouro_heap_model_type_name(model, left, NULL), ouro_heap_model_type_name(model, right, NULL));
}

static int compare(const void *a, const void *b, void *context)
{
    const struct choice *choice = context;
    ouro_node left = *(const ouro_node *)a, right = *(const ouro_node *)b;
    if (choice->query->sort == OURO_SELECTION_BY_TYPE) {
        int order = compare_types(choice->model, ouro_heap_model_type(choice->model, left),
                                  ouro_heap_model_type(choice->model, right));
        if (order)
            return order;
    } else if (choice->query->sort != OURO_SELECTION_BY_ADDRESS) {
        uint64_t l = sort_key(choice, left), r = sort_key(choice, right);
        if (l != r)
            return l < r ? 1 : -1;
    }
    return left < right ? -1 : left > right;
}

static void sort_and_cut(struct ouro_selection *selection, struct choice *choice)
{
    if (choice->query->sort != OURO_SELECTION_BY_ADDRESS && selection->count)
        qsort_r(selection->items, selection->count, sizeof *selection->items, compare, choice);
    if (choice->query->limit && selection->count > choice->query->limit)
        selection->count = choice->query->limit;
}

/* With a limit never more than twice that many are kept: the best so far, and newcomers until the next sort. */
static enum ouro_status collect(struct ouro_selection *selection, struct choice *choice)
{
    const struct ouro_selection_query *query = choice->query;
    size_t most = query->limit && query->limit < SIZE_MAX / 2 - 512 ? 2 * query->limit + 512 : 0;
    for (ouro_node v = 0; v < choice->model->heap.count; v++) {
        if (!matches(choice, v))
            continue;
        selection->match_count++;
        selection->match_bytes += ouro_heap_model_bytes(choice->model, v);
        if (query->limit && query->sort == OURO_SELECTION_BY_ADDRESS && selection->count == query->limit)
            continue;
        ouro_node *item = OURO_VEC_ADD(selection);
        if (!item)
            return OURO_NOMEM;
        *item = v;
        if (most && selection->count >= most)
            sort_and_cut(selection, choice);
    }
    sort_and_cut(selection, choice);
    return choice->text.failed ? OURO_NOMEM : OURO_OK;
}

enum ouro_status ouro_selection_init(struct ouro_selection *selection, struct ouro_heap_model *model,
                                     const struct ouro_selection_query *query, const struct ouro_collector *collector,
                                     const struct ouro_roots *roots, const struct ouro_retained *retained,
                                     struct ouro_err *err)
{
    memset(selection, 0, sizeof *selection);
    if ((query->unreachable && !collector) ||
        ((query->sort == OURO_SELECTION_BY_UNEXPLAINED || query->unexplained_min) && !roots) ||
        ((query->sort == OURO_SELECTION_BY_RETAINED || query->retained_min) && !retained))
        return ouro_err_set(err, OURO_INVAL, "a selection that needs what was not computed");
    unsigned columns = OURO_HEAP_ADDR | OURO_HEAP_SHAPE | OURO_HEAP_SIZE | OURO_HEAP_NATIVE | OURO_HEAP_FLAGS |
                       OURO_HEAP_REFCOUNT | (query->value ? OURO_HEAP_VALUES : 0);
    OURO_TRY(ouro_heap_model_load(model, columns, err));
    OURO_FREE uint8_t *type_matches = malloc((size_t)model->type_count + 1);
    struct choice choice = {model, query, collector, roots, retained, type_matches, {0}};
    enum ouro_status status = OURO_NOMEM;
    if (type_matches) {
        match_types(&choice);
        status = collect(selection, &choice);
    }
    ouro_buf_fini(&choice.text);
    if (status != OURO_OK) {
        ouro_selection_fini(selection);
        return ouro_err_set(err, status, "out of memory for a list of objects");
    }
    return OURO_OK;
}

void ouro_selection_fini(struct ouro_selection *selection)
{
    free(selection->items);
    memset(selection, 0, sizeof *selection);
}
