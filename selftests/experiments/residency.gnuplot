# SPDX-License-Identifier: GPL-2.0-only
#
# Above what is committed, resident and touched; below the folios it came in.

width = 1000
height = 600
load common

names = "sequential random sparse"
titles = "'Sequential' 'Random' 'Sparse: one page in sixteen'"

of(name) = sprintf("< awk -F, '$2 == \"%s\"' residency.csv", name)
folios(name) = sprintf("< awk -F, '$1 == \"%s\"' folios.csv", name)

stats of("sequential") using ($3 / MIB) nooutput
top = STATS_max
stats of("sequential") using 1 nooutput
steps = STATS_max + 1
array faults[3]
array pages[3]
do for [i = 1:3] {
	stats folios(word(names, i)) using 3:4 nooutput
	faults[i] = STATS_sum_x
	pages[i] = STATS_sum_y
}

set multiplot layout 2,3 columnsfirst \
	margins 0.07,0.985,0.105,0.94 spacing 0.055,0.16
do for [i = 1:3] {
	name = word(names, i)
	set title word(titles, i) font ",13"
	set xlabel "step"
	if (i == 1) {
		set ylabel "MiB"
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
		set ylabel "share of the pages, %"
	}
	set xrange [-0.7:9.7]
	set xtics ("1" 0, "" 1, "4" 2, "" 3, "16" 4, "" 5, "64" 6, "" 7, \
		"" 8, "512" 9)
	set yrange [0:115]
	set label 1 sprintf("%.0f faults for %.0f pages", faults[i], pages[i]) \
		at graph 0.5,0.96 center
	set boxwidth 0.7
	set style fill solid 0.8 noborder
	plot folios(name) using 0:($5 * 100) with boxes linecolor rgb blue \
		notitle
	unset label
}
unset multiplot
