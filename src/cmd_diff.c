/* ouro diff: what grew between snapshots, and who holds it. */
#include <stdlib.h>
#include <string.h>

#include "analysis/diff.h"
#include "base/guard.h"
#include "command.h"
#include "fail_on.h"
#include "options.h"
#include "output.h"
#include "picture.h"
#include "render/page_diff.h"
#include "render/picture.h"
#include "snapshots.h"

#define TEXT_LIMIT   10
#define DETAILS_MAX  50 /* rows that grew, and as many that shrank: each has a path to find */

enum section { BY_ALL, BY_PATH, BY_TYPE, BY_OBJECT, BY_RETAINED };

struct request {
    const char **paths; /* of the files, in the order of the comparison */
    size_t count;
    int by;
    bool salvage, json, reordered;
    size_t limit;
    struct ouro_diff_options options;
    struct ouro_fail_on fail_on;
    struct ouro_picture_dest dest;
    uint64_t budget, seconds;
};

/* A snapshot that is open. Zero-initialised: none. */
struct opened {
    struct ouro_heap_model model;
    struct ouro_diff_side side;
    bool has_model, has_side;
};

static void opened_fini(struct opened *opened)
{
    if (opened->has_side)
        ouro_diff_side_fini(&opened->side);
    if (opened->has_model)
        ouro_heap_model_close(&opened->model);
    memset(opened, 0, sizeof *opened);
}

static bool needs_paths(const struct request *request)
{
    return request->options.paths || request->options.objects || request->options.retained;
}

static int open_one(struct opened *opened, const struct request *request, size_t i)
{
    memset(opened, 0, sizeof *opened);
    int status = ouro_snapshots_open(&opened->model, request->paths[i], request->salvage);
    opened->has_model = !status;
    return status;
}

static int opened_init(struct opened *opened, const struct request *request, size_t i, struct ouro_diff_names *names)
{
    struct ouro_err err = {0};
    int status = open_one(opened, request, i);
    if (status)
        return status;
    enum ouro_status computed = ouro_diff_side_init(&opened->side, &opened->model, names, needs_paths(request), &err);
    opened->has_side = computed == OURO_OK;
    return computed == OURO_OK ? OURO_EXIT_DONE : ouro_command_fail_snapshot(computed, request->paths[i], &err);
}

/* The two at once. */
static int opened_init_both(struct opened *before, struct opened *after, const struct request *request, size_t i, size_t j,
                            struct ouro_diff_names *names)
{
    struct ouro_err err = {0};
    unsigned failed;
    int status = open_one(before, request, i);
    if (!status)
        status = open_one(after, request, j);
    if (status)
        return status;
    struct ouro_diff_side *const sides[] = {&before->side, &after->side};
    struct ouro_heap_model *const models[] = {&before->model, &after->model};
    enum ouro_status computed = ouro_diff_sides_init(sides, models, names, needs_paths(request), &failed, &err);
    before->has_side = after->has_side = computed == OURO_OK;
    return computed == OURO_OK ? OURO_EXIT_DONE : ouro_command_fail_snapshot(computed, request->paths[failed ? j : i], &err);
}

/* --- Order */

struct dated {
    const char *path;
    double time;
    size_t place;
};

static int by_time(const void *a, const void *b)
{
    const struct dated *left = a, *right = b;
    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    return (left->place > right->place) - (left->place < right->place);
}

/* Three or more have steps only in the order of time. Two may be turned round on purpose: that is only said. */
static int order_files(struct request *request)
{
    OURO_FREE struct dated *files = calloc(request->count, sizeof *files);
    bool known = true, ordered = true;
    if (!files)
        return OURO_EXIT_OTHER;
    for (size_t i = 0; i < request->count; i++) {
        OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
        struct ouro_err err = {0};
        enum ouro_status opened = ouro_heap_model_open(&model, request->paths[i], request->salvage ? OURO_OPEN_SALVAGE : 0, &err);
        if (opened != OURO_OK)
            return ouro_command_fail_snapshot(opened, request->paths[i], &err);
        const char *time = ouro_snapshot_meta(model.snapshot, OURO_META_TIME, NULL);
        known &= time != NULL;
        files[i] = (struct dated){request->paths[i], time ? strtod(time, NULL) : 0, i};
        ordered &= !i || files[i].time >= files[i - 1].time;
    }
    if (!known || ordered)
        return OURO_EXIT_DONE;
    if (request->count == 2) {
        ouro_command_note("%s was captured after %s: what came shows as gone", request->paths[0], request->paths[1]);
        return OURO_EXIT_DONE;
    }
    qsort(files, request->count, sizeof *files, by_time);
    for (size_t i = 0; i < request->count; i++)
        request->paths[i] = files[i].path;
    request->reordered = true;
    ouro_command_note("the snapshots are compared in the order in which they were captured");
    return OURO_EXIT_DONE;
}

