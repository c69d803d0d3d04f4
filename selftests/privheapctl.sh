# shellcheck shell=sh disable=SC2034,SC2154 # for who reads this
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tests of privheapctl in a guest share. To be read by them ("."), after
# tap.sh, with $here set. $dir is a folder of theirs, which everybody can read.

[ "$(id -u)" = 0 ] || skip_all "needs root"
[ -x "$here/privheapctl" ] || skip_all "no $here/privheapctl: libmnl was not there"
[ -x "$here/region_script" ] || skip_all "no $here/region_script"
[ -c /dev/privheap ] || skip_all "no /dev/privheap: module not loaded"
"$here/privheapctl" list >/dev/null 2>&1 ||
	skip_all "the module does not answer by netlink"

dir=$(mktemp -d "${TMPDIR:-/tmp}/privheapctl.XXXXXX") || exit 1
chmod 755 "$dir"
cp "$here/privheapctl" "$here/region_script" "$dir/"
PATH=$dir:$PATH
# Nobody's environment decides how it looks.
export LC_ALL=C TERM=vt100
# Figures are of regions that tests make, and not of their shells' malloc.
export PRIVHEAP_MALLOC=
unset COLUMNS NO_COLOR
held=

clean_up() {
	exec 7>&- 8>&- 9>&-
	# shellcheck disable=SC2086 # one word for each
	[ -z "$held" ] || kill $held 2>/dev/null
	wait
	rm -rf "$dir"
}
trap clean_up EXIT

# ctl ARGUMENT...: $code, $dir/out, $dir/err are what came of it
ctl() {
	timeout 60 privheapctl "$@" >"$dir/out" 2>"$dir/err" </dev/null
	code=$?
}

# The same by a user who has nothing.
ctl_as_nobody() {
	su -s /bin/sh nobody -c "exec timeout 60 $dir/privheapctl $*" \
		>"$dir/out" 2>"$dir/err" </dev/null
	code=$?
}

# out PATTERN, err PATTERN: is there such a line?
out() {
	grep -q -E -e "$1" "$dir/out"
}

err() {
	grep -q -E -e "$1" "$dir/err"
}

# check NAME: a result of what came right before it; says what was printed
check() {
	status=$?
	if [ "$status" != 0 ]; then
		echo "# code $code, standard output and error:"
		comment <"$dir/out"
		comment <"$dir/err"
	fi
	result "$status" "$1"
}

# until_true SECONDS COMMAND...
until_true() {
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# hold N ACTION...: a region_script that ends with a read; N is 7, 8 or 9, a
# descriptor: release N lets it go on. Sets $pid and $id.
hold() {
	slot=$1
	shift
	rm -f "$dir/in$slot" "$dir/held$slot"
	mkfifo "$dir/in$slot"
	region_script "$@" id: read: <"$dir/in$slot" >"$dir/held$slot" 2>&1 &
	pid=$!
	held="$held $pid"
	eval "exec $slot>\"$dir/in$slot\""
	until_true 30 test -s "$dir/held$slot"
	id=$(tail -n 1 "$dir/held$slot")
}

# A line, for others have inherited the pipe, and its end is theirs, too.
release() {
	(eval "echo >&$1") 2>/dev/null
	eval "exec $1>&-"
}
