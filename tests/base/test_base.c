#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/guard.h"
#include "base/map.h"
#include "base/types.h"
#include "base/varint.h"

/* `size` bytes that end exactly where an unmapped page begins: reading one too many is a fault. */
static unsigned char *at_the_edge(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), span = (size + page - 1) / page * page;
    unsigned char *map = mmap(NULL, span + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    ck_assert_int_eq(mprotect(map + span, page, PROT_NONE), 0);
    return map + span - size;
}

START_TEST(an_error_carries_its_words_and_code)
{
    struct ouro_err err;
    ck_assert_int_eq(ouro_err_set(&err, OURO_LIMIT, "%d of %s", 3, "these"), OURO_LIMIT);
    ck_assert_str_eq(err.msg, "3 of these");
    ck_assert_int_eq(err.sys_errno, 0);
    ouro_err_prefix(&err, "reading %s", "x");
    ck_assert_str_eq(err.msg, "reading x: 3 of these");
    ck_assert_int_eq(ouro_err_set(NULL, OURO_FAULT, "nobody listens"), OURO_FAULT);
    ouro_err_prefix(NULL, "nobody listens");
}
END_TEST

START_TEST(a_system_error_names_its_cause)
{
    static const struct {
        int sys_errno;
        enum ouro_status status;
    } cases[] = {{ENOMEM, OURO_NOMEM}, {ESRCH, OURO_GONE}, {EPERM, OURO_DENIED}, {EACCES, OURO_DENIED}, {EIO, OURO_SYS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ouro_err err;
        ck_assert_int_eq(ouro_err_sys(&err, cases[i].sys_errno, "open"), cases[i].status);
        ck_assert_int_eq(err.sys_errno, cases[i].sys_errno);
        ck_assert_ptr_nonnull(strstr(err.msg, strerror(cases[i].sys_errno)));
    }
}
END_TEST

START_TEST(long_words_are_cut_not_overrun)
{
    struct ouro_err err;
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    ouro_err_set(&err, OURO_INVAL, "%s", text);
    ck_assert_uint_eq(strlen(err.msg), sizeof err.msg - 1);
    ouro_err_prefix(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.msg), sizeof err.msg - 1);
    ouro_err_sys(&err, EIO, "%s", text);
    ck_assert_uint_eq(strlen(err.msg), sizeof err.msg - 1);
}
END_TEST

START_TEST(every_status_has_a_name)
{
    for (int i = OURO_OK; i <= OURO_CANCELLED; i++)
        ck_assert_int_eq(strncmp(ouro_status_name((enum ouro_status)i), "OURO_", 5), 0);
    ck_assert_str_eq(ouro_status_name((enum ouro_status)99), "OURO_?");
}
END_TEST

START_TEST(a_buffer_keeps_what_is_added)
{
    struct ouro_buf buf = {0};
    ck_assert_str_eq(ouro_buf_text(&buf), "");
    for (int i = 0; i < 1000; i++)
        ouro_buf_addf(&buf, "%d,", i);
    ouro_buf_add_byte(&buf, '!');
    ouro_buf_add(&buf, "ab", 2);
    ouro_buf_add_text(&buf, "cd");
    ck_assert(!buf.failed);
    ck_assert_uint_eq(buf.size, 10 * 2 + 90 * 3 + 900 * 4 + 5);
    ck_assert_str_eq(ouro_buf_text(&buf) + buf.size - 5, "!abcd");
    ouro_buf_fini(&buf);
    ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(an_impossible_reservation_fails_and_keeps_the_contents)
{
    struct ouro_buf buf = {0};
    ouro_buf_add_text(&buf, "kept");
    ck_assert(!ouro_buf_reserve(&buf, SIZE_MAX - 100));
    ck_assert(buf.failed);
    ck_assert_str_eq(ouro_buf_text(&buf), "kept");
    ouro_buf_fini(&buf);
}
END_TEST

START_TEST(a_vector_grows_by_zeroed_items)
{
    struct {
        uint64_t *items;
        size_t count, capacity;
    } vec = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t *item = OURO_VEC_ADD(&vec);
        ck_assert_ptr_nonnull(item);
        ck_assert_uint_eq(*item, 0);
        *item = i;
    }
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(vec.items[i], i);
    free(vec.items);
}
END_TEST

