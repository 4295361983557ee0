#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <libelf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "target/image_files.h"
#include "target/module.h"

/* Of this program, which is position-independent where the compiler makes it so. */
unsigned long module_test_word = 77;
static _Thread_local unsigned long module_test_tls = 78;

struct target {
    struct ouro_process *process;
    struct ouro_maps maps;
    struct ouro_modules modules;
};

static void target_open(struct target *target, pid_t pid)
{
    struct ouro_err err = {0};
    target->process = must_open(pid);
    ASSERT_OK(ouro_maps_read(&target->maps, pid, false, &err));
    ASSERT_OK(ouro_modules_read(&target->modules, target->process, &target->maps, &err));
}

static void target_close(struct target *target)
{
    ouro_modules_fini(&target->modules);
    ouro_maps_fini(&target->maps);
    ouro_process_close(target->process);
}

static ouro_addr symbol_at(struct target *target, ouro_addr inside, const char *name)
{
    struct ouro_module *module = ouro_modules_find(&target->modules, inside);
    ouro_addr addr;
    ck_assert_ptr_nonnull(module);
    ck_assert_msg(ouro_module_symbol(module, name, &addr, NULL) == OURO_OK, "%s has no %s", module->path, name);
    return addr;
}

static void resting(struct shared *shared)
{
    shared->results[0] = (long)module_test_tls;
    child_rest(shared);
}

START_TEST(symbols_of_a_position_independent_program_have_its_bias)
{
    struct child child = child_start(resting);
    struct target target;
    ouro_addr addr, word = (ouro_addr)(uintptr_t)&module_test_word;
    uint64_t size;
    target_open(&target, child.pid);
    ck_assert_uint_eq(symbol_at(&target, word, "module_test_word"), word);
    struct ouro_module *module = ouro_modules_find(&target.modules, word);
    ck_assert(module->dynamic == (module->bias != 0));
    ck_assert_int_eq(ouro_module_symbol(module, "module_test_word", &addr, &size), OURO_OK);
    ck_assert_uint_eq(size, sizeof module_test_word);
    ck_assert_int_eq(ouro_module_symbol(module, "no_such_symbol", &addr, &size), OURO_GONE);
    ck_assert_int_eq(ouro_module_symbol(module, "", &addr, &size), OURO_GONE);
    ck_assert_int_eq(ouro_module_symbol(module, "module_test_tls", &addr, &size), OURO_GONE); /* no address by itself */
    ck_assert_int_eq(ouro_module_section(module, ".data", &addr, &size), OURO_OK);
    ck_assert(addr <= word && word + sizeof module_test_word <= addr + size);
    ck_assert_int_eq(ouro_module_section(module, ".no-such", &addr, &size), OURO_GONE);
    ck_assert_int_eq(ouro_module_section(module, ".symtab", &addr, &size), OURO_GONE); /* not in memory */
    ck_assert_ptr_null(ouro_modules_find(&target.modules, 1));
    target_close(&target);
    child_end(&child);
}
END_TEST

START_TEST(symbols_of_a_shared_library_are_where_dlsym_finds_them)
{
    static const char *const names[] = {"elf_begin", "elf_end", "gelf_getehdr", "elf_version"};
    struct child child = child_start(resting);
    struct target target;
    Dl_info info;
    target_open(&target, child.pid);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *symbol = dlsym(RTLD_DEFAULT, names[i]);
        ck_assert_ptr_nonnull(symbol);
        ouro_addr addr = (ouro_addr)(uintptr_t)symbol;
        ck_assert_uint_eq(symbol_at(&target, addr, names[i]), addr);
        ck_assert_int_ne(dladdr(symbol, &info), 0);
        struct ouro_module *module = ouro_modules_find(&target.modules, addr);
        ck_assert(module->dynamic);
        ck_assert_uint_eq(module->bias, (uintptr_t)info.dli_fbase);
        ck_assert_ptr_nonnull(strstr(module->path, "libelf"));
    }
    target_close(&target);
    child_end(&child);
}
END_TEST

struct fixture {
    pid_t pid;
    ouro_addr word, zero, function;
};

static const char *fixture_path(void)
{
    static char path[4096];
    const char *build = getenv("top_builddir");
    snprintf(path, sizeof path, "%s/tests/target_fixture", build ? build : ".");
    ck_assert_msg(access(path, X_OK) == 0, "%s is not built", path);
    return path;
}

