# Tests of lib/target.
TARGET_TESTS = tests/test_target_maps tests/test_target_open tests/test_target_stop tests/test_target_image \
	tests/test_target_module tests/test_target_resolve tests/test_target_tree tests/test_target_core \
	tests/test_target_memory_elf
TARGET_CHILD = tests/target/child.c tests/target/child.h

check_PROGRAMS += $(TARGET_TESTS) tests/target_fixture tests/resolve_fixture
TESTS += $(TARGET_TESTS)

tests_test_target_maps_SOURCES = tests/target/test_maps.c $(TARGET_CHILD)
tests_test_target_maps_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_open_SOURCES = tests/target/test_open.c $(TARGET_CHILD)
tests_test_target_open_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_stop_SOURCES = tests/target/test_stop.c $(TARGET_CHILD)
tests_test_target_stop_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_image_SOURCES = tests/target/test_image.c $(TARGET_CHILD)
tests_test_target_image_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_module_SOURCES = tests/target/test_module.c $(TARGET_CHILD)
tests_test_target_module_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_core_SOURCES = tests/target/test_core.c $(TARGET_CHILD)
tests_test_target_core_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_resolve_SOURCES = tests/target/test_resolve.c $(TARGET_CHILD)
tests_test_target_resolve_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_memory_elf_SOURCES = tests/target/test_memory_elf.c $(TARGET_CHILD)
tests_test_target_memory_elf_LDADD = $(TEST_TARGET_LIBS)
tests_test_target_tree_SOURCES = tests/target/test_tree.c $(TARGET_CHILD)
tests_test_target_tree_LDADD = $(TEST_TARGET_LIBS)

# What test_module starts: a program at a fixed address.
tests_target_fixture_SOURCES = tests/target/fixture.c
tests_target_fixture_CFLAGS = $(AM_CFLAGS) -fno-pie
tests_target_fixture_LDFLAGS = $(AM_LDFLAGS) -no-pie

# What test_resolve starts: a program and libraries that are bound lazily. They are targets, not tests, so no sanitizer
# stands between them and libc. A few lines of make serve better than libtool.
RESOLVE_SHARED = tests/libresolve_one.so tests/libresolve_two.so tests/libresolve_base.so \
	tests/libresolve_plugin.so tests/libresolve_late.so tests/libresolve_before.so
CLEANFILES += $(RESOLVE_SHARED)
EXTRA_DIST += tests/target/resolve_library.c tests/target/resolve_two.map
tests_resolve_fixture_SOURCES = tests/target/resolve_fixture.c
tests_resolve_fixture_CFLAGS = -std=gnu11 $(WARN_CFLAGS) -fno-builtin-memcpy
tests_resolve_fixture_LDFLAGS = -Wl,-z,lazy -Wl,-rpath,'$$ORIGIN'
tests_resolve_fixture_LDADD = tests/libresolve_one.so tests/libresolve_two.so -ldl
tests_resolve_fixture_DEPENDENCIES = $(RESOLVE_SHARED)

RESOLVE_LINK = $(AM_V_CCLD)$(MKDIR_P) tests && $(CC) -std=gnu11 $(WARN_CFLAGS) $(CFLAGS) -fPIC \
	-fsemantic-interposition -shared $(LDFLAGS) -Wl,-z,lazy -Wl,-rpath,'$$ORIGIN' -Wl,-soname,$(@F) -o $@
RESOLVE_SOURCE = $(top_srcdir)/tests/target/resolve_library.c
tests/libresolve_one.so: tests/target/resolve_library.c
	$(RESOLVE_LINK) -DPART=1 $(RESOLVE_SOURCE)
tests/libresolve_two.so: tests/target/resolve_library.c tests/target/resolve_two.map tests/libresolve_one.so
	$(RESOLVE_LINK) -DPART=2 $(RESOLVE_SOURCE) -Wl,--version-script,$(top_srcdir)/tests/target/resolve_two.map \
		tests/libresolve_one.so
tests/libresolve_base.so: tests/target/resolve_library.c
	$(RESOLVE_LINK) -DPART=3 $(RESOLVE_SOURCE)
tests/libresolve_plugin.so: tests/target/resolve_library.c tests/libresolve_base.so
	$(RESOLVE_LINK) -DPART=4 $(RESOLVE_SOURCE) -Wl,--no-as-needed tests/libresolve_base.so
tests/libresolve_late.so: tests/target/resolve_library.c
	$(RESOLVE_LINK) -DPART=5 $(RESOLVE_SOURCE)
tests/libresolve_before.so: tests/target/resolve_library.c
	$(RESOLVE_LINK) -DPART=6 $(RESOLVE_SOURCE)

# For `make bench`.
EXTRA_PROGRAMS += tests/bench_copy
CLEANFILES += tests/bench_copy
tests_bench_copy_SOURCES = tests/bench/bench_copy.c
tests_bench_copy_LDADD = libouro_target.a libouro_base.a $(ELF_LIBS)

check_PROGRAMS += tests/test_target_guardian
TESTS += tests/test_target_guardian
tests_test_target_guardian_SOURCES = tests/target/test_guardian.c $(TARGET_CHILD)
tests_test_target_guardian_LDADD = $(TEST_TARGET_LIBS)

check_PROGRAMS += tests/test_target_still
TESTS += tests/test_target_still
tests_test_target_still_SOURCES = tests/target/test_still.c $(TARGET_CHILD)
tests_test_target_still_LDADD = $(TEST_TARGET_LIBS)

check_PROGRAMS += tests/test_target_window
TESTS += tests/test_target_window
tests_test_target_window_SOURCES = tests/target/test_window.c src/faults.c src/faults.h $(TARGET_CHILD)
tests_test_target_window_LDADD = $(TEST_TARGET_LIBS)

check_PROGRAMS += tests/test_target_lazy
TESTS += tests/test_target_lazy
tests_test_target_lazy_SOURCES = tests/target/test_lazy.c $(TARGET_CHILD)
tests_test_target_lazy_LDADD = $(TEST_TARGET_LIBS)
