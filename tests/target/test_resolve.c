#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "child.h"
#include "target/module.h"
#include "target/resolve.h"

#define SLOTS     20000
#define JUMP_SLOT 7 /* its relocation's number; the other is GLOB_DAT */

struct slots {
    struct slot {
        ouro_addr addr, value;
        unsigned type;
        char symbol[200], module[100];
    } * items;
    size_t count;
};

struct target {
    pid_t pid;
    FILE *in, *out;
    struct slots slots;
    struct truth {
        char name[32];
        unsigned long addr;
    } truths[16];
    size_t truth_count;
    struct ouro_process *process;
    struct ouro_maps maps;
    struct ouro_modules modules;
};

static const char *libraries(void)
{
    static char path[4096];
    const char *build = getenv("top_builddir");
    snprintf(path, sizeof path, "%s/tests", build ? build : ".");
    return path;
}

static void read_slots(struct target *target)
{
    char line[1024];
    unsigned long addr, value;
    free(target->slots.items);
    target->slots.items = calloc(SLOTS, sizeof *target->slots.items);
    target->slots.count = 0;
    while (fgets(line, sizeof line, target->out) && strcmp(line, "end\n") != 0) {
        struct slot *slot = &target->slots.items[target->slots.count];
        struct truth *truth = &target->truths[target->truth_count];
        if (sscanf(line, "slot %lx %lx %u %199s %99s", &addr, &value, &slot->type, slot->symbol, slot->module) == 5) {
            slot->addr = addr;
            slot->value = value;
            ck_assert_uint_lt(target->slots.count++, SLOTS - 1);
        } else if (sscanf(line, "truth %31s %lx", truth->name, &truth->addr) == 2) {
            ck_assert_uint_lt(target->truth_count++, 15);
        }
    }
    ck_assert_str_eq(line, "end\n"); /* else it failed, and said why */
}

static void target_read(struct target *target)
{
    struct ouro_err err = {0};
    target->process = must_open(target->pid);
    ASSERT_OK(ouro_maps_read(&target->maps, target->pid, false, &err));
    ASSERT_OK(ouro_modules_read(&target->modules, target->process, &target->maps, &err));
}

static void target_forget(struct target *target)
{
    ouro_modules_fini(&target->modules);
    ouro_maps_fini(&target->maps);
    ouro_process_close(target->process);
}

/* NULL: no such variable of the environment. */
static void target_start(struct target *target, const char *mode, const char *directory, const char *variable,
                         const char *value)
{
    int in[2], out[2];
    char program[5000];
    memset(target, 0, sizeof *target);
    snprintf(program, sizeof program, "%s/resolve_fixture", libraries());
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    target->pid = fork();
    if (target->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        unsetenv("LD_BIND_NOW");
        unsetenv("LD_PRELOAD");
        if (variable)
            setenv(variable, value, 1);
        execl(program, program, mode, directory, (char *)NULL);
        _exit(97);
    }
    close(in[0]);
    close(out[1]);
    target->in = fdopen(in[1], "w");
    target->out = fdopen(out[0], "r");
    read_slots(target);
    target_read(target);
}

static void target_end(struct target *target)
{
    target_forget(target);
    fclose(target->in);
    fclose(target->out);
    kill(target->pid, SIGKILL);
    waitpid(target->pid, NULL, 0);
    free(target->slots.items);
}

/* Has it call through its slots; `interposed` is what ouro_interposed shall return. */
static void target_call(struct target *target, int interposed)
{
    fprintf(target->in, "%d\n", interposed);
    fflush(target->in);
    read_slots(target);
}

static ouro_addr truth_of(const struct target *target, const char *name)
{
    for (size_t i = 0; i < target->truth_count; i++)
        if (strcmp(target->truths[i].name, name) == 0 && target->truths[i].addr)
            return target->truths[i].addr;
    ck_abort_msg("no truth about %s", name);
    return 0;
}

