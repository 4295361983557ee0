/* Each byte flipped, each length cut: refused in words, or read and flagged; what is left is right. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "snapshot/block.h"

static enum ouro_codec codecs[] = {OURO_CODEC_STORED, OURO_CODEC_ZLIB, OURO_CODEC_ZSTD};

#define expect(good, what, at)                                   \
    do {                                                         \
        if (!(good))                                             \
            ck_abort_msg("%s %zu: not so: %s", what, at, #good); \
    } while (0)

static struct model model;

static unsigned char *make_file(enum ouro_codec codec, uint32_t objects, size_t *size)
{
    struct ouro_err err;
    struct model_options options = {.objects = objects, .chunk_objects = 7, .interpreters = 2, .values = true};
    model_init(&model, 3, &options);
    ck_assert_int_eq(model_write(&model, test_path("whole.ouro"), true, codec, &err), OURO_OK);
    return test_read_file(test_path("whole.ouro"), size);
}

/* Neither opens and loads, nor verifies, nor lacks words. */
static void refused(const char *path, const char *what, size_t at)
{
    struct ouro_snapshot *snapshot = NULL;
    struct ouro_heap heap;
    struct ouro_err err = {0};
    enum ouro_status status = ouro_snapshot_open(&snapshot, path, 0, &err);
    if (!status) {
        expect(!ouro_snapshot_damaged(snapshot), what, at);
        status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 1, &err);
        if (!status)
            ouro_heap_fini(&heap);
        ouro_snapshot_close(snapshot);
    }
    expect(status == OURO_BADDATA, what, at);
    expect(err.msg[0], what, at);
    uint64_t good, bad;
    memset(&err, 0, sizeof err);
    expect(ouro_snapshot_verify(path, NULL, NULL, &good, &bad, &err) == OURO_BADDATA, what, at);
    expect(err.msg[0] && bad, what, at);
}

/* Returns how many objects were left. */
static ouro_node salvaged(const char *path, const char *what, size_t at)
{
    struct ouro_snapshot *snapshot = NULL;
    struct ouro_heap heap;
    struct ouro_err err = {0};
    ouro_node left = 0;
    enum ouro_status status = ouro_snapshot_open(&snapshot, path, OURO_OPEN_SALVAGE, &err);
    if (!status) {
        status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 1, &err);
        if (!status) {
            /* Damage to the collector's lists shows when those are loaded. */
            expect(ouro_snapshot_damaged(snapshot) || heap.damaged, what, at);
            left = model_check_salvaged(&model, snapshot, &heap);
            ouro_heap_fini(&heap);
        }
        ouro_snapshot_close(snapshot);
    }
    expect(!status || (status == OURO_BADDATA && err.msg[0]), what, at);
    return left;
}

START_TEST(each_flipped_byte_is_noticed)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    size_t size, total_left = 0;
    unsigned char *bytes = make_file(codecs[_i], 20, &size);
    for (size_t at = 0; at < size; at++) {
        unsigned char saved = bytes[at];
        bytes[at] ^= masks[at % sizeof masks];
        test_write_file(test_path("flipped.ouro"), bytes, size);
        refused(test_path("flipped.ouro"), "flipped byte", at);
        total_left += salvaged(test_path("flipped.ouro"), "flipped byte", at);
        bytes[at] = saved;
    }
    /* One byte costs one chunk at most, or the tables: on the average most objects are left. */
    ck_assert_uint_gt(total_left, size * 20 / 2);
    free(bytes);
    model_fini(&model);
}
END_TEST

START_TEST(each_cut_length_is_noticed)
{
    size_t size;
    ouro_node most = 0;
    unsigned char *bytes = make_file(codecs[_i], 20, &size);
    for (size_t length = 0; length < size; length++) {
        test_write_file(test_path("cut.ouro"), bytes, length);
        refused(test_path("cut.ouro"), "cut at", length);
        ouro_node left = salvaged(test_path("cut.ouro"), "cut at", length);
        expect(left >= most, "cut at", length); /* a longer piece never has less */
        most = left;
    }
    ck_assert_uint_eq(most, 20);
    free(bytes);
    model_fini(&model);
}
END_TEST

