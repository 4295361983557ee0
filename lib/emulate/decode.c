#include "emulate/insn.h"

#include <pthread.h>
#include <string.h>

#if HAVE_ZYDIS && defined __x86_64__

#include <Zydis/Zydis.h>

bool ouro_insn_can_decode(void)
{
    return true;
}

/* Instructions whose operands are read in the plain way: dst, src, and a third one or an immediate. */
static const struct {
    uint16_t mnemonic;
    uint8_t op;
} plain[] = {
    {ZYDIS_MNEMONIC_MOV, OURO_INSN_MOV},         {ZYDIS_MNEMONIC_MOVZX, OURO_INSN_MOVZX},
    {ZYDIS_MNEMONIC_MOVSX, OURO_INSN_MOVSX},     {ZYDIS_MNEMONIC_MOVSXD, OURO_INSN_MOVSX},
    {ZYDIS_MNEMONIC_LEA, OURO_INSN_LEA},         {ZYDIS_MNEMONIC_ADD, OURO_INSN_ADD},
    {ZYDIS_MNEMONIC_OR, OURO_INSN_OR},           {ZYDIS_MNEMONIC_ADC, OURO_INSN_ADC},
    {ZYDIS_MNEMONIC_SBB, OURO_INSN_SBB},         {ZYDIS_MNEMONIC_AND, OURO_INSN_AND},
    {ZYDIS_MNEMONIC_SUB, OURO_INSN_SUB},         {ZYDIS_MNEMONIC_XOR, OURO_INSN_XOR},
    {ZYDIS_MNEMONIC_CMP, OURO_INSN_CMP},         {ZYDIS_MNEMONIC_TEST, OURO_INSN_TEST},
    {ZYDIS_MNEMONIC_INC, OURO_INSN_INC},         {ZYDIS_MNEMONIC_DEC, OURO_INSN_DEC},
    {ZYDIS_MNEMONIC_NEG, OURO_INSN_NEG},         {ZYDIS_MNEMONIC_NOT, OURO_INSN_NOT},
    {ZYDIS_MNEMONIC_SHL, OURO_INSN_SHL},         {ZYDIS_MNEMONIC_SHR, OURO_INSN_SHR},
    {ZYDIS_MNEMONIC_SAR, OURO_INSN_SAR},         {ZYDIS_MNEMONIC_ROL, OURO_INSN_ROL},
    {ZYDIS_MNEMONIC_ROR, OURO_INSN_ROR},         {ZYDIS_MNEMONIC_SHLD, OURO_INSN_SHLD},
    {ZYDIS_MNEMONIC_SHRD, OURO_INSN_SHRD},       {ZYDIS_MNEMONIC_BT, OURO_INSN_BT},
    {ZYDIS_MNEMONIC_BTS, OURO_INSN_BTS},         {ZYDIS_MNEMONIC_BTR, OURO_INSN_BTR},
    {ZYDIS_MNEMONIC_BTC, OURO_INSN_BTC},         {ZYDIS_MNEMONIC_BSF, OURO_INSN_BSF},
    {ZYDIS_MNEMONIC_BSR, OURO_INSN_BSR},         {ZYDIS_MNEMONIC_TZCNT, OURO_INSN_TZCNT},
    {ZYDIS_MNEMONIC_LZCNT, OURO_INSN_LZCNT},     {ZYDIS_MNEMONIC_POPCNT, OURO_INSN_POPCNT},
    {ZYDIS_MNEMONIC_BSWAP, OURO_INSN_BSWAP},     {ZYDIS_MNEMONIC_ANDN, OURO_INSN_ANDN},
    {ZYDIS_MNEMONIC_BLSR, OURO_INSN_BLSR},       {ZYDIS_MNEMONIC_BLSI, OURO_INSN_BLSI},
    {ZYDIS_MNEMONIC_SHLX, OURO_INSN_SHLX},       {ZYDIS_MNEMONIC_SHRX, OURO_INSN_SHRX},
    {ZYDIS_MNEMONIC_SARX, OURO_INSN_SARX},       {ZYDIS_MNEMONIC_RORX, OURO_INSN_RORX},
    {ZYDIS_MNEMONIC_XCHG, OURO_INSN_XCHG},       {ZYDIS_MNEMONIC_CMPXCHG, OURO_INSN_CMPXCHG},
    {ZYDIS_MNEMONIC_XADD, OURO_INSN_XADD},       {ZYDIS_MNEMONIC_PUSH, OURO_INSN_PUSH},
    {ZYDIS_MNEMONIC_POP, OURO_INSN_POP},         {ZYDIS_MNEMONIC_IMUL, OURO_INSN_IMUL},
    {ZYDIS_MNEMONIC_MUL, OURO_INSN_MUL},         {ZYDIS_MNEMONIC_DIV, OURO_INSN_DIV},
    {ZYDIS_MNEMONIC_IDIV, OURO_INSN_IDIV},
};

