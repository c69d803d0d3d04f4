#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# privheapctl top: what it shows, what keys do, and that however it ends the
# terminal is as it was. Needs root and the module.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
# shellcheck source=privheapctl.sh
. "$here/privheapctl.sh"

[ -x "$here/pty_run" ] || skip_all "no $here/pty_run"
export PTY_RUN_SECONDS=30
escape=$(printf '\033')

# at_terminal ACTION... -- ARGUMENT...: of pty_run, and of top
at_terminal() {
	before=
	while [ "$1" != -- ]; do
		before="$before $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # actions without spaces
	"$here/pty_run" $before -- privheapctl top "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null
	code=$?
}

# ended HOW: so, and the terminal is as it was
ended() {
	[ "$code" = 0 ] && out "^pty: $1$" && out '^pty: modes as before$' &&
		out '^pty: screen as before$'
}

echo "TAP version 13"
echo "1..18"

hold 7 name:tenant create:64M:32M touch:0:16M
tenant_id=$id
hold 8 name:small create:8M:64K

ctl top --count 1
[ "$code" = 0 ] && ! out "$escape" &&
	out '^privheapctl top - [0-9:]{8}  [0-9]+ regions, every 2.0 s, by committed$' &&
	out '^committed [0-9.]+M of ' && out '^ *ID +PID +USER +COMMAND +RESERVED ' &&
	out "^ *$tenant_id +[0-9]+ +root +tenant +64M +32M +16M +64M +0 +\[#####=====\.{10}\]  50%$"
check "top: where it is no terminal, a table"
awk '/ tenant / { a = NR } / small / { b = NR } END { exit !(a && a < b) }' "$dir/out"
check "top: the one that has most is the first"
ctl top --count 3 --interval 0.1 --sort command
[ "$code" = 0 ] && [ "$(grep -c '^privheapctl top' "$dir/out")" = 3 ] &&
	out ', by command$'
check "top: so many times, sorted otherwise"
ctl top --count 1 --quotas
[ "$code" = 0 ] && out '^SUBJECT +REGIONS ' && out '^system +[0-9]+ '
check "top: quotas"
ctl top --interval 0
[ "$code" = 2 ] && err 'seconds from 0.1'
check "top: no interval, 2"

at_terminal wait:small keys:q -- --interval 5
ended 'status 0'
check "top: q ends it, and the terminal is as before"
out "$escape\[7m *ID " && out 'COMMIT/LIMIT'
check "top: a heading that stands out"
at_terminal wait:small signal:2 -- --interval 5
ended 'signal 2'
check "top: SIGINT ends it, the terminal is as before"
at_terminal wait:small signal:15 -- --interval 5
ended 'signal 15'
check "top: SIGTERM ends it, the terminal is as before"
at_terminal wait:small signal:1 -- --interval 5
ended 'signal 1'
check "top: SIGHUP ends it, the terminal is as before"
at_terminal wait:small signal:11 -- --interval 5
ended 'signal 11'
check "top: it crashes, and the terminal is as before"
at_terminal wait:small "keys:$(printf '\003')" -- --interval 5
ended 'signal 2'
check "top: Ctrl-C ends it, the terminal is as before"
at_terminal wait:small -- --count 2 --interval 0.2
ended 'status 0'
check "top: it ends by itself, and the terminal is as before"
at_terminal wait:small "keys:$(printf '\032')" stopped: signal:18 wait:small keys:q -- \
	--interval 60
ended 'status 0'
check "top: stopped by Ctrl-Z, and continued"
at_terminal wait:small keys:s wait:resident keys:r wait:reversed keys:v wait:SUBJECT \
	keys:h wait:quit keys:p wait:paused keys:q -- --interval 60 --sort committed
ended 'status 0'
check "top: keys"
at_terminal wait:small size:120x30 wait:RESERVED size:30x3 wait:top keys:q -- \
	--interval 60
ended 'status 0'
check "top: the window gets another size"
at_terminal wait:small keys:q -- --interval 60
line=$(sed -n "s/$escape\[K.*//; /tenant/p" "$dir/out" | tr -d '\r' |
	sed "s/$escape\[[0-9;?]*[A-Za-z]//g" | head -n 1)
[ -n "$line" ] && [ ${#line} -le 80 ] && ended 'status 0'
check "top: no line is longer than the terminal is wide"
"$here/pty_run" -- sh -c 'privheapctl top --count 1 </dev/null' \
	>"$dir/out" 2>"$dir/err" </dev/null
code=$?
ended 'status 0'
check "top: without keys to read"

release 7
release 8
exit "$failed"
