/* Which way the memory of a process is read, and the copy that is read in fork mode. Parts of a session (session.h). */
#ifndef OURO_CAPTURE_MODE_H
#define OURO_CAPTURE_MODE_H

#include "capture/session.h"

/* Sets the session's mode and its reason, by what was asked for, the size of the process and what a copy could cost it, and starts the
 * guardian where a copy may be needed. OURO_LIMIT: the promise of max_pause_ns can't be kept in any mode; nobody was stopped. */
enum ouro_status ouro_mode_choose(struct ouro_session *session, struct ouro_err *err);
/* When the target stands still now: until when, by the monotonic clock, it may be copied; 0: no limit. */
uint64_t ouro_mode_deadline_ns(const struct ouro_session *session);
/* How long threads may be held for one that does not stop; 0: as long as it takes. */
uint64_t ouro_mode_hold_ns(const struct ouro_session *session);
/* After a copy that took too long, with the target running again: whether a forked one takes its place. */
bool ouro_mode_may_fork(struct ouro_session *session);
/* After a fork that was refused with this error: whether it may be stopped and copied instead. */
bool ouro_mode_may_pause(struct ouro_session *session, enum ouro_status status, const struct ouro_err *err);

/* Has a copy made, which becomes the session's source. *collecting: it was inside of a garbage collection; unless `anyway` there is no
 * copy then. */
enum ouro_status ouro_mode_fork(struct ouro_session *session, uint64_t timeout_ns, bool anyway, bool *collecting,
                                struct ouro_err *err);
/* Everything was read from the copy: it ends, and we wait until it is gone; sets reap_ns. */
void ouro_mode_release(struct ouro_session *session);
void ouro_mode_fini(struct ouro_session *session);

#endif