/* Instructions without operands to look at. */
static const struct {
    uint16_t mnemonic;
    uint8_t op, size;
} bare[] = {
    {ZYDIS_MNEMONIC_CBW, OURO_INSN_SIGN_A, 2},  {ZYDIS_MNEMONIC_CWDE, OURO_INSN_SIGN_A, 4},
    {ZYDIS_MNEMONIC_CDQE, OURO_INSN_SIGN_A, 8}, {ZYDIS_MNEMONIC_CWD, OURO_INSN_SIGN_D, 2},
    {ZYDIS_MNEMONIC_CDQ, OURO_INSN_SIGN_D, 4},  {ZYDIS_MNEMONIC_CQO, OURO_INSN_SIGN_D, 8},
    {ZYDIS_MNEMONIC_STOSB, OURO_INSN_STOS, 1},  {ZYDIS_MNEMONIC_STOSW, OURO_INSN_STOS, 2},
    {ZYDIS_MNEMONIC_STOSD, OURO_INSN_STOS, 4},  {ZYDIS_MNEMONIC_STOSQ, OURO_INSN_STOS, 8},
    {ZYDIS_MNEMONIC_MOVSB, OURO_INSN_MOVS, 1},  {ZYDIS_MNEMONIC_MOVSW, OURO_INSN_MOVS, 2},
    {ZYDIS_MNEMONIC_MOVSQ, OURO_INSN_MOVS, 8},  {ZYDIS_MNEMONIC_NOP, OURO_INSN_NOP, 0},
    {ZYDIS_MNEMONIC_SCASB, OURO_INSN_SCAS, 1},  {ZYDIS_MNEMONIC_SCASW, OURO_INSN_SCAS, 2},
    {ZYDIS_MNEMONIC_SCASD, OURO_INSN_SCAS, 4},  {ZYDIS_MNEMONIC_SCASQ, OURO_INSN_SCAS, 8},
    {ZYDIS_MNEMONIC_ENDBR64, OURO_INSN_NOP, 0}, {ZYDIS_MNEMONIC_PAUSE, OURO_INSN_NOP, 0},
    {ZYDIS_MNEMONIC_MFENCE, OURO_INSN_NOP, 0},  {ZYDIS_MNEMONIC_LFENCE, OURO_INSN_NOP, 0},
    {ZYDIS_MNEMONIC_SFENCE, OURO_INSN_NOP, 0},  {ZYDIS_MNEMONIC_PREFETCHT0, OURO_INSN_NOP, 0},
    {ZYDIS_MNEMONIC_PREFETCHT1, OURO_INSN_NOP, 0}, {ZYDIS_MNEMONIC_PREFETCHT2, OURO_INSN_NOP, 0},
    {ZYDIS_MNEMONIC_PREFETCHNTA, OURO_INSN_NOP, 0}, {ZYDIS_MNEMONIC_PREFETCHW, OURO_INSN_NOP, 0},
    {ZYDIS_MNEMONIC_LEAVE, OURO_INSN_LEAVE, 8},
};

