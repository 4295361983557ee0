/* ouro leaks: suspects of one snapshot. */
#include <stdlib.h>

#include "analysis/info.h"
#include "analysis/leaks.h"
#include "base/guard.h"
#include "command.h"
#include "fail_on.h"
#include "options.h"
#include "output.h"
#include "render/page_leaks.h"
#include "snapshots.h"

#define LIMIT 10

#define METRICS (1u << OURO_METRIC_SUSPECTS | 1u << OURO_METRIC_RETAINED)
static const struct ouro_condition_scope scope = {.metrics = METRICS, .with_type = METRICS, .with_path = METRICS};

static const char *path_of(struct ouro_leak *leak)
{
    return leak->path.count ? ouro_buf_text(&leak->path.items[0].text.expression) : NULL;
}

/* Waste is no suspect of a leak. */
static void evaluate(struct ouro_fail_on *fail_on, const struct ouro_heap_model *model, struct ouro_leaks *leaks,
                     bool *suppressed)
{
    for (size_t i = 0; i < leaks->count; i++)
        suppressed[i] = ouro_suppressions_match(&fail_on->suppressions, model, leaks->items[i].type, path_of(&leaks->items[i]));
    for (size_t c = 0; c < fail_on->parsed.count; c++) {
        const struct ouro_condition *condition = &fail_on->parsed.items[c].condition;
        double count = 0, bytes = 0;
        for (size_t i = 0; i < leaks->count; i++) {
            struct ouro_leak *leak = &leaks->items[i];
            if (suppressed[i] || ouro_leak_is_waste(leak->kind) ||
                !ouro_selector_matches(&condition->selector, model, leak->type, path_of(leak)))
                continue;
            count++;
            bytes += (double)leak->bytes;
        }
        ouro_fail_on_set(fail_on, c, 0, condition->metric == OURO_METRIC_RETAINED ? bytes : count);
    }
}

static int run(const char *path, const struct ouro_leaks_query *query, struct ouro_fail_on *fail_on, bool salvage, bool json)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, path, salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, OURO_DEPTH_RETAINED, OURO_HEAP_ALL, path)))
        return status;
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    OURO_GUARD(ouro_leaks_fini) struct ouro_leaks leaks = {0};
    enum ouro_status computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed == OURO_OK)
        computed = ouro_leaks_init(&leaks, &model, &depth.roots, &depth.retained, query, &err);
    OURO_FREE bool *suppressed = calloc(leaks.count + 1, sizeof *suppressed);
    if (computed == OURO_OK && !suppressed)
        computed = ouro_err_set(&err, OURO_NOMEM, "no memory for suspects");
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, path, &err);
    evaluate(fail_on, &model, &leaks, suppressed);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    const struct ouro_page_leaks page = {&model, &leaks, &info, suppressed, path, ouro_fail_on_json, fail_on};
    if (json)
        ouro_page_leaks_json(&output.out, &page);
    else
        ouro_page_leaks_text(&output.out, &page, ouro_command_columns());
    status = ouro_dest_close(&output, OURO_EXIT_DONE);
    return status ? status : ouro_fail_on_finish(fail_on);
}

int ouro_cmd_leaks(int argc, char **argv)
{
    bool json = false, salvage = false, limited = false;
    uint64_t limit = LIMIT;
    struct ouro_leaks_query query = {0};
    OURO_GUARD(ouro_fail_on_fini) struct ouro_fail_on fail_on = {.command = "leaks"};
    const struct ouro_option options[] = {
        {0,                 "min-size", OURO_OPTION_SIZE, &query.bytes_min, NULL, "SIZE",
         "suspects that retain (or waste) so much (default: a\nhundredth of the whole, at least 64K)", NULL},
        {'n', "limit", OURO_OPTION_COUNT, &limit, &limited, "N",
         "so many of each kind (default 10, 0 and with --json: all)", NULL},
        OURO_FAIL_ON_OPTIONS(&fail_on, "'suspects>0', 'type=app.Session suspects>0',\n'path=*CACHE* retained>50M'"),
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0            },
    };
    const struct ouro_usage usage = {
        .command = "leaks",
        .arguments = "SNAPSHOT",
        .purpose = "Leak suspects of one snapshot, each with its evidence, its path and the command\n"
                   "that shows more: what retains much and where it accumulates, containers far\n"
                   "larger than their like, caches without a bound, kept exceptions, finished\n"
                   "tasks, ended threads, suspended generators, references that nobody explains;\n"
                   "and what is wasted: equal strings, empty and sparse containers.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if ((status = ouro_fail_on_init(&fail_on, &scope)))
        return status;
    query.limit = json && !limited ? 0 : limit;
    return run(argv[first], &query, &fail_on, salvage, json);
}
