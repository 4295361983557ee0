/* An image: a private copy of the pages of a target in which objects can live, with constant-time translation.
 *
 * What is in it, page by page (4096 bytes each), of private readable mappings only:
 *   - anonymous pages that are present (pagemap), writable mapping or not (so relocated constants are there too);
 *   - swapped pages, within a budget, counted;
 *   - of writable private file mappings up to 64 MiB also the pages that were never written: untouched ones come from
 * the file. (Larger ones are data that a program looks at, not variables of a library.) Never: shared mappings, device
 * memory, ranges registered with userfaultfd, PROT_NONE, vvar and vsyscall, holes.
 *
 * The copied pages lie one behind the other in address order ("compacted"), so two neighbouring pages of the target
 * that are both there are neighbours here too, and a range is contiguous in the copy exactly if the copy's page numbers
 * of its first and last page are as far apart as the target's. A byte of the copy is named by its offset in `bytes`.
 *
 * Other pages of private file mappings are not copied: ouro_image_space reads them from
 * the file (opened before the resume through /proc/PID/map_files, /proc/PID/root or /proc/PID/exe, identity checked by
 * device and inode), or from the process when there is no such file any more.
 *
 * Memory: the pages, 12 bytes a page of index, and what ouro_image_plan touched in vain. With a window (window.h) not the pages, but
 * so many bytes as the options say: the pages are read when they are touched. */
#ifndef OURO_TARGET_IMAGE_H
#define OURO_TARGET_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"
#include "target/maps.h"
#include "target/process.h"
#include "target/space.h"

#define OURO_PAGE_BITS       12
#define OURO_PAGE_BYTES      ((size_t)1 << OURO_PAGE_BITS)
#define OURO_IMAGE_TOP_BITS  30 /* address bits below one second-level index */
#define OURO_IMAGE_TOP_COUNT ((size_t)1 << (47 - OURO_IMAGE_TOP_BITS))

/* Two levels: top[addr >> 30] points at 2^18 page entries, an entry is the copy's page number + 1, or 0. */
struct ouro_image {
    uint32_t **top;             /* OURO_IMAGE_TOP_COUNT pointers; NULL where nothing is */
    const unsigned char *bytes; /* page_count * 4096 bytes */
    uint32_t page_count;
    ouro_addr *page_addr;  /* page_count: the target's address of each copied page, ascending */
    struct ouro_maps maps; /* as they were during the stop */
    uint64_t copied_bytes, swapped_bytes, swap_skipped_bytes, unreadable_bytes, file_bytes;
    struct ouro_image_files *files; /* owned: the open files behind private mappings */
    struct ouro_image_missing {
        struct ouro_image_range {
            ouro_addr start, end;
        } * items; /* owned; sorted after ouro_image_finish */
        size_t count, capacity;
        bool overflow; /* no memory to say which */
    } missing; /* pages that the target has, but the copy does not: swapped out beyond the budget, or unreadable */
    unsigned char *reserve; /* owned */
    size_t reserve_bytes, touched_bytes;
    uint32_t page_capacity;  /* room for pages */
    uint64_t dropped_pages;  /* pages that found no room */
    bool late;               /* the last copy was given up at its deadline */
    bool uffd;               /* some mapping is registered with userfaultfd */
    uint64_t window_bytes;   /* as planned; 0: the pages are copied */
    pid_t source;            /* of a window: whose pages are read: whose were listed */
    const struct ouro_image_kept *kept; /* of a window: borrowed for as long as it is used */
    size_t kept_count;
    struct ouro_window *window; /* owned; from ouro_image_finish on */
    struct ouro_lazy *lazy;  /* owned; fetches pages when they are asked for (lazy.h); NULL: what is not here is not to be had */
    struct ouro_space space; /* reads copied pages, else the files, else zeroes in anonymous holes; context: this */
};

/* Pages that were read already: of a forked copy, what it does not have of the target (unforked of maps.h). */
struct ouro_image_kept {
    ouro_addr start, end;       /* page-aligned */
    const unsigned char *bytes; /* borrowed */
};

struct ouro_image_options {
    unsigned thread_count;      /* 0: as many as there are processors, at most 2 */
    uint64_t swap_budget_bytes; /* 0: OURO_IMAGE_SWAP_BUDGET */
    uint64_t deadline_ns;       /* of the monotonic clock: copying ends then, with OURO_LIMIT and `late`; 0: none */
    const struct ouro_image_kept *kept; /* by address; taken instead of what the process has there */
    size_t kept_count;
    bool running; /* nobody stopped it: what it adds faster than it is followed is counted as unreadable */
    uint64_t window_bytes;      /* not 0: nothing is copied, at most so much is here at a time (window.h) */
};
#define OURO_IMAGE_SWAP_BUDGET (UINT64_C(256) << 20)

