#include "cpython/foreign.h"

#include <stdio.h>
#include <stdlib.h>

#include "cpython/deliver.h"
#include "cpython/dict.h"
#include "cpython/learn.h"

#define GROUPS_MAX 64      /* parts of one object; beyond that they are not told apart */
#define STRIKES_MAX 8      /* calls of one type that may run out of budget before nobody tries again */
#define NAMES_MAX 512      /* members or getters of one type */
#define MEMBER_OBJECT 6    /* T_OBJECT */
#define MEMBER_OBJECT_EX 16
#define MEMBER_AFTER_ITEMS 16
#define DICT_IN_PREHEADER (-24)

/* Visits that make one part: a field, the type, or a run of those that came the same way. */
struct group {
    enum { GROUP_FIELD, GROUP_TYPE, GROUP_RUN } kind;
    struct ouro_origin origin;
    size_t end; /* behind its last visit */
};

static int64_t inline_values(const struct ouro_visitor *visitor, const struct ouro_type *type)
{
    const struct ouro_layout *layout = visitor->python->layout;
    bool there = !layout->values_in_preheader && type->flags & OURO_FLAG_INLINE_VALUES;
    return there ? (int64_t)type->basicsize + layout->values_values : INT64_MAX;
}

static bool is_field(const struct ouro_visitor *visitor, const struct ouro_type *type, struct ouro_origin origin)
{
    if (origin.kind != OURO_ORIGIN_FIELD || origin.offset & 7)
        return false;
    if (origin.offset == DICT_IN_PREHEADER)
        return type->flags & OURO_FLAG_MANAGED_DICT;
    return origin.offset > 0 && ((uint64_t)origin.offset + 8 <= type->basicsize || origin.offset >= inline_values(visitor, type));
}

static struct ouro_origin run_origin(const struct ouro_visitor *visitor, const struct ouro_type *type,
                                     const struct ouro_machine_visit *visit)
{
    struct ouro_origin origin = visit->origin;
    if (origin.kind == OURO_ORIGIN_FIELD && !is_field(visitor, type, origin))
        origin = (struct ouro_origin){OURO_ORIGIN_WITHIN, 0};
    if (origin.kind != OURO_ORIGIN_VIA)
        origin.offset = 0;
    return origin;
}

static struct group group_at(const struct ouro_visitor *visitor, const struct ouro_type *type,
                             const struct ouro_machine_visit *visits, size_t count, size_t i)
{
    struct group group = {.origin = visits[i].origin, .end = i + 1};
    if (is_field(visitor, type, visits[i].origin)) {
        group.kind = GROUP_FIELD;
    } else if (visits[i].origin.kind == OURO_ORIGIN_CONSTANT && visits[i].addr == type->addr) {
        group.kind = GROUP_TYPE;
    } else {
        group.kind = GROUP_RUN;
        group.origin = run_origin(visitor, type, &visits[i]);
        for (; group.end < count; group.end++) {
            struct ouro_origin next = run_origin(visitor, type, &visits[group.end]);
            if (next.kind != group.origin.kind || next.offset != group.origin.offset ||
                (next.kind == OURO_ORIGIN_CONSTANT && visits[group.end].addr == type->addr))
                break;
        }
    }
    return group;
}

/* An object with more parts than this is delivered as one run: its parts would be no other object's. */
static bool is_manifold(const struct ouro_visitor *visitor, const struct ouro_type *type,
                        const struct ouro_machine_visit *visits, size_t count)
{
    size_t groups = 0;
    for (size_t i = 0; i < count && groups <= GROUPS_MAX; groups++)
        i = group_at(visitor, type, visits, count, i).end;
    return groups > GROUPS_MAX;
}

static void field_label(struct ouro_visitor *visitor, const struct ouro_type *type, int32_t offset, char *out, size_t capacity)
{
    int64_t values = inline_values(visitor, type);
    const char *label = ouro_type_field_label(type, offset);
    struct ouro_keys keys;
    out[0] = '.';
    if (label)
        snprintf(out, capacity, "%s", label);
    else if (offset == DICT_IN_PREHEADER)
        snprintf(out, capacity, "__dict__");
    else if (offset < values || !ouro_keys_read(visitor->python, type->cached_keys, &keys) ||
             (uint64_t)(offset - values) / 8 >= keys.entry_count ||
             !ouro_python_text(visitor->python, ouro_keys_key(&keys, (uint64_t)(offset - values) / 8), out + 1, capacity - 1))
        snprintf(out, capacity, ".%c%#x", offset < 0 ? '-' : '+',
                 offset < 0 ? 0u - (unsigned)offset : (unsigned)offset);
}

static void run_label(struct ouro_visitor *visitor, const struct ouro_type *type, struct ouro_origin origin, char *out,
                      size_t capacity)
{
    switch ((enum ouro_origin_kind)origin.kind) {
    case OURO_ORIGIN_VIA:
        field_label(visitor, type, origin.offset, out, capacity);
        break;
    case OURO_ORIGIN_WITHIN:
        snprintf(out, capacity, "<items>");
        break;
    case OURO_ORIGIN_CONSTANT:
        snprintf(out, capacity, "<global>");
        break;
    default:
        snprintf(out, capacity, "<visited>");
        break;
    }
}

