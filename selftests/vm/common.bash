# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the virtual machine share: messages, the cache, locks,
# the kernel table, packages of the host.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by those who source this
top_dir=$(cd "$vm_dir/../.." && pwd)
cache_dir=${PRIVHEAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/privheap}
program=${0##*/}
verbose=${verbose:-}

# Trouble of the machine's own; a command's status is seldom as high.
readonly EXIT_FAULT=125

# Whole lines at once: several runs may share one terminal.
say() {
	printf '%s: %s\n' "$program" "$*" >&2
}

say_verbose() {
	[ -z "$verbose" ] || say "$@"
}

die() {
	say "$@"
	exit "$EXIT_FAULT"
}

# with_lock NAME COMMAND...: nobody else runs under the same name meanwhile.
# The subshell holds the lock, so that no way out of COMMAND leaves it behind;
# children get no copy of it that would outlive COMMAND.
with_lock() {
	local name=$1
	shift
	mkdir -p "$cache_dir/locks" || die "cannot write to $cache_dir"
	(
		exec 9>"$cache_dir/locks/$name"
		if ! flock -w 2 9; then
			say "waiting for another run to finish: $name"
			flock 9
		fi
		"$@" 9>&-
	)
}

# kernel_row NAME: print the row of the table, without the name.
kernel_row() {
	awk -v name="$1" '$1 == name { $1 = ""; print substr($0, 2) }' \
		"$vm_dir/kernels"
}

kernel_names() {
	awk '!/^#/ && NF { printf "%s%s", sep, $1; sep = " " }' "$vm_dir/kernels"
}

# Whether this machine runs programs of 32 bits, which not each x86-64 kernel does.
# The loader of such programs is one, where they can be built.
runs_32bit() {
	local loader=/lib/ld-linux.so.2
	[ ! -e "$loader" ] || "$loader" --version >/dev/null 2>&1
}

# need_packages COMMAND=PACKAGE...: install packages whose command (or file,
# if it begins with a slash) is missing. Left alone if all are there.
need_packages() {
	local pair missing=() as_root=()
	for pair in "$@"; do
		case $pair in
		/*)	[ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
		*)	command -v "${pair%%=*}" >/dev/null ||
				missing+=("${pair#*=}") ;;
		esac
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	if [ "$(id -u)" != 0 ]; then
		as_root=(sudo -n)
		sudo -n true 2>/dev/null ||
			die "please install: ${missing[*]}"
	fi
	command -v apt-get >/dev/null || die "please install: ${missing[*]}"
	say "installing ${missing[*]}"
	with_lock apt install_packages "${missing[@]}" ||
		die "could not install: ${missing[*]}"
}

install_packages() {
	DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq -y \
		--no-install-recommends install "$@" >&2 && return
	"${as_root[@]}" apt-get -qq update >&2
	DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq -y \
		--no-install-recommends install "$@" >&2
}
