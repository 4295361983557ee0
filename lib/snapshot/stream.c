#include "snapshot/stream.h"

bool ouro_stream_refill(struct ouro_stream *stream)
{
    while (stream->next < stream->last) {
        const struct ouro_block *block = stream->next++;
        const unsigned char *raw = NULL;
        stream->status = ouro_block_load(stream->reader, block, NULL, &raw, stream->err);
        if (stream->status)
            return false;
        stream->at = raw;
        stream->end = raw + block->raw_bytes;
        if (stream->at < stream->end)
            return true;
    }
    stream->status = OURO_BADDATA;
    return false;
}

bool ouro_stream_ended(struct ouro_stream *stream)
{
    return stream->at == stream->end && stream->next == stream->last;
}

/* Most columns are mostly numbers below 128: eight of those at a time. */
#define DEFINE_GET(name, type, limit)                                 \
    bool name(struct ouro_stream *stream, type *out, size_t count)    \
    {                                                                 \
        size_t i = 0;                                                 \
        while (i < count) {                                           \
            uint64_t value;                                           \
            while (count - i >= 8 && stream->end - stream->at >= 8) { \
                memcpy(&value, stream->at, sizeof value);             \
                if (value & UINT64_C(0x8080808080808080))             \
                    break;                                            \
                for (unsigned j = 0; j < 8; j++)                      \
                    out[i + j] = stream->at[j];                       \
                stream->at += 8;                                      \
                i += 8;                                               \
            }                                                         \
            for (unsigned j = 0; j < 8 && i < count; j++, i++) {      \
                if (!ouro_stream_get(stream, &value))                 \
                    return false;                                     \
                if (value > (limit)) {                                \
                    stream->status = OURO_BADDATA;                    \
                    return false;                                     \
                }                                                     \
                out[i] = (type)value;                                 \
            }                                                         \
        }                                                             \
        return true;                                                  \
    }

DEFINE_GET(ouro_stream_get_u64, uint64_t, UINT64_MAX)
DEFINE_GET(ouro_stream_get_u32, uint32_t, UINT32_MAX)
DEFINE_GET(ouro_stream_get_u16, uint16_t, UINT16_MAX)

bool ouro_stream_get_slots(struct ouro_stream *stream, ouro_node *out, uint64_t count, ouro_node node, ouro_node limit,
                           uint64_t *beyond_limit)
{
    uint64_t i = 0;
    /* The common case, with all in registers: at least eight bytes ahead, a short number, a node that is there. */
    const unsigned char *at = stream->at, *end = stream->end;
    while (i < count && end - at >= 8) {
        uint64_t value;
        unsigned length = ouro_stream_word(at, &value);
        uint64_t target = (uint64_t)node + (uint64_t)ouro_unzigzag(value - 1);
        if (__builtin_expect(!length || (value && target >= limit), 0))
            break;
        out[i++] = value ? (ouro_node)target : OURO_NODE_NONE;
        at += length;
    }
    stream->at = at;
    for (; i < count; i++) {
        uint64_t value;
        if (!ouro_stream_get(stream, &value))
            return false;
        if (!value) {
            out[i] = OURO_NODE_NONE;
            continue;
        }
        /* Unsigned, so that whatever the bytes say is a number too large at worst. */
        uint64_t target = (uint64_t)node + (uint64_t)ouro_unzigzag(value - 1);
        if (__builtin_expect(target >= limit, 0)) {
            if (!beyond_limit) {
                stream->status = OURO_BADDATA;
                return false;
            }
            ++*beyond_limit;
            target = OURO_NODE_NONE;
        }
        out[i] = (ouro_node)target;
    }
    return true;
}

bool ouro_stream_get_run(struct ouro_stream *stream, ouro_node *out, uint64_t items, unsigned width, ouro_node node,
                         ouro_node limit, uint64_t *beyond_limit)
{
    uint64_t previous[OURO_PART_WIDTH_MAX] = {node, node, node};
    for (uint64_t i = 0; i < items; i++) {
        for (unsigned place = 0; place < width; place++, out++) {
            uint64_t value;
            if (!ouro_stream_get(stream, &value))
                return false;
            *out = OURO_NODE_NONE;
            if (!value)
                continue;
            uint64_t target = previous[place] + (uint64_t)ouro_unzigzag(value - 1);
            previous[place] = target; /* also where a cut file has lost it */
            if (__builtin_expect(target >= limit, 0)) {
                if (!beyond_limit) {
                    stream->status = OURO_BADDATA;
                    return false;
                }
                ++*beyond_limit;
                continue;
            }
            *out = (ouro_node)target;
        }
    }
    return true;
}
