#include "render/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/text.h"

/* As objgraph cuts its reprs; tooltips have more room. */
#define LABEL_VALUE_BYTES 40
#define TOOLTIP_VALUE_BYTES 400

/* On one line, whatever a name holds. */
static void add_flat(struct ouro_buf *out, const void *bytes, size_t size)
{
    const char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] == '\n')
            ouro_buf_add_text(out, "\\n");
        else
            ouro_buf_add_byte(out, (unsigned char)at[i]);
}

static void add_type_name(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, bool full)
{
    size_t size;
    uint32_t type = ouro_heap_model_type(model, node);
    if (full) {
        OURO_GUARD(ouro_buf_fini) struct ouro_buf whole = {0};
        ouro_page_add_type(&whole, model, type);
        add_flat(out, whole.data, whole.size);
        out->failed |= whole.failed;
        return;
    }
    const char *name = ouro_heap_model_type_name(model, type, &size);
    for (size_t i = size; i--;) /* the last part of a qualified name, but not of "f.<locals>.C" the dots inside <> */
        if (name[i] == '.') {
            add_flat(out, name + i + 1, size - i - 1);
            return;
        }
    add_flat(out, name, size);
}

/* The filled items of a container; false: it is none. */
static bool count_items(const struct ouro_heap_model *model, ouro_node node, uint64_t *count)
{
    struct ouro_part_walk walk;
    bool container = false;
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    *count = 0;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        unsigned kind = shape->parts[i].kind;
        container |= kind == OURO_PART_ITEMS || kind == OURO_PART_ITEMS_DOWN || kind == OURO_PART_ELEMENTS ||
                     (ouro_part_repeats(kind) && ouro_part_width(kind) == 2);
    }
    ouro_part_walk_begin(&walk, model, node);
    while (container && ouro_part_walk_next(&walk)) {
        unsigned kind = walk.part->kind;
        if (kind == OURO_PART_ITEMS || kind == OURO_PART_ITEMS_DOWN || kind == OURO_PART_ELEMENTS || walk.width == 2)
            for (uint64_t i = 0; i < walk.item_count; i++)
                *count += model->heap.slots[walk.first + i * walk.width] != OURO_NODE_NONE;
    }
    return container;
}


/* Names come with where their source is: a box has room for the name, of a frame for the file and line too. */
static void add_name(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    const unsigned char *name = ouro_value_raw(model, node, &size);
    const unsigned char *bracket = size && name[size - 1] == ')' ? memrchr(name, '(', size) : NULL;
    if (!bracket || bracket == name || bracket[-1] != ' ') {
        add_flat(out, name, size);
        return;
    }
    add_flat(out, name, (size_t)(bracket - name) - 1);
    if (!(model->heap.flags[node] & OURO_OBJECT_PSEUDO))
        return;
    const unsigned char *file = memrchr(bracket, '/', (size_t)(name + size - bracket));
    file = file ? file + 1 : bracket + 1;
    ouro_buf_add_byte(out, '\n');
    add_flat(out, file, (size_t)(name + size - file) - 1);
}

/* objgraph's short_repr. Nothing where there is nothing but an address to tell. */
static void add_short_value(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, size_t most)
{
    uint32_t id = ouro_heap_model_type(model, node);
    const char *type = ouro_heap_model_type_name(model, id, NULL);
    uint64_t count;
    if (most == LABEL_VALUE_BYTES && id < model->type_count && model->types[id].value_kind == OURO_VALUE_NAME &&
        ouro_value_has(model, node)) {
        add_name(out, model, node);
        return;
    }
    if (ouro_value_add(out, model, node, most))
        return;
    ouro_node function = !strcmp(type, "method") ? ouro_heap_model_field(model, node, "__func__") : OURO_NODE_NONE;
    if (function != OURO_NODE_NONE && ouro_value_has(model, function)) {
        add_name(out, model, function);
        ouro_buf_add_text(out, " (bound)");
        return;
    }
    if (count_items(model, node, &count)) {
        ouro_buf_addf(out, "%" PRIu64 " item%s", count, count == 1 ? "" : "s");
    }
}

static bool is_immortal(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_IMMORTAL;
}

