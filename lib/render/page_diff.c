#include "render/page_diff.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/brief.h"
#include "base/guard.h"
#include "render/page.h"
#include "render/sentence.h"
#include "render/table.h"
#include "render/text.h"

#define SCREEN_COLUMNS 80

struct writing {
    struct ouro_out *out;
    const struct ouro_page_diff *page;
    const struct ouro_diff *diff;
    size_t width;
    struct ouro_buf text; /* the sentence at hand */
};

/* --- Words */

static void add_change(struct ouro_buf *text, int64_t change)
{
    ouro_buf_add_byte(text, change < 0 ? '-' : '+');
    ouro_text_add_count(text, (uint64_t)(change < 0 ? -change : change));
}

static void add_bytes_change(struct ouro_buf *text, int64_t change)
{
    ouro_buf_add_byte(text, change < 0 ? '-' : '+');
    ouro_text_add_size(text, (uint64_t)(change < 0 ? -change : change));
}

static void add_objects(struct ouro_buf *text, int64_t count)
{
    add_change(text, count);
    ouro_buf_add_text(text, count == 1 || count == -1 ? " object" : " objects");
}

static void end_sentence(struct writing *w, const char *begin, const char *indent)
{
    ouro_sentence_write_under(w->out, &w->text, w->width, begin, indent);
    w->text.size = 0;
}

static bool below_limit(const struct writing *w, size_t i)
{
    return !w->page->limit || i < w->page->limit;
}

/* --- Head */

static void add_time(struct ouro_buf *text, double seconds)
{
    seconds = fabs(seconds);
    if (seconds < 120)
        ouro_buf_addf(text, "%.1f s", seconds);
    else if (seconds < 7200)
        ouro_buf_addf(text, "%.0f minutes", seconds / 60);
    else if (seconds < 172800)
        ouro_buf_addf(text, "%.1f hours", seconds / 3600);
    else
        ouro_buf_addf(text, "%.1f days", seconds / 86400);
}

static void write_head(struct writing *w)
{
    const struct ouro_diff_between *between = &w->diff->between;
    const struct ouro_diff *diff = w->diff;
    const struct ouro_histogram *before = &diff->before->types, *after = &diff->after->types;
    ouro_buf_addf(&w->text, "%s -> %s", w->page->files[0], w->page->files[w->page->file_count - 1]);
    if (w->page->file_count > 2)
        ouro_buf_addf(&w->text, " (%zu snapshots)", w->page->file_count);
    ouro_buf_add_text(&w->text, between->same_process ? ", of one process" : ", of different processes");
    if (between->has_seconds) {
        ouro_buf_add_text(&w->text, ", ");
        add_time(&w->text, between->seconds);
        ouro_buf_add_text(&w->text, between->seconds < 0 ? " backwards" : " apart");
    }
    end_sentence(w, "", "  ");
    ouro_text_add_count(&w->text, before->object_count);
    ouro_buf_add_text(&w->text, " -> ");
    ouro_text_add_count(&w->text, after->object_count);
    ouro_buf_add_text(&w->text, " objects (");
    add_change(&w->text, (int64_t)after->object_count - (int64_t)before->object_count);
    ouro_buf_add_text(&w->text, "), ");
    ouro_text_add_size(&w->text, before->shallow_bytes);
    ouro_buf_add_text(&w->text, " -> ");
    ouro_text_add_size(&w->text, after->shallow_bytes);
    ouro_buf_add_text(&w->text, " (");
    add_bytes_change(&w->text, (int64_t)after->shallow_bytes - (int64_t)before->shallow_bytes);
    ouro_buf_add_byte(&w->text, ')');
    end_sentence(w, "", "  ");
}

static void write_doubts(struct writing *w)
{
    const struct ouro_diff_between *between = &w->diff->between;
    if (!between->same_program)
        ouro_buf_add_text(&w->text, "the command lines differ: what is compared has equal names, and may be something else");
    if (w->text.size)
        end_sentence(w, "note: ", "      ");
    if (!between->same_python)
        ouro_buf_add_text(&w->text, "the versions of Python differ: sizes and the interpreter's own objects do, too");
    if (w->text.size)
        end_sentence(w, "note: ", "      ");
    if (ouro_snapshot_damaged(w->diff->before->model->snapshot) || ouro_snapshot_damaged(w->diff->after->model->snapshot))
        ouro_buf_add_text(&w->text, "a file is damaged: what is lost of it looks as if it had come or gone");
    if (w->text.size)
        end_sentence(w, "note: ", "      ");
    if (ouro_diff_is_torn(w->diff))
        ouro_buf_add_text(&w->text, "a snapshot was captured while its process ran on: what was torn looks as if it had come or gone");
    if (w->text.size)
        end_sentence(w, "note: ", "      ");
    if (w->page->reordered)
        ouro_buf_add_text(&w->text, "the snapshots are compared in the order in which they were captured");
    if (w->text.size)
        end_sentence(w, "note: ", "      ");
}

