/* Which files of this machine are those that the process of a core had mapped. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "target/core.h"

#define FILES_MAX   768u /* of 1024 descriptors that a process usually may have */
#define HEADERS_MAX 256u /* program headers; files that run have some twenty */
#define NOTES_MAX   4096u
#define ID_MAX      32u

/* The beginning of a file, on disk or as the core holds it. */
struct beginning {
    int fd; /* -1: of the core */
    const struct ouro_core *core;
    ouro_addr start; /* where the file's first byte lies in memory ... */
    uint64_t size;   /* ... and how much of the file follows in that mapping */
};

struct identity {
    bool there, elf;
    unsigned char id[ID_MAX];
    size_t id_bytes; /* 0: it has none */
    unsigned char page[OURO_PAGE_BYTES];
};

static bool read_beginning(const struct beginning *beginning, uint64_t offset, void *out, size_t size)
{
    if (beginning->fd >= 0)
        return offset <= INT64_MAX - size && pread(beginning->fd, out, size, (off_t)offset) == (ssize_t)size;
    return offset <= beginning->size && size <= beginning->size - offset &&
           ouro_space_read(&beginning->core->space, beginning->start + offset, out, size) == OURO_OK;
}

/* Notes are: three words (sizes of name and description, type), name, description, each filled up to 4 bytes. */
static void find_id(const unsigned char *notes, size_t size, struct identity *identity)
{
    for (size_t at = 0; size - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        at += sizeof note;
        uint64_t name = ((uint64_t)note.n_namesz + 3) & ~UINT64_C(3),
                 bytes = ((uint64_t)note.n_descsz + 3) & ~UINT64_C(3);
        if (name > size - at || bytes > size - at - name)
            return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + at, "GNU", 4) == 0 &&
            note.n_descsz && note.n_descsz <= ID_MAX) {
            memcpy(identity->id, notes + at + name, note.n_descsz);
            identity->id_bytes = note.n_descsz;
            return;
        }
        at += name + bytes;
    }
}

static void read_identity(const struct beginning *beginning, struct identity *identity)
{
    Elf64_Ehdr header;
    memset(identity, 0, sizeof *identity);
    identity->there = read_beginning(beginning, 0, identity->page, sizeof identity->page);
    if (!identity->there && !(beginning->fd >= 0 && read_beginning(beginning, 0, identity->page, sizeof header)))
        return; /* a file on disk may be smaller than a page */
    identity->there = true;
    memcpy(&header, identity->page, sizeof header);
    identity->elf = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64;
    if (!identity->elf || header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > HEADERS_MAX)
        return;
    for (unsigned i = 0; i < header.e_phnum && !identity->id_bytes; i++) {
        Elf64_Phdr segment;
        unsigned char notes[NOTES_MAX];
        if (header.e_phoff > INT64_MAX / 2 ||
            !read_beginning(beginning, header.e_phoff + i * sizeof segment, &segment, sizeof segment))
            return;
        if (segment.p_type == PT_NOTE && segment.p_filesz <= sizeof notes &&
            read_beginning(beginning, segment.p_offset, notes, (size_t)segment.p_filesz))
            find_id(notes, (size_t)segment.p_filesz, identity);
    }
}

