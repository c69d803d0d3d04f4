# SPDX-License-Identifier: GPL-2.0-only
#
# Above: what came of refusing each charge. Below: what a hard limit leaves.

width = 900
height = 620
load common

rows = "store sqlite3"
# A tick for each charge of a program: those with this outcome.
ticks(row, outcome) = sprintf("< awk -F, '$1 == \"%s\" && $3 == \"%s\"' " . \
	"fail_nth.csv", row, outcome)
limits(row, outcome) = sprintf("< awk -F, '$1 == \"%s\" && " . \
	"$3 ~ /^(%s)$/' fail_limit.csv", row, outcome)
count(row, outcome) = int(system(sprintf("awk -F, '$1 == \"%s\" && " . \
	"$3 == \"%s\"' fail_nth.csv | wc -l", row, outcome)))

stats "< awk -F, 'NR > 1' fail_nth.csv" using 2 nooutput
most = STATS_max

set multiplot
set lmargin at screen 0.1
set rmargin at screen 0.98

set tmargin at screen 0.93
set bmargin at screen 0.62
set title "One charge of the whole program is refused" font ",13"
set xlabel "which charge"
set xrange [0:most + 1]
set yrange [0.4:2.9]
set ytics ("store" 2, "sqlite3" 1)
unset grid
set key top right horizontal samplen 1

plot for [i = 1:2] ticks(word(rows, i), "absorbed") \
	using 2:(3 - i):(0):(0.28) with vectors nohead linewidth 1.5 \
	linecolor rgb light title (i == 1 ? "the heap does with less" : ""), \
	for [i = 1:2] ticks(word(rows, i), "refused") \
	using 2:(3 - i):(0):(0.28) with vectors nohead linewidth 1.5 \
	linecolor rgb blue \
	title (i == 1 ? "the program is told, and survives" : ""), \
	for [i = 1:2] ticks(word(rows, i), "broken") \
	using 2:(3 - i):(0):(0.28) with vectors nohead linewidth 2 \
	linecolor rgb red title (i == 1 ? "broken" : "")

set tmargin at screen 0.47
set bmargin at screen 0.1
set title "A hard limit on all that the program commits" font ",13"
set xlabel "hard limit, part of what the program needs, %"
set ylabel "commands refused by the store"
peak(row) = real(system(sprintf("awk -F, '$1 == \"%s\" && $3 == \"completed\" " . \
	"{ print $2; exit }' fail_limit.csv", row)))
stats limits("store", "completed|absorbed|refused") using 6 nooutput
commands = STATS_max
set xrange [0:*]
set yrange [0:commands * 1.05]
set ytics autofreq
set key top right
plot limits("store", "completed|absorbed|refused") \
	using ($2 / peak("store") * 100):5 with linespoints pointtype 7 \
	pointsize 0.5 linewidth 1.5 linecolor rgb blue title "store"
unset multiplot
