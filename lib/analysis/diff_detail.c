/* What one row of diff_paths.h is about: the container, examples, types. */
#include <stdlib.h>
#include <string.h>

#include "analysis/brief.h"
#include "analysis/diff_paths.h"
#include "analysis/value.h"
#include "base/guard.h"

struct detailing {
    struct ouro_diff_paths *paths;
    struct ouro_diff_path_row *row;
    uint32_t number; /* of the row */
    struct ouro_diff_side *side, *other;
    const struct ouro_diff_arrivals *arrivals;
    bool after;
};

static ouro_node partner(const struct detailing *d, ouro_node node)
{
    const struct ouro_diff_match *match = d->paths->match;
    return d->after ? match->to_before[node] : match->to_after[node];
}

static bool is_namespace(const struct ouro_heap_model *model, ouro_node node)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    for (uint32_t i = 0; i < shape->part_count; i++)
        if (shape->parts[i].kind == OURO_PART_NAMESPACE || shape->parts[i].kind == OURO_PART_NAMESPACE_ANY)
            return true;
    return false;
}

/* Of a newcomer: its holder, when that holds items; else itself. A namespace counts as container when its attributes share the row. */
static ouro_node container_of(const struct detailing *d, ouro_node newcomer)
{
    ouro_node holder = ouro_diff_side_holder(d->side, newcomer);
    if (holder == OURO_NODE_NONE || holder == newcomer || ouro_diff_length(d->side->model, holder) < 0)
        return newcomer;
    const struct ouro_diff_names *names = d->side->labels.names;
    bool any = names->signatures.items[d->row->signature].label == d->side->labels.any_attribute;
    return is_namespace(d->side->model, holder) && !any ? newcomer : holder;
}

struct sum {
    ouro_node node;
    uint64_t count, bytes;
};

static int compare_sums(const void *a, const void *b)
{
    const struct sum *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return (left->node > right->node) - (left->node < right->node);
}

static enum ouro_status find_container(struct detailing *d)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map place = {0};
    struct {
        struct sum *items;
        size_t count, capacity;
    } sums = {0};
    ouro_node last_holder = OURO_NODE_NONE, last = OURO_NODE_NONE;
    const struct ouro_diff_by_row *own = &d->arrivals->newcomers_of;
    for (size_t i = own->begin[d->number]; i < own->begin[d->number + 1]; i++) {
        const struct ouro_diff_newcomer *newcomer = &d->arrivals->newcomers.items[own->items[i]];
        ouro_node holder = ouro_diff_side_holder(d->side, newcomer->node);
        ouro_node node = holder != OURO_NODE_NONE && holder == last_holder && last == holder ? last
                                                                                             : container_of(d, newcomer->node);
        last_holder = holder;
        last = node;
        bool added;
        uint64_t *at = ouro_map_put(&place, node, &added);
        struct sum *sum = !at ? NULL : added ? OURO_VEC_ADD(&sums) : &sums.items[*at];
        if (!sum) {
            free(sums.items);
            return OURO_NOMEM;
        }
        if (added)
            *at = sums.count - 1;
        sum->node = node;
        sum->count++;
        sum->bytes += newcomer->bytes;
    }
    d->row->container_count = sums.count;
    if (sums.count) {
        qsort(sums.items, sums.count, sizeof *sums.items, compare_sums);
        d->row->container = sums.items[0].node;
    }
    free(sums.items);
    return OURO_OK;
}

/* Rows of survivors that changed their size only: they have their signatures. */
static void find_resized(struct detailing *d)
{
    const struct ouro_heap_model *model = d->side->model, *other = d->other->model;
    uint64_t most = 0;
    for (size_t i = 0; i < d->paths->resized.count; i++) {
        const struct ouro_diff_resized *pair = &d->paths->resized.items[i];
        ouro_node v = d->after ? pair->after : pair->before, p = d->after ? pair->before : pair->after;
        if (d->side->signature[v] != d->row->signature || ouro_diff_side_type(d->side, v) != d->row->type)
            continue;
        uint64_t here = ouro_heap_model_bytes(model, v), there = ouro_heap_model_bytes(other, p);
        uint64_t change = here > there ? here - there : there - here;
        d->row->container_count++;
        if (change > most || (change == most && v < d->row->container)) {
            most = change;
            d->row->container = v;
        }
    }
}

