/* ouro chain: the shortest chain of references from a module to each object, or from it to one of a type. */
#include <string.h>

#include "base/guard.h"
#include "command.h"
#include "nodes.h"
#include "options.h"
#include "output.h"
#include "picture.h"
#include "render/page.h"
#include "snapshots.h"

#define DEPTH 20
#define OBJECTS_OF_A_TYPE 10

struct request {
    const char *path;
    struct ouro_chain_query query;
    struct ouro_picture_options options;
    struct ouro_picture_dest dest;
    const char *extra;
    uint64_t depth, limit, budget, seconds;
    char **arguments; /* objects or types */
    int argument_count;
    bool salvage, json;
    struct ouro_nodes nodes;
};

static int print(const struct request *request, struct ouro_heap_model *model)
{
    struct ouro_dest output;
    struct ouro_err err;
    OURO_GUARD(ouro_chains_fini) struct ouro_chains chains = {0};
    enum ouro_status computed = ouro_chains_init(&chains, model, &request->query, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    int status = ouro_dest_open(&output, NULL);
    if (status)
        return status;
    if (request->json)
        ouro_page_chains_json(&output.out, model, &chains, &request->query);
    else
        ouro_page_chains_text(&output.out, model, &chains, &request->query, ouro_command_columns());
    return ouro_dest_close(&output, status);
}

struct making {
    struct request *request;
    struct ouro_heap_model *model;
    size_t chain_count, found_count, object_count;
};

static int make(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    struct making *making = context;
    struct request *request = making->request;
    struct ouro_err err;
    OURO_GUARD(ouro_chains_fini) struct ouro_chains chains = {0};
    enum ouro_neighbourhood_direction direction =
        request->query.to ? OURO_NEIGHBOURHOOD_REFERENTS : OURO_NEIGHBOURHOOD_REFERRERS;
    request->query.node_budget = budget;
    enum ouro_status computed = ouro_chains_init(&chains, making->model, &request->query, &err);
    for (size_t i = 0; computed == OURO_OK && i < chains.objects.nodes.count; i++)
        if (chains.objects.nodes.items[i].depth > request->options.depth_max)
            request->options.depth_max = chains.objects.nodes.items[i].depth;
    if (computed == OURO_OK)
        computed = ouro_picture_neighbourhood(drawing, making->model, &chains.objects, direction, &request->options, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    making->chain_count = chains.count;
    making->found_count = chains.found_count;
    making->object_count = *drawn = chains.objects.nodes.count;
    return OURO_EXIT_DONE;
}

static int draw(struct request *request, struct ouro_heap_model *model)
{
    struct making making = {.request = request, .model = model};
    int status = ouro_picture_draw("chain", &request->dest, request->budget, request->seconds, make, &making);
    if (status)
        return status;
    ouro_command_note("chain: %zu chain%s of %zu object%s in all", making.found_count, making.found_count == 1 ? "" : "s",
                      making.object_count, making.object_count == 1 ? "" : "s");
    if (making.found_count < making.chain_count)
        ouro_command_note("chain: for %zu object%s there is none of at most %u references", making.chain_count - making.found_count,
                          making.chain_count - making.found_count == 1 ? "" : "s", request->query.depth_max);
    if (making.chain_count < request->nodes.count)
        ouro_command_note("chain: %zu of the %zu objects are counted only (--budget)", request->nodes.count - making.chain_count,
                          request->nodes.count);
    return status;
}

static int run(struct request *request)
{
    int status;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    bool retained = request->options.extra & OURO_PICTURE_RETAINED;
    if ((status = ouro_depth_init(&depth, &model, retained ? OURO_DEPTH_RETAINED : OURO_DEPTH_NONE,
                                  OURO_HEAP_ALL & ~(unsigned)OURO_HEAP_GC_ORDER, request->path)))
        return status;
    request->options.retained = ouro_depth_retained(&depth);
    for (int i = 0; i < request->argument_count && !status; i++)
        status = ouro_nodes_add(&request->nodes, "chain", &model, request->path, request->arguments[i], request->limit);
    if (status)
        return status;
    request->query.nodes = request->nodes.items;
    request->query.count = request->nodes.count;
    return request->dest.path ? draw(request, &model) : print(request, &model);
}

static int parse_and_run(struct request *request, int argc, char **argv)
{
    const struct ouro_option options[] = {
        OURO_PICTURE_OPTIONS(&request->dest),
        {0, "to", OURO_OPTION_TEXT, &request->query.to, NULL, "TYPE", "from the object forward to the nearest other of TYPE", NULL},
        {'d', "max-depth", OURO_OPTION_COUNT, &request->depth, NULL, "N", "so many references at most (default 20)", NULL},
        {0, "highlight", OURO_OPTION_TEXT, &request->options.highlight, NULL, "TYPE", "draw these blue", NULL},
        {0, "refcounts", OURO_OPTION_FLAG, &request->options.refcounts, NULL, NULL, "with reference counts", NULL},
        {0, "full-names", OURO_OPTION_FLAG, &request->options.full_names, NULL, NULL, "types with their modules", NULL},
        {0, "extra", OURO_OPTION_TEXT, &request->extra, NULL, "LIST", "size,retained,address: in each box", NULL},
        {'n', "limit", OURO_OPTION_COUNT, &request->limit, NULL, "N",
         "of a TYPE so many objects (default 10, 0: all)", NULL},
        OURO_PICTURE_BUDGET_OPTIONS(&request->budget, &request->seconds),
        OURO_SNAPSHOT_OPTIONS(&request->salvage, &request->json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "chain",
        .arguments = "SNAPSHOT OBJECT|TYPE ...",
        .purpose = "The shortest chain of references from a module in sys.modules to each object,\n"
                   "or with --to from it to an object of a type: as a list, or drawn as objgraph's\n"
                   "show_chain does (-o FILE). `ouro path` looks from all roots and writes Python.",
        .least = 2,
        .most = -1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (!ouro_picture_parse_extra("chain", request->extra, &request->options.extra))
        return OURO_EXIT_USAGE;
    if ((status = ouro_picture_dest_check("chain", &request->dest)))
        return status;
    request->query.depth_max = request->depth < UINT32_MAX ? (uint32_t)request->depth : UINT32_MAX;
    request->path = argv[first];
    request->arguments = argv + first + 1;
    request->argument_count = argc - first - 1;
    return run(request);
}

int ouro_cmd_chain(int argc, char **argv)
{
    struct request request = {
        .depth = DEPTH, .limit = OBJECTS_OF_A_TYPE, .budget = OURO_PICTURE_BUDGET, .seconds = OURO_PICTURE_SECONDS};
    int status = parse_and_run(&request, argc, argv);
    ouro_nodes_fini(&request.nodes);
    return status;
}
