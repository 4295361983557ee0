/* The mappings of a process, as /proc/PID/maps (and, where flags matter, smaps) gives them. */
#ifndef OURO_TARGET_MAPS_H
#define OURO_TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

struct ouro_mapping {
    ouro_addr start, end; /* page-aligned, end exclusive */
    uint64_t offset;      /* in the file, bytes */
    uint64_t inode;       /* 0: anonymous */
    uint32_t dev_major, dev_minor;
    bool readable, writable, executable, shared;
    bool uffd;        /* registered with userfaultfd: never read (smaps VmFlags um, uw, ui) */
    bool unforked;    /* a forked child has no copy of it, or zeroes (VmFlags dc, wf) */
    bool device;      /* device or I/O memory: never read (VmFlags io, pf, or a /dev/ path that isn't zero or shm) */
    const char *path; /* borrowed from the maps; "" when anonymous, "[heap]", "[stack]", "/usr/lib/x.so (deleted)" */
};

struct ouro_maps {
    struct ouro_mapping *items; /* owned, by address */
    size_t count, capacity;
    char *text; /* owned; paths point into it */
};

/* with_flags reads smaps instead, which costs milliseconds for each GB of the target. */
enum ouro_status ouro_maps_read(struct ouro_maps *maps, pid_t pid, bool with_flags, struct ouro_err *err);
/* Parses text in the format of /proc/PID/maps or smaps; `text` is taken (malloc'ed, terminated). */
enum ouro_status ouro_maps_parse(struct ouro_maps *maps, char *text, struct ouro_err *err);
void ouro_maps_fini(struct ouro_maps *maps);
/* The mapping that holds addr, or NULL. O(log n). */
const struct ouro_mapping *ouro_maps_find(const struct ouro_maps *maps, ouro_addr addr);

#endif
