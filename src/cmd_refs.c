/* ouro refs, ouro backrefs: what objects refer to, and what refers to them, as text or as objgraph's pictures. */
#include <stdlib.h>

#include <string.h>

#include "base/guard.h"
#include "command.h"
#include "nodes.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "picture.h"
#include "render/page.h"
#include "render/picture.h"
#include "snapshots.h"

#define DEPTH 3
#define TOO_MANY 10
#define OBJECTS_OF_A_TYPE 10
#define IGNORED_TYPES_MAX 64

struct request {
    const char *command, *path;
    struct ouro_neighbourhood_query query;
    struct ouro_picture_options options;
    struct ouro_picture_dest dest;
    const char *ignore, *extra;
    uint64_t depth, too_many, limit, budget, seconds;
    char **arguments; /* objects or types */
    int argument_count;
    bool salvage, json;
    struct ouro_nodes starts, ignored;
    struct ouro_buf ignore_text; /* --ignore cut at its commas */
    const char *ignored_types[IGNORED_TYPES_MAX + 1];
};

static void request_fini(struct request *request)
{
    ouro_nodes_fini(&request->starts);
    ouro_nodes_fini(&request->ignored);
    ouro_buf_fini(&request->ignore_text);
}

static int out_of_memory(const struct request *request)
{
    ouro_command_complain("%s: no memory", request->command);
    return OURO_EXIT_OTHER;
}

/* --ignore OBJECT|TYPE,... */
static int find_ignored(struct request *request, struct ouro_heap_model *model)
{
    size_t count = 0;
    int status = OURO_EXIT_DONE;
    if (!request->ignore)
        return OURO_EXIT_DONE;
    ouro_buf_add(&request->ignore_text, request->ignore, strlen(request->ignore) + 1);
    if (request->ignore_text.failed)
        return out_of_memory(request);
    char *state = NULL;
    for (char *at = strtok_r((char *)request->ignore_text.data, ",", &state); at && !status; at = strtok_r(NULL, ",", &state)) {
        ouro_node node;
        if (ouro_object_choose(at, model, &node) == OURO_OBJECT_IS_OBJECT || (at[0] >= '0' && at[0] <= '9')) {
            status = ouro_nodes_add(&request->ignored, request->command, model, request->path, at, 1);
        } else if (count < IGNORED_TYPES_MAX) {
            request->ignored_types[count++] = at;
        } else {
            ouro_command_complain("%s: --ignore takes at most %d types", request->command, IGNORED_TYPES_MAX);
            status = OURO_EXIT_USAGE;
        }
    }
    request->query.ignored_types = request->ignored_types;
    request->query.ignored = request->ignored.items;
    request->query.ignored_count = request->ignored.count;
    return status;
}

static int find_starts(struct request *request, struct ouro_heap_model *model)
{
    int status = find_ignored(request, model);
    for (int i = 0; i < request->argument_count && !status; i++)
        status = ouro_nodes_add(&request->starts, request->command, model, request->path, request->arguments[i], request->limit);
    request->query.starts = request->starts.items;
    request->query.start_count = request->starts.count;
    return status;
}

static int print(const struct request *request, const struct ouro_heap_model *model,
                 const struct ouro_neighbourhood *neighbourhood)
{
    struct ouro_dest output;
    struct ouro_err err;
    int status = ouro_dest_open(&output, NULL);
    if (status)
        return status;
    if (request->json)
        ouro_page_neighbourhood_json(&output.out, model, neighbourhood, request->query.direction);
    else if (ouro_page_neighbourhood_text(&output.out, model, neighbourhood, request->query.direction,
                                          ouro_command_columns(), &err))
        status = out_of_memory(request);
    return ouro_dest_close(&output, status);
}

struct making {
    struct request *request;
    struct ouro_heap_model *model;
    size_t objects, references;
    uint64_t more;
};

