/* Where the locks that threads wait for, and what they wait through, are in Python: sys.modules['app'].LOCK. */
#ifndef OURO_ANALYSIS_WAIT_NAMES_H
#define OURO_ANALYSIS_WAIT_NAMES_H

#include "analysis/waits.h"
#include "base/map.h"

struct ouro_wait_names {
    struct ouro_buf text; /* all expressions, one after the other */
    struct ouro_map by_node; /* index + 1 of items */
    struct {
        struct ouro_wait_name {
            size_t offset, size;
        } *items; /* owned */
        size_t count, capacity;
    } names;
};

/* One search over the heap for all of them (analysis/path.h), and none when no thread waits for an object. Loads what that needs. */
enum ouro_status ouro_wait_names_init(struct ouro_wait_names *names, const struct ouro_waits *waits,
                                      struct ouro_heap_model *model, struct ouro_err *err);
void ouro_wait_names_fini(struct ouro_wait_names *names);
/* The expression; empty where there is none that names this very object. names may be NULL, node OURO_NODE_NONE. */
struct ouro_stack_text ouro_wait_names_get(const struct ouro_wait_names *names, ouro_node node);

#endif
