#!/bin/sh
# The layers keep their order, and the lint that says so can fail: each offence is planted once in a copy.
set -eu
top=${top_srcdir:-$(dirname "$0")/..}
lint=$top/tests/lint-layers
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
passed=0 failed=0

ok() {
    echo "ok: $1"
    passed=$((passed + 1))
}
not_ok() {
    echo "FAILED: $1"
    failed=$((failed + 1))
}

if sh "$lint" "$top"; then ok the_tree_keeps_the_layers; else not_ok the_tree_keeps_the_layers; fi

# plant NAME FILE TEXT refused|allowed
plant() {
    rm -rf "$copy/lib"
    mkdir -p "$copy/lib/base" "$copy/lib/graph" "$copy/lib/render" "$copy/lib/cpython"
    printf '%s\n' "$3" > "$copy/$2"
    if sh "$lint" "$copy" > "$copy/output"; then result=allowed; else result=refused; fi
    if [ "$result" = "$4" ]; then ok "$1"; else
        not_ok "$1"
        cat "$copy/output"
    fi
}
plant an_upward_include_is_refused lib/base/a.c '#include "graph/csr.h"' refused
plant the_two_halves_do_not_mix lib/cpython/a.c '#include "snapshot/schema.h"' refused
plant an_include_without_its_layer_is_refused lib/base/a.h '#include "err.h"' refused
plant a_downward_include_is_allowed lib/render/a.c '#include "analysis/types.h"' allowed
plant printf_in_the_library_is_refused lib/graph/a.c '    printf("%d", 1);' refused
plant exit_in_the_library_is_refused lib/graph/a.c '    if (x) exit(1);' refused
plant getenv_in_the_library_is_refused lib/graph/a.c 'char *s = getenv("HOME");' refused
plant stderr_in_the_library_is_refused lib/render/a.c 'fprintf(stderr, "x");' refused
plant fprintf_to_a_given_file_is_allowed lib/render/a.c 'fprintf(file, "%d", 1);' allowed
plant snprintf_is_allowed lib/graph/a.c 'snprintf(s, n, "%d", 1);' allowed
plant the_bare_prefetch_is_refused lib/graph/a.c '    __builtin_prefetch(p);' refused
plant the_prefetch_of_the_base_is_allowed lib/base/ahead.h '    __builtin_prefetch(address);' allowed
plant words_in_comments_and_strings_are_allowed lib/graph/a.c '/* printf( */ x("exit("); // getenv(' allowed

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
