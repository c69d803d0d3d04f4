# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the fuzzer's scripts share: building it, and modules for it.

fuzz_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../vm/common.bash
. "$fuzz_dir/../vm/common.bash"
fuzz_cache=$cache_dir/fuzz
# shellcheck disable=SC2034 # used by those who source this
fuzz=$fuzz_cache/fuzz

# Static: it needs nothing in the guest.
build_fuzz() {
	need_packages gcc=gcc make=make nm=binutils qemu-system-x86_64=qemu-system-x86 \
		/usr/lib/x86_64-linux-gnu/libc.a=libc6-dev
	mkdir -p "$fuzz_cache" || die "cannot write to $fuzz_cache"
	gcc -std=gnu11 -O2 -g -Wall -Wextra -static -pthread -I"$top_dir/uapi" \
		-o "$fuzz.$$" "$fuzz_dir"/*.c "$fuzz_dir/../privheap_selftest.c" \
		"$fuzz_dir/../netlink_selftest.c" && mv "$fuzz.$$" "$fuzz"
}

# build_kcov KERNEL: the module with KCOV and lines; print its path.
build_kcov() {
	local kernel_dir release module
	kernel_dir=$("$vm_dir/fetch" --dir "$1") || return
	release=$(cat "$kernel_dir/release") || return
	module=$top_dir/kmod/build/$release-kcov
	# Of the same release, but maybe of another configuration.
	if [ "$(cat "$module/.kernel" 2>/dev/null)" != "$kernel_dir" ]; then
		rm -rf "$module"
		mkdir -p "$module"
		echo "$kernel_dir" >"$module/.kernel"
	fi
	with_lock "module-$release-kcov" "$top_dir/kmod/build.sh" -o "$release-kcov" \
		"$kernel_dir/build" KCOV_INSTRUMENT=y KCFLAGS=-g >&2 || return
	printf '%s\n' "$module/privheap.ko"
}

# save_programs DIR TAG <LOG: the programs of lines with TAG, a file each; print how
# many are new.
save_programs() {
	local dir=$1 tag=$2 line name count=0
	mkdir -p "$dir"
	while IFS= read -r line; do
		name=$(sha1sum <<<"$line" | cut -c 1-12)
		[ ! -e "$dir/$name" ] || continue
		tr ';' '\n' <<<"$line" | sed '/^$/d' >"$dir/$name"
		count=$((count + 1))
	done < <(sed -n "s/^$tag //p")
	echo "$count"
}
