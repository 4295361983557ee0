#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#if CAN_EMULATE

#define HEADER 16
#define PROMISE(what, text)                            \
    do {                                               \
        if (!(what)) {                                 \
            fprintf(stderr, "hostile: %s\n", text);    \
            abort();                                   \
        }                                              \
    } while (0)

static uint64_t sum_of(const unsigned char *bytes, size_t size)
{
    uint64_t sum = 0;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return sum;
}

/* Words that are mostly addresses of something: code, data, the machine's own places, or their borders. */
static uint64_t likely_word(uint64_t *state)
{
    static const uint64_t places[] = {WORLD_DATA,          WORLD_DATA + 4096,  WORLD_CONST,          WORLD_SHARED,
                                      OURO_MACHINE_VISIT,  OURO_MACHINE_STACK, OURO_MACHINE_SCRATCH, OURO_MACHINE_RETURN,
                                      WORLD_CODE + 0x1000, WORLD_END - 16,     UINT64_MAX - 64,      0};
    uint64_t random = random_next(state);
    switch (random & 7) {
    case 0: return random_next(state);
    case 1: return random >> 56;
    case 2: return WORLD_CODE + (random >> 8) % 256;
    case 3:
    case 4: return WORLD_DATA + (random >> 8) % WORLD_DATA_BYTES;
    default: return places[(random >> 8) % (sizeof places / sizeof places[0])] + (random >> 32) % 128;
    }
}

static void check_visits(const struct world *world, uint64_t limit)
{
    size_t count = 0;
    const struct ouro_machine_visit *visits = ouro_machine_visits(world->machine, &count);
    uint64_t made = 0;
    for (size_t i = 0; i < count; i++) {
        PROMISE(visits[i].origin.kind <= OURO_ORIGIN_OTHER, "a visit of a kind that is none");
        made += visits[i].addr != 0;
    }
    PROMISE(made <= limit, "more visits than the budget");
}

static void check_call(const struct world *world, const struct ouro_machine_call *call, enum ouro_machine_end end)
{
    const struct ouro_machine_budget *budget = call->budget;
    size_t count = 0;
    ouro_machine_visits(world->machine, &count);
    PROMISE((unsigned)end < OURO_MACHINE_END_COUNT, "an end that is none");
    PROMISE(ouro_machine_end_name(end) != NULL, "an end without a name");
    PROMISE(ouro_machine_instructions(world->machine) <=
                budget->instructions + budget->instructions_per_visit * budget->visits,
            "more instructions than the budget");
    check_visits(world, budget->visits);
    (void)ouro_machine_at(world->machine);
    (void)ouro_machine_result(world->machine, NULL);
    (void)ouro_machine_varied(world->machine);
    (void)ouro_machine_result_source(world->machine);
}

static void check_steps(const struct world *world, const struct ouro_machine_call *call, uint64_t *state)
{
    enum ouro_machine_end end = OURO_MACHINE_RETURNED;
    uint64_t registers[OURO_MACHINE_REGISTERS];
    ouro_machine_begin(world->machine, call);
    for (unsigned i = 0; i < 16; i++)
        ouro_machine_set_register(world->machine, i, likely_word(state));
    for (unsigned i = 0; i < 300; i++) {
        if (!ouro_machine_step(world->machine, &end)) {
            PROMISE((unsigned)end < OURO_MACHINE_END_COUNT, "an end of a step that is none");
            break;
        }
        ouro_machine_registers(world->machine, registers);
        if (random_next(state) % 64 == 0)
            ouro_machine_set_register(world->machine, (unsigned)(random_next(state) % OURO_MACHINE_REGISTERS),
                                      likely_word(state));
    }
}

