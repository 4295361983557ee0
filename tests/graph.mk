# Tests of lib/graph.
check_PROGRAMS += tests/test_graph_components tests/test_graph_csr tests/test_graph_dominators
TESTS += tests/test_graph_components tests/test_graph_csr tests/test_graph_dominators
tests_test_graph_components_SOURCES = tests/graph/test_components.c
tests_test_graph_components_LDADD = $(TEST_GRAPH_LIBS)
tests_test_graph_csr_SOURCES = tests/graph/test_csr.c
tests_test_graph_csr_LDADD = $(TEST_GRAPH_LIBS)
tests_test_graph_dominators_SOURCES = tests/graph/test_dominators.c
tests_test_graph_dominators_LDADD = $(TEST_GRAPH_LIBS)
