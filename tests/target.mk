# Tests of lib/target.
TARGET_TESTS = tests/test_target_maps tests/test_target_open tests/test_target_stop tests/test_target_image \
	tests/test_target_module
TARGET_CHILD = tests/target/child.c tests/target/child.h

check_PROGRAMS += $(TARGET_TESTS) tests/target_fixture
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

# What test_module starts: a program at a fixed address.
tests_target_fixture_SOURCES = tests/target/fixture.c
tests_target_fixture_CFLAGS = $(AM_CFLAGS) -fno-pie
tests_target_fixture_LDFLAGS = $(AM_LDFLAGS) -no-pie

# For `make bench`.
EXTRA_PROGRAMS += tests/bench_copy
CLEANFILES += tests/bench_copy
tests_bench_copy_SOURCES = tests/bench/bench_copy.c
tests_bench_copy_LDADD = libouro_target.a libouro_base.a $(ELF_LIBS)
