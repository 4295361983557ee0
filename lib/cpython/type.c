#include "cpython/type.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cpython/dict.h"
#include "cpython/extent.h"
#include "cpython/foreign.h"
#include "cpython/learn.h"
#include "cpython/lock.h"
#include "cpython/text.h"

#define BASES_MAX 512     /* longer chains of bases are refused */
#define SLOTS_MAX 8192
#define BASICSIZE_MAX (1u << 20)
#define MEMBER_OBJECT_EX 16  /* T_OBJECT_EX */
#define MEMBER_AFTER_ITEMS 16 /* the flag _Py_AFTER_ITEMS, 3.15 on */

#define LEARNED_MAX 256      /* fields that a learned visitor may have */

const char *ouro_how_name(enum ouro_how how)
{
    static const char *const names[] = {"none", "native", "learned", "interpreted", "generic"};
    return names[how];
}

const char *ouro_type_field_label(const struct ouro_type *type, int32_t offset)
{
    for (size_t i = 0; i < type->labels.count; i++)
        if (type->labels.items[i].offset == offset)
            return type->labels.items[i].label;
    return NULL;
}

struct ops {
    struct ouro_op *items;
    size_t count, capacity;
    bool failed;
};

/* A type object's bytes, of which at least type_sizeof are there. */
static const unsigned char *type_bytes(const struct ouro_python *python, ouro_addr type)
{
    return type & 7 ? NULL : ouro_image_at(python->image, type, (uint64_t)python->layout->type_sizeof);
}

/* Every metaclass derives from type; bytes that are no type object don't lead there. */
static bool is_metaclass(struct ouro_python *python, ouro_addr meta)
{
    for (unsigned depth = 0; meta != python->type_type; depth++) {
        const unsigned char *bytes = meta && depth < BASES_MAX ? type_bytes(python, meta) : NULL;
        if (!bytes || !(ouro_load_u64(bytes + python->layout->tp_flags) & OURO_FLAG_TYPE))
            return false;
        meta = ouro_load_u64(bytes + python->layout->tp_base);
    }
    return true;
}

static bool is_type_object(struct ouro_python *python, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    if (!is_metaclass(python, ouro_load_u64(bytes + layout->ob_type)))
        return false;
    uint64_t basicsize = ouro_load_u64(bytes + layout->tp_basicsize);
    uint64_t itemsize = ouro_load_u64(bytes + layout->tp_itemsize);
    char name[4];
    return basicsize >= (uint64_t)layout->ob_type + 8 && basicsize <= BASICSIZE_MAX && itemsize <= BASICSIZE_MAX &&
           ouro_space_read_text(&python->image->space, ouro_load_u64(bytes + layout->tp_name), name, sizeof name) ==
               OURO_OK;
}

static void add_op(struct ops *ops, const struct ouro_op *op, const char *label)
{
    struct ouro_op *place = OURO_VEC_ADD(ops);
    char *copy = strdup(label ? label : "");
    if (!place || !copy) {
        free(copy);
        if (place)
            ops->count--;
        ops->failed = true;
        return;
    }
    *place = *op;
    place->label = copy;
}

static void add_simple(struct ops *ops, enum ouro_op_kind kind)
{
    add_op(ops, &(struct ouro_op){.kind = (uint8_t)kind}, kind == OURO_OP_TYPE ? "__class__" : NULL);
}

/* "module" and "Outer.Inner" of a type, as type_module and type_qualname give them. */
static void name_type(struct ouro_python *python, struct ouro_type *type, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    char text[512] = "", module[512] = "";
    bool heap = type->flags & OURO_FLAG_HEAPTYPE;
    ouro_space_read_text(&python->image->space, ouro_load_u64(bytes + layout->tp_name), text, sizeof text);
    const char *dot = strrchr(text, '.');
    if (heap) {
        const unsigned char *rest = ouro_image_at(python->image, type->addr, (uint64_t)layout->heap_type_sizeof);
        ouro_addr name = ouro_python_dict_get(python, ouro_dict_of_type(python, type->addr), "__module__");
        ouro_addr name_type = ouro_python_word(python, name + (ouro_addr)layout->ob_type);
        const unsigned char *str_type = name ? type_bytes(python, name_type) : NULL;
        if (!str_type || !(ouro_load_u64(str_type + layout->tp_flags) & OURO_FLAG_UNICODE) ||
            !ouro_python_text(python, name, module, sizeof module))
            snprintf(module, sizeof module, "%.*s", dot ? (int)(dot - text) : 8, dot ? text : "builtins");
        if (!rest || !ouro_python_text(python, ouro_load_u64(rest + layout->ht_qualname), text, sizeof text))
            memmove(text, dot ? dot + 1 : text, strlen(dot ? dot + 1 : text) + 1);
    } else {
        snprintf(module, sizeof module, "%.*s", dot ? (int)(dot - text) : 8, dot ? text : "builtins");
        if (dot)
            memmove(text, dot + 1, strlen(dot + 1) + 1);
    }
    type->name = strdup(text);
    type->module = strdup(module);
}

