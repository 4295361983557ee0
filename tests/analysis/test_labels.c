#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/neighbours.h"
#include "analysis/value.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static uint32_t str_shape, int_shape, float_shape, bool_shape, none_shape, bytes_shape, tuple_shape, plain_shape,
    name_shape;

static void begin(void)
{
    tiny_begin(&tiny);
    str_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    int_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "int", 0, OURO_VALUE_INT));
    float_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "float", 0, OURO_VALUE_FLOAT));
    bool_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "bool", 0, OURO_VALUE_BOOL));
    none_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "NoneType", 0, OURO_VALUE_NULL));
    bytes_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "bytes", 0, OURO_VALUE_BYTES));
    name_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "type", 0, OURO_VALUE_NAME));
    plain_shape = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "app", "Outer.Key", 0, OURO_VALUE_NONE));
    tuple_shape = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "tuple", OURO_TYPE_GC, OURO_VALUE_NONE),
                             {.kind = OURO_PART_ITEMS_DOWN});
}

static ouro_node add_value(uint32_t shape, const void *bytes, size_t size, unsigned flags)
{
    ouro_node node = tiny_object(&tiny, shape, 10, 1, flags | OURO_OBJECT_VALUE);
    tiny_value(&tiny, bytes, size);
    return node;
}

static ouro_node add_str(const char *text)
{
    return add_value(str_shape, text, strlen(text), 0);
}

static void check_labels(ouro_node node, const char *const *expected)
{
    struct ouro_buf text = {0};
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    size_t i = 0;
    ouro_slot_walk_begin(&walk, &model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        ck_assert_uint_eq(slot.index, i);
        ck_assert_ptr_nonnull(expected[i]);
        text.size = 0;
        ouro_label_add(&text, &model, &slot);
        ck_assert_str_eq(ouro_buf_text(&text), expected[i]);
        i++;
    }
    ck_assert_ptr_null(expected[i]);
    ouro_buf_fini(&text);
}

#define CHECK_LABELS(node, ...) check_labels(node, (const char *const[]){__VA_ARGS__, NULL})

static void check_value(ouro_node node, const char *expected)
{
    struct ouro_buf text = {0};
    bool has = ouro_value_add(&text, &model, node, SIZE_MAX);
    ck_assert_int_eq(has, ouro_value_has(&model, node));
    ck_assert_int_eq(has, expected != NULL);
    if (expected)
        ck_assert_str_eq(ouro_buf_text(&text), expected);
    ouro_buf_fini(&text);
}

