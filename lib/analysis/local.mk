# Heap questions. Uses graph and snapshot.
noinst_LIBRARIES += libouro_analysis.a
libouro_analysis_a_SOURCES = \
	lib/analysis/brief.c \
	lib/analysis/brief.h \
	lib/analysis/collector.c \
	lib/analysis/collector.h \
	lib/analysis/condition.c \
	lib/analysis/condition.h \
	lib/analysis/cycle_advice.c \
	lib/analysis/cycle_advice.h \
	lib/analysis/cycle_names.c \
	lib/analysis/cycle_names.h \
	lib/analysis/cycle_texts.c \
	lib/analysis/cycles.c \
	lib/analysis/cycles.h \
	lib/analysis/cyclic.c \
	lib/analysis/cyclic.h \
	lib/analysis/diff_detail.c \
	lib/analysis/diff_match.c \
	lib/analysis/diff_match.h \
	lib/analysis/diff_match_certain.c \
	lib/analysis/diff_match_process.c \
	lib/analysis/diff_match_process.h \
	lib/analysis/diff_match_similar.c \
	lib/analysis/diff_match_similar.h \
	lib/analysis/diff_names.c \
	lib/analysis/diff_names.h \
	lib/analysis/diff_paths.c \
	lib/analysis/diff_paths.h \
	lib/analysis/diff_retained.c \
	lib/analysis/diff_retained.h \
	lib/analysis/diff_side.c \
	lib/analysis/diff_side.h \
	lib/analysis/diff.c \
	lib/analysis/diff.h \
	lib/analysis/finalizers.c \
	lib/analysis/finalizers.h \
	lib/analysis/garbage.c \
	lib/analysis/garbage.h \
	lib/analysis/dominator_tree.c \
	lib/analysis/dominator_tree.h \
	lib/analysis/heap_model.c \
	lib/analysis/heap_model.h \
	lib/analysis/histogram.c \
	lib/analysis/histogram.h \
	lib/analysis/info.c \
	lib/analysis/info.h \
	lib/analysis/label.c \
	lib/analysis/lookup.c \
	lib/analysis/lookup.h \
	lib/analysis/neighbours.c \
	lib/analysis/neighbours.h \
	lib/analysis/pattern.c \
	lib/analysis/pattern.h \
	lib/analysis/retained.c \
	lib/analysis/retained.h \
	lib/analysis/roots.c \
	lib/analysis/roots.h \
	lib/analysis/schedule.c \
	lib/analysis/largest.c lib/analysis/largest.h \
	lib/analysis/chain.c lib/analysis/chain.h \
	lib/analysis/neighbourhood.c lib/analysis/neighbourhood.h \
	lib/analysis/cycle_objects.c lib/analysis/cycle_objects.h \
	lib/analysis/leaks.c lib/analysis/leaks.h lib/analysis/leak_search.h \
	lib/analysis/leak_large.c lib/analysis/leak_containers.c lib/analysis/leak_ended.c lib/analysis/leak_waste.c \
	lib/analysis/unexplained.c lib/analysis/unexplained.h \
	lib/analysis/schedule.h \
	lib/analysis/selection.c \
	lib/analysis/selection.h \
	lib/analysis/stacks.c \
	lib/analysis/stacks.h \
	lib/analysis/syscall.c \
	lib/analysis/syscall.h \
	lib/analysis/attribute.c \
	lib/analysis/attribute.h \
	lib/analysis/literal.c \
	lib/analysis/literal.h \
	lib/analysis/notation.c \
	lib/analysis/notation.h \
	lib/analysis/native_field.c lib/analysis/native_field.h \
	lib/analysis/notation_field.c \
	lib/analysis/notation_frame.c \
	lib/analysis/notation_parts.h \
	lib/analysis/path.c \
	lib/analysis/path.h \
	lib/analysis/path_answer.c \
	lib/analysis/path_answer.h \
	lib/analysis/path_parts.h \
	lib/analysis/path_search.c \
	lib/analysis/path_text.c \
	lib/analysis/path_tree.c \
	lib/analysis/path_tree.h \
	lib/analysis/async_leads.c lib/analysis/async_leads.h lib/analysis/async_objects.c lib/analysis/async_objects.h \
	lib/analysis/task_deadlocks.c lib/analysis/task_waits.c lib/analysis/task_waits.h \
	lib/analysis/task_words.c lib/analysis/tasks.c lib/analysis/tasks.h \
	lib/analysis/value.c \
	lib/analysis/value.h \
	lib/analysis/wait_names.c \
	lib/analysis/wait_names.h \
	lib/analysis/waits.c \
	lib/analysis/waits.h
libouro_analysis_a_SOURCES += \
	lib/analysis/access.c \
	lib/analysis/access_frame.c \
	lib/analysis/access.h \
	lib/analysis/expression.c \
	lib/analysis/expression.h \
	lib/analysis/expression_parse.c \
	lib/analysis/finder.c \
	lib/analysis/finder.h \
	lib/analysis/finder_items.c \
	lib/analysis/finder_roots.c \
	lib/analysis/finder_steps.c \
	lib/analysis/constant.c \
	lib/analysis/constant.h \
	lib/analysis/constant_match.c \
	lib/analysis/nearest.c \
	lib/analysis/nearest.h \
	lib/analysis/particulars.c \
	lib/analysis/particulars.h
