/* A lazy image: pages of a live process are fetched when they are first asked for.
 *
 * Each page has its number beforehand, by mappings in address order, so that what is contiguous in the target is contiguous here;
 * memory is only reserved. Nothing proportional to the target's size is touched: a page that nobody asks for costs nothing.
 *
 * Reading while the target runs, what belongs together may not fit together; the reader has to check everything anyhow. To see one
 * moment: learn with one image which pages a question needs, plan them in another, stop, copy, resume, and ask again there. What is
 * fetched then is *late*: from another moment. Pages of file mappings that nobody can write never are.
 *
 * Only one thread may use a lazy image; one that it starts for the copy is its own affair. */
#ifndef OURO_TARGET_LAZY_H
#define OURO_TARGET_LAZY_H

#include "target/image.h"

#define OURO_LAZY_PAGES_MAX   32768u                /* a lazy image holds no more: 128 MiB */
#define OURO_LAZY_RANGE_BYTES (UINT64_C(128) << 10) /* what is asked for in one piece is fetched up to this size */

struct ouro_lazy {
    const struct ouro_process *process; /* borrowed */
    struct ouro_lazy_region {
        ouro_addr start, end;
        uint32_t first_page;
        bool constant; /* of a file, and not writable */
    } *items;          /* owned; by address */
    size_t count, capacity;
    uint64_t page_total; /* of all regions */
    uint64_t range_bytes; /* may be set: OURO_LAZY_RANGE_BYTES */
    struct {
        uint32_t *items; /* owned; in the order in which they came */
        size_t count, capacity;
    } pages; /* that are here */
    struct {
        struct ouro_lazy_run {
            ouro_addr addr;
            uint32_t page, count;
            size_t copied; /* the first page's place in `copied` */
        } *items; /* owned; by address */
        size_t count, capacity;
        size_t page_count;
    } plan;
    unsigned char *copied; /* owned (mapped): the planned pages, one behind the other, from the copy to its end */
    size_t copied_bytes;
    struct ouro_lazy_helper *helper; /* owned: a thread that copies as well; NULL: none */
    bool sealed;  /* may be set: what is fetched from now on is late */
    uint64_t late_count;
    uint64_t outside_count;    /* misses where no mapping was when the mappings were read */
    uint64_t unreadable_count; /* pages that could not be read */
    uint64_t refused_count;    /* pages that were one too many */
    bool out_of_memory;
};

/* Reads the mappings; the target may run. OURO_GONE, OURO_DENIED, OURO_NOMEM. */
enum ouro_status ouro_image_open_lazy(struct ouro_image *image, const struct ouro_process *process, struct ouro_err *err);
/* Plans the pages that `from` has, but not those that never change; makes room for them. */
enum ouro_status ouro_lazy_plan(struct ouro_image *image, const struct ouro_image *from, struct ouro_err *err);
/* Reads what was planned while the target runs, for nothing but that memory and page tables on both sides are in caches soon after.
 * Where there is much and a second processor, it starts a thread for the copy. */
void ouro_lazy_rehearse(const struct ouro_image *image);
/* The target is stopped: from now on that thread copies, if there is one. Returns at once. */
void ouro_lazy_begin(const struct ouro_image *image);
/* Copies what was planned, or the rest of it; nothing else happens here: the target is stopped. It waits for nobody: what the other
 * thread has not finished when this one comes to it is copied here, and what that reads later is thrown away. OURO_GONE. */
enum ouro_status ouro_lazy_copy(struct ouro_image *image, struct ouro_err *err);
/* Behind the copy: makes its pages known. */
enum ouro_status ouro_lazy_finish(struct ouro_image *image, struct ouro_err *err);
/* Another image of the pages that are here, without the rest: as ouro_image_copy makes one. */
enum ouro_status ouro_lazy_compact(const struct ouro_image *image, struct ouro_image *compact, struct ouro_err *err);
void ouro_lazy_free(struct ouro_lazy *lazy);

#endif
