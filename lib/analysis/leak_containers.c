/* Suspects among containers: caches without a bound, large ones that modules and classes have, and those that are far larger
 * than their like in other objects. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/leak_search.h"
#include "analysis/lookup.h"
#include "analysis/value.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/map.h"

#define ITEMS_MANY    1000u
#define OUTLIER_TIMES 50u /* the typical size of its like */
#define SIBLINGS_LEAST 8u

/* --- lru_cache(maxsize=None): its entries are in the dict itself, those of a bounded cache are links */

static bool is_link(const struct ouro_heap_model *model, ouro_node node)
{
    return node < model->heap.count &&
           ouro_lookup_is_type(model, ouro_heap_model_type(model, node), "functools", "_lru_list_elem");
}

static ouro_node first_value(const struct ouro_heap_model *model, ouro_node dict)
{
    struct ouro_part_walk walk;
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk))
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++)
            if (model->heap.slots[walk.first + 2 * i] != OURO_NODE_NONE)
                return model->heap.slots[walk.first + 2 * i];
    return OURO_NODE_NONE;
}

enum ouro_status ouro_leak_find_caches(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        uint64_t items = 0;
        if (type >= model->type_count || !ouro_lookup_is_type(model, type, "functools", "_lru_cache_wrapper"))
            continue;
        ouro_node dict = ouro_heap_model_field(model, v, "cache");
        if (dict >= model->heap.count || !ouro_leak_items(model, dict, &items) || items < ouro_leak_many(search, ITEMS_MANY) ||
            is_link(model, first_value(model, dict)))
            continue;
        struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_CACHE, v, items, search->retained->bytes[v]);
        if (!leak)
            return OURO_NOMEM;
        ouro_buf_add_text(&leak->text, "lru_cache(maxsize=None) of ");
        ouro_node function = ouro_heap_model_field(model, v, "__wrapped__");
        if (function >= model->heap.count)
            function = ouro_heap_model_field(model, v, "func");
        size_t before = leak->text.size;
        if (function < model->heap.count)
            ouro_lookup_add_callable(&leak->text, model, function);
        if (leak->text.size == before)
            ouro_buf_add_text(&leak->text, "a function");
        ouro_buf_add_text(&leak->text, " holds ");
        ouro_leak_add_count(&leak->text, items);
        ouro_buf_add_text(&leak->text, " entries, ");
        ouro_leak_add_bytes(&leak->text, leak->bytes);
        ouro_buf_add_text(&leak->text, ": nothing bounds it");
        ouro_buf_addf(&leak->command, "show SNAPSHOT 0x%" PRIx64, model->heap.addr[v]);
        ouro_leak_tell(search, v);
        ouro_leak_tell(search, dict);
    }
    return OURO_OK;
}

/* --- Attributes, by the class or module of who has them */

struct attribute {
    ouro_node holder, value;
    uint64_t key;   /* the name: a str object's number, or of a field that of its string, told apart by a bit */
    uint32_t type;  /* of the holder */
};

struct attributes {
    struct ouro_leak_search *search;
    struct family {
        uint64_t count, item_sum;
        uint32_t buckets[33]; /* of sizes, by powers of two */
        ouro_node largest, holder;
        uint64_t largest_items;
    } * items; /* owned: containers of one name in objects of one type */
    size_t count, capacity;
    struct ouro_map index; /* of type and key: index + 1 */
    bool failed;
};

#define KEY_OF_STRING (UINT64_C(1) << 31)

static unsigned bucket_of(uint64_t items)
{
    unsigned bucket = 0;
    for (; items && bucket < 32; items >>= 1)
        bucket++;
    return bucket;
}

