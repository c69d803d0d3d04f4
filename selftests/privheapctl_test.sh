#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# privheapctl as a user meets it: list, show, quota, and what it says when
# something is wrong. Needs root and the module.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
# shellcheck source=privheapctl.sh
. "$here/privheapctl.sh"

echo "TAP version 13"
echo "1..44"

# --- the command line

ctl
[ "$code" = 2 ] && err '^usage: privheapctl COMMAND' && [ ! -s "$dir/out" ]
check "without a command: usage on standard error, 2"
ctl --help
[ "$code" = 0 ] && out '^usage: ' && out '^  quota set ' && [ ! -s "$dir/err" ]
check "--help: 0"
ctl --version
[ "$code" = 0 ] && out '^privheapctl [0-9]+\.[0-9]+'
check "--version"
ctl lits
[ "$code" = 2 ] && err 'no command lits; did you mean list\?'
check "a command that is misspelt: 2, and which one was meant"
ctl quota sett system
[ "$code" = 2 ] && err 'quota show and quota set'
check "quota without show or set: 2"
ctl list --jsno
[ "$code" = 2 ] && err 'no option --jsno; did you mean --json\?'
check "an option that is misspelt: 2"
ctl list --pid 12x
[ "$code" = 2 ] && err 'whole number'
check "a number that is none: 2"
ctl list extra
[ "$code" = 2 ] && err 'what is extra\?'
check "an argument too many: 2"
timeout 10 privheapctl list --help >/dev/full 2>"$dir/err"
code=$?
[ "$code" = 1 ] && err 'cannot write'
check "output that cannot be written: 1"

# --- two processes: 64 MiB and 8 MiB of addresses

hold 7 name:tenant create:64M:8M touch:0:2M commit:16M:4M touch:18M:1M
tenant=$pid tenant_id=$id
hold 8 name:small create:8M:64K
small=$pid small_id=$id

ctl list
[ "$code" = 0 ] && head -n 1 "$dir/out" | grep -q '^ *ID  *PID  *USER  *COMMAND' &&
	out "^ *$tenant_id +$tenant +root +tenant +64M +12M +3M +12M +64M +[0-9]+ +0$" &&
	out "^ *$small_id +$small +root +small +8M +64K +0 +64K +8M +0 +0$"
check "list: a line for each region"
ctl list --bytes --no-header --pid "$tenant"
[ "$code" = 0 ] && [ "$(wc -l <"$dir/out")" = 1 ] &&
	out "^$tenant_id +$tenant +root +tenant +67108864 +12582912 +3145728 +12582912 +67108864 "
check "list: bytes, no heading, one process"
ctl list --no-header --sort reserved
[ "$(awk -v a="$tenant_id" -v b="$small_id" '$1 == a || $1 == b { print $1 }' \
	"$dir/out" | xargs)" = "$tenant_id $small_id" ]
check "list: sorted, the largest first"
ctl list --no-header --sort reserved --reverse
[ "$(awk -v a="$tenant_id" -v b="$small_id" '$1 == a || $1 == b { print $1 }' \
	"$dir/out" | xargs)" = "$small_id $tenant_id" ]
check "list: the other way round"
ctl list --sort size
[ "$code" = 2 ] && err 'one of id, pid, '
check "list: no such key, 2"
ctl list --user nobody --no-header
[ "$code" = 0 ] && [ ! -s "$dir/out" ]
check "list: of a user who has none"
ctl list --user no-such-user
[ "$code" = 1 ] && err 'there is no user no-such-user'
check "list: of no user, 1"
ctl list --prometheus
[ "$code" = 0 ] && awk -f "$here/check_prometheus.awk" "$dir/out" >>"$dir/err" &&
	out "^privheap_region_usage_bytes\{region=\"$tenant_id\",pid=\"$tenant\",user=\"root\",command=\"tenant\",cgroup=\"[^\"]*\",resource=\"commit\"\} 12582912$" &&
	out '^privheap_quota_usage_bytes\{level="system",subject="system",resource="commit"\} [0-9]+$'
check "list: Prometheus's format"

