#include "target/core.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "target/registers.h"

#define ADDRESS_END   (UINT64_C(1) << 47) /* of user space; segments of the kernel's half (vsyscall) hold no data */
#define IN_PAGE       ((uint64_t)OURO_PAGE_BYTES - 1)
#define NOTES_MAX     (UINT64_C(256) << 20) /* bytes; each of 65,000 mappings takes some 100, each thread some 4000 */
#define LACKS_MAX     12u
#define BEGINNING_MAX 64 /* mappings; a library has some five */

static uint64_t page_up(uint64_t size)
{
    return size > UINT64_MAX - IN_PAGE ? UINT64_MAX & ~IN_PAGE : (size + IN_PAGE) & ~IN_PAGE;
}

/* --- Opening. */

static enum ouro_status check_header(const struct ouro_core *core, const char *path, struct ouro_err *err)
{
    static const struct {
        unsigned machine;
        const char *name;
    } machines[] = {
        {EM_386,     "i386"   },
        {EM_ARM,     "arm"    },
        {EM_AARCH64, "aarch64"},
        {EM_PPC64,   "ppc64"  },
        {EM_S390,    "s390x"  },
        {EM_RISCV,   "riscv"  }
    };
    GElf_Ehdr header;
    if (!core->elf || elf_kind(core->elf) != ELF_K_ELF || !gelf_getehdr(core->elf, &header))
        return ouro_err_set(err, OURO_BADDATA, "%s is not a core: no ELF file", path);
    if (header.e_type != ET_CORE)
        return ouro_err_set(err, OURO_BADDATA, "%s is not a core, but %s", path,
                            header.e_type == ET_EXEC || header.e_type == ET_DYN ? "a program or a library"
                                                                                : "another kind of ELF file");
    if (header.e_machine == EM_X86_64 && gelf_getclass(core->elf) == ELFCLASS64 &&
        header.e_ident[EI_DATA] == ELFDATA2LSB)
        return OURO_OK;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].machine == header.e_machine)
            return ouro_err_set(err, OURO_UNSUPPORTED, "%s is the core of a process on %s; ouro reads those on x86-64",
                                path, machines[i].name);
    return ouro_err_set(err, OURO_UNSUPPORTED,
                        "%s is the core of a %d-bit process on machine %u; ouro reads 64-bit "
                        "ones on x86-64",
                        path, gelf_getclass(core->elf) == ELFCLASS32 ? 32 : 64, header.e_machine);
}

