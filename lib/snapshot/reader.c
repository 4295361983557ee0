#include "snapshot/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "snapshot/snapshot.h"

#define SCAN_BYTES (UINT32_C(1) << 20)

enum ouro_status ouro_snapshot_damage(struct ouro_snapshot *snapshot, enum ouro_status status)
{
    if (!status || !snapshot->salvage || status == OURO_NOMEM || status == OURO_SYS || status == OURO_UNSUPPORTED)
        return status;
    snapshot->damaged = true;
    return OURO_OK;
}

enum ouro_status ouro_snapshot_read_header(int fd, uint64_t file_bytes, struct ouro_err *err)
{
    unsigned char header[OURO_FILE_HEADER_BYTES];
    if (file_bytes < sizeof header)
        return ouro_err_set(err, OURO_BADDATA, file_bytes ? "not an ouro snapshot: too short" : "the file is empty");
    OURO_TRY(ouro_file_read(fd, 0, header, sizeof header, err));
    if (memcmp(header, ouro_file_magic, sizeof ouro_file_magic) != 0)
        return ouro_err_set(err, OURO_BADDATA, "not an ouro snapshot: it begins with other bytes");
    if (ouro_load_u32(header + 12) != (uint32_t)crc32(0, header, 12))
        return ouro_err_set(err, OURO_BADDATA, "the header of the snapshot is damaged");
    uint32_t version = ouro_load_u32(header + 8);
    if (version > OURO_FORMAT_VERSION)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "the snapshot has format version %u; this ouro reads versions up to %u: use a newer ouro",
                            version, OURO_FORMAT_VERSION);
    if (!version)
        return ouro_err_set(err, OURO_BADDATA, "the snapshot has format version 0, which there never was");
    return OURO_OK;
}

/* Finds the table of contents by the trailer. */
static enum ouro_status read_trailer(struct ouro_snapshot *snapshot, struct ouro_block *toc, struct ouro_err *err)
{
    unsigned char trailer[OURO_TRAILER_BYTES], header[OURO_BLOCK_HEADER_BYTES];
    uint64_t least = OURO_FILE_HEADER_BYTES + OURO_BLOCK_HEADER_BYTES + OURO_TRAILER_BYTES;
    if (snapshot->file_bytes < least)
        return ouro_err_set(err, OURO_BADDATA, "the snapshot is cut: only %llu bytes are left",
                            (unsigned long long)snapshot->file_bytes);
    uint64_t end = snapshot->file_bytes - sizeof trailer;
    OURO_TRY(ouro_file_read(snapshot->fd, end, trailer, sizeof trailer, err));
    if (memcmp(trailer + 24, ouro_trailer_magic, sizeof ouro_trailer_magic) != 0)
        return ouro_err_set(err, OURO_BADDATA, "the snapshot is cut or its end is damaged");
    if (ouro_load_u32(trailer + 20) != (uint32_t)crc32(0, trailer, 20))
        return ouro_err_set(err, OURO_BADDATA, "the end of the snapshot is damaged");
    uint64_t offset = ouro_load_u64(trailer), size = ouro_load_u64(trailer + 8);
    if (offset < OURO_FILE_HEADER_BYTES || offset > end || size != end - offset || size < sizeof header)
        return ouro_err_set(err, OURO_BADDATA, "the table of contents is not where the end of the snapshot says");
    OURO_TRY(ouro_file_read(snapshot->fd, offset, header, sizeof header, err));
    ouro_block_parse(toc, header + 8);
    toc->offset = offset;
    if (toc->section != OURO_SECTION_TOC || toc->stored_bytes != size - sizeof header)
        return ouro_err_set(err, OURO_BADDATA, "the table of contents is damaged");
    snapshot->object_count = ouro_load_u32(trailer + 16);
    return OURO_OK;
}

