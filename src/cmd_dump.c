/* ouro dump: captures the object graph of a process into a file. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "capture/dump.h"
#include "command.h"
#include "render/json.h"
#include "render/text.h"
#include "target/process.h"

static const char help[] =
    "usage: ouro dump PID [-o FILE] [OPTIONS]\n"
    "\n"
    "Captures the object graph of a running CPython process into a snapshot file. The process stands still only while\n"
    "its memory is copied (about 0.15 s for each GB); it runs none of our code and goes on as it was, however this ends.\n"
    "\n"
    "  -o, --output FILE     where to write it (default: NAME-PID-TIME.ouro here)\n"
    "  -f, --force           overwrite FILE if it is there\n"
    "      --values HOW      short: texts up to 64 bytes, keys up to 256 (default)\n"
    "                        full: whole texts; none: no contents, only names of types, modules, functions, attributes\n"
    "      --timeout SECONDS how long to try to stop it between two garbage collections (default 10)\n"
    "      --threads N       threads that do the work (default: one a processor, at most 4)\n"
    "      --codec NAME      zstd or zlib (default: zstd where it was built in)\n"
    "      --json            the closing line as JSON on standard output\n"
    "  -q, --quiet           no progress, no closing line\n"
    "  -h, --help            this text\n";

enum { OPT_VALUES = 256, OPT_TIMEOUT, OPT_THREADS, OPT_CODEC, OPT_JSON };

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"force", no_argument, NULL, 'f'},
    {"values", required_argument, NULL, OPT_VALUES},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"codec", required_argument, NULL, OPT_CODEC},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct ouro_dump_options options;
    char path[4096];
    bool json, quiet;
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

static bool parse_number(const char *text, double least, double most, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return !errno && end != text && !*end && *value >= least && *value <= most;
}

static int usage(const char *format, const char *what)
{
    fputs("ouro: ", stderr);
    fprintf(stderr, format, what);
    fputs("; see ouro dump --help\n", stderr);
    return OURO_EXIT_USAGE;
}

static int set_values(struct arguments *arguments, const char *text)
{
    if (strcmp(text, "short") == 0)
        arguments->options.values = OURO_VALUES_SHORT;
    else if (strcmp(text, "full") == 0)
        arguments->options.values = OURO_VALUES_FULL;
    else if (strcmp(text, "none") == 0)
        arguments->options.values = OURO_VALUES_NONE;
    else
        return usage("--values takes full, short or none, not '%s'", text);
    return -1;
}

static int set_codec(struct arguments *arguments, const char *text)
{
    if (strcmp(text, "zlib") == 0)
        arguments->options.codec = OURO_CODEC_ZLIB;
    else if (strcmp(text, "zstd") == 0 && ouro_codec_default() == OURO_CODEC_ZSTD)
        arguments->options.codec = OURO_CODEC_ZSTD;
    else if (strcmp(text, "zstd") == 0)
        return usage("this ouro was built without %s", "zstd");
    else
        return usage("--codec takes zstd or zlib, not '%s'", text);
    return -1;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
    double number;
    int option, status = -1;
    while (status < 0 && (option = getopt_long(argc, argv, "+:o:fqh", long_options, NULL)) != -1) {
        switch (option) {
        case 'o':
            if (strlen(optarg) >= sizeof arguments->path || !*optarg)
                return usage("no usable file name: '%s'", optarg);
            strcpy(arguments->path, optarg);
            break;
        case 'f':
            arguments->options.overwrite = true;
            break;
        case 'q':
            arguments->quiet = true;
            break;
        case OPT_JSON:
            arguments->json = true;
            break;
        case OPT_VALUES:
            status = set_values(arguments, optarg);
            break;
        case OPT_CODEC:
            status = set_codec(arguments, optarg);
            break;
        case OPT_TIMEOUT:
            if (!parse_number(optarg, 0.001, 86400, &number))
                return usage("--timeout takes seconds, not '%s'", optarg);
            arguments->options.timeout_ns = (uint64_t)(number * 1e9);
            break;
        case OPT_THREADS:
            if (!parse_number(optarg, 1, 64, &number) || number != (unsigned)number)
                return usage("--threads takes a number from 1 to 64, not '%s'", optarg);
            arguments->options.thread_count = (unsigned)number;
            break;
        case 'h':
            fputs(help, stdout);
            return OURO_EXIT_DONE;
        case ':':
            return usage("option '%s' wants an argument", argv[optind - 1]);
        default:
            return usage("unknown option '%s'", argv[optind - 1]);
        }
    }
    return status;
}

static int parse_all(int argc, char **argv, struct arguments *arguments)
{
    const char *pid = NULL;
    optind = 1;
    while (optind < argc) { /* options may stand before and behind the PID */
        int status = parse(argc, argv, arguments);
        if (status >= 0)
            return status;
        if (optind >= argc)
            break;
        if (pid)
            return usage("one PID, please: what is '%s'?", argv[optind]);
        pid = argv[optind++];
    }
    double number;
    if (!pid)
        return usage("%s", "which process? give its PID");
    if (!parse_number(pid, 1, INT32_MAX, &number) || number != (pid_t)number || strspn(pid, "0123456789") != strlen(pid))
        return usage("'%s' is no PID", pid);
    arguments->options.pid = (pid_t)number;
    return -1;
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
    ouro_out_init(&out, stdout);
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

int ouro_cmd_dump(int argc, char **argv)
{
    struct arguments arguments = {.options = {.codec = ouro_codec_default(), .cancel = &ouro_interrupted}};
    struct bar bar = {.drawn = -1};
    struct ouro_dump_result result;
    struct ouro_err err = {0};
    int status = parse_all(argc, argv, &arguments);
    if (status >= 0)
        return status;
    if (!arguments.path[0])
        default_path(&arguments);
    arguments.options.path = arguments.path;
    if (!arguments.quiet && isatty(STDERR_FILENO)) {
        arguments.options.progress = draw;
        arguments.options.progress_context = &bar;
    }
    enum ouro_status done = ouro_dump(&arguments.options, &result, &err);
    clear_bar(&bar);
    if (done != OURO_OK)
        return ouro_command_fail_target(done, &err);
    if (!arguments.quiet)
        print_closing(&arguments, &result);
    return arguments.json ? print_json(&arguments, &result) : OURO_EXIT_DONE;
}
