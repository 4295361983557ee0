#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/cycle_advice.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_collector collector;
static struct ouro_cycles cycles;
static struct ouro_err err;

static uint32_t type_of(const char *name)
{
    return tiny_type(&tiny, "app", name, OURO_TYPE_GC | OURO_TYPE_HEAP, OURO_VALUE_NONE);
}

static uint32_t builtin(const char *name)
{
    return tiny_type(&tiny, "builtins", name, OURO_TYPE_GC, OURO_VALUE_NONE);
}

static void open_cycles(unsigned flags)
{
    tiny_open(&tiny, &model);
    ck_assert_int_eq(ouro_collector_init(&collector, &model, &err), OURO_OK);
    ck_assert_int_eq(ouro_cycles_init(&cycles, &model, &collector, NULL, flags, &err), OURO_OK);
}

static void close_cycles(void)
{
    ouro_cycles_fini(&cycles);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

static const char *text_of(size_t row, size_t which)
{
    static char text[4096];
    struct ouro_cycle_texts texts;
    struct ouro_buf buf = {0};
    ck_assert_int_eq(ouro_cycles_describe(&cycles, &cycles.rows.items[row], 8, &texts), OURO_OK);
    ck_assert_uint_lt(which, texts.cycles.count);
    ouro_cycles_add_text(&cycles, &texts, which, &buf);
    snprintf(text, sizeof text, "%s", ouro_buf_text(&buf));
    ouro_buf_fini(&buf);
    ouro_cycle_texts_fini(&texts);
    return text;
}

static void check_advice(size_t row, size_t count, const char *first, uint64_t lonely)
{
    struct ouro_cycle_advice advice;
    ck_assert_int_eq(ouro_cycle_advice_init(&advice, &cycles, &cycles.rows.items[row]), OURO_OK);
    ck_assert(advice.complete);
    ck_assert(advice.smallest);
    ck_assert_uint_eq(advice.cuts.count, count);
    struct ouro_buf buf = {0};
    ouro_cycle_cut_add(&advice.cuts.items[0], &cycles, &buf);
    ck_assert_str_eq(ouro_buf_text(&buf), first);
    ck_assert_uint_eq(advice.cuts.items[0].lonely_count, lonely);
    ouro_buf_fini(&buf);
    ouro_cycle_advice_fini(&advice);
}

/* An owner with a list of three that refer back; twice, and once with one only. */
START_TEST(parents_and_children_are_one_pattern_however_many_children)
{
    tiny_begin(&tiny);
    uint32_t owner =
        TINY_SHAPE(&tiny, type_of("Owner"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".items")});
    uint32_t item = TINY_SHAPE(&tiny, type_of("Item"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".owner")});
    uint32_t list = TINY_SHAPE(&tiny, builtin("list"), {.kind = OURO_PART_ITEMS_DOWN});
    ouro_node at = 0;
    for (unsigned n = 0; n < 3; n++) {
        unsigned children = n == 2 ? 1 : 3;
        tiny_object(&tiny, owner, 48, children, 1);
        TINY_SLOTS(&tiny, at + 1);
        tiny_object(&tiny, list, 88, 1, 1);
        tiny_count(&tiny, children);
        for (ouro_node c = 0; c < children; c++)
            TINY_SLOTS(&tiny, at + 2 + c);
        for (unsigned c = 0; c < children; c++) {
            tiny_object(&tiny, item, 48, 1, 1);
            TINY_SLOTS(&tiny, at);
        }
        at += 2 + children;
    }
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    ck_assert_uint_eq(cycles.rows.items[0].knot_count, 3);
    ck_assert_uint_eq(cycles.rows.items[0].object_count, 13);
    ck_assert_uint_eq(cycles.rows.items[0].shallow_bytes, 3 * 48 + 3 * 88 + 7 * 48);
    ck_assert(cycles.rows.items[0].unreachable);
    ck_assert_str_eq(text_of(0, 0), "Owner.items[*] -> Item.owner");
    /* The owner of one child is referred to by it alone: weakened, it would go. */
    check_advice(0, 1, "Item.owner", 3);
    close_cycles();
}
END_TEST

