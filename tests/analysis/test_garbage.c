#include <check.h>
#include <string.h>

#include "analysis/garbage.h"
#include "analysis/schedule.h"
#include "tiny.h"

/* Flags: tracked in generation 0, 1, 2; permanent. */
enum { GEN0 = 1, GEN1 = 2, GEN2 = 3, FROZEN = 4 };

/* A heap of lists; `legacy` is one with tp_del, `closed` one with tp_finalize, `ref` a weak reference to its first slot
 * with the callback of its second; a root names one object. */
static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_collector collector;
static struct ouro_roots roots;
static struct ouro_garbage garbage;
static struct ouro_err err;
static uint32_t list, plain, legacy, closed, ref, unknown, root;

static void begin(void)
{
    tiny_begin(&tiny);
    uint32_t type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    list = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS_DOWN});
    type = tiny_type(&tiny, "ext", "Plain", 0, OURO_VALUE_NONE);
    plain = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS, .edge_class = OURO_EDGE_HIDDEN});
    type = tiny_type(&tiny, "ext", "Legacy", OURO_TYPE_GC | OURO_TYPE_DEL, OURO_VALUE_NONE);
    legacy = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    type = tiny_type(&tiny, "ext", "Closed", OURO_TYPE_GC | OURO_TYPE_FINALIZE, OURO_VALUE_NONE);
    closed = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    type = tiny_type(&tiny, "weakref", "ReferenceType", OURO_TYPE_GC | OURO_TYPE_WEAKREF, OURO_VALUE_NONE);
    ref = TINY_SHAPE(&tiny, type,
                     {.kind = OURO_PART_FIELD, .edge_class = OURO_EDGE_WEAK, .name = tiny_string(&tiny, "()")},
                     {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__callback__")});
    type = tiny_type(&tiny, "ext", "Thing", OURO_TYPE_GC | OURO_TYPE_APPROXIMATE, OURO_VALUE_NONE);
    unknown = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FOUND, .name = tiny_string(&tiny, "word")});
    type = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    root = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMED, .name = tiny_string(&tiny, "modules")});
}

static ouro_node add(uint32_t shape, uint64_t refcount, unsigned flags, const ouro_node *slots, size_t count)
{
    ouro_node node = tiny_object(&tiny, shape, flags & OURO_OBJECT_PSEUDO ? 0 : 100, refcount, flags);
    if (shape != ref)
        tiny_count(&tiny, count);
    tiny_slots(&tiny, slots, count);
    return node;
}

