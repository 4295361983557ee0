/* The table of interned strings: a dict of each to itself.
 *
 * From 3.12 on each interpreter has one (cached_objects of its state; those that share their memory with the main one share its). Before,
 * it is a variable of Objects/unicodeobject.c that is no dynamic symbol: where .symtab was stripped, the module's .bss is searched
 * for a pointer to a dict in which all that is there is an interned string that stands for itself.
 *
 * It owns no reference to a mortal string, which leaves it when it ends: the count was lowered by two (PyUnicode_InternInPlace). Of one
 * that is interned for ever, 3.8 to 3.11 count one reference (PyUnicode_InternImmortal); later it is immortal. */
#ifndef OURO_CPYTHON_INTERNED_H
#define OURO_CPYTHON_INTERNED_H

#include "cpython/dict.h"
#include "cpython/visit.h"

/* Fills python->interned and interpreter.interned. OURO_NOMEM. */
enum ouro_status ouro_interned_find(struct ouro_python *python, struct ouro_err *err);

static inline bool ouro_is_interned_table(const struct ouro_python *python, ouro_addr dict)
{
    return python->interned.count && ouro_map_find(&python->interned, dict);
}

/* How many of the table's two references to a string it owns: 0 to 2. */
unsigned ouro_interned_owned(const struct ouro_python *python, ouro_addr string);
/* Whether the collector has the table among its objects (3.14 on): what it refers to is then told as gc.get_referents does. */
bool ouro_interned_is_tracked(const struct ouro_python *python, ouro_addr table);
/* What it keeps are entries; strings that leave it when they end are referred to weakly, but where it is an object of the collector's it
 * is told as that sees it, without counts. */
void ouro_interned_visit(struct ouro_visitor *visitor, ouro_addr addr, const struct ouro_keys *keys);

#endif
