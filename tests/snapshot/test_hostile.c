/* Files whose checksums are right and whose contents are not: refused in words, with little memory, and never read as
 * something. A file is a list of blocks; each case changes one of a small good one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zlib.h>

#include "model.h"
#include "snapshot/block.h"

struct block_spec {
    unsigned section, columns;
    uint32_t first, count;
    const char *raw;
    size_t size;
};

#define RAW(text) text, sizeof text - 1
#define COLUMNS   ((1u << OURO_COLUMN_ADDR) | (1u << OURO_COLUMN_COUNTS) | (1u << OURO_COLUMN_EDGES))
#define COLUMN(c) (OURO_SECTION_COLUMN + OURO_COLUMN_##c)

/* Two objects: the first a list of two (itself and nothing), the second an empty one; one type, base none. */
static const struct block_spec good_file[] = {
    {OURO_SECTION_STRINGS,      0,       0, 2, RAW("\0\1x")                                                 },
    {OURO_SECTION_TYPES,        0,       0, 1, RAW("\10\1\0\0\0\20\10\0")                                   },
    {OURO_SECTION_SHAPES,       0,       0, 1, RAW("\0\2\1\0\0\2\0\0")                                      },
    {COLUMN(ADDR),              COLUMNS, 0, 2, RAW("\2\2")                                                  },
    {COLUMN(COUNTS),            COLUMNS, 0, 2, RAW("\2\0")                                                  },
    {COLUMN(EDGES),             COLUMNS, 0, 2, RAW("\1\0")                                                  },
    {OURO_SECTION_TYPE_NODES,   0,       0, 1, RAW("\2")                                                    },
    {OURO_SECTION_INTERPRETERS, 0,       0, 1, RAW("\0\1\0\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\0\0\0\1\0")},
    {OURO_SECTION_THREADS,      0,       0, 1, RAW("\0\1\1\0\0S\0\0\1")                                     },
    {OURO_SECTION_GC_ORDER,     0,       0, 2, RAW("\0\2\2\1")                                              },
    {OURO_SECTION_BORROWED,     0,       0, 1, RAW("\0\1")                                                  },
    {OURO_SECTION_LINES,        0,       0, 2, RAW("\0\7\4\1\7\2")                                          },
    {OURO_SECTION_LOCKS,        0,       0, 2, RAW("\0\0\1\1\1\2")                                          },
    {OURO_SECTION_WAITS,        0,       0, 1, RAW("\0\1\1")                                                },
    {OURO_SECTION_META,         0,       0, 1, RAW("\1k\1v")                                                },
};

#define GOOD_COUNT (sizeof good_file / sizeof *good_file)

static void add_block(struct ouro_buf *file, struct ouro_buf *toc, const struct block_spec *spec)
{
    struct ouro_blocks blocks = {0};
    struct ouro_block block = {
        .section = (uint8_t)spec->section,
        .columns = (uint16_t)spec->columns,
        .part_count = 1,
        .first = spec->first,
        .count = spec->count,
    };
    ck_assert_int_eq(ouro_blocks_add(&blocks, &block, spec->raw, spec->size, OURO_CODEC_ZLIB), OURO_OK);
    ouro_buf_add(file, blocks.bytes.data, blocks.bytes.size);
    if (toc)
        ouro_buf_add(toc, blocks.bytes.data + 8, OURO_TOC_ENTRY_BYTES);
    ouro_blocks_fini(&blocks);
}

static void begin_file(struct ouro_buf *file, uint32_t version)
{
    unsigned char header[OURO_FILE_HEADER_BYTES];
    memcpy(header, ouro_file_magic, 8);
    ouro_store_u32(header + 8, version);
    ouro_store_u32(header + 12, (uint32_t)crc32(0, header, 12));
    ouro_buf_add(file, header, sizeof header);
}

