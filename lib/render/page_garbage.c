#include <inttypes.h>

#include "analysis/lookup.h"
#include "analysis/schedule.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/sentence.h"
#include "render/table.h"
#include "render/text.h"

#define TYPES_NAMED 3 /* in a sentence */

struct writing {
    struct ouro_out *out;
    const struct ouro_heap_model *model;
    const struct ouro_garbage *garbage;
    size_t limit, width;
    struct ouro_buf text; /* the sentence at hand */
};

static void add_count(struct ouro_buf *text, uint64_t count, const char *one, const char *several)
{
    ouro_text_add_count(text, count);
    ouro_buf_addf(text, " %s", count == 1 ? one : several);
}

static void add_objects(struct ouro_buf *text, uint64_t count, uint64_t bytes)
{
    add_count(text, count, "object", "objects");
    ouro_buf_add_text(text, " (");
    ouro_text_add_size(text, bytes);
    ouro_buf_add_byte(text, ')');
}

/* ": Node (12), list (7), ..." */
static void add_types(struct writing *w, const struct ouro_histogram *types)
{
    for (size_t i = 0; i < types->count && i < TYPES_NAMED; i++) {
        ouro_buf_add_text(&w->text, i ? ", " : ": ");
        ouro_page_add_type(&w->text, w->model, types->items[i].type);
        ouro_buf_add_text(&w->text, " (");
        ouro_text_add_count(&w->text, types->items[i].count);
        ouro_buf_add_byte(&w->text, ')');
    }
    if (types->count > TYPES_NAMED)
        ouro_buf_add_text(&w->text, ", ...");
}

static void end_sentence(struct writing *w)
{
    ouro_sentence_write(w->out, &w->text, w->width);
    w->text.size = 0;
}

static void write_found(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    char call[24] = "gc.collect()";
    if (garbage->generation < OURO_GENERATION_COUNT - 1)
        snprintf(call, sizeof call, "gc.collect(%u)", garbage->generation);
    if (!garbage->unreachable.count) {
        ouro_out_addf(w->out, "%s would find nothing unreachable.\n", call);
    } else {
        ouro_buf_addf(&w->text, "%s would find ", call);
        add_objects(&w->text, garbage->unreachable.count, garbage->unreachable.bytes);
        ouro_buf_add_text(&w->text, ",\nand free ");
        add_objects(&w->text, garbage->freed_count, garbage->freed_bytes);
        ouro_buf_add_text(&w->text, " with what hangs off them alone.\n\n");
        ouro_out_buf(w->out, &w->text);
        w->text.size = 0;
        ouro_page_types_text(w->out, w->model, &garbage->unreachable.types, w->limit, false, w->width);
    }
    for (unsigned g = 0; g < garbage->generation; g++) {
        const struct ouro_garbage_generation *found = &garbage->generations[g];
        if (!g)
            ouro_out_text(w->out, "\n");
        ouro_buf_addf(&w->text, "a collection of generation %u ", g);
        if (found->predictable) {
            ouro_buf_add_text(&w->text, "would find ");
            add_objects(&w->text, found->count, found->bytes);
        } else {
            ouro_buf_add_text(&w->text,
                              "is an increment of this Python's collector: what it would take up can't be told");
        }
        end_sentence(w);
    }
}

static void write_finalizer_rows(struct writing *w)
{
    const struct ouro_finalizers *finalizers = &w->garbage->finalizers;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "address", 0);
    ouro_table_column(&table, "type", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "what runs", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < finalizers->count && (!w->limit || i < w->limit); i++) {
        const struct ouro_finalizer *item = &finalizers->items[i];
        char text[24];
        if (i < finalizers->ordered_count)
            ouro_table_count(&table, i + 1);
        else
            ouro_table_string(&table, "-");
        snprintf(text, sizeof text, "0x%" PRIx64, w->model->heap.addr[item->node]);
        ouro_table_string(&table, text);
        w->text.size = 0;
        ouro_page_add_type(&w->text, w->model, ouro_heap_model_type(w->model, item->node));
        ouro_table_buf(&table, &w->text);
        w->text.size = 0;
        ouro_finalizer_describe(&w->text, w->model, item);
        ouro_table_buf(&table, &w->text);
    }
    w->text.size = 0;
    ouro_table_write(&table, w->out, w->width, 2);
}