static struct fixture fixture_start(const char *path)
{
    struct fixture fixture;
    int in[2], out[2];
    char line[256] = "";
    unsigned long long word, zero, function;
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    fixture.pid = fork();
    if (fixture.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl(path, path, (char *)NULL);
        _exit(97);
    }
    close(in[0]); /* in[1] stays open: the fixture waits for its end */
    close(out[1]);
    ck_assert_int_gt(read(out[0], line, sizeof line - 1), 0);
    ck_assert_int_eq(sscanf(line, "%llx %llx %llx", &word, &zero, &function), 3);
    fixture.word = word;
    fixture.zero = zero;
    fixture.function = function;
    return fixture;
}

static void fixture_end(const struct fixture *fixture)
{
    kill(fixture->pid, SIGKILL);
    waitpid(fixture->pid, NULL, 0);
}

static void check_fixture(const struct fixture *fixture)
{
    struct target target;
    unsigned long value;
    target_open(&target, fixture->pid);
    struct ouro_module *module = ouro_modules_find(&target.modules, fixture->function);
    ck_assert_ptr_nonnull(module);
    ck_assert(!module->dynamic);
    ck_assert_uint_eq(module->bias, 0);
    ck_assert_uint_eq(symbol_at(&target, fixture->function, "fixture_word"), fixture->word);
    ck_assert_uint_eq(symbol_at(&target, fixture->function, "fixture_zero"), fixture->zero);
    ck_assert_uint_eq(symbol_at(&target, fixture->function, "fixture_function"), fixture->function);
    ck_assert_int_eq(ouro_space_read(ouro_process_space(target.process), fixture->word, &value, sizeof value), OURO_OK);
    ck_assert_uint_eq(value, 0x6f75726f);
    target_close(&target);
}

START_TEST(a_program_at_a_fixed_address_has_no_bias)
{
    struct fixture fixture = fixture_start(fixture_path());
    check_fixture(&fixture);
    fixture_end(&fixture);
}
END_TEST

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    ck_assert(in >= 0 && out >= 0);
    for (ssize_t got; (got = read(in, bytes, sizeof bytes)) > 0;)
        ck_assert_int_eq(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

static char directory[] = "/tmp/ouro-test-XXXXXX";

static const char *copy_of_fixture(void)
{
    static char path[64];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/program", directory);
    copy_file(fixture_path(), path);
    return path;
}

START_TEST(the_symbols_of_a_deleted_program_are_found)
{
    const char *path = copy_of_fixture();
    struct fixture fixture = fixture_start(path);
    ck_assert_int_eq(unlink(path), 0);
    check_fixture(&fixture);
    fixture_end(&fixture);
    rmdir(directory);
}
END_TEST

START_TEST(what_lies_at_the_path_of_a_replaced_program_is_not_believed)
{
    const char *path = copy_of_fixture();
    struct fixture fixture = fixture_start(path);
    struct stat original, found;
    struct ouro_maps maps;
    struct ouro_err err = {0};
    ck_assert_int_eq(stat(path, &original), 0);
    ck_assert_int_eq(unlink(path), 0);
    copy_file("/proc/self/exe", path);
    check_fixture(&fixture);
    ASSERT_OK(ouro_maps_read(&maps, fixture.pid, false, &err));
    struct ouro_mapping mapping = *ouro_maps_find(&maps, fixture.function);
    int fd = ouro_image_file_open(fixture.pid, &mapping);
    ck_assert_int_eq(fstat(fd, &found), 0);
    ck_assert_uint_eq(found.st_ino, original.st_ino);
    close(fd);
    mapping.start++, mapping.path = path; /* no map_files for that: only the path leads there */
    mapping.inode = ~mapping.inode;
    ck_assert_int_eq(ouro_image_file_open(fixture.pid, &mapping), -1);
    mapping.path = "/dev/null";
    ck_assert_int_eq(ouro_image_file_open(fixture.pid, &mapping), -1);
    ouro_maps_fini(&maps);
    unlink(path);
    fixture_end(&fixture);
    rmdir(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: module");
    TCase *tests = tcase_create("module");
    tcase_add_test(tests, symbols_of_a_position_independent_program_have_its_bias);
    tcase_add_test(tests, symbols_of_a_shared_library_are_where_dlsym_finds_them);
    tcase_add_test(tests, a_program_at_a_fixed_address_has_no_bias);
    tcase_add_test(tests, the_symbols_of_a_deleted_program_are_found);
    tcase_add_test(tests, what_lies_at_the_path_of_a_replaced_program_is_not_believed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
