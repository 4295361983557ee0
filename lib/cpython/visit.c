#include "cpython/visit.h"

#include <stdio.h>
#include <string.h>

#include "cpython/chain.h"
#include "cpython/deliver.h"
#include "cpython/dict.h"
#include "cpython/foreign.h"
#include "cpython/frame_object.h"
#include "cpython/interned.h"
#include "cpython/text.h"

void ouro_visit_end(struct ouro_visitor *visitor)
{
    flush(visitor);
}

/* The bytes of a chain's next link, or NULL (counted): also where the chain bites itself. */
static const unsigned char *next_of(struct ouro_visitor *visitor, struct ouro_chain *chain, ouro_addr link, size_t size)
{
    if (!ouro_chain_repeats(chain, link))
        return words_at(visitor, link, 1, size);
    tear(visitor, OURO_UNREADABLE_TABLE);
    return NULL;
}

static void visit_list(struct ouro_visitor *visitor, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint64_t count = ouro_load_u64(object + layout->ob_size);
    const unsigned char *items =
        count ? words_at(visitor, ouro_load_u64(object + layout->list_items), count, 8) : object;
    if (!items)
        count = 0;
    part(visitor, OURO_SLOTS_ITEMS_DOWN, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = count; i--;)
        put(visitor, ouro_load_u64(items + 8 * i));
    run_end(visitor, count);
}

static void visit_tuple(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object, bool down)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint64_t count = ouro_load_u64(object + layout->ob_size);
    const unsigned char *items = count ? words_at(visitor, addr + (ouro_addr)layout->tuple_items, count, 8) : object;
    if (!items)
        count = 0;
    part(visitor, down ? OURO_SLOTS_ITEMS_DOWN : OURO_SLOTS_ITEMS, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = 0; i < count; i++)
        put(visitor, ouro_load_u64(items + 8 * (down ? count - 1 - i : i)));
    run_end(visitor, count);
}

/* structseq_traverse visits all real fields, also those that len() doesn't count: tp_basicsize tells how many there are. */
static void visit_structseq(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr addr,
                            const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint64_t header = (uint64_t)layout->tuple_items;
    uint64_t visible = ouro_load_u64(object + layout->ob_size);
    uint64_t count = type->basicsize > header ? (type->basicsize - header) / 8 : 0;
    ouro_addr dict = ouro_dict_of_type(visitor->python, type->addr);
    uint64_t fields = ouro_python_small_int(visitor->python, ouro_python_dict_get(visitor->python, dict, "n_fields"));
    if (fields != UINT64_MAX)
        count = fields;
    else if (count < visible)
        count = visible;
    const unsigned char *items = count ? words_at(visitor, addr + header, count, 8) : object;
    if (!items)
        count = 0;
    part(visitor, OURO_SLOTS_ITEMS, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = 0; i < count; i++)
        put(visitor, ouro_load_u64(items + 8 * i));
    run_end(visitor, count);
}

/* A name as part of a label, which ends at a NUL: a name with one inside would look like another. */
static bool read_name(const struct ouro_python *python, ouro_addr key, char *out, size_t capacity)
{
    struct ouro_str text;
    bool cut;
    if (!ouro_str_read(python, key, &text))
        return false;
    size_t size = ouro_str_utf8(&text, (unsigned char *)out, capacity - 1, &cut);
    out[size] = 0;
    return strlen(out) == size;
}

/* One slot for each name of a shared keys object: values[0 .. count). */
static void visit_named_values(struct ouro_visitor *visitor, ouro_addr keys_addr, const unsigned char *values,
                               uint64_t count)
{
    struct ouro_keys keys;
    if (visitor->part) {
        bool named = ouro_keys_read(visitor->python, keys_addr, &keys);
        for (uint64_t i = 0; i < count; i++) {
            char name[300] = ".";
            if (!named || i >= keys.entry_count ||
                !read_name(visitor->python, ouro_keys_key(&keys, i), name + 1, sizeof name - 1))
                snprintf(name, sizeof name, ".<%u>", (unsigned)i);
            part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, name);
        }
    }
    for (uint64_t i = 0; i < count; i++)
        put(visitor, ouro_load_u64(values + 8 * i));
}

