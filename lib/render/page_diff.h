/* What `ouro diff` prints. */
#ifndef OURO_RENDER_PAGE_DIFF_H
#define OURO_RENDER_PAGE_DIFF_H

#include "analysis/diff.h"
#include "render/json.h"

struct ouro_page_diff {
    const struct ouro_diff *diff; /* of the first and the last snapshot; rows to be shown are detailed */
    const struct ouro_diff_names *names;
    const struct ouro_diff_trend *trend;       /* NULL: two snapshots */
    const char *const *files;                  /* in the order of the comparison */
    size_t file_count;
    bool paths, types, objects, retained; /* sections */
    bool reordered;                       /* files are not in the order in which they were given */
    bool each_object;                     /* JSON: all objects with their verdicts */
    size_t limit;                         /* rows of each section, 0: all */
    const char *type;                     /* the pattern asked for, or NULL */
    void (*more_json)(const void *context, struct ouro_json *json); /* the command's own fields; NULL: none */
    const void *context;
};

void ouro_page_diff_text(struct ouro_out *out, const struct ouro_page_diff *page, size_t width);
void ouro_page_diff_json(struct ouro_out *out, const struct ouro_page_diff *page);

#endif
