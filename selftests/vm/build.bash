# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Kernels that are compiled here: configure and build a Debian source package
# with fragments of ../debug, and keep what modules are built against.

fragments_dir=$top_dir/selftests/debug

# The .deb stays in the cache: a changed fragment needs no network.
source_deb() {
	local package=$1 dir=$cache_dir/source found
	mkdir -p "$dir"
	found=$(find "$dir" -name "${package}_*.deb" | sort -V | tail -n 1)
	if [ -z "$found" ]; then
		know_package "$package"
		download "$package" "$dir"
		found=$(find "$dir" -name "${package}_*.deb" | tail -n 1)
	fi
	[ -n "$found" ] || die "no package file of $package in $dir"
	printf '%s\n' "$found"
}

# all_of A+B: print the fragments A.config and B.config.
all_of() {
	local name names
	IFS=+ read -r -a names <<<"$1"
	for name in "${names[@]}"; do
		cat "$fragments_dir/$name.config" || exit
	done
}

# The name of a build: its inputs. The package's version is in its file name.
build_key() {
	local package=$1 fragments=$2 deb
	deb=$(source_deb "$package") || exit
	{
		basename "$deb"
		all_of "$fragments"
	} | sha256sum | cut -c 1-16
}

# check_config FRAGMENT CONFIG: print what did not come out as asked.
check_config() {
	awk '
	FNR == NR && /^CONFIG_[A-Z0-9_]+=/ {
		split($0, part, "="); want[part[1]] = $0; next
	}
	FNR == NR && /^# CONFIG_[A-Z0-9_]+ is not set/ { off[$2]; next }
	FNR == NR { next }
	/^CONFIG_/ {
		split($0, part, "="); have[part[1]] = $0
	}
	END {
		for (name in want)
			if (have[name] != want[name])
				print "asked for " want[name] ", got " \
				      (name in have ? have[name] : "nothing")
		for (name in off)
			if (name in have)
				print "asked for no " name ", got " have[name]
	}' "$1" "$2" | sort
}

# Objects and sources that no module build looks at; the tree shrinks tenfold.
prune_tree() {
	local tree=$1
	(
		cd "$tree" || exit
		mv tools/objtool/objtool objtool.kept 2>/dev/null
		rm -rf Documentation samples drivers sound fs net mm block \
			crypto io_uring ipc init security virt usr rust \
			certs LICENSES tools lib kernel
		# The module builds of one architecture.
		find arch -mindepth 1 -maxdepth 1 ! -name x86 -type d \
			-exec rm -rf {} +
		mkdir -p tools/objtool
		mv objtool.kept tools/objtool/objtool 2>/dev/null
		find . -path ./scripts -prune -o -type f \
			\( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o \
			   -name '*.c' -o -name '*.S' -o -name 'vmlinux*' \) \
			-print0 | xargs -0 rm -f
	)
}

# build_kernel NAME PACKAGE FRAGMENTS DIRECTORY
build_kernel() {
	local name=$1 package=$2 fragments=$3 dir=$4
	local deb wrong started=$SECONDS log=$dir/build.log
	need_packages make=make gcc=gcc flex=flex bison=bison bc=bc xz=xz-utils \
		perl=perl /usr/include/gelf.h=libelf-dev
	deb=$(source_deb "$package") || exit

	mkdir -p "$dir/build"
	say "kernel $name: unpacking ${deb##*/}"
	dpkg --fsys-tarfile "$deb" |
		tar -x -O --wildcards "./usr/src/$package.tar.*" |
		xz -d -c -T 0 | tar -x -C "$dir/build" --strip-components=1 ||
		die "cannot unpack $deb"

	all_of "$fragments" >"$dir/fragments"
	KCONFIG_ALLCONFIG=$dir/fragments make -s -C "$dir/build" \
		allnoconfig >"$log" 2>&1 || die "configuring failed, see $log"
	wrong=$(check_config "$dir/fragments" "$dir/build/.config")
	[ -z "$wrong" ] || die "$fragments does not hold:" "$wrong"

	say "kernel $name: compiling, some 7 minutes on two cores"
	make -s -C "$dir/build" -j "$(nproc)" KBUILD_BUILD_USER=privheap \
		KBUILD_BUILD_HOST=localhost bzImage modules \
		>>"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "compiling kernel $name failed, see $log"
	}
	cp "$dir/build/arch/x86/boot/bzImage" "$dir/vmlinuz"
	cp "$dir/build/include/config/kernel.release" "$dir/release"
	prune_tree "$dir/build"
	say "kernel $name: built in $((SECONDS - started)) s"
}
