# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# Headers that programs include: compiled alone, and the layout of what they describe.

# compiles COMPILER LANGUAGE STANDARD FILE
compiles() {
	local compiler=$1 language=$2 standard=$3 file=$4
	# Twice: what guards it works. From the file, as "not used as main file".
	printf '#include "%s"\n#include "%s"\nextern int used;\n' \
		"$PWD/$file" "$PWD/$file" |
		"$compiler" -x "$language" -std="$standard" -pedantic -Wall \
			-Wextra -Werror -Iuapi -Ilib/include -fsyntax-only - ||
		echo "$file: $compiler -std=$standard"
}

# The Win32 names need C99 at least, and nobody writes C90 for them.
step_headers() {
	local file standard log=$work/headers
	need_packages gcc=gcc g++=g++ clang=clang
	files_of 'uapi/*.h' 'lib/include/*.h' | while IFS= read -r file; do
		for standard in c90 c99 c11 gnu11; do
			case $file/$standard in
			lib/*/c90) continue ;;
			esac
			compiles gcc c "$standard" "$file"
			compiles clang c "$standard" "$file"
		done
		for standard in c++98 c++11 c++17; do
			compiles g++ c++ "$standard" "$file"
			compiles clang++ c++ "$standard" "$file"
		done
	done >"$log" 2>&1
	cat "$log"
	[ ! -s "$log" ]
}

# layout FLAG: prints how the structs of $work/pahole.c lie in memory.
layout() {
	gcc "$1" -g -O0 -c -Iuapi -o "$work/pahole$1.o" "$work/pahole.c" &&
		pahole -C "$(paste -s -d , "$work/pahole.names")" \
			"$work/pahole$1.o" 2>&1
}

step_pahole() {
	local name flag status=0 flags=(-m64)
	need_packages gcc=gcc pahole=pahole
	[ "$(uname -m)" = x86_64 ] || {
		echo "layouts are compared on x86-64"
		return 4
	}
	need_packages /usr/lib/gcc/x86_64-linux-gnu/12/32/libgcc.a=gcc-multilib
	flags+=(-m32)
	mapfile -t headers < <(files_of 'uapi/*.h')
	sed -n 's/^struct \([a-z0-9_]*\) {$/\1/p' "${headers[@]}" >"$work/pahole.names"
	{
		printf '#include "%s"\n' "${headers[@]/#/$PWD/}"
		sed 's/.*/struct & \0_is_used;/' "$work/pahole.names"
	} >"$work/pahole.c"
	[ -s "$work/pahole.names" ] || {
		echo "no structs in ${headers[*]}"
		return 1
	}
	for flag in "${flags[@]}"; do
		layout "$flag" >"$work/pahole$flag.out" || return
		while read -r name; do
			grep -q "^struct $name {" "$work/pahole$flag.out" || {
				echo "$flag: pahole does not know struct $name"
				status=1
			}
		done <"$work/pahole.names"
		# What it says of holes and padding stands in comments.
		if grep -E -B 50 'XXX|holes:|padding:' "$work/pahole$flag.out"; then
			echo "$flag: holes or padding"
			status=1
		fi
	done
	diff -u "$work/pahole-m64.out" "$work/pahole-m32.out" || status=1
	return "$status"
}
