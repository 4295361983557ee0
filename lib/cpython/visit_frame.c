/* What the frames of CPython 3.11 on refer to; up to 3.10 the stack that a frame object does not show. */
#include <stdio.h>

#include "cpython/deliver.h"
#include "cpython/dict.h"
#include "cpython/frame_object.h"
#include "cpython/unwind.h"

static void name_locals(struct ouro_visitor *visitor, ouro_addr code, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        char name[300];
        if (!ouro_frame_local_name(visitor->python, code, i, name, sizeof name))
            snprintf(name, sizeof name, "<local %u>", (unsigned)i);
        part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, name);
    }
}

/* The local variables and the value stack of a frame that tp_traverse sees; SIZE_MAX: of which nobody can say so. A frame in the
 * middle of its work has no stack top, or (3.14 on) the one that it had when it last called something. */
static uint64_t frame_depth(const struct ouro_python *python, ouro_addr frame, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->iframe_stackpointer < 0) {
        int32_t top = (int32_t)ouro_load_u32(bytes + layout->iframe_stacktop);
        return top < 0 ? UINT64_MAX : (uint64_t)top;
    }
    ouro_addr top = ouro_load_u64(bytes + layout->iframe_stackpointer), first = frame + (ouro_addr)layout->iframe_localsplus;
    for (size_t i = 0; i < python->interpreter_count; i++)
        if (python->interpreters[i].executing == frame)
            return UINT64_MAX;
    return top >= first ? (top - first) / 8 : UINT64_MAX;
}

/* Up to 3.10 a frame object that runs shows its traverse no stack: what is there for certain is its pseudo frame's. */
static void visit_stack_of_object(struct ouro_visitor *visitor, ouro_addr frame)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    const unsigned char *object = ouro_image_at(python->image, frame, (uint64_t)layout->frame_localsplus), *values = NULL;
    uint64_t count = object && !ouro_frame_object_depth(layout, object) ? ouro_unwind_depth(python, frame) : 0;
    if (count && count <= OURO_FRAME_LOCALS_MAX)
        values = words_at(visitor, ouro_load_u64(object + layout->frame_valuestack), count, 8);
    part(visitor, OURO_SLOTS_STACK, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = 0; values && i < count; i++)
        put(visitor, ouro_load_u64(values + 8 * i));
    run_end(visitor, values ? count : 0);
}

void ouro_visit_frame(struct ouro_visitor *visitor, ouro_addr frame, bool running)
{
    if (running)
        visitor->unasked = false; /* a thread's frame is no object */
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, "frame");
    if (ouro_frame_is_object(layout)) { /* which holds the rest */
        put(visitor, frame);
        visit_stack_of_object(visitor, frame);
        return;
    }
    const unsigned char *bytes = ouro_image_at(python->image, frame, (uint64_t)layout->iframe_localsplus);
    part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, "f_locals");
    part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, "f_func");
    part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, "f_code");
    if (!bytes) {
        tear(visitor, OURO_UNREADABLE_FRAME);
        for (int i = 0; i < 4; i++)
            put(visitor, 0);
        part(visitor, OURO_SLOTS_STACK, OURO_CLASS_TRAVERSED, "");
        run_end(visitor, 0);
        return;
    }
    ouro_addr code = ouro_untag(layout, ouro_load_u64(bytes + layout->iframe_code));
    put(visitor, ouro_load_u64(bytes + layout->iframe_object));
    put(visitor, ouro_load_u64(bytes + layout->iframe_locals));
    put_reference(visitor, ouro_load_u64(bytes + layout->iframe_func));
    put_reference(visitor, ouro_load_u64(bytes + layout->iframe_code));
    uint64_t local_count = ouro_frame_local_count(python, code);
    uint64_t count = frame_depth(python, frame, bytes);
    bool unknown = count == UINT64_MAX;
    if (local_count > OURO_FRAME_LOCALS_MAX || (!unknown && count > 2 * OURO_FRAME_LOCALS_MAX)) {
        tear(visitor, OURO_UNREADABLE_FRAME);
        local_count = count = 0;
    } else if (unknown) {
        /* tp_traverse sees none of its locals then, but they are there; where it would see what the stack once was, they are all
         * that is sure, and for a thread's frame what its handlers keep. No collection meets such a frame: what it calls
         * for one sets the stack top. */
        count = running || layout->iframe_stackpointer >= 0 ? local_count : 0;
        if (running)
            count += ouro_unwind_depth(python, frame);
        visitor->midway = true;
    }
    const unsigned char *locals = count ? words_at(visitor, frame + (ouro_addr)layout->iframe_localsplus, count, 8) : bytes;
    if (!locals)
        count = 0;
    if (visitor->part)
        name_locals(visitor, code, local_count);
    for (uint64_t i = 0; i < local_count; i++)
        put_reference(visitor, i < count ? ouro_load_u64(locals + 8 * i) : 0);
    part(visitor, OURO_SLOTS_STACK, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = local_count; i < count; i++)
        put_reference(visitor, ouro_load_u64(locals + 8 * i));
    run_end(visitor, count > local_count ? count - local_count : 0);
}

void ouro_visit_frame_rest(struct ouro_visitor *visitor, ouro_addr frame, bool running)
{
    visitor->unasked = false;
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    if (ouro_frame_is_object(layout)) {
        visit_stack_of_object(visitor, frame);
        return;
    }
    if (!running)
        return;
    ouro_addr code = ouro_frame_code(python, frame);
    uint64_t local_count = ouro_frame_local_count(python, code), count = local_count + ouro_unwind_depth(python, frame);
    const unsigned char *locals = NULL;
    if (count && count <= 2 * OURO_FRAME_LOCALS_MAX)
        locals = words_at(visitor, frame + (ouro_addr)layout->iframe_localsplus, count, 8);
    if (!locals)
        return;
    if (visitor->part)
        name_locals(visitor, code, local_count);
    for (uint64_t i = 0; i < local_count; i++)
        put_reference(visitor, ouro_load_u64(locals + 8 * i));
    part(visitor, OURO_SLOTS_STACK, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = local_count; i < count; i++)
        put_reference(visitor, ouro_load_u64(locals + 8 * i));
    run_end(visitor, count - local_count);
}
