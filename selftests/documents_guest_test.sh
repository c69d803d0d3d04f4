#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the documents and man pages show of privheapctl and of programs on the module
# is what one sees: the commands of their transcripts are run, in a scene of three
# processes, and what they print is compared. documents/guest.txt has the transcripts,
# as documents/extract left them. Needs root and the module.
#
# A line "..." of a transcript stands for any lines. Times and addresses are not
# compared, nor the system's peaks and denials, of which other tests have made some, nor
# how wide columns are; process ids and numbers of regions are those of
# the scene, whatever they are here.
# shellcheck disable=SC2317 # called by trap, and in the place of a program
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$here/tap.sh"
# shellcheck source=privheapctl.sh
. "$here/privheapctl.sh"
transcripts=${PRIVHEAP_TRANSCRIPTS:-$here/documents/guest.txt}

[ -e "$transcripts" ] || skip_all "no $transcripts: documents/extract makes it"
grep -q '^cgroup2 ' /proc/mounts || [ -e /sys/fs/cgroup/cgroup.procs ] ||
	skip_all "no cgroup v2"
export LC_ALL=C.UTF-8 COLUMNS=80

# --- the scene

id -u alice >/dev/null 2>&1 || {
	echo 'alice:x:1000:1000::/:/bin/sh' >>/etc/passwd
	echo 'alice:x:1000:' >>/etc/group
}
group=$(stat -c %g /dev/privheap)
web=/sys/fs/cgroup/web
limit=/sys/module/privheap/parameters/commit_limit
limit_before=$(cat "$limit")

end_scene() {
	for slot in 7 8 9; do
		release "$slot"
	done
	# shellcheck disable=SC2086 # one word for each
	[ -z "$held" ] || wait $held
	chgrp "$group" /dev/privheap
	"$dir/privheapctl" quota set user:alice --commit-limit unlimited \
		--commit-soft unlimited >/dev/null
	echo "$limit_before" >"$limit"
	rmdir "$web" /sys/fs/cgroup/x
	rm -rf "$dir"
}

# as_shown PROCESS REGION: what was held last has these numbers in documents. The
# process is not always the one that was started: a shell is between them.
as_shown() {
	pid=$(privheapctl list --no-header | awk -v id="$id" '$1 == id { print $2 }')
	echo "s/\<$pid\>/$1/g; s/\<$id\>/$2/g" >>"$dir/names"
}

mkdir -p "$web" /sys/fs/cgroup/x
chgrp alice /dev/privheap
echo 512M >"$limit"
trap end_scene EXIT
echo $$ >"$web/cgroup.procs"
hold 7 name:tenant-a create:64M:8M touch:0:4M commit:16M:4M touch:17M:1M commit:32M:64K
as_shown 130 1
first=$id
echo $$ >/sys/fs/cgroup/cgroup.procs
hold 8 name:cache create:512M:100M touch:0:60M
as_shown 132 2
region_script() {
	su -s /bin/sh alice -c "exec $dir/region_script $*"
}
hold 9 name:plugin create:16M:1M touch:0:256K
unset -f region_script
as_shown 136 3

# Programs are where they are for who has built them.
mkdir -p "$dir/lib/build"
cp "$here/documents/demo" "$dir/lib/build/"
cp "$here/documents/program" "$dir/"
cat >"$dir/server" <<-END
#!/bin/sh
exec region_script create:128M:32M touch:0:2M
END
chmod 755 "$dir/server"

# --- transcripts

# What may be otherwise is made the same. The last line of sed takes what pads cells.
even() {
	sed -f "$dir/names" | sed -E -e 's/0x[0-9a-f]{6,}/ADDRESS/g' \
		-e 's/\<[0-9]{2}:[0-9]{2}:[0-9]{2}\>/TIME/g' \
		-e 's/privheapctl-[0-9]+/privheapctl-PID/g' \
		-e '/^committed /s/\(peak [^)]*\)/(peak P)/g' \
		-e '/^committed /s/denials [0-9]+/denials N/' \
		-e 's/[ \t]+/ /g; s/^ //; s/ $//'
}

# Does $dir/out look as $dir/want says?
looks_so() {
	even <"$dir/want" >"$dir/want.even"
	even <"$dir/out" >"$dir/out.even"
	awk -f "$here/documents/transcript.awk" "$dir/want.even" "$dir/out.even" \
		>"$dir/differs"
}

# A command as it is written: what is run, and where its transcript begins.
run_one() {
	: >"$dir/differs"
	command=$(printf '%s\n' "$2" | sed "s/\<show 1\>/show $first/")
	(cd "$dir" && timeout 60 sh -c "$command") >"$dir/out" 2>&1 </dev/null
	code=$?
	if [ "$3" = compared ]; then
		looks_so
	else
		[ "$code" = 0 ]
	fi
	status=$?
	[ "$status" = 0 ] || cat "$dir/differs" "$dir/out" | comment
	result "$status" "$1: $2"
}

# guest.txt: "@ FILE:LINE COMMAND" begins one; lines with "|" are what it prints, and
# "=" before the first of them says that they are shown.
echo "TAP version 13"
echo "1..$(grep -c '^@ ' "$transcripts")"
where=
while IFS= read -r line; do
	case $line in
	'@ '*)	[ -z "$where" ] || run_one "$where" "$text" "$shown"
		line=${line#@ }
		where=${line%% *}
		text=${line#* }
		shown=
		: >"$dir/want" ;;
	=)	shown=compared ;;
	'|'*)	printf '%s\n' "${line#|}" >>"$dir/want" ;;
	esac
done <"$transcripts"
[ -z "$where" ] || run_one "$where" "$text" "$shown"
exit "$failed"
