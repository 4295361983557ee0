#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/expression.h"
#include "analysis/nearest.h"
#include "app.h"

static struct tiny tiny;
static struct app app;
static struct ouro_heap_model model;

static void begin(void)
{
    app_begin(&tiny, &app);
    tiny_open(&tiny, &model);
}

static void end(void)
{
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

/* What an expression gives; the words, when it gives nothing, in `said`. */
static char said[4096];

static ouro_node find(const char *text)
{
    struct ouro_expression expression;
    struct ouro_expression_fault fault = {0};
    ouro_node node = OURO_NODE_NONE;
    said[0] = 0;
    if (ouro_expression_parse(&expression, text, strlen(text), &fault) == OURO_OK) {
        ouro_expression_find(&expression, &model, &node, &fault);
        ouro_expression_fini(&expression);
    }
    snprintf(said, sizeof said, "%s", ouro_buf_text(&fault.words));
    ouro_expression_fault_fini(&fault);
    return node;
}

START_TEST(expressions_lead_from_modules_threads_and_addresses)
{
    begin();
    char address[64];
    snprintf(address, sizeof address, "0x%llx[0]", (unsigned long long)(TINY_BASE + 16 * app.list));
    const struct {
        const char *text;
        ouro_node node;
    } cases[] = {
        {"app",                                                    app.module        },
        {"app.CACHE",                                              app.cache         },
        {"app.sub.CACHE",                                          app.cache         },
        {"sys.modules['app'].CACHE['user:11']",                    app.user          },
        {"app . CACHE [ \"user:2\" ]",                             app.other_user    },
        {"app.CACHE[7]",                                           app.text          },
        {"app.CACHE[7.0]",                                         app.text          },
        {"app.CACHE[0x7]",                                         app.text          },
        {"app.CACHE['user:11']._name",                             app.number        },
        {"vars(app.CACHE['user:11'])['_name']",                    app.number        },
        {"app.LIST[2]",                                            app.cache         },
        {"app.LIST[-3]",                                           app.text          },
        {"list.__getitem__(app.LIST, 1)",                          app.number        },
        {"[*app.LIST][1]",                                         app.number        },
        {"[*list.__iter__(app.LIST)][1]",                          app.number        },
        {"[*dict.keys(app.CACHE)][2]",                             app.number        },
        {"[*dict.values(app.CACHE)][1]",                           app.other_user    },
        {"dict.__getitem__(app.CACHE, 7)",                         app.text          },
        {"[*app.CACHE][2]",                                        app.number        },
        {"[*app.CACHE.values()][1]",                               app.other_user    },
        {"[*vars(app)][0]",                                        OURO_NODE_NONE - 1},
        {"app.CACHE[app.LIST[1]]",                                 app.text          },
        {"type(app.CACHE['user:2'])",                              app.user_class    },
        {"app.User",                                               app.user_class    },
        {"(app).LIST",                                             app.list          },
        {"<Thread 'worker-3'>.frames[0:handle].locals['rows'][1]", app.number        },
        {"<Thread 'worker-3' 27523>.frames[-1].f_locals['rows']",  app.list          },
        {"<Thread 27523>.frames[0:Service.handle]",                app.frame         },
        {"<Thread 'worker-3'>.frames[0]<stack[0]>",                app.number        },
        {"sys._current_frames()[77].f_locals['rows']",             app.list          },
        {"<sys.modules>['app']",                                   app.module        },
        {"app -> __dict__ -> .CACHE",                              app.cache         },
        {address,                                                  app.text          },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ouro_node node = find(cases[i].text);
        if (cases[i].node == OURO_NODE_NONE - 1)
            ck_assert_msg(node != OURO_NODE_NONE, "%s: %s", cases[i].text, said);
        else
            ck_assert_msg(node == cases[i].node, "%s: %u, not %u: %s", cases[i].text, node, cases[i].node, said);
    }
    end();
}
END_TEST

START_TEST(what_is_not_there_is_told_with_how_far_it_led)
{
    begin();
    static const char *const cases[][2] = {
        {"app.CACHE['user:1']",                         "app.CACHE is a dict with 4 keys; none is 'user:1' (near: 'user:11', 'user:2')"    },
        {"app.CACHE['user:1",                           "a string that doesn't end"                                                        },
        {"app.CACHE['longer']",                         "as far as can be told: of 1 of them the snapshot doesn't hold enough of the value"},
        {"app.LIST[3]",                                 "app.LIST is a list of 3; index 3 is out of range"                                 },
        {"ap.CACHE",                                    "sys.modules has no 'ap' (near: 'app')"                                            },
        {"app.CACH",                                    "app is a module; it has no attribute 'CACH' (near: 'CACHE')"                      },
        {"app.CACHE['user:11'].name",                   "app.User.name is a property: reading it would run code; "
                                      "vars(app.CACHE['user:11'])['_name'] is what the instance holds"},
        {"app.CACHE['user:2'].slot",                    "app.CACHE['user:2'].slot is a slot that holds nothing"                            },
        {"<Thread 'worker-3'>.frames[0:other]",
         "<Thread 'worker-3'>.frames[0] is Service.handle (app.py:12), not other"                                                          },
        {"<Thread 'worker-4'>",                         "no thread of the snapshot is <Thread 'worker-4'> (near: 'worker-3')"              },
        {"vars(app.CACHE['user:2'])",                   "is no object yet"                                                                 },
        {"app.LIST.x",                                  "app.LIST is a list; it has no attribute 'x'"                                      },
        {"[*dict.keys(app.LIST)][0]",                   "app.LIST is no dict"                                                              },
        {"[*list.__iter__(app.CACHE)][0]",              "app.CACHE is no list"                                                             },
        {"list.__getitem__(app.CACHE, 7)",              "app.CACHE is no list"                                                             },
        {"[*app.keys(app.CACHE)][0]",                   "nothing is called: that would run code"                                           },
        {"app.User.__getitem__(app.CACHE, 7)",          "nothing is called: that would run code"                                           },
        {"sys.modules['app'].deque.__iter__(app.LIST)", "app.LIST is no deque"                                                             },
        {"[*dict.keys(app.CACHE]",                      "a closing parenthesis was expected"                                               },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_uint_eq(find(cases[i][0]), OURO_NODE_NONE);
        ck_assert_msg(strstr(said, cases[i][1]) != NULL, "%s: %s", cases[i][0], said);
    }
    end();
}
END_TEST

START_TEST(hostile_texts_are_refused_at_once)
{
    size_t size = (size_t)10 << 20;
    char *text = malloc(size);
    static const char *const begins[] = {"[",  "(", "x[",     "x[(", "x['",   "[*",  "vars(",
                                         "x.", "<", "x -> <", "-",   "x[---", "x[0x"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        for (size_t most = OURO_EXPRESSION_BYTES_MAX; most <= size; most += size - OURO_EXPRESSION_BYTES_MAX) {
            struct ouro_expression expression;
            struct ouro_expression_fault fault = {0};
            size_t length = strlen(begins[i]);
            for (size_t at = 0; at < most; at++)
                text[at] = begins[i][at % length];
            ck_assert_int_eq(ouro_expression_parse(&expression, text, most, &fault), OURO_INVAL);
            ck_assert(fault.syntax && fault.at <= most && fault.words.size);
            ouro_expression_fault_fini(&fault);
        }
    free(text);
}
END_TEST

/* Each literal and the one that is written as Python's repr would, or NULL where it is none. */
START_TEST(literals_are_read_as_python_reads_them)
{
    static const struct {
        const char *text;
        enum ouro_constant_kind kind;
        const char *bytes;
        size_t size;
    } cases[] = {
        {"'a'",                            OURO_CONSTANT_STR,      "a",                          1},
        {"\"it's\"",                       OURO_CONSTANT_STR,      "it's",                       4},
        {"'\\x41\\102\\u00e9\\U0001f40d'", OURO_CONSTANT_STR,      "AB\xc3\xa9\xf0\x9f\x90\x8d", 8},
        {"'\\ud800'",                      OURO_CONSTANT_STR,      "\xed\xa0\x80",               3},
        {"r'\\n\\''",                      OURO_CONSTANT_STR,      "\\n\\'",                     4},
        {"'\\q\\0'",                       OURO_CONSTANT_STR,      "\\q\0",                      3},
        {"'''a'b'''",                      OURO_CONSTANT_STR,      "a'b",                        3},
        {"'a' 'b'",                        OURO_CONSTANT_STR,      "ab",                         2},
        {"u'a'",                           OURO_CONSTANT_STR,      "a",                          1},
        {"b'\\xff\\n'",                    OURO_CONSTANT_BYTES,    "\xff\n",                     2},
        {"Rb'\\x'",                        OURO_CONSTANT_BYTES,    "\\x",                        2},
        {"0",                              OURO_CONSTANT_INT,      "",                           0},
        {"127",                            OURO_CONSTANT_INT,      "\x7f",                       1},
        {"128",                            OURO_CONSTANT_INT,      "\x80\x00",                   2},
        {"-128",                           OURO_CONSTANT_INT,      "\x80",                       1},
        {"-129",                           OURO_CONSTANT_INT,      "\x7f\xff",                   2},
        {"-1",                             OURO_CONSTANT_INT,      "\xff",                       1},
        {"1_000",                          OURO_CONSTANT_INT,      "\xe8\x03",                   2},
        {"0xFF",                           OURO_CONSTANT_INT,      "\xff\x00",                   2},
        {"0b101",                          OURO_CONSTANT_INT,      "\x05",                       1},
        {"-18446744073709551616",          OURO_CONSTANT_INT,      "\0\0\0\0\0\0\0\0\xff",       9},
        {"True",                           OURO_CONSTANT_INT,      "\x01",                       1},
        {"None",                           OURO_CONSTANT_NONE,     "",                           0},
        {"...",                            OURO_CONSTANT_ELLIPSIS, "",                           0},
        {"((('a')))",                      OURO_CONSTANT_STR,      "a",                          1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ouro_constants constants = {0};
        size_t at = 0;
        uint32_t index;
        const char *why = NULL;
        bool good = ouro_constant_parse(&constants, cases[i].text, strlen(cases[i].text), &at, &index, &why);
        ck_assert_msg(good && at == strlen(cases[i].text), "%s: %s", cases[i].text, why ? why : "not to its end");
        const struct ouro_constant *constant = &constants.items[index];
        ck_assert_int_eq(constant->kind, cases[i].kind);
        ck_assert_uint_eq(constant->size, cases[i].size);
        ck_assert_msg(!cases[i].size || !memcmp(constants.bytes.data + constant->offset, cases[i].bytes, cases[i].size),
                      "%s", cases[i].text);
        ouro_constants_fini(&constants);
    }
    static const char *const bad[] = {
        "'a", "'\\x4'", "'\\N{DASH}'", "f'a'", "b'\xc3\xa9'", "'a' b'b'",      "1__0", "1_",  "0x",
        "(1", "(1 2)",  "(,)",         "--",   "1+1",         "'\\U00110000'", "nan",  "b'a", "1e"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ouro_constants constants = {0};
        size_t at = 0;
        uint32_t index;
        const char *why = NULL;
        bool good = ouro_constant_parse(&constants, bad[i], strlen(bad[i]), &at, &index, &why);
        ck_assert_msg(!good || at < strlen(bad[i]), "%s", bad[i]);
        ck_assert(good || why);
        ouro_constants_fini(&constants);
    }
}
END_TEST

START_TEST(tuples_keep_their_shape)
{
    struct ouro_constants constants = {0};
    static const char text[] = "(1, ((2,), ('a')), ())";
    size_t at = 0;
    uint32_t index;
    const char *why = NULL;
    ck_assert(ouro_constant_parse(&constants, text, strlen(text), &at, &index, &why));
    static const struct {
        enum ouro_constant_kind kind;
        uint32_t count, end;
    } items[] = {
        {OURO_CONSTANT_TUPLE, 3, 7},
        {OURO_CONSTANT_INT,   0, 2},
        {OURO_CONSTANT_TUPLE, 2, 6},
        {OURO_CONSTANT_TUPLE, 1, 5},
        {OURO_CONSTANT_INT,   0, 5},
        {OURO_CONSTANT_STR,   0, 6},
        {OURO_CONSTANT_TUPLE, 0, 7}
    };
    ck_assert_uint_eq(constants.count, 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_eq(constants.items[i].kind, items[i].kind);
        ck_assert_uint_eq(constants.items[i].count, items[i].count);
        ck_assert_uint_eq(constants.items[i].end, items[i].end);
    }
    ouro_constants_fini(&constants);
}
END_TEST

START_TEST(distances_count_changes_and_exchanges)
{
    static const struct {
        const char *a, *b;
        unsigned most, distance;
    } cases[] = {
        {"",       "",        3, 0},
        {"a",      "",        3, 1},
        {"kitten", "sitting", 5, 3},
        {"ab",     "ba",      3, 1},
        {"CACHE",  "cache",   3, 0},
        {"abcdef", "x",       2, 3},
        {"user:1", "user:11", 2, 1},
        {"abcd",   "wxyz",    2, 3}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_uint_eq(
            ouro_nearest_distance(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b), cases[i].most),
            cases[i].distance);
        ck_assert_uint_eq(
            ouro_nearest_distance(cases[i].b, strlen(cases[i].b), cases[i].a, strlen(cases[i].a), cases[i].most),
            cases[i].distance);
    }
}
END_TEST

START_TEST(near_misses_cost_a_bounded_time)
{
    struct ouro_nearest nearest;
    char name[32];
    uint64_t offered = 0;
    ouro_nearest_begin(&nearest, "name_1000x", 10);
    for (unsigned i = 0; i < 100000000; i++, offered++) {
        int size = snprintf(name, sizeof name, "name_%u", i % 100000);
        if (!ouro_nearest_offer(&nearest, name, (size_t)size, OURO_NODE_NONE))
            break;
    }
    ck_assert_uint_lt(offered, 10000000);
    ck_assert_uint_eq(nearest.count, OURO_NEAREST_COUNT);
    ck_assert_msg(!memcmp(nearest.items[0].text, "name_1000", 9), "%s", nearest.items[0].text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("expression");
    TCase *tcase = tcase_create("expression");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, expressions_lead_from_modules_threads_and_addresses);
    tcase_add_test(tcase, what_is_not_there_is_told_with_how_far_it_led);
    tcase_add_test(tcase, hostile_texts_are_refused_at_once);
    tcase_add_test(tcase, literals_are_read_as_python_reads_them);
    tcase_add_test(tcase, tuples_keep_their_shape);
    tcase_add_test(tcase, distances_count_changes_and_exchanges);
    tcase_add_test(tcase, near_misses_cost_a_bounded_time);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