START_TEST(a_map_agrees_with_a_plain_array)
{
    enum { KEYS = 5000 };
    struct ouro_map map = {0};
    unsigned seed = (unsigned)time(NULL);
    uint64_t *keys = calloc(KEYS, sizeof *keys);
    printf("seed %u\n", seed);
    srandom(seed);
    ck_assert_ptr_null(ouro_map_find(&map, 7));
    for (uint64_t i = 0; i < KEYS; i++) {
        bool added;
        keys[i] = (uint64_t)random() << 20 | i; /* distinct: the low bits are */
        uint64_t *value = ouro_map_put(&map, keys[i], &added);
        ck_assert(added);
        ck_assert_uint_eq(*value, 0);
        *value = i + 1;
    }
    for (uint64_t i = 0; i < KEYS; i++) {
        bool added;
        ck_assert_uint_eq(*ouro_map_find(&map, keys[i]), i + 1);
        ck_assert_uint_eq(*ouro_map_put(&map, keys[i], &added), i + 1);
        ck_assert(!added);
        ck_assert_ptr_null(ouro_map_find(&map, keys[i] | UINT64_C(1) << 62));
    }
    ck_assert_uint_eq(map.count, KEYS);
    ck_assert_ptr_null(ouro_map_put(&map, UINT64_MAX, NULL));
    ouro_map_fini(&map);
    free(keys);
}
END_TEST

/* All of a set's members, and where the next one stands from each place; libcheck's counting would take most of the time. */
static void check_bits(const uint64_t *bits, const bool *set, ouro_node count)
{
    ouro_node next = count;
    for (ouro_node beyond = count; beyond < count + 200; beyond++)
        if (ouro_bits_next(bits, beyond, count) != count)
            ck_abort_msg("from %u, beyond %u", beyond, count);
    ck_assert_uint_eq(ouro_bits_next(bits, UINT32_MAX, count), count);
    for (ouro_node i = count; i--;) {
        if (set[i])
            next = i;
        if (ouro_bits_has(bits, i) != set[i] || ouro_bits_next(bits, i, count) != next)
            ck_abort_msg("at %u of %u: %d, next %u, not %u", i, count, set[i], ouro_bits_next(bits, i, count), next);
    }
}

START_TEST(bits_agree_with_a_plain_array)
{
    static const ouro_node counts[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 191, 192, 1000};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        ouro_node count = counts[k];
        unsigned random = (unsigned)k + 1;
        bool set[1000] = {false};
        OURO_FREE uint64_t *bits = ouro_bits_new(count);
        ck_assert_ptr_nonnull(bits);
        check_bits(bits, set, count);
        /* Sparse and dense by turns: words of zeros and of ones are gone through, too. */
        for (unsigned round = 0; count && round < 300; round++) {
            for (unsigned i = 0; i <= count / 8; i++) {
                ouro_node node = (ouro_node)rand_r(&random) % count;
                bool sets = rand_r(&random) % 4 != 0;
                if (round % 40 < 20) {
                    ouro_bits_add(bits, node, sets);
                    set[node] |= sets;
                } else {
                    ouro_bits_remove(bits, node);
                    set[node] = false;
                }
            }
            check_bits(bits, set, count);
            if (round % 100 == 99) {
                ouro_bits_clear(bits, count);
                memset(set, 0, sizeof set);
                check_bits(bits, set, count);
            }
        }
    }
}
END_TEST

START_TEST(varints_round_trip_and_are_short)
{
    for (unsigned bits = 0; bits <= 64; bits++) {
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t value = (bits == 64 ? 0 : UINT64_C(1) << bits) + (uint64_t)delta, back = 0;
            unsigned char bytes[OURO_VARINT_MAX_BYTES];
            unsigned char *end = ouro_varint_write(bytes, value);
            unsigned needed = value ? (63 - (unsigned)__builtin_clzll(value)) / 7 + 1 : 1;
            ck_assert_int_eq(end - bytes, needed);
            const unsigned char *at = bytes;
            ck_assert(ouro_varint_read(&at, end, &back));
            ck_assert_uint_eq(back, value);
            ck_assert_ptr_eq(at, end);
            for (const unsigned char *cut = bytes; cut < end; cut++) {
                at = bytes;
                ck_assert(!ouro_varint_read(&at, cut, &back));
                ck_assert_ptr_eq(at, bytes);
            }
            ck_assert_int_eq(ouro_unzigzag(ouro_zigzag((int64_t)value)), (int64_t)value);
        }
    }
}
END_TEST

