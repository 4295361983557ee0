#include <inttypes.h>

#include "base/guard.h"
#include "render/page.h"
#include "render/sentence.h"
#include "render/table.h"
#include "render/text.h"

#define CYCLES_MAX      8 /* of a row are looked for */
#define TEXT_CYCLES_MAX 4 /* and written as text */
#define TEXT_CUTS_MAX   5

static const char *plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

/* What a reader of the source would do. */
static const char *const remedies[] = {
    [OURO_CUT_ATTRIBUTE] = "make it a weak reference (weakref.ref, weakref.proxy)",
    [OURO_CUT_METHOD] = "keep its bound methods in weakref.WeakMethod",
    [OURO_CUT_ITEMS] = "hold its items weakly (weakref.WeakSet, WeakValueDictionary, weakref.ref)",
    [OURO_CUT_CACHE] = "the cache keeps its arguments and results: use one that does not, or one per object",
    [OURO_CUT_TRACEBACK] = "drop the exception when it is handled, or clear its __traceback__",
    [OURO_CUT_LOCAL] = "delete the local variable when done with it (del, or in a finally)",
    [OURO_CUT_CLOSURE] = "rebind the enclosing function's variable when done with it",
    [OURO_CUT_CLASS] = "part of a class; it goes when the class is dropped",
    [OURO_CUT_FIXED] = "cannot be made weak; clear the object that has it",
};

static void add_cut(struct ouro_buf *text, const struct ouro_cycles *cycles, const struct ouro_cycle_cut *cut)
{
    ouro_cycle_cut_add(cut, cycles, text);
    ouro_buf_addf(text, ": %s (%" PRIu64 " %s to %" PRIu64 " %s", remedies[cut->how], cut->reference_count,
                  plural(cut->reference_count, "reference", "references"), cut->target_count,
                  plural(cut->target_count, "object", "objects"));
    if (cut->name_count > 1)
        ouro_buf_addf(text, "; the attribute of %" PRIu32 " classes", cut->name_count);
    ouro_buf_add_byte(text, ')');
}

static void write_cuts(struct ouro_out *out, const struct ouro_cycles *cycles, const struct ouro_cycle_row *row,
                       const struct ouro_cycle_advice *advice, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    if (!advice->cuts.count && row->layer != OURO_LAYER_PLAIN) {
        ouro_buf_add_text(&text, "a class refers to itself (by its __mro__, its descriptors, its methods): only the "
                                 "collector frees it. Make it once, not again and again");
        ouro_sentence_write_under(out, &text, width, "    ", "    ");
        return;
    }
    for (size_t i = 0; i < advice->cuts.count && i < TEXT_CUTS_MAX; i++) {
        text.size = 0;
        ouro_buf_add_text(&text, i ? "and cut " : "cut ");
        add_cut(&text, cycles, &advice->cuts.items[i]);
        ouro_sentence_write_under(out, &text, width, "    ", "      ");
    }
    if (advice->cuts.count > TEXT_CUTS_MAX)
        ouro_out_addf(out, "    and %zu more (--json names them)\n", advice->cuts.count - TEXT_CUTS_MAX);
    text.size = 0;
    if (!advice->complete) {
        ouro_buf_add_text(&text, advice->cuts.count ? "cycles are left even so: the search was given up"
                                                    : "nothing that has a name in the source breaks it");
    } else {
        ouro_buf_add_text(&text, advice->smallest ? "breaks " : "(a smaller set may exist) breaks ");
        ouro_buf_addf(&text, row->knot_count == 1 ? "it: " : "all %" PRIu64 ": ", row->knot_count);
        ouro_text_add_size(&text, row->retained_bytes);
        ouro_buf_add_text(&text, row->unreachable ? " would have been freed at once, without the collector"
                                                  : " go as soon as nothing else refers to them");
    }
    ouro_sentence_write_under(out, &text, width, "    ", "    ");
}

