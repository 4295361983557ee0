#include "target/links.h"

#include <gelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define VERSION_INDEX  0x7fff /* of an entry of .gnu.version ... */
#define VERSION_HIDDEN 0x8000 /* ... whose other bit says: not the default version */
#define NEEDED_MAX     4096   /* each is compared with each module; the most seen are some hundreds */

struct ouro_links_index {
    Elf_Data *symbols; /* .dynsym; NULL: none */
    size_t names;      /* the section of their names */
    uint32_t *buckets; /* owned: the first symbol with this hash; 0: none, since symbol 0 has no name */
    uint32_t *next;    /* owned: of symbols with the same hash, ascending */
    size_t bucket_count;
    Elf_Data *versym; /* .gnu.version; NULL: none */
    struct versions {
        struct version {
            const char *name; /* NULL: no such version */
            bool exact;
        } * items; /* owned: by number */
        size_t count, capacity;
    } versions;
    struct relocations {
        struct relocation {
            uint64_t addr;
            uint32_t symbol;
            bool jump;
        } * items; /* owned, by addr */
        size_t count, capacity;
    } relocations;
    struct range {
        uint64_t addr, size;
    } plt[4];
    size_t plt_count;
};

struct section {
    GElf_Shdr header;
    Elf_Data *data;
    size_t number;
};

void ouro_links_free(struct ouro_links *links)
{
    if (!links)
        return;
    if (links->index) {
        free(links->index->buckets);
        free(links->index->next);
        free(links->index->versions.items);
        free(links->index->relocations.items);
        free(links->index);
    }
    free(links->needed.items);
    free(links);
}

static bool load_section(Elf_Scn *scn, struct section *section)
{
    section->number = elf_ndxscn(scn);
    section->data = elf_getdata(scn, NULL);
    return section->data && section->data->d_buf;
}

static bool find_section(Elf *elf, GElf_Word type, struct section *section)
{
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));)
        if (gelf_getshdr(scn, &section->header) && section->header.sh_type == type && load_section(scn, section))
            return true;
    return false;
}

static bool load_dynamic(Elf *elf, struct ouro_links *links)
{
    struct section section;
    GElf_Dyn entry;
    if (!find_section(elf, SHT_DYNAMIC, &section))
        return true;
    for (int i = 0; gelf_getdyn(section.data, i, &entry) && entry.d_tag != DT_NULL; i++) {
        bool is_name = entry.d_tag == DT_NEEDED || entry.d_tag == DT_SONAME;
        const char *name = is_name ? elf_strptr(elf, section.header.sh_link, entry.d_un.d_val) : NULL;
        if (name && entry.d_tag == DT_SONAME) {
            links->soname = name;
        } else if (name && links->needed.count < NEEDED_MAX) {
            const char **place = OURO_VEC_ADD(&links->needed);
            if (!place)
                return false;
            *place = name;
        } else if (entry.d_tag == DT_SYMBOLIC || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_SYMBOLIC))) {
            links->symbolic = true;
        } else if (entry.d_tag == DT_DEBUG) {
            links->debug = section.header.sh_addr + (uint64_t)i * sizeof(Elf64_Dyn) + offsetof(Elf64_Dyn, d_un);
        }
    }
    return true;
}

static bool load_symbols(Elf *elf, struct ouro_links_index *index, size_t *number)
{
    struct section section;
    GElf_Sym symbol;
    if (!find_section(elf, SHT_DYNSYM, &section))
        return true;
    size_t count = section.data->d_size / sizeof(Elf64_Sym);
    if (count > INT_MAX)
        return true;
    index->bucket_count = 16;
    while (index->bucket_count < count)
        index->bucket_count *= 2;
    index->buckets = calloc(index->bucket_count, sizeof *index->buckets);
    index->next = calloc(count + 1, sizeof *index->next);
    if (!index->buckets || !index->next)
        return false;
    index->symbols = section.data;
    index->names = section.header.sh_link;
    *number = section.number;
    for (size_t i = count; i-- > 1;) {
        const char *name =
            gelf_getsym(section.data, (int)i, &symbol) ? elf_strptr(elf, index->names, symbol.st_name) : NULL;
        if (!name || !*name)
            continue;
        uint32_t *bucket = &index->buckets[ouro_elf_hash(name) & (index->bucket_count - 1)];
        index->next[i] = *bucket;
        *bucket = (uint32_t)i;
    }
    return true;
}

