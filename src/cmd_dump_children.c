/* ouro dump --children: a snapshot of each Python process of a tree, one after the other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "cmd_dump.h"
#include "command.h"
#include "render/text.h"
#include "target/tree.h"

#define OTHERS_NAMED 8 /* of those that are not Python */

enum outcome {
    OUTCOME_NONE, /* not looked at */
    OUTCOME_DONE,
    OUTCOME_FAILED,
    OUTCOME_OTHER, /* not Python */
    OUTCOME_ENDED,
};

struct family {
    struct ouro_dump_options options; /* of each dump; path: below */
    struct ouro_target_bar *bar;
    struct ouro_tree tree;
    enum outcome *outcomes; /* owned: one a process of the tree */
    const char *output;     /* as given; NULL: a name of its own for each, here */
    bool pattern;           /* output has a place for the pid; else it is a folder */
    char path[4096];        /* of the snapshot at work */
    size_t name_width;
    struct ouro_json *json; /* NULL: none */
    int status;             /* of the first that failed */
    bool titled;
};

static void family_fini(struct family *family)
{
    ouro_tree_fini(&family->tree);
    free(family->outcomes);
}

/* A pattern: %p is the pid, %% a percent sign. false: it has anything else behind a %. */
static bool expand(const char *pattern, pid_t pid, char *out, size_t capacity)
{
    size_t used = 0;
    for (const char *at = pattern; *at; at++) {
        int more = 1;
        if (*at == '%' && at[1] == 'p')
            more = snprintf(out + used, capacity - used, "%d", (int)pid);
        else if (*at != '%' || at[1] == '%')
            out[used] = *at;
        else
            return false;
        at += *at == '%';
        used += (size_t)more;
        if (used + 1 >= capacity)
            return false;
    }
    out[used] = 0;
    return true;
}

static bool path_of(struct family *family, pid_t pid)
{
    char name[256];
    if (family->pattern)
        return expand(family->output, pid, family->path, sizeof family->path);
    ouro_cmd_dump_name(pid, NULL, name, sizeof name);
    int size = snprintf(family->path, sizeof family->path, "%s%s%s", family->output ? family->output : "",
                        family->output ? "/" : "", name);
    return size > 0 && (size_t)size < sizeof family->path;
}

/* Before anybody is stopped: whether the snapshots have a place. A folder that is not there is made. */
static int prepare_output(struct family *family)
{
    struct stat there;
    if (!family->output)
        return OURO_EXIT_DONE;
    family->pattern = strstr(family->output, "%p") != NULL;
    if (!*family->output || !path_of(family, INT32_MAX)) {
        ouro_command_complain("no usable folder or pattern: \"%s\" (in a pattern %%p is the pid, %%%% a percent sign)",
                              family->output);
        return OURO_EXIT_USAGE;
    }
    if (family->pattern)
        return OURO_EXIT_DONE;
    if (!stat(family->output, &there) && !S_ISDIR(there.st_mode)) {
        ouro_command_complain("%s is no folder: with --children, -o names a folder, or files by a pattern with %%p",
                              family->output);
        return OURO_EXIT_USAGE;
    }
    if (mkdir(family->output, 0700) && errno != EEXIST) {
        ouro_command_complain("can't make the folder %s: %s", family->output, strerror(errno));
        return OURO_EXIT_OTHER;
    }
    return OURO_EXIT_DONE;
}

static void add_padded(struct ouro_buf *line, unsigned indent, const char *name, size_t width)
{
    ouro_buf_addf(line, "%*s", (int)indent, "");
    ouro_text_add(line, name, strlen(name));
    size_t used = indent + ouro_text_width(name, strlen(name));
    ouro_buf_addf(line, "%*s", used < width ? (int)(width - used) : 0, "");
}

/* How far a process stands to the right of the one that all are below. */
static unsigned indent_of(const struct ouro_tree_process *process)
{
    return process->depth > 10 ? 20 : process->depth * 2;
}

static void add_titles(struct ouro_buf *line, struct family *family)
{
    if (family->titled)
        return;
    family->titled = true;
    ouro_buf_add_text(line, "    PID  ");
    add_padded(line, 0, "process", family->name_width);
    ouro_buf_add_text(line, "  Python       objects        size  stood still  file\n");
}

