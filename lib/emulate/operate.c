#include "emulate/state.h"

static uint64_t sign_extend(uint64_t value, unsigned size)
{
    return size == 8 ? value : (uint64_t)((int64_t)ouro_top(value, size) >> (64 - 8 * size));
}

static struct ouro_operand get_register(const struct ouro_machine *machine, unsigned number, unsigned size, bool high)
{
    struct ouro_operand operand = {machine->cpu.r[number], machine->cpu.o[number]};
    if (size == 8)
        return operand;
    operand.value = high ? operand.value >> 8 & 0xff : operand.value & ouro_mask(size);
    operand.origin = ouro_origin_part(operand.origin);
    return operand;
}

static void set_register(struct ouro_machine *machine, unsigned number, unsigned size, bool high,
                         struct ouro_operand operand)
{
    struct ouro_cpu *cpu = &machine->cpu;
    if (size >= 4) {
        cpu->r[number] = size == 8 ? operand.value : (uint32_t)operand.value;
        cpu->o[number] = size == 8 ? operand.origin : ouro_origin_part(operand.origin);
        return;
    }
    unsigned shift = high ? 8 : 0;
    cpu->r[number] = (cpu->r[number] & ~(ouro_mask(size) << shift)) | (operand.value & ouro_mask(size)) << shift;
    cpu->o[number] = ouro_origin_mix(operand.origin, cpu->o[number]);
}

/* Where a destination is, so that it is looked up once for reading and writing. */
struct place {
    ouro_addr addr;
    struct ouro_origin at;
};

static bool get_dst(struct ouro_machine *machine, const struct ouro_insn *insn, struct place *place,
                    struct ouro_operand *operand)
{
    if (!(insn->flags & OURO_INSN_DST_MEMORY)) {
        *operand = get_register(machine, insn->dst, insn->size, insn->flags & OURO_INSN_DST_HIGH);
        return true;
    }
    place->addr = ouro_machine_address(machine, insn, &place->at);
    return ouro_machine_load(machine, place->addr, place->at, insn->size, &operand->value, &operand->origin);
}

static bool set_dst(struct ouro_machine *machine, const struct ouro_insn *insn, const struct place *place,
                    struct ouro_operand operand)
{
    if (insn->flags & OURO_INSN_DST_MEMORY)
        return ouro_machine_store(machine, place->addr, place->at, insn->size, operand.value & ouro_mask(insn->size),
                                  insn->size == 8 ? operand.origin : ouro_origin_part(operand.origin));
    set_register(machine, insn->dst, insn->size, insn->flags & OURO_INSN_DST_HIGH, operand);
    return true;
}

static bool get_src(struct ouro_machine *machine, const struct ouro_insn *insn, unsigned size,
                    struct ouro_operand *operand)
{
    struct ouro_origin at;
    if (insn->flags & OURO_INSN_SRC_IMM) {
        *operand = (struct ouro_operand){(uint64_t)insn->imm & ouro_mask(size), OURO_CONSTANT};
        return true;
    }
    if (insn->flags & OURO_INSN_SRC_MEMORY) {
        ouro_addr addr = ouro_machine_address(machine, insn, &at);
        return ouro_machine_load(machine, addr, at, size, &operand->value, &operand->origin);
    }
    *operand = get_register(machine, insn->src, size, insn->flags & OURO_INSN_SRC_HIGH);
    return true;
}

static bool move(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct place place = {0};
    struct ouro_operand operand;
    unsigned size = insn->op == OURO_INSN_MOV ? insn->size : insn->src_size;
    if (!get_src(machine, insn, size, &operand))
        return false;
    if (insn->op == OURO_INSN_MOVSX)
        operand.value = sign_extend(operand.value, size);
    if (size < insn->size)
        operand.origin = ouro_origin_part(operand.origin);
    if (insn->flags & OURO_INSN_DST_MEMORY)
        place.addr = ouro_machine_address(machine, insn, &place.at);
    return set_dst(machine, insn, &place, operand);
}

static bool lea(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_insn without = *insn; /* segments play no part */
    struct ouro_operand operand;
    without.flags &= (uint16_t)~OURO_INSN_FS;
    operand.value = ouro_machine_address(machine, &without, &operand.origin);
    set_register(machine, insn->dst, insn->size, false, operand);
    return true;
}

