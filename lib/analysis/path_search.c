#include "analysis/path_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/ahead.h"
#include "base/bits.h"
#include "base/guard.h"
#include "base/large.h"

bool ouro_path_is_named(const struct ouro_heap_model *model, const struct ouro_part *part, const char *name)
{
    const char *text = ouro_snapshot_string(model->snapshot, part->name, NULL);
    return part->kind == OURO_PART_FIELD && part->edge_class != OURO_EDGE_WEAK && text && !strcmp(text, name);
}

ouro_node ouro_path_owned_field(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target != OURO_NODE_NONE && ouro_path_is_named(model, slot.part, name))
            return slot.target;
    return OURO_NODE_NONE;
}

bool ouro_path_is_root(const struct ouro_heap_model *model, ouro_node node)
{
    return ouro_path_is_pseudo(model, node) && model->root_type != OURO_TYPE_NONE &&
           ouro_heap_model_type(model, node) == model->root_type;
}

bool ouro_path_is_closed_at(const struct ouro_path_search *search, ouro_node from, uint64_t slot)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->items[i].from == from && search->items[i].slot == slot)
            return true;
    return false;
}

/* --- What is found */

static void find_namespace(const struct ouro_heap_model *model, const struct ouro_heap_shape *shape,
                           struct ouro_path_shape *namespace)
{
    uint32_t slots = 0, runs = 0, behind = 0, first = UINT32_MAX;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        const struct ouro_part *part = &shape->parts[i];
        if (ouro_part_repeats(part->kind)) {
            runs++;
            continue;
        }
        if (ouro_path_is_named(model, part, "__dict__") && (!namespace->count || slots == first + namespace->count)) {
            if (!namespace->count) {
                first = slots;
                behind = runs;
            }
            namespace->count++;
        }
        slots += ouro_part_width(part->kind);
    }
    if (behind && runs > behind)
        namespace->count = 0; /* neither from the front nor from the back */
    namespace->at = behind ? ~(int32_t)(slots - first) : (int32_t)first;
}

/* Whether nothing that Python has leads there: such references go last among those of a level. */
static bool is_nameless(const struct ouro_heap_model *model, const struct ouro_part *part)
{
    static const char *const names[] = {"__subclasses__", "tp_cache",       "ht_module", "co_localsplusnames", "co_localspluskinds",
                                        "f_func",         "__slots__",      "registry",  "cache",              "negative_cache",
                                        "exc_value",      "sequence"};
    const char *name = ouro_snapshot_string(model->snapshot, part->name, NULL);
    if (part->kind == OURO_PART_FOUND || part->kind == OURO_PART_LINKS || part->kind == OURO_PART_STACK)
        return true;
    if (part->kind != OURO_PART_FIELD || !name)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return !strncmp(name, ".+", 2) || !strncmp(name, ".-", 2) || name[0] == '<';
}

static bool has_nameless(const struct ouro_heap_model *model, const struct ouro_heap_shape *shape)
{
    for (uint32_t i = 0; i < shape->part_count; i++)
        if (is_nameless(model, &shape->parts[i]))
            return true;
    return false;
}

enum ouro_status ouro_path_search_init(struct ouro_path_search *search, struct ouro_heap_model *model,
                                       struct ouro_err *err)
{
    memset(search, 0, sizeof *search);
    search->model = model;
    search->closed_begin = search->target = OURO_NODE_NONE;
    OURO_TRY(ouro_heap_model_load(model, OURO_NOTATION_COLUMNS, err));
    size_t count = model->heap.count;
    search->parent = ouro_large_new(count, sizeof *search->parent);
    search->queue = ouro_large_new(count, sizeof *search->queue);
    search->pending = ouro_large_new(count, sizeof *search->pending);
    search->special = ouro_bits_new(model->heap.count);
    search->found = ouro_bits_new(model->heap.count);
    search->shapes = calloc((size_t)model->shape_count + 1, sizeof *search->shapes);
    if (!search->parent || !search->queue || !search->pending || !search->special || !search->found || !search->shapes) {
        ouro_path_search_fini(search);
        return ouro_err_set(err, OURO_NOMEM, "out of memory for the paths to %zu objects", count);
    }
    for (uint32_t i = 0; i < model->shape_count; i++) {
        find_namespace(model, &model->shapes[i], &search->shapes[i]);
        search->shapes[i].nameless = has_nameless(model, &model->shapes[i]);
        search->shapes[i].leaf = !(model->shapes[i].classes & OURO_CLASS_OWNED);
        search->shapes[i].special = search->shapes[i].nameless || model->shapes[i].classes & ~OURO_CLASS_OWNED;
    }
    search->shapes[model->shape_count].leaf = true;
    ouro_notation_init(&search->notation, model);
    return OURO_OK;
}

