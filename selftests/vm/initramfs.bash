# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# The guest's files: a base that all runs share, and one archive a run with
# the programs it needs. The kernel unpacks one archive after the other.

# Distributions have merged these into /usr; the guest does as well.
merged_dirs=(bin sbin lib lib32 lib64 libx32)

# guest_busybox DIRECTORY: print the one for the kernel in DIRECTORY.
guest_busybox() {
	if [ -e "$1/arch" ]; then
		printf '%s\n' "$1/busybox/usr/bin/busybox"
	else
		command -v busybox
	fi
}

# Everything that the base is made of decides its name.
base_archive() {
	local key
	key=$(cat "$vm_dir"/guest/*.[ch] "$vm_dir/initramfs.bash" \
		"$(guest_busybox "$1")" | sha256sum | cut -c 1-16)
	printf '%s\n' "$cache_dir/base-$key.cpio"
}

# make_base ARCHIVE KERNEL-DIRECTORY
make_base() {
	local archive=$1 kernel=$2 root dir cc=gcc
	[ ! -e "$archive" ] || return 0
	[ ! -e "$kernel/arch" ] || cc=$cross_compiler
	root=$(mktemp -d "$cache_dir/base.XXXXXX") || return
	if (
		set -e
		cd "$root"
		mkdir -p usr dev proc sys tmp run etc scratch mnt var/tmp \
			home/alice home/bob
		install -d -m 700 root
		chmod 1777 tmp var/tmp
		for dir in "${merged_dirs[@]}"; do
			mkdir "usr/$dir"
			ln -s "usr/$dir" "$dir"
		done
		busybox_links "$kernel"
		accounts
		for_kernel "$kernel" "$cc" -std=gnu11 -O2 -Wall -static \
			-o "$root/init" "$vm_dir"/guest/*.c
		pack . "$archive.new"
		mv "$archive.new" "$archive"
	); then
		rm -rf "$root"
	else
		rm -rf "$root"
		return 1
	fi
}

# A foreign one cannot be asked for its list; it is near enough to our own's.
busybox_links() {
	local applet
	cp "$(guest_busybox "$1")" usr/bin/busybox
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "usr/bin/$applet"
	done
}

accounts() {
	cat >etc/passwd <<-END
	root:x:0:0:root:/root:/bin/sh
	alice:x:1000:1000:alice:/home/alice:/bin/sh
	bob:x:1001:1001:bob:/home/bob:/bin/sh
	nobody:x:65534:65534:nobody:/:/bin/sh
	END
	cat >etc/group <<-END
	root:x:0:
	tty:x:5:
	privheap:x:900:
	alice:x:1000:
	bob:x:1001:
	nogroup:x:65534:
	END
	echo "127.0.0.1 localhost privheap" >etc/hosts
}

# pack DIRECTORY ARCHIVE: all of it, as files of root.
pack() {
	(cd "$1" && find . -mindepth 1 -print0 |
		cpio --quiet -0 -o -H newc -R 0:0) >"$2"
}

# start_stage DIRECTORY: where a run's files are gathered.
start_stage() {
	local dir
	mkdir -p "$1/usr" "$1/.vm" "$1/etc"
	for dir in "${merged_dirs[@]}"; do
		mkdir -p "$1/usr/$dir"
		ln -s "usr/$dir" "$1/$dir"
	done
	# Libraries outside the standard folders are found through it.
	[ ! -e /etc/ld.so.cache ] || cp /etc/ld.so.cache "$1/etc/"
}

# stage_file STAGE FILE: a copy at the same absolute path, links resolved.
stage_file() {
	local target=$1$2
	[ ! -e "$target" ] || return 0
	mkdir -p "${target%/*}" && cp -L --preserve=mode "$2" "$target"
}

# The loader's own list of what a program or library needs. Static ones and
# foreign files have none.
needed_libraries() {
	local list
	if list=$(ldd "$1" 2>/dev/null); then
		printf '%s\n' "$list" | awk '
			/=> \// { print $3; next }
			$1 ~ /^\// { print $1 }'
	else
		needed_by_foreign "$1"
	fi
}

# The same for programs of 32 bits where this machine's kernel runs none, and so
# no loader either: what they name, and what that names, where they would find it.
needed_by_foreign() {
	local todo=("$1") seen=' ' file name path
	while [ ${#todo[@]} -gt 0 ]; do
		file=${todo[0]}
		todo=("${todo[@]:1}")
		while read -r name; do
			[[ "$seen" != *" $name "* ]] || continue
			seen+="$name "
			for path in "$name" "/lib32/$name" \
				"/lib/i386-linux-gnu/$name"; do
				[[ "$path" == /* && -e "$path" ]] || continue
				printf '%s\n' "$path"
				todo+=("$path")
				break
			done
		done < <(LC_ALL=C readelf -l -d "$file" 2>/dev/null | sed -n \
			-e 's/.*program interpreter: \(.*\)\]/\1/p' \
			-e 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	done
}

# stage_elf STAGE FILE: what FILE needs besides itself.
stage_elf() {
	local stage=$1 library gcc_s
	for library in $(needed_libraries "$2"); do
		stage_file "$stage" "$library"
		# The C library opens this one by name when a thread is
		# cancelled or exits.
		case $library in
		*/libc.so.*)
			gcc_s=${library%/*}/libgcc_s.so.1
			[ ! -e "$gcc_s" ] || stage_file "$stage" "$gcc_s" ;;
		esac
	done
}

is_elf() {
	local LC_ALL=C magic=
	IFS= read -r -N 4 magic 2>/dev/null <"$1"
	[ "$magic" = $'\177ELF' ]
}

# A script needs its interpreter; sh is there.
stage_interpreter() {
	local stage=$1 first interpreter words
	IFS= read -r first <"$2" 2>/dev/null || return 0
	case $first in
	'#!'*)	read -ra words <<<"${first#\#!}" ;;
	*)	return 0 ;;
	esac
	interpreter=${words[0]-}
	case $interpreter in
	*/env)	interpreter=$(command -v "${words[1]-}") ;;
	esac
	case $interpreter in
	/bin/sh|/usr/bin/sh|'')
		return 0 ;;
	esac
	[ ! -e "$interpreter" ] || stage_program "$stage" "$interpreter"
}