static void put_group(struct ouro_visitor *visitor, const struct ouro_type *type, const struct ouro_machine_visit *visits,
                      size_t i, const struct group *group)
{
    char label[320] = "";
    uint64_t put_count = 0;
    switch (group->kind) {
    case GROUP_TYPE:
        put_type(visitor, type);
        return;
    case GROUP_FIELD:
        if (visitor->part)
            field_label(visitor, type, group->origin.offset, label, sizeof label);
        part(visitor, OURO_SLOTS_FIELD, OURO_CLASS_TRAVERSED, label);
        if (visitor->namespace_dict && visits[i].addr &&
            (group->origin.offset == DICT_IN_PREHEADER || group->origin.offset == type->dictoffset))
            visitor->namespace_dict(visitor->context, visits[i].addr);
        put(visitor, visits[i].addr);
        return;
    case GROUP_RUN:
        if (visitor->part)
            run_label(visitor, type, group->origin, label, sizeof label);
        part(visitor, OURO_SLOTS_NAMED, OURO_CLASS_TRAVERSED, label);
        for (; i < group->end; i++) {
            if (!visits[i].addr)
                continue;
            put(visitor, visits[i].addr);
            put_count++;
        }
        run_end(visitor, put_count);
        return;
    }
}

static void put_manifold(struct ouro_visitor *visitor, const struct ouro_machine_visit *visits, size_t count)
{
    const struct group all = {.kind = GROUP_RUN, .origin = {OURO_ORIGIN_OTHER, 0}, .end = count};
    put_group(visitor, NULL, visits, 0, &all);
}

/* Runs it. Once the calls of a type have run out of budget a few times, nobody waits for more of them. */
static enum ouro_machine_end run(struct ouro_visitor *visitor, uint32_t *strikes, ouro_addr function, ouro_addr addr,
                                 const struct ouro_machine_visit **visits, size_t *count)
{
    struct ouro_sandbox *sandbox = ouro_sandbox_get(visitor->python, &visitor->sandbox);
    enum ouro_machine_end end = OURO_MACHINE_MEMORY;
    if (strikes && __atomic_load_n(strikes, __ATOMIC_RELAXED) >= STRIKES_MAX) {
        end = OURO_MACHINE_INSTRUCTIONS;
    } else if (sandbox) {
        ouro_sandbox_enter(sandbox, visitor->interpreter);
        end = ouro_sandbox_traverse(sandbox, function, addr, visits, count);
        if (strikes && (end == OURO_MACHINE_INSTRUCTIONS || end == OURO_MACHINE_VISITS))
            __atomic_fetch_add(strikes, 1, __ATOMIC_RELAXED);
    }
    if (end != OURO_MACHINE_RETURNED) {
        visitor->approximate = true;
        visitor->end = (uint8_t)end;
    } else if (ouro_sandbox_visited_null(sandbox)) {
        visitor->approximate = true; /* no collector survives that: it is not as it should be */
    }
    return end;
}

/* type_traverse must not be called with a static type. */
static bool may_run(const struct ouro_visitor *visitor, const struct ouro_type *type)
{
    return !(type->flags & OURO_FLAG_TYPE) || !visitor->unasked;
}

bool ouro_foreign_visit(struct ouro_visitor *visitor, const struct ouro_type *type, const struct ouro_op *op, ouro_addr addr)
{
    const struct ouro_machine_visit *visits;
    size_t count;
    if (!may_run(visitor, type))
        return true;
    if (run(visitor, (uint32_t *)&type->strikes, op->function, addr, &visits, &count) != OURO_MACHINE_RETURNED)
        return false;
    if (is_manifold(visitor, type, visits, count)) {
        put_manifold(visitor, visits, count);
        return true;
    }
    for (size_t i = 0; i < count;) {
        struct group group = group_at(visitor, type, visits, count, i);
        put_group(visitor, type, visits, i, &group);
        i = group.end;
    }
    return true;
}

uint64_t ouro_foreign_variant(struct ouro_visitor *visitor, const struct ouro_type *type, const struct ouro_op *op,
                              ouro_addr addr)
{
    const struct ouro_machine_visit *visits;
    size_t count;
    uint64_t variant = 1;
    bool approximate = visitor->approximate;
    uint8_t end = visitor->end;
    if (!may_run(visitor, type))
        return 2;
    bool returned = run(visitor, (uint32_t *)&type->strikes, op->function, addr, &visits, &count) == OURO_MACHINE_RETURNED;
    visitor->approximate = approximate; /* the visit will say so */
    visitor->end = end;
    if (!returned)
        return 3;
    if (is_manifold(visitor, type, visits, count))
        return 4;
    for (size_t i = 0; i < count;) {
        struct group group = group_at(visitor, type, visits, count, i);
        variant = mix(variant, (uint64_t)group.kind << 40 | (uint64_t)group.origin.kind << 32 | (uint32_t)group.origin.offset);
        i = group.end;
    }
    return variant;
}

