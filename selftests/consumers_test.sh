#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs of others find the library, and are built with it: by its headers alone,
# by pkg-config, by CMake, and as sources for Windows that nobody edits; against
# what "make install" puts into a folder.
#
# Needs a compiler and the sources (PRIVHEAP_TOP). Runs on the back end that
# PRIVHEAP_BACKEND says.
# shellcheck disable=SC2317 # functions are called by name
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
top=${PRIVHEAP_TOP:-$here/..}
lib=$top/lib
consumers=$here/consumers
export LC_ALL=C

[ -e "$lib/Makefile" ] || skip_all "no sources here"
command -v "${CC:-gcc}" >/dev/null || skip_all "no ${CC:-gcc} here"
cc=${CC:-gcc}
cxx=${CXX:-g++}
dir=$(mktemp -d "${TMPDIR:-/tmp}/consumers_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
root=$dir/root
prefix=/opt/private
libdir=$prefix/lib/here

# --- what is installed

install_library() {
	make -s -C "$lib" CC="$cc" DESTDIR="$root" PREFIX="$prefix" LIBDIR="$libdir" install
}

# The soname, and each symbol that is visible has the version of the map.
symbols() {
	file=$root$libdir/libprivheap.so.0
	readelf -d "$file" | grep -q 'SONAME.*\[libprivheap\.so\.0\]' || return
	sed -n 's/^\t\([A-Za-z][A-Za-z0-9_]*\);$/\1@@LIBPRIVHEAP_0.1/p' \
		"$lib/libprivheap.map" | sort >"$dir/wanted"
	nm -D --defined-only --with-symbol-versions "$file" |
		awk '$2 != "A" { print $3 }' | sort >"$dir/found"
	[ -s "$dir/wanted" ] && diff "$dir/wanted" "$dir/found"
}

# Each function of Windows is in Mono's maps, and those that are there twice, with 32
# bits for a size, are in the one for such sizes.
dllmaps() {
	sed -n 's/@@.*//p' "$dir/wanted" | grep -v -i '^privheap' >"$dir/exported"
	grep -v '_u32$' "$dir/exported" >"$dir/names"
	for map in dllmap dllmap-uintptr; do
		sed -n 's/.*dll="libprivheap\.so\.0" name="\(.*\)" target="\(.*\)".*/\1 \2/p' \
			"$root$prefix/share/privheap/mono/$map.config" |
			sort >"$dir/$map"
		cut -d ' ' -f 1 "$dir/$map" | diff "$dir/names" - || return
	done
	while read -r function target; do
		[ "$target" = "$function" ] || [ "$target" = "${function}_u32" ] || return
	done <"$dir/dllmap"
	awk '$1 != $2 { print $2 }' "$dir/dllmap" >"$dir/u32"
	grep '_u32$' "$dir/exported" | diff - "$dir/u32" &&
		! awk '$1 != $2' "$dir/dllmap-uintptr" | grep .
}

# --- headers

# build_and_run NAME COMPILER FLAG...: and it finds the library beside it.
build_and_run() {
	out=$dir/$1
	shift
	"$@" -pedantic -Wall -Wextra -Werror -O2 -o "$out" || return
	LD_LIBRARY_PATH=$root$libdir "$out"
}

headers() {
	include=-I$root$prefix/include
	so=$root$libdir/libprivheap.so
	for standard in c99 c11 c17; do
		try "$standard: compiled without a warning, linked, run" \
			build_and_run "$standard" "$cc" -std="$standard" "$include" \
			"$consumers/caller.c" "$so"
	done
	needs "$cxx" "c++98: compiled without a warning, linked, run" \
		"c++11: compiled without a warning, linked, run" \
		"c++17: compiled without a warning, linked, run" \
		"c++11: a container in a heap, exceptions" || return
	for standard in c++98 c++11 c++17; do
		try "$standard: compiled without a warning, linked, run" \
			build_and_run "$standard" "$cxx" -std="$standard" \
			"$include" -x c++ "$consumers/caller.c" -x none "$so"
	done
	try "c++11: a container in a heap, exceptions" build_and_run cxx \
		"$cxx" -std=c++11 "$include" "$consumers/caller.cc" "$so"
}

# --- pkg-config

config() {
	PKG_CONFIG_LIBDIR=$root$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root \
		pkg-config "$@"
}

by_config() {
	package=$1
	source=$2
	how=$3
	flags=$(config --cflags --libs "--$how" "$package") || return
	# Where both are, the linker takes the shared one.
	[ "$how" = shared ] || flags="-static $flags"
	# shellcheck disable=SC2086 # several words
	build_and_run by_config "$cc" -std=c11 "$source" $flags
}

by_version() {
	[ "$(config --modversion privheap)" = "$(sed -n \
		's/^#define PRIVHEAP_VERSION[[:space:]]*"\(.*\)"$/\1/p' \
		"$top/uapi/linux/privheap_version.h")" ] &&
		! config --exists 'privheap >= 9'
}

pkg_config() {
	needs pkg-config "pkg-config: the version" "pkg-config: shared" \
		"pkg-config: static" "pkg-config: <windows.h>" || return
	try "pkg-config: the version" by_version
	try "pkg-config: shared" by_config privheap "$consumers/caller.c" shared
	try "pkg-config: static" by_config privheap "$consumers/caller.c" static
	try "pkg-config: <windows.h>" by_config privheap-win32 \
		"$lib/examples/enumerate.c" shared
}

# --- CMake

by_cmake() {
	cmake -S "$consumers" -B "$dir/cmake" -DCMAKE_PREFIX_PATH="$root$libdir" \
		-Dprivheap_DIR="$root$libdir/cmake/privheap" \
		-DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
		-DSOURCES="$lib/examples" && cmake --build "$dir/cmake" || return
	for program in shared static shared_cxx win32; do
		"$dir/cmake/$program" || return
	done
	readelf -d "$dir/cmake/shared" | grep -q 'NEEDED.*\[libprivheap\.so\.0\]' &&
		! readelf -d "$dir/cmake/static" | grep libprivheap
}

# The folder by a link, as /lib is one to /usr/lib: what is beside it is not there.
by_cmake_link() {
	mkdir -p "$dir/links/lib" && ln -s "$root$libdir" "$dir/links/lib/here" || return
	cmake -S "$consumers" -B "$dir/cmake-link" \
		-Dprivheap_DIR="$dir/links/lib/here/cmake/privheap" \
		-DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
		-DSOURCES="$lib/examples" && cmake --build "$dir/cmake-link" \
		--target shared && "$dir/cmake-link/shared"
}

# A version that is not there, and one with another soname.
by_cmake_refused() {
	for version in 0.9 1.0; do
		! cmake -S "$consumers" -B "$dir/cmake-$version" \
			-Dprivheap_DIR="$root$libdir/cmake/privheap" \
			-DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
			-DWANTED="$version" >"$dir/refused" 2>&1 || return
		grep -q "compatible with requested version" "$dir/refused" ||
			{ cat "$dir/refused"; return 1; }
	done
}

by_cmake_all() {
	if ! command -v cmake >/dev/null || ! command -v "$cxx" >/dev/null; then
		skip "CMake: shared, static, C++, <windows.h>" "no cmake or $cxx here"
		skip "CMake: found by a link" "no cmake or $cxx here"
		skip "CMake: other versions are refused" "no cmake or $cxx here"
		return
	fi
	try "CMake: shared, static, C++, <windows.h>" by_cmake
	try "CMake: found by a link" by_cmake_link
	try "CMake: other versions are refused" by_cmake_refused
}

# --- a source for Windows

# One include path, of the sources or of what was installed, and the library.
unedited() {
	build_and_run unedited "$cc" -std=c99 "-I$1" "$lib/examples/enumerate.c" \
		"$root$libdir/libprivheap.a" -pthread
}

# The path is what does it.
unfound() {
	! "$cc" -fsyntax-only "$lib/examples/enumerate.c" 2>"$dir/unfound" &&
		grep -q 'windows\.h: No such file' "$dir/unfound"
}

for_windows() {
	try "a source for Windows: with the path in the sources" \
		unedited "$lib/include/privheap-win32"
	try "a source for Windows: with the path that is installed" \
		unedited "$root$prefix/include/privheap-win32"
	try "a source for Windows: not without it" unfound
	name="a source for Windows: it is one"
	if needs x86_64-w64-mingw32-gcc "$name"; then
		try "$name" x86_64-w64-mingw32-gcc -Wall -Wextra -Werror \
			-o "$dir/enumerate.exe" "$lib/examples/enumerate.c"
	fi
}

echo "TAP version 13"
echo "1..21"
try "make install, into a folder" install_library || {
	echo "Bail out! nothing is installed"
	exit 1
}
try "the library's soname, and versions of its symbols" symbols
try "Mono's maps have each function" dllmaps
headers
pkg_config
by_cmake_all
for_windows
exit "$failed"
