# The file format. Uses base.
noinst_LIBRARIES += libouro_snapshot.a
libouro_snapshot_a_SOURCES = \
	lib/snapshot/chunk.h \
	lib/snapshot/reader.h \
	lib/snapshot/schema.h \
	lib/snapshot/writer.h
