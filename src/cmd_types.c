/* ouro types: how many objects of which type, how large. */
#include "analysis/histogram.h"
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define TEXT_LIMIT 40

int ouro_cmd_types(int argc, char **argv)
{
    static const char *const sorts[] = {"size", "count", "retained", "name", NULL};
    static const enum ouro_histogram_sort sort_values[] = {OURO_HISTOGRAM_BY_SIZE, OURO_HISTOGRAM_BY_COUNT,
                                                           OURO_HISTOGRAM_BY_RETAINED, OURO_HISTOGRAM_BY_NAME};
    bool json = false, salvage = false, with_retained = false, limited = false;
    const char *module = NULL;
    int sort = 0;
    uint64_t limit = 0;
    const struct ouro_option options[] = {
        {'s', "sort", OURO_OPTION_CHOICE, &sort, NULL, "ORDER", "size (default), count, retained or name", sorts},
        {'n', "limit", OURO_OPTION_COUNT, &limit, &limited, "N",
         "so many types (default 40, 0 and with --json: all)", NULL},
        {'m', "module", OURO_OPTION_TEXT, &module, NULL, "MODULE", "only types of this module, package or glob", NULL},
        {'r', "retained", OURO_OPTION_FLAG, &with_retained, NULL, NULL, "retained sizes too", NULL},
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "types",
        .arguments = "SNAPSHOT [TYPE]",
        .purpose = "Objects by type: count and shallow size (what the objects own, native memory\n"
                   "included), and what they keep alive together. TYPE is a name (User), a\n"
                   "qualified name (app.models.User) or a glob.",
        .least = 1,
        .most = 2,
        .options = options,
    };
    int first, status;
    struct ouro_err err;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    with_retained |= sort_values[sort] == OURO_HISTOGRAM_BY_RETAINED;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, argv[first], salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, with_retained ? OURO_DEPTH_RETAINED : OURO_DEPTH_NONE,
                                  OURO_HISTOGRAM_COLUMNS, argv[first])))
        return status;
    OURO_GUARD(ouro_histogram_fini) struct ouro_histogram histogram;
    const char *type = argc - first > 1 ? argv[first + 1] : NULL;
    enum ouro_status computed =
        ouro_histogram_init(&histogram, &model, type, module, ouro_depth_retained(&depth), &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, argv[first], &err);
    ouro_histogram_sort(&histogram, &model, sort_values[sort]);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (json)
        ouro_page_types_json(&output.out, &model, &histogram, limit, with_retained);
    else
        ouro_page_types_text(&output.out, &model, &histogram, limited ? limit : TEXT_LIMIT, with_retained,
                             ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}
