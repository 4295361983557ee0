/* ouro objects: lists objects by predicate. */
#include <stdlib.h>

#include "analysis/selection.h"
#include "base/guard.h"
#include "command.h"
#include "object.h"
#include "options.h"
#include "output.h"
#include "render/page.h"
#include "snapshots.h"

#define TEXT_LIMIT 100

/* The choices of --gen, in this order: generations as selection.h numbers them. */
static const char *const generations[] = {"0", "1", "2", "frozen", "none", NULL};
static const int generation_values[] = {0, 1, 2, 3, -1};
static const char *const sorts[] = {"address", "size", "refcount", "retained", "type", "unexplained", NULL};
static const enum ouro_selection_sort sort_values[] = {OURO_SELECTION_BY_ADDRESS, OURO_SELECTION_BY_SIZE,
                                                       OURO_SELECTION_BY_REFCOUNT, OURO_SELECTION_BY_RETAINED,
                                                       OURO_SELECTION_BY_TYPE, OURO_SELECTION_BY_UNEXPLAINED};

#define LIST_COLUMNS                                                                                               \
    (OURO_HEAP_ADDR | OURO_HEAP_SHAPE | OURO_HEAP_SIZE | OURO_HEAP_NATIVE | OURO_HEAP_FLAGS | OURO_HEAP_REFCOUNT | \
     OURO_HEAP_VALUES)

/* OBJECTs of the command line. */
struct named {
    char **texts; /* borrowed */
    size_t count;
};

static int list(const char *path, const struct ouro_selection_query *query, bool with_retained, bool salvage, bool json)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, path, salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model,
                                  with_retained                ? OURO_DEPTH_RETAINED
                                  : query->unexplained_min || query->sort == OURO_SELECTION_BY_UNEXPLAINED
                                                               ? OURO_DEPTH_ROOTS
                                  : query->unreachable || json ? OURO_DEPTH_COLLECTOR
                                                               : OURO_DEPTH_NONE,
                                  LIST_COLUMNS, path)))
        return status;
    OURO_GUARD(ouro_selection_fini) struct ouro_selection selection;
    enum ouro_status computed = ouro_selection_init(&selection, &model, query, ouro_depth_collector(&depth),
                                                    ouro_depth_roots(&depth), ouro_depth_retained(&depth), &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, path, &err);
    const struct ouro_page_objects page = {
        .model = &model,
        .selection = &selection,
        .collector = ouro_depth_collector(&depth),
        .roots = query->unexplained_min ? ouro_depth_roots(&depth) : NULL,
        .retained = ouro_depth_retained(&depth),
    };
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (json)
        ouro_page_objects_json(&output.out, &page);
    else
        ouro_page_objects_text(&output.out, &page, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

/* The OBJECTs that were named; what is wrong with one is said, and the rest found nevertheless. */
static int find_named(const struct named *named, const struct ouro_heap_model *model, const char *path,
                      struct ouro_selection *selection, const char **texts)
{
    int worst = OURO_EXIT_DONE;
    for (size_t i = 0; i < named->count; i++) {
        OURO_GUARD(ouro_object_fini) struct ouro_object object = {0};
        ouro_node node;
        int status = ouro_object_parse("objects", named->texts[i], &object)
                         ? ouro_object_find(&object, model, NULL, path, &node)
                         : OURO_EXIT_USAGE;
        worst = status > worst ? status : worst;
        if (status)
            continue;
        texts[selection->count] = named->texts[i];
        selection->items[selection->count++] = node;
        selection->match_bytes += ouro_heap_model_bytes(model, node);
    }
    selection->match_count = selection->count;
    return worst;
}

static int list_named(const char *path, const struct named *named, bool with_retained, bool salvage, bool json)
{
    int status;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, path, salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model,
                                  with_retained ? OURO_DEPTH_RETAINED
                                  : json        ? OURO_DEPTH_COLLECTOR
                                                : OURO_DEPTH_NONE,
                                  LIST_COLUMNS | OURO_OBJECT_COLUMNS, path)))
        return status;
    OURO_GUARD(ouro_selection_fini) struct ouro_selection selection = {0};
    OURO_FREE const char **texts = calloc(named->count, sizeof *texts);
    selection.items = calloc(named->count, sizeof *selection.items);
    if (!texts || !selection.items)
        return ouro_command_fail_snapshot(OURO_NOMEM, path, &(struct ouro_err){.msg = "out of memory"});
    int worst = find_named(named, &model, path, &selection, texts);
    const struct ouro_page_objects page = {
        .model = &model,
        .selection = &selection,
        .collector = ouro_depth_collector(&depth),
        .retained = ouro_depth_retained(&depth),
        .expressions = texts,
    };
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (json)
        ouro_page_objects_json(&output.out, &page);
    else
        ouro_page_objects_text(&output.out, &page, ouro_command_columns());
    return ouro_dest_close(&output, worst);
}

