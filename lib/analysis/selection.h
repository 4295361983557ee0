/* Objects by predicate, and the first of them in some order. */
#ifndef OURO_ANALYSIS_SELECTION_H
#define OURO_ANALYSIS_SELECTION_H

#include "analysis/retained.h"

#define OURO_SELECTION_ANY_GENERATION (-2)

enum ouro_selection_sort {
    OURO_SELECTION_BY_ADDRESS,
    OURO_SELECTION_BY_SIZE, /* largest first; so the next two */
    OURO_SELECTION_BY_REFCOUNT,
    OURO_SELECTION_BY_RETAINED,
    OURO_SELECTION_BY_TYPE,
    OURO_SELECTION_BY_UNEXPLAINED, /* most first */
};

struct ouro_selection_query {
    const char *type, *module; /* as in pattern.h; NULL: any */
    const char *value;         /* glob on the text of a str, or on the value as shown; NULL: any */
    uint64_t size_min, size_max; /* of size and native together */
    uint64_t retained_min;
    bool has_refcount;
    uint64_t refcount;
    int generation;            /* -1 not tracked, 0 to 2, 3 frozen; or OURO_SELECTION_ANY_GENERATION */
    bool approximate, unreachable; /* only those */
    uint32_t unexplained_min;      /* references that nothing known explains (roots.h); of immortal objects there are none */
    enum ouro_selection_sort sort;
    size_t limit;              /* 0: all */
};

struct ouro_selection {
    ouro_node *items; /* owned; sorted, at most limit */
    size_t count, capacity;
    uint64_t match_count, match_bytes; /* of all that match */
};

/* The query that everything matches, by address, without a limit. */
struct ouro_selection_query ouro_selection_query_all(void);
/* collector: needed when query asks for unreachable; roots, retained: when it sorts by what they tell or has a least number or
 * size of it (OURO_INVAL without). Pseudo objects match only when `type` names them. */
enum ouro_status ouro_selection_init(struct ouro_selection *selection, struct ouro_heap_model *model,
                                     const struct ouro_selection_query *query, const struct ouro_collector *collector,
                                     const struct ouro_roots *roots, const struct ouro_retained *retained,
                                     struct ouro_err *err);
void ouro_selection_fini(struct ouro_selection *selection);

#endif
