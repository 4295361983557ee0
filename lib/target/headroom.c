#include "target/headroom.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/guard.h"
#include "target/available.h"
#include "target/inject.h"

#define FIXED_BYTES (UINT64_C(16) << 20) /* what has to be left beside it */
#define TABLE_SHARE 512                  /* a page table entry for each page */

enum ouro_status ouro_headroom_use(pid_t pid, struct ouro_headroom_use *use, struct ouro_err *err)
{
    char path[64];
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    if (!ouro_proc_text(path, &text))
        return ouro_err_sys(err, errno == ENOENT ? ESRCH : errno, "can't read %s", path);
    const uint64_t *missing = (const uint64_t[]){UINT64_MAX};
    use->resident_bytes = ouro_proc_kilobytes((const char *)text.data, "Rss");
    use->anonymous_bytes = ouro_proc_kilobytes((const char *)text.data, "Anonymous");
    use->swapped_bytes = ouro_proc_kilobytes((const char *)text.data, "Swap");
    if (use->anonymous_bytes == *missing || use->resident_bytes == *missing)
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)pid);
    use->swapped_bytes = use->swapped_bytes == *missing ? 0 : use->swapped_bytes;
    return OURO_OK;
}

static enum ouro_status check_cgroup(pid_t pid, uint64_t needed, struct ouro_err *err)
{
    uint64_t left = ouro_available_to(pid);
    if (left >= needed)
        return OURO_OK;
    return ouro_err_set(err, OURO_UNSUPPORTED,
                        "its memory cgroup leaves %" PRIu64 " MiB, and a copy may come to cost %" PRIu64 " MiB", left >> 20,
                        needed >> 20);
}

static enum ouro_status check_machine(uint64_t needed, uint64_t private_bytes, struct ouro_err *err)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    bool strict = ouro_proc_text("/proc/sys/vm/overcommit_memory", &text) && text.data[0] == '2';
    if (!ouro_proc_text("/proc/meminfo", &text))
        return OURO_OK;
    const char *figures = (const char *)text.data;
    uint64_t available = ouro_proc_kilobytes(figures, "MemAvailable"), limit = ouro_proc_kilobytes(figures, "CommitLimit");
    uint64_t promised = ouro_proc_kilobytes(figures, "Committed_AS");
    if (available < needed)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "the machine has %" PRIu64 " MiB of memory available, and a copy may come to cost %" PRIu64 " MiB",
                            available >> 20, needed >> 20);
    if (strict && (promised > limit || limit - promised < 2 * private_bytes))
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "vm.overcommit_memory is 2, and a copy of %" PRIu64 " MiB would leave too little to promise",
                            private_bytes >> 20);
    return OURO_OK;
}

static enum ouro_status check_seccomp(pid_t pid, struct ouro_err *err)
{
    char path[64];
    enum ouro_status status = OURO_OK;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)pid);
    for (struct dirent *entry; status == OURO_OK && (entry = readdir(tasks));) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid > 0 && ouro_inject_seccomp(pid, tid) > 0)
            status = ouro_err_set(err, OURO_UNSUPPORTED,
                                  "thread %d is under a seccomp filter, which could kill the process for a system call", (int)tid);
    }
    closedir(tasks);
    return status;
}

enum ouro_status ouro_headroom_check(pid_t pid, const struct ouro_headroom_use *use, const struct ouro_maps *maps,
                                     struct ouro_err *err)
{
    uint64_t private_bytes = 0;
    for (size_t i = 0; i < maps->count; i++) {
        const struct ouro_mapping *mapping = &maps->items[i];
        if (mapping->uffd) /* a fork may wait for who serves it: most likely the process itself */
            return ouro_err_set(err, OURO_UNSUPPORTED, "it has memory that is registered with userfaultfd");
        if (mapping->writable && !mapping->shared)
            private_bytes += mapping->end - mapping->start;
    }
    uint64_t needed = use->anonymous_bytes + use->anonymous_bytes / TABLE_SHARE + FIXED_BYTES;
    OURO_TRY(check_seccomp(pid, err));
    OURO_TRY(check_cgroup(pid, needed, err));
    return check_machine(needed, private_bytes, err);
}
