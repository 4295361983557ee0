/* Memory for flat arrays by node: large ones in huge pages, where random access would else miss the TLB each
 * time. Freed with free(). */
#ifndef OURO_BASE_LARGE_H
#define OURO_BASE_LARGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define OURO_LARGE_PAGE ((size_t)2 << 20)

/* count items of item_bytes each, not initialised; never NULL for none. NULL: out of memory. */
static inline void *ouro_large_new(size_t count, size_t item_bytes)
{
    if (count >= (SIZE_MAX - OURO_LARGE_PAGE) / item_bytes)
        return NULL;
    size_t size = count * item_bytes;
    if (size < 2 * OURO_LARGE_PAGE)
        return malloc(size + 1);
    size = (size + OURO_LARGE_PAGE - 1) / OURO_LARGE_PAGE * OURO_LARGE_PAGE;
    void *memory = aligned_alloc(OURO_LARGE_PAGE, size);
    if (memory)
        madvise(memory, size, MADV_HUGEPAGE); /* a wish; without it all is as good, only slower */
    return memory;
}

static inline void *ouro_large_new_zeroed(size_t count, size_t item_bytes)
{
    void *memory = ouro_large_new(count, item_bytes);
    if (memory)
        memset(memory, 0, count * item_bytes);
    return memory;
}

#endif
