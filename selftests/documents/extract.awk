# SPDX-License-Identifier: GPL-2.0-only
#
# What documents (*.md) and man pages (*.1 to *.9) have to be run or compiled:
#
#	@ FILE:LINE COMMAND	a command, in one line
#	=			what it prints is shown:
#	|TEXT			a line of that; or of the block before
#	c FILE:LINE NAME	a program; NAME may be missing
#	t FILE:LINE LANGUAGE	another block
#	! FILE:LINE FAULT
#
# Of a man page these are the EXAMPLES: .Dl is a command, .Bd -literal a program.

function where() { return FILENAME ":" FNR }

# A line of shell: comments go, and what continues is one command.
function shell(line) {
	if (pending == "") {
		begun = where()
		if (line ~ /^[ \t]*(#|$)/)
			return
	}
	sub(/[ \t]+#[ \t][^"']*$/, "", line)
	gsub(/[ \t]+/, " ", line)
	sub(/^ /, "", line)
	sub(/ $/, "", line)
	if (pending != "" && pending !~ / do$/ && !continues)
		pending = pending ";"
	pending = pending (pending == "" ? "" : " ") line
	continues = sub(/ ?\\$/, "", pending)
	if (continues || (pending ~ /^for / && line != "done"))
		return
	print "@ " begun " " pending
	pending = ""
}

# Commands in the text: `make demo`. What only names a program has no arguments.
function prose(	span, n, i) {
	n = split(text, span, "`")
	for (i = 2; i <= n; i += 2)
		if (span[i] ~ /^(make|apt|modprobe|rmmod|insmod|adduser|mokutil|openssl|privheapctl|objdump|dpkg-buildpackage|systemd-sysusers|selftests\/[^ ]+|lib\/build\/[^ ]+) [^ ]/ ||
		    span[i] == "make")
			print "@ " text_at " " span[i]
	text = ""
}

function close_all() {
	if (fence != "")
		print "! " last ": a block that does not end"
	if (pending != "")
		print "! " last ": a command that does not end"
	prose()
	fence = pending = ""
	examples = literal = 0
}

FNR == 1 {
	if (NR > 1)
		close_all()
	before = ""
}

{ last = where() }

# --- man pages

FILENAME ~ /\.[1-9]$/ {
	if (/^\.Sh /)
		examples = $2 == "EXAMPLES"
	else if (!examples)
		next
	else if (/^\.Bd -literal/) {
		literal = 1
		print "c " where()
	} else if (/^\.Ed/)
		literal = 0
	else if (literal) {
		gsub(/\\e/, "\\")
		print "|" $0
	} else if (sub(/^\.Dl /, ""))
		shell($0)
	next
}

# --- documents

/^```/ && fence == "" {
	prose()
	fence = $1
	sub(/^```/, "", fence)
	shown = 0
	if (fence == "c")
		print "c " where() ($2 == "" ? "" : " " $2)
	else if (fence ~ /^(text|cmake|c#)$/)
		print "t " where() " " fence
	else if (fence !~ /^(sh|console)$/) {
		print "! " where() ": a block of what? (sh, console, c, text)"
		fence = "?"
	}
	next
}
/^```/ {
	if (pending != "")
		print "! " where() ": a command that does not end"
	fence = pending = ""
	next
}
fence == "sh" {
	shell($0)
	next
}
fence == "console" {
	if (/^[$#] /) {
		shell(substr($0, 3))
		print "="
	} else
		print "|" $0
	next
}
fence != "" {
	if (fence == "text" && /^\$ /)
		print "! " where() ": a command in a block of text"
	print "|" $0
	next
}
/^(    |\t)/ && before == "" {
	print "! " where() ": a block of code without a fence"
}
/^$/ { prose() }
{
	if (text == "")
		text_at = where()
	text = text $0 " "
	before = $0
}
END { close_all() }