START_TEST(a_long_ring_is_one_reference)
{
    const ouro_node count = 4000;
    tiny_begin(&tiny);
    uint32_t node = TINY_SHAPE(&tiny, type_of("Chain"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".next")});
    for (ouro_node v = 0; v < count; v++) {
        tiny_object(&tiny, node, 48, 1, 1);
        TINY_SLOTS(&tiny, v + 1 < count ? v + 1 : 0);
    }
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    ck_assert_uint_eq(cycles.rows.items[0].knot_count, 1);
    ck_assert_uint_eq(cycles.rows.items[0].object_count, count);
    ck_assert_str_eq(text_of(0, 0), "Chain.next");
    check_advice(0, 1, "Chain.next", count);
    close_cycles();
}
END_TEST

START_TEST(a_list_of_itself_many_times_over_is_one_cycle)
{
    const unsigned count = 200;
    tiny_begin(&tiny);
    uint32_t list = TINY_SHAPE(&tiny, builtin("list"), {.kind = OURO_PART_ITEMS_DOWN});
    tiny_object(&tiny, list, 5000, count + 1, 1);
    tiny_count(&tiny, count);
    for (unsigned i = 0; i < count; i++)
        TINY_SLOTS(&tiny, 0);
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    ck_assert(!cycles.rows.items[0].unreachable); /* one reference more than it has of itself */
    ck_assert_uint_eq(cycles.references.items[0].count, count);
    ck_assert_str_eq(text_of(0, 0), "list[*]");
    check_advice(0, 1, "list[*]", 0);
    close_cycles();
}
END_TEST

/* Two cycles that share no reference: one name is not enough. a.x -> a, a.y -> a. */
START_TEST(two_ways_round_need_two_cuts)
{
    tiny_begin(&tiny);
    uint32_t both = TINY_SHAPE(&tiny, type_of("A"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".x")},
                               {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".y")});
    tiny_object(&tiny, both, 48, 2, 1);
    TINY_SLOTS(&tiny, 0, 0);
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    check_advice(0, 2, "A.x", 0);
    close_cycles();
}
END_TEST

/* A figure of eight, a -> b -> a and a -> c -> a: the reference that both have in common is enough. */
START_TEST(the_smallest_set_is_found_where_a_greedy_one_would_be_larger)
{
    tiny_begin(&tiny);
    uint32_t a = TINY_SHAPE(&tiny, type_of("A"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".hub")});
    uint32_t hub = TINY_SHAPE(&tiny, type_of("Hub"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".b")},
                              {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".c")});
    uint32_t b = TINY_SHAPE(&tiny, type_of("B"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".a")});
    uint32_t c = TINY_SHAPE(&tiny, type_of("C"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".a")});
    tiny_object(&tiny, a, 48, 2, 1);
    TINY_SLOTS(&tiny, 1);
    tiny_object(&tiny, hub, 48, 1, 1);
    TINY_SLOTS(&tiny, 2, 3);
    tiny_object(&tiny, b, 48, 1, 1);
    TINY_SLOTS(&tiny, 0);
    tiny_object(&tiny, c, 48, 1, 1);
    TINY_SLOTS(&tiny, 0);
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    check_advice(0, 1, "A.hub", 1);
    close_cycles();
}
END_TEST

