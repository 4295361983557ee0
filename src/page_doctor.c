#include "page_doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "render/json.h"
#include "render/sentence.h"
#include "render/table.h"
#include "render/text.h"
#include "target.h"

static const char *const stage_names[] = {"nothing", "process", "runtime", "version", "layout", "copied", "walked"};

static void add_row(struct ouro_table *table, const char *name, struct ouro_buf *value)
{
    ouro_table_string(table, name);
    ouro_table_text(table, value->data, value->size);
    value->size = 0;
}

static bool is_unequal(const struct ouro_doctor_counts *counts)
{
    return counts->differing_count || counts->impossible_count;
}

/* The first of the names that a visitor goes by. */
static void add_visitor(struct ouro_buf *out, const char *visitor)
{
    ouro_buf_add(out, visitor, strcspn(visitor, "|"));
}

static uint64_t count_visitors_in_use(const struct ouro_doctor *doctor)
{
    uint64_t count = 0;
    for (size_t i = 0; i < doctor->type_count; i++) {
        const char *visitor = doctor->types[i].type->visitor;
        bool first = visitor && doctor->types[i].type->how == OURO_HOW_NATIVE;
        for (size_t k = 0; k < i && first; k++)
            first = doctor->types[k].type->visitor != visitor;
        count += first;
    }
    return count;
}

static uint64_t count_threads(const struct ouro_doctor *doctor)
{
    uint64_t count = 0;
    for (size_t i = 0; i < doctor->session.walk.pseudo.count; i++)
        count += doctor->session.walk.pseudo.items[i].kind == OURO_PSEUDO_THREAD;
    return count;
}

static void add_symbols(struct ouro_buf *text, const struct ouro_doctor *doctor)
{
    size_t found = 0;
    for (size_t i = 0; i < doctor->symbol_count; i++)
        found += doctor->symbols[i].found;
    ouro_buf_addf(text, "%zu of %zu found", found, doctor->symbol_count);
    const char *separator = "; missing: ";
    for (size_t i = 0; i < doctor->symbol_count; i++)
        if (!doctor->symbols[i].found) {
            ouro_buf_addf(text, "%s%.*s", separator, (int)strcspn(doctor->symbols[i].name, "|"), doctor->symbols[i].name);
            separator = ", ";
        }
}

/* Where the layouts are unknown, or do not fit, nothing says that there is a GIL. */
static bool knows_gil(const struct ouro_doctor *doctor)
{
    return doctor->session.runtime.free_threaded || doctor->stage >= OURO_DOCTOR_LAYOUT;
}

static void write_build(struct ouro_table *table, const struct ouro_doctor *doctor)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_session *session = &doctor->session;
    const struct ouro_runtime *runtime = &session->runtime;
    ouro_buf_addf(&text, "%d (%s)", (int)session->options.pid, ouro_session_name(session));
    add_row(table, "process", &text);
    if (session->core) {
        ouro_buf_add_text(&text, session->options.core);
        add_row(table, "core", &text);
    }
    if (doctor->stage < OURO_DOCTOR_RUNTIME)
        return;
    if (doctor->stage >= OURO_DOCTOR_VERSION) {
        ouro_buf_addf(&text, "CPython %s (%#010x)", runtime->version, runtime->hexversion);
        add_row(table, "python", &text);
    }
    ouro_buf_addf(&text, "%s, %s", runtime->module->path, doctor->in_executable ? "the executable" : "a library");
    add_row(table, "runtime", &text);
    if (doctor->build_id[0]) {
        ouro_buf_add_text(&text, doctor->build_id);
        add_row(table, "build id", &text);
    }
    if (doctor->stage >= OURO_DOCTOR_VERSION) {
        ouro_buf_add_text(&text, runtime->debug ? "debug" : "release");
        if (knows_gil(doctor))
            ouro_buf_add_text(&text, runtime->free_threaded ? ", free-threaded" : ", with the GIL");
        add_row(table, "build", &text);
    }
    if (doctor->stage >= OURO_DOCTOR_WALKED) {
        ouro_buf_add_text(&text, "fit: interpreters, collector's lists, type, None, importlib");
        add_row(table, "layouts", &text);
    }
    add_symbols(&text, doctor);
    add_row(table, "symbols", &text);
}

