/* Trees of rows, drawn: dominators, and the paths to all objects of a type. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/picture.h"
#include "render/text.h"

#define VALUE_BYTES 40

struct painter {
    struct ouro_drawing *drawing;
    const struct ouro_heap_model *model;
    struct ouro_buf text;
    bool failed;
};

static struct ouro_drawing_node *row_of(struct painter *painter, size_t row)
{
    char name[32];
    snprintf(name, sizeof name, "r%zu", row);
    return ouro_drawing_node(painter->drawing, name);
}

static void set_label(struct painter *painter, struct ouro_drawing_node *node, const char *attribute)
{
    ouro_drawing_text_node(painter->drawing, node, attribute, painter->text.data, painter->text.size);
    painter->failed |= painter->text.failed;
    painter->text.size = 0;
}

/* Of a number from 0 to 1, by Newton's method: no libm for two boxes' sizes. */
static double square_root(double square)
{
    double root = 1;
    for (int i = 0; i < 24; i++)
        root = (root + square / root) / 2;
    return root;
}

/* One hue from white to orange, with black text on all of it; the area grows with the share. */
static void set_share(struct painter *painter, struct ouro_drawing_node *node, double share, bool area)
{
    char text[64];
    double root = square_root(share < 0 ? 0 : share > 1 ? 1 : share);
    snprintf(text, sizeof text, "0.09,%.3f,1", 0.9 * root);
    ouro_drawing_set_node(painter->drawing, node, "fillcolor", text);
    if (!area)
        return;
    snprintf(text, sizeof text, "%.2f", 0.4 + 1.6 * root);
    ouro_drawing_set_node(painter->drawing, node, "height", text);
    snprintf(text, sizeof text, "%.2f", 0.8 + 2.4 * root);
    ouro_drawing_set_node(painter->drawing, node, "width", text);
}

static void add_edge(struct painter *painter, size_t from, size_t to, const void *label, size_t size, double share,
                     bool dotted)
{
    char text[32];
    struct ouro_drawing *drawing = painter->drawing;
    struct ouro_drawing_edge *edge = ouro_drawing_edge(drawing, row_of(painter, from), row_of(painter, to));
    if (size) {
        ouro_drawing_text_edge(drawing, edge, "label", label, size);
        ouro_drawing_text_edge(drawing, edge, "tooltip", label, size);
    }
    snprintf(text, sizeof text, "%.2f", 1 + 5 * share);
    ouro_drawing_set_edge(drawing, edge, "penwidth", text);
    if (dotted) {
        ouro_drawing_set_edge(drawing, edge, "style", "dotted");
        ouro_drawing_set_edge(drawing, edge, "color", "red");
    }
}

static void begin(struct painter *painter)
{
    ouro_drawing_set(painter->drawing, "rankdir", "LR");
    ouro_drawing_set(painter->drawing, "nodesep", "0.12");
    ouro_drawing_set(painter->drawing, "labelloc", "t");
}

static void add_rest(struct painter *painter, struct ouro_drawing_node *node)
{
    ouro_drawing_set_node(painter->drawing, node, "style", "filled,dotted");
    ouro_drawing_set_node(painter->drawing, node, "color", "red");
}

static enum ouro_status end(struct painter *painter, struct ouro_drawing **drawing, struct ouro_err *err)
{
    bool failed = painter->failed || painter->text.failed;
    ouro_buf_fini(&painter->text);
    if (!failed)
        return OURO_OK;
    ouro_drawing_free(*drawing);
    *drawing = NULL;
    return ouro_err_set(err, OURO_NOMEM, "no memory for a picture of a tree");
}

/* --- dominators */

static void add_object_words(struct ouro_buf *text, const struct ouro_heap_model *model,
                             const struct ouro_dominator_row *row)
{
    if (row->node >= model->heap.count) {
        ouro_buf_add_text(text, "<root> native");
        return;
    }
    ouro_page_add_type(text, model, row->type);
    OURO_GUARD(ouro_buf_fini) struct ouro_buf value = {0};
    ouro_node shown = row->owner != OURO_NODE_NONE ? row->owner : row->node;
    if (row->owner != OURO_NODE_NONE) {
        ouro_buf_add_text(&value, "of ");
        if (!(model->heap.flags[row->owner] & OURO_OBJECT_PSEUDO)) {
            ouro_page_add_type(&value, model, ouro_heap_model_type(model, row->owner));
            ouro_buf_add_byte(&value, ' ');
        }
    }
    ouro_value_add(&value, model, shown, VALUE_BYTES);
    if (value.size)
        ouro_buf_add_byte(text, '\n');
    ouro_buf_add(text, value.data, value.size);
    text->failed |= value.failed;
}

