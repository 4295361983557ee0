/* What changed between two snapshots: by type, by holding path, by object, in the dominator tree; and over more than two.
 *
 * Both are open at once. Nothing depends on which was captured first: swapped snapshots give the same rows with the signs turned. */
#ifndef OURO_ANALYSIS_DIFF_H
#define OURO_ANALYSIS_DIFF_H

#include "analysis/diff_paths.h"
#include "analysis/diff_retained.h"

/* Types of one name are one. */
struct ouro_diff_type_row {
    uint32_t type;                      /* a label */
    uint32_t before_type, after_type;   /* one of the model's, or OURO_TYPE_NONE */
    uint64_t before_count, after_count, before_bytes, after_bytes;
};

struct ouro_diff_types {
    struct ouro_diff_type_row *items; /* owned; only what changed; what grew most first */
    size_t count, capacity;
    struct ouro_diff_noise suppressed;
};

/* Objects by verdict; those of one type. [0] certain, [1] probable. */
struct ouro_diff_object_row {
    uint32_t type; /* a label */
    uint64_t new_count[2], gone_count[2], survived_count[2];
};

struct ouro_diff_objects {
    struct ouro_diff_object_row *items; /* owned; only types of which something came or went; what came and went most first */
    size_t count, capacity;
    struct ouro_diff_object_row total;
};

/* Of one interpreter: what its collector did in between. */
struct ouro_diff_collections {
    uint64_t interpreter;
    bool in_before, in_after;
    int64_t collections[OURO_GENERATION_COUNT], collected, uncollectable;
};

struct ouro_diff_between {
    struct ouro_diff_collections *items; /* owned */
    size_t count, capacity;
    uint64_t garbage_before, garbage_after, garbage_bytes_before, garbage_bytes_after;
    double seconds;        /* between the captures; below 0: the first is the later one */
    bool has_seconds;
    bool same_process;
    bool same_program;     /* the same command line, as far as it is known */
    bool same_python;      /* the same version */
};

/* References that nothing known explains, by type of the object: what a native leak looks like without any object growing. */
struct ouro_diff_unexplained_row {
    uint32_t type; /* a label */
    uint64_t before_count, after_count;
    ouro_node node; /* of the snapshot after: the object with the most, or NONE */
};

struct ouro_diff_options {
    uint64_t threshold;                    /* bytes; UINT64_MAX: by itself */
    const char *type;                      /* a pattern; NULL: all. Of rows by type and object */
    struct ouro_suppressions *suppressions; /* borrowed, or NULL */
    bool paths, objects, retained;         /* what to compute besides types */
};

struct ouro_diff {
    struct ouro_diff_side *before, *after; /* borrowed */
    struct ouro_diff_match match;
    struct ouro_diff_types types;
    struct ouro_diff_paths paths;
    struct ouro_diff_objects objects;
    struct ouro_diff_retained retained;
    struct ouro_diff_between between;
    struct {
        struct ouro_diff_unexplained_row *items; /* owned; that grew, by how much */
        size_t count, capacity;
    } unexplained;
    bool has_match, has_paths, has_objects, has_retained;
};

/* Sides with paths, unless only types are asked for. Their dominators run in two more threads beside the rest. */
enum ouro_status ouro_diff_init(struct ouro_diff *diff, struct ouro_diff_side *before, struct ouro_diff_side *after,
                                const struct ouro_diff_options *options, struct ouro_err *err);
void ouro_diff_fini(struct ouro_diff *diff);
/* Whether one of the two was captured without stopping its process. */
bool ouro_diff_is_torn(const struct ouro_diff *diff);
/* The change of all objects without what is suppressed, be it by type or by path; each counts once. Needs paths. OURO_NOMEM. */
enum ouro_status ouro_diff_unsuppressed(const struct ouro_diff *diff, struct ouro_suppressions *suppressions, int64_t *count,
                                        int64_t *bytes);

/* --- More than two snapshots */

enum ouro_diff_trend_kind {
    OURO_DIFF_TREND_LEAK,    /* grows in every step */
    OURO_DIFF_TREND_WARM_UP, /* grew in one step only, and stayed */
    OURO_DIFF_TREND_WAVE,    /* came and went */
    OURO_DIFF_TREND_GROWTH,  /* grew in some steps */
    OURO_DIFF_TREND_SHRINK,
};
/* "every step", "once", "came and went", "some steps", "shrank" */
const char *ouro_diff_trend_name(enum ouro_diff_trend_kind kind);

struct ouro_diff_trend_row {
    uint32_t signature, type; /* signature OURO_SIGNATURE_NONE: of a type */
    enum ouro_diff_root root;
    enum ouro_diff_trend_kind kind;
    int64_t *bytes, *counts; /* owned; by step */
    int64_t total_bytes, total_count;
    uint64_t most; /* bytes of the largest step, either way */
};

struct ouro_diff_trend {
    size_t step_count;
    struct ouro_diff_trend_row *items; /* owned; what grows in every step first, then by bytes */
    size_t count, capacity;
    struct ouro_map row_of;
};

/* Zero-initialised with step_count set is empty. Takes the rows of paths and types of one step. */
enum ouro_status ouro_diff_trend_add(struct ouro_diff_trend *trend, size_t step, const struct ouro_diff *diff);
/* Decides and sorts. names: of all the diffs. */
void ouro_diff_trend_settle(struct ouro_diff_trend *trend, const struct ouro_diff_names *names);
/* The row of a path, or NULL. */
const struct ouro_diff_trend_row *ouro_diff_trend_find(const struct ouro_diff_trend *trend, uint32_t signature, uint32_t type);
void ouro_diff_trend_fini(struct ouro_diff_trend *trend);

#endif
