#include "cpython/state.h"

#include <stdio.h>

#include "cpython/chain.h"
#include "cpython/dict.h"
#include "cpython/frame_object.h"
#include "cpython/value.h"

#define THREADS_MAX 65536
#define ATEXIT_MAX 65536

/* GEN_HEAD of 3.14.4's gc.c, by which counts go: generation 1 is the old space that was visited last, generation 2 the other. */
static unsigned list_of(const struct ouro_python *python, const struct ouro_interpreter *interpreter, unsigned list)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->gc_visited_space < 0 || (list != 1 && list != 2))
        return list;
    const unsigned char *visited = ouro_image_at(python->image, interpreter->gc + (ouro_addr)layout->gc_visited_space, 4);
    return visited && ouro_load_u32(visited) == 1 ? 3 - list : list;
}

/* The statistics of a generation: three numbers each, or of the ring of the last collections that 3.15 keeps the newest. */
static const unsigned char *gc_stats(const struct ouro_python *python, const unsigned char *gc, unsigned generation)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->gc_stats_now < 0)
        return gc + layout->gc_stats + 24 * (size_t)generation; /* struct gc_generation_stats */
    enum { ENTRY = 64, YOUNG_ENTRIES = 11, OLD_ENTRIES = 3, YOUNG = 712, OLD = 200, COUNTS = 16 }; /* struct gc_stats */
    ouro_addr ring = ouro_load_u64(gc + layout->gc_stats) + (generation ? YOUNG + (generation - 1) * (ouro_addr)OLD : 0);
    unsigned entries = generation ? OLD_ENTRIES : YOUNG_ENTRIES;
    const unsigned char *bytes = ouro_image_at(python->image, ring, entries * ENTRY + 1);
    unsigned index = bytes ? bytes[entries * ENTRY] : entries;
    return index < entries ? bytes + index * ENTRY + COUNTS : NULL;
}

bool ouro_state_gc(const struct ouro_python *python, const struct ouro_interpreter *interpreter,
                   struct ouro_gc_state *state)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = ouro_image_at(python->image, interpreter->gc, (uint64_t)layout->gc_sizeof);
    memset(state, 0, sizeof *state);
    if (!bytes)
        return false;
    state->enabled = ouro_load_u32(bytes + layout->gc_enabled);
    state->debug = ouro_load_u32(bytes + layout->gc_debug);
    state->collecting = ouro_load_u32(bytes + layout->gc_collecting);
    for (unsigned i = 0; i < 3; i++) {
        const unsigned char *first = bytes + layout->gc_generations;
        const unsigned char *generation =
            first + list_of(python, interpreter, i) * (size_t)layout->gc_generation_sizeof;
        const unsigned char *stats = gc_stats(python, bytes, i);
        state->threshold[i] = ouro_load_u32(first + i * (size_t)layout->gc_generation_sizeof + layout->gc_generation_threshold);
        state->count[i] = (int32_t)ouro_load_u32(generation + layout->gc_generation_count);
        state->collections[i] = stats ? ouro_load_u64(stats) : 0;
        state->collected[i] = stats ? ouro_load_u64(stats + 8) : 0;
        state->uncollectable[i] = stats ? ouro_load_u64(stats + 16) : 0;
    }
    if (layout->gc_visited_space >= 0)
        state->threshold[2] = 0; /* as gc.get_threshold says: what is set there is never looked at */
    if (layout->gc_long_lived_total >= 0) {
        state->long_lived_total = (int64_t)ouro_load_u64(bytes + layout->gc_long_lived_total);
        state->long_lived_pending = (int64_t)ouro_load_u64(bytes + layout->gc_long_lived_pending);
    }
    state->garbage = ouro_load_u64(bytes + layout->gc_garbage);
    state->callbacks = ouro_load_u64(bytes + layout->gc_callbacks);
    return true;
}

