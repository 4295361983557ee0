#include "cpython/python.h"

#include <stdio.h>
#include <stdlib.h>

/* _Py_DebugOffsets: cookie, version, free_threaded, then groups of uint64 (pycore_debug_offsets.h, pycore_runtime.h 3.13). */
#define DEBUG_COOKIE "xdebugpy"
enum { /* of the 3.13 struct, in bytes */
    DEBUG_VERSION = 8,
    DEBUG_FREE_THREADED = 16,
    DEBUG_INTERPRETERS_HEAD = 40,
    DEBUG_INTERP_ID = 56,
    DEBUG_INTERP_NEXT = 64,
    DEBUG_INTERP_THREADS = 72,
    DEBUG_INTERP_GC = 80,
    DEBUG_INTERP_MODULES = 88,
    DEBUG_INTERP_SYSDICT = 96,
    DEBUG_INTERP_BUILTINS = 104,
    DEBUG_INTERP_CEVAL_GIL = 112,
    DEBUG_SIZE = 584,
};

#define OURO_RUNTIME_LOOK_AT 64 /* interpreters that are looked at before and during the stop */

static uint64_t word_of(const unsigned char *bytes, size_t at)
{
    return ouro_load_u64(bytes + at);
}

/* The process's own word on where things are goes before our table (they move with configure options). */
static enum ouro_status adopt_debug_offsets(struct ouro_runtime *runtime, const struct ouro_space *space,
                                            struct ouro_err *err)
{
    unsigned char bytes[DEBUG_SIZE];
    struct ouro_layout *layout = &runtime->layout;
    if (layout->minor < 13)
        return OURO_OK;
    if (ouro_space_read(space, runtime->addr, bytes, sizeof bytes) != OURO_OK)
        return ouro_err_set(err, OURO_BADDATA, "_PyRuntime at %#llx can't be read", (unsigned long long)runtime->addr);
    if (memcmp(bytes, DEBUG_COOKIE, 8) != 0 || word_of(bytes, DEBUG_VERSION) != runtime->hexversion)
        return ouro_err_set(err, OURO_BADDATA,
                            "_PyRuntime at %#llx does not begin with the debug offsets of CPython %s",
                            (unsigned long long)runtime->addr, runtime->version);
    runtime->free_threaded = word_of(bytes, DEBUG_FREE_THREADED) != 0;
    if (runtime->free_threaded)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "CPython %s is a free-threaded build; this version of ouro reads builds with the GIL",
                            runtime->version);
    const struct {
        size_t at;
        int32_t *field;
    } fields[] = {
        {DEBUG_INTERPRETERS_HEAD, &layout->runtime_interpreters}, {DEBUG_INTERP_ID, &layout->interp_id},
        {DEBUG_INTERP_NEXT, &layout->interp_next},                {DEBUG_INTERP_THREADS, &layout->interp_threads},
        {DEBUG_INTERP_GC, &layout->interp_gc},                    {DEBUG_INTERP_MODULES, &layout->interp_modules},
        {DEBUG_INTERP_SYSDICT, &layout->interp_sysdict},          {DEBUG_INTERP_BUILTINS, &layout->interp_builtins},
        {DEBUG_INTERP_CEVAL_GIL, &layout->interp_gil},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint64_t offset = word_of(bytes, fields[i].at);
        if (offset > 1u << 24)
            return ouro_err_set(err, OURO_BADDATA, "impossible debug offset %llu in _PyRuntime", (unsigned long long)offset);
        *fields[i].field = (int32_t)offset;
    }
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
    if (ouro_module_symbol(runtime->module, "Py_Version", &addr, NULL) != OURO_OK) {
        if (!read_old_version(runtime, space, &version))
            return ouro_err_set(err, OURO_UNSUPPORTED,
                                "%s holds a CPython without Py_Version (older than 3.11) whose sys.hexversion is not where "
                                "3.8, 3.9 and 3.10 have it: not started yet, or another version; this version of ouro reads %s",
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
 * an alignment of 4 (gchead-alignment.diff), which moves them from 24 to 20 without any other sign. */
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
    OURO_TRY(ouro_space_read(space, interpreters[0].gc + (ouro_addr)layout->gc_generation0, &first, sizeof first));
    uint64_t offset = first - interpreters[0].gc;
    if (offset < (uint64_t)layout->gc_debug + 4 || offset > (uint64_t)layout->gc_generations || offset & 3)
        return ouro_err_set(err, OURO_BADDATA, "the collector's state of CPython %s is not laid out as expected: "
                            "its generations would be %lld bytes into it", runtime->version, (long long)offset);
    layout->gc_generations = (int32_t)offset;
    return OURO_OK;
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
    OURO_TRY(read_version(runtime, space, err));
    OURO_TRY(ouro_layout_find(&runtime->layout, runtime->hexversion, err));
    OURO_TRY(adopt_debug_offsets(runtime, space, err));
    OURO_TRY(adopt_generations(runtime, space, err));
    ouro_addr debug;
    if (ouro_module_symbol(runtime->module, "_Py_RefTotal", &debug, NULL) == OURO_OK ||
        ouro_module_symbol(runtime->module, "_Py_NegativeRefcount", &debug, NULL) == OURO_OK)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "CPython %s is a debug build; this version of ouro reads release builds", runtime->version);
    return OURO_OK;
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

enum ouro_status ouro_runtime_collecting(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                         bool *collecting)
{
    struct ouro_interpreter interpreters[OURO_RUNTIME_LOOK_AT];
    size_t count = 0;
    *collecting = false;
    enum ouro_status status = ouro_runtime_interpreters(runtime, space, interpreters, OURO_RUNTIME_LOOK_AT, &count);
    if (status != OURO_OK && count < OURO_RUNTIME_LOOK_AT)
        return status;
    for (size_t i = 0; i < count; i++) {
        uint32_t value = 0;
        OURO_TRY(ouro_space_read(space, interpreters[i].gc + (ouro_addr)runtime->layout.gc_collecting, &value,
                                 sizeof value));
        if (value)
            *collecting = true;
    }
    return OURO_OK;
}
