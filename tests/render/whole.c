#include "whole.h"

#include <stdio.h>
#include <string.h>

#include "analysis/expression.h"
#include "base/guard.h"
#include "analysis/brief.h"
#include "render/ndjson.h"
#include "render/page.h"
#include "render/page_diff.h"
#include "render/page_stack.h"
#include "render/page_path.h"
#include "render/page_leaks.h"
#include "render/picture.h"

#define PAGES_MAX   5u      /* objects with a page of their own */
#define PATHS_MAX   16u     /* objects whose paths are asked for */
#define LOST_MAX    100000u /* objects, types or shapes: a salvaged file may speak of a thousand lost ones a byte */

struct whole {
    struct ouro_heap_model model;
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_retained retained;
    struct ouro_info info;
    struct ouro_out out;
    bool has_model, has_collector, has_roots, has_retained, has_info;
};

static void whole_fini(struct whole *w)
{
    if (w->has_info)
        ouro_info_fini(&w->info);
    if (w->has_retained)
        ouro_retained_fini(&w->retained);
    if (w->has_roots)
        ouro_roots_fini(&w->roots);
    if (w->has_collector)
        ouro_collector_fini(&w->collector);
    if (w->has_model)
        ouro_heap_model_close(&w->model);
    ouro_out_fini(&w->out);
}

