#include "render/drawing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifdef HAVE_GVC
#include <graphviz/gvc.h>
#else
#include <graphviz/cgraph.h>
#endif

#include "base/guard.h"
#include "base/utf8.h"
#include "render/text.h"

#define FONT "Helvetica,Arial,sans-serif"

struct ouro_drawing {
    Agraph_t *graph, *cluster; /* cluster: where nodes are added, or NULL */
    bool failed;
    struct clusters {
        Agraph_t **items; /* owned, not what they point at */
        size_t count, capacity;
    } clusters;
    size_t side_by_side;
};

/* cgraph says what is wrong on standard error unless told otherwise; what we write is checked by what comes back. */
static int say_nothing(char *words)
{
    (void)words;
    return 0;
}

static const char *const format_names[] = {"dot", "svg", "png", "pdf"};

bool ouro_drawing_format_parse(const char *name, enum ouro_drawing_format *format)
{
    for (int i = 0; i < OURO_DRAWING_FORMAT_COUNT; i++)
        if (!strcasecmp(name, format_names[i])) {
            *format = (enum ouro_drawing_format)i;
            return true;
        }
    return false;
}

bool ouro_drawing_format_of_path(const char *path, enum ouro_drawing_format *format)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    return dot && ouro_drawing_format_parse(dot + 1, format);
}

const char *ouro_drawing_formats(void)
{
#ifdef HAVE_GVC
    return "dot, svg, png, pdf";
#else
    return "dot (this build has no libgvc for others)";
#endif
}

/* cgraph's functions take char * and change nothing of it. */
static char *text_of(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

enum ouro_status ouro_drawing_new(struct ouro_drawing **drawing, const char *name, struct ouro_err *err)
{
    agseterrf(say_nothing);
    *drawing = calloc(1, sizeof **drawing);
    Agraph_t *graph = *drawing ? agopen(text_of(name), Agdirected, NULL) : NULL;
    if (!graph) {
        free(*drawing);
        *drawing = NULL;
        return ouro_err_set(err, OURO_NOMEM, "no memory for a picture");
    }
    (*drawing)->graph = graph;
    ouro_drawing_set(*drawing, "fontname", FONT);
    ouro_drawing_default_node(*drawing, "shape", "box");
    ouro_drawing_default_node(*drawing, "style", "filled");
    ouro_drawing_default_node(*drawing, "fillcolor", "white");
    ouro_drawing_default_node(*drawing, "fontname", FONT);
    ouro_drawing_default_edge(*drawing, "fontname", FONT);
    ouro_drawing_default_edge(*drawing, "fontsize", "10");
    return OURO_OK;
}

void ouro_drawing_free(struct ouro_drawing *drawing)
{
    if (!drawing)
        return;
    agclose(drawing->graph);
    free(drawing->clusters.items);
    free(drawing);
}

void ouro_drawing_set(struct ouro_drawing *drawing, const char *attribute, const char *value)
{
    drawing->failed |= !agattr(drawing->graph, AGRAPH, text_of(attribute), text_of(value));
}

void ouro_drawing_default_node(struct ouro_drawing *drawing, const char *attribute, const char *value)
{
    drawing->failed |= !agattr(drawing->graph, AGNODE, text_of(attribute), text_of(value));
}

void ouro_drawing_default_edge(struct ouro_drawing *drawing, const char *attribute, const char *value)
{
    drawing->failed |= !agattr(drawing->graph, AGEDGE, text_of(attribute), text_of(value));
}

/* Graphviz replaces entities in labels: an ampersand that could begin one is written as one. */
static bool begins_entity(const unsigned char *bytes, size_t size)
{
    size_t i = 1;
    if (i < size && bytes[i] == '#')
        i++;
    size_t first = i;
    while (i < size && i - first < 16 && ((bytes[i] | 0x20) >= 'a' ? (bytes[i] | 0x20) <= 'z' : bytes[i] >= '0' && bytes[i] <= '9'))
        i++;
    return i > first && i < size && bytes[i] == ';';
}

/* One line: escaped for people first (control characters, marks that turn text round, what is no UTF-8), then for graphviz,
 * whose labels take a backslash for the beginning of an escape. */
static void add_line(struct ouro_buf *out, const unsigned char *line, size_t size)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf shown = {0};
    size_t kept = ouro_text_fit(line, size, OURO_DRAWING_LINE_MAX);
    ouro_text_add(&shown, line, kept);
    if (kept < size)
        ouro_buf_add_text(&shown, "...");
    out->failed |= shown.failed;
    for (size_t i = 0; i < shown.size; i++) {
        if (shown.data[i] == '\\')
            ouro_buf_add_text(out, "\\\\");
        else if (shown.data[i] == '&' && begins_entity(shown.data + i, shown.size - i))
            ouro_buf_add_text(out, "&amp;");
        else
            ouro_buf_add_byte(out, shown.data[i]);
    }
}

