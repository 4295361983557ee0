#include "cpython/owner.h"

#include <stdlib.h>

#include "base/buf.h"
#include "cpython/dict.h"
#include "cpython/state.h"
#include "cpython/visit.h"

#define ROUNDS_MAX 64 /* of following what nobody reaches; it is a chain of so many objects that needs them all */

struct finding {
    struct ouro_python *python;
    struct ouro_visitor visitor;
    uint64_t owner; /* index of the interpreter whose roots are followed */
    struct { ouro_addr *items; size_t count, capacity; } stack, unreached;
    uint64_t met; /* the last owner other than the main interpreter among an object's referents; 0: none */
    bool failed;
};

/* True if the object belonged to nobody yet, or a second interpreter beside the main one is now found to reach it. */
static bool take(struct finding *finding, ouro_addr object)
{
    bool added = false;
    if (!object || object & 7 || !ouro_image_at(finding->python->image, object, 16))
        return false;
    uint64_t *place = ouro_map_put(&finding->python->owners, object, &added);
    if (!place)
        finding->failed = true;
    else if (added)
        *place = finding->owner;
    else if (*place == finding->owner || !*place || *place & OURO_OWNER_SHARED)
        return false;
    else
        *place |= OURO_OWNER_SHARED;
    return place != NULL;
}

static void reach(struct finding *finding, ouro_addr object)
{
    if (!take(finding, object))
        return;
    ouro_addr *place = OURO_VEC_ADD(&finding->stack);
    if (place)
        *place = object;
    else
        finding->failed = true;
}

static void reach_slots(void *context, const ouro_addr *targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reach(context, targets[i]);
}

static bool never_namespace(void *context, ouro_addr dict)
{
    (void)context;
    (void)dict;
    return false;
}

/* What a static type owns, but for what its subclasses lead to. */
static void reach_static_type(struct finding *finding, const unsigned char *bytes, ouro_addr addr)
{
    const struct ouro_layout *layout = finding->python->layout;
    const int32_t fields[] = {layout->tp_base, layout->tp_bases, layout->tp_mro, layout->tp_cache};
    ouro_addr subclasses = 0;
    reach(finding, ouro_dict_and_subclasses_of_type(finding->python, addr, &subclasses));
    take(finding, subclasses);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        reach(finding, ouro_load_u64(bytes + fields[i]));
}

static void follow(struct finding *finding)
{
    struct ouro_python *python = finding->python;
    const struct ouro_layout *layout = python->layout;
    while (finding->stack.count && !finding->failed) {
        ouro_addr object = finding->stack.items[--finding->stack.count];
        struct ouro_type *type = ouro_type_get(python, ouro_python_word(python, object + (ouro_addr)layout->ob_type));
        if (!type || !type->op_count || type->weakref || type->named == OURO_NAMED_BUILTIN)
            continue;
        const unsigned char *bytes =
            type->flags & OURO_FLAG_TYPE ? ouro_image_at(python->image, object, (uint64_t)layout->type_sizeof) : NULL;
        if (!bytes)
            ouro_visit(&finding->visitor, type, object);
        else if (ouro_load_u64(bytes + layout->tp_flags) & OURO_FLAG_HEAPTYPE)
            ouro_visit(&finding->visitor, type, object);
        else
            reach_static_type(finding, bytes, object);
    }
}

static void on_root(void *context, const char *name)
{
    (void)context;
    (void)name;
}

static void on_field(void *context, const char *label, ouro_addr target)
{
    (void)label;
    reach(context, target);
}

static void on_thread(void *context, const struct ouro_interpreter *interpreter, const struct ouro_thread *thread)
{
    (void)context;
    (void)interpreter;
    (void)thread;
}

static void on_frame(void *context, ouro_addr frame, ouro_addr code, struct ouro_execution execution, ouro_addr generator,
                     bool running)
{
    struct finding *finding = context;
    (void)code;
    (void)execution;
    (void)generator;
    ouro_visit_frame(&finding->visitor, frame, running);
    ouro_visit_end(&finding->visitor);
}

static bool note_unreached(void *context, ouro_addr object)
{
    struct finding *finding = context;
    if (ouro_map_find(&finding->python->owners, object))
        return true;
    ouro_addr *place = OURO_VEC_ADD(&finding->unreached);
    if (place)
        *place = object;
    else
        finding->failed = true;
    return !finding->failed;
}

static void meet_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct finding *finding = context;
    struct ouro_python *python = finding->python;
    for (size_t i = 0; i < count; i++) {
        const uint64_t *owner = targets[i] ? ouro_map_find(&python->owners, targets[i]) : NULL;
        if (!owner || *owner & OURO_OWNER_SHARED || !*owner)
            continue;
        const struct ouro_type *type =
            ouro_type_get(python, ouro_python_word(python, targets[i] + (ouro_addr)python->layout->ob_type));
        if (type && type->gc) /* strings are everybody's, whoever reaches them */
            finding->met = *owner;
    }
}

/* One round over what nobody reaches; true if some of it found its owner. */
static bool give_unreached(struct finding *finding)
{
    struct ouro_python *python = finding->python;
    size_t left = 0, before = finding->unreached.count;
    for (size_t i = 0; i < before && !finding->failed; i++) {
        ouro_addr object = finding->unreached.items[i];
        if (ouro_map_find(&python->owners, object))
            continue;
        struct ouro_type *type =
            ouro_type_get(python, ouro_python_word(python, object + (ouro_addr)python->layout->ob_type));
        const uint64_t *of_type = type ? ouro_map_find(&python->owners, type->addr) : NULL;
        finding->met = of_type && !(*of_type & OURO_OWNER_SHARED) ? *of_type : 0;
        if (type && !finding->met)
            ouro_visit(&finding->visitor, type, object);
        if (!finding->met) {
            finding->unreached.items[left++] = object;
            continue;
        }
        finding->owner = finding->met;
        finding->visitor.slots = reach_slots; /* and all that it alone leads to: a piece of garbage stays whole */
        reach(finding, object);
        follow(finding);
        finding->visitor.slots = meet_slots;
    }
    finding->unreached.count = left;
    return left < before;
}

enum ouro_status ouro_owner_find(struct ouro_python *python, struct ouro_err *err)
{
    struct finding finding = {.python = python};
    const struct ouro_state_sink sink = {
        .context = &finding, .root = on_root, .field = on_field, .thread = on_thread, .frame = on_frame};
    if (python->layout->interp_gc >= 0 || python->interpreter_count < 2)
        return OURO_OK;
    finding.visitor = (struct ouro_visitor){
        .python = python, .context = &finding, .slots = reach_slots, .is_namespace = never_namespace};
    for (size_t i = 0; i < python->interpreter_count && !finding.failed; i++) {
        finding.owner = finding.visitor.interpreter = i;
        ouro_state_each(python, &python->interpreters[i], &sink);
        follow(&finding);
    }
    for (unsigned list = 0; list < 4 && !finding.failed; list++)
        ouro_python_each_tracked(python, &python->interpreters[0], list, note_unreached, &finding);
    finding.visitor.slots = meet_slots;
    finding.visitor.interpreter = 0;
    for (unsigned round = 0; round < ROUNDS_MAX && !finding.failed && give_unreached(&finding); round++)
        ;
    free(finding.stack.items);
    free(finding.unreached.items);
    python->shared_collector = !finding.failed;
    return finding.failed ? ouro_err_set(err, OURO_NOMEM, "no memory for whose each object is") : OURO_OK;
}
