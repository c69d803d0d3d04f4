#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# privheapctl run: commands under a quota. Needs root, the module, and cgroups of
# the second version.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
# shellcheck source=privheapctl.sh
. "$here/privheapctl.sh"

cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$cgroups" ] || skip_all "no cgroups (v2) are mounted"

echo "TAP version 13"
echo "1..26"

# No cgroup of run's is left.
none_left() {
	[ -z "$(find "$cgroups" -name 'privheapctl-*')" ]
}

# --- run

ctl run --commit-limit 16M -- region_script create:64M:8M touch:0:2M commit:8M:8M \
	commit:16M:64K exit:7
[ "$code" = 7 ] && out '^refused by level 4$' && [ "$(wc -l <"$dir/out")" = 1 ] &&
	err '^privheapctl: region_script: exit status 7$' &&
	err '^  commit +peak 16M, limit 16M, 1 denial$' &&
	err '^  resident +peak 2M, no limit, 0 denials$' &&
	err '^  1 charge was refused'
check "run: a limit, the report, the command's status"
none_left
check "run: the cgroup is gone"
ctl quota show --level cgroup --no-header
[ "$code" = 0 ] && [ ! -s "$dir/out" ]
check "run: and its quota"
ctl run -- region_script create:64M:8M
[ "$code" = 0 ] && err '^  commit +peak 8M, no limit, 0 denials$'
check "run: without a limit, a report"
ctl run --quiet -- sh -c 'echo out; echo err >&2; exit 3'
[ "$code" = 3 ] && out '^out$' && [ "$(cat "$dir/err")" = err ]
check "run: quiet"
ctl run --commit-limit 16M -- region_script create:64M:8M fork: create:64M:8M \
	fork: create:64M:64K
[ "$code" = 1 ] && out '^refused by level 4$'
check "run: its children are under the limit, too"
ctl run --resident-limit 1M -- region_script create:64M:8M touch:0:8M
[ "$code" = 135 ] && err 'killed by signal 7' && err '^  resident +peak 1M, limit 1M, [1-9]'
check "run: a limit on what is resident"
ctl run --commit-fail-nth 2 -- region_script create:64M:1M commit:1M:1M commit:1M:1M
[ "$code" = 1 ] && [ "$(cat "$dir/out")" = "refused by level 4" ]
check "run: the Nth charge fails"
# shellcheck disable=SC2016 # for the other shell
ctl run -- sh -c 'kill -9 $$'
[ "$code" = 137 ] && err 'killed by signal 9 \(Killed\)'
check "run: killed, 128 and the signal"
ctl run -- no-such-command
[ "$code" = 127 ] && err 'no-such-command: No such file' && none_left
check "run: not found, 127"
ctl run -- /dev/null
[ "$code" = 126 ] && none_left
check "run: not executable, 126"
ctl run
[ "$code" = 125 ] && err 'which command\?'
check "run: without a command, 125"
ctl run --commit-limit 12Q -- true
[ "$code" = 125 ] && err '12Q'
check "run: nonsense, 125"
ctl_as_nobody run -- true
[ "$code" = 125 ] && err 'run it as root'
check "run: not by an ordinary user, 125"
ctl run --name no/folder -- true
[ "$code" = 125 ]
check "run: a name that is none, 125"
ctl run --name privheapctl-here -- sh -c "cat /proc/self/cgroup"
[ "$code" = 0 ] && out '/privheapctl-here$' && none_left
check "run: its name"
mkdir "$cgroups/privheapctl-here"
ctl run --name privheapctl-here -- true
[ "$code" = 125 ] && err 'choose another --name'
check "run: a name that is taken, 125"
rmdir "$cgroups/privheapctl-here"
ctl run -- sh -c 'echo --help'
[ "$code" = 0 ] && out '^--help$'
check "run: the command's own options"

ctl run --name privheapctl-rest --commit-limit 8M -- region_script leave: sleep:600
[ "$code" = 0 ] && err '1 process is still running under the quota; when gone: rmdir ' &&
	[ "$(wc -l <"$cgroups/privheapctl-rest/cgroup.procs")" = 1 ]
check "run: what is left running, and where"
ctl quota show "cgroup:$cgroups/privheapctl-rest"
[ "$code" = 0 ] && out "^cgroup:$cgroups/privheapctl-rest$" && out '^commit +0 +0 +- +8M '
check "run: that is still under the quota"
kill -9 "$(cat "$cgroups/privheapctl-rest/cgroup.procs")"
until_true 30 rmdir "$cgroups/privheapctl-rest" 2>/dev/null
check "run: and the folder can be removed"
ctl run --kill -- region_script leave: sleep:600
[ "$code" = 0 ] && none_left
check "run: kills what is left running"
ctl run --wait -- region_script leave: create:64M:2M sleep:1 create:64M:3M
[ "$code" = 0 ] && none_left && err '^  commit +peak 5M, '
check "run: waits for what is left running"

# shellcheck disable=SC2016 # for the other shell
privheapctl run -- sh -c 'trap "echo got it; exit 9" TERM
	echo ready; while :; do sleep 0.1; done' >"$dir/out" 2>"$dir/err" &
waiter=$! held=$!
until_true 30 grep -q ready "$dir/out"
kill -TERM "$waiter"
wait "$waiter"
code=$?
[ "$code" = 9 ] && out '^got it$' && none_left
check "run: signals go on to the command"

# shellcheck disable=SC2016 # for the other shell
"$here/pty_run" wait:ready "keys:$(printf '\003')" -- privheapctl run -- sh -c \
	'trap "echo once" INT; echo ready; n=0
	while [ $n -lt 10 ]; do sleep 0.1; n=$((n + 1)); done; exit 6' \
	>"$dir/out" 2>"$dir/err" </dev/null
code=$?
[ "$code" = 0 ] && [ "$(grep -c once "$dir/out")" = 1 ] && out '^pty: status 6$' &&
	none_left
check "run: Ctrl-C reaches the command once"

ctl run -- privheapctl run --commit-limit 4M -- \
	region_script create:64M:4M commit:4M:4K
[ "$code" = 1 ] && out '^refused by level 4$' && none_left
check "run: one in another"

exit "$failed"