static void write_walk(struct ouro_table *table, const struct ouro_doctor *doctor)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    const struct ouro_session *session = &doctor->session;
    const struct ouro_doctor_counts *totals = &doctor->totals;
    ouro_buf_addf(&text, "%zu known, %zu of them of types that this build exports; %" PRIu64 " in use",
                  doctor->visitor_count, doctor->exported_visitor_count, count_visitors_in_use(doctor));
    add_row(table, "visitors", &text);
    ouro_buf_add_text(&text, session->sandbox == OURO_SESSION_SANDBOX_YES   ? "yes"
                             : session->sandbox == OURO_SESSION_SANDBOX_OFF ? "off: --no-sandbox was given"
                                                                            : "none: ");
    if (session->sandbox == OURO_SESSION_SANDBOX_NONE)
        ouro_buf_add_text(&text, session->no_sandbox_reason);
    add_row(table, "sandbox", &text);
    uint64_t threads = count_threads(doctor);
    ouro_buf_addf(&text, "%zu, with %" PRIu64 "%s", session->python.interpreter_count, threads,
                  threads == 1 ? " thread" : " threads");
    add_row(table, "interpreters", &text);
    ouro_text_add_size(&text, session->image.copied_bytes);
    if (session->core)
        ouro_buf_add_text(&text, " mapped from the core");
    else
        ouro_buf_addf(&text, " copied; the process stood still for %.1f ms", (double)session->pause_ns / 1e6);
    add_row(table, "memory", &text);
    ouro_text_add_count(&text, totals->count);
    ouro_buf_addf(&text, " of %zu types", doctor->type_count);
    add_row(table, "objects", &text);
    ouro_text_add_count(&text, totals->checked_count);
    ouro_buf_add_text(&text, totals->checked_count && !is_unequal(totals) ? " objects: equal" : " objects");
    if (is_unequal(totals))
        ouro_buf_addf(&text, ": %" PRIu64 " differ, with %" PRIu64 " it could not be done", totals->differing_count,
                      totals->impossible_count);
    add_row(table, "compared", &text);
}

static void write_threads(struct ouro_out *out, const struct ouro_doctor *doctor, uint64_t limit, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    const struct ouro_walk *walk = &doctor->session.walk;
    uint64_t count = 0;
    ouro_table_init(&table);
    ouro_table_column(&table, "interpreter", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "tid", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "frames", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "name", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "", 0);
    for (size_t i = 0; i < walk->pseudo.count; i++) {
        const struct ouro_pseudo *pseudo = &walk->pseudo.items[i];
        char text[32];
        if (pseudo->kind != OURO_PSEUDO_THREAD || (limit && count >= limit))
            continue;
        count++;
        ouro_table_count(&table, pseudo->interpreter);
        snprintf(text, sizeof text, "%" PRIu64, pseudo->thread.native_id);
        ouro_table_string(&table, text);
        ouro_table_count(&table, pseudo->frame_count);
        ouro_table_string(&table, pseudo->thread.name);
        ouro_table_string(&table, pseudo->thread.holds_gil ? "holds the GIL" : "");
    }
    uint64_t all = count_threads(doctor);
    if (all)
        ouro_out_text(out, "\nThreads\n");
    if (all)
        ouro_table_write(&table, out, width, 2);
    if (all > count)
        ouro_out_addf(out, "  %" PRIu64 " more (--all)\n", all - count);
}

static const char *how_word(const struct ouro_type *type)
{
    return type->how == OURO_HOW_INTERPRETED ? "run" : type->how == OURO_HOW_GENERIC ? "guessed" : ouro_how_name(type->how);
}

/* "native PyList_Type", "learned .a .b", "run", "guessed", "none". */
static void add_how(struct ouro_buf *text, const struct ouro_doctor_type *row)
{
    const struct ouro_type *type = row->type;
    ouro_buf_add_text(text, how_word(type));
    if (type->how == OURO_HOW_NATIVE && row->visitor) {
        ouro_buf_add_byte(text, ' ');
        add_visitor(text, row->visitor);
    }
    for (uint32_t i = 0; type->how == OURO_HOW_LEARNED && i < type->op_count; i++) {
        ouro_buf_add_byte(text, ' ');
        ouro_buf_add_text(text, type->ops[i].label);
    }
}

static void add_comparison(struct ouro_buf *text, const struct ouro_doctor_type *row)
{
    const struct ouro_doctor_counts *counts = &row->counts;
    uint64_t equal = counts->checked_count - counts->impossible_count - counts->differing_count;
    if (row->type->disagreed)
        ouro_buf_add_text(text, "disagreed");
    else if (counts->differing_count)
        ouro_buf_addf(text, "%" PRIu64 " of %" PRIu64 " differ", counts->differing_count, counts->checked_count);
    else if (!counts->checked_count)
        ouro_buf_add_text(text, "-");
    else if (!equal)
        ouro_buf_add_text(text, "can't be");
    else
        ouro_buf_addf(text, "%" PRIu64 " equal", equal);
}

