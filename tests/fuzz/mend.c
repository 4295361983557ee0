#include "mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>

#include "snapshot/block.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

static uint32_t crc(const uint8_t *data, size_t size)
{
    return (uint32_t)crc32(0, data, (uInt)size);
}

/* The payload of the block at `at`, as far as the next magic: mutation may have changed its length. */
static size_t payload_bytes(const uint8_t *data, size_t size, size_t at)
{
    size_t begin = at + OURO_BLOCK_HEADER_BYTES, end = size - OURO_TRAILER_BYTES;
    const uint8_t *next = begin < end ? memmem(data + begin, end - begin, ouro_block_magic, 4) : NULL;
    return next ? (size_t)(next - data) - begin : begin < end ? end - begin : 0;
}

static void mend_block(uint8_t *header, size_t stored)
{
    struct ouro_block block;
    ouro_block_parse(&block, header + 8);
    if (block.codec == OURO_CODEC_STORED)
        block.raw_bytes = (uint32_t)stored;
    block.stored_bytes = (uint32_t)stored;
    ouro_block_write(&block, header + 8);
    ouro_store_u32(header + 4, crc(header + 8, OURO_BLOCK_HEADER_BYTES - 8 + stored));
}

/* A table of contents that is stored as it is gets the entries of the blocks that are there. */
static void mend(uint8_t *data, size_t size)
{
    uint8_t *trailer = data + size - OURO_TRAILER_BYTES, *toc = NULL;
    size_t at = OURO_FILE_HEADER_BYTES, entries = 0;
    ouro_store_u32(data + 12, crc(data, 12));
    while (at + OURO_BLOCK_HEADER_BYTES <= size - OURO_TRAILER_BYTES && !memcmp(data + at, ouro_block_magic, 4)) {
        size_t stored = payload_bytes(data, size, at);
        toc = data + at;
        mend_block(toc, stored);
        at += OURO_BLOCK_HEADER_BYTES + stored;
        entries++;
    }
    if (!toc)
        return;
    uint8_t *payload = toc + OURO_BLOCK_HEADER_BYTES;
    size_t room = (size_t)(trailer - payload) / OURO_TOC_ENTRY_BYTES;
    at = OURO_FILE_HEADER_BYTES;
    for (size_t i = 0; i + 1 < entries && i < room && toc[9] == OURO_CODEC_STORED; i++) {
        memcpy(payload + i * OURO_TOC_ENTRY_BYTES, data + at + 8, OURO_TOC_ENTRY_BYTES);
        at += OURO_BLOCK_HEADER_BYTES + ouro_load_u32(data + at + 28);
    }
    if (toc[9] == OURO_CODEC_STORED)
        ouro_store_u32(toc + 20, (uint32_t)(entries - 1));
    mend_block(toc, (size_t)(trailer - payload));
    ouro_store_u64(trailer, (uint64_t)(toc - data));
    ouro_store_u64(trailer + 8, (uint64_t)(trailer - toc));
    ouro_store_u32(trailer + 20, crc(trailer, 20));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, capacity);
    if (seed % 8 && size >= OURO_FILE_HEADER_BYTES + OURO_BLOCK_HEADER_BYTES + OURO_TRAILER_BYTES)
        mend(data, size);
    return size;
}

int mend_open(const uint8_t *data, size_t size, char *path, size_t capacity)
{
    int fd = memfd_create("snapshot", MFD_CLOEXEC);
    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
        abort();
    snprintf(path, capacity, "/proc/self/fd/%d", fd);
    return fd;
}
