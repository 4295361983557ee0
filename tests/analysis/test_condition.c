#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/condition.h"
#include "tiny.h"

#define ALL ((1u << OURO_METRIC_COUNT_) - 1)
static const struct ouro_condition_scope two = {ALL, ALL, 1u << OURO_METRIC_COUNT | 1u << OURO_METRIC_BYTES, true};
static const struct ouro_condition_scope one = {1u << OURO_METRIC_GARBAGE, 0, 0, false};
static struct ouro_condition condition;
static struct ouro_err err;
static size_t place;

static bool parses(const char *text)
{
    return ouro_condition_parse(&condition, text, &two, &place, &err) == OURO_OK;
}

static bool holds(const char *text, double before, double after)
{
    ck_assert_msg(parses(text), "%s: %s", text, err.msg);
    return ouro_condition_holds(&condition, before, after);
}

START_TEST(a_sign_makes_it_a_change_and_none_a_state)
{
    ck_assert(holds("count>+100", 500, 601));
    ck_assert(!holds("count>+100", 500, 600));
    ck_assert(holds("count>100", 500, 101));
    ck_assert(!holds("count > 100", 500, 100));
    ck_assert(holds("count<-5", 10, 4));
    ck_assert(!holds("count<-5", 10, 5));
    ck_assert(holds("count>=+0", 3, 3));
    ck_assert(holds("garbage!=0", 0, 1));
    ck_assert(holds("garbage==0", 1, 0));
    ck_assert(holds("bytes<=+0", 9, 9));
}
END_TEST

START_TEST(percentages_are_of_what_was_before)
{
    ck_assert(holds("bytes>+10%", 100, 111));
    ck_assert(!holds("bytes>+10%", 100, 110));
    ck_assert(holds("bytes<-50%", 100, 49));
    ck_assert(holds("bytes>+1000000%", 0, 1));
    ck_assert(!holds("bytes>+0%", 0, 0));
    ck_assert(holds("bytes>+0.5%", 1000, 1006));
}
END_TEST

START_TEST(bytes_have_units_and_counts_have_none)
{
    ck_assert(holds("bytes>+1.5K", 0, 1537) && !holds("bytes>+1.5K", 0, 1536));
    ck_assert(holds("bytes>=2MiB", 0, 2 << 20));
    ck_assert(holds("garbage_bytes>=1G", 0, 1 << 30));
    ck_assert(!parses("count>1K"));
    ck_assert_uint_eq(place, 7);
}
END_TEST

START_TEST(selectors_may_be_quoted_and_keep_quotes_inside)
{
    static const char *const cases[][2] = {
        {"path=sys.modules['app'].CACHE[*] bytes>+1M",  "sys.modules['app'].CACHE[*]"},
        {"path=\"sys.modules['a b']*\" count>+1",       "sys.modules['a b']*"        },
        {"path=\"sys.modules['a\\' \\\"b']\" count>+1", "sys.modules['a\\' \"b']"    },
        {"path='it\\'s \\\\\\'\\n' count>+1",           "it's \\\\'\\n"              },
        {"path=it's count>+1",                          "it's"                       },
        {"path=# count>+1",                             "#"                          },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(parses(cases[i][0]));
        ck_assert_str_eq(condition.selector.path, cases[i][1]);
    }
    ck_assert(parses("type=app.User count>+100"));
    ck_assert_str_eq(condition.selector.type, "app.User");
    ck_assert(!parses("# count>+1"));
}
END_TEST

START_TEST(what_does_not_parse_is_pointed_at)
{
    static const struct {
        const char *text;
        size_t place;
    } cases[] = {
        {"",                          0 },
        {"cuont>1",                   0 },
        {"type=app.User",             13},
        {"type= count>1",             5 },
        {"type=a type=b count>1",     7 },
        {"module=a count>1",          0 },
        {"type='a count>1",           5 },
        {"type='a\\' count>1",        5 },
        {"type='a'b count>1",         8 },
        {"type='' count>1",           6 },
        {"count",                     5 },
        {"count=1",                   0 },
        {"count=>1",                  0 },
        {"count>",                    6 },
        {"count>x",                   6 },
        {"count>+-1",                 7 },
        {"count>inf",                 6 },
        {"count>0x10",                7 },
        {"count>10%",                 6 },
        {"count>+10% and",            11},
        {"bytes>+10Q",                9 },
        {"type=a path=b count>+1",    14},
        {"path=b count>1",            13},
        {"path=b count>+1%",          13},
        {"count>1111111111111111111", 25},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(!parses(cases[i].text), "%s", cases[i].text);
        ck_assert_msg(place == cases[i].place, "%s: %zu: %s", cases[i].text, place, err.msg);
        ck_assert(err.msg[0]);
    }
}
END_TEST

