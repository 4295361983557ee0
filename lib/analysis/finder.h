/* How ouro_expression_find works its way: the values on its stack, and the steps by what they are done to. Used by
 * expression.c alone; the parts are in finder.c (words), finder_items.c (dicts and sequences), finder_roots.c (first
 * names, roots, threads, frames) and finder_steps.c (attributes and all other steps). */
#ifndef OURO_ANALYSIS_FINDER_H
#define OURO_ANALYSIS_FINDER_H

#include "analysis/access.h"
#include "analysis/expression.h"
#include "analysis/nearest.h"

#define OURO_FINDER_SHOWN_BYTES 160   /* of an expression, in words */
#define OURO_FINDER_NAMES_MAX   20000 /* that near misses among attributes are looked for */

/* Values on the way: objects, and what in the snapshot is none. */
enum ouro_finder_kind {
    OURO_FINDER_OBJECT,
    OURO_FINDER_ROOT,      /* node: a <root> */
    OURO_FINDER_NAMESPACE, /* vars(node); dict: the object that it is, or OURO_NODE_NONE */
    OURO_FINDER_UNPACKED,  /* [*node] */
    OURO_FINDER_VALUES,    /* node.values(), [*node.values()] */
    OURO_FINDER_KEYS,
    OURO_FINDER_TABLE_VALUES, /* dict.values(node): an OrderedDict's own order is another */
    OURO_FINDER_TABLE_KEYS,
    OURO_FINDER_FRAMES,          /* node: a thread's root */
    OURO_FINDER_LOCALS,          /* node: a frame */
    OURO_FINDER_GENERATOR_FRAME, /* node: the generator */
    OURO_FINDER_CURRENT_FRAMES,
};

struct ouro_finder_value {
    enum ouro_finder_kind kind;
    ouro_node node, dict;
    size_t begin, end; /* in the text */
};

struct ouro_finder {
    const struct ouro_expression *expression;
    const struct ouro_heap_model *model;
    struct ouro_expression_fault *fault;
    struct ouro_finder_value *values; /* owned */
    size_t count;
    size_t next; /* step */
    bool no_memory; /* a text could not be made: what was not found by it may be there */
};

struct ouro_finder_entry {
    ouro_node value;
    uint64_t untold; /* keys of which can't be told whether they are it */
};

/* --- finder.c */
/* The words of the fault. */
struct ouro_buf *ouro_finder_words(struct ouro_finder *finder);
/* A part of the expression, its end where it is long. */
void ouro_finder_add_text(struct ouro_finder *finder, size_t begin, size_t end);
void ouro_finder_add_expression(struct ouro_finder *finder, const struct ouro_finder_value *value);
/* Adds words to those that are there, and where; the status that is returned. */
enum ouro_status ouro_finder_fail(struct ouro_finder *finder, const struct ouro_step *step, enum ouro_status status,
                                  const char *format, ...) __attribute__((format(printf, 4, 5)));
void ouro_finder_add_type_name(struct ouro_finder *finder, ouro_node node);
/* "a dict", "an app.User", "the class app.User". */
void ouro_finder_add_kind(struct ouro_finder *finder, ouro_node node);
void ouro_finder_add_step_text(struct ouro_finder *finder, const struct ouro_step *step);
void ouro_finder_add_name(struct ouro_finder *finder, struct ouro_name name);
enum ouro_status ouro_finder_fail_lost(struct ouro_finder *finder, const struct ouro_step *step,
                                       const struct ouro_finder_value *value);
void ouro_finder_offer_name(void *context, struct ouro_name name);
bool ouro_finder_offer_key(struct ouro_finder *finder, struct ouro_nearest *nearest, struct ouro_buf *text,
                           ouro_node key);
void ouro_finder_add_near_names(struct ouro_finder *finder, ouro_node node, struct ouro_name name);

/* --- finder_items.c */
/* The dict behind a mappingproxy; other objects are themselves. */
ouro_node ouro_finder_mapping_of(const struct ouro_heap_model *model, ouro_node node);
bool ouro_finder_is_dict(const struct ouro_heap_model *model, ouro_node node);
uint64_t ouro_finder_count_entries(const struct ouro_heap_model *model, ouro_node dict);
/* A dict whose values lie in its object has none itself: the object, or OURO_NODE_NONE. */
ouro_node ouro_finder_embedding_object(const struct ouro_heap_model *model, ouro_node dict);
struct ouro_name ouro_finder_literal_name(const struct ouro_finder *finder, uint32_t literal);
bool ouro_finder_is_text(const struct ouro_finder *finder, uint32_t literal);
/* The value behind a literal key. */
struct ouro_finder_entry ouro_finder_find_entry(const struct ouro_finder *finder, ouro_node dict, uint32_t literal);
void ouro_finder_add_near_keys(struct ouro_finder *finder, ouro_node dict, const struct ouro_buf *wanted);
enum ouro_status ouro_finder_fail_key(struct ouro_finder *finder, const struct ouro_step *step,
                                      const struct ouro_finder_value *value, ouro_node dict,
                                      const struct ouro_finder_entry *entry);
