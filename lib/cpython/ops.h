/* Visitors as data.
 *
 * What an object refers to is described by a list of operations in the order of its type's tp_traverse. The list is put together once
 * for each type (type.c) from what its tp_traverse is known to do; visit.c runs it on objects. */
#ifndef OURO_CPYTHON_OPS_H
#define OURO_CPYTHON_OPS_H

#include <stdint.h>

/* How a reference counts: the values are those of the snapshot's edge classes. */
enum ouro_class {
    OURO_CLASS_TRAVERSED = 0, /* tp_traverse reports it */
    OURO_CLASS_HIDDEN = 1,    /* owned, not reported */
    OURO_CLASS_WEAK = 2,      /* not owned */
};

enum ouro_op_kind {
    OURO_OP_FIELD,        /* the word at `offset` */
    OURO_OP_TYPE,         /* the object's type */
    OURO_OP_MANAGED_DICT, /* inline values and/or the managed __dict__, as the version keeps them */
    OURO_OP_DICT_POINTER, /* the __dict__ at tp_dictoffset (negative: from the end) */
    OURO_OP_LIST,
    OURO_OP_TUPLE,
    OURO_OP_STRUCTSEQ,    /* as tuple, from the front */
    OURO_OP_DICT,
    OURO_OP_SET,
    OURO_OP_DEQUE,
    OURO_OP_ODICT_NODES,
    OURO_OP_LRU_LINKS,
    OURO_OP_GENERATOR,    /* the frame inside a generator */
    OURO_OP_FRAME,        /* the contents of a frame object that owns its frame */
    OURO_OP_METHOD_CLASS, /* PyCFunction's class, only with METH_METHOD */
    OURO_OP_TEE_VALUES,
    OURO_OP_MODULE_STATE, /* what m_traverse visits, run in the sandbox; found by looking through the module's state where it can't be */
    OURO_OP_CAPSULE,      /* what the traverse function of a capsule visits, if it has one, run in the sandbox; else unknown */
    OURO_OP_TYPE_OBJECT,  /* type_traverse, and what static types hold */
    OURO_OP_RUN,          /* what `function(object, visit, arg)` visits, run in the sandbox; the type's fallback where it can't be */
    OURO_OP_SCAN,         /* the generic visitor: the word at `offset` if it lands on an object; approximate */
    OURO_OP_SCAN_ITEMS,   /* the same for the items of a variable-size object */
};

#define OURO_OP_NAMESPACE 1 /* flag: the field holds a __dict__ */
#define OURO_OP_IF_HEAP 2   /* flag of OURO_OP_TYPE: only where the type is a heap type */
/* flag: only of coroutines, which share tp_traverse and layout with generators: those leave the field uninitialised (make_gen) */
#define OURO_OP_IF_COROUTINE 4
#define OURO_OP_AFTER_ITEMS 16 /* flag: the offset counts as if there were no items, and the field lies behind them (3.15) */
#define OURO_OP_HIDDEN_ONLY 8 /* flag of OURO_OP_TYPE_OBJECT: what is visited, something else tells */

struct ouro_op {
    uint8_t kind;       /* enum ouro_op_kind */
    uint8_t edge_class; /* enum ouro_class */
    uint8_t flags;
    int32_t offset;
    const char *label;
    uint64_t function; /* of OURO_OP_RUN: its address in the target */
};

#endif
