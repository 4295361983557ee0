#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/path.h"
#include "analysis/retained.h"
#include "tiny.h"

/* Flags: tracked in generation 0, 2; permanent. */
enum { GEN0 = 1, GEN2 = 3, FROZEN = 4 };

/* A heap of lists: `list` refers by traversed items, `code` hides its items, `ref` holds weakly; a root names one
 * object. */
static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_collector collector;
static struct ouro_roots roots;
static struct ouro_retained retained;
static uint32_t list, code, ref, text, unknown, root, frame;

static void begin(void)
{
    tiny_begin(&tiny);
    uint32_t type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    list = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS_DOWN});
    type = tiny_type(&tiny, "builtins", "code", 0, OURO_VALUE_NONE);
    code = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS, .edge_class = OURO_EDGE_HIDDEN});
    type = tiny_type(&tiny, "weakref", "ReferenceType", OURO_TYPE_GC | OURO_TYPE_WEAKREF, OURO_VALUE_NONE);
    ref = TINY_SHAPE(&tiny, type,
                     {.kind = OURO_PART_FIELD, .edge_class = OURO_EDGE_WEAK, .name = tiny_string(&tiny, "()")},
                     {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".__callback__")});
    type = tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR);
    text = TINY_EMPTY_SHAPE(&tiny, type);
    type = tiny_type(&tiny, "ext", "Thing", OURO_TYPE_GC | OURO_TYPE_APPROXIMATE, OURO_VALUE_NONE);
    unknown = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FOUND, .name = tiny_string(&tiny, "word")});
    type = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    root = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMED, .name = tiny_string(&tiny, "modules")});
    type = tiny_type(&tiny, "", "<frame>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    frame = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMED, .name = tiny_string(&tiny, "local")});
}

static ouro_node add(uint32_t shape, uint64_t refcount, unsigned flags, const ouro_node *slots, size_t count)
{
    ouro_node node = tiny_object(&tiny, shape, flags & OURO_OBJECT_PSEUDO ? 0 : 100, refcount, flags);
    if (shape != text && shape != ref)
        tiny_count(&tiny, count);
    tiny_slots(&tiny, slots, count);
    return node;
}