/* The SSE moves, zeroings and comparisons of integers. `size`: bytes of the memory operand. */
static const struct {
    uint16_t mnemonic;
    uint8_t op, size, lane;
} vectors[] = {
    {ZYDIS_MNEMONIC_MOVAPS, OURO_VECTOR_MOVE, 16, 0},   {ZYDIS_MNEMONIC_MOVUPS, OURO_VECTOR_MOVE, 16, 0},
    {ZYDIS_MNEMONIC_MOVAPD, OURO_VECTOR_MOVE, 16, 0},   {ZYDIS_MNEMONIC_MOVUPD, OURO_VECTOR_MOVE, 16, 0},
    {ZYDIS_MNEMONIC_MOVDQA, OURO_VECTOR_MOVE, 16, 0},   {ZYDIS_MNEMONIC_MOVDQU, OURO_VECTOR_MOVE, 16, 0},
    {ZYDIS_MNEMONIC_LDDQU, OURO_VECTOR_MOVE, 16, 0},    {ZYDIS_MNEMONIC_MOVQ, OURO_VECTOR_MOVE_LOW_ZERO, 8, 0},
    {ZYDIS_MNEMONIC_MOVD, OURO_VECTOR_MOVE_LOW_ZERO, 4, 0}, {ZYDIS_MNEMONIC_MOVSS, OURO_VECTOR_MOVE_LOW, 4, 0},
    {ZYDIS_MNEMONIC_MOVSD, OURO_VECTOR_MOVE_LOW, 8, 0}, {ZYDIS_MNEMONIC_MOVLPS, OURO_VECTOR_MOVE_LOW, 8, 0},
    {ZYDIS_MNEMONIC_MOVLPD, OURO_VECTOR_MOVE_LOW, 8, 0}, {ZYDIS_MNEMONIC_MOVHPS, OURO_VECTOR_MOVE_HIGH, 8, 0},
    {ZYDIS_MNEMONIC_MOVHPD, OURO_VECTOR_MOVE_HIGH, 8, 0}, {ZYDIS_MNEMONIC_MOVHLPS, OURO_VECTOR_HIGH_TO_LOW, 8, 0},
    {ZYDIS_MNEMONIC_MOVLHPS, OURO_VECTOR_LOW_TO_HIGH, 8, 0}, {ZYDIS_MNEMONIC_MOVDDUP, OURO_VECTOR_DUPLICATE, 8, 0},
    {ZYDIS_MNEMONIC_PAND, OURO_VECTOR_AND, 16, 0},      {ZYDIS_MNEMONIC_ANDPS, OURO_VECTOR_AND, 16, 0},
    {ZYDIS_MNEMONIC_ANDPD, OURO_VECTOR_AND, 16, 0},     {ZYDIS_MNEMONIC_PANDN, OURO_VECTOR_ANDN, 16, 0},
    {ZYDIS_MNEMONIC_ANDNPS, OURO_VECTOR_ANDN, 16, 0},   {ZYDIS_MNEMONIC_ANDNPD, OURO_VECTOR_ANDN, 16, 0},
    {ZYDIS_MNEMONIC_POR, OURO_VECTOR_OR, 16, 0},        {ZYDIS_MNEMONIC_ORPS, OURO_VECTOR_OR, 16, 0},
    {ZYDIS_MNEMONIC_ORPD, OURO_VECTOR_OR, 16, 0},       {ZYDIS_MNEMONIC_PXOR, OURO_VECTOR_XOR, 16, 0},
    {ZYDIS_MNEMONIC_XORPS, OURO_VECTOR_XOR, 16, 0},     {ZYDIS_MNEMONIC_XORPD, OURO_VECTOR_XOR, 16, 0},
    {ZYDIS_MNEMONIC_PADDB, OURO_VECTOR_ADD, 16, 1},     {ZYDIS_MNEMONIC_PADDW, OURO_VECTOR_ADD, 16, 2},
    {ZYDIS_MNEMONIC_PADDD, OURO_VECTOR_ADD, 16, 4},     {ZYDIS_MNEMONIC_PADDQ, OURO_VECTOR_ADD, 16, 8},
    {ZYDIS_MNEMONIC_PSUBB, OURO_VECTOR_SUB, 16, 1},     {ZYDIS_MNEMONIC_PSUBW, OURO_VECTOR_SUB, 16, 2},
    {ZYDIS_MNEMONIC_PSUBD, OURO_VECTOR_SUB, 16, 4},     {ZYDIS_MNEMONIC_PSUBQ, OURO_VECTOR_SUB, 16, 8},
    {ZYDIS_MNEMONIC_PCMPEQB, OURO_VECTOR_EQUAL, 16, 1}, {ZYDIS_MNEMONIC_PCMPEQW, OURO_VECTOR_EQUAL, 16, 2},
    {ZYDIS_MNEMONIC_PCMPEQD, OURO_VECTOR_EQUAL, 16, 4}, {ZYDIS_MNEMONIC_PCMPGTB, OURO_VECTOR_GREATER, 16, 1},
    {ZYDIS_MNEMONIC_PCMPGTW, OURO_VECTOR_GREATER, 16, 2}, {ZYDIS_MNEMONIC_PCMPGTD, OURO_VECTOR_GREATER, 16, 4},
    {ZYDIS_MNEMONIC_PMINUB, OURO_VECTOR_MIN_UNSIGNED_BYTE, 16, 1}, {ZYDIS_MNEMONIC_PMOVMSKB, OURO_VECTOR_MASK, 16, 1},
    {ZYDIS_MNEMONIC_MOVMSKPS, OURO_VECTOR_MASK, 16, 4}, {ZYDIS_MNEMONIC_MOVMSKPD, OURO_VECTOR_MASK, 16, 8},
    {ZYDIS_MNEMONIC_PUNPCKLBW, OURO_VECTOR_UNPACK_LOW, 16, 1}, {ZYDIS_MNEMONIC_PUNPCKLWD, OURO_VECTOR_UNPACK_LOW, 16, 2},
    {ZYDIS_MNEMONIC_PUNPCKLDQ, OURO_VECTOR_UNPACK_LOW, 16, 4}, {ZYDIS_MNEMONIC_PUNPCKLQDQ, OURO_VECTOR_UNPACK_LOW, 16, 8},
    {ZYDIS_MNEMONIC_UNPCKLPS, OURO_VECTOR_UNPACK_LOW, 16, 4}, {ZYDIS_MNEMONIC_UNPCKLPD, OURO_VECTOR_UNPACK_LOW, 16, 8},
    {ZYDIS_MNEMONIC_PUNPCKHBW, OURO_VECTOR_UNPACK_HIGH, 16, 1}, {ZYDIS_MNEMONIC_PUNPCKHWD, OURO_VECTOR_UNPACK_HIGH, 16, 2},
    {ZYDIS_MNEMONIC_PUNPCKHDQ, OURO_VECTOR_UNPACK_HIGH, 16, 4}, {ZYDIS_MNEMONIC_PUNPCKHQDQ, OURO_VECTOR_UNPACK_HIGH, 16, 8},
    {ZYDIS_MNEMONIC_UNPCKHPS, OURO_VECTOR_UNPACK_HIGH, 16, 4}, {ZYDIS_MNEMONIC_UNPCKHPD, OURO_VECTOR_UNPACK_HIGH, 16, 8},
    {ZYDIS_MNEMONIC_PSHUFD, OURO_VECTOR_SHUFFLE_D, 16, 4}, {ZYDIS_MNEMONIC_SHUFPS, OURO_VECTOR_SHUFFLE_PS, 16, 4},
    {ZYDIS_MNEMONIC_SHUFPD, OURO_VECTOR_SHUFFLE_PD, 16, 8}, {ZYDIS_MNEMONIC_PSLLDQ, OURO_VECTOR_SHIFT_BYTES_LEFT, 16, 0},
    {ZYDIS_MNEMONIC_PSRLDQ, OURO_VECTOR_SHIFT_BYTES_RIGHT, 16, 0}, {ZYDIS_MNEMONIC_PSLLW, OURO_VECTOR_SHIFT_LEFT, 16, 2},
    {ZYDIS_MNEMONIC_PSLLD, OURO_VECTOR_SHIFT_LEFT, 16, 4}, {ZYDIS_MNEMONIC_PSLLQ, OURO_VECTOR_SHIFT_LEFT, 16, 8},
    {ZYDIS_MNEMONIC_PSRLW, OURO_VECTOR_SHIFT_RIGHT, 16, 2}, {ZYDIS_MNEMONIC_PSRLD, OURO_VECTOR_SHIFT_RIGHT, 16, 4},
    {ZYDIS_MNEMONIC_PSRLQ, OURO_VECTOR_SHIFT_RIGHT, 16, 8}, {ZYDIS_MNEMONIC_PSRAW, OURO_VECTOR_SHIFT_RIGHT_SIGNED, 16, 2},
    {ZYDIS_MNEMONIC_PSRAD, OURO_VECTOR_SHIFT_RIGHT_SIGNED, 16, 4}, {ZYDIS_MNEMONIC_PSADBW, OURO_VECTOR_SUM_DIFFERENCES, 16, 1},
    {ZYDIS_MNEMONIC_PMULUDQ, OURO_VECTOR_MULTIPLY_D, 16, 8}, {ZYDIS_MNEMONIC_PSHUFLW, OURO_VECTOR_SHUFFLE_LW, 16, 2},
    {ZYDIS_MNEMONIC_PSHUFHW, OURO_VECTOR_SHUFFLE_HW, 16, 2},
};

