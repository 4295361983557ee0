#include <inttypes.h>

#include "analysis/brief.h"
#include "analysis/lookup.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/page_path.h"
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
    if (page->collector && ouro_collector_unreachable(page->collector, node))
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
        ouro_buf_addf(text, ", of which %" PRIu64 " known; %" PRIu64 " unexplained (native code, C stacks)",
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

/* Containers by what they hold; other objects that have no value would only repeat type and address. */
static bool add_brief(struct ouro_buf *text, const struct ouro_heap_model *model, ouro_node node)
{
    size_t before = text->size;
    if (model->heap.flags[node] & OURO_OBJECT_PSEUDO)
        return false;
    ouro_brief_add(text, model, node, &OURO_BRIEF_LONG);
    if (!text->failed && text->size > before && text->data[before] != '<')
        return true;
    text->size = before;
    return false;
}

static void add_place(struct ouro_table *table, struct ouro_buf *text, const struct ouro_stack_frame *place)
{
    const char *state = ouro_particulars_state_name(place->state);
    ouro_buf_add(text, place->qualname.bytes, place->qualname.size);
    if (text->size)
        add_row(table, "function", text);
    ouro_buf_add(text, place->file.bytes, place->file.size);
    if (place->line)
        ouro_buf_addf(text, ":%" PRIu32, place->line);
    if (text->size)
        add_row(table, "line", text);
    ouro_buf_add_text(text, state);
    if (text->size)
        add_row(table, "state", text);
}

static void add_lock(struct ouro_table *table, struct ouro_buf *text, const struct ouro_page_object *page)
{
    const struct ouro_particulars *particulars = page->particulars;
    ouro_buf_add_text(text, particulars->is_locked   ? "locked"
                            : particulars->has_locks ? "not locked"
                                                     : "not known: the snapshot doesn't say which are taken");
    if (particulars->lock_count > 1)
        ouro_buf_addf(text, " %" PRIu64 " times", particulars->lock_count);
    if (particulars->owner) {
        size_t size = 0;
        const char *name = ouro_snapshot_string(page->model->snapshot, particulars->owner->name, &size);
        ouro_buf_add_text(text, " by thread ");
        if (name && size)
            ouro_value_str(text, (const unsigned char *)name, size, VALUE_BYTES_MAX, false);
        ouro_buf_addf(text, "%s%" PRIu64, size ? " " : "", particulars->owner->native_id);
    } else if (particulars->owner_ident) {
        ouro_buf_addf(text, " by a thread that is gone (ident %" PRIu64 ")", particulars->owner_ident);
    } else if (particulars->is_locked) {
        ouro_buf_add_text(text, "; such a lock doesn't know by whom");
    }
    add_row(table, "lock", text);
}

static void add_particulars(struct ouro_table *table, struct ouro_buf *text, const struct ouro_page_object *page)
{
    const struct ouro_particulars *particulars = page->particulars;
    if (particulars->is_class) {
        ouro_text_add_count(text, particulars->instance_count);
        ouro_buf_add_text(text, ", ");
        ouro_text_add_size(text, particulars->instance_bytes);
        add_row(table, "instances", text);
    }
    if (particulars->file != OURO_NODE_NONE && ouro_value_add(text, page->model, particulars->file, SIZE_MAX))
        add_row(table, "file", text);
    if (particulars->has_place)
        add_place(table, text, &particulars->place);
    if (particulars->is_lock)
        add_lock(table, text, page);
}

static void write_weak_references(struct ouro_out *out, const struct ouro_page_object *page, size_t width)
{
    const struct ouro_slots *slots = &page->neighbours->weak_references;
    const struct ouro_heap_model *model = page->model;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (!slots->count)
        return;
    ouro_out_addf(out, "\nWeak references: %" PRIu64 "\n", slots->total);
    ouro_table_init(&table);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < slots->count; i++) {
        ouro_node reference = slots->items[i].node;
        ouro_node callback = ouro_heap_model_field(model, reference, "__callback__");
        ouro_buf_addf(&text, "0x%" PRIx64, model->heap.addr[reference]);
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_page_add_type(&text, model, ouro_heap_model_type(model, reference));
        ouro_table_buf(&table, &text);
        text.size = 0;
        ouro_buf_add_text(&text, callback == OURO_NODE_NONE ? "no callback" : "callback ");
        if (callback != OURO_NODE_NONE) {
            ouro_lookup_add_callable(&text, model, callback);
            ouro_buf_addf(&text, " 0x%" PRIx64, model->heap.addr[callback]);
        }
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
    else if (add_brief(&text, model, node))
        add_row(&table, "value", &text);
    add_particulars(&table, &text, page);
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
    ouro_buf_add_text(&text, ouro_heap_model_generation(model, node) < 0 ? "not tracked"
                                                                         : ouro_page_generation_text(model, node));
    add_row(&table, "generation", &text);
    if (model->heap.interp && model->heap.interp[node]) {
        ouro_buf_addf(&text, "%" PRIu32, model->heap.interp[node]);
        add_row(&table, "interpreter", &text);
    }
    add_flags(&text, page, node);
    if (text.size)
        add_row(&table, "flags", &text);
    ouro_table_write(&table, out, width, 0);
    if (page->path) {
        ouro_out_text(out, "\nShortest path:\n");
        ouro_page_path_items_text(out, model, page->path, false, width);
    }
    if (page->dominators && page->dominators->total)
        ouro_page_chain_text(out, page, width);
    write_slots(out, model, "Refers to", &page->neighbours->referents, true, width);
    write_slots(out, model, "Referred to by", &page->neighbours->referrers, false, width);
    write_weak_references(out, page, width);
    if (page->info)
        ouro_page_doubts_text(out, page->info, width);
}

static void write_object_json(struct ouro_json *json, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    uint32_t type = ouro_heap_model_type(model, node);
    ouro_json_addr(json, "addr", model->heap.addr[node]);
    const char *name = ouro_heap_model_type_name(model, type, &size);
    ouro_json_text(json, "type", name, size);
    name = ouro_heap_model_type_module(model, type, &size);
    ouro_json_text(json, "module", name, size);
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

static void write_weak_references_json(struct ouro_json *json, const struct ouro_page_object *page)
{
    const struct ouro_slots *slots = &page->neighbours->weak_references;
    const struct ouro_heap_model *model = page->model;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_uint(json, "weak_reference_count", slots->total);
    ouro_json_array(json, "weak_references");
    for (size_t i = 0; i < slots->count && !json->out->sys_errno; i++) {
        ouro_node reference = slots->items[i].node;
        ouro_node callback = ouro_heap_model_field(model, reference, "__callback__");
        ouro_json_object(json, NULL);
        write_object_json(json, model, reference);
        if (callback == OURO_NODE_NONE) {
            ouro_json_null(json, "callback");
        } else {
            ouro_json_object(json, "callback");
            write_object_json(json, model, callback);
            text.size = 0;
            ouro_lookup_add_callable(&text, model, callback);
            ouro_json_buf(json, "calls", &text);
            ouro_json_end(json);
        }
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void write_lock_json(struct ouro_json *json, const struct ouro_page_object *page)
{
    const struct ouro_particulars *particulars = page->particulars;
    ouro_json_object(json, "lock");
    if (particulars->is_locked || particulars->has_locks)
        ouro_json_bool(json, "locked", particulars->is_locked);
    else
        ouro_json_null(json, "locked");
    if (particulars->is_locked)
        ouro_json_uint(json, "count", particulars->lock_count);
    if (particulars->owner_ident) {
        ouro_json_object(json, "owner");
        ouro_json_uint(json, "ident", particulars->owner_ident);
        if (particulars->owner) {
            size_t size = 0;
            const char *name = ouro_snapshot_string(page->model->snapshot, particulars->owner->name, &size);
            ouro_json_uint(json, "tid", particulars->owner->native_id);
            ouro_json_text(json, "name", name ? name : "", size);
        }
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void write_particulars_json(struct ouro_json *json, const struct ouro_page_object *page)
{
    const struct ouro_particulars *particulars = page->particulars;
    const struct ouro_stack_frame *place = &particulars->place;
    if (particulars->is_class) {
        ouro_json_object(json, "instances");
        ouro_json_uint(json, "count", particulars->instance_count);
        ouro_json_uint(json, "bytes", particulars->instance_bytes);
        ouro_json_end(json);
    }
    if (particulars->file != OURO_NODE_NONE && ouro_value_has(page->model, particulars->file)) {
        size_t size;
        const unsigned char *bytes = ouro_value_raw(page->model, particulars->file, &size);
        ouro_json_text(json, "file", bytes, size);
    }
    if (particulars->has_place) {
        const char *state = ouro_particulars_state_name(place->state);
        ouro_json_text(json, "function", place->name.bytes, place->name.size);
        ouro_json_text(json, "qualname", place->qualname.bytes, place->qualname.size);
        ouro_json_text(json, "file", place->file.bytes, place->file.size);
        if (place->line)
            ouro_json_uint(json, "line", place->line);
        else
            ouro_json_null(json, "line");
        if (*state)
            ouro_json_string(json, "state", state);
        else
            ouro_json_null(json, "state");
    }
    if (particulars->is_lock)
        write_lock_json(json, page);
}

static void write_path_json(struct ouro_json *json, const struct ouro_page_object *page)
{
    if (!page->path)
        return;
    if (!page->path->count) {
        ouro_json_null(json, "path");
        return;
    }
    ouro_json_object(json, "path");
    ouro_page_path_one(json, page->model, &page->path->items[0]);
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
    OURO_GUARD(ouro_buf_fini) struct ouro_buf brief = {0};
    if (!ouro_value_has(model, node) && add_brief(&brief, model, node))
        ouro_json_buf(&json, "brief", &brief);
    out->buf.failed |= brief.failed;
    write_particulars_json(&json, page);
    if (page->collector && ouro_collector_unreachable(page->collector, node))
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
    write_path_json(&json, page);
    ouro_json_uint(&json, "referent_count", neighbours->referents.total);
    write_slots_json(&json, model, "referents", &neighbours->referents, true);
    ouro_json_uint(&json, "referrer_count", neighbours->referrers.total);
    write_slots_json(&json, model, "referrers", &neighbours->referrers, false);
    write_weak_references_json(&json, page);
    if (page->info)
        ouro_page_doubts_json(&json, page->info);
    ouro_json_end(&json);
}
