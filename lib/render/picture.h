/* Pictures of objects and their references, in objgraph's manner: boxes with type and short value, start objects in red
 * text, darker the further away, modules green, what was asked for blue, a dotted red mark for __del__, and counts of what is not
 * drawn. Each takes results of lib/analysis and computes nothing. */
#ifndef OURO_RENDER_PICTURE_H
#define OURO_RENDER_PICTURE_H

#include "analysis/cycles.h"
#include "analysis/diff_paths.h"
#include "analysis/dominator_tree.h"
#include "analysis/neighbourhood.h"
#include "analysis/path_tree.h"
#include "analysis/retained.h"
#include "render/drawing.h"

enum ouro_picture_extra {
    OURO_PICTURE_SIZE = 1,
    OURO_PICTURE_RETAINED = 2,
    OURO_PICTURE_ADDRESS = 4,
};

struct ouro_picture_options {
    const char *highlight; /* TYPE that is drawn blue; NULL: none */
    bool refcounts, full_names;
    unsigned extra;        /* enum ouro_picture_extra */
    const struct ouro_retained *retained; /* needed for RETAINED; tooltips have it where it is there */
    uint32_t depth_max;    /* at which the fill is darkest */
};

/* The columns that must be loaded for pictures of objects. */
#define OURO_PICTURE_COLUMNS (OURO_HEAP_ALL & ~(unsigned)OURO_HEAP_GC_ORDER)

enum ouro_status ouro_picture_neighbourhood(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                            const struct ouro_neighbourhood *neighbourhood,
                                            enum ouro_neighbourhood_direction direction,
                                            const struct ouro_picture_options *options, struct ouro_err *err);

/* The patterns of cycles, a cluster each: a box for all objects of one name with their number, an edge for each kind of reference with
 * its path and how many there are, dashed what `advise` would make weak, __del__ marked. Looks for what to cut itself. */
struct ouro_picture_cycles {
    struct ouro_cycles *cycles;
    size_t limit;       /* patterns; 0: all */
    size_t name_budget; /* boxes of one pattern; the rest is counted; 0: all */
    size_t budget;      /* boxes of all: no pattern is begun behind it; 0: any number */
};
enum ouro_status ouro_picture_cycles(struct ouro_drawing **drawing, const struct ouro_picture_cycles *picture,
                                     struct ouro_err *err);

/* Paths, merged, from the roots down; objects without one stand alone. Below: the expression of each first path. No path is begun
 * behind `budget` (0: any number) objects, and one that is longer is folded; what is left is counted. */
enum ouro_status ouro_picture_paths(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                    const struct ouro_path_answer *answers, size_t count, size_t budget,
                                    const struct ouro_picture_options *options, struct ouro_err *err);
/* The paths to all objects of a type: a box for each place, darker the more of them come through. */
enum ouro_status ouro_picture_path_tree(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                        const struct ouro_path_tree *tree, const char *type, struct ouro_err *err);
/* The rows of a dominator tree: size and shade of a box by what it retains; groups have a double frame, rests a dotted one. */
enum ouro_status ouro_picture_dominators(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                         const struct ouro_dominator_tree *tree, enum ouro_dominator_grouping grouping,
                                         struct ouro_err *err);

/* What grew and what shrank, by the paths that hold it: a box for each place, the deeper in colour the more it is; what shrank is
 * dashed. No row is begun behind `budget` boxes (0: any number); what is left out, or below the threshold, is counted. */
enum ouro_status ouro_picture_diff(struct ouro_drawing **drawing, const struct ouro_diff_paths *paths, size_t budget,
                                   struct ouro_err *err);

/* Of one object, as a picture shows it: its type, a line of its value, and what options ask for. */
void ouro_picture_label(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node,
                        const struct ouro_picture_options *options);
/* Everything about it that fits in a tooltip. */
void ouro_picture_tooltip(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node,
                          const struct ouro_picture_options *options);

#endif
