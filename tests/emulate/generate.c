#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Operands: r register, e register or memory, m memory, x vector register, y vector register or memory; a number behind is
 * the size in bits, else it is the form's. i: immediate, I: one of 64 bits, b: of 8 bits, h: of 16; c: cl, 1: one, j: a
 * near target. Sizes of the form: a bit each for 8, 16, 32, 64. */
#define ALL    15
#define WIDE   14
#define DOUBLE 12
#define QUAD   8
#define LOCK   ZYDIS_ATTRIB_HAS_LOCK
#define REP    ZYDIS_ATTRIB_HAS_REP
#define REPE   ZYDIS_ATTRIB_HAS_REPE
#define REPNE  ZYDIS_ATTRIB_HAS_REPNE

struct form {
    ZydisMnemonic mnemonic;
    const char *operands;
    unsigned sizes;
    ZydisInstructionAttributes prefix;
};

#define M(name) ZYDIS_MNEMONIC_##name
#define ARITHMETIC(name) \
    {M(name), "e,r", ALL, 0}, {M(name), "r,e", ALL, 0}, {M(name), "e,i", ALL, 0}, {M(name), "e,b", WIDE, 0}
#define LOCKED(name)    {M(name), "m,r", ALL, LOCK}, {M(name), "m,i", ALL, LOCK}
#define SHIFT(name)     {M(name), "e,b", ALL, 0}, {M(name), "e,c", ALL, 0}, {M(name), "e,1", ALL, 0}
#define BITS(name)      {M(name), "e,r", WIDE, 0}, {M(name), "e,b", WIDE, 0}
#define CONDITION(cc)   {M(CMOV##cc), "r,e", WIDE, 0}, {M(SET##cc), "e8", 1, 0}, {M(J##cc), "j", QUAD, 0}
#define VECTOR(name)    {M(name), "x,y128", 1, 0}
#define MOVE128(name)   {M(name), "x,y128", 1, 0}, {M(name), "m128,x", 1, 0}
#define MOVE_HALF(name) {M(name), "x,m64", 1, 0}, {M(name), "m64,x", 1, 0}