/* --- By path */

static void add_trend(struct writing *w, const struct ouro_diff_path_row *row)
{
    const struct ouro_diff_trend_row *trend =
        w->page->trend ? ouro_diff_trend_find(w->page->trend, row->signature, row->type) : NULL;
    if (!trend)
        return;
    ouro_buf_addf(&w->text, ", %s (", ouro_diff_trend_name(trend->kind));
    for (size_t i = 0; i < w->page->trend->step_count; i++) {
        ouro_buf_add_text(&w->text, i ? ", " : "");
        add_bytes_change(&w->text, trend->bytes[i]);
    }
    ouro_buf_add_byte(&w->text, ')');
}

static void write_container(struct writing *w, const struct ouro_diff_path_row *row)
{
    if (row->container == OURO_NODE_NONE)
        return;
    if (row->path.text.expression.size)
        ouro_buf_add(&w->text, row->path.text.expression.data, row->path.text.expression.size);
    if (row->length_before >= 0 && row->length_after >= 0) {
        ouro_buf_add_text(&w->text, ": ");
        ouro_text_add_count(&w->text, (uint64_t)row->length_before);
        ouro_buf_add_text(&w->text, " -> ");
        ouro_text_add_count(&w->text, (uint64_t)row->length_after);
        ouro_buf_add_text(&w->text, " items");
    } else if (row->length_after >= 0) {
        ouro_buf_add_text(&w->text, ": ");
        ouro_text_add_count(&w->text, (uint64_t)row->length_after);
        ouro_buf_add_text(&w->text, row->length_after == 1 ? " item" : " items");
    }
    if (row->container_count > 1) {
        ouro_buf_add_text(&w->text, "; and ");
        ouro_text_add_count(&w->text, row->container_count - 1);
        ouro_buf_add_text(&w->text, row->container_count == 2 ? " other" : " others");
    }
    end_sentence(w, row->container_holds ? "     in    " : "     at    ", "           ");
}

static void write_row_types(struct writing *w, const struct ouro_diff_path_row *row)
{
    for (size_t i = 0; i < row->type_count; i++) {
        ouro_buf_add_text(&w->text, i ? ", " : "");
        add_change(&w->text, row->types[i].count);
        ouro_buf_add_byte(&w->text, ' ');
        ouro_diff_names_add_label(w->page->names, row->types[i].type, &w->text);
        ouro_buf_add_text(&w->text, " (");
        add_bytes_change(&w->text, row->types[i].bytes);
        ouro_buf_add_byte(&w->text, ')');
    }
    if (row->type_count)
        end_sentence(w, "     of    ", "           ");
}

static void write_examples(struct writing *w, const struct ouro_diff_path_row *row)
{
    for (size_t i = 0; i < row->example_count; i++) {
        ouro_diff_paths_add_example(&w->diff->paths, row, i, &w->text);
        end_sentence(w, i ? "           " : row->in_before ? "     was   " : "     new   ", "           ");
    }
}

static void write_row(struct writing *w, const struct ouro_diff_path_row *row, size_t number)
{
    char begin[24];
    add_bytes_change(&w->text, ouro_diff_path_bytes(row));
    ouro_buf_add_text(&w->text, ", ");
    add_objects(&w->text, ouro_diff_path_count(row));
    add_trend(w, row);
    ouro_buf_add_text(&w->text, ": ");
    ouro_diff_paths_add(&w->diff->paths, row, &w->text);
    snprintf(begin, sizeof begin, "%3zu. ", number);
    end_sentence(w, begin, "     ");
    write_container(w, row);
    write_row_types(w, row);
    write_examples(w, row);
}

