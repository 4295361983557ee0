/* Patterns of cycles, drawn. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/cycle_advice.h"
#include "base/guard.h"
#include "render/picture.h"
#include "render/text.h"

/* The colours tell apart without red and green: dark blue on white, vermilion for what to cut (Okabe and Ito). */
#define COLOR_CUT  "#d55e00"
#define COLOR_FILL "#e8f1fa"

/* A box of a pattern: an own name, and how many objects have it. */
struct box {
    uint32_t name;
    uint64_t count;
    bool finalizer;
};

struct arrow {
    uint32_t from, to; /* boxes */
    uint32_t source;   /* the name of the reference */
    uint64_t count;
    bool cut, drawn;
};
#define PATTERNS_SIDE_BY_SIDE 3
#define LABELS_OF_ONE 4u /* kinds of references between the same two boxes are one arrow; further ones are counted */

struct pattern {
    struct ouro_drawing *drawing;
    struct ouro_cycles *cycles;
    const struct ouro_cycle_row *row;
    const struct ouro_cycle_advice *advice;
    size_t number; /* of the row */
    struct {
        struct box *items;
        size_t count, capacity;
    } boxes;
    struct {
        struct arrow *items;
        size_t count, capacity;
    } arrows;
    struct ouro_buf text, other;
    bool failed;
};

static void pattern_fini(struct pattern *pattern)
{
    free(pattern->boxes.items);
    free(pattern->arrows.items);
    ouro_buf_fini(&pattern->text);
    ouro_buf_fini(&pattern->other);
}

static uint32_t box_of(struct pattern *pattern, uint32_t name)
{
    for (size_t i = 0; i < pattern->boxes.count; i++)
        if (pattern->boxes.items[i].name == name)
            return (uint32_t)i;
    struct box *box = OURO_VEC_ADD(&pattern->boxes);
    pattern->failed |= !box;
    if (!box)
        return 0;
    uint32_t type = pattern->cycles->names.names.items[name].type;
    *box = (struct box){
        .name = name,
        .finalizer = ouro_heap_model_type_flags(pattern->cycles->model, type) & (OURO_TYPE_FINALIZE | OURO_TYPE_DEL)};
    return (uint32_t)(pattern->boxes.count - 1);
}

/* Containers between two objects are part of the label of one arrow: what leads to them has none. */
static void find_arrows(struct pattern *pattern)
{
    const struct ouro_cycle_row *row = pattern->row;
    const struct ouro_cycle_names *names = &pattern->cycles->names;
    for (size_t i = 0; i < row->reference_count && !pattern->failed; i++) {
        const struct ouro_cycle_reference *reference = &pattern->cycles->references.items[row->reference_begin + i];
        if (names->names.items[reference->target].holder != OURO_NAME_NONE)
            continue;
        uint32_t from = box_of(pattern, ouro_cycle_names_owner(names, reference->source));
        uint32_t to = box_of(pattern, reference->target);
        struct arrow *arrow = OURO_VEC_ADD(&pattern->arrows);
        pattern->failed |= !arrow;
        if (arrow)
            *arrow = (struct arrow){.from = from, .to = to, .source = reference->source, .count = reference->count};
    }
}

static void count_objects(struct pattern *pattern)
{
    const struct ouro_cycles *cycles = pattern->cycles;
    const struct ouro_cyclic_layer *layer = &cycles->cyclic.layers[pattern->row->layer];
    for (size_t i = 0; i < pattern->row->knot_count; i++) {
        uint32_t knot = cycles->knots[pattern->row->knot_begin + i];
        for (uint32_t at = layer->begin[knot]; at < layer->begin[knot + 1]; at++) {
            uint32_t name = cycles->names.name_of[layer->members[at]];
            for (size_t j = 0; name != OURO_NAME_NONE && j < pattern->boxes.count; j++)
                if (pattern->boxes.items[j].name == name) {
                    pattern->boxes.items[j].count++;
                    break;
                }
        }
    }
}

static struct ouro_drawing_node *node_of(struct pattern *pattern, uint32_t box)
{
    char name[48];
    snprintf(name, sizeof name, "p%zu_%" PRIu32, pattern->number, box);
    return ouro_drawing_node(pattern->drawing, name);
}

/* Whether the reference is what the advice would make weak: itself, or the same attribute of a class with that base. */
static bool is_cut(struct pattern *pattern, uint32_t source)
{
    const struct ouro_cycle_names *names = &pattern->cycles->names;
    for (size_t i = 0; i < pattern->advice->cuts.count; i++) {
        const struct ouro_cycle_cut *cut = &pattern->advice->cuts.items[i];
        if (cut->source == source)
            return true;
        if (cut->base == OURO_NODE_NONE || cut->name_count < 2)
            continue;
        pattern->text.size = pattern->other.size = 0;
        ouro_cycle_names_add_path(names, source, &pattern->text);
        ouro_cycle_names_add_path(names, cut->source, &pattern->other);
        if (pattern->text.size == pattern->other.size &&
            !memcmp(pattern->text.data, pattern->other.data, pattern->text.size))
            return true;
    }
    return false;
}