static const struct form forms[] = {
    {M(MOV), "e,r", ALL, 0}, {M(MOV), "r,e", ALL, 0}, {M(MOV), "e,i", ALL, 0}, {M(MOV), "r,I", QUAD, 0},
    {M(MOVZX), "r,e8", WIDE, 0}, {M(MOVZX), "r,e16", DOUBLE, 0}, {M(MOVSX), "r,e8", WIDE, 0},
    {M(MOVSX), "r,e16", DOUBLE, 0}, {M(MOVSXD), "r,e32", QUAD, 0}, {M(LEA), "r,m", WIDE, 0},
    ARITHMETIC(ADD), ARITHMETIC(SUB), ARITHMETIC(ADC), ARITHMETIC(SBB), ARITHMETIC(AND), ARITHMETIC(OR),
    ARITHMETIC(XOR), ARITHMETIC(CMP), {M(TEST), "e,r", ALL, 0}, {M(TEST), "e,i", ALL, 0},
    {M(INC), "e", ALL, 0}, {M(DEC), "e", ALL, 0}, {M(NEG), "e", ALL, 0}, {M(NOT), "e", ALL, 0},
    {M(IMUL), "e", ALL, 0}, {M(IMUL), "r,e", WIDE, 0}, {M(IMUL), "r,e,i", WIDE, 0}, {M(IMUL), "r,e,b", WIDE, 0},
    {M(MUL), "e", ALL, 0}, {M(DIV), "e", ALL, 0}, {M(IDIV), "e", ALL, 0},
    SHIFT(SHL), SHIFT(SHR), SHIFT(SAR), SHIFT(ROL), SHIFT(ROR),
    {M(SHLD), "e,r,b", WIDE, 0}, {M(SHLD), "e,r,c", WIDE, 0}, {M(SHRD), "e,r,b", WIDE, 0}, {M(SHRD), "e,r,c", WIDE, 0},
    BITS(BT), BITS(BTS), BITS(BTR), BITS(BTC),
    {M(BSF), "r,e", WIDE, 0}, {M(BSR), "r,e", WIDE, 0}, {M(TZCNT), "r,e", WIDE, 0}, {M(LZCNT), "r,e", WIDE, 0},
    {M(POPCNT), "r,e", WIDE, 0}, {M(BSWAP), "r", DOUBLE, 0},
    CONDITION(O), CONDITION(NO), CONDITION(B), CONDITION(NB), CONDITION(Z), CONDITION(NZ), CONDITION(BE),
    CONDITION(NBE), CONDITION(S), CONDITION(NS), CONDITION(P), CONDITION(NP), CONDITION(L), CONDITION(NL),
    CONDITION(LE), CONDITION(NLE),
    {M(JMP), "j", QUAD, 0}, {M(JMP), "e", QUAD, 0}, {M(CALL), "j", QUAD, 0}, {M(CALL), "e", QUAD, 0},
    {M(RET), "", QUAD, 0}, {M(RET), "h", QUAD, 0}, {M(LEAVE), "", QUAD, 0},
    {M(PUSH), "e", QUAD, 0}, {M(PUSH), "i", QUAD, 0}, {M(PUSH), "b", QUAD, 0}, {M(POP), "e", QUAD, 0},
    {M(CDQ), "", 4, 0}, {M(CQO), "", 8, 0}, {M(CDQE), "", 8, 0}, {M(CWDE), "", 4, 0}, {M(CBW), "", 2, 0},
    {M(CWD), "", 2, 0},
    {M(XCHG), "e,r", ALL, 0}, {M(CMPXCHG), "e,r", ALL, 0}, {M(XADD), "e,r", ALL, 0},
    {M(XCHG), "m,r", ALL, LOCK}, {M(CMPXCHG), "m,r", ALL, LOCK}, {M(XADD), "m,r", ALL, LOCK},
    LOCKED(ADD), LOCKED(SUB), LOCKED(AND), LOCKED(OR), LOCKED(XOR), {M(INC), "m", ALL, LOCK}, {M(DEC), "m", ALL, LOCK},
    {M(NOP), "", QUAD, 0}, {M(NOP), "e", WIDE, 0}, {M(ENDBR64), "", QUAD, 0},
    {M(STOSB), "", 1, REP}, {M(STOSW), "", 2, REP}, {M(STOSD), "", 4, REP}, {M(STOSQ), "", 8, REP},
    {M(MOVSB), "", 1, REP}, {M(MOVSW), "", 2, REP}, {M(MOVSD), "", 4, REP}, {M(MOVSQ), "", 8, REP},
    {M(SCASB), "", 1, REPE}, {M(SCASW), "", 2, REPE}, {M(SCASD), "", 4, REPE}, {M(SCASQ), "", 8, REPE},
    {M(SCASB), "", 1, REPNE}, {M(SCASW), "", 2, REPNE}, {M(SCASD), "", 4, REPNE}, {M(SCASQ), "", 8, REPNE},
    {M(SCASB), "", 1, 0}, {M(SCASQ), "", 8, 0},
    {M(STOSQ), "", 8, 0}, {M(MOVSQ), "", 8, 0}, {M(STOSB), "", 1, 0}, {M(MOVSB), "", 1, 0},
    MOVE128(MOVAPS), MOVE128(MOVUPS), MOVE128(MOVAPD), MOVE128(MOVUPD), MOVE128(MOVDQA), MOVE128(MOVDQU),
    {M(MOVQ), "x,y64", 1, 0}, {M(MOVQ), "m64,x", 1, 0}, {M(MOVQ), "x,r64", 1, 0}, {M(MOVQ), "r64,x", 1, 0},
    {M(MOVD), "x,e32", 1, 0}, {M(MOVD), "e32,x", 1, 0}, {M(MOVSS), "x,y32", 1, 0}, {M(MOVSS), "m32,x", 1, 0},
    {M(MOVSD), "x,y64", 1, 0}, {M(MOVSD), "m64,x", 1, 0},
    MOVE_HALF(MOVLPS), MOVE_HALF(MOVHPS), {M(MOVLHPS), "x,x", 1, 0}, {M(MOVHLPS), "x,x", 1, 0},
    VECTOR(PXOR), VECTOR(XORPS), VECTOR(XORPD), VECTOR(POR), VECTOR(PAND), VECTOR(ANDPS), VECTOR(PANDN), VECTOR(ORPS),
    VECTOR(PADDQ), VECTOR(PADDD), VECTOR(PSUBQ), VECTOR(PSUBD), VECTOR(PCMPEQB), VECTOR(PCMPEQW), VECTOR(PCMPEQD),
    VECTOR(PUNPCKLBW), VECTOR(PUNPCKLWD), VECTOR(PUNPCKLDQ), VECTOR(PUNPCKLQDQ), VECTOR(PUNPCKHBW), VECTOR(PUNPCKHWD),
    VECTOR(PUNPCKHDQ), VECTOR(PUNPCKHQDQ), VECTOR(UNPCKLPD), VECTOR(UNPCKHPD), {M(PMOVMSKB), "r32,x", 1, 0},
    {M(PSHUFD), "x,y128,b", 1, 0}, {M(SHUFPS), "x,y128,b", 1, 0},
};

