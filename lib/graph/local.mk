# Algorithms on indices. Uses base.
noinst_LIBRARIES += libouro_graph.a
libouro_graph_a_SOURCES = \
	lib/graph/csr.c \
	lib/graph/csr.h \
	lib/graph/components.c \
	lib/graph/components.h \
	lib/graph/dominators.c \
	lib/graph/dominators.h \
	lib/graph/paths.c \
	lib/graph/paths.h \
	lib/graph/reach.c \
	lib/graph/reach.h
