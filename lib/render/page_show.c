#include <inttypes.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/table.h"
#include "render/text.h"

/* Of a value, this much goes into a table. */
#define VALUE_BYTES_MAX 120

static void add_row(struct ouro_table *table, const char *name, struct ouro_buf *value)
{
    ouro_table_string(table, name);
    ouro_table_buf(table, value);
    value->size = 0;
}

static const struct {
    unsigned flag;
    const char *text;
} flag_texts[] = {
    {OURO_OBJECT_APPROXIMATE, "approximate (references guessed from memory)"},
    {OURO_OBJECT_FINALIZED, "finalized"},
    {OURO_OBJECT_SIZE_ESTIMATED, "size estimated"},
    {OURO_OBJECT_IN_TRY, "suspended in a try (closing it runs code)"},
    {OURO_OBJECT_TORN, "torn (some references could not be read)"},
    {OURO_OBJECT_PSEUDO, "pseudo (names no object)"},
};

static void add_flags(struct ouro_buf *text, const struct ouro_page_object *page, ouro_node node)
{
    for (size_t i = 0; i < sizeof flag_texts / sizeof *flag_texts; i++)
        if (page->model->heap.flags[node] & flag_texts[i].flag)
            ouro_buf_addf(text, "%s%s", text->size ? ", " : "", flag_texts[i].text);
    if (ouro_collector_unreachable(page->collector, node))
        ouro_buf_addf(text, "%sunreachable (the collector would find it)", text->size ? ", " : "");
}

static void add_count_explained(struct ouro_buf *text, const struct ouro_page_object *page, ouro_node node)
{
    const struct ouro_neighbours *neighbours = page->neighbours;
    if (page->model->heap.flags[node] & OURO_OBJECT_IMMORTAL) {
        ouro_buf_add_text(text, "immortal: not counted");
        return;
    }
    uint64_t count = page->model->heap.refcount[node], known = neighbours->owned_count;
    ouro_text_add_count(text, count);
    if (page->model->heap.flags[node] & OURO_OBJECT_PSEUDO)
        return;
    if (count == known)
        ouro_buf_add_text(text, ", all of them known references");
    else if (count > known)
        ouro_buf_addf(text, ", of which %" PRIu64 " known references; %" PRIu64 " unexplained (native code, C stacks)",
                      known, count - known);
    else
        ouro_buf_addf(text, ", fewer than the %" PRIu64 " references found: inconsistent", known);
}

static void add_target(struct ouro_buf *text, const struct ouro_heap_model *model, ouro_node node)
{
    ouro_buf_addf(text, "0x%" PRIx64 " ", model->heap.addr[node]);
    ouro_page_add_type(text, model, ouro_heap_model_type(model, node));
}

static bool is_root(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO && ouro_heap_model_type(model, node) == model->root_type;
}

/* What it retains, and in a few words what dominates it; more is said below. */
static void add_dominator(struct ouro_table *table, struct ouro_buf *text, const struct ouro_page_object *page,
                          ouro_node node)
{
    ouro_node idom = ouro_retained_idom(page->retained, node);
    ouro_text_add_size(text, page->retained->bytes[node]);
    ouro_buf_add_text(text, " in ");
    ouro_text_add_count(text, page->dominators->object_count);
    ouro_buf_add_text(text, page->dominators->object_count == 1 ? " object" : " objects");
    add_row(table, "retained", text);
    if (idom == OURO_NODE_NONE)
        ouro_buf_add_text(text, !page->dominators->reached ? "none, as no root reaches it"
                                : is_root(page->model, node) ? "none, as it is a root"
                                                             : "none, as several roots reach it");
    else if (idom < page->model->heap.count)
        add_target(text, page->model, idom);
    else
        ouro_buf_addf(text, "0x%" PRIx64 " <root> %s", ouro_roots_addr(page->roots, idom),
                      idom == ouro_roots_garbage_node(page->roots) ? "garbage" : "native");
    add_row(table, "dominator", text);
}

static const char *class_text(enum ouro_edge_class edge_class)
{
    return edge_class == OURO_EDGE_HIDDEN ? "hidden" : edge_class == OURO_EDGE_WEAK ? "weak" : "";
}

static void write_slots(struct ouro_out *out, const struct ouro_heap_model *model, const char *title,
                        const struct ouro_slots *slots, bool forward, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_out_addf(out, "\n%s: %" PRIu64 "\n", title, slots->total);
    if (!slots->count)
        return;
    ouro_table_init(&table);
    /* A referent is reached by its label; a referrer reaches us by its. */
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < slots->count; i++) {
        const struct ouro_slot *slot = &slots->items[i];
        ouro_node other = forward ? slot->target : slot->node;
        ouro_label_add(&text, model, slot);
        ouro_table_buf(&table, &text);
        ouro_table_string(&table, class_text(slot->edge_class));
        text.size = 0;
        ouro_buf_addf(&text, "0x%" PRIx64, model->heap.addr[other]);
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_page_add_type(&text, model, ouro_heap_model_type(model, other));
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_value_add(&text, model, other, VALUE_BYTES_MAX);
        ouro_table_buf(&table, &text);
        text.size = 0;
    }
    ouro_table_write(&table, out, width, 2);
    if (slots->count < slots->total)
        ouro_out_addf(out, "  ... %" PRIu64 " more\n", slots->total - slots->count);
}