static bool general_register(ZydisRegister reg, uint8_t *number, bool *high)
{
    ZyanI8 id = ZydisRegisterGetId(reg);
    *high = false;
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
        *high = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
        *number = (uint8_t)(*high              ? reg - ZYDIS_REGISTER_AH
                            : reg <= ZYDIS_REGISTER_BL ? reg - ZYDIS_REGISTER_AL
                                                       : reg - ZYDIS_REGISTER_SPL + 4);
        return true;
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
        *number = (uint8_t)id;
        return id >= 0 && id < 16;
    default:
        return false;
    }
}

static bool memory(struct ouro_insn *insn, const ZydisDecodedInstruction *from, const ZydisDecodedOperandMem *operand)
{
    bool high;
    insn->base = insn->index = OURO_REGISTER_NONE;
    insn->disp = operand->disp.has_displacement ? operand->disp.value : 0;
    if (from->address_width == 32)
        insn->flags |= OURO_INSN_ADDRESS32;
    if (operand->segment == ZYDIS_REGISTER_FS)
        insn->flags |= OURO_INSN_FS;
    else if (operand->segment == ZYDIS_REGISTER_GS || operand->type == ZYDIS_MEMOP_TYPE_VSIB)
        return false;
    if (operand->base == ZYDIS_REGISTER_RIP) {
        insn->disp += (int64_t)(insn->at + from->length);
        return true;
    }
    if (operand->base == ZYDIS_REGISTER_EIP)
        return false;
    if (operand->base != ZYDIS_REGISTER_NONE && !general_register(operand->base, &insn->base, &high))
        return false;
    if (operand->index != ZYDIS_REGISTER_NONE && operand->scale) {
        if (!general_register(operand->index, &insn->index, &high))
            return false;
        insn->shift = (uint8_t)__builtin_ctz(operand->scale);
    }
    return true;
}

