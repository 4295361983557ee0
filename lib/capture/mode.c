#include "capture/mode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "target/guardian.h"
#include "target/headroom.h"
#include "target/image_files.h"

/* What is expected; measured figures are in docs/production.md. Rather more than it takes. */
#define STOP_NS          UINT64_C(300000)    /* to stop and resume */
#define COPY_NS_PER_GIB  UINT64_C(180000000) /* of anonymous memory, by two threads */
#define WINDOW_NS_PER_GIB UINT64_C(6000000000) /* read, walked and written through a window (budget.h) */
#define FORK_NS_PER_GIB  UINT64_C(30000000)  /* of resident memory: page tables */
#define SMALL_NS         UINT64_C(15000000)  /* what auto copies without a fork */
#define HOLD_LEAST_NS    UINT64_C(1000000)
#define MIB(bytes)       ((double)(bytes) / 1048576)
#define MS(ns)           ((double)(ns) / 1e6)

static uint64_t expected_ns(uint64_t bytes, uint64_t ns_per_gib)
{
    return STOP_NS + (uint64_t)((double)bytes / (double)(UINT64_C(1) << 30) * (double)ns_per_gib);
}

/* Of the promise a tenth is left for the resume and for what the processor does meanwhile. */
static uint64_t promised_ns(const struct ouro_session *session)
{
    uint64_t most = session->options.max_pause_ns;
    return most ? most - most / 10 : UINT64_MAX;
}

static void give_reason(struct ouro_session *session, enum ouro_session_mode mode, const char *why, const char *more)
{
    session->mode = mode;
    snprintf(session->mode_reason, sizeof session->mode_reason, "%.*s%.*s", (int)sizeof session->mode_reason / 2 - 1, why,
             (int)sizeof session->mode_reason / 2 - 1, more);
}

/* In the guardian's process, while the target stands still. */
static bool is_between_collections(void *context)
{
    const struct ouro_session *session = context;
    struct ouro_runtime_collecting collecting;
    return ouro_runtime_collecting(&session->runtime, ouro_process_space(session->process), &collecting) != OURO_OK ||
           !collecting.running;
}

static enum ouro_status start_guardian(struct ouro_session *session, struct ouro_err *err)
{
    const struct ouro_guardian_options options = {
        .pid = session->options.pid,
        .accept = is_between_collections,
        .context = session,
        .cancel = session->options.cancel,
    };
    return ouro_guardian_start(&session->guardian, &options, err);
}

static enum ouro_status broken_promise(const struct ouro_session *session, uint64_t copy_ns, const char *why, struct ouro_err *err)
{
    return ouro_err_set(err, OURO_LIMIT,
                        "it would stand still for about %.0f ms, longer than the %.0f ms it may: %.150s", MS(copy_ns),
                        MS(session->options.max_pause_ns), why);
}

/* Copying takes too long, or a fork was asked for. */
static enum ouro_status prefer_fork(struct ouro_session *session, const struct ouro_headroom_use *use, uint64_t copy_ns,
                                    struct ouro_err *err)
{
    struct ouro_err why = {0};
    uint64_t promised = promised_ns(session), fork_ns = expected_ns(use->resident_bytes, FORK_NS_PER_GIB);
    char words[128];
    bool window = session->budget.window_bytes != 0;
    enum ouro_status status = session->guardian ? OURO_OK : start_guardian(session, &why);
    if (status == OURO_GONE)
        return ouro_err_set(err, status, "%s", why.msg);
    if (status == OURO_OK && fork_ns <= promised) {
        snprintf(words, sizeof words, "%s its %.0f MiB%s would take about %.0f ms", window ? "reading" : "copying",
                 MIB(use->anonymous_bytes), window ? " bit by bit (--memory)" : "", MS(copy_ns));
        give_reason(session, OURO_SESSION_FORK, session->options.mode == OURO_SESSION_FORK ? "" : words, "");
        return OURO_OK;
    }
    if (status == OURO_OK)
        snprintf(why.msg, sizeof why.msg, "the kernel needs about %.0f ms for a copy of its page tables", MS(fork_ns));
    if (copy_ns > promised)
        return broken_promise(session, copy_ns < fork_ns || status != OURO_OK ? copy_ns : fork_ns, why.msg, err);
    give_reason(session, OURO_SESSION_PAUSE, "no forked copy: ", why.msg);
    return OURO_OK;
}