static void end_file(struct ouro_buf *file, struct ouro_buf *toc, uint32_t object_count)
{
    unsigned char trailer[OURO_TRAILER_BYTES];
    uint64_t offset = file->size;
    uint32_t entries = (uint32_t)(toc->size / OURO_TOC_ENTRY_BYTES);
    struct block_spec spec = {OURO_SECTION_TOC, 0, 0, entries, (char *)toc->data, toc->size};
    add_block(file, NULL, &spec);
    ouro_store_u64(trailer, offset);
    ouro_store_u64(trailer + 8, file->size - offset);
    ouro_store_u32(trailer + 16, object_count);
    ouro_store_u32(trailer + 20, (uint32_t)crc32(0, trailer, 20));
    memcpy(trailer + 24, ouro_trailer_magic, 8);
    ouro_buf_add(file, trailer, sizeof trailer);
    test_write_file(test_path("hostile.ouro"), file->data, file->size);
    ouro_buf_fini(file);
    ouro_buf_fini(toc);
}

static void make_file(const struct block_spec *specs, size_t count, uint32_t object_count)
{
    struct ouro_buf file = {0}, toc = {0};
    begin_file(&file, OURO_FORMAT_VERSION);
    for (size_t i = 0; i < count; i++)
        if (specs[i].section)
            add_block(&file, &toc, &specs[i]);
    end_file(&file, &toc, object_count);
}

static enum ouro_status read_file(unsigned flags, struct ouro_err *err)
{
    struct ouro_snapshot *snapshot = NULL;
    struct ouro_heap heap;
    memset(err, 0, sizeof *err);
    OURO_TRY(ouro_snapshot_open(&snapshot, test_path("hostile.ouro"), flags, err));
    enum ouro_status status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 2, err);
    if (!status)
        ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
    return status;
}

START_TEST(the_good_file_is_read)
{
    struct ouro_err err;
    make_file(good_file, GOOD_COUNT, 2);
    enum ouro_status status = read_file(0, &err);
    ck_assert_msg(!status, "%s", err.msg);
    ck_assert_int_eq(ouro_snapshot_verify(test_path("hostile.ouro"), NULL, NULL, NULL, NULL, &err), OURO_OK);
}
END_TEST