/* module.name, as much of it as there is room for. */
static void full_name(struct ouro_python *python, ouro_addr addr, const unsigned char *bytes, char *text, size_t size)
{
    struct ouro_type type = {.addr = addr, .flags = ouro_load_u64(bytes + python->layout->tp_flags)};
    name_type(python, &type, bytes);
    snprintf(text, size, "%s.%s", type.module ? type.module : "", type.name ? type.name : "");
    free(type.module);
    free(type.name);
}

bool ouro_type_full_name(struct ouro_python *python, ouro_addr addr, char *text, size_t size)
{
    const unsigned char *bytes = addr & 7 ? NULL : type_bytes(python, addr);
    if (!bytes || !is_type_object(python, bytes))
        return false;
    full_name(python, addr, bytes, text, size);
    return true;
}

/* Slots of one class: PyHeapType_GET_MEMBERS, only those that traverse_slots visits. */
static void add_slots(struct ouro_python *python, struct ops *ops, ouro_addr base, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    if (!(ouro_load_u64(bytes + layout->tp_flags) & OURO_FLAG_HEAPTYPE))
        return;
    uint64_t count = ouro_load_u64(bytes + layout->ob_size);
    const unsigned char *meta = type_bytes(python, ouro_load_u64(bytes + layout->ob_type));
    if (!count || count > SLOTS_MAX || !meta)
        return;
    size_t stride = (size_t)layout->memberdef_sizeof;
    ouro_addr at = base + ouro_load_u64(meta + layout->tp_basicsize);
    const unsigned char *members = ouro_image_at(python->image, at, count * stride);
    for (uint64_t i = 0; members && i < count; i++) {
        const unsigned char *member = members + stride * i;
        uint64_t offset = ouro_load_u64(member + layout->memberdef_offset);
        char label[300] = ".";
        if (ouro_load_u32(member + layout->memberdef_type) != MEMBER_OBJECT_EX || offset > BASICSIZE_MAX)
            continue;
        ouro_space_read_text(&python->image->space, ouro_load_u64(member + layout->memberdef_name), label + 1,
                             sizeof label - 1);
        uint8_t flags = ouro_load_u32(member + layout->memberdef_flags) & MEMBER_AFTER_ITEMS ? OURO_OP_AFTER_ITEMS : 0;
        add_op(ops, &(struct ouro_op){.kind = OURO_OP_FIELD, .flags = flags, .offset = (int32_t)offset}, label);
    }
}

/* The generic visitor for the part of the objects that `base` lays out: every word that lands on an object. */
static void add_generic(struct ouro_python *python, struct ouro_type *type, struct ops *ops, const unsigned char *base)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t itemsize = ouro_load_u64(base + layout->tp_itemsize);
    uint64_t start = itemsize ? (uint64_t)layout->ob_size + 8 : (uint64_t)layout->ob_type + 8;
    uint64_t end = ouro_load_u64(base + layout->tp_basicsize) & ~(uint64_t)7;
    uint64_t weaklist = ouro_load_u64(base + layout->tp_weaklistoffset);
    type->approximate = true;
    if (ouro_load_u64(base + layout->tp_flags) & OURO_FLAG_HEAPTYPE)
        add_simple(ops, OURO_OP_TYPE);
    if (end > BASICSIZE_MAX)
        end = start;
    for (uint64_t at = start; at + 8 <= end; at += 8) {
        const char *known = ouro_type_field_label(type, (int32_t)at);
        char label[32];
        if (at == weaklist) /* the list of weak references owns nothing */
            continue;
        snprintf(label, sizeof label, ".+%#llx", (unsigned long long)at);
        add_op(ops, &(struct ouro_op){.kind = OURO_OP_SCAN, .offset = (int32_t)at}, known ? known : label);
    }
    if (itemsize)
        add_simple(ops, OURO_OP_SCAN_ITEMS);
}

