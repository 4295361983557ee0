/* Reference cycles folded into patterns.
 *
 * A *knot* is a strongly connected component: objects that all keep each other alive. Knots in which the same
 * references connect the same names are one row, and so are those that use only some of them (a leaf of the tree
 * without children). Every object on a cycle belongs to exactly one row, or to what is folded away: the structure that
 * every program has (its classes, functions and modules), as long as it is reachable. */
#ifndef OURO_ANALYSIS_CYCLES_H
#define OURO_ANALYSIS_CYCLES_H

#include "analysis/cycle_names.h"
#include "analysis/retained.h"

enum ouro_cycles_flag {
    OURO_CYCLES_ALL = 1,       /* structure too */
    OURO_CYCLES_GARBAGE = 2,   /* only what the collector would find */
    OURO_CYCLES_REACHABLE = 4, /* only the rest */
};

enum ouro_cycles_sort {
    OURO_CYCLES_BY_RETAINED, /* largest first; so all */
    OURO_CYCLES_BY_SIZE,
    OURO_CYCLES_BY_COUNT,
    OURO_CYCLES_BY_OBJECTS,
};

/* All references of a kind within the knots of a row: from objects reached as `source` says to objects named `target`.
 */
struct ouro_cycle_reference {
    uint32_t source, target; /* names */
    uint64_t count;
};

struct ouro_cycle_row {
    enum ouro_layer layer;
    bool unreachable;
    uint64_t knot_count, object_count, shallow_bytes;
    uint64_t retained_bytes;    /* of its objects together, at least; 0 unless asked for */
    uint64_t approximate_count; /* objects whose references were guessed */
    uint32_t example_knot;      /* component of the layer: the smallest that has all references of the pattern */
    ouro_node example;          /* an object of it */
    size_t reference_begin, reference_count; /* in references, most frequent first */
    size_t knot_begin;                       /* in knots: knot_count components of the layer */
};

struct ouro_cycles {
    const struct ouro_heap_model *model; /* borrowed */
    struct ouro_cyclic cyclic;
    struct ouro_cycle_names names;
    struct {
        struct ouro_cycle_row *items; /* owned */
        size_t count, capacity;
    } rows;
    struct {
        struct ouro_cycle_reference *items; /* owned */
        size_t count, capacity;
    } references;
    uint32_t *knots;                                               /* owned */
    uint64_t folded_knot_count, folded_object_count, folded_bytes; /* structure that has no row */
    /* Owned; by member: for searches within a knot, once one was made. Between searches parent is UINT32_MAX. */
    uint32_t *queue, *parent;
    uint64_t advice_work; /* done beyond what the rows' sizes allow: bounded for all together */
};

/* collector: of the model. retained: NULL, or of the model. 36 bytes a member besides what cyclic.h and cycle_names.h
 * say. O(objects + references). */
enum ouro_status ouro_cycles_init(struct ouro_cycles *cycles, struct ouro_heap_model *model,
                                  const struct ouro_collector *collector, const struct ouro_retained *retained,
                                  unsigned flags, struct ouro_err *err);
void ouro_cycles_fini(struct ouro_cycles *cycles);
/* Ties by size, then by the order of addresses. */
void ouro_cycles_sort(struct ouro_cycles *cycles, enum ouro_cycles_sort sort);

/* Takes queue and parent, unless they are there. 8 bytes a member. */
enum ouro_status ouro_cycles_prepare_search(struct ouro_cycles *cycles);

/* Cycles that really exist in the row's example, each a list of names: hop by hop, the reference that leads on. */
struct ouro_cycle_texts {
    struct {
        uint32_t *items; /* owned: names */
        size_t count, capacity;
    } hops;
    struct {
        struct ouro_cycle_text {
            size_t begin, count; /* in hops */
            bool aside;          /* through no object of the row\'s own, or of what every class has: says less */
            size_t length; /* references of the real cycle: more where a sequence repeats or containers are passed */
        } * items;         /* owned */
        size_t count, capacity;
    } cycles;
    size_t uncovered; /* kinds of references of the row that are on none of these cycles */
};

/* The shortest ones through the row's most frequent references, `most` at most; fewer of an example so large that the
 * search for one takes seconds. O(references of the example) each. */
enum ouro_status ouro_cycles_describe(struct ouro_cycles *cycles, const struct ouro_cycle_row *row, size_t most,
                                      struct ouro_cycle_texts *texts);
void ouro_cycle_texts_fini(struct ouro_cycle_texts *texts);
/* Adds "Department.employees[*] -> Employee.department". */
void ouro_cycles_add_text(const struct ouro_cycles *cycles, const struct ouro_cycle_texts *texts, size_t which,
                          struct ouro_buf *out);

#endif
