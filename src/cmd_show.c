/* ouro show: one object. */
#include "analysis/neighbours.h"
#include "base/guard.h"
#include "command.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

struct request {
    const char *path;
    ouro_addr addr;
    uint64_t limit;
    bool with_retained, salvage, json;
};

static int show(const struct request *request)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, request->with_retained ? OURO_DEPTH_RETAINED : OURO_DEPTH_COLLECTOR,
                                  OURO_HEAP_ALL & ~OURO_HEAP_GC_ORDER, request->path)))
        return status;
    ouro_node node = ouro_heap_model_find(&model, request->addr);
    if (node == OURO_NODE_NONE) {
        ouro_command_complain("show: no object in %s has the address 0x%llx", request->path,
                              (unsigned long long)request->addr);
        return OURO_EXIT_USAGE;
    }
    OURO_GUARD(ouro_neighbours_fini) struct ouro_neighbours neighbours;
    enum ouro_status computed = ouro_neighbours_init(&neighbours, &model, node, request->limit, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    OURO_GUARD(ouro_dominator_chain_fini) struct ouro_dominator_chain chain = {0};
    OURO_GUARD(ouro_info_fini) struct ouro_info info = {0};
    if (request->with_retained)
        computed = ouro_dominator_chain_init(&chain, &model, &depth.retained, node, request->limit, &err);
    if (request->with_retained && computed == OURO_OK)
        computed = ouro_info_init_with(&info, &model, &depth.collector, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    struct ouro_page_object page = {&model, &neighbours, &depth.collector, ouro_depth_roots(&depth),
                                    ouro_depth_retained(&depth), request->with_retained ? &chain : NULL,
                                    request->with_retained ? &info : NULL};
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
         "so many referents, referrers and dominators\n"
         "(default 20, 0 and with --json: all)", NULL},
        {'r', "retained", OURO_OPTION_FLAG, &request.with_retained, NULL, NULL,
         "retained size and dominators too", NULL},
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "show",
        .arguments = "SNAPSHOT OBJECT",
        .purpose = "One object: type, value, sizes, how far its reference count is explained, what\n"
                   "it refers to, and what refers to it. OBJECT is an address (0x7f..) or a\n"
                   "decimal id(). Path expressions are not supported by this version.",
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
    if (!ouro_object_parse("show", argv[first + 1], &request.addr))
        return OURO_EXIT_USAGE;
    return show(&request);
}
