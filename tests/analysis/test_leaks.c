/* Suspects of tiny snapshots, a kind at a time: what is meant, how many, how much, who holds it. */
#include <check.h>
#include <string.h>

#include "analysis/leaks.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_collector collector;
static struct ouro_roots roots;
static struct ouro_retained retained;
static struct ouro_leaks leaks;
static struct ouro_err err;
static uint32_t list, set, dict, names, session, registry, module, text, number, traceback, thread, cache, link, code, root;

static uint32_t fields(const char *of, const char *name, unsigned flags, const char *field)
{
    return TINY_SHAPE(&tiny, tiny_type(&tiny, of, name, OURO_TYPE_GC | flags, OURO_VALUE_NONE),
                      {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, field)});
}

static void begin(void)
{
    tiny_begin(&tiny);
    list = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE), {.kind = OURO_PART_ITEMS});
    set = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "set", OURO_TYPE_GC, OURO_VALUE_NONE), {.kind = OURO_PART_ELEMENTS});
    uint32_t type = tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    dict = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ENTRIES});
    names = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMESPACE});
    session = fields("app", "Session", OURO_TYPE_HEAP, ".cart");
    registry = fields("app", "Registry", OURO_TYPE_HEAP, ".entries");
    module = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "module", OURO_TYPE_GC, OURO_VALUE_NAME),
                        {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__dict__")});
    text = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    number = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "int", 0, OURO_VALUE_INT));
    traceback = fields("builtins", "traceback", 0, "tb_next");
    thread = fields("threading", "Thread", OURO_TYPE_HEAP, "._ident");
    cache = fields("functools", "_lru_cache_wrapper", OURO_TYPE_HEAP, "cache");
    link = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "functools", "_lru_list_elem", OURO_TYPE_GC, OURO_VALUE_NONE));
    code = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "code", 0, OURO_VALUE_NONE));
    root = TINY_SHAPE(&tiny, tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME), {.kind = OURO_PART_ITEMS});
}

static ouro_node add(uint32_t shape, uint64_t size)
{
    return tiny_object(&tiny, shape, size, 1, 0);
}

/* One field. */
static ouro_node add_with(uint32_t shape, uint64_t size, ouro_node value)
{
    ouro_node node = add(shape, size);
    TINY_SLOTS(&tiny, value);
    return node;
}

static ouro_node add_items(uint32_t shape, uint64_t size, const ouro_node *items, size_t count)
{
    ouro_node node = add(shape, size);
    tiny_count(&tiny, count);
    tiny_slots(&tiny, items, count);
    return node;
}

