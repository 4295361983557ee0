#include "base/guard.h"
#include "render/page.h"
#include "render/table.h"
#include "render/text.h"

void ouro_page_add_type(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type)
{
    size_t size;
    const char *text = ouro_heap_model_type_module(model, type, &size);
    if (size && strcmp(text, "builtins")) {
        ouro_buf_add(out, text, size);
        ouro_buf_add_byte(out, '.');
    }
    text = ouro_heap_model_type_name(model, type, &size);
    ouro_buf_add(out, text, size);
}

static void add_retained(struct ouro_table *table, const struct ouro_histogram_row *row, struct ouro_buf *text)
{
    text->size = 0;
    ouro_buf_add_text(text, row->retained_exact ? "" : ">= ");
    ouro_text_add_size(text, row->retained_bytes);
    ouro_table_buf(table, text);
}

void ouro_page_types_text(struct ouro_out *out, const struct ouro_heap_model *model,
                          const struct ouro_histogram *histogram, size_t limit, bool with_retained, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t shown = limit && limit < histogram->count ? limit : histogram->count;
    bool approximate = false, at_least = false;
    ouro_table_init(&table);
    ouro_table_column(&table, "count", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "shallow", OURO_TABLE_RIGHT);
    if (with_retained)
        ouro_table_column(&table, "retained", OURO_TABLE_RIGHT);
    ouro_table_column(&table, histogram->by_module ? "module" : "type", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < shown; i++) {
        const struct ouro_histogram_row *row = &histogram->items[i];
        ouro_table_count(&table, row->count);
        ouro_table_size(&table, row->shallow_bytes);
        if (with_retained)
            add_retained(&table, row, &text);
        at_least |= with_retained && !row->retained_exact;
        text.size = 0;
        if (histogram->by_module) {
            size_t size;
            const char *module = ouro_heap_model_type_module(model, row->type, &size);
            ouro_buf_add(&text, module, size);
        } else {
            ouro_page_add_type(&text, model, row->type);
        }
        if (row->approximate_count) {
            ouro_buf_add_text(&text, " ~");
            approximate = true;
        }
        ouro_table_buf(&table, &text);
    }
    ouro_table_write(&table, out, width, 0);
    if (at_least)
        ouro_out_text(out, ">= at least: what several of a row keep together comes on top (--exact)\n");
    if (approximate)
        ouro_out_text(out, "~ approximate: references guessed from memory, for want of a known tp_traverse\n");
    text.size = 0;
    ouro_text_add_count(&text, histogram->object_count);
    ouro_buf_add_text(&text, histogram->object_count == 1 ? " object of " : " objects of ");
    ouro_text_add_count(&text, histogram->count);
    const char *noun = histogram->by_module ? "module" : "type";
    ouro_buf_addf(&text, " %s%s, ", noun, histogram->count == 1 ? "" : "s");
    ouro_text_add_size(&text, histogram->shallow_bytes);
    if (shown < histogram->count)
        ouro_buf_addf(&text, "; %zu %ss more", histogram->count - shown, noun);
    ouro_buf_add_byte(&text, '\n');
    ouro_out_buf(out, &text);
}

void ouro_page_types_json(struct ouro_out *out, const struct ouro_heap_model *model,
                          const struct ouro_histogram *histogram, size_t limit, bool with_retained,
                          const struct ouro_info *info)
{
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", histogram->by_module ? "modules" : "types");
    ouro_json_uint(&json, "version", 1);
    ouro_json_uint(&json, "objects", histogram->object_count);
    ouro_json_uint(&json, "shallow", histogram->shallow_bytes);
    ouro_json_uint(&json, histogram->by_module ? "module_count" : "type_count", histogram->count);
    ouro_json_array(&json, histogram->by_module ? "modules" : "types");
    for (size_t i = 0; i < histogram->count && (!limit || i < limit); i++) {
        const struct ouro_histogram_row *row = &histogram->items[i];
        size_t size;
        ouro_json_object(&json, NULL);
        const char *text;
        if (!histogram->by_module) {
            text = ouro_heap_model_type_name(model, row->type, &size);
            ouro_json_text(&json, "type", text, size);
        }
        text = ouro_heap_model_type_module(model, row->type, &size);
        ouro_json_text(&json, "module", text, size);
        ouro_json_uint(&json, "count", row->count);
        ouro_json_uint(&json, "shallow", row->shallow_bytes);
        ouro_json_uint(&json, "native", row->native_bytes);
        if (with_retained) {
            ouro_json_uint(&json, "retained", row->retained_bytes);
            ouro_json_bool(&json, "retained_exact", row->retained_exact);
        }
        if (row->approximate_count)
            ouro_json_uint(&json, "approximate", row->approximate_count);
        ouro_json_end(&json);
        ouro_out_check(out);
    }
    ouro_json_end(&json);
    if (info)
        ouro_page_doubts_json(&json, info);
    ouro_json_end(&json);
}
