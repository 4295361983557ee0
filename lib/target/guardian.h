/* Holds a copy of the target, whatever becomes of us.
 *
 * A small process of its own stops the target, has it make a copy of itself (inject.h), lets it go on, keeps the copy standing, and
 * in the end kills it and has the target reap it in a second stop, well below a millisecond. It does the last also when we die in
 * whatever way: it notices that the other end of its socket is closed. A tracer that is killed while a thread of its target works
 * for it leaves that thread with wrong registers, so nobody else shall be that tracer: it is in a session of its own, all signals
 * are blocked, and it is forked before large memory is taken.
 *
 * Reaping stops one thread, whichever can do it, and not the others. When the target has got a seccomp filter on all of its
 * threads meanwhile, nothing is injected any more, and a zombie stays until the target ends.
 *
 * The copy costs the target its page tables once more, and each page that it writes to while the copy stands. It holds
 * the target's open files, too: when the target ends or runs another program meanwhile, the copy ends at once. */
#ifndef OURO_TARGET_GUARDIAN_H
#define OURO_TARGET_GUARDIAN_H

#include <signal.h>

#include "target/image.h"
#include "target/process.h"

struct ouro_guardian;

struct ouro_guardian_options {
    pid_t pid;
    /* May be NULL. Called in the guardian's process while the target stands still, before the copy is made. False: no copy now. */
    bool (*accept)(void *context);
    void *context;
    uint64_t kept_bytes_max; /* room for what a copy does not have (unforked of maps.h); 0: OURO_GUARDIAN_KEPT_BYTES */
    const volatile sig_atomic_t *cancel; /* may be NULL: set it to wait no longer */
};
#define OURO_GUARDIAN_KEPT_BYTES (UINT64_C(64) << 20)

struct ouro_guardian_copy {
    pid_t pid;           /* 0: `accept` said no */
    uint64_t stopped_ns; /* from the first thread stopped to the last released */
    double at;           /* when: seconds since the epoch */
    const struct ouro_thread_state *threads; /* of the target; borrowed until the next copy */
    size_t thread_count;
    const struct ouro_image_kept *kept;      /* by address; private readable ranges that a copy lacks; borrowed until the end */
    size_t kept_count;
};

/* Looks whether a copy can be made, and starts the guardian; the target is not touched. OURO_UNSUPPORTED: not of this
 * process; err says why. */
enum ouro_status ouro_guardian_start(struct ouro_guardian **guardian, const struct ouro_guardian_options *options,
                                     struct ouro_err *err);
/* anyway: without asking `accept`. hold_max_ns: how long threads are held for one that does not stop (0: as ouro_process_stop). OURO_LIMIT: it could not be stopped in time.
 * OURO_UNSUPPORTED, OURO_NOMEM, OURO_SYS: the target or the kernel makes none. OURO_GONE: the target, or the guardian, ended.
 * OURO_CANCELLED. Whatever the result, the target runs. */
enum ouro_status ouro_guardian_copy(struct ouro_guardian *guardian, uint64_t timeout_ns, uint64_t hold_max_ns,
                                    bool anyway, struct ouro_guardian_copy *copy, struct ouro_err *err);
/* Ends the copy. Returns as soon as the target has reaped it, or when cancelled, or after a while without (the guardian goes on trying
 * by itself). Who computes meanwhile takes from the target the processor on which it would reap.
 * *reap_ns: how long the target stood still for that; 0: not yet, or there was no copy. */
void ouro_guardian_drop(struct ouro_guardian *guardian, uint64_t *reap_ns);
/* Drops and ends. NULL allowed. */
void ouro_guardian_end(struct ouro_guardian *guardian);
pid_t ouro_guardian_pid(const struct ouro_guardian *guardian);

#endif
