/* What the registers of a stopped thread tell of what it did. */
#ifndef OURO_TARGET_REGISTERS_H
#define OURO_TARGET_REGISTERS_H

#include <sys/user.h>

#include "target/process.h"

/* Sets state, syscall, arguments, stack and base. A thread that slept in a system call was woken by the stop, and the call
 * has the result by which the kernel knows to begin it again; one that had ended its call has another, and is 'R'. */
void ouro_registers_tell(const struct user_regs_struct *registers, struct ouro_thread_state *state);

/* What a call that was begun again (restart_syscall) once was, by the code in front of its instruction: the last
 * "mov $number, %eax" of one that can be begun so. -1: there is none. */
int ouro_registers_restarted(const unsigned char *code, size_t size);
#define OURO_REGISTERS_CODE_BYTES 48 /* in front of the instruction pointer: as many are enough */

#endif
