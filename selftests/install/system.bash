# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Debian systems to install on: a tree of bookworm with a kernel's headers is kept
# in the cache, and each system is a layer above it, which is thrown away. Needs
# common.bash, suite.bash, tree.bash, and a mount namespace of its own.

# What any machine has on which somebody builds programs and modules. The rest is
# what packages ask for.
# shellcheck disable=SC2034 # for make_tree
tree_packages=systemd,udev,kmod,make,gcc,libc6-dev,pkg-config,ca-certificates

# in_root DIRECTORY COMMAND...: as root of the system there.
in_root() {
	local root=$1
	shift
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive \
		${http_proxy:+http_proxy="$http_proxy"} \
		${https_proxy:+https_proxy="$https_proxy"} \
		chroot "$root" "$@" </dev/null
}

mount_kernel() {
	mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
		mount --bind /sys "$1/sys"
}

# base_tree RELEASE: print the tree that has the headers of that kernel.
base_tree() {
	printf '%s\n' "$cache_dir/tree-install-$1"
}

# make_base RELEASE: the tree itself. Its packages stay, for the next time.
make_base() {
	local release=$1 dir part
	dir=$(base_tree "$release")
	part=$dir.part
	[ ! -e "$dir" ] || return 0
	make_tree bookworm "$part" || return
	cp /etc/resolv.conf "$part/etc/" || return
	print_sources '' >"$part/etc/apt/sources.list"
	say "adding the headers of $release"
	(
		mount_kernel "$part" &&
			in_root "$part" apt-get -qq update &&
			in_root "$part" apt-get -qq -y --no-install-recommends \
				install "linux-headers-$release"
		status=$?
		umount -R "$part/proc" "$part/dev" "$part/sys"
		exit "$status"
	) >"$dir.log" 2>&1 || {
		tail -n 20 "$dir.log" >&2
		return 1
	}
	mv "$part" "$dir"
}

# new_system NAME RELEASE: mount a system at $work/NAME. Packages that apt fetches
# are kept in the cache.
new_system() {
	local name=$1 root=$work/$1
	mkdir -p "$root" "$work/layers/$name/upper" "$work/layers/$name/work" \
		"$cache_dir/debs-install/partial" &&
		mount -t overlay overlay "$root" -o "lowerdir=$(base_tree "$2"),upperdir=$work/layers/$name/upper,workdir=$work/layers/$name/work" &&
		mount_kernel "$root" &&
		mount --bind "$cache_dir/debs-install" "$root/var/cache/apt/archives" &&
		cp /etc/resolv.conf "$root/etc/"
}

# files_in ROOT: print each file of a system but what package managers note of what
# they do, backups of passwd and its kind, depmod's lists, and DKMS's own key.
files_in() {
	find "$1" -xdev \( -path "$1/var/log" -o -path "$1/var/cache" -o \
		-path "$1/var/lib/apt" -o -path "$1/var/lib/dpkg" -o -path "$1/tmp" -o \
		-path "$1/root" \) -prune -o -print | sed "s|^$1||" |
		grep -v -x -E -e '/etc/(g?shadow|group|passwd|subuid|subgid)-' \
			-e '/usr/lib/modules/[^/]*/modules\.[^/]*' \
			-e '/var/lib/dkms/mok\.(key|pub)' | sort
}
