#include "capture/stack.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/guard.h"
#include "capture/live.h"
#include "capture/stack_walk.h"
#include "target/lazy.h"

#define SCOUT_RANGE_BYTES (UINT64_C(16) << 20) /* the largest table of modules or subclasses */
#define TRIES 5 /* of reading while it runs: what changes under our hands may make no sense */

/* One walk on one image. */
struct look {
    struct ouro_image image;
    struct ouro_python python;
    bool has_python;
};

struct capture {
    struct ouro_session *session;
    struct ouro_stack_walk walk;
    struct look looks[2];
    unsigned present; /* which of them */
    bool stopped;     /* while it walks */
};

static void look_fini(struct look *look)
{
    if (look->has_python)
        ouro_python_fini(&look->python);
    ouro_image_fini(&look->image);
    memset(look, 0, sizeof *look);
}

static void capture_fini(struct capture *capture)
{
    ouro_process_resume(capture->session->process);
    ouro_stack_walk_fini(&capture->walk);
    for (size_t i = 0; i < sizeof capture->looks / sizeof *capture->looks; i++)
        look_fini(&capture->looks[i]);
}

static struct look *other(struct capture *capture)
{
    return &capture->looks[1 - capture->present];
}

/* While it walks: a process must not stand still for long. */
static void tick(void *context)
{
    struct capture *capture = context;
    struct ouro_process *process = capture->session->process;
    if (!capture->stopped || ouro_process_stopped_ns(process) < OURO_STACK_STOPPED_NS)
        return;
    ouro_process_resume(process);
    capture->stopped = false;
    capture->looks[capture->present].image.lazy->sealed = true;
}

/* Finds out what is the same at every moment, or of no matter for what is shown: visitors, layouts, where modules keep their names. */
static enum ouro_status scout(struct capture *capture, struct ouro_err *err)
{
    struct ouro_session *session = capture->session;
    struct look *look = &capture->looks[capture->present];
    struct ouro_modules *modules = session->options.no_sandbox ? NULL : &session->modules;
    look_fini(look);
    OURO_TRY(ouro_image_open_lazy(&look->image, session->process, err));
    look->image.lazy->range_bytes = SCOUT_RANGE_BYTES;
    look->has_python = true;
    OURO_TRY(ouro_python_init(&look->python, &look->image, &session->runtime, modules, err));
    ouro_stack_walk_find(&capture->walk, &look->python, &session->modules);
    return OURO_OK;
}

/* Walks on the other image, with what the present look found out, and makes it the present one. */
static enum ouro_status walk_on(struct capture *capture, struct ouro_err *err)
{
    struct look *from = &capture->looks[capture->present], *to = other(capture);
    to->has_python = true;
    capture->present = 1 - capture->present;
    OURO_TRY(ouro_python_init_again(&to->python, &to->image, &from->python, err));
    ouro_stack_walk_clear(&capture->walk);
    capture->walk.states = ouro_process_threads(capture->session->process, &capture->walk.state_count);
    enum ouro_status status = ouro_stack_walk_run(&capture->walk, &to->python, err);
    return to->image.lazy->out_of_memory ? ouro_err_set(err, OURO_NOMEM, "no memory for the copy") : status;
}

/* Without stopping it: which pages are needed. */
static enum ouro_status learn(struct capture *capture, struct ouro_err *err)
{
    enum ouro_status status = OURO_OK;
    for (unsigned i = 0; i < TRIES; i++) {
        OURO_TRY(ouro_session_check_cancel(capture->session, err));
        ouro_process_look(capture->session->process);
        status = scout(capture, err);
        look_fini(other(capture));
        if (status == OURO_OK)
            status = ouro_image_open_lazy(&other(capture)->image, capture->session->process, err);
        if (status == OURO_OK)
            status = walk_on(capture, err);
        if (status != OURO_BADDATA)
            break;
    }
    return status;
}

static enum ouro_status prepare(struct capture *capture, struct ouro_err *err)
{
    struct look *next = other(capture);
    look_fini(next);
    OURO_TRY(ouro_image_open_lazy(&next->image, capture->session->process, err));
    return ouro_lazy_plan(&next->image, &capture->looks[capture->present].image, err);
}

struct copying {
    struct ouro_image *image;
    struct ouro_err *err;
    enum ouro_status status;
};

static void copy(void *context, enum ouro_stop_moment moment)
{
    struct copying *copying = context;
    if (moment == OURO_STOP_SOON)
        ouro_lazy_rehearse(copying->image);
    else if (moment == OURO_STOP_BEGUN)
        ouro_lazy_begin(copying->image);
    else
        copying->status = ouro_lazy_copy(copying->image, copying->err);
}

static void note_stop(struct ouro_session *session)
{
    uint64_t pause_ns = ouro_process_stopped_ns(session->process);
    session->pause_ns = pause_ns > session->pause_ns ? pause_ns : session->pause_ns;
}

