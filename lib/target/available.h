/* How much memory is to be had: of the machine, and of the control groups that a process is in. */
#ifndef OURO_TARGET_AVAILABLE_H
#define OURO_TARGET_AVAILABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* The least of MemAvailable and of what the control groups leave to this process. UINT64_MAX: nothing is known. */
uint64_t ouro_available_bytes(void);
/* What the control groups of a process leave to it; UINT64_MAX: no limit, or nothing is known. */
uint64_t ouro_available_to(pid_t pid);
/* The same by the texts of its /proc/PID/cgroup and of a mountinfo: the least that any of them leaves, of both versions, with all
 * parents that can be seen; cache that can be dropped counts as free. */
uint64_t ouro_available_in_cgroups(const char *cgroups, const char *mounts);
/* What this process has in memory now (VmRSS); 0: not known. */
uint64_t ouro_resident_bytes(void);

/* A whole file of /proc, with a NUL behind it. False: it can't be read (errno), or there is no memory. */
bool ouro_proc_text(const char *path, struct ouro_buf *text);
/* The number in kB behind "name:" at the beginning of a line, in bytes; UINT64_MAX: not there. */
uint64_t ouro_proc_kilobytes(const char *text, const char *name);

#endif
