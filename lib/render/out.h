/* Where text goes: a file descriptor behind a large buffer, or memory.
 *
 * The first error (a full disk, a reader that went away) is kept, what comes after it is dropped, and the writer asks
 * once at its end. SIGPIPE must be ignored by whoever owns the process. */
#ifndef OURO_RENDER_OUT_H
#define OURO_RENDER_OUT_H

#include "base/buf.h"
#include "base/err.h"

struct ouro_out {
    struct ouro_buf buf; /* not yet written; everything, when fd is -1 */
    int fd;              /* borrowed; -1: memory */
    int sys_errno;       /* of the first write that failed */
};

#define OURO_OUT_FULL (256u << 10) /* bytes that are gathered before a write */

void ouro_out_init(struct ouro_out *out, int fd);
void ouro_out_fini(struct ouro_out *out);
/* Writes what is gathered. */
void ouro_out_flush(struct ouro_out *out);
/* Flushes and says how it went: OURO_OK, OURO_NOMEM, or the error of the failed write, with `name` in the words. */
enum ouro_status ouro_out_finish(struct ouro_out *out, const char *name, struct ouro_err *err);

/* After each piece. */
static inline void ouro_out_check(struct ouro_out *out)
{
    if (out->buf.size >= OURO_OUT_FULL && out->fd >= 0)
        ouro_out_flush(out);
}

static inline void ouro_out_add(struct ouro_out *out, const void *bytes, size_t size)
{
    ouro_buf_add(&out->buf, bytes, size);
    ouro_out_check(out);
}

static inline void ouro_out_buf(struct ouro_out *out, const struct ouro_buf *buf)
{
    out->buf.failed |= buf->failed;
    ouro_out_add(out, buf->data, buf->size);
}

static inline void ouro_out_text(struct ouro_out *out, const char *text)
{
    ouro_out_add(out, text, strlen(text));
}

#define ouro_out_addf(out, ...)                                                                                        \
    do {                                                                                                               \
        ouro_buf_addf(&(out)->buf, __VA_ARGS__);                                                                       \
        ouro_out_check(out);                                                                                           \
    } while (0)

#endif