/* type -> its mro -> type; an instance that the class holds. */
START_TEST(what_runs_through_classes_is_folded_away_unless_asked_for)
{
    tiny_begin(&tiny);
    struct ouro_type_record record = {.addr = TINY_BASE,
                                      .node = 0,
                                      .name = tiny_string(&tiny, "type"),
                                      .module = tiny_string(&tiny, "builtins"),
                                      .flags = OURO_TYPE_GC,
                                      .value_kind = OURO_VALUE_NAME,
                                      .base = UINT32_MAX};
    uint32_t type = ouro_snapshot_writer_type(tiny.writer, &record);
    uint32_t class = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__mro__")},
                                {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".instance")});
    uint32_t tuple = TINY_SHAPE(&tiny, builtin("tuple"), {.kind = OURO_PART_ITEMS_DOWN});
    uint32_t thing = TINY_SHAPE(&tiny, type_of("Thing"), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".kind")},
                                {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".me")});
    tiny_object(&tiny, class, 1000, 9, 3 | OURO_OBJECT_VALUE);
    TINY_SLOTS(&tiny, 1, 2);
    tiny_value(&tiny, "builtins.type", 13);
    tiny_object(&tiny, tuple, 48, 1, 3);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, 0);
    tiny_object(&tiny, thing, 48, 1, 3);
    TINY_SLOTS(&tiny, 0, OURO_NODE_NONE);
    tiny_object(&tiny, thing, 48, 2, 3); /* on a cycle of its own */
    TINY_SLOTS(&tiny, 0, 3);
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    ck_assert_str_eq(text_of(0, 0), "Thing.me");
    ck_assert_uint_eq(cycles.folded_object_count, 3);
    ck_assert_uint_eq(cycles.folded_bytes, 1096);
    ouro_cycles_fini(&cycles);
    ck_assert_int_eq(ouro_cycles_init(&cycles, &model, &collector, NULL, OURO_CYCLES_ALL, &err), OURO_OK);
    ck_assert_uint_eq(cycles.rows.count, 2);
    ck_assert_uint_eq(cycles.folded_object_count, 0);
    ck_assert_int_eq(cycles.rows.items[0].layer, OURO_LAYER_CLASSES);
    ck_assert_uint_eq(cycles.rows.items[0].object_count, 3);
    close_cycles();
}
END_TEST

/* A class, its namespace, a cached method, and three lists below it, each of which holds the next eight thousand times. */
START_TEST(a_cache_is_looked_through_once_however_often_it_holds_the_same)
{
    enum { CLASS, NAMESPACE, CACHE, FIRST_LIST, ITEMS = 8000, LISTS = 3 };
    static ouro_node slots[ITEMS];
    tiny_begin(&tiny);
    struct ouro_type_record record = {.addr = TINY_BASE,
                                      .node = CLASS,
                                      .name = tiny_string(&tiny, "type"),
                                      .module = tiny_string(&tiny, "builtins"),
                                      .flags = OURO_TYPE_GC,
                                      .base = UINT32_MAX};
    uint32_t class = TINY_SHAPE(&tiny, ouro_snapshot_writer_type(tiny.writer, &record),
                                {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__dict__")});
    uint32_t namespace = TINY_SHAPE(&tiny, builtin("dict"), {.kind = OURO_PART_NAMESPACE});
    uint32_t list = TINY_SHAPE(&tiny, builtin("list"), {.kind = OURO_PART_ITEMS});
    uint32_t type = tiny_type(&tiny, "functools", "_lru_cache_wrapper", OURO_TYPE_GC, OURO_VALUE_NONE);
    uint32_t cache = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".cache")});
    tiny_object(&tiny, class, 1000, UINT32_MAX, 3);
    TINY_SLOTS(&tiny, NAMESPACE);
    tiny_object(&tiny, namespace, 100, 1, 3);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, CACHE, OURO_NODE_NONE);
    tiny_object(&tiny, cache, 100, 1, 3);
    TINY_SLOTS(&tiny, FIRST_LIST);
    for (ouro_node v = 0; v < LISTS; v++) {
        for (unsigned i = 0; i < ITEMS; i++)
            slots[i] = v + 1 < LISTS ? FIRST_LIST + v + 1 : CLASS;
        tiny_object(&tiny, list, 100, ITEMS, 3);
        tiny_count(&tiny, ITEMS);
        tiny_slots(&tiny, slots, ITEMS);
    }
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 0); /* it holds no instance */
    ck_assert_uint_eq(cycles.folded_object_count, FIRST_LIST + LISTS);
    close_cycles();
}
END_TEST

