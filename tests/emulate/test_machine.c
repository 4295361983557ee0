/* Calls, their ends and budgets, memory, and where values come from: on small functions in machine code. */
#include "world.h"
#if CAN_EMULATE
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"

#define SUBJECT (WORLD_DATA + 0x1000)
#define FIRST   (WORLD_DATA + 0x2000) /* what the subject's fields point to */
#define SECOND  (WORLD_DATA + 0x2100)
#define THIRD   (WORLD_DATA + 0x2200)
#define TYPE    (WORLD_DATA + 0x3000)
#define HOLE    UINT64_C(0x30000000)

static struct world world;

static void put(unsigned char *data, ouro_addr at, uint64_t word)
{
    memcpy(data + (at - WORLD_DATA), &word, sizeof word);
}

static void set_up(void)
{
    static unsigned char data[WORLD_DATA_BYTES];
    put(data, WORLD_DATA, 41);
    put(data, WORLD_DATA + 0x100, CODE(double));
    for (ouro_addr at = WORLD_DATA + 0x108; at < WORLD_DATA + 0x140; at += 8)
        put(data, at, CODE(tag_jump_end));
    put(data, WORLD_DATA + 0x228, 0xcafe); /* fs:0x28 */
    put(data, WORLD_DATA + 0x200, WORLD_DATA + 0x200);
    put(data, WORLD_DATA + 0x208, 0xbeef);
    put(data, SUBJECT + 8, TYPE);
    put(data, SUBJECT + 0x10, FIRST);
    put(data, SUBJECT + 0x18, SECOND);
    put(data, SUBJECT + 0x20, THIRD);
    put(data, SUBJECT + 0x30, 1);
    put(data, FIRST + 8, SECOND);
    put(data, SECOND, THIRD);
    put(data, THIRD, FIRST);
    put(data, TYPE + 0x10, 1);
    put(data, TYPE + 0x18, THIRD);
    world_of_code(&world, emulated_code, (size_t)(emulated_code_end - emulated_code), data, sizeof data);
}

static void tear_down(void)
{
    world_fini(&world);
}

static enum ouro_machine_end call_with(ouro_addr function, ouro_addr a, ouro_addr b)
{
    const struct ouro_machine_call call = {.function = function, .arguments = {a, b}, .constant_offset = INT32_MIN};
    return ouro_machine_call(world.machine, &call);
}

static enum ouro_machine_end visit_subject(ouro_addr function, int32_t constant_offset)
{
    const struct ouro_machine_call call = {.function = function,
                                           .arguments = {SUBJECT, OURO_MACHINE_VISIT, 0x1234},
                                           .subject = SUBJECT,
                                           .constant_offset = constant_offset};
    return ouro_machine_call(world.machine, &call);
}

static uint64_t result_of(ouro_addr function, ouro_addr a, ouro_addr b)
{
    enum ouro_machine_end end = call_with(function, a, b);
    ck_assert_msg(end == OURO_MACHINE_RETURNED, "ended with %s at %#llx", ouro_machine_end_name(end),
                  (unsigned long long)ouro_machine_at(world.machine));
    return ouro_machine_result(world.machine, NULL);
}

