/* A picture: a graph of libcgraph, its writing as DOT, and its layout by libgvc where that is there.
 *
 * Names, labels and tooltips come as plain text of any bytes: what a terminal, DOT, SVG or graphviz's own escapes
 * would take for something else is escaped here, and long texts are cut. The order of everything is the order in which it was
 * added, so the same calls give the same bytes. */
#ifndef OURO_RENDER_DRAWING_H
#define OURO_RENDER_DRAWING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

struct ouro_drawing; /* owns the graph */
struct ouro_drawing_node;
struct ouro_drawing_edge;

enum ouro_drawing_format {
    OURO_DRAWING_DOT,
    OURO_DRAWING_SVG,
    OURO_DRAWING_PNG,
    OURO_DRAWING_PDF,
    OURO_DRAWING_FORMAT_COUNT
};

/* By the name ("svg") or a file's extension; false: none of ours. */
bool ouro_drawing_format_parse(const char *name, enum ouro_drawing_format *format);
bool ouro_drawing_format_of_path(const char *path, enum ouro_drawing_format *format);
/* "dot, svg, png, pdf": those that this build can write. */
const char *ouro_drawing_formats(void);

/* name: the graph's; attributes of all nodes are box, filled, white. OURO_NOMEM. */
enum ouro_status ouro_drawing_new(struct ouro_drawing **drawing, const char *name, struct ouro_err *err);
void ouro_drawing_free(struct ouro_drawing *drawing);

/* Attributes of the graph, and defaults of nodes and edges: values of ours, given as they are. */
void ouro_drawing_set(struct ouro_drawing *drawing, const char *attribute, const char *value);
void ouro_drawing_default_node(struct ouro_drawing *drawing, const char *attribute, const char *value);
void ouro_drawing_default_edge(struct ouro_drawing *drawing, const char *attribute, const char *value);

/* A cluster that the nodes added from now on belong to, until ouro_drawing_end_cluster; label: plain text. Not nested. */
void ouro_drawing_begin_cluster(struct ouro_drawing *drawing, const char *name, const char *label, size_t label_size);
void ouro_drawing_end_cluster(struct ouro_drawing *drawing);

/* When it is laid out, no more than so many clusters stand side by side: others below them. */
void ouro_drawing_stack_clusters(struct ouro_drawing *drawing, size_t side_by_side);

/* The node of that name (of ours, as it is), new or there already. Never NULL: after an allocation has failed all further calls
 * do nothing, and writing says so. */
struct ouro_drawing_node *ouro_drawing_node(struct ouro_drawing *drawing, const char *name);
struct ouro_drawing_edge *ouro_drawing_edge(struct ouro_drawing *drawing, struct ouro_drawing_node *from,
                                            struct ouro_drawing_node *to);
/* Values of ours, as they are. */
void ouro_drawing_set_node(struct ouro_drawing *drawing, struct ouro_drawing_node *node, const char *attribute,
                           const char *value);
void ouro_drawing_set_edge(struct ouro_drawing *drawing, struct ouro_drawing_edge *edge, const char *attribute,
                           const char *value);
/* Plain text: "\n" begins a new line, everything else is shown as it is or escaped. Lines are cut at OURO_DRAWING_LINE_MAX
 * characters. */
#define OURO_DRAWING_LINE_MAX 120
void ouro_drawing_text(struct ouro_drawing *drawing, const char *attribute, const void *text, size_t size);
void ouro_drawing_text_node(struct ouro_drawing *drawing, struct ouro_drawing_node *node, const char *attribute,
                            const void *text, size_t size);
void ouro_drawing_text_edge(struct ouro_drawing *drawing, struct ouro_drawing_edge *edge, const char *attribute,
                            const void *text, size_t size);
size_t ouro_drawing_node_count(const struct ouro_drawing *drawing);
size_t ouro_drawing_edge_count(const struct ouro_drawing *drawing);

/* Whether memory ran out at some call; writing says so too. */
bool ouro_drawing_failed(const struct ouro_drawing *drawing);

/* The whole picture into memory. Formats other than DOT are laid out first (once: the drawing can only be freed afterwards), which takes time that grows fast with the graph:
 * whoever can't wait does it in a process of its own. So does who lays out more than one picture: libgvc's plugins
 * (2.42, pango) keep pointers into a context that was freed. OURO_UNSUPPORTED: this build or this machine's graphviz can't. */
enum ouro_status ouro_drawing_write(struct ouro_drawing *drawing, enum ouro_drawing_format format, struct ouro_buf *out,
                                    struct ouro_err *err);

#endif