size_t generate_form_count(void)
{
    return COUNT(forms);
}

ZydisMnemonic generate_form_mnemonic(size_t form)
{
    return forms[form].mnemonic;
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
    return random_next(state) % limit;
}

static uint64_t edge(uint64_t *state)
{
    static const uint64_t edges[] = {
        0, 1, 2, 7, 8, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
        0x80000000, 0xffffffff, 0x100000000, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 0x7f,
        UINT64_MAX - 0x7fff, UINT64_MAX - 0x7fffffff};
    uint64_t random = random_next(state);
    switch (below(state, 4)) {
    case 0: return random;
    case 1: return random >> below(state, 64);
    case 2: return edges[below(state, COUNT(edges))] ^ (random & 1);
    default: return edges[below(state, COUNT(edges))];
    }
}

static ZydisRegister general(unsigned bits, unsigned number)
{
    switch (bits) {
    case 16: return (ZydisRegister)(ZYDIS_REGISTER_AX + number);
    case 32: return (ZydisRegister)(ZYDIS_REGISTER_EAX + number);
    default: return (ZydisRegister)(ZYDIS_REGISTER_RAX + number);
    }
}

static void memory_operand(ZydisEncoderOperand *operand, uint64_t *state, unsigned bits)
{
    operand->type = ZYDIS_OPERAND_TYPE_MEMORY;
    operand->mem.size = (ZyanU16)(bits / 8);
    unsigned shape = (unsigned)below(state, 8);
    if (shape == 0) {
        operand->mem.base = ZYDIS_REGISTER_RIP;
        operand->mem.displacement = 0x1000;
        return;
    }
    if (shape == 1) {
        operand->mem.displacement = (ZyanI64)WORLD_DATA;
        return;
    }
    unsigned address_bits = below(state, 16) ? 64 : 32;
    operand->mem.base = general(address_bits, (unsigned)below(state, 16));
    if (shape >= 5) {
        unsigned index = (unsigned)below(state, 15);
        operand->mem.index = general(address_bits, index >= 4 ? index + 1 : index); /* never rsp */
        operand->mem.scale = (ZyanU8)(1u << below(state, 4));
    }
    if (shape & 1)
        operand->mem.displacement = (int8_t)random_next(state);
    else if (shape & 2)
        operand->mem.displacement = (int32_t)random_next(state) >> 8;
}

