#include "capture/session.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "capture/live.h"
#include "capture/mode.h"
#include "cpython/type.h"
#include "emulate/machine.h"

const char *ouro_session_sandbox_name(enum ouro_session_sandbox sandbox)
{
    static const char *const names[] = {"yes", "none", "off"};
    return names[sandbox];
}

const char *ouro_session_mode_name(enum ouro_session_mode mode)
{
    static const char *const names[] = {"auto", "pause", "fork", "live"};
    return names[mode];
}

void ouro_session_progress(const struct ouro_session *session, enum ouro_session_phase phase, double part)
{
    if (session->options.progress)
        session->options.progress(session->options.progress_context, phase, part);
}

enum ouro_status ouro_session_check_cancel(const struct ouro_session *session, struct ouro_err *err)
{
    if (session->options.cancel && *session->options.cancel)
        return ouro_err_set(err, OURO_CANCELLED, "cancelled");
    return OURO_OK;
}

#define STOP_LEAST_NS UINT64_C(100000000) /* how long a stop may take even when the time is nearly over */
#define COLLECTING_NAP_NS 20000           /* the kernel makes about 70 us of it */
#define EXECS_MAX 5u                           /* other programs that are looked at one after the other */
#define STOP_SLICE_NS UINT64_C(500000000) /* of an attempt to stop, before we look whether we shall give up */
#define STUCK_NS UINT64_C(500000000)      /* a collection that has given up the GIL and lasts as long won't end for us */

/* Waits, while the target runs, until it seems to be between two collections: a program may collect again and again
 * with hardly a gap, and a stop at random would rarely meet one. *stuck: there was none, and won't be soon: the collector itself
 * never gives up the GIL, so a finalizer or callback runs that has; or the time is over. */
static enum ouro_status wait_for_gap(struct ouro_session *session, uint64_t deadline_ns, bool *stuck,
                                     struct ouro_err *err)
{
    struct ouro_runtime_collecting first = {0}, now;
    bool gave_up = false;
    uint64_t started = ouro_clock_ns();
    for (bool begun = false; !*stuck; begun = true) {
        OURO_TRY(ouro_session_check_cancel(session, err));
        enum ouro_status status =
            ouro_runtime_collecting(&session->runtime, ouro_process_space(session->process), &now);
        if (status != OURO_OK || !now.running)
            return OURO_OK; /* it may have ended: the stop tells */
        if (!begun)
            first = now;
        gave_up = gave_up || !now.gil_holder || now.gil_holder != first.gil_holder;
        uint64_t at = ouro_clock_ns();
        *stuck = at >= deadline_ns || (gave_up && at - started >= STUCK_NS);
        ouro_clock_nap(COLLECTING_NAP_NS);
    }
    return OURO_OK;
}

/* A stop that can be cancelled. */
static enum ouro_status stop_within(struct ouro_session *session, uint64_t left_ns, struct ouro_err *err)
{
    uint64_t until = ouro_clock_ns() + left_ns;
    for (;;) {
        uint64_t now = ouro_clock_ns(), left = until > now ? until - now : 0;
        OURO_TRY(ouro_session_check_cancel(session, err));
        enum ouro_status status = ouro_process_stop(session->process, left < STOP_SLICE_NS ? left : STOP_SLICE_NS, err);
        if (status != OURO_LIMIT || left <= STOP_SLICE_NS)
            return status;
    }
}

static bool is_replaced(const struct ouro_session *session)
{
    return ouro_process_program(session->options.pid) != session->program;
}

/* By stopping it: the collector must run on at once. */
static enum ouro_status take_stopped(struct ouro_session *session, uint64_t timeout_ns, bool anyway, bool *collecting,
                                     struct ouro_err *err)
{
    struct ouro_runtime_collecting now;
    ouro_process_hold_at_most(session->process, ouro_mode_hold_ns(session));
    OURO_TRY(stop_within(session, timeout_ns, err));
    enum ouro_status status = ouro_runtime_collecting(&session->runtime, ouro_process_space(session->process), &now);
    *collecting = status == OURO_OK && now.running;
    if (status == OURO_OK && (!*collecting || anyway))
        return OURO_OK;
    ouro_process_resume(session->process);
    return status == OURO_OK ? OURO_OK
                             : ouro_err_set(err, status, "the interpreters of process %d can't be read", (int)session->options.pid);
}