/* What was written is not looked at. */
static enum ouro_status forget(struct whole *w)
{
    w->out.buf.size = 0;
    return w->out.buf.failed ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status ask_info(struct whole *w, struct ouro_err *err)
{
    OURO_GUARD(ouro_stacks_fini) struct ouro_stacks stacks = {0};
    OURO_GUARD(ouro_waits_fini) struct ouro_waits waits = {0};
    OURO_TRY(ouro_stacks_init(&stacks, &w->model, err));
    OURO_TRY(ouro_waits_init(&waits, &stacks, err));
    OURO_GUARD(ouro_tasks_fini) struct ouro_tasks tasks = {0};
    OURO_TRY(ouro_tasks_init(&tasks, &w->model, &stacks, err));
    OURO_TRY(ouro_info_add_hangs(&w->info, &waits, &tasks, err));
    const struct ouro_page_tasks task_page = {&tasks, false, false};
    const struct ouro_page_stack stack_page = {.waits = &waits, .with_locals = true, .tasks = &task_page};
    ouro_page_stack_text(&w->out, &stack_page, 80);
    ouro_page_stack_json(&w->out, &stack_page);
    const struct ouro_page_info quick = {.model = &w->model, .info = &w->info, .waits = &waits, .limit = 10};
    ouro_page_info_text(&w->out, &quick, 80);
    OURO_GUARD(ouro_largest_fini) struct ouro_largest largest = {0};
    OURO_TRY(ouro_largest_init(&largest, &w->model, &w->roots, &w->retained, 5, 0, err));
    OURO_TRY(ouro_largest_find_paths(&largest, &w->model, err));
    OURO_TRY(ouro_info_add_unexplained(&w->info, &w->roots, err));
    const struct ouro_page_info page = {&w->model, &w->info, &w->roots, &largest, &waits, 0};
    ouro_page_info_text(&w->out, &page, 80);
    ouro_page_info_json(&w->out, &page);
    return forget(w);
}

static enum ouro_status ask_collector(struct whole *w, struct ouro_err *err)
{
    for (unsigned generation = 0; generation < OURO_GENERATION_COUNT; generation++)
        for (unsigned what_if = 0; what_if < 4; what_if++) {
            const struct ouro_collector_scope scope = {
                .generation = generation, .frozen = what_if & 1, .guessed = what_if & 2};
            OURO_GUARD(ouro_collector_fini) struct ouro_collector collector = {0};
            OURO_GUARD(ouro_collection_order_fini) struct ouro_collection_order order = {0};
            enum ouro_status status = ouro_collector_init_scope(&collector, &w->model, &scope, err);
            if (status == OURO_UNSUPPORTED) /* generation 1 of an incremental collector */
                continue;
            OURO_TRY(status);
            OURO_TRY(ouro_collection_order_init(&order, &collector, &w->model, generation, err));
        }
    return OURO_OK;
}

static enum ouro_status ask_garbage(struct whole *w, struct ouro_err *err)
{
    for (unsigned generation = 0; generation < OURO_GENERATION_COUNT; generation++) {
        OURO_GUARD(ouro_garbage_fini) struct ouro_garbage garbage = {0};
        OURO_GUARD(ouro_cycles_fini) struct ouro_cycles cycles = {0};
        bool full = generation == OURO_GENERATION_COUNT - 1;
        enum ouro_status status = ouro_garbage_init(&garbage, &w->model, &w->collector, &w->roots, generation, err);
        if (status == OURO_UNSUPPORTED)
            continue;
        OURO_TRY(status);
        if (full)
            OURO_TRY(ouro_cycles_init(&cycles, &w->model, &w->collector, NULL, OURO_CYCLES_GARBAGE, err));
        const struct ouro_page_garbage page = {
            .model = &w->model, .garbage = &garbage, .info = &w->info, .cycles = full ? &cycles : NULL};
        ouro_page_garbage_text(&w->out, &page, generation, 80);
        ouro_page_garbage_json(&w->out, &page, 0);
        OURO_TRY(forget(w));
    }
    return OURO_OK;
}

static enum ouro_status ask_types(struct whole *w, struct ouro_err *err)
{
    for (unsigned sort = 0; sort <= OURO_HISTOGRAM_BY_NAME; sort++) {
        OURO_GUARD(ouro_histogram_fini) struct ouro_histogram histogram = {0};
        OURO_TRY((sort % 2 ? ouro_histogram_init_modules : ouro_histogram_init)(&histogram, &w->model, NULL, NULL,
                                                                                &w->retained, err));
        ouro_histogram_sort(&histogram, &w->model, sort);
        OURO_TRY(ouro_histogram_make_exact(&histogram, &w->roots, 0, err));
        ouro_histogram_sort(&histogram, &w->model, sort);
        ouro_page_types_text(&w->out, &w->model, &histogram, 0, true, 80);
        ouro_page_types_json(&w->out, &w->model, &histogram, 0, true, &w->info);
        OURO_TRY(forget(w));
    }
    return OURO_OK;
}

static enum ouro_status ask_dominators(struct whole *w, struct ouro_err *err)
{
    ouro_node some = w->model.heap.count / 2;
    const struct ouro_dominator_query queries[] = {
        {.top = OURO_NODE_NONE},
        {                                       .top = OURO_NODE_NONE,           .depth = 5, .child_count = 10, .share_min = 0.5},
        {                      .top = OURO_NODE_NONE,                     .child_count = 2, .retained_min = 100, .grouping = OURO_DOMINATOR_GROUP_NONE},
        {                 .top = OURO_NODE_NONE,  .grouping = OURO_DOMINATOR_GROUP_TYPE},
        {   .top = OURO_NODE_NONE, .depth = 3, .grouping = OURO_DOMINATOR_GROUP_MODULE},
        {.top = some, .child_count = 3},
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        OURO_GUARD(ouro_dominator_tree_fini) struct ouro_dominator_tree tree = {0};
        OURO_TRY(ouro_dominator_tree_init(&tree, &w->model, &w->roots, &w->retained, &queries[i], err));
        const struct ouro_page_dominators page = {&w->model, &w->roots, &tree, &queries[i], &w->info};
        ouro_page_dominators_text(&w->out, &page, 80);
        ouro_page_dominators_json(&w->out, &page);
        OURO_TRY(forget(w));
    }
    return OURO_OK;
}

static enum ouro_status ask_cycles(struct whole *w, struct ouro_err *err)
{
    static const unsigned flags[] = {OURO_CYCLES_ALL, 0, OURO_CYCLES_REACHABLE, OURO_CYCLES_GARBAGE};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        OURO_GUARD(ouro_cycles_fini) struct ouro_cycles cycles = {0};
        OURO_TRY(ouro_cycles_init(&cycles, &w->model, &w->collector, &w->retained, flags[i], err));
        ouro_cycles_sort(&cycles, (enum ouro_cycles_sort)i);
        const struct ouro_page_cycles page = {&cycles, &w->info, i % 2 ? 2 : 0, i < 2};
        OURO_TRY(ouro_page_cycles_text(&w->out, &page, 80));
        OURO_TRY(ouro_page_cycles_json(&w->out, &page));
        ouro_page_cycles_table(&w->out, &cycles, 3, 80);
        OURO_TRY(forget(w));
    }
    return OURO_OK;
}

