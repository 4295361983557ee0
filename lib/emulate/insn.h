/* Machine code, decoded once and kept in the form that the machine runs. Internal to lib/emulate. */
#ifndef OURO_EMULATE_INSN_H
#define OURO_EMULATE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

#define OURO_INSN_BYTES_MAX 15
#define OURO_REGISTER_NONE 16 /* a register that is always 0 */

/* What to do. The first group are the most frequent forms, which need no look at the operands' kinds. */
enum ouro_insn_op {
    OURO_INSN_UNKNOWN = 0,
    OURO_INSN_MOV_RR, /* 64 bits */
    OURO_INSN_LOAD,   /* 64 bits */
    OURO_INSN_STORE,  /* 64 bits */
    OURO_INSN_TEST_RR, /* 64 bits */
    OURO_INSN_PUSH_R,
    OURO_INSN_POP_R,

    OURO_INSN_MOV,
    OURO_INSN_MOVZX,
    OURO_INSN_MOVSX,
    OURO_INSN_LEA,
    OURO_INSN_ADD,
    OURO_INSN_OR,
    OURO_INSN_ADC,
    OURO_INSN_SBB,
    OURO_INSN_AND,
    OURO_INSN_SUB,
    OURO_INSN_XOR,
    OURO_INSN_CMP,
    OURO_INSN_TEST,
    OURO_INSN_INC,
    OURO_INSN_DEC,
    OURO_INSN_NEG,
    OURO_INSN_NOT,
    OURO_INSN_MUL,   /* rdx:rax = rax * src */
    OURO_INSN_IMUL1, /* the same, signed */
    OURO_INSN_IMUL,  /* dst = src * (third or imm or dst) */
    OURO_INSN_DIV,
    OURO_INSN_IDIV,
    OURO_INSN_SHL,
    OURO_INSN_SHR,
    OURO_INSN_SAR,
    OURO_INSN_ROL,
    OURO_INSN_ROR,
    OURO_INSN_SHLD,
    OURO_INSN_SHRD,
    OURO_INSN_BT,
    OURO_INSN_BTS,
    OURO_INSN_BTR,
    OURO_INSN_BTC,
    OURO_INSN_BSF,
    OURO_INSN_BSR,
    OURO_INSN_TZCNT,
    OURO_INSN_LZCNT,
    OURO_INSN_POPCNT,
    OURO_INSN_BSWAP,
    OURO_INSN_ANDN,
    OURO_INSN_BLSR,
    OURO_INSN_BLSI,
    OURO_INSN_SHLX,
    OURO_INSN_SHRX,
    OURO_INSN_SARX,
    OURO_INSN_RORX,
    OURO_INSN_CMOV,
    OURO_INSN_SET,
    OURO_INSN_XCHG,
    OURO_INSN_CMPXCHG,
    OURO_INSN_XADD,
    OURO_INSN_SIGN_A, /* cbw, cwde, cdqe: size is that of the result */
    OURO_INSN_SIGN_D, /* cwd, cdq, cqo */
    OURO_INSN_STOS,
    OURO_INSN_MOVS,
    OURO_INSN_SCAS, /* third: 0, or repeated while 1 equal, 2 not equal */
    OURO_INSN_NOP,
    OURO_INSN_PUSH,
    OURO_INSN_POP,
    OURO_INSN_LEAVE,
    OURO_INSN_VECTOR, /* what, says `third` (enum ouro_vector_op) */

    OURO_INSN_JCC,
    /* These end a block. */
    OURO_INSN_JMP,          /* to imm */
    OURO_INSN_CALL,         /* to imm */
    OURO_INSN_JMP_INDIRECT, /* to src */
    OURO_INSN_CALL_INDIRECT,
    OURO_INSN_RET,
    OURO_INSN_GOTO, /* not in the code: goes on at imm */

    /* These stand at addresses that are no code. */
    OURO_INSN_TRAP_RETURN,
    OURO_INSN_TRAP_VISIT,
    OURO_INSN_TRAP_STOP,
    OURO_INSN_TRAP_LIBRARY, /* a function of the C library that is done here: which, says dst (library.c) */
};