unsigned ouro_state_collected_generation(const struct ouro_python *python, const struct ouro_interpreter *interpreter)
{
    struct ouro_gc_state state;
    if (python->layout->gc_visited_space >= 0 || !ouro_state_gc(python, interpreter, &state))
        return 2;
    return state.count[1] > 0 ? 0 : state.count[2] > 0 ? 1 : 2;
}

/* An attribute of an instance, wherever its class keeps it; 0: none. */
static ouro_addr attribute(struct ouro_python *python, ouro_addr object, const char *name)
{
    const struct ouro_layout *layout = python->layout;
    const struct ouro_type *type = ouro_type_get(python, ouro_python_word(python, object + (ouro_addr)layout->ob_type));
    if (type && !(type->flags & OURO_FLAG_MANAGED_DICT) && type->dictoffset > 0)
        return ouro_python_dict_get(python, ouro_python_word(python, object + (ouro_addr)type->dictoffset), name);
    if (!type || !(type->flags & OURO_FLAG_MANAGED_DICT))
        return 0;
    ouro_addr dict = ouro_python_word(python, object - 24), values = 0;
    if (layout->values_in_preheader) {
        values = ouro_values_in_preheader(python, object, &dict);
    } else if (type->flags & OURO_FLAG_INLINE_VALUES) {
        const unsigned char *head = ouro_image_at(python->image, object + type->basicsize, 8);
        if (head && head[layout->values_valid])
            values = object + type->basicsize;
    }
    struct ouro_keys keys;
    if (values && ouro_keys_read(python, type->cached_keys, &keys)) {
        for (uint64_t i = 0; i < keys.entry_count && i < OURO_SHARED_KEYS_MAX; i++) {
            char text[64];
            if (ouro_python_text(python, ouro_keys_key(&keys, i), text, sizeof text) && strcmp(text, name) == 0)
                return ouro_python_word(python, values + (ouro_addr)layout->values_values + 8 * i);
        }
        return 0;
    }
    return ouro_python_dict_get(python, dict, name);
}

ouro_addr ouro_state_module_name(const struct ouro_python *python, const struct ouro_interpreter *interpreter,
                                 const char *module, const char *name)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr modules = ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_modules);
    ouro_addr object = ouro_python_dict_get(python, modules, module);
    ouro_addr names = object ? ouro_python_word(python, object + (ouro_addr)layout->module_dict) : 0;
    return names ? ouro_python_dict_get(python, names, name) : 0;
}

/* threading._active[ident]._name */
static void find_thread_name(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                             struct ouro_thread *thread)
{
    const struct ouro_layout *layout = python->layout;
    struct ouro_interpreter *own = &python->interpreters[interpreter - python->interpreters];
    if (!own->thread_names) {
        own->thread_names = ouro_state_module_name(python, interpreter, "threading", "_active");
        own->thread_names += !own->thread_names;
    }
    ouro_addr active = own->thread_names;
    const unsigned char *bytes = active & 7 ? NULL : ouro_image_at(python->image, active, (uint64_t)layout->dict_values + 8);
    struct ouro_keys keys;
    if (!bytes || !ouro_keys_read(python, ouro_load_u64(bytes + layout->dict_keys), &keys) || !keys.general)
        return;
    for (uint64_t i = 0; i < keys.entry_count; i++) {
        ouro_addr object = ouro_keys_value(&keys, i);
        if (object && ouro_value_u64(python, ouro_keys_key(&keys, i)) == thread->ident) {
            ouro_addr name = attribute(python, object, "_name");
            if (name)
                ouro_python_text(python, name, thread->name, sizeof thread->name);
            return;
        }
    }
}

static bool holds_gil(const struct ouro_python *python, const struct ouro_interpreter *interpreter, ouro_addr thread)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr gil = layout->interp_gil >= 0
                        ? ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_gil)
                        : python->runtime.addr + (ouro_addr)layout->runtime_gil;
    const unsigned char *locked = ouro_image_at(python->image, gil + (ouro_addr)layout->gil_locked, 4);
    return locked && (int32_t)ouro_load_u32(locked) == 1 &&
           ouro_python_word(python, gil + (ouro_addr)layout->gil_holder) == thread;
}

