#include "target/available.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"

bool ouro_proc_text(const char *path, struct ouro_buf *text)
{
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 1;
    text->size = 0;
    while (got > 0 && ouro_buf_reserve(text, 65537)) {
        got = read(fd, text->data + text->size, 65536);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            text->size += (size_t)got;
    }
    return got == 0 && ouro_buf_reserve(text, 1) && (text->data[text->size] = 0, true);
}

uint64_t ouro_proc_kilobytes(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return strtoull(line + length + 1, NULL, 10) << 10;
    return UINT64_MAX;
}

static uint64_t number_in(const char *folder, const char *name, uint64_t otherwise)
{
    char path[4400], text[64] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    return got > 0 && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : otherwise;
}

/* Cache of files that nobody uses: it makes room. */
static uint64_t droppable(const char *folder, const char *key)
{
    char path[4400];
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    size_t length = strlen(key);
    if (ouro_proc_text(path, &text))
        for (const char *line = (const char *)text.data; *line; line = strchr(line, '\n') + 1) {
            if (strncmp(line, key, length) == 0 && line[length] == ' ')
                return strtoull(line + length + 1, NULL, 10);
            if (!strchr(line, '\n'))
                break;
        }
    return 0;
}

static uint64_t left_in(const char *folder, bool unified)
{
    uint64_t limit = number_in(folder, unified ? "memory.max" : "memory.limit_in_bytes", UINT64_MAX);
    uint64_t high = unified ? number_in(folder, "memory.high", UINT64_MAX) : UINT64_MAX; /* above it all become slow */
    uint64_t used = number_in(folder, unified ? "memory.current" : "memory.usage_in_bytes", 0);
    limit = high < limit ? high : limit;
    if (limit >= (uint64_t)INT64_MAX - 4095) /* how version 1 writes that there is none */
        return UINT64_MAX;
    uint64_t cache = droppable(folder, unified ? "inactive_file" : "total_inactive_file");
    used -= cache < used ? cache : used;
    return used < limit ? limit - used : 0;
}

/* From the process's own cgroup up to the top of the mount. */
static uint64_t left_up(const char *point, size_t point_size, const char *root, size_t root_size, const char *group,
                        size_t group_size, bool unified)
{
    char folder[4200];
    uint64_t least = UINT64_MAX;
    if (root_size > 1 && group_size >= root_size && strncmp(group, root, root_size) == 0) {
        group += root_size; /* the mount shows a part of the tree */
        group_size -= root_size;
    }
    if (point_size + group_size + 1 > sizeof folder)
        return UINT64_MAX;
    memcpy(folder, point, point_size);
    memcpy(folder + point_size, group, group_size);
    size_t size = point_size + group_size;
    for (;;) {
        folder[size] = 0;
        uint64_t left = left_in(folder, unified);
        least = left < least ? left : least;
        if (size <= point_size)
            return least;
        do
            size--;
        while (size > point_size && folder[size] != '/');
    }
}

/* Whether a line "N:controllers:/path" of /proc/PID/cgroup is that of memory. */
static bool is_memory(const char *line, const char *path, bool unified)
{
    const char *colon = memchr(line, ':', (size_t)(path - line));
    if (unified)
        return strncmp(line, "0::", 3) == 0;
    const char *found = colon ? memmem(colon, (size_t)(path - colon), "memory", 6) : NULL;
    return found && (found[-1] == ':' || found[-1] == ',') && (found[6] == ':' || found[6] == ',');
}

static uint64_t left_by_mount(const char *cgroups, const char *root, const char *point, size_t point_size, bool unified)
{
    for (const char *line = cgroups; *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : strchr(line, 0)) {
        const char *path = strchr(line, '/');
        if (path && path < strchrnul(line, '\n') && is_memory(line, path, unified))
            return left_up(point, point_size, root, strcspn(root, " "), path, strcspn(path, "\n"), unified);
    }
    return UINT64_MAX;
}

uint64_t ouro_available_in_cgroups(const char *cgroups, const char *mounts)
{
    uint64_t least = UINT64_MAX;
    for (const char *line = mounts; *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : strchr(line, 0)) {
        /* "36 35 0:30 ROOT POINT options - TYPE SOURCE SUPER" */
        const char *at = line, *end = strchrnul(line, '\n'), *fields[6] = {0};
        for (int i = 0; i < 6 && at && at < end; i++) {
            fields[i] = at;
            at = memchr(at, ' ', (size_t)(end - at));
            at = at ? at + 1 : NULL;
        }
        const char *dash = fields[5] ? memmem(fields[5], (size_t)(end - fields[5]), " - cgroup", 9) : NULL;
        if (!dash)
            continue;
        bool unified = strncmp(dash, " - cgroup2 ", 11) == 0;
        if (!unified && !memmem(dash, (size_t)(end - dash), "memory", 6))
            continue;
        uint64_t left = left_by_mount(cgroups, fields[3], fields[4], strcspn(fields[4], " "), unified);
        least = left < least ? left : least;
    }
    return least;
}

uint64_t ouro_available_to(pid_t pid)
{
    char path[64];
    OURO_GUARD(ouro_buf_fini) struct ouro_buf cgroups = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf mounts = {0};
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    if (!ouro_proc_text(path, &cgroups) || !ouro_proc_text("/proc/self/mountinfo", &mounts))
        return UINT64_MAX;
    return ouro_available_in_cgroups((const char *)cgroups.data, (const char *)mounts.data);
}

uint64_t ouro_available_bytes(void)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    bool known = ouro_proc_text("/proc/meminfo", &text);
    uint64_t machine = known ? ouro_proc_kilobytes((const char *)text.data, "MemAvailable") : UINT64_MAX;
    uint64_t groups = ouro_available_to(getpid());
    return groups < machine ? groups : machine;
}

uint64_t ouro_resident_bytes(void)
{
    char text[128];
    OURO_CLOSE int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = 0;
    const char *space = strchr(text, ' ');
    return space ? strtoull(space + 1, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