static void write_id(const struct identity *identity, char out[2 * ID_MAX + 1])
{
    out[0] = 0;
    for (size_t i = 0; i < identity->id_bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", identity->id[i]);
}

/* By the build id or, where the core has none, by the first page. A core often holds just that page, and the notes of
 * some files lie behind it (patchelf moves them): then only the file's own id is known. */
static bool is_same(const struct identity *wanted, const struct identity *file)
{
    if (wanted->id_bytes)
        return wanted->id_bytes == file->id_bytes && memcmp(wanted->id, file->id, wanted->id_bytes) == 0;
    return memcmp(wanted->page, file->page, sizeof wanted->page) == 0;
}

/* What lies at a path that a core names may be anything, also a device: it is looked at before it is opened. */
static int open_regular(const char *path)
{
    struct stat status;
    char self[64];
    OURO_CLOSE int there = open(path, O_PATH | O_CLOEXEC);
    if (there < 0 || fstat(there, &status) || !S_ISREG(status.st_mode))
        return -1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", there);
    return open(self, O_RDONLY | O_CLOEXEC);
}

/* Takes the file at path if it is the one. */
static void try_path(struct ouro_core_file *file, const struct identity *wanted, const char *path, bool trusted)
{
    struct identity identity;
    struct stat status;
    int fd = file->use == OURO_CORE_USED ? -1 : open_regular(path);
    if (fd < 0)
        return;
    read_identity(&(struct beginning){.fd = fd}, &identity);
    bool same = wanted->there ? identity.elf && is_same(wanted, &identity) : identity.elf && trusted;
    if (same && fstat(fd, &status) == 0) {
        file->use = OURO_CORE_USED;
        file->fd = fd;
        file->size_bytes = (uint64_t)status.st_size;
        return;
    }
    close(fd);
    if (file->use == OURO_CORE_ABSENT && identity.elf) {
        file->use = wanted->there ? OURO_CORE_DIFFERS : OURO_CORE_UNVERIFIED;
        write_id(&identity, file->found_id);
    }
}

static void try_join(struct ouro_core_file *file, const struct identity *wanted, const char *folder,
                     size_t folder_bytes, const char *between, const char *name)
{
    char path[8192];
    int size = snprintf(path, sizeof path, "%.*s%s%s", (int)folder_bytes, folder, between, name);
    if (size > 0 && (size_t)size < sizeof path)
        try_path(file, wanted, path, false);
}

static size_t folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static void find_one(struct ouro_core_file *file, const struct identity *wanted,
                     const struct ouro_core_options *options, bool is_program)
{
    static const char deleted[] = " (deleted)";
    char path[4096];
    size_t size = strlen(file->path);
    if (size > sizeof deleted - 1 && strcmp(file->path + size - (sizeof deleted - 1), deleted) == 0)
        size -= sizeof deleted - 1;
    if (size >= sizeof path)
        return;
    snprintf(path, sizeof path, "%.*s", (int)size, file->path);
    if (options && options->sysroot)
        try_join(file, wanted, options->sysroot, strlen(options->sysroot), *path == '/' ? "" : "/", path);
    try_path(file, wanted, path, false);
    if (!options || !options->executable)
        return;
    /* The program itself, under whatever name; and what was moved along with it. */
    const char *given = options->executable, *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *folder = strchr(given, '/') ? given : "./";
    try_path(file, wanted, given, is_program);
    try_join(file, wanted, folder, folder_of(folder), "/", name);
    try_join(file, wanted, folder, folder_of(folder), "/../lib/", name);
}

static int by_path(const void *a, const void *b)
{
    const struct ouro_core_mapping *const *left = a, *const *right = b;
    return strcmp((*left)->path, (*right)->path);
}

/* Numbers the files by their paths. */
static enum ouro_status list_files(struct ouro_core *core)
{
    OURO_FREE struct ouro_core_mapping **sorted = malloc((core->mappings.count + 1) * sizeof *sorted);
    if (!sorted)
        return OURO_NOMEM;
    for (size_t i = 0; i < core->mappings.count; i++)
        sorted[i] = &core->mappings.items[i];
    qsort(sorted, core->mappings.count, sizeof *sorted, by_path);
    for (size_t i = 0; i < core->mappings.count; i++) {
        if (!i || strcmp(sorted[i]->path, sorted[i - 1]->path) != 0) {
            struct ouro_core_file *file = OURO_VEC_ADD(&core->files);
            if (!file)
                return OURO_NOMEM;
            *file = (struct ouro_core_file){.path = sorted[i]->path, .fd = -1, .use = OURO_CORE_ABSENT};
        }
        sorted[i]->file = core->files.count - 1;
    }
    return OURO_OK;
}

/* What the core says of each file: its first page, where it holds it; whether the program was started from it; whether
 * any of it is code. */
struct known {
    ouro_addr start;
    uint64_t size; /* 0: its beginning is not mapped */
    bool is_program, is_code, is_held;
};

static void learn(const struct ouro_core *core, struct known *known)
{
    const struct ouro_core_segments *segments = &core->segments;
    for (size_t i = 0, k = 0; i < core->mappings.count; i++) {
        const struct ouro_core_mapping *mapping = &core->mappings.items[i];
        struct known *of = &known[mapping->file];
        unsigned char byte;
        while (k < segments->count && segments->items[k].end <= mapping->start)
            k++;
        if (k < segments->count && segments->items[k].start <= mapping->start && segments->items[k].executable)
            of->is_code = true;
        of->is_program = of->is_program || (mapping->start <= core->entry && core->entry < mapping->end);
        if (mapping->offset || of->is_held)
            continue;
        of->start = mapping->start;
        of->size = mapping->end - mapping->start;
        of->is_held = ouro_space_read(&core->space, mapping->start, &byte, 1) == OURO_OK;
    }
}

enum ouro_status ouro_core_files_find(struct ouro_core *core, const struct ouro_core_options *options,
                                      struct ouro_err *err)
{
    struct identity wanted;
    size_t used = 0;
    enum ouro_status status = list_files(core);
    OURO_FREE struct known *known = calloc(core->files.count + 1, sizeof *known);
    if (status != OURO_OK || !known)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of files");
    learn(core, known);
    for (size_t i = 0; i < core->files.count; i++) {
        struct ouro_core_file *file = &core->files.items[i];
        read_identity(&(struct beginning){-1, core, known[i].start, known[i].size}, &wanted);
        write_id(&wanted, file->build_id);
        if (wanted.there && !wanted.elf)
            file->use = OURO_CORE_NO_ELF;
        else if (used < FILES_MAX)
            find_one(file, &wanted, options, known[i].is_program);
        used += file->use == OURO_CORE_USED;
        /* Locales and the like: what is on disk is no ELF file, or there is nothing, and the core held no header. */
        if (file->use == OURO_CORE_ABSENT && !wanted.there && !known[i].is_code)
            file->use = OURO_CORE_NO_ELF;
    }
    return OURO_OK;
}
