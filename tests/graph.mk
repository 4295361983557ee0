# Tests of lib/graph.
GRAPH_TESTS = tests/test_graph_components tests/test_graph_csr tests/test_graph_dominators tests/test_graph_igraph \
	tests/test_graph_nomem tests/test_graph_paths
GRAPH_GRAPHS = tests/graph/graphs.c tests/graph/graphs.h

check_PROGRAMS += $(GRAPH_TESTS)
TESTS += $(GRAPH_TESTS)

tests_test_graph_components_SOURCES = tests/graph/test_components.c $(GRAPH_GRAPHS)
tests_test_graph_components_LDADD = $(TEST_GRAPH_LIBS)
tests_test_graph_csr_SOURCES = tests/graph/test_csr.c
tests_test_graph_csr_LDADD = $(TEST_GRAPH_LIBS)
tests_test_graph_dominators_SOURCES = tests/graph/test_dominators.c $(GRAPH_GRAPHS)
tests_test_graph_dominators_LDADD = $(TEST_GRAPH_LIBS)
tests_test_graph_paths_SOURCES = tests/graph/test_paths.c $(GRAPH_GRAPHS)
tests_test_graph_paths_LDADD = $(TEST_GRAPH_LIBS)

# Each allocator goes through the test, which makes the N-th call fail, and so does free, which makes up the balance.
tests_test_graph_nomem_SOURCES = tests/graph/test_nomem.c $(GRAPH_GRAPHS)
tests_test_graph_nomem_LDADD = $(TEST_GRAPH_LIBS)
tests_test_graph_nomem_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=aligned_alloc -Wl,--wrap=free

# Without igraph it says so and is skipped.
tests_test_graph_igraph_SOURCES = tests/graph/test_igraph.c $(GRAPH_GRAPHS)
tests_test_graph_igraph_CPPFLAGS = $(AM_CPPFLAGS)
tests_test_graph_igraph_LDADD = $(TEST_GRAPH_LIBS)
if HAVE_IGRAPH
tests_test_graph_igraph_CPPFLAGS += -DHAVE_IGRAPH $(IGRAPH_CFLAGS)
tests_test_graph_igraph_SOURCES += tests/graph/second.c tests/graph/second.h
tests_test_graph_igraph_LDADD += $(IGRAPH_LIBS)
endif

# The graphs of real heaps. Without igraph it says so.
check_PROGRAMS += tests/compare_igraph
TESTS += tests/src/test_igraph.py
tests_compare_igraph_SOURCES = tests/analysis/compare_igraph.c
tests_compare_igraph_CPPFLAGS = $(AM_CPPFLAGS)
tests_compare_igraph_LDADD = $(TEST_ANALYSIS_LIBS)
if HAVE_IGRAPH
tests_compare_igraph_SOURCES += tests/graph/second.c tests/graph/second.h
tests_compare_igraph_CPPFLAGS += -DHAVE_IGRAPH $(IGRAPH_CFLAGS)
tests_compare_igraph_LDADD += $(IGRAPH_LIBS)
endif

# Columns that give way to what the graphs need.
check_PROGRAMS += tests/test_analysis_heap_model
TESTS += tests/test_analysis_heap_model
tests_test_analysis_heap_model_SOURCES = tests/analysis/test_heap_model.c tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_analysis_heap_model_LDADD = $(TEST_ANALYSIS_LIBS)

# For `make bench`, with those of the peers that are there.
EXTRA_PROGRAMS += tests/bench_graph tests/write_large
CLEANFILES += tests/bench_graph tests/write_large
tests_write_large_SOURCES = tests/bench/write_large.c
tests_write_large_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_bench_graph_SOURCES = tests/bench/bench_graph.c tests/bench/peers.h
tests_bench_graph_CPPFLAGS = $(AM_CPPFLAGS)
tests_bench_graph_LDADD = $(TEST_ANALYSIS_LIBS)
if HAVE_IGRAPH
tests_bench_graph_SOURCES += tests/bench/peer_igraph.c
tests_bench_graph_CPPFLAGS += -DHAVE_IGRAPH $(IGRAPH_CFLAGS)
tests_bench_graph_LDADD += $(IGRAPH_LIBS)
endif
if HAVE_BOOST
tests_bench_graph_CPPFLAGS += -DHAVE_BOOST
tests_bench_graph_LDADD += tests/libbench_boost.a -lstdc++
endif
# An archive, so that without a C++ compiler the rest is linked all the same.
EXTRA_LIBRARIES = tests/libbench_boost.a
CLEANFILES += tests/libbench_boost.a
tests_libbench_boost_a_SOURCES = tests/bench/peer_boost.cpp tests/bench/peers.h
