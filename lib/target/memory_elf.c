#include "target/memory_elf.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/guard.h"

#define SEGMENTS_MAX    64u
#define TABLE_MAX       (UINT64_C(64) << 20) /* bytes; the largest symbol tables that are known have a tenth */
#define VERSIONS_MAX    (64u << 10)          /* bytes: the tables do not tell their size */
#define CHAIN_MAX       4096u        /* symbols with nearly the same hash */
#define PLT_ENTRY_BYTES 16u                  /* x86-64, all linkers */

enum {
    SYMBOLS = 1, NAMES, DYNAMIC, VERSYM, REQUIRED, DEFINED, RELA, JUMPS, PLT, BUILD_ID, SECTION_NAMES, SECTION_COUNT
};

static const char *const section_names[SECTION_COUNT] = {
    "",           ".dynsym",   ".dynstr", ".dynamic",           ".gnu.version", ".gnu.version_r", ".gnu.version_d",
    ".rela.dyn",  ".rela.plt", ".plt",    ".note.gnu.build-id", ".shstrtab",
};

struct memory_elf {
    const struct ouro_space *space;
    int fd;
    uint64_t bias, start, end; /* of the segments: addresses of the file, without bias */
    uint64_t written;          /* bytes of the file so far */
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS_MAX];
    Elf64_Dyn *dynamic; /* owned */
    size_t dynamic_count;
    Elf64_Shdr sections[SECTION_COUNT];
};

static void memory_elf_fini(struct memory_elf *elf)
{
    free(elf->dynamic);
    if (elf->fd >= 0)
        close(elf->fd);
}

static bool is_inside(const struct memory_elf *elf, uint64_t addr, uint64_t size)
{
    return addr >= elf->start && addr <= elf->end && size <= elf->end - addr;
}

static bool load(const struct memory_elf *elf, uint64_t addr, void *out, uint64_t size)
{
    return is_inside(elf, addr, size) && ouro_space_read(elf->space, elf->bias + addr, out, size) == OURO_OK;
}

static bool append(struct memory_elf *elf, const void *bytes, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        ssize_t got = pwrite(elf->fd, (const char *)bytes + done, size - done, (off_t)(elf->written + done));
        if (got <= 0)
            return false;
        done += (uint64_t)got;
    }
    elf->written += (size + 7) & ~(uint64_t)7;
    return true;
}

static bool read_head(struct memory_elf *elf, const struct ouro_mapping *mapping)
{
    Elf64_Ehdr *header = &elf->header;
    if (ouro_space_read(elf->space, mapping->start, header, sizeof *header) != OURO_OK ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_phentsize != sizeof(Elf64_Phdr) || !header->e_phnum ||
        header->e_phnum > SEGMENTS_MAX || header->e_phoff > mapping->end - mapping->start ||
        ouro_space_read(elf->space, mapping->start + header->e_phoff, elf->segments,
                        header->e_phnum * sizeof(Elf64_Phdr)) != OURO_OK)
        return false;
    bool found = false;
    elf->start = UINT64_MAX;
    for (size_t i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];
        if (segment->p_type != PT_LOAD || segment->p_memsz > UINT64_MAX - segment->p_vaddr)
            continue;
        if (segment->p_offset < 4096 && !found) { /* the one that begins with the header */
            elf->bias = mapping->start - (segment->p_vaddr - segment->p_offset);
            found = true;
        }
        if (segment->p_vaddr < elf->start)
            elf->start = segment->p_vaddr;
        if (segment->p_vaddr + segment->p_memsz > elf->end)
            elf->end = segment->p_vaddr + segment->p_memsz;
    }
    return found;
}

static bool read_dynamic(struct memory_elf *elf)
{
    for (size_t i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];
        if (segment->p_type != PT_DYNAMIC || segment->p_memsz > VERSIONS_MAX)
            continue;
        elf->dynamic_count = segment->p_memsz / sizeof *elf->dynamic;
        elf->dynamic = malloc(segment->p_memsz + 1);
        elf->sections[DYNAMIC].sh_addr = segment->p_vaddr;
        return elf->dynamic && load(elf, segment->p_vaddr, elf->dynamic, elf->dynamic_count * sizeof *elf->dynamic);
    }
    return false;
}

/* 0: not there. */
static uint64_t number(const struct memory_elf *elf, int64_t tag)
{
    for (size_t i = 0; i < elf->dynamic_count && elf->dynamic[i].d_tag != DT_NULL; i++)
        if (elf->dynamic[i].d_tag == tag)
            return elf->dynamic[i].d_un.d_val;
    return 0;
}

/* glibc adds the bias in place (_dl_relocate_object's caller, get-dynamic-info.h), musl does not. 0: not there. */
static uint64_t address(const struct memory_elf *elf, int64_t tag)
{
    uint64_t value = number(elf, tag);
    return is_inside(elf, value - elf->bias, 0) ? value - elf->bias : is_inside(elf, value, 0) ? value : 0;
}

