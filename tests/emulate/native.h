/* The processor itself as the oracle: single instructions are run here, in memory as world_of_code makes it.
 *
 * A signal's handler puts the registers into the frame that the kernel restores, with the trap flag set; the trap's handler
 * takes them out again. So an instruction may jump, fault, or break the stack pointer. */
#ifndef TESTS_EMULATE_NATIVE_H
#define TESTS_EMULATE_NATIVE_H

#include <stdint.h>

#include "world.h"

/* Registers numbered as the machine's; flags (17) CF PF ZF SF OF only. */
struct cpu {
    uint64_t registers[OURO_MACHINE_REGISTERS];
    uint64_t vectors[16][2];
};
#define FLAG_CF UINT64_C(0x001)
#define FLAG_PF UINT64_C(0x004)
#define FLAG_ZF UINT64_C(0x040)
#define FLAG_SF UINT64_C(0x080)
#define FLAG_OF UINT64_C(0x800)
#define FLAGS   (FLAG_CF | FLAG_PF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define RIP     16
#define RFLAGS  17

enum native_end { NATIVE_OK, NATIVE_FAULT, NATIVE_DIVIDE, NATIVE_ILLEGAL, NATIVE_OTHER };

struct native {
    unsigned char *memory; /* the WORLD_BYTES at WORLD_CODE, here always writable */
};

/* NULL, or why there is no such oracle here. One at a time in a process. */
const char *native_start(struct native *native);
void native_stop(struct native *native);
/* One instruction; one with a repeat prefix to its end. */
enum native_end native_step(struct cpu *cpu, bool repeated);

#endif
