/* JSON, tables and outputs. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/json.h"
#include "render/table.h"
#include "render/text.h"

static void check_escaped(const char *text, size_t size, const char *expected)
{
    struct ouro_buf out = {0};
    ouro_json_escape(&out, text, size);
    ck_assert_str_eq(ouro_buf_text(&out), expected);
    ouro_buf_fini(&out);
}

START_TEST(json_strings_escape_what_json_and_terminals_obey)
{
    check_escaped("plain", 5, "plain");
    check_escaped("a\"b\\c", 5, "a\\\"b\\\\c");
    check_escaped("\n\t\r\b\f\v\0\x1b\x7f", 9, "\\n\\t\\r\\b\\f\\u000b\\u0000\\u001b\\u007f");
    check_escaped("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d");
    check_escaped("\xe2\x80\xae\xc2\x9b", 5, "\\u202e\\u009b"); /* bidi override, CSI */
    check_escaped("\xf3\xa0\x80\x81", 4, "\\udb40\\udc01");     /* a tag character, as a pair */
}
END_TEST

START_TEST(json_strings_keep_lone_surrogates_and_wrong_bytes)
{
    check_escaped("\xed\xa0\x80.\xed\xbf\xbf", 7, "\\ud800.\\udfff");
    check_escaped("\xff\xc3", 2, "\\udcff\\udcc3");
    check_escaped("\xc0\x80", 2, "\\udcc0\\udc80"); /* overlong */
    check_escaped("\xf4\x90\x80\x80", 4, "\\udcf4\\udc90\\udc80\\udc80");
}
END_TEST

START_TEST(json_nests_with_commas_where_they_belong)
{
    struct ouro_out out;
    struct ouro_json json;
    ouro_out_init(&out, -1);
    ouro_json_init(&json, &out);
    ouro_json_object(&json, NULL);
    ouro_json_array(&json, "a");
    ouro_json_uint(&json, NULL, 1);
    ouro_json_object(&json, NULL);
    ouro_json_end(&json);
    ouro_json_null(&json, NULL);
    ouro_json_end(&json);
    ouro_json_int(&json, "b", -2);
    ouro_json_bool(&json, "c", true);
    ouro_json_addr(&json, "d", 0x7f00);
    ouro_json_string(&json, "e\"", "x");
    ouro_json_end(&json);
    ck_assert_str_eq(ouro_buf_text(&out.buf),
                     "{\"a\":[1,{},null],\"b\":-2,\"c\":true,\"d\":\"0x7f00\",\"e\\\"\":\"x\"}\n");
    ouro_out_fini(&out);
}
END_TEST

START_TEST(terminals_get_nothing_that_they_would_obey)
{
    struct ouro_buf out = {0};
    ouro_text_add(&out, "a\x1b[31m\n\xe2\x80\xae\xff\xc2\x9b\\n\xc3\xa9", 17);
    ck_assert_str_eq(ouro_buf_text(&out), "a\\x1b[31m\\n\\u202e\\xff\\x9b\\n\xc3\xa9");
    ouro_buf_fini(&out);
}
END_TEST

START_TEST(sizes_and_counts_for_people)
{
    struct ouro_buf out = {0};
    uint64_t sizes[] = {0, 1023, 1024, 1258291, 1048575, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ouro_text_add_size(&out, sizes[i]);
        ouro_buf_add_byte(&out, '|');
    }
    ouro_text_add_count(&out, 0);
    ouro_buf_add_byte(&out, '|');
    ouro_text_add_count(&out, 999);
    ouro_buf_add_byte(&out, '|');
    ouro_text_add_count(&out, UINT64_MAX);
    ck_assert_str_eq(ouro_buf_text(&out),
                     "0 B|1023 B|1.0 KiB|1.2 MiB|1.0 MiB|16.0 EiB|0|999|18,446,744,073,709,551,615");
    ouro_buf_fini(&out);
}
END_TEST

static void fill(struct ouro_table *table)
{
    ouro_table_init(table);
    ouro_table_column(table, "count", OURO_TABLE_RIGHT);
    ouro_table_column(table, "type", OURO_TABLE_FLEXIBLE);
    ouro_table_column(table, "value", OURO_TABLE_FLEXIBLE);
    ouro_table_count(table, 1234);
    ouro_table_string(table, "app.models.UserOfAVeryLongName");
    ouro_table_string(table, "");
    ouro_table_count(table, 5);
    ouro_table_string(table, "\xe8\x9b\x87\xe8\x9b\x87"); /* two wide characters */
    ouro_table_string(table, "x");
}

START_TEST(tables_align_and_leave_no_trailing_blanks)
{
    struct ouro_table table;
    struct ouro_out out;
    ouro_out_init(&out, -1);
    fill(&table);
    ouro_table_write(&table, &out, 0, 1);
    ck_assert_str_eq(ouro_buf_text(&out.buf), " count  type                            value\n"
                                              " 1,234  app.models.UserOfAVeryLongName\n"
                                              "     5  \xe8\x9b\x87\xe8\x9b\x87                            x\n");
    ouro_table_fini(&table);
    ouro_out_fini(&out);
}
END_TEST

START_TEST(tables_fit_by_shortening_flexible_columns)
{
    struct ouro_table table;
    struct ouro_out out;
    for (size_t width = 24; width < 60; width++) {
        ouro_out_init(&out, -1);
        fill(&table);
        ouro_table_write(&table, &out, width, 0);
        for (char *line = strtok((char *)ouro_buf_text(&out.buf), "\n"); line; line = strtok(NULL, "\n"))
            ck_assert_uint_le(ouro_text_width(line, strlen(line)), width);
        ouro_table_fini(&table);
        ouro_out_fini(&out);
    }
    ouro_out_init(&out, -1);
    fill(&table);
    ouro_table_write(&table, &out, 30, 0);
    ck_assert_str_eq(ouro_buf_text(&out.buf), "count  type              value\n"
                                              "1,234  app.models.Us...\n"
                                              "    5  \xe8\x9b\x87\xe8\x9b\x87              x\n");
    ouro_table_fini(&table);
    ouro_out_fini(&out);
}
END_TEST

START_TEST(the_first_error_of_an_output_is_kept)
{
    struct ouro_out out;
    struct ouro_err err;
    int fd = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(fd, 0);
    ouro_out_init(&out, fd);
    for (int i = 0; i < 100000; i++)
        ouro_out_text(&out, "0123456789");
    ck_assert_uint_lt(out.buf.size, OURO_OUT_FULL + 16);
    ck_assert_int_eq(ouro_out_finish(&out, "there", &err), OURO_SYS);
    ck_assert_str_eq(err.msg, "can't write there: No space left on device");
    ouro_out_fini(&out);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_add_test(tcase, json_strings_escape_what_json_and_terminals_obey);
    tcase_add_test(tcase, json_strings_keep_lone_surrogates_and_wrong_bytes);
    tcase_add_test(tcase, json_nests_with_commas_where_they_belong);
    tcase_add_test(tcase, terminals_get_nothing_that_they_would_obey);
    tcase_add_test(tcase, sizes_and_counts_for_people);
    tcase_add_test(tcase, tables_align_and_leave_no_trailing_blanks);
    tcase_add_test(tcase, tables_fit_by_shortening_flexible_columns);
    tcase_add_test(tcase, the_first_error_of_an_output_is_kept);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
