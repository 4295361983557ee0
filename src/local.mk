# The command: one file per subcommand.
#
#     bin_PROGRAMS += ouro
#     ouro_SOURCES = src/main.c ...
#     ouro_LDADD = $(OURO_LIBS)
