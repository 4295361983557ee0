#include "target/resolve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/guard.h"
#include "target/links.h"

/* Modules go by their number in ouro_modules. */
struct list {
    uint32_t *items; /* owned */
    size_t count, capacity;
};

struct ouro_scope {
    pthread_mutex_t mutex; /* of building; what is built does not change */
    bool built;
    bool linked;         /* `order` is the dynamic linker's own */
    struct list order;   /* as loaded */
    size_t global_count; /* the first of them: everything's first scope */
    struct list *needed; /* owned: of each module, those it needs */
    size_t needed_count;
    struct list roots; /* what dlopen was called for, as it seems: not needed by what came before */
};

static void unlock(pthread_mutex_t **mutex)
{
    pthread_mutex_unlock(*mutex);
}

struct ouro_scope *ouro_scope_new(void)
{
    struct ouro_scope *scope = calloc(1, sizeof *scope);
    if (scope)
        pthread_mutex_init(&scope->mutex, NULL);
    return scope;
}

static void clear(struct ouro_scope *scope)
{
    for (size_t i = 0; i < scope->needed_count; i++)
        free(scope->needed[i].items);
    free(scope->needed);
    free(scope->order.items);
    free(scope->roots.items);
    scope->needed = NULL;
    scope->needed_count = scope->global_count = 0;
    scope->order = scope->roots = (struct list){0};
    scope->built = scope->linked = false;
}

void ouro_scope_free(struct ouro_scope *scope)
{
    if (!scope)
        return;
    clear(scope);
    pthread_mutex_destroy(&scope->mutex);
    free(scope);
}

static bool add(struct list *list, size_t number)
{
    uint32_t *place = OURO_VEC_ADD(list);
    if (place)
        *place = (uint32_t)number;
    return place != NULL;
}

static bool has(const struct list *list, size_t number)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == number)
            return true;
    return false;
}

/* struct r_debug and struct link_map, of glibc's <link.h>, in words. */
enum { DEBUG_MAP = 1, DEBUG_WORDS };
enum { MAP_ADDR, MAP_NAME, MAP_DYNAMIC, MAP_NEXT, MAP_WORDS };

/* The list that begins with module `first`. No longer than the modules and some that have no file (the vdso). */
static bool read_list(struct ouro_modules *modules, const struct ouro_space *space, size_t first, struct list *order)
{
    const struct ouro_module *program = &modules->items[first];
    const struct ouro_links *links = ouro_links_get(program->elf);
    ouro_addr debug, words[MAP_WORDS] = {0};
    if (!links || !links->debug || ouro_space_read(space, program->bias + links->debug, &debug, sizeof debug) ||
        !debug || ouro_space_read(space, debug, words, DEBUG_WORDS * sizeof *words))
        return false;
    words[MAP_NEXT] = words[DEBUG_MAP];
    for (size_t i = 0; words[MAP_NEXT]; i++) {
        if (i > modules->count + 16 || ouro_space_read(space, words[MAP_NEXT], words, sizeof words))
            return false;
        const struct ouro_module *module = ouro_modules_find(modules, words[MAP_DYNAMIC]);
        if (!module || module->bias != words[MAP_ADDR])
            continue;
        size_t number = (size_t)(module - modules->items);
        if (has(order, number) || !add(order, number))
            return false;
    }
    return order->count && order->items[0] == first;
}

bool ouro_modules_read_order(struct ouro_modules *modules, const struct ouro_space *space)
{
    struct ouro_scope *scope = modules->scope;
    clear(scope);
    for (size_t i = 0; i < modules->count && !scope->linked; i++) {
        scope->order.count = 0;
        scope->linked = read_list(modules, space, i, &scope->order);
    }
    if (!scope->linked)
        scope->order.count = 0;
    return scope->linked;
}

static size_t base_name(const char *path, const char **name)
{
    static const char deleted[] = " (deleted)";
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    size_t size = strlen(*name);
    if (size > sizeof deleted - 1 && strcmp(*name + size - (sizeof deleted - 1), deleted) == 0)
        size -= sizeof deleted - 1;
    return size;
}

