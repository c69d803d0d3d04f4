# SPDX-License-Identifier: GPL-2.0-only
#
# Is standard input in Prometheus's text format (0.0.4)? Says what is not, and
# ends with 1 then. Strict: each metric has its HELP and TYPE, in this order and
# before all of its samples; its samples stand together; none comes twice;
# counters' names end in _total; the last line has an end.

function wrong(what) {
	print "line " NR ": " what ": " $0
	bad = 1
}

# Takes name="value" and what divides them off the start of "rest".
function take_labels(	seen, name) {
	while (rest != "" && substr(rest, 1, 1) != "}") {
		if (!match(rest, /^[a-zA-Z_][a-zA-Z0-9_]*="/)) {
			wrong("a label without name")
			return 0
		}
		name = substr(rest, 1, RLENGTH - 2)
		if (name ~ /^__/ || name in seen)
			wrong("label " name)
		seen[name] = 1
		rest = substr(rest, RLENGTH + 1)
		# Only three characters may be escaped; a quote must be.
		if (!match(rest, /^([^"\\]|\\[\\"n])*"/)) {
			wrong("value of label " name)
			return 0
		}
		rest = substr(rest, RLENGTH + 1)
		if (substr(rest, 1, 1) == ",")
			rest = substr(rest, 2)
		else if (substr(rest, 1, 1) != "}") {
			wrong("behind label " name)
			return 0
		}
	}
	if (rest == "") {
		wrong("no end of labels")
		return 0
	}
	rest = substr(rest, 2)
	return 1
}

/^# HELP / {
	if ($3 !~ /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ || NF < 4)
		wrong("HELP")
	if ($3 in helped)
		wrong("a second HELP")
	helped[$3] = 1
	current = $3
	next
}

/^# TYPE / {
	if (NF != 4 || $4 !~ /^(counter|gauge)$/)
		wrong("TYPE")
	if ($3 != current || $3 in type)
		wrong("TYPE is not behind its HELP")
	if (($4 == "counter") != ($3 ~ /_total$/))
		wrong("name and type")
	type[$3] = $4
	next
}

/^#/ || /^$/ {
	wrong("what is this")
	next
}

{
	if (!match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)) {
		wrong("no name")
		next
	}
	name = substr($0, 1, RLENGTH)
	if (name != current || !(name in type))
		wrong("not behind its TYPE")
	rest = substr($0, RLENGTH + 1)
	if (substr(rest, 1, 1) == "{") {
		rest = substr(rest, 2)
		if (!take_labels())
			next
	}
	series = substr($0, 1, length($0) - length(rest))
	if (series in samples)
		wrong("a second sample")
	samples[series] = 1
	if (rest !~ /^ ([0-9]+|\+Inf)$/)
		wrong("value")
	if (type[name] == "counter" && rest !~ /^ [0-9]+$/)
		wrong("value of a counter")
	count++
}

END {
	if (!count) {
		print "no samples"
		bad = 1
	}
	exit bad
}