void ouro_picture_label(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node,
                        const struct ouro_picture_options *options)
{
    add_type_name(out, model, node, options->full_names);
    if (options->refcounts && !(model->heap.flags[node] & OURO_OBJECT_PSEUDO)) {
        if (is_immortal(model, node))
            ouro_buf_add_text(out, " [immortal]");
        else
            ouro_buf_addf(out, " [%" PRIu64 "]", model->heap.refcount[node]);
    }
    OURO_GUARD(ouro_buf_fini) struct ouro_buf value = {0};
    add_short_value(&value, model, node, LABEL_VALUE_BYTES);
    bool none = !value.size && !value.failed && !(options->extra & OURO_PICTURE_ADDRESS);
    if (none)
        ouro_buf_addf(&value, "0x%" PRIx64, model->heap.addr[node]);
    if (value.size)
        ouro_buf_add_byte(out, '\n');
    out->failed |= value.failed;
    ouro_buf_add(out, value.data, value.size);
    if (options->extra & OURO_PICTURE_SIZE) {
        ouro_buf_add_byte(out, '\n');
        ouro_text_add_size(out, ouro_heap_model_bytes(model, node));
    }
    if (options->extra & OURO_PICTURE_RETAINED && options->retained) {
        ouro_buf_add_text(out, "\nretains ");
        ouro_text_add_size(out, options->retained->bytes[node]);
    }
    if (options->extra & OURO_PICTURE_ADDRESS)
        ouro_buf_addf(out, "\n0x%" PRIx64, model->heap.addr[node]);
}

void ouro_picture_tooltip(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node,
                          const struct ouro_picture_options *options)
{
    add_type_name(out, model, node, true);
    ouro_buf_addf(out, " at 0x%" PRIx64 "\n", model->heap.addr[node]);
    ouro_text_add_size(out, ouro_heap_model_bytes(model, node));
    if (options->retained) {
        ouro_buf_add_text(out, ", retains ");
        ouro_text_add_size(out, options->retained->bytes[node]);
    }
    if (is_immortal(model, node))
        ouro_buf_add_text(out, ", immortal");
    else if (!(model->heap.flags[node] & OURO_OBJECT_PSEUDO))
        ouro_buf_addf(out, ", %" PRIu64 " reference%s", model->heap.refcount[node],
                      model->heap.refcount[node] == 1 ? "" : "s");
    ouro_buf_add_byte(out, '\n');
    add_short_value(out, model, node, TOOLTIP_VALUE_BYTES);
}

/* --- a neighbourhood */

struct painter {
    struct ouro_drawing *drawing;
    const struct ouro_heap_model *model;
    const struct ouro_neighbourhood *neighbourhood;
    const struct ouro_picture_options *options;
    bool back, wide;
    struct ouro_buf text;
    uint32_t *edge_counts, *leaf_counts, *leaves_met; /* owned; by node */
};

#define WIDE_NODES  12
#define WIDE_DEPTHS 64
#define LEAVES_MANY 6
#define LEAF_ROWS   3

static bool count_edges(struct painter *painter)
{
    const struct ouro_neighbourhood *neighbourhood = painter->neighbourhood;
    size_t count = neighbourhood->nodes.count + 1;
    painter->edge_counts = calloc(count, sizeof *painter->edge_counts);
    painter->leaf_counts = calloc(count, sizeof *painter->leaf_counts);
    painter->leaves_met = calloc(count, sizeof *painter->leaves_met);
    if (!painter->edge_counts || !painter->leaf_counts || !painter->leaves_met)
        return false;
    for (size_t i = 0; i < neighbourhood->edges.count; i++) {
        painter->edge_counts[neighbourhood->edges.items[i].from]++;
        painter->edge_counts[neighbourhood->edges.items[i].to]++;
    }
    for (size_t i = 0; i < neighbourhood->edges.count; i++) {
        const struct ouro_neighbourhood_edge *edge = &neighbourhood->edges.items[i];
        uint32_t far = painter->back ? edge->from : edge->to;
        if (painter->edge_counts[far] == 1 && !neighbourhood->nodes.items[far].more_count)
            painter->leaf_counts[painter->back ? edge->to : edge->from]++;
    }
    return true;
}

