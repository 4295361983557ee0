#include "cpython/unwind.h"

#include "cpython/dict.h"
#include "cpython/frame_object.h"

#define BLOCKS_MAX 20 /* CO_MAXBLOCKS */

/* From 3.11 on: a code object has a table of ranges and their handlers (Objects/exception_handling_notes.txt): start, length, target and
 * depth, numbers of six bits a byte, the highest first, with bit 6 where more follow; bit 7 begins an entry. All count instructions. */

static bool next_number(const unsigned char **at, const unsigned char *end, uint64_t *number)
{
    *number = 0;
    for (unsigned digits = 0; *at < end && digits < 8; digits++) {
        unsigned char byte = *(*at)++;
        *number = *number << 6 | (byte & 63);
        if (!(byte & 64))
            return true;
    }
    return false;
}

bool ouro_unwind_find(const unsigned char *table, uint64_t size, uint64_t instruction, struct ouro_unwind_range *range)
{
    const unsigned char *at = table, *end = table + size;
    uint64_t start, length, target, depth;
    while (next_number(&at, end, &start) && next_number(&at, end, &length) && next_number(&at, end, &target) &&
           next_number(&at, end, &depth)) {
        if (instruction < start)
            return false; /* they ascend */
        if (instruction - start < length) {
            *range = (struct ouro_unwind_range){target, depth >> 1}; /* bit 0: the handler is given the instruction too */
            return true;
        }
    }
    return false;
}

static uint64_t depth_by_table(const struct ouro_python *python, ouro_addr frame)
{
    const struct ouro_layout *layout = python->layout;
    struct ouro_unwind_range range;
    const unsigned char *bytes = ouro_image_at(python->image, frame, (uint64_t)layout->iframe_localsplus);
    ouro_addr code = bytes ? ouro_frame_code(python, frame) : 0;
    const unsigned char *object = code ? ouro_image_at(python->image, code, (uint64_t)layout->code_adaptive) : NULL;
    ouro_addr table = object ? ouro_load_u64(object + layout->code_exceptiontable) : 0;
    uint64_t size = table ? ouro_python_word(python, table + (ouro_addr)layout->ob_size) : 0;
    const unsigned char *ranges = size ? ouro_image_at(python->image, table + (ouro_addr)layout->bytes_sval, size) : NULL;
    uint64_t start = code + (uint64_t)layout->code_adaptive;
    uint64_t instruction = bytes ? ouro_load_u64(bytes + layout->iframe_instr) : 0;
    if (!ranges || instruction < start ||
        !ouro_unwind_find(ranges, size, (instruction - start) / 2, &range))
        return 0;
    return range.depth <= ouro_load_u32(object + layout->code_stacksize) ? range.depth : 0;
}

/* Up to 3.10: the level of the innermost block. It follows the handler: struct { int b_type, b_handler, b_level; } PyTryBlock
 * (Include/cpython/frameobject.h). */
static uint64_t depth_by_blocks(const struct ouro_python *python, ouro_addr frame)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *object =
        frame & 7 ? NULL : ouro_image_at(python->image, frame, (uint64_t)layout->frame_localsplus);
    uint32_t count = object ? ouro_load_u32(object + layout->frame_iblock) : 0;
    if (!count || count > BLOCKS_MAX)
        return 0;
    const unsigned char *block =
        object + layout->frame_blockstack + (count - 1) * (size_t)layout->tryblock_sizeof;
    uint32_t level = ouro_load_u32(block + layout->tryblock_handler + 4);
    ouro_addr code = ouro_load_u64(object + layout->iframe_code);
    const unsigned char *size = ouro_image_at(python->image, code + (ouro_addr)layout->code_stacksize, 4);
    return size && level <= ouro_load_u32(size) ? level : 0;
}

uint64_t ouro_unwind_depth(const struct ouro_python *python, ouro_addr frame)
{
    return ouro_frame_is_object(python->layout) ? depth_by_blocks(python, frame) : depth_by_table(python, frame);
}
