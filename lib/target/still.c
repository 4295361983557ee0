#include "target/still.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"

#define THREADS_MAX 65536u
#define MOUNTS_BYTES 65536u

static size_t read_at(int folder, const char *name, char *out, size_t capacity)
{
    OURO_CLOSE int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    while (fd >= 0 && size < capacity - 1) {
        ssize_t got = read(fd, out + size, capacity - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    out[size] = 0;
    return size;
}

static const char *field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? at + strlen(name) + strspn(at + strlen(name), " \t") : NULL;
}

static bool look_at(int tasks, const char *tid, struct ouro_still_thread *thread)
{
    char name[64], text[4096];
    snprintf(name, sizeof name, "%s/status", tid);
    read_at(tasks, name, text, sizeof text);
    const char *state = field(text, "\nState:"), *voluntary = field(text, "\nvoluntary_ctxt_switches:"),
               *forced = field(text, "\nnonvoluntary_ctxt_switches:");
    if (!state || !voluntary || !forced)
        return false;
    thread->tid = (pid_t)atoi(tid);
    thread->state = *state;
    thread->switches = strtoull(voluntary, NULL, 10) + strtoull(forced, NULL, 10);
    snprintf(name, sizeof name, "%s/schedstat", tid);
    thread->ran_ns = read_at(tasks, name, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
    return true;
}

void ouro_still_look(struct ouro_still *still, pid_t pid)
{
    char path[64], group[16];
    bool stoppable;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    still->count = 0;
    still->frozen = ouro_still_is_frozen(pid, group, sizeof group, &stoppable);
    DIR *tasks = opendir(path);
    still->failed = !tasks;
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.')
            continue;
        struct ouro_still_thread *thread = still->count < THREADS_MAX ? OURO_VEC_ADD(still) : NULL;
        if (!thread || !look_at(dirfd(tasks), entry->d_name, thread)) {
            still->failed = true;
            break;
        }
    }
    if (tasks)
        closedir(tasks);
}

bool ouro_still_is_held(const struct ouro_still *still)
{
    bool held = !still->failed && still->count;
    for (size_t i = 0; held && i < still->count; i++) {
        char state = still->items[i].state;
        held = state == 'T' || state == 't' || state == 'Z' || (still->frozen && state != 'R');
    }
    return held;
}

bool ouro_still_same(const struct ouro_still *before, const struct ouro_still *after)
{
    bool same = !before->failed && !after->failed && before->count && before->count == after->count;
    for (size_t i = 0; same && i < before->count; i++) {
        const struct ouro_still_thread *then = &before->items[i], *now = &after->items[i];
        same = then->tid == now->tid && then->switches == now->switches && then->ran_ns == now->ran_ns &&
               then->state != 'R' && now->state != 'R';
    }
    return same;
}

void ouro_still_fini(struct ouro_still *still)
{
    free(still->items);
    memset(still, 0, sizeof *still);
}

/* The line of /proc/PID/cgroup for a hierarchy: "0::/path" of version 2, or the one with a controller of that name. */
static bool find_group(const char *text, const char *controller, char *out, size_t capacity)
{
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            continue;
        bool fits = !controller && path == names + 1;
        for (const char *at = names + 1; controller && at < path; at += strcspn(at, ",:") + 1)
            fits = fits || (strncmp(at, controller, strlen(controller)) == 0 && strchr(",:", at[strlen(controller)]));
        if (fits) {
            int size = (int)strcspn(path + 1, "\n");
            return snprintf(out, capacity, "%.*s", size, path + 1) < (int)capacity;
        }
    }
    return false;
}

/* Where a hierarchy is mounted: a line of /proc/self/mounts of that type, and with that option. */
static bool find_mount(const char *mounts, const char *type, const char *option, char *out, size_t capacity)
{
    for (const char *line = mounts; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char point[1024], kind[32], options[512];
        if (sscanf(line, "%*s %1023s %31s %511s", point, kind, options) != 3 || strcmp(kind, type) != 0)
            continue;
        const char *at = option ? strstr(options, option) : options;
        if (at && (!option || ((at == options || at[-1] == ',') && strchr(",", at[strlen(option)]))))
            return snprintf(out, capacity, "%s", point) < (int)capacity;
    }
    return false;
}

bool ouro_still_is_frozen(pid_t pid, char *group, size_t capacity, bool *stoppable)
{
    static const struct {
        const char *type, *controller, *file, *says;
    } kinds[] = {
        {"cgroup2", NULL, "cgroup.events", "frozen 1"},
        {"cgroup", "freezer", "freezer.state", "FROZEN"},
    };
    char name[64], groups[8192], path[4096], mount[1024], file[5200], text[256];
    OURO_FREE char *mounts = malloc(MOUNTS_BYTES);
    snprintf(name, sizeof name, "/proc/%d/cgroup", (int)pid);
    if (!mounts || !read_at(AT_FDCWD, name, groups, sizeof groups) ||
        !read_at(AT_FDCWD, "/proc/self/mounts", mounts, MOUNTS_BYTES))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!find_group(groups, kinds[i].controller, path, sizeof path) ||
            !find_mount(mounts, kinds[i].type, kinds[i].controller, mount, sizeof mount))
            continue;
        snprintf(file, sizeof file, "%s%s/%s", mount, path, kinds[i].file);
        const char *says = read_at(AT_FDCWD, file, text, sizeof text) ? strstr(text, kinds[i].says) : NULL;
        if (says && (says == text || says[-1] == '\n')) {
            snprintf(group, capacity, "%.*s", (int)capacity - 1, path);
            *stoppable = i == 0;
            return true;
        }
    }
    return false;
}