/* Boxes are wider than high: what has many side by side is read from left to right. */
static bool is_wide(const struct ouro_neighbourhood *neighbourhood)
{
    size_t count[WIDE_DEPTHS] = {0};
    for (size_t i = 0; i < neighbourhood->nodes.count; i++) {
        uint32_t depth = neighbourhood->nodes.items[i].depth;
        if (++count[depth < WIDE_DEPTHS ? depth : WIDE_DEPTHS - 1] > WIDE_NODES && depth < WIDE_DEPTHS)
            return true;
    }
    return false;
}

/* Brightness at a depth: from 1 to 0.3 at the last one. */
static double brightness(const struct painter *painter, uint32_t depth)
{
    uint32_t most = painter->options->depth_max;
    double value = most ? 1 - 0.7 * (double)(depth < most ? depth : most) / (double)most : 1;
    return value < 0.3 ? 0.3 : value;
}

static void set_color(struct painter *painter, struct ouro_drawing_node *node, const char *attribute, double h, double s,
                      double v)
{
    char text[64];
    snprintf(text, sizeof text, "%g,%g,%g", h, s, v);
    ouro_drawing_set_node(painter->drawing, node, attribute, text);
}

static struct ouro_drawing_node *object_of(struct painter *painter, ouro_node node)
{
    char name[32];
    snprintf(name, sizeof name, "o%" PRIu64, painter->model->heap.addr[node]);
    return ouro_drawing_node(painter->drawing, name);
}

/* A satellite: __del__, or the number of neighbours that are not drawn. */
static void add_satellite(struct painter *painter, ouro_node node, const char *name, const char *label, bool reversed,
                          const char *shape, const char *fill, const char *text_color)
{
    struct ouro_drawing *drawing = painter->drawing;
    struct ouro_drawing_node *object = object_of(painter, node), *satellite = ouro_drawing_node(drawing, name);
    struct ouro_drawing_edge *edge = reversed ? ouro_drawing_edge(drawing, satellite, object)
                                              : ouro_drawing_edge(drawing, object, satellite);
    ouro_drawing_set_edge(drawing, edge, "color", "red");
    ouro_drawing_set_edge(drawing, edge, "style", "dotted");
    ouro_drawing_set_edge(drawing, edge, "len", "0.25");
    ouro_drawing_set_edge(drawing, edge, "weight", "10");
    ouro_drawing_text_node(drawing, satellite, "label", label, strlen(label));
    ouro_drawing_set_node(drawing, satellite, "shape", shape);
    ouro_drawing_set_node(drawing, satellite, "height", "0.25");
    ouro_drawing_set_node(drawing, satellite, "color", "red");
    ouro_drawing_set_node(drawing, satellite, "fillcolor", fill);
    ouro_drawing_set_node(drawing, satellite, "fontsize", "9");
    ouro_drawing_set_node(drawing, satellite, "margin", "0.05,0.02");
    if (text_color)
        ouro_drawing_set_node(drawing, satellite, "fontcolor", text_color);
}

static void add_finalizer(struct painter *painter, ouro_node node)
{
    char name[48];
    snprintf(name, sizeof name, "o%" PRIu64 "_has_a_del", painter->model->heap.addr[node]);
    add_satellite(painter, node, name, "__del__", false, "doublecircle", "0,.5,1", NULL);
}

static void add_more(struct painter *painter, const struct ouro_neighbourhood_node *drawn)
{
    char name[64], label[64], fill[64];
    snprintf(name, sizeof name, "too_many_o%" PRIu64, painter->model->heap.addr[drawn->node]);
    snprintf(label, sizeof label, "%" PRIu64 " more %sreference%s", drawn->more_count, painter->back ? "back" : "",
             drawn->more_count == 1 ? "" : "s");
    snprintf(fill, sizeof fill, "0,1,%g", brightness(painter, drawn->depth + 1));
    add_satellite(painter, drawn->node, name, label, painter->back, "box", fill, "white");
}

