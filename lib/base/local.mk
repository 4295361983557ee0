# Errors, buffers, maps, cursors: knows nothing of the other layers.
noinst_LIBRARIES += libouro_base.a
libouro_base_a_SOURCES = \
	lib/base/ahead.h \
	lib/base/bits.h \
	lib/base/buf.c \
	lib/base/buf.h \
	lib/base/clock.h \
	lib/base/cursor.h \
	lib/base/err.c \
	lib/base/err.h \
	lib/base/guard.h \
	lib/base/hash.h \
	lib/base/large.h \
	lib/base/map.c \
	lib/base/map.h \
	lib/base/types.h \
	lib/base/utf8.c \
	lib/base/utf8.h \
	lib/base/varint.h