/* Whether name is one of several with | between. */
static bool is_among(const char *names, const char *name)
{
    for (size_t length = strlen(name); *names;) {
        size_t size = strcspn(names, "|");
        if (size == length && memcmp(names, name, size) == 0)
            return true;
        names += size + (names[size] == '|');
    }
    return false;
}

/* The visitor for a tp_traverse that no exported type has: known by the name of the type that it belongs to. */
static const struct ouro_simple *find_by_name(struct ouro_python *python, const unsigned char *bytes, ouro_addr base)
{
    const struct ouro_layout *layout = python->layout;
    const struct ouro_simple *found = NULL;
    char full[OURO_TYPE_NAME_MAX];
    full_name(python, base, bytes, full, sizeof full);
    for (size_t i = 0; i < layout->simple_count && !found; i++) {
        const struct ouro_simple *simple = &layout->simple[i];
        if (is_among(simple->name, full) &&
            (!simple->basicsize || simple->basicsize == ouro_load_u64(bytes + layout->tp_basicsize)))
            found = simple;
    }
    if (found) {
        uint64_t *place =
            ouro_map_put(&python->traverse_visitors, ouro_load_u64(bytes + layout->tp_traverse), NULL);
        if (place)
            *place = (uint64_t)(found - layout->simple);
    }
    return found;
}

static const struct ouro_simple *find_native(struct ouro_python *python, ouro_addr base, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr traverse = ouro_load_u64(bytes + layout->tp_traverse);
    const uint64_t *known = traverse ? ouro_map_find(&python->traverse_visitors, traverse)
                                     : ouro_map_find(&python->type_visitors, base);
    if (known)
        return &layout->simple[*known];
    return traverse ? find_by_name(python, bytes, base) : NULL;
}

/* What the nearest base that we know owns without reporting it. */
static void add_hidden(struct ouro_python *python, struct ops *ops, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    const struct ouro_simple *simple = NULL;
    for (unsigned depth = 0; bytes && !simple && depth < BASES_MAX; depth++) {
        ouro_addr base = ouro_load_u64(bytes + layout->tp_base);
        bytes = base ? type_bytes(python, base) : NULL;
        simple = bytes && ouro_load_u64(bytes + layout->tp_traverse) != python->subtype_traverse
                     ? find_native(python, base, bytes)
                     : NULL;
    }
    for (uint32_t i = 0; simple && i < simple->op_count; i++) {
        struct ouro_op op = simple->ops[i];
        op.flags |= op.kind == OURO_OP_TYPE_OBJECT ? OURO_OP_HIDDEN_ONLY : 0;
        if (op.kind == OURO_OP_TYPE_OBJECT || (op.kind == OURO_OP_FIELD && op.edge_class != OURO_CLASS_TRAVERSED &&
                                               !(op.flags & OURO_OP_IF_COROUTINE)))
            add_op(ops, &op, op.label);
    }
}

static bool add_learned(struct ouro_python *python, struct ouro_type *type, struct ops *ops, ouro_addr traverse)
{
    struct ouro_machine_visit fields[LEARNED_MAX];
    size_t count = ouro_learn_fields(python->learner, type, traverse, fields, LEARNED_MAX);
    if (count == SIZE_MAX || type->flags & OURO_FLAG_TYPE) /* whether a type is asked at all depends on the object */
        return false;
    for (size_t i = 0; i < count; i++) {
        int32_t offset = fields[i].origin.offset;
        const char *known = ouro_type_field_label(type, offset);
        bool dict = offset == type->dictoffset && offset > 0;
        char label[32];
        if (fields[i].origin.kind == OURO_ORIGIN_CONSTANT) {
            add_simple(ops, OURO_OP_TYPE);
            continue;
        }
        snprintf(label, sizeof label, ".+%#x", (unsigned)offset);
        add_op(ops, &(struct ouro_op){.kind = OURO_OP_FIELD, .offset = offset, .flags = dict ? OURO_OP_NAMESPACE : 0},
               known ? known : label);
    }
    return true;
}