/* What somebody may ask for; most of it is nowhere. */
static enum ouro_status ask_expressions(struct whole *w)
{
    static const char *const texts[] = {"app.CACHE['user:1']",
                                        "sys.modules['a'].b[0]",
                                        "<Thread 'worker'>.frames[0].locals['x']",
                                        "a",
                                        "vars(a)['x']",
                                        "[*a][0]",
                                        "<sys.modules>['a']",
                                        "sys._current_frames()[1].f_back"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        OURO_GUARD(ouro_expression_fini) struct ouro_expression expression = {0};
        OURO_GUARD(ouro_expression_fault_fini) struct ouro_expression_fault fault = {0};
        ouro_node node;
        OURO_TRY(ouro_expression_parse(&expression, texts[i], strlen(texts[i]), &fault));
        if (ouro_expression_find(&expression, &w->model, &node, &fault) == OURO_NOMEM)
            return OURO_NOMEM;
    }
    return OURO_OK;
}

/* Each step that a node may be asked for, from its address. */
static enum ouro_status ask_steps(struct whole *w, ouro_node node)
{
    static const char *const steps[] = {".x",
                                        ".__class__",
                                        ".__dict__",
                                        "['a']",
                                        "[0]",
                                        "()",
                                        ".f_locals['a']",
                                        ".gi_frame.f_code",
                                        "<stack[0]>",
                                        " -> list",
                                        ".__mro__[0].x",
                                        "[(1, 'a')]",
                                        ".cell_contents"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        OURO_GUARD(ouro_expression_fini) struct ouro_expression expression = {0};
        OURO_GUARD(ouro_expression_fault_fini) struct ouro_expression_fault fault = {0};
        char text[64];
        ouro_node found;
        int size = snprintf(text, sizeof text, "0x%llx%s", (unsigned long long)w->model.heap.addr[node], steps[i]);
        OURO_TRY(ouro_expression_parse(&expression, text, (size_t)size, &fault));
        if (ouro_expression_find(&expression, &w->model, &found, &fault) == OURO_NOMEM)
            return OURO_NOMEM;
    }
    return OURO_OK;
}

static enum ouro_status ask_page(struct whole *w, ouro_node node, struct ouro_err *err)
{
    OURO_GUARD(ouro_neighbours_fini) struct ouro_neighbours neighbours = {0};
    OURO_GUARD(ouro_dominator_chain_fini) struct ouro_dominator_chain chain = {0};
    OURO_TRY(ouro_neighbours_init(&neighbours, &w->model, node, 0, err));
    OURO_TRY(ouro_dominator_chain_init(&chain, &w->model, &w->retained, node, 0, err));
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder = {0};
    OURO_GUARD(ouro_path_answer_fini) struct ouro_path_answer answer = {0};
    struct ouro_particulars particulars;
    OURO_TRY(ouro_path_finder_init(&finder, &w->model, err));
    OURO_TRY(ouro_path_finder_run(&finder, &node, 1, err));
    OURO_TRY(ouro_path_answer_init(&answer, &finder, node, 1, err));
    ouro_particulars_find(&particulars, &w->model, node);
    const struct ouro_page_object page = {.model = &w->model,
                                          .neighbours = &neighbours,
                                          .particulars = &particulars,
                                          .collector = &w->collector,
                                          .roots = &w->roots,
                                          .retained = &w->retained,
                                          .dominators = &chain,
                                          .path = &answer,
                                          .info = &w->info};
    ouro_page_object_text(&w->out, &page, 80);
    ouro_page_object_json(&w->out, &page);
    OURO_TRY(ask_steps(w, node));
    OURO_TRY(ask_expressions(w));
    return forget(w);
}

