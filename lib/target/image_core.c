/* An image whose pages are those of a core file, mapped where they lie one behind the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "target/core.h"
#include "target/image_files.h"

#define SMALL_FILE_BYTES (UINT64_C(64) << 20)
#define HOLE_BYTES       (UINT64_C(1) << 20) /* smaller ones are taken as the zeroes that they read as */
#define HOLES_MAX        16384u              /* a process may have 65530 mappings */
#define MAPPED_MAX       32768u              /* ... so more runs are copied */
#define IN_PAGE          ((uint64_t)OURO_PAGE_BYTES - 1)

/* Pages that follow each other, in memory and in a file. */
struct run {
    ouro_addr addr;
    uint64_t offset, pages;
    int fd;
};

struct gathering {
    struct ouro_image *image;
    const struct ouro_core *core;
    struct runs {
        struct run *items; /* owned */
        size_t count, capacity;
    } runs;
    uint64_t page_count;
    size_t hole_count, mapped_count;
};

static bool is_copied(const struct ouro_mapping *mapping)
{
    return mapping->readable && !mapping->shared && !mapping->device && strcmp(mapping->path, "[vdso]") != 0;
}

static bool add_run(struct gathering *gathering, int fd, ouro_addr addr, uint64_t offset, uint64_t bytes)
{
    uint64_t pages = bytes >> OURO_PAGE_BITS;
    struct run *last = gathering->runs.count ? &gathering->runs.items[gathering->runs.count - 1] : NULL;
    if (!pages)
        return true;
    gathering->page_count += pages;
    /* In the copy they are neighbours, whatever lies between them in the target. */
    if (last && last->fd == fd && last->addr + (last->pages << OURO_PAGE_BITS) == addr &&
        last->offset + (last->pages << OURO_PAGE_BITS) == offset) {
        last->pages += pages;
        return true;
    }
    struct run *run = OURO_VEC_ADD(&gathering->runs);
    if (run)
        *run = (struct run){addr, offset, pages, fd};
    return run != NULL;
}

/* Anonymous memory that nobody touched is a hole in the file, where whoever wrote it knew. */
static bool add_anonymous(struct gathering *gathering, ouro_addr addr, uint64_t offset, uint64_t bytes)
{
    const uint64_t end = offset + bytes;
    for (uint64_t at = offset; at < end;) {
        uint64_t hole = end, data = end;
        if (gathering->hole_count < HOLES_MAX) {
            for (uint64_t from = at; from < end; from = data) {
                off_t found = lseek(gathering->core->fd, (off_t)from, SEEK_HOLE);
                hole = found < 0 || (uint64_t)found > end ? end : (uint64_t)found;
                found = hole < end ? lseek(gathering->core->fd, (off_t)hole, SEEK_DATA) : -1;
                data = found < 0 || (uint64_t)found > end ? end : (uint64_t)found;
                if (data - hole >= HOLE_BYTES)
                    break;
                hole = end;
            }
        }
        /* Whole pages of the target, which may lie askew in the file. */
        uint64_t stop = hole == end ? end : offset + ((hole - offset + IN_PAGE) & ~IN_PAGE);
        uint64_t next = hole == end ? end : offset + ((data - offset) & ~IN_PAGE);
        gathering->hole_count += hole < end;
        if (!add_run(gathering, gathering->core->fd, addr + (at - offset), at, stop - at))
            return false;
        at = next;
    }
    return true;
}

static bool add_missing(struct ouro_image *image, ouro_addr start, ouro_addr end)
{
    if (start >= end)
        return true;
    struct ouro_image_range *range = OURO_VEC_ADD(&image->missing);
    if (range)
        *range = (struct ouro_image_range){start, end};
    image->unreadable_bytes += end - start;
    return range != NULL;
}

