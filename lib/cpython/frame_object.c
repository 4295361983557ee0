#include "cpython/frame_object.h"

#include <stdio.h>

#include "cpython/chain.h"
#include "cpython/deliver.h"

/* Cells and free variables of 3.8 to 3.10 have tuples of their own. */
static uint64_t count_of(const struct ouro_python *python, ouro_addr code, int32_t at, const unsigned char **items)
{
    uint64_t count = 0;
    *items = ouro_python_tuple(python, ouro_python_word(python, code + (ouro_addr)at), &count);
    return *items && count <= OURO_FRAME_LOCALS_MAX ? count : 0;
}

uint64_t ouro_frame_local_count(const struct ouro_python *python, ouro_addr code)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, code, (uint64_t)layout->code_adaptive), *items;
    if (!bytes)
        return 0;
    if (layout->code_nlocalsplus >= 0)
        return ouro_load_u32(bytes + layout->code_nlocalsplus);
    return (uint64_t)ouro_load_u32(bytes + layout->code_nlocals) +
           count_of(python, code, layout->code_cellvars, &items) +
           count_of(python, code, layout->code_freevars, &items);
}

bool ouro_frame_local_name(const struct ouro_python *python, ouro_addr code, uint64_t i, char *out, size_t capacity)
{
    const struct ouro_layout *layout = python->layout;
    const int32_t tables[] = {layout->code_varnames, layout->code_cellvars, layout->code_freevars};
    const unsigned char *names;
    uint64_t count;
    if (layout->code_localsplusnames >= 0) {
        ouro_addr all = ouro_python_word(python, code + (ouro_addr)layout->code_localsplusnames);
        names = ouro_python_tuple(python, all, &count);
        return names && i < count && ouro_python_text(python, ouro_load_u64(names + 8 * i), out, capacity);
    }
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        count = count_of(python, code, tables[t], &names);
        if (i < count)
            return ouro_python_text(python, ouro_load_u64(names + 8 * i), out, capacity);
        i -= count;
    }
    return false;
}

uint64_t ouro_frame_object_depth(const struct ouro_layout *layout, const unsigned char *object)
{
    if (layout->frame_stackdepth >= 0) {
        int32_t depth = (int32_t)ouro_load_u32(object + layout->frame_stackdepth);
        return depth > 0 ? (uint64_t)depth : 0;
    }
    uint64_t bottom = ouro_load_u64(object + layout->frame_valuestack);
    uint64_t top = ouro_load_u64(object + layout->frame_stacktop);
    return top > bottom ? (top - bottom) / 8 : 0;
}

static void torn(struct ouro_visitor *visitor)
{
    visitor->torn = true;
    ouro_python_count_unreadable(visitor->python, OURO_UNREADABLE_FRAME);
}

static const unsigned char *words(struct ouro_visitor *visitor, ouro_addr addr, uint64_t *count)
{
    const unsigned char *at = NULL;
    if (*count <= 2 * OURO_FRAME_LOCALS_MAX)
        at = ouro_image_at(visitor->python->image, addr, *count * 8);
    if (!at) {
        torn(visitor);
        *count = 0;
    }
    return at;
}

void ouro_frame_object_visit(struct ouro_visitor *visitor, ouro_addr frame, const unsigned char *object)
{
    const struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    ouro_addr code = ouro_load_u64(object + layout->iframe_code);
    uint64_t local_count = ouro_frame_local_count(python, code), readable = local_count;
    uint64_t depth = ouro_frame_object_depth(layout, object);
    if (local_count > OURO_FRAME_LOCALS_MAX) {
        torn(visitor);
        local_count = readable = 0;
    }
    const unsigned char *locals =
        readable ? words(visitor, frame + (ouro_addr)layout->frame_localsplus, &readable) : NULL;
    for (uint64_t i = 0; visitor->part && i < local_count; i++) {
        char name[300];
        if (!ouro_frame_local_name(python, code, i, name, sizeof name))
            snprintf(name, sizeof name, "<local %u>", (unsigned)i);
        part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, name);
    }
    for (uint64_t i = 0; i < local_count; i++)
        put(visitor, i < readable ? ouro_load_u64(locals + 8 * i) : 0);
    const unsigned char *stack =
        depth ? words(visitor, ouro_load_u64(object + layout->frame_valuestack), &depth) : NULL;
    part(visitor, OURO_SLOTS_STACK, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = 0; i < depth; i++)
        put(visitor, ouro_load_u64(stack + 8 * i));
    run_end(visitor, depth);
}

uint32_t ouro_frame_line_by_pairs(const struct ouro_layout *layout, const unsigned char *pairs, uint64_t size, int64_t line,
                                  int64_t at)
{
    int64_t end = 0;
    bool known = true;
    for (uint64_t i = 0; i + 1 < size && at >= 0; i += 2) {
        int delta = (signed char)pairs[i + 1];
        end += pairs[i];
        if (layout->line_table == OURO_LINES_DELTAS) {
            if (end > at)
                break;
            line += delta;
        } else {
            known = delta != -128; /* no line */
            line += known ? delta : 0;
            if (end > at)
                break;
        }
    }
    return !known || line < 0 || line > INT32_MAX ? 0 : (uint32_t)line;
}

static ouro_addr frame_before(const void *context, ouro_addr frame)
{
    const struct ouro_python *python = context;
    return frame & 7 ? 0 : ouro_python_word(python, frame + (ouro_addr)python->layout->frame_back);
}

void ouro_frame_object_each(struct ouro_python *python, ouro_addr thread, const struct ouro_state_sink *sink)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr frame = ouro_python_word(python, thread + (ouro_addr)layout->thread_frame);
    for (uint64_t left = ouro_chain_length(frame, frame_before, python); frame; left--) {
        const unsigned char *bytes =
            frame & 7 ? NULL : ouro_image_at(python->image, frame, (uint64_t)layout->frame_localsplus);
        if (!bytes || !left) {
            ouro_python_count_unreadable(python, OURO_UNREADABLE_FRAME);
            if (sink->torn)
                sink->torn(sink->context);
            return;
        }
        sink->frame(sink->context, frame, ouro_load_u64(bytes + layout->iframe_code), ouro_execution_of_frame(python, frame),
                    ouro_load_u64(bytes + layout->frame_gen), false);
        frame = ouro_load_u64(bytes + layout->frame_back);
    }
}
