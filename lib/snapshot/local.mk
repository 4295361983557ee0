# The file format. Uses base.
noinst_LIBRARIES += libouro_snapshot.a
libouro_snapshot_a_SOURCES = \
	lib/snapshot/block.c \
	lib/snapshot/block.h \
	lib/snapshot/chunk.c \
	lib/snapshot/chunk.h \
	lib/snapshot/heap.c \
	lib/snapshot/lists.c \
	lib/snapshot/output.c \
	lib/snapshot/output.h \
	lib/snapshot/reader.c \
	lib/snapshot/reader.h \
	lib/snapshot/salvage.c \
	lib/snapshot/salvage.h \
	lib/snapshot/schema.h \
	lib/snapshot/snapshot.h \
	lib/snapshot/stream.c \
	lib/snapshot/stream.h \
	lib/snapshot/tables.c \
	lib/snapshot/verify.c \
	lib/snapshot/writer.c \
	lib/snapshot/writer.h
