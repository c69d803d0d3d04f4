#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The files that programs_test.sh and preload_cap_test.sh need in a guest, one a line:
# of sqlite3, python3, git and gcc, and of what they start; and of the library, the
# sources to compile.
# What is not installed here is left out.
set -u

here=$(cd "$(dirname "$0")" && pwd)
lib=${PRIVHEAP_TOP:-$here/../..}/lib
sources=${PRIVHEAP_PROGRAMS_GCC:-*.c}

command -v sqlite3
/usr/bin/python3 -I "$here/python_files.py"

if command -v git; then
	for program in git git-upload-pack; do
		echo "$(git --exec-path)/$program"
	done
fi

if command -v gcc; then
	for program in cc1 as ld collect2; do
		path=$(gcc -print-prog-name="$program")
		command -v "$path"
	done
	# What the linker loads, whether it has anything to do or not.
	realpath -s "$(gcc -print-file-name=liblto_plugin.so)"
	# What a library is linked with.
	for file in crti.o crtn.o crtbeginS.o crtendS.o libgcc.a libgcc_s.so libgcc_s.so.1 \
			libc.so libc_nonshared.a libc.so.6 libpthread.a \
			ld-linux-x86-64.so.2; do
		path=$(gcc -print-file-name="$file")
		[ "$path" = "$file" ] || readlink -f "$(dirname "$path")" | sed "s|\$|/$file|"
	done
	cd "$lib" || exit
	# shellcheck disable=SC2086 # names, or patterns
	for source in $(cd src && ls $sources); do
		echo "$PWD/src/$source"
		gcc -std=gnu11 -D_GNU_SOURCE -O2 -Iinclude -I../uapi -M "src/$source"
	done | sed 's/[\\ ]/\n/g' | grep '\.[ch]$' | while read -r file; do
		echo "$(realpath "$(dirname "$file")")/${file##*/}"
	done
fi | sort -u
