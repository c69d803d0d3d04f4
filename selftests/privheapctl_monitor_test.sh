#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# privheapctl monitor: events as they come, and what becomes of those that were
# lost. Needs root and the module.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
# shellcheck source=privheapctl.sh
. "$here/privheapctl.sh"

# More than is kept for a listener who sleeps.
churn=${PRIVHEAP_CHURN:-10000}
log=$dir/log

# monitoring ARGUMENT...: starts it, and waits until it listens
monitoring() {
	: >"$log"
	privheapctl monitor "$@" >"$log" 2>"$dir/err" </dev/null &
	monitor=$!
	held="$held $monitor"
	until_true 30 grep -q listening "$log"
}

# What it told of the region $id, without the times.
told() {
	grep -E "region[ :]$id( |;|$)" "$log" |
		sed "s/^[0-9:.]* *//; s/ of pid [0-9]* ([^)]*)//
			s/region $id,/it,/; s/region:$id /it: /; s/ to region $id;/;/"
}

# shellcheck disable=SC2317 # by until_true
has_told() {
	told | grep -q -E "$1"
}

# same_as_told NAME: what was told is standard input
same_as_told() {
	told >"$dir/out"
	code="of the monitor"
	cmp - "$dir/out" >>"$dir/err" 2>&1
	check "$1"
}

echo "TAP version 13"
echo "1..9"

monitoring
hold 7 create:64M:64K id: read: commit:1M:1M commit:4M:4M decommit:1M:1M destroy:
ctl quota set "region:$id" --commit-soft 1M --commit-limit 2M
echo >&7
until_true 30 has_told '^destroyed'
same_as_told "monitor: each event, once and in order" <<'END'
created   it, user root: 64M reserved, 64K committed, limit 64M
soft      it: commit 1.1M, above its soft limit of 1M
denied    it: commit 4M; 1.1M in use of 2M
below     it: commit 64K, back at its soft limit of 1M or below
destroyed it, user root: 64M reserved, peak 1.1M, 1 denied
END
release 7
kill "$monitor"
wait "$monitor"
code=$?
[ "$code" = 143 ] && [ ! -s "$dir/err" ]
check "monitor: ends by a signal"

monitoring --count 2
region_script create:64M:64K
wait "$monitor"
code=$?
cp "$log" "$dir/out"
[ "$code" = 0 ] && [ "$(wc -l <"$log")" = 3 ]
check "monitor: ends after so many events"

if command -v jq >/dev/null; then
	monitoring --json --count 2
	region_script create:64M:64K
	wait "$monitor"
	code=$?
	cp "$log" "$dir/out"
	[ "$code" = 0 ] && jq -s -e 'length == 3 and .[0].event == "listening" and
		.[1].event == "created" and .[1].region.reserved == 67108864 and
		.[2].event == "destroyed" and .[2].seq == .[1].seq + 1 and
		.[2].recovered == false and .[1].region.region == .[2].region.region and
		(.[1].time | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{6}Z$"))' \
		"$log" >/dev/null 2>>"$dir/err"
	check "monitor: JSON, an object in each line"
else
	skip "monitor: JSON, an object in each line" "no jq here"
fi

ctl monitor --count 0
[ "$code" = 2 ] && err 'whole number from 1'
check "monitor: no events at all, 2"
ctl_as_nobody monitor
[ "$code" = 1 ] && err 'run it as root'
check "monitor: not by an ordinary user, 1"

# --- a listener that sleeps while more comes than is kept for it

hold 7 create:64M:64K
old_id=$id old=$pid
monitoring
kill -STOP "$monitor"
region_script "churn:$churn" || echo "# churn failed"
hold 9 create:8M:64K
new_id=$id
release 7
wait "$old"
kill -CONT "$monitor"
code="of the monitor"
until_true 60 grep -q -E '^[0-9:.]+ (overrun|lost) ' "$log"
status=$?
tail -n 5 "$log" >"$dir/out"
[ "$status" = 0 ]
check "monitor: says that some were lost"
id=$new_id
until_true 60 has_told '^created' && [ "$(told | grep -c '^created')" = 1 ]
check "monitor: finds a region whose event was lost, and tells it once"
id=$old_id
until_true 60 has_told '^destroyed' && [ "$(told | grep -c '^destroyed')" = 1 ]
check "monitor: finds that one is gone, and tells it once"

kill "$monitor"
release 9
exit "$failed"