static void visit_dict(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    bool names = visitor->is_namespace(visitor->context, addr);
    struct ouro_keys keys;
    ouro_addr values = ouro_load_u64(object + layout->dict_values);
    bool whole = ouro_keys_read(python, ouro_load_u64(object + layout->dict_keys), &keys);
    if (!whole) {
        tear(visitor, OURO_UNREADABLE_TABLE);
        keys.entry_count = 0;
        keys.general = false;
        values = 0;
    }
    if (values) {
        ouro_addr at = values + (ouro_addr)layout->values_values;
        const unsigned char *bytes = NULL;
        bool embedded = false;
        if (layout->values_embedded >= 0) {
            const unsigned char *head = ouro_image_at(python->image, values, 8);
            embedded = head && head[layout->values_embedded] && !layout->dict_visits_embedded;
        }
        if (embedded)
            return; /* dict_traverse leaves them to the object that they lie in */
        bytes = words_at(visitor, at, keys.entry_count, 8);
        if (bytes)
            visit_named_values(visitor, keys.addr, bytes, keys.entry_count);
        return;
    }
    if (whole && ouro_is_interned_table(python, addr)) {
        ouro_interned_visit(visitor, addr, &keys);
        return;
    }
    enum ouro_slots kind = keys.general ? names ? OURO_SLOTS_NAMESPACE_ANY : OURO_SLOTS_ENTRIES
                           : names      ? OURO_SLOTS_NAMESPACE
                                        : OURO_SLOTS_ENTRIES_STR;
    part(visitor, kind, OURO_CLASS_TRAVERSED, "");
    uint64_t count = 0;
    for (uint64_t i = 0; i < keys.entry_count; i++) {
        ouro_addr value = ouro_keys_value(&keys, i);
        if (!value)
            continue;
        ouro_addr key = ouro_keys_key(&keys, i);
        put(visitor, value);
        put(visitor, key);
        if (visitor->key)
            visitor->key(visitor->context, key, names);
        count++;
    }
    run_end(visitor, count);
}

/* Entries are {key, hash}; a dummy has the hash -1. */
static void visit_set(struct ouro_visitor *visitor, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint64_t mask = ouro_load_u64(object + layout->set_mask), count = 0;
    size_t stride = (size_t)layout->setentry_sizeof;
    const unsigned char *table = NULL;
    if (mask < UINT64_MAX / stride)
        table = words_at(visitor, ouro_load_u64(object + layout->set_table), mask + 1, stride);
    part(visitor, OURO_SLOTS_ELEMENTS, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = 0; table && i <= mask; i++) {
        ouro_addr key = ouro_load_u64(table + stride * i);
        if (!key || ouro_load_u64(table + stride * i + 8) == UINT64_MAX)
            continue;
        put(visitor, key);
        if (visitor->key)
            visitor->key(visitor->context, key, false);
        count++;
    }
    run_end(visitor, count);
}

#define DEQUE_BLOCK_ITEMS 64 /* BLOCKLEN of _collectionsmodule.c, 3.8 to 3.15 */

static void visit_deque(struct ouro_visitor *visitor, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint64_t left = ouro_load_u64(object + layout->deque_leftindex);
    uint64_t size = ouro_load_u64(object + layout->ob_size), count = 0;
    ouro_addr block = ouro_load_u64(object + layout->deque_leftblock);
    part(visitor, OURO_SLOTS_ITEMS, OURO_CLASS_TRAVERSED, "");
    uint64_t limit = (uint64_t)visitor->python->image->page_count << OURO_PAGE_BITS;
    if (left >= DEQUE_BLOCK_ITEMS || size > limit / 8) {
        tear(visitor, OURO_UNREADABLE_TABLE);
        size = 0;
    }
    struct ouro_chain chain = {0};
    while (count < size) {
        const unsigned char *bytes = next_of(visitor, &chain, block, (size_t)layout->block_sizeof);
        if (!bytes)
            break;
        for (; left < DEQUE_BLOCK_ITEMS && count < size; left++, count++)
            put(visitor, ouro_load_u64(bytes + layout->block_data + 8 * left));
        left = 0;
        block = ouro_load_u64(bytes + layout->block_rightlink);
    }
    run_end(visitor, count);
}

