/* Objects by type, or by the module of their type: how many, how large. Types of the same module and name (a class that
 * is made again and again) share a row. Pseudo objects are not counted. */
#ifndef OURO_ANALYSIS_HISTOGRAM_H
#define OURO_ANALYSIS_HISTOGRAM_H

#include "analysis/retained.h"

struct ouro_histogram_row {
    uint32_t type;       /* one of its types; OURO_TYPE_NONE: objects lost to damage */
    uint32_t type_count; /* how many types share the row */
    uint32_t group;      /* its number in row_of */
    uint64_t count, approximate_count;
    uint64_t shallow_bytes; /* size and native */
    uint64_t native_bytes;
    uint64_t retained_bytes; /* 0 unless asked for; a lower bound unless retained_exact */
    bool retained_exact;
    bool refers;             /* an object of it refers to something */
};

struct ouro_histogram {
    struct ouro_histogram_row *items; /* owned; only those with objects */
    size_t count, capacity;
    uint64_t object_count, shallow_bytes;
    bool by_module;
    uint32_t *row_of; /* owned; by type, lost objects last: row.group, or UINT32_MAX */
};

enum ouro_histogram_sort {
    OURO_HISTOGRAM_BY_SIZE, /* largest first; so all others but the name */
    OURO_HISTOGRAM_BY_COUNT,
    OURO_HISTOGRAM_BY_RETAINED,
    OURO_HISTOGRAM_BY_NAME,
};

/* The columns it needs (loaded when missing). */
#define OURO_HISTOGRAM_COLUMNS (OURO_HEAP_SHAPE | OURO_HEAP_SIZE | OURO_HEAP_FLAGS | OURO_HEAP_NATIVE)

/* Patterns as in pattern.h, NULL for all. retained: NULL, or of the same model; what a type retains counts nothing
 * twice, and is exact for rows of one object and for those whose objects refer to nothing. */
enum ouro_status ouro_histogram_init(struct ouro_histogram *histogram, struct ouro_heap_model *model, const char *type,
                                     const char *module, const struct ouro_retained *retained, struct ouro_err *err);
/* Of these objects only. */
enum ouro_status ouro_histogram_init_of(struct ouro_histogram *histogram, struct ouro_heap_model *model,
                                        const ouro_node *nodes, size_t count, struct ouro_err *err);
/* The same by module. */
enum ouro_status ouro_histogram_init_modules(struct ouro_histogram *histogram, struct ouro_heap_model *model,
                                             const char *type, const char *module,
                                             const struct ouro_retained *retained, struct ouro_err *err);
/* Makes the retained sizes of the first `limit` rows (0: all) exact: a traversal of the whole heap for each of them
 * that is not. 9 bytes an object while it runs. roots: those of `retained`. */
enum ouro_status ouro_histogram_make_exact(struct ouro_histogram *histogram, const struct ouro_roots *roots,
                                           size_t limit, struct ouro_err *err);
void ouro_histogram_fini(struct ouro_histogram *histogram);
/* Ties by name, so that the order is the same everywhere. */
void ouro_histogram_sort(struct ouro_histogram *histogram, const struct ouro_heap_model *model,
                         enum ouro_histogram_sort sort);

#endif
