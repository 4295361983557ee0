#include "capture/dump.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "capture/stack.h"

struct dump {
    const struct ouro_dump_options *options;
    struct ouro_dump_result *result;
    struct ouro_err *err;
    struct ouro_session session;
    struct ouro_snapshot_writer *writer;
    bool stacks; /* only these, into memory */
    enum ouro_status status; /* of one that ran in a thread of its own */
};

static void dump_fini(struct dump *dump)
{
    ouro_snapshot_writer_close(dump->writer);
    ouro_session_close(&dump->session);
}

static void put_text(struct dump *dump, const char *key, const char *text)
{
    ouro_snapshot_writer_meta(dump->writer, key, text, strlen(text));
}

static void put_number(struct dump *dump, const char *key, double value)
{
    char text[64];
    snprintf(text, sizeof text, "%.6f", value);
    put_text(dump, key, text);
}

static const char *values_name(enum ouro_values values)
{
    return values == OURO_VALUES_FULL ? "full" : values == OURO_VALUES_NONE ? "none" : "short";
}

/* The hash secret's first word tells processes apart whose strings hash differently: identity for comparisons. */
static void put_hash_seed(struct dump *dump)
{
    ouro_addr secret;
    uint64_t word;
    if (ouro_module_symbol(dump->session.runtime.module, "_Py_HashSecret", &secret, NULL) == OURO_OK &&
        ouro_space_read(&dump->session.image.space, secret, &word, sizeof word) == OURO_OK)
        ouro_snapshot_writer_meta_u64(dump->writer, "hash.seed", word ^ word >> 32);
}

static void write_process(struct dump *dump)
{
    char host[256] = "";
    size_t size = 0;
    const struct ouro_session *session = &dump->session;
    const char *command = ouro_session_command(session, &size);
    put_text(dump, "ouro.version", PACKAGE_VERSION);
    put_text(dump, "python.version", dump->session.runtime.version);
    ouro_snapshot_writer_meta_u64(dump->writer, "python.hexversion", dump->session.runtime.hexversion);
    put_text(dump, "python.implementation", "CPython");
    put_text(dump, OURO_META_COLLECTOR,
             dump->session.runtime.layout.gc_visited_space < 0 ? "generations" : "incremental");
    ouro_snapshot_writer_meta_u64(dump->writer, "pid", (uint64_t)session->options.pid);
    if (session->process) {
        gethostname(host, sizeof host - 1);
        put_text(dump, "host.name", host);
        ouro_snapshot_writer_meta_u64(dump->writer, "process.start_ticks", ouro_process_start_ticks(session->process));
        put_number(dump, "process.start_time", ouro_process_start_time(session->process));
    }
    put_text(dump, "process.name", ouro_session_name(session));
    if (dump->options->values != OURO_VALUES_NONE)
        ouro_snapshot_writer_meta(dump->writer, "process.command", command, size);
    put_text(dump, "arch", "x86_64");
    put_number(dump, "capture.time", dump->session.captured_at);
    put_text(dump, OURO_META_MODE, session->core ? "core" : ouro_session_mode_name(session->mode));
    if (session->mode_reason[0])
        put_text(dump, "capture.mode_reason", session->mode_reason);
    put_text(dump, OURO_META_CONSISTENT, session->inconsistent[0] ? "0" : "1");
    if (session->inconsistent[0])
        put_text(dump, OURO_META_INCONSISTENT, session->inconsistent);
    if (session->stacks_only) {
        put_text(dump, OURO_META_SCOPE, "stacks");
        ouro_snapshot_writer_meta_u64(dump->writer, OURO_META_LEFT_OUT, session->left_out_count);
    }
    put_text(dump, "capture.values", values_name(dump->options->values));
    if (session->core) {
        const char *slash = strrchr(session->options.core, '/');
        put_text(dump, OURO_META_CORE, slash ? slash + 1 : session->options.core);
        if (dump->result->core_lacks.size)
            ouro_snapshot_writer_meta(dump->writer, OURO_META_CORE_MISSING, (const char *)dump->result->core_lacks.data,
                                      dump->result->core_lacks.size);
    } else {
        ouro_snapshot_writer_meta_u64(dump->writer, "capture.pause_ns", session->pause_ns);
        if (session->reap_ns)
            ouro_snapshot_writer_meta_u64(dump->writer, "capture.reap_ns", session->reap_ns);
        ouro_snapshot_writer_meta_u64(dump->writer, "capture.stops", session->stop_count);
    }
    ouro_snapshot_writer_meta_u64(dump->writer, "capture.copied_bytes", dump->session.image.copied_bytes);
    ouro_snapshot_writer_meta_u64(dump->writer, "target.swapped_bytes", dump->session.image.swapped_bytes);
    put_hash_seed(dump);
}

