#include "analysis/expression.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/finder.h"

/* --- All together */

static enum ouro_status first_step(struct ouro_finder *finder, const struct ouro_step *step)
{
    ouro_node node;
    switch (step->kind) {
    case OURO_STEP_NAME:
        return ouro_finder_name_step(finder, step);
    case OURO_STEP_ROOT:
        return ouro_finder_put_root(finder, step);
    case OURO_STEP_THREAD:
        return ouro_finder_put_thread(finder, step);
    case OURO_STEP_CURRENT_FRAMES:
        finder->values[finder->count++] = (struct ouro_finder_value){OURO_FINDER_CURRENT_FRAMES, OURO_NODE_NONE,
                                                                     OURO_NODE_NONE, step->begin, step->end};
        return OURO_OK;
    default:
        node = ouro_heap_model_find(finder->model, step->number);
        if (node == OURO_NODE_NONE)
            return ouro_finder_fail(finder, step, OURO_GONE, "no object has the address 0x%" PRIx64, step->number);
        return ouro_finder_put_first(finder, step, node, step->end);
    }
}

/* A root of one reference stands for what it refers to, unless it is a thread. */
static void enter_root(struct ouro_finder *finder, const struct ouro_step *step, struct ouro_finder_value *value)
{
    ouro_node target = ouro_finder_root_target(finder->model, value->node);
    bool frames = step && (step->kind == OURO_STEP_ATTRIBUTE) && ouro_finder_step_is(finder, step, "frames");
    struct ouro_name name = ouro_finder_root_name(finder->model, value->node);
    bool thread = name.size > 7 && !memcmp(name.bytes, "<Thread", 7);
    if (!frames && !thread && target < finder->model->heap.count) {
        value->kind = OURO_FINDER_OBJECT;
        value->node = target;
    }
}

static enum ouro_status other_step(struct ouro_finder *finder, const struct ouro_step *step)
{
    const struct ouro_heap_model *model = finder->model;
    bool two = step->kind == OURO_STEP_LOOKUP || step->kind == OURO_STEP_GET;
    struct ouro_finder_value *value = &finder->values[finder->count - 1 - two], *second = value + two;
    finder->count -= two;
    if (value->kind == OURO_FINDER_OBJECT && ouro_finder_is_pseudo(model, value->node) &&
        ouro_heap_model_type(model, value->node) == model->root_type)
        value->kind = OURO_FINDER_ROOT;
    if (value->kind == OURO_FINDER_ROOT && step->kind != OURO_STEP_ARROW) {
        if (ouro_finder_follow_root_label(finder, step, value))
            return OURO_OK;
        enter_root(finder, step, value);
    }
    switch (step->kind) {
    case OURO_STEP_ATTRIBUTE:
        return ouro_finder_attribute_step(finder, step, value);
    case OURO_STEP_ITEM:
        return ouro_finder_item_step(finder, step, value);
    case OURO_STEP_FRAME:
        if (value->kind == OURO_FINDER_FRAMES)
            return ouro_finder_frame_item(finder, step, value);
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_GONE, " has no frames");
    case OURO_STEP_STACK: {
        ouro_node frame = value->kind <= OURO_FINDER_ROOT || value->kind == OURO_FINDER_GENERATOR_FRAME
                              ? ouro_finder_frame_holder(model, value->node)
                              : OURO_NODE_NONE;
        uint64_t depth;
        ouro_node target = ouro_access_stack(model, frame, step->number, &depth);
        if (target != OURO_NODE_NONE)
            return ouro_finder_put(finder, value, step, target);
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_GONE, " has %" PRIu64 " known slots on its value stack", depth);
    }
    case OURO_STEP_LOOKUP:
        return ouro_finder_lookup_step(finder, step, value, second);
    case OURO_STEP_VARS:
        return ouro_finder_vars_step(finder, step, value);
    case OURO_STEP_TYPE:
        return ouro_finder_put(finder, value, step,
                               value->kind == OURO_FINDER_OBJECT ? ouro_access_class(model, value->node)
                                                                 : OURO_NODE_NONE);
    case OURO_STEP_OWN:
        if (value->kind == OURO_FINDER_OBJECT && !ouro_finder_is_pseudo(model, value->node))
            return ouro_finder_take_attribute(finder, step, value, ouro_finder_literal_name(finder, step->literal),
                                              false);
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_GONE, " is no object");
    case OURO_STEP_GETITEM:
        if (value->kind == OURO_FINDER_OBJECT)
            return ouro_finder_object_item(finder, step, value);
        return ouro_finder_item_step(finder, step, value);
    case OURO_STEP_GET:
        return ouro_finder_get_step(finder, step, value, second);
    case OURO_STEP_CALL:
        return ouro_finder_call_step(finder, step, value);
    case OURO_STEP_ARROW:
        return ouro_finder_arrow_step(finder, step, value);
    default: /* UNPACK, VALUES, KEYS */
        return ouro_finder_view_step(finder, step, value);
    }
}

