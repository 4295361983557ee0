/* Executables and libraries that a process has mapped, and their symbols (dynamic ones, then .symtab), through libelf.
 *
 * Once read, modules may be used by any number of threads at the same time. */
#ifndef OURO_TARGET_MODULE_H
#define OURO_TARGET_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"
#include "target/core.h"
#include "target/maps.h"
#include "target/process.h"

struct ouro_module {
    const char *path;     /* borrowed from the maps */
    ouro_addr bias;       /* added to an ELF address gives the target's */
    ouro_addr start, end; /* of its mappings */
    bool dynamic;         /* ET_DYN: a library or a position-independent executable */
    struct ouro_elf *elf; /* owned; opened on demand */
};

struct ouro_modules {
    struct ouro_module *items; /* owned */
    size_t count, capacity;
    struct ouro_scope *scope; /* owned: in which order they are searched (resolve.h) */
};

/* Every file mapping that begins with an ELF header. Files are found through /proc/PID/root and /proc/PID/map_files and
 * /proc/PID/exe, so that other mount namespaces and deleted files work; where a file can't be opened or has no section
 * headers, the memory itself serves, without what is not mapped (.symtab). `maps` must outlive the modules. */
enum ouro_status ouro_modules_read(struct ouro_modules *modules, const struct ouro_process *process,
                                   const struct ouro_maps *maps, struct ouro_err *err);
/* The same of a core, from those files that are the ones that the process had. The core must outlive the modules too. */
enum ouro_status ouro_modules_read_core(struct ouro_modules *modules, const struct ouro_core *core,
                                        const struct ouro_maps *maps, struct ouro_err *err);
void ouro_modules_fini(struct ouro_modules *modules);

/* The symbol's address in the target, and (may be NULL) its size. OURO_GONE: this module has no such symbol.
 * The first call for a module indexes its symbols: O(n) once, then O(1). */
enum ouro_status ouro_module_symbol(struct ouro_module *module, const char *name, ouro_addr *addr, uint64_t *size);
/* The section's address in the target and its size. OURO_GONE: no such section. */
enum ouro_status ouro_module_section(struct ouro_module *module, const char *name, ouro_addr *addr, uint64_t *size);
/* The module whose mappings hold addr, or NULL. */
struct ouro_module *ouro_modules_find(struct ouro_modules *modules, ouro_addr addr);

#endif
