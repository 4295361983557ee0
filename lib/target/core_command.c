/* The command line of a core's process: its stack begins, at the top, with what the kernel handed to the program. */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "target/core.h"

#define LOOK_BYTES    4096u  /* below AT_RANDOM; the auxiliary vector takes some 350 */
#define POINTERS_MAX  65536u /* of the environment, of the arguments */
#define COMMAND_BYTES 65536u /* as of a live process */

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* fs/binfmt_elf.c, create_elf_tables: argc, argv, NULL, envp, NULL, auxiliary vector, then (random alignment between)
 * the platform's name and the random bytes, then the strings: arguments one behind the other, the environment. 0: not
 * found. */
static ouro_addr find_vector(const struct ouro_core *core)
{
    unsigned char bytes[LOOK_BYTES];
    ouro_addr random = 0;
    for (size_t at = 0; core->vector_bytes - at >= 16 && word_at(core->vector + at) != AT_NULL; at += 16)
        if (word_at(core->vector + at) == AT_RANDOM)
            random = word_at(core->vector + at + 8) & ~(ouro_addr)15;
    if (core->vector_bytes < 48 || random < LOOK_BYTES ||
        ouro_space_read(&core->space, random - LOOK_BYTES, bytes, sizeof bytes) != OURO_OK)
        return 0;
    /* An explicit loader changes later entries, to hide itself. */
    for (size_t at = 0; at + 32 <= sizeof bytes; at += 8)
        if (memcmp(bytes + at, core->vector, 32) == 0)
            return random - LOOK_BYTES + at;
    return 0;
}

/* From the word below addr down: pointers up to a NULL, or up to the word that tells how many there were. *first: the
 * lowest of them, which points at the first string; the result: where it lies. 0: not as it should be. */
static ouro_addr skip_pointers(const struct ouro_core *core, ouro_addr addr, bool counted, ouro_addr *first)
{
    *first = 0;
    for (uint64_t count = 0; count < POINTERS_MAX; count++) {
        ouro_addr word;
        addr -= 8;
        if (ouro_space_read(&core->space, addr, &word, sizeof word) != OURO_OK)
            return 0;
        if (counted ? word == count : !word)
            return addr;
        *first = word;
    }
    return 0;
}

void ouro_core_read_command(struct ouro_core *core)
{
    ouro_addr at = find_vector(core), arguments, environment, null;
    if (!at || ouro_space_read(&core->space, at - 8, &null, sizeof null) != OURO_OK || null)
        return;
    at = skip_pointers(core, at - 8, false, &environment);
    at = at ? skip_pointers(core, at, true, &arguments) : 0;
    if (!at || !arguments || environment <= arguments || environment - arguments > COMMAND_BYTES)
        return;
    size_t size = (size_t)(environment - arguments);
    char *command = malloc(size);
    if (!command || ouro_space_read(&core->space, arguments, command, size) != OURO_OK || command[size - 1]) {
        free(command);
        return;
    }
    free(core->command);
    core->command = command;
    core->command_bytes = size - 1;
}
