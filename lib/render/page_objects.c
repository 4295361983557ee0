#include <inttypes.h>

#include "analysis/unexplained.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/table.h"
#include "render/text.h"

/* Of a value, this much goes into a table. */
#define VALUE_BYTES_MAX 120

const char *ouro_page_generation_text(const struct ouro_heap_model *model, ouro_node node)
{
    static const char *const texts[] = {"-", "0", "1", "2", "frozen"};
    int generation = ouro_heap_model_generation(model, node);
    return generation >= -1 && generation <= OURO_GENERATION_COUNT ? texts[generation + 1] : "?";
}

void ouro_page_generation(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node)
{
    int generation = ouro_heap_model_generation(model, node);
    if (generation < 0)
        ouro_json_null(json, "gc");
    else if (generation >= OURO_GENERATION_COUNT)
        ouro_json_string(json, "gc", "frozen");
    else
        ouro_json_int(json, "gc", generation);
}

void ouro_page_object_fields(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node)
{
    const struct ouro_heap *heap = &model->heap;
    unsigned flags = heap->flags[node];
    uint32_t type = ouro_heap_model_type(model, node);
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t size;
    ouro_json_addr(json, "addr", heap->addr[node]);
    const char *name = ouro_heap_model_type_name(model, type, &size);
    ouro_json_text(json, "type", name, size);
    name = ouro_heap_model_type_module(model, type, &size);
    ouro_json_text(json, "module", name, size);
    ouro_json_uint(json, "size", heap->size[node]);
    if (heap->native && heap->native[node])
        ouro_json_uint(json, "native", heap->native[node]);
    if (flags & OURO_OBJECT_IMMORTAL) {
        ouro_json_null(json, "refcount");
        ouro_json_bool(json, "immortal", true);
    } else {
        ouro_json_uint(json, "refcount", heap->refcount[node]);
    }
    ouro_page_generation(json, model, node);
    if (ouro_value_add(&text, model, node, SIZE_MAX))
        ouro_json_buf(json, flags & OURO_OBJECT_PSEUDO ? "name" : "value", &text);
    if (flags & OURO_OBJECT_APPROXIMATE)
        ouro_json_bool(json, "approximate", true);
    if (flags & OURO_OBJECT_FINALIZED)
        ouro_json_bool(json, "finalized", true);
    if (flags & OURO_OBJECT_SIZE_ESTIMATED)
        ouro_json_bool(json, "size_estimated", true);
    if (flags & OURO_OBJECT_IN_TRY)
        ouro_json_bool(json, "in_try", true);
    if (flags & OURO_OBJECT_TORN)
        ouro_json_bool(json, "torn", true);
}

static void add_refcount(struct ouro_table *table, const struct ouro_heap_model *model, ouro_node node)
{
    if (model->heap.flags[node] & OURO_OBJECT_IMMORTAL)
        ouro_table_string(table, "immortal");
    else
        ouro_table_count(table, model->heap.refcount[node]);
}

void ouro_page_objects_text(struct ouro_out *out, const struct ouro_page_objects *page, size_t width)
{
    const struct ouro_heap_model *model = page->model;
    const struct ouro_selection *selection = page->selection;
    const struct ouro_retained *retained = page->retained;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "address", 0);
    ouro_table_column(&table, "size", OURO_TABLE_RIGHT);
    if (retained)
        ouro_table_column(&table, "retained", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "refs", OURO_TABLE_RIGHT);
    if (page->roots)
        ouro_table_column(&table, "unexplained", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "gc", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "type", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "value", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < selection->count; i++) {
        ouro_node node = selection->items[i];
        char addr[24];
        snprintf(addr, sizeof addr, "0x%" PRIx64, model->heap.addr[node]);
        ouro_table_string(&table, addr);
        ouro_table_size(&table, ouro_heap_model_bytes(model, node));
        if (retained)
            ouro_table_size(&table, retained->bytes[node]);
        add_refcount(&table, model, node);
        if (page->roots)
            ouro_table_count(&table, ouro_unexplained_count(page->roots, node));
        ouro_table_string(&table, ouro_page_generation_text(model, node));
        text.size = 0;
        ouro_page_add_type(&text, model, ouro_heap_model_type(model, node));
        if (model->heap.flags[node] & OURO_OBJECT_APPROXIMATE)
            ouro_buf_add_text(&text, " ~");
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_value_add(&text, model, node, VALUE_BYTES_MAX);
        ouro_table_buf(&table, &text);
    }
    if (selection->count)
        ouro_table_write(&table, out, width, 0);
    text.size = 0;
    ouro_text_add_count(&text, selection->match_count);
    ouro_buf_add_text(&text, selection->match_count == 1 ? " object, " : " objects, ");
    ouro_text_add_size(&text, selection->match_bytes);
    if (selection->count < selection->match_count) {
        ouro_buf_add_text(&text, "; shown: ");
        ouro_text_add_count(&text, selection->count);
    }
    ouro_buf_add_byte(&text, '\n');
    ouro_out_buf(out, &text);
}

void ouro_page_objects_json(struct ouro_out *out, const struct ouro_page_objects *page)
{
    const struct ouro_heap_model *model = page->model;
    const struct ouro_selection *selection = page->selection;
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "object_list");
    ouro_json_uint(&json, "version", 1);
    ouro_json_uint(&json, "matches", selection->match_count);
    ouro_json_uint(&json, "bytes", selection->match_bytes);
    ouro_json_array(&json, "objects");
    for (size_t i = 0; i < selection->count && !out->sys_errno; i++) {
        ouro_node node = selection->items[i];
        ouro_json_object(&json, NULL);
        if (page->expressions)
            ouro_json_string(&json, "expression", page->expressions[i]);
        ouro_page_object_fields(&json, model, node);
        if (page->collector && ouro_collector_unreachable(page->collector, node))
            ouro_json_bool(&json, "unreachable", true);
        if (page->roots)
            ouro_json_uint(&json, "unexplained", ouro_unexplained_count(page->roots, node));
        if (page->retained)
            ouro_json_uint(&json, "retained", page->retained->bytes[node]);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_json_end(&json);
}
