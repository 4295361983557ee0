#include "cpython/finalizer.h"

#include "cpython/dict.h"
#include "cpython/frame_object.h"
#include "cpython/unwind.h"
#include "cpython/visit.h"

#define BASES_MAX 512
#define HANDLERS_MAX 64  /* that lie around each other: CPython allows 20 blocks, each with a few of the compiler's */
#define BLOCKS_MAX 20    /* CO_MAXBLOCKS */
#define EXCEPT_HANDLER 257 /* b_type of a handler that is running (3.8 to 3.10, opcode.h) */

/* The __del__ that an instance would find; 0: none. */
static ouro_addr find_del(struct ouro_python *python, const struct ouro_type *type)
{
    uint64_t count = 0;
    ouro_addr mro_at = ouro_python_word(python, type->addr + (ouro_addr)python->layout->tp_mro);
    const unsigned char *mro = ouro_python_tuple(python, mro_at, &count);
    for (uint64_t i = 0; mro && i < count && i < BASES_MAX; i++) {
        ouro_addr found = ouro_python_dict_get(python, ouro_dict_of_type(python, ouro_load_u64(mro + 8 * i)), "__del__");
        if (found)
            return found;
    }
    return 0;
}

ouro_addr ouro_finalizer_of_python(struct ouro_python *python)
{
    ouro_addr function_type = ouro_python_symbol(python, "PyFunction_Type");
    ouro_addr most = ouro_python_symbol(python, "slot_tp_finalize"); /* there only where .symtab was kept */
    uint64_t votes = 0;
    if (most || !function_type)
        return most;
    /* An extension may put a function of its own over what it inherits, so the majority decides (Boyer and Moore). */
    for (size_t i = 0; i < python->type_list.count; i++) {
        const struct ouro_type *type = python->type_list.items[i];
        ouro_addr del = type->finalize && type->flags & OURO_FLAG_HEAPTYPE ? find_del(python, type) : 0;
        if (!del || ouro_python_word(python, del + (ouro_addr)python->layout->ob_type) != function_type)
            continue;
        if (!votes)
            most = type->finalize;
        votes += type->finalize == most ? 1 : UINT64_MAX;
    }
    return most;
}

/* Instructions are pairs of bytes: opcode and argument. */
struct code {
    const unsigned char *bytes;
    uint64_t count;
};

/* The opcode at an instruction, which moves on to the next; EXTENDED_ARGs and NOPs in front are passed over. -1: behind the end. */
static int next_opcode(const struct ouro_layout *layout, const struct code *code, uint64_t *at)
{
    while (*at < code->count) {
        int opcode = code->bytes[2 * (*at)++];
        if (opcode != layout->op_extended_arg && opcode != layout->op_nop)
            return opcode;
    }
    return -1;
}

/* 3.8 to 3.10: a frame has a stack of blocks. */

/* None, STORE name, DELETE name, raise again: what the compiler puts around the body of an "except ... as name". */
static bool forgets_name(const struct ouro_layout *layout, const struct code *code, uint64_t at)
{
    int load = next_opcode(layout, code, &at), store = next_opcode(layout, code, &at);
    int delete = next_opcode(layout, code, &at), end = next_opcode(layout, code, &at);
    return load == layout->op_load_const && delete == store + 1 && end == layout->op_reraise &&
           (store == layout->op_store_fast || store == layout->op_store_name || store == layout->op_store_global ||
            store == layout->op_store_deref);
}

static bool block_in_try(const struct ouro_layout *layout, const struct code *code, const unsigned char *blocks, uint32_t i)
{
    const unsigned char *block = blocks + i * (size_t)layout->tryblock_sizeof;
    if (ouro_load_u32(block + layout->tryblock_type) != (uint32_t)layout->op_setup_finally)
        return false;
    uint64_t handler = (uint64_t)ouro_load_u32(block + layout->tryblock_handler) * layout->lasti_bytes / 2, at = handler;
    if (handler >= code->count || next_opcode(layout, code, &at) == layout->op_end_async_for)
        return false;
    bool handling = i && ouro_load_u32(block - layout->tryblock_sizeof + layout->tryblock_type) == EXCEPT_HANDLER;
    return !handling || !forgets_name(layout, code, handler);
}

