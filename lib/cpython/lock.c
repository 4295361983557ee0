#include "cpython/lock.h"

#define BASES_MAX 512
#define FLAG_IMMUTABLE (UINT64_C(1) << 8) /* Py_TPFLAGS_IMMUTABLETYPE, 3.10 on */
#define MUTEX_LOCKED 1                    /* _Py_LOCKED of PyMutex.v */

enum ouro_waitable ouro_waitable_of_type(const struct ouro_python *python, ouro_addr type)
{
    static const struct {
        const char *name;
        enum ouro_waitable waitable;
    } names[] = {
        {"_thread.lock",          OURO_WAITABLE_LOCK  },
        {"_thread.RLock",         OURO_WAITABLE_RLOCK },
        {"_thread._ThreadHandle", OURO_WAITABLE_THREAD},
    };
    const struct ouro_layout *layout = python->layout;
    for (unsigned depth = 0; type && depth < BASES_MAX; depth++) {
        const unsigned char *bytes = ouro_image_at(python->image, type, (uint64_t)layout->type_sizeof);
        uint64_t flags = bytes ? ouro_load_u64(bytes + layout->tp_flags) : 0;
        char name[32];
        if (!bytes)
            return OURO_WAITABLE_NOT;
        /* A class that a program makes can have any name, but is not immutable. */
        bool of_c = !(flags & OURO_FLAG_HEAPTYPE) || flags & FLAG_IMMUTABLE;
        ouro_addr text = ouro_load_u64(bytes + layout->tp_name);
        if (of_c && ouro_space_read_text(&python->image->space, text, name, sizeof name) == OURO_OK)
            for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                if (strcmp(name, names[i].name) == 0)
                    return names[i].waitable;
        type = ouro_load_u64(bytes + layout->tp_base);
    }
    return OURO_WAITABLE_NOT;
}

/* Where a Lock has its mutex; -1: it has a semaphore. */
static int32_t mutex_of_lock(const struct ouro_layout *layout, const struct ouro_type *type)
{
    if (layout->lock_mutex >= 0)
        return layout->lock_mutex;
    return layout->lock_later_sizeof && type->basicsize == layout->lock_later_sizeof ? layout->lock_later_mutex : -1;
}

static bool is_locked(const struct ouro_python *python, ouro_addr mutex)
{
    const unsigned char *byte = ouro_image_at(python->image, mutex, 1);
    return byte && *byte & MUTEX_LOCKED;
}

bool ouro_lock_is_locked(const struct ouro_python *python, const struct ouro_type *type, ouro_addr object, uint64_t *owner,
                         uint64_t *count)
{
    const struct ouro_layout *layout = python->layout;
    *owner = 0;
    *count = 1;
    if (type->waitable == OURO_WAITABLE_LOCK) {
        int32_t mutex = mutex_of_lock(layout, type);
        if (mutex >= 0)
            return is_locked(python, object + (ouro_addr)mutex);
        const unsigned char *locked = ouro_image_at(python->image, object + (ouro_addr)layout->lock_locked, 1);
        return locked && *locked;
    }
    if (type->waitable != OURO_WAITABLE_RLOCK)
        return false;
    *owner = ouro_python_word(python, object + (ouro_addr)layout->rlock_owner);
    if (layout->rlock_mutex < 0) { /* PyThread_ident_t; its holder has taken it rlock_count times */
        *count = ouro_python_word(python, object + (ouro_addr)layout->rlock_count);
        return *count != 0;
    }
    /* _PyRecursiveMutex: how often more than once. */
    *count = ouro_python_word(python, object + (ouro_addr)layout->rlock_level) + 1;
    return is_locked(python, object + (ouro_addr)layout->rlock_mutex);
}

ouro_addr ouro_waitable_address(const struct ouro_python *python, const struct ouro_type *type, ouro_addr object)
{
    const struct ouro_layout *layout = python->layout;
    int32_t mutex;
    ouro_addr handle;
    switch ((enum ouro_waitable)type->waitable) {
    case OURO_WAITABLE_LOCK:
        mutex = mutex_of_lock(layout, type);
        return mutex >= 0 ? object + (ouro_addr)mutex : ouro_python_word(python, object + (ouro_addr)layout->lock_semaphore);
    case OURO_WAITABLE_RLOCK:
        return layout->rlock_mutex >= 0 ? object + (ouro_addr)layout->rlock_mutex
                                        : ouro_python_word(python, object + (ouro_addr)layout->rlock_semaphore);
    case OURO_WAITABLE_THREAD:
        handle = layout->handle_handle >= 0 ? ouro_python_word(python, object + (ouro_addr)layout->handle_handle) : 0;
        return handle ? handle + (ouro_addr)layout->handle_exiting : 0;
    case OURO_WAITABLE_NOT:
        break;
    }
    return 0;
}

/* struct _gil_runtime_state: its mutex and its conditions. */
static bool is_of_gil(const struct ouro_python *python, ouro_addr futex)
{
    const struct ouro_layout *layout = python->layout;
    for (size_t i = 0; i < python->interpreter_count; i++) {
        ouro_addr gil = layout->interp_gil >= 0
                            ? ouro_python_word(python, python->interpreters[i].addr + (ouro_addr)layout->interp_gil)
                            : python->runtime.addr + (ouro_addr)layout->runtime_gil;
        if (gil && futex >= gil && futex - gil < (ouro_addr)layout->gil_sizeof)
            return true;
    }
    return false;
}

ouro_addr ouro_lock_waits_at(const struct ouro_python *python, ouro_addr futex, bool *gil)
{
    const struct ouro_layout *layout = python->layout;
    *gil = is_of_gil(python, futex);
    if (*gil || layout->wait_node < 0 || futex & 7)
        return futex;
    /* Parked (Python/parking_lot.c): the semaphore lies in a struct wait_entry on the thread's stack, which stands in a list.
     * Who is to go on is taken off it, and its two links are NULL. */
    ouro_addr entry = futex - (ouro_addr)layout->wait_semaphore, node = entry + (ouro_addr)layout->wait_node;
    const unsigned char *links = ouro_image_at(python->image, node, 16);
    ouro_addr next = links ? ouro_load_u64(links) : 0, previous = links ? ouro_load_u64(links + 8) : 0;
    if (next && previous && ouro_python_word(python, next + 8) == node && ouro_python_word(python, previous) == node)
        return ouro_python_word(python, entry + (ouro_addr)layout->wait_addr);
    return futex;
}
