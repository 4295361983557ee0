#include "cpython/dict.h"
#include "cpython/frame_object.h"
#include "cpython/sandbox.h"
#include "cpython/text.h"
#include "cpython/type.h"

#define WORD 8u
#define GC_HEAD_BYTES 16u

/* _PyObject_VAR_SIZE without rounding: object.__sizeof__. */
static uint64_t plain(const struct ouro_python *python, const struct ouro_type *type, const unsigned char *object)
{
    uint64_t size = type->basicsize;
    if (type->itemsize) {
        int64_t count = (int64_t)ouro_load_u64(object + python->layout->ob_size);
        size += (uint64_t)count * type->itemsize;
    }
    return size;
}

static uint64_t tuple_count(const struct ouro_python *python, ouro_addr tuple)
{
    uint64_t count = 0;
    return ouro_python_tuple(python, tuple, &count) ? count : 0;
}

/* unicode_sizeof_impl */
static uint64_t str_size(const struct ouro_python *python, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    uint32_t state = ouro_load_u32(object + layout->ascii_state);
    uint64_t length = ouro_load_u64(object + layout->ascii_length), kind = state >> 2 & 7;
    bool compact = state & 0x20, ascii = state & 0x40;
    if (compact && ascii) {
        uint64_t size = (uint64_t)layout->ascii_sizeof + length + 1;
        uint64_t wstr = layout->ascii_wstr >= 0 ? ouro_load_u64(object + layout->ascii_wstr) : 0;
        return wstr ? size + 4 * (length + 1) : size; /* wchar_t has 4 bytes; its length is that of the str */
    }
    const unsigned char *rest = ouro_image_at(python->image, addr, (uint64_t)layout->compact_sizeof);
    if (!rest)
        return (uint64_t)layout->compact_sizeof;
    uint64_t size = (uint64_t)layout->compact_sizeof + (length + 1) * kind;
    ouro_addr data = addr + (ouro_addr)layout->compact_sizeof;
    if (!compact) {
        data = ouro_python_word(python, addr + (ouro_addr)layout->unicode_data);
        size = (uint64_t)layout->unicode_sizeof + (data ? (length + 1) * kind : 0);
    }
    ouro_addr wstr = layout->ascii_wstr >= 0 ? ouro_load_u64(rest + layout->ascii_wstr) : 0;
    if (wstr && wstr != data)
        size += 4 * ((ascii ? length : ouro_load_u64(rest + layout->compact_wstr_length)) + 1);
    ouro_addr utf8 = ouro_load_u64(rest + layout->compact_utf8);
    if (utf8 && utf8 != data)
        size += ouro_load_u64(rest + layout->compact_utf8_length) + 1;
    return size;
}

static uint64_t int_size(const struct ouro_python *python, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t digits;
    if (layout->long_tag >= 0) {
        digits = ouro_load_u64(object + layout->long_tag) >> 3;
    } else {
        int64_t count = (int64_t)ouro_load_u64(object + layout->ob_size);
        digits = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    }
    return 24 + 4 * (digits || !layout->zero_has_digit ? digits : 1);
}

/* _PyDict_SizeOf */
static uint64_t dict_size(const struct ouro_python *python, const struct ouro_type *type, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t size = type->basicsize;
    struct ouro_keys keys;
    if (!ouro_keys_measure(python, ouro_load_u64(object + layout->dict_keys), &keys))
        return size;
    if (ouro_load_u64(object + layout->dict_values))
        size += (keys.entry_count + keys.usable) * WORD;
    if (keys.refcount == 1)
        size += keys.size_bytes;
    return size;
}

static uint64_t type_size(const struct ouro_python *python, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    if (!(ouro_load_u64(object + layout->tp_flags) & OURO_FLAG_HEAPTYPE))
        return (uint64_t)layout->type_sizeof;
    struct ouro_keys keys;
    uint64_t size = (uint64_t)layout->heap_type_sizeof;
    ouro_addr cached = ouro_python_word(python, addr + (ouro_addr)layout->ht_cached_keys);
    return cached && ouro_keys_measure(python, cached, &keys) ? size + keys.size_bytes : size;
}

