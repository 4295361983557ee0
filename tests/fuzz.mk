# Fuzzers: built with --enable-fuzz, run by `make fuzz` for FUZZ_SECONDS each, from what FUZZ_CORPUS holds.
FUZZ_SECONDS = 60
FUZZ_CORPUS = fuzz-corpus
if ENABLE_FUZZ
noinst_PROGRAMS = tests/fuzz_snapshot tests/fuzz_maps tests/fuzz_machine
tests_fuzz_snapshot_SOURCES = tests/fuzz/fuzz_snapshot.c tests/fuzz/mend.c tests/fuzz/mend.h
tests_fuzz_snapshot_LDADD = $(TEST_SNAPSHOT_LIBS)
tests_fuzz_snapshot_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

noinst_PROGRAMS += tests/fuzz_analysis tests/write_seeds
tests_fuzz_analysis_SOURCES = tests/fuzz/fuzz_analysis.c tests/fuzz/mend.c tests/fuzz/mend.h tests/render/whole.c \
	tests/render/whole.h tests/render/whole_pictures.c
tests_fuzz_analysis_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/render
tests_fuzz_analysis_LDADD = $(TEST_RENDER_LIBS)
tests_fuzz_analysis_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_write_seeds_SOURCES = tests/fuzz/write_seeds.c tests/render/wild.c tests/render/wild.h tests/analysis/tiny.c \
	tests/analysis/tiny.h
tests_write_seeds_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/render
tests_write_seeds_LDADD = $(TEST_ANALYSIS_LIBS)

noinst_PROGRAMS += tests/fuzz_expression
tests_fuzz_expression_SOURCES = tests/fuzz/fuzz_expression.c tests/analysis/app.c tests/analysis/app.h \
	tests/analysis/tiny.c tests/analysis/tiny.h
tests_fuzz_expression_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/analysis
tests_fuzz_expression_LDADD = $(TEST_ANALYSIS_LIBS)
tests_fuzz_expression_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_maps_SOURCES = tests/fuzz/fuzz_maps.c
tests_fuzz_maps_LDADD = $(TEST_TARGET_LIBS)
tests_fuzz_maps_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_machine_SOURCES = tests/fuzz/fuzz_machine.c tests/emulate/hostile.c tests/emulate/hostile.h $(EMULATE_WORLD)
tests_fuzz_machine_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/emulate
tests_fuzz_machine_LDADD = $(TEST_EMULATE_LIBS)
tests_fuzz_machine_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

fuzz: tests/fuzz_snapshot tests/fuzz_analysis tests/fuzz_expression tests/fuzz_maps tests/fuzz_machine tests/write_seeds
	$(MKDIR_P) $(FUZZ_CORPUS)
	TMPDIR=$(FUZZ_CORPUS) tests/write_seeds $(FUZZ_CORPUS)
	tests/fuzz_snapshot -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 $(FUZZ_CORPUS)
	tests/fuzz_analysis -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 $(FUZZ_CORPUS)
	tests/fuzz_expression -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048
	tests/fuzz_maps -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048
	tests/fuzz_machine -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048
else
fuzz:
	@echo 'Configure with CC=clang --enable-fuzz first.' >&2; exit 1
endif
