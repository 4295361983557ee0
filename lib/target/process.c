#include "target/process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/guard.h"
#include "target/stop.h"

#define NOWHERE (UINT64_MAX - 4095) /* the kernel's half */

struct ouro_process {
    pid_t pid;
    char name[64];
    uint64_t start_ticks;
    double start_time;
    char *command; /* owned */
    size_t command_bytes;
    struct ouro_space space;
    struct ouro_stop stop;
};

/* A small file of /proc/PID whole, terminated; NULL with errno. The caller frees it. */
static char *read_proc(pid_t pid, const char *name, size_t *size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    size_t capacity = 65536;
    char *text = malloc(capacity + 1);
    *size = 0;
    while (text && *size < capacity) {
        ssize_t got = read(fd, text + *size, capacity - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        *size += (size_t)got;
    }
    if (text)
        text[*size] = 0;
    return text;
}

/* The number behind "name:" of a status file; -1: no such line. */
static int64_t status_number(const char *status, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = status; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return strtoll(line + length + 1, NULL, 10);
    return -1;
}

static char status_state(const char *status)
{
    const char *line = strstr(status, "\nState:");
    if (!line)
        return '?';
    line += strlen("\nState:");
    while (*line == ' ' || *line == '\t')
        line++;
    return *line;
}

static enum ouro_status read_memory(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    const struct ouro_process *process = space->context;
    struct iovec local = {out, size}, remote = {(void *)(uintptr_t)addr, size};
    ssize_t got = process_vm_readv(process->pid, &local, 1, &remote, 1, 0);
    if (got == (ssize_t)size)
        return OURO_OK;
    return got < 0 && errno == ESRCH ? OURO_GONE : OURO_FAULT;
}

/* A field behind the name in /proc/PID/stat, counted from 1; the name may hold parentheses and spaces. */
static bool read_stat(pid_t pid, int number, uint64_t *value)
{
    size_t size;
    OURO_FREE char *stat = read_proc(pid, "stat", &size);
    char *at = stat ? strrchr(stat, ')') : NULL;
    for (int field = 2; field < number && at; field++)
        at = strchr(at + 1, ' ');
    if (at)
        *value = strtoull(at + 1, NULL, 10);
    return at != NULL;
}

static double boot_time(void)
{
    OURO_FCLOSE FILE *file = fopen("/proc/stat", "re");
    char line[256];
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "btime ", 6) == 0)
            return strtod(line + 6, NULL);
    return 0;
}

static void read_identity(struct ouro_process *process)
{
    size_t size;
    OURO_FREE char *comm = read_proc(process->pid, "comm", &size);
    snprintf(process->name, sizeof process->name, "%s", comm ? comm : "");
    process->name[strcspn(process->name, "\n")] = 0;
    process->command = read_proc(process->pid, "cmdline", &process->command_bytes);
    if (process->command_bytes) /* the last argument's terminator */
        process->command_bytes--;
    long ticks = sysconf(_SC_CLK_TCK);
    process->start_time = boot_time() + (double)process->start_ticks / (double)(ticks > 0 ? ticks : 100);
}

static int ptrace_scope(void)
{
    OURO_FCLOSE FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    int scope = 0;
    if (file && fscanf(file, "%d", &scope) != 1)
        scope = 0;
    return scope;
}

static bool may_ptrace_anything(void)
{
    size_t size;
    OURO_FREE char *status = read_proc(getpid(), "status", &size);
    const char *line = status ? strstr(status, "CapEff:") : NULL;
    uint64_t caps = line ? strtoull(line + 7, NULL, 16) : 0;
    return caps >> 19 & 1; /* CAP_SYS_PTRACE */
}

/* The kernel gives the files (not the folder) of a process that isn't to root. */
static bool is_dumpable(pid_t pid)
{
    char path[64];
    struct stat stat_buf;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return stat(path, &stat_buf) || stat_buf.st_uid == geteuid();
}

