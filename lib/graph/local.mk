# Algorithms on indices. Uses base.
noinst_LIBRARIES += libouro_graph.a
libouro_graph_a_SOURCES =
