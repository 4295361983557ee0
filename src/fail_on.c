#include "fail_on.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/guard.h"
#include "command.h"

#define FILE_BYTES_MAX (16u << 20)

#define DIFF_METRICS (1u << OURO_METRIC_COUNT | 1u << OURO_METRIC_BYTES)
#define ALL_METRICS \
    (DIFF_METRICS | 1u << OURO_METRIC_GARBAGE | 1u << OURO_METRIC_GARBAGE_BYTES | 1u << OURO_METRIC_UNCOLLECTABLE)

const struct ouro_condition_scope ouro_fail_on_diff_scope = {ALL_METRICS, DIFF_METRICS, DIFF_METRICS, true};

static void point_at(const char *text, size_t size, size_t place)
{
    ouro_command_complain("  %.*s", (int)size, text);
    ouro_command_complain("  %*s^", (int)place, "");
}

static int parse_conditions(struct ouro_fail_on *fail_on, const struct ouro_condition_scope *scope)
{
    for (size_t i = 0; i < fail_on->conditions.count; i++) {
        const char *text = fail_on->conditions.items[i];
        struct ouro_err err = {0};
        size_t place;
        struct ouro_fail_on_item *item = OURO_VEC_ADD(&fail_on->parsed);
        if (!item) {
            ouro_command_complain("%s: out of memory", fail_on->command);
            return OURO_EXIT_OTHER;
        }
        if (ouro_condition_parse(&item->condition, text, scope, &place, &err) != OURO_OK) {
            ouro_command_complain("%s: --fail-on: %s", fail_on->command, err.msg);
            point_at(text, strlen(text), place);
            return OURO_EXIT_USAGE;
        }
    }
    return OURO_EXIT_DONE;
}

static int read_file(struct ouro_fail_on *fail_on, const char *path)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf bytes = {0};
    OURO_FCLOSE FILE *file = fopen(path, "r");
    char piece[4096];
    size_t size, line, place;
    struct ouro_err err = {0};
    while (file && bytes.size < FILE_BYTES_MAX && (size = fread(piece, 1, sizeof piece, file)) > 0)
        ouro_buf_add(&bytes, piece, size);
    if (!file || ferror(file)) {
        ouro_command_complain("%s: --suppress: %s: %s", fail_on->command, path, strerror(errno));
        return OURO_EXIT_USAGE;
    }
    if (bytes.failed || bytes.size >= FILE_BYTES_MAX) {
        ouro_command_complain("%s: --suppress: %s is too large", fail_on->command, path);
        return OURO_EXIT_OTHER;
    }
    const char *text = ouro_buf_text(&bytes);
    if (ouro_suppressions_parse(&fail_on->suppressions, text, bytes.size, &line, &place, &err) == OURO_OK)
        return OURO_EXIT_DONE;
    ouro_command_complain("%s: --suppress: %s:%zu: %s", fail_on->command, path, line, err.msg);
    for (size_t i = 1; i < line; i++)
        text = strchr(text, '\n') + 1;
    point_at(text, strcspn(text, "\n"), place);
    return OURO_EXIT_USAGE;
}

int ouro_fail_on_init(struct ouro_fail_on *fail_on, const struct ouro_condition_scope *scope)
{
    int status = parse_conditions(fail_on, scope);
    for (size_t i = 0; i < fail_on->files.count && !status; i++)
        status = read_file(fail_on, fail_on->files.items[i]);
    return status;
}

void ouro_fail_on_fini(struct ouro_fail_on *fail_on)
{
    free(fail_on->parsed.items);
    fail_on->parsed.items = NULL;
    fail_on->parsed.count = fail_on->parsed.capacity = 0;
    ouro_suppressions_fini(&fail_on->suppressions);
}

void ouro_fail_on_set(struct ouro_fail_on *fail_on, size_t i, double before, double after)
{
    struct ouro_fail_on_item *item = &fail_on->parsed.items[i];
    item->before = before;
    item->after = after;
    item->evaluated = true;
    item->holds = ouro_condition_holds(&item->condition, before, after);
}

int ouro_fail_on_finish(const struct ouro_fail_on *fail_on)
{
    int status = OURO_EXIT_DONE;
    for (size_t i = 0; i < fail_on->parsed.count; i++) {
        const struct ouro_fail_on_item *item = &fail_on->parsed.items[i];
        const char *metric = ouro_metric_name(item->condition.metric);
        if (!item->holds)
            continue;
        status = OURO_EXIT_FAIL_ON;
        if (!item->condition.change)
            ouro_command_complain("%s: --fail-on %s: %s is %.0f", fail_on->command, item->condition.text, metric,
                                  item->after);
        else if (item->condition.percent && item->before > 0)
            ouro_command_complain("%s: --fail-on %s: %s went from %.0f to %.0f (%+.1f%%)", fail_on->command,
                                  item->condition.text, metric, item->before, item->after,
                                  100 * (item->after - item->before) / item->before);
        else
            ouro_command_complain("%s: --fail-on %s: %s went from %.0f to %.0f (%+.0f)", fail_on->command,
                                  item->condition.text, metric, item->before, item->after, item->after - item->before);
    }
    return status;
}

void ouro_fail_on_json(const void *context, struct ouro_json *json)
{
    const struct ouro_fail_on *fail_on = context;
    if (!fail_on->parsed.count)
        return;
    ouro_json_array(json, "fail_on");
    for (size_t i = 0; i < fail_on->parsed.count; i++) {
        const struct ouro_fail_on_item *item = &fail_on->parsed.items[i];
        ouro_json_object(json, NULL);
        ouro_json_string(json, "condition", item->condition.text);
        ouro_json_bool(json, "holds", item->holds);
        ouro_json_string(json, "metric", ouro_metric_name(item->condition.metric));
        if (item->condition.change)
            ouro_json_int(json, "before", (int64_t)item->before);
        ouro_json_int(json, "value", (int64_t)item->after);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}
