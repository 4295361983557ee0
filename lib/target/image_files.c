#include "target/image_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"

#define FILES_MAX \
    768u /* of 1024 descriptors that a process usually may have; more mappings than that are read from the target */

/* The inode tells; the device number does not on overlay and btrfs, where maps and stat differ. What lies at the path
 * may be anything by now, also a device: it is looked at before it is opened. */
static int open_checked(const char *path, const struct ouro_mapping *mapping)
{
    struct stat stat_buf;
    char self[64];
    OURO_CLOSE int there = open(path, O_PATH | O_CLOEXEC);
    if (there < 0 || fstat(there, &stat_buf) || !S_ISREG(stat_buf.st_mode) || stat_buf.st_ino != mapping->inode)
        return -1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", there);
    return open(self, O_RDONLY | O_CLOEXEC);
}

int ouro_image_file_open(pid_t pid, const struct ouro_mapping *mapping)
{
    char path[4096 + 64];
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, mapping->start, mapping->end);
    int fd = open_checked(path, mapping);
    if (fd < 0 && mapping->path[0] == '/' && strlen(mapping->path) < 4096) {
        snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, mapping->path);
        fd = open_checked(path, mapping);
    }
    if (fd < 0) {
        snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
        fd = open_checked(path, mapping);
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
