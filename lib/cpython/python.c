#include "cpython/python.h"

#include <stdlib.h>

#include "base/ahead.h"
#include "cpython/dict.h"
#include "cpython/learn.h"
#include "cpython/interned.h"
#include "cpython/owner.h"
#include "cpython/state.h"
#include "cpython/text.h"
#include "cpython/type.h"

const char *ouro_unreadable_name(enum ouro_unreadable reason)
{
    static const char *const names[OURO_UNREADABLE_COUNT] = {
        [OURO_UNREADABLE_ADDRESS] = "address", [OURO_UNREADABLE_ALIGN] = "align", [OURO_UNREADABLE_TYPE] = "type",
        [OURO_UNREADABLE_OBJECT] = "object",   [OURO_UNREADABLE_TABLE] = "table", [OURO_UNREADABLE_LIST] = "list",
        [OURO_UNREADABLE_FRAME] = "frame",
    };
    return names[reason];
}

bool ouro_python_text(const struct ouro_python *python, ouro_addr str, char *out, size_t capacity)
{
    struct ouro_str text;
    if (!capacity || !ouro_str_read(python, str, &text))
        return false;
    bool cut;
    size_t size = ouro_str_utf8(&text, (unsigned char *)out, capacity - 1, &cut);
    out[size] = 0;
    return true;
}

const unsigned char *ouro_python_tuple(const struct ouro_python *python, ouro_addr tuple, uint64_t *count)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = tuple ? ouro_image_at(python->image, tuple, (uint64_t)layout->tuple_items) : NULL;
    if (!bytes)
        return NULL;
    uint64_t size = ouro_load_u64(bytes + layout->ob_size);
    if (size > (uint64_t)python->image->page_count << OURO_PAGE_BITS)
        return NULL;
    *count = size;
    return size ? ouro_image_at(python->image, tuple + (ouro_addr)layout->tuple_items, size * 8) : bytes;
}

/* One list, from its head on; false when the visitor wanted no more. */
static bool each_of(struct ouro_python *python, const struct ouro_interpreter *interpreter, ouro_addr head,
                    bool (*visit)(void *context, ouro_addr object), void *context)
{
    uint64_t limit = (uint64_t)python->image->page_count << (OURO_PAGE_BITS - 4);
    size_t index = (size_t)(interpreter - python->interpreters);
    const unsigned char *at = ouro_image_at(python->image, head, 8);
    for (ouro_addr link = at ? ouro_load_u64(at) & ~(uint64_t)3 : 0; link != head;) {
        const unsigned char *bytes = link & 7 ? NULL : ouro_image_at(python->image, link, 32);
        if (!bytes || !limit--) {
            ouro_python_count_unreadable(python, OURO_UNREADABLE_LIST);
            return true;
        }
        /* The next head is usually not in the cache: ask for it before the visit. */
        ouro_addr next = ouro_load_u64(bytes) & ~(uint64_t)3;
        const unsigned char *ahead = ouro_image_at(python->image, next, 32);
        ouro_ahead(ahead);
        if ((!python->shared_collector || ouro_owner_of(python, link + 16) == index) && !visit(context, link + 16))
            return false;
        link = next;
    }
    return true;
}

void ouro_python_each_linked(struct ouro_python *python, const struct ouro_interpreter *interpreter, ouro_addr head,
                             bool (*visit)(void *context, ouro_addr object), void *context)
{
    each_of(python, interpreter, head, visit, context);
}

void ouro_python_each_tracked(struct ouro_python *python, const struct ouro_interpreter *interpreter, unsigned list,
                              bool (*visit)(void *context, ouro_addr object), void *context)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr first = interpreter->gc + (ouro_addr)layout->gc_generations, size = (ouro_addr)layout->gc_generation_sizeof;
    if (list >= 3)
        each_of(python, interpreter, interpreter->gc + (ouro_addr)layout->gc_permanent, visit, context);
    else if (layout->gc_visited_space < 0 || !list)
        each_of(python, interpreter, first + list * size, visit, context);
    else if (list == 2) {
        /* The incremental collector has no generation 1; both old spaces are 2. As gc_collect_full lines them up: what was
         * visited last, then what is pending. */
        const unsigned char *visited =
            ouro_image_at(python->image, interpreter->gc + (ouro_addr)layout->gc_visited_space, 4);
        ouro_addr which = visited && ouro_load_u32(visited) == 1 ? 2 : 1;
        if (each_of(python, interpreter, first + which * size, visit, context))
            each_of(python, interpreter, first + (3 - which) * size, visit, context);
    }
}

