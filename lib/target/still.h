/* Whether anything of a process ran between two moments, told without stopping it.
 *
 * Each thread's state, how often it was switched out and for how long it ran, of /proc: whoever ran in between was switched out since, or
 * is running now. What others write into the process (a debugger, the kernel for a call that was begun before) does not show here: see
 * ouro_still_is_held. */
#ifndef OURO_TARGET_STILL_H
#define OURO_TARGET_STILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ouro_still {
    struct ouro_still_thread {
        pid_t tid;
        char state;
        uint64_t switches, ran_ns; /* ran_ns 0 where the kernel does not count it */
    } *items; /* owned; in the order of the folder */
    size_t count, capacity;
    bool frozen;     /* by its cgroup, wholly */
    bool failed;     /* not to be told */
};

/* Zero-initialised is empty. O(threads). */
void ouro_still_look(struct ouro_still *still, pid_t pid);
/* Every thread was held: stopped by a signal or a tracer, or frozen. */
bool ouro_still_is_held(const struct ouro_still *still);
/* No thread ran between the two looks, and none came or went. */
bool ouro_still_same(const struct ouro_still *before, const struct ouro_still *after);
void ouro_still_fini(struct ouro_still *still);

/* Whether its cgroup is frozen, wholly, and which that is; *stoppable: ptrace can stop it all the same (cgroup v2). */
bool ouro_still_is_frozen(pid_t pid, char *group, size_t capacity, bool *stoppable);

#endif