/* The origin of a sum: an address within the subject stays one while what is added is the same for all. */
static struct ouro_origin sum_origin(const struct ouro_machine *machine, struct ouro_operand a, struct ouro_operand b,
                                     uint64_t result, unsigned size, bool subtract)
{
    if ((a.origin.kind | b.origin.kind) == OURO_ORIGIN_CONSTANT)
        return OURO_CONSTANT;
    bool a_subject = a.origin.kind == OURO_ORIGIN_SUBJECT, b_subject = b.origin.kind == OURO_ORIGIN_SUBJECT;
    if (size == 8 && subtract && a_subject && b_subject)
        return OURO_CONSTANT;
    bool other_constant = a_subject ? b.origin.kind == OURO_ORIGIN_CONSTANT : a.origin.kind == OURO_ORIGIN_CONSTANT;
    if (size == 8 && ((a_subject && !b_subject) || (b_subject && !a_subject && !subtract))) {
        if (other_constant)
            return ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)(result - machine->subject));
        return ouro_origin(OURO_ORIGIN_WITHIN, 0);
    }
    return ouro_origin_mix(a.origin, b.origin);
}

struct ouro_origin ouro_origin_compare(struct ouro_operand a, struct ouro_operand b, unsigned size)
{
    if ((a.origin.kind | b.origin.kind) == OURO_ORIGIN_CONSTANT)
        return OURO_CONSTANT;
    if (size == 8 && a.origin.kind == OURO_ORIGIN_SUBJECT && b.origin.kind == OURO_ORIGIN_SUBJECT)
        return OURO_CONSTANT;
    bool null = size == 8 && b.origin.kind == OURO_ORIGIN_CONSTANT && !b.value;
    if (null && a.origin.kind == OURO_ORIGIN_SUBJECT)
        return OURO_CONSTANT; /* the subject is never NULL */
    if (null && a.origin.kind == OURO_ORIGIN_FIELD)
        return a.origin;
    if (size == 8 && a.origin.kind == OURO_ORIGIN_CONSTANT && !a.value && b.origin.kind == OURO_ORIGIN_FIELD)
        return b.origin;
    return OURO_OTHER;
}

static uint32_t carry_of(const struct ouro_cpu *cpu)
{
    return ouro_cpu_flags(cpu) & OURO_CF;
}

static uint32_t sum_bits(uint64_t a, uint64_t b, unsigned carry, unsigned size, bool subtract)
{
    struct ouro_cpu scratch;
    uint64_t mask = ouro_mask(size), result = (subtract ? a - b - carry : a + b + carry) & mask;
    ouro_cpu_set_flags(&scratch, OURO_FLAGS_LOGIC, result, 0, size, OURO_CONSTANT);
    uint32_t bits = ouro_cpu_flags(&scratch);
    unsigned top = 8 * size - 1;
    bool overflow = subtract ? ((a ^ b) & (a ^ result)) >> top & 1 : (~(a ^ b) & (a ^ result)) >> top & 1;
    bool out = subtract ? a < b || (carry && a == b) : result < a || (carry && result == a);
    return bits | (overflow ? OURO_OF : 0) | (out ? OURO_CF : 0);
}

