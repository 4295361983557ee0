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

static bool is_class(const struct ouro_heap_model *model, ouro_node node)
{
    return node < model->heap.count && ouro_lookup_derives(model, ouro_heap_model_type(model, node), "builtins", "type");
}

static bool is_code(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(model, node);
    return is_class(model, node) || ouro_lookup_is_type(model, type, "builtins", "function") ||
           ouro_lookup_is_type(model, type, "builtins", "code");
}

/* A class retains its methods: only what it keeps besides, a cache or a registry, is worth a word. OURO_NODE_NONE: nothing. */
static ouro_node kept_by_class(const struct ouro_leak_search *search, const ouro_node *heaviest, ouro_node node)
{
    const struct ouro_heap_model *model = search->model;
    for (unsigned step = 0; step < STEPS_MAX && node < model->heap.count; step++) {
        bool namespace = ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "builtins", "dict") && step == 1;
        if (!is_class(model, node) && !namespace)
            break;
        node = heaviest[node];
    }
    return node < model->heap.count && !is_code(model, node) && search->retained->bytes[node] >= search->leaks->bytes_min
               ? node : OURO_NODE_NONE;
}

/* The interpreter's table of interned strings is large in every program, and only what nothing else keeps is a leak. */
static bool is_interned(const struct ouro_leak_search *search, ouro_node node)
{
    const struct ouro_heap_model *model = search->model;
    if (!ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "builtins", "dict") ||
        search->retained->bytes[node] - ouro_heap_model_bytes(model, node) >= search->leaks->bytes_min)
        return false;
    for (ouro_node v = model->heap.count; v && model->heap.flags[v - 1] & OURO_OBJECT_PSEUDO; v--) /* roots are the last */
        if (ouro_heap_model_field(model, v - 1, "interned strings") == node)
            return true;
    return false;
}

static void add_share(struct ouro_buf *text, const struct ouro_leak_search *search, uint64_t bytes)
{
    ouro_leak_add_bytes(text, bytes);
    ouro_buf_addf(text, " (%.1f%% of all)",
                  100.0 * (double)bytes / (double)(search->leaks->total_bytes + !search->leaks->total_bytes));
}

static enum ouro_status add_object(struct ouro_leak_search *search, ouro_node node, uint64_t object_count, const ouro_node *heaviest)
{
    const struct ouro_heap_model *model = search->model;
    if (is_class(model, node)) {
        node = kept_by_class(search, heaviest, node);
        object_count = 0; /* of the class, not of that */
    }
    if (node >= model->heap.count || is_code(model, node) || is_interned(search, node))
        return OURO_OK;
    ouro_node place = accumulation_point(search, heaviest, node);
    if (ouro_leak_is_told(search, node) || ouro_leak_is_told(search, place))
        return OURO_OK;
    struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_OBJECT, node, 1, search->retained->bytes[node]);
    if (!leak)
        return OURO_NOMEM;
    ouro_buf_add_text(&leak->text, "one ");
    ouro_leak_add_type(&leak->text, model, leak->type);
    add_items(&leak->text, model, node);
    ouro_buf_add_text(&leak->text, " retains ");
    add_share(&leak->text, search, leak->bytes);
    if (object_count) {
        ouro_buf_add_text(&leak->text, " in ");
        ouro_leak_add_count(&leak->text, object_count);
        ouro_buf_add_text(&leak->text, object_count == 1 ? " object" : " objects");
    }
    if (place != node) {
        leak->place = place;
        ouro_buf_add_text(&leak->text, "; it accumulates in one ");
        ouro_leak_add_type(&leak->text, model, ouro_heap_model_type(model, place));
        add_items(&leak->text, model, place);
    }
    ouro_buf_addf(&leak->command, "dominators SNAPSHOT 0x%" PRIx64, model->heap.addr[node]);
    ouro_leak_tell(search, node);
    ouro_leak_tell(search, place);
    return OURO_OK;
}

/* --- Groups, and who holds them */

static bool has(const uint8_t *bits, ouro_node node)
{
    return bits[node >> 3] >> (node & 7) & 1;
}

static void set(uint8_t *bits, ouro_node node)
{
    bits[node >> 3] = (uint8_t)(bits[node >> 3] | 1u << (node & 7));
}

struct holder {
    ouro_node node;
    uint64_t count; /* of those that are looked for */
};

