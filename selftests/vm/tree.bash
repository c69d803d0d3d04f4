# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# A small Debian of another release in the cache, for its compiler: kernels are
# built by that of their own release, and its tools want its C library.

# libelf for objtool, which comes with the headers; the cross compiler is here
# because beside gcc-multilib, which the 32-bit tests take, Debian allows none.
tree_packages=gcc,make,libelf-dev,gcc-aarch64-linux-gnu,libc6-dev-arm64-cross
# shellcheck disable=SC2034 # used by those who source this
cross_compiler=aarch64-linux-gnu-gcc

# make_tree RELEASE DIRECTORY: by debootstrap, which is for root.
make_tree() {
	local release=$1 dir=$2 mirror as_root=() started=$SECONDS
	[ ! -e "$dir" ] || return 0
	need_packages /usr/sbin/debootstrap=debootstrap \
		/usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	mirror=$(debian_mirror) || exit
	"${as_root[@]}" rm -rf "$dir.new"
	say "making a tree of Debian $release, some minutes"
	"${as_root[@]}" /usr/sbin/debootstrap --variant=minbase \
		--include="$tree_packages" "$release" "$dir.new" "$mirror" \
		>"$dir.log" 2>&1 || {
		tail -n 20 "$dir.log" >&2
		die "debootstrap failed, see $dir.log"
	}
	"${as_root[@]}" rm -rf "$dir.new"/var/cache/apt/archives/*.deb
	"${as_root[@]}" mv "$dir.new" "$dir" || die "cannot write to $cache_dir"
	say "tree of Debian $release: made in $((SECONDS - started)) s"
}

# in_tree RELEASE COMMAND...: as the same user, with this source tree, the cache
# and temporary files at their places, and /proc, where objtool reads its limits.
in_tree() {
	local dir=$cache_dir/tree-$1 as_root=()
	with_lock "tree-$1" make_tree "$1" "$dir" || return
	shift
	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	# shellcheck disable=SC2016 # for the other shell
	"${as_root[@]}" unshare --mount sh -ec '
		tree=$1 user=$2
		shift 2
		while [ "$1" != -- ]; do
			mkdir -p "$tree$1"
			mount --bind "$1" "$tree$1"
			shift
		done
		shift
		exec chroot --userspec="$user" "$tree" "$@"' sh \
		"$dir" "$(id -u):$(id -g)" /proc /dev "${TMPDIR:-/tmp}" "$top_dir" \
		"$cache_dir" -- "$@"
}

# for_kernel DIRECTORY COMMAND...: run COMMAND where modules, and programs of a
# foreign architecture, for the kernel in DIRECTORY are built.
for_kernel() {
	local dir=$1 release
	shift
	if [ -e "$dir/tree" ]; then
		release=$(cat "$dir/tree")
		in_tree "$release" "$@"
	else
		"$@"
	fi
}
