#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "render/text.h"

bool ouro_quiet;

/* Words may quote what came from outside. */
static void complain(const char *format, va_list args)
{
    char text[1024];
    struct ouro_buf escaped = {0};
    int size = vsnprintf(text, sizeof text, format, args);
    if (size < 0)
        return;
    ouro_buf_add_text(&escaped, "ouro: ");
    ouro_text_add(&escaped, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
    ouro_buf_add_byte(&escaped, '\n');
    if (fwrite(escaped.data, 1, escaped.size, stderr) != escaped.size)
        clearerr(stderr); /* nowhere left to say it */
    ouro_buf_fini(&escaped);
}

void ouro_command_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(format, args);
    va_end(args);
}

void ouro_command_note(const char *format, ...)
{
    va_list args;
    if (ouro_quiet)
        return;
    va_start(args, format);
    complain(format, args);
    va_end(args);
}

static const char *words_of(enum ouro_status status, const struct ouro_err *err)
{
    return err->msg[0] ? err->msg : ouro_status_name(status);
}

int ouro_command_fail_target(enum ouro_status status, const struct ouro_err *err)
{
    ouro_command_complain("%s", words_of(status, err));
    switch (status) {
    case OURO_INVAL:
        return OURO_EXIT_USAGE;
    case OURO_NOMEM:
    case OURO_SYS:
    case OURO_CANCELLED:
        return OURO_EXIT_OTHER;
    default:
        return OURO_EXIT_TARGET;
    }
}

int ouro_command_fail_snapshot(enum ouro_status status, const char *path, const struct ouro_err *err)
{
    const char *words = words_of(status, err);
    bool named = strstr(words, path) != NULL;
    ouro_command_complain("%s%s%s", named ? "" : path, named ? "" : ": ", words);
    switch (status) {
    case OURO_INVAL:
        return OURO_EXIT_USAGE;
    case OURO_NOMEM:
    case OURO_LIMIT:
    case OURO_CANCELLED:
        return OURO_EXIT_OTHER;
    default:
        return OURO_EXIT_SNAPSHOT;
    }
}

int ouro_command_finish_out(struct ouro_out *out)
{
    struct ouro_err err;
    enum ouro_status status = ouro_out_finish(out, "standard output", &err);
    ouro_out_fini(out);
    if (status == OURO_OK)
        return OURO_EXIT_DONE;
    ouro_command_complain("%s", err.msg);
    return OURO_EXIT_OTHER;
}

int ouro_command_print(struct ouro_buf *text)
{
    struct ouro_out out = {.buf = *text, .fd = STDOUT_FILENO};
    memset(text, 0, sizeof *text);
    return ouro_command_finish_out(&out);
}

size_t ouro_command_columns(void)
{
    const char *given = getenv("COLUMNS");
    struct winsize size;
    char *end;
    if (given && *given) {
        unsigned long columns = strtoul(given, &end, 10);
        if (!*end && columns >= 20 && columns < 10000)
            return columns;
    }
    if (!isatty(STDOUT_FILENO))
        return 0;
    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20 ? size.ws_col : 80;
}