static void put_of_interpreter(struct dump *dump, const char *name, uint64_t interpreter, uint64_t value)
{
    char key[64];
    snprintf(key, sizeof key, interpreter ? "%s.%" PRIu64 : "%s", name, interpreter);
    ouro_snapshot_writer_meta_u64(dump->writer, key, value);
}

/* Of each interpreter that was inside of a collection. */
static void write_collections(struct dump *dump)
{
    const struct ouro_walk *walk = &dump->session.walk;
    uint64_t linked = 0, scanned = 0;
    for (size_t i = 0; i < walk->collections.count; i++) {
        const struct ouro_walk_collection *collection = &walk->collections.items[i];
        linked += collection->linked_count;
        scanned += collection->scanned_count;
        put_of_interpreter(dump, OURO_META_COLLECTING_GENERATION, collection->interpreter, collection->generation);
        if (collection->thread)
            put_of_interpreter(dump, OURO_META_COLLECTING_THREAD, collection->interpreter, collection->thread);
    }
    if (walk->collections.count) {
        ouro_snapshot_writer_meta_u64(dump->writer, OURO_META_COMPLETED_LINKS, linked);
        ouro_snapshot_writer_meta_u64(dump->writer, OURO_META_COMPLETED_POOLS, scanned);
    }
}

/* Who could be asked, and what came of it. */
static void write_checks(struct dump *dump)
{
    const struct ouro_dump_result *result = dump->result;
    put_text(dump, "capture.sandbox", ouro_session_sandbox_name(result->sandbox));
    ouro_snapshot_writer_meta_u64(dump->writer, "count.checked", result->checked_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.check_impossible", result->check_impossible_count);
    if (result->disagreed_types.size)
        ouro_snapshot_writer_meta(dump->writer, "check.disagreed", (const char *)result->disagreed_types.data,
                                  result->disagreed_types.size);
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++) {
        char key[64];
        snprintf(key, sizeof key, "count.run_failed.%s", ouro_machine_end_name((enum ouro_machine_end)i));
        if (result->totals.run_failed[i])
            ouro_snapshot_writer_meta_u64(dump->writer, key, result->totals.run_failed[i]);
    }
}

static void write_totals(struct dump *dump, uint64_t start_ns)
{
    const struct ouro_emit_totals *totals = &dump->result->totals;
    ouro_snapshot_writer_meta_u64(dump->writer, "capture.duration_ns", ouro_clock_ns() - start_ns);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.objects", totals->object_count + totals->pseudo_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.edges", totals->edge_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.approximate", totals->approximate_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.size_estimated", totals->estimated_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.torn", totals->torn_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.unreadable_pages_bytes", dump->session.image.unreadable_bytes);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.swap_skipped_bytes", dump->session.image.swap_skipped_bytes);
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++) {
        char key[64];
        snprintf(key, sizeof key, "count.unreadable.%s", ouro_unreadable_name((enum ouro_unreadable)i));
        ouro_snapshot_writer_meta_u64(dump->writer, key, dump->result->unreadable[i]);
    }
}

static void on_write(void *context, double part)
{
    const struct dump *dump = context;
    ouro_session_progress(&dump->session, OURO_SESSION_WRITE, part);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In an order that does not depend on who met a type first. */
static enum ouro_status name_disagreed(struct dump *dump)
{
    struct ouro_dump_result *result = dump->result;
    const struct ouro_python *python = &dump->session.python;
    struct ouro_buf text = {0};
    OURO_FREE const char **names = calloc(result->disagreed_type_count + 1, sizeof *names);
    size_t count = 0, at = 0;
    for (size_t i = 0; names && i < python->type_list.count; i++)
        if (python->type_list.items[i]->disagreed) {
            ouro_session_add_type_name(&text, python->type_list.items[i]);
            ouro_buf_add_byte(&text, 0);
        }
    for (; names && !text.failed && at < text.size && count < result->disagreed_type_count; at += strlen(names[count++]) + 1)
        names[count] = (const char *)text.data + at;
    if (count > 1)
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++)
        ouro_buf_add(&result->disagreed_types, names[i], strlen(names[i]) + 1);
    bool failed = !names || text.failed || result->disagreed_types.failed;
    ouro_buf_fini(&text);
    return failed ? ouro_err_set(dump->err, OURO_NOMEM, "no memory for the names of types") : OURO_OK;
}