/* The same reference of the holder's match: what an attribute held. */
static ouro_node same_reference(const struct detailing *d, ouro_node node)
{
    ouro_node holder = ouro_diff_side_holder(d->side, node);
    ouro_node other = holder == OURO_NODE_NONE || holder == node ? OURO_NODE_NONE : partner(d, holder);
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    uint64_t key = 0;
    if (other == OURO_NODE_NONE)
        return OURO_NODE_NONE;
    ouro_slot_walk_begin(&walk, d->side->model, holder);
    while (!key && ouro_slot_walk_next(&walk, &slot))
        if (slot.target == node && slot.edge_class != OURO_EDGE_WEAK)
            key = ouro_diff_slot_key(d->side->model, &slot);
    ouro_slot_walk_begin(&walk, d->other->model, other);
    while (key && ouro_slot_walk_next(&walk, &slot))
        if (slot.target != OURO_NODE_NONE && slot.edge_class != OURO_EDGE_WEAK &&
            ouro_diff_slot_key(d->other->model, &slot) == key)
            return slot.target;
    return OURO_NODE_NONE;
}

static enum ouro_status name_container(struct detailing *d, struct ouro_err *err)
{
    struct ouro_diff_path_row *row = d->row;
    ouro_node node = row->container;
    if (node == OURO_NODE_NONE)
        return OURO_OK;
    row->in_before = !d->after;
    row->container_before = partner(d, node);
    row->container_holds = ouro_diff_length(d->side->model, node) >= 0;
    if (row->container_before == OURO_NODE_NONE)
        row->container_before = same_reference(d, node);
    int64_t here = ouro_diff_length(d->side->model, node);
    int64_t there = row->container_before == OURO_NODE_NONE ? -1 : ouro_diff_length(d->other->model, row->container_before);
    row->length_after = d->after ? here : there;
    row->length_before = d->after ? there : here;
    OURO_TRY(ouro_path_init(&row->path.path, &d->side->search, node, err));
    return ouro_path_text_init(&row->path.text, &d->side->search, &row->path.path, err);
}

static void find_examples(struct detailing *d)
{
    struct ouro_diff_path_row *row = d->row;
    const struct ouro_diff_by_row *own = &d->arrivals->newcomers_of;
    for (size_t i = own->begin[d->number]; i < own->begin[d->number + 1] && row->example_count < OURO_DIFF_EXAMPLES; i++) {
        ouro_node v = d->arrivals->newcomers.items[own->items[i]].node;
        if (ouro_diff_side_type(d->side, v) == row->type &&
            (v == row->container || ouro_diff_side_holder(d->side, v) == row->container))
            row->examples[row->example_count++] = v;
    }
}

static int compare_types(const void *a, const void *b, void *context)
{
    const struct ouro_diff_path_type *left = a, *right = b;
    const struct ouro_diff_names *names = context;
    if (left->bytes != right->bytes)
        return llabs(left->bytes) != llabs(right->bytes) ? (llabs(left->bytes) < llabs(right->bytes) ? 1 : -1)
                                                         : (left->bytes < right->bytes ? 1 : -1);
    return ouro_diff_names_compare_labels(names, left->type, right->type);
}

struct type_sums {
    struct ouro_diff_path_type *items;
    size_t count, capacity;
    struct ouro_map place;
};

static bool add_types(struct detailing *d, struct type_sums *sums, bool after)
{
    const struct ouro_diff_side *side = after ? d->paths->match->after : d->paths->match->before;
    const struct ouro_diff_arrivals *arrivals = after ? &d->paths->after : &d->paths->before;
    int sign = after ? 1 : -1;
    const struct ouro_diff_by_row *own = &arrivals->items_of;
    for (size_t i = own->begin[d->number]; i < own->begin[d->number + 1]; i++) {
        ouro_node v = arrivals->items[own->items[i]];
        if (ouro_diff_side_is_pseudo(side, v))
            continue;
        bool added;
        uint64_t *at = ouro_map_put(&sums->place, ouro_diff_side_type(side, v), &added);
        struct ouro_diff_path_type *type = !at ? NULL : added ? OURO_VEC_ADD(sums) : &sums->items[*at];
        if (!type)
            return false;
        if (added)
            *at = sums->count - 1;
        type->type = ouro_diff_side_type(side, v);
        type->count += sign;
        type->bytes += sign * (int64_t)ouro_heap_model_bytes(side->model, v);
    }
    return true;
}

