/* ouro dump: captures the object graph of a process into a file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "capture/dump.h"
#include "command.h"
#include "options.h"
#include "render/json.h"
#include "render/text.h"

struct arguments {
    struct ouro_dump_options options;
    char path[4096];
    bool json;
};

/* A bar that is drawn again in place; only on a terminal. */
struct bar {
    bool shown;
    int drawn; /* percent and phase last drawn, so that it is drawn 100 times and not a million */
};

static void draw(void *context, enum ouro_dump_phase phase, double part)
{
    static const char *const names[] = {"preparing", "copying", "walking", "writing"};
    static const double starts[] = {0, 0.05, 0.2, 0.5, 1};
    struct bar *bar = context;
    double whole = starts[phase] + (starts[phase + 1] - starts[phase]) * part;
    int percent = (int)(whole * 100);
    if (percent == bar->drawn)
        return;
    bar->drawn = percent;
    bar->shown = true;
    char line[41];
    for (int i = 0; i < 40; i++)
        line[i] = i < percent * 40 / 100 ? '#' : '.';
    line[40] = 0;
    fprintf(stderr, "\r[%s] %3d%% %-9s", line, percent, names[phase]);
}

static void clear_bar(const struct bar *bar)
{
    if (bar->shown)
        fprintf(stderr, "\r%*s\r", 60, "");
}

/* NAME-PID-YYYYMMDDTHHMMSS.ouro, with what a file name should not hold replaced. */
static void default_path(struct arguments *arguments)
{
    char name[64] = "python", comm[64] = "", path[64], moment[32];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)arguments->options.pid);
    FILE *file = fopen(path, "re");
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
    snprintf(arguments->path, sizeof arguments->path, "%s-%d-%s.ouro", name, (int)arguments->options.pid, moment);
}

/* One line, and what is not exact, on standard error. */
static void print_closing(const struct arguments *arguments, const struct ouro_dump_result *result)
{
    struct ouro_buf line = {0};
    const struct ouro_emit_totals *totals = &result->totals;
    ouro_text_add(&line, arguments->path, strlen(arguments->path));
    ouro_buf_add_text(&line, ": ");
    ouro_text_add_count(&line, totals->object_count);
    ouro_buf_add_text(&line, " objects, ");
    ouro_text_add_size(&line, totals->size_bytes + totals->native_bytes);
    ouro_buf_add_text(&line, ", in ");
    ouro_text_add_size(&line, result->file_bytes);
    ouro_buf_addf(&line, "; the process stood still for %.1f ms\n", (double)result->pause_ns / 1e6);
    if (totals->approximate_count) {
        ouro_text_add_count(&line, totals->approximate_count);
        ouro_buf_addf(&line, " objects of %" PRIu64 " types are approximate: their references were found by looking for pointers\n",
                      result->approximate_type_count);
    }
    uint64_t unreadable = 0;
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        unreadable += result->unreadable[i];
    if (unreadable) {
        ouro_text_add_count(&line, unreadable);
        ouro_buf_add_text(&line, " references could not be read; ouro info says why\n");
    }
    fputs(ouro_buf_text(&line), stderr);
    ouro_buf_fini(&line);
}

static int print_json(const struct arguments *arguments, const struct ouro_dump_result *result)
{
    struct ouro_out out;
    struct ouro_json json;
    const struct ouro_emit_totals *totals = &result->totals;
    ouro_out_init(&out, STDOUT_FILENO);
    ouro_json_init(&json, &out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "file", arguments->path);
    ouro_json_uint(&json, "file_bytes", result->file_bytes);
    ouro_json_string(&json, "python", result->version);
    ouro_json_int(&json, "pid", arguments->options.pid);
    ouro_json_uint(&json, "objects", totals->object_count);
    ouro_json_uint(&json, "tracked", result->tracked_count);
    ouro_json_uint(&json, "edges", totals->edge_count);
    ouro_json_uint(&json, "types", result->type_count);
    ouro_json_uint(&json, "size_bytes", totals->size_bytes);
    ouro_json_uint(&json, "native_bytes", totals->native_bytes);
    ouro_json_uint(&json, "approximate", totals->approximate_count);
    ouro_json_uint(&json, "size_estimated", totals->estimated_count);
    ouro_json_uint(&json, "torn", totals->torn_count);
    ouro_json_object(&json, "unreadable");
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        ouro_json_uint(&json, ouro_unreadable_name((enum ouro_unreadable)i), result->unreadable[i]);
    ouro_json_end(&json);
    ouro_json_uint(&json, "copied_bytes", result->copied_bytes);
    ouro_json_uint(&json, "stops", result->stop_count);
    ouro_json_uint(&json, "pause_ns", result->pause_ns);
    ouro_json_uint(&json, "prepare_ns", result->prepare_ns);
    ouro_json_uint(&json, "copy_ns", result->finish_ns);
    ouro_json_uint(&json, "walk_ns", result->walk_ns);
    ouro_json_uint(&json, "write_ns", result->write_ns);
    ouro_json_uint(&json, "duration_ns", result->duration_ns);
    ouro_json_end(&json);
    return ouro_command_finish_out(&out);
}

