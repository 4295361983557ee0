#include "analysis/unexplained.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/guard.h"

/* Types of which C modules and frozen code keep many. */
static bool is_constant_type(const struct ouro_heap_model *model, uint32_t type)
{
    static const char *const names[] = {"str",   "bytes", "int",        "float",     "complex",
                                        "bool",  "tuple", "frozenset",  "NoneType",  "code",
                                        "type",  "slice", "moduledef",  "ellipsis",  "NotImplementedType",
                                        "range", "builtin_function_or_method",       "method_descriptor",
                                        "wrapper_descriptor", "getset_descriptor",   "member_descriptor"};
    if (model->types[type].value_kind != OURO_VALUE_NONE && model->types[type].value_kind != OURO_VALUE_NAME)
        return true;
    const char *name = ouro_heap_model_type_name(model, type, NULL);
    if (strcmp(ouro_heap_model_type_module(model, type, NULL), "builtins"))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static int by_references(const void *a, const void *b)
{
    const struct ouro_unexplained_row *left = a, *right = b;
    if (left->reference_count != right->reference_count)
        return left->reference_count < right->reference_count ? 1 : -1;
    return (left->type > right->type) - (left->type < right->type);
}

static void count_objects(struct ouro_unexplained_row *rows, const struct ouro_roots *roots)
{
    const struct ouro_heap_model *model = roots->model;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t count = roots->unexplained[v] ? ouro_unexplained_count(roots, v) : 0;
        uint32_t type = count ? ouro_heap_model_type(model, v) : OURO_TYPE_NONE;
        if (type >= model->type_count)
            continue;
        struct ouro_unexplained_row *row = &rows[type];
        row->object_count++;
        row->reference_count += count;
        if (count > row->most_count) {
            row->most_count = count;
            row->most = v;
        }
    }
}

enum ouro_status ouro_unexplained_init(struct ouro_unexplained *unexplained, const struct ouro_roots *roots,
                                       struct ouro_err *err)
{
    const struct ouro_heap_model *model = roots->model;
    memset(unexplained, 0, sizeof *unexplained);
    OURO_FREE struct ouro_unexplained_row *rows = calloc((size_t)model->type_count + 1, sizeof *rows);
    if (!rows)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the counts of %u types", model->type_count);
    count_objects(rows, roots);
    for (uint32_t type = 0; type < model->type_count; type++) {
        rows[type].type = type;
        bool many = rows[type].object_count >= OURO_UNEXPLAINED_OBJECTS && !is_constant_type(model, type);
        if (!many && rows[type].most_count < OURO_UNEXPLAINED_OF_ONE)
            continue;
        struct ouro_unexplained_row *row = OURO_VEC_ADD(unexplained);
        if (!row) {
            ouro_unexplained_fini(unexplained);
            return ouro_err_set(err, OURO_NOMEM, "no memory for unexplained references");
        }
        *row = rows[type];
    }
    if (unexplained->count)
        qsort(unexplained->items, unexplained->count, sizeof *unexplained->items, by_references);
    return OURO_OK;
}

void ouro_unexplained_fini(struct ouro_unexplained *unexplained)
{
    free(unexplained->items);
    memset(unexplained, 0, sizeof *unexplained);
}