static void write_finalizers(struct writing *w)
{
    const struct ouro_finalizers *finalizers = &w->garbage->finalizers;
    if (!finalizers->count && !finalizers->finished_count)
        return;
    ouro_out_text(w->out, "\nWhat would run first, in this order\n");
    if (finalizers->count)
        write_finalizer_rows(w);
    if (w->limit && finalizers->count > w->limit) {
        add_count(&w->text, finalizers->count - w->limit, "more (-n 0: all)", "more (-n 0: all)");
        end_sentence(w);
    }
    if (finalizers->count > finalizers->ordered_count) {
        add_count(&w->text, finalizers->count - finalizers->ordered_count, "runs", "run");
        ouro_buf_add_text(&w->text, " when what hangs off is freed: their order can't be told");
        end_sentence(w);
    }
    if (finalizers->unsure_count) {
        add_count(&w->text, finalizers->unsure_count, "callback", "callbacks");
        ouro_buf_add_text(&w->text,
                          " of objects that have several, all older than the last collection, may run in another "
                          "order among themselves");
        end_sentence(w);
    }
    if (finalizers->idle_count) {
        add_count(&w->text, finalizers->idle_count, "generator or coroutine is", "generators and coroutines are");
        ouro_buf_add_text(&w->text, " closed without running anything: not inside of a try or with");
        end_sentence(w);
    }
    if (w->garbage->unlisted_count) {
        ouro_buf_add_text(&w->text, "the place in the order is not known of ");
        add_count(&w->text, w->garbage->unlisted_count, "object", "objects");
        end_sentence(w);
    }
}

/* --- What stays. */

static void write_legacy(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    if (garbage->released.count) {
        add_objects(&w->text, garbage->released.count, garbage->released.bytes);
        ouro_buf_add_text(&w->text,
                          " with legacy finalizers, and what they reach, are left out by the collector, but freed "
                          "with what alone holds them");
        add_types(w, &garbage->released.types);
        end_sentence(w);
    }
    if (!garbage->uncollectable.count)
        return;
    add_objects(&w->text, garbage->uncollectable.count, garbage->uncollectable.bytes);
    ouro_buf_add_text(&w->text, " can never be freed by the collector: ");
    ouro_text_add_count(&w->text, garbage->legacy_count);
    ouro_buf_add_text(&w->text,
                      " with a legacy finalizer (tp_del, of a C type), and what they reach; those go to gc.garbage");
    add_types(w, &garbage->uncollectable.types);
    end_sentence(w);
}

static void write_saved(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    bool saves_all = ouro_garbage_saves_all(w->model);
    if (saves_all) {
        ouro_buf_add_text(&w->text,
                          "gc.DEBUG_SAVEALL is set: nothing that the collector finds is freed, all of it is kept in "
                          "gc.garbage");
        end_sentence(w);
    }
    if (!garbage->members.count)
        return;
    ouro_buf_add_text(&w->text, "gc.garbage holds ");
    add_objects(&w->text, garbage->members.count, garbage->members.bytes);
    ouro_buf_addf(&w->text, "%s; without it ", saves_all ? ", put there by gc.DEBUG_SAVEALL" : "");
    add_objects(&w->text, garbage->members_hold.count, garbage->members_hold.bytes);
    ouro_buf_add_text(&w->text, " would be garbage again");
    add_types(w, &garbage->members.types);
    end_sentence(w);
}

static void write_finalized(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    if (garbage->finalizers.finished_count) {
        add_count(&w->text, garbage->finalizers.finished_count, "unreachable object has", "unreachable objects have");
        ouro_buf_addf(&w->text, " been finalized before (0x%" PRIx64 "): the finalizer will not run again",
                      w->model->heap.addr[garbage->finalizers.finished[0]]);
        end_sentence(w);
    }
    if (garbage->resurrected.count) {
        add_objects(&w->text, garbage->resurrected.count, garbage->resurrected.bytes);
        ouro_buf_add_text(&w->text, garbage->resurrected.count == 1 ? " is" : " are");
        ouro_buf_add_text(&w->text, " alive after the finalizer has run (resurrected); it will not run again");
        add_types(w, &garbage->resurrected.types);
        end_sentence(w);
    }
}

static void write_frozen(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    if (!garbage->frozen.count)
        return;
    add_objects(&w->text, garbage->frozen.count, garbage->frozen.bytes);
    ouro_buf_addf(&w->text,
                  " would be garbage but for gc.freeze(): %" PRIu64 " in the permanent generation, which the "
                  "collector never looks at, the others held by these",
                  garbage->frozen_count);
    add_types(w, &garbage->frozen.types);
    end_sentence(w);
}

static void write_hidden(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    if (!garbage->hidden.count)
        return;
    add_objects(&w->text, garbage->hidden.count, garbage->hidden.bytes);
    ouro_buf_add_text(&w->text, " may be garbage too: ");
    ouro_text_add_count(&w->text, garbage->hidden_approximate_count);
    ouro_buf_add_text(&w->text, " of them are approximate, and what they refer to was guessed, so it was not believed");
    add_types(w, &garbage->hidden.types);
    end_sentence(w);
}

