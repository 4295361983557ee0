#include "render/page_path.h"

#include <inttypes.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/table.h"
#include "render/text.h"

#define VALUE_BYTES_MAX 60
#define EXPRESSION_BYTES_MAX 4000 /* of text; JSON has all */
#define SCREEN_COLUMNS 80
#define ENDS_SHOWN 20 /* steps at either end of a long path */

static const char *const root_names[] = {"none", "module", "frame", "interpreter", "native", "garbage"};

static void add_object(struct ouro_buf *text, const struct ouro_heap_model *model, ouro_node node)
{
    ouro_buf_addf(text, "0x%" PRIx64 " ", model->heap.addr[node]);
    ouro_page_add_type(text, model, ouro_heap_model_type(model, node));
}

static void write_line(struct ouro_out *out, struct ouro_buf *text)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf escaped = {0};
    ouro_text_add_buf(&escaped, text);
    ouro_buf_add_byte(&escaped, '\n');
    ouro_out_buf(out, &escaped);
    text->size = 0;
}

/* Long ones lose their middle. */
static void add_cut(struct ouro_buf *text, const struct ouro_buf *whole)
{
    size_t half = EXPRESSION_BYTES_MAX / 2, end = whole->size;
    text->failed |= whole->failed;
    if (end <= EXPRESSION_BYTES_MAX) {
        ouro_buf_add(text, whole->data, end);
        return;
    }
    while (half && (whole->data[half] & 0xc0) == 0x80)
        half--;
    size_t from = end - half;
    while (from < end && (whole->data[from] & 0xc0) == 0x80)
        from++;
    ouro_buf_add(text, whole->data, half);
    ouro_buf_addf(text, " ... (cut: %zu bytes; --json has them all) ... ", end);
    ouro_buf_add(text, whole->data + from, end - from);
}

static size_t piece_begin(const struct ouro_path_text *text, size_t i)
{
    return i ? text->items[i - 1].end : 0;
}

static void write_steps(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_item *item,
                        bool all, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_path *path = &item->path;
    ouro_table_init(&table);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i <= path->count; i++) {
        ouro_node node = i ? path->steps[i - 1].target : path->first;
        if (!all && i == ENDS_SHOWN && path->count > 2 * ENDS_SHOWN) {
            i = path->count - ENDS_SHOWN;
            ouro_table_string(&table, "...");
            ouro_buf_addf(&text, "%zu more", i - ENDS_SHOWN + 1);
            ouro_table_buf(&table, &text);
            ouro_table_string(&table, "");
            ouro_table_string(&table, "");
            text.size = 0;
            continue;
        }
        ouro_buf_addf(&text, "0x%" PRIx64, model->heap.addr[node]);
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_page_add_type(&text, model, ouro_heap_model_type(model, node));
        ouro_table_buf(&table, &text);
        text.size = 0;
        if (i)
            ouro_label_add(&text, model, &path->steps[i - 1]);
        else if (model->heap.flags[node] & OURO_OBJECT_PSEUDO)
            ouro_value_add(&text, model, node, VALUE_BYTES_MAX);
        ouro_table_buf(&table, &text);
        text.size = 0;
        if (i == path->count)
            ouro_value_add(&text, model, node, VALUE_BYTES_MAX);
        ouro_table_buf(&table, &text);
        text.size = 0;
    }
    ouro_table_write(&table, out, width, 4);
}

static void write_path(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_item *item,
                       bool steps, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf escaped = {0};
    ouro_buf_add_text(&text, "  ");
    add_cut(&text, &item->text.expression);
    ouro_text_add_buf(&escaped, &text);
    bool fits = ouro_text_width(escaped.data, escaped.size) <= (width ? width : SCREEN_COLUMNS);
    out->buf.failed |= escaped.failed;
    write_line(out, &text);
    if (item->text.exact && !item->text.pasteable && item->text.python.size) {
        ouro_buf_add_text(&text, "  in Python: ");
        add_cut(&text, &item->text.python);
        write_line(out, &text);
    }
    if (steps || !fits)
        write_steps(out, model, item, steps, width);
}

static void write_holders(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_answer *answer)
{
    const struct ouro_neighbours *holders = &answer->holders;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (!answer->count && !holders->owned_count && holders->weak_count)
        ouro_out_text(out, "  no path: only weak references lead to it\n");
    else if (!answer->count && !holders->referrers.total)
        ouro_out_text(out, "  no path: nothing in the snapshot refers to it\n");
    else if (!answer->count)
        ouro_out_text(out, "  no path: no root reaches it, nor is it garbage that the collector would find\n");
    else
        ouro_out_text(out, "  nothing but garbage reaches it\n");
    for (size_t i = 0; i < holders->referrers.count; i++) {
        const struct ouro_slot *slot = &holders->referrers.items[i];
        ouro_buf_add_text(&text, "  held by ");
        add_object(&text, model, slot->node);
        ouro_buf_add_text(&text, ": ");
        ouro_label_add(&text, model, slot);
        ouro_buf_add_text(&text, slot->edge_class == OURO_EDGE_WEAK ? " (weak)" : "");
        write_line(out, &text);
    }
    if (holders->referrers.count < holders->referrers.total)
        ouro_out_addf(out, "  ... %" PRIu64 " more\n", holders->referrers.total - holders->referrers.count);
}

