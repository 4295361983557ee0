#include "analysis/cyclic.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "base/large.h"
#include "graph/components.h"

#define CELLS_MAX 64 /* of a closure in which __classdict__ is looked for */
#define BASES_MAX 64 /* of a type, from the file: may run in circles */

static ouro_node builtin_class(const struct ouro_heap_model *model, const char *name)
{
    for (uint32_t i = 0; i < model->type_count; i++)
        if (!strcmp(ouro_heap_model_type_name(model, i, NULL), name) &&
            !strcmp(ouro_heap_model_type_module(model, i, NULL), "builtins"))
            return model->types[i].node;
    return OURO_NODE_NONE;
}

/* Bases of which there are no instances are not among the file's types, but they are objects. */
static bool inherits(const struct ouro_heap_model *model, uint32_t type, ouro_node class)
{
    ouro_node node = model->types[type].node;
    if (class == OURO_NODE_NONE)
        return false;
    for (unsigned i = 0; i < BASES_MAX && node != OURO_NODE_NONE; i++) {
        if (node == class)
            return true;
        node = ouro_heap_model_field(model, node, "__base__");
    }
    return false;
}

/* Items of a tuple in their order: item i is at slots[begin + (down ? count - 1 - i : i)]. */
struct items {
    uint64_t begin, count;
    bool down;
};

static struct items items_of(const struct ouro_heap_model *model, ouro_node tuple)
{
    struct items items = {0};
    if (tuple == OURO_NODE_NONE)
        return items;
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, tuple);
    if (shape->part_count != 1 ||
        (shape->parts[0].kind != OURO_PART_ITEMS && shape->parts[0].kind != OURO_PART_ITEMS_DOWN))
        return items;
    items.begin = model->heap.slot_begin[tuple];
    items.count = model->heap.slot_begin[tuple + 1] - items.begin;
    items.down = shape->parts[0].kind == OURO_PART_ITEMS_DOWN;
    return items;
}

static ouro_node item_at(const struct ouro_heap_model *model, const struct items *items, uint64_t index)
{
    return index < items->count ? model->heap.slots[items->begin + (items->down ? items->count - 1 - index : index)]
                                : OURO_NODE_NONE;
}

ouro_node ouro_cyclic_free_variable(const struct ouro_heap_model *model, ouro_node function, uint64_t index,
                                    uint64_t cell_count)
{
    ouro_node code = ouro_heap_model_field(model, function, "__code__");
    struct items names = items_of(model, ouro_heap_model_field(model, code, "co_localsplusnames"));
    if (names.count >= cell_count && names.count) /* from 3.11 on: the last of all names */
        return item_at(model, &names, names.count - cell_count + index);
    names = items_of(model, ouro_heap_model_field(model, code, "co_freevars"));
    return item_at(model, &names, index);
}

/* From 3.14 on functions made in a class body keep its namespace in a cell, for their annotations: as much a part of
 * the class as its __dict__. */
static void mark_class_namespace(struct ouro_cyclic *cyclic, ouro_node function)
{
    static const char name[] = "__classdict__";
    const struct ouro_heap_model *model = cyclic->model;
    struct items cells = items_of(model, ouro_heap_model_field(model, function, "__closure__"));
    for (uint64_t i = 0; i < cells.count && i < CELLS_MAX; i++) {
        ouro_node text = ouro_cyclic_free_variable(model, function, i, cells.count);
        size_t size;
        if (text == OURO_NODE_NONE || !ouro_value_has(model, text))
            continue;
        const unsigned char *bytes = ouro_value_raw(model, text, &size);
        if (size != sizeof name - 1 || memcmp(bytes, name, size))
            continue;
        ouro_node namespace = ouro_heap_model_field(model, item_at(model, &cells, i), "cell_contents");
        if (namespace != OURO_NODE_NONE)
            cyclic->kinds[namespace] |= OURO_KIND_CLASS;
    }
}

static enum ouro_status find_kinds(struct ouro_cyclic *cyclic)
{
    const struct ouro_heap_model *model = cyclic->model;
    OURO_FREE uint8_t *kind_of_type = calloc((size_t)model->type_count + 1, 1);
    cyclic->kinds = ouro_large_new_zeroed((size_t)model->heap.count + 1, 1);
    ouro_node class = builtin_class(model, "type"), module = builtin_class(model, "module");
    ouro_node function = builtin_class(model, "function");
    if (!kind_of_type || !cyclic->kinds)
        return OURO_NOMEM;
    for (uint32_t i = 0; i < model->type_count; i++)
        kind_of_type[i] = inherits(model, i, class)    ? OURO_KIND_CLASS
                          : inherits(model, i, module) ? OURO_KIND_MODULE
                                                       : 0;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        uint8_t kind = type < model->type_count ? kind_of_type[type] : 0;
        cyclic->kinds[v] |= kind;
        ouro_node namespace = kind == OURO_KIND_MODULE ? ouro_heap_model_field(model, v, "__dict__") : OURO_NODE_NONE;
        if (namespace != OURO_NODE_NONE)
            cyclic->kinds[namespace] |= OURO_KIND_MODULE;
        if (type < model->type_count && function != OURO_NODE_NONE && model->types[type].node == function)
            mark_class_namespace(cyclic, v);
    }
    return OURO_OK;
}