/* A tp_traverse that is run for each object; `base` lays out what the generic visitor looks at where it can't be. */
static void add_run(struct ouro_python *python, struct ouro_type *type, struct ops *ops, ouro_addr traverse,
                    const unsigned char *base)
{
    struct ops fallback = {0};
    add_op(ops, &(struct ouro_op){.kind = OURO_OP_RUN, .function = traverse}, "");
    add_generic(python, type, &fallback, base);
    type->approximate = false; /* the objects say so where it is used */
    type->fallback = fallback.items;
    type->fallback_count = (uint32_t)fallback.count;
    ops->failed |= fallback.failed;
}

/* A tp_traverse that we know nothing of: asked for its fields, else run for each object, else the generic visitor. */
static void add_foreign(struct ouro_python *python, struct ouro_type *type, struct ops *ops, ouro_addr traverse,
                        const unsigned char *base)
{
    type->how = OURO_HOW_GENERIC;
    if (!ouro_foreign_label_fields(python, type) || !python->sandboxed) {
        add_generic(python, type, ops, base);
        return;
    }
    if (add_learned(python, type, ops, traverse)) {
        type->how = OURO_HOW_LEARNED;
    } else {
        type->how = OURO_HOW_INTERPRETED;
        add_run(python, type, ops, traverse, base);
    }
    add_hidden(python, ops, base);
}

/* The door through which all visitors are chosen: by the address of tp_traverse (for types that have none by the type's), else
 * by the name of a type known to have it, else by its own code. */
static void add_base_visitor(struct ouro_python *python, struct ouro_type *type, struct ops *ops, ouro_addr base,
                             const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr traverse = ouro_load_u64(bytes + layout->tp_traverse);
    const struct ouro_simple *simple = find_native(python, base, bytes);
    if (!simple) {
        if (traverse)
            add_foreign(python, type, ops, traverse, bytes);
        return;
    }
    type->how = OURO_HOW_NATIVE;
    type->visitor = simple->name;
    bool heap = ouro_load_u64(bytes + layout->tp_flags) & OURO_FLAG_HEAPTYPE;
    for (uint32_t i = 0; i < simple->op_count; i++) {
        const struct ouro_op *op = &simple->ops[i];
        if (op->flags & OURO_OP_IF_HEAP && !heap)
            continue;
        if (op->kind == OURO_OP_FIELD && op->offset + 8 > (int64_t)ouro_load_u64(bytes + layout->tp_basicsize))
            continue; /* this patch level's objects do not have it yet */
        if (op->flags & OURO_OP_IF_COROUTINE && (heap || !type->name || strcmp(type->name, "coroutine") != 0))
            continue;
        add_op(ops, op, op->kind == OURO_OP_TYPE ? "__class__" : op->label);
    }
}

/* What subtype_traverse does (typeobject.c; the same in 3.8 to 3.13 but for when the type is visited and where the managed dict stands). */
static void add_subtype(struct ouro_python *python, struct ouro_type *type, struct ops *ops, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr base = type->addr;
    const unsigned char *at = bytes;
    type->how = OURO_HOW_NATIVE;
    type->visitor = "subtype_traverse";
    for (unsigned depth = 0; ouro_load_u64(at + layout->tp_traverse) == python->subtype_traverse; depth++) {
        add_slots(python, ops, base, at);
        base = ouro_load_u64(at + layout->tp_base);
        at = base && depth < BASES_MAX ? type_bytes(python, base) : NULL;
        if (!at) {
            type->approximate = true;
            type->how = OURO_HOW_GENERIC;
            return;
        }
    }
    int64_t base_dictoffset = (int64_t)ouro_load_u64(at + layout->tp_dictoffset);
    if (type->flags & OURO_FLAG_MANAGED_DICT) {
        if ((layout->values_in_preheader && !layout->values_tagged) || type->dictoffset != base_dictoffset)
            add_simple(ops, OURO_OP_MANAGED_DICT);
    } else if (type->dictoffset != base_dictoffset) {
        add_simple(ops, OURO_OP_DICT_POINTER);
    }
    ouro_addr traverse = ouro_load_u64(at + layout->tp_traverse);
    if (type->flags & OURO_FLAG_HEAPTYPE &&
        (layout->subtype_visits_type || !traverse || !(ouro_load_u64(at + layout->tp_flags) & OURO_FLAG_HEAPTYPE)))
        add_simple(ops, OURO_OP_TYPE);
    if (traverse)
        add_base_visitor(python, type, ops, base, at);
}