/* As many symbols as DT_GNU_HASH knows of: the last one is the end of the chain that begins last. 0: it makes no
 * sense. */
static uint64_t count_hashed(const struct memory_elf *elf, uint64_t hash)
{
    struct {
        uint32_t buckets, first, bloom, shift;
    } head;
    uint32_t last = 0, word = 0;
    if (!load(elf, hash, &head, sizeof head) || head.buckets > TABLE_MAX / sizeof word)
        return 0;
    uint64_t buckets = hash + sizeof head + head.bloom * sizeof(uint64_t);
    uint64_t chains = buckets + head.buckets * sizeof word;
    OURO_FREE uint32_t *words = malloc(head.buckets * sizeof *words + 1);
    if (!words || !load(elf, buckets, words, head.buckets * sizeof *words))
        return 0;
    for (uint32_t i = 0; i < head.buckets; i++)
        last = words[i] > last ? words[i] : last;
    if (last < head.first)
        return head.first; /* only what is asked for, nothing offered */
    for (unsigned steps = 0; steps < CHAIN_MAX; steps++, last++) {
        if (!load(elf, chains + (uint64_t)(last - head.first) * sizeof word, &word, sizeof word))
            return 0;
        if (word & 1)
            return (uint64_t)last + 1;
    }
    return 0;
}

static uint64_t count_symbols(const struct memory_elf *elf)
{
    uint32_t head[2];
    uint64_t hash = address(elf, DT_HASH);
    if (hash)
        return load(elf, hash, head, sizeof head) ? head[1] : 0;
    hash = address(elf, DT_GNU_HASH);
    return hash ? count_hashed(elf, hash) : 0;
}

static bool add(struct memory_elf *elf, size_t at, uint32_t type, uint64_t addr, uint64_t size)
{
    Elf64_Shdr *section = &elf->sections[at];
    OURO_FREE void *bytes = NULL;
    if (!addr || !size)
        return true;
    if (size > TABLE_MAX || !(bytes = malloc(size)) || !load(elf, addr, bytes, size))
        return false;
    section->sh_type = type;
    section->sh_flags = SHF_ALLOC;
    section->sh_addr = addr;
    section->sh_offset = elf->written;
    section->sh_size = size;
    section->sh_addralign = 1;
    return append(elf, bytes, size);
}

/* As much as there may be of a table that says its end itself. */
static uint64_t rest(const struct memory_elf *elf, uint64_t addr)
{
    for (size_t i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];
        if (segment->p_type == PT_LOAD && addr >= segment->p_vaddr && addr - segment->p_vaddr < segment->p_filesz) {
            uint64_t left = segment->p_filesz - (addr - segment->p_vaddr);
            left = left < VERSIONS_MAX ? left : VERSIONS_MAX;
            return left - left % (4 * sizeof(Elf64_Verdef)); /* whole entries for libelf, also of Elf64_Verneed */
        }
    }
    return 0;
}

static bool add_tables(struct memory_elf *elf)
{
    uint64_t symbols = count_symbols(elf);
    if (!symbols || symbols > TABLE_MAX / sizeof(Elf64_Sym))
        return false;
    uint64_t required = address(elf, DT_VERNEED), defined = address(elf, DT_VERDEF);
    return add(elf, SYMBOLS, SHT_DYNSYM, address(elf, DT_SYMTAB), symbols * sizeof(Elf64_Sym)) &&
           add(elf, NAMES, SHT_STRTAB, address(elf, DT_STRTAB), number(elf, DT_STRSZ)) &&
           add(elf, DYNAMIC, SHT_DYNAMIC, elf->sections[DYNAMIC].sh_addr, elf->dynamic_count * sizeof(Elf64_Dyn)) &&
           add(elf, VERSYM, SHT_GNU_versym, address(elf, DT_VERSYM), symbols * sizeof(Elf64_Half)) &&
           add(elf, REQUIRED, SHT_GNU_verneed, required, rest(elf, required)) &&
           add(elf, DEFINED, SHT_GNU_verdef, defined, rest(elf, defined)) &&
           add(elf, RELA, SHT_RELA, address(elf, DT_RELA), number(elf, DT_RELASZ)) &&
           add(elf, JUMPS, SHT_RELA, address(elf, DT_JMPREL), number(elf, DT_PLTRELSZ));
}

/* A slot that is not bound yet leads into the procedure linkage table, and one of a function that the file does not
 * have leads nowhere else inside it. The table has an entry for each slot in their order, behind a first one. */
