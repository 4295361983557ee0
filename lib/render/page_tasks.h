/* The tasks of asyncio, as part of what `ouro stack` prints. */
#ifndef OURO_RENDER_PAGE_TASKS_H
#define OURO_RENDER_PAGE_TASKS_H

#include "analysis/tasks.h"
#include "render/json.h"

struct ouro_page_tasks {
    const struct ouro_tasks *tasks;
    bool with_locals; /* in text; JSON always has them */
    bool all;         /* tasks that are alike are shown one by one */
};

/* As a tree: below each task those that it waits for, on top those that nobody waits for. Tasks at the same place that wait for
 * the same are one entry unless `all` or with_locals. Nothing when there are no tasks. OURO_NOMEM. */
enum ouro_status ouro_page_tasks_text(struct ouro_out *out, const struct ouro_page_tasks *page, size_t width);
/* Circles of waiting, each under a title of its own; nothing when there are none. */
void ouro_page_task_deadlocks_text(struct ouro_out *out, const struct ouro_tasks *tasks, size_t width);
/* The array "tasks", into an open object. */
void ouro_page_tasks_json(struct ouro_json *json, const struct ouro_tasks *tasks);
/* Arrays into an open array, as those of threads: {"task": addr, "waits_for": ...}. */
void ouro_page_task_deadlocks_json(struct ouro_json *json, const struct ouro_tasks *tasks);

#endif