static void visit_odict_nodes(struct ouro_visitor *visitor, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint64_t limit = ouro_load_u64(object + layout->dict_used), count = 0;
    ouro_addr node = ouro_load_u64(object + layout->odict_first);
    part(visitor, OURO_SLOTS_KEYS, OURO_CLASS_TRAVERSED, "");
    struct ouro_chain chain = {0};
    for (; node && count < limit; count++) {
        const unsigned char *bytes = next_of(visitor, &chain, node, (size_t)layout->odict_node_sizeof);
        if (!bytes)
            break;
        put(visitor, ouro_load_u64(bytes + layout->odict_node_key));
        node = ouro_load_u64(bytes + layout->odict_node_next);
    }
    run_end(visitor, count);
}

/* The links of an lru_cache form a ring through its root. Each is an object whose key and result the cache visits. */
static void visit_lru_links(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    ouro_addr root = addr + (ouro_addr)layout->lru_root;
    ouro_addr link = ouro_load_u64(object + layout->lru_root_next);
    struct ouro_chain chain = {0};
    uint64_t count = 0;
    part(visitor, OURO_SLOTS_LINKS, OURO_CLASS_TRAVERSED, "");
    for (; link && link != root; count++) {
        const unsigned char *bytes = next_of(visitor, &chain, link, (size_t)layout->lru_link_result + 8);
        if (!bytes)
            break;
        put(visitor, ouro_load_u64(bytes + layout->lru_link_key));
        put(visitor, ouro_load_u64(bytes + layout->lru_link_result));
        put(visitor, layout->lru_elem_type >= 0 ? ouro_load_u64(bytes + layout->ob_type) : 0); /* 3.10 on */
        link = ouro_load_u64(bytes + layout->lru_link_next);
    }
    run_end(visitor, count);
}

/* gen_traverse visits the frame unless it is cleared; then the slots stay empty, so that the parts depend on the code only. */
static void visit_generator(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    if ((int8_t)object[layout->gen_frame_state] < layout->gen_cleared)
        ouro_visit_frame(visitor, addr + (ouro_addr)layout->gen_iframe, false);
    else if (layout->gen_keeps_code) {
        part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, "f_code");
        put_reference(visitor, ouro_load_u64(object + layout->gen_iframe + layout->iframe_code));
    }
}

static bool frame_owns_its_contents(const struct ouro_python *python, const unsigned char *object, ouro_addr *frame)
{
    const struct ouro_layout *layout = python->layout;
    *frame = ouro_load_u64(object + layout->frame_frame);
    const unsigned char *bytes = ouro_image_at(python->image, *frame, (uint64_t)layout->iframe_localsplus);
    return bytes && (int8_t)bytes[layout->iframe_owner] == layout->owner_frame_object;
}

static void visit_tee(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = visitor->python->layout;
    uint32_t count = ouro_load_u32(object + layout->tee_numread);
    const unsigned char *items = count ? words_at(visitor, addr + (ouro_addr)layout->tee_values, count, 8) : object;
    if (!items || count > 4096)
        count = 0;
    part(visitor, OURO_SLOTS_NAMED, OURO_CLASS_TRAVERSED, "values");
    for (uint32_t i = 0; i < count; i++)
        put(visitor, ouro_load_u64(items + 8 * (uint64_t)i));
    run_end(visitor, count);
}

/* Whether a word found by scanning is an object: aligned, copied, with a possible count and a type that is one; and if the type has
 * a collector head, that is not tracked or its neighbour agrees. */
static bool lands_on_object(struct ouro_visitor *visitor, ouro_addr addr)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    if (addr & 7 || addr < OURO_PAGE_BYTES)
        return false;
    const unsigned char *bytes = ouro_image_at(python->image, addr, 16);
    uint64_t count = bytes ? ouro_load_u64(bytes + layout->ob_refcnt) : 0;
    if (layout->small_refcnt)
        count = (uint32_t)count;
    if (!count || count >> 40)
        return false;
    const struct ouro_type *type = ouro_type_get(python, ouro_load_u64(bytes + layout->ob_type));
    if (!type)
        return false;
    if (!type->gc || type->named == OURO_NAMED_TYPE) /* static types have no head */
        return true;
    const unsigned char *head = ouro_image_at(python->image, addr - 16, 16);
    ouro_addr next = head ? ouro_load_u64(head) & ~(uint64_t)3 : 0;
    if (!next)
        return head && ouro_load_u64(head + 8) < 4;
    return (ouro_python_word(python, next + 8) & ~(uint64_t)3) == addr - 16;
}

