#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every command in the documents is run, and every program in them compiles:
# documents/README.md tells how. Needs the sources (PRIVHEAP_TOP), and runs without
# the module.
#
#   documents_test.sh		what can be run here, and that all else is run;
#				with PRIVHEAP_DOCUMENTS=long what takes minutes, too
#   documents_test.sh --guest	print what documents_guest_test.sh is to run
#   documents_test.sh --program NAME	print the program of that name
# shellcheck disable=SC2317 # functions are called by name
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
top=${PRIVHEAP_TOP:-$(dirname "$here")}
documents=(README.md kmod/README.md kmod/install/README.md lib/README.md lib/PORTING.md
	lib/DEBUGGING.md lib/MALLOC.md selftests/fuzz/README.md
	selftests/README.md selftests/documents/README.md
	selftests/experiments/README.md)
long=
[ "${PRIVHEAP_DOCUMENTS-}" != long ] || long=1
guest=
[ "${1-}" != --guest ] || guest=1

[ -e "$top/README.md" ] || skip_all "no sources here"
cd "$top" || exit 1
dir=$(mktemp -d "${TMPDIR:-/tmp}/documents_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
for document in "${documents[@]}" lib/man/*.[1-9] kmod/man/*.[1-9]; do
	awk -f selftests/documents/extract.awk "$document"
done >"$dir/found"

# --- the table

# By "HOW COMMAND"; a command may be run in more than one way.
declare -A table=() used=() ways=()
entry=
while IFS= read -r line; do
	case $line in
	''|'#'*) continue ;;
	$'\t'*)	table[$entry]=${line#$'\t'} ;;
	*)	entry=$line
		table[$entry]=
		ways[${line#* }]+="${line%% *} " ;;
	esac
done <selftests/documents/commands

# Each block of "found" as one word of the shell: kind, place, text, shown, and what
# stands in it.
blocks() {
	awk '
	function give() {
		if (kind != "")
			printf "%s%c%s%c%s%c%s%c%s%c", kind, 0, at, 0, text, 0,
			       shown, 0, body, 0
		kind = ""
	}
	/^[@!ct] / {
		give()
		kind = $1
		at = $2
		text = substr($0, length($1 $2) + 3)
		shown = body = ""
		next
	}
	/^=$/ { shown = "shown"; next }
	{ body = body substr($0, 2) "\n" }
	END { give() }' "$dir/found"
}

if [ -n "$guest" ]; then
	while IFS= read -r -d '' kind && IFS= read -r -d '' at &&
		IFS= read -r -d '' text && IFS= read -r -d '' shown &&
		IFS= read -r -d '' body; do
		if [ "$kind" != @ ] || [ -z "${table["guest $text"]+set}" ]; then
			continue
		fi
		echo "@ $at ${table["guest $text"]:-$text}"
		[ -z "$shown" ] || echo "="
		[ -z "$body" ] || printf '%s' "$body" | awk '{ print "|" $0 }'
	done < <(blocks)
	exit
fi

if [ "${1-}" = --program ]; then
	while IFS= read -r -d '' kind && IFS= read -r -d '' at &&
		IFS= read -r -d '' text && IFS= read -r -d '' shown &&
		IFS= read -r -d '' body; do
		[ "$kind $text" != "c $2" ] || printf '%s' "$body"
	done < <(blocks)
	exit
fi

command -v gcc >/dev/null || skip_all "no gcc here"

# --- running here

tree=$dir/tree
mkdir "$tree"
tar -c --exclude='lib/build-*' --exclude='lib/build32*' Makefile uapi lib | tar -x -C "$tree"
ln -s "$top/selftests" "$top/kmod" "$top/Kbuild" "$tree/"

# run_here SECONDS COMMAND SHOWN WANT
run_here() {
	(cd "$tree" && timeout "$1" bash -c "$2") >"$dir/out" 2>&1 </dev/null || {
		cat "$dir/out"
		return 1
	}
	[ -n "$3" ] || return 0
	printf '%s' "$4" >"$dir/want"
	awk -f selftests/documents/transcript.awk "$dir/want" "$dir/out" || {
		cat "$dir/out"
		return 1
	}
}

prepared() {
	[ -z "$1" ] || (cd "$tree" && bash -c "$1") || return
	shift
	run_here "$@"
}

# --- those that others run

# Is there such a configuration of check, and has the file the string?
is_elsewhere() {
	local lane file string
	read -r lane file string <<<"$1"
	case $lane in
	ci)	;;
	*/*)	grep -q -E "^(configurations=|	).*\b$lane\b" selftests/check ;;
	*)	grep -q -E "^	(.*\|)?$lane(\|.*)?\)" selftests/check ;;
	esac || { echo "check has no configuration $lane"; return 1; }
	if [ -z "$string" ] || ! grep -q -F -e "$string" "$file"; then
		echo "$file has no $string"
		return 1
	fi
}

