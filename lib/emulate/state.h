/* The machine's inside, shared by the files that run instructions. Internal to lib/emulate. */
#ifndef OURO_EMULATE_STATE_H
#define OURO_EMULATE_STATE_H

#include "emulate/insn.h"
#include "emulate/memory.h"

/* RFLAGS bits that the machine keeps. */
#define OURO_CF 0x001u
#define OURO_PF 0x004u
#define OURO_ZF 0x040u
#define OURO_SF 0x080u
#define OURO_OF 0x800u

/* Numbers of registers, as instructions have them. */
#define OURO_RAX 0u
#define OURO_RCX 1u
#define OURO_RDX 2u
#define OURO_RSP 4u
#define OURO_RBP 5u
#define OURO_RSI 6u
#define OURO_RDI 7u

/* Flags are kept as the operands that they come from, shifted to the top of 64 bits, until somebody asks. */
enum ouro_flags_from { OURO_FLAGS_BITS, OURO_FLAGS_SUB, OURO_FLAGS_ADD, OURO_FLAGS_LOGIC };

struct ouro_operand {
    uint64_t value; /* zero-extended */
    struct ouro_origin origin;
};

struct ouro_cpu {
    uint64_t r[17]; /* [16] is always 0 */
    struct ouro_origin o[17];
    uint64_t x[16][2];
    struct ouro_origin xo[16][2];
    uint64_t flag_a, flag_b;
    uint32_t flag_bits;
    uint8_t flags_from; /* enum ouro_flags_from */
    uint8_t flag_size;
    bool carry_varies; /* the carry is older than the other flags, and depends on the subject */
    struct ouro_origin flag_origin; /* FIELD: a comparison of that word with NULL */
    uint32_t depth;
    struct ouro_insn *next; /* to run next; NULL: `end` says why there is none */
};

#define OURO_JUMP_SLOTS 1024u
#define OURO_INSN_CHUNK 2048u /* instructions allocated at a time */
#define OURO_BLOCK_MAX 64u

/* Ends of a run that are no ends of a call. */
#define OURO_MACHINE_PAUSED ((enum ouro_machine_end)(OURO_MACHINE_END_COUNT + 1)) /* at a NULL test, exploring */
#define OURO_MACHINE_ONWARD ((enum ouro_machine_end)(OURO_MACHINE_END_COUNT + 2)) /* as many steps as were asked for */

struct ouro_machine {
    struct ouro_cpu cpu;
    struct ouro_memory memory;
    const struct ouro_image *image;
    struct ouro_modules *modules;
    ouro_addr fs, subject;
    int32_t constant_offset;
    struct ouro_machine_budget budget;
    uint64_t instructions, instruction_limit;
    bool exploring, stepping, varied, stored, tracing, visited_null;
    enum ouro_machine_end end; /* why there is no next instruction */
    ouro_addr at;
    /* Where the call wrote outside of the stack: what is read from there again is no longer as it was in the image. */
    struct { ouro_addr start, end; } written[16];
    unsigned written_count; /* more than there is room for: anywhere */
    ouro_addr stack_low; /* the lowest address of the stack written to since it was cleaned */
    struct { struct ouro_machine_visit *items; size_t count, capacity; } visits;
    struct { ouro_addr addr; uint64_t value; } loads[8]; /* the last 8-byte loads, while tracing */
    unsigned load_count;
    /* Decoded code. */
    struct ouro_map blocks; /* address -> struct ouro_insn * */
    struct { struct ouro_insn **items; size_t count, capacity; } chunks; /* owned */
    size_t chunk_used; /* of the last one */
    struct { ouro_addr addr; struct ouro_insn *insn; } jumps[OURO_JUMP_SLOTS];
    struct ouro_map stops; /* address -> 1: stop; 2 + n: the library's function n */
    struct ouro_map libraries; /* modules whose library functions were looked for: address of the module -> 1 */
    bool looking; /* for library functions */
    struct ouro_insn trap_return, trap_visit;
    struct ouro_origin stack_origin[OURO_MACHINE_STACK_BYTES / 8];
};

