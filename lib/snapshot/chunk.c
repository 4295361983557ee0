#include "snapshot/chunk.h"

#include "snapshot/block.h"

void ouro_chunk_begin(struct ouro_chunk *chunk, ouro_node first)
{
    chunk->first = first;
    chunk->count = 0;
    chunk->last_addr = 0;
    chunk->slot_count = 0;
    chunk->nonzero = 0;
    for (unsigned i = 0; i < OURO_COLUMN_COUNT; i++) {
        chunk->columns[i].size = 0;
        chunk->columns[i].failed = false;
    }
}

void ouro_chunk_fini(struct ouro_chunk *chunk)
{
    for (unsigned i = 0; i < OURO_COLUMN_COUNT; i++)
        ouro_buf_fini(&chunk->columns[i]);
    memset(chunk, 0, sizeof *chunk);
}

bool ouro_chunk_failed(const struct ouro_chunk *chunk)
{
    for (unsigned i = 0; i < OURO_COLUMN_COUNT; i++)
        if (chunk->columns[i].failed)
            return true;
    return false;
}

/* Columns that carry as many objects, slots or bytes as they have raw bytes are kept even if all zero: so a file's size
 * bounds what a reader allocates. */
static bool has_column(const struct ouro_chunk *chunk, unsigned column)
{
    if (!chunk->columns[column].size)
        return false;
    return column == OURO_COLUMN_ADDR || column == OURO_COLUMN_EDGES || column == OURO_COLUMN_VALUES ||
           (chunk->nonzero >> column & 1);
}

/* Where the part that starts at `from` ends: no varint is cut in two. */
static size_t part_end(const struct ouro_buf *column, unsigned number, size_t from)
{
    if (column->size - from <= OURO_BLOCK_RAW_BYTES)
        return column->size;
    size_t end = from + OURO_BLOCK_RAW_BYTES;
    if (number != OURO_COLUMN_VALUES)
        while (column->data[end - 1] >= 0x80)
            end--;
    return end;
}

static uint64_t part_count(const struct ouro_buf *column, unsigned number)
{
    uint64_t count = 0;
    for (size_t from = 0; from < column->size; from = part_end(column, number, from))
        count++;
    return count;
}

enum ouro_status ouro_blocks_add_chunk(struct ouro_blocks *blocks, const struct ouro_chunk *chunk,
                                       enum ouro_codec codec)
{
    if (ouro_chunk_failed(chunk))
        return OURO_NOMEM;
    if (!chunk->count || chunk->count > OURO_CHUNK_OBJECTS)
        return chunk->count ? OURO_INVAL : OURO_OK;
    struct ouro_block block = {.first = chunk->first, .count = chunk->count};
    for (unsigned i = 0; i < OURO_COLUMN_COUNT; i++)
        if (has_column(chunk, i))
            block.columns |= (uint16_t)(1u << i);
    for (unsigned i = 0; i < OURO_COLUMN_COUNT; i++) {
        const struct ouro_buf *column = &chunk->columns[i];
        if (!has_column(chunk, i))
            continue;
        uint64_t parts = part_count(column, i);
        if (parts > UINT16_MAX)
            return OURO_LIMIT;
        block.section = (uint8_t)(OURO_SECTION_COLUMN + i);
        block.part_count = (uint16_t)parts;
        block.part = 0;
        for (size_t from = 0; from < column->size; block.part++) {
            size_t end = part_end(column, i, from);
            OURO_TRY(ouro_blocks_add(blocks, &block, column->data + from, end - from, codec));
            from = end;
        }
    }
    return OURO_OK;
}