static bool arithmetic(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct place place = {0};
    struct ouro_operand a, b, result;
    unsigned size = insn->size;
    if (!get_dst(machine, insn, &place, &a) || !get_src(machine, insn, size, &b))
        return false;
    bool same = insn->dst == insn->src && !(insn->flags & (OURO_INSN_DST_MEMORY | OURO_INSN_SRC_MEMORY | OURO_INSN_SRC_IMM |
                                                           OURO_INSN_DST_HIGH | OURO_INSN_SRC_HIGH));
    struct ouro_origin mixed = ouro_origin_mix(a.origin, b.origin);
    struct ouro_origin flags = mixed.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
    unsigned carry;
    switch ((enum ouro_insn_op)insn->op) {
    case OURO_INSN_ADD:
        result.value = a.value + b.value;
        result.origin = sum_origin(machine, a, b, result.value, size, false);
        ouro_cpu_set_flags(cpu, OURO_FLAGS_ADD, a.value, b.value, size, flags);
        break;
    case OURO_INSN_CMP:
        ouro_cpu_set_flags(cpu, OURO_FLAGS_SUB, a.value, b.value, size, ouro_origin_compare(a, b, size));
        return true;
    case OURO_INSN_SUB:
        result.value = a.value - b.value;
        result.origin = same ? OURO_CONSTANT : sum_origin(machine, a, b, result.value, size, true);
        ouro_cpu_set_flags(cpu, OURO_FLAGS_SUB, a.value, b.value, size,
                           same ? OURO_CONSTANT : ouro_origin_compare(a, b, size));
        break;
    case OURO_INSN_ADC:
    case OURO_INSN_SBB:
        carry = carry_of(cpu);
        result.value = insn->op == OURO_INSN_ADC ? a.value + b.value + carry : a.value - b.value - carry;
        result.origin = same && insn->op == OURO_INSN_SBB ? OURO_CONSTANT : mixed;
        if (ouro_cpu_condition_origin(cpu, 2).kind != OURO_ORIGIN_CONSTANT)
            result.origin = flags = OURO_OTHER;
        ouro_cpu_set_flag_bits(cpu, sum_bits(a.value, b.value, carry, size, insn->op == OURO_INSN_SBB), flags);
        break;
    case OURO_INSN_AND:
    case OURO_INSN_TEST:
        result = (struct ouro_operand){a.value & b.value, same ? a.origin : mixed};
        if (b.origin.kind == OURO_ORIGIN_CONSTANT && !b.value)
            result.origin = OURO_CONSTANT;
        break;
    case OURO_INSN_OR:
        result = (struct ouro_operand){a.value | b.value, same ? a.origin : mixed};
        break;
    default: /* XOR */
        result = (struct ouro_operand){a.value ^ b.value, same ? OURO_CONSTANT : mixed};
        break;
    }
    if (insn->op == OURO_INSN_AND || insn->op == OURO_INSN_TEST || insn->op == OURO_INSN_OR || insn->op == OURO_INSN_XOR) {
        const struct ouro_operand zero = {0, OURO_CONSTANT};
        flags = result.origin.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT
                : same && size == 8                        ? ouro_origin_compare(a, zero, 8)
                                                           : OURO_OTHER;
        ouro_cpu_set_flags(cpu, OURO_FLAGS_LOGIC, result.value, 0, size, flags);
    }
    return insn->op == OURO_INSN_TEST || set_dst(machine, insn, &place, result);
}

static bool unary(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct place place = {0};
    struct ouro_operand a, one = {1, OURO_CONSTANT};
    unsigned size = insn->size;
    if (!get_dst(machine, insn, &place, &a))
        return false;
    struct ouro_operand result = {0, ouro_origin_part(a.origin)};
    struct ouro_origin flags = a.origin.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
    bool subtract = insn->op == OURO_INSN_DEC;
    switch ((enum ouro_insn_op)insn->op) {
    case OURO_INSN_INC:
    case OURO_INSN_DEC: { /* the carry stays as it was */
        bool varies = cpu->carry_varies || cpu->flag_origin.kind != OURO_ORIGIN_CONSTANT;
        uint32_t carry = carry_of(cpu), bits = sum_bits(a.value, 1, 0, size, subtract) & ~OURO_CF;
        result.value = subtract ? a.value - 1 : a.value + 1;
        result.origin = sum_origin(machine, a, one, result.value, size, subtract);
        ouro_cpu_set_flag_bits(cpu, bits | carry, flags);
        cpu->carry_varies = varies;
        break;
    }
    case OURO_INSN_NEG:
        result.value = 0 - a.value;
        ouro_cpu_set_flags(cpu, OURO_FLAGS_SUB, 0, a.value, size, flags);
        break;
    case OURO_INSN_NOT:
        result.value = ~a.value;
        break;
    default: /* BSWAP */
        result.value = size == 8 ? __builtin_bswap64(a.value) : __builtin_bswap32((uint32_t)a.value);
        break;
    }
    return set_dst(machine, insn, &place, result);
}