/* One block of the good file, replaced. */
static const struct {
    const char *what;
    unsigned section;
    uint32_t first, count;
    const char *raw;
    size_t size;
} cases[] = {
    {"a string longer than its block",         OURO_SECTION_STRINGS,      0, 2,          RAW("\0\377\377\3x")                             },
    {"more strings than bytes",                OURO_SECTION_STRINGS,      0, UINT32_MAX, RAW("\0\1x")                                     },
    {"strings that begin late",                OURO_SECTION_STRINGS,      1, 2,          RAW("\0\1x")                                     },
    {"bytes behind the last string",           OURO_SECTION_STRINGS,      0, 1,          RAW("\0\1x")                                     },
    {"no strings",                             OURO_SECTION_STRINGS,      0, 0,          RAW("")                                          },
    {"a type whose name is not there",         OURO_SECTION_TYPES,        0, 1,          RAW("\10\2\0\0\0\20\10\0")                       },
    {"a type that is its own base",            OURO_SECTION_TYPES,        0, 1,          RAW("\10\1\0\0\0\20\10\1")                       },
    {"a type whose base is not there",         OURO_SECTION_TYPES,        0, 1,          RAW("\10\1\0\0\0\20\10\2")                       },
    {"types that are each other's base",       OURO_SECTION_TYPES,        0, 2,          RAW("\10\1\0\0\0\20\10\2\10\1\0\0\0\20\10\1")    },
    {"a value kind that there is not",         OURO_SECTION_TYPES,        0, 1,          RAW("\10\1\0\0\11\20\10\0")                      },
    {"a type cut short",                       OURO_SECTION_TYPES,        0, 1,          RAW("\10\1\0\0\0\20\10\200")                     },
    {"a shape whose type is not there",        OURO_SECTION_SHAPES,       0, 1,          RAW("\1\2\1\0\0\2\0\0")                          },
    {"a part of a kind that there is not",     OURO_SECTION_SHAPES,       0, 1,          RAW("\0\2\1\0\0\16\0\0")                         },
    {"a part of a class that there is not",    OURO_SECTION_SHAPES,       0, 1,          RAW("\0\2\1\3\0\2\0\0")                          },
    {"a part whose name is not there",         OURO_SECTION_SHAPES,       0, 1,          RAW("\0\2\1\0\2\2\0\0")                          },
    {"five slots for the type",                OURO_SECTION_SHAPES,       0, 1,          RAW("\0\6\1\0\0\1\0\0\1\0\0\1\0\0\1\0\0\2\0\0")  },
    {"more parts than bytes",                  OURO_SECTION_SHAPES,       0, 1,          RAW("\0\377\377\377\377\17\1\0\0\2\0\0")         },
    {"fewer shapes than objects name",         OURO_SECTION_SHAPES,       0, 0,          RAW("")                                          },
    {"addresses that stand still",             COLUMN(ADDR),              0, 2,          RAW("\2\0")                                      },
    {"addresses that wrap around",             COLUMN(ADDR),              0, 2,          RAW("\2\377\377\377\377\377\377\377\377\37")     },
    {"an address too few",                     COLUMN(ADDR),              0, 2,          RAW("\2")                                        },
    {"an address too many",                    COLUMN(ADDR),              0, 2,          RAW("\2\2\2")                                    },
    {"an address without an end",              COLUMN(ADDR),              0, 2,          RAW("\2\202")                                    },
    {"a number of more than 64 bits",          COLUMN(ADDR),              0, 2,          RAW("\2\377\377\377\377\377\377\377\377\377\177")},
    {"a chunk of no objects",                  COLUMN(ADDR),              0, 0,          RAW("")                                          },
    {"a chunk of four billion objects",        COLUMN(ADDR),              0, UINT32_MAX, RAW("\2\2")                                      },
    {"a chunk of other objects",               COLUMN(ADDR),              1, 2,          RAW("\2\2")                                      },
    {"counts of more items than bytes",        COLUMN(COUNTS),            0, 2,          RAW("\377\377\377\377\377\377\377\377\177\0")    },
    {"counts that add up to too many",         COLUMN(COUNTS),            0, 2,          RAW("\2\1")                                      },
    {"counts that add up to too few",          COLUMN(COUNTS),            0, 2,          RAW("\1\0")                                      },
    {"a count too many",                       COLUMN(COUNTS),            0, 2,          RAW("\2\0\0")                                    },
    {"a reference behind the last object",     COLUMN(EDGES),             0, 2,          RAW("\5\0")                                      },
    {"a reference before the first object",    COLUMN(EDGES),             0, 2,          RAW("\2\0")                                      },
    {"a reference that wraps around",          COLUMN(EDGES),             0, 2,          RAW("\377\377\377\377\377\377\377\377\377\1\0")  },
    {"a reference too many",                   COLUMN(EDGES),             0, 2,          RAW("\1\0\0")                                    },
    {"edges of another chunk",                 COLUMN(EDGES),             2, 2,          RAW("\1\0")                                      },
    {"edges of fewer objects",                 COLUMN(EDGES),             0, 1,          RAW("\1\0")                                      },
    {"the node of a type that is not there",   OURO_SECTION_TYPE_NODES,   1, 1,          RAW("\2")                                        },
    {"the node of a type behind the last",     OURO_SECTION_TYPE_NODES,   0, 1,          RAW("\3")                                        },
    {"an interpreter cut short",               OURO_SECTION_INTERPRETERS, 0, 1,          RAW("\0\1\0\0\1\1\1\1")                          },
    {"gc.garbage behind the last object",      OURO_SECTION_INTERPRETERS, 0, 1,
     RAW("\0\1\0\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\0\0\0\3\0")                                                                        },
    {"a thread whose root is not there",       OURO_SECTION_THREADS,      0, 1,          RAW("\0\1\1\0\0S\0\0\3")                         },
    {"a thread whose name is not there",       OURO_SECTION_THREADS,      0, 1,          RAW("\0\1\1\2\0S\0\0\1")                         },
    {"a collector list of a fifth generation", OURO_SECTION_GC_ORDER,     0, 2,          RAW("\0\4\2\1")                                  },
    {"a collector list that begins late",      OURO_SECTION_GC_ORDER,     1, 2,          RAW("\0\2\2\1")                                  },
    {"a collector list that leaves the heap",  OURO_SECTION_GC_ORDER,     0, 2,          RAW("\0\2\2\2")                                  },
    {"a collector list below zero",            OURO_SECTION_GC_ORDER,     0, 2,          RAW("\0\2\1\1")                                  },
    {"a collector list longer than its bytes", OURO_SECTION_GC_ORDER,     0, UINT32_MAX, RAW("\0\2\2\1")                                  },
    {"a borrowed slot that is not there",      OURO_SECTION_BORROWED,     0, 1,          RAW("\0\2")                                      },
    {"a borrowed slot of an empty object",     OURO_SECTION_BORROWED,     0, 1,          RAW("\1\0")                                      },
    {"a borrowed slot of no object",           OURO_SECTION_BORROWED,     0, 1,          RAW("\2\0")                                      },
    {"a borrowed slot twice",                  OURO_SECTION_BORROWED,     0, 2,          RAW("\0\1\0\1")                                  },
    {"a line of no object",                    OURO_SECTION_LINES,        0, 1,          RAW("\2\7\4")                                    },
    {"an object with two lines",               OURO_SECTION_LINES,        0, 2,          RAW("\0\7\4\0\7\4")                              },
    {"lines cut short",                        OURO_SECTION_LINES,        0, 2,          RAW("\0\7\4\1\7")                                },
    {"more lines than bytes",                  OURO_SECTION_LINES,        0, UINT32_MAX, RAW("\0\7\4\1\7\2")                              },
    {"a lock that is no object",               OURO_SECTION_LOCKS,        0, 1,          RAW("\2\0\1")                                    },
    {"locks that do not ascend",               OURO_SECTION_LOCKS,        0, 2,          RAW("\1\0\1\0\0\1")                              },
    {"a wait of no thread",                    OURO_SECTION_WAITS,        0, 1,          RAW("\1\1\1")                                    },
    {"a wait for no object",                   OURO_SECTION_WAITS,        0, 1,          RAW("\0\1\3")                                    },
    {"a thread that waits twice",              OURO_SECTION_WAITS,        0, 2,          RAW("\0\1\1\0\1\1")                              },
    {"a meta key with a NUL",                  OURO_SECTION_META,         0, 1,          RAW("\1\0\1v")                                   },
    {"more meta pairs than bytes",             OURO_SECTION_META,         0, 9,          RAW("\1k\1v")                                    },
};

