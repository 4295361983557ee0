# Tests of lib/base.
check_PROGRAMS += tests/test_base
TESTS += tests/test_base
tests_test_base_SOURCES = tests/base/test_base.c
tests_test_base_LDADD = $(TEST_BASE_LIBS)