static void write_hazards(struct ouro_out *out, const struct ouro_cycles *cycles, const struct ouro_cycle_row *row,
                          const struct ouro_cycle_advice *advice, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    for (size_t i = 0; i < advice->cuts.count; i++) {
        const struct ouro_cycle_cut *cut = &advice->cuts.items[i];
        if (row->unreachable || !cut->lonely_count || (cut->how != OURO_CUT_ATTRIBUTE && cut->how != OURO_CUT_ITEMS))
            continue;
        text.size = 0;
        ouro_buf_addf(&text, "hazard: of the %" PRIu64 " that ", cut->target_count);
        ouro_cycle_cut_add(cut, cycles, &text);
        ouro_buf_addf(&text, " leads to, %" PRIu64 " %s referred to by nothing else: made weak, it would lose them",
                      cut->lonely_count, plural(cut->lonely_count, "is", "are"));
        ouro_sentence_write_under(out, &text, width, "    ", "      ");
    }
    if (advice->finalizer_count) {
        text.size = 0;
        ouro_buf_addf(&text, "hazard: %" PRIu64 " %s inside (", advice->finalizer_count,
                      plural(advice->finalizer_count, "finalizer", "finalizers"));
        ouro_page_add_type(&text, cycles->model, advice->finalizer_type);
        if (advice->finalizer_type_count > 1)
            ouro_buf_addf(&text, " and %" PRIu64 " more %s", advice->finalizer_type_count - 1,
                          plural(advice->finalizer_type_count - 1, "type", "types"));
        ouro_buf_add_text(&text, "): the collector runs them in no order that the program could rely on");
        ouro_sentence_write_under(out, &text, width, "    ", "      ");
    }
}

static void add_state(struct ouro_buf *text, const struct ouro_cycle_row *row)
{
    static const char *const layers[] = {"", ", through classes", ", through classes and modules"};
    ouro_buf_add_text(text, row->unreachable ? "; garbage" : "; live");
    ouro_buf_add_text(text, layers[row->layer]);
}

static enum ouro_status write_row(struct ouro_out *out, struct ouro_cycles *cycles, const struct ouro_cycle_row *row,
                                  bool advise, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    OURO_GUARD(ouro_cycle_texts_fini) struct ouro_cycle_texts texts = {0};
    OURO_TRY(ouro_cycles_describe(cycles, row, CYCLES_MAX, &texts));
    for (size_t i = 0; i < texts.cycles.count && i < TEXT_CYCLES_MAX; i++) {
        text.size = 0;
        if (i)
            ouro_buf_add_text(&text, "and ");
        ouro_cycles_add_text(cycles, &texts, i, &text);
        ouro_sentence_write_under(out, &text, width, i ? "  " : "", i ? "      " : "    ");
    }
    if (texts.cycles.count > TEXT_CYCLES_MAX)
        texts.uncovered += texts.cycles.count - TEXT_CYCLES_MAX;
    if (texts.uncovered)
        ouro_out_addf(out, "  and %zu %s of references more\n", texts.uncovered,
                      plural(texts.uncovered, "kind", "kinds"));
    text.size = 0;
    ouro_text_add_count(&text, row->knot_count);
    ouro_buf_add_text(&text, plural(row->knot_count, " time, ", " times, "));
    ouro_text_add_count(&text, row->object_count);
    ouro_buf_add_text(&text, plural(row->object_count, " object, ", " objects, "));
    ouro_text_add_size(&text, row->shallow_bytes);
    ouro_buf_add_text(&text, ", retained >= ");
    ouro_text_add_size(&text, row->retained_bytes);
    add_state(&text, row);
    if (row->approximate_count)
        ouro_buf_addf(&text, "; ~ %" PRIu64 " %s guessed references", row->approximate_count,
                      plural(row->approximate_count, "object has", "objects have"));
    if (row->example != OURO_NODE_NONE)
        ouro_buf_addf(&text, "; e.g. 0x%" PRIx64, cycles->model->heap.addr[row->example]);
    ouro_sentence_write_under(out, &text, width, "    ", "    ");
    if (advise) {
        OURO_GUARD(ouro_cycle_advice_fini) struct ouro_cycle_advice advice = {0};
        OURO_TRY(ouro_cycle_advice_init(&advice, cycles, row));
        write_cuts(out, cycles, row, &advice, width);
        write_hazards(out, cycles, row, &advice, width);
    }
    return OURO_OK;
}

static void sum_rows(const struct ouro_cycles *cycles, uint64_t *knots, uint64_t *objects, uint64_t *bytes)
{
    *knots = *objects = *bytes = 0;
    for (size_t i = 0; i < cycles->rows.count; i++) {
        *knots += cycles->rows.items[i].knot_count;
        *objects += cycles->rows.items[i].object_count;
        *bytes += cycles->rows.items[i].shallow_bytes;
    }
}