START_TEST(a_varint_of_more_than_64_bits_is_refused)
{
    unsigned char bytes[11];
    uint64_t value;
    memset(bytes, 0xff, sizeof bytes);
    bytes[9] = 0x02;
    const unsigned char *at = bytes;
    ck_assert(!ouro_varint_read(&at, bytes + sizeof bytes, &value));
    bytes[9] = 0x01;
    ck_assert(ouro_varint_read(&at, bytes + sizeof bytes, &value));
    ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

START_TEST(small_numbers_of_either_sign_zigzag_to_small_ones)
{
    ck_assert_uint_eq(ouro_zigzag(0), 0);
    ck_assert_uint_eq(ouro_zigzag(-1), 1);
    ck_assert_uint_eq(ouro_zigzag(1), 2);
    ck_assert_uint_eq(ouro_zigzag(INT64_MIN), UINT64_MAX);
}
END_TEST

START_TEST(a_cursor_never_reads_behind_its_end)
{
    for (size_t size = 0; size <= 12; size++) {
        unsigned char *bytes = at_the_edge(size);
        memset(bytes, 0x81, size);
        struct ouro_cursor cursor = ouro_cursor_of(bytes, size);
        ck_assert_uint_eq(ouro_cursor_varint(&cursor), 0);
        ck_assert(cursor.failed);
        ck_assert_uint_eq(ouro_cursor_uint(&cursor, 1), 0); /* once failed, always */
        cursor = ouro_cursor_of(bytes, size);
        ck_assert_uint_eq(ouro_cursor_left(&cursor), size);
        ck_assert_ptr_null(ouro_cursor_bytes(&cursor, size + 1));
        cursor = ouro_cursor_of(bytes, size);
        ck_assert_ptr_nonnull(ouro_cursor_bytes(&cursor, size));
        ck_assert(!cursor.failed);
        ck_assert_ptr_null(ouro_cursor_bytes(&cursor, SIZE_MAX));
    }
}
END_TEST

START_TEST(a_count_that_its_bytes_cant_carry_is_refused)
{
    unsigned char bytes[] = {5, 0, 0, 0, 0, 0};
    struct ouro_cursor cursor = ouro_cursor_of(bytes, sizeof bytes);
    ck_assert_uint_eq(ouro_cursor_count(&cursor, 1), 5);
    cursor = ouro_cursor_of(bytes, sizeof bytes);
    ck_assert_uint_eq(ouro_cursor_count(&cursor, 2), 0);
    ck_assert(cursor.failed);
}
END_TEST

START_TEST(integers_are_little_endian)
{
    const unsigned char bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct ouro_cursor cursor = ouro_cursor_of(bytes, sizeof bytes);
    ck_assert_uint_eq(ouro_cursor_uint(&cursor, 2), 0x0201);
    ck_assert_uint_eq(ouro_cursor_uint(&cursor, 4), 0x06050403);
    ck_assert_uint_eq(ouro_cursor_uint(&cursor, 2), 0x0807);
    ck_assert(!cursor.failed);
}
END_TEST

START_TEST(guards_give_back_what_a_scope_owns)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    {
        OURO_CLOSE int reader = ends[0];
        OURO_FREE char *text = strdup("freed by its scope");
        ck_assert_ptr_nonnull(text);
        ck_assert_int_ge(reader, 0);
    }
    ck_assert_int_eq(close(ends[0]), -1);
    ck_assert_int_eq(close(ends[1]), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tests = tcase_create("base");
    tcase_add_test(tests, an_error_carries_its_words_and_code);
    tcase_add_test(tests, a_system_error_names_its_cause);
    tcase_add_test(tests, long_words_are_cut_not_overrun);
    tcase_add_test(tests, every_status_has_a_name);
    tcase_add_test(tests, a_buffer_keeps_what_is_added);
    tcase_add_test(tests, an_impossible_reservation_fails_and_keeps_the_contents);
    tcase_add_test(tests, a_vector_grows_by_zeroed_items);
    tcase_add_test(tests, a_map_agrees_with_a_plain_array);
    tcase_add_test(tests, bits_agree_with_a_plain_array);
    tcase_add_test(tests, varints_round_trip_and_are_short);
    tcase_add_test(tests, a_varint_of_more_than_64_bits_is_refused);
    tcase_add_test(tests, small_numbers_of_either_sign_zigzag_to_small_ones);
    tcase_add_test(tests, a_cursor_never_reads_behind_its_end);
    tcase_add_test(tests, a_count_that_its_bytes_cant_carry_is_refused);
    tcase_add_test(tests, integers_are_little_endian);
    tcase_add_test(tests, guards_give_back_what_a_scope_owns);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
