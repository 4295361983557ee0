/* What one ELF file asks the dynamic linker for, and what it offers: relocations, dynamic symbols with their versions,
 * needed libraries. It is found through the section headers; a file without them asks and offers nothing.
 *
 * Nothing in the file is believed: what lies outside of it or of its section is as if it were not there. Knows one
 * file, not the order in which files are searched (resolve.c). All addresses are the file's, without bias. */
#ifndef OURO_TARGET_LINKS_H
#define OURO_TARGET_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "target/elf_file.h"

/* Does not change once it is made, so that it is read without the mutex. */
struct ouro_links {
    const char *soname; /* borrowed from libelf, as all names here; NULL: none */
    struct ouro_links_needed {
        const char **items; /* owned */
        size_t count, capacity;
    } needed;
    bool symbolic;  /* DT_SYMBOLIC or DF_SYMBOLIC: searches itself first */
    uint64_t debug; /* where the dynamic linker writes the address of its r_debug; 0: not an executable */
    struct ouro_links_index *index; /* owned */
};

/* A symbol that a relocation asks for. */
struct ouro_reference {
    const char *name;
    const char *version; /* NULL: any */
    bool exact;          /* the version may not be met by a symbol without one */
    bool jump;           /* R_X86_64_JUMP_SLOT, for a call; else R_X86_64_GLOB_DAT, for its address */
    bool weak;           /* need not exist */
    bool own;            /* not searched for: own_definition is it */
    struct ouro_definition {
        uint64_t value;
        bool absolute; /* no bias is added */
        bool ifunc;    /* a function that returns the address */
    } own_definition;
};

/* The file's links, made by the first call: O(n log n) of its relocations and symbols. Borrowed from elf. NULL: no
 * memory. */
const struct ouro_links *ouro_links_get(struct ouro_elf *elf);
void ouro_links_free(struct ouro_links *links);

/* What the relocation at an address asks for. OURO_GONE: there is none of these two kinds. O(log n). */
enum ouro_status ouro_links_reference(struct ouro_elf *elf, uint64_t addr, struct ouro_reference *reference);
/* The file's definition that meets the reference by the rules of glibc (elf/dl-lookup.c, do_lookup_x and check_match).
 * OURO_GONE: none. O(1). */
enum ouro_status ouro_links_definition(struct ouro_elf *elf, const struct ouro_reference *reference,
                                       struct ouro_definition *definition);
/* Whether addr lies in the procedure linkage table (.plt, .plt.sec, .plt.got). */
bool ouro_links_in_plt(struct ouro_elf *elf, uint64_t addr);

#endif