/* The value must be an object. */
static enum ouro_status finish(struct ouro_finder *finder, ouro_node *node)
{
    struct ouro_finder_value *value = &finder->values[0];
    struct ouro_step end = {.at = finder->expression->size};
    if (value->kind == OURO_FINDER_ROOT)
        enter_root(finder, NULL, value);
    *node = value->kind == OURO_FINDER_NAMESPACE ? value->dict : value->node;
    /* sys._current_frames() has frame objects, where there are any; <Thread ..>.frames the frames themselves. */
    if (value->kind == OURO_FINDER_OBJECT && ouro_finder_is_pseudo(finder->model, *node) &&
        finder->expression->items[0].kind == OURO_STEP_CURRENT_FRAMES) {
        ouro_node frame = ouro_heap_model_field(finder->model, *node, "frame");
        *node = frame == OURO_NODE_NONE ? *node : frame;
    }
    if (value->kind <= OURO_FINDER_ROOT || (value->kind == OURO_FINDER_NAMESPACE && value->dict != OURO_NODE_NONE))
        return OURO_OK;
    *node = OURO_NODE_NONE;
    ouro_finder_add_expression(finder, value);
    switch (value->kind) {
    case OURO_FINDER_NAMESPACE:
        return ouro_finder_fail(finder, &end, OURO_GONE,
                                " is no object yet: the attributes lie in the instance itself");
    case OURO_FINDER_FRAMES:
        return ouro_finder_fail(finder, &end, OURO_GONE, " is no object; one frame is, for instance, .frames[0]");
    case OURO_FINDER_LOCALS:
        return ouro_finder_fail(finder, &end, OURO_GONE,
                                " is made when it is asked for; one variable is, for instance, ['self']");
    default:
        return ouro_finder_fail(finder, &end, OURO_GONE,
                                " is made when it is asked for: the snapshot has no such object");
    }
}

enum ouro_status ouro_expression_find(const struct ouro_expression *expression, const struct ouro_heap_model *model,
                                      ouro_node *node, struct ouro_expression_fault *fault)
{
    struct ouro_finder finder = {.expression = expression, .model = model, .fault = fault};
    enum ouro_status status = OURO_OK;
    *node = OURO_NODE_NONE;
    fault->words.size = 0;
    fault->syntax = false;
    finder.values = calloc(expression->count + 1, sizeof *finder.values);
    if (!finder.values)
        return ouro_buf_add_text(&fault->words, "out of memory"), OURO_NOMEM;
    while (status == OURO_OK && finder.next < expression->count) {
        const struct ouro_step *step = &expression->items[finder.next++];
        status = step->kind <= OURO_STEP_CURRENT_FRAMES ? first_step(&finder, step) : other_step(&finder, step);
    }
    if (status == OURO_OK)
        status = finish(&finder, node);
    free(finder.values);
    return finder.no_memory || fault->words.failed ? OURO_NOMEM : status;
}