/* run.c */
enum ouro_machine_end ouro_machine_run(struct ouro_machine *machine);
/* Leaves the function that was just entered, with what it returns in rax; false: machine->end. */
bool ouro_machine_leave(struct ouro_machine *machine);
uint32_t ouro_cpu_flags(const struct ouro_cpu *cpu);
/* operate.c: an instruction that is neither a branch nor among the frequent ones. false: machine->end says why. */
bool ouro_machine_operate(struct ouro_machine *machine, const struct ouro_insn *insn);
/* What a comparison of a with b depends on. */
struct ouro_origin ouro_origin_compare(struct ouro_operand a, struct ouro_operand b, unsigned size);
/* string.c: stos, movs and scas. */
bool ouro_machine_operate_string(struct ouro_machine *machine, const struct ouro_insn *insn);
/* vector.c */
bool ouro_machine_operate_vector(struct ouro_machine *machine, const struct ouro_insn *insn);
/* code.c: the instruction at an address, decoded; NULL: machine->end. */
struct ouro_insn *ouro_machine_find(struct ouro_machine *machine, ouro_addr addr);
void ouro_machine_forget_code(struct ouro_machine *machine);
bool ouro_machine_code_is_large(const struct ouro_machine *machine);
/* link.c: looks at the slot that an indirect jump goes through; *target becomes what the dynamic linker would have put there. */
bool ouro_machine_settle(struct ouro_machine *machine, ouro_addr slot, uint64_t *target);
/* machine.c: calls a function from within a call, on the same stack. false: it didn't return. */
bool ouro_machine_nested(struct ouro_machine *machine, ouro_addr function, uint64_t *result);
/* library.c */
void ouro_machine_find_library(struct ouro_machine *machine, ouro_addr addr);
bool ouro_machine_library(struct ouro_machine *machine, unsigned function);

static inline struct ouro_origin ouro_origin(enum ouro_origin_kind kind, int64_t offset)
{
    if (offset != (int32_t)offset)
        return (struct ouro_origin){OURO_ORIGIN_OTHER, 0};
    return (struct ouro_origin){kind, (int32_t)offset};
}

#define OURO_CONSTANT ((struct ouro_origin){OURO_ORIGIN_CONSTANT, 0})
#define OURO_OTHER ((struct ouro_origin){OURO_ORIGIN_OTHER, 0})

/* Of a value that was computed from one. */
static inline struct ouro_origin ouro_origin_part(struct ouro_origin origin)
{
    if (origin.kind == OURO_ORIGIN_SUBJECT)
        return OURO_OTHER;
    if (origin.kind == OURO_ORIGIN_FIELD)
        origin.kind = OURO_ORIGIN_VIA;
    return origin;
}

static inline struct ouro_origin ouro_origin_mix(struct ouro_origin a, struct ouro_origin b)
{
    return a.kind != OURO_ORIGIN_CONSTANT ? ouro_origin_part(a) : ouro_origin_part(b);
}

struct ouro_origin ouro_machine_address_origin(const struct ouro_machine *machine, const struct ouro_insn *insn,
                                               ouro_addr addr);

/* The address of the instruction's memory operand. */
static inline ouro_addr ouro_machine_address(const struct ouro_machine *machine, const struct ouro_insn *insn,
                                             struct ouro_origin *origin)
{
    const struct ouro_cpu *cpu = &machine->cpu;
    ouro_addr addr = cpu->r[insn->base] + (cpu->r[insn->index] << insn->shift) + (uint64_t)insn->disp;
    if (__builtin_expect(insn->flags & (OURO_INSN_FS | OURO_INSN_ADDRESS32), 0)) {
        if (insn->flags & OURO_INSN_ADDRESS32)
            addr = (uint32_t)addr;
        if (insn->flags & OURO_INSN_FS)
            addr += machine->fs;
    }
    *origin = (cpu->o[insn->base].kind | cpu->o[insn->index].kind) == OURO_ORIGIN_CONSTANT
                  ? OURO_CONSTANT
                  : ouro_machine_address_origin(machine, insn, addr);
    return addr;
}

bool ouro_machine_was_written(const struct ouro_machine *machine, ouro_addr addr, unsigned size);
struct ouro_origin ouro_machine_stack_origin(const struct ouro_machine *machine, ouro_addr addr, unsigned size);