void ouro_path_search_fini(struct ouro_path_search *search)
{
    free(search->parent);
    free(search->queue);
    free(search->pending);
    free(search->special);
    free(search->found);
    free(search->shapes);
    free(search->closed);
    free(search->wanted);
    free(search->items);
    memset(search, 0, sizeof *search);
}

static inline const struct ouro_path_shape *shape_of(const struct ouro_path_search *search, ouro_node node)
{
    uint32_t shape = search->model->heap.shape[node], count = search->model->shape_count;
    return &search->shapes[shape < count ? shape : count];
}

static inline const struct ouro_path_shape *enqueue(struct ouro_path_search *search, ouro_node node)
{
    const struct ouro_path_shape *shape = shape_of(search, node);
    search->queue[search->found_count++] = node;
    if (!shape->leaf) {
        ouro_bits_add(search->special, search->pending_count, shape->special);
        search->pending[search->pending_count++] = node;
    }
    return shape;
}

/* Of a node that has one: where its __dict__ stands among the slots. */
static inline uint64_t namespace_at(const struct ouro_path_search *search, ouro_node node)
{
    const struct ouro_heap *heap = &search->model->heap;
    int32_t at = shape_of(search, node)->at;
    return at >= 0 ? heap->slot_begin[node] + (uint64_t)at : heap->slot_begin[node + 1] - (uint64_t)~at;
}

/* One step of the search: the node, and with it its __dict__. */
static inline void reach(struct ouro_path_search *search, ouro_node from, ouro_node node)
{
    const struct ouro_heap *heap = &search->model->heap;
    for (;;) {
        if (ouro_bits_has(search->found, node))
            return;
        if (__builtin_expect(search->closed != NULL, 0) && search->closed[node])
            return;
        search->parent[node] = from;
        ouro_bits_add(search->found, node, true);
        const struct ouro_path_shape *namespace = enqueue(search, node);
        if (search->wanted && search->wanted[node])
            search->wanted_count--;
        if (!namespace->count)
            return;
        uint64_t at = namespace_at(search, node);
        from = node;
        for (uint32_t i = 0; i < namespace->count; i++)
            if (at + i < heap->slot_begin[from + 1] && heap->slots[at + i] != OURO_NODE_NONE &&
                !(search->count && ouro_path_is_closed_at(search, from, at + i - heap->slot_begin[from])))
                node = heap->slots[at + i];
        if (node == from || node == search->closed_begin)
            return;
    }
}

/* References are followed together, in the order in which the search meets them: what stands far from each other in memory is
 * asked for, for all of them, before any is waited for. */
#define TOGETHER 512

struct following {
    struct ouro_path_search *search;
    ouro_node from;
    size_t count;
    struct {
        ouro_node from, to;
    } items[TOGETHER];
};

/* Of all of them first what each is, then where its __dict__ stands, then that; then as if one came after the other. */
static void follow_all(struct following *f)
{
    struct ouro_path_search *search = f->search;
    const struct ouro_heap *heap = &search->model->heap;
    ouro_node holders[TOGETHER];
    size_t left = 0, holder_count = 0;
    for (size_t i = 0; i < f->count; i++)
        if (!ouro_bits_has(search->found, f->items[i].to))
            f->items[left++] = f->items[i];
    for (size_t i = 0; i < left; i++)
        if (shape_of(search, f->items[i].to)->count) {
            ouro_ahead(&heap->slot_begin[f->items[i].to]);
            holders[holder_count++] = f->items[i].to;
        }
    for (size_t i = 0; i < holder_count; i++)
        ouro_ahead(&heap->slots[namespace_at(search, holders[i])]);
    for (size_t i = 0; i < holder_count; i++) {
        uint64_t at = namespace_at(search, holders[i]);
        ouro_node namespace = at < heap->slot_begin[holders[i] + 1] ? heap->slots[at] : OURO_NODE_NONE;
        if (namespace != OURO_NODE_NONE) {
            ouro_ahead(&search->parent[namespace]);
            ouro_ahead(&heap->shape[namespace]);
        }
    }
    for (size_t i = 0; i < left; i++)
        reach(search, f->items[i].from, f->items[i].to);
    f->count = 0;
}

static inline void follow(struct following *f, ouro_node to)
{
    if (ouro_bits_has(f->search->found, to))
        return;
    ouro_ahead(&f->search->model->heap.shape[to]);
    ouro_ahead(&f->search->parent[to]);
    f->items[f->count].from = f->from;
    f->items[f->count].to = to;
    if (++f->count == TOGETHER)
        follow_all(f);
}

