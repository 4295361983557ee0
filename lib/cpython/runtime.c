#include "cpython/python.h"

#include <stdio.h>
#include <stdlib.h>

#define DEBUG_COOKIE "xdebugpy"
#define DEBUG_BYTES 1024 /* at least what any version's _Py_DebugOffsets takes */

#define OURO_RUNTIME_LOOK_AT 64 /* interpreters that are looked at before and during the stop */

/* What _Py_DebugOffsets says (pycore_debug_offsets.h; pycore_runtime.h in 3.13), held against our table. */
struct debug_field {
    const char *name;
    size_t field, debug; /* of struct ouro_layout: our offset, and where the process tells its own */
    bool moves; /* with patch levels and configure options: the process's word is taken */
};

#define DEBUG_FIELD(name, moves) {#name, offsetof(struct ouro_layout, name), offsetof(struct ouro_layout, debug_##name), moves}

static const struct debug_field debug_fields[] = {
    DEBUG_FIELD(runtime_interpreters, true), DEBUG_FIELD(interp_id, true),
    DEBUG_FIELD(interp_next, true),          DEBUG_FIELD(interp_threads, true),
    DEBUG_FIELD(interp_gc, true),            DEBUG_FIELD(interp_modules, true),
    DEBUG_FIELD(interp_sysdict, true),       DEBUG_FIELD(interp_builtins, true),
    DEBUG_FIELD(interp_gil, true),           DEBUG_FIELD(thread_sizeof, true),
    DEBUG_FIELD(gc_sizeof, true),            DEBUG_FIELD(thread_next, false),
    DEBUG_FIELD(thread_frame, false),        DEBUG_FIELD(thread_ident, false),
    DEBUG_FIELD(thread_native, false),       DEBUG_FIELD(iframe_previous, false),
    DEBUG_FIELD(iframe_code, false),         DEBUG_FIELD(iframe_instr, false),
    DEBUG_FIELD(iframe_localsplus, false),   DEBUG_FIELD(iframe_owner, false),
    DEBUG_FIELD(iframe_stackpointer, false), DEBUG_FIELD(code_filename, false),
    DEBUG_FIELD(code_name, false),           DEBUG_FIELD(code_qualname, false),
    DEBUG_FIELD(code_linetable, false),      DEBUG_FIELD(code_firstlineno, false),
    DEBUG_FIELD(code_localsplusnames, false), DEBUG_FIELD(code_adaptive, false),
    DEBUG_FIELD(ob_type, false),             DEBUG_FIELD(type_sizeof, false),
    DEBUG_FIELD(tp_name, false),             DEBUG_FIELD(tp_flags, false),
    DEBUG_FIELD(tuple_items, false),         DEBUG_FIELD(list_items, false),
    DEBUG_FIELD(set_used, false),            DEBUG_FIELD(set_table, false),
    DEBUG_FIELD(set_mask, false),            DEBUG_FIELD(dict_keys, false),
    DEBUG_FIELD(dict_values, false),         DEBUG_FIELD(float_fval, false),
    DEBUG_FIELD(long_tag, false),            DEBUG_FIELD(long_tag_digits, false),
    DEBUG_FIELD(bytes_sval, false),          DEBUG_FIELD(ascii_state, false),
    DEBUG_FIELD(ascii_length, false),        DEBUG_FIELD(ascii_sizeof, false),
    DEBUG_FIELD(gc_collecting, false),       DEBUG_FIELD(gen_iframe, false),
    DEBUG_FIELD(gen_frame_state, false),
};

static int32_t *field_of(struct ouro_layout *layout, size_t offset)
{
    return (int32_t *)(void *)((char *)layout + offset);
}

/* What stands behind something that the process says has grown, in structures of which it says no more, stands as much further
 * on. That nothing else has grown in between, the static types must show (adopt_static_types). */
static void shift_fields(struct ouro_layout *layout, int32_t interp_by, int32_t thread_by)
{
    int32_t *const interp[] = {
        &layout->interp_modules_by_index, &layout->interp_importlib, &layout->interp_import_func,
        &layout->interp_lazy_import_func, &layout->interp_lazy_modules, &layout->interp_lazy_filter,
        &layout->interp_lazy_pending, &layout->interp_codec_search_path, &layout->interp_codec_search_cache,
        &layout->interp_codec_error_registry, &layout->interp_dict, &layout->interp_builtins_copy,
        &layout->interp_sysdict_copy, &layout->interp_before_forkers, &layout->interp_after_forkers_parent,
        &layout->interp_after_forkers_child, &layout->interp_warnings_filters, &layout->interp_warnings_once,
        &layout->interp_warnings_default, &layout->interp_atexit_callbacks, &layout->interp_atexit_count,
        &layout->interp_audit_hooks, &layout->interp_errnomap, &layout->interp_exception_group,
        &layout->interp_static_types, &layout->interp_static_extension_types, &layout->interp_objreduce,
        &layout->interp_slots_pname, &layout->interp_str_replace_inf, &layout->interp_interned,
    };
    int32_t *const thread[] = {&layout->thread_running_loop, &layout->thread_running_task};
    for (size_t i = 0; i < sizeof interp / sizeof *interp; i++)
        *interp[i] += *interp[i] >= 0 ? interp_by : 0;
    for (size_t i = 0; i < sizeof thread / sizeof *thread; i++)
        *thread[i] += *thread[i] >= 0 ? thread_by : 0;
}

