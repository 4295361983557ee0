/* ouro cycles: reference cycles, folded into patterns. */
#include "analysis/cycles.h"
#include "analysis/info.h"
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define TEXT_LIMIT 20

struct request {
    const char *path;
    unsigned flags;
    enum ouro_cycles_sort sort;
    uint64_t limit;
    bool advise, salvage, json;
};

static int cycles(const struct request *request)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status =
             ouro_depth_init(&depth, &model, OURO_DEPTH_RETAINED, OURO_HEAP_ALL & ~OURO_HEAP_GC_ORDER, request->path)))
        return status;
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    OURO_GUARD(ouro_cycles_fini) struct ouro_cycles found = {0};
    enum ouro_status computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed == OURO_OK)
        computed = ouro_cycles_init(&found, &model, &depth.collector, &depth.retained, request->flags, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    ouro_cycles_sort(&found, request->sort);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    const struct ouro_page_cycles page = {&found, &info, request->limit, request->advise};
    computed = request->json ? ouro_page_cycles_json(&output.out, &page)
                             : ouro_page_cycles_text(&output.out, &page, ouro_command_columns());
    if (computed != OURO_OK) {
        ouro_err_set(&err, computed, "out of memory for the cycles of a pattern");
        status = ouro_command_fail_snapshot(computed, request->path, &err);
    }
    return ouro_dest_close(&output, status);
}

int ouro_cmd_cycles(int argc, char **argv)
{
    static const char *const sorts[] = {"retained", "size", "count", "objects", NULL};
    static const enum ouro_cycles_sort sort_values[] = {OURO_CYCLES_BY_RETAINED, OURO_CYCLES_BY_SIZE,
                                                        OURO_CYCLES_BY_COUNT, OURO_CYCLES_BY_OBJECTS};
    struct request request = {0};
    bool garbage = false, live = false, all = false, limited = false;
    int sort = 0;
    const struct ouro_option options[] = {
        {'g',                                 "garbage", OURO_OPTION_FLAG, &garbage, NULL, NULL, "only cycles that nothing reaches", NULL},
        {'l',                   "live", OURO_OPTION_FLAG, &live, NULL, NULL, "only cycles that something reaches", NULL},
        {'a',                               "all", OURO_OPTION_FLAG, &all, NULL, NULL,
         "the structure too that every program has:\nits classes, functions and modules", NULL},
        {'A', "advise", OURO_OPTION_FLAG, &request.advise, NULL, NULL,
         "which references to make weak, so that no\ncycle of the pattern is left", NULL},
        {'s',                                   "sort", OURO_OPTION_CHOICE, &sort, NULL, "ORDER", "retained (default), size, count or objects", sorts},
        {'n',           "limit", OURO_OPTION_COUNT, &request.limit, &limited, "N",
         "so many patterns (default 20, 0 and with --json:\nall)", NULL},
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0                             },
    };
    const struct ouro_usage usage = {
        .command = "cycles",
        .arguments = "SNAPSHOT",
        .purpose = "Reference cycles, folded into patterns and written with the names of the\n"
                   "source: how many, how large, what they keep alive. Instance dicts are left\n"
                   "out, [*] stands for any index or key. Every object on a cycle is in one row.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (garbage && live) {
        ouro_command_complain("cycles: --garbage and --live exclude each other");
        return OURO_EXIT_USAGE;
    }
    request.path = argv[first];
    request.flags =
        (garbage ? OURO_CYCLES_GARBAGE : 0u) | (live ? OURO_CYCLES_REACHABLE : 0u) | (all ? OURO_CYCLES_ALL : 0u);
    request.sort = sort_values[sort];
    if (!limited)
        request.limit = request.json ? 0 : TEXT_LIMIT;
    return cycles(&request);
}