static bool add_version(struct ouro_links_index *index, unsigned number, const char *name)
{
    size_t at = number & VERSION_INDEX;
    if (!at || !name)
        return true;
    while (index->versions.count <= at)
        if (!OURO_VEC_ADD(&index->versions))
            return false;
    index->versions.items[at] = (struct version){name, (number & VERSION_HIDDEN) != 0};
    return true;
}

/* Both tables are chains of offsets, which a damaged file ties into ever longer walks: no more steps than would fit. */
static bool load_required_versions(Elf *elf, struct ouro_links_index *index)
{
    struct section section;
    GElf_Verneed need;
    GElf_Vernaux item;
    if (!find_section(elf, SHT_GNU_verneed, &section))
        return true;
    uint64_t offset = 0, steps = section.data->d_size / sizeof(Elf64_Vernaux);
    while (steps && offset < INT_MAX && gelf_getverneed(section.data, (int)offset, &need)) {
        uint64_t at = offset + need.vn_aux;
        for (unsigned i = 0; i < need.vn_cnt && steps; i++, steps--) {
            if (at >= INT_MAX || !gelf_getvernaux(section.data, (int)at, &item))
                break;
            if (!add_version(index, item.vna_other, elf_strptr(elf, section.header.sh_link, item.vna_name)))
                return false;
            at += item.vna_next;
        }
        if (!need.vn_next || !steps)
            break;
        offset += need.vn_next;
        steps--;
    }
    return true;
}

static bool load_defined_versions(Elf *elf, struct ouro_links_index *index)
{
    struct section section;
    GElf_Verdef definition;
    GElf_Verdaux item;
    if (!find_section(elf, SHT_GNU_verdef, &section))
        return true;
    uint64_t offset = 0, steps = section.data->d_size / sizeof(Elf64_Verdef);
    for (; steps && offset < INT_MAX && gelf_getverdef(section.data, (int)offset, &definition); steps--) {
        uint64_t at = offset + definition.vd_aux; /* the first one is its name, others are its parents */
        if (!(definition.vd_flags & VER_FLG_BASE) && at < INT_MAX && gelf_getverdaux(section.data, (int)at, &item) &&
            !add_version(index, definition.vd_ndx & VERSION_INDEX,
                         elf_strptr(elf, section.header.sh_link, item.vda_name)))
            return false;
        if (!definition.vd_next)
            break;
        offset += definition.vd_next;
    }
    return true;
}

static bool load_versions(Elf *elf, struct ouro_links_index *index)
{
    struct section section;
    if (find_section(elf, SHT_GNU_versym, &section))
        index->versym = section.data;
    return load_required_versions(elf, index) && load_defined_versions(elf, index);
}

static int by_addr(const void *a, const void *b)
{
    const struct relocation *left = a, *right = b;
    return (left->addr > right->addr) - (left->addr < right->addr);
}