static bool multiply_wide(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_operand b;
    unsigned size = insn->size, bits = 8 * size;
    bool is_signed = insn->op == OURO_INSN_IMUL1;
    if (!get_src(machine, insn, size, &b))
        return false;
    struct ouro_operand a = get_register(machine, OURO_RAX, size, false);
    struct ouro_origin origin = ouro_origin_mix(a.origin, b.origin);
    unsigned __int128 product =
        is_signed ? (unsigned __int128)((__int128)(int64_t)sign_extend(a.value, size) * (int64_t)sign_extend(b.value, size))
                  : (unsigned __int128)a.value * b.value;
    uint64_t low = (uint64_t)product & ouro_mask(size), high = (uint64_t)(product >> bits) & ouro_mask(size);
    bool wide = is_signed ? high != (sign_extend(low, size) >> 63 ? ouro_mask(size) : 0) : high != 0;
    if (size == 1) {
        set_register(machine, OURO_RAX, 2, false, (struct ouro_operand){high << 8 | low, origin});
    } else {
        set_register(machine, OURO_RAX, size, false, (struct ouro_operand){low, origin});
        set_register(machine, OURO_RDX, size, false, (struct ouro_operand){high, origin});
    }
    ouro_cpu_set_flag_bits(cpu, wide ? OURO_CF | OURO_OF : 0,
                           origin.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER);
    return true;
}

static bool multiply(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_operand a, b = {(uint64_t)insn->imm, OURO_CONSTANT};
    unsigned size = insn->size;
    if (!get_src(machine, insn, size, &a))
        return false;
    if (!insn->third)
        b = get_register(machine, insn->dst, size, false);
    __int128 product = (__int128)(int64_t)sign_extend(a.value, size) * (int64_t)sign_extend(b.value, size);
    uint64_t low = (uint64_t)product & ouro_mask(size);
    struct ouro_origin origin = ouro_origin_mix(a.origin, b.origin);
    set_register(machine, insn->dst, size, false, (struct ouro_operand){low, origin});
    ouro_cpu_set_flag_bits(&machine->cpu, product != (__int128)(int64_t)sign_extend(low, size) ? OURO_CF | OURO_OF : 0,
                           origin.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER);
    return true;
}

static bool divide(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_operand by;
    unsigned size = insn->size, bits = 8 * size;
    if (!get_src(machine, insn, size, &by))
        return false;
    struct ouro_operand low = get_register(machine, OURO_RAX, size == 1 ? 2 : size, false);
    struct ouro_operand high = get_register(machine, OURO_RDX, size, false);
    unsigned __int128 all = size == 1 ? low.value : (unsigned __int128)high.value << bits | low.value;
    uint64_t quotient, rest;
    machine->end = OURO_MACHINE_DIVIDE;
    if (!by.value)
        return false;
    if (insn->op == OURO_INSN_DIV) {
        if (all / by.value > ouro_mask(size))
            return false;
        quotient = (uint64_t)(all / by.value);
        rest = (uint64_t)(all % by.value);
    } else {
        unsigned spare = 128 - 2 * bits;
        __int128 dividend = (__int128)(all << spare) >> spare;
        int64_t divisor = (int64_t)sign_extend(by.value, size);
        if (divisor == -1 && dividend == (__int128)((unsigned __int128)1 << 127))
            return false;
        __int128 result = dividend / divisor;
        if (result != (__int128)(int64_t)sign_extend((uint64_t)result & ouro_mask(size), size))
            return false;
        quotient = (uint64_t)result & ouro_mask(size);
        rest = (uint64_t)(dividend % divisor) & ouro_mask(size);
    }
    struct ouro_origin origin = ouro_origin_mix(ouro_origin_mix(low.origin, high.origin), by.origin);
    if (size == 1) {
        set_register(machine, OURO_RAX, 2, false, (struct ouro_operand){rest << 8 | quotient, origin});
    } else {
        set_register(machine, OURO_RAX, size, false, (struct ouro_operand){quotient, origin});
        set_register(machine, OURO_RDX, size, false, (struct ouro_operand){rest, origin});
    }
    ouro_cpu_set_flag_bits(&machine->cpu, 0, OURO_OTHER); /* undefined */
    return true;
}

struct shifted {
    uint64_t value;
    uint32_t bits; /* CF and OF */
};

