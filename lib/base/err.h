/* Results and the words that explain them.
 *
 * Every function that can fail returns enum ouro_status: the code says what the caller can do. Words go into a
 * caller-owned struct ouro_err, which may be NULL and never allocates. Hot paths carry no ouro_err at all. */
#ifndef OURO_BASE_ERR_H
#define OURO_BASE_ERR_H

#include <stddef.h>

enum ouro_status {
    OURO_OK = 0,
    OURO_INVAL,       /* the caller asked for something that makes no sense */
    OURO_NOMEM,       /* memory ran out */
    OURO_SYS,         /* a system call failed: sys_errno */
    OURO_GONE,        /* the target, thread or file is not there (any more) */
    OURO_DENIED,      /* no permission; the message says which and the remedy */
    OURO_FAULT,       /* an address that can't be read */
    OURO_BADDATA,     /* bytes that are not what they should be */
    OURO_UNSUPPORTED, /* understood, but a version or kind that we don't read */
    OURO_LIMIT,       /* a budget ran out */
    OURO_CANCELLED,   /* the caller's cancel flag was set */
};

struct ouro_err {
    int sys_errno; /* 0 where no system call is to blame */
    char msg[252]; /* one line, no newline, always terminated */
};

/* The code's name, for tests and logs ("OURO_FAULT"). */
const char *ouro_status_name(enum ouro_status status);

/* Writes the words and returns status, so that a failing function can end with it. err may be NULL. */
enum ouro_status ouro_err_set(struct ouro_err *err, enum ouro_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As ouro_err_set with OURO_SYS (OURO_NOMEM for ENOMEM, OURO_GONE for ESRCH, OURO_DENIED for EPERM and EACCES);
 * appends strerror(sys_errno). */
enum ouro_status ouro_err_sys(struct ouro_err *err, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts words in front of the ones that are there: "prefix: old". */
void ouro_err_prefix(struct ouro_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define OURO_TRY(expr)                                                                                                 \
    do {                                                                                                               \
        enum ouro_status try_status_ = (expr);                                                                         \
        if (try_status_ != OURO_OK)                                                                                    \
            return try_status_;                                                                                        \
    } while (0)

#endif
