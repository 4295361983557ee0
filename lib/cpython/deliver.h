/* Handing out slots, parts and runs. Internal to the files that visit. */
#ifndef OURO_CPYTHON_DELIVER_H
#define OURO_CPYTHON_DELIVER_H

#include "cpython/frame_object.h"
#include "cpython/dict.h"
#include "cpython/visit.h"

static inline void flush(struct ouro_visitor *visitor)
{
    if (visitor->pending_count && visitor->slots)
        visitor->slots(visitor->context, visitor->pending, visitor->pending_count);
    visitor->pending_count = 0;
}

static inline void put(struct ouro_visitor *visitor, ouro_addr target)
{
    if (visitor->pending_count == sizeof visitor->pending / sizeof *visitor->pending)
        flush(visitor);
    visitor->pending[visitor->pending_count++] = target;
}

static inline void part(struct ouro_visitor *visitor, enum ouro_slots kind, enum ouro_class edge_class, const char *name)
{
    if (visitor->unasked && edge_class == OURO_CLASS_TRAVERSED)
        edge_class = OURO_CLASS_HIDDEN;
    if (visitor->part)
        visitor->part(visitor->context, kind, edge_class, name);
    if (visitor->run_begin && kind >= OURO_SLOTS_ITEMS) {
        flush(visitor);
        visitor->run_begin(visitor->context, ouro_slots_width(kind));
    }
}

static inline void run_end(struct ouro_visitor *visitor, uint64_t count)
{
    if (visitor->run) {
        flush(visitor);
        visitor->run(visitor->context, count);
    }
}

/* The object's type, which tp_traverse reports: no slot, unless it is not asked. */
static inline void put_type(struct ouro_visitor *visitor, const struct ouro_type *type)
{
    part(visitor, visitor->unasked ? OURO_SLOTS_FIELD : OURO_SLOTS_TYPE, OURO_CLASS_TRAVERSED, "__class__");
    if (visitor->unasked)
        put(visitor, type->addr);
}

/* Hashes what a variant of an object's parts is made of. */
static inline uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value + UINT64_C(0x9e3779b97f4a7c15) + (hash << 6) + (hash >> 2);
    return hash * UINT64_C(0xff51afd7ed558ccd);
}

/* The slot put last owns no count. */
static inline void borrow(struct ouro_visitor *visitor)
{
    if (!visitor->borrowed)
        return;
    flush(visitor);
    visitor->borrowed(visitor->context);
}

/* The object is not all there. */
static inline void tear(struct ouro_visitor *visitor, enum ouro_unreadable reason)
{
    visitor->torn = true;
    ouro_python_count_unreadable(visitor->python, reason);
}

/* `count` words in place at addr, or NULL (counted). */
static inline const unsigned char *words_at(struct ouro_visitor *visitor, ouro_addr addr, uint64_t count, size_t stride)
{
    const unsigned char *at = NULL;
    if (count <= UINT64_MAX / stride)
        at = ouro_image_at(visitor->python->image, addr, count * stride);
    if (!at)
        tear(visitor, OURO_UNREADABLE_TABLE);
    return at;
}

/* A reference of a frame: _Py_VISIT_STACKREF. Those to immortal objects are all without a count: nothing to tell. */
static inline void put_reference(struct ouro_visitor *visitor, uint64_t reference)
{
    const struct ouro_layout *layout = visitor->python->layout;
    ouro_addr target = ouro_untag(layout, reference);
    put(visitor, target);
    if (!target || target == reference || !visitor->borrowed)
        return;
    const unsigned char *count = ouro_image_at(visitor->python->image, target + (ouro_addr)layout->ob_refcnt, 4);
    if (!count || (int32_t)ouro_load_u32(count) < 0)
        return;
    borrow(visitor);
}

#endif