static const struct slot *slot_of(const struct target *target, const char *module, const char *symbol)
{
    for (size_t i = 0; i < target->slots.count; i++)
        if (strcmp(target->slots.items[i].module, module) == 0 && strcmp(target->slots.items[i].symbol, symbol) == 0)
            return &target->slots.items[i];
    ck_abort_msg("%s has no slot of %s", module, symbol);
    return NULL;
}

static ouro_addr resolve(struct target *target, const char *module, const char *symbol, bool *ifunc)
{
    ouro_addr function = 0;
    enum ouro_status status =
        ouro_modules_resolve_slot(&target->modules, slot_of(target, module, symbol)->addr, &function, ifunc);
    ck_assert_msg(status == OURO_OK || status == OURO_GONE, "%s", ouro_status_name(status));
    return status == OURO_OK ? function : 0;
}

/* Against what the linker itself has written. Returns how many slots were compared by their very value. */
static size_t check_bound(struct target *target, const struct slot *slot)
{
    ouro_addr function = 0;
    bool ifunc = false;
    enum ouro_status status = ouro_modules_resolve_slot(&target->modules, slot->addr, &function, &ifunc);
    const char *const names[2] = {slot->symbol, slot->module};
    if (!slot->value) {
        ck_assert_msg(status == OURO_GONE, "%s of %s is not there", names[0], names[1]);
        return 0;
    }
    ck_assert_msg(status == OURO_OK, "%s of %s: %s", names[0], names[1], ouro_status_name(status));
    if (ifunc) { /* what it returned lies beside it */
        ck_assert_ptr_eq(ouro_modules_find(&target->modules, function),
                         ouro_modules_find(&target->modules, slot->value));
        return 0;
    }
    ck_assert_msg(function == slot->value, "%s of %s: %lx, not %lx", names[0], names[1], (unsigned long)function,
                  (unsigned long)slot->value);
    return 1;
}

/* What only RTLD_GLOBAL decides, which can't be seen from outside: which of two, and whether a weak one is there. */
static bool is_up_to_flags(const struct slot *slot)
{
    return strcmp(slot->symbol, "ouro_of_two_plugins") == 0 || strcmp(slot->symbol, "ouro_weak_of_base") == 0;
}

static void check_calls(const char *mode, const char *variable, const char *value, int interposed)
{
    struct target target;
    size_t changed = 0, compared = 0;
    target_start(&target, mode, libraries(), variable, value);
    struct slots before = target.slots;
    target.slots.items = NULL;
    target_call(&target, interposed);
    ck_assert_uint_eq(before.count, target.slots.count);
    for (size_t i = 0; i < before.count; i++) {
        const struct slot *slot = &target.slots.items[i], *old = &before.items[i];
        ck_assert_uint_eq(slot->addr, old->addr);
        if (slot->value == old->value)
            continue;
        ck_assert_msg(ouro_modules_slot_is_unresolved(&target.modules, old->addr, old->value), "%s", old->symbol);
        ck_assert_msg(!ouro_modules_slot_is_unresolved(&target.modules, slot->addr, slot->value), "%s", slot->symbol);
        changed++;
        if (!is_up_to_flags(slot))
            compared += check_bound(&target, slot);
    }
    ck_assert_uint_ge(changed, 14); /* of our own libraries */
    ck_assert_uint_ge(compared, 12);
    free(before.items);
    target_end(&target);
}

START_TEST(unresolved_calls_go_where_the_linker_sends_them)
{
    check_calls("local", NULL, NULL, 1);
    check_calls("global", NULL, NULL, 1);
    check_calls("promoted", NULL, NULL, 1);
}
END_TEST

START_TEST(a_preloaded_library_interposes)
{
    char path[5000];
    snprintf(path, sizeof path, "%s/libresolve_before.so", libraries());
    check_calls("global", "LD_PRELOAD", path, 6);
}
END_TEST