static int make(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    struct making *making = context;
    struct request *request = making->request;
    struct ouro_err err;
    OURO_GUARD(ouro_neighbourhood_fini) struct ouro_neighbourhood found = {0};
    request->query.node_budget = budget < UINT32_MAX ? (uint32_t)budget : UINT32_MAX - 1;
    enum ouro_status computed = ouro_neighbourhood_init(&found, making->model, &request->query, &err);
    if (computed == OURO_OK)
        computed = ouro_picture_neighbourhood(drawing, making->model, &found, request->query.direction, &request->options, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    making->more = 0;
    for (size_t i = 0; i < found.nodes.count; i++)
        making->more += found.nodes.items[i].more_count;
    making->references = found.edges.count;
    making->objects = *drawn = found.nodes.count;
    return OURO_EXIT_DONE;
}

static int draw(struct request *request, struct ouro_heap_model *model)
{
    struct making making = {.request = request, .model = model};
    bool to_file = strcmp(request->dest.path, "-") != 0;
    if (request->starts.count > request->budget && request->budget)
        ouro_command_note("%s: %zu objects were asked for, more than --budget; all of them are drawn", request->command,
                          request->starts.count);
    int status = ouro_picture_draw(request->command, &request->dest, request->budget, request->seconds, make, &making);
    if (!status)
        ouro_command_note("%s: %zu object%s, %zu arrow%s; %llu more reference%s counted in the picture%s%s", request->command,
                          making.objects, making.objects == 1 ? "" : "s", making.references,
                          making.references == 1 ? "" : "s", (unsigned long long)making.more, making.more == 1 ? " is" : "s are",
                          to_file ? ": " : "", to_file ? request->dest.path : "");
    return status;
}

static int run(struct request *request)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    bool retained = request->options.extra & OURO_PICTURE_RETAINED;
    if ((status = ouro_depth_init(&depth, &model, retained ? OURO_DEPTH_RETAINED : OURO_DEPTH_NONE, OURO_HEAP_ALL,
                                  request->path)))
        return status;
    request->options.retained = ouro_depth_retained(&depth);
    if ((status = find_starts(request, &model)))
        return status;
    if (request->dest.path)
        return draw(request, &model);
    OURO_GUARD(ouro_neighbourhood_fini) struct ouro_neighbourhood neighbourhood = {0};
    enum ouro_status computed = ouro_neighbourhood_init(&neighbourhood, &model, &request->query, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    return print(request, &model, &neighbourhood);
}

static uint32_t clamp(uint64_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX - 1;
}

static int refs(int argc, char **argv, enum ouro_neighbourhood_direction direction, const char *purpose)
{
    OURO_GUARD(request_fini) struct request request = {
        .command = argv[0], .query = {.direction = direction}, .depth = DEPTH, .too_many = TOO_MANY, .limit = OBJECTS_OF_A_TYPE,
        .budget = OURO_PICTURE_BUDGET, .seconds = OURO_PICTURE_SECONDS};
    const struct ouro_option options[] = {
        OURO_PICTURE_OPTIONS(&request.dest),
        {'d', "max-depth", OURO_OPTION_COUNT, &request.depth, NULL, "N", "so many steps (default 3)", NULL},
        {0, "too-many", OURO_OPTION_COUNT, &request.too_many, NULL, "N",
         "so many references of each object (default 10,\n0: all); the rest is counted", NULL},
        {0, "filter", OURO_OPTION_TEXT, &request.query.filter, NULL, "TYPE", "only neighbours of this type", NULL},
        {0, "ignore", OURO_OPTION_TEXT, &request.ignore, NULL, "OBJECT|TYPE,...", "leave these out", NULL},
        {0, "highlight", OURO_OPTION_TEXT, &request.options.highlight, NULL, "TYPE", "draw these blue", NULL},
        {0, "refcounts", OURO_OPTION_FLAG, &request.options.refcounts, NULL, NULL, "with reference counts", NULL},
        {0, "full-names", OURO_OPTION_FLAG, &request.options.full_names, NULL, NULL, "types with their modules", NULL},
        {0, "extra", OURO_OPTION_TEXT, &request.extra, NULL, "LIST", "size,retained,address: in each box", NULL},
        {'n', "limit", OURO_OPTION_COUNT, &request.limit, NULL, "N", "of a TYPE so many objects (default 10, 0: all)", NULL},
        {0, "hidden", OURO_OPTION_FLAG, &request.query.hidden, NULL, NULL,
         "refs: those references too that gc.get_referents does\nnot give (a dict's names, ...): dashed", NULL},
        OURO_PICTURE_BUDGET_OPTIONS(&request.budget, &request.seconds),
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = argv[0],
        .arguments = "SNAPSHOT OBJECT|TYPE ...",
        .purpose = purpose,
        .least = 2,
        .most = -1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (!ouro_picture_parse_extra(argv[0], request.extra, &request.options.extra))
        return OURO_EXIT_USAGE;
    if ((status = ouro_picture_dest_check(argv[0], &request.dest)))
        return status;
    request.query.depth_max = request.options.depth_max = clamp(request.depth);
    request.query.too_many = clamp(request.too_many);
    request.query.node_budget = clamp(request.budget);
    request.path = argv[first];
    request.arguments = argv + first + 1;
    request.argument_count = argc - first - 1;
    return run(&request);
}

int ouro_cmd_refs(int argc, char **argv)
{
    return refs(argc, argv, OURO_NEIGHBOURHOOD_REFERENTS,
                "What objects refer to, some steps far: as an indented list, or drawn as\n"
                "objgraph's show_refs does (-o FILE).");
}

int ouro_cmd_backrefs(int argc, char **argv)
{
    return refs(argc, argv, OURO_NEIGHBOURHOOD_REFERRERS,
                "What refers to objects, some steps far, up to modules: as an indented list, or\n"
                "drawn as objgraph's show_backrefs does (-o FILE).");
}
