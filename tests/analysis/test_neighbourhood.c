/* Neighbourhoods, chains and the objects of cycles, on snapshots whose answer is known. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "analysis/chain.h"
#include "analysis/cycle_objects.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_neighbourhood found;
static struct ouro_err err;

/* The objects of the snapshot below, in the order of the file. */
enum { LIST, A, B, C, DICT, KEY, WEAK, MODULE, NAMESPACE, NAME, MODULES, MODULE_KEY, SELF, ROOT, COUNT };

static ouro_node text(uint32_t shape, const char *value)
{
    ouro_node node = tiny_object(&tiny, shape, 50, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, value, strlen(value));
    return node;
}

static uint32_t gc_type(const char *module, const char *name)
{
    return tiny_type(&tiny, module, name, OURO_TYPE_GC, OURO_VALUE_NONE);
}

/* list -> C, B, A, A (from the end); A -> dict; dict['k'] -> list, its key hidden; C weakly -> A;
 * module.__dict__ -> namespace .held -> list; sys.modules has the module; self refers to itself. */
static void open_heap(void)
{
    tiny_begin(&tiny);
    uint32_t list = TINY_SHAPE(&tiny, gc_type("builtins", "list"), {.kind = OURO_PART_ITEMS_DOWN});
    uint32_t node_type = gc_type("app", "Node");
    uint32_t node = TINY_SHAPE(&tiny, node_type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".next")});
    uint32_t weak = TINY_SHAPE(&tiny, node_type, {.kind = OURO_PART_FIELD, .edge_class = OURO_EDGE_WEAK,
                                                  .name = tiny_string(&tiny, ".weak")});
    uint32_t bare = TINY_EMPTY_SHAPE(&tiny, node_type);
    uint32_t dict_type = gc_type("builtins", "dict");
    uint32_t dict = TINY_SHAPE(&tiny, dict_type, {.kind = OURO_PART_ENTRIES_STR});
    uint32_t names = TINY_SHAPE(&tiny, dict_type, {.kind = OURO_PART_NAMESPACE});
    uint32_t str = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    uint32_t module = TINY_SHAPE(&tiny, gc_type("builtins", "module"),
                                 {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__dict__")});
    uint32_t root =
        TINY_SHAPE(&tiny, tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME),
                   {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "sys.modules")});
    tiny_object(&tiny, list, 88, 2, 1);
    tiny_count(&tiny, 4);
    TINY_SLOTS(&tiny, A, A, B, C); /* items 0 to 3, the last first */
    tiny_object(&tiny, node, 48, 2, 1);
    TINY_SLOTS(&tiny, DICT);
    tiny_object(&tiny, bare, 48, 1, 1);
    tiny_object(&tiny, weak, 48, 1, 1);
    TINY_SLOTS(&tiny, A);
    tiny_object(&tiny, dict, 232, 1, 1);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, LIST, KEY);
    text(str, "k");
    tiny_object(&tiny, weak, 48, 0, 1);
    TINY_SLOTS(&tiny, SELF);
    tiny_object(&tiny, module, 72, 1, 1);
    TINY_SLOTS(&tiny, NAMESPACE);
    tiny_object(&tiny, names, 232, 1, 1);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, LIST, NAME);
    text(str, "held");
    tiny_object(&tiny, dict, 232, 1, 1);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, MODULE, MODULE_KEY);
    text(str, "app");
    tiny_object(&tiny, node, 48, 1, 1);
    TINY_SLOTS(&tiny, SELF);
    ck_assert_uint_eq(tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE), ROOT);
    tiny_value(&tiny, "sys.modules", 11);
    TINY_SLOTS(&tiny, MODULES);
    tiny_open(&tiny, &model);
}