START_TEST(one_snapshot_knows_no_changes_and_not_all_metrics)
{
    ck_assert_int_eq(ouro_condition_parse(&condition, "garbage>0", &one, &place, &err), OURO_OK);
    ck_assert_int_eq(ouro_condition_parse(&condition, "garbage>+0", &one, &place, &err), OURO_INVAL);
    ck_assert_uint_eq(place, 8);
    ck_assert_int_eq(ouro_condition_parse(&condition, "type=a garbage>0", &one, &place, &err), OURO_INVAL);
    ck_assert_uint_eq(place, 0);
    ck_assert_int_eq(ouro_condition_parse(&condition, "bytes>0", &one, &place, &err), OURO_INVAL);
}
END_TEST

START_TEST(only_the_star_is_special_in_path_patterns)
{
    ck_assert(ouro_selector_glob("sys.modules['a'].C[*] -> S", "sys.modules['a'].C[*] -> S"));
    ck_assert(ouro_selector_glob("sys*", "sys.modules['a']"));
    ck_assert(ouro_selector_glob("*a*b*c*", "xxaxxbxxbcx"));
    ck_assert(!ouro_selector_glob("a?", "ab"));
    ck_assert(!ouro_selector_glob("[ab]", "a"));
    ck_assert(!ouro_selector_glob("", "a"));
    ck_assert(ouro_selector_glob("", "") && ouro_selector_glob("**", ""));
}
END_TEST

START_TEST(suppression_files_have_comments_and_say_where_they_are_wrong)
{
    static const char good[] = "# a comment\n\n  type=app.Cache  # its bound is known\npath=sys.modules['m']*\r\n"
                               "type=a path=b#c # d\npath=\"x ['a # b'] \\\" c\" type=t#comment?\n#";
    static const char bad[] = "type=a\n  tpye=b\n";
    struct ouro_suppressions s = {0};
    size_t line;
    ck_assert_int_eq(ouro_suppressions_parse(&s, good, sizeof good - 1, &line, &place, &err), OURO_OK);
    ck_assert_uint_eq(s.count, 4);
    ck_assert_str_eq(s.items[2].selector.path, "b#c");
    ck_assert_str_eq(s.items[3].selector.path, "x ['a # b'] \" c");
    ck_assert_str_eq(s.items[3].selector.type, "t#comment?");
    ck_assert_str_eq(s.items[0].selector.type, "app.Cache");
    ck_assert_uint_eq(s.items[0].line, 3);
    ck_assert(ouro_suppressions_match(&s, NULL, OURO_TYPE_NONE, "sys.modules['m'].x"));
    ck_assert(!ouro_suppressions_match(&s, NULL, OURO_TYPE_NONE, "b"));
    ck_assert(!ouro_suppressions_match(&s, NULL, OURO_TYPE_NONE, NULL));
    ck_assert(!ouro_suppressions_match(NULL, NULL, OURO_TYPE_NONE, "b"));
    ck_assert_uint_eq(s.items[1].used, 1);
    ck_assert_int_eq(ouro_suppressions_parse(&s, bad, sizeof bad - 1, &line, &place, &err), OURO_INVAL);
    ck_assert_uint_eq(line, 2);
    ck_assert_uint_eq(place, 2);
    ouro_suppressions_fini(&s);
}
END_TEST

START_TEST(hostile_texts_end)
{
    char text[2000];
    memset(text, '=', sizeof text);
    memcpy(text, "type=", 5);
    text[sizeof text - 1] = 0;
    ck_assert(!parses(text));
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "type=", 5);
    ck_assert(!parses(text));
    ck_assert_uint_eq(place, 5);
    struct ouro_suppressions s = {0};
    size_t line;
    ck_assert_int_eq(ouro_suppressions_parse(&s, "type=a\0b\n", 9, &line, &place, &err), OURO_INVAL);
    ouro_suppressions_fini(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("condition");
    TCase *tests = tcase_create("condition");
    tcase_add_test(tests, a_sign_makes_it_a_change_and_none_a_state);
    tcase_add_test(tests, percentages_are_of_what_was_before);
    tcase_add_test(tests, bytes_have_units_and_counts_have_none);
    tcase_add_test(tests, selectors_may_be_quoted_and_keep_quotes_inside);
    tcase_add_test(tests, what_does_not_parse_is_pointed_at);
    tcase_add_test(tests, one_snapshot_knows_no_changes_and_not_all_metrics);
    tcase_add_test(tests, only_the_star_is_special_in_path_patterns);
    tcase_add_test(tests, suppression_files_have_comments_and_say_where_they_are_wrong);
    tcase_add_test(tests, hostile_texts_end);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
