/* ouro info: the first page about a snapshot. */
#include "analysis/info.h"
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

int ouro_cmd_info(int argc, char **argv)
{
    bool json = false, salvage = false;
    uint64_t limit = 10;
    const struct ouro_option options[] = {
        {'n', "limit", OURO_OPTION_COUNT, &limit, NULL, "N", "so many types (default 10, 0: all)", NULL},
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "info",
        .arguments = "SNAPSHOT",
        .purpose = "What the snapshot is of: process, Python, threads, the collector's state,\n"
                   "totals, the largest types, and what is worth a look.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int first, status;
    struct ouro_err err;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, argv[first], salvage)))
        return status;
    OURO_GUARD(ouro_info_fini) struct ouro_info info;
    enum ouro_status computed = ouro_info_init(&info, &model, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, argv[first], &err);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (json)
        ouro_page_info_json(&output.out, &model, &info, limit);
    else
        ouro_page_info_text(&output.out, &model, &info, limit, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}