struct operands {
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand at[ZYDIS_MAX_OPERAND_COUNT];
};

/* The first operand as the destination; false: none that the machine knows. */
static bool read_dst(struct ouro_insn *insn, const struct operands *from, const ZydisDecodedOperand *operand)
{
    bool high = false;
    insn->size = (uint8_t)(operand->size / 8);
    if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        insn->flags |= OURO_INSN_DST_MEMORY;
        return memory(insn, &from->insn, &operand->mem);
    }
    if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER || !general_register(operand->reg.value, &insn->dst, &high))
        return false;
    insn->flags |= high ? OURO_INSN_DST_HIGH : 0;
    return true;
}

static bool read_src(struct ouro_insn *insn, const struct operands *from, const ZydisDecodedOperand *operand)
{
    bool high = false;
    insn->src_size = (uint8_t)(operand->size / 8);
    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_MEMORY:
        insn->flags |= OURO_INSN_SRC_MEMORY;
        return memory(insn, &from->insn, &operand->mem);
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        insn->flags |= OURO_INSN_SRC_IMM;
        insn->imm = operand->imm.value.s;
        return true;
    case ZYDIS_OPERAND_TYPE_REGISTER:
        if (!general_register(operand->reg.value, &insn->src, &high))
            return false;
        insn->flags |= high ? OURO_INSN_SRC_HIGH : 0;
        return true;
    default:
        return false;
    }
}

static bool is_shift(unsigned op)
{
    return op >= OURO_INSN_SHL && op <= OURO_INSN_SHRD;
}

static bool takes_one(unsigned op)
{
    return (op >= OURO_INSN_INC && op <= OURO_INSN_NOT) || op == OURO_INSN_BSWAP;
}

