# Tests of lib/snapshot.
SNAPSHOT_TESTS = tests/test_snapshot_roundtrip tests/test_snapshot_golden tests/test_snapshot_damage \
	tests/test_snapshot_hostile tests/test_snapshot_writer tests/test_snapshot_nomem
SNAPSHOT_MODEL = tests/snapshot/model.c tests/snapshot/model.h

check_PROGRAMS += $(SNAPSHOT_TESTS) tests/dump_snapshot
TESTS += $(SNAPSHOT_TESTS) tests/snapshot/test_format.py

tests_test_snapshot_roundtrip_SOURCES = tests/snapshot/test_roundtrip.c $(SNAPSHOT_MODEL)
tests_test_snapshot_roundtrip_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_test_snapshot_golden_SOURCES = tests/snapshot/test_golden.c $(SNAPSHOT_MODEL)
tests_test_snapshot_golden_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_test_snapshot_damage_SOURCES = tests/snapshot/test_damage.c $(SNAPSHOT_MODEL)
tests_test_snapshot_damage_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_test_snapshot_hostile_SOURCES = tests/snapshot/test_hostile.c $(SNAPSHOT_MODEL)
tests_test_snapshot_hostile_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_test_snapshot_writer_SOURCES = tests/snapshot/test_writer.c $(SNAPSHOT_MODEL)
tests_test_snapshot_writer_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_test_snapshot_writer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=openat

# Each allocator goes through the test, which makes the N-th call fail.
tests_test_snapshot_nomem_SOURCES = tests/snapshot/test_nomem.c $(SNAPSHOT_MODEL)
tests_test_snapshot_nomem_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_test_snapshot_nomem_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=aligned_alloc -Wl,--wrap=strdup -Wl,--wrap=strndup

# What test_format.py holds against reader.py.
tests_dump_snapshot_SOURCES = tests/snapshot/dump_snapshot.c $(SNAPSHOT_MODEL)
tests_dump_snapshot_LDADD = $(TEST_SNAPSHOT_LIBS)

# Prints figures, for comparison only: make tests/bench_snapshot && tests/bench_snapshot FILE
EXTRA_PROGRAMS += tests/bench_snapshot
CLEANFILES += tests/bench_snapshot
tests_bench_snapshot_SOURCES = tests/snapshot/bench_snapshot.c
tests_bench_snapshot_LDADD = libouro_snapshot.a libouro_base.a $(ZSTD_LIBS) $(ZLIB_LIBS)