static enum ouro_status ask_objects(struct whole *w, struct ouro_err *err)
{
    OURO_GUARD(ouro_selection_fini) struct ouro_selection selection = {0};
    struct ouro_selection_query query = ouro_selection_query_all();
    query.sort = OURO_SELECTION_BY_RETAINED;
    OURO_TRY(ouro_selection_init(&selection, &w->model, &query, &w->collector, &w->roots, &w->retained, err));
    const struct ouro_page_objects page = {&w->model, &selection, &w->collector, &w->roots, &w->retained, NULL};
    ouro_page_objects_text(&w->out, &page, 80);
    ouro_page_objects_json(&w->out, &page);
    OURO_TRY(forget(w));
    for (ouro_node i = 0; i < PAGES_MAX && i < w->model.heap.count; i++)
        OURO_TRY(ask_page(w, (ouro_node)((uint64_t)i * w->model.heap.count / PAGES_MAX), err));
    return OURO_OK;
}

static enum ouro_status ask_stack(struct whole *w, struct ouro_err *err)
{
    OURO_GUARD(ouro_stacks_fini) struct ouro_stacks stacks = {0};
    OURO_GUARD(ouro_waits_fini) struct ouro_waits waits = {0};
    OURO_GUARD(ouro_wait_names_fini) struct ouro_wait_names names = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    OURO_TRY(ouro_stacks_init(&stacks, &w->model, err));
    OURO_TRY(ouro_waits_init(&waits, &stacks, err));
    OURO_TRY(ouro_wait_names_init(&names, &waits, &w->model, err));
    uint32_t *leaders OURO_FREE = calloc(stacks.threads.count + 1, sizeof *leaders);
    OURO_TRY(leaders ? ouro_stacks_group(&stacks, leaders) : OURO_NOMEM);
    for (unsigned i = 0; i < 4; i++) {
        const struct ouro_page_stack page = {.waits = &waits,
                                             .thread = i == 3 ? "wait" : NULL,
                                             .leaders = i & 1 ? leaders : NULL,
                                             .with_locals = i & 2,
                                             .names = i ? &names : NULL};
        ouro_page_stack_text(&w->out, &page, i ? 80 : 0);
        ouro_page_stack_json(&w->out, &page);
        OURO_TRY(forget(w));
    }
    for (ouro_node v = 0; v < w->model.heap.count && v < LOST_MAX; v++) {
        struct ouro_stack_frame frame;
        ouro_stack_frame_read(&frame, &w->model, v);
        text.size = 0;
        ouro_brief_add(&text, &w->model, v, v & 1 ? &OURO_BRIEF_LONG : NULL);
    }
    return text.failed ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status ask_path(struct whole *w, struct ouro_path_finder *finder, ouro_node node, struct ouro_err *err)
{
    OURO_GUARD(ouro_path_answer_fini) struct ouro_path_answer answer = {0};
    struct ouro_json json;
    OURO_TRY(ouro_path_answer_init(&answer, finder, node, 3, err));
    ouro_page_path_text(&w->out, &w->model, &answer, node % 2, 80);
    ouro_json_init(&json, &w->out);
    ouro_json_object(&json, NULL);
    ouro_page_path_fields(&json, &w->model, &answer);
    ouro_json_end(&json);
    return forget(w);
}

static enum ouro_status ask_paths(struct whole *w, struct ouro_err *err)
{
    static const struct ouro_path_tree_query queries[] = {{.type = "*"}, {.type = "*", .limit = 2, .depth = 3}};
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder = {0};
    OURO_TRY(ouro_path_finder_init(&finder, &w->model, err));
    for (ouro_node i = 0; i < PATHS_MAX && i < w->model.heap.count; i++)
        OURO_TRY(ask_path(w, &finder, (ouro_node)((uint64_t)i * w->model.heap.count / PATHS_MAX), err));
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        OURO_GUARD(ouro_path_tree_fini) struct ouro_path_tree tree = {0};
        enum ouro_status status = ouro_path_tree_init(&tree, &finder, &queries[i], err);
        if (status == OURO_GONE)
            continue;
        OURO_TRY(status);
        ouro_page_path_tree_text(&w->out, &w->model, &tree, queries[i].type, 80);
        ouro_page_path_tree_json(&w->out, &w->model, &tree, queries[i].type);
        OURO_TRY(forget(w));
    }
    return OURO_OK;
}