void ouro_type_learn_subclasses(struct ouro_python *python, ouro_addr type)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr subclasses = 0;
    ouro_dict_and_subclasses_of_type(python, type, &subclasses);
    const unsigned char *dict =
        subclasses ? ouro_image_at(python->image, subclasses, (uint64_t)layout->dict_values + 8) : NULL;
    struct ouro_keys keys;
    if (!dict || !ouro_keys_read(python, ouro_load_u64(dict + layout->dict_keys), &keys))
        return;
    for (uint64_t i = 0; i < keys.entry_count; i++) {
        ouro_addr reference = ouro_keys_value(&keys, i);
        ouro_addr subclass = reference ? ouro_python_word(python, reference + (ouro_addr)layout->weakref_object) : 0;
        const unsigned char *bytes = subclass ? type_bytes(python, subclass) : NULL;
        ouro_addr traverse = bytes && is_type_object(python, bytes) ? ouro_load_u64(bytes + layout->tp_traverse) : 0;
        if (traverse && traverse != python->subtype_traverse && !ouro_map_find(&python->traverse_visitors, traverse))
            find_by_name(python, bytes, subclass);
    }
}

/* Makes the operations those of the type, and draws from them what its objects need. */
static void use_ops(struct ouro_python *python, struct ouro_type *type, const struct ops *ops)
{
    type->ops = ops->items;
    type->op_count = (uint32_t)ops->count;
    if (ops->failed)
        type->approximate = true;
    type->extent = type->basicsize;
    type->varies = type->is_gc_function || type->flags & OURO_FLAG_TYPE;
    for (uint32_t i = 0; i < type->op_count; i++) {
        const struct ouro_op *op = &type->ops[i];
        if (op->kind == OURO_OP_DICT || op->kind == OURO_OP_GENERATOR || op->kind == OURO_OP_FRAME ||
            op->kind == OURO_OP_TYPE_OBJECT || op->kind == OURO_OP_MANAGED_DICT || op->kind == OURO_OP_RUN)
            type->varies = true;
        /* Static types are smaller than heap types, whose size tp_basicsize is; one may lie at the end of its memory. */
        if (op->kind == OURO_OP_TYPE_OBJECT && type->extent <= (uint64_t)python->layout->heap_type_sizeof)
            type->extent = (uint64_t)python->layout->type_sizeof;
        if ((op->kind == OURO_OP_FIELD && op->offset + 8 > (int64_t)type->extent) || op->offset < 0)
            type->ops[i].kind = OURO_OP_TYPE; /* a member outside of the object: not believed */
    }
    uint64_t read = ouro_extent_to_visit(python->layout, type);
    type->extent = type->extent > read ? type->extent : read;
    if (type->varies && type->op_count && python->layout->values_in_preheader && !type->is_gc_function &&
        !(type->flags & OURO_FLAG_TYPE)) {
        type->varies = false; /* there the parts of instances depend on the type only */
        for (uint32_t i = 0; i < type->op_count; i++)
            if (type->ops[i].kind != OURO_OP_MANAGED_DICT && type->ops[i].kind != OURO_OP_FIELD &&
                type->ops[i].kind != OURO_OP_TYPE)
                type->varies = true;
    }
}

