#!/bin/sh
# Both supported versions of CPython are there to be tested against. Without one of them its tests are skipped, aloud;
# in CI (CI=true) that is a failure.
set -u
passed=0 failed=0 skipped=0
for version in 3.11 3.13; do
    found=$(echo "${OURO_TEST_PYTHONS-}" | tr : '\n' | while read -r python; do
        "$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2> /dev/null && echo "$python"
    done | tr '\n' ' ')
    if [ -n "$found" ]; then
        echo "ok: there_is_a_cpython_$version ($found)"
        passed=$((passed + 1))
    elif [ "${CI:-}" = true ]; then
        echo "FAILED: there_is_a_cpython_$version: OURO_TEST_PYTHONS is '${OURO_TEST_PYTHONS-}'"
        failed=$((failed + 1))
    else
        echo "skipped: no CPython $version here, so nothing is tested against it; ./bootstrap check tries to get one"
        skipped=$((skipped + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
