# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# What tests of the virtual machine share: TAP, guests that must end in a certain
# way, the module that is wrong on purpose. Needs common.bash.

work=$(mktemp -d "${TMPDIR:-/tmp}/privheap-vm-test.XXXXXX") || exit 1
# The runs' own files go here, where this test can see what they leave.
mkdir "$work/tmp"
export TMPDIR=$work/tmp
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

count=0
failed=0

# result NAME STATUS: one TAP line; on failure with what was printed.
result() {
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count $1"
		return
	fi
	echo "not ok $count $1"
	failed=$((failed + 1))
	tail -n 30 "$work/out" "$work/err" 2>/dev/null | sed 's/^/# /'
}

# boot NAME STATUS [OPTION...] -- COMMAND...: run must end with STATUS.
boot() {
	local name=$1 want=$2 status
	shift 2
	"$vm_dir/run" -k "$kernel" "$@" >"$work/out" 2>"$work/err"
	status=$?
	[ "$status" = "$want" ] || echo "# status $status, expected $want"
	[ "$status" = "$want" ]
	result "$kernel: $name" $?
}

# said NAME FILE EXPRESSION: the run before must have printed that.
said() {
	grep -q -E -- "$3" "$work/$2"
	result "$kernel: $1" $?
}

# The module that is wrong on purpose, for the kernel at hand.
build_faulty() {
	local kdir
	kdir=$("$vm_dir/fetch" --kdir "$kernel") || exit 1
	faulty=$work/faulty-$kernel
	mkdir "$faulty"
	cp "$vm_dir"/faulty/* "$faulty"
	# Without BTF, as kmod/build.sh does, for the same reason. A foreign compiler sees
	# the folder for temporary files, and $faulty has to be in it.
	TMPDIR=$work for_kernel "${kdir%/build}" make -s -C "$kdir" M="$faulty" \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules \
		>"$work/out" 2>"$work/err"
	result "$kernel: the faulty module builds" $?
}

# faulty WHAT STATUS SIGN: the module does WHAT when its device is opened.
faulty() {
	boot "$1 in the kernel" "$2" --module "$faulty/privheap.ko" \
		-p "what=$1" -- sh -c ': </dev/privheap'
	[ -z "${3-}" ] || said "$1 in the kernel: is shown" err "$3"
}

# finish: the plan, and the status.
finish() {
	echo "1..$count"
	[ "$failed" = 0 ] || echo "# $failed of $count failed"
	[ "$failed" = 0 ]
}
