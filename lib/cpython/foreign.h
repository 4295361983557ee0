/* Objects whose tp_traverse we have no visitor for: it is run in the sandbox, and what it visits gets names as far as they can be
 * told from where the pointers came from. */
#ifndef OURO_CPYTHON_FOREIGN_H
#define OURO_CPYTHON_FOREIGN_H

#include "cpython/sandbox.h"
#include "cpython/visit.h"

/* Delivers what op->function visits of the object as parts and slots; false: it could not be run (visitor->end says why;
 * visitor->approximate is set), and nothing was delivered. */
bool ouro_foreign_visit(struct ouro_visitor *visitor, const struct ouro_type *type, const struct ouro_op *op, ouro_addr addr);
/* Names the parts that ouro_foreign_visit delivers. */
uint64_t ouro_foreign_variant(struct ouro_visitor *visitor, const struct ouro_type *type, const struct ouro_op *op,
                              ouro_addr addr);
/* Delivers all that a function visits as slots of the run that has begun; false: it could not be run. */
bool ouro_foreign_put_all(struct ouro_visitor *visitor, ouro_addr function, ouro_addr addr, uint64_t *count);

/* Collects the labels of a type's fields: members, getters that return a field (where there is a sandbox), the
 * __dict__; of a metaclass what the visitor of type calls a class's fields. */
bool ouro_foreign_label_fields(struct ouro_python *python, struct ouro_type *type);

#endif
