#include "cpython/check.h"

#include <stdlib.h>

#include "cpython/interned.h"
#include "cpython/sandbox.h"

/* What a visitor delivers, kept in a form that follows tp_traverse: parts say what the slots are. */
struct collecting {
    struct ouro_visitor *of;
    const struct ouro_type *type;
    struct { ouro_addr *items; size_t count, capacity; } found, truth;
    enum ouro_slots kind;
    enum ouro_class edge_class;
    size_t in_item;  /* slots of the present item already seen */
    struct { struct pending_part { uint8_t kind, edge_class; } *items; size_t count, capacity; } parts;
    size_t next_part;
    bool in_run, failed;
};

static void add(struct collecting *collecting, ouro_addr addr)
{
    if (!addr || collecting->found.count > collecting->truth.count)
        return; /* more than there should be: it differs anyway */
    ouro_addr *place = OURO_VEC_ADD(&collecting->found);
    if (place)
        *place = addr;
    else
        collecting->failed = true;
}

/* The type stands in no slot: it is added where its part comes in the order of the slots. */
static void add_types(struct collecting *collecting)
{
    while (collecting->next_part < collecting->parts.count &&
           collecting->parts.items[collecting->next_part].kind == OURO_SLOTS_TYPE) {
        add(collecting, collecting->type->addr);
        collecting->next_part++;
    }
}

/* Whether slot number i of an item of the run is what tp_traverse visits: keys of all-str tables are not. */
static bool is_visited(const struct collecting *collecting, size_t i)
{
    if (collecting->edge_class != OURO_CLASS_TRAVERSED)
        return false;
    if (collecting->kind == OURO_SLOTS_ENTRIES_STR || collecting->kind == OURO_SLOTS_NAMESPACE)
        return i == 0;
    return true;
}

static void on_part(void *context, enum ouro_slots kind, enum ouro_class edge_class, const char *name)
{
    struct collecting *collecting = context;
    (void)name;
    struct pending_part *part = OURO_VEC_ADD(&collecting->parts);
    if (part)
        *part = (struct pending_part){(uint8_t)kind, (uint8_t)edge_class};
    else
        collecting->failed = true;
}

static void on_run_begin(void *context, unsigned width)
{
    struct collecting *collecting = context;
    (void)width;
    add_types(collecting);
    if (collecting->next_part >= collecting->parts.count) {
        collecting->failed = true;
        return;
    }
    const struct pending_part *part = &collecting->parts.items[collecting->next_part++];
    collecting->kind = (enum ouro_slots)part->kind;
    collecting->edge_class = (enum ouro_class)part->edge_class;
    collecting->in_item = 0;
    collecting->in_run = true;
}

static void on_run(void *context, uint64_t count)
{
    struct collecting *collecting = context;
    (void)count;
    collecting->in_run = false;
}

static void on_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct collecting *collecting = context;
    for (size_t i = 0; i < count; i++) {
        if (collecting->in_run) {
            /* An item's two slots are value and key; dict_traverse visits the value first as well. */
            if (is_visited(collecting, collecting->in_item))
                add(collecting, targets[i]);
            collecting->in_item = (collecting->in_item + 1) % ouro_slots_width(collecting->kind);
            continue;
        }
        add_types(collecting);
        if (collecting->next_part >= collecting->parts.count) {
            collecting->failed = true;
            return;
        }
        if (collecting->parts.items[collecting->next_part++].edge_class == OURO_CLASS_TRAVERSED)
            add(collecting, targets[i]);
    }
}

static bool on_is_namespace(void *context, ouro_addr dict)
{
    const struct collecting *collecting = context;
    return collecting->of->is_namespace(collecting->of->context, dict);
}

static enum ouro_check compare(struct collecting *collecting, struct ouro_visitor *visitor, ouro_addr object)
{
    struct ouro_visitor native = {.python = visitor->python,
                                  .context = collecting,
                                  .slots = on_slots,
                                  .part = on_part,
                                  .run_begin = on_run_begin,
                                  .run = on_run,
                                  .is_namespace = on_is_namespace,
                                  .interpreter = visitor->interpreter,
                                  .sandbox = visitor->sandbox};
    ouro_visit(&native, collecting->type, object);
    add_types(collecting);
    if (collecting->failed || native.torn || native.approximate ||
        (native.midway && visitor->python->layout->iframe_stackpointer >= 0)) /* its code would see what the stack once was */
        return OURO_CHECK_IMPOSSIBLE;
    size_t count = collecting->found.count;
    bool same = count == collecting->truth.count &&
                (!count || memcmp(collecting->found.items, collecting->truth.items, count * sizeof(ouro_addr)) == 0);
    return same ? OURO_CHECK_EQUAL : OURO_CHECK_DIFFERS;
}

enum ouro_check ouro_check_object(struct ouro_visitor *visitor, const struct ouro_type *type, ouro_addr object)
{
    struct ouro_python *python = visitor->python;
    const unsigned char *bytes = ouro_image_at(python->image, object, type->extent);
    if (!type->gc || !type->traverse || !bytes || type->how == OURO_HOW_INTERPRETED || type->how == OURO_HOW_GENERIC)
        return OURO_CHECK_EQUAL;
    if (!ouro_type_is_asked(python, &visitor->sandbox, type, object, bytes))
        return OURO_CHECK_EQUAL;
    if (ouro_is_interned_table(python, object) && !ouro_interned_is_tracked(python, object))
        return OURO_CHECK_EQUAL; /* told otherwise than its code has it */
    struct ouro_sandbox *sandbox = ouro_sandbox_get(python, &visitor->sandbox);
    const struct ouro_machine_visit *visits;
    size_t count;
    if (!sandbox)
        return OURO_CHECK_IMPOSSIBLE;
    ouro_sandbox_enter(sandbox, visitor->interpreter);
    if (ouro_sandbox_try(sandbox, type->traverse, object, &visits, &count) != OURO_MACHINE_RETURNED)
        return OURO_CHECK_IMPOSSIBLE;
    struct collecting collecting = {.of = visitor, .type = type};
    for (size_t i = 0; i < count && !collecting.failed; i++) {
        ouro_addr *place = visits[i].addr ? OURO_VEC_ADD(&collecting.truth) : NULL;
        if (place)
            *place = visits[i].addr;
        else if (visits[i].addr)
            collecting.failed = true;
    }
    enum ouro_check check = collecting.failed ? OURO_CHECK_IMPOSSIBLE : compare(&collecting, visitor, object);
    free(collecting.truth.items);
    free(collecting.found.items);
    free(collecting.parts.items);
    return check;
}