#define SCAN_ITEMS_MAX (1u << 20)

static void visit_scan_items(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr addr,
                             const unsigned char *object)
{
    uint64_t size = ouro_load_u64(object + visitor->python->layout->ob_size), count = 0;
    part(visitor, OURO_SLOTS_FOUND, OURO_CLASS_TRAVERSED, ".+items");
    if (size <= SCAN_ITEMS_MAX && type->itemsize % 8 == 0) {
        uint64_t words_count = size * (type->itemsize / 8);
        const unsigned char *items = ouro_image_at(visitor->python->image, addr + type->basicsize, words_count * 8);
        for (uint64_t i = 0; items && i < words_count; i++, count++) {
            ouro_addr word = ouro_load_u64(items + 8 * i);
            put(visitor, lands_on_object(visitor, word) ? word : 0);
        }
    }
    run_end(visitor, count);
}

#define MODULE_STATE_MAX (1u << 16)

/* What m_traverse would visit, found by looking through the state; what it visits elsewhere (C statics) is not found. */
static uint64_t scan_module_state(struct ouro_visitor *visitor, ouro_addr state, uint64_t size)
{
    uint64_t count = (int64_t)size > 0 && size <= MODULE_STATE_MAX ? size / 8 : 0, found = 0;
    const unsigned char *bytes = count ? ouro_image_at(visitor->python->image, state, count * 8) : NULL;
    visitor->approximate = true;
    for (uint64_t i = 0; bytes && i < count; i++) {
        ouro_addr word = ouro_load_u64(bytes + 8 * i);
        if (lands_on_object(visitor, word)) {
            put(visitor, word);
            found++;
        }
    }
    return found;
}

/* module_traverse calls m_traverse unless there should be a state and is none (in 3.8 always). */
static void visit_module_state(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    ouro_addr state = ouro_load_u64(object + layout->module_state), def = 0;
    uint64_t traverse = 0, size = 0, found = 0;
    if (layout->module_state_traverse >= 0) {
        traverse = ouro_load_u64(object + layout->module_state_traverse);
        size = ouro_load_u64(object + layout->module_state_size);
    } else {
        def = ouro_load_u64(object + layout->module_def);
    }
    part(visitor, OURO_SLOTS_FOUND, OURO_CLASS_TRAVERSED, "<state>");
    if (def &&
        (ouro_space_read(&python->image->space, def + (ouro_addr)layout->moduledef_traverse, &traverse, 8) != OURO_OK ||
         ouro_space_read(&python->image->space, def + (ouro_addr)layout->moduledef_size, &size, 8) != OURO_OK))
        traverse = 0;
    if (traverse && ((int64_t)size <= 0 || state || layout->module_without_state) &&
        !ouro_foreign_put_all(visitor, traverse, addr, &found))
        found = scan_module_state(visitor, state, size);
    run_end(visitor, found);
}

/* What a capsule's tp_traverse visits once it has a function for it. */
static void visit_capsule(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr addr,
                          const unsigned char *object)
{
    int32_t at = visitor->python->layout->capsule_traverse;
    uint64_t found = 0;
    if (at < 0)
        return;
    part(visitor, OURO_SLOTS_FOUND, OURO_CLASS_TRAVERSED, "<capsule>");
    if (ouro_load_u64(object + at) && !ouro_foreign_put_all(visitor, type->traverse, addr, &found))
        visitor->approximate = true;
    run_end(visitor, found);
}

static void field(struct ouro_visitor *visitor, enum ouro_class edge_class, const char *label, ouro_addr target)
{
    part(visitor, OURO_SLOTS_FIELD, edge_class, label);
    put(visitor, target);
}

