/* Reading a process that runs: no stop at all.
 *
 * What is read is not of one moment: objects may be torn, lists change while they are followed. Everything that reads an image checks it
 * anyhow; here is what makes the best of it: it is begun between two collections and done again when one ran meanwhile; what is the same
 * at every moment (visitors, layouts) is found out beforehand, page by page; where a collector's list breaks off, its objects are looked
 * for in memory (walk.h, `torn`).
 *
 * A process that is held (frozen by its cgroup, stopped by a signal or by another tracer) and of which no thread ran meanwhile is as
 * good as one that we stopped: it is not called inconsistent. */
#ifndef OURO_CAPTURE_LIVE_H
#define OURO_CAPTURE_LIVE_H

#include "capture/session.h"

#define OURO_LIVE_COPIES_MAX 4u /* of which the last is taken as it is */

/* In the place of ouro_session_copy. why: why it is not stopped, for mode_reason and `inconsistent`; NULL: somebody asked for that.
 * OURO_GONE, OURO_DENIED, OURO_CANCELLED, OURO_BADDATA, OURO_NOMEM. */
enum ouro_status ouro_live_copy(struct ouro_session *session, const char *why, struct ouro_err *err);
/* Whether there is no use in trying to stop it: *why then says so. */
bool ouro_live_is_due(const struct ouro_session *session, char *why, size_t capacity);
/* Behind a stop that failed: reads it as it runs if the mode leaves the choice to us and that can help; else says that another mode can.
 * The target goes on already. */
enum ouro_status ouro_live_instead(struct ouro_session *session, enum ouro_status status, struct ouro_err *err);
/* What ouro_python_init does, for such a copy. */
enum ouro_status ouro_live_init_python(struct ouro_session *session, struct ouro_err *err);
void ouro_live_fini(struct ouro_session *session);

#endif
