/* ouro watch: snapshots of a process on an interval or as its memory grows, and what grew between the last of them. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "capture/watch.h"
#include "cmd_dump.h"
#include "command.h"
#include "fail_on.h"
#include "options.h"
#include "render/text.h"
#include "target.h"

#define EVERY_DEFAULT_NS (UINT64_C(600) * 1000000000)
#define EVERY_LEAST_NS   UINT64_C(100000000)
#define LOOK_NS          UINT64_C(1000000000) /* how often its memory is looked at */
#define COMPARED         3                    /* snapshots, at most, that the end compares */
#define SHARE_OF_MEMORY  16 /* a first snapshot is seldom larger than so small a part of the resident memory */

struct watcher {
    struct ouro_watch watch;
    struct ouro_texts when;  /* as given */
    struct ouro_dump_options dump;
    struct ouro_target_bar bar;
    struct ouro_fail_on fail_on; /* parsed at once, so that nobody waits for hours to hear of a mistake */
    const char *output;      /* -o; NULL: here */
    bool folder, json, keep_given;
    uint64_t keep_bytes, last_file_bytes;
    uint64_t start_ticks;    /* of the process that is meant */
    int ended_fd;            /* becomes readable when it ends; -1: not to be had */
    char path[4096];         /* of the snapshot at work */
    char *taken[COMPARED];   /* owned; the last ones, oldest first */
    size_t taken_count;
    bool stop;
    int status;
};

static void watcher_fini(struct watcher *watcher)
{
    for (size_t i = 0; i < COMPARED; i++)
        free(watcher->taken[i]);
    if (watcher->ended_fd >= 0)
        close(watcher->ended_fd);
    ouro_fail_on_fini(&watcher->fail_on);
}

/* --- What was asked for */

static void point_at(const char *text, size_t place)
{
    ouro_command_complain("  %s", text);
    ouro_command_complain("  %*s^", (int)place, "");
}

static bool parse(struct watcher *watcher, bool every)
{
    struct ouro_err err = {0};
    size_t place;
    if (every && watcher->watch.every_ns < EVERY_LEAST_NS) {
        ouro_command_complain("watch: --every: a tenth of a second at least");
        return false;
    }
    for (size_t i = 0; i < watcher->when.count; i++) {
        const char *text = watcher->when.items[i];
        if (i == OURO_WATCH_LINES_MAX) {
            ouro_command_complain("watch: --when can be given %d times at most", OURO_WATCH_LINES_MAX);
            return false;
        }
        if (ouro_watch_line_parse(text, &watcher->watch.lines[i], &place, &err) != OURO_OK) {
            ouro_command_complain("watch: --when: %s", err.msg);
            point_at(text, place);
            return false;
        }
        watcher->watch.line_count++;
    }
    if (!every && !watcher->watch.line_count)
        watcher->watch.every_ns = EVERY_DEFAULT_NS;
    return true;
}

/* --- Where snapshots go */

static int prepare_output(struct watcher *watcher)
{
    struct stat there;
    const char *output = watcher->output;
    if (!output)
        return OURO_EXIT_DONE;
    size_t size = strlen(output);
    if (!size || size + 300 > sizeof watcher->path) {
        ouro_command_complain("watch: no usable folder or beginning of names: \"%s\"", output);
        return OURO_EXIT_USAGE;
    }
    bool exists = !stat(output, &there);
    watcher->folder = output[size - 1] == '/' || (exists && S_ISDIR(there.st_mode));
    if (!watcher->folder || exists)
        return OURO_EXIT_DONE;
    if (mkdir(output, 0700)) {
        ouro_command_complain("watch: can't make the folder %s: %s", output, strerror(errno));
        return OURO_EXIT_OTHER;
    }
    return OURO_EXIT_DONE;
}

/* A name that is not there yet: FOLDER/NAME-PID-TIME.ouro (with -2, -3 .. in the same second), or PREFIX-001.ouro. */
static bool choose_path(struct watcher *watcher)
{
    char name[256];
    struct stat there;
    ouro_cmd_dump_name(watcher->dump.session.pid, NULL, name, sizeof name);
    name[strlen(name) - strlen(".ouro")] = 0;
    for (unsigned i = 1; i < 1000000; i++) {
        char number[16] = "";
        bool prefix = watcher->output && !watcher->folder;
        if (prefix)
            snprintf(number, sizeof number, "-%03u", i);
        else if (i > 1)
            snprintf(number, sizeof number, "-%u", i);
        const char *slash = watcher->folder && watcher->output[strlen(watcher->output) - 1] != '/' ? "/" : "";
        int size = snprintf(watcher->path, sizeof watcher->path, "%s%s%s%s.ouro", watcher->output ? watcher->output : "", slash,
                            prefix ? "" : name, number);
        if (size < 0 || (size_t)size >= sizeof watcher->path)
            return false;
        if (lstat(watcher->path, &there))
            return true; /* whatever else is in the way, the dump says it */
    }
    return false;
}