static enum ouro_status take_results(struct dump *dump)
{
    struct ouro_dump_result *result = dump->result;
    const struct ouro_session *session = &dump->session;
    const struct ouro_python *python = &session->python;
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        result->unreadable[i] = python->unreadable[i];
    result->type_count = python->type_list.count;
    result->sandbox = session->sandbox;
    memcpy(result->no_sandbox_reason, session->no_sandbox_reason, sizeof result->no_sandbox_reason);
    if (session->sandbox != OURO_SESSION_SANDBOX_YES) /* nothing was tried */
        memset(result->totals.run_failed, 0, sizeof result->totals.run_failed);
    result->checked_count = session->walk.checked_count;
    result->check_impossible_count = session->walk.impossible_count;
    for (size_t i = 0; i < python->type_list.count; i++) {
        result->disagreed_type_count += python->type_list.items[i]->disagreed;
        result->approximate_type_count += python->type_list.items[i]->met_approximate;
    }
    return name_disagreed(dump);
}

/* Of a process that stood still until here, or whose copy was kept, the pause is known now. */
static enum ouro_status release(struct dump *dump)
{
    struct ouro_dump_result *result = dump->result;
    struct ouro_session *session = &dump->session;
    OURO_TRY(ouro_session_release(session, dump->err));
    if (session->image.window) {
        result->pause_ns = session->pause_ns;
        result->window_loads_bytes = ouro_window_load_count(session->image.window) * ouro_window_chunk_bytes(session->image.window);
        ouro_snapshot_writer_meta_u64(dump->writer, "capture.pause_ns", session->pause_ns);
        if (session->reap_ns)
            ouro_snapshot_writer_meta_u64(dump->writer, "capture.reap_ns", session->reap_ns);
    }
    result->reap_ns = session->reap_ns;
    return OURO_OK;
}

static enum ouro_status write_snapshot(struct dump *dump, uint64_t start_ns)
{
    struct ouro_dump_result *result = dump->result;
    size_t state_count = 0;
    const struct ouro_thread_state *states = ouro_session_threads(&dump->session, &state_count);
    const struct ouro_emit_options options = {
        .values = dump->options->values,
        .codec = dump->options->codec,
        .thread_states = states,
        .thread_state_count = state_count,
        .progress = on_write,
        .progress_context = dump,
    };
    write_process(dump);
    OURO_TRY(ouro_emit(&dump->session.walk, dump->writer, &options, &result->totals, dump->err));
    OURO_TRY(release(dump));
    OURO_TRY(take_results(dump));
    write_checks(dump);
    write_collections(dump);
    write_totals(dump, start_ns);
    OURO_TRY(ouro_session_check_cancel(&dump->session, dump->err));
    return ouro_snapshot_writer_commit(dump->writer, &result->file_bytes, dump->err);
}

static void take_mode(struct dump *dump)
{
    const struct ouro_session *session = &dump->session;
    dump->result->mode = session->mode;
    memcpy(dump->result->mode_reason, session->mode_reason, sizeof dump->result->mode_reason);
    memcpy(dump->result->inconsistent, session->inconsistent, sizeof dump->result->inconsistent);
}

/* The whole heap. */
static enum ouro_status copy_and_walk(struct dump *dump, uint64_t start)
{
    struct ouro_dump_result *result = dump->result;
    struct ouro_session *session = &dump->session;
    enum ouro_status status = ouro_session_copy(session, dump->err);
    result->stop_count = session->stop_count;
    result->collecting = session->collecting;
    result->pause_ns = session->pause_ns;
    take_mode(dump);
    OURO_TRY(status);
    result->copied_bytes = session->image.copied_bytes;
    uint64_t copied = ouro_clock_ns();
    result->finish_ns = copied - start - result->prepare_ns;
    result->memory_bytes = session->budget.limit_bytes;
    result->window_bytes = session->budget.window_bytes;
    OURO_TRY(ouro_session_walk(session, dump->err));
    for (size_t i = 0; i < session->walk.tracked.count; i++)
        result->tracked_count += session->walk.tracked.items[i].count;
    for (size_t i = 0; i < session->walk.collections.count; i++) {
        const struct ouro_walk_collection *collection = &session->walk.collections.items[i];
        result->completed_count += collection->linked_count + collection->scanned_count;
        if (!result->collecting_thread)
            result->collecting_thread = collection->thread;
    }
    result->walk_ns = ouro_clock_ns() - copied;
    return OURO_OK;
}