static void close_heap(void)
{
    ouro_neighbourhood_fini(&found);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

static void look(ouro_node start, enum ouro_neighbourhood_direction direction, uint32_t depth, uint32_t too_many)
{
    const struct ouro_neighbourhood_query query = {
        .direction = direction, .starts = &start, .start_count = 1, .depth_max = depth, .too_many = too_many};
    ouro_neighbourhood_fini(&found);
    ck_assert_int_eq(ouro_neighbourhood_init(&found, &model, &query, &err), OURO_OK);
}

/* The edge's labels, or NULL. */
static const char *edge(ouro_node from, ouro_node to)
{
    static char label[256];
    for (size_t i = 0; i < found.edges.count; i++) {
        const struct ouro_neighbourhood_edge *item = &found.edges.items[i];
        if (found.nodes.items[item->from].node != from || found.nodes.items[item->to].node != to)
            continue;
        snprintf(label, sizeof label, "%.*s", (int)item->label_size, (const char *)found.labels.data + item->label);
        return label;
    }
    return NULL;
}

static const struct ouro_neighbourhood_node *drawn(ouro_node node)
{
    for (size_t i = 0; i < found.nodes.count; i++)
        if (found.nodes.items[i].node == node)
            return &found.nodes.items[i];
    return NULL;
}

START_TEST(referents_come_in_order_and_repeats_are_one_edge)
{
    open_heap();
    look(LIST, OURO_NEIGHBOURHOOD_REFERENTS, 1, 10);
    ck_assert_uint_eq(found.nodes.count, 4);
    ck_assert_uint_eq(found.edges.count, 3);
    ck_assert(found.nodes.items[0].start && found.nodes.items[0].node == LIST);
    ck_assert_uint_eq(found.nodes.items[0].more_count, 0);
    ck_assert_str_eq(edge(LIST, B), "[1]");
    ck_assert_str_eq(edge(LIST, A), "[3]\n[2]");
    ck_assert_ptr_null(drawn(DICT));
    close_heap();
}
END_TEST

START_TEST(what_is_too_many_is_counted_reference_by_reference)
{
    open_heap();
    look(LIST, OURO_NEIGHBOURHOOD_REFERENTS, 1, 1);
    ck_assert_uint_eq(found.nodes.count, 2);
    ck_assert_uint_eq(found.nodes.items[0].more_count, 3);
    ck_assert_str_eq(edge(LIST, A), "[3]"); /* its second reference is one of the three */
    look(LIST, OURO_NEIGHBOURHOOD_REFERENTS, 1, 0);
    ck_assert_uint_eq(found.nodes.items[0].more_count, 0);
    close_heap();
}
END_TEST

START_TEST(depth_ends_the_search_and_cycles_are_closed)
{
    open_heap();
    look(LIST, OURO_NEIGHBOURHOOD_REFERENTS, 2, 10);
    ck_assert_uint_eq(drawn(DICT)->depth, 2);
    ck_assert_ptr_null(edge(DICT, LIST));
    look(LIST, OURO_NEIGHBOURHOOD_REFERENTS, 3, 10);
    ck_assert_str_eq(edge(DICT, LIST), "['k']");
    ck_assert_ptr_null(drawn(KEY)); /* gc.get_referents does not give it */
    look(LIST, OURO_NEIGHBOURHOOD_REFERENTS, 0, 10);
    ck_assert_uint_eq(found.nodes.count, 1);
    close_heap();
}
END_TEST

START_TEST(hidden_references_are_drawn_on_demand_and_told_apart)
{
    open_heap();
    const ouro_node start = DICT;
    const struct ouro_neighbourhood_query query = {.starts = &start, .start_count = 1, .depth_max = 1, .hidden = true};
    ck_assert_int_eq(ouro_neighbourhood_init(&found, &model, &query, &err), OURO_OK);
    ck_assert_str_eq(edge(DICT, KEY), "<key 'k'>");
    ck_assert_int_eq(found.edges.items[0].edge_class, OURO_EDGE_TRAVERSED);
    ck_assert_int_eq(found.edges.items[1].edge_class, OURO_EDGE_HIDDEN);
    close_heap();
}
END_TEST

START_TEST(referrers_end_at_modules_and_weak_ones_are_none)
{
    open_heap();
    look(A, OURO_NEIGHBOURHOOD_REFERRERS, 9, 10);
    ck_assert_str_eq(edge(LIST, A), "[3]\n[2]");
    ck_assert_ptr_null(edge(C, A));
    ck_assert_str_eq(edge(NAMESPACE, LIST), ".held");
    ck_assert_str_eq(edge(MODULE, NAMESPACE), "__dict__");
    ck_assert(drawn(MODULE)->module);
    ck_assert_uint_eq(drawn(MODULE)->depth, 3);
    ck_assert_ptr_null(drawn(MODULES));
    look(KEY, OURO_NEIGHBOURHOOD_REFERRERS, 1, 10);
    ck_assert_str_eq(edge(DICT, KEY), "<key 'k'>");
    close_heap();
}
END_TEST

START_TEST(what_refers_to_itself_is_one_node_with_one_edge)
{
    open_heap();
    look(SELF, OURO_NEIGHBOURHOOD_REFERENTS, 3, 10);
    ck_assert_uint_eq(found.nodes.count, 1);
    ck_assert_uint_eq(found.edges.count, 1);
    look(SELF, OURO_NEIGHBOURHOOD_REFERRERS, 3, 10);
    ck_assert_uint_eq(found.nodes.count, 1);
    ck_assert_uint_eq(found.edges.count, 1);
    close_heap();
}
END_TEST

START_TEST(filters_and_what_is_ignored_leave_no_trace)
{
    open_heap();
    const ouro_node start = LIST, ignored = B;
    static const char *const types[] = {"dict", NULL};
    struct ouro_neighbourhood_query query = {
        .starts = &start, .start_count = 1, .depth_max = 3, .filter = "app.*", .ignored = &ignored, .ignored_count = 1};
    ck_assert_int_eq(ouro_neighbourhood_init(&found, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 3); /* no dict: its module is another one */
    ck_assert_uint_eq(found.nodes.items[0].more_count, 0);
    ouro_neighbourhood_fini(&found);
    query.filter = NULL;
    query.ignored_types = types;
    ck_assert_int_eq(ouro_neighbourhood_init(&found, &model, &query, &err), OURO_OK);
    ck_assert_ptr_null(drawn(DICT));
    ck_assert_ptr_null(drawn(B));
    ck_assert_ptr_nonnull(drawn(C));
    close_heap();
}
END_TEST

START_TEST(behind_the_budget_everything_is_counted)
{
    open_heap();
    const ouro_node start = LIST;
    struct ouro_neighbourhood_query query = {.starts = &start, .start_count = 1, .depth_max = 3, .node_budget = 2};
    ck_assert_int_eq(ouro_neighbourhood_init(&found, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 2);
    uint64_t edges = 0;
    for (size_t i = 0; i < found.nodes.count; i++)
        edges += found.nodes.items[i].more_count;
    /* Two of the list's four references are drawn, or its more distant ones counted: all five are accounted for. */
    ck_assert_uint_eq(edges, 3);
    ck_assert_str_eq(edge(LIST, A), "[3]\n[2]");
    ck_assert_uint_eq(drawn(A)->more_count, 1);
    ouro_neighbourhood_fini(&found);
    const ouro_node none = COUNT;
    query.starts = &none;
    ck_assert_int_eq(ouro_neighbourhood_init(&found, &model, &query, &err), OURO_INVAL);
    close_heap();
}
END_TEST

/* --- chains */

static void check_chain(const struct ouro_chains *chains, size_t which, const ouro_node *nodes, size_t count)
{
    const struct ouro_chain *chain = &chains->items[which];
    ck_assert_uint_eq(chain->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct ouro_chain_step *step = &chains->steps.items[chain->begin + i];
        ck_assert_uint_eq(chains->objects.nodes.items[step->node].node, nodes[i]);
        ck_assert_uint_eq(step->edge == UINT32_MAX, i == 0);
    }
}

START_TEST(a_chain_leads_from_the_module_and_is_the_shortest)
{
    open_heap();
    const ouro_node nodes[] = {DICT, KEY, SELF, MODULE};
    struct ouro_chain_query query = {.nodes = nodes, .count = 4, .depth_max = 20};
    struct ouro_chains chains;
    ck_assert_int_eq(ouro_chains_init(&chains, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(chains.count, 4);
    ck_assert_uint_eq(chains.found_count, 3);
    check_chain(&chains, 0, (const ouro_node[]){MODULE, NAMESPACE, LIST, A, DICT}, 5);
    check_chain(&chains, 1, (const ouro_node[]){MODULE}, 1);
    /* Without hidden references there is none; those come last. */
    check_chain(&chains, 2, (const ouro_node[]){MODULE, NAMESPACE, LIST, A, DICT, KEY}, 6);
    check_chain(&chains, 3, (const ouro_node[]){SELF}, 1);
    ouro_chains_fini(&chains);
    query.depth_max = 3;
    ck_assert_int_eq(ouro_chains_init(&chains, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(chains.found_count, 1);
    ouro_chains_fini(&chains);
    query.depth_max = 4;
    query.count = 1;
    ck_assert_int_eq(ouro_chains_init(&chains, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(chains.found_count, 1);
    ouro_chains_fini(&chains);
    close_heap();
}
END_TEST

START_TEST(a_chain_forward_ends_at_the_nearest_other_of_the_type)
{
    open_heap();
    const ouro_node nodes[] = {MODULE, A, B};
    struct ouro_chain_query query = {.nodes = nodes, .count = 3, .to = "app.Node", .depth_max = 20};
    struct ouro_chains chains;
    ck_assert_int_eq(ouro_chains_init(&chains, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(chains.found_count, 2);
    check_chain(&chains, 0, (const ouro_node[]){MODULE, NAMESPACE, LIST, A}, 4);
    ck_assert_uint_eq(chains.items[1].count, 4); /* A -> dict -> list -> another than A */
    check_chain(&chains, 2, (const ouro_node[]){B}, 1);
    ouro_chains_fini(&chains);
    query.node_budget = 2;
    ck_assert_int_eq(ouro_chains_init(&chains, &model, &query, &err), OURO_OK);
    ck_assert_uint_eq(chains.count, 1);
    ck_assert_uint_eq(chains.objects.unplaced_count, 2);
    ouro_chains_fini(&chains);
    close_heap();
}
END_TEST

/* --- cycles */

static struct ouro_cyclic cyclic;

/* A ring of `count`, and a hub that refers to `spokes` of it, which refer back: objects 0 to count-1, then the hub. */
static void open_ring(ouro_node count, ouro_node spokes)
{
    tiny_begin(&tiny);
    uint32_t type = tiny_type(&tiny, "app", "Ring", OURO_TYPE_GC | OURO_TYPE_HEAP, OURO_VALUE_NONE);
    uint32_t next = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".next")});
    uint32_t both = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".next")},
                               {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".hub")});
    uint32_t hub = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    for (ouro_node v = 0; v < count; v++) {
        tiny_object(&tiny, v < spokes ? both : next, 48, v < spokes ? 2 : 1, 1);
        TINY_SLOTS(&tiny, (v + 1) % count);
        if (v < spokes)
            TINY_SLOTS(&tiny, count);
    }
    tiny_object(&tiny, hub, 48, spokes, 1);
    tiny_count(&tiny, spokes);
    for (ouro_node v = 0; v < spokes; v++)
        TINY_SLOTS(&tiny, v);
    tiny_open(&tiny, &model);
    ck_assert_int_eq(ouro_heap_model_load(&model, OURO_HEAP_ALL, &err), OURO_OK);
    ck_assert_int_eq(ouro_cyclic_init(&cyclic, &model, &err), OURO_OK);
}

static void close_ring(void)
{
    ouro_cyclic_fini(&cyclic);
    close_heap();
}

START_TEST(the_shortest_cycles_through_an_object_come_first)
{
    open_ring(50, 3);
    ck_assert_int_eq(ouro_cycle_objects_through(&found, &cyclic, 50, 2, 0, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 3); /* the hub and two of the spokes */
    ck_assert(found.nodes.items[0].start && found.nodes.items[0].node == 50);
    ck_assert_uint_eq(found.nodes.items[0].more_count, 1);
    ck_assert_str_eq(edge(50, 0), "[0]");
    ck_assert_str_eq(edge(0, 50), ".hub");
    close_ring();
}
END_TEST

START_TEST(a_cycle_longer_than_the_budget_is_folded_and_counted)
{
    open_ring(1000, 0);
    ck_assert_int_eq(ouro_cycle_objects_through(&found, &cyclic, 7, 8, 10, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 10);
    ck_assert_uint_eq(found.folds.count, 1);
    ck_assert_uint_eq(found.folds.items[0].count, 990);
    ck_assert_uint_eq(found.edges.count, 9);
    ouro_neighbourhood_fini(&found);
    ck_assert_int_eq(ouro_cycle_objects_through(&found, &cyclic, 7, 8, 0, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 1000);
    ck_assert_uint_eq(found.folds.count, 0);
    close_ring();
}
END_TEST

START_TEST(a_component_is_drawn_as_far_as_the_budget_goes)
{
    uint64_t members;
    open_ring(50, 3);
    ck_assert_int_eq(ouro_cycle_objects_component(&found, &cyclic, 0, 0, &members, &err), OURO_OK);
    ck_assert_uint_eq(members, 51);
    ck_assert_uint_eq(found.nodes.count, 51);
    ck_assert_uint_eq(found.edges.count, 50 + 2 * 3);
    ouro_neighbourhood_fini(&found);
    ck_assert_int_eq(ouro_cycle_objects_component(&found, &cyclic, 0, 4, &members, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 4);
    uint64_t more = 0;
    for (size_t i = 0; i < found.nodes.count; i++)
        more += found.nodes.items[i].more_count;
    ck_assert_uint_gt(more, 0);
    ck_assert_uint_eq(members, 51);
    close_ring();
}
END_TEST

START_TEST(what_lies_on_no_cycle_has_none)
{
    uint64_t members;
    open_ring(3, 0); /* nothing refers to the hub */
    ck_assert_int_eq(ouro_cycle_objects_through(&found, &cyclic, 3, 8, 0, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 0);
    ck_assert_int_eq(ouro_cycle_objects_component(&found, &cyclic, 3, 0, &members, &err), OURO_OK);
    ck_assert_uint_eq(found.nodes.count, 0);
    close_ring();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("neighbourhood");
    TCase *tests = tcase_create("neighbourhood");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, referents_come_in_order_and_repeats_are_one_edge);
    tcase_add_test(tests, what_is_too_many_is_counted_reference_by_reference);
    tcase_add_test(tests, depth_ends_the_search_and_cycles_are_closed);
    tcase_add_test(tests, hidden_references_are_drawn_on_demand_and_told_apart);
    tcase_add_test(tests, referrers_end_at_modules_and_weak_ones_are_none);
    tcase_add_test(tests, what_refers_to_itself_is_one_node_with_one_edge);
    tcase_add_test(tests, filters_and_what_is_ignored_leave_no_trace);
    tcase_add_test(tests, behind_the_budget_everything_is_counted);
    tcase_add_test(tests, a_chain_leads_from_the_module_and_is_the_shortest);
    tcase_add_test(tests, a_chain_forward_ends_at_the_nearest_other_of_the_type);
    tcase_add_test(tests, the_shortest_cycles_through_an_object_come_first);
    tcase_add_test(tests, a_cycle_longer_than_the_budget_is_folded_and_counted);
    tcase_add_test(tests, a_component_is_drawn_as_far_as_the_budget_goes);
    tcase_add_test(tests, what_lies_on_no_cycle_has_none);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
