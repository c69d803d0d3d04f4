# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # install_test.sh's variables
#
# make install and make uninstall, below a DESTDIR.

# make_old TARGET [ARGUMENT...]
make_old() {
	nice make -C "$work/old" "$@" KDIR="$kernel_dir/build"
}

build_tree() {
	check "make lib module" make_old -j2 lib module
}

# What make install leaves, of everything; $1 is PREFIX.
installed_files() {
	local header symbol
	printf '%s\n' "/lib/modules/$release/updates/privheap.ko" \
		"$1/bin/privheapctl" "$1/lib/libprivheap.a" \
		"$1/lib/libprivheap.so" "$1/lib/libprivheap.so.0" \
		"$1/lib/libprivheap.so.$old" \
		"$1/lib/privheap/libprivheap-malloc.so" "$1/lib/modules-load.d/privheap.conf" \
		"$1"/lib/cmake/privheap/privheap-config{,-version}.cmake \
		"$1"/lib/pkgconfig/privheap{,-win32}.pc \
		"$1/lib/sysusers.d/privheap.conf" \
		"$1/lib/udev/rules.d/60-privheap.rules" \
		"$1/share/bash-completion/completions/privheapctl" \
		"$1/share/gdb/auto-load$1/lib/libprivheap.so.$old-gdb.py" \
		"$1/share/man/man"{4/privheap.4,7/libprivheap.7,8/privheapctl.8} \
		"$1"/share/privheap/mono/{Kernel32.cs,dllmap{,-uintptr}.config} \
		"$1/share/privheap/python/privheap.py" \
		"$1"/include/privheap-win32/{privheap,linux/privheap.h}
	# Each function is found by its name.
	while read -r symbol; do
		printf '%s\n' "$1/share/man/man3/$symbol.3"
	done < <(sed -n 's/^\t\([A-Za-z][A-Za-z0-9_]*\);$/\1/p' \
		"$work/old/lib/libprivheap.map")
	for header in "$work"/old/lib/include/privheap/*.h; do
		printf '%s\n' "$1/include/privheap/${header##*/}"
	done
	for header in "$work"/old/lib/include/privheap-win32/*.h; do
		printf '%s\n' "$1/include/privheap-win32/${header##*/}"
	done
	for header in "$work"/old/uapi/linux/*.h; do
		printf '%s\n' "$1/include/linux/${header##*/}"
	done
}

files_below() {
	(cd "$1" && find . ! -type d | sed 's/^\.//')
}

# demo_of ROOT [PKG-CONFIG-OPTION...]: an example program, of what is installed.
demo_of() {
	local flags root=$1
	shift
	read -r -a flags < <(PKG_CONFIG_SYSROOT_DIR=$root \
		PKG_CONFIG_LIBDIR=$root/opt/heaps/lib/pkgconfig \
		pkg-config --cflags --libs "$@" privheap)
	gcc -Wall -Werror -o "$work/demo" "$work/old/lib/examples/demo.c" "${flags[@]}" &&
		LD_LIBRARY_PATH=$root/opt/heaps/lib PRIVHEAP_BACKEND=anonymous "$work/demo"
}

test_tree() {
	local root=$work/root prefix
	for prefix in /opt/heaps /usr/local; do
		rm -rf "$root"
		check "make install PREFIX=$prefix" \
			make_old install DESTDIR="$root" PREFIX="$prefix"
		mapfile -t files < <(installed_files "$prefix")
		files_below "$root" >"$work/files"
		check "PREFIX=$prefix: these files, and no others" \
			same_files "${files[@]}" <"$work/files"
		if [ "$prefix" = /opt/heaps ]; then
			check "a program, of what is installed" demo_of "$root"
			check "privheapctl runs" "$root$prefix/bin/privheapctl" --version
			! run grep -rIl "$root" "$root"
			result "DESTDIR is in no text" $?
		fi
		echo >"$root$prefix/lib/udev/rules.d/99-others.rules"
		check "make uninstall PREFIX=$prefix" \
			make_old uninstall DESTDIR="$root" PREFIX="$prefix"
		files_below "$root" >"$work/files"
		check "PREFIX=$prefix: what others have is left, and nothing else" \
			same_files "$prefix/lib/udev/rules.d/99-others.rules" <"$work/files"
	done
}