/* What the core leaves out of a mapping: of a file, then it is as the file has it. */
static bool add_left_out(struct gathering *gathering, const struct ouro_mapping *mapping, ouro_addr start)
{
    const struct ouro_core *core = gathering->core;
    uint64_t offset = mapping->offset + (start - mapping->start), size = mapping->end - start;
    int fd = ouro_core_file(core, mapping);
    if (!mapping->inode || (mapping->writable && !core->holds_anonymous))
        return add_missing(gathering->image, start, mapping->end);
    if (!mapping->writable)
        return true; /* read from the file when it is asked for */
    uint64_t file_bytes = fd < 0 ? 0 : (core->files.items[mapping->inode - 1].size_bytes + IN_PAGE) & ~IN_PAGE;
    uint64_t there = offset < file_bytes ? file_bytes - offset : 0;
    there = there < size ? there : size;
    if (fd >= 0 && mapping->end - mapping->start > SMALL_FILE_BYTES)
        return true;
    gathering->image->file_bytes += there;
    return add_run(gathering, fd, start, offset, there) && add_missing(gathering->image, start + there, mapping->end);
}

static bool gather(struct gathering *gathering)
{
    const struct ouro_maps *maps = &gathering->image->maps;
    const struct ouro_core_segments *segments = &gathering->core->segments;
    for (size_t i = 0, k = 0; i < maps->count; i++) {
        const struct ouro_mapping *mapping = &maps->items[i];
        while (k < segments->count && segments->items[k].end <= mapping->start)
            k++;
        if (!is_copied(mapping))
            continue;
        ouro_addr held = mapping->start, told = mapping->start; /* behind what is there; behind what should be */
        if (k < segments->count && segments->items[k].start <= mapping->start) {
            const struct ouro_core_segment *segment = &segments->items[k];
            ouro_addr held_end = segment->start + segment->held_bytes, told_end = segment->start + segment->told_bytes;
            uint64_t offset = segment->offset + (mapping->start - segment->start);
            held = held_end < mapping->start ? mapping->start : held_end > mapping->end ? mapping->end : held_end;
            told = told_end < held ? held : told_end > mapping->end ? mapping->end : told_end;
            uint64_t bytes = held - mapping->start;
            if (mapping->inode ? !add_run(gathering, gathering->core->fd, mapping->start, offset, bytes)
                               : !add_anonymous(gathering, mapping->start, offset, bytes))
                return false;
        }
        if (!add_missing(gathering->image, held, told) ||
            (told < mapping->end && !add_left_out(gathering, mapping, told)))
            return false;
    }
    return true;
}

/* Where in a page of the file most pages of memory begin: 0 in the kernel's cores, anything in gdb's. */
static uint64_t find_skew(const struct gathering *gathering)
{
    uint64_t skews[8] = {0}, counts[8] = {0};
    size_t known = 1, best = 0;
    for (size_t i = 0; i < gathering->runs.count; i++) {
        const struct run *run = &gathering->runs.items[i];
        uint64_t skew = run->offset & IN_PAGE;
        size_t at = 0;
        while (at < known && skews[at] != skew)
            at++;
        if (at == known && known < 8)
            skews[known++] = skew;
        if (at < known)
            counts[at] += run->fd == gathering->core->fd ? run->pages : 0;
    }
    for (size_t i = 1; i < known; i++)
        best = counts[i] > counts[best] ? i : best;
    return skews[best];
}

