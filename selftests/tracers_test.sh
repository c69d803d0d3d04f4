#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of lib/DEBUGGING.md for the kernel's side, each as it stands there, on a
# program that makes a region and is refused more than that may have. Needs the module, root,
# perf, trace-cmd, bpftrace and the document (PRIVHEAP_DEBUGGING).
# shellcheck disable=SC2317 # functions are called by name
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
document=${PRIVHEAP_DEBUGGING:-$here/../lib/DEBUGGING.md}
events=/sys/kernel/tracing/events/privheap
export LC_ALL=C

[ -e /dev/privheap ] || skip_all "no /dev/privheap here"
[ "$(id -u)" = 0 ] || skip_all "not root"
[ -e "$document" ] || skip_all "no document here"
[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing
[ -e "$events" ] || skip_all "the module has no tracepoints here"
dir=$(mktemp -d "${TMPDIR:-/tmp}/tracers_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cp "$here/be_refused" "$dir/program" || exit 1
cd "$dir" || exit 1

# commands TEXT: those of the document that begin so.
commands() {
	grep -e "^$1" "$document"
}

# shows TEXT: in the output there is a line with it.
shows() {
	grep -q -e "$1" "$dir/output" && return
	cat "$dir/output"
	echo "not there: $1"
	return 1
}

# runs COMMAND: all commands of the document that begin so, one after the other.
runs() {
	commands "$1" >"$dir/script"
	[ -s "$dir/script" ] || return
	sh -e "$dir/script" >"$dir/output" 2>&1 && return
	cat "$dir/output"
	return 1
}

# counted EVENT: more than none.
counted() {
	shows "^ *[1-9][0-9,]*  *privheap:$1"
}

perf_stat() {
	runs "perf stat" && counted privheap_create && counted privheap_populate &&
		counted privheap_denial && counted privheap_destroy
}

perf_record() {
	runs "perf record" && runs "perf script" &&
		shows "^program .* privheap:privheap_denial: id=.* resource=commit level="
}

trace_cmd() {
	runs "trace-cmd record" && runs "trace-cmd report" &&
		shows "program-.* privheap_create: *id=.* reserved=" &&
		shows "program-.* privheap_denial: *id="
}

# bpf WORD TEXT: the one with the word shows the text.
bpf() {
	commands "bpftrace.*$1" >"$dir/script"
	[ "$(wc -l <"$dir/script")" = 1 ] || return
	if sh -e "$dir/script" >"$dir/output" 2>&1; then
		shows "$2"
	else
		cat "$dir/output"
		return 1
	fi
}

by_hand() {
	commands "echo 1" >"$dir/script"
	sh -e "$dir/script" || return
	./program >/dev/null
	# The document's command goes on until it is stopped.
	timeout 5 sh -c "$(commands "cat .*trace_pipe")" >"$dir/output"
	echo 0 >"$events/enable"
	shows "program-.* privheap_create: *id="
}

# Each tracepoint there is is named, and no other.
# shellcheck disable=SC2016 # the quotes are the document's
named() {
	(cd "$events" && ls -d privheap_*) | sort >"$dir/there"
	sed -n '/^## In the kernel/,$p' "$document" | grep -o '`privheap_[a-z_]*`' |
		tr -d '\140' | sort >"$dir/told"
	diff "$dir/there" "$dir/told"
}

echo "TAP version 13"
try "every tracepoint is in the document" named
if needs perf "perf stat" "perf record"; then
	try "perf stat" perf_stat
	try "perf record" perf_record
fi
if needs trace-cmd "trace-cmd"; then
	try "trace-cmd" trace_cmd
fi
if needs bpftrace "bpftrace: denials" "bpftrace: pages" "bpftrace: lives"; then
	try "bpftrace: denials" bpf privheap_denial "^@\[program, "
	try "bpftrace: pages" bpf privheap_populate "^@pages\[program\]: [1-9]"
	try "bpftrace: lives" bpf privheap_destroy "^\[.*[0-9] |@"
fi
try "by hand" by_hand
echo "1..$number"
exit "$failed"