static bool has_closed(const struct ouro_path_search *search, ouro_node node)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->items[i].from == node)
            return true;
    return false;
}

/* References of one object that are open, and have a name or have none. */
static void follow_some(struct following *following, ouro_node node, bool nameless)
{
    const struct ouro_path_search *search = following->search;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    const struct ouro_part *part = NULL;
    bool mixed = shape_of(search, node)->nameless, wanted = false;
    ouro_slot_walk_begin(&walk, search->model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.part != part) {
            part = slot.part;
            wanted = (mixed && is_nameless(search->model, part)) == nameless;
        }
        if (wanted && slot.target != OURO_NODE_NONE && slot.edge_class != OURO_EDGE_WEAK &&
            !ouro_path_is_closed(search, &slot)) {
            following->from = node;
            follow(following, slot.target);
        }
    }
}

static bool is_over(const struct ouro_path_search *search)
{
    return search->wanted ? !search->wanted_count
                          : search->target != OURO_NODE_NONE && search->parent[search->target] != OURO_NODE_NONE;
}

#define AHEAD 64 /* nodes before whose turn their slots are asked for */

/* The node that is to be followed as the next but AHEAD, AHEAD / 2 ... */
static inline void look_ahead(const struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    const ouro_node *queue = search->pending + search->done_count, left = search->pending_count - search->done_count;
    if (left <= AHEAD)
        return;
    ouro_heap_model_ahead(model, queue[AHEAD]);
    ouro_heap_model_ahead_slots(model, queue[AHEAD / 2]);
}

/* Of pending[i]: not all of its references are gone through as they stand. */
static inline bool is_special(const struct ouro_path_search *search, ouro_node i)
{
    return ouro_bits_has(search->special, i) || (__builtin_expect(search->count != 0, 0) && has_closed(search, search->pending[i]));
}

static inline void follow_each(struct following *following, ouro_node node)
{
    const struct ouro_heap *heap = &following->search->model->heap;
    following->from = node;
    for (uint64_t i = heap->slot_begin[node], end = heap->slot_begin[node + 1]; i < end; i++)
        if (heap->slots[i] != OURO_NODE_NONE)
            follow(following, heap->slots[i]);
}

/* Level by level, of each first what has a name. */
static void run(struct ouro_path_search *search)
{
    struct following following = {.search = search, .count = 0};
    while (search->done_count < search->pending_count && !is_over(search)) {
        ouro_node begin = search->done_count, end = search->pending_count;
        while (search->done_count < end && !is_over(search)) {
            ouro_node i = search->done_count++;
            look_ahead(search);
            if (is_special(search, i))
                follow_some(&following, search->pending[i], false);
            else
                follow_each(&following, search->pending[i]);
        }
        for (ouro_node i = begin; i < end && !is_over(search); i++)
            if (is_special(search, i) && shape_of(search, search->pending[i])->nameless)
                follow_some(&following, search->pending[i], true);
        follow_all(&following);
    }
}

/* --- Where paths begin */

static void begin_at(struct ouro_path_search *search, ouro_node from, ouro_node node)
{
    if (node != OURO_NODE_NONE && node != search->closed_begin)
        reach(search, from, node);
}

static void begin_by(struct ouro_path_search *search, const struct ouro_slot *slot)
{
    if (slot->edge_class != OURO_EDGE_WEAK && !ouro_path_is_closed(search, slot))
        begin_at(search, slot->node, slot->target);
}

/* By a field that the node owns. */
static void begin_field(struct ouro_path_search *search, ouro_node node, const char *name)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, search->model, node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (ouro_path_is_named(search->model, slot.part, name))
            begin_by(search, &slot);
}

/* sys.modules, what stands in it, and the modules' namespaces. */
static void begin_modules(struct ouro_path_search *search, ouro_node root, ouro_node modules)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    begin_at(search, root, root);
    if (search->parent[root] == OURO_NODE_NONE) /* closed: what it holds must not begin there */
        return;
    begin_field(search, root, "sys.modules");
    if (search->parent[modules] == OURO_NODE_NONE)
        return;
    ouro_slot_walk_begin(&walk, search->model, modules);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.place == 0 && ouro_part_width(slot.part->kind) == 2)
            begin_by(search, &slot);
}

/* A root is found before anything that it holds, or paths could go round in a circle; its turn may come later. */
static bool mark_root(struct ouro_path_search *search, ouro_node root)
{
    if (root == search->closed_begin || (search->closed && search->closed[root]))
        return false;
    if (search->parent[root] != OURO_NODE_NONE)
        return true;
    search->parent[root] = root;
    ouro_bits_add(search->found, root, true);
    if (search->wanted && search->wanted[root])
        search->wanted_count--;
    return true;
}