#define ASSERT_END(call, wanted)                                                                               \
    do {                                                                                                       \
        enum ouro_machine_end end_ = (call);                                                                   \
        ck_assert_msg(end_ == (wanted), "%s ended with %s", #call, ouro_machine_end_name(end_));               \
    } while (0)

static uint64_t word_at(ouro_addr addr)
{
    uint64_t word = 0;
    ck_assert(ouro_machine_read(world.machine, addr, &word, sizeof word));
    return word;
}

/* ---- Calls ---- */

START_TEST(arguments_go_in_and_the_result_comes_out)
{
    const struct ouro_machine_call call = {
        .function = CODE(sum_of_six), .arguments = {1, 20, 300, 4000, 50000, 600000}, .constant_offset = INT32_MIN};
    struct ouro_origin origin;
    ASSERT_END(ouro_machine_call(world.machine, &call), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result(world.machine, &origin), 654321);
    ck_assert_uint_eq(origin.kind, OURO_ORIGIN_CONSTANT);
    ck_assert_uint_eq(ouro_machine_instructions(world.machine), 6);
}
END_TEST

START_TEST(functions_call_each_other_directly_and_through_slots)
{
    ck_assert_uint_eq(result_of(CODE(nested), 5, 0), 17);
    ck_assert_uint_eq(result_of(CODE(through_slot), 21, 0), 42);
    ck_assert_uint_eq(result_of(CODE(call_slot), 21, 0), 43);
    ck_assert_uint_eq(result_of(CODE(call), CODE(double), 8), 16);
}
END_TEST

START_TEST(a_call_ends_at_an_address_to_stop_at)
{
    struct ouro_origin origin;
    ck_assert(ouro_machine_stop_at(world.machine, CODE(double)));
    ASSERT_END(visit_subject(CODE(stops), INT32_MIN), OURO_MACHINE_STOPPED);
    ck_assert_uint_eq(ouro_machine_result(world.machine, &origin), SECOND);
    ck_assert_uint_eq(origin.kind, OURO_ORIGIN_FIELD);
    ck_assert_int_eq(origin.offset, 0x18);
    ck_assert_uint_eq(ouro_machine_at(world.machine), CODE(double));
    ASSERT_END(call_with(CODE(through_slot), 77, 0), OURO_MACHINE_STOPPED); /* a jump comes there too */
    ck_assert_uint_eq(ouro_machine_result(world.machine, NULL), 77);
    ck_assert_uint_eq(result_of(CODE(zero), 0, 0), 0);
}
END_TEST

START_TEST(a_stop_holds_for_code_that_ran_before)
{
    ck_assert_uint_eq(result_of(CODE(nested), 5, 0), 17);
    ck_assert(ouro_machine_stop_at(world.machine, CODE(double)));
    ASSERT_END(call_with(CODE(nested), 5, 0), OURO_MACHINE_STOPPED);
    ck_assert_uint_eq(ouro_machine_result(world.machine, NULL), 6);
    ASSERT_END(call_with(CODE(double), 5, 0), OURO_MACHINE_STOPPED);
}
END_TEST

START_TEST(thread_local_memory_is_read_through_fs)
{
    ouro_machine_set_fs(world.machine, WORLD_DATA + 0x200);
    ck_assert_uint_eq(result_of(CODE(canary), 0, 0), 0xcafe);
    ck_assert_uint_eq(result_of(CODE(thread_pointer), 0, 0), 0xbeef);
    ouro_machine_set_fs(world.machine, HOLE);
    ASSERT_END(call_with(CODE(canary), 0, 0), OURO_MACHINE_READ_FAULT);
    ouro_machine_set_fs(world.machine, WORLD_DATA + 0x200);
    ck_assert_uint_eq(result_of(CODE(canary), 0, 0), 0xcafe);
}
END_TEST

START_TEST(steps_are_instructions)
{
    const struct ouro_machine_call call = {
        .function = CODE(nested), .arguments = {5}, .constant_offset = INT32_MIN};
    enum ouro_machine_end end = OURO_MACHINE_END_COUNT;
    uint64_t registers[OURO_MACHINE_REGISTERS];
    unsigned steps = 1;
    ouro_machine_begin(world.machine, &call);
    ouro_machine_registers(world.machine, registers);
    ck_assert_uint_eq(registers[16], CODE(nested));
    ck_assert_uint_eq(registers[7], 5);
    ck_assert_uint_eq(registers[4] % 16, 8); /* as behind a call */
    ck_assert(ouro_machine_step(world.machine, &end));
    ouro_machine_registers(world.machine, registers);
    ck_assert_uint_eq(registers[16], CODE(nested) + 1);
    ck_assert_uint_eq(registers[4] % 16, 0);
    while (ouro_machine_step(world.machine, &end))
        ck_assert_uint_lt(++steps, 20);
    ck_assert_int_eq(end, OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result(world.machine, NULL), 17);
    ck_assert_uint_eq(result_of(CODE(nested), 5, 0), 17);
}
END_TEST

START_TEST(ends_have_names_of_their_own)
{
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++) {
        const char *name = ouro_machine_end_name((enum ouro_machine_end)i);
        ck_assert_msg(name && *name, "end %d", i);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(name, ouro_machine_end_name((enum ouro_machine_end)j));
    }
}
END_TEST