START_TEST(contents_that_make_no_sense_are_refused)
{
    struct block_spec specs[GOOD_COUNT];
    struct ouro_err err;
    memcpy(specs, good_file, sizeof specs);
    for (size_t i = 0; i < GOOD_COUNT; i++)
        if (specs[i].section == cases[_i].section) {
            specs[i].first = cases[_i].first;
            specs[i].count = cases[_i].count;
            specs[i].raw = cases[_i].raw;
            specs[i].size = cases[_i].size;
        }
    make_file(specs, GOOD_COUNT, 2);
    enum ouro_status status = read_file(0, &err);
    ck_assert_msg(status == OURO_BADDATA, "%s: %s: %s", cases[_i].what, ouro_status_name(status), err.msg);
    ck_assert_msg(err.msg[0] != 0, "%s", cases[_i].what);
    status = ouro_snapshot_verify(test_path("hostile.ouro"), NULL, NULL, NULL, NULL, &err);
    ck_assert_msg(status == OURO_BADDATA, "%s: verify: %s", cases[_i].what, ouro_status_name(status));
    status = read_file(OURO_OPEN_SALVAGE, &err);
    ck_assert_msg(!status || status == OURO_BADDATA, "%s: salvage: %s", cases[_i].what, ouro_status_name(status));
}
END_TEST

