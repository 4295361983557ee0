/* The file of a module, opened with libelf. Only for module.c, links.c and resolve.c.
 *
 * libelf reads sections and caches them when they are asked for, and not safely in two threads: whoever calls it for a
 * file holds that file's mutex. What it has returned (names, data) stays where it is until the file is closed. */
#ifndef OURO_TARGET_ELF_FILE_H
#define OURO_TARGET_ELF_FILE_H

#include <libelf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ouro_elf {
    int fd;
    uint64_t size_bytes; /* of the file */
    Elf *elf;
    pthread_mutex_t mutex; /* of libelf's state and of what follows; nobody holds two of them */
    bool indexed;
    struct ouro_elf_symbol {
        const char *name; /* borrowed from libelf */
        uint64_t value, size;
    } * symbols;              /* owned: open addressing by name */
    size_t slot_count;        /* a power of two */
    struct ouro_links *links; /* owned; NULL until somebody asks */
};

static inline struct ouro_elf *ouro_elf_lock(struct ouro_elf *elf)
{
    pthread_mutex_lock(&elf->mutex);
    return elf;
}

static inline void ouro_elf_unlock(struct ouro_elf **elf)
{
    pthread_mutex_unlock(&(*elf)->mutex);
}

#define OURO_ELF_LOCKED __attribute__((cleanup(ouro_elf_unlock))) /* what ouro_elf_lock returned */

static inline size_t ouro_elf_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

#endif