/* ---- Budgets ---- */

static enum ouro_machine_end call_within(ouro_addr function, ouro_addr a, ouro_addr b, struct ouro_machine_budget budget)
{
    const struct ouro_machine_call call = {
        .function = function, .arguments = {a, b}, .constant_offset = INT32_MIN, .budget = &budget};
    return ouro_machine_call(world.machine, &call);
}

START_TEST(a_call_that_never_ends_ends_with_its_instructions)
{
    struct ouro_machine_budget budget = ouro_machine_default_budget;
    budget.instructions = 1000;
    ASSERT_END(call_within(CODE(forever), 0, 0, budget), OURO_MACHINE_INSTRUCTIONS);
    ck_assert_uint_le(ouro_machine_instructions(world.machine), 1000);
    ck_assert_uint_ge(ouro_machine_instructions(world.machine), 900);
    ASSERT_END(call_within(CODE(forever_repeating), 0, 0, budget), OURO_MACHINE_INSTRUCTIONS);
    ck_assert_uint_le(ouro_machine_instructions(world.machine), 1000);
    ASSERT_END(call_with(CODE(forever), 0, 0), OURO_MACHINE_INSTRUCTIONS);
    ASSERT_END(call_with(CODE(forever_repeating), 0, 0), OURO_MACHINE_INSTRUCTIONS);
    budget.instructions = 0;
    ASSERT_END(call_within(CODE(zero), 0, 0, budget), OURO_MACHINE_INSTRUCTIONS);
    ck_assert_uint_eq(result_of(CODE(zero), 0, 0), 0);
}
END_TEST

START_TEST(calls_and_the_stack_have_a_depth)
{
    struct ouro_machine_budget budget = ouro_machine_default_budget;
    budget.depth = 5;
    ASSERT_END(call_within(CODE(recursion), 0, 0, budget), OURO_MACHINE_DEPTH);
    ck_assert_uint_le(ouro_machine_instructions(world.machine), 20);
    ASSERT_END(call_with(CODE(recursion), 0, 0), OURO_MACHINE_DEPTH);
    budget = ouro_machine_default_budget;
    budget.instructions = 10000000;
    ASSERT_END(call_within(CODE(pushes), 0, 0, budget), OURO_MACHINE_DEPTH);
    ASSERT_END(call_with(CODE(below_the_stack), 0, 0), OURO_MACHINE_WRITE_FAULT);
    ck_assert_uint_eq(result_of(CODE(nested), 5, 0), 17);
}
END_TEST

START_TEST(pages_written_to_are_counted)
{
    struct ouro_machine_budget budget = ouro_machine_default_budget;
    budget.pages = 4;
    ASSERT_END(call_within(CODE(writes_pages), WORLD_DATA, 4, budget), OURO_MACHINE_RETURNED);
    ASSERT_END(call_within(CODE(writes_pages), WORLD_DATA, 5, budget), OURO_MACHINE_PAGES);
    ASSERT_END(call_within(CODE(writes_pages), WORLD_DATA, 4, budget), OURO_MACHINE_RETURNED);
    ASSERT_END(call_with(CODE(writes_pages), WORLD_DATA, 16), OURO_MACHINE_RETURNED);
}
END_TEST

