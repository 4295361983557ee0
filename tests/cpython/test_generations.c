/* Which list of the collector holds which generation: of a hand-made process with the incremental collector of 3.14.0 to 3.14.4,
 * as struct _gc_runtime_state stands in 3.14.4's pycore_interp_structs.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cpython/state.h"

#define BASE UINT64_C(0x555500000000)
#define BYTES 8192
#define GC 256 /* where the collector's state stands */
#define HEADS 1024
enum { YOUNG = 24, OLD_0 = 48, OLD_1 = 72, PERMANENT = 96, STATS = 120, INCREMENTAL_BYTES = 240, VISITED_SPACE = 232 };

static unsigned char memory[BYTES];

static void put(size_t at, uint64_t value)
{
    memcpy(memory + at, &value, sizeof value);
}

static void put_int(size_t at, uint32_t value)
{
    memcpy(memory + at, &value, sizeof value);
}

/* A list of `count` objects from head number `first` on; `space` is what the collector notes in bit 0 of _gc_next. */
static void put_list(size_t list, unsigned first, unsigned count, uint64_t space)
{
    size_t last = list;
    for (unsigned i = 0; i < count; i++) {
        size_t head = HEADS + (size_t)(first + i) * 32;
        put(last, (BASE + head) | (last == list ? 0 : space));
        put(head + 8, BASE + last);
        last = head;
    }
    put(last, (BASE + list) | (last == list ? 0 : space));
    put(list + 8, BASE + last);
}

struct process {
    struct ouro_image image;
    struct ouro_python python;
    struct ouro_interpreter interpreter;
};

static void open_process(struct process *process, uint32_t visited)
{
    struct ouro_err err = {0};
    memset(memory, 0, sizeof memory);
    put_list(GC + YOUNG, 0, 1, 0);
    put_list(GC + OLD_0, 10, 2, 0);
    put_list(GC + OLD_1, 20, 3, 1);
    put_list(GC + PERMANENT, 30, 4, 0);
    put_int(GC + YOUNG + 16, 2000);
    put_int(GC + OLD_0 + 16, 10);
    for (unsigned i = 0; i < 3; i++) {
        put_int(GC + YOUNG + 24 * i + 20, 100 + i); /* count */
        put(GC + STATS + 24 * i, 7 + i);            /* collections */
    }
    put_int(GC + VISITED_SPACE, visited);
    memset(process, 0, sizeof *process);
    ck_assert_int_eq(ouro_image_of_bytes(&process->image, BASE, memory, BYTES, &err), OURO_OK);
    struct ouro_layout *layout = &process->python.runtime.layout;
    ck_assert_int_eq(ouro_layout_find(layout, 0x030e03f0, &err), OURO_OK);
    int32_t known = layout->gc_sizeof;
    layout->gc_sizeof = INCREMENTAL_BYTES; /* as the process's debug offsets say */
    ck_assert(ouro_layout_adopt_collector(layout, known));
    process->python.image = &process->image;
    process->python.layout = layout;
    process->interpreter = (struct ouro_interpreter){.addr = BASE, .gc = BASE + GC};
}

struct found {
    unsigned count;
    ouro_addr first, last;
};

static bool on_object(void *context, ouro_addr object)
{
    struct found *found = context;
    found->first = found->count++ ? found->first : object;
    found->last = object;
    return true;
}

static void assert_list(struct process *process, unsigned list, unsigned first, unsigned count)
{
    struct found found = {0};
    ouro_python_each_tracked(&process->python, &process->interpreter, list, on_object, &found);
    ck_assert_uint_eq(found.count, count);
    ck_assert_uint_eq(found.first, BASE + HEADS + first * 32 + 16);
    ck_assert_uint_eq(found.last, BASE + HEADS + (first + count - 1) * 32 + 16);
    ck_assert_uint_eq(process->python.unreadable[OURO_UNREADABLE_LIST], 0);
}

START_TEST(generation_2_is_both_old_spaces_what_was_visited_first_and_1_is_empty)
{
    for (uint32_t visited = 0; visited < 2; visited++) {
        struct process process;
        struct found found = {0};
        open_process(&process, visited);
        assert_list(&process, 0, 0, 1);
        ouro_python_each_tracked(&process.python, &process.interpreter, 1, on_object, &found);
        ck_assert_uint_eq(found.count, 0);
        ouro_python_each_tracked(&process.python, &process.interpreter, 2, on_object, &found);
        ck_assert_uint_eq(found.count, 5);
        ck_assert_uint_eq(found.first, BASE + HEADS + (visited ? 20 : 10) * 32 + 16);
        ck_assert_uint_eq(found.last, BASE + HEADS + (visited ? 11 : 22) * 32 + 16);
        assert_list(&process, 3, 30, 4);
        ouro_image_fini(&process.image);
    }
}
END_TEST

