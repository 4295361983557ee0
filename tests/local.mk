# Tests: one libcheck program per area, listed by layer; scripts run the command.
#
# A unit test links its own layer's archive and those beneath, so an upward call is a link error:
#
#     check_PROGRAMS += tests/test_base_buf
#     TESTS += tests/test_base_buf
#     tests_test_base_buf_SOURCES = tests/base/test_buf.c
#     tests_test_base_buf_LDADD = $(TEST_BASE_LIBS)
#
# Scripts end in .py or .sh and are listed by their path: TESTS += tests/src/test_dump.py
# They find in the environment: OURO (the built command), OURO_TEST_PYTHONS (colon-separated), top_srcdir, top_builddir.

OURO_LIBS = libouro_render.a libouro_analysis.a libouro_graph.a libouro_capture.a libouro_snapshot.a libouro_cpython.a \
	libouro_emulate.a libouro_target.a libouro_base.a $(CGRAPH_LIBS) $(GVC_LIBS) $(ZYDIS_LIBS) $(ELF_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)
TEST_BASE_LIBS = libouro_base.a $(CHECK_LIBS)
TEST_TARGET_LIBS = libouro_target.a libouro_base.a $(ELF_LIBS) $(CHECK_LIBS)
TEST_EMULATE_LIBS = libouro_emulate.a $(TEST_TARGET_LIBS) $(ZYDIS_LIBS)
TEST_CPYTHON_LIBS = libouro_cpython.a $(TEST_EMULATE_LIBS)
TEST_SNAPSHOT_LIBS = libouro_snapshot.a libouro_base.a $(ZSTD_LIBS) $(ZLIB_LIBS) $(CHECK_LIBS)
TEST_CAPTURE_LIBS = libouro_capture.a libouro_snapshot.a $(ZSTD_LIBS) $(ZLIB_LIBS) $(TEST_CPYTHON_LIBS)
TEST_GRAPH_LIBS = libouro_graph.a $(TEST_BASE_LIBS)
TEST_ANALYSIS_LIBS = libouro_analysis.a libouro_graph.a $(TEST_SNAPSHOT_LIBS)
TEST_RENDER_LIBS = libouro_render.a $(CGRAPH_LIBS) $(GVC_LIBS) $(TEST_ANALYSIS_LIBS)

# config.h and $(CHECK_CFLAGS) for the tests come with AM_CPPFLAGS.
AM_CPPFLAGS += $(CHECK_CFLAGS)

# What compare.py may demand of extension types.
if HAVE_ZYDIS
TEST_SANDBOX = 1
else
TEST_SANDBOX = 0
endif

TEST_EXTENSIONS = .py .sh
PY_LOG_COMPILER = $(PYTHON3)
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	OURO='$(abs_top_builddir)/ouro$(EXEEXT)'; export OURO; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	OURO_TEST_SANDBOX=$(TEST_SANDBOX); export OURO_TEST_SANDBOX; \
	CK_DEFAULT_TIMEOUT=$${CK_DEFAULT_TIMEOUT:-120}; export CK_DEFAULT_TIMEOUT; \
	OURO_TEST_PYTHONS=$${OURO_TEST_PYTHONS-`$(SHELL) '$(abs_top_srcdir)/tests/pythons' '$(abs_top_builddir)'`}; \
	export OURO_TEST_PYTHONS;

include tests/base.mk
include tests/target.mk
include tests/emulate.mk
include tests/cpython.mk
include tests/snapshot.mk
include tests/capture.mk
include tests/graph.mk
include tests/analysis.mk
include tests/render.mk
include tests/src.mk
include tests/fuzz.mk

TESTS += tests/test_lint.sh tests/test_manual.sh tests/test_pythons.sh tests/test_readme.py tests/test_summary.sh

.PHONY: check-summary lint bench coverage fuzz

# Says what is tested against.
check-local:
	@$(AM_TESTS_ENVIRONMENT) echo 'Interpreters to test against:'; echo "$$OURO_TEST_PYTHONS" | tr : '\n' | sed 's/^/  /'

# What `make check` found, test by test instead of program by program; its last line is "N passed, N failed".
check-summary:
	@$(SHELL) $(srcdir)/tests/summary $(TEST_LOGS)

lint:
	$(SHELL) $(srcdir)/tests/lint-layers $(srcdir)

# Prints what was measured; the budgets are in docs/ and in what it prints. BENCHFLAGS='--only fork' measures a part.
bench: all tests/bench_stop$(EXEEXT) tests/bench_copy$(EXEEXT) tests/bench_load$(EXEEXT) tests/bench_visit$(EXEEXT) \
		tests/bench_graph$(EXEEXT) tests/bench_path$(EXEEXT) tests/bench_diff$(EXEEXT) tests/write_large$(EXEEXT) \
		tests/bench_picture$(EXEEXT)
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/bench/run $(BENCHFLAGS)

if ENABLE_COVERAGE
coverage:
	-find . -name '*.gcda' -exec rm -f {} +
	$(MAKE) $(AM_MAKEFLAGS) check
	@if test -n '$(LCOV)' && test -n '$(GENHTML)'; then \
		$(LCOV) -q -c -d . --no-external -b $(abs_top_srcdir) -o coverage.info && \
		$(LCOV) -q -r coverage.info '$(abs_top_srcdir)/tests/*' -o coverage.info && \
		$(GENHTML) -q -o coverage coverage.info && $(LCOV) --summary coverage.info && \
		echo "See $(abs_builddir)/coverage/index.html"; \
	else \
		gcov -n -o . `find . -name '*.gcda'` | grep -A 1 "^File '.*/\(lib\|src\)/"; \
	fi
else
coverage:
	@echo 'Configure with --enable-coverage first.' >&2; exit 1
endif

clean-local:
	-rm -rf coverage coverage.info
	-find . -name '*.gcda' -o -name '*.gcno' | xargs rm -f
