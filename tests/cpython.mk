# Tests of lib/cpython.

# For `make bench`.
EXTRA_PROGRAMS += tests/bench_visit
CLEANFILES += tests/bench_visit
tests_bench_visit_SOURCES = tests/bench/bench_visit.c
tests_bench_visit_LDADD = libouro_cpython.a libouro_emulate.a libouro_target.a libouro_base.a $(ZYDIS_LIBS) $(ELF_LIBS)

check_PROGRAMS += tests/test_cpython_generations
TESTS += tests/test_cpython_generations
tests_test_cpython_generations_SOURCES = tests/cpython/test_generations.c
tests_test_cpython_generations_LDADD = $(TEST_CPYTHON_LIBS)

check_PROGRAMS += tests/test_cpython_runtime
TESTS += tests/test_cpython_runtime
tests_test_cpython_runtime_SOURCES = tests/cpython/test_runtime.c $(TARGET_CHILD)
tests_test_cpython_runtime_LDADD = $(TEST_CPYTHON_LIBS)
