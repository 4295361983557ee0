#include "snapshot/block.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

/* As PNG's: a byte that no text has, and line ends that a careless copy would change. */
const unsigned char ouro_file_magic[8] = {0x89, 'O', 'U', 'R', 'O', '\r', '\n', 0x1a};
const unsigned char ouro_trailer_magic[8] = {'O', 'U', 'R', 'O', 'E', 'N', 'D', '\n'};
const unsigned char ouro_block_magic[4] = {0xff, 'O', 'B', 'K'};

#define ZLIB_LEVEL 1
#define ZSTD_LEVEL 1

const char *ouro_section_name(unsigned section)
{
    static const char *const names[] = {
        [OURO_SECTION_COLUMN + OURO_COLUMN_ADDR] = "addresses",
        [OURO_SECTION_COLUMN + OURO_COLUMN_SHAPE] = "object shapes",
        [OURO_SECTION_COLUMN + OURO_COLUMN_SIZE] = "sizes",
        [OURO_SECTION_COLUMN + OURO_COLUMN_REFCOUNT] = "reference counts",
        [OURO_SECTION_COLUMN + OURO_COLUMN_FLAGS] = "flags",
        [OURO_SECTION_COLUMN + OURO_COLUMN_COUNTS] = "counts",
        [OURO_SECTION_COLUMN + OURO_COLUMN_EDGES] = "edges",
        [OURO_SECTION_COLUMN + OURO_COLUMN_NATIVE] = "native bytes",
        [OURO_SECTION_COLUMN + OURO_COLUMN_INTERP] = "object interpreters",
        [OURO_SECTION_COLUMN + OURO_COLUMN_VALUE_SIZES] = "value sizes",
        [OURO_SECTION_COLUMN + OURO_COLUMN_VALUES] = "values",
        [OURO_SECTION_META] = "meta",
        [OURO_SECTION_STRINGS] = "strings",
        [OURO_SECTION_TYPES] = "types",
        [OURO_SECTION_TYPE_NODES] = "type nodes",
        [OURO_SECTION_SHAPES] = "shapes",
        [OURO_SECTION_INTERPRETERS] = "interpreters",
        [OURO_SECTION_THREADS] = "threads",
        [OURO_SECTION_GC_ORDER] = "collector order",
        [OURO_SECTION_BORROWED] = "borrowed",
        [OURO_SECTION_LINES] = "lines",
        [OURO_SECTION_LOCKS] = "locks",
        [OURO_SECTION_WAITS] = "waits",
        [OURO_SECTION_TOC] = "table of contents",
    };
    return section < sizeof names / sizeof *names && names[section] ? names[section] : "unknown";
}

const char *ouro_codec_name(unsigned codec)
{
    static const char *const names[] = {"stored", "zlib", "zstd"};
    return codec < sizeof names / sizeof *names ? names[codec] : "unknown";
}

enum ouro_codec ouro_codec_default(void)
{
#ifdef HAVE_ZSTD
    return OURO_CODEC_ZSTD;
#else
    return OURO_CODEC_ZLIB;
#endif
}