/* The graph of a layer among `count` nodes: nodes[i] is number i, or i itself when nodes is NULL. */
struct layer_graph {
    const struct ouro_cyclic *cyclic;
    const uint32_t *number_of; /* by object; NULL: the object's own number */
    struct ouro_csr *csr;
    uint8_t closed;
};

static inline uint32_t number_of(const struct layer_graph *graph, ouro_node target)
{
    if (graph->cyclic->kinds[target] & graph->closed)
        return UINT32_MAX;
    return graph->number_of ? graph->number_of[target] : target;
}

static inline void count_edge(struct layer_graph *graph, ouro_node target)
{
    graph->csr->edge_count += number_of(graph, target) != UINT32_MAX;
}

static inline void add_edge(struct layer_graph *graph, ouro_node target)
{
    uint32_t to = number_of(graph, target);
    if (to != UINT32_MAX)
        graph->csr->targets[graph->csr->edge_count++] = to;
}

static enum ouro_status build_graph(const struct ouro_cyclic *cyclic, const uint32_t *numbers, uint32_t count,
                                    uint8_t closed, struct ouro_csr *csr)
{
    const struct ouro_heap_model *model = cyclic->model;
    struct ouro_csr counted = {0};
    struct layer_graph graph = {cyclic, numbers, &counted, closed};
    for (uint32_t i = 0; i < count; i++) {
        ouro_node v = numbers ? cyclic->members[i].node : i;
        OURO_EACH_TARGET(model, v, OURO_CLASS_OWNED, count_edge, &graph);
    }
    OURO_TRY(ouro_csr_init(csr, count, counted.edge_count));
    csr->edge_count = 0;
    graph.csr = csr;
    for (uint32_t i = 0; i < count; i++) {
        ouro_node v = numbers ? cyclic->members[i].node : i;
        csr->begin[i] = csr->edge_count;
        OURO_EACH_TARGET(model, v, OURO_CLASS_OWNED, add_edge, &graph);
    }
    csr->begin[count] = csr->edge_count;
    return OURO_OK;
}

/* Which components have a cycle: two nodes or an edge of a node to itself. One bit would do; a byte each. */
static uint8_t *find_closed(const struct ouro_csr *csr, const struct ouro_components *components)
{
    uint8_t *closed = ouro_large_new_zeroed((size_t)components->component_count + 1, 1);
    if (!closed)
        return NULL;
    for (ouro_node v = 0; v < csr->node_count; v++) {
        uint8_t *state = &closed[components->component[v]];
        for (uint64_t i = csr->begin[v]; *state < 2 && i < csr->begin[v + 1]; i++)
            if (csr->targets[i] == v)
                *state = 2;
        if (*state < 2)
            ++*state;
    }
    return closed;
}

/* All objects, every owned reference: who is a member at all. */
static enum ouro_status find_members(struct ouro_cyclic *cyclic)
{
    ouro_node count = cyclic->model->heap.count;
    OURO_GUARD(ouro_csr_fini) struct ouro_csr csr = {0};
    OURO_GUARD(ouro_components_fini) struct ouro_components components = {0};
    OURO_TRY(build_graph(cyclic, NULL, count, 0, &csr));
    OURO_TRY(ouro_components_init(&components, &csr));
    OURO_FREE uint8_t *closed = find_closed(&csr, &components);
    if (!closed)
        return OURO_NOMEM;
    ouro_csr_fini(&csr);
    for (ouro_node v = 0; v < count; v++)
        cyclic->member_count += closed[components.component[v]] == 2;
    cyclic->members = ouro_large_new((size_t)cyclic->member_count + 1, sizeof *cyclic->members);
    cyclic->member_of = ouro_large_new((size_t)count + 1, sizeof *cyclic->member_of);
    if (!cyclic->members || !cyclic->member_of)
        return OURO_NOMEM;
    uint32_t n = 0;
    for (ouro_node v = 0; v < count; v++) {
        cyclic->member_of[v] = UINT32_MAX;
        if (closed[components.component[v]] != 2)
            continue;
        cyclic->member_of[v] = n;
        cyclic->members[n++] = (struct ouro_cyclic_member){
            v, OURO_LAYER_ALL, {UINT32_MAX, UINT32_MAX, components.component[v]}
        };
    }
    return OURO_OK;
}

