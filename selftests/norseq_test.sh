#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Heaps without restartable sequences: the C library registers none for these
# programs, so no thread has caches, and all share what is under the heap's lock.
# A result for each program; what it says of its own tests is a comment.
# heap_cache_test fails if there is rseq all the same.
set -u

here=$(cd "$(dirname "$0")" && pwd)
programs="heap_cache_test heap_model_test heap_thread_test heap_memory_test"
out=$(mktemp "${TMPDIR:-/tmp}/norseq_test.XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT
number=0
failed=0

# Other tunables that the program was given stay.
GLIBC_TUNABLES=${GLIBC_TUNABLES:+$GLIBC_TUNABLES:}glibc.pthread.rseq=0
PRIVHEAP_MODEL_OPS=${PRIVHEAP_MODEL_OPS:-100000}
export PRIVHEAP_MODEL_OPS

echo "TAP version 13"
# shellcheck disable=SC2086 # one word for each
set -- $programs
echo "1..$#"
for name; do
	number=$((number + 1))
	if [ ! -x "$here/$name" ]; then
		echo "ok $number $name # SKIP it was not built"
		continue
	fi
	GLIBC_TUNABLES=$GLIBC_TUNABLES "$here/$name" >"$out" 2>&1
	status=$?
	sed 's/^/# /' "$out"
	case $status in
	0)	echo "ok $number $name" ;;
	4)	echo "ok $number $name # SKIP it says so itself" ;;
	*)	echo "not ok $number $name: status $status"
		failed=1 ;;
	esac
done
exit "$failed"