/* One stop for nothing but reading, and the walk on what was read. */
static enum ouro_status stop_and_walk(struct capture *capture, struct ouro_err *err)
{
    struct ouro_session *session = capture->session;
    struct copying copying = {.image = &other(capture)->image, .err = err};
    OURO_TRY(prepare(capture, err));
    OURO_TRY(ouro_process_stop_for(session->process, session->options.timeout_ns, copy, &copying, err));
    session->captured_at = ouro_clock_date();
    note_stop(session);
    OURO_TRY(copying.status);
    OURO_TRY(ouro_lazy_finish(copying.image, err));
    copying.image->lazy->sealed = true;
    return walk_on(capture, err);
}

/* The last one: the walk is made while it stands still. */
static enum ouro_status stop_and_stay(struct capture *capture, struct ouro_err *err)
{
    struct ouro_session *session = capture->session;
    OURO_TRY(ouro_process_stop(session->process, session->options.timeout_ns, err));
    capture->stopped = true;
    session->captured_at = ouro_clock_date();
    enum ouro_status status = prepare(capture, err);
    if (status == OURO_OK)
        status = ouro_lazy_copy(&other(capture)->image, err);
    if (status == OURO_OK)
        status = ouro_lazy_finish(&other(capture)->image, err);
    if (status == OURO_OK)
        status = walk_on(capture, err);
    ouro_process_resume(session->process);
    capture->stopped = false;
    note_stop(session);
    return status;
}

static enum ouro_status look_at_one_moment(struct capture *capture, struct ouro_err *err)
{
    struct ouro_session *session = capture->session;
    bool moves = false; /* it needed pages that it hadn't before */
    session->inconsistent[0] = 0;
    for (unsigned stop = 1; stop <= OURO_STACK_STOPS_MAX; stop++) {
        OURO_TRY(ouro_session_check_cancel(session, err));
        session->stop_count = stop;
        enum ouro_status status = moves && stop == OURO_STACK_STOPS_MAX ? stop_and_stay(capture, err) : stop_and_walk(capture, err);
        if (status == OURO_BADDATA && stop < OURO_STACK_STOPS_MAX) {
            moves = true;
            continue;
        }
        OURO_TRY(status);
        const struct ouro_lazy *lazy = capture->looks[capture->present].image.lazy;
        moves = lazy->late_count || lazy->outside_count;
        if (!moves && !capture->walk.torn_count)
            return OURO_OK;
        if (stop == OURO_STACK_STOPS_MAX && lazy->late_count)
            snprintf(session->inconsistent, sizeof session->inconsistent,
                     "%llu pages were read while it ran on: it may not stand still for longer than %u ms",
                     (unsigned long long)lazy->late_count, (unsigned)(OURO_STACK_STOPPED_NS / 1000000u));
    }
    return OURO_OK;
}

/* From the last look to a walk that can be written down. */
static enum ouro_status number(struct capture *capture, struct ouro_err *err)
{
    struct ouro_session *session = capture->session;
    struct look *look = &capture->looks[capture->present];
    OURO_FREE struct ouro_walk_choice *choices = ouro_stack_walk_choices(&capture->walk);
    if (!choices)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the walk");
    session->left_out_count = capture->walk.left_out_count + look->image.lazy->refused_count;
    OURO_TRY(ouro_lazy_compact(&look->image, &session->image, err));
    OURO_TRY(ouro_python_init_again(&session->python, &session->image, &look->python, err));
    for (int i = 0; i < OURO_UNREADABLE_COUNT; i++)
        session->python.unreadable[i] = look->python.unreadable[i];
    session->sandbox = session->python.sandboxed       ? OURO_SESSION_SANDBOX_YES
                       : session->options.no_sandbox ? OURO_SESSION_SANDBOX_OFF
                                                     : OURO_SESSION_SANDBOX_NONE;
    OURO_TRY(ouro_walk_init(&session->walk, &session->python, 1, session->options.names_only, session->options.cancel, err));
    OURO_TRY(ouro_walk_choose(&session->walk, choices, capture->walk.objects.count, err));
    return ouro_walk_number(&session->walk, err);
}

enum ouro_status ouro_stack_capture(struct ouro_session *session, struct ouro_err *err)
{
    OURO_GUARD(capture_fini) struct capture capture = {.session = session};
    struct ouro_err why = {0};
    capture.walk.tick = tick;
    capture.walk.tick_context = &capture;
    session->stacks_only = true;
    OURO_TRY(learn(&capture, err));
    session->captured_at = ouro_clock_date();
    char frozen[128];
    session->mode = OURO_SESSION_PAUSE;
    enum ouro_status status = ouro_live_is_due(session, frozen, sizeof frozen)
                                  ? ouro_err_set(&why, OURO_LIMIT, "%s", frozen)
                                  : look_at_one_moment(&capture, &why);
    if (status == OURO_LIMIT || status == OURO_DENIED) /* a thread does not stop: what was read while all ran has to do */
        session->mode = OURO_SESSION_LIVE;
    if (session->mode == OURO_SESSION_LIVE)
        snprintf(session->inconsistent, sizeof session->inconsistent, "%s", why.msg);
    else if (status != OURO_OK)
        return ouro_err_set(err, status, "%s", why.msg);
    return number(&capture, err);
}
