# SPDX-License-Identifier: GPL-2.0-only
#
# Above what is committed, resident and touched; below the folios it came in.

width = 1100
height = 560
load common

names = "sequential random rows sparse"
titles = "'In sequence' 'At random' 'Ten in a row, at random' 'One page in sixteen'"

of(name) = sprintf("< awk -F, '$2 == \"%s\"' residency.csv", name)
folios(name) = sprintf("< awk -F, '$1 == \"%s\"' folios.csv", name)

stats of("sequential") using ($3 / MIB) nooutput
top = STATS_max
stats of("sequential") using 1 nooutput
steps = STATS_max + 1
array faults[4]
array pages[4]
do for [i = 1:4] {
	stats folios(word(names, i)) using 3:4 nooutput
	faults[i] = STATS_sum_x
	pages[i] = STATS_sum_y
}

set multiplot layout 2,4 columnsfirst \
	margins 0.068,0.99,0.11,0.925 spacing 0.045,0.17
do for [i = 1:4] {
	name = word(names, i)
	set title word(titles, i) font ",13"
	set xlabel "step"
	if (i == 1) {
		set ylabel "MiB" offset 0.5,0
	} else {
		unset ylabel
	}
	set xrange [0:steps]
	set xtics autofreq
	set yrange [0:top * 1.15]
	plot of(name) using 1:($3 / MIB) with steps linewidth 2 \
		linecolor rgb grey title (i == 1 ? "committed" : ""), \
		of(name) using 1:($4 / MIB) with steps linewidth 2.5 \
		linecolor rgb blue title (i == 1 ? "resident" : ""), \
		of(name) using 1:($5 / MIB) with steps linewidth 1.5 \
		dashtype 2 linecolor rgb yellow \
		title (i == 1 ? "touched" : "")

	unset title
	set xlabel "size of a folio, pages"
	if (i == 1) {
		set ylabel "share of the pages, %" offset 0.5,0
	}
	set xrange [-0.7:9.7]
	set xtics ("1" 0, "" 1, "4" 2, "" 3, "16" 4, "" 5, "64" 6, "" 7, \
		"" 8, "512" 9)
	set yrange [0:115]
	set label 1 sprintf("%.0f pages\nin %.0f faults", pages[i], faults[i]) \
		at graph (i == 1 ? 0.45 : 0.55),0.93 center
	set boxwidth 0.7
	set style fill solid 0.8 noborder
	plot folios(name) using 0:($5 * 100) with boxes linecolor rgb blue \
		notitle
	unset label
}
unset multiplot
