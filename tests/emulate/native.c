#include "native.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define REPEATS_MAX 4096
#define TRAP_FLAG   0x100

/* What the handlers see; an instruction runs only within native_step. */
static struct {
    struct cpu *cpu;
    volatile enum native_end end;
    volatile int repeats;
    uint64_t start;
    gregset_t host;
    struct _libc_fpstate host_vectors;
    unsigned char stack[64 << 10];
} now;

static const int greg[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8,
                           REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

static void on_enter(int number, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    (void)number;
    (void)info;
    memcpy(now.host, frame->uc_mcontext.gregs, sizeof now.host);
    now.host_vectors = *frame->uc_mcontext.fpregs;
    for (unsigned i = 0; i <= RIP; i++)
        frame->uc_mcontext.gregs[greg[i]] = (greg_t)now.cpu->registers[i];
    frame->uc_mcontext.gregs[REG_EFL] = (greg_t)((now.cpu->registers[RFLAGS] & FLAGS) | 0x202 | TRAP_FLAG);
    memcpy(frame->uc_mcontext.fpregs->_xmm, now.cpu->vectors, sizeof now.cpu->vectors);
    frame->uc_mcontext.fpregs->mxcsr = 0x1f80;
}

static void on_leave(int number, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    (void)info;
    if (number == SIGTRAP && (uint64_t)frame->uc_mcontext.gregs[REG_RIP] == now.start && now.repeats++ < REPEATS_MAX)
        return; /* a repeated instruction traps after each time */
    now.end = number == SIGTRAP                        ? NATIVE_OK
              : number == SIGSEGV || number == SIGBUS ? NATIVE_FAULT
              : number == SIGFPE                       ? NATIVE_DIVIDE
                                                       : NATIVE_ILLEGAL;
    for (unsigned i = 0; i <= RIP; i++)
        now.cpu->registers[i] = (uint64_t)frame->uc_mcontext.gregs[greg[i]];
    now.cpu->registers[RFLAGS] = (uint64_t)frame->uc_mcontext.gregs[REG_EFL] & FLAGS;
    memcpy(now.cpu->vectors, frame->uc_mcontext.fpregs->_xmm, sizeof now.cpu->vectors);
    memcpy(frame->uc_mcontext.gregs, now.host, sizeof now.host);
    *frame->uc_mcontext.fpregs = now.host_vectors;
}

static bool map(int fd, uint64_t from, uint64_t to, int protection)
{
    void *at = (void *)(uintptr_t)from;
    return mmap(at, to - from, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, (off_t)(from - WORLD_CODE)) == at;
}

const char *native_start(struct native *native)
{
    static const int leaving[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    int fd = memfd_create("world", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)WORLD_BYTES))
        return "no memory file";
    native->memory = mmap(NULL, WORLD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    bool mapped = native->memory != MAP_FAILED && map(fd, WORLD_CODE, WORLD_DATA, PROT_READ | PROT_EXEC) &&
                  map(fd, WORLD_DATA, WORLD_CONST, PROT_READ | PROT_WRITE) &&
                  map(fd, WORLD_CONST, WORLD_SHARED, PROT_READ);
    close(fd);
    if (!mapped)
        return "the addresses that it needs can't be mapped";
    const stack_t stack = {.ss_sp = now.stack, .ss_size = sizeof now.stack};
    struct sigaction action = {.sa_sigaction = on_enter, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    if (sigaltstack(&stack, NULL) || sigaction(SIGUSR1, &action, NULL))
        return "no handlers of signals";
    action.sa_sigaction = on_leave;
    for (size_t i = 0; i < sizeof leaving / sizeof leaving[0]; i++)
        sigaction(leaving[i], &action, NULL);
    return NULL;
}

void native_stop(struct native *native)
{
    static const int ours[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGUSR1};
    const stack_t none = {.ss_flags = SS_DISABLE};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        signal(ours[i], SIG_DFL);
    sigaltstack(&none, NULL);
    munmap(native->memory, WORLD_BYTES);
    munmap((void *)(uintptr_t)WORLD_CODE, WORLD_BYTES);
}

enum native_end native_step(struct cpu *cpu, bool repeated)
{
    now.cpu = cpu;
    now.end = NATIVE_OTHER;
    now.repeats = repeated ? 0 : REPEATS_MAX;
    now.start = cpu->registers[RIP];
    raise(SIGUSR1);
    return now.end;
}