enum ouro_status ouro_snapshot_read_toc(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                        struct ouro_err *err)
{
    struct ouro_block toc;
    const unsigned char *raw = NULL;
    OURO_TRY(read_trailer(snapshot, &toc, err));
    OURO_TRY(ouro_block_load(reader, &toc, NULL, &raw, err));
    if (toc.raw_bytes != (uint64_t)toc.count * OURO_TOC_ENTRY_BYTES ||
        toc.count > snapshot->file_bytes / OURO_BLOCK_HEADER_BYTES)
        return ouro_err_set(err, OURO_BADDATA, "the table of contents has another length than it says");
    uint64_t offset = OURO_FILE_HEADER_BYTES;
    for (uint32_t i = 0; i < toc.count; i++) {
        struct ouro_block *block = OURO_VEC_ADD(&snapshot->blocks);
        if (!block)
            return ouro_err_set(err, OURO_NOMEM, "no memory for the table of contents");
        ouro_block_parse(block, raw + (size_t)i * OURO_TOC_ENTRY_BYTES);
        block->offset = offset;
        if (offset > toc.offset || toc.offset - offset < OURO_BLOCK_HEADER_BYTES + (uint64_t)block->stored_bytes)
            return ouro_err_set(err, OURO_BADDATA, "the table of contents lists more than the file holds");
        offset += OURO_BLOCK_HEADER_BYTES + (uint64_t)block->stored_bytes;
    }
    if (offset != toc.offset)
        return ouro_err_set(err, OURO_BADDATA, "the table of contents lists less than the file holds");
    return OURO_OK;
}

/* Whether a whole block is at `offset`. *spent: bytes read for nothing so far. */
static enum ouro_status scan_candidate(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                       uint64_t offset, uint64_t *end, uint64_t *spent, struct ouro_err *err)
{
    unsigned char header[OURO_BLOCK_HEADER_BYTES];
    struct ouro_block found;
    *end = 0;
    if (snapshot->file_bytes - offset < sizeof header)
        return OURO_OK;
    OURO_TRY(ouro_file_read(snapshot->fd, offset, header, sizeof header, err));
    ouro_block_parse(&found, header + 8);
    found.offset = offset;
    if (ouro_block_problem(&found) || found.stored_bytes > snapshot->file_bytes - offset - sizeof header)
        return OURO_OK;
    enum ouro_status status = ouro_block_check(reader, &found, NULL, err);
    if (status) {
        *spent += found.stored_bytes;
        return status == OURO_BADDATA ? OURO_OK : status;
    }
    *end = offset + sizeof header + found.stored_bytes;
    /* The table of contents need not be right when the trailer is not; what it lists is found anyway. */
    if (found.section == OURO_SECTION_TOC)
        return OURO_OK;
    struct ouro_block *block = OURO_VEC_ADD(&snapshot->blocks);
    if (!block)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the blocks of a damaged snapshot");
    *block = found;
    return OURO_OK;
}

/* Finds whole blocks by their magic. Bytes that look like block headers and are none cost time, so there is a limit to
 * it. */
enum ouro_status ouro_snapshot_scan(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                    struct ouro_err *err)
{
    uint64_t budget = snapshot->file_bytes * 4 + OURO_BLOCK_RAW_LIMIT, spent = 0;
    struct ouro_buf window __attribute__((cleanup(ouro_buf_fini))) = {0};
    size_t window_bytes = snapshot->file_bytes < SCAN_BYTES ? (size_t)snapshot->file_bytes : SCAN_BYTES;
    if (!ouro_buf_reserve(&window, window_bytes))
        return ouro_err_set(err, OURO_NOMEM, "no memory to look for blocks");
    snapshot->blocks.count = 0;
    for (uint64_t at = 0; spent < budget && snapshot->file_bytes - at >= OURO_BLOCK_HEADER_BYTES;) {
        uint64_t left = snapshot->file_bytes - at;
        size_t size = left < SCAN_BYTES ? (size_t)left : SCAN_BYTES;
        OURO_TRY(ouro_file_read(snapshot->fd, at, window.data, size, err));
        const unsigned char *hit = window.data;
        uint64_t end = 0;
        while (spent < budget && !end &&
               (hit = memmem(hit, size - (size_t)(hit - window.data), ouro_block_magic, sizeof ouro_block_magic))) {
            OURO_TRY(scan_candidate(snapshot, reader, at + (uint64_t)(hit - window.data), &end, &spent, err));
            hit++;
        }
        /* A magic may straddle the windows. */
        at = end ? end : at + size - (size < left ? sizeof ouro_block_magic - 1 : 0);
    }
    return OURO_OK;
}

