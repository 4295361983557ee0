/* ouro dump: captures the object graph of a process, or of a core, into a file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"
#include "cmd_dump.h"
#include "command.h"
#include "options.h"
#include "render/json.h"
#include "render/text.h"
#include "target.h"

struct arguments {
    struct ouro_dump_options options;
    struct ouro_target_bar bar;
    char path[4096];
    bool json, children;
};

void ouro_cmd_dump_name(pid_t pid, const char *core, char *out, size_t capacity)
{
    char name[64] = "python", comm[64] = "", path[64], moment[32];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    if (core) { /* who it was the process of is not known yet */
        const char *slash = strrchr(core, '/');
        snprintf(name, sizeof name, "%s", slash ? slash + 1 : core);
    }
    FILE *file = core ? NULL : fopen(path, "re");
    if (file && fgets(comm, sizeof comm, file))
        comm[strcspn(comm, "\n")] = 0;
    if (file)
        fclose(file);
    if (comm[0])
        snprintf(name, sizeof name, "%s", comm);
    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+", *c))
            *c = '_';
    if (name[0] == '.')
        name[0] = '_';
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(moment, sizeof moment, "%Y%m%dT%H%M%S", &local);
    if (core)
        snprintf(out, capacity, "%s-%s.ouro", name, moment);
    else
        snprintf(out, capacity, "%s-%d-%s.ouro", name, (int)pid, moment);
}

static void add_objects(struct ouro_buf *line, uint64_t count, const char *rest)
{
    ouro_text_add_count(line, count);
    ouro_buf_add_text(line, count == 1 ? " object" : " objects");
    ouro_buf_add_text(line, rest);
}

/* What the types' own code was asked, where it is worth a word. */
static void add_checks(struct ouro_buf *line, bool self_check, const struct ouro_dump_result *result)
{
    struct ouro_buf reasons = {0};
    uint64_t failed = ouro_target_add_reasons(&reasons, result->totals.run_failed);
    if (failed) {
        add_objects(line, failed, ": the code of their types could not be run: ");
        ouro_buf_add(line, reasons.data, reasons.size);
        ouro_buf_add_byte(line, '\n');
    }
    ouro_buf_fini(&reasons);
    if (self_check && result->sandbox == OURO_SESSION_SANDBOX_YES) {
        add_objects(line, result->checked_count, " compared with what their types' own code says");
        if (result->check_impossible_count) {
            ouro_buf_add_text(line, "; with ");
            ouro_text_add_count(line, result->check_impossible_count);
            ouro_buf_add_text(line, " of them it could not be done");
        }
        ouro_buf_add_text(line, result->disagreed_type_count ? "\n" : "; all that could be are equal\n");
    } else if (self_check) {
        ouro_buf_addf(line, "nothing could be compared: %s\n", result->no_sandbox_reason);
    }
    if (!result->disagreed_type_count)
        return;
    ouro_buf_addf(line, "what ouro knows of %" PRIu64 " %s disagreed with their own code and was not used: ",
                  result->disagreed_type_count, result->disagreed_type_count == 1 ? "type" : "types");
    const char *names = (const char *)result->disagreed_types.data;
    for (size_t at = 0; at < result->disagreed_types.size; at += strlen(names + at) + 1) {
        ouro_buf_add_text(line, at ? ", " : "");
        ouro_text_add(line, names + at, strlen(names + at));
    }
    ouro_buf_add_byte(line, '\n');
}

void ouro_cmd_dump_add_inexact(struct ouro_buf *line, const struct ouro_dump_options *options,
                               const struct ouro_dump_result *result)
{
    if (result->totals.approximate_count) {
        add_objects(line, result->totals.approximate_count, "");
        ouro_buf_addf(line, " of %" PRIu64 " %s approximate: their references were found by looking for pointers",
                      result->approximate_type_count, result->approximate_type_count == 1 ? "type are" : "types are");
        ouro_target_add_no_sandbox(line, result->sandbox, result->no_sandbox_reason);
        ouro_buf_add_byte(line, '\n');
    }
    add_checks(line, options->session.self_check, result);
    uint64_t unreadable = 0;
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        unreadable += result->unreadable[i];
    if (unreadable) {
        ouro_text_add_count(line, unreadable);
        ouro_buf_add_text(line, " references could not be read; ouro info says why\n");
    }
}

