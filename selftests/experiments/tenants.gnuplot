# SPDX-License-Identifier: GPL-2.0-only
#
# Left with caps, right without; above what each tenant has, below who is served.

width = 1000
height = 640
load common

# One tenant's bytes over the steps while its process lives.
of(run, tenant) = sprintf("< awk -F, '$1 == \"%s\" && $3 == %d && $5 == 1' " . \
	"tenants.csv", run, tenant)
# Requests served in each step: by those that leak, or those that do not.
served(run, leaks) = sprintf("< awk -F, '$1 == \"%s\" && $4 == %d " . \
	"{ sum[$2] += $8 } END { for (i = 0; i < %d; i++) " . \
	"print i \",\" sum[i] + 0 }' tenants.csv", run, leaks, steps)

tenants = "0 1 2 3 4 6 7"
leaking = 5
cap = 4

# The last step of the run without caps that began, and one that recycled.
stats "< awk -F, '$1 == \"none\" && $5 == 1' tenants.csv" using 2 nooutput
killed = STATS_max
stats "< awk -F, '$1 == \"caps\" && $4 == 1 { if ($7 < was / 2) print $2; was = $7 }' tenants.csv" using 1 nooutput
recycled = STATS_min
stats "< awk -F, 'NR > 1' tenants.csv" using 2 nooutput
steps = STATS_max + 1
stats "< awk -F, 'NR > 1' tenants.csv" using ($7 / MIB) nooutput
top = ceil(STATS_max * 1.2 / 5) * 5
stats "< awk -F, 'NR > 1' tenants.csv" using 8 nooutput
most = STATS_max * 7 * 1.25

set multiplot layout 2,2 margins 0.075,0.985,0.09,0.925 spacing 0.085,0.12
set xrange [0:steps]
set key top left

set title "A cap on each heap" font ",13"
set ylabel "resident in a tenant's heap, MiB"
set yrange [0:top]
set arrow 1 from 0,cap to steps,cap nohead dashtype 2 linecolor rgb grey
set label 1 "cap of each heap" at steps * 0.995,cap right offset 0,0.6 \
	textcolor rgb grey
set label 2 "the host\nrecycles it" at recycled,cap + top * 0.26 center \
	textcolor rgb red
set arrow 2 from recycled,cap + top * 0.16 to recycled,cap + top * 0.02 \
	size steps * 0.01,20 filled linecolor rgb red
plot for [t in tenants] of("caps", t + 0) using 2:($7 / MIB) with lines \
	linewidth 1.5 linecolor rgb blue \
	title (t eq "0" ? "seven tenants" : ""), \
	of("caps", leaking) using 2:($7 / MIB) with lines \
	linewidth 2.5 linecolor rgb red title "the one that leaks"
unset label
unset arrow

set title "No caps: memory.max of the cgroup alone" font ",13"
unset ylabel
set label 1 sprintf("out of memory in\nstep %d: all are killed", killed) \
	at killed - steps * 0.02,top * 0.3 right
set arrow 1 from killed,0 to killed,top * 0.95 nohead dashtype 3 \
	linecolor rgb "black"
plot for [t in tenants] of("none", t + 0) using 2:($7 / MIB) with lines \
	linewidth 1.5 linecolor rgb blue notitle, \
	of("none", leaking) using 2:($7 / MIB) with lines \
	linewidth 2.5 linecolor rgb red notitle
unset label
unset arrow

unset title
set xlabel "step"
set ylabel "requests served in a step"
set yrange [0:most]
set key at graph 0.03,0.72 left top
plot served("caps", 0) using 1:2 with lines linewidth 2 linecolor rgb blue \
	title "seven tenants, in sum", \
	served("caps", 1) using 1:2 with lines linewidth 2 linecolor rgb red \
	title "the one that leaks"

unset ylabel
set arrow 1 from killed,0 to killed,most * 0.95 nohead dashtype 3 \
	linecolor rgb "black"
plot served("none", 0) using 1:2 with lines linewidth 2 linecolor rgb blue \
	notitle, \
	served("none", 1) using 1:2 with lines linewidth 2 linecolor rgb red \
	notitle
unset multiplot
