/* What the dynamic linker would write into a slot that it has not bound yet.
 *
 * The order of search is glibc's: what was loaded with the program, then what each dlopen that brought the slot's
 * module brought, breadth first. Not seen from outside: RTLD_GLOBAL of a later dlopen. So a symbol that must exist, and
 * is in none of these, is taken from the only other module that has it; from none when two have it. Namespaces of
 * dlmopen, filters and LD_DYNAMIC_WEAK are not known here.
 *
 * Any number of threads may ask about the same modules at the same time. */
#ifndef OURO_TARGET_RESOLVE_H
#define OURO_TARGET_RESOLVE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/types.h"
#include "target/module.h"
#include "target/space.h"

/* The address that belongs into the slot at `slot`, that of an R_X86_64_JUMP_SLOT or R_X86_64_GLOB_DAT relocation.
 * *ifunc: it is that of a function without arguments that returns the real one. OURO_GONE: no such relocation, or no
 * such symbol to be found (an undefined weak one is 0 for the linker). OURO_NOMEM. The first call orders the modules,
 * and reads the symbols of those that it searches; later ones are O(modules). */
enum ouro_status ouro_modules_resolve_slot(struct ouro_modules *modules, ouro_addr slot, ouro_addr *function,
                                           bool *ifunc);
/* Whether `value`, found in the slot of a call, leads into the procedure linkage table of the slot's own module: the
 * first call through it would have it bound. */
bool ouro_modules_slot_is_unresolved(struct ouro_modules *modules, ouro_addr slot, ouro_addr value);

/* Reads the dynamic linker's own list of what it loaded, in its order; false: there is none that makes sense, and the
 * order is that of DT_NEEDED. ouro_modules_read has done it; not while another thread resolves. */
bool ouro_modules_read_order(struct ouro_modules *modules, const struct ouro_space *space);

/* For module.c. */
struct ouro_scope *ouro_scope_new(void);
void ouro_scope_free(struct ouro_scope *scope);

#endif
