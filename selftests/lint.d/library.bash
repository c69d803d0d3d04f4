# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# The library and its tools: what compilers find beyond warnings, and the ABI.

abi_file=lib/abi/libprivheap.abi

# What lib/Makefile compiles them with, without what it leaves behind.
library_flags=(-std=gnu11 -D_GNU_SOURCE -O2 -fPIC -fexceptions
	-pthread -Wall -Wextra -Ilib/include -Iuapi)

library_files() {
	need_packages /usr/include/libmnl/libmnl.h=libmnl-dev
	files_of 'lib/src/*.c' 'lib/tools/*.c'
}

# The static analyzer of clang (scan-build's) is among the checks. Its remarks:
# FILE:LINE:COLUMN: warning: TEXT [CHECK], and lines that explain.
step_clang_tidy() {
	local log=$work/clang-tidy file status=0
	need_packages clang-tidy=clang-tidy
	# One by one: what it knows of va_list it would carry over to the next file.
	while IFS= read -r file; do
		clang-tidy --quiet "$file" -- "${library_flags[@]}" || status=1
	done >"$log" 2>"$log.err" < <(library_files)
	sed -n -e "s|^$PWD/||" -e 's/^\([^:]*:[0-9]*\):[0-9]*: \(warning\|error\): \(.*\) \[\([^]]*\)\]$/\1:\4: \3/p' \
		"$log" | sort -u >"$log.remarks"
	# An error of its own, and none in a file.
	if [ "$status" != 0 ] && [ ! -s "$log.remarks" ]; then
		cat "$log.err"
		return 1
	fi
	accept "$lint_dir/clang-tidy.list" <"$log.remarks"
}

step_analyzer() {
	local file log=$work/analyzer
	need_packages gcc=gcc
	library_files | while IFS= read -r file; do
		gcc "${library_flags[@]}" -fanalyzer -fdiagnostics-plain-output \
			-S -o /dev/null "$file" || echo "$file: status $?"
	done >"$log" 2>&1
	cat "$log"
	[ ! -s "$log" ]
}

# build_for_abi: a library with debugging information, in a copy of lib.
build_for_abi() {
	local dir=$work/abi
	need_packages make=make gcc=gcc abidiff=abigail-tools
	mkdir -p "$dir/lib" && cp -r uapi "$dir" &&
		cp -r lib/Makefile lib/src lib/include lib/*.map "$dir/lib" &&
		make -s -C "$dir/lib" CFLAGS="-O2 -g" libprivheap.so >/dev/null
}


update_abi() {
	[ "$(uname -m)" = x86_64 ] || die "the ABI is kept for x86-64"
	build_for_abi || return
	mkdir -p "${abi_file%/*}"
	abidw --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed \
		--exported-interfaces-only --drop-private-types \
		--headers-dir "$work/abi/lib/include" \
		--out-file "$work/abi/new.abi" "$work/abi/lib/libprivheap.so" &&
		cp "$work/abi/new.abi" "$abi_file"
}

step_abi() {
	[ "$(uname -m)" = x86_64 ] || {
		echo "the ABI is kept for x86-64"
		return 4
	}
	build_for_abi || return
	abidiff --no-show-locs --headers-dir2 "$work/abi/lib/include" \
		--drop-private-types "$abi_file" "$work/abi/lib/libprivheap.so"
}