void ouro_page_object_text(struct ouro_out *out, const struct ouro_page_object *page, size_t width)
{
    const struct ouro_heap_model *model = page->model;
    ouro_node node = page->neighbours->node;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_buf_addf(&text, "0x%" PRIx64, model->heap.addr[node]);
    add_row(&table, "address", &text);
    ouro_page_add_type(&text, model, ouro_heap_model_type(model, node));
    add_row(&table, "type", &text);
    if (ouro_value_add(&text, model, node, SIZE_MAX))
        add_row(&table, model->heap.flags[node] & OURO_OBJECT_PSEUDO ? "name" : "value", &text);
    ouro_text_add_size(&text, model->heap.size[node]);
    add_row(&table, "size", &text);
    if (model->heap.native && model->heap.native[node]) {
        ouro_text_add_size(&text, model->heap.native[node]);
        add_row(&table, "native", &text);
    }
    if (page->retained)
        add_dominator(&table, &text, page, node);
    add_count_explained(&text, page, node);
    add_row(&table, "refcount", &text);
    ouro_buf_add_text(&text,
                      ouro_heap_model_generation(model, node) < 0 ? "not tracked" : ouro_page_generation_text(model, node));
    add_row(&table, "generation", &text);
    if (model->heap.interp && model->heap.interp[node]) {
        ouro_buf_addf(&text, "%" PRIu32, model->heap.interp[node]);
        add_row(&table, "interpreter", &text);
    }
    add_flags(&text, page, node);
    if (text.size)
        add_row(&table, "flags", &text);
    ouro_table_write(&table, out, width, 0);
    if (page->dominators && page->dominators->total)
        ouro_page_chain_text(out, page, width);
    write_slots(out, model, "Refers to", &page->neighbours->referents, true, width);
    write_slots(out, model, "Referred to by", &page->neighbours->referrers, false, width);
    if (page->info)
        ouro_page_doubts_text(out, page->info, width);
}

static void write_slots_json(struct ouro_json *json, const struct ouro_heap_model *model, const char *key,
                             const struct ouro_slots *slots, bool forward)
{
    static const char *const classes[] = {"traversed", "hidden", "weak"};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_array(json, key);
    for (size_t i = 0; i < slots->count; i++) {
        const struct ouro_slot *slot = &slots->items[i];
        ouro_node other = forward ? slot->target : slot->node;
        ouro_json_object(json, NULL);
        ouro_json_addr(json, "addr", model->heap.addr[other]);
        text.size = 0;
        ouro_label_add(&text, model, slot);
        ouro_json_buf(json, "label", &text);
        ouro_json_string(json, "class", classes[slot->edge_class]);
        size_t size;
        const char *name = ouro_heap_model_type_name(model, ouro_heap_model_type(model, other), &size);
        ouro_json_text(json, "type", name, size);
        text.size = 0;
        if (ouro_value_add(&text, model, other, VALUE_BYTES_MAX))
            ouro_json_buf(json, "value", &text);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

void ouro_page_object_json(struct ouro_out *out, const struct ouro_page_object *page)
{
    const struct ouro_heap_model *model = page->model;
    const struct ouro_neighbours *neighbours = page->neighbours;
    ouro_node node = neighbours->node;
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "object");
    ouro_json_uint(&json, "version", 1);
    ouro_page_object_fields(&json, model, node);
    if (ouro_collector_unreachable(page->collector, node))
        ouro_json_bool(&json, "unreachable", true);
    ouro_json_uint(&json, "references_known", neighbours->owned_count);
    uint64_t count = model->heap.refcount[node];
    if (!(model->heap.flags[node] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO)))
        ouro_json_int(&json, "unexplained", (int64_t)(count - neighbours->owned_count));
    if (page->retained) {
        ouro_node idom = ouro_retained_idom(page->retained, node);
        if (idom == OURO_NODE_NONE)
            ouro_json_null(&json, "idom");
        else
            ouro_json_addr(&json, "idom", ouro_roots_addr(page->roots, idom));
        ouro_json_uint(&json, "retained", page->retained->bytes[node]);
        ouro_page_chain_json(&json, page);
    }
    ouro_json_uint(&json, "referent_count", neighbours->referents.total);
    write_slots_json(&json, model, "referents", &neighbours->referents, true);
    ouro_json_uint(&json, "referrer_count", neighbours->referrers.total);
    write_slots_json(&json, model, "referrers", &neighbours->referrers, false);
    if (page->info)
        ouro_page_doubts_json(&json, page->info);
    ouro_json_end(&json);
}
