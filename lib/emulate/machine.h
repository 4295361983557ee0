/* A machine that runs x86-64 user code on a private view of a process's memory.
 *
 * It calls one function of the process as the process itself would, on the image of its memory: registers, flags, a stack of
 * its own, thread-local memory through fs. What the code writes goes to private copies of the pages, which are forgotten when
 * the next call begins. Nothing runs in the target, and nothing of the target's is changed. Code that asks for what the machine
 * doesn't have (a system call, an instruction that it doesn't know, a page that isn't there) ends the call with a reason; so do
 * the budgets. Whatever the bytes are, a call ends.
 *
 * It also notes where values come from, relative to one object that the caller names, the *subject*: whether a value is the same for
 * all subjects, is a word of the subject, was loaded through one, or depends on it in another way. So a caller learns which
 * field a visited pointer was in, and (ouro_machine_explore) whether a function always visits the same fields.
 *
 * Not checked: the alignment of operands. Not kept: floating point and vectors beyond 16 bytes.
 *
 * It knows registers, memory and calls, and nothing of Python. One machine belongs to one thread.
 *
 * Without Zydis, or on another machine than x86-64, ouro_machine_new returns OURO_UNSUPPORTED. */
#ifndef OURO_EMULATE_MACHINE_H
#define OURO_EMULATE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"
#include "target/image.h"
#include "target/module.h"

/* The machine's own addresses lie above all that a process can have. */
#define OURO_MACHINE_TRAPS   UINT64_C(0x0000900000000000)
#define OURO_MACHINE_RETURN  (OURO_MACHINE_TRAPS + 0x00) /* where a called function returns to */
#define OURO_MACHINE_VISIT   (OURO_MACHINE_TRAPS + 0x10) /* int visit(void *what, ...): notes `what`, returns 0 */
#define OURO_MACHINE_STACK   UINT64_C(0x0000900100000000)
#define OURO_MACHINE_STACK_BYTES ((size_t)256 << 10)
#define OURO_MACHINE_SCRATCH UINT64_C(0x0000900200000000)
#define OURO_MACHINE_SCRATCH_BYTES ((size_t)4 << 20)

/* How a call ended. */
enum ouro_machine_end {
    OURO_MACHINE_RETURNED = 0,
    OURO_MACHINE_STOPPED,      /* it came to an address given to ouro_machine_stop_at */
    OURO_MACHINE_INSTRUCTION,  /* an instruction that the machine doesn't know */
    OURO_MACHINE_NO_CODE,      /* it went where no code is */
    OURO_MACHINE_READ_FAULT,   /* it read what isn't there */
    OURO_MACHINE_WRITE_FAULT,  /* it wrote to what isn't there or may not be written */
    OURO_MACHINE_SHARED_WRITE, /* it wrote to memory that is shared with others */
    OURO_MACHINE_UNRESOLVED,   /* it called a function that the dynamic linker has not resolved, nor could we */
    OURO_MACHINE_DIVIDE,       /* a division by zero or that overflows */
    OURO_MACHINE_INSTRUCTIONS, /* budgets: instructions */
    OURO_MACHINE_DEPTH,        /*          nested calls, or the stack */
    OURO_MACHINE_PAGES,        /*          pages written to, or brought from elsewhere than the image */
    OURO_MACHINE_VISITS,       /*          visits */
    OURO_MACHINE_MEMORY,       /* no memory for us */
    OURO_MACHINE_END_COUNT
};
/* A short word for it, as in "budget-instructions". */
const char *ouro_machine_end_name(enum ouro_machine_end end);

/* Where a value comes from. */
enum ouro_origin_kind {
    OURO_ORIGIN_CONSTANT, /* the same for every subject: constants, global memory, what is loaded through the constant word */
    OURO_ORIGIN_SUBJECT,  /* the subject's address plus `offset` */
    OURO_ORIGIN_FIELD,    /* the 8-byte word at the subject's address plus `offset`, as it is */
    OURO_ORIGIN_VIA,      /* computed from, or loaded through, the word at the subject plus `offset` */
    OURO_ORIGIN_WITHIN,   /* an address in or behind the subject, or a word there, whose offset depends on data */
    OURO_ORIGIN_OTHER,    /* depends on the subject in another way */
};
struct ouro_origin {
    uint32_t kind; /* enum ouro_origin_kind */
    int32_t offset;
};

/* A visit, in order. addr 0: no visit, but a test of the field at the origin's offset that found NULL. */
struct ouro_machine_visit {
    ouro_addr addr;
    struct ouro_origin origin;
};

