#include <inttypes.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/table.h"
#include "render/text.h"

#define VALUE_BYTES_MAX 60
/* Deeper rows are not indented further but say their level. */
#define INDENT_LEVELS_MAX 8
#define NARROWEST 8

static bool is_pseudo(const struct ouro_page_dominators *page, ouro_node node)
{
    return node >= page->model->heap.count || page->model->heap.flags[node] & OURO_OBJECT_PSEUDO;
}

static const char *virtual_name(const struct ouro_roots *roots, ouro_node node)
{
    return node == ouro_roots_garbage_node(roots) ? "garbage" : "native";
}

/* What a row says, in pieces that can be shortened one by one. */
struct words {
    struct ouro_buf head; /* the indent */
    struct ouro_buf label, type, value, tail;
    size_t module, name; /* of type: where the module begins, and the name behind it */
};

static void words_fini(struct words *words)
{
    ouro_buf_fini(&words->head);
    ouro_buf_fini(&words->label);
    ouro_buf_fini(&words->type);
    ouro_buf_fini(&words->value);
    ouro_buf_fini(&words->tail);
}

static void words_clear(struct words *words)
{
    words->head.size = words->label.size = words->type.size = words->value.size = words->tail.size = 0;
    words->module = words->name = 0;
}

/* Escaped: a type with its module. */
static void add_type(struct words *words, const struct ouro_page_dominators *page, uint32_t type)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t size;
    ouro_page_add_type(&text, page->model, type);
    ouro_heap_model_type_name(page->model, type, &size);
    words->type.failed |= text.failed;
    if (!text.size || text.size < size) /* no name, or out of memory for it */
        return;
    words->module = words->type.size;
    ouro_text_add(&words->type, text.data, text.size - size);
    words->name = words->type.size;
    ouro_text_add(&words->type, text.data + text.size - size, size);
}

static void add_value(struct ouro_buf *out, const struct ouro_page_dominators *page, ouro_node node)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (ouro_value_add(&text, page->model, node, VALUE_BYTES_MAX))
        ouro_text_add_buf(out, &text);
}

static void say_object(struct words *words, const struct ouro_page_dominators *page,
                       const struct ouro_dominator_row *row)
{
    if (row->node >= page->model->heap.count) {
        ouro_buf_add_text(&words->type, "<root> native");
        return;
    }
    if (is_pseudo(page, row->node)) {
        OURO_GUARD(ouro_buf_fini) struct ouro_buf name = {0};
        ouro_page_add_type(&name, page->model, row->type);
        ouro_buf_add_byte(&name, ' ');
        ouro_value_add(&name, page->model, row->node, SIZE_MAX);
        ouro_text_add_buf(&words->type, &name);
        return;
    }
    add_type(words, page, row->type);
    if (row->owner != OURO_NODE_NONE) {
        OURO_GUARD(ouro_buf_fini) struct ouro_buf owner = {0};
        ouro_buf_add_text(&words->value, "of ");
        if (!is_pseudo(page, row->owner)) {
            ouro_page_add_type(&owner, page->model, ouro_heap_model_type(page->model, row->owner));
            ouro_text_add_buf(&words->value, &owner);
            ouro_buf_add_byte(&words->value, ' ');
        }
        add_value(&words->value, page, row->owner);
    } else {
        add_value(&words->value, page, row->node);
    }
    if (page->model->heap.flags[row->node] & OURO_OBJECT_APPROXIMATE)
        ouro_buf_add_text(&words->tail, "~ ");
    ouro_buf_addf(&words->tail, "0x%" PRIx64, page->model->heap.addr[row->node]);
}

static void say_section(struct words *words, const struct ouro_dominator_row *row)
{
    static const char *const titles[] = {
        [OURO_DOMINATOR_NAMED] = "named roots: modules, threads, interpreter",
        [OURO_DOMINATOR_NATIVE] = "native code",
        [OURO_DOMINATOR_GARBAGE] = "garbage",
        [OURO_DOMINATOR_UNREACHED] = "reached by nothing",
    };
    ouro_buf_add_text(&words->type, titles[row->section]);
}

