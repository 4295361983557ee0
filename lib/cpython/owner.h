/* Whose an object is where all interpreters share one collector (3.8).
 *
 * The collector's lists don't tell there, so each object belongs to the first interpreter from whose roots (sys.modules,
 * its own state, its threads) it is reached, the main one first. Three kinds of object lead from one interpreter into
 * another and are therefore not followed: static types (their subclasses are everybody's), weak references, and builtin
 * functions (those of a module with one state for the process lead to the module of whoever imported it first). What is
 * reached from nobody's roots belongs to the interpreter, other than the main one, that alone reaches something it refers
 * to: garbage to its classes, for instance; else to the main one. */
#ifndef OURO_CPYTHON_OWNER_H
#define OURO_CPYTHON_OWNER_H

#include "cpython/python.h"

/* Fills python->owners where there is a choice; nothing to do for versions with a collector for each interpreter. */
enum ouro_status ouro_owner_find(struct ouro_python *python, struct ouro_err *err);

#define OURO_OWNER_SHARED (UINT64_C(1) << 32) /* flag in python->owners: reached from another one as well */

/* The index of the interpreter that a tracked object belongs to, after ouro_owner_find found that there is a choice. */
static inline size_t ouro_owner_of(const struct ouro_python *python, ouro_addr object)
{
    const uint64_t *owner = ouro_map_find(&python->owners, object);
    return owner ? (size_t)(*owner & ~OURO_OWNER_SHARED) : 0;
}

#endif
