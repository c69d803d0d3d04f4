# SPDX-License-Identifier: GPL-2.0-only
#
# What the plots share. Who loads this has set format (svg or png), output_file,
# and the size in points, width and height.

if (format eq "svg") {
	set terminal svg size width,height font "DejaVu Sans,12" \
		background rgb "white"
} else {
	set terminal pngcairo size width,height font "DejaVu Sans,10.5" \
		background rgb "white"
}
set output output_file
set datafile separator ","

# Colours that can be told apart by all readers.
blue = "#0072b2"
red = "#d55e00"
green = "#009e73"
yellow = "#e69f00"
violet = "#cc79a7"
grey = "#777777"
light = "#bbbbbb"

MIB = 1048576.0
KIB = 1024.0

set border 3 linecolor rgb "#444444" linewidth 1
set tics nomirror out scale 0.6
set grid y linetype 1 linecolor rgb "#e8e8e8" linewidth 1
set key top left reverse Left samplen 2 spacing 1.15
