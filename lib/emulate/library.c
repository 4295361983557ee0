/* Functions of the C library that choose among variants for the processor (IFUNC) and use instructions that the machine has
 * not: they are done here. Which address each has, its own resolver function tells. */
#include "emulate/state.h"

#include <string.h>

#define SIZE_MAX_BYTES (UINT64_C(16) << 20)

enum { MEMCPY, MEMPCPY, MEMSET, MEMCMP, STRLEN, STRNLEN, STRCMP, STRNCMP, MEMCHR, STRCHR, FUNCTION_COUNT };

static const struct {
    const char *name;
    uint8_t function;
} names[] = {
    {"memcpy", MEMCPY}, {"memmove", MEMCPY}, {"mempcpy", MEMPCPY}, {"memset", MEMSET}, {"memcmp", MEMCMP}, {"bcmp", MEMCMP},
    {"strlen", STRLEN}, {"strnlen", STRNLEN}, {"strcmp", STRCMP},   {"strncmp", STRNCMP}, {"memchr", MEMCHR}, {"strchr", STRCHR},
};

/* Looks for them once in the library that holds addr. */
void ouro_machine_find_library(struct ouro_machine *machine, ouro_addr addr)
{
    struct ouro_module *module = machine->modules && !machine->looking ? ouro_modules_find(machine->modules, addr) : NULL;
    bool added;
    ouro_addr function;
    uint64_t variant;
    if (!module || !ouro_map_put(&machine->libraries, module->start, &added) || !added)
        return;
    machine->looking = true;
    if (ouro_module_symbol(module, "__libc_start_main", &function, NULL) == OURO_OK)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (ouro_module_symbol(module, names[i].name, &function, NULL) != OURO_OK ||
                !ouro_machine_nested(machine, function, &variant) || ouro_modules_find(machine->modules, variant) != module)
                continue;
            uint64_t *place = ouro_map_put(&machine->stops, variant, &added);
            if (place && added)
                *place = 2u + names[i].function;
        }
    machine->looking = false;
}

static bool byte_at(struct ouro_machine *machine, ouro_addr addr, unsigned char *byte)
{
    uint64_t value;
    struct ouro_origin origin;
    if (!ouro_machine_load(machine, addr, OURO_CONSTANT, 1, &value, &origin))
        return false;
    *byte = (unsigned char)value;
    return true;
}

/* Copies word by word where it can, so that the origins of words stay. */
static bool copy(struct ouro_machine *machine, ouro_addr to, struct ouro_origin to_at, ouro_addr from, struct ouro_origin from_at,
                 uint64_t size)
{
    bool down = to > from && to < from + size;
    for (uint64_t done = 0; done < size;) {
        unsigned part = size - done >= 8 ? 8 : 1;
        uint64_t at = down ? size - done - part : done, value;
        struct ouro_origin origin, source = from_at, place = to_at;
        if (source.kind == OURO_ORIGIN_SUBJECT)
            source = ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)source.offset + (int64_t)at);
        if (place.kind == OURO_ORIGIN_SUBJECT)
            place = ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)place.offset + (int64_t)at);
        if (!ouro_machine_load(machine, from + at, source, part, &value, &origin) ||
            !ouro_machine_store(machine, to + at, place, part, value, origin))
            return false;
        done += part;
    }
    return true;
}

static bool fill(struct ouro_machine *machine, ouro_addr to, struct ouro_origin at, unsigned char byte, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        struct ouro_origin place = at;
        if (place.kind == OURO_ORIGIN_SUBJECT)
            place = ouro_origin(OURO_ORIGIN_SUBJECT, (int64_t)place.offset + (int64_t)i);
        if (!ouro_machine_store(machine, to + i, place, 1, byte, OURO_CONSTANT))
            return false;
    }
    return true;
}