static int compare_columns(const void *a, const void *b)
{
    const struct ouro_block *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum ouro_status bad_columns(struct ouro_snapshot *snapshot, uint32_t first, const char *what,
                                    struct ouro_err *err)
{
    return ouro_snapshot_damage(
        snapshot, ouro_err_set(err, OURO_BADDATA, "the blocks of the objects from %u on %s", first, what));
}

/* Makes a chunk of columns[from .. to), which have the same first object. */
static enum ouro_status add_chunk(struct ouro_snapshot *snapshot, size_t from, size_t to, struct ouro_err *err)
{
    const struct ouro_block *blocks = snapshot->columns.items, *lead = &blocks[from];
    const struct ouro_snapshot_chunk *last =
        snapshot->chunks.count ? &snapshot->chunks.items[snapshot->chunks.count - 1] : NULL;
    uint64_t due = last ? (uint64_t)last->first + last->count : 0, end = (uint64_t)lead->first + lead->count;
    if (!lead->count || lead->count > OURO_CHUNK_OBJECTS)
        return bad_columns(snapshot, lead->first, "have an impossible count", err);
    /* What is lost must have been carried by bytes as well: no numbers out of proportion. */
    if (lead->first < due || end >= OURO_NODE_NONE || end > snapshot->file_bytes * OURO_BLOCK_RATIO_LIMIT)
        return bad_columns(snapshot, lead->first, "have impossible numbers", err);
    if (lead->first > due)
        OURO_TRY(bad_columns(snapshot, lead->first, "do not follow those before", err));
    struct ouro_snapshot_chunk chunk = {.first = lead->first, .count = lead->count, .columns = lead->columns};
    size_t at = from;
    for (unsigned column = 0; column < OURO_COLUMN_COUNT; column++) {
        size_t begin = at;
        bool good = true;
        for (; at < to && blocks[at].section == OURO_SECTION_COLUMN + column; at++)
            good = good && blocks[at].part == at - begin && blocks[at].count == lead->count &&
                   blocks[at].columns == lead->columns && blocks[at].part_count == blocks[begin].part_count;
        bool there = at > begin && good && blocks[begin].part_count == at - begin;
        bool due_there = column == OURO_COLUMN_ADDR || (chunk.columns >> column & 1);
        chunk.begin[column] = begin;
        chunk.begin[column + 1] = at;
        if (there != due_there || (at > begin && !there)) {
            OURO_TRY(bad_columns(snapshot, lead->first, "are not complete", err));
            chunk.lost |= (uint16_t)(1u << column);
        }
    }
    struct ouro_snapshot_chunk *item = OURO_VEC_ADD(&snapshot->chunks);
    if (!item)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the table of contents");
    *item = chunk;
    return OURO_OK;
}

static enum ouro_status find_chunks(struct ouro_snapshot *snapshot, bool counted, struct ouro_err *err)
{
    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        if (!ouro_section_is_column(snapshot->blocks.items[i].section))
            continue;
        struct ouro_block *block = OURO_VEC_ADD(&snapshot->columns);
        if (!block)
            return ouro_err_set(err, OURO_NOMEM, "no memory for the table of contents");
        *block = snapshot->blocks.items[i];
    }
    size_t count = snapshot->columns.count;
    const struct ouro_block *blocks = snapshot->columns.items;
    if (count)
        qsort(snapshot->columns.items, count, sizeof *blocks, compare_columns);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && blocks[to].first == blocks[from].first;)
            to++;
        OURO_TRY(add_chunk(snapshot, from, to, err));
    }
    const struct ouro_snapshot_chunk *last =
        snapshot->chunks.count ? &snapshot->chunks.items[snapshot->chunks.count - 1] : NULL;
    ouro_node found = last ? last->first + last->count : 0;
    if (counted && found != snapshot->object_count)
        OURO_TRY(ouro_snapshot_damage(snapshot, ouro_err_set(err, OURO_BADDATA,
                                                             "the snapshot has %u objects and says that it has %u",
                                                             found, snapshot->object_count)));
    snapshot->object_count = found;
    return OURO_OK;
}