static void say_group(struct words *words, const struct ouro_page_dominators *page,
                      const struct ouro_dominator_row *row)
{
    ouro_text_add_count(&words->type, row->count);
    if (page->query->grouping == OURO_DOMINATOR_GROUP_MODULE) {
        size_t size;
        const char *module = ouro_heap_model_type_module(page->model, row->type, &size);
        ouro_buf_add_text(&words->type, " of module ");
        ouro_text_add(&words->type, module, size);
    } else {
        ouro_buf_add_text(&words->type, " x ");
        add_type(words, page, row->type);
    }
}

static void say(struct words *words, const struct ouro_page_dominators *page, const struct ouro_dominator_row *row)
{
    words_clear(words);
    for (uint32_t i = 0; i < row->level && i < INDENT_LEVELS_MAX; i++)
        ouro_buf_add_text(&words->head, "  ");
    if (row->level > INDENT_LEVELS_MAX)
        ouro_buf_addf(&words->head, "[%" PRIu32 "] ", row->level);
    if (row->label_size)
        ouro_text_add(&words->label, page->tree->labels.data + row->label, row->label_size);
    switch (row->kind) {
    case OURO_DOMINATOR_SECTION:
        say_section(words, row);
        break;
    case OURO_DOMINATOR_OBJECT:
        say_object(words, page, row);
        break;
    case OURO_DOMINATOR_GROUP:
        say_group(words, page, row);
        break;
    case OURO_DOMINATOR_REST:
        ouro_buf_add_text(&words->type, "... ");
        ouro_text_add_count(&words->type, row->count);
        ouro_buf_add_text(&words->type, " more");
        break;
    }
}

static size_t width_of(const struct ouro_buf *text)
{
    return ouro_text_width(text->data, text->size);
}

/* Cuts so that it takes `excess` columns less, but not below NARROWEST; returns what is still too much. */
static size_t cut(struct ouro_buf *text, size_t excess)
{
    size_t width = width_of(text), wanted = width > excess ? width - excess : 0;
    if (!excess || width <= NARROWEST)
        return excess;
    if (wanted < NARROWEST)
        wanted = NARROWEST;
    text->size = ouro_text_fit(text->data, text->size, wanted - 3);
    ouro_buf_add_text(text, "...");
    size_t now = width_of(text);
    return excess > width - now ? excess - (width - now) : 0;
}

static size_t words_width(const struct words *words)
{
    return width_of(&words->head) + width_of(&words->type) + (words->label.size ? width_of(&words->label) + 2 : 0) +
           (words->value.size ? width_of(&words->value) + 1 : 0) + (words->tail.size ? width_of(&words->tail) + 1 : 0);
}

static size_t less(size_t excess, size_t gone)
{
    return excess > gone ? excess - gone : 0;
}

/* What can be spared first goes first; the address stays. */
static void fit(struct words *words, size_t width)
{
    size_t all = words_width(words), excess = less(all, width);
    if (excess && words->name > words->module) { /* the name without its module */
        size_t before = width_of(&words->type);
        memmove(words->type.data + words->module, words->type.data + words->name, words->type.size - words->name);
        words->type.size -= words->name - words->module;
        excess = less(excess, before - width_of(&words->type));
    }
    excess = cut(&words->value, excess);
    excess = cut(&words->label, excess);
    if (excess && words->value.size) {
        size_t gone = width_of(&words->value) + 1;
        words->value.size = 0;
        excess = less(excess, gone);
    }
    excess = cut(&words->type, excess);
    if (excess)
        words->label.size = 0;
}

static void write_words(struct ouro_out *out, const struct words *words)
{
    ouro_out_buf(out, &words->head);
    ouro_out_buf(out, &words->label);
    ouro_out_text(out, words->label.size ? ": " : "");
    ouro_out_buf(out, &words->type);
    ouro_out_text(out, words->value.size ? " " : "");
    ouro_out_buf(out, &words->value);
    ouro_out_text(out, words->tail.size ? " " : "");
    ouro_out_buf(out, &words->tail);
    ouro_out_text(out, "\n");
    out->buf.failed |= words->head.failed || words->label.failed || words->type.failed || words->value.failed ||
                       words->tail.failed;
}

enum { RETAINED, SHARE, SHALLOW, OBJECTS, NUMBER_COUNT };

/* Narrower pages do without shallow sizes. */
#define SHALLOW_FROM 100

static const char *const column_titles[NUMBER_COUNT] = {"retained", "share", "shallow", "objects"};

