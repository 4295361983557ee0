/* Suspects that hold much: single objects with the place where it accumulates, and groups of one type. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/largest.h"
#include "analysis/leak_search.h"
#include "analysis/lookup.h"
#include "base/guard.h"

#define ROWS_MAX 40
#define STEPS_MAX 64
/* The way down goes on as long as one child holds nearly all that its parent does (MAT's accumulation point). */
#define NEARLY_ALL 0.7

/* Of each node the child in the dominator tree that retains most. */
static enum ouro_status find_heaviest(const struct ouro_leak_search *search, ouro_node **heaviest)
{
    const struct ouro_retained *retained = search->retained;
    ouro_node count = search->model->heap.count;
    *heaviest = malloc(((size_t)count + 1) * sizeof **heaviest);
    if (!*heaviest)
        return OURO_NOMEM;
    memset(*heaviest, 0xff, ((size_t)count + 1) * sizeof **heaviest);
    for (ouro_node v = 0; v < count; v++) {
        ouro_node up = ouro_retained_idom(retained, v);
        if (up < count && ((*heaviest)[up] == OURO_NODE_NONE || retained->bytes[(*heaviest)[up]] < retained->bytes[v]))
            (*heaviest)[up] = v;
    }
    return OURO_OK;
}

static ouro_node accumulation_point(const struct ouro_leak_search *search, const ouro_node *heaviest, ouro_node node)
{
    for (unsigned step = 0; step < STEPS_MAX; step++) {
        ouro_node child = heaviest[node];
        if (child == OURO_NODE_NONE ||
            (double)search->retained->bytes[child] < NEARLY_ALL * (double)search->retained->bytes[node])
            return node;
        node = child;
    }
    return node;
}

/* What an accumulation point is called in a sentence. */
static void add_items(struct ouro_buf *text, const struct ouro_heap_model *model, ouro_node node)
{
    uint64_t items;
    if (!ouro_leak_items(model, node, &items))
        return;
    ouro_buf_add_text(text, " of ");
    ouro_leak_add_count(text, items);
    ouro_buf_add_text(text, items == 1 ? " item" : " items");
}

static enum ouro_status add_object(struct ouro_leak_search *search, const struct ouro_dominator_row *row,
                                   const ouro_node *heaviest)
{
    const struct ouro_heap_model *model = search->model;
    ouro_node place = accumulation_point(search, heaviest, row->node);
    if (ouro_leak_is_told(search, row->node) || ouro_leak_is_told(search, place))
        return OURO_OK;
    struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_OBJECT, row->node, 1, row->retained_bytes);
    if (!leak)
        return OURO_NOMEM;
    ouro_buf_add_text(&leak->text, "one ");
    ouro_leak_add_type(&leak->text, model, row->type);
    if (place == row->node)
        add_items(&leak->text, model, place);
    ouro_buf_add_text(&leak->text, " retains ");
    ouro_leak_add_bytes(&leak->text, row->retained_bytes);
    ouro_buf_addf(&leak->text, " (%.1f%% of all) in ",
                  100.0 * (double)row->retained_bytes / (double)(search->leaks->total_bytes + !search->leaks->total_bytes));
    ouro_leak_add_count(&leak->text, row->object_count);
    ouro_buf_add_text(&leak->text, " objects");
    if (place != row->node) {
        leak->place = place;
        ouro_buf_add_text(&leak->text, "; it accumulates in a ");
        ouro_leak_add_type(&leak->text, model, ouro_heap_model_type(model, place));
        add_items(&leak->text, model, place);
    }
    ouro_buf_addf(&leak->command, "dominators SNAPSHOT 0x%" PRIx64, model->heap.addr[row->node]);
    ouro_leak_tell(search, row->node);
    ouro_leak_tell(search, place);
    return OURO_OK;
}

static enum ouro_status add_group(struct ouro_leak_search *search, const struct ouro_dominator_row *row)
{
    struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_GROUP, row->node, row->count, row->retained_bytes);
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, row->count);
    ouro_buf_add_text(&leak->text, " objects of ");
    ouro_leak_add_type(&leak->text, search->model, row->type);
    ouro_buf_add_text(&leak->text, " retain ");
    ouro_leak_add_bytes(&leak->text, row->retained_bytes);
    ouro_buf_addf(&leak->text, " (%.1f%% of all)",
                  100.0 * (double)row->retained_bytes / (double)(search->leaks->total_bytes + !search->leaks->total_bytes));
    ouro_buf_add_text(&leak->command, "path SNAPSHOT ");
    ouro_leak_add_type(&leak->command, search->model, row->type);
    leak->type = row->type;
    return OURO_OK;
}

enum ouro_status ouro_leak_find_large(struct ouro_leak_search *search)
{
    OURO_GUARD(ouro_largest_fini) struct ouro_largest largest = {0};
    ouro_node *heaviest OURO_FREE = NULL;
    OURO_TRY(ouro_largest_init(&largest, search->model, search->roots, search->retained, ROWS_MAX, 0, search->err));
    OURO_TRY(find_heaviest(search, &heaviest));
    for (size_t i = 0; i < largest.count; i++) {
        const struct ouro_dominator_row *row = &largest.tree.items[largest.items[i]];
        if (row->retained_bytes < search->leaks->bytes_min)
            continue;
        /* A class retains its methods: only what it keeps besides, a cache or a registry, is worth a word. */
        if (row->kind == OURO_DOMINATOR_OBJECT)
            OURO_TRY(add_object(search, row, heaviest));
        else
            OURO_TRY(add_group(search, row));
    }
    return OURO_OK;
}
