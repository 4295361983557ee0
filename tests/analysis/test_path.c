#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/path_tree.h"
#include "render/page_path.h"
#include "tiny.h"

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_path_finder finder;
static struct ouro_err err;

/* The classes come first, as the table of types names them. */
enum { OBJECT, TYPE, DICT, MODULE, STR, LIST, TUPLE, WRAPPER, SESSION, PROXY, CLASS_COUNT };
static const struct {
    const char *module, *name;
    unsigned flags, value;
} class_names[CLASS_COUNT] = {
    {"builtins", "object", 0, 0},
    {"builtins", "type", OURO_TYPE_GC, OURO_VALUE_NAME},
    {"builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, 0},
    {"builtins", "module", OURO_TYPE_GC, OURO_VALUE_NAME},
    {"builtins", "str", 0, OURO_VALUE_STR},
    {"builtins", "list", OURO_TYPE_GC, 0},
    {"builtins", "tuple", OURO_TYPE_GC, 0},
    {"builtins", "wrapper_descriptor", OURO_TYPE_GC, 0},
    {"app", "Session", OURO_TYPE_GC | OURO_TYPE_HEAP, 0},
    {"app", "Proxy", OURO_TYPE_GC | OURO_TYPE_HEAP, 0},
};

static uint32_t static_shape, heap_shape, dict_shape, names_shape, module_shape, str_shape, list_shape, tuple_shape, wrapper_shape,
    session_shape, proxy_shape, odd_shape, weak_shape, modules_root, thread_root, state_root, frame_shape;

static struct ouro_part field(const char *name, enum ouro_edge_class class)
{
    return (struct ouro_part){.kind = OURO_PART_FIELD, .edge_class = (uint8_t)class, .name = tiny_string(&tiny, name)};
}

#define OWNED(name) field(name, OURO_EDGE_TRAVERSED)
#define HIDDEN(name) field(name, OURO_EDGE_HIDDEN)

static ouro_node add_str_of(const void *bytes, size_t size)
{
    ouro_node node = tiny_object(&tiny, str_shape, 50, 1, OURO_OBJECT_VALUE | OURO_OBJECT_IS_KEY);
    tiny_value(&tiny, bytes, size);
    return node;
}

static ouro_node add_str(const char *text)
{
    return add_str_of(text, strlen(text));
}

/* Pairs (key, value) that exist already. */
static ouro_node add_dict_of(uint32_t shape, const ouro_node *pairs, size_t count)
{
    ouro_node node = tiny_object(&tiny, shape, 64, 1, 1);
    tiny_count(&tiny, count / 2);
    for (size_t i = 0; i < count; i += 2)
        TINY_SLOTS(&tiny, pairs[i + 1], pairs[i]);
    return node;
}

#define ADD_DICT(...)                                                                                                  \
    add_dict_of(dict_shape, (const ouro_node[]){__VA_ARGS__}, sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))
#define ADD_NAMES(...)                                                                                                 \
    add_dict_of(names_shape, (const ouro_node[]){__VA_ARGS__}, sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

static ouro_node add_of(uint32_t shape, ouro_node held)
{
    ouro_node node = tiny_object(&tiny, shape, 48, 1, 1);
    TINY_SLOTS(&tiny, held);
    return node;
}

static ouro_node add_list(const ouro_node *items, size_t count)
{
    ouro_node node = tiny_object(&tiny, list_shape, 56, 1, 1);
    tiny_count(&tiny, count);
    for (size_t i = count; i--;)
        TINY_SLOTS(&tiny, items[i]);
    return node;
}

/* Whatever comes next has number CLASS_COUNT + n; the classes' own contents are the next objects, in this order. */
static void write_classes(void)
{
    ouro_node next = CLASS_COUNT;
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%s", class_names[i].module, class_names[i].name);
        tiny_object(&tiny, i < SESSION ? static_shape : heap_shape, 1000, 1, OURO_OBJECT_VALUE | 1);
        tiny_value(&tiny, name, strlen(name));
        TINY_SLOTS(&tiny, next + 2 * i, next + 2 * i + 1); /* __dict__, __mro__ */
    }
    next += 2 * CLASS_COUNT;
    for (ouro_node i = 0; i < CLASS_COUNT; i++) {
        /* object has __getattribute__, list __getitem__; Proxy has a __getattribute__ of its own, a Session. */
        bool has = i == OBJECT || i == LIST || i == PROXY;
        ouro_node names[] = {next + (i == LIST), next + (i == PROXY ? 3 : 2)};
        add_dict_of(names_shape, names, has ? 2 : 0);
        ck_assert_uint_eq(tiny.next - 1, CLASS_COUNT + 2 * i);
        tiny_object(&tiny, tuple_shape, 56, 1, 1);
        tiny_count(&tiny, i == OBJECT ? 1 : 2);
        if (i == OBJECT)
            TINY_SLOTS(&tiny, OBJECT);
        else
            TINY_SLOTS(&tiny, OBJECT, i); /* from the last to the first */
    }
    ck_assert_uint_eq(add_str("__getattribute__"), next);
    ck_assert_uint_eq(add_str("__getitem__"), next + 1);
    ck_assert_uint_eq(add_of(wrapper_shape, OBJECT), next + 2);
    ck_assert_uint_eq(add_of(session_shape, OURO_NODE_NONE), next + 3);
}

