#include "analysis/async_leads.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define STEPS_MAX 128 /* objects looked at from one callable */
#define DEPTH_MAX 8   /* steps away from it */
#define INSTANCE_DEPTH_MAX 2 /* attributes of attributes */
#define ITEMS_MAX 64  /* of one closure, tuple of arguments, container, instance */

struct step {
    ouro_node node;
    ouro_node code; /* what would run; OURO_NODE_NONE: native code */
    uint8_t depth, instances;
    bool any;
};

struct search {
    struct ouro_leads *leads;
    const struct ouro_async *async;
    struct step steps[STEPS_MAX];
    size_t count; /* each is looked at once, in order */
    bool failed;
};

void ouro_leads_init(struct ouro_leads *leads, const struct ouro_async *async)
{
    memset(leads, 0, sizeof *leads);
    leads->async = async;
}

void ouro_leads_fini(struct ouro_leads *leads)
{
    ouro_map_fini(&leads->known);
    free(leads->found.items);
    free(leads->runs.items);
    memset(leads, 0, sizeof *leads);
}

static bool names(const struct search *search, ouro_node code, const char *name)
{
    return ouro_async_code_names(search->async, code, (const unsigned char *)name, strlen(name));
}

static void push(struct search *search, const struct step *from, ouro_node node, ouro_node code)
{
    if (node >= search->async->model->heap.count || search->count == STEPS_MAX || from->depth == DEPTH_MAX)
        return;
    for (size_t i = 0; i < search->count; i++)
        if (search->steps[i].node == node && search->steps[i].code == code)
            return;
    search->steps[search->count++] =
        (struct step){node, code, (uint8_t)(from->depth + 1), from->instances, from->any};
}

static void emit(struct search *search, ouro_node target, bool any)
{
    struct ouro_lead *lead = OURO_VEC_ADD(&search->leads->found);
    if (lead)
        *lead = (struct ouro_lead){target, any};
    search->failed |= !lead;
}

static ouro_node code_of(const struct search *search, ouro_node callable)
{
    ouro_node code = ouro_heap_model_field(search->async->model, callable, "__code__");
    return ouro_async_kind(search->async, code) & OURO_ASYNC_CODE ? code : OURO_NODE_NONE;
}

/* A callback that only takes back or passes on a cancellation does not complete what it refers to. */
static bool only_cancels(const struct search *search, ouro_node code)
{
    return code != OURO_NODE_NONE && (names(search, code, "cancel") || names(search, code, "remove_done_callback")) &&
           !names(search, code, "set_result") && !names(search, code, "set_exception");
}

/* Whether the code does what can wake up those who wait there: calls it, or is the method itself. */
static bool wakes_up(const struct search *search, ouro_node code)
{
    static const char *const waking[] = {"put_nowait", "put",        "set",  "release", "notify",
                                         "notify_all", "get_nowait", "get",  "shutdown"};
    ouro_node name = ouro_heap_model_field(search->async->model, code, "co_name");
    for (size_t i = 0; i < sizeof waking / sizeof *waking; i++)
        if (names(search, code, waking[i]) || ouro_async_is_text(search->async, name, waking[i]))
            return true;
    return false;
}

static void push_closure(struct search *search, const struct step *step, ouro_node function)
{
    ouro_node closure = ouro_heap_model_field(search->async->model, function, "__closure__");
    ouro_node code = code_of(search, function);
    uint64_t count = closure == OURO_NODE_NONE ? 0 : ouro_async_tuple_size(search->async, closure);
    struct step from = *step;
    for (uint64_t i = 0; i < count && i < ITEMS_MAX; i++) {
        ouro_node content = ouro_async_content(search->async, ouro_async_tuple_item(search->async, closure, i));
        from.any |= ouro_async_is_text(search->async, content, "FIRST_COMPLETED");
    }
    for (uint64_t i = 0; i < count && i < ITEMS_MAX; i++) {
        ouro_node cell = ouro_async_tuple_item(search->async, closure, i);
        if (ouro_async_kind(search->async, cell) & OURO_ASYNC_CELL)
            push(search, &from, ouro_async_content(search->async, cell), code);
    }
}

static void push_method(struct search *search, const struct step *step)
{
    const struct ouro_heap_model *model = search->async->model;
    ouro_node self = ouro_heap_model_field(model, step->node, "__self__");
    ouro_node function = ouro_heap_model_field(model, step->node, "__func__");
    push(search, step, function, OURO_NODE_NONE);
    if (function != OURO_NODE_NONE || ouro_async_kind(search->async, self) & OURO_ASYNC_FUTURE)
        push(search, step, self, function == OURO_NODE_NONE ? function : code_of(search, function));
}

/* What a callable is called with; they are found in code that takes them as arguments. */
static void push_arguments(struct search *search, const struct step *step, ouro_node tuple, ouro_node code)
{
    for (uint64_t i = 0, count = ouro_async_tuple_size(search->async, tuple); i < count && i < ITEMS_MAX; i++)
        push(search, step, ouro_async_tuple_item(search->async, tuple, i), code);
}

static ouro_node called_code(const struct search *search, ouro_node callable)
{
    ouro_node function = ouro_heap_model_field(search->async->model, callable, "__func__");
    return code_of(search, function == OURO_NODE_NONE ? callable : function);
}