enum ouro_status ouro_mode_choose(struct ouro_session *session, struct ouro_err *err)
{
    struct ouro_headroom_use use = {0};
    enum ouro_session_mode asked = session->options.mode;
    uint64_t promised = promised_ns(session);
    give_reason(session, asked == OURO_SESSION_AUTO ? OURO_SESSION_PAUSE : asked, "", "");
    if (asked == OURO_SESSION_PAUSE && !session->options.max_pause_ns)
        return OURO_OK;
    if (ouro_headroom_use(session->options.pid, &use, NULL) != OURO_OK) { /* kernels before 4.14 */
        give_reason(session, OURO_SESSION_PAUSE, "its size is not to be seen", "");
        return session->options.max_pause_ns ? start_guardian(session, err) : OURO_OK;
    }
    bool window = session->budget.window_bytes != 0;
    uint64_t copy_ns = expected_ns(use.anonymous_bytes + use.swapped_bytes, window ? WINDOW_NS_PER_GIB : COPY_NS_PER_GIB);
    if (window && copy_ns <= promised && session->options.max_pause_ns) /* how long the walk takes nobody can promise */
        copy_ns = promised + 1;
    if (asked == OURO_SESSION_FORK || copy_ns > promised || (asked == OURO_SESSION_AUTO && copy_ns > SMALL_NS))
        return prefer_fork(session, &use, copy_ns, err);
    if (asked == OURO_SESSION_AUTO) {
        char words[128];
        snprintf(words, sizeof words, "its %.0f MiB are copied in about %.0f ms", MIB(use.anonymous_bytes), MS(copy_ns));
        give_reason(session, OURO_SESSION_PAUSE, words, "");
    }
    if (session->options.max_pause_ns) /* should it take longer after all; before memory is taken, of which the guardian has no use */
        start_guardian(session, NULL);
    return OURO_OK;
}

uint64_t ouro_mode_deadline_ns(const struct ouro_session *session)
{
    uint64_t spent = ouro_process_stopped_ns(session->process), promised = promised_ns(session);
    if (!session->options.max_pause_ns)
        return 0;
    return ouro_clock_ns() + (promised > spent ? promised - spent : 0);
}

uint64_t ouro_mode_hold_ns(const struct ouro_session *session)
{
    uint64_t part = session->options.max_pause_ns / 4;
    return !part ? 0 : part < HOLD_LEAST_NS ? HOLD_LEAST_NS : part;
}

bool ouro_mode_may_fork(struct ouro_session *session)
{
    if (!session->image.late || !session->guardian)
        return false;
    give_reason(session, OURO_SESSION_FORK, "copying took longer than it may stand still", "");
    return true;
}

bool ouro_mode_may_pause(struct ouro_session *session, enum ouro_status status, const struct ouro_err *err)
{
    if (status != OURO_UNSUPPORTED && status != OURO_NOMEM && status != OURO_SYS && status != OURO_DENIED)
        return false;
    if (session->budget.window_bytes && session->options.max_pause_ns) /* nobody can promise how long reading so takes */
        return false;
    give_reason(session, OURO_SESSION_PAUSE, "no forked copy: ", err->msg);
    ouro_mode_fini(session);
    memset(&session->forked, 0, sizeof session->forked);
    return true;
}

/* Seldom: a Yama that knows the target's tracer, but not that of its child. */
static enum ouro_status open_source(struct ouro_session *session, pid_t pid, struct ouro_err *err)
{
    enum ouro_status status = ouro_process_open(&session->source, pid, err);
    if (status == OURO_DENIED)
        return ouro_err_set(err, OURO_DENIED, "it could be made, but reading it is not permitted (kernel.yama.ptrace_scope)");
    if (status == OURO_GONE)
        return ouro_err_set(err, OURO_GONE, "process %d ended, or its copy was ended for want of memory", (int)session->options.pid);
    return status;
}

static void close_source(struct ouro_session *session)
{
    if (session->source != session->process)
        ouro_process_close(session->source);
    session->source = session->process;
}

enum ouro_status ouro_mode_fork(struct ouro_session *session, uint64_t timeout_ns, bool anyway, bool *collecting,
                                struct ouro_err *err)
{
    struct ouro_runtime_collecting now;
    uint64_t spent = session->pause_ns;
    close_source(session);
    enum ouro_status status = ouro_guardian_copy(session->guardian, timeout_ns, ouro_mode_hold_ns(session), anyway,
                                                 &session->forked, err);
    *collecting = status == OURO_OK && !session->forked.pid;
    if (status != OURO_OK || *collecting)
        return status;
    session->pause_ns = session->forked.stopped_ns > spent ? session->forked.stopped_ns : spent;
    session->captured_at = session->forked.at;
    OURO_TRY(open_source(session, session->forked.pid, err));
    status = ouro_runtime_collecting(&session->runtime, ouro_process_space(session->source), &now);
    *collecting = status == OURO_OK && now.running;
    if (status != OURO_OK)
        return ouro_err_set(err, status, "the interpreters of process %d can't be read", (int)session->options.pid);
    return OURO_OK;
}

void ouro_mode_release(struct ouro_session *session)
{
    if (session->source == session->process)
        return;
    if (session->image.window)
        session->image.kept_count = 0;
    if (session->image.files) /* what is read from the process still, constants, the target has too */
        session->image.files->pid = session->options.pid;
    close_source(session);
    ouro_guardian_drop(session->guardian, &session->reap_ns);
}

void ouro_mode_fini(struct ouro_session *session)
{
    close_source(session);
    ouro_guardian_end(session->guardian);
    session->guardian = NULL;
}
