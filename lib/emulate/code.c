#include "emulate/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define INSTRUCTIONS_MAX 262144u /* decoded ones kept; 18 MB */

static size_t decoded(const struct ouro_machine *machine)
{
    return machine->chunks.count * OURO_INSN_CHUNK;
}

bool ouro_machine_code_is_large(const struct ouro_machine *machine)
{
    return decoded(machine) > INSTRUCTIONS_MAX / 2;
}

void ouro_machine_forget_code(struct ouro_machine *machine)
{
    for (size_t i = 0; i < machine->chunks.count; i++)
        free(machine->chunks.items[i]);
    machine->chunks.count = 0;
    machine->chunk_used = 0;
    ouro_map_fini(&machine->blocks);
    memset(&machine->blocks, 0, sizeof machine->blocks);
    memset(machine->jumps, 0, sizeof machine->jumps);
}

/* Room for a block, one behind the other. */
static struct ouro_insn *room(struct ouro_machine *machine)
{
    if (!machine->chunks.count || machine->chunk_used + OURO_BLOCK_MAX + 1 > OURO_INSN_CHUNK) {
        if (decoded(machine) >= INSTRUCTIONS_MAX)
            return NULL;
        struct ouro_insn *chunk = malloc(OURO_INSN_CHUNK * sizeof *chunk);
        struct ouro_insn **place = chunk ? OURO_VEC_ADD(&machine->chunks) : NULL;
        if (!place) {
            free(chunk);
            return NULL;
        }
        *place = chunk;
        machine->chunk_used = 0;
    }
    return machine->chunks.items[machine->chunks.count - 1] + machine->chunk_used;
}

/* Straight code from addr to the next branch. An instruction that can't be read or decoded ends it: it counts when it is reached. */
static size_t decode_block(struct ouro_machine *machine, struct ouro_insn *block, ouro_addr addr)
{
    size_t count = 0;
    for (; count < OURO_BLOCK_MAX; count++) {
        struct ouro_insn *insn = &block[count];
        unsigned char bytes[OURO_INSN_BYTES_MAX];
        const uint64_t *stop = ouro_map_find(&machine->stops, addr);
        if (stop && !count) {
            *insn = (struct ouro_insn){.op = *stop == 1 ? OURO_INSN_TRAP_STOP : OURO_INSN_TRAP_LIBRARY, .at = addr};
            insn->imm = 0;
            insn->dst = (uint8_t)(*stop - 2);
            return 1;
        }
        if (stop)
            break;
        size_t size = ouro_memory_code(&machine->memory, addr, bytes, sizeof bytes);
        if (!size && !count)
            return 0;
        ouro_insn_decode(insn, bytes, size, addr);
        if (ouro_insn_ends_block(insn))
            return count + 1;
        addr += insn->length;
    }
    block[count] = (struct ouro_insn){.op = OURO_INSN_GOTO, .at = addr, .imm = (int64_t)addr};
    return count + 1;
}

struct ouro_insn *ouro_machine_find(struct ouro_machine *machine, ouro_addr addr)
{
    if (addr == OURO_MACHINE_RETURN)
        return &machine->trap_return;
    if (addr == OURO_MACHINE_VISIT)
        return &machine->trap_visit;
    if (addr == UINT64_MAX) { /* no key of a map */
        machine->at = addr;
        machine->end = OURO_MACHINE_NO_CODE;
        return NULL;
    }
    const uint64_t *known = ouro_map_find(&machine->blocks, addr);
    if (known)
        return (struct ouro_insn *)(uintptr_t)*known;
    ouro_machine_find_library(machine, addr);
    machine->at = addr;
    struct ouro_insn *block = room(machine);
    if (!block) {
        machine->end = OURO_MACHINE_MEMORY;
        return NULL;
    }
    size_t count = decode_block(machine, block, addr);
    uint64_t *place = count ? ouro_map_put(&machine->blocks, addr, NULL) : NULL;
    if (!place) {
        machine->end = count ? OURO_MACHINE_MEMORY : OURO_MACHINE_NO_CODE;
        return NULL;
    }
    machine->chunk_used += count;
    *place = (uint64_t)(uintptr_t)block;
    return block;
}
