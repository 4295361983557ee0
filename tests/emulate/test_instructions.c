/* Instruction by instruction, the machine against the processor that runs the test. */
#include "world.h"
#if CAN_EMULATE
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "native.h"

#define SLOT_BYTES    32
#define SLOTS         4096
#define STATES        4 /* machine states an instruction is tried in */
#define FORM_ROUNDS   40
#define RANDOM_ROUNDS 6   /* of SLOTS instructions */
#define SHOWN         30  /* disagreements that are printed in full */
#define STEPS_MAX     100 /* of one repeated instruction */

struct bench {
    struct native native;
    struct world world;
    unsigned char *memory; /* as it is before each instruction */
    struct sample *samples;
    size_t sample_count;
    uint64_t state; /* of the random numbers */
    uint64_t agreed, faults, unaligned, elsewhere, disagreed, unknown, illegal;
    uint32_t ran[ZYDIS_MNEMONIC_MAX_VALUE + 1], refused[ZYDIS_MNEMONIC_MAX_VALUE + 1], wrong[ZYDIS_MNEMONIC_MAX_VALUE + 1];
};

static void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->state = random_seed();
    bench->memory = calloc(1, WORLD_BYTES);
    bench->samples = calloc(SLOTS, sizeof *bench->samples);
    ck_assert(bench->memory && bench->samples);
    const char *why = native_start(&bench->native);
    ck_assert_msg(!why, "no processor to compare with: %s", why);
}

static void bench_fini(struct bench *bench)
{
    native_stop(&bench->native);
    free(bench->samples);
    free(bench->memory);
}

static ouro_addr slot_address(size_t slot)
{
    return WORLD_CODE + slot * SLOT_BYTES;
}

/* The world with the samples as its code and random data. */
static void bench_load(struct bench *bench)
{
    memset(bench->memory, 0xcc, WORLD_CODE_BYTES);
    for (size_t i = 0; i < bench->sample_count; i++)
        memcpy(bench->memory + i * SLOT_BYTES, bench->samples[i].bytes, sizeof bench->samples[i].bytes);
    for (size_t i = WORLD_CODE_BYTES; i < WORLD_BYTES; i += 8) {
        uint64_t word = random_next(&bench->state);
        if (word & 1) /* sparse words, so that pointers and counts read from there are small sometimes */
            word = (word >> 8) & 0xff;
        else if (word & 2) /* somewhere to return and to jump to */
            word = WORLD_CODE + (word >> 8) % (SLOTS * SLOT_BYTES);
        memcpy(bench->memory + i, &word, sizeof word);
    }
    memcpy(bench->native.memory, bench->memory, WORLD_BYTES);
    size_t data = (size_t)(WORLD_DATA - WORLD_CODE);
    world_of_code(&bench->world, bench->memory, data, bench->memory + data, WORLD_DATA_BYTES);
    memset(bench->native.memory + data + WORLD_DATA_BYTES, 0xc5, WORLD_CONST_BYTES);
    memset(bench->memory + data + WORLD_DATA_BYTES, 0xc5, WORLD_CONST_BYTES);
}

/* How the machine's one instruction ended, in the processor's words. */
static enum native_end machine_end(enum ouro_machine_end end)
{
    switch (end) {
    case OURO_MACHINE_RETURNED: return NATIVE_OK;
    case OURO_MACHINE_READ_FAULT:
    case OURO_MACHINE_WRITE_FAULT:
    case OURO_MACHINE_SHARED_WRITE: return NATIVE_FAULT;
    case OURO_MACHINE_DIVIDE: return NATIVE_DIVIDE;
    case OURO_MACHINE_INSTRUCTION: return NATIVE_ILLEGAL;
    default: return NATIVE_OTHER;
    }
}

static enum ouro_machine_end machine_step(struct bench *bench, const struct sample *sample, const struct cpu *before,
                                          struct cpu *after)
{
    struct ouro_machine *machine = bench->world.machine;
    enum ouro_machine_end end = OURO_MACHINE_RETURNED;
    ouro_addr subject = random_next(&bench->state) & 1 ? WORLD_DATA + 1024 : 0;
    struct ouro_machine_call call = {.function = before->registers[RIP],
                                     .arguments = {subject},
                                     .subject = subject,
                                     .constant_offset = subject && random_next(&bench->state) & 1 ? 8 : INT32_MIN};
    ouro_machine_begin(machine, &call);
    for (unsigned i = 0; i < OURO_MACHINE_REGISTERS; i++)
        if (i != RIP)
            ouro_machine_set_register(machine, i, before->registers[i]);
    for (unsigned i = 0; i < 16; i++)
        ouro_machine_set_vector(machine, i, before->vectors[i]);
    for (int i = 0; i < STEPS_MAX; i++) {
        bool more = ouro_machine_step(machine, &end);
        ouro_machine_registers(machine, after->registers);
        if (!more)
            break;
        end = OURO_MACHINE_RETURNED;
        if (sample->instruction.meta.category != ZYDIS_CATEGORY_STRINGOP ||
            after->registers[RIP] != before->registers[RIP])
            break;
    }
    for (unsigned i = 0; i < 16; i++)
        ouro_machine_vector(machine, i, after->vectors[i]);
    return end;
}

