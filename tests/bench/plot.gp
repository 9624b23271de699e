# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# gnuplot -e "tsv='build/bench.tsv'; out='build/flood.svg'" tests/bench/plot.gp
# Server core time per SYN, from the rows ns-* of bench.tsv (columns: name, unit, median, min, max).
set terminal svg size 720,210 font 'sans-serif,13' background '#ffffff'
set output out
set datafile separator '\t'
set style fill solid 0.9 noborder
set key off
set border 2
set tics nomirror scale 0
unset xtics
set lmargin 30
set ytics ('XDP\_DROP: answers nothing' 0, 'bare reflector: no defence' 1, 'porch' 2, 'nft synproxy' 3, 'kernel SYN cookies' 4)
set offsets 0, graph 0.12, 0, 0
set title 'Server core time per spoofed SYN, ns' offset 0,-0.5
position(name) = name eq 'ns-kernel' ? 4 : name eq 'ns-nft' ? 3 : name eq 'ns-porch' ? 2 : name eq 'ns-reflect' ? 1 : name eq 'ns-drop' ? 0 : NaN
took(name, ns) = position(name) >= 0 ? ns : NaN
colour(name) = name eq 'ns-porch' ? 0x1f77b4 : 0x9e9e9e
name(column) = stringcolumn(column)
stats tsv using (took(name(1), $3)) nooutput
set yrange [-0.6:4.6]
set xrange [0:STATS_max * 1.15]
plot tsv using (took(name(1), $3 / 2)):(position(name(1))):($3 / 2):(0.3):(colour(name(1))) with boxxyerror linecolor rgb variable notitle, \
     tsv using (took(name(1), $3)):(position(name(1))):(sprintf('  %.0f', $3)) with labels left notitle
