/* When to take the next snapshot of a process that is watched: on an interval, or when its resident memory crosses a line.
 *
 * Decides only; it knows no clock, no process and no file. The caller says what time it is and how much memory the process has. */
#ifndef OURO_CAPTURE_WATCH_H
#define OURO_CAPTURE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define OURO_WATCH_LINES_MAX 16

/* "rss>2G": when it rises above this; again after it has been a twentieth below. "rss+500M", "rss+20%": more than at the last
 * snapshot by so much. */
struct ouro_watch_line {
    enum ouro_watch_line_kind {
        OURO_WATCH_ABOVE,
        OURO_WATCH_GROWN_BYTES,
        OURO_WATCH_GROWN_PERCENT,
    } kind;
    double amount; /* bytes, or percent */
    bool crossed;  /* ABOVE: told already */
};

enum ouro_watch_reason {
    OURO_WATCH_WAIT,     /* not now */
    OURO_WATCH_FIRST,    /* what the others are compared with */
    OURO_WATCH_INTERVAL,
    OURO_WATCH_LINE,     /* `line` was crossed */
    OURO_WATCH_ENOUGH,   /* as many as were asked for have been taken */
};

/* Zero-initialised, then filled in: takes one snapshot at once and no other. */
struct ouro_watch {
    uint64_t every_ns; /* 0: not on an interval */
    uint64_t count;    /* so many altogether; 0: no end */
    struct ouro_watch_line lines[OURO_WATCH_LINES_MAX];
    size_t line_count;
    /* How it stands. */
    uint64_t taken, next_ns, last_rss;
    size_t line; /* with OURO_WATCH_LINE: which */
};

/* "250ms", "10s", "5m", "1.5h", "2d": nanoseconds. OURO_INVAL: *place is where it stops making sense. */
enum ouro_status ouro_watch_duration_parse(const char *text, uint64_t least_ns, uint64_t *ns, size_t *place,
                                           struct ouro_err *err);
enum ouro_status ouro_watch_line_parse(const char *text, struct ouro_watch_line *line, size_t *place, struct ouro_err *err);

/* What is to be done at this time (of a clock that never goes back) with so many bytes resident. */
enum ouro_watch_reason ouro_watch_decide(struct ouro_watch *watch, uint64_t now_ns, uint64_t rss_bytes);
/* A snapshot was taken (ended at now_ns). Intervals that passed meanwhile are left out. */
void ouro_watch_taken(struct ouro_watch *watch, uint64_t now_ns, uint64_t rss_bytes);

/* Whether another snapshot, estimated at so many bytes, leaves keep_bytes of what is free. */
static inline bool ouro_watch_has_room(uint64_t free_bytes, uint64_t keep_bytes, uint64_t estimate_bytes)
{
    return free_bytes >= keep_bytes && free_bytes - keep_bytes >= estimate_bytes;
}

/* What a process is at the moment, of /proc/PID/stat. OURO_GONE: there is none, or it has ended and waits for its parent. */
struct ouro_watch_look {
    uint64_t start_ticks, rss_bytes;
};
enum ouro_status ouro_watch_look(pid_t pid, struct ouro_watch_look *look, struct ouro_err *err);

#endif