static enum ouro_status look_at_stacks(struct dump *dump)
{
    struct ouro_dump_result *result = dump->result;
    struct ouro_session *session = &dump->session;
    uint64_t start = ouro_clock_ns();
    OURO_TRY(ouro_stack_capture(session, dump->err));
    result->stop_count = session->stop_count;
    result->pause_ns = session->pause_ns;
    result->copied_bytes = session->image.copied_bytes;
    result->walk_ns = ouro_clock_ns() - start;
    take_mode(dump);
    return OURO_OK;
}

static int open_spool(void *context)
{
    struct dump *dump = context;
    return ouro_snapshot_writer_spool(dump->writer);
}

static enum ouro_status run(struct dump *dump)
{
    const struct ouro_dump_options *options = dump->options;
    struct ouro_dump_result *result = dump->result;
    struct ouro_session *session = &dump->session;
    struct ouro_session_options session_options = options->session;
    uint64_t start = ouro_clock_ns();
    session_options.names_only = options->values == OURO_VALUES_NONE;
    session_options.whole_values = options->values == OURO_VALUES_FULL;
    enum ouro_status status = ouro_session_open(session, &session_options, dump->err);
    memcpy(result->version, session->runtime.version, sizeof result->version);
    result->pid = session->options.pid;
    if (session->core)
        ouro_core_add_lacks(session->core, &result->core_lacks);
    result->not_python = status == OURO_UNSUPPORTED && session->process && !session->runtime.module;
    OURO_TRY(status);
    /* The file first: whoever can't write it shall not have stopped anybody for nothing. */
    result->output_failed = true;
    OURO_TRY(dump->stacks ? ouro_snapshot_writer_open_memory(&dump->writer, options->codec, dump->err)
                          : ouro_snapshot_writer_open(&dump->writer, options->path, options->overwrite, options->codec,
                                                      dump->err));
    result->output_failed = false;
    session->spool = open_spool;
    session->spool_context = dump;
    result->prepare_ns = ouro_clock_ns() - start;
    OURO_TRY(dump->stacks && session->process ? look_at_stacks(dump) : copy_and_walk(dump, start));
    uint64_t walked = ouro_clock_ns();
    OURO_TRY(write_snapshot(dump, start));
    result->write_ns = ouro_clock_ns() - walked;
    result->duration_ns = ouro_clock_ns() - start;
    return OURO_OK;
}

static void *run_apart(void *argument)
{
    struct dump *dump = argument;
    dump->status = run(dump);
    ouro_session_close(&dump->session); /* by the thread that traces */
    return NULL;
}

enum ouro_status ouro_dump(const struct ouro_dump_options *options, struct ouro_dump_result *result,
                           struct ouro_err *err)
{
    OURO_GUARD(dump_fini) struct dump dump = {.options = options, .result = result, .err = err};
    pthread_t thread;
    memset(result, 0, sizeof *result);
    /* What lowers its priority may not be allowed to raise it again: that is a thread of its own. */
    if (!options->session.background || pthread_create(&thread, NULL, run_apart, &dump) != 0)
        return run(&dump);
    pthread_join(thread, NULL);
    return dump.status;
}

enum ouro_status ouro_dump_stacks(const struct ouro_dump_options *options, struct ouro_dump_result *result, int *fd,
                                  struct ouro_err *err)
{
    OURO_GUARD(dump_fini) struct dump dump = {.options = options, .result = result, .err = err, .stacks = true};
    *fd = -1;
    memset(result, 0, sizeof *result);
    OURO_TRY(run(&dump));
    *fd = ouro_snapshot_writer_take_fd(dump.writer);
    return OURO_OK;
}

void ouro_dump_result_fini(struct ouro_dump_result *result)
{
    ouro_buf_fini(&result->disagreed_types);
    ouro_buf_fini(&result->core_lacks);
}
