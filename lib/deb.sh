#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Build the Debian packages: lib/deb.sh [DIRECTORY] leaves them there, or in
# lib/build-deb. What it needs and is not installed, dpkg-buildpackage names.
set -eu

lib=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$lib")
out=${1:-$lib/build-deb}
version=$(sed -n 's/^#define PRIVHEAP_VERSION[[:space:]]*"\(.*\)"$/\1/p' \
	"$top/uapi/linux/privheap_version.h")
tree=$out/privheap-$version

command -v dpkg-buildpackage >/dev/null || {
	echo "deb.sh: no dpkg-buildpackage here (Debian: dpkg-dev)" >&2
	exit 1
}

# Sources alone: what was built beside them is with other flags.
mkdir -p "$out"
rm -rf "$tree" "$out"/*.deb "$out"/*.buildinfo "$out"/*.changes
mkdir -p "$tree/kmod" "$tree/lib" "$tree/debian/source"
cp "$top/Kbuild" "$top/COPYING" "$tree/"
cp "$top"/kmod/*.[ch] "$tree/kmod/"
cp -r "$top/kmod/install" "$top/kmod/man" "$tree/kmod/"
cp -r "$top/uapi" "$tree/"
cp -r "$lib/Makefile" "$lib"/*.md "$lib"/*.map \
	"$lib"/*.in "$lib/src" "$lib/include" "$lib/tools" \
	"$lib/preload" "$lib/gdb" "$lib/examples" "$lib/man" "$lib/mono" "$lib/python" \
	"$tree/lib/"

cp "$lib"/debian/* "$tree/debian/"
rm "$tree/debian/changelog.in"
sed -e '/^#/d' -e "s/@VERSION@/$version/" "$lib/debian/changelog.in" \
	>"$tree/debian/changelog"
echo "3.0 (quilt)" >"$tree/debian/source/format"
# debhelper looks for these by their packages' names.
cp "$top/kmod/install/dkms.conf" "$tree/debian/privheap-dkms.dkms"
cp "$top/kmod/install/privheap.sysusers.conf" \
	"$tree/debian/privheap-dkms.sysusers"

cd "$tree"
dpkg-buildpackage -b --no-sign
cd ..
rm -rf "$tree"
ls ./*.deb
