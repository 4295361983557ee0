# Tests of lib/emulate.
if HAVE_ZYDIS
EMULATE_TESTS = tests/test_emulate_machine tests/test_emulate_explore tests/test_emulate_instructions \
	tests/test_emulate_hostile tests/test_emulate_unicorn
else
EMULATE_TESTS = tests/test_emulate_without
endif
EMULATE_WORLD = tests/emulate/world.c tests/emulate/world.h

check_PROGRAMS += $(EMULATE_TESTS)
TESTS += $(EMULATE_TESTS)

# Built without the decoder there is nothing to test but that it says so.
tests_test_emulate_without_SOURCES = tests/emulate/test_without.c
tests_test_emulate_without_LDADD = $(TEST_EMULATE_LIBS)

tests_test_emulate_machine_SOURCES = tests/emulate/test_machine.c tests/emulate/code.h $(EMULATE_WORLD)
tests_test_emulate_machine_LDADD = $(TEST_EMULATE_LIBS)

# It compiles traverse.c itself, in all the ways that it knows.
EXTRA_DIST += tests/emulate/traverse.c
tests_test_emulate_explore_SOURCES = tests/emulate/test_explore.c tests/emulate/library.c tests/emulate/library.h \
	tests/emulate/traverse.h $(EMULATE_WORLD)
tests_test_emulate_explore_LDADD = $(TEST_EMULATE_LIBS)

tests_test_emulate_instructions_SOURCES = tests/emulate/test_instructions.c tests/emulate/generate.c \
	tests/emulate/generate.h tests/emulate/native.c tests/emulate/native.h $(EMULATE_WORLD)
tests_test_emulate_instructions_LDADD = $(TEST_EMULATE_LIBS)

tests_test_emulate_hostile_SOURCES = tests/emulate/test_hostile.c tests/emulate/hostile.c tests/emulate/hostile.h \
	$(EMULATE_WORLD)
tests_test_emulate_hostile_LDADD = $(TEST_EMULATE_LIBS)

# Without Unicorn it says so and is skipped.
tests_test_emulate_unicorn_SOURCES = tests/emulate/test_unicorn.c tests/emulate/generate.c tests/emulate/generate.h \
	tests/emulate/native.h $(EMULATE_WORLD)
tests_test_emulate_unicorn_CPPFLAGS = $(AM_CPPFLAGS)
tests_test_emulate_unicorn_LDADD = $(TEST_EMULATE_LIBS)
if HAVE_UNICORN
tests_test_emulate_unicorn_CPPFLAGS += -DHAVE_UNICORN $(UNICORN_CFLAGS)
tests_test_emulate_unicorn_LDADD += $(UNICORN_LIBS)
endif