ouro_addr ouro_python_symbol(const struct ouro_python *python, const char *name)
{
    ouro_addr addr = 0;
    return ouro_module_symbol(python->runtime.module, name, &addr, NULL) == OURO_OK ? addr : 0;
}

/* PyExc_OSError and its like are pointers to the types, all others are the types themselves. */
static ouro_addr type_symbol(const struct ouro_python *python, const char *name)
{
    ouro_addr addr = ouro_python_symbol(python, name);
    return addr && strncmp(name, "PyExc_", 6) == 0 ? ouro_python_word(python, addr) : addr;
}

static enum ouro_status learn_visitor(struct ouro_python *python, const char *name, size_t name_bytes, size_t simple)
{
    char text[64];
    if (name_bytes >= sizeof text || memchr(name, '.', name_bytes))
        return OURO_OK; /* of the form module.name: met in the heap */
    memcpy(text, name, name_bytes);
    text[name_bytes] = 0;
    ouro_addr type = type_symbol(python, text);
    const unsigned char *bytes =
        type ? ouro_image_at(python->image, type, (uint64_t)python->layout->type_sizeof) : NULL;
    if (!bytes)
        return OURO_OK;
    ouro_addr traverse = ouro_load_u64(bytes + python->layout->tp_traverse);
    bool added;
    uint64_t *place = ouro_map_put(traverse ? &python->traverse_visitors : &python->type_visitors,
                                   traverse ? traverse : type, &added);
    if (!place)
        return OURO_NOMEM;
    if (added)
        *place = simple;
    return OURO_OK;
}

static enum ouro_status learn_visitors(struct ouro_python *python)
{
    const struct ouro_layout *layout = python->layout;
    for (size_t i = 0; i < layout->simple_count; i++) {
        for (const char *name = layout->simple[i].name; *name;) {
            size_t size = strcspn(name, "|");
            OURO_TRY(learn_visitor(python, name, size, i));
            name += size + (name[size] == '|');
        }
    }
    return OURO_OK;
}

static enum ouro_status learn_sizes(struct ouro_python *python)
{
    static const struct {
        const char *name;
        enum ouro_sizeof rule;
    } rules[] = {
        {"PyBaseObject_Type", OURO_SIZEOF_OBJECT}, {"PyType_Type", OURO_SIZEOF_TYPE},
        {"PyList_Type", OURO_SIZEOF_LIST},         {"PyUnicode_Type", OURO_SIZEOF_STR},
        {"PyLong_Type", OURO_SIZEOF_INT},          {"PyByteArray_Type", OURO_SIZEOF_BYTEARRAY},
        {"PyDict_Type", OURO_SIZEOF_DICT},         {"PyODict_Type", OURO_SIZEOF_ODICT},
        {"PySet_Type", OURO_SIZEOF_SET},           {"PyFrozenSet_Type", OURO_SIZEOF_SET},
        {"PyGen_Type", OURO_SIZEOF_GENERATOR},     {"PyCoro_Type", OURO_SIZEOF_GENERATOR},
        {"PyAsyncGen_Type", OURO_SIZEOF_GENERATOR}, {"PyFrame_Type", OURO_SIZEOF_FRAME},
        {"PyCode_Type", OURO_SIZEOF_CODE},
    };
    bool frames_in_generators = python->layout->gen_iframe >= 0; /* else their size is as any other object's */
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        ouro_addr type = ouro_python_symbol(python, rules[i].name);
        if (rules[i].rule == OURO_SIZEOF_GENERATOR && !frames_in_generators)
            continue;
        uint64_t *place = type ? ouro_map_put(&python->sizeof_rules, type, NULL) : NULL;
        if (type && !place)
            return OURO_NOMEM;
        if (place)
            *place = rules[i].rule;
    }
    return OURO_OK;
}

#define STATIC_TYPES_SHIFT_MAX 4096

struct search {
    struct ouro_python *python;
    ouro_addr traverse[3];
    unsigned found;
};

