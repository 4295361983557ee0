#include "analysis/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/large.h"

#define BEGIN_STEPS_MAX 8 /* a root, a dict, a module, its dict; a root, a frame, a frame object */

/* --- What is found */

static bool is_named(const struct ouro_heap_model *model, const struct ouro_part *part, const char *name)
{
    const char *text = ouro_snapshot_string(model->snapshot, part->name, NULL);
    return part->kind == OURO_PART_FIELD && part->edge_class != OURO_EDGE_WEAK && text && !strcmp(text, name);
}

/* As ouro_heap_model_field, of what the node owns. */
static ouro_node owned_field(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, model, node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (slot.target != OURO_NODE_NONE && is_named(model, slot.part, name))
            return slot.target;
    return OURO_NODE_NONE;
}

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
        if (is_named(model, part, "__dict__") && (!namespace->count || slots == first + namespace->count)) {
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

static bool is_pseudo(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO;
}

static bool is_root(const struct ouro_heap_model *model, ouro_node node)
{
    return is_pseudo(model, node) && model->root_type != OURO_TYPE_NONE &&
           ouro_heap_model_type(model, node) == model->root_type;
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
    search->shapes = calloc((size_t)model->shape_count + 1, sizeof *search->shapes);
    if (!search->parent || !search->queue || !search->pending || !search->shapes) {
        ouro_path_search_fini(search);
        return ouro_err_set(err, OURO_NOMEM, "out of memory for the paths to %zu objects", count);
    }
    for (uint32_t i = 0; i < model->shape_count; i++) {
        find_namespace(model, &model->shapes[i], &search->shapes[i]);
        search->shapes[i].nameless = has_nameless(model, &model->shapes[i]);
        search->shapes[i].leaf = !(model->shapes[i].classes & OURO_CLASS_OWNED);
    }
    search->shapes[model->shape_count].leaf = true;
    ouro_notation_init(&search->notation, model);
    memset(search->parent, 0xff, count * sizeof *search->parent);
    return OURO_OK;
}

void ouro_path_search_fini(struct ouro_path_search *search)
{
    free(search->parent);
    free(search->queue);
    free(search->pending);
    free(search->shapes);
    free(search->closed);
    free(search->wanted);
    free(search->items);
    memset(search, 0, sizeof *search);
}

static bool is_closed_at(const struct ouro_path_search *search, ouro_node from, uint64_t slot)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->items[i].from == from && search->items[i].slot == slot)
            return true;
    return false;
}

static bool is_closed(const struct ouro_path_search *search, const struct ouro_slot *slot)
{
    return search->count && is_closed_at(search, slot->node, slot->index);
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
    if (!shape->leaf)
        search->pending[search->pending_count++] = node;
    return shape;
}

/* One step of the search: the node, and with it its __dict__. */
static inline void reach(struct ouro_path_search *search, ouro_node from, ouro_node node)
{
    const struct ouro_heap *heap = &search->model->heap;
    for (;;) {
        if (search->parent[node] != OURO_NODE_NONE)
            return;
        if (__builtin_expect(search->closed != NULL, 0) && search->closed[node])
            return;
        search->parent[node] = from;
        const struct ouro_path_shape *namespace = enqueue(search, node);
        if (search->wanted && search->wanted[node])
            search->wanted_count--;
        if (!namespace->count)
            return;
        uint64_t at = namespace->at >= 0 ? heap->slot_begin[node] + (uint64_t)namespace->at
                                         : heap->slot_begin[node + 1] - (uint64_t)~namespace->at;
        from = node;
        for (uint32_t i = 0; i < namespace->count; i++)
            if (at + i < heap->slot_begin[from + 1] && heap->slots[at + i] != OURO_NODE_NONE &&
                !(search->count && is_closed_at(search, from, at + i - heap->slot_begin[from])))
                node = heap->slots[at + i];
        if (node == from || node == search->closed_begin)
            return;
    }
}

struct following {
    struct ouro_path_search *search;
    ouro_node from;
};

static inline void follow(struct following *following, ouro_node target)
{
    struct ouro_path_search *search = following->search;
    if (search->parent[target] == OURO_NODE_NONE)
        reach(search, following->from, target);
}

static bool has_closed(const struct ouro_path_search *search, ouro_node node)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->items[i].from == node)
            return true;
    return false;
}

/* References of one object that are open, and have a name or have none. */
static void follow_some(struct ouro_path_search *search, ouro_node node, bool nameless)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    const struct ouro_part *part = NULL;
    bool wanted = false;
    ouro_slot_walk_begin(&walk, search->model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.part != part) {
            part = slot.part;
            wanted = is_nameless(search->model, part) == nameless;
        }
        if (wanted && slot.target != OURO_NODE_NONE && slot.edge_class != OURO_EDGE_WEAK &&
            !is_closed(search, &slot))
            reach(search, node, slot.target);
    }
}

