#include <inttypes.h>
#include <string.h>

#include "analysis/finder.h"
#include "analysis/value.h"

/* --- Dicts */

/* The dict behind a mappingproxy. */
ouro_node ouro_finder_mapping_of(const struct ouro_heap_model *model, ouro_node node)
{
    for (unsigned depth = 0; depth < 8 && ouro_access_is_kind(model, node, "builtins", "mappingproxy"); depth++)
        node = ouro_heap_model_field(model, node, "mapping");
    return node;
}

bool ouro_finder_is_dict(const struct ouro_heap_model *model, ouro_node node)
{
    return node < model->heap.count &&
           (ouro_heap_model_type_flags(model, ouro_heap_model_type(model, node)) & OURO_TYPE_DICT ||
            ouro_access_is_kind(model, node, "builtins", "frozendict"));
}

uint64_t ouro_finder_count_entries(const struct ouro_heap_model *model, ouro_node dict)
{
    struct ouro_part_walk walk;
    uint64_t count = 0;
    bool split = ouro_access_is_split(model, dict);
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk)) {
        count += split && walk.part->kind == OURO_PART_FIELD && model->heap.slots[walk.first] != OURO_NODE_NONE;
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++)
            count += model->heap.slots[walk.first + 2 * i] != OURO_NODE_NONE;
    }
    return count;
}

/* A dict whose values lie in its object has none itself: the object, or OURO_NODE_NONE. */
ouro_node ouro_finder_embedding_object(const struct ouro_heap_model *model, ouro_node dict)
{
    const struct ouro_heap *heap = &model->heap;
    if (ouro_heap_model_shape(model, dict)->part_count)
        return OURO_NODE_NONE;
    for (ouro_node v = 0; v < heap->count; v++)
        for (uint64_t i = heap->slot_begin[v]; i < heap->slot_begin[v + 1]; i++)
            if (heap->slots[i] == dict && ouro_heap_model_field(model, v, "__dict__") == dict)
                return v;
    return OURO_NODE_NONE;
}

struct ouro_name ouro_finder_literal_name(const struct ouro_finder *finder, uint32_t literal)
{
    const struct ouro_constants *literals = &finder->expression->literals;
    const struct ouro_constant *constant = &literals->items[literal];
    const char *bytes = constant->size ? (const char *)literals->bytes.data + constant->offset : "";
    return (struct ouro_name){bytes, constant->size};
}

bool ouro_finder_is_text(const struct ouro_finder *finder, uint32_t literal)
{
    return finder->expression->literals.items[literal].kind == OURO_CONSTANT_STR;
}

struct ouro_finder_entry ouro_finder_find_entry(const struct ouro_finder *finder, ouro_node dict, uint32_t literal)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node module = OURO_NODE_NONE;
    struct ouro_constant_matcher matcher = {.model = model, .literals = &finder->expression->literals};
    struct ouro_finder_entry entry = {OURO_NODE_NONE, 0};
    struct ouro_part_walk walk;
    if (ouro_access_is_split(model, dict)) {
        if (ouro_finder_is_text(finder, literal))
            entry.value = ouro_access_in_dict(model, dict, ouro_finder_literal_name(finder, literal));
        return entry;
    }
    if (ouro_finder_is_text(finder, literal) && dict == ouro_finder_named_root(model, "sys.modules"))
        module = ouro_finder_module(finder, dict, ouro_finder_literal_name(finder, literal));
    if (module != OURO_NODE_NONE) {
        entry.value = module;
        return entry;
    }
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk))
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++) {
            ouro_node value = model->heap.slots[walk.first + 2 * i];
            if (value == OURO_NODE_NONE)
                continue;
            enum ouro_constant_match match =
                ouro_constant_compare(&matcher, literal, model->heap.slots[walk.first + 2 * i + 1]);
            entry.untold += match == OURO_CONSTANT_UNTOLD;
            if (match == OURO_CONSTANT_EQUALS) {
                entry.value = value;
                return entry;
            }
        }
    return entry;
}

