/* Bytes of version 1 that are checked in: what we wrote once we read for ever, and an unwanted change of the format
 * shows.
 *
 * golden.ouro (stored as it is) must be byte for byte what the writer makes. golden-zlib.ouro and golden-zstd.ouro hold
 * the same; what a compressor makes is its own affair, so those are only read. OURO_WRITE_GOLDEN=FOLDER writes all
 * three there. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static const char *const names[] = {"golden.ouro", "golden-zlib.ouro", "golden-zstd.ouro"};

#define PSEUDO OURO_PSEUDO_BASE

/* A type, a list [str, None's place empty, itself], a str, a dict {str: list} whose generator borrows, and a root. */
static void write_golden(const char *path, enum ouro_codec codec)
{
    struct ouro_snapshot_writer *w;
    struct ouro_err err;
    struct ouro_chunk c = {0};
    struct ouro_blocks blocks = {0};
    ck_assert_int_eq(ouro_snapshot_writer_open(&w, path, true, codec, &err), OURO_OK);
    uint32_t list = ouro_snapshot_writer_string(w, "list", 4), str = ouro_snapshot_writer_string(w, "str", 3);
    uint32_t module = ouro_snapshot_writer_string(w, "builtins", 8), x = ouro_snapshot_writer_string(w, ".x", 2);
    ouro_snapshot_writer_meta(w, "python", "3.11.7", 6);
    ouro_snapshot_writer_meta_u64(w, "pid", 1234);
    struct ouro_type_record types[] = {
        {.addr = 0x955000,
         .node = 0,
         .name = list,
         .module = module,
         .flags = OURO_TYPE_GC,
         .basicsize = 40,
         .base = UINT32_MAX},
        {.node = OURO_NODE_NONE,
         .name = str,
         .module = module,
         .value_kind = OURO_VALUE_STR,
         .basicsize = 80,
         .itemsize = 1,
         .base = 0         },
    };
    struct ouro_part parts[] = {
        {.kind = OURO_PART_TYPE      },
        {.kind = OURO_PART_ITEMS_DOWN},
        {.kind = OURO_PART_FIELD,      .edge_class = OURO_EDGE_WEAK, .name = x},
        {.kind = OURO_PART_ENTRIES_STR                  },
    };
    ck_assert_uint_eq(ouro_snapshot_writer_type(w, &types[0]), 0);
    ck_assert_uint_eq(ouro_snapshot_writer_type(w, &types[1]), 1);
    ck_assert_uint_eq(ouro_snapshot_writer_shape(w, 0, parts, 4), 0);
    ck_assert_uint_eq(ouro_snapshot_writer_shape(w, 1, NULL, 0), 1);
    ouro_chunk_begin(&c, 0);
    ouro_chunk_object(&c, 0x955000, 1, 408, 0, 0, OURO_OBJECT_IMMORTAL, 0);
    ouro_chunk_object(&c, 0x7f0000001000, 0, 88, 1024, 2, 3, 0);
    ouro_chunk_run(&c, 1, 1);
    ouro_chunk_slot(&c, 1, 2);
    ouro_chunk_slot(&c, 1, OURO_NODE_NONE);
    ouro_chunk_slot(&c, 1, 1);
    ouro_chunk_part_count(&c, 3);
    ouro_chunk_slot(&c, 1, 0);
    ouro_chunk_run(&c, 1, 2);
    ouro_chunk_slot(&c, 1, 1);
    ouro_chunk_slot(&c, 1, 2);
    ouro_chunk_part_count(&c, 1);
    ouro_chunk_object(&c, 0x7f0000001048, 1, 52, 0, 1, OURO_OBJECT_VALUE, 0);
    ouro_chunk_value(&c, "h\xc3\xa9", 3);
    ck_assert_int_eq(ouro_blocks_add_chunk(&blocks, &c, codec), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_append(w, &blocks, &err), OURO_OK);
    ouro_chunk_begin(&c, 3);
    ouro_chunk_object(&c, PSEUDO, 1, 0, 0, 0, OURO_OBJECT_PSEUDO, 1);
    ck_assert_int_eq(ouro_blocks_add_chunk(&blocks, &c, codec), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_append(w, &blocks, &err), OURO_OK);
    struct ouro_interpreter_record interpreter = {
        .gc_enabled = 1, .threshold = {700, 10, 10},
             .garbage = 1, .callbacks = OURO_NODE_NONE
    };
    struct ouro_thread_record thread = {
        .ident = 140000000000000, .native_id = 1234, .name = x, .state = 'S', .syscall = -1, .holds_gil = 1, .root = 3};
    ck_assert_int_eq(ouro_snapshot_writer_interpreter(w, &interpreter), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_thread(w, &thread), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_gc_order(w, 0, 2, (ouro_node[]){1, 0}, 2, &err), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_borrowed(w, 1, 3), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_commit(w, NULL, &err), OURO_OK);
    ouro_snapshot_writer_close(w);
    ouro_chunk_fini(&c);
    ouro_blocks_fini(&blocks);
}

