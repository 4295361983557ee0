/* ouro show: one object. */
#include "analysis/neighbours.h"
#include "analysis/particulars.h"
#include "analysis/path_answer.h"
#include "base/guard.h"
#include "command.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

struct request {
    const char *path;
    struct ouro_object object;
    uint64_t limit;
    bool fast, retained, salvage, json;
};

static int show(const struct request *request)
{
    int status;
    ouro_node node;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    enum ouro_status computed = ouro_heap_model_load(&model, OURO_OBJECT_COLUMNS, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    if ((status = ouro_object_find(&request->object, &model, NULL, request->path, &node)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, request->fast ? OURO_DEPTH_NONE : OURO_DEPTH_RETAINED,
                                  OURO_HEAP_ALL & ~OURO_HEAP_GC_ORDER, request->path)))
        return status;
    OURO_GUARD(ouro_neighbours_fini) struct ouro_neighbours neighbours;
    computed = ouro_neighbours_init(&neighbours, &model, node, request->limit, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    OURO_GUARD(ouro_dominator_chain_fini) struct ouro_dominator_chain chain = {0};
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder = {0};
    OURO_GUARD(ouro_path_answer_fini) struct ouro_path_answer answer = {0};
    struct ouro_particulars particulars;
    ouro_particulars_find(&particulars, &model, node);
    if (!request->fast)
        computed = ouro_dominator_chain_init(&chain, &model, &depth.retained, node, request->limit, &err);
    if (!request->fast && computed == OURO_OK)
        computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed == OURO_OK)
        computed = ouro_path_finder_init(&finder, &model, &err);
    if (computed == OURO_OK)
        computed = ouro_path_finder_run(&finder, &node, 1, &err);
    if (computed == OURO_OK)
        computed = ouro_path_answer_init(&answer, &finder, node, 1, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    const struct ouro_page_object page = {
        .model = &model,
        .neighbours = &neighbours,
        .particulars = &particulars,
        .collector = ouro_depth_collector(&depth),
        .roots = ouro_depth_roots(&depth),
        .retained = ouro_depth_retained(&depth),
        .dominators = request->fast ? NULL : &chain,
        .path = &answer,
        .info = request->fast ? NULL : &info,
    };
    if (request->json)
        ouro_page_object_json(&output.out, &page);
    else
        ouro_page_object_text(&output.out, &page, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

int ouro_cmd_show(int argc, char **argv)
{
    struct request request = {.limit = 20};
    bool limited = false;
    const struct ouro_option options[] = {
        {'n', "limit", OURO_OPTION_COUNT, &request.limit, &limited, "N",
         "so many referents, referrers, weak references and\n"
         "dominators (default 20, 0 and with --json: all)", NULL},
        {0, "fast", OURO_OPTION_FLAG, &request.fast, NULL, NULL,
         "no retained size, no dominators: of heaps of many\n"
         "millions of objects these take most of the time", NULL},
        {'r', "retained", OURO_OPTION_FLAG, &request.retained, NULL, NULL, "the opposite, and the default", NULL},
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "show",
        .arguments = "SNAPSHOT OBJECT",
        .purpose = "One object: type, value, sizes, how far its reference count is explained, its\n"
                   "shortest path and its dominators, what it refers to, and what refers to it.\n"
                   "Of a class its instances, of a module its file, of frames and generators where\n"
                   "they stand, of a lock who has it. OBJECT is an expression as Python would\n"
                   "have it (app.CACHE['user:1'].profile), an address (0x7f..) or a decimal id().",
        .least = 2,
        .most = 2,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (request.json && !limited)
        request.limit = 0;
    request.path = argv[first];
    if (!ouro_object_parse("show", argv[first + 1], &request.object))
        return OURO_EXIT_USAGE;
    status = show(&request);
    ouro_object_fini(&request.object);
    return status;
}
