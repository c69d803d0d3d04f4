#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Real programs do the same on a private heap as on libc's: each runs without a
# library and with malloc_shim.so, which is libprivheap-malloc.so with an account
# of what it does, and output, exit status and the files that it made must not
# differ. The shim's report shows that the heap served them, and that the heap has
# as many blocks in the end as the program left.
#
# On the back end that PRIVHEAP_BACKEND says. PRIVHEAP_PROGRAMS_ROWS is the size of
# sqlite3's table, PRIVHEAP_PROGRAMS_PYTHON which of python's tests to run,
# PRIVHEAP_PROGRAMS_GCC which files of lib/src to compile (all).
# shellcheck disable=SC2317 # both() calls functions by name
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
shim=$here/malloc_shim.so
lib=${PRIVHEAP_TOP:-$here/..}/lib
rows=${PRIVHEAP_PROGRAMS_ROWS:-50000}
python_tests=${PRIVHEAP_PROGRAMS_PYTHON:-test.test_json test.test_re test.test_fork1}
sources=${PRIVHEAP_PROGRAMS_GCC:-*.c}
python=/usr/bin/python3

[ -e "$shim" ] || skip_all "no $shim"
[ -x "$here/malloc_calls" ] || skip_all "no $here/malloc_calls"
backend=module
if [ "${PRIVHEAP_BACKEND-}" = anonymous ] || [ ! -e /dev/privheap ]; then
	backend=anonymous
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/programs_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

# both NAME FUNCTION: run it in the folder NAME/plain, then in NAME/shim with
# $preload set; what it says is in "said" there.
both() {
	name=$1
	mkdir -p "$dir/$name/plain" "$dir/$name/shim"
	for preload in '' "$shim"; do
		out=$dir/$name/${preload:+shim}
		[ -n "$preload" ] || out=$dir/$name/plain
		(
			cd "$out" || exit 1
			"$2"
			echo "status $?"
		) >"$out/said" 2>&1
	done
}

# The program and all that it starts get the library; not so this shell's tools.
under() {
	env PRIVHEAP_SHIM_REPORT="$dir/$name/report" LD_PRELOAD="$preload" "$@"
}

# same NAME FILE WHAT: both runs made the same FILE, and it is not empty.
same() {
	[ -s "$dir/$1/plain/$2" ] && cmp "$dir/$1/plain/$2" "$dir/$1/shim/$2"
	status=$?
	result "$status" "$3"
	[ "$status" = 0 ] || [ "$2" != said ] ||
		diff "$dir/$1/plain/$2" "$dir/$1/shim/$2" | cut -c 1-200 |
			tail -n 20 | comment
}

# served NAME PROGRAM PROCESSES CALLS: the shim reports at least that many
# processes of the program with at least as many calls each, and nothing amiss
# in any process.
served() {
	awk -v program="$2" -v processes="$3" -v calls="$4" \
		-v backend="$backend" '
		{
			for (i = 2; i <= NF; i++) {
				split($i, pair, "=")
				value[pair[1]] = pair[2]
			}
			if (value["backend"] != backend ||
			    value["live"] != value["blocks"]) {
				print "amiss: " $0
				bad = 1
			}
			if ($1 == program && value["calls"] + 0 >= calls)
				seen++
			sum[$1] += value["calls"]
			bytes[$1] += value["bytes"]
		}
		END {
			for (i in sum)
				print i ": " sum[i] " calls, " bytes[i] " bytes"
			exit bad || seen + 0 < processes
		}' "$dir/$1/report" >"$dir/served" 2>&1
	result $? "$1: served by the heap"
	comment <"$dir/served"
}

# --- the programs

run_calls() {
	under "$here/malloc_calls"
}

test_calls() {
	both malloc_calls run_calls
	! grep BROKEN "$dir/malloc_calls/shim/said" &&
		grep -q -x 'status 0' "$dir/malloc_calls/shim/said"
	result $? "malloc_calls: promises kept"
	same malloc_calls said "malloc_calls: output"
	served malloc_calls malloc_calls 1 80000
}

run_sqlite() {
	sed "s/:rows/$rows/" "$here/programs/queries.sql" >queries.sql
	under sqlite3 -init /dev/null data <queries.sql
}

test_sqlite() {
	if ! command -v sqlite3 >/dev/null; then
		skip "sqlite3: rows" "no sqlite3 here"
		skip "sqlite3: output" "no sqlite3 here"
		skip "sqlite3: database" "no sqlite3 here"
		skip "sqlite3: served by the heap" "no sqlite3 here"
		return
	fi
	both sqlite3 run_sqlite
	# Whatever it says of the last query is worth little without the rows.
	grep -q "^$rows|" "$dir/sqlite3/plain/said"
	result $? "sqlite3: $rows rows"
	same sqlite3 said "sqlite3: output"
	same sqlite3 data "sqlite3: database"
	served sqlite3 sqlite3 1 $((50000 + rows * 5))
}

run_python() {
	export PYTHONMALLOC=malloc PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
	# shellcheck disable=SC2086 # names of tests
	under "$python" "$here/programs/python_tests.py" $python_tests
}