/* Classes that importlib makes in every process, written in Python: their tp_traverse is subtype_traverse. */
static bool look_at_class(void *context, ouro_addr object)
{
    static const char *const names[] = {"ModuleSpec", "BuiltinImporter", "FrozenImporter", "_ModuleLock", "PathFinder"};
    struct search *search = context;
    const struct ouro_layout *layout = search->python->layout;
    if (ouro_python_word(search->python, object + (ouro_addr)layout->ob_type) != search->python->type_type)
        return true;
    const unsigned char *bytes =
        ouro_image_at(search->python->image, object, (uint64_t)layout->heap_type_sizeof);
    if (!bytes || !(ouro_load_u64(bytes + layout->tp_flags) & OURO_FLAG_HEAPTYPE))
        return true;
    char name[32];
    if (!ouro_python_text(search->python, ouro_load_u64(bytes + layout->ht_name), name, sizeof name))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            search->traverse[search->found++] = ouro_load_u64(bytes + layout->tp_traverse);
    return search->found < 3;
}

static enum ouro_status learn_subtype_traverse(struct ouro_python *python, struct ouro_err *err)
{
    ouro_addr addr = ouro_python_symbol(python, "subtype_traverse"); /* there only where .symtab was kept */
    if (addr) {
        python->subtype_traverse = addr;
        return OURO_OK;
    }
    struct search search = {.python = python};
    for (unsigned list = 4; list-- && search.found < 3;)
        ouro_python_each_tracked(python, &python->interpreters[0], list, look_at_class, &search);
    if (search.found < 2 || search.traverse[0] != search.traverse[1])
        return ouro_err_set(err, OURO_BADDATA,
                            "the classes of importlib were not found among the tracked objects of CPython %s: "
                            "its collector's lists are not where they should be",
                            python->runtime.version);
    python->subtype_traverse = search.traverse[0];
    return OURO_OK;
}

/* Up to 3.10 only the function that looks its keys up tells whether a dict's keys are all str, as dict_traverse asks. It is not
 * exported, but the subclasses of object are in a dict whose keys are ints. */
static enum ouro_status learn_general_lookup(struct ouro_python *python, struct ouro_err *err)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr subclasses = 0;
    if (layout->keys_lookup < 0)
        return OURO_OK;
    ouro_dict_and_subclasses_of_type(python, ouro_python_symbol(python, "PyBaseObject_Type"), &subclasses);
    ouro_addr keys = subclasses ? ouro_python_word(python, subclasses + (ouro_addr)layout->dict_keys) : 0;
    python->general_lookup = keys ? ouro_python_word(python, keys + (ouro_addr)layout->keys_lookup) : 0;
    if (!python->general_lookup)
        return ouro_err_set(err, OURO_BADDATA, "the subclasses of object were not found: not CPython %s as we know it",
                            python->runtime.version);
    return OURO_OK;
}

/* What must hold in every CPython: the type of type is type, None's type is called NoneType. */
static enum ouro_status check_known_objects(const struct ouro_python *python, struct ouro_err *err)
{
    const struct ouro_layout *layout = python->layout;
    char name[16] = "";
    ouro_addr none_type = ouro_python_word(python, python->none + (ouro_addr)layout->ob_type);
    if (!python->type_type || !python->none || !python->dict_type)
        return ouro_err_set(err, OURO_BADDATA, "%s exports no PyType_Type, PyDict_Type or _Py_NoneStruct",
                            python->runtime.module->path);
    if (ouro_python_word(python, python->type_type + (ouro_addr)layout->ob_type) != python->type_type)
        return ouro_err_set(err, OURO_BADDATA, "the type of type is not type: not CPython %s as we know it",
                            python->runtime.version);
    if (ouro_space_read_text(&python->image->space,
                             ouro_python_word(python, none_type + (ouro_addr)layout->tp_name), name,
                             sizeof name) != OURO_OK ||
        strcmp(name, "NoneType") != 0)
        return ouro_err_set(err, OURO_BADDATA, "None is not None: not CPython %s as we know it", python->runtime.version);
    return OURO_OK;
}

/* Whether the states of static types stand `shift` bytes behind where our table has them: each holds its type's address. */
static bool static_types_are_at(const struct ouro_python *python, int32_t shift)
{
    static const char *const names[] = {"PyType_Type", "PyTuple_Type", "PyDict_Type", "PyUnicode_Type"};
    const struct ouro_layout *layout = python->layout;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ouro_addr type = ouro_python_symbol(python, names[i]);
        uint64_t number = ouro_python_word(python, type + (ouro_addr)layout->tp_subclasses);
        ouro_addr state = python->interpreters[0].addr + (ouro_addr)(layout->interp_static_types + shift) +
                          (number - 1) * (uint64_t)layout->static_type_sizeof;
        if (!type || !number || number > 1024 ||
            ouro_python_word(python, state + (ouro_addr)layout->static_type_type) != type)
            return false;
    }
    return true;
}

