/* Where a subcommand's result goes: standard output, or a file that appears under its name when it is whole. */
#ifndef OURO_SRC_OUTPUT_H
#define OURO_SRC_OUTPUT_H

#include "render/out.h"

struct ouro_dest {
    struct ouro_out out;
    const char *path;      /* borrowed; NULL: standard output */
    struct ouro_buf temporary; /* its name, empty where the file is written in place (a device, a pipe) */
    int fd;
};

/* path NULL: standard output. 0, or the exit status after having said what is wrong. */
int ouro_dest_open(struct ouro_dest *output, const char *path);
/* Writes what is left and renames; on failure, or when `status` is not 0, nothing is left behind. Says what is wrong;
 * returns the exit status: `status` if that is not 0. */
int ouro_dest_close(struct ouro_dest *output, int status);

#endif
