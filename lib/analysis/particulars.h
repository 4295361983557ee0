/* What is worth telling about an object because of what it is: of a class its instances, of a module its file, of code
 * that runs or waits where it stands, of a lock who has it. */
#ifndef OURO_ANALYSIS_PARTICULARS_H
#define OURO_ANALYSIS_PARTICULARS_H

#include "analysis/stacks.h"

struct ouro_particulars {
    bool is_class;
    uint64_t instance_count, instance_bytes; /* of exactly this class; bytes with native memory */
    ouro_node file;                          /* a module's __file__, a str; or OURO_NODE_NONE */
    bool has_place;                          /* a frame, generator, coroutine or traceback: */
    struct ouro_stack_frame place;           /* function, file, line and state; what it stands on is borrowed */
    bool is_lock, is_locked;                 /* is_locked only where the file tells (has_locks) */
    bool has_locks;                          /* the file has the section that tells which locks are taken */
    uint64_t owner_ident, lock_count;        /* 0: not known who */
    const struct ouro_thread_record *owner;  /* borrowed; NULL: unknown, or no thread of the snapshot */
};

/* Needs the columns of stacks.h, SIZE and NATIVE. O(objects) for classes, else O(its slots). */
void ouro_particulars_find(struct ouro_particulars *particulars, const struct ouro_heap_model *model, ouro_node node);

/* "created", "suspended", "awaiting", "executing", "finished", or "" where it is not known. */
const char *ouro_particulars_state_name(unsigned state);

#endif
