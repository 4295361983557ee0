#include "emulate/state.h"

#include "base/buf.h"

static uint32_t result_bits(uint64_t result, unsigned size)
{
    uint32_t bits = result ? 0 : OURO_ZF;
    bits |= result >> 63 ? OURO_SF : 0;
    bits |= __builtin_parity((unsigned)(result >> (64 - 8 * size) & 0xff)) ? 0 : OURO_PF;
    return bits;
}

uint32_t ouro_cpu_flags(const struct ouro_cpu *cpu)
{
    uint64_t a = cpu->flag_a, b = cpu->flag_b, result;
    uint32_t bits;
    switch ((enum ouro_flags_from)cpu->flags_from) {
    case OURO_FLAGS_SUB:
        result = a - b;
        bits = result_bits(result, cpu->flag_size) | (a < b ? OURO_CF : 0);
        return bits | (((a ^ b) & (a ^ result)) >> 63 ? OURO_OF : 0);
    case OURO_FLAGS_ADD:
        result = a + b;
        bits = result_bits(result, cpu->flag_size) | (result < a ? OURO_CF : 0);
        return bits | ((~(a ^ b) & (a ^ result)) >> 63 ? OURO_OF : 0);
    case OURO_FLAGS_LOGIC:
        return result_bits(a, cpu->flag_size);
    case OURO_FLAGS_BITS:
        break;
    }
    return cpu->flag_bits;
}

static bool condition_of_bits(uint32_t bits, unsigned condition)
{
    bool sign = !(bits & OURO_SF) != !(bits & OURO_OF), holds = false;
    switch (condition >> 1) {
    case 0: holds = bits & OURO_OF; break;
    case 1: holds = bits & OURO_CF; break;
    case 2: holds = bits & OURO_ZF; break;
    case 3: holds = bits & (OURO_CF | OURO_ZF); break;
    case 4: holds = bits & OURO_SF; break;
    case 5: holds = bits & OURO_PF; break;
    case 6: holds = sign; break;
    case 7: holds = sign || bits & OURO_ZF; break;
    }
    return holds != (condition & 1);
}

bool ouro_cpu_condition(const struct ouro_cpu *cpu, unsigned condition)
{
    bool holds;
    uint64_t a = cpu->flag_a, b = cpu->flag_b;
    if (cpu->flags_from == OURO_FLAGS_LOGIC)
        b = 0; /* like a comparison with 0: neither carries nor overflows */
    else if (cpu->flags_from != OURO_FLAGS_SUB)
        return condition_of_bits(ouro_cpu_flags(cpu), condition);
    switch (condition >> 1) {
    case 1: holds = a < b; break;
    case 2: holds = a == b; break;
    case 3: holds = a <= b; break;
    case 6: holds = (int64_t)a < (int64_t)b; break;
    case 7: holds = (int64_t)a <= (int64_t)b; break;
    default: return condition_of_bits(ouro_cpu_flags(cpu), condition);
    }
    return holds != (condition & 1);
}

static void note_visit(struct ouro_machine *machine, ouro_addr addr, struct ouro_origin origin)
{
    struct ouro_machine_visit *visit = OURO_VEC_ADD(&machine->visits);
    if (visit)
        *visit = (struct ouro_machine_visit){addr, origin};
    else
        machine->end = OURO_MACHINE_MEMORY;
}

bool ouro_machine_decide(struct ouro_machine *machine, unsigned condition)
{
    struct ouro_cpu *cpu = &machine->cpu;
    bool holds = ouro_cpu_condition(cpu, condition);
    struct ouro_origin origin = ouro_cpu_condition_origin(cpu, condition);
    if (origin.kind == OURO_ORIGIN_CONSTANT)
        return holds;
    if (origin.kind != OURO_ORIGIN_FIELD || condition >> 1 != 2) {
        machine->varied = true;
        return holds;
    }
    bool null = holds == (condition == 4);
    struct ouro_machine_visit *last = machine->visits.count ? &machine->visits.items[machine->visits.count - 1] : NULL;
    bool again = last && !last->addr && last->origin.offset == origin.offset;
    if (null && !machine->exploring && !again && machine->visits.count < machine->budget.visits)
        note_visit(machine, 0, origin);
    return holds;
}

