/* Which processes are refused, and in which words: a child of this program, which has CPython's symbols and says of itself
 * what the test wants. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../target/child.h"
#include "cpython/python.h"

unsigned long Py_Version;
_Alignas(8) unsigned char _PyRuntime[4096];

static uint64_t wanted_version, wanted_free_threaded;
static const char *wanted_cookie;

/* As _Py_DebugOffsets begins in 3.13 to 3.15 (pycore_debug_offsets.h). */
static void pretend(struct shared *shared)
{
    Py_Version = wanted_version;
    memcpy(_PyRuntime, wanted_cookie, 8);
    memcpy(_PyRuntime + 8, &wanted_version, 8);
    memcpy(_PyRuntime + 16, &wanted_free_threaded, 8);
    child_rest(shared);
}

static enum ouro_status find(uint64_t version, const char *cookie, bool free_threaded, struct ouro_err *err)
{
    wanted_version = version;
    wanted_cookie = cookie;
    wanted_free_threaded = free_threaded;
    struct child child = child_start(pretend);
    struct ouro_process *process = must_open(child.pid);
    struct ouro_maps maps;
    struct ouro_modules modules;
    struct ouro_runtime runtime;
    ck_assert_int_eq(ouro_maps_read(&maps, child.pid, false, err), OURO_OK);
    ck_assert_int_eq(ouro_modules_read(&modules, process, &maps, err), OURO_OK);
    memset(err, 0, sizeof *err);
    enum ouro_status status = ouro_runtime_find(&runtime, ouro_process_space(process), &modules, err);
    ck_assert(runtime.addr == (ouro_addr)(uintptr_t)_PyRuntime);
    ck_assert(!free_threaded || runtime.free_threaded);
    ouro_modules_fini(&modules);
    ouro_maps_fini(&maps);
    ouro_process_close(process);
    child_end(&child);
    return status;
}

#define ASSERT_SAYS(words) ck_assert_msg(strstr(err.msg, words), "%s", err.msg)

START_TEST(a_free_threaded_build_is_refused_by_name)
{
    static const struct {
        uint64_t hexversion;
        const char *name;
    } versions[] = {{0x030d05f0, "3.13.5"}, {0x030e0af0, "3.14.10"}, {0x030f02f0, "3.15.2"}};
    struct ouro_err err;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        ck_assert_int_eq(find(versions[i].hexversion, "xdebugpy", true, &err), OURO_UNSUPPORTED);
        ASSERT_SAYS("free-threaded");
        ASSERT_SAYS(versions[i].name);
    }
}
END_TEST

START_TEST(a_version_that_nobody_knows_names_itself_and_what_is_supported)
{
    struct ouro_err err;
    ck_assert_int_eq(find(0x031002f0, "xdebugpy", false, &err), OURO_UNSUPPORTED);
    ASSERT_SAYS("3.16.2");
    ASSERT_SAYS(ouro_layout_supported());
    ck_assert_int_eq(find(0x030d00c2, "xdebugpy", false, &err), OURO_UNSUPPORTED);
    ASSERT_SAYS("3.13");
    ASSERT_SAYS("pre-release");
    ck_assert_int_eq(find(0x040000f0, "xdebugpy", false, &err), OURO_UNSUPPORTED);
    ASSERT_SAYS(ouro_layout_supported());
}
END_TEST

START_TEST(a_runtime_that_is_not_what_its_version_has_is_refused)
{
    struct ouro_err err;
    ck_assert_int_eq(find(0x030d05f0, "xdebugqy", false, &err), OURO_BADDATA);
    ASSERT_SAYS("3.13.5");
    ck_assert_int_ne(find(0x030d05f0, "xdebugpy", false, &err), OURO_OK); /* all offsets are 0 */
    ck_assert_int_ne(find(0x030b02f0, "xdebugpy", false, &err), OURO_OK); /* no interpreter */
    ASSERT_SAYS("3.11.2");
}
END_TEST

START_TEST(debug_builds_have_a_table_of_what_differs_or_are_refused)
{
    size_t known = 0;
    for (unsigned minor = 8; minor < 16; minor++) {
        struct ouro_layout layout, release;
        struct ouro_err err = {0};
        ck_assert_int_eq(ouro_layout_find(&layout, 0x030000f0 | minor << 16, &err), OURO_OK);
        release = layout;
        enum ouro_status status = ouro_layout_adopt_debug(&layout, &err);
        ck_assert_int_eq(layout.tp_traverse, release.tp_traverse); /* objects are as in the release */
        ck_assert_int_eq(layout.gc_generations, release.gc_generations);
        if (status == OURO_OK) {
            known++;
            continue;
        }
        ck_assert_int_eq(status, OURO_UNSUPPORTED);
        ASSERT_SAYS("debug build");
        ck_assert_int_eq(memcmp(&layout, &release, sizeof layout), 0);
    }
    ck_assert_uint_eq(known, 8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpython: runtime");
    TCase *tests = tcase_create("runtime");
    tcase_add_test(tests, a_free_threaded_build_is_refused_by_name);
    tcase_add_test(tests, a_version_that_nobody_knows_names_itself_and_what_is_supported);
    tcase_add_test(tests, a_runtime_that_is_not_what_its_version_has_is_refused);
    tcase_add_test(tests, debug_builds_have_a_table_of_what_differs_or_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