static void add_box(struct pattern *pattern, uint32_t index)
{
    const struct box *box = &pattern->boxes.items[index];
    struct ouro_drawing_node *node = node_of(pattern, index);
    struct ouro_buf *text = &pattern->text;
    char id[48];
    text->size = 0;
    ouro_cycle_names_add(&pattern->cycles->names, box->name, text);
    if (box->count > 1) {
        ouro_buf_add_text(text, "\n× ");
        ouro_text_add_count(text, box->count);
    }
    ouro_drawing_text_node(pattern->drawing, node, "label", text->data, text->size);
    ouro_buf_addf(text, "\ne.g. 0x%" PRIx64,
                  pattern->cycles->model->heap.addr[pattern->cycles->names.names.items[box->name].example]);
    ouro_drawing_text_node(pattern->drawing, node, "tooltip", text->data, text->size);
    snprintf(id, sizeof id, "p%zu_%" PRIu32, pattern->number, index);
    ouro_drawing_set_node(pattern->drawing, node, "id", id);
    ouro_drawing_set_node(pattern->drawing, node, "fillcolor", COLOR_FILL);
    if (!box->finalizer)
        return;
    char name[64];
    snprintf(name, sizeof name, "p%zu_%" PRIu32 "_has_a_del", pattern->number, index);
    struct ouro_drawing_node *mark = ouro_drawing_node(pattern->drawing, name);
    struct ouro_drawing_edge *edge = ouro_drawing_edge(pattern->drawing, node, mark);
    ouro_drawing_set_node(pattern->drawing, mark, "label", "__del__");
    ouro_drawing_set_node(pattern->drawing, mark, "shape", "doublecircle");
    ouro_drawing_set_node(pattern->drawing, mark, "height", "0.25");
    ouro_drawing_set_node(pattern->drawing, mark, "color", "red");
    ouro_drawing_set_node(pattern->drawing, mark, "fillcolor", "0,.5,1");
    ouro_drawing_set_node(pattern->drawing, mark, "fontsize", "9");
    ouro_drawing_set_node(pattern->drawing, mark, "margin", "0.05,0.02");
    ouro_drawing_set_edge(pattern->drawing, edge, "color", "red");
    ouro_drawing_set_edge(pattern->drawing, edge, "style", "dotted");
}

static void add_arrow_label(struct pattern *pattern, const struct arrow *arrow)
{
    struct ouro_buf *text = &pattern->text;
    ouro_cycle_names_add_path(&pattern->cycles->names, arrow->source, text);
    if (arrow->count > 1) {
        ouro_buf_add_text(text, " × ");
        ouro_text_add_count(text, arrow->count);
    }
    ouro_buf_add_byte(text, '\n');
}

/* This arrow and all further ones between the same boxes that are cut, or not cut, like it. */
static void add_arrows(struct pattern *pattern, size_t first)
{
    struct arrow *arrows = pattern->arrows.items;
    struct ouro_drawing_edge *edge = ouro_drawing_edge(pattern->drawing, node_of(pattern, arrows[first].from),
                                                       node_of(pattern, arrows[first].to));
    struct ouro_buf *text = &pattern->text;
    size_t count = 0;
    text->size = 0;
    for (size_t i = first; i < pattern->arrows.count; i++) {
        if (arrows[i].from != arrows[first].from || arrows[i].to != arrows[first].to || arrows[i].cut != arrows[first].cut)
            continue;
        arrows[i].drawn = true;
        if (count++ < LABELS_OF_ONE)
            add_arrow_label(pattern, &arrows[i]);
    }
    if (count > LABELS_OF_ONE)
        ouro_buf_addf(text, "%zu more\n", count - LABELS_OF_ONE);
    if (arrows[first].cut)
        ouro_buf_add_text(text, "make weak\n");
    size_t size = text->size ? text->size - 1 : 0;
    ouro_drawing_text_edge(pattern->drawing, edge, "label", text->data, size);
    ouro_drawing_text_edge(pattern->drawing, edge, "tooltip", text->data, size);
    if (!arrows[first].cut)
        return;
    ouro_drawing_set_edge(pattern->drawing, edge, "style", "dashed");
    ouro_drawing_set_edge(pattern->drawing, edge, "color", COLOR_CUT);
    ouro_drawing_set_edge(pattern->drawing, edge, "fontcolor", COLOR_CUT);
    ouro_drawing_set_edge(pattern->drawing, edge, "constraint", "false");
}