enum ouro_status ouro_process_denied(pid_t pid, struct ouro_err *err)
{
    size_t size;
    OURO_FREE char *status = read_proc(pid, "status", &size);
    if (!status)
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)pid);
    int64_t tracer = status_number(status, "TracerPid");
    if (tracer > 0) { /* a thread of the tracer: its process is what people know */
        OURO_FREE char *holder = read_proc((pid_t)tracer, "status", &size);
        int64_t leader = holder ? status_number(holder, "Tgid") : -1;
        tracer = leader > 0 ? leader : tracer;
        OURO_FREE char *name = read_proc((pid_t)tracer, "comm", &size);
        if (name)
            name[strcspn(name, "\n")] = 0;
        return ouro_err_set(err, OURO_DENIED,
                            "process %d is traced by process %" PRId64
                            " (%s) already, and Linux allows one tracer: end that first",
                            (int)pid, tracer, name ? name : "?");
    }
    int64_t uid = status_number(status, "Uid");
    if (may_ptrace_anything())
        return ouro_err_set(
            err, OURO_DENIED,
            "no permission to trace process %d though CAP_SYS_PTRACE is there: it is in another user namespace, or a "
            "security module (SELinux, AppArmor, seccomp) forbids it",
            (int)pid);
    if (uid != (int64_t)geteuid())
        return ouro_err_set(err, OURO_DENIED,
                            "process %d belongs to uid %" PRId64
                            ", we are uid %d: run ouro as that user or as root (sudo), or give it "
                            "CAP_SYS_PTRACE",
                            (int)pid, uid, (int)geteuid());
    int scope = ptrace_scope();
    if (scope >= 3)
        return ouro_err_set(err, OURO_DENIED,
                            "kernel.yama.ptrace_scope is 3: nobody may trace until the next boot with another setting");
    if (!is_dumpable(pid))
        return ouro_err_set(
            err, OURO_DENIED,
            "no permission to trace process %d: it is not dumpable (it changed its user or capabilities, or asked for "
            "that with prctl): run ouro as root (sudo)",
            (int)pid);
    if (scope == 2)
        return ouro_err_set(err, OURO_DENIED,
                            "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may trace: run ouro as root (sudo)");
    if (scope == 1)
        return ouro_err_set(err, OURO_DENIED,
                            "kernel.yama.ptrace_scope is 1: only a parent may trace its children: run ouro as root "
                            "(sudo), or set it to 0 "
                            "(sysctl kernel.yama.ptrace_scope=0)");
    OURO_FREE char *own = read_proc(getpid(), "status", &size);
    if (own && status_number(own, "Seccomp") > 0)
        return ouro_err_set(err, OURO_DENIED,
                            "no permission to trace process %d: the seccomp filter under which ouro itself runs forbids it; in a container "
                            "that was started with --cap-add=SYS_PTRACE it would not",
                            (int)pid);
    return ouro_err_set(err, OURO_DENIED,
                        "no permission to trace process %d: a security module (SELinux, AppArmor, seccomp) forbids it",
                        (int)pid);
}

static bool is_kernel_thread(pid_t pid)
{
    uint64_t flags;
    return read_stat(pid, 9, &flags) && flags & 0x00200000; /* PF_KTHREAD of linux/sched.h */
}

/* 32-bit programs have other layouts: the ELF class is the fifth byte of the executable. */
static enum ouro_status check_class(pid_t pid, struct ouro_err *err)
{
    char path[64];
    unsigned char head[EI_NIDENT] = {0};
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !is_kernel_thread(pid)) /* a program that ends gives this back early */
        return ouro_err_set(err, OURO_GONE, "process %d ended", (int)pid);
    if (fd < 0 && errno == ENOENT)
        return ouro_err_set(err, OURO_UNSUPPORTED, "process %d has no executable: a kernel thread", (int)pid);
    if (fd < 0)
        return ouro_process_denied(pid, err);
    if (read(fd, head, sizeof head) == (ssize_t)sizeof head && memcmp(head, ELFMAG, SELFMAG) == 0 &&
        head[EI_CLASS] != ELFCLASS64)
        return ouro_err_set(err, OURO_UNSUPPORTED, "process %d is a 32-bit program; ouro reads 64-bit ones", (int)pid);
    return OURO_OK;
}

