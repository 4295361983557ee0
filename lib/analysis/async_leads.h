/* Which futures get done when something is called: a done-callback of another future, a timer's, a selector's.
 *
 * From the callable through closures, bound methods, partials and their arguments to futures, a bounded number of steps
 * each; an instance's attributes are looked through only as far as the code that is called names them. Tasks end the search:
 * only their own steps complete them. Locks, queues and their like are found too, where the code does what can wake
 * somebody up. So this is what gather, wait, wait_for, shield, TaskGroup, as_completed and programs' own ways have in
 * common, and none of their names is known here. */
#ifndef OURO_ANALYSIS_ASYNC_LEADS_H
#define OURO_ANALYSIS_ASYNC_LEADS_H

#include "analysis/async_objects.h"
#include "base/map.h"

struct ouro_lead {
    ouro_node target; /* a future (asyncio's or concurrent.futures'), or what tasks wait at (OURO_ASYNC_PRIMITIVE) */
    bool any;         /* one of several that do is enough */
};

struct ouro_leads {
    const struct ouro_async *async; /* borrowed */
    struct ouro_map known;          /* by function and object: the run of what was found, so that it is found once */
    struct {
        struct ouro_lead *items; /* owned */
        size_t count, capacity;
    } found;
    struct {
        struct ouro_lead_run {
            size_t first, count; /* of found */
        } *items; /* owned */
        size_t count, capacity;
    } runs;
};

void ouro_leads_init(struct ouro_leads *leads, const struct ouro_async *async);
void ouro_leads_fini(struct ouro_leads *leads);
/* arguments: a tuple, or OURO_NODE_NONE. *items: borrowed until the next call. OURO_NOMEM. */
enum ouro_status ouro_leads_find(struct ouro_leads *leads, ouro_node callable, ouro_node arguments,
                                 const struct ouro_lead **items, size_t *count);

#endif
