# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # lint's variables
#
# Lists of what is accepted, each entry with the reason: TYPE, PATHS, LINE, reason,
# with tabs between. A remark of TYPE is accepted if its file is one of PATHS (or
# below it; several with blanks between) and its line matches the regular
# expression LINE; * is any.

# accept LIST: reads remarks FILE:LINE:TYPE:TEXT, prints those that are not accepted.
# When all files are looked at, an entry that is of no use is a remark, too. The
# status is 1 if anything was printed.
accept() {
	awk -v all="$([ ${#given[@]} -gt 0 ] || echo 1)" -v list="$1" '
	BEGIN {
		FS = "\t"
		while ((getline <list) > 0) {
			if ($0 ~ /^#/ || NF == 0)
				continue
			if (NF != 4) {
				print list ": TYPE, PATHS, LINE, reason: " $0
				bad = 1
				continue
			}
			n++
			entry[n] = $0
			type[n] = $1
			paths[n] = $2
			pattern[n] = $3
		}
		FS = ":"
	}
	# The line itself, if it matters.
	function source(file, number,	text, i) {
		if (!((file, number) in cache)) {
			for (i = 0; i < number && (getline text <file) > 0; i++)
				;
			close(file)
			cache[file, number] = text
		}
		return cache[file, number]
	}
	function is_below(file, where,	part, count, i) {
		if (where == "*")
			return 1
		count = split(where, part, " ")
		for (i = 1; i <= count; i++)
			if (file == part[i] || index(file, part[i] "/") == 1)
				return 1
		return 0
	}
	{
		for (i = 1; i <= n; i++) {
			if (type[i] == $3 && is_below($1, paths[i]) &&
			    (pattern[i] == "*" || source($1, $2) ~ pattern[i])) {
				used[i] = 1
				next
			}
		}
		print
		bad = 1
	}
	END {
		for (i = 1; all && i <= n; i++) {
			if (!(i in used)) {
				print list ": of no use: " entry[i]
				bad = 1
			}
		}
		exit bad
	}'
}
