/* ouro info: the first page about a snapshot. */
#include "analysis/largest.h"
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define LARGEST_COUNT 5
#define LARGEST_SHARE 200 /* less than half a percent is nothing to name on a first page */

static int print(const struct ouro_page_info *page, bool json)
{
    struct ouro_dest output;
    int status = ouro_dest_open(&output, NULL);
    if (status)
        return status;
    if (json)
        ouro_page_info_json(&output.out, page);
    else
        ouro_page_info_text(&output.out, page, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

static int run(const char *path, bool salvage, bool quick, bool json, size_t limit)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, path, salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, quick ? OURO_DEPTH_COLLECTOR : OURO_DEPTH_RETAINED,
                                  quick ? 0 : OURO_DOMINATOR_TREE_COLUMNS, path)))
        return status;
    OURO_GUARD(ouro_largest_fini) struct ouro_largest largest = {0};
    enum ouro_status computed = OURO_OK;
    if (!quick)
        computed = ouro_largest_init(&largest, &model, &depth.roots, &depth.retained, LARGEST_COUNT, LARGEST_SHARE, &err);
    if (computed == OURO_OK && !quick)
        computed = ouro_largest_find_paths(&largest, &model, &err);
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    if (computed == OURO_OK)
        computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed == OURO_OK && !quick)
        computed = ouro_info_add_unexplained(&info, &depth.roots, &err);
    OURO_GUARD(ouro_stacks_fini) struct ouro_stacks stacks = {0};
    OURO_GUARD(ouro_waits_fini) struct ouro_waits waits = {0};
    if (computed == OURO_OK)
        computed = ouro_stacks_init(&stacks, &model, &err);
    if (computed == OURO_OK)
        computed = ouro_waits_init(&waits, &stacks, &err);
    OURO_GUARD(ouro_tasks_fini) struct ouro_tasks tasks = {0};
    if (computed == OURO_OK)
        computed = ouro_tasks_init(&tasks, &model, &stacks, &err);
    if (computed == OURO_OK)
        computed = ouro_info_add_hangs(&info, &waits, &tasks, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, path, &err);
    return print(&(struct ouro_page_info){&model, &info, &depth.roots, quick ? NULL : &largest, &waits, limit}, json);
}

int ouro_cmd_info(int argc, char **argv)
{
    bool json = false, salvage = false, quick = false;
    uint64_t limit = 10;
    const struct ouro_option options[] = {
        {'n', "limit", OURO_OPTION_COUNT, &limit, NULL, "N", "so many types (default 10, 0: all)", NULL},
        {0, "quick", OURO_OPTION_FLAG, &quick, NULL, NULL, "without what takes dominators: what holds the most,\nunexplained references", NULL},
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "info",
        .arguments = "SNAPSHOT",
        .purpose = "What the snapshot is of: process, Python, threads, the collector's state,\n"
                   "totals, the largest types, what holds the most, and what is worth a look.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    return run(argv[first], salvage, quick, json, limit);
}