static void push_partial(struct search *search, const struct step *step)
{
    const struct ouro_heap_model *model = search->async->model;
    ouro_node function = ouro_heap_model_field(model, step->node, "func");
    ouro_node keywords = ouro_heap_model_field(model, step->node, "keywords"), code = called_code(search, function);
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    unsigned seen = 0;
    push(search, step, function, OURO_NODE_NONE);
    push_arguments(search, step, ouro_heap_model_field(model, step->node, "args"), code);
    if (keywords == OURO_NODE_NONE)
        return;
    ouro_slot_walk_begin(&walk, model, keywords);
    while (ouro_slot_walk_next(&walk, &slot) && seen++ < ITEMS_MAX)
        if (slot.place == 0 && slot.part->kind != OURO_PART_TYPE)
            push(search, step, slot.target, code);
}

static void push_attributes(struct search *search, const struct step *step, ouro_node holder)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    size_t size;
    unsigned seen = 0;
    ouro_slot_walk_begin(&walk, search->async->model, holder);
    while (ouro_slot_walk_next(&walk, &slot) && seen++ < 2 * ITEMS_MAX) {
        const unsigned char *name = slot.target == OURO_NODE_NONE ? NULL
                                                                  : ouro_async_slot_name(search->async, &slot, &size);
        if (name && ouro_async_code_names(search->async, step->code, name, size))
            push(search, step, slot.target, step->code);
    }
}

static void push_instance(struct search *search, const struct step *step)
{
    struct step from = *step;
    ouro_node dict = ouro_heap_model_field(search->async->model, step->node, "__dict__");
    if (step->code == OURO_NODE_NONE || from.instances++ == INSTANCE_DEPTH_MAX)
        return;
    push_attributes(search, &from, step->node);
    if (dict != OURO_NODE_NONE)
        push_attributes(search, &from, dict);
}

/* An attribute that holds several: a class's own list of who waits. */
static void emit_items(struct search *search, const struct step *step)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    unsigned seen = 0;
    ouro_slot_walk_begin(&walk, search->async->model, step->node);
    while (step->instances && ouro_slot_walk_next(&walk, &slot) && seen++ < ITEMS_MAX) {
        uint32_t kind = ouro_async_kind(search->async, slot.target);
        if (kind & OURO_ASYNC_FUTURE && !(kind & OURO_ASYNC_TASK) && slot.place == 0)
            emit(search, slot.target, true);
    }
}

static void look_at(struct search *search, const struct step *step)
{
    uint32_t kind = ouro_async_kind(search->async, step->node);
    if (kind & OURO_ASYNC_TASK)
        return;
    if (kind & (OURO_ASYNC_FUTURE | OURO_ASYNC_CONCURRENT)) {
        if (!only_cancels(search, step->code))
            emit(search, step->node, step->any);
    } else if (kind & OURO_ASYNC_PRIMITIVE) {
        if (wakes_up(search, step->code))
            emit(search, step->node, true);
    } else if (kind & OURO_ASYNC_FUNCTION) {
        push_closure(search, step, step->node);
    } else if (kind & OURO_ASYNC_METHOD) {
        push_method(search, step);
    } else if (kind & OURO_ASYNC_PARTIAL) {
        push_partial(search, step);
    } else if (kind & OURO_ASYNC_LIST) {
        emit_items(search, step);
    } else if (!kind) {
        push_instance(search, step);
    }
}

/* What calls of the same function with the same object share; 0: nothing is shared. */
static uint64_t key_of(const struct ouro_leads *leads, ouro_node callable)
{
    uint32_t kind = ouro_async_kind(leads->async, callable);
    if (kind & OURO_ASYNC_FUNCTION)
        return (uint64_t)callable << 32 | OURO_NODE_NONE;
    ouro_node function = ouro_heap_model_field(leads->async->model, callable, "__func__");
    ouro_node self = ouro_heap_model_field(leads->async->model, callable, "__self__");
    return kind & OURO_ASYNC_METHOD && function != OURO_NODE_NONE && self != OURO_NODE_NONE
               ? (uint64_t)function << 32 | self
               : 0;
}

enum ouro_status ouro_leads_find(struct ouro_leads *leads, ouro_node callable, ouro_node arguments,
                                 const struct ouro_lead **items, size_t *count)
{
    struct search search;
    *items = NULL;
    *count = 0;
    if (callable >= leads->async->model->heap.count)
        return OURO_OK;
    uint64_t key = arguments == OURO_NODE_NONE ? key_of(leads, callable) : 0;
    uint64_t *known = key ? ouro_map_find(&leads->known, key) : NULL;
    if (known) {
        const struct ouro_lead_run *run = &leads->runs.items[*known];
        *items = leads->found.items + run->first;
        *count = run->count;
        return OURO_OK;
    }
    size_t first = leads->found.count;
    struct step origin = {callable, OURO_NODE_NONE, 0, 0, false};
    search.leads = leads;
    search.async = leads->async;
    search.count = 0;
    search.failed = false;
    push(&search, &origin, callable, OURO_NODE_NONE);
    if (arguments != OURO_NODE_NONE)
        push_arguments(&search, &origin, arguments, called_code(&search, callable));
    for (size_t i = 0; i < search.count; i++) {
        struct step step = search.steps[i];
        look_at(&search, &step);
    }
    if (key && !search.failed) {
        struct ouro_lead_run *run = OURO_VEC_ADD(&leads->runs);
        uint64_t *place = run ? ouro_map_put(&leads->known, key, NULL) : NULL;
        if (!place)
            return OURO_NOMEM;
        *run = (struct ouro_lead_run){first, leads->found.count - first};
        *place = leads->runs.count - 1;
    }
    *items = leads->found.items + first;
    *count = leads->found.count - first;
    return search.failed ? OURO_NOMEM : OURO_OK;
}