static void say_number(struct ouro_buf *text, const struct ouro_page_dominators *page,
                       const struct ouro_dominator_row *row, unsigned column)
{
    uint64_t total = page->tree->total_bytes;
    text->size = 0;
    switch (column) {
    case RETAINED:
        ouro_text_add_size(text, row->retained_bytes);
        break;
    case SHARE:
        ouro_buf_addf(text, "%.1f%%", total ? 100.0 * (double)row->retained_bytes / (double)total : 0.0);
        break;
    case SHALLOW:
        if (row->kind != OURO_DOMINATOR_SECTION)
            ouro_text_add_size(text, row->shallow_bytes);
        break;
    default:
        ouro_text_add_count(text, row->object_count);
        break;
    }
}

/* An empty section says nothing to people. */
static bool is_shown(const struct ouro_dominator_row *row)
{
    return row->kind != OURO_DOMINATOR_SECTION || row->count;
}

/* Rows to be shown: those of the tree, or some of them, side by side. */
struct rows {
    const struct ouro_page_dominators *page;
    const size_t *some; /* NULL: all, as a tree */
    size_t count;
    const struct ouro_path_answer *paths; /* of some of them; NULL: not known */
};

static const struct ouro_dominator_row *row_at(const struct rows *rows, size_t i)
{
    return &rows->page->tree->items[rows->some ? rows->some[i] : i];
}

static void measure(struct ouro_out *out, const struct rows *rows, size_t *widths, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    for (unsigned c = 0; c < NUMBER_COUNT; c++) {
        widths[c] = strlen(column_titles[c]);
        for (size_t i = 0; i < rows->count; i++) {
            if (!is_shown(row_at(rows, i)))
                continue;
            say_number(&text, rows->page, row_at(rows, i), c);
            widths[c] = text.size > widths[c] ? text.size : widths[c];
        }
    }
    out->buf.failed |= text.failed;
    if (width && width < SHALLOW_FROM)
        widths[SHALLOW] = 0;
}

static void write_rows(struct ouro_out *out, const struct rows *rows, size_t width)
{
    const struct ouro_page_dominators *page = rows->page;
    OURO_GUARD(words_fini) struct words words = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t widths[NUMBER_COUNT], used = 0;
    measure(out, rows, widths, width);
    for (unsigned c = 0; c < NUMBER_COUNT; c++)
        if (widths[c]) {
            ouro_out_addf(out, "%*s  ", (int)widths[c], column_titles[c]);
            used += widths[c] + 2;
        }
    ouro_out_text(out, "what\n");
    for (size_t i = 0; i < rows->count && !out->sys_errno; i++) {
        const struct ouro_dominator_row *row = row_at(rows, i);
        if (!is_shown(row))
            continue;
        for (unsigned c = 0; c < NUMBER_COUNT; c++)
            if (widths[c]) {
                say_number(&text, page, row, c);
                ouro_out_addf(out, "%*s  ", (int)widths[c], ouro_buf_text(&text));
            }
        say(&words, page, row);
        if (rows->some)
            words.head.size = 0;
        if (rows->paths && rows->paths[i].count) { /* says more than how its dominator has it */
            words.label.size = words.value.size = 0;
            ouro_text_add_buf(&words.label, &rows->paths[i].items[0].text.expression);
        }
        if (width)
            fit(&words, width > used ? width - used : 1);
        write_words(out, &words);
    }
    out->buf.failed |= text.failed;
}

static void write_limits(struct ouro_out *out, const struct ouro_page_dominators *page)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_dominator_query *query = page->query;
    ouro_text_add_count(&text, page->tree->object_count);
    ouro_buf_add_text(&text, page->tree->object_count == 1 ? " object, " : " objects, ");
    ouro_text_add_size(&text, page->tree->total_bytes);
    const char *separator = "\nshown:";
    if (page->tree->retained_min) {
        ouro_buf_addf(&text, "%s from ", separator);
        ouro_text_add_size(&text, page->tree->retained_min);
        ouro_buf_addf(&text, " on (--min-%s)", page->tree->retained_min == query->retained_min ? "size" : "share");
        separator = ",";
    }
    if (query->depth) {
        ouro_buf_addf(&text, "%s %zu deep (--depth)", separator, query->depth);
        separator = ",";
    }
    if (query->child_count)
        ouro_buf_addf(&text, "%s %zu below each (--limit)", separator, query->child_count);
    ouro_buf_add_byte(&text, '\n');
    ouro_out_buf(out, &text);
}

