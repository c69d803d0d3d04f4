#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Callers in the languages that the functions were specified for: C# on Mono by the
# declarations of lib/mono and its dllmap, the same metadata out of ilasm, C and C++
# by the header, Python by ctypes. Each judges what it is answered; here it is shown
# that the answers came from this library, and that without what it ships they do not.
#
#   callers_test.sh --build FOLDER	what has to be compiled, for another machine
#   callers_test.sh			with PRIVHEAP_CALLERS, such a folder, or after
#					compiling
#
# Runs on the back end that PRIVHEAP_BACKEND says.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
top=${PRIVHEAP_TOP:-$here/..}
python=/usr/bin/python3
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

# --- what is compiled

# lacks WHAT COMMAND...: notes the first command that is not here.
lacks() {
	what=$1
	shift
	for command; do
		command -v "$command" >/dev/null || {
			echo "no $command here" >"$to/$what.lacks"
			return
		}
	done
	return 1
}

build_c() {
	lacks c gcc || gcc -std=c99 -O2 -Wall -I"$top/lib/include" -I"$top/uapi" \
		-o "$to/c" "$here/consumers/caller.c" "$to/libprivheap.so.0" || return
	lacks cxx g++ || g++ -std=c++11 -O2 -Wall -I"$top/lib/include" \
		-I"$top/uapi" -o "$to/cxx" "$here/consumers/caller.cc" \
		"$to/libprivheap.so.0"
}

# The same program five times, with other maps beside it.
build_cs() {
	lacks cs mcs && return
	mcs -warnaserror -out:"$to/heap.exe" "$here/callers/heap.cs" \
		"$top/lib/mono/Kernel32.cs" || return
	for kind in cs beside plain foreign uintptr; do
		mkdir -p "$to/$kind" && cp "$to/heap.exe" "$to/$kind" || return
	done
	cp "$to/libprivheap.so.0" "$to/beside"
	cp "$top/lib/mono/dllmap.config" "$to/cs/heap.exe.config" &&
		cp "$top/lib/mono/dllmap.config" "$to/beside/heap.exe.config" &&
		cp "$top/lib/mono/dllmap-uintptr.config" \
			"$to/uintptr/heap.exe.config" || return
	cat >"$to/foreign/heap.exe.config" <<-END
	<configuration>
	  <dllmap dll="i:kernel32.dll" target="/usr/lib/libMonoSupportW.so"/>
	</configuration>
	END
}

# build_il FOLDER SED-SCRIPT: the program, with the declarations in a file of their own.
build_il() {
	out=$to/$1
	mkdir -p "$out" && sed "$2" "$here/callers/Kernel32.il" >"$out/Kernel32.il" &&
		ilasm /quiet /dll "/output:$out/Kernel32.dll" "$out/Kernel32.il" &&
		mcs -warnaserror -r:"$out/Kernel32.dll" -out:"$out/heap.exe" \
			"$here/callers/heap.cs" &&
		cp "$top/lib/mono/dllmap.config" "$out/Kernel32.dll.config"
}

# What is imported from Kernel32.dll, and how.
imports() {
	monodis "$1" | grep -A 1 'pinvokeimpl ("Kernel32\.dll"'
}

build_metadata() {
	lacks il mcs ilasm && return
	build_il il '' && build_il declare \
		's/\("Kernel32\.dll"\) \(lasterr \)*winapi/\1 nomangle ansi lasterr winapi/' ||
		return
	lacks metadata monodis && return
	imports "$to/heap.exe" >"$to/metadata.cs" &&
		imports "$to/il/Kernel32.dll" >"$to/metadata.il" &&
		imports "$to/declare/Kernel32.dll" >"$to/metadata.declare"
}

# build FOLDER: what cannot be compiled on this machine is noted there.
build() {
	to=$1
	mkdir -p "$to/python" && make -s -C "$top/lib" libprivheap.so >/dev/null &&
		cp "$top/lib/libprivheap.so.0" "$to/" &&
		cp "$top/lib/python/privheap.py" "$here/callers/heap.py" "$to/python" &&
		build_c && build_cs && build_metadata
}

if [ "${1-}" = --build ]; then
	build "$2"
	exit
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/callers_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
to=${PRIVHEAP_CALLERS-}
if [ -z "$to" ]; then
	[ -e "$top/lib/Makefile" ] || skip_all "no sources here, and no PRIVHEAP_CALLERS"
	to=$dir/built
	build "$to" >"$dir/said" 2>&1 || {
		echo "TAP version 13"
		echo "1..1"
		comment <"$dir/said"
		result 1 "compiled"
		exit 1
	}
fi
export LD_LIBRARY_PATH="$to"
backend="of the library's own making"
if [ "${PRIVHEAP_BACKEND-}" != anonymous ] && [ -e /dev/privheap ]; then
	backend="a region of the module"
fi

# --- what it does

# can WHAT COMMAND NAME: or the result is skipped.
can() {
	why=
	[ ! -e "$to/$1.lacks" ] || why=$(cat "$to/$1.lacks")
	command -v "$2" >/dev/null || why="no $2 here"
	[ -n "$why" ] || return 0
	skip "$3" "$why"
	return 1
}

# said STATUS NAME: a result, with what was said if it is no good.
said() {
	[ "$1" = 0 ] || tail -n 60 "$dir/said" | comment
	result "$1" "$2"
}