# stage_program STAGE FILE: a file and what it needs to run.
stage_program() {
	stage_file "$1" "$2" || return
	if is_elf "$2"; then
		stage_elf "$1" "$2"
	else
		stage_interpreter "$1" "$2"
	fi
}

# stage_tree STAGE DIRECTORY
stage_tree() {
	local stage=$1 dir=$2 file
	mkdir -p "$stage$dir" && cp -a "$dir/." "$stage$dir/" || return
	while IFS= read -r -d '' file; do
		if is_elf "$file"; then
			stage_elf "$stage" "$file"
		elif [ -x "$file" ]; then
			stage_interpreter "$stage" "$file"
		fi
	done < <(find "$dir" -type f -print0)
}

# stage_path STAGE PATH: PATH is absolute.
stage_path() {
	if [ -d "$2" ]; then
		stage_tree "$1" "$2"
	else
		stage_program "$1" "$2"
	fi
}

# stage_modules STAGE KERNEL-DIRECTORY NAME...: modules of the distribution's
# kernel and those they depend on, in an order that loads. A name that has no
# file is built in.
stage_modules() {
	local stage=$1 root=$2/root name
	shift 2
	[ -d "$root" ] || return 0
	for name; do
		stage_module "$stage" "$root" "$name" || return
	done
}

stage_module() {
	local stage=$1 root=$2 name=${3//-/_} file target needs
	target=/.vm/modules.d/$name.ko
	[ ! -e "$stage$target" ] || return 0
	file=$(find "$root" -name "${name//_/[-_]}.ko*" -print -quit)
	[ -n "$file" ] || return 0
	for needs in $(modinfo -F depends "$file" | tr , ' '); do
		stage_module "$stage" "$root" "$needs" || return
	done
	mkdir -p "$stage/.vm/modules.d"
	case $file in
	*.xz)	xz -d -c "$file" ;;
	*.zst)	zstd -q -d -c "$file" ;;
	*)	cat "$file" ;;
	esac >"$stage$target" || return
	echo "$target" >>"$stage/.vm/modules"
}
