#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "snapshot/snapshot.h"

struct verifier {
    void (*report)(void *context, const struct ouro_verify_report *report);
    void *context;
    uint64_t good, bad;
    struct ouro_err first; /* of the damages */
};

static void tell(struct verifier *verifier, const struct ouro_block *block, const char *section, const char *damage)
{
    struct ouro_verify_report report = {.section = section, .codec = "", .damage = damage};
    if (block) {
        report.offset = block->offset;
        report.stored_bytes = block->stored_bytes;
        report.raw_bytes = block->raw_bytes;
        report.first = block->first;
        report.count = block->count;
        report.codec = ouro_codec_name(block->codec);
    }
    if (damage && !verifier->bad)
        ouro_err_set(&verifier->first, OURO_BADDATA, "%s", damage);
    verifier->good += !damage;
    verifier->bad += damage != NULL;
    if (verifier->report)
        verifier->report(verifier->context, &report);
}

static bool is_damage(enum ouro_status status)
{
    return status == OURO_BADDATA;
}

/* Bytes between the blocks that a scan found. */
static void tell_hole(struct verifier *verifier, uint64_t from, uint64_t to)
{
    char words[96];
    if (from >= to)
        return;
    snprintf(words, sizeof words, "%llu bytes from byte %llu on are no block", (unsigned long long)(to - from),
             (unsigned long long)from);
    struct ouro_block hole = {.offset = from,
                              .stored_bytes = (uint32_t)(to - from < UINT32_MAX ? to - from : UINT32_MAX)};
    tell(verifier, &hole, "damage", words);
}

static enum ouro_status verify_blocks(struct verifier *verifier, struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    struct ouro_block_reader reader __attribute__((cleanup(ouro_block_reader_fini))) = {.fd = snapshot->fd};
    enum ouro_status status = ouro_snapshot_read_header(snapshot->fd, snapshot->file_bytes, err);
    if (status && !is_damage(status))
        return status;
    struct ouro_err why = {0};
    if (status)
        tell(verifier, NULL, "header", err ? err->msg : "damaged");
    status = ouro_snapshot_read_toc(snapshot, &reader, &why);
    if (status && !is_damage(status)) {
        if (err)
            *err = why;
        return status;
    }
    bool scanned = status != OURO_OK;
    if (scanned) {
        tell(verifier, NULL, "table of contents", why.msg);
        OURO_TRY(ouro_snapshot_scan(snapshot, &reader, err));
    }
    uint64_t due = OURO_FILE_HEADER_BYTES;
    for (size_t i = 0; i < snapshot->blocks.count; i++) {
        const struct ouro_block *block = &snapshot->blocks.items[i];
        const unsigned char *raw = NULL;
        if (scanned)
            tell_hole(verifier, due, block->offset);
        due = block->offset + OURO_BLOCK_HEADER_BYTES + block->stored_bytes;
        status = ouro_block_load(&reader, block, NULL, &raw, &why);
        if (status && !is_damage(status)) {
            if (err)
                *err = why;
            return status;
        }
        tell(verifier, block, ouro_section_name(block->section), status ? why.msg : NULL);
    }
    return OURO_OK;
}

/* What no single block shows: whether numbers mean something, whether tables fit each other. */
static enum ouro_status verify_contents(struct verifier *verifier, const char *path, struct ouro_err *err)
{
    struct ouro_snapshot *snapshot = NULL;
    struct ouro_err why = {0};
    enum ouro_status status = ouro_snapshot_open(&snapshot, path, 0, &why);
    if (!status) {
        struct ouro_heap heap;
        status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 0, &why);
        if (!status)
            ouro_heap_fini(&heap);
        ouro_snapshot_close(snapshot);
    }
    if (is_damage(status)) {
        tell(verifier, NULL, "contents", why.msg);
        return OURO_OK;
    }
    if (status && err)
        *err = why;
    return status;
}

enum ouro_status ouro_snapshot_verify(const char *path,
                                      void (*report)(void *context, const struct ouro_verify_report *), void *context,
                                      uint64_t *good, uint64_t *bad, struct ouro_err *err)
{
    struct verifier verifier = {.report = report, .context = context};
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return ouro_err_set(err, OURO_GONE, "%s: no such file", path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return ouro_err_sys(err, errno, "can't open %s", path);
    if (!S_ISREG(st.st_mode))
        return ouro_err_set(err, OURO_BADDATA, "%s: it is not a regular file", path);
    struct ouro_snapshot snapshot = {.fd = fd, .file_bytes = (uint64_t)st.st_size};
    enum ouro_status status = verify_blocks(&verifier, &snapshot, err);
    free(snapshot.blocks.items);
    if (!status && !verifier.bad)
        status = verify_contents(&verifier, path, err);
    if (good)
        *good = verifier.good;
    if (bad)
        *bad = verifier.bad;
    if (status) {
        ouro_err_prefix(err, "%s", path);
        return status;
    }
    return verifier.bad ? ouro_err_set(err, OURO_BADDATA, "%s: %s", path, verifier.first.msg) : OURO_OK;
}