static const unsigned char *frame_bytes(const struct ouro_python *python, ouro_addr frame)
{
    return frame & 7 ? NULL : ouro_image_at(python->image, frame, (uint64_t)python->layout->iframe_localsplus);
}

/* Whether C code began to run Python with this frame. */
static bool is_entry(const struct ouro_layout *layout, const unsigned char *frame)
{
    return layout->iframe_is_entry >= 0 ? frame[layout->iframe_is_entry] : (int8_t)frame[layout->iframe_owner] >= layout->owner_cstack;
}

/* Whether the frames of a _PyCFrame end on top of those of the one before it. */
static bool fits(const struct ouro_python *python, ouro_addr cframe)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr frame = ouro_python_word(python, cframe + (ouro_addr)layout->cframe_frame);
    ouro_addr before = ouro_python_word(python, cframe + (ouro_addr)layout->cframe_previous);
    struct ouro_chain chain = {0};
    while (before) {
        const unsigned char *bytes = frame && !ouro_chain_repeats(&chain, frame) ? frame_bytes(python, frame) : NULL;
        if (!bytes)
            return false;
        frame = ouro_load_u64(bytes + layout->iframe_previous);
        if (is_entry(layout, bytes))
            return frame == ouro_python_word(python, before + (ouro_addr)layout->cframe_frame);
    }
    return !before;
}

/* In 3.11 and 3.12 _PyEval_EvalFrameDefault makes its _PyCFrame the thread's before it notes the frame there: until then it shows what
 * lay on the stack of C. *torn: so it is here (only who holds the GIL can be there); the frame is that of the caller. */
static ouro_addr first_frame(const struct ouro_python *python, ouro_addr thread, bool holds, bool *torn)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->thread_frame >= 0)
        return ouro_python_word(python, thread + (ouro_addr)layout->thread_frame);
    ouro_addr cframe = ouro_python_word(python, thread + (ouro_addr)layout->thread_cframe);
    ouro_addr before = cframe ? ouro_python_word(python, cframe + (ouro_addr)layout->cframe_previous) : 0;
    *torn = holds && cframe && !fits(python, cframe);
    if (*torn && before && fits(python, before))
        cframe = before;
    return cframe ? ouro_python_word(python, cframe + (ouro_addr)layout->cframe_frame) : 0;
}

static ouro_addr frame_before(const void *context, ouro_addr frame)
{
    const struct ouro_python *python = context;
    const unsigned char *bytes = frame_bytes(python, frame);
    return bytes ? ouro_load_u64(bytes + python->layout->iframe_previous) : 0;
}

/* Frames that are just linked or taken off may not be all; `torn` is told then. */
static void each_frame(struct ouro_python *python, const struct ouro_thread *thread, const struct ouro_state_sink *sink)
{
    const struct ouro_layout *layout = python->layout;
    bool torn = false, entry = true;
    if (ouro_frame_is_object(layout)) {
        ouro_frame_object_each(python, thread->addr, sink);
        return;
    }
    ouro_addr frame = first_frame(python, thread->addr, thread->holds_gil, &torn);
    uint64_t left = ouro_chain_length(frame, frame_before, python);
    for (; frame; left--) {
        const unsigned char *bytes = frame_bytes(python, frame);
        if (!bytes || !left) {
            entry = false;
            break;
        }
        int owner = (int8_t)bytes[layout->iframe_owner];
        if (layout->owner_cstack < 0 || owner < layout->owner_cstack) {
            bool running = layout->iframe_stackpointer >= 0 ? !ouro_load_u64(bytes + layout->iframe_stackpointer)
                                                            : (int32_t)ouro_load_u32(bytes + layout->iframe_stacktop) < 0;
            ouro_addr generator = owner == layout->owner_generator ? frame - (ouro_addr)layout->gen_iframe : 0;
            sink->frame(sink->context, frame, ouro_frame_code(python, frame), ouro_execution_of_frame(python, frame), generator,
                        running);
        }
        entry = is_entry(layout, bytes) || !thread->holds_gil;
        frame = ouro_load_u64(bytes + layout->iframe_previous);
    }
    if (torn || !entry) {
        ouro_python_count_unreadable(python, OURO_UNREADABLE_FRAME);
        if (sink->torn)
            sink->torn(sink->context);
    }
}