#define ADD(shape, refcount, flags, ...)                          \
    add(shape, refcount, flags, (const ouro_node[]){__VA_ARGS__}, \
        sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

static void collect(void)
{
    struct ouro_err err = {0};
    tiny_open(&tiny, &model);
    ck_assert_msg(ouro_collector_init(&collector, &model, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_roots_init(&roots, &model, &collector, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_retained_init(&retained, &roots, &err) == OURO_OK, "%s", err.msg);
}

static void end(void)
{
    ouro_retained_fini(&retained);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

/* One digit an object: 1 unreachable. */
static void check_unreachable(const char *expected)
{
    ck_assert_uint_eq(model.heap.count, strlen(expected));
    for (ouro_node v = 0; v < model.heap.count; v++)
        ck_assert_msg(ouro_collector_unreachable(&collector, v) == (expected[v] == '1'), "object %u", v);
}

START_TEST(a_cycle_that_only_holds_itself_is_unreachable)
{
    begin();
    ADD(list, 1, GEN0, 1);
    ADD(list, 2, GEN2, 0, 1);
    ADD(list, 1, GEN0, OURO_NODE_NONE);
    collect();
    check_unreachable("110");
    ck_assert_uint_eq(collector.candidate_count, 3);
    ck_assert_uint_eq(collector.unreachable_count, 2);
    ck_assert_uint_eq(collector.unreachable_bytes, 200);
    ck_assert_uint_eq(collector.inconsistent_count, 0);
    end();
}
END_TEST

START_TEST(repeated_references_count_repeatedly)
{
    begin();
    ADD(list, 3, GEN0, 0, 0, 0); /* all of its own */
    ADD(list, 4, GEN0, 1, 1, 1); /* one from outside */
    collect();
    check_unreachable("10");
    end();
}
END_TEST

START_TEST(what_a_reachable_object_holds_is_reachable)
{
    begin();
    ADD(list, 1, GEN0, 1); /* from outside */
    ADD(list, 2, GEN0, 2);
    ADD(list, 1, GEN0, 1);
    collect();
    check_unreachable("000");
    end();
}
END_TEST

START_TEST(hidden_and_weak_references_are_not_the_collectors)
{
    begin();
    ADD(list, 1, GEN0, 1);
    ADD(code, 1, 0, 0);                  /* untracked, hides its reference: 0 looks held from outside */
    ADD(ref, 1, GEN0, 3, OURO_NODE_NONE); /* weak: neither subtracts nor keeps */
    ADD(list, 1, GEN0, 3);
    collect();
    check_unreachable("0001");
    end();
}
END_TEST

START_TEST(frozen_immortal_and_untracked_objects_are_no_candidates)
{
    begin();
    ADD(list, 1, FROZEN, 0);
    ADD(list, 0, GEN2 | OURO_OBJECT_IMMORTAL, 1);
    ADD(list, 1, 0, 2);
    ADD(list, 2, GEN0, 3, 0); /* a garbage cycle that holds the frozen one, and whom nobody holds */
    ADD(list, 1, GEN0, 4);
    collect();
    ck_assert_uint_eq(collector.candidate_count, 2);
    check_unreachable("00001");
    end();
}
END_TEST

START_TEST(a_borrowed_reference_is_followed_but_not_subtracted)
{
    begin();
    ADD(list, 1, GEN0, 1);    /* a cycle 0 -> 1 -> 0 with one more, borrowed, 0 -> 1 */
    ADD(list, 1, GEN0, 0, 1); /* the second is the borrowed one */
    ADD(list, 2, GEN0, 3);    /* held from outside; its reference to 3 is borrowed, 3 holds nothing */
    ADD(list, 1, GEN0, 3);
    ck_assert_int_eq(ouro_snapshot_writer_borrowed(tiny.writer, 1, 1), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_borrowed(tiny.writer, 2, 0), OURO_OK);
    collect();
    check_unreachable("1100");
    ck_assert_uint_eq(roots.deficit_count, 0);
    end();
}
END_TEST

START_TEST(an_approximate_object_keeps_but_never_condemns)
{
    begin();
    ADD(unknown, 1, GEN0 | OURO_OBJECT_APPROXIMATE, 1); /* its guessed reference is not taken from 1's count */
    ADD(list, 1, GEN0, 0);
    ADD(unknown, 1, GEN0 | OURO_OBJECT_APPROXIMATE, 3); /* held from outside; what it may hold stays */
    ADD(list, 1, GEN0, 3);
    collect();
    check_unreachable("0000");
    end();
}
END_TEST

START_TEST(a_count_below_the_references_is_counted_and_reachable)
{
    begin();
    ADD(list, 1, GEN0, 0, 0);
    ADD(list, 1, GEN0, 1);
    collect();
    check_unreachable("01");
    ck_assert_uint_eq(collector.inconsistent_count, 1);
    ck_assert_uint_eq(collector.inconsistent_example, 0);
    ck_assert_uint_eq(roots.deficit_count, 1);
    ck_assert_uint_eq(roots.unexplained[0], 0);
    end();
}
END_TEST

START_TEST(each_interpreter_collects_for_itself)
{
    begin();
    /* A cycle across interpreters looks held from outside to both. */
    for (ouro_node i = 0; i < 2; i++) {
        tiny_object_of(&tiny, list, 100, 0, 1, GEN0, i);
        tiny_count(&tiny, 1);
        TINY_SLOTS(&tiny, 1 - i);
    }
    tiny_object_of(&tiny, list, 100, 0, 1, GEN0, 1);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, 2);
    struct ouro_interpreter_record interpreter = {.garbage = OURO_NODE_NONE, .callbacks = OURO_NODE_NONE};
    ck_assert_int_eq(ouro_snapshot_writer_interpreter(tiny.writer, &interpreter), OURO_OK);
    interpreter.id = 1;
    ck_assert_int_eq(ouro_snapshot_writer_interpreter(tiny.writer, &interpreter), OURO_OK);
    collect();
    check_unreachable("001");
    end();
}
END_TEST

START_TEST(native_roots_hold_what_no_named_root_reaches)
{
    begin();
    ADD(list, 1, GEN0, 4);                    /* 0 named */
    ADD(list, 1, GEN0, 2);                    /* 1 native: nobody known holds it */
    ADD(list, 1, GEN0, OURO_NODE_NONE);       /* 2 only through 1 */
    ADD(text, 0, OURO_OBJECT_IMMORTAL);       /* 3 immortal, on its own */
    ADD(list, 3, GEN0, OURO_NODE_NONE);       /* 4 named, and two references that nobody knows */
    ADD(list, 2, GEN0, 6, 5);                 /* 5 garbage cycle with a string hanging off it */
    ADD(list, 1, GEN0, 5, 7);                 /* 6 */
    ADD(text, 1, 0);                          /* 7 hangs off garbage */
    ADD(list, 2, GEN0, OURO_NODE_NONE);       /* 8 held by 1's like and by native code: see below */
    ADD(list, 1, 0, 8);                       /* 9 native */
    ADD(root, 0, OURO_OBJECT_PSEUDO, 0);      /* 10 */
    collect();
    ck_assert_uint_eq(roots.named_count, 1);
    ck_assert_uint_eq(roots.named[0], 10);
    ouro_node native[] = {1, 3, 8, 9};
    ck_assert_uint_eq(roots.native_count, 4);
    ck_assert_mem_eq(roots.native, native, sizeof native);
    ouro_node garbage[] = {5, 6};
    ck_assert_uint_eq(roots.garbage_count, 2);
    ck_assert_mem_eq(roots.garbage, garbage, sizeof garbage);
    uint32_t unexplained[] = {0, 1, 0, 0, 2, 0, 0, 0, 1, 1, 0};
    ck_assert_mem_eq(roots.unexplained, unexplained, sizeof unexplained);
    ck_assert_uint_eq(roots.with_garbage_count, 3);
    ck_assert_uint_eq(roots.with_garbage_bytes, 300);
    ck_assert_uint_eq(roots.lone_count, 0);
    ck_assert_uint_ge(ouro_roots_addr(&roots, 11), OURO_PSEUDO_BASE);
    ck_assert_uint_gt(ouro_roots_addr(&roots, 11), model.heap.addr[10]);
    /* Dominators: what two roots hold has none. */
    ck_assert_uint_eq(ouro_retained_idom(&retained, 0), 10);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 2), 1);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 1), 11);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 8), OURO_NODE_NONE);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 10), OURO_NODE_NONE);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 5), 15);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 7), 6);
    ck_assert_uint_eq(retained.bytes[1], 200);
    ck_assert_uint_eq(retained.bytes[15], 300);
    ck_assert_uint_eq(retained.bytes[10], 200);
    end();
}
END_TEST