static void write_types(struct ouro_out *out, const struct ouro_doctor *doctor, uint64_t limit, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "count", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "approx.", OURO_TABLE_RIGHT);
    ouro_table_column(&table, "type", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "references", OURO_TABLE_FLEXIBLE);
    ouro_table_column(&table, "size", 0);
    ouro_table_column(&table, "compared", 0);
    for (size_t i = 0; i < doctor->type_count && (!limit || i < limit); i++) {
        const struct ouro_doctor_type *row = &doctor->types[i];
        ouro_table_count(&table, row->counts.count);
        if (row->counts.approximate_count)
            ouro_table_count(&table, row->counts.approximate_count);
        else
            ouro_table_string(&table, "");
        ouro_session_add_type_name(&text, row->type);
        ouro_table_text(&table, text.data, text.size);
        text.size = 0;
        add_how(&text, row);
        ouro_table_text(&table, text.data, text.size);
        text.size = 0;
        ouro_table_string(&table, row->counts.estimated_count ? "estimated" : ouro_doctor_size_name(row->size));
        add_comparison(&text, row);
        ouro_table_text(&table, text.data, text.size);
        text.size = 0;
    }
    ouro_out_text(out, "\nTypes\n");
    ouro_table_write(&table, out, width, 2);
    if (limit && doctor->type_count > limit)
        ouro_out_addf(out, "  %" PRIu64 " more (--all)\n", (uint64_t)doctor->type_count - limit);
}

struct sentences {
    struct ouro_out *out;
    struct ouro_buf text;
    uint64_t limit, count;
    size_t width;
};

static void say(struct sentences *sentences)
{
    if (!sentences->limit || sentences->count < sentences->limit)
        ouro_sentence_write(sentences->out, &sentences->text, sentences->width);
    sentences->count++;
    sentences->text.size = 0;
}

static void add_objects(struct ouro_buf *text, uint64_t count, const char *of)
{
    ouro_text_add_count(text, count);
    ouro_buf_addf(text, " %s%s", count == 1 ? "object" : "objects", of);
}

/* Where there is no sandbox, that is why, and said once. */
static void say_approximate(struct sentences *sentences, const struct ouro_doctor *doctor,
                            const struct ouro_doctor_type *row)
{
    struct ouro_buf *text = &sentences->text;
    const struct ouro_doctor_counts *counts = &row->counts;
    bool sandboxed = doctor->session.sandbox == OURO_SESSION_SANDBOX_YES;
    if (counts->approximate_count && sandboxed) {
        add_objects(text, counts->approximate_count, " of ");
        ouro_session_add_type_name(text, row->type);
        ouro_buf_add_text(text, counts->approximate_count == 1 ? " is approximate: " : " are approximate: ");
        struct ouro_buf reasons = {0};
        if (ouro_target_add_reasons(&reasons, counts->failed))
            ouro_buf_addf(text, "its code could not be run: %s", ouro_buf_text(&reasons));
        else
            ouro_buf_add_text(text, ouro_type_is_taken_at_its_word(row->type) ? "what its code visits can't be right"
                                                                              : "found by looking for pointers");
        ouro_buf_fini(&reasons);
        say(sentences);
    }
    if (counts->estimated_count && (sandboxed || row->size == OURO_DOCTOR_SIZE_RULE)) {
        add_objects(text, counts->estimated_count, " of ");
        ouro_session_add_type_name(text, row->type);
        ouro_buf_addf(text, " %s: %s", counts->estimated_count == 1 ? "has an estimated size" : "have estimated sizes",
                      row->size == OURO_DOCTOR_SIZE_RUN         ? "its __sizeof__ could not be run to its end"
                      : row->size == OURO_DOCTOR_SIZE_ESTIMATED ? "its __sizeof__ is written in Python"
                                                                : "it is not wholly there");
        say(sentences);
    }
}