/* type_traverse for heap types; static types own the same but report nothing (and the collector never asks them). */
static void visit_type_object(struct ouro_visitor *visitor, const struct ouro_op *op, ouro_addr addr,
                              const unsigned char *object)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    bool heap = ouro_load_u64(object + layout->tp_flags) & OURO_FLAG_HEAPTYPE;
    enum ouro_class seen = heap ? OURO_CLASS_TRAVERSED : OURO_CLASS_HIDDEN;
    const unsigned char *rest = heap ? ouro_image_at(python->image, addr, (uint64_t)layout->heap_type_sizeof) : NULL;
    ouro_addr subclasses = 0;
    ouro_addr dict = ouro_dict_and_subclasses_of_type(python, addr, &subclasses);
    if (visitor->namespace_dict && dict)
        visitor->namespace_dict(visitor->context, dict);
    bool visited = !heap || !(op->flags & OURO_OP_HIDDEN_ONLY);
    if (visited) {
        field(visitor, seen, "__dict__", dict);
        field(visitor, seen, "tp_cache", ouro_load_u64(object + layout->tp_cache));
        field(visitor, seen, "__mro__", ouro_load_u64(object + layout->tp_mro));
        field(visitor, seen, "__bases__", ouro_load_u64(object + layout->tp_bases));
        field(visitor, seen, "__base__", ouro_load_u64(object + layout->tp_base));
    }
    field(visitor, OURO_CLASS_HIDDEN, "__subclasses__", subclasses);
    if (!heap)
        return;
    if (visited && layout->ht_module >= 0)
        field(visitor, seen, "ht_module", rest ? ouro_load_u64(rest + layout->ht_module) : 0);
    field(visitor, OURO_CLASS_HIDDEN, "__name__", rest ? ouro_load_u64(rest + layout->ht_name) : 0);
    field(visitor, OURO_CLASS_HIDDEN, "__qualname__", rest ? ouro_load_u64(rest + layout->ht_qualname) : 0);
    field(visitor, OURO_CLASS_HIDDEN, "__slots__", rest ? ouro_load_u64(rest + layout->ht_slots) : 0);
    ouro_addr keys_addr = rest ? ouro_load_u64(rest + layout->ht_cached_keys) : 0;
    struct ouro_keys keys;
    uint64_t count = keys_addr && ouro_keys_read(python, keys_addr, &keys) ? keys.entry_count : 0;
    part(visitor, OURO_SLOTS_KEYS, OURO_CLASS_HIDDEN, "");
    for (uint64_t i = 0; i < count; i++) {
        put(visitor, ouro_keys_key(&keys, i));
        if (visitor->key)
            visitor->key(visitor->context, ouro_keys_key(&keys, i), true);
    }
    run_end(visitor, count);
}

static void namespace_field(struct ouro_visitor *visitor, ouro_addr dict, const char *label)
{
    if (visitor->namespace_dict && dict)
        visitor->namespace_dict(visitor->context, dict);
    field(visitor, OURO_CLASS_TRAVERSED, label, dict);
}

/* _PyObject_VisitInstanceAttributes and the dict pointer (3.11); _PyObject_VisitManagedDict (3.12), PyObject_VisitManagedDict (3.13 on). */
static void visit_managed_dict(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr addr)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    struct ouro_keys keys;
    if (layout->values_in_preheader) {
        ouro_addr dict, values = ouro_values_in_preheader(python, addr, &dict);
        uint64_t count = ouro_keys_read(python, type->cached_keys, &keys) ? keys.entry_count : 0;
        static const unsigned char none[8 * OURO_SHARED_KEYS_MAX];
        if (count > OURO_SHARED_KEYS_MAX)
            count = OURO_SHARED_KEYS_MAX;
        const unsigned char *bytes = values ? words_at(visitor, values, count, 8) : none;
        visit_named_values(visitor, type->cached_keys, bytes ? bytes : none, count);
        namespace_field(visitor, dict, "__dict__");
        return;
    }
    ouro_addr dict = ouro_python_word(python, addr - 24);
    if (type->flags & OURO_FLAG_INLINE_VALUES) {
        ouro_addr values = addr + type->basicsize; /* in 3.13 tp_basicsize is that of a plain object */
        const unsigned char *head = words_at(visitor, values, 1, 8);
        unsigned capacity = head ? head[layout->values_capacity] : 0;
        bool valid = head && head[layout->values_valid];
        const unsigned char *bytes =
            capacity ? words_at(visitor, values + (ouro_addr)layout->values_values, capacity, 8) : head;
        static const unsigned char none[8 * 256];
        bool values_seen = valid && bytes && !(layout->dict_visits_embedded && dict);
        visit_named_values(visitor, type->cached_keys, values_seen ? bytes : none, capacity);
        if (values_seen) {
            /* The object owns the dict, but tp_traverse reports only the values. */
            if (visitor->namespace_dict && dict)
                visitor->namespace_dict(visitor->context, dict);
            field(visitor, OURO_CLASS_TRAVERSED, "__dict__", 0);
            field(visitor, OURO_CLASS_HIDDEN, "__dict__", dict);
        } else {
            namespace_field(visitor, dict, "__dict__");
            field(visitor, OURO_CLASS_HIDDEN, "__dict__", 0);
        }
        return;
    }
    namespace_field(visitor, dict, "__dict__");
}

