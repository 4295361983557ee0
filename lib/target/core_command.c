/* The command line of a core's process: its stack begins, at the top, with what the kernel handed to the program. */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/guard.h"
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

/* From the word below addr down: the pointers of the environment, up to the NULL that ends the arguments. *first: the lowest of them,
 * which points at the first string; the result: where that NULL lies. 0: not as it should be. */
static ouro_addr skip_environment(const struct ouro_core *core, ouro_addr addr, ouro_addr *first)
{
    *first = 0;
    for (unsigned count = 0; count < POINTERS_MAX; count++) {
        ouro_addr word;
        addr -= 8;
        if (ouro_space_read(&core->space, addr, &word, sizeof word) != OURO_OK)
            return 0;
        if (!word)
            return addr;
        *first = word;
    }
    return 0;
}

/* The arguments' strings lie one behind the other, the environment's follow; `strings` are those below the environment. How many of
 * their bytes belong to no argument that is pointed at from below `addr` down. argc, which stands behind the last pointer, is often
 * overwritten by the program's start. */
static size_t find_arguments(const struct ouro_core *core, ouro_addr addr, ouro_addr environment, const char *strings, size_t bytes)
{
    size_t begin = bytes;
    for (unsigned count = 0; count < POINTERS_MAX; count++) {
        ouro_addr word;
        addr -= 8;
        if (ouro_space_read(&core->space, addr, &word, sizeof word) != OURO_OK || environment - word > bytes)
            break;
        size_t at = bytes - (size_t)(environment - word);
        if (at >= begin || strlen(strings + at) != begin - at - 1)
            break;
        begin = at;
    }
    return begin;
}

/* An explicit loader takes itself and its options out of the arguments; their strings are still there. The core's own word of the
 * command begins with the program that was started. */
static size_t find_loader(const struct ouro_core *core, const char *strings, size_t begin)
{
    size_t known = core->command ? strcspn(core->command, " ") : 0;
    if (!known || strncmp(strings + begin, core->command, known) == 0)
        return begin;
    for (size_t at = 1; at + known < begin; at++)
        if (!strings[at - 1] && strncmp(strings + at, core->command, known) == 0)
            return at;
    return begin;
}

void ouro_core_read_command(struct ouro_core *core)
{
    ouro_addr at = find_vector(core), environment, null;
    if (!at || ouro_space_read(&core->space, at - 8, &null, sizeof null) != OURO_OK || null)
        return;
    ouro_addr vector = at;
    at = skip_environment(core, at - 8, &environment);
    if (!at || environment <= vector)
        return;
    size_t bytes = environment - vector < COMMAND_BYTES ? (size_t)(environment - vector) : COMMAND_BYTES;
    OURO_FREE char *strings = malloc(bytes + 1);
    if (!strings || ouro_space_read(&core->space, environment - bytes, strings, bytes) != OURO_OK || strings[bytes - 1])
        return;
    strings[bytes] = 0;
    size_t begin = find_arguments(core, at, environment, strings, bytes);
    if (begin == bytes)
        return;
    begin = find_loader(core, strings, begin);
    char *command = malloc(bytes - begin);
    if (!command)
        return;
    memcpy(command, strings + begin, bytes - begin);
    free(core->command);
    core->command = command;
    core->command_bytes = bytes - begin - 1;
}
