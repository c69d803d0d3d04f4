# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # install_test.sh's variables
#
# Packages, and make dkms-install, in systems of their own; one system in a guest.

# in_system COMMAND...
in_system() {
	in_root "$work/system" "$@"
}

apt_get() {
	in_system nice apt-get -y --no-install-recommends "$@"
}

# install_version VERSION: all packages, and by apt, so with what they depend on.
install_version() {
	local name files=()
	for name in "${packages[@]}"; do
		cp "$(deb "$name" "$1")" "$work/system/root/" || return
		files+=("/root/${name}_$1-${revision}_"*.deb)
	done
	# Names as they are in the system.
	mapfile -t files < <(cd "$work/system" &&
		printf '/%s\n' root/*"_$1-${revision}_"*.deb)
	apt_get install "${files[@]}"
}

# has_module ROOT VERSION
has_module() {
	local file
	file=$(find "$1/lib/modules/$release/updates" -name 'privheap.ko*')
	[ -n "$file" ] && [ "$(modinfo -F version "$file")" = "$2" ]
}

has_no_module() {
	[ -z "$(find "$1/lib/modules/" -name 'privheap.ko*')" ] &&
		! grep -q privheap "$1/lib/modules/$release/modules.dep"
}

dkms_says() {
	[ "$(in_system dkms status privheap)" = "privheap/$1, $release, x86_64: installed" ]
}

# The packages' versions, as what they have tells them.
runs_version() {
	[ "$(in_system privheapctl --version)" = "privheapctl $1" ] &&
		[ "$(in_system pkg-config --modversion privheap)" = "$1" ] &&
		[ "$(readlink "$work/system/usr/lib/x86_64-linux-gnu/libprivheap.so.0")" = \
			"libprivheap.so.$1" ]
}

compile_demo() {
	# shellcheck disable=SC2016 # for the other shell
	in_system sh -c 'gcc -Wall -Werror -o /usr/local/bin/demo \
		/usr/share/doc/libprivheap-dev/examples/demo.c \
		$(pkg-config --cflags --libs privheap) &&
		PRIVHEAP_BACKEND=anonymous /usr/local/bin/demo'
}

knows_none() {
	! in_system dpkg-query -W "*privheap*"
}

has_group() {
	grep -q '^privheap:' "$1/etc/group"
}

test_system() {
	local root=$work/system why
	with_lock tree-install make_base "$release" >&2
	[ -e "$(base_tree "$release")" ] || {
		skip "systems" "no tree of Debian 12 with linux-headers-$release"
		return
	}
	why=$(new_system system "$release" 2>&1) || {
		skip "systems" "cannot mount one: $why"
		return
	}
	run apt_get update || {
		skip "systems" "apt-get update: $(tail -n 1 "$work/err")"
		return
	}
	# What the packages depend on stays when they are purged; so it is there
	# before, for the comparison. What they do not name is still not there.
	check "what the packages depend on" apt_get install dkms libmnl0
	files_in "$root" >"$work/before"

	check "install $old" install_version "$old"
	check "DKMS has built and installed the module" dkms_says "$old"
	check "the module says $old" has_module "$root" "$old"
	cp "$root/var/lib/dkms/mok.pub" "$work/dkms.der"
	check "DKMS has signed it with its key" \
		verify "$root/lib/modules/$release/updates/dkms/privheap.ko" dkms
	check "the others say $old" runs_version "$old"
	check "the group is there" has_group "$root"
	check "a program, compiled with libprivheap-dev" compile_demo

	check "upgrade to $new" install_version "$new"
	check "DKMS has the new one, and it alone" dkms_says "$new"
	check "the module says $new" has_module "$root" "$new"
	check "the others say $new" runs_version "$new"
	check "the old sources are gone" [ ! -e "$root/usr/src/privheap-$old" ]
	check "a program linked to $old runs with $new" \
		in_system env PRIVHEAP_BACKEND=anonymous /usr/local/bin/demo
	if wants guest; then
		test_guest
	fi
	rm "$root/usr/local/bin/demo"

	# The guest has removed privheap-dkms, and purged what was removed.
	check "remove" apt_get remove "${packages[@]:1}"
	check "the library is removed" same_files < \
		<(find "$root/usr/lib/x86_64-linux-gnu" -name 'libprivheap*')
	check "purge what was removed" in_system dpkg --purge "${packages[@]:1}"
	check "purge what is installed" apt_get purge "${packages[0]}"
	check "the module is removed" has_no_module "$root"
	check "dpkg has forgotten them" knows_none
	files_in "$root" >"$work/after"
	# The group stays, as all of Debian's do.
	check "nothing is left" same_files "$(cat "$work/before")" <"$work/after"
	test_dkms_install
}

make_there() {
	in_system nice make -C /root/source "$@"
}

# make dkms-install from a source tree, and back. DKMS is there already.
test_dkms_install() {
	local root=$work/system
	cp -r "$work/new" "$root/root/source"
	check "make dkms-install" make_there dkms-install
	check "DKMS has it" dkms_says "$new"
	check "the module says $new" has_module "$root" "$new"
	check "make dkms-install once more" make_there dkms-install
	check "make dkms-uninstall" make_there dkms-uninstall
	check "the module is gone" has_no_module "$root"
	files_in "$root" >"$work/after"
	check "nothing is left" same_files "$(cat "$work/before")" <"$work/after"

	# What systemd finds in /usr/local.
	in_system groupdel privheap
	check "make install in /usr/local" make_there -C kmod/install install-config
	check "systemd-sysusers makes the group" in_system systemd-sysusers
	check "it is there" has_group "$root"
	run in_system udevadm test /sys/devices/virtual/misc/cpu_dma_latency
	grep -q -h '/usr/local/lib/udev/rules.d/60-privheap.rules' "$work/out" "$work/err"
	result "udev reads the rule" $?
}

test_guest() {
	local line image=$work/image
	need_packages mke2fs=e2fsprogs
	in_system useradd -m member
	in_system useradd -m outsider
	in_system usermod -a -G privheap member
	cp "$install_dir/in-guest" "$work/system/root/"
	echo "$new" >"$work/system/root/version"
	# What it does not need on a kernel: compilers, headers, and packages.
	mkdir -p "$work/image-root"
	tar -C "$work/system" -c --one-file-system --exclude=./usr/src/linux-* \
		--exclude=./usr/lib/gcc* --exclude=./usr/include --exclude=./root/*.deb \
		--exclude=./var/lib/apt --exclude=./usr/share/doc/* . |
		tar -C "$work/image-root" -x
	mkdir -p "$work"/image-root/{proc,sys,dev,run,tmp}
	check "an image of the system" mke2fs -q -t ext4 -d "$work/image-root" "$image" 1500M
	rm -rf "$work/image-root"
	boot "the system on its kernel" 0 --no-module --disk "$image" -t 240 \
		-f "$install_dir/in-guest" -- "$install_dir/in-guest" /scratch
	cp "$work/out" "$work/guest"
	grep '^#' "$work/guest"
	while read -r line; do
		case $line in
		pass\ *) : >"$work/out"; result "guest: ${line#* }" 0 ;;
		fail\ *) result "guest: ${line#* }" 1 ;;
		esac
	done <"$work/guest"
	grep -q -x 'done' "$work/guest"
	result "guest: all of it was run" $?
	rm "$image"
	# It says that they have no mail.
	in_system userdel -r member 2>/dev/null
	in_system userdel -r outsider 2>/dev/null
}