static bool frame_object_in_try(const struct ouro_python *python, ouro_addr frame)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *object = frame & 7 ? NULL : ouro_image_at(python->image, frame, (uint64_t)layout->frame_localsplus);
    if (!object || (int32_t)ouro_load_u32(object + layout->frame_lasti) < 0)
        return false;
    if (layout->frame_stackdepth >= 0 ? (int32_t)ouro_load_u32(object + layout->frame_stackdepth) < 0
                                      : !ouro_load_u64(object + layout->frame_stacktop))
        return false; /* it runs */
    ouro_addr bytes = ouro_python_word(python, ouro_load_u64(object + layout->iframe_code) + (ouro_addr)layout->code_code);
    uint64_t size = bytes ? ouro_python_word(python, bytes + (ouro_addr)layout->ob_size) : 0;
    const struct code code = {ouro_image_at(python->image, bytes + (ouro_addr)layout->bytes_sval, size), size / 2};
    uint32_t count = ouro_load_u32(object + layout->frame_iblock);
    for (uint32_t i = 0; code.bytes && count <= BLOCKS_MAX && i < count; i++)
        if (block_in_try(layout, &code, object + layout->frame_blockstack, i))
            return true;
    return false;
}

/* Every handler of the program's begins with PUSH_EXC_INFO, and none that the compiler adds does. With sys.settrace or sys.monitoring that
 * of a with, the only one that has a line, may be replaced. */
static bool is_of_program(const struct ouro_layout *layout, const struct code *code, uint64_t at)
{
    int opcode = next_opcode(layout, code, &at);
    return opcode >= 0 && (opcode == layout->op_push_exc_info ||
                           (opcode == layout->op_instrumented_line &&
                            next_opcode(layout, code, &at) == layout->op_with_except_start));
}

static bool interpreter_frame_in_try(const struct ouro_python *python, ouro_addr frame)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, frame, (uint64_t)layout->iframe_localsplus);
    ouro_addr addr = ouro_frame_code(python, frame);
    const unsigned char *object = bytes && addr ? ouro_image_at(python->image, addr, (uint64_t)layout->code_adaptive) : NULL;
    ouro_addr table = object ? ouro_load_u64(object + layout->code_exceptiontable) : 0;
    uint64_t size = table ? ouro_python_word(python, table + (ouro_addr)layout->ob_size) : 0;
    const unsigned char *ranges = size ? ouro_image_at(python->image, table + (ouro_addr)layout->bytes_sval, size) : NULL;
    uint64_t count = object ? ouro_load_u64(object + layout->ob_size) : 0; /* Py_SIZE: instructions */
    if (!ranges || count > (uint64_t)python->image->page_count << OURO_PAGE_BITS)
        return false;
    const struct code code = {ouro_image_at(python->image, addr + (ouro_addr)layout->code_adaptive, 2 * count), count};
    /* At its YIELD_VALUE, from 3.13 on at the RESUME behind that: both are in the same blocks. */
    uint64_t at = (ouro_load_u64(bytes + layout->iframe_instr) - addr - (uint64_t)layout->code_adaptive) / 2;
    for (unsigned n = 0; code.bytes && n < HANDLERS_MAX && at < count; n++) {
        struct ouro_unwind_range range;
        if (!ouro_unwind_find(ranges, size, at, &range))
            return false;
        at = range.target;
        if (is_of_program(layout, &code, at))
            return true;
    }
    return false;
}

bool ouro_finalizer_in_try(const struct ouro_python *python, ouro_addr generator)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->gen_iframe < 0) {
        ouro_addr frame = ouro_python_word(python, generator + (ouro_addr)layout->gen_frame);
        return frame && frame_object_in_try(python, frame);
    }
    const unsigned char *object = ouro_image_at(python->image, generator, (uint64_t)layout->gen_iframe);
    int state = object ? (int8_t)object[layout->gen_frame_state] : layout->gen_cleared;
    return state >= layout->gen_suspended && state <= layout->gen_suspended_last &&
           interpreter_frame_in_try(python, generator + (ouro_addr)layout->gen_iframe);
}
