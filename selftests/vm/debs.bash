# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Packages from the distribution, unpacked into the cache and not installed:
# installing a kernel image would touch the host's boot files.

# Downloading needs no root, but apt's lists must know the package.
know_package() {
	local as_root=()
	if apt-cache show --no-all-versions "$1" >/dev/null 2>&1; then
		return
	fi
	say "package $1 is unknown: updating apt's lists"
	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	"${as_root[@]}" apt-get -qq update >&2 ||
		say "apt-get update failed"
	apt-cache show --no-all-versions "$1" >/dev/null 2>&1 ||
		die "no package $1 in the apt sources of this machine"
}

# depends_on PACKAGE PATTERN: print the dependencies whose name matches.
depends_on() {
	apt-cache depends --important --no-recommends "$1" |
		sed -n 's/^ *Depends: //p' | grep -Ex -- "$2"
}

# download PACKAGE DIRECTORY: leave its .deb there.
download() {
	say "downloading $1"
	# apt drops its privileges if it can; the folder must not stop it.
	(cd "$2" && apt-get -qq -o APT::Sandbox::User=root download "$1" >&2) ||
		die "could not download $1"
}

# unpack PACKAGE ROOT: download and unpack.
unpack() {
	local dir
	dir=$(mktemp -d "$cache_dir/deb.XXXXXX")
	if ! (download "$1" "$dir" && dpkg -x "$dir"/*.deb "$2"); then
		rm -rf "$dir"
		die "could not unpack $1"
	fi
	rm -rf "$dir"
}