/* One operand of a form, and what follows it in the text. */
static const char *form_operand(const char *text, unsigned bits, uint64_t *state, ZydisEncoderOperand *operand)
{
    char kind = *text++;
    if (*text >= '0' && *text <= '9' && kind != '1')
        bits = (unsigned)strtoul(text, (char **)&text, 10);
    operand->type = ZYDIS_OPERAND_TYPE_REGISTER;
    if ((kind == 'e' || kind == 'y') && below(state, 2))
        kind = 'm';
    switch (kind) {
    case 'r':
    case 'e':
        operand->reg.value = bits == 8 ? (ZydisRegister)(ZYDIS_REGISTER_AL + below(state, 20))
                                       : general(bits, (unsigned)below(state, 16));
        break;
    case 'x':
    case 'y': operand->reg.value = (ZydisRegister)(ZYDIS_REGISTER_XMM0 + below(state, 16)); break;
    case 'c': operand->reg.value = ZYDIS_REGISTER_CL; break;
    case 'm': memory_operand(operand, state, bits); break;
    default:
        operand->type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
        uint64_t value = edge(state);
        operand->imm.s = kind == '1'   ? 1
                         : kind == 'b' ? (int8_t)value
                         : kind == 'h' ? (int64_t)below(state, 64) * 8
                         : kind == 'j' ? (int64_t)below(state, 2048) - 1024
                         : kind == 'I' ? (int64_t)value
                         : bits == 8   ? (int8_t)value
                         : bits == 16  ? (int16_t)value
                                       : (int32_t)value;
    }
    return *text == ',' ? text + 1 : text;
}

static bool decode(struct sample *sample)
{
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, sample->bytes, ZYDIS_MAX_INSTRUCTION_LENGTH,
                                               &sample->instruction, sample->operands));
}

/* An address for an operand of so many bytes: in the data mostly, else at the borders of what is there. */
static ouro_addr target(uint64_t *state, unsigned size)
{
    switch (below(state, 32)) {
    case 0: return WORLD_CONST - below(state, 16) - 1;
    case 1: return WORLD_CONST + below(state, 256) * 16;
    case 2: return WORLD_CODE + below(state, 256) * 16;
    case 3: return WORLD_SHARED - below(state, 32);
    case 4: return WORLD_DATA + OURO_PAGE_BYTES - below(state, 16) - 1;
    case 5: return WORLD_DATA - below(state, 16) - 1;
    default: break;
    }
    ouro_addr address = WORLD_DATA + 512 + below(state, 2 * OURO_PAGE_BYTES - 1024);
    return size >= 16 && below(state, 8) ? address & ~UINT64_C(15) : address;
}

/* Where the displacement alone decides, it is made to point at something. */
static void aim(struct sample *sample, uint64_t *state, ouro_addr address)
{
    for (unsigned i = 0; i < sample->instruction.operand_count; i++) {
        const ZydisDecodedOperand *operand = &sample->operands[i];
        if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || sample->instruction.raw.disp.size != 32 ||
            operand->mem.index != ZYDIS_REGISTER_NONE)
            continue;
        bool relative = operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP;
        if (!relative && operand->mem.base != ZYDIS_REGISTER_NONE)
            continue;
        uint64_t at = target(state, operand->size / 8) - (relative ? address + sample->instruction.length : 0);
        uint32_t displacement = (uint32_t)at;
        memcpy(sample->bytes + sample->instruction.raw.disp.offset, &displacement, sizeof displacement);
        decode(sample);
        return;
    }
}

