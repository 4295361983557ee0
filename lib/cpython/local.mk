# What the bytes of an interpreter mean. Uses base and target.
noinst_LIBRARIES += libouro_cpython.a
libouro_cpython_a_SOURCES =