static enum ouro_status open_blocks(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    struct ouro_block_reader reader __attribute__((cleanup(ouro_block_reader_fini))) = {.fd = snapshot->fd};
    OURO_TRY(ouro_snapshot_damage(snapshot, ouro_snapshot_read_header(snapshot->fd, snapshot->file_bytes, err)));
    enum ouro_status status = snapshot->damaged ? OURO_BADDATA : ouro_snapshot_read_toc(snapshot, &reader, err);
    bool whole = status == OURO_OK;
    if (status) {
        OURO_TRY(ouro_snapshot_damage(snapshot, status));
        OURO_TRY(ouro_snapshot_scan(snapshot, &reader, err));
        if (!snapshot->blocks.count)
            return ouro_err_set(err, OURO_BADDATA, "not an ouro snapshot, or nothing of it is left");
    }
    OURO_TRY(find_chunks(snapshot, whole, err));
    return ouro_snapshot_read_tables(snapshot, &reader, err);
}

enum ouro_status ouro_snapshot_open_fd(struct ouro_snapshot **result, int fd, unsigned flags, struct ouro_err *err)
{
    struct stat st;
    *result = NULL;
    struct ouro_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot) {
        close(fd);
        return ouro_err_set(err, OURO_NOMEM, "no memory for a snapshot");
    }
    snapshot->fd = fd;
    snapshot->salvage = flags & OURO_OPEN_SALVAGE;
    enum ouro_status status = OURO_OK;
    if (fstat(fd, &st) < 0)
        status = ouro_err_sys(err, errno, "can't read");
    else if (!S_ISREG(st.st_mode))
        status = ouro_err_set(err, OURO_BADDATA, S_ISDIR(st.st_mode) ? "it is a folder" : "it is not a regular file");
    if (!status) {
        snapshot->file_bytes = (uint64_t)st.st_size;
        status = open_blocks(snapshot, err);
    }
    if (status) {
        ouro_snapshot_close(snapshot);
        return status;
    }
    *result = snapshot;
    return OURO_OK;
}

enum ouro_status ouro_snapshot_open(struct ouro_snapshot **snapshot, const char *path, unsigned flags,
                                    struct ouro_err *err)
{
    *snapshot = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return ouro_err_set(err, OURO_GONE, "%s: no such file", path);
        return ouro_err_sys(err, errno, "can't open %s", path);
    }
    enum ouro_status status = ouro_snapshot_open_fd(snapshot, fd, flags, err);
    if (status)
        ouro_err_prefix(err, "%s", path);
    return status;
}

void ouro_snapshot_close(struct ouro_snapshot *snapshot)
{
    if (!snapshot)
        return;
    close(snapshot->fd);
    free(snapshot->blocks.items);
    free(snapshot->columns.items);
    free(snapshot->chunks.items);
    ouro_buf_fini(&snapshot->string_bytes);
    ouro_buf_fini(&snapshot->meta_bytes);
    free(snapshot->strings.items);
    free(snapshot->meta.items);
    free(snapshot->types.items);
    free(snapshot->shapes.items);
    free(snapshot->layouts.items);
    free(snapshot->parts.items);
    free(snapshot->interpreters.items);
    free(snapshot->threads.items);
    free(snapshot->lines.items);
    free(snapshot->locks.items);
    free(snapshot->waits.items);
    free(snapshot);
}

const char *ouro_snapshot_string(const struct ouro_snapshot *snapshot, uint32_t index, size_t *size)
{
    static const char lost[] = "<lost>";
    const struct ouro_snapshot_string *string =
        index < snapshot->strings.count ? &snapshot->strings.items[index] : NULL;
    if (!string || string->offset == SIZE_MAX) {
        if (size)
            *size = sizeof lost - 1;
        return lost;
    }
    if (size)
        *size = string->size;
    return (const char *)snapshot->string_bytes.data + string->offset;
}

uint32_t ouro_snapshot_string_count(const struct ouro_snapshot *snapshot)
{
    return (uint32_t)snapshot->strings.count;
}