# What it calls is there.
is_test() {
	local words word
	read -r -a words <<<"$1"
	if [ "${words[0]}" = make ]; then
		run_here 60 "make -n ${1#make }" '' '' >/dev/null || return
		read -r -a words < <(sed 's/^status=0; //' "$dir/out" | grep selftests)
		words=("${words[0]#"$tree"/}" "${words[@]:1}")
	fi
	[ -x "${words[0]%;}" ] || { echo "no ${words[0]}"; return 1; }
	[ "${words[0]}" = selftests/check ] || return 0
	for word in "${words[@]:1}"; do
		is_elsewhere "$word selftests/check usage" || return
	done
}

# --- programs

compile=(gcc -std=gnu11 -Wall -Wextra -Werror -Ilib/include -Iuapi)

# program NAME BODY: and run it, if that needs no device.
program() {
	local name=${1:-example.c}
	printf '%s' "$2" >"$tree/$name"
	case $2 in
	*main*)	(cd "$tree" && "${compile[@]}" -o example "$name" lib/libprivheap.a \
			-pthread) || return
		case $2 in
		*PRIVHEAP_DEVICE*) ;;
		*)	run_here 60 "PRIVHEAP_BACKEND=anonymous ./example" '' '' ;;
		esac ;;
	*)	(cd "$tree" && "${compile[@]}" -fsyntax-only "$name") ;;
	esac
}

# Declarations of another language are those that its test compiles.
declarations() {
	local line
	while IFS= read -r line; do
		grep -q -F -e "$line" lib/mono/Kernel32.cs || {
			echo "lib/mono/Kernel32.cs has no: $line"
			return 1
		}
	done <<<"${1%$'\n'}"
}

# By what make install leaves.
by_cmake() {
	local root=$dir/root
	make -s -C "$tree/lib" install DESTDIR="$root" PREFIX=/usr >/dev/null || return
	mkdir -p "$dir/cmake" && cp lib/examples/enumerate.c "$dir/cmake/program.c" &&
		printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' 'project(program C)' \
			'add_executable(program program.c)' "${1//$'\t#'/ #}" \
			>"$dir/cmake/CMakeLists.txt" &&
		cmake -S "$dir/cmake" -B "$dir/cmake/build" \
			-Dprivheap_DIR="$root/usr/lib/cmake/privheap" &&
		cmake --build "$dir/cmake/build" &&
		LD_LIBRARY_PATH=$root/usr/lib "$dir/cmake/build/program"
}

# other_block PLACE LANGUAGE TEXT
other_block() {
	case $2 in
	text)	;;
	c#)	try "$1: $2" declarations "$3" ;;
	cmake)	if command -v cmake >/dev/null; then
			try "$1: $2" by_cmake "$3"
		else
			skip "$1: $2" "no cmake here"
		fi ;;
	*)	result 1 "$1: what to do with $2?" ;;
	esac
}

