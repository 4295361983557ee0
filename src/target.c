#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "render/text.h"

static void draw(void *context, enum ouro_session_phase phase, double part)
{
    static const char *const names[] = {"preparing", "copying", "walking", "writing"};
    static const double starts[] = {0, 0.05, 0.2, 0.5, 1};
    struct ouro_target_bar *bar = context;
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

void ouro_target_bar_clear(const struct ouro_target_bar *bar)
{
    if (bar->shown)
        fprintf(stderr, "\r%*s\r", 60, "");
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

/* A process or a core, and only what has a meaning for it. */
static bool check_core(const struct ouro_target_options *options, const char *command, const char *pid)
{
    const struct ouro_session_options *session = &options->session;
    const char *wrong = NULL;
    if (!session->core && !pid)
        wrong = "an argument is missing: a PID, or --core FILE";
    else if (session->core && pid)
        wrong = "either a PID or --core FILE, not both";
    else if (session->core && options->timeout_given)
        wrong = "--timeout is for stopping a process: not with --core";
    else if (!session->core && session->core_options.executable)
        wrong = "--exe is for --core FILE: a process tells where its program is";
    else if (!session->core && session->core_options.sysroot)
        wrong = "--sysroot is for --core FILE: a process tells where its files are";
    if (wrong)
        ouro_command_complain("%s: %s (ouro %s -h explains)", command, wrong, command);
    return !wrong;
}

void ouro_target_add_lacks(struct ouro_buf *out, const struct ouro_buf *lacks)
{
    const char *lines = (const char *)lacks->data;
    for (size_t at = 0; at < lacks->size; at += strlen(lines + at) + 1) {
        ouro_text_add(out, lines + at, strlen(lines + at));
        ouro_buf_add_byte(out, '\n');
    }
}

const char *const ouro_target_mode_names[] = {"auto", "pause", "fork", "live", NULL};

static bool check_mode(const struct ouro_target_options *options, const char *command)
{
    const struct ouro_session_options *session = &options->session;
    const char *wrong = NULL;
    if (session->core && options->mode_given)
        wrong = "--mode is how a process is read: not with --core";
    else if (session->core && options->max_pause_given)
        wrong = "--max-pause is about stopping a process: not with --core";
    else if (options->mode == OURO_SESSION_LIVE && options->max_pause_given)
        wrong = "--mode live never stops it: --max-pause has no meaning";
    if (wrong)
        ouro_command_complain("%s: %s (ouro %s -h explains)", command, wrong, command);
    return !wrong;
}

bool ouro_target_options_finish(struct ouro_target_options *options, const char *command, const char *pid,
                                struct ouro_target_bar *bar)
{
    struct ouro_session_options *session = &options->session;
    if (!check_core(options, command, pid))
        return false;
    if (pid && !parse_pid(pid, &session->pid)) {
        ouro_command_complain("\"%s\" is not a PID (ouro %s -h explains)", pid, command);
        return false;
    }
    if (options->timeout_s < 1 || options->timeout_s > 86400 || options->threads > 64) {
        ouro_command_complain("--timeout takes 1 to 86400 seconds, --threads at most 64");
        return false;
    }
    if (session->self_check && session->no_sandbox) {
        ouro_command_complain("--self-check compares with what the sandbox finds out: not with --no-sandbox");
        return false;
    }
    if (options->memory_given && (!session->memory_bytes || session->core)) {
        ouro_command_complain(session->core ? "a core is mapped, not copied: --memory is for processes" : "--memory 0 is too little");
        return false;
    }
    if (!check_mode(options, command))
        return false;
    session->mode = (enum ouro_session_mode)options->mode;
    session->timeout_ns = options->timeout_s * 1000000000u;
    session->thread_count = (unsigned)options->threads;
    session->cancel = &ouro_interrupted;
    *bar = (struct ouro_target_bar){.drawn = -1};
    if (!ouro_quiet && isatty(STDERR_FILENO)) {
        session->progress = draw;
        session->progress_context = bar;
    }
    return true;
}

void ouro_target_add_no_sandbox(struct ouro_buf *out, enum ouro_session_sandbox sandbox, const char *reason)
{
    if (sandbox == OURO_SESSION_SANDBOX_OFF)
        ouro_buf_add_text(out, "; --no-sandbox was given");
    else if (sandbox == OURO_SESSION_SANDBOX_NONE)
        ouro_buf_addf(out, "; there is no sandbox to run their types' code in: %s", reason);
}

uint64_t ouro_target_add_reasons(struct ouro_buf *out, const uint64_t failed[OURO_MACHINE_END_COUNT])
{
    uint64_t sum = 0;
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++) {
        if (!failed[i])
            continue;
        ouro_buf_addf(out, "%s%s (", sum ? ", " : "", ouro_machine_end_name((enum ouro_machine_end)i));
        ouro_text_add_count(out, failed[i]);
        ouro_buf_add_byte(out, ')');
        sum += failed[i];
    }
    return sum;
}
