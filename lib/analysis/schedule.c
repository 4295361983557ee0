#include "analysis/schedule.h"

#include <string.h>

#define LONG_LIVED_PART 4 /* long_lived_pending < long_lived_total / 4 */

/* Thresholds are ints of the target. */
static int64_t threshold(const struct ouro_interpreter_record *interpreter, unsigned generation)
{
    return (int32_t)(uint32_t)interpreter->threshold[generation];
}

static uint64_t missing(const struct ouro_interpreter_record *interpreter, unsigned generation)
{
    int64_t wanted = threshold(interpreter, generation), count = interpreter->count[generation];
    return count > wanted ? 0 : (uint64_t)wanted - (uint64_t)count + 1;
}

void ouro_schedule_of(struct ouro_schedule *schedule, const struct ouro_heap_model *model,
                      const struct ouro_interpreter_record *interpreter)
{
    const char *kind = ouro_snapshot_meta(model->snapshot, OURO_META_COLLECTOR, NULL);
    memset(schedule, 0, sizeof *schedule);
    schedule->incremental = kind && !strcmp(kind, "incremental");
    schedule->kind = interpreter->gc_collecting   ? OURO_SCHEDULE_COLLECTING
                     : !interpreter->gc_enabled   ? OURO_SCHEDULE_DISABLED
                     : !threshold(interpreter, 0) ? OURO_SCHEDULE_NEVER
                                                  : OURO_SCHEDULE_WAITING;
    schedule->allocations = missing(interpreter, 0);
    if (schedule->incremental) {
        schedule->generation = 1; /* an increment */
        return;
    }
    int64_t quarter = interpreter->long_lived_total / LONG_LIVED_PART;
    schedule->until_full = missing(interpreter, 2);
    schedule->survivors =
        interpreter->long_lived_pending < quarter ? (uint64_t)quarter - (uint64_t)interpreter->long_lived_pending : 0;
    if (!schedule->until_full && !schedule->survivors)
        schedule->generation = 2;
    else if (!missing(interpreter, 1))
        schedule->generation = 1;
}

const char *ouro_schedule_kind_name(enum ouro_schedule_kind kind)
{
    static const char *const names[] = {"disabled", "never", "collecting", "waiting"};
    return names[kind];
}

static void describe_full(struct ouro_buf *out, const struct ouro_schedule *schedule)
{
    if (schedule->incremental) {
        ouro_buf_add_text(out, ", an increment: it takes up the young objects and a part of the older ones");
        return;
    }
    ouro_buf_addf(out, ", of generation %u", schedule->generation);
    if (schedule->generation == 2)
        return;
    ouro_buf_add_text(out, "; a full collection is put off until ");
    if (schedule->until_full)
        ouro_buf_addf(out, "%llu more of generation 1 have run", (unsigned long long)schedule->until_full);
    if (schedule->until_full && schedule->survivors)
        ouro_buf_add_text(out, " and ");
    if (schedule->survivors)
        ouro_buf_addf(out,
                      "%llu more objects have survived such a one (a quarter of those that the last full one left)",
                      (unsigned long long)schedule->survivors);
}

void ouro_schedule_describe(struct ouro_buf *out, const struct ouro_schedule *schedule)
{
    switch (schedule->kind) {
    case OURO_SCHEDULE_DISABLED:
        ouro_buf_add_text(out, "never by itself: it is disabled (gc.disable()), and only gc.collect() frees garbage");
        return;
    case OURO_SCHEDULE_NEVER:
        ouro_buf_add_text(out, "never by itself: its threshold of generation 0 is 0 (gc.set_threshold(0))");
        return;
    case OURO_SCHEDULE_COLLECTING:
        ouro_buf_add_text(out, "one is running");
        return;
    case OURO_SCHEDULE_WAITING:
        break;
    }
    if (schedule->allocations)
        ouro_buf_addf(out, "when %llu more container objects have been made than freed",
                      (unsigned long long)schedule->allocations);
    else
        ouro_buf_add_text(out, "with the next container object that is made");
    describe_full(out, schedule);
}
