# shellcheck shell=sh disable=SC2034 # for who reads this
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests that are shell scripts: results in TAP. To be read by them (".").

number=0
failed=0

# The whole program cannot run here, for this reason.
skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit 4
}

# result STATUS NAME
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		failed=1
	fi
}

# skip NAME REASON
skip() {
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

# needs COMMAND NAME...: skips the results NAME if there is no such command.
needs() {
	command -v "$1" >/dev/null && return
	lacks="no $1 here"
	shift
	for name; do
		skip "$name" "$lacks"
	done
	return 1
}

comment() {
	sed 's/^/# /'
}

# try NAME COMMAND...: a result; what it says is shown if it fails.
# $dir is a folder of the test's own.
# shellcheck disable=SC2154 # for who reads this
try() {
	name=$1
	shift
	"$@" >"$dir/said" 2>&1
	status=$?
	[ "$status" = 0 ] || comment <"$dir/said"
	result "$status" "$name"
	return "$status"
}