bool ouro_type_distrust(struct ouro_python *python, struct ouro_type *type)
{
    const unsigned char *bytes = type_bytes(python, type->addr);
    struct ops ops = {0};
    if (!bytes || !python->sandboxed || !ouro_foreign_label_fields(python, type))
        return false;
    for (uint32_t i = 0; i < type->fallback_count; i++)
        free((char *)type->fallback[i].label);
    free(type->fallback);
    add_run(python, type, &ops, type->traverse, bytes);
    for (uint32_t i = 0; i < type->op_count; i++) { /* what is owned but not reported stays as it is */
        struct ouro_op op = type->ops[i];
        op.flags |= op.kind == OURO_OP_TYPE_OBJECT ? OURO_OP_HIDDEN_ONLY : 0;
        if (op.kind == OURO_OP_TYPE_OBJECT || (op.kind == OURO_OP_FIELD && op.edge_class != OURO_CLASS_TRAVERSED))
            add_op(&ops, &op, op.label);
        free((char *)type->ops[i].label);
    }
    free(type->ops);
    type->how = OURO_HOW_INTERPRETED;
    type->visitor = NULL;
    use_ops(python, type, &ops);
    return !ops.failed;
}

bool ouro_type_is_asked(struct ouro_python *python, struct ouro_sandbox **sandbox, const struct ouro_type *type,
                        ouro_addr object, const unsigned char *bytes)
{
    if (type->flags & OURO_FLAG_TYPE) /* type_is_gc, which metaclasses inherit */
        return ouro_load_u64(bytes + python->layout->tp_flags) & OURO_FLAG_HEAPTYPE;
    if (!type->is_gc_function || !type->gc)
        return type->gc;
    struct ouro_sandbox *own = ouro_sandbox_get(python, sandbox);
    return !own || ouro_sandbox_is_gc(own, type->is_gc_function, object);
}

void ouro_type_free(struct ouro_type *type)
{
    if (!type)
        return;
    for (uint32_t i = 0; i < type->op_count; i++)
        free((char *)type->ops[i].label);
    for (uint32_t i = 0; i < type->fallback_count; i++)
        free((char *)type->fallback[i].label);
    for (size_t i = 0; i < type->labels.count; i++)
        free(type->labels.items[i].label);
    free(type->ops);
    free(type->fallback);
    free(type->labels.items);
    free(type->name);
    free(type->module);
    free(type);
}

static void find_visitor(struct ouro_python *python, struct ouro_type *type, const unsigned char *bytes)
{
    struct ops ops = {0};
    ouro_addr traverse = ouro_load_u64(bytes + python->layout->tp_traverse);
    if (!(type->flags & OURO_FLAG_HAVE_GC)) {
        /* tp_traverse is never asked; what is known of the type's owned references is hidden. */
        ouro_addr base = type->addr;
        const unsigned char *at = bytes;
        for (unsigned depth = 0; at && depth < BASES_MAX; depth++) {
            if (ouro_map_find(&python->type_visitors, base)) {
                add_base_visitor(python, type, &ops, base, at);
                break;
            }
            base = ouro_load_u64(at + python->layout->tp_base);
            at = base ? type_bytes(python, base) : NULL;
        }
    } else if (traverse == python->subtype_traverse) {
        add_subtype(python, type, &ops, bytes);
    } else {
        add_base_visitor(python, type, &ops, type->addr, bytes);
    }
    use_ops(python, type, &ops);
}

/* A __sizeof__ that is a method written in C: what to run. */
static bool find_sizeof_function(struct ouro_python *python, struct ouro_type *type, ouro_addr method)
{
    const struct ouro_layout *layout = python->layout;
    const struct ouro_space *space = &python->image->space;
    ouro_addr at = ouro_python_word(python, method + (ouro_addr)layout->descr_method);
    if (!python->sandboxed || !python->method_type ||
        ouro_python_word(python, method + (ouro_addr)layout->ob_type) != python->method_type ||
        ouro_space_read(space, at + (ouro_addr)layout->methoddef_meth, &type->sizeof_function, 8) != OURO_OK ||
        ouro_space_read(space, at + (ouro_addr)layout->methoddef_flags, &type->sizeof_flags, 4) != OURO_OK)
        return false;
    type->sizeof_class = ouro_python_word(python, method + (ouro_addr)layout->descr_type);
    return true;
}