enum ouro_status ouro_page_cycles_text(struct ouro_out *out, const struct ouro_page_cycles *page, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    struct ouro_cycles *cycles = page->cycles;
    size_t shown = page->limit && page->limit < cycles->rows.count ? page->limit : cycles->rows.count;
    uint64_t knots, objects, bytes;
    for (size_t i = 0; i < shown && !out->sys_errno; i++) {
        OURO_TRY(write_row(out, cycles, &cycles->rows.items[i], page->advise, width));
        ouro_out_text(out, "\n");
    }
    sum_rows(cycles, &knots, &objects, &bytes);
    ouro_text_add_count(&text, cycles->rows.count);
    ouro_buf_add_text(&text, plural(cycles->rows.count, " pattern, ", " patterns, "));
    ouro_text_add_count(&text, objects);
    ouro_buf_add_text(&text, plural(objects, " object on cycles, ", " objects on cycles, "));
    ouro_text_add_size(&text, bytes);
    if (shown < cycles->rows.count)
        ouro_buf_addf(&text, "; shown: %zu", shown);
    ouro_sentence_write_under(out, &text, width, "", "");
    text.size = 0;
    if (cycles->folded_object_count) {
        ouro_buf_add_text(&text, "not shown: the program's own structure (classes, functions, modules), ");
        ouro_text_add_count(&text, cycles->folded_object_count);
        ouro_buf_add_text(&text, plural(cycles->folded_object_count, " object, ", " objects, "));
        ouro_text_add_size(&text, cycles->folded_bytes);
        ouro_buf_add_text(&text, "; --all shows it");
        ouro_sentence_write_under(out, &text, width, "", "");
    }
    ouro_page_doubts_text(out, page->info, width);
    return OURO_OK;
}

void ouro_page_cycles_table(struct ouro_out *out, struct ouro_cycles *cycles, size_t limit, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t shown = limit && limit < cycles->rows.count ? limit : cycles->rows.count;
    ouro_table_init(&table);
    ouro_table_column(&table, "count", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "objects", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "shallow", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "cycle", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < shown; i++) {
        const struct ouro_cycle_row *row = &cycles->rows.items[i];
        OURO_GUARD(ouro_cycle_texts_fini) struct ouro_cycle_texts texts = {0};
        if (ouro_cycles_describe(cycles, row, CYCLES_MAX, &texts) != OURO_OK) {
            out->buf.failed = true;
            return;
        }
        ouro_table_count(&table, row->knot_count);
        ouro_table_count(&table, row->object_count);
        ouro_table_size(&table, row->shallow_bytes);
        text.size = 0;
        if (texts.cycles.count)
            ouro_cycles_add_text(cycles, &texts, 0, &text);
        ouro_table_buf(&table, &text);
    }
    ouro_table_write(&table, out, width, 0);
}

/* --- JSON */

static void put_name(struct ouro_json *json, const char *key, const struct ouro_cycles *cycles, uint32_t name,
                     struct ouro_buf *text)
{
    text->size = 0;
    ouro_cycle_names_add(&cycles->names, name, text);
    ouro_json_buf(json, key, text);
}

static void put_references(struct ouro_json *json, const struct ouro_cycles *cycles, const struct ouro_cycle_row *row,
                           struct ouro_buf *text)
{
    ouro_json_array(json, "references");
    for (size_t i = row->reference_begin; i < row->reference_begin + row->reference_count; i++) {
        const struct ouro_cycle_reference *reference = &cycles->references.items[i];
        ouro_json_object(json, NULL);
        put_name(json, "reference", cycles, reference->source, text);
        put_name(json, "target", cycles, reference->target, text);
        ouro_json_uint(json, "count", reference->count);
        ouro_json_end(json);
        ouro_out_check(json->out);
    }
    ouro_json_end(json);
}

static void put_advice(struct ouro_json *json, const struct ouro_cycles *cycles, const struct ouro_cycle_row *row,
                       const struct ouro_cycle_advice *advice, struct ouro_buf *text)
{
    ouro_json_object(json, "advice");
    ouro_json_array(json, "weaken");
    for (size_t i = 0; i < advice->cuts.count; i++) {
        const struct ouro_cycle_cut *cut = &advice->cuts.items[i];
        ouro_json_object(json, NULL);
        text->size = 0;
        ouro_cycle_cut_add(cut, cycles, text);
        ouro_json_buf(json, "reference", text);
        ouro_json_string(json, "how", ouro_cut_name(cut->how));
        ouro_json_uint(json, "count", cut->reference_count);
        ouro_json_uint(json, "targets", cut->target_count);
        ouro_json_uint(json, "classes", cut->name_count);
        ouro_json_uint(json, "only_holder_of", cut->lonely_count);
        ouro_json_end(json);
    }
    ouro_json_end(json);
    ouro_json_bool(json, "acyclic", advice->complete);
    ouro_json_bool(json, "smallest", advice->complete && advice->smallest);
    ouro_json_uint(json, "frees", advice->complete ? row->retained_bytes : 0);
    ouro_json_uint(json, "finalizers", advice->finalizer_count);
    if (advice->finalizer_count) {
        text->size = 0;
        ouro_page_add_type(text, cycles->model, advice->finalizer_type);
        ouro_json_buf(json, "finalizer_type", text);
    }
    ouro_json_end(json);
}

