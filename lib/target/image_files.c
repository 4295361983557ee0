#include "target/image_files.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"

#define FILES_MAX \
    768u /* of 1024 descriptors that a process usually may have; more mappings than that are read from the target */

#define HEAD_BYTES 4096u

/* The ranges of an ELF file's first page that tell it from others: header, program headers, notes (the build id). */
static bool same_head(const unsigned char *a, const unsigned char *b, size_t size)
{
    Elf64_Ehdr header;
    if (size < sizeof header || memcmp(a, b, sizeof header) != 0)
        return false;
    memcpy(&header, a, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > size ||
        header.e_phnum > (size - header.e_phoff) / sizeof(Elf64_Phdr))
        return true; /* no more can be told */
    if (memcmp(a + header.e_phoff, b + header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)) != 0)
        return false;
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, a + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_NOTE && segment.p_offset <= size && segment.p_filesz <= size - segment.p_offset &&
            memcmp(a + segment.p_offset, b + segment.p_offset, segment.p_filesz) != 0)
            return false;
    }
    return true;
}

/* Whether the process has at the mapping what an ELF file begins with: another build may lie at the path in a file with
 * the same inode number, on another file system. */
static bool is_mapped(pid_t pid, const struct ouro_mapping *mapping, int fd)
{
    unsigned char file[HEAD_BYTES], memory[HEAD_BYTES];
    if (mapping->offset || !mapping->readable || mapping->writable)
        return true;
    ssize_t size = pread(fd, file, sizeof file, 0);
    if (size < SELFMAG || memcmp(file, ELFMAG, SELFMAG) != 0)
        return true;
    struct iovec local = {memory, (size_t)size}, remote = {(void *)(uintptr_t)mapping->start, (size_t)size};
    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != size)
        return true;
    return same_head(file, memory, (size_t)size);
}

/* Inode and device tell; the latter does not on overlay and btrfs, where maps and stat differ: there the memory has to
 * agree (a look at it may bring a page of the file in). What lies at the path may be anything by now, also a device: it
 * is looked at before it is opened. */
static int open_checked(pid_t pid, const char *path, const struct ouro_mapping *mapping)
{
    struct stat stat_buf;
    char self[64];
    OURO_CLOSE int there = open(path, O_PATH | O_CLOEXEC);
    if (there < 0 || fstat(there, &stat_buf) || !S_ISREG(stat_buf.st_mode) || stat_buf.st_ino != mapping->inode)
        return -1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", there);
    int fd = open(self, O_RDONLY | O_CLOEXEC);
    bool same_device = major(stat_buf.st_dev) == mapping->dev_major && minor(stat_buf.st_dev) == mapping->dev_minor;
    if (fd < 0 || same_device || is_mapped(pid, mapping, fd))
        return fd;
    close(fd);
    return -1;
}

/* Paths of maps begin at the root of the mount namespace; the process may have another (chroot). */
static int open_below_root(pid_t pid, const struct ouro_mapping *mapping)
{
    char path[4096 + 64], link[64], root[4096];
    if (mapping->path[0] != '/' || strlen(mapping->path) >= 4096)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, mapping->path);
    int fd = open_checked(pid, path, mapping);
    snprintf(link, sizeof link, "/proc/%d/root", (int)pid);
    ssize_t size = fd < 0 ? readlink(link, root, sizeof root - 1) : 0;
    if (size <= 1)
        return fd;
    root[size] = 0;
    if (strncmp(mapping->path, root, (size_t)size) != 0 || mapping->path[size] != '/')
        return -1;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, mapping->path + size);
    return open_checked(pid, path, mapping);
}

int ouro_image_file_open(pid_t pid, const struct ouro_mapping *mapping)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, mapping->start, mapping->end);
    int fd = open_checked(pid, path, mapping);
    if (fd < 0)
        fd = open_below_root(pid, mapping);
    if (fd < 0) {
        snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
        fd = open_checked(pid, path, mapping);
    }
    return fd;
}

static const struct ouro_image_file *find(const struct ouro_image_files *files, const struct ouro_mapping *mapping)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct ouro_image_file *file = &files->items[i];
        if (file->inode == mapping->inode && file->dev_major == mapping->dev_major &&
            file->dev_minor == mapping->dev_minor)
            return file;
    }
    return NULL;
}

void ouro_image_files_open(struct ouro_image_files *files, pid_t pid, const struct ouro_maps *maps)
{
    files->pid = pid;
    for (size_t i = 0; i < maps->count && files->count < FILES_MAX; i++) {
        const struct ouro_mapping *mapping = &maps->items[i];
        if (!mapping->inode || mapping->shared || !mapping->readable || mapping->device || find(files, mapping))
            continue;
        struct ouro_image_file *file = OURO_VEC_ADD(files);
        if (!file)
            return; /* the rest is read from the target */
        file->inode = mapping->inode;
        file->dev_major = mapping->dev_major;
        file->dev_minor = mapping->dev_minor;
        file->fd = ouro_image_file_open(pid, mapping);
    }
}

int ouro_image_files_find(const struct ouro_image_files *files, const struct ouro_mapping *mapping)
{
    const struct ouro_image_file *file = mapping->inode ? find(files, mapping) : NULL;
    return file ? file->fd : -1;
}

void ouro_image_files_close(struct ouro_image_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (!files->borrowed && files->items[i].fd >= 0)
            close(files->items[i].fd);
    free(files->items);
    memset(files, 0, sizeof *files);
}
