#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The module comes and goes: not while it is in use, and a hundred times
# without leaving anything behind. Needs root, and a machine where nobody else
# uses it: the module is removed and loaded again. It is taken from
# $PRIVHEAP_KO, or as modprobe finds it.
set -u

here=$(dirname "$0")
# shellcheck source=tap.sh
. "$here/tap.sh"
device=/dev/privheap
rounds=${PRIVHEAP_ROUNDS:-100}
# Memory that may come and go elsewhere, in KiB.
slack=2048
# A kernel with KASAN keeps freed objects for a while, up to 1/32 of memory;
# there kmemleak tells what really leaks.
if [ -e /sys/kernel/debug/kmemleak ]; then
	slack=$((slack + $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) / 32))
fi

load() {
	if [ -n "${PRIVHEAP_KO-}" ]; then
		insmod "$PRIVHEAP_KO"
	else
		modprobe privheap
	fi
}

# A file that a process had open may be let go a little later than it.
unload() {
	tries=0
	until rmmod privheap 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 50 ] || return 1
		sleep 0.1
	done
}

in_kib() {
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
[ -c "$device" ] || skip_all "no $device: module not loaded"
for program in hold_region hold_listener keep_limits; do
	[ -x "$here/$program" ] || skip_all "no $here/$program"
done
[ -n "${PRIVHEAP_KO-}" ] || modprobe -n privheap 2>/dev/null ||
	skip_all "neither PRIVHEAP_KO nor an installed module"
group=$(stat -c %g "$device")
dir=$(mktemp -d "${TMPDIR:-/tmp}/module_test.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/up" "$dir/down"

echo "TAP version 13"
echo "1..8"

# A region alone, without a descriptor.
"$here/hold_region" <"$dir/down" >"$dir/up" &
holder=$!
exec 4>"$dir/down"
read -r word <"$dir/up"
[ "$word" = ready ] && ! rmmod privheap 2>/dev/null && [ -c "$device" ]
result $? "not removed while a region lives"
exec 4>&-
wait "$holder"
result $? "the region is as it was"

exec 5<>"$device"
! rmmod privheap 2>/dev/null
result $? "not removed while the device is open"
exec 5>&-

# Limits that are set, and somebody who listens, keep it from nothing.
"$here/hold_listener" <"$dir/down" >"$dir/up" &
holder=$!
exec 4>"$dir/down"
read -r word <"$dir/up"
[ "$word" = ready ] && unload && [ ! -e "$device" ] && load && unload && load
result $? "removed while somebody listens"
exec 4>&-
wait "$holder"

unload && [ ! -e "$device" ] && [ ! -e /sys/module/privheap ]
result $? "removed when nobody uses it"

# Limits hold nothing but themselves.
load && {
	"$here/keep_limits" <"$dir/down" >"$dir/up" &
	holder=$!
	exec 4>"$dir/down"
	read -r word <"$dir/up"
	[ "$word" = ready ] && unload && [ ! -e /sys/module/privheap ]
} && exec 4>&- && wait "$holder"
result $? "removed while limits are set"
exec 4>&-

# The first few rounds fill caches that stay.
warm=10
[ "$rounds" -gt "$warm" ] || warm=0
status=0
round=0
while [ "$round" -lt "$rounds" ]; do
	if [ "$round" = "$warm" ]; then
		slab=$(in_kib Slab)
		vmalloc=$(in_kib VmallocUsed)
		percpu=$(in_kib Percpu)
	fi
	load || { status=1; break; }
	"$here/hold_region" </dev/null >/dev/null || status=1
	[ $((round % 5)) != 0 ] ||
		"$here/hold_listener" </dev/null >/dev/null || status=1
	unload || { status=1; break; }
	round=$((round + 1))
done
result "$status" "loaded, used and removed $rounds times"

slab_now=$(in_kib Slab)
vmalloc_now=$(in_kib VmallocUsed)
percpu_now=$(in_kib Percpu)
echo "# Slab $slab -> $slab_now, VmallocUsed $vmalloc -> $vmalloc_now," \
	"Percpu $percpu -> $percpu_now KiB"
[ "$slab_now" -le $((slab + slack)) ] &&
	[ "$vmalloc_now" -le $((vmalloc + slack)) ] &&
	[ "$percpu_now" -le $((percpu + slack)) ] &&
	! grep -q privheap /proc/slabinfo && [ ! -e /sys/fs/privheap ] &&
	! grep -q privheap /proc/filesystems
result $? "nothing of it is left"

[ -c "$device" ] || load
chgrp "$group" "$device"
exit "$failed"
