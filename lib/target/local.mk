# Bytes of a process: mappings, symbols, stopping, copying. Uses base, libelf, ptrace.
noinst_LIBRARIES += libouro_target.a
libouro_target_a_SOURCES = \
	lib/target/available.c \
	lib/target/available.h \
	lib/target/core.c \
	lib/target/core.h \
	lib/target/core_command.c \
	lib/target/core_files.c \
	lib/target/elf_file.h \
	lib/target/guardian.c \
	lib/target/guardian.h \
	lib/target/headroom.c \
	lib/target/headroom.h \
	lib/target/image.c \
	lib/target/image.h \
	lib/target/image_core.c \
	lib/target/image_files.c \
	lib/target/image_files.h \
	lib/target/inject.c \
	lib/target/inject.h \
	lib/target/lazy.c \
	lib/target/lazy.h \
	lib/target/links.c \
	lib/target/links.h \
	lib/target/maps.c \
	lib/target/maps.h \
	lib/target/memory_elf.c \
	lib/target/memory_elf.h \
	lib/target/module.c \
	lib/target/module.h \
	lib/target/process.c \
	lib/target/process.h \
	lib/target/registers.c \
	lib/target/registers.h \
	lib/target/resolve.c \
	lib/target/resolve.h \
	lib/target/space.c \
	lib/target/space.h \
	lib/target/still.c \
	lib/target/still.h \
	lib/target/stop.c \
	lib/target/stop.h \
	lib/target/tree.c \
	lib/target/tree.h \
	lib/target/window.c \
	lib/target/window.h