START_TEST(every_slot_that_the_linker_has_bound_is_resolved_as_it_did)
{
    for (int round = 0; round < 2; round++) {
        struct target target;
        size_t compared = 0;
        target_start(&target, "promoted", libraries(), round ? "LD_BIND_NOW" : NULL, "1");
        for (size_t i = 0; i < target.slots.count; i++) {
            const struct slot *slot = &target.slots.items[i];
            bool is_unresolved = ouro_modules_slot_is_unresolved(&target.modules, slot->addr, slot->value);
            ck_assert_msg(!is_unresolved || (!round && slot->type == JUMP_SLOT), "%s of %s", slot->symbol,
                          slot->module);
            if (!is_unresolved && !is_up_to_flags(slot))
                compared += check_bound(&target, slot);
        }
        ck_assert_uint_ge(compared, round ? 60 : 30);
        target_end(&target);
    }
}
END_TEST

START_TEST(names_versions_and_choosers_are_those_of_dlsym)
{
    static const char late[] = "libresolve_late.so";
    struct target target;
    bool ifunc = true;
    target_start(&target, "local", libraries(), NULL, NULL);
    ck_assert_uint_eq(resolve(&target, "libresolve_two.so", "ouro_interposed", &ifunc),
                      truth_of(&target, "interposed"));
    ck_assert(!ifunc);
    ck_assert_uint_eq(resolve(&target, late, "ouro_versioned", &ifunc), truth_of(&target, "first"));
    ck_assert_uint_ne(truth_of(&target, "first"), truth_of(&target, "second"));
    ouro_addr versions = 0;
    for (size_t i = 0; i < target.slots.count; i++) { /* two slots of one name */
        const struct slot *slot = &target.slots.items[i];
        ouro_addr function;
        if (strcmp(slot->module, "program") != 0 || strcmp(slot->symbol, "ouro_versioned") != 0)
            continue;
        ck_assert_int_eq(ouro_modules_resolve_slot(&target.modules, slot->addr, &function, &ifunc), OURO_OK);
        versions += function;
    }
    ck_assert_uint_eq(versions, truth_of(&target, "first") + truth_of(&target, "second"));
    ck_assert_uint_eq(resolve(&target, "libresolve_base.so", "ouro_plugin_function", &ifunc),
                      truth_of(&target, "plugin"));
    ck_assert_uint_eq(resolve(&target, "libresolve_plugin.so", "ouro_base_function", &ifunc),
                      truth_of(&target, "base"));
    ck_assert_uint_eq(resolve(&target, "program", "ouro_chosen", &ifunc), truth_of(&target, "chooser"));
    ck_assert(ifunc);
    ifunc = false;
    ck_assert_uint_ne(resolve(&target, "program", "memcpy", &ifunc), 0);
    ck_assert(ifunc);
    target_end(&target);
}
END_TEST

START_TEST(what_is_not_in_scope_is_gone)
{
    static const char late[] = "libresolve_late.so";
    struct target target;
    ouro_addr function;
    bool ifunc;
    target_start(&target, "local", libraries(), NULL, NULL);
    ck_assert_uint_eq(resolve(&target, late, "ouro_missing", &ifunc), 0);
    ck_assert_uint_eq(resolve(&target, late, "ouro_weak_of_base", &ifunc), 0);
    ck_assert_uint_eq(resolve(&target, late, "ouro_of_two_plugins", &ifunc), 0); /* whose? */
    const struct slot *slot = slot_of(&target, late, "ouro_versioned");
    ck_assert_int_eq(ouro_modules_resolve_slot(&target.modules, slot->addr + 1, &function, &ifunc), OURO_GONE);
    ck_assert_int_eq(ouro_modules_resolve_slot(&target.modules, 8, &function, &ifunc), OURO_GONE);
    ck_assert(!ouro_modules_slot_is_unresolved(&target.modules, 8, slot->value));
    ck_assert(!ouro_modules_slot_is_unresolved(&target.modules, slot->addr + 1, slot->value));
    ck_assert(!ouro_modules_slot_is_unresolved(&target.modules, slot->addr, slot->addr));
    ck_assert(!ouro_modules_slot_is_unresolved(&target.modules, slot->addr, 0));
    target_end(&target);
}
END_TEST

