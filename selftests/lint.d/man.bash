# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# Man pages: whether mandoc is content with each, and whether all of them together
# tell of all there is: functions, ioctls, tracepoints, commands and their options.

# Prints nothing, or what is missing. Which other pages a page names is looked at
# below: mandoc knows only what is installed.
man_style() {
	local page
	for page; do
		mandoc -T lint -W style "$page" 2>/dev/null
	done | grep -v 'STYLE: referenced manual not found:'
}

# man_names PAGE...: "NAME PAGE" for each that the section NAME has.
man_names() {
	awk '/^\.Sh / { in_name = $2 == "NAME" }
		in_name && $1 == ".Nm" { print $2, FILENAME }' "$@"
}

# man_has FILE WHAT WORD...: whether the page has each, as a word.
man_has() {
	local file=$1 what=$2 word
	shift 2
	for word; do
		grep -q -w -e "$word" "$file" || echo "$file: no word of $what $word"
	done
}

# Each exported symbol has a page, which declares it, and no page has another one.
man_functions() {
	local name page
	sed -n 's/^\t\([A-Za-z][A-Za-z0-9_]*\);$/\1/p' lib/libprivheap.map | sort
	echo ---
	man_names lib/man/*.3 | while read -r name page; do
		if grep -q -E "^\.F[no] $name( |\$)" "$page"; then
			echo "$name"
		else
			echo "$name, which $page does not declare"
		fi
	done | sort
}

man_function_faults() {
	diff <(man_functions | sed '/^---$/,$d') <(man_functions | sed '1,/^---$/d') |
		sed -n -e 's/^< /lib\/man: no page of the symbol /p' \
			-e 's/^> /lib\/man: a page of what is no symbol: /p'
}

# What the device and the family have by name.
man_device_faults() {
	local page=kmod/man/privheap.4 words
	mapfile -t words < <(sed -n 's/^#define \(PRIVHEAP_[A-Z_]*\)[[:space:]].*/\1/p' \
		uapi/linux/privheap.h | grep -v -x PRIVHEAP_IOC_MAGIC)
	man_has "$page" the "${words[@]}"
	mapfile -t words < <(grep -o -w 'PRIVHEAP_CMD_[A-Z]*_[A-Z_]*' \
		uapi/linux/privheap_netlink.h | sort -u)
	man_has "$page" "the command" "${words[@]}"
	mapfile -t words < <(sed -n \
		-e 's/^TRACE_EVENT(\(.*\),$/\1/p' \
		-e 's/^DEFINE_EVENT(.*, \(.*\),$/\1/p' kmod/trace.h)
	man_has "$page" "the tracepoint" "${words[@]}"
	mapfile -t words < <(sed -n 's/^module_param[a-z_]*(\([a-z_]*\),.*/\1/p' kmod/*.c)
	man_has "$page" "the parameter" "${words[@]}"
	mapfile -t words < <(sed -n -e 's/.*"\(privheap-[a-z]*\):.*/\1/p' \
		-e 's/.*show_pages(m, "\([a-z-]*\)".*/privheap-\1/p' kmod/main.c)
	man_has "$page" "fdinfo's" "${words[@]}"
}

# Numbers that pages give to names are those of the headers.
man_number_faults() {
	local name number
	sed -n -e 's/^\.It Dv \([A-Z_]*\) Ta \([0-9]*\)$/\1 \2/p' \
		-e 's/^\.It \([0-9]*\) Dv \([A-Z_]*\)$/\2 \1/p' lib/man/*.3 |
		while read -r name number; do
			grep -q -h -E "^#define[[:space:]]+${name}[[:space:]]+$number\b" \
				lib/include/privheap/*.h uapi/linux/*.h ||
				echo "lib/man: $name is not $number"
		done
}

# The synopsis of each command, and its section, have each of its options.
man_tool_faults() {
	awk '
	FILENAME ~ /\.c$/ {
		if ($1 == "{" && $2 ~ /^"[a-z-]+",$/ && /OPTION_|_[A-Z]/) {
			gsub(/[",]/, "", $2)
			options = options " " $2
		} else if ($1 == "static" && /struct ctl_option/) {
			options = ""
		} else if ($1 == ".name" && match($0, /"[a-z ]+"/)) {
			command[substr($0, RSTART + 1, RLENGTH - 2)] = options
			options = ""
		}
		next
	}
	/^\.S[sh] / {
		section = substr($0, 5)
		known[section] = 1
	}
	/^\.Nm/ { getline; synopsis[section] = synopsis[section] " " $0 }
	{ text[section] = text[section] " " $0 " " }
	END {
		for (name in command) {
			if (!(name in known)) {
				print FILENAME ": no section of the command " name
				continue
			}
			n = split(command[name], word, " ")
			if (n < 2)
				print "lint: cannot read the options of " name
			# As set, where it says so.
			where = text[name]
			if (where ~ /As for *\.Cm quota set/)
				where = where text["quota set"]
			for (i = 1; i <= n; i++)
				if (word[i] != "help" &&
				    index(where, " -" word[i] " ") == 0)
					print FILENAME ": " name ": no word of --" \
						word[i]
		}
	}' lib/tools/*.c lib/man/privheapctl.8
}

# Pages of ours that a page names are there, with that section.
man_reference_faults() {
	{
		man_names "$@"
		echo ---
		sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1 \2/p' "$@" | sort -u
	} | awk '
	$1 == "---" { asked = 1; next }
	!asked { there[$1, substr($2, length($2))] = 1; next }
	/^(Heap|Virtual|Get|Set|Privheap|privheap|libprivheap)/ && !(($1, $2) in there) {
		print "there is no " $1 "(" $2 ")"
	}'
}

step_man() {
	local pages
	need_packages mandoc=mandoc
	mapfile -t pages < <(files_of '*.[1-9]')
	{
		man_style "${pages[@]}"
		if [ ${#given[@]} = 0 ]; then
			man_function_faults
			man_device_faults
			man_number_faults
			man_tool_faults
			man_reference_faults "${pages[@]}"
		fi
	} | grep . && return 1
	return 0
}
