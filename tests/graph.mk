# Tests of lib/graph.
