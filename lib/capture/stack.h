/* What stacks need of a process, with a stop of as little as there can be.
 *
 * Nothing but reading happens while the target stands still. Beforehand, while it runs, the walk for stacks (stack_walk.h) tells which
 * pages it needs; these are read in one go during the stop, and the walk runs again on them. Should it need others then (a process
 * that is at work moves on in between), it is stopped again for these as well; the last time it walks during the stop, and for no longer
 * than OURO_STACK_STOPPED_NS: what is read after that is of another moment, and `inconsistent` says so. It is stopped again, too, where
 * a thread was just about to begin or to end a frame (OURO_OBJECT_TORN, should that never cease). A process that stands anyhow is stopped
 * once. */
#ifndef OURO_CAPTURE_STACK_H
#define OURO_CAPTURE_STACK_H

#include "capture/session.h"

#define OURO_STACK_STOPS_MAX  3u
#define OURO_STACK_STOPPED_NS UINT64_C(50000000)

/* In the place of ouro_session_copy and ouro_session_walk, of an open session with a process. A process that can't be stopped in time
 * (a thread in uninterruptible sleep) is read as it runs: `inconsistent` says which thread. OURO_GONE, OURO_DENIED, OURO_CANCELLED,
 * OURO_BADDATA, OURO_NOMEM. However it ends, the target goes on. */
enum ouro_status ouro_stack_capture(struct ouro_session *session, struct ouro_err *err);

#endif