/* A space that lies about the linker's list: words of chance, or a list without end. */
struct liar {
    struct ouro_space space;
    const struct ouro_space *truth;
    unsigned long reads, lie;
};

static enum ouro_status lying_read(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    struct liar *liar = (struct liar *)(uintptr_t)space->context;
    enum ouro_status status = ouro_space_read(liar->truth, addr, out, size);
    if (liar->reads++ == liar->lie / 3) {
        if (liar->lie % 3 == 0)
            return OURO_FAULT;
        memset(out, liar->lie % 3 == 1 ? 0x11 : 0, size);
    }
    if (liar->lie == 1000 && size == 32) /* its own successor */
        memcpy((unsigned char *)out + 24, &addr, sizeof addr);
    return status;
}

START_TEST(without_the_list_of_the_linker_the_order_is_that_of_the_needs)
{
    struct target target;
    bool ifunc;
    target_start(&target, "local", libraries(), NULL, NULL);
    struct liar liar = {
        .space = {lying_read, &liar},
          .truth = ouro_process_space(target.process), .lie = 2000
    };
    ck_assert(ouro_modules_read_order(&target.modules, &liar.space));
    unsigned long reads = liar.reads;
    ck_assert_uint_ge(reads, 10);
    for (unsigned long lie = 0; lie <= 3 * reads; lie++) {
        liar.reads = 0;
        liar.lie = lie == 3 * reads ? 1000 : lie;
        bool believed = ouro_modules_read_order(&target.modules, &liar.space);
        ck_assert(!believed || lie % 3 == 2); /* one that ends early can't be told from a short one */
        if (believed)
            continue;
        ck_assert_uint_eq(resolve(&target, "libresolve_two.so", "ouro_interposed", &ifunc),
                          truth_of(&target, "interposed"));
        ck_assert_uint_eq(resolve(&target, "libresolve_base.so", "ouro_plugin_function", &ifunc),
                          truth_of(&target, "plugin"));
        ck_assert_uint_eq(resolve(&target, "libresolve_late.so", "ouro_versioned", &ifunc), truth_of(&target, "first"));
    }
    target_end(&target);
}
END_TEST

static void *resolve_all(void *pointer)
{
    struct target *target = pointer;
    ouro_addr *functions = calloc(target->slots.count, sizeof *functions);
    for (size_t i = 0; i < target->slots.count; i++) {
        bool ifunc;
        struct ouro_module *module = ouro_modules_find(&target->modules, target->slots.items[i].addr);
        ouro_addr addr;
        if (ouro_modules_resolve_slot(&target->modules, target->slots.items[i].addr, &functions[i], &ifunc))
            functions[i] = 0;
        (void)ouro_module_symbol(module, target->slots.items[i].symbol, &addr, NULL);
        (void)ouro_module_section(module, ".data", &addr, NULL);
    }
    return functions;
}

START_TEST(threads_that_resolve_at_the_same_time_agree)
{
    struct target target;
    target_start(&target, "local", libraries(), NULL, NULL);
    OURO_FREE ouro_addr *truth = resolve_all(&target);
    for (int round = 0; round < 20; round++) {
        pthread_t threads[4];
        target_forget(&target);
        target_read(&target); /* nothing is indexed yet */
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, resolve_all, &target), 0);
        for (int i = 0; i < 4; i++) {
            void *functions;
            pthread_join(threads[i], &functions);
            ck_assert_mem_eq(functions, truth, target.slots.count * sizeof *truth);
            free(functions);
        }
    }
    target_end(&target);
}
END_TEST

static uint64_t state;

static uint64_t chance(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, size, 0), size);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

static unsigned char *read_file(const char *path, size_t *size)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert(fd >= 0 && fstat(fd, &status) == 0);
    *size = (size_t)status.st_size;
    unsigned char *bytes = malloc(*size);
    ck_assert_int_eq(read(fd, bytes, *size), *size);
    close(fd);
    return bytes;
}