enum ouro_vector_op {
    OURO_VECTOR_MOVE = 1, /* 16 bytes */
    OURO_VECTOR_MOVE_LOW_ZERO, /* `size` bytes of src; the rest of the register becomes 0 */
    OURO_VECTOR_MOVE_LOW,      /* `size` bytes; the rest stays */
    OURO_VECTOR_MOVE_HIGH,     /* upper half of the register <-> memory */
    OURO_VECTOR_HIGH_TO_LOW,
    OURO_VECTOR_LOW_TO_HIGH,
    OURO_VECTOR_DUPLICATE,     /* the low half into both */
    OURO_VECTOR_AND,
    OURO_VECTOR_ANDN,
    OURO_VECTOR_OR,
    OURO_VECTOR_XOR,
    OURO_VECTOR_ADD,     /* lanes of `lane` bytes */
    OURO_VECTOR_SUB,
    OURO_VECTOR_EQUAL,
    OURO_VECTOR_GREATER, /* signed */
    OURO_VECTOR_MIN_UNSIGNED_BYTE,
    OURO_VECTOR_MASK,    /* sign bits of lanes into a register */
    OURO_VECTOR_UNPACK_LOW,
    OURO_VECTOR_UNPACK_HIGH,
    OURO_VECTOR_SHUFFLE_D,
    OURO_VECTOR_SHUFFLE_PS,
    OURO_VECTOR_SHUFFLE_PD,
    OURO_VECTOR_SHIFT_BYTES_LEFT,
    OURO_VECTOR_SHIFT_BYTES_RIGHT,
    OURO_VECTOR_SHIFT_LEFT,  /* lanes, by imm */
    OURO_VECTOR_SHIFT_RIGHT,
    OURO_VECTOR_SHIFT_RIGHT_SIGNED,
    OURO_VECTOR_SUM_DIFFERENCES, /* psadbw: of the bytes of each half */
    OURO_VECTOR_MULTIPLY_D,      /* pmuludq: the low 32 bits of each half */
    OURO_VECTOR_SHUFFLE_LW,
    OURO_VECTOR_SHUFFLE_HW,
};

#define OURO_INSN_DST_MEMORY 1u
#define OURO_INSN_SRC_MEMORY 2u
#define OURO_INSN_SRC_IMM    4u
#define OURO_INSN_DST_HIGH   8u  /* ah, ch, dh, bh */
#define OURO_INSN_SRC_HIGH   16u
#define OURO_INSN_FS         32u
#define OURO_INSN_ADDRESS32  64u
#define OURO_INSN_REPEAT     128u
#define OURO_INSN_SRC_GENERAL 256u /* of vector instructions: src (dst) is a general register */
#define OURO_INSN_DST_GENERAL 512u
#define OURO_INSN_SRC_CL     1024u /* of shifts */
#define OURO_INSN_SETTLED    2048u /* an indirect jump through a slot that was looked at */
#define OURO_INSN_KEEP       4096u /* of ANDN & co: no flags */

struct ouro_insn {
    uint8_t op;       /* enum ouro_insn_op */
    uint8_t size;     /* bytes of the operation */
    uint8_t src_size; /* of MOVZX and MOVSX */
    uint8_t length;   /* bytes of code */
    uint8_t dst, src, third; /* register numbers */
    uint8_t base, index, shift; /* of the memory operand: base + (index << shift) + disp */
    uint8_t condition; /* as in the machine code: 0 O ... 15 G */
    uint8_t lane;
    uint16_t flags;
    int64_t disp, imm;
    ouro_addr at;
    struct ouro_insn *link; /* where imm leads to, once known */
};

/* Decodes one instruction of the `size` bytes at `at`; what the machine doesn't know becomes OURO_INSN_UNKNOWN, its
 * length 0 when it is no instruction at all. */
void ouro_insn_decode(struct ouro_insn *insn, const unsigned char *bytes, size_t size, ouro_addr at);
bool ouro_insn_can_decode(void);

static inline bool ouro_insn_ends_block(const struct ouro_insn *insn)
{
    return insn->op == OURO_INSN_UNKNOWN || insn->op > OURO_INSN_JCC; /* a branch not taken goes on in the block */
}

#endif
