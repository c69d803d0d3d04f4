# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Debian's packages of another suite or architecture. apt gets a configuration
# and lists of their own, in the cache: the machine's sources and architectures
# stay as they are. The mirror is the one that this machine's apt takes.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_sources: print what this machine has of Debian, "ADDRESS SUITE LABEL"
# a line.
debian_sources() {
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets \
		--format '$(REPO_URI) $(CODENAME) $(LABEL) $(ORIGIN)' \
		'Created-By: Packages' | awk '$4 == "Debian" { print $1, $2, $3 }' |
		sort -u
}

# debian_mirror: print the address of Debian's archive.
debian_mirror() {
	local mirror
	mirror=$(debian_sources | awk '$3 == "Debian" { print $1; exit }')
	[ -n "$mirror" ] || die "no mirror of Debian in this machine's apt sources"
	printf '%s\n' "$mirror"
}

# print_sources SUITE: apt's list for a suite; for this machine's own, if empty.
print_sources() {
	local address suite
	if [ -n "$1" ]; then
		echo "deb [signed-by=$keyring] $(debian_mirror) $1 main"
		return
	fi
	debian_sources | while read -r address suite _; do
		echo "deb [signed-by=$keyring] $address $suite main"
	done
}

# use_suite SUITE ARCHITECTURE: from here on, apt is about these; SUITE may be
# empty. For subshells. What runs at build time is still this machine's.
use_suite() {
	local suite=$1 arch=$2 dir=$cache_dir/apt-${1:-own}-$2 native sources
	need_packages "$keyring=debian-archive-keyring"
	native=$(dpkg --print-architecture)
	sources=$(print_sources "$suite") || exit
	[ -n "$sources" ] || die "this machine's apt sources have nothing of Debian"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/none"
	printf '%s\n' "$sources" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
	APT::Architecture "$arch";
	APT::Architectures { "$arch"; "$native"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Dir::State "$dir";
	Dir::State::lists "$dir/lists";
	Dir::State::status "/dev/null";
	Dir::Cache "$dir/cache";
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "$dir/none";
	Dir::Etc::preferencesparts "$dir/none";
	END
	say "updating apt's lists of ${suite:-this machine\'s Debian} for $arch"
	APT_CONFIG=$dir/apt.conf apt-get -qq update >&2 ||
		die "could not get the lists of ${suite:-Debian} for $arch"
	export APT_CONFIG=$dir/apt.conf
}
