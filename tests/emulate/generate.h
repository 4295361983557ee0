/* Instructions to try, and machine states in which they do something. */
#ifndef TESTS_EMULATE_GENERATE_H
#define TESTS_EMULATE_GENERATE_H

#include <Zydis/Zydis.h>

#include "native.h"

struct sample {
    unsigned char bytes[ZYDIS_MAX_INSTRUCTION_LENGTH + 1];
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* Forms of instructions that the machine must know. */
size_t generate_form_count(void);
/* An instruction of that form, with random operands, to be run at `address`. false: there is no such one. */
bool generate_of_form(size_t form, uint64_t *state, ouro_addr address, struct sample *sample);
/* The mnemonic of a form. */
ZydisMnemonic generate_form_mnemonic(size_t form);
/* Random bytes that are an instruction. */
void generate_random(uint64_t *state, ouro_addr address, struct sample *sample);

/* Random registers, such that the sample's memory operands are mostly where memory is. memory: WORLD_BYTES. */
void generate_state(const struct sample *sample, uint64_t *state, ouro_addr address, const unsigned char *memory,
                    struct cpu *cpu);
/* Flags that the manual leaves undefined when the sample makes `after` of `before`; *destination: so is its first operand. */
uint64_t generate_undefined(const struct sample *sample, const struct cpu *before, const struct cpu *after,
                            bool *destination);

#endif
