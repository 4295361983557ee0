#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

/* Beside the target, so that the rename stays within one file system. */
static int open_temporary(struct ouro_dest *output)
{
    ouro_buf_addf(&output->temporary, "%s.XXXXXX", output->path);
    ouro_buf_add_byte(&output->temporary, 0);
    if (output->temporary.failed) {
        errno = ENOMEM;
        return -1;
    }
    int fd = mkostemp((char *)output->temporary.data, O_CLOEXEC);
    if (fd < 0)
        ouro_buf_fini(&output->temporary);
    return fd;
}

int ouro_dest_open(struct ouro_dest *output, const char *path)
{
    struct stat stat_buf;
    memset(output, 0, sizeof *output);
    output->path = path;
    output->fd = STDOUT_FILENO;
    if (path) {
        if (!stat(path, &stat_buf) && !S_ISREG(stat_buf.st_mode))
            output->fd = open(path, O_WRONLY | O_CLOEXEC);
        else
            output->fd = open_temporary(output);
        if (output->fd < 0) {
            ouro_command_complain("can't write %s: %s", path, strerror(errno));
            return OURO_EXIT_OTHER;
        }
    }
    ouro_out_init(&output->out, output->fd);
    return OURO_EXIT_DONE;
}

int ouro_dest_close(struct ouro_dest *output, int status)
{
    struct ouro_err err;
    const char *name = output->path ? output->path : "standard output";
    enum ouro_status written = ouro_out_finish(&output->out, name, &err);
    bool whole = written == OURO_OK && status == OURO_EXIT_DONE;
    if (written != OURO_OK && status == OURO_EXIT_DONE) {
        ouro_command_complain("%s", err.msg);
        status = OURO_EXIT_OTHER;
    }
    if (output->path && close(output->fd) && whole) {
        ouro_command_complain("can't write %s: %s", name, strerror(errno));
        status = OURO_EXIT_OTHER;
        whole = false;
    }
    if (output->temporary.size) {
        const char *temporary = (const char *)output->temporary.data;
        if (whole && rename(temporary, output->path)) {
            ouro_command_complain("can't write %s: %s", name, strerror(errno));
            status = OURO_EXIT_OTHER;
            whole = false;
        }
        if (!whole)
            unlink(temporary);
    }
    ouro_buf_fini(&output->temporary);
    ouro_out_fini(&output->out);
    return status;
}