START_TEST(a_hole_costs_the_chunks_it_hits)
{
    size_t size;
    unsigned char *bytes = make_file(codecs[_i], 700, &size);
    for (size_t at = 0; at < size; at += size / 40) {
        unsigned char *copy = malloc(size);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes, size);
        size_t length = size / 50 < size - at ? size / 50 : size - at;
        memset(copy + at, 0, length);
        test_write_file(test_path("hole.ouro"), copy, size);
        refused(test_path("hole.ouro"), "hole at", at);
        salvaged(test_path("hole.ouro"), "hole at", at);
        /* The end, too, is gone: all is found by scanning. */
        test_write_file(test_path("hole.ouro"), copy, size - 1);
        salvaged(test_path("hole.ouro"), "hole and cut end at", at);
        /* Bytes are gone without a trace: what follows has other offsets. */
        memmove(copy + at, copy + at + length, size - at - length);
        test_write_file(test_path("hole.ouro"), copy, size - length);
        salvaged(test_path("hole.ouro"), "bytes gone at", at);
        free(copy);
    }
    free(bytes);
    model_fini(&model);
}
END_TEST

START_TEST(bytes_before_and_behind_a_file_do_not_hide_it)
{
    size_t size;
    unsigned char *bytes = make_file(codecs[_i], 20, &size), *copy = calloc(1, size + 100);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy + 50, bytes, size);
    test_write_file(test_path("moved.ouro"), copy, size + 100);
    refused(test_path("moved.ouro"), "moved by", 50);
    ck_assert_uint_eq(salvaged(test_path("moved.ouro"), "moved by", 50), 20);
    free(bytes);
    free(copy);
    model_fini(&model);
}
END_TEST

static void keep(void *context, const struct ouro_verify_report *report)
{
    if (report->damage && !strcmp(report->section, "edges"))
        ++*(unsigned *)context;
}

START_TEST(verify_names_the_block_that_is_damaged)
{
    size_t size;
    unsigned edges = 0;
    uint64_t good, bad;
    struct ouro_err err;
    unsigned char *bytes = make_file(OURO_CODEC_STORED, 20, &size);
    for (size_t at = OURO_FILE_HEADER_BYTES; at < size - OURO_BLOCK_HEADER_BYTES; at++)
        if (!memcmp(bytes + at, ouro_block_magic, 4) && bytes[at + 8] == OURO_SECTION_COLUMN + OURO_COLUMN_EDGES) {
            bytes[at + OURO_BLOCK_HEADER_BYTES] ^= 1;
            break;
        }
    test_write_file(test_path("edges.ouro"), bytes, size);
    ck_assert_int_eq(ouro_snapshot_verify(test_path("edges.ouro"), keep, &edges, &good, &bad, &err), OURO_BADDATA);
    ck_assert_uint_eq(edges, 1);
    ck_assert_uint_eq(bad, 1);
    ck_assert_ptr_nonnull(strstr(err.msg, "edges"));
    free(bytes);
    model_fini(&model);
}
END_TEST

START_TEST(what_is_no_snapshot_is_refused_in_words)
{
    struct ouro_snapshot *snapshot;
    struct ouro_err err;
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("absent"), 0, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "no such file"));
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, "/dev/null/x", 0, &err), OURO_GONE);
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, "/tmp", 0, &err), OURO_BADDATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "folder"));
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, "/dev/zero", OURO_OPEN_SALVAGE, &err), OURO_BADDATA);
    test_write_file(test_path("text"), "just some text, longer than a header", 36);
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("text"), 0, &err), OURO_BADDATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "not an ouro snapshot"));
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("text"), OURO_OPEN_SALVAGE, &err), OURO_BADDATA);
    ck_assert_int_eq(ouro_snapshot_verify(test_path("absent"), NULL, NULL, NULL, NULL, &err), OURO_GONE);
    ck_assert_ptr_null(snapshot);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot damage");
    TCase *tcase = tcase_create("damage");
    int codec_count = sizeof codecs / sizeof *codecs;
    if (ouro_codec_default() != OURO_CODEC_ZSTD)
        codec_count--;
    tcase_set_timeout(tcase, 300);
    suite_add_tcase(suite, tcase);
    test_path("");
    tcase_add_loop_test(tcase, each_flipped_byte_is_noticed, 0, codec_count);
    tcase_add_loop_test(tcase, each_cut_length_is_noticed, 0, codec_count);
    tcase_add_loop_test(tcase, a_hole_costs_the_chunks_it_hits, 0, codec_count);
    tcase_add_loop_test(tcase, bytes_before_and_behind_a_file_do_not_hide_it, 0, codec_count);
    tcase_add_test(tcase, verify_names_the_block_that_is_damaged);
    tcase_add_test(tcase, what_is_no_snapshot_is_refused_in_words);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