START_TEST(counts_go_with_the_spaces_and_thresholds_and_statistics_do_not)
{
    for (uint32_t visited = 0; visited < 2; visited++) {
        struct process process;
        struct ouro_gc_state state;
        open_process(&process, visited);
        ck_assert(ouro_state_gc(&process.python, &process.interpreter, &state));
        ck_assert_uint_eq(state.threshold[0], 2000);
        ck_assert_uint_eq(state.threshold[1], 10);
        ck_assert_uint_eq(state.threshold[2], 0);
        ck_assert_int_eq(state.count[0], 100);
        ck_assert_int_eq(state.count[1], 101 + visited);
        ck_assert_int_eq(state.count[2], 102 - visited);
        for (unsigned i = 0; i < 3; i++)
            ck_assert_uint_eq(state.collections[i], 7 + i);
        ck_assert_int_eq(state.long_lived_total, 0);
        ouro_image_fini(&process.image);
    }
}
END_TEST

START_TEST(a_collector_is_told_from_the_size_of_its_state)
{
    struct ouro_layout layout;
    ck_assert_int_eq(ouro_layout_find(&layout, 0x030e0af0, NULL), OURO_OK);
    int32_t known = layout.gc_sizeof;
    ck_assert(ouro_layout_adopt_collector(&layout, known));
    ck_assert_int_eq(layout.gc_visited_space, -1);
    ck_assert_int_ge(layout.gc_generation0, 0);
    layout.gc_sizeof = known + 8;
    ck_assert(!ouro_layout_adopt_collector(&layout, known));
    layout.gc_sizeof = INCREMENTAL_BYTES;
    ck_assert(ouro_layout_adopt_collector(&layout, known));
    ck_assert_int_eq(layout.gc_visited_space, VISITED_SPACE);
    ck_assert_int_eq(ouro_layout_find(&layout, 0x030f02f0, NULL), OURO_OK); /* no release of 3.15 has the incremental one */
    known = layout.gc_sizeof;
    layout.gc_sizeof = INCREMENTAL_BYTES;
    ck_assert(!ouro_layout_adopt_collector(&layout, known));
}
END_TEST

START_TEST(who_visits_embedded_values_goes_by_the_patch_level_where_no_code_can_be_asked)
{
    static const struct {
        uint32_t hexversion;
        bool dict;
    } versions[] = {{0x030d00f0, false}, {0x030d0cf0, false}, {0x030d0df0, true}, {0x030e00f0, false},
                    {0x030e03f0, false}, {0x030e04f0, true},  {0x030e0af0, true}, {0x030f00f0, true}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct ouro_layout layout;
        ck_assert_int_eq(ouro_layout_find(&layout, versions[i].hexversion, NULL), OURO_OK);
        ck_assert_int_eq(layout.dict_visits_embedded, versions[i].dict);
    }
}
END_TEST

START_TEST(a_release_is_read_and_a_candidate_for_one_is_refused_in_words)
{
    for (unsigned minor = 8; minor < 16; minor++) {
        struct ouro_layout layout;
        struct ouro_err err = {0};
        ck_assert_int_eq(ouro_layout_find(&layout, 0x030000f0 | minor << 16, &err), OURO_OK);
        ck_assert_int_eq(layout.minor, (int)minor);
        ck_assert_int_eq(ouro_layout_find(&layout, 0x030000c1 | minor << 16, &err), OURO_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(err.msg, "pre-release"));
    }
    struct ouro_layout layout;
    struct ouro_err err = {0};
    ck_assert_int_eq(ouro_layout_find(&layout, 0x031000f0, &err), OURO_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.msg, "3.16.0"));
    ck_assert_ptr_nonnull(strstr(err.msg, ouro_layout_supported()));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpython: generations");
    TCase *tests = tcase_create("generations");
    tcase_add_test(tests, generation_2_is_both_old_spaces_what_was_visited_first_and_1_is_empty);
    tcase_add_test(tests, counts_go_with_the_spaces_and_thresholds_and_statistics_do_not);
    tcase_add_test(tests, a_collector_is_told_from_the_size_of_its_state);
    tcase_add_test(tests, who_visits_embedded_values_goes_by_the_patch_level_where_no_code_can_be_asked);
    tcase_add_test(tests, a_release_is_read_and_a_candidate_for_one_is_refused_in_words);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
