#include "analysis/wait_names.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/path.h"
#include "base/guard.h"

struct targets {
    ouro_node *items; /* owned */
    size_t count, capacity;
};

static void targets_fini(struct targets *targets)
{
    free(targets->items);
}

/* Each once. */
static enum ouro_status add_target(struct ouro_wait_names *names, struct targets *targets, ouro_node node)
{
    bool added;
    if (node == OURO_NODE_NONE)
        return OURO_OK;
    if (!ouro_map_put(&names->by_node, node, &added))
        return OURO_NOMEM;
    ouro_node *item = added ? OURO_VEC_ADD(targets) : NULL;
    if (item)
        *item = node;
    return item || !added ? OURO_OK : OURO_NOMEM;
}

static enum ouro_status add_name(struct ouro_wait_names *names, const struct ouro_path_search *search, ouro_node node,
                                 struct ouro_err *err)
{
    OURO_GUARD(ouro_path_fini) struct ouro_path path = {0};
    OURO_GUARD(ouro_path_text_fini) struct ouro_path_text text = {0};
    if (!ouro_path_search_found(search, node))
        return OURO_OK;
    OURO_TRY(ouro_path_init(&path, search, node, err));
    OURO_TRY(ouro_path_text_init(&text, search, &path, err));
    if (text.expression.failed || text.python.failed || text.root.failed || text.notations.failed)
        return OURO_NOMEM;
    if (!text.exact)
        return OURO_OK;
    struct ouro_wait_name *name = OURO_VEC_ADD(&names->names);
    if (!name)
        return OURO_NOMEM;
    *name = (struct ouro_wait_name){names->text.size, text.expression.size};
    ouro_buf_add(&names->text, text.expression.data, text.expression.size);
    *ouro_map_find(&names->by_node, node) = names->names.count;
    return names->text.failed ? OURO_NOMEM : OURO_OK;
}

static enum ouro_status find_names(struct ouro_wait_names *names, const struct ouro_waits *waits,
                                   struct ouro_heap_model *model, struct ouro_err *err)
{
    OURO_GUARD(targets_fini) struct targets targets = {0};
    for (size_t t = 0; t < waits->stacks->threads.count; t++) {
        OURO_TRY(add_target(names, &targets, waits->items[t].node));
        OURO_TRY(add_target(names, &targets, waits->items[t].through));
    }
    if (!targets.count)
        return OURO_OK;
    OURO_GUARD(ouro_path_search_fini) struct ouro_path_search search = {0};
    OURO_TRY(ouro_path_search_init(&search, model, err));
    OURO_TRY(ouro_path_search_run(&search, targets.items, targets.count, err));
    for (size_t i = 0; i < targets.count; i++)
        OURO_TRY(add_name(names, &search, targets.items[i], err));
    return OURO_OK;
}

enum ouro_status ouro_wait_names_init(struct ouro_wait_names *names, const struct ouro_waits *waits,
                                      struct ouro_heap_model *model, struct ouro_err *err)
{
    memset(names, 0, sizeof *names);
    enum ouro_status status = find_names(names, waits, model, err);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_wait_names_fini(names);
    return status == OURO_NOMEM ? ouro_err_set(err, status, "out of memory for the names of locks") : status;
}

void ouro_wait_names_fini(struct ouro_wait_names *names)
{
    ouro_buf_fini(&names->text);
    ouro_map_fini(&names->by_node);
    free(names->names.items);
    memset(names, 0, sizeof *names);
}

struct ouro_stack_text ouro_wait_names_get(const struct ouro_wait_names *names, ouro_node node)
{
    uint64_t *found = names && node != OURO_NODE_NONE ? ouro_map_find(&names->by_node, node) : NULL;
    if (!found || !*found)
        return (struct ouro_stack_text){(const unsigned char *)"", 0};
    const struct ouro_wait_name *name = &names->names.items[*found - 1];
    return (struct ouro_stack_text){names->text.data + name->offset, name->size};
}
