#include <inttypes.h>

#include "analysis/schedule.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "render/page.h"

struct writing {
    struct ouro_json json;
    const struct ouro_heap_model *model;
    const struct ouro_garbage *garbage;
    size_t limit;
};

static bool is_within(const struct writing *w, size_t i)
{
    return !w->limit || i < w->limit;
}

static void write_type_name(struct writing *w, uint32_t type)
{
    size_t size;
    const char *text = ouro_heap_model_type_name(w->model, type, &size);
    ouro_json_text(&w->json, "type", text, size);
    text = ouro_heap_model_type_module(w->model, type, &size);
    ouro_json_text(&w->json, "module", text, size);
}

static void write_addresses(struct writing *w, const char *key, const ouro_node *nodes, size_t count)
{
    ouro_json_array(&w->json, key);
    for (size_t i = 0; i < count && is_within(w, i); i++) {
        ouro_json_addr(&w->json, NULL, w->model->heap.addr[nodes[i]]);
        ouro_out_check(w->json.out);
    }
    ouro_json_end(&w->json);
}

/* The fields of a set, into an open object. */
static void write_set(struct writing *w, const struct ouro_garbage_set *set)
{
    ouro_json_uint(&w->json, "objects", set->count);
    ouro_json_uint(&w->json, "bytes", set->bytes);
    ouro_json_array(&w->json, "types");
    for (size_t i = 0; i < set->types.count && is_within(w, i); i++) {
        const struct ouro_histogram_row *row = &set->types.items[i];
        ouro_json_object(&w->json, NULL);
        write_type_name(w, row->type);
        ouro_json_uint(&w->json, "count", row->count);
        ouro_json_uint(&w->json, "shallow", row->shallow_bytes);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
    write_addresses(w, "addresses", set->items, set->count);
}

static void write_collections(struct writing *w)
{
    ouro_json_array(&w->json, "collections");
    for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++) {
        const struct ouro_garbage_generation *found = &w->garbage->generations[g];
        ouro_json_object(&w->json, NULL);
        ouro_json_uint(&w->json, "generation", g);
        ouro_json_bool(&w->json, "predictable", found->predictable);
        if (found->predictable) {
            ouro_json_uint(&w->json, "objects", found->count);
            ouro_json_uint(&w->json, "bytes", found->bytes);
        }
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

static void write_unreachable(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    ouro_json_object(&w->json, "unreachable");
    write_set(w, &garbage->unreachable);
    ouro_json_uint(&w->json, "freed_objects", garbage->freed_count);
    ouro_json_uint(&w->json, "freed_bytes", garbage->freed_bytes);
    ouro_json_uint(&w->json, "unlisted", garbage->unlisted_count);
    ouro_json_end(&w->json);
    ouro_json_object(&w->json, "uncollectable");
    write_set(w, &garbage->uncollectable);
    ouro_json_uint(&w->json, "legacy", garbage->legacy_count);
    ouro_json_end(&w->json);
    ouro_json_object(&w->json, "released");
    write_set(w, &garbage->released);
    ouro_json_end(&w->json);
}

static void write_finalizer(struct writing *w, size_t i)
{
    const struct ouro_finalizer *item = &w->garbage->finalizers.items[i];
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_object(&w->json, NULL);
    if (i < w->garbage->finalizers.ordered_count)
        ouro_json_uint(&w->json, "order", i + 1);
    else
        ouro_json_null(&w->json, "order");
    if (item->unsure)
        ouro_json_bool(&w->json, "unsure", true);
    ouro_json_string(&w->json, "stage", ouro_finalizer_stage_name(item->stage));
    ouro_json_string(&w->json, "kind", ouro_finalizer_kind_name(item->kind));
    ouro_page_object_fields(&w->json, w->model, item->node);
    if (w->model->heap.interp && w->model->heap.interp[item->node])
        ouro_json_uint(&w->json, "interp", w->model->heap.interp[item->node]);
    if (item->weakref != OURO_NODE_NONE)
        ouro_json_addr(&w->json, "weakref", w->model->heap.addr[item->weakref]);
    if (item->callable != OURO_NODE_NONE)
        ouro_json_addr(&w->json, "callable", w->model->heap.addr[item->callable]);
    ouro_finalizer_describe(&text, w->model, item);
    ouro_json_buf(&w->json, "does", &text);
    ouro_json_end(&w->json);
    ouro_out_check(w->json.out);
}

static void write_finalizers(struct writing *w)
{
    const struct ouro_finalizers *finalizers = &w->garbage->finalizers;
    ouro_json_object(&w->json, "finalizers");
    ouro_json_uint(&w->json, "count", finalizers->count);
    ouro_json_uint(&w->json, "ordered", finalizers->ordered_count);
    ouro_json_uint(&w->json, "idle", finalizers->idle_count);
    ouro_json_object(&w->json, "kinds");
    for (unsigned kind = 0; kind < OURO_FINALIZER_KIND_COUNT; kind++)
        ouro_json_uint(&w->json, ouro_finalizer_kind_name(kind), finalizers->kind_count[kind]);
    ouro_json_end(&w->json);
    ouro_json_array(&w->json, "items");
    for (size_t i = 0; i < finalizers->count && is_within(w, i); i++)
        write_finalizer(w, i);
    ouro_json_end(&w->json);
    ouro_json_uint(&w->json, "finished", finalizers->finished_count);
    write_addresses(w, "finished_addresses", finalizers->finished, finalizers->finished_count);
    ouro_json_end(&w->json);
}

static void write_kept(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    ouro_json_object(&w->json, "frozen");
    write_set(w, &garbage->frozen);
    ouro_json_uint(&w->json, "frozen", garbage->frozen_count);
    ouro_json_end(&w->json);
    ouro_json_object(&w->json, "gc_garbage");
    write_set(w, &garbage->members);
    ouro_json_bool(&w->json, "saveall", ouro_garbage_saves_all(w->model));
    ouro_json_object(&w->json, "holds");
    write_set(w, &garbage->members_hold);
    ouro_json_end(&w->json);
    ouro_json_end(&w->json);
    ouro_json_object(&w->json, "resurrected");
    write_set(w, &garbage->resurrected);
    ouro_json_end(&w->json);
    ouro_json_object(&w->json, "hidden");
    write_set(w, &garbage->hidden);
    ouro_json_uint(&w->json, "approximate", garbage->hidden_approximate_count);
    ouro_json_end(&w->json);
}

static void write_native(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    ouro_json_object(&w->json, "native");
    ouro_json_uint(&w->json, "objects", garbage->held.count);
    ouro_json_uint(&w->json, "reach_objects", garbage->held.reach_count);
    ouro_json_uint(&w->json, "bytes", garbage->held.bytes);
    ouro_json_array(&w->json, "types");
    for (size_t i = 0; i < garbage->held_types.count && is_within(w, i); i++) {
        const struct ouro_garbage_held_type *row = &garbage->held_types.items[i];
        ouro_json_object(&w->json, NULL);
        write_type_name(w, row->type);
        ouro_json_uint(&w->json, "count", row->count);
        ouro_json_uint(&w->json, "unexplained", row->unexplained);
        ouro_json_uint(&w->json, "reach_objects", row->reach_count);
        ouro_json_uint(&w->json, "bytes", row->bytes);
        ouro_json_addr(&w->json, "example", w->model->heap.addr[row->example]);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
    ouro_json_array(&w->json, "items");
    for (size_t i = 0; i < garbage->held.count && is_within(w, i); i++) {
        const struct ouro_garbage_held *held = &garbage->held.items[i];
        ouro_json_object(&w->json, NULL);
        ouro_page_object_fields(&w->json, w->model, held->node);
        ouro_json_uint(&w->json, "unexplained", held->unexplained);
        ouro_json_uint(&w->json, "reach_objects", held->reach_count);
        ouro_json_uint(&w->json, "bytes", held->bytes);
        ouro_json_end(&w->json);
        ouro_out_check(w->json.out);
    }
    ouro_json_end(&w->json);
    ouro_json_end(&w->json);
}

static void write_callbacks(struct writing *w, ouro_node list)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_json_array(&w->json, "callbacks");
    if (list < w->model->heap.count) {
        ouro_slot_walk_begin(&walk, w->model, list);
        while (ouro_slot_walk_next(&walk, &slot))
            if (slot.target != OURO_NODE_NONE && slot.part->kind != OURO_PART_TYPE) {
                ouro_json_object(&w->json, NULL);
                ouro_page_object_fields(&w->json, w->model, slot.target);
                ouro_json_end(&w->json);
            }
    }
    ouro_json_end(&w->json);
}

static void write_schedule(struct writing *w, const struct ouro_interpreter_record *it)
{
    struct ouro_schedule schedule;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_schedule_of(&schedule, w->model, it);
    ouro_json_object(&w->json, "next");
    ouro_json_string(&w->json, "when", ouro_schedule_kind_name(schedule.kind));
    ouro_json_bool(&w->json, "incremental", schedule.incremental);
    ouro_json_uint(&w->json, "generation", schedule.generation);
    ouro_json_uint(&w->json, "allocations", schedule.allocations);
    if (!schedule.incremental) {
        ouro_json_uint(&w->json, "until_full", schedule.until_full);
        ouro_json_uint(&w->json, "survivors", schedule.survivors);
    }
    ouro_schedule_describe(&text, &schedule);
    ouro_json_buf(&w->json, "text", &text);
    ouro_json_end(&w->json);
}

static void write_interpreters(struct writing *w)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } flags[] = {
        {OURO_GC_DEBUG_STATS,         "STATS"        },
        {OURO_GC_DEBUG_COLLECTABLE,   "COLLECTABLE"  },
        {OURO_GC_DEBUG_UNCOLLECTABLE, "UNCOLLECTABLE"},
        {OURO_GC_DEBUG_SAVEALL,       "SAVEALL"      }
    };
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(w->model->snapshot, &count);
    ouro_json_array(&w->json, "interpreters");
    for (size_t i = 0; i < count; i++) {
        const struct ouro_interpreter_record *it = &interpreters[i];
        ouro_json_object(&w->json, NULL);
        ouro_page_collector_fields(&w->json, w->model, it);
        ouro_json_array(&w->json, "debug_flags");
        for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
            if (it->gc_debug & flags[f].bit)
                ouro_json_string(&w->json, NULL, flags[f].name);
        ouro_json_end(&w->json);
        ouro_json_int(&w->json, "long_lived_total", it->long_lived_total);
        ouro_json_int(&w->json, "long_lived_pending", it->long_lived_pending);
        write_schedule(w, it);
        write_callbacks(w, it->callbacks);
        ouro_json_end(&w->json);
    }
    ouro_json_end(&w->json);
}

void ouro_page_garbage_json(struct ouro_out *out, const struct ouro_page_garbage *page, size_t limit)
{
    struct writing w = {.model = page->model, .garbage = page->garbage, .limit = limit};
    ouro_json_init(&w.json, out);
    ouro_json_object(&w.json, NULL);
    ouro_json_string(&w.json, "ouro", "garbage");
    ouro_json_uint(&w.json, "version", 1);
    ouro_json_uint(&w.json, "generation", page->garbage->generation);
    ouro_page_doubts_json(&w.json, page->info);
    write_collections(&w);
    write_unreachable(&w);
    if (page->cycles)
        ouro_page_cycles_patterns(&w.json, page->cycles, limit);
    write_finalizers(&w);
    write_kept(&w);
    write_native(&w);
    write_interpreters(&w);
    if (page->more_json)
        page->more_json(page->context, &w.json);
    ouro_json_end(&w.json);
}
