/* The native visitors against the truth: what a type's own tp_traverse visits, run in the sandbox. */
#ifndef OURO_CPYTHON_CHECK_H
#define OURO_CPYTHON_CHECK_H

#include "cpython/visit.h"

enum ouro_check {
    OURO_CHECK_EQUAL,
    OURO_CHECK_DIFFERS,
    OURO_CHECK_IMPOSSIBLE, /* it could not be run, or is too much for a check */
};

/* Compares what the type's visitor delivers as traversed with what its tp_traverse visits, in order. visitor: the calling
 * thread's, for its sandbox and its is_namespace. Types whose objects are not asked (OURO_HOW_NONE), and those that are run
 * anyway, are EQUAL. */
enum ouro_check ouro_check_object(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr object);

#endif