static bool parse_pid(const char *text, pid_t *pid)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 1 || value > INT32_MAX || strspn(text, "0123456789") != strlen(text))
        return false;
    *pid = (pid_t)value;
    return true;
}

static int dump(struct arguments *arguments)
{
    struct bar bar = {.drawn = -1};
    struct ouro_dump_result result;
    struct ouro_err err = {0};
    arguments->options.path = arguments->path;
    arguments->options.cancel = &ouro_interrupted;
    if (!ouro_quiet && isatty(STDERR_FILENO)) {
        arguments->options.progress = draw;
        arguments->options.progress_context = &bar;
    }
    enum ouro_status status = ouro_dump(&arguments->options, &result, &err);
    clear_bar(&bar);
    if (status != OURO_OK && result.output_failed) {
        struct stat there;
        bool file = !stat(arguments->path, &there) && S_ISREG(there.st_mode);
        ouro_command_complain("%s%s", err.msg,
                              status == OURO_INVAL && file && !arguments->options.overwrite ? " (-f overwrites it)" : "");
        return status == OURO_INVAL ? OURO_EXIT_USAGE : OURO_EXIT_OTHER;
    }
    struct stat there;
    if (status == OURO_INVAL && !arguments->options.overwrite && !stat(arguments->path, &there) &&
        S_ISREG(there.st_mode)) {
        ouro_command_complain("%s; -f overwrites it", err.msg);
        return OURO_EXIT_USAGE;
    }
    if (status != OURO_OK)
        return ouro_command_fail_target(status, &err);
    if (!ouro_quiet)
        print_closing(arguments, &result);
    return arguments->json ? print_json(arguments, &result) : OURO_EXIT_DONE;
}

int ouro_cmd_dump(int argc, char **argv)
{
    static const char *const value_names[] = {"short", "full", "none", NULL};
    static const char *const codec_names[] = {"zlib", "zstd", NULL};
    struct arguments arguments = {0};
    const char *path = NULL;
    uint64_t timeout = 10, threads = 0;
    int values = OURO_VALUES_SHORT, codec = -1, first, status;
    bool codec_given = false;
    const struct ouro_option options[] = {
        {'o', "output", OURO_OPTION_TEXT, &path, NULL, "FILE", "where to write it (default: NAME-PID-TIME.ouro here)", NULL},
        {'f', "force", OURO_OPTION_FLAG, &arguments.options.overwrite, NULL, NULL, "overwrite FILE if it is there", NULL},
        {0, "values", OURO_OPTION_CHOICE, &values, NULL, "HOW",
         "short: texts up to 64 bytes, keys up to 256; full: whole texts; none: only names of types, modules, "
         "functions and attributes", value_names},
        {0, "timeout", OURO_OPTION_COUNT, &timeout, NULL, "SECONDS",
         "how long to try to stop it between two garbage collections (default 10)", NULL},
        {0, "threads", OURO_OPTION_COUNT, &threads, NULL, "N", "threads at work (default: one a processor, at most 4)", NULL},
        {0, "codec", OURO_OPTION_CHOICE, &codec, &codec_given, "NAME",
         "compression (default: zstd where it was built in)", codec_names},
        {0, "json", OURO_OPTION_FLAG, &arguments.json, NULL, NULL, "the figures as JSON on standard output", NULL},
        {0, NULL, OURO_OPTION_FLAG, NULL, NULL, NULL, NULL, NULL},
    };
    const struct ouro_usage usage = {
        "dump", "PID",
        "Captures the object graph of a running CPython process into a snapshot file. The process stands still only\n"
        "while its memory is copied (about 0.15 s for each GB); it runs none of our code and goes on as it was,\n"
        "however this ends.",
        1, 1, options};
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (!parse_pid(argv[first], &arguments.options.pid)) {
        ouro_command_complain("\"%s\" is not a PID (ouro dump -h explains)", argv[first]);
        return OURO_EXIT_USAGE;
    }
    if (timeout < 1 || timeout > 86400 || threads > 64) {
        ouro_command_complain("--timeout takes 1 to 86400 seconds, --threads at most 64");
        return OURO_EXIT_USAGE;
    }
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
    arguments.options.timeout_ns = timeout * 1000000000u;
    arguments.options.thread_count = (unsigned)threads;
    if (path)
        strcpy(arguments.path, path);
    else
        default_path(&arguments);
    return dump(&arguments);
}
