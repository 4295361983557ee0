/* Which functions ouro_machine_explore takes for ones that always visit the same fields: against running them. */
#include "world.h"
#if CAN_EMULATE
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "library.h"

#define TYPE_OFFSET 8
#define VISITS_MAX  256
#define STATES      96 /* things that each function is run on */
#define RANDOM_FUNCTIONS 120

struct visits {
    ouro_addr items[VISITS_MAX];
    size_t count;
};

static int record(void *what, void *arg)
{
    struct visits *visits = arg;
    if (what && visits->count < VISITS_MAX) /* one that visits without a look at the field has no NULL there */
        visits->items[visits->count++] = (uintptr_t)what;
    return 0;
}

/* A thing of the library in a random state, one of all 16 of its first four fields being there or not. */
static void make_things(const struct library *library, bool tagged, unsigned number, uint64_t *state)
{
    struct thing *things = library->contents->things;
    memset(things, 0, THINGS * sizeof *things);
    for (int i = 0; i < THINGS; i++) {
        things[i].type = library->contents->type;
        things[i].a = random_next(state) & 1 ? &things[(i + 5) % THINGS] : NULL;
        things[i].b = random_next(state) & 1 ? &things[(i + 7) % THINGS] : NULL;
    }
    struct thing **fields[] = {&things->a,        &things->b,        &things->c,        &things->d,   &things->array[0],
                               &things->array[1], &things->array[2], &things->array[3], &things->next};
    for (unsigned i = 0; i < 9; i++) {
        bool there = i < 4 ? number >> i & 1 : random_next(state) & 1;
        /* Few different ones, so that some are equal. */
        *fields[i] = there ? &things[1 + random_next(state) % (i < 8 ? 4 : THINGS - 1)] : NULL;
    }
    if (tagged && things->next && random_next(state) & 1)
        things->next = (struct thing *)((uintptr_t)things->next + 1);
    things->tag = (unsigned)(random_next(state) % 6);
    things->count = (unsigned)(random_next(state) % 5);
    *library->contents->calls = (unsigned)(random_next(state) & 1);
}

/* What the visits of explore say that a thing's are. */
static void predict(const struct ouro_machine_visit *found, size_t count, const struct thing *thing, struct visits *visits)
{
    visits->count = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = found[i].addr;
        if (!value) /* a test that found NULL */
            continue;
        if (found[i].origin.kind == OURO_ORIGIN_FIELD)
            memcpy(&value, (const char *)thing + found[i].origin.offset, sizeof value);
        if (value && visits->count < VISITS_MAX)
            visits->items[visits->count++] = value;
    }
}

static bool same_visits(const struct visits *a, const struct visits *b)
{
    return a->count == b->count && memcmp(a->items, b->items, a->count * sizeof a->items[0]) == 0;
}

/* A subject in the scratch memory whose words all point into it. */
static struct ouro_machine_call call_to_explore(const struct world *world, const struct library *library,
                                                const struct traverse *traverse)
{
    unsigned char *scratch = ouro_machine_scratch(world->machine);
    memset(scratch, 0, 64 << 10);
    for (size_t i = 0; i < 64; i++) {
        uint64_t word = OURO_MACHINE_SCRATCH + 0x2000 + i * 256;
        memcpy(scratch + 0x1000 + i * 8, &word, sizeof word);
    }
    memcpy(scratch + 0x1000 + TYPE_OFFSET, &library->contents->type, sizeof library->contents->type);
    return (struct ouro_machine_call){.function = (uintptr_t)traverse->function,
                                      .arguments = {OURO_MACHINE_SCRATCH + 0x1000, OURO_MACHINE_VISIT, 0},
                                      .subject = OURO_MACHINE_SCRATCH + 0x1000,
                                      .constant_offset = TYPE_OFFSET};
}

/* Explores one function; what it claims must be true of every thing there is. */
static bool check_function(const struct world *world, const struct library *library, const struct traverse *traverse,
                           const char *how, uint64_t *state)
{
    struct ouro_machine_call call = call_to_explore(world, library, traverse);
    bool accepted = ouro_machine_explore(world->machine, &call);
    size_t count = 0;
    const struct ouro_machine_visit *found = ouro_machine_visits(world->machine, &count);
    for (size_t i = 0; accepted && i < count; i++)
        ck_assert_msg(found[i].origin.kind == OURO_ORIGIN_FIELD || found[i].origin.kind == OURO_ORIGIN_CONSTANT,
                      "%s %s: visit %zu is of kind %u", how, traverse->name, i, found[i].origin.kind);
    for (unsigned number = 0; accepted && number < STATES; number++) {
        struct visits native = {.count = 0}, predicted;
        make_things(library, strcmp(traverse->name, "tagged_pointer") == 0, number, state);
        predict(found, count, library->contents->things, &predicted);
        traverse->function(library->contents->things, record, &native);
        ck_assert_msg(same_visits(&native, &predicted),
                      "%s %s: %zu visits foretold of thing %u, %zu made", how, traverse->name, predicted.count, number,
                      native.count);
    }
    return accepted;
}