#define ADD_ITEMS(shape, size, ...)                                                                                       \
    add_items(shape, size, (const ouro_node[]){__VA_ARGS__}, sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

/* Keys and values are the same objects' numbers, values first. */
static ouro_node add_dict(uint32_t shape, uint64_t size, const ouro_node *pairs, size_t count)
{
    ouro_node node = add(shape, size);
    tiny_count(&tiny, count);
    tiny_slots(&tiny, pairs, 2 * count);
    return node;
}

static ouro_node add_value(uint32_t shape, uint64_t size, const char *value)
{
    ouro_node node = tiny_object(&tiny, shape, size, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, value, strlen(value));
    return node;
}

static void look_with(ouro_node held, const struct ouro_leaks_query *query)
{
    tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, held);
    tiny_open(&tiny, &model);
    ck_assert_msg(ouro_collector_init(&collector, &model, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_roots_init(&roots, &model, &collector, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_retained_init(&retained, &roots, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_leaks_init(&leaks, &model, &roots, &retained, query, &err) == OURO_OK, "%s", err.msg);
}

static void look(ouro_node held)
{
    const struct ouro_leaks_query query = {.bytes_min = 1000, .many = 4};
    look_with(held, &query);
}

static void end(void)
{
    ouro_leaks_fini(&leaks);
    ouro_retained_fini(&retained);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

static struct ouro_leak *leak_of(enum ouro_leak_kind kind)
{
    for (size_t i = 0; i < leaks.count; i++)
        if (leaks.items[i].kind == kind)
            return &leaks.items[i];
    return NULL;
}

static void check_leak(enum ouro_leak_kind kind, ouro_node node, ouro_node place, uint64_t count, uint64_t bytes,
                       const char *words)
{
    struct ouro_leak *leak = leak_of(kind);
    ck_assert_msg(leak != NULL, "no suspect of the kind %s", ouro_leak_name(kind));
    const char *said = ouro_buf_text(&leak->text);
    ck_assert_msg(leak->node == node && leak->place == place && leak->count == count && leak->bytes == bytes,
                  "%s: %u, %u, %d, %d", said, leak->node, leak->place, (int)leak->count, (int)leak->bytes);
    ck_assert_msg(strstr(said, words) != NULL, "\"%s\" is not in: %s", words, said);
    ck_assert(strstr(ouro_buf_text(&leak->command), " SNAPSHOT") != NULL);
    ck_assert(leak->path.count == 1);
}

START_TEST(one_object_is_told_with_the_place_where_it_accumulates)
{
    begin();
    ouro_node a = add(session, 2000), b, c, inner, top;
    TINY_SLOTS(&tiny, OURO_NODE_NONE);
    b = add_with(session, 2000, OURO_NODE_NONE);
    c = add_with(session, 2000, OURO_NODE_NONE);
    inner = ADD_ITEMS(list, 100, a, b, c);
    top = add_with(registry, 50, inner);
    look(top);
    check_leak(OURO_LEAK_OBJECT, top, inner, 1, 6150, "it accumulates in one list of 3 items");
    ck_assert(leaks.total_bytes == 6150);
    end();
}
END_TEST

START_TEST(a_small_object_and_code_are_no_suspects)
{
    begin();
    ouro_node small = add(number, 900), program = add(code, 90000);
    look(ADD_ITEMS(list, 50, small, program));
    ck_assert_msg(!leak_of(OURO_LEAK_GROUP) && !leak_of(OURO_LEAK_CACHE), "%d", (int)leaks.count);
    end();
    begin();
    program = add(code, 90000);
    look(program);
    ck_assert_int_eq((int)leaks.count, 0);
    end();
}
END_TEST

START_TEST(a_container_far_larger_than_its_like_is_told)
{
    begin();
    ouro_node sessions[12], items[400], mine = OURO_NODE_NONE;
    for (size_t i = 0; i < 12; i++) {
        for (size_t k = 0; k < 400 && i == 5; k++)
            items[k] = add(number, 32);
        ouro_node cart = add_items(list, 100, items, i == 5 ? 400 : 0);
        mine = i == 5 ? cart : mine;
        sessions[i] = add_with(session, 50, cart);
    }
    look(add_items(list, 200, sessions, 12));
    check_leak(OURO_LEAK_OUTLIER, mine, OURO_NODE_NONE, 400, 400 * 32 + 100, "where the other 11 objects of app.Session have 0 or less");
    end();
}
END_TEST

START_TEST(attributes_count_where_the_shape_has_the_names_of_a_dict_too)
{
    begin();
    uint32_t user = fields("app", "User", OURO_TYPE_HEAP, "__dict__"),
             shared = fields("builtins", "dict", OURO_TYPE_DICT, ".cart");
    ouro_node users[9], items[400], mine = OURO_NODE_NONE;
    for (size_t i = 0; i < 9; i++) {
        for (size_t k = 0; k < 400 && i == 5; k++)
            items[k] = add(number, 32);
        ouro_node cart = add_items(list, 100, items, i == 5 ? 400 : 0);
        mine = i == 5 ? cart : mine;
        users[i] = add_with(user, 50, add_with(shared, 60, cart));
    }
    look(add_items(list, 200, users, 9));
    check_leak(OURO_LEAK_OUTLIER, mine, OURO_NODE_NONE, 400, 400 * 32 + 100, "where the other 8 objects of app.User");
    end();
}
END_TEST

START_TEST(a_cache_is_without_a_bound_unless_its_entries_are_links)
{
    begin();
    ouro_node pairs[10], links[10];
    for (size_t i = 0; i < 10; i++)
        pairs[i] = add(number, 200);
    for (size_t i = 0; i < 10; i++)
        links[i] = i % 2 ? add(number, 200) : add(link, 200);
    ouro_node open = add_with(cache, 100, add_dict(dict, 300, pairs, 5)), bounded = add_with(cache, 100, add_dict(dict, 300, links, 5));
    look(ADD_ITEMS(list, 50, open, bounded));
    check_leak(OURO_LEAK_CACHE, open, OURO_NODE_NONE, 5, 2400, "holds 5 entries, 2.3 KiB: nothing bounds it");
    for (size_t i = 0; i < leaks.count; i++)
        ck_assert(leaks.items[i].kind != OURO_LEAK_CACHE || leaks.items[i].node == open);
    end();
}
END_TEST

START_TEST(what_a_module_has_is_told_from_so_many_items_on)
{
    begin();
    ouro_node few[3], many[6];
    for (size_t i = 0; i < 3; i++)
        few[i] = add(number, 900);
    for (size_t i = 0; i < 6; i++)
        many[i] = add(number, 500);
    ouro_node small = add_items(list, 100, few, 3), large = add_items(set, 100, many, 6);
    ouro_node name_a = add_value(text, 50, "A"), name_b = add_value(text, 50, "B");
    ouro_node space = add_dict(names, 300, (const ouro_node[]){small, name_a, large, name_b}, 2), app = add(module, 70);
    TINY_SLOTS(&tiny, space);
    look(app);
    check_leak(OURO_LEAK_MODULE, large, OURO_NODE_NONE, 6, 3100, "a module's set of 6 items retains 3.0 KiB");
    for (size_t i = 0; i < leaks.count; i++)
        ck_assert(leaks.items[i].kind != OURO_LEAK_MODULE || leaks.items[i].node == large);
    end();
}
END_TEST

START_TEST(exceptions_are_counted_by_their_first_tracebacks_and_held_by_a_list)
{
    begin();
    ouro_node heads[5];
    for (size_t i = 0; i < 5; i++)
        heads[i] = add_with(traceback, 300, add_with(traceback, 100, OURO_NODE_NONE));
    ouro_node errors = add_items(list, 100, heads, 5);
    look(errors);
    check_leak(OURO_LEAK_TRACEBACKS, heads[0], errors, 5, 2000, "5 kept exceptions have tracebacks, which keep 10 frames");
    ck_assert(strstr(ouro_buf_text(&leak_of(OURO_LEAK_TRACEBACKS)->text), "one list of 5 items holds 5 of them"));
    ck_assert(!leak_of(OURO_LEAK_OBJECT)); /* the list is told already */
    end();
}
END_TEST

START_TEST(fewer_than_many_are_nothing)
{
    begin();
    ouro_node heads[3];
    for (size_t i = 0; i < 3; i++)
        heads[i] = add_with(traceback, 300, OURO_NODE_NONE);
    look(add_items(list, 100, heads, 3));
    ck_assert(!leak_of(OURO_LEAK_TRACEBACKS));
    end();
}
END_TEST

START_TEST(threads_that_no_longer_run_are_told)
{
    begin();
    ouro_node workers[6];
    for (size_t i = 0; i < 6; i++) /* the last was never started */
        workers[i] = add_with(thread, 400, i < 5 ? add_value(number, 32, "\x10\x20") : OURO_NODE_NONE);
    ouro_node pool = add_items(list, 100, workers, 6);
    look(pool);
    check_leak(OURO_LEAK_THREADS, workers[0], pool, 5, 5 * 432, "5 Thread objects are kept whose threads have ended");
    end();
}
END_TEST

START_TEST(equal_strings_are_counted_without_the_one_that_is_needed)
{
    begin();
    ouro_node texts[9];
    for (size_t i = 0; i < 9; i++)
        texts[i] = add_value(text, 1000, i < 6 ? "it's" : i < 8 ? "b" : "c");
    look(add_items(list, 100, texts, 9));
    check_leak(OURO_LEAK_STRINGS, texts[0], OURO_NODE_NONE, 6, 6000, "6 strings are copies of 2 others");
    ck_assert(strstr(ouro_buf_text(&leak_of(OURO_LEAK_STRINGS)->text), "alone has 5"));
    ck_assert(ouro_leak_is_waste(leaks.items[leaks.count - 1].kind)); /* behind all suspects */
    end();
}
END_TEST

START_TEST(empty_and_sparse_containers_are_waste)
{
    begin();
    ouro_node all[30], item = add(number, 32);
    for (size_t i = 0; i < 20; i++)
        all[i] = add_items(list, 56, &item, 0);
    for (size_t i = 20; i < 30; i++)
        all[i] = add_items(list, 4056, &item, 1);
    look(add_items(list, 296, all, 30));
    check_leak(OURO_LEAK_EMPTY, all[0], OURO_NODE_NONE, 20, 20 * 56, "20 lists, dicts and sets are empty");
    check_leak(OURO_LEAK_SPARSE, all[20], OURO_NODE_NONE, 10, 10 * (4056 - 64), "10 lists, dicts and sets have room");
    end();
}
END_TEST

START_TEST(references_that_nothing_explains_are_told_but_of_links_of_a_cache)
{
    for (unsigned links = 0; links < 2; links++) {
        begin();
        ouro_node all[150];
        for (size_t i = 0; i < 150; i++) {
            all[i] = tiny_object(&tiny, links ? link : session, 10, i == 7 ? 9 : 3, 0);
            if (!links)
                TINY_SLOTS(&tiny, OURO_NODE_NONE);
        }
        look(add_items(list, 100, all, 150));
        if (links)
            ck_assert(!leak_of(OURO_LEAK_UNEXPLAINED));
        else
            check_leak(OURO_LEAK_UNEXPLAINED, all[7], OURO_NODE_NONE, 150, 1500, "150 objects of app.Session have 306 references");
        end();
    }
}
END_TEST

START_TEST(the_limit_is_of_each_kind_and_what_it_leaves_out_is_counted)
{
    for (size_t limit = 0; limit < 3; limit++) {
        begin();
        ouro_node caches[3], pairs[10];
        for (size_t i = 0; i < 3; i++) {
            for (size_t k = 0; k < 10; k++)
                pairs[k] = add(number, 200 + 100 * i);
            caches[i] = add_with(cache, 100, add_dict(dict, 300, pairs, 5));
        }
        const struct ouro_leaks_query query = {.bytes_min = 1000, .many = 4, .limit = limit};
        look_with(add_items(list, 100, caches, 3), &query);
        size_t told = 0;
        for (size_t i = 0; i < leaks.count; i++)
            told += leaks.items[i].kind == OURO_LEAK_CACHE;
        ck_assert_uint_eq(told, limit ? limit : 3);
        ck_assert_uint_eq(leaks.left_count, limit ? 3 - limit : 0);
        ck_assert(leak_of(OURO_LEAK_CACHE)->node == caches[2]); /* the largest first */
        end();
    }
}
END_TEST

START_TEST(words_are_quoted_where_a_shell_would_take_them_apart)
{
    static const struct { const char *word, *quoted; } cases[] = {
        {"app.Session", "app.Session"}, {"/a/b-1_2.ouro", "/a/b-1_2.ouro"}, {"", "''"}, {"a b", "'a b'"},
        {"f.<locals>.C", "'f.<locals>.C'"}, {"it's", "'it'\\''s'"}, {"$(rm)", "'$(rm)'"}, {"~", "'~'"}, {"a;b", "'a;b'"},
        {"*", "'*'"}, {"\xc3\xa4", "'\xc3\xa4'"}, {"a\nb", "'a\nb'"}, {"!x", "'!x'"}, {"#", "'#'"}, {"'", "''\\'''"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ouro_buf out = {0};
        ouro_leak_add_word(&out, cases[i].word, strlen(cases[i].word));
        ck_assert_str_eq(ouro_buf_text(&out), cases[i].quoted);
        ouro_buf_fini(&out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leak suspects");
    TCase *tests = tcase_create("leaks");
    tcase_add_test(tests, one_object_is_told_with_the_place_where_it_accumulates);
    tcase_add_test(tests, a_small_object_and_code_are_no_suspects);
    tcase_add_test(tests, a_container_far_larger_than_its_like_is_told);
    tcase_add_test(tests, attributes_count_where_the_shape_has_the_names_of_a_dict_too);
    tcase_add_test(tests, a_cache_is_without_a_bound_unless_its_entries_are_links);
    tcase_add_test(tests, what_a_module_has_is_told_from_so_many_items_on);
    tcase_add_test(tests, exceptions_are_counted_by_their_first_tracebacks_and_held_by_a_list);
    tcase_add_test(tests, fewer_than_many_are_nothing);
    tcase_add_test(tests, threads_that_no_longer_run_are_told);
    tcase_add_test(tests, equal_strings_are_counted_without_the_one_that_is_needed);
    tcase_add_test(tests, empty_and_sparse_containers_are_waste);
    tcase_add_test(tests, references_that_nothing_explains_are_told_but_of_links_of_a_cache);
    tcase_add_test(tests, the_limit_is_of_each_kind_and_what_it_leaves_out_is_counted);
    tcase_add_test(tests, words_are_quoted_where_a_shell_would_take_them_apart);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
