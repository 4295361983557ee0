/* ouro types: how many objects of which type, how large. */
#include "analysis/histogram.h"
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define TEXT_LIMIT 40

struct request {
    const char *path, *type, *module;
    enum ouro_histogram_sort sort;
    size_t limit; /* 0: all */
    bool with_retained, exact, by_module, salvage, json;
};

static enum ouro_status count(struct ouro_histogram *histogram, struct ouro_heap_model *model,
                              const struct ouro_depth *depth, const struct request *request, struct ouro_err *err)
{
    enum ouro_status status = (request->by_module ? ouro_histogram_init_modules : ouro_histogram_init)(
        histogram, model, request->type, request->module, ouro_depth_retained(depth), err);
    if (status != OURO_OK)
        return status;
    ouro_histogram_sort(histogram, model, request->sort);
    if (!request->with_retained || !(request->exact || (request->type && histogram->count == 1)))
        return OURO_OK;
    status = ouro_histogram_make_exact(histogram, &depth->roots, request->limit, err);
    if (status != OURO_OK)
        ouro_histogram_fini(histogram);
    else
        ouro_histogram_sort(histogram, model, request->sort); /* exact is more, so the same rows stay in front */
    return status;
}

static int run(const struct request *request)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, request->with_retained ? OURO_DEPTH_RETAINED : OURO_DEPTH_NONE,
                                  OURO_HISTOGRAM_COLUMNS, request->path)))
        return status;
    OURO_GUARD(ouro_histogram_fini) struct ouro_histogram histogram = {0};
    enum ouro_status computed = count(&histogram, &model, &depth, request, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    if (request->with_retained &&
        (computed = ouro_info_init_with(&info, &model, &depth.collector, &err)) != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (request->json)
        ouro_page_types_json(&output.out, &model, &histogram, request->limit, request->with_retained,
                             request->with_retained ? &info : NULL);
    else
        ouro_page_types_text(&output.out, &model, &histogram, request->limit, request->with_retained,
                             ouro_command_columns());
    if (!request->json && request->with_retained)
        ouro_page_doubts_text(&output.out, &info, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

int ouro_cmd_types(int argc, char **argv)
{
    static const char *const sorts[] = {"size", "count", "retained", "name", NULL};
    static const enum ouro_histogram_sort sort_values[] = {OURO_HISTOGRAM_BY_SIZE, OURO_HISTOGRAM_BY_COUNT,
                                                           OURO_HISTOGRAM_BY_RETAINED, OURO_HISTOGRAM_BY_NAME};
    static const char *const groups[] = {"type", "module", NULL};
    struct request request = {0};
    bool limited = false;
    int sort = 0, group = 0;
    uint64_t limit = 0;
    const struct ouro_option options[] = {
        {'s', "sort", OURO_OPTION_CHOICE, &sort, NULL, "ORDER", "size (default), count, retained or name", sorts},
        {'n', "limit", OURO_OPTION_COUNT, &limit, &limited, "N",
         "so many types (default 40, 0 and with --json: all)", NULL},
        {'m', "module", OURO_OPTION_TEXT, &request.module, NULL, "MODULE",
         "only types of this module, package or glob", NULL},
        {'g', "group", OURO_OPTION_CHOICE, &group, NULL, "HOW", "rows are: type (default) or module", groups},
        {'r', "retained", OURO_OPTION_FLAG, &request.with_retained, NULL, NULL,
         "retained sizes too; >= where that is a lower bound", NULL},
        {0, "exact", OURO_OPTION_FLAG, &request.exact, NULL, NULL,
         "retained sizes, exact for all that is shown: a look\n"
         "through the whole heap for each row", NULL},
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "types",
        .arguments = "SNAPSHOT [TYPE]",
        .purpose = "Objects by type: count and shallow size (what the objects own, native memory\n"
                   "included), and what they keep alive together. TYPE is a name (User), a\n"
                   "qualified name (app.models.User) or a glob; what one type retains is exact.",
        .least = 1,
        .most = 2,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    request.path = argv[first];
    request.type = argc - first > 1 ? argv[first + 1] : NULL;
    request.sort = sort_values[sort];
    request.with_retained |= request.exact || request.sort == OURO_HISTOGRAM_BY_RETAINED;
    request.by_module = group == 1;
    request.limit = limited || request.json ? limit : TEXT_LIMIT;
    return run(&request);
}