static void show(const struct sample *sample, const struct cpu *before, const char *what)
{
    ZydisFormatter formatter;
    char text[128] = "?";
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterFormatInstruction(&formatter, &sample->instruction, sample->operands,
                                    sample->instruction.operand_count_visible, text, sizeof text,
                                    before->registers[RIP], NULL);
    printf("DISAGREE %s [", text);
    for (unsigned i = 0; i < sample->instruction.length; i++)
        printf("%s%02x", i ? " " : "", sample->bytes[i]);
    printf("]: %s\n", what);
}

static void differ(struct bench *bench, const struct sample *sample, const struct cpu *before, const char *what)
{
    if (bench->disagreed++ < SHOWN || !bench->wrong[sample->instruction.mnemonic])
        show(sample, before, what);
    bench->wrong[sample->instruction.mnemonic]++;
}

static bool memory_differs(const struct bench *bench, char *what, size_t size)
{
    static const struct {
        ouro_addr start;
        size_t size;
    } windows[] = {{WORLD_DATA - 4096, 4 * 4096}, {WORLD_CONST - 4096, 2 * 4096}};
    unsigned char bytes[4 * 4096];
    for (size_t i = 0; i < 2; i++) {
        const unsigned char *native = bench->native.memory + (windows[i].start - WORLD_CODE);
        ck_assert(ouro_machine_read(bench->world.machine, windows[i].start, bytes, windows[i].size));
        if (memcmp(bytes, native, windows[i].size) == 0)
            continue;
        size_t at = 0;
        while (bytes[at] == native[at])
            at++;
        snprintf(what, size, "memory at %#" PRIx64 ": %02x, the processor has %02x (before: %02x)", windows[i].start + at,
                 bytes[at], native[at], bench->memory[windows[i].start - WORLD_CODE + at]);
        return true;
    }
    return false;
}

static bool is_undefined(const struct sample *sample, const struct cpu *before, const struct cpu *after)
{
    bool destination;
    generate_undefined(sample, before, after, &destination);
    return destination;
}

static bool state_differs(const struct sample *sample, const struct cpu *before, const struct cpu *ours,
                          const struct cpu *native, char *what, size_t size)
{
    bool skip_destination;
    uint64_t undefined = generate_undefined(sample, before, native, &skip_destination);
    unsigned skipped = 99;
    if (skip_destination && sample->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
        skipped = (unsigned)(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, sample->operands[0].reg.value) -
                             ZYDIS_REGISTER_RAX);
    for (unsigned i = 0; i <= RIP; i++)
        if (ours->registers[i] != native->registers[i] && i != skipped) {
            snprintf(what, size, "register %u: %#" PRIx64 ", the processor has %#" PRIx64 " (before: %#" PRIx64 ")", i,
                     ours->registers[i], native->registers[i], before->registers[i]);
            return true;
        }
    if ((ours->registers[RFLAGS] ^ native->registers[RFLAGS]) & FLAGS & ~undefined) {
        snprintf(what, size, "flags %#" PRIx64 ", the processor has %#" PRIx64 " (before: %#" PRIx64 ", undefined %#" PRIx64 ")",
                 ours->registers[RFLAGS] & FLAGS, native->registers[RFLAGS], before->registers[RFLAGS], undefined);
        return true;
    }
    for (unsigned i = 0; i < 16; i++)
        if (memcmp(ours->vectors[i], native->vectors[i], 16) != 0) {
            snprintf(what, size, "xmm%u: %016" PRIx64 ":%016" PRIx64 ", the processor has %016" PRIx64 ":%016" PRIx64, i,
                     ours->vectors[i][1], ours->vectors[i][0], native->vectors[i][1], native->vectors[i][0]);
            return true;
        }
    return false;
}

