/* Instructions that go along strings, forwards. Repeated, each element counts as an instruction. */
#include "emulate/state.h"

/* Counts an element that isn't the last. false: machine->end. */
static bool count_element(struct ouro_machine *machine)
{
    if (machine->stepping || ++machine->instructions < machine->instruction_limit)
        return true;
    machine->end = OURO_MACHINE_INSTRUCTIONS;
    return false;
}

/* Past an element of the string that a register points into. */
static void advance(struct ouro_cpu *cpu, unsigned number, unsigned size)
{
    cpu->r[number] += size;
    if (cpu->o[number].kind == OURO_ORIGIN_SUBJECT)
        cpu->o[number] = ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)cpu->o[number].offset + size);
}

/* stos and movs. */
static bool fill(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    bool repeat = insn->flags & OURO_INSN_REPEAT;
    if (repeat && cpu->o[OURO_RCX].kind != OURO_ORIGIN_CONSTANT)
        machine->varied = true;
    while (!repeat || cpu->r[OURO_RCX]) {
        uint64_t value = cpu->r[OURO_RAX] & ouro_mask(insn->size);
        struct ouro_origin origin = insn->size == 8 ? cpu->o[OURO_RAX] : ouro_origin_part(cpu->o[OURO_RAX]);
        if (insn->op == OURO_INSN_MOVS) {
            if (!ouro_machine_load(machine, cpu->r[OURO_RSI], cpu->o[OURO_RSI], insn->size, &value, &origin))
                return false;
        }
        if (!ouro_machine_store(machine, cpu->r[OURO_RDI], cpu->o[OURO_RDI], insn->size, value, origin))
            return false;
        advance(cpu, OURO_RDI, insn->size);
        if (insn->op == OURO_INSN_MOVS)
            advance(cpu, OURO_RSI, insn->size);
        if (!repeat)
            return true;
        cpu->r[OURO_RCX]--;
        if (!count_element(machine))
            return false;
    }
    return true;
}

/* scas. How far it comes depends on what stands there. Old compilers make strlen of it. */
static bool scan(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_operand wanted = {cpu->r[OURO_RAX] & ouro_mask(insn->size), cpu->o[OURO_RAX]}, found;
    if (insn->size < 8)
        wanted.origin = ouro_origin_part(wanted.origin);
    machine->varied |= insn->third != 0;
    while (!insn->third || cpu->r[OURO_RCX]) {
        if (!ouro_machine_load(machine, cpu->r[OURO_RDI], cpu->o[OURO_RDI], insn->size, &found.value, &found.origin))
            return false;
        cpu->r[OURO_RDI] += insn->size;
        cpu->o[OURO_RDI] = OURO_OTHER;
        ouro_cpu_set_flags(cpu, OURO_FLAGS_SUB, wanted.value, found.value, insn->size,
                           ouro_origin_compare(wanted, found, insn->size));
        if (!insn->third)
            return true;
        cpu->r[OURO_RCX]--;
        cpu->o[OURO_RCX] = OURO_OTHER;
        if ((wanted.value == found.value) != (insn->third == 1))
            return true;
        if (!count_element(machine))
            return false;
    }
    return true;
}

bool ouro_machine_operate_string(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    return insn->op == OURO_INSN_SCAS ? scan(machine, insn) : fill(machine, insn);
}
