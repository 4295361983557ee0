# The walk, where cpython meets the writer. Uses cpython, snapshot, target.
noinst_LIBRARIES += libouro_capture.a
libouro_capture_a_SOURCES = \
	lib/capture/budget.c \
	lib/capture/budget.h \
	lib/capture/collection.c \
	lib/capture/collection.h \
	lib/capture/doctor.c \
	lib/capture/doctor.h \
	lib/capture/dump.c \
	lib/capture/dump.h \
	lib/capture/emit.c \
	lib/capture/emit.h \
	lib/capture/emit_pseudo.c \
	lib/capture/emitter.h \
	lib/capture/live.c \
	lib/capture/live.h \
	lib/capture/mode.c \
	lib/capture/mode.h \
	lib/capture/number.c \
	lib/capture/session.c \
	lib/capture/session.h \
	lib/capture/shape.c \
	lib/capture/shape.h \
	lib/capture/futexes.c \
	lib/capture/futexes.h \
	lib/capture/stack.c \
	lib/capture/stack.h \
	lib/capture/stack_walk.c \
	lib/capture/stack_walk.h \
	lib/capture/tracked.c \
	lib/capture/tracked.h \
	lib/capture/walk.c \
	lib/capture/walk.h \
	lib/capture/walk_bits.h \
	lib/capture/walk_lists.c \
	lib/capture/walk_lists.h \
	lib/capture/walk_roots.c \
	lib/capture/walk_roots.h \
	lib/capture/walk_worker.c \
	lib/capture/walk_worker.h \
	lib/capture/watch.c \
	lib/capture/watch.h
