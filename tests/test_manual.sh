#!/bin/sh
# The manual page tells of every command and option that the program has, and of none that it has not.
set -u
page=${top_srcdir:-$(dirname "$0")/..}/docs/ouro.1
passed=0 failed=0
# .BR \-o ", " \-\-output reads as the option does
text=$(sed 's/\\-/-/g' "$page")

check() { # NAME WRONG
    if [ -z "$2" ]; then
        echo "ok: $1"
        passed=$((passed + 1))
    else
        echo "FAILED: $1:" $2
        failed=$((failed + 1))
    fi
}

section() { # of one command
    printf '%s\n' "$text" | awk -v name="$1" '/^\.SH / { inside = $2 == name || /OF EVERY COMMAND/ } inside'
}

commands=$("$OURO" -h | sed -n 's/^  \([a-z][a-z]*\)  *[A-Z].*/\1/p' | grep -vx ouro)
[ -n "$commands" ] || { echo 'FAILED: ouro -h names no commands'; exit 1; }
for command in $commands; do
    options=$("$OURO" "$command" -h | grep -oE '^ *(-[a-zA-Z], +)?--[a-z][a-z-]*' | grep -oE -- '--[a-z-]+' | sort -u)
    upper=$(echo "$command" | tr '[:lower:]' '[:upper:]')
    wrong=$(for option in $options; do
        section "$upper" | grep -q -e "$option\([^a-z-]\|\$\)" || echo "$option"
    done)
    check "the_manual_knows_every_option_of_$command" "$wrong"
    in_manual=$(printf '%s\n' "$text" | awk -v name="$upper" '/^\.SH / { inside = $2 == name } inside' |
        grep -A 1 '^\.TP' | grep -oE -e '--[a-z][a-z-]*' | sort -u)
    wrong=$(for option in $in_manual; do
        printf '%s\n' "$options" | grep -qx -e "$option" || echo "$option"
    done)
    check "every_option_in_the_manual_is_one_of_$command" "$wrong"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
