# Tests of lib/render.
check_PROGRAMS += tests/test_render_json
TESTS += tests/test_render_json
tests_test_render_json_SOURCES = tests/render/test_json.c
tests_test_render_json_LDADD = $(TEST_RENDER_LIBS)
