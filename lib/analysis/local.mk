# Heap questions. Uses graph and snapshot.
noinst_LIBRARIES += libouro_analysis.a
libouro_analysis_a_SOURCES =
