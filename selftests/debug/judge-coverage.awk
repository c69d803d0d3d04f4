# SPDX-License-Identifier: GPL-2.0-only
#
# Judge what gcov has counted. Input, in any order, the same one more than once:
#   FILE LINE - COUNT FUNCTION		a line
#   FILE LINE NUMBER COUNT FUNCTION	a branch of it
# Variables: sources, the folder of the files; reasons, the list of what need not
# be reached. Prints what is not reached, by file and function, and why. Fails if
# something has no reason.

# [branch ]FILE:FUNCTION, FILE:* or FILE:/TEXT/, blanks, REASON. FILE may be "*".
# An entry of a branch does not excuse a line.
function read_reasons(	line, at, colon, where) {
	while ((getline line <reasons) > 0) {
		if (line ~ /^[ \t]*(#|$)/)
			continue
		entries++
		of_branch[entries] = sub(/^branch +/, "", line)
		if (match(line, /^[^:]+:\/.*\/\t+/))
			at = RLENGTH
		else if (match(line, /^[^ \t]+[ \t]+/))
			at = RLENGTH
		else
			at = length(line)
		where = substr(line, 1, at)
		sub(/[ \t]+$/, "", where)
		why[entries] = substr(line, at + 1)
		colon = index(where, ":")
		file[entries] = substr(where, 1, colon - 1)
		what[entries] = substr(where, colon + 1)
		if (!colon || why[entries] == "") {
			print "module-coverage-reasons: no reason: " line
			bad++
		}
	}
}

function text_of(name, number,	path, line, i) {
	if (!((name, 1) in text)) {
		path = sources name
		for (i = 1; (getline line <path) > 0; i++)
			text[name, i] = line
		close(path)
	}
	return text[name, number]
}

function reason(name, number, in_function, branch,	i, w) {
	for (i = 1; i <= entries; i++) {
		if (file[i] != name && file[i] != "*")
			continue
		if (of_branch[i] && !branch)
			continue
		w = what[i]
		if (w == "*" || w == in_function ||
		    (w ~ /^\/.*\/$/ && index(text_of(name, number),
				substr(w, 2, length(w) - 2)))) {
			used[i] = 1
			return why[i]
		}
	}
	return ""
}

function show(name, number, in_function, what_is_left, branch,	because) {
	because = reason(name, number, in_function, branch)
	if (because == "") {
		because = "NO REASON"
		if (branch)
			branches_unexplained++
		else
			lines_unexplained++
	}
	if (because != last || name " " in_function != where_last) {
		print name ": " in_function "(): " because
		last = because
		where_last = name " " in_function
	}
	printf "%6d  %s%s\n", number, text_of(name, number), what_is_left
}

BEGIN {
	read_reasons()
}

{
	key = $1 SUBSEP $2
	in_function[key] = $5
	if (!($1 in files)) {
		files[$1]
		order[++file_count] = $1
	}
	if ($2 > longest[$1])
		longest[$1] = $2
}

$3 == "-" {
	count[key] += $4
	next
}

{
	taken[key, $3] += $4
	if ($3 + 1 > branches[key])
		branches[key] = $3 + 1
}

END {
	for (f = 1; f <= file_count; f++) {
		name = order[f]
		for (n = 1; n <= longest[name]; n++) {
			key = name SUBSEP n
			if (!(key in count))
				continue
			lines[name]++
			all_lines++
			if (count[key] == 0) {
				left_lines++
				missed[name]++
				show(name, n, in_function[key], "", 0)
				continue
			}
			not_taken = ""
			for (b = 0; b < branches[key]; b++) {
				all_branches++
				if (taken[key, b] == 0) {
					not_taken = not_taken " " b
					left_branches++
				}
			}
			if (not_taken != "")
				show(name, n, in_function[key], "   <- branch" \
				     not_taken " of " branches[key], 1)
		}
	}
	print ""
	for (f = 1; f <= file_count; f++) {
		name = order[f]
		printf "%-24s %4d of %4d lines reached\n", name,
			lines[name] - missed[name], lines[name]
	}
	for (i = 1; i <= entries; i++)
		if (!used[i])
			print "module-coverage-reasons: nothing needs it: " \
				file[i] ":" what[i]
	printf "# %d lines, %d not reached, %d of them without a reason\n",
		all_lines, left_lines, lines_unexplained
	printf "# %d branches of reached lines, %d not taken, on %d lines without a reason\n",
		all_branches, left_branches, branches_unexplained
	if (all_lines)
		printf "# %.1f percent of the lines\n",
			100 * (all_lines - left_lines) / all_lines
	exit (lines_unexplained + branches_unexplained + bad > 0 || !all_lines)
}
