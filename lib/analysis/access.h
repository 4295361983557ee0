/* Attributes of objects of a snapshot, as Python's lookup finds them, as far as that runs no code.
 *
 * `x.name` is what the first of these says: a data descriptor that the class of x has (a slot, a field of native code;
 * a property would run code), the instance's own __dict__ or inline values, what the class has. For classes: the
 * metaclass's data descriptors, the classes along __mro__, the metaclass (Objects/object.c
 * _PyObject_GenericGetAttrWithDict, Objects/typeobject.c type_getattro; 3.8 to 3.15). What would run code, or make a
 * new object, is told and not guessed.
 *
 * Needs SLOTS, VALUES, FLAGS. Names are UTF-8, given by bytes and size. Nothing in the file is trusted: every chain
 * (__mro__, bases) is followed for a bounded length. */
#ifndef OURO_ANALYSIS_ACCESS_H
#define OURO_ANALYSIS_ACCESS_H

#include "analysis/heap_model.h"

struct ouro_name {
    const char *bytes; /* borrowed */
    size_t size;
};

enum ouro_access_kind {
    OURO_ACCESS_ABSENT,
    OURO_ACCESS_FOUND,
    OURO_ACCESS_NAMESPACE,    /* its __dict__: `node` is that object, or OURO_NODE_NONE where there is none */
    OURO_ACCESS_FRAME,        /* the frame of a generator, for which nobody has made an object; node: the generator */
    OURO_ACCESS_LOCALS,       /* f_locals; node: the frame */
    OURO_ACCESS_EMPTY,        /* a slot that holds nothing */
    OURO_ACCESS_PROPERTY,     /* would run its getter */
    OURO_ACCESS_METHOD,       /* would make a bound method; node: the function */
    OURO_ACCESS_DESCRIPTOR,   /* would run the descriptor's code; node: the descriptor */
    OURO_ACCESS_COMPUTED,     /* native code would compute it, or the file doesn't hold it */
    OURO_ACCESS_GETATTR,      /* absent, and the class (or module) has a __getattr__ that would run */
    OURO_ACCESS_GETATTRIBUTE, /* the class has a __getattribute__ of its own that would run */
    OURO_ACCESS_FOREIGN,      /* a proxy, super object or thread-local, whose lookup is of another kind */
    OURO_ACCESS_UNTOLD,       /* its class was lost to damage */
};

struct ouro_access {
    enum ouro_access_kind kind;
    ouro_node node; /* what was found (FOUND and as above), or OURO_NODE_NONE */
};

/* x.name, and with own_lookup false object.__getattribute__(x, 'name'): past a __getattribute__ of its class. */
struct ouro_access ouro_access_find(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name,
                                    bool own_lookup);
/* vars(x)['name']: of the instance's own attributes alone. OURO_NODE_NONE: no such. */
ouro_node ouro_access_of_instance(const struct ouro_heap_model *model, ouro_node node, struct ouro_name name);
/* Whether vars(x) works: it has a __dict__ or a place for one. *dict: the object, or OURO_NODE_NONE. */
bool ouro_access_has_namespace(const struct ouro_heap_model *model, ouro_node node, ouro_node *dict);
/* vars(C)['name'].__get__(x), where descriptor is what vars(C)['name'] gave. */
struct ouro_access ouro_access_of_slot(const struct ouro_heap_model *model, ouro_node node, ouro_node descriptor);

/* The class object of an object, OURO_NODE_NONE when lost. */
ouro_node ouro_access_class(const struct ouro_heap_model *model, ouro_node node);
/* Whether the object's class is this builtin one or derives from it in C (by tp_base). */
bool ouro_access_is_kind(const struct ouro_heap_model *model, ouro_node node, const char *module, const char *name);
/* Whether the object itself is a class. */
bool ouro_access_is_class(const struct ouro_heap_model *model, ouro_node node);
/* What the classes along the __mro__ of a class say; *owner (may be NULL): which of them. */
ouro_node ouro_access_in_mro(const struct ouro_heap_model *model, ouro_node class, struct ouro_name name,
                             ouro_node *owner);
/* Whether that is written in Python: a method of this name would run if an operator asked for it. */
bool ouro_access_overrides(const struct ouro_heap_model *model, ouro_node node, const char *name);

/* The value behind a str key of a dict of whatever kind, or OURO_NODE_NONE. */
ouro_node ouro_access_in_dict(const struct ouro_heap_model *model, ouro_node dict, struct ouro_name name);
/* Whether the node is exactly a dict whose entries lie as fields ".name": with keys shared with other instances. */
bool ouro_access_is_split(const struct ouro_heap_model *model, ouro_node dict);

/* A local variable of a frame (pseudo object, frame object, generator), as f_locals has it: of a cell its contents
 * unless `cell`. OURO_NODE_NONE: no such variable, or it is not bound. */
ouro_node ouro_access_local(const struct ouro_heap_model *model, ouro_node frame, struct ouro_name name, bool cell);
/* Calls visit for each variable that is bound. */
void ouro_access_each_local(const struct ouro_heap_model *model, ouro_node frame,
                            void (*visit)(void *context, struct ouro_name name, ouro_node target), void *context);
/* The namespace of a frame that runs the body of a module or a class, which f_locals is there; OURO_NODE_NONE: a
 * function's. */
ouro_node ouro_access_body_locals(const struct ouro_heap_model *model, ouro_node frame);
/* The n-th of its value stack, or OURO_NODE_NONE. *depth (may be NULL): how many there are. */
ouro_node ouro_access_stack(const struct ouro_heap_model *model, ouro_node frame, uint64_t n, uint64_t *depth);
/* For a frame object that holds nothing: the generator or running frame whose it is; else itself. May look through the
 * whole heap. */
ouro_node ouro_access_frame(const struct ouro_heap_model *model, ouro_node frame);

/* Calls visit for the names that an object has of its own and by its classes: for near misses. At most `most` of them.
 */
void ouro_access_each_name(const struct ouro_heap_model *model, ouro_node node, size_t most,
                           void (*visit)(void *context, struct ouro_name name), void *context);

#endif
