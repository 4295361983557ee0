/* ouro garbage: what the collector would find, what it can't or won't free, and why. */
#include "analysis/garbage.h"
#include "analysis/info.h"
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define TEXT_LIMIT 10

int ouro_cmd_garbage(int argc, char **argv)
{
    static const char *const generations[] = {"0", "1", "2", NULL};
    bool json = false, salvage = false, limited = false;
    int generation = 2;
    uint64_t limit = 0;
    const struct ouro_option options[] = {
        {'g',                 "generation", OURO_OPTION_CHOICE, &generation, NULL, "GEN",
         "what a collection of this generation would\n"
         "find: 0, 1 or 2 (default: a full one)", generations},
        {'n', "limit", OURO_OPTION_COUNT, &limit, &limited, "N",
         "so many of each list (default 10, 0 and with\n"
         "--json: all)", NULL},
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0              },
    };
    const struct ouro_usage usage = {
        .command = "garbage",
        .arguments = "SNAPSHOT",
        .purpose = "What gc.collect() would find: unreachable objects by type and by cycle, the\n"
                   "finalizers and callbacks that would run and their order; what it can't or won't\n"
                   "free, and why; and the collector's state.",
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
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, OURO_DEPTH_ROOTS, OURO_GARBAGE_COLUMNS, argv[first])))
        return status;
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    OURO_GUARD(ouro_garbage_fini) struct ouro_garbage garbage = {0};
    OURO_GUARD(ouro_cycles_fini) struct ouro_cycles cycles = {0};
    bool full = generation == OURO_GENERATION_COUNT - 1; /* cycles are found among all that is unreachable */
    enum ouro_status computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed == OURO_OK)
        computed = ouro_garbage_init(&garbage, &model, &depth.collector, &depth.roots, (unsigned)generation, &err);
    full &= depth.collector.unreachable_count > 0;
    if (computed == OURO_OK && full)
        computed = ouro_cycles_init(&cycles, &model, &depth.collector, NULL, OURO_CYCLES_GARBAGE, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, argv[first], &err);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    const struct ouro_page_garbage page = {&model, &garbage, &info, full ? &cycles : NULL};
    if (json)
        ouro_page_garbage_json(&output.out, &page, limit);
    else
        ouro_page_garbage_text(&output.out, &page, limited ? limit : TEXT_LIMIT, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}