START_TEST(a_cycle_through_an_untracked_object_is_nobodys)
{
    begin();
    ADD(list, 1, GEN0, 1); /* the collector does not see that 1 is what holds it */
    ADD(list, 1, 0, 0);
    collect();
    check_unreachable("00");
    ck_assert_uint_eq(roots.native_count, 0);
    ck_assert_uint_eq(roots.lone_count, 2);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 0), OURO_NODE_NONE);
    ck_assert_uint_eq(retained.bytes[0], 100);
    end();
}
END_TEST

START_TEST(frames_hang_off_their_threads_root)
{
    begin();
    ADD(list, 1, GEN0, OURO_NODE_NONE);
    ADD(frame, 0, OURO_OBJECT_PSEUDO, 0);
    ADD(root, 0, OURO_OBJECT_PSEUDO, 1);
    collect();
    ck_assert_uint_eq(roots.native_count, 0);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 0), 1);
    ck_assert_uint_eq(ouro_retained_idom(&retained, 1), 2);
    ck_assert_uint_eq(retained.bytes[2], 100);
    end();
}
END_TEST

START_TEST(an_empty_heap_has_a_garbage_root_only)
{
    begin();
    collect();
    ck_assert_uint_eq(ouro_roots_virtual_count(&roots), 1);
    ck_assert_uint_eq(ouro_roots_addr(&roots, 0), OURO_PSEUDO_BASE);
    end();
}
END_TEST

/* --- The short way, for what named roots reach, against the long one */

#define RANDOM_OBJECTS 40