static void write_native(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    if (!garbage->held.count)
        return;
    add_count(&w->text, garbage->held.count, "object is", "objects are");
    ouro_buf_add_text(&w->text,
                      " kept by references from native code alone, which nobody explains (the interpreter's or an "
                      "extension's own, a C stack's, or leaked ones); with what only they keep ");
    add_objects(&w->text, garbage->held.reach_count, garbage->held.bytes);
    end_sentence(w);
    ouro_table_init(&table);
    static const char *const titles[] = {"count", "references", "keep", "bytes"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        ouro_table_column(&table, titles[i], OURO_TABLE_RIGHT);
    ouro_table_column(&table, "type", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "for example", 0);
    for (size_t i = 0; i < garbage->held_types.count && (!w->limit || i < w->limit); i++) {
        const struct ouro_garbage_held_type *row = &garbage->held_types.items[i];
        char address[24];
        ouro_table_count(&table, row->count);
        ouro_table_count(&table, row->unexplained);
        ouro_table_count(&table, row->reach_count);
        ouro_table_size(&table, row->bytes);
        w->text.size = 0;
        ouro_page_add_type(&w->text, w->model, row->type);
        ouro_table_buf(&table, &w->text);
        snprintf(address, sizeof address, "0x%" PRIx64, w->model->heap.addr[row->example]);
        ouro_table_string(&table, address);
    }
    w->text.size = 0;
    ouro_table_write(&table, w->out, w->width, 4);
}

static void write_kept(struct writing *w)
{
    const struct ouro_garbage *garbage = w->garbage;
    ouro_out_text(w->out, "\nWhat can't or won't be freed\n");
    write_legacy(w);
    write_saved(w);
    write_finalized(w);
    write_frozen(w);
    write_hidden(w);
    write_native(w);
    if (!garbage->uncollectable.count && !garbage->released.count && !ouro_garbage_saves_all(w->model) &&
        !garbage->members.count && !garbage->finalizers.finished_count && !garbage->resurrected.count &&
        !garbage->frozen.count && !garbage->hidden.count && !garbage->held.count)
        ouro_out_text(w->out, "  nothing is known of\n");
}

/* --- The collector. */

static void write_flags(struct writing *w, uint32_t debug)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } flags[] = {
        {OURO_GC_DEBUG_STATS,         "DEBUG_STATS"        },
        {OURO_GC_DEBUG_COLLECTABLE,   "DEBUG_COLLECTABLE"  },
        {OURO_GC_DEBUG_UNCOLLECTABLE, "DEBUG_UNCOLLECTABLE"},
        {OURO_GC_DEBUG_SAVEALL,       "DEBUG_SAVEALL"      }
    };
    if (!debug)
        return;
    ouro_buf_add_text(&w->text, "debug flags:");
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
        if (debug & flags[f].bit)
            ouro_buf_addf(&w->text, " %s", flags[f].name);
    end_sentence(w);
}

static void write_callbacks(struct writing *w, ouro_node list)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    size_t count = 0;
    if (list >= w->model->heap.count)
        return;
    ouro_slot_walk_begin(&walk, w->model, list);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target == OURO_NODE_NONE || slot.part->kind == OURO_PART_TYPE)
            continue;
        if (w->limit && count++ >= w->limit)
            break;
        ouro_buf_add_text(&w->text, "each collection calls, before and after (gc.callbacks): ");
        ouro_lookup_add_callable(&w->text, w->model, slot.target);
        end_sentence(w);
    }
}

static void write_collectors(struct writing *w)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(w->model->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        const struct ouro_interpreter_record *it = &interpreters[i];
        uint64_t thread = ouro_info_collecting_thread(w->model->snapshot, it->id);
        struct ouro_schedule schedule;
        ouro_page_collector_text(w->out, it, w->width);
        ouro_schedule_of(&schedule, w->model, it);
        ouro_buf_add_text(&w->text, "the next collection: ");
        ouro_schedule_describe(&w->text, &schedule);
        if (it->gc_collecting && thread)
            ouro_buf_addf(&w->text, ", in thread %" PRIu64, thread);
        end_sentence(w);
        write_flags(w, it->gc_debug);
        write_callbacks(w, it->callbacks);
    }
}

static void write_patterns(struct writing *w, struct ouro_cycles *cycles)
{
    if (!cycles || !cycles->rows.count)
        return;
    ouro_out_text(w->out, "\nCycles, by pattern\n");
    ouro_page_cycles_table(w->out, cycles, w->limit, w->width);
    if (w->limit && cycles->rows.count > w->limit)
        ouro_buf_addf(&w->text, "%zu patterns more; ", cycles->rows.count - w->limit);
    ouro_buf_add_text(&w->text, "ouro cycles --garbage --advise says which references to make weak");
    end_sentence(w);
}

void ouro_page_garbage_text(struct ouro_out *out, const struct ouro_page_garbage *page, size_t limit, size_t width)
{
    struct writing w = {out, page->model, page->garbage, limit, width, {0}};
    write_found(&w);
    write_patterns(&w, page->cycles);
    write_finalizers(&w);
    write_kept(&w);
    write_collectors(&w);
    ouro_page_doubts_text(out, page->info, width);
    ouro_buf_fini(&w.text);
}
