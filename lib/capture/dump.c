#include "capture/dump.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "target/image.h"
#include "target/module.h"
#include "target/process.h"

struct dump {
    const struct ouro_dump_options *options;
    struct ouro_dump_result *result;
    struct ouro_err *err;
    uint64_t timeout_ns;
    unsigned thread_count;
    struct ouro_process *process;
    struct ouro_maps maps;
    struct ouro_modules modules;
    struct ouro_runtime runtime;
    struct ouro_image image;
    struct ouro_python python;
    struct ouro_walk walk;
    struct ouro_snapshot_writer *writer;
    double captured_at;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void dump_fini(struct dump *dump)
{
    ouro_process_close(dump->process); /* resumes, should it still stand */
    ouro_snapshot_writer_close(dump->writer);
    ouro_walk_fini(&dump->walk);
    ouro_python_fini(&dump->python);
    ouro_image_fini(&dump->image);
    ouro_modules_fini(&dump->modules);
    ouro_maps_fini(&dump->maps);
}

static void progress(struct dump *dump, enum ouro_dump_phase phase, double part)
{
    if (dump->options->progress)
        dump->options->progress(dump->options->progress_context, phase, part);
}

static enum ouro_status check_cancel(struct dump *dump)
{
    if (dump->options->cancel && *dump->options->cancel)
        return ouro_err_set(dump->err, OURO_CANCELLED, "cancelled");
    return OURO_OK;
}

#define STOP_LEAST_NS UINT64_C(100000000) /* how long a stop may take even when the time is nearly over */
#define COLLECTING_NAP_NS 20000           /* the kernel makes about 70 us of it */

static enum ouro_status still_collecting(const struct dump *dump)
{
    return ouro_err_set(dump->err, OURO_LIMIT,
                        "process %d was inside a garbage collection whenever it was stopped (%u times in %.1f s): its "
                        "lists of objects are not consistent then; try again, or with a longer --timeout",
                        (int)dump->options->pid, dump->result->stop_count, (double)dump->timeout_ns / 1e9);
}

/* Waits, while the target runs, until it seems to be between two collections: a program may collect again and again
 * with hardly a gap, and a stop at random would rarely meet one. */
static enum ouro_status wait_for_gap(struct dump *dump, uint64_t deadline_ns)
{
    bool collecting = true;
    while (now_ns() < deadline_ns) {
        OURO_TRY(check_cancel(dump));
        enum ouro_status status =
            ouro_runtime_collecting(&dump->runtime, ouro_process_space(dump->process), &collecting);
        if (status != OURO_OK || !collecting)
            return OURO_OK; /* it may have ended: the stop tells */
        struct timespec nap = {.tv_sec = 0, .tv_nsec = COLLECTING_NAP_NS};
        nanosleep(&nap, NULL);
    }
    return still_collecting(dump);
}

/* Stops the target at a moment when no collection is running. A stop inside a collection is ended at once: the
 * collector must run on. */
static enum ouro_status stop_between_collections(struct dump *dump)
{
    uint64_t deadline = now_ns() + dump->timeout_ns;
    for (;;) {
        uint64_t now = now_ns();
        OURO_TRY(check_cancel(dump));
        uint64_t left = deadline > now + STOP_LEAST_NS ? deadline - now : STOP_LEAST_NS;
        OURO_TRY(ouro_process_stop(dump->process, left, dump->err));
        dump->result->stop_count++;
        bool collecting = false;
        enum ouro_status status =
            ouro_runtime_collecting(&dump->runtime, ouro_process_space(dump->process), &collecting);
        if (status == OURO_OK && !collecting)
            return OURO_OK;
        ouro_process_resume(dump->process);
        if (status != OURO_OK)
            return ouro_err_set(dump->err, status, "the interpreters of process %d can't be read",
                                (int)dump->options->pid);
        OURO_TRY(wait_for_gap(dump, deadline));
    }
}

static enum ouro_status copy(struct dump *dump)
{
    const struct ouro_image_options options = {.thread_count = dump->thread_count > 2 ? 2 : dump->thread_count};
    struct timespec now;
    OURO_TRY(ouro_image_plan(&dump->image, dump->process, &options, dump->err));
    progress(dump, OURO_DUMP_COPY, 0);
    OURO_TRY(stop_between_collections(dump));
    clock_gettime(CLOCK_REALTIME, &now);
    dump->captured_at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    enum ouro_status status = ouro_image_copy(&dump->image, dump->process, &options, dump->err);
    ouro_process_resume(dump->process);
    dump->result->pause_ns = ouro_process_stopped_ns(dump->process);
    OURO_TRY(status);
    progress(dump, OURO_DUMP_COPY, 1);
    return ouro_image_finish(&dump->image, dump->process, dump->err);
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
    if (ouro_module_symbol(dump->runtime.module, "_Py_HashSecret", &secret, NULL) == OURO_OK &&
        ouro_space_read(&dump->image.space, secret, &word, sizeof word) == OURO_OK)
        ouro_snapshot_writer_meta_u64(dump->writer, "hash.seed", word ^ word >> 32);
}

static void write_process(struct dump *dump)
{
    char host[256] = "";
    size_t size = 0;
    const char *command = ouro_process_command(dump->process, &size);
    gethostname(host, sizeof host - 1);
    put_text(dump, "ouro.version", PACKAGE_VERSION);
    put_text(dump, "python.version", dump->runtime.version);
    ouro_snapshot_writer_meta_u64(dump->writer, "python.hexversion", dump->runtime.hexversion);
    put_text(dump, "python.implementation", "CPython");
    ouro_snapshot_writer_meta_u64(dump->writer, "pid", (uint64_t)dump->options->pid);
    ouro_snapshot_writer_meta_u64(dump->writer, "process.start_ticks", ouro_process_start_ticks(dump->process));
    put_number(dump, "process.start_time", ouro_process_start_time(dump->process));
    put_text(dump, "process.name", ouro_process_name(dump->process));
    if (dump->options->values != OURO_VALUES_NONE)
        ouro_snapshot_writer_meta(dump->writer, "process.command", command, size);
    put_text(dump, "host.name", host);
    put_text(dump, "arch", "x86_64");
    put_number(dump, "capture.time", dump->captured_at);
    put_text(dump, "capture.mode", "pause");
    put_text(dump, "capture.consistent", "1");
    put_text(dump, "capture.values", values_name(dump->options->values));
    ouro_snapshot_writer_meta_u64(dump->writer, "capture.pause_ns", dump->result->pause_ns);
    ouro_snapshot_writer_meta_u64(dump->writer, "capture.stops", dump->result->stop_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "capture.copied_bytes", dump->image.copied_bytes);
    ouro_snapshot_writer_meta_u64(dump->writer, "target.swapped_bytes", dump->image.swapped_bytes);
    put_hash_seed(dump);
}

static void write_totals(struct dump *dump, uint64_t start_ns)
{
    const struct ouro_emit_totals *totals = &dump->result->totals;
    ouro_snapshot_writer_meta_u64(dump->writer, "capture.duration_ns", now_ns() - start_ns);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.objects", totals->object_count + totals->pseudo_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.edges", totals->edge_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.approximate", totals->approximate_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.size_estimated", totals->estimated_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.torn", totals->torn_count);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.unreadable_pages_bytes", dump->image.unreadable_bytes);
    ouro_snapshot_writer_meta_u64(dump->writer, "count.swap_skipped_bytes", dump->image.swap_skipped_bytes);
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++) {
        char key[64];
        snprintf(key, sizeof key, "count.unreadable.%s", ouro_unreadable_name((enum ouro_unreadable)i));
        ouro_snapshot_writer_meta_u64(dump->writer, key, dump->result->unreadable[i]);
    }
}

