/* Signatures: how objects are reached, with indices and keys masked, as several snapshots share them.
 *
 * `sys.modules['app'].CACHE[*].cart[*]` stands for all objects that are reached that way. Names of attributes and modules are
 * kept, what varies within a container is [*], numbers in threads' names are *. A signature is a number; equal ones of different
 * snapshots are equal numbers. Repetition is folded (a linked list of a million nodes has three signatures), and below
 * OURO_SIGNATURE_DEPTH steps no new ones begin. */
#ifndef OURO_ANALYSIS_DIFF_NAMES_H
#define OURO_ANALYSIS_DIFF_NAMES_H

#include "analysis/path.h"
#include "base/map.h"

#define OURO_SIGNATURE_NONE  UINT32_MAX
#define OURO_SIGNATURE_EMPTY 0u
#define OURO_SIGNATURE_DEPTH 24u

struct ouro_diff_names {
    struct {
        struct ouro_diff_label {
            size_t begin, size; /* in texts */
        } * items;              /* owned */
        size_t count, capacity;
    } labels;
    struct {
        struct ouro_diff_signature {
            uint32_t parent, label;
            uint32_t depth;
        } * items; /* owned; [0] is the empty one */
        size_t count, capacity;
    } signatures;
    struct ouro_buf texts, scratch;
    struct ouro_map label_of, child_of;
};

/* Zero-initialised is empty, but for this. OURO_NOMEM. */
enum ouro_status ouro_diff_names_init(struct ouro_diff_names *names);
void ouro_diff_names_fini(struct ouro_diff_names *names);
/* The number of a text; UINT32_MAX: out of memory. */
uint32_t ouro_diff_names_label(struct ouro_diff_names *names, const void *bytes, size_t size);
/* The signature one step below; OURO_SIGNATURE_NONE: out of memory. */
uint32_t ouro_diff_names_child(struct ouro_diff_names *names, uint32_t signature, uint32_t label);
void ouro_diff_names_add_label(const struct ouro_diff_names *names, uint32_t label, struct ouro_buf *out);
void ouro_diff_names_add(const struct ouro_diff_names *names, uint32_t signature, struct ouro_buf *out);

/* By text, step by step; no memory. */
int ouro_diff_names_compare_labels(const struct ouro_diff_names *names, uint32_t a, uint32_t b);
int ouro_diff_names_compare(const struct ouro_diff_names *names, uint32_t a, uint32_t b);

/* What one snapshot's parts and keys are called. */
struct ouro_diff_labels {
    struct ouro_diff_names *names;       /* borrowed */
    const struct ouro_heap_model *model; /* borrowed */
    uint32_t *of_field;                  /* owned; by string */
    uint32_t *of_type;                   /* owned; by type, lost objects last: "module.name" */
    struct ouro_map of_key;              /* by key object */
    struct ouro_map modules;             /* sys.modules of all interpreters */
    uint32_t item, key, result, element, any_attribute, native, garbage, unreached, interpreter;
};
/* Needs SLOTS, VALUES, FLAGS, ADDR. 4 bytes a string, a type, an attribute's name. */
enum ouro_status ouro_diff_labels_init(struct ouro_diff_labels *labels, struct ouro_diff_names *names,
                                       const struct ouro_heap_model *model);
void ouro_diff_labels_fini(struct ouro_diff_labels *labels);
/* Below the holder's signature; the holder's own where the slot is no step (its __dict__). */
uint32_t ouro_diff_labels_step(struct ouro_diff_labels *labels, uint32_t signature, const struct ouro_slot *slot);
/* Of a <root>. */
uint32_t ouro_diff_labels_root(struct ouro_diff_labels *labels, ouro_node root);

#endif
