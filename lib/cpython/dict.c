#include "cpython/dict.h"

#include "cpython/type.h"

enum keys_kind { /* DictKeysKind of pycore_dict.h, 3.11 to 3.15 */
    KEYS_GENERAL = 0,
    KEYS_UNICODE = 1,
    KEYS_SPLIT = 2,
};

/* Entries and the bytes of the whole table, once its head is read; `indices`: bytes of its index. */
static bool read_entries(const struct ouro_python *python, struct ouro_keys *keys, const unsigned char *head, uint64_t indices,
                         uint64_t capacity, bool measure)
{
    const struct ouro_layout *layout = python->layout;
    if (keys->entry_count > capacity)
        return false;
    uint64_t entry = keys->hashed ? 24 : 16;
    keys->size_bytes = (uint64_t)layout->keys_indices + indices + capacity * entry;
    keys->entries = NULL;
    if (measure)
        return true;
    keys->entries = ouro_image_at(python->image, keys->addr + (uint64_t)layout->keys_indices + indices,
                                  keys->entry_count ? keys->entry_count * entry : 1);
    if (!keys->entries && !keys->entry_count)
        keys->entries = head;
    return keys->entries != NULL;
}

/* Up to 3.10: the size itself, and the function that looks keys up says what keys there may be (DK_IXSIZE, DK_ENTRIES). */
static bool read_old_keys(const struct ouro_python *python, struct ouro_keys *keys, const unsigned char *head, bool measure)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t size = ouro_load_u64(head + layout->keys_size);
    if (!size || size >> 40 || size & (size - 1))
        return false;
    keys->general = ouro_load_u64(head + layout->keys_lookup) == python->general_lookup;
    keys->hashed = true;
    keys->usable = size * 2 / 3 > keys->entry_count ? size * 2 / 3 - keys->entry_count : 0;
    return read_entries(python, keys, head, size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8),
                        size * 2 / 3, measure);
}

static bool read_keys(const struct ouro_python *python, ouro_addr addr, struct ouro_keys *keys, bool measure)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *head = addr & 7 ? NULL : ouro_image_at(python->image, addr, (uint64_t)layout->keys_indices);
    if (!head)
        return false;
    keys->addr = addr;
    keys->entry_count = ouro_load_u64(head + layout->keys_nentries);
    keys->usable = ouro_load_u64(head + layout->keys_usable);
    keys->refcount = (int64_t)ouro_load_u64(head + layout->keys_refcnt);
    if (layout->keys_size >= 0)
        return read_old_keys(python, keys, head, measure);
    unsigned index_bits = head[layout->keys_log2_index_bytes], size_bits = head[layout->keys_log2_size];
    unsigned kind = head[layout->keys_kind];
    if (index_bits > 44 || size_bits > 40 || kind > KEYS_SPLIT)
        return false;
    keys->general = keys->hashed = kind == KEYS_GENERAL;
    return read_entries(python, keys, head, UINT64_C(1) << index_bits,
                        (UINT64_C(1) << size_bits) * 2 / 3, measure); /* USABLE_FRACTION of dictobject.c */
}

bool ouro_keys_read(const struct ouro_python *python, ouro_addr addr, struct ouro_keys *keys)
{
    return read_keys(python, addr, keys, false);
}

bool ouro_keys_measure(const struct ouro_python *python, ouro_addr addr, struct ouro_keys *keys)
{
    return read_keys(python, addr, keys, true);
}

ouro_addr ouro_python_dict_get(const struct ouro_python *python, ouro_addr dict, const char *key)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = dict ? ouro_image_at(python->image, dict, (uint64_t)layout->dict_values + 8) : NULL;
    struct ouro_keys keys;
    if (!bytes || !ouro_keys_read(python, ouro_load_u64(bytes + layout->dict_keys), &keys))
        return 0;
    ouro_addr values = ouro_load_u64(bytes + layout->dict_values);
    size_t length = strlen(key);
    for (uint64_t i = 0; i < keys.entry_count; i++) {
        const unsigned char *str = ouro_image_at(python->image, ouro_keys_key(&keys, i), (uint64_t)layout->ascii_sizeof);
        char text[128];
        if (!str || ouro_load_u64(str + layout->ascii_length) != length ||
            !ouro_python_text(python, ouro_keys_key(&keys, i), text, sizeof text) || strcmp(text, key) != 0)
            continue;
        if (values)
            return ouro_python_word(python, values + (ouro_addr)layout->values_values + 8 * i);
        return ouro_keys_value(&keys, i);
    }
    return 0;
}

