/* Worlds for the machine: images that the tests make themselves, with the permissions of their pages. */
#ifndef TESTS_EMULATE_WORLD_H
#define TESTS_EMULATE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emulate/machine.h"

#if defined HAVE_ZYDIS && defined __x86_64__
#define CAN_EMULATE 1
#else
#define CAN_EMULATE 0
#endif

/* The world of bytes: code, then data that may be written, then constants, then (not in the image) a shared mapping. */
#define WORLD_CODE        UINT64_C(0x10000000)
#define WORLD_DATA        UINT64_C(0x10100000)
#define WORLD_DATA_BYTES  ((size_t)64 << 10)
#define WORLD_CONST       (WORLD_DATA + WORLD_DATA_BYTES)
#define WORLD_CONST_BYTES ((size_t)4096)
#define WORLD_SHARED      (WORLD_CONST + WORLD_CONST_BYTES)
#define WORLD_END         (WORLD_SHARED + 4096)
#define WORLD_BYTES       ((size_t)(WORLD_SHARED - WORLD_CODE))
#define WORLD_CODE_BYTES  ((size_t)(WORLD_DATA - WORLD_CODE))

struct world {
    struct ouro_image image;
    struct ouro_machine *machine;
};

/* code at WORLD_CODE; data (may be NULL: zeroes) at WORLD_DATA, constants are bytes of 0xc5. */
void world_of_code(struct world *world, const void *code, size_t code_size, const void *data, size_t data_size);
/* The shared object that holds `address` of this very process, as it is mapped now, at its addresses. */
void world_of_object(struct world *world, const void *address);
void world_fini(struct world *world);

/* What a test of an explored or called function may want of one visit. */
bool visit_is(const struct ouro_machine_visit *visit, uint32_t kind, int32_t offset, ouro_addr addr);

/* Numbers that are the same in every run with the same seed. */
uint64_t random_next(uint64_t *state);
/* OURO_TEST_SEED, else a fixed one; printed. */
uint64_t random_seed(void);

/* What a build that can't emulate says; 77. */
int skip_emulation(void);

#endif