void ouro_finder_add_near_keys(struct ouro_finder *finder, ouro_node dict, const struct ouro_buf *wanted)
{
    const struct ouro_heap_model *model = finder->model;
    struct ouro_nearest nearest;
    struct ouro_buf text = {0};
    struct ouro_part_walk walk;
    bool more = true;
    ouro_nearest_begin(&nearest, (const char *)wanted->data, wanted->size);
    ouro_part_walk_begin(&walk, model, dict);
    while (more && ouro_part_walk_next(&walk)) {
        size_t size;
        const char *label =
            walk.part->kind == OURO_PART_FIELD ? ouro_snapshot_string(model->snapshot, walk.part->name, &size) : NULL;
        if (label && *label == '.' && model->heap.slots[walk.first] != OURO_NODE_NONE)
            ouro_nearest_offer(&nearest, label + 1, size - 1, OURO_NODE_NONE);
        for (uint64_t i = 0; walk.width == 2 && more && i < walk.item_count; i++)
            if (model->heap.slots[walk.first + 2 * i] != OURO_NODE_NONE)
                more = ouro_finder_offer_key(finder, &nearest, &text, model->heap.slots[walk.first + 2 * i + 1]);
    }
    ouro_nearest_add(ouro_finder_words(finder), &nearest, model);
    finder->no_memory |= text.failed;
    ouro_buf_fini(&text);
}

/* "X is a dict with 3 keys; none is 'k' (near: ...)". */
enum ouro_status ouro_finder_fail_key(struct ouro_finder *finder, const struct ouro_step *step,
                                      const struct ouro_finder_value *value, ouro_node dict,
                                      const struct ouro_finder_entry *entry)
{
    struct ouro_buf *out = ouro_finder_words(finder);
    uint64_t count = ouro_finder_count_entries(finder->model, dict);
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(out, " is ");
    ouro_finder_add_kind(finder, value->kind == OURO_FINDER_NAMESPACE ? dict : value->node);
    if (!count) {
        ouro_buf_add_text(out, " without keys");
    } else {
        ouro_buf_addf(out, " with %" PRIu64 " key%s; none is ", count, count == 1 ? "" : "s");
        ouro_finder_add_step_text(finder, step);
    }
    const char *values = ouro_snapshot_meta(finder->model->snapshot, OURO_META_VALUES, NULL);
    if (entry->untold && values && !strcmp(values, "none"))
        return ouro_finder_fail(finder, step, OURO_BADDATA,
                                ", as far as can be told: it was captured without values (--values none)");
    if (entry->untold)
        return ouro_finder_fail(finder, step, OURO_BADDATA,
                                ", as far as can be told: of %" PRIu64
                                " of them the snapshot doesn't hold enough of the value",
                                entry->untold);
    struct ouro_buf wanted = {0};
    ouro_constant_plain(&wanted, &finder->expression->literals, step->literal);
    if (count)
        ouro_finder_add_near_keys(finder, dict, &wanted);
    finder->no_memory |= wanted.failed;
    ouro_buf_fini(&wanted);
    if (ouro_access_is_kind(finder->model, dict, "collections", "defaultdict"))
        ouro_buf_add_text(out, "; its default_factory would run");
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

/* --- Sequences */

/* The items of a list, tuple or deque, or the elements of a set. */
static bool find_items(const struct ouro_heap_model *model, ouro_node node, bool elements, uint64_t *begin,
                       uint64_t *count, bool *down)
{
    struct ouro_part_walk walk;
    *count = 0;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk)) {
        unsigned kind = walk.part->kind;
        if (kind != OURO_PART_ITEMS && kind != OURO_PART_ITEMS_DOWN && !(elements && kind == OURO_PART_ELEMENTS))
            continue;
        *begin = walk.first;
        *count = walk.item_count;
        *down = kind == OURO_PART_ITEMS_DOWN;
        return true;
    }
    return false;
}

bool ouro_finder_is_sequence(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_access_is_kind(model, node, "builtins", "list") ||
           ouro_access_is_kind(model, node, "builtins", "tuple") ||
           ouro_access_is_kind(model, node, "collections", "deque");
}

/* A structseq shows fewer items than it has. */
static uint64_t visible_count(const struct ouro_heap_model *model, ouro_node node, uint64_t count)
{
    static const char name[] = "n_sequence_fields";
    ouro_node number =
        ouro_access_in_mro(model, ouro_access_class(model, node), (struct ouro_name){name, sizeof name - 1}, NULL);
    if (number >= model->heap.count || !ouro_value_has(model, number) ||
        model->types[ouro_heap_model_type(model, number)].value_kind != OURO_VALUE_INT)
        return count;
    size_t size;
    const unsigned char *bytes = ouro_value_raw(model, number, &size);
    uint64_t visible = size == 1 ? bytes[0] : count;
    return visible < count ? visible : count;
}

enum ouro_status ouro_finder_put(struct ouro_finder *finder, struct ouro_finder_value *value,
                                 const struct ouro_step *step, ouro_node node)
{
    if (node >= finder->model->heap.count)
        return ouro_finder_fail_lost(finder, step, value);
    *value = (struct ouro_finder_value){OURO_FINDER_OBJECT, node, OURO_NODE_NONE, step->begin, step->end};
    return OURO_OK;
}

