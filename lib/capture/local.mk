# The walk, where cpython meets the writer. Uses cpython, snapshot, target.
noinst_LIBRARIES += libouro_capture.a
libouro_capture_a_SOURCES =