static enum ouro_status find_types(struct detailing *d)
{
    struct type_sums sums = {0};
    bool good = add_types(d, &sums, true) && add_types(d, &sums, false);
    if (good && sums.count) {
        qsort_r(sums.items, sums.count, sizeof *sums.items, compare_types, d->side->labels.names);
        for (size_t i = 0; i < sums.count && d->row->type_count < OURO_DIFF_TYPES; i++)
            if (sums.items[i].count || sums.items[i].bytes)
                d->row->types[d->row->type_count++] = sums.items[i];
    }
    free(sums.items);
    ouro_map_fini(&sums.place);
    return good ? OURO_OK : OURO_NOMEM;
}

enum ouro_status ouro_diff_paths_detail(struct ouro_diff_paths *paths, struct ouro_diff_path_row *row, struct ouro_err *err)
{
    if (row->detailed)
        return OURO_OK;
    bool after = ouro_diff_path_bytes(row) >= 0;
    after = after ? row->newcomer_count || !row->leaver_count : !row->leaver_count;
    struct detailing d = {paths, row, (uint32_t)(row - paths->rows.items), after ? paths->match->after : paths->match->before,
                          after ? paths->match->before : paths->match->after, after ? &paths->after : &paths->before, after};
    row->detailed = true;
    row->length_before = row->length_after = -1;
    enum ouro_status status = find_container(&d);
    if (status == OURO_OK && row->container == OURO_NODE_NONE)
        find_resized(&d);
    if (status == OURO_OK)
        status = name_container(&d, err);
    if (status == OURO_OK) {
        find_examples(&d);
        status = find_types(&d);
    }
    return status == OURO_OK ? OURO_OK : ouro_err_set(err, status, "out of memory for what a row is about");
}

/* --- Examples as text */

#define EXAMPLE_ATTRIBUTES 4u
#define EXAMPLE_SLOTS      64u
#define EXAMPLE_LABEL      60u

static void add_place(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node container, ouro_node node)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (container == node || container == OURO_NODE_NONE)
        return;
    ouro_slot_walk_begin(&walk, model, container);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target == node && slot.edge_class != OURO_EDGE_WEAK) {
            size_t begin = out->size;
            ouro_label_add(out, model, &slot);
            if (out->size - begin > EXAMPLE_LABEL || (out->size > begin && out->data[begin] == '<'))
                out->size = begin;
            else
                ouro_buf_add_text(out, ": ");
            return;
        }
}

static bool is_plain(const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = node == OURO_NODE_NONE ? OURO_TYPE_NONE : ouro_heap_model_type(model, node);
    return type < model->type_count && model->types[type].value_kind != OURO_VALUE_NAME && ouro_value_has(model, node);
}

/* `, user='u1', number=3`: of the object itself and of its __dict__. */
static unsigned add_attributes(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, unsigned written)
{
    static const struct ouro_brief_limits limits = {1, 2, 40, 60};
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, node);
    for (unsigned looked = 0; looked < EXAMPLE_SLOTS && written < EXAMPLE_ATTRIBUTES && ouro_slot_walk_next(&walk, &slot);
         looked++) {
        unsigned kind = slot.part->kind;
        bool named = kind == OURO_PART_FIELD || kind == OURO_PART_NAMESPACE || kind == OURO_PART_NAMESPACE_ANY;
        if (!named || slot.place || !is_plain(model, slot.target))
            continue;
        size_t begin = out->size;
        ouro_buf_add_text(out, written ? ", " : " with ");
        ouro_label_add(out, model, &slot);
        if (out->size - begin > EXAMPLE_LABEL) {
            out->size = begin;
            continue;
        }
        ouro_buf_add_text(out, " = ");
        ouro_brief_add(out, model, slot.target, &limits);
        written++;
    }
    return written;
}

void ouro_diff_paths_add_example(const struct ouro_diff_paths *paths, const struct ouro_diff_path_row *row, size_t i,
                                 struct ouro_buf *out)
{
    static const struct ouro_brief_limits limits = {2, 3, 40, 120};
    const struct ouro_heap_model *model = (row->in_before ? paths->match->before : paths->match->after)->model;
    ouro_node node = row->examples[i];
    add_place(out, model, row->container, node);
    ouro_brief_add(out, model, node, &limits);
    if (!(ouro_heap_model_type_flags(model, ouro_heap_model_type(model, node)) & OURO_TYPE_HEAP))
        return;
    unsigned written = add_attributes(out, model, node, 0);
    ouro_node dict = ouro_heap_model_field(model, node, "__dict__");
    if (dict != OURO_NODE_NONE)
        add_attributes(out, model, dict, written);
}