/* The first type of the MRO that says how to measure: one that we know, else one with a __sizeof__ of its own. */
static uint8_t find_size_rule(struct ouro_python *python, struct ouro_type *of, const unsigned char *bytes)
{
    const struct ouro_layout *layout = python->layout;
    static const struct {
        const char *name;
        enum ouro_sizeof rule;
    } named[] = {
        {"collections.deque", OURO_SIZEOF_DEQUE},
        {"itertools.product", OURO_SIZEOF_PRODUCT},
        {"itertools.combinations", OURO_SIZEOF_COMBINATIONS},
        {"itertools.combinations_with_replacement", OURO_SIZEOF_CWR},
        {"itertools.permutations", OURO_SIZEOF_PERMUTATIONS},
    };
    uint64_t count = 0;
    const unsigned char *mro = ouro_python_tuple(python, ouro_load_u64(bytes + layout->tp_mro), &count);
    for (uint64_t i = 0; mro && i < count && i < BASES_MAX; i++) {
        ouro_addr base = ouro_load_u64(mro + 8 * i);
        const unsigned char *at = type_bytes(python, base);
        const uint64_t *rule = ouro_map_find(&python->sizeof_rules, base);
        if (rule)
            return (uint8_t)*rule;
        ouro_addr method = at ? ouro_python_dict_get(python, ouro_dict_of_type(python, base), "__sizeof__") : 0;
        if (!method)
            continue;
        char full[OURO_TYPE_NAME_MAX];
        full_name(python, base, at, full, sizeof full);
        for (size_t n = 0; n < sizeof named / sizeof *named; n++)
            if (strcmp(named[n].name, full) == 0)
                return (uint8_t)named[n].rule;
        return find_sizeof_function(python, of, method) ? OURO_SIZEOF_RUN : OURO_SIZEOF_UNKNOWN;
    }
    return OURO_SIZEOF_OBJECT;
}

static bool derives_from_symbol(struct ouro_python *python, const struct ouro_type *type, const char *name)
{
    ouro_addr wanted = ouro_python_symbol(python, name), at = type->addr;
    for (unsigned depth = 0; wanted && at && depth < BASES_MAX; depth++) {
        if (at == wanted)
            return true;
        at = ouro_python_word(python, at + (ouro_addr)python->layout->tp_base);
    }
    return false;
}

static void find_value_kind(struct ouro_python *python, struct ouro_type *type)
{
    static const struct {
        const char *symbol;
        uint8_t value, named;
    } kinds[] = {
        {"PyBool_Type", OURO_OF_BOOL, 0},
        {"PyFloat_Type", OURO_OF_FLOAT, 0},
        {"PyComplex_Type", OURO_OF_COMPLEX, 0},
        {"PyFunction_Type", OURO_OF_NAME, OURO_NAMED_FUNCTION},
        {"PyCFunction_Type", OURO_OF_NAME, OURO_NAMED_BUILTIN},
        {"PyCode_Type", OURO_OF_NAME, OURO_NAMED_CODE},
        {"PyModule_Type", OURO_OF_NAME, OURO_NAMED_MODULE},
    };
    if (type->flags & OURO_FLAG_UNICODE)
        type->value = OURO_OF_STR;
    else if (type->flags & OURO_FLAG_BYTES)
        type->value = OURO_OF_BYTES;
    else if (type->flags & OURO_FLAG_TYPE)
        type->value = OURO_OF_NAME, type->named = OURO_NAMED_TYPE;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !type->value; i++)
        if (derives_from_symbol(python, type, kinds[i].symbol))
            type->value = kinds[i].value, type->named = kinds[i].named;
    if (!type->value && type->flags & OURO_FLAG_LONG)
        type->value = OURO_OF_INT;
    if (ouro_python_word(python, python->none + (ouro_addr)python->layout->ob_type) == type->addr)
        type->value = OURO_OF_NONE;
    type->weakref = derives_from_symbol(python, type, "_PyWeakref_RefType");
}

