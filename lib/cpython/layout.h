/* CPython's struct layouts as data: one table a version, made by maint/layouts.py from debug information.
 *
 * Everything that differs between versions is decided here (layout.c): offsets in the tables, behaviour in the flags
 * that ouro_layout_find sets from the exact version. No other file asks for a version. */
#ifndef OURO_CPYTHON_LAYOUT_H
#define OURO_CPYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cpython/layout_fields.h"
#include "cpython/ops.h"

/* A visitor for the type named so: an exported object, module.name, or several of these with | between. */
struct ouro_simple {
    const char *name;
    uint32_t basicsize; /* 0: not checked */
    const struct ouro_op *ops;
    uint32_t op_count;
};

struct ouro_layout {
    int minor; /* of CPython 3.minor */
    const struct ouro_simple *simple;
    size_t simple_count;
#define OURO_LAYOUT_FIELD(name) int32_t name; /* bytes; -1: this version has none */
    OURO_LAYOUT_FIELDS(OURO_LAYOUT_FIELD)
#undef OURO_LAYOUT_FIELD
    /* Behaviour, set by ouro_layout_find. */
    bool subtype_visits_type; /* subtype_traverse visits the type whatever the base does (3.8) */
    bool module_without_state; /* m_traverse is called though the module has no state yet (3.8) */
    enum ouro_line_table {
        OURO_LINES_LOCATIONS, /* 3.11 on: Objects/locations.md */
        OURO_LINES_DELTAS,    /* 3.8, 3.9: co_lnotab, pairs of deltas; each line begins behind its pair's bytes */
        OURO_LINES_RANGES,    /* 3.10: pairs of deltas, each of a range of bytes */
    } line_table;
    uint32_t lock_later_sizeof; /* from some patch level on a lock has this size, and a mutex there (3.13); 0: not so */
    int32_t lock_later_mutex;
    unsigned lasti_bytes;     /* f_lasti counts so many bytes: 1, or code units of 2 (3.10) */
    bool zero_has_digit;      /* int.__sizeof__ counts a digit that 0 doesn't use (3.11 on) */
    bool immortal;            /* negative low 32 bits of the count: immortal */
    bool values_in_preheader; /* 3.11: values at -32, dict at -24, both looked at; 3.12: one of them at -24 */
    bool values_tagged;       /* 3.12: with bit 0 set the word at -24 is the address of the values - 1, else the dict */
    bool inline_values;       /* 3.13: values behind objects of types with INLINE_VALUES */
    bool dict_visits_embedded; /* a dict visits values that lie in its object (and the object then only the dict) */
    bool preheader_is_flags;  /* the two words in front belong to MANAGED_DICT or MANAGED_WEAKREF (3.12 on) */
    bool static_type_presize; /* sys.getsizeof adds a GC header to static types, though they have none */
    bool static_types_in_interpreter; /* tp_dict and tp_subclasses of static types are per interpreter (3.12 on) */
    int gen_cleared;          /* gi_frame_state from which on there is no frame */
    int gen_suspended, gen_suspended_last; /* gi_frame_state of one that waits to be resumed */
    bool gen_keeps_code;      /* and a generator visits its code still (3.14 on) */
    bool tagged_references;   /* frames hold _PyStackRef: bit 0 set, no count of its own; both, an int (3.14 on) */
    bool small_refcnt;        /* the count has 32 bits, what stands behind it is something else (3.14 on) */
    bool incremental_known;   /* there are patch levels with the incremental collector (3.14.0 to 3.14.4) */
    int32_t gc_visited_space; /* its index of the old space that was visited last; -1: the collector has generations */
    /* Opcodes (dis.opmap, Include/opcode.h, Include/opcode_ids.h); -1: this version has none, or it isn't asked for. */
    int op_extended_arg, op_nop, op_push_exc_info, op_with_except_start, op_instrumented_line;
    int op_setup_finally, op_end_async_for, op_reraise, op_load_const, op_store_fast, op_store_name, op_store_global,
        op_store_deref;
    int op_yield_from, op_resume, op_resume_quick, op_instrumented_resume; /* up to 3.12 */
    int owner_thread, owner_generator, owner_frame_object;
    int owner_cstack; /* and whatever is higher: no frame of Python's; -1: there is none such */
};

/* What a --with-pydebug build has elsewhere than the release; the last field is SIZE_MAX. */
struct ouro_layout_change {
    size_t field; /* offsetof(struct ouro_layout, ...) */
    int32_t value;
};
extern const struct ouro_layout_change ouro_layout_3_8d[], ouro_layout_3_9d[], ouro_layout_3_10d[], ouro_layout_3_11d[];
extern const struct ouro_layout_change ouro_layout_3_12d[], ouro_layout_3_13d[], ouro_layout_3_14d[], ouro_layout_3_15d[];

extern const struct ouro_layout ouro_layout_3_8, ouro_layout_3_9, ouro_layout_3_10;
extern const struct ouro_layout ouro_layout_3_11, ouro_layout_3_12, ouro_layout_3_13, ouro_layout_3_14, ouro_layout_3_15;

/* Fills *layout for that exact version (PY_VERSION_HEX). OURO_UNSUPPORTED says what is supported. */
enum ouro_status ouro_layout_find(struct ouro_layout *layout, uint32_t hexversion, struct ouro_err *err);
/* Makes the layout that of the version's debug build. OURO_UNSUPPORTED says which of them are supported. */
enum ouro_status ouro_layout_adopt_debug(struct ouro_layout *layout, struct ouro_err *err);
/* The layouts of versions that have no Py_Version: 3.8, 3.9, 3.10, by i; NULL behind the last. Only good for finding their
 * sys.hexversion. */
const struct ouro_layout *ouro_layout_of_old(size_t i);
/* Once the process has told the size of its collector's state (gc_sizeof; the table's was table_bytes): which collector it is. False:
 * none that we know. */
bool ouro_layout_adopt_collector(struct ouro_layout *layout, int32_t table_bytes);
/* "3.8 to 3.15": for messages. */
const char *ouro_layout_supported(void);

#endif
