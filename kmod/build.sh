#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the module for one kernel, in a folder of that kernel's own:
#   kmod/build.sh KDIR [MAKE-ARGUMENT...]
# leaves kmod/build/RELEASE/privheap.ko. With BUILD=NAME in the environment it is
# kmod/build/RELEASE-NAME/privheap.ko, for a build that is unlike others:
#   BUILD=kcov kmod/build.sh KDIR KCOV_INSTRUMENT=y
set -eu

kdir=${1:?usage: build.sh KDIR [MAKE-ARGUMENT...]}
shift
top=$(cd "$(dirname "$0")/.." && pwd)
# Debian's 6.1 has another name in include/config/kernel.release.
release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$kdir/include/generated/utsrelease.h")
out=$top/kmod/build/$release${BUILD:+-$BUILD}

mkdir -p "$out/kmod" "$out/uapi"
# Links of sources that are gone would break the build.
find "$out" -xtype l -delete
ln -sfn "$top/Kbuild" "$out/Kbuild"
ln -sfn "$top/uapi/linux" "$out/uapi/linux"
for file in "$top"/kmod/*.[ch]; do
	ln -sf "$file" "$out/kmod/"
done
# A module without BTF: that would need the kernel itself, not its headers.
exec make -s -C "$kdir" M="$out" CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules
