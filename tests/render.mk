# Tests of lib/render.
check_PROGRAMS += tests/test_render_json
TESTS += tests/test_render_json
tests_test_render_json_SOURCES = tests/render/test_json.c
tests_test_render_json_LDADD = $(TEST_RENDER_LIBS)
check_PROGRAMS += tests/test_render_hostile
TESTS += tests/test_render_hostile
tests_test_render_hostile_SOURCES = tests/render/test_hostile.c tests/render/whole.c tests/render/whole.h tests/render/whole_pictures.c tests/render/wild.c \
	tests/render/wild.h tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_render_hostile_LDADD = $(TEST_RENDER_LIBS)
check_PROGRAMS += tests/test_render_nomem
TESTS += tests/test_render_nomem
tests_test_render_nomem_SOURCES = tests/render/test_nomem.c tests/render/async_heap.c tests/render/async_heap.h tests/render/whole.c tests/render/whole.h tests/render/whole_pictures.c tests/render/wild.c \
	tests/render/wild.h tests/analysis/tiny.c tests/analysis/tiny.h
tests_test_render_nomem_LDADD = $(TEST_RENDER_LIBS)
tests_test_render_nomem_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=aligned_alloc -Wl,--wrap=free
check_PROGRAMS += tests/test_render_tasks
TESTS += tests/test_render_tasks
tests_test_render_tasks_SOURCES = tests/render/test_tasks.c tests/render/async_heap.c tests/render/async_heap.h tests/analysis/tiny.c \
	tests/analysis/tiny.h
tests_test_render_tasks_LDADD = $(TEST_RENDER_LIBS)
check_PROGRAMS += tests/test_render_drawing
TESTS += tests/test_render_drawing
tests_test_render_drawing_SOURCES = tests/render/test_drawing.c
tests_test_render_drawing_LDADD = $(TEST_RENDER_LIBS)
# A picture's nodes, edges and attributes as JSON, read by libcgraph: for the scripts.
check_PROGRAMS += tests/read_picture
tests_read_picture_SOURCES = tests/render/read_picture.c
tests_read_picture_LDADD = $(TEST_RENDER_LIBS)
# For `make bench`.
EXTRA_PROGRAMS += tests/bench_picture
CLEANFILES += tests/bench_picture
tests_bench_picture_SOURCES = tests/bench/bench_picture.c
tests_bench_picture_LDADD = $(TEST_RENDER_LIBS)