# fine PROGRAM...: it is content with each answer.
fine() {
	"$@" >"$dir/said" 2>&1 || return
	! grep FAILED "$dir/said" && grep -q fine "$dir/said"
}

# Of C#'s checks all were made, and this back end's.
fine_cs() {
	fine mono "$to/$1/heap.exe" && grep -q -x '0 checks failed' "$dir/said" &&
		grep -q -x "fine: which is $backend" "$dir/said" &&
		[ "$(grep -c '^fine: ' "$dir/said")" = 29 ]
}

test_c() {
	name="C: by the header"
	can c true "$name" && { fine "$to/c"; said $? "$name"; }
	name="C++: by the header, exceptions through the library"
	can cxx true "$name" && { fine "$to/cxx"; said $? "$name"; }
}

# Each function that the program imports from Kernel32.dll, by the loader's own
# account of where it found it.
bound() {
	LD_DEBUG=bindings LD_DEBUG_OUTPUT="$dir/bound" mono "$to/cs/heap.exe" \
		>"$dir/said" 2>&1 || return
	cat "$dir"/bound.* >"$dir/bindings"
	for function in HeapCreate_u32 HeapAlloc_u32 HeapReAlloc_u32 HeapFree HeapSize \
		HeapValidate HeapCompact HeapLock HeapUnlock HeapSummary HeapDestroy \
		GetProcessHeap GetProcessHeaps GetSystemInfo; do
		grep -q "to $to/libprivheap\.so\.0 .*normal symbol .$function'\$" \
			"$dir/bindings" || {
			echo "$function was not found in the library" >>"$dir/said"
			return 1
		}
	done
	# And none of them in Mono's own.
	! grep 'MonoSupportW.*symbol .Heap' "$dir/bindings" >>"$dir/said"
}

# Without a map there is no such function.
unmapped() {
	! mono "$to/plain/heap.exe" >"$dir/said" 2>&1 &&
		grep -q 'EntryPointNotFoundException: HeapCreate' "$dir/said"
}

# Mono's support library has functions of these names, which are malloc and free: it
# answers, and the proof tells.
foreign() {
	! mono "$to/foreign/heap.exe" proof >"$dir/said" 2>&1 &&
		grep -q -x 'fine: HeapCreate' "$dir/said" &&
		grep -q -x 'FAILED: the library knows the handle' "$dir/said" &&
		grep -q -x "FAILED: which is $backend" "$dir/said"
}

# To the functions with 64-bit sizes a uint is not always the number that it was.
needs_u32() {
	! mono "$to/uintptr/heap.exe" >"$dir/said" 2>&1 &&
		grep '^FAILED' "$dir/said" >"$dir/failed" &&
		[ "$(grep -c 'FAILED: a size of 4 GiB less a page: ' "$dir/failed")" = \
			"$(wc -l <"$dir/failed")" ]
}

beside() (
	unset LD_LIBRARY_PATH
	cd / && fine_cs beside
)

test_cs() {
	name="C#: all checks of its program"
	can cs mono "$name" && { fine_cs cs; said $? "$name"; }
	name="C#: each function was found in this library"
	can cs mono "$name" && { bound; said $? "$name"; }
	name="C#: the library beside the program"
	can cs mono "$name" && { beside; said $? "$name"; }
	name="C#: without the dllmap there is no HeapCreate"
	can cs mono "$name" && { unmapped; said $? "$name"; }
	name="C#: Mono's own functions of these names are told from it"
	if [ ! -e /usr/lib/libMonoSupportW.so ]; then
		skip "$name" "no libMonoSupportW.so here"
	else
		can cs mono "$name" && { foreign; said $? "$name"; }
	fi
	name="C#: sizes of 2 GiB and more need the functions with 32 bits"
	if [ "$(uname -m)" != x86_64 ]; then
		skip "$name" "other machines pass arguments in other ways"
	else
		can cs mono "$name" && { needs_u32; said $? "$name"; }
	fi
}

# VB.NET, F#: compilers for them are not in Debian. What they would make is.
same_metadata() {
	[ -s "$to/metadata.cs" ] &&
		diff "$to/metadata.cs" "$to/metadata.il" >"$dir/said" 2>&1 &&
		! cmp -s "$to/metadata.cs" "$to/metadata.declare"
}

test_il() {
	name="metadata: the attribute's, as C#, VB.NET and F# have it"
	if can il true "$name" && can metadata true "$name"; then
		same_metadata
		said $? "$name"
	fi
	name="metadata: the attribute's, all checks"
	can il mono "$name" && { fine_cs il; said $? "$name"; }
	name="metadata: as of VB.NET's Declare, all checks"
	can il mono "$name" && { fine_cs declare; said $? "$name"; }
}

python_import_fails() {
	! PRIVHEAP_LIBRARY=libm.so.6 PYTHONPATH="$to/python" \
		"$python" "$to/python/heap.py" >"$dir/said" 2>&1 &&
		grep -q 'undefined symbol: HeapCreate' "$dir/said"
}

test_python() {
	name="Python: ctypes, all checks"
	can python "$python" "$name" && {
		PYTHONPATH=$to/python fine "$python" "$to/python/heap.py" &&
			[ "$(grep -c '^fine: ' "$dir/said")" = 18 ]
		said $? "$name"
	}
	name="Python: another library is none"
	can python "$python" "$name" && { python_import_fails; said $? "$name"; }
}

echo "TAP version 13"
echo "1..13"
test_c
test_cs
test_il
test_python
exit "$failed"