/* A call must visit what the function visits, in order, and leave memory as the function does. */
static void check_calls(struct world *world, const struct library *library, const struct traverse *traverse,
                        const char *how, uint64_t *state)
{
    struct thing *things = library->contents->things;
    for (unsigned number = 0; number < STATES / 4; number++) {
        struct visits native = {.count = 0};
        make_things(library, strcmp(traverse->name, "tagged_pointer") == 0, number * 5, state);
        ck_assert(ouro_machine_poke(world->machine, (uintptr_t)things, things, THINGS * sizeof *things));
        ck_assert(ouro_machine_poke(world->machine, (uintptr_t)library->contents->calls, library->contents->calls,
                                    sizeof *library->contents->calls));
        struct ouro_machine_call call = {.function = (uintptr_t)traverse->function,
                                         .arguments = {(uintptr_t)things, OURO_MACHINE_VISIT, 0},
                                         .subject = (uintptr_t)things,
                                         .constant_offset = number & 1 ? TYPE_OFFSET : INT32_MIN};
        enum ouro_machine_end end = ouro_machine_call(world->machine, &call);
        ck_assert_msg(end == OURO_MACHINE_RETURNED, "%s %s ended with %s at %#llx", how, traverse->name,
                      ouro_machine_end_name(end), (unsigned long long)ouro_machine_at(world->machine));
        int result = traverse->function(things, record, &native);
        ck_assert_int_eq((int)ouro_machine_result(world->machine, NULL), result);
        size_t count = 0, made = 0;
        const struct ouro_machine_visit *visits = ouro_machine_visits(world->machine, &count);
        for (size_t i = 0; i < count; i++) {
            uint64_t word = 0;
            if (visits[i].origin.kind == OURO_ORIGIN_FIELD)
                memcpy(&word, (const char *)things + visits[i].origin.offset, sizeof word);
            if (!visits[i].addr) {
                ck_assert_uint_eq(visits[i].origin.kind, OURO_ORIGIN_FIELD);
                ck_assert_msg(!word, "%s %s: a NULL test noted of a word that is none", how, traverse->name);
                continue;
            }
            ck_assert_msg(made < native.count && native.items[made] == visits[i].addr, "%s %s: visit %zu differs", how,
                          traverse->name, made);
            made++;
            ck_assert_msg(visits[i].origin.kind != OURO_ORIGIN_FIELD || word == visits[i].addr,
                          "%s %s: a visit of %#llx, said to be the word at %d", how, traverse->name,
                          (unsigned long long)visits[i].addr, visits[i].origin.offset);
        }
        ck_assert_msg(made == native.count, "%s %s: %zu visits of %zu", how, traverse->name, made, native.count);
        struct thing after[THINGS];
        ck_assert(ouro_machine_read(world->machine, (uintptr_t)things, after, sizeof after));
        ck_assert_msg(memcmp(after, things, sizeof after) == 0, "%s %s: left other memory", how, traverse->name);
    }
}

/* How many functions it takes for what they are not. */
static size_t check_library(const char *compiler, const char *flags, const char *source, uint64_t *state,
                            size_t *accepted_count)
{
    struct library library = library_build(compiler, flags, source);
    struct world world;
    char how[128];
    size_t wrong = 0;
    snprintf(how, sizeof how, "%s %s", compiler, flags);
    make_things(&library, false, 0, state);
    *library.contents->calls = 0;
    world_of_object(&world, library.contents);
    /* A canary is read from there. */
    ouro_machine_set_fs(world.machine, OURO_MACHINE_SCRATCH + (1 << 20));
    for (const struct traverse *traverse = library.contents->functions; traverse->name; traverse++) {
        check_calls(&world, &library, traverse, how, state);
        bool accepted = check_function(&world, &library, traverse, how, state);
        *accepted_count += accepted;
        if (traverse->wanted != EITHER && accepted != (traverse->wanted == ACCEPTED)) {
            fprintf(stderr, "WRONG %s: %s was %s\n", how, traverse->name, accepted ? "accepted" : "refused");
            wrong++;
        }
    }
    world_fini(&world);
    library_close(&library);
    return wrong;
}

static void each_build(const char *source, uint64_t *state)
{
    size_t compiler_count = 0, wrong = 0;
    for (size_t i = 0; i < library_compiler_count(); i++) {
        const char *compiler = library_compiler(i);
        if (!compiler)
            continue;
        compiler_count++;
        for (size_t j = 0; j < library_flags_count(); j++) {
            size_t accepted = 0;
            wrong += check_library(compiler, library_flags(j), source, state, &accepted);
            printf("%s %s: %zu functions accepted\n", compiler, library_flags(j), accepted);
        }
    }
    ck_assert_msg(compiler_count > 0, "no compiler");
    ck_assert_msg(wrong == 0, "%zu functions taken for what they are not", wrong);
}

START_TEST(functions_that_always_visit_the_same_fields_are_told_from_those_that_only_seem_to)
{
    char path[1024];
    uint64_t state = random_seed();
    each_build(library_source("traverse.c", path, sizeof path), &state);
}
END_TEST

START_TEST(what_is_claimed_of_random_functions_is_true)
{
    char path[] = "/tmp/ouro-test-XXXXXX.c";
    uint64_t state = random_seed();
    int fd = mkstemps(path, 2);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    library_write_random(file, RANDOM_FUNCTIONS, &state);
    ck_assert_int_eq(fclose(file), 0);
    each_build(path, &state);
    unlink(path);
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* a failed check ends its process at once */
    Suite *suite = suite_create("emulate: explore");
    TCase *tcase = tcase_create("against running");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, functions_that_always_visit_the_same_fields_are_told_from_those_that_only_seem_to);
    tcase_add_test(tcase, what_is_claimed_of_random_functions_is_true);
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
