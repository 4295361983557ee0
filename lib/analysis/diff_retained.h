/* What grew in the dominator tree, from the top down, until the growth is explained.
 *
 * Below an object the children that have a match stand by themselves; those that came and those that went are taken together
 * by type. A row is followed by what explains its growth: children that grew by at least a tenth of what the whole grew, or by the
 * threshold when that is more. */
#ifndef OURO_ANALYSIS_DIFF_RETAINED_H
#define OURO_ANALYSIS_DIFF_RETAINED_H

#include "analysis/diff_match.h"

#define OURO_DIFF_LEVELS 12u

struct ouro_diff_retained_row {
    uint32_t level;
    bool is_group;     /* what came or went below the row above, of one type */
    uint32_t type;     /* a label */
    ouro_node node, node_before; /* of an object, else an example of what came (or NONE) */
    uint64_t before_count, after_count; /* of a group: how many; of an object 1 each */
    uint64_t before_bytes, after_bytes; /* retained */
};

struct ouro_diff_retained {
    struct ouro_diff_retained_row *items; /* owned; in preorder, the whole first (level 0: node NONE) */
    size_t count, capacity;
};

/* Both sides with retained sizes. A pass over all objects for each row that is followed. */
enum ouro_status ouro_diff_retained_init(struct ouro_diff_retained *retained, const struct ouro_diff_match *match,
                                         uint64_t threshold, struct ouro_err *err);
void ouro_diff_retained_fini(struct ouro_diff_retained *retained);

#endif
