/* What grew and what shrank between two snapshots, drawn: a box for each place on the paths that hold it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/guard.h"
#include "render/picture.h"
#include "render/text.h"

/* Readable on paper, and told apart without red and green (Okabe and Ito). */
#define COLOR_GREW   "#d55e00"
#define COLOR_SHRANK "#0072b2"

/* A place: the beginning of signatures up to some " -> ". */
struct place {
    size_t text, text_size; /* the whole beginning, in texts */
    size_t step;            /* where its own step begins */
    uint32_t parent;        /* UINT32_MAX: a path begins here */
    int64_t count, bytes;   /* of rows that end here */
    int64_t count_below, bytes_below; /* and below */
    size_t row;             /* the first that ends here, or SIZE_MAX */
};

struct painter {
    struct ouro_drawing *drawing;
    const struct ouro_diff_paths *paths;
    struct {
        struct place *items;
        size_t count, capacity;
    } places;
    struct ouro_buf texts, text;
    bool failed;
};

static void painter_fini(struct painter *painter)
{
    free(painter->places.items);
    ouro_buf_fini(&painter->texts);
    ouro_buf_fini(&painter->text);
}

static uint32_t place_of(struct painter *painter, const unsigned char *text, size_t size, size_t step, uint32_t parent)
{
    for (size_t i = 0; i < painter->places.count; i++) {
        const struct place *place = &painter->places.items[i];
        if (place->text_size == size && !memcmp(painter->texts.data + place->text, text, size))
            return (uint32_t)i;
    }
    struct place *place = OURO_VEC_ADD(&painter->places);
    painter->failed |= !place;
    if (!place)
        return 0;
    *place = (struct place){.text = painter->texts.size, .text_size = size, .step = step, .parent = parent, .row = SIZE_MAX};
    ouro_buf_add(&painter->texts, text, size);
    painter->failed |= painter->texts.failed;
    return (uint32_t)(painter->places.count - 1);
}

/* The places of one row, from where its path begins. */
static void add_row(struct painter *painter, size_t index)
{
    const struct ouro_diff_path_row *row = &painter->paths->rows.items[index];
    static const char arrow[] = " -> ";
    painter->text.size = 0;
    ouro_diff_paths_add(painter->paths, row, &painter->text);
    painter->failed |= painter->text.failed;
    uint32_t parent = UINT32_MAX;
    for (size_t step = 0, end; step < painter->text.size && !painter->failed; step = end + sizeof arrow - 1) {
        const unsigned char *found = memmem(painter->text.data + step, painter->text.size - step, arrow, sizeof arrow - 1);
        end = found ? (size_t)(found - painter->text.data) : painter->text.size;
        parent = place_of(painter, painter->text.data, end, step, parent);
    }
    if (painter->failed || parent == UINT32_MAX)
        return;
    struct place *place = &painter->places.items[parent];
    place->count += ouro_diff_path_count(row);
    place->bytes += ouro_diff_path_bytes(row);
    if (place->row == SIZE_MAX)
        place->row = index;
    for (uint32_t at = parent; at != UINT32_MAX; at = painter->places.items[at].parent) {
        painter->places.items[at].count_below += ouro_diff_path_count(row);
        painter->places.items[at].bytes_below += ouro_diff_path_bytes(row);
    }
}

static void add_change(struct ouro_buf *text, int64_t count, int64_t bytes)
{
    ouro_buf_addf(text, "%s", count < 0 ? "-" : "+");
    ouro_text_add_count(text, count < 0 ? 0 - (uint64_t)count : (uint64_t)count);
    ouro_buf_addf(text, " %s, %s", count == 1 || count == -1 ? "object" : "objects", bytes < 0 ? "-" : "+");
    ouro_text_add_size(text, bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes);
}

/* The container that grew, of a row that was detailed. */
static void add_container(struct painter *painter, const struct ouro_diff_path_row *row)
{
    if (!row->detailed || row->container == OURO_NODE_NONE || !row->container_holds || row->length_after < 0)
        return;
    const struct ouro_buf *expression = &row->path.text.expression;
    ouro_buf_add_byte(&painter->text, '\n');
    ouro_buf_add(&painter->text, expression->data, expression->size);
    if (row->length_before >= 0)
        ouro_buf_addf(&painter->text, ": %" PRId64 " -> %" PRId64 " items", row->length_before, row->length_after);
    else
        ouro_buf_addf(&painter->text, ": %" PRId64 " items", row->length_after);
}

static struct ouro_drawing_node *node_of(struct painter *painter, uint32_t place)
{
    char name[32];
    snprintf(name, sizeof name, "d%" PRIu32, place);
    return ouro_drawing_node(painter->drawing, name);
}