static void begin(void)
{
    uint32_t types[CLASS_COUNT];
    tiny_begin(&tiny);
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        struct ouro_type_record type = {
            .addr = TINY_BASE + 16 * i,
            .node = i,
            .name = tiny_string(&tiny, class_names[i].name),
            .module = tiny_string(&tiny, class_names[i].module),
            .flags = class_names[i].flags,
            .value_kind = class_names[i].value,
            .basicsize = 16,
            .base = UINT32_MAX,
        };
        types[i] = ouro_snapshot_writer_type(tiny.writer, &type);
    }
    uint32_t root = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    uint32_t frame = tiny_type(&tiny, "", "<frame>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    static_shape = TINY_SHAPE(&tiny, types[TYPE], HIDDEN("__dict__"), HIDDEN("__mro__"));
    heap_shape = TINY_SHAPE(&tiny, types[TYPE], OWNED("__dict__"), OWNED("__mro__"));
    dict_shape = TINY_SHAPE(&tiny, types[DICT], {.kind = OURO_PART_ENTRIES});
    names_shape = TINY_SHAPE(&tiny, types[DICT], {.kind = OURO_PART_NAMESPACE});
    module_shape = TINY_SHAPE(&tiny, types[MODULE], OWNED("__dict__"));
    str_shape = TINY_EMPTY_SHAPE(&tiny, types[STR]);
    list_shape = TINY_SHAPE(&tiny, types[LIST], {.kind = OURO_PART_ITEMS_DOWN});
    tuple_shape = TINY_SHAPE(&tiny, types[TUPLE], {.kind = OURO_PART_ITEMS_DOWN});
    wrapper_shape = TINY_SHAPE(&tiny, types[WRAPPER], OWNED("__objclass__"));
    session_shape = TINY_SHAPE(&tiny, types[SESSION], OWNED("__dict__"));
    proxy_shape = TINY_SHAPE(&tiny, types[PROXY], OWNED("__dict__"));
    odd_shape = TINY_SHAPE(&tiny, types[OBJECT], OWNED("inside"));
    weak_shape = TINY_SHAPE(&tiny, types[OBJECT], field("()", OURO_EDGE_WEAK));
    modules_root = TINY_SHAPE(&tiny, root, OWNED("sys.modules"));
    thread_root = TINY_SHAPE(&tiny, root, OWNED("<context>"),
                             {.kind = OURO_PART_NAMED, .name = tiny_string(&tiny, "frames")});
    state_root = TINY_SHAPE(&tiny, root, OWNED("interpreter: cache"));
    frame_shape = TINY_SHAPE(&tiny, frame, OWNED("frame"), OWNED("f_locals"), OWNED("f_func"), OWNED("f_code"), OWNED("x"));
    write_classes();
}

