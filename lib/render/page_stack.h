/* What `ouro stack` prints. */
#ifndef OURO_RENDER_PAGE_STACK_H
#define OURO_RENDER_PAGE_STACK_H

#include "analysis/wait_names.h"
#include "render/json.h"
#include "render/page_tasks.h"

struct ouro_page_stack {
    const struct ouro_waits *waits; /* and through it stacks and model */
    const char *thread;             /* a tid or a name; NULL: all */
    const uint32_t *leaders;        /* of ouro_stacks_group: threads at the same places are shown as one; NULL: each */
    bool with_locals;               /* in text; JSON always has them */
    const struct ouro_wait_names *names; /* where the locks are in Python; NULL: not said */
    const struct ouro_page_tasks *tasks; /* NULL: not asked for */
};

/* Whether the page shows this thread. */
bool ouro_page_stack_shows(const struct ouro_page_stack *page, size_t thread);
/* width: columns of the medium, 0: any. */
void ouro_page_stack_text(struct ouro_out *out, const struct ouro_page_stack *page, size_t width);
void ouro_page_stack_json(struct ouro_out *out, const struct ouro_page_stack *page);

/* Shared with what shows frames that no thread runs. One frame as a line of text; its locals as a table under it; and both as
 * the fields of an open JSON object. */
void ouro_page_frame_text(struct ouro_out *out, const struct ouro_stack_frame *frame, const char *begin, size_t width);
void ouro_page_locals_text(struct ouro_out *out, const struct ouro_heap_model *model,
                           const struct ouro_stack_frame *frame, unsigned indent, size_t width);
void ouro_page_frame_fields(struct ouro_json *json, const struct ouro_heap_model *model,
                            const struct ouro_stack_frame *frame);
/* What a thread waits for, as a JSON object or null. */
void ouro_page_wait_json(struct ouro_json *json, const char *key, const struct ouro_page_stack *page, size_t thread);

#endif