static enum ouro_status adopt_debug_offsets(struct ouro_runtime *runtime, const struct ouro_space *space,
                                            struct ouro_err *err)
{
    unsigned char bytes[DEBUG_BYTES];
    struct ouro_layout *layout = &runtime->layout, ours = *layout;
    if (layout->debug_version < 0)
        return OURO_OK;
    if (ouro_space_read(space, runtime->addr, bytes, sizeof bytes) != OURO_OK)
        return ouro_err_set(err, OURO_BADDATA, "_PyRuntime at %#llx can't be read", (unsigned long long)runtime->addr);
    if (memcmp(bytes, DEBUG_COOKIE, 8) != 0 || ouro_load_u64(bytes + layout->debug_version) != runtime->hexversion)
        return ouro_err_set(err, OURO_BADDATA,
                            "_PyRuntime at %#llx does not begin with the debug offsets of CPython %s",
                            (unsigned long long)runtime->addr, runtime->version);
    runtime->free_threaded = ouro_load_u64(bytes + layout->debug_free_threaded) != 0;
    if (runtime->free_threaded)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "CPython %s is a free-threaded build; this version of ouro reads builds with the GIL",
                            runtime->version);
    for (size_t i = 0; i < sizeof debug_fields / sizeof *debug_fields; i++) {
        const struct debug_field *debug = &debug_fields[i];
        int32_t at = *field_of(layout, debug->debug), *field = field_of(layout, debug->field);
        if (at < 0 || (size_t)at + 8 > sizeof bytes)
            continue;
        uint64_t offset = ouro_load_u64(bytes + at);
        if (offset > 1u << 24)
            return ouro_err_set(err, OURO_BADDATA, "impossible debug offset %llu in _PyRuntime", (unsigned long long)offset);
        if (!debug->moves && offset != (uint64_t)*field)
            return ouro_err_set(err, OURO_BADDATA,
                                "CPython %s says that its %s is %llu; the layout that we know has %d: not a build that we can read",
                                runtime->version, debug->name, (unsigned long long)offset, *field);
        *field = (int32_t)offset;
    }
    if (!ouro_layout_adopt_collector(layout, ours.gc_sizeof))
        return ouro_err_set(err, OURO_BADDATA, "the collector of CPython %s has a state of %d bytes, which we don't know",
                            runtime->version, layout->gc_sizeof);
    shift_fields(layout, layout->interp_sysdict - ours.interp_sysdict, layout->thread_sizeof - ours.thread_sizeof);
    return OURO_OK;
}

#define SYS_ENTRIES_MAX 65536
#define SYS_ENTRY_BYTES 24

/* The value of an int of one digit. */
static bool read_small_int(const struct ouro_space *space, const struct ouro_layout *layout, ouro_addr object, uint32_t *value)
{
    uint64_t size;
    return ouro_space_read(space, object + (ouro_addr)layout->ob_size, &size, 8) == OURO_OK && size == 1 &&
           ouro_space_read(space, object + (ouro_addr)layout->long_digits, value, 4) == OURO_OK;
}

/* sys.hexversion of the main interpreter, if everything on the way to it is as in this layout. */
static bool read_sys_hexversion(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                const struct ouro_layout *layout, uint32_t *hexversion)
{
    static const char name[] = "hexversion";
    uint64_t at = runtime->addr + (ouro_addr)layout->runtime_main, size, count;
    const int32_t steps[] = {layout->interp_sysdict, layout->dict_keys};
    if (ouro_space_read(space, at, &at, 8) != OURO_OK)
        return false;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (ouro_space_read(space, at + (ouro_addr)steps[i], &at, 8) != OURO_OK)
            return false;
    if (ouro_space_read(space, at + (ouro_addr)layout->keys_size, &size, 8) != OURO_OK)
        return false;
    if (ouro_space_read(space, at + (ouro_addr)layout->keys_nentries, &count, 8) != OURO_OK)
        return false;
    if (size > SYS_ENTRIES_MAX || count > size)
        return false;
    at += (ouro_addr)layout->keys_indices + size * (size <= 0xff ? 1 : 2);
    for (uint64_t i = 0; i < count; i++, at += SYS_ENTRY_BYTES) {
        uint64_t entry[3], length;
        char text[sizeof name];
        if (ouro_space_read(space, at, entry, sizeof entry) != OURO_OK)
            return false;
        if (!entry[2] || ouro_space_read(space, entry[1] + (ouro_addr)layout->ascii_length, &length, 8) != OURO_OK ||
            length != sizeof name - 1 ||
            ouro_space_read(space, entry[1] + (ouro_addr)layout->ascii_sizeof, text, sizeof text) != OURO_OK ||
            memcmp(text, name, sizeof name) != 0)
            continue;
        return read_small_int(space, layout, entry[2], hexversion) &&
               *hexversion >> 16 == (0x0300u | (unsigned)layout->minor);
    }
    return false;
}