static struct ouro_type *resolve(struct ouro_python *python, ouro_addr addr)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = type_bytes(python, addr);
    if (!bytes || !is_type_object(python, bytes))
        return NULL;
    struct ouro_type *type = calloc(1, sizeof *type);
    if (!type)
        return NULL;
    type->addr = addr;
    type->user = UINT64_MAX;
    type->flags = ouro_load_u64(bytes + layout->tp_flags);
    type->basicsize = ouro_load_u64(bytes + layout->tp_basicsize);
    type->itemsize = ouro_load_u64(bytes + layout->tp_itemsize);
    type->dictoffset = (int64_t)ouro_load_u64(bytes + layout->tp_dictoffset);
    type->base = ouro_load_u64(bytes + layout->tp_base);
    type->metatype = ouro_load_u64(bytes + layout->ob_type);
    type->name_addr = ouro_load_u64(bytes + layout->tp_name);
    type->finalize = ouro_load_u64(bytes + layout->tp_finalize);
    type->generic_getattr = python->generic_getattr && ouro_load_u64(bytes + layout->tp_getattro) == python->generic_getattr;
    type->descr_get = ouro_load_u64(bytes + layout->tp_descr_get) != 0;
    type->descr_set = ouro_load_u64(bytes + layout->tp_descr_set) != 0;
    type->del = ouro_load_u64(bytes + layout->tp_del) != 0;
    type->gc = (type->flags & OURO_FLAG_HAVE_GC) != 0;
    for (size_t i = 0; i < sizeof python->suspending / sizeof *python->suspending; i++)
        type->suspends = type->suspends || addr == python->suspending[i];
    type->executes = type->suspends || addr == python->frame_type || addr == python->traceback_type;
    type->waitable = ouro_waitable_of_type(python, addr);
    type->traverse = ouro_load_u64(bytes + layout->tp_traverse);
    type->is_gc_function = type->flags & OURO_FLAG_TYPE ? 0 : ouro_load_u64(bytes + layout->tp_is_gc);
    if (type->flags & OURO_FLAG_HEAPTYPE)
        type->cached_keys = ouro_python_word(python, addr + (ouro_addr)layout->ht_cached_keys);
    name_type(python, type, bytes);
    find_visitor(python, type, bytes);
    find_value_kind(python, type);
    type->size_rule = find_size_rule(python, type, bytes);
    type->size_extent = ouro_extent_to_measure(layout, type);
    return type;
}

/* A type that an earlier look at the process resolved, if its object is still as it was; else NULL. */
static struct ouro_type *recognise(struct ouro_python *python, ouro_addr addr)
{
    const struct ouro_layout *layout = python->layout;
    uint64_t *place = ouro_map_find(&python->known, addr);
    const unsigned char *bytes = place && *place > 1 ? type_bytes(python, addr) : NULL;
    if (!bytes)
        return NULL;
    struct ouro_type *type = (struct ouro_type *)(uintptr_t)*place;
    if (ouro_load_u64(bytes + layout->ob_type) != type->metatype || ouro_load_u64(bytes + layout->tp_name) != type->name_addr ||
        ouro_load_u64(bytes + layout->tp_basicsize) != type->basicsize ||
        ouro_load_u64(bytes + layout->tp_itemsize) != type->itemsize ||
        ouro_load_u64(bytes + layout->tp_dictoffset) != (uint64_t)type->dictoffset ||
        ouro_load_u64(bytes + layout->tp_base) != type->base || ouro_load_u64(bytes + layout->tp_finalize) != type->finalize ||
        ouro_load_u64(bytes + layout->tp_traverse) != type->traverse)
        return NULL;
    *place = 1;
    type->user = UINT64_MAX;
    type->met_approximate = false;
    if (type->flags & OURO_FLAG_HEAPTYPE)
        type->cached_keys = ouro_python_word(python, addr + (ouro_addr)layout->ht_cached_keys);
    return type;
}

struct ouro_type *ouro_type_get(struct ouro_python *python, ouro_addr addr)
{
    if (!addr || addr & 7)
        return NULL;
    pthread_mutex_lock(&python->lock);
    bool added;
    uint64_t *place = ouro_map_put(&python->types, addr, &added);
    struct ouro_type *type = NULL;
    if (place && !added) {
        type = *place == 1 ? NULL : (struct ouro_type *)(uintptr_t)*place;
    } else if (place) {
        type = recognise(python, addr);
        if (!type)
            type = resolve(python, addr);
        struct ouro_type **listed = type ? OURO_VEC_ADD(&python->type_list) : NULL;
        if (listed) {
            *listed = type;
            type->index = (uint32_t)python->type_list.count - 1;
        } else if (type) {
            ouro_type_free(type);
            type = NULL;
        }
        place = ouro_map_find(&python->types, addr);
        *place = type ? (uint64_t)(uintptr_t)type : 1;
    }
    pthread_mutex_unlock(&python->lock);
    return type;
}