/* Patch levels and configure options move the end of PyInterpreterState, and say so only of its beginning. */
static enum ouro_status adopt_static_types(struct ouro_python *python, struct ouro_err *err)
{
    struct ouro_layout *layout = &python->runtime.layout;
    int32_t *const behind[] = {&layout->interp_static_types, &layout->interp_static_extension_types,
                               &layout->interp_objreduce,    &layout->interp_slots_pname,
                               &layout->interp_str_replace_inf, &layout->interp_audit_hooks,
                               &layout->interp_errnomap,     &layout->interp_exception_group};
    if (!layout->static_types_in_interpreter)
        return OURO_OK;
    for (int32_t distance = 0; distance <= STATIC_TYPES_SHIFT_MAX; distance += 8) {
        bool behind_us = static_types_are_at(python, distance);
        int32_t shift = behind_us ? distance : -distance;
        if (!behind_us && (!distance || !static_types_are_at(python, shift)))
            continue;
        for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
            *behind[i] += *behind[i] >= 0 ? shift : 0;
        return OURO_OK;
    }
    return ouro_err_set(err, OURO_BADDATA, "the static types of CPython %s are not where they should be in its interpreter's state",
                        python->runtime.version);
}

/* Who visits values that lie in an object: its dict_traverse tells. */
static void learn_who_visits_embedded_values(struct ouro_python *python)
{
    struct ouro_layout *layout = &python->runtime.layout;
    bool known = false, visits = false;
    if (layout->values_embedded >= 0 && python->learner)
        visits = ouro_learn_dict_visits_embedded(python->learner, &known);
    if (known)
        layout->dict_visits_embedded = visits;
}

static enum ouro_status read_interpreters(struct ouro_python *python, struct ouro_err *err)
{
    python->interpreters = calloc(OURO_INTERPRETERS_MAX, sizeof *python->interpreters);
    if (!python->interpreters)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of interpreters");
    if (ouro_runtime_interpreters(&python->runtime, &python->image->space, python->interpreters, OURO_INTERPRETERS_MAX,
                                  &python->interpreter_count) != OURO_OK)
        return ouro_err_set(err, OURO_BADDATA, "the chain of interpreters in _PyRuntime can't be followed");
    for (size_t i = 0; i < python->interpreter_count; i++)
        python->interpreters[i].executing = ouro_state_executing(python, &python->interpreters[i]);
    return OURO_OK;
}