static void meet_container(struct attributes *attributes, const struct attribute *met, uint64_t items)
{
    uint64_t *place = ouro_map_put(&attributes->index, (uint64_t)met->type << 32 | met->key, NULL);
    if (!place) {
        attributes->failed = true;
        return;
    }
    if (!*place) {
        struct family *family = OURO_VEC_ADD(attributes);
        attributes->failed |= !family;
        if (!family)
            return;
        family->largest = OURO_NODE_NONE;
        *place = attributes->count;
    }
    struct family *family = &attributes->items[*place - 1];
    family->count++;
    family->item_sum += items;
    family->buckets[bucket_of(items)]++;
    if (family->largest == OURO_NODE_NONE || items > family->largest_items) {
        family->largest = met->value;
        family->holder = met->holder;
        family->largest_items = items;
    }
}

/* Fields named ".x" of an object, or of a __dict__ whose keys its shape has. The object's own __dict__, or OURO_NODE_NONE. */
static ouro_node each_field(const struct ouro_heap_model *model, ouro_node node, struct attribute *met,
                            void (*visit)(void *context, const struct attribute *met), void *context)
{
    struct ouro_part_walk parts;
    ouro_node dict = OURO_NODE_NONE;
    ouro_part_walk_begin(&parts, model, node);
    while (ouro_part_walk_next(&parts)) {
        const char *name = parts.part->kind == OURO_PART_FIELD
                               ? ouro_snapshot_string(model->snapshot, parts.part->name, NULL) : NULL;
        if (!name || parts.part->edge_class == OURO_EDGE_WEAK)
            continue;
        met->value = model->heap.slots[parts.first];
        if (met->value >= model->heap.count)
            continue;
        if (!strcmp(name, "__dict__"))
            dict = met->value;
        met->key = KEY_OF_STRING | parts.part->name;
        if (name[0] == '.')
            visit(context, met);
    }
    return dict;
}

/* The values of an object's attributes: its fields, and the entries of its __dict__. */
static void each_attribute(const struct ouro_heap_model *model, ouro_node node,
                           void (*visit)(void *context, const struct attribute *met), void *context)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    struct attribute met = {.holder = node, .type = ouro_heap_model_type(model, node)};
    ouro_node dict = each_field(model, node, &met, visit, context);
    if (dict >= model->heap.count)
        return;
    each_field(model, dict, &met, visit, context);
    ouro_slot_walk_begin(&walk, model, dict);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.place || slot.target >= model->heap.count || slot.key >= KEY_OF_STRING)
            continue;
        met.key = slot.key;
        met.value = slot.target;
        visit(context, &met);
    }
}

static void meet_attribute(void *context, const struct attribute *met)
{
    struct attributes *attributes = context;
    uint64_t items;
    if (ouro_leak_items(attributes->search->model, met->value, &items) &&
        strcmp(ouro_heap_model_type_name(attributes->search->model,
                                         ouro_heap_model_type(attributes->search->model, met->value), NULL), "tuple"))
        meet_container(attributes, met, items);
}

/* Half of them have at most so many items: the upper end of the middle's bucket. */
static uint64_t median_items(const struct family *family)
{
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < 33; bucket++) {
        seen += family->buckets[bucket];
        if (2 * seen >= family->count)
            return bucket ? (UINT64_C(1) << bucket) - 1 : 0;
    }
    return 0;
}

static enum ouro_status add_outlier(struct ouro_leak_search *search, const struct family *family, uint64_t median)
{
    const struct ouro_heap_model *model = search->model;
    ouro_node node = family->largest;
    struct ouro_leak *leak =
        ouro_leak_add(search, OURO_LEAK_OUTLIER, node, family->largest_items, search->retained->bytes[node]);
    if (!leak)
        return OURO_NOMEM;
    ouro_buf_add_text(&leak->text, "a ");
    ouro_leak_add_type(&leak->text, model, leak->type);
    ouro_buf_add_text(&leak->text, " of ");
    ouro_leak_add_count(&leak->text, family->largest_items);
    ouro_buf_add_text(&leak->text, " items, where the other ");
    ouro_leak_add_count(&leak->text, family->count - 1);
    ouro_buf_add_text(&leak->text, " objects of ");
    ouro_leak_add_type(&leak->text, model, ouro_heap_model_type(model, family->holder));
    ouro_buf_add_text(&leak->text, " have ");
    ouro_leak_add_count(&leak->text, median);
    ouro_buf_add_text(&leak->text, " or less there");
    ouro_buf_addf(&leak->command, "show SNAPSHOT 0x%" PRIx64, model->heap.addr[node]);
    ouro_leak_tell(search, node);
    return OURO_OK;
}

