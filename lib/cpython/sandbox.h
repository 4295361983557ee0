/* Runs functions of CPython and of its extensions (tp_traverse, __sizeof__, getters) in a machine of ours, on the image.
 *
 * A sandbox is one thread's machine, set up as a thread of the interpreter that holds the GIL would find it: thread-local
 * memory, the current thread state. Nothing runs in the target. What a function does is found out once a call; the last
 * result is kept, so that asking twice in a row about the same object costs one call. */
#ifndef OURO_CPYTHON_SANDBOX_H
#define OURO_CPYTHON_SANDBOX_H

#include "cpython/python.h"
#include "emulate/machine.h"

struct ouro_sandbox;
struct ouro_type;

/* The sandbox at *place, made on first use and freed with `python`. NULL: there is none (built without, switched off, or no
 * memory). One thread at a time may use it. */
struct ouro_sandbox *ouro_sandbox_get(struct ouro_python *python, struct ouro_sandbox **place);
struct ouro_machine *ouro_sandbox_machine(struct ouro_sandbox *sandbox);
struct ouro_python *ouro_sandbox_python(const struct ouro_sandbox *sandbox);
void ouro_sandboxes_fini(struct ouro_python *python);

/* From now on calls are made as a thread of this interpreter (index among python->interpreters). Cheap when it is so already. */
void ouro_sandbox_enter(struct ouro_sandbox *sandbox, size_t interpreter);

/* What `function(object, visit, NULL)` visits, in order; borrowed until the next call. Other than OURO_MACHINE_RETURNED: why it
 * could not be found out. constant: the object's type is taken as the same for all when origins are told. */
enum ouro_machine_end ouro_sandbox_traverse(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object,
                                            const struct ouro_machine_visit **visits, size_t *count);
/* The same within a small budget, for checks that are made beside the work. */
enum ouro_machine_end ouro_sandbox_try(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object,
                                       const struct ouro_machine_visit **visits, size_t *count);
/* Whether tp_is_gc says that the object takes part in collections; true where it can't be run. */
bool ouro_sandbox_is_gc(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object);
/* Whether the last traverse handed NULL to the visitor: what it visits is not to be believed. */
bool ouro_sandbox_visited_null(const struct ouro_sandbox *sandbox);
/* What the type's __sizeof__ would return for the object. */
bool ouro_sandbox_sizeof(struct ouro_sandbox *sandbox, const struct ouro_type *type, ouro_addr object, uint64_t *size);

#endif