/* Two more objects, of which there are only addresses; the first two have 16 and 32. */
static void make_file_with_second_chunk(const char *addresses)
{
    struct block_spec specs[GOOD_COUNT + 1];
    memcpy(specs, good_file, sizeof good_file);
    specs[GOOD_COUNT] = (struct block_spec){COLUMN(ADDR), 1u << OURO_COLUMN_ADDR, 2, 2, addresses, 2};
    make_file(specs, GOOD_COUNT + 1, 4);
}

START_TEST(objects_that_are_not_behind_those_before_are_refused_or_lost)
{
    static const char *const wrong[] = {"\4\2", "\2\2", "\1\1"};
    struct ouro_err err;
    make_file_with_second_chunk("\5\2");
    ck_assert_msg(!read_file(0, &err), "%s", err.msg);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ouro_snapshot *snapshot = NULL;
        struct ouro_heap heap;
        make_file_with_second_chunk(wrong[i]);
        ck_assert_int_eq(read_file(0, &err), OURO_BADDATA);
        ck_assert_msg(strstr(err.msg, "do not follow those before"), "%s", err.msg);
        ck_assert_int_eq(ouro_snapshot_open(&snapshot, test_path("hostile.ouro"), OURO_OPEN_SALVAGE, &err), OURO_OK);
        ck_assert_int_eq(ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 2, &err), OURO_OK);
        ck_assert_uint_eq(heap.lost_count, 2);
        ck_assert(heap.damaged && heap.addr[1] == 32 && heap.addr[2] == 33 && heap.addr[3] == 33);
        ck_assert(heap.shape[1] == 0 && heap.shape[2] == UINT32_MAX && heap.shape[3] == UINT32_MAX);
        ck_assert(heap.slot_begin[2] > 0 && heap.slot_begin[3] == heap.slot_begin[2] && heap.slot_begin[4] == heap.slot_begin[2]);
        ouro_heap_fini(&heap);
        ouro_snapshot_close(snapshot);
    }
}
END_TEST

START_TEST(each_missing_block_is_noticed_or_means_an_empty_table)
{
    struct block_spec specs[GOOD_COUNT];
    struct ouro_err err;
    memcpy(specs, good_file, sizeof specs);
    specs[_i].section = 0;
    make_file(specs, GOOD_COUNT, 2);
    /* Waits name threads; the other tables may be gone without a trace. */
    bool needed = good_file[_i].section == OURO_SECTION_THREADS || (good_file[_i].section <= OURO_SECTION_SHAPES && good_file[_i].section != OURO_SECTION_META &&
                  good_file[_i].section != OURO_SECTION_TYPE_NODES);
    ck_assert_int_eq(read_file(0, &err), needed ? OURO_BADDATA : OURO_OK);
    ck_assert_int_eq(read_file(OURO_OPEN_SALVAGE, &err), OURO_OK);
}
END_TEST

START_TEST(a_newer_version_is_refused_in_words)
{
    struct ouro_buf file = {0}, toc = {0};
    struct ouro_err err;
    begin_file(&file, OURO_FORMAT_VERSION + 1);
    for (size_t i = 0; i < GOOD_COUNT; i++)
        add_block(&file, &toc, &good_file[i]);
    end_file(&file, &toc, 2);
    for (unsigned flags = 0; flags < 2; flags++) {
        ck_assert_int_eq(read_file(flags, &err), OURO_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(err.msg, "format version 2"));
    }
    ck_assert_int_eq(ouro_snapshot_verify(test_path("hostile.ouro"), NULL, NULL, NULL, NULL, &err), OURO_UNSUPPORTED);
}
END_TEST