static const char *golden(unsigned codec)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/snapshot/%s", test_source_dir(), names[codec]);
    return path;
}

START_TEST(the_writer_makes_the_golden_bytes)
{
    const char *folder = getenv("OURO_WRITE_GOLDEN");
    for (unsigned codec = 0; folder && codec < 3; codec++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, names[codec]);
        write_golden(path, (enum ouro_codec)codec);
    }
    size_t size, golden_size;
    write_golden(test_path("a.ouro"), OURO_CODEC_STORED);
    unsigned char *bytes = test_read_file(test_path("a.ouro"), &size);
    unsigned char *golden_bytes = test_read_file(golden(OURO_CODEC_STORED), &golden_size);
    ck_assert_uint_eq(size, golden_size);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != golden_bytes[i])
            ck_abort_msg("byte %zu is %02x, not %02x", i, bytes[i], golden_bytes[i]);
    free(bytes);
    free(golden_bytes);
}
END_TEST

START_TEST(golden_files_are_read)
{
    struct ouro_snapshot *s;
    struct ouro_heap heap;
    struct ouro_err err = {0};
    uint32_t count;
    size_t records;
    uint64_t counts[2];
    enum ouro_status status = ouro_snapshot_open(&s, golden((unsigned)_i), 0, &err);
    if (_i == OURO_CODEC_ZSTD && ouro_codec_default() != OURO_CODEC_ZSTD) {
        ck_assert_int_eq(status, OURO_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(err.msg, "libzstd"));
        return;
    }
    ck_assert_msg(!status, "%s", err.msg);
    ck_assert_str_eq(ouro_snapshot_meta(s, "python", NULL), "3.11.7");
    ck_assert_uint_eq(ouro_snapshot_meta_u64(s, "pid", 0), 1234);
    const struct ouro_type_record *types = ouro_snapshot_types(s, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(ouro_snapshot_string(s, types[0].name, NULL), "list");
    ck_assert_str_eq(ouro_snapshot_string(s, types[1].module, NULL), "builtins");
    ck_assert_uint_eq(types[1].base, 0);
    ck_assert_uint_eq(ouro_snapshot_interpreters(s, &records)->threshold[0], 700);
    ck_assert_uint_eq(records, 1);
    ck_assert_uint_eq(ouro_snapshot_threads(s, &records)->root, 3);
    ck_assert_uint_eq(records, 1);
    ck_assert_int_eq(ouro_heap_load(&heap, s, OURO_HEAP_ALL, 0, &err), OURO_OK);
    static const ouro_addr addrs[] = {0x955000, 0x7f0000001000, 0x7f0000001048, PSEUDO};
    static const uint64_t slot_begin[] = {0, 0, 7, 7, 7};
    static const ouro_node slots[] = {0, 2, OURO_NODE_NONE, 1, 0, 1, 2};
    ck_assert_uint_eq(heap.count, 4);
    ck_assert_mem_eq(heap.addr, addrs, sizeof addrs);
    ck_assert_mem_eq(heap.slot_begin, slot_begin, sizeof slot_begin);
    ck_assert_mem_eq(heap.slots, slots, sizeof slots);
    ck_assert_uint_eq(ouro_heap_part_counts(&heap, 1, counts, 2), 2);
    ck_assert_uint_eq(counts[0], 3);
    ck_assert_uint_eq(counts[1], 1);
    ck_assert_uint_eq(heap.native[1], 1024);
    ck_assert_uint_eq(heap.interp[3], 1);
    ck_assert_uint_eq(heap.flags[3], OURO_OBJECT_PSEUDO);
    ck_assert_mem_eq(heap.values + heap.value_begin[2], "h\xc3\xa9", 3);
    ck_assert_uint_eq(heap.gc_list_count, 1);
    ck_assert_mem_eq(heap.gc_lists[0].nodes, ((ouro_node[]){1, 0}), 8);
    ck_assert_uint_eq(heap.borrowed_count, 1);
    ck_assert_uint_eq(heap.borrowed[0].slot, 4); /* the type's slot comes before */
    ouro_heap_fini(&heap);
    ouro_snapshot_close(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot golden files");
    TCase *tcase = tcase_create("golden");
    suite_add_tcase(suite, tcase);
    test_path("");
    tcase_add_test(tcase, the_writer_makes_the_golden_bytes);
    tcase_add_loop_test(tcase, golden_files_are_read, 0, 3);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
