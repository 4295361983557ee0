/* What holds the most, structure aside: the first rows of a dominator tree that are neither roots nor modules nor their
 * dicts; garbage is not among them. Nothing in the list is below something else in it; groups of one type are one, wherever they stand. */
#ifndef OURO_ANALYSIS_LARGEST_H
#define OURO_ANALYSIS_LARGEST_H

#include "analysis/dominator_tree.h"
#include "analysis/path_answer.h"

struct ouro_largest {
    struct ouro_dominator_tree tree; /* owned: the rows are there */
    size_t *items;                   /* owned: numbers of rows, what retains most first */
    size_t count, capacity;
    struct ouro_path_answer *paths;  /* owned; one each, without a path for groups; NULL unless asked for */
};

/* At most `limit` of them, and nothing that retains less than one part in `share` of the whole (0: anything). Cost and memory:
 * those of ouro_dominator_tree_init. */
enum ouro_status ouro_largest_init(struct ouro_largest *largest, struct ouro_heap_model *model,
                                   const struct ouro_roots *roots, const struct ouro_retained *retained, size_t limit,
                                   uint64_t share, struct ouro_err *err);
/* The shortest path to each object. O(objects + references). */
enum ouro_status ouro_largest_find_paths(struct ouro_largest *largest, struct ouro_heap_model *model, struct ouro_err *err);
void ouro_largest_fini(struct ouro_largest *largest);

#endif
