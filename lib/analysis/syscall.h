/* Names of Linux's system calls on x86-64. */
#ifndef OURO_ANALYSIS_SYSCALL_H
#define OURO_ANALYSIS_SYSCALL_H

#include <stdint.h>

#define OURO_SYSCALL_NANOSLEEP       35
#define OURO_SYSCALL_FUTEX           202
#define OURO_SYSCALL_CLOCK_NANOSLEEP 230

/* "futex" of 202; NULL: a number that has no name, or a later kernel's. */
const char *ouro_syscall_name(int64_t number);

#endif