/* Counts are those of all references, some more, and in every eighth heap one is too small. */
static void write_random_heap(unsigned seed)
{
    static const unsigned flags[] = {GEN0, GEN2, GEN2, GEN2, GEN0, FROZEN, 0, GEN2 | OURO_OBJECT_IMMORTAL, GEN0 | OURO_OBJECT_UNASKED};
    ouro_node slots[RANDOM_OBJECTS][3];
    unsigned kinds[RANDOM_OBJECTS], sizes[RANDOM_OBJECTS], counts[RANDOM_OBJECTS] = {0}, random = seed;
    ouro_node held[6], held_count = (ouro_node)rand_r(&random) % 6;
    begin();
    const uint32_t shapes[] = {list, list, list, code, unknown, ref};
    for (ouro_node v = 0; v < RANDOM_OBJECTS; v++) {
        kinds[v] = (unsigned)rand_r(&random) % 6;
        sizes[v] = kinds[v] == 5 ? 2 : (unsigned)rand_r(&random) % 4;
        for (unsigned i = 0; i < sizes[v]; i++) {
            slots[v][i] = (ouro_node)rand_r(&random) % RANDOM_OBJECTS;
            counts[slots[v][i]] += kinds[v] != 5 || i == 1;
        }
    }
    for (ouro_node i = 0; i < held_count; i++)
        counts[held[i] = (ouro_node)rand_r(&random) % RANDOM_OBJECTS]++;
    for (ouro_node v = 0; v < RANDOM_OBJECTS; v++) {
        unsigned flag = flags[(unsigned)rand_r(&random) % 9] | (kinds[v] == 4 ? OURO_OBJECT_APPROXIMATE : 0);
        unsigned count = counts[v] + (rand_r(&random) % 16 == 0);
        if (seed % 8 == 0 && v == seed / 8 % RANDOM_OBJECTS && count)
            count--;
        tiny_object_of(&tiny, shapes[kinds[v]], 100, 0, count, flag, seed % 2 ? (unsigned)rand_r(&random) % 8 == 0 : 0);
        if (kinds[v] != 5)
            tiny_count(&tiny, sizes[v]);
        tiny_slots(&tiny, slots[v], sizes[v]);
    }
    ADD(root, 0, OURO_OBJECT_PSEUDO, held_count > 0 ? held[0] : OURO_NODE_NONE, held_count > 1 ? held[1] : OURO_NODE_NONE,
        held_count > 2 ? held[2] : OURO_NODE_NONE, held_count > 3 ? held[3] : OURO_NODE_NONE,
        held_count > 4 ? held[4] : OURO_NODE_NONE);
    struct ouro_interpreter_record interpreter = {.garbage = OURO_NODE_NONE, .callbacks = OURO_NODE_NONE};
    for (interpreter.id = 0; interpreter.id <= seed % 2; interpreter.id++)
        ck_assert_int_eq(ouro_snapshot_writer_interpreter(tiny.writer, &interpreter), OURO_OK);
}

START_TEST(what_named_roots_reach_needs_no_look)
{
    unsigned long short_ways = 0, unreachable = 0, found = 0;
    for (unsigned seed = 1; seed <= 2000; seed++) {
        struct ouro_err err = {0};
        struct ouro_collector its;
        struct ouro_roots at_once;
        struct ouro_path_search search;
        write_random_heap(seed);
        collect();
        ck_assert_int_eq(ouro_path_search_init(&search, &model, &err), OURO_OK);
        ck_assert_int_eq(ouro_path_search_run(&search, NULL, 0, &err), OURO_OK);
        ck_assert_int_eq(ouro_roots_init_found(&at_once, &model, &its, search.found, &err), OURO_OK);
        for (ouro_node v = 0; v < model.heap.count; v++) {
            ck_assert_msg(its.marks[v] == collector.marks[v], "seed %u, object %u: %#x, not %#x", seed, v, its.marks[v],
                          collector.marks[v]);
            found += search.parent[v] != OURO_NODE_NONE;
        }
        ck_assert_mem_eq(at_once.marks, roots.marks, model.heap.count);
        ck_assert_uint_eq(its.candidate_count, collector.candidate_count);
        ck_assert_uint_eq(its.unreachable_count, collector.unreachable_count);
        ck_assert_uint_eq(its.inconsistent_count, collector.inconsistent_count);
        ck_assert_uint_eq(at_once.native_count, roots.native_count);
        short_ways += !roots.tracked_deficit_count;
        unreachable += collector.unreachable_count;
        ouro_path_search_fini(&search);
        ouro_roots_fini(&at_once);
        ouro_collector_fini(&its);
        end();
    }
    ck_assert_uint_gt(short_ways, 1700);
    ck_assert_uint_gt(unreachable, 2000);
    ck_assert_uint_gt(found, 20000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("collector");
    TCase *tcase = tcase_create("collector");
    tcase_add_test(tcase, a_cycle_that_only_holds_itself_is_unreachable);
    tcase_add_test(tcase, repeated_references_count_repeatedly);
    tcase_add_test(tcase, what_a_reachable_object_holds_is_reachable);
    tcase_add_test(tcase, hidden_and_weak_references_are_not_the_collectors);
    tcase_add_test(tcase, frozen_immortal_and_untracked_objects_are_no_candidates);
    tcase_add_test(tcase, a_borrowed_reference_is_followed_but_not_subtracted);
    tcase_add_test(tcase, an_approximate_object_keeps_but_never_condemns);
    tcase_add_test(tcase, a_count_below_the_references_is_counted_and_reachable);
    tcase_add_test(tcase, each_interpreter_collects_for_itself);
    tcase_add_test(tcase, native_roots_hold_what_no_named_root_reaches);
    tcase_add_test(tcase, a_cycle_through_an_untracked_object_is_nobodys);
    tcase_add_test(tcase, frames_hang_off_their_threads_root);
    tcase_add_test(tcase, an_empty_heap_has_a_garbage_root_only);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_named_roots_reach_needs_no_look);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