void hostile_round(const uint8_t *bytes, size_t size)
{
    struct world world;
    unsigned char data[8192];
    uint64_t state = 0;
    if (size < HEADER)
        return;
    memcpy(&state, bytes, sizeof state);
    const struct ouro_machine_budget budget = {.instructions = 1 + bytes[8] * 16u,
                                               .instructions_per_visit = bytes[9] & 31,
                                               .depth = bytes[10] & 63,
                                               .pages = bytes[11] & 7,
                                               .visits = bytes[12]};
    for (size_t i = 0; i < sizeof data; i += 8) {
        uint64_t word = likely_word(&state);
        memcpy(data + i, &word, sizeof word);
    }
    size_t code_size = size - HEADER < WORLD_CODE_BYTES ? size - HEADER : WORLD_CODE_BYTES;
    world_of_code(&world, bytes + HEADER, code_size, data, sizeof data);
    uint64_t sum = sum_of(world.image.bytes, (size_t)world.image.page_count << OURO_PAGE_BITS);
    ouro_machine_set_fs(world.machine, likely_word(&state));
    unsigned char *scratch = ouro_machine_scratch(world.machine);
    for (size_t i = 0; i < 4096; i += 8) {
        uint64_t word = likely_word(&state);
        memcpy(scratch + i, &word, sizeof word);
    }
    for (int i = 0; i < 4; i++) {
        struct ouro_machine_call call = {.function = i ? WORLD_CODE + random_next(&state) % (code_size + 1) : WORLD_CODE,
                                         .constant_offset = bytes[13] & 1 ? 8 : INT32_MIN,
                                         .budget = &budget};
        for (int j = 0; j < 6; j++)
            call.arguments[j] = likely_word(&state);
        call.arguments[0] = bytes[13] & 2 ? OURO_MACHINE_SCRATCH + 64 : WORLD_DATA + 4096;
        call.arguments[1] = OURO_MACHINE_VISIT;
        call.subject = bytes[13] & 4 ? call.arguments[0] : 0;
        if (bytes[13] & 8)
            ouro_machine_stop_at(world.machine, WORLD_CODE + random_next(&state) % (code_size + 1));
        check_call(&world, &call, ouro_machine_call(world.machine, &call));
        check_steps(&world, &call, &state);
        call.arguments[0] = call.subject = OURO_MACHINE_SCRATCH + 64;
        ouro_machine_explore(world.machine, &call);
        check_visits(&world, UINT64_MAX);
        uint64_t word = likely_word(&state);
        ouro_machine_poke(world.machine, likely_word(&state), &word, 1 + random_next(&state) % sizeof word);
    }
    PROMISE(sum_of(world.image.bytes, (size_t)world.image.page_count << OURO_PAGE_BITS) == sum, "the image was changed");
    world_fini(&world);
}

/* Real code: that of this program. Enough of it is loops, calls and vector instructions. */
static const unsigned char *real_code(uint64_t *state)
{
    const unsigned char *start = (const unsigned char *)(uintptr_t)hostile_round;
    return start + random_next(state) % 1024;
}

__attribute__((no_sanitize("address"))) static void copy_code(uint8_t *to, const unsigned char *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = ((const volatile unsigned char *)from)[i];
}

size_t hostile_make(uint8_t *bytes, size_t capacity, uint64_t *state)
{
    size_t size = HEADER + 32 + random_next(state) % 480;
    size = size < capacity ? size : capacity;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(state);
    if (random_next(state) % 4 == 0)
        return size;
    copy_code(bytes + HEADER, real_code(state), size - HEADER);
    for (uint64_t i = random_next(state) % 16; i; i--)
        bytes[HEADER + random_next(state) % (size - HEADER)] = (uint8_t)random_next(state);
    if (random_next(state) % 4 == 0) /* it goes on and on */
        memcpy(bytes + size - 5, "\xe9\x40\xff\xff\xff", 5);
    return size;
}

#else
void hostile_round(const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}

size_t hostile_make(uint8_t *bytes, size_t capacity, uint64_t *state)
{
    (void)bytes;
    (void)capacity;
    (void)state;
    return 0;
}
#endif
