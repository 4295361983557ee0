/* Locks: threading.Lock, threading.RLock, and what else a thread can be asleep in: the GIL, a thread's end. */
#ifndef OURO_CPYTHON_LOCK_H
#define OURO_CPYTHON_LOCK_H

#include "cpython/type.h"

/* Which objects have something that a thread waits for (type->waitable). */
enum ouro_waitable {
    OURO_WAITABLE_NOT,
    OURO_WAITABLE_LOCK,   /* _thread.lock */
    OURO_WAITABLE_RLOCK,  /* _thread.RLock and what derives from it */
    OURO_WAITABLE_THREAD, /* _thread._ThreadHandle (3.13 on) */
};
enum ouro_waitable ouro_waitable_of_type(const struct ouro_python *python, ouro_addr type);

/* Whether the object is a lock that is locked. *owner: the ident of who has it, 0 of a Lock; *count: how often. */
bool ouro_lock_is_locked(const struct ouro_python *python, const struct ouro_type *type, ouro_addr object, uint64_t *owner,
                         uint64_t *count);

/* What a thread that waits for the object (of a waitable type) waits at: its semaphore, or (3.13 on) what it has parked
 * at. 0: unknown. */
ouro_addr ouro_waitable_address(const struct ouro_python *python, const struct ouro_type *type, ouro_addr object);

/* What a thread that sleeps in futex(2) at that address waits for: *gil, or an address as ouro_waitable_address gives it,
 * where it is one. */
ouro_addr ouro_lock_waits_at(const struct ouro_python *python, ouro_addr futex, bool *gil);

#endif
