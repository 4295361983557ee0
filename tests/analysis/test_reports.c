#include <check.h>
#include <stdio.h>
#include <string.h>

#include "analysis/info.h"
#include "analysis/pattern.h"
#include "analysis/selection.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_err err;

/* Two classes app.models.User of the same name, a dict that holds them, strings; a root. */
enum { FIRST_USER, SECOND_USER, OTHER_USER, DICT, SMALL_STR, LARGE_STR, THING, ROOT };

static void begin(void)
{
    tiny_begin(&tiny);
    uint32_t user[2], dict, text, thing, root, type;
    for (int i = 0; i < 2; i++) {
        struct ouro_type_record record = {
            .addr = 0x1000 + 0x100 * (ouro_addr)i,
            .node = OURO_NODE_NONE,
            .name = tiny_string(&tiny, "User"),
            .module = tiny_string(&tiny, "app.models"),
            .flags = OURO_TYPE_GC | OURO_TYPE_HEAP,
            .base = UINT32_MAX,
        };
        type = ouro_snapshot_writer_type(tiny.writer, &record);
        user[i] = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".name")});
    }
    type = tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    dict = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    text = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    type = tiny_type(&tiny, "ext", "Outer.Thing", OURO_TYPE_GC | OURO_TYPE_APPROXIMATE, OURO_VALUE_NONE);
    thing = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FOUND, .name = tiny_string(&tiny, "word")});
    type = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    root = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "modules")});
    tiny_object(&tiny, user[0], 48, 1, 1);
    TINY_SLOTS(&tiny, SMALL_STR);
    tiny_object(&tiny, user[0], 48, 1, 3);
    TINY_SLOTS(&tiny, LARGE_STR);
    tiny_object(&tiny, user[1], 48, 1, 3);
    TINY_SLOTS(&tiny, FIRST_USER);
    tiny_object_of(&tiny, dict, 200, 32, 1, 3, 0);
    tiny_count(&tiny, 2);
    TINY_SLOTS(&tiny, SECOND_USER, OTHER_USER);
    tiny_object(&tiny, text, 50, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, "small", 5);
    tiny_object(&tiny, text, 5000, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, "large[1]", 8);
    tiny_object(&tiny, thing, 64, 1, 1 | OURO_OBJECT_APPROXIMATE);
    tiny_count(&tiny, 0);
    tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    TINY_SLOTS(&tiny, DICT);
    tiny_value(&tiny, "sys.modules", 11);
    struct ouro_interpreter_record interpreter = {.gc_debug = 32, .garbage = DICT, .callbacks = OURO_NODE_NONE};
    ck_assert_int_eq(ouro_snapshot_writer_interpreter(tiny.writer, &interpreter), OURO_OK);
    ouro_snapshot_writer_meta_u64(tiny.writer, OURO_META_UNREADABLE "address", 7);
    ouro_snapshot_writer_meta_u64(tiny.writer, OURO_META_UNREADABLE "frame", 0);
    tiny_open(&tiny, &model);
}

