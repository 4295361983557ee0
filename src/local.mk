# The command: one file per subcommand.
bin_PROGRAMS += ouro
ouro_SOURCES = \
	src/cmd_cycles.c \
	src/cmd_diff.c \
	src/cmd_doctor.c \
	src/cmd_dominators.c \
	src/cmd_dump.c \
	src/cmd_dump.h \
	src/cmd_dump_children.c \
	src/cmd_export.c \
	src/cmd_garbage.c \
	src/cmd_info.c \
	src/cmd_leaks.c \
	src/cmd_objects.c \
	src/cmd_path.c \
	src/cmd_chain.c \
	src/cmd_refs.c \
	src/cmd_show.c \
	src/cmd_stack.c \
	src/cmd_types.c \
	src/cmd_verify.c \
	src/cmd_watch.c \
	src/fail_on.c \
	src/fail_on.h \
	src/faults.c \
	src/faults.h \
	src/command.c \
	src/command.h \
	src/main.c \
	src/object.c \
	src/object.h \
	src/options.c \
	src/options.h \
	src/output.c \
	src/output.h \
	src/nodes.c \
	src/nodes.h \
	src/picture.c \
	src/picture.h \
	src/page_doctor.c \
	src/page_doctor.h \
	src/snapshots.c \
	src/snapshots.h \
	src/target.c \
	src/target.h
ouro_LDADD = $(OURO_LIBS)