/* What does not fit: the boxes behind the budget, and their arrows. */
static void add_rest(struct pattern *pattern, uint32_t first, uint64_t arrows)
{
    char name[48], label[96];
    uint64_t objects = 0;
    for (size_t i = first; i < pattern->boxes.count; i++)
        objects += pattern->boxes.items[i].count;
    snprintf(name, sizeof name, "p%zu_more", pattern->number);
    size_t kinds = pattern->boxes.count - first;
    snprintf(label, sizeof label, "%zu more kind%s\n%" PRIu64 " object%s,\n%" PRIu64 " kind%s of references", kinds,
             kinds == 1 ? "" : "s", objects, objects == 1 ? "" : "s", arrows, arrows == 1 ? "" : "s");
    struct ouro_drawing_node *node = ouro_drawing_node(pattern->drawing, name);
    ouro_drawing_text_node(pattern->drawing, node, "label", label, strlen(label));
    ouro_drawing_set_node(pattern->drawing, node, "style", "dotted");
    ouro_drawing_set_node(pattern->drawing, node, "color", "red");
}

static void title(struct pattern *pattern)
{
    const struct ouro_cycle_row *row = pattern->row;
    struct ouro_buf *text = &pattern->text;
    text->size = 0;
    ouro_buf_addf(text, "%zu. ", pattern->number + 1);
    ouro_text_add_count(text, row->knot_count);
    ouro_buf_add_text(text, row->knot_count == 1 ? " time, " : " times, ");
    ouro_text_add_count(text, row->object_count);
    ouro_buf_add_text(text, row->object_count == 1 ? " object, " : " objects, ");
    ouro_text_add_size(text, row->shallow_bytes);
    if (row->retained_bytes > row->shallow_bytes) {
        ouro_buf_add_text(text, ",\nretained >= ");
        ouro_text_add_size(text, row->retained_bytes);
    }
    ouro_buf_add_text(text, row->unreachable ? "; garbage" : "; live");
}

static enum ouro_status add_pattern(struct pattern *pattern, size_t budget)
{
    char name[32];
    find_arrows(pattern);
    if (pattern->failed)
        return OURO_NOMEM;
    count_objects(pattern);
    size_t drawn = budget && pattern->boxes.count > budget ? budget : pattern->boxes.count;
    uint64_t left = 0;
    title(pattern);
    snprintf(name, sizeof name, "p%zu", pattern->number);
    ouro_drawing_begin_cluster(pattern->drawing, name, (const char *)pattern->text.data, pattern->text.size);
    for (uint32_t i = 0; i < drawn; i++)
        add_box(pattern, i);
    for (size_t i = 0; i < pattern->arrows.count; i++)
        pattern->arrows.items[i].cut = is_cut(pattern, pattern->arrows.items[i].source);
    for (size_t i = 0; i < pattern->arrows.count; i++) {
        const struct arrow *arrow = &pattern->arrows.items[i];
        if (arrow->from >= drawn || arrow->to >= drawn)
            left++;
        else if (!arrow->drawn)
            add_arrows(pattern, i);
    }
    if (drawn < pattern->boxes.count)
        add_rest(pattern, (uint32_t)drawn, left);
    ouro_drawing_end_cluster(pattern->drawing);
    return pattern->text.failed || pattern->other.failed ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status add_row(struct ouro_drawing *drawing, const struct ouro_picture_cycles *picture, size_t number)
{
    const struct ouro_cycle_row *row = &picture->cycles->rows.items[number];
    OURO_GUARD(ouro_cycle_advice_fini) struct ouro_cycle_advice advice = {0};
    OURO_TRY(ouro_cycle_advice_init(&advice, picture->cycles, row));
    OURO_GUARD(pattern_fini) struct pattern pattern = {
        .drawing = drawing, .cycles = picture->cycles, .row = row, .advice = &advice, .number = number};
    return add_pattern(&pattern, picture->name_budget);
}

enum ouro_status ouro_picture_cycles(struct ouro_drawing **drawing, const struct ouro_picture_cycles *picture,
                                     struct ouro_err *err)
{
    size_t count = picture->cycles->rows.count, shown = picture->limit && picture->limit < count ? picture->limit : count;
    OURO_TRY(ouro_drawing_new(drawing, "Cycles", err));
    ouro_drawing_stack_clusters(*drawing, PATTERNS_SIDE_BY_SIDE);
    ouro_drawing_set(*drawing, "compound", "true");
    enum ouro_status status = OURO_OK;
    for (size_t i = 0; i < shown && !status; i++) {
        if (i && picture->budget && ouro_drawing_node_count(*drawing) >= picture->budget)
            shown = i;
        else
            status = add_row(*drawing, picture, i);
    }
    if (!status && !count)
        ouro_drawing_text_node(*drawing, ouro_drawing_node(*drawing, "none"), "label", "no cycles", strlen("no cycles"));
    if (!status && shown < count) {
        char label[64];
        snprintf(label, sizeof label, "%zu more pattern%s", count - shown, count - shown == 1 ? "" : "s");
        struct ouro_drawing_node *node = ouro_drawing_node(*drawing, "more");
        ouro_drawing_text_node(*drawing, node, "label", label, strlen(label));
        ouro_drawing_set_node(*drawing, node, "style", "dotted");
    }
    if (!status)
        return OURO_OK;
    ouro_drawing_free(*drawing);
    *drawing = NULL;
    return ouro_err_set(err, status, "no memory for a picture of cycles");
}
