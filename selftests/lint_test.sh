#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each step of lint is able to fail: it gets a copy of the tree with one fault, that
# none but it would find, and has to say so. The file that has the fault is looked
# at alone, where the step can do so; clean, it has to be found good. With names of
# steps, only these.
# shellcheck disable=SC2016 # what is planted is not for this shell
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
top=${PRIVHEAP_TOP:-$(dirname "$here")}
dir=$(mktemp -d "${TMPDIR:-/tmp}/lint_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
tree=$dir/tree

[ -d "$top/.git" ] || [ -f "$top/.git" ] || skip_all "$top is no repository of git"
mapfile -t wanted < <([ $# = 0 ] || printf '%s\n' "$@")

copy_tree() {
	mkdir -p "$tree"
	git -c safe.directory='*' -C "$top" ls-files -z |
		(cd "$top" && xargs -0 sh -c 'for f; do [ ! -f "$f" ] ||
			printf "%s\0" "$f"; done' sh |
			tar -c --null -T - | tar -x -C "$tree") &&
		git -C "$tree" init -q && git -C "$tree" add -A
}

# fault STEP FILE SED-SCRIPT SAYS [ALL]: with the script applied to the file, the
# step remarks what matches SAYS. With ALL it has no files for arguments.
fault() {
	local step=$1 file=$2 script=$3 says=$4 args=("$2") status
	if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $step "* ]]; then
		return
	fi
	[ "${5-}" != all ] || args=()
	(
		cd "$tree" || exit 1
		cp "$file" "$dir/kept"
		if ! sed -i "$script" "$file" || cmp -s "$file" "$dir/kept"; then
			echo "# the fault does not apply to $file"
			exit 1
		fi
		git add -A
		selftests/lint "$step" "${args[@]}" >"$dir/out" 2>&1
		status=$?
		cp "$dir/kept" "$file"
		[ "$status" = 1 ] && grep -q '^not ok 1 ' "$dir/out" &&
			grep -q -E -- "$says" "$dir/out"
	)
	status=$?
	[ "$status" = 0 ] || comment <"$dir/out"
	result "$status" "$step sees it: $says"
}

# A copy of the tree that has no fault in these.
clean() {
	local step=$1
	shift
	if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $step "* ]]; then
		return
	fi
	(cd "$tree" && selftests/lint "$step" "$@") >"$dir/out" 2>&1
	local status=$?
	[ "$status" = 0 ] || comment <"$dir/out"
	result "$status" "$step is content without it"
}

# fresh FILE: a file that is not there yet, with standard input.
fresh() {
	mkdir -p "$tree/$(dirname "$1")"
	cat >"$tree/$1"
	git -C "$tree" add "$1"
}

echo "TAP version 13"
copy_tree || {
	echo "Bail out! cannot copy $top"
	exit 1
}

for kernel in 6.1 6.12; do
	fault "w1-$kernel" kmod/notify.c '$a int w1_fault(int unused) { return 0; }' \
		'no previous prototype'
	fault "sparse-$kernel" kmod/notify.c \
		'$a static int __user *fault_in;\nint *sparse_fault(void);\nint *sparse_fault(void)\n{\n\treturn (int *)fault_in;\n}' \
		'removes address space'
done
fault checkpatch kmod/notify.c '$a static int  two_blanks( int a );' SPACING
fault checkpatch lib/src/error.c '$a static int f(void) {\n\treturn 0;\n}' OPEN_BRACE
clean checkpatch lib/src/error.c
fault kernel-doc uapi/linux/privheap.h '0,/^ \* @size:/{/^ \* @size:/d}' \
	"'size' not described"
clean kernel-doc uapi/linux/privheap.h
fault coccinelle kmod/notify.c \
	'$a static void fault(struct file *f)\n{\n\tif (f)\n\t\tkfree(f);\n}' \
	'ifnullfree.*NULL check'
fault clang-tidy lib/src/error.c \
	'$a int fault(int *p);\nint fault(int *p)\n{\n\tif (!p)\n\t\treturn *p;\n\treturn 0;\n}' \
	'NullDereference'
clean clang-tidy lib/src/error.c
fault analyzer lib/src/error.c \
	'$a #include <stdlib.h>\nvoid fault(void *p);\nvoid fault(void *p)\n{\n\tfree(p);\n\tfree(p);\n}' \
	'double-.?free'
clean analyzer lib/src/error.c
fault pahole uapi/linux/privheap.h \
	'$a struct privheap_fault {\n\t__u32 a;\n\t__u64 b;\n};' 'hole'
fault headers uapi/linux/privheap.h '$i enum { PRIVHEAP_FAULT, };' \
	'(gcc|clang) -std=c90'
fault headers lib/include/privheap/backend.h '$i static inline void *f(void) { return (int *)"" + 0; }\nstatic inline int *g(void) { return f(); }' \
	'(g|clang)\+\+ -std=c\+\+98'
clean headers lib/include/privheap/backend.h
fault abi lib/src/error.c '/^EXPORT.*SetLastError/s/DWORD/short/' \
	'SetLastError' all
fault shellcheck selftests/demo '$a rm -rf $UNQUOTED/*' SC2086
clean shellcheck selftests/demo
fault man lib/man/privheapctl.8 '$a .Xy' 'unknown macro|skipping'
fault man lib/man/HeapLock.3 '/^\.Nm HeapUnlock$/d' 'symbol HeapUnlock' all
fault man lib/libprivheap.map '/HeapSize;/d' 'no symbol: HeapSize' all
fault man lib/man/HeapLock.3 '/^\.Fn HeapUnlock/d' 'does not declare' all
fault man lib/man/GetLastError.3 's/ERROR_NOT_OWNER Ta 288/ERROR_NOT_OWNER Ta 289/' \
	'ERROR_NOT_OWNER is not 289' all
fault man lib/tools/top.c 's/"quotas", NULL/"others", NULL/' 'top: no word of --others' all
fault man uapi/linux/privheap.h '$a #define PRIVHEAP_IOC_NEW 9' PRIVHEAP_IOC_NEW all
fault man kmod/trace.h 's/privheap_populate,/privheap_filled,/' privheap_filled all
fault man kmod/man/privheap.4 's/privheapctl 8/privheapctl 1/' 'no privheapctl\(1\)' all
clean man
fault python selftests/netlink_yaml_test.py '$a import antigravity' 'imported but unused'
fault python selftests/netlink_yaml_test.py '$a def f(:' 'SyntaxError'
clean python selftests/netlink_yaml_test.py
fault licence kmod/notify.c '1s/GPL-2.0-only/MIT/' 'kmod/notify.c'
fault licence lib/src/error.c 1d 'should be .MIT'
fault licence uapi/linux/privheap.h '1s/ WITH Linux-syscall-note//' syscall-note
fault size lib/src/error.c '1r COPYING
1r COPYING' '[0-9]+ lines'
clean size lib/src/error.c
fault whitespace lib/src/error.c '2s/$/ /' 'error.c:2: '
clean whitespace lib/src/error.c
echo here | fresh stray.txt
fault toplevel stray.txt 's/here/there/' stray.txt
echo "1..$number"
[ "$failed" = 0 ]