/* Local variables and value stack of a code object's frames: _PyFrame_NumSlotsForCodeObject. */
static uint64_t frame_slots(const struct ouro_python *python, ouro_addr code)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, code, (uint64_t)layout->code_adaptive);
    if (!bytes)
        return 0;
    if (layout->code_framesize >= 0) {
        uint64_t all = ouro_load_u32(bytes + layout->code_framesize), special = (uint64_t)layout->iframe_localsplus / WORD;
        return all > special ? all - special : 0;
    }
    return ouro_frame_local_count(python, code) + ouro_load_u32(bytes + layout->code_stacksize);
}

static uint64_t generator_size(const struct ouro_python *python, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr code = layout->gen_code >= 0 ? ouro_load_u64(object + layout->gen_code)
                                           : ouro_frame_code(python, addr + (ouro_addr)layout->gen_iframe);
    return (uint64_t)layout->gen_iframe + (uint64_t)layout->iframe_localsplus + WORD * frame_slots(python, code);
}

static uint64_t frame_size(const struct ouro_python *python, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->frame_localsplus >= 0) /* a local variable is part of the struct */
        return (uint64_t)layout->frame_sizeof - WORD + WORD * frame_slots(python, ouro_load_u64(object + layout->iframe_code));
    ouro_addr code = ouro_frame_code(python, ouro_load_u64(object + layout->frame_frame));
    return (uint64_t)layout->frame_data + (uint64_t)layout->iframe_localsplus + WORD * frame_slots(python, code);
}

/* code_sizeof; what 3.8 to 3.10 add: cells that are arguments, and caches of names. */
static uint64_t code_size(const struct ouro_python *python, const struct ouro_type *type, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t size = (plain(python, type, object) + WORD - 1) & ~(uint64_t)(WORD - 1); /* _PyObject_VAR_SIZE rounds up */
    ouro_addr extra = ouro_load_u64(object + layout->code_extra);
    if (extra)
        size += 8 + WORD * ouro_python_word(python, extra);
    if (layout->code_cell2arg >= 0 && ouro_load_u64(object + layout->code_cell2arg))
        size += WORD * tuple_count(python, ouro_load_u64(object + layout->code_cellvars));
    if (layout->code_opcache >= 0 && ouro_load_u64(object + layout->code_opcache)) {
        ouro_addr code = ouro_load_u64(object + layout->code_code);
        size += ouro_python_word(python, code + (ouro_addr)layout->ob_size) / 2;
        size += object[layout->code_opcache_size] * (uint64_t)layout->opcache_sizeof;
    }
    return size;
}

static uint64_t deque_size(const struct ouro_python *python, const struct ouro_type *type, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t items = ouro_load_u64(object + layout->ob_size), left = ouro_load_u64(object + layout->deque_leftindex);
    return type->basicsize + (left + items + 63) / 64 * (uint64_t)layout->block_sizeof;
}

static uint64_t measured(struct ouro_python *python, struct ouro_sandbox **place, const struct ouro_type *type, ouro_addr addr,
                         const unsigned char *object, bool *estimated)
{
    const struct ouro_layout *layout = python->layout;
    switch ((enum ouro_sizeof)type->size_rule) {
    case OURO_SIZEOF_TYPE:
        return type_size(python, addr, object);
    case OURO_SIZEOF_LIST:
        return type->basicsize + WORD * ouro_load_u64(object + layout->list_allocated);
    case OURO_SIZEOF_STR:
        return str_size(python, addr, object);
    case OURO_SIZEOF_INT:
        return int_size(python, object);
    case OURO_SIZEOF_BYTEARRAY:
    {
        uint64_t allocated = ouro_load_u64(object + layout->bytearray_alloc);
        if (layout->bytearray_bytes >= 0 && allocated) /* in a bytes object */
            allocated += (uint64_t)layout->bytes_sval + 1;
        return type->basicsize + allocated;
    }
    case OURO_SIZEOF_DICT:
        return dict_size(python, type, object);
    case OURO_SIZEOF_ODICT:
        return dict_size(python, type, object) + WORD * ouro_load_u64(object + layout->odict_fast_nodes_size) +
               (uint64_t)layout->odict_node_sizeof * ouro_load_u64(object + layout->dict_used);
    case OURO_SIZEOF_SET:
        return type->basicsize + (ouro_load_u64(object + layout->set_table) == addr + (ouro_addr)layout->set_smalltable
                                      ? 0
                                      : (ouro_load_u64(object + layout->set_mask) + 1) * 16);
    case OURO_SIZEOF_DEQUE:
        return deque_size(python, type, object);
    case OURO_SIZEOF_GENERATOR:
        return generator_size(python, addr, object);
    case OURO_SIZEOF_FRAME:
        return frame_size(python, object);
    case OURO_SIZEOF_PRODUCT:
        return type->basicsize + WORD * tuple_count(python, ouro_load_u64(object + layout->product_pools));
    case OURO_SIZEOF_COMBINATIONS:
        return type->basicsize + WORD * ouro_load_u64(object + layout->combinations_r);
    case OURO_SIZEOF_CWR:
        return type->basicsize + WORD * ouro_load_u64(object + layout->cwr_r);
    case OURO_SIZEOF_PERMUTATIONS:
        return type->basicsize + WORD * (tuple_count(python, ouro_load_u64(object + layout->permutations_pool)) +
                                         ouro_load_u64(object + layout->permutations_r));
    case OURO_SIZEOF_CODE:
        return code_size(python, type, object);
    case OURO_SIZEOF_RUN: {
        uint64_t size;
        struct ouro_sandbox *sandbox = ouro_sandbox_get(python, place);
        if (sandbox && ouro_sandbox_sizeof(sandbox, type, addr, &size))
            return size;
    } /* fall through */
    case OURO_SIZEOF_UNKNOWN:
        *estimated = true;
        return plain(python, type, object);
    case OURO_SIZEOF_OBJECT:
        break;
    }
    return plain(python, type, object);
}