static bool is_code(ouro_addr addr)
{
    return addr >= WORLD_CODE && addr < WORLD_DATA;
}

static bool operand_address(const struct sample *sample, unsigned number, const struct cpu *before, ouro_addr *addr)
{
    ZydisRegisterContext context = {{0}};
    if (sample->operands[number].type != ZYDIS_OPERAND_TYPE_MEMORY)
        return false;
    for (unsigned i = 0; i < 16; i++) {
        context.values[ZYDIS_REGISTER_RAX + i] = before->registers[i];
        context.values[ZYDIS_REGISTER_EAX + i] = (uint32_t)before->registers[i];
    }
    return ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&sample->instruction, &sample->operands[number],
                                                   before->registers[RIP], &context, addr));
}

/* Whether the fault may come from nothing but the operand's alignment. */
static bool is_unaligned(const struct sample *sample, const struct cpu *before)
{
    ouro_addr addr;
    for (unsigned i = 0; i < sample->instruction.operand_count; i++)
        if (sample->operands[i].size == 128 && operand_address(sample, i, before, &addr) && addr % 16)
            return true;
    return false;
}

/* Whether it reaches for memory far from the world, where this process may have something that the machine rightly hasn't. */
static bool is_elsewhere(const struct sample *sample, const struct cpu *before)
{
    ouro_addr addr;
    ZydisMnemonic mnemonic = sample->instruction.mnemonic;
    for (unsigned i = 0; i < sample->instruction.operand_count; i++) {
        if (!operand_address(sample, i, before, &addr))
            continue;
        if (addr < WORLD_CODE - 4096 || addr >= WORLD_END)
            return true;
        if (mnemonic == ZYDIS_MNEMONIC_BT || mnemonic == ZYDIS_MNEMONIC_BTS || mnemonic == ZYDIS_MNEMONIC_BTR ||
            mnemonic == ZYDIS_MNEMONIC_BTC)
            return true; /* up to 2^60 bytes from there */
    }
    return false;
}

static void native_restore(struct bench *bench)
{
    size_t data = (size_t)(WORLD_DATA - WORLD_CODE);
    memcpy(bench->native.memory + data, bench->memory + data, 4 * 4096);
    data = (size_t)(WORLD_CONST - WORLD_CODE) - 4096;
    memcpy(bench->native.memory + data, bench->memory + data, 4096);
}

/* Of an instruction that the machine refuses nothing is known but that it refused: the processor doesn't get it, since it may
 * be a system call. */
static void try_once(struct bench *bench, const struct sample *sample, ouro_addr address, bool required)
{
    struct cpu before = {0}, ours = {0}, native;
    char what[256];
    ZydisMnemonic mnemonic = sample->instruction.mnemonic;
    generate_state(sample, &bench->state, address, bench->memory, &before);
    enum ouro_machine_end end = machine_step(bench, sample, &before, &ours);
    if (end == OURO_MACHINE_INSTRUCTION) {
        bench->unknown++;
        bench->refused[mnemonic]++;
        if (required)
            differ(bench, sample, &before, "the machine doesn't know it");
        return;
    }
    if ((end == OURO_MACHINE_READ_FAULT || end == OURO_MACHINE_WRITE_FAULT) && is_elsewhere(sample, &before)) {
        bench->elsewhere++;
        return;
    }
    native = before;
    enum native_end native_end = native_step(&native, sample->instruction.meta.category == ZYDIS_CATEGORY_STRINGOP);
    if (native_end == NATIVE_OTHER) {
        differ(bench, sample, &before, "the processor never came back");
        ck_abort_msg("no processor any more");
    }
    if (native_end == NATIVE_ILLEGAL && !required) {
        bench->illegal++; /* an extension that this processor lacks */
    } else if (end == OURO_MACHINE_NO_CODE) {
        /* The step ends a call that leaves the code at once; the processor does with the next one, but where an address can't
         * be one. */
        if (native.registers[RIP] != before.registers[RIP] && is_code(native.registers[RIP]))
            differ(bench, sample, &before, "no code, but the processor goes on within the code");
        else
            bench->agreed++;
    } else if (end == OURO_MACHINE_RETURNED && native_end == NATIVE_FAULT && is_unaligned(sample, &before)) {
        bench->unaligned++; /* the machine doesn't mind */
    } else if (machine_end(end) != native_end) {
        snprintf(what, sizeof what,
                 "ended with %s at %#" PRIx64 ", the processor with %d (0: ran, 1: fault, 2: divide, 3: illegal) at %#" PRIx64,
                 ouro_machine_end_name(end), ours.registers[RIP], native_end, native.registers[RIP]);
        differ(bench, sample, &before, what);
    } else if (end != OURO_MACHINE_RETURNED) {
        bench->faults++;
    } else if (state_differs(sample, &before, &ours, &native, what, sizeof what) ||
               (!is_undefined(sample, &before, &native) && memory_differs(bench, what, sizeof what))) {
        differ(bench, sample, &before, what);
    } else {
        bench->agreed++;
        bench->ran[mnemonic]++;
    }
    native_restore(bench);
}