static void write_noise(struct writing *w, const struct ouro_diff_noise *noise, const char *words, uint64_t threshold)
{
    if (!noise->rows)
        return;
    ouro_text_add_count(&w->text, noise->rows);
    ouro_buf_addf(&w->text, " %s ", noise->rows == 1 ? "row" : "rows");
    ouro_buf_add_text(&w->text, words);
    if (threshold)
        ouro_text_add_size(&w->text, threshold);
    ouro_buf_add_text(&w->text, ": ");
    add_bytes_change(&w->text, noise->bytes);
    ouro_buf_add_text(&w->text, ", ");
    add_objects(&w->text, noise->count);
    end_sentence(w, "  ", "  ");
}

static bool is_growth(const struct ouro_diff_path_row *row)
{
    int64_t bytes = ouro_diff_path_bytes(row);
    return bytes > 0 || (!bytes && ouro_diff_path_count(row) > 0);
}

static void write_path_rows(struct writing *w, bool growth, const char *title, const char *nothing)
{
    const struct ouro_diff_paths *paths = &w->diff->paths;
    size_t shown = 0, all = 0;
    for (size_t j = 0; j < paths->rows.count; j++) {
        size_t i = growth ? j : paths->rows.count - 1 - j; /* what shrank most first */
        const struct ouro_diff_path_row *row = &paths->rows.items[i];
        if (!ouro_diff_paths_is_shown(paths, row) || is_growth(row) != growth)
            continue;
        if (!all++)
            ouro_out_addf(w->out, "\n%s\n", title);
        if (below_limit(w, shown) && row->detailed)
            write_row(w, row, ++shown);
    }
    if (!all && nothing)
        ouro_out_addf(w->out, "\n%s\n", nothing);
    if (all > shown) {
        ouro_text_add_count(&w->text, all - shown);
        ouro_buf_add_text(&w->text, " more (-n 0: all)");
        end_sentence(w, "  ", "  ");
    }
}

static void write_paths(struct writing *w)
{
    const struct ouro_diff_paths *paths = &w->diff->paths;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf nothing = {0};
    ouro_buf_add_text(&nothing, "Nothing that is held grew by ");
    ouro_text_add_size(&nothing, paths->threshold);
    ouro_buf_add_text(&nothing, " or more.");
    w->out->buf.failed |= nothing.failed;
    write_path_rows(w, true, "What grew, by what holds it", ouro_buf_text(&nothing));
    write_path_rows(w, false, "What shrank, by what held it", NULL);
    write_noise(w, &paths->noise, "below ", paths->threshold);
    write_noise(w, &paths->suppressed, "suppressed", 0);
}

/* --- Over several snapshots */

static void write_trend(struct writing *w)
{
    const struct ouro_diff_trend *trend = w->page->trend;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    size_t shown = 0;
    ouro_table_init(&table);
    ouro_table_column(&table, "change", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "grows", 0);
    ouro_table_column(&table, "steps", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "held by", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < trend->count && below_limit(w, shown); i++) {
        const struct ouro_diff_trend_row *row = &trend->items[i];
        if (row->signature == OURO_SIGNATURE_NONE || row->most < w->diff->paths.threshold || row->root >= OURO_DIFF_ROOT_GARBAGE)
            continue;
        shown++;
        w->text.size = 0;
        add_bytes_change(&w->text, row->total_bytes);
        ouro_table_buf(&table, &w->text);
        ouro_table_string(&table, ouro_diff_trend_name(row->kind));
        w->text.size = 0;
        for (size_t step = 0; step < trend->step_count; step++) {
            ouro_buf_add_text(&w->text, step ? " " : "");
            add_bytes_change(&w->text, row->bytes[step]);
        }
        ouro_table_buf(&table, &w->text);
        w->text.size = 0;
        ouro_diff_names_add(w->page->names, row->signature, &w->text);
        ouro_buf_add_text(&w->text, " -> ");
        ouro_diff_names_add_label(w->page->names, row->type, &w->text);
        ouro_table_buf(&table, &w->text);
    }
    w->text.size = 0;
    if (!shown)
        return;
    ouro_out_text(w->out, "\nStep by step\n");
    ouro_table_write(&table, w->out, w->width, 0);
}

/* --- By type */

