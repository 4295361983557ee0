/* ouro path: who holds it, as an expression. */
#include <stdlib.h>
#include <string.h>

#include "analysis/path_tree.h"
#include "base/guard.h"
#include "command.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "picture.h"
#include "render/page_path.h"
#include "snapshots.h"

/* Levels of the tree of a type, and rows below each. */
#define DEPTH 8
#define ROWS  10

struct request {
    const char *path;
    char **objects;
    size_t object_count;
    const char *type;
    uint64_t most, depth, limit, budget, seconds;
    struct ouro_picture_dest dest;
    bool salvage, json, steps;
};

static int find_objects(const struct request *request, const struct ouro_heap_model *model, ouro_node *nodes)
{
    for (size_t i = 0; i < request->object_count; i++) {
        OURO_GUARD(ouro_object_fini) struct ouro_object object = {0};
        int status;
        if (!ouro_object_parse("path", request->objects[i], &object))
            return OURO_EXIT_USAGE;
        if ((status = ouro_object_find(&object, model, NULL, request->path, &nodes[i])))
            return status;
    }
    return OURO_EXIT_DONE;
}

static void begin_json(struct ouro_json *json, struct ouro_out *out, bool several)
{
    ouro_json_init(json, out);
    ouro_json_object(json, NULL);
    ouro_json_string(json, "ouro", several ? "path_list" : "path");
    ouro_json_uint(json, "version", 1);
    if (several)
        ouro_json_array(json, "objects");
}

static enum ouro_status write_answers(const struct request *request, struct ouro_path_finder *finder,
                                      const ouro_node *nodes, struct ouro_out *out, struct ouro_err *err)
{
    struct ouro_json json;
    bool several = request->object_count > 1;
    size_t width = ouro_command_columns();
    if (request->json)
        begin_json(&json, out, several);
    for (size_t i = 0; i < request->object_count && !out->sys_errno; i++) {
        OURO_GUARD(ouro_path_answer_fini) struct ouro_path_answer answer;
        OURO_TRY(ouro_path_answer_init(&answer, finder, nodes[i], request->most, err));
        if (!request->json) {
            ouro_page_path_text(out, finder->model, &answer, request->steps, width);
            continue;
        }
        if (several)
            ouro_json_object(&json, NULL);
        ouro_page_path_fields(&json, finder->model, &answer);
        if (several)
            ouro_json_end(&json);
    }
    if (request->json && several)
        ouro_json_end(&json);
    if (request->json)
        ouro_json_end(&json);
    return OURO_OK;
}

struct making {
    const struct request *request;
    const struct ouro_heap_model *model;
    const struct ouro_path_answer *answers;
    struct ouro_path_finder *finder; /* of a type */
};

static int make_paths(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    const struct making *making = context;
    const struct ouro_picture_options options = {.depth_max = 1};
    struct ouro_err err;
    enum ouro_status computed = ouro_picture_paths(drawing, making->model, making->answers, making->request->object_count,
                                                   budget, &options, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, making->request->path, &err);
    *drawn = ouro_drawing_node_count(*drawing);
    return OURO_EXIT_DONE;
}

static int draw_paths(const struct request *request, struct ouro_path_finder *finder, const ouro_node *nodes)
{
    struct ouro_path_answer *answers = calloc(request->object_count, sizeof *answers);
    struct ouro_err err;
    struct making making = {.request = request, .model = finder->model, .answers = answers};
    size_t count = 0, missing = 0;
    enum ouro_status computed = answers ? OURO_OK : ouro_err_set(&err, OURO_NOMEM, "no memory for a picture of paths");
    for (; count < request->object_count && computed == OURO_OK; count++) {
        computed = ouro_path_answer_init(&answers[count], finder, nodes[count], request->most, &err);
        if (computed != OURO_OK)
            break;
        missing += !answers[count].count;
    }
    int status = computed != OURO_OK ? ouro_command_fail_snapshot(computed, request->path, &err)
                                     : ouro_picture_draw("path", &request->dest, request->budget, request->seconds,
                                                         make_paths, &making);
    if (!status && missing)
        ouro_command_note("path: no path leads to %zu of the objects; `ouro backrefs` draws what holds them", missing);
    for (size_t i = 0; i < count; i++)
        ouro_path_answer_fini(&answers[i]);
    free(answers);
    return status;
}

