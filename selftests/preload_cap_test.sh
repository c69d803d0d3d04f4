#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Caps on programs that know nothing of heaps: each is refused memory, says so as it
# says it always, and lives. By "privheapctl run" on the module, and anywhere by
# PRIVHEAP_MALLOC_LIMIT; on the back end that PRIVHEAP_BACKEND says.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
library=$here/libprivheap-malloc.so
python=/usr/bin/python3

[ -e "$library" ] || skip_all "no $library"
# The interpreter alone is in a guest for any script that names it.
if "$python" -S -c pass 2>/dev/null; then
	runs_python=yes
else
	runs_python=
fi
backend=module
if [ "${PRIVHEAP_BACKEND-}" = anonymous ] || [ ! -e /dev/privheap ]; then
	backend=anonymous
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/preload_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

cat >"$dir/blocks.py" <<'END'
# Large blocks, then small objects, until there is no memory; and on with it.
import os, sys

def fill(make):
    kept = []
    try:
        while len(kept) < 3000000:
            kept.append(make())
    except MemoryError:
        return len(kept)
    return -1

large = fill(lambda: bytearray(100000))
small = fill(lambda: [None] * 20)
child = os.fork()
if not child:
    os._exit(0 if fill(lambda: bytearray(100000)) > 0 else 1)
status = os.waitpid(child, 0)[1]
print("large", large, "small", small, "child", status)
# 64 MiB of the one, and of the other with what objects cost besides.
sys.exit(not (400 < large < 680 and 100000 < small < 400000 and status == 0))
END

# capped SIZE COMMAND...: what it says is in $dir/said and $dir/err
capped() {
	size=$1
	shift
	if [ "$backend" = module ]; then
		PRIVHEAP_MALLOC=$library "$here/privheapctl" run \
			--commit-limit "$size" -- "$@"
	else
		PRIVHEAP_MALLOC_LIMIT=$size LD_PRELOAD=$library \
			PYTHONMALLOC=malloc "$@"
	fi >"$dir/said" 2>"$dir/err" </dev/null
}

# says PATTERN: is there such a line?
says() {
	grep -E -e "$1" "$dir/said" "$dir/err"
}

# check NAME: a result of what came right before it.
check() {
	status=$?
	[ "$status" = 0 ] || cat "$dir/said" "$dir/err" | tail -n 20 | comment
	result "$status" "$1"
}

test_python() {
	if [ -z "$runs_python" ]; then
		skip "python3: MemoryError, and it goes on" "no $python that starts"
		return
	fi
	capped 64M "$python" -S "$dir/blocks.py"
	check "python3: MemoryError, and it goes on"
	grep large "$dir/said" | comment
}

test_sqlite() {
	if ! command -v sqlite3 >/dev/null; then
		skip "sqlite3: out of memory, said by itself" "no sqlite3 here"
		skip "sqlite3: goes on" "no sqlite3 here"
		return
	fi
	cat >"$dir/statements" <<-END
	SELECT length(hex(randomblob(20000000)));
	SELECT 'went on', length(hex(randomblob(1000000)));
	END
	capped 16M sh -c "exec sqlite3 :memory: <$dir/statements"
	says 'out of memory' >/dev/null
	check "sqlite3: out of memory, said by itself"
	says 'went on.2000000' >/dev/null
	check "sqlite3: goes on"
}

test_git() {
	if ! command -v git >/dev/null; then
		skip "git: out of memory, said by itself" "no git here"
		return
	fi
	capped 16M sh -c 'head -c 20000000 /dev/zero | git hash-object --stdin'
	[ $? = 128 ] && says '[Oo]ut of memory' >/dev/null
	check "git: out of memory, said by itself"
}

test_gcc() {
	if ! command -v gcc >/dev/null; then
		skip "gcc: out of memory, said by itself" "no gcc here"
		return
	fi
	echo 'int main(void) { return 0; }' >"$dir/small.c"
	capped 1M gcc -S -o "$dir/small.s" "$dir/small.c"
	[ $? = 1 ] && says 'out of memory' >/dev/null
	check "gcc: out of memory, said by itself"
	capped 64M gcc -S -o "$dir/small.s" "$dir/small.c" && grep -q main "$dir/small.s"
	check "gcc: with enough of it"
}

# What run itself does with the library.
test_run() {
	if [ "$backend" != module ]; then
		for what in "tells what was refused" "without the library" \
				"says that there is no library" "what was to be preloaded stays"; do
			skip "run: $what" "no module here"
		done
		return
	fi
	if [ -n "$runs_python" ]; then
		capped 16M "$python" -S -c 'bytearray(100000000)'
		[ $? = 1 ] && says '^.*MemoryError' >/dev/null &&
			says 'limit 16M, [1-9]' >/dev/null
		check "run: tells what was refused"
	else
		skip "run: tells what was refused" "no $python that starts"
	fi
	# shellcheck disable=SC2016 # for the other shell
	"$here/privheapctl" run --commit-limit 16M --no-malloc -- \
		sh -c 'echo "${LD_PRELOAD-none} ${PYTHONMALLOC-none}"' \
		>"$dir/said" 2>"$dir/err"
	says '^.*none none$' >/dev/null && says 'commit *peak 0,' >/dev/null
	check "run: without the library"
	PRIVHEAP_MALLOC=/nowhere/at-all.so "$here/privheapctl" run -- true \
		>"$dir/said" 2>"$dir/err"
	[ $? = 125 ] && says '/nowhere/at-all.so' >/dev/null
	check "run: says that there is no library"
	# shellcheck disable=SC2016 # for the other shell
	LD_PRELOAD=libc.so.6 PYTHONMALLOC=debug capped 16M \
		sh -c 'echo "$LD_PRELOAD $PYTHONMALLOC"'
	says 'libprivheap-malloc.so:libc.so.6 debug$' >/dev/null
	check "run: what was to be preloaded stays"
}

echo "TAP version 13"
echo "1..10"
test_python
test_sqlite
test_git
test_gcc
test_run
exit "$failed"
