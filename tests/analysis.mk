# Tests of lib/analysis.
check_PROGRAMS += tests/test_analysis_collector tests/test_analysis_labels tests/test_analysis_reports
TESTS += tests/test_analysis_collector tests/test_analysis_labels tests/test_analysis_reports
tests_test_analysis_collector_SOURCES = tests/analysis/test_collector.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_collector_LDADD = $(TEST_ANALYSIS_LIBS)
tests_test_analysis_labels_SOURCES = tests/analysis/test_labels.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_labels_LDADD = $(TEST_ANALYSIS_LIBS)
tests_test_analysis_reports_SOURCES = tests/analysis/test_reports.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_reports_LDADD = $(TEST_ANALYSIS_LIBS)

check_PROGRAMS += tests/test_analysis_cycles
TESTS += tests/test_analysis_cycles
tests_test_analysis_cycles_SOURCES = tests/analysis/test_cycles.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_cycles_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_path
TESTS += tests/test_analysis_path
tests_test_analysis_path_SOURCES = tests/analysis/test_path.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_path_LDADD = $(TEST_RENDER_LIBS)
check_PROGRAMS += tests/test_analysis_garbage
TESTS += tests/test_analysis_garbage
tests_test_analysis_garbage_SOURCES = tests/analysis/test_garbage.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_garbage_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_dominator_tree
TESTS += tests/test_analysis_dominator_tree
tests_test_analysis_dominator_tree_SOURCES = tests/analysis/test_dominator_tree.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_dominator_tree_LDADD = $(TEST_ANALYSIS_LIBS)
tests_test_analysis_dominator_tree_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=aligned_alloc
check_PROGRAMS += tests/test_analysis_first_page
TESTS += tests/test_analysis_first_page
tests_test_analysis_first_page_SOURCES = tests/analysis/test_first_page.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_first_page_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_condition
TESTS += tests/test_analysis_condition
tests_test_analysis_condition_SOURCES = tests/analysis/test_condition.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_condition_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_stacks
TESTS += tests/test_analysis_stacks
tests_test_analysis_stacks_SOURCES = tests/analysis/test_stacks.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_stacks_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_expression
TESTS += tests/test_analysis_expression
tests_test_analysis_expression_SOURCES = tests/analysis/test_expression.c tests/analysis/app.c tests/analysis/app.h \
	tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_expression_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_neighbourhood
TESTS += tests/test_analysis_neighbourhood
tests_test_analysis_neighbourhood_SOURCES = tests/analysis/test_neighbourhood.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_neighbourhood_LDADD = $(TEST_ANALYSIS_LIBS)
check_PROGRAMS += tests/test_analysis_diff
TESTS += tests/test_analysis_diff
tests_test_analysis_diff_SOURCES = tests/analysis/test_diff.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_diff_LDADD = $(TEST_ANALYSIS_LIBS)
# For `make bench`.
EXTRA_PROGRAMS += tests/bench_diff
CLEANFILES += tests/bench_diff
tests_bench_diff_SOURCES = tests/bench/bench_diff.c
tests_bench_diff_LDADD = $(TEST_ANALYSIS_LIBS)