# Files and headings that a document names by links are there.
links() {
	local from=$1 to file anchor status=0
	while read -r to; do
		file=${to%%#*}
		anchor=${to#"$file"}
		file=${file:+$(dirname "$from")/$file}
		if [ ! -e "${file:-$from}" ]; then
			echo "$from: there is no $to"
			status=1
		elif [ -n "$anchor" ] && ! sed -n 's/^##* //p' "${file:-$from}" |
			tr 'A-Z ' 'a-z-' | tr -d '`,.:()' |
			grep -q -x -e "${anchor#\#}"; then
			echo "$from: there is no heading $to"
			status=1
		fi
	done < <(grep -o '\](\([^)]*\))' "$from" | sed 's/^](//; s/)$//' | grep -v '://')
	return "$status"
}

# The prototypes of a page, as the header that it names has them.
prototypes() {
	awk '
	/^\.Sh / { in_synopsis = $2 == "SYNOPSIS"; next }
	!in_synopsis { next }
	$1 == ".In" { print "#include <" $2 ">" }
	$1 == ".Ft" { type = substr($0, 5) }
	$1 == ".Fn" || $1 == ".Fo" {
		line = substr($0, 5)
		name = $2
		sub(/^[^ ]+ ?/, "", line)
		gsub(/" "/, ", ", line)
		gsub(/"/, "", line)
		if ($1 == ".Fn")
			print type " " name "(" line ");"
		all = ""
	}
	$1 == ".Fa" {
		line = substr($0, 5)
		gsub(/"/, "", line)
		all = all (all == "" ? "" : ", ") line
	}
	$1 == ".Fc" { print type " " name "(" all ");" }' "$1" >"$tree/prototypes.c"
	grep -q ');$' "$tree/prototypes.c" &&
		(cd "$tree" && "${compile[@]}" -fsyntax-only prototypes.c)
}

# --- all of it

declare -A seen=()

run_command() {
	local at=$1 text=$2 shown=$3 body=$4 how key
	if [ -z "${ways[$text]-}" ]; then
		result 1 "$at: $text"
		echo "# nobody runs it: documents/commands does not have it"
		return
	fi
	for how in ${ways[$text]}; do
		key="$how $text"
		used[$key]=1
		# Named again, and nothing shown: it is run already.
		[ -z "${seen[$key]-}" ] || [ -n "$shown" ] || continue
		seen[$key]=1
		case $how in
		here)	try "$at: $text" prepared "${table[$key]}" 60 "$text" \
				"$shown" "$body" ;;
		elsewhere) try "$at: $text" is_elsewhere "${table[$key]}" ;;
		tests)	try "$at: $text" is_test "$text" ;;
		long)	[ -z "$long" ] || try "$at: $text" run_long \
				"${table[$key]}" "$text" "$shown" "$body" ;;
		person)	[ -z "$long" ] || skip "$at: $text" "${table[$key]}" ;;
		guest)	;;
		*)	result 1 "$at: $text: what is $how?" ;;
		esac
	done
}

# In the sources themselves, for the kernel's files are made there.
run_long() {
	local tree=$top
	[ ! -e "$dir/tree/program" ] || cp "$dir/tree/program" "$dir/program"
	run_here "$1" "${2//.\/program/"$dir/program"}" "$3" "$4"
}

echo "TAP version 13"
while IFS= read -r -d '' kind && IFS= read -r -d '' at && IFS= read -r -d '' text &&
	IFS= read -r -d '' shown && IFS= read -r -d '' body; do
	case $kind in
	!)	result 1 "${at%:}: $text" ;;
	c)	try "$at: a program${text:+, $text}" program "$text" "$body" ;;
	t)	other_block "$at" "$text" "$body" ;;
	@)	run_command "$at" "$text" "$shown" "$body" ;;
	esac
done < <(blocks)
for document in "${documents[@]}"; do
	try "$document: links" links "$document"
done
for page in lib/man/*.3; do
	try "${page##*/}: prototypes" prototypes "$page"
done
status=0
for key in "${!table[@]}"; do
	[ -n "${used[$key]-}" ] || { echo "# no document has: $key"; status=1; }
done
result "$status" "documents/commands has no other commands"
echo "1..$number"
exit "$failed"
