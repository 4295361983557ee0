/* What is written is what is read. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model.h"
#include "snapshot/block.h"

static enum ouro_codec codecs[] = {OURO_CODEC_STORED, OURO_CODEC_ZLIB, OURO_CODEC_ZSTD};

static uint64_t seed_of_run(void)
{
    const char *given = getenv("OURO_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("OURO_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

static void round_trip(uint64_t seed, const struct model_options *options, enum ouro_codec codec)
{
    struct model model;
    struct ouro_err err = {0};
    model_init(&model, seed, options);
    enum ouro_status status = model_write(&model, test_path("a.ouro"), true, codec, &err);
    ck_assert_msg(!status, "write: %s: %s", ouro_status_name(status), err.msg);
    model_check(&model, test_path("a.ouro"), 1);
    model_check(&model, test_path("a.ouro"), 3);
    uint64_t good = 0, bad = 0;
    status = ouro_snapshot_verify(test_path("a.ouro"), NULL, NULL, &good, &bad, &err);
    ck_assert_msg(!status, "verify: %s", err.msg);
    ck_assert_uint_gt(good, 0);
    ck_assert_uint_eq(bad, 0);
    model_fini(&model);
}

START_TEST(random_heaps_come_back_as_they_were)
{
    uint64_t seed = seed_of_run();
    for (unsigned i = 0; i < 6; i++) {
        struct model_options options = {
            .objects = 1 + (uint32_t)(i * 577),
            .chunk_objects = 1 + i * 300,
            .interpreters = i % 4,
            .values = i % 2,
        };
        round_trip(seed + i, &options, codecs[_i]);
    }
}
END_TEST

START_TEST(a_heap_without_objects_comes_back)
{
    round_trip(1, &(struct model_options){.interpreters = 1, .chunk_objects = 10}, codecs[_i]);
}
END_TEST

START_TEST(a_heap_of_zeroes_comes_back_though_its_columns_are_left_out)
{
    struct model_options options = {.objects = 3000, .chunk_objects = 1000, .plain = true};
    round_trip(1, &options, codecs[_i]);
    size_t size;
    free(test_read_file(test_path("a.ouro"), &size));
    /* Addresses alone, in up to three bytes each, and the tables. */
    ck_assert_uint_lt(size, 12000);
}
END_TEST

START_TEST(a_container_that_crosses_blocks_comes_back)
{
    struct model_options options = {.objects = 70000, .chunk_objects = 65536, .interpreters = 2, .giant_slots = 700000};
    struct model model;
    struct ouro_err err = {0};
    model_init(&model, 5, &options);
    enum ouro_status status = model_write(&model, test_path("a.ouro"), true, codecs[_i], &err);
    ck_assert_msg(!status, "write: %s: %s", ouro_status_name(status), err.msg);
    model_check(&model, test_path("a.ouro"), 2);
    model_fini(&model);
}
END_TEST

START_TEST(only_the_columns_asked_for_are_loaded)
{
    struct model model;
    struct ouro_snapshot *snapshot;
    struct ouro_heap heap;
    struct ouro_err err;
    model_init(&model, 9,
               &(struct model_options){.objects = 60, .chunk_objects = 20, .interpreters = 2, .values = true});
    ck_assert_int_eq(model_write(&model, test_path("a.ouro"), true, OURO_CODEC_ZLIB, &err), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("a.ouro"), 0, &err), OURO_OK);
    for (unsigned columns = 0; columns <= OURO_HEAP_ALL; columns++) { /* all 1024 of them */
        ck_assert_int_eq(ouro_heap_load(&heap, snapshot, columns, 1, &err), OURO_OK);
        ck_assert_int_eq(heap.addr != NULL, (columns & OURO_HEAP_ADDR) != 0);
        ck_assert_int_eq(heap.shape != NULL, (columns & (OURO_HEAP_SHAPE | OURO_HEAP_SLOTS)) != 0);
        ck_assert_int_eq(heap.size != NULL, (columns & OURO_HEAP_SIZE) != 0);
        ck_assert_int_eq(heap.refcount != NULL, (columns & OURO_HEAP_REFCOUNT) != 0);
        ck_assert_int_eq(heap.flags != NULL, (columns & (OURO_HEAP_FLAGS | OURO_HEAP_VALUES)) != 0);
        ck_assert_int_eq(heap.native != NULL, (columns & OURO_HEAP_NATIVE) != 0);
        ck_assert_int_eq(heap.interp != NULL, (columns & OURO_HEAP_INTERP) != 0);
        ck_assert_int_eq(heap.slots != NULL, (columns & OURO_HEAP_SLOTS) != 0);
        ck_assert_int_eq(heap.values != NULL, (columns & OURO_HEAP_VALUES) != 0);
        ck_assert_int_eq(heap.gc_lists != NULL, (columns & OURO_HEAP_GC_ORDER) != 0);
        for (ouro_node node = 0; node < heap.count; node++) {
            if (heap.addr && heap.addr[node] != model.objects.items[node].addr)
                ck_abort();
            if (heap.slots && heap.slot_begin[node + 1] - heap.slot_begin[node] != model_slots(&model, node, NULL, 0))
                ck_abort();
        }
        ouro_heap_fini(&heap);
    }
    ouro_snapshot_close(snapshot);
    model_fini(&model);
}
END_TEST