static void print_done(struct family *family, const struct ouro_tree_process *process,
                       const struct ouro_dump_result *result)
{
    struct ouro_buf line = {0}, number = {0};
    if (ouro_quiet)
        return;
    add_titles(&line, family);
    ouro_buf_addf(&line, "%7d  ", (int)process->pid);
    add_padded(&line, indent_of(process), process->name, family->name_width);
    ouro_text_add_count(&number, result->totals.object_count);
    ouro_buf_addf(&line, "  %-7s  %11s", result->version, ouro_buf_text(&number));
    number.size = 0;
    ouro_text_add_size(&number, result->totals.size_bytes + result->totals.native_bytes);
    ouro_buf_addf(&line, "  %10s  %8.1f ms  ", ouro_buf_text(&number), (double)result->pause_ns / 1e6);
    ouro_text_add(&line, family->path, strlen(family->path));
    ouro_buf_add_byte(&line, '\n');
    ouro_cmd_dump_add_inexact(&line, &family->options, result);
    fputs(ouro_buf_text(&line), stderr);
    ouro_buf_fini(&line);
    ouro_buf_fini(&number);
}

/* Opens the process's object; the figures of a dump name its pid themselves. */
static void put_identity(struct ouro_json *json, const struct ouro_tree_process *process, bool with_pid)
{
    ouro_json_object(json, NULL);
    if (with_pid)
        ouro_json_int(json, "pid", process->pid);
    ouro_json_int(json, "parent", process->parent);
    ouro_json_string(json, "name", process->name);
}

/* Which process it was, where the words do not say. */
static void name_process(struct ouro_err *err, const struct ouro_tree_process *process)
{
    char number[32];
    snprintf(number, sizeof number, "process %d", (int)process->pid);
    if (!strstr(err->msg, number))
        ouro_err_prefix(err, "%s (%s)", number, process->name);
}

static enum outcome fail(struct family *family, const struct ouro_tree_process *process,
                         const struct ouro_dump_result *result, enum ouro_status status, struct ouro_err *err)
{
    if (!result->output_failed && status != OURO_CANCELLED && !ouro_tree_lives(process))
        return OUTCOME_ENDED;
    if (result->not_python)
        return OUTCOME_OTHER;
    if (!err->msg[0])
        ouro_err_set(err, status, "%s", ouro_status_name(status));
    name_process(err, process);
    int exit_status = ouro_cmd_dump_fail(&family->options, result, status, err);
    if (family->status == OURO_EXIT_DONE)
        family->status = exit_status;
    if (family->json) {
        put_identity(family->json, process, true);
        ouro_json_string(family->json, "error", err->msg);
        ouro_json_end(family->json);
    }
    return OUTCOME_FAILED;
}

static enum outcome dump_one(struct family *family, const struct ouro_tree_process *process)
{
    OURO_GUARD(ouro_dump_result_fini) struct ouro_dump_result result = {0};
    struct ouro_err err = {0};
    if (process->state == 'Z' || process->state == 'X')
        return OUTCOME_ENDED;
    family->options.path = family->path;
    if (!path_of(family, process->pid)) { /* prepare_output tried another name */
        family->path[0] = 0;
        ouro_err_set(&err, OURO_INVAL, "the name of its file would be too long");
        result.output_failed = true;
        return fail(family, process, &result, OURO_INVAL, &err);
    }
    family->options.session.pid = process->pid;
    family->options.session.start_ticks = process->start_ticks;
    family->bar->drawn = -1;
    enum ouro_status status = ouro_dump(&family->options, &result, &err);
    ouro_target_bar_clear(family->bar);
    if (status != OURO_OK)
        return fail(family, process, &result, status, &err);
    print_done(family, process, &result);
    if (family->json) {
        put_identity(family->json, process, false);
        ouro_cmd_dump_put_figures(family->json, &family->options, &result);
        ouro_json_end(family->json);
    }
    return OUTCOME_DONE;
}

static size_t count_of(const struct family *family, enum outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < family->tree.count; i++)
        count += family->outcomes[i] == outcome;
    return count;
}

