# What the bytes of an interpreter mean. Uses base and target.
noinst_LIBRARIES += libouro_cpython.a
libouro_cpython_a_SOURCES = \
	lib/cpython/check.c \
	lib/cpython/check.h \
	lib/cpython/deliver.h \
	lib/cpython/dict.c \
	lib/cpython/dict.h \
	lib/cpython/foreign.c \
	lib/cpython/foreign.h \
	lib/cpython/frame_object.c \
	lib/cpython/frame_object.h \
	lib/cpython/layout.c \
	lib/cpython/layout.h \
	lib/cpython/layout_3_10.c \
	lib/cpython/layout_3_11.c \
	lib/cpython/layout_3_11d.c \
	lib/cpython/layout_3_12.c \
	lib/cpython/layout_3_13.c \
	lib/cpython/layout_3_13d.c \
	lib/cpython/layout_3_14.c \
	lib/cpython/layout_3_15.c \
	lib/cpython/layout_3_8.c \
	lib/cpython/layout_3_9.c \
	lib/cpython/layout_fields.h \
	lib/cpython/learn.c \
	lib/cpython/learn.h \
	lib/cpython/ops.h \
	lib/cpython/owner.c \
	lib/cpython/owner.h \
	lib/cpython/python.c \
	lib/cpython/python.h \
	lib/cpython/runtime.c \
	lib/cpython/sandbox.c \
	lib/cpython/sandbox.h \
	lib/cpython/size.c \
	lib/cpython/state.c \
	lib/cpython/state.h \
	lib/cpython/text.c \
	lib/cpython/text.h \
	lib/cpython/type.c \
	lib/cpython/type.h \
	lib/cpython/value.c \
	lib/cpython/value.h \
	lib/cpython/visit.c \
	lib/cpython/visit.h