enum ouro_status ouro_python_init(struct ouro_python *python, const struct ouro_image *image,
                                  const struct ouro_runtime *runtime, struct ouro_modules *modules, struct ouro_err *err)
{
    memset(python, 0, sizeof *python);
    python->image = image;
    python->runtime = *runtime;
    python->layout = &python->runtime.layout;
    pthread_mutex_init(&python->lock, NULL);
    pthread_mutex_init(&python->sandbox_lock, NULL);
    python->type_type = ouro_python_symbol(python, "PyType_Type");
    python->dict_type = ouro_python_symbol(python, "PyDict_Type");
    python->tuple_type = ouro_python_symbol(python, "PyTuple_Type");
    python->int_type = ouro_python_symbol(python, "PyLong_Type");
    python->method_type = ouro_python_symbol(python, "PyMethodDescr_Type");
    python->frame_type = ouro_python_symbol(python, "PyFrame_Type");
    python->traceback_type = ouro_python_symbol(python, "PyTraceBack_Type");
    python->suspending[0] = ouro_python_symbol(python, "PyGen_Type");
    python->suspending[1] = ouro_python_symbol(python, "PyCoro_Type");
    python->suspending[2] = ouro_python_symbol(python, "PyAsyncGen_Type");
    python->none = ouro_python_symbol(python, "_Py_NoneStruct");
    python->true_object = ouro_python_symbol(python, "_Py_TrueStruct");
    python->false_object = ouro_python_symbol(python, "_Py_FalseStruct");
    OURO_TRY(check_known_objects(python, err));
    OURO_TRY(learn_general_lookup(python, err));
    OURO_TRY(read_interpreters(python, err));
    OURO_TRY(adopt_static_types(python, err));
    python->modules = modules;
    python->sandboxed = modules != NULL;
    python->sandboxed = ouro_sandbox_get(python, &python->learner) != NULL;
    learn_who_visits_embedded_values(python);
    if (learn_visitors(python) != OURO_OK || learn_sizes(python) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the table of visitors");
    OURO_TRY(learn_subtype_traverse(python, err));
    ouro_addr object = ouro_python_word(python, python->type_type + (ouro_addr)python->layout->tp_base);
    python->generic_getattr = object ? ouro_python_word(python, object + (ouro_addr)python->layout->tp_getattro) : 0;
    /* Most types that no symbol names are found here, before anybody asks for one of their subclasses. */
    ouro_type_learn_subclasses(python, ouro_python_symbol(python, "PyBaseObject_Type"));
    ouro_type_learn_subclasses(python, ouro_python_symbol(python, "PyTuple_Type"));
    ouro_type_learn_subclasses(python, python->dict_type);
    if (image->lazy) /* what follows looks at many objects */
        return OURO_OK;
    OURO_TRY(ouro_interned_find(python, err));
    return ouro_owner_find(python, err);
}

static void take_map(struct ouro_map *to, struct ouro_map *from)
{
    *to = *from;
    memset(from, 0, sizeof *from);
}

/* What was resolved, and what was known before and not met. */
static enum ouro_status take_types(struct ouro_python *python, struct ouro_python *from)
{
    take_map(&python->known, &from->known);
    for (size_t i = from->type_list.count; i--;) {
        struct ouro_type *type = from->type_list.items[i];
        uint64_t *place = ouro_map_put(&python->known, type->addr, NULL);
        if (!place)
            return OURO_NOMEM;
        if (*place > 1) /* what was there before it */
            ouro_type_free((struct ouro_type *)(uintptr_t)*place);
        *place = (uint64_t)(uintptr_t)type;
        from->type_list.count = i;
    }
    return OURO_OK;
}

enum ouro_status ouro_python_init_again(struct ouro_python *python, const struct ouro_image *image,
                                        struct ouro_python *from, struct ouro_err *err)
{
    *python = *from; /* and what belongs to that moment, or to `from`, anew */
    python->image = image;
    python->layout = &python->runtime.layout;
    python->interpreters = NULL;
    python->interpreter_count = 0;
    python->learner = NULL;
    memset(&python->sandboxes, 0, sizeof python->sandboxes);
    memset(&python->owners, 0, sizeof python->owners);
    memset(&python->interned, 0, sizeof python->interned);
    memset(&python->types, 0, sizeof python->types);
    memset(&python->known, 0, sizeof python->known);
    memset(&python->shared_keys, 0, sizeof python->shared_keys);
    memset(&python->type_list, 0, sizeof python->type_list);
    memset(python->unreadable, 0, sizeof python->unreadable);
    pthread_mutex_init(&python->lock, NULL);
    pthread_mutex_init(&python->sandbox_lock, NULL);
    take_map(&python->traverse_visitors, &from->traverse_visitors);
    take_map(&python->type_visitors, &from->type_visitors);
    take_map(&python->sizeof_rules, &from->sizeof_rules);
    if (take_types(python, from) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the table of types");
    OURO_TRY(check_known_objects(python, err));
    OURO_TRY(read_interpreters(python, err));
    python->sandboxed = python->sandboxed && ouro_sandbox_get(python, &python->learner) != NULL;
    for (size_t i = 0; i < python->interpreter_count; i++)
        for (size_t k = 0; k < from->interpreter_count; k++)
            if (from->interpreters[k].addr == python->interpreters[i].addr)
                python->interpreters[i].thread_names = from->interpreters[k].thread_names;
    return OURO_OK;
}

void ouro_python_fini(struct ouro_python *python)
{
    for (size_t i = 0; i < python->type_list.count; i++)
        ouro_type_free(python->type_list.items[i]);
    for (size_t i = 0; i < python->known.capacity; i++)
        if (python->known.entries[i].key != UINT64_MAX && python->known.entries[i].value > 1)
            ouro_type_free((struct ouro_type *)(uintptr_t)python->known.entries[i].value);
    free(python->type_list.items);
    free(python->interpreters);
    ouro_sandboxes_fini(python);
    ouro_map_fini(&python->traverse_visitors);
    ouro_map_fini(&python->type_visitors);
    ouro_map_fini(&python->sizeof_rules);
    ouro_map_fini(&python->types);
    ouro_map_fini(&python->known);
    ouro_map_fini(&python->owners);
    ouro_map_fini(&python->interned);
    ouro_map_fini(&python->shared_keys);
    pthread_mutex_destroy(&python->lock);
    pthread_mutex_destroy(&python->sandbox_lock);
    memset(python, 0, sizeof *python);
}
