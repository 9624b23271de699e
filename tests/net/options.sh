#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Every combination of {small or usual MSS, window scale, SACK, timestamps} on the
# client's side: TCP_INFO on both ends is what it is without porch. A stateless
# handshake without timestamps carries what six bits can: there MSS and the
# client's window scale may be rounded down, and nothing may be made up.
. "$(dirname "$0")/lib.sh"
net_up

combination() {	# NUMBER -> MSS, and sysctls of the client
	MSS=$(($1 & 1 ? 1000 : 0))
	[ "$FAMILY" = 6 ] && [ $MSS != 0 ] && MSS=1260
	in_c sysctl -qw net.ipv4.tcp_window_scaling=$(($1 >> 1 & 1)) net.ipv4.tcp_sack=$(($1 >> 2 & 1)) \
		net.ipv4.tcp_timestamps=$(($1 >> 3 & 1))
}

# One line per combination: {n, c, s}, what the client's end says, and the server's.
measure() {	# FAMILY PORT FILE [WAY]
	local n
	FAMILY=$1
	serve measured "[::]:$2"
	for n in {0..15}; do
		combination "$n"
		[ $# -lt 4 ] || arm "$4" "$2"
		client "$(at "$1" "$2")" mss=$MSS timeout=3000 | head -1
	done >"$3.client"
	stop measured
	jq -cn --slurpfile c "$3.client" --slurpfile s "$DIR/measured.out" '
		def ends: [.timestamps, .sack, .wscale, .ecn, .snd_wscale, .rcv_wscale, .snd_mss, .advmss, .rcv_space];
		($s | map(select(.event == "data") | {key: "\(.port)", value: .}) | from_entries) as $by |
		range($c | length) | $c[.] as $one | {n: ., result: $one.result, c: ($one | ends), s: ($by["\($one.port)"] // {} | ends)}' >"$3"
}

# What differs. Rounded: same flags, nothing made up; the server's MSS and scale not above, all else equal.
differences() {	# PLAIN SEEN WAY
	jq -cn --slurpfile p "$1" --slurpfile s "$2" --arg way "$3" '
		range($p | length) | {plain: $p[.], porch: $s[.]} | select(.plain != .porch) | . as {plain: $p, porch: $s} |
		select((($way == "stateless" or $way == "attacked") and $p.n < 8 and $s.result == "ok" and
			$p.c[0:6] == $s.c[0:6] and $p.c[7:9] == $s.c[7:9] and $s.c[6] <= $p.c[6] and
			$p.s[0:4] == $s.s[0:4] and $p.s[5] == $s.s[5] and
			$s.s[4] <= $p.s[4] and $s.s[6] <= $p.s[6] and $s.s[6] >= 524) | not)'
}

for family in 4 6; do
	measure $family 8080 "$DIR/plain$family"
	is "IPv$family, plain kernel: 16 connections" "$(grep -c '"result":"ok".*"s":\[[tf]' "$DIR/plain$family")" 16
done
for way in $WAYS; do
	attach $way 8080
	for family in 4 6; do
		arm $way 8080
		before=$(counter proven)
		measure $family 8080 "$DIR/seen" $way
		differ=$(differences "$DIR/plain$family" "$DIR/seen" $way)
		if [ -z "$differ" ]; then ok "IPv$family, $way: both ends as without porch, 16 combinations"; else
			not_ok "IPv$family, $way: both ends as without porch" "$differ"
		fi
		if proves $way; then
			is "IPv$family, $way: porch proved all of them" $(($(counter proven) - before)) 16
		else
			is "IPv$family, $way: porch proved none" $(($(counter proven) - before)) 0
		fi
	done
	detach
done
story_end
