# Tests of lib/capture: the interpreter is the oracle. test_compare.py shows first that the comparer can fail.
TESTS += tests/capture/test_values.py tests/capture/test_compare.py tests/capture/test_oracle.py tests/capture/test_finalizer_order.py tests/capture/test_programs.py \
	tests/capture/test_extensions.py tests/capture/test_faults.py tests/capture/test_core.py tests/capture/test_children.py \
	tests/capture/test_namespaces.py tests/capture/test_builds.py tests/capture/test_interpreters.py \
	tests/capture/test_subinterpreters.py tests/capture/test_cycles.py
TESTS += tests/capture/test_finalizers.py tests/capture/test_stuck.py tests/capture/test_collector_state.py
TESTS += tests/capture/test_retained.py tests/capture/test_stacks.py

TESTS += tests/capture/test_paths.py

# For `make bench`.
EXTRA_PROGRAMS += tests/bench_stop
CLEANFILES += tests/bench_stop
tests_bench_stop_SOURCES = tests/bench/bench_stop.c
tests_bench_stop_LDADD =

EXTRA_PROGRAMS += tests/bench_path
CLEANFILES += tests/bench_path
tests_bench_path_SOURCES = tests/bench/bench_path.c
tests_bench_path_LDADD = $(TEST_ANALYSIS_LIBS)
EXTRA_PROGRAMS += tests/bench_load
CLEANFILES += tests/bench_load
tests_bench_load_SOURCES = tests/bench/bench_load.c
tests_bench_load_LDADD = $(TEST_SNAPSHOT_LIBS)

check_PROGRAMS += tests/test_capture_hostile
TESTS += tests/test_capture_hostile
tests_test_capture_hostile_SOURCES = tests/capture/test_hostile.c
tests_test_capture_hostile_LDADD = $(TEST_CAPTURE_LIBS)

check_PROGRAMS += tests/test_capture_disagree
TESTS += tests/test_capture_disagree tests/capture/test_doctor.py
tests_test_capture_disagree_SOURCES = tests/capture/test_disagree.c
tests_test_capture_disagree_LDADD = $(TEST_CAPTURE_LIBS)

TESTS += tests/capture/test_tasks.py
TESTS += tests/capture/test_interned.py
TESTS += tests/capture/test_expressions.py
TESTS += tests/capture/test_stack_live.py
TESTS += tests/capture/test_objgraph.py
TESTS += tests/capture/test_diff.py
check_PROGRAMS += tests/test_capture_watch
TESTS += tests/test_capture_watch tests/capture/test_watch.py
tests_test_capture_watch_SOURCES = tests/capture/test_watch.c
tests_test_capture_watch_LDADD = $(TEST_CAPTURE_LIBS)
TESTS += tests/capture/test_fork.py
TESTS += tests/capture/test_live.py
TESTS += tests/capture/test_hung.py
TESTS += tests/capture/test_campaign.py
TESTS += tests/capture/test_memory.py

# A thousand dumps in each mode, ended in every way; MODES="pause live" for some.
.PHONY: check-faults
check-faults: all
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) '$(srcdir)/tests/capture/campaign.py' $(MODES)
