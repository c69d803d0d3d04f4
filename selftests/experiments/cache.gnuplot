# SPDX-License-Identifier: GPL-2.0-only
#
# Three caches over the steps: what is committed, what is hit, what is refused.

width = 900
height = 760
load common

of(policy) = sprintf("< awk -F, '$1 == \"%s\"' cache.csv", policy)
# The mean of five steps.
mean(policy) = sprintf("< awk -F, '$1 == \"%s\" { hits += $5; all += $4; " . \
	"if (++n %% 5 == 0) { print $2 - 2 \",\" 100 * hits / all; " . \
	"hits = all = 0 } }' cache.csv", policy)
# The steps at which bursts begin and end.
edges = system("awk -F, '$1 == \"soft\" { if ($3 != was) print $2; was = $3 }' cache.csv")
soft = 22
hard = 24

stats of("soft") using 2 nooutput
steps = STATS_max + 1
stats "< awk -F, 'NR > 1' cache.csv" using 6 nooutput
most = STATS_max

set multiplot layout 3,1 margins 0.085,0.98,0.075,0.97 spacing 0.09
set xrange [0:steps]
do for [i = 1:words(edges):2] {
	set object i rectangle from first word(edges, i) + 0,graph 0 \
		to first word(edges, i + 1) + 0,graph 1 behind \
		fillcolor rgb "#eeeeee" fillstyle solid noborder
	set label 10 + i "requests take\n10 x as long" \
		at first (word(edges, i) + word(edges, i + 1)) / 2.0,graph 0.93 center
}

set ylabel "process commits, MiB"
set yrange [0:hard * 1.6]
set arrow 1 from 0,soft to steps,soft nohead dashtype 2 linecolor rgb grey
set arrow 2 from 0,hard to steps,hard nohead dashtype 2 linecolor rgb grey
set label 1 "soft limit" at steps * 0.005,soft left offset 0,-0.7 \
	textcolor rgb grey
set label 2 "hard limit" at steps * 0.005,hard left offset 0,0.6 \
	textcolor rgb grey
set key bottom right
plot of("never") using 2:($11 / MIB) with lines linewidth 2 \
	linecolor rgb yellow notitle, \
	of("refused") using 2:($11 / MIB) with lines linewidth 2 dashtype 2 \
	linecolor rgb red notitle, \
	of("soft") using 2:($11 / MIB) with lines linewidth 2.5 \
	linecolor rgb blue notitle, \
	of("soft") using 2:($10 / MIB) with lines linewidth 1.5 dashtype 3 \
	linecolor rgb blue title "of that, the cache that heeds the soft limit"
unset arrow
unset label

set ylabel "answered from the cache, %"
set yrange [0:100]
set key at graph 0.02,0.42 left top
plot mean("never") using 1:2 with lines linewidth 2 \
	linecolor rgb yellow title "evicts never", \
	mean("refused") using 1:2 with lines linewidth 2 dashtype 2 \
	linecolor rgb red title "evicts when the hard limit refuses", \
	mean("soft") using 1:2 with lines linewidth 2.5 \
	linecolor rgb blue title "evicts when told of the soft limit"

set xlabel "step"
set ylabel "requests failed in a step"
set yrange [0:most * 1.1]
plot of("never") using 2:6 with lines linewidth 2 \
	linecolor rgb yellow notitle, \
	of("refused") using 2:6 with lines linewidth 2 dashtype 2 \
	linecolor rgb red notitle, \
	of("soft") using 2:6 with lines linewidth 2.5 \
	linecolor rgb blue notitle
unset multiplot