static struct shifted shift_value(unsigned op, uint64_t a, uint64_t fill, unsigned count, unsigned size)
{
    unsigned width = 8 * size;
    uint64_t mask = ouro_mask(size), value = 0;
    bool carry = false, overflow = false, top = a >> (width - 1) & 1;
    int64_t extended = (int64_t)sign_extend(a, size);
    switch ((enum ouro_insn_op)op) {
    case OURO_INSN_SHL:
        value = count < 64 ? a << count : 0;
        carry = count <= width && a >> (width - count) & 1;
        overflow = (value >> (width - 1) & 1) != carry;
        break;
    case OURO_INSN_SHR:
        value = count < 64 ? a >> count : 0;
        carry = count <= width && a >> (count - 1) & 1;
        overflow = top;
        break;
    case OURO_INSN_SAR:
        value = (uint64_t)(extended >> (count < 63 ? count : 63));
        carry = extended >> (count - 1 < 63 ? count - 1 : 63) & 1;
        break;
    case OURO_INSN_ROL:
        count %= width;
        value = count ? a << count | a >> (width - count) : a;
        carry = value & 1;
        overflow = (value >> (width - 1) & 1) != carry;
        break;
    case OURO_INSN_ROR:
        count %= width;
        value = count ? (a & mask) >> count | a << (width - count) : a;
        carry = value >> (width - 1) & 1;
        overflow = carry != (value >> (width - 2) & 1);
        break;
    case OURO_INSN_SHLD:
        value = count < width ? a << count | fill >> (width - count) : fill; /* more than the width is undefined */
        carry = count <= width && a >> (width - count) & 1;
        overflow = (value >> (width - 1) & 1) != top;
        break;
    default: /* SHRD */
        value = count < width ? a >> count | fill << (width - count) : fill;
        carry = count <= width && a >> (count - 1) & 1;
        overflow = (value >> (width - 1) & 1) != top;
        break;
    }
    return (struct shifted){value & mask, (carry ? OURO_CF : 0) | (overflow ? OURO_OF : 0)};
}

static bool shift(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct place place = {0};
    struct ouro_operand a, count = {(uint64_t)insn->imm, OURO_CONSTANT}, fill = {0, OURO_CONSTANT};
    bool rotate = insn->op == OURO_INSN_ROL || insn->op == OURO_INSN_ROR;
    bool two = insn->op == OURO_INSN_SHLD || insn->op == OURO_INSN_SHRD;
    if (!get_dst(machine, insn, &place, &a))
        return false;
    if (insn->flags & OURO_INSN_SRC_CL)
        count = get_register(machine, OURO_RCX, 1, false);
    if (two)
        fill = get_register(machine, insn->third, insn->size, false);
    count.value &= insn->size == 8 ? 63 : 31;
    struct ouro_origin origin = ouro_origin_mix(ouro_origin_mix(a.origin, count.origin), fill.origin);
    struct ouro_origin before = cpu->carry_varies ? OURO_OTHER : cpu->flag_origin;
    if (count.value) {
        struct shifted shifted = shift_value(insn->op, a.value, fill.value, (unsigned)count.value, insn->size);
        uint32_t old = ouro_cpu_flags(cpu);
        a.value = shifted.value;
        ouro_cpu_set_flags(cpu, OURO_FLAGS_LOGIC, a.value, 0, insn->size, OURO_CONSTANT);
        uint32_t kept = rotate ? old & ~(OURO_CF | OURO_OF) : ouro_cpu_flags(cpu);
        ouro_cpu_set_flag_bits(cpu, kept | shifted.bits, OURO_CONSTANT);
    }
    bool depends = origin.kind != OURO_ORIGIN_CONSTANT;
    bool kept = !count.value || rotate || count.origin.kind != OURO_ORIGIN_CONSTANT;
    cpu->carry_varies = false;
    cpu->flag_origin = depends ? OURO_OTHER : kept ? before : OURO_CONSTANT;
    if (kept && before.kind == OURO_ORIGIN_FIELD && count.value) /* no longer the comparison with NULL */
        cpu->flag_origin = OURO_OTHER;
    a.origin = origin;
    return set_dst(machine, insn, &place, a);
}

static bool bit_test(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct place place = {0};
    struct ouro_operand a, index;
    unsigned width = 8 * insn->size;
    if (!get_src(machine, insn, insn->size, &index))
        return false;
    struct ouro_insn moved = *insn;
    if (insn->flags & OURO_INSN_DST_MEMORY && !(insn->flags & OURO_INSN_SRC_IMM)) {
        /* The bit may lie outside of the operand. */
        int64_t words = (int64_t)sign_extend(index.value, insn->size) >> (insn->size == 8 ? 6 : insn->size == 4 ? 5 : 4);
        moved.disp += words * insn->size;
    }
    if (!get_dst(machine, &moved, &place, &a))
        return false;
    unsigned bit = (unsigned)index.value & (width - 1);
    uint32_t flags = ouro_cpu_flags(cpu) & ~OURO_CF;
    struct ouro_origin origin = ouro_origin_mix(a.origin, index.origin), before = cpu->carry_varies ? OURO_OTHER : cpu->flag_origin;
    bool depends = origin.kind != OURO_ORIGIN_CONSTANT || before.kind != OURO_ORIGIN_CONSTANT;
    ouro_cpu_set_flag_bits(cpu, flags | (a.value >> bit & 1 ? OURO_CF : 0), depends ? OURO_OTHER : OURO_CONSTANT);
    if (insn->op == OURO_INSN_BT)
        return true;
    uint64_t mask = UINT64_C(1) << bit;
    a.value = insn->op == OURO_INSN_BTS ? a.value | mask : insn->op == OURO_INSN_BTR ? a.value & ~mask : a.value ^ mask;
    a.origin = origin;
    return set_dst(machine, &moved, &place, a);
}