/* At a moment when no collection is running. One that does not end is taken as it is. */
static enum ouro_status take_between_collections(struct ouro_session *session,
                                                 enum ouro_status (*take)(struct ouro_session *session, uint64_t timeout_ns,
                                                                          bool anyway, bool *collecting, struct ouro_err *err),
                                                 struct ouro_err *err)
{
    uint64_t deadline = ouro_clock_ns() + session->options.timeout_ns;
    for (bool stuck = false;;) {
        uint64_t now = ouro_clock_ns();
        OURO_TRY(ouro_session_check_cancel(session, err));
        uint64_t left = stuck ? session->options.timeout_ns : deadline > now + STOP_LEAST_NS ? deadline - now : STOP_LEAST_NS;
        OURO_TRY(take(session, left, stuck, &session->collecting, err));
        session->stop_count++;
        if (is_replaced(session)) {
            ouro_process_resume(session->process);
            return ouro_err_set(err, OURO_GONE, "process %d executed another program meanwhile", (int)session->options.pid);
        }
        if (!session->collecting || stuck)
            return OURO_OK;
        OURO_TRY(wait_for_gap(session, deadline, &stuck, err));
    }
}

/* Why no runtime was found in a core: most often what it should be read from is not there. */
static enum ouro_status explain_core(const struct ouro_session *session, enum ouro_status status, struct ouro_err *err)
{
    const struct ouro_runtime *runtime = &session->runtime;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf why = {0};
    if (!err)
        return status;
    if (runtime->module) {
        if (!ouro_core_holds(session->core, &session->image, runtime->addr, runtime->size, &why))
            ouro_err_set(err, OURO_OK, "the core does not hold _PyRuntime: %s", ouro_buf_text(&why));
        return status;
    }
    if (!session->core->mappings.count)
        return ouro_err_set(err, OURO_BADDATA, "%s names no files of the process (NT_FILE): cut off, or not written by "
                            "Linux or gdb; without its program and libraries nothing can be read", session->options.core);
    ouro_core_add_lacks(session->core, &why);
    const char *unused = why.size ? memmem(why.data, why.size, " not used: ", 11) : NULL;
    while (unused && unused > (const char *)why.data && unused[-1])
        unused--;
    return unused ? ouro_err_set(err, status, "no file with _PyRuntime: not CPython, or its program is missing (--exe FILE "
                                 "gives it): %s", unused)
                  : status;
}

static enum ouro_status open_core(struct ouro_session *session, struct ouro_err *err)
{
    const struct ouro_session_options *options = &session->options;
    OURO_TRY(ouro_core_open(&session->core, options->core, &options->core_options, err));
    session->options.pid = session->core->pid;
    OURO_TRY(ouro_image_of_core(&session->image, session->core, err));
    OURO_TRY(ouro_core_maps(session->core, &session->maps, err));
    OURO_TRY(ouro_modules_read_core(&session->modules, session->core, &session->maps, err));
    enum ouro_status status = ouro_runtime_find(&session->runtime, &session->image.space, &session->modules, err);
    return status == OURO_OK ? OURO_OK : explain_core(session, status, err);
}

static enum ouro_status open_process(struct ouro_session *session, struct ouro_err *err)
{
    const struct ouro_session_options *options = &session->options;
    OURO_TRY(ouro_process_open(&session->process, options->pid, err));
    session->source = session->process;
    if (options->start_ticks && ouro_process_start_ticks(session->process) != options->start_ticks)
        return ouro_err_set(err, OURO_GONE, "process %d ended; another has its number by now", (int)options->pid);
    session->program = ouro_process_program(options->pid);
    OURO_TRY(ouro_maps_read(&session->maps, options->pid, false, err));
    OURO_TRY(ouro_modules_read(&session->modules, session->process, &session->maps, err));
    return ouro_runtime_find(&session->runtime, ouro_process_space(session->process), &session->modules, err);
}