static void add_collecting(struct ouro_buf *line, const struct ouro_dump_result *result)
{
    if (!result->collecting)
        return;
    ouro_buf_add_text(line, "the process was inside of a garbage collection");
    if (result->collecting_thread)
        ouro_buf_addf(line, " (thread %" PRIu64 ")", result->collecting_thread);
    ouro_buf_add_text(line, ": ");
    add_objects(line, result->completed_count, " that it works on were found on its own lists and in memory\n");
}

static void add_pause(struct ouro_buf *line, const struct ouro_dump_result *result)
{
    ouro_buf_addf(line, "; the process stood still for %.1f ms", (double)result->pause_ns / 1e6);
    if (result->mode == OURO_SESSION_FORK && result->reap_ns)
        ouro_buf_addf(line, " and %.2f ms", (double)result->reap_ns / 1e6);
    if (result->mode_reason[0])
        ouro_buf_addf(line, " (%s: %s)", ouro_session_mode_name(result->mode), result->mode_reason);
    else if (result->mode != OURO_SESSION_PAUSE)
        ouro_buf_addf(line, " (%s)", ouro_session_mode_name(result->mode));
    ouro_buf_add_byte(line, '\n');
}

void ouro_cmd_dump_add_stop(struct ouro_buf *line, const struct ouro_dump_result *result)
{
    if (result->mode != OURO_SESSION_LIVE) {
        add_pause(line, result);
        return;
    }
    ouro_buf_add_text(line, "; the process was not stopped\n");
    const char *why = result->inconsistent[0] ? result->inconsistent : result->mode_reason;
    ouro_buf_add_text(line, result->inconsistent[0] ? "not of one moment, what changed meanwhile may be torn or missing: "
                                                    : "read as it stands: ");
    ouro_text_add(line, why, strlen(why));
    ouro_buf_add_byte(line, '\n');
}

/* What did not fit into memory costs time, most often a pause. */
static void add_window(struct ouro_buf *line, const struct ouro_dump_result *result)
{
    ouro_buf_add_text(line, "its ");
    ouro_text_add_size(line, result->copied_bytes);
    ouro_buf_add_text(line, " of memory were read bit by bit, to stay within ");
    ouro_text_add_size(line, result->memory_bytes);
    ouro_buf_add_text(line, " (--memory)\n");
}

/* One line, and what is not exact, on standard error. */
static void print_closing(const struct arguments *arguments, const struct ouro_dump_result *result)
{
    struct ouro_buf line = {0};
    const struct ouro_emit_totals *totals = &result->totals;
    ouro_text_add(&line, arguments->path, strlen(arguments->path));
    ouro_buf_add_text(&line, ": ");
    add_objects(&line, totals->object_count, ", ");
    ouro_text_add_size(&line, totals->size_bytes + totals->native_bytes);
    ouro_buf_add_text(&line, ", in ");
    ouro_text_add_size(&line, result->file_bytes);
    if (arguments->options.session.core)
        ouro_buf_add_text(&line, "; from a core\n");
    else
        ouro_cmd_dump_add_stop(&line, result);
    if (result->window_bytes)
        add_window(&line, result);
    ouro_target_add_lacks(&line, &result->core_lacks);
    add_collecting(&line, result);
    ouro_cmd_dump_add_inexact(&line, &arguments->options, result);
    fputs(ouro_buf_text(&line), stderr);
    ouro_buf_fini(&line);
}

static void put_checks(struct ouro_json *json, const struct ouro_dump_result *result)
{
    ouro_json_string(json, "sandbox", ouro_session_sandbox_name(result->sandbox));
    ouro_json_uint(json, "checked", result->checked_count);
    ouro_json_uint(json, "check_impossible", result->check_impossible_count);
    ouro_json_array(json, "disagreed");
    const char *names = (const char *)result->disagreed_types.data;
    for (size_t at = 0; at < result->disagreed_types.size; at += strlen(names + at) + 1)
        ouro_json_string(json, NULL, names + at);
    ouro_json_end(json);
    ouro_json_object(json, "run_failed");
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++)
        if (result->totals.run_failed[i])
            ouro_json_uint(json, ouro_machine_end_name((enum ouro_machine_end)i), result->totals.run_failed[i]);
    ouro_json_end(json);
}