static bool is_over(const struct ouro_path_search *search)
{
    return search->wanted ? !search->wanted_count
                          : search->target != OURO_NODE_NONE && search->parent[search->target] != OURO_NODE_NONE;
}

#define AHEAD 24 /* nodes before whose turn their slots are asked for */

/* The node that is to be followed as the next but AHEAD, AHEAD / 2 ... */
static inline void look_ahead(const struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    const ouro_node *queue = search->pending + search->done_count, left = search->pending_count - search->done_count;
    if (left <= AHEAD)
        return;
    ouro_heap_model_ahead(model, queue[AHEAD]);
    ouro_heap_model_ahead_slots(model, queue[2 * AHEAD / 3]);
    ouro_heap_model_ahead_targets(model, queue[AHEAD / 3], search->parent, sizeof *search->parent);
    ouro_heap_model_ahead_targets(model, queue[AHEAD / 3], model->heap.shape, sizeof *model->heap.shape);
}

static inline bool is_mixed(const struct ouro_path_search *search, ouro_node node)
{
    return shape_of(search, node)->nameless || (__builtin_expect(search->count != 0, 0) && has_closed(search, node));
}

/* Level by level, of each first what has a name. */
static void run(struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    struct following following = {.search = search};
    while (search->done_count < search->pending_count && !is_over(search)) {
        ouro_node begin = search->done_count, end = search->pending_count;
        while (search->done_count < end && !is_over(search)) {
            ouro_node node = search->pending[search->done_count++];
            look_ahead(search);
            if (is_mixed(search, node)) {
                follow_some(search, node, false);
                continue;
            }
            following.from = node;
            OURO_EACH_TARGET(model, node, OURO_CLASS_OWNED, follow, &following);
        }
        for (ouro_node i = begin; i < end && !is_over(search); i++)
            if (is_mixed(search, search->pending[i]))
                follow_some(search, search->pending[i], true);
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
    if (slot->edge_class != OURO_EDGE_WEAK && !is_closed(search, slot))
        begin_at(search, slot->node, slot->target);
}

/* By a field that the node owns. */
static void begin_field(struct ouro_path_search *search, ouro_node node, const char *name)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, search->model, node);
    while (ouro_slot_walk_next(&walk, &slot))
        if (is_named(search->model, slot.part, name))
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
    while (first && is_pseudo(model, first - 1))
        first--;
    return first;
}

static bool has_interned(const struct ouro_heap_model *model, ouro_node root)
{
    return owned_field(model, root, "interned strings") != OURO_NODE_NONE;
}

static void begin(struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    ouro_node first = first_pseudo(model);
    for (unsigned others = 0; others < 2; others++) /* the main interpreter's modules before others' */
        for (ouro_node v = first; v < model->heap.count; v++) {
            ouro_node modules = is_root(model, v) ? owned_field(model, v, "sys.modules") : OURO_NODE_NONE;
            bool other = model->heap.interp && model->heap.interp[v];
            if (modules != OURO_NODE_NONE && other == others)
                begin_modules(search, v, modules);
        }
    for (ouro_node v = first; v < model->heap.count; v++)
        if (is_root(model, v) && search->parent[v] == OURO_NODE_NONE && !has_interned(model, v))
            mark_root(search, v);
    for (ouro_node v = first; v < model->heap.count; v++)
        if (is_root(model, v))
            begin_thread(search, v);
    for (ouro_node v = first; v < model->heap.count; v++)
        if (is_root(model, v) && search->parent[v] == v && owned_field(model, v, "sys.modules") == OURO_NODE_NONE)
            enqueue(search, v);
    /* Pseudo objects elsewhere are those of a damaged file. */
    for (ouro_node v = 0; model->heap.lost_count && v < first; v++)
        if (is_root(model, v))
            begin_at(search, v, v);
    search->begin_count = search->found_count;
}

