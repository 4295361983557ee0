#include "target/module.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "target/elf_file.h"
#include "target/image_files.h"
#include "target/links.h"
#include "target/memory_elf.h"
#include "target/resolve.h"

static void elf_close(struct ouro_elf *elf)
{
    if (!elf)
        return;
    elf_end(elf->elf);
    if (elf->fd >= 0)
        close(elf->fd);
    ouro_links_free(elf->links);
    free(elf->symbols);
    pthread_mutex_destroy(&elf->mutex);
    free(elf);
}

static struct ouro_elf *elf_open(int fd)
{
    GElf_Ehdr header;
    struct stat status;
    elf_version(EV_CURRENT);
    struct ouro_elf *elf = calloc(1, sizeof *elf);
    if (!elf) {
        close(fd);
        return NULL;
    }
    elf->fd = fd;
    pthread_mutex_init(&elf->mutex, NULL);
    elf->size_bytes = fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
    elf->elf = elf_begin(fd, ELF_C_READ, NULL);
    if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF || !gelf_getehdr(elf->elf, &header) ||
        gelf_getclass(elf->elf) != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
        elf_close(elf);
        return NULL;
    }
    return elf;
}

/* Where the file's addresses are in the target: the first mapping shows the segment that holds its offset. */
static bool find_bias(struct ouro_module *module, const struct ouro_mapping *mapping)
{
    GElf_Ehdr header;
    size_t count;
    if (!gelf_getehdr(module->elf->elf, &header) || elf_getphdrnum(module->elf->elf, &count))
        return false;
    module->dynamic = header.e_type == ET_DYN;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(module->elf->elf, (int)i, &segment) || segment.p_type != PT_LOAD)
            continue;
        uint64_t start = segment.p_offset & ~(uint64_t)4095;
        if (mapping->offset < start || mapping->offset - start >= (segment.p_offset - start) + segment.p_filesz)
            continue;
        uint64_t addr = (segment.p_vaddr & ~(uint64_t)4095) + (mapping->offset - start);
        module->bias = mapping->start - addr;
        return true;
    }
    return false;
}

/* A library that is only read as data (mmap of the file) has no code where its segments say. */
static bool is_loaded(const struct ouro_module *module, const struct ouro_maps *maps)
{
    size_t count;
    if (elf_getphdrnum(module->elf->elf, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(module->elf->elf, (int)i, &segment) || segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
            continue;
        const struct ouro_mapping *mapping = ouro_maps_find(maps, module->bias + segment.p_vaddr);
        if (!mapping || !mapping->executable)
            return false;
    }
    return true;
}

static bool is_elf(int fd)
{
    unsigned char magic[SELFMAG];
    return pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* Of a process, or of a core. Its own descriptor. */
static int open_file(const struct ouro_process *process, const struct ouro_core *core,
                     const struct ouro_mapping *mapping)
{
    if (process)
        return ouro_image_file_open(ouro_process_pid(process), mapping);
    int fd = ouro_core_file(core, mapping);
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* What the mapping shows: its file or, when that can't be opened or was stripped of its sections too, the memory. */
static struct ouro_elf *open_mapped(const struct ouro_process *process, const struct ouro_core *core,
                                    const struct ouro_mapping *mapping)
{
    int fd = open_file(process, core, mapping);
    size_t sections;
    if (fd >= 0 && !is_elf(fd)) {
        close(fd);
        return NULL;
    }
    struct ouro_elf *elf = fd >= 0 ? elf_open(fd) : NULL;
    if (fd >= 0 && (!elf || (!elf_getshdrnum(elf->elf, &sections) && sections)))
        return elf;
    fd = ouro_memory_elf_open(process ? ouro_process_space(process) : &core->space, mapping);
    if (fd < 0)
        return elf;
    elf_close(elf);
    return elf_open(fd);
}

static bool same_file(const struct ouro_mapping *a, const struct ouro_mapping *b)
{
    return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

static enum ouro_status read_modules(struct ouro_modules *modules, const struct ouro_process *process,
                                     const struct ouro_core *core, const struct ouro_maps *maps, struct ouro_err *err)
{
    memset(modules, 0, sizeof *modules);
    modules->scope = ouro_scope_new();
    if (!modules->scope)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of modules");
    for (size_t i = 0; i < maps->count; i++) {
        const struct ouro_mapping *mapping = &maps->items[i];
        size_t last = i;
        if (!mapping->inode || mapping->shared || mapping->device)
            continue;
        for (size_t k = i + 1; k < maps->count; k++) {
            if (same_file(&maps->items[k], mapping))
                last = k;
            else if (maps->items[k].inode)
                break;
        }
        i = last;
        struct ouro_module module = {.path = mapping->path, .start = mapping->start, .end = maps->items[last].end};
        module.elf = open_mapped(process, core, mapping);
        if (!module.elf || !find_bias(&module, mapping) || !is_loaded(&module, maps)) {
            elf_close(module.elf);
            continue;
        }
        struct ouro_module *place = OURO_VEC_ADD(modules);
        if (!place) {
            elf_close(module.elf);
            return ouro_err_set(err, OURO_NOMEM, "no memory for the list of modules");
        }
        *place = module;
    }
    /* There is another order without it. */
    (void)ouro_modules_read_order(modules, process ? ouro_process_space(process) : &core->space);
    return OURO_OK;
}

enum ouro_status ouro_modules_read(struct ouro_modules *modules, const struct ouro_process *process,
                                   const struct ouro_maps *maps, struct ouro_err *err)
{
    return read_modules(modules, process, NULL, maps, err);
}

enum ouro_status ouro_modules_read_core(struct ouro_modules *modules, const struct ouro_core *core,
                                        const struct ouro_maps *maps, struct ouro_err *err)
{
    return read_modules(modules, NULL, core, maps, err);
}

void ouro_modules_fini(struct ouro_modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        elf_close(modules->items[i].elf);
    ouro_scope_free(modules->scope);
    free(modules->items);
    memset(modules, 0, sizeof *modules);
}

static struct ouro_elf_symbol *slot(struct ouro_elf *elf, const char *name)
{
    size_t i = ouro_elf_hash(name) & (elf->slot_count - 1);
    while (elf->symbols[i].name && strcmp(elf->symbols[i].name, name) != 0)
        i = (i + 1) & (elf->slot_count - 1);
    return &elf->symbols[i];
}

typedef void symbol_visitor(struct ouro_elf *elf, const char *name, const GElf_Sym *symbol, size_t *count);

static void count_symbol(struct ouro_elf *elf, const char *name, const GElf_Sym *symbol, size_t *count)
{
    (void)elf;
    (void)name;
    (void)symbol;
    ++*count;
}

static void add_symbol(struct ouro_elf *elf, const char *name, const GElf_Sym *symbol, size_t *count)
{
    struct ouro_elf_symbol *place = slot(elf, name);
    (void)count;
    if (!place->name) /* the first table's word goes: dynamic symbols before .symtab */
        *place = (struct ouro_elf_symbol){name, symbol->st_value, symbol->st_size};
}

static size_t each_symbol(struct ouro_elf *elf, GElf_Word kind, symbol_visitor *visit)
{
    size_t count = 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section));) {
        GElf_Shdr header;
        Elf_Data *data;
        if (!gelf_getshdr(section, &header) || header.sh_type != kind || !header.sh_entsize ||
            !(data = elf_getdata(section, NULL)))
            continue;
        uint64_t entries = data->d_size / header.sh_entsize;
        for (uint64_t i = 0; i < entries && i < INT32_MAX; i++) {
            GElf_Sym symbol;
            if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF || !symbol.st_value)
                continue;
            int type = GELF_ST_TYPE(symbol.st_info); /* a thread-local one's value is no address */
            if (type == STT_TLS || type == STT_SECTION || type == STT_FILE)
                continue;
            const char *name = elf_strptr(elf->elf, header.sh_link, symbol.st_name);
            if (name && *name)
                visit(elf, name, &symbol, &count);
        }
    }
    return count;
}

