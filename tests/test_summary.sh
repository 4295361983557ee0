#!/bin/sh
# tests/summary counts what was tested, and never turns a failure into a pass.
set -u
summary=${top_srcdir:-$(dirname "$0")/..}/tests/summary
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# expect NAME LAST-LINE STATUS   on the logs in $work
expect() {
    output=$(sh "$summary" "$work"/*.log)
    status=$?
    if [ "$(printf '%s\n' "$output" | tail -n 1)" = "$2" ] && [ "$status" -eq "$3" ]; then
        echo "ok: $1"
        passed=$((passed + 1))
    else
        echo "FAILED: $1: status $status and"
        printf '%s\n' "$output" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
    rm -f "$work"/*
}
log() { # NAME RESULT, text from standard input
    cat > "$work/$1.log"
    [ -z "$2" ] || echo ":global-test-result: $2" > "$work/$1.trs"
}

echo '100%: Checks: 12, Failures: 0, Errors: 0' | log a PASS
expect libcheck_counts_its_functions '12 passed, 0 failed' 0
printf '80%%: Checks: 10, Failures: 1, Errors: 1\na.c:7:F:x: no\n' | log a FAIL
expect failures_and_errors_of_libcheck_both_count '8 passed, 2 failed' 1
printf 'Ran 5 tests in 0.1s\n\nOK (skipped=2)\n' | log a PASS
expect unittest_counts_its_methods '3 passed, 0 failed, 2 skipped' 0
printf 'Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n' | log a FAIL
expect unittest_failures_count '2 passed, 3 failed' 1
echo nothing | log a PASS
echo '100%: Checks: 2, Failures: 0, Errors: 0' | log b PASS
expect a_program_that_counts_nothing_is_one_test '3 passed, 0 failed' 0
echo '100%: Checks: 2, Failures: 0, Errors: 0' | log a FAIL
expect a_crash_after_good_tests_is_a_failure '2 passed, 1 failed' 1
echo 'it began' | log a ''
expect a_program_without_a_result_has_failed '0 passed, 1 failed' 1
echo '1 passed, 1 failed' | log a PASS
expect a_program_that_forgets_its_status_has_failed '1 passed, 1 failed' 1
echo 'skipped: no such thing' | log a SKIP
echo ok | log b PASS
expect a_skipped_program_is_counted_as_such '1 passed, 0 failed, 1 skipped' 0
echo 'skipped: all' | log a SKIP
expect nothing_but_skips_is_no_success '0 passed, 0 failed, 1 skipped' 1

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