/* "2 are not Python: 4712 sh, 4713 redis-server" */
static void add_named(struct ouro_buf *line, const struct family *family, enum outcome outcome, const char *one,
                      const char *more)
{
    size_t count = count_of(family, outcome), named = 0;
    if (!count)
        return;
    ouro_text_add_count(line, count);
    ouro_buf_addf(line, " %s: ", count == 1 ? one : more);
    for (size_t i = 0; i < family->tree.count && named < OTHERS_NAMED; i++) {
        const struct ouro_tree_process *process = &family->tree.items[i];
        if (family->outcomes[i] != outcome)
            continue;
        ouro_buf_addf(line, "%s%d ", named++ ? ", " : "", (int)process->pid);
        ouro_text_add(line, process->name, strlen(process->name));
    }
    if (count > named)
        ouro_buf_addf(line, " and %zu more", count - named);
    ouro_buf_add_byte(line, '\n');
}

static void print_totals(const struct family *family)
{
    struct ouro_buf line = {0};
    size_t done = count_of(family, OUTCOME_DONE), failed = count_of(family, OUTCOME_FAILED);
    if (ouro_quiet)
        return;
    if (done + failed) {
        ouro_buf_addf(&line, "%zu %s captured", done, done == 1 ? "process" : "processes");
        if (failed)
            ouro_buf_addf(&line, ", %zu could not be", failed);
        ouro_buf_add_byte(&line, '\n');
    }
    add_named(&line, family, OUTCOME_OTHER, "is not Python", "are not Python");
    add_named(&line, family, OUTCOME_ENDED, "ended meanwhile", "ended meanwhile");
    fputs(ouro_buf_text(&line), stderr);
    ouro_buf_fini(&line);
}

static void put_named(const struct family *family, const char *key, enum outcome outcome)
{
    ouro_json_array(family->json, key);
    for (size_t i = 0; i < family->tree.count; i++)
        if (family->outcomes[i] == outcome) {
            put_identity(family->json, &family->tree.items[i], true);
            ouro_json_end(family->json);
        }
    ouro_json_end(family->json);
}

static void dump_all(struct family *family)
{
    if (family->json) {
        ouro_json_object(family->json, NULL);
        ouro_json_array(family->json, "processes");
    }
    for (size_t i = 0; i < family->tree.count && !ouro_interrupted; i++)
        if (family->tree.items[i].pid != getpid()) /* a shell's children: ouro is one of them */
            family->outcomes[i] = dump_one(family, &family->tree.items[i]);
    if (family->json) {
        ouro_json_end(family->json);
        put_named(family, "not_python", OUTCOME_OTHER);
        put_named(family, "ended", OUTCOME_ENDED);
        ouro_json_end(family->json);
    }
    if (family->status == OURO_EXIT_DONE && !ouro_interrupted && !count_of(family, OUTCOME_DONE)) {
        ouro_command_complain("there is no Python process among %d and those below it", (int)family->tree.items[0].pid);
        family->status = OURO_EXIT_TARGET;
    }
    print_totals(family);
}

static enum ouro_status read_family(struct family *family, struct ouro_err *err)
{
    OURO_TRY(ouro_tree_read(&family->tree, family->options.session.pid, err));
    family->outcomes = calloc(family->tree.count, sizeof *family->outcomes);
    if (!family->outcomes)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of processes");
    family->name_width = strlen("process");
    for (size_t i = 0; i < family->tree.count; i++) {
        const struct ouro_tree_process *process = &family->tree.items[i];
        size_t width = indent_of(process) + ouro_text_width(process->name, strlen(process->name));
        if (width > family->name_width)
            family->name_width = width;
    }
    return OURO_OK;
}

int ouro_cmd_dump_children(const struct ouro_dump_options *options, const char *output, struct ouro_target_bar *bar,
                           bool json)
{
    OURO_GUARD(family_fini) struct family family = {.options = *options, .output = output, .bar = bar};
    struct ouro_err err = {0};
    struct ouro_out out;
    struct ouro_json writer;
    enum ouro_status status = read_family(&family, &err);
    if (status != OURO_OK)
        return ouro_command_fail_target(status, &err);
    int exit_status = prepare_output(&family);
    if (exit_status != OURO_EXIT_DONE)
        return exit_status;
    if (json) {
        ouro_out_init(&out, STDOUT_FILENO);
        ouro_json_init(&writer, &out);
        family.json = &writer;
    }
    dump_all(&family);
    exit_status = json ? ouro_command_finish_out(&out) : OURO_EXIT_DONE;
    if (family.status != OURO_EXIT_DONE)
        return family.status;
    return ouro_interrupted ? OURO_EXIT_OTHER : exit_status;
}