/* Up to 3.10 no symbol tells the version, but the process itself does, where each of the old versions would have it. */
static bool read_old_version(const struct ouro_runtime *runtime, const struct ouro_space *space, uint64_t *version)
{
    const struct ouro_layout *layout;
    for (size_t i = 0; (layout = ouro_layout_of_old(i)); i++) {
        uint32_t hexversion = 0;
        if (read_sys_hexversion(runtime, space, layout, &hexversion)) {
            *version = hexversion;
            return true;
        }
    }
    return false;
}

static enum ouro_status read_version(struct ouro_runtime *runtime, const struct ouro_space *space, struct ouro_err *err)
{
    ouro_addr addr;
    uint64_t version = 0;
    runtime->exports_version = ouro_module_symbol(runtime->module, "Py_Version", &addr, NULL) == OURO_OK;
    if (!runtime->exports_version) {
        if (!read_old_version(runtime, space, &version))
            return ouro_err_set(err, OURO_UNSUPPORTED,
                                "%s holds a CPython older than 3.8, or one that has not started yet; this version of ouro reads %s",
                                runtime->module->path, ouro_layout_supported());
    } else if (ouro_space_read(space, addr, &version, sizeof version) != OURO_OK || version >> 24 != 3) {
        return ouro_err_set(err, OURO_UNSUPPORTED, "%s holds a CPython of an unknown version; this version of ouro reads %s",
                            runtime->module->path, ouro_layout_supported());
    }
    runtime->hexversion = (uint32_t)version;
    static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc", [0xf] = ""};
    unsigned level = version >> 4 & 15;
    if (level == 0xf)
        snprintf(runtime->version, sizeof runtime->version, "3.%u.%u", (unsigned)(version >> 16 & 255),
                 (unsigned)(version >> 8 & 255));
    else
        snprintf(runtime->version, sizeof runtime->version, "3.%u.%u%s%u", (unsigned)(version >> 16 & 255),
                 (unsigned)(version >> 8 & 255), levels[level] ? levels[level] : "?", (unsigned)(version & 15));
    return OURO_OK;
}

/* Where the generations begin inside the collector's state: generation0 points at the first. Debian's 3.13 packages give PyGC_Head
 * an alignment of 4 (gchead-alignment.diff), which moves them from 24 to 20 without any other sign.
 * The incremental collector has no such pointer; it says which of its two old spaces it has visited. */
static enum ouro_status adopt_generations(struct ouro_runtime *runtime, const struct ouro_space *space,
                                          struct ouro_err *err)
{
    struct ouro_layout *layout = &runtime->layout;
    struct ouro_interpreter interpreters[OURO_RUNTIME_LOOK_AT];
    size_t count = 0;
    uint64_t first = 0;
    enum ouro_status status = ouro_runtime_interpreters(runtime, space, interpreters, OURO_RUNTIME_LOOK_AT, &count);
    if (!count || (status != OURO_OK && count < OURO_RUNTIME_LOOK_AT))
        return ouro_err_set(err, OURO_BADDATA, "no interpreter was found in the _PyRuntime of CPython %s: not started yet, "
                            "or ended already", runtime->version);
    if (layout->gc_visited_space >= 0) {
        uint32_t visited = 0;
        OURO_TRY(ouro_space_read(space, interpreters[0].gc + (ouro_addr)layout->gc_visited_space, &visited, sizeof visited));
        return visited > 1 ? ouro_err_set(err, OURO_BADDATA, "the incremental collector of CPython %s is not laid out as "
                                          "expected: it would have visited space %u", runtime->version, visited) : OURO_OK;
    }
    OURO_TRY(ouro_space_read(space, interpreters[0].gc + (ouro_addr)layout->gc_generation0, &first, sizeof first));
    uint64_t offset = first - interpreters[0].gc;
    if (offset < (uint64_t)layout->gc_debug + 4 || offset > (uint64_t)layout->gc_generations || offset & 3)
        return ouro_err_set(err, OURO_BADDATA, "the collector's state of CPython %s is not laid out as expected: "
                            "its generations would be %lld bytes into it", runtime->version, (long long)offset);
    layout->gc_generations = (int32_t)offset;
    return OURO_OK;
}

