# Text, JSON, DOT. Uses analysis.
noinst_LIBRARIES += libouro_render.a
libouro_render_a_SOURCES = \
	lib/render/drawing.c \
	lib/render/drawing.h \
	lib/render/json.c \
	lib/render/json.h \
	lib/render/ndjson.c \
	lib/render/ndjson.h \
	lib/render/out.c \
	lib/render/out.h \
	lib/render/page.h \
	lib/render/page_cycles.c \
	lib/render/page_diff.c \
	lib/render/page_diff.h \
	lib/render/page_diff_json.c \
	lib/render/page_dominators.c \
	lib/render/page_garbage.c \
	lib/render/page_garbage_json.c \
	lib/render/page_info.c \
	lib/render/page_objects.c \
	lib/render/page_stack.c \
	lib/render/page_stack.h \
	lib/render/page_path.c \
	lib/render/page_show.c \
	lib/render/page_path.h \
	lib/render/page_path_tree.c \
	lib/render/page_leaks.c \
	lib/render/page_leaks.h \
	lib/render/page_types.c \
	lib/render/page_tasks.c lib/render/page_tasks.h lib/render/page_tasks_json.c \
	lib/render/page_neighbourhood.c \
	lib/render/picture.c \
	lib/render/picture_cycles.c \
	lib/render/picture_diff.c \
	lib/render/picture_path.c \
	lib/render/picture_tree.c \
	lib/render/picture.h \
	lib/render/sentence.c \
	lib/render/sentence.h \
	lib/render/table.c \
	lib/render/table.h \
	lib/render/text.c \
	lib/render/text.h
