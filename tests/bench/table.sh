# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Samples in, rows out: median, smallest and largest, beside the goal; the same as tab-separated text.

SAMPLES=	# directory: one file per figure, one number per line
MISSED=0

sample() { echo "$2" >> "$SAMPLES/$1"; }
have() { [ -s "$SAMPLES/$1" ]; }
# "median min max count"
spread() { sort -g "$SAMPLES/$1" | awk '{ v[NR] = $1 } END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; print m, v[1], v[NR], NR }'; }
median() { local m _; read -r m _ <<< "$(spread "$1")"; echo "$m"; }
calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }

heading() {	# TITLE
	printf '\n%-66s %9s   %-19s %-10s\n' "$1" median 'min - max' goal
	printf -- '-%.0s' {1..112}; echo
}

# GOAL is like `<=150` or `>=12`; `-`: the figure is printed and nothing is asked of it
row() {	# NAME UNIT GOAL LABEL
	local name=$1 unit=$2 goal=$3 label=$4 m lo hi n verdict=''
	have "$name" || { printf '%-66s %9s\n' "$label" 'not measured'; [ "$goal" = - ] || MISSED=$((MISSED + 1)); return; }
	read -r m lo hi n <<< "$(spread "$name")"
	if [ "$goal" != - ]; then
		if awk "BEGIN { exit !($m ${goal//[0-9.]/} ${goal//[<>=]/}) }"; then verdict=reached; else verdict=MISSED; MISSED=$((MISSED + 1)); fi
	fi
	printf '%-66s %9s   %-19s %-7s %s\n' "$label" "$(short "$m") $unit" "$(short "$lo") - $(short "$hi")" "${goal/-/}" "$verdict"
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$unit" "$m" "$lo" "$hi" "$n" "$goal" "$verdict" >> "$TSV"
}

short() { awk -v x="$1" 'BEGIN { if (x >= 1e6) printf "%.2fM", x / 1e6; else if (x >= 1e4) printf "%.0fk", x / 1e3; else if (x >= 100) printf "%.0f", x; else printf "%.3g", x }'; }

# name=value words into the associative array M
declare -A M
words() { local w; M=(); for w in $1; do M[${w%%=*}]=${w#*=}; done; [ "${#M[@]}" -gt 0 ]; }