/* Of the file system that the path's folder is on. False: not known. */
static bool disk_of(const char *path, uint64_t *free_bytes, uint64_t *total_bytes)
{
    char folder[4096];
    struct statvfs disk;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    if (statvfs(slash ? folder : ".", &disk))
        return false;
    *free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    *total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    return true;
}

static void tell_no_room(const struct watcher *watcher, uint64_t free_bytes, uint64_t keep_bytes)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf have = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf keep = {0};
    ouro_text_add_size(&have, free_bytes);
    ouro_text_add_size(&keep, keep_bytes);
    ouro_command_complain("watch: stopped before the disk of %s is full: %s are free, and another snapshot would leave less "
                          "than %s%s (--keep-free)",
                          watcher->path, ouro_buf_text(&have), ouro_buf_text(&keep),
                          watcher->keep_given ? "" : ", a tenth of it");
}

/* --- One snapshot */

static void tell_snapshot(const struct watcher *watcher, const struct ouro_dump_result *result, enum ouro_watch_reason reason,
                          uint64_t rss_bytes)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf line = {0};
    ouro_text_add(&line, watcher->path, strlen(watcher->path));
    ouro_buf_add_text(&line, ": ");
    ouro_text_add_count(&line, result->totals.object_count);
    ouro_buf_add_text(&line, " objects, ");
    ouro_text_add_size(&line, result->totals.size_bytes + result->totals.native_bytes);
    ouro_buf_add_text(&line, "; resident ");
    ouro_text_add_size(&line, rss_bytes);
    if (reason == OURO_WATCH_LINE)
        ouro_buf_addf(&line, " (%s)", watcher->when.items[watcher->watch.line]);
    ouro_cmd_dump_add_stop(&line, result);
    ouro_cmd_dump_add_inexact(&line, &watcher->dump, result);
    if (!ouro_quiet)
        fputs(ouro_buf_text(&line), stderr);
}

static void remember(struct watcher *watcher)
{
    char *copy = strdup(watcher->path);
    if (!copy)
        return;
    if (watcher->taken_count == COMPARED) {
        free(watcher->taken[0]);
        memmove(watcher->taken, watcher->taken + 1, (COMPARED - 1) * sizeof *watcher->taken);
        watcher->taken_count--;
    }
    watcher->taken[watcher->taken_count++] = copy;
}

