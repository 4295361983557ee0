/* A process and those below it, as /proc shows them at one moment.
 *
 * Every process's stat is read once. The number of a parent that ended may be another process's by then: only who began
 * no later than its child can be its parent. Knows nothing of what the processes are. */
#ifndef OURO_TARGET_TREE_H
#define OURO_TARGET_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct ouro_tree {
    struct ouro_tree_process {
        pid_t pid, parent;
        uint64_t start_ticks; /* since boot: with the pid it names a process for good */
        unsigned depth;       /* below the first: 0 for itself */
        char state;           /* 'Z': it has ended, and its parent has not asked yet */
        char name[64];        /* as it is: may hold any byte but NUL */
    } *items;                 /* owned: the first process, then each with all below it behind it, siblings by pid */
    size_t count, capacity;
};

/* The process `pid` and all below it. OURO_GONE: no such process. O(n log n) of all processes. */
enum ouro_status ouro_tree_read(struct ouro_tree *tree, pid_t pid, struct ouro_err *err);
/* The same of the processes in `items` (any order; changed), for tests. */
enum ouro_status ouro_tree_build(struct ouro_tree *tree, struct ouro_tree_process *items, size_t count, pid_t pid,
                                 struct ouro_err *err);
/* A line of /proc/PID/stat, terminated; false: it is none. */
bool ouro_tree_parse_stat(const char *stat, struct ouro_tree_process *process);
/* Whether that very process is still there, and not a zombie. */
bool ouro_tree_lives(const struct ouro_tree_process *process);
void ouro_tree_fini(struct ouro_tree *tree);

#endif
