/* An ELF file made of what a process has mapped of one, where the file itself can't be opened: deleted or replaced
 * after the start, hidden by another mount, and no right to /proc/PID/map_files. Only for module.c.
 *
 * The dynamic segment leads to all that the linker needed: dynamic symbols, their versions, relocations, the build id;
 * the made file has sections for these, as links.c and module.c look for them. It has no .symtab and no contents. */
#ifndef OURO_TARGET_MEMORY_ELF_H
#define OURO_TARGET_MEMORY_ELF_H

#include "target/maps.h"
#include "target/space.h"

/* A descriptor of the made file, to be closed; -1: there is no ELF header at the mapping, its tables make no sense, or
 * there is no memory. Reads the process, O(size of its tables). */
int ouro_memory_elf_open(const struct ouro_space *space, const struct ouro_mapping *mapping);

#endif