enum ouro_status ouro_session_open(struct ouro_session *session, const struct ouro_session_options *options,
                                   struct ouro_err *err)
{
    memset(session, 0, sizeof *session);
    session->options = *options;
    if (!session->options.timeout_ns)
        session->options.timeout_ns = OURO_SESSION_TIMEOUT_NS;
    if (!session->options.thread_count) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        session->options.thread_count = processors < 1                                  ? 1
                                        : processors > (long)OURO_SESSION_THREADS_MAX ? OURO_SESSION_THREADS_MAX
                                                                                       : (unsigned)processors;
    }
    ouro_session_progress(session, OURO_SESSION_PREPARE, 0);
    if (options->core)
        return open_core(session, err);
    return open_process(session, err);
}

/* Another program has taken the place of the one that was found. */
static enum ouro_status open_again(struct ouro_session *session, struct ouro_err *err)
{
    ouro_live_fini(session);
    ouro_mode_fini(session);
    memset(&session->forked, 0, sizeof session->forked);
    session->pause_ns = 0;
    ouro_image_fini(&session->image);
    ouro_modules_fini(&session->modules);
    ouro_maps_fini(&session->maps);
    ouro_process_close(session->process);
    session->process = session->source = NULL;
    memset(&session->runtime, 0, sizeof session->runtime);
    return open_process(session, err);
}

#define IOPRIO_WHO_PROCESS 1 /* of linux/ioprio.h, which older headers lack */
#define IOPRIO_IDLE (3 << 13)