static void write_types(struct writing *w)
{
    const struct ouro_diff_types *types = &w->diff->types;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    size_t shown = 0;
    if (!types->count) {
        ouro_out_text(w->out, "\nNo type has more or fewer objects, or larger ones.\n");
        return;
    }
    ouro_out_text(w->out, "\nBy type\n");
    ouro_table_init(&table);
    static const char *const titles[] = {"before", "after", "change", "before", "after", "change"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        ouro_table_column(&table, titles[i], OURO_TABLE_RIGHT);
    ouro_table_column(&table, "type", OURO_TABLE_FLEXIBLE);
    for (; shown < types->count && below_limit(w, shown); shown++) {
        const struct ouro_diff_type_row *row = &types->items[shown];
        ouro_table_count(&table, row->before_count);
        ouro_table_count(&table, row->after_count);
        w->text.size = 0;
        add_change(&w->text, (int64_t)row->after_count - (int64_t)row->before_count);
        ouro_table_buf(&table, &w->text);
        ouro_table_size(&table, row->before_bytes);
        ouro_table_size(&table, row->after_bytes);
        w->text.size = 0;
        add_bytes_change(&w->text, (int64_t)row->after_bytes - (int64_t)row->before_bytes);
        ouro_table_buf(&table, &w->text);
        w->text.size = 0;
        ouro_diff_names_add_label(w->page->names, row->type, &w->text);
        ouro_buf_add_text(&w->text, !row->before_count ? " (new)" : !row->after_count ? " (gone)" : "");
        ouro_table_buf(&table, &w->text);
    }
    w->text.size = 0;
    ouro_table_write(&table, w->out, w->width, 0);
    if (types->count > shown) {
        ouro_text_add_count(&w->text, types->count - shown);
        ouro_buf_add_text(&w->text, " types more (-n 0: all)");
        end_sentence(w, "  ", "  ");
    }
    write_noise(w, &types->suppressed, "suppressed", 0);
}

/* --- By object */

static void add_verdicts(struct ouro_buf *text, const uint64_t counts[2])
{
    ouro_text_add_count(text, counts[0] + counts[1]);
    if (counts[1]) {
        ouro_buf_add_text(text, " (");
        ouro_text_add_count(text, counts[1]);
        ouro_buf_add_text(text, "?)");
    }
}

static void write_objects(struct writing *w)
{
    const struct ouro_diff_objects *objects = &w->diff->objects;
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    if (!w->diff->has_objects) {
        ouro_buf_add_text(&w->text, "By object there is nothing to tell: the snapshots are not of one process.");
        ouro_out_text(w->out, "\n");
        end_sentence(w, "", "  ");
        return;
    }
    ouro_out_text(w->out, "\nObject by object (?: so many of them probably, by what speaks for it)\n");
    ouro_table_init(&table);
    ouro_table_column(&table, "new", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "gone", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "survived", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "type", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i <= objects->count && (below_limit(w, i) || i == objects->count); i++) {
        const struct ouro_diff_object_row *row = i < objects->count ? &objects->items[i] : &objects->total;
        const uint64_t *counts[] = {row->new_count, row->gone_count, row->survived_count};
        for (unsigned column = 0; column < 3; column++) {
            w->text.size = 0;
            add_verdicts(&w->text, counts[column]);
            ouro_table_buf(&table, &w->text);
        }
        w->text.size = 0;
        ouro_diff_names_add_label(w->page->names, row->type, &w->text);
        if (i == objects->count)
            ouro_table_string(&table, w->page->type ? "all that match" : "all");
        else
            ouro_table_buf(&table, &w->text);
        if (w->page->limit && i + 1 >= w->page->limit && i < objects->count)
            i = objects->count - 1;
    }
    w->text.size = 0;
    ouro_table_write(&table, w->out, w->width, 0);
    ouro_text_add_count(&w->text, w->diff->match.reused_count);
    ouro_buf_add_text(&w->text, w->diff->match.reused_count == 1 ? " address is used again by another object"
                                                                 : " addresses are used again by other objects");
    end_sentence(w, "  ", "  ");
}

/* --- Retained */

static void write_retained(struct writing *w)
{
    const struct ouro_diff_retained *retained = &w->diff->retained;
    static const struct ouro_brief_limits limits = {1, 2, 30, 60};
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    ouro_out_text(w->out, "\nWhat is kept alive by what, as far as it grew\n");
    ouro_table_init(&table);
    static const char *const titles[] = {"before", "after", "change"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        ouro_table_column(&table, titles[i], OURO_TABLE_RIGHT);
    ouro_table_column(&table, "what", OURO_TABLE_FLEXIBLE);
    for (size_t i = 0; i < retained->count && below_limit(w, i); i++) {
        const struct ouro_diff_retained_row *row = &retained->items[i];
        ouro_table_size(&table, row->before_bytes);
        ouro_table_size(&table, row->after_bytes);
        w->text.size = 0;
        add_bytes_change(&w->text, (int64_t)row->after_bytes - (int64_t)row->before_bytes);
        ouro_table_buf(&table, &w->text);
        w->text.size = 0;
        for (uint32_t level = 0; level < row->level; level++)
            ouro_buf_add_text(&w->text, "  ");
        if (!row->level) {
            ouro_buf_add_text(&w->text, "all");
        } else if (row->is_group) {
            add_change(&w->text, (int64_t)row->after_count - (int64_t)row->before_count);
            ouro_buf_add_byte(&w->text, ' ');
            ouro_diff_names_add_label(w->page->names, row->type, &w->text);
        } else {
            ouro_brief_add(&w->text, w->diff->after->model, row->node, &limits);
        }
        ouro_table_buf(&table, &w->text);
    }
    w->text.size = 0;
    ouro_table_write(&table, w->out, w->width, 0);
}

/* --- In between */

static void write_unexplained(struct writing *w)
{
    for (size_t i = 0; i < w->diff->unexplained.count && below_limit(w, i); i++) {
        const struct ouro_diff_unexplained_row *row = &w->diff->unexplained.items[i];
        ouro_text_add_count(&w->text, row->after_count - row->before_count);
        ouro_buf_add_text(&w->text, " more references to objects of ");
        ouro_diff_names_add_label(w->page->names, row->type, &w->text);
        ouro_buf_add_text(&w->text, " that nothing known explains (");
        ouro_text_add_count(&w->text, row->before_count);
        ouro_buf_add_text(&w->text, " -> ");
        ouro_text_add_count(&w->text, row->after_count);
        ouro_buf_add_text(&w->text, "): a reference that native code leaks looks like that");
        end_sentence(w, "  - ", "    ");
    }
}

static void write_between(struct writing *w)
{
    const struct ouro_diff_between *between = &w->diff->between;
    ouro_out_text(w->out, "\nIn between\n");
    write_unexplained(w);
    ouro_buf_add_text(&w->text, "garbage that waits for the collector: ");
    ouro_text_add_count(&w->text, between->garbage_before);
    ouro_buf_add_text(&w->text, " -> ");
    ouro_text_add_count(&w->text, between->garbage_after);
    ouro_buf_add_text(&w->text, " objects, ");
    ouro_text_add_size(&w->text, between->garbage_bytes_before);
    ouro_buf_add_text(&w->text, " -> ");
    ouro_text_add_size(&w->text, between->garbage_bytes_after);
    end_sentence(w, "  - ", "    ");
    for (size_t i = 0; i < between->count; i++) {
        const struct ouro_diff_collections *row = &between->items[i];
        ouro_buf_addf(&w->text, "interpreter %" PRIu64 ": ", row->interpreter);
        if (!row->in_before || !row->in_after) {
            ouro_buf_add_text(&w->text, row->in_after ? "came" : "went");
        } else if (between->same_process) {
            ouro_buf_addf(&w->text, "%" PRId64 " full collections, %" PRId64 " of generation 1, %" PRId64 " of generation 0; ",
                          row->collections[2], row->collections[1], row->collections[0]);
            ouro_text_add_count(&w->text, row->collected < 0 ? 0 : (uint64_t)row->collected);
            ouro_buf_addf(&w->text, " objects collected, %" PRId64 " uncollectable", row->uncollectable);
        } else {
            w->text.size = 0;
            continue;
        }
        end_sentence(w, "  - ", "    ");
    }
}

void ouro_page_diff_text(struct ouro_out *out, const struct ouro_page_diff *page, size_t width)
{
    struct writing w = {.out = out, .page = page, .diff = page->diff, .width = width ? width : SCREEN_COLUMNS};
    write_head(&w);
    write_doubts(&w);
    if (page->paths)
        write_paths(&w);
    if (page->paths && page->trend)
        write_trend(&w);
    if (page->types)
        write_types(&w);
    if (page->retained && w.diff->has_retained)
        write_retained(&w);
    if (page->objects)
        write_objects(&w);
    write_between(&w);
    out->buf.failed |= w.text.failed;
    ouro_buf_fini(&w.text);
}