START_TEST(visits_are_counted_and_bring_instructions)
{
    struct ouro_machine_budget budget = ouro_machine_default_budget;
    size_t count = 0;
    budget.instructions = 100;
    budget.instructions_per_visit = 10;
    budget.visits = 1000;
    ASSERT_END(call_within(CODE(visits_forever), FIRST, OURO_MACHINE_VISIT, budget), OURO_MACHINE_VISITS);
    ouro_machine_visits(world.machine, &count);
    ck_assert_uint_eq(count, 1000);
    budget.instructions_per_visit = 0;
    ASSERT_END(call_within(CODE(visits_forever), FIRST, OURO_MACHINE_VISIT, budget), OURO_MACHINE_INSTRUCTIONS);
    ouro_machine_visits(world.machine, &count);
    ck_assert_uint_le(count, 34);
    ck_assert_uint_ge(count, 20);
    ck_assert_uint_eq(result_of(CODE(zero), 0, 0), 0);
    ouro_machine_visits(world.machine, &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* ---- Faults ---- */

START_TEST(reads_of_what_is_not_there_end_the_call)
{
    static const ouro_addr nowhere[] = {0, 8, HOLE, WORLD_CODE - 1, WORLD_CONST + WORLD_CONST_BYTES - 7, WORLD_SHARED,
                                        UINT64_C(1) << 47, UINT64_MAX - 3, UINT64_MAX, OURO_MACHINE_TRAPS,
                                        OURO_MACHINE_STACK - 4, OURO_MACHINE_STACK + OURO_MACHINE_STACK_BYTES - 7,
                                        OURO_MACHINE_SCRATCH - 8, OURO_MACHINE_SCRATCH + OURO_MACHINE_SCRATCH_BYTES - 7};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        enum ouro_machine_end end = call_with(CODE(read), nowhere[i], 0);
        ck_assert_msg(end == OURO_MACHINE_READ_FAULT, "%#llx: %s", (unsigned long long)nowhere[i], ouro_machine_end_name(end));
        ck_assert_uint_eq(ouro_machine_at(world.machine), CODE(read));
        end = call_with(CODE(write), nowhere[i], 1);
        enum ouro_machine_end wanted = nowhere[i] == WORLD_SHARED             ? OURO_MACHINE_SHARED_WRITE
                                       : nowhere[i] == OURO_MACHINE_STACK - 4 ? OURO_MACHINE_DEPTH
                                                                              : OURO_MACHINE_WRITE_FAULT;
        ck_assert_msg(end == wanted, "%#llx: %s", (unsigned long long)nowhere[i], ouro_machine_end_name(end));
        ck_assert_uint_eq(ouro_machine_at(world.machine), CODE(write));
    }
    ck_assert_uint_eq(result_of(CODE(read), WORLD_CONST + WORLD_CONST_BYTES - 8, 0), UINT64_C(0xc5c5c5c5c5c5c5c5));
    ck_assert_uint_eq(result_of(CODE(read), WORLD_CONST - 4, 0), UINT64_C(0xc5c5c5c500000000));
    ck_assert_uint_eq(result_of(CODE(read), CODE(zero), 0) & 0xffffff, 0xc3c031);
}
END_TEST

START_TEST(writes_to_what_may_not_be_written_end_the_call)
{
    ASSERT_END(call_with(CODE(write), WORLD_CONST, 1), OURO_MACHINE_WRITE_FAULT);
    ASSERT_END(call_with(CODE(write), WORLD_CODE, 1), OURO_MACHINE_WRITE_FAULT);
    ASSERT_END(call_with(CODE(increments_at), WORLD_CONST + 8, 1), OURO_MACHINE_WRITE_FAULT);
    ASSERT_END(call_with(CODE(write), WORLD_SHARED + 16, 1), OURO_MACHINE_SHARED_WRITE);
    ASSERT_END(call_with(CODE(write), WORLD_CONST - 4, UINT64_MAX), OURO_MACHINE_WRITE_FAULT);
    ck_assert_uint_eq(word_at(WORLD_CONST), UINT64_C(0xc5c5c5c5c5c5c5c5));
}
END_TEST

START_TEST(where_no_code_is_a_call_ends)
{
    static const ouro_addr nowhere[] = {0, 1, HOLE, WORLD_DATA, SUBJECT, WORLD_CONST, WORLD_SHARED, WORLD_CODE - 1,
                                        UINT64_C(1) << 47, UINT64_MAX, OURO_MACHINE_STACK + 64, OURO_MACHINE_SCRATCH};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        enum ouro_machine_end end = call_with(CODE(go), nowhere[i], 0);
        ck_assert_msg(end == OURO_MACHINE_NO_CODE, "%#llx: %s", (unsigned long long)nowhere[i], ouro_machine_end_name(end));
        ck_assert_uint_eq(ouro_machine_at(world.machine), nowhere[i]);
        ASSERT_END(call_with(nowhere[i], 0, 0), OURO_MACHINE_NO_CODE);
        ASSERT_END(call_with(CODE(call), nowhere[i], 0), OURO_MACHINE_NO_CODE);
    }
    ASSERT_END(call_with(CODE(go), OURO_MACHINE_RETURN + 1, 0), OURO_MACHINE_NO_CODE);
    ASSERT_END(call_with(CODE(go), OURO_MACHINE_VISIT + 1, 0), OURO_MACHINE_NO_CODE);
}
END_TEST