#define ADD(shape, refcount, flags, ...)                          \
    add(shape, refcount, flags, (const ouro_node[]){__VA_ARGS__}, \
        sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

static void add_list(unsigned generation, const ouro_node *nodes, size_t count)
{
    ck_assert(ouro_snapshot_writer_gc_order(tiny.writer, 0, generation, nodes, count, &err) == OURO_OK);
}

#define ADD_LIST(generation, ...) \
    add_list(generation, (const ouro_node[]){__VA_ARGS__}, sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

static void collect(unsigned generation)
{
    tiny_open(&tiny, &model);
    ck_assert_msg(ouro_collector_init(&collector, &model, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_roots_init(&roots, &model, &collector, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_garbage_init(&garbage, &model, &collector, &roots, generation, &err) == OURO_OK, "%s", err.msg);
}

static void end(void)
{
    ouro_garbage_fini(&garbage);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

/* Numbers of objects below ten, a digit each. */
static void check_set(const struct ouro_garbage_set *set, const char *expected)
{
    ck_assert_uint_eq(set->count, strlen(expected));
    ck_assert_uint_eq(set->bytes, 100 * set->count);
    uint64_t typed = 0;
    for (size_t i = 0; i < set->types.count; i++)
        typed += set->types.items[i].count;
    ck_assert_uint_eq(typed, set->count);
    for (size_t i = 0; i < set->count; i++)
        ck_assert_msg(set->items[i] == (ouro_node)(expected[i] - '0'), "%s: number %zu is %u", expected, i,
                      set->items[i]);
}

/* 0 young, 1 middle, 2 old, each a cycle of itself; the old one holds 3, which is young; 4 is young and holds 5, which
 * is old. */
static void add_ages(void)
{
    ADD(list, 1, GEN0, 0);
    ADD(list, 1, GEN1, 1);
    ADD(list, 1, GEN2, 2, 3);
    ADD(list, 2, GEN0, 3);
    ADD(list, 1, GEN0, 4, 5);
    ADD(list, 2, GEN2, 5);
    ADD_LIST(0, 4, 3, 0);
    ADD_LIST(1, 1);
    ADD_LIST(2, 5, 2);
}

START_TEST(a_young_collection_leaves_what_older_objects_hold)
{
    static const char *const found[] = {"40", "140", "524301"}; /* the oldest list, then from the youngest on */
    for (unsigned generation = 0; generation < 3; generation++) {
        begin();
        add_ages();
        collect(generation);
        check_set(&garbage.unreachable, generation == 2 ? "524301" : found[generation]);
        for (unsigned g = 0; g < 3; g++) {
            ck_assert(garbage.generations[g].predictable);
            ck_assert_uint_eq(garbage.generations[g].count, strlen(found[g]));
        }
        ck_assert_uint_eq(garbage.freed_count, garbage.unreachable.count);
        ck_assert_uint_eq(garbage.unlisted_count, 0);
        end();
    }
}
END_TEST

START_TEST(an_increment_of_an_incremental_collector_is_not_foretold)
{
    begin();
    add_ages();
    ouro_snapshot_writer_meta(tiny.writer, OURO_META_COLLECTOR, "incremental", strlen("incremental"));
    collect(0);
    ck_assert(!garbage.generations[1].predictable);
    ck_assert_uint_eq(garbage.generations[0].count, 2);
    ouro_garbage_fini(&garbage);
    ck_assert(ouro_garbage_init(&garbage, &model, &collector, &roots, 1, &err) == OURO_UNSUPPORTED);
    ck_assert(ouro_garbage_init(&garbage, &model, &collector, &roots, 3, &err) == OURO_INVAL);
    end();
}
END_TEST

START_TEST(objects_of_no_list_come_last_and_are_counted)
{
    begin();
    ADD(list, 1, GEN0, 0);
    ADD(list, 1, GEN0, 1);
    ADD(list, 1, GEN0, 2);
    ADD_LIST(0, 2, 2, 2);
    collect(2);
    check_set(&garbage.unreachable, "201");
    ck_assert_uint_eq(garbage.unlisted_count, 2);
    end();
}
END_TEST

START_TEST(legacy_finalizers_and_what_they_reach_stay)
{
    begin();
    ADD(list, 1, GEN0, 1);   /* holds a cycle through a legacy one: is collected itself */
    ADD(legacy, 2, GEN0, 2); /* from 0 and 2 */
    ADD(list, 1, GEN0, 1, 3);
    ADD(list, 1, GEN0, OURO_NODE_NONE);
    ADD(list, 1, GEN0, 4);
    ADD(list, 1, GEN0, 5, 0);
    ADD_LIST(0, 5, 4, 3, 2, 1, 0);
    collect(2);
    check_set(&garbage.unreachable, "540123"); /* as gc_list_move appends what a legacy one reaches */
    check_set(&garbage.uncollectable, "123");
    check_set(&garbage.released, "");
    ck_assert_uint_eq(garbage.legacy_count, 1);
    ck_assert_uint_eq(garbage.freed_count, 3);
    end();
}
END_TEST

START_TEST(what_only_collected_objects_hold_is_released_with_its_legacy_finalizer)
{
    begin();
    ADD(list, 1, GEN0, 0, 1);
    ADD(legacy, 1, GEN0, 2, 3);
    ADD(list, 1, GEN0, 4);
    ADD(legacy, 2, GEN0, 3); /* in a cycle: stays */
    ADD(plain, 1, 0, OURO_NODE_NONE);
    ADD_LIST(0, 0, 1, 2, 3);
    collect(2);
    check_set(&garbage.unreachable, "0132");
    check_set(&garbage.released, "12");
    check_set(&garbage.uncollectable, "3");
    ck_assert_uint_eq(garbage.freed_count, 4); /* 0 1 2 4 */
    ck_assert_uint_eq(garbage.finalizers.kind_count[OURO_FINALIZER_LEGACY], 1);
    end();
}
END_TEST

START_TEST(what_hangs_off_is_freed_unless_something_else_holds_it)
{
    begin();
    ADD(list, 1, GEN0, 0, 2, 3); /* young garbage */
    ADD(list, 1, GEN2, 1, 3);    /* old garbage */
    ADD(plain, 1, 0, OURO_NODE_NONE);
    ADD(plain, 2, 0, OURO_NODE_NONE);
    ADD_LIST(0, 0);
    ADD_LIST(2, 1);
    collect(0);
    check_set(&garbage.unreachable, "0");
    ck_assert_uint_eq(garbage.freed_count, 2); /* 0 2; 1 holds 3 still */
    end();
}
END_TEST

START_TEST(callbacks_come_before_finalizers_each_in_list_order)
{
    begin();
    ADD(closed, 1, GEN0, 0);
    ADD(closed, 1, GEN0, 1);
    ADD(list, 9, GEN2, OURO_NODE_NONE); /* the callback */
    ADD(ref, 1, GEN2, 0, 2);
    ADD(ref, 1, GEN0, 1, 2);
    ADD(ref, 1, GEN0, 1, 2);
    ADD(ref, 1, GEN0, 1, OURO_NODE_NONE); /* has none */
    ADD(ref, 1, GEN0, 1, 2);              /* garbage itself, below */
    ADD(list, 1, GEN0, 8, 7);
    ADD(closed, 1, GEN0 | OURO_OBJECT_FINALIZED, 9);
    ADD_LIST(0, 1, 4, 5, 6, 7, 8, 9, 0);
    ADD_LIST(2, 2, 3);
    collect(2);
    const struct ouro_finalizer *items = garbage.finalizers.items;
    ck_assert_uint_eq(garbage.finalizers.count, 5);
    ck_assert_uint_eq(garbage.finalizers.ordered_count, 5);
    ck_assert(items[0].node == 1 && items[0].weakref == 5 && items[0].kind == OURO_FINALIZER_WEAKREF); /* the newest */
    ck_assert(items[1].node == 1 && items[1].weakref == 4 && !items[1].unsure);
    ck_assert(items[2].node == 0 && items[2].weakref == 3 && items[2].callable == 2);
    ck_assert(items[3].node == 1 && items[3].kind == OURO_FINALIZER_NATIVE);
    ck_assert(items[4].node == 0 && items[4].stage == OURO_FINALIZER_FINALIZE);
    ck_assert_uint_eq(garbage.finalizers.finished_count, 1);
    ck_assert_uint_eq(garbage.finalizers.finished[0], 9);
    ck_assert_uint_eq(garbage.finalizers.unsure_count, 0);
    end();
}
END_TEST

START_TEST(the_order_of_old_callbacks_of_one_object_is_unsure)
{
    begin();
    ADD(list, 1, GEN2, 0);
    ADD(list, 9, GEN2, OURO_NODE_NONE);
    ADD(ref, 1, GEN2, 0, 1);
    ADD(ref, 1, GEN1, 0, 1);
    ADD(ref, 1, GEN0, 0, 1);
    ADD_LIST(0, 4);
    ADD_LIST(1, 3);
    ADD_LIST(2, 0, 1, 2);
    collect(2);
    ck_assert_uint_eq(garbage.finalizers.count, 3);
    ck_assert_uint_eq(garbage.finalizers.unsure_count, 2);
    ck_assert(garbage.finalizers.items[0].weakref == 4 && !garbage.finalizers.items[0].unsure);
    end();
}
END_TEST

START_TEST(frozen_objects_that_nothing_else_holds_would_be_garbage)
{
    begin();
    ADD(list, 2, FROZEN, 1, 0);
    ADD(list, 1, GEN0, 0);                          /* hangs on it */
    ADD(list, 2, FROZEN, 2);                        /* held from outside */
    ADD(list, 0, FROZEN | OURO_OBJECT_IMMORTAL, 3); /* of 3.12: not by gc.freeze() */
    ADD(list, 1, GEN0, 4);
    collect(2);
    check_set(&garbage.unreachable, "4");
    check_set(&garbage.frozen, "01");
    ck_assert_uint_eq(garbage.frozen_count, 1);
    end();
}
END_TEST

START_TEST(without_gc_garbage_its_members_would_be_garbage)
{
    begin();
    ADD(list, 3, GEN2, 1, 2); /* gc.garbage: an attribute of the module, and the collector's state */
    ADD(list, 2, GEN2, 1, 3);
    ADD(list, 2, GEN2, OURO_NODE_NONE); /* held by somebody else, too */
    ADD(list, 1, GEN2, OURO_NODE_NONE);
    ADD(root, 0, OURO_OBJECT_PSEUDO, 0);
    struct ouro_interpreter_record interpreter = {.garbage = 0, .callbacks = OURO_NODE_NONE, .gc_debug = 32};
    ouro_snapshot_writer_interpreter(tiny.writer, &interpreter);
    collect(2);
    check_set(&garbage.unreachable, "");
    check_set(&garbage.members, "12");
    check_set(&garbage.members_hold, "13");
    ck_assert(ouro_garbage_saves_all(&model));
    end();
}
END_TEST

START_TEST(finalized_objects_that_roots_reach_are_resurrected)
{
    begin();
    ADD(list, 1, GEN2 | OURO_OBJECT_FINALIZED, OURO_NODE_NONE);
    ADD(list, 1, GEN2 | OURO_OBJECT_FINALIZED, 1);
    ADD(root, 0, OURO_OBJECT_PSEUDO, 0);
    collect(2);
    check_set(&garbage.resurrected, "0");
    end();
}
END_TEST

START_TEST(guesses_are_believed_only_to_say_what_they_may_hide)
{
    begin();
    ADD(unknown, 1, GEN0 | OURO_OBJECT_APPROXIMATE, 1);
    ADD(list, 1, GEN0, 0, 2);
    ADD(list, 1, GEN0, OURO_NODE_NONE);
    ADD(unknown, 2, GEN0 | OURO_OBJECT_APPROXIMATE, 3); /* held from outside */
    collect(2);
    check_set(&garbage.unreachable, "");
    check_set(&garbage.hidden, "012");
    ck_assert_uint_eq(garbage.hidden_approximate_count, 1);
    end();
}
END_TEST

START_TEST(what_native_code_holds_has_its_references_and_what_it_keeps)
{
    begin();
    ADD(list, 4, GEN2, 0, 1); /* three too many */
    ADD(list, 1, GEN2, 2);
    ADD(plain, 1, 0, OURO_NODE_NONE);
    ADD(list, 2, GEN2, 4);            /* two too many, and a root names it */
    ADD(plain, 2, 0, OURO_NODE_NONE); /* only one of its references is known: not tracked */
    ADD(closed, 1, GEN2, 2);          /* smaller: 2 counts once, at the first */
    ADD(root, 0, OURO_OBJECT_PSEUDO, 3);
    collect(2);
    ck_assert_uint_eq(garbage.held.count, 2);
    ck_assert_uint_eq(garbage.held.items[0].node, 0);
    ck_assert_uint_eq(garbage.held.items[0].unexplained, 3);
    ck_assert_uint_eq(garbage.held.items[0].bytes, 300);
    ck_assert_uint_eq(garbage.held.items[1].node, 5);
    ck_assert_uint_eq(garbage.held.items[1].bytes, 100);
    ck_assert_uint_eq(garbage.held.reach_count, 4);
    ck_assert_uint_eq(garbage.held_types.count, 2);
    ck_assert_uint_eq(garbage.held_types.items[0].unexplained, 3);
    end();
}
END_TEST

static struct ouro_schedule schedule_of(struct ouro_interpreter_record interpreter, const char *words)
{
    struct ouro_schedule schedule;
    struct ouro_buf text = {0};
    ouro_schedule_of(&schedule, &model, &interpreter);
    ouro_schedule_describe(&text, &schedule);
    ck_assert_msg(strstr(ouro_buf_text(&text), words), "%s: not in: %s", words, ouro_buf_text(&text));
    ouro_buf_fini(&text);
    return schedule;
}

START_TEST(the_next_collection_goes_by_thresholds_counts_and_the_quarter)
{
    begin();
    ADD(list, 1, GEN0, 0);
    tiny_open(&tiny, &model);
    struct ouro_interpreter_record it = {
        .gc_enabled = 1, .threshold = {700, 10, 10},
             .count = {690, 3,  2 }
    };
    struct ouro_schedule schedule = schedule_of(it, "when 11 more container objects");
    ck_assert(schedule.kind == OURO_SCHEDULE_WAITING && schedule.generation == 0 && schedule.until_full == 9);
    it.count[0] = 5000;
    schedule = schedule_of(it, "with the next container object");
    ck_assert_uint_eq(schedule.allocations, 0);
    it.count[1] = 11;
    ck_assert_uint_eq(schedule_of(it, "of generation 1").generation, 1);
    it.count[2] = 11;
    ck_assert_uint_eq(schedule_of(it, "of generation 2").generation, 2);
    it.long_lived_total = 1000;
    it.long_lived_pending = 249;
    schedule = schedule_of(it, "put off until 1 more objects have survived");
    ck_assert(schedule.generation == 1 && schedule.survivors == 1);
    it.long_lived_pending = 250;
    ck_assert_uint_eq(schedule_of(it, "of generation 2").generation, 2);
    it.threshold[0] = 0;
    ck_assert(schedule_of(it, "gc.set_threshold(0)").kind == OURO_SCHEDULE_NEVER);
    it.gc_enabled = 0;
    ck_assert(schedule_of(it, "gc.disable()").kind == OURO_SCHEDULE_DISABLED);
    it.gc_collecting = 1;
    ck_assert(schedule_of(it, "running").kind == OURO_SCHEDULE_COLLECTING);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}
END_TEST

/* Four thousand classes with a thousand bases, all of them the one with eight thousand attributes. */
START_TEST(a_class_is_searched_for_its_finalizer_once_however_many_inherit_from_it)
{
    enum { BASE, NAMESPACE, MRO, KEY, FIRST_CLASS, CLASSES = 4000, BASES = 1000, ATTRIBUTES = 8000 };
    static ouro_node slots[2 * ATTRIBUTES];
    uint32_t types[CLASSES];
    begin();
    uint32_t class = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "type", OURO_TYPE_GC, OURO_VALUE_NONE),
                                {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__dict__")},
                                {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__mro__")});
    uint32_t namespace = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC, OURO_VALUE_NONE),
                                    {.kind = OURO_PART_NAMESPACE});
    uint32_t text = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    tiny_object(&tiny, class, 100, 1, GEN2);
    TINY_SLOTS(&tiny, NAMESPACE, OURO_NODE_NONE);
    tiny_object(&tiny, namespace, 100, 1, GEN2);
    tiny_count(&tiny, ATTRIBUTES);
    for (unsigned i = 0; i < 2 * ATTRIBUTES; i++)
        slots[i] = KEY;
    tiny_slots(&tiny, slots, 2 * ATTRIBUTES);
    memset(slots, 0, sizeof slots); /* BASE */
    add(list, 1, GEN2, slots, BASES);
    tiny_object(&tiny, text, 100, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, "attribute", 9);
    for (unsigned i = 0; i < CLASSES; i++) {
        types[i] = tiny_type(&tiny, "app", "C", OURO_TYPE_GC | OURO_TYPE_HEAP | OURO_TYPE_FINALIZE, OURO_VALUE_NONE);
        ouro_snapshot_writer_type_node(tiny.writer, types[i], tiny_object(&tiny, class, 100, 1, GEN2));
        TINY_SLOTS(&tiny, OURO_NODE_NONE, MRO);
    }
    for (ouro_node i = 0; i < CLASSES; i++) {
        uint32_t shape = TINY_SHAPE(&tiny, types[i], {.kind = OURO_PART_ITEMS});
        ADD(shape, 1, GEN0, FIRST_CLASS + CLASSES + i);
    }
    collect(2);
    ck_assert_uint_ge(garbage.unreachable.count, CLASSES);
    ck_assert_uint_eq(garbage.finalizers.kind_count[OURO_FINALIZER_NATIVE], CLASSES);
    end();
}
END_TEST

START_TEST(an_empty_heap_has_nothing_to_tell)
{
    begin();
    collect(2);
    check_set(&garbage.unreachable, "");
    ck_assert_uint_eq(garbage.finalizers.count, 0);
    ck_assert_uint_eq(garbage.held.count, 0);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("garbage");
    TCase *tcase = tcase_create("garbage");
    tcase_add_test(tcase, a_young_collection_leaves_what_older_objects_hold);
    tcase_add_test(tcase, an_increment_of_an_incremental_collector_is_not_foretold);
    tcase_add_test(tcase, objects_of_no_list_come_last_and_are_counted);
    tcase_add_test(tcase, legacy_finalizers_and_what_they_reach_stay);
    tcase_add_test(tcase, what_only_collected_objects_hold_is_released_with_its_legacy_finalizer);
    tcase_add_test(tcase, what_hangs_off_is_freed_unless_something_else_holds_it);
    tcase_add_test(tcase, callbacks_come_before_finalizers_each_in_list_order);
    tcase_add_test(tcase, the_order_of_old_callbacks_of_one_object_is_unsure);
    tcase_add_test(tcase, frozen_objects_that_nothing_else_holds_would_be_garbage);
    tcase_add_test(tcase, without_gc_garbage_its_members_would_be_garbage);
    tcase_add_test(tcase, finalized_objects_that_roots_reach_are_resurrected);
    tcase_add_test(tcase, guesses_are_believed_only_to_say_what_they_may_hide);
    tcase_add_test(tcase, what_native_code_holds_has_its_references_and_what_it_keeps);
    tcase_add_test(tcase, the_next_collection_goes_by_thresholds_counts_and_the_quarter);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_class_is_searched_for_its_finalizer_once_however_many_inherit_from_it);
    tcase_add_test(tcase, an_empty_heap_has_nothing_to_tell);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
