/* A core file: what the memory of a process held when it crashed, or when somebody wrote it down (gcore).
 *
 * A core has segments (PT_LOAD) of memory and notes on the process. What it does not hold (by default Linux leaves out
 * the pages of files that nobody has written to) comes from the files that NT_FILE names; a file is used only when it
 * is the one that the process had: by the build id, which mostly lies in the first page of a mapped ELF file, and that
 * page is in the core; where the core has no build id of a file, that whole page is compared. What is left out and can't
 * be had is missing, never zeroes.
 *
 * Nothing in it is believed: what lies outside of the file or of the address space is as if it were not there. Only the
 * file must not be cut while it is open: it is mapped. Knows nothing of Python. */
#ifndef OURO_TARGET_CORE_H
#define OURO_TARGET_CORE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"
#include "target/image.h"
#include "target/maps.h"
#include "target/process.h"
#include "target/space.h"

struct ouro_core_options {
    const char *executable; /* a file of the process, wherever it is now; NULL: none given */
    const char *sysroot;    /* the folder below which the process's files lie; NULL: none given */
};

/* Why a file of the process is used or not. */
enum ouro_core_use {
    OURO_CORE_USED,
    OURO_CORE_NO_ELF,     /* not a program or library: never asked for */
    OURO_CORE_ABSENT,     /* there is no such file here */
    OURO_CORE_DIFFERS,    /* there is one, with another build id or first page */
    OURO_CORE_UNVERIFIED, /* the core does not hold its first page, so nobody knows */
};

struct ouro_core {
    int fd;
    uint64_t size_bytes; /* of the core file */
    Elf *elf;            /* notes lie in it */
    struct ouro_core_segments {
        struct ouro_core_segment {
            ouro_addr start, end; /* page-aligned */
            uint64_t offset;      /* in the core */
            uint64_t held_bytes;  /* whole pages from the start on that are there ... */
            uint64_t told_bytes;  /* ... of as many that should be; what is behind them was left out on purpose */
            bool readable, writable, executable;
        } * items; /* owned; by address, without overlaps, below 2^47 */
        size_t count, capacity;
    } segments;
    struct ouro_core_mappings {
        struct ouro_core_mapping {
            ouro_addr start, end; /* page-aligned */
            uint64_t offset;      /* in its file, bytes */
            size_t file;          /* index of files */
            const char *path;     /* borrowed from elf */
        } * items;                /* owned; by address, without overlaps */
        size_t count, capacity;
    } mappings; /* NT_FILE */
    struct ouro_core_files {
        struct ouro_core_file {
            const char *path; /* borrowed from elf */
            enum ouro_core_use use;
            int fd;              /* owned; -1 unless used */
            uint64_t size_bytes; /* of the file that is used */
            char build_id[65];   /* hexadecimal, as the core has it; "": none to be seen */
            char found_id[65];   /* of the file that is here, if it differs */
        } * items;               /* owned; by path */
        size_t count, capacity;
    } files;
    struct ouro_core_threads {
        struct ouro_thread_state *items; /* owned; the one that crashed first, as in the notes */
        size_t count, capacity;
    } threads;
    pid_t pid;
    char name[17];
    char *command; /* owned; arguments, NUL between them; or their beginning, blanks between them */
    size_t command_bytes;
    const unsigned char *vector; /* borrowed from elf: the auxiliary vector, or NULL */
    size_t vector_bytes;
    ouro_addr entry, headers, vdso; /* of the auxiliary vector; 0: not known */
    bool notes_cut;                 /* some notes are not there */
    bool holds_anonymous;           /* the memory that was written to is not left out */
    size_t cut_count;               /* segments that are not there to their end ... */
    uint64_t cut_bytes;             /* ... by so much */
    struct ouro_space space;        /* reads what the core holds; context: this */
};

/* OURO_GONE: no such file. OURO_DENIED. OURO_INVAL: not a regular file. OURO_BADDATA: not a core, or one that makes no
 * sense. OURO_UNSUPPORTED: of another architecture. err says which. Files of the process that can't be used are no
 * error: `files` says so. */
enum ouro_status ouro_core_open(struct ouro_core **core, const char *path, const struct ouro_core_options *options,
                                struct ouro_err *err);
/* NULL allowed. */
void ouro_core_close(struct ouro_core *core);

/* The mappings of the process as far as segments and NT_FILE tell; what is mapped shared is not known but by the path.
 * In place of an inode stands 1 + the index of the file. Paths are borrowed from the core. */
enum ouro_status ouro_core_maps(const struct ouro_core *core, struct ouro_maps *maps, struct ouro_err *err);
/* The descriptor of the mapping's file, verified; -1: none. Borrowed. */
int ouro_core_file(const struct ouro_core *core, const struct ouro_mapping *mapping);
/* An image of what the core holds, mapped: no memory is taken but 12 bytes a page, and some pages where parts of the
 * file meet. The core must stay open as long. OURO_NOMEM; OURO_LIMIT: too many pages. */
enum ouro_status ouro_image_of_core(struct ouro_image *image, const struct ouro_core *core, struct ouro_err *err);

/* Whether the core, or a file in its place, has [addr, addr + size). If not, and why is not NULL, words on that: which
 * segment, and what is wrong with it. */
bool ouro_core_holds(const struct ouro_core *core, const struct ouro_image *image, ouro_addr addr, uint64_t size,
                     struct ouro_buf *why);
/* What the core lacks, a line each without newline, most important first, terminated by a NUL each; at most a dozen
 * lines. Nothing when it is whole and all its files were found. */
void ouro_core_add_lacks(const struct ouro_core *core, struct ouro_buf *lines);

/* For core.c: looks for each file of the process, and compares it. */
enum ouro_status ouro_core_files_find(struct ouro_core *core, const struct ouro_core_options *options,
                                      struct ouro_err *err);
/* For core.c: finds the arguments on the stack; without them what the notes say stays. */
void ouro_core_read_command(struct ouro_core *core);

#endif