test_python() {
	lacks=
	[ -x "$python" ] || lacks="no $python here"
	# shellcheck disable=SC2086 # names of tests
	[ -n "$lacks" ] || "$python" -c 'import sys, importlib
for name in sys.argv[1:]: importlib.import_module(name)' $python_tests \
		2>/dev/null || lacks="$python has not its own tests"
	if [ -n "$lacks" ]; then
		skip "python3: its tests pass without the heap" "$lacks"
		skip "python3: output" "$lacks"
		skip "python3: served by the heap" "$lacks"
		return
	fi
	both python3 run_python
	for out in plain shim; do
		sed -i -e 's/^\(Ran [0-9]* tests\) in .*s$/\1/' \
			-e 's/\(reaped child process\) [0-9]*$/\1/' \
			"$dir/python3/$out/said"
	done
	grep -E '^(Ran [0-9]|OK|ERROR|FAIL|[A-Z][A-Za-z]*Error)' \
		"$dir/python3/plain/said" | comment
	grep -q '^OK' "$dir/python3/plain/said"
	result $? "python3: its tests pass without the heap"
	same python3 said "python3: output"
	# The tests start more of them, with less to do.
	served python3 python3 1 200000
}

# A repository with a history, packed, and looked at: git starts itself by fork(2).
run_git() {
	export HOME="$PWD" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
	export GIT_AUTHOR_DATE="@1700000000 +0000" GIT_COMMITTER_DATE="@1700000000 +0000"
	under git init -q -b main tree && cd tree || return
	under git config user.name somebody
	under git config user.email somebody@example.org
	under git config gc.autoDetach false
	under git config pack.threads 2
	n=0
	while [ "$n" -lt 6 ]; do
		n=$((n + 1))
		cp "$here/programs/queries.sql" "$here/tap.sh" .
		sed -n "1,$((n * 20))p" queries.sql >"part-$n"
		sed "s/SELECT/SELECT$n/" queries.sql >changed
		under git add . && under git commit -q -m "number $n" || return
	done
	under git checkout -q -b side HEAD~3 && echo side >side &&
		under git add side && under git commit -q -m side &&
		under git merge -q -m merged main || return
	under git log --stat --format='%H %s' && under git diff HEAD~2 || return
	under git -c core.commitGraph=true gc -q --aggressive && under git fsck --full ||
		return
	under git grep -c SELECT && under git blame -s changed | tail -n 5
	cd .. && under git clone -q --no-local tree copy && under git -C copy status
	under git -C tree verify-pack -s tree/.git/objects/pack/*.idx
	find tree/.git -name '*.pack' -exec basename {} \;
}

test_git() {
	if ! command -v git >/dev/null; then
		skip "git: works without the heap" "no git here"
		skip "git: output" "no git here"
		skip "git: served by the heap" "no git here"
		return
	fi
	both git run_git
	grep -q 'On branch side' "$dir/git/plain/said" &&
		grep -q -x 'status 0' "$dir/git/plain/said"
	result $? "git: works without the heap"
	same git said "git: output"
	served git git 20 300
}

run_gcc() {
	to=$PWD
	cd "$lib" || return
	# shellcheck disable=SC2086 # names, or patterns
	for source in $(cd src && ls $sources); do
		source=src/$source
		object=${source##*/}
		under gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -fPIC -fexceptions \
			-fvisibility=hidden -pthread -Wall -Wextra -Iinclude \
			-I../uapi -c -o "$to/${object%.c}.o" "$source" || return
	done
	cd "$to" || return
	# A part of them makes no library, but can be linked for later.
	how=-shared
	[ "$sources" = '*.c' ] || how='-r -nostdlib'
	# shellcheck disable=SC2086 # options
	under gcc $how -pthread -o library ./*.o || return
	cat ./*.o >objects
}

test_gcc() {
	lacks=
	# shellcheck disable=SC2086 # names, or patterns
	(cd "$lib/src" && ls $sources) >/dev/null 2>&1 || lacks="no $lib/src/$sources here"
	command -v gcc >/dev/null || lacks="no gcc here"
	if [ -n "$lacks" ]; then
		skip "gcc: works without the heap" "$lacks"
		skip "gcc: output" "$lacks"
		skip "gcc: object code" "$lacks"
		skip "gcc: linked library" "$lacks"
		skip "gcc: served by the heap" "$lacks"
		return
	fi
	both gcc run_gcc
	grep -q -x 'status 0' "$dir/gcc/plain/said"
	status=$?
	result "$status" "gcc: works without the heap"
	[ "$status" = 0 ] || tail -n 20 "$dir/gcc/plain/said" | comment
	same gcc said "gcc: output"
	same gcc objects "gcc: object code"
	same gcc library "gcc: linked library"
	served gcc cc1 "$(find "$dir/gcc/plain" -name '*.o' | wc -l)" 5000
}

echo "TAP version 13"
echo "1..18"
test_calls
test_sqlite
test_python
test_git
test_gcc
exit "$failed"