/* --- Conditions */

static void sum_types(struct request *request, const struct ouro_selector *selector, const struct ouro_diff_side *side,
                      double *count, double *bytes)
{
    for (size_t i = 0; i < side->types.count; i++) {
        const struct ouro_histogram_row *row = &side->types.items[i];
        if (!ouro_selector_matches(selector, side->model, row->type, NULL) ||
            ouro_suppressions_match(&request->fail_on.suppressions, side->model, row->type, NULL))
            continue;
        *count += (double)row->count;
        *bytes += (double)row->shallow_bytes;
    }
}

/* What came is more than what went; both is all that is known of a path. */
static void sum_paths(const struct ouro_selector *selector, const struct ouro_diff_paths *paths, double *count, double *bytes)
{
    for (size_t i = 0; i < paths->rows.count; i++) {
        const struct ouro_diff_path_row *row = &paths->rows.items[i];
        OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
        ouro_diff_paths_add(paths, row, &text);
        if (row->suppressed || !ouro_selector_matches(selector, NULL, OURO_TYPE_NONE, ouro_buf_text(&text)))
            continue;
        *count += (double)ouro_diff_path_count(row);
        *bytes += (double)ouro_diff_path_bytes(row);
    }
}

static double uncollectable(const struct ouro_diff_side *side)
{
    size_t count;
    double sum = (double)side->collector.uncollectable_count;
    const struct ouro_interpreter_record *records = ouro_snapshot_interpreters(side->model->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        int64_t length = ouro_diff_length(side->model, records[i].garbage);
        sum += length > 0 ? (double)length : 0;
    }
    return sum;
}

static void evaluate(struct request *request, const struct ouro_diff *diff)
{
    for (size_t i = 0; i < request->fail_on.parsed.count; i++) {
        const struct ouro_condition *condition = &request->fail_on.parsed.items[i].condition;
        double count[2] = {0, 0}, bytes[2] = {0, 0};
        switch (condition->metric) {
        case OURO_METRIC_GARBAGE:
        case OURO_METRIC_GARBAGE_BYTES:
            count[0] = (double)diff->between.garbage_before;
            count[1] = (double)diff->between.garbage_after;
            bytes[0] = (double)diff->between.garbage_bytes_before;
            bytes[1] = (double)diff->between.garbage_bytes_after;
            break;
        case OURO_METRIC_UNCOLLECTABLE:
            count[0] = uncollectable(diff->before);
            count[1] = uncollectable(diff->after);
            break;
        default:
            if (condition->selector.path[0]) {
                sum_paths(&condition->selector, &diff->paths, &count[1], &bytes[1]);
                break;
            }
            sum_types(request, &condition->selector, diff->before, &count[0], &bytes[0]);
            sum_types(request, &condition->selector, diff->after, &count[1], &bytes[1]);
            int64_t count_change, bytes_change;
            if (diff->has_paths && diff->paths.suppressed.rows && !condition->selector.type[0] &&
                ouro_diff_unsuppressed(diff, &request->fail_on.suppressions, &count_change, &bytes_change) == OURO_OK) {
                count[1] = count[0] + (double)count_change;
                bytes[1] = bytes[0] + (double)bytes_change;
            }
        }
        bool in_bytes = condition->metric == OURO_METRIC_BYTES || condition->metric == OURO_METRIC_GARBAGE_BYTES;
        ouro_fail_on_set(&request->fail_on, i, in_bytes ? bytes[0] : count[0], in_bytes ? bytes[1] : count[1]);
    }
}

/* --- The comparison */