bool generate_of_form(size_t number, uint64_t *state, ouro_addr address, struct sample *sample)
{
    const struct form *form = &forms[number];
    unsigned bits;
    memset(sample, 0, sizeof *sample);
    for (int tries = 0; tries < 64; tries++) {
        ZydisEncoderRequest request = {
            .machine_mode = ZYDIS_MACHINE_MODE_LONG_64, .mnemonic = form->mnemonic, .prefixes = form->prefix};
        ZyanUSize length = ZYDIS_MAX_INSTRUCTION_LENGTH;
        do
            bits = 8u << below(state, 4);
        while (!(form->sizes & (bits >> 3)));
        for (const char *text = form->operands; *text && request.operand_count < 4;)
            text = form_operand(text, bits, state, &request.operands[request.operand_count++]);
        memset(sample->bytes, 0x90, sizeof sample->bytes);
        if (ZYAN_SUCCESS(ZydisEncoderEncodeInstruction(&request, sample->bytes, &length)) && decode(sample)) {
            aim(sample, state, address);
            return true;
        }
    }
    return false;
}

/* Not: what depends on the thread's memory, and what the decoder and processors read in different ways. */
static bool is_comparable(const struct sample *sample)
{
    const ZydisDecodedInstruction *instruction = &sample->instruction;
    if (instruction->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS))
        return false;
    if (instruction->mnemonic == M(PAUSE) && instruction->raw.rex.B)
        return false;
    /* Branches with an operand size of 16 bits, which AMD has and Intel has not. */
    return instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_NONE ||
           !(instruction->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE);
}

void generate_random(uint64_t *state, ouro_addr address, struct sample *sample)
{
    static const unsigned char prefixes[] = {0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x3e};
    memset(sample, 0, sizeof *sample);
    for (;;) {
        size_t at = 0;
        for (size_t i = 0; i < sizeof sample->bytes; i++)
            sample->bytes[i] = (unsigned char)random_next(state);
        while (!below(state, 3) && at < 3)
            sample->bytes[at++] = prefixes[below(state, below(state, 2) ? 3 : sizeof prefixes)];
        if (below(state, 2))
            sample->bytes[at++] = (unsigned char)(0x40 + below(state, 16));
        if (below(state, 2))
            sample->bytes[at++] = 0x0f;
        if (decode(sample) && is_comparable(sample))
            break;
    }
    aim(sample, state, address);
}

static unsigned number_of(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    return whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15 ? (unsigned)(whole - ZYDIS_REGISTER_RAX) : 99;
}

/* Sets base and index such that the operand lies at a target. */
static void place(const ZydisDecodedOperand *operand, uint64_t *state, struct cpu *cpu)
{
    unsigned base = number_of(operand->mem.base), index = number_of(operand->mem.index);
    uint64_t at = target(state, operand->size / 8) - (uint64_t)operand->mem.disp.value;
    if (index < 16 && base < 16 && index != base) {
        if (below(state, 2))
            cpu->registers[index] = below(state, 32) - 16;
        at -= cpu->registers[index] * operand->mem.scale;
    } else if (index < 16 && base >= 16) {
        cpu->registers[index] = at / operand->mem.scale;
    }
    if (base >= 16)
        return;
    if (ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, operand->mem.base) == 32)
        at = (uint32_t)at | (random_next(state) & 1) << 40;
    cpu->registers[base] = at;
}

/* What makes an instruction do something worth looking at. */
static void prepare(const struct sample *sample, uint64_t *state, struct cpu *cpu)
{
    const ZydisDecodedOperand *second = &sample->operands[1];
    switch (sample->instruction.mnemonic) {
    case M(DIV):
    case M(IDIV):
        if (below(state, 4))
            cpu->registers[2] = below(state, 3) ? below(state, 16) : (uint64_t)((int64_t)cpu->registers[0] >> 63);
        if (below(state, 2))
            cpu->registers[0] = below(state, 4096);
        break;
    case M(BT):
    case M(BTS):
    case M(BTR):
    case M(BTC):
        if (second->type == ZYDIS_OPERAND_TYPE_REGISTER && number_of(second->reg.value) < 16 && below(state, 4))
            cpu->registers[number_of(second->reg.value)] = below(state, 1024) - 512;
        break;
    default: break;
    }
    if (sample->instruction.attributes &
        (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE | ZYDIS_ATTRIB_HAS_REPZ))
        cpu->registers[1] = below(state, 24);
}