/* The module that a DT_NEEDED means: by DT_SONAME, else by its file's name. -1: none. */
static int64_t find_needed(const struct ouro_modules *modules, const struct list *among, const char *needed)
{
    const char *wanted, *name;
    size_t size = base_name(needed, &wanted);
    for (size_t i = 0; i < among->count; i++) {
        const struct ouro_links *links = ouro_links_get(modules->items[among->items[i]].elf);
        if (links && links->soname && strcmp(links->soname, needed) == 0)
            return among->items[i];
    }
    for (size_t i = 0; i < among->count; i++)
        if (base_name(modules->items[among->items[i]].path, &name) == size && memcmp(name, wanted, size) == 0)
            return among->items[i];
    return -1;
}

static enum ouro_status list_needed(struct ouro_scope *scope, const struct ouro_modules *modules)
{
    scope->needed = calloc(modules->count, sizeof *scope->needed);
    if (!scope->needed)
        return OURO_NOMEM;
    scope->needed_count = modules->count;
    for (size_t i = 0; i < modules->count; i++) {
        const struct ouro_links *links = ouro_links_get(modules->items[i].elf);
        if (!links)
            return OURO_NOMEM;
        for (size_t k = 0; k < links->needed.count; k++) {
            int64_t found = find_needed(modules, &scope->order, links->needed.items[k]);
            if (found >= 0 && !has(&scope->needed[i], (size_t)found) && !add(&scope->needed[i], (size_t)found))
                return OURO_NOMEM;
        }
    }
    return OURO_OK;
}

/* Adds to list, breadth first, `start` and what it needs, without what has been seen. */
static enum ouro_status reach(const struct ouro_scope *scope, size_t start, struct list *list, unsigned char *seen)
{
    size_t at = list->count;
    if (seen[start])
        return OURO_OK;
    seen[start] = 1;
    if (!add(list, start))
        return OURO_NOMEM;
    for (; at < list->count; at++) {
        const struct list *needed = &scope->needed[list->items[at]];
        for (size_t i = 0; i < needed->count; i++) {
            if (seen[needed->items[i]])
                continue;
            seen[needed->items[i]] = 1;
            if (!add(list, needed->items[i]))
                return OURO_NOMEM;
        }
    }
    return OURO_OK;
}

/* Without the linker's list: the program and what it needs, then the rest. */
static enum ouro_status order_by_needs(struct ouro_scope *scope, const struct ouro_modules *modules)
{
    OURO_FREE unsigned char *seen = calloc(modules->count, 1);
    if (!seen)
        return OURO_NOMEM;
    scope->order.count = 0; /* all of them, until the needs were known */
    for (size_t i = 0; i < modules->count && !scope->order.count; i++)
        if (ouro_links_get(modules->items[i].elf)->debug)
            OURO_TRY(reach(scope, i, &scope->order, seen));
    scope->global_count = scope->order.count;
    for (size_t i = 0; i < modules->count; i++)
        if (!seen[i] && !add(&scope->order, i))
            return OURO_NOMEM;
    return OURO_OK;
}

/* The linker lists in the order of its search, and what the program needs (preloads and what they need as well) was
 * there before anything else could be loaded. */
static void count_globals(struct ouro_scope *scope)
{
    scope->global_count = 1;
    for (size_t i = 0; i < scope->global_count; i++)
        for (size_t k = scope->global_count; k < scope->order.count; k++)
            if (has(&scope->needed[scope->order.items[i]], scope->order.items[k]))
                scope->global_count = k + 1;
}

static enum ouro_status find_roots(struct ouro_scope *scope, size_t module_count)
{
    OURO_FREE unsigned char *covered = calloc(module_count, 1);
    OURO_FREE uint32_t *storage = NULL;
    struct list reached = {0};
    enum ouro_status status = covered ? OURO_OK : OURO_NOMEM;
    for (size_t i = scope->global_count; status == OURO_OK && i < scope->order.count; i++) {
        size_t number = scope->order.items[i];
        if (covered[number])
            continue;
        status = add(&scope->roots, number) ? reach(scope, number, &reached, covered) : OURO_NOMEM;
        storage = reached.items;
    }
    return status;
}

static enum ouro_status build(struct ouro_modules *modules)
{
    struct ouro_scope *scope = modules->scope;
    __attribute__((cleanup(unlock))) pthread_mutex_t *mutex = &scope->mutex;
    pthread_mutex_lock(mutex);
    if (scope->built)
        return OURO_OK;
    for (size_t i = 0; !scope->linked && scope->order.count < modules->count; i++)
        if (!add(&scope->order, i))
            return OURO_NOMEM;
    enum ouro_status status = list_needed(scope, modules);
    if (status == OURO_OK && scope->linked)
        count_globals(scope);
    else if (status == OURO_OK)
        status = order_by_needs(scope, modules);
    if (status == OURO_OK)
        status = find_roots(scope, modules->count);
    if (status != OURO_OK)
        clear(scope);
    scope->built = status == OURO_OK;
    return status;
}

