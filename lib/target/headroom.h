/* Whether a process can be forked without harm: what limits its memory, and what would have to fit. */
#ifndef OURO_TARGET_HEADROOM_H
#define OURO_TARGET_HEADROOM_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "target/maps.h"

/* Of /proc/PID/smaps_rollup: costs milliseconds for each GB. OURO_GONE, OURO_DENIED. */
struct ouro_headroom_use {
    uint64_t resident_bytes, anonymous_bytes, swapped_bytes;
};
enum ouro_status ouro_headroom_use(pid_t pid, struct ouro_headroom_use *use, struct ouro_err *err);

/* OURO_UNSUPPORTED: a copy could harm the target or can't be whole; err says why. maps: read with flags. */
enum ouro_status ouro_headroom_check(pid_t pid, const struct ouro_headroom_use *use, const struct ouro_maps *maps,
                                     struct ouro_err *err);

#endif