/* What was asked for by --background: of this thread and of those that it starts. Each is only a wish. */
static void recede(void)
{
    const struct sched_param none = {0};
    setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
    sched_setscheduler(0, SCHED_IDLE, &none);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

/* When nothing more is read from it. */
static void let_go(struct ouro_session *session)
{
    ouro_process_resume(session->process);
    if (session->mode == OURO_SESSION_PAUSE)
        session->pause_ns = ouro_process_stopped_ns(session->process);
}

/* Whether the pages are copied, or read as they are asked for, and through how large a window. */
static enum ouro_status plan_memory(struct ouro_session *session, struct ouro_image_options *options, struct ouro_err *err)
{
    struct ouro_budget_request request = {
        .limit_bytes = session->options.memory_bytes,
        .thread_count = session->options.thread_count,
        .spooled = session->spool != NULL,
        .whole_values = session->options.whole_values,
    };
    OURO_TRY(ouro_image_count(session->process, &request.copy_bytes, err));
    OURO_TRY(ouro_budget_plan(&session->budget, &request, err));
    options->window_bytes = session->budget.window_bytes;
    if (options->window_bytes)
        session->options.thread_count = session->budget.thread_count;
    return OURO_OK;
}

/* The target stands still while its pages are read. */
static enum ouro_status copy_stopped(struct ouro_session *session, const struct ouro_image_options *options,
                                     struct ouro_err *err)
{
    struct ouro_image_options bounded = *options;
    OURO_TRY(take_between_collections(session, take_stopped, err));
    session->captured_at = ouro_clock_date();
    bounded.deadline_ns = ouro_mode_deadline_ns(session);
    enum ouro_status status = ouro_image_copy(&session->image, session->source, &bounded, err);
    if (status != OURO_OK || !options->window_bytes)
        let_go(session);
    if (session->image.late)
        ouro_err_set(err, status, "copying process %d takes longer than the %.0f ms that it may stand still; it runs on",
                     (int)session->options.pid, (double)session->options.max_pause_ns / 1e6);
    return status;
}

/* It stands still while the kernel makes a copy of it, whose pages are read while it runs on. */
static enum ouro_status copy_forked(struct ouro_session *session, const struct ouro_image_options *options,
                                    struct ouro_err *err)
{
    struct ouro_image_options whole = *options;
    OURO_TRY(take_between_collections(session, ouro_mode_fork, err));
    whole.kept = session->forked.kept;
    whole.kept_count = session->forked.kept_count;
    enum ouro_status status = ouro_image_copy(&session->image, session->source, &whole, err);
    if (status == OURO_GONE)
        return ouro_err_set(err, status, "process %d ended, or its copy was ended for want of memory", (int)session->options.pid);
    return status;
}

/* Of the program that it executes now. */
static enum ouro_status copy_program(struct ouro_session *session, struct ouro_err *err)
{
    const unsigned threads = session->options.thread_count;
    struct ouro_image_options options = {.thread_count = threads > 2 ? 2 : threads};
    struct ouro_err why = {0};
    char frozen[sizeof session->mode_reason] = "";
    OURO_TRY(plan_memory(session, &options, err));
    if (session->options.mode == OURO_SESSION_LIVE)
        return ouro_live_copy(session, NULL, err);
    if (ouro_live_is_due(session, frozen, sizeof frozen))
        return ouro_live_instead(session, ouro_err_set(err, OURO_LIMIT, "process %d: %s", (int)session->options.pid, frozen), err);
    OURO_TRY(ouro_mode_choose(session, err));
    OURO_TRY(ouro_image_plan(&session->image, session->process, &options, err));
    ouro_session_progress(session, OURO_SESSION_COPY, 0);
    enum ouro_status status = session->mode == OURO_SESSION_FORK ? copy_forked(session, &options, &why)
                                                                 : copy_stopped(session, &options, &why);
    if (status != OURO_OK && session->mode == OURO_SESSION_FORK && ouro_mode_may_pause(session, status, &why))
        status = copy_stopped(session, &options, &why);
    if (status != OURO_OK && session->mode == OURO_SESSION_PAUSE && ouro_mode_may_fork(session))
        status = copy_forked(session, &options, &why);
    if (status != OURO_OK) {
        if (err)
            *err = why;
        ouro_mode_fini(session);
        return session->image.late ? status : ouro_live_instead(session, status, err);
    }
    ouro_session_progress(session, OURO_SESSION_COPY, 1);
    status = ouro_image_finish(&session->image, session->source, err);
    if (session->image.window)
        ouro_budget_pace(&session->budget, session->image.window);
    else
        ouro_mode_release(session);
    return status;
}

enum ouro_status ouro_session_copy(struct ouro_session *session, struct ouro_err *err)
{
    struct stat written;
    if (session->core) {
        if (session->options.background)
            recede();
        if (fstat(session->core->fd, &written) == 0)
            session->captured_at = (double)written.st_mtim.tv_sec + (double)written.st_mtim.tv_nsec / 1e9;
        struct ouro_runtime_collecting collecting;
        if (ouro_runtime_collecting(&session->runtime, &session->image.space, &collecting) != OURO_OK)
            return ouro_err_set(err, OURO_BADDATA, "the interpreters in the core can't be read");
        session->collecting = collecting.running;
        return ouro_session_check_cancel(session, err);
    }
    for (unsigned programs = 1;; programs++) {
        enum ouro_status status = copy_program(session, err);
        bool replaced = status != OURO_CANCELLED && (status == OURO_OK ? session->mode == OURO_SESSION_LIVE : true) &&
                        is_replaced(session);
        if (status == OURO_OK && session->options.background && !(session->image.window && session->mode == OURO_SESSION_PAUSE))
            recede();
        if (!replaced || programs == EXECS_MAX)
            return replaced ? ouro_err_set(err, OURO_GONE, "process %d executes one program after the other",
                                           (int)session->options.pid)
                            : status;
        OURO_TRY(open_again(session, err));
    }
}

enum ouro_status ouro_session_release(struct ouro_session *session, struct ouro_err *err)
{
    struct ouro_window *window = session->image.window;
    /* One that ended when all was read has left nothing out. */
    enum ouro_status status = ouro_window_failed(window) ? ouro_window_check(window, err) : OURO_OK;
    if (window && session->process) {
        let_go(session);
        ouro_mode_release(session);
        if (session->options.background)
            recede();
        session->image.unreadable_bytes = ouro_window_unreadable_bytes(window);
    }
    return status;
}

/* Asks once more for a machine, for the words. */
static void find_why_no_sandbox(struct ouro_session *session)
{
    struct ouro_machine *machine = NULL;
    struct ouro_err err = {0};
    enum ouro_status status = ouro_machine_new(&machine, &session->image, &session->modules, &err);
    ouro_machine_free(machine);
    snprintf(session->no_sandbox_reason, sizeof session->no_sandbox_reason, "%.*s",
             (int)sizeof session->no_sandbox_reason - 1,
             status == OURO_OK ? "no memory for it" : err.msg[0] ? err.msg : ouro_status_name(status));
}

/* What does not fit may be what is cut off. */
static enum ouro_status blame_core(const struct ouro_session *session, enum ouro_status status, struct ouro_err *err)
{
    if (status == OURO_BADDATA && err && session->core && session->core->cut_bytes)
        ouro_err_prefix(err, "the core is cut off before something that is needed");
    return status;
}

static enum ouro_status walk_all(struct ouro_session *session, struct ouro_err *err)
{
    const struct ouro_session_options *options = &session->options;
    enum ouro_status status = session->live
                                  ? ouro_live_init_python(session, err)
                                  : ouro_python_init(&session->python, &session->image, &session->runtime,
                                                     options->no_sandbox ? NULL : &session->modules, err);
    OURO_TRY(blame_core(session, status, err));
    session->sandbox = session->python.sandboxed ? OURO_SESSION_SANDBOX_YES
                       : options->no_sandbox     ? OURO_SESSION_SANDBOX_OFF
                                                 : OURO_SESSION_SANDBOX_NONE;
    if (session->sandbox == OURO_SESSION_SANDBOX_NONE)
        find_why_no_sandbox(session);
    OURO_TRY(ouro_walk_init(&session->walk, &session->python, options->thread_count, options->names_only,
                            options->cancel, err));
    session->walk.states = ouro_session_threads(session, &session->walk.state_count);
    session->walk.checks_per_type = !session->python.sandboxed ? 0 : options->self_check ? UINT32_MAX : OURO_WALK_CHECKS;
    session->walk.torn = session->inconsistent[0];
    if (session->walk.torn && !options->self_check)
        session->walk.checks_per_type = 0; /* torn objects would be taken for visitors that are wrong */
    if (session->image.window && session->spool)
        session->walk.spool = session->spool(session->spool_context);
    ouro_session_progress(session, OURO_SESSION_WALK, 0);
    OURO_TRY(ouro_walk_mark(&session->walk, err));
    return ouro_walk_number(&session->walk, err);
}

enum ouro_status ouro_session_walk(struct ouro_session *session, struct ouro_err *err)
{
    enum ouro_status status = walk_all(session, err);
    /* What makes no sense may be zeroes in place of what could not be read. */
    if (status != OURO_OK || ouro_window_failed(session->image.window))
        OURO_TRY(ouro_window_check(session->image.window, err));
    return status;
}

void ouro_session_close(struct ouro_session *session)
{
    ouro_mode_fini(session);
    ouro_process_close(session->process); /* resumes, should it still stand */
    ouro_walk_fini(&session->walk);
    ouro_python_fini(&session->python);
    ouro_live_fini(session);
    ouro_image_fini(&session->image);
    ouro_modules_fini(&session->modules);
    ouro_maps_fini(&session->maps);
    ouro_core_close(session->core);
    memset(session, 0, sizeof *session);
}

const char *ouro_session_name(const struct ouro_session *session)
{
    return session->core ? session->core->name : session->process ? ouro_process_name(session->process) : "";
}

const char *ouro_session_command(const struct ouro_session *session, size_t *size)
{
    if (!session->core)
        return ouro_process_command(session->process, size);
    *size = session->core->command_bytes;
    return session->core->command ? session->core->command : "";
}

const struct ouro_thread_state *ouro_session_threads(const struct ouro_session *session, size_t *count)
{
    if (!session->core && session->mode == OURO_SESSION_FORK) {
        *count = session->forked.thread_count;
        return session->forked.threads;
    }
    if (!session->core)
        return ouro_process_threads(session->process, count);
    *count = session->core->threads.count;
    return session->core->threads.items;
}

const struct ouro_space *ouro_session_space(const struct ouro_session *session)
{
    return session->core ? &session->image.space : ouro_process_space(session->process);
}

void ouro_session_add_type_name(struct ouro_buf *out, const struct ouro_type *type)
{
    if (type->module && *type->module && strcmp(type->module, "builtins") != 0) {
        ouro_buf_add_text(out, type->module);
        ouro_buf_add_byte(out, '.');
    }
    ouro_buf_add_text(out, type->name ? type->name : "?");
}