/* How many bytes ouro_image_copy would copy now, while the target runs. */
enum ouro_status ouro_image_count(const struct ouro_process *process, uint64_t *bytes, struct ouro_err *err);
/* Sizes and touches the destination (huge pages where there are) while the target still runs. */
enum ouro_status ouro_image_plan(struct ouro_image *image, const struct ouro_process *process,
                                 const struct ouro_image_options *options, struct ouro_err *err);
/* Copies; the target is stopped, or `running`. Nothing but copying happens here. OURO_GONE when the target dies meanwhile,
 * OURO_LIMIT at the deadline; then it may be done again, also from another process that is a copy of the one that was planned for.
 * For a window the pages are only listed: the source must stay as it is for as long as the image is used. */
enum ouro_status ouro_image_copy(struct ouro_image *image, const struct ouro_process *process,
                                 const struct ouro_image_options *options, struct ouro_err *err);
/* After the resume: reads what comes from files, builds the index, gives back what was touched in vain. */
enum ouro_status ouro_image_finish(struct ouro_image *image, const struct ouro_process *process, struct ouro_err *err);
/* For tests and other sources: an image of `size` bytes at page-aligned `addr`, copied from data. */
enum ouro_status ouro_image_of_bytes(struct ouro_image *image, ouro_addr addr, const void *data, size_t size,
                                     struct ouro_err *err);
/* For other sources of pages: from page_addr, maps, files and missing makes the index and the space. */
enum ouro_status ouro_image_index(struct ouro_image *image, struct ouro_err *err);
void ouro_image_fini(struct ouro_image *image);
/* Whether pages of such a mapping may be read at all: private, readable, no device, no userfaultfd. */
bool ouro_image_is_copied(const struct ouro_mapping *mapping);

/* Of a lazy image (lazy.h): fetches a page that is not there, and all pages of a range. */
uint32_t ouro_image_fetch(const struct ouro_image *image, ouro_addr addr);
bool ouro_image_fetch_range(const struct ouro_image *image, ouro_addr addr, uint64_t size);

/* The copy's page number of the page that holds addr, or UINT32_MAX. */
static inline uint32_t ouro_image_page(const struct ouro_image *image, ouro_addr addr)
{
    if (addr >> 47)
        return UINT32_MAX;
    const uint32_t *entries = image->top[addr >> OURO_IMAGE_TOP_BITS];
    uint32_t entry =
        entries ? entries[(addr >> OURO_PAGE_BITS) & (((uint64_t)1 << (OURO_IMAGE_TOP_BITS - OURO_PAGE_BITS)) - 1)] : 0;
    if (__builtin_expect(!entry && image->lazy, 0))
        return ouro_image_fetch(image, addr);
    return entry - 1;
}

/* The offset in `bytes` of the byte at addr, or UINT64_MAX. */
static inline uint64_t ouro_image_offset(const struct ouro_image *image, ouro_addr addr)
{
    uint32_t page = ouro_image_page(image, addr);
    if (page == UINT32_MAX)
        return UINT64_MAX;
    return ((uint64_t)page << OURO_PAGE_BITS) | (addr & (OURO_PAGE_BYTES - 1));
}

/* size bytes at addr in place, or NULL when not all are there. Borrowed from the image. */
static inline const unsigned char *ouro_image_at(const struct ouro_image *image, ouro_addr addr, uint64_t size)
{
    uint32_t first = ouro_image_page(image, addr);
    if (first == UINT32_MAX)
        return NULL;
    uint64_t in_page = addr & (OURO_PAGE_BYTES - 1);
    if (in_page + size > OURO_PAGE_BYTES || size > OURO_PAGE_BYTES) {
        if (size > (uint64_t)image->page_count << OURO_PAGE_BITS)
            return NULL;
        if (__builtin_expect(image->lazy != NULL, 0) && !ouro_image_fetch_range(image, addr, size))
            return NULL;
        uint32_t last = ouro_image_page(image, addr + size - 1);
        if (last == UINT32_MAX || last - first != ((addr + size - 1) >> OURO_PAGE_BITS) - (addr >> OURO_PAGE_BITS))
            return NULL;
    }
    return image->bytes + (((uint64_t)first << OURO_PAGE_BITS) | in_page);
}

/* The target's address of an offset in `bytes`. */
static inline ouro_addr ouro_image_addr(const struct ouro_image *image, uint64_t offset)
{
    return image->page_addr[offset >> OURO_PAGE_BITS] | (offset & (OURO_PAGE_BYTES - 1));
}

#endif
