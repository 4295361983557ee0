/* Types: how each one's objects are visited and measured. */
#ifndef OURO_CPYTHON_TYPE_H
#define OURO_CPYTHON_TYPE_H

#include "cpython/python.h"

enum ouro_sizeof {
    OURO_SIZEOF_OBJECT = 1, /* tp_basicsize and tp_itemsize */
    OURO_SIZEOF_TYPE,
    OURO_SIZEOF_LIST,
    OURO_SIZEOF_STR,
    OURO_SIZEOF_INT,
    OURO_SIZEOF_BYTEARRAY,
    OURO_SIZEOF_DICT,
    OURO_SIZEOF_ODICT,
    OURO_SIZEOF_SET,
    OURO_SIZEOF_DEQUE,
    OURO_SIZEOF_GENERATOR,
    OURO_SIZEOF_FRAME,
    OURO_SIZEOF_CODE,
    OURO_SIZEOF_PRODUCT,
    OURO_SIZEOF_COMBINATIONS,
    OURO_SIZEOF_CWR,
    OURO_SIZEOF_PERMUTATIONS,
    OURO_SIZEOF_UNKNOWN, /* it has a __sizeof__ of its own: estimated */
};

/* What an object's value is made from; the numbers are those of the snapshot's value kinds. */
enum ouro_value {
    OURO_OF_NOTHING = 0,
    OURO_OF_STR = 1,
    OURO_OF_BYTES = 2,
    OURO_OF_INT = 3,
    OURO_OF_FLOAT = 4,
    OURO_OF_BOOL = 5,
    OURO_OF_NONE = 6,
    OURO_OF_NAME = 7,
    OURO_OF_COMPLEX = 8,
};

enum ouro_named {
    OURO_NAMED_NOT,
    OURO_NAMED_FUNCTION,
    OURO_NAMED_BUILTIN,
    OURO_NAMED_CODE,
    OURO_NAMED_TYPE,
    OURO_NAMED_MODULE,
};

#define OURO_FLAG_INLINE_VALUES (UINT64_C(1) << 2)
#define OURO_FLAG_MANAGED_WEAKREF (UINT64_C(1) << 3)
#define OURO_FLAG_MANAGED_DICT (UINT64_C(1) << 4)
#define OURO_FLAG_HEAPTYPE (UINT64_C(1) << 9)
#define OURO_FLAG_HAVE_GC (UINT64_C(1) << 14)
#define OURO_FLAG_LONG (UINT64_C(1) << 24)
#define OURO_FLAG_LIST (UINT64_C(1) << 25)
#define OURO_FLAG_TUPLE (UINT64_C(1) << 26)
#define OURO_FLAG_BYTES (UINT64_C(1) << 27)
#define OURO_FLAG_UNICODE (UINT64_C(1) << 28)
#define OURO_FLAG_DICT (UINT64_C(1) << 29)
#define OURO_FLAG_EXCEPTION (UINT64_C(1) << 30)
#define OURO_FLAG_TYPE (UINT64_C(1) << 31)

struct ouro_type {
    ouro_addr addr;
    uint32_t index;      /* among python->type_list */
    char *name, *module; /* owned: qualified name without the module; the module's name */
    uint64_t flags, basicsize, itemsize;
    int64_t dictoffset;
    ouro_addr base, metatype;
    ouro_addr cached_keys; /* shared keys of its instances, or 0 */
    struct ouro_op *ops;   /* owned, with labels */
    uint32_t op_count;
    uint64_t extent;       /* bytes that every object has for sure: tp_basicsize, at least a header */
    bool gc;               /* its objects have a collector head (static types excepted) */
    bool approximate, varies, finalize, del, weakref;
    uint8_t size_rule;     /* enum ouro_sizeof */
    uint8_t value;         /* enum ouro_value */
    uint8_t named;         /* enum ouro_named */
    uint64_t user;         /* the walk's own: starts as UINT64_MAX */
    bool met_approximate;  /* the walk's own: some object of it is approximate */
};

/* The type at addr, resolved on first use; NULL: no type object there. Thread-safe; the pointer stays valid. O(1) after that. */
struct ouro_type *ouro_type_get(struct ouro_python *python, ouro_addr addr);

/* Learns visitors from the direct subclasses of a type whose names tell what their tp_traverse does. */
void ouro_type_learn_subclasses(struct ouro_python *python, ouro_addr type);

/* A small cache in front of ouro_type_get, one a thread. */
#define OURO_TYPE_CACHE_SLOTS 1024u
struct ouro_type_cache {
    ouro_addr addr[OURO_TYPE_CACHE_SLOTS];
    struct ouro_type *type[OURO_TYPE_CACHE_SLOTS];
};

static inline struct ouro_type *ouro_type_cached(struct ouro_python *python, struct ouro_type_cache *cache,
                                                 ouro_addr addr)
{
    unsigned slot = (unsigned)(addr >> 4 ^ addr >> 14) & (OURO_TYPE_CACHE_SLOTS - 1);
    if (cache->addr[slot] == addr && addr)
        return cache->type[slot];
    struct ouro_type *type = ouro_type_get(python, addr);
    cache->addr[slot] = addr;
    cache->type[slot] = type;
    return type;
}

/* sys.getsizeof of the object; *native: owned bytes beside that; *estimated: the type measures in a way we don't know. */
uint64_t ouro_type_sizeof(struct ouro_python *python, const struct ouro_type *type, ouro_addr object, uint64_t *native,
                          bool *estimated);

#endif