/* managed_static_type_index_get: tp_subclasses of a static type holds its index + 1 among the interpreter's states. */
static ouro_addr static_type_state(const struct ouro_python *python, ouro_addr type, uint64_t index)
{
    const struct ouro_layout *layout = python->layout;
    int32_t tables[] = {layout->interp_static_types, layout->interp_static_extension_types};
    if (!index || index > 1024)
        return 0;
    for (size_t t = 0; t < 2; t++) {
        if (tables[t] < 0)
            continue;
        ouro_addr state = python->interpreters[0].addr + (ouro_addr)tables[t] +
                          (index - 1) * (uint64_t)layout->static_type_sizeof;
        if (ouro_python_word(python, state + (ouro_addr)layout->static_type_type) == type)
            return state;
    }
    return 0;
}

ouro_addr ouro_dict_and_subclasses_of_type(const struct ouro_python *python, ouro_addr type, ouro_addr *subclasses)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, type, (uint64_t)layout->type_sizeof);
    *subclasses = 0;
    if (!bytes)
        return 0;
    ouro_addr dict = ouro_load_u64(bytes + layout->tp_dict), classes = ouro_load_u64(bytes + layout->tp_subclasses);
    bool heap = ouro_load_u64(bytes + layout->tp_flags) & OURO_FLAG_HEAPTYPE;
    if (!heap && layout->static_types_in_interpreter) {
        ouro_addr state = static_type_state(python, type, classes);
        if (state) {
            *subclasses = ouro_python_word(python, state + (ouro_addr)layout->static_type_subclasses);
            return ouro_python_word(python, state + (ouro_addr)layout->static_type_dict);
        }
        if (classes < OURO_PAGE_BYTES)
            classes = 0;
    }
    *subclasses = classes;
    return dict;
}

ouro_addr ouro_dict_of_type(const struct ouro_python *python, ouro_addr type)
{
    ouro_addr subclasses;
    return ouro_dict_and_subclasses_of_type(python, type, &subclasses);
}

ouro_addr ouro_values_in_preheader(const struct ouro_python *python, ouro_addr object, ouro_addr *dict)
{
    ouro_addr word = ouro_python_word(python, object - 24);
    *dict = word;
    if (!python->layout->values_tagged)
        return ouro_python_word(python, object - 32);
    if (!(word & 1))
        return 0;
    *dict = 0;
    return word + 1;
}

uint64_t ouro_python_small_int(const struct ouro_python *python, ouro_addr object)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = object ? ouro_image_at(python->image, object, 28) : NULL;
    if (!bytes)
        return UINT64_MAX;
    if (layout->long_tag >= 0) {
        uint64_t tag = ouro_load_u64(bytes + layout->long_tag);
        if ((tag & 3) == 1)
            return 0;
        return (tag & 3) || tag >> 3 != 1 ? UINT64_MAX : ouro_load_u32(bytes + layout->long_tag_digits);
    }
    uint64_t size = ouro_load_u64(bytes + layout->ob_size);
    return size > 1 ? UINT64_MAX : size ? ouro_load_u32(bytes + layout->long_digits) : 0;
}

#define METH_METHOD 0x200u

ouro_addr ouro_method_class(const struct ouro_python *python, ouro_addr addr, const unsigned char *object)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr definition = ouro_load_u64(object + layout->cfunction_ml);
    uint32_t flags = 0;
    if (layout->cmethod_class < 0)
        return 0;
    ouro_addr at = definition + (ouro_addr)layout->methoddef_flags;
    const unsigned char *bytes = ouro_image_at(python->image, at, 4);
    if (bytes)
        flags = ouro_load_u32(bytes);
    else if (ouro_space_read(&python->image->space, at, &flags, sizeof flags) != OURO_OK)
        return 0;
    return flags & METH_METHOD ? ouro_python_word(python, addr + (ouro_addr)layout->cmethod_class) : 0;
}