/* A tree with more places than the budget is made again with fewer below each, then with fewer levels. */
static int make_tree(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn)
{
    const struct making *making = context;
    const struct request *request = making->request;
    struct ouro_path_tree_query query = {
        .type = request->type,
        .limit = request->limit,
        .depth = request->depth < OURO_PATH_TREE_DEPTH_MAX ? (unsigned)request->depth : 0,
    };
    for (;;) {
        OURO_GUARD(ouro_path_tree_fini) struct ouro_path_tree tree;
        struct ouro_err err;
        enum ouro_status computed = ouro_path_tree_init(&tree, making->finder, &query, &err);
        if (computed == OURO_GONE) {
            ouro_command_complain("path: no object in %s is of a type \"%s\", nor is that an address (0x7f..) or a decimal id()",
                                  request->path, request->type);
            return OURO_EXIT_USAGE;
        }
        bool fits = !budget || tree.count <= budget || (query.limit == 1 && query.depth == 1);
        if (computed == OURO_OK && fits)
            computed = ouro_picture_path_tree(drawing, making->model, &tree, request->type, &err);
        if (computed != OURO_OK)
            return ouro_command_fail_snapshot(computed, request->path, &err);
        *drawn = tree.count;
        if (fits)
            return OURO_EXIT_DONE;
        if (query.limit != 1)
            query.limit = query.limit ? query.limit / 2 : budget;
        else
            query.depth = query.depth ? (query.depth + 1) / 2 : OURO_PATH_TREE_DEPTH_MAX / 2;
    }
}

static int run_type(const struct request *request, struct ouro_path_finder *finder)
{
    int status;
    struct ouro_err err;
    const struct ouro_path_tree_query query = {
        .type = request->type,
        .limit = request->limit,
        .depth = request->depth < OURO_PATH_TREE_DEPTH_MAX ? (unsigned)request->depth : 0,
    };
    struct making making = {.request = request, .model = finder->model, .finder = finder};
    if (request->dest.path)
        return ouro_picture_draw("path", &request->dest, request->budget, request->seconds, make_tree, &making);
    OURO_GUARD(ouro_path_tree_fini) struct ouro_path_tree tree;
    enum ouro_status computed = ouro_path_tree_init(&tree, finder, &query, &err);
    if (computed == OURO_GONE) {
        ouro_command_complain("path: \"%s\" is no OBJECT, and %s has no object of such a type",
                              request->type, request->path);
        return OURO_EXIT_USAGE;
    }
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (request->json)
        ouro_page_path_tree_json(&output.out, finder->model, &tree, request->type);
    else
        ouro_page_path_tree_text(&output.out, finder->model, &tree, request->type, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

/* One argument may be either. A name without a point that types have is a TYPE; what leads to an object is an OBJECT, also where
 * it is the qualified name of a class: --type asks for that one's objects. */
static bool is_type(const struct request *request, const struct ouro_heap_model *model)
{
    const char *text = request->objects[0];
    ouro_node node;
    enum ouro_object_choice choice = ouro_object_choose(text, model, &node);
    if (choice == OURO_OBJECT_IS_BOTH && strchr(text, '.'))
        ouro_command_note("path: %s is this class; --type %s is all objects of it", text, text);
    return choice == OURO_OBJECT_IS_TYPE || (choice == OURO_OBJECT_IS_BOTH && !strchr(text, '.')) ||
           (choice == OURO_OBJECT_NEITHER && strpbrk(text, "*?") && !strpbrk(text, "[]<>'\""));
}

static int run(struct request *request)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, request->path, request->salvage)))
        return status;
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder;
    enum ouro_status computed = ouro_path_finder_init(&finder, &model, &err);
    if (computed == OURO_OK && request->dest.path)
        computed = ouro_heap_model_load(&model, OURO_PICTURE_COLUMNS, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    if (!request->type && request->object_count == 1) {
        computed = ouro_heap_model_load(&model, OURO_OBJECT_COLUMNS, &err);
        if (computed != OURO_OK)
            return ouro_command_fail_snapshot(computed, request->path, &err);
        request->type = is_type(request, &model) ? request->objects[0] : NULL;
    }
    if (request->type)
        return run_type(request, &finder);
    OURO_FREE ouro_node *nodes = calloc(request->object_count, sizeof *nodes);
    if (!nodes)
        return ouro_command_fail_snapshot(OURO_NOMEM, request->path, &err);
    if ((status = find_objects(request, &model, nodes)))
        return status;
    if (request->most == 1)
        computed = ouro_path_finder_run(&finder, nodes, request->object_count, &err);
    struct ouro_dest output;
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, request->path, &err);
    if (request->dest.path)
        return draw_paths(request, &finder, nodes);
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    computed = write_answers(request, &finder, nodes, &output.out, &err);
    if (computed != OURO_OK)
        status = ouro_command_fail_snapshot(computed, request->path, &err);
    return ouro_dest_close(&output, status);
}