void generate_state(const struct sample *sample, uint64_t *state, ouro_addr address, const unsigned char *memory,
                    struct cpu *cpu)
{
    for (unsigned i = 0; i < 16; i++) {
        cpu->registers[i] = edge(state);
        cpu->vectors[i][0] = edge(state);
        cpu->vectors[i][1] = edge(state);
    }
    cpu->registers[4] = WORLD_DATA + 4096 + below(state, 256) * 8;
    cpu->registers[RIP] = address;
    cpu->registers[RFLAGS] = random_next(state) & FLAGS;
    prepare(sample, state, cpu);
    for (unsigned i = 0; i < sample->instruction.operand_count; i++)
        if (sample->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && sample->operands[i].mem.type == ZYDIS_MEMOP_TYPE_MEM)
            place(&sample->operands[i], state, cpu);
    if (sample->instruction.mnemonic == M(LEAVE))
        cpu->registers[5] = WORLD_DATA + 1024 + below(state, 256) * 8;
    const ZydisDecodedOperand *first = &sample->operands[0];
    if (sample->instruction.mnemonic != M(CMPXCHG) || below(state, 2))
        return;
    /* Half of all comparisons find what they look for. */
    if (first->type == ZYDIS_OPERAND_TYPE_REGISTER && number_of(first->reg.value) < 16) {
        cpu->registers[0] = cpu->registers[number_of(first->reg.value)];
    } else if (number_of(first->mem.base) < 16 && number_of(first->mem.base) && number_of(first->mem.index) >= 16) {
        ouro_addr at = cpu->registers[number_of(first->mem.base)] + (uint64_t)first->mem.disp.value;
        if (at >= WORLD_CODE && at + 8 <= WORLD_SHARED)
            memcpy(&cpu->registers[0], memory + (at - WORLD_CODE), 8);
    }
}

static unsigned shift_count(const struct sample *sample, const struct cpu *before)
{
    unsigned mask = sample->operands[0].size == 64 ? 63 : 31;
    for (unsigned i = 1; i < sample->instruction.operand_count; i++) {
        const ZydisDecodedOperand *operand = &sample->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return (unsigned)operand->imm.value.u & mask;
        if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == ZYDIS_REGISTER_CL)
            return (unsigned)before->registers[1] & mask;
    }
    return 1;
}

uint64_t generate_undefined(const struct sample *sample, const struct cpu *before, const struct cpu *after,
                            bool *destination)
{
    unsigned count, size = sample->operands[0].size;
    *destination = false;
    switch (sample->instruction.mnemonic) {
    case M(SHL):
    case M(SHR):
    case M(SAR):
    case M(ROL):
    case M(ROR):
    case M(RCL):
    case M(RCR):
        count = shift_count(sample, before);
        if (count < 2)
            return 0;
        if ((sample->instruction.mnemonic == M(SHL) || sample->instruction.mnemonic == M(SHR)) && count >= size)
            return FLAG_OF | FLAG_CF;
        return FLAG_OF;
    case M(SHLD):
    case M(SHRD):
        count = shift_count(sample, before);
        *destination = count > size;
        return count > size ? FLAGS : count > 1 ? FLAG_OF : 0;
    case M(BSF):
    case M(BSR):
        *destination = after->registers[RFLAGS] & FLAG_ZF;
        return FLAGS & ~FLAG_ZF;
    case M(BT):
    case M(BTS):
    case M(BTR):
    case M(BTC): return FLAG_OF | FLAG_SF | FLAG_PF;
    case M(TZCNT):
    case M(LZCNT): return FLAG_OF | FLAG_SF | FLAG_PF;
    case M(MUL):
    case M(IMUL): return FLAG_SF | FLAG_ZF | FLAG_PF;
    case M(DIV):
    case M(IDIV): return FLAGS;
    default: return sample->instruction.cpu_flags ? sample->instruction.cpu_flags->undefined & FLAGS : 0;
    }
}
