/* ouro garbage: what the collector would find, what it can't or won't free, and why. */
#include "analysis/garbage.h"
#include "analysis/info.h"
#include "base/guard.h"
#include "command.h"
#include "fail_on.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define TEXT_LIMIT 10

#define METRICS (1u << OURO_METRIC_GARBAGE | 1u << OURO_METRIC_GARBAGE_BYTES | 1u << OURO_METRIC_UNCOLLECTABLE)
static const struct ouro_condition_scope scope = {.metrics = METRICS, .with_type = METRICS};

/* What of a set matches a condition's type and is not suppressed. */
static void sum(struct ouro_fail_on *fail_on, const struct ouro_selector *selector, const struct ouro_heap_model *model,
                const struct ouro_histogram *types, double *count, double *bytes)
{
    for (size_t i = 0; i < types->count; i++) {
        const struct ouro_histogram_row *row = &types->items[i];
        if (!ouro_selector_matches(selector, model, row->type, NULL) ||
            ouro_suppressions_match(&fail_on->suppressions, model, row->type, NULL))
            continue;
        *count += (double)row->count;
        *bytes += (double)row->shallow_bytes;
    }
}

static void evaluate(struct ouro_fail_on *fail_on, const struct ouro_heap_model *model, const struct ouro_garbage *garbage)
{
    for (size_t i = 0; i < fail_on->parsed.count; i++) {
        const struct ouro_condition *condition = &fail_on->parsed.items[i].condition;
        double count = 0, bytes = 0;
        if (condition->metric == OURO_METRIC_UNCOLLECTABLE) {
            sum(fail_on, &condition->selector, model, &garbage->uncollectable.types, &count, &bytes);
            sum(fail_on, &condition->selector, model, &garbage->members.types, &count, &bytes);
        } else {
            sum(fail_on, &condition->selector, model, &garbage->unreachable.types, &count, &bytes);
        }
        ouro_fail_on_set(fail_on, i, 0, condition->metric == OURO_METRIC_GARBAGE_BYTES ? bytes : count);
    }
}

int ouro_cmd_garbage(int argc, char **argv)
{
    static const char *const generations[] = {"0", "1", "2", NULL};
    bool json = false, salvage = false, limited = false;
    int generation = 2;
    uint64_t limit = 0;
    OURO_GUARD(ouro_fail_on_fini) struct ouro_fail_on fail_on = {.command = "garbage"};
    const struct ouro_option options[] = {
        {'g',                 "generation", OURO_OPTION_CHOICE, &generation, NULL, "GEN",
         "what a collection of this generation would\n"
         "find: 0, 1 or 2 (default: a full one)", generations},
        {'n', "limit", OURO_OPTION_COUNT, &limit, &limited, "N",
         "so many of each list (default 10, 0 and with\n"
         "--json: all)", NULL},
        OURO_FAIL_ON_OPTIONS(&fail_on, "'garbage>0', 'type=app.User garbage>100',\n'uncollectable>0'"),
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
    if ((status = ouro_fail_on_init(&fail_on, &scope)))
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
    const struct ouro_page_garbage page = {&model, &garbage, &info, full ? &cycles : NULL, ouro_fail_on_json, &fail_on};
    evaluate(&fail_on, &model, &garbage);
    if (json)
        ouro_page_garbage_json(&output.out, &page, limit);
    else
        ouro_page_garbage_text(&output.out, &page, limited ? limit : TEXT_LIMIT, ouro_command_columns());
    status = ouro_dest_close(&output, OURO_EXIT_DONE);
    return status ? status : ouro_fail_on_finish(&fail_on);
}
