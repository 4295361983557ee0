/* What `ouro path` prints. */
#ifndef OURO_RENDER_PAGE_PATH_H
#define OURO_RENDER_PAGE_PATH_H

#include "analysis/path_tree.h"
#include "render/json.h"

/* One object and its paths; steps: each path step by step, also where it fits on a line. */
void ouro_page_path_text(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_answer *answer,
                         bool steps, size_t width);
/* The same without the line that says what the object is. */
void ouro_page_path_items_text(struct ouro_out *out, const struct ouro_heap_model *model,
                               const struct ouro_path_answer *answer, bool steps, size_t width);
/* Its fields, into an open JSON object. */
void ouro_page_path_fields(struct ouro_json *json, const struct ouro_heap_model *model,
                           const struct ouro_path_answer *answer);
/* The fields of one path, into an open JSON object: expression, pasteable, python, root, steps. */
void ouro_page_path_one(struct ouro_json *json, const struct ouro_heap_model *model, const struct ouro_path_item *item);

/* The paths to all objects of a type, merged. */
void ouro_page_path_tree_text(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_tree *tree,
                              const char *type, size_t width);
void ouro_page_path_tree_json(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_path_tree *tree,
                              const char *type);

#endif