void ouro_page_dominators_text(struct ouro_out *out, const struct ouro_page_dominators *page, size_t width)
{
    write_rows(out, &(struct rows){page, NULL, page->tree->count, NULL}, width);
    write_limits(out, page);
    ouro_page_doubts_text(out, page->info, width);
}

void ouro_page_largest_text(struct ouro_out *out, const struct ouro_page_dominators *page,
                            const struct ouro_largest *largest, size_t width)
{
    write_rows(out, &(struct rows){page, largest->items, largest->count, largest->paths}, width);
}

/* --- JSON */

static void write_named(struct ouro_json *json, const struct ouro_page_dominators *page, ouro_node node,
                        struct ouro_buf *text)
{
    const struct ouro_heap_model *model = page->model;
    size_t size;
    ouro_json_addr(json, "addr", ouro_roots_addr(page->roots, node));
    if (node >= model->heap.count) {
        ouro_json_string(json, "type", "<root>");
        ouro_json_string(json, "module", "");
        ouro_json_string(json, "name", virtual_name(page->roots, node));
        return;
    }
    uint32_t type = ouro_heap_model_type(model, node);
    const char *name = ouro_heap_model_type_name(model, type, &size);
    ouro_json_text(json, "type", name, size);
    name = ouro_heap_model_type_module(model, type, &size);
    ouro_json_text(json, "module", name, size);
    text->size = 0;
    if (ouro_value_add(text, model, node, VALUE_BYTES_MAX))
        ouro_json_buf(json, is_pseudo(page, node) ? "name" : "value", text);
    if (model->heap.flags[node] & OURO_OBJECT_APPROXIMATE)
        ouro_json_bool(json, "approximate", true);
}

static void write_kind(struct ouro_json *json, const struct ouro_page_dominators *page,
                       const struct ouro_dominator_row *row, struct ouro_buf *text)
{
    const struct ouro_heap_model *model = page->model;
    size_t size;
    const char *name;
    switch (row->kind) {
    case OURO_DOMINATOR_SECTION:
        ouro_json_string(json, "kind", "section");
        break;
    case OURO_DOMINATOR_OBJECT:
        ouro_json_string(json, "kind", "object");
        write_named(json, page, row->node, text);
        if (row->dict != OURO_NODE_NONE)
            ouro_json_addr(json, "dict", model->heap.addr[row->dict]);
        if (row->through != OURO_NODE_NONE)
            ouro_json_addr(json, "through", ouro_roots_addr(page->roots, row->through));
        if (row->owner == OURO_NODE_NONE)
            break;
        ouro_json_object(json, "owner");
        write_named(json, page, row->owner, text);
        ouro_json_end(json);
        break;
    case OURO_DOMINATOR_GROUP:
        ouro_json_string(json, "kind", "group");
        if (page->query->grouping != OURO_DOMINATOR_GROUP_MODULE) {
            name = ouro_heap_model_type_name(model, row->type, &size);
            ouro_json_text(json, "type", name, size);
        }
        name = ouro_heap_model_type_module(model, row->type, &size);
        ouro_json_text(json, "module", name, size);
        ouro_json_addr(json, "example", ouro_roots_addr(page->roots, row->node));
        break;
    case OURO_DOMINATOR_REST:
        ouro_json_string(json, "kind", "rest");
        break;
    }
}

static void write_row_fields(struct ouro_json *json, const struct ouro_page_dominators *page,
                             const struct ouro_dominator_row *row, struct ouro_buf *text)
{
    ouro_json_string(json, "section", ouro_dominator_section_name(row->section));
    write_kind(json, page, row, text);
    if (row->label_size)
        ouro_json_text(json, "label", page->tree->labels.data + row->label, row->label_size);
    ouro_json_uint(json, "count", row->count);
    ouro_json_uint(json, "retained", row->retained_bytes);
    ouro_json_uint(json, "shallow", row->shallow_bytes);
    ouro_json_uint(json, "objects", row->object_count);
}

static void write_row_json(struct ouro_json *json, const struct ouro_page_dominators *page,
                           const struct ouro_dominator_row *row, struct ouro_buf *text)
{
    ouro_json_object(json, NULL);
    ouro_json_uint(json, "level", row->level);
    if (row->parent == SIZE_MAX)
        ouro_json_null(json, "parent");
    else
        ouro_json_uint(json, "parent", row->parent);
    write_row_fields(json, page, row, text);
    ouro_json_end(json);
}