/* _PyObject_ComputedDictPointer: a negative offset counts from the end of a variable-size object. */
static void visit_dict_pointer(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr addr,
                               const unsigned char *object)
{
    uint64_t offset = (uint64_t)type->dictoffset;
    if (type->dictoffset < 0) {
        const struct ouro_layout *layout = visitor->python->layout;
        int64_t size = (int64_t)ouro_load_u64(object + layout->ob_size);
        uint64_t count = size < 0 ? 0 - (uint64_t)size : (uint64_t)size;
        if (layout->long_tag >= 0 && type->flags & OURO_FLAG_LONG)
            count = ouro_load_u64(object + layout->long_tag) >> 3;
        uint64_t whole = type->basicsize + count * type->itemsize;
        offset += (whole + 7) & ~(uint64_t)7;
    }
    namespace_field(visitor, ouro_python_word(visitor->python, addr + offset), "__dict__");
}

static ouro_addr field_after_items(const struct ouro_python *python, const struct ouro_type *type, const struct ouro_op *op,
                                   ouro_addr addr, const unsigned char *object)
{
    uint64_t items = ouro_load_u64(object + python->layout->ob_size) * type->itemsize;
    return ouro_python_word(python, addr + (ouro_addr)op->offset + ((items + 7) & ~UINT64_C(7)));
}

static void visit_op(struct ouro_visitor *visitor, const struct ouro_type *type, const struct ouro_op *op,
                     ouro_addr addr, const unsigned char *object)
{
    struct ouro_python *python = visitor->python;
    ouro_addr frame, target;
    switch ((enum ouro_op_kind)op->kind) {
    case OURO_OP_FIELD:
        target = op->flags & OURO_OP_AFTER_ITEMS ? field_after_items(python, type, op, addr, object)
                                                 : ouro_load_u64(object + op->offset);
        if (op->flags & OURO_OP_NAMESPACE && target && visitor->namespace_dict)
            visitor->namespace_dict(visitor->context, target);
        if (op->edge_class == OURO_CLASS_WEAK && target == python->none)
            target = 0; /* a dead weak reference */
        field(visitor, op->edge_class, op->label, target);
        break;
    case OURO_OP_TYPE:
        put_type(visitor, type);
        break;
    case OURO_OP_MANAGED_DICT:
        visit_managed_dict(visitor, type, addr);
        break;
    case OURO_OP_DICT_POINTER:
        visit_dict_pointer(visitor, type, addr, object);
        break;
    case OURO_OP_LIST:
        visit_list(visitor, object);
        break;
    case OURO_OP_TUPLE:
        visit_tuple(visitor, addr, object, true);
        break;
    case OURO_OP_STRUCTSEQ:
        visit_structseq(visitor, type, addr, object);
        break;
    case OURO_OP_DICT:
        visit_dict(visitor, addr, object);
        break;
    case OURO_OP_SET:
        visit_set(visitor, object);
        break;
    case OURO_OP_DEQUE:
        visit_deque(visitor, object);
        break;
    case OURO_OP_ODICT_NODES:
        visit_odict_nodes(visitor, object);
        break;
    case OURO_OP_LRU_LINKS:
        visit_lru_links(visitor, addr, object);
        break;
    case OURO_OP_GENERATOR:
        visit_generator(visitor, addr, object);
        break;
    case OURO_OP_FRAME:
        if (ouro_frame_is_object(python->layout))
            ouro_frame_object_visit(visitor, addr, object);
        else if (frame_owns_its_contents(python, object, &frame))
            ouro_visit_frame(visitor, frame, false);
        break;
    case OURO_OP_METHOD_CLASS:
        field(visitor, OURO_CLASS_TRAVERSED, "__objclass__", ouro_method_class(python, addr, object));
        break;
    case OURO_OP_TEE_VALUES:
        visit_tee(visitor, addr, object);
        break;
    case OURO_OP_MODULE_STATE:
        visit_module_state(visitor, addr, object);
        break;
    case OURO_OP_CAPSULE:
        visit_capsule(visitor, type, addr, object);
        break;
    case OURO_OP_TYPE_OBJECT:
        visit_type_object(visitor, op, addr, object);
        break;
    case OURO_OP_RUN:
        if (!ouro_foreign_visit(visitor, type, op, addr))
            for (uint32_t i = 0; i < type->fallback_count; i++)
                visit_op(visitor, type, &type->fallback[i], addr, object);
        break;
    case OURO_OP_SCAN:
        target = ouro_load_u64(object + op->offset);
        field(visitor, OURO_CLASS_TRAVERSED, op->label, lands_on_object(visitor, target) ? target : 0);
        break;
    case OURO_OP_SCAN_ITEMS:
        visit_scan_items(visitor, type, addr, object);
        break;
    }
}