/* The soft limit of file sizes, so that a snapshot that turns out larger than estimated ends before it eats what is kept free. */
static void limit_file(uint64_t bytes, struct rlimit *before)
{
    getrlimit(RLIMIT_FSIZE, before);
    struct rlimit limit = *before;
    if (bytes < limit.rlim_cur)
        limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void stop(struct watcher *watcher, int status)
{
    watcher->stop = true;
    watcher->status = watcher->status ? watcher->status : status;
}

/* What failed may pass (a process that could not be stopped in time); then the next interval tries again. */
static void fail(struct watcher *watcher, struct ouro_dump_result *result, enum ouro_status status, struct ouro_err *err)
{
    if (status == OURO_CANCELLED) {
        watcher->stop = true;
    } else if (status == OURO_GONE && watcher->watch.taken) {
        ouro_command_note("watch: process %d has ended", (int)watcher->dump.session.pid);
        watcher->stop = true;
    } else if (status == OURO_LIMIT && watcher->watch.taken && !result->output_failed) {
        ouro_command_complain("watch: no snapshot this time: %s", err->msg);
    } else {
        stop(watcher, ouro_cmd_dump_fail(&watcher->dump, result, status, err));
    }
}

static void take(struct watcher *watcher, enum ouro_watch_reason reason, uint64_t rss_bytes)
{
    OURO_GUARD(ouro_dump_result_fini) struct ouro_dump_result result = {0};
    struct ouro_err err = {0};
    uint64_t free_bytes = 0, total_bytes = 0, estimate = watcher->last_file_bytes + watcher->last_file_bytes / 10;
    if (!choose_path(watcher)) {
        ouro_command_complain("watch: no name is left for a snapshot in %s", watcher->output ? watcher->output : ".");
        stop(watcher, OURO_EXIT_OTHER);
        return;
    }
    bool known = disk_of(watcher->path, &free_bytes, &total_bytes);
    uint64_t keep = watcher->keep_given ? watcher->keep_bytes : total_bytes / 10;
    if (!estimate && keep)
        estimate = rss_bytes / SHARE_OF_MEMORY;
    if (known && !ouro_watch_has_room(free_bytes, keep, estimate)) {
        tell_no_room(watcher, free_bytes, keep);
        stop(watcher, OURO_EXIT_OTHER);
        return;
    }
    struct rlimit before;
    limit_file(known && keep ? free_bytes - keep : UINT64_MAX, &before);
    watcher->dump.path = watcher->path;
    enum ouro_status status = ouro_dump(&watcher->dump, &result, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    ouro_target_bar_clear(&watcher->bar);
    uint64_t now = ouro_clock_ns();
    if (status != OURO_OK && result.output_failed && err.sys_errno == EFBIG && known && keep) {
        tell_no_room(watcher, free_bytes, keep);
        stop(watcher, OURO_EXIT_OTHER);
    } else if (status != OURO_OK) {
        fail(watcher, &result, status, &err);
        if (!watcher->stop && watcher->watch.every_ns)
            watcher->watch.next_ns = now + watcher->watch.every_ns;
    } else {
        ouro_watch_taken(&watcher->watch, now, rss_bytes);
        watcher->last_file_bytes = result.file_bytes;
        remember(watcher);
        tell_snapshot(watcher, &result, reason, rss_bytes);
    }
}

/* --- The loop */

/* Until the next look is due, the process ends, or a signal asks to stop. Signals are let in only while it waits: none is
 * missed between looking at the flag and waiting. */
static void wait_until(struct watcher *watcher, uint64_t due_ns)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct pollfd ended = {.fd = watcher->ended_fd, .events = POLLIN};
    sigset_t block, before;
    sigemptyset(&block);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&block, signals[i]);
    sigprocmask(SIG_BLOCK, &block, &before);
    uint64_t now = ouro_clock_ns(), left = due_ns > now ? due_ns - now : 0;
    if (left > LOOK_NS && (watcher->ended_fd < 0 || watcher->watch.line_count))
        left = LOOK_NS;
    struct timespec time = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    if (!ouro_interrupted && left)
        ppoll(&ended, 1, &time, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Whether it is still the same process. */
static bool look(struct watcher *watcher, struct ouro_watch_look *found)
{
    struct ouro_err err = {0};
    pid_t pid = watcher->dump.session.pid;
    enum ouro_status status = ouro_watch_look(pid, found, &err);
    if (status == OURO_OK && !watcher->start_ticks) {
        watcher->start_ticks = watcher->dump.session.start_ticks = found->start_ticks;
        watcher->ended_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    }
    if (status == OURO_OK && found->start_ticks == watcher->start_ticks)
        return true;
    if (!watcher->watch.taken) {
        stop(watcher, ouro_command_fail_target(status, &err));
    } else {
        ouro_command_note("watch: process %d has ended", (int)pid);
        watcher->stop = true;
    }
    return false;
}

static void run(struct watcher *watcher)
{
    while (!watcher->stop && !ouro_interrupted) {
        struct ouro_watch_look found;
        if (!look(watcher, &found))
            return;
        enum ouro_watch_reason reason = ouro_watch_decide(&watcher->watch, ouro_clock_ns(), found.rss_bytes);
        if (reason == OURO_WATCH_ENOUGH)
            return;
        if (reason == OURO_WATCH_WAIT)
            wait_until(watcher, watcher->watch.every_ns ? watcher->watch.next_ns : UINT64_MAX);
        else
            take(watcher, reason, found.rss_bytes);
    }
}

/* As `ouro diff` does it. */
static int compare(struct watcher *watcher)
{
    char name[] = "diff", json[] = "--json", end[] = "--", fail_on[] = "--fail-on", suppress[] = "--suppress";
    const struct ouro_texts *conditions = &watcher->fail_on.conditions, *files = &watcher->fail_on.files;
    int count = 0;
    if (watcher->taken_count < 2) {
        bool asked = watcher->taken_count && conditions->count;
        if (asked)
            ouro_command_complain("watch: there is one snapshot only: what --fail-on asks can't be told");
        else if (watcher->taken_count)
            ouro_command_note("watch: there is one snapshot only, and nothing to compare it with");
        else if (!watcher->status)
            ouro_command_complain("watch: stopped before there was a snapshot");
        return watcher->taken_count && !asked ? OURO_EXIT_DONE : OURO_EXIT_OTHER;
    }
    OURO_FREE char **arguments = calloc(COMPARED + 4 + 2 * (conditions->count + files->count), sizeof *arguments);
    if (!arguments) {
        ouro_command_complain("watch: out of memory");
        return OURO_EXIT_OTHER;
    }
    arguments[count++] = name;
    if (watcher->json)
        arguments[count++] = json;
    for (size_t i = 0; i < conditions->count; i++) {
        arguments[count++] = fail_on;
        arguments[count++] = (char *)conditions->items[i];
    }
    for (size_t i = 0; i < files->count; i++) {
        arguments[count++] = suppress;
        arguments[count++] = (char *)files->items[i];
    }
    arguments[count++] = end;
    for (size_t i = 0; i < watcher->taken_count; i++)
        arguments[count++] = watcher->taken[i];
    arguments[count] = NULL;
    return ouro_cmd_diff(count, arguments);
}

int ouro_cmd_watch(int argc, char **argv)
{
    static const char *const value_names[] = {"short", "full", "none", NULL};
    OURO_GUARD(watcher_fini) struct watcher watcher = {.ended_fd = -1, .fail_on = {.command = "watch"}};
    struct ouro_target_options target = OURO_TARGET_OPTIONS_INIT;
    bool every = false;
    bool counted = false;
    int values = OURO_VALUES_SHORT, first, status;
    const struct ouro_option options[] = {
        {'e',                                                           "every", OURO_OPTION_DURATION, &watcher.watch.every_ns, &every, "TIME",
         "on this interval: 10s, 5m, 1h (default 10m, without --when)", NULL},
        {'w',                                         "when", OURO_OPTION_LIST, &watcher.when, NULL, "LINE",
         "when resident memory crosses a line: rss>2G; rss+20%\nor rss+500M: more than at the last snapshot", NULL},
        {'c',                                                       "count", OURO_OPTION_COUNT, &watcher.watch.count, &counted, "N",
         "so many snapshots (default: until it ends, or Ctrl-C)", NULL},
        {'o', "output", OURO_OPTION_TEXT, &watcher.output, NULL, "FOLDER|PREFIX",
         "where to: a folder (that is there, or with a / at its\nend), or PREFIX-001.ouro, PREFIX-002.ouro ...", NULL},
        {0,                                                             "keep-free", OURO_OPTION_SIZE, &watcher.keep_bytes, &watcher.keep_given, "SIZE",
         "stop before less of the disk is free (default: a tenth)", NULL},
        {0,               "values", OURO_OPTION_CHOICE, &values, NULL, "HOW", "as of ouro dump", value_names},
        {0,                                                "mode", OURO_OPTION_CHOICE, &target.mode, &target.mode_given, "MODE", "as of ouro dump",
         ouro_target_mode_names},
        {0,                                                       "max-pause", OURO_OPTION_DURATION, &target.session.max_pause_ns, &target.max_pause_given, "TIME",
         "as of ouro dump", NULL},
        {0,                                                         "no-sandbox", OURO_OPTION_FLAG, &target.session.no_sandbox, NULL, NULL, "as of ouro dump", NULL},
        {0,                                                           "timeout", OURO_OPTION_COUNT, &target.timeout_s, &target.timeout_given, "SECONDS", "as of ouro dump", NULL},
        {0,                                            "threads", OURO_OPTION_COUNT, &target.threads, NULL, "N", "as of ouro dump", NULL},
        {0,                                                     "memory", OURO_OPTION_SIZE, &target.session.memory_bytes, &target.memory_given, "LIMIT", "as of ouro dump",
         NULL},
        {0,       "background", OURO_OPTION_FLAG, &target.session.background, NULL, NULL, "as of ouro dump", NULL},
        OURO_FAIL_ON_OPTIONS(&watcher.fail_on, "'type=app.User count>+100', 'bytes>+10%', 'garbage>0'"),
        {0,                                                             "json", OURO_OPTION_FLAG, &watcher.json, NULL, NULL, "the comparison as JSON", NULL},
        {0                                                    },
    };
    const struct ouro_usage usage = {
        "watch", "PID",
        "Takes snapshots of a process on an interval, or when its memory crosses a line,\n"
        "the first at once; then prints what grew, as ouro diff does with the last two or\n"
        "three. Ends with the process, with Ctrl-C, and before the disk is full.",
        1, 1, options};
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (counted && !watcher.watch.count) {
        ouro_command_complain("watch: --count takes a number from 1 on");
        return OURO_EXIT_USAGE;
    }
    if (!parse(&watcher, every) || !ouro_target_options_finish(&target, usage.command, argv[first], &watcher.bar))
        return OURO_EXIT_USAGE;
    watcher.dump.session = target.session;
    watcher.dump.values = (enum ouro_values)values;
    watcher.dump.codec = ouro_codec_default();
    if ((status = ouro_fail_on_init(&watcher.fail_on, &ouro_fail_on_diff_scope)) || (status = prepare_output(&watcher)))
        return status;
    run(&watcher);
    status = compare(&watcher);
    return watcher.status ? watcher.status : status;
}
