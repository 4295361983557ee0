#include "analysis/histogram.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/large.h"
#include "base/map.h"

/* histogram->row_of[type] for all types and, at type_count, for lost objects; UINT32_MAX: not wanted. */
static enum ouro_status assign_rows(struct ouro_histogram *histogram, const struct ouro_heap_model *model,
                                    const char *type, const char *module)
{
    uint32_t *row_of = histogram->row_of;
    OURO_GUARD(ouro_map_fini) struct ouro_map names = {0};
    for (uint32_t i = 0; i <= model->type_count; i++) {
        uint32_t id = i < model->type_count ? i : OURO_TYPE_NONE;
        row_of[i] = UINT32_MAX;
        if (ouro_heap_model_type_flags(model, id) & OURO_TYPE_PSEUDO || !ouro_pattern_type(model, id, type) ||
            !ouro_pattern_module(model, id, module))
            continue;
        bool added = true;
        uint64_t *row = NULL;
        if (id != OURO_TYPE_NONE) {
            uint64_t key = histogram->by_module ? model->types[i].module : ouro_heap_model_type_key(model, i);
            row = ouro_map_put(&names, key, &added);
            if (!row)
                return OURO_NOMEM;
        }
        if (added) {
            struct ouro_histogram_row *fresh = OURO_VEC_ADD(histogram);
            if (!fresh)
                return OURO_NOMEM;
            fresh->type = id;
            fresh->group = (uint32_t)(histogram->count - 1);
            if (row)
                *row = histogram->count - 1;
        }
        row_of[i] = row ? (uint32_t)*row : (uint32_t)(histogram->count - 1);
        histogram->items[row_of[i]].type_count++;
    }
    return OURO_OK;
}

static uint32_t row_of_object(const struct ouro_histogram *histogram, const struct ouro_heap_model *model,
                              ouro_node node)
{
    uint32_t type = ouro_heap_model_type(model, node);
    return histogram->row_of[type < model->type_count ? type : model->type_count];
}

static inline void count_object(struct ouro_histogram *histogram, const struct ouro_heap_model *model, ouro_node v)
{
    const struct ouro_heap *heap = &model->heap;
    uint32_t row = row_of_object(histogram, model, v);
    if (row == UINT32_MAX)
        return;
    struct ouro_histogram_row *r = &histogram->items[row];
    r->count++;
    r->shallow_bytes += ouro_heap_model_bytes(model, v);
    r->native_bytes += heap->native ? heap->native[v] : 0;
    r->approximate_count += (heap->flags[v] & OURO_OBJECT_APPROXIMATE) != 0;
    r->refers |= (ouro_heap_model_shape(model, v)->classes & OURO_CLASS_OWNED) != 0;
}

struct tally {
    uint64_t count, bytes, native_bytes, approximate_count;
};

/* By shape, which is all that is looked up for each object; then by type. */
static enum ouro_status count_objects(struct ouro_histogram *histogram, const struct ouro_heap_model *model)
{
    const struct ouro_heap *heap = &model->heap;
    OURO_FREE struct tally *tallies = calloc((size_t)model->shape_count + 1, sizeof *tallies);
    if (!tallies)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < heap->count; v++) {
        struct tally *tally = &tallies[heap->shape[v] < model->shape_count ? heap->shape[v] : model->shape_count];
        uint64_t native = heap->native ? heap->native[v] : 0;
        tally->count++;
        tally->bytes += heap->size[v] + native;
        tally->native_bytes += native;
        tally->approximate_count += (heap->flags[v] & OURO_OBJECT_APPROXIMATE) != 0;
    }
    for (uint32_t i = 0; i <= model->shape_count; i++) {
        uint32_t type = model->shapes[i].type, row = histogram->row_of[type < model->type_count ? type : model->type_count];
        if (!tallies[i].count || row == UINT32_MAX)
            continue;
        struct ouro_histogram_row *r = &histogram->items[row];
        r->count += tallies[i].count;
        r->shallow_bytes += tallies[i].bytes;
        r->native_bytes += tallies[i].native_bytes;
        r->approximate_count += tallies[i].approximate_count;
        r->refers |= (model->shapes[i].classes & OURO_CLASS_OWNED) != 0;
    }
    return OURO_OK;
}

static uint32_t *group_objects(const struct ouro_histogram *histogram, const struct ouro_heap_model *model)
{
    uint32_t *group_of = ouro_large_new(model->heap.count, sizeof *group_of);
    for (ouro_node v = 0; group_of && v < model->heap.count; v++)
        group_of[v] = row_of_object(histogram, model, v);
    return group_of;
}

static enum ouro_status add_retained(struct ouro_histogram *histogram, const struct ouro_heap_model *model,
                                     const struct ouro_retained *retained)
{
    OURO_FREE uint32_t *group_of = group_objects(histogram, model);
    OURO_FREE uint64_t *bytes = malloc(histogram->count * sizeof *bytes + 1);
    if (!group_of || !bytes)
        return OURO_NOMEM;
    OURO_TRY(ouro_retained_by_group(retained, group_of, model->heap.count, bytes, (uint32_t)histogram->count));
    for (size_t i = 0; i < histogram->count; i++) {
        struct ouro_histogram_row *row = &histogram->items[i];
        row->retained_bytes = bytes[i];
        row->retained_exact = row->count <= 1 || !row->refers;
    }
    return OURO_OK;
}