/* Behind the end of a file there are zeroes. */
static enum ouro_status read_run(int fd, unsigned char *to, uint64_t offset, uint64_t size, struct ouro_err *err)
{
    while (size) {
        ssize_t got = pread(fd, to, size < 1u << 30 ? (size_t)size : 1u << 30, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ouro_err_sys(err, errno, "can't read the core or a file that it names");
        if (!got)
            break;
        to += got;
        offset += (uint64_t)got;
        size -= (uint64_t)got;
    }
    memset(to, 0, (size_t)size);
    return OURO_OK;
}

static bool map_anonymous(unsigned char *page, uint64_t size)
{
    return mmap(page, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
}

/* The run's first page becomes page `at` of the image. Pages of the image begin `skew` bytes behind pages of our own,
 * and what lies before in the first of these belongs to the run before: where both do not meet in the file too, that
 * page is put together in memory. */
static enum ouro_status place_run(struct gathering *gathering, size_t number, uint64_t at, uint64_t skew,
                                  struct ouro_err *err)
{
    const struct run *run = &gathering->runs.items[number], *before = number ? run - 1 : NULL;
    unsigned char *page = gathering->image->reserve + (at << OURO_PAGE_BITS);
    uint64_t size = run->pages << OURO_PAGE_BITS, room = size + (skew ? OURO_PAGE_BYTES : 0);
    uint64_t end = before ? before->offset + (before->pages << OURO_PAGE_BITS) : 0;
    bool mapped = run->fd == gathering->core->fd && (run->offset & IN_PAGE) == skew &&
                  gathering->mapped_count++ < MAPPED_MAX &&
                  mmap(page, (size_t)room, PROT_READ, MAP_PRIVATE | MAP_FIXED, run->fd, (off_t)(run->offset - skew)) !=
                      MAP_FAILED;
    if (mapped && (!skew || !before || (before->fd == run->fd && end == run->offset)))
        return OURO_OK;
    if (!map_anonymous(page, mapped ? OURO_PAGE_BYTES : room))
        return ouro_err_sys(err, errno, "no memory for %llu pages of the core", (unsigned long long)run->pages);
    if (skew && before)
        OURO_TRY(read_run(before->fd, page, end - skew, skew, err));
    return read_run(run->fd, page + skew, run->offset, mapped ? OURO_PAGE_BYTES - skew : size, err);
}

static enum ouro_status place_runs(struct gathering *gathering, struct ouro_err *err)
{
    struct ouro_image *image = gathering->image;
    const uint64_t pages = gathering->page_count, skew = find_skew(gathering);
    if (pages >= UINT32_MAX)
        return ouro_err_set(err, OURO_LIMIT, "the core has more than %u pages of memory", UINT32_MAX - 1);
    image->reserve_bytes = (size_t)(pages + 1) << OURO_PAGE_BITS;
    void *reserve = mmap(NULL, image->reserve_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserve == MAP_FAILED)
        return ouro_err_sys(err, ENOMEM, "no room to map %llu MiB", (unsigned long long)(pages >> 8));
    image->reserve = reserve;
    image->bytes = image->reserve + skew;
    image->page_addr = mmap(NULL, (size_t)(pages + 1) * sizeof *image->page_addr, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image->page_addr == MAP_FAILED) {
        image->page_addr = NULL;
        return ouro_err_sys(err, ENOMEM, "no memory for the list of %llu pages", (unsigned long long)pages);
    }
    image->page_capacity = (uint32_t)pages + 1;
    for (size_t i = 0; i < gathering->runs.count; i++) {
        const struct run *run = &gathering->runs.items[i];
        OURO_TRY(place_run(gathering, i, image->page_count, skew, err));
        for (uint64_t page = 0; page < run->pages; page++)
            image->page_addr[image->page_count++] = run->addr + (page << OURO_PAGE_BITS);
    }
    image->copied_bytes = (pages << OURO_PAGE_BITS) - image->file_bytes;
    return OURO_OK;
}

static enum ouro_status borrow_files(struct ouro_image *image, const struct ouro_core *core)
{
    image->files->borrowed = true;
    for (size_t i = 0; i < core->files.count; i++) {
        struct ouro_image_file *file = OURO_VEC_ADD(image->files);
        if (!file)
            return OURO_NOMEM;
        *file = (struct ouro_image_file){.inode = i + 1, .fd = core->files.items[i].fd};
    }
    return OURO_OK;
}

enum ouro_status ouro_image_of_core(struct ouro_image *image, const struct ouro_core *core, struct ouro_err *err)
{
    struct gathering gathering = {.image = image, .core = core};
    memset(image, 0, sizeof *image);
    image->files = calloc(1, sizeof *image->files);
    image->top = calloc(OURO_IMAGE_TOP_COUNT, sizeof *image->top);
    if (!image->files || !image->top || borrow_files(image, core) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the index of the core");
    OURO_TRY(ouro_core_maps(core, &image->maps, err));
    enum ouro_status status =
        gather(&gathering) ? OURO_OK : ouro_err_set(err, OURO_NOMEM, "no memory for the index of the core");
    if (status == OURO_OK)
        status = place_runs(&gathering, err);
    free(gathering.runs.items);
    OURO_TRY(status);
    return ouro_image_index(image, err);
}