/* A thread's frames, and the frame objects that hold their contents. What else the thread has is state of the interpreter. */
static void begin_thread(struct ouro_path_search *search, ouro_node root)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    if (search->parent[root] == OURO_NODE_NONE)
        return;
    ouro_slot_walk_begin(&walk, search->model, root);
    while (ouro_slot_walk_next(&walk, &slot)) {
        const char *name = ouro_snapshot_string(search->model->snapshot, slot.part->name, NULL);
        if (slot.part->kind != OURO_PART_NAMED || slot.target == OURO_NODE_NONE || !name || strcmp(name, "frames"))
            continue;
        begin_by(search, &slot);
        if (search->parent[slot.target] == root)
            begin_field(search, slot.target, "frame");
    }
}

/* All roots lie among the pseudo objects, at the end. */
static ouro_node first_pseudo(const struct ouro_heap_model *model)
{
    ouro_node first = model->heap.count;
    while (first && ouro_path_is_pseudo(model, first - 1))
        first--;
    return first;
}

static bool has_interned(const struct ouro_heap_model *model, ouro_node root)
{
    return ouro_path_owned_field(model, root, "interned strings") != OURO_NODE_NONE;
}

static void begin(struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    ouro_node first = first_pseudo(model);
    for (unsigned others = 0; others < 2; others++) /* the main interpreter's modules before others' */
        for (ouro_node v = first; v < model->heap.count; v++) {
            ouro_node modules = ouro_path_is_root(model, v) ? ouro_path_owned_field(model, v, "sys.modules") : OURO_NODE_NONE;
            bool other = model->heap.interp && model->heap.interp[v];
            if (modules != OURO_NODE_NONE && other == others)
                begin_modules(search, v, modules);
        }
    for (ouro_node v = first; v < model->heap.count; v++)
        if (ouro_path_is_root(model, v) && search->parent[v] == OURO_NODE_NONE && !has_interned(model, v))
            mark_root(search, v);
    for (ouro_node v = first; v < model->heap.count; v++)
        if (ouro_path_is_root(model, v))
            begin_thread(search, v);
    for (ouro_node v = first; v < model->heap.count; v++)
        if (ouro_path_is_root(model, v) && search->parent[v] == v &&
            ouro_path_owned_field(model, v, "sys.modules") == OURO_NODE_NONE)
            enqueue(search, v);
    /* Pseudo objects elsewhere are those of a damaged file. */
    for (ouro_node v = 0; model->heap.lost_count && v < first; v++)
        if (ouro_path_is_root(model, v))
            begin_at(search, v, v);
    search->begin_count = search->found_count;
}

/* The table of interned strings would be the shortest way to most strings, and says nothing of who uses them: it comes last. */
static void begin_last(struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    for (ouro_node v = first_pseudo(model); v < model->heap.count; v++)
        if (ouro_path_is_root(model, v) && search->parent[v] == OURO_NODE_NONE && has_interned(model, v) && mark_root(search, v))
            enqueue(search, v);
}

enum ouro_status ouro_path_search_run(struct ouro_path_search *search, const ouro_node *targets, size_t count,
                                      struct ouro_err *err)
{
    size_t nodes = search->model->heap.count;
    search->target = targets && count == 1 ? targets[0] : OURO_NODE_NONE;
    if (targets && count != 1) {
        search->wanted = calloc(nodes + 1, 1);
        if (!search->wanted)
            return ouro_err_set(err, OURO_NOMEM, "out of memory for the paths to %zu objects", count);
        search->wanted_count = 0;
        for (size_t i = 0; i < count; i++) {
            search->wanted_count += !search->wanted[targets[i]];
            search->wanted[targets[i]] = 1;
        }
    }
    memset(search->parent, 0xff, nodes * sizeof *search->parent);
    ouro_bits_clear(search->special, search->model->heap.count);
    ouro_bits_clear(search->found, search->model->heap.count);
    search->found_count = search->pending_count = search->done_count = 0;
    begin(search);
    run(search);
    if (!is_over(search))
        begin_last(search);
    run(search);
    search->named_count = search->native_count = search->found_count;
    free(search->wanted);
    search->wanted = NULL;
    search->target = OURO_NODE_NONE;
    return OURO_OK;
}

void ouro_path_search_extend(struct ouro_path_search *search, const struct ouro_roots *roots)
{
    run(search);
    search->named_count = search->found_count;
    for (ouro_node i = 0; i < roots->native_count; i++)
        reach(search, roots->native[i], roots->native[i]);
    run(search);
    search->native_count = search->found_count;
    for (ouro_node i = 0; i < roots->garbage_count; i++)
        reach(search, roots->garbage[i], roots->garbage[i]);
    run(search);
}