bool ouro_foreign_put_all(struct ouro_visitor *visitor, ouro_addr function, ouro_addr addr, uint64_t *count)
{
    const struct ouro_machine_visit *visits;
    size_t visit_count;
    *count = 0;
    if (run(visitor, NULL, function, addr, &visits, &visit_count) != OURO_MACHINE_RETURNED)
        return false;
    for (size_t i = 0; i < visit_count; i++) {
        if (!visits[i].addr)
            continue;
        put(visitor, visits[i].addr);
        ++*count;
    }
    return true;
}

static bool add_label(struct ouro_type *type, int32_t offset, const char *label)
{
    if (ouro_type_field_label(type, offset))
        return true; /* the most derived class's word goes */
    struct ouro_field_label *place = OURO_VEC_ADD(&type->labels);
    if (!place || !(place->label = strdup(label))) {
        if (place)
            type->labels.count--;
        return false;
    }
    place->offset = offset;
    return true;
}

static bool add_name(struct ouro_type *type, int32_t offset, const char *name)
{
    char label[257];
    snprintf(label, sizeof label, "%s%s", strcmp(name, "__dict__") ? "." : "", name);
    return !*name || add_label(type, offset, label);
}

/* Every metaclass lays out a class as type does. */
static bool label_class_fields(const struct ouro_layout *layout, struct ouro_type *type)
{
    const struct {
        int32_t offset;
        const char *label;
    } known[] = {
        {layout->tp_dict,   "__dict__" }, {layout->tp_cache, "tp_cache"}, {layout->tp_mro,    "__mro__"  },
        {layout->tp_bases,  "__bases__"}, {layout->tp_base,  "__base__"}, {layout->ht_module, "ht_module"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].offset > 0 && !add_label(type, known[i].offset, known[i].label))
            return false;
    return true;
}

static bool name_members(struct ouro_python *python, struct ouro_type *type, ouro_addr at)
{
    const struct ouro_layout *layout = python->layout;
    const struct ouro_space *space = &python->image->space;
    for (unsigned i = 0; at && i < NAMES_MAX; i++, at += (ouro_addr)layout->memberdef_sizeof) {
        unsigned char member[64];
        char name[256];
        if ((size_t)layout->memberdef_sizeof > sizeof member ||
            ouro_space_read(space, at, member, (size_t)layout->memberdef_sizeof) != OURO_OK ||
            !ouro_load_u64(member + layout->memberdef_name))
            return true;
        uint32_t kind = ouro_load_u32(member + layout->memberdef_type);
        uint64_t offset = ouro_load_u64(member + layout->memberdef_offset);
        if ((kind == MEMBER_OBJECT || kind == MEMBER_OBJECT_EX) && offset < INT32_MAX &&
            !(ouro_load_u32(member + layout->memberdef_flags) & MEMBER_AFTER_ITEMS) &&
            ouro_space_read_text(space, ouro_load_u64(member + layout->memberdef_name), name, sizeof name) == OURO_OK &&
            !add_name(type, (int32_t)offset, name))
            return false;
    }
    return true;
}

static bool name_getters(struct ouro_python *python, struct ouro_type *type, ouro_addr at)
{
    const struct ouro_layout *layout = python->layout;
    const struct ouro_space *space = &python->image->space;
    for (unsigned i = 0; at && i < NAMES_MAX; i++, at += (ouro_addr)layout->getset_sizeof) {
        unsigned char getset[64];
        char name[256];
        if ((size_t)layout->getset_sizeof > sizeof getset ||
            ouro_space_read(space, at, getset, (size_t)layout->getset_sizeof) != OURO_OK ||
            !ouro_load_u64(getset + layout->getset_name))
            return true;
        ouro_addr getter = ouro_load_u64(getset + layout->getset_get);
        if (!getter ||
            ouro_space_read_text(space, ouro_load_u64(getset + layout->getset_name), name, sizeof name) != OURO_OK)
            continue;
        int32_t offset = ouro_learn_getter(python->learner, type, getter, ouro_load_u64(getset + layout->getset_closure));
        if (offset && !add_name(type, offset, name))
            return false;
    }
    return true;
}

bool ouro_foreign_label_fields(struct ouro_python *python, struct ouro_type *type)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t count = 0;
    const unsigned char *mro =
        ouro_python_tuple(python, ouro_python_word(python, type->addr + (ouro_addr)layout->tp_mro), &count);
    if (type->flags & OURO_FLAG_TYPE ? !label_class_fields(layout, type)
                                     : type->dictoffset > 0 && !add_name(type, (int32_t)type->dictoffset, "__dict__"))
        return false;
    for (uint64_t i = 0; mro && i < count && i < 64; i++) {
        ouro_addr base = ouro_load_u64(mro + 8 * i);
        if (!name_members(python, type, ouro_python_word(python, base + (ouro_addr)layout->tp_members)) ||
            (python->sandboxed &&
             !name_getters(python, type, ouro_python_word(python, base + (ouro_addr)layout->tp_getset))))
            return false;
    }
    return true;
}