int ouro_cmd_path(int argc, char **argv)
{
    bool of_type = false;
    struct request request = {.most = 1, .depth = DEPTH, .limit = ROWS, .budget = OURO_PICTURE_BUDGET,
                              .seconds = OURO_PICTURE_SECONDS};
    const struct ouro_option options[] = {
        {'n', "paths", OURO_OPTION_COUNT, &request.most, NULL, "N",
         "so many paths, which have nothing in common but where\n"
         "they begin (default 1)", NULL},
        {0, "steps", OURO_OPTION_FLAG, &request.steps, NULL, NULL,
         "each path step by step, with addresses and types;\n"
         "else only those that are longer than a line", NULL},
        {'t', "type", OURO_OPTION_TEXT, &request.type, &of_type, "TYPE", "the paths to all objects of a type, merged", NULL},
        {'d', "depth", OURO_OPTION_COUNT, &request.depth, NULL, "N", "levels of them (default 8, 0: all)", NULL},
        {'l', "limit", OURO_OPTION_COUNT, &request.limit, NULL, "N", "so many rows below each (default 10, 0: all)", NULL},
        OURO_PICTURE_OPTIONS(&request.dest),
        OURO_PICTURE_BUDGET_OPTIONS(&request.budget, &request.seconds),
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "path",
        .arguments = "SNAPSHOT OBJECT|TYPE ...",
        .purpose = "Who holds it: the shortest paths from the roots, each as a Python expression.\n"
                   "OBJECT is an expression (app.CACHE['user:1']), an address (0x7f..) or a decimal\n"
                   "id(). For a TYPE, a name (User), a qualified name (app.models.User) or a glob,\n"
                   "the paths to all of its objects are merged: how many come through each place.",
        .least = 1,
        .most = -1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (!request.most) {
        ouro_command_complain("path: --paths takes at least 1");
        return OURO_EXIT_USAGE;
    }
    if ((status = ouro_picture_dest_check("path", &request.dest)))
        return status;
    int given = argc - first - 1;
    if (request.type ? given > 0 : !given) {
        ouro_command_complain(given ? "path: either objects or a type" : "path: an OBJECT or a TYPE is missing; see ouro path -h");
        return OURO_EXIT_USAGE;
    }
    request.path = argv[first];
    request.objects = &argv[first + 1];
    request.object_count = (size_t)(argc - first - 1);
    return run(&request);
}
