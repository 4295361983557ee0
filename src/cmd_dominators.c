/* ouro dominators: what keeps how much alive, from the top down. */
#include "analysis/pattern.h"
#include "base/guard.h"
#include "command.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "picture.h"
#include "render/page.h"
#include "snapshots.h"

/* So much that the first page of a service is about a screen or two. */
#define DEPTH      5
#define ROWS       10
#define SHARE_LEAST 0.5

struct request {
    const char *path;
    bool has_object;
    struct ouro_object object;
    uint64_t budget, seconds;
    struct ouro_picture_dest dest;
    struct ouro_dominator_query query;
    bool salvage, json;
};

static int print(const struct request *request, const struct ouro_page_dominators *page)
{
    struct ouro_dest output;
    int status = ouro_dest_open(&output, NULL);
    if (status)
        return status;
    if (request->json)
        ouro_page_dominators_json(&output.out, page);
    else
        ouro_page_dominators_text(&output.out, page, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

struct making {
    const struct request *request;
    struct ouro_heap_model *model;
    const struct ouro_depth *depth;
};

/* Rows that retain little go first, into the rests of those above them: as long as there are more than the budget. */
static int make(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    const struct making *making = context;
    struct ouro_dominator_query query = making->request->query;
    for (;;) {
        OURO_GUARD(ouro_dominator_tree_fini) struct ouro_dominator_tree tree = {0};
        struct ouro_err err;
        enum ouro_status computed = ouro_dominator_tree_init(&tree, making->model, &making->depth->roots,
                                                             &making->depth->retained, &query, &err);
        bool fits = !budget || tree.count <= budget || query.share_min >= 100;
        if (computed == OURO_OK && fits)
            computed = ouro_picture_dominators(drawing, making->model, &tree, query.grouping, &err);
        if (computed != OURO_OK)
            return ouro_command_fail_snapshot(computed, making->request->path, &err);
        *drawn = tree.count;
        if (fits)
            return OURO_EXIT_DONE;
        query.share_min = query.share_min < SHARE_LEAST / 10 ? SHARE_LEAST / 10 : 1.5 * query.share_min;
        query.share_min = query.share_min > 100 ? 100 : query.share_min;
    }
}

static int run(struct request *request)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, OURO_DEPTH_RETAINED, OURO_DOMINATOR_TREE_COLUMNS | OURO_OBJECT_COLUMNS,
                                  request->path)))
        return status;
    if (request->has_object &&
        (status = ouro_object_find(&request->object, &model, &depth.roots, request->path, &request->query.top)))
        return status;
    struct making making = {request, &model, &depth};
    if (request->dest.path)
        return ouro_picture_draw("dominators", &request->dest, request->budget, request->seconds, make, &making);
    OURO_GUARD(ouro_dominator_tree_fini) struct ouro_dominator_tree tree;
    enum ouro_status computed =
        ouro_dominator_tree_init(&tree, &model, &depth.roots, &depth.retained, &request->query, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    OURO_GUARD(ouro_info_fini) struct ouro_info info;
    computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    return print(request, &(struct ouro_page_dominators){&model, &depth.roots, &tree, &request->query, &info});
}

int ouro_cmd_dominators(int argc, char **argv)
{
    static const char *const groups[] = {"type", "module", "none", NULL};
    static const enum ouro_dominator_grouping group_values[] = {OURO_DOMINATOR_GROUP_TYPE, OURO_DOMINATOR_GROUP_MODULE,
                                                                OURO_DOMINATOR_GROUP_NONE};
    uint64_t depth = DEPTH, rows = ROWS, size = 0;
    bool has_share = false, has_size = false, has_group = false;
    const char *share = NULL;
    int group = 0;
    struct request request = {.query = {.top = OURO_NODE_NONE, .share_min = SHARE_LEAST},
                              .budget = OURO_PICTURE_BUDGET, .seconds = OURO_PICTURE_SECONDS};
    const struct ouro_option options[] = {
        {'d', "depth", OURO_OPTION_COUNT, &depth, NULL, "N", "levels below the top (default 5, 0: all)", NULL},
        {'n', "limit", OURO_OPTION_COUNT, &rows, NULL, "N", "so many rows below each (default 10, 0: all)", NULL},
        {0, "min-size", OURO_OPTION_SIZE, &size, &has_size, "SIZE", "only what retains so much", NULL},
        {0, "min-share", OURO_OPTION_TEXT, &share, &has_share, "PERCENT",
         "only what retains so much of the whole, or of OBJECT\n"
         "(default 0.5 unless --min-size is given)", NULL},
        {'g', "group", OURO_OPTION_CHOICE, &group, &has_group, "HOW",
         "siblings together by type or module, with what is\n"
         "below them; none: each by itself. By default those\n"
         "that are too small or too many, by type", groups},
        OURO_PICTURE_OPTIONS(&request.dest),
        OURO_PICTURE_BUDGET_OPTIONS(&request.budget, &request.seconds),
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "dominators",
        .arguments = "SNAPSHOT [OBJECT]",
        .purpose = "The dominator tree from the top: below each object stands what would be freed\n"
                   "with it, and how much that is. At the top: what named roots reach, what only\n"
                   "native code holds, what only garbage holds. With OBJECT, an expression\n"
                   "(app.CACHE['user:1']), an address (0x7f..) or a decimal id(), the tree below\n"
                   "that.",
        .least = 1,
        .most = 2,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if ((status = ouro_picture_dest_check("dominators", &request.dest)))
        return status;
    if (has_size)
        request.query.share_min = 0;
    if (has_share && !ouro_pattern_percent(share, &request.query.share_min)) {
        ouro_command_complain("dominators: --min-share takes a percentage from 0 to 100, not \"%s\"", share);
        return OURO_EXIT_USAGE;
    }
    request.query.depth = depth;
    request.query.child_count = rows;
    request.query.retained_min = size;
    request.query.grouping = has_group ? group_values[group] : OURO_DOMINATOR_GROUP_SMALL;
    request.path = argv[first];
    request.has_object = argc - first > 1;
    if (request.has_object && !ouro_object_parse("dominators", argv[first + 1], &request.object))
        return OURO_EXIT_USAGE;
    status = run(&request);
    ouro_object_fini(&request.object);
    return status;
}
