#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tools that people debug memory with see the blocks of a heap: valgrind's memcheck,
# AddressSanitizer and LeakSanitizer, heaptrack, gdb. Each gets programs with one
# mistake (debuggers/case.c) and has to name it, with the function that made it, and
# one without, of which it must say nothing.
#
# Needs a compiler and the sources (PRIVHEAP_TOP).
# shellcheck disable=SC2317 # functions are called by name
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
top=${PRIVHEAP_TOP:-$here/..}
lib=$top/lib
export LC_ALL=C PRIVHEAP_BACKEND=anonymous

[ -e "$lib/libprivheap.so" ] || skip_all "no library built here"
command -v gcc >/dev/null || skip_all "no gcc here"
dir=$(mktemp -d "${TMPDIR:-/tmp}/debuggers_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

# build COMPILER FILE FLAG...
build() {
	compiler=$1 file=$2
	shift 2
	"$compiler" -g -O1 "$@" -I"$lib/include" -I"$top/uapi" -o "$file" \
		"$here/debuggers/case.c" -L"$lib" -lprivheap -Wl,-rpath,"$lib" -pthread
}

# says TEXT FUNCTION COMMAND...: its output has a line with the one, and behind it one
# with the other.
says() {
	text=$1 function=$2
	shift 2
	"$@" >"$dir/output" 2>&1
	awk -v text="$text" -v function_name="$function" '
		index($0, text) { seen = 1 }
		seen && $0 ~ "(^|[^a-z_])" function_name "([^a-z_]|$)" { found = 1 }
		END { exit !found }' "$dir/output" && return
	cat "$dir/output"
	return 1
}

# quiet COMMAND...: it succeeds, and has nothing to say.
quiet() {
	"$@" >"$dir/output" 2>&1 && [ ! -s "$dir/output" ] && return
	cat "$dir/output"
	return 1
}

# --- valgrind

memcheck() {
	# Half of the tests' names are those of the functions.
	try "memcheck: $2" says "$1" "$2" \
		valgrind -q --leak-check=full "$dir/plain" "$2"
}

valgrind_tests() {
	memcheck "is 0 bytes after a block of size 40 alloc'd" beyond
	memcheck "is 0 bytes after a block of size 40 alloc'd" beyond_by_memset
	memcheck "is 1 bytes before a block of size 40 alloc'd" before
	memcheck "is 0 bytes after a block of size 3,000,000 alloc'd" beyond_large
	memcheck "is 3 bytes inside a block of size 40 free'd" after_free
	memcheck "is 3 bytes inside a block of size 40 free'd" after_realloc
	memcheck "Invalid read" after_shrink
	memcheck "is 3 bytes inside a block of size 40 free'd" after_destroy
	memcheck "Invalid free()" free_twice
	memcheck "uninitialised value" uninitialised
	memcheck "12,345 bytes in 1 blocks are definitely lost" leak
	try "memcheck: one of two, after a realloc" one_of_two
	try "memcheck: nothing" quiet \
		valgrind -q --leak-check=full --error-exitcode=9 "$dir/plain" nothing
	# Of malloc(3), and found by way of a block that itself is found.
	try "memcheck: what blocks point to is no leak" quiet valgrind -q \
		--leak-check=full --error-exitcode=9 "$dir/plain" hold_malloc
	# Else the process would have memory that valgrind does not know of.
	try "valgrind: anonymous mappings" env -u PRIVHEAP_BACKEND \
		valgrind -q --error-exitcode=9 "$dir/plain" nothing
}

one_of_two() {
	valgrind -q "$dir/plain" uninitialised_realloc >"$dir/output" 2>&1
	[ "$(grep -c "uninitialised value" "$dir/output")" = 1 ]
}

# --- AddressSanitizer

address() {
	try "$name: $1" says use-after-poison "$1" "$program" "$1"
}

# address_tests NAME PROGRAM
address_tests() {
	name=$1 program=$2
	address beyond
	address beyond_by_memset
	address before
	address beyond_large
	address after_free
	address after_realloc
	address after_shrink
	address after_destroy
	try "$name: nothing" quiet "$program" nothing
	try "$name: what blocks point to is no leak" quiet "$program" hold_malloc
}

# --- heaptrack

# 12,345 bytes are left, and leak() is in the trace of who asked for them.
heaptrack_tests() {
	(cd "$dir" && heaptrack -o "$dir/track" "$dir/plain" leak) >"$dir/said" 2>&1
	try "heaptrack: leak" says "12.35K leaked" leak heaptrack_print -l 1 \
		"$dir"/track.*
}

# --- gdb

# see COMMAND...: what gdb shows of the heaps.
see() {
	gdb -q -batch -nx -iex "set debuginfod enabled off" "$@" \
		-ex "source $lib/gdb/privheap.py" -ex "info heaps" -ex "print fixed" \
		-ex "info heap fixed" -ex "info heap-block slot + 7" \
		-ex "info heap-block large + 2000003" -ex "info heap-block &large" \
		-ex "print *(struct heap *)heap" -ex "info heap 1" >"$dir/gdb" 2>&1
	cat "$dir/gdb"
	has "fixed, not serialized heap, 1 blocks of 33 bytes" &&
		has "\$1 = 0x[0-9a-f]* (fixed, not serialized heap, 1 blocks of 33" &&
		has "^  0x[0-9a-f]* *33  block\$" &&
		has "^0x[0-9a-f]*: 3 bytes behind the block of 2000000 at" &&
		has "^0x[0-9a-f]*: no block of a heap" &&
		has "0x1 is no heap"
}

see_process() {
	# 88 of 200 bytes, 40 from 600, 40 from 3000, one of 5000 and the large one.
	see "$@" && has "growable heap, 170 blocks of 2168160 bytes, [0-9]* committed" &&
		has "\$2 = growable heap, 170 blocks" &&
		has "^0x[0-9a-f]*: byte 7 of 200 at 0x[0-9a-f]* (slot) of heap"
}

# Slots of slabs are not in it.
see_core() {
	see "$@" && has "growable heap, .* (slabs count as blocks: a core file)"
}

has() {
	grep -q -e "$1" "$dir/gdb" && return
	echo "not there: $1"
	return 1
}

gdb_tests() {
	try "gdb: a process" see_process -ex "run stop" \
		-ex "generate-core-file $dir/core" "$dir/plain" &&
		try "gdb: a core file" see_core "$dir/plain" "$dir/core"
}

# --- all

echo "TAP version 13"
if ! build gcc "$dir/plain" >"$dir/said" 2>&1; then
	comment <"$dir/said"
	result 1 "case.c compiles"
fi
if command -v valgrind >/dev/null; then
	valgrind_tests
else
	skip memcheck "no valgrind here"
fi
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		skip "$compiler: AddressSanitizer" "no $compiler here"
	elif ! build $compiler "$dir/$compiler" -fsanitize=address >"$dir/said" 2>&1; then
		skip "$compiler: AddressSanitizer" "no runtime of it here"
	else
		address_tests "$compiler: AddressSanitizer" "$dir/$compiler"
	fi
done
if command -v heaptrack >/dev/null; then
	heaptrack_tests
else
	skip heaptrack "no heaptrack here"
fi
if command -v gdb >/dev/null; then
	gdb_tests
else
	skip gdb "no gdb here"
fi
echo "1..$number"
exit "$failed"
