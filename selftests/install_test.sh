#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installing on a machine: make install and its opposite, the Debian packages, DKMS,
# signatures. Systems are layers above a tree of Debian 12, not this machine. What
# is built comes of copies of the sources. TAP on standard output.
set -u

# shellcheck source=vm/common.bash
. "$(dirname "$0")/vm/common.bash"
# shellcheck source=vm/suite.bash
. "$vm_dir/suite.bash"
# shellcheck source=vm/tree.bash
. "$vm_dir/tree.bash"
install_dir=$top_dir/selftests/install
# shellcheck source=install/system.bash
. "$install_dir/system.bash"

usage() {
	cat <<END
usage: install_test.sh [tree|packages|system|guest|sign]...

  tree      make install, and make uninstall, below a DESTDIR
  packages  make deb, lintian, what is in each package, the version
  system    packages and DKMS in a system: install, upgrade, remove, purge
  guest     that system on its kernel, in a guest
  sign      make sign; kernels that want signatures, in a guest

Without an argument, all of them. "system" and "guest" need "packages", which
runs with them.
END
}

wanted=("$@")
wants() {
	local name
	[ ${#wanted[@]} -gt 0 ] || return 0
	for name in "${wanted[@]}"; do
		[[ " $* " != *" $name "* ]] || return 0
	done
	return 1
}
for name in "$@"; do
	case $name in
	tree|packages|system|guest|sign) ;;
	-h|--help) usage; exit ;;
	*)	usage >&2; exit 2 ;;
	esac
done

skip_all() {
	echo "1..0 # SKIP $*"
	exit 4
}
[ "$(id -u)" = 0 ] || skip_all "chroot(2), mount(2) and debootstrap are for root"
[ "$(uname -m)" = x86_64 ] || skip_all "the packages' kernel is for x86-64"
command -v apt-get >/dev/null || skip_all "this machine has no apt"
# Mounts end with this process.
[ -n "${PRIVHEAP_INSTALL_NAMESPACE-}" ] ||
	PRIVHEAP_INSTALL_NAMESPACE=1 exec unshare --mount "$0" "$@"
umask 022

# shellcheck source=vm/tap.bash
. "$vm_dir/tap.bash"
# The upper layers, too, so that files are removed only behind their mounts.
trap 'umount_all; rm -rf "$work"' EXIT
umount_all() {
	local root
	for root in "$work"/system "$work"/local; do
		! mountpoint -q "$root" || umount -R -l "$root"
	done
}
kernel=6.1
old=$(sed -n 's/^#define PRIVHEAP_VERSION[[:space:]]*"\(.*\)"$/\1/p' \
	"$top_dir/uapi/linux/privheap_version.h")
new=98.7.6
revision=0privheap1

# run COMMAND...: with what it says kept for result
run() {
	"$@" >"$work/out" 2>"$work/err"
}

# check NAME COMMAND...
check() {
	local name=$1
	shift
	run "$@"
	result "$name" $?
}

# skip NAME REASON
skip() {
	count=$((count + 1))
	echo "ok $count $1 # SKIP $2"
}

# copy_source DIRECTORY: what people build from, without what was built.
copy_source() {
	mkdir -p "$1" && tar -C "$top_dir" -c --exclude=kmod/build \
		--exclude='lib/build*' --exclude='*.so*' --exclude='*.a' \
		--exclude=privheap.pc Kbuild Makefile COPYING README.md kmod uapi lib |
		tar -x -C "$1"
}

# same_files FILE...: whether the list on standard input is that one
same_files() {
	diff -u <([ $# = 0 ] || printf '%s\n' "$@" | sort) <(sort)
}

for name in old new; do
	copy_source "$work/$name" || die "no space for sources"
done
sed -i "/define PRIVHEAP_VERSION/s/\"$old\"/\"$new\"/" \
	"$work/new/uapi/linux/privheap_version.h"
need_packages make=make gcc=gcc pkg-config=pkg-config \
	/usr/include/libmnl/libmnl.h=libmnl-dev modinfo=kmod openssl=openssl

# Parts, each a function or some, in files of their own.
# shellcheck source=install/tree.bash
. "$install_dir/tree.bash"
# shellcheck source=install/packages.bash
. "$install_dir/packages.bash"
# shellcheck source=install/debian.bash
. "$install_dir/debian.bash"
# shellcheck source=install/sign.bash
. "$install_dir/sign.bash"

kernel_dir=$("$vm_dir/fetch" --dir "$kernel") || exit 1
release=$(cat "$kernel_dir/release")

if wants tree sign; then
	build_tree
fi
if wants tree; then
	test_tree
fi
if wants sign; then
	test_sign
fi
if wants packages system guest; then
	test_packages
fi
if wants system guest; then
	test_system
fi
finish