static void add_row_words(struct ouro_buf *text, const struct ouro_heap_model *model, const struct ouro_dominator_row *row,
                          enum ouro_dominator_grouping grouping)
{
    static const char *const sections[] = {
        [OURO_DOMINATOR_NAMED] = "named roots:\nmodules, threads, interpreter",
        [OURO_DOMINATOR_NATIVE] = "native code",
        [OURO_DOMINATOR_GARBAGE] = "garbage",
        [OURO_DOMINATOR_UNREACHED] = "reached by nothing",
    };
    size_t size;
    switch (row->kind) {
    case OURO_DOMINATOR_SECTION:
        ouro_buf_add_text(text, sections[row->section]);
        break;
    case OURO_DOMINATOR_OBJECT:
        add_object_words(text, model, row);
        break;
    case OURO_DOMINATOR_GROUP:
        ouro_text_add_count(text, row->count);
        if (grouping == OURO_DOMINATOR_GROUP_MODULE) {
            const char *module = ouro_heap_model_type_module(model, row->type, &size);
            ouro_buf_add_text(text, " of module ");
            ouro_buf_add(text, module, size);
        } else {
            ouro_buf_add_text(text, " \xc3\x97 ");
            ouro_page_add_type(text, model, row->type);
        }
        break;
    case OURO_DOMINATOR_REST:
        ouro_text_add_count(text, row->count);
        ouro_buf_add_text(text, " more");
        break;
    }
}

static void add_sizes(struct ouro_buf *text, uint64_t bytes, double share)
{
    ouro_buf_add_byte(text, '\n');
    ouro_text_add_size(text, bytes);
    ouro_buf_addf(text, ", %.1f%%", 100 * share);
}

static void add_tooltip(struct painter *painter, struct ouro_drawing_node *node, const struct ouro_dominator_row *row,
                        enum ouro_dominator_grouping grouping)
{
    struct ouro_buf *text = &painter->text;
    add_row_words(text, painter->model, row, grouping);
    if (row->kind == OURO_DOMINATOR_OBJECT && row->node < painter->model->heap.count)
        ouro_buf_addf(text, "\nat 0x%" PRIx64, painter->model->heap.addr[row->node]);
    ouro_buf_add_text(text, "\nretains ");
    ouro_text_add_size(text, row->retained_bytes);
    ouro_buf_add_text(text, " in ");
    ouro_text_add_count(text, row->object_count);
    ouro_buf_add_text(text, row->object_count == 1 ? " object" : " objects");
    if (row->kind != OURO_DOMINATOR_SECTION) {
        ouro_buf_add_text(text, ", itself ");
        ouro_text_add_size(text, row->shallow_bytes);
    }
    set_label(painter, node, "tooltip");
}

static void add_row(struct painter *painter, const struct ouro_dominator_tree *tree, size_t number,
                    enum ouro_dominator_grouping grouping)
{
    const struct ouro_dominator_row *row = &tree->items[number];
    struct ouro_drawing_node *node = row_of(painter, number);
    double share = tree->total_bytes ? (double)row->retained_bytes / (double)tree->total_bytes : 0;
    bool object = row->kind == OURO_DOMINATOR_OBJECT && row->node < painter->model->heap.count;
    char id[32];
    add_row_words(&painter->text, painter->model, row, grouping);
    add_sizes(&painter->text, row->retained_bytes, share);
    set_label(painter, node, "label");
    add_tooltip(painter, node, row, grouping);
    if (object)
        snprintf(id, sizeof id, "o%" PRIu64, painter->model->heap.addr[row->node]);
    else
        snprintf(id, sizeof id, "r%zu", number);
    ouro_drawing_set_node(painter->drawing, node, "id", id);
    set_share(painter, node, share, row->kind != OURO_DOMINATOR_REST);
    if (row->kind == OURO_DOMINATOR_GROUP)
        ouro_drawing_set_node(painter->drawing, node, "peripheries", "2");
    if (row->kind == OURO_DOMINATOR_REST)
        add_rest(painter, node);
    if (row->parent != SIZE_MAX)
        add_edge(painter, row->parent, number, tree->labels.data + row->label, row->label_size, share,
                 row->kind == OURO_DOMINATOR_REST);
}

enum ouro_status ouro_picture_dominators(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                         const struct ouro_dominator_tree *tree, enum ouro_dominator_grouping grouping,
                                         struct ouro_err *err)
{
    OURO_TRY(ouro_drawing_new(drawing, "Dominators", err));
    struct painter painter = {.drawing = *drawing, .model = model};
    begin(&painter);
    ouro_buf_add_text(&painter.text, "who keeps what alive: ");
    ouro_text_add_count(&painter.text, tree->object_count);
    ouro_buf_add_text(&painter.text, tree->object_count == 1 ? " object, " : " objects, ");
    ouro_text_add_size(&painter.text, tree->total_bytes);
    ouro_drawing_text(*drawing, "label", painter.text.data, painter.text.size);
    painter.text.size = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->items[i].kind != OURO_DOMINATOR_SECTION || tree->items[i].count)
            add_row(&painter, tree, i, grouping);
    return end(&painter, drawing, err);
}

/* --- paths to a type */