static void end(void)
{
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

START_TEST(types_of_one_name_share_a_row)
{
    struct ouro_histogram histogram;
    begin();
    ck_assert_int_eq(ouro_histogram_init(&histogram, &model, NULL, NULL, NULL, &err), OURO_OK);
    ck_assert_uint_eq(histogram.object_count, 7); /* the root is none */
    ck_assert_uint_eq(histogram.count, 4);
    ouro_histogram_sort(&histogram, &model, OURO_HISTOGRAM_BY_COUNT);
    ck_assert_str_eq(ouro_heap_model_type_name(&model, histogram.items[0].type, NULL), "User");
    ck_assert_uint_eq(histogram.items[0].count, 3);
    ck_assert_uint_eq(histogram.items[0].type_count, 2);
    ck_assert_uint_eq(histogram.items[0].shallow_bytes, 144);
    ouro_histogram_sort(&histogram, &model, OURO_HISTOGRAM_BY_SIZE);
    ck_assert_uint_eq(histogram.items[0].shallow_bytes, 5050);
    ck_assert_uint_eq(histogram.items[1].shallow_bytes, 232);
    ck_assert_uint_eq(histogram.items[1].native_bytes, 32);
    ouro_histogram_sort(&histogram, &model, OURO_HISTOGRAM_BY_NAME);
    ck_assert_str_eq(ouro_heap_model_type_name(&model, histogram.items[1].type, NULL), "dict");
    ouro_histogram_fini(&histogram);
    end();
}
END_TEST

START_TEST(retained_by_type_counts_nothing_twice)
{
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_retained retained;
    struct ouro_histogram histogram;
    begin();
    ck_assert_int_eq(ouro_collector_init(&collector, &model, &err), OURO_OK);
    ck_assert_int_eq(ouro_roots_init(&roots, &model, &collector, &err), OURO_OK);
    ck_assert_int_eq(ouro_retained_init(&retained, &roots, &err), OURO_OK);
    ck_assert_int_eq(ouro_histogram_init(&histogram, &model, NULL, NULL, &retained, &err), OURO_OK);
    ouro_histogram_sort(&histogram, &model, OURO_HISTOGRAM_BY_RETAINED);
    /* The dict holds everything but the thing; OTHER_USER dominates FIRST_USER, which is not counted again. */
    ck_assert_uint_eq(histogram.items[0].retained_bytes, 232 + 3 * 48 + 5050);
    ck_assert_str_eq(ouro_heap_model_type_name(&model, histogram.items[1].type, NULL), "User");
    ck_assert_uint_eq(histogram.items[1].retained_bytes, 3 * 48 + 5050);
    ouro_histogram_fini(&histogram);
    ouro_retained_fini(&retained);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    end();
}
END_TEST

static void check_selection(const struct ouro_selection_query *query, const struct ouro_collector *collector,
                            const ouro_node *expected, size_t count, uint64_t matches)
{
    struct ouro_selection selection;
    ck_assert_int_eq(ouro_selection_init(&selection, &model, query, collector, NULL, NULL, &err), OURO_OK);
    ck_assert_uint_eq(selection.match_count, matches);
    ck_assert_uint_eq(selection.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(selection.items[i], expected[i]);
    ouro_selection_fini(&selection);
}

#define CHECK_SELECTION(query, matches, ...)                                                                           \
    check_selection(query, NULL, (const ouro_node[]){__VA_ARGS__},                                                     \
                    sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node), matches)

START_TEST(each_condition_selects)
{
    begin();
    struct ouro_selection_query query = ouro_selection_query_all();
    CHECK_SELECTION(&query, 7, 0, 1, 2, 3, 4, 5, 6);
    query.type = "User";
    CHECK_SELECTION(&query, 3, 0, 1, 2);
    query.type = "app.*.Us?r";
    query.generation = 2;
    CHECK_SELECTION(&query, 2, 1, 2);
    query = ouro_selection_query_all();
    query.type = "Thing"; /* the last part of a qualified name */
    query.approximate = true;
    CHECK_SELECTION(&query, 1, THING);
    query = ouro_selection_query_all();
    query.module = "app";
    CHECK_SELECTION(&query, 3, 0, 1, 2);
    query.module = "ap";
    check_selection(&query, NULL, NULL, 0, 0);
    query = ouro_selection_query_all();
    query.value = "sm*";
    CHECK_SELECTION(&query, 1, SMALL_STR);
    query.value = "'large?1?'";
    CHECK_SELECTION(&query, 1, LARGE_STR);
    query = ouro_selection_query_all();
    query.size_min = 200;
    query.sort = OURO_SELECTION_BY_SIZE;
    CHECK_SELECTION(&query, 2, LARGE_STR, DICT); /* the dict by its native bytes */
    query.size_max = 232;
    CHECK_SELECTION(&query, 1, DICT);
    query = ouro_selection_query_all();
    query.generation = -1;
    CHECK_SELECTION(&query, 2, SMALL_STR, LARGE_STR);
    query = ouro_selection_query_all();
    query.has_refcount = true;
    query.refcount = 2;
    check_selection(&query, NULL, NULL, 0, 0);
    query = ouro_selection_query_all();
    query.type = "<root>";
    CHECK_SELECTION(&query, 1, ROOT);
    end();
}
END_TEST

START_TEST(a_limit_keeps_the_first_in_order)
{
    begin();
    struct ouro_selection_query query = ouro_selection_query_all();
    query.limit = 2;
    CHECK_SELECTION(&query, 7, 0, 1);
    query.sort = OURO_SELECTION_BY_SIZE;
    CHECK_SELECTION(&query, 7, LARGE_STR, DICT);
    query.sort = OURO_SELECTION_BY_TYPE;
    CHECK_SELECTION(&query, 7, 0, 1);
    end();
}
END_TEST

START_TEST(what_was_not_computed_is_refused)
{
    struct ouro_selection selection;
    begin();
    struct ouro_selection_query query = ouro_selection_query_all();
    query.unreachable = true;
    ck_assert_int_eq(ouro_selection_init(&selection, &model, &query, NULL, NULL, NULL, &err), OURO_INVAL);
    query = ouro_selection_query_all();
    query.sort = OURO_SELECTION_BY_RETAINED;
    ck_assert_int_eq(ouro_selection_init(&selection, &model, &query, NULL, NULL, NULL, &err), OURO_INVAL);
    end();
}
END_TEST

static const struct ouro_finding *find(const struct ouro_info *info, enum ouro_finding_kind kind)
{
    for (size_t i = 0; i < info->findings.count; i++)
        if (info->findings.items[i].kind == kind)
            return &info->findings.items[i];
    return NULL;
}

START_TEST(info_finds_what_is_worth_a_look)
{
    struct ouro_info info;
    begin();
    ck_assert_int_eq(ouro_info_init(&info, &model, &err), OURO_OK);
    ck_assert_uint_eq(info.object_count, 7);
    ck_assert_uint_eq(info.root_count, 1);
    ck_assert_uint_eq(info.reference_count, 6);
    ck_assert_uint_eq(info.tracked_count[0], 2);
    ck_assert_uint_eq(info.tracked_count[2], 3);
    ck_assert_uint_eq(info.untracked_count, 2);
    ck_assert_uint_eq(info.native_bytes, 32);
    ck_assert_uint_eq(find(&info, OURO_FINDING_APPROXIMATE)->count, 1);
    ck_assert_ptr_nonnull(find(&info, OURO_FINDING_COLLECTOR_OFF));
    ck_assert_ptr_nonnull(find(&info, OURO_FINDING_SAVEALL));
    ck_assert_uint_eq(find(&info, OURO_FINDING_UNCOLLECTABLE)->count, 2);
    ck_assert_uint_eq(find(&info, OURO_FINDING_UNREADABLE)->count, 7);
    ck_assert_ptr_null(find(&info, OURO_FINDING_GARBAGE));
    ck_assert_ptr_null(find(&info, OURO_FINDING_DAMAGED));
    ouro_info_fini(&info);
    end();
}
END_TEST

START_TEST(sizes_are_read_with_their_units)
{
    uint64_t bytes;
    ck_assert(ouro_pattern_size("100", &bytes) && bytes == 100);
    ck_assert(ouro_pattern_size("4k", &bytes) && bytes == 4096);
    ck_assert(ouro_pattern_size("1.5MiB", &bytes) && bytes == 1572864);
    ck_assert(ouro_pattern_size("2GB", &bytes) && bytes == UINT64_C(2) << 30);
    ck_assert(!ouro_pattern_size("", &bytes));
    ck_assert(!ouro_pattern_size("-1", &bytes));
    ck_assert(!ouro_pattern_size("4x", &bytes));
    ck_assert(!ouro_pattern_size("1e30", &bytes));
}
END_TEST

START_TEST(columns_that_come_later_are_the_same)
{
    struct ouro_heap_model late;
    begin();
    ck_assert_int_eq(ouro_heap_model_open(&late, tiny.path, 0, &err), OURO_OK);
    ck_assert_ptr_null(late.heap.size);
    ck_assert_int_eq(ouro_heap_model_load(&late, OURO_HEAP_SIZE, &err), OURO_OK);
    const uint64_t *size = late.heap.size;
    ck_assert_int_eq(ouro_heap_model_load(&late, OURO_HEAP_SIZE | OURO_HEAP_SLOTS, &err), OURO_OK);
    ck_assert_int_eq(ouro_heap_model_load(&late, OURO_HEAP_ALL, &err), OURO_OK);
    ck_assert_ptr_eq(late.heap.size, size);
    ck_assert_mem_eq(late.heap.slots, model.heap.slots, model.heap.slot_begin[8] * sizeof *model.heap.slots);
    ck_assert_mem_eq(late.heap.addr, model.heap.addr, 8 * sizeof *model.heap.addr);
    ck_assert_uint_eq(ouro_heap_model_find(&late, TINY_BASE + 16 * DICT), DICT);
    ck_assert_uint_eq(ouro_heap_model_find(&late, TINY_BASE + 8), OURO_NODE_NONE);
    ck_assert_uint_eq(ouro_heap_model_find(&late, UINT64_MAX), OURO_NODE_NONE);
    ouro_heap_model_close(&late);
    end();
}
END_TEST

/* Flips a byte of each block of that section. */
static void damage(const char *path, unsigned char section)
{
    static const unsigned char magic[] = {0xff, 'O', 'B', 'K'};
    static unsigned char bytes[1 << 16];
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof bytes, file), damaged = 0;
    for (size_t i = 0; i + 33 < size; i++)
        if (!memcmp(bytes + i, magic, sizeof magic) && bytes[i + 8] == section) {
            bytes[i + 32] ^= 0xff;
            damaged++;
        }
    rewind(file);
    ck_assert(damaged && fwrite(bytes, 1, size, file) == size && !fclose(file));
}

