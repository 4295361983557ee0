/* What threads sleep for: from the futex of each to the object that has it. */
#ifndef OURO_CAPTURE_FUTEXES_H
#define OURO_CAPTURE_FUTEXES_H

#include "base/map.h"
#include "cpython/lock.h"
#include "snapshot/schema.h"
#include "target/process.h"

struct ouro_futexes {
    const struct ouro_python *python; /* borrowed, as the next */
    const struct ouro_thread_state *states;
    size_t state_count;
    struct ouro_map by_ident, by_number; /* which of the states */
    struct ouro_map addresses; /* that somebody waits at -> the object, as a node and its enum ouro_waitable; 0: not met */
};

/* OURO_NOMEM. O(threads). */
enum ouro_status ouro_futexes_init(struct ouro_futexes *waits, const struct ouro_python *python,
                                 const struct ouro_thread_state *states, size_t state_count);
void ouro_futexes_fini(struct ouro_futexes *waits);

/* Tells of an object of a waitable type. From any thread. O(1). */
void ouro_futexes_meet(struct ouro_futexes *waits, const struct ouro_type *type, ouro_addr object, ouro_node node);

/* The state of the thread with this ident (pthread_self()) or, where registers are not known, native id; NULL: none. */
const struct ouro_thread_state *ouro_futexes_state(const struct ouro_futexes *waits, uint64_t ident, uint64_t native_id);

/* After all objects were told of: what a thread in this state waits for. False: for nothing that the record could say. The
 * record's thread is the caller's to set. */
bool ouro_futexes_find(struct ouro_futexes *waits, const struct ouro_thread_state *state, struct ouro_wait_record *record);

#endif
