#include "emulate/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"

/* Kept from one call to the next, then brought again. A call can bring at least twice as many. */
#define FOREIGN_PAGES_MAX 8192u
#define FOREIGN_PAGES_FEW 1024u /* where memory is bounded: the image has a window */
#define STACK_PAGE (OURO_MACHINE_STACK >> OURO_PAGE_BITS)
#define STACK_PAGES (OURO_MACHINE_STACK_BYTES >> OURO_PAGE_BITS)
#define SCRATCH_PAGE (OURO_MACHINE_SCRATCH >> OURO_PAGE_BITS)
#define SCRATCH_PAGES (OURO_MACHINE_SCRATCH_BYTES >> OURO_PAGE_BITS)
#define ABSENT 1u

static void *map_pages(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

static size_t foreign_pages(const struct ouro_memory *memory)
{
    return memory->image->window ? FOREIGN_PAGES_FEW : FOREIGN_PAGES_MAX;
}

static void forget_slots(struct ouro_memory *memory)
{
    for (size_t i = 0; i < OURO_MEMORY_SLOTS; i++)
        memory->slots[i].page = UINT64_MAX;
}

enum ouro_status ouro_memory_init(struct ouro_memory *memory, const struct ouro_image *image)
{
    memset(memory, 0, sizeof *memory);
    memory->image = image;
    memory->page_limit = UINT32_MAX;
    memory->stack = map_pages(OURO_MACHINE_STACK_BYTES);
    memory->scratch = map_pages(OURO_MACHINE_SCRATCH_BYTES);
    forget_slots(memory);
    return memory->stack && memory->scratch ? OURO_OK : OURO_NOMEM;
}

static void forget_foreign(struct ouro_memory *memory)
{
    for (size_t i = 0; i < memory->foreign.capacity; i++) {
        struct ouro_map_entry *entry = &memory->foreign.entries[i];
        if (entry->key != UINT64_MAX && entry->value != ABSENT)
            free((void *)(uintptr_t)entry->value);
    }
    ouro_map_fini(&memory->foreign);
    memset(&memory->foreign, 0, sizeof memory->foreign);
    forget_slots(memory);
}

void ouro_memory_fini(struct ouro_memory *memory)
{
    for (size_t i = 0; i < memory->copy_count; i++) {
        free(memory->copies[i].bytes);
        free(memory->copies[i].poked);
    }
    free(memory->copies);
    forget_foreign(memory);
    if (memory->stack)
        munmap(memory->stack, OURO_MACHINE_STACK_BYTES);
    if (memory->scratch)
        munmap(memory->scratch, OURO_MACHINE_SCRATCH_BYTES);
    memset(memory, 0, sizeof *memory);
}

static void forget_slot(struct ouro_memory *memory, uint64_t page)
{
    struct ouro_memory_slot *slot = &memory->slots[page & (OURO_MEMORY_SLOTS - 1)];
    if (slot->page == page)
        slot->page = UINT64_MAX;
}

void ouro_memory_reset(struct ouro_memory *memory)
{
    size_t kept = 0;
    memory->page_count = 0;
    for (size_t i = 0; i < memory->copy_count; i++) {
        struct ouro_memory_copy *copy = &memory->copies[i];
        if (copy->poked && copy->written)
            memcpy(copy->bytes, copy->poked, OURO_PAGE_BYTES);
        forget_slot(memory, copy->page);
        if (copy->poked) {
            copy->written = false;
            memory->copies[kept++] = *copy;
        } else {
            free(copy->bytes);
        }
    }
    memory->copy_count = kept;
    if (memory->foreign.count > foreign_pages(memory))
        forget_foreign(memory);
}

static bool count_page(struct ouro_memory *memory)
{
    if (memory->page_count >= memory->page_limit) {
        memory->end = OURO_MACHINE_PAGES;
        return false;
    }
    memory->page_count++;
    return true;
}

/* A page that the image didn't copy: code and constants of a file, or a hole that reads as zeroes. */
static const unsigned char *bring(struct ouro_memory *memory, uint64_t page)
{
    const uint64_t *known = ouro_map_find(&memory->foreign, page);
    if (known)
        return *known == ABSENT ? NULL : (const unsigned char *)(uintptr_t)*known;
    if (memory->foreign.count > 3 * FOREIGN_PAGES_MAX) { /* also with a window: whether a call ends must not depend on it */
        memory->end = OURO_MACHINE_PAGES;
        return NULL;
    }
    unsigned char *bytes = malloc(OURO_PAGE_BYTES);
    uint64_t *place = bytes ? ouro_map_put(&memory->foreign, page, NULL) : NULL;
    if (!place) {
        memory->end = OURO_MACHINE_MEMORY;
        free(bytes);
        return NULL;
    }
    if (ouro_space_read(&memory->image->space, page << OURO_PAGE_BITS, bytes, OURO_PAGE_BYTES) != OURO_OK) {
        free(bytes);
        bytes = NULL;
    }
    *place = bytes ? (uint64_t)(uintptr_t)bytes : ABSENT;
    return bytes;
}

static struct ouro_memory_copy *find_copy(const struct ouro_memory *memory, uint64_t page)
{
    for (size_t i = 0; i < memory->copy_count; i++)
        if (memory->copies[i].page == page)
            return &memory->copies[i];
    return NULL;
}

const unsigned char *ouro_memory_page(struct ouro_memory *memory, uint64_t page)
{
    struct ouro_memory_slot *slot = &memory->slots[page & (OURO_MEMORY_SLOTS - 1)];
    if (slot->page == page)
        return slot->read;
    const struct ouro_memory_copy *copy;
    const unsigned char *read = NULL;
    unsigned char *write = NULL;
    memory->end = OURO_MACHINE_READ_FAULT;
    if (page - STACK_PAGE < STACK_PAGES) {
        read = write = memory->stack + ((page - STACK_PAGE) << OURO_PAGE_BITS);
    } else if (page - SCRATCH_PAGE < SCRATCH_PAGES) {
        read = write = memory->scratch + ((page - SCRATCH_PAGE) << OURO_PAGE_BITS);
    } else if ((copy = find_copy(memory, page))) {
        read = copy->bytes;
        write = copy->written ? copy->bytes : NULL;
    } else if (page < UINT64_C(1) << (47 - OURO_PAGE_BITS)) {
        read = ouro_image_at(memory->image, page << OURO_PAGE_BITS, OURO_PAGE_BYTES);
        if (!read)
            read = bring(memory, page);
    }
    if (read)
        *slot = (struct ouro_memory_slot){page, read, write};
    return read;
}

/* An image without mappings (one made from bytes) may be written to everywhere. */
static bool may_write(struct ouro_memory *memory, uint64_t page)
{
    const struct ouro_maps *maps = &memory->image->maps;
    memory->end = OURO_MACHINE_WRITE_FAULT;
    if (!maps->count)
        return true;
    const struct ouro_mapping *mapping = ouro_maps_find(maps, page << OURO_PAGE_BITS);
    if (mapping && mapping->writable && mapping->shared)
        memory->end = OURO_MACHINE_SHARED_WRITE;
    return mapping && mapping->writable && !mapping->shared;
}

static struct ouro_memory_copy *add_copy(struct ouro_memory *memory, uint64_t page, const unsigned char *from)
{
    if (memory->copy_count == memory->copy_capacity &&
        !ouro_vec_grow((void **)&memory->copies, &memory->copy_capacity, sizeof *memory->copies))
        return NULL;
    unsigned char *bytes = malloc(OURO_PAGE_BYTES);
    if (!bytes)
        return NULL;
    memcpy(bytes, from, OURO_PAGE_BYTES);
    forget_slot(memory, page);
    memory->copies[memory->copy_count] = (struct ouro_memory_copy){.page = page, .bytes = bytes};
    return &memory->copies[memory->copy_count++];
}

unsigned char *ouro_memory_page_to_write(struct ouro_memory *memory, uint64_t page)
{
    const unsigned char *read = ouro_memory_page(memory, page);
    struct ouro_memory_slot *slot = &memory->slots[page & (OURO_MEMORY_SLOTS - 1)];
    if (!read) {
        if (memory->end == OURO_MACHINE_READ_FAULT)
            may_write(memory, page); /* says why not: an image has no shared pages */
        return NULL;
    }
    if (slot->write)
        return slot->write;
    if (!may_write(memory, page) || !count_page(memory)) /* a copy may be there all the same: of what we poked */
        return NULL;
    struct ouro_memory_copy *copy = find_copy(memory, page);
    if (!copy && !(copy = add_copy(memory, page, read))) {
        memory->end = OURO_MACHINE_MEMORY;
        return NULL;
    }
    copy->written = true;
    *slot = (struct ouro_memory_slot){page, copy->bytes, copy->bytes};
    return copy->bytes;
}

bool ouro_memory_read(struct ouro_memory *memory, ouro_addr addr, void *out, size_t size)
{
    unsigned char *to = out;
    while (size) {
        size_t left = OURO_PAGE_BYTES - OURO_MEMORY_IN_PAGE(addr), part = size < left ? size : left;
        const unsigned char *page = ouro_memory_page(memory, addr >> OURO_PAGE_BITS);
        if (!page)
            return false;
        memcpy(to, page + OURO_MEMORY_IN_PAGE(addr), part);
        addr += part;
        to += part;
        size -= part;
    }
    return true;
}

bool ouro_memory_write(struct ouro_memory *memory, ouro_addr addr, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    while (size) {
        size_t left = OURO_PAGE_BYTES - OURO_MEMORY_IN_PAGE(addr), part = size < left ? size : left;
        unsigned char *page = ouro_memory_page_to_write(memory, addr >> OURO_PAGE_BITS);
        if (!page)
            return false;
        memcpy(page + OURO_MEMORY_IN_PAGE(addr), from, part);
        addr += part;
        from += part;
        size -= part;
    }
    return true;
}

bool ouro_memory_poke(struct ouro_memory *memory, ouro_addr addr, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    while (size) {
        size_t left = OURO_PAGE_BYTES - OURO_MEMORY_IN_PAGE(addr), part = size < left ? size : left;
        uint64_t page = addr >> OURO_PAGE_BITS;
        const unsigned char *read = ouro_memory_page(memory, page);
        struct ouro_memory_copy *copy = find_copy(memory, page);
        if (!read || (!copy && !(copy = add_copy(memory, page, read))))
            return false;
        if (!copy->poked) {
            if (!(copy->poked = malloc(OURO_PAGE_BYTES)))
                return false;
            memcpy(copy->poked, copy->bytes, OURO_PAGE_BYTES);
        }
        memcpy(copy->bytes + OURO_MEMORY_IN_PAGE(addr), from, part);
        memcpy(copy->poked + OURO_MEMORY_IN_PAGE(addr), from, part);
        addr += part;
        from += part;
        size -= part;
    }
    return true;
}

size_t ouro_memory_code(struct ouro_memory *memory, ouro_addr addr, unsigned char *out, size_t size)
{
    const struct ouro_maps *maps = &memory->image->maps;
    size_t done = 0;
    while (done < size) {
        const struct ouro_mapping *mapping = maps->count ? ouro_maps_find(maps, addr + done) : NULL;
        size_t left = OURO_PAGE_BYTES - OURO_MEMORY_IN_PAGE(addr + done), part = size - done < left ? size - done : left;
        if (maps->count && (!mapping || !mapping->executable))
            break;
        if (!ouro_memory_read(memory, addr + done, out + done, part))
            break;
        done += part;
    }
    return done;
}
