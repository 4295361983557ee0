/* Writes a snapshot: blocks in, a file out that appears under its name when it is whole.
 *
 * The temporary file (output.h) is removed by ouro_snapshot_writer_close, unless
 * ouro_snapshot_writer_commit succeeded. */
#ifndef OURO_SNAPSHOT_WRITER_H
#define OURO_SNAPSHOT_WRITER_H

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/chunk.h"
#include "snapshot/schema.h"

enum ouro_codec {
    OURO_CODEC_STORED = 0,
    OURO_CODEC_ZLIB = 1,
    OURO_CODEC_ZSTD = 2, /* where configure found libzstd */
};

/* The best codec of this build. */
enum ouro_codec ouro_codec_default(void);

/* Encoded blocks, ready to be appended; made by any thread. */
struct ouro_blocks {
    struct ouro_buf bytes;
    struct ouro_blocks_entry { /* one per block, offset relative to `bytes` */
        uint32_t section, part, first, count;
        uint64_t offset, raw_bytes, stored_bytes;
    } *items; /* owned */
    size_t count, capacity;
    void *codec_state; /* owned: reused compression context */
};

void ouro_blocks_fini(struct ouro_blocks *blocks);
/* Adds the chunk's columns as blocks, each of about 1 MiB raw at most, compressed one by one. */
enum ouro_status ouro_blocks_add_chunk(struct ouro_blocks *blocks, const struct ouro_chunk *chunk,
                                       enum ouro_codec codec);

/* Strings, types and shapes go to the file before the next chunk that is appended, so that a cut file is readable up to
 * its end; the other tables at commit. All functions but open, commit and close may be called by several threads. */
struct ouro_snapshot_writer;

/* OURO_INVAL: `path` exists and overwrite is false. OURO_GONE: its folder does not exist. */
enum ouro_status ouro_snapshot_writer_open(struct ouro_snapshot_writer **writer, const char *path, bool overwrite,
                                           enum ouro_codec codec, struct ouro_err *err);
/* Into memory: no file appears anywhere. */
enum ouro_status ouro_snapshot_writer_open_memory(struct ouro_snapshot_writer **writer, enum ouro_codec codec,
                                                  struct ouro_err *err);
/* Of a writer into memory, after its commit: the descriptor of what was written, which becomes the caller's (ouro_snapshot_open_fd
 * takes it). */
int ouro_snapshot_writer_take_fd(struct ouro_snapshot_writer *writer);
/* Removes the temporary file unless committed. NULL allowed. */
void ouro_snapshot_writer_close(struct ouro_snapshot_writer *writer);

/* A file without a name in the folder of the snapshot, for what does not fit into memory meanwhile. Borrowed until the close. -1: errno says why. */
int ouro_snapshot_writer_spool(struct ouro_snapshot_writer *writer);

/* Appends the blocks and empties them (keeping their memory). Chunks must come in the order of their objects. */
enum ouro_status ouro_snapshot_writer_append(struct ouro_snapshot_writer *writer, struct ouro_blocks *blocks,
                                             struct ouro_err *err);

/* A string's index; equal strings share one. 0 is "". UTF-8 expected, kept as it is; cut behind OURO_STRING_MAX_BYTES. 0 when
 * memory runs out: then commit fails. */
#define OURO_STRING_MAX_BYTES (1u << 20)
uint32_t ouro_snapshot_writer_string(struct ouro_snapshot_writer *writer, const char *text, size_t size);
/* Meta data, kept in order. Later values of a key replace earlier ones. Keys and values are cut as strings are. */
void ouro_snapshot_writer_meta(struct ouro_snapshot_writer *writer, const char *key, const char *value, size_t size);
void ouro_snapshot_writer_meta_u64(struct ouro_snapshot_writer *writer, const char *key, uint64_t value);
/* Indexes count from 0 in the order of the calls. Shapes' parts are copied. UINT32_MAX: memory ran out. */
uint32_t ouro_snapshot_writer_type(struct ouro_snapshot_writer *writer, const struct ouro_type_record *type);
/* Sets what is only known later: the node of a type. */
void ouro_snapshot_writer_type_node(struct ouro_snapshot_writer *writer, uint32_t type, ouro_node node);
uint32_t ouro_snapshot_writer_shape(struct ouro_snapshot_writer *writer, uint32_t type, const struct ouro_part *parts,
                                    uint32_t part_count);
enum ouro_status ouro_snapshot_writer_interpreter(struct ouro_snapshot_writer *writer,
                                                  const struct ouro_interpreter_record *interpreter);
enum ouro_status ouro_snapshot_writer_thread(struct ouro_snapshot_writer *writer,
                                             const struct ouro_thread_record *thread);
/* At most one of each for a node (line, lock) and a thread (wait; numbers of threads count from 0 in the order of the calls). In any
 * order. */
enum ouro_status ouro_snapshot_writer_line(struct ouro_snapshot_writer *writer, const struct ouro_line_record *line);
enum ouro_status ouro_snapshot_writer_lock(struct ouro_snapshot_writer *writer, const struct ouro_lock_record *lock);
enum ouro_status ouro_snapshot_writer_wait(struct ouro_snapshot_writer *writer, const struct ouro_wait_record *wait);
/* The tracked objects of one collector list in its order (generation 0, 1, 2, or 3 for the permanent one). May be called
 * several times for one list; the parts follow each other. */
enum ouro_status ouro_snapshot_writer_gc_order(struct ouro_snapshot_writer *writer, uint64_t interpreter,
                                               unsigned generation, const ouro_node *nodes, size_t count,
                                               struct ouro_err *err);
/* A borrowed reference: stored slot number `slot` (0-based, TYPE parts not counted) of `node` owns no count. */
enum ouro_status ouro_snapshot_writer_borrowed(struct ouro_snapshot_writer *writer, ouro_node node, uint64_t slot);

/* Writes tables and table of contents, syncs, renames into place. OURO_NOMEM also when memory ran out in any call before
 * that does not say so itself; OURO_INVAL: the name was taken meanwhile. *file_bytes may be NULL. */
enum ouro_status ouro_snapshot_writer_commit(struct ouro_snapshot_writer *writer, uint64_t *file_bytes,
                                             struct ouro_err *err);

#endif