bool ouro_finder_is_sequence(const struct ouro_heap_model *model, ouro_node node);
/* The value becomes an object; one that is not there fails. */
enum ouro_status ouro_finder_put(struct ouro_finder *finder, struct ouro_finder_value *value,
                                 const struct ouro_step *step, ouro_node node);
bool ouro_finder_get_index(const struct ouro_finder *finder, const struct ouro_step *step, uint64_t count,
                           uint64_t *index);
enum ouro_status ouro_finder_sequence_item(struct ouro_finder *finder, const struct ouro_step *step,
                                           struct ouro_finder_value *value);
enum ouro_status ouro_finder_unpacked_item(struct ouro_finder *finder, const struct ouro_step *step,
                                           struct ouro_finder_value *value);

/* --- finder_roots.c */
struct ouro_name ouro_finder_root_name(const struct ouro_heap_model *model, ouro_node root);
ouro_node ouro_finder_root_target(const struct ouro_heap_model *model, ouro_node root);
enum ouro_status ouro_finder_put_root(struct ouro_finder *finder, const struct ouro_step *step);
enum ouro_status ouro_finder_put_thread(struct ouro_finder *finder, const struct ouro_step *step);
enum ouro_status ouro_finder_frame_item(struct ouro_finder *finder, const struct ouro_step *step,
                                        struct ouro_finder_value *value);
enum ouro_status ouro_finder_local_item(struct ouro_finder *finder, const struct ouro_step *step,
                                        struct ouro_finder_value *value);
bool ouro_finder_step_is(const struct ouro_finder *finder, const struct ouro_step *step, const char *name);
enum ouro_status ouro_finder_current_frame(struct ouro_finder *finder, const struct ouro_step *step,
                                           struct ouro_finder_value *value);
bool ouro_finder_is_pseudo(const struct ouro_heap_model *model, ouro_node node);
/* Before 3.11 a thread's frame is an object, which holds what is asked for. */
ouro_node ouro_finder_frame_holder(const struct ouro_heap_model *model, ouro_node frame);
enum ouro_status ouro_finder_frame_attribute(struct ouro_finder *finder, const struct ouro_step *step,
                                             struct ouro_finder_value *value);
/* A label of a root that the text goes on with, such as "[0].func"; moves behind it. */
bool ouro_finder_follow_root_label(struct ouro_finder *finder, const struct ouro_step *step,
                                   struct ouro_finder_value *value);
enum ouro_status ouro_finder_put_first(struct ouro_finder *finder, const struct ouro_step *step, ouro_node node,
                                       size_t end);
/* What the main interpreter's root of this name refers to, or OURO_NODE_NONE. */
ouro_node ouro_finder_named_root(const struct ouro_heap_model *model, const char *name);
/* A module by its key in sys.modules. Snapshots without values have no such keys: there by the module's own name. */
ouro_node ouro_finder_module(const struct ouro_finder *finder, ouro_node modules, struct ouro_name name);
enum ouro_status ouro_finder_name_step(struct ouro_finder *finder, const struct ouro_step *step);

/* --- finder_steps.c */
enum ouro_status ouro_finder_take_attribute(struct ouro_finder *finder, const struct ouro_step *step,
                                            struct ouro_finder_value *value, struct ouro_name name, bool own_lookup);
/* The value becomes the variables of a frame. */
enum ouro_status ouro_finder_put_locals(struct ouro_finder *finder, struct ouro_finder_value *value,
                                        const struct ouro_step *step, ouro_node frame);
enum ouro_status ouro_finder_attribute_step(struct ouro_finder *finder, const struct ouro_step *step,
                                            struct ouro_finder_value *value);
enum ouro_status ouro_finder_object_item(struct ouro_finder *finder, const struct ouro_step *step,
                                         struct ouro_finder_value *value);
enum ouro_status ouro_finder_item_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value);
enum ouro_status ouro_finder_lookup_step(struct ouro_finder *finder, const struct ouro_step *step,
                                         struct ouro_finder_value *value, const struct ouro_finder_value *key);
enum ouro_status ouro_finder_view_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value);
enum ouro_status ouro_finder_vars_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value);
enum ouro_status ouro_finder_call_step(struct ouro_finder *finder, const struct ouro_step *step,
                                       struct ouro_finder_value *value);
enum ouro_status ouro_finder_arrow_step(struct ouro_finder *finder, const struct ouro_step *step,
                                        struct ouro_finder_value *value);
enum ouro_status ouro_finder_get_step(struct ouro_finder *finder, const struct ouro_step *step,
                                      struct ouro_finder_value *descriptor, const struct ouro_finder_value *object);

#endif