/* Values of instance attributes that lie outside of what __sizeof__ counts: new_values (3.11, 3.12), _PyInlineValuesSize (3.13). */
static uint64_t values_bytes(struct ouro_python *python, const struct ouro_type *type, ouro_addr addr)
{
    const struct ouro_layout *layout = python->layout;
    struct ouro_keys keys;
    if (!(type->flags & OURO_FLAG_MANAGED_DICT))
        return 0;
    if (layout->values_in_preheader) {
        ouro_addr dict;
        if (!ouro_values_in_preheader(python, addr, &dict) || !ouro_keys_measure(python, type->cached_keys, &keys))
            return 0;
        uint64_t count = keys.entry_count + keys.usable;
        return count * WORD + ((count + 2 + WORD - 1) & ~(uint64_t)(WORD - 1));
    }
    if (!(type->flags & OURO_FLAG_INLINE_VALUES))
        return 0;
    const unsigned char *head = ouro_image_at(python->image, addr + type->basicsize, 8);
    uint64_t capacity = head ? head[layout->values_capacity] : 0;
    uint64_t size = (capacity + 1) * WORD + ((capacity + WORD - 1) & ~(uint64_t)(WORD - 1));
    ouro_addr dict = ouro_python_word(python, addr - 24);
    ouro_addr values = dict ? ouro_python_word(python, dict + (ouro_addr)layout->dict_values) : 0;
    if (values == addr + type->basicsize) /* its dict's size counts them: no byte twice */
        size -= capacity * WORD < size ? capacity * WORD : size;
    return size;
}

uint64_t ouro_type_sizeof(struct ouro_python *python, struct ouro_sandbox **sandbox, const struct ouro_type *type,
                          ouro_addr addr, uint64_t *native, bool *estimated)
{
    const struct ouro_layout *layout = python->layout;
    /* A str that is ASCII, or a static type, is smaller than what tp_basicsize says. */
    bool smaller = type->size_rule == OURO_SIZEOF_STR || type->size_rule == OURO_SIZEOF_TYPE;
    uint64_t need = smaller || type->extent < type->size_extent ? type->size_extent : type->extent;
    const unsigned char *object = ouro_image_at(python->image, addr, need);
    *native = 0;
    *estimated = false;
    if (!object) {
        *estimated = true;
        return type->basicsize;
    }
    uint64_t size = measured(python, sandbox, type, addr, object, estimated);
    if (layout->static_type_presize || !type->gc || ouro_type_is_asked(python, sandbox, type, addr, object)) {
        uint64_t preheader = OURO_FLAG_MANAGED_DICT | (layout->preheader_is_flags ? OURO_FLAG_MANAGED_WEAKREF : 0);
        size += type->gc ? GC_HEAD_BYTES : 0;
        size += type->flags & preheader ? 2 * WORD : 0;
    }
    *native = values_bytes(python, type, addr);
    return size;
}
