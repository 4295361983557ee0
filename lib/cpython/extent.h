/* How much of an object is read before anything in it is believed: objects of a type may be smaller than what its visitor reads, if the
 * type says so of itself. What lies behind fixed fields (items, tables) is checked where it is read. */
#ifndef OURO_CPYTHON_EXTENT_H
#define OURO_CPYTHON_EXTENT_H

#include "cpython/type.h"

/* Bytes from an object's beginning that ouro_visit, or ouro_type_sizeof, reads in place. Of the type's fields those that the visitor
 * and the rule of sizes follow from must be there. */
uint64_t ouro_extent_to_visit(const struct ouro_layout *layout, const struct ouro_type *type);
uint64_t ouro_extent_to_measure(const struct ouro_layout *layout, const struct ouro_type *type);

#endif