START_TEST(what_the_machine_does_not_know_ends_the_call)
{
    /* Zeroes are "add %al, (%rax)"; of the last there is only half. */
    ASSERT_END(call_with(WORLD_DATA - 1, 0, 0), OURO_MACHINE_INSTRUCTION);
    ASSERT_END(call_with(CODE(system_call), 0, 0), OURO_MACHINE_INSTRUCTION);
    ck_assert_uint_eq(ouro_machine_at(world.machine), CODE(system_call) + 5);
    ASSERT_END(call_with(CODE(undefined), 0, 0), OURO_MACHINE_INSTRUCTION);
    ck_assert_uint_eq(ouro_machine_at(world.machine), CODE(undefined));
}
END_TEST

START_TEST(a_division_that_has_no_result_ends_the_call)
{
    ck_assert_int_eq((int64_t)result_of(CODE(divide), (uint64_t)-42, 5), -8);
    ASSERT_END(call_with(CODE(divide), 42, 0), OURO_MACHINE_DIVIDE);
    ASSERT_END(call_with(CODE(divide), (uint64_t)INT64_MIN, UINT64_MAX), OURO_MACHINE_DIVIDE);
}
END_TEST

/* ---- Memory ---- */

START_TEST(writes_are_private_and_forgotten_with_the_next_call)
{
    uint64_t offset = ouro_image_offset(&world.image, WORLD_DATA);
    ck_assert_uint_eq(result_of(CODE(increments), 0, 0), 42);
    ck_assert_uint_eq(word_at(WORLD_DATA), 42);
    ck_assert_uint_eq(world.image.bytes[offset], 41);
    ck_assert_uint_eq(result_of(CODE(increments), 0, 0), 42);
    ck_assert_uint_eq(result_of(CODE(read), WORLD_DATA, 0), 41);
    ck_assert_uint_eq(word_at(WORLD_DATA), 41);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(result_of(CODE(increments_at), SUBJECT + (uint64_t)i * 8 + 0x100, 0), 1);
        ck_assert_uint_eq(result_of(CODE(increments_at), WORLD_CONST - 8, 0), 1);
    }
}
END_TEST

START_TEST(pokes_stay)
{
    uint64_t word = 1000;
    ck_assert(ouro_machine_poke(world.machine, WORLD_DATA, &word, sizeof word));
    ck_assert_uint_eq(result_of(CODE(increments), 0, 0), 1001);
    ck_assert_uint_eq(result_of(CODE(increments), 0, 0), 1001);
    ck_assert_uint_eq(word_at(WORLD_DATA), 1001);
    word = 7;
    ck_assert(ouro_machine_poke(world.machine, WORLD_DATA, &word, sizeof word));
    ck_assert_uint_eq(result_of(CODE(increments), 0, 0), 8);
    ck_assert(ouro_machine_poke(world.machine, WORLD_CONST, &word, sizeof word)); /* we may */
    ck_assert_uint_eq(result_of(CODE(read), WORLD_CONST, 0), 7);
    ASSERT_END(call_with(CODE(write), WORLD_CONST, 1), OURO_MACHINE_WRITE_FAULT);
    ck_assert(ouro_machine_poke(world.machine, WORLD_DATA + 4092, &word, sizeof word)); /* over two pages */
    ck_assert_uint_eq(result_of(CODE(read), WORLD_DATA + 4092, 0), 7);
    ck_assert(!ouro_machine_poke(world.machine, HOLE, &word, sizeof word));
    ck_assert(!ouro_machine_poke(world.machine, WORLD_SHARED - 4, &word, sizeof word));
    ck_assert_uint_eq(ouro_image_at(&world.image, WORLD_DATA, 1)[0], 41);
}
END_TEST

