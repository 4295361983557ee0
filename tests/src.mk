# Tests of the command (src/). The scripts ask about snapshots that make_snapshot writes.
check_PROGRAMS += tests/make_snapshot
tests_make_snapshot_SOURCES = tests/src/make_snapshot.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_make_snapshot_LDADD = $(TEST_ANALYSIS_LIBS)
TESTS += tests/src/test_commands.py tests/src/test_export.py tests/src/test_trouble.py
TESTS += tests/src/test_stack.py
TESTS += tests/src/test_pictures.py
TESTS += tests/src/test_ci.py
TESTS += tests/src/test_diff.py
TESTS += tests/src/test_leaks.py