START_TEST(types_whose_names_are_lost_share_a_row)
{
    begin();
    ouro_heap_model_close(&model);
    damage(tiny.path, 18);
    ck_assert_int_eq(ouro_heap_model_open(&model, tiny.path, OURO_OPEN_SALVAGE, &err), OURO_OK);
    struct ouro_histogram histogram;
    ck_assert_msg(ouro_histogram_init(&histogram, &model, NULL, NULL, NULL, &err) == OURO_OK, "%s", err.msg);
    ck_assert_uint_eq(histogram.count, 1);
    ck_assert_uint_eq(histogram.items[0].count, ROOT + 1);
    ouro_histogram_fini(&histogram);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reports");
    TCase *tcase = tcase_create("reports");
    tcase_add_test(tcase, types_of_one_name_share_a_row);
    tcase_add_test(tcase, retained_by_type_counts_nothing_twice);
    tcase_add_test(tcase, each_condition_selects);
    tcase_add_test(tcase, a_limit_keeps_the_first_in_order);
    tcase_add_test(tcase, what_was_not_computed_is_refused);
    tcase_add_test(tcase, info_finds_what_is_worth_a_look);
    tcase_add_test(tcase, sizes_are_read_with_their_units);
    tcase_add_test(tcase, types_whose_names_are_lost_share_a_row);
    tcase_add_test(tcase, columns_that_come_later_are_the_same);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
