/* The shortest paths to all objects of a type, merged from the roots: which holders how many of them come through.
 *
 * Every object counts once, along its shortest path (path.h). A row stands for one place: objects that differ from each other
 * by index or key only are one row, `[*]`. Rows of which each leads to the next alone are one: `.registry._items[*]`. */
#ifndef OURO_ANALYSIS_PATH_TREE_H
#define OURO_ANALYSIS_PATH_TREE_H

#include "analysis/path_answer.h"

#define OURO_PATH_TREE_EXAMPLES 3
#define OURO_PATH_TREE_DEPTH_MAX 100

struct ouro_path_tree_query {
    const char *type; /* as in pattern.h */
    size_t limit;     /* rows below each; 0: all */
    unsigned depth;   /* levels, at most OURO_PATH_TREE_DEPTH_MAX; 0: so many */
};

struct ouro_path_tree_row {
    size_t depth;                 /* 0: where paths begin; rows below one follow it */
    size_t text_begin, text_size; /* in texts: how it is reached from the row above */
    uint32_t type;                /* of what stands there */
    uint64_t object_count;        /* that stand there */
    uint64_t count, bytes;        /* of the type, there or below */
    uint64_t own_count;           /* of them: there */
    ouro_node examples[OURO_PATH_TREE_EXAMPLES]; /* of the type, there; else one below */
    unsigned example_count;
    uint64_t left_rows, left_count; /* rows below that the query leaves out, and how many of the type they have */
};

struct ouro_path_tree {
    struct ouro_path_tree_row *items; /* owned */
    size_t count, capacity;
    struct ouro_buf texts;
    uint64_t instance_count, instance_bytes;
    uint64_t unreached_count, unreached_bytes; /* neither a root nor garbage reaches them */
    uint64_t left_rows, left_count;            /* at the top */
};

/* 4 bytes an object besides the search's 8, and 64 for each that is on a path. OURO_GONE: no object of such a type. */
enum ouro_status ouro_path_tree_init(struct ouro_path_tree *tree, struct ouro_path_finder *finder,
                                     const struct ouro_path_tree_query *query, struct ouro_err *err);
void ouro_path_tree_fini(struct ouro_path_tree *tree);

#endif