/* One of sys.modules, or another one: its type says so. */
static bool is_module(const struct ouro_heap_model *model, const struct ouro_neighbourhood_node *drawn)
{
    size_t size;
    uint32_t type = ouro_heap_model_type(model, drawn->node);
    const char *module = ouro_heap_model_type_module(model, type, &size);
    return drawn->module || (!strcmp(ouro_heap_model_type_name(model, type, NULL), "module") && !strcmp(module, "builtins"));
}

static bool has_finalizer(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_heap_model_type_flags(model, ouro_heap_model_type(model, node)) & (OURO_TYPE_FINALIZE | OURO_TYPE_DEL);
}

static void add_object(struct painter *painter, const struct ouro_neighbourhood_node *drawn)
{
    const struct ouro_heap_model *model = painter->model;
    const struct ouro_picture_options *options = painter->options;
    struct ouro_drawing_node *node = object_of(painter, drawn->node);
    struct ouro_buf *text = &painter->text;
    char id[32];
    if (drawn->start) {
        ouro_drawing_set_node(painter->drawing, node, "fontcolor", "red");
        ouro_drawing_set_node(painter->drawing, node, "penwidth", "3"); /* for who sees no red */
    }
    text->size = 0;
    ouro_picture_label(text, model, drawn->node, options);
    ouro_drawing_text_node(painter->drawing, node, "label", text->data, text->size);
    text->size = 0;
    ouro_picture_tooltip(text, model, drawn->node, options);
    ouro_drawing_text_node(painter->drawing, node, "tooltip", text->data, text->size);
    snprintf(id, sizeof id, "o%" PRIu64, model->heap.addr[drawn->node]);
    ouro_drawing_set_node(painter->drawing, node, "id", id);
    double h = 0, s = 0, v = brightness(painter, drawn->depth);
    if (is_module(model, drawn)) {
        h = 0.3;
        s = 1;
    }
    if (options->highlight &&
        ouro_pattern_type(model, ouro_heap_model_type(model, drawn->node), options->highlight)) {
        h = 0.6;
        s = 0.6;
        v = 0.5 + v / 2;
    }
    set_color(painter, node, "fillcolor", h, s, v);
    if (v < 0.5)
        ouro_drawing_set_node(painter->drawing, node, "fontcolor", "white");
    if (has_finalizer(model, drawn->node))
        add_finalizer(painter, drawn->node);
}

/* Many leaves side by side make pictures that nobody can read: they are set off in three rows. */
static void stagger(struct painter *painter, const struct ouro_neighbourhood_edge *drawn, struct ouro_drawing_edge *edge)
{
    uint32_t near = painter->back ? drawn->to : drawn->from, far = painter->back ? drawn->from : drawn->to;
    char rows[16];
    if (painter->edge_counts[far] != 1 || painter->neighbourhood->nodes.items[far].more_count ||
        painter->leaf_counts[near] < LEAVES_MANY || painter->wide)
        return;
    snprintf(rows, sizeof rows, "%u", 1 + painter->leaves_met[near]++ % LEAF_ROWS);
    ouro_drawing_set_edge(painter->drawing, edge, "minlen", rows);
}

static void add_edge(struct painter *painter, const struct ouro_neighbourhood_edge *drawn)
{
    const struct ouro_neighbourhood *neighbourhood = painter->neighbourhood;
    struct ouro_drawing *drawing = painter->drawing;
    const unsigned char *label = neighbourhood->labels.data + drawn->label;
    struct ouro_drawing_edge *edge = ouro_drawing_edge(drawing, object_of(painter, neighbourhood->nodes.items[drawn->from].node),
                                                       object_of(painter, neighbourhood->nodes.items[drawn->to].node));
    ouro_drawing_text_edge(drawing, edge, "label", label, drawn->label_size);
    ouro_drawing_text_edge(drawing, edge, "tooltip", label, drawn->label_size);
    /* Objects and their dicts, functions and what they are made of stand close together. */
    if (drawn->label_size > 1 && label[0] == '_' && label[1] == '_')
        ouro_drawing_set_edge(drawing, edge, "weight", "10");
    else if (drawn->label_size && label[0] == '.')
        ouro_drawing_set_edge(drawing, edge, "weight", "2");
    if (drawn->edge_class == OURO_EDGE_HIDDEN)
        ouro_drawing_set_edge(drawing, edge, "style", "dashed");
    stagger(painter, drawn, edge);
}

