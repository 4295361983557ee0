/* The files behind a target's mappings, opened while it runs. */
#ifndef OURO_TARGET_IMAGE_FILES_H
#define OURO_TARGET_IMAGE_FILES_H

#include "target/maps.h"

struct ouro_image_files {
    pid_t pid;
    struct ouro_image_file {
        uint64_t inode;
        uint32_t dev_major, dev_minor;
        int fd; /* -1: could not be opened */
    } * items;  /* owned */
    size_t count, capacity;
    bool borrowed; /* the descriptors are another's, and there is no process to be asked instead */
};

/* Opens the file that a mapping of process `pid` shows, or -1: by /proc/PID/map_files (what is really mapped, also
 * when deleted or replaced; needs privileges), else by its path below /proc/PID/root, else /proc/PID/exe. Its inode is
 * that of the mapping, and so is its device or, where it begins with an ELF header, what the memory begins with. */
int ouro_image_file_open(pid_t pid, const struct ouro_mapping *mapping);

/* One file descriptor for each file that a private mapping shows. */
void ouro_image_files_open(struct ouro_image_files *files, pid_t pid, const struct ouro_maps *maps);
/* The descriptor of the mapping's file, or -1. Borrowed. */
int ouro_image_files_find(const struct ouro_image_files *files, const struct ouro_mapping *mapping);
void ouro_image_files_close(struct ouro_image_files *files);

#endif