static bool is_kind_of(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    return node < model->heap.count && ouro_lookup_derives(model, ouro_heap_model_type(model, node), "builtins", name);
}

enum ouro_status ouro_leak_find_outliers(struct ouro_leak_search *search)
{
    struct attributes attributes = {.search = search};
    const struct ouro_heap_model *model = search->model;
    for (ouro_node v = 0; v < model->heap.count && !attributes.failed; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        if (type < model->type_count && model->types[type].flags & OURO_TYPE_HEAP &&
            !(model->heap.flags[v] & OURO_OBJECT_PSEUDO) && !is_kind_of(model, v, "type"))
            each_attribute(model, v, meet_attribute, &attributes);
    }
    enum ouro_status status = attributes.failed ? OURO_NOMEM : OURO_OK;
    for (size_t i = 0; i < attributes.count && !status; i++) {
        const struct family *family = &attributes.items[i];
        uint64_t median = median_items(family);
        if (family->count >= ouro_leak_many(search, SIBLINGS_LEAST) && family->largest_items >= ouro_leak_many(search, ITEMS_MANY) &&
            family->largest_items / OUTLIER_TIMES >= median && !ouro_leak_is_told(search, family->largest) &&
            search->retained->bytes[family->largest] >= search->leaks->bytes_min / 10)
            status = add_outlier(search, family, median);
    }
    free(attributes.items);
    ouro_map_fini(&attributes.index);
    return status;
}

/* --- Globals and attributes of classes */

struct globals {
    struct ouro_leak_search *search;
    bool of_class, failed;
};

static void meet_global(void *context, const struct attribute *met)
{
    struct globals *globals = context;
    struct ouro_leak_search *search = globals->search;
    const struct ouro_heap_model *model = search->model;
    uint64_t items;
    if (ouro_leak_is_told(search, met->value) || !ouro_leak_items(model, met->value, &items) || items < ouro_leak_many(search, ITEMS_MANY) ||
        search->retained->bytes[met->value] < search->leaks->bytes_min || is_kind_of(model, met->value, "tuple") ||
        is_kind_of(model, met->value, "frozenset"))
        return;
    struct ouro_leak *leak =
        ouro_leak_add(search, OURO_LEAK_MODULE, met->value, items, search->retained->bytes[met->value]);
    globals->failed |= !leak;
    if (!leak)
        return;
    ouro_buf_add_text(&leak->text, globals->of_class ? "a class's " : "a module's ");
    ouro_leak_add_type(&leak->text, model, leak->type);
    ouro_buf_add_text(&leak->text, " of ");
    ouro_leak_add_count(&leak->text, items);
    ouro_buf_add_text(&leak->text, " items retains ");
    ouro_leak_add_bytes(&leak->text, leak->bytes);
    ouro_buf_add_text(&leak->text, ": it stays as long as the process, if nothing takes items out");
    ouro_buf_addf(&leak->command, "show SNAPSHOT 0x%" PRIx64, model->heap.addr[met->value]);
    ouro_leak_tell(search, met->value);
}

enum ouro_status ouro_leak_find_globals(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    struct globals globals = {.search = search};
    for (ouro_node v = 0; v < model->heap.count && !globals.failed; v++) {
        globals.of_class = is_kind_of(model, v, "type");
        if (globals.of_class || is_kind_of(model, v, "module"))
            each_attribute(model, v, meet_global, &globals);
    }
    return globals.failed ? OURO_NOMEM : OURO_OK;
}
