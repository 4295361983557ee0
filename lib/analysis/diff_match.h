/* Which objects of two snapshots are the same.
 *
 * Of one process at two times: by address, and by more than that, as addresses are used again. What contradicts (another type,
 * another value of what can't change, a tuple's other items, a younger generation, a finalizer that has not run any more) makes
 * it two objects; what supports (a holder that survived, referents of its own in common, an equal value) makes it probably one.
 * Certain survivors are only those that nothing can have replaced: immortal objects, static types, what the interpreter holds
 * for its lifetime, objects of a generation that no collection in between can have moved anything to, as long as they are in the
 * order of the collector's list; and the items of tuples that are certain.
 *
 * Of different processes: from the roots downwards, along references that are called the same (attribute, key, index) to
 * objects of types of the same name. Nothing is certain then. */
#ifndef OURO_ANALYSIS_DIFF_MATCH_H
#define OURO_ANALYSIS_DIFF_MATCH_H

#include "analysis/diff_side.h"

enum ouro_diff_verdict {
    OURO_DIFF_NEW_CERTAIN,      /* of an object of the other side: gone */
    OURO_DIFF_NEW_PROBABLE,
    OURO_DIFF_SURVIVED_CERTAIN,
    OURO_DIFF_SURVIVED_PROBABLE,
    OURO_DIFF_VERDICT_COUNT
};

struct ouro_diff_match {
    struct ouro_diff_side *before, *after; /* borrowed */
    bool same_process;
    ouro_node *to_after, *to_before; /* owned; by object of one side: the other side's, or OURO_NODE_NONE */
    uint8_t *before_verdict, *after_verdict; /* owned; enum ouro_diff_verdict; NULL unless of the same process */
    uint64_t reused_count; /* addresses at which another object stands now */
};

/* Whether the snapshots say that they are of one process: the same host, pid, start and hash seed. */
bool ouro_diff_same_process(const struct ouro_heap_model *before, const struct ouro_heap_model *after);
/* 5 bytes an object of both sides; of one process, while it runs, 4 more of `before` and of what only its holder decides about,
 * and a bit or two of each. O(objects + references). */
enum ouro_status ouro_diff_match_init(struct ouro_diff_match *match, struct ouro_diff_side *before,
                                      struct ouro_diff_side *after, struct ouro_err *err);
void ouro_diff_match_fini(struct ouro_diff_match *match);

#endif