/* Compares up to `size` bytes; terminated: also ends behind a zero. */
static bool compare(struct ouro_machine *machine, ouro_addr a, ouro_addr b, uint64_t size, bool terminated, int64_t *result)
{
    unsigned char x, y;
    *result = 0;
    for (uint64_t i = 0; i < size; i++) {
        if (!byte_at(machine, a + i, &x) || !byte_at(machine, b + i, &y))
            return false;
        *result = (int64_t)x - y;
        if (*result || (terminated && !x))
            return true;
    }
    return true;
}

/* The first place of a byte; found: its address, else 0. terminated: ends behind a zero. */
static bool search(struct ouro_machine *machine, ouro_addr at, unsigned char wanted, uint64_t size, bool terminated,
                   ouro_addr *found)
{
    unsigned char byte;
    *found = 0;
    for (uint64_t i = 0; i < size; i++) {
        if (!byte_at(machine, at + i, &byte))
            return false;
        if (byte == wanted) {
            *found = at + i;
            return true;
        }
        if (terminated && !byte)
            return true;
    }
    return true;
}

bool ouro_machine_library(struct ouro_machine *machine, unsigned function)
{
    static const unsigned char clobbered[] = {1, 2, 6, 7, 8, 9, 10, 11};
    struct ouro_cpu *cpu = &machine->cpu;
    ouro_addr a = cpu->r[OURO_RDI], b = cpu->r[OURO_RSI], found;
    uint64_t size = cpu->r[OURO_RDX], result = a;
    struct ouro_origin a_at = cpu->o[OURO_RDI], b_at = cpu->o[OURO_RSI], origin = a_at;
    int64_t order;
    bool sized = function != STRLEN && function != STRCMP && function != STRCHR && function != STRNLEN;
    if (function == STRNLEN)
        size = b;
    else if (!sized)
        size = SIZE_MAX_BYTES;
    if ((sized && cpu->o[OURO_RDX].kind != OURO_ORIGIN_CONSTANT) || function >= MEMCMP)
        machine->varied |= (a_at.kind | b_at.kind | cpu->o[OURO_RDX].kind) != OURO_ORIGIN_CONSTANT;
    machine->end = OURO_MACHINE_INSTRUCTIONS;
    if ((function == MEMCPY || function == MEMPCPY || function == MEMSET) && size > SIZE_MAX_BYTES)
        return false;
    size = size < SIZE_MAX_BYTES ? size : SIZE_MAX_BYTES;
    switch (function) {
    case MEMCPY:
    case MEMPCPY:
        if (!copy(machine, a, a_at, b, b_at, size))
            return false;
        result = function == MEMPCPY ? a + size : a;
        origin = function == MEMPCPY ? ouro_origin_part(a_at) : a_at;
        break;
    case MEMSET:
        if (!fill(machine, a, a_at, (unsigned char)b, size))
            return false;
        break;
    case STRLEN:
    case STRNLEN:
        if (!search(machine, a, 0, size, false, &found))
            return false;
        result = found ? found - a : size;
        origin = ouro_origin_part(a_at);
        break;
    case MEMCHR:
    case STRCHR:
        if (!search(machine, a, (unsigned char)b, size, function == STRCHR, &result))
            return false;
        origin = a_at.kind == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
        break;
    default: /* MEMCMP, STRCMP, STRNCMP */
        if (!compare(machine, a, b, size, function != MEMCMP, &order))
            return false;
        result = (uint32_t)order;
        origin = (a_at.kind | b_at.kind) == OURO_ORIGIN_CONSTANT ? OURO_CONSTANT : OURO_OTHER;
        break;
    }
    if (!machine->stepping)
        machine->instructions += size / 8 < machine->instruction_limit ? size / 8 : 0;
    for (size_t i = 0; i < sizeof clobbered; i++)
        cpu->o[clobbered[i]] = OURO_OTHER;
    cpu->r[0] = result;
    cpu->o[0] = origin;
    ouro_cpu_set_flag_bits(cpu, 0, OURO_OTHER);
    return true;
}