#define PTHREAD_SELF 16  /* glibc, x86-64: tcbhead_t.self */
#define PTHREAD_TID 0x2d0 /* struct pthread.tid */

/* The kernel's number of a thread: its own field from 3.11 on; before that glibc's struct pthread, whose address ident is, has it. */
static uint64_t native_id(const struct ouro_python *python, const unsigned char *thread, uint64_t ident)
{
    const struct ouro_layout *layout = python->layout;
    if (layout->thread_native >= 0)
        return ouro_load_u64(thread + layout->thread_native);
    const unsigned char *bytes = ident & 7 ? NULL : ouro_image_at(python->image, ident, PTHREAD_TID + 4);
    if (!bytes || ouro_load_u64(bytes) != ident || ouro_load_u64(bytes + PTHREAD_SELF) != ident)
        return 0; /* another C library */
    return ouro_load_u32(bytes + PTHREAD_TID);
}

static ouro_addr thread_behind(const void *context, ouro_addr thread)
{
    const struct ouro_python *python = context;
    return ouro_python_word(python, thread + (ouro_addr)python->layout->thread_next);
}

static void each_thread(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                        const struct ouro_state_sink *sink)
{
    const struct ouro_layout *layout = python->layout;
    const struct {
        const char *label;
        int32_t at;
    } fields[] = {
        {"<exception being handled>", layout->thread_exc_state},
        {"<type of exception being handled>", layout->thread_exc_type},
        {"<traceback of exception being handled>", layout->thread_exc_traceback},
        {"<current exception>", layout->thread_current_exception},
        {"<current exception type>", layout->thread_curexc_type},
        {"<current exception traceback>", layout->thread_curexc_traceback},
        {"<thread dict>", layout->thread_dict},
        {"<context>", layout->thread_context},
        {"<asynchronous exception>", layout->thread_async_exc},
        {"<asyncgen first iteration hook>", layout->thread_firstiter},
        {"<asyncgen finalizer hook>", layout->thread_finalizer},
        {"<profile function>", layout->thread_profileobj},
        {"<trace function>", layout->thread_traceobj},
        {"<thread local key>", layout->thread_local_key},
        {"<thread local sentinel>", layout->thread_local_sentinel},
        {"<running event loop>", layout->thread_running_loop},
        {"<running task>", layout->thread_running_task},
    };
    ouro_addr at = ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_threads);
    uint64_t left = ouro_chain_length(at, thread_behind, python);
    for (; at; left--) {
        int32_t last = layout->thread_native > layout->thread_ident ? layout->thread_native : layout->thread_ident;
        const unsigned char *bytes = ouro_image_at(python->image, at, (uint64_t)last + 8);
        if (!bytes || !left) {
            ouro_python_count_unreadable(python, OURO_UNREADABLE_FRAME);
            return;
        }
        struct ouro_thread thread = {
            .addr = at,
            .ident = ouro_load_u64(bytes + layout->thread_ident),
            .native_id = native_id(python, bytes, ouro_load_u64(bytes + layout->thread_ident)),
            .holds_gil = holds_gil(python, interpreter, at),
        };
        find_thread_name(python, interpreter, &thread);
        sink->thread(sink->context, interpreter, &thread);
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (fields[i].at >= 0)
                sink->field(sink->context, fields[i].label, ouro_python_word(python, at + (ouro_addr)fields[i].at));
        each_frame(python, &thread, sink);
        at = ouro_load_u64(bytes + layout->thread_next);
    }
}

