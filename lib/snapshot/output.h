/* A file that appears under its name when it is whole, and otherwise leaves nothing behind.
 *
 * Internal to lib/snapshot. Where the file system has O_TMPFILE the file has no name until commit, so that even SIGKILL
 * leaves nothing; elsewhere it has eight random digits and .tmp behind its name until then. Mode 0600. */
#ifndef OURO_SNAPSHOT_OUTPUT_H
#define OURO_SNAPSHOT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct ouro_output {
    int fd, dir_fd;
    char *path, *name; /* owned; name: borrowed from path, its last part */
    char *temp;        /* owned: the temporary name in the folder, NULL while there is none */
    bool overwrite;
    bool in_memory; /* a file that no folder has */
    uint64_t size_bytes; /* written so far */
};

/* OURO_INVAL: exists and overwrite is false, or is no regular file. OURO_GONE: its folder does not exist. */
enum ouro_status ouro_output_open(struct ouro_output *output, const char *path, bool overwrite, struct ouro_err *err);
/* Of memory, for the life of its descriptor; commit leaves it as it is. */
enum ouro_status ouro_output_open_memory(struct ouro_output *output, struct ouro_err *err);
/* Another file in the same folder, which never has a name for long: its descriptor, the caller's; -1: errno says why. */
int ouro_output_spool(struct ouro_output *output);
/* Removes what was not committed. */
void ouro_output_close(struct ouro_output *output);
enum ouro_status ouro_output_write(struct ouro_output *output, const void *bytes, size_t size, struct ouro_err *err);
/* Syncs and gives the file its name. OURO_INVAL: without overwrite somebody else took the name meanwhile. */
enum ouro_status ouro_output_commit(struct ouro_output *output, struct ouro_err *err);

#endif