void ouro_cmd_dump_put_figures(struct ouro_json *json, const struct ouro_dump_options *options,
                               const struct ouro_dump_result *result)
{
    const struct ouro_emit_totals *totals = &result->totals;
    ouro_json_string(json, "file", options->path);
    ouro_json_uint(json, "file_bytes", result->file_bytes);
    ouro_json_string(json, "python", result->version);
    ouro_json_int(json, "pid", result->pid);
    ouro_json_uint(json, "objects", totals->object_count);
    ouro_json_uint(json, "tracked", result->tracked_count);
    ouro_json_uint(json, "edges", totals->edge_count);
    ouro_json_uint(json, "types", result->type_count);
    ouro_json_uint(json, "size_bytes", totals->size_bytes);
    ouro_json_uint(json, "native_bytes", totals->native_bytes);
    ouro_json_uint(json, "approximate", totals->approximate_count);
    ouro_json_uint(json, "size_estimated", totals->estimated_count);
    ouro_json_uint(json, "torn", totals->torn_count);
    put_checks(json, result);
    if (!options->session.core) {
        ouro_json_string(json, "mode", ouro_session_mode_name(result->mode));
        if (result->mode_reason[0])
            ouro_json_string(json, "mode_reason", result->mode_reason);
        if (result->inconsistent[0])
            ouro_json_string(json, "inconsistent", result->inconsistent);
    }
    if (options->session.core) {
        ouro_json_array(json, "core_missing");
        const char *lines = (const char *)result->core_lacks.data;
        for (size_t at = 0; at < result->core_lacks.size; at += strlen(lines + at) + 1)
            ouro_json_string(json, NULL, lines + at);
        ouro_json_end(json);
    }
    ouro_json_object(json, "unreadable");
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        ouro_json_uint(json, ouro_unreadable_name((enum ouro_unreadable)i), result->unreadable[i]);
    ouro_json_end(json);
    ouro_json_uint(json, "copied_bytes", result->copied_bytes);
    if (result->memory_bytes) {
        ouro_json_uint(json, "memory_limit_bytes", result->memory_bytes);
        ouro_json_uint(json, "window_bytes", result->window_bytes);
        ouro_json_uint(json, "window_read_bytes", result->window_loads_bytes);
    }
    ouro_json_uint(json, "stops", result->stop_count);
    ouro_json_uint(json, "pause_ns", result->pause_ns);
    if (result->reap_ns)
        ouro_json_uint(json, "reap_ns", result->reap_ns);
    ouro_json_uint(json, "prepare_ns", result->prepare_ns);
    ouro_json_uint(json, "copy_ns", result->finish_ns);
    ouro_json_uint(json, "walk_ns", result->walk_ns);
    ouro_json_uint(json, "write_ns", result->write_ns);
    ouro_json_uint(json, "duration_ns", result->duration_ns);
}

static int print_json(const struct arguments *arguments, const struct ouro_dump_result *result)
{
    struct ouro_out out;
    struct ouro_json json;
    ouro_out_init(&out, STDOUT_FILENO);
    ouro_json_init(&json, &out);
    ouro_json_object(&json, NULL);
    ouro_cmd_dump_put_figures(&json, &arguments->options, result);
    ouro_json_end(&json);
    return ouro_command_finish_out(&out);
}

/* Behind an error: what was missing in the core may be why. */
static void print_lacks(const struct ouro_dump_result *result)
{
    struct ouro_buf lines = {0};
    ouro_target_add_lacks(&lines, &result->core_lacks);
    if (!ouro_quiet)
        fputs(ouro_buf_text(&lines), stderr);
    ouro_buf_fini(&lines);
}

/* The file, or the target, is in the way. */
int ouro_cmd_dump_fail(const struct ouro_dump_options *options, const struct ouro_dump_result *result,
                       enum ouro_status status, const struct ouro_err *err)
{
    struct stat there;
    bool exists = status == OURO_INVAL && !options->overwrite && !stat(options->path, &there) && S_ISREG(there.st_mode);
    if (!result->output_failed && !exists) {
        print_lacks(result);
        return ouro_command_fail_target(status, err);
    }
    ouro_command_complain("%s%s", err->msg, exists ? " (-f overwrites it)" : "");
    return status == OURO_INVAL ? OURO_EXIT_USAGE : OURO_EXIT_OTHER;
}

static int dump(struct arguments *arguments)
{
    OURO_GUARD(ouro_dump_result_fini) struct ouro_dump_result result = {0};
    struct ouro_err err = {0};
    arguments->options.path = arguments->path;
    enum ouro_status status = ouro_dump(&arguments->options, &result, &err);
    ouro_target_bar_clear(&arguments->bar);
    if (status != OURO_OK)
        return ouro_cmd_dump_fail(&arguments->options, &result, status, &err);
    if (!ouro_quiet)
        print_closing(arguments, &result);
    return arguments->json ? print_json(arguments, &result) : OURO_EXIT_DONE;
}