struct ouro_origin ouro_machine_address_origin(const struct ouro_machine *machine, const struct ouro_insn *insn,
                                               ouro_addr addr)
{
    const struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_origin base = cpu->o[insn->base], index = cpu->o[insn->index];
    if (base.kind == OURO_ORIGIN_CONSTANT) {
        if (insn->shift && index.kind != OURO_ORIGIN_OTHER) /* a table of constants asked at a place that varies */
            return OURO_OTHER;
        base = index;
        index = OURO_CONSTANT;
    }
    if (base.kind == OURO_ORIGIN_SUBJECT && index.kind == OURO_ORIGIN_CONSTANT && !(insn->flags & OURO_INSN_ADDRESS32))
        return ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)(addr - machine->subject));
    if (base.kind == OURO_ORIGIN_SUBJECT)
        base.kind = OURO_ORIGIN_WITHIN, base.offset = 0;
    if (base.kind == OURO_ORIGIN_FIELD)
        base.kind = OURO_ORIGIN_VIA;
    return base;
}

struct ouro_origin ouro_machine_stack_origin(const struct ouro_machine *machine, ouro_addr addr, unsigned size)
{
    uint64_t first = (addr - OURO_MACHINE_STACK) >> 3, last = (addr - OURO_MACHINE_STACK + size - 1) >> 3;
    if (last >= OURO_MACHINE_STACK_BYTES / 8)
        last = first;
    return ouro_origin_mix(machine->stack_origin[first], machine->stack_origin[last]);
}

bool ouro_machine_was_written(const struct ouro_machine *machine, ouro_addr addr, unsigned size)
{
    size_t room = sizeof machine->written / sizeof *machine->written;
    if (machine->written_count > room)
        return true;
    for (unsigned i = 0; i < machine->written_count; i++)
        if (addr < machine->written[i].end && machine->written[i].start < addr + size)
            return true;
    return false;
}

static void note_write(struct ouro_machine *machine, ouro_addr addr, unsigned size)
{
    size_t room = sizeof machine->written / sizeof *machine->written;
    machine->stored = true;
    if (ouro_machine_was_written(machine, addr, 1) && ouro_machine_was_written(machine, addr + size - 1, 1))
        return;
    if (machine->written_count && machine->written_count <= room && machine->written[machine->written_count - 1].end == addr) {
        machine->written[machine->written_count - 1].end += size; /* one behind the other, as a loop writes */
        return;
    }
    if (machine->written_count < room) {
        machine->written[machine->written_count].start = addr;
        machine->written[machine->written_count].end = addr + size;
    }
    if (machine->written_count <= room)
        machine->written_count++;
}

bool ouro_machine_store_elsewhere(struct ouro_machine *machine, ouro_addr addr, struct ouro_origin at, unsigned size,
                                  uint64_t value, struct ouro_origin origin)
{
    if (!ouro_memory_store(&machine->memory, addr, size, value)) {
        machine->end = machine->memory.end;
        /* Below the stack: it was used up. */
        if (machine->end == OURO_MACHINE_WRITE_FAULT && OURO_MACHINE_STACK - addr < OURO_MACHINE_STACK_BYTES)
            machine->end = OURO_MACHINE_DEPTH;
        return false;
    }
    if (at.kind != OURO_ORIGIN_CONSTANT)
        machine->varied = true;
    if (addr - OURO_MACHINE_STACK >= OURO_MACHINE_STACK_BYTES) {
        note_write(machine, addr, size);
        return true;
    }
    if (addr < machine->stack_low)
        machine->stack_low = addr;
    uint64_t first = (addr - OURO_MACHINE_STACK) >> 3, last = (addr - OURO_MACHINE_STACK + size - 1) >> 3;
    for (uint64_t i = first; i <= last && i < OURO_MACHINE_STACK_BYTES / 8; i++)
        machine->stack_origin[i] = at.kind != OURO_ORIGIN_CONSTANT ? OURO_OTHER
                                                                   : ouro_origin_mix(origin, machine->stack_origin[i]);
    return true;
}

/* int visit(PyObject *what, void *arg): what a real one may change is not to be relied upon. */
static bool visit(struct ouro_machine *machine)
{
    static const unsigned char clobbered[] = {1, 2, 6, 7, 8, 9, 10, 11};
    struct ouro_cpu *cpu = &machine->cpu;
    if (machine->visits.count >= machine->budget.visits) {
        machine->end = OURO_MACHINE_VISITS;
        return false;
    }
    machine->end = OURO_MACHINE_RETURNED;
    note_visit(machine, cpu->r[7], cpu->o[7]);
    machine->visited_null |= !cpu->r[7];
    if (machine->end == OURO_MACHINE_MEMORY)
        return false;
    if (!machine->stepping)
        machine->instruction_limit += machine->budget.instructions_per_visit;
    for (size_t i = 0; i < sizeof clobbered; i++)
        cpu->o[clobbered[i]] = OURO_OTHER;
    cpu->r[0] = 0;
    cpu->o[0] = OURO_CONSTANT;
    ouro_cpu_set_flag_bits(cpu, 0, OURO_OTHER);
    return true;
}