void ouro_page_largest_json(struct ouro_json *json, const struct ouro_page_dominators *page,
                            const struct ouro_largest *largest)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_array(json, "largest");
    for (size_t i = 0; i < largest->count; i++) {
        const struct ouro_dominator_row *row = &largest->tree.items[largest->items[i]];
        ouro_json_object(json, NULL);
        write_row_fields(json, page, row, &text);
        if (largest->paths && largest->paths[i].count)
            ouro_json_buf(json, "expression", &largest->paths[i].items[0].text.expression);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

void ouro_page_dominators_json(struct ouro_out *out, const struct ouro_page_dominators *page)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "dominators");
    ouro_json_uint(&json, "version", 1);
    ouro_json_uint(&json, "objects", page->tree->object_count);
    ouro_json_uint(&json, "total", page->tree->total_bytes);
    ouro_json_uint(&json, "retained_min", page->tree->retained_min);
    ouro_json_array(&json, "rows");
    for (size_t i = 0; i < page->tree->count && !out->sys_errno; i++) {
        write_row_json(&json, page, &page->tree->items[i], &text);
        ouro_out_check(out);
    }
    ouro_json_end(&json);
    ouro_page_doubts_json(&json, page->info);
    ouro_json_end(&json);
    out->buf.failed |= text.failed;
}

/* --- The dominators of one object */

/* How the i-th dominator refers to what it dominates; nothing when that is several ways. */
static void add_chain_label(struct ouro_buf *text, const struct ouro_page_object *page, size_t i)
{
    const struct ouro_dominator_chain *chain = page->dominators;
    struct ouro_slot slot;
    text->size = 0;
    if (ouro_dominator_slot(page->model, chain->items[i], i ? chain->items[i - 1] : page->neighbours->node, &slot))
        ouro_label_add(text, page->model, &slot);
}

void ouro_page_chain_text(struct ouro_out *out, const struct ouro_page_object *page, size_t width)
{
    const struct ouro_heap_model *model = page->model;
    const struct ouro_dominator_chain *chain = page->dominators;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < chain->count; i++) {
        ouro_node node = chain->items[i];
        add_chain_label(&text, page, i);
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_buf_addf(&text, "0x%" PRIx64, ouro_roots_addr(page->roots, node));
        ouro_table_buf(&table, &text);
        ouro_table_size(&table, page->retained->bytes[node]);
        text.size = 0;
        if (node < model->heap.count)
            ouro_page_add_type(&text, model, ouro_heap_model_type(model, node));
        else
            ouro_buf_add_text(&text, "<root>");
        ouro_table_buf(&table, &text);
        text.size = 0;
        if (node < model->heap.count)
            ouro_value_add(&text, model, node, VALUE_BYTES_MAX);
        else
            ouro_buf_add_text(&text, virtual_name(page->roots, node));
        ouro_table_buf(&table, &text);
    }
    ouro_out_addf(out, "\nDominated by: %" PRIu64 "\n", chain->total);
    ouro_table_write(&table, out, width, 2);
    if (chain->count < chain->total)
        ouro_out_addf(out, "  ... %" PRIu64 " more\n", chain->total - chain->count);
    out->buf.failed |= text.failed;
}

void ouro_page_chain_json(struct ouro_json *json, const struct ouro_page_object *page)
{
    const struct ouro_heap_model *model = page->model;
    const struct ouro_dominator_chain *chain = page->dominators;
    struct ouro_page_dominators names = {.model = model, .roots = page->roots};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_uint(json, "retained_objects", chain->object_count);
    ouro_json_uint(json, "dominator_count", chain->total);
    ouro_json_array(json, "dominators");
    for (size_t i = 0; i < chain->count; i++) {
        ouro_json_object(json, NULL);
        write_named(json, &names, chain->items[i], &text);
        add_chain_label(&text, page, i);
        if (text.size)
            ouro_json_buf(json, "label", &text);
        ouro_json_uint(json, "retained", page->retained->bytes[chain->items[i]]);
        ouro_json_end(json);
        ouro_out_check(json->out);
    }
    ouro_json_end(json);
    json->out->buf.failed |= text.failed;
}