static void index_symbols(struct ouro_elf *elf)
{
    elf->indexed = true;
    size_t count = each_symbol(elf, SHT_DYNSYM, count_symbol) + each_symbol(elf, SHT_SYMTAB, count_symbol);
    size_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    elf->symbols = calloc(slots, sizeof *elf->symbols);
    if (!elf->symbols)
        return;
    elf->slot_count = slots;
    each_symbol(elf, SHT_DYNSYM, add_symbol);
    each_symbol(elf, SHT_SYMTAB, add_symbol);
}

enum ouro_status ouro_module_symbol(struct ouro_module *module, const char *name, ouro_addr *addr, uint64_t *size)
{
    OURO_ELF_LOCKED struct ouro_elf *elf = ouro_elf_lock(module->elf);
    if (!elf->indexed)
        index_symbols(elf);
    if (!elf->slot_count)
        return OURO_GONE;
    const struct ouro_elf_symbol *symbol = slot(elf, name);
    if (!symbol->name)
        return OURO_GONE;
    *addr = module->bias + symbol->value;
    if (size)
        *size = symbol->size;
    return OURO_OK;
}

enum ouro_status ouro_module_section(struct ouro_module *module, const char *name, ouro_addr *addr, uint64_t *size)
{
    OURO_ELF_LOCKED struct ouro_elf *elf = ouro_elf_lock(module->elf);
    size_t names;
    if (elf_getshdrstrndx(elf->elf, &names))
        return OURO_GONE;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section));) {
        GElf_Shdr header;
        const char *own = gelf_getshdr(section, &header) ? elf_strptr(elf->elf, names, header.sh_name) : NULL;
        if (own && strcmp(own, name) == 0 && header.sh_addr) {
            *addr = module->bias + header.sh_addr;
            if (size)
                *size = header.sh_size;
            return OURO_OK;
        }
    }
    return OURO_GONE;
}

struct ouro_module *ouro_modules_find(struct ouro_modules *modules, ouro_addr addr)
{
    for (size_t i = 0; i < modules->count; i++)
        if (modules->items[i].start <= addr && addr < modules->items[i].end)
            return &modules->items[i];
    return NULL;
}