static void say_problems(struct sentences *sentences, const struct ouro_doctor *doctor, const struct ouro_doctor_type *row)
{
    struct ouro_buf *text = &sentences->text;
    const struct ouro_doctor_counts *counts = &row->counts;
    if (row->type->disagreed) {
        ouro_buf_add_text(text, "what ouro knows of ");
        ouro_session_add_type_name(text, row->type);
        if (row->visitor) {
            ouro_buf_add_text(text, " (");
            add_visitor(text, row->visitor);
            ouro_buf_add_byte(text, ')');
        }
        ouro_buf_add_text(text, " disagreed with its own code: the code is run instead");
        say(sentences);
    } else if (counts->differing_count) {
        add_objects(text, counts->differing_count, " of ");
        ouro_session_add_type_name(text, row->type);
        ouro_buf_add_text(text, " differ from what the type's own code says: capture with --self-check");
        say(sentences);
    }
    say_approximate(sentences, doctor, row);
    if (counts->torn_count) {
        add_objects(text, counts->torn_count, " of ");
        ouro_session_add_type_name(text, row->type);
        ouro_buf_add_text(text, " could be read only in part");
        say(sentences);
    }
}

static void write_problems(struct ouro_out *out, const struct ouro_doctor *doctor, uint64_t limit, size_t width)
{
    struct sentences sentences = {.out = out, .limit = limit, .width = width};
    const struct ouro_session *session = &doctor->session;
    const struct ouro_doctor_counts *totals = &doctor->totals;
    ouro_out_text(out, "\nWorth a look\n");
    if (session->sandbox != OURO_SESSION_SANDBOX_YES && (totals->approximate_count || totals->estimated_count)) {
        ouro_buf_add_text(&sentences.text, "approximate references: ");
        add_objects(&sentences.text, totals->approximate_count, "; estimated sizes: ");
        add_objects(&sentences.text, totals->estimated_count, "");
        ouro_target_add_no_sandbox(&sentences.text, session->sandbox, session->no_sandbox_reason);
        say(&sentences);
    }
    for (size_t i = 0; i < doctor->type_count; i++)
        say_problems(&sentences, doctor, &doctor->types[i]);
    if (!sentences.count)
        ouro_out_text(out, "  nothing: references and sizes of all objects are exact\n");
    if (limit && sentences.count > limit)
        ouro_out_addf(out, "  %" PRIu64 " more (--all)\n", sentences.count - limit);
    ouro_buf_fini(&sentences.text);
}

void ouro_page_doctor_text(struct ouro_out *out, const struct ouro_doctor *doctor, uint64_t limit, size_t width)
{
    OURO_GUARD(ouro_table_fini) struct ouro_table table = {0};
    ouro_table_init(&table);
    ouro_table_column(&table, "", 0);
    ouro_table_column(&table, "", OURO_TABLE_FLEXIBLE);
    write_build(&table, doctor);
    if (doctor->stage == OURO_DOCTOR_WALKED)
        write_walk(&table, doctor);
    ouro_table_write(&table, out, width, 0);
    if (doctor->stage != OURO_DOCTOR_WALKED)
        return;
    write_threads(out, doctor, limit, width);
    write_types(out, doctor, limit, width);
    write_problems(out, doctor, limit, width);
}

/* --- JSON. */

static void put_build(struct ouro_json *json, const struct ouro_doctor *doctor)
{
    const struct ouro_runtime *runtime = &doctor->session.runtime;
    ouro_json_int(json, "pid", doctor->session.options.pid);
    ouro_json_string(json, "process", ouro_session_name(&doctor->session));
    if (doctor->stage < OURO_DOCTOR_RUNTIME)
        return;
    if (doctor->stage >= OURO_DOCTOR_VERSION) {
        ouro_json_string(json, "python", runtime->version);
        ouro_json_uint(json, "hexversion", runtime->hexversion);
        ouro_json_bool(json, "debug", runtime->debug);
        if (knows_gil(doctor))
            ouro_json_bool(json, "free_threaded", runtime->free_threaded);
        else
            ouro_json_null(json, "free_threaded");
    }
    ouro_json_string(json, "runtime", runtime->module->path);
    ouro_json_bool(json, "in_executable", doctor->in_executable);
    ouro_json_string(json, "build_id", doctor->build_id);
    ouro_json_bool(json, "layouts_fit", doctor->stage == OURO_DOCTOR_WALKED);
    for (int found = 1; found >= 0; found--) {
        ouro_json_array(json, found ? "symbols_found" : "symbols_missing");
        for (size_t i = 0; i < doctor->symbol_count; i++)
            if (doctor->symbols[i].found == found)
                ouro_json_string(json, NULL, doctor->symbols[i].name);
        ouro_json_end(json);
    }
}