START_TEST(the_scratch_memory_is_ours_and_stays)
{
    unsigned char *scratch = ouro_machine_scratch(world.machine);
    for (size_t i = 0; i < OURO_MACHINE_SCRATCH_BYTES; i += 4096)
        ck_assert_uint_eq(scratch[i], 0);
    scratch[64] = 5;
    ck_assert_uint_eq(result_of(CODE(increments_at), OURO_MACHINE_SCRATCH + 64, 0), 6);
    ck_assert_uint_eq(result_of(CODE(increments_at), OURO_MACHINE_SCRATCH + 64, 0), 7);
    ck_assert_uint_eq(scratch[64], 7);
    size_t last = OURO_MACHINE_SCRATCH_BYTES - 8;
    ck_assert_uint_eq(result_of(CODE(increments_at), OURO_MACHINE_SCRATCH + last, 0), 1);
    ck_assert_uint_eq(scratch[last], 1);
    ck_assert_uint_eq(word_at(OURO_MACHINE_SCRATCH + last), 1);
    ck_assert_ptr_eq(ouro_machine_scratch(world.machine), scratch);
}
END_TEST

START_TEST(memory_is_read_only_where_it_is)
{
    unsigned char bytes[32];
    ck_assert(ouro_machine_read(world.machine, WORLD_CONST - 16, bytes, 32));
    ck_assert(!ouro_machine_read(world.machine, WORLD_SHARED - 16, bytes, 32));
    ck_assert(!ouro_machine_read(world.machine, HOLE, bytes, 1));
    ck_assert(!ouro_machine_read(world.machine, UINT64_MAX - 8, bytes, 32));
    ck_assert(!ouro_machine_read(world.machine, OURO_MACHINE_SCRATCH + OURO_MACHINE_SCRATCH_BYTES - 16, bytes, 32));
}
END_TEST

/* ---- Where values come from ---- */

static struct ouro_machine_visit visit_at(size_t number)
{
    size_t count = 0;
    const struct ouro_machine_visit *visits = ouro_machine_visits(world.machine, &count);
    ck_assert_uint_lt(number, count);
    return visits[number];
}

static size_t visit_count(void)
{
    size_t count = 0;
    ouro_machine_visits(world.machine, &count);
    return count;
}