static enum ouro_status check(struct ouro_process *process, struct ouro_err *err)
{
    pid_t pid = process->pid;
    size_t size;
    if (pid == getpid())
        return ouro_err_set(err, OURO_UNSUPPORTED, "process %d is ouro itself", (int)pid);
    OURO_FREE char *status = read_proc(pid, "status", &size);
    if (!status)
        return ouro_err_set(err, OURO_GONE, "there is no process %d%s", (int)pid,
                            access("/proc/self/status", R_OK) ? " to be seen: /proc is not mounted" : "");
    int64_t leader = status_number(status, "Tgid");
    if (leader > 0 && leader != pid)
        return ouro_err_set(err, OURO_INVAL, "%d is a thread of process %" PRId64 ": give that", (int)pid, leader);
    char state = status_state(status);
    if (state == 'Z' || state == 'X')
        return ouro_err_set(err, OURO_GONE, "process %d has ended already (a zombie): its memory is gone", (int)pid);
    OURO_TRY(check_class(pid, err));
    struct ouro_maps maps;
    enum ouro_status read = ouro_maps_read(&maps, pid, false, err);
    if (read == OURO_DENIED)
        return ouro_process_denied(pid, err);
    OURO_TRY(read);
    ouro_maps_fini(&maps);
    /* The permission is checked before the address, and nothing of the target is touched: no process has this one. */
    unsigned char byte;
    errno = 0;
    if (read_memory(&process->space, NOWHERE, &byte, 1) != OURO_OK && (errno == EPERM || errno == EACCES))
        return ouro_process_denied(pid, err);
    return OURO_OK;
}

enum ouro_status ouro_process_open(struct ouro_process **out, pid_t pid, struct ouro_err *err)
{
    struct ouro_process *process = calloc(1, sizeof *process);
    *out = NULL;
    if (!process)
        return ouro_err_set(err, OURO_NOMEM, "no memory");
    process->pid = pid;
    process->space = (struct ouro_space){.read = read_memory, .context = process};
    enum ouro_status status = check(process, err);
    if (status == OURO_OK && !read_stat(pid, 22, &process->start_ticks))
        status = ouro_err_set(err, OURO_GONE, "process %d ended", (int)pid);
    if (status != OURO_OK) {
        ouro_process_close(process);
        return status;
    }
    read_identity(process);
    *out = process;
    return OURO_OK;
}

void ouro_process_close(struct ouro_process *process)
{
    if (!process)
        return;
    ouro_stop_fini(&process->stop);
    free(process->command);
    free(process);
}

pid_t ouro_process_pid(const struct ouro_process *process)
{
    return process->pid;
}

uint64_t ouro_process_start_ticks(const struct ouro_process *process)
{
    return process->start_ticks;
}

uint64_t ouro_process_program(pid_t pid)
{
    enum { START_OF_CODE = 26, START_OF_STACK = 28 };
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    OURO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = 0;
    uint64_t program = 0;
    char *at = strrchr(text, ')');
    for (int field = 2; field <= START_OF_STACK && at; field++) {
        if (field == START_OF_CODE || field == START_OF_STACK)
            program = program * 31 + strtoull(at + 1, NULL, 10);
        at = strchr(at + 1, ' ');
    }
    return program;
}

double ouro_process_start_time(const struct ouro_process *process)
{
    return process->start_time;
}

const char *ouro_process_command(const struct ouro_process *process, size_t *size)
{
    *size = process->command ? process->command_bytes : 0;
    return process->command ? process->command : "";
}

const char *ouro_process_name(const struct ouro_process *process)
{
    return process->name;
}

const struct ouro_space *ouro_process_space(const struct ouro_process *process)
{
    return &process->space;
}

enum ouro_status ouro_process_stop(struct ouro_process *process, uint64_t timeout_ns, struct ouro_err *err)
{
    return ouro_stop_all(&process->stop, process->pid, timeout_ns, err);
}

void ouro_process_hold_at_most(struct ouro_process *process, uint64_t ns)
{
    process->stop.hold_max_ns = ns;
}

enum ouro_status ouro_process_stop_for(struct ouro_process *process, uint64_t timeout_ns,
                                       void (*work)(void *context, enum ouro_stop_moment moment), void *context, struct ouro_err *err)
{
    return ouro_stop_for(&process->stop, process->pid, timeout_ns, work, context, err);
}

void ouro_process_look(struct ouro_process *process)
{
    ouro_stop_look(&process->stop, process->pid);
}

void ouro_process_resume(struct ouro_process *process)
{
    ouro_stop_resume(&process->stop);
}

uint64_t ouro_process_stopped_ns(const struct ouro_process *process)
{
    return ouro_stop_duration_ns(&process->stop);
}

const struct ouro_thread_state *ouro_process_threads(const struct ouro_process *process, size_t *count)
{
    *count = process->stop.state_count;
    return process->stop.states;
}
