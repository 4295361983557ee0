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
    OURO_SIZEOF_RUN,     /* its __sizeof__ in C is run in the sandbox */
    OURO_SIZEOF_UNKNOWN, /* it has a __sizeof__ of its own, in Python: estimated */
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

/* How the references of a type's objects are found. */
enum ouro_how {
    OURO_HOW_NONE,        /* it has no tp_traverse: they report none */
    OURO_HOW_NATIVE,      /* a visitor of ours */
    OURO_HOW_LEARNED,     /* its tp_traverse visits fixed fields, which were learned from its code */
    OURO_HOW_INTERPRETED, /* its tp_traverse is run for each object */
    OURO_HOW_GENERIC,     /* by looking for pointers: approximate */
};
const char *ouro_how_name(enum ouro_how how);

struct ouro_field_label {
    int32_t offset;
    char *label; /* owned; ".name", or what the native visitors call it */
};

struct ouro_type {
    ouro_addr addr;
    uint32_t index;      /* among python->type_list */
    char *name, *module; /* owned: qualified name without the module; the module's name */
    uint64_t flags, basicsize, itemsize;
    int64_t dictoffset;
    ouro_addr base, metatype, name_addr; /* name_addr: tp_name */
    ouro_addr cached_keys; /* shared keys of its instances, or 0 */
    struct ouro_op *ops;   /* owned, with labels */
    uint32_t op_count;
    struct ouro_op *fallback; /* owned, with labels: the generic visitor where tp_traverse has to be run and can't be */
    uint32_t fallback_count;
    struct { struct ouro_field_label *items; size_t count, capacity; } labels; /* owned; of fields found by running its code */
    ouro_addr traverse;         /* tp_traverse */
    ouro_addr finalize;         /* tp_finalize; 0: none */
    bool generic_getattr;       /* tp_getattro is object's */
    bool descr_get, descr_set;  /* there are tp_descr_get, tp_descr_set */
    ouro_addr is_gc_function;   /* tp_is_gc, run for each object; 0: all take part in collections, or (types) heap types do */
    ouro_addr sizeof_function, sizeof_class; /* with OURO_SIZEOF_RUN: what to call, and the class that defines it */
    uint32_t sizeof_flags;      /* METH_... */
    uint8_t how;                /* enum ouro_how */
    const char *visitor;        /* the name of the native one; borrowed, NULL: none */
    uint32_t strikes;           /* atomic: calls that ran out of budget */
    uint32_t checks;            /* atomic: objects compared with what running tp_traverse gives */
    bool disagreed;             /* atomic: one of them differed, so the native visitor is not used */
    uint64_t extent;       /* bytes that every object has: tp_basicsize, at least what is read of one to visit it */
    uint64_t size_extent;  /* what is read of one to measure it (extent.h) */
    bool gc;               /* its objects have a collector head (static types excepted) */
    bool approximate, varies, del, weakref;
    bool suspends;         /* generators, coroutines, asynchronous generators */
    bool executes;         /* these, frames and tracebacks (execution.h) */
    uint8_t waitable;      /* enum ouro_waitable (lock.h) */
    uint8_t size_rule;     /* enum ouro_sizeof */
    uint8_t value;         /* enum ouro_value */
    uint8_t named;         /* enum ouro_named */
    uint64_t user;         /* the walk's own: starts as UINT64_MAX */
    bool met_approximate;  /* the walk's own: some object of it is approximate */
};

/* The type at addr, resolved on first use; NULL: no type object there. Thread-safe; the pointer stays valid. O(1) after that. */
struct ouro_type *ouro_type_get(struct ouro_python *python, ouro_addr addr);

/* "module.name" of the type at addr, into text; false: no type object there. Without what ouro_type_get finds out besides, which for
 * a type that has no objects would be for nothing. */
#define OURO_TYPE_NAME_MAX 1024
bool ouro_type_full_name(struct ouro_python *python, ouro_addr addr, char *text, size_t size);

/* Learns visitors from the direct subclasses of a type whose names tell what their tp_traverse does. */
void ouro_type_learn_subclasses(struct ouro_python *python, ouro_addr type);

void ouro_type_free(struct ouro_type *type);
/* The label of the field at an offset, or NULL. */
const char *ouro_type_field_label(const struct ouro_type *type, int32_t offset);
/* Stops using the native visitor of a type: its tp_traverse is run from now on. Nobody else may use `python` meanwhile. */
bool ouro_type_distrust(struct ouro_python *python, struct ouro_type *type);

/* Whether what an object visits is told by its type's own code, which can't be believed once it names what is no object. */
static inline bool ouro_type_is_taken_at_its_word(const struct ouro_type *type)
{
    return type->how == OURO_HOW_INTERPRETED || type->how == OURO_HOW_LEARNED;
}

/* Whether the object takes part in collections (_PyObject_IS_GC): else gc.get_referents says nothing of it, and no reference to it
 * is ever subtracted. bytes: the object's. */
bool ouro_type_is_asked(struct ouro_python *python, struct ouro_sandbox **sandbox, const struct ouro_type *type,
                        ouro_addr object, const unsigned char *bytes);

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

/* sys.getsizeof of the object; *native: owned bytes beside that; *estimated: the type measures in a way
 * we don't know. sandbox: the calling thread's (sandbox.h). */
uint64_t ouro_type_sizeof(struct ouro_python *python, struct ouro_sandbox **sandbox, const struct ouro_type *type,
                          ouro_addr object, uint64_t *native, bool *estimated);

#endif