static void on_write(void *context, double part)
{
    progress(context, OURO_DUMP_WRITE, part);
}

static enum ouro_status write_snapshot(struct dump *dump, uint64_t start_ns)
{
    struct ouro_dump_result *result = dump->result;
    size_t state_count = 0;
    const struct ouro_thread_state *states = ouro_process_threads(dump->process, &state_count);
    const struct ouro_emit_options options = {
        .values = dump->options->values,
        .codec = dump->options->codec,
        .thread_states = states,
        .thread_state_count = state_count,
        .progress = on_write,
        .progress_context = dump,
    };
    write_process(dump);
    OURO_TRY(ouro_emit(&dump->walk, dump->writer, &options, &result->totals, dump->err));
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        result->unreadable[i] = dump->python.unreadable[i];
    result->type_count = dump->python.type_list.count;
    result->sandboxed = dump->python.sandboxed;
    result->checked_count = dump->walk.checked_count;
    result->check_impossible_count = dump->walk.impossible_count;
    for (size_t i = 0; i < dump->python.type_list.count; i++) {
        result->disagreed_type_count += dump->python.type_list.items[i]->disagreed;
        result->approximate_type_count += dump->python.type_list.items[i]->met_approximate;
    }
    write_totals(dump, start_ns);
    OURO_TRY(check_cancel(dump));
    return ouro_snapshot_writer_commit(dump->writer, &result->file_bytes, dump->err);
}

