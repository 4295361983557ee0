/* What the reading commands print, as text for people and as JSON for programs. Each takes results of lib/analysis and
 * writes; none computes anything. Text: `width` columns, 0 for any; whatever came from the target is escaped. */
#ifndef OURO_RENDER_PAGE_H
#define OURO_RENDER_PAGE_H

#include "analysis/cycle_advice.h"
#include "analysis/garbage.h"
#include "analysis/chain.h"
#include "analysis/dominator_tree.h"
#include "analysis/info.h"
#include "analysis/largest.h"
#include "analysis/neighbourhood.h"
#include "analysis/neighbours.h"
#include "analysis/particulars.h"
#include "analysis/path_answer.h"
#include "analysis/selection.h"
#include "render/json.h"

/* --- info. `limit` types at most. */
struct ouro_page_info {
    const struct ouro_heap_model *model;
    const struct ouro_info *info;
    const struct ouro_roots *roots;     /* with largest */
    const struct ouro_largest *largest; /* NULL: was not asked for */
    const struct ouro_waits *waits;     /* with the stacks: threads in a line each */
    size_t limit;
};
void ouro_page_info_text(struct ouro_out *out, const struct ouro_page_info *page, size_t width);
void ouro_page_info_json(struct ouro_out *out, const struct ouro_page_info *page);

/* --- types. limit 0: all; with_retained: a column more. info: whose doubts come last, or NULL. */
void ouro_page_types_text(struct ouro_out *out, const struct ouro_heap_model *model,
                          const struct ouro_histogram *histogram, size_t limit, bool with_retained, size_t width);
void ouro_page_types_json(struct ouro_out *out, const struct ouro_heap_model *model,
                          const struct ouro_histogram *histogram, size_t limit, bool with_retained,
                          const struct ouro_info *info);

/* --- objects. Needs VALUES, SLOTS (for the values of keys), ADDR, ... loaded. */
struct ouro_page_objects {
    const struct ouro_heap_model *model;
    const struct ouro_selection *selection;
    const struct ouro_collector *collector; /* NULL: JSON does not say what is unreachable */
    const struct ouro_roots *roots;         /* NULL: no unexplained references are shown */
    const struct ouro_retained *retained;   /* NULL: no retained sizes */
    const char *const *expressions;         /* by which each was named, or NULL */
};
void ouro_page_objects_text(struct ouro_out *out, const struct ouro_page_objects *page, size_t width);
void ouro_page_objects_json(struct ouro_out *out, const struct ouro_page_objects *page);

/* --- show. collector, roots, retained and dominators come together or are NULL; so may path and info be. */
struct ouro_page_object {
    const struct ouro_heap_model *model;
    const struct ouro_neighbours *neighbours;
    const struct ouro_particulars *particulars;
    const struct ouro_collector *collector;
    const struct ouro_roots *roots;
    const struct ouro_retained *retained;
    const struct ouro_dominator_chain *dominators;
    const struct ouro_path_answer *path;
    const struct ouro_info *info;
};
void ouro_page_object_text(struct ouro_out *out, const struct ouro_page_object *page, size_t width);
void ouro_page_object_json(struct ouro_out *out, const struct ouro_page_object *page);

/* --- cycles. Searches the examples of the rows that are shown, and what to cut when `advise`. limit 0: all. */
struct ouro_page_cycles {
    struct ouro_cycles *cycles;
    const struct ouro_info *info; /* whose doubts come last */
    size_t limit;
    bool advise;
};
enum ouro_status ouro_page_cycles_text(struct ouro_out *out, const struct ouro_page_cycles *page, size_t width);
enum ouro_status ouro_page_cycles_json(struct ouro_out *out, const struct ouro_page_cycles *page);
/* The same as a table of one line each, and as an array in an open JSON object. Out of memory is told by `out`. */
void ouro_page_cycles_table(struct ouro_out *out, struct ouro_cycles *cycles, size_t limit, size_t width);
void ouro_page_cycles_patterns(struct ouro_json *json, struct ouro_cycles *cycles, size_t limit);

