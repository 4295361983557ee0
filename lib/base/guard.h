/* Scope guards: what a scope owns is given back however it is left. */
#ifndef OURO_BASE_GUARD_H
#define OURO_BASE_GUARD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void ouro_guard_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void ouro_guard_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void ouro_guard_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define OURO_FREE __attribute__((cleanup(ouro_guard_free)))     /* a pointer from malloc, or NULL */
#define OURO_CLOSE __attribute__((cleanup(ouro_guard_close)))   /* a file descriptor, or -1 */
#define OURO_FCLOSE __attribute__((cleanup(ouro_guard_fclose))) /* a FILE *, or NULL */
#define OURO_GUARD(fini) __attribute__((cleanup(fini)))

#endif
