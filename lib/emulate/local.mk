# Runs functions of the target on the image of its memory. Uses base, target, Zydis.
noinst_LIBRARIES += libouro_emulate.a
libouro_emulate_a_SOURCES = \
	lib/emulate/code.c \
	lib/emulate/decode.c \
	lib/emulate/insn.h \
	lib/emulate/library.c \
	lib/emulate/link.c \
	lib/emulate/machine.c \
	lib/emulate/machine.h \
	lib/emulate/memory.c \
	lib/emulate/memory.h \
	lib/emulate/operate.c \
	lib/emulate/run.c \
	lib/emulate/state.h \
	lib/emulate/string.c \
	lib/emulate/vector.c