static void end(void)
{
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

START_TEST(every_kind_of_part_names_its_slots)
{
    begin();
    uint32_t type = tiny_type(&tiny, "app", "Holder", OURO_TYPE_GC, OURO_VALUE_NONE);
    uint32_t fields = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".name")},
                                 {.kind = OURO_PART_TYPE},
                                 {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__globals__")});
    uint32_t runs =
        TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS}, {.kind = OURO_PART_ITEMS_DOWN}, {.kind = OURO_PART_KEYS},
                   {.kind = OURO_PART_ELEMENTS}, {.kind = OURO_PART_STACK},
                   {.kind = OURO_PART_FOUND, .name = tiny_string(&tiny, "word")},
                   {.kind = OURO_PART_NAMED, .name = tiny_string(&tiny, "frames")}, {.kind = OURO_PART_LINKS});
    uint32_t mapping = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ENTRIES});
    uint32_t mapping_str = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ENTRIES_STR});
    uint32_t space = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMESPACE});
    uint32_t space_any = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMESPACE_ANY});
    ouro_node a = add_str("a"), user = add_str("user:1"), spaced = add_str("not a name"), lambda = add_str("1st");
    ouro_node one = add_value(int_shape, "\1", 1, 0);
    ouro_node pair = tiny_object(&tiny, tuple_shape, 10, 1, 1);
    tiny_count(&tiny, 2);
    TINY_SLOTS(&tiny, a, one); /* from the last to the first: (1, 'a') */
    ouro_node key = tiny_object(&tiny, plain_shape, 10, 1, 0);
    ouro_node n_fields = tiny_object(&tiny, fields, 10, 1, 0);
    TINY_SLOTS(&tiny, a, OURO_NODE_NONE);
    ouro_node n_runs = tiny_object(&tiny, runs, 10, 1, 0);
    for (int i = 0; i < 8; i++)
        tiny_count(&tiny, i == 7 || i == 2 || i == 3 ? 1 : 2);
    TINY_SLOTS(&tiny, a, a, a, a, user, one, a, a, a, a, a, a, pair, a, key);
    ouro_node n_mapping = tiny_object(&tiny, mapping, 10, 1, 0);
    tiny_count(&tiny, 4);
    TINY_SLOTS(&tiny, a, user, a, one, a, pair, a, key);
    ouro_node n_mapping_str = tiny_object(&tiny, mapping_str, 10, 1, 0);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, a, user);
    ouro_node n_space = tiny_object(&tiny, space, 10, 1, 0);
    tiny_count(&tiny, 3);
    TINY_SLOTS(&tiny, a, a, a, spaced, a, lambda);
    ouro_node n_space_any = tiny_object(&tiny, space_any, 10, 1, 0);
    tiny_count(&tiny, 2);
    TINY_SLOTS(&tiny, a, a, a, one);
    ouro_node n_empty = tiny_object(&tiny, mapping, 10, 1, 0);
    tiny_count(&tiny, 0);
    tiny_open(&tiny, &model);
    CHECK_LABELS(n_fields, ".name", "__class__", "__globals__");
    CHECK_LABELS(n_runs, "[0]", "[1]", "[1]", "[0]", "<key 'user:1'>", "<element 1>", "<stack[0]>", "<stack[1]>",
                 "word[0]", "word[1]", "frames[0]", "frames[1]", "<key (1, 'a')>", "<result for (1, 'a')>",
                 "<type of link>");
    CHECK_LABELS(n_mapping, "['user:1']", "<key 'user:1'>", "[1]", "<key 1>", "[(1, 'a')]", "<key (1, 'a')>",
                 "[Outer.Key #0x7f0000000060]", "<key Outer.Key #0x7f0000000060>");
    CHECK_LABELS(n_mapping_str, "['user:1']", "<key 'user:1'>");
    CHECK_LABELS(n_space, ".a", "<key 'a'>", "['not a name']", "<key 'not a name'>", "['1st']", "<key '1st'>");
    CHECK_LABELS(n_space_any, ".a", "<key 'a'>", "[1]", "<key 1>");
    check_labels(n_empty, (const char *const[]){NULL});
    end();
}
END_TEST

START_TEST(keys_of_all_str_tables_are_hidden)
{
    begin();
    uint32_t type = tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    uint32_t shape = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ENTRIES_STR});
    ouro_node a = add_str("a");
    ouro_node dict = tiny_object(&tiny, shape, 10, 1, 1);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, a, a);
    tiny_open(&tiny, &model);
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, &model, dict);
    ck_assert(ouro_slot_walk_next(&walk, &slot) && slot.edge_class == OURO_EDGE_TRAVERSED && slot.key == a);
    ck_assert(ouro_slot_walk_next(&walk, &slot) && slot.edge_class == OURO_EDGE_HIDDEN && slot.key == OURO_NODE_NONE);
    ck_assert(!ouro_slot_walk_next(&walk, &slot));
    end();
}
END_TEST

