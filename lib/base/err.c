#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ouro_status_name(enum ouro_status status)
{
    static const char *const names[] = {
        [OURO_OK] = "OURO_OK",           [OURO_INVAL] = "OURO_INVAL",     [OURO_NOMEM] = "OURO_NOMEM",
        [OURO_SYS] = "OURO_SYS",         [OURO_GONE] = "OURO_GONE",       [OURO_DENIED] = "OURO_DENIED",
        [OURO_FAULT] = "OURO_FAULT",     [OURO_BADDATA] = "OURO_BADDATA", [OURO_UNSUPPORTED] = "OURO_UNSUPPORTED",
        [OURO_LIMIT] = "OURO_LIMIT",     [OURO_CANCELLED] = "OURO_CANCELLED",
    };
    if ((size_t)status >= sizeof names / sizeof *names)
        return "OURO_?";
    return names[status];
}

enum ouro_status ouro_err_set(struct ouro_err *err, enum ouro_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        err->sys_errno = 0;
        va_start(args, format);
        vsnprintf(err->msg, sizeof err->msg, format, args);
        va_end(args);
    }
    return status;
}

static enum ouro_status status_of_errno(int sys_errno)
{
    switch (sys_errno) {
    case ENOMEM:
        return OURO_NOMEM;
    case ESRCH:
        return OURO_GONE;
    case EPERM:
    case EACCES:
        return OURO_DENIED;
    default:
        return OURO_SYS;
    }
}

enum ouro_status ouro_err_sys(struct ouro_err *err, int sys_errno, const char *format, ...)
{
    if (err) {
        va_list args;
        err->sys_errno = sys_errno;
        va_start(args, format);
        vsnprintf(err->msg, sizeof err->msg, format, args);
        va_end(args);
        size_t used = strlen(err->msg);
        snprintf(err->msg + used, sizeof err->msg - used, ": %s", strerror(sys_errno));
    }
    return status_of_errno(sys_errno);
}

void ouro_err_prefix(struct ouro_err *err, const char *format, ...)
{
    if (!err)
        return;
    char old[sizeof err->msg];
    va_list args;
    memcpy(old, err->msg, sizeof old);
    va_start(args, format);
    vsnprintf(err->msg, sizeof err->msg, format, args);
    va_end(args);
    size_t used = strlen(err->msg);
    snprintf(err->msg + used, sizeof err->msg - used, ": %s", old);
}
