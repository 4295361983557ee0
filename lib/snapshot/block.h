/* Blocks: the unit in which a snapshot is compressed, checked and found again. docs/FORMAT.md has the bytes.
 *
 * Internal to lib/snapshot. A block knows nothing of what its section's bytes mean. */
#ifndef OURO_SNAPSHOT_BLOCK_H
#define OURO_SNAPSHOT_BLOCK_H

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/chunk.h"
#include "snapshot/writer.h"

#define OURO_FORMAT_VERSION     1u
#define OURO_FILE_HEADER_BYTES  16u
#define OURO_TRAILER_BYTES      32u
#define OURO_BLOCK_HEADER_BYTES 32u
#define OURO_TOC_ENTRY_BYTES    24u /* bytes 8 to 31 of a block's header */

#define OURO_BLOCK_RAW_BYTES (UINT32_C(1) << 20)  /* what the writer cuts at */
#define OURO_BLOCK_RAW_LIMIT (UINT32_C(64) << 20) /* what a reader accepts */
/* Raw bytes per stored byte, whatever the codec: deflate can do no better, and zstd is not used where it does. */
#define OURO_BLOCK_RATIO_LIMIT 1032u

extern const unsigned char ouro_file_magic[8];
extern const unsigned char ouro_trailer_magic[8];
extern const unsigned char ouro_block_magic[4];

enum ouro_section {
    OURO_SECTION_COLUMN = 1, /* + enum ouro_column: 1 to 11 */
    OURO_SECTION_META = 16,
    OURO_SECTION_STRINGS = 17,
    OURO_SECTION_TYPES = 18,
    OURO_SECTION_TYPE_NODES = 19,
    OURO_SECTION_SHAPES = 20,
    OURO_SECTION_INTERPRETERS = 21,
    OURO_SECTION_THREADS = 22,
    OURO_SECTION_GC_ORDER = 23,
    OURO_SECTION_BORROWED = 24,
    OURO_SECTION_LINES = 25,
    OURO_SECTION_LOCKS = 26,
    OURO_SECTION_WAITS = 27,
    OURO_SECTION_TOC = 31,
};

static inline bool ouro_section_is_column(unsigned section)
{
    return section >= OURO_SECTION_COLUMN && section < OURO_SECTION_COLUMN + OURO_COLUMN_COUNT;
}

/* "edges", "strings"; "unknown" for numbers of later writers. */
const char *ouro_section_name(unsigned section);
const char *ouro_codec_name(unsigned codec);

struct ouro_block {
    uint8_t section, codec;
    uint16_t columns; /* of a column: which columns its chunk has, a bit each */
    uint16_t part, part_count;
    uint32_t first, count;
    uint32_t raw_bytes, stored_bytes;
    uint64_t offset; /* of the header in the file; not stored */
};

/* `entry`: OURO_TOC_ENTRY_BYTES, as in the header from byte 8 on and in the table of contents. */
void ouro_block_parse(struct ouro_block *block, const unsigned char *entry);
void ouro_block_write(const struct ouro_block *block, unsigned char *entry);
/* NULL, or what is wrong with sizes and codec, in words. */
const char *ouro_block_problem(const struct ouro_block *block);

uint32_t ouro_load_u32(const unsigned char *bytes);
uint64_t ouro_load_u64(const unsigned char *bytes);
void ouro_store_u32(unsigned char *bytes, uint32_t value);
void ouro_store_u64(unsigned char *bytes, uint64_t value);

/* Compresses and appends one block; raw_bytes, stored_bytes and codec of `block` are filled in. `size` is at most
 * OURO_BLOCK_RAW_LIMIT. Falls back to a weaker codec where `codec` gains nothing or more than the ratio limit. */
enum ouro_status ouro_blocks_add(struct ouro_blocks *blocks, struct ouro_block *block, const void *raw, size_t size,
                                 enum ouro_codec codec);

/* Reads blocks of one file; one for each thread. Zero-initialised but for fd is valid. */
struct ouro_block_reader {
    int fd; /* borrowed */
    struct ouro_buf stored, raw;
    void *zlib, *zstd; /* owned: reused contexts */
};

void ouro_block_reader_fini(struct ouro_block_reader *reader);
/* Reads, checks and decompresses `block`: its header in the file must say the same. The bytes go to `into` (room for
 * raw_bytes), or, when that is NULL, to the reader: then *raw is borrowed until the next load. */
enum ouro_status ouro_block_load(struct ouro_block_reader *reader, const struct ouro_block *block, unsigned char *into,
                                 const unsigned char **raw, struct ouro_err *err);

/* Reads and checks only: *stored (may be NULL) is borrowed from the reader until the next load. */
enum ouro_status ouro_block_check(struct ouro_block_reader *reader, const struct ouro_block *block,
                                  const unsigned char **stored, struct ouro_err *err);

/* Reads exactly `size` bytes at `offset`; OURO_BADDATA when the file ends before. */
enum ouro_status ouro_file_read(int fd, uint64_t offset, void *bytes, size_t size, struct ouro_err *err);

#endif