static uint64_t load(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void store(unsigned char *bytes, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

uint32_t ouro_load_u32(const unsigned char *bytes)
{
    return (uint32_t)load(bytes, 4);
}

uint64_t ouro_load_u64(const unsigned char *bytes)
{
    return load(bytes, 8);
}

void ouro_store_u32(unsigned char *bytes, uint32_t value)
{
    store(bytes, value, 4);
}

void ouro_store_u64(unsigned char *bytes, uint64_t value)
{
    store(bytes, value, 8);
}

void ouro_block_parse(struct ouro_block *block, const unsigned char *entry)
{
    *block = (struct ouro_block){
        .section = entry[0],
        .codec = entry[1],
        .columns = (uint16_t)load(entry + 2, 2),
        .part = (uint16_t)load(entry + 4, 2),
        .part_count = (uint16_t)load(entry + 6, 2),
        .first = ouro_load_u32(entry + 8),
        .count = ouro_load_u32(entry + 12),
        .raw_bytes = ouro_load_u32(entry + 16),
        .stored_bytes = ouro_load_u32(entry + 20),
    };
}

void ouro_block_write(const struct ouro_block *block, unsigned char *entry)
{
    entry[0] = block->section;
    entry[1] = block->codec;
    store(entry + 2, block->columns, 2);
    store(entry + 4, block->part, 2);
    store(entry + 6, block->part_count, 2);
    ouro_store_u32(entry + 8, block->first);
    ouro_store_u32(entry + 12, block->count);
    ouro_store_u32(entry + 16, block->raw_bytes);
    ouro_store_u32(entry + 20, block->stored_bytes);
}

const char *ouro_block_problem(const struct ouro_block *block)
{
    if (block->raw_bytes > OURO_BLOCK_RAW_LIMIT)
        return "claims to be larger than a block can be";
    if (block->codec == OURO_CODEC_STORED && block->raw_bytes != block->stored_bytes)
        return "has two sizes though it is not compressed";
    if (block->raw_bytes > (uint64_t)block->stored_bytes * OURO_BLOCK_RATIO_LIMIT)
        return "claims to hold more than its bytes can carry";
    if (block->stored_bytes > OURO_BLOCK_RAW_LIMIT)
        return "is larger than a block can be";
    if (block->part >= block->part_count)
        return "claims to be a part behind the last";
    return NULL;
}

/* Contexts for compression, kept from block to block. */
struct codec_state {
    z_stream zlib;
    bool zlib_ready;
#ifdef HAVE_ZSTD
    ZSTD_CCtx *zstd;
#endif
};

static void codec_state_free(struct codec_state *state)
{
    if (!state)
        return;
    if (state->zlib_ready)
        deflateEnd(&state->zlib);
#ifdef HAVE_ZSTD
    ZSTD_freeCCtx(state->zstd);
#endif
    free(state);
}

void ouro_blocks_fini(struct ouro_blocks *blocks)
{
    codec_state_free(blocks->codec_state);
    free(blocks->items);
    ouro_buf_fini(&blocks->bytes);
    memset(blocks, 0, sizeof *blocks);
}

/* Compressors return the size, 0 when the result does not fit in `room`, SIZE_MAX when memory ran out. */
static size_t compress_zlib(struct codec_state *state, unsigned char *out, size_t room, const void *raw, size_t size)
{
    z_stream *stream = &state->zlib;
    if (!state->zlib_ready) {
        if (deflateInit(stream, ZLIB_LEVEL) != Z_OK)
            return SIZE_MAX;
        state->zlib_ready = true;
    } else {
        deflateReset(stream);
    }
    stream->next_in = (unsigned char *)(uintptr_t)raw;
    stream->avail_in = (uInt)size;
    stream->next_out = out;
    stream->avail_out = (uInt)room;
    return deflate(stream, Z_FINISH) == Z_STREAM_END ? room - stream->avail_out : 0;
}

#ifdef HAVE_ZSTD
static size_t compress_zstd(struct codec_state *state, unsigned char *out, size_t room, const void *raw, size_t size)
{
    if (!state->zstd) {
        state->zstd = ZSTD_createCCtx();
        if (!state->zstd)
            return SIZE_MAX;
        ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_checksumFlag, 0); /* ours covers the header too */
    }
    size_t got = ZSTD_compress2(state->zstd, out, room, raw, size);
    return ZSTD_isError(got) ? 0 : got;
}
#endif

enum ouro_status ouro_blocks_add(struct ouro_blocks *blocks, struct ouro_block *block, const void *raw, size_t size,
                                 enum ouro_codec codec)
{
    if (size > OURO_BLOCK_RAW_LIMIT)
        return OURO_LIMIT;
    if (!blocks->codec_state && !(blocks->codec_state = calloc(1, sizeof(struct codec_state))))
        return OURO_NOMEM;
    struct ouro_blocks_entry *entry = OURO_VEC_ADD(blocks);
    if (!entry)
        return OURO_NOMEM;
    uint64_t offset = blocks->bytes.size;
    if (!ouro_buf_reserve(&blocks->bytes, OURO_BLOCK_HEADER_BYTES + size + 1)) {
        blocks->count--;
        return OURO_NOMEM;
    }
    unsigned char *header = blocks->bytes.data + offset, *payload = header + OURO_BLOCK_HEADER_BYTES;
    size_t stored = 0; /* 0: not compressed so far */
#ifdef HAVE_ZSTD
    /* zstd in memory that holds one byte less than the raw ones: what does not fit isn't worth it. */
    if (codec == OURO_CODEC_ZSTD && size) {
        stored = compress_zstd(blocks->codec_state, payload, size - 1, raw, size);
        if (stored && stored != SIZE_MAX && size > (uint64_t)stored * OURO_BLOCK_RATIO_LIMIT) {
            codec = OURO_CODEC_ZLIB;
            stored = 0;
        }
    }
#else
    if (codec == OURO_CODEC_ZSTD)
        codec = OURO_CODEC_ZLIB;
#endif
    if (codec == OURO_CODEC_ZLIB && size)
        stored = compress_zlib(blocks->codec_state, payload, size - 1, raw, size);
    if (stored == SIZE_MAX) {
        blocks->count--;
        return OURO_NOMEM;
    }
    if (!stored) {
        codec = OURO_CODEC_STORED;
        stored = size;
        if (size)
            memcpy(payload, raw, size);
    }
    block->codec = (uint8_t)codec;
    block->raw_bytes = (uint32_t)size;
    block->stored_bytes = (uint32_t)stored;
    memcpy(header, ouro_block_magic, sizeof ouro_block_magic);
    ouro_block_write(block, header + 8);
    ouro_store_u32(header + 4, (uint32_t)crc32(0, header + 8, (uInt)(OURO_BLOCK_HEADER_BYTES - 8 + stored)));
    blocks->bytes.size += OURO_BLOCK_HEADER_BYTES + stored;
    *entry = (struct ouro_blocks_entry){
        .section = block->section,
        .part = block->part,
        .first = block->first,
        .count = block->count,
        .offset = offset,
        .raw_bytes = size,
        .stored_bytes = stored,
    };
    return OURO_OK;
}

void ouro_block_reader_fini(struct ouro_block_reader *reader)
{
    if (reader->zlib) {
        inflateEnd(reader->zlib);
        free(reader->zlib);
    }
#ifdef HAVE_ZSTD
    ZSTD_freeDCtx(reader->zstd);
#endif
    ouro_buf_fini(&reader->stored);
    ouro_buf_fini(&reader->raw);
    memset(reader, 0, sizeof *reader);
}

enum ouro_status ouro_file_read(int fd, uint64_t offset, void *bytes, size_t size, struct ouro_err *err)
{
    unsigned char *to = bytes;
    while (size) {
        ssize_t got = pread(fd, to, size, (off_t)offset);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return ouro_err_sys(err, errno, "can't read the snapshot");
        }
        if (!got)
            return ouro_err_set(err, OURO_BADDATA, "the file ends at byte %llu, in the middle of a block",
                                (unsigned long long)offset);
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return OURO_OK;
}

static enum ouro_status damaged(const struct ouro_block *block, struct ouro_err *err, const char *what)
{
    return ouro_err_set(err, OURO_BADDATA, "the block of %s at byte %llu %s", ouro_section_name(block->section),
                        (unsigned long long)block->offset, what);
}

static enum ouro_status inflate_block(struct ouro_block_reader *reader, const struct ouro_block *block,
                                      const unsigned char *stored, unsigned char *out, struct ouro_err *err)
{
    z_stream *stream = reader->zlib;
    if (!stream) {
        stream = calloc(1, sizeof *stream);
        if (!stream || inflateInit(stream) != Z_OK) {
            free(stream);
            return ouro_err_set(err, OURO_NOMEM, "no memory to decompress");
        }
        reader->zlib = stream;
    } else {
        inflateReset(stream);
    }
    unsigned char none;
    stream->next_in = (unsigned char *)(uintptr_t)stored;
    stream->avail_in = block->stored_bytes;
    stream->next_out = block->raw_bytes ? out : &none;
    stream->avail_out = block->raw_bytes;
    if (inflate(stream, Z_FINISH) != Z_STREAM_END || stream->avail_out || stream->avail_in)
        return damaged(block, err, "does not decompress to what its header says (zlib)");
    return OURO_OK;
}

static enum ouro_status decompress_zstd(struct ouro_block_reader *reader, const struct ouro_block *block,
                                        const unsigned char *stored, unsigned char *out, struct ouro_err *err)
{
#ifdef HAVE_ZSTD
    if (!reader->zstd && !(reader->zstd = ZSTD_createDCtx()))
        return ouro_err_set(err, OURO_NOMEM, "no memory to decompress");
    size_t got = ZSTD_decompressDCtx(reader->zstd, out, block->raw_bytes, stored, block->stored_bytes);
    if (ZSTD_isError(got) || got != block->raw_bytes)
        return damaged(block, err, "does not decompress to what its header says (zstd)");
    return OURO_OK;
#else
    (void)reader, (void)block, (void)stored, (void)out;
    return ouro_err_set(err, OURO_UNSUPPORTED,
                        "the snapshot is compressed with zstd, and this ouro was built without libzstd; build it with "
                        "libzstd-dev installed");
#endif
}

enum ouro_status ouro_block_check(struct ouro_block_reader *reader, const struct ouro_block *block,
                                  const unsigned char **stored, struct ouro_err *err)
{
    const char *problem = ouro_block_problem(block);
    if (problem)
        return damaged(block, err, problem);
    size_t size = OURO_BLOCK_HEADER_BYTES + (size_t)block->stored_bytes;
    reader->stored.size = 0;
    if (!ouro_buf_reserve(&reader->stored, size))
        return ouro_err_set(err, OURO_NOMEM, "no memory for a block of %zu bytes", size);
    unsigned char *header = reader->stored.data;
    OURO_TRY(ouro_file_read(reader->fd, block->offset, header, size, err));
    if (memcmp(header, ouro_block_magic, sizeof ouro_block_magic) != 0)
        return damaged(block, err, "is not there");
    unsigned char entry[OURO_TOC_ENTRY_BYTES];
    ouro_block_write(block, entry);
    if (memcmp(header + 8, entry, sizeof entry) != 0)
        return damaged(block, err, "has a damaged header");
    if (ouro_load_u32(header + 4) != (uint32_t)crc32(0, header + 8, (uInt)(size - 8)))
        return damaged(block, err, "is damaged: its checksum differs");
    if (stored)
        *stored = header + OURO_BLOCK_HEADER_BYTES;
    return OURO_OK;
}

enum ouro_status ouro_block_load(struct ouro_block_reader *reader, const struct ouro_block *block, unsigned char *into,
                                 const unsigned char **raw, struct ouro_err *err)
{
    const unsigned char *stored = NULL;
    OURO_TRY(ouro_block_check(reader, block, &stored, err));
    if (block->codec == OURO_CODEC_STORED) {
        if (into && block->raw_bytes)
            memcpy(into, stored, block->raw_bytes);
        *raw = into ? into : stored;
        return OURO_OK;
    }
    if (block->codec != OURO_CODEC_ZLIB && block->codec != OURO_CODEC_ZSTD)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "a block of %s is compressed with method %u, which this ouro does not know",
                            ouro_section_name(block->section), block->codec);
    unsigned char *out = into;
    if (!out) {
        reader->raw.size = 0;
        if (!ouro_buf_reserve(&reader->raw, block->raw_bytes + (size_t)1))
            return ouro_err_set(err, OURO_NOMEM, "no memory for a block of %u bytes", block->raw_bytes);
        out = reader->raw.data;
    }
    *raw = out;
    return block->codec == OURO_CODEC_ZLIB ? inflate_block(reader, block, stored, out, err)
                                           : decompress_zstd(reader, block, stored, out, err);
}