START_TEST(a_visit_knows_where_its_value_comes_from)
{
    static const struct {
        uint32_t kind;
        int32_t offset;
        ouro_addr addr;
    } wanted[] = {
        {OURO_ORIGIN_FIELD, 0x10, FIRST},
        {OURO_ORIGIN_SUBJECT, 0, SUBJECT},
        {OURO_ORIGIN_SUBJECT, 0x20, SUBJECT + 0x20},
        {OURO_ORIGIN_VIA, 0x10, SECOND},
        {OURO_ORIGIN_VIA, 0x18, FIRST},
        {OURO_ORIGIN_VIA, 0x18, SECOND + 8},
        {OURO_ORIGIN_WITHIN, 0, SECOND},
        {OURO_ORIGIN_CONSTANT, 0, 41},
        {OURO_ORIGIN_CONSTANT, 0, TYPE},
        {OURO_ORIGIN_CONSTANT, 0, THIRD},
        {OURO_ORIGIN_FIELD, 0x10, FIRST},
        {OURO_ORIGIN_FIELD, 0x10, FIRST},
        {OURO_ORIGIN_FIELD, 0x18, SECOND},
        {OURO_ORIGIN_VIA, 0x10, FIRST},
        {OURO_ORIGIN_FIELD, 0x18, SECOND},
        {OURO_ORIGIN_FIELD, 0x18, SECOND},
        {OURO_ORIGIN_FIELD, 0x10, FIRST},
    };
    ASSERT_END(visit_subject(CODE(origins), 8), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(visit_count(), sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct ouro_machine_visit visit = visit_at(i);
        ck_assert_msg(visit_is(&visit, wanted[i].kind, wanted[i].offset, wanted[i].addr),
                      "visit %zu: %#llx of kind %u, offset %d", i, (unsigned long long)visit.addr, visit.origin.kind,
                      visit.origin.offset);
    }
}
END_TEST

START_TEST(without_a_constant_word_the_type_is_a_field)
{
    ASSERT_END(visit_subject(CODE(origins), INT32_MIN), OURO_MACHINE_RETURNED);
    struct ouro_machine_visit type = visit_at(8), through = visit_at(9);
    ck_assert(visit_is(&type, OURO_ORIGIN_FIELD, 8, TYPE));
    ck_assert(visit_is(&through, OURO_ORIGIN_VIA, 8, THIRD));
}
END_TEST

START_TEST(a_null_test_of_a_field_is_noted)
{
    const ouro_addr functions[] = {CODE(null_test), CODE(null_compare), CODE(null_compare_register), CODE(null_or)};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        uint64_t word = 0;
        ck_assert(ouro_machine_poke(world.machine, SUBJECT + 0x28, &word, sizeof word));
        ASSERT_END(visit_subject(functions[i], 8), OURO_MACHINE_RETURNED);
        ck_assert_msg(visit_count() == 1, "function %zu: %zu visits", i, visit_count());
        struct ouro_machine_visit visit = visit_at(0);
        ck_assert(visit_is(&visit, OURO_ORIGIN_FIELD, 0x28, 0));
        ck_assert(!ouro_machine_varied(world.machine));
        word = THIRD;
        ck_assert(ouro_machine_poke(world.machine, SUBJECT + 0x28, &word, sizeof word));
        ASSERT_END(visit_subject(functions[i], 8), OURO_MACHINE_RETURNED);
        ck_assert_uint_eq(visit_count(), 1);
        visit = visit_at(0);
        ck_assert(visit_is(&visit, OURO_ORIGIN_FIELD, 0x28, THIRD));
        ck_assert(!ouro_machine_varied(world.machine));
    }
}
END_TEST