static int by_start(const void *a, const void *b)
{
    const struct ouro_core_segment *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

/* Where two claim the same addresses, the first one has them. */
static void part_segments(struct ouro_core_segments *segments)
{
    size_t kept = 0;
    ouro_addr last = 0;
    if (segments->count)
        qsort(segments->items, segments->count, sizeof *segments->items, by_start);
    for (size_t i = 0; i < segments->count; i++) {
        struct ouro_core_segment segment = segments->items[i];
        if (segment.end <= last)
            continue;
        if (segment.start < last) {
            uint64_t less = last - segment.start;
            segment.start = last;
            segment.offset += less;
            segment.held_bytes -= less < segment.held_bytes ? less : segment.held_bytes;
            segment.told_bytes -= less < segment.told_bytes ? less : segment.told_bytes;
        }
        last = segment.end;
        segments->items[kept++] = segment;
    }
    segments->count = kept;
}

static enum ouro_status add_segment(struct ouro_core *core, const GElf_Phdr *header)
{
    if (header->p_vaddr >= ADDRESS_END || !header->p_memsz)
        return OURO_OK;
    struct ouro_core_segment *segment = OURO_VEC_ADD(&core->segments);
    if (!segment)
        return OURO_NOMEM;
    uint64_t told = header->p_filesz < header->p_memsz ? header->p_filesz : header->p_memsz;
    uint64_t size = page_up(header->p_memsz), room = ADDRESS_END - header->p_vaddr;
    uint64_t left = header->p_offset < core->size_bytes ? core->size_bytes - header->p_offset : 0;
    segment->start = header->p_vaddr;
    segment->end = header->p_vaddr + (size < room ? size : room);
    segment->offset = header->p_offset;
    told = page_up(told) < segment->end - segment->start ? page_up(told) : segment->end - segment->start;
    segment->told_bytes = told;
    segment->held_bytes = (told < left ? told : left) & ~IN_PAGE;
    segment->readable = header->p_flags & PF_R;
    segment->writable = header->p_flags & PF_W;
    segment->executable = header->p_flags & PF_X;
    return OURO_OK;
}

static enum ouro_status read_segments(struct ouro_core *core, const char *path, struct ouro_err *err)
{
    size_t count;
    if (elf_getphdrnum(core->elf, &count) || count > INT_MAX)
        return ouro_err_set(err, OURO_BADDATA, "%s: the number of segments of this core can't be told", path);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(core->elf, (int)i, &header))
            return ouro_err_set(err, OURO_BADDATA, "%s: this core is cut off inside of its table of segments", path);
        if (header.p_type != PT_LOAD)
            continue;
        if (header.p_vaddr & IN_PAGE)
            return ouro_err_set(err, OURO_BADDATA, "%s: segment %zu of this core does not begin at a page", path, i);
        if (add_segment(core, &header) != OURO_OK)
            return ouro_err_set(err, OURO_NOMEM, "no memory for the list of segments");
    }
    part_segments(&core->segments);
    if (!core->segments.count)
        return ouro_err_set(err, OURO_BADDATA, "%s: this core has no segments of memory", path);
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct ouro_core_segment *segment = &core->segments.items[i];
        core->cut_bytes += segment->told_bytes - segment->held_bytes;
        core->cut_count += segment->told_bytes > segment->held_bytes;
    }
    return OURO_OK;
}

