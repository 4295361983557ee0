# Tests of lib/cpython.

# For `make bench`.
EXTRA_PROGRAMS += tests/bench_visit
CLEANFILES += tests/bench_visit
tests_bench_visit_SOURCES = tests/bench/bench_visit.c
tests_bench_visit_LDADD = libouro_cpython.a libouro_emulate.a libouro_target.a libouro_base.a $(ZYDIS_LIBS) $(ELF_LIBS)
