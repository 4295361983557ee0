#include "target/available.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"

#define DEPTH_MAX 64

/* False: it can't be read, or is no number ("max"). */
static bool read_number(const char *path, uint64_t *value)
{
    char text[64], *end;
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (got <= 0)
        return false;
    text[got] = 0;
    *value = strtoull(text, &end, 10);
    return end != text;
}

/* The number behind a name at the beginning of a line. */
static bool read_field(const char *path, const char *name, uint64_t *value)
{
    char line[256];
    size_t size = strlen(name);
    OURO_FCLOSE FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, size) && (line[size] == ' ' || line[size] == ':')) {
            *value = strtoull(line + size + 1, NULL, 10);
            return true;
        }
    return false;
}

struct version {
    const char *root, *most, *used, *kept;
};

static uint64_t left_in(const struct version *version, const char *group)
{
    char path[4400];
    uint64_t most, used, kept = 0;
    snprintf(path, sizeof path, "%s%s/%s", version->root, group, version->most);
    if (!read_number(path, &most))
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s%s/%s", version->root, group, version->used);
    if (!read_number(path, &used))
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s%s/memory.stat", version->root, group);
    read_field(path, version->kept, &kept);
    used -= kept < used ? kept : used;
    return most > used ? most - used : 0;
}

/* A group and those above it. Inside of a container the path may lead to nothing: then only the root says something. */
static uint64_t left_above(const struct version *version, char *group)
{
    uint64_t least = UINT64_MAX;
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        uint64_t left = left_in(version, group);
        least = left < least ? left : least;
        char *slash = strrchr(group, '/');
        if (!slash)
            break;
        *slash = 0;
    }
    return least;
}

static uint64_t left_in_groups(void)
{
    static const struct version two = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};
    static const struct version one = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
    char line[4200];
    uint64_t least = UINT64_MAX;
    OURO_FCLOSE FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = 0;
        bool second = !strcmp(controllers, ":");
        if (!second && !strstr(controllers, "memory"))
            continue;
        uint64_t left = left_above(second ? &two : &one, group);
        least = left < least ? left : least;
    }
    return least;
}

uint64_t ouro_available_bytes(void)
{
    uint64_t kib, machine = read_field("/proc/meminfo", "MemAvailable", &kib) ? kib << 10 : UINT64_MAX;
    uint64_t groups = left_in_groups();
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