bool ouro_snapshot_meta_each(const struct ouro_snapshot *snapshot, size_t i, const char **key, const char **value,
                             size_t *size)
{
    if (i >= snapshot->meta.count)
        return false;
    const struct ouro_snapshot_meta_item *item = &snapshot->meta.items[i];
    if (key)
        *key = (const char *)snapshot->meta_bytes.data + item->key;
    if (value)
        *value = (const char *)snapshot->meta_bytes.data + item->value;
    if (size)
        *size = item->size;
    return true;
}

const char *ouro_snapshot_meta(const struct ouro_snapshot *snapshot, const char *key, size_t *size)
{
    const char *name, *value;
    for (size_t i = 0; ouro_snapshot_meta_each(snapshot, i, &name, &value, size); i++)
        if (!strcmp(name, key))
            return value;
    if (size)
        *size = 0;
    return NULL;
}

uint64_t ouro_snapshot_meta_u64(const struct ouro_snapshot *snapshot, const char *key, uint64_t otherwise)
{
    const char *text = ouro_snapshot_meta(snapshot, key, NULL);
    if (!text || *text < '0' || *text > '9')
        return otherwise;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    return *end || errno ? otherwise : value;
}

const struct ouro_type_record *ouro_snapshot_types(const struct ouro_snapshot *snapshot, uint32_t *count)
{
    *count = (uint32_t)snapshot->types.count;
    return snapshot->types.items;
}

const struct ouro_shape *ouro_snapshot_shapes(const struct ouro_snapshot *snapshot, uint32_t *count)
{
    *count = (uint32_t)snapshot->shapes.count;
    return snapshot->shapes.items;
}

const struct ouro_interpreter_record *ouro_snapshot_interpreters(const struct ouro_snapshot *snapshot, size_t *count)
{
    *count = snapshot->interpreters.count;
    return snapshot->interpreters.items;
}

const struct ouro_thread_record *ouro_snapshot_threads(const struct ouro_snapshot *snapshot, size_t *count)
{
    *count = snapshot->threads.count;
    return snapshot->threads.items;
}

const struct ouro_line_record *ouro_snapshot_lines(const struct ouro_snapshot *snapshot, size_t *count)
{
    *count = snapshot->lines.count;
    return snapshot->lines.items;
}

const struct ouro_lock_record *ouro_snapshot_locks(const struct ouro_snapshot *snapshot, size_t *count)
{
    *count = snapshot->locks.count;
    return snapshot->locks.items;
}

const struct ouro_wait_record *ouro_snapshot_waits(const struct ouro_snapshot *snapshot, size_t *count)
{
    *count = snapshot->waits.count;
    return snapshot->waits.items;
}

static int compare_line(const void *key, const void *record)
{
    ouro_node node = *(const ouro_node *)key, other = ((const struct ouro_line_record *)record)->node;
    return (node > other) - (node < other);
}

static int compare_lock(const void *key, const void *record)
{
    ouro_node node = *(const ouro_node *)key, other = ((const struct ouro_lock_record *)record)->node;
    return (node > other) - (node < other);
}

const struct ouro_line_record *ouro_snapshot_line(const struct ouro_snapshot *snapshot, ouro_node node)
{
    size_t count = snapshot->lines.count;
    return count ? bsearch(&node, snapshot->lines.items, count, sizeof *snapshot->lines.items, compare_line) : NULL;
}

const struct ouro_lock_record *ouro_snapshot_lock(const struct ouro_snapshot *snapshot, ouro_node node)
{
    size_t count = snapshot->locks.count;
    return count ? bsearch(&node, snapshot->locks.items, count, sizeof *snapshot->locks.items, compare_lock) : NULL;
}

ouro_node ouro_snapshot_object_count(const struct ouro_snapshot *snapshot)
{
    return snapshot->object_count;
}

uint64_t ouro_snapshot_file_bytes(const struct ouro_snapshot *snapshot)
{
    return snapshot->file_bytes;
}

bool ouro_snapshot_damaged(const struct ouro_snapshot *snapshot)
{
    return snapshot->damaged;
}
