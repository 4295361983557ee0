/* The dominator tree from the top, as far as somebody wants to see it: rows in preorder.
 *
 * At the top stand four sections: what named roots reach, what only native code keeps, what only garbage keeps, and
 * what nothing reaches at all. An object that several roots reach, named ones among them, stands under the named roots;
 * one that several native references share, under native code. Native roots and instance dicts have no rows of their
 * own: what an object's `__dict__` dominates stands below the object, under the names of its attributes.
 *
 * A row either has no rows below it, or they and its own shallow size make up what it retains: what is left out for its
 * size or number is summed in a last row. */
#ifndef OURO_ANALYSIS_DOMINATOR_TREE_H
#define OURO_ANALYSIS_DOMINATOR_TREE_H

#include "analysis/retained.h"
#include "base/buf.h"

enum ouro_dominator_kind {
    OURO_DOMINATOR_SECTION,
    OURO_DOMINATOR_OBJECT, /* or a root */
    OURO_DOMINATOR_GROUP,  /* several siblings of one type or module */
    OURO_DOMINATOR_REST,   /* siblings that are left out */
};

enum ouro_dominator_section {
    OURO_DOMINATOR_NAMED,
    OURO_DOMINATOR_NATIVE,
    OURO_DOMINATOR_GARBAGE,
    OURO_DOMINATOR_UNREACHED,
    OURO_DOMINATOR_SECTION_COUNT
};

enum ouro_dominator_grouping {
    OURO_DOMINATOR_GROUP_SMALL, /* one by one; those left out by type, as far as they are large together */
    OURO_DOMINATOR_GROUP_NONE,  /* one by one */
    OURO_DOMINATOR_GROUP_TYPE,  /* all siblings by type; below a group are the children of all its members */
    OURO_DOMINATOR_GROUP_MODULE, /* by the module of their types */
};

struct ouro_dominator_row {
    enum ouro_dominator_kind kind;
    enum ouro_dominator_section section; /* it is, or it is in */
    uint32_t level;        /* 0: the top */
    uint32_t type;         /* of objects and of groups by type, else OURO_TYPE_NONE */
    size_t parent;         /* its row; SIZE_MAX at the top */
    ouro_node node;        /* the object or virtual root, of a group the largest; OURO_NODE_NONE: a section or a rest */
    ouro_node dict;        /* of an object: its __dict__, when that is dominated and so has no row, or OURO_NODE_NONE */
    ouro_node through;     /* the dict or native root between the parent's object and it, or OURO_NODE_NONE */
    ouro_node owner;       /* of what several hold: the first object whose __dict__ it is, or the first named root that
                            * refers to it, or OURO_NODE_NONE */
    uint64_t count;        /* objects: 1; sections: all that stands directly below */
    uint64_t retained_bytes;
    uint64_t shallow_bytes; /* dict included; of a group the sum; of sections 0 */
    uint64_t object_count; /* objects that it dominates, and itself; roots and frames are none */
    size_t label, label_size; /* into labels: how its dominator (or that one's __dict__) refers to it; 0: not */
};

struct ouro_dominator_query {
    ouro_node top;         /* the tree of this object or root; OURO_NODE_NONE: all */
    size_t depth;          /* levels below the top; 0: all */
    size_t child_count;    /* rows below each, groups apart; 0: all */
    uint64_t retained_min; /* smaller rows are left out */
    double share_min;      /* the same, in percent of what the top retains */
    enum ouro_dominator_grouping grouping;
};

struct ouro_dominator_tree {
    struct ouro_dominator_row *items; /* owned */
    size_t count, capacity;
    struct ouro_buf labels;
    uint64_t total_bytes, object_count; /* of the whole snapshot: the sums of the sections */
    uint64_t retained_min;              /* what query came to, in bytes */
};

/* The columns it needs besides those of the roots (loaded when missing). */
#define OURO_DOMINATOR_TREE_COLUMNS (OURO_HEAP_SLOTS | OURO_HEAP_ADDR | OURO_HEAP_VALUES | OURO_HEAP_FLAGS)

/* 12 bytes a node while it runs, besides what is shown and 12 bytes for each child of the row that is being expanded.
 * O(nodes + references) as long as the children of a row that pass the limits are few; these are sorted. OURO_INVAL: no
 * such node. */
enum ouro_status ouro_dominator_tree_init(struct ouro_dominator_tree *tree, struct ouro_heap_model *model,
                                          const struct ouro_roots *roots, const struct ouro_retained *retained,
                                          const struct ouro_dominator_query *query, struct ouro_err *err);
void ouro_dominator_tree_fini(struct ouro_dominator_tree *tree);

/* "named", "native", "garbage", "unreached": as --json and the manual call them. */
const char *ouro_dominator_section_name(enum ouro_dominator_section section);

/* One object's dominators, from the immediate one up to the last that is an object or a root. */
struct ouro_dominator_chain {
    ouro_node *items;      /* owned; at most as many as were asked for */
    size_t count, capacity;
    uint64_t total;
    uint64_t object_count; /* what the object dominates, itself included; as in rows */
    bool reached;          /* by some root */
};

/* most: 0 for all. 4 bytes a node while it runs. */
enum ouro_status ouro_dominator_chain_init(struct ouro_dominator_chain *chain, const struct ouro_heap_model *model,
                                           const struct ouro_retained *retained, ouro_node node, size_t most,
                                           struct ouro_err *err);
void ouro_dominator_chain_fini(struct ouro_dominator_chain *chain);

/* The slot by which `holder` refers to `node`, its first that owns; false when there is none (or holder is virtual).
 * O(slots of holder). */
bool ouro_dominator_slot(const struct ouro_heap_model *model, ouro_node holder, ouro_node node,
                         struct ouro_slot *slot);

#endif