/* A way of which the middle is left out. */
static void add_fold(struct painter *painter, size_t number)
{
    const struct ouro_neighbourhood_fold *fold = &painter->neighbourhood->folds.items[number];
    const struct ouro_neighbourhood_node *nodes = painter->neighbourhood->nodes.items;
    struct ouro_drawing *drawing = painter->drawing;
    char name[32];
    snprintf(name, sizeof name, "fold%zu", number);
    struct ouro_drawing_node *node = ouro_drawing_node(drawing, name);
    struct ouro_buf *text = &painter->text;
    text->size = 0;
    ouro_text_add_count(text, fold->count);
    ouro_buf_add_text(text, fold->count == 1 ? " more object" : " more objects");
    ouro_drawing_text_node(drawing, node, "label", text->data, text->size);
    ouro_drawing_set_node(drawing, node, "style", "dotted");
    ouro_drawing_set_node(drawing, node, "color", "red");
    struct ouro_drawing_edge *edges[] = {
        ouro_drawing_edge(drawing, object_of(painter, nodes[fold->from].node), node),
        ouro_drawing_edge(drawing, node, object_of(painter, nodes[fold->to].node)),
    };
    for (int i = 0; i < 2; i++) {
        ouro_drawing_set_edge(drawing, edges[i], "color", "red");
        ouro_drawing_set_edge(drawing, edges[i], "style", "dotted");
    }
}

/* Start objects that there was no room for. */
static void add_unplaced(struct painter *painter)
{
    char label[64];
    uint64_t count = painter->neighbourhood->unplaced_count;
    if (!count)
        return;
    snprintf(label, sizeof label, "%" PRIu64 " more object%s", count, count == 1 ? "" : "s");
    struct ouro_drawing_node *node = ouro_drawing_node(painter->drawing, "more");
    ouro_drawing_text_node(painter->drawing, node, "label", label, strlen(label));
    ouro_drawing_set_node(painter->drawing, node, "style", "dotted");
    ouro_drawing_set_node(painter->drawing, node, "color", "red");
}

enum ouro_status ouro_picture_neighbourhood(struct ouro_drawing **drawing, const struct ouro_heap_model *model,
                                            const struct ouro_neighbourhood *neighbourhood,
                                            enum ouro_neighbourhood_direction direction,
                                            const struct ouro_picture_options *options, struct ouro_err *err)
{
    OURO_TRY(ouro_drawing_new(drawing, "ObjectGraph", err));
    struct painter painter = {
        .drawing = *drawing,
        .model = model,
        .neighbourhood = neighbourhood,
        .options = options,
        .back = direction == OURO_NEIGHBOURHOOD_REFERRERS,
        .wide = is_wide(neighbourhood),
    };
    if (painter.wide) {
        ouro_drawing_set(*drawing, "rankdir", "LR");
        ouro_drawing_set(*drawing, "nodesep", "0.12");
    }
    bool failed = !count_edges(&painter);
    for (size_t i = 0; i < neighbourhood->nodes.count && !failed; i++)
        add_object(&painter, &neighbourhood->nodes.items[i]);
    for (size_t i = 0; i < neighbourhood->edges.count && !failed; i++)
        add_edge(&painter, &neighbourhood->edges.items[i]);
    for (size_t i = 0; i < neighbourhood->nodes.count && !failed; i++)
        if (neighbourhood->nodes.items[i].more_count)
            add_more(&painter, &neighbourhood->nodes.items[i]);
    for (size_t i = 0; i < neighbourhood->folds.count && !failed; i++)
        add_fold(&painter, i);
    if (!failed)
        add_unplaced(&painter);
    failed |= painter.text.failed;
    ouro_buf_fini(&painter.text);
    free(painter.edge_counts);
    free(painter.leaf_counts);
    free(painter.leaves_met);
    if (failed) {
        ouro_drawing_free(*drawing);
        *drawing = NULL;
        return ouro_err_set(err, OURO_NOMEM, "no memory for a picture");
    }
    return OURO_OK;
}