START_TEST(sections_of_later_writers_are_skipped)
{
    struct block_spec specs[GOOD_COUNT + 2];
    struct ouro_err err;
    memcpy(specs, good_file, sizeof good_file);
    specs[GOOD_COUNT] = (struct block_spec){200, 0, 7, 9, RAW("from the future")};
    specs[GOOD_COUNT + 1] = (struct block_spec){12, 0, 7, 9, RAW("a column, perhaps")};
    make_file(specs, GOOD_COUNT + 2, 2);
    enum ouro_status status = read_file(0, &err);
    ck_assert_msg(!status, "%s", err.msg);
}
END_TEST

START_TEST(another_number_of_objects_is_noticed)
{
    struct ouro_err err;
    make_file(good_file, GOOD_COUNT, 3);
    ck_assert_int_eq(read_file(0, &err), OURO_BADDATA);
    make_file(good_file, GOOD_COUNT, UINT32_MAX);
    ck_assert_int_eq(read_file(0, &err), OURO_BADDATA);
    ck_assert_int_eq(read_file(OURO_OPEN_SALVAGE, &err), OURO_OK);
}
END_TEST

/* The sizes of a block, changed with the checksum made right again. */
static void change_sizes(unsigned codec, uint32_t raw, uint32_t stored_less)
{
    struct ouro_buf file = {0}, toc = {0};
    begin_file(&file, OURO_FORMAT_VERSION);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        size_t offset = file.size;
        add_block(&file, &toc, &good_file[i]);
        if (good_file[i].section != COLUMN(ADDR))
            continue;
        unsigned char *header = file.data + offset;
        header[9] = (unsigned char)codec;
        ouro_store_u32(header + 24, raw);
        ouro_store_u32(header + 28, ouro_load_u32(header + 28) - stored_less);
        file.size -= stored_less;
        ouro_store_u32(header + 4, (uint32_t)crc32(0, header + 8, (uInt)(file.size - offset - 8)));
        memcpy(toc.data + toc.size - OURO_TOC_ENTRY_BYTES, header + 8, OURO_TOC_ENTRY_BYTES);
    }
    end_file(&file, &toc, 2);
}

