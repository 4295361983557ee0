#include "target/space.h"

#include <string.h>

#define PIECE 64u

enum ouro_status ouro_space_read_text(const struct ouro_space *space, ouro_addr addr, char *out, size_t capacity)
{
    size_t used = 0;
    if (!capacity)
        return OURO_INVAL;
    while (used < capacity - 1) {
        /* Never across a page: the string may end just before one that is not there. */
        size_t piece = PIECE - (size_t)((addr + used) % PIECE);
        if (piece > capacity - 1 - used)
            piece = capacity - 1 - used;
        enum ouro_status status = ouro_space_read(space, addr + used, out + used, piece);
        if (status != OURO_OK) {
            out[used] = 0;
            return status;
        }
        if (memchr(out + used, 0, piece))
            return OURO_OK;
        used += piece;
    }
    out[used] = 0;
    return OURO_OK;
}
