/* What ouro makes of a process, without a file: what was recognised, and how each type's objects are read.
 *
 * Copies and walks as a dump does (the pause is the same), then goes through all objects once more and counts, type by type, what a
 * dump would write: approximate references and why, estimated sizes, what could be read only in part, objects that do not agree with their type's own code. */
#ifndef OURO_CAPTURE_DOCTOR_H
#define OURO_CAPTURE_DOCTOR_H

#include "capture/session.h"
#include "cpython/type.h"
#include "emulate/machine.h"

/* How far it came: what stands in front of it is known. */
enum ouro_doctor_stage {
    OURO_DOCTOR_NOTHING,
    OURO_DOCTOR_PROCESS, /* a process that may be read */
    OURO_DOCTOR_RUNTIME, /* with a _PyRuntime, so a CPython */
    OURO_DOCTOR_VERSION, /* whose version is known */
    OURO_DOCTOR_LAYOUT,  /* for which there are layouts, and its runtime is as they say */
    OURO_DOCTOR_COPIED,  /* copied */
    OURO_DOCTOR_WALKED,  /* its objects are where they should be */
};

/* How the size of a type's objects is found. */
enum ouro_doctor_size {
    OURO_DOCTOR_SIZE_RULE,      /* known what its __sizeof__ does */
    OURO_DOCTOR_SIZE_RUN,       /* its __sizeof__, in C, is run */
    OURO_DOCTOR_SIZE_ESTIMATED, /* its __sizeof__ can't be run: tp_basicsize and tp_itemsize */
};
const char *ouro_doctor_size_name(enum ouro_doctor_size size);

struct ouro_doctor_counts {
    uint64_t count, approximate_count, estimated_count, torn_count;
    uint64_t failed[OURO_MACHINE_END_COUNT]; /* its code could not be run, by reason */
    uint64_t checked_count, impossible_count, differing_count; /* compared with the type's own code */
};

struct ouro_doctor_type {
    const struct ouro_type *type; /* borrowed from the session */
    const char *visitor;          /* borrowed: of the native one, used or found wrong; NULL: none */
    enum ouro_doctor_size size;
    struct ouro_doctor_counts counts;
};

struct ouro_doctor_symbol {
    const char *name; /* or several with | between, of which one will do */
    bool found;
    bool needed; /* without it nothing can be read */
};

struct ouro_doctor {
    struct ouro_session session;
    enum ouro_doctor_stage stage;
    /* From OURO_DOCTOR_RUNTIME on. */
    char build_id[65];  /* hexadecimal; "": it has none */
    bool in_executable; /* the executable holds the runtime, not a library */
    const struct ouro_doctor_symbol *symbols; /* owned */
    size_t symbol_count;
    /* From OURO_DOCTOR_LAYOUT on: entries of the table of native visitors, and those whose types are exported by this build (the
     * rest is found by name as such types are met). */
    size_t visitor_count, exported_visitor_count;
    /* With OURO_DOCTOR_WALKED: types that have objects, problems first, then by count. */
    struct ouro_doctor_type *types; /* owned */
    size_t type_count;
    struct ouro_doctor_counts totals;
};

/* options->names_only is of no matter. Whatever the result, what was recognised stands in the doctor until ouro_doctor_fini. Errors are
 * those of ouro_session_open, _copy and _walk, and OURO_NOMEM. */
enum ouro_status ouro_doctor_init(struct ouro_doctor *doctor, const struct ouro_session_options *options,
                                  struct ouro_err *err);
void ouro_doctor_fini(struct ouro_doctor *doctor);

/* Whether a type is worth a look: it has approximate, estimated, torn or disagreeing objects, or its visitor was found wrong. */
bool ouro_doctor_type_is_problem(const struct ouro_doctor_type *type);

#endif
