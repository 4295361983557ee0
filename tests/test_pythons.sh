#!/bin/sh
# What is tested against: an interpreter of each version that ouro reads. One that is not here is skipped, aloud. In CI
# (CI=true) it fails when the machine has it: in ~/.pyenv, or in the package sources of its system (tests/get-python).
set -u
top=${top_srcdir:-$(dirname "$0")/..}
build=${top_builddir:-.}
passed=0 failed=0 skipped=0

if [ -n "${OURO_TEST_CHOSEN-}" ]; then
    echo "skipped: this run has only the interpreters that were chosen for it: ${OURO_TEST_PYTHONS-}"
    echo "0 passed, 0 failed, 1 skipped"
    exit 77
fi

of_version() {
    echo "${OURO_TEST_PYTHONS-}" | tr : '\n' | while read -r python; do
        is=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        [ "$is" != "$1" ] || echo "$python"
    done | tr '\n' ' '
}

for version in 3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15; do
    name=there_is_a_cpython_$version
    found=$(of_version "$version")
    if [ -n "$found" ]; then
        echo "ok: $name ($found)"
        passed=$((passed + 1))
        continue
    fi
    offered=no
    if [ "${CI:-}" = true ]; then
        # Status 0: it can be had, so that it should have been.
        sh "$top/tests/get-python" "$build" "$version" > /dev/null 2>&1 && offered=yes
    fi
    if [ "$offered" = yes ]; then
        echo "FAILED: $name: the package sources have it, and OURO_TEST_PYTHONS has not: ${OURO_TEST_PYTHONS-}"
        failed=$((failed + 1))
    else
        echo "skipped: no CPython $version here, so nothing is tested against it"
        skipped=$((skipped + 1))
    fi
done

# All that can be found are in the list.
for python in $(sh "$top/tests/pythons" "$build" | tr : '\n'); do
    case :${OURO_TEST_PYTHONS-}: in
    *:"$python":*) passed=$((passed + 1)) ;;
    *)
        echo "FAILED: $python is here and not tested against"
        failed=$((failed + 1))
        ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
