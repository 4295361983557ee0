#include "picture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "command.h"
#include "output.h"

int ouro_picture_dest_check(const char *command, struct ouro_picture_dest *dest)
{
    if (dest->format && !ouro_drawing_format_parse(dest->format, &dest->chosen)) {
        ouro_command_complain("%s: --format \"%s\" is none of %s", command, dest->format, ouro_drawing_formats());
        return OURO_EXIT_USAGE;
    }
    if (dest->format && !dest->path)
        dest->path = "-";
    if (dest->format || !dest->path)
        return OURO_EXIT_DONE;
    if (!strcmp(dest->path, "-")) {
        ouro_command_complain("%s: standard output has no name: --format says what to write (%s)", command,
                              ouro_drawing_formats());
        return OURO_EXIT_USAGE;
    }
    if (!ouro_drawing_format_of_path(dest->path, &dest->chosen)) {
        ouro_command_complain("%s: what \"%s\" should be its name does not say; known are %s, or say --format", command,
                              dest->path, ouro_drawing_formats());
        return OURO_EXIT_USAGE;
    }
    return OURO_EXIT_DONE;
}

bool ouro_picture_parse_extra(const char *command, const char *text, unsigned *extra)
{
    static const struct {
        const char *name;
        enum ouro_picture_extra bit;
    } known[] = {{"size", OURO_PICTURE_SIZE}, {"retained", OURO_PICTURE_RETAINED}, {"address", OURO_PICTURE_ADDRESS}};
    size_t count = sizeof known / sizeof *known;
    for (const char *at = text; at && *at;) {
        size_t size = strcspn(at, ","), i = 0;
        while (i < count && (strlen(known[i].name) != size || strncmp(at, known[i].name, size)))
            i++;
        if (i == count) {
            ouro_command_complain("%s: --extra knows size, retained and address, not \"%.*s\"", command, (int)size, at);
            return false;
        }
        *extra |= known[i].bit;
        at += size + (at[size] == ',');
    }
    return true;
}

/* Less than this is not worth drawing. */
#define BUDGET_LEAST 8
#define SECONDS_MOST 86400

enum picture_result {
    PICTURE_DONE,
    PICTURE_SLOW,   /* the layout took too long and was given up: fewer nodes may do */
    PICTURE_FAILED, /* it was said what is wrong; *status is set */
};

static bool write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

/* The child: one byte, the status, then the picture or the words that say why not. */
static void lay_out(struct ouro_drawing *drawing, enum ouro_drawing_format format, int fd)
{
    struct ouro_buf bytes = {0};
    struct ouro_err err = {0};
    unsigned char status = (unsigned char)ouro_drawing_write(drawing, format, &bytes, &err);
    bool written = write_all(fd, &status, 1) &&
                   (status ? write_all(fd, (unsigned char *)err.msg, strlen(err.msg)) : write_all(fd, bytes.data, bytes.size));
    _exit(written ? 0 : 1);
}

/* Until the end of the pipe or the time. */
static bool read_all(int fd, struct ouro_buf *bytes, unsigned seconds)
{
    uint64_t deadline = ouro_clock_ns() / 1000000 + (uint64_t)seconds * 1000;
    for (;;) {
        uint64_t now = ouro_clock_ns() / 1000000;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = now < deadline ? poll(&wait, 1, (int)(deadline - now)) : 0;
        if (ready < 0 && errno == EINTR && !ouro_interrupted)
            continue;
        if (ready <= 0 || !ouro_buf_reserve(bytes, 65536))
            return false;
        ssize_t count = read(fd, bytes->data + bytes->size, 65536);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0;
        bytes->size += (size_t)count;
    }
}

static enum picture_result fail(int *status, const char *words)
{
    ouro_command_complain("%s", words);
    *status = OURO_EXIT_OTHER;
    return PICTURE_FAILED;
}

/* Layout by a library that was made for short-lived programs: whatever becomes of it, we live on. */
static enum picture_result lay_out_apart(struct ouro_drawing *drawing, enum ouro_drawing_format format,
                                              unsigned seconds, struct ouro_buf *bytes, int *status)
{
    int ends[2];
    if (pipe(ends))
        return fail(status, "no pipe for a layout");
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return fail(status, "no process for a layout");
    }
    if (child == 0) {
        close(ends[0]);
        lay_out(drawing, format, ends[1]);
    }
    close(ends[1]);
    bool whole = read_all(ends[0], bytes, seconds);
    close(ends[0]);
    if (!whole)
        kill(child, SIGKILL);
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    if (!whole)
        return bytes->failed ? fail(status, "no memory for a picture") : PICTURE_SLOW;
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) || !bytes->size)
        return fail(status, "graphviz ended while it laid the picture out; .dot can be written");
    if (bytes->data[0])
        return fail(status, ouro_buf_text(bytes) + 1);
    return PICTURE_DONE;
}

static enum picture_result write_picture(struct ouro_drawing *drawing, const struct ouro_picture_dest *dest,
                                         unsigned seconds, int *status)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf bytes = {0};
    struct ouro_err err;
    size_t skipped = 0;
    if (dest->chosen == OURO_DRAWING_DOT) {
        enum ouro_status written = ouro_drawing_write(drawing, dest->chosen, &bytes, &err);
        if (written)
            return fail(status, err.msg);
    } else {
        enum picture_result result = lay_out_apart(drawing, dest->chosen, seconds, &bytes, status);
        if (result != PICTURE_DONE)
            return result;
        skipped = 1;
    }
    struct ouro_dest output;
    if ((*status = ouro_dest_open(&output, strcmp(dest->path, "-") ? dest->path : NULL)))
        return PICTURE_FAILED;
    ouro_out_add(&output.out, bytes.data + skipped, bytes.size - skipped);
    *status = ouro_dest_close(&output, OURO_EXIT_DONE);
    return *status ? PICTURE_FAILED : PICTURE_DONE;
}

int ouro_picture_draw(const char *command, const struct ouro_picture_dest *dest, uint64_t budget, uint64_t seconds,
                      ouro_picture_make *make, void *context)
{
    unsigned limit = seconds >= 1 && seconds < SECONDS_MOST ? (unsigned)seconds : SECONDS_MOST;
    for (size_t most = budget;;) {
        struct ouro_drawing *drawing = NULL;
        size_t drawn = 0;
        int status = make(context, most, &drawing, &drawn);
        if (status)
            return status;
        enum picture_result result = write_picture(drawing, dest, limit, &status);
        ouro_drawing_free(drawing);
        if (result != PICTURE_SLOW)
            return status;
        if (drawn / 2 < BUDGET_LEAST || (most && drawn / 2 >= most)) {
            ouro_command_complain("%s: the layout takes longer than %u s (--layout-time); .dot needs none", command, limit);
            return OURO_EXIT_OTHER;
        }
        most = drawn / 2;
        ouro_command_note("%s: the layout takes longer than %u s (--layout-time), now with %zu objects", command, limit,
                          most);
    }
}