void ouro_visit(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr object)
{
    const unsigned char *bytes = ouro_image_at(visitor->python->image, object, type->extent);
    if (!bytes) {
        tear(visitor, OURO_UNREADABLE_OBJECT);
        return;
    }
    visitor->unasked =
        type->varies && type->gc && !ouro_type_is_asked(visitor->python, &visitor->sandbox, type, object, bytes);
    for (uint32_t i = 0; i < type->op_count; i++)
        visit_op(visitor, type, &type->ops[i], object, bytes);
    flush(visitor);
}

static uint64_t dict_variant(struct ouro_visitor *visitor, ouro_addr addr, const unsigned char *object)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    ouro_addr keys_addr = ouro_load_u64(object + layout->dict_keys);
    ouro_addr values = ouro_load_u64(object + layout->dict_values);
    struct ouro_keys keys;
    if (!ouro_keys_read(python, keys_addr, &keys))
        return 0;
    if (values) {
        const unsigned char *head = layout->values_embedded >= 0 ? ouro_image_at(python->image, values, 8) : NULL;
        if (head && head[layout->values_embedded] && !layout->dict_visits_embedded)
            return 1;
        return keys_addr;
    }
    if (ouro_is_interned_table(python, addr) && !ouro_interned_is_tracked(python, addr))
        return 6;
    return 2 + 2 * (uint64_t)keys.general + visitor->is_namespace(visitor->context, addr);
}

static uint64_t frame_variant(struct ouro_python *python, ouro_addr frame)
{
    return 8 | ouro_frame_code(python, frame);
}

uint64_t ouro_visit_variant(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr addr)
{
    struct ouro_python *python = visitor->python;
    const struct ouro_layout *layout = python->layout;
    const unsigned char *object = ouro_image_at(python->image, addr, type->extent);
    uint64_t variant = 0;
    ouro_addr frame;
    if (!object)
        return UINT64_MAX; /* no parts at all */
    visitor->unasked = type->gc && !ouro_type_is_asked(python, &visitor->sandbox, type, addr, object);
    variant = visitor->unasked;
    for (uint32_t i = 0; i < type->op_count; i++) {
        switch ((enum ouro_op_kind)type->ops[i].kind) {
        case OURO_OP_DICT:
            variant = mix(variant, dict_variant(visitor, addr, object));
            break;
        case OURO_OP_GENERATOR:
            if ((int8_t)object[layout->gen_frame_state] < layout->gen_cleared)
                variant = mix(variant, frame_variant(python, addr + (ouro_addr)layout->gen_iframe));
            break;
        case OURO_OP_FRAME:
            if (ouro_frame_is_object(layout))
                variant = mix(variant, frame_variant(python, addr));
            else if (frame_owns_its_contents(python, object, &frame))
                variant = mix(variant, frame_variant(python, frame));
            break;
        case OURO_OP_TYPE_OBJECT:
            variant = mix(variant, (ouro_load_u64(object + layout->tp_flags) & OURO_FLAG_HEAPTYPE) != 0);
            break;
        case OURO_OP_RUN:
            variant = mix(variant, ouro_foreign_variant(visitor, type, &type->ops[i], addr));
            break;
        case OURO_OP_MANAGED_DICT:
            if (type->flags & OURO_FLAG_INLINE_VALUES && !layout->values_in_preheader) {
                const unsigned char *head = ouro_image_at(python->image, addr + type->basicsize, 8);
                variant = mix(variant, head ? head[layout->values_capacity] : 0);
            }
            break;
        default:
            break;
        }
    }
    return variant;
}
