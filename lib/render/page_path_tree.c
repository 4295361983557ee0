#include <inttypes.h>

#include "base/guard.h"
#include "render/page.h"
#include "render/page_path.h"
#include "render/table.h"
#include "render/text.h"

#define INDENT_LEVELS_MAX 20

static void add_left(struct ouro_buf *text, uint64_t rows, uint64_t count)
{
    ouro_buf_add_text(text, "... ");
    ouro_text_add_count(text, count);
    ouro_buf_addf(text, " more in %" PRIu64 " %s", rows, rows == 1 ? "place" : "places");
}

static void indent(struct ouro_buf *text, size_t depth)
{
    for (size_t i = 0; i < depth && i < INDENT_LEVELS_MAX; i++)
        ouro_buf_add_text(text, "  ");
    if (depth > INDENT_LEVELS_MAX)
        ouro_buf_addf(text, "[%zu] ", depth);
}

/* Narrower pages have no room for more than where it is. */
#define TYPES_FROM 110

static void add_row(struct ouro_table *table, const struct ouro_heap_model *model, const struct ouro_path_tree *tree,
                    const struct ouro_path_tree_row *row, bool with_types)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_count(table, row->count);
    ouro_table_size(table, row->bytes);
    indent(&text, row->depth);
    ouro_buf_add(&text, tree->texts.data + row->text_begin, row->text_size);
    ouro_table_buf(table, &text);
    text.size = 0;
    ouro_page_add_type(&text, model, row->type);
    if (row->object_count > 1) {
        ouro_buf_add_text(&text, " x ");
        ouro_text_add_count(&text, row->object_count);
    }
    if (with_types)
        ouro_table_buf(table, &text);
    text.size = 0;
    if (row->own_count)
        ouro_buf_addf(&text, "0x%" PRIx64, model->heap.addr[row->examples[0]]);
    ouro_table_buf(table, &text);
    if (!row->left_rows)
        return;
    text.size = 0;
    ouro_table_string(table, "");
    ouro_table_string(table, "");
    indent(&text, row->depth + 1);
    add_left(&text, row->left_rows, row->left_count);
    ouro_table_buf(table, &text);
    if (with_types)
        ouro_table_string(table, "");
    ouro_table_string(table, "");
}

void ouro_page_path_tree_text(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_tree *tree,
                              const char *type, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_text_add_count(&text, tree->instance_count);
    ouro_buf_add_text(&text, tree->instance_count == 1 ? " object of type " : " objects of type ");
    ouro_text_add(&text, type, strlen(type));
    ouro_buf_add_text(&text, ", ");
    ouro_text_add_size(&text, tree->instance_bytes);
    ouro_buf_add_text(&text, ", each by its shortest path\n\n");
    ouro_out_buf(out, &text);
    ouro_table_init(&table);
    ouro_table_column(&table, "objects", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "size", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "held by", OURO_TABLE_FLEXIBLE);
    bool with_types = !width || width >= TYPES_FROM;
    if (with_types)
        ouro_table_column(&table, "what stands there", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "example", 0);
    for (size_t i = 0; i < tree->count; i++)
        add_row(&table, model, tree, &tree->items[i], with_types);
    ouro_table_write(&table, out, width, 0);
    text.size = 0;
    if (tree->left_rows) {
        add_left(&text, tree->left_rows, tree->left_count);
        ouro_buf_add_byte(&text, '\n');
    }
    if (tree->unreached_count) {
        ouro_text_add_count(&text, tree->unreached_count);
        ouro_buf_add_text(&text, " that neither a root nor garbage reaches\n");
    }
    ouro_out_buf(out, &text);
}

static void row_fields(struct ouro_json *json, const struct ouro_heap_model *model, const struct ouro_path_tree *tree,
                       const struct ouro_path_tree_row *row)
{
    size_t size;
    ouro_json_text(json, "notation", tree->texts.data + row->text_begin, row->text_size);
    const char *name = ouro_heap_model_type_name(model, row->type, &size);
    ouro_json_text(json, "type", name, size);
    name = ouro_heap_model_type_module(model, row->type, &size);
    ouro_json_text(json, "module", name, size);
    ouro_json_uint(json, "objects", row->object_count);
    ouro_json_uint(json, "count", row->count);
    ouro_json_uint(json, "bytes", row->bytes);
    ouro_json_uint(json, "own", row->own_count);
    ouro_json_array(json, "examples");
    for (unsigned i = 0; i < row->example_count; i++)
        ouro_json_addr(json, NULL, model->heap.addr[row->examples[i]]);
    ouro_json_end(json);
    ouro_json_uint(json, "left_out", row->left_count);
}

void ouro_page_path_tree_json(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_tree *tree,
                              const char *type)
{
    struct ouro_json json;
    size_t open = 0;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "path_tree");
    ouro_json_uint(&json, "version", 1);
    ouro_json_string(&json, "type", type);
    ouro_json_uint(&json, "count", tree->instance_count);
    ouro_json_uint(&json, "bytes", tree->instance_bytes);
    ouro_json_uint(&json, "unreached", tree->unreached_count);
    ouro_json_uint(&json, "left_out", tree->left_count);
    ouro_json_array(&json, "tree");
    for (size_t i = 0; i < tree->count && !out->sys_errno; i++) {
        const struct ouro_path_tree_row *row = &tree->items[i];
        for (; open > row->depth; open--) {
            ouro_json_end(&json);
            ouro_json_end(&json);
        }
        ouro_json_object(&json, NULL);
        row_fields(&json, model, tree, row);
        ouro_json_array(&json, "children");
        open++;
    }
    for (; open; open--) {
        ouro_json_end(&json);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_json_end(&json);
}