/* No flag says so, but these exist with Py_DEBUG only. */
static bool is_debug_build(const struct ouro_runtime *runtime)
{
    ouro_addr addr;
    return ouro_module_symbol(runtime->module, "_Py_RefTotal", &addr, NULL) == OURO_OK ||
           ouro_module_symbol(runtime->module, "_Py_NegativeRefcount", &addr, NULL) == OURO_OK;
}

enum ouro_status ouro_runtime_find(struct ouro_runtime *runtime, const struct ouro_space *space,
                                   struct ouro_modules *modules, struct ouro_err *err)
{
    memset(runtime, 0, sizeof *runtime);
    for (size_t i = 0; i < modules->count && !runtime->module; i++)
        if (ouro_module_symbol(&modules->items[i], "_PyRuntime", &runtime->addr, &runtime->size) == OURO_OK)
            runtime->module = &modules->items[i];
    if (!runtime->module)
        return ouro_err_set(err, OURO_UNSUPPORTED, "not a CPython process: no mapped file has the symbol _PyRuntime");
    runtime->debug = is_debug_build(runtime);
    OURO_TRY(read_version(runtime, space, err));
    OURO_TRY(ouro_layout_find(&runtime->layout, runtime->hexversion, err));
    if (runtime->debug)
        OURO_TRY(ouro_layout_adopt_debug(&runtime->layout, err));
    OURO_TRY(adopt_debug_offsets(runtime, space, err));
    return adopt_generations(runtime, space, err);
}

static enum ouro_status read_word(const struct ouro_space *space, ouro_addr addr, uint64_t *word)
{
    return ouro_space_read(space, addr, word, sizeof *word);
}

enum ouro_status ouro_runtime_interpreters(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                           struct ouro_interpreter *interpreters, size_t capacity, size_t *count)
{
    const struct ouro_layout *layout = &runtime->layout;
    uint64_t addr = 0;
    *count = 0;
    OURO_TRY(read_word(space, runtime->addr + (ouro_addr)layout->runtime_interpreters, &addr));
    while (addr) {
        if (*count == capacity || addr & 7)
            return OURO_BADDATA;
        struct ouro_interpreter *interpreter = &interpreters[*count];
        interpreter->addr = addr;
        interpreter->gc = layout->interp_gc >= 0 ? addr + (ouro_addr)layout->interp_gc
                                                 : runtime->addr + (ouro_addr)layout->runtime_gc; /* 3.8: one for all */
        OURO_TRY(read_word(space, addr + (ouro_addr)layout->interp_id, &interpreter->id));
        OURO_TRY(read_word(space, addr + (ouro_addr)layout->interp_next, &addr));
        ++*count;
    }
    /* New interpreters are put in front: turn the chain round, so that the main one is the first. */
    for (size_t i = 0; i < *count / 2; i++) {
        struct ouro_interpreter swap = interpreters[i];
        interpreters[i] = interpreters[*count - 1 - i];
        interpreters[*count - 1 - i] = swap;
    }
    return *count ? OURO_OK : OURO_BADDATA;
}

static enum ouro_status read_gil_holder(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                        const struct ouro_interpreter *interpreter, ouro_addr *holder)
{
    const struct ouro_layout *layout = &runtime->layout;
    ouro_addr gil = runtime->addr + (ouro_addr)layout->runtime_gil;
    int32_t locked = 0;
    if (layout->interp_gil >= 0)
        OURO_TRY(read_word(space, interpreter->addr + (ouro_addr)layout->interp_gil, &gil));
    OURO_TRY(ouro_space_read(space, gil + (ouro_addr)layout->gil_locked, &locked, sizeof locked));
    *holder = 0;
    return locked == 1 ? read_word(space, gil + (ouro_addr)layout->gil_holder, holder) : OURO_OK;
}

enum ouro_status ouro_runtime_collecting(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                         struct ouro_runtime_collecting *collecting)
{
    struct ouro_interpreter interpreters[OURO_RUNTIME_LOOK_AT];
    size_t count = 0;
    memset(collecting, 0, sizeof *collecting);
    enum ouro_status status = ouro_runtime_interpreters(runtime, space, interpreters, OURO_RUNTIME_LOOK_AT, &count);
    if (status != OURO_OK && count < OURO_RUNTIME_LOOK_AT)
        return status;
    for (size_t i = 0; i < count; i++) {
        uint32_t value = 0;
        OURO_TRY(ouro_space_read(space, interpreters[i].gc + (ouro_addr)runtime->layout.gc_collecting, &value,
                                 sizeof value));
        if (value && !collecting->running) {
            collecting->running = true;
            OURO_TRY(read_gil_holder(runtime, space, &interpreters[i], &collecting->gil_holder));
        }
    }
    return OURO_OK;
}
