/* What the machine sees as memory: the image, pages brought from files, private copies of what was written, and the machine's own
 * stack and scratch. Internal to lib/emulate. */
#ifndef OURO_EMULATE_MEMORY_H
#define OURO_EMULATE_MEMORY_H

#include "base/map.h"
#include "emulate/machine.h"

#define OURO_MEMORY_SLOTS 1024u /* of the translation cache */

struct ouro_memory {
    const struct ouro_image *image; /* borrowed */
    struct ouro_memory_slot {
        uint64_t page;              /* address >> 12; UINT64_MAX: none */
        const unsigned char *read;  /* the page's bytes */
        unsigned char *write;       /* the same where writing is allowed, else NULL */
    } slots[OURO_MEMORY_SLOTS];
    unsigned char *stack, *scratch; /* owned */
    /* Private copies. A poked page keeps the bytes that it returns to when the next call begins. */
    struct ouro_memory_copy {
        uint64_t page;
        unsigned char *bytes; /* owned */
        unsigned char *poked; /* owned; NULL: the copy is forgotten when the next call begins */
        bool written;
    } * copies;
    size_t copy_count, copy_capacity;
    struct ouro_map foreign; /* page -> its bytes (owned), brought through image->space; 1: not there */
    uint32_t page_count, page_limit; /* copied in this call */
    enum ouro_machine_end end; /* why the last access failed */
};

enum ouro_status ouro_memory_init(struct ouro_memory *memory, const struct ouro_image *image);
void ouro_memory_fini(struct ouro_memory *memory);
/* Forgets what was written, but not what was poked. */
void ouro_memory_reset(struct ouro_memory *memory);
/* The page's bytes for reading or for writing (then privately copied); NULL: memory->end says why. */
const unsigned char *ouro_memory_page(struct ouro_memory *memory, uint64_t page);
unsigned char *ouro_memory_page_to_write(struct ouro_memory *memory, uint64_t page);
bool ouro_memory_poke(struct ouro_memory *memory, ouro_addr addr, const void *bytes, size_t size);
bool ouro_memory_read(struct ouro_memory *memory, ouro_addr addr, void *out, size_t size);
bool ouro_memory_write(struct ouro_memory *memory, ouro_addr addr, const void *bytes, size_t size);
/* Up to `size` bytes of code at addr: how many there are. */
size_t ouro_memory_code(struct ouro_memory *memory, ouro_addr addr, unsigned char *out, size_t size);

#define OURO_MEMORY_IN_PAGE(addr) ((addr) & (OURO_PAGE_BYTES - 1))

/* 1, 2, 4 or 8 bytes, zero-extended. */
static inline bool ouro_memory_load(struct ouro_memory *memory, ouro_addr addr, unsigned size, uint64_t *value)
{
    struct ouro_memory_slot *slot = &memory->slots[addr >> OURO_PAGE_BITS & (OURO_MEMORY_SLOTS - 1)];
    const unsigned char *from;
    *value = 0;
    if (slot->page != addr >> OURO_PAGE_BITS || OURO_MEMORY_IN_PAGE(addr) + size > OURO_PAGE_BYTES)
        return ouro_memory_read(memory, addr, value, size);
    from = slot->read + OURO_MEMORY_IN_PAGE(addr);
    if (size == 8)
        __builtin_memcpy(value, from, 8);
    else
        __builtin_memcpy(value, from, size);
    return true;
}

static inline bool ouro_memory_store(struct ouro_memory *memory, ouro_addr addr, unsigned size, uint64_t value)
{
    struct ouro_memory_slot *slot = &memory->slots[addr >> OURO_PAGE_BITS & (OURO_MEMORY_SLOTS - 1)];
    if (slot->page != addr >> OURO_PAGE_BITS || !slot->write || OURO_MEMORY_IN_PAGE(addr) + size > OURO_PAGE_BYTES)
        return ouro_memory_write(memory, addr, &value, size);
    __builtin_memcpy(slot->write + OURO_MEMORY_IN_PAGE(addr), &value, size);
    return true;
}

#endif