struct search {
    const struct ouro_modules *modules;
    const struct ouro_reference *reference;
    const struct ouro_module *found;
    struct ouro_definition definition;
};

/* OURO_OK: found, and search says where. */
static enum ouro_status search_in(struct search *search, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ouro_module *module = &search->modules->items[numbers[i]];
        enum ouro_status status = ouro_links_definition(module->elf, search->reference, &search->definition);
        if (status == OURO_OK)
            search->found = module;
        if (status != OURO_GONE)
            return status;
    }
    return OURO_GONE;
}

/* In what came with each dlopen that brought the module. */
static enum ouro_status search_local(struct search *search, const struct ouro_scope *scope, size_t module)
{
    size_t count = search->modules->count;
    OURO_FREE unsigned char *seen = malloc(count);
    OURO_FREE uint32_t *storage = NULL;
    struct list reached = {0};
    enum ouro_status status = seen ? OURO_GONE : OURO_NOMEM;
    bool is_listed = has(&scope->order, module);
    for (size_t i = 0; status == OURO_GONE && i < (is_listed ? scope->roots.count : 1); i++) {
        memset(seen, 0, count);
        reached.count = 0;
        status = reach(scope, is_listed ? scope->roots.items[i] : module, &reached, seen);
        storage = reached.items;
        if (status == OURO_OK)
            status = seen[module] ? search_in(search, reached.items, reached.count) : OURO_GONE;
    }
    return status;
}

/* Where RTLD_GLOBAL may have made it visible. */
static enum ouro_status search_unique(struct search *search, const uint32_t *numbers, size_t count)
{
    struct search another = *search;
    for (size_t i = 0; i < count; i++) {
        enum ouro_status status = search_in(search, &numbers[i], 1);
        if (status == OURO_GONE)
            continue;
        if (status == OURO_OK)
            status = search_in(&another, numbers + i + 1, count - i - 1);
        return status == OURO_GONE ? OURO_OK : status == OURO_OK ? OURO_GONE : status;
    }
    return OURO_GONE;
}

static enum ouro_status search_all(struct search *search, const struct ouro_module *module)
{
    const struct ouro_scope *scope = search->modules->scope;
    size_t number = (size_t)(module - search->modules->items), global = scope->global_count;
    const uint32_t own = (uint32_t)number;
    bool is_global = false;
    enum ouro_status status = OURO_GONE;
    for (size_t i = 0; i < global; i++)
        is_global = is_global || scope->order.items[i] == number;
    const struct ouro_links *links = ouro_links_get(module->elf);
    if (links && links->symbolic)
        status = search_in(search, &own, 1);
    if (status == OURO_GONE)
        status = search_in(search, scope->order.items, global);
    if (status == OURO_GONE && !is_global)
        status = search_local(search, scope, number);
    if (status == OURO_GONE && !search->reference->weak)
        status = search_unique(search, scope->order.items + global, scope->order.count - global);
    return status;
}

enum ouro_status ouro_modules_resolve_slot(struct ouro_modules *modules, ouro_addr slot, ouro_addr *function,
                                           bool *ifunc)
{
    const struct ouro_module *module = ouro_modules_find(modules, slot);
    struct ouro_reference reference;
    if (!module)
        return OURO_GONE;
    OURO_TRY(ouro_links_reference(module->elf, slot - module->bias, &reference));
    struct search search = {modules, &reference, module, reference.own_definition};
    if (!reference.own) {
        OURO_TRY(build(modules));
        OURO_TRY(search_all(&search, module));
    }
    *function = search.definition.value + (search.definition.absolute ? 0 : search.found->bias);
    *ifunc = search.definition.ifunc;
    return OURO_OK;
}

bool ouro_modules_slot_is_unresolved(struct ouro_modules *modules, ouro_addr slot, ouro_addr value)
{
    const struct ouro_module *module = ouro_modules_find(modules, slot);
    struct ouro_reference reference;
    /* The address of a function that only another module has may well be a jump of the program's: that one is bound. */
    return module && ouro_links_reference(module->elf, slot - module->bias, &reference) == OURO_OK && reference.jump &&
           ouro_links_in_plt(module->elf, value - module->bias);
}