static void bench_run(struct bench *bench, bool required)
{
    bench_load(bench);
    for (size_t i = 0; i < bench->sample_count; i++)
        for (int j = 0; j < STATES; j++)
            try_once(bench, &bench->samples[i], slot_address(i), required);
    world_fini(&bench->world);
    bench->sample_count = 0;
}

static void note(const struct bench *bench)
{
    printf("%" PRIu64 " agreed, %" PRIu64 " faults in both, %" PRIu64 " disagreed, %" PRIu64
           " not known to the machine, %" PRIu64 " not to this processor, %" PRIu64
           " unaligned, %" PRIu64 " faults far away\n",
           bench->agreed, bench->faults, bench->disagreed, bench->unknown, bench->illegal, bench->unaligned,
           bench->elsewhere);
    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++)
        if (bench->wrong[i])
            printf("disagreed: %s %u of %u\n", ZydisMnemonicGetString((ZydisMnemonic)i), bench->wrong[i],
                   bench->wrong[i] + bench->ran[i]);
}

START_TEST(every_instruction_that_compilers_emit_does_what_the_processor_does)
{
    struct bench bench;
    bench_init(&bench);
    for (int round = 0; round < FORM_ROUNDS; round++)
        for (size_t form = 0; form < generate_form_count(); form++) {
            struct sample *sample = &bench.samples[bench.sample_count];
            bool made = generate_of_form(form, &bench.state, slot_address(bench.sample_count), sample);
            ck_assert_msg(made, "no encoding of form %zu, %s", form,
                          ZydisMnemonicGetString(generate_form_mnemonic(form)));
            if (++bench.sample_count == SLOTS)
                bench_run(&bench, true);
        }
    bench_run(&bench, true);
    note(&bench);
    for (size_t form = 0; form < generate_form_count(); form++)
        ck_assert_msg(bench.ran[generate_form_mnemonic(form)] > 0, "%s never ran",
                      ZydisMnemonicGetString(generate_form_mnemonic(form)));
    ck_assert_uint_eq(bench.disagreed, 0);
    bench_fini(&bench);
}
END_TEST

/* Kinds of instructions that reach for more than registers, flags and memory. */
static bool is_forbidden(const struct sample *sample)
{
    switch (sample->instruction.meta.category) {
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SEGOP:
    case ZYDIS_CATEGORY_RDRAND:
    case ZYDIS_CATEGORY_RDSEED: return true;
    default: return sample->instruction.mnemonic == ZYDIS_MNEMONIC_CPUID;
    }
}

START_TEST(whatever_bytes_the_machine_accepts_do_what_the_processor_does)
{
    struct bench bench;
    uint64_t forbidden = 0;
    bench_init(&bench);
    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        while (bench.sample_count < SLOTS)
            generate_random(&bench.state, slot_address(bench.sample_count), &bench.samples[bench.sample_count]),
                bench.sample_count++;
        bench_run(&bench, false);
        for (size_t i = 0; i < SLOTS; i++)
            if (is_forbidden(&bench.samples[i]) && bench.ran[bench.samples[i].instruction.mnemonic]) {
                printf("ran: %s\n", ZydisMnemonicGetString(bench.samples[i].instruction.mnemonic));
                forbidden++;
            }
    }
    note(&bench);
    printf("not known to the machine:");
    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++)
        if (bench.refused[i])
            printf(" %s", ZydisMnemonicGetString((ZydisMnemonic)i));
    puts("");
    ck_assert_uint_eq(forbidden, 0);
    ck_assert_uint_eq(bench.disagreed, 0);
    bench_fini(&bench);
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* a failed check ends its process at once */
    Suite *suite = suite_create("emulate: instructions");
    TCase *tcase = tcase_create("against the processor");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, every_instruction_that_compilers_emit_does_what_the_processor_does);
    tcase_add_test(tcase, whatever_bytes_the_machine_accepts_do_what_the_processor_does);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#else
int main(void)
{
    return skip_emulation();
}
#endif
