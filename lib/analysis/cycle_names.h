/* How objects and references on cycles are called, so that the same cycle met a thousand times is one pattern.
 *
 * A *name* stands for all objects that a reader of the source would call the same: instances of a class, one function
 * whatever its closure, one generator function's generators. A container that hangs below one of them is called by how
 * it is reached, indices and keys masked: the list of `Department.employees` is "Department.employees", what stands in
 * it "Department.employees[*]". Instance dicts have no name of their own: `vars(department)` is "Department". */
#ifndef OURO_ANALYSIS_CYCLE_NAMES_H
#define OURO_ANALYSIS_CYCLE_NAMES_H

#include "analysis/cyclic.h"
#include "base/buf.h"
#include "base/map.h"

#define OURO_NAME_NONE UINT32_MAX

struct ouro_cycle_name {
    uint32_t holder;   /* the name it is reached from, or OURO_NAME_NONE: a name of its own */
    uint32_t label;    /* index into labels: how from there; of a name of its own: its text */
    uint32_t type;     /* of a name of its own: the type of its objects */
    ouro_node example; /* an object of that name; of a reached one: the holder */
    uint8_t depth;     /* steps from a name of its own */
    bool container;    /* a container that has a name of its own, as nothing else names it */
};

struct ouro_cycle_names {
    const struct ouro_cyclic *cyclic; /* borrowed */
    struct {
        struct ouro_cycle_name *items; /* owned */
        size_t count, capacity;
    } names;
    struct {
        struct ouro_cycle_label {
            size_t begin, size; /* in texts */
        } * items;              /* owned */
        size_t count, capacity;
    } labels;
    struct ouro_buf texts, scratch;
    struct ouro_map label_of, own, reached, value_label;
    uint32_t *name_of;   /* owned; by member */
    uint32_t *proposal;  /* owned; by member: of the round that names it */
    uint8_t *containers; /* owned; by type: whether containers, or generators */
    uint32_t item_label, element_label, key_label, empty_label;
};

/* Needs VALUES, FLAGS and ADDR besides (loads them). 8 bytes a member and what differs. */
enum ouro_status ouro_cycle_names_init(struct ouro_cycle_names *names, const struct ouro_cyclic *cyclic,
                                       struct ouro_heap_model *model, struct ouro_err *err);
void ouro_cycle_names_fini(struct ouro_cycle_names *names);

/* Names all members of one component that have none yet. OURO_NOMEM. */
enum ouro_status ouro_cycle_names_component(struct ouro_cycle_names *names, enum ouro_layer layer, uint32_t component);
/* Whether the member itself is what its name says: not a container or a frame below it. */
bool ouro_cycle_names_is_owner(const struct ouro_cycle_names *names, uint32_t member);
/* The name of what the slot of a named member is reached by: "Department.employees". OURO_NAME_NONE: out of memory. */
uint32_t ouro_cycle_names_reached(struct ouro_cycle_names *names, uint32_t from, const struct ouro_slot *slot);
/* Adds the text. */
void ouro_cycle_names_add(const struct ouro_cycle_names *names, uint32_t name, struct ouro_buf *out);
/* By the bytes of the texts. */
int ouro_cycle_names_compare(const struct ouro_cycle_names *names, uint32_t a, uint32_t b);
/* Adds how it is reached from its owner: ".employees[*]". */
void ouro_cycle_names_add_path(const struct ouro_cycle_names *names, uint32_t name, struct ouro_buf *out);
/* Adds the name of a class, given as an object: the part of its qualified name behind the last dot. */
void ouro_cycle_names_add_class(const struct ouro_cycle_names *names, ouro_node class, struct ouro_buf *out);
/* Whether it is what every class has of itself: its __mro__, a descriptor's __objclass__, a method's __class__ cell. */
bool ouro_cycle_names_is_structure(const struct ouro_cycle_names *names, uint32_t name);
/* The name of its own from which the name is reached (itself, if it is one). */
uint32_t ouro_cycle_names_owner(const struct ouro_cycle_names *names, uint32_t name);

#endif