/* --- The comparison with another one */

const char *whole_other;

struct comparison {
    struct ouro_heap_model model;
    struct ouro_diff_names names;
    struct ouro_diff_side sides[2];
    struct ouro_diff diff;
    struct ouro_diff_trend trend;
    bool has_model, has_side[2], has_diff;
};

static void comparison_fini(struct comparison *c)
{
    ouro_diff_trend_fini(&c->trend);
    if (c->has_diff)
        ouro_diff_fini(&c->diff);
    for (int i = 0; i < 2; i++)
        if (c->has_side[i])
            ouro_diff_side_fini(&c->sides[i]);
    ouro_diff_names_fini(&c->names);
    if (c->has_model)
        ouro_heap_model_close(&c->model);
}

static enum ouro_status compare(struct whole *w, struct comparison *c, const char *path, unsigned open_flags,
                                struct ouro_err *err)
{
    static const struct ouro_diff_options options = {.paths = true, .objects = true, .retained = true};
    static const char *const files[] = {"a", "b", "c"};
    OURO_TRY(ouro_diff_names_init(&c->names));
    OURO_TRY(ouro_heap_model_open(&c->model, whole_other ? whole_other : path, open_flags, err));
    c->has_model = true;
    for (int i = 0; i < 2; i++) {
        OURO_TRY(ouro_diff_side_init(&c->sides[i], i ? &c->model : &w->model, &c->names, true, err));
        c->has_side[i] = true;
    }
    OURO_TRY(ouro_diff_init(&c->diff, &c->sides[0], &c->sides[1], &options, err));
    c->has_diff = true;
    c->trend.step_count = 2;
    OURO_TRY(ouro_diff_trend_add(&c->trend, 1, &c->diff));
    ouro_diff_trend_settle(&c->trend, &c->names);
    for (size_t i = 0; i < c->diff.paths.rows.count && i < 50; i++)
        OURO_TRY(ouro_diff_paths_detail(&c->diff.paths, &c->diff.paths.rows.items[i], err));
    const struct ouro_page_diff page = {.diff = &c->diff, .names = &c->names, .trend = &c->trend, .files = files, .file_count = 3,
                                        .paths = true, .types = true, .objects = true, .retained = true, .each_object = true};
    ouro_page_diff_text(&w->out, &page, 80);
    OURO_TRY(forget(w));
    struct ouro_drawing *drawing = NULL;
    OURO_TRY(ouro_picture_diff(&drawing, &c->diff.paths, 20, err));
    bool failed = ouro_drawing_failed(drawing);
    ouro_drawing_free(drawing);
    OURO_TRY(failed ? OURO_NOMEM : OURO_OK);
    ouro_page_diff_json(&w->out, &page);
    return forget(w);
}

static enum ouro_status ask_diff(struct whole *w, const char *path, unsigned open_flags, struct ouro_err *err)
{
    OURO_GUARD(comparison_fini) struct comparison comparison = {.has_model = false};
    return compare(w, &comparison, path, open_flags, err);
}

