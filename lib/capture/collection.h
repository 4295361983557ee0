/* A collection that was running when the target was copied: a finalizer or a callback of a weak reference that never comes
 * back keeps a process inside of one for ever.
 *
 * The objects that it works on are then on lists whose heads are local variables of the collector (CPython 3.11
 * Modules/gcmodule.c, 3.13 Python/gc.c: `unreachable` and `finalizers` of gc_collect_main, `seen` of finalize_garbage,
 * `wrcb_to_call` of handle_weakrefs; 3.14.0's `survivors` as well). A head on a stack is known by its links: the object that
 * it names first has it as the one before, the object that it names last has it as the one behind; what older calls left on a
 * stack does not. So the stacks of the interpreter's threads are searched for heads. Then all copied memory, allocator pools
 * and whatever else, is searched for objects whose links agree with their neighbours' and which no list led to. */
#ifndef OURO_CAPTURE_COLLECTION_H
#define OURO_CAPTURE_COLLECTION_H

#include "capture/walk.h"

struct ouro_collection_head {
    ouro_addr addr;
    uint64_t thread; /* the kernel's number of the thread on whose stack it is; 0 unknown */
};

struct ouro_collection_heads {
    struct ouro_collection_head *items; /* owned */
    size_t count, capacity;
};

/* Finds the heads on the stacks of an interpreter's threads; of all interpreters' where they share a collector. listed: a bit
 * for each object that the known lists led to (a cell of walk.h). states: what is known of the threads, with their stack
 * pointers. Looks at OURO_COLLECTION_STACK_BYTES of a stack at most. */
#define OURO_COLLECTION_STACK_BYTES (UINT64_C(64) << 20)
enum ouro_status ouro_collection_find_heads(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                                            const uint64_t *listed, const struct ouro_thread_state *states,
                                            size_t state_count, struct ouro_collection_heads *heads);

/* Calls visit for every tracked object of the copy, by address, whose bit is not in `listed`, until it returns false. O(bytes of the
 * image). */
enum ouro_status ouro_collection_scan(struct ouro_python *python, const uint64_t *listed,
                                      bool (*visit)(void *context, ouro_addr object), void *context);

#endif