START_TEST(a_call_varies_by_what_it_looks_at)
{
    const struct {
        const char *name;
        ouro_addr function;
        bool varied;
    } cases[] = {
        {"null test", CODE(null_test), false},
        {"visitor's result", CODE(result_test), false},
        {"constant loop", CODE(constant_loop), false},
        {"type's bytes", CODE(type_branch), false},
        {"constant global", CODE(increments), false},
        {"tag", CODE(tag_branch), true},
        {"tag through setcc", CODE(tag_set), true},
        {"tag through cmov", CODE(tag_cmov), true},
        {"through a pointer", CODE(via_branch), true},
        {"low bit", CODE(low_bit_branch), true},
        {"sign", CODE(sign_branch), true},
        {"two fields", CODE(unlike_branch), true},
        {"jump by tag", CODE(tag_jump), true},
        {"write by tag", CODE(tag_write), true},
        {"carry", CODE(carry_branch), true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ASSERT_END(visit_subject(cases[i].function, 8), OURO_MACHINE_RETURNED);
        ck_assert_msg(ouro_machine_varied(world.machine) == cases[i].varied, "%s", cases[i].name);
    }
    ASSERT_END(visit_subject(CODE(type_branch), INT32_MIN), OURO_MACHINE_RETURNED);
    ck_assert(ouro_machine_varied(world.machine));
    ASSERT_END(call_with(CODE(tag_branch), SUBJECT, OURO_MACHINE_VISIT), OURO_MACHINE_RETURNED); /* no subject */
    ck_assert(!ouro_machine_varied(world.machine));
}
END_TEST

START_TEST(a_result_knows_where_it_was_loaded_from)
{
    struct ouro_origin origin;
    ASSERT_END(visit_subject(CODE(field), 8), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result_source(world.machine), 0); /* nobody asked for it */
    ouro_machine_trace(world.machine, true);
    ASSERT_END(visit_subject(CODE(field), 8), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result(world.machine, &origin), FIRST);
    ck_assert_uint_eq(origin.kind, OURO_ORIGIN_FIELD);
    ck_assert_int_eq(origin.offset, 0x10);
    ck_assert_uint_eq(ouro_machine_result_source(world.machine), SUBJECT + 0x10);
    ASSERT_END(visit_subject(CODE(field_and_one), 8), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result(world.machine, &origin), FIRST + 1);
    ck_assert_uint_eq(origin.kind, OURO_ORIGIN_VIA);
    ck_assert_uint_eq(ouro_machine_result_source(world.machine), 0);
    ASSERT_END(call_with(CODE(read), WORLD_DATA + 0x208, 0), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result_source(world.machine), WORLD_DATA + 0x208);
    ASSERT_END(call_with(CODE(zero), 0, 0), OURO_MACHINE_RETURNED);
    ck_assert_uint_eq(ouro_machine_result_source(world.machine), 0);
}
END_TEST

START_TEST(poked_code_runs)
{
    const unsigned char seven[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* mov $7, %eax; ret */
    ck_assert_uint_eq(result_of(CODE(nested), 5, 0), 17);
    ck_assert(ouro_machine_poke(world.machine, CODE(nested), seven, sizeof seven));
    ck_assert_uint_eq(result_of(CODE(nested), 5, 0), 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emulate: machine");
    TCase *tcase = tcase_create("machine");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, arguments_go_in_and_the_result_comes_out);
    tcase_add_test(tcase, functions_call_each_other_directly_and_through_slots);
    tcase_add_test(tcase, a_call_ends_at_an_address_to_stop_at);
    tcase_add_test(tcase, a_stop_holds_for_code_that_ran_before);
    tcase_add_test(tcase, thread_local_memory_is_read_through_fs);
    tcase_add_test(tcase, steps_are_instructions);
    tcase_add_test(tcase, ends_have_names_of_their_own);
    tcase_add_test(tcase, a_call_that_never_ends_ends_with_its_instructions);
    tcase_add_test(tcase, calls_and_the_stack_have_a_depth);
    tcase_add_test(tcase, pages_written_to_are_counted);
    tcase_add_test(tcase, visits_are_counted_and_bring_instructions);
    tcase_add_test(tcase, reads_of_what_is_not_there_end_the_call);
    tcase_add_test(tcase, writes_to_what_may_not_be_written_end_the_call);
    tcase_add_test(tcase, where_no_code_is_a_call_ends);
    tcase_add_test(tcase, what_the_machine_does_not_know_ends_the_call);
    tcase_add_test(tcase, a_division_that_has_no_result_ends_the_call);
    tcase_add_test(tcase, writes_are_private_and_forgotten_with_the_next_call);
    tcase_add_test(tcase, pokes_stay);
    tcase_add_test(tcase, the_scratch_memory_is_ours_and_stays);
    tcase_add_test(tcase, memory_is_read_only_where_it_is);
    tcase_add_test(tcase, a_visit_knows_where_its_value_comes_from);
    tcase_add_test(tcase, without_a_constant_word_the_type_is_a_field);
    tcase_add_test(tcase, a_null_test_of_a_field_is_noted);
    tcase_add_test(tcase, a_call_varies_by_what_it_looks_at);
    tcase_add_test(tcase, a_result_knows_where_it_was_loaded_from);
    tcase_add_test(tcase, poked_code_runs);
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