static enum ouro_status fail_range(struct ouro_finder *finder, const struct ouro_step *step,
                                   const struct ouro_finder_value *value, uint64_t count, const char *what)
{
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), " is ");
    if (what)
        ouro_buf_add_text(ouro_finder_words(finder), what);
    else
        ouro_finder_add_kind(finder, value->node);
    ouro_buf_addf(ouro_finder_words(finder), " of %" PRIu64 "; index ", count);
    ouro_finder_add_step_text(finder, step);
    return ouro_finder_fail(finder, step, OURO_GONE, " is out of range");
}

/* The literal as an index into `count` items. */
bool ouro_finder_get_index(const struct ouro_finder *finder, const struct ouro_step *step, uint64_t count,
                           uint64_t *index)
{
    int64_t number;
    if (!ouro_constant_index(&finder->expression->literals, step->literal, &number))
        return false;
    if (number < 0 && (uint64_t)-number <= count)
        number = (int64_t)(count - (uint64_t)-number);
    *index = (uint64_t)number;
    return number >= 0 && (uint64_t)number < count;
}

enum ouro_status ouro_finder_sequence_item(struct ouro_finder *finder, const struct ouro_step *step,
                                           struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    uint64_t begin = 0, count = 0, index;
    bool down = false;
    if (!find_items(model, value->node, value->kind == OURO_FINDER_UNPACKED, &begin, &count, &down))
        count = 0;
    uint64_t visible = visible_count(model, value->node, count);
    if (finder->expression->literals.items[step->literal].kind != OURO_CONSTANT_INT) {
        ouro_finder_add_expression(finder, value);
        ouro_buf_add_text(ouro_finder_words(finder), " is ");
        ouro_finder_add_kind(finder, value->node);
        return ouro_finder_fail(finder, step, OURO_GONE, " of %" PRIu64 "; its items have numbers", visible);
    }
    if (!ouro_finder_get_index(finder, step, visible, &index))
        return fail_range(finder, step, value, visible, NULL);
    return ouro_finder_put(finder, value, step, model->heap.slots[begin + (down ? count - 1 - index : index)]);
}

/* The n-th key, and its value, in the order of iteration. False: out of range. */
static bool nth_entry(const struct ouro_heap_model *model, ouro_node dict, bool by_table, uint64_t n, ouro_node *key,
                      ouro_node *value)
{
    struct ouro_part_walk walk;
    bool ordered = !by_table && ouro_access_is_kind(model, dict, "collections", "OrderedDict"), wanted = false;
    *key = *value = OURO_NODE_NONE;
    ouro_part_walk_begin(&walk, model, dict);
    while (ordered && !wanted && ouro_part_walk_next(&walk))
        if (walk.part->kind == OURO_PART_KEYS) { /* its own order */
            if (n >= walk.item_count)
                return false;
            *key = model->heap.slots[walk.first + n];
            wanted = true;
        }
    ouro_part_walk_begin(&walk, model, dict);
    while (ouro_part_walk_next(&walk))
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++) {
            ouro_node at = model->heap.slots[walk.first + 2 * i];
            if (at == OURO_NODE_NONE)
                continue;
            if (wanted ? model->heap.slots[walk.first + 2 * i + 1] != *key : n--)
                continue;
            *key = model->heap.slots[walk.first + 2 * i + 1];
            *value = at;
            return true;
        }
    return false;
}

enum ouro_status ouro_finder_unpacked_item(struct ouro_finder *finder, const struct ouro_step *step,
                                           struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node dict = ouro_finder_mapping_of(model, value->node), key, entry;
    uint64_t index;
    if (!ouro_finder_is_dict(model, dict))
        return ouro_finder_sequence_item(finder, step, value);
    uint64_t count = ouro_finder_count_entries(model, dict);
    if (finder->expression->literals.items[step->literal].kind == OURO_CONSTANT_INT &&
        ouro_access_is_split(model, dict) && count > 1) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_BADDATA, ": the order of its attributes is not in the snapshot");
    }
    if (!ouro_finder_get_index(finder, step, count, &index))
        return fail_range(finder, step, value, count, "a list");
    bool by_table = value->kind == OURO_FINDER_TABLE_VALUES || value->kind == OURO_FINDER_TABLE_KEYS;
    bool values = value->kind == OURO_FINDER_TABLE_VALUES || value->kind == OURO_FINDER_VALUES;
    if (ouro_access_is_split(model, dict) || !nth_entry(model, dict, by_table, index, &key, &entry)) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_BADDATA, ": what it holds is not in the snapshot in that order");
    }
    return ouro_finder_put(finder, value, step, values ? entry : key);
}