START_TEST(sizes_that_make_no_sense_are_refused)
{
    struct ouro_err err;
    static const struct {
        unsigned codec;
        uint32_t raw, stored_less;
        enum ouro_status status;
    } table[] = {
        {OURO_CODEC_STORED, 3,                        0, OURO_BADDATA    },
        {OURO_CODEC_STORED, 2,                        1, OURO_BADDATA    },
        {OURO_CODEC_ZLIB,   2,                        0, OURO_BADDATA    },
        {OURO_CODEC_ZLIB,   2 * 1032,                 0, OURO_BADDATA    },
        {OURO_CODEC_ZLIB,   2 * 1032 + 1,             0, OURO_BADDATA    },
        {OURO_CODEC_ZLIB,   OURO_BLOCK_RAW_LIMIT + 1, 0, OURO_BADDATA    },
        {OURO_CODEC_ZLIB,   UINT32_MAX,               0, OURO_BADDATA    },
        {OURO_CODEC_ZLIB,   0,                        2, OURO_BADDATA    },
        {OURO_CODEC_ZSTD,   UINT32_MAX,               0, OURO_BADDATA    },
        {3,                 2,                        0, OURO_UNSUPPORTED},
        {255,               2,                        0, OURO_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        change_sizes(table[i].codec, table[i].raw, table[i].stored_less);
        enum ouro_status status = read_file(0, &err);
        ck_assert_msg(status == table[i].status, "case %zu: %s: %s", i, ouro_status_name(status), err.msg);
        read_file(OURO_OPEN_SALVAGE, &err);
    }
    change_sizes(OURO_CODEC_ZSTD, 2, 0);
    enum ouro_status status = read_file(0, &err);
    /* A build without zstd says so; one with it finds that these bytes are none. */
    if (ouro_codec_default() == OURO_CODEC_ZSTD)
        ck_assert_int_eq(status, OURO_BADDATA);
    else
        ck_assert_msg(status == OURO_UNSUPPORTED && strstr(err.msg, "libzstd"), "%s", err.msg);
}
END_TEST

/* Shapes with a million fields and columns that are left out: the objects would have slots that no byte pays for. */
START_TEST(slots_that_no_byte_carries_are_refused)
{
    struct block_spec specs[GOOD_COUNT];
    struct ouro_err err;
    struct ouro_buf shape = {0};
    ouro_buf_add(&shape, "\0\300\204\075", 4); /* type 0, a million parts */
    for (unsigned i = 0; i < 1000000; i++)
        ouro_buf_add(&shape, "\0\0\0", 3);
    memcpy(specs, good_file, sizeof specs);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        if (specs[i].section == OURO_SECTION_SHAPES) {
            specs[i].raw = (char *)shape.data;
            specs[i].size = shape.size;
        }
        if (specs[i].section == COLUMN(EDGES) || specs[i].section == COLUMN(COUNTS))
            specs[i].section = 0;
        if (specs[i].section == COLUMN(ADDR))
            specs[i].columns = 1u << OURO_COLUMN_ADDR;
    }
    make_file(specs, GOOD_COUNT, 2);
    ck_assert_int_eq(read_file(0, &err), OURO_BADDATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "edges"));
    ouro_buf_fini(&shape);
}
END_TEST

/* A small file that is nothing but block headers which claim the rest of the file: the search for blocks must give up.
 */
START_TEST(looking_for_blocks_ends)
{
    size_t count = 60000, size = OURO_FILE_HEADER_BYTES + count * OURO_BLOCK_HEADER_BYTES;
    unsigned char *bytes = calloc(1, size);
    struct ouro_err err;
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < count; i++) {
        unsigned char *header = bytes + OURO_FILE_HEADER_BYTES + i * OURO_BLOCK_HEADER_BYTES;
        uint32_t stored = (uint32_t)(size - OURO_FILE_HEADER_BYTES - (i + 1) * OURO_BLOCK_HEADER_BYTES);
        struct ouro_block block = {.section = 1, .part_count = 1, .raw_bytes = stored, .stored_bytes = stored};
        memcpy(header, ouro_block_magic, 4);
        ouro_block_write(&block, header + 8);
    }
    test_write_file(test_path("hostile.ouro"), bytes, size);
    struct rlimit limit = {.rlim_cur = 20, .rlim_max = 20};
    setrlimit(RLIMIT_CPU, &limit);
    ck_assert_int_eq(read_file(OURO_OPEN_SALVAGE, &err), OURO_BADDATA);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    test_path("");
    tcase_add_test(tcase, the_good_file_is_read);
    tcase_add_loop_test(tcase, contents_that_make_no_sense_are_refused, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, objects_that_are_not_behind_those_before_are_refused_or_lost);
    tcase_add_loop_test(tcase, each_missing_block_is_noticed_or_means_an_empty_table, 0, GOOD_COUNT);
    tcase_add_test(tcase, a_newer_version_is_refused_in_words);
    tcase_add_test(tcase, sections_of_later_writers_are_skipped);
    tcase_add_test(tcase, another_number_of_objects_is_noticed);
    tcase_add_test(tcase, sizes_that_make_no_sense_are_refused);
    tcase_add_test(tcase, slots_that_no_byte_carries_are_refused);
    tcase_add_test(tcase, looking_for_blocks_ends);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