static enum ouro_status put_row(struct ouro_json *json, struct ouro_cycles *cycles, const struct ouro_cycle_row *row,
                                bool advise)
{
    static const char *const layers[] = {"plain", "classes", "all"};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    OURO_GUARD(ouro_cycle_texts_fini) struct ouro_cycle_texts texts = {0};
    OURO_TRY(ouro_cycles_describe(cycles, row, CYCLES_MAX, &texts));
    ouro_json_object(json, NULL);
    if (texts.cycles.count)
        ouro_cycles_add_text(cycles, &texts, 0, &text);
    ouro_json_buf(json, "pattern", &text);
    ouro_json_bool(json, "unreachable", row->unreachable);
    ouro_json_string(json, "layer", layers[row->layer]);
    ouro_json_uint(json, "count", row->knot_count);
    ouro_json_uint(json, "objects", row->object_count);
    ouro_json_uint(json, "shallow", row->shallow_bytes);
    ouro_json_uint(json, "retained", row->retained_bytes);
    ouro_json_addr(json, "example", row->example == OURO_NODE_NONE ? 0 : cycles->model->heap.addr[row->example]);
    if (row->approximate_count)
        ouro_json_uint(json, "approximate", row->approximate_count);
    ouro_json_array(json, "cycles");
    for (size_t i = 0; i < texts.cycles.count; i++) {
        text.size = 0;
        ouro_cycles_add_text(cycles, &texts, i, &text);
        ouro_json_buf(json, NULL, &text);
    }
    ouro_json_end(json);
    put_references(json, cycles, row, &text);
    if (advise) {
        OURO_GUARD(ouro_cycle_advice_fini) struct ouro_cycle_advice advice = {0};
        OURO_TRY(ouro_cycle_advice_init(&advice, cycles, row));
        put_advice(json, cycles, row, &advice, &text);
    }
    ouro_json_end(json);
    ouro_out_check(json->out);
    return OURO_OK;
}

void ouro_page_cycles_patterns(struct ouro_json *json, struct ouro_cycles *cycles, size_t limit)
{
    ouro_json_array(json, "patterns");
    for (size_t i = 0; i < cycles->rows.count && (!limit || i < limit) && !json->out->sys_errno; i++)
        if (put_row(json, cycles, &cycles->rows.items[i], false) != OURO_OK) {
            json->out->buf.failed = true;
            break;
        }
    ouro_json_end(json);
}

enum ouro_status ouro_page_cycles_json(struct ouro_out *out, const struct ouro_page_cycles *page)
{
    struct ouro_cycles *cycles = page->cycles;
    struct ouro_json json;
    uint64_t knots, objects, bytes;
    sum_rows(cycles, &knots, &objects, &bytes);
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "cycles");
    ouro_json_uint(&json, "version", 1);
    ouro_json_uint(&json, "pattern_count", cycles->rows.count);
    ouro_json_uint(&json, "count", knots);
    ouro_json_uint(&json, "objects", objects);
    ouro_json_uint(&json, "shallow", bytes);
    ouro_json_object(&json, "folded");
    ouro_json_uint(&json, "count", cycles->folded_knot_count);
    ouro_json_uint(&json, "objects", cycles->folded_object_count);
    ouro_json_uint(&json, "shallow", cycles->folded_bytes);
    ouro_json_end(&json);
    ouro_page_doubts_json(&json, page->info);
    ouro_json_array(&json, "patterns");
    for (size_t i = 0; i < cycles->rows.count && (!page->limit || i < page->limit) && !out->sys_errno; i++)
        OURO_TRY(put_row(&json, cycles, &cycles->rows.items[i], page->advise));
    ouro_json_end(&json);
    ouro_json_end(&json);
    return OURO_OK;
}