ouro_addr ouro_state_any_thread(const struct ouro_python *python, const struct ouro_interpreter *interpreter, uint64_t *ident)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr at = ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_threads), found = 0;
    for (unsigned n = 0; at && n < THREADS_MAX; n++) {
        bool holds = holds_gil(python, interpreter, at);
        if (!found || holds) {
            found = at;
            *ident = ouro_python_word(python, at + (ouro_addr)layout->thread_ident);
        }
        if (holds)
            break;
        at = ouro_python_word(python, at + (ouro_addr)layout->thread_next);
    }
    return found;
}

void ouro_state_each_thread(const struct ouro_python *python, const struct ouro_interpreter *interpreter,
                            void (*visit)(void *context, uint64_t ident, uint64_t native_id), void *context)
{
    const struct ouro_layout *layout = python->layout;
    const int32_t last = layout->thread_native > layout->thread_ident ? layout->thread_native : layout->thread_ident;
    ouro_addr at = ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_threads);
    for (unsigned n = 0; at && n < THREADS_MAX; n++) {
        const unsigned char *bytes = ouro_image_at(python->image, at, (uint64_t)last + 8);
        if (!bytes)
            return;
        uint64_t ident = ouro_load_u64(bytes + layout->thread_ident);
        visit(context, ident, native_id(python, bytes, ident));
        at = ouro_python_word(python, at + (ouro_addr)layout->thread_next);
    }
}

ouro_addr ouro_state_executing(const struct ouro_python *python, const struct ouro_interpreter *interpreter)
{
    uint64_t ident;
    bool torn;
    ouro_addr thread = ouro_state_any_thread(python, interpreter, &ident);
    return thread && holds_gil(python, interpreter, thread) ? first_frame(python, thread, true, &torn) : 0;
}

static void each_atexit(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                        const struct ouro_state_sink *sink)
{
    const struct ouro_layout *layout = python->layout;
    static const char *const parts[] = {"func", "args", "kwargs"};
    if (layout->interp_atexit_callbacks < 0 || layout->interp_atexit_count < 0) /* 3.14 on: a list, among the roots */
        return;
    const unsigned char *count_at =
        ouro_image_at(python->image, interpreter->addr + (ouro_addr)layout->interp_atexit_count, 4);
    uint32_t count = count_at ? ouro_load_u32(count_at) : 0;
    ouro_addr callbacks = ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_atexit_callbacks);
    if (count > ATEXIT_MAX || !callbacks)
        return;
    sink->root(sink->context, "atexit callbacks");
    for (uint32_t i = 0; i < count; i++) {
        ouro_addr callback = ouro_python_word(python, callbacks + 8 * (uint64_t)i);
        for (unsigned part = 0; callback && part < 3; part++) {
            char label[48];
            snprintf(label, sizeof label, "[%u].%s", i, parts[part]);
            sink->field(sink->context, label,
                        ouro_python_word(python, callback + (ouro_addr)layout->atexit_func + 8 * part));
        }
    }
}

#define STATIC_TYPES_MAX 1024

/* What an interpreter other than the main one keeps of static types: the main one's are told with the types. */
static void each_static_type(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                             const struct ouro_state_sink *sink)
{
    const struct ouro_layout *layout = python->layout;
    ouro_addr state = interpreter->addr + (ouro_addr)layout->interp_static_types;
    if (!layout->static_types_in_interpreter || interpreter->addr == python->interpreters[0].addr)
        return;
    sink->root(sink->context, "interpreter: static types");
    for (unsigned i = 0; i < STATIC_TYPES_MAX; i++, state += (ouro_addr)layout->static_type_sizeof) {
        ouro_addr type = ouro_python_word(python, state + (ouro_addr)layout->static_type_type);
        char name[128], label[160];
        ouro_addr text = type ? ouro_python_word(python, type + (ouro_addr)layout->tp_name) : 0;
        if (!text || ouro_space_read_text(&python->image->space, text, name, sizeof name) != OURO_OK)
            return;
        snprintf(label, sizeof label, "%s.__dict__", name);
        sink->field(sink->context, label, ouro_python_word(python, state + (ouro_addr)layout->static_type_dict));
        snprintf(label, sizeof label, "%s.__subclasses__", name);
        sink->field(sink->context, label, ouro_python_word(python, state + (ouro_addr)layout->static_type_subclasses));
    }
}

