#include "target/registers.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define SYSCALLS_MAX 4096

/* The results by which a call that a signal or a stop woke is begun again (include/linux/errno.h); some calls (epoll_wait,
 * sigtimedwait) end with EINTR instead. */
static bool was_woken(uint64_t result)
{
    enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };
    switch (UINT64_C(0) - result) {
    case ERESTARTSYS:
    case ERESTARTNOINTR:
    case ERESTARTNOHAND:
    case ERESTART_RESTARTBLOCK:
    case EINTR:
        return true;
    default:
        return false;
    }
}

void ouro_registers_tell(const struct user_regs_struct *registers, struct ouro_thread_state *state)
{
    const uint64_t arguments[OURO_THREAD_ARGUMENTS] = {registers->rdi, registers->rsi, registers->rdx,
                                                       registers->r10, registers->r8,  registers->r9};
    bool inside = registers->orig_rax < SYSCALLS_MAX, sleeps = inside && was_woken(registers->rax);
    state->state = sleeps ? 'S' : 'R';
    state->syscall = sleeps ? (int)registers->orig_rax : -1;
    state->leaving = inside && !sleeps ? (int)registers->orig_rax : -1;
    for (size_t i = 0; i < OURO_THREAD_ARGUMENTS; i++)
        state->arguments[i] = inside ? arguments[i] : 0;
    state->stack = registers->rsp;
    state->base = registers->fs_base;
}

int ouro_registers_restarted(const unsigned char *code, size_t size)
{
    enum { MOV_EAX = 0xb8, MOV_BYTES = 5 };
    static const int calls[] = {SYS_futex, SYS_clock_nanosleep, SYS_nanosleep, SYS_poll}; /* those with a restart_block */
    for (size_t at = size < MOV_BYTES ? 0 : size - MOV_BYTES + 1; at--;) {
        uint32_t number;
        memcpy(&number, code + at + 1, sizeof number);
        for (size_t i = 0; code[at] == MOV_EAX && i < sizeof calls / sizeof *calls; i++)
            if (number == (uint32_t)calls[i])
                return calls[i];
    }
    return -1;
}