static void add_text(struct ouro_buf *out, const void *text, size_t size)
{
    const unsigned char *at = text, *end = at + size;
    for (bool first = true; first || at < end; first = false) {
        const unsigned char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        const unsigned char *stop = newline ? newline : end;
        if (!first)
            ouro_buf_add_text(out, "\\n");
        if (stop > at)
            add_line(out, at, (size_t)(stop - at));
        at = newline ? newline + 1 : end;
    }
}

static void set_object(struct ouro_drawing *drawing, void *object, const char *attribute, const char *value)
{
    if (object)
        drawing->failed |= agsafeset(object, text_of(attribute), text_of(value), text_of("")) != 0;
}

static void set_text(struct ouro_drawing *drawing, void *object, const char *attribute, const void *text, size_t size)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf escaped = {0};
    add_text(&escaped, text, size);
    const char *value = ouro_buf_text(&escaped);
    drawing->failed |= escaped.failed;
    if (!escaped.failed)
        set_object(drawing, object, attribute, value);
}

void ouro_drawing_begin_cluster(struct ouro_drawing *drawing, const char *name, const char *label, size_t label_size)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf full = {0};
    ouro_buf_addf(&full, "cluster_%s", name);
    drawing->cluster = full.failed ? NULL : agsubg(drawing->graph, text_of(ouro_buf_text(&full)), 1);
    Agraph_t **item = drawing->cluster ? OURO_VEC_ADD(&drawing->clusters) : NULL;
    drawing->failed |= !item;
    if (item)
        *item = drawing->cluster;
    set_text(drawing, drawing->cluster, "label", label, label_size);
    set_object(drawing, drawing->cluster, "margin", "20"); /* labels of edges at the rim stick out a little */
}

void ouro_drawing_stack_clusters(struct ouro_drawing *drawing, size_t side_by_side)
{
    drawing->side_by_side = side_by_side;
}

void ouro_drawing_end_cluster(struct ouro_drawing *drawing)
{
    drawing->cluster = NULL;
}

struct ouro_drawing_node *ouro_drawing_node(struct ouro_drawing *drawing, const char *name)
{
    Agnode_t *node = drawing->failed ? NULL
                                     : agnode(drawing->cluster ? drawing->cluster : drawing->graph, text_of(name), 1);
    drawing->failed |= !node;
    return (struct ouro_drawing_node *)node;
}

struct ouro_drawing_edge *ouro_drawing_edge(struct ouro_drawing *drawing, struct ouro_drawing_node *from,
                                            struct ouro_drawing_node *to)
{
    Agraph_t *graph = drawing->cluster ? drawing->cluster : drawing->graph;
    Agedge_t *edge =
        drawing->failed || !from || !to ? NULL : agedge(graph, (Agnode_t *)from, (Agnode_t *)to, NULL, 1);
    drawing->failed |= !edge;
    return (struct ouro_drawing_edge *)edge;
}

void ouro_drawing_set_node(struct ouro_drawing *drawing, struct ouro_drawing_node *node, const char *attribute,
                           const char *value)
{
    set_object(drawing, node, attribute, value);
}

void ouro_drawing_set_edge(struct ouro_drawing *drawing, struct ouro_drawing_edge *edge, const char *attribute,
                           const char *value)
{
    set_object(drawing, edge, attribute, value);
}

void ouro_drawing_text(struct ouro_drawing *drawing, const char *attribute, const void *text, size_t size)
{
    set_text(drawing, drawing->graph, attribute, text, size);
}

void ouro_drawing_text_node(struct ouro_drawing *drawing, struct ouro_drawing_node *node, const char *attribute,
                            const void *text, size_t size)
{
    /* A node without a label shows its name. */
    bool blank = !strcmp(attribute, "label") && (!size || (size == 1 && *(const char *)text == '\n'));
    set_text(drawing, node, attribute, blank ? " " : text, blank ? 1 : size);
}

void ouro_drawing_text_edge(struct ouro_drawing *drawing, struct ouro_drawing_edge *edge, const char *attribute,
                            const void *text, size_t size)
{
    set_text(drawing, edge, attribute, text, size);
}

size_t ouro_drawing_node_count(const struct ouro_drawing *drawing)
{
    return (size_t)agnnodes(drawing->graph);
}

size_t ouro_drawing_edge_count(const struct ouro_drawing *drawing)
{
    return (size_t)agnedges(drawing->graph);
}

bool ouro_drawing_failed(const struct ouro_drawing *drawing)
{
    return drawing->failed;
}

static enum ouro_status write_dot(struct ouro_drawing *drawing, struct ouro_buf *out, struct ouro_err *err)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    if (!stream)
        return ouro_err_set(err, OURO_NOMEM, "no memory for a picture");
    bool bad = agwrite(drawing->graph, stream) != 0;
    bad |= fclose(stream) != 0;
    if (!bad)
        ouro_buf_add(out, bytes, size);
    free(bytes);
    return bad || out->failed ? ouro_err_set(err, OURO_NOMEM, "no memory for a picture") : OURO_OK;
}

