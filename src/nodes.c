#include "nodes.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/selection.h"
#include "base/buf.h"
#include "base/guard.h"
#include "command.h"
#include "object.h"

void ouro_nodes_fini(struct ouro_nodes *nodes)
{
    free(nodes->items);
}

static bool has(const struct ouro_nodes *nodes, size_t count, ouro_node node)
{
    for (size_t i = 0; i < count; i++)
        if (nodes->items[i] == node)
            return true;
    return false;
}

static int add(struct ouro_nodes *nodes, const char *command, ouro_node node)
{
    ouro_node *item = OURO_VEC_ADD(nodes);
    if (item) {
        *item = node;
        return OURO_EXIT_DONE;
    }
    ouro_command_complain("%s: no memory", command);
    return OURO_EXIT_OTHER;
}

static int add_type(struct ouro_nodes *nodes, const char *command, struct ouro_heap_model *model, const char *path,
                    const char *text, uint64_t limit)
{
    OURO_GUARD(ouro_selection_fini) struct ouro_selection selection = {0};
    struct ouro_selection_query query = ouro_selection_query_all();
    struct ouro_err err;
    query.type = text;
    query.limit = limit;
    enum ouro_status computed = ouro_selection_init(&selection, model, &query, NULL, NULL, NULL, &err);
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, path, &err);
    if (selection.count < selection.match_count)
        ouro_command_note("%s: %llu objects are of type \"%s\", the first %zu %s taken (--limit)", command,
                          (unsigned long long)selection.match_count, text, selection.count,
                          selection.count == 1 ? "is" : "are");
    int status = OURO_EXIT_DONE;
    size_t before = nodes->count; /* a selection has no object twice */
    for (size_t i = 0; i < selection.count && !status; i++)
        if (!has(nodes, before, selection.items[i]))
            status = add(nodes, command, selection.items[i]);
    return status;
}

/* An argument that is neither: the words of who reads objects, unless it looks like a type. */
static int fail_neither(const char *command, const struct ouro_heap_model *model, const char *path, const char *text)
{
    OURO_GUARD(ouro_object_fini) struct ouro_object object = {0};
    ouro_node node;
    bool plain = !text[strcspn(text, "[('<\"")] && !(text[0] >= '0' && text[0] <= '9');
    if (plain) {
        ouro_command_complain("%s: no object in %s is of a type \"%s\", nor is that an address (0x7f..), a decimal id() or "
                              "an expression of an object in it",
                              command, path, text);
        return OURO_EXIT_USAGE;
    }
    if (!ouro_object_parse(command, text, &object))
        return OURO_EXIT_USAGE;
    int status = ouro_object_find(&object, model, NULL, path, &node);
    return status ? status : OURO_EXIT_USAGE;
}

int ouro_nodes_add(struct ouro_nodes *nodes, const char *command, struct ouro_heap_model *model, const char *path,
                   const char *text, uint64_t limit)
{
    ouro_node node;
    switch (ouro_object_choose(text, model, &node)) {
    case OURO_OBJECT_NEITHER:
        return fail_neither(command, model, path, text);
    case OURO_OBJECT_IS_OBJECT:
        return has(nodes, nodes->count, node) ? OURO_EXIT_DONE : add(nodes, command, node);
    default:
        return add_type(nodes, command, model, path, text, limit);
    }
}
