#include "capture/futexes.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

/* The address of the futex a thread sleeps at; 0: it sleeps for something else, or not. Which call was begun again
 * (restart_syscall) may not be known; of those that can be, only this one has an address that is met as its first argument. */
static ouro_addr futex_of(const struct ouro_thread_state *state)
{
    bool futex = state->syscall == SYS_futex || state->syscall == SYS_restart_syscall;
    return futex ? state->arguments[0] : 0;
}

enum ouro_status ouro_futexes_init(struct ouro_futexes *waits, const struct ouro_python *python,
                                 const struct ouro_thread_state *states, size_t state_count)
{
    *waits = (struct ouro_futexes){.python = python, .states = states, .state_count = state_count};
    for (size_t i = 0; i < state_count; i++) {
        bool gil, added;
        ouro_addr futex = futex_of(&states[i]), address = futex ? ouro_lock_waits_at(python, futex, &gil) : 0;
        if (address && !ouro_map_put(&waits->addresses, address, &added))
            return OURO_NOMEM;
        /* Where its registers are not known a thread is found by its number, which Python and we may not count alike. */
        uint64_t *place = states[i].base ? ouro_map_put(&waits->by_ident, states[i].base, NULL)
                                         : ouro_map_put(&waits->by_number, (uint64_t)states[i].tid, NULL);
        if (!place)
            return OURO_NOMEM;
        *place = i;
    }
    return OURO_OK;
}

void ouro_futexes_fini(struct ouro_futexes *waits)
{
    ouro_map_fini(&waits->addresses);
    ouro_map_fini(&waits->by_ident);
    ouro_map_fini(&waits->by_number);
}

#define WAITABLE_BITS 2

void ouro_futexes_meet(struct ouro_futexes *waits, const struct ouro_type *type, ouro_addr object, ouro_node node)
{
    ouro_addr address = ouro_waitable_address(waits->python, type, object);
    uint64_t *met = address ? ouro_map_find(&waits->addresses, address) : NULL;
    if (met)
        __atomic_store_n(met, (uint64_t)node << WAITABLE_BITS | type->waitable, __ATOMIC_RELAXED);
}

const struct ouro_thread_state *ouro_futexes_state(const struct ouro_futexes *waits, uint64_t ident, uint64_t native_id)
{
    const uint64_t *found = ident ? ouro_map_find(&waits->by_ident, ident) : NULL;
    if (!found && native_id)
        found = ouro_map_find(&waits->by_number, native_id);
    return found ? &waits->states[*found] : NULL;
}

/* Waiting for the GIL goes in steps of some milliseconds: between two of them a thread is on its way back from a wait that was over,
 * and goes on waiting. Wakes (FUTEX_WAKE) are of who lets go of it. */
static bool is_between_waits(const struct ouro_futexes *waits, const struct ouro_thread_state *state)
{
    uint64_t operation = state->arguments[1] & FUTEX_CMD_MASK;
    bool gil = false;
    if (state->leaving == SYS_futex && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET))
        ouro_lock_waits_at(waits->python, state->arguments[0], &gil);
    return gil;
}

bool ouro_futexes_find(struct ouro_futexes *waits, const struct ouro_thread_state *state, struct ouro_wait_record *record)
{
    bool gil = false, between = is_between_waits(waits, state);
    ouro_addr futex = futex_of(state), address = futex ? ouro_lock_waits_at(waits->python, futex, &gil) : 0;
    const uint64_t *met = address ? ouro_map_find(&waits->addresses, address) : NULL;
    gil = gil || between;
    if ((!futex && !gil) || (futex && state->syscall != SYS_futex && !gil && !(met && *met)))
        return false;
    record->kind = OURO_WAIT_OTHER;
    record->node = OURO_NODE_NONE;
    if (gil) {
        record->kind = OURO_WAIT_GIL;
    } else if (met && *met) {
        bool thread = (*met & ((1u << WAITABLE_BITS) - 1)) == OURO_WAITABLE_THREAD;
        record->kind = thread ? OURO_WAIT_THREAD : OURO_WAIT_LOCK;
        record->node = (ouro_node)(*met >> WAITABLE_BITS);
    }
    return true;
}
