/* What a capture may take of memory, and what that means for how the pages are read.
 *
 * The limit holds for all that the capturing process has in memory, but for 1/64 of what is copied: the marks. When everything fits,
 * pages are copied at once, which makes the shortest pause; else they are read through a window (target/window.h) that gets what
 * the rest leaves. While it works the window follows what the process really takes. */
#ifndef OURO_CAPTURE_BUDGET_H
#define OURO_CAPTURE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "target/window.h"

struct ouro_budget_request {
    uint64_t limit_bytes; /* 0: three quarters of what is available */
    uint64_t copy_bytes;  /* of the pages */
    unsigned thread_count;
    bool spooled;      /* the lists of tracked objects go to a file */
    bool whole_values; /* texts of any length are written */
};

struct ouro_budget {
    uint64_t limit_bytes;  /* in effect */
    uint64_t most_bytes;   /* what the process may have: the limit, and 1/64 of what is copied */
    uint64_t reserve_bytes; /* of that: room for what can't be foreseen */
    uint64_t window_bytes; /* for the walk; 0: everything fits */
    unsigned thread_count; /* as many as it is enough for */
    struct ouro_window *window; /* borrowed; the one that follows */
};

/* OURO_LIMIT: too little to work with; err says how much is needed. */
enum ouro_status ouro_budget_plan(struct ouro_budget *budget, const struct ouro_budget_request *request, struct ouro_err *err);
/* Sees to it that the window, whenever it reads something or is asked to make room, becomes as large or small as what the process takes
 * besides leaves room for. Borrowed until the window's close. */
void ouro_budget_pace(struct ouro_budget *budget, struct ouro_window *window);

#endif