/* The table of interned strings would be the shortest way to most strings, and says nothing of who uses them: it comes last. */
static void begin_last(struct ouro_path_search *search)
{
    const struct ouro_heap_model *model = search->model;
    for (ouro_node v = first_pseudo(model); v < model->heap.count; v++)
        if (is_root(model, v) && search->parent[v] == OURO_NODE_NONE && has_interned(model, v) && mark_root(search, v))
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

/* --- One path */

static enum ouro_path_root root_of(const struct ouro_path_search *search, ouro_node first, const struct ouro_slot *steps,
                                   size_t count)
{
    const struct ouro_heap_model *model = search->model;
    size_t threads;
    if (!is_root(model, first)) {
        /* Beginnings stand in the queue in the order of their kinds. */
        for (ouro_node i = search->native_count; i < search->found_count; i++)
            if (search->queue[i] == first)
                return OURO_PATH_GARBAGE;
        return OURO_PATH_NATIVE;
    }
    const struct ouro_thread_record *records = ouro_snapshot_threads(model->snapshot, &threads);
    for (size_t i = 0; i < threads; i++)
        if (records[i].root == first)
            return OURO_PATH_FRAME;
    if (count && steps[0].part->kind == OURO_PART_NAMED && is_pseudo(model, steps[0].target))
        return OURO_PATH_FRAME;
    return owned_field(model, first, "sys.modules") != OURO_NODE_NONE ? OURO_PATH_MODULE : OURO_PATH_INTERNAL;
}

/* The reference from one object to the next: the first with the plainest notation. `rest`: the steps behind it. */
static bool choose(const struct ouro_path_search *search, ouro_node from, struct ouro_slot *steps, size_t count,
                   struct ouro_notation_step *scratch)
{
    const struct ouro_heap_model *model = search->model;
    ouro_node to = steps->target;
    struct ouro_slot_walk walk;
    struct ouro_slot slot, best = {.target = OURO_NODE_NONE};
    unsigned best_rank = UINT32_MAX;
    ouro_slot_walk_begin(&walk, model, from);
    while (best_rank && ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target != to || slot.edge_class == OURO_EDGE_WEAK || is_closed(search, &slot))
            continue;
        *steps = slot;
        unsigned rank = 3;
        if (!is_pseudo(model, from)) {
            ouro_notation_next(&search->notation, steps, count, false, scratch);
            rank = !scratch->exact ? 3 : scratch->before.size ? 2 : 0;
        }
        if (rank < best_rank) {
            best = slot;
            best_rank = rank;
        }
    }
    *steps = best;
    return best.target != OURO_NODE_NONE;
}

enum ouro_status ouro_path_init(struct ouro_path *path, const struct ouro_path_search *search, ouro_node node,
                                struct ouro_err *err)
{
    *path = (struct ouro_path){.first = node, .last = node};
    if (node >= search->model->heap.count || !ouro_path_search_found(search, node))
        return OURO_OK;
    for (ouro_node v = node; search->parent[v] != v; v = search->parent[v])
        path->count++;
    path->steps = calloc(path->count + 1, sizeof *path->steps);
    if (!path->steps)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for a path of %zu references", path->count);
    OURO_GUARD(ouro_notation_step_fini) struct ouro_notation_step scratch = {.taken = 0};
    for (size_t i = path->count; i--;) {
        path->steps[i].target = path->first;
        path->first = search->parent[path->first];
        if (!choose(search, path->first, &path->steps[i], path->count - i, &scratch)) {
            ouro_path_fini(path);
            return ouro_err_set(err, OURO_INVAL, "a path without its references: the search was changed in between");
        }
    }
    if (scratch.before.failed || scratch.after.failed) { /* then it chose without knowing */
        size_t count = path->count;
        ouro_path_fini(path);
        return ouro_err_set(err, OURO_NOMEM, "out of memory for a path of %zu references", count);
    }
    path->root = root_of(search, path->first, path->steps, path->count);
    return OURO_OK;
}

void ouro_path_fini(struct ouro_path *path)
{
    free(path->steps);
    memset(path, 0, sizeof *path);
}

size_t ouro_path_begin_count(const struct ouro_path *path, const struct ouro_heap_model *model)
{
    size_t count = 1;
    if (path->root == OURO_PATH_FRAME)
        while (count <= path->count && count < BEGIN_STEPS_MAX &&
               (count == 1 ? is_pseudo(model, path->steps[0].target)
                           : is_pseudo(model, path->steps[count - 1].node) &&
                                 is_named(model, path->steps[count - 1].part, "frame")))
            count++;
    else if (path->root == OURO_PATH_MODULE)
        while (count <= path->count && count < 4 &&
               (count != 2 || path->steps[1].place == 0) &&
               (count != 3 || is_named(model, path->steps[2].part, "__dict__")))
            count++;
    return count;
}

enum ouro_status ouro_path_close(struct ouro_path_search *search, const struct ouro_path *path, struct ouro_err *err)
{
    size_t begins = ouro_path_begin_count(path, search->model);
    if (!search->closed)
        search->closed = calloc((size_t)search->model->heap.count + 1, 1);
    if (!search->closed)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for several paths");
    for (size_t i = 0; i + 1 < path->count; i++)
        if (i + 1 >= begins)
            search->closed[path->steps[i].target] = 1;
    if (begins > path->count)
        search->closed_begin = path->last;
    if (begins >= path->count && path->count) {
        struct ouro_path_edge *edge = OURO_VEC_ADD(search);
        if (!edge)
            return ouro_err_set(err, OURO_NOMEM, "out of memory for several paths");
        *edge = (struct ouro_path_edge){path->steps[path->count - 1].node, path->steps[path->count - 1].index};
    }
    return OURO_OK;
}

void ouro_path_open_all(struct ouro_path_search *search)
{
    free(search->closed);
    search->closed = NULL;
    search->count = 0;
    search->closed_begin = OURO_NODE_NONE;
}