static void put_threads(struct ouro_json *json, const struct ouro_doctor *doctor)
{
    const struct ouro_session *session = &doctor->session;
    ouro_json_array(json, "interpreters");
    for (size_t i = 0; i < session->python.interpreter_count; i++)
        ouro_json_uint(json, NULL, session->python.interpreters[i].id);
    ouro_json_end(json);
    ouro_json_array(json, "threads");
    for (size_t i = 0; i < session->walk.pseudo.count; i++) {
        const struct ouro_pseudo *pseudo = &session->walk.pseudo.items[i];
        if (pseudo->kind != OURO_PSEUDO_THREAD)
            continue;
        ouro_json_object(json, NULL);
        ouro_json_uint(json, "interp", pseudo->interpreter);
        ouro_json_uint(json, "native_id", pseudo->thread.native_id);
        ouro_json_string(json, "name", pseudo->thread.name);
        ouro_json_uint(json, "frames", pseudo->frame_count);
        ouro_json_bool(json, "holds_gil", pseudo->thread.holds_gil);
        ouro_json_end(json);
    }
    ouro_json_end(json);
}

static void put_counts(struct ouro_json *json, const struct ouro_doctor_counts *counts)
{
    ouro_json_uint(json, "count", counts->count);
    ouro_json_uint(json, "approximate", counts->approximate_count);
    ouro_json_uint(json, "size_estimated", counts->estimated_count);
    ouro_json_uint(json, "torn", counts->torn_count);
    ouro_json_object(json, "run_failed");
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++)
        if (counts->failed[i])
            ouro_json_uint(json, ouro_machine_end_name((enum ouro_machine_end)i), counts->failed[i]);
    ouro_json_end(json);
    ouro_json_uint(json, "checked", counts->checked_count);
    ouro_json_uint(json, "check_impossible", counts->impossible_count);
    ouro_json_uint(json, "check_differs", counts->differing_count);
}

static void put_type(struct ouro_json *json, const struct ouro_doctor_type *row)
{
    const struct ouro_type *type = row->type;
    ouro_json_object(json, NULL);
    ouro_json_string(json, "type", type->name ? type->name : "");
    ouro_json_string(json, "module", type->module ? type->module : "");
    ouro_json_addr(json, "addr", type->addr);
    ouro_json_string(json, "references", how_word(type));
    if (row->visitor)
        ouro_json_string(json, "visitor", row->visitor);
    if (type->how == OURO_HOW_LEARNED) {
        ouro_json_array(json, "fields");
        for (uint32_t i = 0; i < type->op_count; i++)
            ouro_json_string(json, NULL, type->ops[i].label);
        ouro_json_end(json);
    }
    ouro_json_string(json, "size", ouro_doctor_size_name(row->size));
    ouro_json_bool(json, "disagreed", type->disagreed);
    put_counts(json, &row->counts);
    ouro_json_end(json);
}

void ouro_page_doctor_json(struct ouro_out *out, const struct ouro_doctor *doctor, const char *error)
{
    struct ouro_json json;
    const struct ouro_session *session = &doctor->session;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "doctor");
    ouro_json_uint(&json, "version", 1);
    if (error)
        ouro_json_string(&json, "error", error);
    else
        ouro_json_null(&json, "error");
    ouro_json_string(&json, "stage", stage_names[doctor->stage]);
    put_build(&json, doctor);
    if (doctor->stage == OURO_DOCTOR_WALKED) {
        ouro_json_string(&json, "sandbox", ouro_session_sandbox_name(session->sandbox));
        if (session->sandbox == OURO_SESSION_SANDBOX_NONE)
            ouro_json_string(&json, "sandbox_reason", session->no_sandbox_reason);
        ouro_json_uint(&json, "visitors_known", doctor->visitor_count);
        ouro_json_uint(&json, "visitors_exported", doctor->exported_visitor_count);
        ouro_json_uint(&json, "visitors_in_use", count_visitors_in_use(doctor));
        put_threads(&json, doctor);
        ouro_json_uint(&json, "copied_bytes", session->image.copied_bytes);
        ouro_json_uint(&json, "pause_ns", session->pause_ns);
        ouro_json_uint(&json, "stops", session->stop_count);
        ouro_json_object(&json, "totals");
        put_counts(&json, &doctor->totals);
        ouro_json_end(&json);
        ouro_json_array(&json, "types");
        for (size_t i = 0; i < doctor->type_count; i++)
            put_type(&json, &doctor->types[i]);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
}