static bool count_bits(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_operand a, result;
    unsigned width = 8 * insn->size;
    if (!get_src(machine, insn, insn->size, &a))
        return false;
    struct ouro_origin flags = a.origin.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
    result.origin = ouro_origin_part(a.origin);
    uint32_t bits = 0;
    unsigned first = a.value ? (unsigned)__builtin_ctzll(a.value) : width;
    unsigned last = a.value ? 63u - (unsigned)__builtin_clzll(a.value) : 0;
    switch ((enum ouro_insn_op)insn->op) {
    case OURO_INSN_POPCNT:
        result.value = (uint64_t)__builtin_popcountll(a.value);
        bits = a.value ? 0 : OURO_ZF;
        break;
    case OURO_INSN_TZCNT:
        result.value = first;
        bits = (a.value ? 0 : OURO_CF) | (first ? 0 : OURO_ZF);
        break;
    case OURO_INSN_LZCNT:
        result.value = a.value ? width - 1 - last : width;
        bits = (a.value ? 0 : OURO_CF) | (result.value ? 0 : OURO_ZF);
        break;
    default: /* BSF, BSR: of 0 the register stays as it is */
        ouro_cpu_set_flag_bits(cpu, a.value ? 0 : OURO_ZF, flags);
        if (!a.value)
            return true;
        result.value = insn->op == OURO_INSN_BSF ? first : last;
        set_register(machine, insn->dst, insn->size, false, result);
        return true;
    }
    ouro_cpu_set_flag_bits(cpu, bits, flags);
    set_register(machine, insn->dst, insn->size, false, result);
    return true;
}

/* ANDN, BLSR, BLSI, SHLX and so on. */
static bool bmi(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_operand a, result;
    unsigned size = insn->size, width = 8 * size;
    if (!get_src(machine, insn, size, &a))
        return false;
    struct ouro_operand third = get_register(machine, insn->third, size, false);
    unsigned count = (unsigned)third.value & (width - 1);
    uint32_t carry = 0;
    bool flags = false;
    result.origin = ouro_origin_part(a.origin);
    switch ((enum ouro_insn_op)insn->op) {
    case OURO_INSN_ANDN:
        result = (struct ouro_operand){~third.value & a.value & ouro_mask(size),
                                       ouro_origin_mix(a.origin, third.origin)};
        flags = true;
        break;
    case OURO_INSN_BLSR:
        result.value = a.value & (a.value - 1);
        carry = a.value ? 0 : OURO_CF;
        flags = true;
        break;
    case OURO_INSN_BLSI:
        result.value = a.value & (0 - a.value);
        carry = a.value ? OURO_CF : 0;
        flags = true;
        break;
    case OURO_INSN_RORX:
        result.value = shift_value(OURO_INSN_ROR, a.value, 0, (unsigned)insn->imm & (width - 1), size).value;
        break;
    case OURO_INSN_SHLX:
        result = (struct ouro_operand){a.value << count, ouro_origin_mix(a.origin, third.origin)};
        break;
    case OURO_INSN_SHRX:
        result = (struct ouro_operand){a.value >> count, ouro_origin_mix(a.origin, third.origin)};
        break;
    default: /* SARX */
        result = (struct ouro_operand){(uint64_t)((int64_t)sign_extend(a.value, size) >> count),
                                  ouro_origin_mix(a.origin, third.origin)};
        break;
    }
    result.value &= ouro_mask(size);
    if (flags) {
        ouro_cpu_set_flags(cpu, OURO_FLAGS_LOGIC, result.value, 0, size, OURO_CONSTANT);
        ouro_cpu_set_flag_bits(cpu, ouro_cpu_flags(cpu) | carry,
                               result.origin.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER);
    }
    set_register(machine, insn->dst, size, false, result);
    return true;
}