static bool load_relocations(const struct ouro_elf *elf, struct ouro_links_index *index, size_t symbols)
{
    GElf_Shdr header;
    uint64_t left = elf->size_bytes; /* sections of a sound file do not overlap */
    struct section section;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf->elf, scn));) {
        if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_RELA || header.sh_link != symbols ||
            header.sh_size > left || !load_section(scn, &section))
            continue;
        left -= header.sh_size;
        size_t count = section.data->d_size / sizeof(Elf64_Rela);
        GElf_Rela entry;
        for (size_t i = 0; i < count && i < INT_MAX && gelf_getrela(section.data, (int)i, &entry); i++) {
            uint64_t type = GELF_R_TYPE(entry.r_info);
            if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
                continue;
            struct relocation *place = OURO_VEC_ADD(&index->relocations);
            if (!place)
                return false;
            *place =
                (struct relocation){entry.r_offset, (uint32_t)GELF_R_SYM(entry.r_info), type == R_X86_64_JUMP_SLOT};
        }
    }
    if (index->relocations.count)
        qsort(index->relocations.items, index->relocations.count, sizeof *index->relocations.items, by_addr);
    return true;
}

static void load_plt(Elf *elf, struct ouro_links_index *index)
{
    GElf_Shdr header;
    size_t names;
    if (elf_getshdrstrndx(elf, &names))
        return;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) && index->plt_count < 4;) {
        const char *name = gelf_getshdr(scn, &header) && header.sh_flags & SHF_EXECINSTR
                               ? elf_strptr(elf, names, header.sh_name)
                               : NULL;
        if (name && (strcmp(name, ".plt") == 0 || strncmp(name, ".plt.", 5) == 0))
            index->plt[index->plt_count++] = (struct range){header.sh_addr, header.sh_size};
    }
}

static bool load(const struct ouro_elf *elf, struct ouro_links *links)
{
    size_t symbols = 0;
    struct ouro_links_index *index = links->index = calloc(1, sizeof *index);
    if (!index || !load_dynamic(elf->elf, links) || !load_symbols(elf->elf, index, &symbols) ||
        !load_versions(elf->elf, index))
        return false;
    load_plt(elf->elf, index);
    return !symbols || load_relocations(elf, index, symbols);
}

static const struct ouro_links *get(struct ouro_elf *elf)
{
    if (elf->links)
        return elf->links;
    struct ouro_links *links = calloc(1, sizeof *links);
    if (!links || !load(elf, links)) {
        ouro_links_free(links);
        return NULL;
    }
    return elf->links = links;
}

const struct ouro_links *ouro_links_get(struct ouro_elf *elf)
{
    OURO_ELF_LOCKED struct ouro_elf *locked = ouro_elf_lock(elf);
    return get(locked);
}

static const struct version *version_of(const struct ouro_links_index *index, unsigned number)
{
    static const struct version none;
    size_t at = number & VERSION_INDEX;
    return at < index->versions.count ? &index->versions.items[at] : &none;
}

static struct ouro_definition define(const GElf_Sym *symbol)
{
    return (struct ouro_definition){symbol->st_value, symbol->st_shndx == SHN_ABS,
                                    GELF_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC};
}

enum ouro_status ouro_links_reference(struct ouro_elf *elf, uint64_t addr, struct ouro_reference *reference)
{
    OURO_ELF_LOCKED struct ouro_elf *locked = ouro_elf_lock(elf);
    const struct ouro_links *links = get(locked);
    if (!links)
        return OURO_NOMEM;
    const struct ouro_links_index *index = links->index;
    const struct relocation wanted = {.addr = addr}, *found = NULL;
    GElf_Sym symbol;
    GElf_Versym number;
    if (index->relocations.count)
        found = bsearch(&wanted, index->relocations.items, index->relocations.count, sizeof wanted, by_addr);
    if (!found || found->symbol > INT_MAX || !gelf_getsym(index->symbols, (int)found->symbol, &symbol))
        return OURO_GONE;
    memset(reference, 0, sizeof *reference);
    reference->name = elf_strptr(locked->elf, index->names, symbol.st_name);
    if (!reference->name || !*reference->name)
        return OURO_GONE;
    reference->jump = found->jump;
    reference->weak = GELF_ST_BIND(symbol.st_info) == STB_WEAK;
    /* glibc's _dl_fixup and RESOLVE_MAP: what no other file can see is not searched for */
    reference->own = GELF_ST_VISIBILITY(symbol.st_other) != STV_DEFAULT || GELF_ST_BIND(symbol.st_info) == STB_LOCAL;
    reference->own_definition = define(&symbol);
    if (reference->own && (symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) == STT_TLS))
        return OURO_GONE;
    if (index->versym && gelf_getversym(index->versym, (int)found->symbol, &number)) {
        const struct version *version = version_of(index, number);
        reference->version = version->name;
        reference->exact = version->exact;
    }
    return OURO_OK;
}

