#include "render/out.h"

#include <errno.h>
#include <unistd.h>

void ouro_out_init(struct ouro_out *out, int fd)
{
    memset(out, 0, sizeof *out);
    out->fd = fd;
}

void ouro_out_fini(struct ouro_out *out)
{
    ouro_buf_fini(&out->buf);
}

void ouro_out_flush(struct ouro_out *out)
{
    size_t done = 0;
    if (out->fd < 0)
        return;
    while (!out->sys_errno && done < out->buf.size) {
        ssize_t written = write(out->fd, out->buf.data + done, out->buf.size - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            out->sys_errno = errno;
    }
    out->buf.size = 0;
}

enum ouro_status ouro_out_finish(struct ouro_out *out, const char *name, struct ouro_err *err)
{
    ouro_out_flush(out);
    if (out->sys_errno)
        return ouro_err_sys(err, out->sys_errno, "can't write %s", name);
    if (out->buf.failed)
        return ouro_err_set(err, OURO_NOMEM, "out of memory while writing %s", name);
    return OURO_OK;
}