/* The container that refers to most of those in bits; in `above` all that refer to any, but for frames, roots, classes and modules. */
static struct holder find_holder(const struct ouro_leak_search *search, const uint8_t *bits, uint8_t *above)
{
    const struct ouro_heap_model *model = search->model;
    struct holder best = {OURO_NODE_NONE, 0};
    for (ouro_node v = 0; v < model->heap.count; v++) {
        struct ouro_part_walk walk;
        uint64_t count = 0;
        if (model->heap.flags[v] & OURO_OBJECT_PSEUDO || has(bits, v) || !(search->roots->marks[v] & OURO_ROOTED))
            continue;
        ouro_part_walk_begin(&walk, model, v);
        while (ouro_part_walk_next(&walk)) {
            if (walk.part->edge_class == OURO_EDGE_WEAK)
                continue;
            for (uint64_t i = 0; i < walk.item_count * walk.width; i++) {
                ouro_node target = model->heap.slots[walk.first + i];
                count += target < model->heap.count && has(bits, target);
            }
        }
        if (!count)
            continue;
        uint64_t items;
        if (ouro_leak_items(model, v, &items) &&
            (count > best.count || (count == best.count && search->retained->bytes[v] > search->retained->bytes[best.node])))
            best = (struct holder){v, count};
        if (!is_code(model, v) && !ouro_lookup_derives(model, ouro_heap_model_type(model, v), "builtins", "module"))
            set(above, v);
    }
    return best;
}

enum ouro_status ouro_leak_add_holder(struct ouro_leak_search *search, struct ouro_leak *leak, uint8_t *bits)
{
    const struct ouro_heap_model *model = search->model;
    for (unsigned level = 0; level < 3; level++) {
        OURO_FREE uint8_t *above = calloc(model->heap.count / 8 + 1, 1);
        if (!above)
            return OURO_NOMEM;
        struct holder found = find_holder(search, bits, above);
        if (found.count >= leak->count / 4 + 2) {
            leak->place = found.node;
            ouro_buf_add_text(&leak->text, "; one ");
            ouro_leak_add_type(&leak->text, model, ouro_heap_model_type(model, found.node));
            add_items(&leak->text, model, found.node);
            ouro_buf_add_text(&leak->text, " holds ");
            ouro_leak_add_count(&leak->text, found.count);
            ouro_buf_add_text(&leak->text, level ? " of what refers to them" : " of them");
            if (leak->bytes >= search->retained->bytes[found.node] / 2) /* else it holds more than these */
                ouro_leak_tell(search, found.node);
            return OURO_OK;
        }
        memcpy(bits, above, model->heap.count / 8 + 1);
    }
    return OURO_OK;
}

/* Tasks that are done, or threads that ended: that says more. */
static bool has_suspect(const struct ouro_leak_search *search, uint32_t type)
{
    for (size_t i = 0; i < search->leaks->count; i++)
        if (search->leaks->items[i].type == type && search->leaks->items[i].count > 1)
            return true;
    return false;
}

/* All of the type that anything reaches, wherever they are. */
static enum ouro_status add_group(struct ouro_leak_search *search, const struct ouro_dominator_row *row)
{
    const struct ouro_heap_model *model = search->model;
    OURO_FREE uint8_t *bits = calloc(model->heap.count / 8 + 1, 1);
    uint64_t count = 0;
    if (!bits)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (ouro_heap_model_type(model, v) == row->type && search->roots->marks[v] & OURO_ROOTED) {
            set(bits, v);
            count++;
        }
    struct ouro_leak *leak =
        ouro_leak_add(search, OURO_LEAK_GROUP, row->node, count, ouro_leak_retained_together(search, bits));
    if (!leak)
        return OURO_NOMEM;
    leak->type = row->type;
    ouro_leak_add_count(&leak->text, count);
    ouro_buf_add_text(&leak->text, count == 1 ? " object of " : " objects of ");
    ouro_leak_add_type(&leak->text, model, row->type);
    ouro_buf_add_text(&leak->text, count == 1 ? " retains " : " retain ");
    add_share(&leak->text, search, leak->bytes);
    ouro_buf_add_text(&leak->command, "path SNAPSHOT ");
    ouro_leak_add_type_word(&leak->command, model, row->type);
    return ouro_leak_add_holder(search, leak, bits);
}

enum ouro_status ouro_leak_find_large(struct ouro_leak_search *search)
{
    OURO_GUARD(ouro_largest_fini) struct ouro_largest largest = {0};
    ouro_node *heaviest OURO_FREE = NULL;
    OURO_TRY(ouro_largest_init(&largest, search->model, search->roots, search->retained, ROWS_MAX, 0, search->err));
    OURO_TRY(find_heaviest(search, &heaviest));
    /* Groups first: what holds one is not told again by itself. */
    for (size_t pass = 0; pass < 2; pass++) {
        if (pass == 1)
            OURO_TRY(ouro_leak_find_globals(search));
        for (size_t i = 0; i < largest.count; i++) {
            const struct ouro_dominator_row *row = &largest.tree.items[largest.items[i]];
            bool object = row->kind == OURO_DOMINATOR_OBJECT;
            if (row->retained_bytes < search->leaks->bytes_min || object != (pass == 1))
                continue;
            if (object)
                OURO_TRY(add_object(search, row->node, row->object_count, heaviest));
            else if (row->type < search->model->type_count && !has_suspect(search, row->type))
                OURO_TRY(add_group(search, row));
        }
    }
    return OURO_OK;
}
