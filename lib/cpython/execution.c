#include "cpython/execution.h"

#include "cpython/dict.h"
#include "cpython/frame_object.h"

/* From 3.11 on entries of a location table: 1cccclll, then varints by code (Objects/locations.md). */
static uint32_t line_by_locations(const unsigned char *p, const unsigned char *end, int64_t line, uint64_t at)
{
    uint64_t offset = 0;
    while (p < end) {
        unsigned kind = *p >> 3 & 15;
        uint64_t length = (*p & 7u) + 1;
        p++;
        if (kind >= 10 && kind <= 12) {
            line += kind - 10;
        } else if (kind == 13 || kind == 14) {
            uint64_t value = 0;
            for (unsigned shift = 0; p < end && shift < 60; shift += 6) {
                value |= (uint64_t)(*p & 63) << shift;
                if (!(*p++ & 64))
                    break;
            }
            line += value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
        }
        offset += 2 * length;
        if (at < offset)
            return kind == 15 || line < 0 || line > INT32_MAX ? 0 : (uint32_t)line;
        while (p < end && !(*p & 0x80))
            p++;
    }
    return 0;
}

uint32_t ouro_execution_code_line(const struct ouro_python *python, ouro_addr code, int64_t at)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = code & 7 ? NULL : ouro_image_at(python->image, code, (uint64_t)layout->code_adaptive);
    ouro_addr table = bytes ? ouro_load_u64(bytes + layout->code_linetable) : 0;
    const unsigned char *head = table ? ouro_image_at(python->image, table, (uint64_t)layout->bytes_sval) : NULL;
    if (!head)
        return 0;
    uint64_t size = ouro_load_u64(head + layout->ob_size);
    const unsigned char *p = size ? ouro_image_at(python->image, table + (ouro_addr)layout->bytes_sval, size) : NULL;
    int64_t line = (int32_t)ouro_load_u32(bytes + layout->code_firstlineno);
    if (at < 0 || (!p && layout->line_table != OURO_LINES_LOCATIONS))
        return line < 0 ? 0 : (uint32_t)line;
    if (layout->line_table != OURO_LINES_LOCATIONS)
        return ouro_frame_line_by_pairs(layout, p, size, line, at);
    return p ? line_by_locations(p, p + size, line, (uint64_t)at) : 0;
}

/* The instruction a _PyInterpreterFrame is at, in bytes from the first (_PyInterpreterFrame_LASTI). */
static int64_t offset_of(const struct ouro_layout *layout, const unsigned char *frame, ouro_addr code)
{
    return (int64_t)(ouro_load_u64(frame + layout->iframe_instr) - code - (ouro_addr)layout->code_adaptive);
}

/* frame_getlineno of 3.11 on. The line is set while the frame is traced, or where no code can be asked (Cython). */
static uint32_t interpreter_line(const struct ouro_python *python, const unsigned char *frame, ouro_addr code,
                                 ouro_addr object)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *set = object ? ouro_image_at(python->image, object + (ouro_addr)layout->frame_lineno, 4) : NULL;
    int32_t line = set ? (int32_t)ouro_load_u32(set) : 0;
    return line > 0 ? (uint32_t)line : ouro_execution_code_line(python, code, offset_of(layout, frame, code));
}

/* frame_getlineno up to 3.10: f_lineno is right while the frame is traced. */
static uint32_t object_line(const struct ouro_python *python, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    int32_t line = (int32_t)ouro_load_u32(object + layout->frame_lineno);
    int64_t last = (int32_t)ouro_load_u32(object + layout->frame_lasti);
    if (layout->line_table == OURO_LINES_RANGES ? line > 0 : line > 0 && ouro_load_u64(object + layout->frame_trace))
        return (uint32_t)line;
    return ouro_execution_code_line(python, ouro_load_u64(object + layout->iframe_code), last * layout->lasti_bytes);
}