static bool select_value(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_operand a;
    if (!get_src(machine, insn, insn->size, &a)) /* read whether it is used or not */
        return false;
    machine->varied |= ouro_cpu_condition_origin(&machine->cpu, insn->condition).kind != OURO_ORIGIN_CONSTANT;
    if (ouro_cpu_condition(&machine->cpu, insn->condition))
        set_register(machine, insn->dst, insn->size, false, a);
    else if (insn->size == 4) /* clears the upper half even so */
        set_register(machine, insn->dst, 4, false, get_register(machine, insn->dst, 4, false));
    return true;
}

static bool set_condition(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct place place = {0};
    struct ouro_operand result = {ouro_cpu_condition(&machine->cpu, insn->condition), OURO_CONSTANT};
    if (ouro_cpu_condition_origin(&machine->cpu, insn->condition).kind != OURO_ORIGIN_CONSTANT)
        result.origin = OURO_OTHER;
    if (insn->flags & OURO_INSN_DST_MEMORY)
        place.addr = ouro_machine_address(machine, insn, &place.at);
    return set_dst(machine, insn, &place, result);
}

static bool exchange(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct place place = {0};
    struct ouro_operand a, b, sum;
    unsigned size = insn->size;
    /* An operand in memory may come second: xchg and its like are symmetric there, so the decoder's order is kept. */
    struct ouro_insn turned = *insn;
    if (insn->flags & OURO_INSN_SRC_MEMORY) {
        turned.flags = (uint16_t)((insn->flags & ~(OURO_INSN_SRC_MEMORY | OURO_INSN_DST_HIGH)) | OURO_INSN_DST_MEMORY |
                                  (insn->flags & OURO_INSN_DST_HIGH ? OURO_INSN_SRC_HIGH : 0));
        turned.src = insn->dst;
    }
    insn = &turned;
    if (!get_dst(machine, insn, &place, &a) || !get_src(machine, insn, size, &b))
        return false;
    struct ouro_origin mixed = ouro_origin_mix(a.origin, b.origin);
    struct ouro_origin flags = mixed.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
    if (insn->op == OURO_INSN_CMPXCHG) {
        struct ouro_operand expected = get_register(machine, OURO_RAX, size, false);
        ouro_cpu_set_flags(cpu, OURO_FLAGS_SUB, expected.value, a.value, size, ouro_origin_compare(expected, a, size));
        if (cpu->flag_origin.kind != OURO_ORIGIN_CONSTANT)
            machine->varied = true;
        if (expected.value == a.value)
            return set_dst(machine, insn, &place, b);
        if (insn->flags & OURO_INSN_DST_MEMORY && !set_dst(machine, insn, &place, a))
            return false; /* memory is written to in any case, so it must be writable */
        set_register(machine, OURO_RAX, size, false, a);
        return true;
    }
    sum = b;
    if (insn->op == OURO_INSN_XADD) {
        sum = (struct ouro_operand){a.value + b.value, sum_origin(machine, a, b, a.value + b.value, size, false)};
        ouro_cpu_set_flags(cpu, OURO_FLAGS_ADD, a.value, b.value, size, flags);
    }
    if (insn->flags & OURO_INSN_DST_MEMORY && !set_dst(machine, insn, &place, sum))
        return false;
    set_register(machine, insn->src, size, insn->flags & OURO_INSN_SRC_HIGH, a);
    return insn->flags & OURO_INSN_DST_MEMORY || set_dst(machine, insn, &place, sum);
}

static bool stack(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct place place = {0};
    struct ouro_operand operand;
    ouro_addr from = insn->op == OURO_INSN_LEAVE ? cpu->r[OURO_RBP] : cpu->r[OURO_RSP];
    struct ouro_origin at = insn->op == OURO_INSN_LEAVE ? cpu->o[OURO_RBP] : cpu->o[OURO_RSP];
    if (insn->op == OURO_INSN_PUSH) {
        if (!get_src(machine, insn, 8, &operand) ||
            !ouro_machine_store(machine, from - 8, at, 8, operand.value, operand.origin))
            return false;
        cpu->r[OURO_RSP] = from - 8;
        return true;
    }
    if (!ouro_machine_load(machine, from, at, 8, &operand.value, &operand.origin))
        return false;
    cpu->r[OURO_RSP] = from + 8;
    cpu->o[OURO_RSP] = at;
    if (insn->op == OURO_INSN_LEAVE) {
        set_register(machine, OURO_RBP, 8, false, operand);
        return true;
    }
    if (insn->flags & OURO_INSN_DST_MEMORY) /* its address is that behind the pop */
        place.addr = ouro_machine_address(machine, insn, &place.at);
    if (set_dst(machine, insn, &place, operand))
        return true;
    cpu->r[OURO_RSP] = from;
    return false;
}