/* More than two operands: imul, shld, the BMI ones. */
static bool read_third(struct ouro_insn *insn, const struct operands *from)
{
    const ZydisDecodedOperand *third = &from->at[2];
    bool high;
    switch (insn->op) {
    case OURO_INSN_ANDN: { /* dst = ~second & third: the third may be in memory */
        uint8_t second = insn->src;
        if (insn->flags & OURO_INSN_SRC_MEMORY || !read_src(insn, from, third))
            return false;
        insn->third = second;
        return true;
    }
    case OURO_INSN_SHLX:
    case OURO_INSN_SHRX:
    case OURO_INSN_SARX:
        return third->type == ZYDIS_OPERAND_TYPE_REGISTER && general_register(third->reg.value, &insn->third, &high);
    case OURO_INSN_SHLD:
    case OURO_INSN_SHRD:
        insn->third = insn->src;
        if (third->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            insn->flags |= OURO_INSN_SRC_IMM;
            insn->imm = third->imm.value.s;
            return true;
        }
        insn->flags |= OURO_INSN_SRC_CL;
        return true;
    default:
        if (third->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
        insn->imm = third->imm.value.s;
        return true;
    }
}

static bool decode_plain(struct ouro_insn *insn, const struct operands *from)
{
    unsigned count = from->insn.operand_count_visible;
    if (count < 1)
        return false;
    if (insn->op >= OURO_INSN_MUL && insn->op <= OURO_INSN_IDIV && count == 1) {
        if (insn->op == OURO_INSN_IMUL)
            insn->op = OURO_INSN_IMUL1;
        bool known = read_src(insn, from, &from->at[0]);
        insn->size = insn->src_size;
        return known;
    }
    if (insn->op == OURO_INSN_PUSH) {
        bool known = read_src(insn, from, &from->at[0]);
        insn->size = (uint8_t)(from->insn.operand_width / 8);
        return known && insn->size == 8;
    }
    if (!read_dst(insn, from, &from->at[0]))
        return false;
    if (insn->op == OURO_INSN_POP)
        return insn->size == 8;
    if (takes_one(insn->op))
        return true;
    if (count == 1 && is_shift(insn->op)) {
        insn->flags |= OURO_INSN_SRC_IMM;
        insn->imm = 1;
        return true;
    }
    if (count < 2)
        return false;
    if (is_shift(insn->op) && insn->op < OURO_INSN_SHLD && from->at[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
        insn->flags |= OURO_INSN_SRC_CL;
        return true;
    }
    if (!read_src(insn, from, &from->at[1]))
        return false;
    if (insn->op == OURO_INSN_IMUL && count == 3)
        insn->third = 1;
    else if (insn->op == OURO_INSN_IMUL && insn->flags & OURO_INSN_SRC_IMM)
        return false;
    return count < 3 || read_third(insn, from);
}

static bool vector_register(ZydisRegister reg, uint8_t *number)
{
    ZyanI8 id = ZydisRegisterGetId(reg);
    *number = (uint8_t)id;
    return ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_XMM && id >= 0 && id < 16;
}

static bool decode_vector(struct ouro_insn *insn, const struct operands *from)
{
    bool high;
    unsigned count = from->insn.operand_count_visible;
    if (from->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY || count < 2)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        const ZydisDecodedOperand *operand = &from->at[i];
        uint8_t *number = i ? &insn->src : &insn->dst;
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            insn->flags |= i ? OURO_INSN_SRC_MEMORY : OURO_INSN_DST_MEMORY;
            if (!memory(insn, &from->insn, &operand->mem))
                return false;
        } else if (i && operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            insn->flags |= OURO_INSN_SRC_IMM;
            insn->imm = operand->imm.value.s & 0xff;
        } else if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER) {
            return false;
        } else if (general_register(operand->reg.value, number, &high)) {
            insn->flags |= i ? OURO_INSN_SRC_GENERAL : OURO_INSN_DST_GENERAL;
            if (insn->third == OURO_VECTOR_MOVE_LOW_ZERO)
                insn->size = (uint8_t)(operand->size / 8);
        } else if (!vector_register(operand->reg.value, number)) {
            return false; /* MMX */
        }
    }
    if (count > 2) {
        if (from->at[2].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
        insn->imm = from->at[2].imm.value.s & 0xff;
    }
    /* Shifts by another register and reads of a register's low part into one that keeps the rest are not of these. */
    bool shift = insn->third == OURO_VECTOR_SHIFT_LEFT || insn->third == OURO_VECTOR_SHIFT_RIGHT ||
                 insn->third == OURO_VECTOR_SHIFT_RIGHT_SIGNED;
    if (shift && !(insn->flags & OURO_INSN_SRC_IMM))
        return false;
    if (insn->third == OURO_VECTOR_MOVE_LOW && insn->flags & OURO_INSN_SRC_MEMORY &&
        (from->insn.mnemonic == ZYDIS_MNEMONIC_MOVSS || from->insn.mnemonic == ZYDIS_MNEMONIC_MOVSD))
        insn->third = OURO_VECTOR_MOVE_LOW_ZERO;
    return true;
}

