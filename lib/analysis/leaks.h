/* Leak suspects of one snapshot: what holds much, what has grown far beyond its like, what should have gone, what is wasted.
 * Each with its evidence in words, its bytes, its path, and the command that shows more.
 *
 * Nothing here is a proof: one snapshot does not show growth (ouro diff does). Suspects come largest first; what wastes
 * memory without being a leak (duplicated strings, empty containers) comes behind them. */
#ifndef OURO_ANALYSIS_LEAKS_H
#define OURO_ANALYSIS_LEAKS_H

#include "analysis/path_answer.h"
#include "analysis/retained.h"

enum ouro_leak_kind {
    OURO_LEAK_OBJECT,       /* one object that retains much, with the place where it accumulates */
    OURO_LEAK_GROUP,        /* many objects of one type that retain much together */
    OURO_LEAK_OUTLIER,      /* a container far larger than those of the same name in other objects */
    OURO_LEAK_CACHE,        /* lru_cache(None): nothing bounds it */
    OURO_LEAK_MODULE,       /* a large container that is a module's global or a class's attribute */
    OURO_LEAK_TRACEBACKS,   /* kept exceptions, which keep frames and their locals */
    OURO_LEAK_TASKS,        /* asyncio tasks that are done */
    OURO_LEAK_THREADS,      /* threading.Thread objects whose threads ended */
    OURO_LEAK_GENERATORS,   /* many suspended generators of one function */
    OURO_LEAK_UNEXPLAINED,  /* references that nothing known explains */
    OURO_LEAK_UNCOLLECTABLE, /* gc.garbage holds something */
    OURO_LEAK_STRINGS,      /* equal strings, many times */
    OURO_LEAK_EMPTY,        /* empty containers */
    OURO_LEAK_SPARSE,       /* containers that are mostly room */
    OURO_LEAK_KIND_COUNT
};
/* "object", "group", "cache" ... as --json has them. */
const char *ouro_leak_name(enum ouro_leak_kind kind);
/* Whether it wastes memory only. */
bool ouro_leak_is_waste(enum ouro_leak_kind kind);

/* A word of a command as a shell takes it: in quotes where it needs them. */
void ouro_leak_add_word(struct ouro_buf *out, const void *bytes, size_t size);

struct ouro_leak {
    enum ouro_leak_kind kind;
    uint32_t type;       /* of what is meant, or OURO_TYPE_NONE */
    ouro_node node;      /* the object, or an example; OURO_NODE_NONE: none */
    ouro_node place;     /* where it accumulates, or of a group what holds most of them; OURO_NODE_NONE: itself, or nothing */
    uint64_t count;      /* objects; of containers their items */
    uint64_t bytes;      /* retained; of waste: lost */
    struct ouro_buf text;    /* one sentence without the path, UTF-8, not escaped */
    struct ouro_buf command; /* what shows more, after "ouro " and with SNAPSHOT for the file */
    struct ouro_path_answer path, place_path; /* of node and place; no item: none was looked for */
};

struct ouro_leaks_query {
    uint64_t bytes_min;  /* smaller suspects are left out; 0: a hundredth of the whole, at least 64 KiB */
    size_t limit;        /* suspects of one kind; 0: all */
    uint64_t many;       /* from so many objects or items on; 0: as many as a sound program seldom has, by kind */
};

struct ouro_leaks {
    struct ouro_leak *items; /* owned */
    size_t count, capacity;
    uint64_t total_bytes, bytes_min;
    uint64_t left_count;     /* suspects that the limit left out */
};

/* roots and retained: of the model. Loads all columns. 16 bytes an object while it runs, and what a path search takes. O(objects +
 * references), strings are sorted by a hash. */
enum ouro_status ouro_leaks_init(struct ouro_leaks *leaks, struct ouro_heap_model *model, const struct ouro_roots *roots,
                                 const struct ouro_retained *retained, const struct ouro_leaks_query *query,
                                 struct ouro_err *err);
void ouro_leaks_fini(struct ouro_leaks *leaks);

#endif