static enum ouro_status detail(const struct request *request, struct ouro_diff_paths *paths, struct ouro_err *err)
{
    size_t most = request->limit && request->limit < DETAILS_MAX ? request->limit : DETAILS_MAX, grew = 0, shrank = 0;
    for (size_t i = 0; i < paths->rows.count && grew < most; i++)
        if (ouro_diff_paths_is_shown(paths, &paths->rows.items[i]) && ouro_diff_path_bytes(&paths->rows.items[i]) >= 0) {
            OURO_TRY(ouro_diff_paths_detail(paths, &paths->rows.items[i], err));
            grew++;
        }
    for (size_t i = paths->rows.count; i-- && shrank < most;)
        if (ouro_diff_paths_is_shown(paths, &paths->rows.items[i]) && ouro_diff_path_bytes(&paths->rows.items[i]) < 0) {
            OURO_TRY(ouro_diff_paths_detail(paths, &paths->rows.items[i], err));
            shrank++;
        }
    return OURO_OK;
}

struct making {
    const struct request *request;
    const struct ouro_diff_paths *paths;
};

static int make(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    const struct making *making = context;
    struct ouro_err err;
    enum ouro_status status = ouro_picture_diff(drawing, making->paths, budget, &err);
    if (status != OURO_OK)
        return ouro_command_fail_snapshot(status, making->request->paths[making->request->count - 1], &err);
    *drawn = ouro_drawing_node_count(*drawing);
    return OURO_EXIT_DONE;
}

static int print(struct request *request, struct ouro_diff *diff, const struct ouro_diff_names *names,
                 const struct ouro_diff_trend *trend)
{
    struct ouro_dest output;
    struct ouro_err err = {0};
    bool all = request->by == BY_ALL;
    if (diff->has_paths) {
        enum ouro_status computed = detail(request, &diff->paths, &err);
        if (computed != OURO_OK)
            return ouro_command_fail_snapshot(computed, request->paths[request->count - 1], &err);
    }
    evaluate(request, diff);
    if (request->dest.path) {
        struct making making = {request, &diff->paths};
        int drawn = ouro_picture_draw("diff", &request->dest, request->budget, request->seconds, make, &making);
        return drawn ? drawn : ouro_fail_on_finish(&request->fail_on);
    }
    int status = ouro_dest_open(&output, NULL);
    if (status)
        return status;
    const struct ouro_page_diff page = {
        .diff = diff,
        .names = names,
        .trend = trend,
        .files = request->paths,
        .file_count = request->count,
        .paths = all || request->by == BY_PATH,
        .types = all || request->by == BY_TYPE,
        .objects = all || request->by == BY_OBJECT,
        .retained = all || request->by == BY_RETAINED,
        .reordered = request->reordered,
        .each_object = request->by == BY_OBJECT,
        .limit = request->limit,
        .type = request->options.type,
        .more_json = ouro_fail_on_json,
        .context = &request->fail_on,
    };
    if (request->json)
        ouro_page_diff_json(&output.out, &page);
    else
        ouro_page_diff_text(&output.out, &page, ouro_command_columns());
    status = ouro_dest_close(&output, OURO_EXIT_DONE);
    return status ? status : ouro_fail_on_finish(&request->fail_on);
}

static int fail(const struct request *request, size_t i, enum ouro_status status, const struct ouro_err *err)
{
    return ouro_command_fail_snapshot(status, request->paths[i], err);
}

/* Each with its neighbour, two open at a time. */
static int step_through(struct request *request, struct ouro_diff_names *names, struct ouro_diff_trend *trend)
{
    const struct ouro_diff_options options = {
        .threshold = 0, .type = request->options.type, .suppressions = request->options.suppressions, .paths = true};
    struct opened held[2] = {{.has_model = false}, {.has_model = false}};
    int status = opened_init_both(&held[0], &held[1], request, 0, 1, names);
    for (size_t i = 1; i < request->count && !status; i++) {
        struct opened *before = &held[(i - 1) & 1], *after = &held[i & 1];
        struct ouro_diff diff;
        struct ouro_err err = {0};
        if (i > 1 && (status = opened_init(after, request, i, names)))
            break;
        enum ouro_status computed = ouro_diff_init(&diff, &before->side, &after->side, &options, &err);
        if (computed == OURO_OK) {
            computed = ouro_diff_trend_add(trend, i - 1, &diff);
            ouro_diff_fini(&diff);
        }
        if (computed != OURO_OK)
            status = fail(request, i, computed, &err);
        opened_fini(before);
    }
    opened_fini(&held[0]);
    opened_fini(&held[1]);
    return status;
}