static void add_box(struct painter *painter, uint32_t index, int64_t most)
{
    const struct place *place = &painter->places.items[index];
    struct ouro_drawing_node *node = node_of(painter, index);
    struct ouro_buf *text = &painter->text;
    char id[32], fill[32];
    text->size = 0;
    ouro_buf_add(text, painter->texts.data + place->text + place->step, place->text_size - place->step);
    ouro_buf_add_byte(text, '\n');
    add_change(text, place->count_below, place->bytes_below);
    if (place->row != SIZE_MAX)
        add_container(painter, &painter->paths->rows.items[place->row]);
    ouro_drawing_text_node(painter->drawing, node, "label", text->data, text->size);
    text->size = 0;
    ouro_buf_add(text, painter->texts.data + place->text, place->text_size);
    ouro_drawing_text_node(painter->drawing, node, "tooltip", text->data, text->size);
    snprintf(id, sizeof id, "d%" PRIu32, index);
    ouro_drawing_set_node(painter->drawing, node, "id", id);
    double share = most > 0 ? (double)llabs(place->bytes_below) / (double)most : 0;
    snprintf(fill, sizeof fill, "%s,%.3f,1", place->bytes_below < 0 ? "0.56" : "0.07", 0.6 * (share < 1 ? share : 1));
    ouro_drawing_set_node(painter->drawing, node, "fillcolor", fill);
    ouro_drawing_set_node(painter->drawing, node, "color", place->bytes_below < 0 ? COLOR_SHRANK : COLOR_GREW);
    if (place->bytes_below < 0)
        ouro_drawing_set_node(painter->drawing, node, "style", "filled,dashed");
    if (place->parent == UINT32_MAX)
        return;
    struct ouro_drawing_edge *edge = ouro_drawing_edge(painter->drawing, node_of(painter, place->parent), node);
    ouro_drawing_set_edge(painter->drawing, edge, "color", place->bytes_below < 0 ? COLOR_SHRANK : COLOR_GREW);
}

static void add_note(struct painter *painter, const char *name, const struct ouro_buf *text)
{
    struct ouro_drawing_node *node = ouro_drawing_node(painter->drawing, name);
    ouro_drawing_text_node(painter->drawing, node, "label", text->data, text->size);
    ouro_drawing_set_node(painter->drawing, node, "style", "dotted");
}

static void paint(struct painter *painter, size_t budget, uint64_t *left)
{
    const struct ouro_diff_paths *paths = painter->paths;
    int64_t most = 0;
    *left = 0;
    for (size_t i = 0; i < paths->rows.count && !painter->failed; i++) {
        if (!ouro_diff_paths_is_shown(paths, &paths->rows.items[i]))
            continue;
        if (budget && painter->places.count >= budget)
            ++*left;
        else
            add_row(painter, i);
    }
    for (size_t i = 0; i < painter->places.count; i++)
        if (llabs(painter->places.items[i].bytes_below) > most)
            most = llabs(painter->places.items[i].bytes_below);
    for (uint32_t i = 0; i < painter->places.count && !painter->failed; i++)
        add_box(painter, i, most);
}

static void add_notes(struct painter *painter, uint64_t left)
{
    const struct ouro_diff_noise *noise = &painter->paths->noise;
    struct ouro_buf *text = &painter->text;
    text->size = 0;
    if (!painter->places.count)
        ouro_buf_add_text(text, "nothing that is held\ngrew or shrank");
    if (left)
        ouro_buf_addf(text, "%s%" PRIu64 " paths more", text->size ? "\n" : "", left);
    if (noise->rows) {
        ouro_buf_addf(text, "%s%" PRIu64 " paths below ", text->size ? "\n" : "", noise->rows);
        ouro_text_add_size(text, painter->paths->threshold);
        ouro_buf_add_text(text, ":\n");
        add_change(text, noise->count, noise->bytes);
    }
    if (text->size)
        add_note(painter, "rest", text);
}

enum ouro_status ouro_picture_diff(struct ouro_drawing **drawing, const struct ouro_diff_paths *paths, size_t budget,
                                   struct ouro_err *err)
{
    uint64_t left = 0;
    OURO_TRY(ouro_drawing_new(drawing, "Growth", err));
    OURO_GUARD(painter_fini) struct painter painter = {.drawing = *drawing, .paths = paths};
    ouro_drawing_set(*drawing, "rankdir", "LR");
    paint(&painter, budget, &left);
    add_notes(&painter, left);
    if (!painter.failed && !painter.text.failed)
        return OURO_OK;
    ouro_drawing_free(*drawing);
    *drawing = NULL;
    return ouro_err_set(err, OURO_NOMEM, "no memory for a picture of what grew");
}