static inline struct ouro_insn *follow(struct ouro_machine *machine, struct ouro_insn *insn)
{
    if (!insn->link)
        insn->link = ouro_machine_find(machine, (ouro_addr)insn->imm);
    return insn->link;
}

static struct ouro_insn *jump_to(struct ouro_machine *machine, ouro_addr addr)
{
    unsigned slot = (unsigned)(addr ^ addr >> 10) & (OURO_JUMP_SLOTS - 1);
    if (machine->jumps[slot].addr == addr && machine->jumps[slot].insn)
        return machine->jumps[slot].insn;
    struct ouro_insn *insn = ouro_machine_find(machine, addr);
    if (insn) {
        machine->jumps[slot].addr = addr;
        machine->jumps[slot].insn = insn;
    }
    return insn;
}

static bool push(struct ouro_machine *machine, uint64_t value, struct ouro_origin origin)
{
    struct ouro_cpu *cpu = &machine->cpu;
    ouro_addr to = cpu->r[OURO_RSP] - 8;
    if (!ouro_machine_store(machine, to, cpu->o[OURO_RSP], 8, value, origin))
        return false;
    cpu->r[OURO_RSP] = to;
    return true;
}

static inline bool pop(struct ouro_machine *machine, uint64_t *value, struct ouro_origin *origin)
{
    struct ouro_cpu *cpu = &machine->cpu;
    if (!ouro_machine_load(machine, cpu->r[OURO_RSP], cpu->o[OURO_RSP], 8, value, origin))
        return false;
    cpu->r[OURO_RSP] += 8;
    return true;
}

static struct ouro_insn *ret(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    uint64_t target;
    struct ouro_origin origin;
    if (!pop(machine, &target, &origin))
        return NULL;
    if (origin.kind != OURO_ORIGIN_CONSTANT)
        machine->varied = true;
    machine->cpu.r[OURO_RSP] += (uint64_t)insn->imm;
    machine->cpu.depth--;
    return jump_to(machine, target);
}

bool ouro_machine_leave(struct ouro_machine *machine)
{
    static const struct ouro_insn plain = {.op = OURO_INSN_RET};
    machine->cpu.next = ret(machine, &plain);
    return machine->cpu.next != NULL;
}

static bool enter(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    if (++machine->cpu.depth > machine->budget.depth) {
        machine->end = OURO_MACHINE_DEPTH;
        return false;
    }
    return push(machine, insn->at + insn->length, OURO_CONSTANT);
}

/* The target of an indirect jump or call. Slots of the procedure linkage table are looked at once: the image doesn't change. */
static struct ouro_insn *indirect(struct ouro_machine *machine, struct ouro_insn *insn)
{
    uint64_t target = machine->cpu.r[insn->src];
    struct ouro_origin origin = machine->cpu.o[insn->src], at;
    if (insn->flags & OURO_INSN_SRC_MEMORY) {
        ouro_addr slot = ouro_machine_address(machine, insn, &at);
        if (!ouro_machine_load(machine, slot, at, 8, &target, &origin))
            return NULL;
        bool fixed = insn->base == OURO_REGISTER_NONE && insn->index == OURO_REGISTER_NONE;
        if (fixed && !(insn->flags & OURO_INSN_FS) && !(insn->flags & OURO_INSN_SETTLED)) {
            uint64_t value = target;
            if (!ouro_machine_settle(machine, slot, &target))
                return NULL;
            if (target != value) { /* from now on a direct one */
                insn->imm = (int64_t)target;
                insn->op = insn->op == OURO_INSN_JMP_INDIRECT ? OURO_INSN_JMP : OURO_INSN_CALL;
            }
            insn->flags |= OURO_INSN_SETTLED;
        }
    }
    if (origin.kind != OURO_ORIGIN_CONSTANT)
        machine->varied = true;
    return jump_to(machine, target);
}

