#include "capture/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/guard.h"
#include "cpython/interned.h"
#include "target/lazy.h"
#include "target/still.h"

#define SCOUTS_MAX  20u                    /* of finding out what never changes, while all else does */
#define SCOUT_RANGE_BYTES (UINT64_C(16) << 20)
#define GAP_NS      UINT64_C(1000000000) /* how long a gap between two collections is waited for */
#define NAP_NS      50000

/* What was found out before the copy. */
struct ouro_live {
    struct ouro_image image;
    struct ouro_python python;
    bool has_python;
};

void ouro_live_fini(struct ouro_session *session)
{
    struct ouro_live *live = session->live;
    if (!live)
        return;
    if (live->has_python)
        ouro_python_fini(&live->python);
    ouro_image_fini(&live->image);
    free(live);
    session->live = NULL;
}

static enum ouro_status scout_once(struct ouro_session *session, struct ouro_err *err)
{
    struct ouro_modules *modules = session->options.no_sandbox ? NULL : &session->modules;
    ouro_live_fini(session);
    struct ouro_live *live = session->live = calloc(1, sizeof *live);
    if (!live)
        return ouro_err_set(err, OURO_NOMEM, "no memory");
    OURO_TRY(ouro_image_open_lazy(&live->image, session->process, err));
    live->image.lazy->range_bytes = SCOUT_RANGE_BYTES;
    live->has_python = true;
    return ouro_python_init(&live->python, &live->image, &session->runtime, modules, err);
}

static enum ouro_status scout(struct ouro_session *session, struct ouro_err *err)
{
    enum ouro_status status = OURO_BADDATA;
    for (unsigned i = 0; status == OURO_BADDATA && i < SCOUTS_MAX; i++) {
        OURO_TRY(ouro_session_check_cancel(session, err));
        status = scout_once(session, err);
    }
    return status;
}

static bool collects(const struct ouro_session *session, const struct ouro_space *space)
{
    struct ouro_runtime_collecting collecting;
    return ouro_runtime_collecting(&session->runtime, space, &collecting) == OURO_OK && collecting.running;
}

static void await_gap(const struct ouro_session *session)
{
    uint64_t until = ouro_clock_ns() + GAP_NS;
    while (collects(session, ouro_process_space(session->process)) && ouro_clock_ns() < until &&
           ouro_session_check_cancel(session, NULL) == OURO_OK)
        ouro_clock_nap(NAP_NS);
}

static enum ouro_status copy_once(struct ouro_session *session, bool *held, struct ouro_err *err)
{
    const unsigned threads = session->options.thread_count;
    const struct ouro_image_options options = {.thread_count = threads > 2 ? 2 : threads, .running = true};
    OURO_GUARD(ouro_still_fini) struct ouro_still before = {0};
    OURO_GUARD(ouro_still_fini) struct ouro_still after = {0};
    pid_t pid = session->options.pid;
    *held = false;
    ouro_image_fini(&session->image);
    OURO_TRY(ouro_image_plan(&session->image, session->process, &options, err));
    ouro_process_look(session->process);
    ouro_still_look(&before, pid);
    session->captured_at = ouro_clock_date();
    OURO_TRY(ouro_image_copy(&session->image, session->process, &options, err));
    OURO_TRY(ouro_image_finish(&session->image, session->process, err)); /* which may ask the process for more */
    ouro_still_look(&after, pid);
    *held = ouro_still_is_held(&before) && ouro_still_is_held(&after) && ouro_still_same(&before, &after);
    return OURO_OK;
}

static void note_words(struct ouro_session *session, const char *why, bool held)
{
    session->mode = OURO_SESSION_LIVE;
    session->inconsistent[0] = 0;
    snprintf(session->mode_reason, sizeof session->mode_reason, "%s%s", why ? why : "",
             !held ? "" : why ? "; none of its threads ran meanwhile" : "it is held, and none of its threads ran meanwhile");
    if (!held)
        snprintf(session->inconsistent, sizeof session->inconsistent, "%s", why ? why : "nobody stopped it (--mode live)");
}

enum ouro_status ouro_live_copy(struct ouro_session *session, const char *why, struct ouro_err *err)
{
    bool held = false;
    if (session->budget.window_bytes) /* what is read twice would differ */
        return ouro_err_set(err, OURO_LIMIT, "%s%sreading a process that runs takes memory for all of its pages, more than it may have (--memory)",
                            why ? why : "", why ? "; " : "");
    ouro_process_resume(session->process);
    session->stop_count = 0;
    session->pause_ns = 0;
    OURO_TRY(scout(session, err));
    ouro_session_progress(session, OURO_SESSION_COPY, 0);
    for (unsigned copies = 1;; copies++) {
        OURO_TRY(ouro_session_check_cancel(session, err));
        if (copies < OURO_LIVE_COPIES_MAX)
            await_gap(session);
        enum ouro_status status = copy_once(session, &held, err);
        if (status == OURO_BADDATA && copies < OURO_LIVE_COPIES_MAX)
            continue; /* the list of its mappings changed while we read it */
        OURO_TRY(status);
        session->collecting = collects(session, &session->image.space);
        if (!session->collecting || held || copies == OURO_LIVE_COPIES_MAX)
            break;
    }
    note_words(session, why, held);
    ouro_session_progress(session, OURO_SESSION_COPY, 1);
    return OURO_OK;
}

bool ouro_live_is_due(const struct ouro_session *session, char *why, size_t capacity)
{
    char group[128];
    bool stoppable;
    if (!ouro_still_is_frozen(session->options.pid, group, sizeof group, &stoppable) || stoppable)
        return false;
    snprintf(why, capacity, "its cgroup %s is frozen, so that no thread of it can be stopped", group);
    return true;
}

enum ouro_status ouro_live_instead(struct ouro_session *session, enum ouro_status status, struct ouro_err *err)
{
    struct ouro_err none = {0}, why;
    if (status != OURO_LIMIT && status != OURO_DENIED)
        return status;
    err = err ? err : &none;
    why = *err;
    if (session->options.mode == OURO_SESSION_AUTO)
        return ouro_live_copy(session, why.msg, err);
    size_t used = strlen(err->msg);
    snprintf(err->msg + used, sizeof err->msg - used, "; --mode live reads it without a stop");
    return status;
}

enum ouro_status ouro_live_init_python(struct ouro_session *session, struct ouro_err *err)
{
    struct ouro_live *live = session->live;
    OURO_TRY(ouro_python_init_again(&session->python, &session->image, &live->python, err));
    return ouro_interned_find(&session->python, err);
}
