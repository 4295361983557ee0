#include "target/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/guard.h"

/* "pid (name) state ppid ...", starttime the 22nd; the name may hold parentheses, spaces and newlines. */
bool ouro_tree_parse_stat(const char *stat, struct ouro_tree_process *process)
{
    memset(process, 0, sizeof *process);
    const char *name = strchr(stat, '('), *end = strrchr(stat, ')');
    long pid = strtol(stat, NULL, 10);
    int parent;
    if (!name || !end || end < name || pid < 1 || pid > INT32_MAX ||
        sscanf(end + 1, " %c %d", &process->state, &parent) != 2 || parent < 0)
        return false;
    process->pid = (pid_t)pid;
    process->parent = parent;
    size_t size = (size_t)(end - name) - 1;
    memcpy(process->name, name + 1, size < sizeof process->name ? size : sizeof process->name - 1);
    for (int field = 2; field < 22 && end; field++)
        end = strchr(end + 1, ' ');
    if (!end)
        return false;
    process->start_ticks = strtoull(end + 1, NULL, 10);
    return true;
}

static bool read_process(int proc, const char *name, struct ouro_tree_process *process)
{
    char path[64], text[4096];
    if (snprintf(path, sizeof path, "%s/stat", name) >= (int)sizeof path)
        return false;
    OURO_CLOSE int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1); /* the kernel gives it in one piece */
    if (got <= 0)
        return false;
    text[got] = 0;
    return ouro_tree_parse_stat(text, process);
}

static int by_parent(const void *a, const void *b)
{
    const struct ouro_tree_process *one = a, *two = b;
    if (one->parent != two->parent)
        return one->parent < two->parent ? -1 : 1;
    return one->pid < two->pid ? -1 : one->pid > two->pid;
}

/* The first in order of by_parent whose parent is `pid` or a later number. */
static size_t first_child(const struct ouro_tree_process *items, size_t count, pid_t pid)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].parent < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Without recursion: who waits stands in a stack. Each process is taken once, so that those that seem to be each
 * other's parents (their stats were read at different moments) end it all the same. */
static enum ouro_status take_below(struct ouro_tree *tree, struct ouro_tree_process *items, size_t count)
{
    const pid_t root = tree->items[0].pid;
    OURO_FREE bool *taken = calloc(count, sizeof *taken);
    OURO_FREE struct ouro_tree_process *waiting = calloc(count + 1, sizeof *waiting);
    size_t waiting_count = 0;
    if (!taken || !waiting)
        return OURO_NOMEM;
    waiting[waiting_count++] = tree->items[0];
    tree->count = 0;
    while (waiting_count) {
        const struct ouro_tree_process next = waiting[--waiting_count];
        struct ouro_tree_process *place = OURO_VEC_ADD(tree);
        if (!place)
            return OURO_NOMEM;
        *place = next;
        size_t first = first_child(items, count, next.pid), end = first;
        while (end < count && items[end].parent == next.pid)
            end++;
        for (size_t i = end; i-- > first;) { /* the last one put there comes out first */
            if (taken[i] || items[i].pid == root || items[i].start_ticks < next.start_ticks)
                continue;
            taken[i] = true;
            waiting[waiting_count] = items[i];
            waiting[waiting_count++].depth = next.depth + 1;
        }
    }
    return OURO_OK;
}

enum ouro_status ouro_tree_build(struct ouro_tree *tree, struct ouro_tree_process *items, size_t count, pid_t pid,
                                 struct ouro_err *err)
{
    memset(tree, 0, sizeof *tree);
    size_t at = 0;
    while (at < count && items[at].pid != pid)
        at++;
    if (at == count)
        return ouro_err_set(err, OURO_GONE, "there is no process %d", (int)pid);
    struct ouro_tree_process *root = OURO_VEC_ADD(tree);
    if (root)
        *root = items[at];
    qsort(items, count, sizeof *items, by_parent);
    if (root && take_below(tree, items, count) == OURO_OK)
        return OURO_OK;
    ouro_tree_fini(tree);
    return ouro_err_set(err, OURO_NOMEM, "no memory for the list of processes");
}

bool ouro_tree_lives(const struct ouro_tree_process *process)
{
    char name[32];
    struct ouro_tree_process now;
    OURO_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(name, sizeof name, "%d", (int)process->pid);
    return proc >= 0 && read_process(proc, name, &now) && now.start_ticks == process->start_ticks && now.state != 'Z' &&
           now.state != 'X';
}

enum ouro_status ouro_tree_read(struct ouro_tree *tree, pid_t pid, struct ouro_err *err)
{
    struct {
        struct ouro_tree_process *items;
        size_t count, capacity;
    } all = {0};
    memset(tree, 0, sizeof *tree);
    DIR *folder = opendir("/proc");
    if (!folder)
        return ouro_err_sys(err, errno, "can't read /proc");
    enum ouro_status status = OURO_OK;
    for (struct dirent *entry; status == OURO_OK && (entry = readdir(folder));) {
        struct ouro_tree_process process, *place;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !read_process(dirfd(folder), entry->d_name, &process))
            continue; /* no process, or it ended meanwhile */
        place = OURO_VEC_ADD(&all);
        if (place)
            *place = process;
        else
            status = ouro_err_set(err, OURO_NOMEM, "no memory for the list of processes");
    }
    closedir(folder);
    if (status == OURO_OK)
        status = ouro_tree_build(tree, all.items, all.count, pid, err);
    free(all.items);
    return status;
}

void ouro_tree_fini(struct ouro_tree *tree)
{
    free(tree->items);
    memset(tree, 0, sizeof *tree);
}