static ouro_node add_pseudo(uint32_t shape, const char *name)
{
    ouro_node node = tiny_object(&tiny, shape, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(&tiny, name, strlen(name));
    return node;
}

/* Pseudo objects come last: sys.modules with one module of this namespace, a thread with a frame whose x is `local` and whose
 * context is `context`, and a state of the interpreter. */
static void write_roots(ouro_node namespace, ouro_node local, ouro_node context, ouro_node state)
{
    ouro_node app = add_str("app"), module = tiny_object(&tiny, module_shape, 72, 1, OURO_OBJECT_VALUE | 1);
    tiny_value(&tiny, "app", 3);
    TINY_SLOTS(&tiny, namespace);
    ouro_node modules = ADD_DICT(app, module);
    add_pseudo(state_root, "interpreter: cache");
    TINY_SLOTS(&tiny, state);
    ouro_node thread = add_pseudo(thread_root, "<Thread 'it''s' 7>");
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, context, thread + 1);
    struct ouro_thread_record record = {
        .ident = 99, .native_id = 7, .name = tiny_string(&tiny, "it's\n"), .comm = tiny_string(&tiny, ""), .state = 'S', .root = thread};
    ouro_snapshot_writer_thread(tiny.writer, &record);
    add_pseudo(frame_shape, "f");
    TINY_SLOTS(&tiny, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE, local);
    add_pseudo(modules_root, "sys.modules");
    TINY_SLOTS(&tiny, modules);
    tiny_open(&tiny, &model);
    ck_assert_int_eq(ouro_path_finder_init(&finder, &model, &err), OURO_OK);
}