static bool decode_branch(struct ouro_insn *insn, const struct operands *from)
{
    const ZydisDecodedOperand *to = &from->at[0];
    bool call = from->insn.mnemonic == ZYDIS_MNEMONIC_CALL;
    if (from->insn.mnemonic == ZYDIS_MNEMONIC_RET) {
        insn->op = OURO_INSN_RET;
        insn->imm = from->insn.operand_count_visible && to->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? to->imm.value.s : 0;
        return from->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
    }
    if (from->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return false;
    if (to->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        insn->imm = (int64_t)(insn->at + insn->length + (uint64_t)to->imm.value.s);
        insn->op = call ? OURO_INSN_CALL : OURO_INSN_JMP;
        return from->insn.operand_width == 64;
    }
    insn->op = call ? OURO_INSN_CALL_INDIRECT : OURO_INSN_JMP_INDIRECT;
    insn->size = 8;
    return read_src(insn, from, to) && insn->src_size == 8;
}

static bool decode_condition(struct ouro_insn *insn, const struct operands *from)
{
    insn->condition = from->insn.opcode & 15;
    switch (from->insn.meta.category) {
    case ZYDIS_CATEGORY_CMOV:
        insn->op = OURO_INSN_CMOV;
        return read_dst(insn, from, &from->at[0]) && read_src(insn, from, &from->at[1]);
    case ZYDIS_CATEGORY_SETCC:
        insn->op = OURO_INSN_SET;
        return read_dst(insn, from, &from->at[0]);
    default: /* jrcxz and loop have other opcodes */
        if (!((from->insn.opcode & 0xf0) == 0x70 && from->insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT) &&
            !((from->insn.opcode & 0xf0) == 0x80 && from->insn.opcode_map == ZYDIS_OPCODE_MAP_0F))
            return false;
        insn->op = OURO_INSN_JCC;
        insn->imm = (int64_t)(insn->at + insn->length + (uint64_t)from->at[0].imm.value.s);
        return from->insn.operand_width == 64;
    }
}

/* The frequent forms get an operation of their own. */
static void specialise(struct ouro_insn *insn)
{
    unsigned kinds = insn->flags & (OURO_INSN_DST_MEMORY | OURO_INSN_SRC_MEMORY | OURO_INSN_SRC_IMM | OURO_INSN_FS |
                                    OURO_INSN_ADDRESS32);
    if (insn->op == OURO_INSN_PUSH && !kinds)
        insn->op = OURO_INSN_PUSH_R;
    else if (insn->op == OURO_INSN_POP && !kinds)
        insn->op = OURO_INSN_POP_R;
    if (insn->size != 8)
        return;
    if (insn->op == OURO_INSN_MOV)
        insn->op = !kinds                          ? OURO_INSN_MOV_RR
                   : kinds == OURO_INSN_SRC_MEMORY ? OURO_INSN_LOAD
                   : kinds == OURO_INSN_DST_MEMORY ? OURO_INSN_STORE
                                                   : OURO_INSN_MOV;
    else if (insn->op == OURO_INSN_TEST && !kinds)
        insn->op = OURO_INSN_TEST_RR;
}

/* Where in the tables a mnemonic stands, counted through all three; 0: nowhere. */
enum {
    BARE_AT = 1,
    PLAIN_AT = BARE_AT + sizeof bare / sizeof *bare,
    VECTORS_AT = PLAIN_AT + sizeof plain / sizeof *plain,
    PLACES = VECTORS_AT + sizeof vectors / sizeof *vectors,
};
_Static_assert(PLACES <= UINT8_MAX, "a place fits");
static uint8_t places[ZYDIS_MNEMONIC_MAX_VALUE + 1];
static pthread_once_t placed = PTHREAD_ONCE_INIT;

static void place_all(void)
{
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        places[bare[i].mnemonic] = (uint8_t)(BARE_AT + i);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        places[plain[i].mnemonic] = (uint8_t)(PLAIN_AT + i);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        places[vectors[i].mnemonic] = (uint8_t)(VECTORS_AT + i);
}

static bool decode(struct ouro_insn *insn, const struct operands *from)
{
    const ZydisDecodedInstruction *zydis = &from->insn;
    /* Here Zydis 4.0 sees a base register and no displacement, and there are a displacement and no base. */
    if (zydis->address_width == 32 && zydis->raw.rex.B && !zydis->raw.modrm.mod && zydis->raw.modrm.rm == 4 &&
        zydis->raw.sib.base == 5)
        return false;
    switch (zydis->meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_SETCC:
        return zydis->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY && decode_condition(insn, from);
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
        return zydis->mnemonic != ZYDIS_MNEMONIC_XABORT && zydis->mnemonic != ZYDIS_MNEMONIC_IRETQ &&
               decode_branch(insn, from);
    default:
        break;
    }
    bool string = zydis->mnemonic == ZYDIS_MNEMONIC_MOVSD && zydis->meta.category == ZYDIS_CATEGORY_STRINGOP;
    unsigned place = places[zydis->mnemonic];
    if (place >= BARE_AT && place < PLAIN_AT) {
        insn->op = bare[place - BARE_AT].op;
        insn->size = bare[place - BARE_AT].size;
    }
    if (string) {
        insn->op = OURO_INSN_MOVS;
        insn->size = 4;
    }
    if (insn->op == OURO_INSN_STOS || insn->op == OURO_INSN_MOVS) {
        if (zydis->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
            insn->flags |= OURO_INSN_REPEAT;
        /* What "repne" does to these is not defined. */
        return zydis->address_width == 64 && !(zydis->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS |
                                                                    ZYDIS_ATTRIB_HAS_REPNE | ZYDIS_ATTRIB_HAS_REPNZ));
    }
    if (insn->op == OURO_INSN_SCAS) {
        bool equal = zydis->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE);
        bool unequal = zydis->attributes & (ZYDIS_ATTRIB_HAS_REPNE | ZYDIS_ATTRIB_HAS_REPNZ);
        insn->third = equal ? 1 : unequal ? 2 : 0;
        return zydis->address_width == 64 && !(equal && unequal);
    }
    if (insn->op == OURO_INSN_LEAVE)
        return zydis->operand_width == 64;
    if (insn->op)
        return true;
    if (place >= VECTORS_AT) {
        insn->op = OURO_INSN_VECTOR;
        insn->third = vectors[place - VECTORS_AT].op;
        insn->size = vectors[place - VECTORS_AT].size;
        insn->lane = vectors[place - VECTORS_AT].lane;
        return decode_vector(insn, from);
    }
    if (place >= PLAIN_AT) {
        insn->op = plain[place - PLAIN_AT].op;
        return decode_plain(insn, from);
    }
    return false;
}

void ouro_insn_decode(struct ouro_insn *insn, const unsigned char *bytes, size_t size, ouro_addr at)
{
    ZydisDecoder decoder;
    ZydisDecoderContext context;
    struct operands from;
    memset(insn, 0, sizeof *insn);
    insn->at = at;
    insn->base = insn->index = OURO_REGISTER_NONE;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, &context, bytes, size, &from.insn)))
        return;
    unsigned visible = from.insn.operand_count_visible;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&decoder, &context, &from.insn, from.at, (uint8_t)visible)))
        return;
    for (; visible < ZYDIS_MAX_OPERAND_COUNT; visible++)
        from.at[visible].type = ZYDIS_OPERAND_TYPE_UNUSED;
    insn->length = from.insn.length;
    pthread_once(&placed, place_all);
    if (decode(insn, &from))
        specialise(insn);
    else
        insn->op = OURO_INSN_UNKNOWN;
}

#else

bool ouro_insn_can_decode(void)
{
    return false;
}

void ouro_insn_decode(struct ouro_insn *insn, const unsigned char *bytes, size_t size, ouro_addr at)
{
    (void)bytes;
    (void)size;
    memset(insn, 0, sizeof *insn);
    insn->at = at;
}

#endif