# A name that would do something to a terminal, a script, and a JSON parser.
hold 9 "name:$(printf 'a"\\\033[31m\n\377')" create:8M:64K
evil_id=$id
ctl list --no-header --pid "$pid"
[ "$code" = 0 ] && out '^ *[0-9]+ +[0-9]+ +root +a"\\\?\[31m\?\? ' &&
	[ "$(wc -l <"$dir/out")" = 1 ]
check "list: a name with control characters"
ctl list --prometheus
[ "$code" = 0 ] && awk -f "$here/check_prometheus.awk" "$dir/out" >>"$dir/err" &&
	out 'command="a\\"[\\][\\]'
check "list: such a name in Prometheus's format"
if command -v jq >/dev/null; then
	ctl list --json
	[ "$code" = 0 ] && jq -e --argjson id "$evil_id" \
		'.[] | select(.region == $id) | .command | startswith("a\"\\\u001b[31m")' \
		"$dir/out" >/dev/null 2>>"$dir/err"
	check "list: such a name in JSON"
	jq -e --argjson id "$tenant_id" --argjson pid "$tenant" \
		'.[] | select(.region == $id) | .pid == $pid and
		.reserved == 67108864 and .commit.usage == 12582912 and
		.resident.usage == 3145728 and .resident.hard == null' \
		"$dir/out" >/dev/null 2>>"$dir/err"
	check "list: JSON"
else
	skip "list: such a name in JSON" "no jq here"
	skip "list: JSON" "no jq here"
fi
release 9

# --- a region, and its map: 8 MiB, 8 to a line of 64 cells is 128 KiB a cell

ctl show "$tenant_id" --width 80
[ "$code" = 0 ] && out "^region $tenant_id$" && out "^  process   $tenant \(tenant\)$" &&
	out '^  reserved  64M$' && out '^commit +12M +12M +- +64M ' &&
	out '^Each cell is 128K\.'
check "show: what there is"
{
	printf '        0 %s%s\n' "################" \
		"================================================"
	printf '       8M %s\n' \
		"................................................................"
	printf '      16M %s%s%s%s\n' "================" "########" "========" \
		"................................"
} >"$dir/want"
sed -n '/^        0 /,/^      16M /p' "$dir/out" >"$dir/map"
cmp -s "$dir/want" "$dir/map"
check "show: the map is what was committed and touched"
! out "$(printf '\033')" && [ "$(LC_ALL=C wc -c <"$dir/map")" = 225 ]
check "show: no colours, and ASCII, where it is not a terminal"
ctl show "$tenant_id" --width 40
[ "$code" = 0 ] && [ "$(sed -n '/^ *[0-9]*[KMG]* [.#=+-]*$/p' "$dir/out" |
	awk '{ if (length > max) max = length } END { print max }')" = 26 ]
check "show: as narrow as asked for"
ctl show 999999999
[ "$code" = 1 ] && err 'region 999999999: there is none'
check "show: no such region, 1"
ctl show first
[ "$code" = 2 ] && err 'a region has a number'
check "show: not a number, 2"
if command -v jq >/dev/null; then
	ctl show "$tenant_id" --json
	[ "$code" = 0 ] && jq -e '([.map[][0]] | add) == 12582912 and
		([.map[][1]] | add) == 3145728 and
		(.map | length) * .cell >= 67108864' "$dir/out" >/dev/null
	check "show: the map in JSON sums up"
else
	skip "show: the map in JSON sums up" "no jq here"
fi

# --- quotas

ctl quota show "pid:$tenant"
[ "$code" = 0 ] && out "^pid:$tenant$" && out '^  regions   1$' &&
	out '^commit +12M +12M +- +- +- +- +0$' && out '^resident +3M '
check "quota show: a process"
ctl quota show --level process --no-header
[ "$code" = 0 ] && out "^pid:$small +1 +8M +64K " && ! out system
check "quota show: those of a level"
ctl quota show --level region --no-header
[ "$code" = 0 ] && out "^region:$small_id +1 +8M +64K " && ! out pid:
check "quota show: those of regions"
ctl quota set "region:$small_id" --commit-limit 1M --commit-soft 0.5M \
	--commit-reserve 64K --resident-limit 256K
[ "$code" = 0 ] && out '^commit +64K +64K +512K +1M +64K +- +0$' &&
	out '^resident +0 +0 +- +256K +- +- +0$'
check "quota set: shows what is set"
ctl quota show "region:$small_id" --bytes
[ "$code" = 0 ] && out '^commit +65536 +65536 +524288 +1048576 +65536 '
check "quota show: the same in bytes"
ctl quota set "region:$small_id" --commit-limit unlimited --commit-soft unlimited \
	--commit-reserve 0
[ "$code" = 0 ] && out '^commit +64K +64K +- +- +- +- +0$' && out '^resident +0 +0 +- +256K '
check "quota set: takes back, and leaves the rest"
ctl quota set "region:$small_id" --commit-limit 4097
[ "$code" = 2 ] && err '4097 is not a whole number of pages'
check "quota set: not a size, 2"
ctl quota set system --commit-reserve 64K
[ "$code" = 2 ] && err 'only a region or a process'
check "quota set: a reserve of the system, 2"
ctl quota set pid:99999999 --commit-limit 1M
[ "$code" = 1 ] && err 'pid:99999999: there is none'
check "quota set: no such process, 1"
ctl quota set user:no-such-user --commit-limit 1M
[ "$code" = 1 ] && err 'there is no user'
check "quota set: no such user, 1"
ctl quota set system
[ "$code" = 2 ] && err 'what shall be set'
check "quota set: nothing to be set, 2"

ctl quota set user:nobody --commit-limit 1M
mode=$(stat -c %a /dev/privheap)
chmod 666 /dev/privheap
su -s /bin/sh nobody -c "$dir/region_script create:8M:512K commit:512K:512K commit:1M:4K" \
	>"$dir/out" 2>"$dir/err"
code=$?
chmod "$mode" /dev/privheap
[ "$code" = 1 ] && out '^refused by level 3$'
check "quota set: a user's limit holds"
ctl quota set user:nobody --commit-limit unlimited
[ "$code" = 0 ] && out '^commit +0 +1M +- +- +- +- +1$'
check "quota set: and is taken back"

# --- another user

ctl_as_nobody list --no-header
[ "$code" = 0 ] && [ ! -s "$dir/out" ]
check "an ordinary user sees no regions of others"
ctl_as_nobody show "$tenant_id"
[ "$code" = 1 ] && err "another user's"
check "show: another user's, 1"
ctl_as_nobody quota set user:nobody --commit-limit 1M
[ "$code" = 1 ] && err 'CAP_SYS_RESOURCE.*run it as root'
check "quota set: not by an ordinary user, 1"

release 7
release 8
exit "$failed"
