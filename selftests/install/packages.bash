# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # install_test.sh's variables
#
# make deb: four packages, of two versions; lintian; what is in them.

packages=(privheap-dkms libprivheap0 libprivheap-dev privheap-tools)

# deb PACKAGE VERSION: print its file.
deb() {
	printf '%s\n' "$work/debs-$2/$1_$2-${revision}_"*.deb
}

# package_has PACKAGE PATH...: whether it has each.
package_has() {
	local file status=0 list
	list=$(dpkg-deb -c "$(deb "$1" "$old")" | awk '{ sub(/^\./, "", $6); print $6 }')
	shift
	for file; do
		grep -q -x -- "$file" <<<"$list" || { echo "no $file"; status=1; }
	done
	return "$status"
}

# In the copy whose one line was changed, before anything is built there. The file of
# symbols tells since when there is each, and stays as it is.
where_version_is() {
	(cd "$work/new" && grep -rlF -e "$old" -e "$new" . |
		grep -v '/libprivheap0.symbols$')
}

test_packages() {
	local version name lib=/usr/lib/x86_64-linux-gnu
	need_packages dpkg-buildpackage=dpkg-dev dh=debhelper dh_dkms=dh-dkms \
		lintian=lintian fakeroot=fakeroot pkg-config=pkg-config \
		/usr/include/libmnl/libmnl.h=libmnl-dev \
		/var/lib/dpkg/info/valgrind-if-available.list=valgrind-if-available
	where_version_is >"$work/files"
	check "the version stands in one file" \
		same_files ./uapi/linux/privheap_version.h <"$work/files"
	for version in "$old" "$new"; do
		name=old
		[ "$version" = "$old" ] || name=new
		check "make deb: $version" nice make -C "$work/$name" deb
		mv "$work/$name/lib/build-deb" "$work/debs-$version"
		for name in "${packages[@]}"; do
			[ -e "$(deb "$name" "$version")" ] &&
				[ "$(dpkg-deb -f "$(deb "$name" "$version")" Version)" = \
					"$version-$revision" ]
			result "$name of version $version" $?
		done
	done
	run nice lintian --allow-root --fail-on error,warning \
		"$work/debs-$old"/*.changes && [ ! -s "$work/out" ]
	result "lintian has no remark" $?
	# One package with a fault that lintian knows.
	dpkg-deb -R "$(deb privheap-tools "$old")" "$work/faulty" &&
		rm -r "$work/faulty/usr/share/man" &&
		dpkg-deb -b "$work/faulty" "$work/faulty.deb" >/dev/null
	! run lintian --allow-root --fail-on error,warning "$work/faulty.deb" &&
		grep -q no-manual-page "$work/out"
	result "lintian would have remarked that a man page is missing" $?

	check "privheap-dkms: sources, rule, group, loading" package_has privheap-dkms \
		"/usr/src/privheap-$old/dkms.conf" "/usr/src/privheap-$old/Kbuild" \
		"/usr/src/privheap-$old/kmod/main.c" \
		"/usr/src/privheap-$old/uapi/linux/privheap.h" \
		/usr/lib/udev/rules.d/60-privheap.rules \
		/usr/lib/sysusers.d/privheap-dkms.conf \
		/usr/share/man/man4/privheap.4.gz \
		/usr/lib/modules-load.d/privheap.conf
	check "libprivheap0: the library" package_has libprivheap0 \
		"$lib/libprivheap.so.0" "$lib/libprivheap.so.$old"
	check "libprivheap-dev: headers, static library, examples, others' languages" \
		package_has libprivheap-dev /usr/include/linux/privheap.h \
		/usr/include/privheap/heapapi.h "$lib/libprivheap.a" \
		"$lib/libprivheap.so" "$lib/pkgconfig/privheap.pc" \
		/usr/include/privheap-win32/windows.h "$lib/pkgconfig/privheap-win32.pc" \
		"$lib/cmake/privheap/privheap-config.cmake" \
		/usr/share/privheap/mono/dllmap.config \
		/usr/share/privheap/python/privheap.py \
		/usr/share/man/man3/HeapCreate.3.gz \
		/usr/share/man/man3/HeapDestroy.3.gz \
		/usr/share/man/man7/libprivheap.7.gz \
		/usr/share/doc/libprivheap-dev/examples/demo.c
	check "privheap-tools: the program, its page, completion" \
		package_has privheap-tools /usr/bin/privheapctl \
		/usr/share/man/man8/privheapctl.8.gz \
		/usr/share/bash-completion/completions/privheapctl
}