/* _PyGen_yf up to 3.10: whether the next instruction is YIELD_FROM, which leaves what it waits for on the stack. */
static bool next_is_yield_from(const struct ouro_python *python, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    int64_t last = (int32_t)ouro_load_u32(object + layout->frame_lasti);
    ouro_addr code = ouro_load_u64(object + layout->iframe_code);
    ouro_addr bytes = ouro_python_word(python, code + (ouro_addr)layout->code_code);
    uint64_t size = bytes ? ouro_python_word(python, bytes + (ouro_addr)layout->ob_size) : 0;
    uint64_t at = (uint64_t)last * layout->lasti_bytes + 2;
    const unsigned char *next =
        last < 0 || at >= size ? NULL : ouro_image_at(python->image, bytes + (ouro_addr)layout->bytes_sval + at, 1);
    return next && *next == layout->op_yield_from;
}

/* What a frame of 3.8 or 3.9 does is not said in one place. */
static enum ouro_execution_state state_of_parts(const struct ouro_layout *layout, const unsigned char *object)
{
    if (object[layout->frame_executing])
        return OURO_EXECUTION_EXECUTING;
    if (!ouro_load_u64(object + layout->frame_gen) || !ouro_load_u64(object + layout->frame_stacktop))
        return OURO_EXECUTION_FINISHED;
    return (int32_t)ouro_load_u32(object + layout->frame_lasti) < 0 ? OURO_EXECUTION_CREATED : OURO_EXECUTION_SUSPENDED;
}

/* Up to 3.10. */
static bool of_frame_object(const struct ouro_python *python, ouro_addr frame, struct ouro_execution *execution)
{
    enum { CREATED = -2, SUSPENDED = -1, EXECUTING = 0 }; /* PyFrameState of 3.10 */
    const struct ouro_layout *layout = python->layout;
    const unsigned char *object = frame & 7 ? NULL : ouro_image_at(python->image, frame, (uint64_t)layout->frame_localsplus);
    if (!object)
        return false;
    execution->line = object_line(python, object);
    if (layout->frame_state < 0) {
        execution->state = state_of_parts(layout, object);
    } else {
        int state = (int8_t)object[layout->frame_state];
        execution->state = state == CREATED     ? OURO_EXECUTION_CREATED
                           : state == SUSPENDED ? OURO_EXECUTION_SUSPENDED
                           : state == EXECUTING ? OURO_EXECUTION_EXECUTING
                                                : OURO_EXECUTION_FINISHED;
    }
    if (execution->state == OURO_EXECUTION_SUSPENDED && next_is_yield_from(python, object) &&
        ouro_frame_object_depth(layout, object))
        execution->state = OURO_EXECUTION_AWAITING;
    return true;
}

/* _PyGen_yf of 3.11 and 3.12: at a RESUME with argument 2 or more; since 3.13 there is a state of its own for it. */
static bool is_awaiting(const struct ouro_python *python, int state, const unsigned char *frame)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->gen_suspended_last > layout->gen_suspended)
        return state > layout->gen_suspended;
    const unsigned char *next = ouro_image_at(python->image, ouro_load_u64(frame + layout->iframe_instr) + 2, 2);
    return next && next[1] >= 2 &&
           (next[0] == layout->op_resume || next[0] == layout->op_resume_quick ||
            next[0] == layout->op_instrumented_resume);
}

/* From 3.11 on. */
static bool of_generator(const struct ouro_python *python, ouro_addr generator, struct ouro_execution *execution)
{
    const struct ouro_layout *layout = python->layout;
    const uint64_t extent = (uint64_t)(layout->gen_iframe + layout->iframe_localsplus);
    const unsigned char *object = ouro_image_at(python->image, generator, extent);
    int state = object ? (int8_t)object[layout->gen_frame_state] : layout->gen_cleared;
    if (state > layout->gen_suspended_last + 1) /* FRAME_EXECUTING is behind the suspended ones */
        return false;
    const unsigned char *frame = object + layout->gen_iframe;
    ouro_addr code = ouro_untag(layout, ouro_load_u64(frame + layout->iframe_code));
    execution->line = interpreter_line(python, frame, code, ouro_load_u64(frame + layout->iframe_object));
    execution->state = state < layout->gen_suspended          ? OURO_EXECUTION_CREATED
                       : state > layout->gen_suspended_last   ? OURO_EXECUTION_EXECUTING
                       : is_awaiting(python, state, frame)    ? OURO_EXECUTION_AWAITING
                                                              : OURO_EXECUTION_SUSPENDED;
    return true;
}

