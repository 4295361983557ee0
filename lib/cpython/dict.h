/* Dict key tables, and small questions about single objects that several visitors ask. */
#ifndef OURO_CPYTHON_DICT_H
#define OURO_CPYTHON_DICT_H

#include "cpython/python.h"

#define OURO_SHARED_KEYS_MAX 64 /* shared keys have at most 30 entries (SHARED_KEYS_MAX_SIZE) */

/* A PyDictKeysObject whose entries lie wholly in the image. */
struct ouro_keys {
    ouro_addr addr;
    const unsigned char *entries; /* borrowed */
    uint64_t entry_count;         /* dk_nentries: with deleted ones, whose value is 0 */
    uint64_t usable;              /* how many more fit */
    uint64_t size_bytes;          /* of the whole table, as _PyDict_KeysSize */
    int64_t refcount;
    bool general; /* keys of any type, else only str */
    bool hashed;  /* entries are hash, key, value; else key, value */
};

/* False (and nothing counted) when it is no table, or not wholly there. */
bool ouro_keys_read(const struct ouro_python *python, ouro_addr addr, struct ouro_keys *keys);
/* Without the entries, which need not be there. */
bool ouro_keys_measure(const struct ouro_python *python, ouro_addr addr, struct ouro_keys *keys);

static inline ouro_addr ouro_keys_key(const struct ouro_keys *keys, uint64_t i)
{
    return ouro_load_u64(keys->entries + (keys->hashed ? 24 * i + 8 : 16 * i));
}

static inline ouro_addr ouro_keys_value(const struct ouro_keys *keys, uint64_t i)
{
    return ouro_load_u64(keys->entries + (keys->hashed ? 24 * i + 16 : 16 * i + 8));
}

/* tp_dict, wherever this version keeps it (static types of 3.12 on: in the interpreter); 0 if there is none. */
ouro_addr ouro_dict_of_type(const struct ouro_python *python, ouro_addr type);
ouro_addr ouro_dict_and_subclasses_of_type(const struct ouro_python *python, ouro_addr type, ouro_addr *subclasses);
/* What a reference of a frame stands for (_PyStackRef from 3.14 on; a pointer before). 0: nothing, or an int in the reference itself. */
static inline ouro_addr ouro_untag(const struct ouro_layout *layout, uint64_t reference)
{
    return !layout->tagged_references ? reference : (reference & 3) <= 1 ? reference & ~UINT64_C(1) : 0;
}

/* The code object of a frame. */
static inline ouro_addr ouro_frame_code(const struct ouro_python *python, ouro_addr frame)
{
    return ouro_untag(python->layout, ouro_python_word(python, frame + (ouro_addr)python->layout->iframe_code));
}

/* The attribute values of an object whose two words in front of the collector's head lead to them (3.11, 3.12), 0 if it has none
 * there; *dict is its __dict__, or 0. Of a type with OURO_FLAG_MANAGED_DICT only. */
ouro_addr ouro_values_in_preheader(const struct ouro_python *python, ouro_addr object, ouro_addr *dict);
/* The value of a non-negative int of one digit; UINT64_MAX for everything else. */
uint64_t ouro_python_small_int(const struct ouro_python *python, ouro_addr object);
/* PyCFunction_GET_CLASS: mm_class of a METH_METHOD function, else 0. */
ouro_addr ouro_method_class(const struct ouro_python *python, ouro_addr addr, const unsigned char *object);

#endif
