#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The library's examples do what they say: their status, what they print, and, of the
# one that is a server, what another program is answered.
#
# The programs are in PRIVHEAP_EXAMPLES, or where lib/Makefile leaves them. Runs on
# the back end that PRIVHEAP_BACKEND says.
# shellcheck disable=SC2317 # functions are called by name
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
examples=${PRIVHEAP_EXAMPLES:-${PRIVHEAP_TOP:-$here/..}/lib/build}

[ -x "$examples/demo" ] || skip_all "no examples in $examples"
dir=$(mktemp -d "${TMPDIR:-/tmp}/examples_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
# Its first line says so.
keeper="the library itself: no module here"
if [ "${PRIVHEAP_BACKEND-}" != anonymous ] && [ -e /dev/privheap ]; then
	keeper="the kernel module privheap"
fi

# runs NAME PATTERN...: status 0, and a line for each pattern.
runs() {
	program=$examples/$1
	shift
	"$program" >"$dir/output" 2>&1
	status=$?
	cat "$dir/output"
	for pattern; do
		grep -q -x "$pattern" "$dir/output" || {
			echo "no line: $pattern"
			return 1
		}
	done
	! grep FAILED "$dir/output" && return "$status"
}

# Each block of the table: who leaks is refused, and nobody goes beyond 16 MiB.
tenants() {
	runs tenants 'nobody was killed, and only who leaked was refused' || return
	awk '$1 ~ /^(anna|bert|cleo)$/ && NF == 6 {
		rows++
		leaks = rows > 6 || rows == 2
		if ($2 + $3 != 4000 || ($3 > 0) != leaks || $5 > 16384 ||
		    leaks && $6 < $3) {
			print "row " rows ": " $0
			bad = 1
		}
	} END { exit bad || rows != 9 }' "$dir/output"
}

# A server that another program talks to.
requests_client() {
	"$examples/requests" "$dir/socket" >"$dir/output" 2>&1 &
	server=$!
	python3 "$here/consumers/ask.py" "$dir/socket" >"$dir/client" 2>&1
	status=$?
	kill -TERM "$server"
	wait "$server" || status=1
	cat "$dir/client" "$dir/output"
	[ "$status" = 0 ] && grep -q '^3 requests served, 1 refused' "$dir/output"
}

test_examples() {
	try "example: demo" runs demo \
		"Private heaps, kept by $keeper (.*)\." "all of the demo's claims hold"
	try "example: tenants with caps" tenants
	try "example: a heap for each request" runs requests \
		'175 requests served, 25 refused, the largest had [0-9]* of 256 KiB' \
		'nothing is left of any of them'
	name="example: a heap for each request, asked from outside"
	if command -v python3 >/dev/null; then
		try "$name" requests_client
	else
		skip "$name" "no python3 here"
	fi
	try "example: enumerating a heap" runs enumerate \
		'This process has 2 heaps\.' 'A heap of 12 blocks:' \
		' *block *3145728 bytes.*' 'All blocks were found, and no others\.'
}

echo "TAP version 13"
echo "1..5"
test_examples
exit "$failed"