static void add_place(struct painter *painter, const struct ouro_path_tree *tree, size_t number, size_t parent)
{
    const struct ouro_path_tree_row *row = &tree->items[number];
    struct ouro_drawing_node *node = row_of(painter, number);
    struct ouro_buf *text = &painter->text;
    double share = tree->instance_count ? (double)row->count / (double)tree->instance_count : 0;
    const unsigned char *notation = tree->texts.data + row->text_begin;
    if (parent == SIZE_MAX) {
        ouro_buf_add(text, notation, row->text_size);
        ouro_buf_add_byte(text, '\n');
    }
    ouro_page_add_type(text, painter->model, row->type);
    if (row->object_count > 1) {
        ouro_buf_add_text(text, " \xc3\x97 ");
        ouro_text_add_count(text, row->object_count);
    }
    bool all = row->own_count == row->count && row->own_count == row->object_count;
    if (!all) {
        ouro_buf_add_byte(text, '\n');
        ouro_text_add_count(text, row->count);
        ouro_buf_add_text(text, row->count == 1 ? " comes through" : " come through");
    }
    ouro_buf_add_byte(text, '\n');
    ouro_text_add_size(text, row->bytes);
    set_label(painter, node, "label");
    ouro_page_add_type(text, painter->model, row->type);
    for (unsigned i = 0; i < row->example_count; i++)
        ouro_buf_addf(text, "%s0x%" PRIx64, i ? ", " : row->own_count ? "\ne.g. " : "\nbelow, e.g. ",
                      painter->model->heap.addr[row->examples[i]]);
    set_label(painter, node, "tooltip");
    char id[32];
    snprintf(id, sizeof id, "r%zu", number);
    ouro_drawing_set_node(painter->drawing, node, "id", id);
    set_share(painter, node, share, false);
    if (row->own_count)
        ouro_drawing_set_node(painter->drawing, node, "penwidth", "3");
    if (row->object_count > 1)
        ouro_drawing_set_node(painter->drawing, node, "peripheries", "2");
    if (parent != SIZE_MAX)
        add_edge(painter, parent, number, notation, row->text_size, share, false);
}

static void add_left(struct painter *painter, const char *name, uint64_t rows, uint64_t count, size_t parent)
{
    struct ouro_drawing *drawing = painter->drawing;
    struct ouro_drawing_node *node = ouro_drawing_node(drawing, name);
    ouro_text_add_count(&painter->text, count);
    ouro_buf_addf(&painter->text, " more in %" PRIu64 " %s", rows, rows == 1 ? "place" : "places");
    set_label(painter, node, "label");
    add_rest(painter, node);
    if (parent == SIZE_MAX)
        return;
    struct ouro_drawing_edge *edge = ouro_drawing_edge(drawing, row_of(painter, parent), node);
    ouro_drawing_set_edge(drawing, edge, "style", "dotted");
    ouro_drawing_set_edge(drawing, edge, "color", "red");
}

static void add_places(struct painter *painter, const struct ouro_path_tree *tree, size_t *parents)
{
    char name[32];
    for (size_t i = 0; i < tree->count; i++) {
        const struct ouro_path_tree_row *row = &tree->items[i];
        size_t level = row->depth < OURO_PATH_TREE_DEPTH_MAX ? row->depth : OURO_PATH_TREE_DEPTH_MAX;
        add_place(painter, tree, i, level ? parents[level - 1] : SIZE_MAX);
        parents[level] = i;
        if (!row->left_rows)
            continue;
        snprintf(name, sizeof name, "more_r%zu", i);
        add_left(painter, name, row->left_rows, row->left_count, i);
    }
    if (tree->left_rows)
        add_left(painter, "more", tree->left_rows, tree->left_count, SIZE_MAX);
}

enum ouro_status ouro_picture_path_tree(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                        const struct ouro_path_tree *tree, const char *type, struct ouro_err *err)
{
    size_t parents[OURO_PATH_TREE_DEPTH_MAX + 1] = {0};
    OURO_TRY(ouro_drawing_new(drawing, "Paths", err));
    struct painter painter = {.drawing = *drawing, .model = model};
    begin(&painter);
    ouro_text_add_count(&painter.text, tree->instance_count);
    ouro_buf_add_text(&painter.text, tree->instance_count == 1 ? " object of type " : " objects of type ");
    ouro_buf_add_text(&painter.text, type);
    ouro_buf_add_text(&painter.text, ", ");
    ouro_text_add_size(&painter.text, tree->instance_bytes);
    if (tree->unreached_count) {
        ouro_buf_add_text(&painter.text, "\n");
        ouro_text_add_count(&painter.text, tree->unreached_count);
        ouro_buf_add_text(&painter.text, " that neither a root nor garbage reaches");
    }
    ouro_drawing_text(*drawing, "label", painter.text.data, painter.text.size);
    painter.text.size = 0;
    add_places(&painter, tree, parents);
    return end(&painter, drawing, err);
}