/* A ring in which each object has attributes of its own, with ways across: cycles of thousands of names, and no small set
 * of names that breaks them all. What can't be proven must not be tried for minutes. */
START_TEST(what_is_too_hard_to_prove_is_given_up_in_time)
{
    const ouro_node count = 21000;
    uint32_t random = 1;
    struct ouro_cycle_advice advice;
    tiny_begin(&tiny);
    uint32_t node = TINY_SHAPE(&tiny, type_of("Node"), {.kind = OURO_PART_NAMESPACE});
    uint32_t key = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    for (ouro_node v = 0; v < count; v++) {
        random = random * 1664525 + 1013904223;
        tiny_object(&tiny, node, 100, 2, 1);
        tiny_count(&tiny, 2);
        TINY_SLOTS(&tiny, (v + 1) % count, count + 2 * v, (random >> 8) % count, count + 2 * v + 1);
    }
    for (ouro_node v = 0; v < 2 * count; v++) {
        char name[16];
        snprintf(name, sizeof name, "a%u", v);
        tiny_object(&tiny, key, 50, 1, OURO_OBJECT_VALUE);
        tiny_value(&tiny, name, strlen(name));
    }
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    ck_assert_int_eq(ouro_cycle_advice_init(&advice, &cycles, &cycles.rows.items[0]), OURO_OK);
    ck_assert(!advice.smallest);
    ck_assert(advice.complete);
    ck_assert_uint_gt(advice.cuts.count, 6);
    ouro_cycle_advice_fini(&advice);
    close_cycles();
}
END_TEST

START_TEST(names_too_long_to_read_are_cut)
{
    static char name[100001];
    memset(name, 'a', sizeof name - 1);
    memcpy(name, ".", 1);
    tiny_begin(&tiny);
    uint32_t node = TINY_SHAPE(&tiny, type_of(name + 1), {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, name)});
    for (ouro_node v = 0; v < 20000; v++) {
        tiny_object(&tiny, node, 48, 1, 1);
        TINY_SLOTS(&tiny, v ^ 1);
    }
    open_cycles(0);
    ck_assert_uint_eq(cycles.rows.count, 1);
    ck_assert_uint_eq(cycles.rows.items[0].knot_count, 10000);
    const char *text = text_of(0, 0);
    ck_assert_uint_eq(strlen(text), 512 + 512 + strlen("..."));
    ck_assert(!strncmp(text + 512, ".aaa", 4));
    close_cycles();
}
END_TEST

START_TEST(no_objects_have_no_cycles)
{
    tiny_begin(&tiny);
    open_cycles(OURO_CYCLES_ALL);
    ck_assert_uint_eq(cycles.rows.count, 0);
    close_cycles();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cycles");
    TCase *tcase = tcase_create("cycles");
    tcase_add_test(tcase, parents_and_children_are_one_pattern_however_many_children);
    tcase_add_test(tcase, a_long_ring_is_one_reference);
    tcase_add_test(tcase, a_list_of_itself_many_times_over_is_one_cycle);
    tcase_add_test(tcase, two_ways_round_need_two_cuts);
    tcase_add_test(tcase, the_smallest_set_is_found_where_a_greedy_one_would_be_larger);
    tcase_add_test(tcase, what_runs_through_classes_is_folded_away_unless_asked_for);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, what_is_too_hard_to_prove_is_given_up_in_time);
    tcase_add_test(tcase, a_cache_is_looked_through_once_however_often_it_holds_the_same);
    tcase_add_test(tcase, names_too_long_to_read_are_cut);
    tcase_add_test(tcase, no_objects_have_no_cycles);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