/* Bytes of chance where they hurt: in the file's header, the section headers at its end, and the tables at its start.
 */
static size_t damage(unsigned char *bytes, size_t size)
{
    static const uint64_t words[] = {0, 1, 7, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, UINT64_MAX};
    for (uint64_t left = 1 + chance(24); left; left--) {
        size_t at = chance(3) ? (size_t)chance(0x600) : size - 8 - (size_t)chance(64 * 32);
        uint64_t word = chance(2) ? words[chance(8)] : chance(2) ? chance(size) : chance(UINT64_MAX);
        memcpy(bytes + (at & ~(size_t)1), &word, (size_t)1 << chance(4));
    }
    return chance(8) ? size : (size_t)chance(size);
}

START_TEST(a_damaged_library_gives_no_answer_or_a_wrong_one_but_no_fault)
{
    static const char *const parts[] = {"base", "late", "plugin"};
    struct target target;
    char directory[] = "/tmp/ouro-test-XXXXXX", from[5000], to[3][64];
    unsigned long answers = 0, refusals = 0;
    ck_assert_ptr_nonnull(mkdtemp(directory));
    for (int i = 0; i < 3; i++) {
        size_t size;
        snprintf(from, sizeof from, "%s/libresolve_%s.so", libraries(), parts[i]);
        snprintf(to[i], sizeof to[i], "%s/libresolve_%s.so", directory, parts[i]);
        OURO_FREE unsigned char *bytes = read_file(from, &size);
        write_file(to[i], bytes, size);
    }
    target_start(&target, "local", directory, NULL, NULL); /* has read them: from now on it rests */
    size_t size;
    OURO_FREE unsigned char *sound = read_file(to[1], &size);
    OURO_FREE unsigned char *bytes = malloc(size);
    for (uint64_t seed = 1; seed <= 500; seed++) {
        printf("seed %lu\n", (unsigned long)seed);
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(bytes, sound, size);
        write_file(to[1], bytes, damage(bytes, size));
        target_forget(&target);
        target_read(&target);
        for (size_t i = 0; i < target.slots.count; i++) {
            const struct slot *slot = &target.slots.items[i];
            ouro_addr function;
            bool ifunc;
            if (strcmp(slot->module, "libresolve_late.so") != 0)
                continue;
            enum ouro_status status = ouro_modules_resolve_slot(&target.modules, slot->addr, &function, &ifunc);
            ck_assert(status == OURO_OK || status == OURO_GONE);
            (void)ouro_modules_slot_is_unresolved(&target.modules, slot->addr, slot->value);
            answers += status == OURO_OK;
            refusals += status != OURO_OK;
        }
        bool ifunc; /* others do not suffer */
        ck_assert_uint_eq(resolve(&target, "libresolve_two.so", "ouro_interposed", &ifunc),
                          truth_of(&target, "interposed"));
    }
    ck_assert_uint_ge(answers, 100);
    ck_assert_uint_ge(refusals, 100);
    target_end(&target);
    for (int i = 0; i < 3; i++)
        unlink(to[i]);
    rmdir(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: resolve");
    TCase *tests = tcase_create("resolve");
    tcase_add_test(tests, unresolved_calls_go_where_the_linker_sends_them);
    tcase_add_test(tests, a_preloaded_library_interposes);
    tcase_add_test(tests, every_slot_that_the_linker_has_bound_is_resolved_as_it_did);
    tcase_add_test(tests, names_versions_and_choosers_are_those_of_dlsym);
    tcase_add_test(tests, what_is_not_in_scope_is_gone);
    tcase_add_test(tests, without_the_list_of_the_linker_the_order_is_that_of_the_needs);
    tcase_add_test(tests, threads_that_resolve_at_the_same_time_agree);
    tcase_add_test(tests, a_damaged_library_gives_no_answer_or_a_wrong_one_but_no_fault);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
