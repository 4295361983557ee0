#include "capture/tracked.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t mapped_bytes(const struct ouro_tracked *tracked)
{
    return (tracked->spool < 0 ? tracked->capacity : OURO_TRACKED_BATCH) * sizeof *tracked->items;
}

enum ouro_status ouro_tracked_init(struct ouro_tracked *tracked, size_t capacity, int spool, uint64_t spool_at)
{
    tracked->capacity = capacity;
    tracked->spool = spool;
    tracked->spool_at = spool_at;
    tracked->items =
        mmap(NULL, mapped_bytes(tracked), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (tracked->items == MAP_FAILED) {
        tracked->items = NULL;
        return OURO_NOMEM;
    }
    return OURO_OK;
}

void ouro_tracked_release(struct ouro_tracked *tracked)
{
    if (tracked->items)
        munmap(tracked->items, mapped_bytes(tracked));
    tracked->items = NULL;
}

static enum ouro_status write_batch(struct ouro_tracked *tracked, size_t count)
{
    const char *from = (const char *)tracked->items;
    size_t left = count * sizeof *tracked->items;
    uint64_t at = tracked->spool_at + (tracked->count - count) * sizeof *tracked->items;
    while (left) {
        ssize_t put = pwrite(tracked->spool, from, left, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return OURO_SYS;
        from += put;
        at += (uint64_t)put;
        left -= (size_t)put;
    }
    return OURO_OK;
}

enum ouro_status ouro_tracked_add(struct ouro_tracked *tracked, ouro_addr object)
{
    size_t place = tracked->spool < 0 ? tracked->count : tracked->count % OURO_TRACKED_BATCH;
    tracked->items[place] = object;
    tracked->count++;
    if (tracked->spool >= 0 && tracked->count % OURO_TRACKED_BATCH == 0)
        return write_batch(tracked, OURO_TRACKED_BATCH);
    return OURO_OK;
}

enum ouro_status ouro_tracked_end(struct ouro_tracked *tracked)
{
    size_t rest = tracked->count % OURO_TRACKED_BATCH;
    if (tracked->spool < 0)
        return OURO_OK;
    enum ouro_status status = rest ? write_batch(tracked, rest) : OURO_OK;
    ouro_tracked_release(tracked);
    return status;
}

const ouro_addr *ouro_tracked_read(const struct ouro_tracked *tracked, size_t first, size_t count, ouro_addr *buffer)
{
    if (tracked->spool < 0)
        return tracked->items + first;
    char *to = (char *)buffer;
    size_t left = count * sizeof *buffer;
    uint64_t at = tracked->spool_at + first * sizeof *buffer;
    while (left) {
        ssize_t got = pread(tracked->spool, to, left, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NULL;
        to += got;
        at += (uint64_t)got;
        left -= (size_t)got;
    }
    return buffer;
}

uint64_t ouro_tracked_spool_end(const struct ouro_tracked *tracked)
{
    return tracked->spool < 0 ? 0 : tracked->spool_at + tracked->count * sizeof *tracked->items;
}
