/* What grew, by how it is held.
 *
 * A *newcomer* is an object without a match whose holder has one: the reference to it is where growth entered. Everything
 * that the tree of shortest paths has below it, up to objects that have a match, belongs to it; so each object that came or went counts
 * exactly once. Newcomers that are reached in the same way and are of one type share a row; what went is taken off the row of
 * its own signature; a survivor that changed its size counts in the row of what it holds. The sums over all rows are the
 * differences of the totals. */
#ifndef OURO_ANALYSIS_DIFF_PATHS_H
#define OURO_ANALYSIS_DIFF_PATHS_H

#include "analysis/condition.h"
#include "analysis/diff_match.h"
#include "analysis/path_answer.h"

#define OURO_DIFF_EXAMPLES 3
#define OURO_DIFF_TYPES    4
#define OURO_DIFF_CHAIN    3 /* types behind the first */

enum ouro_diff_root {
    OURO_DIFF_ROOT_NAMED,       /* a path leads to it */
    OURO_DIFF_ROOT_NATIVE,      /* native references alone hold it */
    OURO_DIFF_ROOT_INTERPRETER, /* an interpreter came or went */
    OURO_DIFF_ROOT_GARBAGE,     /* nothing but garbage: a collection would free it */
    OURO_DIFF_ROOT_NOTHING,     /* not reached by anything known */
};
/* "named", "native", "interpreter", "garbage", "nothing" */
const char *ouro_diff_root_name(enum ouro_diff_root root);

struct ouro_diff_path_type {
    uint32_t type; /* a label */
    int64_t count, bytes;
};

struct ouro_diff_path_row {
    uint32_t signature, type; /* type: a label, of the newcomers */
    uint32_t chain[OURO_DIFF_CHAIN], chain_count; /* types of what the newcomers hold most of: -> Session -> dict */
    enum ouro_diff_root root;
    uint64_t new_count, new_bytes, gone_count, gone_bytes;
    uint64_t newcomer_count, leaver_count; /* objects that are held there directly */
    int64_t resized_bytes;                 /* of survivors */
    bool suppressed;
    /* Only of rows that were detailed. */
    bool detailed;
    ouro_node container;        /* what grew most, of the snapshot after (or before, where things only went); or NONE */
    ouro_node container_before; /* it in the other one, or NONE */
    bool in_before;             /* container is of the snapshot before */
    bool container_holds;       /* it is a container; else the newcomer itself is named */
    int64_t length_before, length_after; /* -1: none, or not found */
    uint64_t container_count;   /* others of this row grew as well: how many in all */
    struct ouro_path_item path; /* owned; of the container */
    ouro_node examples[OURO_DIFF_EXAMPLES];
    size_t example_count;
    struct ouro_diff_path_type types[OURO_DIFF_TYPES]; /* what came and went in this row, most bytes first */
    size_t type_count;
};

static inline int64_t ouro_diff_path_count(const struct ouro_diff_path_row *row)
{
    return (int64_t)row->new_count - (int64_t)row->gone_count;
}

static inline int64_t ouro_diff_path_bytes(const struct ouro_diff_path_row *row)
{
    return (int64_t)row->new_bytes - (int64_t)row->gone_bytes + row->resized_bytes;
}

struct ouro_diff_newcomer {
    ouro_node node;
    uint32_t row;
    uint64_t count, bytes;
};

/* Numbers by row: those of row r are items[begin[r] .. begin[r + 1]), ascending. */
struct ouro_diff_by_row {
    size_t *begin;   /* owned */
    uint32_t *items; /* owned */
};

struct ouro_diff_paths {
    const struct ouro_diff_match *match; /* borrowed */
    struct {
        struct ouro_diff_path_row *items; /* owned; what grew most first, garbage behind all that is held; rows without a change are left out */
        size_t count, capacity;
    } rows;
    struct ouro_diff_arrivals {
        struct {
            struct ouro_diff_newcomer *items; /* owned */
            size_t count, capacity;
        } newcomers;
        ouro_node *items; /* owned; what came: holders before what they hold, then what nothing reaches */
        size_t count, capacity;
        uint32_t *owner; /* owned; by object: which of newcomers, and 1; 0: it has a match */
        struct ouro_diff_by_row newcomers_of, items_of;
    } after, before;     /* before: what went */
    struct {
        struct ouro_diff_resized {
            ouro_node before, after;
        } *items; /* owned; survivors that changed their size */
        size_t count, capacity;
    } resized;
    uint64_t threshold;  /* bytes: rows that grew by less are noise */
    struct ouro_diff_noise {
        uint64_t rows;
        int64_t count, bytes;
    } noise, suppressed;
    int64_t count, bytes; /* of all rows */
};

/* 4 bytes an object of both sides, and what differs. Names what came, went or changed its size. threshold UINT64_MAX: 32 KiB, or one part in a hundred of all growth if that
 * is more. suppressions may be NULL. O(objects + references). */
enum ouro_status ouro_diff_paths_init(struct ouro_diff_paths *paths, const struct ouro_diff_match *match, uint64_t threshold,
                                      struct ouro_suppressions *suppressions, struct ouro_err *err);
void ouro_diff_paths_fini(struct ouro_diff_paths *paths);
/* Whether the row is one to show: not suppressed, not below the threshold either way. */
bool ouro_diff_paths_is_shown(const struct ouro_diff_paths *paths, const struct ouro_diff_path_row *row);
/* Finds the container, examples and types of a row. O(what came or went in it, and what changed its size). */
enum ouro_status ouro_diff_paths_detail(struct ouro_diff_paths *paths, struct ouro_diff_path_row *row, struct ouro_err *err);
/* An example of a row that was detailed: where it is in its container, what it is, and the plain values among its attributes. */
void ouro_diff_paths_add_example(const struct ouro_diff_paths *paths, const struct ouro_diff_path_row *row, size_t i,
                                 struct ouro_buf *out);
/* "sys.modules['app'].CACHE[*] -> Session -> dict" */
void ouro_diff_paths_add(const struct ouro_diff_paths *paths, const struct ouro_diff_path_row *row, struct ouro_buf *out);

#endif