START_TEST(native_and_interpreter_are_null_where_all_are_zero)
{
    struct model model;
    struct ouro_snapshot *snapshot;
    struct ouro_heap heap;
    struct ouro_err err;
    model_init(&model, 9, &(struct model_options){.objects = 50, .chunk_objects = 100, .plain = true});
    ck_assert_int_eq(model_write(&model, test_path("a.ouro"), true, OURO_CODEC_ZLIB, &err), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("a.ouro"), 0, &err), OURO_OK);
    ck_assert_int_eq(ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 1, &err), OURO_OK);
    ck_assert_ptr_null(heap.native);
    ck_assert_ptr_null(heap.interp);
    ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
    model_fini(&model);
}
END_TEST

START_TEST(equal_strings_share_an_index_and_long_ones_are_cut)
{
    struct ouro_snapshot_writer *writer;
    struct ouro_snapshot *snapshot;
    struct ouro_err err = {0};
    size_t size, huge = 2 * OURO_STRING_MAX_BYTES;
    char *text = malloc(huge);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', huge);
    ck_assert_int_eq(ouro_snapshot_writer_open(&writer, test_path("a.ouro"), true, ouro_codec_default(), &err),
                     OURO_OK);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, "", 0), 0);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, "a", 1), 1);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, "a\0", 2), 2);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, text, huge), 3);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, "a\0", 2), 2);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, "a", 1), 1);
    ck_assert_uint_eq(ouro_snapshot_writer_string(writer, text, OURO_STRING_MAX_BYTES), 3);
    for (uint32_t i = 0; i < 200000; i++) {
        int length = snprintf(text, huge, "string number %u", i);
        if (ouro_snapshot_writer_string(writer, text, (size_t)length) != 4 + i)
            ck_abort();
    }
    ck_assert_int_eq(ouro_snapshot_writer_commit(writer, NULL, &err), OURO_OK);
    ouro_snapshot_writer_close(writer);
    ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("a.ouro"), 0, &err), OURO_OK);
    ck_assert_uint_eq(ouro_snapshot_string_count(snapshot), 200004);
    ouro_snapshot_string(snapshot, 3, &size);
    ck_assert_uint_eq(size, OURO_STRING_MAX_BYTES);
    ck_assert_str_eq(ouro_snapshot_string(snapshot, 200003, &size), "string number 199999");
    ck_assert_str_eq(ouro_snapshot_string(snapshot, 200004, &size), "<lost>");
    ouro_snapshot_close(snapshot);
    free(text);
}
END_TEST

START_TEST(chunks_out_of_order_are_refused)
{
    struct ouro_snapshot_writer *writer;
    struct ouro_chunk chunk = {0};
    struct ouro_blocks blocks = {0};
    struct ouro_err err = {0};
    ck_assert_int_eq(ouro_snapshot_writer_open(&writer, test_path("b.ouro"), true, OURO_CODEC_ZLIB, &err), OURO_OK);
    ouro_chunk_begin(&chunk, 5);
    ouro_chunk_object(&chunk, 8, 0, 0, 0, 0, 0, 0);
    ck_assert_int_eq(ouro_blocks_add_chunk(&blocks, &chunk, OURO_CODEC_ZLIB), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_append(writer, &blocks, &err), OURO_INVAL);
    ouro_snapshot_writer_close(writer);
    ouro_chunk_fini(&chunk);
    ouro_blocks_fini(&blocks);
}
END_TEST

/* Constant bytes would beat deflate with zstd: the block says zlib then, and readers may hold sizes against each other.
 */
START_TEST(no_block_holds_more_than_its_bytes_can_carry)
{
    struct ouro_blocks blocks = {0};
    unsigned char *raw = malloc(OURO_BLOCK_RAW_BYTES);
    ck_assert_ptr_nonnull(raw);
    memset(raw, 1, OURO_BLOCK_RAW_BYTES);
    for (size_t size = 0; size <= OURO_BLOCK_RAW_BYTES; size = size * 2 + 1) {
        struct ouro_block block = {.section = OURO_SECTION_STRINGS, .part_count = 1};
        ck_assert_int_eq(ouro_blocks_add(&blocks, &block, raw, size, codecs[_i]), OURO_OK);
        ck_assert_ptr_null(ouro_block_problem(&block));
    }
    ouro_blocks_fini(&blocks);
    free(raw);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot round trip");
    TCase *tcase = tcase_create("round trip");
    int codec_count = sizeof codecs / sizeof *codecs;
    if (ouro_codec_default() != OURO_CODEC_ZSTD)
        codec_count--;
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    test_path("");
    tcase_add_loop_test(tcase, random_heaps_come_back_as_they_were, 0, codec_count);
    tcase_add_loop_test(tcase, a_heap_without_objects_comes_back, 0, codec_count);
    tcase_add_loop_test(tcase, a_heap_of_zeroes_comes_back_though_its_columns_are_left_out, 0, codec_count);
    tcase_add_loop_test(tcase, a_container_that_crosses_blocks_comes_back, 0, codec_count);
    tcase_add_test(tcase, only_the_columns_asked_for_are_loaded);
    tcase_add_test(tcase, native_and_interpreter_are_null_where_all_are_zero);
    tcase_add_test(tcase, equal_strings_share_an_index_and_long_ones_are_cut);
    tcase_add_test(tcase, chunks_out_of_order_are_refused);
    tcase_add_loop_test(tcase, no_block_holds_more_than_its_bytes_can_carry, 0, codec_count);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