enum ouro_status ouro_histogram_make_exact(struct ouro_histogram *histogram, const struct ouro_roots *roots,
                                           size_t limit, struct ouro_err *err)
{
    OURO_FREE uint32_t *group_of = group_objects(histogram, roots->model);
    enum ouro_status status = group_of ? OURO_OK : OURO_NOMEM;
    for (size_t i = 0; i < histogram->count && (!limit || i < limit) && status == OURO_OK; i++) {
        struct ouro_histogram_row *row = &histogram->items[i];
        if (row->retained_exact)
            continue;
        status = ouro_retained_exact(roots, group_of, row->group, &row->retained_bytes);
        row->retained_exact = status == OURO_OK;
    }
    return status == OURO_OK ? OURO_OK : ouro_err_set(err, status, "out of memory for retained sizes of types");
}

static void drop_empty(struct ouro_histogram *histogram)
{
    size_t kept = 0;
    for (size_t i = 0; i < histogram->count; i++) {
        if (!histogram->items[i].count)
            continue;
        histogram->object_count += histogram->items[i].count;
        histogram->shallow_bytes += histogram->items[i].shallow_bytes;
        histogram->items[kept++] = histogram->items[i];
    }
    histogram->count = kept;
}

static enum ouro_status init(struct ouro_histogram *histogram, struct ouro_heap_model *model, const char *type,
                             const char *module, const struct ouro_retained *retained, bool by_module,
                             struct ouro_err *err)
{
    memset(histogram, 0, sizeof *histogram);
    OURO_TRY(ouro_heap_model_load(model, OURO_HISTOGRAM_COLUMNS, err));
    histogram->by_module = by_module;
    histogram->row_of = malloc(((size_t)model->type_count + 1) * sizeof *histogram->row_of);
    enum ouro_status status = histogram->row_of ? assign_rows(histogram, model, type, module) : OURO_NOMEM;
    if (status == OURO_OK)
        status = count_objects(histogram, model);
    if (status == OURO_OK && retained)
        status = add_retained(histogram, model, retained);
    if (status != OURO_OK) {
        ouro_histogram_fini(histogram);
        return ouro_err_set(err, status, "out of memory for a histogram of %u types", model->type_count);
    }
    drop_empty(histogram);
    return OURO_OK;
}

enum ouro_status ouro_histogram_init(struct ouro_histogram *histogram, struct ouro_heap_model *model, const char *type,
                                     const char *module, const struct ouro_retained *retained, struct ouro_err *err)
{
    return init(histogram, model, type, module, retained, false, err);
}

enum ouro_status ouro_histogram_init_modules(struct ouro_histogram *histogram, struct ouro_heap_model *model,
                                             const char *type, const char *module,
                                             const struct ouro_retained *retained, struct ouro_err *err)
{
    return init(histogram, model, type, module, retained, true, err);
}

enum ouro_status ouro_histogram_init_of(struct ouro_histogram *histogram, struct ouro_heap_model *model,
                                        const ouro_node *nodes, size_t count, struct ouro_err *err)
{
    memset(histogram, 0, sizeof *histogram);
    OURO_TRY(ouro_heap_model_load(model, OURO_HISTOGRAM_COLUMNS, err));
    histogram->row_of = malloc(((size_t)model->type_count + 1) * sizeof *histogram->row_of);
    if (!histogram->row_of || assign_rows(histogram, model, NULL, NULL) != OURO_OK) {
        ouro_histogram_fini(histogram);
        return ouro_err_set(err, OURO_NOMEM, "out of memory for a histogram of %u types", model->type_count);
    }
    for (size_t i = 0; i < count; i++)
        count_object(histogram, model, nodes[i]);
    drop_empty(histogram);
    return OURO_OK;
}

void ouro_histogram_fini(struct ouro_histogram *histogram)
{
    free(histogram->items);
    free(histogram->row_of);
    memset(histogram, 0, sizeof *histogram);
}

struct sorting {
    const struct ouro_heap_model *model;
    enum ouro_histogram_sort sort;
};

static uint64_t sort_key(const struct ouro_histogram_row *row, enum ouro_histogram_sort sort)
{
    switch (sort) {
    case OURO_HISTOGRAM_BY_SIZE:
        return row->shallow_bytes;
    case OURO_HISTOGRAM_BY_COUNT:
        return row->count;
    case OURO_HISTOGRAM_BY_RETAINED:
        return row->retained_bytes;
    case OURO_HISTOGRAM_BY_NAME:
        break;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    const struct ouro_histogram_row *left = a, *right = b;
    uint64_t l = sort_key(left, sorting->sort), r = sort_key(right, sorting->sort);
    if (l != r)
        return l < r ? 1 : -1;
    int order = strcmp(ouro_heap_model_type_module(sorting->model, left->type, NULL),
                       ouro_heap_model_type_module(sorting->model, right->type, NULL));
    return order ? order
                 : strcmp(ouro_heap_model_type_name(sorting->model, left->type, NULL),
                          ouro_heap_model_type_name(sorting->model, right->type, NULL));
}

void ouro_histogram_sort(struct ouro_histogram *histogram, const struct ouro_heap_model *model,
                         enum ouro_histogram_sort sort)
{
    struct sorting sorting = {model, sort};
    if (histogram->count)
        qsort_r(histogram->items, histogram->count, sizeof *histogram->items, compare_rows, &sorting);
}
