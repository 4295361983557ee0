/* Which references to make weak, so that no cycle is left: the smallest set of names that breaks all cycles of a row.
 *
 * Smallest in the number of names, then the easiest in the source, then those that lead back (many employees to one
 * department). When several are needed, the same attribute of classes with a common base counts as one. Found as a
 * minimum hitting set: cycles are searched, a smallest set of names that hits all cycles found so far is cut, until
 * none is left (the implicit hitting set method; R. Karp and E. Moreno-Centeno, "The implicit hitting set approach to
 * solve combinatorial optimization problems", Operations Research 61, 2013). */
#ifndef OURO_ANALYSIS_CYCLE_ADVICE_H
#define OURO_ANALYSIS_CYCLE_ADVICE_H

#include "analysis/cycles.h"

/* How the reference can be made weak, easiest first. */
enum ouro_cut {
    OURO_CUT_ATTRIBUTE, /* an instance's attribute: weakref.ref, weakref.proxy */
    OURO_CUT_METHOD,    /* it holds bound methods: weakref.WeakMethod */
    OURO_CUT_ITEMS,     /* a container's items: WeakSet, WeakValueDictionary, a list of weakref.ref */
    OURO_CUT_CACHE,     /* functools.lru_cache: a cache that does not hold its instances */
    OURO_CUT_TRACEBACK, /* an exception's traceback: clear it, or let the exception go */
    OURO_CUT_LOCAL,     /* a frame's or a generator's local: del it */
    OURO_CUT_CLOSURE,   /* a variable of the enclosing function: rebind it when done */
    OURO_CUT_CLASS,     /* a class's own structure: drop the class or what registers it */
    OURO_CUT_FIXED,     /* a field of a C structure: it goes with its object */
};

struct ouro_cycle_cut {
    uint32_t source; /* name */
    ouro_node base;  /* OURO_NODE_NONE; or the base class of all that have this attribute: "AST.parent" for Name.parent,
                        Call.parent and so on */
    uint32_t name_count; /* names it stands for: 1, or with a base more */
    enum ouro_cut how;
    uint64_t reference_count; /* references of the row it stands for */
    uint64_t target_count;    /* objects they lead to */
    uint64_t lonely_count;    /* of those, kept by such references only: weakening frees them at once */
};

struct ouro_cycle_advice {
    struct {
        struct ouro_cycle_cut *items; /* owned; empty: nothing can be cut, as in a class's own structure */
        size_t count, capacity;
    } cuts;
    bool smallest;                 /* proven; else it breaks the cycles, but a smaller set may exist */
    bool complete;                 /* no cycle is left; false: the search was given up after a bound of work */
    uint64_t finalizer_count;      /* objects of the row with a finalizer that has not run */
    uint32_t finalizer_type;       /* of the first of them, or OURO_TYPE_NONE */
    uint64_t finalizer_type_count; /* types among them */
};

/* Adds "Employee.department", "AST.parent". */
void ouro_cycle_cut_add(const struct ouro_cycle_cut *cut, const struct ouro_cycles *cycles, struct ouro_buf *out);

/* O(references of the row) for each cycle that is looked at: usually a handful. Bounded for each row, and for all rows of
 * `cycles` together: behind a row that was hard to prove others may be given up earlier. 24 bytes a member of the row and
 * 8 a reference while it runs. */
enum ouro_status ouro_cycle_advice_init(struct ouro_cycle_advice *advice, struct ouro_cycles *cycles,
                                        const struct ouro_cycle_row *row);
void ouro_cycle_advice_fini(struct ouro_cycle_advice *advice);

/* "attribute", "items", ... as --json and tests have it. */
const char *ouro_cut_name(enum ouro_cut how);

#endif
