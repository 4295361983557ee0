/* An address space that can be read: a live process, an image of it, a core file.
 *
 * The door for slow, occasional reads (finding the runtime, reading a name). The walk uses struct ouro_image directly.
 */
#ifndef OURO_TARGET_SPACE_H
#define OURO_TARGET_SPACE_H

#include <stddef.h>

#include "base/err.h"
#include "base/types.h"

struct ouro_space {
    /* All of [addr, addr + size) into out, or OURO_FAULT (OURO_GONE when the process is no more). */
    enum ouro_status (*read)(const struct ouro_space *space, ouro_addr addr, void *out, size_t size);
    const void *context; /* of the implementation */
};

static inline enum ouro_status ouro_space_read(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    return space->read(space, addr, out, size);
}

/* A terminated string of at most `capacity - 1` bytes, cut (and terminated) there; OURO_FAULT if it can't be read. */
enum ouro_status ouro_space_read_text(const struct ouro_space *space, ouro_addr addr, char *out, size_t capacity);

#endif