void ouro_state_each(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                     const struct ouro_state_sink *sink)
{
    const struct ouro_layout *layout = python->layout;
    const struct {
        const char *name;
        int32_t at;
    } roots[] = {
        {"sys.modules", layout->interp_modules},
        {"sys.__dict__", layout->interp_sysdict},
        {"builtins.__dict__", layout->interp_builtins},
        {"interpreter: copy of builtins", layout->interp_builtins_copy},
        {"interpreter: copy of sys", layout->interp_sysdict_copy},
        {"interpreter: importlib", layout->interp_importlib},
        {"interpreter: __import__", layout->interp_import_func},
        {"interpreter: lazy __import__", layout->interp_lazy_import_func},
        {"interpreter: lazy modules", layout->interp_lazy_modules},
        {"interpreter: lazy imports filter", layout->interp_lazy_filter},
        {"interpreter: lazy submodules", layout->interp_lazy_pending},
        {"interpreter: modules by index", layout->interp_modules_by_index},
        {"interpreter: dict", layout->interp_dict},
        {"interpreter: codec search path", layout->interp_codec_search_path},
        {"interpreter: codec search cache", layout->interp_codec_search_cache},
        {"interpreter: codec error registry", layout->interp_codec_error_registry},
        {"interpreter: before fork", layout->interp_before_forkers},
        {"interpreter: after fork in parent", layout->interp_after_forkers_parent},
        {"interpreter: after fork in child", layout->interp_after_forkers_child},
        {"interpreter: warnings filters", layout->interp_warnings_filters},
        {"interpreter: warnings once registry", layout->interp_warnings_once},
        {"interpreter: warnings default action", layout->interp_warnings_default},
        {"interpreter: audit hooks", layout->interp_audit_hooks},
        {"interpreter: errno map", layout->interp_errnomap},
        {"interpreter: ExceptionGroup", layout->interp_exception_group},
        {"interpreter: cached object.__reduce__", layout->interp_objreduce},
        {"interpreter: cached type slots", layout->interp_slots_pname},
        {"interpreter: cached str for infinity", layout->interp_str_replace_inf},
        {"interpreter: atexit module", layout->interp_pyexitmodule},
        {"atexit callbacks", layout->interp_atexit_count < 0 ? layout->interp_atexit_callbacks : -1},
    };
    const struct {
        const char *name;
        ouro_addr at;
    } of_collector[] = {
        {"gc.garbage", interpreter->gc + (ouro_addr)layout->gc_garbage},
        {"gc.callbacks", interpreter->gc + (ouro_addr)layout->gc_callbacks},
    };
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        ouro_addr target =
            roots[i].at < 0 ? 0 : ouro_python_word(python, interpreter->addr + (ouro_addr)roots[i].at);
        if (!target)
            continue;
        sink->root(sink->context, roots[i].name);
        sink->field(sink->context, roots[i].name, target);
    }
    for (size_t i = 0; i < sizeof of_collector / sizeof *of_collector; i++) {
        ouro_addr target = ouro_python_word(python, of_collector[i].at);
        if (!target)
            continue;
        sink->root(sink->context, of_collector[i].name);
        sink->field(sink->context, of_collector[i].name, target);
    }
    if (interpreter->interned) {
        sink->root(sink->context, "interned strings");
        sink->field(sink->context, "interned strings", interpreter->interned);
    }
    each_atexit(python, interpreter, sink);
    each_static_type(python, interpreter, sink);
    each_thread(python, interpreter, sink);
}