static bool test_registers(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_origin a = cpu->o[insn->dst], b = cpu->o[insn->src];
    struct ouro_origin origin = a;
    if (insn->dst != insn->src)
        origin = (a.kind | b.kind) == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
    else if (a.kind == OURO_ORIGIN_SUBJECT)
        origin = OURO_CONSTANT; /* never NULL */
    else if (a.kind != OURO_ORIGIN_CONSTANT && a.kind != OURO_ORIGIN_FIELD)
        origin = OURO_OTHER;
    ouro_cpu_set_flags(cpu, OURO_FLAGS_LOGIC, cpu->r[insn->dst] & cpu->r[insn->src], 0, 8, origin);
    return true;
}

/* The loop. One switch, so that the frequent instructions stay in one place; long for that reason. */
enum ouro_machine_end ouro_machine_run(struct ouro_machine *machine)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_insn *insn = cpu->next, *next;
    struct ouro_origin at, origin;
    uint64_t value;
    for (;;) {
        if (__builtin_expect(!insn, 0)) /* machine->end was set by whoever didn't find it */
            return machine->end;
        if (__builtin_expect(machine->instructions >= machine->instruction_limit, 0)) {
            cpu->next = insn;
            return machine->stepping ? OURO_MACHINE_ONWARD : OURO_MACHINE_INSTRUCTIONS;
        }
        machine->at = insn->at;
        machine->instructions++;
        next = insn + 1;
        switch ((enum ouro_insn_op)insn->op) {
        case OURO_INSN_MOV_RR:
            cpu->r[insn->dst] = cpu->r[insn->src];
            cpu->o[insn->dst] = cpu->o[insn->src];
            break;
        case OURO_INSN_LOAD:
            value = ouro_machine_address(machine, insn, &at);
            if (!ouro_machine_load(machine, value, at, 8, &value, &origin))
                return machine->end;
            cpu->r[insn->dst] = value;
            cpu->o[insn->dst] = origin;
            break;
        case OURO_INSN_STORE:
            value = ouro_machine_address(machine, insn, &at);
            if (!ouro_machine_store(machine, value, at, 8, cpu->r[insn->src], cpu->o[insn->src]))
                return machine->end;
            break;
        case OURO_INSN_TEST_RR:
            test_registers(machine, insn);
            break;
        case OURO_INSN_PUSH_R:
            if (!push(machine, cpu->r[insn->src], cpu->o[insn->src]))
                return machine->end;
            break;
        case OURO_INSN_POP_R:
            if (!pop(machine, &value, &origin))
                return machine->end;
            cpu->r[insn->dst] = value;
            cpu->o[insn->dst] = origin;
            break;
        case OURO_INSN_NOP:
            break;
        case OURO_INSN_JCC:
            if (machine->exploring && cpu->flag_origin.kind == OURO_ORIGIN_FIELD && insn->condition >> 1 == 2) {
                cpu->next = insn;
                machine->instructions--;
                return OURO_MACHINE_PAUSED;
            }
            if (ouro_machine_decide(machine, insn->condition))
                next = follow(machine, insn);
            break;
        case OURO_INSN_JMP:
        case OURO_INSN_GOTO:
            machine->instructions -= insn->op == OURO_INSN_GOTO;
            next = follow(machine, insn);
            break;
        case OURO_INSN_CALL:
            next = enter(machine, insn) ? follow(machine, insn) : NULL;
            break;
        case OURO_INSN_JMP_INDIRECT:
            next = indirect(machine, insn);
            break;
        case OURO_INSN_CALL_INDIRECT:
            next = indirect(machine, insn);
            next = next && enter(machine, insn) ? next : NULL;
            break;
        case OURO_INSN_RET:
            next = ret(machine, insn);
            break;
        case OURO_INSN_TRAP_VISIT:
            next = visit(machine) ? ret(machine, insn) : NULL;
            break;
        case OURO_INSN_TRAP_LIBRARY:
            next = ouro_machine_library(machine, insn->dst) ? ret(machine, insn) : NULL;
            break;
        case OURO_INSN_TRAP_RETURN:
            machine->instructions--;
            return OURO_MACHINE_RETURNED;
        case OURO_INSN_TRAP_STOP:
            machine->instructions--;
            return OURO_MACHINE_STOPPED;
        case OURO_INSN_UNKNOWN:
            machine->instructions--;
            return OURO_MACHINE_INSTRUCTION;
        case OURO_INSN_VECTOR:
            if (!ouro_machine_operate_vector(machine, insn))
                return machine->end;
            break;
        default:
            if (!ouro_machine_operate(machine, insn))
                return machine->end;
            break;
        }
        insn = next;
    }
}