#ifdef HAVE_GVC
/* Graphviz sets labels so close to their edges that these strike them through: a blank on either side of each line. */
static void pad_labels(struct ouro_drawing *drawing)
{
    for (Agnode_t *node = agfstnode(drawing->graph); node; node = agnxtnode(drawing->graph, node))
        for (Agedge_t *edge = agfstout(drawing->graph, node); edge; edge = agnxtout(drawing->graph, edge)) {
            OURO_GUARD(ouro_buf_fini) struct ouro_buf padded = {0};
            const char *label = agget(edge, text_of("label"));
            if (!label || !*label)
                continue;
            ouro_buf_add_byte(&padded, ' ');
            for (const char *at = label; *at; at++) {
                bool escape = at[0] == '\\' && at[1];
                if (escape && at[1] == 'n')
                    ouro_buf_add_text(&padded, " \\n ");
                else
                    ouro_buf_add(&padded, at, escape ? 2 : 1);
                at += escape;
            }
            ouro_buf_add_byte(&padded, ' ');
            const char *text = ouro_buf_text(&padded);
            drawing->failed |= padded.failed;
            set_object(drawing, edge, "label", padded.failed ? label : text);
        }
}

/* By edges that are not drawn, from all nodes of a cluster to the first of the one below it. */
static void stack_clusters(struct ouro_drawing *drawing)
{
    const struct clusters *clusters = &drawing->clusters;
    for (size_t i = drawing->side_by_side; drawing->side_by_side && i < clusters->count; i++) {
        Agraph_t *above = clusters->items[i - drawing->side_by_side];
        Agnode_t *below = agfstnode(clusters->items[i]);
        for (Agnode_t *node = agfstnode(above); node && below; node = agnxtnode(above, node)) {
            Agedge_t *edge = agedge(drawing->graph, agsubnode(drawing->graph, node, 0),
                                    agsubnode(drawing->graph, below, 0), NULL, 1);
            drawing->failed |= !edge;
            set_object(drawing, edge, "style", "invis");
        }
    }
}

/* A PDF says when it was made: the same picture would be other bytes each second. Of the same length, or the file's own table
 * of contents would be wrong. */
static void forget_date(struct ouro_buf *out)
{
    static const char key[] = "/CreationDate (D:", date[] = "20000101000000";
    unsigned char *found = out->size ? memmem(out->data, out->size, key, sizeof key - 1) : NULL;
    size_t left = found ? out->size - (size_t)(found - out->data) : 0;
    if (left > sizeof key + sizeof date && strspn((char *)found + sizeof key - 1, "0123456789") == sizeof date - 1)
        memcpy(found + sizeof key - 1, date, sizeof date - 1);
}

static enum ouro_status write_laid_out(struct ouro_drawing *drawing, enum ouro_drawing_format format,
                                       struct ouro_buf *out, struct ouro_err *err)
{
    GVC_t *gvc = gvContext();
    char *bytes = NULL;
    unsigned size = 0;
    if (!gvc)
        return ouro_err_set(err, OURO_NOMEM, "no memory for graphviz");
    enum ouro_status status = OURO_OK;
    pad_labels(drawing);
    stack_clusters(drawing);
    if (drawing->failed)
        status = ouro_err_set(err, OURO_NOMEM, "no memory for a picture");
    if (!status && gvLayout(gvc, drawing->graph, "dot"))
        status = ouro_err_set(err, OURO_UNSUPPORTED, "graphviz can't lay the picture out");
    if (!status && gvRenderData(gvc, drawing->graph, format_names[format], &bytes, &size))
        status = ouro_err_set(err, OURO_UNSUPPORTED, "the graphviz of this machine can't write %s (Debian: libgvc6)",
                              format_names[format]);
    if (!status)
        ouro_buf_add(out, bytes, size);
    if (!status && format == OURO_DRAWING_PDF)
        forget_date(out);
    gvFreeRenderData(bytes);
    gvFreeLayout(gvc, drawing->graph);
    gvFreeContext(gvc);
    return !status && out->failed ? ouro_err_set(err, OURO_NOMEM, "no memory for a picture") : status;
}
#endif

enum ouro_status ouro_drawing_write(struct ouro_drawing *drawing, enum ouro_drawing_format format, struct ouro_buf *out,
                                    struct ouro_err *err)
{
    if (drawing->failed)
        return ouro_err_set(err, OURO_NOMEM, "no memory for a picture");
    if (format == OURO_DRAWING_DOT)
        return write_dot(drawing, out, err);
#ifdef HAVE_GVC
    return write_laid_out(drawing, format, out, err);
#else
    return ouro_err_set(err, OURO_UNSUPPORTED, "this ouro was built without libgvc: it writes .dot only");
#endif
}