struct ouro_execution ouro_execution_of_frame(const struct ouro_python *python, ouro_addr frame)
{
    const struct ouro_layout *layout = python->layout;
    struct ouro_execution execution = {.state = OURO_EXECUTION_EXECUTING};
    if (ouro_frame_is_object(layout)) {
        of_frame_object(python, frame, &execution);
        execution.state = OURO_EXECUTION_EXECUTING;
        return execution;
    }
    const unsigned char *bytes = ouro_image_at(python->image, frame, (uint64_t)layout->iframe_localsplus);
    if (!bytes)
        return execution;
    ouro_addr code = ouro_untag(layout, ouro_load_u64(bytes + layout->iframe_code));
    const unsigned char *first = ouro_image_at(python->image, code + (ouro_addr)layout->code_firsttraceable, 4);
    execution.line = interpreter_line(python, bytes, code, ouro_load_u64(bytes + layout->iframe_object));
    if (first && (int8_t)bytes[layout->iframe_owner] == layout->owner_thread &&
        offset_of(layout, bytes, code) < 2 * (int64_t)(int32_t)ouro_load_u32(first))
        execution.state = OURO_EXECUTION_CREATED;
    return execution;
}

/* A frame object of 3.11 on: what it stands for lies in a thread's stack, in a generator, or, once it has ended, in it. */
static bool of_late_frame_object(const struct ouro_python *python, ouro_addr object, struct ouro_execution *execution)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr frame = ouro_python_word(python, object + (ouro_addr)layout->frame_frame);
    const unsigned char *bytes =
        !frame || frame & 7 ? NULL : ouro_image_at(python->image, frame, (uint64_t)layout->iframe_localsplus);
    if (!bytes)
        return false;
    int owner = (int8_t)bytes[layout->iframe_owner];
    if (owner == layout->owner_generator)
        return of_generator(python, frame - (ouro_addr)layout->gen_iframe, execution);
    ouro_addr code = ouro_untag(layout, ouro_load_u64(bytes + layout->iframe_code));
    execution->line = interpreter_line(python, bytes, code, object);
    execution->state = owner == layout->owner_frame_object ? OURO_EXECUTION_FINISHED : OURO_EXECUTION_EXECUTING;
    return true;
}

/* tb_lineno is told when it is first asked for, from 3.12 on. */
static bool of_traceback(const struct ouro_python *python, ouro_addr object, struct ouro_execution *execution)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, object, (uint64_t)layout->traceback_lineno + 4);
    if (!bytes)
        return false;
    int32_t line = (int32_t)ouro_load_u32(bytes + layout->traceback_lineno);
    execution->state = OURO_EXECUTION_UNKNOWN;
    execution->line = line < 0 ? 0 : (uint32_t)line;
    if (line != -1)
        return true;
    ouro_addr frame = ouro_load_u64(bytes + layout->traceback_frame);
    if (!ouro_frame_is_object(layout))
        frame = ouro_python_word(python, frame + (ouro_addr)layout->frame_frame);
    execution->line = ouro_execution_code_line(python, ouro_frame_code(python, frame),
                                               (int32_t)ouro_load_u32(bytes + layout->traceback_lasti));
    return true;
}

bool ouro_execution_find(const struct ouro_python *python, const struct ouro_type *type, ouro_addr object,
                         struct ouro_execution *execution)
{
    const struct ouro_layout *layout = python->layout;
    *execution = (struct ouro_execution){0};
    if (type->addr == python->traceback_type)
        return of_traceback(python, object, execution);
    if (type->addr == python->frame_type)
        return ouro_frame_is_object(layout) ? of_frame_object(python, object, execution)
                                            : of_late_frame_object(python, object, execution);
    if (!ouro_frame_is_object(layout))
        return of_generator(python, object, execution);
    ouro_addr frame = ouro_python_word(python, object + (ouro_addr)layout->gen_frame);
    return frame && of_frame_object(python, frame, execution);
}