START_TEST(keys_that_are_cut_or_missing_say_so)
{
    begin();
    char big[301];
    memset(big, 'a', 300);
    big[300] = 0;
    uint32_t type = tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    uint32_t shape = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMESPACE});
    ouro_node cut = add_value(str_shape, "aaaa", 4, OURO_OBJECT_VALUE_CUT), bigger = add_str(big);
    ouro_node none = tiny_object(&tiny, str_shape, 10, 1, 0);
    ouro_node dict = tiny_object(&tiny, shape, 10, 1, 1);
    tiny_count(&tiny, 3);
    TINY_SLOTS(&tiny, cut, cut, cut, none, cut, bigger);
    tiny_open(&tiny, &model);
    struct ouro_buf label = {0};
    ouro_buf_addf(&label, "['%.256s...' (cut)]", big);
    struct ouro_buf key = {0};
    ouro_buf_addf(&key, "<key '%.256s...' (cut)>", big);
    CHECK_LABELS(dict, "['aaaa...' (cut)]", "<key 'aaaa...' (cut)>", "[str #0x7f0000000020]",
                 "<key str #0x7f0000000020>", ouro_buf_text(&label), ouro_buf_text(&key));
    ouro_buf_fini(&label);
    ouro_buf_fini(&key);
    end();
}
END_TEST

START_TEST(values_read_as_python_writes_them)
{
    begin();
    double half = 0.5;
    add_value(str_shape, "it's\n\x1b[31m", 10, 0);
    add_value(str_shape, "\xed\xb2\x80\xe2\x80\xaex\xc3\xa9", 9, 0);
    add_value(str_shape, "", 0, 0);
    add_value(bytes_shape, "a\0\xff'", 4, 0);
    add_value(int_shape, "", 0, 0);
    add_value(int_shape, "\xff", 1, 0);
    add_value(int_shape, "\0\0\0\0\0\0\0\0\1", 9, 0);
    add_value(float_shape, &half, 8, 0);
    add_value(bool_shape, "\1", 1, 0);
    tiny_object(&tiny, none_shape, 16, 1, OURO_OBJECT_IMMORTAL);
    add_value(name_shape, "app.models.User", 15, 0);
    tiny_object(&tiny, int_shape, 28, 1, 0);
    add_value(float_shape, "abc", 3, 0); /* not eight bytes: nothing is shown */
    tiny_open(&tiny, &model);
    check_value(0, "\"it's\\n\\x1b[31m\"");
    check_value(1, "'\\udc80\\u202ex\xc3\xa9'");
    check_value(2, "''");
    check_value(3, "b\"a\\x00\\xff'\"");
    check_value(4, "0");
    check_value(5, "-1");
    check_value(6, "18446744073709551616");
    check_value(7, "0.5");
    check_value(8, "True");
    check_value(9, "None");
    check_value(10, "app.models.User");
    check_value(11, NULL);
    struct ouro_buf text = {0};
    ck_assert(!ouro_value_add(&text, &model, 12, SIZE_MAX));
    end();
}
END_TEST

START_TEST(floats_read_back_and_are_short)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0,                    "0.0"                    },
        {-0.0,                   "-0.0"                   },
        {1,                      "1.0"                    },
        {0.1,                    "0.1"                    },
        {1e15,                   "1000000000000000.0"     },
        {1e16,                   "1e+16"                  },
        {1e22,                   "1e+22"                  },
        {0.0001,                 "0.0001"                 },
        {0.00001,                "1e-05"                  },
        {5e-324,                 "5e-324"                 },
        {1.0 / 3,                "0.3333333333333333"     },
        {2.5e-7,                 "2.5e-07"                },
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {123456.789,             "123456.789"             },
        {INFINITY,               "inf"                    },
        {-INFINITY,              "-inf"                   },
        {0.30000000000000004,    "0.30000000000000004"    },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ouro_buf text = {0};
        ouro_value_float(&text, cases[i].value);
        ck_assert_str_eq(ouro_buf_text(&text), cases[i].text);
        ck_assert(strtod(ouro_buf_text(&text), NULL) == cases[i].value);
        ouro_buf_fini(&text);
    }
}
END_TEST

