# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# How C is written, and commented.

# It leaves a file where it runs, wants a kernel's include folder to learn names of,
# and reads a configuration of the user's.
step_checkpatch() {
	local scripts dir=$work/checkpatch
	need_packages perl=perl
	scripts=$("$selftests_dir/harness" --scripts) || return
	mkdir -p "$dir/include"
	files_of '*.[ch]' | sed "s|^|$PWD/|" >"$dir/files"
	(
		cd "$dir" || exit
		HOME=$dir xargs -d '\n' perl "$scripts/checkpatch.pl" --strict \
			--no-tree --root="$dir" --terse --show-types \
			--no-summary -f <files >remarks 2>errors
		# 1: there are remarks; xargs makes 123 of it.
		case $? in
		0|123)	;;
		*)	cat errors; exit 1 ;;
		esac
	) || return
	cat "$dir/errors"
	# FILE:LINE: LEVEL:TYPE: TEXT
	sed -e "s|^$PWD/||" -e 's/^\([^:]*:[0-9]*\): [A-Z]*:\([A-Z_]*\): /\1:\2: /' \
		"$dir/remarks" | accept "$lint_dir/checkpatch.list"
}

step_kernel_doc() {
	local scripts
	need_packages perl=perl
	scripts=$("$selftests_dir/harness" --scripts) || return
	files_of 'kmod/*.[ch]' 'uapi/*.h' 'lib/*.[ch]' |
		xargs -d '\n' perl "$scripts/kernel-doc" -none >"$work/kernel-doc" 2>&1
	cat "$work/kernel-doc"
	[ ! -s "$work/kernel-doc" ]
}
