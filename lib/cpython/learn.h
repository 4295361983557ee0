/* What a type's own code tells about its objects, found out on an object that doesn't exist: one in the machine's scratch memory,
 * with the type in its head and a pointer to some other piece of scratch memory in every other word. */
#ifndef OURO_CPYTHON_LEARN_H
#define OURO_CPYTHON_LEARN_H

#include "cpython/sandbox.h"
#include "cpython/type.h"

/* Learns from a tp_traverse whether it visits the same fields of every object of the type, NULLs left out. They go to visits
 * (of FIELD, or CONSTANT: the type), at most `capacity`; SIZE_MAX: no, it has to be run for each object. */
size_t ouro_learn_fields(struct ouro_sandbox *sandbox, const struct ouro_type *type, ouro_addr traverse,
                         struct ouro_machine_visit *visits, size_t capacity);
/* The offset of the word that a getter returns as it is; 0: it does something else. */
int32_t ouro_learn_getter(struct ouro_sandbox *sandbox, const struct ouro_type *type, ouro_addr getter, ouro_addr closure);
/* Whether dict_traverse visits values that lie in the object whose __dict__ it is. false in *known: it can't be told. Since 3.13.13
 * and 3.14.4 it does (gh-130327), and in older ones of distributions that have that fix: so the version doesn't tell. */
bool ouro_learn_dict_visits_embedded(struct ouro_sandbox *sandbox, bool *known);

#endif