static enum ouro_status ask_leaks(struct whole *w, struct ouro_err *err)
{
    const struct ouro_leaks_query queries[] = {{.bytes_min = 1, .many = 1}, {.limit = 1}};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        OURO_GUARD(ouro_leaks_fini) struct ouro_leaks leaks = {0};
        OURO_TRY(ouro_leaks_init(&leaks, &w->model, &w->roots, &w->retained, &queries[i], err));
        const struct ouro_page_leaks page = {.model = &w->model, .leaks = &leaks, .info = &w->info, .file = "a file's"};
        ouro_page_leaks_text(&w->out, &page, 80);
        ouro_page_leaks_json(&w->out, &page);
    }
    return forget(w);
}

static enum ouro_status prepare(struct whole *w, const char *path, unsigned open_flags, struct ouro_err *err)
{
    OURO_TRY(ouro_heap_model_open(&w->model, path, open_flags, err));
    w->has_model = true;
    if (w->model.heap.count > LOST_MAX || w->model.type_count > LOST_MAX || w->model.shape_count > LOST_MAX)
        return OURO_LIMIT;
    OURO_TRY(ouro_heap_model_load(&w->model, OURO_HEAP_ALL, err));
    OURO_TRY(ouro_collector_init(&w->collector, &w->model, err));
    w->has_collector = true;
    OURO_TRY(ouro_roots_init(&w->roots, &w->model, &w->collector, err));
    w->has_roots = true;
    OURO_TRY(ouro_info_init_with(&w->info, &w->model, &w->collector, err));
    w->has_info = true;
    return OURO_OK;
}

static enum ouro_status ask(struct whole *w, const char *path, unsigned open_flags, unsigned parts,
                            struct ouro_err *err)
{
    OURO_TRY(prepare(w, path, open_flags, err));
    if (parts & WHOLE_COLLECTOR)
        OURO_TRY(ask_collector(w, err));
    if (parts & WHOLE_GARBAGE)
        OURO_TRY(ask_garbage(w, err));
    if (parts & WHOLE_PATHS)
        OURO_TRY(ask_paths(w, err));
    if (parts & WHOLE_DIFF)
        OURO_TRY(ask_diff(w, path, open_flags, err));
    if (!(parts & ~(unsigned)(WHOLE_COLLECTOR | WHOLE_GARBAGE | WHOLE_PATHS | WHOLE_DIFF)))
        return OURO_OK;
    OURO_TRY(ouro_retained_init(&w->retained, &w->roots, err));
    w->has_retained = true;
    if (parts & WHOLE_INFO)
        OURO_TRY(ask_info(w, err));
    if (parts & WHOLE_TYPES)
        OURO_TRY(ask_types(w, err));
    if (parts & WHOLE_DOMINATORS)
        OURO_TRY(ask_dominators(w, err));
    if (parts & WHOLE_CYCLES)
        OURO_TRY(ask_cycles(w, err));
    if (parts & WHOLE_OBJECTS)
        OURO_TRY(ask_objects(w, err));
    if (parts & WHOLE_STACK)
        OURO_TRY(ask_stack(w, err));
    if (parts & WHOLE_PICTURES)
        OURO_TRY(whole_pictures(&w->model, &w->collector, &w->roots, &w->retained, &w->out, parts & WHOLE_WRITTEN, err));
    if (parts & WHOLE_LEAKS)
        OURO_TRY(ask_leaks(w, err));
    if (parts & WHOLE_EXPORT) {
        OURO_TRY(ouro_ndjson_write(&w->out, &w->model, &w->roots, &w->retained, NULL, err));
        OURO_TRY(forget(w));
    }
    return OURO_OK;
}

enum ouro_status whole_analysis(const char *path, unsigned open_flags, unsigned parts, struct ouro_err *err)
{
    OURO_GUARD(whole_fini) struct whole whole = {0};
    ouro_out_init(&whole.out, -1);
    return ask(&whole, path, open_flags, parts, err);
}
