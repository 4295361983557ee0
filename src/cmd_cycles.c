/* ouro cycles: reference cycles, folded into patterns. */
#include "analysis/cycle_objects.h"
#include "analysis/cycles.h"
#include "analysis/info.h"
#include "base/guard.h"
#include "command.h"
#include "nodes.h"
#include "options.h"
#include "output.h"
#include "picture.h"
#include "render/page.h"
#include "render/picture.h"
#include "snapshots.h"

#define TEXT_LIMIT 20
#define PICTURE_LIMIT 10
#define CYCLES_OF_ONE 8

struct request {
    const char *path;
    unsigned flags;
    enum ouro_cycles_sort sort;
    uint64_t limit, budget, seconds;
    const char *object, *component; /* --object, --scc */
    struct ouro_picture_dest dest;
    bool advise, salvage, json;
};

/* A pattern with more boxes says less than its text. */
#define BOXES_OF_ONE 30

struct making {
    const struct request *request;
    struct ouro_heap_model *model;
    struct ouro_cycles *found;
    const struct ouro_retained *retained;
    ouro_node node;
    uint64_t member_count, drawn_count;
};

static int make_patterns(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    const struct making *making = context;
    struct ouro_err err;
    const struct ouro_picture_cycles picture = {making->found, making->request->limit, BOXES_OF_ONE, budget};
    enum ouro_status computed = ouro_picture_cycles(drawing, &picture, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, making->request->path, &err);
    *drawn = ouro_drawing_node_count(*drawing);
    return OURO_EXIT_DONE;
}

static int make_objects(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    struct making *making = context;
    struct ouro_err err;
    const struct ouro_cyclic *cyclic = &making->found->cyclic;
    const struct ouro_picture_options options = {.extra = OURO_PICTURE_ADDRESS, .retained = making->retained};
    OURO_GUARD(ouro_neighbourhood_fini) struct ouro_neighbourhood objects = {0};
    enum ouro_status computed =
        making->request->object
            ? ouro_cycle_objects_through(&objects, cyclic, making->node, CYCLES_OF_ONE, budget, &err)
            : ouro_cycle_objects_component(&objects, cyclic, making->node, budget, &making->member_count, &err);
    if (computed == OURO_OK && !objects.nodes.count) {
        ouro_command_complain("cycles: 0x%llx lies on no cycle", (unsigned long long)making->model->heap.addr[making->node]);
        return OURO_EXIT_USAGE;
    }
    if (computed == OURO_OK)
        computed = ouro_picture_neighbourhood(drawing, making->model, &objects, OURO_NEIGHBOURHOOD_REFERENTS, &options, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, making->request->path, &err);
    making->drawn_count = *drawn = objects.nodes.count;
    return OURO_EXIT_DONE;
}

/* The patterns, or the real objects: cycles through one, or its whole component. */
static int draw(const struct request *request, struct ouro_heap_model *model, struct ouro_cycles *found,
                const struct ouro_retained *retained)
{
    const char *text = request->object ? request->object : request->component;
    struct making making = {.request = request, .model = model, .found = found, .retained = retained};
    OURO_GUARD(ouro_nodes_fini) struct ouro_nodes nodes = {0};
    if (!text) {
        if (!found->rows.count)
            ouro_command_note("cycles: there is none to draw");
        return ouro_picture_draw("cycles", &request->dest, request->budget, request->seconds, make_patterns, &making);
    }
    int status = ouro_nodes_add(&nodes, "cycles", model, request->path, text, 1);
    if (status)
        return status;
    making.node = nodes.items[0];
    status = ouro_picture_draw("cycles", &request->dest, request->budget, request->seconds, make_objects, &making);
    if (!status && making.member_count > making.drawn_count)
        ouro_command_note("cycles: %llu of the %llu objects are drawn (--budget)", (unsigned long long)making.drawn_count,
                          (unsigned long long)making.member_count);
    return status;
}

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
    if (request->dest.path)
        return draw(request, &model, &found, &depth.retained);
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
    struct request request = {.budget = OURO_PICTURE_BUDGET, .seconds = OURO_PICTURE_SECONDS};
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
        OURO_PICTURE_OPTIONS(&request.dest),
        {0, "object", OURO_OPTION_TEXT, &request.object, NULL, "OBJECT", "draw the cycles through this object", NULL},
        {0, "scc", OURO_OPTION_TEXT, &request.component, NULL, "OBJECT",
         "draw all objects of its strongly connected\ncomponent", NULL},
        OURO_PICTURE_BUDGET_OPTIONS(&request.budget, &request.seconds),
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
    if ((status = ouro_picture_dest_check("cycles", &request.dest)))
        return status;
    if ((request.object || request.component) && (!request.dest.path || (request.object && request.component))) {
        ouro_command_complain(request.dest.path ? "cycles: --object and --scc exclude each other"
                                                : "cycles: --object and --scc draw: -o FILE says where to");
        return OURO_EXIT_USAGE;
    }
    request.path = argv[first];
    request.flags =
        (garbage ? OURO_CYCLES_GARBAGE : 0u) | (live ? OURO_CYCLES_REACHABLE : 0u) | (all ? OURO_CYCLES_ALL : 0u);
    request.sort = sort_values[sort];
    if (!limited)
        request.limit = request.dest.path ? PICTURE_LIMIT : request.json ? 0 : TEXT_LIMIT;
    return cycles(&request);
}
