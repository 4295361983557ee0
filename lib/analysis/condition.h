/* Conditions for CI (--fail-on) and suppression files, as all commands that have them read them.
 *
 *     CONDITION := SELECTOR* METRIC OP NUMBER      type=app.User count>+100
 *     SELECTOR  := type=PATTERN | path=PATTERN     a pattern with blanks goes in quotes, ' or "; \' and \" are those
 *     OP        := > | >= | < | <= | == | !=
 *     NUMBER    := [+ | -] decimal [UNIT] [%]      units K, M, G, T (powers of 1024) of metrics that are bytes
 *
 * A number with a sign is held against the change between two snapshots, with % against the change in percent of what
 * was before; without a sign against what is. Type patterns are those of pattern.h. In path patterns only * is special:
 * it stands for any text, itself included, so that a printed signature is a pattern of itself.
 *
 * A suppression file has one SELECTOR, or several that must all match, on a line; empty lines and what follows a # at
 * the beginning of a line or behind a blank, but not in quotes, are comments. */
#ifndef OURO_ANALYSIS_CONDITION_H
#define OURO_ANALYSIS_CONDITION_H

#include "analysis/heap_model.h"

#define OURO_SELECTOR_BYTES 512

struct ouro_selector {
    char type[OURO_SELECTOR_BYTES], path[OURO_SELECTOR_BYTES]; /* "": any */
};

/* A metric is known to a command or not. */
enum ouro_metric {
    OURO_METRIC_COUNT,         /* objects; with a selector those that match */
    OURO_METRIC_BYTES,         /* theirs */
    OURO_METRIC_GARBAGE,       /* objects that the collector would find */
    OURO_METRIC_GARBAGE_BYTES,
    OURO_METRIC_UNCOLLECTABLE, /* of them, and in gc.garbage: objects that are never freed */
    OURO_METRIC_SUSPECTS,      /* leak suspects */
    OURO_METRIC_RETAINED,      /* bytes of the suspects that match */
    OURO_METRIC_COUNT_
};
/* "count", "garbage_bytes" ... */
const char *ouro_metric_name(enum ouro_metric metric);

enum ouro_condition_operator {
    OURO_CONDITION_GREATER,
    OURO_CONDITION_AT_LEAST,
    OURO_CONDITION_LESS,
    OURO_CONDITION_AT_MOST,
    OURO_CONDITION_EQUAL,
    OURO_CONDITION_NOT_EQUAL,
};

struct ouro_condition {
    const char *text; /* borrowed: what was parsed */
    struct ouro_selector selector;
    enum ouro_metric metric;
    enum ouro_condition_operator operator;
    double number;
    bool change;  /* it is about a change */
    bool percent; /* in percent of what was before */
};

/* What a command can answer. */
struct ouro_condition_scope {
    unsigned metrics;          /* bits 1 << enum ouro_metric */
    unsigned with_type, with_path; /* the same: those that these selectors go with */
    bool changes;              /* there are two snapshots */
};

/* OURO_INVAL: err says what is wrong, *place where: an offset into text. */
enum ouro_status ouro_condition_parse(struct ouro_condition *condition, const char *text,
                                      const struct ouro_condition_scope *scope, size_t *place, struct ouro_err *err);
/* Anything is more than nothing by infinitely many percent. before counts only for conditions about changes. */
bool ouro_condition_holds(const struct ouro_condition *condition, double before, double after);

/* --- Suppression files */
struct ouro_suppression {
    struct ouro_selector selector;
    size_t line;
    uint64_t used; /* how often it matched */
};
struct ouro_suppressions {
    struct ouro_suppression *items; /* owned */
    size_t count, capacity;
};
/* Zero-initialised is empty; adds to what is there. OURO_INVAL, *line and *place (in that line) say where. */
enum ouro_status ouro_suppressions_parse(struct ouro_suppressions *suppressions, const char *bytes, size_t size,
                                         size_t *line, size_t *place, struct ouro_err *err);
void ouro_suppressions_fini(struct ouro_suppressions *suppressions);
/* Whether one of them matches, and counts that. type: OURO_TYPE_NONE, path: NULL, where the thing has none; an entry that
 * names what it doesn't have does not match. suppressions may be NULL. */
bool ouro_suppressions_match(struct ouro_suppressions *suppressions, const struct ouro_heap_model *model, uint32_t type,
                             const char *path);

/* Whether a selector without any text, or one whose patterns all match. */
bool ouro_selector_matches(const struct ouro_selector *selector, const struct ouro_heap_model *model, uint32_t type,
                           const char *path);
/* Text against a pattern in which * stands for any text. */
bool ouro_selector_glob(const char *pattern, const char *text);

#endif