void ouro_page_path_items_text(struct ouro_out *out, const struct ouro_heap_model *model,
                               const struct ouro_path_answer *answer, bool steps, size_t width)
{
    for (size_t i = 0; i < answer->count; i++)
        write_path(out, model, &answer->items[i], steps, width);
    if (answer->exhausted)
        ouro_out_addf(out, "  no further path: every other one goes through %s\n",
                      answer->count > 1 ? "objects of these" : "objects of this one");
    if (!answer->count || answer->items[0].path.root == OURO_PATH_GARBAGE)
        write_holders(out, model, answer);
}

void ouro_page_path_text(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_answer *answer,
                         bool steps, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    add_object(&text, model, answer->node);
    size_t before = text.size;
    ouro_buf_add_text(&text, ": ");
    if (!ouro_value_add(&text, model, answer->node, VALUE_BYTES_MAX))
        text.size = before;
    write_line(out, &text);
    ouro_page_path_items_text(out, model, answer, steps, width);
}

/* --- JSON */

static void add_type_fields(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    uint32_t type = ouro_heap_model_type(model, node);
    ouro_json_addr(json, "addr", model->heap.addr[node]);
    const char *name = ouro_heap_model_type_name(model, type, &size);
    ouro_json_text(json, "type", name, size);
    const char *module = ouro_heap_model_type_module(model, type, &size);
    ouro_json_text(json, "module", module, size);
}

void ouro_page_path_one(struct ouro_json *json, const struct ouro_heap_model *model, const struct ouro_path_item *item)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf label = {0};
    const struct ouro_path *path = &item->path;
    const struct ouro_path_text *text = &item->text;
    ouro_json_buf(json, "expression", &text->expression);
    ouro_json_bool(json, "pasteable", text->pasteable);
    ouro_json_bool(json, "exact", text->exact);
    if (text->python.size)
        ouro_json_buf(json, "python", &text->python);
    else
        ouro_json_null(json, "python");
    ouro_json_buf(json, "root", &text->root);
    ouro_json_string(json, "root_kind", root_names[path->root]);
    ouro_json_addr(json, "root_addr", model->heap.addr[path->first]);
    ouro_json_array(json, "steps");
    for (size_t i = text->root_steps; i < path->count && !json->out->sys_errno; i++) {
        ouro_json_object(json, NULL);
        add_type_fields(json, model, path->steps[i].target);
        label.size = 0;
        ouro_label_add(&label, model, &path->steps[i]);
        ouro_json_buf(json, "label", &label);
        size_t begin = piece_begin(text, i);
        ouro_json_text(json, "notation", text->items[i].end > begin ? text->notations.data + begin : (const void *)"",
                       text->items[i].end - begin);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

void ouro_page_path_fields(struct ouro_json *json, const struct ouro_heap_model *model,
                           const struct ouro_path_answer *answer)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_neighbours *holders = &answer->holders;
    add_type_fields(json, model, answer->node);
    ouro_json_array(json, "paths");
    for (size_t i = 0; i < answer->count && !json->out->sys_errno; i++) {
        ouro_json_object(json, NULL);
        ouro_page_path_one(json, model, &answer->items[i]);
        ouro_json_end(json);
    }
    ouro_json_end(json);
    ouro_json_bool(json, "exhausted", answer->exhausted || !answer->count);
    bool garbage = answer->count && answer->items[0].path.root == OURO_PATH_GARBAGE;
    ouro_json_string(json, "reached", answer->count           ? root_names[answer->items[0].path.root]
                                      : !holders->owned_count && holders->weak_count ? "weakly"
                                                                                     : "not");
    if (answer->count && !garbage)
        return;
    ouro_json_array(json, "held_by");
    for (size_t i = 0; i < holders->referrers.count; i++) {
        const struct ouro_slot *slot = &holders->referrers.items[i];
        ouro_json_object(json, NULL);
        add_type_fields(json, model, slot->node);
        text.size = 0;
        ouro_label_add(&text, model, slot);
        ouro_json_buf(json, "label", &text);
        ouro_json_bool(json, "weak", slot->edge_class == OURO_EDGE_WEAK);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}