static const struct ouro_core_segment *find_segment(const struct ouro_core *core, ouro_addr addr)
{
    size_t low = 0, high = core->segments.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (core->segments.items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < core->segments.count && core->segments.items[low].start <= addr ? &core->segments.items[low] : NULL;
}

static enum ouro_status read_held(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    const struct ouro_core *core = space->context;
    unsigned char *to = out;
    while (size) {
        const struct ouro_core_segment *segment = find_segment(core, addr);
        uint64_t at = segment ? addr - segment->start : 0;
        if (!segment || at >= segment->held_bytes)
            return OURO_FAULT;
        size_t piece = size < segment->held_bytes - at ? size : (size_t)(segment->held_bytes - at);
        ssize_t got = pread(core->fd, to, piece, (off_t)(segment->offset + at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return OURO_FAULT;
        addr += (size_t)got;
        to += got;
        size -= (size_t)got;
    }
    return OURO_OK;
}

/* --- Notes. */

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* NT_FILE (fs/coredump.c, fill_files_note): count, unit, then start, end, offset in units of each, then their paths. */
static enum ouro_status take_files(struct ouro_core *core, const unsigned char *bytes, size_t size)
{
    if (size < 16)
        return OURO_OK;
    uint64_t count = word_at(bytes), unit = word_at(bytes + 8);
    if (count > (size - 16) / 25) /* three words and a NUL at least */
        return OURO_OK;
    const char *path = (const char *)bytes + 16 + count * 24, *end = (const char *)bytes + size;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *at = bytes + 16 + i * 24;
        const char *stop = memchr(path, 0, (size_t)(end - path));
        uint64_t start = word_at(at), behind = word_at(at + 8), offset;
        if (!stop)
            break;
        if (start < behind && behind <= ADDRESS_END && !((start | behind) & IN_PAGE) &&
            !__builtin_mul_overflow(word_at(at + 16), unit, &offset) && offset <= INT64_MAX && *path) {
            struct ouro_core_mapping *mapping = OURO_VEC_ADD(&core->mappings);
            if (!mapping)
                return OURO_NOMEM;
            *mapping = (struct ouro_core_mapping){.start = start, .end = behind, .offset = offset, .path = path};
        }
        path = stop + 1;
    }
    return OURO_OK;
}

static enum ouro_status take_thread(struct ouro_core *core, const unsigned char *bytes, size_t size)
{
    struct elf_prstatus status;
    if (size != sizeof status)
        return OURO_OK;
    memcpy(&status, bytes, sizeof status);
    struct ouro_thread_state *thread = OURO_VEC_ADD(&core->threads);
    if (!thread)
        return OURO_NOMEM;
    struct user_regs_struct registers;
    _Static_assert(sizeof registers == sizeof status.pr_reg, "pr_reg is a struct user_regs_struct");
    memcpy(&registers, status.pr_reg, sizeof registers);
    thread->tid = status.pr_pid;
    ouro_registers_tell(&registers, thread);
    return OURO_OK;
}

static void take_process(struct ouro_core *core, const unsigned char *bytes, size_t size)
{
    struct elf_prpsinfo info;
    if (size != sizeof info)
        return;
    memcpy(&info, bytes, sizeof info);
    core->pid = info.pr_pid;
    snprintf(core->name, sizeof core->name, "%.*s", (int)sizeof info.pr_fname, info.pr_fname);
    size_t length = strnlen(info.pr_psargs, sizeof info.pr_psargs);
    while (length && info.pr_psargs[length - 1] == ' ')
        length--;
    free(core->command);
    core->command = strndup(info.pr_psargs, length);
    core->command_bytes = core->command ? length : 0;
}

static enum ouro_status take_auxv(struct ouro_core *core, const unsigned char *bytes, size_t size, const char *path,
                                  struct ouro_err *err)
{
    core->vector = bytes;
    core->vector_bytes = size;
    for (size_t at = 0; size - at >= 16 && word_at(bytes + at) != AT_NULL; at += 16) {
        uint64_t value = word_at(bytes + at + 8);
        switch (word_at(bytes + at)) {
        case AT_ENTRY:
            core->entry = value;
            break;
        case AT_PHDR:
            core->headers = value;
            break;
        case AT_SYSINFO_EHDR:
            core->vdso = value;
            break;
        case AT_PAGESZ:
            if (value != OURO_PAGE_BYTES)
                return ouro_err_set(err, OURO_UNSUPPORTED,
                                    "%s: a core with pages of %" PRIu64 " bytes; ouro reads "
                                    "those with %zu",
                                    path, value, OURO_PAGE_BYTES);
            break;
        default:
            break;
        }
    }
    return OURO_OK;
}

static enum ouro_status take_notes(struct ouro_core *core, Elf_Data *data, const char *path, struct ouro_err *err)
{
    GElf_Nhdr note;
    size_t offset = 0, next, name, bytes;
    while (offset < data->d_size && (next = gelf_getnote(data, offset, &note, &name, &bytes)) > offset) {
        const char *owner = (const char *)data->d_buf + name;
        const unsigned char *at = (const unsigned char *)data->d_buf + bytes;
        enum ouro_status status = OURO_OK;
        offset = next;
        if (note.n_namesz < 4 || memcmp(owner, "CORE", 4) != 0)
            continue;
        if (note.n_type == NT_FILE)
            status = take_files(core, at, note.n_descsz);
        else if (note.n_type == NT_PRSTATUS)
            status = take_thread(core, at, note.n_descsz);
        else if (note.n_type == NT_PRPSINFO)
            take_process(core, at, note.n_descsz);
        else if (note.n_type == NT_AUXV)
            OURO_TRY(take_auxv(core, at, note.n_descsz, path, err));
        if (status != OURO_OK)
            return ouro_err_set(err, status, "no memory for the notes of %s", path);
    }
    return OURO_OK;
}

static enum ouro_status read_notes(struct ouro_core *core, const char *path, struct ouro_err *err)
{
    size_t count = 0;
    uint64_t room = NOTES_MAX < core->size_bytes ? NOTES_MAX : core->size_bytes;
    elf_getphdrnum(core->elf, &count);
    for (size_t i = 0; i < count && i <= INT_MAX; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(core->elf, (int)i, &header) || header.p_type != PT_NOTE || !header.p_filesz)
            continue;
        uint64_t left = header.p_offset < core->size_bytes ? core->size_bytes - header.p_offset : 0;
        uint64_t size = header.p_filesz < left ? header.p_filesz : left;
        core->notes_cut = core->notes_cut || size < header.p_filesz;
        if (!size || size > room)
            continue;
        room -= size;
        Elf_Data *data = elf_getdata_rawchunk(core->elf, (int64_t)header.p_offset, (size_t)size, ELF_T_NHDR);
        if (!data || !data->d_buf)
            return ouro_err_set(err, OURO_BADDATA, "%s: the notes of this core can't be read", path);
        OURO_TRY(take_notes(core, data, path, err));
    }
    /* The kernel's name is the main thread's; the others' are not in a core. */
    for (size_t i = 0; i < core->threads.count; i++)
        if (core->threads.items[i].tid == core->pid)
            snprintf(core->threads.items[i].comm, sizeof core->threads.items[i].comm, "%s", core->name);
    return OURO_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct ouro_core_mapping *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

static void part_mappings(struct ouro_core_mappings *mappings)
{
    size_t kept = 0;
    ouro_addr last = 0;
    if (mappings->count)
        qsort(mappings->items, mappings->count, sizeof *mappings->items, by_place);
    for (size_t i = 0; i < mappings->count; i++) {
        struct ouro_core_mapping mapping = mappings->items[i];
        if (mapping.end <= last)
            continue;
        if (mapping.start < last) {
            mapping.offset += last - mapping.start;
            mapping.start = last;
        }
        last = mapping.end;
        mappings->items[kept++] = mapping;
    }
    mappings->count = kept;
}

static bool is_of_file(const struct ouro_core *core, ouro_addr start)
{
    size_t low = 0, high = core->mappings.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (core->mappings.items[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < core->mappings.count && core->mappings.items[low].start <= start;
}

/* Whoever chose what the core is to hold (coredump_filter) chose it for all anonymous memory. */
static bool holds_anonymous(const struct ouro_core *core)
{
    for (size_t i = 0; i < core->segments.count; i++) {
        const struct ouro_core_segment *segment = &core->segments.items[i];
        if (segment->writable && segment->told_bytes && !is_of_file(core, segment->start))
            return true;
    }
    return false;
}

static enum ouro_status open_file(struct ouro_core *core, const char *path, struct ouro_err *err)
{
    struct stat status;
    core->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (core->fd < 0 && errno == ENOENT)
        return ouro_err_set(err, OURO_GONE, "there is no core file %s", path);
    if (core->fd < 0 || fstat(core->fd, &status))
        return ouro_err_sys(err, errno, "can't open the core %s", path);
    if (!S_ISREG(status.st_mode))
        return ouro_err_set(err, OURO_INVAL, "%s is not a regular file: a core is mapped, so it must be one", path);
    core->size_bytes = (uint64_t)status.st_size;
    elf_version(EV_CURRENT);
    core->elf = elf_begin(core->fd, ELF_C_READ, NULL);
    return check_header(core, path, err);
}

static enum ouro_status open_core(struct ouro_core *core, const char *path, const struct ouro_core_options *options,
                                  struct ouro_err *err)
{
    OURO_TRY(open_file(core, path, err));
    OURO_TRY(read_segments(core, path, err));
    OURO_TRY(read_notes(core, path, err));
    part_mappings(&core->mappings);
    core->holds_anonymous = holds_anonymous(core);
    core->space = (struct ouro_space){.read = read_held, .context = core};
    ouro_core_read_command(core);
    return ouro_core_files_find(core, options, err);
}

enum ouro_status ouro_core_open(struct ouro_core **out, const char *path, const struct ouro_core_options *options,
                                struct ouro_err *err)
{
    struct ouro_core *core = calloc(1, sizeof *core);
    *out = NULL;
    if (!core)
        return ouro_err_set(err, OURO_NOMEM, "no memory");
    core->fd = -1;
    enum ouro_status status = open_core(core, path, options, err);
    if (status != OURO_OK) {
        ouro_core_close(core);
        return status;
    }
    *out = core;
    return OURO_OK;
}

void ouro_core_close(struct ouro_core *core)
{
    if (!core)
        return;
    for (size_t i = 0; i < core->files.count; i++)
        if (core->files.items[i].fd >= 0)
            close(core->files.items[i].fd);
    free(core->files.items);
    free(core->mappings.items);
    free(core->segments.items);
    free(core->threads.items);
    free(core->command);
    elf_end(core->elf);
    if (core->fd >= 0)
        close(core->fd);
    free(core);
}

/* --- Mappings. */

/* Where the file's beginning lies that belongs to this mapping of it. */
static ouro_addr beginning_of(const struct ouro_core *core, const struct ouro_core_mapping *mapping)
{
    const struct ouro_core_mapping *first = core->mappings.items, *at = mapping;
    while (at > first && mapping - at < BEGINNING_MAX && (at->file != mapping->file || at->offset))
        at--;
    return at->file == mapping->file && !at->offset ? at->start : 0;
}

/* How a page of a file is mapped, where the core does not tell: as the file's segments say. Between them nothing is. */
static void take_rights(const struct ouro_core *core, const struct ouro_core_mapping *of_file,
                        struct ouro_mapping *mapping)
{
    int fd = core->files.items[of_file->file].fd;
    ouro_addr beginning = beginning_of(core, of_file), bias = 0;
    bool biased = false;
    size_t count;
    Elf *elf = fd < 0 || !beginning ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    if (!elf || elf_getphdrnum(elf, &count) || count > INT_MAX)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD)
            continue;
        uint64_t in_page = header.p_vaddr & IN_PAGE, first = header.p_vaddr - in_page;
        if (!biased)
            bias = beginning - (first - (header.p_offset & ~IN_PAGE));
        biased = true;
        uint64_t at = mapping->start - bias - first; /* in this segment */
        if (at >= page_up(header.p_filesz + in_page) || mapping->offset != (header.p_offset & ~IN_PAGE) + at)
            continue;
        mapping->readable = header.p_flags & PF_R;
        mapping->writable = header.p_flags & PF_W;
        mapping->executable = header.p_flags & PF_X;
    }
    elf_end(elf);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* As in maps.c; that a mapping is shared only the path tells, of those files that are memory and nothing else. */
static void take_kind(struct ouro_mapping *mapping)
{
    const char *path = mapping->path;
    mapping->shared = strcmp(path, "/dev/zero (deleted)") == 0 || begins_with(path, "/SYSV") ||
                      begins_with(path, "/memfd:") || begins_with(path, "/dev/shm/");
    if (strcmp(path, "/dev/zero") == 0 || begins_with(path, "/anon_hugepage"))
        mapping->inode = 0;
    mapping->device = begins_with(path, "/dev/") && !begins_with(path, "/dev/zero") && !begins_with(path, "/dev/shm/");
}

static enum ouro_status add_mapping(const struct ouro_core *core, struct ouro_maps *maps, ouro_addr start,
                                    ouro_addr end, const struct ouro_core_segment *segment,
                                    const struct ouro_core_mapping *of_file)
{
    struct ouro_mapping *mapping = OURO_VEC_ADD(maps);
    if (!mapping)
        return OURO_NOMEM;
    mapping->start = start;
    mapping->end = end;
    mapping->path = of_file ? of_file->path : core->vdso && start <= core->vdso && core->vdso < end ? "[vdso]" : "";
    if (of_file) {
        mapping->inode = of_file->file + 1;
        mapping->offset = of_file->offset + (start - of_file->start);
        take_kind(mapping);
    }
    if (segment) {
        mapping->readable = segment->readable;
        mapping->writable = segment->writable;
        mapping->executable = segment->executable;
    } else if (of_file) {
        take_rights(core, of_file, mapping);
    }
    return OURO_OK;
}

enum ouro_status ouro_core_maps(const struct ouro_core *core, struct ouro_maps *maps, struct ouro_err *err)
{
    size_t segments_left = core->segments.count, mappings_left = core->mappings.count;
    const struct ouro_core_segment *segment = core->segments.items;
    const struct ouro_core_mapping *mapping = core->mappings.items;
    memset(maps, 0, sizeof *maps);
    for (ouro_addr addr = 0; segments_left || mappings_left;) {
        ouro_addr segment_start = segments_left ? segment->start > addr ? segment->start : addr : UINT64_MAX;
        ouro_addr mapping_start = mappings_left ? mapping->start > addr ? mapping->start : addr : UINT64_MAX;
        ouro_addr start = segment_start < mapping_start ? segment_start : mapping_start;
        bool in_segment = segment_start == start, in_mapping = mapping_start == start;
        ouro_addr end = in_segment ? segment->end : segment_start, other = in_mapping ? mapping->end : mapping_start;
        end = other < end ? other : end;
        if (add_mapping(core, maps, start, end, in_segment ? segment : NULL, in_mapping ? mapping : NULL) != OURO_OK) {
            ouro_maps_fini(maps);
            return ouro_err_set(err, OURO_NOMEM, "no memory for the list of mappings");
        }
        addr = end;
        if (in_segment && segment->end == end) {
            segment++;
            segments_left--;
        }
        if (in_mapping && mapping->end == end) {
            mapping++;
            mappings_left--;
        }
    }
    return OURO_OK;
}

int ouro_core_file(const struct ouro_core *core, const struct ouro_mapping *mapping)
{
    return mapping->inode && mapping->inode <= core->files.count ? core->files.items[mapping->inode - 1].fd : -1;
}

/* --- What is not there, in words. */

static void add_size(struct ouro_buf *text, uint64_t bytes)
{
    if (bytes < 1u << 20)
        ouro_buf_addf(text, "%.1f KiB", (double)bytes / 1024);
    else
        ouro_buf_addf(text, "%.1f MiB", (double)bytes / (1 << 20));
}

static const struct ouro_core_mapping *find_mapping(const struct ouro_core *core, ouro_addr addr)
{
    for (size_t i = 0; i < core->mappings.count; i++)
        if (core->mappings.items[i].start <= addr && addr < core->mappings.items[i].end)
            return &core->mappings.items[i];
    return NULL;
}

static void add_segment_name(const struct ouro_core *core, const struct ouro_core_segment *segment,
                             struct ouro_buf *text)
{
    const struct ouro_core_mapping *mapping = find_mapping(core, segment->start);
    ouro_buf_addf(text, "0x%" PRIx64 "-0x%" PRIx64, segment->start, segment->end);
    if (mapping)
        ouro_buf_addf(text, " (%s)", mapping->path);
}

bool ouro_core_holds(const struct ouro_core *core, const struct ouro_image *image, ouro_addr addr, uint64_t size,
                     struct ouro_buf *why)
{
    ouro_addr end = addr + size < addr ? UINT64_MAX : addr + size;
    for (; addr < end && ouro_image_page(image, addr) != UINT32_MAX; addr += OURO_PAGE_BYTES - (addr & IN_PAGE))
        continue;
    if (addr >= end || !why)
        return addr >= end;
    const struct ouro_core_segment *segment = find_segment(core, addr);
    if (!segment) {
        ouro_buf_addf(why, "the core has no segment with address 0x%" PRIx64, addr);
        return false;
    }
    ouro_buf_add_text(why, "segment ");
    add_segment_name(core, segment, why);
    if (addr - segment->start < segment->told_bytes)
        ouro_buf_addf(why, " of the core is cut off at 0x%" PRIx64, segment->start + segment->held_bytes);
    else
        ouro_buf_add_text(why, " was left out of the core (coredump_filter)");
    return false;
}

static void add_cut(const struct ouro_core *core, struct ouro_buf *lines)
{
    if (!core->cut_count)
        return;
    ouro_buf_addf(lines, "the core is cut off: of %zu of its %zu segments ", core->cut_count, core->segments.count);
    add_size(lines, core->cut_bytes);
    ouro_buf_add_text(lines, " are missing: ");
    size_t named = 0;
    for (size_t i = 0; i < core->segments.count && named < 3; i++) {
        const struct ouro_core_segment *segment = &core->segments.items[i];
        if (segment->told_bytes == segment->held_bytes)
            continue;
        ouro_buf_add_text(lines, named++ ? ", " : "");
        add_segment_name(core, segment, lines);
    }
    ouro_buf_add_text(lines, core->cut_count > named ? ", ..." : "");
    ouro_buf_add_byte(lines, 0);
}

static void add_unverified(const struct ouro_core *core, size_t count, struct ouro_buf *lines)
{
    if (!count)
        return;
    ouro_buf_addf(lines,
                  "%zu %s not used: the core does not hold the first page, so that nothing can be compared: ", count,
                  count == 1 ? "file was" : "files were");
    size_t named = 0;
    for (size_t i = 0; i < core->files.count && named < 3; i++)
        if (core->files.items[i].use == OURO_CORE_UNVERIFIED)
            ouro_buf_addf(lines, "%s%s", named++ ? ", " : "", core->files.items[i].path);
    ouro_buf_add_text(lines, count > named ? ", ..." : "");
    ouro_buf_add_byte(lines, 0);
}

void ouro_core_add_lacks(const struct ouro_core *core, struct ouro_buf *lines)
{
    size_t unused = 0, unverified = 0;
    add_cut(core, lines);
    if (core->notes_cut) {
        ouro_buf_add_text(lines, "notes on the process are cut off: its threads or files are not all known");
        ouro_buf_add_byte(lines, 0);
    }
    if (!core->holds_anonymous) {
        ouro_buf_add_text(lines, "memory that the process wrote to was left out of the core (coredump_filter)");
        ouro_buf_add_byte(lines, 0);
    }
    for (size_t i = 0; i < core->files.count; i++) {
        const struct ouro_core_file *file = &core->files.items[i];
        if (file->use == OURO_CORE_USED || file->use == OURO_CORE_NO_ELF)
            continue;
        unverified += file->use == OURO_CORE_UNVERIFIED;
        if (file->use == OURO_CORE_UNVERIFIED || unused++ >= LACKS_MAX - 5)
            continue;
        ouro_buf_addf(lines, "%s was not used: ", file->path);
        if (file->use == OURO_CORE_ABSENT)
            ouro_buf_add_text(lines, "there is no such file here");
        else if (file->build_id[0])
            ouro_buf_addf(lines, "its build id is %s, the process had %s", file->found_id[0] ? file->found_id : "none",
                          file->build_id);
        else
            ouro_buf_add_text(lines, "it is another than the process had");
        ouro_buf_add_byte(lines, 0);
    }
    if (unused > LACKS_MAX - 5) {
        ouro_buf_addf(lines, "%zu more files were not used", unused - (LACKS_MAX - 5));
        ouro_buf_add_byte(lines, 0);
    }
    add_unverified(core, unverified, lines);
}