static bool is_offered(const GElf_Sym *symbol, const struct ouro_reference *reference)
{
    int bind = GELF_ST_BIND(symbol->st_info), visibility = GELF_ST_VISIBILITY(symbol->st_other);
    if ((bind != STB_GLOBAL && bind != STB_WEAK && bind != STB_GNU_UNIQUE) || visibility == STV_HIDDEN ||
        visibility == STV_INTERNAL)
        return false;
    if (!symbol->st_value && symbol->st_shndx != SHN_ABS)
        return false;
    /* A fixed-address program gives the address of its own jump as that of a function it does not have. */
    if (symbol->st_shndx == SHN_UNDEF && reference->jump)
        return false;
    switch (GELF_ST_TYPE(symbol->st_info)) {
    case STT_NOTYPE:
    case STT_OBJECT:
    case STT_FUNC:
    case STT_COMMON:
    case STT_GNU_IFUNC:
        return true;
    default:
        return false;
    }
}

enum fit { NO, YES, IF_ONLY };

/* glibc's check_match. Version numbers 0 and 1 mean none; 2 is a library's first version, which a reference from before
 * it had versions means. */
static enum fit fit_version(const struct ouro_links_index *index, size_t i, const struct ouro_reference *reference)
{
    GElf_Versym number;
    if (!index->versym || !gelf_getversym(index->versym, (int)i, &number))
        return YES;
    if (!reference->version)
        return (number & VERSION_INDEX) < 3 ? YES : number & VERSION_HIDDEN ? NO : IF_ONLY;
    const struct version *version = version_of(index, number);
    if (version->name)
        return strcmp(version->name, reference->version) == 0 ? YES : NO;
    return reference->exact || number & VERSION_HIDDEN ? NO : YES;
}

enum ouro_status ouro_links_definition(struct ouro_elf *elf, const struct ouro_reference *reference,
                                       struct ouro_definition *definition)
{
    OURO_ELF_LOCKED struct ouro_elf *locked = ouro_elf_lock(elf);
    const struct ouro_links *links = get(locked);
    if (!links)
        return OURO_NOMEM;
    const struct ouro_links_index *index = links->index;
    size_t maybe_count = 0;
    if (!index->symbols)
        return OURO_GONE;
    size_t i = index->buckets[ouro_elf_hash(reference->name) & (index->bucket_count - 1)];
    for (; i; i = index->next[i]) {
        GElf_Sym symbol;
        if (!gelf_getsym(index->symbols, (int)i, &symbol) || !is_offered(&symbol, reference))
            continue;
        const char *name = elf_strptr(locked->elf, index->names, symbol.st_name);
        if (!name || strcmp(name, reference->name) != 0)
            continue;
        enum fit fit = fit_version(index, i, reference);
        if (fit == YES || (fit == IF_ONLY && maybe_count++ == 0))
            *definition = define(&symbol);
        if (fit == YES)
            return OURO_OK;
    }
    return maybe_count == 1 ? OURO_OK : OURO_GONE;
}

bool ouro_links_in_plt(struct ouro_elf *elf, uint64_t addr)
{
    const struct ouro_links *links = ouro_links_get(elf);
    for (size_t i = 0; links && i < links->index->plt_count; i++)
        if (addr - links->index->plt[i].addr < links->index->plt[i].size)
            return true;
    return false;
}
