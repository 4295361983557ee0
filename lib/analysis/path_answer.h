/* What keeps an object: its shortest paths, or why there is none. */
#ifndef OURO_ANALYSIS_PATH_ANSWER_H
#define OURO_ANALYSIS_PATH_ANSWER_H

#include "analysis/neighbours.h"
#include "analysis/path.h"

/* A search, and the roots that no name has, which are computed only when something is not found otherwise. */
struct ouro_path_finder {
    struct ouro_heap_model *model; /* borrowed */
    struct ouro_path_search search;
    struct ouro_collector collector;
    struct ouro_roots roots;
    bool has_collector, has_roots;
};

enum ouro_status ouro_path_finder_init(struct ouro_path_finder *finder, struct ouro_heap_model *model,
                                       struct ouro_err *err);
void ouro_path_finder_fini(struct ouro_path_finder *finder);
/* One search for all of them; NULL: for every object. From native references and garbage where named roots do not find all. */
enum ouro_status ouro_path_finder_run(struct ouro_path_finder *finder, const ouro_node *targets, size_t count,
                                      struct ouro_err *err);

struct ouro_path_answer {
    ouro_node node;
    struct ouro_path_item {
        struct ouro_path path;
        struct ouro_path_text text;
    } *items; /* owned; shortest first; none: nothing that is known reaches it */
    size_t count, capacity;
    bool exhausted; /* there is no further path that shares nothing with these */
    struct ouro_neighbours holders; /* where there is no path, or it is garbage: what refers to it */
};

/* At most `most` paths. most > 1 searches again for each, and leaves the search as it was for this object alone. */
enum ouro_status ouro_path_answer_init(struct ouro_path_answer *answer, struct ouro_path_finder *finder, ouro_node node,
                                       size_t most, struct ouro_err *err);
void ouro_path_answer_fini(struct ouro_path_answer *answer);

#endif