int ouro_cmd_dump(int argc, char **argv)
{
    static const char *const value_names[] = {"short", "full", "none", NULL};
    static const char *const codec_names[] = {"zlib", "zstd", NULL};
    struct arguments arguments = {0};
    struct ouro_target_options target = OURO_TARGET_OPTIONS_INIT;
    const char *path = NULL;
    int values = OURO_VALUES_SHORT, codec = -1, first, status;
    bool codec_given = false;
    const struct ouro_option options[] = {
        {'o', "output",    OURO_OPTION_TEXT,     &path,                        NULL,                    "FILE", "where to write it (default: NAME-PID-TIME.ouro here)",
         NULL                                                                                                                                                                                 },
        {0,   "children",  OURO_OPTION_FLAG,     &arguments.children,          NULL,                    NULL,
         "every Python process below PID too, a file each; -o: a folder, or a pattern with %p for the pid",                                                             NULL                  },
        {'f', "force",     OURO_OPTION_FLAG,     &arguments.options.overwrite, NULL,                    NULL,   "overwrite FILE if it is there",
         NULL                                                                                                                                                                                 },
        {0,   "values",    OURO_OPTION_CHOICE,   &values,                      NULL,                    "HOW",
         "short: texts up to 64 bytes, keys up to 256; full: whole texts; none: only names of types, modules, "
         "functions and attributes",                                                                                                                                    value_names           },
        {0,   "mode",      OURO_OPTION_CHOICE,   &target.mode,                 &target.mode_given,      "MODE",
         "pause: stop it, copy its memory, let it go on; fork: have the kernel make a copy of it, which is read while "
         "it runs;\n"
         "live: never stop it: what is read is not of one moment; auto (default): pause where that is short, else "
         "fork,\n"
         "live where it can't be stopped; it says why",                                                                                                                 ouro_target_mode_names},
        {0,   "max-pause", OURO_OPTION_DURATION, &target.session.max_pause_ns, &target.max_pause_given, "TIME",
         "never let it stand still for longer (20ms, 1s): take a copy by fork instead, or give up",                                                                     NULL                  },
        OURO_TARGET_OPTIONS(&target),
        OURO_TARGET_COST_OPTIONS(&target),
        {0,   "codec",     OURO_OPTION_CHOICE,   &codec,                       &codec_given,            "NAME",
         "compression (default: zstd where it was built in)",                                                                                                           codec_names           },
        {0,   "json",      OURO_OPTION_FLAG,     &arguments.json,              NULL,                    NULL,   "the figures as JSON on standard output",               NULL                  },
        {0,   NULL,        OURO_OPTION_FLAG,     NULL,                         NULL,                    NULL,   NULL,                                                   NULL                  },
    };
    const struct ouro_usage usage = {
        "dump", "PID | --core FILE",
        "Captures the object graph of a running CPython process into a snapshot file. The process stands still only\n"
        "while its memory is copied (about 0.15 s for each GB), or a large one while the kernel makes a copy of it (about\n"
        "0.02 s); it runs none of our code and goes on as it was, however this ends. Or captures it from a core file.",
        0, 1, options};
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (!ouro_target_options_finish(&target, usage.command, first < argc ? argv[first] : NULL, &arguments.bar))
        return OURO_EXIT_USAGE;
    arguments.options.session = target.session;
    if (path && (!*path || strlen(path) >= sizeof arguments.path)) {
        ouro_command_complain("no usable file name: \"%s\"", path);
        return OURO_EXIT_USAGE;
    }
    arguments.options.codec = codec_given ? codec ? OURO_CODEC_ZSTD : OURO_CODEC_ZLIB : ouro_codec_default();
    if (arguments.options.codec == OURO_CODEC_ZSTD && ouro_codec_default() != OURO_CODEC_ZSTD) {
        ouro_command_complain("this ouro was built without zstd");
        return OURO_EXIT_USAGE;
    }
    arguments.options.values = (enum ouro_values)values;
    if (arguments.children && target.session.core) {
        ouro_command_complain("a core is of one process: --children is for live ones");
        return OURO_EXIT_USAGE;
    }
    if (arguments.children)
        return ouro_cmd_dump_children(&arguments.options, path, &arguments.bar, arguments.json);
    if (path)
        strcpy(arguments.path, path);
    else
        ouro_cmd_dump_name(target.session.pid, target.session.core, arguments.path, sizeof arguments.path);
    return dump(&arguments);
}
