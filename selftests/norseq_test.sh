#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Heaps without restartable sequences: the C library registers none for these
# programs, so no thread has caches, and all share what is under the heap's lock.
# A result for each program; what it says of its own tests is a comment.
# heap_cache_test fails if there is rseq all the same.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
programs="heap_cache_test heap_cache_life_test heap_model_test heap_exchange_test
	heap_thread_test heap_memory_test"
out=$(mktemp "${TMPDIR:-/tmp}/norseq_test.XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT

# Other tunables that the program was given stay.
GLIBC_TUNABLES=${GLIBC_TUNABLES:+$GLIBC_TUNABLES:}glibc.pthread.rseq=0
PRIVHEAP_MODEL_OPS=${PRIVHEAP_MODEL_OPS:-100000}
export PRIVHEAP_MODEL_OPS

echo "TAP version 13"
# shellcheck disable=SC2086 # one word for each
set -- $programs
echo "1..$#"
for name; do
	if [ ! -x "$here/$name" ]; then
		skip "$name" "it was not built"
		continue
	fi
	GLIBC_TUNABLES=$GLIBC_TUNABLES "$here/$name" >"$out" 2>&1
	status=$?
	comment <"$out"
	case $status in
	0)	result 0 "$name" ;;
	4)	skip "$name" "it says so itself" ;;
	*)	result 1 "$name: status $status" ;;
	esac
done
exit "$failed"