/* --- garbage. Needs OURO_GARBAGE_COLUMNS loaded. info: of the same model, for what it doubts. limit 0: all. */
struct ouro_page_garbage {
    const struct ouro_heap_model *model;
    const struct ouro_garbage *garbage;
    const struct ouro_info *info;
    struct ouro_cycles *cycles; /* of what is unreachable; NULL: none are shown */
    void (*more_json)(const void *context, struct ouro_json *json); /* the command's own fields; NULL: none */
    const void *context;
};
void ouro_page_garbage_text(struct ouro_out *out, const struct ouro_page_garbage *page, size_t limit, size_t width);
void ouro_page_garbage_json(struct ouro_out *out, const struct ouro_page_garbage *page, size_t limit);
/* --- dominators. What a row is and where; info: of the same model, for how far all of it can be trusted. */
struct ouro_page_dominators {
    const struct ouro_heap_model *model;
    const struct ouro_roots *roots;
    const struct ouro_dominator_tree *tree;
    const struct ouro_dominator_query *query;
    const struct ouro_info *info;
};
void ouro_page_dominators_text(struct ouro_out *out, const struct ouro_page_dominators *page, size_t width);
void ouro_page_dominators_json(struct ouro_out *out, const struct ouro_page_dominators *page);
/* The rows of a tree that hold the most (page->tree is largest->tree), without a title; and as an array in an open JSON object. */
void ouro_page_largest_text(struct ouro_out *out, const struct ouro_page_dominators *page,
                            const struct ouro_largest *largest, size_t width);
void ouro_page_largest_json(struct ouro_json *json, const struct ouro_page_dominators *page,
                            const struct ouro_largest *largest);

/* --- refs, backrefs */
enum ouro_status ouro_page_neighbourhood_text(struct ouro_out *out, const struct ouro_heap_model *model,
                                              const struct ouro_neighbourhood *neighbourhood,
                                              enum ouro_neighbourhood_direction direction, size_t width,
                                              struct ouro_err *err);
void ouro_page_neighbourhood_json(struct ouro_out *out, const struct ouro_heap_model *model,
                                  const struct ouro_neighbourhood *neighbourhood,
                                  enum ouro_neighbourhood_direction direction);

/* --- chain */
void ouro_page_chains_text(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_chains *chains,
                           const struct ouro_chain_query *query, size_t width);
void ouro_page_chains_json(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_chains *chains,
                           const struct ouro_chain_query *query);

/* The chain of dominators of one object, as part of its page. */
void ouro_page_chain_text(struct ouro_out *out, const struct ouro_page_object *page, size_t width);
void ouro_page_chain_json(struct ouro_json *json, const struct ouro_page_object *page);

/* The findings that are doubts, under a title of their own; nothing when there are none. */
void ouro_page_doubts_text(struct ouro_out *out, const struct ouro_info *info, size_t width);
/* "exact", and "doubts": the same, each with kind, count and text. */
void ouro_page_doubts_json(struct ouro_json *json, const struct ouro_info *info);

/* --- Shared. "module.name" of a type; builtins without their module. */
void ouro_page_add_type(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type);
/* The fields of one object, into an open JSON object. */
void ouro_page_object_fields(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node);
/* The collector's numbers of one interpreter: a titled table, and the fields of an open JSON object. */
void ouro_page_collector_text(struct ouro_out *out, const struct ouro_interpreter_record *interpreter, size_t width);
void ouro_page_collector_fields(struct ouro_json *json, const struct ouro_heap_model *model,
                                const struct ouro_interpreter_record *interpreter);
/* "gc": 0 to 2, "frozen" or null. */
void ouro_page_generation(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node);
/* The same for people: "0" to "2", "frozen", "-". */
const char *ouro_page_generation_text(const struct ouro_heap_model *model, ouro_node node);

#endif