static enum ouro_status run(struct dump *dump)
{
    const struct ouro_dump_options *options = dump->options;
    struct ouro_dump_result *result = dump->result;
    uint64_t start = now_ns();
    progress(dump, OURO_DUMP_PREPARE, 0);
    OURO_TRY(ouro_process_open(&dump->process, options->pid, dump->err));
    OURO_TRY(ouro_maps_read(&dump->maps, options->pid, false, dump->err));
    OURO_TRY(ouro_modules_read(&dump->modules, dump->process, &dump->maps, dump->err));
    OURO_TRY(ouro_runtime_find(&dump->runtime, ouro_process_space(dump->process), &dump->modules, dump->err));
    memcpy(result->version, dump->runtime.version, sizeof result->version);
    /* The file first: whoever can't write it shall not have stopped anybody for nothing. */
    result->output_failed = true;
    OURO_TRY(ouro_snapshot_writer_open(&dump->writer, options->path, options->overwrite, options->codec, dump->err));
    result->output_failed = false;
    result->prepare_ns = now_ns() - start;
    OURO_TRY(copy(dump));
    result->copied_bytes = dump->image.copied_bytes;
    uint64_t copied = now_ns();
    result->finish_ns = copied - start - result->prepare_ns;
    OURO_TRY(ouro_python_init(&dump->python, &dump->image, &dump->runtime, dump->options->no_sandbox ? NULL : &dump->modules,
                              dump->err));
    OURO_TRY(ouro_walk_init(&dump->walk, &dump->python, dump->thread_count, options->values == OURO_VALUES_NONE,
                            options->cancel, dump->err));
    dump->walk.checks_per_type = !dump->python.sandboxed ? 0 : options->self_check ? UINT32_MAX : OURO_WALK_CHECKS;
    progress(dump, OURO_DUMP_WALK, 0);
    OURO_TRY(ouro_walk_mark(&dump->walk, dump->err));
    OURO_TRY(ouro_walk_number(&dump->walk, dump->err));
    for (size_t i = 0; i < dump->walk.tracked.count; i++)
        result->tracked_count += dump->walk.tracked.items[i].count;
    uint64_t walked = now_ns();
    result->walk_ns = walked - copied;
    OURO_TRY(write_snapshot(dump, start));
    result->write_ns = now_ns() - walked;
    result->duration_ns = now_ns() - start;
    return OURO_OK;
}

enum ouro_status ouro_dump(const struct ouro_dump_options *options, struct ouro_dump_result *result,
                           struct ouro_err *err)
{
    OURO_GUARD(dump_fini) struct dump dump = {
        .options = options,
        .result = result,
        .err = err,
        .timeout_ns = options->timeout_ns ? options->timeout_ns : OURO_DUMP_TIMEOUT_NS,
        .thread_count = options->thread_count,
    };
    memset(result, 0, sizeof *result);
    if (!dump.thread_count) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        dump.thread_count = processors < 1                               ? 1
                            : processors > (long)OURO_DUMP_THREADS_MAX ? OURO_DUMP_THREADS_MAX
                                                                        : (unsigned)processors;
    }
    return run(&dump);
}