static int compare(struct request *request, struct ouro_diff_names *names, const struct ouro_diff_trend *trend)
{
    OURO_GUARD(opened_fini) struct opened before = {.has_model = false};
    OURO_GUARD(opened_fini) struct opened after = {.has_model = false};
    struct ouro_err err = {0};
    struct ouro_diff diff;
    int status = opened_init_both(&before, &after, request, 0, request->count - 1, names);
    if (status)
        return status;
    enum ouro_status computed = ouro_diff_init(&diff, &before.side, &after.side, &request->options, &err);
    if (computed != OURO_OK)
        return fail(request, request->count - 1, computed, &err);
    status = print(request, &diff, names, trend);
    ouro_diff_fini(&diff);
    return status;
}

static int run(struct request *request)
{
    OURO_GUARD(ouro_diff_names_fini) struct ouro_diff_names names = {.scratch = {0}};
    OURO_GUARD(ouro_diff_trend_fini) struct ouro_diff_trend trend = {.step_count = request->count - 1};
    int status = order_files(request);
    if (status)
        return status;
    if (ouro_diff_names_init(&names) != OURO_OK) {
        ouro_command_complain("diff: out of memory");
        return OURO_EXIT_OTHER;
    }
    if (request->count > 2) {
        if ((status = step_through(request, &names, &trend)))
            return status;
        ouro_diff_trend_settle(&trend, &names);
    }
    return compare(request, &names, request->count > 2 ? &trend : NULL);
}

int ouro_cmd_diff(int argc, char **argv)
{
    static const char *const sections[] = {"all", "path", "type", "object", "retained", NULL};
    struct request request = {
        .fail_on = {.command = "diff"}, .budget = OURO_PICTURE_BUDGET, .seconds = OURO_PICTURE_SECONDS};
    bool limited = false, bounded = false;
    uint64_t limit = 0;
    const struct ouro_option options[] = {
        {'b',                                            "by", OURO_OPTION_CHOICE, &request.by, NULL, "WHAT",
         "path (who holds what grew), type, object (of one\n"
         "process), retained (the dominator tree); all", sections},
        {'n',                            "limit", OURO_OPTION_COUNT, &limit, &limited, "N",
         "so many rows of each list (default 10, 0 and with\n"
         "--json: all)", NULL},
        {'t',                                          "type", OURO_OPTION_TEXT, &request.options.type, NULL, "TYPE",
         "by type and by object: only types of this name,\n"
         "qualified name or glob", NULL},
        {0, "threshold", OURO_OPTION_SIZE, &request.options.threshold, &bounded, "SIZE",
         "what grew by less is noise (default 32K, or a\n"
         "hundredth of all growth if that is more)", NULL},
        OURO_PICTURE_OPTIONS(&request.dest),
        OURO_PICTURE_BUDGET_OPTIONS(&request.budget, &request.seconds),
        OURO_FAIL_ON_OPTIONS(&request.fail_on, "'type=app.User count>+100', 'bytes>+10%', 'garbage>0'"),
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0                                             },
    };
    const struct ouro_usage usage = {
        .command = "diff",
        .arguments = "A B [C ...]",
        .purpose = "What changed from snapshot A to B: what grew by the path that holds it, with the\n"
                   "container that grew as an expression; by type; in the dominator tree; object by\n"
                   "object where both are of one process. With three or more: what grows in every\n"
                   "step, what came and went, what came only once.",
        .least = 2,
        .most = -1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if ((status = ouro_picture_dest_check("diff", &request.dest)))
        return status;
    if (request.dest.path && request.by != BY_ALL && request.by != BY_PATH) {
        ouro_command_complain("diff: paths are drawn (-o): not together with --by type, object or retained");
        return OURO_EXIT_USAGE;
    }
    if (request.dest.path)
        request.by = BY_PATH;
    request.count = (size_t)(argc - first);
    request.paths = calloc(request.count, sizeof *request.paths);
    status = request.paths ? ouro_fail_on_init(&request.fail_on, &ouro_fail_on_diff_scope) : OURO_EXIT_OTHER;
    if (!status) {
        memcpy(request.paths, argv + first, request.count * sizeof *request.paths);
        bool all = request.by == BY_ALL;
        request.limit = limited ? limit : request.json ? 0 : TEXT_LIMIT;
        if (!bounded)
            request.options.threshold = UINT64_MAX;
        request.options.suppressions = &request.fail_on.suppressions;
        request.options.paths = all || request.by == BY_PATH || request.count > 2 || request.fail_on.parsed.count;
        request.options.objects = all || request.by == BY_OBJECT;
        request.options.retained = all || request.by == BY_RETAINED;
        status = run(&request);
    }
    ouro_fail_on_fini(&request.fail_on);
    free(request.paths);
    return status;
}
