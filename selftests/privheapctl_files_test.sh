#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What belongs to privheapctl besides the program: help, man page, completion and
# installed files, and that they tell of the same options. Needs no module; the
# sources are in $PRIVHEAP_TOP, or around this folder.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
lib=${PRIVHEAP_TOP:-$here/..}/lib
page=$lib/man/privheapctl.8
completion=$lib/tools/privheapctl.bash-completion
commands=(list show "quota show" "quota set" monitor top run)

[ -x "$here/privheapctl" ] || skip_all "no $here/privheapctl: libmnl was not there"
[ -e "$page" ] || skip_all "no sources in $lib"
dir=$(mktemp -d "${TMPDIR:-/tmp}/privheapctl_files_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin"
cp "$here/privheapctl" "$dir/bin/"
PATH=$dir/bin:$PATH

# check NAME: of what came before, with what it printed
check() {
	local status=$?
	[ "$status" = 0 ] || comment <"$dir/said"
	result "$status" "$1"
}

# The options of a command, as its help names them.
options() {
	# shellcheck disable=SC2086 # one word or two
	privheapctl $1 --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

echo "TAP version 13"
echo "1..34"

# --- help

for command in "${commands[@]}"; do
	# shellcheck disable=SC2086
	privheapctl $command --help >"$dir/said" 2>&1 &&
		grep -q "^usage: privheapctl $command " "$dir/said" &&
		[ "$(options "$command" | wc -l)" -ge 3 ] &&
		! grep -q '.\{101\}' "$dir/said"
	check "$command --help"
done
# What the parser knows: each that help names is taken, and wants its value.
for command in "${commands[@]}"; do
	status=0
	for option in $(options "$command"); do
		[ "$option" != --help ] || continue
		# shellcheck disable=SC2086
		if privheapctl $command --help |
			grep -q -e "$option [A-Z]"; then
			privheapctl $command "$option"
		else
			privheapctl $command "$option=x"
		fi >"$dir/said" 2>&1
		grep -q -e "$option needs a value" \
			-e "$option=x: it takes no value" "$dir/said" || {
			echo "# $option"
			status=1
			break
		}
	done
	(exit "$status")
	check "$command: the parser knows the options that help names"
done

# --- the man page

if command -v mandoc >/dev/null; then
	# It also looks for the other pages, which need not be here.
	mandoc -T lint -W style "$page" 2>/dev/null >"$dir/said"
	[ ! -s "$dir/said" ]
	check "man page: nothing to complain of"
	MANWIDTH=80 mandoc -T ascii "$page" 2>/dev/null | col -b >"$dir/page"
	status=0
	for command in "${commands[@]}"; do
		for option in $(options "$command"); do
			grep -q -e "$option\b" "$dir/page" || {
				echo "# $command $option"
				status=1
			}
		done
	done
	: >"$dir/said"
	(exit "$status")
	check "man page: names each option"
else
	skip "man page: nothing to complain of" "no mandoc here"
	skip "man page: names each option" "no mandoc here"
fi

# --- completion

# complete WORD...: what the last word, which may be begun, can become
complete_words() {
	# shellcheck disable=SC2016 # for the other shell
	bash --norc -c '. "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		COMP_LINE="$*"
		COMP_POINT=${#COMP_LINE}
		COMP_WORDBREAKS=${BREAKS-$COMP_WORDBREAKS}
		_privheapctl
		printf "%s\n" "${COMPREPLY[@]}"' bash "$completion" "$@" \
		2>"$dir/err" | sort
}

# completes WANT WORD...
completes() {
	local want=$1
	shift
	complete_words "$@" >"$dir/said"
	[ ! -s "$dir/err" ] || cat "$dir/err" >>"$dir/said"
	[ "$(xargs <"$dir/said")" = "$want" ]
	check "completion: ${*:2}"
}

for command in "${commands[@]}"; do
	options "$command" | sort >"$dir/want"
	# shellcheck disable=SC2086
	complete_words privheapctl $command -- >"$dir/has"
	diff "$dir/want" "$dir/has" >"$dir/said" 2>&1
	check "completion: the options of $command"
done
completes "list" privheapctl l
completes "set show" privheapctl quota s
completes "process" privheapctl quota show --level p
completes "denials" privheapctl list --sort d
BREAKS=" " completes "user:root" privheapctl quota show user:roo
# As in an interactive shell, where a colon ends a word.
BREAKS=$' \t\n"\'><=;|&(:' completes "root" privheapctl quota show user:roo
completes "system" privheapctl quota set sys
completes "--commit-fail-nth --commit-limit --commit-soft" \
	 privheapctl run --commit-limit 1M --commit-
completes "$dir/bin" privheapctl run --quiet ls "$dir/b"

# --- without the module, and installed

if [ -e /dev/privheap ]; then
	skip "without the module: 1, and what to do" "it is here"
else
	privheapctl list >"$dir/said" 2>&1
	[ $? = 1 ] && grep -q 'as root: modprobe privheap' "$dir/said"
	check "without the module: 1, and what to do"
fi
if command -v make >/dev/null && [ -w "$lib" ]; then
	make -s -C "$lib" install-tools DESTDIR="$dir/root" PREFIX=/usr >"$dir/said" 2>&1 &&
		cmp "$page" "$dir/root/usr/share/man/man8/privheapctl.8" &&
		cmp "$completion" \
			"$dir/root/usr/share/bash-completion/completions/privheapctl" &&
		[ "$("$dir/root/usr/bin/privheapctl" --version)" = "$(privheapctl --version)" ]
	check "make install-tools"
else
	skip "make install-tools" "no make here, or a folder of somebody else's"
fi
exit "$failed"
