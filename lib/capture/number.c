#include "capture/walk_bits.h"

#include <errno.h>
#include <sys/mman.h>

#include "target/window.h"

#define OBJECTS_MAX (UINT32_MAX - (1u << 24)) /* room for pseudo objects and for roots that the analysis adds */

void *ouro_walk_map_bits(const struct ouro_walk *walk, size_t words, size_t word_bytes)
{
    ouro_window_make_room(walk->image->window, words * word_bytes);
    void *bits = mmap(NULL, words * word_bytes + 1, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | (walk->bounded ? MAP_POPULATE : 0), -1, 0);
    if (bits == MAP_FAILED)
        return NULL;
    if (walk->bounded)
        return bits;
    madvise(bits, words * word_bytes, MADV_HUGEPAGE);
    return bits;
}

void ouro_walk_unmap_bits(void *bits, size_t words, size_t word_bytes)
{
    if (bits)
        munmap(bits, words * word_bytes + 1);
}

/* With a window: the marks stay as they are. */
static enum ouro_status number_in_place(struct ouro_walk *walk, struct ouro_err *err)
{
    uint64_t count = 0;
    walk->counts = ouro_walk_map_bits(walk, ouro_walk_counted_words(walk), sizeof *walk->counts);
    if (!walk->counts)
        return ouro_err_sys(err, ENOMEM, "no memory for the ranks of %u pages", walk->image->page_count);
    for (size_t i = 0; i < walk->word_count; i++) {
        if (i % OURO_WALK_COUNTED == 0)
            walk->counts[i / OURO_WALK_COUNTED] = (uint32_t)count;
        count += ouro_walk_popcount(walk->marked[i]);
        if (count > OBJECTS_MAX)
            return ouro_err_set(err, OURO_LIMIT, "more than %u objects: a snapshot can't number them", OBJECTS_MAX);
    }
    walk->object_count = (ouro_node)count;
    return OURO_OK;
}

enum ouro_status ouro_walk_number(struct ouro_walk *walk, struct ouro_err *err)
{
    ouro_walk_unmap_bits(walk->todo, walk->word_count, sizeof *walk->todo);
    walk->todo = NULL;
    if (walk->bounded)
        return number_in_place(walk, err);
    walk->ranks = ouro_walk_map_bits(walk, walk->word_count, sizeof *walk->ranks);
    if (!walk->ranks)
        return ouro_err_sys(err, ENOMEM, "no memory for the ranks of %u pages", walk->image->page_count);
    uint64_t count = 0;
    for (size_t i = 0; i < walk->word_count; i++) {
        walk->ranks[i] = (struct ouro_rank){.marks = walk->marked[i], .before = count};
        count += ouro_walk_popcount(walk->marked[i]);
        if (count > OBJECTS_MAX)
            return ouro_err_set(err, OURO_LIMIT, "more than %u objects: a snapshot can't number them", OBJECTS_MAX);
    }
    walk->object_count = (ouro_node)count;
    ouro_walk_unmap_bits(walk->marked, walk->word_count, sizeof *walk->marked);
    walk->marked = NULL;
    return OURO_OK;
}

size_t ouro_walk_interpreter(const struct ouro_walk *walk, uint64_t bit)
{
    for (size_t i = 0; i < walk->added_count; i++) {
        const struct ouro_walk_added *added = &walk->added[i];
        size_t low = 0, high = added->count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (added->bits[middle] < bit)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < added->count && added->bits[low] == bit)
            return added->interpreter;
    }
    return 0;
}
