/* What the first page says beyond totals: unexplained references, and what holds the most. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/info.h"
#include "analysis/largest.h"
#include "analysis/unexplained.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_collector collector;
static struct ouro_roots roots;
static struct ouro_retained retained;
static struct ouro_err err;

static uint32_t list_type, list, user, module, dict, text, number, root;

static void begin(void)
{
    tiny_begin(&tiny);
    list_type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    list = TINY_SHAPE(&tiny, list_type, {.kind = OURO_PART_ITEMS});
    user = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "app", "User", OURO_TYPE_GC | OURO_TYPE_HEAP, OURO_VALUE_NONE));
    module = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "module", OURO_TYPE_GC, OURO_VALUE_NAME),
                        {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__dict__")});
    dict = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE),
                      {.kind = OURO_PART_NAMESPACE});
    text = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    number = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "int", 0, OURO_VALUE_INT));
    root = TINY_SHAPE(&tiny, tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME), {.kind = OURO_PART_ITEMS});
}

static void compute(void)
{
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

static void add_many(ouro_node *nodes, size_t *count, uint32_t shape, size_t n, uint64_t refcount, unsigned flags)
{
    for (size_t i = 0; i < n; i++)
        nodes[(*count)++] = tiny_object(&tiny, shape, 48, refcount, flags);
}

/* All of them in one list, which a root holds: one known reference each. */
static void hold(const ouro_node *nodes, size_t count)
{
    ouro_node holder = tiny_object(&tiny, list, 56 + 8 * count, 1, 3);
    tiny_count(&tiny, count);
    tiny_slots(&tiny, nodes, count);
    tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, holder);
}

START_TEST(types_with_many_unexplained_references_are_rows)
{
    static ouro_node nodes[2048];
    struct ouro_unexplained unexplained;
    size_t count = 0;
    begin();
    add_many(nodes, &count, user, OURO_UNEXPLAINED_OBJECTS, 3, 3);       /* two too many each */
    add_many(nodes, &count, text, 1, OURO_UNEXPLAINED_OF_ONE + 1, 0);    /* one str that is leaked again and again */
    add_many(nodes, &count, number, 1000, 5, 0);                         /* constants of C modules */
    add_many(nodes, &count, number, 1, UINT64_C(1000000000), 0);         /* made immortal by its count */
    add_many(nodes, &count, number, 1, 50000, OURO_OBJECT_IMMORTAL);
    hold(nodes, count);
    compute();
    ck_assert_int_eq(ouro_unexplained_init(&unexplained, &roots, &err), OURO_OK);
    ck_assert_uint_eq(unexplained.count, 2);
    ck_assert_str_eq(ouro_heap_model_type_name(&model, unexplained.items[0].type, NULL), "str");
    ck_assert_uint_eq(unexplained.items[0].object_count, 1);
    ck_assert_uint_eq(unexplained.items[0].reference_count, OURO_UNEXPLAINED_OF_ONE);
    ck_assert_uint_eq(unexplained.items[0].most, nodes[OURO_UNEXPLAINED_OBJECTS]);
    ck_assert_str_eq(ouro_heap_model_type_name(&model, unexplained.items[1].type, NULL), "User");
    ck_assert_uint_eq(unexplained.items[1].object_count, OURO_UNEXPLAINED_OBJECTS);
    ck_assert_uint_eq(unexplained.items[1].reference_count, 2 * OURO_UNEXPLAINED_OBJECTS);
    struct ouro_info info;
    ck_assert_int_eq(ouro_info_init_with(&info, &model, &collector, &err), OURO_OK);
    size_t before = info.findings.count;
    ck_assert_int_eq(ouro_info_add_unexplained(&info, &roots, &err), OURO_OK);
    ck_assert_uint_eq(info.findings.count, before + 2);
    const struct ouro_finding *finding = &info.findings.items[before + 1];
    ck_assert_int_eq(finding->kind, OURO_FINDING_UNEXPLAINED);
    ck_assert_ptr_nonnull(finding->command);
    struct ouro_buf copy = finding->text;
    ck_assert_ptr_nonnull(strstr(ouro_buf_text(&copy), "100 objects of app.User have 200 references"));
    ouro_info_fini(&info);
    ouro_unexplained_fini(&unexplained);
    end();
}
END_TEST