/* Whether no condition, order or limit was asked for. */
static bool is_any(const struct ouro_selection_query *query, bool limited)
{
    return !query->type && !query->module && !query->value && !query->size_min && query->size_max == UINT64_MAX &&
           !query->retained_min && !query->unexplained_min && !query->has_refcount &&
           query->generation == OURO_SELECTION_ANY_GENERATION && !query->approximate && !query->unreachable &&
           query->sort == OURO_SELECTION_BY_ADDRESS && !limited;
}

int ouro_cmd_objects(int argc, char **argv)
{
    struct ouro_selection_query query = ouro_selection_query_all();
    bool json = false, salvage = false, with_retained = false, limited = false, has_generation = false;
    int sort = 0, generation = 0;
    uint64_t limit = 0, unexplained = 0;
    const struct ouro_option options[] = {
        {'t', "type", OURO_OPTION_TEXT, &query.type, NULL, "TYPE", "a name, a qualified name or a glob", NULL},
        {'m', "module", OURO_OPTION_TEXT, &query.module, NULL, "MODULE",
         "of types of this module, package or glob", NULL},
        {'v', "value", OURO_OPTION_TEXT, &query.value, NULL, "GLOB",
         "whose text, or value as it is shown, matches", NULL},
        {0, "min-size", OURO_OPTION_SIZE, &query.size_min, NULL, "SIZE",
         "at least so large, native memory included", NULL},
        {0, "max-size", OURO_OPTION_SIZE, &query.size_max, NULL, "SIZE", "at most so large", NULL},
        {0, "min-retained", OURO_OPTION_SIZE, &query.retained_min, NULL, "SIZE", "that retain so much", NULL},
        {0, "refcount", OURO_OPTION_COUNT, &query.refcount, &query.has_refcount, "N", "with exactly this count", NULL},
        {'g', "gen", OURO_OPTION_CHOICE, &generation, &has_generation, "GEN",
         "of generation 0, 1, 2, frozen, or none (not\n"
         "tracked by the collector)", generations},
        {0, "approximate", OURO_OPTION_FLAG, &query.approximate, NULL, NULL, "whose references were guessed", NULL},
        {0, "unreachable", OURO_OPTION_FLAG, &query.unreachable, NULL, NULL, "that the collector would find", NULL},
        {0, "unexplained", OURO_OPTION_COUNT, &unexplained, NULL, "N",
         "with so many references that nothing known explains:\n"
         "native code holds them, or an extension leaked them", NULL},
        {'s', "sort", OURO_OPTION_CHOICE, &sort, NULL, "ORDER",
         "address (default), size, refcount, retained, type,\n"
         "unexplained", sorts},
        {'r', "retained", OURO_OPTION_FLAG, &with_retained, NULL, NULL, "retained sizes too", NULL},
        {'n', "limit", OURO_OPTION_COUNT, &limit, &limited, "N", "so many (default 100, 0 and with --json: all)", NULL},
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "objects",
        .arguments = "SNAPSHOT [OBJECT ...]",
        .purpose = "Lists the objects that meet all the conditions given: address, size,\n"
                   "reference count, generation, type, value. Or those that are named: an OBJECT\n"
                   "is an expression (app.CACHE['user:1']), an address (0x7f..) or an id().",
        .least = 1,
        .most = -1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (has_generation)
        query.generation = generation_values[generation];
    query.sort = sort_values[sort];
    query.unexplained_min = unexplained < UINT32_MAX ? (uint32_t)unexplained : UINT32_MAX;
    if (query.sort == OURO_SELECTION_BY_UNEXPLAINED && !query.unexplained_min)
        query.unexplained_min = 1; /* who sorts by it wants to see those */
    query.limit = limited || json ? limit : TEXT_LIMIT;
    with_retained |= query.sort == OURO_SELECTION_BY_RETAINED || query.retained_min;
    struct named named = {&argv[first + 1], (size_t)(argc - first - 1)};
    if (named.count && !is_any(&query, limited)) {
        ouro_command_complain("objects: either OBJECTs or conditions, an order or a limit");
        return OURO_EXIT_USAGE;
    }
    if (named.count)
        return list_named(argv[first], &named, with_retained, salvage, json);
    return list(argv[first], &query, with_retained, salvage, json);
}
