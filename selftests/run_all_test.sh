#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of run-all: what programs may do, and what it says of them.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/run_all_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

# program NAME: makes one of standard input.
program() {
	{
		echo '#!/bin/sh'
		cat
	} >"$dir/$1"
	chmod +x "$dir/$1"
}

# says NAME STATUS SUM PROGRAM...: what comes of them, with this as the last line.
says() {
	what=$1 want=$2 sum=$3
	shift 3
	(
		cd "$dir" || exit 1
		"$here/run-all" -t 2 "$@"
	) >"$dir/out" 2>&1
	[ $? = "$want" ] && [ "$(tail -n 1 "$dir/out")" = "# $sum" ]
	status=$?
	[ "$status" = 0 ] || comment <"$dir/out"
	result "$status" "$what"
}

program fine <<'END'
echo 1..3
echo ok 1 one
echo "ok 2 two # SKIP no reason"
echo ok 3 three
END
program bad <<'END'
echo 1..2
echo not ok 1 one
echo ok 2 two
exit 1
END
program short <<'END'
echo 1..2
echo ok 1 one
END
program dies <<'END'
echo 1..1
echo ok 1 one
kill -SEGV $$
END
program hides <<'END'
echo 1..1
echo ok 1 one
exit 1
END
program skipped <<'END'
echo "1..0 # SKIP nothing here"
exit 4
END
program hangs <<'END'
echo 1..2
echo ok 1 one
sleep 1000
END
# Its child has another process group, as the harness's tests have: timeout sees
# to that.
program leaves <<'END'
echo 1..1
timeout 1000 sh -c 'echo $$ >pid; sleep 999; echo >late' &
wait
END

echo "TAP version 13"
echo "1..10"
says "results are counted" 0 "2 passed, 0 failed, 1 skipped" ./fine
says "a result that is bad" 1 "1 passed, 1 failed, 0 skipped" ./bad
says "fewer results than were planned" 1 "1 passed, 1 failed, 0 skipped" ./short
says "a program that dies" 1 "1 passed, 1 failed, 0 skipped" ./dies
says "good results and a bad status" 1 "1 passed, 1 failed, 0 skipped" ./hides
says "a program that skips itself" 0 "0 passed, 0 failed, 1 skipped" ./skipped
says "a program that takes too long" 1 "1 passed, 1 failed, 0 skipped" ./hangs
says "one that leaves a child behind" 1 "0 passed, 1 failed, 0 skipped" ./leaves
# It may be waiting for its new parent to look.
! grep -q '^State:[[:space:]]*[A-Y]' "/proc/$(cat "$dir/pid")/status" 2>/dev/null
result $? "the child is gone"
says "the sum of all" 1 "4 passed, 2 failed, 2 skipped" \
	./fine ./bad ./skipped ./hides
[ "$failed" = 0 ]