static bool sign(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    unsigned size = insn->size;
    struct ouro_operand a = get_register(machine, OURO_RAX, insn->op == OURO_INSN_SIGN_A ? size / 2 : size, false);
    a.origin = ouro_origin_part(a.origin);
    if (insn->op == OURO_INSN_SIGN_A) {
        a.value = sign_extend(a.value, size / 2) & ouro_mask(size);
        set_register(machine, OURO_RAX, size, false, a);
    } else {
        a.value = a.value >> (8 * size - 1) ? ouro_mask(size) : 0;
        set_register(machine, OURO_RDX, size, false, a);
    }
    return true;
}

bool ouro_machine_operate(struct ouro_machine *machine, const struct ouro_insn *insn)
{
    machine->end = OURO_MACHINE_INSTRUCTION;
    switch ((enum ouro_insn_op)insn->op) {
    case OURO_INSN_MOV:
    case OURO_INSN_MOVZX:
    case OURO_INSN_MOVSX:
        return move(machine, insn);
    case OURO_INSN_LEA:
        return lea(machine, insn);
    case OURO_INSN_ADD:
    case OURO_INSN_OR:
    case OURO_INSN_ADC:
    case OURO_INSN_SBB:
    case OURO_INSN_AND:
    case OURO_INSN_SUB:
    case OURO_INSN_XOR:
    case OURO_INSN_CMP:
    case OURO_INSN_TEST:
        return arithmetic(machine, insn);
    case OURO_INSN_INC:
    case OURO_INSN_DEC:
    case OURO_INSN_NEG:
    case OURO_INSN_NOT:
    case OURO_INSN_BSWAP:
        return unary(machine, insn);
    case OURO_INSN_MUL:
    case OURO_INSN_IMUL1:
        return multiply_wide(machine, insn);
    case OURO_INSN_IMUL:
        return multiply(machine, insn);
    case OURO_INSN_DIV:
    case OURO_INSN_IDIV:
        return divide(machine, insn);
    case OURO_INSN_SHL:
    case OURO_INSN_SHR:
    case OURO_INSN_SAR:
    case OURO_INSN_ROL:
    case OURO_INSN_ROR:
    case OURO_INSN_SHLD:
    case OURO_INSN_SHRD:
        return shift(machine, insn);
    case OURO_INSN_BT:
    case OURO_INSN_BTS:
    case OURO_INSN_BTR:
    case OURO_INSN_BTC:
        return bit_test(machine, insn);
    case OURO_INSN_BSF:
    case OURO_INSN_BSR:
    case OURO_INSN_TZCNT:
    case OURO_INSN_LZCNT:
    case OURO_INSN_POPCNT:
        return count_bits(machine, insn);
    case OURO_INSN_ANDN:
    case OURO_INSN_BLSR:
    case OURO_INSN_BLSI:
    case OURO_INSN_SHLX:
    case OURO_INSN_SHRX:
    case OURO_INSN_SARX:
    case OURO_INSN_RORX:
        return bmi(machine, insn);
    case OURO_INSN_CMOV:
        return select_value(machine, insn);
    case OURO_INSN_SET:
        return set_condition(machine, insn);
    case OURO_INSN_XCHG:
    case OURO_INSN_CMPXCHG:
    case OURO_INSN_XADD:
        return exchange(machine, insn);
    case OURO_INSN_STOS:
    case OURO_INSN_MOVS:
    case OURO_INSN_SCAS:
        return ouro_machine_operate_string(machine, insn);
    case OURO_INSN_PUSH:
    case OURO_INSN_POP:
    case OURO_INSN_LEAVE:
        return stack(machine, insn);
    case OURO_INSN_SIGN_A:
    case OURO_INSN_SIGN_D:
        return sign(machine, insn);
    default:
        return false;
    }
}
