#include "target/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"

void ouro_maps_fini(struct ouro_maps *maps)
{
    free(maps->items);
    free(maps->text);
    memset(maps, 0, sizeof *maps);
}

static bool hex(const char **at, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(*at, &end, 16);
    bool good = end != *at && !errno;
    *at = end;
    return good;
}

static bool eat(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* "start-end rwxp offset major:minor inode   path" */
static bool parse_line(const char *line, struct ouro_mapping *mapping)
{
    uint64_t major, minor;
    const char *at = line;
    if (!hex(&at, &mapping->start) || !eat(&at, '-') || !hex(&at, &mapping->end) || !eat(&at, ' '))
        return false;
    if (strnlen(at, 5) < 5 || at[4] != ' ')
        return false;
    mapping->readable = at[0] == 'r';
    mapping->writable = at[1] == 'w';
    mapping->executable = at[2] == 'x';
    mapping->shared = at[3] == 's';
    at += 5;
    if (!hex(&at, &mapping->offset) || !eat(&at, ' ') || !hex(&at, &major) || !eat(&at, ':') || !hex(&at, &minor) ||
        !eat(&at, ' '))
        return false;
    mapping->dev_major = (uint32_t)major;
    mapping->dev_minor = (uint32_t)minor;
    char *end;
    mapping->inode = strtoull(at, &end, 10);
    if (end == at)
        return false;
    while (*end == ' ')
        end++;
    mapping->path = end;
    /* Anonymous memory in all but name: what is not there is zeroes, and no file has it. */
    if (!mapping->shared && (strcmp(end, "/dev/zero") == 0 || strncmp(end, "/anon_hugepage", 14) == 0))
        mapping->inode = 0;
    /* Devices map registers as well as memory; zero and shm are memory. */
    mapping->device =
        strncmp(end, "/dev/", 5) == 0 && strncmp(end, "/dev/zero", 9) != 0 && strncmp(end, "/dev/shm/", 9) != 0;
    return mapping->start < mapping->end && !((mapping->start | mapping->end) & 4095);
}

static bool has_flag(const char *flags, const char *flag)
{
    for (const char *at = flags; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strncmp(at, flag, 2) == 0 && (at[2] == ' ' || !at[2]))
            return true;
    }
    return false;
}

static void apply_flags(struct ouro_mapping *mapping, const char *flags)
{
    mapping->uffd = has_flag(flags, "um") || has_flag(flags, "uw") || has_flag(flags, "ui");
    mapping->unforked = has_flag(flags, "dc") || has_flag(flags, "wf");
    mapping->device = mapping->device || has_flag(flags, "io") || has_flag(flags, "pf");
}

/* In smaps each mapping's line is followed by lines "Name: value"; those begin with a capital letter. */
enum ouro_status ouro_maps_parse(struct ouro_maps *maps, char *text, struct ouro_err *err)
{
    memset(maps, 0, sizeof *maps);
    maps->text = text;
    ouro_addr last = 0;
    for (char *line = text, *next; *line; line = next) {
        char *end = strchrnul(line, '\n');
        next = *end ? end + 1 : end;
        *end = 0;
        if (*line >= 'A' && *line <= 'Z') {
            if (maps->count && strncmp(line, "VmFlags:", 8) == 0)
                apply_flags(&maps->items[maps->count - 1], line + 8);
            continue;
        }
        struct ouro_mapping *mapping = OURO_VEC_ADD(maps);
        if (!mapping) {
            ouro_maps_fini(maps);
            return ouro_err_set(err, OURO_NOMEM, "no memory for the list of mappings");
        }
        if (!parse_line(line, mapping) || mapping->end <= last) {
            size_t number = maps->count;
            ouro_maps_fini(maps);
            return ouro_err_set(err, OURO_BADDATA, "line %zu of the mappings can't be understood", number);
        }
        /* The kernel writes a few lines at a time: a mapping that grew in between appears again, as a whole. */
        if (mapping->start < last) {
            mapping->offset += last - mapping->start;
            mapping->start = last;
        }
        last = mapping->end;
    }
    return OURO_OK;
}

enum ouro_status ouro_maps_read(struct ouro_maps *maps, pid_t pid, bool with_flags, struct ouro_err *err)
{
    char path[64];
    memset(maps, 0, sizeof *maps);
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, with_flags ? "smaps" : "maps");
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int failure = errno == ENOENT ? ESRCH : errno;
        return ouro_err_sys(err, failure, "can't read %s", path);
    }
    struct ouro_buf buf = {0};
    ssize_t got = 1;
    while (got > 0 && ouro_buf_reserve(&buf, 65536 + 1)) {
        got = read(fd, buf.data + buf.size, 65536);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            buf.size += (size_t)got;
    }
    if (buf.failed || got < 0) {
        int failure = buf.failed ? ENOMEM : errno;
        ouro_buf_fini(&buf);
        return ouro_err_sys(err, failure, "can't read %s", path);
    }
    if (!buf.size) { /* a process that ended, or a kernel thread, has no mappings */
        ouro_buf_fini(&buf);
        return ouro_err_set(err, OURO_GONE, "process %d has no mappings: it ended", (int)pid);
    }
    buf.data[buf.size] = 0;
    return ouro_maps_parse(maps, (char *)buf.data, err);
}

const struct ouro_mapping *ouro_maps_find(const struct ouro_maps *maps, ouro_addr addr)
{
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < maps->count && maps->items[low].start <= addr ? &maps->items[low] : NULL;
}