START_TEST(a_few_unexplained_references_are_nothing_to_name)
{
    static ouro_node nodes[256];
    struct ouro_unexplained unexplained;
    size_t count = 0;
    begin();
    add_many(nodes, &count, user, OURO_UNEXPLAINED_OBJECTS - 1, 3, 3);
    add_many(nodes, &count, user, 50, 1, 3); /* explained */
    add_many(nodes, &count, text, 1, OURO_UNEXPLAINED_OF_ONE, 0);
    hold(nodes, count);
    compute();
    ck_assert_int_eq(ouro_unexplained_init(&unexplained, &roots, &err), OURO_OK);
    ck_assert_uint_eq(unexplained.count, 0);
    ouro_unexplained_fini(&unexplained);
    end();
}
END_TEST

/* A root, the module, its dict with __spec__, a small list, a large one, and users one by one. */
START_TEST(what_holds_the_most_leaves_structure_out)
{
    struct ouro_largest largest;
    begin();
    ouro_node names[3];
    static const char *const texts[] = {"__spec__", "small", "large"};
    for (size_t i = 0; i < 3; i++) {
        names[i] = tiny_object(&tiny, text, 60, 1, OURO_OBJECT_VALUE);
        tiny_value(&tiny, texts[i], strlen(texts[i]));
    }
    ouro_node one = tiny_object(&tiny, user, 1000, 1, 3), small = tiny_object(&tiny, list, 64, 1, 3);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, one);
    ouro_node two = tiny_object(&tiny, user, 90000, 1, 3), large = tiny_object(&tiny, list, 64, 1, 3);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, two);
    ouro_node space = tiny_object(&tiny, dict, 240, 1, 3);
    tiny_count(&tiny, 3);
    TINY_SLOTS(&tiny, OURO_NODE_NONE, names[0], small, names[1], large, names[2]);
    ouro_node app = tiny_object(&tiny, module, 80, 1, 3);
    TINY_SLOTS(&tiny, space);
    tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, app);
    compute();
    ck_assert_int_eq(ouro_largest_init(&largest, &model, &roots, &retained, 5, 0, &err), OURO_OK);
    ck_assert_uint_ge(largest.count, 2);
    ck_assert_uint_eq(largest.tree.items[largest.items[0]].node, large);
    ck_assert_uint_eq(largest.tree.items[largest.items[0]].retained_bytes, 90064);
    ck_assert_uint_eq(largest.tree.items[largest.items[1]].node, small);
    for (size_t i = 0; i < largest.count; i++)
        ck_assert(largest.tree.items[largest.items[i]].node != two && largest.tree.items[largest.items[i]].node != space);
    ouro_largest_fini(&largest);
    ck_assert_int_eq(ouro_largest_init(&largest, &model, &roots, &retained, 1, 0, &err), OURO_OK);
    ck_assert_uint_eq(largest.count, 1);
    ouro_largest_fini(&largest);
    ck_assert_int_eq(ouro_largest_init(&largest, &model, &roots, &retained, 5, 10, &err), OURO_OK);
    ck_assert_uint_eq(largest.count, 1); /* a tenth of all and more */
    ouro_largest_fini(&largest);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("first page");
    TCase *test = tcase_create("first page");
    tcase_add_test(test, types_with_many_unexplained_references_are_rows);
    tcase_add_test(test, a_few_unexplained_references_are_nothing_to_name);
    tcase_add_test(test, what_holds_the_most_leaves_structure_out);
    suite_add_tcase(suite, test);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