struct ouro_machine_budget {
    uint64_t instructions;           /* and ... */
    uint64_t instructions_per_visit; /* ... for each visit so many more */
    uint32_t depth;                  /* nested calls */
    uint32_t pages;                  /* written to, or brought from elsewhere than the image, in one call */
    uint64_t visits;
};
extern const struct ouro_machine_budget ouro_machine_default_budget;

struct ouro_machine_call {
    ouro_addr function;
    ouro_addr arguments[6];
    ouro_addr subject;       /* 0: none; must be one of the arguments, or be reached only through constants */
    int32_t constant_offset; /* the word at subject + this is the same for all (the object's type); INT32_MIN: none */
    const struct ouro_machine_budget *budget; /* NULL: the default */
};

struct ouro_machine;

/* image is borrowed; modules (may be NULL: nothing is resolved) as well. */
enum ouro_status ouro_machine_new(struct ouro_machine **machine, const struct ouro_image *image,
                                  struct ouro_modules *modules, struct ouro_err *err);
void ouro_machine_free(struct ouro_machine *machine);

/* The base of thread-local memory. */
void ouro_machine_set_fs(struct ouro_machine *machine, ouro_addr fs);
/* A private change that stays for all calls to come. false: that isn't there. */
bool ouro_machine_poke(struct ouro_machine *machine, ouro_addr addr, const void *bytes, size_t size);
/* A call that comes to this address ends there. Between calls only, as poking is. */
bool ouro_machine_stop_at(struct ouro_machine *machine, ouro_addr addr);
/* OURO_MACHINE_SCRATCH_BYTES that code sees at OURO_MACHINE_SCRATCH, zero at first; what code writes there stays. */
unsigned char *ouro_machine_scratch(struct ouro_machine *machine);

/* Calls a function and lets it run to its end. */
enum ouro_machine_end ouro_machine_call(struct ouro_machine *machine, const struct ouro_machine_call *call);
/* After STOPPED: goes on as if the function that it came to had returned `result`. */
enum ouro_machine_end ouro_machine_resume(struct ouro_machine *machine, uint64_t result);
/* What the last call did; borrowed until the next. */
const struct ouro_machine_visit *ouro_machine_visits(const struct ouro_machine *machine, size_t *count);
/* RAX at its end, or (STOPPED) the first argument of the function that it came to. */
uint64_t ouro_machine_result(const struct ouro_machine *machine, struct ouro_origin *origin);
/* Where it was at its end: the address of the instruction, for STOPPED the address that it came to. */
ouro_addr ouro_machine_at(const struct ouro_machine *machine);
/* Whether a branch, a selection or an address to write to depended on the subject otherwise than by NULL tests of its fields. */
bool ouro_machine_varied(const struct ouro_machine *machine);
/* Remembers the last loads of words, for the next function. Off at first. */
void ouro_machine_trace(struct ouro_machine *machine, bool on);
/* The address outside of the stack that the result was loaded from, 0 when it was none of the last 8 words that were. */
ouro_addr ouro_machine_result_source(const struct ouro_machine *machine);
/* Whether the visitor was called with NULL, which no traverse may do. */
bool ouro_machine_visited_null(const struct ouro_machine *machine);
/* Instructions run by the last call. */
uint64_t ouro_machine_instructions(const struct ouro_machine *machine);
/* Memory as the last call left it. */
bool ouro_machine_read(struct ouro_machine *machine, ouro_addr addr, void *out, size_t size);

/* Finds out whether the function visits the same fields whatever subject it is given, each unless it is NULL: it is run along both
 * ways of every NULL test, and both must come to the same state again. true: visits (ouro_machine_visits) are FIELDs, SUBJECT + 0
 * never, and CONSTANTs. The subject should lie in the scratch memory, its words pointing to memory there, none NULL. */
bool ouro_machine_explore(struct ouro_machine *machine, const struct ouro_machine_call *call);

/* For tests: registers as in the machine code (rax 0, rcx 1, rdx 2, rbx 3, rsp 4 ... r15 15), then rip (16) and flags (17, CF PF
 * ZF SF OF only). Begins a call without running it; then runs one instruction at a time. */
#define OURO_MACHINE_REGISTERS 18
void ouro_machine_begin(struct ouro_machine *machine, const struct ouro_machine_call *call);
/* false: the call has ended, *end says how. */
bool ouro_machine_step(struct ouro_machine *machine, enum ouro_machine_end *end);
void ouro_machine_registers(const struct ouro_machine *machine, uint64_t registers[OURO_MACHINE_REGISTERS]);
void ouro_machine_set_register(struct ouro_machine *machine, unsigned number, uint64_t value);
void ouro_machine_vector(const struct ouro_machine *machine, unsigned number, uint64_t vector[2]);
void ouro_machine_set_vector(struct ouro_machine *machine, unsigned number, const uint64_t vector[2]);

#endif
