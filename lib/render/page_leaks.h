/* What `ouro leaks` prints. */
#ifndef OURO_RENDER_PAGE_LEAKS_H
#define OURO_RENDER_PAGE_LEAKS_H

#include "analysis/info.h"
#include "analysis/leaks.h"
#include "render/json.h"

struct ouro_page_leaks {
    const struct ouro_heap_model *model;
    const struct ouro_leaks *leaks;
    const struct ouro_info *info; /* whose doubts come last */
    const bool *suppressed;       /* by suspect: left out and counted; NULL: none is */
    const char *file;             /* stands for SNAPSHOT in commands */
    void (*more_json)(const void *context, struct ouro_json *json); /* the command's own fields; NULL: none */
    const void *more_context;
};
void ouro_page_leaks_text(struct ouro_out *out, const struct ouro_page_leaks *page, size_t width);
void ouro_page_leaks_json(struct ouro_out *out, const struct ouro_page_leaks *page);

#endif
