# SPDX-License-Identifier: GPL-2.0-only
#
# awk -f transcript.awk WANT GOT: whether a program has printed what a document shows.
# A line "..." of WANT stands for any lines. Says what is first that differs.

FILENAME == ARGV[1] { want[++wants] = $0; next }
{ got[++gots] = $0 }

END {
	g = 1
	for (w = 1; w <= wants; w++) {
		if (want[w] == "...") {
			any = 1
			continue
		}
		while (any && g <= gots && got[g] != want[w])
			g++
		if (g > gots || got[g] != want[w]) {
			print "should be: " want[w]
			print "is:        " (g > gots ? "the end" : got[g])
			exit 1
		}
		g++
		any = 0
	}
	if (!any && g <= gots) {
		print "more than it should be: " got[g]
		exit 1
	}
}