/* Numbers the layer's components anew, in the order of their first members, and lists those. `raw_count`: component
 * numbers so far lie below it. */
static enum ouro_status list_components(struct ouro_cyclic *cyclic, enum ouro_layer layer, uint32_t raw_count)
{
    struct ouro_cyclic_layer *lists = &cyclic->layers[layer];
    OURO_FREE uint32_t *fresh = ouro_large_new((size_t)raw_count + 1, sizeof *fresh);
    if (!fresh)
        return OURO_NOMEM;
    memset(fresh, 0xff, ((size_t)raw_count + 1) * sizeof *fresh);
    uint32_t listed = 0;
    for (uint32_t i = 0; i < cyclic->member_count; i++) {
        uint32_t *component = &cyclic->members[i].component[layer];
        if (*component == UINT32_MAX)
            continue;
        if (fresh[*component] == UINT32_MAX)
            fresh[*component] = lists->component_count++;
        *component = fresh[*component];
        listed++;
        if (layer < cyclic->members[i].layer)
            cyclic->members[i].layer = (uint8_t)layer;
    }
    lists->begin = ouro_large_new_zeroed((size_t)lists->component_count + 2, sizeof *lists->begin);
    lists->members = ouro_large_new((size_t)listed + 1, sizeof *lists->members);
    if (!lists->begin || !lists->members)
        return OURO_NOMEM;
    for (uint32_t i = 0; i < cyclic->member_count; i++)
        if (cyclic->members[i].component[layer] != UINT32_MAX)
            lists->begin[cyclic->members[i].component[layer] + 2]++;
    for (uint32_t c = 0; c < lists->component_count; c++)
        lists->begin[c + 2] += lists->begin[c + 1];
    for (uint32_t i = 0; i < cyclic->member_count; i++)
        if (cyclic->members[i].component[layer] != UINT32_MAX)
            lists->members[lists->begin[cyclic->members[i].component[layer] + 1]++] = i;
    return OURO_OK;
}

static enum ouro_status find_layer(struct ouro_cyclic *cyclic, enum ouro_layer layer, uint8_t not_followed)
{
    OURO_GUARD(ouro_csr_fini) struct ouro_csr csr = {0};
    OURO_GUARD(ouro_components_fini) struct ouro_components components = {0};
    OURO_TRY(build_graph(cyclic, cyclic->member_of, cyclic->member_count, not_followed, &csr));
    OURO_TRY(ouro_components_init(&components, &csr));
    OURO_FREE uint8_t *closed = find_closed(&csr, &components);
    if (!closed)
        return OURO_NOMEM;
    for (uint32_t i = 0; i < cyclic->member_count; i++)
        if (closed[components.component[i]] == 2)
            cyclic->members[i].component[layer] = components.component[i];
    return list_components(cyclic, layer, components.component_count);
}

static enum ouro_status compute(struct ouro_cyclic *cyclic)
{
    OURO_TRY(find_kinds(cyclic));
    OURO_TRY(find_members(cyclic));
    OURO_TRY(list_components(cyclic, OURO_LAYER_ALL, cyclic->model->heap.count));
    OURO_TRY(find_layer(cyclic, OURO_LAYER_CLASSES, OURO_KIND_MODULE));
    return find_layer(cyclic, OURO_LAYER_PLAIN, OURO_KIND_CLASS | OURO_KIND_MODULE);
}

enum ouro_status ouro_cyclic_init(struct ouro_cyclic *cyclic, struct ouro_heap_model *model, struct ouro_err *err)
{
    memset(cyclic, 0, sizeof *cyclic);
    cyclic->model = model;
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_SLOTS | OURO_HEAP_SHAPE | OURO_HEAP_VALUES, err));
    enum ouro_status status = compute(cyclic);
    if (status == OURO_OK)
        return OURO_OK;
    ouro_cyclic_fini(cyclic);
    if (status == OURO_INVAL)
        return ouro_err_set(err, OURO_LIMIT, "an object has more than 2^31 references");
    return ouro_err_set(err, status, "out of memory for the cycles among %lu objects",
                        (unsigned long)model->heap.count);
}

void ouro_cyclic_fini(struct ouro_cyclic *cyclic)
{
    free(cyclic->kinds);
    free(cyclic->member_of);
    free(cyclic->members);
    for (unsigned i = 0; i < OURO_LAYER_COUNT; i++) {
        free(cyclic->layers[i].begin);
        free(cyclic->layers[i].members);
    }
    memset(cyclic, 0, sizeof *cyclic);
}