START_TEST(big_ints_are_decimal_up_to_a_limit)
{
    unsigned char bytes[2049] = {0};
    struct ouro_buf text = {0};
    bytes[16] = 1;
    ouro_value_int(&text, bytes, 17, false);
    ck_assert_str_eq(ouro_buf_text(&text), "340282366920938463463374607431768211456");
    text.size = 0;
    bytes[16] = 0x80;
    ouro_value_int(&text, bytes, 17, false);
    ck_assert_str_eq(ouro_buf_text(&text), "-43556142965880123323311949751266331066368");
    text.size = 0;
    bytes[2047] = 0x80;
    ouro_value_int(&text, bytes, 2048, false);
    ck_assert_uint_eq(text.size, 1 + 4932); /* the sign, and the digits of about 2**16383 */
    text.size = 0;
    ouro_value_int(&text, bytes, 2049, false);
    ck_assert_str_eq(ouro_buf_text(&text), "<int of about 16392 bits>");
    text.size = 0;
    ouro_value_int(&text, bytes, 8, true);
    ck_assert_str_eq(ouro_buf_text(&text), "<int of more than 64 bits>");
    ouro_buf_fini(&text);
}
END_TEST

START_TEST(neighbours_come_with_their_slots)
{
    begin();
    uint32_t type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    uint32_t list = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    type = tiny_type(&tiny, "weakref", "ReferenceType", OURO_TYPE_GC, OURO_VALUE_NONE);
    uint32_t ref = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .edge_class = OURO_EDGE_WEAK,
                                            .name = tiny_string(&tiny, "()")});
    struct ouro_neighbours near;
    struct ouro_err err;
    tiny_object(&tiny, list, 10, 3, 1);
    tiny_count(&tiny, 2);
    TINY_SLOTS(&tiny, 0, 1);
    tiny_object(&tiny, list, 10, 3, 1);
    tiny_count(&tiny, 3);
    TINY_SLOTS(&tiny, 0, OURO_NODE_NONE, 0);
    tiny_object(&tiny, ref, 10, 1, 1);
    TINY_SLOTS(&tiny, 0);
    ck_assert_int_eq(ouro_snapshot_writer_borrowed(tiny.writer, 1, 2), OURO_OK);
    tiny_open(&tiny, &model);
    ck_assert_int_eq(ouro_neighbours_init(&near, &model, 0, 0, &err), OURO_OK);
    ck_assert_uint_eq(near.referents.total, 2);
    ck_assert_uint_eq(near.referrers.total, 4);
    ck_assert_uint_eq(near.referrers.items[2].node, 1);
    ck_assert_uint_eq(near.referrers.items[2].item, 2);
    ck_assert_uint_eq(near.owned_count, 2);
    ck_assert_uint_eq(near.borrowed_count, 1);
    ck_assert_uint_eq(near.weak_count, 1);
    ouro_neighbours_fini(&near);
    ck_assert_int_eq(ouro_neighbours_init(&near, &model, 0, 1, &err), OURO_OK);
    ck_assert_uint_eq(near.referrers.count, 1);
    ck_assert_uint_eq(near.referrers.total, 4);
    ouro_neighbours_fini(&near);
    ck_assert_int_eq(ouro_neighbours_init(&near, &model, 3, 1, &err), OURO_INVAL);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("labels");
    TCase *tcase = tcase_create("labels");
    tcase_add_test(tcase, every_kind_of_part_names_its_slots);
    tcase_add_test(tcase, keys_of_all_str_tables_are_hidden);
    tcase_add_test(tcase, keys_that_are_cut_or_missing_say_so);
    tcase_add_test(tcase, values_read_as_python_writes_them);
    tcase_add_test(tcase, floats_read_back_and_are_short);
    tcase_add_test(tcase, big_ints_are_decimal_up_to_a_limit);
    tcase_add_test(tcase, neighbours_come_with_their_slots);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