static inline struct ouro_origin ouro_machine_load_origin(const struct ouro_machine *machine, ouro_addr addr,
                                                          struct ouro_origin at, unsigned size)
{
    if (addr - OURO_MACHINE_STACK < OURO_MACHINE_STACK_BYTES) {
        if (at.kind != OURO_ORIGIN_CONSTANT)
            return OURO_OTHER;
        return !(addr & 7) && size == 8 ? machine->stack_origin[(addr - OURO_MACHINE_STACK) >> 3]
                                        : ouro_machine_stack_origin(machine, addr, size);
    }
    if (__builtin_expect(machine->stored, 0) && ouro_machine_was_written(machine, addr, size))
        return OURO_OTHER;
    switch ((enum ouro_origin_kind)at.kind) {
    case OURO_ORIGIN_CONSTANT:
    case OURO_ORIGIN_VIA:
        break;
    case OURO_ORIGIN_SUBJECT:
        if (at.offset == machine->constant_offset && size == 8)
            return OURO_CONSTANT;
        at.kind = size == 8 ? OURO_ORIGIN_FIELD : OURO_ORIGIN_VIA;
        break;
    case OURO_ORIGIN_FIELD:
        at.kind = OURO_ORIGIN_VIA;
        break;
    case OURO_ORIGIN_WITHIN:
    case OURO_ORIGIN_OTHER:
        break;
    }
    return at;
}

/* `size`: 1, 2, 4 or 8. */
static inline bool ouro_machine_load(struct ouro_machine *machine, ouro_addr addr, struct ouro_origin at, unsigned size,
                                     uint64_t *value, struct ouro_origin *origin)
{
    if (__builtin_expect(!ouro_memory_load(&machine->memory, addr, size, value), 0)) {
        machine->end = machine->memory.end;
        return false;
    }
    *origin = ouro_machine_load_origin(machine, addr, at, size);
    if (__builtin_expect(machine->tracing, 0) && size == 8 && addr - OURO_MACHINE_STACK >= OURO_MACHINE_STACK_BYTES) {
        unsigned i = machine->load_count++ % (sizeof machine->loads / sizeof *machine->loads);
        machine->loads[i].addr = addr;
        machine->loads[i].value = *value;
    }
    return true;
}

bool ouro_machine_store_elsewhere(struct ouro_machine *machine, ouro_addr addr, struct ouro_origin at, unsigned size,
                                  uint64_t value, struct ouro_origin origin);

static inline bool ouro_machine_store(struct ouro_machine *machine, ouro_addr addr, struct ouro_origin at, unsigned size,
                                      uint64_t value, struct ouro_origin origin)
{
    if (addr - OURO_MACHINE_STACK <= OURO_MACHINE_STACK_BYTES - 8 && size == 8 && !(addr & 7) &&
        at.kind == OURO_ORIGIN_CONSTANT) {
        __builtin_memcpy(machine->memory.stack + (addr - OURO_MACHINE_STACK), &value, 8);
        machine->stack_origin[(addr - OURO_MACHINE_STACK) >> 3] = origin;
        if (addr < machine->stack_low)
            machine->stack_low = addr;
        return true;
    }
    return ouro_machine_store_elsewhere(machine, addr, at, size, value, origin);
}

static inline uint64_t ouro_mask(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

static inline uint64_t ouro_top(uint64_t value, unsigned size)
{
    return value << (64 - 8 * size);
}

static inline void ouro_cpu_set_flags(struct ouro_cpu *cpu, enum ouro_flags_from from, uint64_t a, uint64_t b, unsigned size,
                                      struct ouro_origin origin)
{
    cpu->flag_a = ouro_top(a, size);
    cpu->flag_b = ouro_top(b, size);
    cpu->flag_size = (uint8_t)size;
    cpu->flags_from = (uint8_t)from;
    cpu->flag_origin = origin;
    cpu->carry_varies = false;
}

static inline void ouro_cpu_set_flag_bits(struct ouro_cpu *cpu, uint32_t bits, struct ouro_origin origin)
{
    cpu->flag_bits = bits;
    cpu->flags_from = OURO_FLAGS_BITS;
    cpu->flag_origin = origin;
    cpu->carry_varies = false;
}

/* What a condition depends on. */
static inline struct ouro_origin ouro_cpu_condition_origin(const struct ouro_cpu *cpu, unsigned condition)
{
    bool carry = condition >> 1 == 1 || condition >> 1 == 3;
    return carry && cpu->carry_varies ? OURO_OTHER : cpu->flag_origin;
}

bool ouro_cpu_condition(const struct ouro_cpu *cpu, unsigned condition);
/* Asks a condition for the sake of a branch or selection: notes what it depends on. */
bool ouro_machine_decide(struct ouro_machine *machine, unsigned condition);

#endif