static void find_plt(struct memory_elf *elf)
{
    uint64_t symbols = elf->sections[SYMBOLS].sh_addr;
    uint64_t jumps = elf->sections[JUMPS].sh_addr, count = elf->sections[JUMPS].sh_size / sizeof(Elf64_Rela);
    for (uint64_t i = 0; i < count; i++) {
        Elf64_Rela jump;
        Elf64_Sym symbol;
        uint64_t value;
        if (!load(elf, jumps + i * sizeof jump, &jump, sizeof jump) ||
            ELF64_R_TYPE(jump.r_info) != R_X86_64_JUMP_SLOT ||
            !load(elf, symbols + ELF64_R_SYM(jump.r_info) * sizeof symbol, &symbol, sizeof symbol) ||
            symbol.st_shndx != SHN_UNDEF || !load(elf, jump.r_offset, &value, sizeof value) ||
            !is_inside(elf, value - elf->bias, 1))
            continue;
        uint64_t entry = (value - elf->bias) & ~(uint64_t)(PLT_ENTRY_BYTES - 1), size = (count + 1) * PLT_ENTRY_BYTES;
        uint64_t before = (i + 1) * PLT_ENTRY_BYTES;
        if (entry < before || !is_inside(elf, entry - before, size))
            continue;
        elf->sections[PLT] = (Elf64_Shdr){.sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                          .sh_addr = entry - before, .sh_size = size, .sh_addralign = PLT_ENTRY_BYTES};
        return;
    }
}

static void find_build_id(struct memory_elf *elf)
{
    for (size_t i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];
        if (segment->p_type != PT_NOTE)
            continue;
        Elf64_Nhdr note;
        char name[4];
        for (uint64_t at = 0; segment->p_filesz >= sizeof note + sizeof name &&
                              at <= segment->p_filesz - sizeof note - sizeof name;) {
            if (!load(elf, segment->p_vaddr + at, &note, sizeof note) ||
                !load(elf, segment->p_vaddr + at + sizeof note, name, sizeof name))
                return;
            uint64_t align = segment->p_align == 8 ? 7 : 3;
            uint64_t size = (sizeof note + note.n_namesz + align) & ~align;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
                add(elf, BUILD_ID, SHT_NOTE, segment->p_vaddr + at, size + note.n_descsz);
                return;
            }
            at += size + ((note.n_descsz + align) & ~align);
        }
    }
}

static bool add_sections(struct memory_elf *elf)
{
    char names[256];
    size_t used = 0;
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        Elf64_Shdr *section = &elf->sections[i];
        section->sh_name = (Elf64_Word)used;
        used += (size_t)(stpcpy(names + used, section_names[i]) - (names + used)) + 1;
        section->sh_link = i == SYMBOLS || i == DYNAMIC || i == REQUIRED || i == DEFINED ? NAMES
                           : i == VERSYM || i == RELA || i == JUMPS                       ? SYMBOLS
                                                                                          : 0;
        section->sh_entsize = i == SYMBOLS               ? sizeof(Elf64_Sym)
                              : i == RELA || i == JUMPS ? sizeof(Elf64_Rela)
                              : i == DYNAMIC            ? sizeof(Elf64_Dyn)
                              : i == VERSYM             ? sizeof(Elf64_Half)
                                                        : 0;
    }
    elf->sections[SYMBOLS].sh_info = 1;
    elf->sections[REQUIRED].sh_info = (Elf64_Word)number(elf, DT_VERNEEDNUM);
    elf->sections[DEFINED].sh_info = (Elf64_Word)number(elf, DT_VERDEFNUM);
    elf->sections[SECTION_NAMES].sh_type = SHT_STRTAB;
    elf->sections[SECTION_NAMES].sh_offset = elf->written;
    elf->sections[SECTION_NAMES].sh_size = used;
    if (!append(elf, names, used))
        return false;
    elf->header.e_shoff = elf->written;
    elf->header.e_shentsize = sizeof(Elf64_Shdr);
    elf->header.e_shnum = SECTION_COUNT;
    elf->header.e_shstrndx = SECTION_NAMES;
    return append(elf, elf->sections, sizeof elf->sections);
}

int ouro_memory_elf_open(const struct ouro_space *space, const struct ouro_mapping *mapping)
{
    OURO_GUARD(memory_elf_fini) struct memory_elf elf = {.space = space, .fd = -1};
    if (mapping->offset || !mapping->readable || !read_head(&elf, mapping) || !read_dynamic(&elf))
        return -1;
    elf.fd = memfd_create("ouro", MFD_CLOEXEC);
    elf.header.e_phoff = sizeof elf.header;
    elf.written = sizeof elf.header;
    if (elf.fd < 0 || !append(&elf, elf.segments, elf.header.e_phnum * sizeof *elf.segments) || !add_tables(&elf))
        return -1;
    find_plt(&elf);
    find_build_id(&elf);
    if (!add_sections(&elf))
        return -1;
    uint64_t end = elf.written;
    elf.written = 0;
    if (!append(&elf, &elf.header, sizeof elf.header) || ftruncate(elf.fd, (off_t)end))
        return -1;
    int fd = elf.fd;
    elf.fd = -1;
    return fd;
}
