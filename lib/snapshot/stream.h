/* The numbers of one column of one chunk, block after block. Internal to lib/snapshot.
 *
 * No varint is cut by the end of a block, so that decoders only look for the next block between two numbers. */
#ifndef OURO_SNAPSHOT_STREAM_H
#define OURO_SNAPSHOT_STREAM_H

#include "snapshot/snapshot.h"

struct ouro_stream {
    struct ouro_block_reader *reader;     /* borrowed; one stream at a time */
    const struct ouro_block *next, *last; /* blocks to come: [next, last) */
    const unsigned char *at, *end;        /* of the current one */
    struct ouro_err *err;
    enum ouro_status status; /* why reading failed */
};

/* False (and status) when there is no further byte or the next block is damaged. */
bool ouro_stream_refill(struct ouro_stream *stream);

/* One varint below 2^56 by eight bytes at once and without branches on its length, which nothing predicts. At least
 * eight bytes must be there; returns its length, 0 when it is longer than eight bytes. */
static inline unsigned ouro_stream_word(const unsigned char *at, uint64_t *value)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t ends = ~word & UINT64_C(0x8080808080808080);
    *value = 0;
    if (__builtin_expect(!ends, 0))
        return 0;
    word &= ends ^ (ends - 1); /* the bytes up to its last */
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    *value = (word & UINT64_C(0x000000000fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4;
    return ((unsigned)__builtin_ctzll(ends) >> 3) + 1;
}

static inline bool ouro_stream_get(struct ouro_stream *stream, uint64_t *value)
{
    if (stream->at == stream->end && !ouro_stream_refill(stream))
        return false;
    if (stream->end - stream->at >= 8) {
        unsigned length = ouro_stream_word(stream->at, value);
        if (length) {
            stream->at += length;
            return true;
        }
    }
    if (ouro_varint_read(&stream->at, stream->end, value))
        return true;
    stream->status = OURO_BADDATA;
    return false;
}

/* `count` numbers; false also when one does not fit. */
bool ouro_stream_get_u64(struct ouro_stream *stream, uint64_t *out, size_t count);
bool ouro_stream_get_u32(struct ouro_stream *stream, uint32_t *out, size_t count);
bool ouro_stream_get_u16(struct ouro_stream *stream, uint16_t *out, size_t count);
/* The slots of a repeated part of `node`, `items` times `width` of them, each told from the same slot of the item before. */
bool ouro_stream_get_run(struct ouro_stream *stream, ouro_node *out, uint64_t items, unsigned width, ouro_node node,
                         ouro_node limit, uint64_t *beyond_limit);
/* `count` slots of `node`, as nodes below `limit`; beyond_limit NULL: a node at or behind the limit is an error, else
 * it is counted there and becomes OURO_NODE_NONE. */
bool ouro_stream_get_slots(struct ouro_stream *stream, ouro_node *out, uint64_t count, ouro_node node, ouro_node limit,
                           uint64_t *beyond_limit);
/* Whether all is read. */
bool ouro_stream_ended(struct ouro_stream *stream);

#endif
