/* What an object refers to, slot by slot in the order of its tp_traverse.
 *
 * One walk over the operations of the object's type serves marking (targets only), emitting (targets, with empty slots, and
 * counts of runs) and describing (the parts that the slots belong to). An empty slot is 0. */
#ifndef OURO_CPYTHON_VISIT_H
#define OURO_CPYTHON_VISIT_H

#include "base/buf.h"
#include "cpython/type.h"

/* How the slots of an object are named; numbers are those of the snapshot's part kinds. */
enum ouro_slots {
    OURO_SLOTS_FIELD = 0,
    OURO_SLOTS_TYPE = 1, /* the object's type: no slot is delivered for it */
    OURO_SLOTS_ITEMS = 2,
    OURO_SLOTS_ITEMS_DOWN = 3,
    OURO_SLOTS_ENTRIES = 4,
    OURO_SLOTS_ENTRIES_STR = 5,
    OURO_SLOTS_NAMESPACE = 6,
    OURO_SLOTS_KEYS = 7,
    OURO_SLOTS_ELEMENTS = 8,
    OURO_SLOTS_STACK = 9,
    OURO_SLOTS_LINKS = 10,
    OURO_SLOTS_FOUND = 11,
    OURO_SLOTS_NAMED = 12,
    OURO_SLOTS_NAMESPACE_ANY = 13,
};

/* Slots of one item: a mapping's value and key, a link's key, result and type. */
static inline unsigned ouro_slots_width(enum ouro_slots kind)
{
    switch (kind) {
    case OURO_SLOTS_ENTRIES:
    case OURO_SLOTS_ENTRIES_STR:
    case OURO_SLOTS_NAMESPACE:
    case OURO_SLOTS_NAMESPACE_ANY:
        return 2;
    case OURO_SLOTS_LINKS:
        return 3;
    default:
        return 1;
    }
}

struct ouro_visitor {
    struct ouro_python *python;
    void *context;
    /* The next `count` slots; 0 is an empty one. */
    void (*slots)(void *context, const ouro_addr *targets, size_t count);
    /* A run of items of `width` slots each begins. May be NULL. */
    void (*run_begin)(void *context, unsigned width);
    /* How many items the run had whose slots were just delivered. May be NULL. */
    void (*run)(void *context, uint64_t count);
    /* The next part; name is borrowed for the call. May be NULL. Delivered in front of its slots. */
    void (*part)(void *context, enum ouro_slots kind, enum ouro_class edge_class, const char *name);
    /* A dict that is some object's __dict__; a key (str or bytes, or whatever it is) of a mapping. May be NULL. */
    void (*namespace_dict)(void *context, ouro_addr dict);
    void (*key)(void *context, ouro_addr key, bool of_namespace);
    bool (*is_namespace)(void *context, ouro_addr dict); /* must not be NULL */
    /* The slot delivered last holds a reference that owns no count. May be NULL. */
    void (*borrowed)(void *context);
    /* Results. */
    size_t interpreter;           /* whose objects are visited: index among python->interpreters */
    struct ouro_sandbox *sandbox; /* the thread's own, made when needed (sandbox.h) */
    bool torn;        /* something could not be read: set, never cleared */
    bool approximate; /* some of it was found by looking for pointers: set, never cleared */
    bool midway;      /* a frame was in the middle of its work: of its value stack nothing is known. Set, never cleared */
    bool unasked;     /* the object takes no part in collections: what it refers to is all hidden. Of the last object */
    uint8_t end;      /* enum ouro_machine_end: why a function could not be run; 0: none failed */
    /* Inside. */
    size_t pending_count;
    ouro_addr pending[256];
};

/* Visits one object. */
void ouro_visit(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr object);
/* Names the object's variant of its type's parts: two objects of one type with the same variant have the same parts. Only
 * for types that vary; cheap. */
uint64_t ouro_visit_variant(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr object);
/* The contents of an interpreter frame, as _PyFrame_Traverse visits them; where frames are objects, that object. running: a frame of a thread, whose locals are there also
 * while it has no stack top. Slots may be pending until ouro_visit_end. */
void ouro_visit_frame(struct ouro_visitor *visitor, ouro_addr frame, bool running);
/* Of a thread's frame that lies in a generator, what the generator's tp_traverse does not see while it runs: the local variables
 * (running: without a stack top), and what is on its value stack for certain. */
void ouro_visit_frame_rest(struct ouro_visitor *visitor, ouro_addr frame, bool running);
void ouro_visit_end(struct ouro_visitor *visitor); /* delivers what is pending */

#endif