static void end(void)
{
    ouro_path_finder_fini(&finder);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

static const char *text_of(struct ouro_buf *text)
{
    return ouro_buf_text(text);
}

/* All of its paths, at most `most`; NULL behind the last. */
static void check_paths(ouro_node node, size_t most, bool exhausted, const char *const *expected)
{
    struct ouro_path_answer answer;
    size_t i = 0;
    ck_assert_int_eq(ouro_path_finder_run(&finder, &node, 1, &err), OURO_OK);
    ck_assert_int_eq(ouro_path_answer_init(&answer, &finder, node, most, &err), OURO_OK);
    for (; expected[i]; i++) {
        ck_assert_uint_lt(i, answer.count);
        ck_assert_str_eq(text_of(&answer.items[i].text.expression), expected[i]);
        bool python = !strstr(expected[i], " -> ") && expected[i][0] != '<';
        ck_assert_int_eq(answer.items[i].text.pasteable, python);
    }
    ck_assert_uint_eq(answer.count, i);
    ck_assert_int_eq(answer.exhausted, exhausted);
    ouro_path_answer_fini(&answer);
}

#define CHECK_PATH(node, ...) check_paths(node, 1, false, (const char *const[]){__VA_ARGS__, NULL})
#define CHECK_PATHS(node, most, exhausted, ...)                                                                        \
    check_paths(node, most, exhausted, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(a_global_goes_before_a_local_and_a_local_before_other_state)
{
    begin();
    ouro_node name = add_str("NAME"), held[4];
    for (int i = 0; i < 4; i++)
        held[i] = add_of(session_shape, OURO_NODE_NONE);
    ouro_node local = ADD_DICT(add_str("a"), OURO_NODE_NONE);
    (void)local;
    ouro_node all = held[0], three = held[1], two = held[2];
    ouro_node names = ADD_NAMES(name, all);
    ouro_node frame_list = add_list((ouro_node[]){all, three}, 2);
    ouro_node state_list = add_list((ouro_node[]){all, three, two}, 3);
    write_roots(names, frame_list, state_list, state_list);
    CHECK_PATH(all, "sys.modules['app'].NAME");
    CHECK_PATH(frame_list, "<Thread \"it's\\n\">.frames[0].locals['x']");
    CHECK_PATH(three, "<Thread \"it's\\n\">.frames[0].locals['x'][1]");
    CHECK_PATH(two, "<interpreter 0: cache>[2]");
    end();
}
END_TEST

START_TEST(several_paths_share_only_where_they_begin)
{
    begin();
    ouro_node a = add_str("A"), b = add_str("B"), c = add_str("C");
    ouro_node target = add_of(session_shape, OURO_NODE_NONE);
    ouro_node inner = add_list(&target, 1), outer = ADD_DICT(a, inner);
    ouro_node names = ADD_NAMES(a, target, b, target, c, outer);
    write_roots(names, inner, OURO_NODE_NONE, OURO_NODE_NONE);
    /* The list is used up by the thread's path: the one by way of C goes through it as well. */
    CHECK_PATHS(target, 9, true, "sys.modules['app'].A", "sys.modules['app'].B", "<Thread \"it's\\n\">.frames[0].locals['x'][0]");
    CHECK_PATHS(target, 2, false, "sys.modules['app'].A", "sys.modules['app'].B");
    CHECK_PATHS(inner, 9, true, "<Thread \"it's\\n\">.frames[0].locals['x']", "sys.modules['app'].C['A']");
    CHECK_PATHS(outer, 9, true, "sys.modules['app'].C");
    CHECK_PATH(target, "sys.modules['app'].A");
    end();
}
END_TEST

START_TEST(a_cycle_ends_and_the_shorter_way_round_it_is_taken)
{
    begin();
    ouro_node a = add_str("a"), b = add_str("b"), next = add_str("next");
    ouro_node first = tiny.next, count = 6; /* a ring of objects, each with a __dict__ */
    for (ouro_node i = 0; i < count; i++) {
        add_of(session_shape, first + 2 * i + 1);
        ADD_NAMES(next, first + 2 * ((i + 1) % count));
    }
    ouro_node names = ADD_NAMES(a, first, b, first + 2 * 4);
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    CHECK_PATH(first + 2 * 3, "sys.modules['app'].a.next.next.next");
    CHECK_PATH(first + 2 * 5, "sys.modules['app'].b.next");
    CHECK_PATHS(first + 2 * 5, 5, true, "sys.modules['app'].b.next");
    end();
}
END_TEST

START_TEST(names_and_keys_that_are_hostile_are_quoted_or_found_by_their_place)
{
    static const struct {
        const char *key;
        size_t size;
        const char *attribute, *entry;
    } cases[] = {
        {"plain", 5, ".plain", "['plain']"},
        {"class", 5, "", "['class']"},
        {"it's", 4, "", "[\"it's\"]"},
        {"it's \"", 6, "", "['it\\'s \"']"},
        {"a\nb", 3, "", "['a\\nb']"},
        {"a\0b", 3, "", "['a\\x00b']"},
        {"\xed\xa0\x80", 3, "", "['\\ud800']"},
        {"\xe2\x80\xae", 3, "", "['\\u202e']"},
        {"gr\xc3\xb6\xc3\x9f", 6, "", "['gr\xc3\xb6\xc3\x9f']"},
        {"", 0, "", "['']"},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    begin();
    ouro_node pairs[2 * COUNT + 2], d = add_str("d"), i_name = add_str("i");
    char *large = malloc(1 << 20);
    memset(large, 'k', 1 << 20);
    for (size_t i = 0; i < COUNT; i++) {
        pairs[2 * i] = add_str_of(cases[i].key, cases[i].size);
        pairs[2 * i + 1] = add_of(session_shape, OURO_NODE_NONE);
    }
    pairs[2 * COUNT] = add_str_of(large, 1 << 20);
    pairs[2 * COUNT + 1] = add_of(session_shape, OURO_NODE_NONE);
    ouro_node dict = add_dict_of(dict_shape, pairs, 2 * COUNT + 2);
    ouro_node names = ADD_NAMES(d, dict, i_name, OURO_NODE_NONE);
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    for (size_t i = 0; i < COUNT; i++) {
        char expected[200];
        snprintf(expected, sizeof expected, "sys.modules['app'].d%s", cases[i].entry);
        CHECK_PATH(pairs[2 * i + 1], expected);
        snprintf(expected, sizeof expected, "[*sys.modules['app'].d][%zu]", i);
        CHECK_PATH(pairs[2 * i], expected);
    }
    CHECK_PATH(pairs[2 * COUNT + 1], "[*sys.modules['app'].d.values()][10]");
    /* Nothing of a megabyte reaches the page, nor anything that a terminal would obey. */
    struct ouro_path_answer answer;
    struct ouro_out out;
    for (size_t i = 0; i <= COUNT; i++) {
        ck_assert_int_eq(ouro_path_finder_run(&finder, &pairs[2 * i + 1], 1, &err), OURO_OK);
        ck_assert_int_eq(ouro_path_answer_init(&answer, &finder, pairs[2 * i + 1], 3, &err), OURO_OK);
        ouro_out_init(&out, -1);
        ouro_page_path_text(&out, &model, &answer, true, 80);
        ck_assert_uint_lt(out.buf.size, 4000);
        for (size_t k = 0; k < out.buf.size; k++)
            ck_assert(out.buf.data[k] >= 0x20 || out.buf.data[k] == '\n');
        ouro_out_fini(&out);
        ouro_path_answer_fini(&answer);
    }
    free(large);
    end();
}
END_TEST

START_TEST(attributes_are_plain_only_where_the_lookup_is_the_interpreters_own)
{
    begin();
    ouro_node value = add_str("value"), s = add_str("s"), p = add_str("p"), held[2];
    for (int i = 0; i < 2; i++)
        held[i] = add_of(session_shape, OURO_NODE_NONE);
    ouro_node session = add_of(session_shape, tiny.next + 1);
    ADD_NAMES(value, held[0]);
    ouro_node proxy = add_of(proxy_shape, tiny.next + 1);
    ADD_NAMES(value, held[1]);
    ouro_node names = ADD_NAMES(s, session, p, proxy);
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    CHECK_PATH(held[0], "sys.modules['app'].s.value");
    CHECK_PATH(held[1], "object.__getattribute__(sys.modules['app'].p, 'value')");
    end();
}
END_TEST

START_TEST(what_has_no_notation_is_put_in_words_and_never_pasteable)
{
    begin();
    ouro_node name = add_str("NAME"), target = add_of(session_shape, OURO_NODE_NONE), list = add_list(&target, 1);
    ouro_node odd = add_of(odd_shape, list), names = ADD_NAMES(name, odd);
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    CHECK_PATH(list, "sys.modules['app'].NAME -> <inside> -> list");
    CHECK_PATH(target, "sys.modules['app'].NAME -> <inside>[0]");
    end();
}
END_TEST

START_TEST(what_no_named_root_reaches_is_native_garbage_weak_or_held_by_nothing)
{
    begin();
    ouro_node weakly = add_of(session_shape, OURO_NODE_NONE), alone = tiny_object(&tiny, session_shape, 48, 0, 0);
    TINY_SLOTS(&tiny, OURO_NODE_NONE);
    ouro_node name = add_str("NAME"), weak = add_of(weak_shape, weakly), inside = add_of(session_shape, OURO_NODE_NONE);
    ouro_node native = tiny_object(&tiny, list_shape, 56, 3, 1); /* with counts that nobody explains */
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, inside);
    ouro_node hanging = add_str("hanging"), ring = tiny.next;
    add_list((ouro_node[]){ring, hanging}, 2);
    ouro_node names = ADD_NAMES(name, weak);
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    CHECK_PATH(native, "<C reference> -> list");
    CHECK_PATH(inside, "<C reference> -> list[0]");
    struct ouro_path_answer answer;
    ck_assert_int_eq(ouro_path_finder_run(&finder, &alone, 1, &err), OURO_OK);
    ck_assert_int_eq(ouro_path_answer_init(&answer, &finder, alone, 1, &err), OURO_OK);
    ck_assert_uint_eq(answer.count, 0);
    ck_assert_uint_eq(answer.holders.referrers.total, 0);
    ouro_path_answer_fini(&answer);
    CHECK_PATH(hanging, "<garbage> -> list[1]");
    CHECK_PATH(ring, "<garbage> -> list");
    end();
}
END_TEST

START_TEST(paths_to_a_type_are_merged_and_add_up)
{
    begin();
    ouro_node name = add_str("ALL"), one = add_str("ONE"), inner = add_str("inner"), items[10];
    ouro_node first = tiny.next;
    for (ouro_node i = 0; i < 10; i++) /* Sessions that hold a Session each */
        items[i] = add_of(session_shape, first + 20 + i);
    for (ouro_node i = 0; i < 10; i++)
        add_of(session_shape, OURO_NODE_NONE);
    for (ouro_node i = 0; i < 10; i++)
        ADD_NAMES(inner, first + 10 + i);
    ouro_node list = add_list(items, 10), names = ADD_NAMES(name, list, one, items[3]);
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    struct ouro_path_tree tree;
    struct ouro_path_tree_query query = {.type = "Session"};
    ck_assert_int_eq(ouro_path_tree_init(&tree, &finder, &query, &err), OURO_OK);
    ck_assert_uint_eq(tree.instance_count, 21); /* one is a class's __getattribute__ */
    static const struct {
        size_t depth;
        const char *text;
        uint64_t count, own;
    } rows[] = {
        {0, "sys.modules['app']", 20, 0}, {1, ".ALL[*]", 18, 9}, {2, ".inner", 9, 9}, {1, ".ONE", 2, 1}, {2, ".inner", 1, 1},
    };
    size_t at = 0;
    for (size_t i = 0; i < tree.count; i++) {
        const struct ouro_path_tree_row *row = &tree.items[i];
        if (!i && memcmp(tree.texts.data + row->text_begin, "sys", 3))
            continue;
        if (at < sizeof rows / sizeof *rows) {
            ck_assert_uint_eq(row->depth, rows[at].depth);
            ck_assert_uint_eq(row->text_size, strlen(rows[at].text));
            ck_assert(!memcmp(tree.texts.data + row->text_begin, rows[at].text, row->text_size));
            ck_assert_uint_eq(row->count, rows[at].count);
            ck_assert_uint_eq(row->own_count, rows[at].own);
            at++;
        }
    }
    ck_assert_uint_eq(at, sizeof rows / sizeof *rows);
    ouro_path_tree_fini(&tree);
    query.type = "NoSuchType";
    ck_assert_int_eq(ouro_path_tree_init(&tree, &finder, &query, &err), OURO_GONE);
    query.type = "Session";
    query.limit = 1;
    query.depth = 2;
    ck_assert_int_eq(ouro_path_tree_init(&tree, &finder, &query, &err), OURO_OK);
    ck_assert_uint_eq(tree.items[0].left_rows, 1);
    ck_assert_uint_eq(tree.items[0].left_count, 2);
    ck_assert_uint_eq(tree.items[1].left_count, 9);
    ouro_path_tree_fini(&tree);
    end();
}
END_TEST

START_TEST(a_chain_of_thousands_is_written_whole_but_not_called_pasteable)
{
    enum { LENGTH = 5000 };
    begin();
    ouro_node name = add_str("CHAIN"), first = tiny.next;
    for (ouro_node i = 0; i < LENGTH; i++)
        add_list(&(ouro_node){i + 1 < LENGTH ? first + i + 1 : OURO_NODE_NONE}, 1);
    ouro_node names = ADD_NAMES(name, first), last = first + LENGTH - 1;
    write_roots(names, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    struct ouro_path_answer answer;
    ck_assert_int_eq(ouro_path_finder_run(&finder, &last, 1, &err), OURO_OK);
    ck_assert_int_eq(ouro_path_answer_init(&answer, &finder, last, 1, &err), OURO_OK);
    ck_assert_uint_eq(answer.items[0].text.expression.size, strlen("sys.modules['app'].CHAIN") + 3 * (LENGTH - 1));
    ck_assert(answer.items[0].text.exact && !answer.items[0].text.pasteable);
    struct ouro_out out;
    ouro_out_init(&out, -1);
    ouro_page_path_text(&out, &model, &answer, false, 80);
    ck_assert_uint_lt(out.buf.size, 12000);
    ouro_out_fini(&out);
    ouro_path_answer_fini(&answer);
    end();
}
END_TEST

int main(void)
{
    TCase *paths = tcase_create("paths");
    tcase_add_test(paths, a_global_goes_before_a_local_and_a_local_before_other_state);
    tcase_add_test(paths, several_paths_share_only_where_they_begin);
    tcase_add_test(paths, a_cycle_ends_and_the_shorter_way_round_it_is_taken);
    tcase_add_test(paths, names_and_keys_that_are_hostile_are_quoted_or_found_by_their_place);
    tcase_add_test(paths, attributes_are_plain_only_where_the_lookup_is_the_interpreters_own);
    tcase_add_test(paths, what_has_no_notation_is_put_in_words_and_never_pasteable);
    tcase_add_test(paths, what_no_named_root_reaches_is_native_garbage_weak_or_held_by_nothing);
    tcase_add_test(paths, paths_to_a_type_are_merged_and_add_up);
    tcase_add_test(paths, a_chain_of_thousands_is_written_whole_but_not_called_pasteable);
    Suite *suite = suite_create("path");
    suite_add_tcase(suite, paths);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
