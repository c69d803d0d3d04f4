#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What kmod/build.sh has built for the kernels of some build trees:
#   modules.sh install KDIR...
#   modules.sh sign KDIR...
#   modules.sh uninstall
# From the environment: DESTDIR, MODDIR (/lib/modules), and to sign SIGN_KEY and
# SIGN_CERT.
set -eu

command=${1:?usage: modules.sh install|sign|uninstall [KDIR...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build
modules=${DESTDIR-}${MODDIR:-/lib/modules}

die() {
	echo "modules.sh: $*" >&2
	exit 1
}

# Debian's 6.1 has another name in include/config/kernel.release.
release_of() {
	sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$1/include/generated/utsrelease.h"
}

# The list of modules is about the machine's own, and not about a tree that is
# packed and unpacked elsewhere.
update_list() {
	[ -z "${DESTDIR-}" ] || return 0
	depmod "$1"
}

install_module() {
	[ -e "$build/$1/privheap.ko" ] || die "no module for $1: make module"
	install -d "$modules/$1/updates"
	install -m 644 "$build/$1/privheap.ko" "$modules/$1/updates/"
	echo "  INSTALL $modules/$1/updates/privheap.ko"
	update_list "$1"
}

# cut_signature FILE: the one that an earlier run has appended.
cut_signature() {
	tail -c 28 "$1" | grep -a -q '^~Module signature appended~$' || return 0
	# In front of the marker, its length, highest byte first, ends 12 bytes.
	# shellcheck disable=SC2046 # four words
	set -- "$1" $(tail -c 32 "$1" | head -c 4 | od -An -t u1)
	truncate -s "-$(((($2 * 256 + $3) * 256 + $4) * 256 + $5 + 12 + 28))" "$1"
}

# The hash is the one that the kernel's own modules have.
sign_module() {
	file=$build/$1/privheap.ko
	[ -e "$file" ] || die "no module for $1: make module"
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="*\([a-z0-9-]*\).*/\1/p' \
		"$2/include/config/auto.conf" "$2/.config" 2>/dev/null | head -n 1)
	[ -x "$2/scripts/sign-file" ] || die "$2 has no scripts/sign-file"
	cut_signature "$file"
	"$2/scripts/sign-file" "${hash:-sha256}" "$SIGN_KEY" "$SIGN_CERT" "$file"
	echo "  SIGN    $file"
}

case $command in
install)
	for kdir; do
		install_module "$(release_of "$kdir")"
	done ;;
sign)
	[ $# -gt 0 ] || die "no kernel headers here (give KDIR=)"
	for file in "$SIGN_KEY" "$SIGN_CERT"; do
		[ -r "$file" ] || die "no $file: kmod/install/README.md tells how to" \
			"make a key (give SIGN_KEY= and SIGN_CERT=)"
	done
	for kdir; do
		sign_module "$(release_of "$kdir")" "$kdir"
	done ;;
uninstall)
	for file in "$modules"/*/updates/privheap.ko; do
		[ -e "$file" ] || continue
		rm -f "$file"
		echo "  REMOVE  $file"
		release=${file#"$modules/"}
		update_list "${release%%/*}"
	done ;;
*)
	die "what is $command?" ;;
esac
