# SPDX-License-Identifier: GPL-2.0-only
#
# Above: a tick for each run, by what came of it. Below: what a hard limit leaves.

width = 900
height = 640
load common

# Rows from above: the table, the program, and what 100 % of it is.
tables = "fail_charge fail_charge fail_allocation fail_limit fail_limit"
programs = "store sqlite3 sqlite3 store sqlite3"
names = "'store: a charge' 'sqlite3: a charge' 'sqlite3: an allocation' " . \
	"'store: a hard limit' 'sqlite3: a hard limit'"
outcomes = "absorbed refused completed broken"
meaning = "'the heap, or the program, does without' " . \
	"'the program is told, and survives' 'nothing was refused' 'broken'"
colour(outcome) = outcome eq "absorbed" ? light : outcome eq "refused" ? blue : \
	outcome eq "completed" ? green : red

of(row) = sprintf("$1 == \"%s\"", word(programs, row))
# The largest there is, of a limit the first that was enough.
most(row) = real(system(sprintf("awk -F, '%s { m = $2; " . \
	"if ($3 == \"completed\") exit } END { print m + 0 }' %s.csv", of(row), \
	word(tables, row))))
ticks(row, outcome) = sprintf("< awk -F, '%s && $3 == \"%s\" " . \
	"{ print 100 * $2 / %f; n++ } END { if (!n) print -9 }' %s.csv", \
	of(row), outcome, most(row), word(tables, row))

stats "< awk -F, '$1 == \"store\"' fail_limit.csv" using 5 nooutput
commands = STATS_max

set multiplot
set lmargin at screen 0.2
set rmargin at screen 0.98

set tmargin at screen 0.86
set bmargin at screen 0.44
set title "What is refused: one of all, or all above a limit" font ",13" \
	offset 0,2.6
set xrange [-1:102]
set yrange [0.4:5.6]
set ytics ("" 1)
do for [r = 1:5] {
	set ytics add (word(names, r) 6 - r)
}
unset grid
set format x ""
set key at graph 0.45,1.17 center top vertical maxrows 2 samplen 1.5 width 2
plot for [o = 1:4] for [r = 1:5] ticks(r, word(outcomes, o)) \
	using 1:(6 - r - 0.28):(0):(0.56) with vectors nohead linewidth 2 \
	linecolor rgb colour(word(outcomes, o)) \
	title (r == 1 ? word(meaning, o) : "")

set tmargin at screen 0.4
set bmargin at screen 0.1
unset title
set format x "%g"
set xlabel "which one, % of all that the program makes; or the limit, % of what it needs"
set ylabel "commands that the store\nrefuses under the limit"
set yrange [0:commands * 1.1]
unset ytics
set ytics autofreq nomirror out
set grid y linetype 1 linecolor rgb "#e8e8e8" linewidth 1
plot "< awk -F, '$1 == \"store\"' fail_limit.csv" \
	using (100 * $2 / most(4)):($4 == 4 ? NaN : $5) with linespoints \
	pointtype 7 pointsize 0.5 linewidth 1.5 linecolor rgb blue notitle
unset multiplot
