#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The experiments, with fewer steps: each checks what it claims. A result for
# each; what it says of its claims is a comment.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
out=$(mktemp "${TMPDIR:-/tmp}/experiments_test.XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT

[ -x "$here/experiment_tenants" ] || skip_all "the experiments were not built"

# experiment NAME [PART]
experiment() {
	"$here/experiment_$1" --small ${2:+--only "$2"} >"$out" 2>&1
	status=$?
	comment <"$out"
	case $status in
	0)	result 0 "$1${2:+: $2}" ;;
	4)	skip "$1${2:+: $2}" "$(sed -n 's/^SKIP: //p' "$out")" ;;
	*)	result 1 "$1${2:+: $2}: status $status" ;;
	esac
}

echo "TAP version 13"
echo "1..5"
experiment tenants
experiment cache
experiment fail_nth store
experiment fail_nth sqlite3
experiment residency
exit "$failed"
